/* SPDX-License-Identifier: MIT */
/*
 * Finding PCI functions. All buses are looked through: whoever set up the bridges is the firmware,
 * and what it left unnumbered stays unseen. Functions may answer with anything, so every loop has a
 * bound of its own and nothing read here is used as an index unchecked.
 */
#include "table.h"

#define BUSES        256u
#define DEVICES      32u
#define LIST_MAX     48u /* capabilities of four bytes each in what is the device's own */
#define PAGE_LOG2    12u
#define PORTS_OF_ISA 0x1000u /* devices without configuration space are below */
#define CLASS_BASE   24u
#define CLASS_SUB    16u
#define BRIDGE       0x06u
#define DISPLAY      0x03u
#define DISPLAY_OLD  0x0001u /* VGA before there were classes */
#define VGA          0x0300u
#define USB          0x0C03u

struct function pci_functions[PCI_FUNCTIONS_MAX];
uint32_t pci_function_count, pci_missed_count;
static const uint8_t bars_of_header[] = {PCI_BARS_MAX, 2, 1};
static uint8_t line_users[IRQ_LINES];

static uint32_t command_of(const struct function *function)
{
	return config_read(function->address | CONFIG_COMMAND) & COMMAND_BITS;
}

/* ---- BARs ------------------------------------------------------------------------------------ */

/* Which bits of a register can be written, at a moment when it decodes nothing. */
static uint32_t bar_mask(uint32_t address)
{
	uint32_t before = config_read(address), mask;
	config_write(address, ~0u);
	mask = config_read(address);
	config_write(address, before);
	return mask;
}

/* How many registers it took. */
static uint32_t bar_size(const struct function *function, struct pci_information *information,
			 uint32_t bar, uint32_t bars)
{
	uint32_t at = function->address | (CONFIG_BAR + 4 * bar), low = bar_mask(at);
	uint32_t type = information->bar[bar] = config_read(at);
	uint64_t mask = low & ~15u;
	if (!low)
		return 1;
	if (type & 1) {
		information->bar_flags[bar] = PCI_BAR_PORTS;
		mask = low & 0xFFFCu; /* some have the upper half wired to 0: a port has 16 bits */
	} else if ((type & 6) == 4) {
		if (bar + 1 == bars)
			return 1; /* no register for the upper half: broken */
		information->bar_flags[bar] = PCI_BAR_WIDE;
		information->bar[bar + 1] = config_read(at + 4);
		mask |= (uint64_t)bar_mask(at + 4) << 32;
	}
	if (mask)
		information->bar_log2[bar] = __builtin_ctzll(mask);
	uint64_t base = pci_bar_base(information, bar);
	if (!base || base == mask) /* all ones: what firmware writes where it finds no room */
		information->bar_flags[bar] |= PCI_BAR_UNSET;
	return information->bar_flags[bar] & PCI_BAR_WIDE ? 2 : 1;
}

static _Bool bar_has_place(const struct pci_information *information, uint32_t bar)
{
	return information->bar_log2[bar] && !(information->bar_flags[bar] & PCI_BAR_UNSET);
}

/* Nothing is decoded while registers hold all ones, and what was decoded is again afterwards. */
static void bars_size(struct function *function)
{
	struct pci_information *information = &function->information;
	uint32_t bars = information->header < 3 ? bars_of_header[information->header] : 0;
	uint32_t command = command_of(function);
	config_write(function->address | CONFIG_COMMAND,
		     command & ~(COMMAND_PORTS | COMMAND_MEMORY | COMMAND_MASTER));
	for (uint32_t bar = 0; bar < bars;)
		bar += bar_size(function, information, bar, bars);
	config_write(function->address | CONFIG_COMMAND, command);
}

/* A decoder may be switched on only if all it decodes has an address; and VGA's also decodes what
 * belongs to every VGA. */
static uint32_t command_bits(const struct pci_information *information)
{
	uint32_t bits = COMMAND_WRITABLE;
	uint32_t class = information->class >> CLASS_SUB;
	if (class == VGA || class == DISPLAY_OLD)
		return COMMAND_NO_INTERRUPT;
	for (uint32_t bar = 0; bar < PCI_BARS_MAX; bar++)
		if (information->bar_log2[bar] && !bar_has_place(information, bar))
			bits &= information->bar_flags[bar] & PCI_BAR_PORTS ? ~COMMAND_PORTS
									    : ~COMMAND_MEMORY;
	return bits;
}

/* ---- one function
 * ---------------------------------------------------------------------------------- */

static uint32_t express_find(const struct function *function)
{
	uint32_t status = config_read(function->address | CONFIG_COMMAND), offset;
	if (!(status & STATUS_HAS_LIST) || function->information.header > 1)
		return 0;
	offset = config_read(function->address | CONFIG_LIST) & 0xFC;
	for (uint32_t i = 0; i < LIST_MAX && offset >= CONFIG_SPECIFIC; i++) {
		uint32_t entry = config_read(function->address | offset);
		if ((entry & 0xFF) == LIST_EXPRESS && offset + EXPRESS_STATUS < CONFIG_END)
			return offset;
		offset = entry >> 8 & 0xFC;
	}
	return 0;
}

/*
 * Firmware leaves devices as bus masters: here only who has the right switches that on. Bridges
 * only pass on, so theirs is on. Displays and USB controllers keep what they have until the first
 * pci_revoke: some need it to show the screen, or to be the keyboard.
 */
