/* SPDX-License-Identifier: MIT */
/* I/O port rights: switched with the domain and with nothing else, revoked while in use. */
#include "test.h"

#define POST    0x80u /* a port of every PC that reading and writing does not disturb */
#define SPEAKER 0x61u /* another one */

/* Reads 1, 2 or 4 bytes; false if it faulted. */
static _Bool try_in(uint32_t bytes, uint32_t port)
{
	uint32_t value = 0, ok = 0;
	if (bytes == 1)
		asm volatile("1: inb %w2, %b0\n\tmov $1, %1\n2:\n\t" CATCH(1b, 2b)
			     : "+a"(value), "+r"(ok)
			     : "d"(port));
	else if (bytes == 2)
		asm volatile("1: inw %w2, %w0\n\tmov $1, %1\n2:\n\t" CATCH(1b, 2b)
			     : "+a"(value), "+r"(ok)
			     : "d"(port));
	else
		asm volatile("1: inl %w2, %0\n\tmov $1, %1\n2:\n\t" CATCH(1b, 2b)
			     : "+a"(value), "+r"(ok)
			     : "d"(port));
	return ok;
}

PEER port_in(uint32_t bytes, uint32_t port, uint32_t b, uint32_t badge_high)
{
	(void)b;
	(void)badge_high;
	return ANSWER(0, try_in(bytes, port));
}

/* Whether a peer, through its door to port_in, may read. */
static _Bool may_read(uint32_t door, uint32_t bytes, uint32_t port)
{
	uint32_t value = 2;
	CHECK_EQUAL(door_call(slot(door).encoded, bytes, port, 0, &value), RETURN);
	CHECK(value < 2);
	return value;
}

struct reader {
	struct domain domain;
	struct object bitmap;
	uint32_t door;
};
static void reader_make(struct reader *reader, const char *name, uint32_t first, uint32_t last)
{
	*reader = (struct reader){0};
	peer_make(&reader->domain, name);
	if (first <= last)
		reader->bitmap = domain_ports(&reader->domain, reader->bitmap, first, last);
	reader->door = peer_door(&reader->domain, port_in);
}
static void reader_end(struct reader *reader)
{
	slot_give(reader->door);
	domain_end(&reader->domain);
	if (reader->bitmap.frame)
		bitmap_end(reader->bitmap);
}
#define NO_PORTS 1, 0

TEST(ports_are_refused_to_a_domain_without_any)
{
	struct reader reader;
	reader_make(&reader, "portless", NO_PORTS);
	static const uint32_t ports[] = {0, POST, SPEAKER, 0x3F8, 0xCF8, 0x7FFF, 0x8000, 0xFFFF};
	for (uint32_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		for (uint32_t bytes = 1; bytes <= 4; bytes *= 2)
			CHECK(!may_read(reader.door, bytes, ports[i]));
	reader_end(&reader);
}

TEST(ports_allow_exactly_their_range)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {{0x80, 0x80},     {0x81, 0x86},     {0x87, 0x88},
		      {0x7FFE, 0x8001}, {0x7FF0, 0x800F}, {0x8000, 0x8000},
		      {0x7FFF, 0x7FFF}, {0xFFFF, 0xFFFF}, {0xFFE0, 0xFFFF}};
	for (uint32_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		struct reader reader;
		uint32_t first = ranges[i].first, last = ranges[i].last;
		reader_make(&reader, "ranger", first, last);
		for (uint32_t port = first - 9; port <= last + 9 && port <= 0xFFFF; port++)
			CHECK_EQUAL(may_read(reader.door, 1, port), port >= first && port <= last);
		reader_end(&reader);
	}
}

