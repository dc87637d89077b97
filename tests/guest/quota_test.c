/* SPDX-License-Identifier: MIT */
/* The quota allocator: every operation, every status, and clients who want more than they have. */
#include "allocator_world.h"

static uint32_t mine, others, account, other_account, got, got_too;

static void begin(void)
{
	memory_make();
	quota_make(all, 0, MANAGED);
	account = account_make(20, &mine);
	other_account = account_make(30, &others);
	got = world_slot();
	got_too = world_slot();
}

static void end(void)
{
	quota_unmake();
	slots_end();
	memory_unmake();
}

/* A block of the account, in a slot; its first frame. */
static uint32_t take(uint32_t door, uint32_t order, uint32_t to)
{
	uint32_t block = 0;
	OK(quota_take(slot(door), order, slot(to), &block));
	CHECK_EQUAL(QUOTA_ORDER(block), order);
	CHECK_EQUAL(extent_begins(to), QUOTA_FRAME(block));
	return QUOTA_FRAME(block);
}
#define GIVE(door, frame) quota_give(slot(door), frame, NULL)

TEST(quota_takes_within_the_limit_and_gives_back)
{
	uint32_t block;
	begin();
	CHECK_EQUAL(account_read(0).used, 50);
	uint32_t large = take(mine, 4, got);
	SAYS(ALLOCATOR_LIMIT, quota_take(slot(mine), 3, slot(got_too), &block));
	uint32_t small = take(mine, 2, got_too);
	SAYS(ALLOCATOR_LIMIT, quota_take(slot(mine), 0, slot(got_too), &block));
	CHECK_EQUAL(account_read(account).used, 20);
	CHECK_EQUAL(account_read(account).free, 44);
	quota_check();
	/* it is memory, all of it, with all rights of a client */
	for (uint32_t i = 0; i < 16; i++)
		CHECK_EQUAL(TYPE(large + i), MEMORY_CLEAN);
	OK(memory_become(slot(got), 0, 1, OBJECT_TABLE));
	OK(memory_become(slot(got), 1, 15, OBJECT_NONE));
	OK(memory_map(slot(got), 0, 0, MEMORY_ENTRY_WRITE, 1, 15, NULL));
	SAYS(MEMORY_NOT_ALLOWED, memory_revoke(slot(got), 0, 1, 1000));
	SAYS(MEMORY_OUTSIDE, memory_clean(slot(got), 16, 1));
	SAYS(MEMORY_OUTSIDE, memory_clean(slot(got_too), 4, 1));
	quota_check();
	OK(GIVE(mine, large));
	SAYS(MEMORY_STALE, memory_clean(slot(got), 0, 1));
	CHECK_EQUAL(account_read(account).used, 4);
	SAYS(ALLOCATOR_NOT_HELD, GIVE(mine, large));
	quota_check();
	OK(GIVE(mine, small));
	CHECK_EQUAL(account_read(account).free, MANAGED);
	end();
}

TEST(quota_has_all_again_however_it_was_cut_up)
{
	uint32_t frames[MANAGED], block;
	begin();
	OK(quota_remove(slot(quota_master), account));
	OK(quota_remove(slot(quota_master), other_account));
	for (uint32_t order = 0; order <= MANAGED_ORDER; order++) {
		for (uint32_t i = 0; i < MANAGED >> order; i++)
			frames[i] = take(quota_master, order, got);
		SAYS(ALLOCATOR_LIMIT, quota_take(slot(quota_master), 0, slot(got), &block));
		quota_check();
		for (uint32_t i = 0; i < MANAGED >> order; i++)
			OK(GIVE(quota_master, frames[i * 5 % (MANAGED >> order)]));
		quota_check();
	}
	OK(GIVE(quota_master, take(quota_master, MANAGED_ORDER, got)));
	end();
}

