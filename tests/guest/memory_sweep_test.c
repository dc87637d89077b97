/* SPDX-License-Identifier: MIT */
/*
 * The sweep: a client of the memory service is stopped after each instruction of each operation in
 * turn. There it is overtaken by another that wants the same, or frozen while its frames go to
 * somebody else; or it is killed or its call aborted. Afterwards counts, entries, types and kernel
 * agree, the operation once more brings what was wanted, and whoever has the frames by then finds
 * them untouched (R2).
 *
 * How that is done in seconds:
 *   - Of a thread that is killed or aborted nothing is left but what it wrote for all to see. So
 *     these happen at each instruction that changed something of that, and not at those between.
 *   - For the others a client is stopped at each instruction of one walk. What happens there is
 *     undone by putting back what it was: frames, descriptors, lock page, and the client itself.
 *   - Where kernel objects are made and destroyed that does not go, for the kernel's generations
 *     only grow, and the client has read them: each stop is walked to from the beginning.
 * All instructions (of a directory that is copied, every 13th), with `sweep=all` on the command
 * line, are for one machine of tests/run; on the others it is every 13th, and of the last kind
 * every 127th, each sweep beginning with another one.
 */
#include "memory_world.h"

#define TABLE          0u /* frames of the scenarios: 0..7, and 8 is the client's extent's size */
#define DIRECTORY      1u
#define DATA           2u /* four */
#define FREE           6u /* two that are CLEAN */
#define USED           8u
#define USED_ORDER     3u
#define PATTERN        0xA5A5A5A5u
#define NO_ANSWER      0xDEADu
#define STRIDE         13u /* of stops, unless all are wanted */
#define STRIDE_ONE_WAY 127u
#define DEVICE         0xB8u /* the screen's text, which is no memory */

/* What may be asked of a scenario, besides. */
enum trait {
	REPEATABLE = 1, /* the operation once more says OK, not WRONG_TYPE */
	ONE_WAY = 2,    /* what happens meanwhile can't be undone: see above */
	OWNER = 4       /* only for holders of ANY: there is no other owner whom it could harm */
};
struct scenario {
	const char *name;
	void (*set)(void);
	uint32_t (*call)(uint32_t extent);
	_Bool (*is_done)(void);
	uint32_t traits;
	uint32_t stride; /* at `sweep=all`, of what copies a page by a repeated instruction */
	uint32_t last;   /* stops up to this instruction, what follows is the same again; 0: to the
			    end */
};

static struct client client;
static volatile uint32_t answer;
static const struct scenario *scenario;
static uint32_t lock_frame;

/* ---- scenarios ------------------------------------------------------------------------------- */
static void set_nothing(void)
{
}
static void set_table(void)
{
	OK(memory_become(slot(all), TABLE, 1, OBJECT_TABLE));
	OK(memory_become(slot(all), DATA, 4, OBJECT_NONE));
}
static void set_mapped(void)
{
	set_table();
	OK(memory_map(slot(all), TABLE, 0, 2, DATA, 3, NULL));
	OK(memory_map(slot(all), TABLE, 3, 2, DATA + 1, 1, NULL)); /* not in ascending order */
}
static void set_directory(void)
{
	OK(memory_become(slot(all), TABLE, 1, OBJECT_TABLE));
	OK(memory_become(slot(all), DIRECTORY, 1, OBJECT_DIRECTORY));
}
static void set_installed(void)
{
	set_directory();
	OK(memory_install(slot(all), DIRECTORY, 5, TABLE));
}
static void set_data(void)
{
	OK(memory_become(slot(all), DATA, 4, OBJECT_NONE));
}
static void set_three_quarters(void)
{
	set_data();
	descriptor_of(DATA)->key = MEMORY_KEY(MEMORY_DIRTY, look(DATA).generation);
	descriptor_of(DATA)->count = 3;
}
static void set_lock_page(void)
{
	OK(memory_become(slot(all), FREE, 1, OBJECT_LOCK_PAGE));
}
static void set_domain(void)
{
	OK(memory_become(slot(all), DIRECTORY, 1, OBJECT_DIRECTORY));
	OK(memory_create_domain(slot(all), TABLE, DIRECTORY, 0, NULL));
}
/* A table that is dropped but for its last 64 entries, of which one is in use. */
static void set_dropping(void)
{
	uint32_t kind, generation;
	set_table();
	OK(memory_map(slot(all), TABLE, 1000, 2, DATA, 1, NULL));
	MUST(kernel_inspect(AUTHORITY, first + TABLE, &kind, &generation));
	MUST(kernel_destroy(AUTHORITY, first + TABLE, generation));
	descriptor_of(TABLE)->key = MEMORY_KEY(MEMORY_DROPPING_TABLE, look(TABLE).generation);
	descriptor_of(TABLE)->count = 960;
}
static void set_bitmap_pages(void)
{
	OK(memory_become(slot(all), DATA + 1, 1, OBJECT_BITMAP_PAGE));
	OK(memory_become(slot(all), DATA + 2, 1, OBJECT_BITMAP_PAGE));
}

