/* SPDX-License-Identifier: MIT */
/* libs/memory: an extent of 64 frames and nothing else; root's linear map is only the witness. */
#include "elf/elf.h"
#include "memory_space.h"
#include "memory_world.h"
#include "../paged/paged.h"

#define WINDOW 0x20000000u /* in root's space */
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
	CHECK_EQUAL(words_of(space.directory)[PAGES >> 22], (first + table) << 12 | 7);
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
