/* SPDX-License-Identifier: MIT */
/* The memory service: every operation and every status, with root's linear map as the witness. */
#include "memory_world.h"

#define TABLE     0u /* the frames of most tests */
#define DIRECTORY 1u
#define PAGE      8u

/* A narrower extent of the same frames, of the present generation, in slot `part`. */
static void narrow(uint32_t frame, uint32_t order, uint32_t rights)
{
	OK(memory_split(slot(all), frame, order, rights, slot(part)));
}

#define STEPS_MAX (PARAMETER_BYTES / sizeof(struct step))
static void batch_entry(uint32_t i, uint32_t operation, uint32_t a, uint32_t b)
{
	((struct step *)parameters())[i] = (struct step){operation, a, b};
}
static uint32_t batch_call(uint32_t steps, uint32_t lent, uint32_t *done)
{
	struct batch batch = {steps * sizeof(struct step)};
	return memory_batch(slot(all), &batch, slot(lent), done);
}
/* One operation with a second extent. */
static uint32_t with_lent(uint32_t extent, uint32_t lent, uint32_t operation, uint32_t a,
			  uint32_t b)
{
	struct batch batch = {sizeof(struct step)};
	batch_entry(0, operation, a, b);
	return memory_batch(slot(extent), &batch, slot(lent), NULL);
}

TEST(memory_maps_counts_and_unmaps)
{
	uint32_t done;
	memory_make();
	make_kind(TABLE, 1, OBJECT_TABLE);
	make_kind(PAGE, 7, OBJECT_NONE);
	OK(memory_map(slot(all), TABLE, 5, MEMORY_ENTRY_WRITE, PAGE, 7, &done));
	CHECK_EQUAL(done, 7);
	const uint32_t *table = words_of(TABLE);
	for (uint32_t i = 0; i < 7; i++) {
		CHECK_EQUAL(table[5 + i], ENTRY_MAPS(PAGE + i, 2));
		CHECK_EQUAL(TYPE(PAGE + i), MEMORY_DATA);
		CHECK_EQUAL(COUNT(PAGE + i), 1);
	}
	OK(memory_map(slot(all), TABLE, 1, 0, PAGE, 3, NULL)); /* once more, read-only */
	CHECK_EQUAL(table[2], ENTRY_MAPS(PAGE + 1, 0));
	CHECK_EQUAL(COUNT(PAGE + 1), 2);
	OK(memory_map(slot(all), TABLE, 5, 0, PAGE, 7, NULL)); /* other flags: not counted again */
	CHECK_EQUAL(table[6], ENTRY_MAPS(PAGE + 1, 0));
	CHECK_EQUAL(COUNT(PAGE + 1), 2);
	memory_check();
	OK(memory_unmap(slot(all), TABLE, 6, 1));
	CHECK_EQUAL(COUNT(PAGE + 1), 1);
	OK(memory_unmap(slot(all), TABLE, 6, 1)); /* it was empty */
	OK(memory_unmap(slot(all), TABLE, 0, 1024));
	for (uint32_t i = 0; i < 1024; i++)
		if (table[i])
			CHECK_EQUAL(table[i], 0);
	for (uint32_t i = 0; i < 7; i++)
		CHECK_EQUAL(COUNT(PAGE + i), 0);
	memory_check();
	memory_unmake();
}

TEST(memory_map_of_one_frame_many_times_in_one_table)
{
	memory_make();
	make_kind(TABLE, 1, OBJECT_TABLE);
	make_kind(PAGE, 3, OBJECT_NONE);
	for (uint32_t i = 0; i < 30; i++)
		OK(memory_map(slot(all), TABLE, 3 * i, i & 2, PAGE + i * 7 % 3, 1, NULL));
	CHECK_EQUAL(COUNT(PAGE), 10);
	memory_check();
	OK(memory_unmap(slot(all), TABLE, 10, 20));
	memory_check();
	OK(memory_unmap(slot(all), TABLE, 0, 1024));
	CHECK_EQUAL(COUNT(PAGE) + COUNT(PAGE + 1) + COUNT(PAGE + 2), 0);
	memory_unmake();
}

TEST(memory_map_refuses_what_is_not_the_holders)
{
	uint32_t done = 99;
	memory_make();
	make_kind(TABLE, 1, OBJECT_TABLE);
	make_kind(PAGE, 4, OBJECT_NONE);
	SAYS(MEMORY_OUTSIDE, memory_map(slot(all), MANAGED, 0, 0, PAGE, 1, NULL));
	SAYS(MEMORY_OUTSIDE, memory_map(slot(all), TABLE, 0, 0, MANAGED, 1, NULL));
	SAYS(MEMORY_OUTSIDE, memory_map(slot(all), TABLE, 0, 0, MANAGED - 1, 2, NULL));
	SAYS(MEMORY_OUTSIDE, memory_map(slot(all), TABLE, 0, 0, 0xFFFFF, 1, NULL));
	SAYS(MEMORY_OUTSIDE, memory_map(slot(all), 0xFFFFF, 0, 0, PAGE, 1, NULL));
	SAYS(MEMORY_OUTSIDE, memory_map(slot(all), TABLE, 1023, 0, PAGE, 2, &done));
	CHECK_EQUAL(done, 0);
	OK(memory_map(slot(all), TABLE, 1023, 0, PAGE, 1, NULL));
	SAYS(MEMORY_WRONG_TYPE, memory_map(slot(all), PAGE, 0, 0, PAGE, 1, NULL));
	SAYS(MEMORY_WRONG_TYPE, memory_map(slot(all), TABLE, 0, 0, PAGE + 2, 4, &done));
	CHECK_EQUAL(done, 2); /* what came before stays */
	CHECK_EQUAL(COUNT(PAGE + 3), 1);
	SAYS(MEMORY_OCCUPIED, memory_map(slot(all), TABLE, 0, 0, PAGE, 1, NULL));
	CHECK_EQUAL(COUNT(PAGE), 1);
	narrow(TABLE, 5, MEMORY_READ | MEMORY_WRITE);
	SAYS(MEMORY_NOT_ALLOWED, memory_map(slot(part), TABLE, 5, 0, PAGE, 1, NULL));
	narrow(TABLE, 5, MEMORY_WRITE | MEMORY_MANAGE);
	SAYS(MEMORY_NOT_ALLOWED, memory_map(slot(part), TABLE, 5, 0, PAGE, 1, NULL));
	narrow(TABLE, 5, MEMORY_READ | MEMORY_MANAGE);
	SAYS(MEMORY_NOT_ALLOWED,
	     memory_map(slot(part), TABLE, 5, MEMORY_ENTRY_WRITE, PAGE, 1, NULL));
	OK(memory_map(slot(part), TABLE, 5, 0, PAGE, 1, NULL));
	OK(memory_revoke(slot(all), PAGE, 1, 7));
	SAYS(MEMORY_STALE, memory_map(slot(part), TABLE, 6, 0, PAGE, 1, NULL));
	OK(memory_map(slot(part), TABLE, 6, 0, PAGE + 1, 1, NULL));
	OK(memory_revoke(slot(all), TABLE, 1, 7));
	SAYS(MEMORY_STALE, memory_map(slot(part), TABLE, 7, 0, PAGE + 1, 1, NULL));
	memory_check();
	memory_unmake();
}

