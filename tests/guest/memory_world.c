/* SPDX-License-Identifier: MIT */
#include "memory_world.h"

struct domain memory;
uint32_t first, all, part, other, result;
static uint32_t row, row_frames, row_end; /* descriptors and what they describe */
static uint32_t own_row, own_row_frames;

static uint32_t low_slot(void)
{
	uint32_t number = slot_take();
	CHECK(number < LIST_SLOTS); /* so that it can be lent and designated */
	return number;
}

static void make(uint32_t end)
{
	memory_begin(&memory, row, end);
	row_end = end;
	first = (row + memory_descriptor_frames(end) + MANAGED - 1) & ~(MANAGED - 1);
	all = low_slot();
	part = low_slot();
	other = low_slot();
	result = low_slot();
	extent_forge(all, MEMORY_BADGE(first, MANAGED_ORDER, MEMORY_RIGHTS_ALL), 0);
}

void memory_row_take(void)
{
	own_row_frames = memory_descriptor_frames(boot_record->low_end_frame) + 2 * MANAGED;
	own_row = frames_take(own_row_frames, 1);
}

void memory_make(void)
{
	row = own_row;
	row_frames = 0;
	make(own_row + own_row_frames);
}

void memory_make_to(uint32_t end)
{
	row_frames = memory_descriptor_frames(end) + 2 * MANAGED;
	row = frames_take(row_frames, 1);
	make(end);
}

void extent_forge(uint32_t to, uint32_t badge, uint32_t generation)
{
	MUST(kernel_door(slot(memory.object.slot), slot(to), (uint64_t)generation << 32 | badge));
}

struct seen look(uint32_t frame)
{
	struct memory_frame descriptor = {0};
	OK(memory_read(slot(all), frame, &descriptor));
	return (struct seen){MEMORY_TYPE_OF(descriptor.key), descriptor.count,
			     MEMORY_GENERATION_OF(descriptor.key)};
}

uint32_t *words_of(uint32_t frame)
{
	return frame_pointer(first + frame);
}

struct memory_frame *descriptor_of(uint32_t frame)
{
	return (struct memory_frame *)frame_pointer(row) + first + frame;
}

uint32_t kernel_kind(uint32_t frame)
{
	uint32_t kind, generation;
	MUST(kernel_inspect(AUTHORITY, first + frame, &kind, &generation));
	return kind;
}

void make_kind(uint32_t frame, uint32_t count, uint32_t kind)
{
	OK(memory_clean(slot(all), frame, count));
	if (kind == OBJECT_NONE)
		OK(memory_become(slot(all), frame, count, kind));
	for (uint32_t i = 0; i < count && kind != OBJECT_NONE; i++)
		OK(memory_become(slot(all), frame + i, 1, kind));
}

/* ---- what always holds -------------------------------------------------------------------------
 */
static uint32_t type_of(uint32_t frame)
{
	return MEMORY_TYPE_OF(descriptor_of(frame)->key);
}

static uint32_t counts[MANAGED];

/* Each word leads to a frame of the right type, which is counted; or to a device. */
static void entries_check(uint32_t frame, uint32_t type)
{
	_Bool table = type == MEMORY_TABLE || type == MEMORY_DROPPING_TABLE;
	uint32_t end = table ? 1024 : LENDABLE_ENTRIES;
	const uint32_t *words = words_of(frame);
	for (uint32_t i = 0; i < end; i++) {
		uint32_t leads = (words[i] >> 12) - first;
		if (!words[i] || (table && !(words[i] & MEMORY_ENTRY_COUNTED)))
			continue;
		CHECK(leads < MANAGED);
		if (leads < MANAGED) {
			CHECK(table ? type_of(leads) == MEMORY_DATA ||
					      type_of(leads) == MEMORY_LOCK_PAGE
				    : type_of(leads) == MEMORY_TABLE);
			counts[leads]++;
		}
	}
}

_Bool words_are(const uint32_t *words, uint32_t value)
{
	uint32_t left = 1024;
	_Bool equal;
	asm volatile("repe scasl"
		     : "+D"(words), "+c"(left), "=@cce"(equal)
		     : "a"(value)
		     : "memory");
	return equal;
}

_Bool words_are_same(const void *a, const void *b, uint32_t bytes)
{
	uint32_t words = bytes / 4;
	_Bool equal;
	asm volatile("repe cmpsl" : "+S"(a), "+D"(b), "+c"(words), "=@cce"(equal) : : "memory");
	return equal;
}

static void frame_check(uint32_t frame, uint32_t type, uint32_t kind)
{
	if (type == MEMORY_DATA || type == MEMORY_TABLE || type == MEMORY_LOCK_PAGE)
		CHECK_EQUAL(descriptor_of(frame)->count, counts[frame]);
	if (type == MEMORY_DIRTY || type == MEMORY_CLEAN || type == MEMORY_DATA ||
	    type == MEMORY_DROPPING_DIRECTORY)
		CHECK_EQUAL(kind, OBJECT_NONE);
	if (type == MEMORY_TABLE)
		CHECK_EQUAL(kind, OBJECT_TABLE);
	if (type == MEMORY_DIRECTORY || type == MEMORY_DROPPING_TABLE)
		CHECK(kind == OBJECT_NONE ||
		      kind == (type == MEMORY_DIRECTORY ? OBJECT_DIRECTORY : OBJECT_TABLE));
	if (type == MEMORY_CLEAN)
		CHECK(words_are(words_of(frame), 0));
}

void memory_check_to(uint32_t end)
{
	/* a section that is committed is finished by the next one, whatever that does */
	SAYS(MEMORY_STALE, memory_revoke(slot(all), 0, 1, 0));
	memset(counts, 0, sizeof(counts));
	for (uint32_t i = 0; i < end; i++)
		if (type_of(i) == MEMORY_TABLE || type_of(i) == MEMORY_DIRECTORY ||
		    type_of(i) == MEMORY_DROPPING_TABLE || type_of(i) == MEMORY_DROPPING_DIRECTORY)
			entries_check(i, type_of(i));
	for (uint32_t i = 0; i < end; i++)
		frame_check(i, type_of(i), kernel_kind(i));
}

void memory_check(void)
{
	memory_check_to(MANAGED);
}

static _Bool recover_one(uint32_t frame)
{
	static const uint32_t finish[] = {OBJECT_LOCK_PAGE, OBJECT_DIRECTORY, OBJECT_BITMAP_PAGE};
	uint32_t type = type_of(frame);
	if (type == MEMORY_CLEAN || type == MEMORY_RESERVED)
		return 0;
	if (type == MEMORY_DATA || type == MEMORY_DIRTY)
		memory_clean(slot(all), frame, 1);
	else if (memory_drop(slot(all), frame) == RETURN + MEMORY_WRONG_TYPE) /* BECOMING */
		OK(memory_become(slot(all), frame, 1, finish[descriptor_of(frame)->count]));
	return type_of(frame) != MEMORY_CLEAN;
}

void memory_recover(uint32_t from, uint32_t to)
{
	_Bool left = 1;
	for (uint32_t pass = 0; pass < 8 && left; pass++) {
		left = 0;
		for (uint32_t i = from; i < to; i++)
			left |= recover_one(i);
	}
	CHECK(!left);
}

void memory_unmake(void)
{
	memory_recover(0, MANAGED); /* whatever a test has done: nothing is lost */
	memory_check();
	slot_give(result);
	slot_give(other);
	slot_give(part);
	slot_give(all);
	memory_end(&memory, row_end);
	for (uint32_t i = row_frames; i > 0; i--)
		frame_give(row + i - 1);
}
