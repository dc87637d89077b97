/* SPDX-License-Identifier: MIT */
/* The partition allocator; and both allocators over one memory service. */
#include "allocator_world.h"

static struct domain partition;
static uint32_t master, got, got_too;

static void partition_make(uint32_t extent, uint32_t parts)
{
	allocator_make(&partition, "partition", extent, parts);
	master = world_slot();
	got = world_slot();
	got_too = world_slot();
	MUST(kernel_door(slot(partition.object.slot), slot(master), PARTITION_MASTER));
}
static void begin(uint32_t parts)
{
	memory_make();
	partition_make(all, parts);
}
static void end(void)
{
	memory_check();
	domain_end(&partition);
	slots_end();
	memory_unmake();
}

static uint32_t client_of(uint32_t number)
{
	uint32_t door = world_slot();
	OK(partition_assign(slot(master), number, slot(door)));
	return door;
}
static uint32_t kind_of(uint32_t number)
{
	uint32_t kind = NOTHING;
	OK(partition_read(slot(master), number, &kind));
	return kind;
}

TEST(partition_is_its_clients_until_it_is_taken_back)
{
	uint32_t value, frame = NOTHING;
	begin(2);
	CHECK_EQUAL(kind_of(1), HOLDING_FREE);
	uint32_t door = client_of(1);
	OK(partition_fetch(slot(door), slot(got), &value));
	CHECK_EQUAL(value, 4);
	CHECK_EQUAL(kind_of(1), HOLDING_HELD);
	frame = extent_begins(got);
	CHECK_EQUAL(frame, 16);
	for (uint32_t i = 0; i < 16; i++)
		CHECK_EQUAL(TYPE(frame + i), MEMORY_CLEAN);
	OK(memory_become(slot(got), 0, 16, OBJECT_NONE));
	SAYS(MEMORY_OUTSIDE, memory_clean(slot(got), 16, 1));
	SAYS(MEMORY_NOT_ALLOWED, memory_revoke(slot(got), 0, 1, 99));
	memset(words_of(frame), 0x5A, 16 * PAGE_BYTES);
	OK(partition_fetch(slot(door), slot(got_too), &value)); /* the same once more */
	CHECK_EQUAL(extent_begins(got_too), frame);
	CHECK_EQUAL(TYPE(frame), MEMORY_DATA);
	OK(partition_take_back(slot(master), 1, &value));
	SAYS(MEMORY_STALE, memory_clean(slot(got), 0, 1));
	SAYS(MEMORY_STALE, memory_clean(slot(got_too), 15, 1));
	SAYS(ALLOCATOR_ENDED, partition_fetch(slot(door), slot(got), &value));
	CHECK_EQUAL(kind_of(1), HOLDING_FREE);
	for (uint32_t i = 0; i < 16; i++)
		CHECK_EQUAL(TYPE(frame + i), MEMORY_CLEAN);
	uint32_t next = client_of(1);
	SAYS(ALLOCATOR_ENDED, partition_fetch(slot(door), slot(got), &value));
	OK(partition_fetch(slot(next), slot(got), &value));
	CHECK_EQUAL(extent_begins(got), frame);
	CHECK_EQUAL(words_of(frame)[0], 0);
	OK(partition_take_back(slot(master), 1, &value));
	end();
}

TEST(partition_refuses_what_there_is_not)
{
	uint32_t value;
	begin(1);
	uint32_t door = client_of(0), forged = world_slot();
	SAYS(ALLOCATOR_IN_USE, partition_assign(slot(master), 0, slot(got)));
	SAYS(ALLOCATOR_OUTSIDE, partition_assign(slot(master), 2, slot(got)));
	SAYS(ALLOCATOR_OUTSIDE, partition_take_back(slot(master), ~0u, &value));
	SAYS(ALLOCATOR_OUTSIDE, partition_read(slot(master), 2, &value));
	SAYS(ALLOCATOR_OUTSIDE, partition_door(slot(master), 64, slot(got)));
	SAYS(ALLOCATOR_NOT_HELD, partition_take_back(slot(master), 1, &value));
	SAYS(ALLOCATOR_NOT_HELD, partition_door(slot(master), 1, slot(got)));
	SAYS(SERVICE_NO_RESULT, door_call(slot(master).encoded, partition_door_op, got, 0, NULL));
	SAYS(ALLOCATOR_NOT_ALLOWED, partition_fetch(slot(master), slot(got), &value));
	SAYS(ALLOCATOR_NOT_ALLOWED, partition_assign(slot(door), 1, slot(got)));
	SAYS(ALLOCATOR_NOT_ALLOWED, partition_take_back(slot(door), 0, &value));
	SAYS(ALLOCATOR_NOT_ALLOWED, partition_read(slot(door), 0, &value));
	SAYS(ALLOCATOR_NOT_ALLOWED, partition_door(slot(door), 0, slot(got)));
	SAYS(SERVICE_NO_RESULT, door_call(slot(door).encoded, partition_fetch_once_op, 0, 0, NULL));
	OK(partition_fetch(slot(door), slot(got), &value)); /* which had begun */
	SAYS(SERVICE_NO_RESULT, door_call(slot(door).encoded, partition_fetch_once_op, 0, 0, NULL));
	SAYS(SERVICE_NO_RESULT,
	     door_call(slot(master).encoded, partition_take_back_once_op, 0, 0, NULL));
	SAYS(ALLOCATOR_ENDED, partition_fetch(slot(door), slot(got), &value));
	SAYS(MEMORY_STALE, memory_clean(slot(got), 0, 1));
	OK(partition_take_back(slot(master), 0, &value));
	SAYS(SERVICE_NO_OPERATION,
	     door_call(slot(door).encoded, partition_take_back_once_op + 1, 0, 0, NULL));
	/* a badge that nobody made: another partition's number with this one's life */
	MUST(kernel_door(slot(partition.object.slot), slot(forged), 3ull << 32 | 1));
	SAYS(ALLOCATOR_ENDED, partition_fetch(slot(forged), slot(got), &value));
	end();
}