TEST(ports_of_a_wide_access_are_all_needed)
{
	struct reader reader;
	reader_make(&reader, "wide", 0x7FFC, 0x8003); /* over the border of the two bitmap pages */
	CHECK(may_read(reader.door, 4, 0x7FFC) && may_read(reader.door, 4, 0x7FFE) &&
	      may_read(reader.door, 2, 0x7FFF));
	CHECK(may_read(reader.door, 4, 0x8000) && may_read(reader.door, 2, 0x8002));
	CHECK(!may_read(reader.door, 4, 0x7FFB) && !may_read(reader.door, 2, 0x7FFB));
	CHECK(!may_read(reader.door, 4, 0x8001) && !may_read(reader.door, 2, 0x8003));
	domain_ports(&reader.domain, reader.bitmap, 0xFFFC, 0xFFFF);
	domain_ports(&reader.domain, reader.bitmap, 0, 7);
	CHECK(may_read(reader.door, 4, 0xFFFC) && may_read(reader.door, 2, 0xFFFE) &&
	      may_read(reader.door, 1, 0xFFFF));
	CHECK(!may_read(reader.door, 2, 0xFFFF) &&
	      !may_read(reader.door, 4, 0xFFFD)); /* there is no 65536 */
	reader_end(&reader);
}

TEST(ports_denied_after_they_were_allowed_are_refused)
{
	struct reader reader;
	reader_make(&reader, "denied", 0x7FF0, 0x800F);
	CHECK_EQUAL(kernel_bitmap_deny(slot(reader.bitmap.slot), 0x7FFF, 2), 0);
	for (uint32_t port = 0x7FF0; port < 0x8010; port++)
		CHECK_EQUAL(may_read(reader.door, 1, port), port != 0x7FFF && port != 0x8000);
	CHECK_EQUAL(kernel_bitmap_deny(slot(reader.bitmap.slot), 0x7FF0, 0), 0); /* none at all */
	CHECK(may_read(reader.door, 1, 0x7FF0));
	CHECK_EQUAL(kernel_bitmap_deny(slot(reader.bitmap.slot), 0x7FF0, PORTS_PER_CALL), 0);
	for (uint32_t port = 0x7FF0; port < 0x8010; port++)
		CHECK(!may_read(reader.door, 1, port));
	CHECK_EQUAL(kernel_bitmap_deny(slot(reader.bitmap.slot), 0xFFE0, PORTS_PER_CALL), 0);
	domain_ports(&reader.domain, reader.bitmap, 0x7FFF, 0x7FFF); /* and again */
	CHECK(may_read(reader.door, 1, 0x7FFF) && !may_read(reader.door, 1, 0x7FFE));
	reader_end(&reader);
}

TEST(bitmap_operations_refuse_ranges_and_slots_out_of_range)
{
	struct reader reader;
	struct zoo zoo;
	zoo_make(&zoo);
	reader_make(&reader, "reader", POST, POST);
	uint32_t bitmap = SLOT_ENCODE(reader.bitmap.slot), ports = slot_take();
	REFUSED(ERROR_ARGUMENT, bitmap, bitmap_deny_op, 0, PORTS_PER_CALL + 1, 0);
	REFUSED(ERROR_ARGUMENT, bitmap, bitmap_deny_op, 0, 0xFFFFFFFF, 0);
	REFUSED(ERROR_ARGUMENT, bitmap, bitmap_deny_op, 0x10000, 0, 0);
	REFUSED(ERROR_ARGUMENT, bitmap, bitmap_deny_op, 0x10000 | POST, 1, 0);
	REFUSED(ERROR_ARGUMENT, bitmap, bitmap_deny_op, 0xFFFF, 2, 0);
	REFUSED(ERROR_ARGUMENT, bitmap, bitmap_deny_op, 0xFFFFFFFF, 1, 0);
	MUST(kernel_narrow(slot(ports), slot(ROOT_PORTS), 0,
			   0x100 | 0x120u << 16)); /* 33 of them */
	REFUSED(ERROR_ARGUMENT, bitmap, bitmap_allow_op, SLOT_ENCODE(ports), 0, 0);
	REFUSED(ERROR_ARGUMENT, bitmap, bitmap_allow_op, ROOT_PORTS, 0, 0);
	for (uint32_t kind = CAPABILITY_DOOR; kind < CAPABILITY_KINDS; kind++)
		if (kind != CAPABILITY_PORTS)
			REFUSED(ERROR_KIND, bitmap, bitmap_allow_op, SLOT_ENCODE(zoo.slot[kind]), 0,
				0);
	REFUSED(ERROR_EMPTY, bitmap, bitmap_allow_op, SLOT_ENCODE(zoo.slot[CAPABILITY_EMPTY]), 0,
		0);
	REFUSED(ERROR_EMPTY, bitmap, bitmap_allow_op, 1u << 21 | ROOT_PORTS, 0, 0);
	for (uint32_t port = 0; port < 0x140; port++)
		CHECK_EQUAL(may_read(reader.door, 1, port), port == POST);
	slot_give(ports);
	reader_end(&reader);
	zoo_end(&zoo);
}

