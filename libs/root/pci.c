/* SPDX-License-Identifier: MIT */
/* The PCI service, if the menu's entry brings it. */
#include "pci/pci.h"
#include "root.h"

/* Not those of fixed devices: timer, keyboard, cascade, serial ports, floppy, clock, mouse, FPU,
 * disks. */
#define LINES_OF_PCI (1u << 5 | 1u << 7 | 1u << 9 | 1u << 10 | 1u << 11)

struct domain pci_domain;
uint32_t pci_slot;

struct object pci_make(struct domain *domain)
{
	domain_make(domain, "pci", 0);
	domain_load(domain, "pci");
	struct object bitmap = domain_ports(domain, (struct object){0}, 0xCF8, 0xCFF);
	uint32_t narrow = slot_take();
	MUST(kernel_narrow(slot(narrow), slot(domain->object.slot), RIGHT_DOOR, 0));
	domain_give(domain, PCI_SLOT_DOMAIN, narrow);
	slot_give(narrow);
	domain_give(domain, PCI_SLOT_PORTS, ROOT_PORTS);
	for (uint32_t line = 0; line < IRQ_LINES; line++)
		if (LINES_OF_PCI & 1u << line)
			domain_give(domain, PCI_SLOT_LINE_0 + line, ROOT_IRQ_FIRST + line);
	domain_run(domain);
	return bitmap;
}

void pci_begin(void)
{
	if (!module_find("pci"))
		return;
	pci_make(&pci_domain);
	pci_slot = domain_door(&pci_domain, PCI_BADGE(PCI_ALL, PCI_RIGHTS, 0));
}
