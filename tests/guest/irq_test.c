/* SPDX-License-Identifier: MIT */
/*
 * Interrupt lines as signals, with two devices that every PC has: the serial port's "transmitter
 * empty" on line 4, raised at will by switching it off and on, and the clock's periodic interrupt
 * on line 8, of the second controller. Not provoked: spurious interrupts, which no program can ask
 * for.
 */
#include "test.h"

#define SERIAL_LINE       4u
#define SERIAL_ENABLE     0x3F9u
#define SERIAL_WHEN_EMPTY 2u
#define SERIAL_MODEM      0x3FCu
#define SERIAL_STATUS     0x3FDu
#define SERIAL_IDLE       0x40u
#define CLOCK_LINE        8u
#define CLOCK_INDEX       0x70u
#define CLOCK_B           0x0Bu
#define CLOCK_C           0x0Cu
#define CLOCK_PERIODIC    0x40u
#define BIT               9u
#define LINE(number)      SLOT_ENCODE(ROOT_IRQ_FIRST + (number))

/* The devices' driver: a peer with their ports. */
static struct domain driver;
static struct object driver_bitmap;
static uint32_t driver_door, modem_before;

static uint8_t port_in(uint32_t port)
{
	uint8_t value;
	asm volatile("inb %w1, %0" : "=a"(value) : "d"(port));
	return value;
}
static void port_out(uint32_t port, uint32_t value)
{
	asm volatile("outb %b0, %w1" : : "a"(value), "d"(port));
}
enum driver_operation {
	SERIAL_BEGIN,
	SERIAL_RAISE,
	SERIAL_QUIET,
	CLOCK_BEGIN,
	CLOCK_SEEN,
	CLOCK_QUIET
};
static uint8_t clock_register(uint32_t number)
{
	port_out(CLOCK_INDEX, number);
	return port_in(CLOCK_INDEX + 1);
}
static void clock_periodic(_Bool on)
{
	uint32_t b = clock_register(CLOCK_B);
	port_out(CLOCK_INDEX, CLOCK_B);
	port_out(CLOCK_INDEX + 1, on ? b | CLOCK_PERIODIC : b & ~CLOCK_PERIODIC);
	clock_register(CLOCK_C);
}
PEER drive(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)a;
	(void)b;
	(void)badge_high;
	switch (operation) {
	case SERIAL_BEGIN: /* OUT2 connects the port to its line */
		modem_before = port_in(SERIAL_MODEM);
		port_out(SERIAL_MODEM, modem_before | 8);
		break;
	case SERIAL_RAISE:
		while (!(port_in(SERIAL_STATUS) & SERIAL_IDLE))
			;
		port_out(SERIAL_ENABLE, 0);
		port_out(SERIAL_ENABLE, SERIAL_WHEN_EMPTY);
		break;
	case SERIAL_QUIET:
		port_out(SERIAL_ENABLE, 0);
		port_out(SERIAL_MODEM, modem_before);
		break;
	case CLOCK_SEEN:
		return ANSWER(0, clock_register(CLOCK_C));
	default:
		clock_periodic(operation == CLOCK_BEGIN);
	}
	return ANSWER(0, port_in(SERIAL_STATUS));
}
static uint32_t driver_do(uint32_t operation)
{
	uint32_t value = 0;
	CHECK_EQUAL(door_call(slot(driver_door).encoded, operation, 0, 0, &value), RETURN);
	return value;
}

/* What has come of the mask by now. */
static uint32_t events_now(uint32_t mask)
{
	uint32_t bits;
	CHECK_EQUAL(kernel_wait(mask, 0, &bits), 0);
	return bits;
}
/* What comes, or 0 after a second that never passes unless something was lost. */
static uint32_t events_come(uint32_t mask)
{
	uint32_t bits;
	CHECK_EQUAL(kernel_wait(mask, cycles() + 1000ull * boot_record->cycles_per_ms, &bits), 0);
	return bits;
}