static uint32_t map_one(uint32_t extent)
{
	return memory_map(slot(extent), TABLE, 7, 2, DATA, 1, NULL);
}
static uint32_t map_three(uint32_t extent)
{
	return memory_map(slot(extent), TABLE, 7, 2, DATA, 3, NULL);
}
static uint32_t unmap_one(uint32_t extent)
{
	return memory_unmap(slot(extent), TABLE, 2, 1);
}
static uint32_t unmap_four(uint32_t extent)
{
	return memory_unmap(slot(extent), TABLE, 0, 4);
}
static uint32_t sweep_two(uint32_t extent)
{
	return memory_sweep(slot(extent), first + TABLE, 2, 2);
}
static uint32_t install(uint32_t extent)
{
	return memory_install(slot(extent), DIRECTORY, 5, TABLE);
}
static uint32_t take_out(uint32_t extent)
{
	return memory_remove(slot(extent), DIRECTORY, 5);
}
static uint32_t sweep_out(uint32_t extent)
{
	return memory_sweep(slot(extent), first + DIRECTORY, 4, 2);
}
static uint32_t clean_quarter(uint32_t extent)
{
	return memory_clean(slot(extent), DATA, 1);
}
static uint32_t become_data(uint32_t extent)
{
	return memory_become(slot(extent), DATA, 4, OBJECT_NONE);
}
static uint32_t become_table(uint32_t extent)
{
	return memory_become(slot(extent), FREE, 1, OBJECT_TABLE);
}
static uint32_t become_directory(uint32_t extent)
{
	return memory_become(slot(extent), FREE, 1, OBJECT_DIRECTORY);
}
static uint32_t drop_table(uint32_t extent)
{
	return memory_drop(slot(extent), TABLE);
}
static uint32_t drop_directory(uint32_t extent)
{
	return memory_drop(slot(extent), DIRECTORY);
}
static uint32_t drop_object(uint32_t extent)
{
	return memory_drop(slot(extent), FREE);
}
static uint32_t create_domain(uint32_t extent)
{
	return memory_create_domain(slot(extent), FREE, DIRECTORY, 0, NULL);
}
static uint32_t create_thread(uint32_t extent)
{
	return memory_create_thread(slot(extent), FREE, TABLE, NULL);
}
static uint32_t create_bitmap(uint32_t extent)
{
	return memory_create_bitmap(slot(extent), DATA, NULL);
}
static uint32_t fetch(uint32_t extent)
{
	return memory_fetch(slot(extent), FREE, slot(result), NULL);
}
static uint32_t split(uint32_t extent)
{
	return memory_split(slot(extent), DATA, 1, MEMORY_READ, slot(result));
}

