/* SPDX-License-Identifier: MIT */
/* Frames, slots and objects of the root program. */
#include "maker.h"

#define GIVEN_MAX 8192u

const struct boot_record *const boot_record = (const struct boot_record *)BOOT_RECORD;
const struct maker *root_maker;
static uint32_t next_frame, given[GIVEN_MAX], given_count;
static uint32_t next_slot = ROOT_FREE, slots_given[SLOTS_MAX], slots_given_count;

void *frame_pointer(uint32_t frame)
{
	return (void *)(LINEAR_BASE + (frame << 12));
}

static _Bool frame_is_memory(uint32_t frame)
{
	uint64_t address = (uint64_t)frame << 12;
	_Bool is_memory = 0;
	for (uint32_t i = 0; i < boot_record->region_count; i++) {
		const struct boot_region *region = &boot_record->regions[i];
		uint64_t end = region->start + region->bytes;
		if (region->type != 1 && address + PAGE_BYTES > region->start && address < end)
			return 0; /* an overlap */
		is_memory |= region->type == 1 && address >= region->start &&
			     address + PAGE_BYTES <= end;
	}
	return is_memory;
}

_Bool module_has(uint32_t frame)
{
	for (uint32_t i = 0; i < boot_record->module_count; i++) {
		const struct boot_module *module = &boot_record->modules[i];
		if (module->bytes && frame >= module->start >> 12 &&
		    frame <= (module->start + module->bytes - 1) >> 12)
			return 1;
	}
	return 0;
}

/* One that was never taken. */
static uint32_t frame_next(void)
{
	uint32_t frame;
	if (next_frame < boot_record->first_free_frame)
		next_frame = boot_record->first_free_frame;
	do {
		frame = next_frame++;
		if (frame >= boot_record->low_end_frame)
			root_fail("no frame is left", 0);
	} while (!frame_is_memory(frame) || module_has(frame));
	return frame;
}

uint32_t frames_take(uint32_t count, uint32_t align)
{
	uint32_t first = frame_next(), last = first;
	while (first % align || last != first + count - 1) {
		uint32_t next = frame_next();
		if (first % align || next != last + 1) { /* begin anew; what lies before is left */
			while (last + 1 > first)
				frame_give(last--);
			first = next;
		}
		last = next;
	}
	return first;
}

uint32_t frame_take(void)
{
	if (root_maker)
		root_fail("frames are the memory service's", 0);
	uint32_t frame = given_count ? given[--given_count] : frame_next();
	memset(frame_pointer(frame), 0, PAGE_BYTES);
	return frame;
}

void frame_give(uint32_t frame)
{
	if (given_count < GIVEN_MAX)
		given[given_count++] = frame;
}

uint32_t frames_free(void)
{
	if (root_maker)
		return root_maker->frames_free();
	uint32_t next = next_frame < boot_record->first_free_frame ? boot_record->first_free_frame
								   : next_frame;
	return boot_record->low_end_frame - next + given_count;
}

uint32_t slot_take(void)
{
	if (slots_given_count)
		return slots_given[--slots_given_count];
	if (next_slot == SLOTS_MAX)
		root_fail("no slot is left", 0);
	return next_slot++;
}

void slot_give(uint32_t number)
{
	MUST(kernel_delete(slot(number)));
	slots_given[slots_given_count++] = number;
}

uint32_t slots_free(void)
{
	return SLOTS_MAX - next_slot + slots_given_count;
}

uint32_t object_generation(uint32_t frame)
{
	uint32_t kind, generation;
	MUST(kernel_inspect(AUTHORITY, frame, &kind, &generation));
	return generation;
}

uint32_t object_generations(uint32_t kind, uint32_t second, uint32_t frame, uint32_t parameter)
{
	uint32_t sum = object_generation(frame);
	if (kind == OBJECT_THREAD || kind == OBJECT_DOMAIN || kind == OBJECT_BITMAP)
		sum += object_generation(parameter);
	if (kind == OBJECT_THREAD)
		sum += object_generation(second);
	if (kind == OBJECT_BITMAP)
		sum += object_generation(parameter + 1);
	return sum;
}

void object_fetch(uint32_t frame, uint32_t slot_number)
{
	MUST(kernel_fetch(AUTHORITY, frame, slot(slot_number), object_generation(frame)));
}

struct object object_make(uint32_t kind, uint32_t second, uint32_t parameter)
{
	struct object object = {frame_take(), 0};
	MUST(kernel_create(AUTHORITY, kind, second, object.frame,
			   object_generations(kind, second, object.frame, parameter), parameter));
	if (kind == OBJECT_DIRECTORY || kind == OBJECT_BITMAP_PAGE)
		return object;
	object.slot = slot_take();
	object_fetch(object.frame, object.slot);
	return object;
}

void object_end(struct object object)
{
	uint32_t kind, generation;
	MUST(kernel_inspect(AUTHORITY, object.frame, &kind, &generation));
	if (kind != OBJECT_NONE) /* else it was destroyed before */
		MUST(kernel_destroy(AUTHORITY, object.frame, generation));
	if (object.slot)
		slot_give(object.slot);
	frame_give(object.frame);
}
