/* SPDX-License-Identifier: MIT */
/*
 * Rollforward sections of libs/lock: what a section does happens once and wholly, or not at all,
 * whatever happens to its thread. Whoever is stopped inside goes on where it was; or at LOST, if
 * another thread has been inside since: it can be told by the number of its further steps.
 */
#include "lock.h"
#include "test.h"

#define NOWHERE    0x0BAD0000u
#define TOTAL_PAGE 0x30000000u /* of the keeper, where a test takes its right to write away */
#define THREADS    5u
#define STEPS_MAX  300u
/* lock.asm, in instructions: from LOST to section_again, if nothing was committed, if it was about
 * to by section_commit or section_commit_two, and if something was; on to START and the
 * continuation; the roll of n. */
#define LOST_STEPS        4u
#define LOST_AT_COMMIT    6u
#define LOST_AT_TWO       8u
#define LOST_COMMITTED    9u
#define TAKE_STEPS        2u
#define CONTINUE_STEPS    3u
#define ROLL_STEPS(count) ((count) ? 5 * (count) + 3 : 0)

void section_enter(section_prepare *prepare, void *context);
void section_fault_entry(void);
void section_add(const uint32_t *amount);
extern const uint8_t section_start[], section_end[], section_again[];
extern volatile uint32_t section_left, section_faults, section_handler_adds, section_mode,
	section_target;
extern const uint32_t section_one;

static struct domain keeper;
static volatile struct lock_page *lock_page;
static struct client threads[THREADS];
static uint32_t door, times;
static client_function *add_function;

/* What is added to: as many words as a section logs; 0: one, by section_commit_word. */
static volatile uint32_t words[SECTION_PAIRS];
static volatile uint32_t *total;
static uint32_t pairs, word_count, tries, repeated;
static _Bool by_two; /* two pairs, by section_commit_two */

struct addition {
	const uint32_t *amount;
	uint32_t tries;
};
SECTION void add_prepare(void)
{
	struct addition *addition = section_context();
	addition->tries++;
	uint32_t amount = *addition->amount;
	if (!pairs)
		return section_commit_word(total, *total + amount);
	for (uint32_t i = 0; i < pairs; i++)
		section_log(i, &total[i], total[i] + amount);
	if (by_two)
		return section_commit_two(&total[0], total[0] + amount, &total[1]);
	return section_commit(pairs);
}
void section_add(const uint32_t *amount)
{
	struct addition addition = {.amount = amount};
	section_enter(add_prepare, &addition);
	tries = addition.tries;
	__atomic_add_fetch(&repeated, addition.tries - 1, __ATOMIC_RELAXED);
}
SECTION void nothing_prepare(void)
{
	struct addition *addition = section_context();
	addition->tries = *addition->amount;
	return section_commit(0);
}

static void adds(uint32_t amount)
{
	section_add((const uint32_t *)amount);
}
static void adds_often(uint32_t amount)
{
	for (uint32_t i = 0; i < times; i++)
		section_add((const uint32_t *)amount);
}
PEER adds_for_client(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)b, (void)badge_high;
	section_add((const uint32_t *)a);
	return ANSWER(0, 0);
}
static void calls_to_add(uint32_t amount)
{
	door_call(slot(door).encoded, 0, amount, 0, NULL);
}

/* ---- the keeper and its threads ------------------------------------------------------------- */
static void begin_anew(void)
{
	memset((void *)lock_page, 0, PAGE_BYTES);
	memset((void *)words, 0, sizeof(words));
	section_left = section_faults = 0;
	for (uint32_t i = 0; i < THREADS; i++)
		client_restart(&threads[i], add_function, (uint32_t)&section_one);
}
static void keeper_make(_Bool as_service)
{
	peer_make(&keeper, "keeper");
	domain_section(&keeper, (uint32_t)section_start, (uint32_t)section_end);
	lock_page = domain_lock(&keeper);
	total = words;
	door = peer_door(&keeper, adds_for_client);
	add_function = as_service ? calls_to_add : adds;
	for (uint32_t i = 0; i < THREADS; i++)
		client_make(&threads[i], as_service ? &root_domain : &keeper, add_function,
			    (uint32_t)&section_one);
	begin_anew();
}
static void keeper_end(void)
{
	for (uint32_t i = 0; i < THREADS; i++)
		client_end(&threads[i]);
	slot_give(door);
	domain_end(&keeper);
}

