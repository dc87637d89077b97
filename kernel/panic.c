/* SPDX-License-Identifier: MIT */
/* The kernel's own voice: boot's log, and the report with which a kernel bug stops the machine. */
#include <stdarg.h>

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

static void console_put(char c)
{
	if (c == '\n')
		console_put('\r');
	for (uint32_t tries = 100000; tries && !(port_read(SERIAL_STATUS) & SERIAL_EMPTY); tries--)
		;
	port_write(SERIAL, c);
	if (c != '\r')
		screen_put(c);
}

static void number_put(uint32_t value, uint32_t base, int digits)
{
	if (digits > 1 || value >= base)
		number_put(value / base, base, digits - 1);
	console_put("0123456789abcdef"[value % base]);
}

/* On serial line and screen. %s a text, %x eight hexadecimal digits, %u a decimal number. */
void console_print(const char *format, ...)
{
	va_list values;
	va_start(values, format);
	for (; *format; format++)
		if (*format != '%')
			console_put(*format);
		else if (*++format == 's')
			for (const char *text = va_arg(values, const char *); *text; text++)
				console_put(*text);
		else if (*format == 'x')
			number_put(va_arg(values, uint32_t), 16, 8);
		else
			number_put(va_arg(values, uint32_t), 10, 1);
	va_end(values);
}

/* With failure: QEMU's isa-debug-exit, Bochs' port; a PC halts. */
void machine_end(void)
{
	console_print("END failure\n");
	while (!(port_read(SERIAL_STATUS) & SERIAL_IDLE))
		;
	port_write(0xF4, 0x11);
	for (const char *s = "Shutdown"; *s; s++)
		port_write(0x8900, *s);
	for (;;)
		asm volatile("cli; hlt");
}

static bool is_text(uint32_t address)
{
	return address >= (uint32_t)kernel_text && address < (uint32_t)kernel_text_end;
}

static void symbol_print(const char *what, uint32_t address)
{
	uint32_t i = 0;
	while (i < symbol_count && symbol_table[i].address <= address)
		i++;
	console_print("\n  %s %x", what, address);
	if (i && is_text(address))
		console_print(" %s+%u", symbol_table[i - 1].name,
			      address - symbol_table[i - 1].address);
}

/* Without frame pointers: every word on the stack that a call in the kernel's text left there. */
static void backtrace(const uint32_t *stack)
{
	for (; ((uint32_t)stack & (PAGE_BYTES - 1)) && stack < (uint32_t *)cpu_stack_top; stack++)
		if (is_text(*stack - 5) && *(uint8_t *)(*stack - 5) == 0xE8)
			symbol_print("from", *stack);
}

void panic(const char *what, const struct trap_frame *frame)
{
	asm volatile("cli");
	const struct thread *thread = thread_running();
	const struct domain *domain = cpu.running_domain;
	console_print("\nKERNEL STOPPED: %s\n  thread %x domain %x depth %x", what,
		      thread ? index_of(thread->self.word) : 0,
		      domain ? index_of(domain->self.word) : 0, cpu.depth);
	if (thread)
		console_print("\n  last fault: class %x address %x at %x", thread->fault[0],
			      thread->fault[1], thread->fault[2]);
	if (frame) {
		console_print("\n  vector %x error %x flags %x cr2 %x", frame->vector, frame->error,
			      frame->eflags, page_fault_address());
		console_print("\n  edi %x esi %x ebp %x ebx %x edx %x ecx %x eax %x", frame->edi,
			      frame->esi, frame->ebp, frame->ebx, frame->edx, frame->ecx,
			      frame->eax);
		symbol_print("at", frame->eip);
	}
	uint32_t here;
	asm volatile("mov %%esp, %0" : "=r"(here));
	backtrace((uint32_t *)here);
	console_print("\n");
	machine_end();
}

/* Own TSS and stack: the interrupted registers are in the main TSS. */
_Noreturn void double_fault_report(void)
{
	struct trap_frame frame = {tss.edi,    tss.esi, tss.ebp,
				   0,          tss.ebx, tss.edx,
				   tss.ecx,    tss.eax, VECTOR_DOUBLE_FAULT,
				   0,          tss.eip, tss.cs,
				   tss.eflags, tss.esp, tss.ss};
	panic("double fault", &frame);
}
