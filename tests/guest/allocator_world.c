/* SPDX-License-Identifier: MIT */
#include "allocator_world.h"

static uint32_t taken[32], taken_count;

uint32_t world_slot(void)
{
	uint32_t number = slot_take();
	CHECK(number < LIST_SLOTS && taken_count < 32);
	return taken[taken_count++] = number;
}

void slots_end(void)
{
	while (taken_count)
		slot_give(taken[--taken_count]);
}

struct domain quota;
uint32_t quota_master, quota_first, quota_frames;

void quota_make(uint32_t extent, uint32_t from, uint32_t frames)
{
	quota_first = from;
	quota_frames = frames;
	allocator_make(&quota, "quota", extent, 1);
	quota_master = world_slot();
	MUST(kernel_door(slot(quota.object.slot), slot(quota_master),
			 1ull << 32 | QUOTA_MASTER | QUOTA_USE));
}

void quota_unmake(void)
{
	quota_check();
	domain_end(&quota);
}

uint32_t account_make(uint32_t limit, uint32_t *door)
{
	uint32_t account = 0;
	*door = world_slot();
	OK(quota_create(slot(quota_master), limit, &account));
	OK(quota_door(slot(quota_master), account, slot(*door)));
	return account;
}

struct quota_account account_read(uint32_t account)
{
	struct quota_account read = {0};
	OK(quota_read(slot(quota_master), account, &read));
	return read;
}

uint32_t extent_begins(uint32_t extent)
{
	uint32_t badge;
	struct memory_frame frame;
	if (memory_extent(slot(extent), &badge, &frame) != RETURN)
		return NOTHING;
	return (badge >> 12) - first;
}

static uint8_t owner[MANAGED];
void accounts_check(void)
{
	memset(owner, 0, sizeof(owner));
	uint32_t used = 0, limits = 0, masters = 0, free = account_read(0).free;
	for (uint32_t account = 0; account < QUOTA_ACCOUNTS; account++) {
		struct quota_account read;
		if (quota_read(slot(quota_master), account, &read) != RETURN)
			continue;
		uint32_t block, frames = 0;
		for (uint32_t at = 0; quota_next(slot(quota_master), account, at, &block) == RETURN;
		     at = QUOTA_FRAME(block) + 1) {
			frames += 1u << QUOTA_ORDER(block);
			for (uint32_t i = 0; i < 1u << QUOTA_ORDER(block); i++)
				CHECK(!owner[quota_first + QUOTA_FRAME(block) + i]++);
		}
		CHECK(read.used <= read.limit);
		limits += account ? read.limit : 0;
		used += frames;
		if (account)
			CHECK_EQUAL(read.used, frames);
		else
			masters = frames;
	}
	CHECK_EQUAL(used + free, quota_frames);
	CHECK_EQUAL(account_read(0).used, masters + limits);
}

void quota_check(void)
{
	accounts_check();
	memory_check();
	for (uint32_t i = quota_first; i < quota_first + quota_frames; i++)
		if (!owner[i])
			CHECK(TYPE(i) == MEMORY_CLEAN || TYPE(i) == MEMORY_DIRTY);
}
