/* SPDX-License-Identifier: MIT */
/* Address spaces and programs: page tables are written here, in user mode, through the linear map.
 */
#include "elf/program.h"
#include "maker.h"

#define TABLE_ENTRY 7u  /* present, writable, user */
#define DOMAINS_MAX 64u /* root.h: domain_known */

static struct domain *known[DOMAINS_MAX];
struct domain root_domain = {.name = "root"};

struct domain *domain_by_index(uint32_t index)
{
	for (uint32_t i = 0; i < DOMAINS_MAX; i++)
		if (known[i] && known[i]->object.frame == index)
			return known[i];
	return index == boot_record->root_domain ? &root_domain : NULL;
}

struct domain *domain_known(uint32_t number)
{
	if (number)
		return number <= DOMAINS_MAX ? known[number - 1] : NULL;
	return &root_domain;
}

static void own_make(struct domain *domain, uint32_t confidential)
{
	domain->directory_frame = frame_take();
	memcpy(frame_pointer(domain->directory_frame), frame_pointer(boot_record->template_frame),
	       PAGE_BYTES);
	MUST(kernel_create(AUTHORITY, OBJECT_DIRECTORY, 0, domain->directory_frame,
			   object_generation(domain->directory_frame), 0));
	domain->object = object_make(OBJECT_DOMAIN, confidential, domain->directory_frame);
}

void domain_make(struct domain *domain, const char *name, uint32_t confidential)
{
	*domain = (struct domain){.name = name};
	(root_maker ? root_maker->domain_make : own_make)(domain, confidential);
	for (uint32_t i = 0; i < DOMAINS_MAX; i++)
		if (!known[i]) {
			known[i] = domain;
			break;
		}
}

static uint32_t *directory_of(const struct domain *domain)
{
	return frame_pointer(domain->directory_frame);
}

/* By their frames: the processor marks as accessed in one of both only (SDM 3, 4.8). */
static _Bool is_shared(const struct domain *domain, uint32_t entry)
{
	const uint32_t *own = frame_pointer(boot_record->root_directory_frame);
	return directory_of(domain)[entry] >> 12 == own[entry] >> 12;
}

static void own_end(struct domain *domain)
{
	uint32_t *directory = directory_of(domain);
	object_end(domain->object);
	if (domain->lock.frame) {
		domain_unmap(domain, LOCK_PAGE);
		object_end(domain->lock);
	}
	for (uint32_t i = 0; i < LENDABLE_ENTRIES; i++) {
		if (!directory[i] || is_shared(domain, i))
			continue;
		uint32_t table = directory[i] >> 12, *entries = frame_pointer(table);
		for (uint32_t page = 0; page < 1024; page++)
			if (entries[page])
				frame_give(entries[page] >> 12);
		object_end((struct object){table, 0});
	}
	frame_give(domain->directory_frame);
}

void domain_end(struct domain *domain)
{
	(root_maker ? root_maker->domain_end : own_end)(domain);
	for (uint32_t i = 0; i < DOMAINS_MAX; i++)
		if (known[i] == domain)
			known[i] = NULL;
}

uint32_t domain_table(struct domain *domain, uint32_t address)
{
	uint32_t *entry = &directory_of(domain)[address >> 22];
	if (!*entry) {
		uint32_t frame = frame_take();
		MUST(kernel_create(AUTHORITY, OBJECT_TABLE, 0, frame, object_generation(frame), 0));
		*entry = frame << 12 | TABLE_ENTRY;
	}
	return *entry >> 12;
}

void domain_map(struct domain *domain, uint32_t address, uint32_t frame, uint32_t flags)
{
	uint32_t *table = frame_pointer(domain_table(domain, address));
	table[address >> 12 & 1023] = frame << 12 | flags;
}

void domain_unmap(struct domain *domain, uint32_t address)
{
	uint32_t *table = frame_pointer(domain_table(domain, address));
	table[address >> 12 & 1023] = 0;
}

static uint32_t page_make(struct domain *domain, uint32_t address, const void *content,
			  uint32_t bytes)
{
	if (root_maker)
		return root_maker->domain_page(domain, address, content, bytes);
	uint32_t frame = frame_take();
	memcpy(frame_pointer(frame), content, bytes);
	domain_map(domain, address, frame, PAGE_USER | PAGE_WRITE);
	return frame;
}

uint32_t domain_page(struct domain *domain, uint32_t address)
{
	return page_make(domain, address, "", 0);
}

void domain_fill(struct domain *domain, uint32_t address, const void *content, uint32_t bytes)
{
	page_make(domain, address, content, bytes);
}

void *domain_share(struct domain *domain, uint32_t address)
{
	if (root_maker)
		return root_maker->domain_share(domain, address);
	uint32_t frame = frame_take();
	domain_map(domain, address, frame, PAGE_USER);
	return frame_pointer(frame);
}

void domain_entries(struct domain *domain, uint32_t entry, uint32_t fault)
{
	domain->answer = 0;
	MUST(kernel_domain_set(slot(domain->object.slot), DOMAIN_ENTRY, entry));
	MUST(kernel_domain_set(slot(domain->object.slot), DOMAIN_FAULT_ENTRY, fault));
}