/* Once, until something stops it: why. (Inlined where nobody asks, the structure that is dropped
 * would get an aligned place on the stack, for which GCC needs EBP.) */
static __attribute__((noinline)) uint32_t dispatch(uint32_t number, uint32_t options)
{
	return client_dispatch(&threads[number], 0, 0, options).reason;
}
/* False if it ended before. */
static _Bool step(uint32_t number, uint32_t steps)
{
	while (steps--)
		if (dispatch(number, DISPATCH_STEP) != DISPATCH_STEPPED)
			return 0;
	return 1;
}
static void run(uint32_t number)
{
	client_run(&threads[number]);
}
static uint32_t steps_to_the_end(uint32_t number)
{
	uint32_t steps = 1;
	while (step(number, 1))
		if (++steps > STEPS_MAX)
			break;
	return steps;
}
static _Bool is_owner(uint32_t number)
{
	return lock_page->owner == threads[number].thread.object.frame << CAPABILITY_INDEX_SHIFT;
}
static void check_total(uint32_t wanted)
{
	for (uint32_t i = 0; i < word_count; i++)
		CHECK_EQUAL(total[i], wanted);
	CHECK_EQUAL(lock_page->count, 0);
}

/* After how many steps a thread that is alone stands at START, behind the commit, behind the
 * section, and at its end. */
static uint32_t at_start, at_commit, at_left, at_end;
static void bounds_find(void)
{
	at_start = at_commit = at_left = 0;
	begin_anew();
	for (at_end = 1; step(0, 1); at_end++) {
		if (is_owner(0) && !at_start)
			at_start = at_end;
		if (lock_page->count && !at_commit)
			at_commit = at_end;
		if (section_left && !at_left)
			at_left = at_end - 1;
	}
	CHECK(at_start && at_commit > at_start + 5 && at_left > at_commit + 2 && at_end > at_left);
	CHECK_EQUAL(tries, 1); /* stepped alone, a thread goes straight through */
	check_total(1);
}
static _Bool is_inside(uint32_t steps)
{
	return steps >= at_start && steps < at_left;
}
/* How many steps are left for one that stood there and has lost the lock. */
static uint32_t steps_when_lost(uint32_t steps)
{
	uint32_t roll = ROLL_STEPS(lock_page->count);
	if (steps >= at_commit) /* only the way out is left */
		return LOST_COMMITTED + TAKE_STEPS + CONTINUE_STEPS + roll + at_end - (at_left - 1);
	uint32_t lost = !pairs || steps != at_commit - 1 ? LOST_STEPS
			: by_two                         ? LOST_AT_TWO
							 : LOST_AT_COMMIT;
	return lost + TAKE_STEPS + roll + at_end - at_start;
}
/* Once more only if it was lost before its commit, and if it had got so far at all. */
static void check_tries(uint32_t steps)
{
	_Bool may_be_more = is_inside(steps) && steps < at_commit;
	CHECK(tries == 1 || (tries == 2 && may_be_more));
	CHECK(tries == 2 || steps != at_commit - 1);
}

/* Does something for sections of one word, of two by section_commit_two, of three pairs, eight and
 * one: the first few of these. */
#define SHAPES 5u
static void each_shape(uint32_t shapes, _Bool as_service, void (*what)(void))
{
	static const uint8_t pairs_of[SHAPES] = {0, 2, 3, SECTION_PAIRS, 1};
	for (uint32_t i = 0; i < shapes; i++) {
		pairs = pairs_of[i];
		by_two = pairs == 2;
		word_count = pairs ? pairs : 1;
		keeper_make(as_service);
		bounds_find();
		what();
		keeper_end();
	}
	by_two = 0;
	pairs = 0;
	word_count = 1;
}

