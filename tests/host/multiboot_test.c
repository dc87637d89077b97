// sources: tests/host/machine/tap.c boot/multiboot.c
/* SPDX-License-Identifier: MIT */
/* What boot loaders hand over, by both protocols, whole and damaged. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "machine/tap.h"

#define MAGIC_1 0x2BADB002u
#define MAGIC_2 0x36D76289u

static jmp_buf refused;
static const char *refusal;
static struct boot_record record;

void boot_refuse(const char *sentence, const char *name, const char *reason)
{
	(void)name;
	(void)reason;
	refusal = sentence;
	longjmp(refused, 1);
}

/* Null, or the sentence with which the machine would have stopped. */
static const char *read_record(uint32_t magic, const void *information)
{
	struct boot_entry entry = {.magic = magic, .information = (uint32_t)information};
	memset(&record, 0, sizeof(record));
	refusal = NULL;
	if (!setjmp(refused))
		loader_read(&entry, &record);
	CHECK(record.region_count <= BOOT_REGIONS_MAX && record.module_count <= BOOT_MODULES_MAX);
	CHECK(memchr(record.command_line, 0, sizeof(record.command_line)));
	for (uint32_t i = 0; i < record.module_count; i++)
		CHECK(memchr(record.modules[i].name, 0, sizeof(record.modules[i].name)));
	return refusal;
}

/* ---- multiboot 2: tags, one behind the other ------------------------------------------------- */
static uint8_t tags[8192] __attribute__((aligned(8)));
static uint32_t tags_bytes;

static void tag(uint32_t type, const void *body, uint32_t bytes)
{
	uint32_t head[2] = {type, bytes + 8};
	memcpy(tags + tags_bytes, head, 8);
	if (bytes)
		memcpy(tags + tags_bytes + 8, body, bytes);
	tags_bytes += (bytes + 15) & ~7u;
	memcpy(tags, &tags_bytes, 4);
}

static void tag_module(uint32_t start, uint32_t end, const char *name)
{
	uint8_t body[128];
	memcpy(body, &start, 4);
	memcpy(body + 4, &end, 4);
	strcpy((char *)body + 8, name);
	tag(3, body, 9 + strlen(name));
}

struct map {
	uint32_t entry_bytes, version;
	struct {
		uint64_t start, length;
		uint32_t type, reserved;
	} entry[100];
};
static struct map map;

static void tags_make(uint32_t regions)
{
	tags_bytes = 8;
	tag(1, "quiet only=x", 13);
	tag(4, &(uint32_t[2]){640, 65535}, 8); /* nobody's business */
	tag_module(0x200000, 0x201234, "demo");
	tag_module(0x300000, 0x300000, "a name that is much longer than there is room for");
	tag_module(0x300001, 0x300000, "backwards");
	map.entry_bytes = 24;
	for (uint32_t i = 0; i < regions; i++) {
		map.entry[i].start = (uint64_t)i << 32;
		map.entry[i].length = 0x100000 + i;
		map.entry[i].type = 1 + i % 2;
	}
	tag(6, &map, 8 + regions * 24);
	tag(0, NULL, 0);
}

TEST(multiboot_2_is_read)
{
	tags_make(3);
	CHECK(!read_record(MAGIC_2, tags));
	CHECK(!strcmp(record.command_line, "quiet only=x"));
	CHECK_EQUAL(record.module_count, 2);
	CHECK(!strcmp(record.modules[0].name, "demo"));
	CHECK_EQUAL(record.modules[0].start, 0x200000);
	CHECK_EQUAL(record.modules[0].bytes, 0x1234);
	CHECK_EQUAL(strlen(record.modules[1].name), sizeof(record.modules[1].name) - 1);
	CHECK_EQUAL(record.region_count, 3);
	CHECK_EQUAL(record.regions[2].start, 2ull << 32);
	CHECK_EQUAL(record.regions[2].bytes, 0x100002);
	CHECK_EQUAL(record.regions[2].type, 1);
}

