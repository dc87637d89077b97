/* SPDX-License-Identifier: MIT */
/*
 * Page tables and directories. An entry and the count of what it leads to change in one section, in
 * which both were checked (R2): a count is never below the number of entries, nor above. One page
 * that is mapped or unmapped in the ordinary way takes the short path of single.asm.
 */
#include "frames.h"

#include "authority.h"

#define ENTRY_USER     5u /* present, user */
#define ENTRY_UNCACHED 0x18u
#define ENTRY_FLAGS    0xFFFu
#define AT_ONCE        (SECTION_PAIRS / 2)
#define SCANNED_MAX    64u

_Static_assert(MEMORY_DATA + 1 == MEMORY_TABLE && MEMORY_TABLE + 1 == MEMORY_DIRECTORY,
	       "what an entry leads to is of the type before");

/* The entries that word a names, `count` of them, in tables of this type. */
static inline uint32_t entries_begin(struct job *job, uint32_t a, uint32_t count)
{
	uint32_t place = EXTENT_START(job->badge) + (a & ~3u);
	job->left = count;
	job->frame = frame_at(place);
	job->entry = (uint32_t *)(uintptr_t)(LINEAR_BASE + place);
	if (!(job->badge & MEMORY_MANAGE))
		return MEMORY_NOT_ALLOWED;
	return extent_has(job->badge, a) && count <= 1024 - at_index(a) ? 0 : MEMORY_OUTSIDE;
}

static inline uint32_t directory_refusal(uint32_t a)
{
	return at_index(a) >= IMAGE_BASE >> 22 && at_index(a) < LENDABLE_ENTRIES ? 0
										 : MEMORY_OUTSIDE;
}

/* ---- entries are filled ---------------------------------------------------------------------- */
/* One entry, and the count of what it leads to. */
SECTION void put_prepare(void)
{
	struct job *job = section_context();
	uint32_t *entry = job->entry, value = job->value;
	struct memory_frame *leaf = job->leaf;
	job->taken = job->status = 0;
	if (!frame_is(job->frame, job->frame_type, job->badge, job->generation))
		DECLINE(refusal(job->frame, job->badge, job->generation));
	uint32_t old = *entry; /* not before: what is reserved may be no memory */
	if (leaf && !frame_is(leaf, job->frame_type - 1, job->leaf_badge, job->leaf_generation) &&
	    (job->frame_type == MEMORY_DIRECTORY ||
	     !frame_is(leaf, MEMORY_LOCK_PAGE, job->leaf_badge, job->leaf_generation)))
		DECLINE(refusal(leaf, job->leaf_badge, job->leaf_generation));
	if (!leaf && device_generation[DEVICE_NUMBER(job->leaf_generation)] !=
			     DEVICE_GENERATION(job->leaf_generation))
		DECLINE(MEMORY_STALE);
	if (old && ((old ^ value) & ~ENTRY_FLAGS || job->frame_type == MEMORY_DIRECTORY))
		DECLINE(MEMORY_OCCUPIED);
	job->taken = 1;
	if (old || !leaf) /* counted already, or not at all: device frames never change type */
		return section_commit_word(entry, value);
	section_log(0, entry, value);
	section_log(1, &leaf->count, leaf->count + 1);
	return section_commit_two(entry, value, &leaf->count);
}

/* Four pages at once, if nothing is out of the ordinary with them. */
SECTION void put_four_prepare(void)
{
	struct job *job = section_context();
	uint32_t *entry = job->entry, key = MEMORY_KEY(MEMORY_DATA, job->leaf_generation);
	struct memory_frame *leaf = job->leaf;
	job->taken = 0;
	if (job->frame->key != MEMORY_KEY(MEMORY_TABLE, job->generation) ||
	    entry[0] | entry[1] | entry[2] | entry[3] || leaf[0].key != key || leaf[1].key != key ||
	    leaf[2].key != key || leaf[3].key != key)
		return section_commit(0);
	key = job->value;
#pragma GCC unroll 4
	for (uint32_t i = 0; i < AT_ONCE; i++) {
		section_log(2 * i, &entry[i], key + i * PAGE_BYTES);
		section_log(2 * i + 1, &leaf[i].count, leaf[i].count + 1);
	}
	job->taken = AT_ONCE;
	return section_commit(SECTION_PAIRS);
}

