// sources: tests/host/machine/tap.c tests/host/machine/machine.c kernel/authority.c kernel/call.c
// sources: kernel/capability.c kernel/dispatch.c kernel/domain.c kernel/fault.c kernel/irq.c
// sources: kernel/thread.c kernel/x86/pic.c kernel/x86/timer.c boot/devices.c
/* SPDX-License-Identifier: MIT */
/* Activations: calls of every kind, returns, faults, and dead domains at every depth. */
#include <string.h>

#include "machine/machine.h"

#define CALLS_MAX (DEPTH_MAX - 1)
#define DOOR      50u

static const struct lending nothing;
static struct domain *home;
static struct thread *client;

/* A client with all its data pages, running. */
static void client_start(void)
{
	machine_start();
	home = domain_new(0);
	client = thread_new(home);
	for (uint32_t i = 1; i < DATA_PAGES_MAX; i++) {
		slot_set(DOOR, capability_to(CAPABILITY_PAGE, object_new(OBJECT_DATA_PAGE, 0, 0)));
		struct capability to = capability_to(CAPABILITY_THREAD, frame_of(client));
		CHECK_EQUAL(machine_invoke(&to, thread_attach_op, i, DOOR, 0), 0);
	}
	thread_go(client);
	machine_dispatch(client, 1, DEADLINE_NEVER, 0);
	CHECK(running() == client);
}

/* Back to the root thread: an interrupt sets the event that it dispatched with. */
static void client_stop(void)
{
	struct capability line = capability_to(CAPABILITY_IRQ, OBJECT_IRQ_FIRST + 5);
	slot_set(DOOR, capability_to(CAPABILITY_THREAD, frame_of(root_thread)));
	CHECK_EQUAL(machine_invoke(&line, irq_bind_op, DOOR, 0, 0), 0);
	machine_interrupt(5);
	CHECK(running() == root_thread && client->state == THREAD_READY);
	CHECK_EQUAL(machine.word[0], DISPATCH_EVENT);
}

static uint32_t enter(struct domain *domain, uint32_t options, struct lending lending)
{
	slot_set(DOOR, door_to(domain, 0));
	return machine_call(DOOR | options, lending);
}

TEST(sixteen_activations_and_no_more)
{
	static const uint32_t options[] = {0, OPTION_NESTED, OPTION_CAPABILITIES, OPTION_MAY_WAIT};
	for (uint32_t i = 0; i < 4; i++) {
		client_start();
		struct domain *service = domain_new(0);
		for (uint32_t depth = 1; depth < DEPTH_MAX; depth++)
			CHECK_EQUAL(enter(service, options[i], nothing), 0);
		CHECK_EQUAL(depth_of(client), DEPTH_MAX - 1);
		CHECK_EQUAL(enter(service, options[i], nothing), ERROR_DEPTH);
		for (uint32_t depth = DEPTH_MAX - 1; depth--;) {
			CHECK_EQUAL(machine_return(depth, 0), RETURN | depth);
			CHECK_EQUAL(depth_of(client), depth);
		}
		CHECK_EQUAL(cpu.fast_limit, FAST_LIMIT);
	}
}

TEST(return_from_home_ends_the_thread)
{
	client_start();
	machine_return(0, 0);
	CHECK(running() == root_thread && client->state == THREAD_STOPPED);
	CHECK_EQUAL(machine.word[0], DISPATCH_ENDED);
}

TEST(no_more_data_pages_than_there_are)
{
	client_start();
	struct domain *service = domain_new(0);
	for (uint32_t i = 1; i < DATA_PAGES_MAX; i++)
		CHECK_EQUAL(enter(service, OPTION_NEXT_PAGE, nothing), 0);
	CHECK_EQUAL(client->data_number, DATA_PAGES_MAX - 1);
	CHECK_EQUAL(enter(service, OPTION_NEXT_PAGE, nothing), ERROR_DATA_PAGE);
	CHECK_EQUAL(enter(service, 0, nothing), 0);
	for (uint32_t i = 0; i < DATA_PAGES_MAX; i++)
		machine_return(0, 0);
	CHECK_EQUAL(client->data_number, 0);
}

