// sources: tests/host/machine/tap.c tests/host/machine/machine.c kernel/authority.c kernel/call.c
// sources: kernel/capability.c kernel/dispatch.c kernel/domain.c kernel/fault.c kernel/irq.c
// sources: kernel/thread.c kernel/x86/pic.c kernel/x86/timer.c boot/devices.c
/* SPDX-License-Identifier: MIT */
/*
 * A million random invocations, calls, returns, faults and interrupts of whoever happens to run,
 * with capabilities, frames and generations that often are good ones. The test is the machine's
 * checks, and the sanitizers. Every operation must have succeeded, or this proves nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "machine/machine.h"

#define STAYS 1000000u
#define KINDS 10u

static uint32_t done[KINDS][OPERATIONS_PER_KIND], calls, returns, panics, restarts, deepest;

static uint32_t any_frame(void)
{
	return random_below(40) ? FRAMES_FIRST + random_below(FRAMES_MANAGED) : random_number();
}

static uint32_t frame_of_kind(uint32_t kind)
{
	uint32_t frame = FRAMES_FIRST + random_below(FRAMES_MANAGED);
	for (uint32_t i = 0; i < FRAMES_MANAGED; i++) {
		uint32_t page = object_table[frame].page;
		if (kind == OBJECT_NONE ? !page : page && (page & OBJECT_KIND_MASK) == kind)
			return frame;
		frame = frame + 1 < FRAMES_END ? frame + 1 : FRAMES_FIRST;
	}
	return FRAMES_FIRST + random_below(FRAMES_MANAGED);
}

static uint32_t generation_of(uint32_t frame)
{
	uint32_t generation = frame < OBJECTS_MAX ? object_table[frame].generation : 0;
	return random_below(20) ? generation : generation - 1;
}

static uint32_t any_slot(void)
{
	switch (random_below(12)) {
	case 0:
		return SLOT_LENT | random_below(LENT_SLOTS + 1);
	case 1:
		return SLOT_ENCODE(random_below(SLOTS_MAX + 10));
	case 2:
		return random_number();
	default:
		return random_below(24);
	}
}

/* A slot of the running list with a capability of a kind, if there is one. */
static uint32_t slot_of_kind(uint32_t kind)
{
	uint32_t slot = random_below(24);
	for (uint32_t i = 0; i < 24; i++) {
		if (capability_kind(&cpu.running_domain->list[slot]) == kind)
			return slot;
		slot = (slot + 1) % 24;
	}
	return any_slot();
}

static uint32_t any_word(void)
{
	switch (random_below(8)) {
	case 0:
		return random_number();
	case 1:
		return any_frame();
	case 2:
		return 1u << random_below(32);
	case 3:
		return ~0u;
	case 4:
		return random_below(20);
	default:
		return any_slot();
	}
}

static struct capability any_capability(void)
{
	static const uint8_t kinds[][2] = {
		{CAPABILITY_THREAD, OBJECT_THREAD},  {CAPABILITY_DOMAIN, OBJECT_DOMAIN},
		{CAPABILITY_DOOR, OBJECT_DOMAIN},    {CAPABILITY_BITMAP, OBJECT_BITMAP},
		{CAPABILITY_PAGE, OBJECT_DATA_PAGE}, {CAPABILITY_PAGE, OBJECT_CAPABILITY_PAGE},
		{CAPABILITY_PAGE, OBJECT_LOCK_PAGE}, {CAPABILITY_PAGE, OBJECT_TABLE}};
	uint32_t which = random_below(14);
	which = which == 13 ? 2 : which; /* doors */
	struct capability capability = {0};
	if (which < 8) {
		uint32_t frame = frame_of_kind(kinds[which][1]), page = object_table[frame].page;
		if (page && (page & OBJECT_KIND_MASK) == kinds[which][1])
			capability = capability_to(kinds[which][0], frame);
		if (capability.word && kinds[which][0] == CAPABILITY_DOOR)
			capability = door_to(page_of(frame), random_number());
	} else if (which < 11) {
		capability = capability_to(CAPABILITY_AUTHORITY, OBJECT_AUTHORITY);
	} else if (which == 11) {
		capability = capability_to(CAPABILITY_IRQ, OBJECT_IRQ_FIRST + 3 + random_below(13));
	} else {
		capability = capability_to(CAPABILITY_PORTS, OBJECT_PORTS);
		uint32_t first = random_below(65536);
		capability.badge_low = first | (first + random_below(40)) << 16;
	}
	uint32_t kind = capability_kind(&capability);
	if (random_below(8) == 0 && kind != CAPABILITY_DOOR)
		capability.word &= ~(random_below(16) << CAPABILITY_RIGHTS_SHIFT);
	if (random_below(20) == 0)
		capability.generation--; /* stale */
	return capability;
}

