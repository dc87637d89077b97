/* SPDX-License-Identifier: MIT */
/* What the loader says: "Multiboot Specification" 0.6.96, "Multiboot2 Specification" 2.0. */
#include "boot.h"

#define MAGIC_1           0x2BADB002u
#define MAGIC_2           0x36D76289u
#define FLAG_COMMAND_LINE (1u << 2)
#define FLAG_MODULES      (1u << 3)
#define FLAG_MEMORY_MAP   (1u << 6)

struct information_1 {
	uint32_t flags, memory_low, memory_high, boot_device, command_line, module_count, modules;
	uint32_t symbols[4], map_bytes, map;
};
struct module_1 {
	uint32_t start, end, name, reserved;
};
struct map_entry_1 {
	uint32_t bytes; /* of what follows */
	uint64_t start, length;
	uint32_t type;
} __attribute__((packed));

struct tag {
	uint32_t type, bytes;
};
struct tag_module {
	struct tag tag;
	uint32_t start, end;
	char name[];
};
struct tag_map {
	struct tag tag;
	uint32_t entry_bytes, version;
};
struct map_entry_2 {
	uint64_t start, length;
	uint32_t type, reserved;
};
enum tag_type { TAG_END = 0, TAG_COMMAND_LINE = 1, TAG_MODULE = 3, TAG_MAP = 6 };

/* At most `there` characters, and as many as there is room for. */
static void text_copy(char *to, uint32_t room, const char *from, uint32_t there)
{
	uint32_t i = 0;
	for (; from && i < there && from[i] && i + 1 < room; i++)
		to[i] = from[i];
	to[i] = 0;
}

static void region_add(struct boot_record *record, uint64_t start, uint64_t bytes, uint32_t type)
{
	if (record->region_count < BOOT_REGIONS_MAX)
		record->regions[record->region_count++] =
			(struct boot_region){start, bytes, type, 0};
}

static void module_add(struct boot_record *record, uint32_t start, uint32_t end, const char *name,
		       uint32_t name_bytes)
{
	if (record->module_count == BOOT_MODULES_MAX || end < start)
		return;
	struct boot_module *module = &record->modules[record->module_count++];
	module->start = start;
	module->bytes = end - start;
	text_copy(module->name, sizeof(module->name), name, name_bytes);
}

static void read_1(const struct information_1 *information, struct boot_record *record)
{
	if (information->flags & FLAG_COMMAND_LINE)
		text_copy(record->command_line, sizeof(record->command_line),
			  (const char *)information->command_line, UINT32_MAX);
	const struct module_1 *module = (const struct module_1 *)information->modules;
	for (uint32_t i = 0; information->flags & FLAG_MODULES && i < information->module_count;
	     i++)
		module_add(record, module[i].start, module[i].end, (const char *)module[i].name,
			   UINT32_MAX);
	if (!(information->flags & FLAG_MEMORY_MAP))
		return;
	uint32_t at = information->map, left = information->map_bytes;
	while (left >= sizeof(struct map_entry_1)) {
		const struct map_entry_1 *entry = (const struct map_entry_1 *)at;
		region_add(record, entry->start, entry->length, entry->type);
		if (entry->bytes < sizeof(*entry) - 4 || entry->bytes > left - 4)
			return; /* damaged: what was read must do */
		at += entry->bytes + 4;
		left -= entry->bytes + 4;
	}
}

static void read_map(const struct tag_map *map, struct boot_record *record)
{
	const uint8_t *at = (const uint8_t *)(map + 1);
	if (map->tag.bytes < sizeof(*map) || map->entry_bytes < sizeof(struct map_entry_2))
		return;
	for (uint32_t left = map->tag.bytes - sizeof(*map); left >= map->entry_bytes;) {
		struct map_entry_2 entry;
		__builtin_memcpy(&entry, at, sizeof(entry));
		region_add(record, entry.start, entry.length, entry.type);
		at += map->entry_bytes;
		left -= map->entry_bytes;
	}
}

static void read_2(const uint8_t *information, struct boot_record *record)
{
	uint32_t total = *(const uint32_t *)information, at = 8;
	while (at < total && total - at >= sizeof(struct tag)) {
		const struct tag *tag = (const struct tag *)(information + at);
		if (tag->type == TAG_END || tag->bytes < sizeof(*tag) || tag->bytes > total - at)
			return;
		if (tag->type == TAG_COMMAND_LINE)
			text_copy(record->command_line, sizeof(record->command_line),
				  (const char *)(tag + 1), tag->bytes - sizeof(*tag));
		if (tag->type == TAG_MAP)
			read_map((const struct tag_map *)tag, record);
		if (tag->type == TAG_MODULE && tag->bytes >= sizeof(struct tag_module)) {
			const struct tag_module *module = (const struct tag_module *)tag;
			module_add(record, module->start, module->end, module->name,
				   tag->bytes - sizeof(*module));
		}
		at += (tag->bytes + 7) & ~7u;
	}
}

void loader_read(const struct boot_entry *entry, struct boot_record *record)
{
	if (entry->magic == MAGIC_1)
		read_1((const struct information_1 *)entry->information, record);
	else if (entry->magic == MAGIC_2)
		read_2((const uint8_t *)entry->information, record);
	else
		boot_refuse("the boot loader speaks neither multiboot 1 nor 2", "", "");
	if (!record->region_count)
		boot_refuse("the boot loader gave no memory map", "", "");
	if (!record->module_count)
		boot_refuse("there is no root program: the first module must be one", "", "");
}
