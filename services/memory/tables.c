/* SPDX-License-Identifier: MIT */
/*
 * Page tables and directories. An entry and the count of what it leads to change in one section, in
 * which both were checked (R2): a count is never below the number of entries, nor above.
 */
#include "frames.h"

#define ENTRY_USER     5u /* present, user */
#define ENTRY_WRITE    2u
#define ENTRY_UNCACHED 0x18u
#define ENTRY_FLAGS    0xFFFu

struct entries {
	struct extent table_extent, frame_extent;
	struct memory_frame *table, *frame; /* frame: of the first of the rest */
	uint32_t *entry;                    /* likewise */
	uint32_t value;                     /* what it becomes */
	uint32_t left, taken;               /* entries; taken by the last section */
	uint32_t status;
};
#define PAGES_OF_SECTION   (SECTION_PAIRS / 2)
#define SCANNED_BY_SECTION 64u

static inline _Bool table_is(const struct entries *job, uint32_t type)
{
	return frame_is(job->table, &job->table_extent) &&
	       MEMORY_TYPE_OF(job->table->state) == type;
}

/* Which of both reasons, when table_is failed. */
static inline uint32_t table_status(const struct entries *job)
{
	return frame_is(job->table, &job->table_extent) ? MEMORY_WRONG_TYPE : MEMORY_STALE;
}

/* Up to four pages: each one an entry and the count of its frame. */
SECTION void map_prepare(void)
{
	struct entries *job = section_context();
	struct memory_frame *frame = job->frame;
	uint32_t *entry = job->entry, value = job->value, pairs = 0, taken = 0;
	uint32_t most = job->left < PAGES_OF_SECTION ? job->left : PAGES_OF_SECTION;
	if (!table_is(job, MEMORY_TABLE)) {
		job->status = table_status(job);
		most = 0;
	}
	for (; taken < most; taken++, frame++, entry++, value += PAGE_BYTES) {
		uint32_t state = frame->state, old = *entry;
		if (MEMORY_TYPE_OF(state) != MEMORY_DATA || !frame_is(frame, &job->frame_extent)) {
			job->status = frame_is(frame, &job->frame_extent) ? MEMORY_WRONG_TYPE
									  : MEMORY_STALE;
			break;
		}
		section_log(pairs++, entry, value);
		if (old) {
			if ((old ^ value) & ~ENTRY_FLAGS) {
				job->status = MEMORY_OCCUPIED;
				pairs--;
				break;
			}
			continue;
		}
		if (MEMORY_COUNT_OF(state) == MEMORY_COUNT_MAX) {
			job->status = MEMORY_FULL;
			pairs--;
			break;
		}
		section_log(pairs++, &frame->state, state + 1);
	}
	job->taken = taken;
	return section_commit(pairs);
}

/* Device frames are not counted: they never change type. */
SECTION void map_device_prepare(void)
{
	struct entries *job = section_context();
	uint32_t index = job->frame_extent.generation >> DEVICE_GENERATION_BITS;
	uint32_t generation = job->frame_extent.generation & ((1u << DEVICE_GENERATION_BITS) - 1);
	job->taken = 0;
	if (!table_is(job, MEMORY_TABLE)) {
		job->status = table_status(job);
		return section_commit(0);
	}
	if (device_generation[index] != generation) {
		job->status = MEMORY_STALE;
		return section_commit(0);
	}
	if (*job->entry && (*job->entry ^ job->value) & ~ENTRY_FLAGS) {
		job->status = MEMORY_OCCUPIED;
		return section_commit(0);
	}
	job->taken = 1;
	return section_commit_word(job->entry, job->value);
}

/*
 * Empties entries. In one section frames must be in ascending order, for a count that changes twice
 * would change once: log values are absolute. A sweep
 * (frame_extent is set) takes entries of its own frames only, in anybody's table.
 */
SECTION void unmap_prepare(void)
{
	struct entries *job = section_context();
	uint32_t *entry = job->entry, pairs = 0, taken = 0, last = 0;
	job->taken = 0;
	if (!table_is(job, MEMORY_TABLE)) {
		job->status = table_status(job);
		return section_commit(0);
	}
	uint32_t most = job->left < SCANNED_BY_SECTION ? job->left : SCANNED_BY_SECTION;
	for (; taken < most; taken++, entry++) {
		uint32_t number = *entry >> 12;
		if (!*entry)
			continue;
		_Bool counted =
			number < frame_count && MEMORY_TYPE_OF(frames[number].state) == MEMORY_DATA;
		if (job->frame_extent.frames) {
			if (number - job->frame_extent.first >= job->frame_extent.frames ||
			    counted == !!(job->frame_extent.rights & MEMORY_DEVICE))
				continue;
			if (counted && !frame_is(&frames[number], &job->frame_extent)) {
				job->status = MEMORY_STALE;
				break;
			}
		}
		if (pairs > SECTION_PAIRS - 2 || (pairs && number <= last))
			break;
		last = number;
		section_log(pairs++, entry, 0);
		if (counted)
			section_log(pairs++, &frames[number].state, frames[number].state - 1);
	}
	job->taken = taken;
	return section_commit(pairs);
}

static void run(section_prepare *prepare, struct entries *job)
{
	while (job->left && !job->status) {
		section_run(prepare, job);
		job->left -= job->taken;
		job->entry += job->taken;
		job->frame += job->taken;
		job->value += job->taken * PAGE_BYTES;
	}
}

