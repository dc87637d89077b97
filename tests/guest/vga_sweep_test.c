/* SPDX-License-Identifier: MIT */
/*
 * The VGA service, one instruction after the other: a client is stopped after each instruction that
 * its call executes in the service. There others work, it is killed or aborted, or its rectangle is
 * taken and given to somebody else; then it goes on. Cells that are not its own stay as they are.
 */
#include "raw.h"
#include "vga_screen.h"

#define OLD       UNTOUCHED /* + number: in all cells at first */
#define FIRST     VGA_AREA(10, 5, 5, 4)
#define SECOND    VGA_AREA(15, 5, 5, 4)
#define PART      VGA_AREA(1, 1, 2, 2) /* of either: what operations work on */
#define ROW       VGA_AREA(1, 1, 2, 1) /* where one row tells as much as two */
#define WRITTEN   0x3000u
#define FILLED    0x4040u
#define TAKEN     0x5151u /* by whoever has the rectangle next */
#define SECRET    0x6000u /* + number: what the next one keeps in it */
#define NOTHING   0xDEADu
#define STEPS_MAX 900u

enum slot_there { SLOT_OWN = 1, SLOT_ANY, SLOT_RESULT };
enum task {
	WRITE,
	READ,
	FILL,
	SCROLL_UP,
	SCROLL_DOWN,
	CURSOR,
	WHERE,
	SIZE,
	BATCH,
	SPLIT,
	REVOKE,
	TASKS
};
static const char *const names[TASKS] = {"write",       "read",   "fill",  "scroll up",
					 "scroll down", "cursor", "where", "size",
					 "batch",       "split",  "revoke"};

static struct domain place[2];
static struct client clients[2];
static enum task task;
static volatile struct {
	uint32_t result, value;
	uint16_t cells[4];
} answer[2];
static uint16_t untouched[CELLS], wanted[CELLS]; /* the screen at first, and when all is well */

/* ---- what the clients do ----------------------------------------------------------------------
 */
static void written(uint16_t *cells, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		cells[i] = WRITTEN + i;
}
static _Bool batch_scrolls; /* not when stepped so often: it takes long */
static uint32_t batch(slot_t own, uint32_t *done)
{
	struct batch steps = {0};
	written(vga_write_step(&steps, ROW), 2);
	if (batch_scrolls)
		vga_scroll_step(&steps, PART, 1, FILLED);
	else
		vga_cursor_to_step(&steps, VGA_AREA(2, 1, 1, 1));
	return vga_batch(own, &steps, done);
}
static void works(uint32_t number)
{
	slot_t own = slot(SLOT_OWN), any = slot(SLOT_ANY), result_slot = slot(SLOT_RESULT);
	uint16_t cells[4] = {0};
	uint32_t result, value = 0;
	written(cells, 4);
	switch (number ? WRITE : task) { /* the second one always writes */
	case WRITE:
		result = vga_write(own, PART, cells);
		break;
	case READ:
		result = vga_read(own, ROW, cells);
		break;
	case FILL:
		result = vga_fill(own, ROW, FILLED);
		break;
	case SCROLL_UP:
		result = vga_scroll(own, PART, 1, FILLED);
		break;
	case SCROLL_DOWN:
		result = vga_scroll(own, PART, -1, FILLED);
		break;
	case CURSOR:
		result = vga_cursor(own, 2, 1);
		break;
	case WHERE:
		result = vga_where(own, &value);
		break;
	case SIZE:
		result = vga_size(own, &value);
		break;
	case BATCH:
		result = batch(own, &value);
		break;
	case SPLIT:
		result = vga_split(own, PART | VGA_RIGHT_WRITE, result_slot);
		if (result == RETURN)
			value = vga_fill(result_slot, VGA_AREA(0, 0, 2, 2), FILLED);
		break;
	default:
		result = vga_revoke(any, PART | VGA_RIGHT_WRITE, result_slot);
		if (result == RETURN)
			value = vga_fill(result_slot, VGA_AREA(0, 0, 2, 2), FILLED);
	}
	for (uint32_t i = 0; i < 4; i++)
		answer[number].cells[i] = cells[i];
	answer[number].value = value;
	answer[number].result = result;
}

