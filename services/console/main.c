/* SPDX-License-Identifier: MIT */
/*
 * The console: see console.h. Its thread waits for the keyboard and the serial line, and that is
 * all it does while nothing happens: no instruction is executed.
 */
#include "commands.h"
#include "console.h"
#include "keyboard/keyboard.h"
#include "line.h"
#include "serial/serial.h"

#define PROMPT "nous> "

static const struct console_board *const board = (const struct console_board *)CONSOLE_BOARD;
static struct line line;
static struct line_escape escape;

static void wait_for(uint32_t mask, uint32_t *bits)
{
	if (kernel_wait(mask, DEADLINE_NEVER, bits))
		__builtin_trap();
}

void request(unsigned bit)
{
	uint32_t bits;
	kernel_signal(slot(CONSOLE_STARTER), 1u << bit);
	do /* a tick that comes now is one that nobody waits for any more */
		wait_for(1u << CONSOLE_DONE | 1u << CONSOLE_TICK, &bits);
	while (!(bits & 1u << CONSOLE_DONE));
	screen_slot = board->screen; /* it may be another one */
}

static void key_take(uint32_t key)
{
	enum line_event event = line_key(&line, key);
	for (uint32_t at = 0, piece; at < line.output_bytes; at += piece) {
		char text[128];
		piece = line.output_bytes - at < sizeof(text) ? line.output_bytes - at
							      : sizeof(text) - 1;
		memcpy(text, line.output + at, piece);
		text[piece] = 0;
		print("%s", text);
	}
	if (event == LINE_GOES_ON)
		return;
	if (event == LINE_ENTERED)
		command_run(line.text);
	line_begin(&line);
	print(PROMPT);
}

/* All that has come: a signal is given for what comes after the line was acknowledged. */
static void keys_read(void)
{
	uint32_t key;
	while (keyboard_read(slot(CONSOLE_KEYBOARD), &key) == RETURN)
		key_take(key);
}
static void characters_read(void)
{
	uint32_t character;
	while (serial_read(slot(CONSOLE_SERIAL), &character) == RETURN) {
		uint32_t key = line_decode(&escape, character);
		if (key)
			key_take(key);
	}
}

/* A key that is let go is an event, too, but nothing that could be read. */
static _Bool input_drop(void)
{
	uint32_t key;
	_Bool some = 0;
	keyboard_acknowledge(slot(CONSOLE_KEYBOARD));
	while (keyboard_read(slot(CONSOLE_KEYBOARD), &key) == RETURN)
		some = 1;
	serial_acknowledge(slot(CONSOLE_SERIAL));
	while (serial_read(slot(CONSOLE_SERIAL), &key) == RETURN)
		some |= line_decode(&escape, key) != KEY_NONE;
	return some;
}

_Bool wait_for_key(uint32_t mask)
{
	uint32_t bits;
	do { /* looked at first: what came before may have been told already */
		if (input_drop())
			return 1;
		wait_for(1u << CONSOLE_KEY | 1u << CONSOLE_LINE | mask, &bits);
	} while (!(bits & mask));
	return 0;
}

static void bind(const char *what, uint32_t result)
{
	if (result != RETURN)
		print("console: no input from the %s\n", what);
}

int main(void)
{
	uint32_t bits, error;
	console_slot = CONSOLE_SERIAL;
	screen_slot = board->screen;
	if (board->is_alone) {
		print("console: nobody is there to type, so this is the end\n");
		request(CONSOLE_POWEROFF);
	}
	bind("keyboard",
	     keyboard_bind(slot(CONSOLE_KEYBOARD), slot(CONSOLE_SELF), CONSOLE_KEY, &error));
	bind("serial line",
	     serial_bind(slot(CONSOLE_SERIAL), slot(CONSOLE_SELF), CONSOLE_LINE, &error));
	print("This is the console; help says what it can do.\n" PROMPT);
	for (bits = ~0u;;) {
		if (bits & 1u << CONSOLE_KEY) {
			keyboard_acknowledge(slot(CONSOLE_KEYBOARD));
			keys_read();
		}
		if (bits & 1u << CONSOLE_LINE) {
			serial_acknowledge(slot(CONSOLE_SERIAL));
			characters_read();
		}
		wait_for(1u << CONSOLE_KEY | 1u << CONSOLE_LINE, &bits);
	}
}
