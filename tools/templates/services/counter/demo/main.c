/* SPDX-License-Identifier: MIT */
/*
 * The root program of `make run DEMO=counter`: it makes two domains, of the service and of a
 * client, gives the client a door, and runs the client's thread.
 */
/* modules: serial vga memory quota counter counter-client */
#include "counter/client/client.h"
#include "counter/counter.h"
#include "memory_space.h"
#include "root.h"

#define RIGHTS (COUNTER_MAY_ADD | COUNTER_MAY_READ)

static struct domain service, client;
static struct thread thread;

static void service_make(void)
{
	domain_make(&service, "counter", 0);
	domain_load(&service, "counter");
}

/* Its program, a page with the numbers 1 to 1,024, and capabilities: what it can say and call. */
static void client_make(void)
{
	static uint32_t numbers[COUNTER_CLIENT_COUNT];
	for (uint32_t i = 0; i < COUNTER_CLIENT_COUNT; i++)
		numbers[i] = i + 1;
	domain_make(&client, "client", 0);
	domain_load(&client, "counter-client");
	domain_fill(&client, COUNTER_CLIENT_NUMBERS, numbers, sizeof(numbers));
	domain_give(&client, COUNTER_CLIENT_CONSOLE, console_slot);
	if (screen_slot)
		domain_give(&client, COUNTER_CLIENT_SCREEN, screen_slot);
	const uint32_t door = domain_door(&service, COUNTER_BADGE(3, RIGHTS));
	domain_give(&client, COUNTER_CLIENT_SERVICE, door);
	slot_give(door);
	thread_make(&thread, "client", &client);
}

static void client_go(enum counter_client_task task)
{
	thread_go(&thread, client.entry, 0, task);
}

/* Through a door of our own to the same sum. */
static uint32_t sum_read(void)
{
	const uint32_t door = domain_door(&service, COUNTER_BADGE(3, COUNTER_MAY_READ));
	uint32_t sum = 0;
	const uint32_t result = counter_read(slot(door), &sum);
	if (result != RETURN)
		root_fail("the sum can't be read", DOOR_ERROR(result));
	slot_give(door);
	return sum;
}

int main(void)
{
	root_begin();
	root_hand_over();
	service_make();
	client_make();

	print("\nA client calls: its thread walks into the service.\n");
	client_go(COUNTER_CLIENT_ADDS);
	thread_run(&thread);

	print("\nIt lends memory: the service reads it where it is.\n");
	client_go(COUNTER_CLIENT_LENDS);
	thread_run(&thread);
	const uint32_t before = sum_read();

	print("\nThe same, but the page is taken away while the service reads it.\n");
	client_go(COUNTER_CLIENT_LENDS);
	thread_run_into(&thread, &service, 500);
	MUST(DOOR_ERROR(space_unmap(&client.child->space, COUNTER_CLIENT_NUMBERS, 1)));
	print("root: after 500 instructions of the service I take the page away\n");
	thread_run(&thread);
	const uint32_t after = sum_read();
	print("root: the sum was %u, and is %u\n", before, after);
	machine_end(before == 5 + 7 + 1024 * 1025 / 2 && after == before);
}
