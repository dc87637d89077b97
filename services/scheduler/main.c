/* SPDX-License-Identifier: MIT */
/* See program.h. */
#include "program.h"
#include "wish.server.h"

static struct scheduler scheduler;
static const struct scheduler_plan *const plan = (const struct scheduler_plan *)SCHEDULER_PLAN;

uint32_t wish_do_until(struct badge badge, uint64_t time)
{
	scheduler_wish(&scheduler, badge.high, time);
	return 0;
}

static struct policy *policy_make(enum scheduler_policy which, uint32_t children)
{
	static union {
		struct policy policy;
		struct cyclic cyclic;
		struct priority priority;
		struct edf edf;
		struct stride stride;
		struct round_robin robin;
	} any;
	switch (which) {
	case SCHEDULER_CYCLIC:
		cyclic_begin(&any.cyclic, plan->slots, plan->length, cycles());
		break;
	case SCHEDULER_PRIORITY:
		priority_begin(&any.priority);
		break;
	case SCHEDULER_EDF:
		edf_begin(&any.edf, plan->length);
		for (uint32_t i = 0; i < children; i++)
			edf_child(&any.edf, i, plan->servers[i].budget, plan->servers[i].period,
				  plan->servers[i].is_hard);
		break;
	case SCHEDULER_STRIDE:
		stride_begin(&any.stride, plan->length);
		for (uint32_t i = 0; i < children; i++)
			stride_child(&any.stride, i, plan->tickets[i]);
		break;
	case SCHEDULER_ROUND_ROBIN:
		round_robin_begin(&any.robin, plan->length);
		break;
	default:
		return NULL;
	}
	return &any.policy;
}

int main(uint32_t argument)
{
	struct policy *policy = policy_make(argument & 0xFF, argument >> 8);
	console_slot = SCHEDULER_CONSOLE;
	if (!policy)
		return 1;
	scheduler_begin(&scheduler, policy, SCHEDULER_PARENT, SCHEDULER_THREADS, argument >> 8);
	uint32_t error = scheduler_run(&scheduler, POLICY_NEVER);
	if (error)
		print("scheduler: %s\n", error_name(error));
	return 0;
}
