/* SPDX-License-Identifier: MIT */
/* Death and abort in the middle of calls: of clients, of services, of oneself. */
#include "raw.h"

#define SLOT_ONWARD    1u /* in the list of a peer: where it calls to */
#define SLOT_AUTHORITY 2u

static struct client client;
static struct registers answer;
static uint32_t shared_target, inner_result, inner_value;

/* A -> outer -> inner: each adds its digit. */
PEER inner_adds(uint32_t digits, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)a, (void)b, (void)badge_high;
	return ANSWER(0, digits << 4 | 2);
}
PEER outer_adds(uint32_t digits, uint32_t option, uint32_t b, uint32_t badge_high)
{
	(void)b, (void)badge_high;
	inner_result = door_call(SLOT_ONWARD | OPTION_NESTED | option, digits << 4 | 1, 0, 0,
				 &inner_value);
	return ANSWER(0, inner_value);
}

struct pair {
	struct domain outer, inner;
	uint32_t outer_door, inner_door;
};
static void pair_make(struct pair *pair)
{
	peer_make(&pair->outer, "outer");
	peer_make(&pair->inner, "inner");
	pair->inner_door = peer_door(&pair->inner, inner_adds);
	pair->outer_door = peer_door(&pair->outer, outer_adds);
	domain_give(&pair->outer, SLOT_ONWARD, pair->inner_door);
	shared_target = slot(pair->outer_door).encoded;
}
static void pair_end(struct pair *pair)
{
	slot_give(pair->outer_door);
	slot_give(pair->inner_door);
	domain_end(&pair->outer);
	domain_end(&pair->inner);
}

/* Calls shared_target once; all registers of the answer. */
static void client_calls(uint32_t option)
{
	answer = (struct registers){.eax = shared_target | option,
				    .ebx = 3,
				    .ebp = 4,
				    .esi = 5,
				    .edi = option & OPTION_MAY_WAIT,
				    .eflags = FLAGS_PLAIN};
	raw_invoke(&answer);
}
static void client_begin(uint32_t option)
{
	answer = (struct registers){.eax = 0x7777};
	client_make(&client, &root_domain, client_calls, option);
}
static void check_forced(uint32_t error)
{
	CHECK_EQUAL(answer.eax, error);
	CHECK_EQUAL(answer.ebx | answer.ebp | answer.esi | answer.edi, 0);
}
static void check_served(void)
{
	client_begin(0);
	client_run(&client);
	CHECK_EQUAL(answer.eax, RETURN);
	CHECK_EQUAL(answer.esi, 0x512);
	client_end(&client);
}
/* Plain activations and special ones. */
static const uint32_t both[] = {0, OPTION_MAY_WAIT};

/* ---- clients that die -------------------------------------------------------------------- */
TEST(client_killed_at_every_step_of_a_call_leaves_the_service_whole)
{
	struct pair pair;
	pair_make(&pair);
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t deepest = 0;
		for (uint32_t steps = 0, alive = 1; alive; steps++) {
			client_begin(both[i]);
			for (uint32_t step = 0; step < steps && alive; step++)
				alive = client_step(&client).reason == DISPATCH_STEPPED;
			uint32_t depth = client_depth(&client);
			deepest = depth > deepest ? depth : deepest;
			client_end(&client);
			check_served();
		}
		CHECK_EQUAL(deepest, 2);
	}
	pair_end(&pair);
}

TEST(client_restarted_at_every_step_of_a_call_is_at_home)
{
	struct pair pair;
	pair_make(&pair);
	client_begin(0);
	for (uint32_t steps = 0, alive = 1; alive; steps++) {
		client_restart(&client, client_calls, both[steps % 2]);
		for (uint32_t step = 0; step < steps && alive; step++)
			alive = client_step(&client).reason == DISPATCH_STEPPED;
		client_restart(&client, client_calls, both[steps % 2]);
		CHECK_EQUAL(client_depth(&client), 0);
		client_run(&client);
		CHECK_EQUAL(answer.eax, RETURN);
		CHECK_EQUAL(answer.esi, 0x512);
	}
	client_end(&client);
	pair_end(&pair);
}

