/* SPDX-License-Identifier: MIT */
/* What a call lends besides the thread: capabilities, windows, slots for results. */
#include "raw.h"

#define SLOT_ONWARD 1u /* in the list of a peer: where it calls to */
#define SLOT_KEPT   9u

static struct client client;
static uint32_t shared_door, shared_result, shared_value;

/* ---- capabilities ------------------------------------------------------------------------ */
PEER say(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)a, (void)b;
	return ANSWER(0, badge_high);
}

/* Which lent slots answer: a digit for each, 0 for those that are none. */
PEER ask_all(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)a, (void)b, (void)badge_high;
	uint32_t digits = 0;
	for (uint32_t i = 0; i < LENT_SLOTS; i++) {
		uint32_t value;
		uint32_t result = door_call(lent_slot(i).encoded | OPTION_NESTED, 0, 0, 0, &value);
		if (DOOR_ERROR(result) && result != ERROR_EMPTY)
			return ANSWER(result, digits);
		digits = digits << 4 | (DOOR_ERROR(result) ? 0 : value);
	}
	return ANSWER(0, digits);
}

static uint32_t says(struct domain *peer, uint32_t digit)
{
	return domain_door(peer, (uint64_t)digit << 32 | (uint32_t)say);
}

struct four {
	struct domain sayer, asker;
	uint32_t door, say[LENT_SLOTS];
};
static void four_make(struct four *four, peer_function *asks)
{
	peer_make(&four->sayer, "sayer");
	peer_make(&four->asker, "asker");
	four->door = peer_door(&four->asker, asks);
	for (uint32_t i = 0; i < LENT_SLOTS; i++)
		four->say[i] = says(&four->sayer, i + 1);
}
static void four_end(struct four *four)
{
	for (uint32_t i = 0; i < LENT_SLOTS; i++)
		slot_give(four->say[i]);
	slot_give(four->door);
	domain_end(&four->sayer);
	domain_end(&four->asker);
}
static uint32_t ask(struct four *four, uint32_t options, uint32_t slots)
{
	uint32_t value;
	uint32_t result =
		door_call_lend(slot(four->door).encoded | options, 0, 0, slots, 0, &value);
	CHECK_EQUAL(result, RETURN);
	return value;
}

TEST(lend_four_capabilities_in_their_order)
{
	struct four four;
	four_make(&four, ask_all);
	const uint32_t *s = four.say;
	CHECK_EQUAL(ask(&four, OPTION_CAPABILITIES, LEND_SLOTS(s[0], s[1], s[2], s[3])), 0x1234);
	CHECK_EQUAL(ask(&four, OPTION_CAPABILITIES, LEND_SLOTS(s[3], s[3], s[0], s[2])), 0x4413);
	CHECK_EQUAL(ask(&four, OPTION_CAPABILITIES | OPTION_NESTED, LEND_SLOTS(s[1], 0, 0, s[2])),
		    0x2003);
	four_end(&four);
}

TEST(lend_shows_nothing_of_the_call_before)
{
	static const uint32_t options[] = {0, OPTION_MAY_WAIT, OPTION_NESTED, OPTION_KEEP,
					   OPTION_WINDOWS};
	struct four four;
	four_make(&four, ask_all);
	const uint32_t *s = four.say;
	for (uint32_t i = 0; i < sizeof(options) / 4; i++) {
		CHECK_EQUAL(ask(&four, OPTION_CAPABILITIES, LEND_SLOTS(s[0], s[1], s[2], s[3])),
			    0x1234);
		CHECK_EQUAL(ask(&four, options[i], LEND_SLOTS(s[0], s[1], s[2], s[3])), 0);
		CHECK_EQUAL(ask(&four, OPTION_CAPABILITIES, LEND_SLOTS(s[0], 0, 0, 0)), 0x1000);
		CHECK_EQUAL(ask(&four, OPTION_CAPABILITIES, 0), 0);
	}
	four_end(&four);
}

/* Lends on what it got, in another order; b is not to be seen, EBX names the slots. */
PEER ask_onward(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)b, (void)badge_high;
	uint32_t value, result = door_call_lend(SLOT_ONWARD | OPTION_NESTED | OPTION_CAPABILITIES |
							operation,
						0, 0, a, 0, &value);
	return DOOR_ERROR(result) ? ANSWER(1, result) : ANSWER(0, value);
}

