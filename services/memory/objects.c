/* SPDX-License-Identifier: MIT */
/*
 * Frames are cleaned, become kernel objects and cease to be. Each change of a type is one section;
 * what the kernel does between two of them carries the kernel's own generation.
 *
 * Why a frozen thread can do no harm: a frame that is BECOMING leaves that state only by becoming a
 * kernel object, and an object only by being destroyed, which raises the kernel's generation. So a
 * `create` that was prepared in an earlier episode names a generation that is gone. `serial`, which
 * only grows, tells the episodes apart for the sections.
 */
#include "frames.h"

#include "authority.h"

#define QUARTER         256u /* words zeroed or filled until the progress is noted */
#define QUARTERS        4u
#define SCANNED_AT_ONCE 64u

/* ---- cleaning, and CLEAN to DATA ------------------------------------------------------------- */
static inline __attribute__((always_inline)) uint32_t frames_run(section_prepare *prepare,
								 struct badge badge, uint32_t frame,
								 uint32_t count, uint32_t value,
								 uint32_t *done)
{
	struct job job;
	if (!(badge.low & MEMORY_MANAGE))
		return MEMORY_NOT_ALLOWED;
	uint32_t first = AT(frame, 0), last = first + AT(count - 1, 0);
	if (!extent_has(badge.low, first) || (count > 1 && !extent_has(badge.low, last)))
		return MEMORY_OUTSIDE;
	job.badge = badge.low;
	job.generation = badge.high;
	job.value = value;
	job.frame = frame_at(EXTENT_START(badge.low) + first);
	job.left = count;
	for (;;) {
		section_run(prepare, &job);
		job.left -= job.taken;
		if (job.status || !job.left)
			break;
		job.frame += job.taken;
	}
	*done = count - job.left;
	return job.status;
}

/* A frame. Its stores may be repeated, and nobody sees them before it is CLEAN. What is noted after
 * each quarter is one store, and true: whoever comes next, after a stop, goes on from there. */
SECTION void clean_prepare(void)
{
	struct job *job = section_context();
	struct memory_frame *frame = job->frame;
	uint32_t key = frame->key, type = MEMORY_TYPE_OF(key), done = frame->count;
	uint32_t *words = words_of(frame) + done * QUARTER;
	job->status = job->taken = 0;
	if (!is_owners(frame, job->badge, job->generation))
		DECLINE(MEMORY_STALE);
	if (type == MEMORY_DATA && done)
		DECLINE(MEMORY_IN_USE);
	if (type != MEMORY_DATA && type != MEMORY_DIRTY && type != MEMORY_CLEAN)
		DECLINE(MEMORY_WRONG_TYPE);
	job->taken = 1;
	if (type == MEMORY_CLEAN)
		return section_commit(0);
	*(volatile uint32_t *)&frame->key = key_of(frame, MEMORY_DIRTY);
	while (done < QUARTERS) {
		words = words_fill(words, 0, QUARTER);
		*(volatile uint32_t *)&frame->count = ++done;
	}
	key = key_of(frame, MEMORY_CLEAN);
	section_log(0, &frame->key, key);
	section_log(1, &frame->count, 0);
	return section_commit_two(&frame->key, key, &frame->count);
}
SERVED uint32_t memory_do_clean_range(struct badge badge, uint20_t frame, count10_t count,
				      uint32_t *done)
{
	return frames_run(clean_prepare, badge, frame, count, 0, done);
}
SERVE(memory_clean_range)

/* Up to eight frames. */
SECTION void data_prepare(void)
{
	struct job *job = section_context();
	struct memory_frame *frame = job->frame;
	uint32_t i, key = MEMORY_KEY(MEMORY_CLEAN, job->generation);
	job->status = 0;
	for (i = 0; i < job->left && i < SECTION_PAIRS; i++, frame++) {
		if (frame->key != key &&
		    !frame_is(frame, MEMORY_CLEAN, job->badge, job->generation)) {
			job->status = refusal(frame, job->badge, job->generation);
			break;
		}
		section_log(i, &frame->key, key_of(frame, MEMORY_DATA));
	}
	job->taken = i;
	return section_commit(i);
}

