/* SPDX-License-Identifier: MIT */
/* Pools of frames. What is free is CLEAN as a rule; what is not is made so when it is taken. */
#include "memory_space.h"

#define AT_ONCE 1024u /* frames in one call */

_Bool pool_is_taken(const struct pool *pool, uint32_t frame)
{
	uint32_t bit = frame - pool->first;
	return pool->taken[bit / 32] >> bit % 32 & 1;
}

static void mark(struct pool *pool, uint32_t first, uint32_t count, _Bool taken)
{
	for (uint32_t bit = first - pool->first; count--; bit++)
		if (taken)
			pool->taken[bit / 32] |= 1u << bit % 32;
		else
			pool->taken[bit / 32] &= ~(1u << bit % 32);
	if (!taken && first < pool->lowest)
		pool->lowest = first;
}

void pool_begin(struct pool *pool, slot_t extent, uint32_t first, uint32_t frames, uint32_t *taken)
{
	*pool = (struct pool){extent, first, first + frames, taken, first};
	memset(taken, 0, POOL_WORDS(frames) * 4);
}

uint32_t pool_free(const struct pool *pool)
{
	uint32_t count = 0;
	for (uint32_t frame = pool->lowest; frame < pool->end; frame++)
		count += !pool_is_taken(pool, frame);
	return count;
}

uint32_t pool_reserve(struct pool *pool, uint32_t count, uint32_t align, uint32_t *first)
{
	while (pool->lowest < pool->end && pool_is_taken(pool, pool->lowest))
		pool->lowest++;
	uint32_t begin = pool->lowest, frame = begin;
	while (frame < pool->end && frame - begin < count) {
		if (begin % align || pool_is_taken(pool, frame))
			begin = frame + 1;
		frame++;
	}
	if (frame - begin < count || !count)
		return RETURN + SPACE_NO_FRAMES;
	mark(pool, begin, count, 1);
	*first = begin;
	return RETURN;
}

/* What `become` was cut off from goes on with any kind that begins with the same content. */
static uint32_t become_finish(slot_t extent, uint32_t frame)
{
	static const uint8_t kinds[] = {[CONTENT_ZERO] = OBJECT_LOCK_PAGE,
					[CONTENT_DIRECTORY] = OBJECT_DIRECTORY,
					[CONTENT_ONES] = OBJECT_BITMAP_PAGE};
	uint32_t result = RETURN + MEMORY_WRONG_TYPE;
	for (uint32_t i = 0; i < sizeof(kinds) && result == RETURN + MEMORY_WRONG_TYPE; i++)
		result = memory_become(extent, frame, 1, kinds[i]);
	return result;
}

/* Whatever it is, it becomes CLEAN. */
static uint32_t frame_clean(slot_t extent, uint32_t frame)
{
	uint32_t result = memory_clean(extent, frame, 1);
	if (result != RETURN + MEMORY_WRONG_TYPE)
		return result;
	result = memory_drop(extent, frame);
	if (result == RETURN + MEMORY_WRONG_TYPE) {
		result = become_finish(extent, frame);
		if (result == RETURN)
			result = memory_drop(extent, frame);
	}
	return result == RETURN ? memory_clean(extent, frame, 1) : result;
}

/* The order of dropping is: objects, directories, tables, data. So there are rounds, as long as
 * they get on. */
static uint32_t frames_clean(slot_t extent, uint32_t first, uint32_t count)
{
	uint32_t result, left = count + 1, before;
	do {
		before = left;
		left = 0;
		result = RETURN;
		for (uint32_t i = 0; i < count; i++) {
			uint32_t one = frame_clean(extent, first + i);
			if (one != RETURN) {
				result = one;
				left++;
			}
		}
	} while (left && left < before);
	return result;
}

uint32_t pool_give(struct pool *pool, uint32_t first, uint32_t count)
{
	uint32_t result = frames_clean(pool->extent, first, count);
	if (result == RETURN)
		mark(pool, first, count, 0);
	return result;
}

static uint32_t frames_become(slot_t extent, uint32_t first, uint32_t count, uint32_t kind)
{
	uint32_t result = RETURN, step = kind == OBJECT_NONE ? AT_ONCE : 1;
	for (uint32_t i = 0; i < count && result == RETURN; i += step)
		result =
			memory_become(extent, first + i, step < count - i ? step : count - i, kind);
	return result;
}

uint32_t pool_take(struct pool *pool, uint32_t count, uint32_t align, uint32_t kind,
		   uint32_t *first)
{
	uint32_t result = pool_reserve(pool, count, align, first);
	if (result != RETURN)
		return result;
	if (kind != POOL_CLEAN)
		result = frames_become(pool->extent, *first, count, kind);
	if (kind == POOL_CLEAN || result == RETURN + MEMORY_WRONG_TYPE) {
		result = frames_clean(pool->extent, *first, count);
		if (result == RETURN && kind != POOL_CLEAN)
			result = frames_become(pool->extent, *first, count, kind);
	}
	if (result != RETURN)
		mark(pool, *first, count, 0); /* taken again, they are cleaned again */
	return result;
}