TEST(lend_on_what_was_lent)
{
	struct four four;
	struct domain between;
	four_make(&four, ask_all);
	peer_make(&between, "between");
	uint32_t own = says(&four.sayer, 7), door = peer_door(&between, ask_onward), value;
	domain_give(&between, SLOT_ONWARD, four.door);
	domain_give(&between, 2, own);
	uint32_t lent = LEND_SLOTS(four.say[0], four.say[1], four.say[2], 0);
	static const struct {
		uint32_t slots, status, value;
	} cases[] = {
		{LEND_SLOTS(0x80, 0x81, 0x82, 0x83), 0, 0x1230},
		{LEND_SLOTS(0x82, 2, 0x80, 0), 0, 0x3710},
		{LEND_SLOTS(0, 0, 0, 0x81), 0, 0x0002},
		{LEND_SLOTS(0x84, 0, 0, 0), 1, ERROR_EMPTY},
		{LEND_SLOTS(2, 2, 2, 0xFF), 1, ERROR_EMPTY},
	};
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t result = door_call_lend(slot(door).encoded | OPTION_CAPABILITIES, 0,
						 cases[i].slots, lent, 0, &value);
		CHECK_EQUAL(result, RETURN + cases[i].status);
		CHECK_EQUAL(value, cases[i].value);
	}
	/* nothing was lent to it: it has nothing to lend on */
	CHECK_EQUAL(door_call(slot(door).encoded, 0, 0x80, 0, &value), RETURN + 1);
	CHECK_EQUAL(value, ERROR_EMPTY);
	slot_give(own);
	slot_give(door);
	domain_end(&between);
	four_end(&four);
}

PEER keep(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)a, (void)b, (void)badge_high;
	uint32_t error = kernel_copy(slot(SLOT_KEPT), lent_slot(0));
	if (!error)
		kernel_delete(slot(SLOT_KEPT));
	return ANSWER(0, error);
}

TEST(lend_on_never_widens_what_may_be_kept)
{
	struct four four;
	struct domain between;
	four_make(&four, keep);
	peer_make(&between, "between");
	uint32_t door = peer_door(&between, ask_onward), value;
	domain_give(&between, SLOT_ONWARD, four.door);
	domain_give(&between, 2, four.say[1]);
	static const struct {
		uint32_t first, second, slots, error;
	} cases[] = {
		{0, 0, LEND_SLOTS(0x80, 0, 0, 0), ERROR_TRANSIENT},
		{0, OPTION_KEEP, LEND_SLOTS(0x80, 0, 0, 0), ERROR_TRANSIENT},
		{OPTION_KEEP, 0, LEND_SLOTS(0x80, 0, 0, 0), ERROR_TRANSIENT},
		{OPTION_KEEP, OPTION_KEEP, LEND_SLOTS(0x80, 0, 0, 0), 0},
		{0, OPTION_KEEP, LEND_SLOTS(2, 0, 0, 0), 0},
		{0, OPTION_KEEP, LEND_SLOTS(2, 0, 0, 0x80), ERROR_TRANSIENT},
		{0, 0, LEND_SLOTS(2, 0, 0, 0), ERROR_TRANSIENT},
	};
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t result = door_call_lend(
			slot(door).encoded | OPTION_CAPABILITIES | cases[i].first, cases[i].second,
			cases[i].slots, LEND_SLOTS(four.say[0], 0, 0, 0), 0, &value);
		CHECK_EQUAL(result, RETURN);
		CHECK_EQUAL(value, cases[i].error);
	}
	slot_give(door);
	domain_end(&between);
	four_end(&four);
}

/* ---- windows ----------------------------------------------------------------------------- */
#define WORD_0 ((volatile uint32_t *)WINDOW_0)
#define WORD_1 ((volatile uint32_t *)WINDOW_1)
#define NONE   0xEu

/* Two hexadecimal digits: what the windows show (NONE: a fault); adds 1 to what it finds. */
static uint32_t windows_look(void)
{
	uint32_t first, second;
	if (!try_load(WORD_0, &first))
		first = NONE;
	else if (!try_store(WORD_0, first + 1))
		first = 0xF;
	if (!try_load(WORD_1, &second))
		second = NONE;
	else if (!try_store(WORD_1, second + 1))
		second = 0xF;
	return (first & 15) << 4 | (second & 15);
}
PEER look(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)a, (void)b, (void)badge_high;
	return ANSWER(0, windows_look());
}

