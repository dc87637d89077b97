/* SPDX-License-Identifier: MIT */
/*
 * The sweep: a client is stopped after each instruction of a call in turn; there it is preempted,
 * killed, aborted, or something is taken from it or from its service. Whatever happens, it comes to
 * an end that has a name, another client of the same services notices nothing, and nothing is left.
 */
#include "raw.h"

#define TABLE_0      0x20000000u /* two page tables of each client, with a page each */
#define TABLE_1      0x20400000u
#define SECRET       0x5EC2E700u
#define NOT_ANSWERED 0xDEADu
#define INNER_FAILED 100u /* status of a service whose own call failed; the word is its error */
#define STEPS_MAX    400u

/* The lists of clients, and (the first) of the outer service. */
enum slot_there { SLOT_ONWARD = 1, SLOT_BADGE = 3, SLOT_PAGE_0, SLOT_INNER, SLOT_PAGE_1 };
enum service { OUTER, INNER, SERVICES };
enum scenario { PLAIN, LEND, NESTED, NEXT_PAGE, CATCH, CATCH_AT_HOME, SCENARIOS };
/* Status bits of the service that gets something lent: what of it was not there. */
enum missing {
	WINDOW_0_GONE = 1,
	WINDOW_1_GONE = 2,
	BADGE_GONE = 4,
	PAGE_0_GONE = 8,
	PAGE_1_GONE = 16,
	INNER_GONE = 32
};

static struct domain service[SERVICES], place[2];
static struct object pages[2][2]; /* objects that the clients lend */
static struct client clients[2];
static enum scenario scenario;
static uint64_t gone; /* consumed by clients that are no more */
static volatile struct {
	uint32_t result, value;
} answer[2];

/* sweep.asm: a load that faults, and a handler that catches it and nothing else, in a few steps. */
uint32_t nowhere_is_there(void);
void short_fault_entry(void);

/* ---- services and clients ----------------------------------------------------------------------
 */
PEER add(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)badge_high;
	volatile uint32_t scratch[4]; /* whoever stands on the same page must not be here */
	scratch[0] = scratch[1] = scratch[2] = scratch[3] = a;
	return ANSWER(operation, a + b);
}

static OPERATION uint64_t forward_with(uint32_t options, uint32_t a, uint32_t b)
{
	uint32_t value;
	uint32_t result = door_call(SLOT_ONWARD | options, 2, a, b, &value);
	return DOOR_ERROR(result) ? ANSWER(INNER_FAILED, result)
				  : ANSWER(DOOR_STATUS(result), value + 1);
}
PEER forward(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)badge_high;
	return forward_with(OPTION_NESTED, a, b);
}
PEER forward_on_next_page(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)badge_high;
	return forward_with(OPTION_NEXT_PAGE, a, b);
}

PEER touch(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)badge_high;
	return ANSWER(operation + nowhere_is_there(), a + b);
}

PEER use_what_is_lent(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)b, (void)badge_high;
	uint32_t missing = 0, sum = 0, part;
	uint64_t badge;
	if (try_load((const uint32_t *)WINDOW_0, &part))
		sum += part;
	else
		missing |= WINDOW_0_GONE;
	if (kernel_badge(lent_slot(0), &badge))
		missing |= BADGE_GONE;
	else
		sum += badge >> 32;
	missing |= kernel_probe(lent_slot(1)) ? PAGE_0_GONE : 0;
	uint32_t result = door_call(lent_slot(2).encoded | OPTION_NESTED, 0, a << 24, 0, &part);
	if (DOOR_ERROR(result))
		missing |= INNER_GONE;
	else
		sum += part;
	missing |= kernel_probe(lent_slot(3)) ? PAGE_1_GONE : 0;
	if (try_load((const uint32_t *)WINDOW_1, &part))
		sum += part;
	else
		missing |= WINDOW_1_GONE;
	return ANSWER(missing, sum);
}

static uint32_t lent_value(uint32_t number, uint32_t missing)
{
	return (missing & WINDOW_0_GONE ? 0 : (number + 1) << 8) +
	       (missing & WINDOW_1_GONE ? 0 : (number + 1) << 16) +
	       (missing & BADGE_GONE ? 0 : number + 1) +
	       (missing & INNER_GONE ? 0 : (number + 1) << 24);
}

static peer_function *const outer_function[SCENARIOS] = {
	[PLAIN] = add,      [LEND] = use_what_is_lent,
	[NESTED] = forward, [NEXT_PAGE] = forward_on_next_page,
	[CATCH] = touch,    [CATCH_AT_HOME] = add};