TEST(section_changes_what_it_logged_and_nothing_else)
{
	for (uint32_t as_service = 0; as_service < 2; as_service++)
		for (pairs = 0; pairs <= SECTION_PAIRS; pairs++) {
			keeper_make(as_service);
			run(0);
			run(1);
			for (uint32_t i = 0; i < SECTION_PAIRS; i++)
				CHECK_EQUAL(words[i], i < (pairs ? pairs : 1) ? 2 : 0);
			CHECK_EQUAL(tries, 1);
			CHECK_EQUAL(lock_page->count, 0);
			CHECK_EQUAL(section_left, 1);
			keeper_end();
		}
}

static void looks_only(uint32_t amount)
{
	struct addition addition = {.amount = (const uint32_t *)amount};
	section_run(nothing_prepare, &addition);
	tries = addition.tries + 100;
}
TEST(section_that_commits_nothing_has_its_results)
{
	keeper_make(0);
	client_restart(&threads[0], looks_only, (uint32_t)&section_one);
	run(0);
	CHECK_EQUAL(tries, 101);
	CHECK_EQUAL(words[0], 0);
	keeper_end();
}

/* ---- preempted ------------------------------------------------------------------------------ */
static void meets_another(void)
{
	for (uint32_t steps = 0; steps < at_end; steps++) {
		begin_anew();
		step(0, steps);
		run(1);
		uint32_t left = is_inside(steps) ? steps_when_lost(steps) : at_end - steps;
		CHECK_EQUAL(steps_to_the_end(0), left);
		check_tries(steps);
		check_total(2);
	}
}
TEST(section_is_lost_exactly_if_another_thread_has_entered_it)
{
	each_shape(SHAPES, 0, meets_another);
	each_shape(1, 1, meets_another);
}

static void does_nothing(uint32_t argument)
{
	(void)argument;
}
static void meets_nobody(void)
{
	for (uint32_t steps = 0; steps < at_end; steps++) {
		begin_anew();
		step(0, steps);
		client_restart(&threads[1], does_nothing, 0);
		run(1);
		step(2, at_start - 1); /* on its way, but not at TAKE */
		CHECK_EQUAL(steps_to_the_end(0), at_end - steps);
		check_total(1);
	}
}
TEST(section_is_not_lost_if_nobody_took_it)
{
	each_shape(3, 1, meets_nobody);
}

TEST(section_is_judged_in_its_own_domain_only)
{
	keeper_make(0);
	bounds_find();
	MUST(kernel_domain_set(slot(keeper.object.slot), DOMAIN_SECTION_BYTES, 0));
	for (uint32_t steps = 0; steps < at_end; steps++) {
		begin_anew();
		step(0, steps);
		run(1);
		CHECK_EQUAL(steps_to_the_end(0), at_end - steps); /* no bytes: nobody is inside */
	}
	keeper_end();
}

TEST(section_happens_once_for_each_under_preemption_by_the_timer)
{
	uint32_t slice = 1700, dispatches = 0, left = 3;
	times = 300;
	word_count = pairs = 3;
	keeper_make(0);
	for (uint32_t i = 0; i < 3; i++)
		client_restart(&threads[i], adds_often, (uint32_t)&section_one);
	for (_Bool over[3] = {0}; left && dispatches < 100000; dispatches++) {
		uint32_t number = dispatches % 3;
		slice = slice % 2011 + 307;
		if (over[number])
			continue;
		over[number] =
			client_dispatch(&threads[number], 0, slice, 0).reason == DISPATCH_ENDED;
		left -= over[number];
	}
	CHECK_EQUAL(left, 0);
	check_total(3 * times);
	keeper_end();
	pairs = 0;
	word_count = 1;
}

