/* SPDX-License-Identifier: MIT */
/* See periodic.h. */
#include "periodic.h"
#include "ledger/ledger.h"
#include "scheduler.h"
#include "text.h"

static const struct periodic_plan *const plan = (const struct periodic_plan *)PERIODIC_PLAN;

static struct {
	uint32_t start, end; /* since the run's beginning */
	uint16_t tries;      /* sections that it began */
	uint16_t left;       /* ... and found a log that a stopped thread had committed */
} journal[PERIODIC_RUNS][PERIODIC_JOBS];
static uint32_t run, noted[PERIODIC_RUNS];

static void compute(uint32_t rounds)
{
	for (uint32_t i = 0; i < rounds; i++)
		asm volatile("" : : : "memory");
}

static uint32_t ledger(uint32_t operation, uint32_t units)
{
	uint32_t word = 0;
	door_call(slot(PERIODIC_LEDGER).encoded, operation, units, 0, &word);
	return word;
}

/* The request waits in the queue, and this thread lends its time to the server until it is served:
 * nothing quicker is possible for one that has to wait. */
static void served(uint32_t units)
{
	struct dispatch_result result;
	uint32_t before = ledger(LEDGER_DONE, 0);
	ledger(LEDGER_POST, units);
	while (ledger(LEDGER_DONE, 0) == before)
		kernel_dispatch(slot(PERIODIC_SERVER_THREAD), 1u << LEDGER_SERVED, DEADLINE_NEVER,
				LEDGER_SERVED << DISPATCH_BIT_SHIFT, &result);
}

static void job(uint64_t origin, uint32_t number)
{
	uint32_t tries = 0, left = 0, start = cycles() - origin;
	compute(plan->rounds);
	for (uint32_t i = 0; i < plan->calls; i++) {
		if (plan->design[run] == PERIODIC_SERVER) {
			served(plan->units);
			continue;
		}
		uint32_t word = ledger(LEDGER_WORK, plan->units);
		tries += LEDGER_TRIES(word);
		left += LEDGER_LEFT(word);
	}
	compute(plan->rounds);
	journal[run][number].end = cycles() - origin;
	journal[run][number].start = start;
	journal[run][number].tries = tries;
	journal[run][number].left = left;
}

static void journal_print(void)
{
	for (uint32_t r = 0; r < PERIODIC_RUNS; r++)
		for (uint32_t i = 0; i < noted[r]; i++)
			print("job %u %u %u %u %u %u %u\n", r, plan->number, i, journal[r][i].start,
			      journal[r][i].end, journal[r][i].tries, journal[r][i].left);
}

int main(uint32_t argument)
{
	uint64_t now = cycles(), origin, release;
	uint32_t bits;
	console_slot = PERIODIC_CONSOLE;
	run = PERIODIC_RUN_OF(argument);
	origin = now + (int32_t)((argument - run) - (uint32_t)now);
	release = origin + plan->phase;
	if (run >= PERIODIC_RUNS) {
		journal_print();
		return 0;
	}
	for (uint32_t i = 0; i < plan->jobs; i++) {
		release += plan->period;
		if (scheduler_wait_until(PERIODIC_PARENT, 0, release, &bits))
			return 1;
		job(origin, i);
		noted[run] = i + 1;
	}
	return 0;
}
