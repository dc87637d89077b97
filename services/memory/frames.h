/* SPDX-License-Identifier: MIT */
/* Inside the memory service: descriptors, extents, and what operations have in common. */
#ifndef NOUS_MEMORY_FRAMES_H
#define NOUS_MEMORY_FRAMES_H

#include "lock/lock.h"

#include "memory.h"

extern struct memory_frame *frames; /* by frame number, [0, frame_count) */
extern uint32_t frame_count, template_frame;
extern uint32_t device_generation[MEMORY_DEVICES]; /* odd: in use */
#define DEVICE_NUMBER(generation)     ((generation) >> 22 & (MEMORY_DEVICES - 1))
#define DEVICE_GENERATION(generation) ((generation)&0x3FFFFFu)

/*
 * Most operations are one section, run until all is done. The request lies on the thread's own
 * stack. A prepare that did `taken` units of more says MORE | taken << 8; then a and b move on by
 * the operation's steps. The answer's word is a, as far as it came.
 */
struct request {
	uint32_t status;
	uint32_t badge, a, b;
	uint32_t return_address, generation;
};
#define MORE           128u
#define TAKEN(n)       ((n) << 8)
#define STEP_FRAMES(n) ((n) << 12)
#define STEP_INDEX(n)  ((n) << 2)
#if __STDC_HOSTED__ || defined(__clang__)
#define SECTION_OPERATION(name, prepare, a_step, b_step)                                     \
	OPERATION uint64_t name(uint32_t badge, uint32_t a, uint32_t b, uint32_t generation) \
	{                                                                                    \
		struct request request = {0, badge, a, b, 0, generation};                    \
		do {                                                                         \
			section_run(prepare, &request);                                      \
			request.a += (request.status >> 8) * (uint32_t)(a_step);             \
			request.b += (request.status >> 8) * (uint32_t)(b_step);             \
		} while ((request.status & 255) == MORE);                                    \
		return ANSWER(request.status & 255, request.status ? request.a : 0);         \
	}
#else /* the same by hand: the arguments become the request where they are */
#define SECTION_OPERATION(name, prepare, a_step, b_step)                                 \
	service_operation name;                                                          \
	asm(".pushsection .text." #name "\n.globl " #name "\n" #name ":\n\t"             \
	    "push %ecx\n\tpush %edx\n\tpush %eax\n"                                      \
	    "1:\tpush %eax\n\tpush %esp\n\tpush $" #prepare "\n\tcall section_run\n\t"   \
	    "add $8, %esp\n\tpop %eax\n\ttest %eax, %eax\n\tjnz 2f\n\tadd $12, %esp\n\t" \
	    "xor %edx, %edx\n\tret\n"                                                    \
	    "2:\tmov %eax, %ecx\n\tshr $8, %ecx\n\t"                                     \
	    "imul $" #a_step ", %ecx, %edx\n\tadd %edx, 4(%esp)\n\t"                     \
	    "imul $" #b_step ", %ecx, %edx\n\tadd %edx, 8(%esp)\n\t"                     \
	    "cmp $128, %al\n\tje 1b\n\tmovzbl %al, %eax\n\tmov 4(%esp), %edx\n\t"        \
	    "add $12, %esp\n\tret\n.popsection");
#endif

/* Of a prepare that is begun, or begun again. */
static inline struct request *request_begin(void)
{
	struct request *request = section_context();
	request->status = 0;
	return request;
}

/* Words a and b: MEMORY_AT. */
static inline uint32_t at_frame(uint32_t word)
{
	return word >> 12;
}
static inline uint32_t at_index(uint32_t word)
{
	return word >> 2 & 1023;
}

/* In the linear map: what lies `at` bytes behind the extent's start. */
#define EXTENT_START(badge) ((badge)&0xFFFFF000u)
static inline uint32_t *extent_word(uint32_t badge, uint32_t at)
{
	return (uint32_t *)(uintptr_t)(LINEAR_BASE + EXTENT_START(badge) + (at & ~3u));
}
static inline uint32_t *frame_words(uint32_t number)
{
	return (uint32_t *)(uintptr_t)(LINEAR_BASE + (number << 12));
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
		request->status = (why);  \
		return section_commit(0); \
	} while (0)
#define FAIL(status) return ANSWER(status, 0)

/* For sections: GCC would call memset and memcpy. The entry has cleared DF. */
static inline void words_fill(uint32_t *to, uint32_t value, uint32_t words)
{
	asm volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(value) : "memory");
}
static inline void words_copy(uint32_t *to, const uint32_t *from, uint32_t words)
{
	asm volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

service_operation memory_do_map, memory_do_map_lent, memory_do_revoke, memory_do_unmap,
	memory_do_install, memory_do_remove, memory_do_sweep, memory_do_become, memory_do_clean,
	memory_do_drop, memory_do_create_domain, memory_do_create_thread, memory_do_create_bitmap,
	memory_do_fetch;

#endif
