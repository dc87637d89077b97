/* SPDX-License-Identifier: MIT */
/*
 * CPU time adds up: every cycle since boot is on one account, a thread's, the interrupts' or idle's.
 * Cycle counts themselves differ between machines; identities do not.
 */
#include "test.h"

#define NEVER   DEADLINE_NEVER
#define CLIENTS 5u
#define SOON    20000u

static struct client clients[CLIENTS];
static volatile uint32_t turns;
static struct dispatch_result noted[CLIENTS];
static uint64_t gone; /* what threads had consumed that are no more */

static uint64_t account_of(uint32_t account)
{
	uint64_t value;
	MUST(kernel_account(AUTHORITY, account, &value));
	return value;
}
static uint64_t time_of(uint32_t number)
{
	struct words words;
	MUST(kernel_thread_read(slot(number), THREAD_FIELD_TIME, &words));
	return (uint64_t)words.w[1] << 32 | words.w[0];
}
static uint64_t client_time(uint32_t number)
{
	return time_of(clients[number].thread.object.slot);
}
static uint32_t client_slot(uint32_t number)
{
	return clients[number].thread.object.slot;
}

/*
 * What the accounts lack to the time elapsed: a constant, namely what threads of earlier tests had
 * consumed. The root thread's account grows while it reads, so the constant is somewhere in a range,
 * which on a machine that counts instructions is the same each time.
 */
struct gap {
	uint64_t least, most;
};
static struct gap gap_now(uint32_t count)
{
	uint64_t sum = gone;
	for (uint32_t i = 0; i < count; i++)
		sum += client_time(i);
	sum += account_of(ACCOUNT_INTERRUPTS) + account_of(ACCOUNT_IDLE);
	uint64_t before = account_of(ACCOUNT_ELAPSED);
	sum += time_of(ROOT_THREAD);
	uint64_t after = account_of(ACCOUNT_ELAPSED);
	return (struct gap){before - sum, after - sum};
}
static _Bool gaps_equal(struct gap a, struct gap b)
{
	return a.least == b.least && a.most == b.most;
}
/* Some reading is undisturbed by a timer that was set for a dispatch long over. */
static void check_gap(struct gap begin, uint32_t count, _Bool exact)
{
	struct gap now = gap_now(count);
	for (uint32_t i = 0; i < 10 && !gaps_equal(begin, now); i++) {
		CHECK((int64_t)(now.most - begin.least) >= 0);
		CHECK((int64_t)(begin.most - now.least) >= 0);
		now = gap_now(count);
	}
	if (exact)
		CHECK(gaps_equal(begin, now)); /* to the tick */
}
static struct gap gap_begin(uint32_t count, _Bool *exact)
{
	gone = 0;
	gap_now(count);
	struct gap begin = gap_now(count);
	*exact = 1;
	for (uint32_t i = 0; i < 20; i++)
		*exact &= gaps_equal(begin, gap_now(count));
	return begin;
}

static void spins(uint32_t argument)
{
	(void)argument;
	for (;;)
		turns++;
}
static void waits(uint32_t argument)
{
	uint32_t bits;
	for (;;)
		kernel_wait(argument, NEVER, &bits);
}
static void faults(uint32_t argument)
{
	*(volatile uint32_t *)argument = 0;
}
static void dispatches_next(uint32_t self)
{
	for (;;)
		kernel_dispatch(slot(client_slot(self + 1)), 2, cycles() + 3 * SOON, 0,
				&noted[self]);
}
PEER spins_and_faults(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)a, (void)b, (void)badge_high;
	uint32_t value;
	uint64_t begin = cycles();
	for (uint32_t i = 0; i < operation; i++)
		turns++;
	_Bool ok = try_load((const uint32_t *)0x0BAD0000, &value);
	return ANSWER(ok, cycles() - begin);
}
static uint32_t spent_in_service;
static void calls(uint32_t door)
{
	for (;;)
		door_call(slot(door).encoded, 1000, 0, 0, &spent_in_service);
}