static inline uint32_t leaf_begin(struct job *job, uint32_t b, uint32_t count, uint32_t needed)
{
	uint32_t place = EXTENT_START(job->leaf_badge) + (b & ~ENTRY_FLAGS);
	job->leaf = job->leaf_badge & MEMORY_DEVICE ? NULL : frame_at(place);
	job->value = place + ENTRY_USER + (job->leaf ? MEMORY_ENTRY_COUNTED : 0);
	if ((job->leaf_badge & needed) != needed)
		return MEMORY_NOT_ALLOWED;
	return extent_has(job->leaf_badge, b) &&
			       extent_has(job->leaf_badge, (b & ~ENTRY_FLAGS) + ((count - 1) << 12))
		       ? 0
		       : MEMORY_OUTSIDE;
}

static inline void go_on(struct job *job)
{
	uint32_t taken = job->taken;
	job->left -= taken;
	job->entry += taken;
	job->value += taken * PAGE_BYTES;
	job->leaf += job->leaf ? taken : 0;
}

static uint64_t map(struct job *job, uint32_t a, uint32_t b)
{
	uint32_t count = at_index(b) + 1, write = a & MEMORY_ENTRY_WRITE;
	job->frame_type = MEMORY_TABLE;
	job->status = entries_begin(job, a, count);
	if (!job->status)
		job->status = leaf_begin(job, b, count, MEMORY_READ | write);
	job->value += write + (job->leaf ? 0 : (a & MEMORY_ENTRY_UNCACHED) * ENTRY_UNCACHED);
	for (; !job->status && job->left; go_on(job)) {
		while (job->leaf && job->left >= AT_ONCE) {
			section_run(put_four_prepare, job);
			if (!job->taken)
				break;
			go_on(job);
		}
		job->taken = 0;
		if (job->left)
			section_run(put_prepare, job);
	}
	return ANSWER(job->status, count - job->left);
}

OPERATION uint64_t memory_do_map(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	struct job job;
	job.badge = job.leaf_badge = badge;
	job.generation = job.leaf_generation = generation;
	return map(&job, a, b);
}

/* The extent that was lent. False: there is none. */
static _Bool leaf_lent(struct job *job)
{
	uint64_t lent;
	if (lent_badge(&lent))
		return 0;
	job->leaf_badge = lent;
	job->leaf_generation = lent >> 32;
	return 1;
}

/* MEMORY_ANY with DEVICE may hold memory, too: not to be mapped before it is defined. */
OPERATION uint64_t memory_do_map_lent(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	struct job job = {.badge = badge, .generation = generation};
	if (!leaf_lent(&job))
		FAIL(SERVICE_BAD_ARGUMENT);
	if (job.leaf_badge & MEMORY_DEVICE && job.leaf_badge & MEMORY_ANY)
		FAIL(MEMORY_NOT_ALLOWED);
	return map(&job, a, b);
}

OPERATION uint64_t memory_do_install(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	struct job job = {.badge = badge,
			  .generation = generation,
			  .frame_type = MEMORY_DIRECTORY,
			  .leaf_badge = badge,
			  .leaf_generation = generation};
	if (b & MEMORY_FROM_LENT && !leaf_lent(&job))
		FAIL(SERVICE_BAD_ARGUMENT);
	job.status = entries_begin(&job, a, 1) ?: directory_refusal(a);
	if (!job.status)
		job.status = leaf_begin(&job, b, 1, MEMORY_MANAGE);
	job.value += MEMORY_ENTRY_WRITE;
	if (!job.status)
		section_run(put_prepare, &job);
	FAIL(job.status);
}

/* ---- entries are emptied --------------------------------------------------------------------- */
/*
 * Up to seven entries. Their frames must be in ascending order, for a count that changes twice in
 * one section would change once: log values are absolute.
 */
