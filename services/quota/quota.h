/* SPDX-License-Identifier: MIT */
/*
 * An allocator with accounts: each has a limit, in frames, and takes blocks of 2^order frames from
 * what is free to all, until it has so many. A block comes as an extent of the memory service,
 * bound to a generation, with all its frames CLEAN, and goes back the same way. The master, account
 * 0, makes accounts out of what is left of its own limit, reads them, and takes blocks back by
 * force.
 *
 * Whoever is killed anywhere loses nothing: a block is free, or it is the account's, where
 * quota_next finds it and quota_again fetches its capability once more. Two threads that use one
 * account synchronise among themselves.
 *
 * A frame is named by its offset in the allocator's extent. Every operation is bounded; one that
 * has more to do says ALLOCATOR_MORE, and the stubs here call again, on the caller's time. All
 * stubs return RETURN + a status, or an error of the kernel; with ALLOCATOR_REFUSED *value is what
 * the memory service's call returned (the caller's data page has no room for it, its calls are too
 * deep). Parameters lie in the data page, of which the caller must not stand on the first 16 bytes.
 * Costs: docs/allocators.md.
 */
#ifndef NOUS_QUOTA_H
#define NOUS_QUOTA_H

#include "allocator/allocator.h"
#include "interface.h"

/* A door's badge: account 7..0, rights; upper word: which of the accounts that had this number. */
#define QUOTA_USE      0x100u /* take, again, give, next, read: its own account */
#define QUOTA_MASTER   0x200u /* of account 0: all else, and any account's blocks */
#define QUOTA_ACCOUNTS ALLOCATOR_CLIENTS_MAX

/* Blocks are at least so large that the whole extent has no more than these; smaller ones are made
 * larger, also in the account. */
#define QUOTA_UNITS_ORDER 13u

/* An answer's word: the block's first frame and its order. */
#define QUOTA_BLOCK(frame, order) ((frame) | (uint32_t)(order) << 24)
#define QUOTA_FRAME(block)        ((block)&0xFFFFFFu)
#define QUOTA_ORDER(block)        ((block) >> 24)

/* An account. */
struct quota_account {
	uint32_t limit, used; /* frames; the master's `used` has the limits of all others in it */
	uint32_t closed;      /* 0 or 1 */
	uint32_t free;        /* frames, for all */
};

/*
 * A block of 2^order frames, as an extent with MEMORY_RIGHTS; *block: QUOTA_BLOCK. Its frames count
 * from now on. ALLOCATOR_ENDED, ALLOCATOR_NOT_ALLOWED, ALLOCATOR_OUTSIDE (order), ALLOCATOR_LIMIT
 * (also: the account is closed), ALLOCATOR_NONE_FREE; as of quota_again_once, the block being the
 * account's then: ALLOCATOR_MORE, ALLOCATOR_WORN_OUT, ALLOCATOR_STUCK, ALLOCATOR_REFUSED,
 * SERVICE_NO_RESULT. Cost: 3,079 for a clean frame.
 */
uint32_t quota_take_once(slot_t door, uint32_t order, place_t to, uint32_t *block);

/*
 * The capability of a block once more: a held one's, or of one whose taking was cut off, which is
 * finished then. ALLOCATOR_MORE, ALLOCATOR_ENDED, ALLOCATOR_NOT_ALLOWED, ALLOCATOR_OUTSIDE,
 * ALLOCATOR_NOT_HELD, ALLOCATOR_WORN_OUT, ALLOCATOR_STUCK, ALLOCATOR_REFUSED, SERVICE_NO_RESULT.
 * Cost: 1,771 for a held one.
 */
uint32_t quota_again_once(slot_t door, uint32_t frame, place_t to, uint32_t *block);

/*
 * The block that begins there is given back: all capabilities for it end, it is unmapped wherever
 * it is mapped, what it was made of ceases to be, it is cleaned, and it counts no more. What was
 * cut off goes on from where it was. The master's door: any account's. ALLOCATOR_MORE,
 * ALLOCATOR_ENDED, ALLOCATOR_NOT_ALLOWED, ALLOCATOR_OUTSIDE, ALLOCATOR_NOT_HELD, ALLOCATOR_WORN_OUT
 * (the block stays with the account that has worn it out), ALLOCATOR_STUCK, ALLOCATOR_REFUSED,
 * SERVICE_NO_RESULT. Cost: 2,597 for a clean frame.
 */