struct two {
	struct domain looker;
	uint32_t door;
	struct lendable first, second;
};
static void two_make(struct two *two, peer_function *looks)
{
	peer_make(&two->looker, "looker");
	two->door = peer_door(&two->looker, looks);
	lendable_make(&two->first, LENDABLE_FIRST);
	lendable_make(&two->second, LENDABLE_SECOND);
	*two->first.page = 1;
	*two->second.page = 5;
}
static void two_end(struct two *two)
{
	lendable_end(&two->first);
	lendable_end(&two->second);
	slot_give(two->door);
	domain_end(&two->looker);
}
#define FIRST  ENTRY_OF(LENDABLE_FIRST)
#define SECOND ENTRY_OF(LENDABLE_SECOND)
static uint32_t look_through(uint32_t door, uint32_t windows)
{
	uint32_t value;
	uint32_t result =
		door_call_lend(slot(door).encoded | OPTION_WINDOWS, 0, 0, 0, windows, &value);
	CHECK_EQUAL(result, RETURN);
	return value;
}
static uint32_t look_without(uint32_t door)
{
	uint32_t value;
	CHECK_EQUAL(door_call(slot(door).encoded, 0, 0, 0, &value), RETURN);
	return value;
}

TEST(windows_are_read_and_written_and_gone_after_the_return)
{
	struct two two;
	two_make(&two, look);
	CHECK_EQUAL(look_without(two.door), 0xEE);
	CHECK_EQUAL(look_through(two.door, LEND_WINDOWS(FIRST, SECOND)), 0x15);
	CHECK_EQUAL(look_without(two.door), 0xEE);
	CHECK_EQUAL(look_through(two.door, LEND_WINDOWS(0, FIRST)), 0xE2);
	CHECK_EQUAL(look_without(two.door), 0xEE);
	CHECK_EQUAL(look_through(two.door, LEND_WINDOWS(SECOND, 0)), 0x6E);
	CHECK_EQUAL(look_through(two.door, LEND_WINDOWS(0, 0)), 0xEE);
	CHECK_EQUAL(look_through(two.door, LEND_WINDOWS(SECOND, SECOND)), 0x78);
	CHECK_EQUAL(*two.first.page, 3);
	CHECK_EQUAL(*two.second.page, 9);
	CHECK_EQUAL(look_without(two.door), 0xEE);
	two_end(&two);
}

TEST(windows_are_registered_page_tables_below_the_window_table)
{
	struct two two;
	two_make(&two, look);
	uint32_t *directory = frame_pointer(root_domain.directory_frame);
	uint32_t stranger = frame_take();
	directory[3] =
		stranger << 12 | PAGE_USER | PAGE_WRITE;     /* no table that anybody registered */
	directory[4] = 0x40000000u | PAGE_USER | PAGE_WRITE; /* beyond the object table */
	const uint32_t bad[] = {2,                           /* not present */
				3,
				4,
				ENTRY_OF(LINEAR_BASE), /* of 4 MiB */
				ENTRY_OF(WINDOW_TABLE),
				ENTRY_OF(WINDOW_0),
				ENTRY_OF(KERNEL_BASE),
				0x3FE,
				0x3FF,
				0x400,
				0xFFFF};
	for (uint32_t i = 0; i < sizeof(bad) / 4; i++) {
		uint32_t target = slot(two.door).encoded | OPTION_WINDOWS;
		CHECK_EQUAL(door_call_lend(target, 0, 0, 0, LEND_WINDOWS(bad[i], 0), NULL),
			    ERROR_WINDOW);
		CHECK_EQUAL(door_call_lend(target, 0, 0, 0, LEND_WINDOWS(0, bad[i]), NULL),
			    ERROR_WINDOW);
		CHECK_EQUAL(door_call_lend(target, 0, 0, 0, LEND_WINDOWS(FIRST, bad[i]), NULL),
			    ERROR_WINDOW);
		CHECK_EQUAL(look_without(two.door), 0xEE);
	}
	directory[3] = directory[4] = 0;
	frame_give(stranger);
	two_end(&two);
}

