/* SPDX-License-Identifier: MIT */
/*
 * Schedulers in user mode (libs/scheduler) over real threads: each policy beside its model
 * (policy_model.h), one upon the other, and when one of them dies. What a model is told are the
 * times at which things happened, so it decides the same on every machine.
 */
#include "policy_model.h"
#include "scheduler.h"
#include "wish.h"
#include "scheduler/program.h"
#include "test.h"

/* Slots of root's list, far from those that slot_take gives: first slots of rows of children. */
#define ROW(number) (SLOTS_MAX - POLICY_CHILDREN * ((number) + 1))
#define GRAIN       2000u /* two ticks of the 8254 and more, where ticks are instructions */

static struct client crowd[CHAIN_MAX + 1];
static struct scheduler schedulers[CHAIN_MAX];
static struct round_robin robins[CHAIN_MAX];
static union {
	struct policy policy;
	struct cyclic cyclic;
	struct priority priority;
	struct round_robin robin;
	struct stride stride;
	struct edf edf;
} any;
static struct pair pair;
static volatile uint32_t count[CHAIN_MAX + 1], error_of[CHAIN_MAX + 1];

static uint32_t thread_slot(uint32_t number)
{
	return crowd[number].thread.object.slot;
}
/* In this row, as that child: a thread, with what a scheduler needs. */
static void child_put(uint32_t row, uint32_t child, uint32_t thread)
{
	MUST(kernel_narrow(slot(row + child), slot(thread), RIGHT_DISPATCH | RIGHT_SIGNAL,
			   SCHEDULER_TIME));
}
static void row_clear(uint32_t row)
{
	for (uint32_t i = 0; i < POLICY_CHILDREN; i++)
		MUST(kernel_delete(slot(row + i)));
}
static uint64_t later(uint32_t soons)
{
	return cycles() + soons * soon;
}

/* ---- the doors of a scheduler's children: into a domain whose functions are ours
 * ---------------------------------------------- */
static struct domain doorkeeper;
static uint32_t wish_door[POLICY_CHILDREN]; /* of schedulers[0]'s children */
PEER wishes(uint32_t operation, uint32_t low, uint32_t high, uint32_t child)
{
	(void)operation;
	scheduler_wish(&schedulers[0], child, (uint64_t)high << 32 | low);
	return ANSWER(0, 0);
}
static void doors_make(uint32_t children)
{
	peer_make(&doorkeeper, "doorkeeper");
	for (uint32_t i = 0; i < children; i++)
		wish_door[i] =
			domain_door(&doorkeeper, SCHEDULER_BADGE(i) | (uint32_t)(uintptr_t)wishes);
}
static void doors_end(uint32_t children)
{
	for (uint32_t i = 0; i < children; i++)
		slot_give(wish_door[i]);
	domain_end(&doorkeeper);
}

/* ---- what children do ---------------------------------------------------------------------------
 */
static void spins(uint32_t self)
{
	for (;;)
		count[self]++;
}
static void spins_a_while(uint32_t self)
{
	for (uint32_t i = 0; i < 3000; i++)
		count[self]++;
}
static void works(uint32_t self, uint32_t rounds)
{
	for (uint32_t i = 0; i < rounds; i++)
		asm volatile("" : : : "memory");
	count[self]++;
}
/* A job each eight soons, of which it needs about one; then it wakes child 1. */
static void is_periodic(uint32_t self)
{
	uint64_t next = cycles();
	uint32_t bits;
	for (;;) {
		works(self, soon / 4);
		kernel_signal(slot(thread_slot(1)), 1);
		next += 8 * soon;
		error_of[self] = scheduler_wait_until(wish_door[self], 0, next, &bits);
		if (error_of[self])
			return;
	}
}
static void answers(uint32_t self)
{
	uint32_t bits;
	for (;;) {
		kernel_wait(1, DEADLINE_NEVER, &bits);
		works(self, soon / 8);
	}
}
static void faults(uint32_t self)
{
	count[self]++;
	*(volatile uint32_t *)0x0BAD0000 = 0;
}
static client_function *const roles[] = {is_periodic, answers, spins, spins_a_while, faults, spins};
#define ROLES (sizeof(roles) / sizeof(roles[0]))

