// sources: tests/host/machine/tap.c
/* SPDX-License-Identifier: MIT */
/* What tools/interface makes of example.h, both sides at once: a call goes straight into the
 * entry. What arrives must be what was sent, and what can't arrive must be refused. */
#include "machine/tap.h"

/* In place of the system call and of the thread's data page. */
#define door_call         kernel_door_call
#define door_call_lend    kernel_door_call_lend
#define parameters        kernel_parameters
#define parameter_room    kernel_parameter_room
#define answer_capability kernel_answer_capability
#include "service.h"
#undef door_call
#undef door_call_lend
#undef parameters
#undef parameter_room
#undef answer_capability

static _Alignas(4096) uint8_t page[PAGE_BYTES];
static uint32_t room, calls, target, edi, ebx, ebp, answered, answers;

void *parameters(void);
uint32_t door_call(uint32_t to, uint32_t operation, uint32_t a, uint32_t b, uint32_t *value);
uint32_t door_call_lend(uint32_t to, uint32_t operation, uint32_t a, uint32_t slots,
			uint32_t windows, uint32_t *value);
void *parameters(void)
{
	return page;
}
static uint32_t parameter_room(void)
{
	return room;
}
/* The call that designates a slot gets it. */
static void answer_capability(uint32_t word)
{
	answered = word;
	answers++;
}

#include "example.server.h"

uint32_t door_call_lend(uint32_t to, uint32_t operation, uint32_t a, uint32_t slots,
			uint32_t windows, uint32_t *value)
{
	calls++;
	target = to;
	edi = a;
	ebx = slots;
	ebp = windows;
	uint64_t answer = service_operations[operation](0xBAD6E, a, slots, 0x600D);
	if (value)
		*value = answer >> 32;
	return RETURN | (uint32_t)answer;
}
uint32_t door_call(uint32_t to, uint32_t operation, uint32_t a, uint32_t b, uint32_t *value)
{
	return door_call_lend(to, operation, a, b, 0, value);
}

/* ---- the service ----------------------------------------------------------------------------- */
static struct {
	struct badge badge;
	uint64_t fourth;
	uint32_t words[6];
	int32_t signed_words[2];
	uint16_t cells[2048];
	struct example_point point;
	window_t window;
} got;
static uint32_t status;

uint32_t example_do_words(struct badge badge, uint32_t first, int32_t second,
			  enum example_colour third, uint64_t fourth, uint32_t *sum)
{
	got.badge = badge;
	got.words[0] = first;
	got.signed_words[0] = second;
	got.words[1] = third;
	got.fourth = fourth;
	*sum = first + second;
	return status;
}
uint32_t example_do_packed(struct badge badge, uint20_t place, count10_t count, uint2_t flags,
			   int16_t rows, uint8_t kind, uint16_t *low, uint8_t *high)
{
	got.words[0] = place;
	got.words[1] = count;
	got.words[2] = flags;
	got.signed_words[0] = rows;
	got.words[3] = kind;
	*low = place;
	*high = kind + 1;
	return status;
}
uint32_t example_do_data(struct badge badge, uint32_t count, uint32_t a, uint32_t b,
			 const uint16_t cells[EXAMPLE_WIDE(count)],
			 const struct example_point *from, struct example_point to[count],
			 uint32_t *done)
{
	got.words[0] = a;
	got.words[1] = b;
	got.point = *from;
	for (uint32_t i = 0; i < EXAMPLE_WIDE(count); i++)
		got.cells[i] = cells[i];
	for (uint32_t i = 0; i < count; i++)
		to[i] = (struct example_point){.x = (int32_t)i, .y = -1};
	*done = count;
	return status;
}
uint32_t example_do_lend(struct badge badge, lend_t one, lend_t two, window_t window, uint32_t a,
			 uint32_t b)
{
	got.words[0] = one.encoded;
	got.words[1] = two.encoded;
	got.words[2] = a;
	got.words[3] = b;
	got.window = window;
	return status;
}
uint32_t example_do_write(struct badge badge, uint10_t count, uint22_t kind, uint32_t more,
			  const uint16_t cells[count])
{
	for (uint32_t i = 0; i < count; i++)
		got.cells[i] = cells[i];
	got.words[0] = count;
	got.words[1] = kind;
	got.words[2] = more;
	return status;
}
uint32_t example_do_read(struct badge badge, uint32_t count, uint16_t cells[count])
{
	for (uint32_t i = 0; i < count; i++)
		cells[i] = i + 7;
	return status;
}
uint32_t example_do_with(struct badge badge, lend_t one, uint32_t a, uint32_t b, uint32_t *sum)
{
	got.words[3] = one.encoded;
	*sum = a - b;
	return status;
}
uint32_t example_do_step(struct badge badge, uint32_t a, uint32_t b, uint32_t *sum)
{
	*sum = a + b;
	return badge.high == 0x600D ? a : EXAMPLE_REFUSED;
}
uint32_t example_do_keep(struct badge badge, keep_t one, uint32_t *word)
{
	got.words[0] = one.encoded;
	*word = 5;
	return status;
}
uint32_t example_do_place(struct badge badge, uint32_t a, place_t to, uint32_t b, uint32_t *word)
{
	got.words[0] = a;
	got.words[1] = b;
	got.words[2] = to.encoded;
	*word = 6;
	return status;
}
uint32_t example_do_slots(struct badge badge, uint32_t a, uint32_t *word)
{
	*word = a;
	return status;
}

