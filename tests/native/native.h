/* SPDX-License-Identifier: MIT */
#ifndef NOUS_NATIVE_H
#define NOUS_NATIVE_H

#include <stdint.h>

enum native {
	NATIVE_NOTHING,
	NATIVE_WORD,           /* a section of one word */
	NATIVE_PAIR,           /* the same by section_log and section_commit */
	NATIVE_EIGHT,          /* of eight words */
	NATIVE_FENCE,          /* all before must have ended */
	NATIVE_WORD_ALONE,     /* a section of one word, and a fence */
	NATIVE_COMMITTED,      /* another's committed section of a word, and two fences */
	NATIVE_HELP_ALONE,     /* the same, and a section that finds it */
	NATIVE_MULTIPLICATIONS /* eight, each of which waits for the one before */
};
/* Ticks of the time stamp counter for so many times that. */
uint32_t native_ticks(enum native what, uint32_t times);
extern volatile uint32_t native_words[8];

#endif