WITH_SLOTS uint32_t quota_give_once(slot_t door, uint32_t frame, uint32_t *value);

/*
 * The account's first block at frame `from` or behind it: QUOTA_BLOCK in *value; held or on its way
 * out or back. ALLOCATOR_MORE: go on from *value. ALLOCATOR_OUTSIDE: there is none. Of other
 * accounts: master only. ALLOCATOR_ENDED, ALLOCATOR_NOT_ALLOWED. Cost: 171 if the first one is it.
 */
uint32_t quota_next_once(slot_t door, uint32_t account, uint32_t from, uint32_t *value);

/* An account, its own or with the master's door any. ALLOCATOR_ENDED, ALLOCATOR_NOT_ALLOWED,
 * ALLOCATOR_OUTSIDE (also: there is no such account now). Cost: 166. */
uint32_t quota_read(slot_t door, uint32_t account, struct quota_account *read);

/* ---- for the holder of the master door ------------------------------------------------------- */
/* An account with this limit, which leaves the master's own; its number, 1..63. ALLOCATOR_ENDED,
 * ALLOCATOR_NOT_ALLOWED, ALLOCATOR_LIMIT, ALLOCATOR_NONE_FREE (no number). Cost: 154, and 5 for
 * each account before it. */
uint32_t quota_create(slot_t master, uint32_t limit, uint32_t *account);

/* The door of an account, with QUOTA_USE. Repeatable. ALLOCATOR_ENDED, ALLOCATOR_NOT_ALLOWED,
 * ALLOCATOR_OUTSIDE (no such account), SERVICE_NO_RESULT. Cost: 690. */
uint32_t quota_door(slot_t master, uint32_t account, place_t to);

/* It takes no more. ALLOCATOR_ENDED, ALLOCATOR_NOT_ALLOWED, ALLOCATOR_OUTSIDE. Cost: 122. */
uint32_t quota_close(slot_t master, uint32_t account);

/* It ends, and with it its doors; its limit is the master's again. ALLOCATOR_ENDED,
 * ALLOCATOR_NOT_ALLOWED, ALLOCATOR_OUTSIDE, ALLOCATOR_IN_USE (it has blocks). Cost: 144. */
uint32_t quota_remove(slot_t master, uint32_t account);

#include "quota.stubs.h"

/* ---- all of it: as often as ALLOCATOR_MORE says so --------------------------------------------
 */
static inline uint32_t quota_again(slot_t door, uint32_t frame, place_t to, uint32_t *value)
{
	uint32_t result;
	do
		result = quota_again_once(door, frame, to, value);
	while (result == RETURN + ALLOCATOR_MORE);
	return result;
}

static inline uint32_t quota_take(slot_t door, uint32_t order, place_t to, uint32_t *value)
{
	uint32_t block, result = quota_take_once(door, order, to, &block);
	if (result == RETURN + ALLOCATOR_MORE)
		result = quota_again(door, QUOTA_FRAME(block), to, &block);
	if (value)
		*value = block;
	return result;
}

static inline uint32_t quota_give(slot_t door, uint32_t frame, uint32_t *value)
{
	uint32_t result;
	do
		result = quota_give_once(door, frame, value);
	while (result == RETURN + ALLOCATOR_MORE);
	return result;
}

static inline uint32_t quota_next(slot_t door, uint32_t account, uint32_t from, uint32_t *value)
{
	uint32_t result;
	do {
		result = quota_next_once(door, account, from, value);
		from = *value;
	} while (result == RETURN + ALLOCATOR_MORE);
	return result;
}

/* All of an account by force, and its end. Errors of these four; what could not be had is left. */
static inline uint32_t quota_seize(slot_t master, uint32_t account, uint32_t *value)
{
	uint32_t block = 0, given, result = quota_close(master, account);
	if (result != RETURN)
		return result;
	for (uint32_t from = 0; quota_next(master, account, from, &block) == RETURN;) {
		given = quota_give(master, QUOTA_FRAME(block), value);
		if (given != RETURN && given != RETURN + ALLOCATOR_NOT_HELD)
			result = given;
		from = QUOTA_FRAME(block) + 1;
	}
	return result == RETURN ? quota_remove(master, account) : result;
}

#endif
