/* SPDX-License-Identifier: MIT */
/* Four painters at once, and a line of text below them: tests/e2e/windows_test.py looks at it. */
#include "root.h"
#include "vga/vga.h"

#define ROUNDS 60u

int main(void)
{
	static struct window windows[4];
	struct thread *threads[4];
	root_begin();
	screen_use(VGA_AREA(0, VGA_ROWS - 1, VGA_COLUMNS, 1));
	print("\fdrawing");
	windows_open(windows, 2, 2, VGA_AREA(0, 0, VGA_COLUMNS, VGA_ROWS - 1), ROUNDS);
	for (uint32_t i = 0; i < 4; i++)
		threads[i] = &windows[i].thread;
	round_robin(threads, 4);
	windows_close(windows, 4);
	print("\rall have drawn %u rounds", ROUNDS);
	for (;;) {
		uint32_t bits;
		MUST(kernel_wait(1, DEADLINE_NEVER, &bits));
	}
}
