/* SPDX-License-Identifier: MIT */
/*
 * What lies behind a BAR, mapped by the memory service; and what a bus master can do, with QEMU's
 * device for teaching (`edu`, 1234:11E8, described in QEMU's docs/specs/edu): it copies between a
 * buffer of its own and any physical address, a tenth of a second after it was told to. Where the
 * machine has none, there is nothing to see.
 */
#include "memory_world.h"
#include "pci_machine.h"

#define EDU         0x11E81234u
#define REGISTERS   0x20000000u /* where its first page is mapped */
#define ALIVE       0x04u       /* holds the complement of what was written */
#define DMA_FROM    0x80u
#define DMA_TO      0x88u
#define DMA_BYTES   0x90u
#define DMA_COMMAND 0x98u
#define DMA_START   1u
#define DMA_OUT     2u /* from the device's buffer to memory */
#define BUFFER      0x40000u
#define BYTES       64u
#define FILL        0xC0FFEE00u
#define AFTER_MS    150u

static struct domain driver;
static uint32_t edu, door, registers_frame;

/* The driver's domain: 0 reads a register, 1 writes one. */
PEER device_register(uint32_t operation, uint32_t offset, uint32_t value, uint32_t badge_high)
{
	(void)badge_high;
	volatile uint32_t *at = (volatile uint32_t *)(REGISTERS + offset);
	if (operation)
		*at = value;
	return ANSWER(0, operation ? 0 : *at);
}
static uint32_t device_read(uint32_t offset)
{
	uint32_t value;
	CHECK_EQUAL(door_call(slot(door).encoded, 0, offset, 0, &value), RETURN);
	return value;
}
static void device_write(uint32_t offset, uint32_t value)
{
	CHECK_EQUAL(door_call(slot(door).encoded, 1, offset, value, NULL), RETURN);
}

static _Bool device_find(void)
{
	uint32_t extent;
	for (edu = 0; edu < table_count(); edu++)
		if (peek(edu, CONFIG_IDENTITY) == EDU)
			break;
	if (edu == table_count())
		return 0;
	hand_out(edu, PCI_MAY_BARS | PCI_MAY_MASTER, held);
	CHECK_EQUAL(pci_memory(slot(held), 0, &extent), RETURN);
	CHECK_EQUAL(PCI_EXTENT_LOG2(extent), 8);
	registers_frame = PCI_EXTENT_FRAME(extent);
	peer_make(&driver, "driver");
	domain_map(&driver, REGISTERS, registers_frame, PAGE_USER | PAGE_WRITE);
	door = peer_door(&driver, device_register);
	return 1;
}
static void device_leave(void)
{
	slot_give(door);
	domain_unmap(&driver, REGISTERS);
	domain_end(&driver);
}

static void copy_begin(uint32_t from, uint32_t to, uint32_t command)
{
	device_write(DMA_FROM, from);
	device_write(DMA_TO, to);
	device_write(DMA_BYTES, BYTES);
	device_write(DMA_COMMAND, DMA_START | command);
}
static void copy_end(void)
{
	uint32_t bits;
	CHECK(device_read(DMA_COMMAND) & DMA_START);
	kernel_wait(0, cycles() + (uint64_t)AFTER_MS * boot_record->cycles_per_ms, &bits);
	CHECK(!(device_read(DMA_COMMAND) & DMA_START));
}
/* How many words of a frame are the pattern. */
static uint32_t words_filled(const volatile uint32_t *page)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < PAGE_BYTES / 4; i++)
		count += page[i] == FILL + i;
	return count;
}

TEST(pci_device_answers_behind_its_bar)
{
	machine_begin();
	if (device_find()) {
		CHECK_EQUAL(device_read(0) & 0xFF, 0xED);
		device_write(ALIVE, 0x12345678);
		CHECK_EQUAL(device_read(ALIVE), ~0x12345678u);
		device_leave();
	}
	machine_finish();
}

/* ---- mapped by the memory service, as a driver in the running system has it --------------------
 */
#define SCREEN       0x11111234u /* the graphics device of QEMU; BAR 2 has its registers, */
#define SCREEN_BAR   2u
#define SCREEN_ABOUT 0x500u  /* of which this one */
#define SCREEN_IS    0xB0C0u /* says so, with its version in the last digit */
#define TABLE_FRAME  0u      /* of the memory service's frames: a page table */
#define NUMBER       5u      /* of the device memory */