static void crowd_make(uint32_t number, client_function *function)
{
	count[number] = error_of[number] = 0;
	client_make(&crowd[number], &root_domain, function, number);
}
static void crowd_end(uint32_t number)
{
	for (uint32_t i = 0; i < number; i++)
		client_end(&crowd[i]);
}

/* ---- each policy beside its model ---------------------------------------------------------------
 */
static void cyclic_make(void)
{
	struct cyclic_slot slots[ROLES + 1];
	uint64_t start = cycles() + soon;
	for (uint32_t i = 0; i < ROLES; i++)
		slots[i] = (struct cyclic_slot){i, 2 * soon};
	slots[ROLES] = (struct cyclic_slot){POLICY_NOBODY, soon};
	cyclic_begin(&any.cyclic, slots, ROLES + 1, start);
	pair.model.kind = MODEL_CYCLIC;
	memcpy(pair.model.slots, slots, sizeof(slots));
	pair.model.slot_count = ROLES + 1;
	pair.model.start = start - 14 * soon; /* the cycle before: its last slot is nobody's */
	pair.model.slots[ROLES].cycles = 2 * soon;
	any.cyclic.slots[ROLES].cycles = 2 * soon;
	any.cyclic.cycle = 14 * soon;
	pair.model.slot_child = POLICY_NOBODY;
}
static void priority_make(void)
{
	priority_begin(&any.priority);
	pair.model.kind = MODEL_PRIORITY;
}
static void round_robin_make(void)
{
	round_robin_begin(&any.robin, soon);
	pair.model.kind = MODEL_ROUND_ROBIN;
	pair.model.slice = soon;
	pair.model.current = POLICY_CHILDREN - 1;
}
static void stride_make(void)
{
	stride_begin(&any.stride, soon);
	pair.model.kind = MODEL_STRIDE;
	pair.model.slice = soon;
	for (uint32_t i = 0; i < ROLES; i++) {
		stride_child(&any.stride, i, i + 1);
		pair.model.tickets[i] = i + 1;
	}
}
static void edf_make(void)
{
	/* (periods are words: 28 of these) */
	uint32_t length = soon < 1u << 27 ? soon : 1u << 27;
	edf_begin(&any.edf, GRAIN);
	pair.model.kind = MODEL_EDF;
	pair.model.grain = GRAIN;
	for (uint32_t i = 0; i < ROLES; i++) {
		edf_child(&any.edf, i, 2 * length, (8 + 4 * i) * length, i % 2);
		pair.model.budget[i] = 2 * length;
		pair.model.period[i] = (8 + 4 * i) * length / 32 * 32;
		pair.model.is_hard[i] = i % 2;
	}
}

/* The last one only runs when nobody before it does: not under every policy. */
static _Bool all_came(uint32_t roles_wanted)
{
	for (uint32_t i = 0; i < roles_wanted; i++)
		if (!count[i])
			return 0;
	return count[0] > 5;
}

static void beside_its_model(void (*make)(void), uint32_t roles_wanted)
{
	doors_make(ROLES);
	do {
		pair_begin(&pair, &any.policy);
		for (uint32_t i = 0; i < ROLES; i++) {
			crowd_make(i, roles[i]);
			child_put(ROW(0), i, thread_slot(i));
		}
		uint64_t before = time_of(ROOT_THREAD), begin = cycles(), sum = 0;
		make();
		scheduler_begin(&schedulers[0], &pair.policy, SCHEDULER_IS_ROOT, ROW(0), ROLES);
		CHECK_EQUAL(scheduler_run(&schedulers[0], later(400)), 0);
		uint64_t root = time_of(ROOT_THREAD) - before, elapsed = cycles() - begin;
		CHECK_EQUAL(pair.wrong, 0);
		for (uint32_t i = 0; i < ROLES; i++) {
			CHECK_EQUAL(schedulers[0].consumed[i], time_of(thread_slot(i)));
			sum += schedulers[0].consumed[i];
		}
		CHECK(sum + root <= elapsed);
		CHECK(!error_of[0]);
		/* these have ended, each in its way, unless time was over just before */
		if (count[3] == 3000 && count[4] &&
		    (time_is_exact || !(schedulers[0].living & 0x18))) {
			CHECK_EQUAL(schedulers[0].reason[3], DISPATCH_ENDED);
			CHECK_EQUAL(schedulers[0].reason[4], DISPATCH_FAULTED);
			CHECK_EQUAL(schedulers[0].living & 0x3F, 0x27);
		}
		crowd_end(ROLES);
	} while (try_longer(!all_came(roles_wanted)));
	CHECK(all_came(roles_wanted) && pair.decisions > 20);
	test_note("%u decisions, %u jobs", pair.decisions, count[0]);
	row_clear(ROW(0));
	doors_end(ROLES);
}

