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
#define SERIAL_MAY_READ  2u /* read, bind, acknowledge */

/* SERIAL_FLUSH: until the last bit has left. */
enum serial_operation { SERIAL_WRITE, SERIAL_READ, SERIAL_FLUSH, SERIAL_BIND, SERIAL_ACKNOWLEDGE };
#define SERIAL_NOT_ALLOWED 1u /* statuses */
#define SERIAL_NOTHING     2u
#define SERIAL_NOT_BOUND   3u /* the kernel refused; the word is its error */

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

/*
 * From now on a character that arrives sets this event bit of this thread, in place of an earlier
 * binding. `thread`: a slot below 128 with RIGHT_SIGNAL for the bit. 0; SERIAL_NOT_BOUND, with the
 * kernel's error in *error; SERIAL_NOT_ALLOWED. As with the keyboard: on a signal acknowledge, then
 * read all there is; and read once after binding.
 */
static inline uint32_t serial_bind(slot_t door, slot_t thread, uint32_t bit, uint32_t *error)
{
	return door_call_lend(door.encoded | OPTION_CAPABILITIES | OPTION_KEEP, SERIAL_BIND, bit,
			      LEND_SLOTS(thread.encoded, 0, 0, 0), 0, error);
}
/* The line interrupts again: it is masked from each signal until then. 0, SERIAL_NOT_ALLOWED. */
static inline uint32_t serial_acknowledge(slot_t door)
{
	return door_call(door.encoded, SERIAL_ACKNOWLEDGE, 0, 0, NULL);
}

/* For the root program, which makes the service: its list. */
#define SERIAL_SLOT_LINE 1u
#define SERIAL_LINE      4u

#endif
