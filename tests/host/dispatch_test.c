// sources: tests/host/machine/tap.c tests/host/machine/machine.c kernel/authority.c kernel/call.c
// sources: kernel/capability.c kernel/dispatch.c kernel/domain.c kernel/fault.c kernel/irq.c
// sources: kernel/thread.c kernel/x86/pic.c kernel/x86/timer.c boot/devices.c
/* SPDX-License-Identifier: MIT */
/*
 * CPU time: the chain, deadlines, events, waiting, steps; and long random runs beside a model that
 * does the same by looking at everything each time.
 */
#include <string.h>

#include "machine/machine.h"

#define THREADS 40u
#define NEVER   DEADLINE_NEVER

static struct thread *thread[THREADS]; /* 0: the root */

static struct capability thread_capability(uint32_t which)
{
	return capability_to(CAPABILITY_THREAD, frame_of(thread[which]));
}

static void threads_start(uint32_t count)
{
	machine_start();
	thread[0] = root_thread;
	for (uint32_t i = 1; i < count; i++) {
		thread[i] = thread_new(root_domain);
		thread_go(thread[i]);
	}
}

static uint32_t signal_to(uint32_t which, uint32_t bits)
{
	struct capability to = thread_capability(which);
	return machine_invoke(&to, thread_signal_op, bits, 0, 0);
}

static uint32_t wait_for(uint32_t mask, uint64_t deadline)
{
	return machine_self(self_wait_until_op, mask, deadline, deadline >> 32);
}

static bool dispatch_was(uint32_t which, uint32_t reason, uint64_t consumed, uint32_t bits)
{
	return running() == thread[which] && !machine.status && machine.word[0] == reason &&
	       machine.word[1] == (uint32_t)consumed && machine.word[2] == consumed >> 32 &&
	       machine.word[3] == bits;
}

TEST(deadline_ends_a_dispatch)
{
	threads_start(2);
	uint64_t deadline = machine.clock + 5 * CYCLES_PER_MS;
	machine_dispatch(thread[1], 0, deadline, 0);
	CHECK(running() == thread[1]);
	uint64_t before = cycles_of_all_threads();
	machine_run(4 * CYCLES_PER_MS);
	CHECK(running() == thread[1]);
	machine_run(2 * CYCLES_PER_MS);
	CHECK(dispatch_was(0, DISPATCH_DEADLINE, cycles_of_all_threads() - before, 0));
	CHECK(thread[1]->consumed >= 5 * CYCLES_PER_MS &&
	      thread[1]->consumed < 5 * CYCLES_PER_MS + 2000);
}

TEST(what_is_past_or_already_there_comes_back_at_once)
{
	threads_start(2);
	machine_dispatch(thread[1], 0, machine.clock, 0);
	CHECK(dispatch_was(0, DISPATCH_DEADLINE, 0, 0));
	signal_to(0, 0x30);
	machine_dispatch(thread[1], 0x10, 0, 0);
	CHECK(dispatch_was(0, DISPATCH_EVENT, 0, 0x10));
	CHECK_EQUAL(root_thread->events, 0x20);
	CHECK_EQUAL(wait_for(0x20, NEVER), 0);
	CHECK_EQUAL(machine.word[0], 0x20);
	CHECK_EQUAL(wait_for(0x20, machine.clock), 0);
	CHECK_EQUAL(machine.word[0], 0);
	CHECK_EQUAL(thread[1]->consumed, 0);
}

TEST(only_ready_threads_can_be_dispatched)
{
	threads_start(4);
	struct thread *stopped = thread_new(root_domain);
	machine_dispatch(stopped, 0, NEVER, 0);
	CHECK_EQUAL(machine.status, ERROR_STATE);
	machine_dispatch(thread[1], 0, NEVER, 0);
	wait_for(1, NEVER);
	CHECK_EQUAL(machine.word[0], DISPATCH_WAITING);
	machine_dispatch(thread[1], 0, NEVER, 0);
	CHECK_EQUAL(machine.status, ERROR_STATE);
	machine_dispatch(thread[2], 0, NEVER, 0);
	machine_dispatch(thread[0], 0, NEVER, 0);
	CHECK_EQUAL(machine.status, ERROR_STATE);
	machine_dispatch(thread[2], 0, NEVER, 0);
	CHECK_EQUAL(machine.status, ERROR_STATE);
	CHECK_EQUAL(wait_for(1, machine.clock + 1000), ERROR_ARGUMENT); /* the root's only */
}

