/* SPDX-License-Identifier: MIT */
/*
 * The frame authority: cleared frames become objects and cease to be. Whoever holds it is trusted
 * as much as the kernel: it prepares directories from the template and bitmaps all ones, and never
 * maps a frame that is an object into a domain that it does not trust likewise. The kernel checks
 * what is cheap (kind, bounds, generation).
 */
#include "x86/x86.h"

uint32_t low_end_frame; /* frames from here on are no memory, or beyond the direct map */

static uint32_t generation_of(uint32_t frame)
{
	return frame < low_end_frame ? object_table[frame].generation : 0;
}

/* The frame holds nothing and has the generation that the caller saw (R2). */
static uint32_t frame_check(uint32_t frame, uint32_t generation)
{
	if (frame >= low_end_frame || object_table[frame].page)
		return ERROR_FRAME;
	if (object_table[frame].generation != generation)
		return ERROR_GENERATION;
	return generation == GENERATION_TOP ? ERROR_WORN_OUT : 0;
}

static bool is_free_object(uint32_t frame, uint32_t kind)
{
	uint32_t page = frame < low_end_frame ? object_table[frame].page : 0;
	return page && (page & (OBJECT_KIND_MASK | OBJECT_ATTACHED)) == kind;
}

static struct reference reference_to(uint32_t frame)
{
	return (struct reference){frame << CAPABILITY_INDEX_SHIFT, object_table[frame].generation};
}

static uint32_t create_domain(uint32_t frame, uint32_t directory, uint32_t confidential)
{
	struct domain *domain = direct(frame << 12);
	if (!is_free_object(directory, OBJECT_DIRECTORY) || confidential > 1)
		return ERROR_ARGUMENT;
	object_table[directory].page |= OBJECT_ATTACHED;
	domain->list[SLOT_SELF].word = (uint32_t)CAPABILITY_SELF << CAPABILITY_KIND_SHIFT;
	domain->directory = directory << 12;
	domain->self = reference_to(frame);
	domain->confidential = confidential;
	return 0;
}

/*
 * Both pages of a thread at once: the control page in `frame`, the first data page in `data`, which
 * is no object yet.
 */
static __attribute__((noinline)) uint32_t create_thread(const struct call_frame *call)
{
	uint32_t frame = call->word1, data = call->word3, home = call->word0 >> CREATE_SECOND_SHIFT;
	if (frame >= low_end_frame || data >= low_end_frame)
		return ERROR_FRAME;
	struct thread *thread = direct(frame << 12);
	struct object *object = &object_table[frame], *page = &object_table[data];
	if (object->page || page->page || frame == data)
		return ERROR_FRAME;
	if (object->generation + page->generation + generation_of(home) != call->word2)
		return ERROR_GENERATION;
	if (object->generation == GENERATION_TOP || page->generation == GENERATION_TOP)
		return ERROR_WORN_OUT;
	if (home >= low_end_frame || !object_table[home].page ||
	    (object_table[home].page & OBJECT_KIND_MASK) != OBJECT_DOMAIN)
		return ERROR_ARGUMENT;
	thread->self = reference_to(frame);
	data_page_bind(thread, 0, data);
	thread->top = ACTIVATION_HOME;
	struct activation *activation = activation_of(thread);
	activation->domain =
		(uint32_t)CAPABILITY_DOOR << CAPABILITY_KIND_SHIFT | home << CAPABILITY_INDEX_SHIFT;
	activation->generation = object_table[home].generation;
	activation[1].domain = (uint32_t)CAPABILITY_DOOR << CAPABILITY_KIND_SHIFT;
	activation[1].generation = HOME_ORDINARY; /* no caller */
	object->page = (frame << 12) + KERNEL_BASE + OBJECT_THREAD;
	return 0;
}

