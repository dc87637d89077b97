/* SPDX-License-Identifier: MIT */
/*
 * Clients of the memory service that want more than they were given: a way to a page table, to a
 * kernel object, or to a frame that is another's by now.
 */
#include "memory_world.h"

#define TABLE     0u
#define DIRECTORY 1u
#define PAGE      8u
#define AT        0x20000000u /* of what TABLE maps, in the domain of a client */
#define SECRET    0x5EC2E700u
#define DOOR      1u /* in the lists of domains */
#define ONWARD    2u

static struct domain home, service;
static struct client clients[2];

/* A domain whose entry for AT is a table of the service's: as if it had been installed. */
static void install_by_hand(struct domain *domain, uint32_t table)
{
	((uint32_t *)frame_pointer(domain->directory_frame))[AT >> 22] =
		table == ~0u ? 0 : (first + table) << 12 | 7;
}

/* ---- types
 * ---------------------------------------------------------------------------------------- */
/* Brings a frame to a type; false: it can't be had that way. */
static void bring(uint32_t frame, uint32_t type)
{
	static const uint32_t kinds[] = {[MEMORY_TABLE] = OBJECT_TABLE,
					 [MEMORY_DIRECTORY] = OBJECT_DIRECTORY,
					 [MEMORY_OBJECT] = OBJECT_CAPABILITY_PAGE,
					 [MEMORY_LOCK_PAGE] = OBJECT_LOCK_PAGE};
	memory_recover(frame, frame + 1);
	if (type < sizeof(kinds) / sizeof(kinds[0]) && kinds[type])
		make_kind(frame, 1, kinds[type]);
	else
		descriptor_of(frame)->key = MEMORY_KEY(type, 0);
}

TEST(memory_no_type_but_data_and_lock_pages_is_ever_mapped)
{
	memory_make();
	make_kind(TABLE, 1, OBJECT_TABLE);
	for (uint32_t type = MEMORY_RESERVED; type <= MEMORY_LOCK_PAGE; type++) {
		_Bool mapped = type == MEMORY_DATA || type == MEMORY_LOCK_PAGE;
		uint32_t done = 0;
		make_kind(PAGE, 3, OBJECT_NONE);
		bring(PAGE + 1, type);
		for (uint32_t flags = 0; flags < 4; flags++) {
			uint32_t answer = memory_map(slot(all), TABLE, 0, flags, PAGE, 3, &done);
			CHECK_EQUAL(answer, RETURN + (mapped ? 0 : MEMORY_WRONG_TYPE));
			CHECK_EQUAL(done, mapped ? 3 : 1);
			CHECK_EQUAL(words_of(TABLE)[1] != 0, mapped);
		}
		if (type != MEMORY_DIRECTORY)
			SAYS(MEMORY_WRONG_TYPE, memory_install(slot(all), PAGE + 1, 2, TABLE));
		bring(DIRECTORY, MEMORY_DIRECTORY);
		CHECK_EQUAL(memory_install(slot(all), DIRECTORY, 2, PAGE + 1),
			    RETURN + (type == MEMORY_TABLE ? 0 : MEMORY_WRONG_TYPE));
		OK(memory_remove(slot(all), DIRECTORY, 2));
		OK(memory_unmap(slot(all), TABLE, 0, 3));
		if (type < MEMORY_TABLE || (type > MEMORY_OBJECT && type != MEMORY_LOCK_PAGE))
			descriptor_of(PAGE + 1)->key = MEMORY_KEY(MEMORY_DIRTY, 0);
		memory_recover(PAGE, PAGE + 3);
	}
	memory_unmake();
}

