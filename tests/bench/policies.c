/* SPDX-License-Identifier: MIT */
/* Decisions of the policies of libs/scheduler, with as many children as there can be. */
#include "bench.h"
#include "policy.h"

/* What a dispatch costs a policy with 32 children that are all ready: it is told what the last one
 * consumed, and decides. */
static void decision_measure(const char *name, struct policy *policy, uint32_t cycles)
{
	uint64_t now = 1000000;
	for (uint32_t i = 0; i < POLICY_CHILDREN; i++)
		policy->ready(policy, now, i);
	uint32_t child = policy->decide(policy, now);
	MEASURE(name, now += cycles, if (policy->consumed) policy->consumed(policy, child, cycles);
		child = policy->decide(policy, now), );
}

/* Hard budgets, four fifths of all time together: each decision finds one used up, or one that is
 * to be refilled, or both. */
static void refill_measure(const char *name, struct edf *edf)
{
	struct policy *policy = &edf->policy;
	uint64_t now = 1000000, before;
	edf_begin(edf, 100);
	for (uint32_t i = 0; i < POLICY_CHILDREN; i++) {
		edf_child(edf, i, 10000, 400000 + 1000 * i, 1);
		policy->ready(policy, now, i);
	}
	uint32_t child = policy->decide(policy, now);
	MEASURE(name, before = now;
		now = policy->until,
		if (child != POLICY_NOBODY) policy->consumed(policy, child, now - before);
		child = policy->decide(policy, now), );
}

BENCHMARK(policies)
{
	static struct cyclic cyclic;
	static struct priority priority;
	static struct edf edf;
	static struct stride stride;
	struct cyclic_slot slots[POLICY_CHILDREN];
	for (uint32_t i = 0; i < POLICY_CHILDREN; i++)
		slots[i] = (struct cyclic_slot){i, 10000};
	cyclic_begin(&cyclic, slots, POLICY_CHILDREN, 1000000);
	decision_measure("policy_decision_cyclic", &cyclic.policy, 10000);
	priority_begin(&priority);
	decision_measure("policy_decision_priority", &priority.policy, 10000);
	edf_begin(&edf, 100);
	for (uint32_t i = 0; i < POLICY_CHILDREN; i++) /* each decision uses a budget up */
		edf_child(&edf, i, 10000, 320000 + 1000 * i, 0);
	decision_measure("policy_decision_edf", &edf.policy, 10000);
	refill_measure("policy_decision_edf_hard", &edf);
	stride_begin(&stride, 10000);
	for (uint32_t i = 0; i < POLICY_CHILDREN; i++)
		stride_child(&stride, i, i + 1);
	decision_measure("policy_decision_stride", &stride.policy, 10000);
}
