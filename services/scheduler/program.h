/* SPDX-License-Identifier: MIT */
/*
 * The program `scheduler`: one of the policies of libs/scheduler over up to 32 threads that it was
 * given. It is made like any other program, and others like it can be its children.
 *
 *     start argument   SCHEDULER_ARGUMENT(policy, children)
 *     SCHEDULER_PLAN   a page with the policy's numbers, struct scheduler_plan
 *     list             SCHEDULER_THREADS + i: child i's thread, rights dispatch and signal
 *                      SCHEDULER_PARENT: door (wish.h) to its own dispatcher
 *     door to it       for child i, badge SCHEDULER_BADGE(i): wish.h
 *
 * It ends when its last child has, or when it can't go on: see scheduler_run.
 */
#ifndef NOUS_SCHEDULER_PROGRAM_H
#define NOUS_SCHEDULER_PROGRAM_H

#include "scheduler.h"

enum scheduler_policy {
	SCHEDULER_CYCLIC, /* plan: slots, count of them; begins when it first runs */
	SCHEDULER_PRIORITY,
	SCHEDULER_EDF,         /* plan: servers, grain */
	SCHEDULER_STRIDE,      /* plan: tickets, slice */
	SCHEDULER_ROUND_ROBIN, /* plan: slice */
	SCHEDULER_POLICIES
};
#define SCHEDULER_ARGUMENT(policy, children) ((uint32_t)(policy) | (uint32_t)(children) << 8)

enum scheduler_slot { SCHEDULER_CONSOLE = 1, SCHEDULER_PARENT = 2, SCHEDULER_THREADS = 32 };

#define SCHEDULER_PLAN 0x00800000u
struct scheduler_plan {
	uint32_t length; /* slice of stride and round robin, grain of EDF; number of cyclic's slots
			  */
	union {
		struct cyclic_slot slots[CYCLIC_SLOTS];
		uint32_t tickets[POLICY_CHILDREN];
		struct {
			uint32_t budget, period, is_hard;
		} servers[POLICY_CHILDREN];
	};
};

#endif