/* They change hands. */
SECTION void revoke_prepare(void)
{
	struct job *job = section_context();
	struct memory_frame *frame = job->frame;
	uint32_t i;
	job->status = 0;
	for (i = 0; i < job->left && i < SECTION_PAIRS; i++, frame++) {
		uint32_t type = MEMORY_TYPE_OF(frame->key);
		if (job->value <= MEMORY_GENERATION_OF(frame->key) || type == MEMORY_RESERVED) {
			job->status = MEMORY_STALE;
			break;
		}
		section_log(i, &frame->key, MEMORY_KEY(type, job->value));
	}
	job->taken = i;
	return section_commit(i);
}

SERVED uint32_t memory_do_revoke_range(struct badge badge, uint20_t frame, count10_t count,
				       uint32_t generation, uint32_t *done)
{
	if (!(badge.low & MEMORY_ANY))
		return MEMORY_NOT_ALLOWED;
	if (generation > MEMORY_TOP)
		return MEMORY_WORN_OUT;
	return frames_run(revoke_prepare, badge, frame, count, generation, done);
}
SERVE(memory_revoke_range)

/* ---- CLEAN to a kernel object ---------------------------------------------------------------- */
/* One frame, as it was seen, and what is to become of it. */
struct change {
	uint32_t status, number;
	struct memory_frame *frame, seen, next;
	uint32_t at;         /* fill, drop: words done */
	struct change *with; /* another one, in the same section; or NULL */
};

/* Generation, type and episode are what the caller has seen. */
static inline _Bool is_as_seen(struct change *change)
{
	const struct memory_frame *frame = change->frame;
	change->status = frame->key == change->seen.key && frame->serial == change->seen.serial
				 ? 0
				 : MEMORY_AGAIN;
	return !change->status;
}

static inline _Bool change_log(struct change *change, uint32_t pair)
{
	struct memory_frame *frame = change->frame;
	if (!is_as_seen(change))
		return 0;
	if (frame->count != change->seen.count) {
		change->status = MEMORY_AGAIN;
		return 0;
	}
	section_log(pair, &frame->key, change->next.key);
	section_log(pair + 1, &frame->count, change->next.count);
	section_log(pair + 2, &frame->serial, change->next.serial);
	return 1;
}
SECTION void change_prepare(void)
{
	struct change *change = section_context();
	if (!change_log(change, 0))
		return section_commit(0);
	if (!change->with)
		return section_commit(3);
	if (!change_log(change->with, 3)) {
		change->status = change->with->status;
		return section_commit(0);
	}
	return section_commit(6);
}

static uint32_t change_to(struct change *change, uint32_t type, uint32_t count, uint32_t serial)
{
	change->next = (struct memory_frame){key_of(&change->seen, type), count, serial, 0};
	section_run(change_prepare, change);
	change->seen = change->next;
	return change->status;
}

static void change_begin(struct change *change, struct badge badge, uint32_t frame)
{
	change->at = change->status = 0;
	change->with = NULL;
	if (!(badge.low & MEMORY_MANAGE))
		change->status = MEMORY_NOT_ALLOWED;
	else if (!extent_has(badge.low, AT(frame, 0)))
		change->status = MEMORY_OUTSIDE;
	if (change->status)
		return;
	change->number = at_frame(EXTENT_START(badge.low)) + frame;
	change->frame = &frames[change->number];
	change->seen = *change->frame;
	if (!is_owners(&change->seen, badge.low, badge.high)) /* nor may he finish another's */
		change->status = MEMORY_STALE;
}

/* What the frame must hold when the kernel takes it; repeatable while it is BECOMING. */
SECTION void fill_prepare(void)
{
	struct change *change = section_context();
	uint32_t *words = frame_words(change->number) + change->at;
	if (is_as_seen(change) && change->seen.count == CONTENT_ONES)
		words_fill(words, 0xFFFFFFFF, QUARTER);
	else if (!change->status)
		words_copy(words, frame_words(template_frame) + change->at, QUARTER);
	return section_commit(0);
}

