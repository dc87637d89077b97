/* SPDX-License-Identifier: MIT */
/*
 * The VGA service: see vga.h. What it keeps is one generation for each cell of the screen. Every
 * access to cells or to the cursor is a rollforward section in which the generations of the cells
 * are compared first: a client that was frozen between the two begins anew when it is thawed, so a
 * rectangle that was revoked meanwhile is left alone. A section does one row; what it writes may be
 * written twice.
 */
#include "lock/lock.h"
#include "vga.server.h"

#define CELLS              (VGA_COLUMNS * VGA_ROWS)
#define CELL(at)           ((uint16_t *)VGA_ADDRESS + (at))
#define OUT_OF_SIGHT       CELLS
#define RIGHTS             (~VGA_AREA_BITS)
#define VGA_GENERATION_TOP UINT32_MAX
/* CRT controller registers (IBM, "VGA Function", 1992) */
#define CRTC_CURSOR_HIGH 14u
#define CRTC_CURSOR_LOW  15u

/* Both only grow: a badge whose generation a cell has lost is dead for good. */
static uint32_t generations[CELLS], last_generation;

/* One row of cells, or one cell, for one section. */
struct row {
	uint32_t any, generation; /* which the cells must have, unless `any` */
	uint32_t at, width;       /* the first cell's number, and how many */
	uint32_t from;            /* scroll: first cell of the row that comes here */
	uint32_t cell;            /* fill: what all become; cursor: the cell where it goes */
	uint16_t *cells;          /* write, read: the client's */
	uint32_t status;          /* 0 before */
};

/* ---- sections ---------------------------------------------------------------------------------
 */
#define INLINE static inline __attribute__((always_inline))

/* Have all of the row's cells, from number `at` on, the generation of the badge? */
INLINE _Bool generations_are(uint32_t at, uint32_t width, uint32_t generation)
{
	const uint32_t *first = generations + at;
	_Bool equal;
	asm volatile("repe scasl"
		     : "=@cce"(equal), "+D"(first), "+c"(width)
		     : "a"(generation)
		     : "memory");
	return equal;
}
INLINE _Bool row_is_own(struct row *row, uint32_t at)
{
	if (row->any || generations_are(at, row->width, row->generation))
		return 1;
	row->status = SERVICE_REVOKED; /* for good: once begun anew, it says the same */
	return 0;
}

INLINE void cells_copy(uint16_t *to, const uint16_t *from, uint32_t count)
{
	uint32_t pairs = count / 2;
	asm volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(pairs) : : "memory");
	if (count & 1)
		*to = *from;
}

SECTION void write_prepare(void)
{
	struct row *row = section_context();
	if (row_is_own(row, row->at))
		cells_copy(CELL(row->at), row->cells, row->width);
	return section_commit(0);
}

SECTION void read_prepare(void)
{
	struct row *row = section_context();
	if (row_is_own(row, row->at))
		cells_copy(row->cells, CELL(row->at), row->width);
	return section_commit(0);
}

SECTION void fill_prepare(void)
{
	struct row *row = section_context();
	if (row_is_own(row, row->at)) {
		uint16_t *at = CELL(row->at);
		uint32_t left = row->width;
		asm volatile("rep stosw" : "+D"(at), "+c"(left) : "a"(row->cell) : "memory");
	}
	return section_commit(0);
}

SECTION void scroll_prepare(void)
{
	struct row *row = section_context();
	if (row_is_own(row, row->at) && row_is_own(row, row->from))
		cells_copy(CELL(row->at), CELL(row->from), row->width);
	return section_commit(0);
}

/* The register's number and its value in one instruction. */
INLINE void crtc_write(uint32_t number, uint32_t value)
{
	asm volatile("outw %w0, %w1" : : "a"(number | value << 8), "Nd"((uint16_t)VGA_CRTC));
}
INLINE uint32_t crtc_read(uint8_t number)
{
	uint8_t value;
	asm volatile("outb %0, %1" : : "a"(number), "Nd"((uint16_t)VGA_CRTC));
	asm volatile("inb %1, %0" : "=a"(value) : "Nd"((uint16_t)(VGA_CRTC + 1)));
	return value;
}

