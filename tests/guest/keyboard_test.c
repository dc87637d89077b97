/* SPDX-License-Identifier: MIT */
/*
 * The keyboard service before the real controller: its command D2h puts a byte into the output
 * buffer as if a key had sent it, line and all. So a driver of the tests' own types.
 */
#include "keyboard/keyboard.h"
#include "elf/elf.h"
#include "raw.h"

#define BIT          6u
#define SHIFT        0x2Au
#define UP(code)     ((code) | 0x80u)
#define CODE_A       0x1Eu
#define CODE_B       0x30u
#define NOTHING      (RETURN + KEYBOARD_NOTHING)
#define NO_KEY       (RETURN + KEYBOARD_NO_KEY)
#define STATUS_FULL  1u
#define STATUS_BUSY  2u
#define COMMAND_TYPE 0xD2u
#define PATIENCE     1000000u
#define STEPS_MAX    300u
#define NOT_ANSWERED 0xDEADu

static struct domain keyboard, driver;
static struct object keyboard_bitmap, driver_bitmap;
static uint32_t reader, driver_door;

/* ---- typing -----------------------------------------------------------------------------------
 */
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
static _Bool status_becomes(uint32_t mask, uint32_t wanted)
{
	for (uint32_t i = 0; i < PATIENCE; i++)
		if ((port_in(KEYBOARD_STATUS) & mask) == wanted)
			return 1;
	return 0;
}
/* 1: the byte is there. */
PEER type(uint32_t operation, uint32_t byte, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)b, (void)badge_high;
	if (!status_becomes(STATUS_BUSY | STATUS_FULL, 0))
		return ANSWER(0, 0);
	port_out(KEYBOARD_STATUS, COMMAND_TYPE);
	status_becomes(STATUS_BUSY, 0);
	port_out(KEYBOARD_DATA, byte);
	return ANSWER(0, status_becomes(STATUS_FULL, STATUS_FULL));
}
static void key_types(uint32_t byte)
{
	uint32_t there = 0;
	CHECK_EQUAL(door_call(slot(driver_door).encoded, 0, byte, 0, &there), RETURN);
	CHECK_EQUAL(there, 1);
}

static volatile uint32_t *word_in_service(const char *name)
{
	uint32_t address = elf_symbol_named(keyboard.file, keyboard.file_bytes, name);
	const uint32_t *table = frame_pointer(domain_table(&keyboard, address));
	return (uint32_t *)((uint8_t *)frame_pointer(table[address >> 12 & 1023] >> 12) +
			    (address & (PAGE_BYTES - 1)));
}

static void begin(void)
{
	keyboard_bitmap = keyboard_make(&keyboard);
	reader = domain_door(&keyboard, KEYBOARD_MAY_READ);
	peer_make(&driver, "driver");
	driver_bitmap = domain_ports(&driver, (struct object){0}, KEYBOARD_DATA, KEYBOARD_STATUS);
	driver_door = peer_door(&driver, type);
	CHECK_EQUAL(keyboard_read_byte(slot(reader), NULL), NOTHING);
}
static void end(void)
{
	CHECK_EQUAL(keyboard_read_byte(slot(reader), NULL), NOTHING);
	slot_give(driver_door);
	slot_give(reader);
	domain_end(&driver);
	bitmap_end(driver_bitmap);
	domain_end(&keyboard);
	bitmap_end(keyboard_bitmap);
}

/* One byte is typed and read. */
static void check_typed(uint32_t byte, uint32_t result, uint32_t key)
{
	uint32_t got = NOT_ANSWERED;
	key_types(byte);
	CHECK_EQUAL(keyboard_read_byte(slot(reader), &got), result);
	CHECK_EQUAL(got, key);
	CHECK_EQUAL(keyboard_read_byte(slot(reader), &got), NOTHING);
}

TEST(keyboard_keys_come_translated)
{
	begin();
	check_typed(CODE_A, RETURN, 'a');
	check_typed(UP(CODE_A), NO_KEY, 0);
	check_typed(SHIFT, NO_KEY, 0);
	check_typed(CODE_A, RETURN, 'A' | KEY_SHIFT);
	check_typed(UP(SHIFT), NO_KEY, 0);
	check_typed(0xE0, NO_KEY, 0);
	check_typed(0x48, RETURN, KEY_UP);
	check_typed(0x1C, RETURN, KEY_ENTER);
	end();
}

TEST(keyboard_read_skips_what_is_no_key)
{
	uint32_t key = NOT_ANSWERED;
	begin();
	key_types(SHIFT);
	CHECK_EQUAL(keyboard_read(slot(reader), &key), NOTHING);
	key_types(CODE_B);
	CHECK_EQUAL(keyboard_read(slot(reader), &key), RETURN);
	CHECK_EQUAL(key, 'B' | KEY_SHIFT);
	check_typed(0, NO_KEY, 0); /* a keyboard's overrun */
	check_typed(0xFF, NO_KEY, 0);
	check_typed(CODE_B, RETURN, 'B' | KEY_SHIFT);
	end();
}

