/* SPDX-License-Identifier: MIT */
/* See ledger.h. */
#include "lock.h"

#include "ledger.server.h"

#define POSTED  0u                                /* the server's event bit */
#define ENTRIES (LEDGER_CLIENTS * LEDGER_SUBPOOL) /* so it is never full: a power of two */

static uint32_t balance[SECTION_PAIRS];
/* Counters that only grow: entry i is at i % ENTRIES. `served` and `done` are the server's. */
static struct {
	uint32_t client, units;
} queue[ENTRIES];
static volatile uint32_t posted_all, served, posted[LEDGER_CLIENTS], done[LEDGER_CLIENTS];

static struct ledger_note notes[LEDGER_NOTES];
static uint32_t noted, notes_low, notes_length;

struct job {
	uint32_t client, units, tries, status;
};

/* As long as a section's effect can be: eight words. */
SECTION void work_prepare(void)
{
	struct job *job = section_context();
	job->tries++;
	section_log(0, &balance[0], balance[0] + job->units);
	section_log(1, &balance[1], balance[1] + job->units);
	section_log(2, &balance[2], balance[2] + job->units);
	section_log(3, &balance[3], balance[3] + job->units);
	section_log(4, &balance[4], balance[4] + job->units);
	section_log(5, &balance[5], balance[5] + job->units);
	section_log(6, &balance[6], balance[6] + job->units);
	section_log(7, &balance[7], balance[7] + job->units);
	return section_commit(8);
}

SECTION void post_prepare(void)
{
	struct job *job = section_context();
	uint32_t at = posted_all % ENTRIES;
	if (posted[job->client] - done[job->client] >= LEDGER_SUBPOOL) {
		job->status = LEDGER_FULL;
		return section_commit(0);
	}
	section_log(0, &queue[at].client, job->client);
	section_log(1, &queue[at].units, job->units);
	section_log(2, &posted[job->client], posted[job->client] + 1);
	section_log(3, &posted_all, posted_all + 1);
	return section_commit(4);
}

/* How often the section began. */
static uint32_t work(uint32_t units, _Bool *left_log)
{
	struct job job = {.units = units};
	for (uint32_t i = 0; i < units; i++)
		asm volatile("" : : : "memory");
	_Bool left = *(volatile uint32_t *)&LOCK->count != 0;
	section_run(work_prepare, &job);
	*left_log = left;
	return job.tries;
}

uint32_t ledger_do_work(struct badge badge, uint32_t units, uint16_t *left, uint16_t *tries)
{
	_Bool left_log;
	*tries = work(units % (LEDGER_UNITS + 1), &left_log);
	*left = left_log;
	return LEDGER_OK;
}

uint32_t ledger_do_post(struct badge badge, uint32_t units)
{
	struct job job = {.client = badge.low % LEDGER_CLIENTS,
			  .units = units % (LEDGER_UNITS + 1)};
	section_run(post_prepare, &job);
	if (job.status == LEDGER_OK)
		kernel_signal(slot(LEDGER_SERVER), 1u << POSTED);
	return job.status;
}

uint32_t ledger_do_served(struct badge badge, uint32_t *count)
{
	*count = done[badge.low % LEDGER_CLIENTS];
	return LEDGER_OK;
}

uint32_t ledger_do_reset(struct badge badge, uint32_t low, uint32_t length)
{
	if (badge.low != LEDGER_OWNER)
		return LEDGER_NOT_ALLOWED;
	served = posted_all;
	for (uint32_t i = 0; i < LEDGER_CLIENTS; i++)
		done[i] = posted[i];
	noted = 0;
	notes_low = low;
	notes_length = length;
	return LEDGER_OK;
}

uint32_t ledger_do_noted(struct badge badge, uint32_t number, struct ledger_note *note)
{
	if (badge.low != LEDGER_OWNER)
		return LEDGER_NOT_ALLOWED;
	if (number >= noted)
		return LEDGER_FULL;
	*note = notes[number];
	return LEDGER_OK;
}

uint32_t ledger_do_cost(struct badge badge, uint32_t *cost)
{
	struct job job = {0};
	uint32_t before = cycles();
	section_run(work_prepare, &job);
	*cost = cycles() - before;
	return LEDGER_OK;
}

static void note(uint32_t client, uint32_t begin)
{
	if (begin < notes_length && noted < LEDGER_NOTES)
		notes[noted++] = (struct ledger_note){client, begin, cycles() - notes_low};
}

/* The server's thread. A client without a thread in our list waits in no way: the signal fails. */
int main(void)
{
	for (;;) {
		uint32_t bits;
		while (served == posted_all)
			kernel_wait(1u << POSTED, DEADLINE_NEVER, &bits);
		uint32_t client = queue[served % ENTRIES].client, begin = cycles() - notes_low;
		_Bool left;
		work(queue[served % ENTRIES].units, &left);
		note(client, begin);
		done[client]++;
		served++;
		kernel_signal(slot(LEDGER_WAITERS + client), 1u << LEDGER_SERVED);
	}
}
