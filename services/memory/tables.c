/* SPDX-License-Identifier: MIT */
/*
 * Page tables and directories. An entry and the count of what it leads to change in one section, in
 * which both were checked (R2): a count is never below the number of entries, nor above.
 */
#include "frames.h"

#include "authority.h"

#define ENTRY_USER       5u /* present, user */
#define ENTRY_WRITE      MEMORY_ENTRY_WRITE
#define ENTRY_UNCACHED   0x18u
#define ENTRY_COUNTED    MEMORY_ENTRY_COUNTED /* a bit that is free for software */
#define ENTRY_FLAGS      0xFFFu
#define INDEX_LAST       0xFFCu /* of words a and b: index and count - 1, times 4 */
#define PAGES_OF_SECTION (SECTION_PAIRS / 2)
#define SCANNED_AT_ONCE  64u

/* With the extent of the frames: the invoked one or another. */
struct other_request {
	struct request request;
	uint32_t badge, generation;
};

/* ---- mapping --------------------------------------------------------------------------------- */
static inline uint32_t page_refusal(const struct memory_frame *frame, uint32_t badge,
				    uint32_t generation, uint32_t old, uint32_t value)
{
	if (!frame_is(frame, MEMORY_DATA, badge, generation))
		return refusal(frame, badge, generation);
	return (old ^ value) & ~ENTRY_FLAGS ? MEMORY_OCCUPIED : 0;
}

/* Up to four pages: each one an entry and the count of its frame. */
static inline __attribute__((always_inline)) void map_pages(struct request *request,
							    uint32_t frames_badge,
							    uint32_t frames_generation)
{
	uint32_t a = request->a, b = request->b, badge = request->badge, left = b & INDEX_LAST;
	uint32_t *entry = extent_word(badge, a),
		 value = EXTENT_START(frames_badge) + (b & ~ENTRY_FLAGS);
	uint32_t needed = (a & MEMORY_ENTRY_WRITE) | MEMORY_READ;
	const struct memory_frame *table = frame_at(EXTENT_START(badge) + a);
	struct memory_frame *frame = frame_at(value);
	value += (a & MEMORY_ENTRY_WRITE) + (ENTRY_USER | ENTRY_COUNTED);
	if (!(badge & MEMORY_MANAGE) || (frames_badge & needed) != needed)
		DECLINE(MEMORY_NOT_ALLOWED);
	if (!extent_has(badge, a) || !extent_has(frames_badge, b))
		DECLINE(MEMORY_OUTSIDE);
	if (left &&
	    (!extent_has(frames_badge, b + (left << 10)) || (a & INDEX_LAST) + left > INDEX_LAST))
		DECLINE(MEMORY_OUTSIDE);
	if (!frame_is(table, MEMORY_TABLE, badge, request->generation))
		DECLINE(refusal(table, badge, request->generation));
	if (!left) {
		uint32_t old = *entry, why;
		if (old || !frame_is(frame, MEMORY_DATA, frames_badge, frames_generation)) {
			why = page_refusal(frame, frames_badge, frames_generation, old,
					   old ? value : 0);
			if (why)
				DECLINE(why);
			return section_commit_word(entry, value); /* is counted already */
		}
		section_log(0, entry, value);
		section_log(1, &frame->count, frame->count + 1);
		return section_commit_two(entry, value, &frame->count);
	}
	uint32_t pairs = 0, taken = 0, status = 0;
	do {
		uint32_t old = *entry;
		if (old || !frame_is(frame, MEMORY_DATA, frames_badge, frames_generation)) {
			status = page_refusal(frame, frames_badge, frames_generation, old,
					      old ? value : 0);
			if (status)
				break;
			section_log(pairs++, entry, value);
		} else {
			section_log(pairs, entry, value);
			section_log(pairs + 1, &frame->count, frame->count + 1);
			pairs += 2;
		}
		frame++;
		entry++;
		value += PAGE_BYTES;
		taken++;
	} while (taken <= left / 4 && taken < PAGES_OF_SECTION);
	if (!status && taken <= left / 4)
		status = MORE;
	request->status = status | (status ? TAKEN(taken) : 0);
	return section_commit(pairs);
}

SECTION void map_prepare(void)
{
	struct request *request = request_begin();
	map_pages(request, request->badge, request->generation);
}
SECTION_OPERATION(memory_do_map, map_prepare, 4, 4092)

SECTION void map_other_prepare(void)
{
	struct other_request *other = section_context();
	map_pages(request_begin(), other->badge, other->generation);
}

