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

static inline __attribute__((always_inline)) uint32_t map(struct job *job, uint32_t a, uint32_t b,
							  uint32_t *done)
{
	uint32_t count = at_index(b) + 1, write = a & MEMORY_ENTRY_WRITE;
	job->frame_type = MEMORY_TABLE;
	job->status =
		entries_begin(job, a, count) ?: leaf_begin(job, b, count, MEMORY_READ | write);
	if (job->status)
		return job->status;
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
	*done = count - job->left;
	return job->status;
}

SERVED uint32_t memory_do_map_pages(struct badge badge, uint20_t table, uint10_t first,
				    uint2_t flags, uint20_t frame, count10_t count, uint32_t *done)
{
	struct job job;
	job.badge = job.leaf_badge = badge.low;
	job.generation = job.leaf_generation = badge.high;
	return map(&job, AT(table, first) | flags, AT(frame, count - 1), done);
}
SERVE(memory_map_pages)

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
SERVED uint32_t memory_do_map_lent(struct badge badge, lend_t leaves, uint20_t table,
				   uint10_t first, uint2_t flags, uint20_t frame, count10_t count,
				   uint32_t *done)
{
	struct job job = {.badge = badge.low, .generation = badge.high};
	if (!leaf_lent(&job))
		return SERVICE_BAD_ARGUMENT;
	if (job.leaf_badge & MEMORY_DEVICE && job.leaf_badge & MEMORY_ANY)
		return MEMORY_NOT_ALLOWED;
	return map(&job, AT(table, first) | flags, AT(frame, count - 1), done);
}
SERVE(memory_map_lent)

static uint32_t install(struct job *job, uint32_t a, uint32_t table)
{
	job->frame_type = MEMORY_DIRECTORY;
	job->status = entries_begin(job, a, 1) ?: directory_refusal(a);
	if (!job->status)
		job->status = leaf_begin(job, AT(table, 0), 1, MEMORY_MANAGE);
	job->value += MEMORY_ENTRY_WRITE;
	if (!job->status)
		section_run(put_prepare, job);
	return job->status;
}

SERVED uint32_t memory_do_install(struct badge badge, uint20_t directory, uint10_t index,
				  uint20_t table)
{
	struct job job = {.badge = badge.low,
			  .generation = badge.high,
			  .leaf_badge = badge.low,
			  .leaf_generation = badge.high};
	return install(&job, AT(directory, index), table);
}
SERVE(memory_install)

SERVED uint32_t memory_do_install_lent(struct badge badge, lend_t tables, uint20_t directory,
				       uint10_t index, uint20_t table)
{
	struct job job = {.badge = badge.low, .generation = badge.high};
	return leaf_lent(&job) ? install(&job, AT(directory, index), table) : SERVICE_BAD_ARGUMENT;
}
SERVE(memory_install_lent)

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

static uint32_t entries_run(section_prepare *prepare, struct job *job)
{
	for (; !job->status && job->left; go_on(job))
		section_run(prepare, job);
	return job->status;
}

SERVED uint32_t memory_do_unmap(struct badge badge, uint20_t table, uint10_t first, count10_t count)
{
	struct job job = {.badge = badge.low, .generation = badge.high, .frame_type = MEMORY_TABLE};
	job.status = entries_begin(&job, AT(table, first), count);
	return entries_run(take_prepare, &job);
}
SERVE(memory_unmap)

SERVED uint32_t memory_do_remove(struct badge badge, uint20_t directory, uint10_t index)
{
	struct job job = {
		.badge = badge.low, .generation = badge.high, .frame_type = MEMORY_DIRECTORY};
	uint32_t a = AT(directory, index);
	job.status = entries_begin(&job, a, 1) ?: directory_refusal(a);
	return entries_run(take_prepare, &job);
}
SERVE(memory_remove)

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

SERVED uint32_t memory_do_sweep(struct badge badge, uint20_t table, uint10_t first, count6_t count)
{
	struct job job = {.badge = badge.low, .generation = badge.high, .left = count};
	job.frame = &frames[table];
	job.entry = frame_words(table) + first;
	if (!(badge.low & (badge.low & MEMORY_DEVICE ? MEMORY_ANY : MEMORY_MANAGE)))
		return MEMORY_NOT_ALLOWED;
	if (table >= frame_count || count > 1024 - first)
		return MEMORY_OUTSIDE;
	return entries_run(sweep_prepare, &job);
}
SERVE(memory_sweep)
