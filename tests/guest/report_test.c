/* SPDX-License-Identifier: MIT */
/* Fault reports: which service, where, why, on whose thread, through which door; and who pays. */
#include "raw.h"
#include "scheduler.h"

#define SLOT_ONWARD 1u /* in the list of a peer: where it calls to */
#define COLUMNS     80u

static struct client client;
static struct domain service; /* the serial port's program, without its ports */
static char told[2048];
static uint32_t told_bytes, told_times, shared_result;

/* In place of the serial service: what is said to it. */
PEER listen(uint32_t operation, uint32_t bytes, uint32_t b, uint32_t badge_high)
{
	(void)b, (void)badge_high;
	if (operation != serial_write_op)
		return ANSWER(0, 0);
	told_times++;
	for (uint32_t i = 0; i < bytes && told_bytes + 1 < sizeof(told); i++)
		told[told_bytes++] = ((const char *)parameters())[i];
	told[told_bytes] = 0;
	return ANSWER(0, 0);
}

static struct domain listener;
static uint32_t own_console, own_screen;

static void listen_begin(void)
{
	peer_make(&listener, "listener");
	own_console = console_slot;
	own_screen = screen_slot;
	console_slot = peer_door(&listener, listen);
	screen_slot = 0;
	told[0] = 0;
	told_bytes = told_times = 0;
}

static void listen_end(void)
{
	slot_give(console_slot);
	console_slot = own_console;
	screen_slot = own_screen;
	domain_end(&listener);
}

static _Bool says(const char *what)
{
	for (const char *at = told; *at; at++)
		if (!memcmp(at, what, strlen(what)))
			return 1;
	test_note("it does not say `%s`: %s", what, told);
	return 0;
}

static _Bool fits_the_screen(void)
{
	uint32_t column = 0;
	for (const char *at = told; *at; at++) {
		column = *at == '\n' ? 0 : column + 1;
		if (column >= COLUMNS)
			return 0;
	}
	return column == 0 && told_bytes;
}

