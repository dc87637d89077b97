// sources: tests/host/machine/tap.c kernel/x86/timer.c kernel/x86/pic.c boot/devices.c
/* SPDX-License-Identifier: MIT */
/* The timer's arithmetic for processors of all speeds, and the interrupt controllers' masks. */
#include "boot.h"
#include "machine/tap.h"
#include "x86/x86.h"

#define PIT_HZ    1193182ull
#define TICKS_MAX 64431u /* 54 ms */

struct cpu cpu;
static struct {
	uint16_t port;
	uint8_t value;
} writes[64];
static uint32_t write_count;
static uint8_t in_service[2];

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
	timer_arm(cpu.stamp + left);
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
		cpu.stamp = 0x123456789A;
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
	cpu.stamp = 1000;
	write_count = 0;
	cpu.armed = DEADLINE_NEVER;
	timer_arm(10);
	CHECK(write_count == 2 && writes[0].value == 1 && writes[1].value == 0);
	CHECK_EQUAL(ticks_for(DEADLINE_NEVER - cpu.stamp), 0);
	CHECK_EQUAL(ticks_for(DEADLINE_NEVER - cpu.stamp - 1), TICKS_MAX);
}

TEST(earlier_one_stays_armed)
{
	timer_start(1000000);
	cpu.stamp = 0;
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
	cpu.stamp = 77;
	uint64_t deadline = cpu.stamp + seconds * 1000000000, now = cpu.stamp * PIT_HZ;
	uint32_t pieces = 0;
	while (cpu.stamp < deadline) {
		write_count = 0;
		cpu.armed = DEADLINE_NEVER; /* as the interrupt does */
		timer_arm(deadline);
		CHECK_EQUAL(write_count, 2);
		now += (writes[0].value | (uint64_t)writes[1].value << 8) * 1000000000;
		cpu.stamp = (now + PIT_HZ - 1) / PIT_HZ;
		pieces++;
	}
	CHECK(pieces >= 54 && pieces <= 60);
	CHECK(cpu.stamp - deadline < 2000);
}

/* ---- 8259A ----------------------------------------------------------------------------------- */
static uint8_t mask_of(uint32_t half)
{
	static uint8_t mask[2];
	for (uint32_t i = 0; i < write_count; i++)
		if (writes[i].port == 0x21 || writes[i].port == 0xA1)
			mask[writes[i].port == 0xA1] = writes[i].value;
	write_count = 0;
	return mask[half];
}

TEST(controllers_start_with_everything_masked)
{
	static const uint8_t wanted[][2] = {{0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 1},
					    {0xA0, 0x11}, {0xA1, 0x28}, {0xA1, 2}, {0xA1, 1}};
	for (uint32_t line = 0; line < 16; line++)
		pic_mask(line);
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
			pic_mask(line);
			wanted |= 1u << line;
		} else {
			pic_unmask(line);
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
