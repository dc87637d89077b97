/* SPDX-License-Identifier: MIT */
/*
 * A scheduling policy: which of up to 32 children has the CPU, until when. It is pure C without
 * kernel calls, told of everything by its scheduler (scheduler.h), so that the same file runs
 * before a model on the host. Times are time stamps, lengths of time are cycles.
 *
 * How one is written, and what these here do: docs/scheduling.md.
 */
#ifndef NOUS_POLICY_H
#define NOUS_POLICY_H

#include <stdint.h>

#define POLICY_CHILDREN  32u
#define POLICY_NOBODY    POLICY_CHILDREN /* as a child: wait */
#define POLICY_NEVER     UINT64_MAX
#define CHILD_BIT(child) (1u << (child))
#define POLICY_CALL      __attribute__((regparm(3)))

/*
 * The first member of every policy's own structure. At the beginning nobody is ready.
 *
 * decide: which child has the CPU now, or POLICY_NOBODY; until when (`until`), if it does not give
 * it back before; and which of the others take it back when they become ready (`mask`). The policy
 * is asked again then, and may decide the same.
 *
 * ready: is a hint. The next dispatch may find out that the child is not, and `blocked` follows.
 *
 * consumed: what a dispatch cost, to the cycle (2^32 and more as 2^32 - 1), before anything else is
 * told of it. Null: nobody asks.
 */
struct policy {
	void POLICY_CALL (*ready)(struct policy *policy, uint64_t now, uint32_t child);
	void POLICY_CALL (*blocked)(struct policy *policy, uint32_t child);
	void POLICY_CALL (*consumed)(struct policy *policy, uint32_t child, uint32_t cycles);
	uint32_t POLICY_CALL (*decide)(struct policy *policy, uint64_t now);
	uint64_t until;
	uint32_t mask;
};

/* ---- static cyclic: a table of slots, again and again from `start` on
 * ------------------------------------------ */
#define CYCLIC_SLOTS 32u
struct cyclic_slot {
	uint32_t child; /* or POLICY_NOBODY */
	uint32_t cycles;
};
/*
 * What others do never moves a slot. A child that waits leaves the rest of its slot unused, unless
 * it becomes ready again before the slot's end.
 * Invariants: `until` is the end of slot `at`; `cycle` is the sum of all slots.
 */
struct cyclic {
	struct policy policy;
	struct cyclic_slot slots[CYCLIC_SLOTS];
	uint32_t count, at, is_blocked;
	uint64_t cycle;
};
void cyclic_begin(struct cyclic *cyclic, const struct cyclic_slot *slots, uint32_t count,
		  uint64_t start);

/* ---- fixed priority: the ready child with the lowest number
 * ------------------------------------------------------ */
struct priority {
	struct policy policy;
	uint32_t ready;
};
void priority_begin(struct priority *priority);

/* ---- round robin: the ready ones in turn, a slice each
 * ------------------------------------------------------------ */
struct round_robin {
	struct policy policy;
	uint32_t ready, current, slice;
};
void round_robin_begin(struct round_robin *robin, uint32_t slice_cycles);

/* ---- those that look for the least of 32 values
 * ------------------------------------------------------------------- */
/*
 * A tournament: node n is the lesser one of nodes 2n and 2n + 1, node 32 + i is child i's value.
 * The low 5 bits of a value are its child's number, so that no two are equal and the least one
 * tells whose it is. A value is less than 2^64 - 2^32.
 */