static void call_it(uint32_t number)
{
	uint32_t value = NOT_ANSWERED, result, ok = 0;
	if (scenario == CATCH_AT_HOME)
		ok = nowhere_is_there();
	if (scenario == LEND)
		result = door_call_lend(
			SLOT_ONWARD | OPTION_CAPABILITIES | OPTION_WINDOWS, 0, number + 1,
			LEND_SLOTS(SLOT_BADGE, SLOT_PAGE_0, SLOT_INNER, SLOT_PAGE_1),
			LEND_WINDOWS(ENTRY_OF(TABLE_0), ENTRY_OF(TABLE_1)), &value);
	else
		result = door_call(SLOT_ONWARD, 2, 20 + number, 22, &value);
	answer[number].value = value + ok;
	answer[number].result = result;
}

static _Bool is_right(uint32_t number)
{
	if (scenario == LEND)
		return answer[number].result == RETURN &&
		       answer[number].value == lent_value(number, 0);
	uint32_t value = 42 + number + (scenario == NESTED || scenario == NEXT_PAGE);
	return answer[number].result == RETURN + 2 && answer[number].value == value;
}
static _Bool is_error(uint32_t error)
{
	return answer[0].result == error;
}
/* Of what was lent, exactly this was not there. */
static _Bool is_missing(uint32_t missing)
{
	return scenario == LEND && answer[0].result == RETURN + missing &&
	       answer[0].value == lent_value(0, missing);
}
static _Bool is_inner_error(uint32_t error)
{
	if (scenario == LEND)
		return is_missing(INNER_GONE);
	return answer[0].result == RETURN + INNER_FAILED && answer[0].value == error;
}

/* ---- the world in which it happens
 * ----------------------------------------------------------------- */
static void give_door(struct domain *to, uint32_t there, struct domain *of, peer_function *function,
		      uint32_t mark)
{
	uint32_t door = domain_door(of, (uint64_t)mark << 32 | (uint32_t)function);
	domain_give(to, there, door);
	slot_give(door);
}
static void give_doors(uint32_t number)
{
	give_door(&place[number], SLOT_ONWARD, &service[OUTER], outer_function[scenario], 0);
	give_door(&place[number], SLOT_BADGE, &service[OUTER], add, number + 1);
	give_door(&place[number], SLOT_INNER, &service[INNER], add, 0);
}
static void give_entries(struct domain *domain)
{
	_Bool is_short = scenario == CATCH || scenario == CATCH_AT_HOME;
	domain_entries(domain, (uint32_t)peer_entry,
		       is_short ? (uint32_t)short_fault_entry : (uint32_t)fault_entry);
}
static void service_make(enum service which)
{
	peer_make(&service[which], which == OUTER ? "outer" : "inner");
	give_entries(&service[which]);
}
static void page_make(uint32_t number, uint32_t which)
{
	pages[number][which] = object_make(OBJECT_LOCK_PAGE, 0, 0);
	domain_give(&place[number], which ? SLOT_PAGE_1 : SLOT_PAGE_0, pages[number][which].slot);
}
static void sweeper_make(uint32_t number)
{
	client_make(&clients[number], &place[number], call_it, number);
	thread_data_page(&clients[number].thread);
}
static void sweeper_end(uint32_t number)
{
	gone += time_of(clients[number].thread.object.slot);
	client_end(&clients[number]);
}
static uint32_t *word_of(uint32_t frame)
{
	return frame_pointer(frame);
}

static void world_make(void)
{
	gone = 0;
	service_make(OUTER);
	service_make(INNER);
	give_door(&service[OUTER], SLOT_ONWARD, &service[INNER], add, 0);
	for (uint32_t i = 0; i < 2; i++) {
		peer_make(&place[i], "place");
		*word_of(domain_page(&place[i], TABLE_0)) = (i + 1) << 8;
		*word_of(domain_page(&place[i], TABLE_1)) = (i + 1) << 16;
		page_make(i, 0);
		page_make(i, 1);
		sweeper_make(i);
	}
}
static void world_end(void)
{
	for (uint32_t i = 0; i < 2; i++) {
		sweeper_end(i);
		object_end(pages[i][0]);
		object_end(pages[i][1]);
		domain_end(&place[i]);
	}
	domain_end(&service[OUTER]);
	domain_end(&service[INNER]);
}

