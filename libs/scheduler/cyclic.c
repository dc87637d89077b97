/* SPDX-License-Identifier: MIT */
/* Static cyclic: the time alone decides. */
#include "policy.h"

static void POLICY_CALL cyclic_ready(struct policy *policy, uint64_t now, uint32_t child)
{
	struct cyclic *cyclic = (struct cyclic *)policy;
	if (child == cyclic->slots[cyclic->at].child)
		cyclic->is_blocked = 0;
}

static void POLICY_CALL cyclic_blocked(struct policy *policy, uint32_t child)
{
	struct cyclic *cyclic = (struct cyclic *)policy;
	if (child == cyclic->slots[cyclic->at].child)
		cyclic->is_blocked = 1;
}

static uint32_t POLICY_CALL cyclic_decide(struct policy *policy, uint64_t now)
{
	struct cyclic *cyclic = (struct cyclic *)policy;
	if (now >= policy->until) {
		uint64_t late = now - policy->until;
		if (late >= cyclic->cycle) /* whole cycles in which nobody asked */
			policy->until += late - late % cyclic->cycle;
		do {
			cyclic->at = cyclic->at + 1 < cyclic->count ? cyclic->at + 1 : 0;
			policy->until += cyclic->slots[cyclic->at].cycles;
		} while (now >= policy->until);
		cyclic->is_blocked = 0;
	}
	uint32_t child = cyclic->slots[cyclic->at].child;
	policy->mask = 0;
	if (!cyclic->is_blocked)
		return child;
	policy->mask = CHILD_BIT(child);
	return POLICY_NOBODY;
}

void cyclic_begin(struct cyclic *cyclic, const struct cyclic_slot *slots, uint32_t count,
		  uint64_t start)
{
	*cyclic = (struct cyclic){.policy = {.ready = cyclic_ready,
					     .blocked = cyclic_blocked,
					     .decide = cyclic_decide,
					     .until = start},
				  .count = count,
				  .at = count - 1}; /* the last one has just ended */
	for (uint32_t i = 0; i < count; i++) {
		cyclic->slots[i] = slots[i];
		cyclic->cycle += slots[i].cycles;
	}
}
