/* SPDX-License-Identifier: MIT */
/* Faults: what the handler is told, how it leaves, what becomes of those that nobody handles. */
#include "raw.h"

#define SLOT_ONWARD 1u /* in the list of a peer: where it calls to */

static struct client client;
static uint32_t shared_door, shared_result;

/* ---- try and catch ----------------------------------------------------------------------- */
PEER touch(uint32_t address, uint32_t store, uint32_t b, uint32_t badge_high)
{
	(void)b, (void)badge_high;
	uint32_t value = 0;
	_Bool ok = store ? try_store((uint32_t *)address, store)
			 : try_load((uint32_t *)address, &value);
	return ANSWER(ok, value);
}

TEST(fault_is_caught_where_the_table_says)
{
	static uint32_t here = 42;
	struct domain peer;
	peer_make(&peer, "toucher");
	uint32_t door = slot(peer_door(&peer, touch)).encoded, value;
	CHECK_EQUAL(door_call(door, 0x12345000, 0, 0, NULL), RETURN + 0);
	CHECK_EQUAL(door_call(door, KERNEL_BASE + 0x100000, 0, 0, NULL), RETURN + 0);
	CHECK_EQUAL(door_call(door, 0, 1, 0, NULL), RETURN + 0);
	CHECK_EQUAL(door_call(door, TAG_PAGE, 1, 0, NULL), RETURN + 0);
	CHECK_EQUAL(door_call(door, (uint32_t)&here, 0, 0, &value), RETURN + 1);
	CHECK_EQUAL(value, 42);
	CHECK_EQUAL(door_call(door, (uint32_t)&here, 43, 0, NULL), RETURN + 1);
	CHECK_EQUAL(here, 43);
	slot_give(door);
	domain_end(&peer);
}

/* From 16 bytes before the end of the page at FAULT_TARGET, or to there. */
PEER copy_over_the_edge(uint32_t to, uint32_t from, uint32_t bytes, uint32_t badge_high)
{
	(void)badge_high;
	return ANSWER(0, try_copy((void *)to, (void *)from, bytes));
}

TEST(try_copy_tells_how_much_is_left)
{
	static uint8_t buffer[64];
	const uint32_t edge = FAULT_TARGET + PAGE_BYTES - 16;
	struct domain peer;
	peer_make(&peer, "copier");
	uint8_t *page = frame_pointer(domain_page(&peer, FAULT_TARGET));
	memset(page + PAGE_BYTES - 16, 7, 16);
	uint32_t door = slot(peer_door(&peer, copy_over_the_edge)).encoded, left;
	door_call(door, (uint32_t)buffer, edge, 16, &left);
	CHECK_EQUAL(left, 0);
	door_call(door, (uint32_t)buffer, edge, 40, &left);
	CHECK_EQUAL(left, 24);
	CHECK(buffer[15] == 7 && buffer[16] == 0);
	door_call(door, edge, (uint32_t)buffer + 8, 17, &left);
	CHECK_EQUAL(left, 1);
	CHECK(page[PAGE_BYTES - 9] == 7 && page[PAGE_BYTES - 1] == 0);
	slot_give(door);
	domain_end(&peer);
}

/* ---- what the handler is told ------------------------------------------------------------ */
static const struct registers before = {.eax = 0xA1A1A1A1,
					.ecx = 0xC2C2C2C2,
					.edx = 0xD3D3D3D3,
					.ebx = 0xB4B4B4B4,
					.ebp = 0xE5E5E5E5,
					.esi = 0x56565656,
					.edi = 0x67676767,
					.eflags = FLAGS_PLAIN | FLAG_IDENTIFICATION |
						  FLAG_ALIGNMENT | FLAG_CARRY};
static struct registers after;
static uint32_t record[RECORD_FIELDS], record_error;

static void record_read(void)
{
	record_error = 0;
	for (uint32_t i = 0; i < RECORD_FIELDS; i++)
		record_error |= kernel_record(i, &record[i]);
}

