/* SPDX-License-Identifier: MIT */
/*
 * The VGA service before a screen of its own: an ordinary page in place of the text memory, of
 * which every cell is compared with what it must be. The cursor is the real one.
 */
#include "raw.h"
#include "vga_screen.h"

#define RIGHTS (~VGA_AREA_BITS)
#define BLANK  VGA_CELL(' ', VGA_PLAIN)

static uint16_t cells[CELLS]; /* what is written or was read */

/* What the world must be: the same service in plain C, cell by cell. */
static struct {
	uint16_t cell[CELLS];
	uint32_t generation[CELLS], last, cursor;
} model;

static void begin(void)
{
	screen_begin();
	memset(&model, 0, sizeof(model));
	memcpy(model.cell, screen, sizeof(model.cell));
}
static void check_screen(void)
{
	for (uint32_t i = 0; i < CELLS; i++) {
		if (screen[i] != model.cell[i])
			test_note("cell %u, %u", i % VGA_COLUMNS, i / VGA_COLUMNS);
		CHECK_EQUAL(screen[i], model.cell[i]);
	}
}
static void check_generations(void)
{
	for (uint32_t i = 0; i < CELLS; i++)
		CHECK_EQUAL(generation_of(i), model.generation[i]);
	CHECK_EQUAL(*last_generation(), model.last);
}

/* An operation, as a step of a batch has it; of vga_scroll the argument is packed. */
struct vga_step {
	uint32_t operation, area, argument;
};
#define SCROLL_BY(rows, cell) ((uint32_t)(rows) << 16 | (uint16_t)(cell))

/* ---- the model --------------------------------------------------------------------------------
 */
struct door {
	uint32_t area, generation;
};
/* The number of cell x, y of an area of a rectangle. */
static uint32_t cell_at(struct door badge, uint32_t area, uint32_t x, uint32_t y)
{
	return (VGA_Y(badge.area) + VGA_Y(area) + y) * VGA_COLUMNS + VGA_X(badge.area) +
	       VGA_X(area) + x;
}
static _Bool row_is_valid(struct door badge, uint32_t area, uint32_t y)
{
	for (uint32_t x = 0; x < VGA_WIDTH(area); x++)
		if (model.generation[cell_at(badge, area, x, y)] != badge.generation)
			return badge.area & VGA_RIGHT_ANY;
	return 1;
}
static uint32_t model_check(struct door badge, uint32_t area, uint32_t right)
{
	if ((badge.area & right) != right)
		return VGA_NOT_ALLOWED;
	if (VGA_WIDTH(area) == 0 || VGA_X(area) + VGA_WIDTH(area) > VGA_WIDTH(badge.area))
		return VGA_OUTSIDE;
	if (VGA_HEIGHT(area) == 0 || VGA_Y(area) + VGA_HEIGHT(area) > VGA_HEIGHT(badge.area))
		return VGA_OUTSIDE;
	return 0;
}
static uint32_t model_scroll(struct door badge, uint32_t area, int32_t rows, uint16_t cell)
{
	int32_t height = VGA_HEIGHT(area);
	for (int32_t i = 0; i < height; i++) {
		int32_t y = rows < 0 ? height - 1 - i : i, from = y + rows;
		_Bool comes_in = from < 0 || from >= height;
		if (!row_is_valid(badge, area, y) ||
		    (!comes_in && !row_is_valid(badge, area, from)))
			return SERVICE_REVOKED;
		for (uint32_t x = 0; x < VGA_WIDTH(area); x++)
			model.cell[cell_at(badge, area, x, y)] =
				comes_in ? cell : model.cell[cell_at(badge, area, x, from)];
	}
	return 0;
}
static uint32_t model_cursor(struct door badge, uint32_t area)
{
	uint32_t one = VGA_AREA(VGA_X(area), VGA_Y(area), 1, 1);
	uint32_t status = model_check(badge, area ? area : one, VGA_RIGHT_CURSOR);
	if (!status && !row_is_valid(badge, one, 0))
		status = SERVICE_REVOKED;
	if (!status)
		model.cursor = area ? cell_at(badge, area, 0, 0) : CELLS;
	return status;
}
/* `data`: cells to write, or where what is read goes. */
static uint32_t model_step(struct door badge, struct vga_step step, uint16_t *data)
{
	uint32_t right = step.operation == vga_read_op ? VGA_RIGHT_READ : VGA_RIGHT_WRITE;
	if (step.operation == vga_cursor_to_op)
		return model_cursor(badge, step.area);
	uint32_t status = model_check(badge, step.area, right);
	if (status)
		return status;
	if (step.operation == vga_scroll_op)
		return model_scroll(badge, step.area, (int16_t)(step.argument >> 16),
				    step.argument);
	for (uint32_t y = 0; y < VGA_HEIGHT(step.area); y++) {
		if (!row_is_valid(badge, step.area, y))
			return SERVICE_REVOKED;
		for (uint32_t x = 0; x < VGA_WIDTH(step.area); x++, data++) {
			uint16_t *at = &model.cell[cell_at(badge, step.area, x, y)];
			if (step.operation == vga_read_op)
				*data = *at;
			else
				*at = step.operation == vga_write_op ? *data : step.argument;
		}
	}
	return 0;
}

