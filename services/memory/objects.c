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

#define QUARTER         256u /* words zeroed or filled by one section */
#define QUARTERS        4u
#define SCANNED_AT_ONCE 64u
#define TABLE_WORDS     1024u

/* ---- cleaning, and CLEAN to DATA ------------------------------------------------------------- */
/* Word a: MEMORY_AT(first frame, count - 1). */
static inline uint32_t range_refusal(const struct request *request)
{
	uint32_t a = request->a;
	if (!(request->badge & MEMORY_MANAGE))
		return MEMORY_NOT_ALLOWED;
	return extent_has(request->badge, a) && extent_has(request->badge, a + (at_index(a) << 12))
		       ? 0
		       : MEMORY_OUTSIDE;
}

/* A quarter of a frame. The stores may be repeated, and nobody sees them before it is CLEAN. */
SECTION void clean_prepare(void)
{
	struct request *request = request_begin();
	uint32_t a = request->a, physical = EXTENT_START(request->badge) + a;
	struct memory_frame *frame = frame_at(physical);
	uint32_t type = MEMORY_TYPE_OF(frame->key), done = frame->count;
	request->status = range_refusal(request);
	if (request->status)
		return section_commit(0);
	if (!is_owners(frame, request->badge, request->generation))
		DECLINE(MEMORY_STALE);
	if (type == MEMORY_DATA && done)
		DECLINE(MEMORY_IN_USE);
	if (type != MEMORY_DATA && type != MEMORY_DIRTY && type != MEMORY_CLEAN)
		DECLINE(MEMORY_WRONG_TYPE);
	if (at_index(a))
		request->status = MORE | TAKEN(1);
	if (type == MEMORY_CLEAN)
		return section_commit(0);
	words_fill(frame_words(at_frame(physical)) + done * QUARTER, 0, QUARTER);
	section_log(0, &frame->count, 0);
	if (done < QUARTERS - 1) {
		request->status = MORE;
		section_log(0, &frame->count, done + 1);
	}
	section_log(1, &frame->key,
		    key_of(frame, done < QUARTERS - 1 ? MEMORY_DIRTY : MEMORY_CLEAN));
	return section_commit(2);
}
SECTION_OPERATION(memory_do_clean, clean_prepare, 4092, 0)

/* Up to eight frames get another key: CLEAN ones become DATA; or, with a generation in b, all that
 * are not reserved change hands. */
static inline __attribute__((always_inline)) void keys_change(struct request *request, _Bool revoke)
{
	uint32_t a = request->a, taken = 0, status = range_refusal(request);
	struct memory_frame *frame = frame_at(EXTENT_START(request->badge) + a);
	for (; !status && taken <= at_index(a) && taken < SECTION_PAIRS; taken++, frame++) {
		uint32_t type = MEMORY_TYPE_OF(frame->key), key = key_of(frame, MEMORY_DATA);
		if (revoke) {
			if (request->b <= MEMORY_GENERATION_OF(frame->key) ||
			    type == MEMORY_RESERVED)
				status = MEMORY_STALE;
			key = MEMORY_KEY(type, request->b);
		} else if (!frame_is(frame, MEMORY_CLEAN, request->badge, request->generation)) {
			status = refusal(frame, request->badge, request->generation);
		}
		if (status)
			break;
		section_log(taken, &frame->key, key);
	}
	if (!status && taken <= at_index(a))
		status = MORE;
	request->status = status | (status ? TAKEN(taken) : 0);
	return section_commit(taken);
}

SECTION void data_prepare(void)
{
	keys_change(request_begin(), 0);
}
SECTION_OPERATION(become_data, data_prepare, 4092, 0)

SECTION void revoke_prepare(void)
{
	keys_change(request_begin(), 1);
}
SECTION_OPERATION(revoke, revoke_prepare, 4092, 0)

OPERATION uint64_t memory_do_revoke(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	if (!(badge & MEMORY_ANY))
		FAIL(MEMORY_NOT_ALLOWED);
	if (b > MEMORY_TOP)
		FAIL(MEMORY_WORN_OUT);
	return revoke(badge, a, b, generation);
}

/* ---- CLEAN to a kernel object ---------------------------------------------------------------- */
/* One frame and what is to become of it: (type, count) from, to. */
struct change {
	uint32_t badge, generation, number;
	struct memory_frame *frame;
	uint32_t from, from_count, to, to_count, serial, new_serial;
	uint32_t index;
	uint32_t status, taken;
};