/* ---- services that die ------------------------------------------------------------------- */
TEST(callee_destroyed_under_a_frozen_thread_is_a_forced_return)
{
	for (uint32_t i = 0; i < 4; i++) {
		struct pair pair;
		pair_make(&pair);
		client_begin(both[i % 2]);
		CHECK(client_step_to_depth(&client, 1 + i / 2));
		object_destroy(pair.outer.object);
		if (i >= 2)
			object_destroy(pair.inner.object);
		client_run(&client);
		check_forced(ERROR_CALLEE_DESTROYED);
		client_end(&client);
		pair_end(&pair);
	}
}

TEST(callee_destroyed_at_the_end_of_the_call_chain_is_the_middles_error)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct pair pair;
		pair_make(&pair);
		client_begin(both[i]);
		CHECK(client_step_to_depth(&client, 2));
		object_destroy(pair.inner.object);
		client_run(&client);
		CHECK_EQUAL(inner_result, ERROR_CALLEE_DESTROYED);
		CHECK_EQUAL(inner_value, 0);
		CHECK_EQUAL(answer.eax, RETURN);
		client_end(&client);
		pair_end(&pair);
	}
}

TEST(middle_destroyed_is_skipped_when_the_callee_returns)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct pair pair;
		pair_make(&pair);
		client_begin(both[i]);
		CHECK(client_step_to_depth(&client, 2));
		object_destroy(pair.outer.object);
		CHECK_EQUAL(client_step(&client).reason, DISPATCH_STEPPED); /* inner goes on */
		CHECK_EQUAL(client_depth(&client), 2);
		client_run(&client);
		check_forced(ERROR_CALLEE_DESTROYED);
		client_end(&client);
		pair_end(&pair);
	}
}

/* The frame of the dead domain is another domain's by now: the thread must not wake up in it. */
TEST(domain_made_in_the_frame_of_a_dead_one_is_not_entered_by_its_threads)
{
	struct pair pair;
	struct domain next;
	pair_make(&pair);
	client_begin(0);
	CHECK(client_step_to_depth(&client, 1));
	uint32_t frame = pair.outer.object.frame;
	domain_end(&pair.outer);
	raw_peer_make(&next, "next", snapshot_entry, NULL);
	CHECK_EQUAL(next.object.frame, frame);
	uint32_t count = snapshot_count;
	client_run(&client);
	check_forced(ERROR_CALLEE_DESTROYED);
	CHECK_EQUAL(snapshot_count, count);
	CHECK_EQUAL(door_call(shared_target, 0, 0, 0, NULL), ERROR_STALE);
	client_end(&client);
	slot_give(pair.outer_door);
	slot_give(pair.inner_door);
	domain_end(&next);
	domain_end(&pair.inner);
}

TEST(home_destroyed_ends_the_thread_when_it_comes_home)
{
	for (uint32_t depth = 0; depth <= 2; depth++) {
		struct pair pair;
		struct domain home;
		pair_make(&pair);
		peer_make(&home, "home");
		domain_give(&home, SLOT_ONWARD, pair.outer_door);
		shared_target = SLOT_ONWARD;
		answer.eax = 0x7777;
		client_make(&client, &home, client_calls, 0);
		if (depth)
			CHECK(client_step_to_depth(&client, depth));
		object_destroy(home.object);
		struct dispatch_result result = {.reason = DISPATCH_STEPPED};
		while (result.reason == DISPATCH_STEPPED)
			result = client_dispatch(&client, 0, 0, depth == 1 ? 0 : DISPATCH_STEP);
		CHECK_EQUAL(result.reason, DISPATCH_ENDED);
		client_end(&client);
		domain_end(&home);
		pair_end(&pair);
	}
}

/* ---- oneself ----------------------------------------------------------------------------- */
PEER destroy(uint32_t frame, uint32_t generation, uint32_t b, uint32_t badge_high)
{
	(void)b, (void)badge_high;
	return ANSWER(kernel_destroy(slot(SLOT_AUTHORITY), frame, generation), 0);
}

static struct domain destroyer;
static uint32_t destroyer_door, destroyed_frame, destroyed_generation;
static void client_destroys(uint32_t by_call)
{
	answer.eax = 0x7777;
	if (by_call)
		answer.eax = door_call(SLOT_ONWARD, destroyed_frame, destroyed_generation, 0, NULL);
	else
		answer.eax =
			kernel_destroy(slot(SLOT_AUTHORITY), destroyed_frame, destroyed_generation);
}
static void destroyer_make(void)
{
	peer_make(&destroyer, "destroyer");
	destroyer_door = peer_door(&destroyer, destroy);
	domain_give(&destroyer, SLOT_ONWARD, destroyer_door);
	domain_give(&destroyer, SLOT_AUTHORITY, ROOT_AUTHORITY);
}
static void destroyer_end(void)
{
	slot_give(destroyer_door);
	domain_end(&destroyer);
}

