/* SPDX-License-Identifier: MIT */
/* Boot's table of contents. */
#include "boot.h"
#include "version.h"
#include "x86/x86.h"

_Noreturn void boot_main(const struct boot_entry *entry);
static struct boot_record record;

static void serial_start(void)
{
	static const uint8_t sequence[][2] = {{1, 0}, {3, 0x80}, {0, 1}, {1, 0},
					      {3, 3}, {2, 0xC7}, {4, 3}};
	for (uint32_t i = 0; i < sizeof(sequence) / 2;
	     i++) /* 115200 baud, 8N1, FIFO, no interrupts */
		port_write(0x3F8 + sequence[i][0], sequence[i][1]);
}

/* Our log begins on an empty screen; what programs write begins where the cursor is, below it. */
static void screen_start(void)
{
	static const uint8_t cursor[][2] = {{14, 0}, {15, 80}}; /* CRTC: line 1 */
	uint16_t *cells = direct(0xB8000);
	for (uint32_t i = 0; i < 80 * 25; i++)
		cells[i] = 0x0720;
	for (uint32_t i = 0; i < 2; i++) {
		port_write(0x3D4, cursor[i][0]);
		port_write(0x3D5, cursor[i][1]);
	}
}

void boot_refuse(const char *sentence, const char *name, const char *reason)
{
	console_print("Nous can't start: %s%s%s%s%s.\n", sentence, name[0] ? ": " : "", name,
		      reason[0] ? ": " : "", reason);
	machine_end();
}

void boot_main(const struct boot_entry *entry)
{
	serial_start();
	screen_start();
	console_print("Nous " NOUS_VERSION ", a microkernel that lends threads\n");
	record.magic = BOOT_MAGIC;
	record.bytes = sizeof(record);
	record.boot_cycles = entry->first_cycles;
	record.cpu_features = entry->features;
	loader_read(entry, &record);      /* memory map, modules, command line */
	memory_start(&record);            /* what is ours, what is managed, what is a hole */
	processor_start(entry->features); /* descriptors, gates, SYSENTER */
	modules_move(&record);            /* out of the kernel's own memory */
	record.cycles_per_ms = cycles_measure(entry->features);
	record.timer = timer.kind;
	root_start(&record); /* ELF, directory, objects; never comes back */
}
