/* SPDX-License-Identifier: MIT */
#include "program.h"

#include "abi.h"
#include "elf.h"

const char *program_read(struct program *program, const void *file, uint32_t bytes)
{
	const char *wrong = elf_check(file, bytes, IMAGE_BASE, WINDOW_TABLE);
	if (wrong)
		return wrong;
	*program = (struct program){
		.entry = ((const struct elf_header *)file)->entry,
		.service_entry = elf_symbol_named(file, bytes, "service_entry_own"),
		.service_answer = elf_symbol_named(file, bytes, "service_answer"),
		.fault_entry = elf_symbol_named(file, bytes, "pager_entry"),
		.section_start = elf_symbol_named(file, bytes, "section_start"),
		.section_end = elf_symbol_named(file, bytes, "section_end"),
		.memory_self = elf_symbol_named(file, bytes, "memory_self"),
	};
	if (!program->service_entry)
		program->service_entry = elf_symbol_named(file, bytes, "service_entry");
	if (!program->fault_entry)
		program->fault_entry = elf_symbol_named(file, bytes, "fault_entry");
	return NULL;
}

static uint32_t segment_load(const uint8_t *file, const struct elf_segment *segment,
			     program_page *page, void *domain, uint32_t ok)
{
	uint32_t result = ok;
	for (uint32_t done = 0; done < segment->memory_bytes && result == ok; done += PAGE_BYTES) {
		uint32_t bytes = 0;
		if (done < segment->file_bytes)
			bytes = segment->file_bytes - done < PAGE_BYTES ? segment->file_bytes - done
									: PAGE_BYTES;
		result = page(domain, segment->address + done, segment->flags & ELF_WRITE,
			      file + segment->at + done, bytes);
	}
	return result;
}

uint32_t program_load(const void *file, program_page *page, void *domain, uint32_t ok)
{
	const struct elf_header *header = file;
	const struct elf_segment *segment = elf_segments(file);
	uint32_t result = ok;
	for (uint32_t i = 0; i < header->segments && result == ok; i++)
		if (segment[i].type == ELF_LOAD)
			result = segment_load(file, &segment[i], page, domain, ok);
	return result;
}
