/* SPDX-License-Identifier: MIT */
/*
 * A painter, a program for demonstrations: it draws in the rectangle that it was given, round after
 * round, each one call of the VGA service, and tries to draw beside it, too. It ends after its
 * rounds, or when its rectangle is revoked.
 */
#ifndef NOUS_PAINTER_H
#define NOUS_PAINTER_H

enum painter_slot { PAINTER_RECTANGLE = 1 }; /* with VGA_RIGHT_WRITE */

/* What it is started with: its number, which is its colour, and its rounds, 0: without end. */
#define PAINTER_ARGUMENT(number, rounds) ((number) | (rounds) << 8)

#endif
