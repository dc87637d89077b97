/* SPDX-License-Identifier: MIT */
/* libs/memory: an extent of 64 frames and nothing else; root's linear map is only the witness. */
#include "elf/elf.h"
#include "memory_space.h"
#include "memory_world.h"
#include "../paged/paged.h"

#define WINDOW 0x0C000000u /* in root's space, below the linear map */
#define PAGES  0x30000000u /* in others */

static struct pool pool;
static struct space space;
static struct builder builder;
static struct child child;
static uint32_t taken[POOL_WORDS(MANAGED)];

/* An extent without ANY, all of it in the pool. */
static void world_make(void)
{
	memory_make();
	extent_forge(part, MEMORY_BADGE(first, MANAGED_ORDER, MEMORY_RIGHTS), 0);
	pool_begin(&pool, slot(part), 0, MANAGED, taken);
}

static void all_are_clean(uint32_t but)
{
	for (uint32_t i = 0; i < MANAGED; i++)
		if (i != but)
			CHECK_EQUAL(TYPE(i), MEMORY_CLEAN);
	memory_check();
}

/* ---- pools ----------------------------------------------------------------------------------- */
TEST(memory_pool_gives_frames_in_a_row_and_takes_them_back)
{
	uint32_t a, b, c;
	world_make();
	CHECK_EQUAL(pool_free(&pool), MANAGED);
	OK(pool_take(&pool, 1, 1, OBJECT_NONE, &a)); /* it was DIRTY */
	CHECK(a == 0 && TYPE(a) == MEMORY_DATA);
	OK(pool_take(&pool, 4, 4, OBJECT_TABLE, &b));
	CHECK(b == 4 && TYPE(b) == MEMORY_TABLE && TYPE(b + 3) == MEMORY_TABLE);
	OK(pool_take(&pool, 3, 1, POOL_CLEAN, &c));
	CHECK(c == 1 && TYPE(c) == MEMORY_CLEAN && TYPE(c + 2) == MEMORY_CLEAN);
	CHECK_EQUAL(pool_free(&pool), MANAGED - 8);
	OK(pool_give(&pool, b, 4));
	OK(pool_take(&pool, 2, 2, OBJECT_DATA_PAGE, &b));
	CHECK(b == 4 && kernel_kind(5) == OBJECT_DATA_PAGE);
	SAYS(SPACE_NO_FRAMES, pool_take(&pool, MANAGED - 5, 1, OBJECT_NONE, &a));
	SAYS(SPACE_NO_FRAMES, pool_take(&pool, 0, 1, OBJECT_NONE, &a));
	OK(pool_take(&pool, MANAGED - 6, 1, OBJECT_NONE, &a));
	CHECK_EQUAL(pool_free(&pool), 0);
	SAYS(SPACE_NO_FRAMES, pool_reserve(&pool, 1, 1, &a));
	OK(pool_give(&pool, 0, MANAGED));
	CHECK_EQUAL(pool_free(&pool), MANAGED);
	all_are_clean(MANAGED);
	memory_unmake();
}

TEST(memory_pool_keeps_what_it_could_not_take_or_clean)
{
	uint32_t table, page;
	world_make();
	OK(pool_take(&pool, 1, 1, OBJECT_TABLE, &table));
	OK(pool_take(&pool, 2, 1, OBJECT_NONE, &page));
	OK(memory_map(slot(part), table, 0, 0, page + 1, 1, NULL));
	SAYS(MEMORY_IN_USE, pool_give(&pool, page, 2));
	CHECK_EQUAL(pool_free(&pool), MANAGED - 3); /* neither of them */
	OK(memory_unmap(slot(part), table, 0, 1));
	OK(pool_give(&pool, page, 2));
	SAYS(SERVICE_BAD_ARGUMENT, pool_take(&pool, 1, 1, OBJECT_THREAD, &page));
	CHECK_EQUAL(pool_free(&pool), MANAGED - 1);
	OK(memory_revoke(slot(all), page, 1, 1));
	SAYS(MEMORY_STALE, pool_take(&pool, 1, 1, OBJECT_NONE, &page));
	SAYS(MEMORY_STALE, pool_take(&pool, 1, 1, POOL_CLEAN, &page));
	CHECK_EQUAL(pool_free(&pool), MANAGED - 1);
	OK(memory_clean(slot(all), 10, 1)); /* cut off in the middle of becoming */
	for (uint32_t content = CONTENT_ZERO; content <= CONTENT_ONES; content++) {
		struct memory_frame *frame = descriptor_of(10);
		frame->key = MEMORY_KEY(MEMORY_BECOMING, 0);
		frame->count = content;
		frame->serial = object_generation(first + 10) + 1;
		OK(pool_give(&pool, 10, 1));
		CHECK_EQUAL(TYPE(10), MEMORY_CLEAN);
	}
	memory_unmake();
}

