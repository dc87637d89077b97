/* SPDX-License-Identifier: MIT */
/* The memory service: made of a module, told which frames are its, and given the authority; and
 * allocators over it. */
#include "allocator/allocator.h"
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

/* Runs its main once, with this argument. */
static void start(struct domain *domain, uint32_t argument)
{
	struct thread starter;
	thread_make(&starter, domain->name, domain);
	thread_go(&starter, domain->entry, 0, argument);
	if (thread_run(&starter) != DISPATCH_ENDED)
		root_fail("a service did not start", 0);
	thread_end(&starter);
}

void memory_begin(struct domain *memory, uint32_t first, uint32_t end)
{
	uint32_t managed = first + memory_descriptor_frames(end);
	domain_make(memory, "memory", 0);
	domain_load(memory, "memory");
	memory_maps(memory);
	domain_give(memory, MEMORY_SLOT_AUTHORITY, ROOT_AUTHORITY);
	domain_give(memory, MEMORY_SLOT_DOMAIN, memory->object.slot);
	*(struct memory_start *)frame_pointer(first) =
		(struct memory_start){managed, end, boot_record->template_frame};
	start(memory, first);
}

void allocator_make(struct domain *allocator, const char *name, uint32_t extent, uint32_t argument)
{
	uint32_t narrow = slot_take();
	domain_make(allocator, name, 0);
	domain_load(allocator, name);
	MUST(kernel_narrow(slot(narrow), slot(allocator->object.slot), RIGHT_DOOR, 0));
	domain_give(allocator, ALLOCATOR_SLOT_DOMAIN, narrow);
	domain_give(allocator, ALLOCATOR_SLOT_EXTENT, extent);
	slot_give(narrow);
	start(allocator, argument);
}
