/* SPDX-License-Identifier: MIT */
/*
 * Allocators, one instruction after the other: a client is stopped after each instruction that its
 * call executes in the allocator, and after some of those in the memory service. There it is
 * killed, or its account is taken back and its frames are another's, or others meddle; then it goes
 * on. Nothing is lost, and nobody gets or hurts what is another's.
 */
#include "allocator_world.h"

#define STEPS_MAX  6000u
#define ORDER      1u /* of the client's block */
#define LEFT       5u /* the client's limit */
#define IN_SERVICE 29u
#define SPARSE     13u /* unless all are wanted */
#define CONTENT    0x5A5A5A5Au

enum slot_there { SLOT_DOOR = 1, SLOT_RESULT };
enum task { TAKE, AGAIN, GIVE, FETCH, FETCH_AGAIN, TAKE_BACK, TASKS };
static const char *const names[TASKS] = {"take",  "again",       "give",
					 "fetch", "fetch again", "take back"};

static struct domain partition, place;
static struct client client;
static enum task task;
static uint32_t frame; /* of the client's block, in the 64 */
static uint32_t account, door, partition_master, partition_door_slot, got, lower, upper;
static volatile struct {
	uint32_t result, value, begins;
} answer;

static _Bool is_quota(void)
{
	return task <= GIVE;
}

/* ---- the client ------------------------------------------------------------------------------ */
static void works(uint32_t argument)
{
	slot_t own = slot(SLOT_DOOR);
	uint32_t result, value = NOTHING;
	(void)argument;
	switch (task) {
	case TAKE:
		result = quota_take(own, ORDER, slot(SLOT_RESULT), &value);
		break;
	case AGAIN:
		result = quota_again(own, frame, slot(SLOT_RESULT), &value);
		break;
	case GIVE:
		result = quota_give(own, frame, &value);
		break;
	case TAKE_BACK: /* once: a second time would be another one's */
		result = partition_take_back_once(own, 0, &value);
		break;
	default:
		result = partition_fetch(own, slot(SLOT_RESULT), &value);
	}
	answer.value = value;
	answer.begins = extent_begins(SLOT_RESULT);
	answer.result = result;
}

/* ---- the world ------------------------------------------------------------------------------- */
static void give_there(uint32_t there, uint32_t here)
{
	MUST(kernel_grant(slot(place.object.slot), slot(there), slot(here)));
}

/* A new client, with what its task needs to begin. A block that is to go back has a table that is
 * being dropped, nearly done: many steps would tell no more. */
static void begin_anew(void)
{
	uint32_t value, block = 0;
	OK(is_quota() ? quota_create(slot(quota_master), LEFT, &account)
		      : partition_assign(slot(partition_master), 0, slot(partition_door_slot)));
	if (is_quota())
		OK(quota_door(slot(quota_master), account, slot(door)));
	frame = 0;
	if (task == AGAIN || task == GIVE) {
		OK(quota_take(slot(door), ORDER, slot(got), &block));
		frame = QUOTA_FRAME(block);
	}
	if (task == FETCH_AGAIN || task == TAKE_BACK)
		OK(partition_fetch(slot(partition_door_slot), slot(got), &value));
	if (task == GIVE || task == TAKE_BACK) {
		struct memory_frame *table = descriptor_of(is_quota() ? frame : 32);
		table->key = MEMORY_KEY(MEMORY_DROPPING_TABLE, MEMORY_GENERATION_OF(table->key));
		table->count = 1020;
	}
	give_there(SLOT_DOOR, is_quota()          ? door
			      : task == TAKE_BACK ? partition_master
						  : partition_door_slot);
	MUST(kernel_delete_there(slot(place.object.slot), slot(SLOT_RESULT)));
	answer.result = answer.begins = NOTHING;
	client_restart(&client, works, 0);
}
/* All that the client has is free again. */
static void take_all(void)
{
	uint32_t value = 0, kind = NOTHING;
	if (is_quota()) {
		OK(quota_seize(slot(quota_master), account, &value));
		CHECK_EQUAL(account_read(0).free, 32);
		CHECK_EQUAL(account_read(0).used, 0);
		OK(quota_take(slot(quota_master), 5, slot(got), &value)); /* in one piece */
		OK(quota_give(slot(quota_master), QUOTA_FRAME(value), &value));
		return;
	}
	OK(partition_read(slot(partition_master), 0, &kind));
	if (kind != HOLDING_FREE)
		OK(partition_take_back(slot(partition_master), 0, &value));
	for (uint32_t i = 32; i < 34; i++)
		CHECK_EQUAL(TYPE(i), MEMORY_CLEAN);
}
static void begin(void)
{
	memory_make();
	lower = world_slot();
	upper = world_slot();
	OK(memory_split(slot(all), 0, 5, MEMORY_RIGHTS_ALL, slot(lower)));
	OK(memory_split(slot(all), 32, 5, MEMORY_RIGHTS_ALL, slot(upper)));
	OK(memory_clean(slot(all), 0, MANAGED));
	quota_make(lower, 0, 32);
	allocator_make(&partition, "partition", upper, 4);
	partition_master = world_slot();
	partition_door_slot = world_slot();
	door = world_slot();
	got = world_slot();
	MUST(kernel_door(slot(partition.object.slot), slot(partition_master), PARTITION_MASTER));
	peer_make(&place, "place");
	client_make(&client, &place, works, 0);
}
static void end(void)
{
	client_end(&client);
	domain_end(&place);
	domain_end(&partition);
	quota_unmake();
	slots_end();
	memory_unmake();
}

