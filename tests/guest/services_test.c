/* SPDX-License-Identifier: MIT */
/*
 * What holds of the base services together: a thousand clients, all alive at once, change nothing
 * in any of them; and no operation needs more stack than a call is promised.
 */
#include "keyboard/keyboard.h"
#include "memory_world.h"
#include "pci_machine.h"
#include "vga_screen.h"

enum service { MEMORY, VGA, PCI, KEYBOARD, SERVICES };
static struct domain keyboard;
static struct object keyboard_bitmap;
static struct domain *const domains[SERVICES] = {&memory, &vga, &pci, &keyboard};
static const char *const names[SERVICES] = {"memory", "vga", "pci", "keyboard"};

static void services_begin(void)
{
	memory_make();
	screen_begin();
	machine_begin();
	keyboard_bitmap = keyboard_make(&keyboard);
	OK(memory_clean(slot(all), 0, MANAGED));
}
static void services_end(void)
{
	domain_end(&keyboard);
	bitmap_end(keyboard_bitmap);
	machine_finish();
	screen_end();
	memory_unmake();
}

/* ---- a thousand clients ---------------------------------------------------------------------- */
#define CLIENTS     1000u
#define FRAMES_EACH 4u            /* domain and directory, thread and data page */
#define DOOR(which) (1 + (which)) /* in their lists */

static struct {
	struct domain domain;
	struct thread thread;
} clients[CLIENTS];
static uint8_t stack[4096] __attribute__((aligned(16))); /* one of them runs at a time */
static volatile uint32_t answers[SERVICES];
static uint32_t digests[SERVICES];

/* Its own frame is used and clean again; its own cell; a function; and there is no key. */
static void calls_each(uint32_t number)
{
	uint32_t key, identity;
	uint16_t cell = 0;
	answers[MEMORY] = memory_become(slot(DOOR(MEMORY)), 0, 1, OBJECT_NONE);
	if (answers[MEMORY] == RETURN)
		answers[MEMORY] = memory_clean(slot(DOOR(MEMORY)), 0, 1);
	answers[VGA] = vga_fill(slot(DOOR(VGA)), VGA_AREA(0, 0, 1, 1), number);
	if (answers[VGA] == RETURN)
		answers[VGA] = vga_read(slot(DOOR(VGA)), VGA_AREA(0, 0, 1, 1), &cell);
	if (cell != number)
		answers[VGA] = number;
	answers[PCI] = pci_read(slot(DOOR(PCI)), CONFIG_IDENTITY, &identity);
	answers[KEYBOARD] = keyboard_read_byte(slot(DOOR(KEYBOARD)), &key);
}

/* All that a service could write into, but the lock page, where the last one's tag and log lie, and
 * the screen; and what is mapped there, but for the bits that the processor sets. */
static uint32_t mixed(uint32_t hash, const uint32_t *words, uint32_t mask)
{
	for (uint32_t i = 0; i < 1024; i++)
		hash = (hash ^ (words[i] & mask)) * 16777619u;
	return hash;
}
static uint32_t digest(const struct domain *domain)
{
	const uint32_t *directory = frame_pointer(domain->directory_frame);
	uint32_t hash = 2166136261u, pages = 0;
	for (uint32_t i = IMAGE_BASE >> 22; i < LINEAR_BASE >> 22; i++) {
		const uint32_t *table = frame_pointer(directory[i] >> 12);
		if (!directory[i])
			continue;
		hash = mixed(hash, table, ~0x60u);
		for (uint32_t page = 0; page < 1024; page++) {
			uint32_t frame = table[page] >> 12;
			if (!(table[page] & PAGE_WRITE) || frame == domain->lock.frame ||
			    frame_pointer(frame) == (void *)screen)
				continue;
			hash = mixed(hash, frame_pointer(frame), ~0u);
			pages++;
		}
	}
	CHECK(pages > 0);
	if (domain == &memory)
		for (uint32_t i = 0; i < MANAGED; i++)
			hash = (hash ^ descriptor_of(i)->key ^ descriptor_of(i)->count) * 16777619u;
	return hash;
}
static uint32_t slots_used(const struct domain *domain)
{
	uint32_t used = 0;
	struct words capability;
	for (uint32_t i = 1; i < LIST_SLOTS; i++) {
		MUST(kernel_domain_read(slot(domain->object.slot), slot(i), &capability));
		used += capability.w[0] != 0;
	}
	return used;
}

