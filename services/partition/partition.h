/* SPDX-License-Identifier: MIT */
/*
 * An allocator with fixed partitions: its extent in 2^k equal parts, each of which is one client's,
 * whole, until the master takes it back. A client fetches its partition as an extent of the memory
 * service, bound to a generation, with all frames CLEAN at first. What another client does, or how
 * many there are, can neither be felt nor seen.
 *
 * Whoever is killed anywhere loses nothing: the same operation goes on. Every operation is bounded;
 * one that has more to do says ALLOCATOR_MORE, and the stubs here call again, on the caller's time.
 * All stubs return RETURN + a status, or an error of the kernel; with ALLOCATOR_REFUSED *value is
 * what the memory service's call returned (the caller's data page has no room for it, its calls are
 * too deep). The first 16 bytes of the data page may be written. Costs: docs/allocators.md.
 */
#ifndef NOUS_PARTITION_H
#define NOUS_PARTITION_H

#include "allocator/allocator.h"

/* A door's badge: partition 7..0, the right; upper word: its how-manieth client. */
#define PARTITION_MASTER 0x100u
#define PARTITIONS_MAX   ALLOCATOR_CLIENTS_MAX

enum partition_operation {
	PARTITION_FETCH,
	PARTITION_READ,
	PARTITION_ASSIGN,
	PARTITION_DOOR,
	PARTITION_TAKE_BACK
};

/*
 * The partition, as an extent with MEMORY_RIGHTS, into slot `to` (1..127). Repeatable. *value: its
 * order. ALLOCATOR_ENDED (it was taken back), NOT_ALLOWED (the master has no partition), WORN_OUT,
 * STUCK, REFUSED, NO_RESULT. Two threads that fetch it for the first time synchronise.
 */
static inline uint32_t partition_fetch(slot_t door, uint32_t to, uint32_t *value)
{
	uint32_t result;
	do
		result = door_call(door.encoded | OPTION_RESULTS, PARTITION_FETCH,
				   LEND_SLOTS(to, 0, 0, 0), 0, value);
	while (result == RETURN + ALLOCATOR_MORE);
	return result;
}

/* ---- for the holder of the master door ------------------------------------------------------- */
/* *kind: enum holding_kind, of which FREE can be assigned. ALLOCATOR_NOT_ALLOWED, OUTSIDE (there
 * are not so many). */
static inline uint32_t partition_read(slot_t master, uint32_t partition, uint32_t *kind)
{
	return door_call(master.encoded, PARTITION_READ, partition, 0, kind);
}
/* The door of whom it is assigned to into slot `to` (1..127). Repeatable. ALLOCATOR_NOT_ALLOWED,
 * OUTSIDE, NOT_HELD, NO_RESULT. */
static inline uint32_t partition_door(slot_t master, uint32_t partition, uint32_t to)
{
	return door_call(master.encoded | OPTION_RESULTS, PARTITION_DOOR, LEND_SLOTS(to, 0, 0, 0),
			 partition, NULL);
}
/* A free partition gets a client, whose door comes into slot `to`. ALLOCATOR_NOT_ALLOWED, OUTSIDE,
 * IN_USE, WORN_OUT; of partition_door: it is assigned. */
static inline uint32_t partition_assign(slot_t master, uint32_t partition, uint32_t to)
{
	uint32_t result = door_call(master.encoded, PARTITION_ASSIGN, partition, 0, NULL);
	return result == RETURN ? partition_door(master, partition, to) : result;
}
/*
 * It is free again, whatever its client had made of it: all capabilities for it end, it is unmapped
 * wherever it is mapped, what it was made of ceases to be, it is cleaned. ALLOCATOR_NOT_ALLOWED,
 * OUTSIDE, NOT_HELD (it is free), WORN_OUT, STUCK, REFUSED, NO_RESULT.
 */
static inline uint32_t partition_take_back(slot_t master, uint32_t partition, uint32_t *value)
{
	uint32_t result;
	do
		result = door_call(master.encoded | OPTION_RESULTS, PARTITION_TAKE_BACK, 0,
				   partition, value);
	while (result == RETURN + ALLOCATOR_MORE);
	return result;
}

#endif