/* ---- stopped for ever: destroyed, aborted, faulted --------------------------------------------
 */
/* Whoever is stopped before the commit has done nothing; after it, the next one does the rest. */
static void stopped_for_ever(_Bool (*stop)(void))
{
	uint32_t happened = 0, not_happened = 0;
	for (uint32_t steps = at_start - 1; steps < at_end; steps++) {
		begin_anew();
		step(0, steps);
		_Bool committed = steps >= at_commit;
		CHECK(stop());
		run(1);
		check_total(1 + committed);
		CHECK_EQUAL(tries, 1);
		run(2);
		check_total(2 + committed);
		happened += committed;
		not_happened += !committed;
	}
	CHECK(happened > 3 && not_happened > 5);
}
static _Bool destroy(void)
{
	client_end(&threads[0]);
	client_make(&threads[0], &keeper, add_function, (uint32_t)&section_one);
	return 1;
}
static _Bool stop_at_home(void)
{
	return !kernel_thread_stop(slot(threads[0].thread.object.slot));
}
static void is_destroyed(void)
{
	stopped_for_ever(destroy);
	stopped_for_ever(stop_at_home);
}
TEST(section_of_a_killed_thread_happened_wholly_or_not_at_all)
{
	each_shape(SHAPES, 0, is_destroyed);
}

static _Bool abort_call(void)
{
	uint32_t error = kernel_abort(slot(threads[0].thread.object.slot), 1, keeper.object.frame);
	dispatch(0, 0);
	return !error || (error == ERROR_ARGUMENT && section_left); /* it has returned already */
}
static void is_aborted(void)
{
	stopped_for_ever(abort_call);
}
TEST(section_of_an_aborted_call_happened_wholly_or_not_at_all)
{
	each_shape(3, 1, is_aborted);
}

static void faults_before_the_commit(void)
{
	for (uint32_t as_service = 0; as_service < 2; as_service++) {
		keeper_make(as_service);
		domain_entries(&keeper, (uint32_t)peer_entry, 0);
		client_restart(&threads[0], add_function, NOWHERE);
		CHECK_EQUAL(dispatch(0, 0), as_service ? DISPATCH_ENDED : DISPATCH_FAULTED);
		CHECK(is_owner(0) && !section_left);
		run(1);
		check_total(1);
		keeper_end();
	}
}
TEST(section_of_a_thread_that_faulted_before_the_commit_has_not_happened)
{
	word_count = pairs = 3;
	faults_before_the_commit();
	word_count = 1;
	pairs = 0;
	faults_before_the_commit();
}

/* A store of the log faults: the page may only be read, until somebody gives the right back. */
static uint32_t total_begin(void)
{
	uint32_t frame = domain_page(&keeper, TOTAL_PAGE);
	begin_anew();
	total = (volatile uint32_t *)TOTAL_PAGE;
	domain_map(&keeper, TOTAL_PAGE, frame, PAGE_USER);
	return frame;
}
static void total_goes_on(uint32_t frame)
{
	domain_map(&keeper, TOTAL_PAGE, frame, PAGE_USER | PAGE_WRITE);
}
static void total_end(uint32_t frame, uint32_t wanted)
{
	total = frame_pointer(frame);
	check_total(wanted);
	domain_unmap(&keeper, TOTAL_PAGE);
	frame_give(frame);
	total = words;
}
static void faults_after_the_commit(void)
{
	domain_entries(&keeper, (uint32_t)peer_entry, 0);
	uint32_t frame = total_begin();
	dispatch(0, 0);
	CHECK(lock_page->count && !section_left);
	total_goes_on(frame);
	run(1);
	total_end(frame, 2);
}
TEST(section_of_a_thread_that_faulted_after_the_commit_has_happened)
{
	each_shape(SHAPES, 0, faults_after_the_commit);
	each_shape(3, 1, faults_after_the_commit);
}

