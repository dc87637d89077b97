/* SPDX-License-Identifier: MIT */
/* The timer: which one it is, how exactly it meets deadlines, and that nobody else reaches it. */
#include "test.h"

#define APIC_PAGE 0xB03F8000u /* kernel/x86/x86.h */

static struct client client;
static volatile uint64_t seen;

/* The machine's owner says it: `timer=pit`, `timer=apic` or `timer=tsc` on the command line. */
TEST(deadlines_are_met_by_the_timer_that_the_machine_was_said_to_have)
{
	static const char *const names[] = {"pit", "apic", "tsc"};
	const char *name = names[boot_record->timer], *said = line_behind("timer=");
	if (said)
		CHECK(!memcmp(said, name, strlen(name)));
	else
		test_skip("nobody said which");
	test_note("deadlines are met by: %s", name);
}

static void watches(uint32_t argument)
{
	(void)argument;
	for (;;)
		seen = cycles();
}

/*
 * A thread that looks at the counter all the time is stopped at the deadline: what it saw last is
 * no later than the timer is, and no earlier than a turn of its loop. A tick of the 8254 is 838 ns,
 * and it counts down from one more; the local APIC's is an instruction where time is exact. That
 * the kernel looks at the counter, computes, and then sets the timer makes up the rest.
 */
#define TURN 12u
#define REST 16u
TEST(deadlines_are_met_as_exactly_as_the_timer_can)
{
	uint64_t ms = boot_record->cycles_per_ms, latest = 0, earliest = UINT64_MAX;
	uint64_t late = boot_record->timer == TIMER_PIT ? 2 * ms / 1193 + REST : REST;
	client_make(&client, &root_domain, watches, 0);
	for (uint32_t i = 0; i < 300; i++) {
		struct dispatch_result result;
		uint64_t length = i < 290 ? soon + 997ull * i : ms * (i - 250), deadline, end;
		deadline = cycles() + length;
		MUST(kernel_dispatch(slot(client.thread.object.slot), 0, deadline, 0, &result));
		end = cycles();
		CHECK_EQUAL(result.reason, DISPATCH_DEADLINE);
		CHECK(end >= deadline);
		uint64_t off =
			seen + TURN - deadline; /* 0: stopped exactly then, at the earliest */
		latest = off > latest ? off : latest;
		earliest = off < earliest ? off : earliest;
		if (time_is_exact)
			CHECK(off <= late + TURN && end - deadline < late + 1000);
	}
	test_note("the last look was %llu to %llu ticks behind a turn before the deadline",
		  earliest, latest);
	if (!time_is_exact)
		test_skip(COUNTER_IS_NOT_EXACT);
	client_end(&client);
}

static void reads(uint32_t address)
{
	seen = *(const volatile uint32_t *)address;
}
static void writes(uint32_t address)
{
	*(volatile uint32_t *)address = 1;
}

TEST(apic_is_out_of_reach_of_programs)
{
	struct domain peer;
	struct words fault;
	peer_make(&peer, "peer");
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t address = APIC_PAGE + (i < 2 ? 0x380 : 0xB0);
		uint32_t wanted = (i % 2 ? 6 : 4) | (boot_record->timer != TIMER_PIT);
		client_make(&client, i < 2 ? &peer : &root_domain, i % 2 ? writes : reads, address);
		CHECK_EQUAL(client_dispatch(&client, 0, 0, 0).reason, DISPATCH_FAULTED);
		MUST(kernel_thread_read(slot(client.thread.object.slot), THREAD_FIELD_FAULT,
					&fault));
		CHECK_EQUAL(fault.w[0], FAULT_PAGING | 14 << 8 | wanted << 16);
		CHECK_EQUAL(fault.w[1], address);
		client_end(&client);
	}
	domain_end(&peer);
}