static void check_kind(uint32_t frame, uint32_t wanted)
{
	uint32_t kind, generation;
	MUST(kernel_inspect(AUTHORITY, frame, &kind, &generation));
	CHECK_EQUAL(kind, wanted);
}
static void check_windows(const struct domain *domain)
{
	const uint32_t *directory = frame_pointer(domain->directory_frame);
	CHECK_EQUAL(directory[ENTRY_OF(WINDOW_0)], 0);
	CHECK_EQUAL(directory[ENTRY_OF(WINDOW_1)], 0);
}
/* No domain but the one that runs has windows, and that is the root program, which has none. */
static void check_all_windows(void)
{
	for (uint32_t i = 0; i < 2; i++) {
		check_windows(&service[i]);
		check_windows(&place[i]);
	}
	check_windows(&root_domain);
}
static void check_objects(void)
{
	for (uint32_t i = 0; i < 2; i++) {
		check_kind(service[i].object.frame, OBJECT_DOMAIN);
		check_kind(service[i].directory_frame, OBJECT_DIRECTORY);
		check_kind(place[i].object.frame, OBJECT_DOMAIN);
		check_kind(domain_table(&place[i], TABLE_0), OBJECT_TABLE);
		check_kind(domain_table(&place[i], TABLE_1), OBJECT_TABLE);
		check_kind(clients[i].thread.object.frame, OBJECT_THREAD);
		check_kind(clients[i].thread.data[0].frame, OBJECT_DATA_PAGE);
		check_kind(clients[i].thread.data[1].frame, OBJECT_DATA_PAGE);
		check_kind(pages[i][0].frame, OBJECT_LOCK_PAGE);
		check_kind(pages[i][1].frame, OBJECT_LOCK_PAGE);
	}
}

static void forget_answer(uint32_t number)
{
	answer[number].result = answer[number].value = NOT_ANSWERED;
}
/* Another client of the same services: it notices nothing. */
static void other_works(void)
{
	forget_answer(1);
	client_restart(&clients[1], call_it, 1);
	client_run(&clients[1]);
	CHECK(is_right(1));
	check_all_windows();
}
static void goes_on(void)
{
	client_run(&clients[0]);
	check_all_windows();
}

/*
 * In each scenario the client takes 0, 1, 2 ... steps from the beginning; then `happens` does what
 * is to happen to it and brings the world in order again. That it happened too early and too late
 * to matter, and in between, is what `effects` counts.
 */
static uint32_t effects, no_effects;
static void effect(_Bool had_one)
{
	effects += had_one;
	no_effects += !had_one;
}
static void sweep_one(void (*happens)(void))
{
	for (uint32_t steps = 0;; steps++) {
		uint32_t reason = DISPATCH_STEPPED, frames = frames_free();
		forget_answer(0);
		client_restart(&clients[0], call_it, 0);
		for (uint32_t i = 0; i < steps && reason == DISPATCH_STEPPED; i++)
			reason = client_step(&clients[0]).reason;
		check_all_windows();
		if (reason != DISPATCH_STEPPED) {
			CHECK_EQUAL(reason, DISPATCH_ENDED);
			CHECK(is_right(0) && steps > 20);
			return;
		}
		happens();
		other_works();
		check_objects();
		CHECK_EQUAL(frames_free(), frames);
		CHECK(steps < STEPS_MAX);
	}
}
static void sweep(uint32_t scenarios, void (*happens)(void))
{
	world_make();
	struct gap begin = gap_begin(0);
	for (scenario = 0; scenario < SCENARIOS; scenario++) {
		if (!(scenarios & 1u << scenario))
			continue;
		effects = no_effects = 0;
		for (uint32_t i = 0; i < 2; i++) {
			give_doors(i);
			give_entries(&place[i]);
			give_entries(&service[i]);
		}
		sweep_one(happens);
		CHECK(!effects || (effects > 3 && no_effects > 3));
	}
	gap_check(begin, gone + time_of(clients[0].thread.object.slot) +
				 time_of(clients[1].thread.object.slot));
	world_end();
}
#define ALL         ((1u << SCENARIOS) - 1)
#define WITH_INNER  (1u << LEND | 1u << NESTED | 1u << NEXT_PAGE)
#define ONLY(which) (1u << (which))

/* ---- what happens
 * ------------------------------------------------------------------------------------- */
static void is_preempted(void)
{
	other_works();
	goes_on();
	CHECK(is_right(0));
}
TEST(sweep_preempted_at_every_instruction_another_client_runs)
{
	sweep(ALL, is_preempted);
}

/* Both at once: the other is stepped, too, and stands somewhere else in the same services. */
static void meets_another(void)
{
	static uint32_t turn;
	uint32_t reason = DISPATCH_STEPPED;
	forget_answer(1);
	client_restart(&clients[1], call_it, 1);
	turn = turn * 5 + 17;
	for (uint32_t i = 0; i < turn % 97 && reason == DISPATCH_STEPPED; i++)
		reason = client_step(&clients[1]).reason;
	goes_on();
	CHECK(is_right(0));
	if (reason == DISPATCH_STEPPED)
		client_run(&clients[1]);
	CHECK(is_right(1));
}
TEST(sweep_stopped_at_every_instruction_beside_another_stopped_one)
{
	sweep(ALL, meets_another);
}

