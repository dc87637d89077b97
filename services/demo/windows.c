/* SPDX-License-Identifier: MIT */
/* Programs that draw while the console waits: see demo.h. */
#include "console/console.h"
#include "demo.h"
#include "root.h"
#include "vga/vga.h"

#define SIDE  2u /* windows in a row, and in a column */
#define COUNT (SIDE * SIDE)
#define UPPER VGA_AREA(0, 0, VGA_COLUMNS, VGA_ROWS / 2)
#define LOWER VGA_AREA(0, VGA_ROWS / 2, VGA_COLUMNS, VGA_ROWS - VGA_ROWS / 2)

static struct window windows[COUNT];
static uint32_t left; /* that go on */

/* An empty part of the screen for the console and for what is printed here. */
static void part_take(uint32_t area)
{
	screen_use(area);
	vga_cursor(slot(screen_slot), 0, 0);
	console_screen(screen_slot);
}

void windows_switch(void)
{
	static _Bool are_open;
	static uint32_t account;
	if (!vga_slot)
		return;
	if (!account)
		account = holder_make("windows");
	if (are_open) {
		windows_close(windows, COUNT);
		holder_leave(account);
		part_take(VGA_SCREEN);
	} else if (holder_use(account)) {
		part_take(LOWER);
		windows_open(windows, SIDE, SIDE, UPPER, 0);
		holder_use_own();
	} else {
		print("too little memory is left\n");
		return;
	}
	are_open = !are_open;
	left = are_open ? COUNT : 0;
}

uint32_t windows_run(uint32_t mask, uint64_t deadline)
{
	static uint32_t next;
	struct dispatch_result result;
	uint32_t bits;
	while (left) {
		uint64_t present = cycles();
		uint64_t end = present + (uint64_t)SLICE_MS * boot_record->cycles_per_ms;
		if (present >= deadline)
			return 0;
		slot_t thread = slot(windows[next++ % COUNT].thread.object.slot);
		uint32_t error = kernel_dispatch(thread, mask, end, 0, &result);
		if (!error && result.reason == DISPATCH_EVENT)
			return result.bits;
		left = error || result.reason != DISPATCH_DEADLINE ? left - 1 : COUNT;
	}
	MUST(kernel_wait(mask, deadline, &bits));
	return bits;
}
