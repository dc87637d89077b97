/* SPDX-License-Identifier: MIT */
/*
 * The VGA service: see vga.h. What it keeps is one generation for each cell of the screen. Every
 * access to cells or to the cursor is a rollforward section in which the generations of the cells
 * are compared first: a client that was frozen between the two begins anew when it is thawed, so a
 * rectangle that was revoked meanwhile is left alone. A section does one row; what it writes may be
 * written twice.
 */
#include "lock/lock.h"
#include "vga.h"

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

/* A door's badge. */
struct rectangle {
	uint32_t area, generation;
};

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
static uint32_t area_check(uint32_t rectangle, uint32_t area, uint32_t right)
{
	uint32_t width = VGA_WIDTH(area), height = VGA_HEIGHT(area);
	if (right & ~rectangle)
		return VGA_NOT_ALLOWED;
	if (!width || !height || VGA_X(area) + width > VGA_WIDTH(rectangle) ||
	    VGA_Y(area) + height > VGA_HEIGHT(rectangle))
		return VGA_OUTSIDE;
	return 0;
}

/* The first row of an area of the rectangle. */
static struct row row_first(struct rectangle rectangle, uint32_t area)
{
	uint32_t at = (VGA_Y(rectangle.area) + VGA_Y(area)) * VGA_COLUMNS + VGA_X(rectangle.area) +
		      VGA_X(area);
	return (struct row){.any = rectangle.area & VGA_RIGHT_ANY,
			    .generation = rectangle.generation,
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

/* In the order that reads each row before it is overwritten. */
static uint32_t scroll(struct row *row, uint32_t height, uint32_t argument)
{
	int32_t by = (int16_t)argument,
		step = by < 0 ? -(int32_t)VGA_COLUMNS : (int32_t)VGA_COLUMNS;
	uint32_t distance = by < 0 ? -by : by, moved = distance < height ? height - distance : 0;
	if (by < 0)
		row->at += (height - 1) * VGA_COLUMNS;
	row->from = by < 0 ? row->at - distance * VGA_COLUMNS : row->at + distance * VGA_COLUMNS;
	row->cell = argument >> 16;
	return rows_run(scroll_prepare, row, moved, step)
		       ?: rows_run(fill_prepare, row, height - moved, step);
}

/* ---- operations -------------------------------------------------------------------------------
 */
static uint32_t cursor(struct rectangle rectangle, uint32_t area)
{
	uint32_t status =
		area_check(rectangle.area, area ? area : VGA_AREA(0, 0, 1, 1), VGA_RIGHT_CURSOR);
	struct row row = row_first(rectangle, area);
	row.cell = area ? row.at : OUT_OF_SIGHT;
	row.width = 1;
	return status ? status : rows_run(cursor_prepare, &row, 1, 0);
}

static section_prepare *const prepare[] = {
	[VGA_WRITE] = write_prepare, [VGA_READ] = read_prepare, [VGA_FILL] = fill_prepare};

/* What one call or one step of a batch does; `cells` are the client's, as many as the area has. */
static uint32_t step_run(struct rectangle rectangle, struct vga_step step, uint16_t *cells)
{
	if (step.operation == VGA_CURSOR)
		return cursor(rectangle, step.area);
	uint32_t right = step.operation == VGA_READ ? VGA_RIGHT_READ : VGA_RIGHT_WRITE,
		 status = area_check(rectangle.area, step.area, right),
		 height = VGA_HEIGHT(step.area);
	if (status)
		return status;
	struct row row = row_first(rectangle, step.area);
	row.cells = cells;
	row.cell = step.argument;
	if (step.operation == VGA_SCROLL)
		return scroll(&row, height, step.argument);
	return rows_run(prepare[step.operation], &row, height, VGA_COLUMNS);
}

static uint32_t cell_bytes(const struct vga_step *step)
{
	return step->operation == VGA_WRITE || step->operation == VGA_READ
		       ? VGA_WIDTH(step->area) * VGA_HEIGHT(step->area) * sizeof(uint16_t)
		       : 0;
}

/* One operation by itself: its cells begin where the parameters do. */
static uint64_t single(struct rectangle rectangle, struct vga_step step)
{
	uint32_t bytes = cell_bytes(&step);
	if (bytes > PARAMETER_BYTES)
		return ANSWER(SERVICE_BAD_ARGUMENT, 0);
	if (bytes > parameter_room())
		return ANSWER(SERVICE_NO_STACK, 0);
	return ANSWER(step_run(rectangle, step, parameters()), 0);
}
#define SINGLE(name, operation)                                                          \
	OPERATION static uint64_t name(uint32_t badge, uint32_t area, uint32_t argument, \
				       uint32_t badge_high)                              \
	{                                                                                \
		return single((struct rectangle){badge, badge_high},                     \
			      (struct vga_step){operation, area, argument});             \
	}
SINGLE(vga_do_write, VGA_WRITE)
SINGLE(vga_do_read, VGA_READ)
SINGLE(vga_do_fill, VGA_FILL)
SINGLE(vga_do_scroll, VGA_SCROLL)
SINGLE(vga_do_cursor, VGA_CURSOR)

OPERATION static uint64_t vga_do_batch(uint32_t badge, uint32_t bytes, uint32_t b,
				       uint32_t badge_high)
{
	(void)b;
	struct rectangle rectangle = {badge, badge_high};
	uint32_t at = 0, done = 0, status = 0;
	if (bytes > PARAMETER_BYTES)
		return ANSWER(SERVICE_BAD_ARGUMENT, 0);
	if (bytes > parameter_room())
		return ANSWER(SERVICE_NO_STACK, 0);
	while (at < bytes) {
		const struct vga_step *next = (const void *)((uint8_t *)parameters() + at);
		at += sizeof(*next);
		if (at > bytes || next->operation > VGA_CURSOR || cell_bytes(next) > bytes - at)
			return ANSWER(SERVICE_BAD_ARGUMENT, done);
		status = step_run(rectangle, *next, (uint16_t *)(next + 1));
		if (status)
			break;
		at += (cell_bytes(next) + 3) / 4 * 4;
		done++;
	}
	return ANSWER(status, done);
}

OPERATION static uint64_t vga_do_where(uint32_t badge, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)a, (void)b;
	struct row row = row_first((struct rectangle){badge, badge_high}, VGA_AREA(0, 0, 1, 1));
	if (!(badge & VGA_RIGHT_CURSOR))
		return ANSWER(VGA_NOT_ALLOWED, 0);
	section_run(where_prepare, &row);
	uint32_t x = row.cell % VGA_COLUMNS - VGA_X(badge),
		 y = row.cell / VGA_COLUMNS - VGA_Y(badge);
	if (x >= VGA_WIDTH(badge) || y >= VGA_HEIGHT(badge))
		return ANSWER(VGA_ELSEWHERE, 0);
	return ANSWER(row.status, row.status ? 0 : VGA_AREA(x, y, 1, 1));
}

static _Bool area_has(struct rectangle rectangle, uint32_t area, uint32_t generation)
{
	struct row row = row_first(rectangle, area);
	for (uint32_t i = 0; i < VGA_HEIGHT(area); i++, row.at += VGA_COLUMNS)
		if (!generations_are(row.at, row.width, generation))
			return 0;
	return 1;
}

OPERATION static uint64_t vga_do_size(uint32_t badge, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)a, (void)b;
	uint32_t area = badge & ~VGA_AREA(127, 31, 0, 0);
	if (!(badge & VGA_RIGHT_ANY) &&
	    !area_has((struct rectangle){badge, badge_high}, area, badge_high))
		return ANSWER(SERVICE_REVOKED, 0);
	return ANSWER(0, area);
}

