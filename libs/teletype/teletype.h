/* SPDX-License-Identifier: MIT */
/*
 * A teletype on a rectangle of the screen: text goes on where the last one ended, wraps at the
 * right, and moves all up when it comes to the end of the last row. '\n' next row, '\r' its
 * beginning, '\b' one back, '\f' all empty; other control characters are left out. Each piece of
 * text is one call of the VGA service, or a few if it is long.
 */
#ifndef NOUS_TELETYPE_H
#define NOUS_TELETYPE_H

#include "vga/vga.h"

struct teletype {
	slot_t door; /* with VGA_RIGHT_WRITE; with VGA_RIGHT_CURSOR the cursor goes along */
	uint8_t columns, rows, x, y;
	uint8_t colours;
	_Bool moves_cursor;
	_Bool is_shared; /* several write here: the place is the cursor's, not x and y */
};

/* At the upper left corner, colours VGA_PLAIN; what stands there stays. Results as in vga.h. */
uint32_t teletype_begin(struct teletype *teletype, slot_t door);

/* The caller must not stand on its data page. */
uint32_t teletype_write(struct teletype *teletype, const char *text, size_t bytes);

#endif
