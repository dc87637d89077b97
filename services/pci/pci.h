/* SPDX-License-Identifier: MIT */
/*
 * The PCI service: one capability (a door) for each PCI function. What it lets do and what not, and
 * what a device can do by itself (DMA), is in docs/pci.md.
 *
 * Source: PCI Local Bus Specification 3.0 (2004), "Configuration Space Organization", "Base
 * Addresses", "Configuration Mechanism"; PCI Express Base Specification, "Device Status Register".
 *
 * A *place* is an argument that says where: a register's offset, a BAR's number or rights in bits
 * 0..7, and in bits 16..23 the function's number. The latter is for doors to all functions only;
 * for a door to one function it is 0. All other bits are 0.
 *
 * Costs are in guest instructions with stub; besides there are up to nine accesses to configuration
 * space, of a microsecond or two each on a PC.
 */
#ifndef NOUS_PCI_H
#define NOUS_PCI_H

#include "interface.h"

/* A door's badge: low word, rights in bits 0..7 and function in bits 8..15; high word, the
 * function's generation. */
#define PCI_MAY_READ   1u  /* registers, what there is to know */
#define PCI_MAY_WRITE  2u  /* the bits of registers that hurt nobody else */
#define PCI_MAY_BARS   4u  /* memory and ports */
#define PCI_MAY_IRQ    8u  /* the interrupt line */
#define PCI_MAY_MASTER 16u /* bus mastering, which is all of memory (docs/pci.md) */
#define PCI_ANY        32u /* whatever the generation; revoke */
#define PCI_RIGHTS     63u
#define PCI_ALL        0xFFu /* as function: all of them */
#define PCI_BADGE(function, rights, generation) \
	((uint64_t)(generation) << 32 | (uint32_t)(function) << 8 | (rights))
#define PCI_GENERATION_FIRST      1u /* of all functions, before any is revoked */
#define PCI_PLACE(function, what) ((uint32_t)(function) << 16 | (what))

#define PCI_FUNCTIONS_MAX 64u /* more than these have no number, and are no bus masters */
#define PCI_BARS_MAX      6u
#define PCI_NOBODY        0xFFu /* in `parent`: none */

/* The service's list, which the root program fills: itself (to make doors), all ports, and lines.
 */
enum pci_slot { PCI_SLOT_DOMAIN = 1, PCI_SLOT_PORTS, PCI_SLOT_LINE_0 = 16 };

/* Every operation but pci_count can answer PCI_NO_FUNCTION, PCI_NOT_ALLOWED and SERVICE_REVOKED
 * (the function has another generation than the door). */
enum pci_status {
	PCI_OK,
	PCI_NO_FUNCTION, /* no function of this number, or a number where there may be none */
	PCI_NOT_ALLOWED, /* the badge lacks a right */
	PCI_FIXED,       /* nothing of it can be changed through this service */
	PCI_NO_BAR,      /* no BAR of this number and kind, or the firmware gave it no address */
	PCI_SHARED,      /* other functions have a part in this page, these ports, or this line */
	PCI_TOO_HIGH,    /* memory beyond 4 GiB, which no page table here reaches */
	PCI_NO_LINE,     /* the function has none, or this service has not */
	PCI_PENDING,     /* revoked, but the device has not ended its transactions: ask again */
	PCI_WORN_OUT     /* generations have come to their top: nobody gets this one any more */
};

/* What enumeration found; it does not change. */
struct pci_information {
	uint16_t vendor, device;
	uint32_t class;               /* class 31..24, subclass, programming interface, revision */
	uint8_t bus, device_function; /* device 7..3, function 2..0 */
	uint8_t header;               /* 0: a function, 1: PCI-to-PCI bridge, 2: CardBus bridge */
	uint8_t parent;               /* number of the bridge in front of its bus, or PCI_NOBODY */
	uint8_t secondary;            /* of a bridge: the bus behind it */
	uint8_t line, pin;            /* line 0: none; pin 1..4: A..D, 0: none */
	uint8_t line_users;           /* how many functions have this line */
	uint32_t bar[PCI_BARS_MAX];   /* as the registers hold them */
	uint8_t bar_log2[PCI_BARS_MAX]; /* size in bytes, as a power of two; 0: no BAR */
	uint8_t bar_flags[PCI_BARS_MAX];
};
#define PCI_BAR_PORTS  1u
#define PCI_BAR_WIDE   2u /* 64 bits: the next register has the upper half */
#define PCI_BAR_SHARED 4u /* its pages (ports) are not its alone; ports below 1000h never are */
#define PCI_BAR_UNSET  8u /* the firmware gave it no address */

/* Where a BAR begins, in memory or ports. */
static inline uint64_t pci_bar_base(const struct pci_information *information, uint32_t bar)
{
	uint32_t low = information->bar[bar], flags = information->bar_flags[bar];
	if (flags & PCI_BAR_PORTS)
		return low & ~3u;
	return (flags & PCI_BAR_WIDE ? (uint64_t)information->bar[bar + 1] << 32 : 0) |
	       (low & ~15u);
}

