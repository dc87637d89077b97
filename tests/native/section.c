/* SPDX-License-Identifier: MIT */
/* Sections for native.c, compiled like a program of ours: EBP is the section's. */
#include "lock.h"
#include "native.h"

volatile uint32_t native_words[SECTION_PAIRS];
static uint32_t pairs;

SECTION void word_prepare(void)
{
	return section_commit_word(&native_words[0], native_words[0] + 1);
}
SECTION void pairs_prepare(void)
{
	for (uint32_t i = 0; i < pairs; i++)
		section_log(i, &native_words[i], native_words[i] + 1);
	return section_commit(pairs);
}

static inline void fence(void) /* what follows begins when all before has ended */
{
	asm volatile("lfence" : : : "memory");
}
static inline uint32_t ticks(void)
{
	uint32_t low;
	asm volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low) : : "edx", "memory");
	return low;
}
/* What another one's section of a word leaves, if its thread is stopped behind the commit. */
static inline void commit_for_another(void)
{
	section_log(0, &native_words[0], native_words[0] + 1);
	*(volatile uint32_t *)&LOCK->count = 1;
}

uint32_t native_ticks(enum native what, uint32_t times)
{
	struct section_record *callers = section_record; /* its EBP */
	pairs = what == NATIVE_EIGHT ? 8 : 1;
	uint32_t begin = ticks();
	switch (what) {
	case NATIVE_NOTHING:
		break;
	case NATIVE_WORD:
		for (uint32_t i = 0; i < times; i++)
			section_run(word_prepare, (void *)0);
		break;
	case NATIVE_PAIR:
	case NATIVE_EIGHT:
		for (uint32_t i = 0; i < times; i++)
			section_run(pairs_prepare, (void *)0);
		break;
	case NATIVE_FENCE:
		for (uint32_t i = 0; i < times; i++)
			fence();
		break;
	case NATIVE_WORD_ALONE:
		for (uint32_t i = 0; i < times; i++) {
			section_run(word_prepare, (void *)0);
			fence();
		}
		break;
	case NATIVE_COMMITTED:
		for (uint32_t i = 0; i < times; i++) {
			commit_for_another();
			fence();
			fence();
		}
		LOCK->count = 0;
		break;
	case NATIVE_HELP_ALONE:
		for (uint32_t i = 0; i < times; i++) {
			commit_for_another();
			fence();
			section_run(word_prepare, (void *)0);
			fence();
		}
		break;
	case NATIVE_MULTIPLICATIONS:
		for (uint32_t i = 0, value = times; i < times; i++)
			asm volatile("imul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0\n\t"
				     "imul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0"
				     : "+r"(value));
		break;
	}
	uint32_t took = ticks() - begin;
	section_record = callers;
	return took;
}