TEST(memory_that_is_mapped_becomes_nothing_else)
{
	memory_make();
	make_kind(TABLE, 1, OBJECT_TABLE);
	make_kind(PAGE, 1, OBJECT_NONE);
	OK(memory_map(slot(all), TABLE, 0, 2, PAGE, 1, NULL));
	SAYS(MEMORY_IN_USE, memory_clean(slot(all), PAGE, 1));
	SAYS(MEMORY_WRONG_TYPE, memory_drop(slot(all), PAGE));
	for (uint32_t kind = OBJECT_DATA_PAGE; kind <= OBJECT_NONE; kind++)
		CHECK(memory_become(slot(all), PAGE, 1, kind) != RETURN);
	make_kind(DIRECTORY, 1, OBJECT_DIRECTORY);
	SAYS(MEMORY_WRONG_TYPE, memory_create_domain(slot(all), PAGE, DIRECTORY, 0, NULL));
	SAYS(MEMORY_WRONG_TYPE, memory_create_thread(slot(all), PAGE, DIRECTORY, NULL));
	OK(memory_revoke(slot(all), PAGE, 1, 1)); /* nor by way of another owner */
	SAYS(MEMORY_IN_USE, memory_clean(slot(all), PAGE, 1));
	CHECK_EQUAL(TYPE(PAGE), MEMORY_DATA);
	memory_unmake();
}

/* A kernel that refuses, near the end of generations: the frame stays useful as memory. */
TEST(memory_new_owner_is_not_disturbed_by_whoever_had_it_before)
{
	memory_make();
	OK(memory_clean(slot(all), PAGE, 8));
	make_kind(DIRECTORY, 2, OBJECT_DIRECTORY);
	OK(memory_split(slot(all), PAGE, 3, MEMORY_RIGHTS, slot(part))); /* the one before */
	OK(memory_revoke(slot(all), PAGE, 8, 1));
	/* the new one is stopped when his frame is BECOMING: nobody else finishes it */
	descriptor_of(PAGE)->key = MEMORY_KEY(MEMORY_BECOMING, 1);
	descriptor_of(PAGE)->count = CONTENT_ZERO;
	uint32_t kind, generation;
	MUST(kernel_inspect(AUTHORITY, first + PAGE, &kind, &generation));
	descriptor_of(PAGE)->serial = generation + 1;
	for (uint32_t of = OBJECT_DATA_PAGE; of < OBJECT_STATIC; of++)
		CHECK(memory_become(slot(part), 0, 1, of) != RETURN);
	OK(memory_split(slot(all), DIRECTORY, 0, MEMORY_MANAGE, slot(other)));
	SAYS(MEMORY_STALE, memory_create_domain_lent(slot(part), slot(other), 0, 0, 0, NULL));
	SAYS(MEMORY_STALE, memory_drop(slot(part), 0));
	CHECK_EQUAL(kernel_kind(PAGE), OBJECT_NONE);
	OK(memory_become(slot(all), PAGE, 1, OBJECT_LOCK_PAGE)); /* but he does */
	CHECK_EQUAL(kernel_kind(PAGE), OBJECT_LOCK_PAGE);
	memory_unmake();
}

/* A thread was made by a call that was killed before it had said so of both its frames. */
TEST(memory_data_page_of_a_thread_half_made_is_not_lost)
{
	memory_make();
	make_kind(DIRECTORY, 1, OBJECT_DIRECTORY);
	OK(memory_clean(slot(all), PAGE, 3));
	OK(memory_create_domain(slot(all), PAGE, DIRECTORY, 0, NULL));
	OK(memory_create_thread(slot(all), PAGE + 1, PAGE, NULL));
	descriptor_of(PAGE + 2)->key = MEMORY_KEY(MEMORY_BECOMING, 0);
	memory_check();
	SAYS(MEMORY_WRONG_TYPE, memory_drop(slot(all), PAGE + 2)); /* it is in use */
	OK(memory_drop(slot(all), PAGE + 1));
	SAYS(MEMORY_AGAIN, memory_become(slot(all), PAGE + 2, 1, OBJECT_DATA_PAGE));
	OK(memory_drop(slot(all), PAGE + 2));
	CHECK_EQUAL(TYPE(PAGE + 2), MEMORY_DIRTY);
	memory_unmake();
}

/* ---- words by chance ------------------------------------------------------------------------- */
#define WATCHED 26u
static struct {
	struct memory_frame descriptors[WATCHED];
	uint32_t words[WATCHED][1024], kinds[WATCHED];
} before;

