/* SPDX-License-Identifier: MIT */
/* Programs that try everything a processor offers: each hurts only itself. */
#include "raw.h"

#define SLOT_ONWARD 1u /* in the list of a peer: where it calls to */

static struct client client, other;
static struct domain hostile, victim;
static uint32_t victim_door;

PEER add(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)badge_high;
	return ANSWER(operation, a + b);
}

static uint32_t other_saw;
static void other_calls(uint32_t argument)
{
	door_call(slot(victim_door).encoded, 0, argument, 1, &other_saw);
}

static void world_make(void)
{
	raw_peer_make(&hostile, "hostile", peer_entry, NULL);
	peer_make(&victim, "victim");
	victim_door = peer_door(&victim, add);
	client_make(&other, &root_domain, other_calls, 41);
}
/* Another client and its service are well. */
static void world_check(void)
{
	other_saw = 0;
	client_restart(&other, other_calls, 41);
	client_run(&other);
	CHECK_EQUAL(other_saw, 42);
}
static void world_end(void)
{
	world_check();
	client_end(&other);
	slot_give(victim_door);
	domain_end(&victim);
	domain_end(&hostile);
}

/* A thread of the hostile domain from an address on, with a value in EBX; why it ended. */
static uint32_t hostile_run(const void *code, uint32_t argument)
{
	MUST(kernel_thread_stop(slot(client.thread.object.slot)));
	thread_go(&client.thread, (uint32_t)code, 0, argument);
	return client_dispatch(&client, 0, 0, 0).reason;
}
static struct words fault_of_client(void)
{
	struct words fault;
	MUST(kernel_thread_read(slot(client.thread.object.slot), THREAD_FIELD_FAULT, &fault));
	return fault;
}
#define SMEP_BIT 0x100000u /* in the error code, on processors that have it */

TEST(forbidden_instructions_fault_and_hurt_nobody_else)
{
	world_make();
	client_make(&client, &hostile, spin, 0);
	for (uint32_t i = 0; i < hostile_case_count; i++) {
		const struct hostile_case *c = &hostile_cases[i];
		uint32_t reason = hostile_run(c->code, c->argument);
		struct words fault = fault_of_client();
		uint32_t class = c->vector == 14 ? FAULT_PAGING : FAULT_PROGRAM;
		if (class == FAULT_PAGING)
			fault.w[0] &= ~SMEP_BIT;
		if (c->vector == 10) /* its error code says what stood in the task's link */
			fault.w[0] &= 0xFFFF;
		if (reason != DISPATCH_FAULTED ||
		    fault.w[0] != (class | c->vector << 8 | c->error << 16) || fault.w[2] != c->at)
			test_note("%s: reason %u, %x at %08x", c->name, reason, fault.w[0],
				  fault.w[2]);
		CHECK_EQUAL(reason, DISPATCH_FAULTED);
		CHECK_EQUAL(fault.w[0], class | c->vector << 8 | c->error << 16);
		CHECK_EQUAL(fault.w[1], class == FAULT_PAGING ? c->argument : 0);
		CHECK_EQUAL(fault.w[2], c->at);
		world_check();
	}
	client_end(&client);
	world_end();
}

TEST(software_interrupts_reach_their_program_and_no_gate_of_the_kernel)
{
	world_make();
	client_make(&client, &hostile, spin, 0);
	for (uint32_t n = 0; n < 256; n++) {
		CHECK_EQUAL(hostile_run(interrupts[n], 0), DISPATCH_FAULTED);
		struct words fault = fault_of_client();
		uint32_t at = (uint32_t)interrupts[n];
		if (n >= SOFTWARE_INTERRUPT_FIRST) {
			CHECK_EQUAL(fault.w[0], FAULT_SOFTWARE | n << 8);
			CHECK_EQUAL(fault.w[1], n);
			CHECK_EQUAL(fault.w[2], at + 2);
		} else if (n == 3 || n == 4) {
			CHECK_EQUAL(fault.w[0], FAULT_PROGRAM | n << 8);
			CHECK_EQUAL(fault.w[2], at + 2);
		} else {
			CHECK_EQUAL(fault.w[0], FAULT_PROGRAM | 13 << 8 | (n * 8 + 2) << 16);
			CHECK_EQUAL(fault.w[2], at);
		}
	}
	client_end(&client);
	world_end();
}