static uint32_t read_one(uint32_t extent)
{
	struct memory_frame frame;
	return memory_read(slot(extent), DATA, &frame);
}
static uint32_t next_table(uint32_t extent)
{
	return memory_next_table(slot(extent), first, NULL);
}
static uint32_t flush(uint32_t extent)
{
	return memory_flush(slot(extent));
}
static uint32_t revoke_all(uint32_t extent)
{
	return memory_revoke(slot(extent), 0, USED, MEMORY_TOP);
}
/* Two frames of another extent, mapped; one of its own, unmapped; a frame that becomes data. */
static uint32_t batch(uint32_t extent)
{
	struct batch steps = {0};
	memory_map_lent_step(&steps, TABLE, 7, 2, 0, 2);
	memory_unmap_step(&steps, TABLE, 2, 1);
	return memory_batch(slot(extent), &steps, slot(other), NULL);
}
static void set_device(void)
{
	extent_forge(other, MEMORY_BADGE(0x80, 7, MEMORY_DEVICE_MASTER), 0);
	memory_forget_device(slot(other), 0);
}
static void set_device_used(void)
{
	set_device();
	OK(memory_define_device(slot(other), DEVICE - 0x80, 0, MEMORY_READ, 0, slot(result)));
}
static uint32_t define_device(uint32_t extent)
{
	(void)extent;
	return memory_define_device(slot(other), DEVICE - 0x80, 0, MEMORY_READ, 0, slot(result));
}
static uint32_t forget_device(uint32_t extent)
{
	(void)extent;
	return memory_forget_device(slot(other), 0);
}

static _Bool entries_are(uint32_t frame, uint32_t from, uint32_t count, _Bool there)
{
	for (uint32_t i = from; i < from + count; i++)
		if (!words_of(frame)[i] == there)
			return 0;
	return 1;
}
static _Bool one_is_mapped(void)
{
	return entries_are(TABLE, 7, 1, 1);
}
static _Bool three_are_mapped(void)
{
	return entries_are(TABLE, 7, 3, 1);
}
static _Bool two_are_mapped_one_is_not(void)
{
	return entries_are(TABLE, 7, 2, 1) && entries_are(TABLE, 2, 1, 0);
}
static _Bool one_is_unmapped(void)
{
	return entries_are(TABLE, 2, 1, 0);
}
static _Bool none_is_mapped(void)
{
	return entries_are(TABLE, 0, 4, 0);
}
static _Bool two_are_unmapped(void)
{
	return entries_are(TABLE, 2, 2, 0);
}
static _Bool is_installed(void)
{
	return entries_are(DIRECTORY, 5, 1, 1);
}
static _Bool is_removed(void)
{
	return entries_are(DIRECTORY, 5, 1, 0);
}
static _Bool data_is_clean(void)
{
	return TYPE(DATA) == MEMORY_CLEAN;
}
static _Bool data_is_data(void)
{
	return TYPE(DATA) == MEMORY_DATA && TYPE(DATA + 3) == MEMORY_DATA;
}
static _Bool free_is_table(void)
{
	return TYPE(FREE) == MEMORY_TABLE;
}
static _Bool free_is_directory(void)
{
	return TYPE(FREE) == MEMORY_DIRECTORY;
}
static _Bool table_is_clean(void)
{
	return TYPE(TABLE) == MEMORY_CLEAN;
}
static _Bool directory_is_clean(void)
{
	return TYPE(DIRECTORY) == MEMORY_CLEAN && COUNT(TABLE) == 0;
}
static _Bool free_is_dirty(void)
{
	return TYPE(FREE) == MEMORY_DIRTY;
}
static _Bool free_is_domain(void)
{
	return TYPE(FREE) == MEMORY_OBJECT && kernel_kind(FREE) == OBJECT_DOMAIN;
}
static _Bool free_is_thread(void)
{
	return TYPE(FREE) == MEMORY_OBJECT && TYPE(FREE + 1) == MEMORY_OBJECT &&
	       kernel_kind(FREE) == OBJECT_THREAD;
}
static _Bool data_is_bitmap(void)
{
	return TYPE(DATA) == MEMORY_OBJECT && kernel_kind(DATA) == OBJECT_BITMAP;
}
/* (Not by kernel_probe: a door would be called.) */
static uint32_t kind_there(void)
{
	struct words capability;
	MUST(kernel_domain_read(slot(ROOT_DOMAIN), slot(result), &capability));
	return capability.w[0] >> (CAPABILITY_KIND_SHIFT - CAPABILITY_RIGHTS_SHIFT);
}
static _Bool page_is_there(void)
{
	return kind_there() == CAPABILITY_PAGE && kernel_probe(slot(result)) == 0;
}
static _Bool door_is_there(void)
{
	return kind_there() == CAPABILITY_DOOR;
}
static _Bool all_is_revoked(void)
{
	return look(0).generation == MEMORY_TOP && look(USED - 1).generation == MEMORY_TOP;
}
static _Bool device_is_free(void)
{
	return define_device(0) == RETURN && forget_device(0) == RETURN;
}
/* Whoever defines can always begin anew. */
static _Bool device_is_defined(void)
{
	return forget_device(0) == RETURN && define_device(0) == RETURN && door_is_there();
}
static _Bool always(void)
{
	return 1;
}

