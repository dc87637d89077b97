/* SPDX-License-Identifier: MIT */
/* A hostile program: what it is started to do, and what it was given. The console's `attack`. */
#ifndef NOUS_HOSTILE_PROGRAM_H
#define NOUS_HOSTILE_PROGRAM_H

enum hostile_task {
	HOSTILE_CASE,   /* executes case `number` of libs/hostile */
	HOSTILE_CHANCE, /* HOSTILE_INVOCATIONS invocations by chance; `number` is their seed */
	HOSTILE_SPIN,   /* never gives the processor back */
	HOSTILE_DEEP,   /* calls itself until the kernel refuses */
	HOSTILE_WIPE    /* overwrites its own memory up to where it ends */
};
#define HOSTILE_ARGUMENT(task, number) ((uint32_t)(task) | (uint32_t)(number) << 8)
#define HOSTILE_INVOCATIONS            1000u

/* Its list: doors with as few rights as there are, and one to itself. */
enum hostile_slot { HOSTILE_SELF = 1, HOSTILE_OTHERS };

#endif