TEST(memory_pool_gives_back_what_hangs_together_in_any_order)
{
	uint32_t page, table, directory, control;
	world_make();
	OK(pool_take(&pool, 1, 1, OBJECT_NONE, &page));
	OK(pool_take(&pool, 1, 1, OBJECT_TABLE, &table));
	OK(pool_take(&pool, 1, 1, OBJECT_DIRECTORY, &directory));
	OK(pool_take(&pool, 1, 1, POOL_CLEAN, &control));
	OK(memory_create_domain(slot(part), control, directory, 0, NULL));
	OK(memory_install(slot(part), directory, 5, table));
	OK(memory_map(slot(part), table, 5, 0, page, 1, NULL));
	SAYS(MEMORY_IN_USE, pool_give(&pool, page, 3)); /* the domain lives */
	OK(pool_give(&pool, page, 4));
	CHECK_EQUAL(pool_free(&pool), MANAGED);
	memory_unmake();
}

/* ---- spaces ---------------------------------------------------------------------------------- */
/* A directory of the pool's, which nobody runs in. */
static void space_make(void)
{
	world_make();
	space = (struct space){.pool = &pool};
	OK(pool_take(&pool, 1, 1, OBJECT_DIRECTORY, &space.directory));
}

/* What the directory and its table say of an address; 0: no table. */
static uint32_t entry_at(uint32_t address)
{
	uint32_t table = words_of(space.directory)[address >> 22];
	return table ? ((uint32_t *)frame_pointer(table >> 12))[address >> 12 & 1023] : 0;
}

TEST(memory_space_makes_tables_as_they_are_needed)
{
	uint32_t page, table, again, edge = PAGES + 0x400000 - 2 * PAGE_BYTES;
	space_make();
	OK(space_page(&space, PAGES, MEMORY_ENTRY_WRITE, &page));
	CHECK_EQUAL(entry_at(PAGES), ENTRY_MAPS(page, MEMORY_ENTRY_WRITE));
	OK(space_table(&space, PAGES + 5, &table));
	CHECK_EQUAL(words_of(space.directory)[PAGES >> 22],
		    (first + table) << 12 | 7 | MEMORY_ENTRY_COUNTED);
	OK(pool_take(&pool, 4, 1, OBJECT_NONE, &page));
	OK(space_map(&space, edge, page, 4, 0)); /* across two tables */
	CHECK_EQUAL(space.count, 2);
	for (uint32_t i = 0; i < 4; i++)
		CHECK_EQUAL(entry_at(edge + i * PAGE_BYTES), ENTRY_MAPS(page + i, 0));
	OK(space_map(&space, edge, page, 4, MEMORY_ENTRY_WRITE)); /* only other flags */
	CHECK_EQUAL(entry_at(edge), ENTRY_MAPS(page, MEMORY_ENTRY_WRITE));
	OK(space_unmap(&space, edge + PAGE_BYTES, 2));
	CHECK(entry_at(edge) && !entry_at(edge + PAGE_BYTES) && !entry_at(edge + 2 * PAGE_BYTES) &&
	      entry_at(edge + 3 * PAGE_BYTES));
	OK(space_unmap(&space, 0x50000000, 4096)); /* no table there */
	CHECK_EQUAL(space.count, 2);
	OK(space_drop_table(&space, PAGES));
	OK(space_drop_table(&space, PAGES)); /* it is gone */
	CHECK_EQUAL(TYPE(table), MEMORY_CLEAN);
	CHECK_EQUAL(words_of(space.directory)[PAGES >> 22], 0);
	OK(space_table(&space, edge + 2 * PAGE_BYTES, &again)); /* the other one is still known */
	CHECK_EQUAL(space.count, 1);
	OK(pool_give(&pool, 0, MANAGED));
	all_are_clean(MANAGED);
	memory_unmake();
}

TEST(memory_space_leaves_nothing_half_way)
{
	uint32_t page, other_page, free;
	space_make();
	SAYS(SPACE_BAD_ADDRESS, space_page(&space, PAGES + 4, 0, &page));
	SAYS(SPACE_BAD_ADDRESS, space_page(&space, IMAGE_BASE - PAGE_BYTES, 0, &page));
	SAYS(SPACE_BAD_ADDRESS, space_page(&space, WINDOW_TABLE, 0, &page));
	SAYS(SPACE_BAD_ADDRESS, space_map(&space, WINDOW_TABLE - PAGE_BYTES, 0, 2, 0));
	SAYS(SPACE_BAD_ADDRESS, space_unmap(&space, WINDOW_TABLE - PAGE_BYTES, 2));
	SAYS(SPACE_BAD_ADDRESS, space_unmap(&space, PAGES + 4, 1));
	OK(space_page(&space, PAGES + 2 * PAGE_BYTES, 0, &other_page));
	OK(pool_take(&pool, 4, 1, OBJECT_NONE, &page));
	free = pool_free(&pool);
	SAYS(MEMORY_OCCUPIED, space_map(&space, PAGES, page, 4, 0)); /* the third */
	CHECK(!entry_at(PAGES) && !entry_at(PAGES + PAGE_BYTES));
	CHECK_EQUAL(entry_at(PAGES + 2 * PAGE_BYTES), ENTRY_MAPS(other_page, 0));
	SAYS(MEMORY_OCCUPIED, space_page(&space, PAGES + 2 * PAGE_BYTES, 0, &page));
	SAYS(MEMORY_WRONG_TYPE, space_map(&space, PAGES, space.directory, 1, 0));
	CHECK_EQUAL(pool_free(&pool), free);
	uint32_t mine = space.directory, table;
	space.directory = other_page; /* no directory: the table is given back */
	SAYS(MEMORY_WRONG_TYPE, space_table(&space, PAGES + 0x400000, &table));
	CHECK_EQUAL(pool_free(&pool), free);
	space.directory = mine;
	for (uint32_t i = 1; i < SPACE_TABLES; i++)
		OK(space_table(&space, PAGES + i * 0x400000, &table));
	SAYS(SPACE_NO_TABLES, space_page(&space, PAGES + SPACE_TABLES * 0x400000, 0, &page));
	OK(pool_take(&pool, pool_free(&pool), 1, POOL_CLEAN, &page));
	SAYS(SPACE_NO_FRAMES, space_page(&space, PAGES, 0, &page));
	OK(space_drop_table(&space, PAGES));
	OK(pool_take(&pool, 1, 1, POOL_CLEAN, &page));
	SAYS(SPACE_NO_FRAMES, space_page(&space, PAGES, 0, &page)); /* no table now */
	OK(pool_give(&pool, 0, MANAGED));
	memory_unmake();
}

