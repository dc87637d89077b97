/* SPDX-License-Identifier: MIT */
/* Other domains, built through one page of the builder's space. */
#include "elf/program.h"
#include "memory_space.h"

/* ---- capabilities ---------------------------------------------------------------------------- */
/* The kernel's errors and the service's statuses are told apart by RETURN: 0 is the kernel's OK. */
static uint32_t of_kernel(uint32_t error)
{
	return error ? error : RETURN;
}

static uint32_t fetch(const struct child *child, uint32_t frame, uint32_t to)
{
	uint32_t scratch = child->builder->scratch;
	uint32_t result = memory_fetch(child->pool.extent, frame, slot(scratch), NULL);
	if (result != RETURN || to == scratch)
		return result;
	return of_kernel(kernel_move(slot(to), slot(scratch)));
}

static uint32_t forget(uint32_t number)
{
	uint32_t error = number ? kernel_delete(slot(number)) : 0;
	return of_kernel(error == ERROR_EMPTY ? 0 : error);
}

/* ---- the domain ------------------------------------------------------------------------------ */
uint32_t child_make(struct child *child, const struct builder *builder, uint32_t order,
		    uint32_t slot, uint32_t confidential)
{
	*child = (struct child){.builder = builder, .slot = slot};
	child->space.pool = &child->pool;
	uint32_t first, frames = 1u << order;
	if (order > CHILD_ORDER_MAX)
		return RETURN + SPACE_NO_FRAMES;
	uint32_t result = pool_reserve(builder->pool, frames, frames, &first);
	if (result != RETURN)
		return result;
	pool_begin(&child->pool, builder->pool->extent, first, frames, child->taken);
	result = pool_take(&child->pool, 1, 1, POOL_CLEAN, &child->control);
	if (result == RETURN)
		result = pool_take(&child->pool, 1, 1, OBJECT_DIRECTORY, &child->space.directory);
	if (result == RETURN)
		result = memory_create_domain(child->pool.extent, child->control,
					      child->space.directory, confidential, NULL);
	return result == RETURN ? fetch(child, child->control, slot) : result;
}

uint32_t child_end(struct child *child)
{
	uint32_t frames = child->pool.end - child->pool.first;
	uint32_t result = forget(child->slot);
	child->slot = 0;
	if (result != RETURN || !frames)
		return result;
	result = pool_give(child->builder->pool, child->pool.first, frames);
	if (result == RETURN)
		child->pool.end = child->pool.first;
	return result;
}

uint32_t child_entries(struct child *child, uint32_t entry, uint32_t fault)
{
	uint32_t error = kernel_domain_set(slot(child->slot), DOMAIN_ENTRY, entry);
	if (!error)
		error = kernel_domain_set(slot(child->slot), DOMAIN_FAULT_ENTRY, fault);
	return of_kernel(error);
}

/* ---- its pages ------------------------------------------------------------------------------- */
uint32_t child_write(struct child *child, uint32_t frame, uint32_t at, const void *content,
		     uint32_t bytes)
{
	const struct builder *builder = child->builder;
	uint32_t index = builder->window >> 12 & 1023;
	if (at > PAGE_BYTES || bytes > PAGE_BYTES - at)
		return RETURN + SPACE_BAD_ADDRESS;
	uint32_t result = memory_map(child->pool.extent, builder->window_table, index,
				     MEMORY_ENTRY_WRITE, frame, 1, NULL);
	if (result != RETURN)
		return result;
	memcpy((uint8_t *)(uintptr_t)builder->window + at, content, bytes);
	return memory_unmap(child->pool.extent, builder->window_table, index, 1);
}

uint32_t child_page(struct child *child, uint32_t address, uint32_t flags, const void *content,
		    uint32_t bytes, uint32_t *frame)
{
	uint32_t result = space_page(&child->space, address, flags, frame);
	if (result != RETURN || !bytes)
		return result;
	result = child_write(child, *frame, 0, content, bytes);
	if (result != RETURN && space_unmap(&child->space, address, 1) == RETURN)
		pool_give(&child->pool, *frame, 1);
	return result;
}

static uint32_t load_page(void *domain, uint32_t address, _Bool writable, const void *content,
			  uint32_t bytes)
{
	struct child *child = domain;
	uint32_t frame, result = child_page(child, address, writable ? MEMORY_ENTRY_WRITE : 0,
					    content, bytes, &frame);
	if (result == RETURN && child->self - address < PAGE_BYTES)
		child->self_frame = frame;
	return result;
}

