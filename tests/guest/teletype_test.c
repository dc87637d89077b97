/* SPDX-License-Identifier: MIT */
/* The teletype, beside a terminal of a few lines that knows nothing of batches. */
#include "teletype.h"
#include "vga_screen.h"

#define X       20u
#define Y       10u
#define COLUMNS 13u
#define ROWS    4u
#define OWN     VGA_AREA(X, Y, COLUMNS, ROWS)

static uint16_t wanted[ROWS][COLUMNS];
static uint32_t at_x, at_y, seed;

static uint32_t random_below(uint32_t end)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % end;
}

static void terminal_row_end(uint32_t colours)
{
	at_x = 0;
	if (++at_y < ROWS)
		return;
	at_y = ROWS - 1;
	memmove(wanted[0], wanted[1], sizeof(wanted) - sizeof(wanted[0]));
	for (uint32_t x = 0; x < COLUMNS; x++)
		wanted[ROWS - 1][x] = VGA_CELL(' ', colours);
}
static void terminal_put(char c, uint32_t colours)
{
	if (c == '\n')
		terminal_row_end(colours);
	if (c == '\r')
		at_x = 0;
	if (c == '\b' && at_y * COLUMNS + at_x) {
		uint32_t before = at_y * COLUMNS + at_x - 1;
		at_x = before % COLUMNS;
		at_y = before / COLUMNS;
	}
	if (c == '\f') {
		at_x = at_y = 0;
		for (uint32_t i = 0; i < COLUMNS * ROWS; i++)
			wanted[i / COLUMNS][i % COLUMNS] = VGA_CELL(' ', colours);
	}
	if ((uint8_t)c < ' ')
		return;
	wanted[at_y][at_x] = VGA_CELL(c, colours);
	if (++at_x == COLUMNS)
		terminal_row_end(colours);
}

static void begin(void)
{
	screen_begin();
	at_x = at_y = 0;
	for (uint32_t y = 0; y < ROWS; y++)
		for (uint32_t x = 0; x < COLUMNS; x++)
			wanted[y][x] = UNTOUCHED + (Y + y) * VGA_COLUMNS + X + x;
}
static void check_rectangle(void)
{
	for (uint32_t i = 0; i < CELLS; i++) {
		uint32_t x = i % VGA_COLUMNS - X, y = i / VGA_COLUMNS - Y;
		CHECK_EQUAL(screen[i],
			    x < COLUMNS && y < ROWS ? wanted[y][x] : (uint16_t)(UNTOUCHED + i));
	}
	CHECK_EQUAL(cursor_now(), (Y + at_y) * VGA_COLUMNS + X + at_x);
}
static void type(struct teletype *teletype, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		terminal_put(text[i], teletype->colours);
	CHECK_EQUAL(teletype_write(teletype, text, bytes), RETURN);
	check_rectangle();
}

TEST(teletype_writes_as_a_terminal_does)
{
	static const char *const texts[] = {"hello\n",      "exactly 13 ch",
					    "\n",           "more than a row of text\nand a row",
					    "\b\b\bback",   "\r!",
					    "\f",           "\b",
					    "\n\n\n\n\nx",  "",
					    "\t\a\x1b\x7f", "1\n2\n3\n4\n5\n6\n7\n8\n9"};
	static struct teletype teletype;
	begin();
	uint32_t door = badge_door(OWN | VGA_RIGHTS_CLIENT, 0);
	CHECK_EQUAL(teletype_begin(&teletype, slot(door)), RETURN);
	CHECK(teletype.columns == COLUMNS && teletype.rows == ROWS);
	for (uint32_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		teletype.colours = i % 2 ? VGA_COLOURS(VGA_RED, VGA_BLUE) : VGA_PLAIN;
		type(&teletype, texts[i], strlen(texts[i]));
	}
	slot_give(door);
	screen_end();
}

/* Also what is longer than one batch, and with every character there is. */
TEST(teletype_by_chance_it_writes_as_a_terminal_does)
{
	static char text[3000];
	struct teletype teletype[2];
	begin();
	seed = 99;
	uint32_t door = badge_door(OWN | VGA_RIGHTS_CLIENT, 0);
	for (uint32_t i = 0; i < 2; i++) { /* two who share it */
		CHECK_EQUAL(teletype_begin(&teletype[i], slot(door)), RETURN);
		teletype[i].is_shared = 1;
		teletype[i].colours += i;
	}
	vga_cursor(slot(door), 0, 0);
	for (uint32_t round = 0; round < 150; round++) {
		size_t bytes = random_below(round % 10 ? 60 : sizeof(text));
		for (size_t i = 0; i < bytes; i++)
			text[i] = random_below(12) ? ' ' + random_below(224) : random_below(' ');
		type(&teletype[random_below(2)], text, bytes);
	}
	slot_give(door);
	screen_end();
}

TEST(teletype_says_when_its_rectangle_is_gone)
{
	struct teletype teletype;
	begin();
	uint32_t door = badge_door(OWN | VGA_RIGHT_WRITE, 0), cursor = cursor_now();
	CHECK_EQUAL(teletype_begin(&teletype, slot(door)), RETURN);
	CHECK_EQUAL(teletype_write(&teletype, "x", 1), RETURN);
	CHECK_EQUAL(cursor_now(), cursor); /* without the right it leaves the cursor alone */
	CHECK_EQUAL(vga_revoke(slot(manager), OWN, slot(spare)), RETURN);
	CHECK_EQUAL(teletype_write(&teletype, "y", 1), RETURN + SERVICE_REVOKED);
	CHECK_EQUAL(teletype_begin(&teletype, slot(door)), RETURN + SERVICE_REVOKED);
	CHECK_EQUAL(teletype_write(&teletype, "z", 1), RETURN); /* no columns, no text */
	slot_give(door);
	screen_end();
}
