// sources: tests/host/machine/tap.c tests/guest/policy_model.c libs/scheduler/cyclic.c
// sources: libs/scheduler/priority.c libs/scheduler/round_robin.c libs/scheduler/stride.c
// sources: libs/scheduler/edf.c
/* SPDX-License-Identifier: MIT */
/*
 * Each policy beside its model on random sets of threads, which run, wait, wake each other, overrun
 * their time and are not always as ready as was thought; and what each policy is there for.
 */
#include <string.h>

#include "../guest/policy_model.h"
#include "machine/tap.h"

#define SETS  60u
#define STEPS 4000u

static struct pair pair;
static union {
	struct cyclic cyclic;
	struct priority priority;
	struct round_robin robin;
	struct stride stride;
	struct edf edf;
} any;
static uint64_t now, consumed[POLICY_CHILDREN];

/* ---- making one of each ------------------------------------------------------------------------
 */
static void pair_make(enum model_kind kind)
{
	pair_begin(&pair, (struct policy *)&any);
	pair.model.kind = kind;
	memset(consumed, 0, sizeof(consumed));
	now = (uint64_t)random_number() << random_below(20);
}
static void cyclic_make(uint32_t children)
{
	struct cyclic_slot slots[CYCLIC_SLOTS];
	uint32_t count = 1 + random_below(CYCLIC_SLOTS);
	pair_make(MODEL_CYCLIC);
	for (uint32_t i = 0; i < count; i++) {
		slots[i].child = random_below(8) ? random_below(children) : POLICY_NOBODY;
		slots[i].cycles = 1 + random_below(random_below(2) ? 50 : 50000);
	}
	cyclic_begin(&any.cyclic, slots, count, now);
	memcpy(pair.model.slots, slots, sizeof(slots));
	pair.model.slot_count = count;
	pair.model.start = now;
	pair.model.slot_child = POLICY_NOBODY;
}
static void priority_make(uint32_t children)
{
	(void)children;
	pair_make(MODEL_PRIORITY);
	priority_begin(&any.priority);
}
static void round_robin_make(uint32_t children)
{
	(void)children;
	pair_make(MODEL_ROUND_ROBIN);
	pair.model.slice = 1 + random_below(20000);
	pair.model.current = POLICY_CHILDREN - 1;
	round_robin_begin(&any.robin, pair.model.slice);
}
static void stride_make(uint32_t children)
{
	pair_make(MODEL_STRIDE);
	pair.model.slice = 1 + random_below(20000);
	stride_begin(&any.stride, pair.model.slice);
	for (uint32_t i = 0; i < children; i++) {
		uint32_t tickets = 1 + random_below(random_below(2) ? 4 : STRIDE_TICKETS_MAX);
		pair.model.tickets[i] = tickets;
		stride_child(&any.stride, i, tickets);
	}
}
static void edf_make(uint32_t children)
{
	uint32_t grain = random_below(300);
	pair_make(MODEL_EDF);
	edf_begin(&any.edf, grain);
	pair.model.grain = grain;
	for (uint32_t i = 0; i < children; i++) {
		uint32_t budget = 2 * grain + 1 + random_below(3000),
			 period = budget + random_below(random_below(2) ? 100 : 100000),
			 is_hard = random_below(2);
		edf_child(&any.edf, i, budget, period, is_hard);
		pair.model.budget[i] = budget;
		pair.model.period[i] = period / 32 * 32;
		pair.model.is_hard[i] = is_hard;
	}
}

/* ---- a processor, as libs/scheduler sees it -----------------------------------------------------
 */
static uint32_t known; /* whom the policy thinks ready */
static uint32_t waits; /* who does not think so */

static void wake(uint32_t children)
{
	uint32_t child = random_below(children);
	waits &= ~CHILD_BIT(child);
	if (known & CHILD_BIT(child))
		return;
	known |= CHILD_BIT(child);
	pair.policy.ready(&pair.policy, now, child);
}

static void block(uint32_t child)
{
	known &= ~CHILD_BIT(child);
	waits |= CHILD_BIT(child);
	pair.policy.blocked(&pair.policy, child);
}

/* Until the deadline, a little longer, or less; now and then a machine stands still. */
static uint64_t ran(uint64_t most)
{
	switch (random_below(8)) {
	case 0:
		return 0;
	case 1:
	case 2:
		return most ? random_number() % most : 0;
	case 3:
		return random_below(1000) ? most + random_below(200) : most + (1ull << 33);
	default:
		return most;
	}
}

