/* SPDX-License-Identifier: MIT */
/* Attacks of several steps. How long the kernel takes for each, the benchmark of its longest stay
 * tells, which measures the self-test. */
#include "raw.h"

/* ---- a chain of dispatchers whose home dies
 * ------------------------------------------------------ */
#define DISPATCHERS (CHAIN_MAX - 2) /* beside the root thread and the one that destroys */
#define SLOT_DOOR   1u              /* in the list of their domain: to itself */
#define SLOT_THREAD 32u             /* and from here on: whom each dispatches */

static struct client crowd[DISPATCHERS + 1];
static struct domain doomed;
static uint32_t calls;
static volatile uint32_t answer;

PEER deeper(uint32_t depth, uint32_t number, uint32_t b, uint32_t badge_high)
{
	(void)badge_high;
	uint32_t bits;
	struct dispatch_result result;
	if (depth < calls) /* the first is not from the data page: the room there would be chance */
		door_call(SLOT_DOOR | (depth ? OPTION_NESTED : 0) | OPTION_MAY_WAIT, depth + 1,
			  number, b, NULL);
	else if (b)
		kernel_wait(1, DEADLINE_NEVER, &bits);
	else
		kernel_dispatch(slot(SLOT_THREAD + number), 0, DEADLINE_NEVER, 0, &result);
	return ANSWER(0, 0);
}
static void dispatches(uint32_t number)
{
	deeper(0, number, 0, 0);
}
static void destroys(uint32_t argument)
{
	(void)argument;
	object_destroy(doomed.object);
}

static void crowd_end(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct words words;
		MUST(kernel_thread_read(slot(crowd[i].thread.object.slot), THREAD_FIELD_STATE,
					&words));
		CHECK_EQUAL(words.w[0], THREAD_STOPPED);
		client_end(&crowd[i]);
	}
}
static void doomed_chain(uint32_t count, uint32_t depth)
{
	calls = depth;
	peer_make(&doomed, "doomed");
	uint32_t door = peer_door(&doomed, deeper);
	domain_give(&doomed, SLOT_DOOR, door);
	for (uint32_t i = 0; i < count; i++)
		client_make(&crowd[i], &doomed, dispatches, i);
	client_make(&crowd[count], &root_domain, destroys, 0);
	for (uint32_t i = 0; i < count; i++)
		domain_give(&doomed, SLOT_THREAD + i, crowd[i + 1].thread.object.slot);
	CHECK_EQUAL(client_dispatch(&crowd[0], 0, 0, 0).reason, DISPATCH_ENDED);
	crowd_end(count + 1);
	slot_give(door);
	domain_end(&doomed);
}

TEST(chain_of_dispatchers_without_a_home_ends_in_one_short_stay)
{
	doomed_chain(1, 0);
	doomed_chain(DISPATCHERS, 0);
	doomed_chain(DISPATCHERS, DEPTH_MAX - 1);
}

/* The last one alive below them is told, where it is. */
static void calls_the_doomed(uint32_t door)
{
	struct registers r = {.eax = slot(door).encoded | OPTION_MAY_WAIT,
			      .esi = calls,
			      .edi = 1,
			      .eflags = FLAGS_PLAIN};
	raw_invoke(&r);
	answer = r.eax;
}

TEST(dispatcher_below_a_chain_without_a_home_goes_on)
{
	calls = 3;
	peer_make(&doomed, "doomed");
	uint32_t door = peer_door(&doomed, deeper);
	domain_give(&doomed, SLOT_DOOR, door);
	client_make(&crowd[0], &root_domain, calls_the_doomed, door);
	for (uint32_t i = 1; i < 4; i++)
		client_make(&crowd[i], &doomed, dispatches, i + 1);
	client_make(&crowd[4], &root_domain, destroys, 0);
	for (uint32_t i = 1; i < 5; i++)
		domain_give(&doomed, SLOT_THREAD + i, crowd[i].thread.object.slot);
	CHECK_EQUAL(client_dispatch(&crowd[0], 0, 0, 0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(answer, ERROR_CALLEE_DESTROYED);
	crowd_end(5);
	slot_give(door);
	domain_end(&doomed);
}

/* ---- a thread that is sixteen activations deep -------------------------------------------------
 */
static void waits_deep(uint32_t argument)
{
	deeper(0, argument, 1, 0);
}

TEST(deep_calls_are_aborted_and_forgotten_in_one_short_stay)
{
	calls = DEPTH_MAX - 1;
	for (uint32_t i = 0; i < 2; i++) {
		peer_make(&doomed, "doomed");
		uint32_t door = peer_door(&doomed, deeper), bits;
		domain_give(&doomed, SLOT_DOOR, door);
		client_make(&crowd[0], &doomed, waits_deep, 0);
		CHECK_EQUAL(client_dispatch(&crowd[0], 0, 0, 0).reason, DISPATCH_WAITING);
		CHECK_EQUAL(client_depth(&crowd[0]), DEPTH_MAX - 1);
		slot_t thread = slot(crowd[0].thread.object.slot);
		if (i)
			MUST(kernel_thread_stop(thread));
		if (i)
			MUST(kernel_thread_start(thread, 0, 0, 0));
		else
			MUST(kernel_abort(thread, 1, doomed.object.frame));
		CHECK_EQUAL(client_depth(&crowd[0]), 0);
		kernel_wait(~0u, 0, &bits);
		client_end(&crowd[0]);
		slot_give(door);
		domain_end(&doomed);
	}
}
