/* SPDX-License-Identifier: MIT */
/* The kernel's own voice: boot's log, and the report with which a kernel bug stops the machine. */
#include "x86/x86.h"

#define SERIAL        0x3F8u
#define SERIAL_STATUS (SERIAL + 5)
#define SERIAL_EMPTY  0x20u
#define SERIAL_IDLE   0x40u
#define SCREEN        ((volatile uint16_t *)(KERNEL_BASE + 0xB8000u))
#define COLUMNS       80u
#define ROWS          25u
#define ATTRIBUTE     0x0700u

extern const struct {
	uint32_t address;
	const char *name;
} symbol_table[];
extern const uint32_t symbol_count;
extern uint8_t kernel_text[], kernel_text_end[];
_Noreturn void double_fault_report(void);

static uint32_t cursor;

static void screen_put(char c)
{
	if (c == '\n')
		cursor += COLUMNS - cursor % COLUMNS;
	else
		SCREEN[cursor++] = ATTRIBUTE | (uint8_t)c;
	if (cursor < COLUMNS * ROWS)
		return;
	for (uint32_t i = 0; i < COLUMNS * ROWS; i++)
		SCREEN[i] = i < COLUMNS * (ROWS - 1) ? SCREEN[i + COLUMNS] : ATTRIBUTE | ' ';
	cursor -= COLUMNS;
}

void console_put(char c)
{
	if (c == '\n')
		console_put('\r');
	for (uint32_t tries = 100000; tries && !(port_read(SERIAL_STATUS) & SERIAL_EMPTY); tries--)
		;
	port_write(SERIAL, c);
	if (c != '\r')
		screen_put(c);
}

void console_text(const char *text)
{
	while (*text)
		console_put(*text++);
}

void console_hex(uint32_t value)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		console_put("0123456789abcdef"[value >> shift & 15]);
}

void console_decimal(uint32_t value)
{
	if (value > 9)
		console_decimal(value / 10);
	console_put('0' + value % 10);
}

static bool is_text(uint32_t address)
{
	return address >= (uint32_t)kernel_text && address < (uint32_t)kernel_text_end;
}

/* With failure: QEMU's isa-debug-exit, Bochs' port; a PC halts. */
void machine_end(void)
{
	console_text("END failure\n");
	while (!(port_read(SERIAL_STATUS) & SERIAL_IDLE))
		;
	port_write(0xF4, 0x11);
	for (const char *s = "Shutdown"; *s; s++)
		port_write(0x8900, *s);
	for (;;)
		asm volatile("cli; hlt");
}

static void symbol_print(uint32_t address)
{
	uint32_t i = 0;
	while (i < symbol_count && symbol_table[i].address <= address)
		i++;
	console_hex(address);
	if (i == 0 || !is_text(address))
		return;
	console_text(" ");
	console_text(symbol_table[i - 1].name);
	console_text("+");
	console_decimal(address - symbol_table[i - 1].address);
}

/* Without frame pointers: every word on the stack that a call in the kernel's text left there. */
static void backtrace(const uint32_t *stack)
{
	for (; ((uint32_t)stack & (PAGE_BYTES - 1)) && stack < (uint32_t *)cpu_stack_top; stack++)
		if (is_text(*stack - 5) && *(uint8_t *)(*stack - 5) == 0xE8) {
			console_text("\n  from ");
			symbol_print(*stack);
		}
}

static void register_print(const char *name, uint32_t value)
{
	console_text(name);
	console_hex(value);
}

static void frame_print(const struct trap_frame *frame)
{
	static const char *const names[] = {" edi ", " esi ", " ebp ", "",
					    " ebx ", " edx ", " ecx ", " eax "};
	register_print("\n  vector ", frame->vector);
	register_print(" error ", frame->error);
	register_print(" flags ", frame->eflags);
	register_print(" cr2 ", page_fault_address());
	console_text("\n ");
	for (uint32_t i = 0; i < 8; i++)
		if (i != 3)
			register_print(names[i], (&frame->edi)[i]);
	console_text("\n  at ");
	symbol_print(frame->eip);
}

void panic(const char *what, const struct trap_frame *frame)
{
	asm volatile("cli");
	console_text("\nKERNEL STOPPED: ");
	console_text(what);
	register_print("\n  thread ",
		       cpu.thread ? cpu.thread->self.word >> CAPABILITY_INDEX_SHIFT : 0);
	register_print(" domain ", cpu.running_domain
					   ? cpu.running_domain->self.word >> CAPABILITY_INDEX_SHIFT
					   : 0);
	register_print(" depth ", cpu.depth);
	if (cpu.thread)
		for (uint32_t i = 0; i < 3; i++)
			register_print(i == 0   ? "\n  last fault: class "
				       : i == 1 ? " address "
						: " at ",
				       cpu.thread->fault[i]);
	if (frame)
		frame_print(frame);
	uint32_t here;
	asm volatile("mov %%esp, %0" : "=r"(here));
	backtrace((uint32_t *)here);
	console_put('\n');
	machine_end();
}

/* Own TSS and stack: the interrupted registers are in the main TSS. */
void double_fault_report(void)
{
	struct trap_frame frame = {.edi = tss.edi,
				   .esi = tss.esi,
				   .ebp = tss.ebp,
				   .ebx = tss.ebx,
				   .edx = tss.edx,
				   .ecx = tss.ecx,
				   .eax = tss.eax,
				   .vector = VECTOR_DOUBLE_FAULT,
				   .eip = tss.eip,
				   .cs = tss.cs,
				   .eflags = tss.eflags,
				   .esp = tss.esp,
				   .ss = tss.ss};
	panic("double fault", &frame);
}
