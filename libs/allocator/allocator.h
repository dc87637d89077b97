/* SPDX-License-Identifier: MIT */
/*
 * What allocators over the memory service share: services/quota, services/partition. An allocator
 * holds an extent with MEMORY_ANY and hands out blocks of it, aligned and of a power of two, as
 * extents that are bound to a generation. How a block changes hands, and why no client can meet
 * what is another's: docs/allocators.md.
 */
#ifndef NOUS_ALLOCATOR_H
#define NOUS_ALLOCATOR_H

#include "memory/memory.h"

/* Statuses besides those of status.h. */
enum allocator_status {
	ALLOCATOR_OK,
	ALLOCATOR_MORE,        /* some steps were done, others are left: call again */
	ALLOCATOR_NOT_ALLOWED, /* the door lacks the right */
	ALLOCATOR_ENDED,       /* the door's account or partition is not its client's any more */
	ALLOCATOR_OUTSIDE,     /* no such order, frame, account or partition */
	ALLOCATOR_LIMIT,       /* more than the account may have, or than the master has left */
	ALLOCATOR_NONE_FREE,   /* no block of this order; no free number */
	ALLOCATOR_NOT_HELD, /* the frame does not begin a block of the client's, or not any more */
	ALLOCATOR_IN_USE,   /* the account has frames still; the partition is somebody's */
	ALLOCATOR_STUCK,    /* a frame can't be freed: see holding_go_on */
	ALLOCATOR_WORN_OUT, /* the frames' generations are at their top */
	ALLOCATOR_REFUSED   /* the word is what the memory service's call returned */
};

/* The rights that a client gets. */
#define ALLOCATOR_RIGHTS MEMORY_RIGHTS

/* ---- for the program that starts one --------------------------------------------------------- */
#define ALLOCATOR_SLOT_DOMAIN 1u  /* of its list: its own domain, with the right to make doors */
#define ALLOCATOR_SLOT_EXTENT 2u  /* the extent, with MEMORY_RIGHTS_ALL; none of it reserved */
#define ALLOCATOR_SCRATCH     16u /* and 63 more: where the memory service's answers come */
#define ALLOCATOR_CLIENTS_MAX 64u

/* ---- blocks: the allocators' own part -------------------------------------------------------- */
/*
 * A block at its first frame. On its way out and back its frames get a new generation ("raise") and
 * are freed of all that was in them ("tidy").
 *
 *     FREE -> RAISE_OUT -> TIDY_OUT -> HELD -> RAISE_BACK -> TIDY_BACK -> FREE
 *
 * `generation` only grows, with each raise and each attempt at one. So (state, generation) never
 * comes twice: what a thread saw it compares in the section in which it changes it (R2).
 */
enum holding_kind {
	HOLDING_FREE,
	HOLDING_RAISE_OUT,
	HOLDING_TIDY_OUT,
	HOLDING_HELD,
	HOLDING_RAISE_BACK,
	HOLDING_TIDY_BACK
};
struct holding {
	uint32_t state;      /* HOLDING_STATE */
	uint32_t generation; /* HELD, TIDY: that of all its frames; RAISE: that they shall get */
	uint32_t cursor;     /* how far tidying has come */
};
#define HOLDING_STATE(kind, order, owner) ((kind) | (order) << 3 | (owner) << 8)
#define HOLDING_KIND(state)               ((state)&7u)
#define HOLDING_ORDER(state)              ((state) >> 3 & 31u)
#define HOLDING_OWNER(state)              ((state) >> 8)
/* A block that has come so far is not given to anybody any more: the next owner needs some. */
#define HOLDING_TOP (MEMORY_TOP - 64)

/* One block and what a thread knows of it. */
struct holding_job {
	struct holding *holding;
	uint32_t frame;      /* in the allocator's extent */
	struct holding seen; /* by a section */
	struct holding next; /* what it shall become */
	uint32_t status, word;
};

/* In an allocator's own prepare: is it what the job has seen? */
static inline _Bool holding_is_as_seen(const struct holding_job *job)
{
	return job->holding->state == job->seen.state &&
	       job->holding->generation == job->seen.generation &&
	       job->holding->cursor == job->seen.cursor;
}

/* The block becomes `next`, which then is `seen`; or ALLOCATOR_MORE, if others changed it. */
uint32_t holding_change(struct holding_job *job);
/* From a RAISE or TIDY on, some steps: 0 if all is raised and tidied, and the block's capability is
 * in lent_slot(0); the next change is the allocator's. ALLOCATOR_MORE, _REFUSED, _WORN_OUT,
 * _NO_RESULT; _STUCK: all else is free, but frames belong to something that lives elsewhere, such
 * as the directory of a domain whose control page is another's; they can be tried again. */
uint32_t holding_go_on(struct holding_job *job);

/* At the start: the order of the allocator's extent. */
uint32_t allocator_begin(void);

/* What they do by calls: calls.c. All answer an allocator_status and may set job->word. */
/* The capability of the block as seen into lent_slot(0). */
uint32_t holding_mint(struct holding_job *job);
/* Raises all frames of the block to seen.generation. MORE: next.generation must be committed. */
uint32_t holding_raise(struct holding_job *job);
/* Of the block whose capability is in lent_slot(0), from seen.cursor to next.cursor. */
uint32_t holding_tidy(struct holding_job *job);

#endif