/* ---- stops ----------------------------------------------------------------------------------- */
static uint8_t depth_at[STEPS_MAX];
static uint32_t trace(void)
{
	uint32_t steps = 0, depth;
	begin_anew();
	CHECK(client_step_to_depth(&client, 1));
	while ((depth = client_depth(&client)) && steps < STEPS_MAX) {
		depth_at[steps++] = depth;
		client_step(&client);
	}
	CHECK(steps > 100 && steps < STEPS_MAX);
	client_run(&client);
	CHECK_EQUAL(answer.result, RETURN);
	take_all();
	return steps;
}
static uint32_t stride; /* 1: at every instruction of the quota allocator */
static _Bool is_stop(uint32_t at)
{
	if (at % stride || (!is_quota() && at % 5)) /* what both allocators share once */
		return 0;
	return depth_at[at] == 1 || at % IN_SERVICE == 0;
}
/* A new client for each stop. */
static void sweep(uint32_t tasks, void (*happens)(uint32_t steps), uint32_t every)
{
	stride = sweeps_all() ? every : every * SPARSE;
	begin();
	for (task = 0; task < TASKS; task++) {
		uint32_t stops = 0, steps = tasks & 1u << task ? trace() : 0;
		for (uint32_t at = 0; at < steps; at++) {
			if (!is_stop(at))
				continue;
			begin_anew();
			CHECK(client_step_to_depth(&client, 1));
			for (uint32_t i = 0; i < at; i++)
				client_step(&client);
			happens(at);
			take_all();
			stops++;
		}
		if (stops)
			test_note("%s: %u instructions, stopped at %u of them", names[task], steps,
				  stops);
	}
	end();
}
/* For what does not end the client: at every so-manieth instruction, then at those behind, and so
 * on. (A section could never end if it were interrupted at each of its instructions.) */
static void sweep_often(uint32_t tasks, void (*happens)(void), void (*ends)(void),
			uint32_t interval)
{
	begin();
	for (task = 0; task < TASKS; task++) {
		uint32_t stops = 0;
		for (uint32_t from = 0; tasks & 1u << task && from < interval;
		     from += sweeps_all() ? 1 : SPARSE) {
			uint32_t reason = DISPATCH_STEPPED;
			begin_anew();
			CHECK(client_step_to_depth(&client, 1));
			for (uint32_t at = 0; reason == DISPATCH_STEPPED; at++) {
				if (at % interval == from && client_depth(&client)) {
					happens();
					stops++;
				}
				reason = client_step(&client).reason;
			}
			CHECK_EQUAL(reason, DISPATCH_ENDED);
			ends();
			take_all();
		}
		if (stops)
			test_note("%s: %u stops", names[task], stops);
	}
	end();
}
#define ALL_TASKS ((1u << TASKS) - 1)

/* ---- what happens ---------------------------------------------------------------------------- */
static void is_killed(uint32_t steps)
{
	uint32_t block;
	client_end(&client);
	accounts_check();
	if (steps % 16 == 0)
		quota_check();
	/* what it was about can be had again, or be given back: nothing hangs */
	if (task == TAKE && quota_next(slot(door), account, 0, &block) == RETURN) {
		OK(quota_again(slot(door), QUOTA_FRAME(block), slot(got), &block));
		CHECK_EQUAL(extent_begins(got), QUOTA_FRAME(block));
		CHECK_EQUAL(account_read(account).used, 2);
	}
	if (task == FETCH)
		OK(partition_fetch(slot(partition_door_slot), slot(got), &block));
	client_make(&client, &place, works, steps);
}
TEST(allocators_sweep_killed_at_every_instruction_nothing_is_lost)
{
	sweep(ALL_TASKS, is_killed, 1);
}