TEST(quota_refuses_what_there_is_not)
{
	uint32_t block, value;
	struct quota_account read;
	begin();
	uint32_t frame = take(mine, 2, got);
	SAYS(ALLOCATOR_OUTSIDE, quota_take(slot(mine), MANAGED_ORDER + 1, slot(got_too), &block));
	SAYS(ALLOCATOR_OUTSIDE, quota_take(slot(mine), ~0u, slot(got_too), &block));
	SAYS(ALLOCATOR_OUTSIDE, quota_again(slot(mine), MANAGED, slot(got_too), &block));
	SAYS(ALLOCATOR_OUTSIDE, quota_again(slot(mine), ~0u, slot(got_too), &block));
	SAYS(ALLOCATOR_OUTSIDE, GIVE(mine, MANAGED));
	SAYS(ALLOCATOR_NOT_HELD, quota_again(slot(mine), frame + 1, slot(got_too), &block));
	SAYS(ALLOCATOR_NOT_HELD, GIVE(mine, frame + 1));
	SAYS(ALLOCATOR_OUTSIDE, quota_next(slot(mine), account, frame + 1, &block));
	SAYS(ALLOCATOR_OUTSIDE, quota_next(slot(mine), account, ~0u, &block));
	OK(quota_next(slot(mine), account, 0, &block));
	CHECK_EQUAL(block, QUOTA_BLOCK(frame, 2));
	OK(quota_again(slot(mine), frame, slot(got_too), &block));
	CHECK_EQUAL(extent_begins(got_too), frame);
	SAYS(SERVICE_NO_RESULT,
	     door_call(slot(mine).encoded, quota_again_once_op, got, frame, NULL));
	SAYS(SERVICE_NO_RESULT, door_call(slot(mine).encoded, quota_give_once_op, 0, frame, NULL));
	OK(GIVE(mine, frame)); /* which had begun */
	SAYS(SERVICE_NO_RESULT, door_call(slot(mine).encoded, quota_take_once_op, got, 0, &value));
	OK(quota_again(slot(mine), QUOTA_FRAME(value), slot(got), &block)); /* likewise */
	OK(GIVE(mine, QUOTA_FRAME(value)));
	SAYS(SERVICE_NO_OPERATION, door_call(slot(mine).encoded, quota_remove_op + 1, 0, 0, NULL));
	SAYS(ALLOCATOR_OUTSIDE, quota_read(slot(quota_master), 3, &read));
	SAYS(ALLOCATOR_OUTSIDE, quota_read(slot(quota_master), QUOTA_ACCOUNTS, &read));
	SAYS(ALLOCATOR_OUTSIDE, quota_door(slot(quota_master), 3, slot(got)));
	SAYS(SERVICE_NO_RESULT,
	     door_call(slot(quota_master).encoded, quota_door_op, got, account, NULL));
	SAYS(ALLOCATOR_OUTSIDE, quota_close(slot(quota_master), 3));
	SAYS(ALLOCATOR_OUTSIDE, quota_close(slot(quota_master), 0));
	SAYS(ALLOCATOR_OUTSIDE, quota_remove(slot(quota_master), 0));
	SAYS(ALLOCATOR_OUTSIDE, quota_remove(slot(quota_master), ~0u));
	SAYS(ALLOCATOR_LIMIT, quota_create(slot(quota_master), 15, &value)); /* 14 are left */
	SAYS(ALLOCATOR_LIMIT, quota_create(slot(quota_master), ~0u, &value));
	for (uint32_t i = 3; i < QUOTA_ACCOUNTS; i++)
		OK(quota_create(slot(quota_master), 0, &value));
	SAYS(ALLOCATOR_NONE_FREE, quota_create(slot(quota_master), 0, &value));
	end();
}

