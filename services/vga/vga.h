/* SPDX-License-Identifier: MIT */
/*
 * The text screen, 80 x 25 cells, as a resource. A capability names a rectangle: whoever has it
 * writes, reads, fills and scrolls cells inside, moves the cursor there, and splits parts off to
 * hand on; nothing outside can be reached. The service keeps no memory per client and has no
 * opinion: which rectangles there are, what is in them and whether they overlap is the business of
 * whoever splits. Several who share a rectangle synchronise among themselves. How it works:
 * docs/vga.md.
 *
 * Cost in instructions, call and stub included: some 200, for each row 50, and for each cell 1.5
 * (write and read; the stub's copy makes 2 of it), 2 (fill), 2.5 (scroll); split and revoke 300 and
 * more. Figures: docs/vga.md. The service's deepest stack is 116 bytes.
 *
 * All stubs return RETURN + a status, or an error of the kernel (DOOR_STATUS, DOOR_ERROR). The
 * caller must not stand on its data page: parameters lie there.
 */
#ifndef NOUS_VGA_H
#define NOUS_VGA_H

#include "service.h"
#include "text.h"

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

enum vga_operation {
	VGA_WRITE,
	VGA_READ,
	VGA_FILL,
	VGA_SCROLL,
	VGA_CURSOR,
	VGA_WHERE,
	VGA_SIZE,
	VGA_SPLIT,
	VGA_REVOKE,
	VGA_BATCH
};

/* Statuses besides those of status.h. With SERVICE_REVOKED some rows may have been done before. */
#define VGA_OUTSIDE     1u /* the area is empty or leaves the rectangle */
#define VGA_NOT_ALLOWED 2u /* the badge lacks a right */
#define VGA_ELSEWHERE   3u /* the cursor is not in the rectangle */
#define VGA_MIXED       4u /* split: the cells have several generations; revoke makes them one */
#define VGA_WORN_OUT    5u /* revoke: generations have come to their top */
#define VGA_NO_RESULT   6u /* the call designates no slot for the capability */

#define VGA_CELLS_MAX (PARAMETER_BYTES / 2) /* of one call: 12 full rows */

/*
 * Writes the area's cells, row by row from `cells`, which are copied to the data page. Whoever is
 * killed in the middle leaves what was written so far. 0, SERVICE_BAD_ARGUMENT (more than
 * VGA_CELLS_MAX), VGA_NOT_ALLOWED, VGA_OUTSIDE, SERVICE_REVOKED.
 */
static inline uint32_t vga_write(slot_t door, uint32_t area, const uint16_t *cells)
{
	uint32_t count = VGA_WIDTH(area) * VGA_HEIGHT(area);
	if (count > VGA_CELLS_MAX)
		return RETURN + SERVICE_BAD_ARGUMENT;
	memcpy(parameters(), cells, count * 2);
	return door_call(door.encoded, VGA_WRITE, area, 0, NULL);
}

/* The area's cells into `cells`. Errors as of vga_write; SERVICE_NO_STACK (they would lie where the
 * service stands). */
static inline uint32_t vga_read(slot_t door, uint32_t area, uint16_t *cells)
{
	uint32_t result = door_call(door.encoded, VGA_READ, area, 0, NULL);
	if (result == RETURN)
		memcpy(cells, parameters(), (size_t)VGA_WIDTH(area) * VGA_HEIGHT(area) * 2);
	return result;
}

/* All cells of the area become `cell`. 0, VGA_NOT_ALLOWED, VGA_OUTSIDE, SERVICE_REVOKED. */
static inline uint32_t vga_fill(slot_t door, uint32_t area, uint32_t cell)
{
	return door_call(door.encoded, VGA_FILL, area, cell, NULL);
}

/*
 * The area's rows move up by `rows`, or down if that is negative; the rows that come in are filled
 * with `cell`. Whoever is killed in the middle leaves some rows moved. 0, VGA_NOT_ALLOWED,
 * VGA_OUTSIDE, SERVICE_REVOKED.
 */
#define VGA_SCROLL_BY(rows, cell) ((uint16_t)(int16_t)(rows) | (uint32_t)(cell) << 16)
static inline uint32_t vga_scroll(slot_t door, uint32_t area, int32_t rows, uint32_t cell)
{
	return door_call(door.encoded, VGA_SCROLL, area, VGA_SCROLL_BY(rows, cell), NULL);
}

/* The cursor goes to the area's first cell, or out of sight if the area is 0. The screen has one:
 * the last one to move it wins. 0, VGA_NOT_ALLOWED, VGA_OUTSIDE, SERVICE_REVOKED. */