/*
 * While it is frozen its account ends, and a new one of the same number has the same frames: an
 * object, or data, and data that nobody maps. Thawed, it does not get them nor change them.
 */
static void is_frozen_and_another_has_its_frames(uint32_t steps)
{
	struct seen seen[2];
	uint32_t block = 0, value, kind = NOTHING, at = is_quota() ? frame : 32;
	if (!is_quota())
		OK(partition_read(slot(partition_master), 0, &kind));
	if (task == TAKE_BACK && kind == HOLDING_HELD)
		return; /* it has not begun: what it takes back is whatever is there */
	take_all();
	if (is_quota()) {
		OK(quota_create(slot(quota_master), LEFT, &value));
		CHECK_EQUAL(value, account);
		OK(quota_door(slot(quota_master), account, slot(door)));
		OK(quota_take(slot(door), ORDER, slot(got), &block));
	} else {
		OK(partition_assign(slot(partition_master), 0, slot(partition_door_slot)));
		OK(partition_fetch(slot(partition_door_slot), slot(got), &value));
	}
	CHECK_EQUAL(extent_begins(got), at);
	OK(memory_become(slot(got), 0, 1, steps & 1 ? OBJECT_LOCK_PAGE : OBJECT_NONE));
	OK(memory_become(slot(got), 1, 1, OBJECT_NONE));
	words_of(at)[0] = words_of(at + 1)[1023] = CONTENT;
	for (uint32_t i = 0; i < 2; i++)
		seen[i] = look(at + i);
	client_run(&client);
	CHECK(answer.begins == NOTHING);
	CHECK(answer.result != NOTHING);
	for (uint32_t i = 0; i < 2; i++) {
		CHECK_EQUAL(TYPE(at + i), seen[i].type);
		CHECK_EQUAL(look(at + i).generation, seen[i].generation);
	}
	CHECK_EQUAL(words_of(at)[0], CONTENT);
	CHECK_EQUAL(words_of(at + 1)[1023], CONTENT);
	CHECK_EQUAL(extent_begins(got), at);
	words_of(at)[0] = 0;
	if (is_quota())
		CHECK_EQUAL(account_read(account).used, 1u << ORDER);
	else
		OK(partition_read(slot(partition_master), 0, &kind));
	CHECK(is_quota() || kind == HOLDING_HELD);
	accounts_check();
}
TEST(allocators_sweep_frozen_at_every_instruction_it_leaves_alone_what_is_others)
{
	sweep(ALL_TASKS, is_frozen_and_another_has_its_frames, 1);
}

/* While it is frozen another thread with the same door finishes what it had begun, and uses it. */
static void is_frozen_and_its_account_goes_on(uint32_t steps)
{
	uint32_t block, at = 32;
	(void)steps;
	if (task == TAKE) {
		if (quota_next(slot(door), account, 0, &block) != RETURN)
			return;
		at = QUOTA_FRAME(block);
		OK(quota_again(slot(door), at, slot(got), &block));
	} else {
		OK(partition_fetch(slot(partition_door_slot), slot(got), &block));
	}
	OK(memory_become(slot(got), 0, 2, OBJECT_NONE));
	words_of(at)[0] = words_of(at + 1)[1023] = CONTENT;
	client_run(&client);
	CHECK_EQUAL(answer.result, RETURN);
	CHECK_EQUAL(answer.begins, at);
	CHECK_EQUAL(words_of(at)[0], CONTENT);
	CHECK_EQUAL(words_of(at + 1)[1023], CONTENT);
	words_of(at)[0] = words_of(at + 1)[1023] = 0; /* not to be cleaned each time */
}
TEST(allocators_sweep_frozen_at_every_instruction_its_account_goes_on)
{
	sweep(1u << TAKE | 1u << FETCH, is_frozen_and_its_account_goes_on, 1);
}