PEER faulter(uint32_t code, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)a, (void)b, (void)badge_high;
	after = before;
	fault_with(&after, (void *)code);
	return ANSWER(0, 0);
}

static void registers_compare(void)
{
	CHECK_EQUAL(after.eax, before.eax);
	CHECK_EQUAL(after.ecx, before.ecx);
	CHECK_EQUAL(after.edx, before.edx);
	CHECK_EQUAL(after.ebx, before.ebx);
	CHECK_EQUAL(after.ebp, before.ebp);
	CHECK_EQUAL(after.esi, before.esi);
	CHECK_EQUAL(after.edi, before.edi);
	CHECK_EQUAL(after.eflags, before.eflags);
	CHECK_EQUAL(after.esp, record[RECORD_ESP]);
}

static void plan(uint32_t eax, const void *edx, uint32_t ecx, void (*hook)(void))
{
	handler_plan.eax = eax;
	handler_plan.edx = (uint32_t)edx;
	handler_plan.ecx = ecx;
	handler_plan.eflags = FLAGS_PLAIN;
	handler_hook = hook;
	handler_count = 0;
}

static struct domain faulting;
static uint32_t faulting_door;
static void faulting_make(const void *handler)
{
	raw_peer_make(&faulting, "faulter", peer_entry, handler);
	faulting_door = peer_door(&faulting, faulter);
}
static void faulting_end(void)
{
	slot_give(faulting_door);
	domain_end(&faulting);
}

static const struct {
	const uint8_t *code;
	uint32_t class, vector, error, address, eip_after;
} classes[] = {
	{fault_ud2, FAULT_PROGRAM, 6, 0, 0, 0},
	{fault_store, FAULT_PAGING, 14, 6, FAULT_TARGET, 0},
	{fault_int, FAULT_SOFTWARE, 0x80, 0, 0x80, 2},
};

TEST(handler_is_told_class_address_and_place)
{
	faulting_make(handler_entry);
	plan(RESUME_AT, fault_end, 0, record_read);
	for (uint32_t i = 0; i < 6; i++) {
		uint32_t c = i % 3,
			 target = slot(faulting_door).encoded | (i < 3 ? 0 : OPTION_MAY_WAIT);
		uint32_t eip = (uint32_t)classes[c].code + classes[c].eip_after;
		CHECK_EQUAL(door_call(target, (uint32_t)classes[c].code, 0, 0, NULL), RETURN);
		CHECK_EQUAL(handler_count, i + 1);
		CHECK_EQUAL(handler_seen.eax,
			    classes[c].class | classes[c].vector << 8 | classes[c].error << 16);
		CHECK_EQUAL(handler_seen.ecx, classes[c].address);
		CHECK_EQUAL(handler_seen.edx, eip);
		CHECK_EQUAL(handler_seen.ebx, before.ebx);
		CHECK_EQUAL(handler_seen.ebp, before.ebp);
		CHECK_EQUAL(handler_seen.esi, before.esi);
		CHECK_EQUAL(handler_seen.edi, before.edi);
		CHECK_EQUAL(handler_seen.eflags, FLAGS_PLAIN);
		CHECK_EQUAL(record_error, 0);
		CHECK_EQUAL(record[RECORD_EAX], before.eax);
		CHECK_EQUAL(record[RECORD_ECX], before.ecx);
		CHECK_EQUAL(record[RECORD_EDX], before.edx);
		CHECK_EQUAL(record[RECORD_EIP], eip);
		CHECK_EQUAL(record[RECORD_EFLAGS] & 0x240CD5, before.eflags & 0x240CD5);
		CHECK_EQUAL(record[RECORD_ESP] & ~(PAGE_BYTES - 1), DATA_PAGE);
		CHECK_EQUAL(handler_seen.esp, record[RECORD_ESP] & ~15u);
	}
	faulting_end();
}

static void client_faults(uint32_t code)
{
	after = before;
	fault_with(&after, (void *)code);
}

