/* SPDX-License-Identifier: MIT */
#include "policy_model.h"

/* ---- cyclic: where in the table `now` is */
static uint32_t cyclic_model(struct model *model, uint64_t now)
{
	uint64_t cycle = 0, at;
	uint32_t i;
	for (i = 0; i < model->slot_count; i++)
		cycle += model->slots[i].cycles;
	if (!cycle)
		return POLICY_NOBODY;
	at = model->start + (now - model->start) / cycle * cycle;
	for (i = 0; at + model->slots[i].cycles <= now; i++)
		at += model->slots[i].cycles;
	model->slot_child = model->slots[i].child;
	model->slot_end = model->until = at + model->slots[i].cycles;
	model->mask = 0;
	if (model->blocked_end != model->slot_end)
		return model->slot_child;
	model->mask = 1u << model->slot_child;
	return POLICY_NOBODY;
}

/* ---- those that choose among the ready ones
 * -------------------------------------------------------------------- */
static uint32_t priority_model(struct model *model)
{
	model->until = POLICY_NEVER;
	model->mask = 0;
	for (uint32_t i = 0; i < POLICY_CHILDREN; i++) {
		if (model->is_ready[i])
			return i;
		model->mask |= 1u << i;
	}
	return POLICY_NOBODY;
}

static uint32_t round_robin_model(struct model *model, uint64_t now)
{
	model->mask = ~0u;
	if (model->is_ready[model->current] && now < model->until)
		return model->current;
	for (uint32_t i = 1; i <= POLICY_CHILDREN; i++) {
		uint32_t child = (model->current + i) % POLICY_CHILDREN;
		if (!model->is_ready[child])
			continue;
		model->current = child;
		model->until = now + model->slice;
		return child;
	}
	model->until = POLICY_NEVER;
	return POLICY_NOBODY;
}

static uint32_t stride_model(struct model *model, uint64_t now)
{
	uint32_t least = POLICY_NOBODY;
	model->mask = ~0u;
	model->until = POLICY_NEVER;
	for (uint32_t i = 0; i < POLICY_CHILDREN; i++)
		if (model->is_ready[i] &&
		    (least == POLICY_NOBODY || model->pass[i] < model->pass[least]))
			least = i;
	if (least != POLICY_NOBODY) {
		model->until = now + model->slice;
		model->present = model->pass[least];
	}
	return least;
}

/* ---- EDF: deadlines count in steps of 32, and the lower number is first
 * ------------------------------------------------------------------------------------- */
static uint64_t deadline_model(uint64_t time, uint32_t child)
{
	return time / 32 * 32 + child;
}

static void edf_ready_model(struct model *model, uint64_t now, uint32_t child)
{
	int64_t *left = &model->left[child], budget = (int64_t)model->budget[child];
	uint64_t *deadline = &model->deadline[child], period = model->period[child];
	if (now >= *deadline) {
		*left = (*left < 0 ? *left : 0) + budget;
		*deadline = deadline_model(now + period, child);
	} else if (*deadline - now <= period && *left > 0 &&
		   (uint64_t)*left * period >= (*deadline - now) * (uint64_t)budget) {
		*left = budget;
		*deadline = deadline_model(now + period, child);
	}
	model->is_throttled[child] = *left <= model->grain;
}

static void edf_consumed_model(struct model *model, uint32_t child, uint64_t cycles)
{
	int64_t *left = &model->left[child], budget = (int64_t)model->budget[child];
	*left = cycles > (uint64_t)(*left + budget) ? -budget : *left - (int64_t)cycles;
	if (*left > model->grain)
		return;
	if (model->is_hard[child]) {
		model->is_throttled[child] = 1;
	} else {
		*left += budget;
		model->deadline[child] += model->period[child];
	}
}