static const struct scenario scenarios[] = {
	{"map 1", set_table, map_one, one_is_mapped, REPEATABLE, 1, 0},
	{"map 3", set_table, map_three, three_are_mapped, REPEATABLE, 1, 0},
	{"unmap 1", set_mapped, unmap_one, one_is_unmapped, REPEATABLE, 1, 0},
	{"unmap 4", set_mapped, unmap_four, none_is_mapped, REPEATABLE, 1, 0},
	{"sweep 2", set_mapped, sweep_two, two_are_unmapped, REPEATABLE, 1, 0},
	{"install", set_directory, install, is_installed, 0, 1, 0},
	{"remove", set_installed, take_out, is_removed, REPEATABLE, 1, 0},
	{"sweep a directory", set_installed, sweep_out, is_removed, REPEATABLE, 1, 0},
	{"clean", set_three_quarters, clean_quarter, data_is_clean, REPEATABLE, 1, 0},
	{"become data", set_nothing, become_data, data_is_data, 0, 1, 0},
	{"split", set_data, split, door_is_there, REPEATABLE, 1, 0},
	{"batch", set_mapped, batch, two_are_mapped_one_is_not, REPEATABLE, 1, 0},
	{"read", set_data, read_one, always, REPEATABLE, 1, 0},
	{"next table", set_table, next_table, always, REPEATABLE, 1, 0},
	{"flush", set_nothing, flush, always, REPEATABLE, 1, 0},
	{"revoke", set_mapped, revoke_all, all_is_revoked, OWNER, 1, 0},
	{"define device", set_device, define_device, device_is_defined, OWNER | ONE_WAY, 1, 0},
	{"forget device", set_device_used, forget_device, device_is_free, OWNER | ONE_WAY, 1, 0},
	{"become table", set_nothing, become_table, free_is_table, ONE_WAY, 1, 0},
	{"become directory", set_nothing, become_directory, free_is_directory, ONE_WAY, 13, 0},
	{"drop table", set_mapped, drop_table, table_is_clean, ONE_WAY, 1, 400},
	{"drop table, at last", set_dropping, drop_table, table_is_clean, ONE_WAY, 1, 0},
	{"drop directory", set_installed, drop_directory, directory_is_clean, ONE_WAY, 1, 300},
	{"drop object", set_lock_page, drop_object, free_is_dirty, ONE_WAY, 1, 0},
	{"create domain", set_directory, create_domain, free_is_domain, ONE_WAY, 1, 0},
	{"create thread", set_domain, create_thread, free_is_thread, ONE_WAY, 1, 0},
	{"create bitmap", set_bitmap_pages, create_bitmap, data_is_bitmap, ONE_WAY, 1, 0},
	{"fetch", set_lock_page, fetch, page_is_there, REPEATABLE | ONE_WAY, 1, 0},
};
#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

/* ---- the world, and its way back ------------------------------------------------------------- */
static void client_calls(uint32_t extent)
{
	answer = scenario->call(extent);
}

