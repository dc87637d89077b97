/* SPDX-License-Identifier: MIT */
/*
 * One-shot timer, no periodic tick: the local APIC's, which counts clocks or compares with the time
 * stamp counter (SDM, "APIC Timer"), else channel 0 of the 8254 (Intel 8254 data sheet, 1993).
 */
#include "x86.h"

#define PIT_CHANNEL_0 0x40

struct timer timer;

/* Fires at the deadline or, if that is far, earlier; an earlier one stays armed. */
void timer_arm(uint64_t deadline)
{
	if (deadline >= cpu.armed)
		return;
	cpu.armed = deadline;
	if (timer.kind == TIMER_TSC)
		return msr_write(MSR_TSC_DEADLINE, deadline);
	uint64_t left = deadline - cycles();
	uint32_t ticks = 1, far = left >> 32, near = left;
	if (!far && near < timer.cycles_max)
		ticks += (uint64_t)near * timer.ticks_per_cycle_32 >> 32;
	else if (left <= deadline) /* it has not passed */
		ticks = timer.ticks_max;
	if (timer.kind == TIMER_APIC)
		return apic_write(APIC_TIMER_INITIAL, ticks);
	port_write(PIT_CHANNEL_0, ticks);
	port_write(PIT_CHANNEL_0, ticks >> 8);
}

void timer_end(void)
{
	timer.kind == TIMER_PIT ? pic_end(0) : apic_write(APIC_END, 0);
}