static uint32_t create_bitmap(uint32_t frame, uint32_t pages)
{
	uint32_t *table = direct(frame << 12);
	if (pages + 1 < pages || !is_free_object(pages, OBJECT_BITMAP_PAGE) ||
	    !is_free_object(pages + 1, OBJECT_BITMAP_PAGE))
		return ERROR_ARGUMENT;
	table[0] = bitmap_none_table[0];
	table[3] = bitmap_none_table[3];
	for (uint32_t i = 0; i < 2; i++) {
		object_table[pages + i].page = OBJECT_ATTACHED | OBJECT_BITMAP_PAGE;
		table[1 + i] = (pages + i) << 12 | ENTRY_PRESENT;
	}
	return 0;
}

/*
 * The expected generation is the sum over all frames that are named (R2): none can have been
 * something else meanwhile, because generations only grow, and stop before a sum of three wraps.
 */
uint32_t authority_create(struct capability *capability, struct call_frame *frame)
{
	uint32_t kind = frame->word0 >> CREATE_KIND_SHIFT & 15,
		 second = frame->word0 >> CREATE_SECOND_SHIFT;
	uint32_t number = frame->word1, parameter = frame->word3;
	if (kind == OBJECT_THREAD)
		return create_thread(frame);
	uint32_t others = kind == OBJECT_DOMAIN ? generation_of(parameter)
			  : kind == OBJECT_BITMAP
				  ? generation_of(parameter) + generation_of(parameter + 1)
				  : 0;
	uint32_t error = frame_check(number, frame->word2 - others);
	if (error)
		return error;
	if (kind == OBJECT_DOMAIN)
		error = create_domain(number, parameter, second);
	else if (kind == OBJECT_BITMAP && !second)
		error = create_bitmap(number, parameter);
	else if (second || parameter || kind > OBJECT_BITMAP_PAGE)
		error = ERROR_ARGUMENT;
	if (!error)
		object_table[number].page = (number << 12) + KERNEL_BASE + kind;
	return error;
}

static void retire(uint32_t number)
{
	object_table[number].generation++;
	object_table[number].page = 0;
}

/* What this CPU has loaded is compared, so destroying oneself is an ordinary case. */
static bool is_loaded(uint32_t number, uint32_t kind, const void *page)
{
	const uint32_t *directory = directory_of(cpu.running_domain);
	if (kind == OBJECT_DOMAIN)
		return page == cpu.running_domain;
	if (kind == OBJECT_DATA_PAGE)
		return window_table[DATA_PAGE >> 12 & 1023] >> 12 == number ||
		       window_table[DATA_PAGE_NEXT >> 12 & 1023] >> 12 == number;
	return kind == OBJECT_TABLE && !cpu.fast_limit &&
	       (directory[WINDOW_0 >> 22] >> 12 == number ||
		directory[WINDOW_1 >> 22] >> 12 == number);
}

static void destroy_bitmap(uint32_t number)
{
	const uint32_t *table = direct(number << 12);
	uint32_t domain = object_table[table[2] >> 12].page >> 12;
	if (domain)
		bitmap_enter(direct(domain << 12), bitmap_none_table);
	retire(table[1] >> 12);
	retire(table[2] >> 12);
}

static void destroy_domain(struct domain *domain)
{
	const uint32_t *table = reference_page(domain->bitmap);
	if (table)
		object_table[table[2] >> 12].page = OBJECT_ATTACHED | OBJECT_BITMAP_PAGE;
	retire(domain->directory >> 12);
}

/*
 * Its first data page goes with it, further ones stay objects. In the chain: its dispatcher gets
 * `ended`; the root thread can't be destroyed. What does not run has nothing loaded.
 */
static uint32_t destroy_thread(struct thread *thread, uint32_t number)
{
	bool in_chain = thread->state == THREAD_IN_CHAIN;
	if (in_chain) {
		if (thread->level == 0)
			return ERROR_STATE;
		thread_leave(BY_CALL_INSIDE);
		thread->state = THREAD_STOPPED;
	}
	if (thread->data[0])
		retire(thread->data[0] >> 12);
	retire(number);
	if (!in_chain)
		return 0;
	chain_cut(thread->level, DISPATCH_ENDED);
	thread_run();
}

