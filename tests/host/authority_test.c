// sources: tests/host/machine/tap.c tests/host/machine/machine.c kernel/authority.c kernel/call.c
// sources: kernel/capability.c kernel/dispatch.c kernel/domain.c kernel/fault.c kernel/irq.c
// sources: kernel/thread.c kernel/x86/pic.c kernel/x86/timer.c boot/devices.c
/* SPDX-License-Identifier: MIT */
/* The frame authority: every kind made and destroyed, generations to their top, oneself; ports. */
#include <string.h>

#include "machine/machine.h"

#define SLOT 50u

static uint32_t generation_of(uint32_t frame)
{
	return frame < FRAMES_END ? object_table[frame].generation : 0;
}

static uint32_t create(uint32_t kind, uint32_t second, uint32_t frame, uint32_t parameter)
{
	uint32_t generation = generation_of(frame);
	if (kind == OBJECT_DOMAIN || kind == OBJECT_BITMAP)
		generation += generation_of(parameter);
	if (kind == OBJECT_BITMAP)
		generation += generation_of(parameter + 1);
	return machine_invoke(&root_domain->list[ROOT_AUTHORITY],
			      authority_create_op | kind << CREATE_KIND_SHIFT |
				      second << CREATE_SECOND_SHIFT,
			      frame, generation, parameter);
}

/* A thread takes two frames and a home, and the sum of their generations. */
static uint32_t create_thread(uint32_t home, uint32_t frame, uint32_t data)
{
	uint32_t generation = 0;
	if (frame < OBJECTS_MAX && data < OBJECTS_MAX)
		generation = object_table[frame].generation + object_table[data].generation +
			     (home < FRAMES_END ? object_table[home].generation : 0);
	return machine_invoke(&root_domain->list[ROOT_AUTHORITY],
			      authority_create_op | OBJECT_THREAD << CREATE_KIND_SHIFT |
				      home << CREATE_SECOND_SHIFT,
			      frame, generation, data);
}

static uint32_t destroy(uint32_t frame)
{
	uint32_t generation = frame < OBJECTS_MAX ? object_table[frame].generation : 0;
	return machine_invoke(&root_domain->list[ROOT_AUTHORITY], authority_destroy_op, frame,
			      generation, 0);
}

static uint32_t fetch(uint32_t frame, uint32_t slot)
{
	return machine_invoke(&root_domain->list[ROOT_AUTHORITY], authority_fetch_op, frame, slot,
			      frame < OBJECTS_MAX ? object_table[frame].generation : 0);
}

static uint32_t inspect(uint32_t index)
{
	CHECK_EQUAL(machine_invoke(&root_domain->list[ROOT_AUTHORITY], authority_inspect_op, index,
				   0, 0),
		    0);
	return machine.word[0];
}

/* A frame and its parameters for each kind that can be created. */
static uint32_t create_any(uint32_t kind, uint32_t *frame)
{
	uint32_t parameter = 0;
	if (kind == OBJECT_DOMAIN)
		parameter = object_new(OBJECT_DIRECTORY, 0, 0);
	if (kind == OBJECT_THREAD) {
		*frame = frame_free();
		return create_thread(frame_of(root_domain), *frame, frame_free_from(*frame + 1));
	}
	if (kind == OBJECT_BITMAP) {
		parameter = object_new(OBJECT_BITMAP_PAGE, 0, 0);
		CHECK_EQUAL(object_new(OBJECT_BITMAP_PAGE, 0, 0), parameter + 1);
	}
	*frame = frame_free();
	return create(kind, 0, *frame, parameter);
}

