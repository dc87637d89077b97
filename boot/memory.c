/* SPDX-License-Identifier: MIT */
/* Frames for what boot makes, taken in order from managed memory, beside the modules. */
#include "boot.h"
#include "x86/x86.h"

#define OWN_END 0x400000u /* linker.ld: the kernel's own memory ends below */
#define DIRECT_END \
	((TSS_SLOT - 1 - (KERNEL_BASE >> 22)) << 22) /* two slots and the last one left out */
#define MANAGED_MIN 0x100000u

static struct boot_record *machine;
static uint32_t next;

static uint32_t module_over(uint32_t address)
{
	for (uint32_t i = 0; i < machine->module_count; i++) {
		uint32_t start = machine->modules[i].start & ~(PAGE_BYTES - 1);
		uint32_t end = machine->modules[i].start + machine->modules[i].bytes;
		if (address >= start && address < end)
			return (end + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	}
	return 0;
}

void *frame_take(void)
{
	while (next < machine->low_end_frame << 12) {
		uint32_t end = module_over(next), frame = next;
		next = end ? end : next + PAGE_BYTES;
		if (end || object_table[frame >> 12].page)
			continue;
		words_clear(direct(frame), PAGE_BYTES / 4);
		return direct(frame);
	}
	boot_refuse("too little memory", "", "");
}

uint32_t frames_taken_end(void)
{
	return next >> 12;
}

/* What lies in the kernel's own 4 MiB moves to where the root program can reach it. */
void modules_move(struct boot_record *record)
{
	for (uint32_t i = 0; i < record->module_count; i++) {
		struct boot_module *module = &record->modules[i];
		if (module->start >= OWN_END)
			continue;
		uint32_t from = module->start, to = 0;
		for (uint32_t done = 0; done < module->bytes; done += PAGE_BYTES) {
			void *page = frame_take();
			if (done == 0)
				to = physical(page);
			else if (physical(page) != to + done)
				boot_refuse("a module does not fit into one piece of memory",
					    module->name, "");
			words_copy(page, direct(from + done), PAGE_BYTES / 4);
		}
		module->start = to;
	}
}

/* The object table knows what is no memory: below low_end_frame every frame is one or reserved. */
static void holes_mark(void)
{
	for (uint32_t frame = 0; frame < OWN_END >> 12; frame++)
		object_table[frame].page = OBJECT_RESERVED;
	uint32_t frame = OWN_END >> 12;
	while (frame < machine->low_end_frame) {
		uint64_t end = 0; /* of the memory around `frame` */
		for (uint32_t i = 0; i < machine->region_count; i++) {
			const struct boot_region *region = &machine->regions[i];
			uint64_t address = (uint64_t)frame << 12;
			if (region->type == 1 && address >= region->start &&
			    address + PAGE_BYTES <= region->start + region->bytes)
				end = (region->start + region->bytes) >> 12;
		}
		if (end)
			frame = end;
		else
			object_table[frame++].page = OBJECT_RESERVED;
	}
	/* what overlaps with memory and is something else */
	uint64_t end = (uint64_t)machine->low_end_frame << 12;
	for (const struct boot_region *r = machine->regions;
	     r < machine->regions + machine->region_count; r++)
		for (uint64_t at = r->start < OWN_END ? OWN_END : r->start & ~(PAGE_BYTES - 1ull);
		     r->type != 1 && at < r->start + r->bytes && at < end; at += PAGE_BYTES)
			object_table[at >> 12].page = OBJECT_RESERVED;
}

void memory_start(struct boot_record *record)
{
	uint64_t low = 0, high = 0;
	machine = record;
	for (uint32_t i = 0; i < record->region_count; i++) {
		const struct boot_region *region = &record->regions[i];
		uint64_t end = region->start + region->bytes;
		if (region->type != 1)
			continue;
		if (end > high)
			high = end;
		if (region->start < DIRECT_END && end > low)
			low = end < DIRECT_END ? end : DIRECT_END;
	}
	if (low < OWN_END + MANAGED_MIN)
		boot_refuse("too little memory: it must reach to 5 MiB at least", "", "");
	uint32_t room = WINDOW_TABLE - LINEAR_BASE;
	uint64_t linear = high < room ? (high + 0x3FFFFF) & ~0x3FFFFFull : room;
	record->linear_end = linear;
	record->kernel_end_frame = OWN_END >> 12;
	record->low_end_frame = low_end_frame = low >> 12;
	next = OWN_END;
	holes_mark();
	if (high > linear)
		console_print("memory left unused above the linear map, MiB: %u\n",
			      (uint32_t)((high - linear) >> 20));
}