TEST(thread_that_destroys_something_of_its_own_hurts_only_itself)
{
	enum { THREAD, DOMAIN, PAGE, WAYS };
	/* at home, and in a service of the same domain: how the dispatch ends, what the client saw
	 */
	static const struct {
		uint32_t reason, saw;
	} wanted[2][WAYS] = {
		{{DISPATCH_ENDED, 0x7777}, {DISPATCH_ENDED, 0x7777}, {DISPATCH_ENDED, 0}},
		{{DISPATCH_ENDED, 0x7777},
		 {DISPATCH_ENDED, 0x7777},
		 {DISPATCH_ENDED, ERROR_CALLEE_FAULTED}},
	};
	for (uint32_t i = 0; i < 2 * WAYS; i++) {
		uint32_t by_call = i / WAYS, what = i % WAYS;
		destroyer_make();
		client_make(&client, &destroyer, client_destroys, by_call);
		destroyed_frame = what == THREAD   ? client.thread.object.frame
				  : what == DOMAIN ? destroyer.object.frame
						   : client.thread.data[0].frame;
		destroyed_generation = object_generation(destroyed_frame);
		CHECK_EQUAL(client_dispatch(&client, 0, 0, 0).reason, wanted[by_call][what].reason);
		CHECK_EQUAL(answer.eax, wanted[by_call][what].saw);
		CHECK_EQUAL(object_generation(destroyed_frame), destroyed_generation + 1);
		client_end(&client);
		destroyer_end();
	}
}

TEST(data_page_destroyed_under_a_frozen_thread_is_a_fault_of_its_callee)
{
	struct pair pair;
	pair_make(&pair);
	client_begin(0);
	CHECK(client_step_to_depth(&client, 1));
	object_destroy(client.thread.data[0]);
	client_run(&client);
	check_forced(ERROR_CALLEE_FAULTED);
	client_end(&client);
	check_served();
	pair_end(&pair);
}

/* ---- abort ------------------------------------------------------------------------------- */
static uint32_t abort_at(uint32_t depth, const struct domain *callee)
{
	return kernel_abort(slot(client.thread.object.slot), depth, callee->object.frame);
}

TEST(abort_names_depth_and_callee_or_does_nothing)
{
	struct pair pair;
	pair_make(&pair);
	for (uint32_t i = 0; i < 2; i++) {
		client_begin(both[i]);
		CHECK_EQUAL(abort_at(0, &root_domain), ERROR_ARGUMENT);
		CHECK_EQUAL(abort_at(1, &pair.outer), ERROR_ARGUMENT);
		CHECK(client_step_to_depth(&client, 2));
		CHECK_EQUAL(abort_at(0, &root_domain), ERROR_ARGUMENT);
		CHECK_EQUAL(abort_at(1, &pair.inner), ERROR_ARGUMENT);
		CHECK_EQUAL(abort_at(2, &pair.outer), ERROR_ARGUMENT);
		CHECK_EQUAL(abort_at(3, &pair.inner), ERROR_ARGUMENT);
		CHECK_EQUAL(abort_at(DEPTH_MAX, &pair.inner), ERROR_ARGUMENT);
		CHECK_EQUAL(abort_at(0x80000002, &pair.inner), ERROR_ARGUMENT);
		CHECK_EQUAL(abort_at(0x02000002, &pair.inner), ERROR_ARGUMENT);
		client_run(&client);
		CHECK_EQUAL(answer.esi, 0x512);
		CHECK_EQUAL(abort_at(1, &pair.outer), ERROR_STATE); /* it has ended */
		client_end(&client);
	}
	pair_end(&pair);
}

