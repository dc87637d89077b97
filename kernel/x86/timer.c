/* SPDX-License-Identifier: MIT */
/* One-shot timer: channel 0 of the 8254 (Intel 8254 data sheet, 1993). No periodic tick. */
#include "x86.h"

#define PIT_HZ_8      149148u /* an eighth of 1193182 Hz */
#define PIT_CHANNEL_0 0x40
#define PIT_COMMAND   0x43
#define PIT_ONE_SHOT  0x30 /* channel 0, low then high byte, mode 0: interrupt on terminal count */
#define MS_MAX        54u  /* what is further off is armed again, and not too late: */
#define TICKS_MAX     64431u /* no more than MS_MAX; the counter has 16 bits */

static uint32_t ticks_per_cycle_32; /* PIT ticks a cycle, times 2^32 */
static uint32_t cycles_max;         /* in TICKS_MAX */

/* a / b * 2^32, for a < b: one division, without a library */
static uint32_t ratio_32(uint32_t a, uint32_t b)
{
	uint32_t quotient, remainder;
	asm("divl %4" : "=a"(quotient), "=d"(remainder) : "a"(0), "d"(a), "r"(b));
	return quotient;
}

void timer_start(uint32_t cycles_per_ms)
{
	ticks_per_cycle_32 = ratio_32(PIT_HZ_8, cycles_per_ms * 125);
	cycles_max = cycles_per_ms < UINT32_MAX / MS_MAX ? cycles_per_ms * MS_MAX : UINT32_MAX;
	cpu.armed = DEADLINE_NEVER;
	port_write(PIT_COMMAND, PIT_ONE_SHOT);
	pic_unmask(0);
}

/* Fires at the deadline or, if that is far, earlier; an earlier one stays armed. */
void timer_arm(uint64_t deadline)
{
	if (deadline >= cpu.armed)
		return;
	uint64_t now = cpu.last, left = deadline > now ? deadline - now : 0;
	uint32_t ticks = TICKS_MAX;
	if (left < cycles_max)
		ticks = ((left * ticks_per_cycle_32) >> 32) + 1;
	cpu.armed = deadline;
	port_write(PIT_CHANNEL_0, ticks);
	port_write(PIT_CHANNEL_0, ticks >> 8);
}