SECTION void take_prepare(void)
{
	struct job *job = section_context();
	uint32_t *entry = job->entry;
	uint32_t pairs = 0, last = 0, most = job->left < SCANNED_MAX ? job->left : SCANNED_MAX, i;
	job->taken = job->status = 0;
	if (!frame_is(job->frame, job->frame_type, job->badge, job->generation))
		DECLINE(refusal(job->frame, job->badge, job->generation));
	for (i = 0; i < most && pairs <= SECTION_PAIRS - 2; i++) {
		uint32_t old = entry[i];
		if (!old)
			continue;
		if (old <= last)
			break;
		last = old | ENTRY_FLAGS;
		section_log(pairs++, &entry[i], 0);
		if (old & MEMORY_ENTRY_COUNTED) {
			section_log(pairs, &frame_at(old)->count, frame_at(old)->count - 1);
			pairs++;
		}
	}
	job->taken = i;
	return section_commit(pairs);
}

static uint64_t entries_run(section_prepare *prepare, struct job *job)
{
	uint32_t count = job->left;
	for (; !job->status && job->left; go_on(job))
		section_run(prepare, job);
	return ANSWER(job->status, count - job->left);
}

OPERATION uint64_t memory_do_unmap(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	struct job job = {.badge = badge, .generation = generation, .frame_type = MEMORY_TABLE};
	job.status = b < 1024 ? entries_begin(&job, a, b + 1) : MEMORY_OUTSIDE;
	return entries_run(take_prepare, &job);
}

OPERATION uint64_t memory_do_remove(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	struct job job = {.badge = badge, .generation = generation, .frame_type = MEMORY_DIRECTORY};
	job.status = entries_begin(&job, a, 1) ?: directory_refusal(a);
	return entries_run(take_prepare, &job);
}

/*
 * One entry of anybody's table or directory, for frames or tables of one's own, also while it is
 * being dropped: nobody keeps them by stopping halfway.
 */
SECTION void sweep_prepare(void)
{
	struct job *job = section_context();
	uint32_t *entry = job->entry, type = MEMORY_TYPE_OF(job->frame->key);
	job->taken = job->status = 0;
	if (type != MEMORY_TABLE && type != MEMORY_DROPPING_TABLE && type != MEMORY_DIRECTORY &&
	    type != MEMORY_DROPPING_DIRECTORY)
		DECLINE(MEMORY_WRONG_TYPE);
	uint32_t old = *entry; /* as above */
	struct memory_frame *leaf = frame_at(old);
	_Bool table = type == MEMORY_TABLE || type == MEMORY_DROPPING_TABLE;
	_Bool counted = !!(old & MEMORY_ENTRY_COUNTED);
	job->taken = 1;
	if (!old || !extent_has(job->badge, old - EXTENT_START(job->badge)) ||
	    counted == !!(job->badge & MEMORY_DEVICE) ||
	    (!table && (!counted || at_index((uint32_t)entry) >= LENDABLE_ENTRIES)))
		return section_commit(0);
	if (!counted)
		return section_commit_word(entry, 0);
	if (!is_owners(leaf, job->badge, job->generation)) {
		job->taken = 0;
		DECLINE(MEMORY_STALE);
	}
	section_log(0, entry, 0);
	section_log(1, &leaf->count, leaf->count - 1);
	return section_commit_two(entry, 0, &leaf->count);
}

OPERATION uint64_t memory_do_sweep(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	struct job job = {.badge = badge, .generation = generation, .left = b + 1};
	job.frame = frame_at(a);
	job.entry = frame_words(at_frame(a)) + at_index(a);
	if (!(badge & (badge & MEMORY_DEVICE ? MEMORY_ANY : MEMORY_MANAGE)))
		FAIL(MEMORY_NOT_ALLOWED);
	if (at_frame(a) >= frame_count || b >= MEMORY_SWEEP_MAX || b > 1023 - at_index(a))
		FAIL(MEMORY_OUTSIDE);
	return entries_run(sweep_prepare, &job);
}