TEST(abort_is_a_forced_return_with_zeros)
{
	for (uint32_t i = 0; i < 4; i++) {
		struct pair pair;
		pair_make(&pair);
		client_begin(both[i % 2]);
		CHECK(client_step_to_depth(&client, 1 + i / 2));
		CHECK_EQUAL(abort_at(1, &pair.outer), 0);
		CHECK_EQUAL(client_depth(&client), 0);
		CHECK_EQUAL(abort_at(1, &pair.outer), ERROR_ARGUMENT);
		client_run(&client);
		check_forced(ERROR_ABORTED);
		client_end(&client);
		pair_end(&pair);
	}
}

TEST(abort_of_the_inner_call_leaves_the_outer_one_running)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct pair pair;
		pair_make(&pair);
		client_begin(both[i]);
		CHECK(client_step_to_depth(&client, 2));
		CHECK_EQUAL(abort_at(2, &pair.inner), 0);
		CHECK_EQUAL(client_depth(&client), 1);
		client_run(&client);
		CHECK_EQUAL(inner_result, ERROR_ABORTED);
		CHECK_EQUAL(answer.eax, RETURN);
		client_end(&client);
		pair_end(&pair);
	}
}

TEST(abort_above_a_dead_middle_goes_to_the_last_one_alive)
{
	struct pair pair;
	pair_make(&pair);
	client_begin(0);
	CHECK(client_step_to_depth(&client, 2));
	object_destroy(pair.outer.object);
	CHECK_EQUAL(abort_at(2, &pair.inner), 0);
	CHECK_EQUAL(client_depth(&client), 0);
	client_run(&client);
	check_forced(ERROR_CALLEE_DESTROYED);
	client_end(&client);
	pair_end(&pair);
}

/* ---- confidential services --------------------------------------------------------------- */
#define SECRET 0x5EC2E7u
PEER secret(uint32_t how, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)a, (void)b, (void)badge_high;
	*(volatile uint32_t *)DATA_PAGE = SECRET;
	if (how == 1)
		asm volatile("ud2");
	return ANSWER(0, 0);
}

static uint32_t seen[2], seen_ok[2];
static void pages_see(void)
{
	seen_ok[0] = try_load((uint32_t *)DATA_PAGE, &seen[0]);
	seen_ok[1] = try_load((uint32_t *)DATA_PAGE_NEXT, &seen[1]);
}
static uint32_t secret_how;
static void client_asks(uint32_t option)
{
	answer.eax = door_call(shared_target | option, secret_how, 0, 0, NULL);
	pages_see();
}
static void client_sees(uint32_t argument)
{
	(void)argument;
	pages_see();
}

static struct domain vault;
static uint32_t vault_door;
static void vault_make(uint32_t confidential, uint32_t how)
{
	domain_make(&vault, "vault", confidential);
	domain_share_image(&vault);
	domain_entries(&vault, (uint32_t)peer_entry, 0);
	vault_door = peer_door(&vault, secret);
	shared_target = slot(vault_door).encoded;
	secret_how = how;
}
static void vault_end(void)
{
	slot_give(vault_door);
	domain_end(&vault);
}

TEST(confidential_service_that_returns_leaves_the_page)
{
	vault_make(1, 0);
	client_make(&client, &root_domain, client_asks, 0);
	client_run(&client);
	CHECK_EQUAL(answer.eax, RETURN);
	CHECK(seen_ok[0] && seen[0] == SECRET);
	client_end(&client);
	vault_end();
}

TEST(page_of_a_service_that_is_not_confidential_stays_after_a_fault)
{
	vault_make(0, 1);
	client_make(&client, &root_domain, client_asks, 0);
	client_run(&client);
	CHECK_EQUAL(answer.eax, ERROR_CALLEE_FAULTED);
	CHECK(seen_ok[0] && seen[0] == SECRET);
	client_end(&client);
	vault_end();
}

