// sources: tests/host/machine/tap.c libs/line/line.c
/* SPDX-License-Identifier: MIT */
/* The line editor before a terminal of one row, which shows what the editor's output makes of it.
 */
#include <string.h>

#include "keyboard/keys.h"
#include "line.h"
#include "machine/tap.h"

static struct line line;
static char row[LINE_BYTES + 2];
static uint32_t column, rows;

static void show(char c)
{
	if (c == '\n') {
		memset(row, ' ', sizeof(row));
		column = 0;
		rows++;
		return;
	}
	if (c == '\b') {
		CHECK(column > 0);
		column--;
		return;
	}
	CHECK(c >= ' ' && c < 127);
	CHECK(column < sizeof(row));
	row[column++] = c;
}
static enum line_event press(uint32_t key)
{
	enum line_event event = line_key(&line, key);
	CHECK(line.output_bytes <= LINE_OUTPUT);
	for (uint32_t i = 0; i < line.output_bytes; i++)
		show(line.output[i]);
	return event;
}
/* What is shown is the line, and nothing else; and the cursor is where it is. */
static void check_shown(void)
{
	CHECK_EQUAL(column, line.cursor);
	CHECK(line.cursor <= line.length && line.length < LINE_BYTES && !line.text[line.length]);
	CHECK_EQUAL(strlen(line.text), line.length);
	for (uint32_t i = 0; i < sizeof(row); i++)
		CHECK_EQUAL(row[i], i < line.length ? line.text[i] : ' ');
}
static void begin(void)
{
	memset(&line, 0, sizeof(line));
	show('\n');
}
/* Keys by name: < left, > right, ^ up, v down, { home, } end, # backspace, * delete, | enter. */
static enum line_event type(const char *keys)
{
	static const char names[] = "<>^v{}#*|";
	static const uint16_t named[] = {KEY_LEFT, KEY_RIGHT,     KEY_UP,     KEY_DOWN, KEY_HOME,
					 KEY_END,  KEY_BACKSPACE, KEY_DELETE, KEY_ENTER};
	enum line_event event = LINE_GOES_ON;
	for (; *keys; keys++) {
		const char *name = strchr(names, *keys);
		CHECK_EQUAL(event, LINE_GOES_ON);
		event = press(name ? named[name - names] : (uint8_t)*keys);
		if (event == LINE_GOES_ON)
			check_shown();
	}
	return event;
}
static void check_line(const char *keys, const char *wanted, uint32_t cursor)
{
	begin();
	CHECK_EQUAL(type(keys), LINE_GOES_ON);
	if (strcmp(line.text, wanted) != 0)
		test_note("%s gives %s", keys, line.text);
	CHECK(!strcmp(line.text, wanted));
	CHECK_EQUAL(line.cursor, cursor);
}
static void enter(const char *keys)
{
	line_begin(&line);
	CHECK_EQUAL(type(keys), LINE_ENTERED);
}

TEST(characters_go_where_the_cursor_is)
{
	check_line("help", "help", 4);
	check_line("hlp<<e", "help", 2);
	check_line("elp{h", "help", 1);
	check_line("elp{h}!", "help!", 5);
	check_line("ab<<<<c>>>d", "cabd", 4);
	check_line("", "", 0);
}

TEST(backspace_and_delete_take_one_each)
{
	check_line("helpp#", "help", 4);
	check_line("heelp<<<#", "help", 1);
	check_line("heelp<<<*", "help", 2);
	check_line("a##b", "b", 1);
	check_line("ab*", "ab", 2);
	check_line("ab{#", "ab", 0);
	check_line("ab{**", "", 0);
	check_line("ab{\4c", "cb", 1);
}

TEST(control_keys_do_what_named_keys_do_and_more)
{
	check_line("bc\1a", "abc", 1);
	check_line("ab\1\5c", "abc", 3);
	check_line("ac\2b", "abc", 2);
	check_line("ab\1\6c", "acb", 2);
	check_line("caps root<<\25", "ot", 0);
	check_line("caps root<<\13", "caps ro", 7);
	check_line("caps root\27", "caps ", 5);
	check_line("caps  root  \27", "caps  ", 6);
	check_line("caps root\27\27", "", 0);
	check_line("caps\27\27", "", 0);
}