TEST(handler_at_home_stands_on_the_data_page)
{
	faulting_make(handler_entry);
	plan(RESUME_AT, fault_end, 0, record_read);
	for (uint32_t i = 0; i < 3; i++) {
		client_make(&client, &faulting, client_faults, (uint32_t)classes[i].code);
		client_run(&client);
		CHECK_EQUAL(handler_count, i + 1);
		CHECK_EQUAL(handler_seen.esp, DATA_STACK);
		CHECK(record[RECORD_ESP] - (uint32_t)client.stack < CLIENT_STACK_BYTES);
		registers_compare();
		client_end(&client);
	}
	faulting_end();
}

/* ---- how it leaves ----------------------------------------------------------------------- */
TEST(resume_elsewhere_keeps_every_register)
{
	faulting_make(handler_entry);
	plan(RESUME_AT, fault_end, 0, record_read);
	for (uint32_t i = 0; i < 3; i++) {
		door_call(slot(faulting_door).encoded, (uint32_t)classes[i].code, 0, 0, NULL);
		registers_compare();
		door_call(slot(faulting_door).encoded | OPTION_MAY_WAIT, (uint32_t)classes[i].code,
			  0, 0, NULL);
		registers_compare();
	}
	CHECK_EQUAL(handler_count, 6);
	faulting_end();
}

TEST(resume_takes_no_flags_from_the_handler)
{
	static const uint32_t flags[] = {FLAG_NESTED_TASK, FLAG_DIRECTION, FLAG_TRAP,
					 FLAGS_IOPL | FLAG_ALIGNMENT};
	faulting_make(handler_entry);
	for (uint32_t i = 0; i < 4; i++) {
		plan(RESUME_AT, fault_end, 0, record_read);
		handler_plan.eflags = flags[i];
		door_call(slot(faulting_door).encoded, (uint32_t)fault_ud2, 0, 0, NULL);
		registers_compare();
	}
	faulting_end();
}

TEST(resume_the_same_after_a_software_interrupt_keeps_every_register)
{
	faulting_make(handler_entry);
	plan(RESUME_SAME, NULL, 0, record_read);
	door_call(slot(faulting_door).encoded, (uint32_t)fault_int, 0, 0, NULL);
	CHECK_EQUAL(handler_count, 1);
	registers_compare();
	faulting_end();
}

/* A pager: the handler asks a service, which maps the page; the store happens. Review 1.6 b. */
static struct domain *paged;
static uint32_t paged_frame;
PEER page_in(uint32_t address, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)a, (void)b, (void)badge_high;
	uint32_t nothing;
	_Bool ok = try_load((uint32_t *)0x0BAD0000, &nothing); /* a fault of its own meanwhile */
	paged_frame = domain_page(paged, address);
	return ANSWER(ok, 0);
}
static void ask_the_pager(void)
{
	record_read();
	shared_result = door_call(SLOT_ONWARD | OPTION_NESTED, FAULT_TARGET, 0, 0, NULL);
}

TEST(resume_the_same_after_a_pager_mapped_the_page)
{
	faulting_make(handler_entry);
	paged = &faulting;
	domain_entries(&root_domain, (uint32_t)peer_entry, (uint32_t)fault_entry);
	uint32_t pager = peer_door(&root_domain, page_in);
	domain_give(&faulting, SLOT_ONWARD, pager);
	for (uint32_t i = 0; i < 2; i++) {
		plan(RESUME_SAME, NULL, 0, ask_the_pager);
		uint32_t target = slot(faulting_door).encoded | (i ? OPTION_MAY_WAIT : 0);
		CHECK_EQUAL(door_call(target, (uint32_t)fault_store, 0, 0, NULL), RETURN);
		CHECK_EQUAL(handler_count, 1);
		CHECK_EQUAL(shared_result, RETURN);
		registers_compare();
		CHECK_EQUAL(*(uint32_t *)frame_pointer(paged_frame), before.esi);
		domain_unmap(&faulting, FAULT_TARGET);
		frame_give(paged_frame);
	}
	domain_entries(&root_domain, (uint32_t)fault_door_entry, (uint32_t)fault_entry);
	slot_give(pager);
	faulting_end();
}

