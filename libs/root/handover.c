/* SPDX-License-Identifier: MIT */
/*
 * The machine changes hands: see root_hand_over. What this program needs besides an extent it has
 * put into its directory by the memory service: its modules, read-only, where they were in the
 * linear map (so that what is known of them stays true), and a few pages.
 */
#include "block.h"
#include "maker.h"

#define CHILDREN_MAX 24u
#define OWN_PAGES    0x08000000u /* the builder's window, and then shared pages */
#define TAKEN_PAGES  0x07C00000u /* as many as the memory needs: made while frames are root's */
/* An allocator with less is of no use: two blocks for jobs. */
#define QUOTA_ORDER_LEAST 9u

struct domain memory_domain;
uint32_t memory_slot, memory_look_slot, memory_order, device_masters[2];
static uint32_t *const taken = (uint32_t *)TAKEN_PAGES; /* of the pool */
static uint32_t shared_pages = 1;
static struct space own_space;
static struct child children[CHILDREN_MAX];
static uint32_t child_order = CHILD_ORDER;
struct block own_block, *block_now = &own_block;

void must_return(uint32_t result, const char *what)
{
	char sentence[120];
	if (result == RETURN)
		return;
	format(sentence, sizeof(sentence), "%s: status %u", what, DOOR_STATUS(result));
	if (DOOR_ERROR(result))
		root_fail(what, DOOR_ERROR(result));
	root_fail(sentence, 0);
}

/* ---- domains and threads of an extent -------------------------------------------------------- */
static void child_begin(struct domain *domain, uint32_t confidential)
{
	uint32_t i = 0, number = slot_take();
	while (i < CHILDREN_MAX && children[i].builder)
		i++;
	if (i == CHILDREN_MAX)
		root_fail("there are too many domains", 0);
	domain->child = &children[i];
	MUST_RETURN(
		child_make(domain->child, &block_now->builder, child_order, number, confidential));
	domain->object = (struct object){block_now->base + domain->child->control, number};
	domain->directory_frame = block_now->base + domain->child->space.directory;
}

static void child_program(struct domain *domain)
{
	MUST_RETURN(child_load(domain->child, domain->file, domain->file_bytes));
}

static uint32_t child_fill(struct domain *domain, uint32_t address, const void *content,
			   uint32_t bytes)
{
	uint32_t frame;
	MUST_RETURN(child_page(domain->child, address, MEMORY_ENTRY_WRITE, content, bytes, &frame));
	return frame;
}

static void *child_share(struct domain *domain, uint32_t address)
{
	uint32_t frame, here = OWN_PAGES + shared_pages++ * PAGE_BYTES;
	MUST_RETURN(child_page(domain->child, address, 0, "", 0, &frame));
	MUST_RETURN(space_map(&own_space, here, frame, 1, MEMORY_ENTRY_WRITE));
	return (void *)here;
}

static void child_finish(struct domain *domain)
{
	MUST_RETURN(child_end(domain->child));
	slot_give(domain->object.slot);
	domain->child->builder = NULL;
}

static void child_thread_make(struct thread *thread)
{
	uint32_t frame, number = slot_take();
	MUST_RETURN(child_thread(thread->home->child, number, &frame));
	thread->object = (struct object){child_base(thread->home->child) + frame, number};
}

static void child_thread_end(struct thread *thread)
{
	struct child *home = thread->home->child;
	MUST_RETURN(child_object_end(home, thread->object.slot,
				     thread->object.frame - child_base(home), 2));
	slot_give(thread->object.slot);
}

static uint32_t children_free(void)
{
	return pool_free(&own_block.pool) + quota_free();
}

static const struct maker child_maker = {child_begin,      child_program, child_fill,
					 child_share,      child_finish,  child_thread_make,
					 child_thread_end, children_free};

void domain_make_large(struct domain *domain, const char *name, uint32_t order)
{
	child_order = order;
	domain_make(domain, name, 0);
	child_order = CHILD_ORDER;
}

void domain_own(struct domain *domain, uint32_t there)
{
	MUST_RETURN(child_own(domain->child, there));
}

/* ---- the hand-over --------------------------------------------------------------------------- */
/* The managed frames as a whole are an extent: a power of two, and with it more than there are. */
static uint32_t order_of_memory(void)
{
	uint32_t order = 0;
	while (order < MEMORY_ORDER_MAX && 1u << order < boot_record->linear_end >> 12)
		order++;
	return order;
}

uint32_t low_slot(void)
{
	uint32_t number = slot_take();
	if (number >= LIST_SLOTS)
		root_fail("no slot below 128 is left", 0);
	return number;
}