/* ---- the line ---------------------------------------------------------------------------------
 */
static uint32_t events_until(uint64_t deadline)
{
	uint32_t bits;
	CHECK_EQUAL(kernel_wait(1u << BIT, deadline, &bits), 0);
	return bits;
}
/* What comes, or 0 after a second that never passes unless a signal was lost. */
static uint32_t events_come(void)
{
	return events_until(cycles() + 1000ull * boot_record->cycles_per_ms);
}

TEST(keyboard_line_wakes_whom_it_was_bound_to)
{
	uint32_t key, error;
	begin();
	CHECK_EQUAL(keyboard_bind(slot(reader), slot(ROOT_THREAD), BIT, &error), RETURN);
	while (events_until(0)) /* what the firmware left in the controller */
		CHECK_EQUAL(keyboard_acknowledge(slot(reader)), RETURN);
	for (uint32_t i = 0; i < 50; i++) {
		key_types(CODE_A);
		CHECK_EQUAL(events_come(), 1u << BIT);
		CHECK_EQUAL(keyboard_acknowledge(slot(reader)), RETURN);
		CHECK_EQUAL(keyboard_read(slot(reader), &key), RETURN);
		CHECK_EQUAL(key, 'a');
		CHECK_EQUAL(events_until(0), 0);
	}
	key_types(CODE_A);
	CHECK_EQUAL(events_come(), 1u << BIT);
	for (uint32_t i = 0; i < 5; i++) { /* masked until it is acknowledged, and not lost */
		CHECK_EQUAL(keyboard_read(slot(reader), &key), RETURN);
		key_types(CODE_B);
		CHECK_EQUAL(events_until(0), 0);
	}
	CHECK_EQUAL(keyboard_acknowledge(slot(reader)), RETURN);
	CHECK_EQUAL(events_come(), 1u << BIT);
	CHECK_EQUAL(keyboard_read(slot(reader), &key), RETURN);
	end();
}

/* ---- whoever asks for more than it may
 * ----------------------------------------------------------- */
static void check_not_bound(uint32_t options, uint32_t thread, uint32_t bit, uint32_t error)
{
	uint32_t why = NOT_ANSWERED;
	CHECK_EQUAL(door_call_lend(slot(reader).encoded | options, keyboard_bind_op, bit,
				   LEND_SLOTS(thread, 0, 0, 0), 0, &why),
		    RETURN + KEYBOARD_NOT_BOUND);
	CHECK_EQUAL(why, error);
}

TEST(keyboard_refuses_what_a_door_does_not_allow)
{
	uint32_t narrow = slot_take();
	const uint32_t keep = OPTION_CAPABILITIES | OPTION_KEEP;
	uint32_t error, key, mute;
	begin();
	mute = domain_door(&keyboard, ~(KEYBOARD_MAY_READ | KEYBOARD_MAY_RESET));
	CHECK_EQUAL(keyboard_bind(slot(reader), slot(ROOT_THREAD), BIT, &error), RETURN);
	key_types(CODE_A);
	CHECK_EQUAL(keyboard_read_byte(slot(mute), &key), RETURN + KEYBOARD_NOT_ALLOWED);
	CHECK_EQUAL(keyboard_acknowledge(slot(mute)), RETURN + KEYBOARD_NOT_ALLOWED);
	CHECK_EQUAL(keyboard_bind(slot(mute), slot(ROOT_THREAD), BIT, &error),
		    RETURN + KEYBOARD_NOT_ALLOWED);
	CHECK_EQUAL(keyboard_reset_machine(slot(mute)), RETURN + KEYBOARD_NOT_ALLOWED);
	CHECK_EQUAL(keyboard_reset_machine(slot(reader)), RETURN + KEYBOARD_NOT_ALLOWED);
	CHECK_EQUAL(door_call(slot(reader).encoded, keyboard_reset_machine_op + 1, 0, 0, NULL),
		    RETURN + SERVICE_NO_OPERATION);
	check_not_bound(0, 0, BIT, ERROR_EMPTY);
	check_not_bound(OPTION_CAPABILITIES, ROOT_THREAD, BIT, ERROR_TRANSIENT);
	check_not_bound(keep, ROOT_THREAD, 32, ERROR_ARGUMENT);
	check_not_bound(keep, ROOT_PORTS, BIT, ERROR_KIND);
	MUST(kernel_narrow(slot(narrow), slot(ROOT_THREAD), RIGHTS_ALL & ~RIGHT_SIGNAL, ~0u));
	check_not_bound(keep, narrow, BIT, ERROR_RIGHT);
	MUST(kernel_narrow(slot(narrow), slot(ROOT_THREAD), RIGHTS_ALL, ~(1u << BIT)));
	check_not_bound(keep, narrow, BIT, ERROR_RIGHT);
	slot_give(narrow);
	CHECK_EQUAL(events_come(), 1u << BIT); /* bound as before */
	CHECK_EQUAL(keyboard_read(slot(reader), &key), RETURN);
	CHECK_EQUAL(key, 'a');
	slot_give(mute);
	end();
}

