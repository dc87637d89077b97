/* SPDX-License-Identifier: MIT */
/* I/O ports, for programs that were given some: others fault (vector 13). */
#ifndef NOUS_PORTS_H
#define NOUS_PORTS_H

#include <stdint.h>

static inline void port_write(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline uint8_t port_read(uint16_t port)
{
	uint8_t value;
	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

#endif