TEST(scheduler_runs_threads_by_a_cyclic_plan_as_its_model_says)
{
	beside_its_model(cyclic_make, ROLES);
}
TEST(scheduler_runs_threads_by_priority_as_its_model_says)
{
	beside_its_model(priority_make, 3);
}
TEST(scheduler_runs_threads_in_turn_as_its_model_says)
{
	beside_its_model(round_robin_make, ROLES);
}
TEST(scheduler_runs_threads_by_shares_as_its_model_says)
{
	beside_its_model(stride_make, ROLES);
}
TEST(scheduler_runs_threads_by_deadlines_and_budgets_as_its_model_says)
{
	beside_its_model(edf_make, ROLES);
}

/* ---- what a plan promises
 * ------------------------------------------------------------------------
 */
/* A policy before another one, which notes how long after its decision's end it is asked again. */
static struct {
	struct policy policy;
	uint64_t until, latest;
	uint32_t late_count;
} watch;
static uint32_t POLICY_CALL watch_decide(struct policy *policy, uint64_t now)
{
	if (watch.until != POLICY_NEVER && now >= watch.until) {
		uint64_t late = now - watch.until;
		watch.latest = late > watch.latest ? late : watch.latest;
		watch.late_count++;
	}
	uint32_t child = any.policy.decide(&any.policy, now);
	policy->until = any.policy.until;
	policy->mask = any.policy.mask;
	watch.until = child == POLICY_NOBODY ? POLICY_NEVER : policy->until;
	return child;
}
static void POLICY_CALL watch_ready(struct policy *policy, uint64_t now, uint32_t child)
{
	(void)policy;
	any.policy.ready(&any.policy, now, child);
}
static void POLICY_CALL watch_blocked(struct policy *policy, uint32_t child)
{
	(void)policy;
	any.policy.blocked(&any.policy, child);
}
static void POLICY_CALL watch_consumed(struct policy *policy, uint32_t child, uint32_t cycles)
{
	(void)policy;
	if (any.policy.consumed)
		any.policy.consumed(&any.policy, child, cycles);
}
static struct policy *watch_begin(void)
{
	memset(&watch, 0, sizeof(watch));
	watch.policy = (struct policy){.ready = watch_ready,
				       .blocked = watch_blocked,
				       .consumed = watch_consumed,
				       .decide = watch_decide};
	watch.until = POLICY_NEVER;
	return &watch.policy;
}

/* The longest stay in the kernel (tests/bench/limits.json), in which the scheduler's own way to its
 * next decision fits as well here; and two ticks of the 8254, where that is the timer. */
static uint64_t late_most(void)
{
	return 600 + (boot_record->timer == TIMER_PIT ? boot_record->cycles_per_ms / 500 : 0);
}

TEST(scheduler_cuts_a_thread_that_never_yields_at_its_slots_end)
{
	static const struct cyclic_slot slots[] = {{0, 20011}, {1, 30029}, {0, 10037}};
	if (!time_is_exact) {
		test_skip(COUNTER_IS_NOT_EXACT);
		return;
	}
	for (uint32_t i = 0; i < 2; i++) {
		crowd_make(i, spins);
		child_put(ROW(0), i, thread_slot(i));
	}
	cyclic_begin(&any.cyclic, slots, 3, cycles() + 100);
	scheduler_begin(&schedulers[0], watch_begin(), SCHEDULER_IS_ROOT, ROW(0), 2);
	CHECK_EQUAL(scheduler_run(&schedulers[0], later(200)), 0);
	CHECK(watch.late_count > 150);
	CHECK(watch.latest <= late_most());
	test_note("%u slots, the next decision at most %llu instructions after the end",
		  watch.late_count, watch.latest);
	crowd_end(2);
	row_clear(ROW(0));
}