TEST(chain_of_thirty_two)
{
	for (uint32_t level = 1; level < CHAIN_MAX; level++) {
		threads_start(CHAIN_MAX + 1);
		uint64_t soon = machine.clock + CYCLES_PER_MS;
		for (uint32_t i = 1; i < CHAIN_MAX; i++)
			machine_dispatch(thread[i], 1u << i % 32, i == level ? soon : NEVER, 0);
		CHECK_EQUAL(cpu.depth, CHAIN_MAX);
		machine_dispatch(thread[CHAIN_MAX], 0, NEVER, 0);
		CHECK_EQUAL(machine.status, ERROR_CHAIN);
		machine_run(2 * CYCLES_PER_MS);
		CHECK_EQUAL(cpu.depth, level);
		CHECK_EQUAL(machine.word[0], DISPATCH_DEADLINE);
		for (uint32_t i = level; i < CHAIN_MAX - 1; i++) {
			CHECK_EQUAL(thread[i]->state, THREAD_READY);
			machine_dispatch(thread[i], 0, NEVER, 0);
			CHECK_EQUAL(machine.word[0], DISPATCH_CUT);
		}
	}
}

TEST(wake_up_goes_through_waiting_dispatchers)
{
	threads_start(CHAIN_MAX);
	for (uint32_t i = 1; i < CHAIN_MAX; i++)
		machine_dispatch(thread[i], 0, NEVER, i << DISPATCH_BIT_SHIFT);
	for (uint32_t i = CHAIN_MAX - 1; i > 0; i--) {
		CHECK(running() == thread[i]);
		wait_for(i == CHAIN_MAX - 1 ? 1 : 1u << (i + 1), NEVER);
	}
	wait_for(1u << 1, NEVER);
	CHECK(machine.left == LEFT_IDLE);
	struct capability to = thread_capability(CHAIN_MAX - 1);
	root_domain->list[60] = to;
	struct call_frame bind = {.word0 = irq_bind_op, .word1 = 60, .word2 = 0, .word3 = 0};
	CHECK_EQUAL(irq_bind(&root_domain->list[ROOT_IRQ_FIRST + 4], &bind), 0);
	machine_interrupt(4);
	CHECK(running() == root_thread);
	CHECK_EQUAL(machine.word[0], 1u << 1);
	for (uint32_t i = 1; i < CHAIN_MAX; i++)
		CHECK_EQUAL(thread[i]->state, THREAD_READY);
}

TEST(wake_up_ends_at_a_dispatcher_that_does_not_wait_for_it)
{
	threads_start(3);
	machine_dispatch(thread[1], 0, NEVER, 0);
	machine_dispatch(thread[2], 0, NEVER, 7 << DISPATCH_BIT_SHIFT);
	wait_for(1, NEVER);
	wait_for(1, NEVER); /* not for 1 << 7 */
	CHECK(running() == root_thread);
	signal_to(2, 1);
	CHECK_EQUAL(thread[2]->state, THREAD_READY);
	CHECK_EQUAL(thread[1]->state, THREAD_WAITING);
	CHECK_EQUAL(thread[1]->events, 1u << 7);
}

TEST(bits_are_not_lost_when_the_waiting_service_dies)
{
	threads_start(2);
	struct domain *waiting = domain_new(0);
	machine_dispatch(thread[1], 0, NEVER, 0);
	slot_set(60, door_to(waiting, 0));
	CHECK_EQUAL(machine_call(60 | OPTION_MAY_WAIT, (struct lending){0}), 0);
	wait_for(6, NEVER);
	CHECK(running() == root_thread && thread[1]->state == THREAD_WAITING);
	signal_to(1, 2);
	object_end(frame_of(waiting));
	machine_dispatch(thread[1], 0, NEVER, 0);
	CHECK_EQUAL(machine.status, ERROR_CALLEE_DESTROYED);
	CHECK_EQUAL(thread[1]->events, 2);
	CHECK_EQUAL(wait_for(6, NEVER), 0);
	CHECK_EQUAL(machine.word[0], 2);
}

TEST(signals_are_those_that_the_capability_allows)
{
	threads_start(2);
	struct capability to = thread_capability(1);
	to.badge_low = 0x0F0F;
	CHECK_EQUAL(machine_invoke(&to, thread_signal_op, 0x3333, 0, 0), 0);
	CHECK_EQUAL(thread[1]->events, 0x0303);
}