TEST(memory_heap_grows_to_its_end_and_shrinks)
{
	static uint32_t frames[64];
	struct heap heap;
	uint32_t base = PAGES + 0x400000 - 3 * PAGE_BYTES, odd, some;
	space_make();
	OK(pool_reserve(&pool, 1, 1, &odd)); /* holes: not all is in a row */
	OK(pool_take(&pool, 5, 1, POOL_CLEAN, &some));
	OK(pool_reserve(&pool, 1, 1, &odd));
	OK(pool_give(&pool, some, 5));
	uint32_t free = pool_free(&pool);
	heap_begin(&heap, &space, base, frames, 64);
	OK(heap_resize(&heap, 8));
	CHECK_EQUAL(heap.pages, 8);
	CHECK_EQUAL(pool_free(&pool), free - 8 - 2); /* and two tables */
	for (uint32_t i = 0; i < 8; i++)
		CHECK_EQUAL(entry_at(base + i * PAGE_BYTES),
			    ENTRY_MAPS(frames[i], MEMORY_ENTRY_WRITE));
	words_of(frames[7])[0] = 1;
	OK(heap_resize(&heap, 2));
	CHECK(heap.pages == 2 && entry_at(base + PAGE_BYTES) && !entry_at(base + 2 * PAGE_BYTES));
	SAYS(SPACE_BAD_ADDRESS, heap_resize(&heap, 65));
	SAYS(SPACE_NO_FRAMES, heap_resize(&heap, 64));
	CHECK_EQUAL(heap.pages, free - 2); /* all that there were */
	CHECK_EQUAL(pool_free(&pool), 0);
	for (uint32_t i = 2; i < heap.pages; i++)
		CHECK_EQUAL(words_of(frames[i])[0], 0);
	memory_check();
	OK(heap_resize(&heap, 0));
	CHECK_EQUAL(pool_free(&pool), free - 2);
	OK(space_drop_table(&space, base));
	OK(space_drop_table(&space, base + 3 * PAGE_BYTES));
	OK(pool_reserve(&pool, MANAGED - 8, 1, &some)); /* the five between the odd ones are left */
	heap_begin(&heap, &space, base, frames, 64);
	SAYS(SPACE_NO_FRAMES, heap_resize(&heap, 8));
	CHECK_EQUAL(heap.pages, 3); /* and two tables */
	OK(heap_resize(&heap, 0));
	OK(heap_resize(&heap, 1));
	OK(memory_map(slot(part), space.tables[0] >> 12, 0, 0, frames[0], 1, NULL));
	SAYS(MEMORY_IN_USE, heap_resize(&heap, 0)); /* somebody else maps it */
	CHECK_EQUAL(heap.pages, 1);
	OK(memory_unmap(slot(part), space.tables[0] >> 12, 0, 1));
	OK(heap_resize(&heap, 0)); /* the same call finishes it */
	OK(memory_revoke(slot(all), 0, MANAGED, 1));
	SAYS(MEMORY_STALE, heap_resize(&heap, 1));
	CHECK_EQUAL(heap.pages, 0);
	memory_unmake();
}

/* ---- children -------------------------------------------------------------------------------- */
static const struct boot_module *program;

static uint32_t *root_entry(void)
{
	return (uint32_t *)frame_pointer(root_domain.directory_frame) + (WINDOW >> 22);
}

static void builder_make(void)
{
	world_make();
	OK(memory_clean(slot(part), 0, MANAGED));
	builder = (struct builder){.pool = &pool, .window = WINDOW, .scratch = result};
	OK(pool_take(&pool, 1, 1, OBJECT_TABLE, &builder.window_table));
	*root_entry() = (first + builder.window_table) << 12 | 7;
	program = module_find("paged");
}

