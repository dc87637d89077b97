/* SPDX-License-Identifier: MIT */
/* Boot: runs once, at physical addresses, and leaves the root program with the machine. */
#ifndef NOUS_BOOT_H
#define NOUS_BOOT_H

#include "record.h"

/* Filled by multiboot.asm. */
struct boot_entry {
	uint64_t first_cycles;
	uint32_t magic, information; /* what the loader left in EAX, EBX */
	uint32_t features;           /* CPUID leaf 1, EDX */
};

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
uint32_t cycles_measure(void);
/* devices.c */
void pic_start(void);
void timer_start(uint32_t cycles_per_ms);
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
