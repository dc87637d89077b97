/* SPDX-License-Identifier: MIT */
/*
 * The keyboard: a PS/2 keyboard controller (8042) and its interrupt line. The service keeps one
 * word, what is held down, which is the device's state and not a client's; and the byte that was
 * taken from the controller and not yet understood. Each byte counts exactly once, whatever happens
 * to the thread that reads it: if that is killed, the next reader goes on with the byte.
 *
 * Keys go to whoever asks first: several readers share them as they like. A reader waits by
 * binding the line to an event bit of its thread:
 *
 *     keyboard_bind(door, own_thread, BIT);
 *     for (;;) {
 *             kernel_wait(1u << BIT, DEADLINE_NEVER, &bits);
 *             keyboard_acknowledge(door);                      first this, then all keys: what
 * comes while (keyboard_read(door, &key) == RETURN)      later is another signal
 *                     ...
 *     }
 *
 * How it works: docs/keyboard.md. All stubs return RETURN + a status, or an error of the kernel.
 */
#ifndef NOUS_KEYBOARD_H
#define NOUS_KEYBOARD_H

#include "interface.h"
#include "keys.h"

/* What a door's badge allows. */
#define KEYBOARD_MAY_READ  1u /* read, bind, acknowledge */
#define KEYBOARD_MAY_RESET 2u

enum keyboard_status {
	KEYBOARD_OK,
	KEYBOARD_NOT_ALLOWED, /* the badge lacks a right */
	KEYBOARD_NOTHING,     /* the controller has no byte */
	KEYBOARD_NO_KEY,      /* a byte that completes no key: a release, a Shift, a prefix */
	KEYBOARD_NOT_BOUND,   /* the kernel refused; the answer is its error */
	KEYBOARD_NO_RESET     /* the controller did not do it */
};

/* A byte from the controller: a key (keys.h) in *key; KEYBOARD_NO_KEY, KEYBOARD_NOTHING,
 * KEYBOARD_NOT_ALLOWED. Cost: keyboard_read of docs/benchmarks.md, and two accesses to ports. */
uint32_t keyboard_read_byte(slot_t door, uint32_t *key);

/*
 * Interrupts of the keyboard set this event bit of this thread, in place of an earlier binding; the
 * line is unmasked. `thread`: with RIGHT_SIGNAL for the bit. Bytes that came before may give no
 * signal: read once after binding. KEYBOARD_NOT_BOUND, with the kernel's error in *error;
 * KEYBOARD_NOT_ALLOWED. Cost: two kernel operations.
 */
uint32_t keyboard_bind(slot_t door, keep_t thread, uint32_t bit, uint32_t *error);

/* The line interrupts again: it is masked from each signal until then. KEYBOARD_NOT_ALLOWED.
 * Cost: one kernel operation. */
uint32_t keyboard_acknowledge(slot_t door);

/* The whole machine begins anew: the controller has that line, too. Does not come back but with
 * KEYBOARD_NO_RESET or KEYBOARD_NOT_ALLOWED. Cost: up to 200,000 accesses to ports. */
uint32_t keyboard_reset_machine(slot_t door);

#include "keyboard.stubs.h"

/* As keyboard_read_byte until there is a key or no byte. */
static inline uint32_t keyboard_read(slot_t door, uint32_t *key)
{
	uint32_t result;
	do
		result = keyboard_read_byte(door, key);
	while (result == RETURN + KEYBOARD_NO_KEY);
	return result;
}

/* ---- for the root program, which makes the service and runs its main once ----------------------
 */
#define KEYBOARD_LINE      1u
#define KEYBOARD_DATA      0x60u
#define KEYBOARD_STATUS    0x64u /* read; written, it takes commands */
#define KEYBOARD_SLOT_LINE 1u    /* of its list */

#endif