TEST(root_wakes_at_its_deadline)
{
	threads_start(1);
	uint64_t deadline = machine.clock + 200 * CYCLES_PER_MS;
	wait_for(1, deadline);
	CHECK(machine.left == LEFT_IDLE);
	machine_run(199 * CYCLES_PER_MS);
	CHECK(cpu.depth == 0);
	machine_run(2 * CYCLES_PER_MS);
	CHECK(running() == root_thread && machine.word[0] == 0 && machine.status == 0);
	CHECK(cpu.idle > 199 * (uint64_t)CYCLES_PER_MS);
	CHECK_EQUAL(machine_invoke(&root_domain->list[ROOT_AUTHORITY], authority_account_op,
				   ACCOUNT_IDLE, 0, 0),
		    0);
	CHECK_EQUAL(machine.word[0] | (uint64_t)machine.word[1] << 32, cpu.idle);
	CHECK_EQUAL(machine_invoke(&root_domain->list[ROOT_AUTHORITY], authority_account_op,
				   ACCOUNTS, 0, 0),
		    ERROR_ARGUMENT);
}

/* ---- steps ----------------------------------------------------------------------------------- */
static void step(uint32_t which)
{
	machine_dispatch(thread[which], 0, NEVER, DISPATCH_STEP);
}

static bool stepped(void)
{
	return running() == root_thread && machine.word[0] == DISPATCH_STEPPED && !cpu.stepping;
}

TEST(step_is_one_instruction_or_one_call)
{
	threads_start(2);
	step(1);
	CHECK(cpu.stepping && machine.left == LEFT_BY_TRAP && machine.trap.eflags & FLAG_TRAP);
	machine_trap(VECTOR_DEBUG, 0, IMAGE_BASE + 1);
	CHECK(stepped() && !(trap_frame_of(thread[1])->eflags & FLAG_TRAP));
	step(1);
	CHECK_EQUAL(machine.trap.eip, IMAGE_BASE + 1);
	machine_self(self_identify_op, 0, 0, 0);
	CHECK(stepped());
	step(1);
	machine_interrupt(5); /* none of its own */
	CHECK(running() == thread[1] && cpu.stepping);
	machine_trap(VECTOR_DEBUG, 0, IMAGE_BASE + 2);
	CHECK(stepped());
}

TEST(stepped_thread_dispatches_nobody)
{
	threads_start(3);
	step(1);
	machine_dispatch(thread[2], 0, NEVER, 0);
	CHECK(stepped());
	CHECK_EQUAL(trap_frame_of(thread[1])->eax, 0);
	CHECK_EQUAL(call_frame_of(thread[1])->word0 == 0 || thread[2]->state == THREAD_READY, 1);
}

TEST(stepped_thread_waits_or_ends)
{
	threads_start(3);
	step(1);
	wait_for(1, NEVER);
	CHECK(running() == root_thread && machine.word[0] == DISPATCH_WAITING && !cpu.stepping);
	step(2);
	machine_return(0, 0);
	CHECK(running() == root_thread && machine.word[0] == DISPATCH_ENDED && !cpu.stepping);
}

/* A thread that is unwound and goes on in the same stay has made its step, too. */
static struct domain *service, *middle;

static void service_enter(void)
{
	threads_start(2);
	service = domain_new(0);
	middle = domain_new(0);
	machine_dispatch(thread[1], 0, NEVER, 0);
	slot_set(60, door_to(middle, 0));
	CHECK_EQUAL(machine_call(60, (struct lending){0}), 0);
	slot_set(60, door_to(service, 0));
	CHECK_EQUAL(machine_call(60, (struct lending){0}), 0);
	machine_interrupt(5);
	slot_set(61, thread_capability(0));
	struct call_frame bind = {.word0 = irq_bind_op, .word1 = 61, .word2 = 0, .word3 = 0};
	CHECK_EQUAL(irq_bind(&root_domain->list[ROOT_IRQ_FIRST + 5], &bind), 0);
	cpu.level[1].mask = 1;
	machine_interrupt(5);
	CHECK(running() == root_thread);
}

TEST(step_ends_with_an_uncaught_fault)
{
	service_enter();
	step(1);
	machine_trap(VECTOR_PAGE_FAULT, 4, IMAGE_BASE);
	CHECK(stepped());
	CHECK_EQUAL(call_frame_of(thread[1])->status, ERROR_CALLEE_FAULTED);
}

