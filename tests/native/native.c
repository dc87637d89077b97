/* SPDX-License-Identifier: MIT */
/*
 * The rollforward lock on this machine's own processor: libs/lock/lock.asm as it is linked into
 * programs of Nous, in a 32-bit program of the host, with ordinary memory at LOCK_PAGE and TAG_PAGE
 * and nobody else about. Exit 1 if a section does not do what it should; times are only shown.
 *
 * A tick of the time stamp counter is no cycle of the core on most processors. How many cycles it
 * is comes from multiplications: each takes three cycles, from the Pentium Pro to today.
 */
#define _GNU_SOURCE
#include "abi.h"
#include "native.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SAMPLES        10001u
#define MIDDLE         5000u
#define TIMES          200u /* of one sample */
#define CYCLES_OF_IMUL 3.0
#define SOURCE_CYCLES  40 /* of the source document: about, for lock and unlock */

static double cycles_per_tick;

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}
struct figures {
	double least, median; /* ticks, each time */
};
static struct figures measure(enum native what)
{
	static uint32_t samples[SAMPLES];
	for (uint32_t i = 0; i < SAMPLES; i++)
		samples[i] = native_ticks(what, TIMES);
	qsort(samples, SAMPLES, sizeof(samples[0]), by_size);
	double least = samples[0], median = samples[MIDDLE];
	return (struct figures){least / TIMES, median / TIMES};
}
/* In cycles, less what is only there to measure it. */
static void show(const char *name, enum native what, enum native less)
{
	struct figures all = measure(what), without = measure(less);
	printf("%-58s %7.1f %7.1f\n", name, (all.least - without.least) * cycles_per_tick,
	       (all.median - without.median) * cycles_per_tick);
}

static void page_at(uint32_t address)
{
	void *at = (void *)(uintptr_t)address;
	if (mmap(at, PAGE_BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at) {
		perror("bench-native: no memory at the address of the lock page or the tag page");
		exit(1);
	}
}

int main(void)
{
	const struct lock_page *lock = (const struct lock_page *)(uintptr_t)LOCK_PAGE;
	uint32_t *tag = (uint32_t *)(uintptr_t)TAG_PAGE;
	page_at(LOCK_PAGE);
	page_at(TAG_PAGE);
	*tag = 0x1234 << 3;

	cycles_per_tick = 8 * CYCLES_OF_IMUL / measure(NATIVE_MULTIPLICATIONS).median;
	printf("%u samples of %u times; a tick of the time stamp counter is %.2f cycles\n\n",
	       SAMPLES, TIMES, cycles_per_tick);
	printf("%-58s %7s %7s\n", "cycles", "min", "median");
	show("section of one word, one after another", NATIVE_WORD, NATIVE_NOTHING);
	show("the same by section_log and section_commit", NATIVE_PAIR, NATIVE_NOTHING);
	show("section of eight words, one after another", NATIVE_EIGHT, NATIVE_NOTHING);
	show("section of one word, nothing overlaps with it", NATIVE_WORD_ALONE, NATIVE_FENCE);
	show("and finishing another's of one word, nothing overlaps", NATIVE_HELP_ALONE,
	     NATIVE_COMMITTED);
	printf("%-58s %7s %7d\n", "the source document's lock and unlock, about", "",
	       SOURCE_CYCLES);

	uint32_t expected = SAMPLES * TIMES * 6; /* once by each, twice by the last */
	if (native_words[0] != expected || native_words[7] != SAMPLES * TIMES || lock->count ||
	    lock->owner != *tag) {
		printf("bench-native: sections happened %u times, not %u\n",
		       (unsigned)native_words[0], (unsigned)expected);
		return 1;
	}
	return 0;
}
