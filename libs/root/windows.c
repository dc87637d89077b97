/* SPDX-License-Identifier: MIT */
/* Several programs that draw at once, each in its own rectangle of the screen. */
#include "painter/painter.h"
#include "root.h"
#include "vga/vga.h"

uint32_t rectangle_take(uint32_t manager, uint32_t area, uint32_t rights)
{
	uint32_t to = slot_take(), size = VGA_AREA(0, 0, VGA_WIDTH(area), VGA_HEIGHT(area));
	uint32_t result = vga_revoke(slot(manager), area | rights | VGA_RIGHT_WRITE, slot(to));
	if (result == RETURN)
		result = vga_fill(slot(to), size, VGA_CELL(' ', VGA_PLAIN));
	if (result != RETURN)
		root_fail("the VGA service does not give a rectangle", DOOR_ERROR(result));
	return to;
}

void screen_use(uint32_t area)
{
	uint32_t to = rectangle_take(vga_slot, area, VGA_RIGHTS_CLIENT);
	slot_give(screen_slot);
	screen_slot = to;
}

static void window_open(struct window *window, uint32_t number, uint32_t area, uint32_t rounds)
{
	uint32_t door = rectangle_take(vga_slot, area, VGA_RIGHT_WRITE);
	domain_make(&window->domain, "painter", 0);
	domain_load(&window->domain, "painter");
	domain_give(&window->domain, PAINTER_RECTANGLE, door);
	slot_give(door);
	thread_make(&window->thread, "painter", &window->domain);
	thread_go(&window->thread, window->domain.entry, 0, PAINTER_ARGUMENT(number, rounds));
}

void windows_open(struct window *windows, uint32_t columns, uint32_t rows, uint32_t area,
		  uint32_t rounds)
{
	uint32_t width = VGA_WIDTH(area) / columns, height = VGA_HEIGHT(area) / rows;
	for (uint32_t i = 0; i < columns * rows; i++)
		window_open(&windows[i], i,
			    VGA_AREA(VGA_X(area) + i % columns * width,
				     VGA_Y(area) + i / columns * height, width, height),
			    rounds);
}

void windows_close(struct window *windows, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		thread_end(&windows[i].thread);
		domain_end(&windows[i].domain);
	}
}
