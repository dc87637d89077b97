/* SPDX-License-Identifier: MIT */
/* The console (services/console) as a client of the base services, and what it may know. */
#include "console/console.h"
#include "keyboard/keyboard.h"
#include "pci/pci.h"
#include "root.h"
#include "serial/serial.h"

static struct domain console_domain;
static struct thread console_thread;
static struct console_board *board;

static void give_narrowed(uint32_t there, uint32_t from, uint32_t rights, uint32_t badge)
{
	uint32_t narrow = slot_take();
	MUST(kernel_narrow(slot(narrow), slot(from), rights, badge));
	domain_give(&console_domain, there, narrow);
	slot_give(narrow);
}
static void give_door(uint32_t there, struct domain *service, uint64_t badge)
{
	uint32_t door = domain_door(service, badge);
	domain_give(&console_domain, there, door);
	slot_give(door);
}

static void object_tell(struct console_object *at, uint32_t there, const char *name,
			struct object object)
{
	if (at->name[0] && at->index == object.frame)
		return;
	format(at->name, sizeof(at->name), "%s", name);
	at->index = object.frame;
	give_narrowed(there, object.slot, RIGHT_READ, 0);
}
static void object_untell(struct console_object *at, uint32_t there)
{
	if (at->name[0])
		MUST(kernel_delete_there(slot(console_domain.object.slot), slot(there)));
	at->name[0] = 0;
}

void console_tell(void)
{
	for (uint32_t i = 0; i < CONSOLE_DOMAINS_MAX; i++) {
		const struct domain *domain = domain_known(i);
		if (domain)
			object_tell(&board->domain[i], CONSOLE_DOMAINS + i, domain->name,
				    domain->object);
		else
			object_untell(&board->domain[i], CONSOLE_DOMAINS + i);
	}
	for (uint32_t i = 0; i < CONSOLE_THREADS_MAX; i++) {
		const struct thread *thread = thread_known(i);
		if (thread)
			object_tell(&board->thread[i], CONSOLE_THREADS + i, thread->name,
				    thread->object);
		else
			object_untell(&board->thread[i], CONSOLE_THREADS + i);
	}
	for (uint32_t i = 0; memory_slot && i < CONSOLE_HOLDERS_MAX; i++) {
		struct console_holder *holder = &board->holder[i];
		const char *name = "";
		holder_known(i, &name, &holder->limit, &holder->used);
		format(holder->name, sizeof(holder->name), "%s", name);
	}
	board->frames_free = memory_slot ? frames_free() : 0;
}

void console_screen(uint32_t screen)
{
	if (!screen)
		return;
	board->screen = board->screen == CONSOLE_SCREEN_0 ? CONSOLE_SCREEN_1 : CONSOLE_SCREEN_0;
	domain_give(&console_domain, board->screen, screen);
}

slot_t console_begin(_Bool is_alone)
{
	domain_make(&console_domain, "console", 0);
	domain_load(&console_domain, "console");
	thread_make(&console_thread, "console", &console_domain);
	board = domain_share(&console_domain, CONSOLE_BOARD);
	board->cycles_per_ms = boot_record->cycles_per_ms;
	board->is_alone = is_alone;
	give_door(CONSOLE_SERIAL, &serial_domain, SERIAL_MAY_WRITE | SERIAL_MAY_READ);
	if (keyboard_slot)
		give_door(CONSOLE_KEYBOARD, &keyboard_domain,
			  KEYBOARD_MAY_READ | KEYBOARD_MAY_RESET);
	if (pci_slot)
		give_door(CONSOLE_PCI, &pci_domain,
			  PCI_BADGE(PCI_ALL, PCI_MAY_READ, PCI_GENERATION_FIRST));
	if (memory_look_slot) {
		domain_give(&console_domain, CONSOLE_MEMORY, memory_look_slot);
		board->frames = 1u << memory_order;
	}
	give_narrowed(CONSOLE_AUTHORITY, ROOT_AUTHORITY, RIGHT_READ, 0);
	give_narrowed(CONSOLE_SELF, console_thread.object.slot, RIGHT_SIGNAL,
		      1u << CONSOLE_KEY | 1u << CONSOLE_LINE);
	give_narrowed(CONSOLE_STARTER, ROOT_THREAD, RIGHT_SIGNAL, CONSOLE_REQUESTS);
	console_screen(screen_slot);
	console_tell();
	thread_go(&console_thread, console_domain.entry, 0, 0);
	return slot(console_thread.object.slot);
}
