/* SPDX-License-Identifier: MIT */
/* Allocators of the tests' own over the 64 frames of memory_world.h. Slots are numbers. */
#ifndef NOUS_ALLOCATOR_WORLD_H
#define NOUS_ALLOCATOR_WORLD_H

#include "memory_world.h"
#include "partition/partition.h"
#include "quota/quota.h"

/* Of root's list, below 128; given back by slots_end. */
uint32_t world_slot(void);
void slots_end(void);

/* ---- quota ----------------------------------------------------------------------------------- */
extern struct domain quota;
extern uint32_t quota_master; /* a door with all rights */
extern uint32_t quota_first, quota_frames;
/* Over the extent in a slot, of so many frames from that one of the 64 on. */
void quota_make(uint32_t extent, uint32_t from, uint32_t frames);
void quota_unmake(void);
/* An account and its door, in a new slot. */
uint32_t account_make(uint32_t limit, uint32_t *door);
struct quota_account account_read(uint32_t account);
/* What always holds: an account's `used` are its blocks; all blocks, none of which overlap, and
 * what is free are all there is. */
void accounts_check(void);
/* And memory_check, and frames that are free are CLEAN or were never used. */
void quota_check(void);
/* The frame of the 64 at which an extent begins that is alive, or NOTHING. */
#define NOTHING 0xDEADu
uint32_t extent_begins(uint32_t extent);

#endif