/* ---- single operations ------------------------------------------------------------------------
 */
static uint32_t seed;
static uint32_t random_below(uint32_t end)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % end;
}
static void cells_make(void)
{
	for (uint32_t i = 0; i < CELLS; i++)
		cells[i] = random_below(0x10000);
}
static uint32_t step_call(slot_t door, struct vga_step step)
{
	switch (step.operation) {
	case vga_write_op:
		return vga_write(door, step.area, cells);
	case vga_read_op:
		return vga_read(door, step.area, cells);
	case vga_fill_op:
		return vga_fill(door, step.area, step.argument);
	case vga_scroll_op:
		return vga_scroll(door, step.area, (int16_t)(step.argument >> 16), step.argument);
	default:
		return vga_cursor_to(door, step.area);
	}
}
/* The service and the model do the same, and all is equal. */
static void step_both(uint32_t door, struct door badge, struct vga_step step)
{
	static uint16_t wanted[CELLS];
	uint32_t count = VGA_WIDTH(step.area) * VGA_HEIGHT(step.area),
		 is_read = step.operation == vga_read_op;
	uint32_t result = step_call(slot(door), step);
	uint32_t status = (is_read || step.operation == vga_write_op) && count > VGA_CELLS_MAX
				  ? SERVICE_BAD_ARGUMENT
				  : model_step(badge, step, is_read ? wanted : cells);
	CHECK_EQUAL(result, RETURN + status);
	if (is_read && !status)
		CHECK(!memcmp(wanted, cells, count * 2));
}

static const struct door rectangles[] = {
	{VGA_SCREEN | VGA_RIGHTS_CLIENT, 0},
	{VGA_AREA(0, 0, 1, 1) | VGA_RIGHTS_CLIENT, 0},
	{VGA_AREA(79, 24, 1, 1) | VGA_RIGHTS_CLIENT, 0},
	{VGA_AREA(7, 3, 33, 9) | VGA_RIGHTS_CLIENT, 0},
	{VGA_AREA(40, 0, 40, 25) | VGA_RIGHTS_CLIENT, 0},
	{VGA_AREA(0, 12, 80, 13) | VGA_RIGHTS_ALL, 0},
};
#define RECTANGLES (sizeof(rectangles) / sizeof(rectangles[0]))

TEST(vga_operations_change_their_cells_and_no_others)
{
	static const int32_t by[] = {0, 1, -1, 2, -3, 24, -24, 25, 100, -32768, 32767};
	begin();
	cells_make();
	for (uint32_t i = 0; i < RECTANGLES; i++) {
		struct door badge = rectangles[i];
		uint32_t door = badge_door(badge.area, badge.generation),
			 width = VGA_WIDTH(badge.area), height = VGA_HEIGHT(badge.area);
		uint32_t areas[] = {
			VGA_AREA(0, 0, 1, 1),
			VGA_AREA(width - 1, height - 1, 1, 1),
			VGA_AREA(0, height - 1, width, 1),
			VGA_AREA(width - 1, 0, 1, height),
			VGA_AREA(0, 0, width, height),
			VGA_AREA(width / 3, height / 3, width / 2 + 1, height / 2 + 1),
		};
		for (uint32_t a = 0; a < sizeof(areas) / 4; a++) {
			cells_make();
			for (uint32_t operation = 0; operation <= vga_cursor_to_op; operation++)
				step_both(door, badge,
					  (struct vga_step){operation, areas[a], 0x2121});
			for (uint32_t b = 0; b < sizeof(by) / 4; b++) {
				cells_make();
				step_both(door, badge,
					  (struct vga_step){vga_write_op, areas[a], 0});
				step_both(door, badge,
					  (struct vga_step){vga_scroll_op, areas[a],
							    SCROLL_BY(by[b], 0x1E58)});
			}
			check_screen();
		}
		slot_give(door);
	}
	check_generations();
	screen_end();
}

