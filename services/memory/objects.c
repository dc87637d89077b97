/* SPDX-License-Identifier: MIT */
/*
 * Frames become kernel objects and cease to be, and are cleaned. Each change of a type is one
 * section; what the kernel does between two of them carries the kernel's own generation.
 *
 * Why a frozen thread can do no harm: a frame that is BECOMING leaves that state only when it is or
 * was a kernel object, and an object only by being destroyed, which raises the kernel's generation.
 * So a `create` that was prepared in an earlier episode names a generation that is gone. `serial`,
 * which only grows, tells the episodes apart for the sections.
 */
#include "frames.h"

#include "authority.h"

#define QUARTER            256u /* words zeroed or emptied by one section */
#define QUARTERS           4u
#define SCANNED_BY_SECTION 64u
#define TABLE_WORDS        1024u

/* One frame and what is to become of it. */
struct change {
	struct extent extent;
	struct memory_frame *frame;
	uint32_t number;
	uint32_t from, to, serial, new_serial;
	uint32_t index, taken;
	uint32_t status;
};

static inline _Bool change_may(struct change *change)
{
	const struct memory_frame *frame = change->frame;
	if (!frame_is(frame, &change->extent))
		change->status = MEMORY_STALE;
	else if (frame->state != change->from || frame->serial != change->serial)
		change->status = MEMORY_AGAIN;
	return !change->status;
}

/* from -> to, if it still is what the caller saw. */
SECTION void change_prepare(void)
{
	struct change *change = section_context();
	if (!change_may(change))
		return section_commit(0);
	section_log(0, &change->frame->state, change->to);
	section_log(1, &change->frame->serial, change->new_serial);
	return section_commit(2);
}

static uint32_t change_to(struct change *change, uint32_t from, uint32_t to, uint32_t new_serial)
{
	change->from = from;
	change->to = to;
	change->new_serial = new_serial;
	section_run(change_prepare, change);
	change->serial = new_serial;
	return change->status;
}

static struct change change_begin(uint32_t badge, uint32_t offset, uint32_t generation)
{
	struct change change = {.extent = extent_of(badge, generation)};
	if (!(badge & MEMORY_MANAGE))
		change.status = MEMORY_NOT_ALLOWED;
	else if (!extent_has(&change.extent, offset, 1))
		change.status = MEMORY_OUTSIDE;
	else {
		change.number = change.extent.first + offset;
		change.frame = &frames[change.number];
		change.serial = change.frame->serial;
	}
	return change;
}

/* ---- cleaning -------------------------------------------------------------------------------- */
/* A quarter of a frame. The stores may be repeated, and nobody sees them before the frame is CLEAN.
 */
SECTION void clean_prepare(void)
{
	struct change *change = section_context();
	const struct memory_frame *frame = change->frame;
	uint32_t type = MEMORY_TYPE_OF(frame->state), done = MEMORY_COUNT_OF(frame->state);
	change->taken = type == MEMORY_CLEAN;
	if (!frame_is(frame, &change->extent))
		change->status = MEMORY_STALE;
	else if (type == MEMORY_DATA && done)
		change->status = MEMORY_IN_USE;
	else if (type != MEMORY_DATA && type != MEMORY_DIRTY && type != MEMORY_CLEAN)
		change->status = MEMORY_WRONG_TYPE;
	if (change->status || change->taken)
		return section_commit(0);
	uint32_t *words = frame_words(change->number) + done * QUARTER;
	words_fill(words, 0, QUARTER);
	return section_commit_word(&change->frame->state,
				   done == QUARTERS - 1 ? MEMORY_STATE(MEMORY_CLEAN, 0)
							: MEMORY_STATE(MEMORY_DIRTY, done + 1));
}

OPERATION uint64_t memory_do_clean(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	(void)b;
	struct change change = change_begin(badge, at_frame(a), generation);
	uint32_t count = at_index(a) + 1, done = 0;
	if (!change.status && !extent_has(&change.extent, at_frame(a), count))
		change.status = MEMORY_OUTSIDE;
	while (!change.status && done < count) {
		section_run(clean_prepare, &change);
		if (change.taken) {
			done++;
			change.frame++;
			change.number++;
		}
	}
	return ANSWER(change.status, done);
}

/* ---- CLEAN to DATA --------------------------------------------------------------------------- */
struct data {
	struct extent extent;
	struct memory_frame *frame;
	uint32_t left, taken, status;
};

