/* SPDX-License-Identifier: MIT */
/* Boot: runs once, at physical addresses, and leaves the root program with the machine. */
#ifndef NOUS_BOOT_H
#define NOUS_BOOT_H

#include <stdbool.h>

#include "record.h"

/* Filled by multiboot.asm. */
struct boot_entry {
	uint64_t first_cycles;
	uint32_t magic, information; /* what the loader left in EAX, EBX */
	uint32_t features;           /* CPUID leaf 1, EDX */
};

extern uint32_t boot_directory[1024]; /* multiboot.asm */

/* boot.c */
_Noreturn void boot_refuse(const char *sentence, const char *name, const char *reason);
/* multiboot.c: regions, modules and command line from either protocol */
void loader_read(const struct boot_entry *entry, struct boot_record *record);
/* memory.c: frames for what boot makes */
void memory_start(struct boot_record *record);
void *frame_take(void);
uint32_t frames_taken_end(void);
void modules_move(struct boot_record *record);
/* processor.c: tables, registers, timer */
void processor_start(uint32_t features);
uint32_t cycles_measure(uint32_t features);
uint64_t msr_read(uint32_t number);
uint32_t apic_read(uint32_t at);
bool cpu_has_tsc_deadline(void);
/* devices.c */
void pic_start(void);
uint32_t quotient(uint64_t dividend, uint32_t divisor);
#define PIT_HZ 1193182u
void timer_start(uint32_t cycles_per_ms);
bool apic_start(uint32_t features);
struct look { /* at two counters, at the same time */
	uint64_t cycles;
	uint32_t ticks; /* of the local APIC's timer, downwards */
};
struct look apic_look(void);
void apic_timer_start(struct look begin, struct look end);
/* root.c */
_Noreturn void root_start(struct boot_record *record);

/* Most of what boot does, so one instruction a word. */
static inline void words_clear(void *to, uint32_t words)
{
	asm volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(0) : "memory");
}
static inline void words_copy(void *to, const void *from, uint32_t words)
{
	asm volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

/* What only we can cause. */
#define STRINGIFY_(x) #x
#define STRINGIFY(x)  STRINGIFY_(x)
#define ASSERT(condition)                                                              \
	do {                                                                           \
		if (!(condition))                                                      \
			panic(__FILE__ ":" STRINGIFY(__LINE__) ": " #condition, NULL); \
	} while (0)

#endif
