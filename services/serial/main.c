/* SPDX-License-Identifier: MIT */
/* The serial port service: no thread of its own, no state but the port's. See serial.h. */
#include "serial.server.h"
#include "ports.h"

#define PORT         0x3F8u
#define ENABLE       (PORT + 1)
#define MODEM        (PORT + 4)
#define STATUS       (PORT + 5)
#define ENABLE_DATA  1u   /* interrupts when a character has arrived */
#define MODEM_READY  0xBu /* data terminal ready, request to send, and the line is connected */
#define STATUS_DATA  1u
#define STATUS_EMPTY 0x20u
#define STATUS_IDLE  0x40u

uint32_t serial_do_write(struct badge badge, uint32_t bytes, const char text[bytes])
{
	if (!(badge.low & SERIAL_MAY_WRITE))
		return SERIAL_NOT_ALLOWED;
	for (uint32_t i = 0; i < bytes; i++) {
		while (!(port_read(STATUS) & STATUS_EMPTY))
			;
		port_write(PORT, text[i]);
	}
	return 0;
}

uint32_t serial_do_read(struct badge badge, uint32_t *character)
{
	if (!(badge.low & SERIAL_MAY_READ))
		return SERIAL_NOT_ALLOWED;
	if (!(port_read(STATUS) & STATUS_DATA))
		return SERIAL_NOTHING;
	*character = port_read(PORT);
	return 0;
}

uint32_t serial_do_flush(struct badge badge)
{
	if (!(badge.low & SERIAL_MAY_WRITE))
		return SERIAL_NOT_ALLOWED;
	while (!(port_read(STATUS) & STATUS_IDLE))
		;
	return 0;
}

uint32_t serial_do_bind(struct badge badge, keep_t thread, uint32_t bit, uint32_t *error)
{
	if (!(badge.low & SERIAL_MAY_READ))
		return SERIAL_NOT_ALLOWED;
	*error = kernel_irq_bind(slot(SERIAL_SLOT_LINE), thread, bit);
	if (*error)
		return SERIAL_NOT_BOUND;
	port_write(MODEM, MODEM_READY);
	port_write(ENABLE, ENABLE_DATA);
	kernel_irq_acknowledge(slot(SERIAL_SLOT_LINE));
	return 0;
}

uint32_t serial_do_acknowledge(struct badge badge)
{
	if (!(badge.low & SERIAL_MAY_READ))
		return SERIAL_NOT_ALLOWED;
	kernel_irq_acknowledge(slot(SERIAL_SLOT_LINE));
	return 0;
}

int main(void)
{
	return 0; /* never started: clients bring the thread */
}