/* All frames CLEAN, then as the scenario begins; the client has an extent of them alone. */
static void set(void)
{
	memory_recover(0, USED);
	for (uint32_t frame = 0; frame < USED; frame++) /* a revoke may have worn them out */
		if (look(frame).generation == MEMORY_TOP)
			descriptor_of(frame)->key = MEMORY_KEY(MEMORY_CLEAN, 0);
	OK(memory_revoke(slot(all), 0, USED, look(0).generation + 1));
	kernel_delete(slot(result));
	OK(memory_split(slot(all), DATA, 1, MEMORY_RIGHTS, slot(other)));
	scenario->set();
	if (!(scenario->traits & OWNER))
		OK(memory_split(slot(all), 0, USED_ORDER, MEMORY_RIGHTS, slot(part)));
	else
		extent_forge(part, MEMORY_BADGE(first, USED_ORDER, MEMORY_RIGHTS_ALL), 0);
	answer = NO_ANSWER;
	client_restart(&client, client_calls, part);
}

/* What a stopped client has written for all to see. */
struct seen_by_all {
	struct memory_frame descriptors[USED];
	uint32_t words[USED][1024], lock[1024], kinds[USED];
};
static struct seen_by_all saved, untouched;
static struct {
	uint32_t control[1024], page[1024];
	uint8_t stack[CLIENT_STACK_BYTES];
	uint32_t answer, result;
} saved_client;

static void take(struct seen_by_all *into)
{
	memcpy(into->descriptors, descriptor_of(0), sizeof(into->descriptors));
	memcpy(into->words, words_of(0), sizeof(into->words));
	memcpy(into->lock, frame_pointer(lock_frame), PAGE_BYTES);
	for (uint32_t frame = 0; frame < USED; frame++)
		into->kinds[frame] = kernel_kind(frame);
}
static _Bool frames_are_unchanged(const struct seen_by_all *since)
{
	for (uint32_t frame = 0; frame < USED; frame++)
		if (kernel_kind(frame) != since->kinds[frame])
			return 0;
	return words_are_same(descriptor_of(0), since->descriptors, sizeof(since->descriptors)) &&
	       words_are_same(words_of(0), since->words, sizeof(since->words));
}
static _Bool is_unchanged(const struct seen_by_all *since)
{
	return words_are_same(frame_pointer(lock_frame), since->lock, sizeof(since->lock)) &&
	       frames_are_unchanged(since);
}

static void words_set(uint32_t *to, uint32_t value, uint32_t count)
{
	asm volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(value) : "memory");
}

static void save(void)
{
	take(&saved);
	memcpy(saved_client.control, frame_pointer(client.thread.object.frame), PAGE_BYTES);
	memcpy(saved_client.page, frame_pointer(client.thread.data[0].frame), PAGE_BYTES);
	memcpy(saved_client.stack, client.stack, CLIENT_STACK_BYTES);
	saved_client.answer = answer;
	saved_client.result = kind_there();
}
/* The kernel's objects among the frames are tables and directories of which nobody remembers the
 * generation: others are as good. */
static void restore(void)
{
	for (uint32_t frame = 0; frame < USED; frame++) {
		if (kernel_kind(frame) == saved.kinds[frame])
			continue;
		if (kernel_kind(frame) != OBJECT_NONE)
			MUST(kernel_destroy(AUTHORITY, first + frame,
					    object_generation(first + frame)));
		if (saved.kinds[frame] != OBJECT_NONE)
			MUST(kernel_create(AUTHORITY, saved.kinds[frame], 0, first + frame,
					   object_generation(first + frame), 0));
	}
	memcpy(descriptor_of(0), saved.descriptors, sizeof(saved.descriptors));
	memcpy(words_of(0), saved.words, sizeof(saved.words));
	memcpy(frame_pointer(lock_frame), saved.lock, PAGE_BYTES);
	memcpy(frame_pointer(client.thread.object.frame), saved_client.control, PAGE_BYTES);
	memcpy(frame_pointer(client.thread.data[0].frame), saved_client.page, PAGE_BYTES);
	memcpy(client.stack, saved_client.stack, CLIENT_STACK_BYTES);
	if (saved_client.result == CAPABILITY_EMPTY)
		kernel_delete(slot(result));
	OK(memory_split(slot(all), DATA, 1, MEMORY_RIGHTS, slot(other)));
	answer = saved_client.answer;
}

