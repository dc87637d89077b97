/* SPDX-License-Identifier: MIT */
/*
 * Loading an ELF program into a domain, for libs/root and libs/memory: they differ in how a page
 * comes to be.
 */
#ifndef NOUS_PROGRAM_H
#define NOUS_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

/* What a builder wants of a program; 0: it has no such symbol. */
struct program {
	uint32_t entry, service_entry, service_answer, fault_entry;
	uint32_t section_start, section_end; /* libs/lock */
	uint32_t memory_self;                /* libs/memory */
};
/* NULL, or what is wrong with the file, in words. */
const char *program_read(struct program *program, const void *file, uint32_t bytes);

/* A fresh page that begins with `bytes` of content. What it returns other than `ok` ends the
 * loading. */
typedef uint32_t program_page(void *domain, uint32_t address, _Bool writable, const void *content,
			      uint32_t bytes);
/* All pages of a program that program_read found right. */
uint32_t program_load(const void *file, program_page *page, void *domain, uint32_t ok);

#endif
