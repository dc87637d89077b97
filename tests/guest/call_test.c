/* SPDX-License-Identifier: MIT */
/* Calls on the lent thread: plain, nested, with words, and what a fault and a catch do. */
#include "raw.h"

PEER add(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)badge_high;
	return ANSWER(operation, a + b);
}

TEST(call_returns_status_and_value)
{
	struct domain peer;
	peer_make(&peer, "adder");
	uint32_t door = peer_door(&peer, add), value;
	uint32_t result = door_call(slot(door).encoded, 5, 20, 22, &value);
	CHECK_EQUAL(result, RETURN + 5);
	CHECK_EQUAL(value, 42);
	slot_give(door);
	domain_end(&peer);
}

static uint32_t inner_door;
PEER forward(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)badge_high;
	uint32_t value;
	uint32_t result = door_call(1 | OPTION_NESTED, operation, a, b, &value);
	return ANSWER(DOOR_STATUS(result), value + 1);
}

TEST(call_nested_on_the_same_page)
{
	struct domain outer, inner;
	peer_make(&outer, "outer");
	peer_make(&inner, "inner");
	inner_door = peer_door(&inner, add);
	domain_give(&outer, 1, inner_door);
	uint32_t door = peer_door(&outer, forward), value;
	uint32_t result = door_call(slot(door).encoded, 7, 1, 2, &value);
	CHECK_EQUAL(result, RETURN + 7);
	CHECK_EQUAL(value, 4);
	slot_give(door);
	slot_give(inner_door);
	domain_end(&outer);
	domain_end(&inner);
}

static uint32_t client_saw;
static void client_counts(uint32_t argument)
{
	client_saw = argument + 1;
}

TEST(client_runs_and_ends)
{
	static struct client client;
	client_make(&client, &root_domain, client_counts, 41);
	client_run(&client);
	CHECK_EQUAL(client_saw, 42);
	client_end(&client);
}

TEST(client_is_stepped_to_its_end)
{
	static struct client client;
	uint32_t steps = 0;
	client_saw = 0;
	client_make(&client, &root_domain, client_counts, 41);
	while (client_step(&client).reason == DISPATCH_STEPPED)
		steps++;
	CHECK_EQUAL(client_saw, 42);
	CHECK(steps >= 5 && steps < 12);
	client_end(&client);
}

/* ---- depth ------------------------------------------------------------------------------- */
#define SLOT_ONWARD    1u /* in the list of a peer: where it calls to */
#define STATUS_DEEPEST 5u

static struct registers at_the_end;
PEER dive(uint32_t level, uint32_t option, uint32_t b, uint32_t badge_high)
{
	(void)badge_high;
	uint32_t value, result = door_call(SLOT_ONWARD | option, level + 1, option, b, &value);
	if (DOOR_ERROR(result) != ERROR_DEPTH)
		return ANSWER(DOOR_STATUS(result), value);
	at_the_end = (struct registers){.eax = SLOT_ONWARD | option,
					.ebx = SLOT_ONWARD,
					.esi = 0x11111111,
					.edi = 0x22222222,
					.eflags = FLAGS_PLAIN};
	raw_invoke(&at_the_end);
	return ANSWER(STATUS_DEEPEST, level);
}

TEST(call_nests_to_sixteen_activations_and_one_more_changes_nothing)
{
	static const uint32_t options[] = {OPTION_NESTED, OPTION_NESTED | OPTION_MAY_WAIT,
					   OPTION_NESTED | OPTION_CAPABILITIES};
	struct domain peer;
	peer_make(&peer, "diver");
	uint32_t door = peer_door(&peer, dive), value;
	domain_give(&peer, SLOT_ONWARD, door);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t result = door_call(slot(door).encoded, 1, options[i], SLOT_ONWARD, &value);
		CHECK_EQUAL(result, RETURN + STATUS_DEEPEST);
		CHECK_EQUAL(value, DEPTH_MAX - 1);
		CHECK_EQUAL(at_the_end.eax, ERROR_DEPTH);
		CHECK_EQUAL(at_the_end.esi, 0x11111111);
		CHECK_EQUAL(at_the_end.edi, 0x22222222);
		CHECK_EQUAL(at_the_end.ebx, SLOT_ONWARD);
		CHECK_EQUAL(at_the_end.esp & ~(PAGE_BYTES - 1), DATA_PAGE);
	}
	slot_give(door);
	domain_end(&peer);
}

