/* SPDX-License-Identifier: MIT */
/*
 * The root program gets the machine: a domain with the linear map of all managed memory, the frame
 * authority, all ports and lines. Objects are made by the same functions that the operations are.
 */
#include "boot.h"
#include "elf/elf.h"
#include "x86/x86.h"

static uint32_t frame_of(const void *page)
{
	return physical(page) >> 12;
}

static void object_create(const void *page, uint32_t kind, uint32_t second, uint32_t parameter)
{
	struct call_frame frame = {.word0 = kind << CREATE_KIND_SHIFT |
					    second << CREATE_SECOND_SHIFT,
				   .word1 = frame_of(page),
				   .word3 = parameter};
	ASSERT(authority_create(NULL, &frame) == 0);
}

static void fetch(uint32_t slot, const void *page)
{
	struct call_frame frame = {.word1 = frame_of(page), .word2 = slot};
	ASSERT(authority_fetch(NULL, &frame) == 0);
}

/* The page of the table that maps `address`, made when missing. */
static uint32_t *table_entry(uint32_t *directory, uint32_t address)
{
	uint32_t *entry = &directory[address >> 22];
	if (!*entry) {
		void *table = frame_take();
		object_create(table, OBJECT_TABLE, 0, 0);
		*entry = physical(table) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER;
	}
	return (uint32_t *)direct(*entry & ~(PAGE_BYTES - 1)) + (address >> 12 & 1023);
}

static void segment_load(uint32_t *directory, const uint8_t *file,
			 const struct elf_segment *segment)
{
	for (uint32_t done = 0; done < segment->memory_bytes; done += PAGE_BYTES) {
		uint8_t *page = frame_take();
		uint32_t bytes = done < segment->file_bytes ? segment->file_bytes - done : 0;
		if (bytes > PAGE_BYTES)
			bytes = PAGE_BYTES;
		words_copy(page, file + segment->at + done, bytes / 4);
		for (uint32_t i = bytes & ~3u; i < bytes; i++)
			page[i] = file[segment->at + done + i];
		*table_entry(directory, segment->address + done) =
			physical(page) | ENTRY_PRESENT | ENTRY_USER |
			(segment->flags & ELF_WRITE ? ENTRY_WRITE : 0);
	}
}

static void program_load(uint32_t *directory, const struct boot_module *module)
{
	const uint8_t *file = direct(module->start);
	if (module->start >= low_end_frame << 12)
		boot_refuse("the root program lies where the kernel can't reach it", module->name,
			    "");
	const char *wrong = elf_check(file, module->bytes, IMAGE_BASE, BOOT_RECORD);
	if (wrong)
		boot_refuse("the root program can't be loaded", module->name, wrong);
	const struct elf_segment *segment = elf_segments(file);
	for (uint32_t i = 0; i < ((const struct elf_header *)file)->segments; i++)
		if (segment[i].type == ELF_LOAD)
			segment_load(directory, file, &segment[i]);
}

static void statics_make(void)
{
	for (uint32_t i = OBJECT_IRQ_FIRST; i <= OBJECT_AUTHORITY; i++) {
		object_table[i].generation = 1;
		object_table[i].page = OBJECT_STATIC;
	}
}

static void list_fill(struct domain *domain, const void *domain_page, const void *thread)
{
	struct capability *list = domain->list;
	cpu.running_domain = domain;
	fetch(ROOT_DOMAIN, domain_page);
	fetch(ROOT_THREAD, thread);
	capability_make(&list[ROOT_AUTHORITY], CAPABILITY_AUTHORITY, RIGHTS_ALL,
			OBJECT_AUTHORITY << CAPABILITY_INDEX_SHIFT);
	capability_make(&list[ROOT_PORTS], CAPABILITY_PORTS, 0,
			OBJECT_PORTS << CAPABILITY_INDEX_SHIFT);
	list[ROOT_PORTS].badge_low = 0xFFFF0000; /* first 0, last 65535 */
	for (uint32_t line = 1; line < IRQ_LINES; line++)
		if (line != 2) /* the timer is the kernel's; 2 is the cascade */
			capability_make(&list[ROOT_IRQ_FIRST + line], CAPABILITY_IRQ, 0,
					(OBJECT_IRQ_FIRST + line) << CAPABILITY_INDEX_SHIFT);
}

static void directory_fill(uint32_t *directory, const uint32_t *template,
			   const struct boot_record *record)
{
	for (uint32_t i = 0; i < 1024; i++)
		directory[i] = template[i];
	for (uint32_t at = record->kernel_end_frame << 12; at < record->linear_end; at += 0x400000)
		directory[(LINEAR_BASE + at) >> 22] =
			at | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER | ENTRY_LARGE;
}

void root_start(struct boot_record *record)
{
	uint32_t *template = frame_take(), *directory = frame_take();
	void *data = frame_take(), *domain_page = frame_take(), *thread_page = frame_take();
	struct boot_record *copy = frame_take();
	const struct elf_header *header = direct(record->modules[0].start);

	statics_make();
	for (uint32_t i = WINDOW_TABLE >> 22; i < 1024; i++) /* not the map that boot runs in */
		template[i] = boot_directory[i];
	directory_fill(directory, template, record);
	object_create(directory, OBJECT_DIRECTORY, 0, 0);
	object_create(domain_page, OBJECT_DOMAIN, 0, frame_of(directory));
	object_create(thread_page, OBJECT_THREAD, frame_of(domain_page), frame_of(data));
	program_load(directory, &record->modules[0]);
	*table_entry(directory, BOOT_RECORD) = physical(copy) | ENTRY_PRESENT | ENTRY_USER;
	list_fill(domain_page, domain_page, thread_page);

	struct call_frame start = {.word1 = header->entry};
	struct capability *thread_capability = &((struct domain *)domain_page)->list[ROOT_THREAD];
	ASSERT(thread_start(thread_capability, &start) == 0);
	struct thread *thread = thread_page;
	thread->state = THREAD_IN_CHAIN;
	cpu.level[0].home = activation_at(thread, ACTIVATION_HOME);
	cpu.level[0].home[1].generation = HOME_DISPATCHES;
	cpu.deadline[0] = DEADLINE_NEVER;
	cpu.depth = 1;
	cpu.data_segment = USER_DATA;

	record->template_frame = frame_of(template);
	record->root_domain = frame_of(domain_page);
	record->root_directory_frame = frame_of(directory);
	record->root_thread = frame_of(thread_page);
	record->first_free_frame = frames_taken_end();
	*copy = *record;
	cpu.idle = cpu.lost = 0;
	cpu.start = cpu.stamp = cycles();
	thread_run();
}