/* ---- flags and segments ------------------------------------------------------------------ */
static const uint32_t odd[] = {FLAG_TRAP,
			       FLAG_NESTED_TASK,
			       FLAG_DIRECTION,
			       FLAG_ALIGNMENT,
			       FLAG_IDENTIFICATION,
			       FLAG_TRAP | FLAG_NESTED_TASK,
			       FLAG_TRAP | FLAG_DIRECTION | FLAG_ALIGNMENT,
			       FLAGS_IOPL | FLAG_INTERRUPT,
			       0,
			       FLAG_VIRTUAL_8086 | FLAG_INTERRUPT,
			       0xFFFFFFFF & ~FLAG_TRAP,
			       0xFFFFFFFF};
#define ODD (sizeof(odd) / 4)

TEST(flags_of_all_kinds_into_a_system_call_hurt_nobody)
{
	world_make();
	client_make(&client, &hostile, spin, 0);
	for (uint32_t i = 0; i < ODD; i++) {
		CHECK_EQUAL(hostile_run(odd_flags, odd[i]), DISPATCH_ENDED);
		world_check();
		CHECK_EQUAL(hostile_run(odd_flags_held, odd[i]), DISPATCH_ENDED);
		world_check();
		CHECK_EQUAL(hostile_run(odd_flags_interrupt, odd[i]), DISPATCH_FAULTED);
		world_check();
	}
	client_end(&client);
	world_end();
}

/* A trap at the kernel's entry leaves the client's flags where a task return looks for its link. */
TEST(flags_left_in_the_link_of_the_task_lead_to_no_task)
{
	world_make();
	client_make(&client, &hostile, spin, 0);
	for (uint32_t low = 0; low < 0x100; low++)
		for (uint32_t high = 0; high < 0x8000; high += 0x400) {
			CHECK_EQUAL(hostile_run(odd_flags_iret, low | high | FLAG_TRAP),
				    DISPATCH_FAULTED);
			CHECK_EQUAL(fault_of_client().w[0] & 0xFFFF, FAULT_PROGRAM | 10 << 8);
		}
	client_end(&client);
	world_end();
}

/* In a service the client's flags are as it likes, but for those that are the kernel's. */
TEST(flags_that_a_service_is_entered_with_hold_no_trap_and_no_privilege)
{
	static const uint32_t options[] = {0, OPTION_NESTED, OPTION_MAY_WAIT};
	struct domain peer;
	raw_peer_make(&peer, "snapshot", snapshot_entry, NULL);
	uint32_t door = domain_door(&peer, 0);
	for (uint32_t i = 0; i < ODD * 3; i++) {
		struct registers r = {.eax = slot(door).encoded | options[i % 3],
				      .eflags = odd[i / 3],
				      .null_segments = i & 1};
		raw_invoke(&r);
		CHECK_EQUAL(r.eax, RETURN);
		CHECK_EQUAL(snapshot.eflags & (FLAG_TRAP | FLAGS_IOPL | FLAG_VIRTUAL_8086), 0);
		CHECK(snapshot.eflags & FLAG_INTERRUPT);
		CHECK_EQUAL(r.eflags & (FLAG_TRAP | FLAGS_IOPL | FLAG_VIRTUAL_8086), 0);
		CHECK(r.eflags & FLAG_INTERRUPT);
	}
	slot_give(door);
	domain_end(&peer);
}

