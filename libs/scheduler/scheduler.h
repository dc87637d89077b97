/* SPDX-License-Identifier: MIT */
/*
 * Running a policy (policy.h) over threads: the loop that dispatches whom the policy chose, counts
 * what that cost, and tells the policy what it learned. A scheduler is itself a thread that another
 * one dispatches, and so on down to the root thread.
 *
 * Wake-ups come as events: bit i of the scheduler's thread says that child i can go on, whoever
 * woke it. An event is a hint and no more: whether the child is ready the kernel says when it is
 * dispatched. So whoever starts an ended child anew signals its bit, and a bit that is signalled
 * for nothing costs the scheduler one turn of its loop.
 *
 * Only the root thread can wait until a time. Others ask whoever dispatches them, through a door
 * to the operation scheduler_wish: then they wait for SCHEDULER_TIME_BIT too, which comes at the
 * time or soon after. Periodic threads do the same (scheduler_wait_until).
 */
#ifndef NOUS_SCHEDULER_H
#define NOUS_SCHEDULER_H

#include "policy.h"
#include "service.h"

/* Event bit of those who asked for a time. A scheduler with 32 children shares it with the last of
 * them. */
#define SCHEDULER_TIME_BIT 31u
#define SCHEDULER_TIME     (1u << SCHEDULER_TIME_BIT)

/* A slot's number, for `parent`: this is the root thread, which needs no door. */
#define SCHEDULER_IS_ROOT 0u

/*
 * Invariants: `timed` are those that wait for a time, which is in `due`; `next_due` is not later
 * than the earliest of them; `living` and `ready` are among `children`.
 */
struct scheduler {
	struct policy *policy;
	uint32_t parent;   /* slot of a door (wish.h) to whoever dispatches this thread */
	uint32_t threads;  /* slot of the first child; others behind it: RIGHT_DISPATCH, and to be
			      signalled the time, RIGHT_SIGNAL */
	uint32_t children; /* bits of all */
	uint32_t living;   /* ... that have not ended */
	uint32_t ready;    /* ... that did not wait when last heard of */
	uint32_t timed;
	uint64_t next_due, due[POLICY_CHILDREN];
	volatile uint64_t wish[POLICY_CHILDREN]; /* written by the children */
	/* of each child: cycles that it and all whom it dispatched have worked; why it came back
	 * the last time, or why it could not be dispatched */
	uint64_t consumed[POLICY_CHILDREN];
	uint8_t reason[POLICY_CHILDREN], error[POLICY_CHILDREN];
};

/* `count` children, at most POLICY_CHILDREN, all of them ready as far as one knows. */
void scheduler_begin(struct scheduler *scheduler, struct policy *policy, uint32_t parent,
		     uint32_t threads, uint32_t count);
/*
 * Runs until no child lives, or until `end`: 0. Else why this thread can't dispatch or wait:
 * ERROR_CHAIN where 32 dispatchers stand one upon the other, ERROR_RIGHT without RIGHT_DISPATCH,
 * ERROR_EMPTY without a parent's door, or another answer of that door.
 */
uint32_t scheduler_run(struct scheduler *scheduler, uint64_t end);

/* What is done behind the door that each child has (wish.h), whose badge has the child's number in
 * its upper word. */
#define SCHEDULER_BADGE(child) ((uint64_t)(child) << 32)
static inline void scheduler_wish(struct scheduler *scheduler, uint32_t child, uint64_t time)
{
	scheduler->wish[child % POLICY_CHILDREN] = time;
}

/* For a child: waits for an event of the mask, or until the time, when *bits is without any other.
 * Errors are those of the door and of the kernel. */
uint32_t scheduler_wait_until(uint32_t parent, uint32_t mask, uint64_t time, uint32_t *bits);

#endif