static void driver_begin(uint32_t line, uint32_t operation)
{
	peer_make(&driver, "driver");
	driver_bitmap = domain_ports(&driver, (struct object){0}, 0x3F8, 0x3FF);
	domain_ports(&driver, driver_bitmap, CLOCK_INDEX, CLOCK_INDEX + 1);
	driver_door = peer_door(&driver, drive);
	CHECK_EQUAL(kernel_irq_bind(slot(ROOT_IRQ_FIRST + line), slot(ROOT_THREAD), BIT), 0);
	for (uint32_t i = 0; i < 3; i++) { /* what the firmware left in the controller */
		CHECK_EQUAL(kernel_irq_acknowledge(slot(ROOT_IRQ_FIRST + line)), 0);
		events_now(1u << BIT);
	}
	driver_do(operation);
}
static void driver_end(uint32_t operation)
{
	driver_do(operation);
	events_now(1u << BIT);
	slot_give(driver_door);
	domain_end(&driver);
	bitmap_end(driver_bitmap);
}

void clock_begin(void)
{
	driver_begin(CLOCK_LINE, CLOCK_BEGIN);
}
void clock_again(void)
{
	driver_do(CLOCK_SEEN);
	MUST(kernel_irq_acknowledge(slot(ROOT_IRQ_FIRST + CLOCK_LINE)));
}
void clock_end(void)
{
	driver_end(CLOCK_QUIET);
}

TEST(line_is_a_signal_and_stays_masked_until_acknowledged)
{
	driver_begin(SERIAL_LINE, SERIAL_BEGIN);
	driver_do(SERIAL_RAISE);
	CHECK_EQUAL(events_come(1u << BIT), 1u << BIT);
	for (uint32_t i = 0; i < 20; i++) {
		driver_do(SERIAL_RAISE);
		CHECK_EQUAL(events_now(0xFFFFFFFF), 0); /* masked */
	}
	CHECK_EQUAL(kernel_irq_acknowledge(slot(ROOT_IRQ_FIRST + SERIAL_LINE)), 0);
	CHECK_EQUAL(events_come(1u << BIT), 1u << BIT); /* the controller kept it */
	CHECK_EQUAL(events_now(0xFFFFFFFF), 0);         /* once */
	driver_end(SERIAL_QUIET);
}

TEST(line_never_loses_a_signal)
{
	driver_begin(SERIAL_LINE, SERIAL_BEGIN);
	uint32_t seen = 0;
	for (uint32_t i = 0; i < 300; i++) {
		if (i % 3 == 0) /* the device first */
			driver_do(SERIAL_RAISE);
		MUST(kernel_irq_acknowledge(slot(ROOT_IRQ_FIRST + SERIAL_LINE)));
		if (i % 3 == 1) /* the handler first */
			driver_do(SERIAL_RAISE);
		if (i % 3 == 2) { /* twice, the second while the bit waits to be taken */
			driver_do(SERIAL_RAISE);
			driver_do(SERIAL_RAISE);
		}
		seen += events_come(1u << BIT) == 1u << BIT;
		if (i % 3 == 2) {
			MUST(kernel_irq_acknowledge(slot(ROOT_IRQ_FIRST + SERIAL_LINE)));
			seen += events_come(1u << BIT) == 1u << BIT;
		}
	}
	CHECK_EQUAL(seen, 400);
	driver_end(SERIAL_QUIET);
}

TEST(line_of_the_second_controller_wakes_the_idle_machine)
{
	uint32_t seen = 0;
	driver_begin(CLOCK_LINE, CLOCK_BEGIN);
	for (uint32_t i = 0; i < 30 && seen < 20; i++) { /* a tick that SEEN or BEGIN met is void */
		CHECK_EQUAL(events_come(1u << BIT), 1u << BIT);
		seen += (driver_do(CLOCK_SEEN) & CLOCK_PERIODIC) != 0;
		MUST(kernel_irq_acknowledge(slot(ROOT_IRQ_FIRST + CLOCK_LINE)));
	}
	CHECK_EQUAL(seen, 20);
	driver_end(CLOCK_QUIET);
}

static struct client client;
static volatile uint32_t spins;
static void client_spins(uint32_t argument)
{
	(void)argument;
	for (;;)
		spins++;
}

