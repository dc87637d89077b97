/* SPDX-License-Identifier: MIT */
/* The memory service: every operation and every error, with root's linear map as the witness. */
#include "memory/memory.h"

#include "test.h"

#define MANAGED 64u
#define ALL     5u /* low slots of root's list: what a call can lend and designate */
#define PART    6u
#define RESULT  7u

static struct domain memory;
static uint32_t row, row_frames, first; /* of the managed frames */

static void memory_make(void)
{
	uint32_t last = frames_take(1, 1); /* so that the row's length is known */
	frame_give(last);
	row_frames = memory_descriptor_frames(boot_record->low_end_frame) + 2 * MANAGED;
	row = frames_take(row_frames, 1);
	uint32_t end = row + row_frames;
	memory_begin(&memory, row, end);
	first = (row + memory_descriptor_frames(end) + MANAGED - 1) & ~(MANAGED - 1);
	MUST(kernel_door(slot(memory.object.slot), slot(ALL),
			 MEMORY_BADGE(first, 6, MEMORY_RIGHTS_ALL)));
}

static void memory_unmake(void)
{
	for (uint32_t i = ALL; i <= RESULT; i++)
		MUST(kernel_delete(slot(i)));
	domain_end(&memory);
	for (uint32_t i = row_frames; i > 0; i--)
		frame_give(row + i - 1);
}

static struct memory_frame look(uint32_t frame)
{
	struct memory_frame descriptor = {0};
	CHECK_EQUAL(memory_read(slot(ALL), frame, &descriptor), RETURN);
	return descriptor;
}

#define OK(call) CHECK_EQUAL(call, RETURN)

TEST(memory_maps_counts_and_unmaps)
{
	memory_make();
	uint32_t done;
	OK(memory_clean(slot(ALL), 0, 8));
	OK(memory_become(slot(ALL), 0, 1, OBJECT_TABLE));
	OK(memory_become(slot(ALL), 1, 7, OBJECT_NONE));
	OK(memory_map(slot(ALL), 0, 5, MEMORY_ENTRY_WRITE, 1, 7, &done));
	CHECK_EQUAL(done, 7);
	const uint32_t *table = frame_pointer(first);
	for (uint32_t i = 0; i < 7; i++) {
		CHECK_EQUAL(table[5 + i], (first + 1 + i) << 12 | 7);
		CHECK_EQUAL(look(1 + i).state, MEMORY_STATE(MEMORY_DATA, 1));
	}
	OK(memory_unmap(slot(ALL), 0, 0, 1024));
	for (uint32_t i = 0; i < 1024; i++)
		if (table[i])
			CHECK_EQUAL(table[i], 0);
	for (uint32_t i = 0; i < 7; i++)
		CHECK_EQUAL(look(1 + i).state, MEMORY_STATE(MEMORY_DATA, 0));
	OK(memory_map(slot(ALL), 0, 0, 0, 1, 3, NULL));
	OK(memory_drop(slot(ALL), 0));
	CHECK_EQUAL(look(0).state, MEMORY_STATE(MEMORY_CLEAN, 0));
	CHECK_EQUAL(look(2).state, MEMORY_STATE(MEMORY_DATA, 0));
	OK(memory_split(slot(ALL), 4, 2, MEMORY_RIGHTS, PART));
	OK(memory_clean(slot(PART), 0, 4));
	OK(memory_revoke(slot(PART), 0, 4, 1, RESULT));
	CHECK_EQUAL(memory_clean(slot(PART), 0, 1), RETURN + MEMORY_STALE);
	OK(memory_clean(slot(RESULT), 0, 4));
	memory_unmake();
}