/* Each level leaves its mark on its own page, and finds it again. */
PEER dive_by_pages(uint32_t level, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)a, (void)b, (void)badge_high;
	volatile uint32_t *here = (uint32_t *)DATA_PAGE, *next = (uint32_t *)DATA_PAGE_NEXT;
	uint32_t value = level, result = 0;
	if (here[0] != level)
		return ANSWER(1, level);
	if (try_store(next, level + 1))
		result = door_call(SLOT_ONWARD | OPTION_NEXT_PAGE | OPTION_NESTED, level + 1, 0, 0,
				   &value);
	else if (door_call(SLOT_ONWARD | OPTION_NEXT_PAGE, 0, 0, 0, NULL) == ERROR_DATA_PAGE)
		result = RETURN + STATUS_DEEPEST;
	return ANSWER(here[0] == level ? DOOR_STATUS(result) : 2, value);
}

static struct client client;
static uint32_t shared_door, shared_result, shared_value;
static void client_dives_by_pages(uint32_t argument)
{
	*(volatile uint32_t *)DATA_PAGE = argument;
	*(volatile uint32_t *)DATA_PAGE_NEXT = argument + 1;
	shared_result = door_call(slot(shared_door).encoded | OPTION_NEXT_PAGE, argument + 1, 0, 0,
				  &shared_value);
	if (*(volatile uint32_t *)DATA_PAGE != argument)
		shared_value = 0;
}

TEST(call_goes_on_to_the_next_page_and_eight_are_all)
{
	struct domain peer;
	peer_make(&peer, "diver");
	shared_door = peer_door(&peer, dive_by_pages);
	domain_give(&peer, SLOT_ONWARD, shared_door);
	client_make(&client, &root_domain, client_dives_by_pages, 1);
	for (uint32_t i = 1; i < DATA_PAGES_MAX; i++)
		thread_data_page(&client.thread);
	client_run(&client);
	CHECK_EQUAL(shared_result, RETURN + STATUS_DEEPEST);
	CHECK_EQUAL(shared_value, DATA_PAGES_MAX);
	uint32_t ninth = frame_take();
	MUST(kernel_create(AUTHORITY, OBJECT_DATA_PAGE, 0, ninth, object_generation(ninth), 0));
	uint32_t page = slot_take();
	object_fetch(ninth, page);
	CHECK_EQUAL(
		kernel_thread_attach(slot(client.thread.object.slot), DATA_PAGES_MAX, slot(page)),
		ERROR_ARGUMENT);
	object_end((struct object){ninth, page});
	client_end(&client);
	slot_give(shared_door);
	domain_end(&peer);
}

enum leave { LEAVE_RETURN, LEAVE_FAULT, LEAVE_ABORT, LEAVES };
PEER leave(uint32_t how, uint32_t thread_slot, uint32_t domain, uint32_t badge_high)
{
	(void)badge_high;
	if (*(volatile uint32_t *)DATA_PAGE != 2)
		return ANSWER(1, 0);
	if (how == LEAVE_FAULT)
		asm volatile("ud2");
	if (how == LEAVE_ABORT)
		kernel_abort(slot(thread_slot), 1, domain);
	return ANSWER(0, 0);
}

static struct domain shared_domain;
static void client_leaves(uint32_t how)
{
	volatile uint32_t *here = (uint32_t *)DATA_PAGE, *next = (uint32_t *)DATA_PAGE_NEXT;
	*here = 1;
	*next = 2;
	shared_result = door_call(slot(shared_door).encoded | OPTION_NEXT_PAGE, how, SLOT_ONWARD,
				  shared_domain.object.frame, NULL);
	shared_value = *here == 1 && *next == 2;
}

TEST(call_gives_the_callers_page_back_however_it_ends)
{
	static const uint32_t results[] = {RETURN, ERROR_CALLEE_FAULTED, ERROR_ABORTED};
	peer_make(&shared_domain, "leaver");
	shared_door = peer_door(&shared_domain, leave);
	client_make(&client, &root_domain, client_leaves, 0);
	thread_data_page(&client.thread);
	domain_give(&shared_domain, SLOT_ONWARD, client.thread.object.slot);
	for (uint32_t how = 0; how < LEAVES; how++) {
		client_restart(&client, client_leaves, how);
		client_run(&client);
		CHECK_EQUAL(shared_result, results[how]);
		CHECK_EQUAL(shared_value, 1);
	}
	client_end(&client);
	slot_give(shared_door);
	domain_end(&shared_domain);
}