/* The lines begin so, in this order, and there are no more. */
static _Bool says_lines(const char *const *lines, uint32_t count)
{
	const char *at = told;
	for (uint32_t i = 0; i < count; i++) {
		if (memcmp(at, lines[i], strlen(lines[i])) != 0) {
			test_note("line %u is not `%s`: %s", i, lines[i], told);
			return 0;
		}
		while (*at && *at++ != '\n')
			;
	}
	return !*at;
}
#define SAYS_LINES(...)                                \
	says_lines((const char *const[]){__VA_ARGS__}, \
		   sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* Is the place behind `what` inside the function? */
static _Bool names(const char *what, const void *function)
{
	for (const char *at = told; *at; at++) {
		if (memcmp(at, what, strlen(what)) != 0)
			continue;
		uint32_t place = 0;
		for (at += strlen(what); *at != ' ' && *at != '\n'; at++)
			place = place << 4 | (uint32_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
		return place - (uint32_t)function < 100;
	}
	return 0;
}

static void told_print(void)
{
	char line[COLUMNS];
	uint32_t length = 0;
	for (const char *at = told; *at; at++) {
		line[length] = *at == '\n' ? 0 : *at;
		length = *at == '\n' ? 0 : (length + 1) % COLUMNS;
		if (*at == '\n')
			test_note("%s", line);
	}
}

static void service_begin(void)
{
	domain_make(&service, "impostor", 0);
	domain_load(&service, "serial");
}

static void call_it(uint32_t door)
{
	shared_result = door_call(door, serial_write_op, 1, 0, NULL);
}

/* It reads a port that it does not have. */
TEST(service_that_faults_is_named_with_thread_door_and_place)
{
	service_begin();
	uint32_t door = domain_door(&service, 0x1234567890ABCDEFu);
	client_make(&client, &root_domain, call_it, slot(door).encoded);
	listen_begin();
	client_run(&client);
	listen_end();
	CHECK_EQUAL(shared_result, ERROR_CALLEE_FAULTED);
	CHECK_EQUAL(told_times, 1);
	CHECK(says("FAULT in impostor at 00400"));
	CHECK(says(" (serial_write_entry+"));
	CHECK(says("program error, vector 13\n"));
	CHECK(says("thread client of root, door badge 1234567890abcdef\n"));
	CHECK(says("called from root at 004"));
	CHECK(says(" (call_it+"));
	CHECK(fits_the_screen());
	client_end(&client);
	slot_give(door);
	domain_end(&service);
}

PEER poke(uint32_t address, uint32_t b, uint32_t c, uint32_t badge_high)
{
	(void)b, (void)c, (void)badge_high;
	*(volatile uint32_t *)address = 1;
	return ANSWER(0, 0);
}

TEST(service_that_faults_is_named_with_the_address)
{
	struct domain peer;
	peer_make(&peer, "poker");
	fault_door_give(&peer);
	uint32_t door = peer_door(&peer, poke);
	listen_begin();
	shared_result = door_call(slot(door).encoded, FAULT_TARGET, 0, 0, NULL);
	listen_end();
	CHECK_EQUAL(shared_result, ERROR_CALLEE_FAULTED);
	CHECK(says("FAULT in poker at 004"));
	CHECK(says("page fault, vector 14, writing 08001000\n"));
	CHECK(says("thread root of root, door badge ?\n")); /* peer_entry does not leave it */
	CHECK(fits_the_screen());
	slot_give(door);
	domain_end(&peer);
}

/* Two doors on one stack page: it is the inner one that is named. */
PEER forward(uint32_t a, uint32_t b, uint32_t c, uint32_t badge_high)
{
	(void)a, (void)b, (void)c, (void)badge_high;
	shared_result = door_call(SLOT_ONWARD | OPTION_NESTED, serial_write_op, 1, 0, NULL);
	return ANSWER(7, 0);
}

TEST(service_that_faults_in_a_nested_call_is_named_with_its_own_door)
{
	struct domain peer;
	service_begin();
	peer_make(&peer, "peer");
	uint32_t inner = domain_door(&service, 0xB), outer = peer_door(&peer, forward);
	domain_give(&peer, SLOT_ONWARD, inner);
	listen_begin();
	uint32_t result = door_call(slot(outer).encoded, 0, 0, 0, NULL);
	listen_end();
	CHECK_EQUAL(result, RETURN + 7);
	CHECK_EQUAL(shared_result, ERROR_CALLEE_FAULTED);
	CHECK_EQUAL(told_times, 1);
	CHECK(says("FAULT in impostor "));
	CHECK(says("door badge b\n"));
	CHECK(says("called from peer at 004"));
	CHECK(says(" (forward+"));
	slot_give(inner);
	slot_give(outer);
	domain_end(&peer);
	domain_end(&service);
}

/* ---- who called whom ------------------------------------------------------------------------ */
#define APART __attribute__((noinline, noclone)) /* so that there is something to return to */
#define STAYS asm volatile("" ::: "memory")      /* ... and it is no jump */

APART static void poke_deep(uint32_t address)
{
	*(volatile uint32_t *)address = 1;
	STAYS;
}
OPERATION static uint64_t do_poke(uint32_t badge, uint32_t address, uint32_t b, uint32_t high)
{
	poke_deep(address);
	return ANSWER(0, 0);
}

APART static uint32_t forward_deep(uint32_t operation, uint32_t address, uint32_t options)
{
	uint32_t result = door_call(SLOT_ONWARD | options, operation, address, 0, NULL);
	STAYS;
	return result;
}
OPERATION static uint64_t do_forward(uint32_t badge, uint32_t address, uint32_t options,
				     uint32_t high)
{
	uint32_t result = forward_deep(0, address, options);
	STAYS;
	return ANSWER(result == ERROR_CALLEE_FAULTED ? 7 : 8, 0);
}
/* As often as the badge says, each time by a door to itself in the slot of that number. */
OPERATION static uint64_t do_descend(uint32_t badge, uint32_t address, uint32_t b, uint32_t high)
{
	uint32_t onward = badge > 2 ? badge - 1 : SLOT_ONWARD;
	door_call(onward | OPTION_NESTED, badge > 2 ? 2 : 0, address, 0, NULL);
	STAYS;
	return ANSWER(7, 0);
}

/* The entry of services leaves badges and return places; peer_entry does not. */
SERVICE_OPERATIONS(do_poke, do_forward, do_descend)
extern const char service_answer[];

static void service_of_ours(struct domain *domain, const char *name)
{
	peer_make(domain, name);
	domain_entries(domain, (uint32_t)service_entry, (uint32_t)fault_entry);
	domain->answer = (uint32_t)service_answer;
	fault_door_give(domain);
}

static uint32_t call_options; /* of the service's own call */
static void call_forward(uint32_t door)
{
	shared_result = door_call(door, 1, FAULT_TARGET, call_options, NULL);
	STAYS;
}

static uint32_t stack_before;
static void call_forward_from_its_page(uint32_t door)
{
	asm volatile("mov %%esp, %0\n\tmov %1, %%esp\n\tpush %2\n\tcall *%3\n\tmov %0, %%esp"
		     : "+m"(stack_before)
		     : "i"(DATA_STACK), "r"(door | OPTION_NESTED), "r"(call_forward)
		     : "eax", "ecx", "edx", "memory");
}

static void fault_behind_two_doors(client_function *function, uint32_t options)
{
	struct domain middle, poker;
	service_of_ours(&middle, "middle");
	service_of_ours(&poker, "poker");
	uint32_t outer = domain_door(&middle, 0xA), inner = domain_door(&poker, 0xB);
	domain_give(&middle, SLOT_ONWARD, inner);
	client_make(&client, &root_domain, function, slot(outer).encoded);
	if (options == OPTION_NEXT_PAGE)
		thread_data_page(&client.thread);
	call_options = options;
	listen_begin();
	client_run(&client);
	listen_end();
	client_end(&client);
	slot_give(inner);
	slot_give(outer);
	domain_end(&poker);
	domain_end(&middle);
}

TEST(service_that_faults_is_told_with_all_who_called_it)
{
	fault_behind_two_doors(call_forward_from_its_page, OPTION_NESTED);
	CHECK_EQUAL(shared_result, RETURN + 7);
	CHECK_EQUAL(told_times, 1);
	CHECK(SAYS_LINES("FAULT in poker at 004", "  page fault, vector 14, writing 08001000",
			 "  thread client of root, door badge b", "  likely from poker at 004",
			 "  called from middle at 004", "  likely from middle at 004",
			 "  called from root at 004", "  perhaps from root at 004"));
	CHECK(names("FAULT in poker at ", (const void *)poke_deep));
	CHECK(names("  likely from poker at ", (const void *)do_poke));
	CHECK(names("  called from middle at ", (const void *)forward_deep));
	CHECK(names("  likely from middle at ", (const void *)do_forward));
	CHECK(names("  called from root at ", (const void *)call_forward));
	CHECK(names("  perhaps from root at ", (const void *)call_forward_from_its_page));
	CHECK(says(" (poke_deep+") && says(" (do_poke+") && says(" (forward_deep+"));
	told_print(); /* the example in docs/debugging.md */
	CHECK(says(" (do_forward+") && says(" (call_forward+"));
	CHECK(fits_the_screen());
}

#define DEEP 12u /* its calls; with home, poker, the root program and its listener there are 16 */
TEST(service_that_faults_sixteen_deep_is_told_with_all_who_called_it)
{
	struct domain middle, poker;
	service_of_ours(&middle, "middle");
	service_of_ours(&poker, "poker");
	uint32_t inner = domain_door(&poker, 0xB), door = 0, lines = 0;
	domain_give(&middle, SLOT_ONWARD, inner);
	for (uint32_t i = 2; i < 2 + DEEP; i++) {
		door = domain_door(&middle, i);
		domain_give(&middle, i, door);
		slot_give(door);
	}
	door = domain_door(&middle, 1 + DEEP);
	listen_begin();
	shared_result = door_call(slot(door).encoded, 2, FAULT_TARGET, 0, NULL);
	listen_end();
	CHECK_EQUAL(shared_result, RETURN + 7);
	CHECK(says("FAULT in poker at 004"));
	for (const char *at = told; *at; at++)
		lines += !memcmp(at, "\n  called from middle at 004", 28);
	CHECK_EQUAL(lines, DEEP);
	CHECK(says("\n  called from root at 004"));
	CHECK(fits_the_screen());
	slot_give(inner);
	slot_give(door);
	domain_end(&poker);
	domain_end(&middle);
}

/* Callers that stand elsewhere nobody sees: nothing is guessed from this page. */
TEST(service_that_faults_is_told_with_a_caller_on_a_stack_of_its_own)
{
	fault_behind_two_doors(call_forward, OPTION_NESTED);
	CHECK(SAYS_LINES("FAULT in poker at 004", "  page fault, vector 14, writing 08001000",
			 "  thread client of root, door badge b", "  likely from poker at 004",
			 "  called from middle at 004", "  likely from middle at 004",
			 "  called from root at 004"));
	CHECK(names("  called from root at ", (const void *)call_forward));
}

TEST(service_that_faults_on_the_next_page_is_told_with_its_callers)
{
	fault_behind_two_doors(call_forward_from_its_page, OPTION_NEXT_PAGE);
	CHECK_EQUAL(shared_result, RETURN + 7);
	CHECK(SAYS_LINES("FAULT in poker at 004", "  page fault, vector 14, writing 08001000",
			 "  thread client of root, door badge b", "  likely from poker at 004",
			 "  called from middle at 004", "  called from root at 004"));
	CHECK(names("  called from middle at ", (const void *)forward_deep));
	CHECK(names("  called from root at ", (const void *)call_forward));
}

/* Who is at home is told by its dispatcher, once. */
APART static uint32_t return_place(void)
{
	return (uint32_t)__builtin_return_address(0);
}
APART static void fault_deep(void)
{
	volatile uint32_t left = return_place(); /* as from an earlier call: not taken for one */
	asm volatile("ud2" : : "m"(left));
}
static void fault_at_home(uint32_t argument)
{
	fault_deep();
	STAYS;
}

TEST(thread_that_faults_at_home_is_named_once_by_its_dispatcher)
{
	struct domain peer;
	peer_make(&peer, "peer");
	fault_door_give(&peer);
	client_make(&client, &peer, fault_at_home, 0);
	listen_begin();
	uint32_t reason = client_dispatch(&client, 0, 0, 0).reason, told_before = told_times;
	fault_report(&client.thread);
	listen_end();
	CHECK_EQUAL(reason, DISPATCH_FAULTED);
	CHECK_EQUAL(told_before, 0);
	CHECK(SAYS_LINES("FAULT in peer at 004", "  program error, vector 6\n",
			 "  thread client of peer, at home\n", "  likely from peer at 004",
			 "  perhaps from peer at 004"));
	CHECK(says(" (fault_deep+"));
	CHECK(names("  likely from peer at ", (const void *)fault_at_home));
	CHECK(fits_the_screen());
	client_end(&client);
	domain_end(&peer);
}

TEST(thread_that_faults_under_a_scheduler_is_named_once_when_that_comes_back)
{
	enum { ROW = SLOTS_MAX - 1 };
	static struct round_robin robin;
	static struct scheduler scheduler;
	struct domain peer;
	peer_make(&peer, "peer");
	fault_door_give(&peer);
	client_make(&client, &peer, fault_at_home, 0);
	MUST(kernel_copy(slot(ROW), slot(client.thread.object.slot)));
	round_robin_begin(&robin, 100000);
	scheduler_begin(&scheduler, &robin.policy, SCHEDULER_IS_ROOT, ROW, 1);
	listen_begin();
	CHECK_EQUAL(root_schedule(&scheduler, POLICY_NEVER), 0);
	CHECK_EQUAL(root_schedule(&scheduler, POLICY_NEVER), 0);
	listen_end();
	CHECK(SAYS_LINES("FAULT in peer at 004", "  program error, vector 6\n",
			 "  thread client of peer, at home\n", "  likely from peer at 004",
			 "  perhaps from peer at 004"));
	MUST(kernel_delete(slot(ROW)));
	client_end(&client);
	domain_end(&peer);
}

/* A stack of its own: it lends the 4 MiB around it with the fault. */
#define STACK_WORDS 64u
static uint32_t own_stack[STACK_WORDS + 1024]; /* a page behind it is looked through */
static void fault_on_it(uint32_t argument)
{
	asm volatile("mov %0, %%esp\n\tcall *%1"
		     :
		     : "r"(own_stack + STACK_WORDS), "r"(fault_at_home));
}

TEST(thread_that_faults_on_a_stack_of_its_own_is_told_with_its_callers)
{
	struct domain peer;
	peer_make(&peer, "peer");
	fault_door_give(&peer);
	client_make(&client, &peer, fault_on_it, 0);
	listen_begin();
	client_dispatch(&client, 0, 0, 0);
	fault_report(&client.thread);
	listen_end();
	CHECK(SAYS_LINES("FAULT in peer at 004", "  program error, vector 6\n",
			 "  thread client of peer, at home\n", "  likely from peer at 004",
			 "  perhaps from peer at 004"));
	CHECK(names("  likely from peer at ", (const void *)fault_at_home));
	CHECK(says(" (fault_on_it+"));
	client_end(&client);
	domain_end(&peer);
}

/* An ESP that is nowhere, in a window of the kernel's or in none, hurts nobody. */
static void fault_astray(uint32_t esp)
{
	asm volatile("mov %0, %%esp\n\tud2" : : "r"(esp));
}

TEST(thread_that_faults_with_its_stack_nowhere_is_told_without_callers)
{
	static const uint32_t places[] = {
		0,        4,        0x00800000,  IMAGE_BASE, DATA_PAGE - 4,
		DATA_TOP, WINDOW_0, KERNEL_BASE, 0xFFFFFFFC};
	for (uint32_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct domain peer;
		peer_make(&peer, "peer");
		fault_door_give(&peer);
		client_make(&client, &peer, fault_astray, places[i]);
		listen_begin();
		client_dispatch(&client, 0, 0, 0);
		fault_report(&client.thread);
		listen_end();
		CHECK(SAYS_LINES("FAULT in peer at 004", "  program error, vector 6\n",
				 "  thread client of peer, at home\n"));
		client_end(&client);
		domain_end(&peer);
	}
}

/* A program that lies: it can have its own last fault said again, on its own time, and no other. */
PEER lie(uint32_t times, uint32_t fault, uint32_t b, uint32_t badge_high)
{
	(void)b, (void)badge_high;
	uint32_t value;
	if (fault)
		try_load((const uint32_t *)KERNEL_BASE, &value);
	while (times--)
		door_call(SLOT_FAULT_DOOR | OPTION_NESTED, FAULT_PROGRAM, (uint32_t)&lie, 0, NULL);
	return ANSWER(0, 0);
}

static void call_the_liar(uint32_t door)
{
	door_call(door, 3, 0, 0, NULL);
	shared_result = told_times;
	door_call(door, 3, 1, 0, NULL);
}

TEST(fault_door_says_nothing_but_what_the_kernel_saw)
{
	struct domain liar;
	peer_make(&liar, "liar");
	fault_door_give(&liar);
	uint32_t door = peer_door(&liar, lie);
	client_make(&client, &root_domain, call_the_liar, slot(door).encoded);
	listen_begin();
	uint64_t roots = time_of(ROOT_THREAD), clients = time_of(client.thread.object.slot);
	client_run(&client);
	roots = time_of(ROOT_THREAD) - roots;
	clients = time_of(client.thread.object.slot) - clients;
	listen_end();
	CHECK_EQUAL(shared_result, 0);
	CHECK_EQUAL(told_times, 3);
	CHECK(says("FAULT in liar "));
	CHECK(says(", reading c0000000\n"));
	CHECK(says("door badge ?\n"));
	CHECK(clients > 10 * roots); /* root's own is the dispatch */
	client_end(&client);
	slot_give(door);
	domain_end(&liar);
}

/* ---- which calls a thread is in ----------------------------------------------------------- */
static struct words calls[3];
static uint32_t call_errors[4];

PEER look_at_calls(uint32_t a, uint32_t b, uint32_t c, uint32_t badge_high)
{
	(void)a, (void)b, (void)c, (void)badge_high;
	for (uint32_t depth = 0; depth < 4; depth++)
		call_errors[depth] =
			kernel_thread_call(slot(SLOT_ONWARD), depth, &calls[depth % 3]);
	return ANSWER(0, 0);
}

PEER onward(uint32_t a, uint32_t b, uint32_t c, uint32_t badge_high)
{
	(void)a, (void)b, (void)c, (void)badge_high;
	return ANSWER(door_call(SLOT_ONWARD | OPTION_NESTED, 0, 0, 0, NULL) & STATUS_MAX, 0);
}

TEST(thread_read_names_the_caller_of_each_call)
{
	struct domain outer, inner;
	peer_make(&outer, "outer");
	peer_make(&inner, "inner");
	uint32_t to_outer = peer_door(&outer, onward), to_inner = peer_door(&inner, look_at_calls);
	domain_give(&outer, SLOT_ONWARD, to_inner);
	domain_give(&inner, SLOT_ONWARD, ROOT_THREAD);
	struct registers r = {.eax = slot(to_outer).encoded, .eflags = FLAGS_PLAIN};
	raw_invoke(&r);
	CHECK_EQUAL(r.eax, RETURN);
	CHECK_EQUAL(call_errors[0], ERROR_ARGUMENT);
	CHECK_EQUAL(call_errors[1], 0);
	CHECK_EQUAL(call_errors[2], 0);
	CHECK_EQUAL(call_errors[3], ERROR_ARGUMENT);
	CHECK_EQUAL(calls[1].w[0], boot_record->root_domain);
	CHECK_EQUAL(calls[1].w[1], (uint32_t)raw_back);
	CHECK_EQUAL(calls[1].w[2], r.esp);
	CHECK_EQUAL(calls[2].w[0], outer.object.frame);
	CHECK_EQUAL(calls[2].w[2] & ~(PAGE_BYTES - 1), DATA_PAGE);
	slot_give(to_outer);
	slot_give(to_inner);
	domain_end(&outer);
	domain_end(&inner);
}
