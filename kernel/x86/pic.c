/* SPDX-License-Identifier: MIT */
/* The pair of 8259A interrupt controllers of a PC (Intel 8259A data sheet, 1988). */
#include "x86.h"

#define END_OF_INTERRUPT 0x20
#define READ_IN_SERVICE  0x0B

static uint32_t masked_lines = 0xFFFF;

void pic_mask(uint32_t line, uint32_t masked)
{
	masked_lines = (masked_lines & ~(1u << line)) | masked << line;
	line < 8 ? port_write(PIC_MASTER + 1, masked_lines)
		 : port_write(PIC_SLAVE + 1, masked_lines >> 8);
}

void pic_end(uint32_t line)
{
	if (line >= 8)
		port_write(PIC_SLAVE, END_OF_INTERRUPT);
	port_write(PIC_MASTER, END_OF_INTERRUPT);
}

/* Lines 7 and 15 are also what a controller says when the request has gone. */
bool pic_is_spurious(uint32_t line)
{
	if (line % 8 != 7)
		return false;
	uint16_t port = line < 8 ? PIC_MASTER : PIC_SLAVE;
	port_write(port, READ_IN_SERVICE);
	if (port_read(port) & 0x80)
		return false;
	if (line == 15)
		port_write(PIC_MASTER, END_OF_INTERRUPT); /* the cascade was real */
	return true;
}