TEST(leave_to_wait_goes_down_only)
{
	client_start();
	struct domain *service = domain_new(0);
	CHECK(activation_may_wait());
	CHECK_EQUAL(enter(service, OPTION_MAY_WAIT, nothing), 0);
	CHECK(activation_may_wait());
	CHECK_EQUAL(enter(service, 0, nothing), 0);
	CHECK(!activation_may_wait());
	CHECK_EQUAL(machine_self(self_wait_op, 1, ~0u, ~0u), ERROR_NOT_ALLOWED);
	CHECK_EQUAL(enter(service, OPTION_MAY_WAIT, nothing), 0);
	CHECK(!activation_may_wait());
	machine_return(0, 0);
	machine_return(0, 0);
	CHECK(activation_may_wait());
	CHECK_EQUAL(machine_self(self_wait_op, 1, ~0u, ~0u), 0);
	CHECK(client->state == THREAD_WAITING && running() == root_thread);
}

TEST(leave_to_wait_from_a_plain_service_is_no_error)
{
	client_start();
	struct domain *service = domain_new(0);
	CHECK_EQUAL(enter(service, 0, nothing), 0);
	CHECK_EQUAL(enter(service, OPTION_MAY_WAIT, nothing), 0);
	CHECK(!activation_may_wait());
}

/* ---- results --------------------------------------------------------------------------------- */
TEST(capabilities_are_returned_to_designated_slots)
{
	client_start();
	struct domain *service = domain_new(0);
	struct lending results = {.results = 10 | 0u << 8 | 12u << 16 | 200u << 24};
	CHECK_EQUAL(enter(service, OPTION_RESULTS, results), 0);
	for (uint32_t i = 1; i <= 4; i++)
		slot_set(i, door_to(service, i));
	CHECK_EQUAL(machine_return(9, 1 | 2 << 8 | 3 << 16 | 4u << 24), RETURN | 9);
	CHECK_EQUAL(home->list[10].badge_low, 1);
	CHECK_EQUAL(home->list[12].badge_low, 3);
	CHECK_EQUAL(capability_kind(&home->list[SLOT_SELF]), CAPABILITY_SELF);
	for (uint32_t i = 1; i < LIST_SLOTS; i++)
		CHECK(i == 10 || i == 12 || i == DOOR || !home->list[i].word);
}

TEST(capabilities_that_nobody_asked_for_stay)
{
	client_start();
	struct domain *service = domain_new(0);
	CHECK_EQUAL(enter(service, 0, nothing), 0);
	CHECK_EQUAL(machine_return(0, 1), ERROR_ARGUMENT);
	CHECK_EQUAL(enter(service, OPTION_MAY_WAIT, (struct lending){.results = 5}), 0);
	CHECK_EQUAL(machine_return(0, 1), ERROR_ARGUMENT);
	CHECK_EQUAL(depth_of(client), 2);
	CHECK_EQUAL(machine_return(0, 0), RETURN);
}

TEST(what_was_lent_is_returned_only_if_it_was_to_keep)
{
	for (uint32_t keep = 0; keep < 2; keep++) {
		client_start();
		struct domain *service = domain_new(0);
		struct lending lending = {.capabilities = DOOR, .results = 11};
		uint32_t options = OPTION_RESULTS | OPTION_CAPABILITIES | (keep ? OPTION_KEEP : 0);
		CHECK_EQUAL(enter(service, options, lending), 0);
		CHECK_EQUAL(machine_return(0, 0xFF), ERROR_EMPTY);
		CHECK_EQUAL(machine_return(0, SLOT_LENT), keep ? RETURN : ERROR_TRANSIENT);
		CHECK_EQUAL(home->list[11].word != 0, keep);
	}
}

TEST(results_for_a_dead_caller_are_lost_without_harm)
{
	client_start();
	struct domain *middle = domain_new(0), *service = domain_new(0);
	CHECK_EQUAL(enter(middle, 0, nothing), 0);
	CHECK_EQUAL(enter(service, OPTION_RESULTS, (struct lending){.results = 7}), 0);
	object_end(frame_of(middle));
	CHECK_EQUAL(depth_of(client), 2);
	CHECK_EQUAL(machine_return(5, 1), ERROR_CALLEE_DESTROYED);
	CHECK_EQUAL(depth_of(client), 0);
}

/* ---- stacks of every mixture ----------------------------------------------------------------- */
/* What was before each call and must be so again after it, however it ended. */
static struct before {
	struct domain *domain;
	uint32_t frame, fast_limit, data_number, windows[2];
	bool confidential;
} before[DEPTH_MAX + 1];
static uint32_t deep;