TEST(vga_areas_that_are_empty_or_leave_the_rectangle_are_refused)
{
	static const uint32_t areas[] = {
		VGA_AREA(0, 0, 0, 1),  VGA_AREA(0, 0, 1, 0),     VGA_AREA(0, 0, 11, 1),
		VGA_AREA(0, 0, 1, 6),  VGA_AREA(10, 0, 1, 1),    VGA_AREA(0, 5, 1, 1),
		VGA_AREA(9, 4, 2, 1),  VGA_AREA(9, 4, 1, 2),     VGA_AREA(127, 0, 1, 1),
		VGA_AREA(0, 31, 1, 1), VGA_AREA(127, 31, 1, 31), VGA_AREA(1, 0, 127, 1)};
	begin();
	struct door badge = {VGA_AREA(20, 10, 10, 5) | VGA_RIGHTS_ALL, 0};
	uint32_t door = badge_door(badge.area, 0);
	for (uint32_t a = 0; a < sizeof(areas) / 4; a++) {
		for (uint32_t operation = 0; operation <= vga_cursor_to_op; operation++)
			CHECK_EQUAL(door_call(slot(door).encoded, operation, areas[a], 0, NULL),
				    RETURN + (VGA_WIDTH(areas[a]) * VGA_HEIGHT(areas[a]) >
								      VGA_CELLS_MAX &&
							      operation <= vga_read_op
						      ? SERVICE_BAD_ARGUMENT
						      : VGA_OUTSIDE));
		CHECK_EQUAL(vga_split(slot(door), areas[a], slot(spare)), RETURN + VGA_OUTSIDE);
		CHECK_EQUAL(vga_revoke(slot(door), areas[a], slot(spare)), RETURN + VGA_OUTSIDE);
	}
	/* by chance, all bits: what is right outside is wrong for the service, too */
	seed = 7;
	for (uint32_t i = 0; i < 3000; i++) {
		struct vga_step step = {i % (vga_cursor_to_op + 1), random_below(1 << 24), 0x2F2F};
		if (i & 8)
			step.area &= ~VGA_AREA(0x78, 0x18, 0x78, 0x18);
		if (i & 16)
			step.area |= random_below(256) << 24; /* rights mean nothing here */
		step_both(door, badge, step);
	}
	check_screen();
	check_generations();
	CHECK_EQUAL(kernel_probe(slot(spare)), ERROR_EMPTY);
	slot_give(door);
	screen_end();
}

TEST(vga_every_operation_needs_its_right)
{
	static const struct {
		uint32_t operation, right;
	} needs[] = {{vga_write_op, VGA_RIGHT_WRITE},      {vga_fill_op, VGA_RIGHT_WRITE},
		     {vga_scroll_op, VGA_RIGHT_WRITE},     {vga_read_op, VGA_RIGHT_READ},
		     {vga_cursor_to_op, VGA_RIGHT_CURSOR}, {vga_where_op, VGA_RIGHT_CURSOR}};
	begin();
	uint32_t area = VGA_AREA(0, 0, 2, 2), value;
	for (uint32_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		uint32_t door = badge_door(VGA_SCREEN | (VGA_RIGHTS_ALL & ~needs[i].right), 0);
		CHECK_EQUAL(door_call(slot(door).encoded, needs[i].operation, area, 0, &value),
			    RETURN + VGA_NOT_ALLOWED);
		CHECK_EQUAL(value, 0);
		/* nor can it be had by splitting */
		CHECK_EQUAL(vga_split(slot(door), area | needs[i].right, slot(spare)),
			    RETURN + VGA_NOT_ALLOWED);
		slot_give(door);
	}
	uint32_t door = badge_door(VGA_SCREEN | VGA_RIGHTS_CLIENT, 0);
	CHECK_EQUAL(vga_revoke(slot(door), area, slot(spare)), RETURN + VGA_NOT_ALLOWED);
	CHECK_EQUAL(vga_split(slot(door), area | VGA_RIGHT_ANY, slot(spare)),
		    RETURN + VGA_NOT_ALLOWED);
	CHECK_EQUAL(vga_split(slot(door), area | 0x08000000, slot(spare)),
		    RETURN + VGA_NOT_ALLOWED);
	CHECK_EQUAL(vga_revoke(slot(manager), area | VGA_RIGHTS_ALL, slot(spare)),
		    RETURN + VGA_NOT_ALLOWED);
	CHECK_EQUAL(door_call(slot(door).encoded, vga_revoke_op + 1, 0, 0, NULL),
		    RETURN + SERVICE_NO_OPERATION);
	slot_give(door);
	check_screen();
	check_generations();
	screen_end();
}