/* ---- the callee's stack ------------------------------------------------------------------ */
TEST(call_puts_the_callees_stack_into_the_data_page_whatever_esp_says)
{
	static const uint32_t stacks[] = {
		0,          1,          0x00400ABC, DATA_PAGE,  DATA_TOP - 1,
		0xB0400000, 0xC0000FFF, 0xFFFFFFFF, 0xAFFFFFF0, TAG_PAGE + 0x7F7};
	static const uint32_t options[] = {0, OPTION_NESTED, OPTION_MAY_WAIT,
					   OPTION_NESTED | OPTION_MAY_WAIT,
					   OPTION_NESTED | OPTION_CAPABILITIES | OPTION_RESULTS};
	struct domain peer;
	raw_peer_make(&peer, "snapshot", snapshot_entry, NULL);
	uint32_t door = domain_door(&peer, 0);
	for (uint32_t i = 0; i < sizeof(stacks) / 4; i++)
		for (uint32_t o = 0; o < sizeof(options) / 4; o++) {
			struct registers r = {.eax = slot(door).encoded | options[o],
					      .esp = stacks[i],
					      .eflags = FLAGS_PLAIN};
			raw_invoke_at(&r);
			CHECK_EQUAL(r.eax, RETURN);
			CHECK_EQUAL(r.esp, stacks[i]);
			CHECK_EQUAL(snapshot.esp, options[o] & OPTION_NESTED
							  ? DATA_PAGE | (stacks[i] & 0xFF0)
							  : DATA_STACK);
		}
	slot_give(door);
	domain_end(&peer);
}

TEST(call_with_little_stack_left_is_refused_by_the_service)
{
	for (uint32_t room = 0; room < PAGE_BYTES; room += 16) {
		struct registers r = {.eax = slot(console_slot).encoded | OPTION_NESTED,
				      .esp = DATA_PAGE | room,
				      .esi = serial_flush_op,
				      .eflags = FLAGS_PLAIN};
		raw_invoke_at(&r);
		CHECK_EQUAL(r.eax, room < 1024 ? RETURN + SERVICE_NO_STACK : RETURN);
	}
}

TEST(call_brings_badge_and_words_and_no_other_register)
{
	struct domain peer;
	raw_peer_make(&peer, "snapshot", snapshot_entry, NULL);
	uint32_t door = domain_door(&peer, 0x123456789ABCDEF0u);
	static const uint32_t options[] = {0, OPTION_NESTED, OPTION_MAY_WAIT};
	for (uint32_t i = 0; i < 3; i++) {
		struct registers r = {.eax = slot(door).encoded | options[i],
				      .ebx = 3,
				      .esi = 1,
				      .edi = 2,
				      .ebp = 4,
				      .eflags = FLAGS_PLAIN};
		raw_invoke(&r);
		CHECK_EQUAL(snapshot.eax, 0x9ABCDEF0);
		CHECK_EQUAL(snapshot.ebp, 0x12345678);
		CHECK_EQUAL(snapshot.esi, 1);
		CHECK_EQUAL(snapshot.edi, 2);
		CHECK_EQUAL(snapshot.ebx, 3);
		CHECK_EQUAL(snapshot.edx, (uint32_t)snapshot_entry); /* nothing of the caller's */
	}
	slot_give(door);
	domain_end(&peer);
}

/* ---- what is no call --------------------------------------------------------------------- */
static uint32_t error_of(uint32_t target)
{
	struct registers r = {
		.eax = target, .esi = 0x1F0, .edi = 2, .ebx = 3, .eflags = FLAGS_PLAIN};
	raw_invoke(&r);
	CHECK_EQUAL(r.esi, 0x1F0);
	CHECK_EQUAL(r.edi, 2);
	CHECK_EQUAL(r.ebx, 3);
	return r.eax;
}

