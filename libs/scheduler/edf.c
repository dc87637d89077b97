/* SPDX-License-Identifier: MIT */
/* Earliest deadline first among constant bandwidth servers. */
#include "policy.h"

static uint8_t *edf_entry(struct edf *edf, uint32_t at)
{
	return &edf->asleep[at % POLICY_CHILDREN];
}

static uint64_t edf_entry_deadline(struct edf *edf, uint32_t at)
{
	return edf->server[*edf_entry(edf, at)].deadline;
}

/* Before another one. */
static __attribute__((noinline)) void edf_sleep_among(struct edf *edf, uint32_t child)
{
	uint64_t deadline = edf->server[child].deadline;
	uint32_t at = edf->last;
	if (deadline < edf_entry_deadline(edf, edf->first)) {
		*edf_entry(edf, --edf->first) = child;
		return;
	}
	for (; deadline < edf_entry_deadline(edf, at - 1); at--)
		*edf_entry(edf, at) = *edf_entry(edf, at - 1);
	*edf_entry(edf, at) = child;
	edf->last++;
}

/* Mostly behind all others. */
static inline void edf_sleep(struct edf *edf, uint32_t child)
{
	edf->server[child].is_asleep = 1;
	if (edf->first != edf->last &&
	    edf->server[child].deadline < edf_entry_deadline(edf, edf->last - 1))
		edf_sleep_among(edf, child);
	else
		*edf_entry(edf, edf->last++) = child;
}

static void edf_wake(struct edf *edf, uint32_t child)
{
	uint32_t at = edf->first;
	edf->server[child].is_asleep = 0;
	while (*edf_entry(edf, at) != child)
		at++;
	for (; at != edf->first; at--)
		*edf_entry(edf, at) = *edf_entry(edf, at - 1);
	edf->first++;
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
		edf_sleep(edf, child);
	else
		tournament_add(&edf->queue, child, server->deadline);
}

static void POLICY_CALL edf_blocked(struct policy *policy, uint32_t child)
{
	struct edf *edf = (struct edf *)policy;
	if (edf->server[child].is_asleep)
		edf_wake(edf, child);
	else
		tournament_remove(&edf->queue, child);
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
		tournament_remove(&edf->queue, child);
		edf_sleep(edf, child);
		return;
	}
	server->left += (int32_t)server->budget;
	server->deadline += server->period;
	tournament_set(&edf->queue, child, server->deadline);
}

static uint32_t POLICY_CALL edf_decide(struct policy *policy, uint64_t now);

/* The deadline of the first one that is asleep is there: it gets its next budget. */
static __attribute__((noinline)) uint32_t POLICY_CALL edf_refill(struct policy *policy,
								 uint64_t now)
{
	struct edf *edf = (struct edf *)policy;
	uint32_t child = *edf_entry(edf, edf->first);
	struct edf_server *server = &edf->server[child];
	edf->first++;
	server->is_asleep = 0;
	server->left += (int32_t)server->budget;
	server->deadline += server->period;
	if (server->deadline <= now) /* nobody asked for a whole period */
		server->deadline = tournament_value(now + server->period, child);
	tournament_add(&edf->queue, child, server->deadline);
	return edf_decide(policy, now);
}

static __attribute__((noinline)) uint32_t POLICY_CALL edf_decide_asleep(struct policy *policy,
									uint64_t now)
{
	struct edf *edf = (struct edf *)policy;
	uint64_t refill = edf_entry_deadline(edf, edf->first);
	if (refill <= now)
		return edf_refill(policy, now);
	policy->until = refill;
	if (tournament_is_empty(&edf->queue))
		return POLICY_NOBODY;
	uint32_t child = tournament_child(&edf->queue);
	uint64_t until = now + (uint32_t)edf->server[child].left;
	if (until < refill)
		policy->until = until;
	return child;
}

static uint32_t POLICY_CALL edf_decide(struct policy *policy, uint64_t now)
{
	struct edf *edf = (struct edf *)policy;
	if (edf->first != edf->last)
		return edf_decide_asleep(policy, now);
	uint32_t child = tournament_child(&edf->queue);
	policy->until = now + (uint32_t)edf->server[child].left;
	if (tournament_is_empty(&edf->queue)) {
		child = POLICY_NOBODY;
		policy->until = POLICY_NEVER;
	}
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
