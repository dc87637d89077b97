/* SPDX-License-Identifier: MIT */
/* See periodic.h. */
#include "periodic.h"
#include "ledger/ledger.h"
#include "scheduler.h"
#include "text.h"

static const struct periodic_plan *const plan = (const struct periodic_plan *)PERIODIC_PLAN;

static struct job {
	uint32_t start, called, back, end; /* since the run's beginning */
	uint16_t tries;                    /* sections that it began */
	uint16_t left; /* ... and found a log that a stopped thread had committed */
} journal[PERIODIC_JOBS];
static uint32_t noted;

static void compute(uint32_t rounds)
{
	for (uint32_t i = 0; i < rounds; i++)
		asm volatile("" : : : "memory");
}

static const slot_t ledger = {PERIODIC_LEDGER};

static uint32_t served(void)
{
	uint32_t count = 0;
	ledger_served(ledger, &count);
	return count;
}

static void call_by_itself(struct job *job)
{
	for (uint32_t i = 0; i < plan->calls; i++) {
		uint16_t left, tries;
		ledger_work(ledger, plan->units, &left, &tries);
		job->tries += tries;
		job->left += left;
	}
}

/* Each request waits in the queue, and this thread lends its time to the server until it is served:
 * nothing quicker is possible for one that has to wait. */
static void call_and_lend(void)
{
	struct dispatch_result result;
	for (uint32_t i = 0; i < plan->calls; i++) {
		uint32_t before = served();
		ledger_post(ledger, plan->units);
		while (served() == before)
			kernel_dispatch(slot(PERIODIC_SERVER_THREAD), 1u << LEDGER_SERVED,
					DEADLINE_NEVER, LEDGER_SERVED << DISPATCH_BIT_SHIFT,
					&result);
	}
}

/* All requests lie in the queue before the server's slot begins. */
static void post_and_wait(void)
{
	uint32_t bits, before = served();
	for (uint32_t i = 0; i < plan->calls; i++)
		ledger_post(ledger, plan->units);
	while (served() - before < plan->calls)
		kernel_wait(1u << LEDGER_SERVED, DEADLINE_NEVER, &bits);
}

static struct job job_do(uint64_t origin, enum periodic_design design, uint32_t number)
{
	struct job job = {.start = cycles() - origin};
	compute(plan->rounds + number * plan->more);
	job.called = cycles() - origin;
	if (design == PERIODIC_LENDING)
		call_by_itself(&job);
	else if (design == PERIODIC_LENT)
		call_and_lend();
	else
		post_and_wait();
	job.back = cycles() - origin;
	compute(plan->rounds);
	job.end = cycles() - origin;
	return job;
}

static void journal_print(uint32_t run)
{
	for (uint32_t i = 0; i < noted; i++) {
		const struct job *job = &journal[i];
		print("job %u %u %u %u %u %u %u %u %u\n", run, plan->number, i, job->start,
		      job->called, job->back, job->end, job->tries, job->left);
	}
}

int main(uint32_t argument)
{
	uint32_t design = PERIODIC_LOW(argument), bits;
	console_slot = PERIODIC_CONSOLE;
	if (design == PERIODIC_DESIGNS) {
		journal_print(argument >> 2);
		return 0;
	}
	uint64_t now = cycles(), origin = now + (int32_t)(argument - design - (uint32_t)now);
	uint64_t release = origin + plan->phase;
	for (noted = 0; noted < PERIODIC_JOBS; noted++) {
		release += plan->period;
		if (scheduler_wait_until(PERIODIC_PARENT, 0, release, &bits))
			return 1;
		journal[noted] = job_do(origin, design, noted);
	}
	return 0;
}
