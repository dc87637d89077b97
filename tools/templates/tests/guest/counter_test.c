/* SPDX-License-Identifier: MIT */
/* The counter service: what it answers, and what a client that vanishes leaves of it. */
/* modules: counter */
#include "counter/counter.h"
#include "test.h"

#define NUMBERS 0x02000000u /* a page of the client's */
#define COUNT   8u          /* of the words there: 1, 2, ... */
#define TOTAL   (COUNT * (COUNT + 1) / 2)
#define DOOR    1u /* in the client's list */
#define RIGHTS  (COUNTER_MAY_ADD | COUNTER_MAY_READ)

static struct domain service, peer;
static struct client client;
static uint32_t page; /* the frame that lies at NUMBERS */
static volatile uint32_t answer;

static slot_t door_make(uint32_t badge)
{
	return slot(domain_door(&service, badge));
}
static void door_end(slot_t door)
{
	MUST(kernel_delete(door));
	slot_give(door.encoded);
}

static void service_begin(void)
{
	domain_make(&service, "counter", 0);
	domain_load(&service, "counter");
}

static uint32_t sum_read(void)
{
	uint32_t sum = 0;
	const slot_t door = door_make(COUNTER_BADGE(0, COUNTER_MAY_READ));
	CHECK_EQUAL(counter_read(door, &sum), RETURN);
	door_end(door);
	return sum;
}

TEST(counter_adds)
{
	uint32_t sum = 0;
	service_begin();
	const slot_t mine = door_make(COUNTER_BADGE(0, RIGHTS));
	const slot_t other = door_make(COUNTER_BADGE(COUNTER_SUMS - 1, RIGHTS));
	CHECK_EQUAL(counter_add(mine, 5, &sum), RETURN);
	CHECK_EQUAL(counter_add(mine, 7, &sum), RETURN);
	CHECK_EQUAL(sum, 12);
	CHECK_EQUAL(counter_read(other, &sum), RETURN);
	CHECK_EQUAL(sum, 0); /* a sum of its own */
	CHECK_EQUAL(counter_add(mine, UINT32_MAX - 11, &sum), RETURN + COUNTER_FULL);
	CHECK_EQUAL(counter_add(mine, UINT32_MAX - 12, &sum), RETURN);
	CHECK_EQUAL(sum_read(), UINT32_MAX);
	door_end(other);
	door_end(mine);
	domain_end(&service);
}

TEST(counter_allows_what_the_badge_says)
{
	uint32_t sum;
	service_begin();
	const slot_t reads = door_make(COUNTER_BADGE(0, COUNTER_MAY_READ));
	const slot_t adds = door_make(COUNTER_BADGE(0, COUNTER_MAY_ADD));
	const slot_t beyond = door_make(COUNTER_BADGE(COUNTER_SUMS, RIGHTS));
	const uint32_t no = RETURN + COUNTER_NOT_ALLOWED;
	CHECK_EQUAL(counter_add(reads, 1, &sum), no);
	CHECK_EQUAL(counter_add_all(reads, window(0), 0, &sum), no);
	CHECK_EQUAL(counter_read(adds, &sum), no);
	CHECK_EQUAL(counter_add(beyond, 1, &sum), no);
	CHECK_EQUAL(counter_read(beyond, &sum), no);
	CHECK_EQUAL(counter_add_all(adds, window(0), 1, &sum), RETURN + SERVICE_REVOKED);
	CHECK_EQUAL(counter_add_all(adds, window(0), WINDOW_BYTES / 4 + 1, &sum),
		    RETURN + SERVICE_BAD_ARGUMENT);
	CHECK_EQUAL(sum_read(), 0);
	door_end(beyond);
	door_end(adds);
	door_end(reads);
	domain_end(&service);
}

/* ---- clients that vanish --------------------------------------------------------------------- */
static void adds_all(uint32_t count)
{
	uint32_t sum;
	answer = counter_add_all(slot(DOOR), window(NUMBERS), count, &sum);
}

static void client_begin(client_function *function)
{
	peer_make(&peer, "client");
	page = domain_page(&peer, NUMBERS);
	uint32_t *numbers = frame_pointer(page);
	for (uint32_t i = 0; i < COUNT; i++)
		numbers[i] = i + 1;
	const slot_t door = door_make(COUNTER_BADGE(0, COUNTER_MAY_ADD));
	MUST(kernel_grant(slot(peer.object.slot), slot(DOOR), door));
	door_end(door);
	answer = 0;
	client_make(&client, &peer, function, COUNT);
}
static void page_revoke(void)
{
	domain_unmap(&peer, NUMBERS);
	frame_give(page);
}
static void client_finish(void)
{
	client_end(&client);
	domain_end(&peer);
}

/* False: it has ended before. */
static _Bool client_steps(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (client_step(&client).reason != DISPATCH_STEPPED)
			return 0;
	return 1;
}

/* What the service can name: nothing but itself and whom it tells of faults. */
static uint32_t slots_used(void)
{
	uint32_t used = 0;
	for (uint32_t i = 0; i < LIST_SLOTS; i++) {
		struct words capability;
		MUST(kernel_domain_read(slot(service.object.slot), slot(i), &capability));
		used += capability.w[0] != 0;
	}
	return used;
}

TEST(counter_survives_a_page_that_goes_away_at_any_instruction)
{
	uint32_t revoked = 0, served = 0, steps = 0;
	_Bool goes_on;
	service_begin();
	const uint32_t used = slots_used();
	do {
		client_begin(adds_all);
		const uint32_t before = sum_read();
		goes_on = client_steps(steps++);
		if (goes_on) {
			page_revoke();
			client_run(&client);
		}
		revoked += answer == RETURN + SERVICE_REVOKED;
		served += answer == RETURN;
		CHECK_EQUAL(sum_read(), before + (answer == RETURN ? TOTAL : 0));
		client_finish();
	} while (goes_on);
	CHECK_EQUAL(slots_used(), used);
	CHECK_EQUAL(revoked + served, steps);
	CHECK(revoked > COUNT && served > 1); /* both have happened */
	domain_end(&service);
}

TEST(counter_survives_a_client_that_is_killed_at_any_instruction)
{
	uint32_t steps = 0, added = 0;
	_Bool goes_on;
	service_begin();
	const uint32_t used = slots_used();
	do {
		client_begin(adds_all);
		const uint32_t before = sum_read();
		goes_on = client_steps(steps++);
		client_finish();
		const uint32_t more = sum_read() - before;
		CHECK(more == 0 || more == TOTAL); /* all or none */
		added += more == TOTAL;
	} while (goes_on);
	CHECK_EQUAL(slots_used(), used);
	CHECK(added > 1 && added < steps);
	domain_end(&service);
}