static void builder_end(void)
{
	all_are_clean(builder.window_table);
	CHECK_EQUAL(pool_free(&pool), MANAGED - 1);
	CHECK_EQUAL(kernel_probe(slot(result)), ERROR_EMPTY);
	*root_entry() = 0;
	memory_unmake();
}

#define CHILD_ORDER 5u

TEST(memory_child_is_made_of_its_frames_and_ended)
{
	struct words state;
	uint32_t control = slot_take(), thread = slot_take(), page = slot_take(), frame, table;
	builder_make();
	OK(child_make(&child, &builder, CHILD_ORDER, control, 0));
	MUST(kernel_probe(slot(control)));
	CHECK_EQUAL(pool_free(&pool), MANAGED - 1 - 32);
	OK(child_load(&child, module_file(program), program->bytes));
	space = child.space;
	const struct elf_header *header = module_file(program);
	const struct elf_segment *segment = elf_segments(header);
	for (uint32_t i = 0; i < header->segments; i++) {
		if (segment[i].type != ELF_LOAD)
			continue;
		uint32_t entry = entry_at(segment[i].address), write = segment[i].flags & ELF_WRITE;
		CHECK_EQUAL(entry & 2, write ? 2 : 0);
		CHECK(!memcmp(frame_pointer(entry >> 12), (const uint8_t *)header + segment[i].at,
			      segment[i].file_bytes));
	}
	OK(child_thread(&child, thread, &frame));
	CHECK(kernel_kind(frame) == OBJECT_THREAD && kernel_kind(frame + 1) == OBJECT_DATA_PAGE);
	OK(child_object(&child, OBJECT_DATA_PAGE, page, &frame));
	MUST(kernel_thread_attach(slot(thread), 1, slot(page)));
	OK(child_object_end(&child, page, frame, 1));
	OK(child_object(&child, OBJECT_CAPABILITY_PAGE, page, &frame));
	MUST(kernel_domain_attach(slot(control), 0, slot(page)));
	MUST(kernel_grant(slot(control), slot(LIST_SLOTS), slot(part)));
	OK(child_page(&child, PAGES, 0, "content", 8, &frame));
	CHECK(!memcmp(words_of(frame), "content", 8));
	CHECK_EQUAL(entry_at(PAGES), ENTRY_MAPS(frame, 0));
	OK(child_write(&child, frame, PAGE_BYTES - 2, "!", 2));
	CHECK_EQUAL(words_of(frame)[1023] >> 16, '!');
	SAYS(SPACE_BAD_ADDRESS, child_write(&child, frame, PAGE_BYTES - 1, "!", 2));
	SAYS(SPACE_BAD_ADDRESS, child_write(&child, frame, PAGE_BYTES + 1, "!", 0));
	OK(space_table(&child.space, PAGES, &table));
	CHECK_EQUAL(words_of(builder.window_table)[0], 0); /* the window is empty again */
	memory_check();
	MUST(kernel_thread_read(slot(thread), THREAD_FIELD_STATE, &state));
	CHECK_EQUAL(state.w[0], THREAD_STOPPED);
	OK(child_end(&child));
	CHECK_EQUAL(kernel_probe(slot(thread)), ERROR_STALE);
	CHECK_EQUAL(kernel_probe(slot(control)), ERROR_EMPTY);
	OK(child_end(&child)); /* once more */
	builder_end();
	slot_give(page);
	slot_give(thread);
	slot_give(control);
}

TEST(memory_child_with_sections_has_a_lock_page)
{
	uint32_t control = slot_take(), table;
	const struct boot_module *service = module_find("partition");
	builder_make();
	OK(child_make(&child, &builder, CHILD_ORDER, control, 0));
	OK(child_load(&child, module_file(service), service->bytes));
	OK(space_table(&child.space, LOCK_PAGE, &table));
	uint32_t entry = words_of(table)[LOCK_PAGE >> 12 & 1023], frame = (entry >> 12) - first;
	CHECK_EQUAL(entry & 0xFFF & ~0x60u, 7 | MEMORY_ENTRY_COUNTED);
	CHECK_EQUAL(TYPE(frame), MEMORY_LOCK_PAGE);
	CHECK_EQUAL(kernel_kind(frame), OBJECT_LOCK_PAGE);
	SAYS(MEMORY_IN_USE, memory_drop(slot(all), frame)); /* as long as it is mapped */
	SAYS(MEMORY_WRONG_TYPE, memory_clean(slot(all), frame, 1));
	OK(memory_unmap(slot(all), table, LOCK_PAGE >> 12 & 1023, 1));
	OK(memory_drop(slot(all), frame)); /* the domain has none any more */
	CHECK_EQUAL(kernel_kind(frame), OBJECT_NONE);
	memory_check();
	OK(child_end(&child));
	CHECK_EQUAL(pool_free(&pool), MANAGED - 1);
	builder_end();
	slot_give(control);
}

