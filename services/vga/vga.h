/* SPDX-License-Identifier: MIT */
/*
 * The text screen, 80 x 25 cells, as a resource. A capability names a rectangle: whoever has it
 * writes, reads, fills and scrolls cells inside, moves the cursor there, and splits parts off to
 * hand on; nothing outside can be reached. The service keeps no memory per client and has no
 * opinion: which rectangles there are, what is in them and whether they overlap is the business of
 * whoever splits. Several who share a rectangle synchronise among themselves. How it works:
 * docs/vga.md.
 *
 * Costs are guest instructions, call and stub included; figures: docs/vga.md. The service's deepest
 * stack is 116 bytes.
 */
#ifndef NOUS_VGA_H
#define NOUS_VGA_H

#include "interface.h"

#define VGA_COLUMNS 80u
#define VGA_ROWS    25u

/*
 * An area, in cells from the rectangle's upper left corner: x, y, width, height in bits 6..0,
 * 11..7, 18..12, 23..19. A door's badge has the same form, from the screen's corner, with rights in
 * bits 31..24; its upper word is the generation that its cells must have.
 */
#define VGA_AREA(x, y, width, height) \
	((uint32_t)(x) | (uint32_t)(y) << 7 | (uint32_t)(width) << 12 | (uint32_t)(height) << 19)
#define VGA_X(area)       ((area)&127u)
#define VGA_Y(area)       ((area) >> 7 & 31u)
#define VGA_WIDTH(area)   ((area) >> 12 & 127u)
#define VGA_HEIGHT(area)  ((area) >> 19 & 31u)
#define VGA_AREA_BITS     0x00FFFFFFu
#define VGA_SCREEN        VGA_AREA(0, 0, VGA_COLUMNS, VGA_ROWS)
#define VGA_RIGHT_WRITE   0x01000000u /* write, fill, scroll */
#define VGA_RIGHT_READ    0x02000000u /* read cells back */
#define VGA_RIGHT_CURSOR  0x04000000u /* move and ask for the cursor, of which there is one */
#define VGA_RIGHT_ANY     0x80000000u /* cells of any generation, and revoke: window managers */
#define VGA_RIGHTS_CLIENT (VGA_RIGHT_WRITE | VGA_RIGHT_READ | VGA_RIGHT_CURSOR)
#define VGA_RIGHTS_ALL    (VGA_RIGHTS_CLIENT | VGA_RIGHT_ANY)

/* A cell: code page 437's character in the low byte; attribute: foreground, background << 4. */
enum vga_colour {
	VGA_BLACK,
	VGA_BLUE,
	VGA_GREEN,
	VGA_CYAN,
	VGA_RED,
	VGA_MAGENTA,
	VGA_BROWN,
	VGA_LIGHT_GREY,
	VGA_BRIGHT = 8 /* of a foreground; as a background it may blink instead */
};
#define VGA_COLOURS(foreground, background) ((uint32_t)(foreground) | (uint32_t)(background) << 4)
#define VGA_CELL(character, colours)        ((uint8_t)(character) | (uint32_t)(colours) << 8)
#define VGA_PLAIN                           VGA_COLOURS(VGA_LIGHT_GREY, VGA_BLACK)

/* With SERVICE_REVOKED some rows may have been done before. */
enum vga_status {
	VGA_OK,
	VGA_OUTSIDE,     /* the area is empty or leaves the rectangle */
	VGA_NOT_ALLOWED, /* the badge lacks a right */
	VGA_ELSEWHERE,   /* the cursor is not in the rectangle */
	VGA_MIXED,       /* split: the cells have several generations; revoke makes them one */
	VGA_WORN_OUT     /* revoke: generations have come to their top */
};

#define VGA_CELLS_MAX   (PARAMETER_BYTES / 2) /* of one call: 12 full rows */
#define VGA_CELLS(area) (VGA_WIDTH(area) * VGA_HEIGHT(area))

/*
 * Writes the area's cells, row by row. Whoever is killed in the middle leaves what was written so
 * far. SERVICE_BAD_ARGUMENT (more than VGA_CELLS_MAX), VGA_NOT_ALLOWED, VGA_OUTSIDE,
 * SERVICE_REVOKED. Cost: 235, 49 for each further row, 2 for each further cell.
 */