static void give_doors(struct domain *domain, uint32_t number)
{
	uint64_t badges[SERVICES] = {
		[MEMORY] = MEMORY_BADGE(first + number % MANAGED, 0, MEMORY_RIGHTS),
		[VGA] = VGA_AREA(number % 80, number / 80, 1, 1) | VGA_RIGHTS_CLIENT,
		[PCI] = PCI_BADGE(number % table_count(), PCI_MAY_READ, 0),
		[KEYBOARD] = KEYBOARD_MAY_READ};
	badges[PCI] |= (uint64_t)TABLE(number % table_count(), generation, uint32_t) << 32;
	for (uint32_t i = 0; i < SERVICES; i++) {
		uint32_t door = domain_door(domains[i], badges[i]);
		domain_give(domain, DOOR(i), door);
		slot_give(door);
	}
}
static void slot_forget(struct object *object)
{
	slot_give(object->slot); /* there are fewer slots than clients; it lives on */
	object->slot = 0;
}
static void client_calls_each(uint32_t number)
{
	extern void thread_begin(void);
	struct domain *domain = &clients[number].domain;
	struct thread *thread = &clients[number].thread;
	uint32_t *top = (uint32_t *)(stack + sizeof(stack)) - 4;
	struct dispatch_result result = {0};
	peer_make(domain, "one of a thousand");
	give_doors(domain, number);
	thread_make(thread, "one of a thousand", domain);
	top[0] = number;
	memset((void *)answers, 0, sizeof(answers));
	thread_go(thread, (uint32_t)thread_begin, (uint32_t)top, (uint32_t)calls_each);
	MUST(kernel_dispatch(slot(thread->object.slot), 0, DEADLINE_NEVER, 0, &result));
	CHECK_EQUAL(result.reason, DISPATCH_ENDED);
	for (uint32_t i = 0; i < KEYBOARD; i++)
		CHECK_EQUAL(answers[i], RETURN);
	CHECK_EQUAL(answers[KEYBOARD], RETURN + KEYBOARD_NOTHING);
	slot_forget(&domain->object);
	slot_forget(&thread->object);
	slot_forget(&thread->data[0]);
}

TEST(services_do_not_grow_by_a_thousand_clients_at_once)
{
	uint32_t used[SERVICES], free = frames_free();
	if (free < CLIENTS * FRAMES_EACH + 1000)
		return test_skip("there are too few frames for a thousand domains");
	services_begin();
	for (uint32_t i = 0; i < SERVICES; i++) {
		digests[i] = digest(domains[i]);
		used[i] = slots_used(domains[i]);
	}
	free = frames_free();
	for (uint32_t i = 0; i < CLIENTS; i++)
		client_calls_each(i);
	CHECK_EQUAL(frames_free(), free - CLIENTS * FRAMES_EACH); /* theirs, and no others */
	for (uint32_t i = 0; i < SERVICES; i++) {
		if (digest(domains[i]) != digests[i])
			test_note("%s has changed", names[i]);
		CHECK_EQUAL(digest(domains[i]), digests[i]);
		CHECK_EQUAL(slots_used(domains[i]), used[i]);
	}
	for (uint32_t i = 0; i < CLIENTS; i++) {
		clients[i].thread.object.slot = slot_take();
		clients[i].thread.data[0].slot = slot_take();
		clients[i].domain.object.slot = slot_take();
		thread_end(&clients[i].thread);
		domain_end(&clients[i].domain);
	}
	services_end();
}

/* ---- how deep -------------------------------------------------------------------------------- */
static struct client client;
static uint32_t deepest;

static void calls_keyboard(uint32_t operation)
{
	if (operation == keyboard_read_byte_op)
		CHECK_EQUAL(keyboard_read_byte(slot(held), NULL), RETURN + KEYBOARD_NOTHING);
	else if (operation == keyboard_bind_op) /* there is no thread in that slot */
		CHECK_EQUAL(keyboard_bind(slot(held), slot(spare), 1, NULL),
			    RETURN + KEYBOARD_NOT_BOUND);
	else if (operation == keyboard_acknowledge_op)
		OK(keyboard_acknowledge(slot(held)));
	else /* for want of the right */
		SAYS(KEYBOARD_NOT_ALLOWED, keyboard_reset_machine(slot(held)));
}
/* Those that pci_sweep_test.c does not measure. */
static void calls_pci(uint32_t operation)
{
	uint16_t some, more;
	uint32_t extent;
	if (operation == pci_count_op)
		OK(pci_count(slot(everything), &some, &more));
	else if (operation == pci_memory_op)
		pci_memory(slot(everything), PCI_PLACE(victim, 0), &extent);
}
static void stack_measure(const char *name, client_function *calls, uint32_t operation)
{
	client_make(&client, &root_domain, calls, operation);
	stack_paint(&client);
	client_run(&client);
	uint32_t bytes = stack_used(&client);
	client_end(&client);
	CHECK(bytes >= 8 && bytes < 1024);
	if (bytes > deepest)
		deepest = bytes;
	test_note("%s, operation %u: %u bytes of stack", name, operation, bytes);
}
TEST(services_stack_of_keyboard_and_pci_is_less_than_a_kib)
{
	services_begin();
	extent_forge(spare, 0, 0);
	uint32_t door = domain_door(&keyboard, KEYBOARD_MAY_READ);
	MUST(kernel_copy(slot(held), slot(door)));
	for (uint32_t operation = 0; operation <= keyboard_reset_machine_op; operation++)
		stack_measure("keyboard", calls_keyboard, operation);
	stack_measure("PCI", calls_pci, pci_count_op);
	stack_measure("PCI", calls_pci, pci_memory_op);
	CHECK(deepest > 32); /* what is painted is where they stand */
	slot_give(door);
	kernel_delete(slot(spare));
	services_end();
}
