/* SPDX-License-Identifier: MIT */
/* A program that holds its own extent and pages itself: for self-test and benchmarks. */
#ifndef NOUS_PAGED_H
#define NOUS_PAGED_H

#define PAGED_EXTENT 1u          /* slot of its list: its extent; child_own */
#define PAGED_BASE   0x20000000u /* the array that it pages */

/* Operations of its door; answered with a status of memory.h or memory_space.h and a word. */
enum paged_operation {
	PAGED_BEGIN,    /* bytes, frames */
	PAGED_LEFT,     /* word: frames */
	PAGED_END,      /* word: frames free in its pool */
	PAGED_STORE,    /* offset in the array, value; word: what was there before */
	PAGED_SAMPLE,   /* number; word: what PAGED_BENCH measured */
	PAGED_HEAP,     /* pages of its heap, from now on; word: how many they are */
	PAGED_TRAP,     /* a fault that is none of the pager's */
	PAGED_REGISTERS /* a store at the array's begin; status: the first register that is not as
			 * it was */
};
#define PAGED_PAGES_MAX 64u /* of its heap */

/* Argument of its thread at home: that many pages of the array, with so many frames, are written
 * and read. It ends if they hold what was written. */
#define PAGED_ARGUMENT(pages, frames) ((pages) << 16 | (frames))
/* Or this: PAGED_SAMPLES stores that fault, each in ticks. */
#define PAGED_BENCH   0u
#define PAGED_SAMPLES 1000u

#endif
