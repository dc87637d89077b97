/* SPDX-License-Identifier: MIT */
/*
 * The program `scheduler` (services/scheduler), as it is booted: a cyclic plan in root's thread, in
 * one of whose slots EDF runs periodic threads, and in the other one stride what has no deadlines.
 */
#include "scheduler/program.h"
#include "test.h"

#define ROW        (SLOTS_MAX - POLICY_CHILDREN) /* far from slots that slot_take gives */
#define PERIODIC   2u
#define BEST       2u
#define SLOT_EDF   6u /* soons */
#define SLOT_BEST  4u
#define JOB_PERIOD 20u

static struct client crowd[PERIODIC + BEST];
static struct scheduler top;
static struct cyclic cyclic;
static struct priority priority;
static struct domain doorkeeper;
static volatile uint32_t count[PERIODIC + BEST], late, wrong;
static uint32_t wish_door[PERIODIC];

PEER wishes(uint32_t operation, uint32_t low, uint32_t high, uint32_t child)
{
	(void)operation;
	scheduler_wish(&top, child, (uint64_t)high << 32 | low);
	return ANSWER(0, 0);
}

/* A scheduler in a domain of its own, that is child `number` of root's. */
struct program {
	struct domain domain;
	struct thread thread;
};
static struct program edf, stride;
static void program_make(struct program *program, const char *name, uint32_t number,
			 enum scheduler_policy policy, const struct scheduler_plan *plan,
			 uint32_t children, const struct client *first)
{
	uint32_t door =
		domain_door(&doorkeeper, SCHEDULER_BADGE(number) | (uint32_t)(uintptr_t)wishes);
	uint32_t spare = slot_take();
	domain_make(&program->domain, name, 0);
	domain_load(&program->domain, "scheduler");
	domain_fill(&program->domain, SCHEDULER_PLAN, plan, sizeof(*plan));
	domain_give(&program->domain, SCHEDULER_CONSOLE, console_slot);
	domain_give(&program->domain, SCHEDULER_PARENT, door);
	for (uint32_t i = 0; i < children; i++) {
		MUST(kernel_narrow(slot(spare), slot(first[i].thread.object.slot),
				   RIGHT_DISPATCH | RIGHT_SIGNAL, SCHEDULER_TIME));
		domain_give(&program->domain, SCHEDULER_THREADS + i, spare);
	}
	slot_give(spare);
	slot_give(door);
	thread_make(&program->thread, name, &program->domain);
	thread_go(&program->thread, program->domain.entry, 0, SCHEDULER_ARGUMENT(policy, children));
	MUST(kernel_copy(slot(ROW + number), slot(program->thread.object.slot)));
}
static void program_end(struct program *program, uint32_t number)
{
	MUST(kernel_delete(slot(ROW + number)));
	thread_end(&program->thread);
	domain_end(&program->domain);
}

static void is_periodic(uint32_t self)
{
	uint64_t next = cycles();
	const uint32_t rounds = soon / 3;
	uint32_t bits;
	for (;;) {
		for (uint32_t i = 0; i < rounds; i++)
			asm volatile("" : : : "memory");
		count[self]++;
		next += JOB_PERIOD * soon;
		late += cycles() > next;
		if (scheduler_wait_until(wish_door[self], 0, next, &bits)) {
			wrong++;
			return;
		}
	}
}
static void spins(uint32_t self)
{
	for (;;)
		count[self]++;
}

static void world_make(void)
{
	static struct scheduler_plan for_edf, for_stride;
	const struct cyclic_slot slots[] = {{0, SLOT_EDF * soon}, {1, SLOT_BEST * soon}};
	peer_make(&doorkeeper, "doorkeeper");
	late = wrong = 0;
	for (uint32_t i = 0; i < PERIODIC + BEST; i++) {
		count[i] = 0;
		client_make(&crowd[i], &root_domain, i < PERIODIC ? is_periodic : spins, i);
	}
	for_edf.length = 2000;
	for (uint32_t i = 0; i < PERIODIC; i++) {
		for_edf.servers[i].budget = 4 * soon;
		for_edf.servers[i].period = JOB_PERIOD * soon;
		for_edf.servers[i].is_hard = 1;
	}
	for_stride.length = soon / 2;
	for (uint32_t i = 0; i < BEST; i++)
		for_stride.tickets[i] = 1 + 2 * i;
	program_make(&edf, "EDF", 0, SCHEDULER_EDF, &for_edf, PERIODIC, &crowd[0]);
	program_make(&stride, "stride", 1, SCHEDULER_STRIDE, &for_stride, BEST, &crowd[PERIODIC]);
	for (uint32_t i = 0; i < PERIODIC; i++)
		wish_door[i] = domain_door(&edf.domain, SCHEDULER_BADGE(i));
	cyclic_begin(&cyclic, slots, 2, cycles() + soon);
	scheduler_begin(&top, &cyclic.policy, SCHEDULER_IS_ROOT, ROW, 2);
}
static void world_end(void)
{
	for (uint32_t i = 0; i < PERIODIC; i++)
		slot_give(wish_door[i]);
	program_end(&edf, 0);
	program_end(&stride, 1);
	for (uint32_t i = 0; i < PERIODIC + BEST; i++)
		client_end(&crowd[i]);
	domain_end(&doorkeeper);
}