static uint32_t extent_make(uint32_t badge)
{
	uint32_t number = low_slot();
	MUST(kernel_door(slot(memory_domain.object.slot), slot(number), badge));
	return number;
}

void only_look(uint32_t number)
{
	uint32_t narrow = slot_take();
	MUST(kernel_narrow(slot(narrow), slot(number), RIGHT_READ, 0));
	MUST(kernel_move(slot(number), slot(narrow)));
	slot_give(narrow);
}

static _Bool is_taken(uint32_t bit)
{
	return taken[bit / 32] >> bit % 32 & 1;
}

/* All frames [first, end) that are free memory, as the service says. */
static void pool_fill(uint32_t first, uint32_t end)
{
	struct memory_frame frame;
	pool_begin(&own_block.pool, slot(memory_slot), first, end - first, taken);
	for (uint32_t i = 0; i < end - first; i++) {
		MUST_RETURN(memory_read(slot(memory_slot), first + i, &frame));
		if (MEMORY_TYPE_OF(frame.key) != MEMORY_DIRTY)
			taken[i / 32] |= 1u << i % 32;
	}
}

/* The largest part of the pool that is an extent and wholly free goes to the allocator, if there is
 * one: its order, or 0. */
static uint32_t part_take(uint32_t *start)
{
	struct pool *pool = &own_block.pool;
	for (uint32_t order = memory_order; order >= QUOTA_ORDER_LEAST; order--) {
		uint32_t frames = 1u << order;
		for (uint32_t from = (pool->first + frames - 1) & ~(frames - 1), run = 0;
		     from + frames <= pool->end; from += frames) {
			for (run = 0; run < frames && !is_taken(from - pool->first + run);)
				run++;
			if (run < frames)
				continue;
			for (uint32_t i = from - pool->first; run--; i++)
				taken[i / 32] |= 1u << i % 32;
			*start = from;
			return order;
		}
	}
	return 0;
}

static void modules_map(void)
{
	for (uint32_t i = 0; i < boot_record->module_count; i++) {
		const struct boot_module *module = &boot_record->modules[i];
		uint32_t at = module->start >> 12, end = at;
		if (module->bytes)
			end = ((module->start + module->bytes - 1) >> 12) + 1;
		for (; at < end; at++)
			MUST_RETURN(space_map(&own_space, LINEAR_BASE + (at << 12), at, 1, 0));
	}
}

void root_hand_over(void)
{
	uint32_t end = boot_record->low_end_frame, part = 0; /* objects and tables are below */
	_Bool allocates = quota_load();
	for (uint32_t at = 0; at < POOL_WORDS(end) * sizeof(uint32_t); at += PAGE_BYTES)
		domain_page(&root_domain, TAKEN_PAGES + at);
	memory_order = order_of_memory();
	uint32_t first = memory_take_over(&memory_domain, 1u << memory_order);
	memory_slot = extent_make(MEMORY_BADGE(0, memory_order, MEMORY_RIGHTS));
	memory_look_slot = extent_make(MEMORY_BADGE(0, memory_order, MEMORY_ANY));
	for (uint32_t half = 0; half < 2; half++)
		device_masters[half] = extent_make(DEVICE_MASTER_BADGE(half));
	pool_fill(first, end);
	uint32_t order = allocates ? part_take(&part) : 0;
	if (order)
		quota_begin(extent_make(MEMORY_BADGE(part, order, MEMORY_RIGHTS_ALL)), part);
	own_block.frames = pool_free(&own_block.pool);
	only_look(ROOT_AUTHORITY);
	only_look(memory_domain.object.slot);
	root_maker = &child_maker;
	own_space = (struct space){.pool = &own_block.pool,
				   .directory = boot_record->root_directory_frame};
	own_block.builder = (struct builder){
		.pool = &own_block.pool, .window = OWN_PAGES, .scratch = low_slot()};
	MUST_RETURN(space_table(&own_space, OWN_PAGES, &own_block.builder.window_table));
	modules_map();
}

uint32_t domain_device(struct domain *domain, uint32_t address, uint32_t pci_extent, uint32_t index,
		       uint32_t pages)
{
	const uint32_t device = low_slot();
	uint32_t result = device_define(device_masters, pci_extent, index,
					MEMORY_READ | MEMORY_WRITE, device);
	if (result == RETURN) {
		result = space_map_device(&domain->child->space, address, device, pages);
		MUST(kernel_delete(slot(device)));
	}
	slot_give(device);
	return result;
}
