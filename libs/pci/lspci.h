/* SPDX-License-Identifier: MIT */
/* A list of the PCI functions, as text. */
#ifndef NOUS_LSPCI_H
#define NOUS_LSPCI_H

#include "kernel.h"

/*
 * Prints a line for each function, and one for each of its BARs. `door`: to all functions, with
 * PCI_MAY_READ. RETURN, or what a call of the service gave. Overwrites the data page's
 * lower half.
 */
uint32_t pci_print(slot_t door);

/* What a function is, by its class (class 31..24, subclass 23..16). */
const char *pci_class_name(uint32_t class);

#endif
