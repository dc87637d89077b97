/* SPDX-License-Identifier: MIT */
/* Do all accounts add up? See test.h. */
#include "test.h"

uint64_t account_of(uint32_t account)
{
	uint64_t value;
	MUST(kernel_account(AUTHORITY, account, &value));
	return value;
}

uint64_t time_of(uint32_t number)
{
	struct words words;
	MUST(kernel_thread_read(slot(number), THREAD_FIELD_TIME, &words));
	return (uint64_t)words.w[1] << 32 | words.w[0];
}

static struct gap gap_now(uint64_t of_clients)
{
	uint64_t sum = of_clients + account_of(ACCOUNT_INTERRUPTS) + account_of(ACCOUNT_IDLE);
	uint64_t before = account_of(ACCOUNT_ELAPSED);
	sum += time_of(ROOT_THREAD);
	return (struct gap){before - sum, account_of(ACCOUNT_ELAPSED) - sum, 0};
}

static _Bool gaps_equal(struct gap a, struct gap b)
{
	return a.least == b.least && a.most == b.most;
}

struct gap gap_begin(uint64_t of_clients)
{
	gap_now(of_clients);
	struct gap begin = gap_now(of_clients);
	begin.is_exact = time_is_exact;
	for (uint32_t i = 0; i < 20; i++)
		begin.is_exact &= gaps_equal(begin, gap_now(of_clients));
	return begin;
}

/* Some reading is undisturbed by a timer that was set for a dispatch long over. */
void gap_check(struct gap begin, uint64_t of_clients)
{
	struct gap now = gap_now(of_clients);
	for (uint32_t i = 0; i < 10 && !gaps_equal(begin, now); i++) {
		CHECK((int64_t)(now.most - begin.least) >= 0);
		CHECK((int64_t)(begin.most - now.least) >= 0);
		now = gap_now(of_clients);
	}
	if (begin.is_exact)
		CHECK(gaps_equal(begin, now)); /* to the tick */
}
