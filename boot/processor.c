/* SPDX-License-Identifier: MIT */
/* Descriptor tables, control registers, SYSENTER, devices: once. Intel SDM, volume 3. */
#include "boot.h"
#include "x86/x86.h"

#define FEATURE_FXSR         (1u << 24)
#define FEATURE_SSE          (1u << 25)
#define FEATURE_TSC_DEADLINE (1u << 24) /* of leaf 1, ECX */
#define CR4_OSFXSR           (1u << 9)
#define CR4_OSXMMEXCPT       (1u << 10)
#define CR4_UMIP             (1u << 11)
#define CR4_SMEP             (1u << 20)
#define CR4_SMAP             (1u << 21)
#define LEAF7_EBX_SMEP       (1u << 7)
#define LEAF7_EBX_SMAP       (1u << 20)
#define LEAF7_ECX_UMIP       (1u << 2)
#define MSR_SYSENTER_CS      0x174u
#define MSR_SYSENTER_ESP     0x175u
#define MSR_SYSENTER_EIP     0x176u
#define CALIBRATE_MS         10u
#define CALIBRATIONS         3u
/* Intel 8254 data sheet, 1993: read-back command, status of channel 0 */
#define PIT_CHANNEL_0   0x40
#define PIT_COMMAND     0x43
#define PIT_READ_STATUS 0xE2
#define PIT_STATUS_OUT  0x80u

#define TSS_LINEAR                (TSS_SLOT << 22 | 0xF00u) /* the TSS ends its page */
#define TSS_BITMAP_OFFSET         0x100u
#define TSS_LIMIT                 (TSS_BITMAP_OFFSET + 8192u)
#define KERNEL_DATA               0x10u
#define TSS_SELECTOR              0x28u
#define DOUBLE_FAULT_TSS_SELECTOR 0x30u
/* A #DB at entry_sysenter leaves the user's EFLAGS in tss.link, where an IRET with NT set looks for
 * a task. Bits 5 and 3 of EFLAGS are 0, so it never finds one (SDM, "EFLAGS Register"). */
_Static_assert(TSS_SELECTOR & 0x28 && DOUBLE_FAULT_TSS_SELECTOR & 0x28,
	       "EFLAGS is no TSS selector");
#define ENTRY_GLOBAL 0x100u
#define VECTOR_NMI   2u

/* trap.asm, call.asm */
void entry_sysenter(void);
void page_fault_entry(void);
void debug_entry(void);
void nmi_entry(void);
void double_fault_entry(void);
extern const uint32_t sysexits[4];
extern const uint8_t trap_stubs[];
extern uint8_t double_fault_stack_top[], tss_page[], bitmap_ones[];

/* Kernel data, though only boot writes it (section .bss.kernel stays, see linker.ld). */
#define KERNEL_OWN __attribute__((section(".bss.kernel")))
static KERNEL_OWN uint64_t segments[8];
static KERNEL_OWN struct {
	uint16_t offset_low, selector, type, offset_high;
} gates[256];
static KERNEL_OWN struct tss double_fault_tss;

/* "Segment Descriptors"; the accessed bit is set so that the processor never writes here. */
static void segment_set(uint32_t selector, uint32_t base, uint32_t limit, uint32_t type)
{
	segments[selector / 8] = (uint64_t)(base & 0xFF000000) << 32 |
				 (uint64_t)(limit >> 16 & 0xF) << 48 | (uint64_t)type << 40 |
				 (uint64_t)(base & 0xFFFFFF) << 16 | (limit & 0xFFFF);
}

/* "IDT Descriptors": interrupt gates, so interrupts are off in every handler. */
static void gate_set(uint32_t vector, const void *entry, uint32_t level)
{
	uint32_t address = (uint32_t)entry;
	gates[vector].offset_low = address;
	gates[vector].selector = KERNEL_CODE;
	gates[vector].type = 0x8E00 | level << 13;
	gates[vector].offset_high = address >> 16;
}

