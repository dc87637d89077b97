/* SPDX-License-Identifier: MIT */
/*
 * What a service's interface is written with. `services/NAME/NAME.h` is plain C for people: a
 * prototype with a comment for each operation, and at the end `#include "NAME.stubs.h"`, which
 * tools/interface makes out of that very header: the prototypes' definitions, for clients; and
 * NAME.server.h, for the service: entries that check arguments, and the table of operations.
 *
 * An operation is a prototype whose first parameter is `slot_t`, the door; its number is NAME_x_op.
 * It returns RETURN + a status, or an error of the kernel (DOOR_STATUS, DOOR_ERROR). Its further
 * parameters, and how they travel:
 *
 *     uint32_t, int32_t, enum    a word: EDI, then EBX, while those are free; then words at the
 *                                bottom of the data page. uint64_t: two
 *     uint1_t ... uint31_t       so many bits of a word, packed in order from its top down; also
 *     int8_t, uint16_t, ...      these. What has more bits is refused by the stub, ERROR_ARGUMENT,
 *                                but for C's own types, which C itself cuts
 *     count1_t ... count31_t     likewise, for 1 to 2^N
 *     uint32_t *x                the word of the answer; uint16_t *x, uint8_t *x, ...: packed. NULL
 *                                is allowed. After an error of the kernel it is undefined
 *     const T x[n], const struct s *x   data for the service, in the data page, behind the words;
 *                                n: an expression of earlier parameters that can't come to more
 *                                than 32 bits
 *     T x[n], struct s *x        data from the service, likewise: if all went well
 *     lend_t, keep_t x           a capability lent to the call (slot below 128, or one that was
 *                                lent; 0: none), for its time, or to be kept (all of a call or
 *                                none)
 *     place_t x                  the slot where a capability comes (1 to 127)
 *     window_t x                 4 MiB that are lent (window(); 0: none)
 *
 * `uint32_t NAME_batch(slot_t door, struct batch *batch, uint32_t *done)` is an operation, too: all
 * operations declared before it can be its steps, in one call. NAME_x_step(&batch, ...) puts one
 * into the data page (parameters as of NAME_x, without capabilities, which are those that
 * NAME_batch has; without arrays) and returns where its array is, to be filled or, afterwards,
 * read; or else its struct step; NULL: there is no room, or it can't be packed. The service does
 * them in turn, up to one that fails, whose status is the batch's; *done: how many went well. The
 * batch is empty again then, and each step has its status in `a` and its answer in `b`.
 *
 * WITH_SLOTS before a prototype: the service needs the call's lent slots for itself.
 *
 * Words, lent capabilities and windows cost what is in registers. Whoever calls an operation with
 * data, or words there, must not stand on the lower half of its data page.
 */
#ifndef NOUS_INTERFACE_H
#define NOUS_INTERFACE_H

#include "service.h"
#include "text.h"

typedef slot_t lend_t;
typedef slot_t keep_t;
typedef slot_t place_t;

/* Of the caller's memory; in the service, where it appears. */
typedef struct {
	uint32_t address;
} window_t;
static inline window_t window(uint32_t address)
{
	return (window_t){address};
}

#define WITH_SLOTS

/* As many bits; the value can be any of them, so the stubs look. */
typedef uint32_t uint1_t, uint2_t, uint3_t, uint4_t, uint5_t, uint6_t, uint7_t, uint9_t, uint10_t,
	uint11_t, uint12_t, uint13_t, uint14_t, uint15_t, uint17_t, uint18_t, uint19_t, uint20_t,
	uint21_t, uint22_t, uint23_t, uint24_t, uint25_t, uint26_t, uint27_t, uint28_t, uint29_t,
	uint30_t, uint31_t;
typedef uint32_t count1_t, count2_t, count3_t, count4_t, count5_t, count6_t, count7_t, count8_t,
	count9_t, count10_t, count11_t, count12_t, count13_t, count14_t, count15_t, count16_t,
	count17_t, count18_t, count19_t, count20_t, count21_t, count22_t, count23_t, count24_t,
	count25_t, count26_t, count27_t, count28_t, count29_t, count30_t, count31_t;

/* What a batch consists of; behind it, in the page, an array of its operation. */
struct step {
	uint32_t operation, a, b;
};
struct batch {
	uint32_t bytes; /* 0 before the first step */
};

/* Whoever stands on its data page (a service) calls on from below its stack. */
static inline slot_t nested(slot_t door)
{
	return (slot_t){door.encoded | OPTION_NESTED};
}

/* ---- for what tools/interface makes ---------------------------------------------------------- */
/* An operation that the service defines: inlined into its entry, which clangd does not look at. */
#define SERVED static inline __attribute__((always_inline, unused))

STUB void *parameter_at(uint32_t offset)
{
	return (uint8_t *)parameters() + offset;
}
STUB uint32_t *parameter_words(void)
{
	return parameters();
}
/* In a service of several files, behind the definition of what `name` (NAME_x, or NAME itself) is
 * made of: NAME.entries.h. */
#define SERVE(name) name##_SERVED

#define DATA_ALIGN(bytes) (((bytes) + 3u) & ~3u)
STUB _Bool is_place(place_t to)
{
	return to.encoded && to.encoded < LIST_SLOTS;
}
STUB _Bool can_be_lent(slot_t lent)
{
	return lent.encoded <= 0xFF;
}
STUB uint32_t window_entry(window_t lent)
{
	return lent.address >> 22;
}
/* Could the service's stack come to lie on data that ends there? It has been promised a KiB, of
 * which no service uses more than what is left by so little (the tests of each look). */
#define DATA_SMALL 128u
static inline __attribute__((always_inline)) _Bool meets_stack(uint32_t end)
{
	return !(__builtin_constant_p(end) && end <= DATA_SMALL) && end > parameter_room();
}
static inline struct step *batch_add(struct batch *batch, uint32_t operation, uint32_t a,
				     uint32_t b, uint32_t bytes)
{
	struct step *step = parameter_at(batch->bytes);
	uint32_t end = batch->bytes + sizeof(*step) + DATA_ALIGN(bytes);
	if (end > PARAMETER_BYTES)
		return NULL;
	*step = (struct step){operation, a, b};
	batch->bytes = end;
	return step;
}

#endif
