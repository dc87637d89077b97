/* SPDX-License-Identifier: MIT */
/* What kprof.c asks of profile.c: the record of what benchmarks execute, for tools/profile. */
#ifndef PROFILE_H
#define PROFILE_H

#include <stdbool.h>
#include <stdint.h>

extern bool profile_on;

/* True if it is one of the profile's arguments (README.md). */
bool profile_argument(const char *argument);

/* An instruction was translated; host is where its bytes are in our memory. What it marks; 0:
 * nothing. */
uint8_t profile_translated(uint32_t va, bool kern, uintptr_t host);

struct profile_step {
	uint32_t va, line; /* line: number of the physical cache line */
	uint8_t kind, size, mark;
	bool kern;
};
void profile_retired(const struct profile_step *step);                        /* it completed */
void profile_access(uint32_t va, uint32_t line, uint8_t size, bool is_store); /* before that */
void profile_fault(void);       /* the accesses since then belong to none */
void profile_end(const char *const *kinds, uint32_t count);

#endif
