/* SPDX-License-Identifier: MIT */
/* The terminal of a process: what it writes goes to the serial line and the screen; a line that is
 * typed, on either, is edited here and comes when it is complete. */
#include "calls.h"
#include "keyboard/keyboard.h"
#include "line.h"
#include "serial/serial.h"
#include "teletype.h"

#include <signal.h>

#define CONTROL_D 4u

static void screen_write(const char *text, size_t bytes)
{
	static struct teletype screen;
	static _Bool is_begun;
	if (!is_begun)
		teletype_begin(&screen, slot(PROCESS_SCREEN)); /* no rectangle: it has no columns */
	is_begun = 1;
	screen.is_shared = 1;
	teletype_write(&screen, text, bytes);
}

void terminal_write(const char *text, size_t bytes)
{
	while (bytes) {
		uint32_t piece = bytes < PARAMETER_BYTES ? bytes : PARAMETER_BYTES;
		serial_write(slot(PROCESS_SERIAL), piece, text);
		screen_write(text, piece);
		text += piece;
		bytes -= piece;
	}
}

/* A key that is there already, from wherever; KEY_NONE. */
static uint32_t key_read(void)
{
	static struct line_escape escape;
	uint32_t key;
	if (keyboard_read(slot(PROCESS_KEYBOARD), &key) == RETURN)
		return key;
	while (serial_read(slot(PROCESS_SERIAL), &key) == RETURN) {
		key = line_decode(&escape, key);
		if (key != KEY_NONE)
			return key;
	}
	return KEY_NONE;
}

static uint32_t key_wait(void)
{
	static _Bool is_bound;
	uint32_t key, bits, error;
	if (!is_bound) {
		serial_bind(slot(PROCESS_SERIAL), slot(PROCESS_SELF), PROCESS_LINE, &error);
		keyboard_bind(slot(PROCESS_KEYBOARD), slot(PROCESS_SELF), PROCESS_KEY, &error);
	}
	is_bound = 1;
	while ((key = key_read()) == KEY_NONE) {
		if (kernel_wait(1u << PROCESS_KEY | 1u << PROCESS_LINE, DEADLINE_NEVER, &bits))
			__builtin_trap();
		serial_acknowledge(slot(PROCESS_SERIAL));
		keyboard_acknowledge(slot(PROCESS_KEYBOARD));
	}
	return key;
}

/* Until Enter: the line's text with its end, and how long it is. 0: its end was typed instead. */
static size_t line_read(char *text)
{
	static struct line line;
	for (;;) {
		uint32_t key = key_wait();
		if (key == CONTROL_D && !line.length)
			return 0;
		enum line_event event = line_key(&line, key);
		terminal_write(line.output, line.output_bytes);
		if (event == LINE_GOES_ON)
			continue;
		size_t bytes = line.length;
		memcpy(text, line.text, bytes);
		text[bytes++] = '\n';
		line_begin(&line);
		if (event == LINE_ENTERED)
			return bytes;
		raise(SIGINT);
	}
}

int terminal_read(char *text, size_t bytes)
{
	static char typed[LINE_BYTES];
	static size_t at, length;
	if (at == length && board->is_attended) {
		at = 0;
		length = line_read(typed);
	}
	if (bytes > length - at)
		bytes = length - at;
	memcpy(text, typed + at, bytes);
	at += bytes;
	return (int)bytes;
}
