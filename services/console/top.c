/* SPDX-License-Identifier: MIT */
/* `top`: whose the CPU was, of each second. */
#include "commands.h"
#include "console.h"
#include "serial/serial.h"
#include "text.h"

static const struct console_board *const board = (const struct console_board *)CONSOLE_BOARD;

/* Who can have the CPU: threads by their number on the board, then these. */
enum { INTERRUPTS = CONSOLE_THREADS_MAX, IDLE, ELAPSED, ENTRIES };
/* With the two lines beside them they fit into the screen's lower half. */
#define ROWS 10u

struct sample {
	uint64_t ticks[ENTRIES];
	uint32_t index[CONSOLE_THREADS_MAX]; /* of the thread's object: a number is used again */
};

_Bool thread_time(uint32_t number, uint64_t *ticks)
{
	struct words time;
	if (!board->thread[number].name[0] ||
	    kernel_thread_read(slot(CONSOLE_THREADS + number), THREAD_FIELD_TIME, &time))
		return 0;
	*ticks = (uint64_t)time.w[1] << 32 | time.w[0];
	return 1;
}

uint64_t account_time(uint32_t account)
{
	uint64_t ticks;
	return kernel_account(slot(CONSOLE_AUTHORITY), account, &ticks) ? 0 : ticks;
}

uint32_t share_of(uint64_t part, uint64_t whole)
{
	if (part >= whole)
		return whole ? 1000 : 0;
	for (; whole >> 54; whole >>= 1) /* so that the product fits */
		part >>= 1;
	return part * 1000 / whole;
}

static void sample_take(struct sample *sample)
{
	sample->ticks[ELAPSED] = account_time(ACCOUNT_ELAPSED);
	sample->ticks[INTERRUPTS] = account_time(ACCOUNT_INTERRUPTS);
	sample->ticks[IDLE] = account_time(ACCOUNT_IDLE);
	for (uint32_t i = 0; i < CONSOLE_THREADS_MAX; i++) {
		sample->index[i] = board->thread[i].index;
		if (!thread_time(i, &sample->ticks[i]))
			sample->ticks[i] = 0;
	}
}

/* What each had between the two, in place of the first. */
static void sample_subtract(struct sample *before, const struct sample *now)
{
	for (uint32_t i = 0; i < ENTRIES; i++) {
		_Bool is_same = i >= CONSOLE_THREADS_MAX || before->index[i] == now->index[i];
		uint64_t from = is_same ? before->ticks[i] : 0;
		before->ticks[i] = now->ticks[i] > from ? now->ticks[i] - from : 0;
	}
}

/* Serial terminals take a sequence for what the teletype on the screen does for one character. */
static void display_clear(void)
{
	static const char home_and_clear[] = "\x1b[H\x1b[2J";
	uint32_t serial = console_slot;
	serial_write(slot(serial), sizeof(home_and_clear) - 1, home_and_clear);
	console_slot = 0;
	print("\f");
	console_slot = serial;
}

static void row_show(const char *name, uint64_t ticks, uint64_t elapsed)
{
	uint32_t share = share_of(ticks, elapsed);
	print("  %-12s %3u.%u%%  %15llu\n", name, share / 10, share % 10, ticks);
}

static const char *name_of(uint32_t entry)
{
	return entry == INTERRUPTS ? "(interrupts)"
	       : entry == IDLE     ? "(idle)"
				   : board->thread[entry].name;
}

/* The largest first; what is left is of those that are not shown, or not on the board. */
static void shares_show(struct sample *difference)
{
	uint64_t *ticks = difference->ticks, elapsed = ticks[ELAPSED], rest = elapsed;
	display_clear();
	print("  thread        share            ticks   of %llu ms; a key ends this\n",
	      elapsed / board->cycles_per_ms);
	for (uint32_t row = 0; row + 1 < ROWS; row++) {
		uint32_t most = 0;
		for (uint32_t i = 0; i < ELAPSED; i++)
			if (ticks[i] > ticks[most])
				most = i;
		if (!ticks[most])
			break;
		row_show(name_of(most), ticks[most], elapsed);
		rest -= ticks[most] < rest ? ticks[most] : rest;
		ticks[most] = 0;
	}
	row_show("(others)", rest, elapsed);
}

void top_show(const char *argument)
{
	static struct sample samples[2];
	uint32_t now = 0;
	(void)argument;
	request(CONSOLE_TICKS);
	sample_take(&samples[now]);
	while (!wait_for_key(1u << CONSOLE_TICK)) {
		now ^= 1;
		sample_take(&samples[now]);
		sample_subtract(&samples[now ^ 1], &samples[now]);
		shares_show(&samples[now ^ 1]);
	}
	request(CONSOLE_TICKS_END);
}