TEST(scheduler_enforces_budgets_of_threads_that_never_yield)
{
	const uint32_t children = 3, periods = 60;
	if (!time_is_exact) {
		test_skip(COUNTER_IS_NOT_EXACT);
		return;
	}
	edf_begin(&any.edf, GRAIN);
	for (uint32_t i = 0; i < children; i++) {
		crowd_make(i, spins);
		child_put(ROW(0), i, thread_slot(i));
		edf_child(&any.edf, i, 10000 + 5000 * i, 64000, 1);
	}
	scheduler_begin(&schedulers[0], watch_begin(), SCHEDULER_IS_ROOT, ROW(0), children);
	CHECK_EQUAL(scheduler_run(&schedulers[0], cycles() + 64000ull * periods), 0);
	for (uint32_t i = 0; i < children; i++) {
		uint64_t consumed = schedulers[0].consumed[i], budget = 10000 + 5000 * i;
		CHECK_EQUAL(consumed, time_of(thread_slot(i)));
		CHECK(consumed <= periods * budget + late_most());
		CHECK(consumed >= (periods - 1) * budget - GRAIN);
		test_note("budget %llu in each of %u periods: %llu in all", budget, periods,
			  consumed);
	}
	crowd_end(children);
	row_clear(ROW(0));
}

/* ---- one upon the other -------------------------------------------------------------------------
 */
/* A thread that is a scheduler of its own, in turn, over the row of its number. */
static void schedules(uint32_t self)
{
	error_of[self] = scheduler_run(&schedulers[self], POLICY_NEVER);
	count[self]++;
}
static void scheduler_make(uint32_t self, uint32_t row, uint32_t children)
{
	crowd_make(self, schedules);
	round_robin_begin(&robins[self], 1u << 31);
	scheduler_begin(&schedulers[self], &robins[self].policy, ROOT_AUTHORITY, row, children);
}
/* crowd[0] to crowd[last - 1] each dispatch the next one; so all have their child in one row. */
static void tower_make(uint32_t last, client_function *function)
{
	for (uint32_t i = 0; i < last; i++)
		scheduler_make(i, ROW(1) + i, 1);
	crowd_make(last, function);
	for (uint32_t i = 1; i <= last; i++)
		child_put(ROW(1) - 1, i, thread_slot(i));
}
static void tower_end(uint32_t last)
{
	crowd_end(last + 1);
	row_clear(ROW(1));
}
static struct dispatch_result go(uint32_t number)
{
	return client_dispatch(&crowd[number], 0, 0, 0);
}

static void waits_once(uint32_t self)
{
	uint32_t bits;
	count[self]++;
	kernel_wait(1, DEADLINE_NEVER, &bits);
	count[self]++;
}

TEST(schedulers_are_nested_32_deep_and_wake_ups_reach_the_last_one)
{
	const uint32_t last = CHAIN_MAX - 2; /* root, thirty of these, and the thread */
	tower_make(last, waits_once);
	CHECK_EQUAL(go(0).reason, DISPATCH_WAITING);
	CHECK_EQUAL(count[last], 1);
	MUST(kernel_signal(slot(thread_slot(last)), 1));
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(count[last], 2);
	for (uint32_t i = 0; i < last; i++) {
		CHECK(count[i] == 1 && !error_of[i]);
		CHECK_EQUAL(schedulers[i].reason[0], DISPATCH_ENDED);
	}
	uint64_t within = time_of(thread_slot(last)); /* each is charged all that is above it */
	for (uint32_t i = last; i--;) {
		CHECK_EQUAL(schedulers[i].consumed[0], within);
		within += time_of(thread_slot(i));
	}
	tower_end(last);
	uint32_t bits;
	MUST(kernel_wait(~0u, 0, &bits));
}

TEST(scheduler_too_deep_is_told_so_by_name)
{
	const uint32_t last = CHAIN_MAX - 1;
	tower_make(last, waits_once);
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(count[last], 0);
	CHECK_EQUAL(error_of[last - 1], ERROR_CHAIN);
	for (uint32_t i = 0; i + 1 < last; i++)
		CHECK(!error_of[i] && count[i]);
	tower_end(last);
}

/* Root's children by priority: 0 a scheduler of 2, 1 a scheduler of 3. 3 wakes 2, which is more
 * important than it: at once. */
static volatile uint32_t order[4], order_count;
static void notes_its_wake_up(uint32_t self)
{
	uint32_t bits;
	kernel_wait(1, DEADLINE_NEVER, &bits);
	order[order_count++ % 4] = self;
}
static void wakes_the_other(uint32_t self)
{
	kernel_signal(slot(thread_slot(2)), 1);
	order[order_count++ % 4] = self;
}