PEER copies(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)a, (void)b, (void)badge_high;
	static uint8_t from[8] = {1, 2, 3, 4, 5, 6, 7, 8}, to[8];
	uint32_t nothing;
	for (uint32_t i = 0; i < 8; i++)
		*(volatile uint8_t *)&to[i] = 0;
	if (try_copy(to, from, 8) || memcmp(to, from, 8) != 0 ||
	    try_load((uint32_t *)0x0BAD0000, &nothing))
		return ANSWER(1, 0);
	return ANSWER(0, 0);
}

TEST(flags_and_null_segments_do_not_disturb_services_and_operations)
{
	struct domain peer;
	peer_make(&peer, "copier");
	uint32_t door = peer_door(&peer, copies), to = slot_take();
	const struct {
		uint32_t eax, esi, edi, ebx, wanted;
	} cases[] = {
		{slot(door).encoded, 0, 0, 0, RETURN},
		{slot(door).encoded | OPTION_MAY_WAIT, 0, 0, 0, RETURN},
		{slot(door).encoded | OPTION_CAPABILITIES, 0, 0, LEND_SLOTS(door, 0, 0, 0), RETURN},
		{SLOT_SELF, self_identify_op, 0, 0, 0},
		{SLOT_SELF, self_copy_op, slot(to).encoded, ROOT_PORTS, 0},
		{SLOT_SELF, self_copy_op, SLOTS_MAX, ROOT_PORTS, ERROR_ARGUMENT},
		{ROOT_THREAD, thread_read_op, THREAD_FIELD_TIME, 0, 0},
		{ROOT_THREAD, thread_signal_op, 0, 0, 0},
		{ROOT_DOMAIN, domain_read_op, 0, 0, 0},
		{ROOT_AUTHORITY, authority_inspect_op, 0, 0, 0},
		{RESUME_SAME, 0, 0, 0, ERROR_NO_RECORD},
		{RETURN + 200, 0, 0, 0, ERROR_ARGUMENT},
	};
	for (uint32_t i = 0; i < ODD * 2; i++)
		for (uint32_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
			struct registers r = {.eax = cases[c].eax,
					      .esi = cases[c].esi,
					      .edi = cases[c].edi,
					      .ebx = cases[c].ebx,
					      .eflags = odd[i / 2],
					      .null_segments = i % 2};
			raw_invoke(&r);
			CHECK_EQUAL(r.eax, cases[c].wanted);
		}
	slot_give(to);
	slot_give(door);
	domain_end(&peer);
}

/* The thread that is dispatched goes on by IRET, with the flags of who dispatched it: NT would make
 * that a task switch. */
TEST(flags_of_a_dispatcher_do_not_disturb_the_thread_that_it_dispatches)
{
	client_make(&client, &root_domain, spin, 0);
	while (try_longer(!client_dispatch(&client, 0, soon, 0).cycles))
		;
	for (uint32_t i = 0; i < ODD * 2; i++) {
		struct registers r;
		do {
			uint64_t deadline = i % 2 ? DEADLINE_NEVER : cycles() + soon;
			r = (struct registers){.eax = slot(client.thread.object.slot).encoded,
					       .esi = thread_dispatch_op |
						      (i % 2 ? DISPATCH_STEP : 0),
					       .ebx = deadline,
					       .ebp = deadline >> 32,
					       .eflags = odd[i / 2],
					       .null_segments = i % 2};
			raw_invoke(&r);
		} while (try_longer(!r.eax && !r.edi && !r.ebx)); /* it took no time */
		CHECK_EQUAL(r.eax, 0);
		CHECK_EQUAL(r.esi, i % 2 ? DISPATCH_STEPPED : DISPATCH_DEADLINE);
	}
	client_end(&client);
}

/* Whoever runs next must not find what another left in the processor. */
static struct registers last;
static void client_leaves(uint32_t argument)
{
	(void)argument;
	raw_invoke(&last);
}