TEST(more_than_there_is_room_for_is_left_out)
{
	tags_make(100);
	tags_bytes -= 8; /* the end */
	for (uint32_t i = 0; i < 50; i++)
		tag_module(i, i + 1, "m");
	tag(0, NULL, 0);
	CHECK(!read_record(MAGIC_2, tags));
	CHECK_EQUAL(record.region_count, BOOT_REGIONS_MAX);
	CHECK_EQUAL(record.module_count, BOOT_MODULES_MAX);
}

/* In a block of exactly the size that it says. */
static void read_damaged(const uint8_t *from, uint32_t bytes)
{
	uint8_t *copy = malloc(bytes);
	memcpy(copy, from, bytes);
	memcpy(copy, &bytes, 4);
	read_record(MAGIC_2, copy);
	free(copy);
}

TEST(multiboot_2_truncated_or_damaged_at_every_byte)
{
	tags_make(3);
	for (uint32_t bytes = 8; bytes <= tags_bytes; bytes++)
		read_damaged(tags, bytes);
	for (uint32_t at = 8; at < tags_bytes; at++)
		for (uint32_t value = 0; value < 256; value++) {
			uint8_t was = tags[at];
			tags[at] = value;
			read_damaged(tags, tags_bytes);
			tags[at] = was;
		}
}

/* ---- multiboot 1 ----------------------------------------------------------------------------- */
static struct {
	uint32_t flags, memory[2], boot_device, command_line, module_count, modules, symbols[4],
		map_bytes;
	uint32_t map;
} information;
static struct {
	uint32_t start, end, name, reserved;
} modules[40];
static struct {
	uint32_t bytes;
	uint64_t start, length;
	uint32_t type;
} __attribute__((packed)) entries[4];

static void information_make(void)
{
	memset(&information, 0, sizeof(information));
	information.flags = 1u << 2 | 1u << 3 | 1u << 6;
	information.command_line = (uint32_t) "only=y";
	information.module_count = 2;
	information.modules = (uint32_t)modules;
	for (uint32_t i = 0; i < 40; i++) {
		modules[i].start = i << 20;
		modules[i].end = (i << 20) + 5;
		modules[i].name = i ? 0 : (uint32_t) "root";
	}
	information.map = (uint32_t)entries;
	information.map_bytes = sizeof(entries);
	for (uint32_t i = 0; i < 4; i++) {
		entries[i].bytes = 20;
		entries[i].start = i;
		entries[i].length = 7;
		entries[i].type = 1;
	}
}

TEST(multiboot_1_is_read)
{
	information_make();
	CHECK(!read_record(MAGIC_1, &information));
	CHECK(!strcmp(record.command_line, "only=y") && !strcmp(record.modules[0].name, "root"));
	CHECK(record.module_count == 2 && record.modules[1].start == 1 << 20);
	CHECK(record.modules[1].bytes == 5 && !record.modules[1].name[0]);
	CHECK(record.region_count == 4 && record.regions[3].start == 3);
	information.module_count = 40;
	CHECK(!read_record(MAGIC_1, &information));
	CHECK_EQUAL(record.module_count, BOOT_MODULES_MAX);
}

TEST(multiboot_1_with_a_damaged_map)
{
	static const uint32_t sizes[] = {0,          1,          19,         21,        77,
					 0x7FFFFFFF, 0xFFFFFFFB, 0xFFFFFFFC, 0xFFFFFFFF};
	information_make();
	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		entries[1].bytes = sizes[i];
		CHECK(!read_record(MAGIC_1, &information));
		CHECK(record.region_count >= 2 && record.region_count <= 3);
	}
	information_make();
	for (uint32_t bytes = 0; bytes < sizeof(entries); bytes++) {
		information.map_bytes = bytes;
		read_record(MAGIC_1, &information);
		CHECK_EQUAL(record.region_count, bytes / sizeof(entries[0]));
	}
}

TEST(what_boot_can_not_do_without)
{
	information_make();
	CHECK(strstr(read_record(0, &information), "neither"));
	information.flags = 1u << 3;
	CHECK(strstr(read_record(MAGIC_1, &information), "no memory map"));
	information.flags = 1u << 6;
	CHECK(strstr(read_record(MAGIC_1, &information), "no root program"));
	tags_bytes = 8;
	tag(0, NULL, 0);
	CHECK(strstr(read_record(MAGIC_2, tags), "no memory map"));
}
