// sources: tests/host/machine/tap.c services/pci/enumerate.c
/* SPDX-License-Identifier: MIT */
/*
 * Enumeration on a configuration space that is simulated: registers with bits that can be written,
 * bits that are cleared by writing 1, and a watch that nothing is done which would hurt a machine.
 */
#include "machine/tap.h"
#include "pci/table.h"

#define DEVICES_MAX 400u
#define REGISTERS   64u
#define AT(offset)  ((offset) / 4)

struct device {
	uint8_t bus, device_function;
	uint16_t everywhere; /* answers to every device number of its bus */
	uint32_t reg[REGISTERS], writable[REGISTERS], clears[REGISTERS];
};
static struct device devices[DEVICES_MAX], before[DEVICES_MAX];
static uint32_t device_count, read_count;
static const char *harm;

static void reset(void)
{
	memset(devices, 0, sizeof(devices));
	memset(pci_functions, 0, sizeof(pci_functions));
	device_count = pci_function_count = pci_missed_count = read_count = 0;
	harm = NULL;
}

static struct device *device_at(uint32_t address)
{
	uint32_t bus = address >> 16 & 0xFF, device_function = address >> 8 & 0xFF;
	if (address >> 24 != 0x80 || address & 3)
		harm = "an address that is none";
	for (uint32_t i = 0; i < device_count; i++)
		if (devices[i].bus == bus && (devices[i].device_function == device_function ||
					      (devices[i].everywhere && !(device_function & 7))))
			return &devices[i];
	return NULL;
}

uint32_t config_read(uint32_t address)
{
	const struct device *device = device_at(address);
	read_count++;
	return device ? device->reg[AT(address & 0xFF)] : ~0u;
}

void config_write(uint32_t address, uint32_t value)
{
	struct device *device = device_at(address);
	uint32_t offset = address & 0xFF;
	if (!device)
		return;
	uint32_t *reg = &device->reg[AT(offset)], writable = device->writable[AT(offset)];
	if (offset == CONFIG_COMMAND && value >> 16)
		harm = "status bits were cleared";
	if (offset != CONFIG_COMMAND && (offset < CONFIG_BAR || offset >= CONFIG_BAR + 24))
		harm = "a register that is none of its business";
	if (offset != CONFIG_COMMAND &&
	    device->reg[AT(CONFIG_COMMAND)] & device->writable[AT(CONFIG_COMMAND)] & 7)
		harm = "a BAR was moved while it decoded";
	*reg = (*reg & ~writable) | (value & writable);
	*reg &= ~(value & device->clears[AT(offset)]);
}

/* A device of header type 0 that decodes nothing, at bus, device, function. */
static struct device *add(uint32_t bus, uint32_t device, uint32_t function, uint32_t class)
{
	struct device *at = &devices[device_count++];
	at->bus = bus;
	at->device_function = device << 3 | function;
	at->reg[AT(CONFIG_IDENTITY)] = 0x12340000u + 0x8086 + (device_count << 16);
	at->reg[AT(CONFIG_CLASS)] = class << 16;
	at->reg[AT(CONFIG_COMMAND)] = 0xA2900007; /* errors noted: they must stay */
	at->writable[AT(CONFIG_COMMAND)] = 0x0547;
	at->clears[AT(CONFIG_COMMAND)] = STATUS_ERRORS;
	at->writable[AT(CONFIG_LINE)] = 0xFF;
	return at;
}
#define ETHERNET    0x0200u
#define HOST_BRIDGE 0x0600u
#define ISA_BRIDGE  0x0601u
#define PCI_BRIDGE  0x0604u
#define VGA_CLASS   0x0300u
#define USB_CLASS   0x0C03u

