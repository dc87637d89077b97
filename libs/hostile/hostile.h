/* SPDX-License-Identifier: MIT */
/* Instructions with which a program asks for more than it may: each faults, and hurts nobody else.
 */
#ifndef NOUS_HOSTILE_H
#define NOUS_HOSTILE_H

#include <stdint.h>

struct hostile_case {
	const char *name;
	const void *code; /* where a thread begins, with the argument in EBX and a stack */
	uint32_t at;      /* where it faults */
	uint32_t argument, vector, error;
};
extern const struct hostile_case hostile_cases[];
extern const uint32_t hostile_case_count;

#endif
