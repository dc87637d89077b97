/* SPDX-License-Identifier: MIT */
/* The memory service: made of a module, told which frames are its, and given the authority. */
#include "memory/memory.h"
#include "root.h"

uint32_t memory_descriptor_frames(uint32_t end)
{
	return (end * sizeof(struct memory_frame) + PAGE_BYTES - 1) / PAGE_BYTES;
}

/* Its linear map is root's; so is the boot record. */
static void memory_maps(struct domain *memory)
{
	const uint32_t *own = frame_pointer(boot_record->root_directory_frame);
	uint32_t *directory = frame_pointer(memory->directory_frame);
	for (uint32_t at = LINEAR_BASE >> 22; at < WINDOW_TABLE >> 22; at++)
		directory[at] = own[at];
	directory[BOOT_RECORD >> 22] = own[BOOT_RECORD >> 22];
}

void memory_begin(struct domain *memory, uint32_t first, uint32_t end)
{
	struct thread starter;
	uint32_t managed = first + memory_descriptor_frames(end);
	domain_make(memory, "memory", 0);
	domain_load(memory, "memory");
	memory_maps(memory);
	domain_give(memory, MEMORY_SLOT_AUTHORITY, ROOT_AUTHORITY);
	domain_give(memory, MEMORY_SLOT_DOMAIN, memory->object.slot);
	*(struct memory_start *)frame_pointer(first) =
		(struct memory_start){managed, end, boot_record->template_frame};
	thread_make(&starter, "memory's start", memory);
	thread_go(&starter, memory->entry, 0, first);
	if (thread_run(&starter) != DISPATCH_ENDED)
		root_fail("the memory service did not start", 0);
	thread_end(&starter);
}