TEST(line_ends_the_dispatch_of_a_client_that_never_ends)
{
	client_make(&client, &root_domain, client_spins, 0);
	driver_begin(CLOCK_LINE, CLOCK_BEGIN);
	for (uint32_t i = 0; i < 5; i++) {
		struct dispatch_result result = client_dispatch(&client, 1u << BIT, 0, 0);
		CHECK_EQUAL(result.reason, DISPATCH_EVENT);
		CHECK_EQUAL(result.bits, 1u << BIT);
		driver_do(CLOCK_SEEN);
		MUST(kernel_irq_acknowledge(slot(ROOT_IRQ_FIRST + CLOCK_LINE)));
	}
	CHECK(spins);
	driver_end(CLOCK_QUIET);
	client_end(&client);
}

static uint32_t client_got;
static void client_waits(uint32_t mask)
{
	kernel_wait(mask, DEADLINE_NEVER, &client_got);
}
static uint32_t state_of(const struct client *of, uint32_t word)
{
	struct words answer;
	MUST(kernel_thread_read(slot(of->thread.object.slot), THREAD_FIELD_STATE, &answer));
	return answer.w[word];
}

TEST(line_wakes_the_thread_that_it_is_bound_to_and_tells_its_dispatcher)
{
	client_make(&client, &root_domain, client_waits, 1u << 31);
	driver_begin(SERIAL_LINE, SERIAL_BEGIN);
	CHECK_EQUAL(kernel_irq_bind(slot(ROOT_IRQ_FIRST + SERIAL_LINE),
				    slot(client.thread.object.slot), 31),
		    0);
	CHECK_EQUAL(client_dispatch(&client, 0, 0, 6u << DISPATCH_BIT_SHIFT).reason,
		    DISPATCH_WAITING);
	driver_do(SERIAL_RAISE);
	CHECK_EQUAL(events_come(1u << 6 | 1u << BIT), 1u << 6);
	CHECK_EQUAL(state_of(&client, 0), THREAD_READY);
	client_run(&client);
	CHECK_EQUAL(client_got, 1u << 31);
	driver_end(SERIAL_QUIET);
	client_end(&client);
}

TEST(line_bound_anew_signals_the_new_thread_only)
{
	client_make(&client, &root_domain, client_waits, 0);
	driver_begin(SERIAL_LINE, SERIAL_BEGIN);
	CHECK_EQUAL(kernel_irq_bind(slot(ROOT_IRQ_FIRST + SERIAL_LINE),
				    slot(client.thread.object.slot), 0),
		    0);
	driver_do(SERIAL_RAISE);
	CHECK_EQUAL(events_now(0xFFFFFFFF), 0);
	CHECK_EQUAL(state_of(&client, 3), 1);
	CHECK_EQUAL(kernel_irq_bind(slot(ROOT_IRQ_FIRST + SERIAL_LINE), slot(ROOT_THREAD), BIT), 0);
	MUST(kernel_irq_acknowledge(slot(ROOT_IRQ_FIRST + SERIAL_LINE)));
	driver_do(SERIAL_RAISE);
	CHECK_EQUAL(events_come(1u << BIT), 1u << BIT);
	CHECK_EQUAL(state_of(&client, 3), 1);
	driver_end(SERIAL_QUIET);
	client_end(&client);
}

TEST(line_bound_to_a_destroyed_thread_harms_nobody)
{
	client_make(&client, &root_domain, client_waits, 0);
	driver_begin(SERIAL_LINE, SERIAL_BEGIN);
	CHECK_EQUAL(kernel_irq_bind(slot(ROOT_IRQ_FIRST + SERIAL_LINE),
				    slot(client.thread.object.slot), 0),
		    0);
	client_end(&client);
	client_make(&client, &root_domain, client_waits, 0); /* most likely in the same frames */
	driver_do(SERIAL_RAISE);
	CHECK_EQUAL(events_now(0xFFFFFFFF), 0);
	CHECK_EQUAL(state_of(&client, 3), 0);
	CHECK_EQUAL(kernel_irq_bind(slot(ROOT_IRQ_FIRST + SERIAL_LINE), slot(ROOT_THREAD), BIT), 0);
	driver_do(SERIAL_RAISE);
	CHECK_EQUAL(events_now(0xFFFFFFFF), 0); /* masked by the one that reached nobody */
	MUST(kernel_irq_acknowledge(slot(ROOT_IRQ_FIRST + SERIAL_LINE)));
	CHECK_EQUAL(events_come(1u << BIT), 1u << BIT);
	driver_end(SERIAL_QUIET);
	client_end(&client);
}

