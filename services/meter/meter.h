/* SPDX-License-Identifier: MIT */
/*
 * The meter, a program that says what things cost: the console's `bench`. It is a service as well:
 * two more domains with the same program are what it calls.
 */
#ifndef NOUS_METER_H
#define NOUS_METER_H

#include "interface.h"

enum meter_task {
	METER_TABLE,   /* measures and prints */
	METER_CHECK,   /* calls the service a few times, and faults if one answer is wrong */
	METER_WORKER,  /* waits for event 0, again and again: to be dispatched */
	METER_PERIODIC /* METER_JOBS jobs, one each period, and says how many were late */
};

/* Its list. In that of a service METER_SERVICE is the next one. Empty: not measured. */
enum meter_slot {
	METER_SERIAL = 1,
	METER_SCREEN,
	METER_SERVICE,
	METER_THREAD, /* of a worker: to signal and dispatch it */
	METER_ROW,    /* a row of the screen, to read and write */
	METER_PCI,    /* a PCI function, to read */
	METER_SPARE,
	METER_PARENT /* door to a scheduler's wishes */
};
#define METER_PAGE 0x00800000u /* memory to lend */

/* Start argument of a periodic thread: its number, to be told; work and period in units of 2^16
 * cycles, of 8 and 12 bits. */
#define METER_UNIT_SHIFT 16u
#define METER_PERIODIC_ARGUMENT(number, work, period) \
	((uint32_t)METER_PERIODIC | (number) << 8 | (work) << 12 | (period) << 20)
#define METER_JOBS 20u

/* The sum. Cost: call_return of docs/benchmarks.md. */
uint32_t meter_add(slot_t door, uint32_t a, uint32_t b, uint32_t *sum);

/* The sum, by the service behind it. Cost: call_return_nested. */
uint32_t meter_forward(slot_t door, uint32_t a, uint32_t b, uint32_t *sum);

/* The sum, for a client that lends as much as a call can. Cost: call_return_lend_8mib. */
uint32_t meter_lent(slot_t door, lend_t one, lend_t two, lend_t three, lend_t four, window_t first,
		    window_t second, uint32_t a, uint32_t *sum);

#include "meter.stubs.h"

#endif
