/* SPDX-License-Identifier: MIT */
/*
 * The keyboard service: see keyboard.h. A byte leaves the controller by one instruction, `ins`, and
 * lands in `pending`: there is no instruction at which it is in neither. So a section that is
 * stopped anywhere and begun again, by this thread or by the next, finds it. That it was understood
 * is the state's new value and an empty `pending`, committed together.
 */
#include "lock/lock.h"
#include "keyboard.server.h"

/* Controller (Intel, "8042 Universal Peripheral Interface"; IBM PS/2 Technical Reference, "Keyboard
 * and Auxiliary Device Controller", 1988) */
#define STATUS_FULL      1u /* a byte is there for us */
#define STATUS_BUSY      2u /* it has not taken our last one */
#define STATUS_MOUSE     0x20u
#define STATUS_ABSENT    0xFFu /* nobody drives the bus */
#define COMMAND_READ     0x20u /* the command byte */
#define COMMAND_WRITE    0x60u
#define COMMAND_NO_MOUSE 0xA7u
#define COMMAND_RESET    0xFEu /* pulses the processor's reset line */
#define BYTE_INTERRUPT   1u
#define BYTE_OFF         0x10u
#define BYTE_TRANSLATED  0x40u   /* to scan code set 1 */
#define POLLS            100000u /* of a port, a microsecond each on a PC */

#define INLINE static inline __attribute__((always_inline))

INLINE uint32_t port_read(uint16_t port)
{
	uint8_t value;
	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}
INLINE void port_write(uint16_t port, uint32_t value)
{
	asm volatile("outb %b0, %1" : : "a"(value), "Nd"(port));
}

static uint32_t state; /* keys.h */
static volatile uint32_t
	pending; /* a byte that has left the controller; 0, which is no key: none */

struct reading {
	uint32_t key, status;
};

/* Results are written before the commit, and again if it is begun anew. */
SECTION void read_prepare(void)
{
	struct reading *reading = section_context();
	reading->status = KEYBOARD_NOTHING;
	if (!pending) {
		uint32_t status = port_read(KEYBOARD_STATUS);
		if (!(status & STATUS_FULL) || status == STATUS_ABSENT)
			return section_commit(0);
		if (status & STATUS_MOUSE) { /* not ours, but in the way */
			port_read(KEYBOARD_DATA);
			reading->status = KEYBOARD_NO_KEY;
			return section_commit(0);
		}
		volatile uint32_t *to = &pending;
		asm volatile("insb" : "+D"(to) : "d"(KEYBOARD_DATA) : "memory");
	}
	uint32_t next = state;
	reading->key = keys_translate(&next, pending);
	reading->status = reading->key ? 0 : KEYBOARD_NO_KEY;
	section_log(0, &state, next);
	section_log(1, &pending, 0);
	return section_commit(2);
}

uint32_t keyboard_do_read_byte(struct badge badge, uint32_t *key)
{
	struct reading reading = {0, 0};
	if (!(badge.low & KEYBOARD_MAY_READ))
		return KEYBOARD_NOT_ALLOWED;
	section_run(read_prepare, &reading);
	*key = reading.key;
	return reading.status;
}

uint32_t keyboard_do_bind(struct badge badge, keep_t thread, uint32_t bit, uint32_t *error)
{
	if (!(badge.low & KEYBOARD_MAY_READ))
		return KEYBOARD_NOT_ALLOWED;
	*error = kernel_irq_bind(slot(KEYBOARD_SLOT_LINE), thread, bit);
	if (*error)
		return KEYBOARD_NOT_BOUND;
	kernel_irq_acknowledge(slot(KEYBOARD_SLOT_LINE));
	return 0;
}

uint32_t keyboard_do_acknowledge(struct badge badge)
{
	if (!(badge.low & KEYBOARD_MAY_READ))
		return KEYBOARD_NOT_ALLOWED;
	kernel_irq_acknowledge(slot(KEYBOARD_SLOT_LINE));
	return 0;
}

/* Whether the status comes to be so, soon. */
static _Bool status_becomes(uint32_t mask, uint32_t wanted)
{
	for (uint32_t i = 0; i < POLLS; i++)
		if ((port_read(KEYBOARD_STATUS) & mask) == wanted)
			return 1;
	return 0;
}

static void command(uint32_t code)
{
	status_becomes(STATUS_BUSY, 0);
	port_write(KEYBOARD_STATUS, code);
}

uint32_t keyboard_do_reset_machine(struct badge badge)
{
	if (!(badge.low & KEYBOARD_MAY_RESET))
		return KEYBOARD_NOT_ALLOWED;
	command(COMMAND_RESET);
	for (uint32_t i = 0; i < POLLS; i++) /* it takes a moment */
		port_read(KEYBOARD_STATUS);
	return KEYBOARD_NO_RESET;
}

/*
 * Run once, before there are clients. Firmware leaves a keyboard that works; only what is not as we
 * need it is changed: interrupts, translation to scan code set 1, and no mouse, whose bytes would
 * keep the keyboard's away.
 */
int main(void)
{
	if (port_read(KEYBOARD_STATUS) == STATUS_ABSENT)
		return 0;
	command(COMMAND_NO_MOUSE);
	for (uint32_t i = 0; i < 64 && port_read(KEYBOARD_STATUS) & STATUS_FULL; i++)
		port_read(KEYBOARD_DATA);
	command(COMMAND_READ);
	if (!status_becomes(STATUS_FULL, STATUS_FULL))
		return 0;
	uint32_t byte = port_read(KEYBOARD_DATA),
		 wanted = (byte | BYTE_INTERRUPT | BYTE_TRANSLATED) & ~BYTE_OFF;
	if (byte != wanted) {
		command(COMMAND_WRITE);
		status_becomes(STATUS_BUSY, 0);
		port_write(KEYBOARD_DATA, wanted);
	}
	return 0;
}