/* A directory entry of 4 MiB whose first frame holds a registered page table: it is no table. */
TEST(windows_are_never_of_four_megabytes)
{
	struct two two;
	two_make(&two, look);
	uint32_t frame = (boot_record->low_end_frame - 1) & ~1023u; /* as large pages begin */
	uint32_t generation = object_generation(frame);
	uint32_t entry = ENTRY_OF(LINEAR_BASE + (frame << 12)),
		 target = slot(two.door).encoded | OPTION_WINDOWS;
	CHECK_EQUAL(door_call_lend(target, 0, 0, 0, LEND_WINDOWS(entry, 0), NULL), ERROR_WINDOW);
	MUST(kernel_create(AUTHORITY, OBJECT_TABLE, 0, frame, generation, 0));
	CHECK_EQUAL(door_call_lend(target, 0, 0, 0, LEND_WINDOWS(entry, 0), NULL), ERROR_WINDOW);
	CHECK_EQUAL(door_call_lend(target, 0, 0, 0, LEND_WINDOWS(0, entry), NULL), ERROR_WINDOW);
	MUST(kernel_destroy(AUTHORITY, frame, generation));
	two_end(&two);
}

TEST(windows_not_named_are_not_lent_even_if_page_0_has_a_table)
{
	struct two two;
	struct lendable lowest;
	two_make(&two, look);
	lendable_make(&lowest, 0);
	*lowest.page = 9;
	CHECK_EQUAL(look_through(two.door, LEND_WINDOWS(FIRST, 0)), 0x1E);
	CHECK_EQUAL(look_through(two.door, LEND_WINDOWS(0, SECOND)), 0xE5);
	CHECK_EQUAL(look_through(two.door, LEND_WINDOWS(0, 0)), 0xEE);
	lendable_end(&lowest);
	two_end(&two);
}

/* Looks, lets somebody else look who has other windows or none, and looks again. */
PEER look_around(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)a, (void)b, (void)badge_high;
	uint32_t before = windows_look(), between = 0;
	uint32_t result = door_call(SLOT_ONWARD | OPTION_NESTED | operation, 0, 0, 0, &between);
	uint32_t lent_on = door_call_lend(SLOT_ONWARD | OPTION_NESTED | OPTION_WINDOWS, 0, 0, 0,
					  LEND_WINDOWS(ENTRY_OF(WINDOW_0), 0), NULL);
	if (lent_on != ERROR_WINDOW)
		return ANSWER(1, lent_on);
	return ANSWER(DOOR_STATUS(result), before << 16 | between << 8 | windows_look());
}

TEST(windows_come_back_when_a_service_has_called_another)
{
	static const uint32_t options[] = {0, OPTION_MAY_WAIT};
	struct two two;
	struct domain outer;
	two_make(&two, look);
	peer_make(&outer, "outer");
	uint32_t door = peer_door(&outer, look_around), same = peer_door(&outer, look);
	for (uint32_t i = 0; i < 4; i++) {
		domain_give(&outer, SLOT_ONWARD, i < 2 ? two.door : same); /* another, or itself */
		*two.first.page = 1;
		*two.second.page = 5;
		uint32_t value;
		uint32_t result =
			door_call_lend(slot(door).encoded | OPTION_WINDOWS, options[i % 2], 0, 0,
				       LEND_WINDOWS(FIRST, SECOND), &value);
		CHECK_EQUAL(result, RETURN);
		CHECK_EQUAL(value, 0x15EE26);
	}
	slot_give(door);
	slot_give(same);
	domain_end(&outer);
	two_end(&two);
}

/* ---- tables that are retired meanwhile: review 3.1 --------------------------------------- */
PEER look_and_retire(uint32_t operation, uint32_t table, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)b, (void)badge_high;
	uint32_t before = windows_look();
	uint32_t error = kernel_destroy(slot(SLOT_ONWARD), table, object_generation(table));
	return ANSWER(error, before << 8 | windows_look());
}

static uint32_t *retired_page(struct two *two)
{
	uint32_t *table = frame_pointer(two->first.table);
	return &table[0];
}