TEST(memory_child_names_its_errors_and_leaves_nothing)
{
	static uint32_t holder[64];
	uint32_t control = slot_take(), thread = slot_take(), frame, frames = 0;
	builder_make();
	SAYS(SPACE_NO_FRAMES, child_make(&child, &builder, CHILD_ORDER_MAX + 1, control, 0));
	OK(child_end(&child));
	SAYS(SPACE_NO_FRAMES, child_make(&child, &builder, MANAGED_ORDER, control, 0));
	OK(child_end(&child));
	SAYS(SPACE_NO_FRAMES, child_make(&child, &builder, 0, control, 0)); /* control only */
	OK(child_end(&child));
	builder.scratch = 0; /* no slot to fetch into */
	CHECK_EQUAL(child_make(&child, &builder, CHILD_ORDER, control, 0), ERROR_ARGUMENT);
	builder.scratch = result;
	OK(child_end(&child));
	for (uint32_t order = 1; order < 4; order++) { /* too small for all of the program */
		OK(child_make(&child, &builder, order, control, 1));
		SAYS(SPACE_NO_FRAMES, child_load(&child, module_file(program), program->bytes));
		OK(child_end(&child));
		CHECK_EQUAL(pool_free(&pool), MANAGED - 1);
	}
	OK(child_make(&child, &builder, CHILD_ORDER, control, 0));
	SAYS(SPACE_BAD_PROGRAM, child_load(&child, holder, sizeof(holder)));
	OK(child_load(&child, module_file(program), program->bytes));
	SAYS(MEMORY_OCCUPIED, child_load(&child, module_file(program), program->bytes));
	SAYS(SPACE_BAD_ADDRESS, child_page(&child, 0, 0, NULL, 0, &frame));
	SAYS(SERVICE_BAD_ARGUMENT, child_object(&child, OBJECT_THREAD, thread, &frame));
	SAYS(MEMORY_REFUSED, child_object(&child, OBJECT_BITMAP_PAGE, thread, &frame));
	uint32_t free = pool_free(&child.pool);
	builder.scratch = 0;
	CHECK_EQUAL(child_thread(&child, thread, &frame), ERROR_ARGUMENT);
	builder.scratch = result;
	uint32_t window = builder.window_table;
	builder.window_table = child.control; /* no table: nothing can be filled */
	SAYS(MEMORY_WRONG_TYPE, child_page(&child, PAGES, 0, "content", 8, &frame));
	builder.window_table = window;
	OK(space_drop_table(&child.space, PAGES));
	CHECK_EQUAL(pool_free(&child.pool), free);
	for (; pool_free(&child.pool); frames++)
		OK(child_object(&child, OBJECT_DATA_PAGE, thread, &frame));
	CHECK_EQUAL(frames, free);
	SAYS(SPACE_NO_FRAMES, child_object(&child, OBJECT_DATA_PAGE, thread, &frame));
	SAYS(SPACE_NO_FRAMES, child_thread(&child, thread, &frame));
	SAYS(SPACE_NO_FRAMES, child_page(&child, PAGES, 0, NULL, 0, &frame));
	MUST(kernel_delete(slot(control))); /* all that follows fails in the kernel */
	CHECK_EQUAL(child_entries(&child, 0, 0), ERROR_EMPTY);
	CHECK_EQUAL(child_own(&child, PAGED_EXTENT), ERROR_EMPTY);
	OK(child_end(&child));
	builder_end();
	slot_give(thread);
	slot_give(control);
}

/* ---- a program that pages itself ------------------------------------------------------------- */
#define TABLE_BYTES 0x400000u

static struct domain teller;
static struct client client;
static uint32_t child_slot, door, told_class, told_place, told_count;

/* The fault door of the program: what root's own would print. */
PEER told(uint32_t class, uint32_t place, uint32_t b, uint32_t badge_high)
{
	told_class = class;
	told_place = place;
	told_count++;
	return ANSWER(0, 0);
}

/* A thread at home must be made before the extent is the program's. */
static void paged_make(uint32_t thread)
{
	uint32_t to_teller = peer_door(&teller, told), frame;
	OK(child_make(&child, &builder, CHILD_ORDER, child_slot, 0));
	OK(child_load(&child, module_file(program), program->bytes));
	if (thread)
		OK(child_thread(&child, thread, &frame));
	OK(child_page(&child, PAGES + 100 * PAGE_BYTES, 0, NULL, 0, &frame)); /* its heap's table */
	OK(child_own(&child, PAGED_EXTENT));
	SAYS(SPACE_NO_FRAMES, child_page(&child, PAGES, 0, NULL, 0, &frame)); /* the child's now */
	MUST(kernel_grant(slot(child_slot), slot(SLOT_FAULT_DOOR), slot(to_teller)));
	slot_give(to_teller);
	MUST(kernel_door(slot(child_slot), slot(door), 0));
}

static void paged_begin(uint32_t thread)
{
	builder_make();
	child_slot = slot_take();
	door = slot_take();
	peer_make(&teller, "teller");
	told_count = 0;
	paged_make(thread);
}

static void paged_end(void)
{
	OK(child_end(&child));
	domain_end(&teller);
	slot_give(door);
	slot_give(child_slot);
	builder_end();
}

