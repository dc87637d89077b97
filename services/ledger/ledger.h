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

#include "kernel.h"

#define LEDGER_CLIENTS 16u
#define LEDGER_OWNER   LEDGER_CLIENTS
#define LEDGER_SUBPOOL 4u
#define LEDGER_UNITS   512u /* of work, at the most, of one request */

enum ledger_operation {
	LEDGER_WORK, /* units: done when it comes back; the word is LEDGER_WORD */
	LEDGER_POST, /* units: queued, and the server's thread woken; LEDGER_FULL */
	LEDGER_DONE, /* the word: how many of this client's requests were served */
	/* the owner's */
	LEDGER_RESET, /* low, length: the queue is emptied, nobody may be inside; what the server's
			 thread does in that time is noted, `low` is the time's lower word */
	LEDGER_NOTED, /* i, which word of struct ledger_note; LEDGER_FULL: there is none */
	LEDGER_COST   /* the word: cycles that a section took which nobody disturbed */
};
enum ledger_status { LEDGER_OK, LEDGER_FULL, LEDGER_NOT_ALLOWED };

/* A request that the server's thread has served; times are behind `low`. */
struct ledger_note {
	uint32_t client, begin, end;
};
#define LEDGER_NOTES 512u

/* What a call met: how often its section began, and whether a thread that was stopped inside had
 * left a committed log, which it stored. */
#define LEDGER_WORD(tries, left) ((tries) | (uint32_t)(left) << 16)
#define LEDGER_TRIES(word)       ((word)&0xFFFFu)
#define LEDGER_LEFT(word)        ((word) >> 16)

/* Its list: the server's thread (RIGHT_SIGNAL), and the threads of those clients that wait. */
enum ledger_slot { LEDGER_SERVER = 1, LEDGER_WAITERS = 16 };
#define LEDGER_SERVED 20u /* the event bit that tells a client */

#endif
