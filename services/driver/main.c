/* SPDX-License-Identifier: MIT */
/* See driver.h. */
#include "driver.h"
#include "kernel.h"
#include "ports.h"
#include "text.h"

#define INDEX       DRIVER_PORT
#define DATA        DRIVER_PORT_LAST
#define RATE        0x0Au
#define CONTROL     0x0Bu
#define CAUSE       0x0Cu /* read: the clock may interrupt again */
#define RATE_8192   0x23u
#define IS_PERIODIC 0x42u /* and 24 hours */

static uint32_t handled;

static void clock_write(uint8_t index, uint8_t value)
{
	port_write(INDEX, index);
	port_write(DATA, value);
}

static void clock_again(void)
{
	port_write(INDEX, CAUSE);
	port_read(DATA);
	kernel_irq_acknowledge(slot(DRIVER_SLOT_LINE));
}

int main(uint32_t argument)
{
	console_slot = DRIVER_CONSOLE;
	if (argument != DRIVER_RUN) {
		print("driver %u %u\n", argument - DRIVER_PRINT(0), handled);
		handled = 0;
		return 0;
	}
	clock_write(RATE, RATE_8192);
	clock_write(CONTROL, IS_PERIODIC);
	clock_again();
	for (;;) {
		uint32_t bits;
		if (kernel_wait(1u << DRIVER_BIT, DEADLINE_NEVER, &bits))
			return 1;
		for (uint32_t i = 0; i < DRIVER_ROUNDS; i++)
			asm volatile("" : : : "memory");
		handled++;
		clock_again();
	}
}
