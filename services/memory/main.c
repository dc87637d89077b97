/* SPDX-License-Identifier: MIT */
/*
 * The memory service: descriptors of all frames that it manages, in the linear map of all memory.
 * tables.c edits page tables, objects.c makes and unmakes kernel objects and cleans; here are
 * extents as capabilities, device memory, batches, and the start. Invariants: docs/memory.md.
 */
#include "frames.h"

#include "../../boot/record.h"
#include "authority.h"

uint32_t frame_count, template_frame;
uint32_t device_generation[MEMORY_DEVICES];

/* ---- extents as capabilities ----------------------------------------------------------------- */
/* The part that `place` (as a badge, but for an offset in place of the first frame) names; 0: none.
 */
static uint32_t part_of(uint32_t badge, uint32_t place)
{
	uint32_t order = place >> 7 & 31, start = EXTENT_START(badge) + EXTENT_START(place);
	if (order < 12 || order > (badge >> 7 & 31) || !extent_has(badge, EXTENT_START(place)) ||
	    start & ((1u << order) - 1))
		return 0;
	return start | (place & 0xFFF);
}

#define PLACE(frame, log2, rights) ((frame) << 12 | (log2) << 7 | (rights))

/* A capability for it, where the client's call designates one. */
static uint32_t extent_make(uint32_t part, uint32_t generation)
{
	return door_make((uint64_t)generation << 32 | part) ? SERVICE_NO_RESULT : 0;
}

SERVED uint32_t memory_do_split_bytes(struct badge badge, uint20_t frame, uint5_t log2,
				      uint7_t rights, place_t to)
{
	uint32_t part = part_of(badge.low, PLACE(frame, log2, rights)), generation = badge.high;
	if (rights & ~badge.low)
		return MEMORY_NOT_ALLOWED;
	if ((badge.low ^ rights) & MEMORY_DEVICE ||
	    (badge.low & MEMORY_DEVICE && badge.low & MEMORY_ANY))
		return MEMORY_NOT_ALLOWED; /* device memory stays so, and is defined first */
	if (!part)
		return MEMORY_OUTSIDE;
	if (badge.low & MEMORY_ANY && !(part & MEMORY_ANY))
		generation = MEMORY_GENERATION_OF(frame_at(part)->key);
	return extent_make(part, generation);
}
SERVE(memory_split_bytes)

/* ---- device memory --------------------------------------------------------------------------- */
/* Interrupt controllers and timers, of processors and chipset ("APIC"): whoever reaches them can
 * have the processor interrupted by any vector, and the kernel's own timer fail. */
#define CONTROLLERS_START 0xFEC00000u
#define CONTROLLERS_END   0xFEF00000u

static uint64_t part_end(uint32_t part)
{
	return EXTENT_START(part) + (1ull << (part >> 7 & 31));
}

/* No byte of it may be memory: the machine's regions, of which there are at most 64, say so. */
static _Bool is_memory(uint32_t part)
{
	const struct boot_record *record = (const struct boot_record *)BOOT_RECORD;
	uint64_t start = EXTENT_START(part), end = part_end(part);
	for (uint32_t i = 0; i < record->region_count; i++) {
		const struct boot_region *region = &record->regions[i];
		if (region->type == 1 && region->start < end &&
		    start < region->start + region->bytes)
			return 1;
	}
	return 0;
}

struct definition {
	uint32_t index, was, becomes, status;
};

SECTION void define_prepare(void)
{
	struct definition *job = section_context();
	job->status = 0;
	if (device_generation[job->index] != job->was) {
		job->status = MEMORY_AGAIN;
		return section_commit(0);
	}
	return section_commit_word(&device_generation[job->index], job->becomes);
}

#define DEVICE_TOP 0x3FFFFEu

SERVED uint32_t memory_do_define_bytes(struct badge badge, uint20_t frame, uint5_t log2,
				       uint7_t rights, uint32_t index, place_t to)
{
	struct definition job = {.index = index};
	uint32_t part = part_of(badge.low, PLACE(frame, log2, rights));
	if ((badge.low & MEMORY_DEVICE_MASTER) != MEMORY_DEVICE_MASTER || rights & ~badge.low)
		return MEMORY_NOT_ALLOWED;
	if (!part || index >= MEMORY_DEVICES)
		return MEMORY_OUTSIDE;
	if (EXTENT_START(part) < CONTROLLERS_END && part_end(part) > CONTROLLERS_START)
		return MEMORY_NOT_ALLOWED;
	if (is_memory(part))
		return MEMORY_WRONG_TYPE;
	job.was = device_generation[index];
	job.becomes = job.was + 1;
	if (job.was & 1)
		return MEMORY_IN_USE;
	if (job.was >= DEVICE_TOP)
		return MEMORY_WORN_OUT;
	section_run(define_prepare, &job);
	if (job.status)
		return job.status;
	return extent_make((part & ~(uint32_t)(MEMORY_ANY | MEMORY_MANAGE)) | MEMORY_DEVICE,
			   index << 22 | job.becomes);
}
SERVE(memory_define_bytes)