TEST(confidential_service_that_is_left_by_force_takes_the_page_along)
{
	enum { FAULT, ABORT, DEATH, RESTART, WAYS };
	static const uint32_t options[] = {0, OPTION_NESTED, OPTION_MAY_WAIT, OPTION_NEXT_PAGE};
	for (uint32_t i = 0; i < WAYS * 4; i++) {
		uint32_t how = i % WAYS, option = options[i / WAYS],
			 page = option == OPTION_NEXT_PAGE;
		vault_make(1, how == FAULT);
		client_make(&client, &root_domain, client_asks, option);
		thread_data_page(&client.thread);
		uint32_t frame = client.thread.data[page].frame;
		if (how != FAULT)
			do
				CHECK_EQUAL(client_step(&client).reason, DISPATCH_STEPPED);
			while (*(uint32_t *)frame_pointer(frame) != SECRET);
		if (how == ABORT)
			CHECK_EQUAL(abort_at(1, &vault), 0);
		if (how == DEATH)
			object_destroy(vault.object);
		if (how == RESTART)
			client_restart(&client, client_sees, 0);
		client_run(&client);
		CHECK_EQUAL(seen_ok[page], 0);
		CHECK_EQUAL(seen_ok[!page],
			    page); /* the page behind goes too, the one before stays */
		CHECK_EQUAL(*(uint32_t *)frame_pointer(frame), SECRET);
		/* it does not come back, but as a new object, which its creator has to clear */
		struct object *data = &client.thread.data[page];
		slot_t thread = slot(client.thread.object.slot);
		CHECK_EQUAL(kernel_thread_attach(thread, page, slot(data->slot)), ERROR_STATE);
		object_end(*data);
		*data = object_make(OBJECT_DATA_PAGE, 0, 0);
		CHECK_EQUAL(data->frame, frame);
		CHECK_EQUAL(kernel_thread_attach(thread, page, slot(data->slot)), 0);
		client_restart(&client, client_sees, 0);
		client_run(&client);
		CHECK(seen_ok[page] && seen[page] == 0);
		client_end(&client);
		vault_end();
	}
}

/* A -> vault -> inner: everything above the vault goes, and the vault's page with it. */
TEST(confidential_service_aborted_in_the_middle_of_a_nested_call_takes_the_page_along)
{
	struct pair pair;
	pair_make(&pair);
	domain_make(&vault, "vault", 1);
	domain_share_image(&vault);
	domain_entries(&vault, (uint32_t)peer_entry, 0);
	vault_door = peer_door(&vault, outer_adds);
	domain_give(&vault, SLOT_ONWARD, pair.inner_door);
	shared_target = slot(vault_door).encoded;
	for (uint32_t i = 0; i < 2; i++) {
		client_make(&client, &root_domain, client_asks, 0);
		CHECK(client_step_to_depth(&client, 2));
		CHECK_EQUAL(abort_at(2 - i, i ? &vault : &pair.inner), 0);
		client_run(&client);
		CHECK_EQUAL(seen_ok[0], !i);
		client_end(&client);
	}
	vault_end();
	pair_end(&pair);
}

/* ---- windows of the dead ----------------------------------------------------------------- */
PEER peek(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)a, (void)b, (void)badge_high;
	uint32_t value;
	_Bool first = try_load((uint32_t *)WINDOW_0, &value),
	      second = try_load((uint32_t *)WINDOW_1, &value);
	return ANSWER(first | second << 1, 0);
}
static void client_lends(uint32_t windows)
{
	answer.eax = door_call_lend(shared_target | OPTION_WINDOWS, 0, 0, 0, windows, NULL);
}

TEST(windows_of_a_thread_that_was_killed_or_aborted_are_nobodys)
{
	struct domain peer;
	struct lendable lendable;
	lendable_make(&lendable, LENDABLE_FIRST);
	peer_make(&peer, "peeker");
	shared_target = slot(peer_door(&peer, peek)).encoded;
	uint32_t windows = LEND_WINDOWS(ENTRY_OF(LENDABLE_FIRST), ENTRY_OF(LENDABLE_FIRST));
	for (uint32_t steps = 0, alive = 1; alive; steps++) {
		client_make(&client, &root_domain, client_lends, windows);
		for (uint32_t step = 0; step < steps && alive; step++)
			alive = client_step(&client).reason == DISPATCH_STEPPED;
		CHECK_EQUAL(door_call(shared_target, 0, 0, 0, NULL), RETURN);
		if (steps % 2 && client_depth(&client) == 1)
			CHECK_EQUAL(abort_at(1, &peer), 0);
		CHECK_EQUAL(door_call(shared_target, 0, 0, 0, NULL), RETURN);
		client_end(&client);
		CHECK_EQUAL(door_call(shared_target, 0, 0, 0, NULL), RETURN);
	}
	CHECK_EQUAL(door_call_lend(shared_target | OPTION_WINDOWS, 0, 0, 0, windows, NULL),
		    RETURN + 3);
	slot_give(shared_target);
	domain_end(&peer);
	lendable_end(&lendable);
}