static void is_killed(void)
{
	sweeper_end(0);
	other_works();
	CHECK(is_error(NOT_ANSWERED) || is_right(0));
	effect(is_error(NOT_ANSWERED));
	sweeper_make(0);
	forget_answer(0);
	goes_on(); /* and its successor in the same frames begins from the beginning */
	CHECK(is_right(0));
}
TEST(sweep_killed_at_every_instruction_nobody_misses_it)
{
	sweep(ALL, is_killed);
}

/* The service dies, another is made in its frames, and the other client uses that one. */
static void outer_dies(void)
{
	uint32_t frame = service[OUTER].object.frame;
	domain_end(&service[OUTER]);
	service_make(OUTER);
	CHECK_EQUAL(service[OUTER].object.frame, frame);
	give_door(&service[OUTER], SLOT_ONWARD, &service[INNER], add, 0);
	give_doors(1);
	other_works();
	goes_on();
	CHECK(is_right(0) || is_error(ERROR_STALE) || is_error(ERROR_CALLEE_DESTROYED));
	effect(is_error(ERROR_CALLEE_DESTROYED));
	give_doors(0);
}
TEST(sweep_callee_destroyed_at_every_instruction_is_a_named_error)
{
	sweep(ALL, outer_dies);
}

static void inner_dies(void)
{
	domain_end(&service[INNER]);
	service_make(INNER);
	give_door(&service[OUTER], SLOT_ONWARD, &service[INNER], add, 0);
	give_doors(1);
	other_works();
	goes_on();
	CHECK(is_right(0) || is_inner_error(ERROR_STALE) || is_inner_error(ERROR_CALLEE_DESTROYED));
	effect(!is_right(0));
	give_doors(0);
}
TEST(sweep_callees_callee_destroyed_at_every_instruction_is_the_middles_error)
{
	sweep(WITH_INNER, inner_dies);
}

/* Its frame is data now, and full of entries that lead to what is nobody's business. */
static void table_is_retired(uint32_t address)
{
	uint32_t table = domain_table(&place[0], address), *entries = frame_pointer(table),
		 page = entries[0], secret = frame_take();
	for (uint32_t i = 0; i < 1024; i++)
		((uint32_t *)frame_pointer(secret))[i] = SECRET;
	MUST(kernel_destroy(AUTHORITY, table, object_generation(table)));
	for (uint32_t i = 0; i < 1024; i++)
		entries[i] = secret << 12 | PAGE_USER | PAGE_WRITE;
	other_works();
	goes_on();
	uint32_t missing = address == TABLE_0 ? WINDOW_0_GONE : WINDOW_1_GONE;
	CHECK(is_right(0) || is_missing(missing) || is_error(ERROR_WINDOW));
	effect(is_missing(missing));
	CHECK_EQUAL(*(uint32_t *)frame_pointer(secret), SECRET);
	memset(entries, 0, PAGE_BYTES);
	entries[0] = page;
	MUST(kernel_create(AUTHORITY, OBJECT_TABLE, 0, table, object_generation(table), 0));
	frame_give(secret);
}
static void first_table_is_retired(void)
{
	table_is_retired(TABLE_0);
}
static void second_table_is_retired(void)
{
	table_is_retired(TABLE_1);
}
TEST(sweep_lent_table_retired_at_every_instruction_shows_nothing)
{
	sweep(ONLY(LEND), first_table_is_retired);
	sweep(ONLY(LEND), second_table_is_retired);
}

static void lent_object_dies(void)
{
	object_end(pages[0][0]);
	other_works();
	goes_on();
	CHECK(is_right(0) || is_missing(PAGE_0_GONE));
	effect(!is_right(0));
	page_make(0, 0);
}
TEST(sweep_lent_object_destroyed_at_every_instruction_is_an_error_of_its_use)
{
	sweep(ONLY(LEND), lent_object_dies);
}

static void data_page_dies(void)
{
	struct object page = clients[0].thread.data[0];
	MUST(kernel_destroy(AUTHORITY, page.frame, object_generation(page.frame)));
	memset(frame_pointer(page.frame), 0xFF, PAGE_BYTES); /* it is somebody else's */
	other_works();
	goes_on();
	CHECK(is_right(0) || is_error(ERROR_CALLEE_FAULTED));
	effect(!is_right(0));
	for (uint32_t i = 0; i < 1024; i++)
		CHECK_EQUAL(((uint32_t *)frame_pointer(page.frame))[i], ~0u);
	sweeper_end(0);
	sweeper_make(0);
}
TEST(sweep_data_page_destroyed_at_every_instruction_is_a_fault_of_the_callee)
{
	sweep(ALL, data_page_dies);
}

