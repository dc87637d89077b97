/* SPDX-License-Identifier: MIT */
/*
 * The scribe, a service for the demonstration. It owns nothing: it reads numbers in memory that the
 * client lends, leaves their sum in memory that the client lends, and says so through a serial door
 * that the client lends.
 */
#ifndef NOUS_SCRIBE_H
#define NOUS_SCRIBE_H

#include "interface.h"

/* Comes back. Cost: call_return of docs/benchmarks.md. */
uint32_t scribe_nothing(slot_t door);

/*
 * Adds `count` 32-bit words from the start of `numbers`, stores the sum at the start of `result`.
 * SERVICE_REVOKED: what was lent is not there, or went away; SERVICE_BAD_ARGUMENT: the words do not
 * fit into the window. Cost: 11,757 for 1,000 words, with what it says.
 */
uint32_t scribe_sum(slot_t door, uint32_t count, lend_t serial, window_t numbers, window_t result,
		    uint32_t *sum);

#include "scribe.stubs.h"

#endif