/* Nobody but the allocator could do this: the running list gets something to play with. */
static void list_fill(void)
{
	for (uint32_t slot = 2; slot < 24; slot++)
		if (random_below(3) == 0)
			slot_set(slot, any_capability());
	struct domain *domain = cpu.running_domain;
	domain->set[DOMAIN_FAULT_ENTRY] = random_below(2) * IMAGE_BASE;
	domain->set[DOMAIN_SECTION_START] = IMAGE_BASE - random_below(2) * 4;
	domain->set[DOMAIN_SECTION_BYTES] = random_below(3) * 8;
	for (uint32_t i = 1; i < 5; i++)
		directory_of(domain)[i] =
			random_below(4) ? frame_of_kind(OBJECT_TABLE) << 12 | 7 : 0;
	struct lock_page *lock = domain->lock.word ? reference_page(domain->lock) : NULL;
	if (lock)
		lock->owner = random_below(2) ? running()->self.word : random_number();
}

static bool is_living_thread(const struct capability *capability)
{
	return capability_kind(capability) == CAPABILITY_THREAD &&
	       object_at(capability->word)->generation == capability->generation;
}

static void create_arguments(uint32_t *word)
{
	uint32_t kind = random_below(OBJECT_STATIC + 1), second = 0;
	word[1] = random_below(10) ? frame_of_kind(OBJECT_NONE) : any_frame();
	word[2] = generation_of(word[1]);
	word[3] = 0;
	if (kind == OBJECT_DOMAIN) {
		second = random_below(2);
		word[3] = frame_of_kind(OBJECT_DIRECTORY);
		word[2] += generation_of(word[3]);
	}
	if (kind == OBJECT_THREAD) {
		second = frame_of_kind(OBJECT_DOMAIN);
		word[3] = frame_of_kind(OBJECT_NONE);
		word[2] += generation_of(word[3]) + generation_of(second);
	}
	if (kind == OBJECT_BITMAP) {
		word[3] = frame_of_kind(OBJECT_BITMAP_PAGE);
		word[2] += generation_of(word[3]) + generation_of(word[3] + 1);
	}
	word[0] |= kind << CREATE_KIND_SHIFT | second << CREATE_SECOND_SHIFT;
}