static uint32_t frames_left(void)
{
	uint32_t left;
	OK(paged_left(slot(door), &left));
	return left;
}

TEST(memory_pager_maps_what_is_missing_and_nothing_is_noticed)
{
	uint32_t word, free;
	paged_begin(0);
	OK(paged_range(slot(door), 2 * TABLE_BYTES, 6));
	SAYS(0, paged_registers(slot(door)));
	CHECK_EQUAL(frames_left(), 5);
	SAYS(0, paged_registers(slot(door))); /* it is there now */
	CHECK_EQUAL(frames_left(), 5);
	static const uint32_t offsets[] = {PAGE_BYTES, TABLE_BYTES - 4, TABLE_BYTES,
					   2 * TABLE_BYTES - PAGE_BYTES};
	for (uint32_t i = 0; i < 4; i++) {
		OK(paged_store(slot(door), offsets[i], i + 1, &word));
		CHECK_EQUAL(word, 0);
		CHECK_EQUAL(frames_left(), 4 - i);
	}
	for (uint32_t i = 0; i < 4; i++) {
		OK(paged_store(slot(door), offsets[i], 0, &word));
		CHECK_EQUAL(word, i + 1);
	}
	memory_check();
	SAYS(SPACE_BAD_ADDRESS, paged_range(slot(door), TABLE_BYTES, 1));
	OK(paged_range_end(slot(door), &free));
	OK(paged_range(slot(door), TABLE_BYTES, 1));
	OK(paged_store(slot(door), PAGE_BYTES, 1, &word));
	CHECK_EQUAL(word, 0);
	OK(paged_range_end(slot(door), &word));
	CHECK_EQUAL(word, free);
	CHECK_EQUAL(told_count, 0);
	paged_end();
}

static uint32_t run_at_home(uint32_t thread, uint32_t argument, struct words *fault)
{
	struct dispatch_result ended;
	MUST(kernel_thread_start(slot(thread), child.entry, DATA_STACK, argument));
	MUST(kernel_dispatch(slot(thread), 0, DEADLINE_NEVER, 0, &ended));
	MUST(kernel_thread_read(slot(thread), THREAD_FIELD_FAULT, fault));
	return ended.reason;
}

TEST(memory_pager_at_home_has_more_array_than_was_mapped)
{
	struct words fault;
	uint32_t thread = slot_take(), word;
	paged_begin(thread);
	CHECK_EQUAL(run_at_home(thread, PAGED_ARGUMENT(10, 10), &fault), DISPATCH_ENDED);
	CHECK_EQUAL(frames_left(), 0);
	OK(paged_store(slot(door), 4, 0, &word));
	CHECK_EQUAL(word, 1 ^ PAGED_ARGUMENT(10, 10));
	CHECK_EQUAL(told_count, 0);
	paged_end();
	slot_give(thread);
}

static uint32_t own_table(uint32_t address)
{
	return (words_of(child.space.directory)[address >> 22] >> 12) - first;
}

static uint32_t own_entry(uint32_t address)
{
	return words_of(own_table(address))[address >> 12 & 1023];
}

/* The program's own words, by its symbols. */
static uint32_t *own_word(const char *symbol)
{
	uint32_t address = elf_symbol_named(module_file(program), program->bytes, symbol);
	return words_of((own_entry(address) >> 12) - first) + address % PAGE_BYTES / 4;
}

TEST(memory_pager_without_frames_is_a_fault_like_any_other)
{
	struct words fault;
	uint32_t thread = slot_take(), word;
	paged_begin(thread);
	CHECK_EQUAL(run_at_home(thread, PAGED_ARGUMENT(11, 10), &fault), DISPATCH_FAULTED);
	/* of what reads and writes at once QEMU says that it reads, others that it writes */
	CHECK_EQUAL(fault.w[0] & ~(2u << 16), FAULT_PAGING | 14 << 8 | 4 << 16);
	CHECK_EQUAL(fault.w[1], PAGED_BASE + PAGE_BYTES - 4); /* it goes downwards */
	CHECK_EQUAL(fault.w[3], first + child.control);
	CHECK(told_count == 1 && told_class == fault.w[0] && told_place == fault.w[2]);
	OK(paged_heap(slot(door), 1, &word)); /* the frame behind the pager's */
	for (uint32_t i = 0; i < 4; i++)
		CHECK_EQUAL(paged_store(slot(door), 0, 1, NULL), ERROR_CALLEE_FAULTED);
	CHECK_EQUAL(told_count, 5);
	CHECK_EQUAL(*own_word("pager_next"), *own_word("pager_end_frame")); /* and never beyond */
	OK(paged_store(slot(door), 10 * PAGE_BYTES, 1, NULL)); /* what is mapped still is */
	CHECK_EQUAL(frames_left(), 0);
	CHECK_EQUAL(paged_trap(slot(door)), ERROR_CALLEE_FAULTED);
	CHECK_EQUAL(told_class, FAULT_PROGRAM | 6 << 8);
	CHECK_EQUAL(paged_store(slot(door), 4 * TABLE_BYTES, 1, NULL), ERROR_CALLEE_FAULTED);
	CHECK_EQUAL(told_class, FAULT_PAGING | 14 << 8 | 4 << 16);
	CHECK_EQUAL(paged_store(slot(door), -4u, 1, NULL), ERROR_CALLEE_FAULTED);
	CHECK_EQUAL(told_count, 8);
	OK(paged_range_end(slot(door), &word));
	CHECK_EQUAL(paged_store(slot(door), 10 * PAGE_BYTES, 1, NULL), ERROR_CALLEE_FAULTED);
	paged_end();
	slot_give(thread);
}