/* ---- tests ----------------------------------------------------------------------------------- */
static const slot_t door = {9};

static void begin(void)
{
	memset(page, 0xEE, sizeof(page));
	memset(&got, 0, sizeof(got));
	room = PARAMETER_BYTES;
	status = calls = answers = 0;
}

TEST(words_arrive_in_registers_and_behind_them_in_the_page)
{
	uint32_t sum = 0;
	begin();
	CHECK_EQUAL(example_words(door, 0xFFFFFFFF, -2, EXAMPLE_BLUE, 0x123456789ABCDEF0, &sum),
		    RETURN);
	CHECK_EQUAL(got.badge.low, 0xBAD6E);
	CHECK_EQUAL(got.badge.high, 0x600D);
	CHECK_EQUAL(got.words[0], 0xFFFFFFFF);
	CHECK_EQUAL(got.signed_words[0], -2);
	CHECK_EQUAL(got.words[1], EXAMPLE_BLUE);
	CHECK(got.fourth == 0x123456789ABCDEF0);
	CHECK_EQUAL(sum, 0xFFFFFFFD);
	CHECK_EQUAL(page[12], 0xEE); /* three words, not more */
	status = EXAMPLE_REFUSED;
	CHECK_EQUAL(example_words(door, 0, 0, EXAMPLE_RED, 0, NULL), RETURN + EXAMPLE_REFUSED);
}

TEST(bits_are_packed_from_the_top_and_arrive)
{
	uint16_t low;
	uint8_t high;
	begin();
	CHECK_EQUAL(example_packed(door, 0x12345, 1024, 3, -5, 200, &low, &high), RETURN);
	CHECK_EQUAL(edi, 0x12345FFF);
	CHECK_EQUAL(ebx, 0xFFFBC800);
	CHECK_EQUAL(got.words[0], 0x12345);
	CHECK_EQUAL(got.words[1], 1024);
	CHECK_EQUAL(got.words[2], 3);
	CHECK_EQUAL(got.signed_words[0], -5);
	CHECK_EQUAL(got.words[3], 200);
	CHECK_EQUAL(low, 0x2345);
	CHECK_EQUAL(high, 201);
	CHECK_EQUAL(example_packed(door, 0, 1, 0, 0, 0, NULL, NULL), RETURN);
	CHECK_EQUAL(edi | ebx, 0);
}

