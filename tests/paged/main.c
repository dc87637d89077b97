/* SPDX-License-Identifier: MIT */
#include "../bench/bench.h"
#include "memory_space.h"
#include "paged.server.h"

#define FRAMES_MAX  1024u
#define TABLE_BYTES 0x400000u
#define HEAP_BASE   0x30000000u

volatile uint32_t begun, ended;
static struct space space;
static struct pool pool;
static struct heap heap;
static uint32_t taken[POOL_WORDS(FRAMES_MAX)], heap_frames[PAGED_PAGES_MAX];
static uint16_t samples[PAGED_SAMPLES];
static uint32_t spares[POOL_WORDS(FRAMES_MAX)];

static void own(uint32_t options)
{
	if (!space.pool)
		space_own(&space, &pool, taken);
	pool.extent.encoded = slot(PAGED_EXTENT).encoded | options;
}

static uint32_t status_of(uint32_t result)
{
	return DOOR_ERROR(result) ? STATUS_MAX : DOOR_STATUS(result);
}

uint32_t paged_do_range(struct badge badge, uint32_t bytes, uint32_t frames)
{
	own(OPTION_NESTED);
	return status_of(pager_begin(&space, PAGED_BASE, bytes, frames, spares));
}

uint32_t paged_do_left(struct badge badge, uint32_t *frames)
{
	*frames = pager_left();
	return 0;
}

uint32_t paged_do_range_end(struct badge badge, uint32_t *frames)
{
	own(OPTION_NESTED);
	uint32_t result = pager_end();
	*frames = pool_free(&pool);
	return status_of(result);
}

uint32_t paged_do_store(struct badge badge, uint32_t offset, uint32_t value, uint32_t *before)
{
	volatile uint32_t *word = (volatile uint32_t *)(PAGED_BASE + offset);
	*before = *word;
	*word = value;
	return 0;
}

uint32_t paged_do_sample(struct badge badge, uint32_t number, uint32_t *ticks)
{
	*ticks = samples[number];
	return 0;
}

uint32_t paged_do_heap(struct badge badge, uint32_t pages, uint32_t *now)
{
	own(OPTION_NESTED);
	if (!heap.space)
		heap_begin(&heap, &space, HEAP_BASE, heap_frames, PAGED_PAGES_MAX);
	uint32_t had = heap.pages, result = heap_resize(&heap, pages);
	*now = heap.pages;
	for (uint32_t i = had; i < heap.pages; i++) {
		uint32_t *word = (uint32_t *)(HEAP_BASE + i * PAGE_BYTES);
		if (*word)
			return STATUS_MAX;
		*word = i + 1;
	}
	return status_of(result);
}

uint32_t paged_do_trap(struct badge badge)
{
	asm volatile("ud2");
	return 0;
}

/* All registers but ESP and the flags are as they were after a store that faults. */
uint32_t paged_do_registers(struct badge badge)
{
	static uint32_t seen[8];
	asm volatile("push %%ebp\n\tpush $0x240AD7\n\tpopf\n\t"
		     "mov $1, %%eax\n\tmov $2, %%ecx\n\tmov $3, %%edx\n\tmov $4, %%ebx\n\t"
		     "mov $5, %%ebp\n\tmov $6, %%esi\n\tmov $7, %%edi\n\t"
		     "movl $8, %c1\n\tpushf\n\t"
		     "mov %%eax, %0\n\tmov %%ecx, 4+%0\n\tmov %%edx, 8+%0\n\tmov %%ebx, 12+%0\n\t"
		     "mov %%ebp, 16+%0\n\tmov %%esi, 20+%0\n\tmov %%edi, 24+%0\n\t"
		     "pop 28+%0\n\tpush $2\n\tpopf\n\tpop %%ebp"
		     : "=m"(seen)
		     : "i"(PAGED_BASE)
		     : "eax", "ecx", "edx", "ebx", "esi", "edi", "memory", "cc");
	for (uint32_t i = 0; i < 7; i++)
		if (seen[i] != i + 1)
			return i + 1;
	return (seen[7] & 0x240CD5) == (0x240AD7 & 0x240CD5) ? 0 : 8;
}

#define ROUND 100u /* pages before the range begins anew */

static void bench(void)
{
	for (uint32_t i = 0; i < PAGED_SAMPLES; i++) {
		volatile uint32_t *word = (uint32_t *)(PAGED_BASE + i % ROUND * PAGE_BYTES);
		if (i % ROUND == 0 &&
		    (pager_end() != RETURN ||
		     pager_begin(&space, PAGED_BASE, TABLE_BYTES, ROUND, spares) != RETURN))
			__builtin_trap();
		BEGIN();
		*word = 1;
		END();
		samples[i] = ended - begun;
	}
}

int main(uint32_t argument)
{
	uint32_t words = (argument >> 16) * (PAGE_BYTES / 4);
	uint32_t bytes = (words * 4 + TABLE_BYTES - 1) / TABLE_BYTES * TABLE_BYTES;
	uint32_t *array = (uint32_t *)PAGED_BASE;
	own(0);
	if (argument == PAGED_BENCH) {
		bench();
		return 0;
	}
	if (pager_begin(&space, PAGED_BASE, bytes, argument & 0xFFFF, spares) != RETURN)
		__builtin_trap();
	for (uint32_t i = words; i-- > 0;)
		array[i] += i ^ argument;
	for (uint32_t i = 0; i < words; i++)
		if (array[i] != (i ^ argument))
			__builtin_trap();
	return 0;
}
