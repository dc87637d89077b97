/* SPDX-License-Identifier: MIT */
/*
 * Rollforward sections: whoever is stopped inside goes on where it was, or at LOST if another
 * thread has been inside since; and what a section does happens once, whatever happens to its
 * threads.
 */
#include "test.h"

#define SECTION_LOCK 0x30000000u /* as in section.asm */
#define NOWHERE      0x0BAD0000u
#define STEPS_MAX    200u

void section_add(const uint32_t *amount);
void section_fault_entry(void);
extern const uint8_t hand_again[], hand_start[], section_read[], hand_committed[], hand_end[];
extern volatile uint32_t section_total, section_lost_count, section_lost_eip, section_fault_count,
	section_handler_adds, section_mode, section_target;
extern const uint32_t section_one;

static struct domain keeper;
static struct object lock;
static volatile struct lock_page *lock_page;
static struct client threads[4];
static uint32_t door;

static void adds(uint32_t amount)
{
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
static client_function *add_function;

static void begin_anew(void)
{
	memset((void *)lock_page, 0, PAGE_BYTES);
	section_total = section_lost_count = section_lost_eip = section_fault_count = 0;
	for (uint32_t i = 0; i < 4; i++)
		client_restart(&threads[i], add_function, (uint32_t)&section_one);
}
static void keeper_make(_Bool as_service)
{
	peer_make(&keeper, "keeper");
	lock = object_make(OBJECT_LOCK_PAGE, 0, 0);
	lock_page = frame_pointer(lock.frame);
	MUST(kernel_domain_attach(slot(keeper.object.slot), 0, slot(lock.slot)));
	domain_map(&keeper, SECTION_LOCK, lock.frame, PAGE_USER | PAGE_WRITE);
	MUST(kernel_domain_set(slot(keeper.object.slot), DOMAIN_SECTION_START,
			       (uint32_t)hand_start));
	MUST(kernel_domain_set(slot(keeper.object.slot), DOMAIN_SECTION_BYTES,
			       hand_end - hand_start));
	door = peer_door(&keeper, adds_for_client);
	add_function = as_service ? calls_to_add : adds;
	for (uint32_t i = 0; i < 4; i++)
		client_make(&threads[i], as_service ? &root_domain : &keeper, add_function,
			    (uint32_t)&section_one);
	begin_anew();
}
static void keeper_end(void)
{
	for (uint32_t i = 0; i < 4; i++)
		client_end(&threads[i]);
	slot_give(door);
	domain_unmap(&keeper, SECTION_LOCK);
	domain_end(&keeper);
	object_end(lock);
}

/* False if it ended before. */
static _Bool step(uint32_t number, uint32_t steps)
{
	while (steps--)
		if (client_step(&threads[number]).reason != DISPATCH_STEPPED)
			return 0;
	return 1;
}
static void run(uint32_t number)
{
	client_run(&threads[number]);
}
/* The owner's word is its tag from START on and until END. */
static _Bool is_inside(uint32_t number)
{
	return lock_page->owner == threads[number].thread.object.frame << CAPABILITY_INDEX_SHIFT;
}
static _Bool is_in_range(uint32_t eip)
{
	return eip - (uint32_t)hand_start < (uint32_t)(hand_end - hand_start);
}
/* Steps of thread 0 until it is inside, and until it is no more. */
static uint32_t first_inside, first_outside;
static void bounds_find(void)
{
	first_inside = first_outside = 0;
	begin_anew();
	for (uint32_t steps = 1; step(0, 1) && !first_outside; steps++) {
		if (is_inside(0) && !first_inside)
			first_inside = steps;
		if (!is_inside(0) && first_inside)
			first_outside = steps;
	}
	CHECK(first_inside && first_outside > first_inside + 10);
	CHECK_EQUAL(section_lost_count,
		    0); /* a thread that is stepped alone goes straight through */
	CHECK_EQUAL(section_total, 1);
}
static void check_total(uint32_t total)
{
	CHECK_EQUAL(section_total, total);
	CHECK_EQUAL(lock_page->count, 0);
	CHECK_EQUAL(lock_page->owner, 0);
}

TEST(section_is_lost_exactly_if_another_thread_has_entered_it)
{
	for (uint32_t as_service = 0; as_service < 2; as_service++) {
		uint32_t inside = 0, last_eip = 0;
		keeper_make(as_service);
		bounds_find();
		begin_anew();
		for (uint32_t steps = 0; step(0, steps); steps++, begin_anew()) {
			_Bool lost = is_inside(0);
			run(1);
			CHECK_EQUAL(section_lost_count, 0);
			run(0);
			CHECK_EQUAL(section_lost_count, lost);
			check_total(2);
			if (lost) { /* EAX was the instruction at which it stood */
				CHECK(is_in_range(section_lost_eip));
				CHECK(section_lost_eip > last_eip);
				last_eip = section_lost_eip;
				inside++;
			}
		}
		CHECK_EQUAL(inside, first_outside - first_inside);
		keeper_end();
	}
}

static void does_nothing(uint32_t argument)
{
	(void)argument;
}

TEST(section_is_not_lost_if_nobody_took_it)
{
	keeper_make(1);
	for (uint32_t steps = 0; step(0, steps); steps++, begin_anew()) {
		client_restart(&threads[1], does_nothing, 0);
		run(1);
		client_step(&threads[2]); /* of the way to the door */
		run(0);
		CHECK_EQUAL(section_lost_count, 0);
		check_total(1);
	}
	keeper_end();
}

TEST(section_is_judged_in_its_own_domain_only)
{
	keeper_make(0);
	MUST(kernel_domain_set(slot(keeper.object.slot), DOMAIN_SECTION_BYTES, 0));
	for (uint32_t steps = 0; step(0, steps); steps++, begin_anew()) {
		run(1);
		run(0);
		CHECK_EQUAL(section_lost_count, 0); /* a range of no bytes has nobody inside */
	}
	keeper_end();
}

/* Whoever is killed before the commit has done nothing; after it, the next one does the rest. */
TEST(section_of_a_killed_thread_happened_wholly_or_not_at_all)
{
	uint32_t happened = 0, not_happened = 0;
	keeper_make(0);
	bounds_find();
	for (uint32_t steps = first_inside - 1; steps <= first_outside; steps++) {
		begin_anew();
		step(0, steps);
		_Bool committed = lock_page->count || section_total;
		client_end(&threads[0]);
		run(1);
		check_total(1 + committed);
		CHECK_EQUAL(section_lost_count, 0);
		happened += committed;
		not_happened += !committed;
		client_make(&threads[0], &keeper, add_function, (uint32_t)&section_one);
	}
	CHECK(happened > 4 && not_happened > 4);
	keeper_end();
}

TEST(section_of_three_threads_happens_three_times)
{
	keeper_make(0);
	bounds_find();
	for (uint32_t a = first_inside - 1; a <= first_outside; a++)
		for (uint32_t b = first_inside - 1; b <= first_outside; b++)
			for (uint32_t order = 0; order < 2; order++) {
				begin_anew();
				step(0, a);
				_Bool lost_0 = is_inside(0);
				step(1, b);
				_Bool lost_1 = is_inside(1);
				run(2);
				run(order);
				run(1 - order);
				check_total(3);
				CHECK_EQUAL(section_lost_count, lost_0 + lost_1);
			}
	keeper_end();
}

TEST(section_happens_once_for_each_in_any_interleaving)
{
	uint32_t seed = 12345, lost = 0;
	keeper_make(0);
	for (uint32_t round = 0; round < 200; round++) {
		uint32_t left = 4;
		_Bool over[4] = {0};
		begin_anew();
		for (uint32_t turn = 0; left && turn < 100000; turn++) {
			seed = seed * 1664525 + 1013904223;
			uint32_t number = seed >> 30, steps = seed >> 20 & (seed >> 25 & 15);
			if (over[number])
				continue;
			over[number] = !step(number, steps + 1);
			left -= over[number];
		}
		CHECK_EQUAL(left, 0);
		check_total(4);
		lost += section_lost_count;
	}
	CHECK(lost > 100);
	keeper_end();
}

TEST(section_whose_lock_page_is_destroyed_is_always_lost)
{
	keeper_make(0);
	bounds_find();
	for (uint32_t steps = first_inside - 1; steps <= first_outside; steps++) {
		begin_anew();
		step(0, steps);
		_Bool inside = is_inside(0);
		MUST(kernel_destroy(AUTHORITY, lock.frame, object_generation(lock.frame)));
		run(0);
		CHECK_EQUAL(section_lost_count, inside);
		CHECK_EQUAL(section_total, 1);
		keeper_end();
		keeper_make(0);
	}
	keeper_end();
}

/* ---- faults inside
 * ----------------------------------------------------------------------------------- */
static void fault_begin(uint32_t mode, const uint8_t *target)
{
	domain_entries(&keeper, (uint32_t)peer_entry, (uint32_t)section_fault_entry);
	begin_anew();
	section_mode = mode;
	section_target = (uint32_t)target;
	client_restart(&threads[0], add_function, NOWHERE);
}

TEST(section_is_lost_after_every_fault_inside_however_the_handler_leaves)
{
	static const struct {
		uint32_t mode;
		const uint8_t *target, *lost_at; /* null: outside, so it goes just there */
	} ways[] = {
		{RESUME_SAME, NULL, section_read},     {RESUME_AT, section_read, section_read},
		{RESUME_AT, hand_start, hand_start},   {RESUME_AT, hand_again, NULL},
		{RESUME_JUMP, hand_start, hand_start}, {RESUME_JUMP, section_read, section_read},
		{RESUME_JUMP, hand_again, NULL}};
	for (uint32_t as_service = 0; as_service < 2; as_service++) {
		keeper_make(as_service);
		for (uint32_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
			for (uint32_t stepped = 0; stepped < 2; stepped++) {
				fault_begin(ways[i].mode, ways[i].target);
				if (stepped)
					while (client_step(&threads[0]).reason == DISPATCH_STEPPED)
						;
				else
					run(0);
				CHECK_EQUAL(section_fault_count, 1);
				CHECK_EQUAL(section_lost_count, ways[i].lost_at != NULL);
				CHECK_EQUAL(section_lost_eip, (uint32_t)ways[i].lost_at);
				check_total(1);
			}
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
				fault_begin(modes[i], section_read);
				if (!step(0, steps))
					break;
				run(1); /* takes the section between any two instructions */
				run(0);
				CHECK(section_fault_count >= 1 && section_fault_count <= 2);
				CHECK(section_lost_count >= 1);
				check_total(2 + handler_adds);
				CHECK(steps < STEPS_MAX);
			}
	section_handler_adds = 0;
	keeper_end();
}
