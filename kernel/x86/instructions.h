/* SPDX-License-Identifier: MIT */
/* Single instructions; part of x86.h. Tests on the host have a file of this name of their own. */
static inline uint64_t cycles(void)
{
	uint64_t value;
	asm volatile("rdtsc" : "=A"(value));
	return value;
}
static inline void port_write(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline uint8_t port_read(uint16_t port)
{
	uint8_t value;
	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}
static inline void apic_write(uint32_t at, uint32_t value)
{
	*(volatile uint32_t *)(APIC_PAGE + at) = value;
}
static inline void msr_write(uint32_t number, uint64_t value)
{
	asm volatile("wrmsr" : : "c"(number), "A"(value));
}
static inline void directory_load(uint32_t address)
{
	asm volatile("mov %0, %%cr3" : : "r"(address) : "memory");
}
static inline void fpu_save(struct thread *thread)
{
	if (fpu_has_fxsr)
		asm volatile("fxsave (%0)" : : "r"(thread->fpu) : "memory");
	else
		asm volatile("fnsave (%0)" : : "r"(thread->fpu) : "memory");
}
static inline void fpu_load(struct thread *thread)
{
	if (fpu_has_fxsr)
		asm volatile("fxrstor (%0)" : : "r"(thread->fpu) : "memory");
	else
		asm volatile("frstor (%0)" : : "r"(thread->fpu) : "memory");
}
static inline void debug_control(uint32_t value)
{
	asm volatile("mov %0, %%dr7" : : "r"(value));
}
