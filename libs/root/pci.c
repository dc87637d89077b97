/* SPDX-License-Identifier: MIT */
/* The PCI service, if the menu's entry brings it: its ports, what it hands out, and its beginning,
 * in which it finds the functions. */
#include "pci/pci.h"
#include "root.h"

/* Not those of fixed devices: timer, keyboard, cascade, serial ports, floppy, clock, mouse, FPU,
 * disks. */
#define LINES_OF_PCI (1u << 5 | 1u << 7 | 1u << 9 | 1u << 10 | 1u << 11)

struct domain pci_domain;
uint32_t pci_slot;

void pci_begin(void)
{
	struct thread thread;
	if (!module_find("pci"))
		return;
	domain_make(&pci_domain, "pci", 0);
	domain_load(&pci_domain, "pci");
	domain_ports(&pci_domain, (struct object){0}, 0xCF8, 0xCFF);
	uint32_t narrow = slot_take();
	MUST(kernel_narrow(slot(narrow), slot(pci_domain.object.slot), RIGHT_DOOR, 0));
	domain_give(&pci_domain, PCI_SLOT_DOMAIN, narrow);
	slot_give(narrow);
	domain_give(&pci_domain, PCI_SLOT_PORTS, ROOT_PORTS);
	for (uint32_t line = 0; line < IRQ_LINES; line++)
		if (LINES_OF_PCI & 1u << line)
			domain_give(&pci_domain, PCI_SLOT_LINE_0 + line, ROOT_IRQ_FIRST + line);
	thread_make(&thread, "pci", &pci_domain);
	thread_go(&thread, pci_domain.entry, 0, 0);
	if (thread_run(&thread) != DISPATCH_ENDED) {
		fault_report(&thread);
		root_fail("pci: it did not find out what there is", 0);
	}
	thread_end(&thread);
	pci_slot = domain_door(&pci_domain, PCI_BADGE(PCI_ALL, PCI_RIGHTS, 0));
}
