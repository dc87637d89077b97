/* SPDX-License-Identifier: MIT */
/* Inside the memory service: descriptors, extents, and what operations have in common. */
#ifndef NOUS_MEMORY_FRAMES_H
#define NOUS_MEMORY_FRAMES_H

#include "lock/lock.h"

#include "memory.entries.h"

#define frames ((struct memory_frame *)MEMORY_DESCRIPTORS) /* by number, [0, frame_count) */
extern uint32_t frame_count, template_frame;
extern uint32_t device_generation[MEMORY_DEVICES]; /* odd: in use */
#define DEVICE_NUMBER(generation)     ((generation) >> 22 & (MEMORY_DEVICES - 1))
#define DEVICE_GENERATION(generation) ((generation)&0x3FFFFFu)

/*
 * What the sections of an operation work on, step by step, on the thread's own stack: frames from
 * `frame` on, or entries of a page table or directory from `entry` on. What can't change (rights,
 * bounds) is checked before the first section; types and generations are checked in each one.
 */
struct job {
	uint32_t status;            /* of the latest section */
	uint32_t taken, left;       /* by the latest section; still to be done */
	uint32_t badge, generation; /* of the extent that `frame` is in */
	struct memory_frame *frame; /* with entries: their table or directory, */
	uint32_t frame_type;        /* which it must be; what it leads to is of the type before */
	uint32_t *entry, value;     /* of the first entry */
	struct memory_frame *leaf;  /* what it leads to; NULL: device memory */
	uint32_t leaf_badge, leaf_generation;
};

/* Places: a frame's offset 31..12, an entry's index or a count - 1 11..2, flags. */
#define AT(offset, index) ((uint32_t)(offset) << 12 | (uint32_t)(index) << 2)
static inline uint32_t at_frame(uint32_t word)
{
	return word >> 12;
}
static inline uint32_t at_index(uint32_t word)
{
	return word >> 2 & 1023;
}

#define EXTENT_START(badge) ((badge)&0xFFFFF000u)
/* In the linear map. */
static inline uint32_t *frame_words(uint32_t number)
{
	return (uint32_t *)(uintptr_t)(LINEAR_BASE + (number << 12));
}
static inline uint32_t *words_of(const struct memory_frame *frame)
{
	return (uint32_t *)(uintptr_t)(LINEAR_BASE + (((uintptr_t)frame - (uintptr_t)frames) << 8));
}
static inline struct memory_frame *frame_at(uint32_t physical)
{
	return (struct memory_frame *)((uintptr_t)frames + (physical >> 8 & ~15u));
}
/* Does the byte at this offset lie in the extent? */
static inline _Bool extent_has(uint32_t badge, uint32_t at)
{
	return at >> (badge >> 7 & 31) == 0;
}
/* Has the frame this type and, unless the badge says ANY, this generation? */
static inline _Bool frame_is(const struct memory_frame *frame, enum memory_type type,
			     uint32_t badge, uint32_t generation)
{
	return frame->key == MEMORY_KEY(type, generation) ||
	       (badge & MEMORY_ANY && MEMORY_TYPE_OF(frame->key) == type);
}
static inline _Bool is_owners(const struct memory_frame *frame, uint32_t badge, uint32_t generation)
{
	return MEMORY_GENERATION_OF(frame->key) == generation || badge & MEMORY_ANY;
}
/* Why frame_is said no. */
static inline uint32_t refusal(const struct memory_frame *frame, uint32_t badge,
			       uint32_t generation)
{
	return is_owners(frame, badge, generation) ? MEMORY_WRONG_TYPE : MEMORY_STALE;
}
static inline uint32_t key_of(const struct memory_frame *frame, enum memory_type type)
{
	return MEMORY_KEY(type, MEMORY_GENERATION_OF(frame->key));
}

/* Ends a prepare that changes nothing. */
#define DECLINE(why)                      \
	do {                              \
		job->status = (why);      \
		return section_commit(0); \
	} while (0)

/* For sections: GCC would call memset and memcpy. The entry has cleared DF. */
static inline uint32_t *words_fill(uint32_t *to, uint32_t value, uint32_t words)
{
	asm volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(value) : "memory");
	return to;
}
static inline void words_copy(uint32_t *to, const uint32_t *from, uint32_t words)
{
	asm volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

#endif