TEST(call_to_what_is_no_living_door_is_an_error)
{
	static const uint32_t options[] = {OPTION_NESTED,    OPTION_MAY_WAIT,
					   OPTION_WINDOWS,   OPTION_RESULTS,
					   OPTION_KEEP,      OPTION_NESTED | OPTION_CAPABILITIES,
					   OPTION_NEXT_PAGE, OPTION_NESTED | OPTION_KEEP};
	struct domain peer;
	peer_make(&peer, "peer");
	uint32_t door = peer_door(&peer, add), empty = slot_take(), bank = 128 + 77;
	MUST(kernel_copy(slot(bank), slot(door)));
	CHECK_EQUAL(error_of(slot(empty).encoded), ERROR_EMPTY);
	CHECK_EQUAL(error_of(SLOT_LENT), ERROR_EMPTY);
	CHECK_EQUAL(error_of(SLOT_LENT | 3), ERROR_EMPTY);
	CHECK_EQUAL(error_of(SLOT_LENT | 4), ERROR_EMPTY);
	CHECK_EQUAL(error_of(SLOT_LENT | 1u << SLOT_BANK_SHIFT), ERROR_EMPTY);
	CHECK_EQUAL(error_of(SLOT_BANKS << SLOT_BANK_SHIFT), ERROR_EMPTY);
	CHECK_EQUAL(error_of(31u << SLOT_BANK_SHIFT), ERROR_EMPTY);
	CHECK_EQUAL(error_of(1u << 21), ERROR_ARGUMENT);
	CHECK_EQUAL(error_of(1u << 30 | slot(door).encoded), ERROR_ARGUMENT);
	CHECK_EQUAL(error_of(OPTION_RESUME | slot(door).encoded), ERROR_ARGUMENT);
	CHECK_EQUAL(error_of(ROOT_PORTS), ERROR_OPERATION);
	for (uint32_t i = 0; i < sizeof(options) / 4; i++) {
		CHECK_EQUAL(error_of(slot(empty).encoded | options[i]), ERROR_EMPTY);
		CHECK_EQUAL(error_of(SLOT_LENT | options[i]), ERROR_EMPTY);
		CHECK_EQUAL(error_of(SLOT_SELF | options[i]), ERROR_ARGUMENT);
		CHECK_EQUAL(error_of(ROOT_THREAD | options[i]), ERROR_ARGUMENT);
		CHECK_EQUAL(error_of(ROOT_DOMAIN | options[i]), ERROR_ARGUMENT);
	}
	object_destroy(peer.object);
	CHECK_EQUAL(error_of(slot(door).encoded), ERROR_STALE);
	CHECK_EQUAL(error_of(slot(bank).encoded), ERROR_STALE);
	for (uint32_t i = 0; i < sizeof(options) / 4; i++) {
		CHECK_EQUAL(error_of(slot(door).encoded | options[i]), ERROR_STALE);
		CHECK_EQUAL(error_of(slot(bank).encoded | options[i]), ERROR_STALE);
	}
	MUST(kernel_delete(slot(bank)));
	slot_give(empty);
	slot_give(door);
	domain_end(&peer);
}

TEST(call_by_a_slot_of_another_bank_takes_options)
{
	struct domain peer;
	peer_make(&peer, "adder");
	uint32_t door = peer_door(&peer, add), bank = SLOTS_MAX - 1, value;
	MUST(kernel_move(slot(bank), slot(door)));
	CHECK_EQUAL(door_call(slot(bank).encoded, 3, 1, 2, &value), RETURN + 3);
	CHECK_EQUAL(value, 3);
	CHECK_EQUAL(door_call(slot(bank).encoded | OPTION_NESTED, 4, 2, 2, &value), RETURN + 4);
	CHECK_EQUAL(value, 4);
	CHECK_EQUAL(door_call(slot(bank).encoded | OPTION_MAY_WAIT, 5, 3, 2, &value), RETURN + 5);
	CHECK_EQUAL(value, 5);
	MUST(kernel_delete(slot(bank)));
	slot_give(door);
	domain_end(&peer);
}