void domain_section(struct domain *domain, uint32_t start, uint32_t end)
{
	slot_t control = slot(domain->object.slot);
	domain->lock = object_make(OBJECT_LOCK_PAGE, 0, 0);
	domain_map(domain, LOCK_PAGE, domain->lock.frame, PAGE_USER | PAGE_WRITE);
	MUST(kernel_domain_attach(control, 0, slot(domain->lock.slot)));
	MUST(kernel_domain_set(control, DOMAIN_SECTION_START, start));
	MUST(kernel_domain_set(control, DOMAIN_SECTION_BYTES, end - start));
}

volatile struct lock_page *domain_lock(const struct domain *domain)
{
	return frame_pointer(domain->lock.frame);
}

const struct boot_module *module_find(const char *name)
{
	for (uint32_t i = 0; i < boot_record->module_count; i++)
		if (!strcmp(boot_record->modules[i].name, name))
			return &boot_record->modules[i];
	return NULL;
}

const void *module_file(const struct boot_module *module)
{
	return (const void *)(LINEAR_BASE + module->start);
}

static uint32_t load_page(void *domain, uint32_t address, _Bool writable, const void *content,
			  uint32_t bytes)
{
	uint32_t frame = frame_take();
	memcpy(frame_pointer(frame), content, bytes);
	domain_map(domain, address, frame, PAGE_USER | (writable ? PAGE_WRITE : 0));
	return 0;
}

static _Noreturn void load_fail(const char *name, const char *wrong)
{
	char sentence[120];
	format(sentence, sizeof(sentence), "%s: %s", name, wrong);
	root_fail(sentence, 0);
}

static void own_load(struct domain *domain, const struct program *program)
{
	program_load(domain->file, load_page, domain, 0);
	domain_entries(domain, program->service_entry, program->fault_entry);
	if (program->section_start)
		domain_section(domain, program->section_start, program->section_end);
}

void domain_load(struct domain *domain, const char *name)
{
	const struct boot_module *module = module_find(name);
	if (!module) {
		load_fail(name, "the boot menu's entry does not load it");
		return; /* not reached, but cppcheck does not know */
	}
	struct program program;
	domain->file = module_file(module);
	domain->file_bytes = module->bytes;
	const char *wrong = program_read(&program, domain->file, module->bytes);
	if (wrong)
		load_fail(name, wrong);
	domain->entry = program.entry;
	if (root_maker)
		root_maker->domain_load(domain);
	else
		own_load(domain, &program);
	domain->answer = program.service_answer;
	if (domain != &serial_domain) /* who would say it? */
		fault_door_give(domain);
}

void domain_share_image(struct domain *domain)
{
	const uint32_t *own = frame_pointer(boot_record->root_directory_frame);
	directory_of(domain)[IMAGE_BASE >> 22] = own[IMAGE_BASE >> 22];
	domain->file = root_domain.file;
	domain->file_bytes = root_domain.file_bytes;
}

struct object bitmap_make(void)
{
	uint32_t first = frame_take(), second = frame_take(), odd = 0;
	while (second != first + 1) { /* two in a row; the odd ones are linked and given back */
		*(uint32_t *)frame_pointer(first) = odd;
		odd = first;
		first = second;
		second = frame_take();
	}
	while (odd) {
		uint32_t next = *(uint32_t *)frame_pointer(odd);
		frame_give(odd);
		odd = next;
	}
	memset(frame_pointer(first), 0xFF, 2 * PAGE_BYTES);
	for (uint32_t i = 0; i < 2; i++)
		MUST(kernel_create(AUTHORITY, OBJECT_BITMAP_PAGE, 0, first + i,
				   object_generation(first + i), 0));
	return object_make(OBJECT_BITMAP, 0, first);
}

void bitmap_end(struct object bitmap)
{
	const uint32_t *table = frame_pointer(bitmap.frame);
	uint32_t first = table[1] >> 12;
	object_end(bitmap);
	frame_give(first + 1); /* taken in this order again: frame_take pops */
	frame_give(first);
}

struct object domain_ports(struct domain *domain, struct object bitmap, uint32_t first,
			   uint32_t last)
{
	if (!bitmap.frame) {
		bitmap = bitmap_make();
		MUST(kernel_domain_attach(slot(domain->object.slot), 0, slot(bitmap.slot)));
	}
	uint32_t ports = slot_take();
	MUST(kernel_narrow(slot(ports), slot(ROOT_PORTS), RIGHTS_ALL, first | last << 16));
	MUST(kernel_bitmap_allow(slot(bitmap.slot), slot(ports)));
	slot_give(ports);
	return bitmap;
}

uint32_t domain_door(struct domain *domain, uint64_t badge)
{
	uint32_t number = slot_take();
	MUST(kernel_door(slot(domain->object.slot), slot(number), badge));
	return number;
}

void domain_give(struct domain *domain, uint32_t there, uint32_t from_slot)
{
	MUST(kernel_grant(slot(domain->object.slot), slot(there), slot(from_slot)));
}
