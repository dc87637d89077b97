/* SPDX-License-Identifier: MIT */
/* Inside the memory service: descriptors, extents, and what every operation checks. */
#ifndef NOUS_MEMORY_FRAMES_H
#define NOUS_MEMORY_FRAMES_H

#include "lock/lock.h"

#include "memory.h"

extern struct memory_frame *frames; /* by frame number, [0, frame_count) */
extern uint32_t frame_count, template_frame;
extern uint32_t device_generation[MEMORY_DEVICES]; /* odd: in use */
#define DEVICE_GENERATION_BITS 26u

struct extent {
	uint32_t first, frames, rights;
	uint32_t generation, mask; /* of frames: compared under the mask, which is 0 with ANY */
};

static inline struct extent extent_of(uint32_t badge, uint32_t generation)
{
	return (struct extent){.first = badge >> 12,
			       .frames = 1u << (badge >> 7 & 31),
			       .rights = badge & 127,
			       .generation = generation,
			       .mask = badge & MEMORY_ANY ? 0 : 0xFFFFFFFF};
}

/* [offset, offset + count) lies in the extent and has descriptors. */
static inline _Bool extent_has(const struct extent *extent, uint32_t offset, uint32_t count)
{
	return !(extent->rights & MEMORY_DEVICE) && offset < extent->frames &&
	       count <= extent->frames - offset && extent->first + offset < frame_count &&
	       count <= frame_count - extent->first - offset;
}

static inline _Bool frame_is(const struct memory_frame *frame, const struct extent *extent)
{
	return ((frame->generation ^ extent->generation) & extent->mask) == 0;
}

static inline uint32_t *frame_words(uint32_t number)
{
	return (uint32_t *)(uintptr_t)(LINEAR_BASE + (number << 12));
}

/* For sections: GCC would call memset and memcpy. The entry has cleared DF. */
static inline void words_fill(uint32_t *to, uint32_t value, uint32_t words)
{
	asm volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(value) : "memory");
}
static inline void words_copy(uint32_t *to, const uint32_t *from, uint32_t words)
{
	asm volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

#define FAIL(status) return ANSWER(status, 0)

/* Words a and b of an operation: MEMORY_AT. */
static inline uint32_t at_frame(uint32_t word)
{
	return word >> 12;
}
static inline uint32_t at_index(uint32_t word)
{
	return word >> 2 & 1023;
}

/* The second extent of an operation: the invoked one or, in a batch, that which was lent. */
uint32_t other_extent(struct extent *other, const struct extent *own, uint32_t word);

service_operation memory_do_map, memory_do_unmap, memory_do_install, memory_do_remove,
	memory_do_sweep, memory_do_become, memory_do_clean, memory_do_drop, memory_do_create_domain,
	memory_do_create_thread, memory_do_create_bitmap, memory_do_fetch;

#endif