static inline uint32_t vga_cursor(slot_t door, uint32_t x, uint32_t y)
{
	return door_call(door.encoded, VGA_CURSOR, VGA_AREA(x, y, 1, 1), 0, NULL);
}
static inline uint32_t vga_cursor_hide(slot_t door)
{
	return door_call(door.encoded, VGA_CURSOR, 0, 0, NULL);
}

/* Where the cursor is, as an area of one cell. 0, VGA_NOT_ALLOWED, VGA_ELSEWHERE, SERVICE_REVOKED.
 */
static inline uint32_t vga_where(slot_t door, uint32_t *area)
{
	return door_call(door.encoded, VGA_WHERE, 0, 0, area);
}

/* The whole rectangle as an area, with the rights. 0, SERVICE_REVOKED (of a part or the whole). */
static inline uint32_t vga_size(slot_t door, uint32_t *area)
{
	return door_call(door.encoded, VGA_SIZE, 0, 0, area);
}

/*
 * A capability for a part of the rectangle with some of its rights, into slot `to` (below 128).
 * It has the generation of what it was split from, and ends with it. From VGA_RIGHT_ANY, without
 * asking for that: the generation that the cells now have. 0, VGA_NOT_ALLOWED (a right that the
 * door has not), VGA_OUTSIDE, SERVICE_REVOKED, VGA_MIXED, VGA_NO_RESULT.
 */
static inline uint32_t vga_split(slot_t door, uint32_t area, uint32_t rights, slot_t to)
{
	if (to.encoded >= LIST_SLOTS)
		return ERROR_ARGUMENT;
	return door_call(door.encoded | OPTION_RESULTS, VGA_SPLIT, to.encoded, area | rights, NULL);
}

/*
 * The area's cells get a new generation: all capabilities for them end, but for those with
 * VGA_RIGHT_ANY, which this needs. As of vga_split, a capability with these rights comes into slot
 * `to`; the cells keep what is in them, so a manager fills them before it hands them on. What was
 * stopped half-way is done again. 0, VGA_NOT_ALLOWED (also: for VGA_RIGHT_ANY), VGA_OUTSIDE,
 * VGA_WORN_OUT, VGA_NO_RESULT (the old ones have ended all the same).
 */
static inline uint32_t vga_revoke(slot_t door, uint32_t area, uint32_t rights, slot_t to)
{
	if (to.encoded >= LIST_SLOTS)
		return ERROR_ARGUMENT;
	return door_call(door.encoded | OPTION_RESULTS, VGA_REVOKE, to.encoded, area | rights,
			 NULL);
}

/*
 * Several operations in one call. At the bottom of the data page lie steps, each a struct vga_step,
 * after that of VGA_WRITE and VGA_READ its cells, rounded up to 4 bytes. Steps are VGA_WRITE,
 * VGA_READ, VGA_FILL, VGA_SCROLL, VGA_CURSOR. The first one that fails ends it: its status, and in
 * *done the number of those before it. Also SERVICE_BAD_ARGUMENT (another operation, or it does not
 * fit into `bytes`, or those not into PARAMETER_BYTES).
 */
struct vga_step {
	uint32_t operation, area, argument; /* fill: cell; scroll: VGA_SCROLL_BY; else 0 */
};

/* A batch being made on the data page: adds a step, and points to its cells; NULL: no room. */
static inline uint16_t *vga_batch_add(uint32_t *bytes, struct vga_step step)
{
	uint32_t cells = step.operation == VGA_WRITE || step.operation == VGA_READ
				 ? VGA_WIDTH(step.area) * VGA_HEIGHT(step.area)
				 : 0;
	uint32_t end = *bytes + sizeof(step) + (cells * 2 + 3) / 4 * 4;
	if (end > PARAMETER_BYTES)
		return NULL;
	struct vga_step *at = (struct vga_step *)((uint8_t *)parameters() + *bytes);
	*at = step;
	*bytes = end;
	return (uint16_t *)(at + 1);
}
static inline uint32_t vga_batch(slot_t door, uint32_t bytes, uint32_t *done)
{
	return door_call(door.encoded, VGA_BATCH, bytes, 0, done);
}

/* ---- for the root program, which makes the service ------------------------------------------- */
#define VGA_ADDRESS     0x00800000u /* where the service finds the text memory ... */
#define VGA_FRAME       0xB8u       /* ... which is this frame */
#define VGA_CRTC        0x3D4u      /* and the next port */
#define VGA_SLOT_DOMAIN 1u          /* its own domain, with the right to make doors */

#endif