static void arguments(const struct capability *capability, uint32_t *word)
{
	uint32_t kind = capability_kind(capability);
	for (uint32_t i = 1; i < 4; i++)
		word[i] = any_word();
	if (kind == CAPABILITY_THREAD || kind == CAPABILITY_DOMAIN)
		word[2] = random_below(2) ? slot_of_kind(CAPABILITY_PAGE) : word[2];
	if (kind == CAPABILITY_IRQ)
		word[1] = random_below(4) ? slot_of_kind(CAPABILITY_THREAD) : word[1];
	if (kind == CAPABILITY_BITMAP)
		word[1] = random_below(4) ? slot_of_kind(CAPABILITY_PORTS) : word[1];
	if (kind == CAPABILITY_AUTHORITY && word[0] == authority_create_op)
		create_arguments(word);
	if (kind == CAPABILITY_AUTHORITY && word[0] == authority_destroy_op && random_below(4)) {
		word[1] = any_frame(); /* not too often, or nothing is left */
		word[2] = random_below(3) ? 0 : generation_of(word[1]);
	}
	if (kind == CAPABILITY_AUTHORITY && word[0] == authority_fetch_op) {
		word[1] = any_frame();
		word[3] = generation_of(word[1]);
	}
	if (kind == CAPABILITY_THREAD && word[0] == thread_dispatch_op) {
		uint64_t deadline =
			random_below(2) ? DEADLINE_NEVER : machine.clock + random_below(3000000);
		word[2] = deadline;
		word[3] = deadline >> 32;
		word[0] |= random_below(32) << DISPATCH_BIT_SHIFT |
			   (random_below(4) ? 0 : DISPATCH_STEP);
	}
	if (kind == CAPABILITY_THREAD && word[0] == thread_abort_op &&
	    is_living_thread(capability)) {
		struct thread *thread = object_page(object_at(capability->word));
		uint32_t depth = depth_of(thread);
		word[1] = depth ? 1 + random_below(depth) : 0;
		word[2] = (activation_at(thread, ACTIVATION_HOME - word[1] * ACTIVATION_BYTES)
				   ->domain &
			   CAPABILITY_INDEX_MASK) >>
			  CAPABILITY_INDEX_SHIFT;
	}
	/* a stack by which the machine knows the thread again */
	if (kind == CAPABILITY_THREAD && word[0] == thread_start_op &&
	    is_living_thread(capability)) {
		const struct thread *thread = object_page(object_at(capability->word));
		word[2] = stack_mark(thread) - depth_of(thread);
	}
	if (kind == CAPABILITY_SELF && word[0] == self_wait_until_op && random_below(2))
		word[2] = word[3] = ~0u;
	if (kind == CAPABILITY_SELF && running() == root_thread &&
	    (word[0] == self_wait_op || word[0] == self_wait_until_op))
		word[1] |= 6;
	if (kind == CAPABILITY_BITMAP && word[0] == bitmap_deny_op)
		word[2] = random_below(34);
	if (random_below(50) == 0)
		word[0] |= random_number() << 8;
}

/* Somebody's capability to some thread in a state, or another thread. */
static void thread_get(uint32_t slot, uint32_t state)
{
	for (uint32_t tries = 0; tries < 20; tries++) {
		uint32_t frame = frame_of_kind(OBJECT_THREAD);
		slot_set(slot, capability_to(CAPABILITY_THREAD, frame));
		if (((struct thread *)page_of(frame))->state == state)
			return;
	}
}

static void random_invoke(void)
{
	thread_get(1, random_below(3) ? THREAD_READY : THREAD_STOPPED);
	uint32_t wanted = CAPABILITY_SELF + random_below(KINDS - CAPABILITY_SELF);
	struct capability *capability =
		slot_named(random_below(8) ? slot_of_kind(wanted) : any_slot());
	if (!capability)
		return;
	uint32_t kind = capability_kind(capability), number = random_below(OPERATIONS_PER_KIND);
	uint32_t word[4] = {kind == CAPABILITY_AUTHORITY ? random_below(7) : random_below(11)};
	if (kind == CAPABILITY_THREAD && random_below(2))
		word[0] = random_below(3) ? thread_dispatch_op : thread_start_op;
	if (random_below(10) == 0)
		word[0] = number;
	if (kind == CAPABILITY_THREAD && word[0] == thread_start_op &&
	    !is_living_thread(capability))
		return;
	number = word[0];
	arguments(capability, word);
	machine_invoke(capability, word[0], word[1], word[2], word[3]);
	if ((machine.left == LEFT_BACK && machine.status == 0) || machine.left != LEFT_BACK)
		done[kind][number]++;
}

static void random_call(void)
{
	struct lending lending = {random_below(2) ? random_number() & 0x0F0F0F0F : random_number(),
				  random_below(5) | random_below(6) << 16, random_number()};
	uint32_t options = random_below(2) ? random_number() & (OPTIONS_KNOWN & ~OPTION_RESUME) : 0;
	uint32_t slot = random_below(8) ? slot_of_kind(CAPABILITY_DOOR) : any_slot();
	calls += machine_call((slot & ~OPTIONS_KNOWN) | options, lending) == 0;
}

