// sources: tests/host/machine/tap.c
/* SPDX-License-Identifier: MIT */
/* Reading ELF files: a small valid one, and damaged copies of it, each in a block of its size. */
#include <stdlib.h>
#include <string.h>

#include "elf.h"
#include "machine/tap.h"

#define LOW  0x00400000u
#define HIGH 0x0F000000u

static const struct valid {
	struct elf_header header;
	struct elf_segment segment[3];
	struct elf_section section[3];
	struct elf_symbol symbol[4];
	char names[16];
	uint8_t code[32], data[16];
} valid = {
	.header = {.identification = {0x7F, 'E', 'L', 'F', 1, 1, 1},
		   .type = 2,
		   .machine = 3,
		   .version = 1,
		   .entry = LOW + 4,
		   .segments_at = offsetof(struct valid, segment),
		   .sections_at = offsetof(struct valid, section),
		   .header_bytes = sizeof(struct elf_header),
		   .segment_bytes = sizeof(struct elf_segment),
		   .segments = 3,
		   .section_bytes = sizeof(struct elf_section),
		   .sections = 3},
	.segment = {{.type = ELF_LOAD,
		     .at = offsetof(struct valid, code),
		     .address = LOW,
		     .file_bytes = sizeof(valid.code),
		     .memory_bytes = sizeof(valid.code),
		     .flags = ELF_EXECUTE | 4},
		    {.type = ELF_LOAD,
		     .at = offsetof(struct valid, data),
		     .address = LOW + 0x1000,
		     .file_bytes = sizeof(valid.data),
		     .memory_bytes = 0x3000,
		     .flags = ELF_WRITE | 4},
		    {.type = 6, .at = 0xFFFFFFFF, .file_bytes = 0xFFFFFFFF}},
	.section = {{0},
		    {.type = ELF_SYMBOLS,
		     .at = offsetof(struct valid, symbol),
		     .bytes = sizeof(valid.symbol),
		     .link = 2},
		    {.type = 3, .at = offsetof(struct valid, names), .bytes = sizeof(valid.names)}},
	.symbol = {{0},
		   {.name = 1, .value = LOW + 4},
		   {.name = 7, .value = LOW + 16},
		   {.name = 14, .value = 0}},
	.names = "\0first\0second\0n",
};

/* A copy of exactly that many bytes: the sanitizer sees each byte beyond. */
static struct valid *copy_of(uint32_t bytes)
{
	void *copy = malloc(bytes ? bytes : 1);
	memcpy(copy, &valid, bytes);
	return copy;
}

/* What a loader goes on to read and write once the check has passed. */
static void load(const void *file, uint32_t bytes)
{
	const struct elf_segment *segment = elf_segments(file);
	static volatile uint8_t sink;
	for (uint32_t i = 0; i < ((const struct elf_header *)file)->segments; i++, segment++) {
		if (segment->type != ELF_LOAD || !segment->memory_bytes)
			continue;
		CHECK(segment->address >= LOW && segment->address % 4096 == 0);
		CHECK((uint64_t)segment->address + segment->memory_bytes <= HIGH);
		CHECK(segment->file_bytes <= segment->memory_bytes);
		CHECK((uint64_t)segment->at + segment->file_bytes <= bytes);
		for (uint32_t at = 0; at < segment->file_bytes; at++)
			sink = ((const uint8_t *)file)[segment->at + at];
	}
	(void)sink;
}

static bool read_all(const void *file, uint32_t bytes)
{
	static const uint32_t addresses[] = {0, LOW, LOW + 5, LOW + 17, 0x7FFFFFFF, 0xFFFFFFFF};
	const char *wrong = elf_check(file, bytes, LOW, HIGH);
	if (!wrong)
		load(file, bytes);
	for (uint32_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		uint32_t offset;
		const char *name = elf_symbol_at(file, bytes, addresses[i], &offset);
		if (name)
			CHECK(strlen(name) < bytes);
	}
	elf_symbol_named(file, bytes, "second");
	elf_symbol_named(file, bytes, "");
	return !wrong;
}