TEST(resume_by_a_jump_sets_place_and_stack_and_keeps_the_rest)
{
	faulting_make(handler_entry);
	plan(RESUME_JUMP, fault_end, 0x12345678, record_read);
	for (uint32_t i = 0; i < 3; i++) {
		door_call(slot(faulting_door).encoded, (uint32_t)classes[i].code, 0, 0, NULL);
		CHECK_EQUAL(after.eax, 0);
		CHECK_EQUAL(after.esp, 0x12345678);
		CHECK_EQUAL(after.ebx, before.ebx);
		CHECK_EQUAL(after.ebp, before.ebp);
		CHECK_EQUAL(after.esi, before.esi);
		CHECK_EQUAL(after.edi, before.edi);
		CHECK_EQUAL(after.eflags, FLAGS_PLAIN);
	}
	CHECK_EQUAL(handler_count, 3);
	faulting_end();
}

/* Every way to leave the mark "handling" behind (review 1.7): the next fault is an ordinary one. */
PEER resume_without_fault(uint32_t target, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)a, (void)b, (void)badge_high;
	struct registers r = {.eax = target, .eflags = FLAGS_PLAIN};
	raw_invoke(&r);
	return ANSWER(0, r.eax);
}

TEST(resume_without_a_fault_is_an_error)
{
	static const struct {
		uint32_t target, error;
	} cases[] = {
		{RESUME_SAME, ERROR_NO_RECORD},
		{RESUME_AT, ERROR_NO_RECORD},
		{RESUME_JUMP, ERROR_NO_RECORD},
		{RESUME_AT | OPTION_NESTED, ERROR_ARGUMENT},
		{RESUME_SAME | OPTION_WINDOWS, ERROR_ARGUMENT},
		{RESUME_SAME | 1, ERROR_ARGUMENT},
		{RESUME_SAME | SLOT_LENT, ERROR_ARGUMENT},
		{RESUME_SAME | 1u << SLOT_BANK_SHIFT, ERROR_ARGUMENT},
		{RESUME_SAME | 1u << 30, ERROR_ARGUMENT},
	};
	faulting_make(handler_entry);
	uint32_t door = peer_door(&faulting, resume_without_fault), value;
	plan(RESUME_AT, fault_end, 0, NULL);
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		door_call(slot(faulting_door).encoded, (uint32_t)fault_ud2, 0, 0,
			  NULL); /* was handled */
		door_call(slot(door).encoded, cases[i].target, 0, 0, &value);
		CHECK_EQUAL(value, cases[i].error);
		door_call(slot(door).encoded | OPTION_MAY_WAIT, cases[i].target, 0, 0, &value);
		CHECK_EQUAL(value, cases[i].error);
	}
	uint32_t nothing;
	CHECK_EQUAL(kernel_record(RECORD_EAX, &nothing), ERROR_NO_RECORD);
	CHECK_EQUAL(kernel_record_set(RECORD_EAX, 0), ERROR_NO_RECORD);
	slot_give(door);
	faulting_end();
}

TEST(handler_may_return_from_the_call)
{
	faulting_make(handler_entry);
	plan(RETURN + 9, NULL, 0, NULL);
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t target = slot(faulting_door).encoded | (i % 2 ? OPTION_MAY_WAIT : 0);
		CHECK_EQUAL(door_call(target, (uint32_t)fault_ud2, 0, 0, NULL), RETURN + 9);
		CHECK_EQUAL(handler_count, i + 1);
	}
	faulting_end();
}