/* One page of the device memory in slot `other`, first of what the table maps. */
static uint32_t page_map(uint32_t flags)
{
	return memory_map_lent(slot(all), slot(other), TABLE_FRAME, 0,
			       flags | MEMORY_ENTRY_UNCACHED, 0, 1, NULL);
}

/* The BAR at this extent, by a driver in whose directory the table is. */
static void screen_drive(uint32_t extent)
{
	uint32_t value, masters[2] = {part, part};
	extent_forge(part, DEVICE_MASTER_BADGE(PCI_EXTENT_FRAME(extent) >> 19), 0);
	make_kind(TABLE_FRAME, 1, OBJECT_TABLE);
	OK(device_define(masters, extent, NUMBER, MEMORY_READ | MEMORY_WRITE, other));
	SAYS(MEMORY_IN_USE, device_define(masters, extent, NUMBER, MEMORY_READ, result));
	OK(page_map(MEMORY_ENTRY_WRITE));
	peer_make(&driver, "driver");
	uint32_t *directory = frame_pointer(driver.directory_frame);
	directory[REGISTERS >> 22] = (first + TABLE_FRAME) << 12 | 7;
	door = peer_door(&driver, device_register);
	CHECK_EQUAL(device_read(SCREEN_ABOUT) & 0xFFF0, SCREEN_IS);

	OK(memory_forget_device(slot(part), NUMBER));
	SAYS(MEMORY_STALE, page_map(0));
	OK(memory_unmap(slot(all), TABLE_FRAME, 0, 1));
	CHECK_EQUAL(door_call(slot(door).encoded, 0, SCREEN_ABOUT, 0, &value),
		    ERROR_CALLEE_FAULTED);
	directory[REGISTERS >> 22] = 0;
	slot_give(door);
	domain_end(&driver);
}

TEST(pci_bar_is_mapped_by_the_memory_service_until_it_is_revoked)
{
	uint32_t extent, function = 0;
	machine_begin();
	memory_make();
	while (function < table_count() && peek(function, CONFIG_IDENTITY) != SCREEN)
		function++;
	if (function < table_count())
		hand_out(function, PCI_MAY_BARS, held);
	if (pci_memory(slot(held), SCREEN_BAR, &extent) == RETURN)
		screen_drive(extent);
	else
		test_skip("no graphics device with registers in memory");
	memory_unmake();
	machine_finish();
}

TEST(pci_bus_master_writes_where_it_was_told_until_it_is_revoked)
{
	uint32_t value;
	machine_begin();
	if (device_find()) {
		uint32_t from = frame_take(), to = frame_take();
		uint32_t *source = frame_pointer(from), *target = frame_pointer(to);
		for (uint32_t i = 0; i < PAGE_BYTES / 4; i++)
			source[i] = FILL + i;

		/* the right: memory that no domain has mapped is read and written */
		CHECK_EQUAL(pci_master(slot(held), 0, 1, &value), RETURN);
		copy_begin(from << 12, BUFFER, 0);
		copy_end();
		copy_begin(BUFFER, to << 12, DMA_OUT);
		copy_end();
		CHECK_EQUAL(words_filled(target), BYTES / 4);

		/* without it: not */
		memset(target, 0, PAGE_BYTES);
		CHECK_EQUAL(pci_master(slot(held), 0, 0, &value), RETURN);
		copy_begin(BUFFER, to << 12, DMA_OUT);
		copy_end();
		CHECK_EQUAL(words_filled(target), 0);

		/* begun, and then revoked: the frame can be given to somebody else */
		CHECK_EQUAL(pci_master(slot(held), 0, 1, &value), RETURN);
		copy_begin(BUFFER, to << 12, DMA_OUT);
		CHECK_EQUAL(pci_revoke(slot(everything), PCI_PLACE(edu, PCI_MAY_READ), slot(held)),
			    RETURN);
		copy_end();
		CHECK_EQUAL(words_filled(target), 0);
		frame_give(from);
		frame_give(to);
		device_leave();
	}
	CHECK(registers_are_as_noted());
	machine_finish();
}
