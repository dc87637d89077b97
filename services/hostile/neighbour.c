/* SPDX-License-Identifier: MIT */
/* Hostile neighbours of periodic tasks, in the experiment `isolation`. */
#include "neighbour.h"
#include "ledger/ledger.h"
#include "ports.h"
#include "quota/quota.h"
#include "text.h"

extern const char program_start[];

void neighbour_begin(void)
{
	for (uint32_t i = 1; i < HOSTILE_STORED; i++)
		kernel_copy(slot(i), slot(HOSTILE_STORE + i)); /* fails where nothing is stored */
}

/* ---- what each does -------------------------------------------------------------------------- */
/* Preempted at any instruction, so also inside, with its effect committed and not yet stored. */
static _Noreturn void ledger_hammer(void)
{
	for (;;) {
		uint32_t posts = chance() % 2;
		ledger_work(slot(HOSTILE_LEDGER_DOOR), 0, NULL, NULL);
		if (posts)
			ledger_post(slot(HOSTILE_LEDGER_DOOR), LEDGER_UNITS);
	}
}

static _Noreturn void hoard(void)
{
	for (;;) {
		uint32_t frames[HOSTILE_HOARDED], taken = 0, value;
		while (taken < HOSTILE_HOARDED &&
		       quota_take(slot(HOSTILE_MEMORY), 0, slot(HOSTILE_FRAMES + taken),
				  &frames[taken]) == RETURN) {
			memory_clean(slot(HOSTILE_FRAMES + taken), 0, 1);
			memory_become(slot(HOSTILE_FRAMES + taken), 0, 1, OBJECT_TABLE);
			taken++;
		}
		while (taken--)
			quota_give(slot(HOSTILE_MEMORY), QUOTA_FRAME(frames[taken]), &value);
		/* and what one had that was stopped in between */
		if (quota_next(slot(HOSTILE_MEMORY), 0, 0, &value) == RETURN)
			quota_give(slot(HOSTILE_MEMORY), QUOTA_FRAME(value), &value);
	}
}

static _Noreturn void kill(void)
{
	for (;;) {
		slot_t thread = slot(HOSTILE_THREADS + chance() % HOSTILE_THREADS_MAX);
		if (chance() % 4)
			kernel_abort(thread, chance() % 4, 0);
		else
			kernel_thread_stop(thread);
		kernel_thread_start(thread, (uint32_t)(uintptr_t)program_start, DATA_STACK,
				    HOSTILE_ARGUMENT(HOSTILE_LEDGER, chance() & 0xFF));
	}
}

/* ---- interrupts ------------------------------------------------------------------------------ */
#define KEYBOARD_PORT    0x60u
#define KEYBOARD_CONTROL 0x64u
#define KEYBOARD_FAKE    0xD2u /* the byte that follows is as if it were typed: line 1 */
#define MOUSE_FAKE       0xD3u /* ... as if it came from the mouse: line 12 */
#define CONFIGURE        0x60u
#define BOTH_LINES       0x47u

static void keyboard_write(uint8_t command, uint8_t value)
{
	port_write(KEYBOARD_CONTROL, command);
	port_write(KEYBOARD_PORT, value);
}

static _Noreturn void interrupt(void)
{
	keyboard_write(CONFIGURE, BOTH_LINES);
	for (;;) {
		for (uint32_t line = 0; line < 2; line++)
			kernel_irq_acknowledge(slot(HOSTILE_LINES + line));
		keyboard_write(KEYBOARD_FAKE, 0x1E);
		port_read(KEYBOARD_PORT);
		keyboard_write(MOUSE_FAKE, 0);
		port_read(KEYBOARD_PORT);
	}
}

/* ---- the warden ------------------------------------------------------------------------------ */
#define SHORTEST 100u
#define LONGEST  16384u

static const char *const tasks[HOSTILE_TASKS] = {
	[HOSTILE_CASE] = "fault",  [HOSTILE_CHANCE] = "invoke", [HOSTILE_SPIN] = "spin",
	[HOSTILE_DEEP] = "deep",   [HOSTILE_WIPE] = "wipe",     [HOSTILE_LEDGER] = "ledger",
	[HOSTILE_HOARD] = "hoard", [HOSTILE_KILL] = "kill",     [HOSTILE_INTERRUPT] = "interrupt"};
static struct {
	uint32_t starts, slices, ended, faulted, waited, refused;
} counts[HOSTILE_TASKS];

static enum hostile_task task_choose(void)
{
	uint32_t task = chance() % (2 * HOSTILE_INTERRUPT); /* half of them the ledger's */
	return task < HOSTILE_INTERRUPT ? task : HOSTILE_LEDGER;
}

static void child_start(slot_t thread, enum hostile_task *task)
{
	*task = task_choose();
	kernel_thread_stop(thread);
	kernel_thread_start(thread, (uint32_t)(uintptr_t)program_start, DATA_STACK,
			    HOSTILE_ARGUMENT(*task, chance() & 0xFFFF));
	counts[*task].starts++;
}

/* True: it goes on from where it is. */
static _Bool child_run(slot_t thread, enum hostile_task task)
{
	struct dispatch_result result;
	uint64_t until = cycles() + SHORTEST + chance() % LONGEST;
	if (kernel_dispatch(thread, 0, until, 0, &result)) {
		counts[task].refused++; /* another one has stopped it */
		return 0;
	}
	counts[task].slices++;
	counts[task].ended += result.reason == DISPATCH_ENDED;
	counts[task].faulted += result.reason == DISPATCH_FAULTED;
	counts[task].waited += result.reason == DISPATCH_WAITING;
	return (result.reason == DISPATCH_DEADLINE || result.reason == DISPATCH_CUT) &&
	       chance() % 32;
}

static _Noreturn void warden(void)
{
	enum hostile_task task[HOSTILE_WARDED];
	for (uint32_t i = 0; i < HOSTILE_WARDED; i++)
		child_start(slot(HOSTILE_THREADS + i), &task[i]);
	for (;;) {
		uint32_t i = chance() % HOSTILE_WARDED;
		if (!child_run(slot(HOSTILE_THREADS + i), task[i]))
			child_start(slot(HOSTILE_THREADS + i), &task[i]);
	}
}

static void warden_report(void)
{
	console_slot = HOSTILE_CONSOLE;
	for (uint32_t i = 0; i < HOSTILE_TASKS; i++)
		if (counts[i].starts)
			print("neighbour %s %u %u %u %u %u %u\n", tasks[i], counts[i].starts,
			      counts[i].slices, counts[i].ended, counts[i].faulted,
			      counts[i].waited, counts[i].refused);
}

void neighbour_run(enum hostile_task task)
{
	switch (task) {
	case HOSTILE_LEDGER:
		ledger_hammer();
	case HOSTILE_HOARD:
		hoard();
	case HOSTILE_KILL:
		kill();
	case HOSTILE_INTERRUPT:
		interrupt();
	case HOSTILE_WARDEN:
		warden();
	case HOSTILE_WARDEN_REPORT:
		warden_report();
		break;
	default:
		break;
	}
}