/* CLEAN -> BECOMING, or it is already; then the frame holds what it must. */
static void become_begin(struct change *change, enum memory_content content)
{
	uint32_t generation, kind, type;
	if (change->status)
		return;
	type = MEMORY_TYPE_OF(change->seen.key);
	if (type == MEMORY_CLEAN) {
		kind = object_inspect(change->number, &generation);
		if (kind == OBJECT_RESERVED)
			change->status = MEMORY_REFUSED; /* the kernel can't reach it */
		else if (generation >= GENERATION_TOP)
			change->status = MEMORY_WORN_OUT;
		else if (kind != OBJECT_NONE || generation < change->seen.serial)
			change->status = MEMORY_AGAIN;
		else
			change_to(change, MEMORY_BECOMING, content, generation + 1);
	} else if (type != MEMORY_BECOMING || change->seen.count != content) {
		change->status = MEMORY_WRONG_TYPE;
	}
	if (content != CONTENT_ZERO)
		for (; change->at < QUARTERS * QUARTER && !change->status; change->at += QUARTER)
			section_run(fill_prepare, change);
}

/* The kernel's generation in this episode. */
static inline uint32_t expected(const struct change *change)
{
	return change->seen.serial - 1;
}

/* BECOMING -> what the kernel says it is, if that is this episode's object. A thread and its data
 * page in one: so whoever is cut off here goes on by the same call. */
static void become_finish(struct change *change, struct change *data)
{
	uint32_t generation, kind = object_inspect(change->number, &generation);
	if (kind == OBJECT_THREAD && data) {
		data->next = data->seen;
		data->next.key = key_of(&data->seen, MEMORY_OBJECT);
		change->with = data;
	}
	if (kind == OBJECT_NONE || generation != expected(change))
		change->status = MEMORY_AGAIN;
	else
		change_to(change,
			  kind == OBJECT_TABLE       ? MEMORY_TABLE
			  : kind == OBJECT_LOCK_PAGE ? MEMORY_LOCK_PAGE
			  : kind == OBJECT_DIRECTORY ? MEMORY_DIRECTORY
						     : MEMORY_OBJECT,
			  0, change->seen.serial);
}

/* What an object is made with: its content, its companions (which exist already), all of one kind.
 */
struct making {
	uint8_t possible, content, companions, companion;
};
static const struct making makings[OBJECT_KINDS] = {
	[OBJECT_DATA_PAGE] = {1, CONTENT_ZERO, 0, 0},
	[OBJECT_CAPABILITY_PAGE] = {1, CONTENT_ZERO, 0, 0},
	[OBJECT_LOCK_PAGE] = {1, CONTENT_ZERO, 0, 0},
	[OBJECT_TABLE] = {1, CONTENT_ZERO, 0, 0},
	[OBJECT_DIRECTORY] = {1, CONTENT_DIRECTORY, 0, 0},
	[OBJECT_BITMAP_PAGE] = {1, CONTENT_ONES, 0, 0},
	[OBJECT_DOMAIN] = {1, CONTENT_ZERO, 1, OBJECT_DIRECTORY},
	[OBJECT_THREAD] = {1, CONTENT_ZERO, 1, OBJECT_DOMAIN},
	[OBJECT_BITMAP] = {1, CONTENT_ZERO, 2, OBJECT_BITMAP_PAGE},
};

/* A companion: a frame of an extent. Its kernel generation is read before it is seen to be the
 * client's (R2). */
static uint32_t companion(struct badge badge, uint32_t frame, uint32_t kind, uint32_t *number,
			  uint32_t *generations)
{
	uint32_t type = kind == OBJECT_DIRECTORY ? MEMORY_DIRECTORY : MEMORY_OBJECT, generation;
	if (!(badge.low & MEMORY_MANAGE))
		return MEMORY_NOT_ALLOWED;
	if (!extent_has(badge.low, AT(frame, 0)))
		return MEMORY_OUTSIDE;
	*number = at_frame(EXTENT_START(badge.low)) + frame;
	uint32_t found = object_inspect(*number, &generation);
	struct memory_frame seen = *(volatile struct memory_frame *)&frames[*number];
	*generations += generation;
	if (!frame_is(&seen, type, badge.low, badge.high))
		return refusal(&seen, badge.low, badge.high);
	return found == kind ? 0 : MEMORY_WRONG_TYPE;
}

