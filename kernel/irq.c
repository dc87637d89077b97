/* SPDX-License-Identifier: MIT */
/* Interrupt lines as signals, and I/O port rights. */
#include "x86/x86.h"

static struct {
	struct reference thread;
	uint32_t bits;
} line_target[IRQ_LINES];

uint32_t irq_signal(uint32_t line)
{
	struct thread *thread = reference_page(line_target[line].thread);
	return thread ? signal(thread, line_target[line].bits) : 0;
}

static uint32_t line_of(const struct capability *capability)
{
	return index_of(capability->word) - OBJECT_IRQ_FIRST;
}

/* The line's signal goes to one thread; whoever binds needs the right to signal those bits. */
uint32_t irq_bind(struct capability *capability, struct call_frame *frame)
{
	struct capability *thread;
	uint32_t error = slot_object(frame->word1, CAPABILITY_THREAD, &thread);
	uint32_t bit = frame->word2, line = line_of(capability);
	if (error)
		return error;
	if (bit > 31)
		return ERROR_ARGUMENT;
	if (!(thread->word >> CAPABILITY_RIGHTS_SHIFT & RIGHT_SIGNAL) ||
	    !(thread->badge_low >> bit & 1))
		return ERROR_RIGHT;
	line_target[line].bits = 1u << bit;
	line_target[line].thread = reference_of(thread);
	return 0;
}

uint32_t irq_acknowledge(struct capability *capability, struct call_frame *frame)
{
	pic_mask(line_of(capability), 0);
	return 0;
}

/* A domain's bitmap: two pages in a row behind the TSS, entries 1 and 2 of its page table. Set:
 * refused. At most 32 ports, so at most two words. */
static void bitmap_change(struct capability *capability, uint32_t first, uint32_t number,
			  bool allowed)
{
	const uint32_t *table = capability_page(capability);
	uint32_t *word = (uint32_t *)direct(table[1] & ~(PAGE_BYTES - 1)) + first / 32;
	uint64_t bits = (((uint64_t)1 << number) - 1) << first % 32;
	for (; bits; bits >>= 32, word++)
		*word = allowed ? *word & ~(uint32_t)bits : *word | (uint32_t)bits;
}

/* Gives a domain the ports that a capability names, at most 32 of them. */
uint32_t bitmap_allow(struct capability *capability, struct call_frame *frame)
{
	struct capability *ports;
	uint32_t error = slot_object(frame->word1, CAPABILITY_PORTS, &ports);
	if (error)
		return error;
	uint32_t first = ports->badge_low & 0xFFFF, last = ports->badge_low >> 16;
	if (last < first || last - first >= PORTS_PER_CALL)
		return ERROR_ARGUMENT;
	bitmap_change(capability, first, last - first + 1, true);
	return 0;
}

uint32_t bitmap_deny(struct capability *capability, struct call_frame *frame)
{
	uint32_t first = frame->word1, number = frame->word2;
	if (number > PORTS_PER_CALL || first > 0xFFFF || first + number > 0x10000)
		return ERROR_ARGUMENT;
	bitmap_change(capability, first, number, false);
	return 0;
}