static void segments_load(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) table = {sizeof(segments) - 1, (uint32_t)segments};
	segment_set(KERNEL_CODE, 0, 0xFFFFF, 0x0C09B);
	segment_set(KERNEL_DATA, 0, 0xFFFFF, 0x0C093);
	segment_set(USER_CODE, 0, 0xFFFFF, 0x0C0F9); /* execute-only: null is the only bad DS */
	segment_set(USER_DATA, 0, 0xFFFFF, 0x0C0F3);
	segment_set(TSS_SELECTOR, TSS_LINEAR, TSS_LIMIT, 0x00089);
	segment_set(DOUBLE_FAULT_TSS_SELECTOR, (uint32_t)&double_fault_tss, sizeof(struct tss) - 1,
		    0x00089);
	asm volatile("lgdt %0; ljmp %1, $1f; 1: mov %2, %%ds; mov %2, %%es; mov %2, %%ss;"
		     "mov %3, %%fs; mov %3, %%gs; lldt %w3"
		     :
		     : "m"(table), "i"(KERNEL_CODE), "r"(KERNEL_DATA), "r"(0));
}

static void gates_load(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) table = {sizeof(gates) - 1, (uint32_t)gates};
	for (uint32_t vector = 0; vector < 256; vector++) {
		bool software = vector >= SOFTWARE_INTERRUPT_FIRST || vector == 3 || vector == 4;
		gate_set(vector, trap_stubs + vector * 16, software ? 3 : 0);
	}
	gate_set(VECTOR_DEBUG, debug_entry, 0);
	gate_set(VECTOR_PAGE_FAULT, page_fault_entry, 0);
	gate_set(VECTOR_NMI, nmi_entry, 0);
	gates[VECTOR_DOUBLE_FAULT].selector = DOUBLE_FAULT_TSS_SELECTOR;
	gates[VECTOR_DOUBLE_FAULT].type = 0x8500; /* task gate */
	asm volatile("lidt %0" : : "m"(table));
}

static void tasks_start(void)
{
	tss.ss0 = KERNEL_DATA;
	tss.cr3 = physical(boot_directory);
	tss.bitmap = TSS_BITMAP_OFFSET;
	double_fault_tss.cr3 = physical(boot_directory);
	double_fault_tss.eip = (uint32_t)double_fault_entry;
	double_fault_tss.esp = (uint32_t)double_fault_stack_top;
	double_fault_tss.eflags = 2;
	double_fault_tss.cs = KERNEL_CODE;
	double_fault_tss.ss = double_fault_tss.ds = double_fault_tss.es = KERNEL_DATA;
	double_fault_tss.bitmap = sizeof(struct tss);
	asm volatile("ltr %w0" : : "r"(TSS_SELECTOR));
}

/* The slots that every directory shares: this CPU's pages below the windows, TSS and I/O bitmap. */
static void tables_start(void)
{
	for (uint32_t i = 0; i < PAGE_BYTES / 4; i++)
		((uint32_t *)bitmap_ones)[i] = 0xFFFFFFFF;
	bitmap_none_table[0] = physical(tss_page) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_GLOBAL;
	for (uint32_t i = 1; i < 4; i++) /* the byte after the bitmap must be all ones too */
		bitmap_none_table[i] = physical(bitmap_ones) | ENTRY_PRESENT;
	window_table[TAG_PAGE >> 12 & 1023] = physical(tag_page) | ENTRY_PRESENT | ENTRY_USER;
	for (uint32_t i = low_end_frame; i < 253u << 10; i += 1024 - i % 1024)
		if (i % 1024 == 0) /* no memory there: not mapped */
			boot_directory[(KERNEL_BASE >> 22) + (i >> 10)] = 0;
	boot_directory[WINDOW_TABLE >> 22] =
		physical(window_table) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER;
	boot_directory[TSS_SLOT] = physical(bitmap_none_table) | ENTRY_PRESENT | ENTRY_WRITE;
	directory_load(physical(boot_directory));
}

