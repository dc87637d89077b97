// sources: tests/host/machine/tap.c
/* SPDX-License-Identifier: MIT */
/* Scancodes to keys: the very file that the keyboard service is compiled with. */
#include <string.h>

#include "keyboard/keys.h"
#include "machine/tap.h"

#define SHIFT_LEFT  0x2Au
#define SHIFT_RIGHT 0x36u
#define CONTROL     0x1Du
#define ALT         0x38u
#define CAPS        0x3Au
#define NUMBERS     0x45u
#define UP(code)    ((code) | 0x80u)

static uint32_t state;

/* Bytes of which only the last one may complete a key. */
static uint32_t typed(const char *hexadecimal)
{
	uint32_t key = 0;
	for (const char *at = hexadecimal; *at; at += at[2] ? 3 : 2) {
		uint32_t byte = 0;
		for (int i = 0; i < 2; i++)
			byte = byte << 4 |
			       (uint32_t)(at[i] <= '9' ? at[i] - '0' : at[i] - 'A' + 10);
		CHECK_EQUAL(key, 0);
		key = keys_translate(&state, byte);
		CHECK(!(state & ~KEYS_STATE_BITS));
	}
	return key;
}
static uint32_t one(uint32_t byte)
{
	return keys_translate(&state, byte);
}