/* The end of an operation that answers with a capability for an area of the rectangle. Its place
 * until then is the activation's own: nobody else can change it. */
static uint64_t capability_answer(struct rectangle rectangle, uint32_t area, uint32_t generation)
{
	uint32_t low =
		VGA_AREA(VGA_X(rectangle.area) + VGA_X(area), VGA_Y(rectangle.area) + VGA_Y(area),
			 VGA_WIDTH(area), VGA_HEIGHT(area)) |
		(area & RIGHTS);
	if (kernel_door(slot(VGA_SLOT_DOMAIN), lent_slot(0), (uint64_t)generation << 32 | low))
		return ANSWER(VGA_NO_RESULT, 0);
	return ANSWER(answer_capability(0) ? 0 : VGA_NO_RESULT, 0);
}

/* (No section: the effect is a badge, which carries the generation that was read.) */
OPERATION static uint64_t vga_do_split(uint32_t badge, uint32_t slots, uint32_t area,
				       uint32_t badge_high)
{
	(void)slots;
	struct rectangle rectangle = {badge, badge_high};
	uint32_t status = area_check(badge, area, area & RIGHTS), generation = badge_high;
	if (status)
		return ANSWER(status, 0);
	if (badge & VGA_RIGHT_ANY)
		generation = generations[row_first(rectangle, area).at];
	if (!(area & VGA_RIGHT_ANY) && !area_has(rectangle, area, generation))
		return ANSWER(badge & VGA_RIGHT_ANY ? VGA_MIXED : SERVICE_REVOKED, 0);
	return capability_answer(rectangle, area, generation);
}

OPERATION static uint64_t vga_do_revoke(uint32_t badge, uint32_t slots, uint32_t area,
					uint32_t badge_high)
{
	(void)slots;
	struct rectangle rectangle = {badge, badge_high};
	uint32_t status = area_check(badge, area, (area & RIGHTS) | VGA_RIGHT_ANY);
	if (area & VGA_RIGHT_ANY)
		status = VGA_NOT_ALLOWED;
	if (status)
		return ANSWER(status, 0);
	struct row row = row_first(rectangle, area);
	section_run(generation_prepare, &row);
	if (row.status)
		return ANSWER(row.status, 0);
	rows_run(revoke_prepare, &row, VGA_HEIGHT(area), VGA_COLUMNS);
	return capability_answer(rectangle, area, row.generation);
}

SERVICE_OPERATIONS([VGA_WRITE] = vga_do_write, [VGA_READ] = vga_do_read, [VGA_FILL] = vga_do_fill,
		   [VGA_SCROLL] = vga_do_scroll, [VGA_CURSOR] = vga_do_cursor,
		   [VGA_WHERE] = vga_do_where, [VGA_SIZE] = vga_do_size, [VGA_SPLIT] = vga_do_split,
		   [VGA_REVOKE] = vga_do_revoke, [VGA_BATCH] = vga_do_batch)

int main(void)
{
	return 0; /* never started: clients bring the thread */
}
