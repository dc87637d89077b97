/* SPDX-License-Identifier: MIT */
/* A teletype: text becomes steps of a batch for the VGA service. See teletype.h. */
#include "teletype.h"

/* A batch on the data page, and what the service said of those before it. */
struct output {
	struct teletype *to;
	struct batch batch;
	uint32_t result;
};

static void flush(struct output *out)
{
	if (out->batch.bytes && out->result == RETURN)
		out->result = vga_batch(out->to->door, &out->batch, NULL);
	out->batch.bytes = 0;
}

/* A step; if there is no room for it, when there is. */
#define ADD(out, step) ((step) ?: (flush(out), (step)))

static uint32_t whole(const struct teletype *to)
{
	return VGA_AREA(0, 0, to->columns, to->rows);
}

static void row_end(struct output *out)
{
	struct teletype *to = out->to;
	to->x = 0;
	if (++to->y < to->rows)
		return;
	to->y = to->rows - 1;
	ADD(out, vga_scroll_step(&out->batch, whole(to), 1, VGA_CELL(' ', to->colours)));
}

static void control(struct output *out, char c)
{
	struct teletype *to = out->to;
	if (c == '\n')
		row_end(out);
	if (c == '\r')
		to->x = 0;
	if (c == '\b' && to->x) {
		to->x--;
	} else if (c == '\b' && to->y) {
		to->x = to->columns - 1;
		to->y--;
	}
	if (c == '\f') {
		to->x = to->y = 0;
		ADD(out, vga_fill_step(&out->batch, whole(to), VGA_CELL(' ', to->colours)));
	}
}

static _Bool is_printed(char c)
{
	return (uint8_t)c >= ' ';
}

/* What of the text fits into this row; how much that was. */
static size_t row_write(struct output *out, const char *text, size_t bytes)
{
	struct teletype *to = out->to;
	uint32_t count = 0, room = to->columns - to->x;
	while (count < bytes && count < room && is_printed(text[count]))
		count++;
	uint32_t area = VGA_AREA(to->x, to->y, count, 1);
	uint16_t *cells = ADD(out, vga_write_step(&out->batch, area));
	for (uint32_t i = 0; i < count; i++)
		cells[i] = VGA_CELL(text[i], to->colours);
	to->x += count;
	if (count == room)
		row_end(out);
	return count;
}

uint32_t teletype_begin(struct teletype *teletype, slot_t door)
{
	uint32_t area, result = vga_size(door, &area);
	*teletype = (struct teletype){.door = door, .colours = VGA_PLAIN};
	if (result != RETURN)
		return result;
	teletype->columns = VGA_WIDTH(area);
	teletype->rows = VGA_HEIGHT(area);
	teletype->moves_cursor = !!(area & VGA_RIGHT_CURSOR);
	return result;
}

uint32_t teletype_write(struct teletype *teletype, const char *text, size_t bytes)
{
	struct output out = {teletype, {0}, RETURN};
	uint32_t cursor;
	if (teletype->is_shared && vga_where(teletype->door, &cursor) == RETURN) {
		teletype->x = VGA_X(cursor);
		teletype->y = VGA_Y(cursor);
	}
	for (size_t at = 0; at < bytes && teletype->columns;) {
		if (is_printed(text[at]))
			at += row_write(&out, text + at, bytes - at);
		else
			control(&out, text[at++]);
	}
	if (teletype->moves_cursor)
		ADD(&out, vga_cursor_to_step(&out.batch, VGA_AREA(teletype->x, teletype->y, 1, 1)));
	flush(&out);
	return out.result;
}
