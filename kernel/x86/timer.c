/* SPDX-License-Identifier: MIT */
/* One-shot timer: channel 0 of the 8254 (Intel 8254 data sheet, 1993). No periodic tick. */
#include "x86.h"

#define PIT_CHANNEL_0 0x40
/* What is further off than 54 ms is armed again, and not too late; the counter has 16 bits. */
#define TICKS_MAX 64431u

uint32_t timer_ticks_per_cycle_32; /* PIT ticks a cycle, times 2^32 */
uint32_t timer_cycles_max;         /* in TICKS_MAX */

/* Fires at the deadline or, if that is far, earlier; an earlier one stays armed. */
void timer_arm(uint64_t deadline)
{
	if (deadline >= cpu.armed)
		return;
	uint64_t left = deadline - now();
	uint32_t cycles = left, ticks = TICKS_MAX;
	if (deadline <= now())
		ticks = 1;
	else if (!(left >> 32) && cycles < timer_cycles_max)
		ticks = ((uint64_t)cycles * timer_ticks_per_cycle_32 >> 32) + 1;
	cpu.armed = deadline;
	port_write(PIT_CHANNEL_0, ticks);
	port_write(PIT_CHANNEL_0, ticks >> 8);
}