TEST(table_retired_by_the_callee_that_runs_on_it_is_gone_at_once)
{
	struct two two;
	two_make(&two, look_and_retire);
	domain_give(&two.looker, SLOT_ONWARD, ROOT_AUTHORITY);
	uint32_t value;
	uint32_t result = door_call_lend(slot(two.door).encoded | OPTION_WINDOWS, 0,
					 two.first.table, 0, LEND_WINDOWS(FIRST, SECOND), &value);
	CHECK_EQUAL(result, RETURN);
	CHECK_EQUAL(value, 0x15E6);
	/* and can't be lent any more */
	result = door_call_lend(slot(two.door).encoded | OPTION_WINDOWS, 0, 0, 0,
				LEND_WINDOWS(FIRST, 0), NULL);
	CHECK_EQUAL(result, ERROR_WINDOW);
	two_end(&two);
}

static uint32_t shared_windows;
static void client_lends(uint32_t argument)
{
	(void)argument;
	shared_result = door_call_lend(slot(shared_door).encoded | OPTION_WINDOWS, 0, 0, 0,
				       shared_windows, &shared_value);
}

/*
 * The thread is frozen as the service is entered; the table is retired, its frame is a table again
 * (of another generation) or whatever the attacker writes. The service must not see it.
 */
TEST(table_retired_under_a_frozen_thread_is_never_loaded_again)
{
	for (uint32_t again = 0; again < 2; again++) {
		struct two two;
		two_make(&two, look);
		shared_door = two.door;
		shared_windows = LEND_WINDOWS(FIRST, SECOND);
		client_make(&client, &root_domain, client_lends, 0);
		CHECK(client_step_to_depth(&client, 1));
		object_destroy((struct object){two.first.table, 0});
		if (again)
			MUST(kernel_create(AUTHORITY, OBJECT_TABLE, 0, two.first.table,
					   object_generation(two.first.table), 0));
		*retired_page(&two) = 0x00000000u | PAGE_USER | PAGE_WRITE; /* "all memory" */
		client_run(&client);
		CHECK_EQUAL(shared_result, RETURN);
		CHECK_EQUAL(shared_value, 0xE5);
		client_end(&client);
		CHECK_EQUAL(look_without(two.door), 0xEE);
		two_end(&two);
	}
}

TEST(table_retired_while_the_service_calls_another_does_not_come_back)
{
	struct two two;
	struct domain outer;
	two_make(&two, look);
	peer_make(&outer, "outer");
	domain_give(&outer, SLOT_ONWARD, two.door);
	shared_door = peer_door(&outer, look_around);
	shared_windows = LEND_WINDOWS(FIRST, SECOND);
	client_make(&client, &root_domain, client_lends, 0);
	CHECK(client_step_to_depth(&client, 2));
	object_destroy((struct object){two.second.table, 0});
	client_run(&client);
	CHECK_EQUAL(shared_value, 0x15EE2E);
	client_end(&client);
	slot_give(shared_door);
	domain_end(&outer);
	two_end(&two);
}

/* ---- capabilities as results ------------------------------------------------------------- */
#define NOTHING_GIVEN 3u
/* Hands over slots of its own list and lent ones; refused: NOTHING_GIVEN and the error. */
PEER give(uint32_t slots, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)a, (void)b, (void)badge_high;
	struct registers r = {
		.eax = RETURN + RETURN_CAPABILITIES + 7, .ebx = slots, .eflags = FLAGS_PLAIN};
	raw_invoke(&r); /* comes back only if it was refused */
	return ANSWER(NOTHING_GIVEN, r.eax);
}

static uint32_t who(uint32_t slot_number)
{
	uint32_t value;
	uint32_t result = door_call(slot(slot_number).encoded, 0, 0, 0, &value);
	return DOOR_ERROR(result) ? 0xE00 + result : value;
}

