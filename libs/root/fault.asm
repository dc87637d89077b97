; SPDX-License-Identifier: MIT
; Doors of the root program: through most of them programs tell that they fault (libs/runtime/
; start.asm: fault_entry); through those whose badge has a low word of 0 its children as a scheduler
; ask for a time (wish.h).
bits 32
%include "offsets.inc"

global fault_door_entry
extern fault_told, root_wish

section .text.fault_door_entry
; EAX the badge: the program's domain. ESI, EDI, EBX: class, place, ESP. Back with nothing of ours.
	align 16
fault_door_entry:
	cld
	mov	ecx, ss
	mov	ds, ecx
	mov	es, ecx
	test	esp, 0xC00                      ; 1 KiB of stack at least
	jz	.out
	mov	edx, edi
	test	eax, eax
	jz	.wish
	mov	ecx, esi
	push	ebx
	call	fault_told
	add	esp, 4
.out:	xor	esi, esi
	xor	edi, edi
	xor	ebx, ebx
	xor	ebp, ebp
	mov	eax, RETURN
	sysenter
.wish:	mov	eax, ebp                        ; the child's number
	mov	ecx, ebx
	call	root_wish
	jmp	.out
