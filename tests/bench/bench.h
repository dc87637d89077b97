/* SPDX-License-Identifier: MIT */
#ifndef NOUS_BENCH_H
#define NOUS_BENCH_H

#include <stdint.h>

extern volatile uint32_t begun, ended;

/* Stamps to memory, so that the pair costs the same wherever it stands. */
#define BEGIN() asm volatile("rdtsc\n\tmov %%eax, %0" : "=m"(begun) : : "eax", "edx", "memory")
#define END()   asm volatile("rdtsc\n\tmov %%eax, %0" : "=m"(ended) : : "eax", "edx", "memory")

#define SAMPLES 1000u
void sample_add(void);         /* what lies between the stamps */
void report(const char *name); /* all samples since the last one */
/* Runs `before`, measures `work`, runs `after`; the first round, which warms up, doesn't count. */
#define MEASURE(name, before, work, after)                            \
	do {                                                          \
		for (uint32_t round = 0; round <= SAMPLES; round++) { \
			before;                                       \
			BEGIN();                                      \
			work;                                         \
			END();                                        \
			after;                                        \
			if (round)                                    \
				sample_add();                         \
		}                                                     \
		report(name);                                         \
	} while (0)

/*
 * A benchmark in a file of its own, which main.c finds by itself; the frames are this program's.
 * Command line `only=NAME`: this one alone.
 *
 *	BENCHMARK(counter) { MEASURE("counter_add", , counter_add(door, 1, &sum), ); }
 */
struct benchmark {
	const char *name;
	void (*run)(void);
};
#define BENCHMARK(name)                                                        \
	static void name(void);                                                \
	static const struct benchmark name##_entry                             \
		__attribute__((section(".benchmarks"), used)) = {#name, name}; \
	static void name(void)
extern const struct benchmark benchmarks_begin[], benchmarks_end[];

/* lock.c: threads, of a domain with sections. One enters a section of one word at each signal,
 * between the stamps; the other one sections of `lock_pairs` words all the time. */
void lock_enters(void);
void lock_works(void);
extern uint32_t lock_pairs;
extern volatile uint32_t lock_count, lock_worked[8];

#endif
