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
#include "interface.h"

/* A door's badge: partition 7..0, the right; upper word: its how-manieth client. */
#define PARTITION_MASTER 0x100u
#define PARTITIONS_MAX   ALLOCATOR_CLIENTS_MAX

/*
 * The partition, as an extent with MEMORY_RIGHTS. Repeatable. *value: its order. ALLOCATOR_MORE,
 * ALLOCATOR_ENDED (it was taken back), ALLOCATOR_NOT_ALLOWED (the master has no partition),
 * ALLOCATOR_WORN_OUT, ALLOCATOR_STUCK, ALLOCATOR_REFUSED, SERVICE_NO_RESULT. Two threads that fetch
 * it for the first time synchronise. Cost: 1,716 if it was fetched before.
 */
uint32_t partition_fetch_once(slot_t door, place_t to, uint32_t *value);

/* ---- for the holder of the master door ------------------------------------------------------- */
/* *kind: enum holding_kind, of which FREE can be assigned. ALLOCATOR_NOT_ALLOWED, ALLOCATOR_OUTSIDE
 * (there are not so many). Cost: 120. */
uint32_t partition_read(slot_t master, uint32_t partition, uint32_t *kind);

/* A free partition gets a client (partition_assign). ALLOCATOR_NOT_ALLOWED, ALLOCATOR_OUTSIDE,
 * ALLOCATOR_IN_USE, ALLOCATOR_WORN_OUT. Cost: 156. */
uint32_t partition_take(slot_t master, uint32_t partition);

/* The door of whom it is assigned to. Repeatable. ALLOCATOR_NOT_ALLOWED, ALLOCATOR_OUTSIDE,
 * ALLOCATOR_NOT_HELD, SERVICE_NO_RESULT. Cost: 666. */
uint32_t partition_door(slot_t master, uint32_t partition, place_t to);

/*
 * It is free again, whatever its client had made of it: all capabilities for it end, it is unmapped
 * wherever it is mapped, what it was made of ceases to be, it is cleaned. ALLOCATOR_MORE,
 * ALLOCATOR_NOT_ALLOWED, ALLOCATOR_OUTSIDE, ALLOCATOR_NOT_HELD (it is free), ALLOCATOR_WORN_OUT,
 * ALLOCATOR_STUCK, ALLOCATOR_REFUSED, SERVICE_NO_RESULT. Cost: 3,429 for 32 clean frames.
 */
WITH_SLOTS uint32_t partition_take_back_once(slot_t master, uint32_t partition, uint32_t *value);

#include "partition.stubs.h"

/* A client's door for a free partition. Errors as of partition_take, and, when that was done, of
 * partition_door. */
static inline uint32_t partition_assign(slot_t master, uint32_t partition, place_t to)
{
	uint32_t result = partition_take(master, partition);
	return result == RETURN ? partition_door(master, partition, to) : result;
}

/* ---- all of it: as often as ALLOCATOR_MORE says so --------------------------------------------
 */
static inline uint32_t partition_fetch(slot_t door, place_t to, uint32_t *value)
{
	uint32_t result;
	do
		result = partition_fetch_once(door, to, value);
	while (result == RETURN + ALLOCATOR_MORE);
	return result;
}

static inline uint32_t partition_take_back(slot_t master, uint32_t partition, uint32_t *value)
{
	uint32_t result;
	do
		result = partition_take_back_once(master, partition, value);
	while (result == RETURN + ALLOCATOR_MORE);
	return result;
}

#endif
