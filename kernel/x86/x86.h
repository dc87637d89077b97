/* SPDX-License-Identifier: MIT */
/* What Intel defines: registers, descriptor tables, devices of a PC. Section titles name the Intel
 * SDM, volume 3, 2023. */
#ifndef NOUS_X86_H
#define NOUS_X86_H

#include "kernel.h"

/* "Task-State Segment (TSS)": only what we use has a name. esp0 is the running activation. */
struct tss {
	uint32_t link, esp0, ss0, unused_1[4], cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi,
		edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt;
	uint16_t trap, bitmap;
};
_Static_assert(sizeof(struct tss) == 104, "SDM, 32-bit TSS");

/*
 * Directory entry TSS_SLOT leads to a page table of four pages: the TSS page (global) and the I/O
 * bitmap, which therefore differs by directory and is switched by loading CR3.
 */
#define TSS_SLOT 0x3FEu

#define KERNEL_CODE 0x08u

#define ENTRY_PRESENT 1u
#define ENTRY_WRITE   2u
#define ENTRY_USER    4u
#define ENTRY_LARGE   0x80u

#define FLAG_TRAP   0x100u
#define FLAGS_USER  0x240CD5u /* what user mode may change: ID AC OF DF SF ZF AF PF CF */
#define FLAGS_START 0x202u

#define PIC_MASTER 0x20
#define PIC_SLAVE  0xA0

/* "Local APIC Block Diagram": its registers, in the window table, for the kernel only. */
#define APIC_PAGE          0xB03F8000u
#define APIC_END           0xB0u
#define APIC_TIMER_INITIAL 0x380u
#define MSR_TSC_DEADLINE   0x6E0u

#define DR7_OFF      0x400u
#define DR7_SYSEXITS 0x4AAu /* global execution breakpoints 0 to 3 */

#define VECTOR_DEBUG        1u
#define VECTOR_DOUBLE_FAULT 8u
#define VECTOR_PAGE_FAULT   14u
#define VECTOR_IRQ          0x20u

extern struct tss tss;
extern uint32_t window_table[1024]; /* this CPU's pages below WINDOW_0; in every directory */
extern uint32_t tag_page[1024];
extern uint32_t bitmap_none_table[1024]; /* at TSS_SLOT of domains without ports */
extern uint32_t fpu_has_fxsr;
extern uint8_t cpu_stack_top[];

static inline uint32_t physical(const void *address)
{
	return (uint32_t)(uintptr_t)address - KERNEL_BASE;
}
static inline void *direct(uint32_t address)
{
	return (void *)(uintptr_t)(address + KERNEL_BASE);
}
static inline uint32_t *directory_of(const struct domain *domain)
{
	return direct(domain->directory);
}

/* A data page and its thread know each other: the page's table entry names the thread. */
static inline void data_page_bind(struct thread *thread, uint32_t number, uint32_t page)
{
	object_table[page].page = thread->self.word << (12 - CAPABILITY_INDEX_SHIFT) |
				  OBJECT_ATTACHED | OBJECT_DATA_PAGE;
	thread->data[number] = page << 12 | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER;
}

/* One instruction, where a loop's every instruction counts 32 times. */
static inline void memory_or(uint32_t *at, uint32_t bits)
{
	asm("orl %1, %0" : "+m"(*at) : "r"(bits));
}

static inline struct activation *activation_running(void)
{
	return (struct activation *)tss.esp0;
}
static inline struct thread *thread_running(void)
{
	return (struct thread *)(tss.esp0 & ~(PAGE_BYTES - 1));
}
/* wait and dispatch: at home always, in a service if every caller on the way down allowed it. */
static inline bool activation_may_wait(void)
{
	return (tss.esp0 & (PAGE_BYTES - 1)) == ACTIVATION_HOME ||
	       (!cpu.fast_limit && activation_running()->flags & OPTION_MAY_WAIT);
}

#include "x86/instructions.h"

/* trap.asm, call.asm */
_Noreturn void leave_by_call(struct call_frame *frame);
_Noreturn void leave_by_trap(struct trap_frame *frame);
_Noreturn void idle(void);
uint32_t page_fault_address(void);

/* pic.c, timer.c */
void pic_mask(uint32_t line, uint32_t masked);
void pic_end(uint32_t line);
bool pic_is_spurious(uint32_t line);
void timer_arm(uint64_t deadline);
void timer_end(void);
/* Boot measures. Deadlines of cycles_max and more cycles are reached in steps of ticks_max. */
extern struct timer {
	uint32_t kind /* enum timer_kind */, ticks_per_cycle_32 /* times 2^32 */, cycles_max,
		ticks_max;
} timer;

#endif