static void step(uint32_t children)
{
	uint32_t child = pair.policy.decide(&pair.policy, now);
	uint64_t most = pair.policy.until - now;
	CHECK_EQUAL(pair.wrong, 0);
	CHECK(pair.policy.until >= now);
	if (most > 100000)
		most = 100000;
	if (child == POLICY_NOBODY) {
		now += random_below(2) ? most : most / 2;
		wake(children);
		return;
	}
	if (pair.model.kind != MODEL_CYCLIC)
		CHECK(known & CHILD_BIT(child));
	if (waits & CHILD_BIT(child)) { /* the kernel says so */
		block(child);
		return;
	}
	uint64_t length = ran(most);
	now += length;
	known |= CHILD_BIT(child);
	consumed[child] += length;
	pair.policy.consumed(&pair.policy, child, length < UINT32_MAX ? length : UINT32_MAX);
	now += random_below(300); /* the timer, the scheduler itself */
	if (!random_below(6))
		block(child);
	if (!random_below(4))
		wake(children);
	if (!random_below(50)) /* somebody stops it behind the policy's back */
		waits |= CHILD_BIT(random_below(children));
}

static void beside_its_model(void (*make)(uint32_t children))
{
	uint64_t decisions = 0, chosen = 0;
	for (uint32_t set = 0; set < SETS; set++) {
		uint32_t children = set % 3 ? 1 + random_below(POLICY_CHILDREN) : POLICY_CHILDREN;
		make(children);
		known = 0;
		waits = ~0u;
		for (uint32_t i = 0; i < children; i++)
			wake(children);
		for (uint32_t i = 0; i < STEPS; i++)
			step(children);
		decisions += pair.decisions;
		for (uint32_t i = 0; i < POLICY_CHILDREN; i++)
			chosen += pair.chosen[i];
	}
	test_note("%llu decisions, %llu of them for somebody", (unsigned long long)decisions,
		  (unsigned long long)chosen);
	CHECK(decisions == (uint64_t)SETS * STEPS && chosen > decisions / 2);
}

TEST(policy_cyclic_decides_as_its_model)
{
	beside_its_model(cyclic_make);
}
TEST(policy_priority_decides_as_its_model)
{
	beside_its_model(priority_make);
}
TEST(policy_round_robin_decides_as_its_model)
{
	beside_its_model(round_robin_make);
}
TEST(policy_stride_decides_as_its_model)
{
	beside_its_model(stride_make);
}
TEST(policy_edf_decides_as_its_model)
{
	beside_its_model(edf_make);
}

/* ---- what they are there for --------------------------------------------------------------------
 */
static void all_ready(uint32_t children)
{
	for (uint32_t i = 0; i < children; i++)
		pair.policy.ready(&pair.policy, now, i);
}
/* Everybody works as long as allowed. */
static uint32_t hog(uint64_t most)
{
	uint32_t child = pair.policy.decide(&pair.policy, now);
	uint64_t length = pair.policy.until - now;
	length = length < most ? length : most;
	now += length;
	if (child != POLICY_NOBODY) {
		consumed[child] += length;
		pair.policy.consumed(&pair.policy, child, length);
	}
	return child;
}

TEST(policy_cyclic_gives_each_slot_exactly_and_catches_up_in_phase)
{
	static const struct cyclic_slot slots[] = {
		{0, 1000}, {POLICY_NOBODY, 500}, {1, 250}, {0, 250}};
	for (uint32_t round = 0; round < 100; round++) {
		pair_make(MODEL_CYCLIC);
		uint64_t start = now;
		cyclic_begin(&any.cyclic, slots, 4, start);
		memcpy(pair.model.slots, slots, sizeof(slots));
		pair.model.slot_count = 4;
		pair.model.start = start;
		for (uint32_t i = 0; i < 4 * 50; i++)
			hog(UINT64_MAX);
		CHECK_EQUAL(now, start + 50 * 2000);
		CHECK_EQUAL(consumed[0], 50 * 1250);
		CHECK_EQUAL(consumed[1], 50 * 250);
		now += (uint64_t)random_number() << random_below(24); /* nobody asked for long */
		hog(UINT64_MAX);
		uint64_t phase = (now - start) % 2000;
		CHECK(phase == 0 || phase == 1000 || phase == 1500 || phase == 1750);
		CHECK_EQUAL(pair.wrong, 0);
	}
}

TEST(policy_stride_gives_shares_to_within_a_slice)
{
	for (uint32_t set = 0; set < 50; set++) {
		uint32_t children = 2 + random_below(POLICY_CHILDREN - 1);
		stride_make(children);
		double slice = pair.model.slice;
		all_ready(children);
		for (uint32_t i = 0; i < 20000; i++)
			hog(random_below(3) ? UINT64_MAX : 1 + random_below(pair.model.slice));
		CHECK_EQUAL(pair.wrong, 0);
		for (uint32_t a = 0; a < children; a++)
			for (uint32_t b = 0; b < a; b++) {
				double of_a = (double)pair.model.tickets[a],
				       of_b = (double)pair.model.tickets[b];
				double apart =
					(double)consumed[a] / of_a - (double)consumed[b] / of_b;
				/* and what 2^-8 and 2^-32 leave out in each dispatch */
				double most =
					slice / (of_a < of_b ? of_a : of_b) + 20000 / 256.0 + 1;
				CHECK(apart < most && apart > -most);
			}
	}
}

