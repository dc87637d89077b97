/* SPDX-License-Identifier: MIT */
/* An interface with parameters of every kind, for tests of tools/interface. */
#ifndef NOUS_EXAMPLE_H
#define NOUS_EXAMPLE_H

#include "interface.h"

enum example_status { EXAMPLE_OK, EXAMPLE_REFUSED };
enum example_colour { EXAMPLE_RED, EXAMPLE_BLUE = 7 };
#define EXAMPLE_WIDE(count) ((count)*2u) /* the generator does not know it */

struct example_point {
	int32_t x, y;
};

/* A step with data for the service. Cost: 1. */
uint32_t example_write(slot_t door, uint10_t count, uint22_t kind, uint32_t more,
		       const uint16_t cells[count]);

/* A step with data from the service. Cost: 1. */
uint32_t example_read(slot_t door, uint32_t count, uint16_t cells[count]);

/* A step with a capability, which is the batch's. Cost: 1. */
uint32_t example_with(slot_t door, lend_t one, uint32_t a, uint32_t b, uint32_t *sum);

/* A step of words only. Cost: 1. */
uint32_t example_step(slot_t door, uint32_t a, uint32_t b, uint32_t *sum);

/* Several of these. Cost: 1. */
uint32_t example_batch(slot_t door, struct batch *batch, lend_t one, uint32_t *done);

/* Words: two are in registers, others in the data page. EXAMPLE_REFUSED. Cost: 1. */
uint32_t example_words(slot_t door, uint32_t first, int32_t second, enum example_colour third,
		       uint64_t fourth, uint32_t *sum);

/* Packed: 20 + 10 + 2 bits are a word, the next begins another one, whose last bits are 0; the
 * answer is packed, too. Cost: 1. */
uint32_t example_packed(slot_t door, uint20_t place, count10_t count, uint2_t flags, int16_t rows,
			uint8_t kind, uint16_t *low, uint8_t *high);

/* Data both ways, behind a word. Cost: 1. */
uint32_t example_data(slot_t door, uint32_t count, uint32_t a, uint32_t b,
		      const uint16_t cells[EXAMPLE_WIDE(count)], const struct example_point *from,
		      struct example_point to[count], uint32_t *done);

/* Capabilities and windows. Cost: 1. */
uint32_t example_lend(slot_t door, lend_t one, lend_t two, window_t window, uint32_t a, uint32_t b);

/* To keep. Cost: 1. */
uint32_t example_keep(slot_t door, keep_t one, uint32_t *word);

/* A capability comes. Cost: 1. */
uint32_t example_place(slot_t door, uint32_t a, place_t to, uint32_t b, uint32_t *word);

/* The service has the call's lent slots for itself. Cost: 1. */
WITH_SLOTS uint32_t example_slots(slot_t door, uint32_t a, uint32_t *word);

#include "example.stubs.h"

/* No operation: it only combines two. */
static inline uint32_t example_twice(slot_t door, uint32_t a)
{
	if (a) {
		return example_slots(door, a, NULL);
	}
	return example_slots(door, a + 1, NULL);
}

#endif
