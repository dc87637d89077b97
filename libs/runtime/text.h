/* SPDX-License-Identifier: MIT */
/* Text: what a compiler expects of a library, and formatted output on the serial service. */
#ifndef NOUS_TEXT_H
#define NOUS_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);

/* %s %.9s %c %d %u %x %08x %llu %% with width, `-` and `0`; what does not fit is cut. Length
 * written.
 */
size_t format(char *to, size_t bytes, const char *how, ...) __attribute__((format(printf, 3, 4)));
size_t format_list(char *to, size_t bytes, const char *how, va_list list);

/*
 * To the doors in `console_slot` (serial service) and `screen_slot` (a rectangle of the screen), 0:
 * none; 256 characters at the most. The data page's lower half is overwritten. A rectangle of
 * another size comes in another slot.
 */
void print(const char *how, ...) __attribute__((format(printf, 1, 2)));
extern uint32_t console_slot, screen_slot;

#endif