/* A thread in the partition, with a directory, a table and pages; and its pages in a table of the
 * neighbour's, who has the capability, too. */
TEST(partition_comes_back_from_a_client_who_keeps_all_he_can)
{
	uint32_t value;
	begin(2);
	uint32_t door = client_of(0), neighbour = client_of(3);
	OK(partition_fetch(slot(door), slot(got), &value));
	OK(partition_fetch(slot(neighbour), slot(got_too), &value));
	OK(memory_become(slot(got), 0, 1, OBJECT_DIRECTORY));
	OK(memory_become(slot(got), 1, 1, OBJECT_TABLE));
	OK(memory_become(slot(got), 2, 4, OBJECT_NONE));
	OK(memory_install(slot(got), 0, 5, 1));
	OK(memory_map(slot(got), 1, 0, 2, 2, 4, NULL));
	OK(memory_create_domain(slot(got), 8, 0, 0, NULL));
	OK(memory_create_thread(slot(got), 10, 8, NULL));
	OK(memory_become(slot(got_too), 0, 1, OBJECT_TABLE));
	OK(memory_map_lent(slot(got_too), slot(got), 0, 0, 2, 2, 4, NULL));
	OK(memory_fetch(slot(got), 10, slot(result), NULL));
	OK(partition_take_back(slot(master), 0, &value));
	CHECK_EQUAL(kernel_probe(slot(result)), ERROR_STALE);
	for (uint32_t i = 0; i < 16; i++)
		CHECK_EQUAL(TYPE(i), MEMORY_CLEAN);
	for (uint32_t i = 0; i < 1024; i++)
		CHECK(!words_of(48)[i]);
	CHECK_EQUAL(TYPE(48), MEMORY_TABLE);
	OK(partition_take_back(slot(master), 3, &value));
	end();
}

TEST(partition_of_frames_that_are_worn_out_is_nobodys)
{
	uint32_t value;
	begin(6);
	_Bool worn = 0;
	OK(memory_revoke(slot(all), 5, 1, MEMORY_TOP - 80));
	uint32_t door = world_slot();
	for (uint32_t i = 0; i < 20 && !worn; i++) {
		worn = partition_assign(slot(master), 5, slot(door)) == RETURN + ALLOCATOR_WORN_OUT;
		if (worn)
			break;
		OK(partition_fetch(slot(door), slot(got), &value));
		OK(partition_take_back(slot(master), 5, &value));
	}
	CHECK(worn);
	CHECK_EQUAL(kind_of(5), HOLDING_FREE);
	OK(partition_assign(slot(master), 6, slot(door)));
	OK(partition_fetch(slot(door), slot(got), &value));
	OK(partition_take_back(slot(master), 6, &value));
	end();
}

