/* SPDX-License-Identifier: MIT */
/* What the service knows of each function, and which bits of configuration space it lets change. */
#ifndef NOUS_PCI_TABLE_H
#define NOUS_PCI_TABLE_H

#include "pci.h"

/*
 * Invariants: written by pci_enumerate, before there is a door; afterwards only `generation`
 * changes, in sections, and grows. No badge has GENERATION_END, so that a function whose generation
 * has come there is nobody's.
 */
struct function {
	uint32_t address; /* of its register 0, as CF8 wants it */
	uint32_t generation;
	uint32_t command_bits; /* of the command register, which WRITE may change here */
	uint8_t express;       /* offset of the PCI Express capability, 0: none */
	_Bool is_bridge;       /* of any kind: nobody may change it, others are behind it */
	struct pci_information information;
};
extern struct function pci_functions[PCI_FUNCTIONS_MAX];
extern uint32_t pci_function_count, pci_missed_count;
#define GENERATION_END UINT32_MAX

/* Finds all functions, once: fills the table, sizes BARs, switches bus mastering off. */
void pci_enumerate(void);

/* Configuration space, by the address that CF8 wants. Not for sections, nor beside them. */
uint32_t config_read(uint32_t address);
void config_write(uint32_t address, uint32_t value);
#define CONFIG_ADDRESS(bus, device_function) (0x80000000u | (bus) << 16 | (device_function) << 8)

/* Configuration registers, by offset, and bits in them. */
enum config_register {
	CONFIG_IDENTITY = 0x00, /* vendor, device << 16 */
	CONFIG_COMMAND = 0x04,  /* and status << 16 */
	CONFIG_CLASS = 0x08,    /* and revision */
	CONFIG_CACHE = 0x0C,    /* cache line size, latency, header << 16, self-test */
	CONFIG_BAR = 0x10,      /* the first of six, of a bridge two */
	CONFIG_BUSES = 0x18,    /* of a bridge: primary, secondary << 8, subordinate << 16 */
	CONFIG_LIST = 0x34,     /* offset of the first capability */
	CONFIG_LINE = 0x3C,     /* and pin << 8 */
	CONFIG_SPECIFIC = 0x40, /* the device's own from here on */
	CONFIG_END = 0x100
};
#define COMMAND_PORTS        1u
#define COMMAND_MEMORY       2u
#define COMMAND_MASTER       4u
#define COMMAND_NO_INTERRUPT 0x400u
#define COMMAND_BITS         0xFFFFu
#define COMMAND_WRITABLE     (COMMAND_NO_INTERRUPT | COMMAND_PORTS | COMMAND_MEMORY)
#define STATUS_ERRORS        0xF9000000u /* cleared by writing 1 */
#define STATUS_HAS_LIST      0x100000u
#define LIST_EXPRESS         0x10u /* number of the PCI Express capability */
#define EXPRESS_STATUS       8u    /* its device control, and status << 16 */
#define EXPRESS_PENDING      0x200000u

/*
 * Which bits WRITE may change: those that no one but the function's holder can feel. Of the command
 * register these are further reduced to `command_bits`. Not among them: BARs and bus mastering, by
 * the rights; SERR# and parity, which stop the machine; latency, which is the bus's; all of the
 * device's own registers, since they may move what it decodes (chipsets), reset it and so its BARs
 * (power management), or let it write to memory (MSI).
 * `zero` are bits that act when 1 is written, so that a register is never written back as it reads.
 */
static const struct {
	uint32_t writable, zero;
} config_masks[CONFIG_SPECIFIC / 4] = {
	[CONFIG_COMMAND / 4] = {STATUS_ERRORS | COMMAND_WRITABLE, STATUS_ERRORS},
	[CONFIG_CACHE / 4] = {0xFF, 0xFF000000},
};

static inline uint32_t config_writable(const struct function *function, uint32_t offset)
{
	if (function->is_bridge || offset >= CONFIG_SPECIFIC)
		return 0;
	uint32_t writable = config_masks[offset / 4].writable;
	return offset == CONFIG_COMMAND ? writable & (function->command_bits | ~COMMAND_BITS)
					: writable;
}

/* How often pci_revoke looks whether a device has ended its transactions. A look is two accesses to
 * ports, of about a microsecond each on a PC, and after 50 ms a device must have given up. */
#define PCI_POLLS 50000u

#endif