static void next_page_dies(void)
{
	struct object page = clients[0].thread.data[1];
	MUST(kernel_destroy(AUTHORITY, page.frame, object_generation(page.frame)));
	other_works();
	goes_on();
	CHECK(is_right(0) || is_inner_error(ERROR_DATA_PAGE) ||
	      is_inner_error(ERROR_CALLEE_FAULTED));
	effect(!is_right(0));
	sweeper_end(0);
	sweeper_make(0);
}
TEST(sweep_next_data_page_destroyed_at_every_instruction_is_the_middles_error)
{
	sweep(ONLY(NEXT_PAGE), next_page_dies);
}

static void is_aborted(uint32_t depth, enum service callee)
{
	_Bool inside = client_depth(&clients[0]) >= depth;
	uint32_t error = kernel_abort(slot(clients[0].thread.object.slot), depth,
				      service[callee].object.frame);
	CHECK_EQUAL(error, inside ? 0 : ERROR_ARGUMENT);
	effect(inside);
	other_works();
	goes_on();
	CHECK(!inside           ? is_right(0)
	      : callee == OUTER ? is_error(ERROR_ABORTED)
				: is_inner_error(ERROR_ABORTED));
}
static void call_is_aborted(void)
{
	is_aborted(1, OUTER);
}
static void inner_call_is_aborted(void)
{
	is_aborted(2, INNER);
}
TEST(sweep_call_aborted_at_every_instruction_is_a_forced_return)
{
	sweep(ALL, call_is_aborted);
}
TEST(sweep_inner_call_aborted_at_every_instruction_is_the_middles_error)
{
	sweep(WITH_INNER, inner_call_is_aborted);
}

/* While it is frozen others come and go, in frames that it has seen, and time passes. */
static void is_frozen_and_thawed(void)
{
	static struct client third;
	struct domain passing;
	uint32_t bits;
	peer_make(&passing, "passing");
	give_entries(&passing);
	*word_of(domain_page(&passing, TABLE_0)) = SECRET;
	client_make(&third, &passing, call_it, 1); /* it has no door, and is told so */
	forget_answer(1);
	client_run(&third);
	CHECK_EQUAL(answer[1].result, ERROR_EMPTY);
	gone += time_of(third.thread.object.slot);
	client_end(&third);
	domain_end(&passing);
	other_works();
	kernel_wait(1, cycles() + 1000, &bits);
	other_works();
	goes_on();
	CHECK(is_right(0));
}
TEST(sweep_frozen_at_every_instruction_and_thawed_it_goes_on)
{
	sweep(ALL, is_frozen_and_thawed);
}

/* ---- how many steps
 * ---------------------------------------------------------------------------------------- */
extern const uint8_t counted_call[], counted_entry[];
extern uint32_t counted_target, counted_lend, counted_windows, counted_result;

static void check_steps(uint32_t options)
{
	static const uint32_t depths[] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0};
	uint32_t steps = 0;
	counted_target = SLOT_ONWARD | options;
	counted_result = NOT_ANSWERED;
	MUST(kernel_thread_stop(slot(clients[0].thread.object.slot)));
	thread_go(&clients[0].thread, (uint32_t)counted_call, 0, 0);
	do
		CHECK_EQUAL(client_depth(&clients[0]), steps < 12 ? depths[steps] : 99);
	while (client_step(&clients[0]).reason == DISPATCH_STEPPED && ++steps < 20);
	CHECK_EQUAL(steps, 11); /* and the twelfth has ended it */
	CHECK_EQUAL(counted_result, RETURN + 7);
}

TEST(step_is_one_instruction_or_one_kernel_entry)
{
	world_make();
	domain_entries(&service[OUTER], (uint32_t)counted_entry, 0);
	give_doors(0);
	counted_lend = LEND_SLOTS(SLOT_BADGE, SLOT_PAGE_0, SLOT_INNER, SLOT_PAGE_1);
	counted_windows = LEND_WINDOWS(ENTRY_OF(TABLE_0), ENTRY_OF(TABLE_1));
	check_steps(0);
	check_steps(OPTION_NESTED);
	check_steps(OPTION_CAPABILITIES | OPTION_WINDOWS);
	check_steps(OPTION_NEXT_PAGE | OPTION_MAY_WAIT);
	world_end();
}