TEST(memory_pager_that_is_refused_reports_the_fault_itself)
{
	paged_begin(0);
	OK(paged_range(slot(door), TABLE_BYTES, 3));
	OK(paged_store(slot(door), PAGE_BYTES, 1, NULL));
	uint32_t page = (own_entry(PAGED_BASE + PAGE_BYTES) >> 12) - first;
	/* a table where the next one of the range would be if it were longer */
	OK(memory_become(slot(part), own_table(PAGED_BASE) + 4, 1, OBJECT_TABLE));
	OK(memory_map(slot(part), own_table(PAGED_BASE), 1, 0, page, 1, NULL));
	for (uint32_t i = 1; i < 4; i++) { /* it is there, but read-only */
		CHECK_EQUAL(paged_store(slot(door), PAGE_BYTES, 1, NULL), ERROR_CALLEE_FAULTED);
		CHECK_EQUAL(told_class, FAULT_PAGING | 14 << 8 | 7 << 16);
		CHECK_EQUAL(told_count, i);
		CHECK_EQUAL(frames_left(), 2);
	}
	OK(paged_store(slot(door), 0, 1, NULL)); /* others are served as before */
	CHECK_EQUAL(*own_word("pager_bytes"), TABLE_BYTES);
	CHECK_EQUAL(paged_store(slot(door), 4 * TABLE_BYTES, 1, NULL), ERROR_CALLEE_FAULTED);
	CHECK_EQUAL(frames_left(), 1); /* not in the range: nothing was tried */
	told_count--;
	OK(memory_revoke(slot(all), 0, MANAGED, 1));
	for (uint32_t i = 4; i < 7; i++) {
		CHECK_EQUAL(paged_store(slot(door), 2 * PAGE_BYTES, 1, NULL), ERROR_CALLEE_FAULTED);
		CHECK_EQUAL(told_class, FAULT_PAGING | 14 << 8 | 4 << 16);
		CHECK_EQUAL(told_count, i);
		CHECK_EQUAL(frames_left(), 1);
	}
	SAYS(MEMORY_STALE, child_end(&child));
	extent_forge(part, MEMORY_BADGE(first, MANAGED_ORDER, MEMORY_RIGHTS), 1);
	paged_end();
}

TEST(memory_program_has_a_heap_in_its_own_extent)
{
	uint32_t pages, free;
	paged_begin(0);
	OK(paged_heap(slot(door), 5, &pages));
	CHECK_EQUAL(pages, 5);
	OK(paged_heap(slot(door), 2, &pages));
	OK(paged_range_end(slot(door), &free)); /* no pager: only the pool's count */
	CHECK_EQUAL(frames_left(), 0);
	SAYS(SPACE_NO_FRAMES, paged_heap(slot(door), PAGED_PAGES_MAX, &pages));
	CHECK_EQUAL(pages, 2 + free);
	SAYS(SPACE_NO_FRAMES, paged_range(slot(door), TABLE_BYTES, 1));
	OK(paged_heap(slot(door), 4, &pages));
	SAYS(SPACE_NO_FRAMES, paged_range(slot(door), TABLE_BYTES, free));
	SAYS(SPACE_BAD_ADDRESS, paged_range(slot(door), TABLE_BYTES + PAGE_BYTES, 1));
	SAYS(SPACE_BAD_ADDRESS, paged_range(slot(door), 0, 1));
	SAYS(SPACE_BAD_ADDRESS, paged_range(slot(door), 0xFFC00000, 1));
	SAYS(SPACE_BAD_ADDRESS, paged_range(slot(door), 0x10400000, 1)); /* there is the heap */
	SAYS(SPACE_NO_TABLES, paged_range(slot(door), 15 * TABLE_BYTES, 1));
	uint32_t table = own_table(PAGES), at = (PAGED_BASE >> 22) + 1;
	OK(memory_install(slot(part), child.space.directory, at, table)); /* unknown to it */
	SAYS(MEMORY_OCCUPIED, paged_range(slot(door), 3 * TABLE_BYTES, 1));
	OK(memory_remove(slot(part), child.space.directory, at));
	OK(paged_range(slot(door), TABLE_BYTES, free - 3));
	OK(paged_store(slot(door), 0, 1, NULL));
	OK(paged_heap(slot(door), 0, &pages));
	OK(paged_range_end(slot(door), &pages));
	CHECK_EQUAL(pages, free + 2);
	memory_check();
	paged_end();
}