TEST(every_kind_is_made_reported_fetched_and_destroyed)
{
	for (uint32_t kind = 0; kind < OBJECT_STATIC; kind++) {
		machine_start();
		uint32_t frame;
		CHECK_EQUAL(create_any(kind, &frame), 0);
		uint32_t generation = object_table[frame].generation;
		CHECK_EQUAL(inspect(frame), kind);
		CHECK_EQUAL(machine.word[1], generation);
		CHECK_EQUAL(create(kind, 0, frame, 0), ERROR_FRAME);
		bool named = kind != OBJECT_DIRECTORY && kind != OBJECT_BITMAP_PAGE;
		CHECK_EQUAL(fetch(frame, SLOT), named ? 0 : ERROR_KIND);
		CHECK_EQUAL(fetch(frame, SLOT + 1), named ? 0 : ERROR_KIND);
		if (named)
			CHECK(!memcmp(&root_domain->list[SLOT], &root_domain->list[SLOT + 1], 16));
		CHECK_EQUAL(destroy(frame), 0);
		CHECK_EQUAL(inspect(frame), OBJECT_NONE);
		CHECK_EQUAL(machine.word[1], generation + 1);
		CHECK_EQUAL(destroy(frame), ERROR_FRAME);
		CHECK_EQUAL(fetch(frame, SLOT), ERROR_FRAME);
		if (named)
			CHECK_EQUAL(machine_invoke(&root_domain->list[SLOT], 0, 0, 0, 0),
				    ERROR_STALE);
	}
}

TEST(kinds_that_cannot_be_made)
{
	machine_start();
	for (uint32_t kind = OBJECT_STATIC; kind < 16; kind++)
		CHECK_EQUAL(create(kind, 0, frame_free(), 0), ERROR_ARGUMENT);
	for (uint32_t kind = OBJECT_DATA_PAGE; kind < OBJECT_STATIC; kind++) {
		if (kind == OBJECT_BITMAP)
			continue;
		CHECK_EQUAL(create(kind, 1, frame_free(), 0), ERROR_ARGUMENT);
		CHECK_EQUAL(create(kind, 0, frame_free(), 1), ERROR_ARGUMENT);
	}
	CHECK_EQUAL(machine_invoke(&root_domain->list[ROOT_AUTHORITY],
				   authority_create_op | 0x10 | OBJECT_TABLE << CREATE_KIND_SHIFT,
				   frame_free(), 0, 0),
		    ERROR_OPERATION);
}

TEST(frames_that_are_nobodys_to_use)
{
	machine_start();
	static const uint32_t frames[] = {0,          1,           OBJECT_PORTS, FRAMES_FIRST - 1,
					  FRAMES_END, OBJECTS_MAX, 0x100000,     0xFFFFFFFF};
	for (uint32_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		CHECK_EQUAL(create(OBJECT_TABLE, 0, frames[i], 0), ERROR_FRAME);
		CHECK_EQUAL(destroy(frames[i]), ERROR_FRAME);
		uint32_t error = fetch(frames[i], SLOT);
		CHECK(error == ERROR_FRAME || (frames[i] < FRAMES_FIRST && error == ERROR_KIND));
	}
	CHECK_EQUAL(inspect(0), OBJECT_RESERVED);
	CHECK_EQUAL(inspect(OBJECT_PORTS), OBJECT_STATIC);
	CHECK_EQUAL(inspect(FRAMES_END), OBJECT_RESERVED);
	CHECK_EQUAL(machine_invoke(&root_domain->list[ROOT_AUTHORITY], authority_inspect_op,
				   OBJECTS_MAX, 0, 0),
		    ERROR_ARGUMENT);
}

TEST(generation_must_be_the_expected_one)
{
	machine_start();
	uint32_t frame = frame_free(), generation = object_table[frame].generation;
	struct capability *authority = &root_domain->list[ROOT_AUTHORITY];
	uint32_t make = authority_create_op | OBJECT_TABLE << CREATE_KIND_SHIFT;
	CHECK_EQUAL(machine_invoke(authority, make, frame, generation - 1, 0), ERROR_GENERATION);
	CHECK_EQUAL(machine_invoke(authority, make, frame, generation + 1, 0), ERROR_GENERATION);
	CHECK_EQUAL(machine_invoke(authority, make, frame, generation, 0), 0);
	CHECK_EQUAL(machine_invoke(authority, authority_destroy_op, frame, generation + 1, 0),
		    ERROR_GENERATION);
	CHECK_EQUAL(machine_invoke(authority, authority_destroy_op, frame, generation, 0), 0);
	CHECK_EQUAL(machine_invoke(authority, make, frame, generation, 0), ERROR_GENERATION);
}