static uint32_t edf_model(struct model *model, uint64_t now)
{
	uint32_t first = POLICY_NOBODY;
	uint64_t refill = POLICY_NEVER;
	for (uint32_t i = 0; i < POLICY_CHILDREN; i++) {
		if (!model->is_ready[i] || !model->is_throttled[i])
			continue;
		if (model->deadline[i] > now) {
			refill = model->deadline[i] < refill ? model->deadline[i] : refill;
			continue;
		}
		model->is_throttled[i] = 0;
		model->left[i] += (int64_t)model->budget[i];
		model->deadline[i] += model->period[i];
		if (model->deadline[i] <= now)
			model->deadline[i] = deadline_model(now + model->period[i], i);
	}
	for (uint32_t i = 0; i < POLICY_CHILDREN; i++)
		if (model->is_ready[i] && !model->is_throttled[i] &&
		    (first == POLICY_NOBODY || model->deadline[i] < model->deadline[first]))
			first = i;
	model->mask = ~0u;
	model->until = refill;
	if (first != POLICY_NOBODY && now + (uint64_t)model->left[first] < refill)
		model->until = now + (uint64_t)model->left[first];
	return first;
}

/* ---- what all are told
 * ----------------------------------------------------------------------------------------- */
void model_ready(struct model *model, uint64_t now, uint32_t child)
{
	model->is_ready[child] = 1;
	if (model->kind == MODEL_CYCLIC && child == model->slot_child)
		model->blocked_end = 0;
	if (model->kind == MODEL_STRIDE && model->pass[child] < model->present)
		model->pass[child] = model->present;
	if (model->kind == MODEL_EDF)
		edf_ready_model(model, now, child);
}

void model_blocked(struct model *model, uint32_t child)
{
	model->is_ready[child] = 0;
	if (model->kind == MODEL_CYCLIC && child == model->slot_child)
		model->blocked_end = model->slot_end;
}

void model_consumed(struct model *model, uint32_t child, uint64_t cycles)
{
	if (model->kind == MODEL_STRIDE)
		model->pass[child] += cycles * (UINT32_MAX / model->tickets[child]) >> 24;
	if (model->kind == MODEL_EDF)
		edf_consumed_model(model, child, cycles);
}

uint32_t model_decide(struct model *model, uint64_t now)
{
	switch (model->kind) {
	case MODEL_CYCLIC:
		return cyclic_model(model, now);
	case MODEL_PRIORITY:
		return priority_model(model);
	case MODEL_ROUND_ROBIN:
		return round_robin_model(model, now);
	case MODEL_STRIDE:
		return stride_model(model, now);
	case MODEL_EDF:
		return edf_model(model, now);
	}
	return POLICY_NOBODY;
}

/* ---- both */
static void POLICY_CALL pair_ready(struct policy *policy, uint64_t now, uint32_t child)
{
	struct pair *pair = (struct pair *)policy;
	pair->real->ready(pair->real, now, child);
	model_ready(&pair->model, now, child);
}

static void POLICY_CALL pair_blocked(struct policy *policy, uint32_t child)
{
	struct pair *pair = (struct pair *)policy;
	pair->real->blocked(pair->real, child);
	model_blocked(&pair->model, child);
}

static void POLICY_CALL pair_consumed(struct policy *policy, uint32_t child, uint32_t cycles)
{
	struct pair *pair = (struct pair *)policy;
	if (pair->real->consumed)
		pair->real->consumed(pair->real, child, cycles);
	model_consumed(&pair->model, child, cycles);
}

static uint32_t POLICY_CALL pair_decide(struct policy *policy, uint64_t now)
{
	struct pair *pair = (struct pair *)policy;
	uint32_t child = pair->real->decide(pair->real, now),
		 wanted = model_decide(&pair->model, now);
	policy->until = pair->real->until;
	policy->mask = pair->real->mask;
	pair->decisions++;
	pair->wrong += child != wanted || policy->until != pair->model.until ||
		       policy->mask != pair->model.mask;
	if (child != POLICY_NOBODY)
		pair->chosen[child]++;
	return child;
}

void pair_begin(struct pair *pair, struct policy *real)
{
	*pair = (struct pair){.policy = {.ready = pair_ready,
					 .blocked = pair_blocked,
					 .consumed = pair_consumed,
					 .decide = pair_decide},
			      .real = real};
}
