/* SPDX-License-Identifier: MIT */
/*
 * Blocks change hands: what is asked of the memory service. By the extent with ANY only what hurts
 * nobody, however late it comes: a revoke to a generation that is committed already, looking, and a
 * split whose result is looked at before it is used. All else by the block's own capability, which
 * dies with the block's generation, in a slot of this activation.
 */
#include "allocator.h"

/* Calls stand on the same page as the allocator: below it. */
#define EXTENT ((slot_t){SLOT_ENCODE(ALLOCATOR_SLOT_EXTENT) | OPTION_NESTED})
#define BLOCK  ((slot_t){lent_slot(0).encoded | OPTION_NESTED})

static uint32_t extent_first; /* its frame number */

uint32_t allocator_begin(void)
{
	uint32_t badge;
	struct memory_frame frame;
	if (memory_extent(EXTENT, &badge, &frame) != RETURN)
		asm volatile(
			"ud2"); /* whoever started us gave us nothing: there is nobody to tell */
	extent_first = badge >> 12;
	return (badge >> 7 & 31) - 12;
}

static uint32_t refused(struct holding_job *job, uint32_t result)
{
	job->word = result;
	return ALLOCATOR_REFUSED;
}

/* ---- the capability of a block --------------------------------------------------------------- */
/*
 * The memory service's answer comes into a slot of the allocator's list, where others could put
 * another one in the meantime, also somebody who was frozen for a long time. So the copy, which
 * nobody else reaches, is asked what it is. It carries the generation that the block had when it
 * was seen to be the client's, so it is dead if the block is not his any more (R2).
 */
uint32_t holding_mint(struct holding_job *job)
{
	uint32_t order = HOLDING_ORDER(job->seen.state), block, result;
	uint32_t scratch =
		ALLOCATOR_SCRATCH + HOLDING_OWNER(job->seen.state) % ALLOCATOR_CLIENTS_MAX;
	struct memory_frame frame;
	result = memory_split(EXTENT, job->frame, order, ALLOCATOR_RIGHTS, slot(scratch));
	if (result != RETURN)
		return refused(job, result);
	if (kernel_copy(lent_slot(0), slot(scratch)))
		return SERVICE_NO_RESULT;
	if (memory_extent(BLOCK, &block, &frame) != RETURN ||
	    block != MEMORY_BADGE(extent_first + job->frame, order, ALLOCATOR_RIGHTS) ||
	    MEMORY_GENERATION_OF(frame.key) != job->seen.generation)
		return ALLOCATOR_MORE;
	return 0;
}

#define RAISED_AT_ONCE 1024u /* the most that a call can */

/* ---- a new generation ------------------------------------------------------------------------ */
uint32_t holding_raise(struct holding_job *job)
{
	uint32_t at = job->frame, end = at + (1u << HOLDING_ORDER(job->seen.state)), done, result;
	struct memory_frame frame;
	do {
		uint32_t count = end - at < RAISED_AT_ONCE ? end - at : RAISED_AT_ONCE;
		result = memory_revoke_range(EXTENT, at, count, job->seen.generation, &done);
		at += done;
	} while (result == RETURN && at < end);
	if (result == RETURN)
		return 0;
	if (result == RETURN + MEMORY_WORN_OUT)
		return ALLOCATOR_WORN_OUT;
	/* a frame has it already, or more: what was joined had several, or a raise was cut off */
	if (result != RETURN + MEMORY_STALE || memory_read(EXTENT, at, &frame) != RETURN)
		return refused(job, result);
	job->next = job->seen;
	job->next.generation = MEMORY_GENERATION_OF(frame.key) + 1;
	if (job->next.generation <= job->seen.generation) /* a reserved frame */
		return refused(job, result);
	return ALLOCATOR_MORE;
}

/* ---- nothing left in it ---------------------------------------------------------------------- */
/*
 * Passes over the block's frames clean what is data and drop what is something else, until a pass
 * has nothing left to do. What stays because it is mapped or installed somewhere is swept out of
 * all tables, and if that was not enough out of all directories.
 */
enum phase { PASS, TABLES, DIRECTORIES };
#define CURSOR_AT      0x000FFFFFu /* frame of the block, or a frame number of the machine */
#define CURSOR_PART    20          /* of a table: 64 entries */
#define CURSOR_PARTS   16u
#define CURSOR_PHASE   24
#define CURSOR_SWEPT   26          /* enum phase: up to which */
#define CURSOR_LEFT    0x10000000u /* in this pass a frame was not freed, */
#define CURSOR_CHANGED 0x20000000u /* or dropped: then others may be free now */