TEST(memory_maps_frames_of_another_extent_that_was_lent)
{
	memory_make();
	make_kind(TABLE, 1, OBJECT_TABLE);
	make_kind(PAGE, 4, OBJECT_NONE);
	OK(memory_split(slot(all), PAGE, 2, MEMORY_READ, slot(other)));
	narrow(TABLE, 2, MEMORY_MANAGE);
	OK(with_lent(part, other, memory_map_lent_op, MEMORY_AT(TABLE, 3, 0), MEMORY_AT(0, 3, 0)));
	CHECK_EQUAL(words_of(TABLE)[6], ENTRY_MAPS(PAGE + 3, 0));
	SAYS(MEMORY_NOT_ALLOWED,
	     with_lent(part, other, memory_map_lent_op, MEMORY_AT(TABLE, 9, MEMORY_ENTRY_WRITE),
		       MEMORY_AT(0, 0, 0)));
	SAYS(MEMORY_OUTSIDE, with_lent(part, other, memory_map_lent_op, MEMORY_AT(TABLE, 9, 0),
				       MEMORY_AT(4, 0, 0)));
	SAYS(SERVICE_BAD_ARGUMENT,
	     with_lent(part, 0, memory_map_lent_op, MEMORY_AT(TABLE, 9, 0), MEMORY_AT(0, 0, 0)));
	SAYS(SERVICE_BAD_ARGUMENT,
	     with_lent(part, ROOT_DOMAIN, memory_map_lent_op, MEMORY_AT(TABLE, 9, 0),
		       MEMORY_AT(0, 0, 0))); /* no door of the service */
	OK(memory_revoke(slot(all), PAGE, 4, 1));
	SAYS(MEMORY_STALE, with_lent(part, other, memory_map_lent_op, MEMORY_AT(TABLE, 9, 0),
				     MEMORY_AT(0, 0, 0)));
	memory_check();
	memory_unmake();
}

TEST(memory_unmap_refuses_what_is_not_the_holders)
{
	memory_make();
	make_kind(TABLE, 1, OBJECT_TABLE);
	make_kind(PAGE, 1, OBJECT_NONE);
	OK(memory_map(slot(all), TABLE, 0, 0, PAGE, 1, NULL));
	SAYS(MEMORY_OUTSIDE, memory_unmap(slot(all), MANAGED, 0, 1));
	SAYS(MEMORY_OUTSIDE, memory_unmap(slot(all), TABLE, 1, 1024));
	SAYS(MEMORY_OUTSIDE, door_call(slot(all).encoded, memory_unmap_op, MEMORY_AT(TABLE, 1, 0),
				       1023u << 22, NULL));
	CHECK_EQUAL(memory_unmap(slot(all), TABLE, 1, 0), ERROR_ARGUMENT); /* 2^32 of them */
	SAYS(MEMORY_WRONG_TYPE, memory_unmap(slot(all), PAGE, 0, 1));
	narrow(TABLE, 2, MEMORY_READ | MEMORY_WRITE);
	SAYS(MEMORY_NOT_ALLOWED, memory_unmap(slot(part), TABLE, 0, 1));
	narrow(TABLE, 2, MEMORY_MANAGE);
	OK(memory_revoke(slot(all), TABLE, 1, 1));
	SAYS(MEMORY_STALE, memory_unmap(slot(part), TABLE, 0, 1));
	CHECK_EQUAL(words_of(TABLE)[0], ENTRY_MAPS(PAGE, 0));
	CHECK_EQUAL(COUNT(PAGE), 1);
	memory_unmake();
}

TEST(memory_installs_and_removes_tables)
{
	memory_make();
	make_kind(TABLE, 1, OBJECT_TABLE);
	make_kind(DIRECTORY, 1, OBJECT_DIRECTORY);
	make_kind(PAGE, 1, OBJECT_NONE);
	const uint32_t *directory = words_of(DIRECTORY),
		       *template = frame_pointer(boot_record->template_frame);
	for (uint32_t i = 0; i < 1024; i++)
		if (directory[i] != template[i])
			CHECK_EQUAL(directory[i], template[i]);
	OK(memory_install(slot(all), DIRECTORY, IMAGE_BASE >> 22, TABLE));
	OK(memory_install(slot(all), DIRECTORY, LENDABLE_ENTRIES - 1, TABLE));
	CHECK_EQUAL(directory[LENDABLE_ENTRIES - 1],
		    (first + TABLE) << 12 | 7 | MEMORY_ENTRY_COUNTED);
	CHECK_EQUAL(COUNT(TABLE), 2);
	memory_check();
	SAYS(MEMORY_OCCUPIED, memory_install(slot(all), DIRECTORY, 1, TABLE));
	SAYS(MEMORY_OUTSIDE, memory_install(slot(all), DIRECTORY, 0, TABLE));
	SAYS(MEMORY_OUTSIDE, memory_install(slot(all), DIRECTORY, LENDABLE_ENTRIES, TABLE));
	SAYS(MEMORY_OUTSIDE, memory_install(slot(all), DIRECTORY, 1023, TABLE));
	SAYS(MEMORY_OUTSIDE, memory_install(slot(all), MANAGED, 2, TABLE));
	SAYS(MEMORY_OUTSIDE, memory_install(slot(all), DIRECTORY, 2, MANAGED));
	SAYS(MEMORY_WRONG_TYPE, memory_install(slot(all), DIRECTORY, 2, PAGE));
	SAYS(MEMORY_WRONG_TYPE, memory_install(slot(all), TABLE, 2, TABLE));
	SAYS(MEMORY_WRONG_TYPE, memory_install(slot(all), DIRECTORY, 2, DIRECTORY));
	SAYS(MEMORY_OUTSIDE, memory_remove(slot(all), DIRECTORY, LENDABLE_ENTRIES));
	SAYS(MEMORY_OUTSIDE, memory_remove(slot(all), DIRECTORY, 0));
	SAYS(MEMORY_WRONG_TYPE, memory_remove(slot(all), TABLE, 2));
	OK(memory_split(slot(all), TABLE, 0, MEMORY_READ | MEMORY_WRITE, slot(other)));
	narrow(DIRECTORY, 0, MEMORY_MANAGE);
	SAYS(MEMORY_NOT_ALLOWED, with_lent(part, other, memory_install_lent_op, MEMORY_AT(0, 2, 0),
					   MEMORY_AT(0, 0, 0)));
	OK(memory_split(slot(all), TABLE, 0, MEMORY_MANAGE, slot(other)));
	OK(with_lent(part, other, memory_install_lent_op, MEMORY_AT(0, 2, 0), MEMORY_AT(0, 0, 0)));
	CHECK_EQUAL(COUNT(TABLE), 3);
	OK(memory_revoke(slot(all), TABLE, 1, 1));
	SAYS(MEMORY_STALE, with_lent(part, other, memory_install_lent_op, MEMORY_AT(0, 3, 0),
				     MEMORY_AT(0, 0, 0)));
	OK(memory_revoke(slot(all), DIRECTORY, 1, 1));
	SAYS(MEMORY_STALE, memory_remove(slot(part), 0, 2));
	OK(memory_remove(slot(all), DIRECTORY, 2));
	OK(memory_remove(slot(all), DIRECTORY, 2)); /* it was empty */
	OK(memory_remove(slot(all), DIRECTORY, 1));
	SAYS(MEMORY_IN_USE, memory_drop(slot(all), TABLE));
	OK(memory_remove(slot(all), DIRECTORY, LENDABLE_ENTRIES - 1));
	CHECK_EQUAL(COUNT(TABLE), 0);
	OK(memory_drop(slot(all), TABLE));
	memory_check();
	memory_unmake();
}

