/* SPDX-License-Identifier: MIT */
#include "pci_machine.h"
#include "elf/elf.h"

#define ADDRESS_PORT 0xCF8u
#define DATA_PORT    0xCFCu
#define STORAGE      0x01u

/* TABLE reads words: none of them lies in two pages. */
_Static_assert(sizeof(struct function) % 4 == 0, "the table's address is a multiple of 4");

struct domain pci;
uint32_t everything, held, victim;
static struct object bitmap;
static uint32_t noted[PCI_FUNCTIONS_MAX][CONFIG_END / 4];

static inline void out(uint16_t port, uint32_t value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
static inline uint32_t in(uint16_t port)
{
	uint32_t value;
	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

uint32_t peek_at(uint32_t address)
{
	uint32_t before = in(ADDRESS_PORT);
	out(ADDRESS_PORT, address);
	uint32_t value = in(DATA_PORT);
	out(ADDRESS_PORT, before);
	return value;
}
uint32_t peek(uint32_t function, uint32_t offset)
{
	return peek_at(TABLE(function, address, uint32_t) | offset);
}
void poke(uint32_t function, uint32_t offset, uint32_t value)
{
	uint32_t before = in(ADDRESS_PORT);
	out(ADDRESS_PORT, TABLE(function, address, uint32_t) | offset);
	out(DATA_PORT, value);
	out(ADDRESS_PORT, before);
}

static volatile uint8_t *byte_in_service(uint32_t address)
{
	const uint32_t *table = frame_pointer(domain_table(&pci, address));
	return (uint8_t *)frame_pointer(table[address >> 12 & 1023] >> 12) +
	       (address & (PAGE_BYTES - 1));
}
static uint32_t symbol(const char *name)
{
	return elf_symbol_named(pci.file, pci.file_bytes, name);
}
uint32_t table_count(void)
{
	return *(volatile uint32_t *)byte_in_service(symbol("pci_function_count"));
}
volatile uint8_t *table_byte(uint32_t function, uint32_t offset)
{
	static uint32_t table;
	if (!table)
		table = symbol("pci_functions");
	return byte_in_service(table + function * sizeof(struct function) + offset);
}

uint32_t function_door(uint32_t function, uint32_t rights, uint32_t generation)
{
	return domain_door(&pci, PCI_BADGE(function, rights, generation));
}
void hand_out(uint32_t function, uint32_t rights, uint32_t to)
{
	CHECK_EQUAL(pci_split(slot(everything), PCI_PLACE(function, rights), slot(to)), RETURN);
}

void registers_note(void)
{
	for (uint32_t i = 0; i < table_count(); i++)
		for (uint32_t at = 0; at < CONFIG_END; at += 4)
			noted[i][at / 4] = peek(i, at);
}
_Bool registers_are_as_noted(void)
{
	for (uint32_t i = 0; i < table_count(); i++)
		for (uint32_t at = 0; at < CONFIG_END; at += 4)
			if (noted[i][at / 4] != peek(i, at)) {
				test_note("function %u, register %02x: %08x, was %08x", i, at,
					  peek(i, at), noted[i][at / 4]);
				return 0;
			}
	return 1;
}

void machine_begin(void)
{
	domain_ports(&root_domain, root_bitmap, ADDRESS_PORT, DATA_PORT + 3);
	bitmap = pci_make(&pci);
	everything = function_door(PCI_ALL, PCI_RIGHTS, 0);
	held = slot_take();
	for (victim = 0; victim < table_count(); victim++)
		if (TABLE(victim, information.class, uint32_t) >> 24 == STORAGE)
			break;
	CHECK(victim < table_count()); /* every machine here has one */
	registers_note();
}

void machine_finish(void)
{
	slot_give(held);
	slot_give(everything);
	domain_end(&pci);
	bitmap_end(bitmap);
	MUST(kernel_bitmap_deny(slot(root_bitmap.slot), ADDRESS_PORT, 8));
}