/* ---- the sweep ------------------------------------------------------------------------------- */
/* Its owner repeats what was cut off, until it is done: at most twice, for a half-way state. */
static void repeat(void)
{
	for (uint32_t i = 0; i < 2 && !scenario->is_done(); i++) {
		uint32_t said = scenario->call(all);
		CHECK(said == RETURN || said == RETURN + MEMORY_AGAIN);
	}
	CHECK(scenario->is_done());
	if (scenario->traits & REPEATABLE)
		OK(scenario->call(all));
	memory_check_to(USED);
}

static _Bool step(void)
{
	return client_step(&client).reason == DISPATCH_STEPPED;
}
static _Bool go(uint32_t steps)
{
	while (steps--)
		if (!step())
			return 0;
	return 1;
}
static void check_end(void)
{
	CHECK_EQUAL(answer, RETURN);
	CHECK(scenario->is_done());
	memory_check_to(USED);
}

/* From the beginning for each stop; each sweep begins with another one. */
static uint32_t stop_each(void (*happens)(void))
{
	static uint32_t turn;
	uint32_t stride = sweeps_all() ? scenario->stride : STRIDE_ONE_WAY, stops = 0;
	for (uint32_t steps = turn++ % stride;; steps += stride, stops++) {
		set();
		if (!go(steps)) {
			check_end();
			return stops;
		}
		if (scenario->last && steps > scenario->last)
			return stops;
		happens();
	}
}
/* In one walk. */
static uint32_t stop_on_the_way(void (*happens)(void))
{
	static uint32_t turn;
	uint32_t stride = sweeps_all() ? 1 : STRIDE, stops = 0;
	set();
	do {
		if (turn++ % stride)
			continue;
		save();
		happens();
		restore();
		stops++;
	} while (step());
	check_end();
	return stops;
}

/* Where something has changed that others see, and at the beginning. */
#define CHANGES_MAX 500u /* a directory has an entry for each 4 MiB that the kernel reaches */
static uint32_t changes[SCENARIOS][CHANGES_MAX], change_count[SCENARIOS];
static void changes_find(uint32_t number)
{
	uint32_t count = 0, steps = 0;
	set();
	do {
		if (steps && is_unchanged(&saved))
			continue;
		take(&saved);
		CHECK(count < CHANGES_MAX);
		if (count < CHANGES_MAX)
			changes[number][count++] = steps;
	} while (step() && (!scenario->last || steps <= scenario->last) && ++steps);
	change_count[number] = count;
}
static uint32_t stop_at_changes(void (*happens)(void), uint32_t number)
{
	if (!change_count[number])
		changes_find(number);
	for (uint32_t i = 0; i < change_count[number]; i++) {
		set();
		CHECK(go(changes[number][i]));
		happens();
	}
	return change_count[number];
}

enum way { AT_CHANGES, EVERYWHERE };
static void sweep(void (*happens)(void), enum way way, uint32_t without)
{
	uint32_t stops = 0;
	memory_make();
	lock_frame = memory.lock.frame;
	OK(memory_clean(slot(all), 0, MANAGED));
	client_make(&client, &root_domain, client_calls, 0);
	for (uint32_t i = 0; i < SCENARIOS; i++) {
		scenario = &scenarios[i];
		if (scenario->traits & without)
			continue;
		if (way == AT_CHANGES)
			stops += stop_at_changes(happens, i);
		else if (scenario->traits & ONE_WAY)
			stops += stop_each(happens);
		else
			stops += stop_on_the_way(happens);
	}
	test_note("%u stops", stops);
	CHECK(stops > 250);
	client_end(&client);
	set_device(); /* free again */
	memory_unmake();
}

