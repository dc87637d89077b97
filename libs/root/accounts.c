/* SPDX-License-Identifier: MIT */
/* Accounts of the quota allocator: each has one block at a time, of which domains are made. */
#include "allocator/allocator.h"
#include "block.h"
#include "maker.h"
#include "quota/quota.h"

#define ACCOUNTS_MAX  4u
#define JOB_FRAMES    (5u << CHILD_ORDER) /* what a job needs without an allocator, and some more */
#define WINDOWS       0x08400000u         /* of our space: a window into each block, 4 MiB apart */
#define WINDOW_AT(id) (WINDOWS + ((id)-1) * 0x400000u)
#define FRAMES_LEAST  (12u << 8) /* where there are less, half of them is too little for anybody */
#define LIFE          1u         /* upper word of the master's badge */

struct holder {
	const char *name;
	uint32_t order, number, door;
	uint32_t extent; /* slot; 0: it has no block */
	uint32_t frame;  /* the block's first, as the allocator counts */
	struct block block;
	uint32_t taken[POOL_WORDS(1u << ACCOUNT_ORDER)];
};
static struct holder accounts[ACCOUNTS_MAX];
uint32_t quota_slot;
static uint32_t accounts_count, quota_first;
static struct thread starter;
struct domain quota_domain;

_Bool quota_load(void)
{
	if (!module_find("quota") || boot_record->low_end_frame < FRAMES_LEAST)
		return 0;
	allocator_load(&quota_domain, "quota", &starter);
	return 1;
}

void quota_begin(uint32_t extent, uint32_t first)
{
	allocator_start(&starter, extent, LIFE);
	slot_give(extent); /* nobody else has ANY over these frames */
	quota_first = first;
	quota_slot = domain_door(&quota_domain, (uint64_t)LIFE << 32 | QUOTA_MASTER | QUOTA_USE);
	only_look(quota_domain.object.slot);
}

uint32_t quota_free(void)
{
	struct quota_account all = {0};
	if (quota_slot)
		MUST_RETURN(quota_read(slot(quota_slot), 0, &all));
	return all.free;
}

uint32_t holder_make(const char *name)
{
	struct holder *account = &accounts[accounts_count++];
	if (accounts_count > ACCOUNTS_MAX)
		root_fail("there are too many accounts", 0);
	*account = (struct holder){.name = name};
	if (quota_slot) {
		account->door = low_slot();
		MUST_RETURN(quota_create(slot(quota_slot), 1u << ACCOUNT_ORDER, &account->number));
		MUST_RETURN(quota_door(slot(quota_slot), account->number, slot(account->door)));
	}
	return accounts_count;
}

/* The block's own page table for the builder's window, in our directory, which is of another
 * extent. */
static void window_install(uint32_t directory_entry, const struct holder *account)
{
	MUST_RETURN(memory_install_lent(slot(memory_slot), slot(account->extent),
					boot_record->root_directory_frame, directory_entry,
					account->block.builder.window_table));
}

static void block_take(uint32_t id, struct holder *account)
{
	uint32_t taken;
	struct block *block = &account->block;
	account->extent = low_slot();
	MUST_RETURN(quota_take(slot(account->door), ACCOUNT_ORDER, slot(account->extent), &taken));
	account->frame = QUOTA_FRAME(taken);
	block->base = quota_first + account->frame;
	block->builder = (struct builder){.pool = &block->pool,
					  .window = WINDOW_AT(id),
					  .scratch = own_block.builder.scratch};
	pool_begin(&block->pool, slot(account->extent), 0, 1u << ACCOUNT_ORDER, account->taken);
	MUST_RETURN(pool_take(&block->pool, 1, 1, OBJECT_TABLE, &block->builder.window_table));
	window_install(WINDOW_AT(id) >> 22, account);
}

_Bool holder_use(uint32_t id)
{
	block_now = &own_block;
	if (!quota_slot)
		return pool_free(&own_block.pool) >= JOB_FRAMES;
	if (!accounts[id - 1].extent)
		block_take(id, &accounts[id - 1]);
	block_now = &accounts[id - 1].block;
	return 1;
}

void holder_use_own(void)
{
	block_now = &own_block;
}

void holder_leave(uint32_t id)
{
	uint32_t value;
	struct holder *account = &accounts[id - 1];
	if (!account->extent)
		return;
	MUST_RETURN(memory_remove(slot(memory_slot), boot_record->root_directory_frame,
				  WINDOW_AT(id) >> 22));
	MUST_RETURN(quota_give(slot(account->door), account->frame, &value));
	slot_give(account->extent);
	account->extent = 0;
}

_Bool holder_known(uint32_t id, const char **name, uint32_t *limit, uint32_t *used)
{
	struct quota_account read = {0};
	if (!id) {
		*name = "root";
		*limit = own_block.frames;
		*used = *limit - pool_free(&own_block.pool);
		return 1;
	}
	if (id > accounts_count || !quota_slot)
		return 0;
	MUST_RETURN(quota_read(slot(quota_slot), accounts[id - 1].number, &read));
	*name = accounts[id - 1].name;
	*limit = read.limit;
	*used = read.used;
	return 1;
}