/* ---- several of them ------------------------------------------------------------------------ */
/* One is stopped behind its commit; a second one, that rolls it forward, at each step of that; and
 * then the first comes back: before it was rolled forward, meanwhile, or afterwards. */
static void holder_comes_back(void)
{
	uint32_t before = 0, meanwhile = 0, afterwards = 0;
	for (uint32_t steps = at_commit; steps < at_left; steps++)
		for (uint32_t other = 0;; other++) {
			begin_anew();
			step(0, steps);
			_Bool is_over = !lock_page->count; /* all but the way out */
			if (!step(1, other))
				break;
			_Bool taken = is_owner(1), done = taken && !lock_page->count;
			before += !taken && !is_over;
			meanwhile += taken && !done;
			afterwards += done && !is_over;
			uint32_t left = taken ? steps_when_lost(steps) : at_end - steps;
			CHECK_EQUAL(steps_to_the_end(0), left);
			CHECK_EQUAL(tries, 1);
			run(1);
			check_total(2);
		}
	CHECK(before > 10 && meanwhile > 10 && afterwards > 10);
}
TEST(section_holder_comes_back_before_during_and_after_it_was_rolled_forward)
{
	each_shape(3, 0, holder_comes_back);
}

/* Each of four stands somewhere in its section, the later ones in rolling the earlier forward. */
static void chain_of(uint32_t a, uint32_t b, uint32_t c, uint32_t d, _Bool die)
{
	const uint32_t steps[] = {a, b, c, d};
	uint32_t happened = 0;
	_Bool over[4] = {0};
	begin_anew();
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t before = lock_page->count;
		for (uint32_t s = 0; s < steps[i] && !over[i]; s++) {
			over[i] = !step(i, 1);
			happened += !before && lock_page->count; /* a commit */
			before = lock_page->count;
		}
	}
	if (die)
		for (uint32_t i = 0; i < 4; i++)
			MUST(kernel_thread_stop(slot(threads[i].thread.object.slot)));
	run(4);
	for (uint32_t i = 0; i < 4 && !die; i++)
		if (!over[i ^ (a & 3)])
			run(i ^ (a & 3));
	check_total(die ? 1 + happened : 5);
}
static void chains(void)
{
	uint32_t seed = 4711;
	for (uint32_t a = at_start - 1; a < at_left; a++)
		for (uint32_t b = at_start - 1 + a % 3; b < at_left + 8; b += 3) {
			seed = seed * 1664525 + 1013904223;
			uint32_t c = at_start + (seed >> 28), d = at_start + (seed >> 20 & 31);
			chain_of(a, b, c, d, seed >> 10 & 1);
		}
}
TEST(section_of_a_chain_of_stopped_holders_happens_once_for_each)
{
	static const uint8_t shapes[] = {0, 3};
	for (uint32_t i = 0; i < sizeof(shapes); i++) {
		pairs = shapes[i];
		word_count = pairs ? pairs : 1;
		keeper_make(0);
		bounds_find();
		chains();
		keeper_end();
	}
	pairs = 0;
	word_count = 1;
}

static void in_any_interleaving(void)
{
	uint32_t seed = 12345;
	repeated = 0;
	for (uint32_t round = 0; round < 60; round++) {
		uint32_t left = 4;
		_Bool over[4] = {0};
		begin_anew();
		for (uint32_t turn = 0; left && turn < 100000; turn++) {
			seed = seed * 1664525 + 1013904223;
			uint32_t number = seed >> 30, steps = seed >> 17 & (seed >> 23 & 127);
			if (over[number])
				continue;
			over[number] = !step(number, steps + 1);
			left -= over[number];
		}
		CHECK_EQUAL(left, 0);
		check_total(4);
	}
	CHECK(repeated > 10);
}
TEST(section_happens_once_for_each_in_any_interleaving)
{
	each_shape(2, 0, in_any_interleaving);
}