#define TOURNAMENT_NONE  UINT64_MAX
#define TOURNAMENT_SHIFT 5u
struct tournament {
	uint32_t low[2 * POLICY_CHILDREN], high[2 * POLICY_CHILDREN];
};
static inline void tournament_begin(struct tournament *tournament)
{
	for (uint32_t i = 0; i < 2 * POLICY_CHILDREN; i++)
		tournament->low[i] = tournament->high[i] = UINT32_MAX;
}
/* What node `at` now has is carried up to the first one, over so many levels. */
static inline __attribute__((always_inline)) void tournament_carry(struct tournament *tournament,
								   uint32_t at, uint32_t levels)
{
	uint32_t low = tournament->low[at], high = tournament->high[at];
#pragma GCC unroll 5
	for (uint32_t level = 0; level < levels; level++) {
		at ^= 1; /* nearly always both lie in the same 2^32 */
		if (__builtin_expect(tournament->high[at] == high, 1)) {
			low = tournament->low[at] < low ? tournament->low[at] : low;
		} else if (tournament->high[at] < high) {
			low = tournament->low[at];
			high = tournament->high[at];
		}
		at >>= 1;
		tournament->low[at] = low;
		tournament->high[at] = high;
	}
}
static inline void tournament_set(struct tournament *tournament, uint32_t child, uint64_t value)
{
	uint32_t at = POLICY_CHILDREN + child;
	tournament->low[at] = value;
	tournament->high[at] = value >> 32;
	tournament_carry(tournament, at, TOURNAMENT_SHIFT);
}
/* The other one of the first pair has won. */
static inline void tournament_remove(struct tournament *tournament, uint32_t child)
{
	uint32_t at = POLICY_CHILDREN + child;
	tournament->low[at] = tournament->high[at] = UINT32_MAX;
	tournament->low[at >> 1] = tournament->low[at ^ 1];
	tournament->high[at >> 1] = tournament->high[at ^ 1];
	tournament_carry(tournament, at >> 1, TOURNAMENT_SHIFT - 1);
}
/* One that is not there yet: up to where a lesser one is. */
static inline void tournament_add(struct tournament *tournament, uint32_t child, uint64_t value)
{
	uint32_t at = POLICY_CHILDREN + child, low = value, high = value >> 32;
	tournament->low[at] = low;
	tournament->high[at] = high;
#pragma GCC unroll 5
	for (uint32_t level = 0; level < TOURNAMENT_SHIFT; level++) {
		at >>= 1;
		if (tournament->high[at] <= high &&
		    (tournament->high[at] < high || tournament->low[at] < low))
			return;
		tournament->low[at] = low;
		tournament->high[at] = high;
	}
}
static inline _Bool tournament_is_empty(const struct tournament *tournament)
{
	return tournament->high[1] == UINT32_MAX;
}
/* If it is not empty: whose value is the least, and which one that is. */
static inline uint32_t tournament_child(const struct tournament *tournament)
{
	return tournament->low[1] % POLICY_CHILDREN;
}
static inline uint64_t tournament_least(const struct tournament *tournament)
{
	return (uint64_t)tournament->high[1] << 32 | tournament->low[1];
}
static inline _Bool tournament_has(const struct tournament *tournament, uint32_t child)
{
	return tournament->high[POLICY_CHILDREN + child] != UINT32_MAX;
}
/* As a value of this child's; at most 31 less than it was. */
static inline uint64_t tournament_value(uint64_t value, uint32_t child)
{
	return (value & -(uint64_t)POLICY_CHILDREN) | child;
}

/* ---- stride: each gets CPU time in proportion to its tickets
 * -------------------------------------------------------- */
/*
 * C. Waldspurger, W. Weihl, "Stride Scheduling", MIT/LCS/TM-528, 1995. A child's pass is what it
 * has consumed for each of its tickets, in units of 2^-8 cycles, and in its low bits is the child's
 * number (a tournament's value); who has the least is next. Who comes back from waiting begins
 * where the others are. Invariant: `present`, the pass of whom was chosen last, is less than 2^63.
 */
#define STRIDE_TICKETS_MAX 1024u
struct stride {
	struct policy policy;
	struct tournament queue;
	uint64_t pass[POLICY_CHILDREN], present;
	uint32_t step[POLICY_CHILDREN]; /* 2^32 / tickets */
	uint32_t slice;
};
void stride_begin(struct stride *stride, uint32_t slice_cycles);
/* Before it is ready for the first time: 1 to STRIDE_TICKETS_MAX. */
void stride_child(struct stride *stride, uint32_t child, uint32_t tickets);

/* ---- EDF with budgets
 * ------------------------------------------------------------------------------------------- */
/*
 * Each child has a constant bandwidth server: L. Abeni, G. Buttazzo, "Integrating Multimedia
 * Applications in Hard Real-Time Systems", RTSS 1998. It may consume `budget` in each `period`;
 * of those that are ready the one with the earliest deadline is next. Whose budget is used up gets
 * the next one: at once with a deadline that is a period later (soft), or only when its old
 * deadline is there (hard). What a child overran its budget by is taken from the next one.
 *
 * A rest of a budget up to `grain` counts as none, for a dispatch takes time itself; it is not
 * lost, but added to the next one.
 *
 * Invariants: -budget <= left <= 2 * budget; a deadline is a tournament's value, and periods are
 * multiples of 32; nobody is both in the queue and asleep.
 */
struct edf {
	struct policy policy;
	struct tournament queue; /* of deadlines */
	struct edf_server {
		uint64_t deadline;
		int32_t left;
		uint32_t budget, period;
		uint16_t is_hard, is_asleep; /* has no budget until its deadline */
	} server[POLICY_CHILDREN];
	/* those that are asleep, in the order of their deadlines: entries `first` to `last` - 1 */
	uint8_t asleep[POLICY_CHILDREN];
	uint32_t first, last; /* which only count; entry i is at i % POLICY_CHILDREN */
	int32_t grain;
};
#define EDF_BUDGET_MAX (1u << 30)
void edf_begin(struct edf *edf, uint32_t grain_cycles);
/* Before it is ready for the first time: 2 * grain < budget <= period, EDF_BUDGET_MAX. */
void edf_child(struct edf *edf, uint32_t child, uint32_t budget, uint32_t period, _Bool is_hard);

#endif