TEST(what_would_not_survive_packing_is_refused_before_the_call)
{
	uint16_t low = 7;
	begin();
	CHECK_EQUAL(example_packed(door, 1u << 20, 1, 0, 0, 0, &low, NULL), ERROR_ARGUMENT);
	CHECK_EQUAL(low, 0);
	CHECK_EQUAL(example_packed(door, 0, 0, 0, 0, 0, NULL, NULL), ERROR_ARGUMENT);
	CHECK_EQUAL(example_packed(door, 0, 1025, 0, 0, 0, NULL, NULL), ERROR_ARGUMENT);
	CHECK_EQUAL(example_packed(door, 0, 1, 4, 0, 0, NULL, NULL), ERROR_ARGUMENT);
	CHECK_EQUAL(example_lend(door, slot(256), slot(1), window(0), 0, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(example_keep(door, nested(slot(1)), NULL), ERROR_ARGUMENT);
	CHECK_EQUAL(example_place(door, 0, slot(0), 0, NULL), ERROR_ARGUMENT);
	CHECK_EQUAL(example_place(door, 0, slot(128), 0, NULL), ERROR_ARGUMENT);
	CHECK_EQUAL(calls, 0);
}

TEST(bits_that_mean_nothing_are_refused_by_the_service)
{
	begin();
	for (uint32_t bit = 0; bit < 8; bit++)
		CHECK_EQUAL(door_call(1, example_packed_op, 0, 1u << bit, NULL),
			    RETURN + SERVICE_BAD_ARGUMENT);
	CHECK_EQUAL(door_call(1, example_packed_op, 0, 1u << 8, NULL), RETURN);
}

TEST(data_goes_both_ways)
{
	struct example_point from = {-3, 4}, to[300];
	uint16_t cells[600];
	uint32_t done;
	begin();
	for (uint32_t i = 0; i < 600; i++)
		cells[i] = i * 3;
	for (uint32_t count = 0; count < 170; count++) {
		begin();
		memset(to, 0, sizeof(to));
		CHECK_EQUAL(example_data(door, count, 1, 2, cells, &from, to, &done), RETURN);
		CHECK_EQUAL(done, count);
		CHECK_EQUAL(got.words[0], 1);
		CHECK_EQUAL(got.words[1], 2);
		CHECK_EQUAL(got.point.x, -3);
		CHECK_EQUAL(got.point.y, 4);
		CHECK(!memcmp(got.cells, cells, count * 4));
		for (uint32_t i = 0; i < count; i++)
			CHECK(to[i].x == (int32_t)i && to[i].y == -1);
		CHECK_EQUAL(to[count].y, 0);
		CHECK_EQUAL(page[4 + count * 12 + 8], 0xEE);
	}
}

TEST(data_that_does_not_fit_is_refused_on_both_sides)
{
	struct example_point from = {0}, to[200];
	static uint16_t cells[4096];
	uint32_t most = (PARAMETER_BYTES - 4 - sizeof(from)) / 12, done = 1, before;
	begin();
	memset(page, 0, sizeof(page));
	CHECK_EQUAL(example_data(door, most, 0, 0, cells, &from, to, &done), RETURN);
	for (uint32_t count = most + 1; count < 2000; count++) {
		before = calls;
		CHECK_EQUAL(example_data(door, count, 0, 0, cells, &from, to, &done),
			    RETURN + SERVICE_BAD_ARGUMENT);
		CHECK_EQUAL(done, 0);
		CHECK_EQUAL(calls, before);
		CHECK_EQUAL(door_call(1, example_data_op, count, 0, NULL),
			    RETURN + SERVICE_BAD_ARGUMENT);
	}
	CHECK_EQUAL(door_call(1, example_data_op, 0x20000000, 0, NULL),
		    RETURN + SERVICE_BAD_ARGUMENT);
	room = 4 + sizeof(from) + 10 * 12;
	CHECK_EQUAL(door_call(1, example_data_op, 10, 0, NULL), RETURN);
	CHECK_EQUAL(door_call(1, example_data_op, 11, 0, NULL), RETURN + SERVICE_NO_STACK);
}

TEST(capabilities_and_windows_are_lent)
{
	uint32_t word;
	begin();
	CHECK_EQUAL(example_lend(door, slot(5), slot(6), window(0x00C00000), 7, 8), RETURN);
	CHECK_EQUAL(target, door.encoded | OPTION_CAPABILITIES | OPTION_WINDOWS);
	CHECK_EQUAL(ebx, LEND_SLOTS(5, 6, 0, 0));
	CHECK_EQUAL(ebp, LEND_WINDOWS(3, 0));
	CHECK_EQUAL(got.words[0], lent_slot(0).encoded);
	CHECK_EQUAL(got.words[1], lent_slot(1).encoded);
	CHECK_EQUAL(got.words[2], 7);
	CHECK_EQUAL(got.words[3], 8);
	CHECK_EQUAL(got.window.address, WINDOW_0);
	CHECK_EQUAL(example_lend(door, slot(0), slot(0), window(0), 7, 8), RETURN);
	CHECK_EQUAL(target, door.encoded | OPTION_WINDOWS);
	CHECK_EQUAL(example_keep(door, slot(5), &word), RETURN);
	CHECK_EQUAL(target, door.encoded | OPTION_CAPABILITIES | OPTION_KEEP);
	CHECK_EQUAL(word, 5);
	CHECK_EQUAL(example_keep(door, slot(0), &word), RETURN);
	CHECK_EQUAL(target, door.encoded);
}

TEST(capability_comes_only_with_success)
{
	uint32_t word;
	begin();
	CHECK_EQUAL(example_place(door, 3, slot(127), 4, &word), RETURN + SERVICE_NO_RESULT);
	CHECK_EQUAL(answers, 1); /* which would not have come back */
	CHECK_EQUAL(answered, 6);
	CHECK_EQUAL(target, door.encoded | OPTION_RESULTS);
	CHECK_EQUAL(edi, 127);
	CHECK_EQUAL(got.words[0], 3);
	CHECK_EQUAL(got.words[1], 4);
	CHECK_EQUAL(got.words[2], lent_slot(0).encoded);
	status = EXAMPLE_REFUSED;
	CHECK_EQUAL(example_place(door, 3, slot(127), 4, &word), RETURN + EXAMPLE_REFUSED);
	CHECK_EQUAL(answers, 1);
	status = 0;
	CHECK_EQUAL(example_twice(door, 11), RETURN);
	CHECK_EQUAL(target, door.encoded | OPTION_RESULTS);
	CHECK_EQUAL(edi, 0);
	CHECK_EQUAL(ebx, 11);
}

/* ---- batches --------------------------------------------------------------------------------- */
TEST(steps_are_as_calls)
{
	struct batch batch = {0};
	uint32_t done = 9;
	begin();
	uint16_t *written = example_write_step(&batch, 3, 0x200001, 5);
	const uint16_t *read = example_read_step(&batch, 5);
	const struct step *with = example_with_step(&batch, 9, 4);
	const struct step *plain = example_step_step(&batch, 0, 6);
	CHECK_EQUAL(batch.bytes, 4 * sizeof(struct step) + 8 + 12);
	for (uint32_t i = 0; i < 3; i++)
		written[i] = 100 + i;
	CHECK_EQUAL(example_batch(door, &batch, slot(3), &done), RETURN);
	CHECK_EQUAL(done, 4);
	CHECK_EQUAL(batch.bytes, 0);
	CHECK_EQUAL(ebx, LEND_SLOTS(3, 0, 0, 0));
	CHECK_EQUAL(got.words[0], 3);
	CHECK_EQUAL(got.words[1], 0x200001);
	CHECK_EQUAL(got.words[2], 5);
	CHECK_EQUAL(got.words[3], lent_slot(0).encoded);
	CHECK_EQUAL(got.cells[2], 102);
	CHECK_EQUAL(read[4], 11);
	CHECK_EQUAL(with->a, 0);
	CHECK_EQUAL(with->b, 5);
	CHECK_EQUAL(plain->b, 6);
}

TEST(batch_ends_with_the_step_that_fails)
{
	struct batch batch = {0};
	uint32_t done;
	begin();
	for (uint32_t i = 0; i < 4; i++)
		example_step_step(&batch, i == 2 ? 77 : 0, i);
	CHECK_EQUAL(example_batch(door, &batch, slot(0), &done), RETURN + 77);
	CHECK_EQUAL(target, door.encoded);
	CHECK_EQUAL(done, 2);
	const struct step *steps = parameters();
	CHECK_EQUAL(steps[2].a, 77);
	CHECK_EQUAL(steps[2].b, 79);
	CHECK_EQUAL(steps[3].a, 0); /* as it was */
	CHECK_EQUAL(steps[3].b, 3);
}

TEST(what_has_no_room_in_a_batch_is_not_put_there)
{
	struct batch batch = {0};
	uint32_t count = 0, done;
	begin();
	while (example_step_step(&batch, 0, 0))
		count++;
	CHECK_EQUAL(count, PARAMETER_BYTES / sizeof(struct step));
	CHECK_EQUAL(example_batch(door, &batch, slot(0), &done), RETURN);
	CHECK_EQUAL(done, count);
	CHECK(!example_write_step(&batch, 1024, 0, 0));
	CHECK(!example_write_step(&batch, 0, 1u << 22, 0));
	for (uint32_t most = (PARAMETER_BYTES - sizeof(struct step)) / 2, n = most - 1;
	     n < most + 3; n++) {
		batch.bytes = 0;
		CHECK_EQUAL(!!example_read_step(&batch, n), n <= most);
	}
	CHECK(!example_read_step(&batch, 0x80000000));
	CHECK(!example_read_step(&batch, 0xFFFFFFFF));
}

TEST(batch_that_nobody_has_built_is_refused)
{
	struct step *steps = parameters();
	uint32_t done;
	begin();
	for (uint32_t operation = 0; operation < 16; operation++) {
		memset(page, 0, sizeof(page));
		steps[0].operation = operation;
		CHECK_EQUAL(door_call(1, example_batch_op, sizeof(*steps), 0, &done),
			    operation < example_batch_op ? RETURN : RETURN + SERVICE_NO_OPERATION);
		CHECK_EQUAL(done, operation < example_batch_op);
	}
	for (uint32_t bytes = 0; bytes < 40; bytes++) { /* a step, and one with data */
		memset(page, 0, sizeof(page));
		steps[0].operation = example_step_op;
		steps[1].operation = example_read_op;
		steps[1].a = 6;
		_Bool fits = bytes == 0 || bytes == 12 || bytes == 36;
		CHECK_EQUAL(door_call(1, example_batch_op, bytes, 0, &done),
			    fits ? RETURN : RETURN + SERVICE_BAD_ARGUMENT);
		CHECK_EQUAL(done, bytes < 12 ? 0 : bytes < 36 ? 1 : bytes == 36 ? 2 : done);
	}
	memset(page, 0, sizeof(page));
	steps[0].operation = example_read_op;
	steps[0].a = 0x80000001; /* times two: 2 */
	CHECK_EQUAL(door_call(1, example_batch_op, 100, 0, &done), RETURN + SERVICE_BAD_ARGUMENT);
	CHECK_EQUAL(door_call(1, example_batch_op, PARAMETER_BYTES + 1, 0, &done),
		    RETURN + SERVICE_BAD_ARGUMENT);
	room = 23;
	CHECK_EQUAL(door_call(1, example_batch_op, 24, 0, &done), RETURN + SERVICE_NO_STACK);
}
