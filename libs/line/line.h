/* SPDX-License-Identifier: MIT */
/*
 * A line that is edited: characters are inserted and deleted wherever the cursor is, and earlier
 * lines come back. The editor draws nothing itself: for each key it says which text brings the
 * display up to date. That text consists of printable characters, '\b' and '\n' alone, so a
 * teletype on the screen and any terminal on a serial line understand it. The line, and the prompt
 * before it, must fit into one row.
 *
 * Keys are those of keyboard/keys.h. What a terminal sends instead, line_decode makes keys of.
 */
#ifndef NOUS_LINE_H
#define NOUS_LINE_H

#include <stddef.h>
#include <stdint.h>

#define LINE_BYTES   72u /* with the 0 at its end */
#define LINE_HISTORY 16u
#define LINE_OUTPUT  (4 * LINE_BYTES)

/*
 * Invariants: cursor <= length < LINE_BYTES; text[length] is 0; shown <= count <= LINE_HISTORY.
 * All zero is an empty line without history.
 */
struct line {
	char text[LINE_BYTES];
	uint32_t length, cursor;
	char history[LINE_HISTORY][LINE_BYTES]; /* the oldest first */
	uint32_t count;
	uint32_t age;          /* which one is shown: 1 the youngest, 0 none of them */
	char kept[LINE_BYTES]; /* what was typed before an older one was shown */
	char output[LINE_OUTPUT];
	uint32_t output_bytes; /* of the last key */
};

enum line_event {
	LINE_GOES_ON,
	LINE_ENTERED,  /* `text` is it; it is in the history if it is not empty nor the last one */
	LINE_CANCELLED /* Control C */
};

/* Arrows, Home, End, Delete, Backspace, Enter, and their like of other editors: Control A, E, B, F,
 * P, N, D, U (to the beginning), K (to the end), W (a word). Other keys change nothing. */
enum line_event line_key(struct line *line, uint32_t key);

/* After LINE_ENTERED and LINE_CANCELLED: an empty line. */
void line_begin(struct line *line);

/* What of a terminal's sequence for a key has come (ECMA-48, "Control functions", 1991; DEC VT220
 * Programmer Reference, "Keyboard codes"). All zero: none. */
struct line_escape {
	uint8_t state, parameter, after_return;
};

/* The key that this character completes, or KEY_NONE. '\r', '\n' and "\r\n" are one Enter each. */
uint32_t line_decode(struct line_escape *escape, uint8_t character);

#endif