TEST(a_line_ends_where_the_row_does)
{
	begin();
	for (uint32_t i = 0; i < 3 * LINE_BYTES; i++) {
		press('a' + i % 26);
		check_shown();
	}
	CHECK_EQUAL(line.length, LINE_BYTES - 1);
	press(KEY_HOME);
	press('!');
	check_shown();
	CHECK(line.text[0] == 'a');
	press(KEY_DELETE);
	press('!');
	check_shown();
	CHECK(line.text[0] == '!');
}

TEST(keys_without_meaning_change_nothing)
{
	check_line("ab<", "ab", 1);
	static const uint32_t keys[] = {KEY_NONE, KEY_TAB,       KEY_ESCAPE, KEY_F1,
					KEY_F12,  KEY_INSERT,    127,        KEY_PAGE_DOWN,
					0xE4,     KEY_WITH('z'), KEY_DOWN,   KEY_UP};
	for (uint32_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		CHECK_EQUAL(press(keys[i]), LINE_GOES_ON);
		CHECK_EQUAL(line.output_bytes, 0);
		CHECK(!strcmp(line.text, "ab") && line.cursor == 1);
	}
	CHECK_EQUAL(press('x' | KEY_SHIFT | KEY_ALT), LINE_GOES_ON); /* what is held is not asked */
	CHECK(!strcmp(line.text, "axb"));
}

TEST(enter_and_control_c_end_a_line)
{
	begin();
	uint32_t before = rows;
	CHECK_EQUAL(type("help<<|"), LINE_ENTERED);
	CHECK(!strcmp(line.text, "help"));
	CHECK_EQUAL(rows, before + 1);
	line_begin(&line);
	CHECK_EQUAL(line.length, 0);
	CHECK_EQUAL(type("attack<<\3"), LINE_CANCELLED);
	CHECK_EQUAL(rows, before + 2);
	line_begin(&line);
	CHECK_EQUAL(type("^"), LINE_GOES_ON);
	CHECK(!strcmp(line.text, "help")); /* what was cancelled is in no history */
}

TEST(history_goes_back_and_forth)
{
	begin();
	enter("one|");
	enter("two|");
	enter("three|");
	line_begin(&line);
	type("now^");
	CHECK(!strcmp(line.text, "three") && line.cursor == 5);
	type("^^");
	CHECK(!strcmp(line.text, "one"));
	type("^^^"); /* there is no older one */
	CHECK(!strcmp(line.text, "one"));
	type("v");
	CHECK(!strcmp(line.text, "two"));
	type("vv");
	CHECK(!strcmp(line.text, "now"));
	type("v");
	CHECK(!strcmp(line.text, "now"));
}

TEST(history_holds_no_empty_line_and_none_twice_in_a_row)
{
	begin();
	enter("one|");
	enter("|");
	enter("one|");
	enter("two|");
	enter("one|");
	CHECK_EQUAL(line.count, 3);
}

TEST(history_forgets_the_oldest)
{
	begin();
	for (uint32_t i = 0; i < LINE_HISTORY + 3; i++) {
		char text[3] = {(char)('a' + i), '|', 0};
		enter(text);
	}
	line_begin(&line);
	for (uint32_t i = 0; i < 2 * LINE_HISTORY; i++)
		type("^");
	CHECK_EQUAL(line.text[0], 'a' + 3);
	CHECK_EQUAL(line.count, LINE_HISTORY);
}

TEST(an_older_line_that_is_changed_and_entered_is_a_new_one)
{
	begin();
	enter("caps root|");
	enter("^#####demo|");
	CHECK(!strcmp(line.history[0], "caps root"));
	CHECK(!strcmp(line.history[1], "capsdemo"));
}