static uint32_t window_now(uint32_t number)
{
	return directory_of(cpu.running_domain)[(WINDOW_0 >> 22) + number];
}

static void before_note(void)
{
	before[deep].domain = cpu.running_domain;
	before[deep].frame = frame_of(cpu.running_domain);
	before[deep].fast_limit = cpu.fast_limit;
	before[deep].data_number = client->data_number;
	before[deep].windows[0] = window_now(0);
	before[deep].windows[1] = window_now(1);
}

static uint32_t table_lendable(struct domain *domain, uint32_t index)
{
	uint32_t *entry = &directory_of(domain)[index];
	if (!*entry)
		*entry = object_new(OBJECT_TABLE, 0, 0) << 12 | ENTRY_PRESENT | ENTRY_USER;
	return index;
}

static void call_random(struct domain *next)
{
	struct lending lending = {.results = random_number()};
	uint32_t options = 0;
	if (random_below(2))
		options |= random_below(0x80) << 8 & ~(OPTION_RESUME | OPTION_NEXT_PAGE);
	if (random_below(4) == 0 && client->data_number + 1 < DATA_PAGES_MAX)
		options |= OPTION_NEXT_PAGE;
	if (options & OPTION_WINDOWS)
		lending.windows =
			table_lendable(cpu.running_domain, 3) |
			(random_below(2) ? table_lendable(cpu.running_domain, 4) << 16 : 0);
	if (random_below(4) == 0) {
		cpu.running_domain->set[DOMAIN_FAULT_ENTRY] = IMAGE_BASE;
		machine_trap(VECTOR_PAGE_FAULT, 4, IMAGE_BASE);
		CHECK(running() == client && !cpu.fast_limit);
	}
	before_note();
	CHECK_EQUAL(enter(next, options, lending), 0);
	deep++;
	before[deep].confidential = next->confidential;
}

static void stack_random(void)
{
	client_start();
	uint32_t depth = 1 + random_below(CALLS_MAX);
	deep = 0;
	while (deep < depth)
		call_random(random_below(5) ? domain_new(random_below(5) == 0) : home);
	before_note();
	CHECK_EQUAL(depth_of(client), depth);
}

static bool is_alive(uint32_t depth)
{
	uint32_t page = object_table[before[depth].frame].page;
	return page && (page & OBJECT_KIND_MASK) == OBJECT_DOMAIN;
}

static void domains_destroy(bool top)
{
	uint32_t last = top ? deep : deep - 1;
	for (uint32_t i = 0; i <= last; i++)
		if (is_alive(i) && before[i].domain != root_domain && random_below(3) == 0 &&
		    (top || before[i].domain != before[deep].domain))
			object_end(before[i].frame);
}

static uint32_t alive_below(uint32_t depth)
{
	while (depth-- > 0)
		if (is_alive(depth))
			return depth;
	return DEPTH_MAX;
}

/* The client runs at `depth` again, as it was before the call that ended. */
static void check_back_at(uint32_t depth, uint32_t status)
{
	CHECK(running() == client);
	CHECK_EQUAL(depth_of(client), depth);
	CHECK_EQUAL(machine.status, status);
	CHECK(cpu.running_domain == before[depth].domain);
	CHECK_EQUAL(cpu.fast_limit, before[depth].fast_limit);
	CHECK_EQUAL(client->data_number, before[depth].data_number);
	for (uint32_t i = 0; i < 2; i++)
		CHECK_EQUAL(window_now(i), before[depth].windows[i]);
	for (uint32_t i = 0; i < 4; i++)
		CHECK_EQUAL(machine.word[i], 0);
	for (uint32_t i = depth + 1; i <= deep; i++)
		if (before[i].confidential) /* what it wrote to is nobody's */
			CHECK(!client->data[before[i].data_number] &&
			      !client->data[before[i].data_number + 1]);
}

static void check_ended(void)
{
	CHECK(running() == root_thread && client->state == THREAD_STOPPED);
	CHECK_EQUAL(machine.word[0], DISPATCH_ENDED);
}

TEST(dead_domains_are_skipped_when_the_thread_goes_on)
{
	for (uint32_t round = 0; round < 1500; round++) {
		stack_random();
		client_stop();
		domains_destroy(true);
		uint32_t to = is_alive(deep) ? deep : alive_below(deep);
		machine_dispatch(client, 1, DEADLINE_NEVER, 0);
		if (to == DEPTH_MAX)
			check_ended();
		else if (to == deep)
			CHECK(machine.left == LEFT_BY_TRAP && depth_of(client) == deep);
		else
			check_back_at(to, ERROR_CALLEE_DESTROYED);
	}
}