TEST(results_go_into_the_designated_slots_and_nowhere_else)
{
	struct four four;
	four_make(&four, give);
	uint32_t to[LENT_SLOTS], target = slot(four.door).encoded;
	for (uint32_t i = 0; i < LENT_SLOTS; i++) {
		domain_give(&four.asker, 10 + i, four.say[i]);
		to[i] = slot_take();
	}
	uint32_t given = LEND_SLOTS(10, 11, 12, 13);
	uint32_t all = LEND_SLOTS(to[0], to[1], to[2], to[3]);
	CHECK_EQUAL(door_call(target | OPTION_RESULTS, given, all, 0, NULL), RETURN + 7);
	for (uint32_t i = 0; i < LENT_SLOTS; i++) {
		CHECK_EQUAL(who(to[i]), i + 1);
		MUST(kernel_delete(slot(to[i])));
	}
	/* more than designated: those are dropped; slot 0 stays what it is */
	CHECK_EQUAL(door_call(target | OPTION_RESULTS, given, LEND_SLOTS(0, to[1], 0, 0), 0, NULL),
		    RETURN + 7);
	CHECK_EQUAL(who(to[0]), 0xE00 + ERROR_EMPTY);
	CHECK_EQUAL(who(to[1]), 2);
	CHECK_EQUAL(kernel_probe(slot(SLOT_SELF)), 0);
	/* fewer than designated: those stay as they are */
	CHECK_EQUAL(door_call(target | OPTION_RESULTS, LEND_SLOTS(10, 0, 0, 0), all, 0, NULL),
		    RETURN + 7);
	CHECK_EQUAL(who(to[0]), 1);
	CHECK_EQUAL(who(to[1]), 2);
	CHECK_EQUAL(who(to[2]), 0xE00 + ERROR_EMPTY);
	for (uint32_t i = 0; i < LENT_SLOTS; i++)
		slot_give(to[i]);
	four_end(&four);
}

/* Makes what its list has at `from` the result, by way of slot `to`. */
PEER mint(uint32_t from, uint32_t a, uint32_t to, uint32_t badge_high)
{
	(void)a, (void)badge_high;
	uint32_t error = kernel_copy((slot_t){to}, slot(from));
	if (!error && (to & SLOT_LENT))
		answer_capability(0x600D);
	return ANSWER(NOTHING_GIVEN, error);
}

PEER mint_over_what_is_lent(uint32_t from, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)b;
	return mint(from, a, SLOT_LENT, badge_high);
}

TEST(scratch_slots_need_designated_results_and_nothing_lent)
{
	struct four four;
	four_make(&four, mint);
	uint32_t to = slot_take(), target = slot(four.door).encoded, value;
	domain_give(&four.asker, 10, four.say[2]);
	CHECK_EQUAL(door_call(target | OPTION_RESULTS, 10, to, SLOT_LENT, &value), RETURN);
	CHECK_EQUAL(value, 0x600D);
	CHECK_EQUAL(who(to), 3);
	static const uint32_t bad[] = {SLOT_LENT + 4, SLOT_LENT + 0x7F, SLOT_LENT | 1u << 16,
				       SLOT_LENT | 0x100, 1u << 31 | SLOT_LENT};
	for (uint32_t i = 0; i < sizeof(bad) / 4; i++) {
		CHECK_EQUAL(door_call(target | OPTION_RESULTS, 10, to, bad[i], &value),
			    RETURN + NOTHING_GIVEN);
		CHECK_EQUAL(value, ERROR_ARGUMENT);
	}
	static const uint32_t options[] = {0, OPTION_MAY_WAIT, OPTION_NESTED, OPTION_KEEP};
	for (uint32_t i = 0; i < sizeof(options) / 4; i++) {
		CHECK_EQUAL(door_call(target | options[i], 10, to, SLOT_LENT, &value),
			    RETURN + NOTHING_GIVEN);
		CHECK_EQUAL(value, ERROR_ARGUMENT);
	}
	/* what the client lends stays what it is */
	uint32_t both = OPTION_RESULTS | OPTION_CAPABILITIES | OPTION_KEEP;
	uint32_t door = peer_door(&four.asker, mint_over_what_is_lent);
	CHECK_EQUAL(door_call_lend(slot(door).encoded | both, 10, to,
				   LEND_SLOTS(four.say[0], 0, 0, 0), 0, &value),
		    RETURN + NOTHING_GIVEN);
	CHECK_EQUAL(value, ERROR_ARGUMENT);
	slot_give(door);
	slot_give(to);
	four_end(&four);
}

static uint32_t shared_first, shared_second;
static void client_mints(uint32_t from)
{
	shared_result = door_call(slot(shared_door).encoded | OPTION_RESULTS, from,
				  from == 10 ? shared_first : shared_second, SLOT_LENT, NULL);
}

/* One client is frozen at each instruction of the call in turn, while another one's call mints
 * something else: each gets its own. */
