// sources: tests/host/machine/tap.c boot/memory.c
/* SPDX-License-Identifier: MIT */
/* Memory maps and modules as loaders leave them: with holes, overlapping, in the kernel's own 4
 * MiB. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "boot.h"
#include "machine/tap.h"
#include "x86/x86.h"

#define MIB      0x100000ull
#define GIB      0x40000000ull
#define OWN_END  (4 * MIB)
#define DIRECT   (16 * MIB) /* of the direct map is there */
#define NOTHING  0xFFFFFFFF
#define MEMORY   1u
#define RESERVED 2u

struct object object_table[OBJECTS_MAX];
uint32_t low_end_frame;
static struct boot_record record;
static jmp_buf refused;
static bool printed;

void boot_refuse(const char *sentence, const char *name, const char *reason)
{
	longjmp(refused, 1);
}
void console_print(const char *format, ...)
{
	printed = true;
}

static void machine_begin(void)
{
	static bool made;
	void *at = (void *)(KERNEL_BASE + OWN_END / 2);
	if (!made && mmap(at, DIRECT - OWN_END / 2, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at)
		abort();
	made = true;
	printed = false;
	memset(&record, 0, sizeof(record));
	memset(object_table, 0, sizeof(object_table));
}
static void region(uint64_t start, uint64_t end, uint32_t type)
{
	record.regions[record.region_count++] = (struct boot_region){start, end - start, type, 0};
}
static void module(uint32_t start, uint32_t bytes)
{
	record.modules[record.module_count++] = (struct boot_module){start, bytes, "module"};
}
static bool starts(void)
{
	if (setjmp(refused))
		return false;
	memory_start(&record);
	return true;
}
static uint32_t taken(void)
{
	if (setjmp(refused))
		return NOTHING;
	return physical(frame_take()) >> 12;
}
static bool is_reserved(uint64_t address)
{
	return object_table[address >> 12].page == OBJECT_RESERVED;
}

TEST(ordinary_machine)
{
	machine_begin();
	region(0, 0x9FC00, MEMORY);
	region(0xF0000, MIB, RESERVED);
	region(MIB, 16 * MIB, MEMORY);
	region(0xFFFC0000, 4 * GIB, RESERVED);
	CHECK(starts());
	CHECK_EQUAL(record.low_end_frame, 16 * MIB >> 12);
	CHECK_EQUAL(record.linear_end, 16 * MIB);
	CHECK(is_reserved(0) && is_reserved(OWN_END - 1) && !is_reserved(OWN_END));
	CHECK(!is_reserved(16 * MIB - 1));
	for (uint64_t at = OWN_END; at < 16 * MIB; at += PAGE_BYTES)
		CHECK_EQUAL(taken(), at >> 12);
	CHECK_EQUAL(taken(), NOTHING);
	CHECK(!printed);
}

TEST(holes_and_half_pages_are_reserved)
{
	machine_begin();
	region(MIB, 6 * MIB + 100, MEMORY);
	region(6 * MIB + 100, 7 * MIB, MEMORY); /* the page between the two is in none of them */
	region(8 * MIB + 1, 9 * MIB, MEMORY);
	CHECK(starts());
	CHECK_EQUAL(record.low_end_frame, 9 * MIB >> 12);
	CHECK(is_reserved(6 * MIB) && !is_reserved(6 * MIB + PAGE_BYTES));
	CHECK(is_reserved(7 * MIB) && is_reserved(8 * MIB) && !is_reserved(8 * MIB + PAGE_BYTES));
	for (uint32_t frame; (frame = taken()) != NOTHING;)
		CHECK(!object_table[frame].page);
}

TEST(what_some_region_says_is_no_memory_is_none)
{
	for (uint32_t order = 0; order < 2; order++) {
		machine_begin();
		if (order)
			region(5 * MIB + 10, 6 * MIB + 10, RESERVED);
		region(MIB, 16 * MIB, MEMORY);
		region(3 * MIB, 8 * MIB, MEMORY);
		if (!order)
			region(5 * MIB + 10, 6 * MIB + 10, RESERVED);
		region(10 * MIB, 10 * MIB + 1, 3);
		region(0, 0, 4);
		region(12 * MIB, 12 * MIB, 4);
		CHECK(starts());
		for (uint64_t at = OWN_END; at < 16 * MIB; at += PAGE_BYTES)
			CHECK_EQUAL(is_reserved(at),
				    (at >= 5 * MIB && at <= 6 * MIB) || at == 10 * MIB);
		for (uint32_t frame; (frame = taken()) != NOTHING;)
			CHECK(!object_table[frame].page);
	}
}

TEST(memory_beyond_the_direct_map_and_beyond_4_gib)
{
	machine_begin();
	region(MIB, 3 * GIB, MEMORY);
	region(4 * GIB, 40 * GIB, MEMORY);
	CHECK(starts());
	CHECK_EQUAL(record.low_end_frame, 1012 * MIB >> 12);
	CHECK_EQUAL(record.linear_end, WINDOW_TABLE - LINEAR_BASE);
	CHECK(printed);
	machine_begin();
	region(MIB, 8 * MIB, MEMORY);
	region(4 * GIB, 5 * GIB, MEMORY); /* all of it is beyond */
	CHECK(starts());
	CHECK_EQUAL(record.low_end_frame, 8 * MIB >> 12);
}

TEST(too_little_memory_is_refused)
{
	machine_begin();
	region(0, 0x9FC00, MEMORY);
	CHECK(!starts());
	region(MIB, 5 * MIB - 1, MEMORY);
	CHECK(!starts());
	region(GIB, 2 * GIB, MEMORY); /* not where objects can be */
	CHECK(!starts());
}

TEST(frames_and_moved_modules_keep_off_modules)
{
	static const char text[] = "what the module holds";
	machine_begin();
	region(MIB, 16 * MIB, MEMORY);
	module(OWN_END / 2, 2 * PAGE_BYTES + 5);
	module(OWN_END - PAGE_BYTES, 3 * PAGE_BYTES); /* half in the kernel's own */
	module(OWN_END + 8 * PAGE_BYTES, 0);
	module(OWN_END + 20 * PAGE_BYTES, 10);
	memcpy(direct(OWN_END / 2), text, sizeof(text));
	memcpy(direct(OWN_END + PAGE_BYTES), text, sizeof(text));
	CHECK(starts());
	if (setjmp(refused))
		CHECK(false);
	modules_move(&record);
	for (uint32_t i = 0; i < 2; i++)
		CHECK(record.modules[i].start >= OWN_END + 2 * PAGE_BYTES);
	CHECK(!memcmp(direct(record.modules[0].start), text, sizeof(text)));
	CHECK(!memcmp(direct(record.modules[1].start + 2 * PAGE_BYTES), text, sizeof(text)));
	uint32_t end = frames_taken_end() << 12;
	CHECK(record.modules[1].start + 3 * PAGE_BYTES <= end);
	for (uint32_t frame; (frame = taken()) != NOTHING;) {
		uint32_t at = frame << 12;
		CHECK(at >= end);
		for (uint32_t i = 0; i < record.module_count; i++)
			CHECK(at + PAGE_BYTES <= record.modules[i].start ||
			      at >= record.modules[i].start + record.modules[i].bytes);
	}
}
