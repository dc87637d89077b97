/* SPDX-License-Identifier: MIT */
/*
 * The two system calls and every kernel operation, for C. Programs are compiled with ESI, EDI and
 * EBX call-clobbered (Makefile), so little is saved around a system call.
 *
 * All functions return 0 or an `enum error` of abi.h. Costs are in docs/abi.md.
 */
#ifndef NOUS_KERNEL_USER_H
#define NOUS_KERNEL_USER_H

#include "abi.h"
#include "operations.h"
#include "status.h"

/* A slot of one's own list as operations and calls name it; and a slot that was lent to this call.
 * A type of its own: a number that came from a client is never taken for one (the stub of the
 * service's interface makes a lent one of it). */
typedef struct {
	uint32_t encoded;
} slot_t;
static inline slot_t slot(uint32_t number)
{
	return (slot_t){SLOT_ENCODE(number)};
}
static inline slot_t lent_slot(uint32_t number)
{
	return (slot_t){SLOT_LENT | (number & (LENT_SLOTS - 1))};
}

/* An offset into a lent window: checked against the window's size, never a pointer. */
typedef struct {
	uint32_t offset;
} window_offset_t;
static inline void *window_pointer(uint32_t window, window_offset_t at, uint32_t bytes)
{
	if (window > 1 || at.offset > WINDOW_BYTES || WINDOW_BYTES - at.offset < bytes)
		return (void *)0;
	return (void *)(uintptr_t)((window ? WINDOW_1 : WINDOW_0) + at.offset);
}

struct words {
	uint32_t w[4]; /* ESI, EDI, EBX, EBP */
};

/* Of a prototype without `static` the definition, which is always inlined; so it may use only what
 * is like it. */
#define STUB extern inline __attribute__((gnu_inline, always_inline))

#define SYSENTER "mov %%esp, %%ecx\n\tmov $1f, %%edx\n\tsysenter\n1:\t"

/* Any invocation; all four words in and out. EBP is saved by hand: the compiler may need it. */
static inline uint32_t invoke(uint32_t target, struct words *words)
{
	uint32_t status = target;
	asm volatile("push %%ebp\n\tmov %%ecx, %%ebp\n\t" SYSENTER "mov %%ebp, %%ecx\n\tpop %%ebp"
		     : "+a"(status), "+S"(words->w[0]), "+D"(words->w[1]), "+b"(words->w[2]),
		       "+c"(words->w[3])
		     :
		     : "edx", "memory", "cc");
	return status;
}

/* A kernel operation with two arguments and no answer: the registers that it leaves alone are kept.
 */
static inline uint32_t invoke_2(uint32_t target, uint32_t operation, uint32_t a, uint32_t b)
{
	uint32_t status = target;
	asm volatile(SYSENTER
		     : "+a"(status), "+S"(operation), "+D"(a), "+b"(b)
		     :
		     : "ecx", "edx", "memory", "cc");
	return status;
}
static inline uint32_t invoke_3(uint32_t target, uint32_t operation, uint32_t a, uint32_t b,
				uint32_t c)
{
	struct words words = {{operation, a, b, c}};
	return invoke(target, &words);
}

/* ---- door calls ---------------------------------------------------------------------------------
 */
/* The answer of a door call: the service's status (0..127), or a kernel error, never confused. */
#define DOOR_STATUS(result) ((result)&STATUS_MAX)
#define DOOR_ERROR(result)  ((int32_t)(result) >= 0 ? (result) : 0)

/* operation in ESI, two more words; *value: the service's word 0. Nothing is lent but the thread.
 */
STUB uint32_t door_call(uint32_t target, uint32_t operation, uint32_t a, uint32_t b,
			uint32_t *value)
{
	uint32_t status = target;
	asm volatile("push %%ebp\n\t" SYSENTER "pop %%ebp"
		     : "+a"(status), "+S"(operation), "+D"(a), "+b"(b)
		     :
		     : "ecx", "edx", "memory", "cc");
	if (value)
		*value = operation;
	return status;
}

/* With options: capabilities go in EBX (LEND_SLOTS), windows in EBP (LEND_WINDOWS), result slots in
 * EDI (LEND_SLOTS); words that are not used so are arguments. */
#define LEND_SLOTS(a, b, c, d) \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define LEND_WINDOWS(first, second) ((uint32_t)(first) | (uint32_t)(second) << 16)
STUB uint32_t door_call_lend(uint32_t target, uint32_t operation, uint32_t a, uint32_t slots,
			     uint32_t windows, uint32_t *value)
{
	uint32_t status = target;
	asm volatile("push %%ebp\n\tmov %%ecx, %%ebp\n\t" SYSENTER "pop %%ebp"
		     : "+a"(status), "+S"(operation), "+D"(a), "+b"(slots), "+c"(windows)
		     :
		     : "edx", "memory", "cc");
	if (value)
		*value = operation;
	return status;
}