/* Device frames are not counted: they never change type. One page. */
SECTION void map_device_prepare(void)
{
	struct other_request *other = section_context();
	struct request *request = request_begin();
	uint32_t a = request->a, badge = request->badge, left = request->b & INDEX_LAST;
	uint32_t needed = (a & MEMORY_ENTRY_WRITE) | MEMORY_READ;
	uint32_t *entry = extent_word(badge, a);
	const struct memory_frame *table = frame_at(EXTENT_START(badge) + a);
	uint32_t value = EXTENT_START(other->badge) + (request->b & ~ENTRY_FLAGS) + ENTRY_USER +
			 (a & MEMORY_ENTRY_WRITE) + (a & MEMORY_ENTRY_UNCACHED) * ENTRY_UNCACHED;
	if (!(badge & MEMORY_MANAGE) || (other->badge & needed) != needed)
		DECLINE(MEMORY_NOT_ALLOWED);
	if (!extent_has(badge, a) || !extent_has(other->badge, request->b) ||
	    !extent_has(other->badge, request->b + (left << 10)) ||
	    (a & INDEX_LAST) + left > INDEX_LAST)
		DECLINE(MEMORY_OUTSIDE);
	if (!frame_is(table, MEMORY_TABLE, badge, request->generation))
		DECLINE(refusal(table, badge, request->generation));
	if (device_generation[DEVICE_NUMBER(other->generation)] !=
	    DEVICE_GENERATION(other->generation))
		DECLINE(MEMORY_STALE);
	if (*entry && (*entry ^ value) & ~ENTRY_FLAGS)
		DECLINE(MEMORY_OCCUPIED);
	if (left)
		request->status = MORE | TAKEN(1);
	return section_commit_word(entry, value);
}

/* Frames of the extent that was lent. MEMORY_ANY with DEVICE may hold memory, too: not to be mapped
 * before it is defined. */
OPERATION uint64_t memory_do_map_lent(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	struct other_request other = {{0, badge, a, b, 0, generation}, 0, 0};
	uint64_t lent;
	if (lent_badge(&lent))
		FAIL(SERVICE_BAD_ARGUMENT);
	other.badge = lent;
	other.generation = lent >> 32;
	if (other.badge & MEMORY_DEVICE && other.badge & MEMORY_ANY)
		FAIL(MEMORY_NOT_ALLOWED);
	struct request *request = &other.request;
	do {
		section_run(other.badge & MEMORY_DEVICE ? map_device_prepare : map_other_prepare,
			    &other);
		request->a += (request->status >> 8) * 4;
		request->b += (request->status >> 8) * 4092;
	} while ((request->status & 255) == MORE);
	return ANSWER(request->status & 255, request->status ? request->a : 0);
}

/* ---- unmapping ------------------------------------------------------------------------------- */
/*
 * Empties up to seven entries. Their frames must be in ascending order, for a count that changes
 * twice in one section would change once: log values are absolute.
 */
SECTION void unmap_prepare(void)
{
	struct request *request = request_begin();
	uint32_t a = request->a, b = request->b, badge = request->badge;
	uint32_t *entry = extent_word(badge, a);
	const struct memory_frame *table = frame_at(EXTENT_START(badge) + a);
	if (!(badge & MEMORY_MANAGE))
		DECLINE(MEMORY_NOT_ALLOWED);
	if (!extent_has(badge, a))
		DECLINE(MEMORY_OUTSIDE);
	if (!frame_is(table, MEMORY_TABLE, badge, request->generation))
		DECLINE(refusal(table, badge, request->generation));
	if (!b && *entry & ENTRY_COUNTED) {
		struct memory_frame *frame = frame_at(*entry);
		section_log(0, entry, 0);
		section_log(1, &frame->count, frame->count - 1);
		return section_commit_two(entry, 0, &frame->count);
	}
	if (b > INDEX_LAST / 4 - at_index(a))
		DECLINE(MEMORY_OUTSIDE);
	uint32_t pairs = 0, last = 0, taken = 0, most = b + 1;
	if (most > SCANNED_AT_ONCE)
		most = SCANNED_AT_ONCE;
	for (; taken < most; taken++, entry++) {
		uint32_t old = *entry;
		if (!old)
			continue;
		if (old <= last || pairs > SECTION_PAIRS - 2)
			break;
		last = old | ENTRY_FLAGS;
		section_log(pairs++, entry, 0);
		if (old & ENTRY_COUNTED) {
			section_log(pairs, &frame_at(old)->count, frame_at(old)->count - 1);
			pairs++;
		}
	}
	if (taken <= b)
		request->status = MORE | TAKEN(taken);
	return section_commit(pairs);
}
SECTION_OPERATION(memory_do_unmap, unmap_prepare, 4, -1)

