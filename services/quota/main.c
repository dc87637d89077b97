/* SPDX-License-Identifier: MIT */
/*
 * The quota allocator: see quota.h. Blocks are found by a tree (buddy system), whose nodes say how
 * large a block is to be had below them. A section changes one node; its ancestors are settled by
 * further sections, by whoever comes next: `unsettled` says from where on.
 */
#include "lock/lock.h"

#include "quota.server.h"

#define UNITS          (1u << QUOTA_UNITS_ORDER)
#define LEVELS_AT_ONCE 6u
#define SCANNED        64u
#define CLOSED         0x80000000u /* in a limit */

struct holder {
	uint32_t limit, used; /* frames: used <= limit */
	uint32_t life;        /* odd: there is one; what its doors must have */
};

/* By unit, a block's at its first one; 1 is the whole, the parts of i are 2i and 2i + 1: the order
 * in units of the largest block to be had there, plus one; 0: none. What is below a block that is
 * not free has the values of a free one. */
static struct holding units[UNITS];
static uint32_t tree[2 * UNITS];
static uint32_t unsettled; /* a node, 0: none. Nothing is taken or released meanwhile */
static struct holder accounts[QUOTA_ACCOUNTS];
static uint32_t units_order, unit_order, frames_free; /* of the extent in units, of a unit */

#define INLINE static inline __attribute__((always_inline))

/* ---- the tree -------------------------------------------------------------------------------- */
INLINE uint32_t node_order(uint32_t node)
{
	return units_order - (31 - (uint32_t)__builtin_clz(node));
}

/* The node of a free block of this order, in a part with as little to spare as possible. */
INLINE uint32_t node_find(uint32_t order)
{
	uint32_t node = 1;
	if (tree[1] <= order)
		return 0;
	while (node_order(node) > order) {
		uint32_t left = tree[2 * node], right = tree[2 * node + 1];
		_Bool goes_right = left <= order || (right > order && right < left);
		node = 2 * node + goes_right;
	}
	return node;
}

SECTION void settle_prepare(void)
{
	uint32_t node = unsettled, pairs = 0, child = 2 * node, value = tree[child];
	for (; node && pairs < LEVELS_AT_ONCE; node >>= 1, pairs++) {
		uint32_t full = node_order(node), other = tree[child ^ 1];
		if (value != full || other != full)
			value = value > other ? value : other;
		else
			value = full + 1;
		section_log(pairs, &tree[node], value);
		child = node;
	}
	section_log(pairs, &unsettled, node);
	return section_commit(pairs + 1);
}

/* ---- accounts -------------------------------------------------------------------------------- */
/* What an operation is about: which account's door came, and one block. */
struct job {
	struct holding_job block;
	struct badge badge;
	struct quota_account *read; /* where it goes */
	uint32_t account, frame, order, limit;
	uint32_t status;
};

#define DOOR_ACCOUNT(door) ((door)&0xFFu)

/* May the door do this at all, and with this account? 0 or why not. */
INLINE uint32_t door_refusal(const struct job *job, uint32_t right)
{
	uint32_t own = DOOR_ACCOUNT(job->badge.low);
	if (accounts[own].life != job->badge.high)
		return ALLOCATOR_ENDED;
	if (!(job->badge.low & right))
		return ALLOCATOR_NOT_ALLOWED;
	if (job->account != own && !(job->badge.low & QUOTA_MASTER))
		return ALLOCATOR_NOT_ALLOWED;
	if (job->account >= QUOTA_ACCOUNTS || !(accounts[job->account].life & 1))
		return ALLOCATOR_OUTSIDE;
	return 0;
}

SECTION void read_prepare(void)
{
	struct job *job = section_context();
	struct quota_account *read = job->read;
	job->status = door_refusal(job, QUOTA_USE);
	if (!job->status) {
		const struct holder *account = &accounts[job->account];
		read->limit = account->limit & ~CLOSED;
		read->used = account->used;
		read->closed = account->limit >> 31;
		read->free = frames_free;
		job->limit = account->life;
	}
	return section_commit(0);
}