static void watch(void)
{
	memcpy(before.descriptors, descriptor_of(0), sizeof(before.descriptors));
	memcpy(before.words, words_of(0), sizeof(before.words));
	for (uint32_t frame = 0; frame < WATCHED; frame++)
		before.kinds[frame] = kernel_kind(frame);
}
static void check_untouched(uint32_t from, uint32_t to)
{
	uint32_t count = to - from;
	CHECK(words_are_same(descriptor_of(from), &before.descriptors[from],
			     count * sizeof(struct memory_frame)));
	CHECK(words_are_same(words_of(from), before.words[from], count * PAGE_BYTES));
	for (uint32_t frame = from; frame < to; frame++)
		CHECK_EQUAL(kernel_kind(frame), before.kinds[frame]);
}

/* A frame of each type in a row, where others have theirs. */
static void some_of_each(uint32_t from)
{
	OK(memory_clean(slot(all), from, 8));
	OK(memory_become(slot(all), from, 1, OBJECT_TABLE));
	OK(memory_become(slot(all), from + 1, 1, OBJECT_DIRECTORY));
	OK(memory_become(slot(all), from + 2, 2, OBJECT_NONE));
	OK(memory_become(slot(all), from + 4, 1, OBJECT_CAPABILITY_PAGE));
	OK(memory_become(slot(all), from + 5, 1, OBJECT_TABLE));
	OK(memory_map(slot(all), from, 0, 2, from + 2, 1, NULL));
	OK(memory_install(slot(all), from + 1, 5, from));
	*words_of(from + 3) = SECRET;
}

static uint32_t seed;
static uint32_t chance(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}
/* Offsets and counts at the edges of an extent of eight frames, and far beyond them. */
static uint32_t odd_word(void)
{
	static const uint32_t frames[] = {0, 1, 2,    3,       4,       5,      6,
					  7, 8, 0x80, 0x7FFFF, 0xFFFF8, 0xFFFFF};
	static const uint32_t indices[] = {0, 1, 2, 5, 7, 8, 63, 64, 767, 768, 1022, 1023};
	uint32_t frame = frames[chance(sizeof(frames) / 4)];
	if (!chance(8))
		return chance(2) ? first + frame : chance(24);
	if (!chance(4))
		return MEMORY_BADGE(frame, chance(20), chance(128));
	return MEMORY_AT(frame, indices[chance(sizeof(indices) / 4)], chance(4));
}
/* Mostly without the bits that mean nothing, for which alone a call is refused. */
static void bits_clear(uint32_t operation, uint32_t *a, uint32_t *b)
{
	static const struct {
		uint32_t a, b;
	} meant[memory_batch_op] = {[memory_map_pages_op] = {~0u, ~3u},
				    [memory_unmap_op] = {~3u, 7u << 22},
				    [memory_install_op] = {~3u, ~0xFFFu},
				    [memory_remove_op] = {~3u, 0},
				    [memory_become_op] = {~3u, 15},
				    [memory_clean_range_op] = {~3u, 0},
				    [memory_drop_op] = {~0xFFFu, 0},
				    [memory_create_domain_op] = {~0xFFFu, ~0x7FFu},
				    [memory_create_thread_op] = {~0xFFFu, ~0xFFFu},
				    [memory_create_bitmap_op] = {~0xFFFu, 0},
				    [memory_sweep_op] = {~3u, 63u << 26},
				    [memory_revoke_range_op] = {~3u, ~0u}};
	if (operation >= memory_batch_op || !chance(8))
		return;
	*a &= meant[operation].a;
	*b &= meant[operation].b;
	if (operation == memory_become_op && chance(2))
		*b = OBJECT_NONE;
}
static uint32_t odd_call(uint32_t extent)
{
	uint32_t operation = chance(memory_next_table_op + 1), a = odd_word(), b = odd_word();
	bits_clear(operation, &a, &b);
	struct step *steps = parameters();
	if (operation == memory_fetch_op || operation == memory_split_bytes_op ||
	    operation == memory_define_bytes_op)
		return door_call(slot(extent).encoded | OPTION_RESULTS, operation,
				 LEND_SLOTS(result, 0, 0, 0), a, NULL);
	if (operation != memory_batch_op)
		return door_call(slot(extent).encoded, operation, a, b, NULL);
	for (uint32_t i = 0; i < 3; i++) {
		steps[i] = (struct step){chance(memory_fetch_op + 2), odd_word(), odd_word()};
		bits_clear(steps[i].operation, &steps[i].a, &steps[i].b);
	}
	struct batch batch = {chance(4) * sizeof(struct step)};
	return memory_batch(slot(extent), &batch, slot(chance(2) ? extent : 0), NULL);
}

