/* SPDX-License-Identifier: MIT */
#include "vga_screen.h"
#include "elf/elf.h"

struct domain vga;
uint16_t *screen;
uint32_t manager, spare;
static struct object bitmap;
static uint32_t generations, cursor_before; /* an address in the service; an area */

uint32_t badge_door(uint32_t area, uint32_t generation)
{
	return domain_door(&vga, (uint64_t)generation << 32 | area);
}

static uint32_t *word_in_service(uint32_t address)
{
	const uint32_t *table = frame_pointer(domain_table(&vga, address));
	return (uint32_t *)((uint8_t *)frame_pointer(table[address >> 12 & 1023] >> 12) +
			    (address & (PAGE_BYTES - 1)));
}

uint32_t generation_of(uint32_t cell)
{
	return *word_in_service(generations + cell * 4);
}

uint32_t *last_generation(void)
{
	return word_in_service(elf_symbol_named(vga.file, vga.file_bytes, "last_generation"));
}

void screen_begin(void)
{
	MUST(DOOR_ERROR(vga_where(slot(screen_slot), &cursor_before)));
	uint32_t frame = frame_take();
	screen = frame_pointer(frame);
	bitmap = vga_make(&vga, frame);
	generations = elf_symbol_named(vga.file, vga.file_bytes, "generations");
	manager = badge_door(VGA_SCREEN | VGA_RIGHTS_ALL, 0);
	spare = slot_take();
	for (uint32_t i = 0; i < CELLS; i++)
		screen[i] = UNTOUCHED + i;
}

void screen_end(void)
{
	slot_give(spare);
	slot_give(manager);
	domain_end(&vga); /* and its page */
	bitmap_end(bitmap);
	vga_cursor(slot(screen_slot), VGA_X(cursor_before), VGA_Y(cursor_before));
}

uint32_t cursor_now(void)
{
	uint32_t area, result = vga_where(slot(screen_slot), &area);
	if (result == RETURN + VGA_ELSEWHERE)
		return CELLS;
	CHECK_EQUAL(result, RETURN);
	return VGA_Y(area) * VGA_COLUMNS + VGA_X(area);
}