TEST(quota_doors_do_what_they_allow_and_no_more)
{
	uint32_t block, value;
	struct quota_account read = {0};
	begin();
	uint32_t frame = take(mine, 1, got), door = world_slot();
	SAYS(ALLOCATOR_NOT_HELD, quota_again(slot(others), frame, slot(got_too), &block));
	SAYS(ALLOCATOR_NOT_HELD, GIVE(others, frame));
	SAYS(ALLOCATOR_NOT_ALLOWED, quota_next(slot(others), account, 0, &block));
	SAYS(ALLOCATOR_NOT_ALLOWED, quota_read(slot(others), account, &read));
	OK(quota_read(slot(mine), account, &read));
	CHECK(read.limit == 20 && read.used == 2 && !read.closed && read.free == 62);
	SAYS(ALLOCATOR_NOT_ALLOWED, quota_create(slot(mine), 1, &value));
	SAYS(ALLOCATOR_NOT_ALLOWED, quota_door(slot(mine), account, slot(got_too)));
	SAYS(ALLOCATOR_NOT_ALLOWED, quota_close(slot(mine), account));
	SAYS(ALLOCATOR_NOT_ALLOWED, quota_remove(slot(mine), account));
	SAYS(ALLOCATOR_IN_USE, quota_remove(slot(quota_master), account));
	/* a master for counting only: it takes nothing for itself */
	MUST(kernel_door(slot(quota.object.slot), slot(door), 1ull << 32 | QUOTA_MASTER));
	SAYS(ALLOCATOR_NOT_ALLOWED, quota_take(slot(door), 0, slot(got_too), &block));
	OK(quota_next(slot(door), account, 0, &block));
	SAYS(ALLOCATOR_NOT_HELD, quota_again(slot(door), frame, slot(got_too), &block));
	/* one that has died, and one that never lived */
	MUST(kernel_door(slot(quota.object.slot), slot(door), 3ull << 32 | QUOTA_MASTER));
	SAYS(ALLOCATOR_ENDED, quota_create(slot(door), 0, &value));
	MUST(kernel_door(slot(quota.object.slot), slot(door), 0xFF | QUOTA_USE));
	CHECK(quota_take(slot(door), 0, slot(got_too), &block) != RETURN);
	/* the account's number comes again, its doors do not */
	OK(GIVE(mine, frame));
	OK(quota_remove(slot(quota_master), account));
	SAYS(ALLOCATOR_ENDED, quota_take(slot(mine), 0, slot(got), &block));
	OK(quota_create(slot(quota_master), 5, &value));
	CHECK_EQUAL(value, account);
	OK(quota_door(slot(quota_master), account, slot(door)));
	frame = take(door, 0, got);
	SAYS(ALLOCATOR_ENDED, quota_take(slot(mine), 0, slot(got_too), &block));
	SAYS(ALLOCATOR_ENDED, quota_again(slot(mine), frame, slot(got_too), &block));
	SAYS(ALLOCATOR_ENDED, GIVE(mine, frame));
	SAYS(ALLOCATOR_ENDED, quota_next(slot(mine), account, 0, &block));
	SAYS(ALLOCATOR_ENDED, quota_read(slot(mine), account, &read));
	end();
}

/* ---- what a client leaves behind ------------------------------------------------------------- */
/* One frame of each type that there is, mapped and installed in frames of the other account. */
static void make_a_mess(uint32_t frame, uint32_t other)
{
	OK(memory_become(slot(got), 0, 1, OBJECT_DIRECTORY));
	OK(memory_become(slot(got), 1, 1, OBJECT_TABLE));
	OK(memory_become(slot(got), 2, 3, OBJECT_NONE));
	OK(memory_become(slot(got), 5, 1, OBJECT_DATA_PAGE));
	OK(memory_install(slot(got), 0, 7, 1));
	OK(memory_map(slot(got), 1, 9, 0, 2, 2, NULL));
	OK(memory_become(slot(got), 6, 1, OBJECT_BITMAP_PAGE));
	OK(memory_create_domain(slot(got), 8, 0, 0, NULL));
	OK(memory_create_thread(slot(got), 9, 8, NULL));
	OK(memory_become(slot(got_too), 0, 1, OBJECT_DIRECTORY));
	OK(memory_become(slot(got_too), 1, 1, OBJECT_TABLE));
	struct batch batch = {0};
	memory_map_lent_step(&batch, 1, 1023, 2, 2, 1);
	memory_map_lent_step(&batch, 1, 3, 2, 3, 2);
	memory_install_lent_step(&batch, 0, LENDABLE_ENTRIES - 1, 1);
	OK(memory_batch(slot(got_too), &batch, slot(got), NULL));
	memset(words_of(frame + 4), 0x5A, PAGE_BYTES);
	CHECK_EQUAL(COUNT(frame + 1), 2);
	CHECK_EQUAL(COUNT(frame + 2), 2);
	(void)other;
}