static inline _Bool change_may(struct change *change)
{
	const struct memory_frame *frame = change->frame;
	change->status = 0;
	if (!is_owners(frame, change->badge, change->generation))
		change->status = MEMORY_STALE;
	else if (MEMORY_TYPE_OF(frame->key) != change->from || frame->count != change->from_count ||
		 frame->serial != change->serial)
		change->status = MEMORY_AGAIN;
	return !change->status;
}

/* from -> to, if it still is what the caller saw. */
SECTION void change_prepare(void)
{
	struct change *change = section_context();
	struct memory_frame *frame = change->frame;
	if (!change_may(change))
		return section_commit(0);
	section_log(0, &frame->key, key_of(frame, change->to));
	section_log(1, &frame->count, change->to_count);
	section_log(2, &frame->serial, change->new_serial);
	return section_commit(3);
}

/* The caller has seen it as `from`; from now on it is `to`. */
static uint32_t change_to(struct change *change, uint32_t to, uint32_t count, uint32_t serial)
{
	change->to = to;
	change->to_count = count;
	change->new_serial = serial;
	section_run(change_prepare, change);
	change->from = to;
	change->from_count = count;
	change->serial = serial;
	return change->status;
}

static struct change change_begin(uint32_t badge, uint32_t at, uint32_t generation)
{
	struct change change = {.badge = badge, .generation = generation};
	if (!(badge & MEMORY_MANAGE))
		change.status = MEMORY_NOT_ALLOWED;
	else if (!extent_has(badge, at))
		change.status = MEMORY_OUTSIDE;
	if (change.status)
		return change;
	change.number = at_frame(EXTENT_START(badge) + at);
	change.frame = &frames[change.number];
	change.serial = change.frame->serial;
	change.from = MEMORY_TYPE_OF(change.frame->key);
	change.from_count = change.frame->count;
	if (!is_owners(change.frame, badge, generation)) /* nor may he finish what is another's */
		change.status = MEMORY_STALE;
	return change;
}

/* What the frame must hold when the kernel takes it; repeatable while it is BECOMING. */
SECTION void fill_prepare(void)
{
	struct change *change = section_context();
	uint32_t *words = frame_words(change->number) + change->index;
	if (!change_may(change))
		return section_commit(0);
	if (change->from_count == CONTENT_ONES)
		words_fill(words, 0xFFFFFFFF, QUARTER);
	else
		words_copy(words, frame_words(template_frame) + change->index, QUARTER);
	return section_commit(0);
}

/* CLEAN -> BECOMING, or it is already; then the frame holds what it must. */
static void become_begin(struct change *change, enum memory_content content)
{
	uint32_t generation, kind;
	if (change->status)
		return;
	if (change->from == MEMORY_CLEAN) {
		kind = object_inspect(change->number, &generation);
		if (kind == OBJECT_RESERVED)
			change->status = MEMORY_REFUSED; /* the kernel can't reach it */
		else if (generation >= GENERATION_TOP)
			change->status = MEMORY_WORN_OUT;
		else if (kind != OBJECT_NONE || generation < change->serial)
			change->status = MEMORY_AGAIN;
		else
			change_to(change, MEMORY_BECOMING, content, generation + 1);
	} else if (change->from != MEMORY_BECOMING || change->from_count != content) {
		change->status = MEMORY_WRONG_TYPE;
	}
	for (uint32_t i = 0; i < QUARTERS && content != CONTENT_ZERO && !change->status; i++) {
		change->index = i * QUARTER;
		section_run(fill_prepare, change);
	}
}

/* The kernel's generation in this episode. */
static inline uint32_t expected(const struct change *change)
{
	return change->serial - 1;
}

/* BECOMING -> what the kernel says it is, if that is this episode's object. */
static void become_finish(struct change *change)
{
	uint32_t generation, kind = object_inspect(change->number, &generation);
	if (change->status)
		return;
	if (kind == OBJECT_NONE || generation != expected(change))
		change->status = MEMORY_AGAIN;
	else
		change_to(change,
			  kind == OBJECT_TABLE       ? MEMORY_TABLE
			  : kind == OBJECT_DIRECTORY ? MEMORY_DIRECTORY
						     : MEMORY_OBJECT,
			  0, change->serial);
}

/* The kernel's part. What exists already, of this episode, is as good: only its kind may differ. */
static uint64_t become_create(struct change *change, uint32_t kind, uint32_t second,
			      uint32_t generations, uint32_t parameter)
{
	if (change->status)
		FAIL(change->status);
	uint32_t error = object_create(kind, second, change->number, expected(change) + generations,
				       parameter);
	if (error && error != ERROR_FRAME)
		return ANSWER(error == ERROR_GENERATION ? MEMORY_AGAIN : MEMORY_REFUSED, error);
	become_finish(change);
	FAIL(change->status);
}