/* ---- stopped at every instruction
 * ---------------------------------------------------------------- */
static struct client client;
static volatile uint32_t answer, answer_key;
static uint32_t takes, leaves; /* the stopped one had its key; it did not */

static void client_reads(uint32_t argument)
{
	(void)argument;
	uint32_t key = 0;
	uint32_t result = keyboard_read_byte(slot(reader), &key);
	answer_key = key;
	answer = result;
}
/* It reads what was typed, and after each step in turn `happens` is called. */
static void sweep(uint32_t byte, void (*happens)(void))
{
	takes = leaves = 0;
	begin();
	for (uint32_t steps = 0;; steps++) {
		uint32_t reason = DISPATCH_STEPPED;
		*word_in_service("state") = 0;
		key_types(byte);
		answer = NOT_ANSWERED;
		client_make(&client, &root_domain, client_reads, 0);
		for (uint32_t i = 0; i < steps && reason == DISPATCH_STEPPED; i++)
			reason = client_step(&client).reason;
		happens();
		client_end(&client);
		CHECK_EQUAL(*word_in_service("pending"), 0);
		if (reason != DISPATCH_STEPPED) {
			CHECK_EQUAL(reason, DISPATCH_ENDED);
			break;
		}
		CHECK(steps < STEPS_MAX);
	}
	CHECK(takes > 3 && leaves > 20);
	end();
}

/* The byte is there once: for the one that was stopped, or for us; so is the next one. */
static void another_reads(void)
{
	uint32_t first = 0, result = keyboard_read_byte(slot(reader), &first);
	CHECK(result == NOTHING || (result == RETURN && first == 'a'));
	key_types(CODE_B);
	if (answer == NOT_ANSWERED)
		client_run(&client);
	CHECK_EQUAL(answer, RETURN);
	CHECK_EQUAL(answer_key, result == RETURN ? 'b' : 'a');
	uint32_t second = 0, last = keyboard_read_byte(slot(reader), &second);
	CHECK_EQUAL(last, result == RETURN ? NOTHING : RETURN);
	CHECK_EQUAL(second, result == RETURN ? 0 : 'b');
	takes += result == NOTHING;
	leaves += result == RETURN;
}
TEST(keyboard_byte_is_read_once_wherever_its_reader_is_stopped)
{
	sweep(CODE_A, another_reads);
}

/* Shift went down: whoever reads that byte, and whatever becomes of it, the next key is a capital.
 */
static void reader_is_killed(void)
{
	uint32_t key = 0, result;
	if (answer == NOT_ANSWERED)
		MUST(kernel_thread_stop(slot(client.thread.object.slot)));
	result = keyboard_read_byte(slot(reader), NULL);
	CHECK(result == NOTHING || result == NO_KEY);
	takes += result == NOTHING;
	leaves += result == NO_KEY;
	key_types(CODE_A);
	CHECK_EQUAL(keyboard_read(slot(reader), &key), RETURN);
	CHECK_EQUAL(key, 'A' | KEY_SHIFT);
}
TEST(keyboard_byte_is_not_lost_wherever_its_reader_is_killed)
{
	sweep(SHIFT, reader_is_killed);
}

/* A second reader is stopped, too, while the first is: the lock goes to and fro. */
static struct client second;
static void both_are_stopped(void)
{
	static uint32_t turn;
	uint32_t key = 0, answers, reason = DISPATCH_STEPPED;
	if (answer != NOT_ANSWERED) { /* nothing is left for the second */
		takes++;
		return;
	}
	client_make(&second, &root_domain, client_reads, 0);
	turn = turn * 5 + 17;
	for (uint32_t i = 0; i < turn % 211 && reason == DISPATCH_STEPPED; i++)
		reason = client_step(&second).reason;
	answers = answer == RETURN;
	answer = NOT_ANSWERED;
	client_run(&client);
	answers += answer == RETURN;
	takes += answer == RETURN;
	leaves += answer == NOTHING;
	answer = NOT_ANSWERED;
	if (reason == DISPATCH_STEPPED)
		client_run(&second);
	answers += answer == RETURN;
	CHECK_EQUAL(answers, 1);
	CHECK_EQUAL(keyboard_read_byte(slot(reader), &key), NOTHING);
	client_end(&second);
}
TEST(keyboard_byte_is_read_once_by_two_readers_stopped_anywhere)
{
	sweep(CODE_A, both_are_stopped);
}
