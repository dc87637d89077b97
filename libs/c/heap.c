/* SPDX-License-Identifier: MIT */
/* The heap: pages of the process's own extent, mapped where they are needed by libs/memory. */
#include "calls.h"
#include "memory/memory_space.h"

#include <errno.h>

#define FRAMES_MAX (1u << CHILD_ORDER_MAX)
#define STEP       16u /* pages at once, so that small requests are few calls */

static struct heap heap;
static uint32_t used; /* bytes */

static void heap_make(void)
{
	static uint32_t taken[POOL_WORDS(FRAMES_MAX)], frames[FRAMES_MAX];
	static struct pool pool;
	static struct space space;
	space_own(&space, &pool, taken);
	heap_begin(&heap, &space, PROCESS_HEAP, frames, memory_self.frames);
}

void *_sbrk(ptrdiff_t bytes)
{
	if (!heap.base && memory_self.extent)
		heap_make();
	uint32_t before = heap.pages, wanted = used + (uint32_t)bytes;
	uint32_t pages = wanted / PAGE_BYTES + !!(wanted % PAGE_BYTES);
	_Bool wraps = bytes < 0 ? wanted > used : wanted < used;
	if (!wraps && pages > before)
		heap_resize(&heap, (pages + STEP - 1) / STEP * STEP);
	if (!wraps && pages < before)
		heap_resize(&heap, pages);
	if (wraps || pages > heap.pages) { /* so many frames are not there */
		heap_resize(&heap, before);
		errno = ENOMEM;
		return (void *)-1;
	}
	void *end = (void *)(uintptr_t)(PROCESS_HEAP + used);
	used = wanted;
	return end;
}
