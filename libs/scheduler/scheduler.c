/* SPDX-License-Identifier: MIT */
/* See scheduler.h. Nothing here depends on how many threads there are but for bits of children,
 * of which there are 32. */
#include "scheduler.h"
#include "wish.h"

void scheduler_begin(struct scheduler *scheduler, struct policy *policy, uint32_t parent,
		     uint32_t threads, uint32_t count)
{
	uint32_t all = count < POLICY_CHILDREN ? CHILD_BIT(count) - 1 : ~0u;
	uint64_t now = cycles();
	*scheduler = (struct scheduler){.policy = policy,
					.parent = parent,
					.threads = threads,
					.children = all,
					.living = all,
					.ready = all,
					.next_due = POLICY_NEVER};
	for (uint32_t child = 0; child < count; child++) {
		scheduler->wish[child] = POLICY_NEVER;
		policy->ready(policy, now, child);
	}
}

uint32_t scheduler_wait_until(uint32_t parent, uint32_t mask, uint64_t time, uint32_t *bits)
{
	uint32_t result;
	*bits = 0;
	do { /* the bit may still be there from a time that nobody waited for in the end */
		result = wish_until(slot(parent), time);
		if (result != RETURN)
			return result;
		result = kernel_wait(mask | SCHEDULER_TIME, DEADLINE_NEVER, bits);
	} while (!result && !(*bits & mask) && cycles() < time);
	return result;
}

static slot_t thread_of(const struct scheduler *scheduler, uint32_t child)
{
	return slot(scheduler->threads + child);
}

/* ---- what the kernel tells ----------------------------------------------------------------------
 */
/* These children can go on, or so it seems. */
static void events(struct scheduler *scheduler, uint32_t bits, uint64_t now)
{
	bits &= scheduler->children;
	uint32_t fresh = bits & ~scheduler->ready;
	scheduler->living |= bits;
	scheduler->ready |= bits;
	for (; fresh; fresh &= fresh - 1)
		scheduler->policy->ready(scheduler->policy, now, __builtin_ctz(fresh));
}

static void block(struct scheduler *scheduler, uint32_t child)
{
	scheduler->ready &= ~CHILD_BIT(child);
	scheduler->policy->blocked(scheduler->policy, child);
}

/* It waits: for a time, too? */
static void wish_take(struct scheduler *scheduler, uint32_t child)
{
	uint64_t time = scheduler->wish[child];
	if (time == POLICY_NEVER)
		return;
	scheduler->wish[child] = POLICY_NEVER;
	scheduler->due[child] = time;
	scheduler->timed |= CHILD_BIT(child);
	if (time < scheduler->next_due)
		scheduler->next_due = time;
}

/* The earliest time of those children. */
static uint64_t due_first(const struct scheduler *scheduler, uint32_t bits)
{
	uint64_t first = POLICY_NEVER;
	for (; bits; bits &= bits - 1) {
		uint64_t due = scheduler->due[__builtin_ctz(bits)];
		first = due < first ? due : first;
	}
	return first;
}

/* Wakes whose time has come. That they can go on comes back as an event. */
static void due_wake(struct scheduler *scheduler, uint64_t now)
{
	for (uint32_t bits = scheduler->timed; bits; bits &= bits - 1) {
		uint32_t child = __builtin_ctz(bits);
		if (scheduler->due[child] > now)
			continue;
		scheduler->timed &= ~CHILD_BIT(child);
		uint32_t error = kernel_signal(thread_of(scheduler, child), SCHEDULER_TIME);
		scheduler->error[child] = error;
		if (error == ERROR_STALE)
			scheduler->living &= ~CHILD_BIT(child);
	}
	scheduler->next_due = due_first(scheduler, scheduler->timed);
}

/* ---- what is done
 * ------------------------------------------------------------------------------------------------
 */
static void came_back(struct scheduler *scheduler, uint32_t child,
		      const struct dispatch_result *result)
{
	struct policy *policy = scheduler->policy;
	scheduler->ready |= CHILD_BIT(child); /* a policy may try one of which it is not sure */
	scheduler->timed &= ~CHILD_BIT(child);
	scheduler->consumed[child] += result->cycles;
	scheduler->reason[child] = result->reason;
	if (policy->consumed)
		policy->consumed(policy, child,
				 result->cycles < UINT32_MAX ? result->cycles : UINT32_MAX);
	if (result->reason == DISPATCH_WAITING) {
		wish_take(scheduler, child);
		block(scheduler, child);
	} else if (result->reason == DISPATCH_ENDED || result->reason == DISPATCH_FAULTED) {
		scheduler->living &= ~CHILD_BIT(child);
		block(scheduler, child);
	}
	if (result->reason == DISPATCH_EVENT)
		events(scheduler, result->bits, cycles());
}

static uint32_t lend(struct scheduler *scheduler, uint32_t child, uint32_t mask, uint64_t until)
{
	struct dispatch_result result;
	uint32_t error = kernel_dispatch(thread_of(scheduler, child), mask, until,
					 child << DISPATCH_BIT_SHIFT, &result);
	scheduler->error[child] = error;
	switch (error) {
	case 0:
		came_back(scheduler, child, &result);
		return 0;
	case ERROR_EMPTY:
	case ERROR_STALE: /* destroyed */
		scheduler->living &= ~CHILD_BIT(child);
		break;
	case ERROR_STATE: /* it waits, or somebody has stopped or dispatched it */
		break;
	default:
		return error;
	}
	block(scheduler, child);
	return 0;
}

static uint32_t idle(struct scheduler *scheduler, uint32_t mask, uint64_t until)
{
	uint32_t bits, error;
	if (scheduler->parent == SCHEDULER_IS_ROOT || until == POLICY_NEVER)
		error = kernel_wait(mask, until, &bits);
	else
		error = scheduler_wait_until(scheduler->parent, mask, until, &bits);
	if (!error)
		events(scheduler, bits & mask, cycles());
	return error;
}

uint32_t scheduler_run(struct scheduler *scheduler, uint64_t end)
{
	struct policy *policy = scheduler->policy;
	while (scheduler->living) {
		uint64_t now = cycles();
		if (now >= end)
			break;
		if (now >= scheduler->next_due)
			due_wake(scheduler, now);
		uint32_t child = policy->decide(policy, now);
		uint32_t mask = policy->mask & scheduler->children;
		uint64_t until = policy->until < end ? policy->until : end;
		if (scheduler->next_due < until) {
			uint64_t due = due_first(scheduler, scheduler->timed & mask);
			until = due < until ? due : until;
		}
		uint32_t error = child == POLICY_NOBODY ? idle(scheduler, mask, until)
							: lend(scheduler, child, mask, until);
		if (error)
			return error;
	}
	return 0;
}