TEST(dead_callers_are_skipped_on_return)
{
	for (uint32_t round = 0; round < 1500; round++) {
		stack_random();
		client_stop();
		domains_destroy(false);
		machine_dispatch(client, 1, DEADLINE_NEVER, 0);
		CHECK_EQUAL(depth_of(client), deep);
		uint32_t to = alive_below(deep);
		bool next_dies = !is_alive(deep - 1);
		machine_return(7, 0);
		if (to == DEPTH_MAX)
			check_ended();
		else if (next_dies)
			check_back_at(to, ERROR_CALLEE_DESTROYED);
		else
			CHECK(depth_of(client) == to && machine.status == (RETURN | 7));
	}
}

TEST(uncaught_faults_go_to_the_next_living_caller)
{
	for (uint32_t round = 0; round < 1500; round++) {
		stack_random();
		client_stop();
		domains_destroy(false);
		machine_dispatch(client, 1, DEADLINE_NEVER, 0);
		uint32_t to = alive_below(deep);
		bool next_dies = !is_alive(deep - 1);
		cpu.running_domain->set[DOMAIN_FAULT_ENTRY] = 0;
		machine.fault_address = 0x1234;
		machine_trap(VECTOR_PAGE_FAULT, 4, IMAGE_BASE);
		CHECK_EQUAL(client->fault[1], 0x1234);
		if (to == DEPTH_MAX)
			CHECK(running() == root_thread && machine.word[0] == DISPATCH_FAULTED);
		else
			check_back_at(to,
				      next_dies ? ERROR_CALLEE_DESTROYED : ERROR_CALLEE_FAULTED);
	}
}

TEST(abort_pops_down_to_a_living_caller)
{
	for (uint32_t round = 0; round < 1500; round++) {
		stack_random();
		client_stop();
		domains_destroy(true);
		uint32_t depth = 1 + random_below(deep), to = alive_below(depth);
		struct capability thread = capability_to(CAPABILITY_THREAD, frame_of(client));
		CHECK_EQUAL(machine_invoke(&thread, thread_abort_op, depth, before[depth].frame, 0),
			    0);
		CHECK_EQUAL(client->state, to == DEPTH_MAX ? THREAD_STOPPED : THREAD_READY);
		if (to == DEPTH_MAX)
			continue;
		machine_dispatch(client, 1, DEADLINE_NEVER, 0);
		bool aborted = to + 1 == depth; /* else it is told of a dead one in between */
		check_back_at(to, aborted ? ERROR_ABORTED : ERROR_CALLEE_DESTROYED);
	}
}

TEST(abort_by_oneself)
{
	for (uint32_t round = 0; round < 500; round++) {
		stack_random();
		uint32_t depth = 1 + random_below(deep);
		struct capability thread = capability_to(CAPABILITY_THREAD, frame_of(client));
		machine_invoke(&thread, thread_abort_op, depth, before[depth].frame, 0);
		check_back_at(depth - 1, ERROR_ABORTED);
	}
}

TEST(abort_names_depth_and_callee)
{
	stack_random();
	client_stop();
	struct capability thread = capability_to(CAPABILITY_THREAD, frame_of(client));
	static const uint32_t depths[] = {0, DEPTH_MAX, 0x2000000, 0xFFFFFFFF};
	for (uint32_t i = 0; i < 4; i++)
		CHECK_EQUAL(
			machine_invoke(&thread, thread_abort_op, depths[i], before[deep].frame, 0),
			ERROR_ARGUMENT);
	CHECK_EQUAL(machine_invoke(&thread, thread_abort_op, deep + 1, before[deep].frame, 0),
		    ERROR_ARGUMENT);
	CHECK_EQUAL(machine_invoke(&thread, thread_abort_op, deep, before[deep].frame + 1, 0),
		    ERROR_ARGUMENT);
	CHECK_EQUAL(
		machine_invoke(&thread, thread_abort_op, deep, before[deep].frame | 0x20000000, 0),
		ERROR_ARGUMENT);
	CHECK_EQUAL(depth_of(client), deep);
}