/* ---- what is no return ------------------------------------------------------------------- */
TEST(return_has_a_small_status_and_can_not_forge_an_error)
{
	static const uint32_t odd[] = {RETURN + 128,
				       RETURN + 0x8000,
				       RETURN + 0x20000,
				       0xFFFFFFFF,
				       RETURN + 0x100001,
				       0xC0000000,
				       RETURN + RETURN_CAPABILITIES};
	struct domain peer;
	raw_peer_make(&peer, "echo", echo_entry, NULL);
	uint32_t door = domain_door(&peer, 0), value;
	static const uint32_t options[] = {0, OPTION_MAY_WAIT, OPTION_RESULTS};
	for (uint32_t o = 0; o < 3; o++) {
		uint32_t target = slot(door).encoded | options[o];
		for (uint32_t status = 0; status <= STATUS_MAX; status++)
			CHECK_EQUAL(door_call(target, RETURN + status, 0, 0, NULL),
				    RETURN + status);
		for (uint32_t i = 0; i < sizeof(odd) / 4; i++) {
			if (odd[i] == RETURN + RETURN_CAPABILITIES && options[o] == OPTION_RESULTS)
				continue; /* none of four: fine */
			CHECK_EQUAL(door_call(target, odd[i], 0, 0, &value), RETURN + 1);
			CHECK_EQUAL(value, ERROR_ARGUMENT);
		}
		/* EAX without the sign is an invocation, whatever the service means by it */
		CHECK_EQUAL(door_call(target, ERROR_CALLEE_FAULTED, 0, 0, &value), RETURN + 1);
		CHECK_EQUAL(value, ERROR_EMPTY);
		CHECK_EQUAL(door_call(target, 0x7FFFFFFF, 0, 0, &value), RETURN + 1);
		CHECK_EQUAL(value, ERROR_ARGUMENT);
	}
	slot_give(door);
	domain_end(&peer);
}

static void client_returns(uint32_t status)
{
	struct registers r = {.eax = status, .eflags = FLAGS_PLAIN};
	raw_invoke(&r);
	shared_result = r.eax;
}

TEST(return_without_a_caller_ends_the_thread)
{
	static const uint32_t statuses[] = {RETURN, RETURN + STATUS_MAX};
	for (uint32_t i = 0; i < 2; i++) {
		struct words state;
		shared_result = 77;
		client_make(&client, &root_domain, client_returns, statuses[i]);
		client_run(&client);
		CHECK_EQUAL(shared_result, 77);
		MUST(kernel_thread_read(slot(client.thread.object.slot), THREAD_FIELD_STATE,
					&state));
		CHECK_EQUAL(state.w[0], THREAD_STOPPED);
		client_end(&client);
	}
	client_make(&client, &root_domain, client_returns, RETURN + STATUS_MAX + 1);
	client_run(&client);
	CHECK_EQUAL(shared_result, ERROR_ARGUMENT);
	client_end(&client);
}

/* ---- waiting on a lent thread ------------------------------------------------------------ */
PEER waits(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)a, (void)b, (void)badge_high;
	struct dispatch_result result;
	uint32_t bits, wait = kernel_wait(1, 0, &bits);
	uint32_t dispatch = kernel_dispatch(slot(SLOT_ONWARD), 0, 0, 0, &result);
	return ANSWER(0, wait << 8 | dispatch);
}

PEER lets_wait(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)a, (void)b, (void)badge_high;
	uint32_t value;
	door_call(SLOT_ONWARD | OPTION_NESTED | OPTION_MAY_WAIT, 0, 0, 0, &value);
	return ANSWER(0, value);
}

TEST(service_waits_and_dispatches_only_if_all_its_callers_allow)
{
	struct domain outer, inner;
	peer_make(&outer, "outer");
	peer_make(&inner, "inner");
	uint32_t inner_waits = peer_door(&inner, waits), outer_lets = peer_door(&outer, lets_wait),
		 value;
	domain_give(&outer, SLOT_ONWARD, inner_waits);
	client_make(&client, &root_domain, client_counts, 0);
	domain_give(&inner, SLOT_ONWARD, client.thread.object.slot);
	door_call(slot(inner_waits).encoded, 0, 0, 0, &value);
	CHECK_EQUAL(value, ERROR_NOT_ALLOWED << 8 | ERROR_NOT_ALLOWED);
	door_call(slot(outer_lets).encoded, 0, 0, 0, &value);
	CHECK_EQUAL(value, ERROR_NOT_ALLOWED << 8 | ERROR_NOT_ALLOWED);
	door_call(slot(inner_waits).encoded | OPTION_MAY_WAIT, 0, 0, 0, &value);
	CHECK_EQUAL(value, 0);
	door_call(slot(outer_lets).encoded | OPTION_MAY_WAIT, 0, 0, 0, &value);
	CHECK_EQUAL(value, 0);
	client_end(&client);
	slot_give(inner_waits);
	slot_give(outer_lets);
	domain_end(&outer);
	domain_end(&inner);
}