/* ---- two policies over one memory service ---------------------------------------------------- */
/* Everything that a client can ask the memory service about frames that are not its own. */
static void cannot_touch(uint32_t extent, uint32_t frames)
{
	uint32_t own = extent_begins(extent), badge;
	struct memory_frame read;
	OK(memory_extent(slot(extent), &badge, &read));
	for (uint32_t frame = 0; frame < MANAGED; frame++) {
		uint32_t offset = frame - own; /* wraps for those before it */
		if (offset < frames)
			continue;
		offset &= 0xFFFFF;
		CHECK(memory_clean(slot(extent), offset, 1) != RETURN);
		CHECK(memory_become(slot(extent), offset, 1, OBJECT_NONE) != RETURN);
		CHECK(memory_become(slot(extent), offset, 1, OBJECT_TABLE) != RETURN);
		CHECK(memory_drop(slot(extent), offset) != RETURN);
		CHECK(memory_map(slot(extent), 0, 0, 0, offset, 1, NULL) != RETURN);
		CHECK(memory_map(slot(extent), offset, 0, 0, 1, 1, NULL) != RETURN);
		CHECK(memory_unmap(slot(extent), offset, 0, 1) != RETURN);
		CHECK(memory_revoke(slot(extent), offset, 1, 1000) != RETURN);
		CHECK(memory_split(slot(extent), offset, 0, MEMORY_READ, slot(result)) != RETURN);
		CHECK(memory_fetch(slot(extent), offset, slot(result), NULL) != RETURN);
		CHECK(memory_read(slot(extent), offset, &read) != RETURN);
	}
	/* nor sweep what others map */
	for (uint32_t frame = 0; frame < MANAGED; frame++)
		memory_sweep(slot(extent), first + frame, 0, 64);
}

TEST(quota_and_partitions_share_one_memory_service_and_no_frame)
{
	enum { CLIENTS = 4 };
	uint32_t upper, extents[CLIENTS], doors[2], own[CLIENTS], block, value;
	static struct memory_frame before[MANAGED];
	memory_make();
	upper = world_slot();
	OK(memory_split(slot(all), 0, 5, MEMORY_RIGHTS_ALL, slot(part)));
	OK(memory_split(slot(all), 32, 5, MEMORY_RIGHTS_ALL, slot(upper)));
	quota_make(part, 0, 32);
	partition_make(upper, 2);
	for (uint32_t i = 0; i < CLIENTS; i++)
		extents[i] = world_slot();
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t account = account_make(16, &doors[i]);
		OK(quota_take(slot(doors[i]), 3, slot(extents[i]), &block));
		CHECK(QUOTA_FRAME(block) < 32 && account_read(account).used == 8);
		OK(partition_fetch(slot(client_of(2 + i)), slot(extents[2 + i]), &value));
		CHECK_EQUAL(value, 3);
	}
	for (uint32_t i = 0; i < CLIENTS; i++) {
		own[i] = extent_begins(extents[i]);
		CHECK(i < 2 ? own[i] < 32 : own[i] >= 32);
		OK(memory_become(slot(extents[i]), 0, 1, OBJECT_TABLE));
		OK(memory_become(slot(extents[i]), 1, 7, OBJECT_NONE));
		OK(memory_map(slot(extents[i]), 0, 0, 2, 2, 6, NULL));
		memset(words_of(own[i] + 1), 0x30 + i, PAGE_BYTES);
	}
	for (uint32_t i = 0; i < CLIENTS; i++)
		for (uint32_t j = 0; j < i; j++)
			CHECK(own[i] != own[j]);
	for (uint32_t i = 0; i < CLIENTS; i++) {
		memcpy(before, descriptor_of(0), sizeof(before));
		cannot_touch(extents[i], 8);
		for (uint32_t frame = 0; frame < MANAGED; frame++)
			if (frame - own[i] >= 8) /* its own it may have swept */
				CHECK(!memcmp(&before[frame], descriptor_of(frame),
					      sizeof(before[0])));
		OK(memory_map(slot(extents[i]), 0, 0, 2, 2, 6, NULL));
	}
	/* the allocators' masters take back their own, and nothing else moves */
	OK(quota_seize(slot(quota_master), 1, &value));
	OK(partition_take_back(slot(master), 3, &value));
	for (uint32_t i = 1; i < CLIENTS - 1; i++) {
		CHECK_EQUAL(words_of(own[i] + 1)[5], (0x30 + i) * 0x01010101u);
		CHECK_EQUAL(COUNT(own[i] + 2), 1);
	}
	SAYS(MEMORY_STALE, memory_clean(slot(extents[0]), 1, 1));
	SAYS(MEMORY_STALE, memory_clean(slot(extents[3]), 1, 1));
	SAYS(MEMORY_OUTSIDE, memory_clean(slot(part), 32, 1)); /* the allocators' own extents */
	SAYS(MEMORY_OUTSIDE, memory_revoke(slot(part), 32, 1, 1000));
	SAYS(MEMORY_OUTSIDE, memory_revoke(slot(upper), 32, 1, 1000));
	OK(quota_take(slot(doors[1]), 3, slot(got), &block));
	CHECK(extent_begins(got) < 32);
	domain_end(&partition);
	quota_unmake();
	slots_end();
	memory_unmake();
}