SECTION void data_prepare(void)
{
	struct data *job = section_context();
	struct memory_frame *frame = job->frame;
	uint32_t most = job->left < SECTION_PAIRS ? job->left : SECTION_PAIRS, taken = 0;
	for (; taken < most; taken++, frame++) {
		if (!frame_is(frame, &job->extent) ||
		    frame->state != MEMORY_STATE(MEMORY_CLEAN, 0)) {
			job->status =
				frame_is(frame, &job->extent) ? MEMORY_WRONG_TYPE : MEMORY_STALE;
			break;
		}
		section_log(taken, &frame->state, MEMORY_STATE(MEMORY_DATA, 0));
	}
	job->taken = taken;
	return section_commit(taken);
}

static uint64_t become_data(const struct change *change, uint32_t count)
{
	struct data job = {.extent = change->extent, .frame = change->frame, .left = count};
	if (!extent_has(&job.extent, change->number - job.extent.first, count))
		FAIL(MEMORY_OUTSIDE);
	while (job.left && !job.status) {
		section_run(data_prepare, &job);
		job.left -= job.taken;
		job.frame += job.taken;
	}
	return ANSWER(job.status, count - job.left);
}

/* ---- CLEAN to a kernel object ---------------------------------------------------------------- */
/* What the frame must hold when the kernel takes it; repeatable while it is BECOMING. */
SECTION void fill_prepare(void)
{
	struct change *change = section_context();
	uint32_t *words = frame_words(change->number) + change->index;
	const uint32_t *template = frame_words(template_frame) + change->index;
	_Bool ones = MEMORY_COUNT_OF(change->from) == CONTENT_ONES;
	if (!change_may(change))
		return section_commit(0);
	if (ones)
		words_fill(words, 0xFFFFFFFF, QUARTER);
	else
		words_copy(words, template, QUARTER);
	return section_commit(0);
}

/* CLEAN -> BECOMING, or it is already; then the frame holds what it must. */
static void become_begin(struct change *change, enum memory_content content)
{
	uint32_t generation, becoming = MEMORY_STATE(MEMORY_BECOMING, content);
	uint32_t state = change->frame->state;
	if (change->status)
		return;
	if (state == MEMORY_STATE(MEMORY_CLEAN, 0)) {
		uint32_t kind = object_inspect(change->number, &generation);
		if (kind == OBJECT_RESERVED)
			change->status = MEMORY_REFUSED; /* the kernel can't reach it */
		else if (generation >= GENERATION_TOP)
			change->status = MEMORY_WORN_OUT;
		else if (kind != OBJECT_NONE || generation < change->serial)
			change->status = MEMORY_AGAIN;
		else
			change_to(change, state, becoming, generation + 1);
	} else if (state != becoming) {
		change->status = MEMORY_WRONG_TYPE;
	}
	change->from = becoming;
	for (uint32_t i = 0; i < QUARTERS && content != CONTENT_ZERO && !change->status; i++) {
		change->index = i * QUARTER;
		section_run(fill_prepare, change);
	}
}

static inline uint32_t expected(const struct change *change)
{
	return change->serial - 1;
}

/* BECOMING -> what the kernel says it is, if that is this episode's object. */
static void become_finish(struct change *change)
{
	uint32_t generation, kind = object_inspect(change->number, &generation);
	uint32_t type = kind == OBJECT_TABLE       ? MEMORY_TABLE
			: kind == OBJECT_DIRECTORY ? MEMORY_DIRECTORY
						   : MEMORY_OBJECT;
	if (change->status)
		return;
	if (kind == OBJECT_NONE || generation != expected(change))
		change->status = MEMORY_AGAIN;
	else
		change_to(change, change->from, MEMORY_STATE(type, 0), change->serial);
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
	return ANSWER(change->status, 0);
}

OPERATION uint64_t memory_do_become(uint32_t badge, uint32_t a, uint32_t kind, uint32_t generation)
{
	static const uint8_t contents[OBJECT_KINDS] = {[OBJECT_DATA_PAGE] = 1 + CONTENT_ZERO,
						       [OBJECT_CAPABILITY_PAGE] = 1 + CONTENT_ZERO,
						       [OBJECT_LOCK_PAGE] = 1 + CONTENT_ZERO,
						       [OBJECT_TABLE] = 1 + CONTENT_ZERO,
						       [OBJECT_DIRECTORY] = 1 + CONTENT_DIRECTORY,
						       [OBJECT_BITMAP_PAGE] = 1 + CONTENT_ONES};
	struct change change = change_begin(badge, at_frame(a), generation);
	if (change.status)
		FAIL(change.status);
	if (kind == OBJECT_NONE)
		return become_data(&change, at_index(a) + 1);
	if (kind >= OBJECT_KINDS || !contents[kind] || at_index(a))
		FAIL(SERVICE_BAD_ARGUMENT);
	become_begin(&change, contents[kind] - 1);
	return become_create(&change, kind, 0, 0, 0);
}