TEST(vga_cursor_goes_where_its_owner_may_and_is_told_to_him)
{
	begin();
	uint32_t area, door = badge_door(VGA_AREA(30, 20, 5, 3) | VGA_RIGHT_CURSOR, 0);
	CHECK_EQUAL(vga_cursor(slot(door), 4, 2), RETURN);
	CHECK_EQUAL(cursor_now(), 22 * VGA_COLUMNS + 34);
	CHECK_EQUAL(vga_where(slot(door), &area), RETURN);
	CHECK_EQUAL(area, VGA_AREA(4, 2, 1, 1));
	CHECK_EQUAL(vga_cursor(slot(door), 5, 2), RETURN + VGA_OUTSIDE);
	CHECK_EQUAL(cursor_now(), 22 * VGA_COLUMNS + 34);
	static const uint32_t elsewhere[][2] = {{29, 20}, {35, 20}, {30, 19}, {30, 23}, {0, 0}};
	for (uint32_t i = 0; i < 5; i++) {
		CHECK_EQUAL(vga_cursor(slot(manager), elsewhere[i][0], elsewhere[i][1]), RETURN);
		CHECK_EQUAL(vga_where(slot(door), &area), RETURN + VGA_ELSEWHERE);
		CHECK_EQUAL(area, 0);
	}
	CHECK_EQUAL(vga_cursor_hide(slot(door)), RETURN);
	CHECK_EQUAL(cursor_now(), CELLS);
	CHECK_EQUAL(vga_where(slot(door), &area), RETURN + VGA_ELSEWHERE);
	/* revoked, it neither moves nor hides nor sees it */
	CHECK_EQUAL(vga_cursor(slot(manager), 31, 21), RETURN);
	CHECK_EQUAL(vga_revoke(slot(manager), VGA_AREA(30, 20, 5, 3), slot(spare)), RETURN);
	CHECK_EQUAL(vga_cursor(slot(door), 0, 0), RETURN + SERVICE_REVOKED);
	CHECK_EQUAL(vga_cursor_hide(slot(door)), RETURN + SERVICE_REVOKED);
	CHECK_EQUAL(vga_where(slot(door), &area), RETURN + SERVICE_REVOKED);
	CHECK_EQUAL(cursor_now(), 21 * VGA_COLUMNS + 31);
	slot_give(door);
	screen_end();
}

TEST(vga_split_parts_have_no_more_than_the_whole)
{
	begin();
	uint32_t area, whole = badge_door(VGA_AREA(10, 5, 20, 10) | VGA_RIGHTS_CLIENT, 0);
	uint32_t part = VGA_AREA(3, 2, 5, 4);
	CHECK_EQUAL(vga_split(slot(whole), part | VGA_RIGHT_WRITE, slot(spare)), RETURN);
	struct door badge = {VGA_AREA(13, 7, 5, 4) | VGA_RIGHT_WRITE, 0};
	CHECK_EQUAL(vga_size(slot(spare), &area), RETURN);
	CHECK_EQUAL(area, VGA_AREA(0, 0, 5, 4) | VGA_RIGHT_WRITE);
	cells_make();
	step_both(spare, badge, (struct vga_step){vga_write_op, VGA_AREA(1, 1, 4, 3), 0});
	step_both(spare, badge, (struct vga_step){vga_read_op, VGA_AREA(1, 1, 4, 3), 0});
	step_both(spare, badge, (struct vga_step){vga_fill_op, VGA_AREA(1, 1, 5, 3), 0});
	/* a part of the part, into the slot of the part itself */
	CHECK_EQUAL(vga_split(slot(spare), VGA_AREA(4, 3, 1, 1) | VGA_RIGHT_WRITE, slot(spare)),
		    RETURN);
	badge.area = VGA_AREA(17, 10, 1, 1) | VGA_RIGHT_WRITE;
	step_both(spare, badge, (struct vga_step){vga_fill_op, VGA_AREA(0, 0, 1, 1), 0x4141});
	check_screen();
	CHECK_EQUAL(vga_split(slot(spare), VGA_AREA(0, 0, 2, 1), slot(spare)),
		    RETURN + VGA_OUTSIDE);
	/* from any generation: the one that all cells have now */
	CHECK_EQUAL(vga_revoke(slot(manager), VGA_AREA(0, 0, 2, 1), slot(spare)), RETURN);
	CHECK_EQUAL(vga_split(slot(manager), VGA_AREA(0, 0, 3, 1), slot(spare)),
		    RETURN + VGA_MIXED);
	CHECK_EQUAL(vga_split(slot(manager), VGA_AREA(0, 0, 2, 2), slot(spare)),
		    RETURN + VGA_MIXED);
	CHECK_EQUAL(vga_split(slot(manager), VGA_AREA(0, 0, 2, 1) | VGA_RIGHT_WRITE, slot(spare)),
		    RETURN);
	CHECK_EQUAL(vga_fill(slot(spare), VGA_AREA(0, 0, 2, 1), 0x5151), RETURN);
	CHECK_EQUAL(vga_split(slot(manager), VGA_AREA(0, 0, 3, 2) | VGA_RIGHTS_ALL, slot(spare)),
		    RETURN);
	CHECK_EQUAL(vga_fill(slot(spare), VGA_AREA(0, 0, 3, 2), 0x5252), RETURN);
	slot_give(whole);
	screen_end();
}

