/* SPDX-License-Identifier: MIT */
/* The demonstration: in plain words, what lending a thread means. */
#include "demo.h"
#include "memory/memory_space.h"
#include "root.h"
#include "visitor/visitor.h"

#define STEPS_INSIDE 500u /* instructions of the scribe; the sum needs some 20,000 */

static struct domain scribe, visitor;
static struct thread thread;

/* A visitor's address space: its program, the numbers, a page for the answer, and three doors. */
static void visitor_make(uint32_t number)
{
	uint32_t to_scribe = domain_door(&scribe, number);
	domain_make(&visitor, "visitor", 0);
	domain_load(&visitor, "visitor");
	for (uint32_t page = 0; page < VISITOR_PAGES; page++) {
		static uint32_t words[PAGE_BYTES / 4];
		for (uint32_t i = 0; i < PAGE_BYTES / 4; i++)
			words[i] = page * (PAGE_BYTES / 4) + i + 1;
		domain_fill(&visitor, VISITOR_INPUT + page * PAGE_BYTES, words, PAGE_BYTES);
	}
	domain_page(&visitor, VISITOR_OUTPUT);
	domain_give(&visitor, VISITOR_SERIAL, console_slot);
	domain_give(&visitor, VISITOR_SCRIBE, to_scribe);
	if (screen_slot)
		domain_give(&visitor, VISITOR_SCREEN, screen_slot);
	slot_give(to_scribe);
	thread_make(&thread, "visitor", &visitor);
}

static void visitor_go(enum visitor_task task)
{
	thread_go(&thread, visitor.entry, 0, task);
}

static void visitor_end(void)
{
	thread_end(&thread);
	domain_end(&visitor);
}

static void until_inside(void)
{
	struct words state;
	if (!thread_run_into(&thread, &scribe, STEPS_INSIDE))
		root_fail("the visitor did not get as far as the scribe", 0);
	MUST(kernel_thread_read(slot(thread.object.slot), THREAD_FIELD_STATE, &state));
	print("     root: the visitor's thread is in the %s now, %u deep\n",
	      domain_by_index(state.w[2])->name, state.w[1]);
}

static void step(const char *text)
{
	static uint32_t number;
	print("\n  %u. %s\n", ++number, text);
}

static void lending(void)
{
	visitor_make(1);
	step("A client lends its thread: a call is a walk into another address space.");
	visitor_go(VISITOR_CALL);
	thread_run(&thread);

	step("It lends 8 MiB of windows and a capability; the service owns none of it.");
	visitor_go(VISITOR_LEND);
	thread_run(&thread);
	struct words time;
	MUST(kernel_thread_read(slot(thread.object.slot), THREAD_FIELD_TIME, &time));
	print("     root: the account of its thread says %u ticks, the service's work included\n",
	      time.w[0]);
	visitor_end();
}

static void killing(void)
{
	step("A client is killed in the middle of its call. There is nothing to clean up.");
	visitor_make(2);
	visitor_go(VISITOR_LONG);
	until_inside();
	uint32_t begun = cycles(), result = memory_drop(slot(memory_slot), thread.object.frame);
	uint32_t cost = cycles() - begun;
	if (result != RETURN)
		root_fail("the visitor's thread can't be killed", DOOR_ERROR(result));
	print("     root: killed by the memory service, for %u ticks\n", cost);
	visitor_end();

	step("The next one is served as if nothing had happened.");
	visitor_make(3);
	visitor_go(VISITOR_LEND);
	thread_run(&thread);

	step("Lent memory is taken back during the call: the service copes.");
	visitor_go(VISITOR_LONG);
	until_inside();
	begun = cycles();
	result = space_drop_table(&visitor.child->space, VISITOR_INPUT);
	cost = cycles() - begun;
	if (result != RETURN)
		root_fail("the lent page table stays", DOOR_ERROR(result));
	print("     root: the window's page table is dropped and empty, for %u ticks\n", cost);
	thread_run(&thread);
	visitor_end();
}

static void hostility(void)
{
	step("A hostile client tries to get more than it was given.");
	visitor_make(4);
	visitor_go(VISITOR_HOSTILE);
	if (thread_run(&thread) == DISPATCH_FAULTED) {
		print("     root: the hostile thread has stopped\n");
		fault_report(&thread);
	}
	visitor_end();
}

static uint64_t account_of(uint32_t account)
{
	uint64_t value;
	MUST(kernel_account(AUTHORITY, account, &value));
	return value;
}

/* Nobody has asked for a time so far, so the timer was never set; then somebody does. */
static void account_show(void)
{
	uint64_t elapsed = account_of(ACCOUNT_ELAPSED), idle = account_of(ACCOUNT_IDLE),
		 interrupts = account_of(ACCOUNT_INTERRUPTS);
	uint32_t bits;
	print("\n  Elapsed %llu ticks, interrupts took %llu, idling %llu: no tick without need.\n",
	      elapsed, interrupts, idle);
	MUST(kernel_wait(1, cycles() + boot_record->cycles_per_ms, &bits));
	print("  A millisecond asleep: interrupts took %llu, idling %llu.\n",
	      account_of(ACCOUNT_INTERRUPTS) - interrupts, account_of(ACCOUNT_IDLE) - idle);
}

_Bool demonstration(void)
{
	print("\n  %u MiB, %u frames free, %u kHz; ticks are those of the time stamp counter\n",
	      boot_record->low_end_frame >> 8, frames_free(), boot_record->cycles_per_ms);
	print("  (under QEMU's -icount: instructions).\n");
	domain_make(&scribe, "scribe", 0);
	domain_load(&scribe, "scribe");
	uint32_t frames = frames_free();
	lending();
	killing();
	hostility();
	uint32_t after = frames_free();
	print("\n  Frames free before the clients came: %u; after they went: %u.\n", frames, after);
	account_show();
	print("\n");
	return frames == after;
}
