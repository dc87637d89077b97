; SPDX-License-Identifier: MIT
; Instructions that must not work, each in a piece of code of its own. See hostile.h.
bits 32
global hostile_cases, hostile_case_count

; ---- instructions that fault, each hurting nobody else -------------------------------------------
; struct hostile_case: name, code, where it faults (0: at the argument), EBX, vector, error code
%macro CASE 6+                                  ; 1 name, 2 vector, 3 error, 4 EBX, 5 before, 6 it
section .rodata
%%name:	db	%1, 0
section .rodata.hostile
	dd	%%name, %%code, %%at, %4, %2, %3
section .text.hostile
%%code:
	%5
%%at:	%6
	ud2                                     ; it went on: another fault
%endmacro
%macro CASE_THERE 6+                            ; the same for what faults at the argument
section .rodata
%%name:	db	%1, 0
section .rodata.hostile
	dd	%%name, %%code, %4, %4, %2, %3
section .text.hostile
%%code:
	%5
	%6
%endmacro
%macro BLIND 0                                  ; a probe of slot 0 that goes on at EBX
	xor	eax, eax
	xor	esi, esi
	mov	ecx, ebx
	mov	edx, ebx
%endmacro
%macro FLAGS_EBX 0
	push	ebx
	popfd
%endmacro
%macro TRAP_EBX 0                               ; traps after the instruction that follows
	FLAGS_EBX
	nop
%endmacro
%macro DIVIDE_BY_ZERO 0
	push	0x0300                          ; all exceptions
	fldcw	[esp]
	fldz
	fld1
	fdiv	st1
%endmacro

section .rodata.hostile align=4
hostile_cases:
	CASE "hlt", 13, 0, 0, nop, hlt
	CASE "cli", 13, 0, 0, nop, cli
	CASE "sti", 13, 0, 0, nop, sti
	CASE "in", 13, 0, 0, nop, in al, 0x60
	CASE "out", 13, 0, 0x3F8, {mov edx, ebx}, out dx, al
	CASE "out beyond the bitmap", 13, 0, 0xFFFF, {mov edx, ebx}, out dx, eax
	CASE "cr0", 13, 0, 0, nop, mov eax, cr0
	CASE "cr3", 13, 0, 0, nop, mov cr3, ebx
	CASE "dr7", 13, 0, 0, nop, mov dr7, ebx
	CASE "lgdt", 13, 0, 0xB03FA000, nop, lgdt [ebx]
	CASE "lidt", 13, 0, 0xB03FA000, nop, lidt [ebx]
	CASE "lldt", 13, 0, 0, nop, lldt bx
	CASE "ltr", 13, 0, 0x28, nop, ltr bx
	CASE "lmsw", 13, 0, 0, nop, lmsw bx
	CASE "clts", 13, 0, 0, nop, clts
	CASE "invlpg", 13, 0, 0, nop, invlpg [ebx]
	CASE "wbinvd", 13, 0, 0, nop, wbinvd
	CASE "rdmsr", 13, 0, 0x176, {mov ecx, ebx}, rdmsr
	CASE "wrmsr", 13, 0, 0x176, {mov ecx, ebx}, wrmsr
	CASE "sysexit", 13, 0, 0, nop, sysexit
	CASE "kernel data into ds", 13, 0x10, 0x10, nop, mov ds, ebx
	CASE "user code into ds", 13, 0x18, 0x1B, nop, mov ds, ebx
	CASE "task into es", 13, 0x28, 0x2B, nop, mov es, ebx
	CASE "beyond the table into fs", 13, 0xFFF8, 0xFFFB, nop, mov fs, ebx
	CASE "local descriptor into gs", 13, 4, 7, nop, mov gs, ebx
	CASE "null into ss", 13, 0, 0, nop, mov ss, ebx
	CASE "user code into ss", 13, 0x18, 0x1B, nop, mov ss, ebx
	CASE "kernel data into ss", 13, 0x10, 0x10, nop, mov ss, ebx
	CASE "jump to kernel code", 13, 8, 0, nop, jmp 8:0
	CASE "jump to a data segment", 13, 0x20, 0, nop, jmp 0x23:0
	CASE "jump to the task", 13, 0x28, 0, nop, jmp 0x2B:0
	CASE "call the double fault's task", 13, 0x30, 0, nop, call 0x33:0
	CASE "iret of a nested task", 10, 0, 0x4002, FLAGS_EBX, iret
	CASE "division by zero", 0, 0, 0, {xor edx, edx}, div ebx
	CASE "bound", 5, 0, hostile_cases, nop, bound eax, [ebx]
	CASE "no such instruction", 6, 0, 0, nop, ud2
	CASE "floating point exception", 16, 0, 0, DIVIDE_BY_ZERO, fwait
	CASE "stack at the top of memory", 14, 6, 0xFFFFFFFC, {xor esp, esp}, push eax
	CASE "stack in the kernel", 14, 7, 0xC0100000, {lea esp, [ebx + 4]}, push eax
	CASE "read the kernel", 14, 5, 0xC0100000, nop, mov eax, [ebx]
	CASE "write the kernel", 14, 7, 0xC0100000, nop, mov [ebx], eax
	CASE_THERE "jump into the kernel", 14, 5, 0xC0100000, nop, jmp ebx
	CASE_THERE "system call that goes on in the kernel", 14, 5, 0xC0100000, BLIND, sysenter
	CASE_THERE "system call that goes on nowhere", 14, 4, 0xFFFFFFFF, BLIND, sysenter
	CASE "trap flag", 1, 0, 0x302, TRAP_EBX, nop
	CASE "write the tag page", 14, 7, 0xB03FA000, nop, mov [ebx], eax
	CASE "read the task state", 14, 5, 0xFF800F00, nop, mov eax, [ebx]
	CASE "read the port bitmap", 14, 5, 0xFF801000, nop, mov eax, [ebx]
	CASE "read below the data page", 14, 4, 0xB03FEFFC, nop, mov eax, [ebx]
	CASE "write between tag and data page", 14, 6, 0xB03FB000, nop, mov [ebx], eax
	CASE "read a window that nobody lent", 14, 4, 0xB0400000, nop, mov eax, [ebx]
	CASE "write the other window", 14, 6, 0xB0800000, nop, mov [ebx], eax
	CASE "read the first page", 14, 4, 0, nop, mov eax, [ebx]
	CASE "read the last page", 14, 4, 0xFFFFF000, nop, mov eax, [ebx]
section .rodata.hostile
cases_end:
hostile_case_count:
	dd	(cases_end - hostile_cases) / 24