TEST(step_ends_with_a_return_to_a_dead_caller)
{
	service_enter();
	object_end(frame_of(middle));
	step(1);
	machine_return(0, 0);
	CHECK(stepped());
	CHECK_EQUAL(call_frame_of(thread[1])->status, ERROR_CALLEE_DESTROYED);
}

TEST(step_ends_with_an_abort_of_oneself)
{
	service_enter();
	step(1);
	struct capability self = thread_capability(1);
	machine_invoke(&self, thread_abort_op, 1, frame_of(middle), 0);
	CHECK(stepped());
	CHECK_EQUAL(depth_of(thread[1]), 0);
}

TEST(step_ends_with_the_end_of_ones_data_page)
{
	service_enter();
	step(1);
	struct capability authority = root_domain->list[ROOT_AUTHORITY];
	uint32_t data = thread[1]->data[0] >> 12;
	machine_invoke(&authority, authority_destroy_op, data, object_table[data].generation, 0);
	CHECK(stepped());
	CHECK_EQUAL(thread[1]->data[0], 0);
}

TEST(step_of_a_thread_whose_home_is_gone)
{
	threads_start(2);
	struct domain *home = domain_new(0);
	thread[1] = thread_new(home);
	thread_go(thread[1]);
	object_end(frame_of(home));
	step(1);
	CHECK(running() == root_thread && machine.word[0] == DISPATCH_ENDED && !cpu.stepping);
	CHECK_EQUAL(cpu.depth, 1);
}

/* ---- beside a model -------------------------------------------------------------------------- */
static struct {
	struct {
		uint32_t state, events, wait_mask, notify, notify_bit;
		bool by_trap, woken;
		uint32_t status, words,
			word[4]; /* what it is told when it goes on; words: how many */
	} thread[THREADS];
	struct {
		uint32_t thread, mask, bit;
		uint64_t deadline, start;
	} level[CHAIN_MAX];
	uint32_t depth;
	uint64_t root_deadline;
} model;
static struct {
	uint32_t level, reason;
} cuts[THREADS]; /* told once cycles are known: behind the stay */
static uint32_t cut_count;

static void model_cut(uint32_t level, uint32_t reason)
{
	for (uint32_t i = model.depth - 1; i >= level; i--)
		if (model.thread[model.level[i].thread].state == THREAD_IN_CHAIN)
			model.thread[model.level[i].thread].state = THREAD_READY;
	for (uint32_t i = level; i < model.depth; i++) {
		uint32_t dispatcher = model.level[i - 1].thread;
		uint32_t why = i == level ? reason : DISPATCH_CUT, bits = 0;
		if (why == DISPATCH_EVENT) {
			bits = model.thread[dispatcher].events & model.level[i].mask;
			model.thread[dispatcher].events &= ~bits;
		}
		model.thread[dispatcher].word[0] = why;
		model.thread[dispatcher].word[3] = bits;
		model.thread[dispatcher].status = 0;
		model.thread[dispatcher].words = 4;
		cuts[cut_count].level = i;
		cuts[cut_count++].reason = dispatcher;
	}
	model.depth = level;
}

/* The running thread left the CPU behind a call (or not), and will be told `status`. */
static void model_leaves(bool by_trap)
{
	uint32_t running = model.level[model.depth - 1].thread;
	model.thread[running].by_trap = by_trap;
	model.thread[running].status = 0;
	model.thread[running].words = 0;
}

static uint32_t model_signal(uint32_t to, uint32_t bits, uint32_t steps)
{
	model.thread[to].events |= bits;
	if (model.thread[to].state == THREAD_IN_CHAIN) {
		for (uint32_t i = 1; i < model.depth; i++)
			if (model.level[i - 1].thread == to)
				return model.level[i].mask & model.thread[to].events ? i : 0;
		return 0;
	}
	uint32_t got = model.thread[to].events & model.thread[to].wait_mask;
	if (model.thread[to].state != THREAD_WAITING || !got)
		return 0;
	model.thread[to].state = THREAD_READY;
	model.thread[to].woken = true;
	if (to == 0 || steps == CHAIN_MAX)
		return 0;
	return model_signal(model.thread[to].notify, 1u << model.thread[to].notify_bit, steps + 1);
}

static void model_root_wakes(void)
{
	if (model.depth || model.thread[0].state != THREAD_READY)
		return;
	model.thread[0].state = THREAD_IN_CHAIN;
	model.level[0].thread = 0;
	model.level[0].deadline = NEVER;
	model.depth = 1;
}

