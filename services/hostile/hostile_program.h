/* SPDX-License-Identifier: MIT */
/* A hostile program: what it is started to do, and what it was given. The console's `attack`. */
#ifndef NOUS_HOSTILE_PROGRAM_H
#define NOUS_HOSTILE_PROGRAM_H

enum hostile_task {
	HOSTILE_CASE,   /* executes case `number` of libs/hostile */
	HOSTILE_CHANCE, /* HOSTILE_INVOCATIONS invocations by chance; `number` is their seed */
	HOSTILE_SPIN,   /* never gives the processor back */
	HOSTILE_DEEP,   /* calls itself until the kernel refuses */
	HOSTILE_WIPE,   /* overwrites its own memory up to where it ends */
	/* a neighbour in the experiment `isolation`, that never ends by itself */
	HOSTILE_LEDGER,    /* calls the ledger, and fills its part of the ledger's queue */
	HOSTILE_HOARD,     /* takes memory until it gets none, gives it back, takes it again */
	HOSTILE_KILL,      /* stops the others' threads and ends their calls */
	HOSTILE_INTERRUPT, /* causes interrupts, and lets each line cause one more */
	HOSTILE_TASKS,
	/* runs HOSTILE_WARDED threads of hostile programs, each for a time by chance, whose seed is
	 * `number`, and starts those that have stopped with another task; says what came of them */
	HOSTILE_WARDEN = HOSTILE_TASKS,
	HOSTILE_WARDEN_REPORT
};
#define HOSTILE_ARGUMENT(task, number) ((uint32_t)(task) | (uint32_t)(number) << 8)
#define HOSTILE_INVOCATIONS            1000u

/* Its list: doors with as few rights as there are, and one to itself. */
enum hostile_slot {
	HOSTILE_SELF = 1,
	HOSTILE_OTHERS,
	/* a neighbour's: the same doors again, from where it gets back what it has deleted */
	HOSTILE_STORE = 32,
	HOSTILE_MEMORY = 48, /* its door to the allocator; then the ledger; where frames come */
	HOSTILE_LEDGER_DOOR,
	HOSTILE_CONSOLE,
	HOSTILE_LINES,        /* two */
	HOSTILE_FRAMES = 64,  /* HOSTILE_HOARDED slots */
	HOSTILE_THREADS = 112 /* the others' or, for a warden, those that it runs */
};
#define HOSTILE_STORED      10u
#define HOSTILE_HOARDED     40u
#define HOSTILE_THREADS_MAX 8u
#define HOSTILE_WARDED      3u

#endif