/* The number of cell x, y of PART. */
static uint32_t part_cell(uint32_t number, uint32_t x, uint32_t y)
{
	return (6 + y) * VGA_COLUMNS + (number ? 16 : 11) + x;
}
static uint32_t value_wanted(void)
{
	switch (task) {
	case WHERE:
		return VGA_AREA(4, 3, 1, 1);
	case SIZE:
		return VGA_AREA(0, 0, 5, 4) | VGA_RIGHTS_CLIENT;
	case BATCH:
		return 2;
	case SPLIT:
	case REVOKE:
		return RETURN;
	default:
		return 0;
	}
}
/* Into `wanted`: what a client does to its part. */
static void want(uint32_t number)
{
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t x = i % 2, y = i / 2, at = part_cell(number, x, y);
		switch (number ? WRITE : task) {
		case WRITE:
			wanted[at] = WRITTEN + i;
			break;
		case SCROLL_UP:
			wanted[at] = y ? FILLED : OLD + part_cell(number, x, 1);
			break;
		case SCROLL_DOWN:
			wanted[at] = y ? OLD + part_cell(number, x, 0) : FILLED;
			break;
		case BATCH:
			wanted[at] = y ? OLD + at : WRITTEN + x;
			break;
		case FILL:
			wanted[at] = y ? OLD + at : FILLED;
			break;
		case SPLIT:
		case REVOKE:
			wanted[at] = FILLED;
			break;
		default:
			break;
		}
	}
}
static void check_answer(uint32_t number)
{
	CHECK_EQUAL(answer[number].result, RETURN);
	CHECK_EQUAL(answer[number].value, number ? 0 : value_wanted());
	for (uint32_t i = 0; !number && task == READ && i < 2; i++)
		CHECK_EQUAL(answer[0].cells[i], OLD + part_cell(0, i % 2, i / 2));
}

/* ---- the world --------------------------------------------------------------------------------
 */
static void client_new(uint32_t number)
{
	client_make(&clients[number], &place[number], works, number);
}
static void give(uint32_t number, uint32_t there, uint32_t area, uint32_t generation)
{
	uint32_t door = badge_door(area, generation);
	domain_give(&place[number], there, door);
	slot_give(door);
}
/* As at first, but for generations, which only grow. */
static void begin_anew(void)
{
	memcpy(screen, untouched, sizeof(untouched));
	memcpy(wanted, untouched, sizeof(untouched));
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t area = i ? SECOND : FIRST;
		MUST(DOOR_ERROR(vga_revoke(slot(manager), area, slot(spare))));
		give(i, SLOT_OWN, area | VGA_RIGHTS_CLIENT, *last_generation());
		answer[i].result = answer[i].value = NOTHING;
		client_restart(&clients[i], works, i);
	}
	give(0, SLOT_ANY, FIRST | VGA_RIGHTS_ALL, 0);
	MUST(DOOR_ERROR(vga_cursor(slot(manager), 14, 8)));
}
static void begin(void)
{
	screen_begin();
	memcpy(untouched, screen, sizeof(untouched));
	for (uint32_t i = 0; i < 2; i++) {
		peer_make(&place[i], "place");
		client_new(i);
	}
}
static void end(void)
{
	for (uint32_t i = 0; i < 2; i++) {
		client_end(&clients[i]);
		domain_end(&place[i]);
	}
	screen_end();
}
static _Bool is_as_wanted(void)
{
	const void *a = screen, *b = wanted;
	uint32_t left = sizeof(wanted) / 4;
	_Bool equal;
	asm volatile("repe cmpsl" : "=@cce"(equal), "+S"(a), "+D"(b), "+c"(left) : : "memory");
	return equal;
}
/* Exactly so; or, where the first client was cut short, old or new in its own cells. */
static void check_screen(_Bool is_cut_short)
{
	for (uint32_t i = 0; is_cut_short && i < 4; i++) {
		uint32_t at = part_cell(0, i % 2, i / 2), kind = screen[at] & 0xF000;
		CHECK(kind == (OLD & 0xF000) || kind == WRITTEN || kind == (FILLED & 0xF000));
		wanted[at] = screen[at];
	}
	for (uint32_t i = 0; i < CELLS && !is_as_wanted(); i++)
		CHECK_EQUAL(screen[i], wanted[i]);
}
static void other_works(void)
{
	client_restart(&clients[1], works, 1);
	answer[1].result = NOTHING;
	client_run(&clients[1]);
	check_answer(1);
	want(1);
}
static void check_all_well(void)
{
	check_answer(0);
	want(0);
	check_screen(0);
	CHECK_EQUAL(cursor_now(),
		    task == CURSOR || task == BATCH ? 6 * VGA_COLUMNS + 12 : 8 * VGA_COLUMNS + 14);
}

