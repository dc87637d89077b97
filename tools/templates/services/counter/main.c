/* SPDX-License-Identifier: MIT */
/* See counter.h. No thread, no capability, no state but the sums. */
#include "counter.server.h"

static uint32_t sums[COUNTER_SUMS];

/* What the door is for; NULL: not for that. */
static uint32_t *sum_of(struct badge badge, uint32_t right)
{
	const uint32_t number = badge.low & 0xFF;
	return badge.low & right && number < COUNTER_SUMS ? &sums[number] : NULL;
}

/* The client's thread may be stopped or killed between any two instructions, and others come
 * meanwhile: so a sum changes in one instruction, or not at all. */
static uint32_t add(uint32_t *sum, uint32_t number, uint32_t *after)
{
	uint32_t before = __atomic_load_n(sum, __ATOMIC_RELAXED);
	do {
		if (__builtin_add_overflow(before, number, after))
			return COUNTER_FULL;
	} while (!__atomic_compare_exchange_n(sum, &before, *after, 0, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return COUNTER_OK;
}

uint32_t counter_do_add(struct badge badge, uint32_t number, uint32_t *sum)
{
	uint32_t *const its = sum_of(badge, COUNTER_MAY_ADD);
	return its ? add(its, number, sum) : COUNTER_NOT_ALLOWED;
}

uint32_t counter_do_read(struct badge badge, uint32_t *sum)
{
	const uint32_t *const its = sum_of(badge, COUNTER_MAY_READ);
	if (!its)
		return COUNTER_NOT_ALLOWED;
	*sum = __atomic_load_n(its, __ATOMIC_RELAXED);
	return COUNTER_OK;
}

/* Each word is read once: it may be another one the next time, or gone. */
uint32_t counter_do_add_all(struct badge badge, window_t numbers, uint32_t count, uint32_t *sum)
{
	uint32_t *const its = sum_of(badge, COUNTER_MAY_ADD);
	const uint32_t *const words = (const uint32_t *)numbers.address;
	uint32_t total = 0, word;
	if (!its)
		return COUNTER_NOT_ALLOWED;
	if (count > WINDOW_BYTES / sizeof(words[0]))
		return SERVICE_BAD_ARGUMENT;
	for (uint32_t i = 0; i < count; i++) {
		if (!try_load(&words[i], &word))
			return SERVICE_REVOKED;
		if (__builtin_add_overflow(total, word, &total))
			return COUNTER_FULL;
	}
	return add(its, total, sum);
}

int main(void)
{
	return 0; /* never started: clients bring the thread */
}
