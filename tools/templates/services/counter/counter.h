/* SPDX-License-Identifier: MIT */
/*
 * Sums, COUNTER_SUMS of them: a door's badge says which one, and what may be done with it. There is
 * no memory per client, and what a client lends may go away at any time.
 */
#ifndef NOUS_COUNTER_H
#define NOUS_COUNTER_H

#include "interface.h"

#define COUNTER_SUMS 16u

/* A door's badge: the number of a sum and what may be done. Whoever makes the door decides. */
#define COUNTER_BADGE(sum, rights) ((sum) | (rights))
#define COUNTER_MAY_ADD            0x100u
#define COUNTER_MAY_READ           0x200u

enum counter_status {
	COUNTER_OK,
	COUNTER_NOT_ALLOWED, /* the badge lacks the right, or there is no such sum */
	COUNTER_FULL         /* more than 32 bits: the sum is as before */
};

/* Adds; the new sum. COUNTER_NOT_ALLOWED, COUNTER_FULL. Cost: that of a call, and 20
 * instructions. */
uint32_t counter_add(slot_t door, uint32_t number, uint32_t *sum);

/* The sum. COUNTER_NOT_ALLOWED. Cost: that of a call. */
uint32_t counter_read(slot_t door, uint32_t *sum);

/*
 * Adds `count` words that lie at the beginning of `numbers`, all or none; the new sum.
 * SERVICE_REVOKED: what was lent is not there, or went away; SERVICE_BAD_ARGUMENT: the words do not
 * fit into a window; COUNTER_NOT_ALLOWED, COUNTER_FULL. Cost: 15 instructions for each word.
 */
uint32_t counter_add_all(slot_t door, window_t numbers, uint32_t count, uint32_t *sum);

#include "counter.stubs.h"

#endif