/* Revoked: by none of the operations, with whatever words, anything happens to the frames. */
TEST(memory_capability_from_before_a_revoke_does_nothing)
{
	memory_make();
	seed = 1;
	some_of_each(8);
	OK(memory_split(slot(all), 8, 3, MEMORY_RIGHTS, slot(part)));
	OK(memory_revoke(slot(all), 8, 8, 1));
	watch();
	for (uint32_t i = 0; i < 20000; i++) {
		odd_call(part);
		if (i % 32 == 0)
			check_untouched(0, WATCHED);
	}
	check_untouched(0, WATCHED);
	kernel_delete(slot(result));
	memory_unmake();
}

/* Alive, it changes its own frames in every way, and no others. */
TEST(memory_extent_is_all_that_its_holder_can_change)
{
	uint32_t done = 0;
	memory_make();
	seed = 2;
	some_of_each(0);
	some_of_each(17);
	make_kind(16, 1, OBJECT_NONE); /* next to it, where a count could reach */
	OK(memory_clean(slot(all), 8, 8));
	OK(memory_split(slot(all), 8, 3, MEMORY_RIGHTS, slot(part)));
	watch();
	for (uint32_t i = 0; i < 40000; i++) {
		if (i % 200 == 0) { /* most of what it does undoes something */
			memory_recover(8, 16);
			make_kind(8, 1, OBJECT_TABLE);
			make_kind(12, 4, OBJECT_NONE);
		}
		done += odd_call(part) == RETURN;
		if (i % 32)
			continue;
		check_untouched(0, 8);
		check_untouched(16, WATCHED);
		memory_check();
	}
	test_note("%u of 40,000 were done", done);
	CHECK(done > 2000);
	kernel_delete(slot(result));
	memory_unmake();
}

/* ---- the TLB
 * -------------------------------------------------------------------------------------- */
static volatile uint32_t seen_before, seen_after, found_before, found_after;
static volatile _Bool wait_there;

/* A client at home: it touches, unmaps by its own door, touches. */
static void touch_unmap_touch(uint32_t operation)
{
	uint32_t value = 0;
	found_before =
		try_load((const uint32_t *)AT, &value) && try_store((uint32_t *)AT, SECRET + 1);
	seen_before = value;
	if (operation == memory_unmap_op)
		memory_unmap(slot(DOOR), TABLE, 0, 1);
	else if (operation == memory_map_pages_op) /* the same, read-only */
		memory_map(slot(DOOR), TABLE, 0, 0, PAGE, 1, NULL);
	else if (operation == memory_sweep_op)
		memory_sweep(slot(DOOR), first + TABLE, 0, 64);
	found_after = operation == memory_map_pages_op ? try_store((uint32_t *)AT, SECRET + 2)
						       : try_load((const uint32_t *)AT, &value);
}

static void home_make(struct domain *domain)
{
	peer_make(domain, "home");
	domain_give(domain, DOOR, all);
	make_kind(TABLE, 1, OBJECT_TABLE);
	make_kind(PAGE, 2, OBJECT_NONE);
	OK(memory_map(slot(all), TABLE, 0, 2, PAGE, 1, NULL));
	*words_of(PAGE) = SECRET;
	install_by_hand(domain, TABLE);
}
static void home_end(struct domain *domain)
{
	install_by_hand(domain, ~0u);
	domain_end(domain);
}