SECTION void cursor_prepare(void)
{
	struct row *row = section_context();
	if (row_is_own(row, row->at)) {
		crtc_write(CRTC_CURSOR_HIGH, row->cell >> 8);
		crtc_write(CRTC_CURSOR_LOW, row->cell & 0xFF);
	}
	return section_commit(0);
}

SECTION void where_prepare(void)
{
	struct row *row = section_context();
	row->status = 0; /* the cursor may be elsewhere when this is begun anew */
	row->cell = crtc_read(CRTC_CURSOR_HIGH) << 8 | crtc_read(CRTC_CURSOR_LOW);
	if (row->cell < CELLS)
		row_is_own(row, row->cell);
	return section_commit(0);
}

SECTION void generation_prepare(void)
{
	struct row *row = section_context();
	if (last_generation == VGA_GENERATION_TOP) {
		row->status = VGA_WORN_OUT;
		return section_commit(0);
	}
	row->generation = last_generation + 1;
	return section_commit_word(&last_generation, row->generation);
}

/* Up only: one who was frozen and thawed must not undo what a later one did. */
SECTION void revoke_prepare(void)
{
	struct row *row = section_context();
	uint32_t generation = row->generation, *at = generations + row->at;
	for (uint32_t *end = at + row->width; at < end; at++)
		if (*at < generation)
			*at = generation;
	return section_commit(0);
}

/* ---- areas ------------------------------------------------------------------------------------
 */
INLINE uint32_t area_check(uint32_t rectangle, uint32_t area, uint32_t right)
{
	uint32_t width = VGA_WIDTH(area), height = VGA_HEIGHT(area);
	if (right & ~rectangle)
		return VGA_NOT_ALLOWED;
	if (!width || !height || VGA_X(area) + width > VGA_WIDTH(rectangle) ||
	    VGA_Y(area) + height > VGA_HEIGHT(rectangle))
		return VGA_OUTSIDE;
	return 0;
}

/* The first row of an area of the rectangle that the badge names. */
static struct row row_first(struct badge badge, uint32_t area)
{
	uint32_t at =
		(VGA_Y(badge.low) + VGA_Y(area)) * VGA_COLUMNS + VGA_X(badge.low) + VGA_X(area);
	return (struct row){.any = badge.low & VGA_RIGHT_ANY,
			    .generation = badge.high,
			    .at = at,
			    .width = VGA_WIDTH(area)};
}

/* The same section for `rows` rows, each `step` cells after the one before. */
static uint32_t rows_run(section_prepare *prepare, struct row *row, uint32_t rows, int32_t step)
{
	for (; rows && !row->status; rows--) {
		section_run(prepare, row);
		row->at += step;
		row->from += step;
		row->cells += row->width;
	}
	return row->status;
}

/* ---- operations -------------------------------------------------------------------------------
 */
/* The same section for each row of an area; `cells` are the client's. */
static uint32_t area_run(struct badge badge, uint32_t area, uint32_t right,
			 section_prepare *prepare, uint16_t *cells, uint32_t cell)
{
	uint32_t status = area_check(badge.low, area, right);
	if (status)
		return status;
	struct row row = row_first(badge, area);
	row.cells = cells;
	row.cell = cell;
	return rows_run(prepare, &row, VGA_HEIGHT(area), VGA_COLUMNS);
}

uint32_t vga_do_write(struct badge badge, uint32_t area, const uint16_t cells[VGA_CELLS(area)])
{
	return area_run(badge, area, VGA_RIGHT_WRITE, write_prepare, (uint16_t *)cells, 0);
}

uint32_t vga_do_read(struct badge badge, uint32_t area, uint16_t cells[VGA_CELLS(area)])
{
	return area_run(badge, area, VGA_RIGHT_READ, read_prepare, cells, 0);
}

uint32_t vga_do_fill(struct badge badge, uint32_t area, uint32_t cell)
{
	return area_run(badge, area, VGA_RIGHT_WRITE, fill_prepare, NULL, cell);
}

