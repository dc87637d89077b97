/* SPDX-License-Identifier: MIT */
/* A VGA service of the tests' own: an ordinary page is its text memory. The cursor is the real one.
 */
#ifndef NOUS_VGA_SCREEN_H
#define NOUS_VGA_SCREEN_H

#include "test.h"
#include "vga/vga.h"

#define CELLS     (VGA_COLUMNS * VGA_ROWS)
#define UNTOUCHED 0x1000u /* + its number: what is in a cell at the beginning */

extern struct domain vga;
extern uint16_t *screen;        /* the page */
extern uint32_t manager, spare; /* slots: the whole screen with all rights; an empty one */
void screen_begin(void);
void screen_end(void);

/* A door to it with any badge: VGA_AREA and rights. */
uint32_t badge_door(uint32_t area, uint32_t generation);
/* What it keeps of a cell, and in all. */
uint32_t generation_of(uint32_t cell);
uint32_t *last_generation(void);
/* The cell's number, or CELLS: out of sight. */
uint32_t cursor_now(void);

#endif
