/* SPDX-License-Identifier: MIT */
/* Earliest deadline first among constant bandwidth servers. */
#include "policy.h"

static void edf_queue(struct edf *edf, uint32_t child)
{
	tournament_set(&edf->queue, child, edf->server[child].deadline);
}

/* Not to run before its deadline. */
static void edf_throttle(struct edf *edf, uint32_t child)
{
	tournament_set(&edf->queue, child, TOURNAMENT_NONE);
	if (!edf->throttled || edf->server[child].deadline < edf->refill)
		edf->refill = edf->server[child].deadline;
	edf->throttled |= CHILD_BIT(child);
}

/* A rest that would last until the deadline at the server's rate is worth less than a new budget
 * and a new deadline; any more would be more than its rate. */
static void POLICY_CALL edf_ready(struct policy *policy, uint64_t now, uint32_t child)
{
	struct edf *edf = (struct edf *)policy;
	struct edf_server *server = &edf->server[child];
	if (server->deadline <= now) {
		server->left = (server->left < 0 ? server->left : 0) + (int32_t)server->budget;
		server->deadline = tournament_value(now + server->period, child);
	} else if (server->left > 0 && server->deadline - now <= server->period &&
		   (uint64_t)server->left * server->period >=
			   (server->deadline - now) * server->budget) {
		server->left = (int32_t)server->budget;
		server->deadline = tournament_value(now + server->period, child);
	}
	if (server->left <= edf->grain)
		edf_throttle(edf, child);
	else
		edf_queue(edf, child);
}

static void POLICY_CALL edf_blocked(struct policy *policy, uint32_t child)
{
	struct edf *edf = (struct edf *)policy;
	tournament_set(&edf->queue, child, TOURNAMENT_NONE);
	if (edf->throttled & CHILD_BIT(child)) {
		edf->throttled &= ~CHILD_BIT(child);
		edf->refill = 0; /* to be found anew */
	}
}

static void POLICY_CALL edf_consumed(struct policy *policy, uint32_t child, uint32_t cycles)
{
	struct edf *edf = (struct edf *)policy;
	struct edf_server *server = &edf->server[child];
	uint32_t most = server->budget + (uint32_t)server->left;
	server->left -= (int32_t)(cycles < most ? cycles : most);
	if (server->left > edf->grain)
		return;
	if (server->is_hard) {
		edf_throttle(edf, child);
		return;
	}
	server->left += (int32_t)server->budget;
	server->deadline += server->period;
	edf_queue(edf, child);
}

static __attribute__((noinline)) void edf_refill(struct edf *edf, uint64_t now)
{
	uint64_t next = POLICY_NEVER;
	for (uint32_t set = edf->throttled; set; set &= set - 1) {
		uint32_t child = (uint32_t)__builtin_ctz(set);
		struct edf_server *server = &edf->server[child];
		if (server->deadline > now) {
			next = server->deadline < next ? server->deadline : next;
			continue;
		}
		edf->throttled &= ~CHILD_BIT(child);
		server->left += (int32_t)server->budget;
		server->deadline += server->period;
		if (server->deadline <= now) /* nobody asked for a whole period */
			server->deadline = tournament_value(now + server->period, child);
		edf_queue(edf, child);
	}
	edf->refill = next;
}

static uint32_t POLICY_CALL edf_decide(struct policy *policy, uint64_t now)
{
	struct edf *edf = (struct edf *)policy;
	if (edf->throttled && now >= edf->refill)
		edf_refill(edf, now);
	uint32_t child = tournament_child(&edf->queue);
	policy->until = now + (uint32_t)edf->server[child].left;
	if (tournament_is_empty(&edf->queue)) {
		child = POLICY_NOBODY;
		policy->until = POLICY_NEVER;
	}
	if (edf->throttled && edf->refill < policy->until)
		policy->until = edf->refill;
	return child;
}

void edf_begin(struct edf *edf, uint32_t grain_cycles)
{
	*edf = (struct edf){.policy = {.ready = edf_ready,
				       .blocked = edf_blocked,
				       .consumed = edf_consumed,
				       .decide = edf_decide,
				       .mask = ~0u},
			    .grain = (int32_t)grain_cycles};
	tournament_begin(&edf->queue);
}

void edf_child(struct edf *edf, uint32_t child, uint32_t budget, uint32_t period, _Bool is_hard)
{
	edf->server[child] = (struct edf_server){
		.budget = budget, .period = tournament_value(period, 0), .is_hard = is_hard};
}