TEST(bind_refuses_what_is_no_thread_no_bit_or_no_right)
{
	struct zoo zoo;
	zoo_make(&zoo);
	driver_begin(SERIAL_LINE, SERIAL_BEGIN);
	uint32_t thread = zoo.slot[CAPABILITY_THREAD], narrow = slot_take(), stale = slot_take();
	for (uint32_t kind = CAPABILITY_DOOR; kind < CAPABILITY_KINDS; kind++)
		if (kind != CAPABILITY_THREAD)
			REFUSED(ERROR_KIND, LINE(SERIAL_LINE), irq_bind_op,
				SLOT_ENCODE(zoo.slot[kind]), 1, 0);
	REFUSED(ERROR_EMPTY, LINE(SERIAL_LINE), irq_bind_op,
		SLOT_ENCODE(zoo.slot[CAPABILITY_EMPTY]), 1, 0);
	REFUSED(ERROR_EMPTY, LINE(SERIAL_LINE), irq_bind_op, 1u << 21 | ROOT_THREAD, 1, 0);
	REFUSED(ERROR_EMPTY, LINE(SERIAL_LINE), irq_bind_op, SLOT_LENT, 1, 0);
	for (uint32_t bit = 32; bit; bit <<= 1)
		REFUSED(ERROR_ARGUMENT, LINE(SERIAL_LINE), irq_bind_op, SLOT_ENCODE(thread), bit,
			0);
	MUST(kernel_narrow(slot(narrow), slot(thread), RIGHTS_ALL & ~RIGHT_SIGNAL, 0xFFFFFFFF));
	REFUSED(ERROR_RIGHT, LINE(SERIAL_LINE), irq_bind_op, SLOT_ENCODE(narrow), 1, 0);
	MUST(kernel_narrow(slot(narrow), slot(thread), RIGHT_SIGNAL, ~2u));
	REFUSED(ERROR_RIGHT, LINE(SERIAL_LINE), irq_bind_op, SLOT_ENCODE(narrow), 1,
		0); /* not this bit */
	static struct client dead;
	client_make(&dead, &root_domain, client_waits, 0);
	MUST(kernel_copy(slot(stale), slot(dead.thread.object.slot)));
	client_end(&dead);
	REFUSED(ERROR_STALE, LINE(SERIAL_LINE), irq_bind_op, SLOT_ENCODE(stale), 1, 0);
	driver_do(SERIAL_RAISE); /* and it is bound as it was */
	CHECK_EQUAL(events_come(1u << BIT), 1u << BIT);
	CHECK_EQUAL(state_of(&(struct client){.thread.object.slot = thread}, 3), 0);
	CHECK_EQUAL(kernel_irq_bind(slot(ROOT_IRQ_FIRST + SERIAL_LINE), slot(narrow), 0),
		    0); /* a bit that it has */
	slot_give(narrow);
	slot_give(stale);
	driver_end(SERIAL_QUIET);
	zoo_end(&zoo);
}

TEST(lines_of_the_kernel_are_nobodys)
{
	struct words answer;
	static const uint8_t lines[] = {0, 2}; /* the timer; the second controller */
	for (uint32_t i = 0; i < sizeof(lines); i++) {
		MUST(kernel_domain_read(slot(ROOT_DOMAIN), slot(ROOT_IRQ_FIRST + lines[i]),
					&answer));
		CHECK_EQUAL(answer.w[0], CAPABILITY_EMPTY);
	}
}