static void is_multifunction(struct device *device)
{
	device->reg[AT(CONFIG_CACHE)] |= 0x800000;
}
static struct device *add_bridge(uint32_t bus, uint32_t device, uint32_t secondary)
{
	struct device *bridge = add(bus, device, 0, PCI_BRIDGE);
	bridge->reg[AT(CONFIG_CACHE)] = 0x10000;
	bridge->reg[AT(CONFIG_BUSES)] = 0xFF0000 | secondary << 8 | bus;
	bridge->reg[AT(CONFIG_COMMAND)] &= ~COMMAND_MASTER;
	return bridge;
}
static void has_list(struct device *device, uint32_t offset, uint32_t entry)
{
	device->reg[AT(CONFIG_COMMAND)] |= STATUS_HAS_LIST;
	if (!device->reg[AT(CONFIG_LIST)])
		device->reg[AT(CONFIG_LIST)] = offset;
	device->reg[AT(offset)] = entry;
}
/* A BAR as the firmware left it: base with type bits, and how large. */
static void has_bar(struct device *device, uint32_t bar, uint32_t value, uint32_t bytes)
{
	device->reg[AT(CONFIG_BAR) + bar] = value;
	device->writable[AT(CONFIG_BAR) + bar] = -bytes;
}
static void has_line(struct device *device, uint32_t line)
{
	device->reg[AT(CONFIG_LINE)] = 0x100 | line;
}

/* Afterwards everything is as it was, but for the bit of bus mastering. */
static void enumerate(void)
{
	memcpy(before, devices, sizeof(devices));
	pci_enumerate();
	if (harm)
		test_note("%s", harm);
	CHECK(!harm);
	for (uint32_t i = 0; i < device_count; i++) {
		before[i].reg[AT(CONFIG_COMMAND)] &= ~COMMAND_MASTER;
		uint32_t command = devices[i].reg[AT(CONFIG_COMMAND)];
		devices[i].reg[AT(CONFIG_COMMAND)] &= ~COMMAND_MASTER;
		CHECK(!memcmp(&devices[i], &before[i], sizeof(devices[i])));
		devices[i].reg[AT(CONFIG_COMMAND)] = command;
	}
}
static bool is_master(const struct device *device)
{
	return device->reg[AT(CONFIG_COMMAND)] & COMMAND_MASTER;
}
static const struct pci_information *only(void)
{
	enumerate();
	CHECK_EQUAL(pci_function_count, 1);
	return &pci_functions[0].information;
}

TEST(machine_without_pci_has_no_functions)
{
	reset();
	enumerate();
	CHECK_EQUAL(pci_function_count, 0);
	CHECK_EQUAL(pci_missed_count, 0);
	CHECK(read_count >= 256 * 32);
}

TEST(function_is_described)
{
	reset();
	struct device *device = add(3, 5, 0, ETHERNET);
	device->reg[AT(CONFIG_IDENTITY)] = 0x100E8086;
	device->reg[AT(CONFIG_CLASS)] = 0x02000103;
	device->reg[AT(CONFIG_LINE)] = 0x0000020B;
	const struct pci_information *found = only();
	CHECK_EQUAL(pci_functions[0].address, 0x80032800);
	CHECK_EQUAL(pci_functions[0].generation, 1);
	CHECK_EQUAL(found->vendor, 0x8086);
	CHECK_EQUAL(found->device, 0x100E);
	CHECK_EQUAL(found->class, 0x02000103);
	CHECK_EQUAL(found->bus, 3);
	CHECK_EQUAL(found->device_function, 5 << 3);
	CHECK_EQUAL(found->header, 0);
	CHECK_EQUAL(found->parent, PCI_NOBODY);
	CHECK_EQUAL(found->line, 11);
	CHECK_EQUAL(found->pin, 2);
	CHECK_EQUAL(found->line_users, 1);
}

TEST(functions_1_to_7_are_looked_for_if_function_0_says_so)
{
	for (uint32_t many = 0; many < 2; many++) {
		reset();
		struct device *first = add(0, 2, 0, ETHERNET);
		add(0, 2, 3, ETHERNET);
		add(0, 2, 7, ETHERNET);
		add(0, 4, 1, ETHERNET); /* without a function 0: not there */
		if (many)
			is_multifunction(first);
		enumerate();
		CHECK_EQUAL(pci_function_count, many ? 3 : 1);
		if (many)
			CHECK_EQUAL(pci_functions[2].information.device_function, 2 << 3 | 7);
		CHECK_EQUAL(pci_functions[0].information.header, 0);
	}
}

