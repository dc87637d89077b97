/* SPDX-License-Identifier: MIT */
#ifndef NOUS_BENCH_H
#define NOUS_BENCH_H

#include <stdint.h>

extern volatile uint32_t begun, ended;

/* Stamps to memory, so that the pair costs the same wherever it stands. */
#define BEGIN() asm volatile("rdtsc\n\tmov %%eax, %0" : "=m"(begun) : : "eax", "edx", "memory")
#define END()   asm volatile("rdtsc\n\tmov %%eax, %0" : "=m"(ended) : : "eax", "edx", "memory")

/* lock.c: threads, of a domain with sections. One enters a section of one word at each signal,
 * between the stamps; the other one sections of `lock_pairs` words all the time. */
void lock_enters(void);
void lock_works(void);
extern uint32_t lock_pairs;
extern volatile uint32_t lock_count, lock_worked[8];

#endif