#define SPARSE 3u

/* After 1, 2, 3 ... instructions of the first client in the service, until it is out of it; or at
 * each third, beginning with another one each time. */
static uint32_t counts[2]; /* as `happens` says: nothing was lost by it, something was */
static void sweep_one(uint32_t (*happens)(void))
{
	static uint32_t turn;
	uint32_t steps, stride = sweeps_all() ? 1 : SPARSE;
	counts[0] = counts[1] = 0;
	for (steps = 1 + turn++ % stride; steps < STEPS_MAX; steps += stride) {
		begin_anew();
		CHECK(client_step_to_depth(&clients[0], 1));
		for (uint32_t i = 1; i < steps; i++)
			client_step(&clients[0]);
		if (client_depth(&clients[0]) != 1)
			break;
		counts[happens()]++;
		if (domain_lock(&vga)->count) { /* a killed one's commit: the next one does it */
			other_works();
			CHECK_EQUAL(domain_lock(&vga)->count, 0);
		}
	}
	CHECK(steps > 10 && steps < STEPS_MAX);
	if (!counts[1])
		return;
	/* too late, at the last instructions; in time, at all before */
	CHECK(counts[1] * stride > 50 && (counts[0] * stride > 5 || task == SPLIT));
	test_note("%s: %u instructions, at %u of them in time", names[task], steps - stride,
		  counts[1] * stride);
}
#define ALL                                                                                \
	(1u << WRITE | 1u << READ | 1u << FILL | 1u << CURSOR | 1u << WHERE | 1u << SIZE | \
	 1u << SPLIT | 1u << REVOKE)
static void sweep(uint32_t tasks, uint32_t (*happens)(void))
{
	begin();
	for (task = 0; task < TASKS; task++)
		if (tasks & 1u << task)
			sweep_one(happens);
	end();
}

/* ---- what happens -----------------------------------------------------------------------------
 */
static uint32_t is_preempted(void)
{
	other_works();
	client_run(&clients[0]);
	check_all_well();
	return 0;
}
TEST(vga_sweep_preempted_at_every_instruction_another_client_draws)
{
	sweep(ALL | 1u << SCROLL_DOWN, is_preempted);
}

/* Both at once: the other stands somewhere in the same service. */
static uint32_t meets_another(void)
{
	static uint32_t turn;
	uint32_t reason = DISPATCH_STEPPED;
	turn = turn * 5 + 17;
	for (uint32_t i = 0; i < turn % 197 && reason == DISPATCH_STEPPED; i++)
		reason = client_step(&clients[1]).reason;
	client_run(&clients[0]);
	if (reason == DISPATCH_STEPPED)
		client_run(&clients[1]);
	check_answer(1);
	want(1);
	check_all_well();
	return 0;
}
TEST(vga_sweep_stopped_at_every_instruction_beside_another_stopped_one)
{
	sweep(1u << WRITE | 1u << SCROLL_DOWN | 1u << CURSOR | 1u << WHERE | 1u << REVOKE,
	      meets_another);
}