TEST(bridges_lead_to_their_buses)
{
	reset();
	add(0, 0, 0, HOST_BRIDGE);
	struct device *bridge = add_bridge(0, 3, 1), *below = add_bridge(1, 0, 2);
	add(2, 31, 0, ETHERNET);
	add(7, 0, 0, ETHERNET); /* of another host bridge */
	enumerate();
	CHECK_EQUAL(pci_function_count, 5);
	CHECK_EQUAL(pci_functions[1].information.secondary, 1);
	CHECK_EQUAL(pci_functions[2].information.parent, 1);
	CHECK_EQUAL(pci_functions[3].information.parent, 2);
	CHECK_EQUAL(pci_functions[3].information.bus, 2);
	CHECK_EQUAL(pci_functions[4].information.parent, PCI_NOBODY);
	CHECK(is_master(bridge) && is_master(below));
	CHECK(pci_functions[1].is_bridge && pci_functions[0].is_bridge);
	CHECK(!pci_functions[3].is_bridge);
}

TEST(device_behind_an_express_port_that_answers_everywhere_is_one)
{
	for (uint32_t type = 0; type < 16; type++) {
		reset();
		struct device *port = add_bridge(0, 1, 1);
		has_list(port, 0x80, 0x10 | type << 20);
		add(1, 0, 0, ETHERNET)->everywhere = true;
		enumerate();
		CHECK_EQUAL(pci_function_count, type == 4 || type == 6 ? 2 : 33);
	}
}

TEST(memory_bars_have_their_sizes)
{
	reset();
	struct device *device = add(0, 1, 0, ETHERNET);
	has_bar(device, 0, 0xF0000000, 0x1000000);
	has_bar(device, 1, 0xF1000008, 0x1000); /* prefetchable */
	has_bar(device, 2, 0xC000000C, 0x10000000);
	has_bar(device, 3, 0x00000012, 1);  /* ... whose upper half this is */
	has_bar(device, 4, 0xF1001002, 16); /* below 1 MiB, said an old type */
	const struct pci_information *found = only();
	static const uint8_t log2[PCI_BARS_MAX] = {24, 12, 28, 0, 4, 0};
	CHECK(!memcmp(found->bar_log2, log2, sizeof(log2)));
	CHECK_EQUAL(pci_bar_base(found, 0), 0xF0000000);
	CHECK_EQUAL(pci_bar_base(found, 1), 0xF1000000);
	CHECK_EQUAL(pci_bar_base(found, 2), 0x12C0000000);
	CHECK_EQUAL(pci_bar_base(found, 4), 0xF1001000);
	CHECK_EQUAL(found->bar_flags[0] | found->bar_flags[1] | found->bar_flags[4], 0);
	CHECK_EQUAL(found->bar_flags[2], PCI_BAR_WIDE);
}

TEST(wide_bars_of_4_gib_and_more_have_their_sizes)
{
	reset();
	struct device *device = add(0, 1, 0, ETHERNET);
	has_bar(device, 0, 0x00000004, 0); /* 16 GiB: nothing of the lower half can be written */
	has_bar(device, 1, 0x40, 4);
	has_bar(device, 4, 0x0000000C, 0);
	has_bar(device, 5, 0x00000040, 0x40);
	const struct pci_information *found = only();
	CHECK_EQUAL(found->bar_log2[0], 34);
	CHECK_EQUAL(pci_bar_base(found, 0), 0x4000000000);
	CHECK_EQUAL(found->bar_log2[4], 38);
	CHECK_EQUAL(found->bar_log2[1] | found->bar_log2[5], 0);
}

TEST(port_bars_have_their_sizes)
{
	reset();
	struct device *device = add(0, 1, 0, ETHERNET);
	has_bar(device, 0, 0xC001, 0x20);
	has_bar(device, 1, 0xD001, 4);
	device->writable[AT(CONFIG_BAR) + 1] = 0xFFFC; /* upper half wired to 0 */
	const struct pci_information *found = only();
	CHECK_EQUAL(found->bar_log2[0], 5);
	CHECK_EQUAL(found->bar_log2[1], 2);
	CHECK_EQUAL(found->bar_flags[0], PCI_BAR_PORTS);
	CHECK_EQUAL(found->bar_flags[1], PCI_BAR_PORTS);
	CHECK_EQUAL(pci_bar_base(found, 0), 0xC000);
}