TEST(vga_capability_without_a_place_is_a_status)
{
	begin();
	uint32_t area = VGA_AREA(0, 0, 2, 2), to = slot(manager).encoded;
	CHECK_EQUAL(door_call(to, vga_split_op, spare, area, NULL), RETURN + SERVICE_NO_RESULT);
	CHECK_EQUAL(door_call(to | OPTION_RESULTS, vga_split_op, 0, area, NULL), RETURN);
	CHECK_EQUAL(door_call_lend(to | OPTION_RESULTS | OPTION_CAPABILITIES, vga_split_op, spare,
				   LEND_SLOTS(ROOT_DOMAIN, 0, 0, 0), 0, NULL),
		    RETURN + VGA_OUTSIDE); /* EBX, the area, is undefined then */
	CHECK_EQUAL(door_call(to, vga_revoke_op, spare, area, NULL), RETURN + SERVICE_NO_RESULT);
	CHECK_EQUAL(kernel_probe(slot(spare)), ERROR_EMPTY);
	CHECK_EQUAL(vga_split(slot(manager), area, slot(LIST_SLOTS)), ERROR_ARGUMENT);
	CHECK_EQUAL(vga_revoke(slot(manager), area, slot(LIST_SLOTS)), ERROR_ARGUMENT);
	screen_end();
}

TEST(vga_revoked_capabilities_do_nothing_any_more)
{
	begin();
	uint32_t area = VGA_AREA(5, 5, 10, 4), size;
	struct door old = {VGA_AREA(0, 0, 20, 20) | VGA_RIGHTS_CLIENT, 0},
		    new = {area | VGA_RIGHTS_CLIENT, 1};
	uint32_t door = badge_door(old.area, 0);
	CHECK_EQUAL(vga_revoke(slot(manager), area | VGA_RIGHTS_CLIENT, slot(spare)), RETURN);
	for (uint32_t y = 0; y < 4; y++)
		for (uint32_t x = 0; x < 10; x++)
			model.generation[(5 + y) * VGA_COLUMNS + 5 + x] = 1;
	model.last = 1;
	check_generations();
	check_screen();
	cells_make();
	for (uint32_t operation = 0; operation <= vga_scroll_op; operation++) {
		static const uint32_t areas[] = {VGA_AREA(0, 0, 20, 20), VGA_AREA(0, 8, 6, 1),
						 VGA_AREA(14, 4, 1, 2),  VGA_AREA(0, 0, 20, 5),
						 VGA_AREA(5, 5, 1, 1),   VGA_AREA(0, 9, 20, 11)};
		for (uint32_t a = 0; a < sizeof(areas) / 4; a++)
			step_both(door, old,
				  (struct vga_step){operation, areas[a], SCROLL_BY(-1, 0x1111)});
		step_both(
			spare, new,
			(struct vga_step){operation, VGA_AREA(0, 0, 10, 4), SCROLL_BY(1, 0x2222)});
	}
	check_screen();
	CHECK_EQUAL(vga_size(slot(door), &size), RETURN + SERVICE_REVOKED);
	CHECK_EQUAL(vga_size(slot(spare), &size), RETURN);
	CHECK_EQUAL(vga_split(slot(door), VGA_AREA(14, 8, 2, 1), slot(spare)),
		    RETURN + SERVICE_REVOKED);
	CHECK_EQUAL(vga_split(slot(door), VGA_AREA(0, 0, 5, 5), slot(spare)), RETURN);
	slot_give(door);
	screen_end();
}

