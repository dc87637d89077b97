/* SPDX-License-Identifier: MIT */
/* The console while nothing happens. (A file of its own: what is measured in main.c shall not
 * depend on what else calls the same stubs.) */
#include "console/console.h"
#include "idle.h"
#include "root.h"

#define WOKEN 0u

/* Runs the console until it waits; what its thread has consumed since it was made. */
static uint64_t console_runs(slot_t console)
{
	struct dispatch_result result;
	struct words time;
	do
		MUST(kernel_dispatch(console, 1u << WOKEN, DEADLINE_NEVER,
				     WOKEN << DISPATCH_BIT_SHIFT, &result));
	while (result.reason == DISPATCH_EVENT);
	if (result.reason != DISPATCH_WAITING)
		root_fail("the console does not wait", 0);
	MUST(kernel_thread_read(console, THREAD_FIELD_TIME, &time));
	return (uint64_t)time.w[1] << 32 | time.w[0];
}

uint32_t console_idle(void)
{
	uint32_t bits;
	struct words time;
	slot_t console = console_begin(0);
	console_runs(console);
	MUST(kernel_signal(console, 1u << CONSOLE_KEY));
	uint64_t before = console_runs(console);
	MUST(kernel_wait(1u << WOKEN, cycles() + 1000ull * boot_record->cycles_per_ms, &bits));
	if (bits)
		root_fail("somebody woke the console", 0);
	MUST(kernel_thread_read(console, THREAD_FIELD_TIME, &time));
	uint32_t executed = ((uint64_t)time.w[1] << 32 | time.w[0]) - before;
	MUST(kernel_signal(console, 1u << CONSOLE_KEY)); /* its account does count */
	if (console_runs(console) - before < executed + 100)
		root_fail("the console is awake and its account does not grow", 0);
	print("\n");
	return executed;
}