/* How many functions have a number, and how many were found beyond those. Every door may ask.
 * Cost: 78. */
uint32_t pci_count(slot_t door, uint16_t *count, uint16_t *missed);

/* What is known of a function; no register is read. Right READ. PCI_NO_FUNCTION, PCI_NOT_ALLOWED,
 * SERVICE_REVOKED. Cost: 211. */
uint32_t pci_information(slot_t door, uint32_t place, struct pci_information *information);

/* The configuration register at an offset, a multiple of 4 below 256, else SERVICE_BAD_ARGUMENT.
 * Right READ. PCI_NO_FUNCTION, PCI_NOT_ALLOWED, SERVICE_REVOKED. Cost: pci_read of
 * docs/benchmarks.md. */
uint32_t pci_read(slot_t door, uint32_t place, uint32_t *value);

/*
 * Writes those bits of a register that may be written, keeps the others, and tells in *now what it
 * then holds. Right WRITE. PCI_FIXED: there are none. SERVICE_BAD_ARGUMENT as of pci_read. Who is
 * stopped meanwhile may write twice: a status bit that is cleared by writing 1 to it may be cleared
 * again. Switching decoding on first sets all BARs to what they were at the start. PCI_NO_FUNCTION,
 * PCI_NOT_ALLOWED, SERVICE_REVOKED. Cost: 186, or 262 if BARs are set.
 */
uint32_t pci_write(slot_t door, uint32_t place, uint32_t value, uint32_t *now);

/* Bus mastering on (1) or off (0); the command register in *now. Right MASTER: it is the right to
 * all of memory (docs/pci.md). PCI_FIXED: bridges. SERVICE_BAD_ARGUMENT: another value.
 * PCI_NO_FUNCTION, PCI_NOT_ALLOWED, SERVICE_REVOKED. Cost: 174. */
uint32_t pci_master(slot_t door, uint32_t place, uint32_t on, uint32_t *now);

/*
 * The physical extent of a memory BAR: its first frame, and how many frames as a power of two. A
 * name, of which device_define (libs/root) makes a capability of the memory service. Right BARS.
 * PCI_NO_BAR, PCI_SHARED, PCI_TOO_HIGH, PCI_NO_FUNCTION, PCI_NOT_ALLOWED, SERVICE_REVOKED.
 * Cost: 165.
 */
uint32_t pci_memory(slot_t door, uint32_t place, uint32_t *extent);
#define PCI_EXTENT(frame, frames_log2) ((uint32_t)(frame) | (uint32_t)(frames_log2) << 24)
#define PCI_EXTENT_FRAME(extent)       ((extent)&0xFFFFFu)
#define PCI_EXTENT_LOG2(extent)        ((extent) >> 24)

/* The ports of a BAR as a kernel capability (PORTS), and its range, first | last << 16. It can't be
 * revoked. Right BARS. PCI_NO_BAR, PCI_SHARED, SERVICE_NO_RESULT, PCI_NO_FUNCTION, PCI_NOT_ALLOWED,
 * SERVICE_REVOKED. Cost: 741. */
uint32_t pci_ports(slot_t door, uint32_t place, place_t to, uint32_t *range);

/* The interrupt line as a kernel capability (IRQ), and its number. It can't be revoked. Right IRQ;
 * a line that several functions have is for PCI_ANY only. PCI_NO_LINE, PCI_SHARED,
 * SERVICE_NO_RESULT, PCI_NO_FUNCTION, PCI_NOT_ALLOWED, SERVICE_REVOKED, SERVICE_BAD_ARGUMENT.
 * Cost: 717. */
uint32_t pci_line(slot_t door, uint32_t place, place_t to, uint32_t *line);

/*
 * A capability for one function with the rights that the place names. It has the generation of the
 * door and ends with it; from PCI_ANY the one that the function now has. PCI_NOT_ALLOWED: a right
 * that the door has not. SERVICE_NO_RESULT, PCI_WORN_OUT, PCI_NO_FUNCTION, SERVICE_REVOKED. Bus
 * mastering stays as it is: whoever hands a function to somebody else calls pci_revoke. Cost: 655.
 */
uint32_t pci_split(slot_t door, uint32_t place, place_t to);

/*
 * Ends all capabilities for a function, but those with PCI_ANY, which this needs. In this order:
 * bus mastering is off and read back, and at the same moment the generation is another one; the
 * device has ended its transactions; a new capability, as of pci_split, comes. Only then is memory
 * that it could reach anybody else's to use. A bridge's bus mastering stays. PCI_PENDING: the
 * device still says that it works; what was revoked is revoked; call it again. PCI_NOT_ALLOWED
 * (also: for PCI_ANY). SERVICE_NO_RESULT, PCI_WORN_OUT: all the same revoked. PCI_NO_FUNCTION,
 * SERVICE_REVOKED. Cost: some 700, and it waits for the device.
 */
uint32_t pci_revoke(slot_t door, uint32_t place, place_t to);

#include "pci.stubs.h"

#endif
