/* SPDX-License-Identifier: MIT */
/* Round robin: from one ready child to the next higher number, and from the last to the first. */
#include "policy.h"

static void POLICY_CALL round_robin_ready(struct policy *policy, uint64_t now, uint32_t child)
{
	((struct round_robin *)policy)->ready |= CHILD_BIT(child);
}

static void POLICY_CALL round_robin_blocked(struct policy *policy, uint32_t child)
{
	((struct round_robin *)policy)->ready &= ~CHILD_BIT(child);
}

static uint32_t POLICY_CALL round_robin_decide(struct policy *policy, uint64_t now)
{
	struct round_robin *robin = (struct round_robin *)policy;
	uint32_t ready = robin->ready, current = CHILD_BIT(robin->current);
	if (!ready) {
		policy->until = POLICY_NEVER;
		return POLICY_NOBODY;
	}
	if (!(ready & current) || now >= policy->until) {
		uint32_t behind = ready & -current & ~current;
		robin->current = __builtin_ctz(behind ? behind : ready);
		policy->until = now + robin->slice;
	}
	return robin->current;
}

void round_robin_begin(struct round_robin *robin, uint32_t slice_cycles)
{
	*robin = (struct round_robin){.policy = {.ready = round_robin_ready,
						 .blocked = round_robin_blocked,
						 .decide = round_robin_decide,
						 .mask = ~0u},
				      .current = POLICY_CHILDREN - 1,
				      .slice = slice_cycles};
}