TEST(generations_stop_at_the_top)
{
	machine_start();
	uint32_t frame = frame_free();
	object_table[frame].generation = GENERATION_TOP - 2;
	for (uint32_t left = 2; left; left--) {
		CHECK_EQUAL(create(OBJECT_TABLE, 0, frame, 0), 0);
		CHECK_EQUAL(fetch(frame, SLOT), 0);
		CHECK_EQUAL(destroy(frame), 0);
		CHECK_EQUAL(machine_invoke(&root_domain->list[SLOT], 0, 0, 0, 0), ERROR_STALE);
	}
	CHECK_EQUAL(object_table[frame].generation, GENERATION_TOP);
	for (uint32_t kind = 0; kind < OBJECT_STATIC; kind++)
		if (kind != OBJECT_THREAD)
			CHECK_EQUAL(create(kind, 0, frame, 0), ERROR_WORN_OUT);
	CHECK_EQUAL(destroy(frame), ERROR_FRAME);
	CHECK_EQUAL(object_table[frame].generation, GENERATION_TOP);
}

/* What goes with another object wears out, too, and doesn't wrap. */
TEST(generations_of_directories_and_bitmap_pages_stop_at_the_top)
{
	machine_start();
	uint32_t frame, generation = GENERATION_TOP - 1;
	uint32_t directory = frame_free();
	object_table[directory].generation = generation;
	CHECK_EQUAL(create_any(OBJECT_DOMAIN, &frame), 0);
	CHECK_EQUAL(((struct domain *)page_of(frame))->directory, directory << 12);
	CHECK_EQUAL(destroy(frame), 0);
	CHECK_EQUAL(object_table[directory].generation, GENERATION_TOP);
	CHECK_EQUAL(create(OBJECT_DIRECTORY, 0, directory, 0), ERROR_WORN_OUT);
	uint32_t page = frame_free();
	object_table[page].generation = object_table[page + 1].generation = generation;
	CHECK_EQUAL(create_any(OBJECT_BITMAP, &frame), 0);
	CHECK_EQUAL(destroy(frame), 0);
	CHECK_EQUAL(object_table[page].generation, GENERATION_TOP);
	CHECK_EQUAL(object_table[page + 1].generation, GENERATION_TOP);
	CHECK_EQUAL(create(OBJECT_BITMAP_PAGE, 0, page + 1, 0), ERROR_WORN_OUT);
}

TEST(domain_takes_a_free_directory)
{
	machine_start();
	uint32_t directory = object_new(OBJECT_DIRECTORY, 0, 0);
	uint32_t table = object_new(OBJECT_TABLE, 0, 0), frame = frame_free();
	CHECK_EQUAL(create(OBJECT_DOMAIN, 0, frame, table), ERROR_ARGUMENT);
	CHECK_EQUAL(create(OBJECT_DOMAIN, 0, frame, frame), ERROR_ARGUMENT);
	CHECK_EQUAL(create(OBJECT_DOMAIN, 0, frame, 0xFFFFFFFF), ERROR_ARGUMENT);
	CHECK_EQUAL(create(OBJECT_DOMAIN, 2, frame, directory), ERROR_ARGUMENT);
	CHECK_EQUAL(create(OBJECT_DOMAIN, 1, frame, directory), 0);
	CHECK_EQUAL(create(OBJECT_DOMAIN, 0, frame_free(), directory), ERROR_ARGUMENT);
	CHECK_EQUAL(destroy(directory), ERROR_STATE);
	CHECK_EQUAL(fetch(frame, SLOT), 0);
	CHECK_EQUAL(machine_invoke(&root_domain->list[SLOT], domain_door_op, SLOT + 1, 0, 0), 0);
	CHECK_EQUAL(root_domain->list[SLOT + 1].word >> CAPABILITY_RIGHTS_SHIFT & RIGHTS_ALL,
		    RIGHT_CONFIDENTIAL);
	CHECK_EQUAL(destroy(frame), 0);
	CHECK_EQUAL(inspect(directory), OBJECT_NONE);
}

