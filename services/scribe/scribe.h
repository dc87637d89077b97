/* SPDX-License-Identifier: MIT */
/*
 * The scribe, a service for the demonstration. It owns nothing: it reads numbers in memory that the
 * client lends (window 0), leaves their sum in memory that the client lends (window 1), and says
 * so through a serial door that the client lends (lent slot 0).
 */
#ifndef NOUS_SCRIBE_H
#define NOUS_SCRIBE_H

#include "service.h"

enum scribe_operation { SCRIBE_NOTHING, SCRIBE_SUM };

/*
 * SCRIBE_SUM: adds `count` 32-bit words from the start of window 0, stores the sum at the start of
 * window 1. The sum, and 0; SERVICE_REVOKED if what was lent is not there or went away;
 * SERVICE_BAD_ARGUMENT if the words do not fit into the window. `slots`, `windows`: LEND_SLOTS,
 * LEND_WINDOWS of kernel.h.
 */
static inline uint32_t scribe_sum(slot_t door, uint32_t count, uint32_t slots, uint32_t windows,
				  uint32_t *sum)
{
	return door_call_lend(door.encoded | OPTION_CAPABILITIES | OPTION_WINDOWS, SCRIBE_SUM,
			      count, slots, windows, sum);
}

#endif