TEST(quota_what_comes_back_is_unmapped_everywhere_and_clean)
{
	begin();
	for (uint32_t by_force = 0; by_force < 2; by_force++) {
		uint32_t frame = take(mine, 4, got), other = take(others, 2, got_too);
		make_a_mess(frame, other);
		/* half of what becomes an object, and half of what ceases to be one */
		descriptor_of(frame + 12)->key += MEMORY_KEY(MEMORY_BECOMING - MEMORY_CLEAN, 0);
		descriptor_of(frame + 12)->serial = object_generation(first + frame + 12) + 1;
		OK(memory_become(slot(got), 13, 1, OBJECT_TABLE));
		OK(memory_drop(slot(got), 13));
		descriptor_of(frame + 13)->key +=
			MEMORY_KEY(MEMORY_DROPPING_TABLE - MEMORY_CLEAN, 0);
		OK(GIVE(by_force ? quota_master : mine, frame));
		for (uint32_t i = 0; i < 16; i++)
			CHECK_EQUAL(TYPE(frame + i), MEMORY_CLEAN);
		for (uint32_t i = 0; i < 1024; i++)
			CHECK(!words_of(other + 1)[i]);
		CHECK(!words_of(other)[LENDABLE_ENTRIES - 1]);
		SAYS(MEMORY_STALE, memory_clean(slot(got), 0, 1));
		SAYS(MEMORY_STALE, memory_fetch(slot(got), 8, slot(result), NULL));
		OK(memory_become(slot(got_too), 2, 1, OBJECT_NONE)); /* the other's still */
		quota_check();
		OK(GIVE(others, other));
	}
	end();
}

/* A domain's directory can't go before the domain, and that is another's here. */
TEST(quota_says_what_is_stuck_and_has_it_later)
{
	uint32_t block;
	begin();
	uint32_t frame = take(mine, 1, got), other = take(others, 0, got_too);
	OK(memory_become(slot(got), 0, 1, OBJECT_DIRECTORY));
	OK(memory_become(slot(got), 1, 1, OBJECT_NONE));
	OK(memory_create_domain_lent(slot(got_too), slot(got), 0, 0, 0, NULL));
	SAYS(ALLOCATOR_STUCK, GIVE(mine, frame));
	SAYS(ALLOCATOR_STUCK, GIVE(quota_master, frame));
	CHECK_EQUAL(TYPE(frame + 1), MEMORY_CLEAN);
	CHECK_EQUAL(account_read(account).used, 2);
	SAYS(ALLOCATOR_NOT_HELD, quota_again(slot(mine), frame, slot(got), &block));
	quota_check();
	OK(GIVE(others, other));
	OK(GIVE(mine, frame));
	CHECK_EQUAL(account_read(account).used, 0);
	end();
}