TEST(valid_file_is_accepted)
{
	uint32_t offset;
	CHECK(read_all(&valid, sizeof(valid)));
	CHECK(!strcmp(elf_symbol_at(&valid, sizeof(valid), LOW + 4, &offset), "first"));
	CHECK(!strcmp(elf_symbol_at(&valid, sizeof(valid), LOW + 15, &offset), "first") &&
	      offset == 11);
	CHECK(!strcmp(elf_symbol_at(&valid, sizeof(valid), LOW + 99, &offset), "second") &&
	      offset == 83);
	CHECK(!elf_symbol_at(&valid, sizeof(valid), LOW + 3, &offset));
	CHECK_EQUAL(elf_symbol_named(&valid, sizeof(valid), "second"), LOW + 16);
	CHECK_EQUAL(elf_symbol_named(&valid, sizeof(valid), "secon"), 0);
}

TEST(truncated_at_every_length)
{
	for (uint32_t bytes = 0; bytes < sizeof(valid); bytes++) {
		struct valid *copy = copy_of(bytes);
		CHECK(!read_all(copy, bytes)); /* its data are at the end */
		free(copy);
	}
}

TEST(every_byte_damaged)
{
	uint32_t accepted = 0;
	for (uint32_t at = 0; at < offsetof(struct valid, code); at++)
		for (uint32_t value = 0; value < 256; value++) {
			struct valid *copy = copy_of(sizeof(valid));
			((uint8_t *)copy)[at] = value;
			accepted += read_all(copy, sizeof(valid));
			free(copy);
		}
	CHECK(accepted);
}

TEST(words_damaged_in_pairs)
{
	static const uint32_t values[] = {
		0,          1,   4,        0x7FFFFFFF,    0x80000000,       0xFFFFFFFC,
		0xFFFFFFFF, LOW, HIGH - 1, sizeof(valid), sizeof(valid) - 1};
	for (uint32_t round = 0; round < 300000; round++) {
		struct valid *copy = copy_of(sizeof(valid));
		uint32_t bytes = random_below(4) ? sizeof(valid) : random_below(sizeof(valid));
		for (uint32_t i = 0; i < 2; i++)
			((uint32_t *)copy)[random_below(offsetof(struct valid, code) / 4)] =
				random_below(3) ? values[random_below(11)] : random_number();
		copy = realloc(copy, bytes ? bytes : 1);
		read_all(copy, bytes);
		free(copy);
	}
}

static bool accepts(struct valid *file)
{
	return read_all(file, sizeof(*file));
}

TEST(what_is_refused)
{
	struct valid file = valid;
	file.header.type = 3;
	CHECK(!accepts(&file));
	file = valid;
	file.header.machine = 62;
	CHECK(!accepts(&file));
	file = valid;
	file.header.entry = LOW + sizeof(valid.code);
	CHECK(!accepts(&file));
	file.header.entry = LOW + 0x1000; /* data: not to be executed */
	CHECK(!accepts(&file));
	file = valid;
	file.segment[0].address = LOW - 0x1000;
	CHECK(!accepts(&file));
	file.segment[0].address = LOW + 0x10;
	CHECK(!accepts(&file));
	file = valid;
	file.segment[1].address = HIGH - 0x2000;
	CHECK(!accepts(&file));
	file.segment[1].address = HIGH - 0x3000;
	CHECK(accepts(&file));
	file.segment[1].address = HIGH;
	CHECK(!accepts(&file));
	file = valid;
	file.segment[1].memory_bytes = sizeof(valid.data) - 1;
	CHECK(!accepts(&file));
	file.segment[1].memory_bytes = 0; /* nothing to load */
	CHECK(accepts(&file));
	file.segment[1].memory_bytes = 0xFFFFFFFF;
	CHECK(!accepts(&file));
	file = valid;
	file.header.segments = ELF_SEGMENTS_MAX + 1;
	CHECK(!accepts(&file));
}