TEST(accounts_add_up_to_the_time_elapsed)
{
	struct domain peer;
	struct dispatch_result result;
	uint32_t bits, door;
	_Bool exact;
	peer_make(&peer, "peer");
	door = peer_door(&peer, spins_and_faults);
	client_make(&clients[0], &root_domain, spins, 0);
	client_make(&clients[1], &root_domain, waits, 1);
	client_make(&clients[2], &root_domain, calls, door);
	client_make(&clients[3], &root_domain, faults, 0x0BAD0000);
	struct gap begin = gap_begin(4, &exact);
	for (uint32_t round = 0; round < 300; round++) {
		client_dispatch(&clients[0], 0, SOON / 4 + 37 * round, 0); /* interrupts */
		client_dispatch(&clients[2], 0, SOON / 4 + 23 * round, 0); /* in services, faults */
		kernel_dispatch(slot(client_slot(1)), 0, NEVER, 0, &result); /* waits */
		kernel_signal(slot(client_slot(1)), 1);
		client_dispatch(&clients[3], 0, 0, 0); /* faults and is started again */
		client_restart(&clients[3], faults, 0x0BAD0000);
		client_step(&clients[0]);
		client_dispatch(&clients[0], 0, 1, 0); /* hardly begun, or not */
		kernel_dispatch(slot(client_slot(2)), 0, 0, 0, &result);
		if (round % 16 == 0)
			kernel_wait(1, cycles() + SOON, &bits); /* idle */
		if (round % 16 == 8) {                          /* a thread that is no more */
			gone += client_time(3);
			client_end(&clients[3]);
			client_make(&clients[3], &root_domain, faults, 0x0BAD0000);
		}
		if (round % 64 == 0)
			check_gap(begin, 4, exact);
	}
	check_gap(begin, 4, exact);
	CHECK(account_of(ACCOUNT_INTERRUPTS) && account_of(ACCOUNT_IDLE));
	test_note("accounts compared %s",
		  exact ? "to the tick" : "to within the time of reading them");
	for (uint32_t i = 0; i < 4; i++)
		client_end(&clients[i]);
	slot_give(door);
	domain_end(&peer);
}

TEST(accounts_add_up_through_chains_of_dispatchers)
{
	_Bool exact;
	for (uint32_t i = 0; i < 4; i++)
		client_make(&clients[i], &root_domain, i < 3 ? dispatches_next : spins, i);
	struct gap begin = gap_begin(4, &exact);
	for (uint32_t round = 0; round < 200; round++)
		client_dispatch(&clients[round % 4], 0, SOON + 41 * round, 0);
	check_gap(begin, 4, exact);
	for (uint32_t i = 0; i < 4; i++)
		client_end(&clients[i]);
}

static void signals_root(uint32_t argument)
{
	kernel_signal(slot(ROOT_THREAD), argument);
}

TEST(cycles_of_a_dispatch_are_what_its_thread_consumed)
{
	static const struct {
		client_function *function;
		uint32_t argument, mask, cycles, options, reason;
	} ways[] = {{spins, 0, 0, SOON, 0, DISPATCH_DEADLINE},
		    {spins, 0, 0, 0, DISPATCH_STEP, DISPATCH_STEPPED},
		    {waits, 1, 0, 0, 0, DISPATCH_WAITING},
		    {faults, 0x0BAD0000, 0, 0, 0, DISPATCH_FAULTED},
		    {signals_root, 4, 4, 0, 0, DISPATCH_EVENT},
		    {signals_root, 8, 0, 0, 0, DISPATCH_ENDED}};
	uint32_t bits;
	for (uint32_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		client_make(&clients[0], &root_domain, ways[i].function, ways[i].argument);
		uint64_t before = client_time(0);
		CHECK_EQUAL(before, 0); /* a new thread has consumed nothing */
		struct dispatch_result result =
			client_dispatch(&clients[0], ways[i].mask, ways[i].cycles, ways[i].options);
		CHECK_EQUAL(result.reason, ways[i].reason);
		CHECK_EQUAL(result.cycles, client_time(0) - before);
		CHECK(result.cycles > 0);
		client_end(&clients[0]);
	}
	MUST(kernel_wait(~0u, 0, &bits));
}