TEST(memory_cleans_what_nobody_maps)
{
	memory_make();
	CHECK_EQUAL(TYPE(PAGE), MEMORY_DIRTY);
	memset(words_of(PAGE), 0xA5, 4 * PAGE_BYTES);
	OK(memory_clean(slot(all), PAGE, 4));
	CHECK_EQUAL(TYPE(PAGE + 3), MEMORY_CLEAN);
	memory_check();
	OK(memory_clean(slot(all), PAGE, 4)); /* again */
	OK(memory_become(slot(all), PAGE, 4, OBJECT_NONE));
	SAYS(MEMORY_WRONG_TYPE, memory_become(slot(all), PAGE, 1, OBJECT_NONE));
	make_kind(TABLE, 1, OBJECT_TABLE);
	memset(words_of(PAGE), 0xA5, 4 * PAGE_BYTES);
	OK(memory_map(slot(all), TABLE, 0, 0, PAGE + 2, 1, NULL));
	SAYS(MEMORY_IN_USE, memory_clean(slot(all), PAGE, 4));
	CHECK_EQUAL(TYPE(PAGE + 1), MEMORY_CLEAN); /* those before it are */
	CHECK_EQUAL(words_of(PAGE + 2)[0], 0xA5A5A5A5);
	SAYS(MEMORY_WRONG_TYPE, memory_clean(slot(all), TABLE, 1));
	SAYS(MEMORY_OUTSIDE, memory_clean(slot(all), MANAGED - 1, 2));
	SAYS(MEMORY_OUTSIDE, memory_become(slot(all), MANAGED - 1, 2, OBJECT_NONE));
	narrow(PAGE, 2, MEMORY_READ | MEMORY_WRITE);
	SAYS(MEMORY_NOT_ALLOWED, memory_clean(slot(part), 0, 1));
	SAYS(MEMORY_NOT_ALLOWED, memory_become(slot(part), 0, 1, OBJECT_NONE));
	narrow(PAGE, 2, MEMORY_MANAGE);
	OK(memory_revoke(slot(all), PAGE, 4, 1));
	SAYS(MEMORY_STALE, memory_clean(slot(part), 0, 1));
	SAYS(MEMORY_STALE, memory_become(slot(part), 0, 1, OBJECT_NONE));
	SAYS(MEMORY_STALE, memory_become(slot(part), 0, 1, OBJECT_TABLE));
	memory_check();
	memory_unmake();
}

TEST(memory_becomes_every_kind_and_drops_it)
{
	static const uint8_t kinds[] = {OBJECT_DATA_PAGE, OBJECT_CAPABILITY_PAGE,
					OBJECT_LOCK_PAGE, OBJECT_TABLE,
					OBJECT_DIRECTORY, OBJECT_BITMAP_PAGE};
	memory_make();
	for (uint32_t i = 0; i < sizeof(kinds); i++) {
		_Bool fetched = kinds[i] != OBJECT_DIRECTORY && kinds[i] != OBJECT_BITMAP_PAGE;
		make_kind(PAGE, 1, kinds[i]);
		CHECK_EQUAL(kernel_kind(PAGE), kinds[i]);
		memory_check();
		SAYS(MEMORY_WRONG_TYPE, memory_become(slot(all), PAGE, 1, kinds[i]));
		SAYS(MEMORY_WRONG_TYPE, memory_clean(slot(all), PAGE, 1));
		CHECK_EQUAL(memory_fetch(slot(all), PAGE, slot(result), NULL),
			    RETURN + (fetched                        ? MEMORY_OK
				      : kinds[i] == OBJECT_DIRECTORY ? MEMORY_WRONG_TYPE
								     : MEMORY_REFUSED));
		if (fetched) {
			struct words capability;
			MUST(kernel_domain_read(slot(ROOT_DOMAIN), slot(result), &capability));
			CHECK_EQUAL(capability.w[0] >>
					    (CAPABILITY_KIND_SHIFT - CAPABILITY_RIGHTS_SHIFT),
				    CAPABILITY_PAGE);
			OK(memory_fetch(slot(all), PAGE, slot(result), NULL)); /* repeatable */
		}
		OK(memory_drop(slot(all), PAGE));
		CHECK_EQUAL(kernel_kind(PAGE), OBJECT_NONE);
		if (fetched)
			CHECK_EQUAL(kernel_probe(slot(result)), ERROR_STALE);
		SAYS(MEMORY_WRONG_TYPE, memory_fetch(slot(all), PAGE, slot(result), NULL));
		SAYS(MEMORY_WRONG_TYPE, memory_drop(slot(all), PAGE));
		memory_check();
	}
	OK(memory_clean(slot(all), PAGE, 2));
	for (uint32_t kind = 0; kind < OBJECT_KINDS + 3; kind++)
		if (kind == OBJECT_DOMAIN || kind == OBJECT_THREAD || kind == OBJECT_BITMAP ||
		    kind == OBJECT_STATIC || kind == OBJECT_RESERVED || kind > OBJECT_NONE)
			SAYS(SERVICE_BAD_ARGUMENT, memory_become(slot(all), PAGE, 1, kind));
	SAYS(SERVICE_BAD_ARGUMENT, memory_become(slot(all), PAGE, 2, OBJECT_TABLE));
	SAYS(MEMORY_OUTSIDE, memory_become(slot(all), MANAGED, 1, OBJECT_TABLE));
	SAYS(MEMORY_OUTSIDE, memory_drop(slot(all), MANAGED));
	SAYS(MEMORY_OUTSIDE, memory_fetch(slot(all), MANAGED, slot(result), NULL));
	make_kind(PAGE, 1, OBJECT_LOCK_PAGE);
	CHECK_EQUAL(door_call(slot(all).encoded, memory_fetch_op, 0, MEMORY_AT(PAGE, 0, 0), NULL),
		    RETURN + SERVICE_NO_RESULT);
	narrow(PAGE, 0, MEMORY_READ | MEMORY_WRITE);
	SAYS(MEMORY_NOT_ALLOWED, memory_drop(slot(part), 0));
	SAYS(MEMORY_NOT_ALLOWED, memory_fetch(slot(part), 0, slot(result), NULL));
	SAYS(MEMORY_NOT_ALLOWED, memory_become(slot(part), 0, 1, OBJECT_TABLE));
	narrow(PAGE, 0, MEMORY_MANAGE);
	OK(memory_revoke(slot(all), PAGE, 1, 1));
	SAYS(MEMORY_STALE, memory_drop(slot(part), 0));
	SAYS(MEMORY_STALE, memory_fetch(slot(part), 0, slot(result), NULL));
	CHECK_EQUAL(kernel_kind(PAGE), OBJECT_LOCK_PAGE);
	OK(memory_drop(slot(all), PAGE));
	memory_unmake();
}