static uint32_t is_killed(void)
{
	client_end(&clients[0]);
	other_works();
	check_screen(1);
	client_new(0); /* its successor, in the same frames */
	answer[0].result = NOTHING;
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t at = part_cell(0, i % 2, i / 2);
		screen[at] = wanted[at] = OLD + at;
	}
	/* what it had begun to revoke is revoked again */
	CHECK_EQUAL(vga_revoke(slot(manager), FIRST, slot(spare)), RETURN);
	give(0, SLOT_OWN, FIRST | VGA_RIGHTS_CLIENT, *last_generation());
	MUST(DOOR_ERROR(vga_cursor(slot(manager), 14, 8)));
	client_run(&clients[0]);
	check_all_well();
	return 0;
}
TEST(vga_sweep_killed_at_every_instruction_nobody_misses_it)
{
	sweep(ALL | 1u << SCROLL_UP | 1u << BATCH, is_killed);
}

static uint32_t is_aborted(void)
{
	CHECK_EQUAL(kernel_abort(slot(clients[0].thread.object.slot), 1, vga.object.frame), 0);
	other_works();
	client_run(&clients[0]);
	check_screen(1);
	CHECK_EQUAL(answer[0].result, ERROR_ABORTED);
	return 0;
}
TEST(vga_sweep_aborted_at_every_instruction_it_is_told_so)
{
	sweep(1u << WRITE | 1u << SPLIT, is_aborted);
}

/*
 * While it is frozen its rectangle is revoked and somebody else draws there. Thawed, it does not
 * write over that, nor read it, nor move the cursor, whatever it was about to do (R2).
 */
static void check_taken(void)
{
	for (uint32_t y = 5; y < 9; y++)
		for (uint32_t x = 10; x < 15; x++)
			wanted[y * VGA_COLUMNS + x] = TAKEN;
	check_screen(0);
	CHECK_EQUAL(cursor_now(), 7 * VGA_COLUMNS + 13);
}
static uint32_t is_frozen_and_revoked(void)
{
	CHECK_EQUAL(vga_revoke(slot(manager), FIRST | VGA_RIGHTS_CLIENT, slot(spare)), RETURN);
	uint32_t generation = *last_generation();
	CHECK_EQUAL(vga_fill(slot(spare), VGA_AREA(0, 0, 5, 4), TAKEN), RETURN);
	CHECK_EQUAL(vga_cursor(slot(spare), 3, 2), RETURN);
	client_run(&clients[0]);
	_Bool is_revoked = answer[0].result == RETURN + SERVICE_REVOKED ||
			   answer[0].value == RETURN + SERVICE_REVOKED;
	if (task == REVOKE && !is_revoked) { /* it was the later one: the part is its own */
		want(0);
		for (uint32_t i = 0; i < 4; i++)
			CHECK_EQUAL(screen[part_cell(0, i % 2, i / 2)], FILLED);
		CHECK_EQUAL(answer[0].value, RETURN);
		CHECK_EQUAL(*last_generation(), generation + 1);
		generation++;
	} else {
		CHECK(is_revoked || answer[0].result == RETURN);
		check_taken();
	}
	for (uint32_t i = 0; i < 4; i++) {
		CHECK_EQUAL(generation_of(part_cell(0, i % 2, i / 2)), generation);
		if (task == READ)
			CHECK(answer[0].cells[i] != TAKEN);
	}
	if (task == WHERE && !is_revoked)
		CHECK_EQUAL(answer[0].value, value_wanted());
	return is_revoked;
}
TEST(vga_sweep_frozen_at_every_instruction_and_revoked_it_leaves_alone_what_is_others)
{
	sweep(ALL | 1u << SCROLL_UP | 1u << BATCH, is_frozen_and_revoked);
}

/* ---- how deep ---------------------------------------------------------------------------------
 */
TEST(vga_stack_of_each_operation_is_less_than_a_kib)
{
	begin();
	batch_scrolls = 1;
	for (task = 0; task < TASKS; task++) {
		uint32_t steps = 0;
		begin_anew();
		stack_paint(&clients[0]);
		CHECK(client_step_to_depth(&clients[0], 1));
		while (client_step(&clients[0]).reason == DISPATCH_STEPPED)
			steps += client_depth(&clients[0]);
		check_answer(0);
		uint32_t bytes = stack_used(&clients[0]);
		test_note("%s: %u instructions in the service, %u bytes of stack", names[task],
			  steps, bytes);
		CHECK(bytes >= 8 && bytes < 1024);
	}
	batch_scrolls = 0;
	end();
}