SECTION void create_prepare(void)
{
	struct job *job = section_context();
	struct holder *master = &accounts[0];
	uint32_t number = 1;
	job->account = 0;
	job->status = door_refusal(job, QUOTA_MASTER);
	if (!job->status && job->limit > master->limit - master->used)
		job->status = ALLOCATOR_LIMIT;
	while (number < QUOTA_ACCOUNTS && accounts[number].life & 1)
		number++;
	if (!job->status && number == QUOTA_ACCOUNTS)
		job->status = ALLOCATOR_NONE_FREE;
	if (job->status)
		return section_commit(0);
	job->account = number;
	section_log(0, &master->used, master->used + job->limit);
	section_log(1, &accounts[number].limit, job->limit);
	section_log(2, &accounts[number].life, accounts[number].life + 1);
	return section_commit(3);
}

SECTION void close_prepare(void)
{
	struct job *job = section_context();
	job->status = door_refusal(job, QUOTA_MASTER);
	if (!job->status && !job->account) /* that would be for ever */
		job->status = ALLOCATOR_OUTSIDE;
	if (job->status)
		return section_commit(0);
	struct holder *account = &accounts[job->account];
	return section_commit_word(&account->limit, account->limit | CLOSED);
}

SECTION void remove_prepare(void)
{
	struct job *job = section_context();
	job->status = door_refusal(job, QUOTA_MASTER);
	if (!job->status && !job->account)
		job->status = ALLOCATOR_OUTSIDE;
	if (!job->status && accounts[job->account].used)
		job->status = ALLOCATOR_IN_USE;
	if (job->status)
		return section_commit(0);
	struct holder *account = &accounts[job->account];
	section_log(0, &accounts[0].used, accounts[0].used - (account->limit & ~CLOSED));
	section_log(1, &account->limit, 0);
	section_log(2, &account->life, account->life + 1);
	return section_commit(3);
}

/* ---- blocks ---------------------------------------------------------------------------------- */
#define UNSETTLED 0x100u /* a status for ourselves */

SECTION void take_prepare(void)
{
	struct job *job = section_context();
	struct holder *account = &accounts[job->account];
	uint32_t frames = 1u << job->order, node;
	job->status = door_refusal(job, QUOTA_USE);
	if (!job->status && account->limit & CLOSED)
		job->status = ALLOCATOR_LIMIT;
	if (!job->status && frames > account->limit - account->used)
		job->status = ALLOCATOR_LIMIT;
	if (!job->status && unsettled)
		job->status = UNSETTLED;
	node = job->status ? 0 : node_find(job->order - unit_order);
	if (!job->status && !node)
		job->status = ALLOCATOR_NONE_FREE;
	if (job->status)
		return section_commit(0);
	uint32_t unit = (node << (job->order - unit_order)) - (1u << units_order);
	struct holding *holding = &units[unit];
	job->block.holding = holding;
	job->block.frame = unit << unit_order;
	job->block.seen.state = HOLDING_STATE(HOLDING_RAISE_OUT, job->order, job->account);
	job->block.seen.generation = holding->generation + 1;
	job->block.seen.cursor = 0;
	section_log(0, &tree[node], 0);
	section_log(1, &unsettled, node >> 1);
	section_log(2, &holding->state, job->block.seen.state);
	section_log(3, &holding->generation, job->block.seen.generation);
	section_log(4, &holding->cursor, 0);
	section_log(5, &account->used, account->used + frames);
	section_log(6, &frames_free, frames_free - frames);
	return section_commit(7);
}

/* It has been raised and tidied: free for all. */
SECTION void release_prepare(void)
{
	struct job *job = section_context();
	struct holding *holding = job->block.holding;
	uint32_t order = HOLDING_ORDER(job->block.seen.state), frames = 1u << order;
	struct holder *account = &accounts[HOLDING_OWNER(job->block.seen.state) % QUOTA_ACCOUNTS];
	uint32_t unit = job->block.frame >> unit_order;
	uint32_t node = (unit + (1u << units_order)) >> (order - unit_order);
	job->status = 0;
	if (!holding_is_as_seen(&job->block))
		job->status = ALLOCATOR_MORE;
	else if (unsettled)
		job->status = UNSETTLED;
	if (job->status)
		return section_commit(0);
	section_log(0, &tree[node], order - unit_order + 1);
	section_log(1, &unsettled, node >> 1);
	section_log(2, &holding->state, HOLDING_STATE(HOLDING_FREE, 0, 0));
	section_log(3, &account->used, account->used - frames);
	section_log(4, &frames_free, frames_free + frames);
	return section_commit(5);
}