TEST(memory_drops_tables_with_all_that_they_map)
{
	memory_make();
	make_kind(TABLE, 1, OBJECT_TABLE);
	make_kind(PAGE, 4, OBJECT_NONE);
	for (uint32_t i = 0; i < 1024; i += 4)
		OK(memory_map(slot(all), TABLE, i, 0, PAGE, 4, NULL));
	CHECK_EQUAL(COUNT(PAGE), 256);
	memory_check();
	OK(memory_drop(slot(all), TABLE));
	CHECK_EQUAL(TYPE(TABLE), MEMORY_CLEAN);
	CHECK_EQUAL(COUNT(PAGE), 0);
	memory_check();
	make_kind(TABLE, 1, OBJECT_TABLE);
	make_kind(DIRECTORY, 1, OBJECT_DIRECTORY);
	for (uint32_t i = 1; i < LENDABLE_ENTRIES; i++)
		OK(memory_install(slot(all), DIRECTORY, i, TABLE));
	OK(memory_drop(slot(all), DIRECTORY));
	CHECK_EQUAL(TYPE(DIRECTORY), MEMORY_CLEAN);
	CHECK_EQUAL(COUNT(TABLE), 0);
	memory_check();
	memory_unmake();
}

/* ---- domains, threads, bitmaps ------------------------------------------------------------------
 */
#define CONTROL 16u
#define THREAD  18u /* and 19 */

TEST(memory_makes_domains_and_threads_and_unmakes_them)
{
	memory_make();
	make_kind(DIRECTORY, 1, OBJECT_DIRECTORY);
	make_kind(PAGE, 1, OBJECT_NONE);
	OK(memory_clean(slot(all), CONTROL, 4));
	SAYS(MEMORY_WRONG_TYPE, memory_create_domain(slot(all), CONTROL, PAGE, 0, NULL));
	SAYS(MEMORY_WRONG_TYPE, memory_create_domain(slot(all), PAGE, DIRECTORY, 0, NULL));
	SAYS(MEMORY_OUTSIDE, memory_create_domain(slot(all), CONTROL, MANAGED, 0, NULL));
	SAYS(MEMORY_OUTSIDE, memory_create_domain(slot(all), MANAGED, DIRECTORY, 0, NULL));
	SAYS(MEMORY_WRONG_TYPE, memory_create_thread(slot(all), THREAD, CONTROL, NULL));
	OK(memory_create_domain(slot(all), CONTROL, DIRECTORY, 0, NULL));
	CHECK_EQUAL(kernel_kind(CONTROL), OBJECT_DOMAIN);
	SAYS(MEMORY_IN_USE, memory_drop(slot(all), DIRECTORY)); /* it is the domain's */
	SAYS(MEMORY_REFUSED, memory_create_domain(slot(all), CONTROL + 1, DIRECTORY, 0, NULL));
	SAYS(MEMORY_WRONG_TYPE, memory_drop(slot(all), CONTROL + 1)); /* it is to become one */
	make_kind(DIRECTORY + 1, 1, OBJECT_DIRECTORY);
	OK(memory_create_domain(slot(all), CONTROL + 1, DIRECTORY + 1, 1, NULL));
	OK(memory_fetch(slot(all), CONTROL, slot(result), NULL));
	struct words capability;
	MUST(kernel_domain_read(slot(ROOT_DOMAIN), slot(result), &capability));
	CHECK_EQUAL(capability.w[0] >> (CAPABILITY_KIND_SHIFT - CAPABILITY_RIGHTS_SHIFT),
		    CAPABILITY_DOMAIN);
	OK(memory_create_thread(slot(all), THREAD, CONTROL, NULL));
	CHECK_EQUAL(kernel_kind(THREAD), OBJECT_THREAD);
	CHECK_EQUAL(kernel_kind(THREAD + 1), OBJECT_DATA_PAGE);
	memory_check();
	/* its program is the tests' own, for once written by hand */
	words_of(DIRECTORY)[IMAGE_BASE >> 22] =
		((uint32_t *)frame_pointer(boot_record->root_directory_frame))[IMAGE_BASE >> 22];
	OK(memory_fetch(slot(all), THREAD, slot(result), NULL));
	struct dispatch_result dispatched = {0};
	MUST(kernel_thread_start(slot(result), (uint32_t)step_null, DATA_STACK, 0));
	MUST(kernel_dispatch(slot(result), 0, DEADLINE_NEVER, 0, &dispatched));
	CHECK_EQUAL(dispatched.reason, DISPATCH_ENDED);
	words_of(DIRECTORY)[IMAGE_BASE >> 22] = 0;
	OK(memory_drop(slot(all), THREAD));
	CHECK_EQUAL(kernel_kind(THREAD + 1), OBJECT_NONE); /* its first page went with it */
	CHECK_EQUAL(TYPE(THREAD + 1), MEMORY_OBJECT);
	OK(memory_drop(slot(all), THREAD + 1));
	OK(memory_drop(slot(all), CONTROL));
	OK(memory_drop(slot(all), DIRECTORY));
	OK(memory_drop(slot(all), CONTROL + 1));
	OK(memory_drop(slot(all), DIRECTORY + 1));
	memory_check();
	memory_recover(0, MANAGED);
	memory_check();
	memory_unmake();
}

