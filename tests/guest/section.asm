; SPDX-License-Identifier: MIT
; A rollforward section as docs/architecture.md has it, with one logged word: see section_test.c.
bits 32
%include "offsets.inc"
global section_add, hand_again, hand_start, section_prepare, section_read, hand_committed
global hand_finish, hand_end, section_total, section_lost_count, section_lost_eip
global section_fault_entry, section_fault_count, section_mode, section_target, section_one
global section_handler_adds

%define OWNER   0x30000000                      ; SECTION_LOCK in section_test.c
%define COUNT   OWNER + 4
%define ADDRESS OWNER + 8
%define VALUE   OWNER + 12

struc RECORD                                    ; on the thread's own stack, at EBP
.continuation	resd 1
.esp		resd 1
.amount		resd 1
endstruc

section .text.section_add
; void section_add(const uint32_t *amount): section_total += *amount, exactly once
section_add:
	mov	eax, [esp + 4]
	push	ebp
	sub	esp, RECORD_size
	mov	ebp, esp
	mov	dword [ebp + RECORD.continuation], section_prepare
	mov	[ebp + RECORD.esp], esp
	mov	[ebp + RECORD.amount], eax
hand_again:
	mov	eax, [TAG_PAGE]
	mov	[OWNER], eax                    ; TAKE
hand_start:
	cmp	dword [COUNT], 0
	jne	.roll
.go:	jmp	[ebp + RECORD.continuation]
.roll:	mov	ecx, [ADDRESS]
	mov	edx, [VALUE]
	mov	[ecx], edx
	mov	dword [COUNT], 0
	jmp	.go
section_prepare:
	mov	ecx, [ebp + RECORD.amount]
section_read:
	mov	edx, [ecx]
	add	edx, [section_total]
	mov	dword [ADDRESS], section_total
	mov	[VALUE], edx
	mov	dword [COUNT], 1                ; the commit
hand_committed:
	mov	ecx, [ADDRESS]
	mov	edx, [VALUE]
	mov	[ecx], edx
	mov	dword [COUNT], 0
hand_finish:
	xor	eax, eax                        ; so that it is not taken for lost
	mov	[OWNER], eax
hand_end:                                    ; LOST: EAX where it was
	test	eax, eax
	jz	.done
	inc	dword [section_lost_count]
	mov	[section_lost_eip], eax
	cmp	eax, hand_committed
	jb	.retry
	mov	dword [ebp + RECORD.continuation], hand_finish
.retry:	mov	esp, [ebp + RECORD.esp]
	jmp	hand_again
.done:	add	esp, RECORD_size
	pop	ebp
	ret

; The amount could not be read: another one is taken, and the handler leaves as section_mode says.
section_fault_entry:
	inc	dword [section_fault_count]
	mov	dword [ebp + RECORD.amount], section_one
	cmp	dword [section_handler_adds], 0
	je	.leave
	push	section_one
	call	section_add
	add	esp, 4
.leave:	mov	eax, [section_mode]
	mov	edx, [section_target]
	mov	ecx, [ebp + RECORD.esp]
	sysenter

section .data
section_one:	dd 1
section .bss align=4
section_total:	resd 1
section_lost_count:	resd 1
section_lost_eip:	resd 1
section_fault_count:	resd 1
section_mode:	resd 1
section_target:	resd 1
section_handler_adds:	resd 1
