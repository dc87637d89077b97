/* SPDX-License-Identifier: MIT */
/* The counter service: `make bench`; alone: tools/run --entry bench --append only=counter. */
/* modules: counter */
#include "counter/counter.h"
#include "bench.h"
#include "root.h"

#define NUMBERS 0x02000000u /* a page that is lent, of zeros */

static void must(uint32_t result)
{
	if (result != RETURN)
		root_fail("a call of counter", DOOR_ERROR(result));
}

BENCHMARK(counter)
{
	static struct domain service;
	uint32_t result, sum;
	domain_make(&service, "counter", 0);
	domain_load(&service, "counter");
	domain_page(&root_domain, NUMBERS);
	const slot_t door =
		slot(domain_door(&service, COUNTER_BADGE(0, COUNTER_MAY_ADD | COUNTER_MAY_READ)));
	MEASURE("counter_add", , result = counter_add(door, 1, &sum), must(result));
	MEASURE("counter_read", , result = counter_read(door, &sum), must(result));
	MEASURE("counter_add_all_1024", ,
		result = counter_add_all(door, window(NUMBERS), 1024, &sum), must(result));
}