/* The table that word a names, and the first of `count` entries of it. */
static inline uint32_t table_find(struct entries *job, uint32_t a, uint32_t count)
{
	uint32_t number = at_frame(a);
	if (!(job->table_extent.rights & MEMORY_MANAGE))
		return MEMORY_NOT_ALLOWED;
	if (!extent_has(&job->table_extent, number, 1) || at_index(a) + count > 1024)
		return MEMORY_OUTSIDE;
	number += job->table_extent.first;
	job->table = &frames[number];
	job->entry = frame_words(number) + at_index(a);
	job->left = count;
	return 0;
}

OPERATION uint64_t memory_do_map(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	struct entries job = {.table_extent = extent_of(badge, generation)};
	uint32_t count = at_index(b) + 1, offset = at_frame(b);
	job.status = table_find(&job, a, count);
	if (!job.status)
		job.status = other_extent(&job.frame_extent, &job.table_extent, b);
	if (job.status)
		FAIL(job.status);
	uint32_t rights = job.frame_extent.rights;
	if (!(rights & MEMORY_READ) || (a & MEMORY_ENTRY_WRITE && !(rights & MEMORY_WRITE)))
		FAIL(MEMORY_NOT_ALLOWED);
	job.value = (job.frame_extent.first + offset) << 12 | ENTRY_USER |
		    (a & MEMORY_ENTRY_WRITE ? ENTRY_WRITE : 0) |
		    (a & MEMORY_ENTRY_UNCACHED ? ENTRY_UNCACHED : 0);
	job.frame = frames;
	if (rights & MEMORY_DEVICE) {
		if (rights & MEMORY_ANY) /* may hold memory, too: only parts that are defined */
			FAIL(MEMORY_NOT_ALLOWED);
		if (offset >= job.frame_extent.frames || count > job.frame_extent.frames - offset)
			FAIL(MEMORY_OUTSIDE);
		run(map_device_prepare, &job);
	} else {
		if (!extent_has(&job.frame_extent, offset, count))
			FAIL(MEMORY_OUTSIDE);
		job.frame = &frames[job.frame_extent.first + offset];
		run(map_prepare, &job);
	}
	return ANSWER(job.status, count - job.left);
}

OPERATION uint64_t memory_do_unmap(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	struct entries job = {.table_extent = extent_of(badge, generation), .frame = frames};
	if (b > 1023)
		FAIL(MEMORY_OUTSIDE);
	job.status = table_find(&job, a, b + 1);
	if (!job.status)
		run(unmap_prepare, &job);
	return ANSWER(job.status, 0);
}

OPERATION uint64_t memory_do_sweep(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	struct entries job = {.frame_extent = extent_of(badge, generation), .frame = frames};
	uint32_t table = at_frame(a);
	if (!(job.frame_extent.rights & MEMORY_MANAGE))
		FAIL(MEMORY_NOT_ALLOWED);
	if (table >= frame_count || b >= MEMORY_SWEEP_MAX || at_index(a) + b >= 1024)
		FAIL(MEMORY_OUTSIDE);
	job.table = &frames[table];
	job.entry = frame_words(table) + at_index(a);
	job.left = b + 1;
	run(unmap_prepare, &job);
	return ANSWER(job.status, 0);
}

/* ---- directories ----------------------------------------------------------------------------- */
SECTION void install_prepare(void)
{
	struct entries *job = section_context();
	uint32_t state = job->frame->state;
	if (!table_is(job, MEMORY_DIRECTORY))
		job->status = table_status(job);
	else if (!frame_is(job->frame, &job->frame_extent))
		job->status = MEMORY_STALE;
	else if (MEMORY_TYPE_OF(state) != MEMORY_TABLE)
		job->status = MEMORY_WRONG_TYPE;
	else if (*job->entry)
		job->status = MEMORY_OCCUPIED;
	else if (MEMORY_COUNT_OF(state) == MEMORY_COUNT_MAX)
		job->status = MEMORY_FULL;
	if (job->status)
		return section_commit(0);
	section_log(0, job->entry, job->value);
	section_log(1, &job->frame->state, state + 1);
	return section_commit(2);
}

SECTION void remove_prepare(void)
{
	struct entries *job = section_context();
	if (!table_is(job, MEMORY_DIRECTORY))
		job->status = table_status(job);
	if (job->status || !*job->entry)
		return section_commit(0);
	struct memory_frame *table = &frames[*job->entry >> 12];
	section_log(0, job->entry, 0);
	section_log(1, &table->state, table->state - 1);
	return section_commit(2);
}

static inline uint32_t directory_find(struct entries *job, uint32_t a)
{
	if (at_index(a) < IMAGE_BASE >> 22 || at_index(a) >= LENDABLE_ENTRIES)
		return MEMORY_OUTSIDE;
	return table_find(job, a, 1);
}

OPERATION uint64_t memory_do_install(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	struct entries job = {.table_extent = extent_of(badge, generation)};
	job.status = directory_find(&job, a);
	if (!job.status)
		job.status = other_extent(&job.frame_extent, &job.table_extent, b);
	if (!job.status && !(job.frame_extent.rights & MEMORY_MANAGE))
		job.status = MEMORY_NOT_ALLOWED;
	if (!job.status && (job.frame_extent.rights & MEMORY_DEVICE ||
			    !extent_has(&job.frame_extent, at_frame(b), 1)))
		job.status = MEMORY_OUTSIDE;
	if (job.status)
		FAIL(job.status);
	job.frame = &frames[job.frame_extent.first + at_frame(b)];
	job.value = (job.frame_extent.first + at_frame(b)) << 12 | ENTRY_USER | ENTRY_WRITE;
	section_run(install_prepare, &job);
	return ANSWER(job.status, 0);
}

OPERATION uint64_t memory_do_remove(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	(void)b;
	struct entries job = {.table_extent = extent_of(badge, generation)};
	job.status = directory_find(&job, a);
	if (!job.status)
		section_run(remove_prepare, &job);
	return ANSWER(job.status, 0);
}