TEST(abort_of_a_stopped_thread_is_refused_and_a_start_begins_at_home)
{
	stack_random();
	client_stop();
	struct capability thread = capability_to(CAPABILITY_THREAD, frame_of(client));
	CHECK_EQUAL(machine_invoke(&thread, thread_stop_op, 0, 0, 0), 0);
	CHECK_EQUAL(machine_invoke(&thread, thread_abort_op, deep, before[deep].frame, 0),
		    ERROR_STATE);
	while (client->top != ACTIVATION_HOME) /* what the machine's stack mark needs */
		thread_pop(client, 0, ERROR_ABORTED);
	thread_go(client);
	CHECK_EQUAL(depth_of(client), 0);
	CHECK_EQUAL(client->data_number, 0);
	CHECK_EQUAL(client->fast_limit, FAST_LIMIT);
	CHECK_EQUAL(machine_invoke(&thread, thread_start_op, 0, 0, 0), ERROR_STATE);
}

/* ---- windows --------------------------------------------------------------------------------- */
TEST(only_registered_tables_can_be_lent)
{
	client_start();
	struct domain *service = domain_new(0);
	uint32_t *entries = directory_of(home);
	uint32_t data = object_new(OBJECT_DATA_PAGE, 0, 0);
	uint32_t table = object_new(OBJECT_TABLE, 0, 0);
	entries[3] = table << 12 | ENTRY_PRESENT | ENTRY_USER | ENTRY_WRITE;
	entries[4] = data << 12 | ENTRY_PRESENT | ENTRY_USER;
	entries[5] = table << 12 | ENTRY_PRESENT | ENTRY_LARGE;
	entries[6] = table << 12 | 0x40000000;
	for (uint32_t i = 4; i < 8; i++) {
		CHECK_EQUAL(enter(service, OPTION_WINDOWS, (struct lending){.windows = i}),
			    ERROR_WINDOW);
		CHECK_EQUAL(
			enter(service, OPTION_WINDOWS, (struct lending){.windows = i << 16 | 3}),
			ERROR_WINDOW);
	}
	CHECK_EQUAL(enter(service, OPTION_WINDOWS, (struct lending){.windows = 3 << 16}), 0);
	CHECK_EQUAL(window_now(0), 0);
	CHECK_EQUAL(window_now(1), entries[3]);
}

TEST(window_goes_with_its_table)
{
	client_start();
	struct domain *service = domain_new(0);
	uint32_t index = table_lendable(home, 9), table = directory_of(home)[index] >> 12;
	CHECK_EQUAL(
		enter(service, OPTION_WINDOWS, (struct lending){.windows = index | index << 16}),
		0);
	CHECK(window_now(0) && window_now(1));
	object_end(table); /* by the thread that stands on it */
	CHECK(running() == client && depth_of(client) == 1);
	CHECK(!window_now(0) && !window_now(1));
	CHECK_EQUAL(object_new(OBJECT_TABLE, 0, 0), table);
	client_stop();
	machine_dispatch(client, 1, DEADLINE_NEVER, 0);
	CHECK(!window_now(0) && !window_now(1));
	CHECK_EQUAL(enter(service, 0, nothing), 0);
	CHECK_EQUAL(machine_return(0, 0), RETURN);
	CHECK(!window_now(0) && !window_now(1));
}