/* In the order that reads each row before it is overwritten. */
uint32_t vga_do_scroll(struct badge badge, uint32_t area, int16_t rows, uint16_t cell)
{
	uint32_t status = area_check(badge.low, area, VGA_RIGHT_WRITE), height = VGA_HEIGHT(area);
	if (status)
		return status;
	struct row row = row_first(badge, area);
	int32_t by = rows, step = by < 0 ? -(int32_t)VGA_COLUMNS : (int32_t)VGA_COLUMNS;
	uint32_t distance = by < 0 ? -by : by, moved = distance < height ? height - distance : 0;
	if (by < 0)
		row.at += (height - 1) * VGA_COLUMNS;
	row.from = by < 0 ? row.at - distance * VGA_COLUMNS : row.at + distance * VGA_COLUMNS;
	row.cell = cell;
	return rows_run(scroll_prepare, &row, moved, step)
		       ?: rows_run(fill_prepare, &row, height - moved, step);
}

uint32_t vga_do_cursor_to(struct badge badge, uint32_t area)
{
	uint32_t status =
		area_check(badge.low, area ? area : VGA_AREA(0, 0, 1, 1), VGA_RIGHT_CURSOR);
	struct row row = row_first(badge, area);
	row.cell = area ? row.at : OUT_OF_SIGHT;
	row.width = 1;
	return status ? status : rows_run(cursor_prepare, &row, 1, 0);
}

uint32_t vga_do_where(struct badge badge, uint32_t *area)
{
	struct row row = row_first(badge, VGA_AREA(0, 0, 1, 1));
	if (!(badge.low & VGA_RIGHT_CURSOR))
		return VGA_NOT_ALLOWED;
	section_run(where_prepare, &row);
	uint32_t x = row.cell % VGA_COLUMNS - VGA_X(badge.low),
		 y = row.cell / VGA_COLUMNS - VGA_Y(badge.low);
	if (x >= VGA_WIDTH(badge.low) || y >= VGA_HEIGHT(badge.low))
		return VGA_ELSEWHERE;
	*area = row.status ? 0 : VGA_AREA(x, y, 1, 1);
	return row.status;
}

static _Bool area_has(struct badge badge, uint32_t area, uint32_t generation)
{
	struct row row = row_first(badge, area);
	for (uint32_t i = 0; i < VGA_HEIGHT(area); i++, row.at += VGA_COLUMNS)
		if (!generations_are(row.at, row.width, generation))
			return 0;
	return 1;
}

uint32_t vga_do_size(struct badge badge, uint32_t *area)
{
	uint32_t whole = badge.low & ~VGA_AREA(127, 31, 0, 0);
	if (!(badge.low & VGA_RIGHT_ANY) && !area_has(badge, whole, badge.high))
		return SERVICE_REVOKED;
	*area = whole;
	return 0;
}

/* A capability for a part of the rectangle. Its place is the activation's own: nobody else can
 * change it. */
static uint32_t part_make(struct badge badge, uint32_t part, uint32_t generation, place_t to)
{
	uint32_t low = VGA_AREA(VGA_X(badge.low) + VGA_X(part), VGA_Y(badge.low) + VGA_Y(part),
				VGA_WIDTH(part), VGA_HEIGHT(part)) |
		       (part & RIGHTS);
	return kernel_door(slot(VGA_SLOT_DOMAIN), to, (uint64_t)generation << 32 | low)
		       ? SERVICE_NO_RESULT
		       : 0;
}

/* (No section: the effect is a badge, which carries the generation that was read.) */
uint32_t vga_do_split(struct badge badge, uint32_t part, place_t to)
{
	uint32_t status = area_check(badge.low, part, part & RIGHTS), generation = badge.high;
	if (status)
		return status;
	if (badge.low & VGA_RIGHT_ANY)
		generation = generations[row_first(badge, part).at];
	if (!(part & VGA_RIGHT_ANY) && !area_has(badge, part, generation))
		return badge.low & VGA_RIGHT_ANY ? VGA_MIXED : SERVICE_REVOKED;
	return part_make(badge, part, generation, to);
}

uint32_t vga_do_revoke(struct badge badge, uint32_t part, place_t to)
{
	uint32_t status = area_check(badge.low, part, (part & RIGHTS) | VGA_RIGHT_ANY);
	if (part & VGA_RIGHT_ANY)
		status = VGA_NOT_ALLOWED;
	if (status)
		return status;
	struct row row = row_first(badge, part);
	section_run(generation_prepare, &row);
	if (row.status)
		return row.status;
	rows_run(revoke_prepare, &row, VGA_HEIGHT(part), VGA_COLUMNS);
	return part_make(badge, part, row.generation, to);
}

int main(void)
{
	return 0; /* never started: clients bring the thread */
}
