/* SPDX-License-Identifier: MIT */
/*
 * The console: a small shell on the screen and the serial line alike. It has no right to change
 * anything but its part of the screen: it reads what domains and threads there are, and asks the
 * program that started it, which is its dispatcher, for what takes more (CONSOLE_REQUEST).
 */
#ifndef NOUS_CONSOLE_H
#define NOUS_CONSOLE_H

#include <stdint.h>

/* What it finds in its list. Empty: it does without. */
enum console_slot {
	CONSOLE_SERIAL = 1,
	CONSOLE_KEYBOARD, /* read and reset */
	CONSOLE_PCI,      /* all functions, to read */
	CONSOLE_SELF,     /* its thread, to be signalled the bits below */
	CONSOLE_STARTER,  /* its dispatcher's thread, to be signalled requests */
	CONSOLE_SCREEN_0, /* a rectangle; the board says which of the two */
	CONSOLE_SCREEN_1,
	CONSOLE_MEMORY, /* an extent of all frames from 0 on, to look: MEMORY_ANY and nothing else
			 */
	CONSOLE_AUTHORITY,    /* to read accounts */
	CONSOLE_DOMAINS = 16, /* by number on the board, to read */
	CONSOLE_THREADS = 64
};
#define CONSOLE_DOMAINS_MAX 48u
#define CONSOLE_THREADS_MAX 64u

/* Events of its thread. */
#define CONSOLE_KEY  0u
#define CONSOLE_LINE 1u
#define CONSOLE_DONE 2u /* the request is done */
#define CONSOLE_TICK 3u /* one more second has passed, between CONSOLE_TICKS and _TICKS_END */

/* Requests: event bits of its dispatcher. One at a time. */
enum console_request {
	CONSOLE_BENCH = 8,
	CONSOLE_ATTACK,
	CONSOLE_WINDOWS,
	CONSOLE_TICKS,
	CONSOLE_TICKS_END,
	CONSOLE_POWEROFF,
	CONSOLE_SCHEDULE
};
#define CONSOLE_REQUESTS 0x7F00u

/* What its dispatcher tells it, in a page that it can only read and that does not change while it
 * runs. */
#define CONSOLE_BOARD 0x00800000u
struct console_object {
	char name[12]; /* empty: none */
	uint32_t index;
};
struct console_holder {
	char name[12];        /* empty: none */
	uint32_t limit, used; /* frames */
};
#define CONSOLE_HOLDERS_MAX 5u
struct console_board {
	uint32_t screen; /* CONSOLE_SCREEN_0 or _1; 0: there is none */
	uint32_t cycles_per_ms;
	uint32_t frames;      /* so many has CONSOLE_MEMORY */
	uint32_t frames_free; /* that no holder has: root's allocator and its own */
	uint32_t is_alone;    /* nobody is there to type: it says so and asks for the end */
	struct console_holder holder[CONSOLE_HOLDERS_MAX];
	struct console_object domain[CONSOLE_DOMAINS_MAX], thread[CONSOLE_THREADS_MAX];
};

#endif