/*
 * The same in anybody's table or directory, for frames or tables of one's own, also while it is
 * being dropped: nobody keeps them by stopping halfway. One entry.
 */
SECTION void sweep_prepare(void)
{
	struct request *request = request_begin();
	uint32_t a = request->a, badge = request->badge;
	uint32_t needed = badge & MEMORY_DEVICE ? MEMORY_ANY : MEMORY_MANAGE;
	if (!(badge & needed))
		DECLINE(MEMORY_NOT_ALLOWED);
	if (at_frame(a) >= frame_count || request->b >= MEMORY_SWEEP_MAX ||
	    request->b > INDEX_LAST / 4 - at_index(a))
		DECLINE(MEMORY_OUTSIDE);
	uint32_t type = MEMORY_TYPE_OF(frame_at(a)->key);
	_Bool directory = type == MEMORY_DIRECTORY || type == MEMORY_DROPPING_DIRECTORY;
	if (!directory && type != MEMORY_TABLE && type != MEMORY_DROPPING_TABLE)
		DECLINE(MEMORY_WRONG_TYPE);
	uint32_t *entry = extent_word(0, a), old = *entry;
	struct memory_frame *frame = frame_at(old);
	_Bool counted = directory ? at_index(a) < LENDABLE_ENTRIES : old & ENTRY_COUNTED;
	if (request->b)
		request->status = MORE | TAKEN(1);
	if (!old || !extent_has(badge, old - EXTENT_START(badge)) ||
	    counted == !!(badge & MEMORY_DEVICE) || (directory && !counted))
		return section_commit(0);
	if (!counted)
		return section_commit_word(entry, 0);
	if (!is_owners(frame, badge, request->generation))
		DECLINE(MEMORY_STALE);
	section_log(0, entry, 0);
	section_log(1, &frame->count, frame->count - 1);
	return section_commit_two(entry, 0, &frame->count);
}
SECTION_OPERATION(memory_do_sweep, sweep_prepare, 4, -1)

/* ---- directories ----------------------------------------------------------------------------- */
static inline uint32_t directory_refusal(const struct request *request)
{
	uint32_t a = request->a, badge = request->badge;
	const struct memory_frame *directory = frame_at(EXTENT_START(badge) + a);
	if (!(badge & MEMORY_MANAGE))
		return MEMORY_NOT_ALLOWED;
	if (at_index(a) < IMAGE_BASE >> 22 || at_index(a) >= LENDABLE_ENTRIES ||
	    !extent_has(badge, a))
		return MEMORY_OUTSIDE;
	return frame_is(directory, MEMORY_DIRECTORY, badge, request->generation)
		       ? 0
		       : refusal(directory, badge, request->generation);
}

SECTION void install_prepare(void)
{
	struct other_request *other = section_context();
	struct request *request = request_begin();
	uint32_t *entry = extent_word(request->badge, request->a);
	uint32_t value = EXTENT_START(other->badge) + (request->b & ~ENTRY_FLAGS);
	struct memory_frame *table = frame_at(value);
	request->status = directory_refusal(request);
	if (request->status)
		return section_commit(0);
	if (!(other->badge & MEMORY_MANAGE))
		DECLINE(MEMORY_NOT_ALLOWED);
	if (!extent_has(other->badge, request->b))
		DECLINE(MEMORY_OUTSIDE);
	if (!frame_is(table, MEMORY_TABLE, other->badge, other->generation))
		DECLINE(refusal(table, other->badge, other->generation));
	if (*entry)
		DECLINE(MEMORY_OCCUPIED);
	value += ENTRY_USER | ENTRY_WRITE;
	section_log(0, entry, value);
	section_log(1, &table->count, table->count + 1);
	return section_commit_two(entry, value, &table->count);
}

OPERATION uint64_t memory_do_install(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	struct other_request other = {{0, badge, a, b, 0, generation}, badge, generation};
	if (b & MEMORY_FROM_LENT) {
		uint64_t lent;
		if (lent_badge(&lent))
			FAIL(SERVICE_BAD_ARGUMENT);
		other.badge = lent;
		other.generation = lent >> 32;
	}
	section_run(install_prepare, &other);
	FAIL(other.request.status);
}

SECTION void remove_prepare(void)
{
	struct request *request = request_begin();
	uint32_t *entry = extent_word(request->badge, request->a);
	request->status = directory_refusal(request);
	if (request->status || !*entry)
		return section_commit(0);
	struct memory_frame *table = frame_at(*entry);
	section_log(0, entry, 0);
	section_log(1, &table->count, table->count - 1);
	return section_commit_two(entry, 0, &table->count);
}
SECTION_OPERATION(memory_do_remove, remove_prepare, 0, 0)
