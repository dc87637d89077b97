/* SPDX-License-Identifier: MIT */
/* A program that holds its own extent and pages itself: for self-test and benchmarks. */
#ifndef NOUS_PAGED_H
#define NOUS_PAGED_H

#include "interface.h"

#define PAGED_EXTENT 1u          /* slot of its list: its extent; child_own */
#define PAGED_BASE   0x20000000u /* the array that it pages */

/* Statuses of all operations are those of memory.h or memory_space.h. */

/* The array of so many bytes, paged by so many frames, is there. Cost: depends. */
uint32_t paged_range(slot_t door, uint32_t bytes, uint32_t frames);

/* How many frames the pager has left. Cost: that of a call. */
uint32_t paged_left(slot_t door, uint32_t *frames);

/* The array is gone; how many frames its pool then has. Cost: depends. */
uint32_t paged_range_end(slot_t door, uint32_t *frames);

/* A word of the array, and what was there before. Cost: page_fault_self of docs/benchmarks.md. */
uint32_t paged_store(slot_t door, uint32_t offset, uint32_t value, uint32_t *before);

/* What PAGED_BENCH measured. Cost: that of a call. */
uint32_t paged_sample(slot_t door, uint32_t number, uint32_t *ticks);

/* Its heap has so many pages from now on; how many they are. Cost: depends. */
uint32_t paged_heap(slot_t door, uint32_t pages, uint32_t *now);

/* A fault that is none of the pager's. Cost: that. */
uint32_t paged_trap(slot_t door);

/* A store at the array's begin; the status is the number of the first register that is not as it
 * was, or 0. Cost: page_fault_self. */
uint32_t paged_registers(slot_t door);

#include "paged.stubs.h"

#define PAGED_PAGES_MAX 64u /* of its heap */

/* Argument of its thread at home: that many pages of the array, with so many frames, are written
 * and read. It ends if they hold what was written. */
#define PAGED_ARGUMENT(pages, frames) ((pages) << 16 | (frames))
/* Or this: PAGED_SAMPLES stores that fault, each in ticks. */
#define PAGED_BENCH   0u
#define PAGED_SAMPLES 1000u

#endif
