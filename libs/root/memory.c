/* SPDX-License-Identifier: MIT */
/* The memory service: made of a module, told which frames are its, and given the authority; and
 * allocators over it. */
#include "allocator/allocator.h"
#include "maker.h"
#include "pci/pci.h"

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

/* Its main, once, with this argument. */
static void starter_run(struct thread *starter, uint32_t argument)
{
	thread_go(starter, starter->home->entry, 0, argument);
	if (thread_run(starter) != DISPATCH_ENDED)
		root_fail("a service did not start", 0);
	thread_end(starter);
}

static void memory_make(struct domain *memory, uint32_t end, struct thread *starter)
{
	domain_make(memory, "memory", 0);
	domain_load(memory, "memory");
	memory_maps(memory);
	for (uint32_t i = 0; i < memory_descriptor_frames(end); i++)
		domain_table(memory, MEMORY_DESCRIPTORS + i * PAGE_BYTES);
	domain_give(memory, MEMORY_SLOT_AUTHORITY, ROOT_AUTHORITY);
	domain_give(memory, MEMORY_SLOT_DOMAIN, memory->object.slot);
	thread_make(starter, memory->name, memory);
}

/* directory: this program's own, or 0. */
static void memory_run(struct thread *starter, uint32_t first, uint32_t end, uint32_t directory)
{
	for (uint32_t i = 0; i < memory_descriptor_frames(end); i++)
		domain_map(starter->home, MEMORY_DESCRIPTORS + i * PAGE_BYTES, first + i,
			   PAGE_USER | PAGE_WRITE);
	*(struct memory_start *)frame_pointer(first) = (struct memory_start){
		first + memory_descriptor_frames(end), end, boot_record->template_frame, directory};
	starter_run(starter, 0);
}

void memory_begin(struct domain *memory, uint32_t first, uint32_t end)
{
	struct thread starter;
	memory_make(memory, end, &starter);
	memory_run(&starter, first, end, 0);
}

uint32_t memory_take_over(struct domain *memory, uint32_t end)
{
	struct thread starter;
	memory_make(memory, end, &starter);
	uint32_t first = frames_take(memory_descriptor_frames(end), 1); /* nothing is taken after */
	memory_run(&starter, first, end, boot_record->root_directory_frame);
	return first + memory_descriptor_frames(end);
}

void allocator_load(struct domain *allocator, const char *name, struct thread *starter)
{
	uint32_t narrow = slot_take();
	domain_make(allocator, name, 0);
	domain_load(allocator, name);
	MUST(kernel_narrow(slot(narrow), slot(allocator->object.slot), RIGHT_DOOR, 0));
	domain_give(allocator, ALLOCATOR_SLOT_DOMAIN, narrow);
	slot_give(narrow);
	thread_make(starter, allocator->name, allocator);
}

void allocator_start(struct thread *starter, uint32_t extent, uint32_t argument)
{
	domain_give(starter->home, ALLOCATOR_SLOT_EXTENT, extent);
	starter_run(starter, argument);
}

void allocator_make(struct domain *allocator, const char *name, uint32_t extent, uint32_t argument)
{
	struct thread starter;
	allocator_load(allocator, name, &starter);
	allocator_start(&starter, extent, argument);
}

uint32_t device_define(const uint32_t masters[2], uint32_t pci_extent, uint32_t index,
		       uint32_t rights, uint32_t to)
{
	uint32_t frame = PCI_EXTENT_FRAME(pci_extent), half = frame >> MEMORY_ORDER_MAX;
	return memory_define_device(slot(masters[half]), frame - (half << MEMORY_ORDER_MAX),
				    PCI_EXTENT_LOG2(pci_extent), rights, index, slot(to));
}

void memory_end(struct domain *memory, uint32_t end)
{
	for (uint32_t i = 0; i < memory_descriptor_frames(end); i++)
		domain_unmap(memory, MEMORY_DESCRIPTORS + i * PAGE_BYTES);
	domain_end(memory);
}
