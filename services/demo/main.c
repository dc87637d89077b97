/* SPDX-License-Identifier: MIT */
/*
 * The root program of the menu's first entry: base services, of which the last is handed the
 * machine over; then, with what is left to it, the demonstration and the console, whose dispatcher
 * it is. While the console waits, so does this thread, unless others draw.
 */
#include "console/console.h"
#include "demo.h"
#include "root.h"

#define WOKEN 0u /* event bit: the console can go on */

static uint64_t tick_at = DEADLINE_NEVER; /* the console is told of seconds; the next one */

/* A word of the command line. */
static _Bool is_asked(const char *word)
{
	const char *line = boot_record->command_line;
	for (size_t length = strlen(word); *line; line++) {
		_Bool begins = line == boot_record->command_line || line[-1] == ' ';
		if (begins && !memcmp(line, word, length) && (!line[length] || line[length] == ' '))
			return 1;
	}
	return 0;
}

static uint64_t second_from_now(void)
{
	return cycles() + 1000ull * boot_record->cycles_per_ms;
}

/* What the console asked for, and it may go on. */
static void request_serve(slot_t console, uint32_t bits, _Bool success)
{
	if (bits & 1u << CONSOLE_POWEROFF)
		machine_end(success);
	if (bits & 1u << CONSOLE_BENCH)
		bench_run();
	if (bits & 1u << CONSOLE_ATTACK)
		attack_run();
	if (bits & 1u << CONSOLE_SCHEDULE)
		schedule_run();
	if (bits & 1u << CONSOLE_WINDOWS)
		windows_switch();
	if (bits & 1u << CONSOLE_TICKS)
		tick_at = second_from_now();
	if (bits & 1u << CONSOLE_TICKS_END)
		tick_at = DEADLINE_NEVER;
	if (bits & CONSOLE_REQUESTS) {
		console_tell();
		MUST(kernel_signal(console, 1u << CONSOLE_DONE));
	}
}

static void tick(slot_t console)
{
	if (cycles() < tick_at)
		return;
	tick_at = second_from_now();
	MUST(kernel_signal(console, 1u << CONSOLE_TICK));
}

static _Noreturn void console_run(slot_t console, _Bool success)
{
	const uint32_t mask = 1u << WOKEN | CONSOLE_REQUESTS;
	for (;;) {
		struct dispatch_result result;
		uint32_t bits = 0;
		MUST(kernel_dispatch(console, mask, tick_at, WOKEN << DISPATCH_BIT_SHIFT, &result));
		if (result.reason == DISPATCH_EVENT)
			bits = result.bits;
		else if (result.reason == DISPATCH_WAITING)
			bits = windows_run(mask, tick_at);
		else if (result.reason != DISPATCH_DEADLINE)
			root_fail("the console has ended", 0);
		request_serve(console, bits, success);
		tick(console);
	}
}

int main(void)
{
	root_begin();
	root_hand_over();
	_Bool success = demonstration();
	console_run(console_begin(is_asked("unattended")), success);
}