TEST(thread_takes_two_free_frames_and_a_living_home)
{
	machine_start();
	uint32_t frame = frame_free(), data = frame_free_from(frame + 1),
		 home = frame_of(root_domain);
	struct capability *authority = &root_domain->list[ROOT_AUTHORITY];
	uint32_t make = authority_create_op | OBJECT_THREAD << CREATE_KIND_SHIFT |
			home << CREATE_SECOND_SHIFT;
	uint32_t sum = object_table[frame].generation + object_table[data].generation +
		       object_table[home].generation;
	CHECK_EQUAL(machine_invoke(authority, make, frame, sum + 1, data), ERROR_GENERATION);
	CHECK_EQUAL(machine_invoke(authority, make, frame, sum - 1, data), ERROR_GENERATION);
	CHECK_EQUAL(create_thread(home, frame, frame), ERROR_FRAME);
	CHECK_EQUAL(create_thread(home, frame, home), ERROR_FRAME);
	CHECK_EQUAL(create_thread(home, home, data), ERROR_FRAME);
	CHECK_EQUAL(create_thread(home, frame, FRAMES_END), ERROR_FRAME);
	CHECK_EQUAL(create_thread(home, 0xFFFFFFFF, data), ERROR_FRAME);
	CHECK_EQUAL(create_thread(data, frame, data), ERROR_ARGUMENT);
	CHECK_EQUAL(create_thread(FRAMES_END, frame, data), ERROR_ARGUMENT);
	CHECK_EQUAL(create_thread(0xFFFFF, frame, data), ERROR_ARGUMENT);
	CHECK_EQUAL(create_thread(root_domain->directory >> 12, frame, data), ERROR_ARGUMENT);
	CHECK_EQUAL(create_thread(home, frame, data), 0);
	const struct thread *thread = page_of(frame);
	CHECK_EQUAL(thread->state, THREAD_STOPPED);
	CHECK_EQUAL(destroy(data), 0);
	CHECK_EQUAL(thread->data[0], 0);
}

TEST(thread_starts_with_all_floating_point_exceptions_masked)
{
	for (uint32_t fxsr = 0; fxsr < 2; fxsr++) {
		machine_start();
		fpu_has_fxsr = fxsr;
		struct thread *thread = thread_new(root_domain);
		thread_go(thread);
		CHECK_EQUAL(thread->fpu[0], 0x37F);
		CHECK_EQUAL(thread->fpu[fxsr ? 6 : 2], fxsr ? 0x1F80 : 0xFFFF);
	}
}

TEST(thread_takes_its_first_data_page_with_it)
{
	machine_start();
	struct thread *thread = thread_new(root_domain);
	uint32_t frame = frame_of(thread), data = thread->data[0] >> 12;
	uint32_t further = object_new(OBJECT_DATA_PAGE, 0, 0);
	struct capability to = capability_to(CAPABILITY_THREAD, frame);
	slot_set(SLOT, capability_to(CAPABILITY_PAGE, further));
	CHECK_EQUAL(machine_invoke(&to, thread_attach_op, 1, SLOT, 0), 0);
	CHECK_EQUAL(fetch(data, SLOT + 1), 0);
	CHECK_EQUAL(destroy(frame), 0);
	CHECK_EQUAL(inspect(data), OBJECT_NONE);
	CHECK_EQUAL(inspect(further), OBJECT_DATA_PAGE);
	CHECK_EQUAL(machine_invoke(&root_domain->list[SLOT + 1], 0, 0, 0, 0), ERROR_STALE);
	CHECK_EQUAL(destroy(further), 0); /* its thread is no more (poisoned) */
}

