/* SPDX-License-Identifier: MIT */
/* A PCI service of the tests' own, on the real bus, and a way around it to see what it did there.
 */
#ifndef NOUS_PCI_MACHINE_H
#define NOUS_PCI_MACHINE_H

#include "pci/table.h"
#include "test.h"

extern struct domain pci;
extern uint32_t everything, held; /* slots: all functions with all rights; an empty one */
extern uint32_t victim;           /* number of a function that is not needed: a disk controller */
void machine_begin(void);
void machine_finish(void);

/* A door to it with any badge (PCI_BADGE), in a fresh slot. */
uint32_t function_door(uint32_t function, uint32_t rights, uint32_t generation);
/* A door with a rights to one function in slot `to`, as a manager gets it. */
void hand_out(uint32_t function, uint32_t rights, uint32_t to);

/* Its table, in the linear map: in two pages, so an entry must not be read as a whole. */
uint32_t table_count(void);
volatile uint8_t *table_byte(uint32_t function, uint32_t offset);
#define TABLE(number, field, type) \
	(*(volatile type *)table_byte(number, offsetof(struct function, field)))

/* Registers as the tests themselves see and set them; who stands between CF8 and CFC feels nothing.
 */
uint32_t peek(uint32_t function, uint32_t offset);
void poke(uint32_t function, uint32_t offset, uint32_t value);
uint32_t peek_at(uint32_t address);
/* All registers of all functions; whether they are still the same. */
void registers_note(void);
_Bool registers_are_as_noted(void);

#endif