/* The root program at home: its end would be the machine's. Rarely. */
static bool is_root_at_home(void)
{
	return running() == root_thread && depth_of(root_thread) == 0 && random_below(500);
}

static void random_return(void)
{
	if (is_root_at_home())
		return;
	uint32_t capabilities = random_below(3) ? 0 : random_number() & 0x1F1F1F1F;
	returns += (machine_return(random_below(128), capabilities) & RETURN) != 0;
}

static void random_trap(void)
{
	if (random_below(2))
		machine_resume();
	if (is_root_at_home())
		return;
	static const uint8_t vectors[] = {VECTOR_DEBUG,      3,    6,    13,
					  VECTOR_PAGE_FAULT, 0x30, 0x80, 0xFF};
	machine.fault_address = random_number();
	uint32_t vector = vectors[random_below(8)];
	machine_trap(cpu.stepping ? VECTOR_DEBUG : vector, random_below(8),
		     IMAGE_BASE + random_below(16));
}

static void random_idle(void)
{
	if (machine.timer_fires != UINT64_MAX && random_below(2))
		machine_run(machine.timer_fires > machine.clock
				    ? machine.timer_fires - machine.clock
				    : 1);
	else
		machine_interrupt(1 + random_below(15));
}

static void random_time(void)
{
	if (random_below(2))
		machine_interrupt(1 + random_below(15));
	else
		machine_run(random_below(2000000));
}

static void start_again(void)
{
	machine_start();
	for (uint32_t i = 0; i < 4; i++) {
		struct domain *domain = domain_new(i == 3);
		for (uint32_t j = 0; j < 3; j++)
			thread_go(thread_new(domain));
	}
	slot_set(1, capability_to(CAPABILITY_THREAD, frame_of(root_thread)));
	for (uint32_t line = 1; line < 3; line++) /* that wake the root thread */
		machine_invoke(&root_domain->list[ROOT_IRQ_FIRST + line], irq_bind_op, 1, line, 0);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t pages = object_new(OBJECT_BITMAP_PAGE, 0, 0);
		if (object_new(OBJECT_BITMAP_PAGE, 0, 0) == pages + 1)
			object_new(OBJECT_BITMAP, 0, pages);
	}
	for (uint32_t i = 0; i < 3; i++) { /* nearly worn out */
		uint32_t frame = frame_free();
		object_table[frame].generation = GENERATION_TOP - 2;
		object_new(OBJECT_TABLE, 0, 0);
	}
	list_fill();
}

static void random_stay(void)
{
	uint32_t what = random_below(100);
	if (what < 8)
		list_fill();
	if (what < 64)
		random_invoke();
	else if (what < 82)
		random_call();
	else if (what < 93)
		random_return();
	else if (what < 97)
		random_trap();
	else
		random_time();
}

TEST(a_million_random_stays)
{
	uint32_t idles = 0;
	start_again();
	for (uint32_t i = 0; i < STAYS; i++) {
		if (machine.left == LEFT_PANIC) {
			CHECK(!strcmp(machine.panic, "the root program ended or faulted"));
			CHECK(running() == root_thread);
			panics++;
		}
		if (machine.left == LEFT_PANIC || idles == 20 || i % 3000 == 0) {
			start_again();
			restarts++;
			idles = 0;
		}
		idles = cpu.depth ? 0 : idles + 1;
		deepest = cpu.depth > deepest ? cpu.depth : deepest;
		if (cpu.depth)
			random_stay();
		else
			random_idle();
	}
	test_note("%u calls, %u returns, %u machines, %u ends of the root program, chains of %u",
		  calls, returns, restarts, panics, deepest);
}

TEST(every_operation_succeeded)
{
#define OFTEN(kind, number, name, rights, arguments, answers, cost)          \
	if (done[CAPABILITY_##kind][number] < 10)                            \
		test_note("%s: %u", #name, done[CAPABILITY_##kind][number]); \
	CHECK(done[CAPABILITY_##kind][number] >= 10);
	OPERATIONS(OFTEN)
#undef OFTEN
	CHECK(calls > STAYS / 100 && returns > STAYS / 200);
}