TEST(thread_needs_two_frames_that_are_not_worn_out)
{
	machine_start();
	uint32_t frame = frame_free(), data = frame_free_from(frame + 1),
		 home = frame_of(root_domain);
	object_table[data].generation = GENERATION_TOP;
	CHECK_EQUAL(create_thread(home, frame, data), ERROR_WORN_OUT);
	CHECK_EQUAL(create_thread(home, data, frame), ERROR_WORN_OUT);
	machine_start();
	object_table[frame].generation = object_table[data].generation = GENERATION_TOP - 1;
	CHECK_EQUAL(create_thread(home, frame, data), 0);
	CHECK_EQUAL(destroy(frame), 0);
	CHECK_EQUAL(object_table[frame].generation, GENERATION_TOP);
	CHECK_EQUAL(object_table[data].generation, GENERATION_TOP);
}

/* ---- ports ----------------------------------------------------------------------------------- */
static uint32_t bitmap;

static struct domain *domain_with_ports(void)
{
	machine_start();
	struct domain *domain = domain_new(0);
	CHECK_EQUAL(create_any(OBJECT_BITMAP, &bitmap), 0);
	CHECK_EQUAL(fetch(bitmap, SLOT), 0);
	struct capability to = capability_to(CAPABILITY_DOMAIN, frame_of(domain));
	CHECK_EQUAL(machine_invoke(&to, domain_attach_op, 0, SLOT, 0), 0);
	uint32_t *table = page_of(bitmap);
	memset(page_of(table[1] >> 12), 0xFF, PAGE_BYTES);
	memset(page_of(table[2] >> 12), 0xFF, PAGE_BYTES);
	return domain;
}

static uint32_t bitmap_entry(const struct domain *domain)
{
	return directory_of(domain)[TSS_SLOT];
}
static uint32_t entry_to(const void *table)
{
	return physical(table) | ENTRY_PRESENT | ENTRY_WRITE;
}

static bool port_is_allowed(uint32_t port)
{
	const uint32_t *table = page_of(bitmap);
	const uint8_t *bytes = page_of(table[1 + port / 32768] >> 12);
	return !(bytes[port / 8 % PAGE_BYTES] >> port % 8 & 1);
}

TEST(bitmap_is_switched_by_its_directory)
{
	struct domain *domain = domain_with_ports();
	const uint32_t *table = page_of(bitmap);
	CHECK_EQUAL(bitmap_entry(domain), entry_to(table));
	CHECK_EQUAL(table[0], bitmap_none_table[0]);
	CHECK_EQUAL(table[3], bitmap_none_table[3]);
	struct capability root = root_domain->list[ROOT_DOMAIN];
	CHECK_EQUAL(machine_invoke(&root, domain_attach_op, 0, SLOT, 0), ERROR_STATE);
	CHECK_EQUAL(destroy(table[1] >> 12), ERROR_STATE);
	CHECK_EQUAL(destroy(table[2] >> 12), ERROR_STATE);
	CHECK_EQUAL(destroy(bitmap), 0);
	CHECK_EQUAL(bitmap_entry(domain), entry_to(bitmap_none_table));
}

TEST(bitmap_outlives_its_domain)
{
	struct domain *domain = domain_with_ports();
	uint32_t frame = frame_of(domain), directory = domain->directory >> 12;
	CHECK_EQUAL(destroy(frame), 0);
	CHECK_EQUAL(object_new(OBJECT_TABLE, 0, 0), frame < directory ? frame : directory);
	CHECK_EQUAL(destroy(bitmap), 0); /* and touches nothing of what is there now (poisoned) */
}

