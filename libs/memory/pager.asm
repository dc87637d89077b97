; SPDX-License-Identifier: MIT
; The fault entry of a program that pages itself: memory_space.h.
bits 32
%include "offsets.inc"

global pager_entry, pager_base, pager_bytes, pager_table, pager_next, pager_end_frame
global pager_door, pager_first, pager_spares
extern fault_entry, pager_spare_take

%define PROTECTION   1 << 16                    ; in the class: the page was there
%define OCCUPIED     6                          ; MEMORY_OCCUPIED (pager.c compares)

section .text.pager_entry
; EAX class, ECX address, EDX where; all else is the faulting code's. A frame is taken by one
; instruction, so that no two threads get the same. What is no page fault has an ECX below any range.
	align 16
pager_entry:
	sub	ecx, [pager_base]
	cmp	ecx, [pager_bytes]
	jae	fault_entry
	push	ebx
	push	esi
	push	edi
	push	ebp
	push	eax
	mov	ebx, PAGE_BYTES
	xadd	[pager_next], ebx               ; the frame as word b of memory_map: one page
	cmp	ebx, [pager_end_frame]
	jae	.none
.map:	push	ebx
	shr	ecx, 12
	mov	edi, [pager_table]
	lea	edi, [edi + ecx * 4]            ; word a: the tables lie in a row
	xor	esi, esi                        ; MEMORY_MAP
	mov	eax, [pager_door]
	mov	ecx, esp
	mov	edx, .back
	sysenter
.back:	cmp	eax, RETURN
	jne	.refused
	add	esp, 8
.resume:
	pop	ebp
	pop	edi
	pop	esi
	pop	ebx
	mov	eax, RESUME_SAME
	sysenter

; Nothing was mapped: the frame is left over.
.refused:
	mov	ebp, eax
	pop	ecx
	sub	ecx, [pager_first]
	shr	ecx, 12
	mov	eax, [pager_spares]
	bts	[eax], ecx
	pop	eax
	cmp	ebp, RETURN + OCCUPIED          ; by another thread of ours, if it was not there before
	jne	.other
	test	eax, PROTECTION
	jz	.resume
.other:	mov	ebx, eax
	xor	eax, eax                        ; SLOT_SELF
	mov	esi, SELF_RECORD
	mov	edi, RECORD_EIP
	mov	ecx, esp
	mov	edx, .place
	sysenter
.place:	mov	edx, esi
	mov	eax, ebx
	jmp	.report
.none:	sub	dword [pager_next], PAGE_BYTES
	push	ecx
	push	edx
	call	pager_spare_take
	pop	edx
	pop	ecx
	mov	ebx, eax
	test	eax, eax
	jnz	.map
	pop	eax
.report:
	pop	ebp
	pop	edi
	pop	esi
	pop	ebx
	jmp	fault_entry

section .data
	align 32
pager_base:	dd 0
pager_bytes:	dd 0                            ; 0: no range
pager_table:	dd 0
pager_next:	dd 0
pager_end_frame: dd 0
pager_door:	dd 0
pager_first:	dd 0
pager_spares:	dd 0                            ; a bit for each frame: taken, but not used