TEST(flags_and_segments_of_a_thread_are_not_its_dispatchers)
{
	enum { WAIT, SIGNAL, STOP, END, WAYS };
	const struct registers ways[WAYS] = {
		[WAIT] = {.eax = SLOT_SELF, .esi = self_wait_op, .edi = 1, .ebx = ~0u, .ebp = ~0u},
		[SIGNAL] = {.eax = ROOT_THREAD, .esi = thread_signal_op, .edi = 1},
		[STOP] = {.eax = SLOT_SELF, .esi = thread_stop_op},
		[END] = {.eax = RETURN},
	};
	static const uint32_t reasons[] = {DISPATCH_WAITING, DISPATCH_EVENT, DISPATCH_ENDED,
					   DISPATCH_ENDED};
	for (uint32_t i = 0; i < WAYS * 2; i++) {
		client_make(&client, &root_domain, client_leaves, 0);
		last = ways[i / 2];
		if (i / 2 == STOP)
			last.eax = slot(client.thread.object.slot).encoded;
		last.eflags = FLAGS_PLAIN | FLAG_DIRECTION | FLAG_NESTED_TASK;
		last.null_segments = i % 2;
		struct registers r = {.eax = slot(client.thread.object.slot).encoded,
				      .esi = thread_dispatch_op,
				      .edi = 1,
				      .ebx = ~0u,
				      .ebp = ~0u,
				      .eflags = FLAGS_PLAIN};
		raw_invoke(&r);
		CHECK_EQUAL(r.eax, 0);
		CHECK_EQUAL(r.esi, reasons[i / 2]);
		CHECK_EQUAL(r.eflags & FLAG_DIRECTION, 0);
		CHECK_EQUAL(r.ds, USER_DATA);
		CHECK_EQUAL(r.es, USER_DATA);
		client_end(&client);
	}
}

TEST(flags_and_segments_of_a_dispatcher_are_not_its_threads)
{
	uint64_t second = 1000ull * boot_record->cycles_per_ms;
	client_make(&client, &root_domain, spin, 0);
	for (uint32_t i = 0; i < 8;
	     i++) { /* each deadline later than the one before: the short way */
		uint64_t deadline = i < 2 ? DEADLINE_NEVER : cycles() + i * second;
		MUST(kernel_thread_stop(slot(client.thread.object.slot)));
		thread_go(&client.thread, (uint32_t)snapshot_entry, 0, 0); /* notes what it finds */
		struct registers r = {.eax = slot(client.thread.object.slot).encoded,
				      .esi = thread_dispatch_op,
				      .ebx = deadline,
				      .ebp = deadline >> 32,
				      .eflags = FLAGS_PLAIN | FLAG_DIRECTION | FLAG_NESTED_TASK,
				      .null_segments = i % 2};
		raw_invoke(&r);
		CHECK_EQUAL(r.eax, 0);
		CHECK_EQUAL(r.esi, DISPATCH_ENDED);
		CHECK_EQUAL(snapshot.eflags & FLAG_DIRECTION, 0);
		CHECK_EQUAL(snapshot.ds, USER_DATA);
		CHECK_EQUAL(snapshot.es, USER_DATA);
	}
	client_end(&client);
}

PEER sees_unaligned(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)a, (void)b, (void)badge_high;
	uint32_t value;
	return ANSWER(try_load((uint32_t *)(DATA_PAGE + 1), &value), 0);
}

TEST(alignment_flag_of_a_client_does_not_make_its_service_fault)
{
	struct domain peer;
	peer_make(&peer, "peer");
	uint32_t door = peer_door(&peer, sees_unaligned);
	struct registers r = {.eax = slot(door).encoded, .eflags = FLAGS_PLAIN | FLAG_ALIGNMENT};
	raw_invoke(&r);
	CHECK_EQUAL(r.eax, RETURN + 1);
	slot_give(door);
	domain_end(&peer);
}

