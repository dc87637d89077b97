/* SPDX-License-Identifier: MIT */
/* The pair of 8259A interrupt controllers of a PC (Intel 8259A data sheet, 1988). */
#include "x86.h"

#define MASTER           0x20
#define SLAVE            0xA0
#define CASCADE          2u
#define END_OF_INTERRUPT 0x20
#define READ_IN_SERVICE  0x0B

static uint8_t mask[2] = {0xFF, 0xFF};

static void mask_write(uint32_t line)
{
	port_write(line < 8 ? MASTER + 1 : SLAVE + 1, mask[line / 8]);
}

void pic_mask(uint32_t line)
{
	mask[line / 8] |= 1u << line % 8;
	mask_write(line);
}

void pic_unmask(uint32_t line)
{
	mask[line / 8] &= ~(1u << line % 8);
	mask_write(line);
}

void pic_end(uint32_t line)
{
	if (line >= 8)
		port_write(SLAVE, END_OF_INTERRUPT);
	port_write(MASTER, END_OF_INTERRUPT);
}

/* Lines 7 and 15 are also what a controller says when the request has gone. */
bool pic_is_spurious(uint32_t line)
{
	if (line % 8 != 7)
		return false;
	uint16_t port = line < 8 ? MASTER : SLAVE;
	port_write(port, READ_IN_SERVICE);
	if (port_read(port) & 0x80)
		return false;
	if (line == 15)
		port_write(MASTER, END_OF_INTERRUPT); /* the cascade was real */
	return true;
}

/* Edge triggered, in cascade, 8086 mode. */
static void controller_start(uint16_t port, uint32_t vector, uint32_t cascade)
{
	port_write(port, 0x11);
	port_write(port + 1, vector);
	port_write(port + 1, cascade);
	port_write(port + 1, 1);
}

void pic_start(void)
{
	controller_start(MASTER, VECTOR_IRQ, 1u << CASCADE);
	controller_start(SLAVE, VECTOR_IRQ + 8, CASCADE);
	pic_mask(8);
	pic_unmask(CASCADE);
}