/* What managers of rectangles go through: libs/root/windows.c. */
TEST(vga_rectangle_that_changes_hands_shows_nothing_of_its_last_owner)
{
	begin();
	const uint32_t area = VGA_AREA(7, 3, 20, 5), all = VGA_AREA(0, 0, 20, 5);
	uint32_t owner = rectangle_take(manager, area, VGA_RIGHTS_CLIENT);
	for (uint32_t i = 0; i < 100; i++)
		cells[i] = VGA_CELL('s', VGA_PLAIN);
	CHECK_EQUAL(vga_write(slot(owner), all, cells), RETURN);
	uint32_t next = rectangle_take(manager, area, VGA_RIGHTS_CLIENT);
	CHECK_EQUAL(vga_write(slot(owner), all, cells), RETURN + SERVICE_REVOKED);
	CHECK_EQUAL(vga_read(slot(owner), all, cells), RETURN + SERVICE_REVOKED);
	CHECK_EQUAL(vga_read(slot(next), all, cells), RETURN);
	for (uint32_t i = 0; i < 100; i++)
		CHECK_EQUAL(cells[i], BLANK);
	for (uint32_t y = 0; y < 5; y++)
		for (uint32_t x = 0; x < 20; x++)
			model.cell[(3 + y) * VGA_COLUMNS + 7 + x] = BLANK;
	check_screen();
	slot_give(owner);
	slot_give(next);
	screen_end();
}

TEST(vga_generations_come_to_a_top_and_stay_there)
{
	begin();
	uint32_t area = VGA_AREA(1, 1, 3, 3);
	*last_generation() = model.last = UINT32_MAX - 1;
	CHECK_EQUAL(vga_revoke(slot(manager), area | VGA_RIGHT_WRITE, slot(spare)), RETURN);
	CHECK_EQUAL(vga_fill(slot(spare), VGA_AREA(0, 0, 3, 3), 1), RETURN);
	CHECK_EQUAL(vga_revoke(slot(manager), area, slot(spare)), RETURN + VGA_WORN_OUT);
	CHECK_EQUAL(vga_fill(slot(spare), VGA_AREA(0, 0, 3, 3), 2), RETURN); /* as it was */
	CHECK_EQUAL(vga_revoke(slot(manager), VGA_AREA(9, 9, 1, 1), slot(spare)),
		    RETURN + VGA_WORN_OUT);
	CHECK_EQUAL(*last_generation(), UINT32_MAX);
	screen_end();
}

/* ---- batches and parameters -------------------------------------------------------------------
 */
/* In a batch: where its cells are, or it; NULL: no room. */
static uint16_t *step_add(struct batch *batch, struct vga_step step)
{
	uint32_t has_cells = step.operation <= vga_read_op;
	struct step *at = batch_add(batch, step.operation, step.area, step.argument,
				    has_cells ? VGA_CELLS(step.area) * 2 : 0);
	return at ? (uint16_t *)(at + 1) : NULL;
}
static uint32_t batch_call(slot_t door, uint32_t bytes, uint32_t *done)
{
	struct batch batch = {bytes};
	return vga_batch(door, &batch, done);
}

static struct vga_step random_step(uint32_t width, uint32_t height)
{
	struct vga_step step = {random_below(vga_cursor_to_op + 1), 0,
				random_below(0x10000) << 16 | random_below(0x10000)};
	uint32_t x = random_below(width), y = random_below(height);
	step.area = VGA_AREA(x, y, random_below(width - x) + 1, random_below(height - y) + 1);
	if (!random_below(8))
		step.area = random_below(1 << 24);
	if (step.operation == vga_scroll_op)
		step.argument = SCROLL_BY((int32_t)random_below(15) - 7, step.argument);
	return step;
}

TEST(vga_batch_is_the_same_as_its_steps_one_by_one)
{
	begin();
	seed = 42;
	struct door badge = {VGA_AREA(20, 5, 30, 12) | VGA_RIGHTS_CLIENT, 0};
	uint32_t door = badge_door(badge.area, 0), whole = 0;
	for (uint32_t round = 0; round < 300; round++) {
		struct vga_step steps[12];
		struct batch batch = {0};
		uint32_t count = 0, wanted = 0, done, status = 0;
		uint16_t *at[12];
		for (uint32_t wish = random_below(12) + 1; count < wish; count++) {
			steps[count] = random_step(30, 12);
			at[count] = step_add(&batch, steps[count]);
			if (!at[count])
				break;
			for (uint32_t i = 0;
			     steps[count].operation == vga_write_op &&
			     i < VGA_WIDTH(steps[count].area) * VGA_HEIGHT(steps[count].area);
			     i++)
				at[count][i] = random_below(0x10000);
		}
		uint32_t result = vga_batch(slot(door), &batch, &done);
		/* what is read lies in the batch; what was written still does */
		for (; wanted < count; wanted++) {
			uint32_t cells_count =
				VGA_WIDTH(steps[wanted].area) * VGA_HEIGHT(steps[wanted].area);
			_Bool is_read = steps[wanted].operation == vga_read_op;
			status = model_step(badge, steps[wanted], is_read ? cells : at[wanted]);
			if (status)
				break;
			if (is_read)
				CHECK(!memcmp(cells, at[wanted], cells_count * 2));
		}
		CHECK_EQUAL(result, RETURN + status);
		CHECK_EQUAL(done, wanted);
		whole += done == count;
		check_screen();
		if (model.cursor)
			CHECK_EQUAL(cursor_now(), model.cursor);
	}
	CHECK(whole > 50 && whole < 250);
	slot_give(door);
	screen_end();
}