/* ---- faults ---------------------------------------------------------------------------------- */
TEST(fault_record_is_that_of_the_first_fault)
{
	client_start();
	home->set[DOMAIN_FAULT_ENTRY] = 0x00500000;
	CHECK_EQUAL(machine_self(self_record_op, RECORD_EIP, 0, 0), ERROR_NO_RECORD);
	CHECK_EQUAL(machine_self(self_record_set_op, RECORD_EIP, 0, 0), ERROR_NO_RECORD);
	machine.fault_address = 0x00ABC000;
	machine_trap(VECTOR_PAGE_FAULT, 6, 0x00401234);
	CHECK(running() == client);
	CHECK_EQUAL(machine.trap.eax, FAULT_PAGING | VECTOR_PAGE_FAULT << 8 | 6u << 16);
	CHECK_EQUAL(machine.trap.ecx, 0x00ABC000);
	CHECK_EQUAL(machine.trap.edx, 0x00401234);
	CHECK_EQUAL(machine.trap.eip, 0x00500000);
	CHECK_EQUAL(machine.trap.esp, DATA_STACK);
	CHECK_EQUAL(machine_self(self_record_op, RECORD_EIP, 0, 0), 0);
	CHECK_EQUAL(machine.word[0], 0x00401234);
	CHECK_EQUAL(machine_self(self_record_op, RECORD_FIELDS, 0, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_self(self_record_set_op, RECORD_FIELDS, 0, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_self(self_record_set_op, RECORD_EFLAGS, 0xFFFFFFFF, 0), 0);
	CHECK_EQUAL(machine_self(self_record_op, RECORD_EFLAGS, 0, 0), 0);
	CHECK_EQUAL(machine.word[0], FLAGS_USER | FLAGS_START);
	CHECK_EQUAL(machine_resume(), 0);
	CHECK_EQUAL(cpu.fast_limit, FAST_LIMIT);
	CHECK_EQUAL(machine_resume(), ERROR_NO_RECORD);
}

TEST(fault_in_a_handler_is_a_forced_return)
{
	client_start();
	struct domain *service = domain_new(0);
	service->set[DOMAIN_FAULT_ENTRY] = 0x00500000;
	CHECK_EQUAL(enter(service, 0, nothing), 0);
	machine_trap(13, 0, 0x00401000);
	CHECK_EQUAL(machine.trap.eax, FAULT_PROGRAM | 13 << 8);
	machine_trap(0x80, 0, 0x00500002);
	CHECK_EQUAL(machine.status, ERROR_CALLEE_FAULTED);
	CHECK_EQUAL(depth_of(client), 0);
	CHECK_EQUAL(client->fault[2], 0x00401000);
	CHECK_EQUAL(client->fault[3], service->self.word);
	CHECK_EQUAL(cpu.fast_limit, FAST_LIMIT);
}

TEST(fault_at_home_stops_the_thread)
{
	client_start();
	machine_trap(0x80, 0, 0x00401000);
	CHECK(running() == root_thread && client->state == THREAD_STOPPED);
	CHECK_EQUAL(machine.word[0], DISPATCH_FAULTED);
	struct capability thread = capability_to(CAPABILITY_THREAD, frame_of(client));
	CHECK_EQUAL(machine_invoke(&thread, thread_read_op, THREAD_FIELD_FAULT, 0, 0), 0);
	CHECK_EQUAL(machine.word[0], FAULT_SOFTWARE | 0x80 << 8);
	CHECK_EQUAL(machine.word[1], 0x80);
	CHECK_EQUAL(machine.word[2], 0x00401000);
	CHECK_EQUAL(machine.word[3], frame_of(home));
	CHECK_EQUAL(machine_invoke(&thread, thread_read_op, THREAD_FIELDS, 0, 0), ERROR_ARGUMENT);
}

/* ---- rollforward ----------------------------------------------------------------------------- */
TEST(section_is_lost_when_another_has_the_lock)
{
	client_start();
	client_stop();
	uint32_t lock = object_new(OBJECT_LOCK_PAGE, 0, 0);
	struct lock_page *page = page_of(lock);
	struct capability domain = capability_to(CAPABILITY_DOMAIN, frame_of(home));
	slot_set(DOOR, capability_to(CAPABILITY_PAGE, lock));
	CHECK_EQUAL(machine_invoke(&domain, domain_attach_op, 0, DOOR, 0), 0);
	home->set[DOMAIN_SECTION_START] = IMAGE_BASE - 8;
	home->set[DOMAIN_SECTION_BYTES] = 64;
	for (uint32_t mine = 0; mine < 3; mine++) {
		machine_dispatch(client, 1, DEADLINE_NEVER, 0);
		client_stop(); /* at IMAGE_BASE */
		page->owner = mine == 1 ? client->self.word : mine ? 8 : 0;
		machine_dispatch(client, 1, DEADLINE_NEVER, 0);
		if (mine == 1) {
			CHECK_EQUAL(machine.trap.eip, IMAGE_BASE);
		} else {
			CHECK_EQUAL(machine.trap.eip, IMAGE_BASE + 56);
			CHECK_EQUAL(machine.trap.eax, IMAGE_BASE);
		}
		client_stop();
	}
	page->owner = client->self.word;
	object_end(lock); /* nobody's then */
	machine_dispatch(client, 1, DEADLINE_NEVER, 0);
	CHECK_EQUAL(machine.trap.eip, IMAGE_BASE + 56);
}
