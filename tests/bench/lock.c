/* SPDX-License-Identifier: MIT */
/* What enters rollforward sections; in a file of its own, since its EBP is the section's. */
#include "lock.h"
#include "bench.h"
#include "kernel.h"

uint32_t lock_pairs;
volatile uint32_t lock_count, lock_worked[8];

SECTION void count_prepare(void)
{
	return section_commit_word(&lock_count, lock_count + 1);
}
void lock_enters(void)
{
	uint32_t bits;
	for (;;) {
		kernel_wait(1, DEADLINE_NEVER, &bits);
		BEGIN();
		section_run(count_prepare, (void *)&lock_count); /* any constant */
		END();
	}
}

SECTION void work_prepare(void)
{
	for (uint32_t i = 0; i < lock_pairs; i++)
		section_log(i, &lock_worked[i], lock_worked[i] + 1);
	return section_commit(lock_pairs);
}
void lock_works(void)
{
	for (;;)
		section_run(work_prepare, (void *)0);
}