TEST(section_whose_lock_page_is_destroyed_is_always_lost)
{
	keeper_make(0);
	bounds_find();
	for (uint32_t steps = at_start - 1; steps < at_end; steps++) {
		begin_anew();
		step(0, steps);
		uint32_t frame = keeper.lock.frame;
		MUST(kernel_destroy(AUTHORITY, frame, object_generation(frame)));
		run(0); /* (once: each further preemption would send it back again) */
		check_tries(steps);
		CHECK_EQUAL(*total, 1);
		keeper_end();
		keeper_make(0);
	}
	keeper_end();
}

/* ---- faults that are handled ------------------------------------------------------------------
 */
static void fault_begin(uint32_t mode, const void *target)
{
	domain_entries(&keeper, (uint32_t)peer_entry, (uint32_t)section_fault_entry);
	begin_anew();
	section_mode = mode;
	section_target = (uint32_t)target;
	client_restart(&threads[0], add_function, NOWHERE);
}

TEST(section_is_lost_after_every_fault_inside_however_the_handler_leaves)
{
	const struct {
		uint32_t mode;
		const void *target;
		_Bool is_lost; /* else it goes just there, outside */
	} ways[] = {{RESUME_AT, section_again, 0}, {RESUME_JUMP, section_again, 0},
		    {RESUME_SAME, NULL, 1},        {RESUME_AT, add_prepare, 1},
		    {RESUME_AT, section_start, 1}, {RESUME_JUMP, section_start, 1},
		    {RESUME_JUMP, add_prepare, 1}};
	for (uint32_t as_service = 0; as_service < 2; as_service++) {
		uint32_t steps = 0;
		keeper_make(as_service);
		for (uint32_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
			fault_begin(ways[i].mode, ways[i].target);
			run(0);
			CHECK_EQUAL(section_faults, 1);
			CHECK_EQUAL(tries, 2);
			check_total(1);
			fault_begin(ways[i].mode, ways[i].target);
			uint32_t took = steps_to_the_end(0);
			if (!i)
				steps = took;
			CHECK_EQUAL(took, steps + (ways[i].is_lost ? LOST_STEPS : 0));
			check_total(1);
		}
		keeper_end();
	}
}

TEST(section_and_its_fault_handler_can_be_stopped_anywhere)
{
	static const uint32_t modes[] = {RESUME_SAME, RESUME_AT, RESUME_JUMP};
	keeper_make(0);
	for (uint32_t handler_adds = 0; handler_adds < 2; handler_adds++)
		for (uint32_t i = 0; i < 3; i++)
			for (uint32_t steps = 0;; steps++) {
				section_handler_adds = handler_adds;
				fault_begin(modes[i], add_prepare);
				if (!step(0, steps))
					break;
				run(1); /* takes the section between any two instructions */
				run(0);
				CHECK(section_faults >= 1 && section_faults <= 2);
				check_total(2 + handler_adds);
				CHECK(steps < STEPS_MAX);
			}
	section_handler_adds = 0;
	keeper_end();
}

/* The fault is behind the commit, and the handler enters a section of its own: it rolls this one
 * forward, and what comes back to it finds that it has happened. */
static void handled_after_the_commit(void)
{
	for (uint32_t handler_adds = 0; handler_adds < 2; handler_adds++) {
		domain_entries(&keeper, (uint32_t)peer_entry, (uint32_t)section_fault_entry);
		section_mode = RESUME_SAME;
		section_handler_adds = handler_adds;
		uint32_t frame = total_begin();
		while (!section_faults && step(0, 1))
			;
		CHECK_EQUAL(section_faults, 1);
		total_goes_on(frame);
		run(0);
		CHECK_EQUAL(tries, 1);
		total_end(frame, 1 + handler_adds);
	}
	section_handler_adds = 0;
}
TEST(section_committed_before_its_fault_happens_once)
{
	each_shape(SHAPES, 0, handled_after_the_commit);
	each_shape(3, 1, handled_after_the_commit);
}