/* What exists already, of this episode, is as good as new: only its kind may differ. `with` is the
 * extent of the companion, which is `other`; a bitmap's are behind it. */
static uint32_t make(struct badge badge, uint32_t frame, struct badge with, uint32_t other,
		     uint32_t kind, _Bool confidential, uint32_t *error)
{
	const struct making *making = &makings[kind];
	struct change change, data;
	uint32_t number[2] = {0}, generations = 0;
	_Bool thread = kind == OBJECT_THREAD;
	change_begin(&change, badge, frame);
	if (thread && !change.status) {
		change_begin(&data, badge, frame + 1);
		change.status = data.status;
	}
	for (uint32_t i = making->companions; i-- > 0 && !change.status;)
		change.status =
			companion(with, other + i, making->companion, &number[i], &generations);
	become_begin(&change, making->content);
	if (thread && !change.status) {
		become_begin(&data, CONTENT_ZERO);
		change.status = data.status;
		generations += expected(&data);
	}
	if (change.status)
		return change.status;
	uint32_t second = thread ? number[0] : confidential;
	*error = object_create(kind, second, change.number, expected(&change) + generations,
			       thread ? data.number : number[0]);
	if (*error && *error != ERROR_FRAME)
		return *error == ERROR_GENERATION ? MEMORY_AGAIN : MEMORY_REFUSED;
	*error = 0;
	become_finish(&change, thread ? &data : NULL);
	return change.status;
}

/* The extent that was lent. False: there is none. */
static _Bool extent_lent(struct badge *with)
{
	uint64_t lent;
	if (lent_badge(&lent))
		return 0;
	*with = (struct badge){lent, lent >> 32};
	return 1;
}

SERVED uint32_t memory_do_become(struct badge badge, uint20_t frame, count10_t count, uint32_t kind)
{
	uint32_t done;
	if (kind == OBJECT_NONE)
		return frames_run(data_prepare, badge, frame, count, 0, &done);
	if (kind >= OBJECT_KINDS || !makings[kind].possible || makings[kind].companions ||
	    count > 1)
		return SERVICE_BAD_ARGUMENT;
	return make(badge, frame, badge, 0, kind, 0, &done);
}
SERVE(memory_become)

SERVED uint32_t memory_do_create_domain(struct badge badge, uint20_t control, uint20_t directory,
					uint1_t confidential, uint32_t *error)
{
	return make(badge, control, badge, directory, OBJECT_DOMAIN, confidential, error);
}
SERVE(memory_create_domain)

/* (What is lent is looked at when the client's own frame has been.) */
SERVED uint32_t memory_do_create_domain_lent(struct badge badge, lend_t directories,
					     uint20_t control, uint20_t directory,
					     uint1_t confidential, uint32_t *error)
{
	struct badge with;
	if (!extent_lent(&with))
		return SERVICE_BAD_ARGUMENT;
	return make(badge, control, with, directory, OBJECT_DOMAIN, confidential, error);
}
SERVE(memory_create_domain_lent)

SERVED uint32_t memory_do_create_thread(struct badge badge, uint20_t control, uint20_t home,
					uint32_t *error)
{
	return make(badge, control, badge, home, OBJECT_THREAD, 0, error);
}
SERVE(memory_create_thread)

SERVED uint32_t memory_do_create_thread_lent(struct badge badge, lend_t homes, uint20_t control,
					     uint20_t home, uint32_t *error)
{
	struct badge with;
	if (!extent_lent(&with))
		return SERVICE_BAD_ARGUMENT;
	return make(badge, control, with, home, OBJECT_THREAD, 0, error);
}
SERVE(memory_create_thread_lent)

SERVED uint32_t memory_do_create_bitmap(struct badge badge, uint20_t frame, uint32_t *error)
{
	return make(badge, frame, badge, frame + 1, OBJECT_BITMAP, 0, error);
}
SERVE(memory_create_bitmap)

/* ---- and ceases to be ------------------------------------------------------------------------ */
/* Empties entries of a table or directory that is no kernel object any more, up to one that leads
 * to what is counted. Then the frame is CLEAN. */
