/* SPDX-License-Identifier: MIT */
/* The demonstration's client. Its costs are ticks of the time stamp counter. */
#include "client.h"
#include "counter/counter.h"

static void say(const char *what, uint32_t result, uint32_t sum, uint32_t ticks)
{
	if (DOOR_ERROR(result))
		print("client: %s: the kernel says %s\n", what, error_name(DOOR_ERROR(result)));
	else if (DOOR_STATUS(result) == SERVICE_REVOKED)
		print("client: %s: what I lent is gone\n", what);
	else if (DOOR_STATUS(result))
		print("client: %s: status %u\n", what, DOOR_STATUS(result));
	else
		print("client: %s: the sum is %u, for %u ticks of mine\n", what, sum, ticks);
}

static void adds(slot_t door)
{
	for (uint32_t number = 5; number <= 7; number += 2) {
		uint32_t sum = 0, begun = cycles();
		const uint32_t result = counter_add(door, number, &sum);
		say(number == 5 ? "I add 5" : "I add 7", result, sum, (uint32_t)cycles() - begun);
	}
}

static void lends(slot_t door)
{
	uint32_t sum = 0, begun = cycles();
	const uint32_t result = counter_add_all(door, window(COUNTER_CLIENT_NUMBERS),
						COUNTER_CLIENT_COUNT, &sum);
	say("I lend a page of numbers", result, sum, (uint32_t)cycles() - begun);
}

int main(uint32_t task)
{
	console_slot = COUNTER_CLIENT_CONSOLE;
	screen_slot = COUNTER_CLIENT_SCREEN;
	if (task == COUNTER_CLIENT_ADDS)
		adds(slot(COUNTER_CLIENT_SERVICE));
	if (task == COUNTER_CLIENT_LENDS)
		lends(slot(COUNTER_CLIENT_SERVICE));
	return 0;
}