TEST(code_can_not_be_read_by_its_segment_nor_data_segments_be_entered)
{
	uint32_t code, data, stack;
	asm volatile("mov %%cs, %0; mov %%ds, %1; mov %%ss, %2"
		     : "=r"(code), "=r"(data), "=r"(stack));
	CHECK_EQUAL(code, USER_CODE);
	CHECK_EQUAL(data, USER_DATA);
	CHECK_EQUAL(stack, USER_DATA);
	_Bool readable, writable;
	asm volatile("verr %w1; setz %0" : "=qm"(readable) : "r"(USER_CODE) : "cc");
	CHECK(!readable);
	for (uint32_t selector = 3; selector < 0x10000; selector += 4) {
		asm volatile("verr %w1; setz %0" : "=qm"(readable) : "r"(selector) : "cc");
		asm volatile("verw %w1; setz %0" : "=qm"(writable) : "r"(selector) : "cc");
		CHECK_EQUAL(readable | writable << 1, selector == USER_DATA ? 3 : 0);
	}
}

/* ---- invocations by chance --------------------------------------------------------------- */
#define FUZZ_INVOCATIONS 200000u
#define FUZZ_SLOTS       16u
#define LONELY_BASE      0x00500000u /* the only page of a domain that shares nothing */

static uint32_t fuzz_state, fuzz_count, fuzz_errors[ERRORS_END + 1], fuzz_returns;
static uint32_t chance(void)
{
	fuzz_state ^= fuzz_state << 13;
	fuzz_state ^= fuzz_state >> 17;
	fuzz_state ^= fuzz_state << 5;
	return fuzz_state;
}
static uint32_t chance_word(void)
{
	uint32_t value = chance();
	switch (chance() % 8) {
	case 0:
		return value;
	case 1:
		return value % 0x400;
	case 2:
		return value & 0x83838383;
	case 3:
		return DATA_PAGE + value % 0x2000;
	default:
		return value % 20;
	}
}
static uint32_t chance_target(void)
{
	uint32_t value = chance(), at = value % FUZZ_SLOTS;
	switch (chance() % 16) {
	case 0:
		return chance() % 64 ? RETURN | (value & 0x00F300FF) : RETURN + at;
	case 1:
		return chance();
	case 2:
		return value & 0x001F7FFF;
	case 3:
		return SLOT_LENT | (value & 3);
	case 4:
	case 5:
	case 6:
		return at | (chance() & 0x7F00);
	default:
		return at;
	}
}

static void client_fuzzes(uint32_t argument)
{
	(void)argument;
	for (;; fuzz_count++) {
		struct registers r = {.eax = chance_target(),
				      .ebx = chance_word(),
				      .ebp = chance_word(),
				      .esi = chance() % 8 ? chance() % 10 : chance_word(),
				      .edi = chance_word(),
				      .esp = chance(),
				      .eflags = chance() % 4 ? FLAGS_PLAIN : chance(),
				      .null_segments = chance() % 8 == 0};
		if (chance() % 4)
			raw_invoke(&r);
		else
			raw_invoke_at(&r);
		if ((int32_t)r.eax < 0)
			fuzz_returns++;
		else
			fuzz_errors[r.eax < ERRORS_END ? r.eax : ERRORS_END]++;
	}
}

static struct domain lonely, vault;
static struct thread lone;
static struct object fuzz_page[3];
static uint32_t fuzz_given[FUZZ_SLOTS];

