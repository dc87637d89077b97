/* SPDX-License-Identifier: MIT */
/*
 * The test is the machine: memory, clock, ports, control registers, and call.asm's two system calls
 * once more in C, without hurry. The kernel's own files are compiled for the host under the address
 * and the undefined behaviour sanitizer; frames that are no object are poisoned, so that a kernel
 * which reads a dead object is caught in the act.
 *
 * After each stay in the kernel the machine checks what must hold at every time (machine.c).
 */
#ifndef NOUS_HOST_MACHINE_H
#define NOUS_HOST_MACHINE_H

#include "machine/tap.h"
#include "record.h"
#include "x86/x86.h"

#define FRAMES_FIRST   1024u /* below: the kernel's own memory */
#define FRAMES_MANAGED 192u
#define FRAMES_END     (FRAMES_FIRST + FRAMES_MANAGED)
#define CYCLES_PER_MS  1000000ull

/* How a stay in the kernel ended. */
enum left {
	LEFT_BACK,    /* the method or trap returned: the same thread goes on */
	LEFT_BY_CALL, /* a thread goes on behind its system call */
	LEFT_BY_TRAP, /* or where it was interrupted */
	LEFT_IDLE,
	LEFT_PANIC
};
struct machine {
	uint64_t clock;
	uint32_t clock_step; /* cycles that pass whenever somebody looks */
	uint64_t timer_fires;
	uint32_t timer_writes, timer_ticks;
	uint8_t pic_mask[2], pic_in_service[2];
	uint32_t pic_ends[2], apic_ends;
	bool has_tsc_deadline;
	uint32_t directory; /* CR3 */
	uint32_t debug;     /* DR7 */
	uint32_t fault_address;
	enum left left;
	uint32_t status,
		word[4]; /* what a thread that goes on behind a call finds in its registers */
	struct trap_frame trap; /* ... and behind a trap */
	uint64_t gone;          /* cycles of threads that were destroyed */
	const char *panic;
};
extern struct machine machine;

/* A fresh machine: root domain, root thread at its home, running; deadlines are met by this. */
extern enum timer_kind machine_timer;
void machine_start(void);
extern struct domain *root_domain;
extern struct thread *root_thread;

/* The thread that runs, or null. */
static inline struct thread *running(void)
{
	return cpu.depth ? thread_running() : NULL;
}

/* Objects, made by the kernel's own function but outside of any stay; frame numbers. */
uint32_t frame_free(void);
uint32_t frame_free_from(uint32_t first);
void frame_open(uint32_t frame); /* no longer poisoned: for what the authority's holder writes */
uint32_t object_new(uint32_t kind, uint32_t second, uint32_t parameter);
void object_end(uint32_t frame); /* by a call of the running thread */
struct domain *domain_new(uint32_t confidential);
struct thread *thread_new(struct domain *home);
void *page_of(uint32_t frame);
uint32_t frame_of(const void *page);
/* A capability with all rights; into a slot of the list that now runs. */
struct capability capability_to(uint32_t kind, uint32_t frame);
void slot_set(uint32_t slot, struct capability capability);
struct capability door_to(const struct domain *domain, uint64_t badge);

/* System calls of the running thread. The status, or the error: machine.status, too. */
uint32_t machine_invoke(struct capability *capability, uint32_t operation, uint32_t a, uint32_t b,
			uint32_t c);
uint32_t machine_self(uint32_t operation, uint32_t a, uint32_t b, uint32_t c);
struct lending {
	uint32_t capabilities, windows, results;
};
uint32_t machine_call(uint32_t slot_and_options, struct lending lending);
uint32_t machine_return(uint32_t status, uint32_t capabilities);
uint32_t machine_resume(void); /* RESUME_SAME */
/* A thread made by thread_new begins to be ready; the running thread dispatches one. */
void thread_go(struct thread *thread);
void machine_dispatch(struct thread *thread, uint32_t mask, uint64_t deadline, uint32_t options);
uint32_t stack_mark(const struct thread *thread); /* ESP that the machine gives it */

void machine_trap(uint32_t vector, uint32_t error, uint32_t eip);
void machine_interrupt(uint32_t line);
/* Time passes; the timer interrupts when it is due. */
void machine_run(uint64_t cycles);

/* What must hold whenever user code runs; ends the test when it doesn't. */
void machine_check(void);
uint32_t depth_of(const struct thread *thread);
uint64_t cycles_of_all_threads(void);

#endif
