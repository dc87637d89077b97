/* SPDX-License-Identifier: MIT */
/* Interrupt controllers and timers, once; data sheets: kernel/x86/pic.c, kernel/x86/timer.c; SDM,
 * "Advanced Programmable Interrupt Controller (APIC)". */
#include "boot.h"
#include "x86/x86.h"

#define PIC_CASCADE  2u
#define PIT_COMMAND  0x43
#define PIT_ONE_SHOT 0x30   /* channel 0, low then high byte, mode 0: interrupt on terminal count */
#define TICKS_MAX    64431u /* what is further off than 54 ms is armed again; 16 bits */
#define MS_MAX       54u

#define FEATURE_APIC (1u << 9)
/* "Local APIC Status and Location", "Local APIC Register Address Map", "Local Vector Table" */
#define MSR_APIC_BASE     0x1Bu
#define APIC_IS_ON        0x800u
#define APIC_HAS_NO_PAGE  0x400u /* x2APIC mode */
#define APIC_SPURIOUS     0xF0u
#define APIC_ENABLE       0x100u
#define APIC_TIMER        0x320u
#define APIC_PIN_0        0x350u
#define APIC_PIN_1        0x360u
#define APIC_ERROR        0x370u
#define APIC_TIMER_NOW    0x390u
#define APIC_TIMER_DIVIDE 0x3E0u
#define APIC_DIVIDE_BY_1  0xBu
#define APIC_NMI          0x400u
#define APIC_EXTERNAL     0x700u
#define APIC_MASKED       0x10000u
#define APIC_TSC_DEADLINE 0x40000u
#define ENTRY_UNCACHED    0x118u /* PCD, PWT; global */

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
	pic_mask(8, 1);
	pic_mask(PIC_CASCADE, 0);
}

/* One division, without a library. It must fit. */
uint32_t quotient(uint64_t dividend, uint32_t divisor)
{
	uint32_t result, remainder;
	asm("divl %3" : "=a"(result), "=d"(remainder) : "A"(dividend), "r"(divisor));
	return result;
}

/* a / b * 2^32, for a < b */
static uint32_t ratio_32(uint32_t a, uint32_t b)
{
	return quotient((uint64_t)a << 32, b);
}

void timer_start(uint32_t cycles_per_ms)
{
	uint32_t most = cycles_per_ms < UINT32_MAX / MS_MAX ? cycles_per_ms * MS_MAX : UINT32_MAX;
	timer = (struct timer){TIMER_PIT, ratio_32(PIT_HZ / 8, cycles_per_ms * 125), most,
			       TICKS_MAX};
	cpu.armed = DEADLINE_NEVER;
	port_write(PIT_COMMAND, PIT_ONE_SHOT);
	pic_mask(0, 0);
}

/*
 * The local APIC, if it can be reached by memory: its page appears, the interrupt controllers go
 * through its pin 0 as they do without it, its timer counts but does not interrupt. A spurious
 * interrupt comes as one of line 15 (pic_is_spurious).
 */
bool apic_start(uint32_t features)
{
	uint64_t base = features & FEATURE_APIC ? msr_read(MSR_APIC_BASE) : 0;
	if (base >> 32 || (base & (APIC_IS_ON | APIC_HAS_NO_PAGE)) != APIC_IS_ON)
		return false;
	window_table[APIC_PAGE >> 12 & 1023] =
		(base & ~(PAGE_BYTES - 1)) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_UNCACHED;
	directory_load(physical(boot_directory));
	apic_write(APIC_SPURIOUS, APIC_ENABLE | (VECTOR_IRQ + 15));
	apic_write(APIC_PIN_0, APIC_EXTERNAL);
	apic_write(APIC_PIN_1, APIC_NMI);
	apic_write(APIC_ERROR, APIC_MASKED);
	apic_write(APIC_TIMER, APIC_MASKED | VECTOR_IRQ);
	apic_write(APIC_TIMER_DIVIDE, APIC_DIVIDE_BY_1);
	apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
	return true;
}

/* Of some looks the shortest: a virtual machine may stand still between the two readings. */
struct look apic_look(void)
{
	struct look best = {0};
	for (uint32_t i = 0, least = UINT32_MAX; i < 8; i++) {
		uint64_t before = cycles();
		uint32_t ticks = apic_read(APIC_TIMER_NOW), took = cycles() - before;
		if (took < least)
			best = (struct look){before, ticks};
		least = took < least ? took : least;
	}
	return best;
}

/* From now on deadlines are met by the local APIC's timer, unless it stood still or ran out. */
void apic_timer_start(struct look begin, struct look end)
{
	uint32_t ticks = begin.ticks - end.ticks;
	uint64_t passed = end.cycles - begin.cycles;
	if (end.ticks >= begin.ticks || !end.ticks || passed >> 32)
		return;
	uint32_t ratio = ticks < passed ? ratio_32(ticks, passed) : UINT32_MAX;
	uint32_t kind = cpu_has_tsc_deadline() ? TIMER_TSC : TIMER_APIC;
	timer = (struct timer){kind, ratio, UINT32_MAX, ratio};
	pic_mask(0, 1);
	apic_write(APIC_TIMER_INITIAL, 0);
	apic_write(APIC_TIMER, VECTOR_IRQ | (kind == TIMER_TSC ? APIC_TSC_DEADLINE : 0));
	apic_read(APIC_TIMER); /* the mode is there before the first deadline is */
}