TEST(quota_master_takes_all_of_an_account_by_force)
{
	uint32_t block, value = 0;
	begin();
	make_a_mess(take(mine, 4, got), take(others, 2, got_too));
	take(mine, 0, result);
	OK(quota_seize(slot(quota_master), account, &value));
	SAYS(MEMORY_STALE, memory_clean(slot(got), 0, 1));
	SAYS(ALLOCATOR_ENDED, quota_take(slot(mine), 0, slot(got), &block));
	quota_check();
	CHECK_EQUAL(account_read(0).free, MANAGED - 4);
	CHECK_EQUAL(account_read(0).used, 30);
	OK(quota_close(slot(quota_master), other_account));
	CHECK_EQUAL(account_read(other_account).closed, 1);
	CHECK_EQUAL(account_read(other_account).limit, 30);
	SAYS(ALLOCATOR_LIMIT, quota_take(slot(others), 0, slot(got), &block));
	OK(quota_seize(slot(quota_master), other_account, &value));
	CHECK_EQUAL(account_read(0).used, 0);
	end();
}

TEST(quota_joined_blocks_have_one_generation_whatever_the_parts_had)
{
	begin();
	for (uint32_t i = 0; i < 9; i++) /* one of 16 frames is older than the others */
		OK(GIVE(mine, take(mine, 0, got)));
	uint32_t frame = take(mine, 4, got);
	for (uint32_t i = 1; i < 16; i++)
		CHECK_EQUAL(look(frame + i).generation, look(frame).generation);
	OK(memory_become(slot(got), 0, 16, OBJECT_NONE));
	OK(memory_clean(slot(got), 0, 16));
	OK(GIVE(mine, frame));
	end();
}

TEST(quota_worn_out_frames_stay_with_whom_they_wore_out)
{
	uint32_t block;
	begin();
	uint32_t frame = take(mine, 0, got), generation = MEMORY_TOP - 70;
	OK(GIVE(mine, frame));
	OK(memory_revoke(slot(all), frame, 1, generation));
	_Bool worn = 0;
	for (uint32_t i = 0; i < 80 && !worn; i++) {
		if (take(mine, 0, got) != frame)
			break;
		worn = GIVE(mine, frame) == RETURN + ALLOCATOR_WORN_OUT;
	}
	CHECK(worn);
	CHECK_EQUAL(account_read(account).used, 1);
	SAYS(ALLOCATOR_WORN_OUT, GIVE(quota_master, frame));
	OK(quota_again(slot(mine), frame, slot(got), &block)); /* it can be used */
	quota_check();
	OK(memory_revoke(slot(all), frame, 1, MEMORY_TOP));
	OK(GIVE(mine, take(mine, 0, got_too))); /* and others, too */
	end();
}

/* By chance, against a model. */
TEST(quota_by_chance_no_two_have_the_same_frame)
{
	uint32_t seed = 12345, blocks[2][MANAGED], counts[2] = {0}, used[2] = {0};
	begin();
	for (uint32_t round = 0; round < 400; round++) {
		seed = seed * 1103515245 + 12345;
		uint32_t who = seed >> 16 & 1, order = seed >> 17 & 3, block;
		uint32_t door = who ? others : mine, limit = who ? 30 : 20;
		if (seed >> 20 & 1 || !counts[who]) {
			uint32_t answer = quota_take(slot(door), order, slot(got), &block);
			if (used[who] + (1u << order) > limit) {
				CHECK_EQUAL(answer, RETURN + ALLOCATOR_LIMIT);
				continue;
			}
			CHECK(answer == RETURN || answer == RETURN + ALLOCATOR_NONE_FREE);
			if (answer != RETURN)
				continue;
			blocks[who][counts[who]++] = block;
			used[who] += 1u << order;
		} else {
			uint32_t which = (seed >> 21) % counts[who];
			block = blocks[who][which];
			blocks[who][which] = blocks[who][--counts[who]];
			used[who] -= 1u << QUOTA_ORDER(block);
			OK(GIVE(door, QUOTA_FRAME(block)));
		}
		if (round % 8 == 0)
			quota_check();
	}
	end();
}