TEST(bars_without_an_address_and_broken_ones_are_not_handed_out)
{
	reset();
	struct device *device = add(0, 1, 0, ETHERNET);
	has_bar(device, 0, 0, 0x1000);
	has_bar(device, 1, 1, 0x20);
	has_bar(device, 2, 0xFFFFF000, 0x1000);
	device->reg[AT(CONFIG_BAR) + 3] = 0xFEB00000; /* wired: no size */
	has_bar(device, 5, 0xE0000004, 0x1000);       /* wide, and nothing behind it */
	const struct pci_information *found = only();
	CHECK_EQUAL(found->bar_flags[0], PCI_BAR_UNSET);
	CHECK_EQUAL(found->bar_flags[1], PCI_BAR_UNSET | PCI_BAR_PORTS);
	CHECK_EQUAL(found->bar_flags[2], PCI_BAR_UNSET);
	CHECK_EQUAL(found->bar_log2[4], 0);
	CHECK_EQUAL(found->bar_log2[5], 0);
	CHECK_EQUAL(found->bar[5], 0xE0000004);
	/* what has no address may not be decoded */
	CHECK_EQUAL(pci_functions[0].command_bits, COMMAND_NO_INTERRUPT);
}

TEST(only_bars_of_a_header_are_sized)
{
	reset();
	struct device *bridge = add_bridge(0, 3, 1), *strange = add(0, 4, 0, ETHERNET);
	for (uint32_t bar = 0; bar < PCI_BARS_MAX; bar++) {
		has_bar(bridge, bar, 0xE0000000 + bar * 0x1000, 0x1000);
		has_bar(strange, bar, 0xE0100000 + bar * 0x1000, 0x1000);
	}
	bridge->reg[AT(CONFIG_BUSES)] = 0x010100;
	strange->reg[AT(CONFIG_CACHE)] = 0x30000;
	enumerate();
	CHECK_EQUAL(pci_functions[0].information.bar_log2[1], 12);
	CHECK_EQUAL(pci_functions[0].information.bar_log2[2], 0);
	CHECK_EQUAL(pci_functions[1].information.bar_log2[0], 0);
	CHECK(pci_functions[1].is_bridge); /* nobody knows what it is */
}

static uint32_t flags_of(uint32_t number)
{
	return pci_functions[number].information.bar_flags[0];
}
TEST(pages_ports_and_lines_that_several_have_are_marked)
{
	reset();
	has_bar(add(0, 1, 0, ETHERNET), 0, 0xE0000000, 0x100);
	has_bar(add(0, 2, 0, ETHERNET), 0, 0xE0000F00, 0x100); /* in the same page */
	has_bar(add(0, 3, 0, ETHERNET), 0, 0xE0001000, 0x100); /* in the next */
	has_bar(add(0, 4, 0, ETHERNET), 0, 0xD000001, 0x20);
	devices[3].reg[AT(CONFIG_BAR)] = 0xD001;
	has_bar(add(0, 5, 0, ETHERNET), 0, 0xD021, 0x20); /* behind it */
	has_bar(add(0, 6, 0, ETHERNET), 0, 0xD039, 0x8);  /* in it */
	has_bar(add(0, 7, 0, ETHERNET), 0, 0x0FE1, 0x20); /* where ISA's devices may be */
	has_bar(add(0, 8, 0, ETHERNET), 0, 0xE0008000, 0x2000);
	has_bar(add(0, 9, 0, ETHERNET), 0, 0xE0009000, 0x1000); /* firmware gone wrong */
	has_bar(&devices[0], 1, 0xE0000100, 0x100); /* its own other BAR shares nothing new */
	has_bar(&devices[2], 1, 0xE0001800, 0x100);
	has_line(&devices[0], 9);
	has_line(&devices[1], 9);
	has_line(&devices[2], 10);
	has_line(&devices[3], 0xFF);
	has_line(&devices[4], 16);
	devices[5].reg[AT(CONFIG_LINE)] = 9; /* no pin: it uses none */
	enumerate();
	CHECK_EQUAL(flags_of(0), PCI_BAR_SHARED);
	CHECK_EQUAL(flags_of(1), PCI_BAR_SHARED);
	CHECK_EQUAL(flags_of(2), 0);
	CHECK_EQUAL(flags_of(3), PCI_BAR_PORTS);
	CHECK_EQUAL(flags_of(4), PCI_BAR_PORTS | PCI_BAR_SHARED);
	CHECK_EQUAL(flags_of(5), PCI_BAR_PORTS | PCI_BAR_SHARED);
	CHECK_EQUAL(flags_of(6), PCI_BAR_PORTS | PCI_BAR_SHARED);
	CHECK_EQUAL(flags_of(7), PCI_BAR_SHARED);
	CHECK_EQUAL(flags_of(8), PCI_BAR_SHARED);
	static const uint8_t line[] = {9, 9, 10, 0, 0, 0}, users[] = {2, 2, 1, 0, 0, 0};
	for (uint32_t i = 0; i < 6; i++) {
		CHECK_EQUAL(pci_functions[i].information.line, line[i]);
		CHECK_EQUAL(pci_functions[i].information.line_users, users[i]);
	}
}