static void run_settled(section_prepare *prepare, struct job *job)
{
	section_run(prepare, job);
	while (job->status == UNSETTLED) {
		section_run(settle_prepare, job);
		section_run(prepare, job);
	}
	while (unsettled && !job->status) /* our own; not before we go, the next one would do it */
		section_run(settle_prepare, job);
}

/* The account's block at this frame; sets block.holding and what it is. */
INLINE uint32_t block_refusal(struct job *job)
{
	uint32_t unit = job->frame >> unit_order;
	struct holding *holding = &units[unit % UNITS];
	job->account = DOOR_ACCOUNT(job->badge.low);
	uint32_t refusal = door_refusal(job, QUOTA_USE | QUOTA_MASTER);
	if (refusal)
		return refusal;
	if (job->frame >= 1u << (units_order + unit_order) || job->frame & ((1u << unit_order) - 1))
		return ALLOCATOR_OUTSIDE;
	job->block.holding = holding;
	job->block.frame = job->frame;
	job->block.seen.state = holding->state;
	job->block.seen.generation = holding->generation;
	job->block.seen.cursor = holding->cursor;
	if (HOLDING_KIND(holding->state) == HOLDING_FREE)
		return ALLOCATOR_NOT_HELD;
	return HOLDING_OWNER(holding->state) == job->account || job->badge.low & QUOTA_MASTER
		       ? 0
		       : ALLOCATOR_NOT_HELD;
}

/* A held block; or one on its way out begins it anew, so that nobody else is still at it. */
SECTION void again_prepare(void)
{
	struct job *job = section_context();
	struct holding *seen = &job->block.seen;
	job->status = block_refusal(job);
	if (!job->status && (HOLDING_OWNER(seen->state) != job->account ||
			     HOLDING_KIND(seen->state) > HOLDING_HELD))
		job->status = ALLOCATOR_NOT_HELD;
	if (job->status || HOLDING_KIND(seen->state) == HOLDING_HELD)
		return section_commit(0);
	seen->state = HOLDING_STATE(HOLDING_RAISE_OUT, HOLDING_ORDER(seen->state), job->account);
	seen->generation++;
	section_log(0, &job->block.holding->state, seen->state);
	section_log(1, &job->block.holding->generation, seen->generation);
	return section_commit(2);
}

SECTION void give_prepare(void)
{
	struct job *job = section_context();
	struct holding *seen = &job->block.seen;
	job->status = block_refusal(job);
	if (job->status || HOLDING_KIND(seen->state) > HOLDING_HELD)
		return section_commit(0);
	if (seen->generation >= HOLDING_TOP) {
		job->status = ALLOCATOR_WORN_OUT;
		return section_commit(0);
	}
	seen->state = HOLDING_STATE(HOLDING_RAISE_BACK, HOLDING_ORDER(seen->state),
				    HOLDING_OWNER(seen->state));
	seen->generation++;
	seen->cursor = 0;
	section_log(0, &job->block.holding->state, seen->state);
	section_log(1, &job->block.holding->generation, seen->generation);
	section_log(2, &job->block.holding->cursor, 0);
	return section_commit(3);
}

SECTION void next_prepare(void)
{
	struct job *job = section_context();
	uint32_t unit = (job->frame + (1u << unit_order) - 1) >> unit_order;
	uint32_t end = unit + SCANNED, units_end = 1u << units_order;
	job->status = door_refusal(job, QUOTA_USE | QUOTA_MASTER);
	if (job->status)
		return section_commit(0);
	if (job->frame >= units_end << unit_order)
		unit = units_end;
	for (; unit < end && unit < units_end; unit++)
		if (HOLDING_KIND(units[unit].state) != HOLDING_FREE &&
		    HOLDING_OWNER(units[unit].state) == job->account)
			break;
	job->block.word = unit << unit_order;
	if (unit == units_end)
		job->status = ALLOCATOR_OUTSIDE;
	else if (unit == end)
		job->status = ALLOCATOR_MORE;
	else
		job->block.word = QUOTA_BLOCK(unit << unit_order, HOLDING_ORDER(units[unit].state));
	return section_commit(0);
}

/* ---- operations ------------------------------------------------------------------------------ */
static uint32_t block_word(const struct job *job)
{
	return QUOTA_BLOCK(job->block.frame, HOLDING_ORDER(job->block.seen.state));
}