/* A reads, calls B which reads and calls C which reads, then all the way back: each has other
 * rights. */
static _Bool seen[10];
static uint32_t seen_count;
static void look(void)
{
	seen[seen_count++] = try_in(1, POST);
	seen[seen_count++] = try_in(1, SPEAKER);
}
PEER look_call_look(uint32_t levels, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)a;
	(void)b;
	(void)badge_high;
	look();
	if (levels) {
		door_call(1 | OPTION_NESTED, levels - 1, 0, 0, NULL);
		look();
	}
	return ANSWER(0, 0);
}

TEST(ports_follow_every_call_and_every_return)
{
	struct reader a, b, c;
	reader_make(&a, "a", POST, POST);
	reader_make(&b, "b", NO_PORTS);
	reader_make(&c, "c", SPEAKER, SPEAKER);
	uint32_t to_a = peer_door(&a.domain, look_call_look),
		 to_b = peer_door(&b.domain, look_call_look),
		 to_c = peer_door(&c.domain, look_call_look);
	domain_give(&a.domain, 1, to_b);
	domain_give(&b.domain, 1, to_c);
	static const _Bool expected[10] = {1, 0, 0, 0, 0, 1, 0, 0, 1, 0};
	for (uint32_t round = 0; round < 2; round++) {
		struct words words = {{2, 0, 0, 0}};
		seen_count = 0;
		CHECK_EQUAL(invoke(slot(to_a).encoded | (round ? OPTION_CAPABILITIES : 0), &words),
			    RETURN);
		CHECK(seen_count == 10 && !memcmp(seen, expected, sizeof(seen)));
		CHECK(!try_in(1, POST) && !try_in(1, SPEAKER)); /* root has neither */
	}
	slot_give(to_a);
	slot_give(to_b);
	slot_give(to_c);
	reader_end(&a);
	reader_end(&b);
	reader_end(&c);
}

static struct client reading_client;
static volatile uint32_t client_reads, client_refusals;
static void client_reads_for_ever(uint32_t port)
{
	for (;;) {
		client_reads += try_in(1, port);
		client_refusals += !try_in(1, port + 1);
	}
}

TEST(ports_follow_the_thread_that_runs)
{
	struct reader reader;
	reader_make(&reader, "reader", POST, POST);
	client_make(&reading_client, &reader.domain, client_reads_for_ever, POST);
	client_reads = client_refusals = 0;
	for (uint32_t i = 0; i < 20000 && client_refusals < 3;
	     i++) { /* stepped, so that it is anywhere when it is preempted */
		client_step(&reading_client);
		CHECK(!try_in(1, POST));
	}
	CHECK(client_reads == 3 && client_refusals == 3);
	client_end(&reading_client);
	reader_end(&reader);
}

TEST(ports_are_gone_when_their_bitmap_is_destroyed)
{
	struct reader reader;
	reader_make(&reader, "reader", POST, POST);
	CHECK(may_read(reader.door, 1, POST));
	bitmap_end(reader.bitmap);
	CHECK(!may_read(reader.door, 1, POST));
	reader.bitmap = domain_ports(&reader.domain, (struct object){0}, SPEAKER,
				     SPEAKER); /* another one */
	CHECK(!may_read(reader.door, 1, POST) && may_read(reader.door, 1, SPEAKER));
	reader_end(&reader);
}

/* The running domain's own bitmap goes, changes and comes: before the next instruction. */
static uint32_t own_bitmap, own_generation, own_errors;
static _Bool own_seen[4];
PEER change_own_ports(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation;
	(void)a;
	(void)b;
	(void)badge_high;
	own_seen[0] = try_in(1, POST);
	own_errors = kernel_bitmap_deny(slot(1), POST, 1);
	own_seen[1] = try_in(1, POST);
	own_errors |= kernel_bitmap_allow(slot(1), slot(2));
	own_seen[2] = try_in(1, POST);
	own_errors |= kernel_destroy(lent_slot(0), own_bitmap, own_generation);
	own_seen[3] = try_in(1, POST);
	return ANSWER(0, 0);
}

