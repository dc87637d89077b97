/* SPDX-License-Identifier: MIT */
/*
 * CPU time adds up: every cycle since boot is on one account, a thread's, the interrupts' or
 * idle's. Cycle counts themselves differ between machines; identities do not.
 */
#include "test.h"

#define NEVER   DEADLINE_NEVER
#define CLIENTS 5u

static struct client clients[CLIENTS];
static volatile uint32_t turns;
static struct dispatch_result noted[CLIENTS];
static uint64_t gone; /* what threads had consumed that are no more */

static uint64_t client_time(uint32_t number)
{
	return time_of(clients[number].thread.object.slot);
}
static uint32_t client_slot(uint32_t number)
{
	return clients[number].thread.object.slot;
}

static uint64_t clients_time(void)
{
	uint64_t sum = gone;
	for (uint32_t i = 0; i < 4; i++)
		sum += client_time(i);
	return sum;
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
		kernel_dispatch(slot(client_slot(self + 1)), 2, cycles() + 3 * soon, 0,
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

/* A bit of everything, with dispatches of about this length. */
static struct domain load_peer;
static uint32_t load_door;

static void load_begin(void)
{
	peer_make(&load_peer, "peer");
	load_door = peer_door(&load_peer, spins_and_faults);
	client_make(&clients[0], &root_domain, spins, 0);
	client_make(&clients[1], &root_domain, waits, 1);
	client_make(&clients[2], &root_domain, calls, load_door);
	client_make(&clients[3], &root_domain, faults, 0x0BAD0000);
	gone = 0;
}
static void load_run(uint32_t round, uint64_t length)
{
	struct dispatch_result result;
	uint32_t bits;
	client_dispatch(&clients[0], 0, length + 37ull * round, 0);  /* interrupts */
	client_dispatch(&clients[2], 0, length + 23ull * round, 0);  /* in services, faults */
	kernel_dispatch(slot(client_slot(1)), 0, NEVER, 0, &result); /* waits */
	kernel_signal(slot(client_slot(1)), 1);
	client_dispatch(&clients[3], 0, 0, 0); /* faults and is started again */
	client_restart(&clients[3], faults, 0x0BAD0000);
	client_step(&clients[0]);
	client_dispatch(&clients[0], 0, 1, 0); /* hardly begun, or not */
	kernel_dispatch(slot(client_slot(2)), 0, 0, 0, &result);
	if (round % 16 == 0)
		kernel_wait(1, cycles() + soon, &bits); /* idle */
	if (round % 16 == 8) {                          /* a thread that is no more */
		gone += client_time(3);
		client_end(&clients[3]);
		client_make(&clients[3], &root_domain, faults, 0x0BAD0000);
	}
}
static void load_end(void)
{
	for (uint32_t i = 0; i < 4; i++)
		client_end(&clients[i]);
	slot_give(load_door);
	domain_end(&load_peer);
}

TEST(accounts_add_up_to_the_time_elapsed)
{
	load_begin();
	struct gap begin = gap_begin(clients_time());
	for (uint32_t round = 0; round < 300; round++) {
		uint64_t interrupts = account_of(ACCOUNT_INTERRUPTS);
		load_run(round, soon / 4);
		if (round % 64 == 0)
			gap_check(begin, clients_time());
		try_longer(account_of(ACCOUNT_INTERRUPTS) == interrupts);
	}
	gap_check(begin, clients_time());
	CHECK(account_of(ACCOUNT_INTERRUPTS) && account_of(ACCOUNT_IDLE));
	test_note("accounts compared %s",
		  begin.is_exact ? "to the tick" : "to within the time of reading them");
	load_end();
}

/* Command line `runs=long`: a billion ticks of work, an hour of idling. */
static _Bool runs_long(void)
{
	return line_behind("runs=long") && time_is_exact;
}

TEST(accounts_add_up_over_a_long_run_under_load_and_interrupts)
{
	uint64_t wanted = runs_long() ? 1000000000 : 5000000, work, idle, interrupts, begun;
	uint32_t round = 0, threads = 0;
	clock_begin();
	load_begin();
	struct gap begin = gap_begin(clients_time());
	begun = cycles();
	idle = account_of(ACCOUNT_IDLE);
	interrupts = account_of(ACCOUNT_INTERRUPTS);
	do {
		load_run(round % 257, soon / 8 << round % 4);
		threads += round % 16 == 8;
		if (round++ % 8 == 0)
			clock_again();
		if (round % 64 == 0)
			gap_check(begin, clients_time());
		work = cycles() - begun - (account_of(ACCOUNT_IDLE) - idle);
	} while (work < wanted);
	clock_end();
	gap_check(begin, clients_time());
	interrupts = account_of(ACCOUNT_INTERRUPTS) - interrupts;
	CHECK(interrupts > work / 2000 && interrupts < work / 10);
	test_note("%llu ticks of work, %llu of them for interrupts; %u threads came and went", work,
		  interrupts, threads);
	load_end();
}

/*
 * Who waits is woken by one interrupt, or by as many as the timer must be set. The first wait says
 * what one costs; one that only sets the timer again may cost twice as much.
 */
TEST(accounts_add_up_over_a_long_time_of_idling_without_a_tick)
{
	static const uint32_t seconds[] = {1, 1, 60, 300, 1, 1800, 1, 836, 600};
	uint64_t ms = boot_record->cycles_per_ms, all = account_of(ACCOUNT_IDLE), total = 0, once;
	uint64_t step = boot_record->timer == TIMER_PIT    ? 50 * ms
			: boot_record->timer == TIMER_APIC ? 4000 * ms
							   : UINT64_MAX;
	uint32_t bits, count = runs_long() ? sizeof(seconds) / sizeof(seconds[0]) : 2;
	struct gap begin = gap_begin(0);
	once = account_of(ACCOUNT_INTERRUPTS);
	MUST(kernel_wait(1, cycles() + ms, &bits));
	once = account_of(ACCOUNT_INTERRUPTS) - once;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t root = time_of(ROOT_THREAD), interrupts = account_of(ACCOUNT_INTERRUPTS);
		uint64_t length = time_is_exact ? seconds[i] * 1000 * ms : 20 * ms;
		uint64_t end = cycles() + length;
		MUST(kernel_wait(1, end, &bits));
		CHECK(bits == 0 && cycles() >= end);
		interrupts = account_of(ACCOUNT_INTERRUPTS) - interrupts;
		if (time_is_exact) {
			CHECK(interrupts <= 2 * once * (length / step + 1));
			CHECK(time_of(ROOT_THREAD) - root < 1000);
		}
		gap_check(begin, 0);
		total += length;
	}
	all = account_of(ACCOUNT_IDLE) - all;
	if (time_is_exact)
		CHECK(all > total - total / 10000);
	test_note("idle for %llu of %llu ms; an interrupt takes %llu ticks", all / ms,
		  total / ms + 1, once);
}

TEST(accounts_add_up_through_chains_of_dispatchers)
{
	for (uint32_t i = 0; i < 4; i++)
		client_make(&clients[i], &root_domain, i < 3 ? dispatches_next : spins, i);
	gone = 0;
	struct gap begin = gap_begin(clients_time());
	for (uint32_t round = 0; round < 200; round++)
		while (try_longer(
			!client_dispatch(&clients[round % 4], 0, soon + 41ull * round, 0).cycles))
			;
	gap_check(begin, clients_time());
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
		uint32_t argument, mask, has_deadline, options, reason;
	} ways[] = {{spins, 0, 0, 1, 0, DISPATCH_DEADLINE},
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
		struct dispatch_result result;
		do
			result = client_dispatch(&clients[0], ways[i].mask,
						 ways[i].has_deadline ? soon : 0, ways[i].options);
		while (try_longer(!result.cycles));
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
		struct dispatch_result result;
		do {
			for (uint32_t i = 0; i < 4; i++) {
				client_restart(&clients[i], i < 3 ? dispatches_next : spins, i);
				before[i] = client_time(i);
				noted[i].cycles = 0;
			}
			result = client_dispatch(&clients[0], 0, soon + 29ull * round, 0);
		} while (try_longer(client_time(3) == before[3])); /* not so far */
		CHECK_EQUAL(result.reason, DISPATCH_DEADLINE);
		uint64_t within[4];
		for (uint32_t i = 4; i--;) {
			within[i] = sum;
			sum += client_time(i) - before[i];
		}
		CHECK_EQUAL(result.cycles, sum);
		for (uint32_t i = 0; i < 3; i++) { /* each is told when it runs: cut */
			for (uint32_t steps = 0; !noted[i].cycles && steps < 1000; steps++)
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
	uint64_t begin = cycles(), root_before = time_of(ROOT_THREAD), total = 0;
	uint32_t shortest = UINT32_MAX;
	spent_in_service = 0;
	for (uint32_t round = 0; round < 50; round++) {
		uint64_t before = client_time(0);
		struct dispatch_result result = client_dispatch(&clients[0], 0, soon, 0);
		CHECK_EQUAL(result.cycles, client_time(0) - before);
		total += result.cycles;
		if (spent_in_service && spent_in_service < shortest) /* the least disturbed call */
			shortest = spent_in_service;
		try_longer(!spent_in_service);
	}
	CHECK(shortest > 1000 && total > shortest);
	uint64_t root_after = time_of(ROOT_THREAD);
	CHECK(root_after - root_before + total <= cycles() - begin);
	client_end(&clients[0]);
	slot_give(door);
	domain_end(&peer);
}

TEST(time_that_is_idle_or_interrupts_is_nobodys)
{
	uint32_t bits;
	uint64_t root, idle, interrupts, begin, end;
	do {
		root = time_of(ROOT_THREAD);
		idle = account_of(ACCOUNT_IDLE);
		interrupts = account_of(ACCOUNT_INTERRUPTS);
		begin = cycles();
		MUST(kernel_wait(1, begin + 5ull * boot_record->cycles_per_ms + soon, &bits));
		end = cycles();
		idle = account_of(ACCOUNT_IDLE) - idle;
		interrupts = account_of(ACCOUNT_INTERRUPTS) - interrupts;
		root = time_of(ROOT_THREAD) - root;
	} while (try_longer(interrupts >= idle || root >= idle)); /* stood still elsewhere */
	CHECK(interrupts > 0 && interrupts < idle && root < idle);
	CHECK(idle + interrupts <= end - begin);
	client_make(&clients[0], &root_domain, spins, 0);
	interrupts = account_of(ACCOUNT_INTERRUPTS);
	while (try_longer(!client_dispatch(&clients[0], 0, soon, 0).cycles))
		;
	CHECK(account_of(ACCOUNT_INTERRUPTS) > interrupts);
	client_end(&clients[0]);
}

/* One that ends the dispatch, and before it one that was set for something else and ends nothing.
 */
static uint64_t interrupts_of_a_dispatch(_Bool another_before)
{
	struct dispatch_result result;
	uint64_t deadline = cycles() + soon, before;
	if (another_before) {
		client_restart(&clients[1], waits, 1);
		MUST(kernel_dispatch(slot(client_slot(1)), 0, deadline, 0, &result));
	}
	before = account_of(ACCOUNT_INTERRUPTS);
	MUST(kernel_dispatch(slot(client_slot(0)), 0, deadline + soon, 0, &result));
	return account_of(ACCOUNT_INTERRUPTS) - before;
}

TEST(time_of_an_interrupt_that_ends_no_dispatch_is_nobodys_either)
{
	uint64_t one = 0, two = 0;
	if (!time_is_exact) { /* nor is one interrupt as long as another */
		test_skip(COUNTER_IS_NOT_EXACT);
		return;
	}
	client_make(&clients[0], &root_domain, spins, 0);
	client_make(&clients[1], &root_domain, waits, 1);
	for (uint32_t i = 0; i < 20; i++) {
		one += interrupts_of_a_dispatch(0);
		two += interrupts_of_a_dispatch(1);
	}
	CHECK(two > one + one / 4);
	client_end(&clients[0]);
	client_end(&clients[1]);
}
