// sources: tests/host/machine/tap.c kernel/x86/timer.c kernel/x86/pic.c boot/devices.c
/* SPDX-License-Identifier: MIT */
/* The timer's arithmetic for processors of all speeds, and the interrupt controllers' masks. */
#include <string.h>

#include "boot.h"
#include "machine/tap.h"
#include "x86/x86.h"

#define TICKS_MAX 64431u /* 54 ms */

struct cpu cpu;
uint32_t window_table[1024] __attribute__((aligned(4096)));
uint32_t boot_directory[1024];
static uint64_t clock;
static struct {
	uint16_t port;
	uint8_t value;
} writes[64];
static uint32_t write_count;
static uint8_t in_service[2];

/* A local APIC: its base register, its timer in ticks of so many cycles (0: it stands still), and
 * what was last written to each register and to the deadline's. */
#define INITIAL (0x380 / 4)
static uint64_t apic_base, tsc_deadline;
static uint32_t apic[0x400 / 4], apic_writes, cycles_per_tick, loaded_directory;
static bool has_tsc_deadline, stands_still_once;

uint64_t cycles(void)
{
	return clock++;
}
void directory_load(uint32_t address)
{
	loaded_directory = address;
}
bool cpu_has_tsc_deadline(void)
{
	return has_tsc_deadline;
}
uint64_t msr_read(uint32_t number)
{
	CHECK_EQUAL(number, 0x1B);
	return apic_base;
}
void msr_write(uint32_t number, uint64_t value)
{
	CHECK_EQUAL(number, 0x6E0);
	CHECK_EQUAL(apic[0x320 / 4], 0x40020); /* the mode was set before */
	tsc_deadline = value;
}
void apic_write(uint32_t at, uint32_t value)
{
	CHECK(loaded_directory == physical(boot_directory));
	apic_writes++;
	apic[at / 4] = value;
}
uint32_t apic_read(uint32_t at)
{
	if (at != 0x390)
		return apic[at / 4];
	if (stands_still_once) /* the whole machine, between two readings */
		clock += 1000000;
	stands_still_once = false;
	uint64_t passed = cycles_per_tick ? clock / cycles_per_tick : 0;
	return passed < apic[INITIAL] ? apic[INITIAL] - passed : 0;
}

void port_write(uint16_t port, uint8_t value)
{
	writes[write_count % 64].port = port;
	writes[write_count++ % 64].value = value;
}

uint8_t port_read(uint16_t port)
{
	return in_service[port == 0xA0];
}

/* Ticks that a deadline so many cycles off is armed with; 0: nothing was written. */
static uint32_t ticks_for(uint64_t left)
{
	write_count = 0;
	cpu.armed = DEADLINE_NEVER;
	timer_arm(clock + left);
	if (!write_count)
		return 0;
	CHECK_EQUAL(write_count, 2);
	CHECK(writes[0].port == 0x40 && writes[1].port == 0x40);
	return writes[0].value | (uint32_t)writes[1].value << 8;
}

/* Not more than one tick early, not more than two late; far off: as late as the timer can. */
static void check_deadline(uint32_t cycles_per_ms, uint64_t left)
{
	uint32_t ticks = ticks_for(left);
	CHECK(ticks > 0 && ticks <= TICKS_MAX + 1);
	if (left > 100ull * cycles_per_ms) {
		CHECK_EQUAL(ticks, TICKS_MAX);
		return;
	}
	uint64_t tick = cycles_per_ms * 1000ull; /* cycles times PIT_HZ */
	uint64_t fires = ticks * tick, due = left * PIT_HZ;
	if (left < 54ull * cycles_per_ms)
		CHECK(fires + tick >= due);
	CHECK(fires <= due + 2 * tick || ticks == 1);
}

