/* SPDX-License-Identifier: MIT */
/* Blocks change hands: the sections. */
#include "lock/lock.h"

#include "allocator.h"

#define RAISES_AT_ONCE 4u

SECTION void change_prepare(void)
{
	struct holding_job *job = section_context();
	job->status = 0;
	if (!holding_is_as_seen(job)) {
		job->status = ALLOCATOR_MORE;
		return section_commit(0);
	}
	section_log(0, &job->holding->state, job->next.state);
	section_log(1, &job->holding->generation, job->next.generation);
	section_log(2, &job->holding->cursor, job->next.cursor);
	return section_commit(3);
}

uint32_t holding_change(struct holding_job *job)
{
	section_run(change_prepare, job);
	if (!job->status)
		job->seen = job->next;
	return job->status;
}

static uint32_t raise(struct holding_job *job)
{
	for (uint32_t i = 0; i < RAISES_AT_ONCE; i++) {
		uint32_t status = holding_raise(job);
		if (status && status != ALLOCATOR_MORE)
			return status;
		if (!status) {
			job->next = job->seen;
			job->next.state++; /* RAISE -> TIDY */
			return holding_change(job);
		}
		if (holding_change(job)) /* a higher one: committed before it is used */
			break;
	}
	return ALLOCATOR_MORE;
}

uint32_t holding_go_on(struct holding_job *job)
{
	uint32_t kind = HOLDING_KIND(job->seen.state), status = 0;
	if (kind == HOLDING_RAISE_OUT || kind == HOLDING_RAISE_BACK)
		status = raise(job);
	if (!status)
		status = holding_mint(job);
	if (status)
		return status;
	job->next = job->seen;
	status = holding_tidy(job);
	if (job->next.cursor != job->seen.cursor && holding_change(job))
		return ALLOCATOR_MORE;
	return status;
}
