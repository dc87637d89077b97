/* SPDX-License-Identifier: MIT */
/* Names: PCI Code and ID Assignment Specification 1.11 (2019), those that a PC has. */
#include "lspci.h"
#include "pci/pci.h"

#define WHOLE_CLASS 0xFFu

static const struct {
	uint8_t class, subclass;
	const char *name;
} classes[] = {
	{0x00, 0x01, "VGA"},
	{0x01, 0x01, "IDE controller"},
	{0x01, 0x06, "SATA controller"},
	{0x01, 0x08, "NVM controller"},
	{0x01, WHOLE_CLASS, "storage"},
	{0x02, 0x00, "Ethernet controller"},
	{0x02, WHOLE_CLASS, "network"},
	{0x03, 0x00, "VGA"},
	{0x03, WHOLE_CLASS, "display"},
	{0x04, WHOLE_CLASS, "multimedia"},
	{0x05, WHOLE_CLASS, "memory"},
	{0x06, 0x00, "host bridge"},
	{0x06, 0x01, "ISA bridge"},
	{0x06, 0x04, "PCI bridge"},
	{0x06, WHOLE_CLASS, "bridge"},
	{0x07, WHOLE_CLASS, "communication"},
	{0x08, WHOLE_CLASS, "system"},
	{0x09, WHOLE_CLASS, "input"},
	{0x0C, 0x03, "USB controller"},
	{0x0C, 0x05, "SMBus"},
	{0x0C, WHOLE_CLASS, "serial bus"},
	{0x0D, WHOLE_CLASS, "wireless"},
};

const char *pci_class_name(uint32_t class)
{
	for (uint32_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (classes[i].class == class >> 24 &&
		    (classes[i].subclass == WHOLE_CLASS ||
		     classes[i].subclass == (class >> 16 & 0xFF)))
			return classes[i].name;
	return "device";
}

static void print_bar(const struct pci_information *information, uint32_t bar)
{
	uint64_t base = pci_bar_base(information, bar);
	uint32_t flags = information->bar_flags[bar], log2 = information->bar_log2[bar];
	const char *note = flags & PCI_BAR_UNSET    ? ", no address"
			   : flags & PCI_BAR_SHARED ? ", shared"
						    : "";
	_Bool is_small = log2 < 10;
	if (flags & PCI_BAR_PORTS)
		print("         BAR %u: ports %04x, %u%s\n", bar, (uint32_t)base, 1u << log2, note);
	else
		print("         BAR %u: memory %llx, %llu %s%s\n", bar, base,
		      is_small ? 1ull << log2 : 1ull << (log2 - 10), is_small ? "bytes" : "KiB",
		      note);
}

static void print_function(uint32_t number, const struct pci_information *information)
{
	print("%3u  %02x:%02x.%u  %04x:%04x  %s", number, information->bus,
	      information->device_function >> 3u, information->device_function & 7u,
	      information->vendor, information->device, pci_class_name(information->class));
	if (information->header == 1)
		print(" to bus %02x", information->secondary);
	if (information->line)
		print(", line %u%s", information->line,
		      information->line_users > 1 ? " (shared)" : "");
	print("\n");
	for (uint32_t bar = 0; bar < PCI_BARS_MAX; bar++)
		if (information->bar_log2[bar])
			print_bar(information, bar);
}

uint32_t pci_print(slot_t door)
{
	uint16_t count, missed;
	uint32_t result = pci_count(door, &count, &missed);
	for (uint32_t number = 0; result == RETURN && number < count; number++) {
		struct pci_information information;
		result = pci_information(door, PCI_PLACE(number, 0), &information);
		if (result == RETURN) {
			print_function(number, &information);
		} else if (result == RETURN + SERVICE_REVOKED) {
			print("%3u  in other hands\n", number);
			result = RETURN;
		}
	}
	if (result == RETURN && missed)
		print("and %u more, which nobody can use\n", missed);
	return result;
}
