/* SPDX-License-Identifier: MIT */
/* The line editor: see line.h. Every change goes through `replace` or `move`. */
#include "line.h"
#include "keyboard/keys.h"
#include "text.h"

static void put(struct line *line, char c, uint32_t times)
{
	for (; times && line->output_bytes < LINE_OUTPUT; times--)
		line->output[line->output_bytes++] = c;
}

static void move(struct line *line, uint32_t to)
{
	if (to < line->cursor)
		put(line, '\b', line->cursor - to);
	for (uint32_t at = line->cursor; at < to; at++)
		put(line, line->text[at], 1);
	line->cursor = to;
}

/* `count` characters from `at` on give way to these; the cursor stands behind them. */
static void replace(struct line *line, uint32_t at, uint32_t count, const char *by, uint32_t bytes)
{
	uint32_t before = line->length, after = before - count + bytes;
	if (after >= LINE_BYTES)
		return;
	move(line, at);
	memmove(line->text + at + bytes, line->text + at + count, before - at - count);
	memcpy(line->text + at, by, bytes);
	line->text[after] = 0;
	line->length = after;
	move(line, after);
	if (after < before) {
		put(line, ' ', before - after);
		put(line, '\b', before - after);
	}
	move(line, at + bytes);
}

static void cut(struct line *line, uint32_t from, uint32_t to)
{
	if (from < to)
		replace(line, from, to - from, "", 0);
}

/* Where the word before the cursor begins. */
static uint32_t word_begin(const struct line *line)
{
	uint32_t at = line->cursor;
	while (at && line->text[at - 1] == ' ')
		at--;
	while (at && line->text[at - 1] != ' ')
		at--;
	return at;
}

/* Shows the line of that age, or, for 0, what was typed before. */
static void history_show(struct line *line, uint32_t age)
{
	if (age > line->count || age == line->age)
		return;
	if (!line->age)
		memcpy(line->kept, line->text, LINE_BYTES);
	const char *text = age ? line->history[line->count - age] : line->kept;
	line->age = age;
	replace(line, 0, line->length, text, strlen(text));
}

static void history_add(struct line *line)
{
	if (!line->length || (line->count && !strcmp(line->history[line->count - 1], line->text)))
		return;
	if (line->count == LINE_HISTORY)
		memmove(line->history[0], line->history[1], (LINE_HISTORY - 1) * LINE_BYTES);
	else
		line->count++;
	memcpy(line->history[line->count - 1], line->text, LINE_BYTES);
}

static void edit(struct line *line, uint32_t key)
{
	uint32_t at = line->cursor, end = line->length;
	char c = key;
	if (key >= ' ' && key < 127)
		replace(line, at, 0, &c, 1);
	else if (key == KEY_BACKSPACE && at)
		cut(line, at - 1, at);
	else if ((key == KEY_DELETE || key == KEY_WITH('d')) && at < end)
		cut(line, at, at + 1);
	else if ((key == KEY_LEFT || key == KEY_WITH('b')) && at)
		move(line, at - 1);
	else if ((key == KEY_RIGHT || key == KEY_WITH('f')) && at < end)
		move(line, at + 1);
	else if (key == KEY_HOME || key == KEY_WITH('a'))
		move(line, 0);
	else if (key == KEY_END || key == KEY_WITH('e'))
		move(line, end);
	else if (key == KEY_WITH('u'))
		cut(line, 0, at);
	else if (key == KEY_WITH('k'))
		cut(line, at, end);
	else if (key == KEY_WITH('w'))
		cut(line, word_begin(line), at);
	else if (key == KEY_UP || key == KEY_WITH('p'))
		history_show(line, line->age + 1);
	else if ((key == KEY_DOWN || key == KEY_WITH('n')) && line->age)
		history_show(line, line->age - 1);
}

enum line_event line_key(struct line *line, uint32_t key)
{
	line->output_bytes = 0;
	key = KEY_CODE(key);
	if (key != KEY_ENTER && key != KEY_WITH('c')) {
		edit(line, key);
		return LINE_GOES_ON;
	}
	move(line, line->length);
	if (key == KEY_ENTER)
		history_add(line);
	else
		put(line, '^', 1), put(line, 'C', 1);
	put(line, '\n', 1);
	return key == KEY_ENTER ? LINE_ENTERED : LINE_CANCELLED;
}

void line_begin(struct line *line)
{
	line->text[0] = 0;
	line->length = line->cursor = line->age = 0;
}

/* ---- what terminals send ------------------------------------------------------------------------
 */
enum { PLAIN, ESCAPE, SINGLE, SEQUENCE, REST }; /* ESC; ESC O; ESC [ number; further numbers */

/* The last character of ESC [ ... and ESC O. */
static uint32_t key_of_letter(uint8_t c)
{
	static const uint16_t keys[] = {KEY_UP, KEY_DOWN, KEY_RIGHT, KEY_LEFT};
	if (c >= 'A' && c <= 'D')
		return keys[c - 'A'];
	return c == 'H' ? KEY_HOME : c == 'F' ? KEY_END : KEY_NONE;
}
/* The number in ESC [ number ~ */
static uint32_t key_of_number(uint8_t number)
{
	static const uint16_t keys[] = {0,           KEY_HOME,      KEY_INSERT, KEY_DELETE, KEY_END,
					KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_HOME,   KEY_END};
	return number < sizeof(keys) / sizeof(keys[0]) ? keys[number] : KEY_NONE;
}

static uint32_t plain(struct line_escape *escape, uint8_t c)
{
	_Bool after_return = escape->after_return;
	*escape = (struct line_escape){.state = c == KEY_ESCAPE ? ESCAPE : PLAIN,
				       .after_return = c == '\r'};
	if (c == '\r')
		return KEY_ENTER;
	if (c == KEY_ESCAPE || (c == '\n' && after_return))
		return KEY_NONE;
	return c == 127 ? KEY_BACKSPACE : c;
}

static uint32_t sequence(struct line_escape *escape, uint8_t c)
{
	if (c >= '0' && c <= '9' && escape->state == SEQUENCE) {
		uint32_t number = escape->parameter * 10u + c - '0';
		escape->parameter = number < 100 ? number : 100; /* no key */
		return KEY_NONE;
	}
	if (c < '@') {
		escape->state = REST;
		return KEY_NONE;
	}
	escape->state = PLAIN;
	return c == '~' ? key_of_number(escape->parameter) : key_of_letter(c);
}

uint32_t line_decode(struct line_escape *escape, uint8_t c)
{
	if (escape->state == PLAIN || c < ' ' || c == 127)
		return plain(escape, c); /* a control character ends whatever has begun */
	if (escape->state >= SEQUENCE)
		return sequence(escape, c);
	if (escape->state == SINGLE) {
		escape->state = PLAIN;
		return key_of_letter(c);
	}
	escape->state = c == '[' ? SEQUENCE : c == 'O' ? SINGLE : PLAIN;
	return KEY_NONE;
}