uint32_t vga_write(slot_t door, uint32_t area, const uint16_t cells[VGA_CELLS(area)]);

/* The area's cells. Statuses as of vga_write: SERVICE_BAD_ARGUMENT, VGA_NOT_ALLOWED, VGA_OUTSIDE,
 * SERVICE_REVOKED. Cost: 238, likewise 49 and 2. */
uint32_t vga_read(slot_t door, uint32_t area, uint16_t cells[VGA_CELLS(area)]);

/* All cells of the area become `cell`. VGA_NOT_ALLOWED, VGA_OUTSIDE, SERVICE_REVOKED.
 * Cost: 191, 49 for each further row, 2 for each further cell. */
uint32_t vga_fill(slot_t door, uint32_t area, uint32_t cell);

/*
 * The area's rows move up by `rows`, or down if that is negative; the rows that come in are filled
 * with `cell`. Whoever is killed in the middle leaves some rows moved. VGA_NOT_ALLOWED,
 * VGA_OUTSIDE, SERVICE_REVOKED. Cost: 3,211 for 12 rows of 80.
 */
uint32_t vga_scroll(slot_t door, uint32_t area, int16_t rows, uint16_t cell);

/* The cursor goes to the area's first cell, or out of sight if the area is 0. The screen has one:
 * the last one to move it wins. VGA_NOT_ALLOWED, VGA_OUTSIDE, SERVICE_REVOKED. Cost: 180. */
uint32_t vga_cursor_to(slot_t door, uint32_t area);

/* Steps of vga_write, vga_read, vga_fill, vga_scroll, vga_cursor_to in one call. Statuses as
 * theirs. Cost: 243 with one vga_fill, 147 for each further one. */
uint32_t vga_batch(slot_t door, struct batch *batch, uint32_t *done);

/* Where the cursor is, as an area of one cell. VGA_NOT_ALLOWED, VGA_ELSEWHERE, SERVICE_REVOKED.
 * Cost: 185. */
uint32_t vga_where(slot_t door, uint32_t *area);

/* The whole rectangle as an area, with the rights. SERVICE_REVOKED (of a part or the whole).
 * Cost: 79 with VGA_RIGHT_ANY, else 2,324 for the whole screen. */
uint32_t vga_size(slot_t door, uint32_t *area);

/*
 * A capability for a part of the rectangle (area | rights) with some of its rights. It has the
 * generation of what it was split from, and ends with it. From VGA_RIGHT_ANY, without asking for
 * that: the generation that the cells now have. VGA_NOT_ALLOWED (a right that the door has not),
 * VGA_OUTSIDE, SERVICE_REVOKED, VGA_MIXED, SERVICE_NO_RESULT. Cost: 740, and one for each cell.
 */
uint32_t vga_split(slot_t door, uint32_t part, place_t to);

/*
 * The part's cells get a new generation: all capabilities for them end, but for those with
 * VGA_RIGHT_ANY, which this needs. As of vga_split, a capability with these rights comes; the cells
 * keep what is in them, so a manager fills them before it hands them on. What was stopped half-way
 * is done again. VGA_NOT_ALLOWED (also: for VGA_RIGHT_ANY), VGA_OUTSIDE, VGA_WORN_OUT,
 * SERVICE_NO_RESULT (the old ones have ended all the same). Cost: vga_split and as many sections as
 * rows.
 */
uint32_t vga_revoke(slot_t door, uint32_t part, place_t to);

#include "vga.stubs.h"

static inline uint32_t vga_cursor(slot_t door, uint32_t x, uint32_t y)
{
	return vga_cursor_to(door, VGA_AREA(x, y, 1, 1));
}
static inline uint32_t vga_cursor_hide(slot_t door)
{
	return vga_cursor_to(door, 0);
}

/* ---- for the root program, which makes the service ------------------------------------------- */
#define VGA_ADDRESS     0x00800000u /* where the service finds the text memory ... */
#define VGA_FRAME       0xB8u       /* ... which is this frame */
#define VGA_CRTC        0x3D4u      /* and the next port */
#define VGA_SLOT_DOMAIN 1u          /* its own domain, with the right to make doors */

#endif
