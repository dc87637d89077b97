/* SPDX-License-Identifier: MIT */
/*
 * A periodic task of the experiment `isolation`: computes, calls the ledger, computes, and notes
 * when each job began and ended in its own memory. Each start is one run: PERIODIC_ARGUMENT is the
 * lower word of the time from which the run's times are counted, a multiple of 4, and the design;
 * PERIODIC_PRINT prints what was noted in the last one, one line for each job.
 */
#ifndef NOUS_PERIODIC_H
#define NOUS_PERIODIC_H

#include <stdint.h>

/* Who does the work of a call. */
enum periodic_design {
	PERIODIC_LENDING, /* the task itself, in the ledger */
	PERIODIC_LENT,    /* the ledger's thread; the task that waits lends it its time */
	PERIODIC_SLOT, /* the ledger's thread, when that has the CPU; all are asked for at once */
	PERIODIC_DESIGNS
};
#define PERIODIC_JOBS                     256u /* of a run, at the most */
#define PERIODIC_ARGUMENT(origin, design) (((uint32_t)(origin) & ~3u) | (design))
#define PERIODIC_PRINT(run)               ((run) << 2 | PERIODIC_DESIGNS)
#define PERIODIC_LOW(argument)            ((argument)&3u)

#define PERIODIC_PLAN 0x00800000u /* a page of it */
struct periodic_plan {
	uint32_t number;
	uint32_t period, phase; /* job i may begin at phase + (i + 1) * period */
	uint32_t rounds, more;  /* of a loop, before its calls and after; `more` for each job */
	uint32_t calls, units;  /* of the ledger */
};

/* Its list: PARENT is the door to scheduler_wish, SERVER the ledger's thread (RIGHT_DISPATCH). */
enum periodic_slot {
	PERIODIC_CONSOLE = 1,
	PERIODIC_PARENT,
	PERIODIC_LEDGER,
	PERIODIC_SERVER_THREAD
};

#endif