/* ---- stopped anywhere in its own handler ----------------------------------------------------- */
static uint32_t client_result, client_before;

static void client_stores(uint32_t offset)
{
	client_result = ~0u;
	client_result = paged_store(slot(door), offset, 77, &client_before);
}

/* Others use the memory service as ever. */
static void other_works(void)
{
	uint32_t table, page;
	OK(pool_take(&pool, 1, 1, OBJECT_TABLE, &table));
	OK(pool_take(&pool, 1, 1, OBJECT_NONE, &page));
	OK(memory_map(slot(part), table, 7, 0, page, 1, NULL));
	OK(memory_unmap(slot(part), table, 7, 1));
	OK(pool_give(&pool, page, 1));
	OK(pool_give(&pool, table, 1));
	memory_check();
}

static void goes_on(void)
{
	client_run(&client);
	OK(client_result);
}

/* A client's call makes the program fault; `happens` after each instruction of it, in turn. The
 * program has three frames each time. */
static void sweep(void (*happens)(void))
{
	_Bool ended = 0;
	uint32_t steps, stop;
	paged_begin(0);
	for (stop = 1; !ended; stop++) {
		OK(paged_range(slot(door), TABLE_BYTES, 3));
		client_make(&client, &root_domain, client_stores, PAGE_BYTES);
		for (steps = 0; steps < stop && !ended; steps++)
			ended = client_step(&client).reason != DISPATCH_STEPPED;
		if (!ended)
			happens();
		client_end(&client);
		OK(paged_range_end(slot(door), NULL));
	}
	CHECK(stop > 100);
	test_note("%u instructions", steps);
	paged_end();
}

static void is_killed(void)
{
	uint32_t before;
	client_end(&client);
	other_works();
	OK(paged_store(slot(door), PAGE_BYTES, 1, &before));
	CHECK(before == 0 || before == 77);
	OK(paged_store(slot(door), 0, 1, &before)); /* a frame may be lost, not more */
	CHECK(frames_left() <= 1);
	client_make(&client, &root_domain, client_stores, 0);
	goes_on();
}
TEST(memory_pager_killed_at_every_instruction_loses_a_frame_at_most)
{
	sweep(is_killed);
}

static void another_faults_there(void)
{
	OK(paged_store(slot(door), PAGE_BYTES, 1, NULL));
	other_works();
	goes_on();
	CHECK(client_before == 0 || client_before == 1);
	CHECK_EQUAL(frames_left(), 2); /* the frame that was not needed is not lost */
	OK(paged_store(slot(door), 2 * PAGE_BYTES, 1, &client_before));
	CHECK_EQUAL(client_before, 0);
	SAYS(0, paged_registers(slot(door))); /* it is used when there is no next one */
	CHECK_EQUAL(frames_left(), 0);
}
TEST(memory_pager_stopped_at_every_instruction_while_another_faults_there)
{
	sweep(another_faults_there);
}

/* It stands between giving up and the second fault of its instruction. */
TEST(memory_pager_serves_others_while_a_thread_has_given_up)
{
	uint32_t badge;
	paged_begin(0);
	OK(paged_range(slot(door), TABLE_BYTES, 3));
	OK(memory_revoke(slot(all), 0, MANAGED, 1));
	client_make(&client, &root_domain, client_stores, PAGE_BYTES);
	while (*own_word("pager_bytes") && client_step(&client).reason == DISPATCH_STEPPED)
		;
	CHECK_EQUAL(client_result, ~0u);
	badge = MEMORY_BADGE(first + child.pool.first, CHILD_ORDER, MEMORY_RIGHTS);
	extent_forge(other, badge, 1); /* what it has been refused is its own again */
	MUST(kernel_grant(slot(child_slot), slot(PAGED_EXTENT), slot(other)));
	OK(paged_store(slot(door), PAGE_BYTES, 1, NULL));
	SAYS(0, paged_registers(slot(door)));
	CHECK_EQUAL(*own_word("pager_bytes"), 0);
	CHECK_EQUAL(frames_left(), 1);
	CHECK_EQUAL(told_count, 0);
	client_run(&client); /* its instruction does not fault again: the page is there */
	OK(client_result);
	client_end(&client);
	OK(paged_store(slot(door), 2 * PAGE_BYTES, 1, NULL));
	CHECK_EQUAL(frames_left(), 0);
	extent_forge(part, MEMORY_BADGE(first, MANAGED_ORDER, MEMORY_RIGHTS), 1);
	paged_end();
}

/* The program ends while a thread stands in its handler, or in the service for it. */
static void program_ends(void)
{
	OK(child_end(&child));
	other_works();
	CHECK_EQUAL(pool_free(&pool), MANAGED - 1);
	client_run(&client);
	CHECK(client_result == RETURN || client_result == ERROR_STALE ||
	      client_result == ERROR_CALLEE_DESTROYED);
	slot_give(door);
	door = slot_take();
	paged_make(0);
}
TEST(memory_pager_ended_at_every_instruction_gives_all_frames_back)
{
	sweep(program_ends);
}