TEST(ports_of_the_running_domain_change_at_once)
{
	struct reader reader;
	reader_make(&reader, "reader", POST, POST);
	uint32_t door = peer_door(&reader.domain, change_own_ports), ports = slot_take();
	uint32_t pages = ((uint32_t *)frame_pointer(reader.bitmap.frame))[1] >> 12;
	MUST(kernel_narrow(slot(ports), slot(ROOT_PORTS), 0, POST | POST << 16));
	domain_give(&reader.domain, 1, reader.bitmap.slot);
	domain_give(&reader.domain, 2, ports);
	own_bitmap = reader.bitmap.frame;
	own_generation = object_generation(own_bitmap);
	struct words words = {{0, 0, LEND_SLOTS(ROOT_AUTHORITY, 0, 0, 0), 0}};
	CHECK_EQUAL(invoke(slot(door).encoded | OPTION_CAPABILITIES, &words), RETURN);
	CHECK_EQUAL(own_errors, 0);
	CHECK(own_seen[0] && !own_seen[1] && own_seen[2] && !own_seen[3]);
	CHECK_EQUAL(kernel_probe(slot(reader.bitmap.slot)), ERROR_STALE);
	slot_give(reader.bitmap.slot);
	frame_give(reader.bitmap.frame);
	frame_give(pages + 1);
	frame_give(pages);
	reader.bitmap.frame = 0;
	slot_give(ports);
	slot_give(door);
	reader_end(&reader);
}

TEST(bitmap_that_outlives_its_domain_does_not_touch_the_next_one)
{
	struct reader first, second;
	reader_make(&first, "first", POST, POST);
	uint32_t frame = first.domain.object.frame;
	slot_give(first.door);
	domain_end(&first.domain);
	CHECK_EQUAL(kernel_probe(slot(first.bitmap.slot)), 0);
	CHECK_EQUAL(kernel_bitmap_deny(slot(first.bitmap.slot), POST, 1), 0); /* harmless */
	reader_make(&second, "second", POST, POST);
	CHECK(second.domain.object.frame == frame || second.domain.directory_frame == frame);
	bitmap_end(first.bitmap);
	CHECK(may_read(second.door, 1, POST));
	reader_end(&second);
}

TEST(bitmap_that_was_never_attached_is_destroyed_without_trace)
{
	struct reader reader;
	reader_make(&reader, "reader", POST, POST);
	struct object bitmap = bitmap_make();
	bitmap_end(bitmap);
	CHECK(may_read(reader.door, 1, POST));
	reader_end(&reader);
}

TEST(bitmap_attached_to_the_running_domain_holds_at_once)
{
	struct object bitmap = bitmap_make();
	struct domain peer;
	peer_make(&peer, "peer");
	uint32_t ports = slot_take();
	MUST(kernel_narrow(slot(ports), slot(ROOT_PORTS), 0, POST | POST << 16));
	MUST(kernel_bitmap_allow(slot(bitmap.slot), slot(ports)));
	CHECK(!try_in(1, POST)); /* root has a bitmap already, so it can't take this one */
	CHECK_EQUAL(kernel_domain_attach(slot(ROOT_DOMAIN), 0, slot(bitmap.slot)), ERROR_STATE);
	CHECK(!try_in(1, POST));
	uint32_t attempt = peer_door(&peer, peer_attempt), read = peer_door(&peer, port_in);
	domain_give(&peer, 1, peer.object.slot);
	domain_give(&peer, 2, bitmap.slot);
	CHECK(!may_read(read, 1, POST));
	struct words words = {{domain_attach_op, 0, 2, 0}};
	CHECK_EQUAL(peer_invoke((struct attempt_door){attempt, 0, 0}, 1, &words), 0);
	CHECK(may_read(read, 1, POST));
	slot_give(read);
	slot_give(attempt);
	slot_give(ports);
	domain_end(&peer);
	bitmap_end(bitmap);
}