TEST(cycles_of_a_dispatch_are_those_of_its_whole_chain)
{
	for (uint32_t i = 0; i < 4; i++)
		client_make(&clients[i], &root_domain, i < 3 ? dispatches_next : spins, i);
	for (uint32_t round = 0; round < 20; round++) {
		uint64_t before[4], sum = 0;
		for (uint32_t i = 0; i < 4; i++) {
			client_restart(&clients[i], i < 3 ? dispatches_next : spins, i);
			before[i] = client_time(i);
			noted[i].cycles = 0;
		}
		struct dispatch_result result =
			client_dispatch(&clients[0], 0, SOON + 29 * round, 0);
		CHECK_EQUAL(result.reason, DISPATCH_DEADLINE);
		uint64_t within[4];
		for (uint32_t i = 4; i--;) {
			within[i] = sum;
			sum += client_time(i) - before[i];
		}
		CHECK_EQUAL(result.cycles, sum);
		for (uint32_t i = 0; i < 3; i++) { /* each is told when it runs: cut */
			while (!noted[i].cycles)
				client_step(&clients[i]);
			CHECK_EQUAL(noted[i].reason, DISPATCH_CUT);
			CHECK_EQUAL(noted[i].cycles, within[i]);
		}
	}
	for (uint32_t i = 0; i < 4; i++)
		client_end(&clients[i]);
}

TEST(cycles_of_single_steps_add_up)
{
	uint64_t sum = 0;
	client_make(&clients[0], &root_domain, signals_root, 0);
	struct dispatch_result result;
	do {
		result = client_step(&clients[0]);
		sum += result.cycles;
	} while (result.reason == DISPATCH_STEPPED);
	CHECK_EQUAL(sum, client_time(0));
	client_end(&clients[0]);
}

TEST(time_in_a_service_is_the_callers)
{
	struct domain peer;
	peer_make(&peer, "peer");
	uint32_t door = peer_door(&peer, spins_and_faults);
	client_make(&clients[0], &root_domain, calls, door);
	uint64_t root_before = time_of(ROOT_THREAD), begin = cycles(), total = 0;
	for (uint32_t round = 0; round < 50; round++) {
		uint64_t before = client_time(0);
		struct dispatch_result result = client_dispatch(&clients[0], 0, SOON, 0);
		CHECK_EQUAL(result.cycles, client_time(0) - before);
		total += result.cycles;
	}
	CHECK(spent_in_service > 1000 && total > spent_in_service);
	CHECK(time_of(ROOT_THREAD) - root_before + total <= cycles() - begin);
	client_end(&clients[0]);
	slot_give(door);
	domain_end(&peer);
}

TEST(time_that_is_idle_or_interrupts_is_nobodys)
{
	uint32_t bits;
	uint64_t root = time_of(ROOT_THREAD), idle = account_of(ACCOUNT_IDLE),
		 interrupts = account_of(ACCOUNT_INTERRUPTS), begin = cycles();
	MUST(kernel_wait(1, begin + 5 * boot_record->cycles_per_ms, &bits));
	uint64_t end = cycles();
	idle = account_of(ACCOUNT_IDLE) - idle;
	interrupts = account_of(ACCOUNT_INTERRUPTS) - interrupts;
	root = time_of(ROOT_THREAD) - root;
	CHECK(interrupts > 0 && interrupts < idle && root < idle);
	CHECK(idle + interrupts <= end - begin);
	client_make(&clients[0], &root_domain, spins, 0);
	interrupts = account_of(ACCOUNT_INTERRUPTS);
	client_dispatch(&clients[0], 0, SOON, 0);
	CHECK(account_of(ACCOUNT_INTERRUPTS) > interrupts);
	client_end(&clients[0]);
}