TEST(scratch_slots_are_of_one_activation)
{
	struct four four;
	four_make(&four, mint);
	shared_door = four.door;
	shared_first = slot_take(), shared_second = slot_take(); /* a byte designates them */
	CHECK(shared_first < LIST_SLOTS && shared_second < LIST_SLOTS);
	domain_give(&four.asker, 10, four.say[0]);
	domain_give(&four.asker, 11, four.say[1]);
	static struct client other;
	client_make(&other, &root_domain, client_mints, 11);
	client_make(&client, &root_domain, client_mints, 10);
	uint32_t steps = 0, reason;
	do {
		client_restart(&client, client_mints, 10);
		reason = DISPATCH_STEPPED;
		for (uint32_t i = 0; i <= steps && reason == DISPATCH_STEPPED; i++)
			reason = client_step(&client).reason;
		client_restart(&other, client_mints, 11);
		client_run(&other);
		if (reason == DISPATCH_STEPPED)
			client_run(&client);
		CHECK_EQUAL(who(shared_first), 1);
		CHECK_EQUAL(who(shared_second), 2);
		MUST(kernel_delete(slot(shared_first)));
		MUST(kernel_delete(slot(shared_second)));
		steps++;
	} while (reason == DISPATCH_STEPPED && steps < 1000);
	CHECK(steps > 40 && steps < 1000);
	slot_give(shared_first);
	slot_give(shared_second);
	client_end(&other);
	client_end(&client);
	four_end(&four);
}

TEST(results_that_nobody_designated_are_refused)
{
	struct four four;
	four_make(&four, give);
	uint32_t target = slot(four.door).encoded, value;
	domain_give(&four.asker, 10, four.say[0]);
	CHECK_EQUAL(door_call(target, 10, 0x21212121, 0, &value), RETURN + NOTHING_GIVEN);
	CHECK_EQUAL(value, ERROR_ARGUMENT);
	CHECK_EQUAL(door_call(target | OPTION_MAY_WAIT, 10, 0x21212121, 0, &value),
		    RETURN + NOTHING_GIVEN);
	CHECK_EQUAL(value, ERROR_ARGUMENT);
	four_end(&four);
}

TEST(results_that_were_only_lent_are_refused_and_none_is_given)
{
	struct four four;
	four_make(&four, give);
	uint32_t options = slot(four.door).encoded | OPTION_RESULTS | OPTION_CAPABILITIES, value;
	uint32_t to = slot_take(), lent = LEND_SLOTS(four.say[2], 0, 0, 0);
	domain_give(&four.asker, 10, four.say[0]);
	uint32_t result = door_call_lend(options, LEND_SLOTS(10, 0x80, 0, 0), to, lent, 0, &value);
	CHECK_EQUAL(result, RETURN + NOTHING_GIVEN);
	CHECK_EQUAL(value, ERROR_TRANSIENT);
	result = door_call_lend(options, LEND_SLOTS(10, 0x85, 0, 0), to, lent, 0, &value);
	CHECK_EQUAL(result, RETURN + NOTHING_GIVEN);
	CHECK_EQUAL(value, ERROR_EMPTY);
	CHECK_EQUAL(who(to), 0xE00 + ERROR_EMPTY);
	result = door_call_lend(options | OPTION_KEEP, LEND_SLOTS(0x80, 0, 0, 0), to, lent, 0,
				&value);
	CHECK_EQUAL(result, RETURN + 7);
	CHECK_EQUAL(who(to), 3);
	slot_give(to);
	four_end(&four);
}

/* What comes as a result may be anything, so one calls it with OPTION_NESTED: no operation of the
 * kernel takes that (review 1.10). */
TEST(results_called_as_doors_are_never_operations_of_the_kernel)
{
	struct four four;
	four_make(&four, give);
	uint32_t to = slot_take(), empty = slot_take();
	domain_give(&four.asker, 10, four.asker.object.slot);
	MUST(kernel_copy(slot(empty), slot(four.say[0])));
	uint32_t result = door_call(slot(four.door).encoded | OPTION_RESULTS, 10, to, 0, NULL);
	CHECK_EQUAL(result, RETURN + 7);
	CHECK_EQUAL(kernel_probe(slot(to)), 0);
	result =
		door_call(slot(to).encoded | OPTION_NESTED, domain_grant_op, 20, four.say[0], NULL);
	CHECK_EQUAL(result, ERROR_ARGUMENT);
	struct words read;
	MUST(kernel_domain_read(slot(four.asker.object.slot), slot(20), &read));
	CHECK_EQUAL(read.w[0], 0);
	slot_give(empty);
	slot_give(to);
	four_end(&four);
}
