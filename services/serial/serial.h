/* SPDX-License-Identifier: MIT */
/*
 * The serial port, COM1: 115200 baud, 8N1. No memory per client, no queue: a call writes with the
 * client's time. Clients that share a line of text synchronise among themselves.
 */
#ifndef NOUS_SERIAL_H
#define NOUS_SERIAL_H

#include "service.h"
#include "text.h"

/* What a door's badge allows. */
#define SERIAL_MAY_WRITE 1u
#define SERIAL_MAY_READ  2u

/* SERIAL_FLUSH: until the last bit has left. */
enum serial_operation { SERIAL_WRITE, SERIAL_READ, SERIAL_FLUSH };
#define SERIAL_NOT_ALLOWED 1u /* statuses */
#define SERIAL_NOTHING     2u

/*
 * Writes the first `bytes` (at most PARAMETER_BYTES) of the data page. 0, SERIAL_NOT_ALLOWED,
 * SERVICE_BAD_ARGUMENT. Cost: some 10 instructions a byte, and the line's time. `slot`: the door.
 * The caller must not stand on its data page.
 */
static inline uint32_t serial_write(uint32_t slot_number, const char *text, uint32_t bytes)
{
	if (bytes > PARAMETER_BYTES)
		return RETURN + SERVICE_BAD_ARGUMENT;
	memcpy(parameters(), text, bytes);
	return door_call(slot(slot_number).encoded, SERIAL_WRITE, bytes, 0, NULL);
}

/* A character that has arrived, in *character. 0, SERIAL_NOTHING, SERIAL_NOT_ALLOWED. */
static inline uint32_t serial_read(uint32_t slot_number, uint32_t *character)
{
	return door_call(slot(slot_number).encoded, SERIAL_READ, 0, 0, character);
}

#endif
