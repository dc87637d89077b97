/* SPDX-License-Identifier: MIT */
/* The range that pager.asm serves. */
#include "memory_space.h"

#define TABLE_BYTES 0x400000u

_Static_assert(memory_map_pages_op == 0 && MEMORY_OCCUPIED == 6, "pager.asm");

extern uint32_t pager_base, pager_bytes, pager_range, pager_table, pager_next, pager_end_frame,
	pager_door, pager_first;
extern uint32_t *pager_spares;
uint32_t pager_spare_take(void);
static struct space *pager_space;
static uint32_t pager_frames, pager_tables; /* pager_tables: 0: no range */

uint32_t pager_left(void)
{
	uint32_t left =
		pager_next < pager_end_frame ? (pager_end_frame - pager_next) / PAGE_BYTES : 0;
	for (uint32_t i = 0; i < pager_frames; i++)
		left += pager_spares[i / 32] >> i % 32 & 1;
	return left;
}

/* When there is no next frame: one that a thread took and could not use. As pager_next; 0: none. */
uint32_t pager_spare_take(void)
{
	for (uint32_t i = 0; i < POOL_WORDS(pager_frames); i++)
		for (uint32_t word; (word = pager_spares[i]);) {
			uint32_t bit = word & -word;
			if (__atomic_fetch_and(&pager_spares[i], ~bit, __ATOMIC_RELAXED) & bit)
				return pager_first +
				       (i * 32 + (uint32_t)__builtin_ctz(bit)) * PAGE_BYTES;
		}
	return 0;
}

static _Bool is_range(const struct space *space, uint32_t base, uint32_t bytes)
{
	for (uint32_t i = 0; i < space->count; i++)
		if ((space->tables[i] & 1023) - base / TABLE_BYTES < bytes / TABLE_BYTES)
			return 0;
	return bytes && !(base % TABLE_BYTES) && !(bytes % TABLE_BYTES) && base >= IMAGE_BASE &&
	       base < WINDOW_TABLE && bytes <= WINDOW_TABLE - base;
}

static uint32_t tables_drop(struct space *space, uint32_t base, uint32_t count)
{
	uint32_t result = RETURN;
	for (uint32_t i = 0; i < count && result == RETURN; i++)
		result = space_drop_table(space, base + i * TABLE_BYTES);
	return result;
}

/* In a row: so the handler computes which. */
static uint32_t tables_make(struct space *space, uint32_t base, uint32_t count, uint32_t *first)
{
	uint32_t done = 0;
	if (count > SPACE_TABLES - space->count)
		return RETURN + SPACE_NO_TABLES;
	uint32_t result = pool_take(space->pool, count, 1, OBJECT_TABLE, first);
	if (result != RETURN)
		return result;
	for (; done < count && result == RETURN; done += result == RETURN) {
		uint32_t address = base + done * TABLE_BYTES, table = *first + done;
		result =
			memory_install(space->pool->extent, space->directory, address >> 22, table);
		if (result == RETURN)
			space->tables[space->count++] = SPACE_FOUND(table, address);
	}
	if (result != RETURN) {
		tables_drop(space, base, done);
		pool_give(space->pool, *first + done, count - done);
	}
	return result;
}

uint32_t pager_begin(struct space *space, uint32_t base, uint32_t bytes, uint32_t frames,
		     uint32_t *spares)
{
	uint32_t tables = bytes / TABLE_BYTES, first, table;
	if (pager_tables || !is_range(space, base, bytes))
		return RETURN + SPACE_BAD_ADDRESS;
	uint32_t result = tables_make(space, base, tables, &table);
	if (result != RETURN)
		return result;
	result = pool_take(space->pool, frames, 1, OBJECT_NONE, &first);
	if (result != RETURN) {
		tables_drop(space, base, tables);
		return result;
	}
	pager_space = space;
	pager_tables = tables;
	pager_first = first << 12;
	pager_spares = spares;
	memset(spares, 0, POOL_WORDS(frames) * 4);
	pager_frames = frames;
	pager_base = base;
	pager_table = table << 12 | MEMORY_ENTRY_WRITE;
	pager_next = first << 12;
	pager_end_frame = (first + frames) << 12;
	pager_door = space->pool->extent.encoded & ~OPTION_NESTED;
	pager_range = pager_bytes = bytes;
	return RETURN;
}

uint32_t pager_end(void)
{
	uint32_t result = RETURN;
	pager_range = pager_bytes = 0;
	if (pager_tables)
		result = tables_drop(pager_space, pager_base, pager_tables);
	if (result == RETURN && pager_frames)
		result = pool_give(pager_space->pool, pager_first >> 12, pager_frames);
	if (result == RETURN)
		pager_tables = pager_frames = 0;
	return result;
}