TEST(allowed_and_denied_ports)
{
	domain_with_ports();
	static const uint32_t ranges[][2] = {
		{0, 0}, {7, 8}, {0x3F8, 0x3FF}, {0x7FF0, 0x800F}, {0xFFE0, 0xFFFF}};
	for (uint32_t i = 0; i < 5; i++) {
		uint32_t first = ranges[i][0], last = ranges[i][1];
		CHECK_EQUAL(machine_self(self_narrow_op, SLOT + 1, ROOT_PORTS, first | last << 16),
			    0);
		CHECK_EQUAL(
			machine_invoke(&root_domain->list[SLOT], bitmap_allow_op, SLOT + 1, 0, 0),
			0);
		for (uint32_t port = 0; port < 0x10000; port++)
			CHECK(port_is_allowed(port) == (port >= first && port <= last));
		CHECK_EQUAL(machine_invoke(&root_domain->list[SLOT], bitmap_deny_op, first,
					   last - first + 1, 0),
			    0);
		CHECK(!port_is_allowed(first) && !port_is_allowed(last));
	}
}

TEST(ports_out_of_range)
{
	domain_with_ports();
	struct capability *to = &root_domain->list[SLOT];
	CHECK_EQUAL(machine_invoke(to, bitmap_allow_op, ROOT_PORTS, 0, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_self(self_narrow_op, SLOT + 1, ROOT_PORTS, 0x00200000), 0);
	CHECK_EQUAL(machine_invoke(to, bitmap_allow_op, SLOT + 1, 0, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_invoke(to, bitmap_allow_op, ROOT_THREAD, 0, 0), ERROR_KIND);
	CHECK_EQUAL(machine_invoke(to, bitmap_allow_op, SLOT + 2, 0, 0), ERROR_EMPTY);
	CHECK_EQUAL(machine_invoke(to, bitmap_deny_op, 0, 33, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_invoke(to, bitmap_deny_op, 0xFFFF, 2, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_invoke(to, bitmap_deny_op, 0x10000, 0, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_invoke(to, bitmap_deny_op, 0xFFFFFFFF, 2, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_invoke(to, bitmap_deny_op, 0xFFFF, 1, 0), 0);
}

/* ---- oneself and what lies below ------------------------------------------------------------- */
TEST(root_can_be_neither_destroyed_nor_stopped)
{
	machine_start();
	CHECK_EQUAL(destroy(frame_of(root_thread)), ERROR_STATE);
	CHECK_EQUAL(destroy(frame_of(root_domain)), ERROR_STATE);
	CHECK_EQUAL(destroy(root_domain->directory >> 12), ERROR_STATE);
	CHECK_EQUAL(machine_invoke(&root_domain->list[ROOT_THREAD], thread_stop_op, 0, 0, 0),
		    ERROR_STATE);
}

static struct thread *others[4];

/* A chain of threads above the root, all of one home, the last one running with an authority. */
static struct domain *chain_start(uint32_t count)
{
	machine_start();
	struct domain *home = domain_new(0);
	home->list[ROOT_AUTHORITY] = capability_to(CAPABILITY_AUTHORITY, OBJECT_AUTHORITY);
	for (uint32_t i = 0; i < count; i++) {
		others[i] = thread_new(home);
		thread_go(others[i]);
		machine_dispatch(others[i], 0, DEADLINE_NEVER, 0);
	}
	CHECK_EQUAL(cpu.depth, count + 1);
	return home;
}

static uint32_t destroy_from(struct domain *home, uint32_t frame)
{
	return machine_invoke(&home->list[ROOT_AUTHORITY], authority_destroy_op, frame,
			      object_table[frame].generation, 0);
}

TEST(destroying_a_thread_of_the_chain_tells_its_dispatcher)
{
	for (uint32_t which = 0; which < 4; which++) {
		struct domain *home = chain_start(4);
		destroy_from(home, frame_of(others[which]));
		CHECK(running() == (which ? others[which - 1] : root_thread));
		CHECK_EQUAL(machine.word[0], DISPATCH_ENDED);
		for (uint32_t i = which + 1; i < 4; i++)
			CHECK_EQUAL(others[i]->state, THREAD_READY);
		if (which + 1 < 4) {
			machine_dispatch(others[3], 0, DEADLINE_NEVER, 0);
			CHECK(running() == others[3] && machine.status == 0);
		}
	}
}

TEST(destroying_ones_home_ends_all_that_live_there)
{
	struct domain *home = chain_start(4);
	destroy_from(home, frame_of(home));
	CHECK(running() == root_thread);
	CHECK_EQUAL(machine.word[0], DISPATCH_ENDED);
	for (uint32_t i = 0; i < 4; i++)
		CHECK_EQUAL(others[i]->state, THREAD_STOPPED);
}

TEST(destroying_the_data_page_under_ones_feet)
{
	struct domain *home = chain_start(1);
	uint32_t data = others[0]->data[0] >> 12;
	CHECK_EQUAL(destroy_from(home, data), 0);
	CHECK(running() == others[0]);
	CHECK_EQUAL(window_table[DATA_PAGE >> 12 & 1023], 0);
}

/* Others in the chain: stopped or aborted from above. */
TEST(stopping_a_dispatcher_stops_it_and_nobody_else)
{
	for (uint32_t which = 0; which < 4; which++) {
		chain_start(4);
		struct capability to = capability_to(CAPABILITY_THREAD, frame_of(others[which]));
		machine_invoke(&to, thread_stop_op, 0, 0, 0);
		CHECK(running() == (which ? others[which - 1] : root_thread));
		CHECK_EQUAL(machine.word[0], DISPATCH_ENDED);
		CHECK_EQUAL(others[which]->state, THREAD_STOPPED);
		for (uint32_t i = which + 1; i < 4; i++)
			CHECK_EQUAL(others[i]->state, THREAD_READY);
	}
}

TEST(aborting_a_dispatcher_without_a_home_ends_it_and_nobody_else)
{
	chain_start(0);
	struct domain *home = domain_new(0), *service = domain_new(0);
	struct thread *dispatcher = thread_new(home), *above = thread_new(root_domain);
	thread_go(dispatcher);
	thread_go(above);
	machine_dispatch(dispatcher, 0, DEADLINE_NEVER, 0);
	slot_set(SLOT, door_to(service, 0));
	CHECK_EQUAL(machine_call(SLOT | OPTION_MAY_WAIT, (struct lending){0}), 0);
	machine_dispatch(above, 0, DEADLINE_NEVER, 0);
	CHECK(running() == above && cpu.depth == 3);
	object_end(frame_of(home));
	struct capability to = capability_to(CAPABILITY_THREAD, frame_of(dispatcher));
	machine_invoke(&to, thread_abort_op, 1, frame_of(service), 0);
	CHECK(running() == root_thread);
	CHECK_EQUAL(machine.word[0], DISPATCH_ENDED);
	CHECK_EQUAL(dispatcher->state, THREAD_STOPPED);
	CHECK_EQUAL(above->state, THREAD_READY);
}

TEST(aborting_a_dispatcher_in_a_service_brings_it_home)
{
	chain_start(0);
	struct domain *home = domain_new(0), *service = domain_new(0);
	struct thread *dispatcher = thread_new(home), *above = thread_new(root_domain);
	thread_go(dispatcher);
	thread_go(above);
	machine_dispatch(dispatcher, 0, DEADLINE_NEVER, 0);
	slot_set(SLOT, door_to(service, 0));
	CHECK_EQUAL(machine_call(SLOT | OPTION_MAY_WAIT, (struct lending){0}), 0);
	machine_dispatch(above, 0, DEADLINE_NEVER, 0);
	struct capability to = capability_to(CAPABILITY_THREAD, frame_of(dispatcher));
	machine_invoke(&to, thread_abort_op, 1, frame_of(service), 0);
	CHECK(running() == dispatcher && depth_of(dispatcher) == 0);
	CHECK_EQUAL(machine.status, ERROR_ABORTED);
	CHECK_EQUAL(above->state, THREAD_READY);
	CHECK_EQUAL(above->by_call, BY_CALL_HOME);
}

/* ---- lines ----------------------------------------------------------------------------------- */
TEST(line_is_masked_until_acknowledged)
{
	machine_start();
	struct thread *handler = thread_new(root_domain);
	slot_set(SLOT, capability_to(CAPABILITY_THREAD, frame_of(handler)));
	for (uint32_t line = 1; line < IRQ_LINES; line++) {
		struct capability *irq = &root_domain->list[ROOT_IRQ_FIRST + line];
		machine.pic_in_service[line / 8] = 0x80; /* 7 and 15: real ones */
		CHECK_EQUAL(machine_invoke(irq, irq_bind_op, SLOT, line, 0), 0);
		CHECK_EQUAL(machine_invoke(irq, irq_acknowledge_op, 0, 0, 0), 0);
		CHECK_EQUAL(machine.pic_mask[line / 8] >> line % 8 & 1, 0);
		machine_interrupt(line);
		CHECK_EQUAL(machine.pic_mask[line / 8] >> line % 8 & 1, 1);
		CHECK(handler->events >> line & 1);
		CHECK_EQUAL(machine_invoke(irq, irq_acknowledge_op, 0, 0, 0), 0);
		CHECK_EQUAL(machine.pic_mask[line / 8] >> line % 8 & 1, 0);
	}
}

TEST(line_is_bound_by_the_right_to_signal)
{
	machine_start();
	struct capability *irq = &root_domain->list[ROOT_IRQ_FIRST + 3];
	struct thread *handler = thread_new(root_domain);
	struct capability thread = capability_to(CAPABILITY_THREAD, frame_of(handler));
	slot_set(SLOT, thread);
	CHECK_EQUAL(machine_invoke(irq, irq_bind_op, SLOT, 32, 0), ERROR_ARGUMENT);
	root_domain->list[SLOT].badge_low = ~(1u << 9);
	CHECK_EQUAL(machine_invoke(irq, irq_bind_op, SLOT, 9, 0), ERROR_RIGHT);
	root_domain->list[SLOT] = thread;
	root_domain->list[SLOT].word &= ~(RIGHT_SIGNAL << CAPABILITY_RIGHTS_SHIFT);
	CHECK_EQUAL(machine_invoke(irq, irq_bind_op, SLOT, 9, 0), ERROR_RIGHT);
	root_domain->list[SLOT] = thread;
	CHECK_EQUAL(machine_invoke(irq, irq_bind_op, SLOT, 9, 0), 0);
	object_end(frame_of(handler));
	machine_interrupt(3); /* nobody's */
	CHECK(running() == root_thread);
	CHECK_EQUAL(machine_invoke(irq, irq_bind_op, SLOT, 9, 0), ERROR_STALE);
}

/* Nor does the local APIC's, which comes as line 15's. */
TEST(spurious_interrupts_tell_nobody)
{
	machine_timer = TIMER_APIC;
	machine_start();
	machine_timer = TIMER_PIT;
	slot_set(SLOT, capability_to(CAPABILITY_THREAD, frame_of(root_thread)));
	for (uint32_t line = 7; line < 16; line += 8) {
		struct capability *irq = &root_domain->list[ROOT_IRQ_FIRST + line];
		CHECK_EQUAL(machine_invoke(irq, irq_bind_op, SLOT, line, 0), 0);
		CHECK_EQUAL(machine_invoke(irq, irq_acknowledge_op, 0, 0, 0), 0);
		uint32_t ends = machine.pic_ends[0];
		machine.pic_in_service[0] = machine.pic_in_service[1] = 0;
		machine_interrupt(line);
		CHECK_EQUAL(root_thread->events, 0);
		CHECK_EQUAL(machine.pic_mask[line / 8] >> line % 8 & 1, 0);
		CHECK_EQUAL(machine.pic_ends[0] - ends, line == 15); /* the cascade was real */
		CHECK_EQUAL(machine.pic_ends[1], 0);
		CHECK_EQUAL(machine.apic_ends, 0);
	}
}