TEST(fires_at_the_deadline)
{
	static const uint32_t speeds[] = {1500,    4770,    66000,   200000,  1000000,
					  3000000, 5000000, 9999999, 30000000};
	for (uint32_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
		clock = 0x123456789A;
		timer_start(speeds[i]);
		for (uint64_t left = 0; left < 200ull * speeds[i]; left += 1 + speeds[i] / 300)
			check_deadline(speeds[i], left);
		for (uint32_t round = 0; round < 20000; round++)
			check_deadline(speeds[i], (uint64_t)random_number() * random_number() >>
							  random_below(64));
	}
}

TEST(past_and_never)
{
	timer_start(1000000);
	clock = 1000;
	write_count = 0;
	cpu.armed = DEADLINE_NEVER;
	timer_arm(10);
	CHECK(write_count == 2 && writes[0].value == 1 && writes[1].value == 0);
	CHECK_EQUAL(ticks_for(DEADLINE_NEVER - clock), 0);
	CHECK_EQUAL(ticks_for(DEADLINE_NEVER - clock - 1), TICKS_MAX);
}

TEST(earlier_one_stays_armed)
{
	timer_start(1000000);
	clock = 0;
	timer_arm(50000);
	write_count = 0;
	timer_arm(50000);
	timer_arm(90000);
	timer_arm(DEADLINE_NEVER);
	CHECK_EQUAL(write_count, 0);
	timer_arm(40000);
	CHECK_EQUAL(write_count, 2);
	CHECK_EQUAL(cpu.armed, 40000);
}

/* Each interrupt arms it anew until the deadline is there. */
TEST(far_deadline_in_pieces)
{
	static const uint64_t seconds = 3;
	timer_start(1000000);
	clock = 77;
	uint64_t deadline = clock + seconds * 1000000000, now = clock * PIT_HZ;
	uint32_t pieces = 0;
	while (clock < deadline) {
		write_count = 0;
		cpu.armed = DEADLINE_NEVER; /* as the interrupt does */
		timer_arm(deadline);
		CHECK_EQUAL(write_count, 2);
		now += (writes[0].value | (uint64_t)writes[1].value << 8) * 1000000000;
		clock = (now + PIT_HZ - 1) / PIT_HZ;
		pieces++;
	}
	CHECK(pieces >= 54 && pieces <= 60);
	CHECK(clock - deadline < 2000);
}

static uint8_t mask_of(uint32_t half)
{
	static uint8_t mask[2];
	for (uint32_t i = 0; i < write_count; i++)
		if (writes[i].port == 0x21 || writes[i].port == 0xA1)
			mask[writes[i].port == 0xA1] = writes[i].value;
	write_count = 0;
	return mask[half];
}

/* ---- local APIC ------------------------------------------------------------------------------ */
/* Boot on such a machine, whose timer is measured for so many cycles. */
static void apic_boot(uint32_t features, uint64_t base, uint32_t per_tick, uint64_t measured)
{
	clock = 0;
	apic_base = base;
	apic_writes = loaded_directory = 0;
	cycles_per_tick = per_tick;
	memset(apic, 0, sizeof(apic));
	memset(window_table, 0, sizeof(window_table));
	pic_start();
	timer_start(1000000);
	if (!apic_start(features))
		return;
	struct look begin = apic_look();
	clock += measured;
	apic_timer_start(begin, apic_look());
}

#define APIC_BIT     (1u << 9)
#define APIC_USUAL   0xFEE00900ull /* on, of the boot processor */
#define MEASURED     30000000u
#define WINDOW_ENTRY window_table[APIC_PAGE >> 12 & 1023]

TEST(apic_is_for_the_kernel_only_and_lets_the_controllers_through)
{
	apic_boot(APIC_BIT, APIC_USUAL, 10, MEASURED);
	CHECK_EQUAL(timer.kind, TIMER_APIC);
	CHECK_EQUAL(WINDOW_ENTRY, 0xFEE0011B); /* global, uncached, written to; not for users */
	CHECK_EQUAL(apic[0xF0 / 4], 0x100 | 0x2F);
	CHECK_EQUAL(apic[0x350 / 4], 0x700);
	CHECK_EQUAL(apic[0x360 / 4], 0x400);
	CHECK_EQUAL(apic[0x370 / 4], 0x10000);
	CHECK_EQUAL(apic[0x320 / 4], 0x20);
	CHECK_EQUAL(apic[0x3E0 / 4], 0xB);
	CHECK_EQUAL(mask_of(0) & 1, 1); /* the 8254 says no more */
	write_count = apic_writes = 0;
	timer_end();
	CHECK(write_count == 0 && apic_writes == 1);
	CHECK_EQUAL(apic[0xB0 / 4], 0);
}

