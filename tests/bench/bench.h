/* SPDX-License-Identifier: MIT */
#ifndef NOUS_BENCH_H
#define NOUS_BENCH_H

#include <stdint.h>

extern volatile uint32_t begun, ended;

/* Stamps to memory, so that the pair costs the same wherever it stands. */
#define BEGIN() asm volatile("rdtsc\n\tmov %%eax, %0" : "=m"(begun) : : "eax", "edx", "memory")
#define END()   asm volatile("rdtsc\n\tmov %%eax, %0" : "=m"(ended) : : "eax", "edx", "memory")

/*
 * report.c: the samples of a measurement, in rounds. The first one warms up and does not count,
 * SAMPLES more are warm, and COLD_SAMPLES more are cold: round_begin has evicted the caches.
 * (Which round it is stands in memory, and the compiler knows of no call or branch before the
 * work: what is measured would cost some instructions more.)
 */
#define SAMPLES      1000u
#define COLD_SAMPLES 100u
extern uint32_t round_number; /* from 0 on */
#define ROUNDS                 \
	round_number = 0;      \
	round_number < rounds; \
	round_number++
extern uint32_t rounds;
/* The last thing before the work. */
static inline void round_begin(void)
{
	asm volatile("cmpl %1, %0\n\tjbe 1f\n\tpusha\n\tcall caches_evict\n\tpopa\n1:"
		     :
		     : "m"(round_number), "i"(SAMPLES)
		     : "memory", "cc");
}
void round_end(void);            /* sample_add, but for the first round */
void sample_add(void);           /* what lies between the stamps, or between begun and ended */
void sample_set(uint32_t ticks); /* another sample than that */
void report_begin(void);         /* before all measurements */
void report(const char *name);   /* all samples since the last report */
/* The samples of the last report once more, each for so many parts (rounded up). */
void report_parts(const char *name, uint32_t parts);
void report_end(void); /* the medians of all, on as little room as can be */
uint64_t far_ticks(
	void); /* from now on: a deadline that does not come while something is measured */
/* Runs `before`, measures `work`, runs `after`. */
#define MEASURE(name, before, work, after) \
	do {                               \
		for (ROUNDS) {             \
			before;            \
			round_begin();     \
			BEGIN();           \
			work;              \
			END();             \
			after;             \
			round_end();       \
		}                          \
		report(name);              \
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
