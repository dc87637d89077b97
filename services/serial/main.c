/* SPDX-License-Identifier: MIT */
/* The serial port service: no thread of its own, no state but the port's. See serial.h. */
#include "serial.h"

#define PORT         0x3F8u
#define ENABLE       (PORT + 1)
#define MODEM        (PORT + 4)
#define STATUS       (PORT + 5)
#define ENABLE_DATA  1u   /* interrupts when a character has arrived */
#define MODEM_READY  0xBu /* data terminal ready, request to send, and the line is connected */
#define STATUS_DATA  1u
#define STATUS_EMPTY 0x20u
#define STATUS_IDLE  0x40u

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

OPERATION static uint64_t serial_do_write(uint32_t badge, uint32_t bytes, uint32_t b,
					  uint32_t badge_high)
{
	(void)b;
	(void)badge_high;
	const volatile char *text = parameters();
	if (!(badge & SERIAL_MAY_WRITE))
		return ANSWER(SERIAL_NOT_ALLOWED, 0);
	if (bytes > PARAMETER_BYTES)
		return ANSWER(SERVICE_BAD_ARGUMENT, 0);
	for (uint32_t i = 0; i < bytes; i++) {
		while (!(port_read(STATUS) & STATUS_EMPTY))
			;
		port_write(PORT, text[i]);
	}
	return ANSWER(0, 0);
}

OPERATION static uint64_t serial_do_read(uint32_t badge, uint32_t a, uint32_t b,
					 uint32_t badge_high)
{
	(void)a;
	(void)b;
	(void)badge_high;
	if (!(badge & SERIAL_MAY_READ))
		return ANSWER(SERIAL_NOT_ALLOWED, 0);
	if (!(port_read(STATUS) & STATUS_DATA))
		return ANSWER(SERIAL_NOTHING, 0);
	return ANSWER(0, port_read(PORT));
}

OPERATION static uint64_t serial_do_flush(uint32_t badge, uint32_t a, uint32_t b,
					  uint32_t badge_high)
{
	(void)a;
	(void)b;
	(void)badge_high;
	if (!(badge & SERIAL_MAY_WRITE))
		return ANSWER(SERIAL_NOT_ALLOWED, 0);
	while (!(port_read(STATUS) & STATUS_IDLE))
		;
	return ANSWER(0, 0);
}

OPERATION static uint64_t serial_do_bind(uint32_t badge, uint32_t bit, uint32_t b,
					 uint32_t badge_high)
{
	(void)b, (void)badge_high;
	if (!(badge & SERIAL_MAY_READ))
		return ANSWER(SERIAL_NOT_ALLOWED, 0);
	uint32_t error = kernel_irq_bind(slot(SERIAL_SLOT_LINE), lent_slot(0), bit);
	if (error)
		return ANSWER(SERIAL_NOT_BOUND, error);
	port_write(MODEM, MODEM_READY);
	port_write(ENABLE, ENABLE_DATA);
	kernel_irq_acknowledge(slot(SERIAL_SLOT_LINE));
	return ANSWER(0, 0);
}

OPERATION static uint64_t serial_do_acknowledge(uint32_t badge, uint32_t a, uint32_t b,
						uint32_t badge_high)
{
	(void)a, (void)b, (void)badge_high;
	if (!(badge & SERIAL_MAY_READ))
		return ANSWER(SERIAL_NOT_ALLOWED, 0);
	kernel_irq_acknowledge(slot(SERIAL_SLOT_LINE));
	return ANSWER(0, 0);
}

SERVICE_OPERATIONS([SERIAL_WRITE] = serial_do_write, [SERIAL_READ] = serial_do_read,
		   [SERIAL_FLUSH] = serial_do_flush, [SERIAL_BIND] = serial_do_bind,
		   [SERIAL_ACKNOWLEDGE] = serial_do_acknowledge)

int main(void)
{
	return 0; /* never started: clients bring the thread */
}