TEST(memory_makes_objects_with_parts_of_an_extent_that_was_lent)
{
	memory_make();
	make_kind(DIRECTORY, 1, OBJECT_DIRECTORY);
	OK(memory_clean(slot(all), CONTROL, 4));
	narrow(CONTROL, 2, MEMORY_MANAGE);
	OK(memory_split(slot(all), DIRECTORY, 0, MEMORY_READ, slot(other)));
	SAYS(MEMORY_NOT_ALLOWED, with_lent(part, other, memory_create_domain_lent_op,
					   MEMORY_AT(0, 0, 0), MEMORY_AT(0, 0, 0)));
	OK(memory_split(slot(all), DIRECTORY, 0, MEMORY_MANAGE, slot(other)));
	OK(with_lent(part, other, memory_create_domain_lent_op, MEMORY_AT(0, 0, 0),
		     MEMORY_AT(0, 0, 0)));
	OK(memory_split(slot(all), CONTROL, 0, MEMORY_MANAGE, slot(other)));
	OK(with_lent(part, other, memory_create_thread_lent_op, MEMORY_AT(2, 0, 0),
		     MEMORY_AT(0, 0, 0)));
	OK(memory_revoke(slot(all), CONTROL, 1, 1));
	OK(memory_drop(slot(part), 2));
	OK(memory_drop(slot(part), 3));
	OK(memory_clean(slot(part), 2, 2));
	SAYS(MEMORY_STALE, with_lent(part, other, memory_create_thread_lent_op, MEMORY_AT(2, 0, 0),
				     MEMORY_AT(0, 0, 0)));
	memory_check();
	memory_recover(0, 32);
	memory_unmake();
}

TEST(memory_makes_bitmaps)
{
	memory_make();
	SAYS(MEMORY_WRONG_TYPE, memory_create_bitmap(slot(all), PAGE, NULL));
	make_kind(PAGE + 1, 2, OBJECT_BITMAP_PAGE);
	CHECK_EQUAL(words_of(PAGE + 2)[1023], ~0u);
	OK(memory_clean(slot(all), PAGE, 1));
	SAYS(MEMORY_OUTSIDE, memory_create_bitmap(slot(all), MANAGED - 2, NULL));
	OK(memory_create_bitmap(slot(all), PAGE, NULL));
	CHECK_EQUAL(kernel_kind(PAGE), OBJECT_BITMAP);
	OK(memory_fetch(slot(all), PAGE, slot(result), NULL));
	MUST(kernel_narrow(slot(part), slot(ROOT_PORTS), RIGHTS_ALL, 0x80 | 0x81 << 16));
	MUST(kernel_bitmap_allow(slot(result), slot(part)));
	SAYS(MEMORY_IN_USE, memory_drop(slot(all), PAGE + 1));
	OK(memory_drop(slot(all), PAGE));
	OK(memory_drop(slot(all), PAGE + 1));
	OK(memory_drop(slot(all), PAGE + 2));
	memory_check();
	memory_recover(PAGE, PAGE + 3);
	memory_unmake();
}

/* ---- revoking, splitting, sweeping
 * --------------------------------------------------------------- */
TEST(memory_revoke_kills_capabilities_and_only_those)
{
	memory_make();
	narrow(PAGE, 2, MEMORY_RIGHTS);
	OK(memory_clean(slot(part), 0, 4));
	SAYS(MEMORY_NOT_ALLOWED, memory_revoke(slot(part), 0, 4, 1)); /* it has no ANY */
	SAYS(MEMORY_STALE, memory_revoke(slot(all), PAGE, 4, 0));     /* it is not above */
	SAYS(MEMORY_OUTSIDE, memory_revoke(slot(all), MANAGED - 1, 2, 1));
	SAYS(MEMORY_WORN_OUT, memory_revoke(slot(all), PAGE, 1, MEMORY_TOP + 1));
	OK(memory_clean(slot(part), 0, 4));
	OK(memory_revoke(slot(all), PAGE + 1, 3, 5));
	OK(memory_clean(slot(part), 0, 1));
	SAYS(MEMORY_STALE, memory_clean(slot(part), 1, 1));
	OK(memory_split(slot(all), PAGE + 1, 0, MEMORY_RIGHTS, slot(other)));
	OK(memory_become(slot(other), 0, 1, OBJECT_NONE));
	struct memory_frame descriptor = {0};
	SAYS(MEMORY_STALE, memory_read(slot(part), 1, &descriptor));
	OK(memory_read(slot(other), 0, &descriptor));
	CHECK_EQUAL(descriptor.key, MEMORY_KEY(MEMORY_DATA, 5));
	SAYS(MEMORY_OUTSIDE, memory_read(slot(other), 1, &descriptor));
	OK(memory_revoke(slot(all), PAGE, 1, MEMORY_TOP)); /* it stops there */
	for (uint32_t more = 0; more < 3; more++)
		CHECK(memory_revoke(slot(all), PAGE, 1, MEMORY_TOP + more) != RETURN);
	CHECK_EQUAL(look(PAGE).generation, MEMORY_TOP);
	narrow(PAGE, 0, MEMORY_RIGHTS); /* and can still be used */
	OK(memory_become(slot(part), 0, 1, OBJECT_NONE));
	memory_unmake();
}

TEST(memory_split_gives_parts_with_fewer_rights_and_no_more)
{
	memory_make();
	narrow(16, 4, MEMORY_READ | MEMORY_MANAGE);
	OK(memory_split(slot(part), 4, 2, MEMORY_READ | MEMORY_MANAGE, slot(other)));
	OK(memory_clean(slot(other), 3, 1));
	CHECK_EQUAL(TYPE(16 + 4 + 3), MEMORY_CLEAN);
	SAYS(MEMORY_OUTSIDE, memory_clean(slot(other), 4, 1));
	SAYS(MEMORY_NOT_ALLOWED, memory_split(slot(part), 0, 2, MEMORY_WRITE, slot(result)));
	SAYS(MEMORY_NOT_ALLOWED,
	     memory_split(slot(part), 0, 2, MEMORY_READ | MEMORY_ANY, slot(result)));
	SAYS(MEMORY_NOT_ALLOWED,
	     memory_split(slot(part), 0, 2, MEMORY_READ | MEMORY_DEVICE, slot(result)));
	SAYS(MEMORY_OUTSIDE,
	     memory_split(slot(part), 2, 2, MEMORY_READ, slot(result))); /* not aligned */
	SAYS(MEMORY_OUTSIDE, memory_split(slot(part), 16, 0, MEMORY_READ, slot(result)));
	SAYS(MEMORY_OUTSIDE, memory_split(slot(part), 0, 5, MEMORY_READ, slot(result)));
	SAYS(MEMORY_OUTSIDE, memory_split(slot(part), 0, 19, MEMORY_READ, slot(result)));
	SAYS(MEMORY_OUTSIDE, memory_split(slot(part), 0xFFFFF, 0, MEMORY_READ, slot(result)));
	CHECK_EQUAL(door_call(slot(part).encoded, memory_split_bytes_op, 0,
			      MEMORY_BADGE(0, 0, MEMORY_READ), NULL),
		    RETURN + SERVICE_NO_RESULT);
	OK(memory_split(slot(all), 0, 3, MEMORY_RIGHTS_ALL,
			slot(result))); /* an allocator under this one */
	OK(memory_revoke(slot(result), 0, 8, 1));
	OK(memory_split(slot(result), 0, 3, MEMORY_RIGHTS, slot(part)));
	OK(memory_clean(slot(part), 0, 8));
	memory_unmake();
}