/* ---- the record -------------------------------------------------------------------------- */
static uint32_t record_errors[3];
static void record_change(void)
{
	record_errors[0] = kernel_record_set(RECORD_FIELDS, 0);
	record_errors[1] = kernel_record_set(0xFFFFFFFF, 0);
	record_errors[2] = kernel_record(RECORD_FIELDS, &record_error);
	kernel_record_set(RECORD_EAX, 1);
	kernel_record_set(RECORD_ECX, 2);
	kernel_record_set(RECORD_EDX, 3);
	kernel_record_set(RECORD_EIP, (uint32_t)fault_end);
	kernel_record_set(RECORD_ESP, 0x87654321);
	kernel_record_set(RECORD_EFLAGS, 0xFFFFFFFF);
	record_read();
}

TEST(record_can_be_changed_but_for_privileged_flags)
{
	faulting_make(handler_entry);
	for (uint32_t i = 0; i < 3; i++) {
		plan(RESUME_SAME, NULL, 0, record_change);
		door_call(slot(faulting_door).encoded, (uint32_t)classes[i].code, 0, 0, NULL);
		CHECK_EQUAL(record_errors[0], ERROR_ARGUMENT);
		CHECK_EQUAL(record_errors[1], ERROR_ARGUMENT);
		CHECK_EQUAL(record_errors[2], ERROR_ARGUMENT);
		CHECK_EQUAL(after.eax, 1);
		CHECK_EQUAL(after.ecx, 2);
		CHECK_EQUAL(after.edx, 3);
		CHECK_EQUAL(after.esp, 0x87654321);
		CHECK_EQUAL(after.ebx, before.ebx);
		uint32_t forbidden =
			FLAG_TRAP | FLAGS_IOPL | FLAG_NESTED_TASK | FLAG_VIRTUAL_8086 | 0x10000;
		CHECK_EQUAL(record[RECORD_EFLAGS] & forbidden, 0);
		CHECK_EQUAL(after.eflags & forbidden, 0);
		CHECK(after.eflags & FLAG_INTERRUPT);
		CHECK(after.eflags & FLAG_DIRECTION && after.eflags & FLAG_IDENTIFICATION);
	}
	faulting_end();
}

static void record_clear_interrupts(void)
{
	kernel_record_set(RECORD_EFLAGS, 0);
}

TEST(record_can_not_switch_interrupts_off)
{
	faulting_make(handler_entry);
	plan(RESUME_AT, fault_end, 0, record_clear_interrupts);
	door_call(slot(faulting_door).encoded, (uint32_t)fault_ud2, 0, 0, NULL);
	CHECK_EQUAL(after.eflags, FLAGS_PLAIN);
	faulting_end();
}

/* Flags as a fault found them: those that a program may have come back, and no others. */
static const void *odd_code;
static void client_odd_flags(uint32_t flags)
{
	after = before;
	after.eflags = flags;
	fault_with(&after, odd_code);
}

TEST(flags_of_the_faulting_program_come_back_without_nested_task)
{
	faulting_make(handler_entry);
	for (uint32_t i = 0; i < 3; i++) {
		plan(RESUME_AT, fault_end, 0, NULL);
		odd_code = classes[i].code;
		client_make(&client, &faulting, client_odd_flags,
			    FLAGS_PLAIN | FLAG_NESTED_TASK | FLAG_DIRECTION);
		client_run(&client);
		CHECK_EQUAL(after.eflags, FLAGS_PLAIN | FLAG_DIRECTION);
		client_end(&client);
	}
	faulting_end();
}

/* ---- faults that nobody handles ---------------------------------------------------------- */
TEST(service_without_handler_faults_and_its_caller_gets_zeros)
{
	const void *const handlers[] = {NULL, fault_ud2, (void *)0x0BAD0000};
	for (uint32_t h = 0; h < 3; h++) {
		faulting_make(handlers[h]);
		for (uint32_t i = 0; i < 6; i++) {
			struct registers r = {.eax = slot(faulting_door).encoded |
						     (i < 3 ? 0 : OPTION_MAY_WAIT),
					      .ebx = 3,
					      .ebp = 4,
					      .esi = (uint32_t)classes[i % 3].code,
					      .edi = 2,
					      .eflags = FLAGS_PLAIN};
			raw_invoke(&r);
			CHECK_EQUAL(r.eax, ERROR_CALLEE_FAULTED);
			CHECK_EQUAL(r.ebx | r.ebp | r.esi | r.edi, 0);
		}
		faulting_end();
	}
}