/* Another thread puts what is somebody else's where the memory service's answer comes. */
static void another_answers(void)
{
	uint32_t scratch = ALLOCATOR_SCRATCH + (is_quota() ? account : 0);
	OK(memory_split(slot(all), 62, ORDER, MEMORY_RIGHTS, slot(got)));
	MUST(kernel_grant(slot(is_quota() ? quota.object.slot : partition.object.slot),
			  slot(scratch), slot(got)));
}
static void has_its_own(void)
{
	if (task == TAKE_BACK && answer.result == RETURN + ALLOCATOR_MORE)
		return;
	CHECK_EQUAL(answer.result, RETURN);
	if (task == TAKE)
		frame = QUOTA_FRAME(answer.value);
	if (task != GIVE && task != TAKE_BACK)
		CHECK_EQUAL(answer.begins, is_quota() ? frame : 32);
	CHECK_EQUAL(TYPE(62), MEMORY_CLEAN);
}
TEST(allocators_sweep_answered_by_another_at_every_instruction_it_gets_its_own)
{
	sweep_often(ALL_TASKS & ~(1u << FETCH | 1u << TAKE_BACK), another_answers, has_its_own,
		    127);
}

/* The call is aborted, and the client does it again. (Killed, it is undone in the same way.) */
static void is_aborted(uint32_t steps)
{
	uint32_t result, depth = client_depth(&client), block;
	(void)steps;
	struct domain *in = is_quota() ? &quota : &partition;
	if (depth) {
		CHECK_EQUAL(kernel_abort(slot(client.thread.object.slot), 1, in->object.frame), 0);
		client_run(&client);
		CHECK_EQUAL(answer.result, ERROR_ABORTED);
	}
	switch (task) {
	case TAKE:
		result = quota_next(slot(door), account, 0, &block);
		result = result == RETURN
				 ? quota_again(slot(door), QUOTA_FRAME(block), slot(got), &block)
				 : quota_take(slot(door), ORDER, slot(got), &block);
		break;
	case GIVE:
		result = quota_give(slot(door), frame, &block);
		if (result == RETURN + ALLOCATOR_NOT_HELD && !account_read(account).used)
			result = RETURN;
		break;
	case FETCH:
		result = partition_fetch(slot(partition_door_slot), slot(got), &block);
		break;
	default:
		result = RETURN;
	}
	CHECK_EQUAL(result, RETURN);
}
TEST(allocators_sweep_aborted_anywhere_it_can_be_done_again)
{
	sweep(1u << TAKE | 1u << GIVE | 1u << FETCH, is_aborted, 7);
}

/* Others give and take meanwhile, in other parts of the tree; it has what it wanted, and they, too.
 */
static uint32_t held = NOTHING;
static void others_work(void)
{
	uint32_t block, value;
	if (held != NOTHING)
		OK(quota_give(slot(quota_master), QUOTA_FRAME(held), &value));
	OK(quota_take(slot(quota_master), 4, slot(got), &block));
	CHECK_EQUAL(extent_begins(got), QUOTA_FRAME(block));
	accounts_check();
	OK(quota_give(slot(quota_master), QUOTA_FRAME(block), &value));
	OK(quota_take(slot(quota_master), 3, slot(got), &held));
}
static void all_is_well(void)
{
	uint32_t value;
	CHECK_EQUAL(answer.result, RETURN);
	CHECK_EQUAL(account_read(account).used, task == GIVE ? 0 : 1u << ORDER);
	accounts_check();
	if (held != NOTHING)
		OK(quota_give(slot(quota_master), QUOTA_FRAME(held), &value));
	held = NOTHING;
}
TEST(allocators_sweep_preempted_at_every_instruction_others_take_and_give)
{
	sweep_often(1u << TAKE | 1u << GIVE, others_work, all_is_well, 251);
}

/* ---- how deep -------------------------------------------------------------------------------- */
#define PAINT 0xA5A5A5A5u
TEST(allocators_stack_leaves_a_kib_for_the_memory_service)
{
	begin();
	for (task = 0; task < TASKS; task++) {
		uint32_t at = PARAMETER_BYTES / 4;
		begin_anew();
		uint32_t *page = frame_pointer(client.thread.data[0].frame);
		for (uint32_t i = 0; i < PAGE_BYTES / 4; i++)
			page[i] = PAINT;
		client_run(&client);
		CHECK_EQUAL(answer.result, RETURN);
		while (at < PAGE_BYTES / 4 && page[at] == PAINT)
			at++;
		uint32_t bytes = (DATA_STACK & (PAGE_BYTES - 1)) - at * 4;
		test_note("%s: %u bytes of stack, the memory service's included", names[task],
			  bytes);
		CHECK(bytes >= 100 && bytes < 1024);
		take_all();
	}
	end();
}