SECTION void drop_prepare(void)
{
	struct change *change = section_context();
	struct memory_frame *frame = change->frame;
	uint32_t type = MEMORY_TYPE_OF(frame->key), next = frame->count, pairs = 2;
	uint32_t *words = frame_words(change->number);
	uint32_t end = next + SCANNED_AT_ONCE < 1024 ? next + SCANNED_AT_ONCE : 1024;
	uint32_t counted = type == MEMORY_DROPPING_TABLE ? 1024 : LENDABLE_ENTRIES;
	if (!is_as_seen(change))
		return section_commit(0);
	while (next < end && (next >= counted || !(words[next] & MEMORY_ENTRY_COUNTED)))
		words[next++] = 0;
	if (next < end) {
		struct memory_frame *leaf = frame_at(words[next]);
		section_log(2, &words[next++], 0);
		section_log(3, &leaf->count, leaf->count - 1);
		pairs = 4;
	}
	change->at = next;
	section_log(0, &frame->count, next & 1023);
	section_log(1, &frame->key, key_of(frame, next == 1024 ? MEMORY_CLEAN : type));
	return section_commit(pairs);
}

/*
 * It goes from the kernel, if it is there. Its generation is read before the frame is seen to be
 * the client's still, in the same episode: so nobody else's object can be meant (R2).
 */
static uint32_t kernel_gone(struct change *change)
{
	uint32_t generation, kind = object_inspect(change->number, &generation);
	asm volatile("" : : : "memory");
	if (!is_as_seen(change))
		return MEMORY_AGAIN;
	/* BECOMING, and it is an object, or a `create` may still come: `become` finishes it first
	 */
	if (MEMORY_TYPE_OF(change->seen.key) == MEMORY_BECOMING &&
	    (kind != OBJECT_NONE || generation == expected(change)))
		return MEMORY_WRONG_TYPE;
	if (kind == OBJECT_NONE)
		return 0;
	uint32_t error = object_destroy(change->number, generation);
	return error == ERROR_STATE ? MEMORY_IN_USE : error ? MEMORY_AGAIN : 0;
}

SERVED uint32_t memory_do_drop(struct badge badge, uint20_t frame)
{
	struct change change;
	change_begin(&change, badge, frame);
	if (change.status)
		return change.status;
	uint32_t type = MEMORY_TYPE_OF(change.seen.key), serial = change.seen.serial;
	if (type < MEMORY_TABLE)
		return MEMORY_WRONG_TYPE;
	if (type == MEMORY_TABLE || type == MEMORY_LOCK_PAGE) { /* first: nobody can take it more */
		if (change.seen.count)
			return MEMORY_IN_USE;
		type = type == MEMORY_TABLE ? MEMORY_DROPPING_TABLE : MEMORY_OBJECT;
		if (change_to(&change, type, 0, serial))
			return change.status;
	}
	change.status = kernel_gone(&change);
	if (!change.status && type == MEMORY_DIRECTORY)
		change_to(&change, MEMORY_DROPPING_DIRECTORY, 0, serial);
	if (!change.status && (type == MEMORY_OBJECT || type == MEMORY_BECOMING))
		change_to(&change, MEMORY_DIRTY, 0, serial);
	else
		while (!change.status && change.at < 1024)
			section_run(drop_prepare, &change);
	return change.status;
}
SERVE(memory_drop)

/* ---- the capability to it -------------------------------------------------------------------- */
SERVED uint32_t memory_do_fetch(struct badge badge, uint20_t frame, place_t to, uint32_t *error)
{
	struct change change;
	uint32_t object_generation, type;
	change_begin(&change, badge, frame);
	if (change.status)
		return change.status;
	object_inspect(change.number, &object_generation);
	asm volatile("" : : : "memory");
	struct memory_frame seen = *change.frame;
	type = MEMORY_TYPE_OF(seen.key);
	if (!is_owners(&seen, badge.low, badge.high))
		return MEMORY_STALE;
	if (type != MEMORY_OBJECT && type != MEMORY_TABLE && type != MEMORY_LOCK_PAGE)
		return MEMORY_WRONG_TYPE;
	*error = object_fetch(change.number, object_generation);
	if (*error)
		return *error == ERROR_ARGUMENT ? SERVICE_NO_RESULT : MEMORY_REFUSED;
	return 0;
}
SERVE(memory_fetch)