OPERATION uint64_t memory_do_become(uint32_t badge, uint32_t a, uint32_t kind, uint32_t generation)
{
	static const uint8_t contents[OBJECT_KINDS] = {[OBJECT_DATA_PAGE] = 1 + CONTENT_ZERO,
						       [OBJECT_CAPABILITY_PAGE] = 1 + CONTENT_ZERO,
						       [OBJECT_LOCK_PAGE] = 1 + CONTENT_ZERO,
						       [OBJECT_TABLE] = 1 + CONTENT_ZERO,
						       [OBJECT_DIRECTORY] = 1 + CONTENT_DIRECTORY,
						       [OBJECT_BITMAP_PAGE] = 1 + CONTENT_ONES};
	if (kind == OBJECT_NONE)
		return become_data(badge, a, 0, generation);
	if (kind >= OBJECT_KINDS || !contents[kind] || at_index(a))
		FAIL(SERVICE_BAD_ARGUMENT);
	struct change change = change_begin(badge, a, generation);
	become_begin(&change, contents[kind] - 1);
	return become_create(&change, kind, 0, 0, 0);
}

/*
 * A further frame that an object is made with, at word `at`: an object of a kind already. Its
 * kernel generation is read before it is seen to be the client's (R2).
 */
static uint32_t companion(uint32_t badge, uint32_t at, uint32_t owner, uint32_t kind, uint32_t type,
			  uint32_t *number, uint32_t *generation)
{
	uint64_t lent;
	if (at & MEMORY_FROM_LENT) {
		if (lent_badge(&lent))
			return SERVICE_BAD_ARGUMENT;
		badge = lent;
		owner = lent >> 32;
	}
	if (!(badge & MEMORY_MANAGE))
		return MEMORY_NOT_ALLOWED;
	if (!extent_has(badge, at))
		return MEMORY_OUTSIDE;
	*number = at_frame(EXTENT_START(badge) + at);
	uint32_t found = object_inspect(*number, generation);
	struct memory_frame frame = *(volatile struct memory_frame *)&frames[*number];
	if (!frame_is(&frame, type, badge, owner))
		return refusal(&frame, badge, owner);
	return found == kind ? 0 : MEMORY_WRONG_TYPE;
}

OPERATION uint64_t memory_do_create_domain(uint32_t badge, uint32_t a, uint32_t b,
					   uint32_t generation)
{
	struct change control = change_begin(badge, a, generation);
	uint32_t directory = 0, directory_generation = 0;
	if (!control.status)
		control.status = companion(badge, b, generation, OBJECT_DIRECTORY, MEMORY_DIRECTORY,
					   &directory, &directory_generation);
	become_begin(&control, CONTENT_ZERO);
	return become_create(&control, OBJECT_DOMAIN, a & 1, directory_generation, directory);
}

OPERATION uint64_t memory_do_create_thread(uint32_t badge, uint32_t a, uint32_t b,
					   uint32_t generation)
{
	struct change control = change_begin(badge, a, generation);
	struct change data = change_begin(badge, a + PAGE_BYTES, generation);
	uint32_t home = 0, home_generation = 0;
	if (!control.status)
		control.status = data.status;
	if (!control.status)
		control.status = companion(badge, b, generation, OBJECT_DOMAIN, MEMORY_OBJECT,
					   &home, &home_generation);
	become_begin(&control, CONTENT_ZERO);
	data.status = control.status;
	become_begin(&data, CONTENT_ZERO);
	control.status = data.status;
	uint64_t answer = become_create(&control, OBJECT_THREAD, home,
					expected(&data) + home_generation, data.number);
	become_finish(&data);
	return answer;
}

OPERATION uint64_t memory_do_create_bitmap(uint32_t badge, uint32_t a, uint32_t b,
					   uint32_t generation)
{
	struct change change = change_begin(badge, a, generation);
	uint32_t number = 0, page[2] = {0};
	for (uint32_t i = 2; i > 0 && !change.status; i--) /* the first one's number is kept */
		change.status = companion(badge, (a & ~4095u) + i * PAGE_BYTES, generation,
					  OBJECT_BITMAP_PAGE, MEMORY_OBJECT, &number, &page[i - 1]);
	become_begin(&change, CONTENT_ZERO);
	return become_create(&change, OBJECT_BITMAP, 0, page[0] + page[1], number);
}

/* ---- and ceases to be ------------------------------------------------------------------------ */
/* Empties entries of a table or directory that is no kernel object any more: one that leads
 * somewhere, and the empty ones before it. Then the frame is CLEAN. */
