/* SPDX-License-Identifier: MIT */
/* In place of kernel/x86/instructions.h: the test is the machine (machine/machine.c). */
uint64_t cycles(void);
void port_write(uint16_t port, uint8_t value);
uint8_t port_read(uint16_t port);
void directory_load(uint32_t address);
void fpu_save(struct thread *thread);
void fpu_load(struct thread *thread);
void debug_control(uint32_t value);
void apic_write(uint32_t at, uint32_t value);
void msr_write(uint32_t number, uint64_t value);