/* What is raised, tidied and minted goes to the client. */
static uint32_t take_finish(struct job *job, uint32_t *word)
{
	struct holding_job *block = &job->block;
	uint32_t status;
	if (HOLDING_KIND(block->seen.state) == HOLDING_HELD) {
		status = holding_mint(block);
	} else {
		status = holding_go_on(block);
		block->next = block->seen;
		block->next.state =
			HOLDING_STATE(HOLDING_HELD, HOLDING_ORDER(block->seen.state), job->account);
		if (!status)
			status = holding_change(block);
	}
	*word = status == ALLOCATOR_REFUSED ? block->word : block_word(job);
	return status;
}

uint32_t quota_do_take_once(struct badge badge, uint32_t order, place_t to, uint32_t *block)
{
	struct job job;
	job.badge = badge;
	job.account = DOOR_ACCOUNT(badge.low);
	job.order = order < unit_order ? unit_order : order;
	if (job.order > units_order + unit_order)
		return ALLOCATOR_OUTSIDE;
	run_settled(take_prepare, &job);
	return job.status ?: take_finish(&job, block);
}

uint32_t quota_do_again_once(struct badge badge, uint32_t frame, place_t to, uint32_t *block)
{
	struct job job;
	job.badge = badge;
	job.frame = frame;
	section_run(again_prepare, &job);
	return job.status ?: take_finish(&job, block);
}

uint32_t quota_do_give_once(struct badge badge, uint32_t frame, uint32_t *value)
{
	struct job job;
	job.badge = badge;
	job.frame = frame;
	section_run(give_prepare, &job);
	if (job.status)
		return job.status;
	uint32_t status = holding_go_on(&job.block);
	if (status == ALLOCATOR_REFUSED)
		*value = job.block.word;
	if (status)
		return status;
	run_settled(release_prepare, &job);
	return job.status;
}

/* The others are one section each, about one account. */
static inline uint32_t account_run(section_prepare *prepare, struct badge badge, uint32_t account,
				   struct job *job)
{
	job->badge = badge;
	job->account = account;
	section_run(prepare, job);
	return job->status;
}

uint32_t quota_do_next_once(struct badge badge, uint32_t account, uint32_t from, uint32_t *value)
{
	struct job job;
	job.frame = from;
	account_run(next_prepare, badge, account, &job);
	*value = job.block.word;
	return job.status;
}

uint32_t quota_do_read(struct badge badge, uint32_t account, struct quota_account *read)
{
	struct job job;
	job.read = read;
	return account_run(read_prepare, badge, account, &job);
}

uint32_t quota_do_create(struct badge badge, uint32_t limit, uint32_t *account)
{
	struct job job;
	job.limit = limit;
	account_run(create_prepare, badge, 0, &job);
	*account = job.account;
	return job.status;
}

uint32_t quota_do_door(struct badge badge, uint32_t account, place_t to)
{
	struct job job;
	struct quota_account read;
	if (!(badge.low & QUOTA_MASTER))
		return ALLOCATOR_NOT_ALLOWED;
	job.read = &read;
	badge.low |= QUOTA_USE;
	if (account_run(read_prepare, badge, account, &job))
		return job.status;
	return kernel_door(slot(ALLOCATOR_SLOT_DOMAIN), to,
			   (uint64_t)job.limit << 32 | account | QUOTA_USE)
		       ? SERVICE_NO_RESULT
		       : 0;
}

uint32_t quota_do_close(struct badge badge, uint32_t account)
{
	struct job job;
	return account_run(close_prepare, badge, account, &job);
}

uint32_t quota_do_remove(struct badge badge, uint32_t account)
{
	struct job job;
	return account_run(remove_prepare, badge, account, &job);
}

/* ---- the start ------------------------------------------------------------------------------- */
/* `life`: what the badges of the master's doors have in their upper word. */
int main(uint32_t life)
{
	uint32_t order = allocator_begin();
	unit_order = order > QUOTA_UNITS_ORDER ? order - QUOTA_UNITS_ORDER : 0;
	units_order = order - unit_order;
	for (uint32_t node = 1; node < 2u << units_order; node++)
		tree[node] = node_order(node) + 1;
	frames_free = accounts[0].limit = 1u << order;
	accounts[0].life = life;
	return 0; /* from now on clients bring the thread */
}
