/* SPDX-License-Identifier: MIT */
/*
 * The text screen as a teletype, until the VGA service hands it out in rectangles: lines go up,
 * nothing is kept per client. Clients that share a line synchronise among themselves.
 */
#ifndef NOUS_SCREEN_H
#define NOUS_SCREEN_H

#include "service.h"
#include "text.h"

#define SCREEN_ADDRESS 0x00800000u /* where the service finds the text memory */
#define SCREEN_FRAME   0xB8u

enum screen_operation { SCREEN_WRITE };

/* Writes the first `bytes` (at most PARAMETER_BYTES) of the data page. 0, SERVICE_BAD_ARGUMENT.
 * Cost: some 10 instructions a character, 12,000 for a line that scrolls. */
static inline uint32_t screen_write(uint32_t slot_number, const char *text, uint32_t bytes)
{
	if (bytes > PARAMETER_BYTES)
		return RETURN + SERVICE_BAD_ARGUMENT;
	memcpy(parameters(), text, bytes);
	return door_call(slot(slot_number).encoded, SCREEN_WRITE, bytes, 0, NULL);
}

#endif
