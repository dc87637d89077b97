/* SPDX-License-Identifier: MIT */
/* Stride scheduling, by what was consumed in fact and not by whole slices. */
#include "policy.h"

static void stride_queue(struct stride *stride, uint32_t child)
{
	tournament_set(&stride->queue, child, stride->pass[child]);
}

static void POLICY_CALL stride_ready(struct policy *policy, uint64_t now, uint32_t child)
{
	struct stride *stride = (struct stride *)policy;
	if (stride->pass[child] < stride->present)
		stride->pass[child] = tournament_value(stride->present, child);
	stride_queue(stride, child);
}

static void POLICY_CALL stride_blocked(struct policy *policy, uint32_t child)
{
	tournament_set(&((struct stride *)policy)->queue, child, TOURNAMENT_NONE);
}

static void POLICY_CALL stride_consumed(struct policy *policy, uint32_t child, uint32_t cycles)
{
	struct stride *stride = (struct stride *)policy;
	uint64_t passed = (uint64_t)cycles * stride->step[child] >> (24 - TOURNAMENT_SHIFT);
	stride->pass[child] += tournament_value(passed, 0);
	stride_queue(stride, child);
}

/* After days: all by the same amount, so that no pass ever runs over. */
static __attribute__((noinline)) void stride_lower(struct stride *stride)
{
	uint64_t amount = tournament_value(stride->present, 0);
	for (uint32_t i = 0; i < POLICY_CHILDREN; i++) {
		_Bool is_queued = tournament_has(&stride->queue, i);
		stride->pass[i] = stride->pass[i] > amount ? stride->pass[i] - amount : i;
		if (is_queued)
			stride_queue(stride, i);
	}
	stride->present -= amount;
}

static uint32_t POLICY_CALL stride_decide(struct policy *policy, uint64_t now)
{
	struct stride *stride = (struct stride *)policy;
	if (tournament_is_empty(&stride->queue)) {
		policy->until = POLICY_NEVER;
		return POLICY_NOBODY;
	}
	policy->until = now + stride->slice;
	stride->present = tournament_least(&stride->queue);
	if ((int64_t)stride->present < 0)
		stride_lower(stride);
	return tournament_child(&stride->queue);
}

void stride_begin(struct stride *stride, uint32_t slice_cycles)
{
	*stride = (struct stride){.policy = {.ready = stride_ready,
					     .blocked = stride_blocked,
					     .consumed = stride_consumed,
					     .decide = stride_decide,
					     .mask = ~0u},
				  .slice = slice_cycles};
	tournament_begin(&stride->queue);
}

void stride_child(struct stride *stride, uint32_t child, uint32_t tickets)
{
	stride->step[child] = UINT32_MAX / tickets;
	stride->pass[child] = child;
}
