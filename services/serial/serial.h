/* SPDX-License-Identifier: MIT */
/*
 * The serial port, COM1: 115200 baud, 8N1. No memory per client, no queue: a call writes with the
 * client's time. Clients that share a line of text synchronise among themselves.
 */
#ifndef NOUS_SERIAL_H
#define NOUS_SERIAL_H

#include "interface.h"

/* What a door's badge allows. */
#define SERIAL_MAY_WRITE 1u /* write, flush */
#define SERIAL_MAY_READ  2u /* read, bind, acknowledge */

enum serial_status {
	SERIAL_OK,
	SERIAL_NOT_ALLOWED, /* the badge lacks a right */
	SERIAL_NOTHING,     /* no character has arrived */
	SERIAL_NOT_BOUND    /* the kernel refused; the answer is its error */
};

/* Writes the text. SERIAL_NOT_ALLOWED. Cost: the line's time. */
uint32_t serial_write(slot_t door, uint32_t bytes, const char text[bytes]);

/* A character that has arrived. SERIAL_NOTHING, SERIAL_NOT_ALLOWED. Cost: two accesses to ports. */
uint32_t serial_read(slot_t door, uint32_t *character);

/* Comes back when the last bit has left. SERIAL_NOT_ALLOWED. Cost: the line's time. */
uint32_t serial_flush(slot_t door);

/*
 * From now on a character that arrives sets this event bit of this thread, in place of an earlier
 * binding. `thread`: with RIGHT_SIGNAL for the bit. SERIAL_NOT_BOUND, with the kernel's error in
 * *error; SERIAL_NOT_ALLOWED. As with the keyboard: on a signal acknowledge, then read all there
 * is; and read once after binding. Cost: two kernel operations.
 */
uint32_t serial_bind(slot_t door, keep_t thread, uint32_t bit, uint32_t *error);

/* The line interrupts again: it is masked from each signal until then. SERIAL_NOT_ALLOWED.
 * Cost: one kernel operation. */
uint32_t serial_acknowledge(slot_t door);

#include "serial.stubs.h"

/* For the root program, which makes the service: its list. */
#define SERIAL_SLOT_LINE 1u
#define SERIAL_LINE      4u

#endif
