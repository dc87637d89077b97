/* SPDX-License-Identifier: MIT */
/*
 * The rollforward lock: a lock that never blocks, taken and left in user mode. Whoever is killed,
 * frozen or preempted inside holds up nobody (docs/architecture.md, "Rollforward").
 *
 * A section is one function, its prepare: it reads, checks and notes the words that are to change,
 * and it ends by committing them, all at once. It may be stopped and begun again at any instruction
 * before that, and it runs alone:
 *
 *     struct transfer { uint32_t from, to, status; };
 *
 *     SECTION void transfer_prepare(void)
 *     {
 *             struct transfer *transfer = section_context();
 *             if (!account[transfer->from]) {
 *                     transfer->status = 1;
 *                     return section_commit(0);
 *             }
 *             section_log(0, &account[transfer->from], account[transfer->from] - 1);
 *             section_log(1, &account[transfer->to], account[transfer->to] + 1);
 *             return section_commit(2);
 *     }
 *     ...
 *     struct transfer transfer = {.from = a, .to = b};
 *     section_run(transfer_prepare, &transfer);
 *     return ANSWER(transfer.status, 0);
 *
 * A prepare
 *   - calls nothing but what is inlined, and makes no system call: every way out of it is `return
 *     section_commit(...)` or `return section_commit_word(...)`, as a tail jump;
 *   - stores nowhere but by section_log, but for what may be stored twice, if it is stopped in
 *     between, and which nobody reads before the commit: its results in the context, and memory or
 *     ports that this very section has checked to be the caller's own; or one word that is true by
 *     itself, such as a progress from which whoever comes next goes on;
 *   - reads nothing that could fault: what is lent is copied into the context before. A fault
 *     inside begins the section anew, whatever the handler does.
 * tools/check-sections, run by make on every linked program, refuses what breaks the first rule.
 *
 * EBP leads to the record of the section, which is the call frame of section_run, and section_run
 * does not keep it. So it is a global register variable: this header comes before any other one in
 * each C file with a function that calls section_run, also indirectly. (GCC's "frame pointer
 * required" means that something there wants an aligned place on the stack: in practice a call
 * whose result is a structure that nobody looks at.)
 *
 * A domain needs a lock page at LOCK_PAGE and the range [section_start, section_end) told to the
 * kernel; domain_load of libs/root does both for programs that use this library.
 */
#ifndef NOUS_LOCK_H
#define NOUS_LOCK_H

#include "abi.h"

typedef void section_prepare(void);

/* What section_run finds on the stack: on the thread's own, so nobody else can change it. */
struct section_record {
	void *return_address;
	section_prepare *continuation; /* the prepare; once it is committed, the way out */
	void *context;
};

/* (On the host, and where clang only reads, there is no such register.) */
#if __STDC_HOSTED__ || defined(__clang__)
extern struct section_record *section_record;
#else
register struct section_record *section_record asm("ebp");
#endif

#define SECTION static __attribute__((section(".section"), noinline, used))

/*
 * Runs a section: its effect has happened, once and wholly, when this comes back. The context is
 * anything on the caller's stack, for arguments and results. Cost: 16 instructions with one word,
 * the call included, and what the prepare itself does.
 */
void section_run(section_prepare *prepare, void *context);

/* In a prepare: what section_run was given. */
static inline void *section_context(void)
{
	return section_record->context;
}

#define SECTION_PAIRS 8u
#define LOCK          ((struct lock_page *)LOCK_PAGE)

/* In a prepare: when pairs 0 to number are committed, *address = value. No two the same address;
 * each one in memory of the domain's own that never goes away. */
void section_log_is_full(void) __attribute__((error("a section has eight pairs")));
static inline void section_log(uint32_t number, volatile void *address, uint32_t value)
{
#if !defined(__clang__)
	if (__builtin_constant_p(number) && number >= SECTION_PAIRS)
		section_log_is_full();
#endif
	LOCK->log[number].address = (uint32_t)(uintptr_t)address;
	LOCK->log[number].value = value;
}

/* The end of a prepare: commits the first `pairs` pairs of the log, 0 to 8. */
void __attribute__((regparm(3))) section_commit(uint32_t pairs);
/* The same for pairs 0 and 1 of the log, told once more because that is quicker. */
void __attribute__((regparm(3)))
section_commit_two(volatile void *address_0, uint32_t value_0, volatile void *address_1);
/* The same for one word, without section_log, and quicker. */
void __attribute__((regparm(3))) section_commit_word(volatile void *address, uint32_t value);

#endif
