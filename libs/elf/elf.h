/* SPDX-License-Identifier: MIT */
/*
 * Reading a 32-bit x86 ELF program from memory ("Tool Interface Standard (TIS) Executable and
 * Linking Format", 1995). Used by boot for the root program and by libs/root for all others. The
 * file is not trusted: everything that is read later lies within it once elf_check has passed.
 */
#ifndef NOUS_ELF_H
#define NOUS_ELF_H

#include <stddef.h>
#include <stdint.h>

struct elf_header {
	uint8_t identification[16];
	uint16_t type, machine;
	uint32_t version, entry, segments_at, sections_at, flags;
	uint16_t header_bytes, segment_bytes, segments, section_bytes, sections, names_section;
};
struct elf_segment {
	uint32_t type, at, address, physical, file_bytes, memory_bytes, flags, align;
};
struct elf_section {
	uint32_t name, type, flags, address, at, bytes, link, info, align, entry_bytes;
};
struct elf_symbol {
	uint32_t name, value, bytes;
	uint8_t info, other;
	uint16_t section;
};
_Static_assert(sizeof(struct elf_header) == 52, "TIS ELF 1.2, ELF header");
_Static_assert(sizeof(struct elf_segment) == 32, "TIS ELF 1.2, program header");
#define ELF_LOAD         1u
#define ELF_EXECUTE      1u
#define ELF_WRITE        2u
#define ELF_SYMBOLS      2u
#define ELF_SEGMENTS_MAX 16u

static inline const struct elf_segment *elf_segments(const void *file)
{
	const struct elf_header *header = file;
	return (const struct elf_segment *)((const uint8_t *)file + header->segments_at);
}

/* Null if the program can be loaded into [low, high), else what is wrong with it. */
static inline const char *elf_check(const void *file, uint32_t bytes, uint32_t low, uint32_t high)
{
	const struct elf_header *header = file;
	if (bytes < sizeof(*header) || *(const uint32_t *)file != 0x464C457F)
		return "it is no ELF file";
	if (header->identification[4] != 1 || header->identification[5] != 1 ||
	    header->machine != 3 || header->type != 2)
		return "it is no 32-bit x86 program";
	if (header->segment_bytes != sizeof(struct elf_segment) ||
	    header->segments > ELF_SEGMENTS_MAX || header->segments_at > bytes ||
	    header->segments_at % 4 ||
	    bytes - header->segments_at < header->segments * sizeof(struct elf_segment))
		return "its program headers lie outside the file";
	const struct elf_segment *segment = elf_segments(file);
	uint32_t entry_found = 0;
	for (uint32_t i = 0; i < header->segments; i++, segment++) {
		if (segment->type != ELF_LOAD || !segment->memory_bytes)
			continue;
		if (segment->at > bytes || bytes - segment->at < segment->file_bytes ||
		    segment->file_bytes > segment->memory_bytes)
			return "a segment lies outside the file";
		if (segment->address < low || segment->address >= high ||
		    high - segment->address < segment->memory_bytes || segment->address & 4095)
			return "a segment lies outside the memory for programs";
		if (segment->flags & ELF_EXECUTE &&
		    header->entry - segment->address < segment->memory_bytes)
			entry_found = 1;
	}
	return entry_found ? NULL : "its entry lies in no segment";
}

/* The segment of a program that elf_check found right in which an address lies; null: in none. */
static inline const struct elf_segment *elf_segment_at(const void *file, uint32_t address)
{
	const struct elf_segment *segment = elf_segments(file);
	for (uint32_t i = 0; i < ((const struct elf_header *)file)->segments; i++)
		if (segment[i].type == ELF_LOAD &&
		    address - segment[i].address < segment[i].memory_bytes)
			return &segment[i];
	return NULL;
}

/* Could a call have left this address on a stack: does it stand behind one? *target: what was
 * called, of the program's own text; 0: by a register or a word of memory, FF /2. */
static inline int elf_follows_call(const void *file, uint32_t address, uint32_t *target)
{
	const struct elf_segment *text = elf_segment_at(file, address - 1);
	if (!text || !(text->flags & ELF_EXECUTE) || address - text->address < 7 ||
	    address - text->address > text->file_bytes)
		return 0;
	const uint8_t *code = (const uint8_t *)file + text->at + (address - text->address);
	*target = address + (code[-4] | code[-3] << 8 | code[-2] << 16 | code[-1] * 0x1000000u);
	if (code[-5] == 0xE8 && *target - text->address < text->file_bytes)
		return 1;
	*target = 0;
	return (code[-2] == 0xFF && (code[-1] & 0xF8) == 0xD0) ||
	       (code[-3] == 0xFF && (code[-2] & 0x38) == 0x10) ||
	       (code[-6] == 0xFF && (code[-5] & 0x38) == 0x10) ||
	       (code[-7] == 0xFF && (code[-6] & 0x38) == 0x10);
}

/* A table of symbols with its names, all of it within the file. */
struct elf_symbols {
	const struct elf_symbol *symbol;
	uint32_t count;
	const char *names;
	uint32_t names_bytes; /* the last one is 0 */
};

/* The first such table in sections *section and above; *section is the one behind it. */
static inline int elf_symbols_next(const void *file, uint32_t bytes, uint32_t *section,
				   struct elf_symbols *found)
{
	const struct elf_header *header = file;
	const uint8_t *base = file;
	if (bytes < sizeof(*header) || header->sections_at > bytes || header->sections_at % 4 ||
	    bytes - header->sections_at < header->sections * sizeof(struct elf_section))
		return 0;
	const struct elf_section *all = (const void *)(base + header->sections_at);
	while (*section < header->sections) {
		const struct elf_section *table = &all[(*section)++];
		if (table->type != ELF_SYMBOLS || table->link >= header->sections ||
		    table->at > bytes || bytes - table->at < table->bytes || table->at % 4)
			continue;
		const struct elf_section *names = &all[table->link];
		if (names->at > bytes || bytes - names->at < names->bytes || !names->bytes ||
		    base[names->at + names->bytes - 1])
			continue;
		*found = (struct elf_symbols){(const void *)(base + table->at),
					      table->bytes / sizeof(struct elf_symbol),
					      (const char *)base + names->at, names->bytes};
		return 1;
	}
	return 0;
}

/* The function that holds an address, from the file's symbol table; null if it has none. */
static inline const char *elf_symbol_at(const void *file, uint32_t bytes, uint32_t address,
					uint32_t *offset)
{
	struct elf_symbols table;
	const char *best = NULL;
	for (uint32_t section = 0; elf_symbols_next(file, bytes, &section, &table);)
		for (uint32_t s = 0; s < table.count; s++) {
			const struct elf_symbol *symbol = &table.symbol[s];
			if (symbol->value && symbol->value <= address &&
			    symbol->name < table.names_bytes &&
			    (!best || address - symbol->value < *offset)) {
				best = table.names + symbol->name;
				*offset = address - symbol->value;
			}
		}
	return best;
}

/* The address that a name stands for; 0 if the file has no such symbol. */
static inline uint32_t elf_symbol_named(const void *file, uint32_t bytes, const char *name)
{
	struct elf_symbols table;
	for (uint32_t section = 0; elf_symbols_next(file, bytes, &section, &table);)
		for (uint32_t s = 0; s < table.count; s++)
			if (table.symbol[s].name < table.names_bytes &&
			    !__builtin_strcmp(table.names + table.symbol[s].name, name))
				return table.symbol[s].value;
	return 0;
}

#endif