static uint32_t protections(void)
{
	uint32_t a = 0, b, c = 0, d, cr4 = 0;
	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if (a < 7)
		return 0;
	a = 7;
	c = 0;
	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	cr4 |= b & LEAF7_EBX_SMEP ? CR4_SMEP : 0;
	cr4 |= b & LEAF7_EBX_SMAP ? CR4_SMAP : 0;
	cr4 |= c & LEAF7_ECX_UMIP ? CR4_UMIP : 0;
	return cr4;
}

static void control_start(uint32_t features)
{
	uint32_t cr4;
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	fpu_has_fxsr = !!(features & FEATURE_FXSR);
	step_set(false);
	if (features & FEATURE_FXSR)
		cr4 |= CR4_OSFXSR;
	if (features & FEATURE_SSE)
		cr4 |= CR4_OSXMMEXCPT;
	cr4 |= protections();
	asm volatile("mov %0, %%cr4; fninit" : : "r"(cr4));
	msr_write(MSR_SYSENTER_CS, KERNEL_CODE);
	msr_write(MSR_SYSENTER_ESP, (uint32_t)&tss.esp0);
	msr_write(MSR_SYSENTER_EIP, (uint32_t)entry_sysenter);
	asm volatile("mov %0, %%dr0; mov %1, %%dr1; mov %2, %%dr2; mov %3, %%dr3"
		     :
		     : "r"(sysexits[0]), "r"(sysexits[1]), "r"(sysexits[2]), "r"(sysexits[3]));
	debug_control(DR7_OFF);
}

void processor_start(uint32_t features)
{
	tables_start();
	segments_load();
	gates_load();
	tasks_start();
	control_start(features);
}

uint64_t msr_read(uint32_t number)
{
	uint64_t value;
	asm volatile("rdmsr" : "=A"(value) : "c"(number));
	return value;
}

uint32_t apic_read(uint32_t at)
{
	return *(const volatile uint32_t *)(APIC_PAGE + at);
}

bool cpu_has_tsc_deadline(void)
{
	uint32_t a = 1, b, c = 0, d;
	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c & FEATURE_TSC_DEADLINE;
}

static bool timer_has_fired(void)
{
	port_write(PIT_COMMAND, PIT_READ_STATUS);
	return port_read(PIT_CHANNEL_0) & PIT_STATUS_OUT;
}

/* The time stamp counter against the timer, asleep in between. A virtual machine may stand still at
 * any place: what is begun before the timer is and ends after it is never too short. */
static uint32_t cycles_measure_once(void)
{
	uint32_t ticks = (PIT_HZ * CALIBRATE_MS + 999) / 1000;
	uint64_t start = cycles();
	port_write(PIT_CHANNEL_0, ticks);
	port_write(PIT_CHANNEL_0, ticks >> 8);
	pic_start(); /* not before: it forgets ticks of the loader's timer, and perhaps ours */
	while (!timer_has_fired())
		asm volatile("sti; hlt; cli" : : : "memory");
	return quotient((cycles() - start) * PIT_HZ, ticks * 1000);
}

uint32_t cycles_measure(uint32_t features)
{
	struct look begin;
	bool has_apic = apic_start(features);
	cpu.level[0].home = activation_at((struct thread *)tag_page, ACTIVATION_HOME);
	cpu.deadline[0] =
		DEADLINE_NEVER; /* an empty page reads as a stopped thread: none to wake */
	timer_start(1000000);
	if (has_apic)
		begin = apic_look();
	uint32_t least = cycles_measure_once();
	for (uint32_t i = 1; i < CALIBRATIONS; i++) {
		uint32_t per_ms = cycles_measure_once();
		least = per_ms < least ? per_ms : least;
	}
	timer_start(least);
	if (has_apic)
		apic_timer_start(begin, apic_look());
	return least;
}
