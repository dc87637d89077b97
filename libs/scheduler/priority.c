/* SPDX-License-Identifier: MIT */
/* Fixed priority: one bit for each child, and the lowest that is set. */
#include "policy.h"

static void POLICY_CALL priority_ready(struct policy *policy, uint64_t now, uint32_t child)
{
	((struct priority *)policy)->ready |= CHILD_BIT(child);
}

static void POLICY_CALL priority_blocked(struct policy *policy, uint32_t child)
{
	((struct priority *)policy)->ready &= ~CHILD_BIT(child);
}

/* Only those before it interrupt a child. */
static uint32_t POLICY_CALL priority_decide(struct policy *policy, uint64_t now)
{
	uint32_t ready = ((struct priority *)policy)->ready;
	policy->mask = (ready & -ready) - 1;
	return ready ? (uint32_t)__builtin_ctz(ready) : POLICY_NOBODY;
}

void priority_begin(struct priority *priority)
{
	*priority = (struct priority){.policy = {.ready = priority_ready,
						 .blocked = priority_blocked,
						 .decide = priority_decide,
						 .until = POLICY_NEVER}};
}