/* All entries of all tables: what an owner does who wants his frames back. */
static void sweep_all(uint32_t extent)
{
	for (uint32_t table = first, found;
	     memory_next_table(slot(extent), table, &found) == RETURN;) {
		for (uint32_t i = 0; found && i < 1024; i += MEMORY_SWEEP_MAX)
			OK(memory_sweep(slot(extent), found, i, MEMORY_SWEEP_MAX));
		table = found ? found + 1 : table + MEMORY_SWEEP_MAX;
	}
}

/* One to whom frames were given does all that he can to keep them. */
TEST(memory_sweep_brings_frames_back_from_any_table_and_directory)
{
	memory_make();
	make_kind(TABLE, 1, OBJECT_TABLE);
	make_kind(DIRECTORY, 1, OBJECT_DIRECTORY);
	make_kind(PAGE, 4, OBJECT_NONE);
	make_kind(24, 2, OBJECT_TABLE);
	OK(memory_map(slot(all), TABLE, 0, 2, PAGE, 4, NULL));
	OK(memory_map(slot(all), 24, 1000, 0, PAGE + 1, 1, NULL));
	OK(memory_map(slot(all), TABLE, 1023, 0, PAGE + 1, 1, NULL));
	OK(memory_install(slot(all), DIRECTORY, 9, 25));
	narrow(PAGE, 1, MEMORY_MANAGE);
	SAYS(MEMORY_IN_USE, memory_clean(slot(part), 0, 2));
	sweep_all(part);
	CHECK_EQUAL(COUNT(PAGE) + COUNT(PAGE + 1), 0);
	CHECK_EQUAL(COUNT(PAGE + 2), 1); /* not his */
	memory_check();
	OK(memory_clean(slot(part), 0, 2));
	narrow(25, 0, MEMORY_MANAGE);
	SAYS(MEMORY_IN_USE, memory_drop(slot(part), 0));
	OK(memory_sweep(slot(part), first + DIRECTORY, 0, 64));
	CHECK_EQUAL(COUNT(25), 0);
	OK(memory_drop(slot(part), 0));
	CHECK_EQUAL(memory_sweep(slot(part), first + TABLE, 0, 65), ERROR_ARGUMENT);
	SAYS(MEMORY_OUTSIDE, memory_sweep(slot(part), first + TABLE, 1000, 25));
	SAYS(MEMORY_OUTSIDE, memory_sweep(slot(part), 0xFFFFF, 0, 1));
	SAYS(MEMORY_WRONG_TYPE, memory_sweep(slot(part), first + PAGE + 2, 0, 1));
	narrow(PAGE + 2, 1, MEMORY_READ | MEMORY_WRITE);
	SAYS(MEMORY_NOT_ALLOWED, memory_sweep(slot(part), first + TABLE, 0, 4));
	narrow(PAGE + 2, 1, MEMORY_MANAGE);
	OK(memory_revoke(slot(all), PAGE + 3, 1, 1));
	SAYS(MEMORY_STALE, memory_sweep(slot(part), first + TABLE, 0, 4));
	CHECK_EQUAL(COUNT(PAGE + 2) + COUNT(PAGE + 3), 1);
	memory_check();
	memory_unmake();
}

static void drop_it(uint32_t frame)
{
	memory_drop(slot(all), frame);
}

/* A table whose owner stopped in the middle of dropping it holds nobody's frames. */
TEST(memory_sweep_reaches_tables_that_are_being_dropped)
{
	static struct client dropper;
	memory_make();
	make_kind(TABLE, 1, OBJECT_TABLE);
	make_kind(PAGE, 1, OBJECT_NONE);
	OK(memory_map(slot(all), TABLE, 0, 2, PAGE, 1, NULL));
	OK(memory_map(slot(all), TABLE, 900, 2, PAGE, 1, NULL));
	client_make(&dropper, &root_domain, drop_it, TABLE);
	while (COUNT(PAGE) == 2 && client_step(&dropper).reason == DISPATCH_STEPPED)
		;
	CHECK_EQUAL(TYPE(TABLE), MEMORY_DROPPING_TABLE);
	memory_check();
	narrow(PAGE, 0, MEMORY_MANAGE);
	sweep_all(part);
	CHECK_EQUAL(COUNT(PAGE), 0);
	OK(memory_clean(slot(part), 0, 1));
	client_run(&dropper);
	CHECK_EQUAL(TYPE(TABLE), MEMORY_CLEAN);
	memory_check();
	client_end(&dropper);
	memory_unmake();
}

/* ---- devices
 * -------------------------------------------------------------------------------------- */
#define DEVICE_FIRST 0xB8u /* text memory */
static uint32_t device_count(uint32_t entries)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < entries; i++)
		count += words_of(TABLE)[i] >> 12 == DEVICE_FIRST;
	return count;
}

