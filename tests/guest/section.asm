; SPDX-License-Identifier: MIT
; What section_test.c can't say in C: the first instruction behind a section, and a fault handler.
bits 32
%include "offsets.inc"
global section_enter, section_left, section_fault_entry, section_mode, section_target, section_one
global section_handler_adds, section_faults
extern section_run, section_add

section .text.section_enter
; void section_enter(section_prepare *prepare, void *context): section_left as soon as it is left
section_enter:
	push	dword [esp + 8]
	push	dword [esp + 8]
	call	section_run
	mov	byte [section_left], 1
	add	esp, 8
	ret

section .text.section_fault_entry
; The amount could not be read, or the total not be written: another amount is taken, and the
; handler leaves as section_mode says. EBP is still the section's.
section_fault_entry:
	inc	dword [section_faults]
	mov	ecx, [ebp + 8]                  ; struct addition
	mov	dword [ecx], section_one
	cmp	dword [section_handler_adds], 0
	je	.leave
	push	ebp
	push	section_one
	call	section_add
	add	esp, 4
	pop	ebp
.leave:	mov	eax, [section_mode]
	mov	edx, [section_target]
	mov	ecx, ebp
	sysenter

section .data
section_one:	dd 1
section .bss align=4
section_left:	resd 1
section_faults:	resd 1
section_mode:	resd 1
section_target:	resd 1
section_handler_adds:	resd 1
