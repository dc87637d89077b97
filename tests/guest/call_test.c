/* SPDX-License-Identifier: MIT */
/* Calls on the lent thread: plain, nested, with words, and what a fault and a catch do. */
#include "test.h"

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

PEER touch(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation;
	(void)b;
	(void)badge_high;
	uint32_t value;
	_Bool ok = try_load((const uint32_t *)a, &value);
	return ANSWER(ok, value);
}

TEST(fault_is_caught_where_the_table_says)
{
	struct domain peer;
	peer_make(&peer, "toucher");
	uint32_t door = peer_door(&peer, touch), value;
	CHECK_EQUAL(door_call(slot(door).encoded, 0, 0x12345000, 0, &value), RETURN + 0);
	CHECK_EQUAL(door_call(slot(door).encoded, 0, (uint32_t)&inner_door, 0, &value), RETURN + 1);
	slot_give(door);
	domain_end(&peer);
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