/* After a call into a service that the caller does not trust: flags and segments as C wants them.
 */
STUB void distrust(void)
{
	asm volatile("cld\n\tmov %%ss, %%ecx\n\tmov %%ecx, %%ds\n\tmov %%ecx, %%es"
		     :
		     :
		     : "ecx", "memory", "cc");
}

/* ---- kernel operations
 * ------------------------------------------------------------------------------ */
static inline uint32_t kernel_probe(slot_t at)
{
	return invoke_2(at.encoded, OPERATION_PROBE, 0, 0);
}
static inline uint32_t kernel_copy(slot_t to, slot_t from)
{
	return invoke_2(SLOT_SELF, self_copy_op, to.encoded, from.encoded);
}
static inline uint32_t kernel_move(slot_t to, slot_t from)
{
	return invoke_2(SLOT_SELF, self_move_op, to.encoded, from.encoded);
}
static inline uint32_t kernel_delete(slot_t at)
{
	return invoke_2(SLOT_SELF, self_delete_op, at.encoded, 0);
}
static inline uint32_t kernel_narrow(slot_t to, slot_t from, uint32_t rights, uint32_t badge)
{
	return invoke_3(SLOT_SELF, self_narrow_op, to.encoded | rights << CAPABILITY_RIGHTS_SHIFT,
			from.encoded, badge);
}
static inline uint32_t kernel_badge(slot_t at, uint64_t *badge)
{
	struct words words = {{self_badge_op, at.encoded, 0, 0}};
	uint32_t error = invoke(SLOT_SELF, &words);
	if (!error)
		*badge = (uint64_t)words.w[1] << 32 | words.w[0];
	return error;
}
/* Until an event of the mask. The deadline is the root thread's only: others pass DEADLINE_NEVER.
 */
static inline uint32_t kernel_wait(uint32_t mask, uint64_t deadline, uint32_t *bits)
{
	struct words words = {{self_wait_until_op, mask, deadline, deadline >> 32}};
	uint32_t error;
	if (__builtin_constant_p(deadline) && deadline == DEADLINE_NEVER) {
		words.w[0] = self_wait_op;
		asm volatile(SYSENTER
			     : "=a"(error), "+S"(words.w[0])
			     : "a"(SLOT_SELF), "D"(mask)
			     : "ecx", "edx", "memory", "cc");
	} else {
		error = invoke(SLOT_SELF, &words);
	}
	*bits = error ? 0 : words.w[0];
	return error;
}
static inline uint32_t kernel_record(uint32_t field, uint32_t *value)
{
	struct words words = {{self_record_op, field, 0, 0}};
	uint32_t error = invoke(SLOT_SELF, &words);
	*value = words.w[0];
	return error;
}
static inline uint32_t kernel_record_set(uint32_t field, uint32_t value)
{
	return invoke_2(SLOT_SELF, self_record_set_op, field, value);
}
static inline uint32_t kernel_identify(uint32_t *thread, uint32_t *depth, uint32_t *domain)
{
	struct words words = {{self_identify_op, 0, 0, 0}};
	uint32_t error = invoke(SLOT_SELF, &words);
	*thread = words.w[0];
	*depth = words.w[1];
	*domain = words.w[2];
	return error;
}