static void fuzz_make(void)
{
	static const uint32_t code[] = {0x9090FEEBu, RETURN << 24 | 0xB8,
					0x340F8000}; /* spin; return */
	world_make();
	domain_entries(&hostile, (uint32_t)echo_entry, 0);
	domain_make(&lonely, "lonely", 0);
	memcpy(frame_pointer(domain_page(&lonely, LONELY_BASE)), code, sizeof(code));
	domain_entries(&lonely, LONELY_BASE + 4, 0);
	domain_make(&vault, "vault", 1);
	domain_share_image(&vault);
	domain_entries(&vault, (uint32_t)peer_entry, (uint32_t)fault_entry);
	thread_make(&lone, "lone", &lonely);
	thread_go(&lone, LONELY_BASE, 0, 0);
	client_make(&client, &hostile, client_fuzzes, 0);
	thread_data_page(&client.thread);
	fuzz_page[0] = object_make(OBJECT_DATA_PAGE, 0, 0);
	fuzz_page[1] = object_make(OBJECT_CAPABILITY_PAGE, 0, 0);
	fuzz_page[2] = object_make(OBJECT_LOCK_PAGE, 0, 0);
	uint32_t *given = fuzz_given;
	given[1] = victim_door;
	given[2] = peer_door(&vault, add);
	given[3] = slot_take();
	MUST(kernel_narrow(slot(given[3]), slot(client.thread.object.slot),
			   RIGHT_READ | RIGHT_SIGNAL | RIGHT_DISPATCH, 0xFF));
	given[4] = fuzz_page[0].slot;
	given[5] = lonely.object.slot;
	given[6] = lone.object.slot;
	given[7] = domain_door(&hostile, 0);
	given[8] = domain_door(&lonely, 0);
	given[9] = fuzz_page[1].slot;
	given[10] = fuzz_page[2].slot;
	given[11] = slot_take();
	MUST(kernel_narrow(slot(given[11]), slot(ROOT_PORTS), RIGHTS_ALL, 0x300 | 0x31F << 16));
	given[12] = slot_take();
	MUST(kernel_narrow(slot(given[12]), slot(hostile.object.slot), RIGHT_READ | RIGHT_DOOR, 0));
	given[13] = domain_door(&lonely, 1ull << 32);
}
static void fuzz_refresh(void)
{
	for (uint32_t i = 1; i < FUZZ_SLOTS; i++)
		if (fuzz_given[i])
			domain_give(&hostile, i, fuzz_given[i]);
	domain_entries(&lonely, LONELY_BASE + 4, 0);
	kernel_thread_stop(slot(lone.object.slot));
	thread_go(&lone, LONELY_BASE, 0, 0);
}
static void fuzz_end(void)
{
	client_end(&client);
	thread_end(&lone);
	for (uint32_t i = 0; i < 3; i++)
		object_end(fuzz_page[i]);
	static const uint8_t own[] = {2, 3, 7, 8, 11, 12, 13};
	for (uint32_t i = 0; i < sizeof(own); i++)
		slot_give(fuzz_given[own[i]]);
	domain_end(&vault);
	domain_end(&lonely);
	world_end();
}

static uint64_t fuzz_time(void)
{
	return time_of(client.thread.object.slot) + time_of(lone.object.slot) +
	       time_of(other.thread.object.slot);
}

TEST(invocations_by_chance_hurt_nobody_else)
{
	fuzz_make();
	fuzz_state = 0x4E6F7573;
	fuzz_count = fuzz_returns = 0;
	memset(fuzz_errors, 0, sizeof(fuzz_errors));
	struct gap begin = gap_begin(fuzz_time());
	uint32_t rounds = 0, restarts = 0, overtaken = 0;
	for (; fuzz_count < FUZZ_INVOCATIONS && rounds < FUZZ_INVOCATIONS; rounds++) {
		fuzz_refresh();
		struct dispatch_result result = client_dispatch(&client, 0, soon, 0);
		overtaken = result.cycles ? 0 : overtaken + 1;
		if (overtaken > 3) /* not by a machine that stood still once */
			try_longer(1);
		if (result.reason != DISPATCH_DEADLINE) {
			client_restart(&client, client_fuzzes, 0);
			restarts++;
		}
	}
	gap_check(begin, fuzz_time());
	CHECK(fuzz_count >= FUZZ_INVOCATIONS);
	CHECK(fuzz_returns > FUZZ_INVOCATIONS / 50);
	CHECK(fuzz_errors[0] > FUZZ_INVOCATIONS / 50);
	test_note("%u slices, %u restarts, %u returns, %u operations done", rounds, restarts,
		  fuzz_returns, fuzz_errors[0]);
	fuzz_end();
}