TEST(memory_unmapped_or_read_only_is_so_at_once_for_who_has_just_touched_it)
{
	static const uint32_t operations[] = {memory_unmap_op, memory_map_pages_op,
					      memory_sweep_op};
	memory_make();
	home_make(&home);
	client_make(&clients[0], &home, touch_unmap_touch, 0);
	for (uint32_t i = 0; i < 3; i++) {
		OK(memory_map(slot(all), TABLE, 0, 2, PAGE, 1, NULL));
		*words_of(PAGE) = SECRET;
		client_restart(&clients[0], touch_unmap_touch, operations[i]);
		client_run(&clients[0]);
		CHECK(found_before && !found_after);
		CHECK_EQUAL(seen_before, SECRET);
		CHECK_EQUAL(*words_of(PAGE), SECRET + 1);
	}
	client_end(&clients[0]);
	home_end(&home);
	memory_unmake();
}

/* Two threads of one domain: one has the translation, the other takes the page away. */
static void touch_again_and_again(uint32_t argument)
{
	uint32_t value;
	(void)argument;
	for (uint32_t i = 0; i < 1000 && try_load((const uint32_t *)AT, &value); i++) {
		found_before++;
		if (value != SECRET)
			found_after++; /* somebody else's */
	}
}
static void unmap_and_hand_on(uint32_t argument)
{
	(void)argument;
	memory_unmap(slot(DOOR), TABLE, 0, 1);
	memory_clean(slot(DOOR), PAGE, 1);
	memory_become(slot(DOOR), PAGE, 1, OBJECT_NONE);
}

TEST(memory_that_one_thread_unmaps_another_of_its_domain_does_not_touch_again)
{
	memory_make();
	home_make(&home);
	client_make(&clients[0], &home, touch_again_and_again, 0);
	client_make(&clients[1], &home, unmap_and_hand_on, 0);
	for (uint32_t steps = 10; steps < 60; steps++) {
		OK(memory_map(slot(all), TABLE, 0, 2, PAGE, 1, NULL));
		*words_of(PAGE) = SECRET;
		found_before = found_after = 0;
		client_restart(&clients[0], touch_again_and_again, 0);
		for (uint32_t i = 0; i < steps; i++)
			client_step(&clients[0]);
		client_restart(&clients[1], unmap_and_hand_on, 0);
		client_run(&clients[1]);
		CHECK_EQUAL(TYPE(PAGE), MEMORY_DATA);
		*words_of(PAGE) = SECRET + 3; /* the next owner's */
		client_run(&clients[0]);
		CHECK(found_before < 20);
		CHECK_EQUAL(found_after, 0);
	}
	client_end(&clients[0]);
	client_end(&clients[1]);
	home_end(&home);
	memory_unmake();
}

/* ---- windows
 * -------------------------------------------------------------------------------------- */
/* The service that gets the window waits there: it is frozen, and thawed when the table is gone. */
PEER touch_window(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	uint32_t value = 0;
	(void)operation, (void)a, (void)b, (void)badge_high;
	found_before += try_load((const uint32_t *)WINDOW_0, &value) && value == SECRET;
	seen_before = 1;
	for (uint32_t i = 0; i < 50; i++)
		if (try_load((const uint32_t *)WINDOW_0, &value) && value != SECRET)
			found_after++;
	return ANSWER(0, 0);
}
static void lend_window(uint32_t argument)
{
	(void)argument;
	door_call_lend(ONWARD | OPTION_WINDOWS, 0, 0, 0, LEND_WINDOWS(ENTRY_OF(AT), 0), NULL);
}

/* What an owner does with a table that he has lent: its frame is data, full of entries of his. */
static void table_becomes_data(void)
{
	OK(memory_drop(slot(all), TABLE));
	OK(memory_become(slot(all), TABLE, 1, OBJECT_NONE));
	for (uint32_t i = 0; i < 1024; i++)
		words_of(TABLE)[i] = (first + PAGE + 1) << 12 | 7;
	*words_of(PAGE + 1) = SECRET + 4;
}