SECTION void drop_prepare(void)
{
	struct change *change = section_context();
	struct memory_frame *frame = change->frame;
	uint32_t type = MEMORY_TYPE_OF(frame->key), next = frame->count, pairs = 2;
	uint32_t *words = frame_words(change->number);
	uint32_t end = next + SCANNED_AT_ONCE < TABLE_WORDS ? next + SCANNED_AT_ONCE : TABLE_WORDS;
	change->status = 0;
	if (!is_owners(frame, change->badge, change->generation))
		change->status = MEMORY_STALE;
	else if (type != change->from || frame->serial != change->serial)
		change->status = MEMORY_AGAIN;
	if (change->status)
		return section_commit(0);
	if (type == MEMORY_DROPPING_DIRECTORY && next >= LENDABLE_ENTRIES) {
		words_fill(words + next, 0, end - next); /* the kernel's part */
		next = end;
	}
	while (next < end && !words[next])
		next++;
	if (next < end && (type == MEMORY_DROPPING_TABLE || next < LENDABLE_ENTRIES)) {
		struct memory_frame *mapped = frame_at(words[next]);
		section_log(pairs++, &words[next], 0);
		if (type == MEMORY_DROPPING_DIRECTORY || words[next] & MEMORY_ENTRY_COUNTED)
			section_log(pairs++, &mapped->count, mapped->count - 1);
		next++;
	}
	change->taken = next == TABLE_WORDS;
	section_log(0, &frame->count, change->taken ? 0 : next);
	section_log(1, &frame->key, key_of(frame, change->taken ? MEMORY_CLEAN : type));
	return section_commit(pairs);
}

/*
 * It goes from the kernel, if it is there. Its generation is read before the frame is seen to be
 * the client's still, in the same episode: so nobody else's object can be meant (R2).
 */
static uint32_t kernel_gone(const struct change *change)
{
	uint32_t generation, kind = object_inspect(change->number, &generation);
	struct memory_frame frame = *(volatile struct memory_frame *)change->frame;
	if (!is_owners(&frame, change->badge, change->generation))
		return MEMORY_STALE;
	if (frame.serial != change->serial)
		return MEMORY_AGAIN;
	/* BECOMING, and it is an object, or a `create` may still come: `become` finishes it first
	 */
	if (change->from == MEMORY_BECOMING &&
	    (kind != OBJECT_NONE || generation == expected(change)))
		return MEMORY_WRONG_TYPE;
	if (kind == OBJECT_NONE)
		return 0;
	uint32_t error = object_destroy(change->number, generation);
	return error == ERROR_STATE ? MEMORY_IN_USE : error ? MEMORY_AGAIN : 0;
}

OPERATION uint64_t memory_do_drop(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	struct change change = change_begin(badge, a, generation);
	if (change.status)
		FAIL(change.status);
	uint32_t type = change.from;
	if (type < MEMORY_TABLE)
		FAIL(MEMORY_WRONG_TYPE);
	if (type == MEMORY_TABLE) { /* first of all no directory can take it any more */
		if (change.from_count)
			FAIL(MEMORY_IN_USE);
		if (change_to(&change, MEMORY_DROPPING_TABLE, 0, change.serial))
			FAIL(change.status);
	}
	change.status = kernel_gone(&change);
	if (!change.status && type == MEMORY_DIRECTORY)
		change_to(&change, MEMORY_DROPPING_DIRECTORY, 0, change.serial);
	if (!change.status && (type == MEMORY_OBJECT || type == MEMORY_BECOMING))
		FAIL(change_to(&change, MEMORY_DIRTY, 0, change.serial));
	for (change.taken = 0; !change.status && !change.taken;)
		section_run(drop_prepare, &change);
	FAIL(change.status);
}

/* ---- the capability to it -------------------------------------------------------------------- */
OPERATION uint64_t memory_do_fetch(uint32_t badge, uint32_t slots, uint32_t b, uint32_t generation)
{
	struct change change = change_begin(badge, b, generation);
	if (change.status)
		FAIL(change.status);
	uint32_t object_generation;
	object_inspect(change.number, &object_generation);
	struct memory_frame frame = *(volatile struct memory_frame *)change.frame;
	if (!is_owners(&frame, badge, generation))
		FAIL(MEMORY_STALE);
	if (MEMORY_TYPE_OF(frame.key) != MEMORY_OBJECT && MEMORY_TYPE_OF(frame.key) != MEMORY_TABLE)
		FAIL(MEMORY_WRONG_TYPE);
	uint32_t error = object_fetch(change.number, object_generation);
	if (error)
		return ANSWER(error == ERROR_ARGUMENT ? MEMORY_NO_RESULT : MEMORY_REFUSED, error);
	answer_capability(0);
	FAIL(MEMORY_NO_RESULT);
}