/* Rows of the keyboard as they are printed on it: first scancode, without and with Shift. */
static const struct {
	uint32_t first;
	const char *plain, *shifted;
} rows[] = {{0x02, "1234567890-=", "!@#$%^&*()_+"},
	    {0x10, "qwertyuiop[]", "QWERTYUIOP{}"},
	    {0x1E, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
	    {0x2B, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
	    {0x39, " ", " "},
	    {0x56, "\\", "|"}};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void check_rows(_Bool shift, _Bool caps)
{
	for (uint32_t row = 0; row < ROWS; row++)
		for (uint32_t i = 0; rows[row].plain[i]; i++) {
			char plain = rows[row].plain[i];
			_Bool letter = plain >= 'a' && plain <= 'z';
			_Bool upper = shift != (caps && letter);
			uint32_t wanted = (uint8_t)(upper ? rows[row].shifted[i] : plain);
			CHECK_EQUAL(KEY_CODE(one(rows[row].first + i)), wanted);
			CHECK_EQUAL(one(UP(rows[row].first + i)), 0);
		}
}

TEST(characters_are_those_printed_on_the_keys)
{
	state = 0;
	check_rows(0, 0);
	CHECK_EQUAL(state, 0);
	static const uint32_t shifts[] = {SHIFT_LEFT, SHIFT_RIGHT};
	for (uint32_t i = 0; i < 2; i++) {
		CHECK_EQUAL(one(shifts[i]), 0);
		check_rows(1, 0);
		CHECK_EQUAL(one(UP(shifts[i])), 0);
		CHECK_EQUAL(state, 0);
	}
	check_rows(0, 0);
}

TEST(caps_lock_is_for_letters_and_changes_once_a_press)
{
	state = 0;
	CHECK_EQUAL(one(CAPS), 0);
	CHECK_EQUAL(one(CAPS), 0); /* held down it repeats */
	CHECK_EQUAL(one(UP(CAPS)), 0);
	check_rows(0, 1);
	one(SHIFT_LEFT);
	check_rows(1, 1);
	one(UP(SHIFT_LEFT));
	one(CAPS);
	one(UP(CAPS));
	CHECK_EQUAL(state, 0);
	check_rows(0, 0);
}

TEST(one_shift_is_held_until_both_are_released)
{
	state = 0;
	one(SHIFT_LEFT);
	one(SHIFT_RIGHT);
	one(UP(SHIFT_LEFT));
	CHECK_EQUAL(typed("1E"), 'A' | KEY_SHIFT);
	one(UP(SHIFT_RIGHT));
	CHECK_EQUAL(typed("1E"), 'a');
}

TEST(control_makes_control_characters)
{
	for (uint32_t right = 0; right < 2; right++) {
		state = 0;
		CHECK_EQUAL(typed(right ? "E0 1D" : "1D"), 0);
		CHECK_EQUAL(typed("2E"), KEY_WITH('c') | KEY_CONTROL);
		CHECK_EQUAL(typed("1E"), 1 | KEY_CONTROL);
		CHECK_EQUAL(typed("2C"), 26 | KEY_CONTROL);
		CHECK_EQUAL(typed("1A"), KEY_ESCAPE | KEY_CONTROL);
		CHECK_EQUAL(typed("02"), '1' | KEY_CONTROL);
		CHECK_EQUAL(typed(right ? "E0 9D" : "9D"), 0);
		CHECK_EQUAL(typed("2E"), 'c');
		CHECK_EQUAL(state, 0);
	}
}

TEST(alt_is_told_and_changes_no_character)
{
	for (uint32_t right = 0; right < 2; right++) {
		state = 0;
		typed(right ? "E0 38" : "38");
		CHECK_EQUAL(typed("1E"), 'a' | KEY_ALT);
		typed(right ? "E0 B8" : "B8");
		CHECK_EQUAL(typed("1E"), 'a');
	}
}

TEST(named_keys_come_with_and_without_prefix)
{
	static const struct {
		const char *bytes;
		uint32_t key;
	} keys[] = {{"E0 48", KEY_UP},
		    {"E0 50", KEY_DOWN},
		    {"E0 4B", KEY_LEFT},
		    {"E0 4D", KEY_RIGHT},
		    {"E0 47", KEY_HOME},
		    {"E0 4F", KEY_END},
		    {"E0 49", KEY_PAGE_UP},
		    {"E0 51", KEY_PAGE_DOWN},
		    {"E0 52", KEY_INSERT},
		    {"E0 53", KEY_DELETE},
		    {"E0 1C", KEY_ENTER},
		    {"E0 35", '/'},
		    {"1C", KEY_ENTER},
		    {"0E", KEY_BACKSPACE},
		    {"0F", KEY_TAB},
		    {"01", KEY_ESCAPE},
		    {"3B", KEY_F1},
		    {"44", KEY_F1 + 9},
		    {"57", KEY_F1 + 10},
		    {"58", KEY_F12},
		    {"48", KEY_UP},
		    {"53", KEY_DELETE},
		    {"37", '*'},
		    {"4A", '-'},
		    {"4E", '+'},
		    {"E0 AA", 0},
		    {"E0 2A", 0},
		    {"E0 37", 0},
		    {"E0 C8", 0},
		    {"4C", 0}};
	for (uint32_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		state = 0;
		CHECK_EQUAL(typed(keys[i].bytes), keys[i].key);
		CHECK_EQUAL(state, 0);
	}
}

TEST(shift_behind_the_prefix_is_none)
{
	state = 0; /* Left with a Shift held: E0 AA E0 4B ... E0 CB E0 2A */
	one(SHIFT_LEFT);
	CHECK_EQUAL(typed("E0 AA E0 4B"), KEY_LEFT | KEY_SHIFT);
	CHECK_EQUAL(typed("E0 CB E0 2A"), 0);
	CHECK_EQUAL(typed("1E"), 'A' | KEY_SHIFT);
	state = 0;
	CHECK_EQUAL(typed("E0 2A E0 4B"), KEY_LEFT);
	CHECK_EQUAL(typed("1E"), 'a');
}

TEST(pad_has_digits_when_its_lock_is_on)
{
	state = 0;
	one(NUMBERS);
	one(NUMBERS);
	one(UP(NUMBERS));
	static const char digits[] = "789-456+1230.";
	for (uint32_t i = 0; digits[i]; i++)
		CHECK_EQUAL(one(0x47 + i), (uint8_t)digits[i]);
	CHECK_EQUAL(typed("E0 48"), KEY_UP);
	one(NUMBERS);
	one(UP(NUMBERS));
	CHECK_EQUAL(one(0x48), KEY_UP);
}

TEST(pause_is_one_key_that_is_none)
{
	state = 0;
	CHECK_EQUAL(typed("E1 1D 45 E1 9D C5"), 0);
	CHECK_EQUAL(state, 0);
	CHECK_EQUAL(typed("1E"), 'a');
}

TEST(answers_of_the_keyboard_itself_are_no_keys)
{
	state = 0;
	CHECK_EQUAL(typed("FA FE EE AA 00 FF FC FD"), 0);
	CHECK_EQUAL(state, 0);
}

/* After any bytes at all, releasing everything brings the state of the beginning, but for locks. */
TEST(no_byte_leads_astray)
{
	state = 0;
	for (uint32_t i = 0; i < 1000000; i++) {
		uint32_t key = one(random_below(256));
		CHECK(!(state & ~KEYS_STATE_BITS));
		CHECK(KEY_CODE(key) <= KEY_F12);
	}
	while (state & (KEYS_SKIP | KEYS_EXTENDED))
		one(UP(0x1E));
	typed("AA B6 9D B8 E0 9D E0 B8 BA C5");
	CHECK_EQUAL(state & ~(KEYS_CAPS | KEYS_NUMBERS), 0);
}