TEST(scheduler_is_told_of_a_wake_up_below_a_scheduler_that_waits)
{
	order_count = 0;
	for (uint32_t i = 0; i < 2; i++) {
		scheduler_make(i, ROW(1 + i), 1);
		child_put(ROW(0), i, thread_slot(i));
		crowd_make(2 + i, i ? wakes_the_other : notes_its_wake_up);
		child_put(ROW(1 + i), 0, thread_slot(2 + i));
	}
	struct scheduler *top = &schedulers[4];
	priority_begin(&any.priority);
	scheduler_begin(top, &any.policy, SCHEDULER_IS_ROOT, ROW(0), 2);
	CHECK_EQUAL(scheduler_run(top, later(100000)), 0);
	CHECK_EQUAL(top->living, 0);
	CHECK(order_count == 2 && order[0] == 2 && order[1] == 3);
	crowd_end(4);
	for (uint32_t i = 0; i < 3; i++)
		row_clear(ROW(i));
}

TEST(scheduler_that_can_not_ask_for_a_time_says_so)
{
	crowd_make(0, schedules);
	static const struct cyclic_slot slots[] = {{POLICY_NOBODY, 1000000}};
	cyclic_begin(&any.cyclic, slots, 1, cycles());
	scheduler_begin(&schedulers[0], &any.policy, ROW(3), ROW(0), 1);
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(error_of[0], ERROR_EMPTY);
	crowd_end(1);
}

/* Stopped at each instruction while it asks for a time; then it begins anew, and waits for whatever
 * time stands there now. */
static void asks(uint32_t time)
{
	wish_until(slot(wish_door[0]), (uint64_t)1 << 32 | time);
}
static void waits_for_a_time(uint32_t self)
{
	uint32_t bits;
	kernel_wait(SCHEDULER_TIME, DEADLINE_NEVER, &bits);
	count[self]++;
}

TEST(scheduler_wish_that_is_torn_hurts_only_who_asked)
{
	const uint32_t low = 0x12345678, length = 20;
	uint32_t torn = 0, jobs = 0;
	_Bool is_done = 0;
	doors_make(2);
	for (uint32_t stop = 0; !is_done; stop++) {
		crowd_make(0, asks);
		client_restart(&crowd[0], asks, low);
		crowd_make(1, is_periodic);
		for (uint32_t i = 0; i < 2; i++)
			child_put(ROW(0), i, thread_slot(i));
		priority_begin(&any.priority);
		scheduler_begin(&schedulers[0], &any.policy, SCHEDULER_IS_ROOT, ROW(0), 2);
		for (uint32_t i = 0; i < stop && !is_done; i++)
			is_done = client_step(&crowd[0]).reason == DISPATCH_ENDED;
		uint64_t wish = schedulers[0].wish[0];
		_Bool is_torn = wish != POLICY_NEVER && wish != (1ull << 32 | low);
		torn += is_torn;
		if (!is_torn && stop && !is_done) { /* nothing that one could tell from before */
			crowd_end(2);
			continue;
		}
		client_restart(&crowd[0], waits_for_a_time, 0);
		do
			CHECK_EQUAL(scheduler_run(&schedulers[0], later(length)), 0);
		while (try_longer(count[1] < 2));
		CHECK(!error_of[1] && count[1] >= 2);
		CHECK_EQUAL(schedulers[0].consumed[1], time_of(thread_slot(1)));
		if (time_is_exact && stop)
			CHECK_EQUAL(count[1], jobs);
		jobs = count[1];
		crowd_end(2);
	}
	CHECK(torn);
	test_note("%u of the instructions leave a torn wish", torn);
	row_clear(ROW(0));
	doors_end(2);
}

/* ---- when one of them dies ----------------------------------------------------------------------
 */
static void POLICY_CALL policy_faults(struct policy *policy, uint32_t child, uint32_t cycles)
{
	(void)policy, (void)child, (void)cycles;
	*(volatile uint32_t *)0x0BAD0000 = 0;
}
static void destroys_its_dispatcher(uint32_t self)
{
	uint32_t frame = crowd[0].thread.object.frame;
	count[self]++;
	error_of[self] = kernel_destroy(AUTHORITY, frame, object_generation(frame));
	spins(self);
}

enum death { BY_FAULT, DESTROYED, BY_ITS_CHILD, DEATHS };