#define CLEANED_AT_ONCE 16u
#define PASSED_AT_ONCE  16u /* frames that are no directories */
#define STEPS_AT_ONCE   16u
#define BLOCK_ENDED     0x100u /* a status for ourselves: its capability is dead */

/* One frame that is neither data nor dirty nor clean; true: it has become something else. */
static _Bool frame_drop(uint32_t frame)
{
	static const uint8_t finish[] = {OBJECT_LOCK_PAGE, OBJECT_DIRECTORY, OBJECT_BITMAP_PAGE};
	struct memory_frame descriptor;
	uint32_t result = memory_drop(BLOCK, frame);
	if (result != RETURN + MEMORY_WRONG_TYPE)
		return result == RETURN;
	if (memory_read(BLOCK, frame, &descriptor) != RETURN ||
	    MEMORY_TYPE_OF(descriptor.key) != MEMORY_BECOMING || descriptor.count >= sizeof(finish))
		return 0;
	return memory_become(BLOCK, frame, 1, finish[descriptor.count]) == RETURN;
}

static uint32_t pass_end(uint32_t cursor, uint32_t *status)
{
	uint32_t swept = cursor >> CURSOR_SWEPT & 3;
	if (!(cursor & CURSOR_LEFT)) {
		*status = 0;
		return cursor;
	}
	if (cursor & CURSOR_CHANGED)
		return swept << CURSOR_SWEPT;
	if (swept < DIRECTORIES)
		return (swept + 1) << CURSOR_PHASE | swept << CURSOR_SWEPT;
	*status = ALLOCATOR_STUCK;
	return 0;
}

static uint32_t pass_step(struct holding_job *job, uint32_t cursor, uint32_t *status)
{
	uint32_t frames = 1u << HOLDING_ORDER(job->seen.state);
	uint32_t at = cursor & CURSOR_AT, done;
	if (at == frames)
		return pass_end(cursor, status);
	uint32_t count = frames - at < CLEANED_AT_ONCE ? frames - at : CLEANED_AT_ONCE;
	uint32_t result = memory_clean_range(BLOCK, at, count, &done);
	if (result == RETURN)
		return cursor + count;
	if (result == RETURN + MEMORY_IN_USE || result == RETURN + MEMORY_WRONG_TYPE) {
		cursor += done;
		if (result == RETURN + MEMORY_WRONG_TYPE && frame_drop(at + done))
			return cursor | CURSOR_CHANGED;
		return (cursor + 1) | CURSOR_LEFT;
	}
	*status = result == RETURN + MEMORY_STALE ? BLOCK_ENDED : refused(job, result);
	return cursor;
}

/* What maps or installs frames of the block in other frames, from the cursor on. */
static uint32_t sweep_step(uint32_t cursor)
{
	uint32_t phase = cursor >> CURSOR_PHASE & 3, part = cursor >> CURSOR_PART & 15;
	uint32_t swept = phase << CURSOR_SWEPT, at = cursor & CURSOR_AT, result = RETURN;
	cursor &= ~(CURSOR_AT | 15u << CURSOR_PART);
	if (phase == TABLES && !part) {
		uint32_t found, from = at;
		result = memory_next_table(BLOCK, from, &found);
		if (result != RETURN)
			return swept; /* the machine's end: a pass */
		if (!found)
			return cursor | (at + MEMORY_SWEEP_MAX);
		at = found;
	}
	for (uint32_t i = 0; i < PASSED_AT_ONCE; i++, at++, part = 0) {
		result = memory_sweep(BLOCK, at, part * MEMORY_SWEEP_MAX, MEMORY_SWEEP_MAX);
		if (result != RETURN + MEMORY_WRONG_TYPE)
			break;
	}
	if (result == RETURN + MEMORY_OUTSIDE)
		return swept;
	if (result == RETURN && part < CURSOR_PARTS - 1)
		return cursor | at | (part + 1) << CURSOR_PART;
	return cursor | (result == RETURN ? at + 1 : at);
}

uint32_t holding_tidy(struct holding_job *job)
{
	uint32_t cursor = job->seen.cursor, status = ALLOCATOR_MORE;
	for (uint32_t i = 0; i < STEPS_AT_ONCE && status == ALLOCATOR_MORE; i++)
		cursor = cursor >> CURSOR_PHASE & 3 ? sweep_step(cursor)
						    : pass_step(job, cursor, &status);
	job->next.cursor = cursor;
	return status == BLOCK_ENDED ? ALLOCATOR_MORE : status;
}
