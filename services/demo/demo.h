/* SPDX-License-Identifier: MIT */
/* The parts of the root program of the menu's first entry. */
#ifndef NOUS_DEMO_H
#define NOUS_DEMO_H

#include <stdint.h>

/* Six steps in plain words. True: all frames came back. */
_Bool demonstration(void);

/* What the console asks for: each a few programs that are loaded, run and ended. */
void bench_run(void);
void attack_run(void);
void schedule_run(void);

/* What they are made of: frames of the account of all jobs (false: too few are left, and it has
 * been said), programs, doors. */
struct domain;
_Bool jobs_begin(void);
void jobs_end(void);
void program_make(struct domain *domain, const char *name, const char *program);
void give_door(struct domain *domain, uint32_t there, struct domain *service, uint64_t badge);

/* Painters come or go. While they are there the console has the lower half of the screen. */
void windows_switch(void);
/* They draw, in turn, or this thread waits, until an event of the mask or the deadline (then 0). */
uint32_t windows_run(uint32_t mask, uint64_t deadline);

#endif
