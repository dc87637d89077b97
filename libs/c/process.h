/* SPDX-License-Identifier: MIT */
/*
 * A process: an ordinary C program with its C library, as a client. What it finds when it begins,
 * and what its starter (services/loader) gives it.
 */
#ifndef NOUS_PROCESS_H
#define NOUS_PROCESS_H

#include "kernel.h"

/* Its list. Empty: it does without. SLOT_FAULT_DOOR is there, too. */
enum process_slot {
	PROCESS_SERIAL = 1, /* writes and reads */
	PROCESS_SCREEN,     /* a rectangle, shared with others */
	PROCESS_KEYBOARD,
	PROCESS_SELF,    /* its thread: to be signalled input, to read its time */
	PROCESS_STARTER, /* its dispatcher's thread, to be signalled its end */
	PROCESS_EXTENT   /* the frames that it stands in, of which its heap is made */
};

/* Events of its thread. */
#define PROCESS_KEY  0u
#define PROCESS_LINE 1u

/* Events of its starter: the process has ended, with this exit status. */
#define PROCESS_ENDED(status) (0x10000u | ((status)&0xFFu) << 8)
#define PROCESS_END_BITS      PROCESS_ENDED(0xFFu)
#define PROCESS_STATUS(bits)  ((bits) >> 8 & 0xFFu)

/* Where things are. Its image, from IMAGE_BASE on, begins with its stack (process.ld): below that
 * nothing is ever mapped, so an overflow faults. */
#define PROCESS_BOARD 0x08000000u /* what its starter tells it */
#define PROCESS_FILES 0x08001000u /* what it can open, a file from each page on */
#define PROCESS_HEAP  0x10000000u

struct process_file {
	char name[24];
	uint32_t address, bytes;
};
#define PROCESS_FILES_MAX 24u
struct process_board {
	uint32_t cycles_per_ms;
	uint32_t is_attended; /* 0: nobody types, its input is empty */
	uint32_t argument_count;
	char arguments[512]; /* one behind the other, each with its 0 */
	uint32_t file_count;
	struct process_file file[PROCESS_FILES_MAX];
};
_Static_assert(sizeof(struct process_board) <= PAGE_BYTES, "the board is one page");

#endif
