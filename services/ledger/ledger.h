/* SPDX-License-Identifier: MIT */
/*
 * A service of the experiment `isolation` that does the same work in two designs: on its client's
 * thread, or on a thread of its own that serves a queue, first come first served. Each client has
 * its own part of the queue, LEDGER_SUBPOOL entries, so that nobody can fill it up for others.
 *
 * A door's badge is the client's number, 0 to LEDGER_CLIENTS - 1, or LEDGER_OWNER.
 */
#ifndef NOUS_LEDGER_H
#define NOUS_LEDGER_H

#include "interface.h"

#define LEDGER_CLIENTS 16u
#define LEDGER_OWNER   LEDGER_CLIENTS
#define LEDGER_SUBPOOL 4u
#define LEDGER_UNITS   512u /* of work, at the most, of one request */

enum ledger_status {
	LEDGER_OK,
	LEDGER_FULL, /* this client's part of the queue is full; there is no such note */
	LEDGER_NOT_ALLOWED
};

/* A request that the server's thread has served; times are behind the `low` of ledger_reset. */
struct ledger_note {
	uint32_t client, begin, end;
};
#define LEDGER_NOTES 512u

/*
 * Work, done when it comes back. *tries: how often its section began; *left: whether a thread that
 * was stopped inside had left a committed log, which it stored. Cost: what the units take, and a
 * section of eight words.
 */
uint32_t ledger_work(slot_t door, uint32_t units, uint16_t *left, uint16_t *tries);

/* Work, queued, and the server's thread woken. LEDGER_FULL. Cost: a section of four words, and one
 * kernel operation. */
uint32_t ledger_post(slot_t door, uint32_t units);

/* How many of this client's requests were served. Cost: that of a call. */
uint32_t ledger_served(slot_t door, uint32_t *count);

/* The owner's: the queue is emptied, nobody may be inside; what the server's thread does in that
 * time is noted, `low` is the time's lower word. LEDGER_NOT_ALLOWED. Cost: that of a call, and 16
 * counters. */
uint32_t ledger_reset(slot_t door, uint32_t low, uint32_t length);

/* The owner's: the note of that number. LEDGER_FULL, LEDGER_NOT_ALLOWED. Cost: that of a call. */
uint32_t ledger_noted(slot_t door, uint32_t number, struct ledger_note *note);

/* Cycles that a section took which nobody disturbed. Cost: one section. */
uint32_t ledger_cost(slot_t door, uint32_t *cost);

#include "ledger.stubs.h"

/* Its list: the server's thread (RIGHT_SIGNAL), and the threads of those clients that wait. */
enum ledger_slot { LEDGER_SERVER = 1, LEDGER_WAITERS = 16 };
#define LEDGER_SERVED 20u /* the event bit that tells a client */

#endif