TEST(memory_window_on_a_table_that_was_dropped_shows_nothing)
{
	uint32_t shown = 0, hidden = 0;
	memory_make();
	peer_make(&service, "service");
	home_make(&home);
	uint32_t door = peer_door(&service, touch_window);
	domain_give(&home, ONWARD, door);
	client_make(&clients[0], &home, lend_window, 0);
	for (uint32_t steps = 0; steps < 150; steps += 3) {
		found_before = found_after = seen_before = 0;
		client_restart(&clients[0], lend_window, 0);
		for (uint32_t i = 0; i < steps; i++)
			client_step(&clients[0]);
		table_becomes_data();
		client_run(&clients[0]);
		CHECK_EQUAL(found_after, 0);
		shown += found_before;
		hidden += !found_before;
		memory_recover(TABLE, TABLE + 1);
		make_kind(TABLE, 1, OBJECT_TABLE);
		OK(memory_map(slot(all), TABLE, 0, 2, PAGE, 1, NULL));
	}
	CHECK(shown > 3 && hidden > 3);
	client_end(&clients[0]);
	slot_give(door);
	home_end(&home);
	domain_end(&service);
	memory_unmake();
}

/* It lends the memory service itself a window on the table that this very call drops. */
static void drop_what_is_lent(uint32_t argument)
{
	(void)argument;
	found_before = door_call_lend(DOOR | OPTION_WINDOWS, memory_drop_op, MEMORY_AT(TABLE, 0, 0),
				      0, LEND_WINDOWS(ENTRY_OF(AT), ENTRY_OF(AT)), NULL);
}
TEST(memory_service_drops_a_table_that_is_lent_to_it_in_that_call)
{
	memory_make();
	home_make(&home);
	client_make(&clients[0], &home, drop_what_is_lent, 0);
	client_run(&clients[0]);
	CHECK_EQUAL(found_before, RETURN);
	CHECK_EQUAL(TYPE(TABLE), MEMORY_CLEAN);
	CHECK_EQUAL(COUNT(PAGE), 0);
	memory_check();
	client_end(&clients[0]);
	home_end(&home);
	memory_unmake();
}

/* A client destroys what its own call stands on: the service is none the worse. */
static void drop_own(uint32_t frame)
{
	found_before = memory_drop(slot(DOOR), frame);
	found_after = 1;
}
TEST(memory_client_drops_its_own_thread_page_or_domain_during_the_call)
{
	for (uint32_t what = 0; what < 4; what++) {
		const uint32_t frames[] = {PAGE, PAGE + 1, PAGE + 2, DIRECTORY};
		struct dispatch_result dispatched = {0};
		memory_make();
		make_kind(DIRECTORY, 1, OBJECT_DIRECTORY);
		OK(memory_clean(slot(all), PAGE, 3));
		OK(memory_create_domain(slot(all), PAGE, DIRECTORY, 0, NULL));
		OK(memory_create_thread(slot(all), PAGE + 1, PAGE, NULL));
		words_of(DIRECTORY)[IMAGE_BASE >> 22] = ((uint32_t *)frame_pointer(
			boot_record->root_directory_frame))[IMAGE_BASE >> 22];
		OK(memory_fetch(slot(all), PAGE, slot(result), NULL));
		MUST(kernel_grant(slot(result), slot(DOOR), slot(all)));
		MUST(kernel_domain_set(slot(result), DOMAIN_FAULT_ENTRY, (uint32_t)fault_entry));
		OK(memory_fetch(slot(all), PAGE + 1, slot(result), NULL));
		extern void thread_begin(void);
		uint32_t *top = (uint32_t *)(clients[0].stack + CLIENT_STACK_BYTES) - 4;
		*top = frames[what];
		found_after = 0;
		MUST(kernel_thread_start(slot(result), (uint32_t)thread_begin, (uint32_t)top,
					 (uint32_t)drop_own));
		kernel_dispatch(slot(result), 0, DEADLINE_NEVER, 0, &dispatched);
		if (what == 3) /* its directory is its domain's */
			CHECK_EQUAL(found_before, RETURN + MEMORY_IN_USE);
		words_of(DIRECTORY)[IMAGE_BASE >> 22] = 0;
		memory_check();
		memory_unmake();
	}
}