/* A further frame that an object is made with: an object of a kind already. Its kernel generation
 * is read before it is seen to be the client's (R2). */
static uint32_t companion(const struct extent *extent, uint32_t offset, uint32_t kind,
			  uint32_t type, uint32_t *number, uint32_t *generation)
{
	if (!(extent->rights & MEMORY_MANAGE))
		return MEMORY_NOT_ALLOWED;
	if (!extent_has(extent, offset, 1))
		return MEMORY_OUTSIDE;
	*number = extent->first + offset;
	uint32_t found = object_inspect(*number, generation);
	const volatile struct memory_frame *frame = &frames[*number];
	if ((frame->generation ^ extent->generation) & extent->mask)
		return MEMORY_STALE;
	return found == kind && MEMORY_TYPE_OF(frame->state) == type ? 0 : MEMORY_WRONG_TYPE;
}

OPERATION uint64_t memory_do_create_domain(uint32_t badge, uint32_t a, uint32_t b,
					   uint32_t generation)
{
	struct change control = change_begin(badge, at_frame(a), generation);
	struct extent other;
	uint32_t directory, directory_generation, status = control.status;
	if (a & 0xFFE)
		FAIL(SERVICE_BAD_ARGUMENT);
	if (!status)
		status = other_extent(&other, &control.extent, b);
	if (!status)
		status = companion(&other, at_frame(b), OBJECT_DIRECTORY, MEMORY_DIRECTORY,
				   &directory, &directory_generation);
	if (status)
		FAIL(status);
	become_begin(&control, CONTENT_ZERO);
	return become_create(&control, OBJECT_DOMAIN, a & 1, directory_generation, directory);
}

OPERATION uint64_t memory_do_create_thread(uint32_t badge, uint32_t a, uint32_t b,
					   uint32_t generation)
{
	struct change control = change_begin(badge, at_frame(a), generation);
	struct change data = change_begin(badge, at_frame(a) + 1, generation);
	struct extent other;
	uint32_t home, home_generation, status = control.status ? control.status : data.status;
	if (!status)
		status = other_extent(&other, &control.extent, b);
	if (!status)
		status = companion(&other, at_frame(b), OBJECT_DOMAIN, MEMORY_OBJECT, &home,
				   &home_generation);
	if (status)
		FAIL(status);
	become_begin(&control, CONTENT_ZERO);
	become_begin(&data, CONTENT_ZERO);
	if (data.status)
		FAIL(data.status);
	uint64_t answer = become_create(&control, OBJECT_THREAD, home,
					expected(&data) + home_generation, data.number);
	become_finish(&data);
	return answer;
}

OPERATION uint64_t memory_do_create_bitmap(uint32_t badge, uint32_t a, uint32_t b,
					   uint32_t generation)
{
	(void)b;
	struct change change = change_begin(badge, at_frame(a), generation);
	uint32_t number, first = 0, second = 0, status = change.status;
	if (!status)
		status = companion(&change.extent, at_frame(a) + 2, OBJECT_BITMAP_PAGE,
				   MEMORY_OBJECT, &number, &second);
	if (!status)
		status = companion(&change.extent, at_frame(a) + 1, OBJECT_BITMAP_PAGE,
				   MEMORY_OBJECT, &number, &first);
	if (status)
		FAIL(status);
	become_begin(&change, CONTENT_ZERO);
	return become_create(&change, OBJECT_BITMAP, 0, first + second, number);
}

/* ---- and ceases to be ------------------------------------------------------------------------ */
/* Empties entries of a table or directory that is no kernel object any more. */
SECTION void drop_prepare(void)
{
	struct change *change = section_context();
	const struct memory_frame *frame = change->frame;
	uint32_t type = MEMORY_TYPE_OF(frame->state), next = MEMORY_COUNT_OF(frame->state);
	uint32_t *words = frame_words(change->number), end = next + SCANNED_BY_SECTION;
	if (!frame_is(frame, &change->extent))
		change->status = MEMORY_STALE;
	else if (type != MEMORY_TYPE_OF(change->from) || frame->serial != change->serial)
		change->status = MEMORY_AGAIN;
	if (change->status)
		return section_commit(0);
	if (type == MEMORY_DROPPING_DIRECTORY)
		for (; next >= LENDABLE_ENTRIES && next < end && next < TABLE_WORDS; next++)
			words[next] = 0;
	while (next < end && next < TABLE_WORDS && !words[next])
		next++;
	uint32_t *entry = &words[next], pairs = 1;
	if (next < end && next < TABLE_WORDS &&
	    (type == MEMORY_DROPPING_TABLE || next < LENDABLE_ENTRIES)) {
		struct memory_frame *mapped = &frames[*entry >> 12];
		section_log(pairs++, entry, 0);
		if (*entry >> 12 < frame_count && MEMORY_TYPE_OF(mapped->state) != MEMORY_RESERVED)
			section_log(pairs++, &mapped->state, mapped->state - 1);
		next++;
	}
	change->taken = next == TABLE_WORDS;
	section_log(0, &change->frame->state,
		    change->taken ? MEMORY_STATE(MEMORY_CLEAN, 0) : MEMORY_STATE(type, next));
	return section_commit(pairs);
}