/* Root: 0 the scheduler that dies, of 2 and 3, and a neighbour 1. Then 2 and 3 are root's own. */
static void dies(enum death how)
{
	struct scheduler *top = &schedulers[4], *heir = &schedulers[5];
	struct round_robin *turns = &robins[4], *heirs_turns = &robins[5];
	scheduler_make(0, ROW(1), 2);
	robins[0].slice = soon;
	crowd_make(1, spins);
	crowd_make(2, how == BY_ITS_CHILD ? destroys_its_dispatcher : spins);
	crowd_make(3, spins);
	for (uint32_t i = 0; i < 2; i++) {
		child_put(ROW(0), i, thread_slot(i));
		child_put(ROW(1), i, thread_slot(2 + i));
		child_put(ROW(2), i, thread_slot(2 + i));
	}
	round_robin_begin(turns, 4 * soon);
	scheduler_begin(top, &turns->policy, SCHEDULER_IS_ROOT, ROW(0), 2);
	if (how == BY_FAULT)
		robins[0].policy.consumed = policy_faults;
	do
		CHECK_EQUAL(scheduler_run(top, later(how == DESTROYED ? 7 : 40)), 0);
	while (try_longer((how != DESTROYED && top->living == 3) || !count[1]));
	if (how == DESTROYED) {
		uint32_t frame = crowd[0].thread.object.frame;
		CHECK_EQUAL(top->living, 3);
		MUST(kernel_destroy(AUTHORITY, frame, object_generation(frame)));
		do
			CHECK_EQUAL(scheduler_run(top, later(20)), 0);
		while (try_longer(top->living == 3));
		CHECK_EQUAL(top->error[0], ERROR_STALE);
	} else {
		CHECK_EQUAL(top->reason[0], how == BY_FAULT ? DISPATCH_FAULTED : DISPATCH_ENDED);
	}
	CHECK_EQUAL(top->living, 2); /* and nobody else was hurt */
	uint32_t neighbour = count[1], before[2] = {count[2], count[3]};
	CHECK_EQUAL(top->consumed[1], time_of(thread_slot(1)));
	CHECK(neighbour);

	round_robin_begin(heirs_turns, soon);
	scheduler_begin(heir, &heirs_turns->policy, SCHEDULER_IS_ROOT, ROW(2), 2);
	do
		CHECK_EQUAL(scheduler_run(heir, later(10)), 0);
	while (try_longer(count[2] == before[0] || count[3] == before[1]));
	CHECK_EQUAL(heir->living, 3);
	CHECK(count[2] > before[0] && count[3] > before[1]);
	CHECK_EQUAL(count[1], neighbour);
	crowd_end(4);
	for (uint32_t i = 0; i < 3; i++)
		row_clear(ROW(i));
}

TEST(scheduler_that_dies_is_its_own_clients_error_and_its_children_go_on)
{
	for (enum death how = 0; how < DEATHS; how++) {
		soon = SOON_AT_FIRST * (time_is_exact ? 1 : 50);
		dies(how);
	}
}

/* A thread that waited below a scheduler that died is woken once by whoever takes it over. */
TEST(scheduler_takes_over_a_thread_that_waits_by_waking_it)
{
	struct scheduler *heir = &schedulers[5];
	tower_make(1, answers);
	CHECK_EQUAL(go(0).reason, DISPATCH_WAITING);
	MUST(kernel_destroy(AUTHORITY, crowd[0].thread.object.frame,
			    object_generation(crowd[0].thread.object.frame)));
	round_robin_begin(&robins[5], soon);
	scheduler_begin(heir, &robins[5].policy, SCHEDULER_IS_ROOT, ROW(1), 1);
	CHECK_EQUAL(scheduler_run(heir, later(2)), 0);
	CHECK(heir->error[0] == ERROR_STATE && heir->living == 1 && !heir->ready);
	for (uint32_t i = 0; i < 3; i++) {
		MUST(kernel_signal(slot(thread_slot(1)), 1));
		if (i == 0) /* the dead one's link leads nowhere */
			MUST(kernel_signal(slot(ROOT_THREAD), CHILD_BIT(0)));
		do
			CHECK_EQUAL(scheduler_run(heir, later(5)), 0);
		while (try_longer(count[1] != i + 1));
		CHECK_EQUAL(count[1], i + 1);
	}
	tower_end(1);
}