TEST(fault_of_the_handler_is_a_forced_return_and_the_first_is_reported)
{
	faulting_make(fault_ud2);
	uint32_t where[2] = {(uint32_t)fault_store, boot_record->root_thread};
	CHECK_EQUAL(door_call(slot(faulting_door).encoded, where[0], 0, 0, NULL),
		    ERROR_CALLEE_FAULTED);
	struct words fault;
	MUST(kernel_thread_read(slot(ROOT_THREAD), THREAD_FIELD_FAULT, &fault));
	CHECK_EQUAL(fault.w[0], FAULT_PAGING | 14 << 8 | 6 << 16);
	CHECK_EQUAL(fault.w[1], FAULT_TARGET);
	CHECK_EQUAL(fault.w[2], where[0]);
	CHECK_EQUAL(fault.w[3], faulting.object.frame);
	faulting_end();
}

TEST(fault_at_home_without_handler_stops_the_thread_and_tells_why)
{
	const void *const handlers[] = {NULL, fault_ud2};
	for (uint32_t i = 0; i < 6; i++) {
		uint32_t c = i % 3;
		struct words fault, state;
		faulting_make(handlers[i / 3]);
		client_make(&client, &faulting, client_faults, (uint32_t)classes[c].code);
		CHECK_EQUAL(client_dispatch(&client, 0, 0, 0).reason, DISPATCH_FAULTED);
		MUST(kernel_thread_read(slot(client.thread.object.slot), THREAD_FIELD_FAULT,
					&fault));
		CHECK_EQUAL(fault.w[0],
			    classes[c].class | classes[c].vector << 8 | classes[c].error << 16);
		CHECK_EQUAL(fault.w[1], classes[c].address);
		CHECK_EQUAL(fault.w[2], (uint32_t)classes[c].code + classes[c].eip_after);
		CHECK_EQUAL(fault.w[3], faulting.object.frame);
		MUST(kernel_thread_read(slot(client.thread.object.slot), THREAD_FIELD_STATE,
					&state));
		CHECK_EQUAL(state.w[0], THREAD_STOPPED);
		client_end(&client);
		faulting_end();
	}
}

/* ---- faults and single steps ------------------------------------------------------------- */
static void client_calls(uint32_t code)
{
	shared_result = 77;
	shared_result = door_call(slot(shared_door).encoded, code, 0, 0, NULL);
}

TEST(step_ends_at_a_forced_return)
{
	faulting_make(NULL);
	shared_door = faulting_door;
	client_make(&client, &root_domain, client_calls, (uint32_t)fault_ud2);
	CHECK(client_step_to_depth(&client, 1));
	CHECK(client_step_to_depth(&client, 0));
	CHECK_EQUAL(shared_result, 77);
	client_run(&client);
	CHECK_EQUAL(shared_result, ERROR_CALLEE_FAULTED);
	client_end(&client);
	faulting_end();
}

TEST(step_by_step_a_fault_is_handled_as_at_full_speed)
{
	faulting_make(handler_entry);
	plan(RESUME_AT, fault_end, 0, record_read);
	for (uint32_t i = 0; i < 3; i++) {
		client_make(&client, &faulting, client_faults, (uint32_t)classes[i].code);
		while (client_step(&client).reason == DISPATCH_STEPPED)
			;
		CHECK_EQUAL(handler_count, i + 1);
		CHECK_EQUAL(handler_seen.edx, (uint32_t)classes[i].code + classes[i].eip_after);
		after.eflags |= FLAG_INTERRUPT;
		CHECK_EQUAL(after.eax, before.eax);
		CHECK_EQUAL(after.ebx, before.ebx);
		CHECK_EQUAL(after.ebp, before.ebp);
		client_end(&client);
	}
	faulting_end();
}
