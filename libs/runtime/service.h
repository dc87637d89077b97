/* SPDX-License-Identifier: MIT */
/*
 * Writing a service: a table of operations, each a function that gets the door's badge and two
 * words, and answers a status (0..127) and a word. The common entry (start.asm) has already undone
 * what hostile flags and segments can do and has checked the operation's number and the stack.
 *
 *     OPERATION static uint64_t counter_add(uint32_t badge, uint32_t amount, uint32_t b,
 *                                           uint32_t badge_high)
 *     { ... return ANSWER(0, value); }
 *     SERVICE_OPERATIONS(counter_add, counter_read)
 */
#ifndef NOUS_SERVICE_H
#define NOUS_SERVICE_H

#include "kernel.h"

typedef uint64_t __attribute__((regparm(3)))
service_operation(uint32_t badge_low, uint32_t a, uint32_t b, uint32_t badge_high);
#define OPERATION __attribute__((regparm(3)))
/* Which door it was: whoever made it chose the badge, and no client can. */
struct badge {
	uint32_t low, high;
};
/* Two words as one value; shifted together they would cost five instructions more. */
#define ANSWER(status, word)        \
	(((union {                  \
		 uint32_t words[2]; \
		 uint64_t both;     \
	 }){{(status), (word)}})    \
		 .both)
#define SERVICE_OPERATIONS(...)                                        \
	service_operation *const service_operations[] = {__VA_ARGS__}; \
	const uint32_t service_operation_count =                       \
		sizeof(service_operations) / sizeof(service_operations[0]);

/*
 * An answer with a capability: what lies in lent_slot(0), where no other thread can swap it, goes
 * into the first slot that the client designated (OPTION_RESULTS). False: it designated none, or
 * lent something; else this does not come back.
 */
static inline _Bool answer_capability(uint32_t word)
{
	uint32_t status = RETURN | RETURN_CAPABILITIES;
	asm volatile(SYSENTER
		     : "+a"(status), "+S"(word)
		     : "b"(LEND_SLOTS(SLOT_LENT, 0, 0, 0))
		     : "ecx", "edx", "edi", "memory", "cc");
	return 0;
}

extern service_operation *const service_operations[];
extern const uint32_t service_operation_count;
void service_entry(void);
void fault_entry(void);

/* The client's parameters lie at the bottom of the data page on which this call stands. */
STUB void *parameters(void)
{
	return (void *)DATA_PAGE;
}
#define PARAMETER_BYTES 2048u /* the upper half is for the stack */

/*
 * How many bytes of parameters an operation may read and write without meeting its own stack, with
 * the KiB that it was promised: a client that calls nested has decided where that is. What is
 * written there comes from the client, and a return address must not.
 */
static inline uint32_t parameter_room(void)
{
	uint32_t esp;
	asm volatile("mov %%esp, %0" : "=r"(esp));
	uint32_t offset = esp & (PAGE_BYTES - 1);
	return offset > 1024 ? offset - 1024 : 0;
}

/*
 * Access to lent memory, which may go away between any two instructions: the value, or `false`.
 * A fault at the marked instruction goes on at its entry in the table of catches.
 */
#define CATCH(at, to) \
	".pushsection .catch,\"a\",@progbits\n\t.long " #at ", " #to "\n\t.popsection\n\t"
static inline _Bool try_load(const volatile uint32_t *address, uint32_t *value)
{
	uint32_t got, ok = 0;
	asm volatile("1: mov %2, %0\n\tmov $1, %1\n2:\n\t" CATCH(1b, 2b)
		     : "=r"(got), "+r"(ok)
		     : "m"(*address));
	*value = got;
	return ok;
}
static inline _Bool try_store(volatile uint32_t *address, uint32_t value)
{
	uint32_t ok = 0;
	asm volatile("1: mov %2, %1\n\tmov $1, %0\n2:\n\t" CATCH(1b, 2b)
		     : "+r"(ok), "=m"(*address)
		     : "r"(value)
		     : "memory");
	return ok;
}
/* Bytes left over: 0 if all went well. */
static inline uint32_t try_copy(volatile void *to, const volatile void *from, uint32_t bytes)
{
	asm volatile("1: rep movsb\n2:\n\t" CATCH(1b, 2b)
		     : "+D"(to), "+S"(from), "+c"(bytes)
		     :
		     : "memory");
	return bytes;
}

#endif