TEST(memory_of_interrupt_controllers_is_nobodys)
{
	static const struct {
		uint32_t frame, order, status;
	} parts[] = {{0xFEE00, 0, MEMORY_NOT_ALLOWED}, {0xFEC00, 0, MEMORY_NOT_ALLOWED},
		     {0xFED00, 0, MEMORY_NOT_ALLOWED}, {0xFEEFF, 0, MEMORY_NOT_ALLOWED},
		     {0xFEE00, 8, MEMORY_NOT_ALLOWED}, {0xFE000, 12, MEMORY_NOT_ALLOWED},
		     {0xFEBFF, 0, MEMORY_OK},          {0xFEF00, 0, MEMORY_OK},
		     {0xFE800, 10, MEMORY_OK},         {0xFF000, 12, MEMORY_OK}};
	memory_make();
	extent_forge(result, MEMORY_BADGE(0x80000, 19, MEMORY_DEVICE_MASTER), 0);
	for (uint32_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		SAYS(parts[i].status,
		     memory_define_device(slot(result), parts[i].frame - 0x80000, parts[i].order,
					  MEMORY_READ, i, slot(part)));
	memory_unmake();
}

TEST(memory_of_devices_is_defined_mapped_forgotten_and_swept)
{
	memory_make();
	make_kind(TABLE, 1, OBJECT_TABLE);
	make_kind(PAGE, 1, OBJECT_NONE);
	extent_forge(result, MEMORY_BADGE(0x80, 7, MEMORY_DEVICE_MASTER), 0);
	SAYS(MEMORY_NOT_ALLOWED, memory_define_device(slot(all), 0, 0, MEMORY_READ, 0, slot(part)));
	SAYS(MEMORY_NOT_ALLOWED,
	     memory_define_device(slot(result), 0x38, 3, MEMORY_MANAGE, 0, slot(part)));
	SAYS(MEMORY_OUTSIDE,
	     memory_define_device(slot(result), 0x80, 0, MEMORY_READ, 0, slot(part)));
	SAYS(MEMORY_OUTSIDE,
	     memory_define_device(slot(result), 0x39, 3, MEMORY_READ, 0, slot(part)));
	SAYS(MEMORY_OUTSIDE,
	     memory_define_device(slot(result), 0x38, 3, MEMORY_READ, 64, slot(part)));
	SAYS(MEMORY_WRONG_TYPE,
	     memory_define_device(slot(result), 0, 3, MEMORY_READ, 0, slot(part)));
	OK(memory_define_device(slot(result), 0x38, 3, MEMORY_READ | MEMORY_WRITE, 63, slot(part)));
	SAYS(MEMORY_IN_USE,
	     memory_define_device(slot(result), 0x38, 3, MEMORY_READ, 63, slot(other)));
	OK(with_lent(all, part, memory_map_lent_op,
		     MEMORY_AT(TABLE, 0, MEMORY_ENTRY_WRITE | MEMORY_ENTRY_UNCACHED),
		     MEMORY_AT(0, 7, 0)));
	CHECK_EQUAL(words_of(TABLE)[0], DEVICE_FIRST << 12 | 0x1F);
	CHECK_EQUAL(words_of(TABLE)[7], (DEVICE_FIRST + 7) << 12 | 0x1F);
	OK(with_lent(all, part, memory_map_lent_op, MEMORY_AT(TABLE, 0, 0), MEMORY_AT(0, 0, 0)));
	CHECK_EQUAL(words_of(TABLE)[0], DEVICE_FIRST << 12 | 5); /* other flags */
	SAYS(MEMORY_OUTSIDE,
	     with_lent(all, part, memory_map_lent_op, MEMORY_AT(TABLE, 9, 0), MEMORY_AT(7, 1, 0)));
	SAYS(MEMORY_OUTSIDE, with_lent(all, part, memory_map_lent_op, MEMORY_AT(TABLE, 1023, 0),
				       MEMORY_AT(0, 1, 0)));
	SAYS(MEMORY_OCCUPIED,
	     with_lent(all, part, memory_map_lent_op, MEMORY_AT(TABLE, 0, 0), MEMORY_AT(1, 0, 0)));
	SAYS(MEMORY_OCCUPIED, memory_map(slot(all), TABLE, 0, 0, PAGE, 1, NULL));
	SAYS(MEMORY_WRONG_TYPE,
	     with_lent(all, part, memory_map_lent_op, MEMORY_AT(PAGE, 0, 0), MEMORY_AT(1, 0, 0)));
	SAYS(MEMORY_NOT_ALLOWED, with_lent(all, result, memory_map_lent_op, MEMORY_AT(TABLE, 20, 0),
					   MEMORY_AT(0, 0, 0))); /* the master may hold memory */
	/* nothing else can be done with it */
	CHECK(memory_clean(slot(part), 0, 1) != RETURN);
	CHECK(memory_become(slot(part), 0, 1, OBJECT_TABLE) != RETURN);
	CHECK(memory_drop(slot(part), 0) != RETURN);
	CHECK(memory_unmap(slot(part), 0, 0, 1) != RETURN);
	CHECK(memory_map(slot(part), 0, 0, 0, 0, 1, NULL) != RETURN);
	CHECK(memory_install(slot(part), 0, 1, 0) != RETURN);
	CHECK(memory_revoke(slot(part), 0, 1, 99) != RETURN);
	CHECK(memory_fetch(slot(part), 0, slot(other), NULL) != RETURN);
	struct memory_frame descriptor = {0};
	CHECK(memory_read(slot(part), 0, &descriptor) != RETURN);
	CHECK(memory_split(slot(part), 0, 0, MEMORY_READ, slot(other)) !=
	      RETURN); /* the mark stays */
	OK(memory_split(slot(part), 0, 0, MEMORY_READ | MEMORY_DEVICE, slot(other)));
	OK(with_lent(all, other, memory_map_lent_op, MEMORY_AT(TABLE, 30, 0), MEMORY_AT(0, 0, 0)));
	SAYS(MEMORY_OUTSIDE, with_lent(all, other, memory_map_lent_op, MEMORY_AT(TABLE, 31, 0),
				       MEMORY_AT(1, 0, 0)));
	SAYS(MEMORY_NOT_ALLOWED, memory_forget_device(slot(part), 63));
	SAYS(MEMORY_OUTSIDE, memory_forget_device(slot(result), 64));
	OK(memory_forget_device(slot(result), 63));
	OK(memory_forget_device(slot(result), 63)); /* again */
	SAYS(MEMORY_STALE, with_lent(all, other, memory_map_lent_op, MEMORY_AT(TABLE, 31, 0),
				     MEMORY_AT(0, 0, 0)));
	OK(memory_define_device(slot(result), 0x38, 3, MEMORY_READ, 63,
				slot(part))); /* somebody else's */
	SAYS(MEMORY_STALE, with_lent(all, other, memory_map_lent_op, MEMORY_AT(TABLE, 31, 0),
				     MEMORY_AT(0, 0, 0)));
	CHECK_EQUAL(device_count(64), 2);
	CHECK(memory_sweep(slot(other), first + TABLE, 0, 64) != RETURN); /* whose is gone */
	CHECK_EQUAL(device_count(64), 2);
	OK(memory_sweep(slot(result), first + TABLE, 0, 64));
	CHECK_EQUAL(device_count(64), 0);
	memory_check();
	memory_unmake();
}

/* ---- batches, looking
 * ----------------------------------------------------------------------------- */
TEST(memory_batch_ends_with_the_first_that_fails_and_says_which)
{
	uint32_t done;
	memory_make();
	make_kind(TABLE, 1, OBJECT_TABLE);
	const struct step *batch = parameters();
	batch_entry(0, memory_clean_range_op, MEMORY_AT(PAGE, 31, 0), 0);
	batch_entry(1, memory_become_op, MEMORY_AT(PAGE, 31, 0), OBJECT_NONE);
	for (uint32_t i = 0; i < 32; i++)
		batch_entry(2 + i, memory_map_pages_op, MEMORY_AT(TABLE, 2 * i, 2),
			    MEMORY_AT(PAGE + i, 0, 0));
	batch_entry(34, memory_flush_op, 0, 0);
	OK(batch_call(35, 0, &done));
	CHECK_EQUAL(done, 35);
	CHECK_EQUAL(words_of(TABLE)[62], ENTRY_MAPS(PAGE + 31, 2));
	CHECK_EQUAL(batch[33].a, MEMORY_OK);
	memory_check();
	batch_entry(0, memory_unmap_op, MEMORY_AT(TABLE, 0, 0), 9u << 22);
	batch_entry(1, memory_clean_range_op, MEMORY_AT(PAGE, 7, 0), 0);
	batch_entry(2, memory_flush_op, 0x1234, 0x5678);
	SAYS(MEMORY_IN_USE, batch_call(3, 0, &done));
	CHECK_EQUAL(done, 1);
	CHECK_EQUAL(batch[1].a, MEMORY_IN_USE);
	CHECK_EQUAL(batch[2].b, 0x5678);
	for (uint32_t operation = memory_batch_op; operation < memory_next_table_op + 3;
	     operation++) {
		batch_entry(0, memory_flush_op, 0, 0);
		batch_entry(1, operation, 0, 0);
		SAYS(SERVICE_NO_OPERATION, batch_call(2, 0, &done));
		CHECK_EQUAL(done, 1);
	}
	SAYS(SERVICE_BAD_ARGUMENT, batch_call(STEPS_MAX + 1, 0, &done));
	SAYS(SERVICE_BAD_ARGUMENT, batch_call(~0u / sizeof(struct step), 0, &done));
	OK(batch_call(0, 0, &done));
	SAYS(SERVICE_NO_OPERATION,
	     door_call(slot(all).encoded, memory_next_table_op + 1, 0, 0, NULL));
	OK(memory_flush(slot(all)));
	memory_unmake();
}

/* Calls nested from a peer on the same data page, with ESP where the batch has its last entries. */
static uint32_t nested_count;
PEER batch_nested(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)b, (void)badge_high;
	for (uint32_t i = 0; i < STEPS_MAX; i++)
		batch_entry(i, memory_clean_range_op, MEMORY_AT(PAGE, 0, 0), 0);
	struct registers registers = {.eax = 1 | OPTION_NESTED,
				      .esi = memory_batch_op,
				      .edi = nested_count * sizeof(struct step),
				      .esp = DATA_PAGE + a,
				      .eflags = FLAGS_PLAIN};
	raw_invoke_at(&registers);
	return ANSWER(DOOR_ERROR(registers.eax) ? 99 : DOOR_STATUS(registers.eax), 0);
}