SERVED uint32_t memory_do_forget_device(struct badge badge, uint32_t index)
{
	if ((badge.low & MEMORY_DEVICE_MASTER) != MEMORY_DEVICE_MASTER)
		return MEMORY_NOT_ALLOWED;
	if (index >= MEMORY_DEVICES)
		return MEMORY_OUTSIDE;
	struct definition job = {.index = index, .was = device_generation[index]};
	job.becomes = job.was + 1;
	if (job.was & 1)
		section_run(define_prepare, &job);
	return job.status;
}
SERVE(memory_forget_device)

/* ---- looking --------------------------------------------------------------------------------- */
SERVED uint32_t memory_do_read_frame(struct badge badge, uint20_t frame, uint32_t *extent,
				     struct memory_frame *descriptor)
{
	if (badge.low & MEMORY_DEVICE || !extent_has(badge.low, AT(frame, 0)))
		return MEMORY_OUTSIDE;
	struct memory_frame seen = *frame_at(EXTENT_START(badge.low) + AT(frame, 0));
	if (!is_owners(&seen, badge.low, badge.high))
		return MEMORY_STALE;
	*descriptor = seen;
	*extent = badge.low;
	return 0;
}
SERVE(memory_read_frame)

SERVED uint32_t memory_do_next_table(struct badge badge, uint32_t from, uint32_t *found)
{
	if (!(badge.low & MEMORY_MANAGE))
		return MEMORY_NOT_ALLOWED;
	if (from >= frame_count)
		return MEMORY_OUTSIDE;
	for (uint32_t i = from; i < frame_count && i < from + MEMORY_SWEEP_MAX; i++) {
		uint32_t type = MEMORY_TYPE_OF(frames[i].key);
		if (type == MEMORY_TABLE || type == MEMORY_DROPPING_TABLE) {
			*found = i;
			return 0;
		}
	}
	return 0;
}
SERVE(memory_next_table)

SERVED uint32_t memory_do_flush(struct badge badge)
{
	return 0; /* the entry has loaded CR3, and so will the return */
}
SERVE(memory_flush)

SERVE(memory)

#define ENTRY_LARGE 0x80u /* of a directory: a page of 4 MiB (SDM 3, "Paging") */

/* ---- the start ------------------------------------------------------------------------------- */
/* A frame is the service's if the machine says that all of it is memory and nothing else. Modules
 * are DATA, so that whoever gets them can map them. */
static void start_region(const struct boot_region *region, const struct memory_start *start)
{
	uint64_t first = region->start >> 12, end = ((region->start + region->bytes - 1) >> 12) + 1;
	uint32_t key = MEMORY_KEY(MEMORY_RESERVED, 0); /* every frame that it touches */
	if (!region->bytes)
		return;
	if (region->type == 1) { /* whole frames only */
		first = (region->start + PAGE_BYTES - 1) >> 12;
		end = (region->start + region->bytes) >> 12;
		key = MEMORY_KEY(MEMORY_DIRTY, 0);
	}
	if (first < start->first)
		first = start->first;
	for (; first < end && first < start->end; first++)
		frames[first].key = key;
}

static void start_modules(const struct boot_record *record)
{
	for (uint32_t i = 0; i < record->module_count; i++) {
		const struct boot_module *module = &record->modules[i];
		uint32_t at = module->start >> 12;
		uint32_t end = module->bytes ? ((module->start + module->bytes - 1) >> 12) + 1 : 0;
		for (; at < end && at < frame_count; at++)
			frames[at].key = MEMORY_KEY(MEMORY_DATA, 0);
	}
}

/*
 * Who hands the machine over keeps its directory, and page tables can be installed there like in
 * any other. What it has been given by boot stays (those tables are reserved, so nobody takes them
 * for something else), but not the linear map: pages of 4 MiB.
 */
static void start_directory(uint32_t number)
{
	uint32_t *entries = frame_words(number);
	for (uint32_t i = IMAGE_BASE >> 22; i < LENDABLE_ENTRIES; i++)
		if (entries[i] & ENTRY_LARGE)
			entries[i] = 0;
	frames[number].key = MEMORY_KEY(MEMORY_DIRECTORY, 0);
}

int main(void)
{
	const struct boot_record *record = (const struct boot_record *)BOOT_RECORD;
	const struct memory_start start = *(const struct memory_start *)frames;
	uint32_t bytes = start.end * sizeof(struct memory_frame);
	template_frame = start.template_frame;
	words_fill((uint32_t *)frames, 0, bytes / 4);
	for (uint32_t pass = 0; pass < 2; pass++) /* what is no memory wins where regions overlap */
		for (uint32_t i = 0; i < record->region_count; i++)
			if ((record->regions[i].type == 1) == !pass)
				start_region(&record->regions[i], &start);
	frame_count = start.end;
	start_modules(record);
	if (start.directory)
		start_directory(start.directory);
	return 0; /* from now on clients bring the thread */
}