static void master_set(const struct function *function)
{
	uint32_t class = function->information.class >> CLASS_SUB, command = command_of(function);
	if (function->information.header == 1)
		command |= COMMAND_MASTER;
	else if (!function->is_bridge && class >> 8 != DISPLAY && class != DISPLAY_OLD &&
		 class != USB)
		command &= ~COMMAND_MASTER;
	config_write(function->address | CONFIG_COMMAND, command);
}

static void function_read(struct function *function)
{
	struct pci_information *information = &function->information;
	uint32_t identity = config_read(function->address | CONFIG_IDENTITY);
	information->vendor = identity;
	information->device = identity >> 16;
	information->class = config_read(function->address | CONFIG_CLASS);
	information->header = config_read(function->address | CONFIG_CACHE) >> 16 & 0x7F;
	function->is_bridge =
		information->class >> CLASS_BASE == BRIDGE || information->header != 0;
	if (information->header)
		information->secondary = config_read(function->address | CONFIG_BUSES) >> 8;
	uint32_t line = config_read(function->address | CONFIG_LINE);
	information->pin = line >> 8;
	if (information->pin && (line & 0xFF) < IRQ_LINES)
		information->line = line;
	bars_size(function);
	function->express = express_find(function);
	function->command_bits = command_bits(information);
	function->generation = PCI_GENERATION_FIRST;
	master_set(function);
}

static void function_add(uint32_t bus, uint32_t device_function, uint32_t parent)
{
	struct function function = {.address = CONFIG_ADDRESS(bus, device_function)};
	function.information.bus = bus;
	function.information.device_function = device_function;
	function.information.parent = parent;
	function_read(&function);
	if (function.information.line)
		line_users[function.information.line]++;
	if (pci_function_count < PCI_FUNCTIONS_MAX)
		pci_functions[pci_function_count++] = function;
	else
		pci_missed_count++;
}

/* ---- all of them
 * ----------------------------------------------------------------------------------- */

static _Bool is_there(uint32_t address)
{
	uint32_t vendor = config_read(address | CONFIG_IDENTITY) & 0xFFFF;
	return vendor != 0xFFFF && vendor != 0;
}

static void device_find(uint32_t bus, uint32_t device, uint32_t parent)
{
	uint32_t first = CONFIG_ADDRESS(bus, device << 3);
	if (!is_there(first))
		return;
	uint32_t functions = config_read(first | CONFIG_CACHE) >> 16 & 0x80 ? 8 : 1;
	for (uint32_t i = 0; i < functions; i++)
		if (is_there(CONFIG_ADDRESS(bus, device << 3 | i)))
			function_add(bus, device << 3 | i, parent);
}

static uint32_t parent_of(uint32_t bus)
{
	for (uint32_t i = 0; i < pci_function_count; i++)
		if (pci_functions[i].information.header == 1 && bus &&
		    pci_functions[i].information.secondary == bus)
			return i;
	return PCI_NOBODY;
}

/* Behind a port of PCI Express there is one device, which may answer to every number. */
static uint32_t devices_on(uint32_t parent)
{
	if (parent == PCI_NOBODY || !pci_functions[parent].express)
		return DEVICES;
	const struct function *bridge = &pci_functions[parent];
	uint32_t type = config_read(bridge->address | bridge->express) >> 20 & 15;
	return type == 4 || type == 6 ? 1 : DEVICES; /* root port, downstream port of a switch */
}

/* The pages (or ports) of two BARs overlap. A page can't be handed out in part. */
static _Bool bars_overlap(const struct pci_information *a, uint32_t i,
			  const struct pci_information *b, uint32_t j)
{
	if (!bar_has_place(b, j) || ((a->bar_flags[i] ^ b->bar_flags[j]) & PCI_BAR_PORTS))
		return 0;
	uint32_t page = a->bar_flags[i] & PCI_BAR_PORTS ? 0 : PAGE_LOG2;
	uint64_t a_first = pci_bar_base(a, i), b_first = pci_bar_base(b, j);
	uint64_t a_last = (a_first + (1ull << a->bar_log2[i]) - 1) >> page;
	uint64_t b_last = (b_first + (1ull << b->bar_log2[j]) - 1) >> page;
	return a_first >> page <= b_last && b_first >> page <= a_last;
}

/* Is some of it another's? What has no number may have its part in every page. */
static _Bool bar_is_shared(const struct pci_information *a, uint32_t i)
{
	_Bool is_ports = a->bar_flags[i] & PCI_BAR_PORTS;
	if (is_ports && pci_bar_base(a, i) < PORTS_OF_ISA)
		return 1;
	if (pci_missed_count && !is_ports && 1ull << a->bar_log2[i] < PAGE_BYTES)
		return 1;
	for (uint32_t other = 0; other < pci_function_count; other++)
		for (uint32_t j = 0; j < PCI_BARS_MAX; j++) {
			const struct pci_information *b = &pci_functions[other].information;
			if (b != a && bars_overlap(a, i, b, j))
				return 1;
		}
	return 0;
}

static void sharing_find(void)
{
	for (uint32_t number = 0; number < pci_function_count; number++) {
		struct pci_information *information = &pci_functions[number].information;
		information->line_users = line_users[information->line];
		for (uint32_t bar = 0; bar < PCI_BARS_MAX; bar++)
			if (bar_has_place(information, bar) && bar_is_shared(information, bar))
				information->bar_flags[bar] |= PCI_BAR_SHARED;
	}
}

void pci_enumerate(void)
{
	memset(line_users, 0, sizeof(line_users));
	for (uint32_t bus = 0; bus < BUSES; bus++) {
		uint32_t parent = parent_of(bus), devices = devices_on(parent);
		for (uint32_t device = 0; device < devices; device++)
			device_find(bus, device, parent);
	}
	sharing_find();
}
