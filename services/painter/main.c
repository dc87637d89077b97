/* SPDX-License-Identifier: MIT */
/* The painter: see painter.h. Stripes that move, under a title. */
#include "painter.h"
#include "vga/vga.h"

static const slot_t rectangle = {PAINTER_RECTANGLE};
static const char shades[] = " .:-=+*#";

struct picture {
	uint32_t number, round, width, height;
	const char *outside; /* what came of drawing beside the rectangle */
};

static uint32_t colour(const struct picture *picture)
{
	return picture->number % 7 + 1; /* never black */
}

static void title_paint(const struct picture *picture, uint16_t *cells)
{
	char text[VGA_COLUMNS + 1];
	size_t length = format(text, sizeof(text), "painter %u, round %u, outside: %s",
			       picture->number, picture->round, picture->outside);
	for (uint32_t x = 0; x < picture->width; x++)
		cells[x] = VGA_CELL(x < length ? text[x] : ' ',
				    VGA_COLOURS(VGA_BLACK, colour(picture)));
}

static void row_paint(const struct picture *picture, uint32_t y, uint16_t *cells)
{
	uint32_t colours = VGA_COLOURS(colour(picture) + VGA_BRIGHT, VGA_BLACK),
		 shift = 2 * y + picture->round * (picture->number + 1);
	for (uint32_t x = 0; x < picture->width; x++)
		cells[x] = VGA_CELL(shades[(x + shift) % (sizeof(shades) - 1)], colours);
}

/* As many rows in one call as the data page holds. */
static uint32_t paint(const struct picture *picture)
{
	struct batch batch = {0};
	uint32_t result = RETURN;
	for (uint32_t y = 0; y < picture->height && result == RETURN; y++) {
		uint32_t row = VGA_AREA(0, y, picture->width, 1);
		uint16_t *cells = vga_write_step(&batch, row);
		if (!cells) {
			result = vga_batch(rectangle, &batch, NULL);
			cells = vga_write_step(&batch, row);
		}
		if (y)
			row_paint(picture, y, cells);
		else
			title_paint(picture, cells);
	}
	return result == RETURN ? vga_batch(rectangle, &batch, NULL) : result;
}

int main(uint32_t argument)
{
	uint32_t size, rounds = argument >> 8;
	struct picture picture = {.number = argument & 0xFF};
	if (vga_size(rectangle, &size) != RETURN)
		return 1;
	picture.width = VGA_WIDTH(size);
	picture.height = VGA_HEIGHT(size);
	do {
		uint32_t result =
			vga_fill(rectangle, VGA_AREA(picture.width, 0, 1, picture.height), 0);
		picture.outside = result == RETURN ? "IT WORKED" : "refused";
		picture.round++;
		if (paint(&picture) != RETURN)
			return 1;
	} while (picture.round != rounds);
	return 0;
}