TEST(vga_batch_that_is_none_is_refused_where_it_goes_wrong)
{
	begin();
	struct batch batch = {0};
	uint32_t bytes, done;
	struct vga_step fill = {vga_fill_op, VGA_AREA(0, 0, 1, 1), 0x3333};
	CHECK_EQUAL(batch_call(slot(manager), 0, &done), RETURN);
	CHECK_EQUAL(done, 0);
	CHECK_EQUAL(batch_call(slot(manager), PARAMETER_BYTES + 1, &done),
		    RETURN + SERVICE_BAD_ARGUMENT);
	CHECK_EQUAL(batch_call(slot(manager), 0xFFFFFFFF, &done), RETURN + SERVICE_BAD_ARGUMENT);
	static const uint32_t none[] = {vga_where_op,  vga_size_op,  vga_split_op,
					vga_revoke_op, vga_batch_op, 99};
	for (uint32_t i = 0; i < sizeof(none) / 4; i++) {
		batch.bytes = 0;
		step_add(&batch, fill);
		step_add(&batch, (struct vga_step){none[i], VGA_AREA(0, 0, 1, 1), 0});
		step_add(&batch, fill);
		CHECK_EQUAL(vga_batch(slot(manager), &batch, &done), RETURN + SERVICE_NO_OPERATION);
		CHECK_EQUAL(done, 1);
	}
	model.cell[0] = 0x3333;
	/* cut short in a step, and in its cells */
	bytes = 2 * sizeof(struct step) + 16;
	for (uint32_t cut = sizeof(struct step) + 1; cut < bytes; cut++) {
		batch.bytes = 0;
		step_add(&batch, fill);
		step_add(&batch, (struct vga_step){vga_write_op, VGA_AREA(0, 1, 7, 1), 0});
		CHECK_EQUAL(batch.bytes, bytes);
		CHECK_EQUAL(batch_call(slot(manager), cut, &done), RETURN + SERVICE_BAD_ARGUMENT);
		CHECK_EQUAL(done, 1);
	}
	batch.bytes = 0;
	step_add(&batch, (struct vga_step){vga_read_op, VGA_AREA(0, 0, 127, 31), 0});
	CHECK_EQUAL(batch.bytes, 0); /* it does not fit; so by hand */
	*(struct vga_step *)parameters() =
		(struct vga_step){vga_read_op, VGA_AREA(0, 0, 127, 31), 0};
	CHECK_EQUAL(batch_call(slot(manager), PARAMETER_BYTES, &done),
		    RETURN + SERVICE_BAD_ARGUMENT);
	check_screen();
	screen_end();
}

/* A client that calls nested says where the service's stack is: what it reads back from its own
 * cells would be return addresses there. */
TEST(vga_parameters_that_meet_the_services_stack_are_refused)
{
	begin();
	uint32_t refused = 0, done = 0;
	for (uint32_t i = 0; i < CELLS; i++)
		screen[i] = 0x4141;
	for (uint32_t room = 0; room < PAGE_BYTES; room += 16)
		for (uint32_t operation = 0; operation < 3; operation++) {
			struct registers registers = {
				.eax = slot(manager).encoded | OPTION_NESTED,
				.esp = DATA_PAGE + room,
				.esi = operation == 2 ? vga_batch_op : operation,
				.edi = operation == 2 ? PARAMETER_BYTES : VGA_AREA(0, 0, 80, 12),
				.eflags = FLAGS_PLAIN};
			memset(parameters(), 0, PARAMETER_BYTES);
			*(struct vga_step *)parameters() =
				(struct vga_step){vga_read_op, VGA_AREA(0, 0, 60, 16), 0};
			raw_invoke_at(&registers);
			_Bool is_room = room >= (operation == 2 ? 2048 : 80 * 12 * 2) + 1024 + 256;
			if (is_room)
				CHECK(registers.eax == RETURN ||
				      (operation == 2 && /* zeros behind the step are none */
				       registers.eax == RETURN + VGA_OUTSIDE));
			if (room < 2048 + 1024)
				CHECK(registers.eax == RETURN + SERVICE_NO_STACK ||
				      (operation != 2 && room >= 80 * 12 * 2 + 1024));
			refused += registers.eax == RETURN + SERVICE_NO_STACK;
			done += registers.eax != RETURN + SERVICE_NO_STACK;
		}
	CHECK(refused > 300 && done > 100);
	screen_end();
}

