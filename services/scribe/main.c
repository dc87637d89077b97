/* SPDX-License-Identifier: MIT */
/* The scribe: see scribe.h. No capability of its own, no memory for a client. */
#include "scribe.h"
#include "serial/serial.h"

OPERATION static uint64_t scribe_do_nothing(uint32_t badge, uint32_t a, uint32_t b,
					    uint32_t badge_high)
{
	(void)badge;
	(void)a;
	(void)b;
	(void)badge_high;
	return ANSWER(0, 0);
}

/* With the client's door, on the client's thread and stack. */
static void say(uint32_t badge, uint32_t sum)
{
	uint32_t bytes =
		format(parameters(), 100,
		       "     scribe: client %u, the sum of what you lent me is %u\n", badge, sum);
	door_call(SLOT_LENT | OPTION_NESTED, SERIAL_WRITE, bytes, 0, NULL);
}

OPERATION static uint64_t scribe_do_sum(uint32_t badge, uint32_t count, uint32_t b,
					uint32_t badge_high)
{
	uint32_t sum = 0, value;
	(void)b;
	(void)badge_high;
	if (count > WINDOW_BYTES / sizeof(uint32_t))
		return ANSWER(SERVICE_BAD_ARGUMENT, 0);
	for (uint32_t i = 0; i < count; i++) {
		if (!try_load((const uint32_t *)WINDOW_0 + i, &value))
			return ANSWER(SERVICE_REVOKED, 0);
		sum += value;
	}
	if (!try_store((uint32_t *)WINDOW_1, sum))
		return ANSWER(SERVICE_REVOKED, 0);
	say(badge, sum);
	return ANSWER(0, sum);
}

SERVICE_OPERATIONS([SCRIBE_NOTHING] = scribe_do_nothing, [SCRIBE_SUM] = scribe_do_sum)

int main(void)
{
	return 0; /* never started: clients bring the thread */
}
