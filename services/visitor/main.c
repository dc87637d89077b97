/* SPDX-License-Identifier: MIT */
/* The demonstration's client, in four moods. Every cost is the difference of two stamps. */
#include "visitor.h"
#include "scribe/scribe.h"
#include "text.h"

static uint32_t stamp(void)
{
	return cycles();
}

/* What an empty pair of stamps costs. */
static uint32_t empty(void)
{
	uint32_t begun = stamp();
	return stamp() - begun;
}

static void plain_call(void)
{
	uint32_t cost = 0;
	for (uint32_t i = 0; i < 3; i++) { /* the first ones are colder */
		uint32_t begun = stamp();
		scribe_nothing(slot(VISITOR_SCRIBE));
		cost = stamp() - begun - empty();
	}
	print("     visitor: a call and its return cost me %u ticks\n", cost);
}

static void lend(uint32_t count)
{
	uint32_t sum = 0, begun = stamp();
	uint32_t result = scribe_sum(slot(VISITOR_SCRIBE), count, slot(VISITOR_SERIAL),
				     window(VISITOR_INPUT), window(VISITOR_OUTPUT), &sum);
	uint32_t cost = stamp() - begun - empty();
	if (DOOR_ERROR(result))
		print("     visitor: the kernel says %s\n", error_name(DOOR_ERROR(result)));
	else if (DOOR_STATUS(result) == SERVICE_REVOKED)
		print("     visitor: the scribe says that what I lent is gone; all is well\n");
	else
		print("     visitor: the scribe left %u in my memory, for %u ticks of mine\n",
		      *(volatile uint32_t *)VISITOR_OUTPUT, cost);
}

static void attempt(const char *what, uint32_t result)
{
	print("     hostile: %s: %s\n", what,
	      (int32_t)result < 0 ? "the service refuses"
	      : result            ? error_name(result)
				  : "IT WORKED");
}

/* Each of these asks for more than was lent. */
static void hostile(void)
{
	uint32_t value, cost = stamp(), result = door_call(77, 0, 0, 0, NULL);
	cost = stamp() - cost - empty();
	attempt("call through a slot that nobody gave me", result);
	attempt("use the slot lent to somebody else's call", door_call(SLOT_LENT, 0, 0, 0, NULL));
	attempt("lend the kernel's memory as a window",
		door_call_lend(VISITOR_SCRIBE | OPTION_WINDOWS, scribe_sum_op, 4, 0,
			       LEND_WINDOWS(0x300, 0x300), NULL));
	attempt("lend no memory, let the scribe run into it",
		door_call(VISITOR_SCRIBE, scribe_sum_op, 4, 0, NULL));
	attempt("make the scribe sum beyond the window",
		door_call(VISITOR_SCRIBE, scribe_sum_op, 0x40000000, 0, NULL));
	attempt("read the badge of its door",
		invoke_2(SLOT_SELF, self_badge_op, VISITOR_SCRIBE, 0));
	attempt("take slot 0 for something else",
		kernel_copy(slot(SLOT_SELF), slot(VISITOR_SCRIBE)));
	print("     hostile: read the kernel's memory: %s\n",
	      try_load((const uint32_t *)KERNEL_BASE, &value) ? "IT WORKED"
							      : "page fault, mine to handle");
	print("     hostile: write the page that says who runs: %s\n",
	      try_store((uint32_t *)TAG_PAGE, 1) ? "IT WORKED" : "page fault, mine to handle");
	print("     hostile: a refusal cost me %u ticks, and nobody else any\n", cost);
	asm volatile("cli"); /* a privileged instruction: not mine; this thread stops */
}

int main(uint32_t task)
{
	console_slot = VISITOR_SERIAL;
	screen_slot = VISITOR_SCREEN;
	if (task == VISITOR_CALL)
		plain_call();
	if (task == VISITOR_LEND)
		lend(VISITOR_WORDS);
	if (task == VISITOR_LONG)
		lend(VISITOR_LONG_WORDS);
	if (task == VISITOR_HOSTILE)
		hostile();
	return 0;
}
