; SPDX-License-Identifier: MIT
; Entry of every test domain: the door's badge is the address of a C function (test.h).
bits 32
%include "offsets.inc"
global peer_entry

section .text.peer_entry
	align 16
peer_entry:
	cld
	mov	ecx, ss
	mov	ds, ecx
	mov	es, ecx
	push	ebp
	mov	ebp, eax
	mov	eax, esi
	mov	edx, edi
	mov	ecx, ebx
	call	ebp
	mov	esi, edx
	or	eax, RETURN
	sysenter