static uint64_t client_time(uint32_t number)
{
	return time_of(crowd[number].thread.object.slot);
}

TEST(schedulers_compose_a_cyclic_plan_with_slots_for_edf_and_stride)
{
	const uint32_t rounds = 20;
	do {
		world_make();
		uint64_t begin = cycles();
		CHECK_EQUAL(scheduler_run(&top, begin + rounds * JOB_PERIOD * soon), 0);
		CHECK_EQUAL(top.living, 3);
		CHECK_EQUAL(wrong, 0);
		CHECK_EQUAL(top.consumed[0],
			    time_of(edf.thread.object.slot) + client_time(0) + client_time(1));
		CHECK_EQUAL(top.consumed[1],
			    time_of(stride.thread.object.slot) + client_time(2) + client_time(3));
		if (time_is_exact) {
			uint64_t one = client_time(2), three = client_time(3), half = soon / 2;
			CHECK(count[0] >= rounds - 1 && count[1] >= rounds - 1);
			CHECK_EQUAL(late, 0);
			CHECK(3 * one < three + 3 * half + half &&
			      three < 3 * one + 3 * half + half);
			/* what is left of the best-effort slots is the dispatchers' way */
			CHECK(one + three > rounds * JOB_PERIOD * soon / 10 * SLOT_BEST * 9 / 10);
			CHECK(one + three <= rounds * JOB_PERIOD * soon / 10 * SLOT_BEST);
			test_note("%u and %u jobs, none late; shares 1 : %llu.%02llu", count[0],
				  count[1], three / one, three * 100 / one % 100);
		}
		_Bool all = count[0] > 2 && count[1] > 2 && count[2] && count[3];
		world_end();
		if (!try_longer(!all)) {
			CHECK(all);
			break;
		}
	} while (1);
}

static void ends(uint32_t self)
{
	count[self]++;
}

TEST(scheduler_program_ends_with_its_last_child_and_refuses_what_is_no_policy)
{
	static struct scheduler_plan plan;
	for (uint32_t policy = SCHEDULER_CYCLIC; policy <= SCHEDULER_POLICIES; policy++) {
		plan.length = policy == SCHEDULER_CYCLIC ? 2 : 100000;
		peer_make(&doorkeeper, "doorkeeper");
		for (uint32_t i = 0; i < 2; i++) {
			count[i] = 0;
			client_make(&crowd[i], &root_domain, ends, i);
			if (policy == SCHEDULER_CYCLIC)
				plan.slots[i] = (struct cyclic_slot){i, soon};
			else if (policy == SCHEDULER_EDF)
				plan.servers[i].budget = plan.servers[i].period = 1000000;
			else
				plan.tickets[i] = 1;
		}
		program_make(&edf, "scheduler", 0, policy, &plan, 2, &crowd[0]);
		priority_begin(&priority); /* (a cyclic one waits for the end of its slot) */
		scheduler_begin(&top, &priority.policy, SCHEDULER_IS_ROOT, ROW, 1);
		CHECK_EQUAL(scheduler_run(&top, POLICY_NEVER), 0);
		CHECK_EQUAL(top.reason[0], DISPATCH_ENDED);
		CHECK_EQUAL(count[0], policy < SCHEDULER_POLICIES);
		CHECK_EQUAL(count[1], policy < SCHEDULER_POLICIES);
		program_end(&edf, 0);
		for (uint32_t i = 0; i < 2; i++)
			client_end(&crowd[i]);
		domain_end(&doorkeeper);
	}
}