TEST(bus_mastering_is_off_but_where_the_machine_may_need_it)
{
	reset();
	add(0, 0, 0, HOST_BRIDGE);
	add(0, 1, 0, ISA_BRIDGE);
	add(0, 2, 0, VGA_CLASS);
	add(0, 3, 0, USB_CLASS);
	add(0, 4, 0, ETHERNET);
	add(0, 5, 0, 0x0101);
	add(0, 6, 0, 0x0C00); /* FireWire */
	enumerate();
	for (uint32_t i = 0; i < 7; i++)
		CHECK_EQUAL(is_master(&devices[i]), i < 4);
}

TEST(functions_beyond_the_table_are_counted_and_are_no_masters)
{
	reset();
	for (uint32_t i = 0; i < 70; i++) {
		struct device *device = add(i / 32, i % 32, 0, ETHERNET);
		has_bar(device, 0, 0xE0000000 + i * 0x1000, 0x1000);
		has_bar(device, 1, 0xF0000000 + i * 0x1000, 0x800);
		has_bar(device, 2, 0xC001 + i * 0x20, 0x20);
		has_line(device, i < 65 ? 9 : 10);
	}
	has_line(&devices[0], 10);
	enumerate();
	CHECK_EQUAL(pci_function_count, PCI_FUNCTIONS_MAX);
	CHECK_EQUAL(pci_missed_count, 6);
	for (uint32_t i = 0; i < 70; i++)
		CHECK(!is_master(&devices[i]));
	CHECK_EQUAL(pci_functions[5].information.bar_flags[0], 0);
	CHECK_EQUAL(pci_functions[5].information.bar_flags[1], PCI_BAR_SHARED);
	CHECK_EQUAL(pci_functions[5].information.bar_flags[2], PCI_BAR_PORTS);
	CHECK_EQUAL(pci_functions[0].information.line_users, 6); /* those beyond, too */
}

TEST(express_is_found_in_lists_that_lead_anywhere)
{
	static const struct {
		uint32_t first, next, found;
	} lists[] = {{0x10, 0, 0x50}, /* the first */
		     {0x05 | 0x60 << 8, 0x10, 0x60},
		     {0x05 | 0x63 << 8, 0x10, 0x60}, /* low bits are reserved */
		     {0x05 | 0x50 << 8, 0x10, 0},    /* a ring */
		     {0x05 | 0x60 << 8, 0x05 | 0x50 << 8, 0},
		     {0x05 | 0x10 << 8, 0x10, 0}, /* into the header */
		     {0x05 | 0xFC << 8, 0x10, 0}};
	for (uint32_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		reset();
		struct device *device = add(0, 1, 0, ETHERNET);
		has_list(device, 0x50, lists[i].first);
		has_list(device, 0x60, lists[i].next);
		device->reg[AT(0xFC)] = 0x10; /* its status would lie beyond the end */
		enumerate();
		CHECK_EQUAL(pci_functions[0].express, lists[i].found);
	}
	reset();
	struct device *device = add(0, 1, 0, ETHERNET);
	has_list(device, 0x50, 0x10);
	device->reg[AT(CONFIG_COMMAND)] &= ~STATUS_HAS_LIST;
	enumerate();
	CHECK_EQUAL(pci_functions[0].express, 0);
}

