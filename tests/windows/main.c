/* SPDX-License-Identifier: MIT */
/* Four painters at once, and a line of text below them: tests/e2e/windows_test.py looks at it. */
#include "root.h"
#include "scheduler.h"
#include "vga/vga.h"

#define ROUNDS 60u
#define COUNT  4u
#define ROW    (SLOTS_MAX - COUNT) /* far from slots that slot_take gives */

int main(void)
{
	static struct window windows[COUNT];
	static struct round_robin turns;
	static struct scheduler scheduler;
	root_begin();
	screen_use(VGA_AREA(0, VGA_ROWS - 1, VGA_COLUMNS, 1));
	print("\fdrawing");
	windows_open(windows, 2, 2, VGA_AREA(0, 0, VGA_COLUMNS, VGA_ROWS - 1), ROUNDS);
	for (uint32_t i = 0; i < COUNT; i++)
		MUST(kernel_copy(slot(ROW + i), slot(windows[i].thread.object.slot)));
	round_robin_begin(&turns, SLICE_MS * boot_record->cycles_per_ms);
	scheduler_begin(&scheduler, &turns.policy, SCHEDULER_IS_ROOT, ROW, COUNT);
	MUST(root_schedule(&scheduler, POLICY_NEVER));
	windows_close(windows, COUNT);
	print("\rall have drawn %u rounds", ROUNDS);
	for (;;) {
		uint32_t bits;
		MUST(kernel_wait(1, DEADLINE_NEVER, &bits));
	}
}
