/* SPDX-License-Identifier: MIT */
/* What kprof.c asks of trace.c: the record of who ran, which tools/trace makes a timeline of. */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stdint.h>

extern bool trace_on;

/* True if it is one of the trace's arguments (README.md). */
bool trace_argument(const char *argument);

/* An instruction was translated; host is where its bytes are in our memory. True: an instruction
 * that trace_insn must be told of wherever the one before was. */
bool trace_translated(uint32_t va, bool kern, uintptr_t host);

struct trace_point {
	uint32_t va;
	bool kern, noted, is_rdtsc, is_iret, is_sysexit; /* noted: as trace_translated said */
};
/* `to` is about to be executed, `from` was before; so many instructions have been completed. */
void trace_insn(const struct trace_point *from, const struct trace_point *to, uint64_t time);
void trace_end(uint64_t time);

/* For profile.c: the running domain's control page; the index and generation of such a domain; a
 * hash of the program that is in it. */
void trace_memory(uint32_t va, bool kern, uintptr_t host); /* as trace_translated */
uint32_t trace_running_domain(void);
void trace_identity(uint32_t domain, uint32_t self[2]);
uint64_t trace_program_of(uint32_t domain);

#endif