TEST(apic_timer_fires_at_the_deadline)
{
	static const uint32_t ratios[] = {1, 2, 3, 10, 125, 1000};
	for (uint32_t i = 0; i < sizeof(ratios) / sizeof(ratios[0]); i++) {
		uint32_t per_tick = ratios[i];
		apic_boot(APIC_BIT, APIC_USUAL, per_tick, MEASURED);
		CHECK_EQUAL(timer.kind, TIMER_APIC);
		for (uint32_t round = 0; round < 20000; round++) {
			uint64_t left =
				(uint64_t)random_number() * random_number() >> random_below(64);
			uint64_t deadline = clock + left, late;
			cpu.armed = DEADLINE_NEVER;
			timer_arm(deadline);
			late = clock + (uint64_t)apic[INITIAL] * per_tick - deadline;
			CHECK(apic[INITIAL]);
			if (left >= UINT32_MAX) /* in steps, the longest that there are */
				CHECK_EQUAL(apic[INITIAL], timer.ticks_max);
			else /* within a tick, and what measuring may have missed of one */
				CHECK((int64_t)late >= -(int64_t)(left / 1000000) - per_tick &&
				      (int64_t)late <= (int64_t)(left / 1000000) + 2 * per_tick);
		}
	}
}

/* An instruction a tick, as under icount: to the tick. */
TEST(apic_timer_that_counts_as_the_counter_does_is_exact)
{
	apic_boot(APIC_BIT, APIC_USUAL, 1, MEASURED);
	CHECK_EQUAL(timer.ticks_per_cycle_32, UINT32_MAX);
	for (uint32_t left = 2; left < 0xF0000000; left += 1 + left / 3) {
		uint64_t deadline = clock + left;
		cpu.armed = DEADLINE_NEVER;
		timer_arm(deadline); /* (looking takes a cycle) */
		CHECK_EQUAL(clock + apic[INITIAL] - deadline, 1);
	}
	cpu.armed = DEADLINE_NEVER;
	timer_arm(clock - 1);
	CHECK_EQUAL(apic[INITIAL], 1);
	cpu.armed = DEADLINE_NEVER;
	timer_arm(DEADLINE_NEVER - 1);
	CHECK_EQUAL(apic[INITIAL], timer.ticks_max);
}

TEST(apic_timer_is_measured_though_the_machine_stood_still)
{
	stands_still_once = true;
	apic_boot(APIC_BIT, APIC_USUAL, 10, MEASURED);
	CHECK(timer.ticks_per_cycle_32 / 429496 >= 999 &&
	      timer.ticks_per_cycle_32 / 429496 <= 1001);
}

TEST(deadlines_go_to_the_counter_itself_where_it_can)
{
	has_tsc_deadline = true;
	apic_boot(APIC_BIT, APIC_USUAL, 10, MEASURED);
	has_tsc_deadline = false;
	CHECK_EQUAL(timer.kind, TIMER_TSC);
	cpu.armed = DEADLINE_NEVER;
	apic_writes = write_count = 0;
	for (uint64_t deadline = DEADLINE_NEVER - 1; deadline > 1; deadline /= 3) {
		timer_arm(deadline);
		CHECK_EQUAL(tsc_deadline, deadline);
		timer_arm(deadline + 1);
		CHECK_EQUAL(tsc_deadline, deadline);
	}
	CHECK(apic_writes == 0 && write_count == 0);
	timer_end();
	CHECK_EQUAL(apic_writes, 1);
}

