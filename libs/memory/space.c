/* SPDX-License-Identifier: MIT */
/* Address spaces: page tables are made as they are needed. */
#include "memory_space.h"

#define TABLE_PAGES 1024u
#define RUN         32u /* pages that a heap takes and maps at once */

static uint32_t *found(struct space *space, uint32_t address)
{
	for (uint32_t i = 0; i < space->count; i++)
		if ((space->tables[i] & 1023) == address >> 22)
			return &space->tables[i];
	return NULL;
}

static uint32_t table_of(const uint32_t *found)
{
	return *found >> 12;
}

static uint32_t page_of(uint32_t address)
{
	return address >> 12 & (TABLE_PAGES - 1);
}

static _Bool is_bad(uint32_t address, uint32_t count)
{
	return address % PAGE_BYTES || address < IMAGE_BASE || address >= WINDOW_TABLE ||
	       count > (WINDOW_TABLE - address) / PAGE_BYTES;
}

uint32_t space_table(struct space *space, uint32_t address, uint32_t *table)
{
	const uint32_t *known = found(space, address);
	if (known) {
		*table = table_of(known);
		return RETURN;
	}
	if (is_bad(address & ~(PAGE_BYTES - 1), 1))
		return RETURN + SPACE_BAD_ADDRESS;
	if (space->count == SPACE_TABLES)
		return RETURN + SPACE_NO_TABLES;
	uint32_t result = pool_take(space->pool, 1, 1, OBJECT_TABLE, table);
	if (result != RETURN)
		return result;
	result = memory_install(space->pool->extent, space->directory, address >> 22, *table);
	if (result != RETURN) {
		pool_give(space->pool, *table, 1);
		return result;
	}
	space->tables[space->count++] = SPACE_FOUND(*table, address);
	return RETURN;
}

/* How many of `count` pages lie in the same table as the first. */
static uint32_t in_table(uint32_t address, uint32_t count)
{
	uint32_t left = TABLE_PAGES - page_of(address);
	return count < left ? count : left;
}

uint32_t space_unmap(struct space *space, uint32_t address, uint32_t count)
{
	uint32_t result = is_bad(address, count) ? RETURN + SPACE_BAD_ADDRESS : RETURN;
	while (count && result == RETURN) {
		uint32_t part = in_table(address, count);
		const uint32_t *known = found(space, address);
		if (known)
			result = memory_unmap(space->pool->extent, table_of(known),
					      page_of(address), part);
		address += part * PAGE_BYTES;
		count -= part;
	}
	return result;
}

uint32_t space_map(struct space *space, uint32_t address, uint32_t frame, uint32_t count,
		   uint32_t flags)
{
	uint32_t result = is_bad(address, count) ? RETURN + SPACE_BAD_ADDRESS : RETURN, mapped = 0;
	while (mapped < count && result == RETURN) {
		uint32_t at = address + mapped * PAGE_BYTES, table, done = 0;
		result = space_table(space, at, &table);
		if (result == RETURN)
			result = memory_map(space->pool->extent, table, page_of(at), flags,
					    frame + mapped, in_table(at, count - mapped), &done);
		mapped += done;
	}
	if (result != RETURN && mapped)
		space_unmap(space, address, mapped);
	return result;
}

uint32_t space_map_device(struct space *space, uint32_t address, uint32_t device, uint32_t count)
{
	const uint32_t flags = MEMORY_ENTRY_WRITE | MEMORY_ENTRY_UNCACHED;
	uint32_t table;
	if (is_bad(address, count) || !count || in_table(address, count) != count)
		return RETURN + SPACE_BAD_ADDRESS;
	uint32_t result = space_table(space, address, &table);
	if (result != RETURN)
		return result;
	return memory_map_lent(space->pool->extent, slot(device), table, page_of(address), flags, 0,
			       count, NULL);
}

uint32_t space_page(struct space *space, uint32_t address, uint32_t flags, uint32_t *frame)
{
	uint32_t table, result = space_table(space, address, &table);
	if (result == RETURN)
		result = pool_take(space->pool, 1, 1, OBJECT_NONE, frame);
	if (result != RETURN)
		return result;
	result = space_map(space, address, *frame, 1, flags);
	if (result != RETURN)
		pool_give(space->pool, *frame, 1);
	return result;
}

uint32_t space_drop_table(struct space *space, uint32_t address)
{
	uint32_t *known = found(space, address);
	if (!known)
		return RETURN;
	uint32_t result = memory_remove(space->pool->extent, space->directory, address >> 22);
	if (result == RETURN)
		result = pool_give(space->pool, table_of(known), 1);
	if (result == RETURN)
		*known = space->tables[--space->count];
	return result;
}

/* ---- heaps ----------------------------------------------------------------------------------- */
void heap_begin(struct heap *heap, struct space *space, uint32_t base, uint32_t *frames,
		uint32_t pages_max)
{
	*heap = (struct heap){space, base, 0, pages_max, frames};
}

/* Some more pages, at most `count`: in as few calls as there are frames in a row. */
static uint32_t heap_grow(struct heap *heap, uint32_t count)
{
	uint32_t address = heap->base + heap->pages * PAGE_BYTES, frame, table;
	uint32_t result = space_table(heap->space, address, &table); /* before its frames go */
	if (result != RETURN)
		return result;
	if (count > RUN)
		count = RUN;
	count = in_table(address, count);
	do
		result = pool_take(heap->space->pool, count, 1, OBJECT_NONE, &frame);
	while (result == RETURN + SPACE_NO_FRAMES && (count /= 2));
	if (result != RETURN)
		return result;
	result = space_map(heap->space, address, frame, count, MEMORY_ENTRY_WRITE);
	if (result != RETURN) {
		pool_give(heap->space->pool, frame, count);
		return result;
	}
	while (count--)
		heap->frames[heap->pages++] = frame++;
	return RETURN;
}

/* The last page goes. */
static uint32_t heap_shrink(struct heap *heap)
{
	uint32_t last = heap->pages - 1;
	uint32_t result = space_unmap(heap->space, heap->base + last * PAGE_BYTES, 1);
	if (result == RETURN)
		result = pool_give(heap->space->pool, heap->frames[last], 1);
	if (result == RETURN)
		heap->pages = last;
	return result;
}

uint32_t heap_resize(struct heap *heap, uint32_t pages)
{
	uint32_t result = RETURN;
	if (pages > heap->pages_max)
		return RETURN + SPACE_BAD_ADDRESS;
	while (heap->pages < pages && result == RETURN)
		result = heap_grow(heap, pages - heap->pages);
	while (heap->pages > pages && result == RETURN)
		result = heap_shrink(heap);
	return result;
}
