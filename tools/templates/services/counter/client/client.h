/* SPDX-License-Identifier: MIT */
/* The demonstration's client: what the root program starts it with, and what it finds. */
#ifndef NOUS_COUNTER_CLIENT_H
#define NOUS_COUNTER_CLIENT_H

enum counter_client_task { COUNTER_CLIENT_ADDS, COUNTER_CLIENT_LENDS };
enum counter_client_slot {
	COUNTER_CLIENT_CONSOLE = 1,
	COUNTER_CLIENT_SCREEN,
	COUNTER_CLIENT_SERVICE
};
#define COUNTER_CLIENT_NUMBERS 0x00800000u /* a page of memory that it lends */
#define COUNTER_CLIENT_COUNT   1024u       /* of the words in it */

#endif
