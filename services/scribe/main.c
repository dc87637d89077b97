/* SPDX-License-Identifier: MIT */
/* The scribe: see scribe.h. No capability of its own, no memory for a client. */
#include "scribe.server.h"
#include "serial/serial.h"

uint32_t scribe_do_nothing(struct badge badge)
{
	return 0;
}

/* With the client's door, on the client's thread and stack. */
static void say(slot_t serial, uint32_t badge, uint32_t sum)
{
	char line[100];
	uint32_t bytes =
		format(line, sizeof(line),
		       "     scribe: client %u, the sum of what you lent me is %u\n", badge, sum);
	serial_write(nested(serial), bytes, line);
}

uint32_t scribe_do_sum(struct badge badge, uint32_t count, lend_t serial, window_t numbers,
		       window_t result, uint32_t *sum)
{
	const uint32_t *number = (const uint32_t *)numbers.address;
	uint32_t total = 0, value;
	if (count > WINDOW_BYTES / sizeof(uint32_t))
		return SERVICE_BAD_ARGUMENT;
	for (uint32_t i = 0; i < count; i++) {
		if (!try_load(number + i, &value))
			return SERVICE_REVOKED;
		total += value;
	}
	if (!try_store((uint32_t *)result.address, total))
		return SERVICE_REVOKED;
	say(serial, badge.low, total);
	*sum = total;
	return 0;
}

int main(void)
{
	return 0; /* never started: clients bring the thread */
}