/*
 * It goes from the kernel, if it is there. Its generation is read before the frame is seen to be
 * the client's still, in the same episode: so nobody else's object can be meant (R2).
 */
static uint32_t kernel_gone(const struct change *change)
{
	uint32_t generation, kind = object_inspect(change->number, &generation);
	const volatile struct memory_frame *frame = change->frame;
	if ((frame->generation ^ change->extent.generation) & change->extent.mask)
		return MEMORY_STALE;
	if (frame->serial != change->serial)
		return MEMORY_AGAIN;
	/* BECOMING, and a `create` may still come: it must be finished first */
	if (kind == OBJECT_NONE && MEMORY_TYPE_OF(change->from) == MEMORY_BECOMING &&
	    generation == expected(change))
		return MEMORY_WRONG_TYPE;
	if (kind == OBJECT_NONE)
		return 0;
	uint32_t error = object_destroy(change->number, generation);
	return error == ERROR_STATE ? MEMORY_IN_USE : error ? MEMORY_AGAIN : 0;
}

OPERATION uint64_t memory_do_drop(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	(void)b;
	struct change change = change_begin(badge, at_frame(a), generation);
	if (change.status)
		FAIL(change.status);
	uint32_t state = change.frame->state, next = MEMORY_STATE(MEMORY_DIRTY, 0);
	if (!frame_is(change.frame, &change.extent))
		FAIL(MEMORY_STALE);
	change.from = state;
	switch (MEMORY_TYPE_OF(state)) {
	case MEMORY_TABLE: /* from now on no directory can take it */
		if (MEMORY_COUNT_OF(state))
			FAIL(MEMORY_IN_USE);
		next = MEMORY_STATE(MEMORY_DROPPING_TABLE, 0);
		if (change_to(&change, state, next, change.serial))
			FAIL(change.status);
		break;
	case MEMORY_DIRECTORY:
		next = MEMORY_STATE(MEMORY_DROPPING_DIRECTORY, 0);
		break;
	case MEMORY_BECOMING: /* what was made of it may be gone: a thread's first data page */
	case MEMORY_OBJECT:
	case MEMORY_DROPPING_TABLE:
	case MEMORY_DROPPING_DIRECTORY:
		break;
	default:
		FAIL(MEMORY_WRONG_TYPE);
	}
	_Bool is_object =
		MEMORY_TYPE_OF(state) == MEMORY_OBJECT || MEMORY_TYPE_OF(state) == MEMORY_BECOMING;
	change.status = kernel_gone(&change);
	if (!change.status && (is_object || MEMORY_TYPE_OF(state) == MEMORY_DIRECTORY))
		change_to(&change, state, next, change.serial);
	if (is_object)
		return ANSWER(change.status, 0);
	if (MEMORY_TYPE_OF(state) == MEMORY_TABLE || MEMORY_TYPE_OF(state) == MEMORY_DIRECTORY)
		change.from = next;
	for (change.taken = 0; !change.status && !change.taken;)
		section_run(drop_prepare, &change);
	return ANSWER(change.status, 0);
}

/* ---- the capability to it -------------------------------------------------------------------- */
OPERATION uint64_t memory_do_fetch(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation)
{
	(void)a;
	struct change change = change_begin(badge, at_frame(b), generation);
	if (change.status)
		FAIL(change.status);
	uint32_t number = change.number, object_generation;
	object_inspect(number, &object_generation);
	const volatile struct memory_frame *frame = change.frame;
	if ((frame->generation ^ generation) & change.extent.mask)
		FAIL(MEMORY_STALE);
	uint32_t type = MEMORY_TYPE_OF(frame->state);
	if (type != MEMORY_OBJECT && type != MEMORY_TABLE)
		FAIL(MEMORY_WRONG_TYPE);
	uint32_t error = object_fetch(number, object_generation);
	if (error)
		return ANSWER(error == ERROR_ARGUMENT ? MEMORY_NO_RESULT : MEMORY_REFUSED, error);
	answer_capability(0);
	FAIL(MEMORY_NO_RESULT);
}