/* A program with rollforward sections (libs/lock) has a lock page. */
static uint32_t load_lock(struct child *child, uint32_t start, uint32_t end)
{
	slot_t control = slot(child->slot);
	uint32_t frame, scratch = child->builder->scratch;
	uint32_t result = pool_take(&child->pool, 1, 1, OBJECT_LOCK_PAGE, &frame);
	if (result == RETURN)
		result = space_map(&child->space, LOCK_PAGE, frame, 1, MEMORY_ENTRY_WRITE);
	if (result == RETURN)
		result = fetch(child, frame, scratch);
	if (result != RETURN)
		return result;
	uint32_t error = kernel_domain_attach(control, 0, slot(scratch));
	forget(scratch);
	if (!error)
		error = kernel_domain_set(control, DOMAIN_SECTION_START, start);
	if (!error)
		error = kernel_domain_set(control, DOMAIN_SECTION_BYTES, end - start);
	return of_kernel(error);
}

uint32_t child_load(struct child *child, const void *file, uint32_t bytes)
{
	struct program program;
	if (program_read(&program, file, bytes))
		return RETURN + SPACE_BAD_PROGRAM;
	child->self = program.memory_self;
	uint32_t result = program_load(file, load_page, child, RETURN);
	if (result != RETURN)
		return result;
	child->entry = program.entry;
	child->service_answer = program.service_answer;
	if (program.section_start)
		result = load_lock(child, program.section_start, program.section_end);
	if (result != RETURN)
		return result;
	return child_entries(child, program.service_entry, program.fault_entry);
}

/* ---- its objects ----------------------------------------------------------------------------- */
uint32_t child_object_end(struct child *child, uint32_t slot, uint32_t frame, uint32_t frames)
{
	uint32_t result = forget(slot);
	return result == RETURN ? pool_give(&child->pool, frame, frames) : result;
}

uint32_t child_object(struct child *child, uint32_t kind, uint32_t slot, uint32_t *frame)
{
	uint32_t result = pool_take(&child->pool, 1, 1, kind, frame);
	if (result != RETURN)
		return result;
	result = fetch(child, *frame, slot);
	if (result != RETURN)
		child_object_end(child, slot, *frame, 1);
	return result;
}

uint32_t child_thread(struct child *child, uint32_t slot, uint32_t *frame)
{
	uint32_t result = pool_take(&child->pool, 2, 1, POOL_CLEAN, frame);
	if (result != RETURN)
		return result;
	result = memory_create_thread(child->pool.extent, *frame, child->control, NULL);
	if (result == RETURN)
		result = fetch(child, *frame, slot);
	if (result != RETURN)
		child_object_end(child, slot, *frame, 2);
	return result;
}

/* ---- its own extent -------------------------------------------------------------------------- */
static uint32_t tell_self(struct child *child, uint32_t there)
{
	struct memory_self self = {.extent = there,
				   .frames = child->pool.end - child->pool.first,
				   .control = child->control - child->pool.first,
				   .directory = child->space.directory - child->pool.first,
				   .count = child->space.count};
	for (uint32_t frame = child->pool.first; frame < child->pool.end; frame++)
		if (pool_is_taken(&child->pool, frame))
			self.next = frame + 1 - child->pool.first;
	for (uint32_t i = 0; i < self.count; i++)
		self.tables[i] = child->space.tables[i] - (child->pool.first << 12);
	return child_write(child, child->self_frame, child->self % PAGE_BYTES, &self, sizeof(self));
}

uint32_t child_own(struct child *child, uint32_t there)
{
	uint32_t scratch = child->builder->scratch, order = 0;
	while (1u << order < child->pool.end - child->pool.first)
		order++;
	uint32_t result = child->self ? tell_self(child, there) : RETURN;
	if (result == RETURN)
		result = memory_split(child->pool.extent, child->pool.first, order, MEMORY_RIGHTS,
				      slot(scratch));
	if (result != RETURN)
		return result;
	result = of_kernel(kernel_grant(slot(child->slot), slot(there), slot(scratch)));
	forget(scratch);
	memset(child->taken, 0xFF, sizeof(child->taken)); /* the child's from now on */
	return result;
}
