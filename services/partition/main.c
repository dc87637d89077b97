/* SPDX-License-Identifier: MIT */
/* The partition allocator: see partition.h. */
#include "lock/lock.h"

#include "partition.server.h"

static struct partition {
	struct holding holding;
	uint32_t life; /* raised when it is assigned and when it is taken back: what doors must have
			*/
} partitions[PARTITIONS_MAX];
static uint32_t count, order; /* of each, in frames */

struct job {
	struct holding_job block;
	uint32_t number, life, status;
};

static inline __attribute__((always_inline)) struct partition *partition_look(struct job *job)
{
	struct partition *partition = &partitions[job->number % PARTITIONS_MAX];
	job->block.holding = &partition->holding;
	job->block.frame = job->number << order;
	job->block.seen.state = partition->holding.state;
	job->block.seen.generation = partition->holding.generation;
	job->block.seen.cursor = partition->holding.cursor;
	job->status = 0;
	return partition;
}

/* The client's: begun anew if it was cut off on its way out, so that nobody else is still at it. */
SECTION void fetch_prepare(void)
{
	struct job *job = section_context();
	struct partition *partition = partition_look(job);
	struct holding *seen = &job->block.seen;
	if (partition->life != job->life)
		job->status = ALLOCATOR_ENDED;
	if (job->status || HOLDING_KIND(seen->state) == HOLDING_HELD)
		return section_commit(0);
	seen->state = HOLDING_STATE(HOLDING_RAISE_OUT, order, job->number);
	seen->generation++;
	section_log(0, &partition->holding.state, seen->state);
	section_log(1, &partition->holding.generation, seen->generation);
	return section_commit(2);
}

SECTION void look_prepare(void)
{
	struct job *job = section_context();
	job->life = partition_look(job)->life;
	return section_commit(0);
}

SECTION void assign_prepare(void)
{
	struct job *job = section_context();
	struct partition *partition = partition_look(job);
	if (HOLDING_KIND(job->block.seen.state) != HOLDING_FREE)
		job->status = ALLOCATOR_IN_USE;
	else if (job->block.seen.generation >= HOLDING_TOP)
		job->status = ALLOCATOR_WORN_OUT;
	if (job->status)
		return section_commit(0);
	section_log(0, &partition->holding.state,
		    HOLDING_STATE(HOLDING_RAISE_OUT, order, job->number));
	section_log(1, &partition->holding.generation, job->block.seen.generation + 1);
	section_log(2, &partition->holding.cursor, 0);
	section_log(3, &partition->life, partition->life + 1);
	return section_commit(4);
}

/* Its client's door ends here; or it is on its way already. */
SECTION void take_back_prepare(void)
{
	struct job *job = section_context();
	struct partition *partition = partition_look(job);
	struct holding *seen = &job->block.seen;
	if (HOLDING_KIND(seen->state) == HOLDING_FREE)
		job->status = ALLOCATOR_NOT_HELD;
	if (job->status || HOLDING_KIND(seen->state) > HOLDING_HELD)
		return section_commit(0);
	seen->state = HOLDING_STATE(HOLDING_RAISE_BACK, order, job->number);
	seen->generation++;
	seen->cursor = 0;
	section_log(0, &partition->holding.state, seen->state);
	section_log(1, &partition->holding.generation, seen->generation);
	section_log(2, &partition->holding.cursor, 0);
	section_log(3, &partition->life, partition->life + 1);
	return section_commit(4);
}

uint32_t partition_do_fetch_once(struct badge badge, place_t to, uint32_t *value)
{
	struct job job;
	struct holding_job *block = &job.block;
	if (badge.low & PARTITION_MASTER)
		return ALLOCATOR_NOT_ALLOWED;
	job.number = badge.low;
	job.life = badge.high;
	section_run(fetch_prepare, &job);
	if (job.status)
		return job.status;
	uint32_t status;
	if (HOLDING_KIND(block->seen.state) == HOLDING_HELD) {
		status = holding_mint(block);
	} else {
		status = holding_go_on(block);
		block->next = block->seen;
		block->next.state = HOLDING_STATE(HOLDING_HELD, order, job.number);
		if (!status)
			status = holding_change(block);
	}
	*value = !status ? order : status == ALLOCATOR_REFUSED ? block->word : 0;
	return status;
}

/* What only the master may do, with a number that a partition has. */
static uint32_t master_run(section_prepare *prepare, struct job *job, uint32_t badge,
			   uint32_t number)
{
	if (!(badge & PARTITION_MASTER))
		return ALLOCATOR_NOT_ALLOWED;
	if (number >= count)
		return ALLOCATOR_OUTSIDE;
	job->number = number;
	section_run(prepare, job);
	return job->status;
}

uint32_t partition_do_read(struct badge badge, uint32_t partition, uint32_t *kind)
{
	struct job job;
	uint32_t status = master_run(look_prepare, &job, badge.low, partition);
	if (!status)
		*kind = HOLDING_KIND(job.block.seen.state);
	return status;
}

uint32_t partition_do_take(struct badge badge, uint32_t partition)
{
	struct job job;
	return master_run(assign_prepare, &job, badge.low, partition);
}

uint32_t partition_do_door(struct badge badge, uint32_t partition, place_t to)
{
	struct job job;
	uint32_t status = master_run(look_prepare, &job, badge.low, partition);
	if (status)
		return status;
	if (!(job.life & 1))
		return ALLOCATOR_NOT_HELD;
	return kernel_door(slot(ALLOCATOR_SLOT_DOMAIN), to, (uint64_t)job.life << 32 | partition)
		       ? SERVICE_NO_RESULT
		       : 0;
}

uint32_t partition_do_take_back_once(struct badge badge, uint32_t partition, uint32_t *value)
{
	struct job job;
	uint32_t status = master_run(take_back_prepare, &job, badge.low, partition);
	if (!status)
		status = holding_go_on(&job.block);
	if (!status) {
		job.block.next = job.block.seen;
		job.block.next.state = HOLDING_STATE(HOLDING_FREE, order, partition);
		status = holding_change(&job.block);
	}
	if (status == ALLOCATOR_REFUSED)
		*value = job.block.word;
	return status;
}

/* `parts`: 2^parts partitions, fewer if there are not so many frames, or numbers. */
int main(uint32_t parts)
{
	uint32_t whole = allocator_begin();
	if (parts > whole)
		parts = whole;
	while (1u << parts > PARTITIONS_MAX)
		parts--;
	count = 1u << parts;
	order = whole - parts;
	return 0; /* from now on clients bring the thread */
}
