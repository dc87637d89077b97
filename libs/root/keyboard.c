/* SPDX-License-Identifier: MIT */
/* The keyboard service, if the menu's entry brings it. */
#include "keyboard/keyboard.h"
#include "root.h"

struct domain keyboard_domain;
uint32_t keyboard_slot;

struct object keyboard_make(struct domain *domain)
{
	domain_make(domain, "keyboard", 0);
	domain_load(domain, "keyboard");
	struct object bitmap =
		domain_ports(domain, (struct object){0}, KEYBOARD_DATA, KEYBOARD_DATA);
	domain_ports(domain, bitmap, KEYBOARD_STATUS, KEYBOARD_STATUS);
	domain_give(domain, KEYBOARD_SLOT_LINE, ROOT_IRQ_FIRST + KEYBOARD_LINE);
	domain_run(domain);
	return bitmap;
}

void keyboard_begin(void)
{
	if (!module_find("keyboard"))
		return;
	keyboard_make(&keyboard_domain);
	keyboard_slot = domain_door(&keyboard_domain, KEYBOARD_MAY_READ | KEYBOARD_MAY_RESET);
}
