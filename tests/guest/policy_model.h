/* SPDX-License-Identifier: MIT */
/*
 * What each policy of libs/scheduler must decide, said as simply as possible: arrays that are
 * searched from end to end, no bits, no queues. The tests on the host and in the guest tell a
 * policy and its model the same, and compare.
 */
#ifndef NOUS_POLICY_MODEL_H
#define NOUS_POLICY_MODEL_H

#include "policy.h"

enum model_kind { MODEL_CYCLIC, MODEL_PRIORITY, MODEL_ROUND_ROBIN, MODEL_STRIDE, MODEL_EDF };

struct model {
	enum model_kind kind;
	_Bool is_ready[POLICY_CHILDREN];
	uint64_t until; /* of the last decision */
	uint32_t mask;
	/* cyclic */
	struct cyclic_slot slots[CYCLIC_SLOTS];
	uint32_t slot_count, slot_child;
	uint64_t start, slot_end, blocked_end; /* the slot that ends then is given up */
	/* round robin, stride */
	uint32_t current, slice;
	uint64_t tickets[POLICY_CHILDREN], pass[POLICY_CHILDREN], present;
	/* EDF */
	int64_t left[POLICY_CHILDREN], grain;
	uint64_t budget[POLICY_CHILDREN], period[POLICY_CHILDREN], deadline[POLICY_CHILDREN];
	_Bool is_hard[POLICY_CHILDREN], is_throttled[POLICY_CHILDREN];
};

void model_ready(struct model *model, uint64_t now, uint32_t child);
void model_blocked(struct model *model, uint32_t child);
void model_consumed(struct model *model, uint32_t child, uint64_t cycles);
uint32_t model_decide(struct model *model, uint64_t now);

/* A policy with its model behind it: what it is told is told to both. */
struct pair {
	struct policy policy; /* whose functions tell both, and compare */
	struct policy *real;
	struct model model;
	uint32_t decisions, wrong, chosen[POLICY_CHILDREN];
};
void pair_begin(struct pair *pair, struct policy *real);

#endif