/* Never a BAR, never bus mastering, never what is the device's own, nothing of a bridge. */
static void check_writable(const struct function *function)
{
	for (uint32_t offset = 0; offset < CONFIG_END; offset += 4) {
		uint32_t may = config_writable(function, offset);
		if (function->is_bridge || (offset != CONFIG_COMMAND && offset != CONFIG_CACHE))
			CHECK_EQUAL(may, 0);
		if (offset == CONFIG_COMMAND)
			CHECK_EQUAL(may & COMMAND_BITS & ~function->command_bits, 0);
	}
	CHECK_EQUAL(function->command_bits & ~0x403u, 0);
	CHECK_EQUAL(config_writable(function, CONFIG_CACHE) & ~0xFFu, 0);
}
TEST(what_may_be_written_is_little)
{
	reset();
	struct device *plain = add(0, 1, 0, ETHERNET);
	has_bar(plain, 0, 0xE0000000, 0x1000);
	add(0, 2, 0, VGA_CLASS);
	add(0, 3, 0, 0x0001);
	add_bridge(0, 4, 1);
	add(0, 5, 0, HOST_BRIDGE);
	struct device *half = add(0, 6, 0, ETHERNET);
	has_bar(half, 0, 0xE0001000, 0x1000);
	has_bar(half, 1, 1, 0x20);
	enumerate();
	static const uint32_t command[] = {0x403, 0x400, 0x400, 0, 0, 0x402};
	for (uint32_t i = 0; i < 6; i++) {
		check_writable(&pci_functions[i]);
		CHECK_EQUAL(config_writable(&pci_functions[i], CONFIG_COMMAND),
			    command[i] ? command[i] | STATUS_ERRORS : 0);
	}
}

/* Devices that answer with anything at all. */
TEST(random_machines_are_enumerated_without_harm)
{
	uint32_t most = 0, bars = 0, wide = 0;
	for (uint32_t round = 0; round < 300; round++) {
		reset();
		uint32_t count = random_below(200);
		for (uint32_t i = 0; i < count; i++) {
			struct device *device = add(random_below(4), random_below(32),
						    random_below(2) ? random_below(8) : 0,
						    random_number() & 0xFFFF);
			for (uint32_t at = AT(CONFIG_CLASS); at < REGISTERS; at++)
				device->reg[at] = random_number();
			for (uint32_t bar = 0; bar < PCI_BARS_MAX; bar++)
				device->writable[AT(CONFIG_BAR) + bar] =
					random_below(3) ? ~0u << random_below(32) & ~15u : 0;
			if (random_below(3))
				device->reg[AT(CONFIG_CACHE)] &= ~0x7F0000;
			if (random_below(2))
				device->reg[AT(CONFIG_COMMAND)] |= STATUS_HAS_LIST;
		}
		enumerate();
		CHECK(pci_function_count <= PCI_FUNCTIONS_MAX);
		if (pci_function_count > most)
			most = pci_function_count;
		for (uint32_t i = 0; i < pci_function_count; i++) {
			const struct pci_information *found = &pci_functions[i].information;
			check_writable(&pci_functions[i]);
			CHECK(found->line < IRQ_LINES);
			for (uint32_t bar = 0; bar < PCI_BARS_MAX; bar++) {
				bars += found->bar_log2[bar] != 0;
				wide += found->bar_flags[bar] & PCI_BAR_WIDE && bar < 5;
				CHECK(!(found->bar_flags[bar] & PCI_BAR_WIDE) || bar < 5);
				CHECK(found->bar_log2[bar] < 64);
			}
		}
	}
	test_note("%u functions at most, %u BARs, %u of them wide", most, bars, wide);
	CHECK(most == PCI_FUNCTIONS_MAX && bars > 1000 && wide > 100);
}