TEST(memory_batch_never_lies_on_the_services_stack)
{
	struct domain peer;
	memory_make();
	peer_make(&peer, "batcher");
	domain_give(&peer, 1, all);
	uint32_t door = peer_door(&peer, batch_nested), tried = 0, refused = 0;
	for (uint32_t esp = 0x400; esp < 0x900; esp += 0x54)
		for (nested_count = 1; nested_count <= STEPS_MAX; nested_count += 24) {
			uint32_t answer = door_call(slot(door).encoded, 0, esp, 0, NULL);
			CHECK(answer == RETURN || answer == RETURN + SERVICE_NO_STACK);
			CHECK_EQUAL(answer == RETURN,
				    nested_count * 12 + 1024 + 64 < esp ||
					    (answer == RETURN && nested_count * 12 + 1024 < esp));
			tried++;
			refused += answer != RETURN;
		}
	CHECK(refused > 20 && refused < tried - 20);
	slot_give(door);
	domain_end(&peer);
	memory_unmake();
}

TEST(memory_says_where_tables_are_and_what_frames_are)
{
	uint32_t found;
	memory_make();
	make_kind(PAGE, 1, OBJECT_TABLE);
	OK(memory_next_table(slot(all), first, &found));
	CHECK_EQUAL(found, first + PAGE);
	OK(memory_next_table(slot(all), found + 1, &found));
	CHECK_EQUAL(found, 0);
	SAYS(MEMORY_OUTSIDE, memory_next_table(slot(all), 0xFFFFF, &found));
	narrow(PAGE, 0, MEMORY_READ | MEMORY_WRITE);
	SAYS(MEMORY_NOT_ALLOWED, memory_next_table(slot(part), first, &found));
	struct memory_frame descriptor = {0};
	OK(memory_read(slot(part), 0, &descriptor));
	CHECK_EQUAL(MEMORY_TYPE_OF(descriptor.key), MEMORY_TABLE);
	extent_forge(part, MEMORY_BADGE(boot_record->root_directory_frame, 0, MEMORY_RIGHTS_ALL),
		     0);
	OK(memory_read(slot(part), 0, &descriptor)); /* what is not the service's is reserved */
	CHECK_EQUAL(descriptor.key, MEMORY_KEY(MEMORY_RESERVED, 0));
	SAYS(MEMORY_WRONG_TYPE, memory_clean(slot(part), 0, 1));
	SAYS(MEMORY_WRONG_TYPE, memory_become(slot(part), 0, 1, OBJECT_NONE));
	SAYS(MEMORY_WRONG_TYPE, memory_become(slot(part), 0, 1, OBJECT_TABLE));
	SAYS(MEMORY_WRONG_TYPE, memory_drop(slot(part), 0));
	SAYS(MEMORY_STALE, memory_revoke(slot(part), 0, 1, 1));
	memory_unmake();
}

/* ---- where memory goes beyond what the kernel reaches
 * ---------------------------------------------- */
TEST(memory_above_the_direct_map_is_data_and_never_an_object)
{
	uint32_t high = (boot_record->low_end_frame + 7) & ~7u, end = boot_record->linear_end >> 12;
	if (end < high + 64) {
		test_skip("this machine has no memory above the direct map");
		return;
	}
	if (end > OBJECTS_MAX + 64)
		end = OBJECTS_MAX + 64; /* also beyond the object table */
	memory_make_to(end);
	make_kind(TABLE, 1, OBJECT_TABLE);
	for (uint32_t at = high; at < end - 8; at = at < end - 16 ? end - 16 : end) {
		uint32_t *words = frame_pointer(at);
		extent_forge(part, MEMORY_BADGE(at, 3, MEMORY_RIGHTS), 0);
		memset(words, 0x5A, PAGE_BYTES);
		OK(memory_clean(slot(part), 0, 8));
		CHECK_EQUAL(words[0] | words[1023], 0);
		for (uint32_t kind = OBJECT_DATA_PAGE; kind <= OBJECT_BITMAP_PAGE; kind++)
			if (kind != OBJECT_BITMAP)
				SAYS(MEMORY_REFUSED, memory_become(slot(part), 0, 1, kind));
		OK(memory_become(slot(part), 0, 8, OBJECT_NONE));
		OK(with_lent(all, part, memory_map_lent_op, MEMORY_AT(TABLE, 0, 2),
			     MEMORY_AT(0, 7, 0)));
		CHECK_EQUAL(words_of(TABLE)[7], (at + 7) << 12 | 7 | MEMORY_ENTRY_COUNTED);
		SAYS(MEMORY_IN_USE, memory_clean(slot(part), 0, 1));
		OK(memory_unmap(slot(all), TABLE, 0, 8));
		OK(memory_clean(slot(part), 0, 8));
	}
	memory_unmake();
}