uint32_t authority_destroy(struct capability *capability, struct call_frame *frame)
{
	uint32_t number = frame->word1;
	if (number >= low_end_frame || !object_table[number].page)
		return ERROR_FRAME;
	uint32_t word = object_table[number].page, kind = word & OBJECT_KIND_MASK;
	void *page = object_page(&object_table[number]);
	if (kind >= OBJECT_STATIC)
		return ERROR_FRAME;
	if (object_table[number].generation != frame->word2)
		return ERROR_GENERATION;
	if (kind == OBJECT_THREAD)
		return destroy_thread(page, number);
	if ((kind == OBJECT_DIRECTORY || kind == OBJECT_BITMAP_PAGE) && word & OBJECT_ATTACHED)
		return ERROR_STATE;
	if (kind == OBJECT_DOMAIN && page == activation_domain(cpu.level[0].home))
		return ERROR_STATE; /* the root program's home */
	bool loaded = is_loaded(number, kind, page);
	if (loaded)
		thread_leave(BY_CALL_INSIDE);
	if (kind == OBJECT_DOMAIN)
		destroy_domain(page);
	else if (kind == OBJECT_BITMAP)
		destroy_bitmap(number);
	else if (kind == OBJECT_DATA_PAGE && word & OBJECT_ATTACHED)
		data_page_unbind(number);
	retire(number);
	if (loaded)
		thread_run();
	return 0;
}

/* The capability to what is in a frame: repeatable, so a creator that was stopped loses nothing. */
uint32_t authority_fetch(struct capability *capability, struct call_frame *frame)
{
	static const uint8_t kinds[] = {
		[OBJECT_DOMAIN] = CAPABILITY_DOMAIN,   [OBJECT_THREAD] = CAPABILITY_THREAD,
		[OBJECT_DATA_PAGE] = CAPABILITY_PAGE,  [OBJECT_CAPABILITY_PAGE] = CAPABILITY_PAGE,
		[OBJECT_LOCK_PAGE] = CAPABILITY_PAGE,  [OBJECT_TABLE] = CAPABILITY_PAGE,
		[OBJECT_DIRECTORY] = CAPABILITY_EMPTY, [OBJECT_BITMAP] = CAPABILITY_BITMAP};
	uint32_t number = frame->word1;
	struct capability *to = slot_result(frame->word2);
	if (!to)
		return ERROR_ARGUMENT;
	if (number >= low_end_frame || !object_table[number].page)
		return ERROR_FRAME;
	if (object_table[number].generation != frame->word3)
		return ERROR_GENERATION;
	uint32_t kind = object_table[number].page & OBJECT_KIND_MASK;
	if (kind >= sizeof(kinds) || kinds[kind] == CAPABILITY_EMPTY)
		return ERROR_KIND;
	capability_make(to, kinds[kind], RIGHTS_ALL, number << CAPABILITY_INDEX_SHIFT);
	to->badge_low = kinds[kind] == CAPABILITY_THREAD ? 0xFFFFFFFF : 0;
	return 0;
}

uint32_t authority_inspect(struct capability *capability, struct call_frame *frame)
{
	uint32_t number = frame->word1;
	if (number >= OBJECTS_MAX)
		return ERROR_ARGUMENT;
	const struct object *object = &object_table[number];
	frame->word0 = number >= low_end_frame ? OBJECT_RESERVED
		       : object->page          ? object->page & OBJECT_KIND_MASK
					       : OBJECT_NONE;
	frame->word1 = object->generation;
	return 0;
}

uint32_t authority_account(struct capability *capability, struct call_frame *frame)
{
	const uint64_t values[] = {cycles() - cpu.start, cpu.lost - cpu.idle, cpu.idle};
	uint32_t account = frame->word1;
	if (account >= ACCOUNTS)
		return ERROR_ARGUMENT;
	frame->word0 = values[account];
	frame->word1 = values[account] >> 32;
	return 0;
}
