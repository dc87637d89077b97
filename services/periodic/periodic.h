/* SPDX-License-Identifier: MIT */
/*
 * A periodic task of the experiment `isolation`: computes, calls the ledger, computes, and notes
 * when each job began and ended in its own memory. Each start is one run. The start argument is the
 * lower word of the time from which the run's times are counted, a multiple of 8, and the run's
 * number; PERIODIC_RUNS instead prints what was noted, one line for each job.
 */
#ifndef NOUS_PERIODIC_H
#define NOUS_PERIODIC_H

#include <stdint.h>

#define PERIODIC_RUNS                  5u
#define PERIODIC_JOBS                  256u /* of a run, at the most */
#define PERIODIC_ARGUMENT(origin, run) (((uint32_t)(origin) & ~7u) | (run))
#define PERIODIC_RUN_OF(argument)      ((argument)&7u)

enum periodic_design { PERIODIC_LENDING, PERIODIC_SERVER, PERIODIC_DESIGNS };

#define PERIODIC_PLAN 0x00800000u /* a page of it */
struct periodic_plan {
	uint32_t number, jobs;
	uint32_t period, phase; /* job i may begin at phase + (i + 1) * period */
	uint32_t rounds;        /* of a loop, before its calls and after them */
	uint32_t calls, units;  /* of the ledger */
	uint32_t design[PERIODIC_RUNS];
};

/* Its list: PARENT is the door to scheduler_wish, SERVER the ledger's thread (RIGHT_DISPATCH). */
enum periodic_slot {
	PERIODIC_CONSOLE = 1,
	PERIODIC_PARENT,
	PERIODIC_LEDGER,
	PERIODIC_SERVER_THREAD
};

#endif
