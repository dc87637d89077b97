/* SPDX-License-Identifier: MIT */
/* Interrupt controllers and timer, once; data sheets: kernel/x86/pic.c, kernel/x86/timer.c. */
#include "boot.h"
#include "x86/x86.h"

#define PIC_CASCADE  2u
#define PIT_HZ_8     149148u /* an eighth of 1193182 Hz */
#define PIT_COMMAND  0x43
#define PIT_ONE_SHOT 0x30 /* channel 0, low then high byte, mode 0: interrupt on terminal count */
#define MS_MAX       54u  /* in TICKS_MAX (kernel/x86/timer.c) */

/* Edge triggered, in cascade, 8086 mode. */
static void controller_start(uint16_t port, uint32_t vector, uint32_t cascade)
{
	port_write(port, 0x11);
	port_write(port + 1, vector);
	port_write(port + 1, cascade);
	port_write(port + 1, 1);
}

void pic_start(void)
{
	controller_start(PIC_MASTER, VECTOR_IRQ, 1u << PIC_CASCADE);
	controller_start(PIC_SLAVE, VECTOR_IRQ + 8, PIC_CASCADE);
	pic_mask(8);
	pic_unmask(PIC_CASCADE);
}

/* a / b * 2^32, for a < b: one division, without a library */
static uint32_t ratio_32(uint32_t a, uint32_t b)
{
	uint32_t quotient, remainder;
	asm("divl %4" : "=a"(quotient), "=d"(remainder) : "a"(0), "d"(a), "r"(b));
	return quotient;
}

void timer_start(uint32_t cycles_per_ms)
{
	timer_ticks_per_cycle_32 = ratio_32(PIT_HZ_8, cycles_per_ms * 125);
	timer_cycles_max =
		cycles_per_ms < UINT32_MAX / MS_MAX ? cycles_per_ms * MS_MAX : UINT32_MAX;
	cpu.armed = DEADLINE_NEVER;
	port_write(PIT_COMMAND, PIT_ONE_SHOT);
	pic_unmask(0);
}