/* ---- by chance, beside the model --------------------------------------------------------------
 */
#define DOORS 8u
static struct door badges[DOORS];
static uint32_t doors[DOORS];

static void split_both(uint32_t from, uint32_t to, _Bool revokes)
{
	struct door badge = badges[from];
	struct vga_step step = random_step(VGA_WIDTH(badge.area), VGA_HEIGHT(badge.area));
	uint32_t area = step.area & VGA_AREA_BITS;
	uint32_t rights = badge.area & RIGHTS & ~(random_below(2) ? VGA_RIGHT_ANY : 0);
	uint32_t result = revokes ? vga_revoke(slot(doors[from]), area | rights, slot(doors[to]))
				  : vga_split(slot(doors[from]), area | rights, slot(doors[to]));
	uint32_t status = model_check(badge, area, rights | (revokes ? VGA_RIGHT_ANY : 0));
	if (revokes && rights & VGA_RIGHT_ANY)
		status = VGA_NOT_ALLOWED;
	struct door new = {VGA_AREA(VGA_X(badge.area) + VGA_X(area),
				    VGA_Y(badge.area) + VGA_Y(area), VGA_WIDTH(area),
				    VGA_HEIGHT(area)) |
				   rights,
			   badge.generation};
	if (!status && revokes)
		new.generation = ++model.last;
	if (!status && !revokes && badge.area & VGA_RIGHT_ANY)
		new.generation = model.generation[cell_at(badge, area, 0, 0)];
	for (uint32_t y = 0; !status && y < VGA_HEIGHT(area); y++) {
		if (revokes)
			for (uint32_t x = 0; x < VGA_WIDTH(area); x++)
				model.generation[cell_at(badge, area, x, y)] = model.last;
		else if (!(rights & VGA_RIGHT_ANY) &&
			 !row_is_valid((struct door){badge.area & ~VGA_RIGHT_ANY, new.generation},
				       area, y))
			status = badge.area & VGA_RIGHT_ANY ? VGA_MIXED : SERVICE_REVOKED;
	}
	CHECK_EQUAL(result, RETURN + status);
	if (!status)
		badges[to] = new;
}

TEST(vga_by_chance_it_does_what_the_model_does)
{
	begin();
	seed = 2026;
	uint32_t kinds[3] = {0};
	for (uint32_t i = 0; i < DOORS; i++) {
		badges[i] = (struct door){VGA_SCREEN | VGA_RIGHTS_ALL, 0};
		doors[i] = badge_door(badges[i].area, 0);
	}
	for (uint32_t round = 0; round < 4000; round++) {
		uint32_t i = random_below(3) ? random_below(DOORS) : 0, kind = random_below(8);
		struct door badge = badges[i];
		if (kind < 2) { /* the first one stays whole, so it never comes to an end */
			split_both(i, 1 + random_below(DOORS - 1), kind);
		} else {
			cells_make();
			step_both(doors[i], badge,
				  random_step(VGA_WIDTH(badge.area), VGA_HEIGHT(badge.area)));
		}
		kinds[kind < 2 ? kind : 2]++;
		if (round % 50 == 0) {
			check_screen();
			check_generations();
		}
	}
	check_screen();
	check_generations();
	test_note("%u splits, %u revocations of which %u happened, %u others", kinds[0], kinds[1],
		  model.last, kinds[2]);
	CHECK(kinds[0] > 300 && kinds[1] > 300 && model.last > 50);
	for (uint32_t i = 0; i < DOORS; i++)
		slot_give(doors[i]);
	screen_end();
}

TEST(vga_a_thousand_rectangles_cost_the_service_nothing)
{
	begin();
	uint32_t frames = frames_free();
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t area = VGA_AREA(i % 80, i / 80, 1, 1);
		CHECK_EQUAL(vga_revoke(slot(manager), area | VGA_RIGHT_WRITE, slot(spare)), RETURN);
		CHECK_EQUAL(vga_fill(slot(spare), VGA_AREA(0, 0, 1, 1), i), RETURN);
		model.cell[i] = i;
	}
	CHECK_EQUAL(frames_free(), frames);
	check_screen();
	screen_end();
}