/* The 8254 stays, and what there is of an APIC keeps its mouth shut. */
TEST(without_a_timer_that_counts_the_8254_stays)
{
	static const struct {
		uint64_t base, measured;
		uint32_t features, per_tick;
		bool has_page;
	} machines[] = {
		{APIC_USUAL, MEASURED, ~APIC_BIT, 10, false},       /* none */
		{0xFEE00100, MEASURED, APIC_BIT, 10, false},        /* switched off */
		{0xFEE00D00, MEASURED, APIC_BIT, 10, false},        /* x2APIC mode */
		{0x1FEE00900, MEASURED, APIC_BIT, 10, false},       /* out of reach */
		{APIC_USUAL, MEASURED, APIC_BIT, 0, true},          /* stands still */
		{APIC_USUAL, 0xFFFFFFFFull * 3, APIC_BIT, 2, true}, /* ran out */
		{APIC_USUAL, 0x100000000ull, APIC_BIT, 10, true}};  /* was measured too long */
	for (uint32_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		has_tsc_deadline = true;
		apic_boot(machines[i].features, machines[i].base, machines[i].per_tick,
			  machines[i].measured);
		has_tsc_deadline = false;
		CHECK_EQUAL(timer.kind, TIMER_PIT);
		CHECK_EQUAL(!!WINDOW_ENTRY, machines[i].has_page);
		CHECK_EQUAL(apic[0x320 / 4], machines[i].has_page ? 0x10020 : 0);
		CHECK_EQUAL(mask_of(0) & 1, 0);
		CHECK(ticks_for(1000000) > 1000);
		apic_writes = 0;
		timer_end();
		CHECK(apic_writes == 0 && writes[write_count - 1].port == 0x20);
	}
}

/* ---- 8259A ----------------------------------------------------------------------------------- */
TEST(controllers_start_with_everything_masked)
{
	static const uint8_t wanted[][2] = {{0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 1},
					    {0xA0, 0x11}, {0xA1, 0x28}, {0xA1, 2}, {0xA1, 1}};
	for (uint32_t line = 0; line < 16; line++)
		pic_mask(line, 1);
	write_count = 0;
	pic_start();
	for (uint32_t i = 0; i < 8; i++)
		CHECK(writes[i].port == wanted[i][0] && writes[i].value == wanted[i][1]);
	CHECK_EQUAL(mask_of(0), 0xFB); /* the cascade */
	CHECK_EQUAL(mask_of(1), 0xFF);
}

TEST(masks_of_lines_are_independent)
{
	uint32_t wanted = 0xFFFB;
	for (uint32_t round = 0; round < 5000; round++) {
		uint32_t line = random_below(16);
		if (random_below(2)) {
			pic_mask(line, 1);
			wanted |= 1u << line;
		} else {
			pic_mask(line, 0);
			wanted &= ~(1u << line);
		}
		CHECK_EQUAL(mask_of(line / 8), wanted >> line / 8 * 8 & 0xFF);
	}
}

TEST(end_of_interrupt_goes_to_both_for_the_second)
{
	for (uint32_t line = 0; line < 16; line++) {
		write_count = 0;
		pic_end(line);
		CHECK_EQUAL(write_count, line < 8 ? 1 : 2);
		CHECK(writes[write_count - 1].port == 0x20 &&
		      writes[write_count - 1].value == 0x20);
		CHECK(line < 8 || writes[0].port == 0xA0);
	}
}

TEST(only_the_last_line_can_be_spurious)
{
	for (uint32_t line = 0; line < 16; line++) {
		write_count = 0;
		in_service[0] = in_service[1] = 0xFF;
		CHECK(!pic_is_spurious(line));
		in_service[line / 8] = 0x7F;
		write_count = 0;
		CHECK_EQUAL(pic_is_spurious(line), line % 8 == 7);
		bool ended = write_count && writes[write_count - 1].value == 0x20;
		CHECK_EQUAL(ended, line == 15); /* the first controller's: the cascade was real */
		CHECK(!ended || writes[write_count - 1].port == 0x20);
	}
}
