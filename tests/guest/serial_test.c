/* SPDX-License-Identifier: MIT */
/*
 * The serial service's receiving side. The port itself is switched to loop back: what is written
 * arrives again. Meanwhile nothing can be printed, so checks come afterwards.
 */
#include "serial/serial.h"
#include "test.h"

#define PORT     0x3F8u
#define ENABLE   (PORT + 1)
#define MODEM    (PORT + 4)
#define STATUS   (PORT + 5)
#define DATA     1u
#define IDLE     0x40u
#define LOOP     0x10u
#define BIT      7u
#define THROUGH  8u /* characters of a round */
#define PATIENCE 1000000u

static struct domain driver;
static struct object driver_bitmap;
static uint32_t driver_door, door, enable_before, modem_before;

static uint8_t port_in(uint16_t port)
{
	uint8_t value;
	asm volatile("inb %1, %0" : "=a"(value) : "d"(port));
	return value;
}
static void port_out(uint16_t port, uint32_t value)
{
	asm volatile("outb %b0, %1" : : "a"(value), "d"(port));
}
enum driver_operation { BEGIN, SEND, END };
PEER drive(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)b, (void)badge_high;
	while (!(port_in(STATUS) & IDLE))
		;
	if (operation == BEGIN) {
		port_out(MODEM, port_in(MODEM) | LOOP);
	} else if (operation == SEND) {
		port_out(PORT, a);
		for (uint32_t i = 0; i < PATIENCE && !(port_in(STATUS) & DATA); i++)
			;
	} else {
		port_out(ENABLE, enable_before);
		port_out(MODEM, modem_before);
	}
	return ANSWER(0, 0);
}
static void driver_do(uint32_t operation, uint32_t a)
{
	MUST(DOOR_ERROR(door_call(slot(driver_door).encoded, operation, a, 0, NULL)));
}
PEER look(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)a, (void)b, (void)badge_high;
	return ANSWER(0, port_in(ENABLE) << 8 | port_in(MODEM));
}

static void begin(void)
{
	uint32_t before, looking;
	peer_make(&driver, "driver");
	driver_bitmap = domain_ports(&driver, (struct object){0}, PORT, STATUS);
	driver_door = peer_door(&driver, drive);
	looking = peer_door(&driver, look);
	CHECK_EQUAL(door_call(slot(looking).encoded, 0, 0, 0, &before), RETURN);
	slot_give(looking);
	enable_before = before >> 8;
	modem_before = before & 0xFF;
	door = domain_door(&serial_domain, SERIAL_MAY_READ);
}
static void end(void)
{
	driver_do(END, 0);
	slot_give(door);
	slot_give(driver_door);
	domain_end(&driver);
	bitmap_end(driver_bitmap);
}

static uint32_t events_until(uint64_t deadline)
{
	uint32_t bits = 0;
	MUST(kernel_wait(1u << BIT, deadline, &bits));
	return bits;
}
static uint64_t second(void)
{
	return cycles() + 1000ull * boot_record->cycles_per_ms;
}

TEST(serial_character_that_arrives_is_a_signal)
{
	struct {
		uint32_t signals, later, read, character, empty;
	} seen[THROUGH] = {0};
	uint32_t error, bound;
	begin();
	bound = serial_bind(slot(door), slot(ROOT_THREAD), BIT, &error);
	while (events_until(0)) /* what the firmware left */
		serial_acknowledge(slot(door));
	driver_do(BEGIN, 0);
	for (uint32_t i = 0; i < THROUGH; i++) {
		driver_do(SEND, 'a' + i);
		seen[i].signals = events_until(second());
		if (i == THROUGH - 1) { /* masked meanwhile, and not lost */
			serial_read(slot(door), &seen[i].character);
			driver_do(SEND, 'z');
			seen[i].later = events_until(0);
			serial_acknowledge(slot(door));
			seen[i].signals &= events_until(second());
		}
		seen[i].read = serial_acknowledge(slot(door));
		seen[i].read |= serial_read(slot(door), &seen[i].character);
		seen[i].empty = serial_read(slot(door), &error);
		seen[i].later |= events_until(0);
	}
	end();
	CHECK_EQUAL(bound, RETURN);
	for (uint32_t i = 0; i < THROUGH; i++) {
		CHECK_EQUAL(seen[i].signals, 1u << BIT);
		CHECK_EQUAL(seen[i].later, 0);
		CHECK_EQUAL(seen[i].read, RETURN);
		CHECK_EQUAL(seen[i].character, i == THROUGH - 1 ? 'z' : 'a' + i);
		CHECK_EQUAL(seen[i].empty, RETURN + SERIAL_NOTHING);
	}
}

static void check_not_bound(uint32_t options, uint32_t thread, uint32_t bit, uint32_t error)
{
	uint32_t why = 0;
	CHECK_EQUAL(door_call_lend(slot(door).encoded | options, serial_bind_op, bit,
				   LEND_SLOTS(thread, 0, 0, 0), 0, &why),
		    RETURN + SERIAL_NOT_BOUND);
	CHECK_EQUAL(why, error);
}

TEST(serial_refuses_what_a_door_does_not_allow)
{
	const uint32_t keep = OPTION_CAPABILITIES | OPTION_KEEP;
	uint32_t value, narrow = slot_take(),
			writer = domain_door(&serial_domain, ~SERIAL_MAY_READ);
	begin();
	CHECK_EQUAL(serial_read(slot(writer), &value), RETURN + SERIAL_NOT_ALLOWED);
	CHECK_EQUAL(serial_acknowledge(slot(writer)), RETURN + SERIAL_NOT_ALLOWED);
	CHECK_EQUAL(serial_bind(slot(writer), slot(ROOT_THREAD), BIT, &value),
		    RETURN + SERIAL_NOT_ALLOWED);
	CHECK_EQUAL(serial_write(slot(door), 0, ""), RETURN + SERIAL_NOT_ALLOWED);
	CHECK_EQUAL(serial_flush(slot(door)), RETURN + SERIAL_NOT_ALLOWED);
	CHECK_EQUAL(door_call(slot(door).encoded, serial_acknowledge_op + 1, 0, 0, NULL),
		    RETURN + SERVICE_NO_OPERATION);
	check_not_bound(0, 0, BIT, ERROR_EMPTY);
	check_not_bound(OPTION_CAPABILITIES, ROOT_THREAD, BIT, ERROR_TRANSIENT);
	check_not_bound(keep, ROOT_THREAD, 32, ERROR_ARGUMENT);
	check_not_bound(keep, ROOT_PORTS, BIT, ERROR_KIND);
	MUST(kernel_narrow(slot(narrow), slot(ROOT_THREAD), RIGHTS_ALL, ~(1u << BIT)));
	check_not_bound(keep, narrow, BIT, ERROR_RIGHT);
	slot_give(narrow);
	slot_give(writer);
	end();
}
