/* SPDX-License-Identifier: MIT */
/*
 * A memory service of the tests' own with 64 frames, which root's linear map shows: so what it says
 * is compared with what is there. Frames are named by their offset in the 64.
 */
#ifndef NOUS_MEMORY_WORLD_H
#define NOUS_MEMORY_WORLD_H

#include "memory/memory.h"
#include "raw.h"

#define MANAGED       64u
#define MANAGED_ORDER 6u

extern struct domain memory;
extern uint32_t first;                    /* frame number of the first of the 64 */
extern uint32_t all, part, other, result; /* slots: all with ANY; three for tests */

/* Words of a call or a step, by hand: a frame, an index or a count less one, flags. */
#define MEMORY_AT(offset, index, low) \
	((uint32_t)(offset) << 12 | (uint32_t)(index) << 2 | (uint32_t)(low))

void memory_row_take(void); /* before all tests: frames in a row are not to be had again */
void memory_make(void);
/* The same with all frames of memory up to `end` (a number), from behind its descriptors on. */
void memory_make_to(uint32_t end);
void memory_unmake(void);
/* A door with any badge and generation in a slot, as only the service's maker can have it. */
void extent_forge(uint32_t to, uint32_t badge, uint32_t generation);

/* As the service says it, by ANY. */
struct seen {
	uint32_t type, count, generation;
};
struct seen look(uint32_t frame);
#define TYPE(frame)  (look(frame).type)
#define COUNT(frame) (look(frame).count)
uint32_t *words_of(uint32_t frame);
struct memory_frame *descriptor_of(uint32_t frame); /* to be put near a limit */
uint32_t kernel_kind(uint32_t frame);

/* Counts are numbers of entries, nothing else is mapped, types and kernel agree, CLEAN is zero. */
void memory_check(void);
void memory_check_to(uint32_t end); /* the same of the first `end`, if they lead to no others */
_Bool words_are(const uint32_t *words, uint32_t value); /* all of a page */
_Bool words_are_same(const void *a, const void *b, uint32_t bytes);
/* Brings frames [from, to) to CLEAN, whatever they are, as an allocator does; all of them must get
 * there. */
void memory_recover(uint32_t from, uint32_t to);

#define OK(call)           CHECK_EQUAL(call, RETURN)
#define SAYS(status, call) CHECK_EQUAL(call, RETURN + (status))
/* `count` CLEAN frames become objects of a kind, or data. */
void make_kind(uint32_t frame, uint32_t count, uint32_t kind);

#define ENTRY_MAPS(frame, flags) ((first + (frame)) << 12 | 5u | (flags) | MEMORY_ENTRY_COUNTED)

#endif
