/* SPDX-License-Identifier: MIT */
/* The text screen service. What it keeps is the screen's own: its cells, and where the cursor is.
 */
#include "screen.h"

#define COLUMNS          80u
#define ROWS             25u
#define CELLS            ((volatile uint16_t *)SCREEN_ADDRESS)
#define ATTRIBUTE        0x0700u
#define CRTC             0x3D4u
#define CRTC_CURSOR_HIGH 14u
#define CRTC_CURSOR_LOW  15u

static uint32_t crtc_read(uint8_t number)
{
	uint8_t value;
	asm volatile("outb %0, %1" : : "a"(number), "Nd"((uint16_t)CRTC));
	asm volatile("inb %1, %0" : "=a"(value) : "Nd"((uint16_t)(CRTC + 1)));
	return value;
}

static void crtc_write(uint8_t number, uint8_t value)
{
	asm volatile("outb %b0, %w1" : : "a"(number), "Nd"((uint16_t)CRTC));
	asm volatile("outb %b0, %w1" : : "a"(value), "Nd"((uint16_t)(CRTC + 1)));
}

static void scroll(void)
{
	for (uint32_t i = 0; i < COLUMNS * ROWS; i++)
		CELLS[i] = i < COLUMNS * (ROWS - 1) ? CELLS[i + COLUMNS] : ATTRIBUTE | ' ';
}

/* The cursor's place is kept where the screen keeps it: in the CRTC. */
OPERATION static uint64_t screen_do_write(uint32_t badge, uint32_t bytes, uint32_t b,
					  uint32_t badge_high)
{
	(void)badge;
	(void)b;
	(void)badge_high;
	const volatile char *text = parameters();
	uint32_t at = crtc_read(CRTC_CURSOR_HIGH) << 8 | crtc_read(CRTC_CURSOR_LOW);
	if (bytes > PARAMETER_BYTES)
		return ANSWER(SERVICE_BAD_ARGUMENT, 0);
	for (uint32_t i = 0; i < bytes; i++) {
		if (text[i] == '\n')
			at += COLUMNS - at % COLUMNS;
		else if (text[i] >= ' ' && at < COLUMNS * ROWS)
			CELLS[at++] = ATTRIBUTE | (uint8_t)text[i];
		if (at >= COLUMNS * ROWS) {
			scroll();
			at = COLUMNS * (ROWS - 1);
		}
	}
	crtc_write(CRTC_CURSOR_HIGH, at >> 8);
	crtc_write(CRTC_CURSOR_LOW, at);
	return ANSWER(0, 0);
}

SERVICE_OPERATIONS([SCREEN_WRITE] = screen_do_write)

int main(void)
{
	return 0; /* never started: clients bring the thread */
}