struct dispatch_result {
	uint32_t reason; /* enum dispatch_reason */
	uint64_t cycles; /* consumed by what was dispatched, interrupts excluded */
	uint32_t bits;   /* with DISPATCH_EVENT */
};
/* options: wake-up bit << DISPATCH_BIT_SHIFT, DISPATCH_STEP */
static inline uint32_t kernel_dispatch(slot_t thread, uint32_t mask, uint64_t deadline,
				       uint32_t options, struct dispatch_result *result)
{
	struct words words = {{thread_dispatch_op | options, mask, deadline, deadline >> 32}};
	uint32_t error = invoke(thread.encoded, &words);
	if (!error)
		*result = (struct dispatch_result){
			words.w[0], (uint64_t)words.w[2] << 32 | words.w[1], words.w[3]};
	return error;
}
static inline uint32_t kernel_signal(slot_t thread, uint32_t bits)
{
	return invoke_2(thread.encoded, thread_signal_op, bits, 0);
}
/* `argument` arrives in EBX. */
static inline uint32_t kernel_thread_start(slot_t thread, uint32_t address, uint32_t stack,
					   uint32_t argument)
{
	return invoke_3(thread.encoded, thread_start_op, address, stack, argument);
}
static inline uint32_t kernel_abort(slot_t thread, uint32_t depth, uint32_t callee)
{
	return invoke_2(thread.encoded, thread_abort_op, depth, callee);
}
static inline uint32_t kernel_thread_attach(slot_t thread, uint32_t number, slot_t page)
{
	return invoke_2(thread.encoded, thread_attach_op, number, page.encoded);
}
static inline uint32_t kernel_thread_read(slot_t thread, uint32_t field, struct words *answer)
{
	*answer = (struct words){{thread_read_op, field, 0, 0}};
	return invoke(thread.encoded, answer);
}
/* Of its call number `depth`: the caller's domain, where it will go on, its ESP. */
static inline uint32_t kernel_thread_call(slot_t thread, uint32_t depth, struct words *answer)
{
	*answer = (struct words){{thread_read_op, THREAD_FIELD_CALL, depth, 0}};
	return invoke(thread.encoded, answer);
}
static inline uint32_t kernel_thread_stop(slot_t thread)
{
	return invoke_2(thread.encoded, thread_stop_op, 0, 0);
}
static inline uint32_t kernel_grant(slot_t domain, slot_t to_there, slot_t from)
{
	return invoke_2(domain.encoded, domain_grant_op, to_there.encoded, from.encoded);
}
static inline uint32_t kernel_delete_there(slot_t domain, slot_t there)
{
	return invoke_2(domain.encoded, domain_delete_op, there.encoded, 0);
}
static inline uint32_t kernel_domain_set(slot_t domain, uint32_t field, uint32_t value)
{
	return invoke_2(domain.encoded, domain_set_op, field, value);
}
static inline uint32_t kernel_door(slot_t domain, slot_t to, uint64_t badge)
{
	return invoke_3(domain.encoded, domain_door_op, to.encoded, badge, badge >> 32);
}
static inline uint32_t kernel_domain_attach(slot_t domain, uint32_t number, slot_t page)
{
	return invoke_2(domain.encoded, domain_attach_op, number, page.encoded);
}
static inline uint32_t kernel_domain_read(slot_t domain, slot_t there, struct words *answer)
{
	*answer = (struct words){{domain_read_op, there.encoded, 0, 0}};
	return invoke(domain.encoded, answer);
}
/* kind and, from CREATE_SECOND_SHIFT - CREATE_KIND_SHIFT on, the second parameter; see abi.h */
static inline uint32_t kernel_create(slot_t authority, uint32_t kind, uint32_t second,
				     uint32_t frame, uint32_t generation, uint32_t parameter)
{
	return invoke_3(authority.encoded,
			authority_create_op | kind << CREATE_KIND_SHIFT |
				second << CREATE_SECOND_SHIFT,
			frame, generation, parameter);
}
static inline uint32_t kernel_destroy(slot_t authority, uint32_t frame, uint32_t generation)
{
	return invoke_2(authority.encoded, authority_destroy_op, frame, generation);
}
static inline uint32_t kernel_fetch(slot_t authority, uint32_t frame, slot_t to,
				    uint32_t generation)
{
	return invoke_3(authority.encoded, authority_fetch_op, frame, to.encoded, generation);
}
static inline uint32_t kernel_inspect(slot_t authority, uint32_t index, uint32_t *kind,
				      uint32_t *generation)
{
	struct words words = {{authority_inspect_op, index, 0, 0}};
	uint32_t error = invoke(authority.encoded, &words);
	*kind = words.w[0];
	*generation = words.w[1];
	return error;
}
static inline uint32_t kernel_account(slot_t authority, uint32_t account, uint64_t *cycles)
{
	struct words words = {{authority_account_op, account, 0, 0}};
	uint32_t error = invoke(authority.encoded, &words);
	*cycles = (uint64_t)words.w[1] << 32 | words.w[0];
	return error;
}
static inline uint32_t kernel_irq_bind(slot_t line, slot_t thread, uint32_t bit)
{
	return invoke_2(line.encoded, irq_bind_op, thread.encoded, bit);
}
static inline uint32_t kernel_irq_acknowledge(slot_t line)
{
	return invoke_2(line.encoded, irq_acknowledge_op, 0, 0);
}
static inline uint32_t kernel_bitmap_allow(slot_t bitmap, slot_t ports)
{
	return invoke_2(bitmap.encoded, bitmap_allow_op, ports.encoded, 0);
}
static inline uint32_t kernel_bitmap_deny(slot_t bitmap, uint32_t first, uint32_t number)
{
	return invoke_2(bitmap.encoded, bitmap_deny_op, first, number);
}

static inline uint64_t cycles(void)
{
	uint64_t value;
	asm volatile("rdtsc" : "=A"(value));
	return value;
}
static inline uint32_t running_tag(void)
{
	return *(volatile uint32_t *)TAG_PAGE;
}

const char *error_name(uint32_t error);

#endif
