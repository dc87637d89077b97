/* SPDX-License-Identifier: MIT */
/*
 * From scancodes to keys. What a keyboard controller hands over is scan code set 1 (IBM, "Personal
 * System/2 Hardware Interface Technical Reference: Keyboard", 1988); what a program wants is a
 * character or the name of a key. The translation has a state of one word: the keys that are held
 * down, the locks, and how much of a sequence of several bytes has come.
 *
 * The layout is that of a keyboard for the United States.
 */
#ifndef NOUS_KEYS_H
#define NOUS_KEYS_H

#include <stdint.h>

/* A key: a character, or one of these; and what was held down with it, above. 0: none. */
enum key {
	KEY_NONE,
	KEY_BACKSPACE = 8,
	KEY_TAB = 9,
	KEY_ENTER = 10,
	KEY_ESCAPE = 27,
	KEY_UP = 0x100,
	KEY_DOWN,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_HOME,
	KEY_END,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_INSERT,
	KEY_DELETE,
	KEY_F1 = 0x110, /* to F12, in a row */
	KEY_F12 = 0x11B
};
#define KEY_CODE(key) ((key)&0xFFFFu)
#define KEY_SHIFT     0x10000u
#define KEY_CONTROL   0x20000u
#define KEY_ALT       0x40000u
#define KEY_WITH(c)   ((c) - 'a' + 1) /* the character of a letter typed with Control */

/* The state. */
#define KEYS_SHIFT      3u     /* left, right */
#define KEYS_CONTROL    12u    /* left, right */
#define KEYS_ALT        48u    /* left, right */
#define KEYS_CAPS       64u    /* the lock */
#define KEYS_NUMBERS    128u   /* the other lock */
#define KEYS_LOCKS_HELD 0x300u /* the keys of both locks, which repeat, too */
#define KEYS_EXTENDED   0x400u /* E0 came */
#define KEYS_SKIP_1     0x800u /* E1 came, and two more bytes of which this is none: a counter */
#define KEYS_SKIP       0x1800u
#define KEYS_STATE_BITS 0x1FFFu

#define SCANCODE_RELEASED 0x80u
#define SCANCODE_EXTENDED 0xE0u
#define SCANCODE_PAUSE    0xE1u /* the key Pause sends E1 1D 45 E1 9D C5 */
#define SCANCODES         0x59u /* those that have a place below */
#define SCANCODE_CAPS     0x3Au
#define SCANCODE_NUMBERS  0x45u
#define SCANCODE_PAD      0x47u /* to 53: the pad of digits, Home to Del */
#define SCANCODE_PAD_END  0x53u

/* Without and with Shift. (Tables, not switches: a rollforward section has no jump table.) */
static const uint8_t keys_plain[SCANCODES] =
	"\0\33"
	"1234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 \0\0\0\0\0\0\0\0\0\0\0\0\0"
	"789-456+1230.\0\0\\\0";
static const uint8_t keys_shifted[SCANCODES] =
	"\0\33"
	"!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 \0\0\0\0\0\0\0\0\0\0\0\0\0"
	"789-456+1230.\0\0|\0";
/* Keys with no character: behind E0, and those of the pad when it has no digits. */
static const uint16_t keys_named[SCANCODES] = {
	[0x1C] = KEY_ENTER,   [0x35] = '/',           [0x47] = KEY_HOME,   [0x48] = KEY_UP,
	[0x49] = KEY_PAGE_UP, [0x4B] = KEY_LEFT,      [0x4D] = KEY_RIGHT,  [0x4F] = KEY_END,
	[0x50] = KEY_DOWN,    [0x51] = KEY_PAGE_DOWN, [0x52] = KEY_INSERT, [0x53] = KEY_DELETE,
};
/* What is held: left and, behind E0, right; but for Shift, which has two codes. */
static const uint8_t keys_held[SCANCODES] = {
	[0x2A] = 1,
	[0x36] = 2,
	[0x1D] = 4,
	[0x38] = 16,
};

#define KEYS_INLINE static inline __attribute__((always_inline))

KEYS_INLINE uint32_t keys_function(uint32_t code)
{
	if (code >= 0x3B && code <= 0x44)
		return KEY_F1 + code - 0x3B;
	return code == 0x57 || code == 0x58 ? KEY_F1 + 10 + code - 0x57 : KEY_NONE;
}

/* Locks change when their key goes down, not when it repeats. */
KEYS_INLINE uint32_t keys_lock(uint32_t state, uint32_t code, uint32_t released)
{
	uint32_t lock = code == SCANCODE_CAPS ? KEYS_CAPS : KEYS_NUMBERS, held = lock << 2;
	if (released)
		return state & ~held;
	return state & held ? state : (state ^ lock) | held;
}

/* A key that went down and is none of those that are held. */
KEYS_INLINE uint32_t keys_character(uint32_t state, uint32_t code, uint32_t extended)
{
	uint32_t key = keys_plain[code], shift = state & KEYS_SHIFT;
	if (extended)
		return keys_named[code];
	if (code >= SCANCODE_PAD && code <= SCANCODE_PAD_END) {
		_Bool is_digit = key != '-' && key != '+';
		return is_digit && !(state & KEYS_NUMBERS) ? keys_named[code] : key;
	}
	if (key >= 'a' && key <= 'z' && state & KEYS_CAPS)
		shift = !shift;
	if (shift)
		key = keys_shifted[code];
	if (state & KEYS_CONTROL && key >= '@' && key < 127)
		key &= 0x1F;
	return key ? key : keys_function(code);
}

/* The key that this byte completes, or KEY_NONE; *state becomes the next one. */
KEYS_INLINE uint32_t keys_translate(uint32_t *state, uint32_t byte)
{
	uint32_t now = *state, extended = now & KEYS_EXTENDED, code = byte & ~SCANCODE_RELEASED,
		 released = byte & SCANCODE_RELEASED, key = KEY_NONE;
	if (now & KEYS_SKIP) {
		*state = now - KEYS_SKIP_1;
		return KEY_NONE;
	}
	if (byte == SCANCODE_EXTENDED || byte == SCANCODE_PAUSE) {
		*state = now | (byte == SCANCODE_PAUSE ? 2 * KEYS_SKIP_1 : KEYS_EXTENDED);
		return KEY_NONE;
	}
	now &= ~KEYS_EXTENDED;
	if (code < SCANCODES) {
		uint32_t held = keys_held[code];
		if (extended) /* a Shift behind E0 is none: keyboards send it around some keys */
			held = held > 2 ? held << 1 : 0;
		if (held)
			now = released ? now & ~held : now | held;
		else if ((code == SCANCODE_CAPS || code == SCANCODE_NUMBERS) && !extended)
			now = keys_lock(now, code, released);
		else if (!released)
			key = keys_character(now, code, extended);
	}
	*state = now;
	if (!key)
		return KEY_NONE;
	return key | (now & KEYS_SHIFT ? KEY_SHIFT : 0) | (now & KEYS_CONTROL ? KEY_CONTROL : 0) |
	       (now & KEYS_ALT ? KEY_ALT : 0);
}

#endif