/* 2^63 is nine quintillion: seven weeks of one ticket at 3 GHz. */
TEST(policy_stride_goes_on_when_passes_are_lowered)
{
	stride_make(3);
	pair.model.slice = any.stride.slice = 1u << 31;
	for (uint32_t i = 0; i < 2; i++) {
		pair.model.tickets[i] = 1 + i;
		stride_child(&any.stride, i, 1 + i);
	}
	all_ready(2);
	uint64_t before = 0;
	uint32_t lowered = 0;
	for (uint32_t i = 0; i < 1700000; i++) {
		hog(UINT64_MAX);
		if (any.stride.pass[0] < before) { /* and one more begins where those are */
			lowered++;
			pair.policy.ready(&pair.policy, now, 2);
		}
		before = any.stride.pass[0];
	}
	CHECK_EQUAL(pair.wrong, 0);
	CHECK(lowered == 1);
	for (uint32_t i = 0; i < 2; i++) {
		double share = (double)consumed[i] / (double)(consumed[0] + consumed[1]);
		CHECK(share > (i + 1) / 3.0 - 1e-5 && share < (i + 1) / 3.0 + 1e-5);
	}
}

TEST(policy_edf_hard_budgets_are_kept_in_every_period)
{
	for (uint32_t set = 0; set < 50; set++) {
		uint32_t children = 1 + random_below(8);
		edf_make(children);
		for (uint32_t i = 0; i < children; i++) { /* an eighth of the time each, at most */
			uint32_t budget = 1000 + random_below(2000),
				 period = (8 * budget + random_below(5000)) / 32 * 32;
			edf_child(&any.edf, i, budget, period, 1);
			pair.model.budget[i] = budget;
			pair.model.period[i] = period;
			pair.model.is_hard[i] = 1;
		}
		uint64_t start = now, length = 3000000;
		all_ready(children);
		while (now < start + length)
			hog(random_below(4) ? UINT64_MAX : 1 + random_below(500));
		CHECK_EQUAL(pair.wrong, 0);
		for (uint32_t i = 0; i < children; i++) {
			uint64_t budget = pair.model.budget[i], period = pair.model.period[i];
			CHECK(consumed[i] <= (length / period + 1) * budget);
			/* and it got them, up to a rest that is carried over */
			CHECK(consumed[i] + pair.model.grain >= (length / period - 1) * budget);
		}
	}
}

/*
 * Periodic jobs that need no more than their budgets, together at most the whole processor, end
 * before their periods do, whatever soft hogs beside them take.
 */
TEST(policy_edf_jobs_within_their_budgets_meet_all_deadlines_beside_hogs)
{
	for (uint32_t set = 0; set < 50; set++) {
		uint64_t due[POLICY_CHILDREN], need[POLICY_CHILDREN] = {0}, late = 0, done = 0;
		const uint32_t jobs = 8, hogs = 2, children = jobs + hogs;
		edf_make(children);
		edf_begin(&any.edf, 0);
		pair.model.grain = 0;
		for (uint32_t i = 0; i < children; i++) { /* a tenth each */
			uint32_t budget = 32 * (10 + random_below(300)), period = 10 * budget;
			edf_child(&any.edf, i, budget, period, 0);
			pair.model.budget[i] = budget;
			pair.model.period[i] = period;
			pair.model.is_hard[i] = 0;
			due[i] = now + random_below(period);
			if (i >= jobs)
				pair.policy.ready(&pair.policy, now, i);
		}
		uint64_t end = now + 4000000;
		while (now < end) {
			uint64_t next = UINT64_MAX;
			for (uint32_t i = 0; i < jobs; i++) {
				if (due[i] <= now) { /* the job before must be done */
					late += need[i] != 0;
					need[i] = 1 + random_below(pair.model.budget[i]);
					/* (steps of 32 cost a job that much) */
					need[i] = need[i] > 64 ? need[i] - 64 : 1;
					due[i] += pair.model.period[i] + 64;
					pair.policy.ready(&pair.policy, now, i);
				}
				next = due[i] < next ? due[i] : next;
			}
			uint32_t child = pair.policy.decide(&pair.policy, now);
			CHECK_EQUAL(pair.wrong, 0);
			CHECK(child != POLICY_NOBODY);
			uint64_t length = pair.policy.until - now;
			length = length < next - now ? length : next - now;
			if (child < jobs && need[child] < length)
				length = need[child];
			now += length;
			consumed[child] += length;
			pair.policy.consumed(&pair.policy, child, length);
			if (child < jobs && !(need[child] -= length)) {
				done++;
				pair.policy.blocked(&pair.policy, child);
			}
		}
		CHECK_EQUAL(late, 0);
		CHECK(done > 500);
		CHECK(consumed[jobs] && consumed[jobs + 1]);
	}
}