/* The bits that ended a wait are those that are set when it goes on. */
static void model_bits_fetch(uint32_t running)
{
	if (!model.thread[running].woken)
		return;
	model.thread[running].woken = false;
	model.thread[running].word[0] =
		model.thread[running].events & model.thread[running].wait_mask;
	model.thread[running].events &= ~model.thread[running].wait_mask;
	model.thread[running].words = 1;
}

/* Behind a stay: who runs, and what it is told. */
static void model_compare(void)
{
	for (uint32_t i = 0; i < cut_count; i++) {
		uint64_t consumed = cycles_of_all_threads() - model.level[cuts[i].level].start;
		model.thread[cuts[i].reason].word[1] = consumed;
		model.thread[cuts[i].reason].word[2] = consumed >> 32;
	}
	cut_count = 0;
	CHECK_EQUAL(cpu.depth, model.depth);
	if (model.depth)
		model_bits_fetch(model.level[model.depth - 1].thread);
	for (uint32_t i = 0; i < THREADS; i++) {
		CHECK_EQUAL(thread[i]->state, model.thread[i].state);
		CHECK_EQUAL(thread[i]->events, model.thread[i].events);
	}
	if (!model.depth)
		return;
	uint32_t running = model.level[model.depth - 1].thread;
	CHECK(thread_running() == thread[running]);
	if (machine.left == LEFT_BACK)
		return;
	CHECK_EQUAL(machine.left == LEFT_BY_TRAP, model.thread[running].by_trap);
	if (model.thread[running].by_trap)
		return;
	CHECK_EQUAL(machine.status, model.thread[running].status);
	for (uint32_t i = 0; i < model.thread[running].words; i++)
		CHECK_EQUAL(machine.word[i], model.thread[running].word[i]);
}

static void random_signal(void)
{
	uint32_t to = random_below(THREADS), bits = 1u << random_below(6);
	uint32_t level = model_signal(to, bits, 1);
	if (level) {
		model_leaves(false);
		model_cut(level, DISPATCH_EVENT);
	}
	signal_to(to, bits);
	model_compare();
}

static void random_interrupt(void)
{
	uint32_t to = random_below(THREADS), bit = random_below(6);
	slot_set(60, thread_capability(to));
	struct call_frame bind = {.word0 = irq_bind_op, .word1 = 60, .word2 = bit, .word3 = 0};
	CHECK_EQUAL(irq_bind(&root_domain->list[ROOT_IRQ_FIRST + 4], &bind), 0);
	uint32_t level = model_signal(to, 1u << bit, 1);
	if (level) {
		model_leaves(true);
		model_cut(level, DISPATCH_EVENT);
	}
	model_root_wakes();
	machine_interrupt(4);
	model_compare();
}

static uint64_t random_deadline(void)
{
	static const uint32_t range[] = {2000, 200000, 20000000, 400000000};
	return random_below(6) ? machine.clock + random_below(range[random_below(4)]) : NEVER;
}

static void random_dispatch(void)
{
	uint32_t self = model.level[model.depth - 1].thread, to = random_below(THREADS);
	uint32_t mask = random_below(3) ? 1u << random_below(6) : 0, bit = random_below(6);
	for (uint32_t i = 0; i < 4 && model.thread[to].state != THREAD_READY; i++)
		to = random_below(THREADS);
	uint64_t deadline = random_deadline(), now = machine.clock + machine.clock_step;
	uint32_t error = model.thread[to].state != THREAD_READY ? ERROR_STATE
			 : model.depth == CHAIN_MAX             ? ERROR_CHAIN
								: 0;
	uint32_t bits = error ? 0 : model.thread[self].events & mask;
	model.thread[self].events &= ~bits;
	bool goes = !error && !bits && deadline > now;
	if (goes) {
		model_leaves(false);
		model.thread[to].state = THREAD_IN_CHAIN;
		model.level[model.depth].thread = to;
		model.level[model.depth].mask = mask;
		model.level[model.depth].bit = bit;
		model.level[model.depth++].deadline = deadline;
	}
	machine_dispatch(thread[to], mask, deadline, bit << DISPATCH_BIT_SHIFT);
	if (goes)
		model.level[model.depth - 1].start = cycles_of_all_threads();
	else if (error)
		CHECK_EQUAL(machine.status, error);
	else
		CHECK(dispatch_was(self, bits ? DISPATCH_EVENT : DISPATCH_DEADLINE, 0, bits));
	model_compare();
}