/* ---- what happens ---------------------------------------------------------------------------- */
static void is_killed(void)
{
	client_end(&client);
	memory_check_to(USED);
	client_make(&client, &root_domain, client_calls, part);
	repeat();
}
TEST(memory_sweep_killed_wherever_others_see_it_its_owner_goes_on)
{
	sweep(is_killed, AT_CHANGES, 0);
}

static void is_aborted(void)
{
	_Bool inside = client_depth(&client) == 1;
	CHECK_EQUAL(kernel_abort(slot(client.thread.object.slot), 1, memory.object.frame),
		    inside ? 0 : ERROR_ARGUMENT);
	memory_check_to(USED);
	client_run(&client);
	CHECK(answer == (inside ? ERROR_ABORTED : RETURN));
	repeat();
}
TEST(memory_sweep_aborted_wherever_others_see_it_it_is_repeated)
{
	sweep(is_aborted, AT_CHANGES, 0);
}

static void another_wants_the_same(void)
{
	uint32_t said = scenario->call(all);
	CHECK(said == RETURN || !(scenario->traits & REPEATABLE));
	memory_check_to(USED);
	client_run(&client);
	CHECK(answer == RETURN || !(scenario->traits & REPEATABLE));
	CHECK(DOOR_ERROR(answer) == 0);
	repeat();
}
TEST(memory_sweep_at_every_instruction_another_wants_the_same)
{
	sweep(another_wants_the_same, EVERYWHERE, 0);
}

/* The extent is revoked, all that is there is undone, and its frames are somebody's data. */
static void frames_go_to_another(void)
{
	OK(memory_revoke(slot(all), 0, USED, look(0).generation + 1));
	memory_recover(0, USED);
	OK(memory_become(slot(all), 0, USED, OBJECT_NONE));
	words_set(words_of(0), PATTERN, USED * 1024);
	take(&untouched);
	client_run(&client);
	CHECK(answer == RETURN || answer == RETURN + MEMORY_STALE ||
	      answer == RETURN + MEMORY_AGAIN || answer == RETURN + MEMORY_WRONG_TYPE ||
	      answer == RETURN + MEMORY_REFUSED);
	CHECK(frames_are_unchanged(&untouched));
	CHECK(kind_there() != CAPABILITY_PAGE || kernel_probe(slot(result)) != 0);
}
TEST(memory_sweep_frozen_at_every_instruction_while_its_frames_go_to_another)
{
	sweep(frames_go_to_another, EVERYWHERE, OWNER);
}

/* The same, but the other one has brought them to where this one began. */
static void frames_go_to_another_who_wants_the_same(void)
{
	OK(memory_revoke(slot(all), 0, USED, look(0).generation + 1));
	memory_recover(0, USED);
	OK(memory_split(slot(all), DATA, 1, MEMORY_RIGHTS, slot(other)));
	scenario->set();
	take(&untouched);
	client_run(&client);
	CHECK(frames_are_unchanged(&untouched));
	CHECK(kind_there() != CAPABILITY_PAGE || kernel_probe(slot(result)) != 0);
	memory_check_to(USED);
	repeat();
}
TEST(memory_sweep_frozen_at_every_instruction_while_another_has_the_same_begun)
{
	sweep(frames_go_to_another_who_wants_the_same, EVERYWHERE, OWNER);
}

/* ---- how deep -------------------------------------------------------------------------------- */
TEST(memory_stack_of_each_operation_is_less_than_a_kib)
{
	uint32_t deepest = 0;
	memory_make();
	OK(memory_clean(slot(all), 0, MANAGED));
	client_make(&client, &root_domain, client_calls, 0);
	for (uint32_t i = 0; i < SCENARIOS; i++) {
		scenario = &scenarios[i];
		set();
		stack_paint(&client);
		client_run(&client);
		CHECK_EQUAL(answer, RETURN);
		uint32_t bytes = stack_used(&client);
		test_note("%s: %u bytes of stack", scenario->name, bytes);
		CHECK(bytes >= 8 && bytes < 1024);
		deepest = bytes > deepest ? bytes : deepest;
	}
	CHECK(deepest > 32);
	client_end(&client);
	set_device(); /* free again */
	memory_unmake();
}