TEST(whatever_is_typed_the_display_is_right)
{
	static const uint32_t keys[] = {KEY_LEFT,      KEY_RIGHT,     KEY_UP,        KEY_DOWN,
					KEY_HOME,      KEY_END,       KEY_BACKSPACE, KEY_DELETE,
					KEY_WITH('u'), KEY_WITH('k'), KEY_WITH('w'), KEY_ENTER,
					KEY_WITH('c')};
	begin();
	for (uint32_t i = 0; i < 300000; i++) {
		uint32_t kind = random_below(100);
		uint32_t key = kind < 60   ? ' ' + random_below(95)
			       : kind < 98 ? keys[random_below(sizeof(keys) / sizeof(keys[0]) - 2)]
					   : keys[random_below(sizeof(keys) / sizeof(keys[0]))];
		if (press(key) != LINE_GOES_ON)
			line_begin(&line);
		check_shown();
	}
}

/* ---- terminals ----------------------------------------------------------------------------------
 */
static struct line_escape escape;
/* The keys that come of a text, joined: at most four. */
static uint64_t decoded(const char *text)
{
	uint64_t keys = 0;
	for (; *text; text++) {
		uint32_t key = line_decode(&escape, (uint8_t)*text);
		keys = key ? keys << 16 | key : keys;
	}
	return keys;
}
#define TWO(first, second) ((uint64_t)(first) << 16 | (second))

TEST(sequences_of_terminals_are_keys)
{
	static const struct {
		const char *text;
		uint64_t keys;
	} cases[] = {
		{"a", 'a'},
		{"\33[A", KEY_UP},
		{"\33[B", KEY_DOWN},
		{"\33[C", KEY_RIGHT},
		{"\33[D", KEY_LEFT},
		{"\33[H", KEY_HOME},
		{"\33[F", KEY_END},
		{"\33OA", KEY_UP},
		{"\33OH", KEY_HOME},
		{"\33OF", KEY_END},
		{"\33[1~", KEY_HOME},
		{"\33[2~", KEY_INSERT},
		{"\33[3~", KEY_DELETE},
		{"\33[4~", KEY_END},
		{"\33[5~", KEY_PAGE_UP},
		{"\33[6~", KEY_PAGE_DOWN},
		{"\33[7~", KEY_HOME},
		{"\33[8~", KEY_END},
		{"\33[3;2~", KEY_DELETE},
		{"\33[1;5C", KEY_RIGHT},
		{"\33[33~", 0},
		{"\33[299999999999~", 0},
		{"\33[0~", 0},
		{"\33[~", 0},
		{"\33[Z", 0},
		{"\33Ox", 0},
		{"\33x", 0},
		{"\33[?25hb", 'b'},
		{"\33\33[A", KEY_UP},
		{"\33[\33[A", KEY_UP},
		{"\33[3\r", KEY_ENTER},
		{"\33[3\177", KEY_BACKSPACE},
		{"\177", KEY_BACKSPACE},
		{"\b", KEY_BACKSPACE},
		{"\r", KEY_ENTER},
		{"\n", KEY_ENTER},
		{"\r\n", KEY_ENTER},
		{"\r\r", TWO(KEY_ENTER, KEY_ENTER)},
		{"\n\n", TWO(KEY_ENTER, KEY_ENTER)},
		{"\r\nx", TWO(KEY_ENTER, 'x')},
		{"x\n", TWO('x', KEY_ENTER)},
		{"\3", KEY_WITH('c')},
	};
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		escape = (struct line_escape){0};
		uint64_t keys = decoded(cases[i].text);
		if (keys != cases[i].keys)
			test_note("case %u", i);
		CHECK_EQUAL(keys, cases[i].keys);
		CHECK_EQUAL(decoded("Q"), 'Q'); /* nothing is left of it */
	}
}

TEST(no_character_leads_a_terminal_astray)
{
	escape = (struct line_escape){0};
	for (uint32_t i = 0; i < 1000000; i++) {
		uint32_t key = line_decode(&escape, random_below(3) ? 27 + random_below(70)
								    : random_below(256));
		CHECK(key <= KEY_F12);
	}
	CHECK_EQUAL(decoded("\r\rQ") & 0xFFFF, 'Q');
}