static void random_wait(void)
{
	uint32_t self = model.level[model.depth - 1].thread, mask = random_below(64);
	uint64_t deadline = model.depth > 1 ? NEVER : machine.clock + random_below(100000000);
	uint64_t now = machine.clock + machine.clock_step;
	uint32_t bits = model.thread[self].events & mask;
	model.thread[self].events &= ~bits;
	bool goes = !bits && deadline > now;
	if (goes) {
		model_leaves(false);
		model.thread[self].state = THREAD_WAITING;
		model.thread[self].wait_mask = mask;
		model.thread[self].word[0] = 0;
		model.thread[self].words = 1;
		model.root_deadline = deadline;
		if (model.depth > 1) {
			model.thread[self].notify = model.level[model.depth - 2].thread;
			model.thread[self].notify_bit = model.level[model.depth - 1].bit;
			model_cut(model.depth - 1, DISPATCH_WAITING);
		} else {
			model.depth = 0;
		}
	}
	CHECK_EQUAL(goes ? 0 : wait_for(mask, deadline), 0);
	if (goes)
		wait_for(mask, deadline);
	else
		CHECK_EQUAL(machine.word[0], bits);
	model_compare();
}

static void random_end(void)
{
	uint32_t which = random_below(THREADS);
	struct capability to = thread_capability(which);
	if (model.thread[which].state == THREAD_STOPPED) {
		model.thread[which].state = THREAD_READY;
		model.thread[which].by_trap = model.thread[which].woken = false;
		model.thread[which].words = model.thread[which].status = 0;
		thread_go(thread[which]);
	} else if (which) {
		uint32_t level = 0;
		for (uint32_t i = 1; i < model.depth; i++)
			if (model.level[i].thread == which)
				level = i;
		if (level) {
			model_leaves(false);
			model_cut(level, DISPATCH_ENDED);
		}
		model.thread[which].state = THREAD_STOPPED;
		machine_invoke(&to, thread_stop_op, 0, 0, 0);
	}
	model_compare();
}

static void timer_fires(void)
{
	uint64_t now = machine.clock + machine.clock_step;
	uint32_t level = 0;
	if (!model.depth) {
		if (model.root_deadline <= now)
			model.thread[0].state = THREAD_READY;
		model_root_wakes();
	}
	for (uint32_t i = model.depth; i-- > 1;)
		if (model.level[i].deadline <= now)
			level = i;
	if (level) {
		model_leaves(true);
		model_cut(level, DISPATCH_DEADLINE);
	}
	machine.timer_fires = UINT64_MAX;
	machine_interrupt(0);
	model_compare();
}

static void random_time(void)
{
	uint64_t until = machine.clock + (model.depth ? random_below(300000) : CYCLES_PER_MS * 60);
	while (machine.timer_fires <= until) {
		if (machine.clock < machine.timer_fires)
			machine.clock = machine.timer_fires;
		timer_fires();
	}
	if (machine.clock < until)
		machine.clock = until;
}

static void model_start(void)
{
	threads_start(THREADS);
	memset(&model, 0, sizeof(model));
	model.thread[0].state = THREAD_IN_CHAIN;
	for (uint32_t i = 1; i < THREADS; i++)
		model.thread[i].state = THREAD_READY;
	model.level[0].deadline = NEVER;
	model.depth = 1;
}

TEST(random_runs_beside_a_model)
{
	uint32_t deepest = 0;
	for (uint32_t round = 0; round < 60; round++) {
		machine_timer = round % 3;
		model_start();
		machine.clock_step = 1 + random_below(50);
		uint32_t dispatches = 2 + round % 12 * 8;
		for (uint32_t i = 0; i < 5000; i++) {
			uint32_t what = random_below(10 + dispatches);
			if (!model.depth)
				random_below(3) ? random_time() : random_interrupt();
			else if (what < 2)
				random_time();
			else if (what < 5)
				random_signal();
			else if (what < 6)
				random_interrupt();
			else if (what < 8)
				random_wait();
			else if (what < 9)
				random_end();
			else
				random_dispatch();
			deepest = model.depth > deepest ? model.depth : deepest;
		}
	}
	CHECK_EQUAL(deepest, CHAIN_MAX);
	machine_timer = TIMER_PIT;
}
