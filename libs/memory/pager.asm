; SPDX-License-Identifier: MIT
; The fault entry of a program that pages itself: memory_space.h.
;
; A call from within a fault handler takes the kernel's longer way. So the handler only takes a frame
; and goes on, as RESUME_AT does it, at a stub that has every register of the faulting code: it saves
; them, calls the memory service as anybody does, restores them and jumps back. What they tell each
; other lies on the data page, which only this thread sees, below H, the handler's ESP.
bits 32
%include "offsets.inc"

global pager_entry, pager_base, pager_bytes, pager_table, pager_next, pager_end_frame
global pager_door, pager_first, pager_spares
extern fault_entry, pager_spare_take

%define PROTECTION   1 << 16                    ; in the class: the page was there
%define OCCUPIED     6                          ; MEMORY_OCCUPIED (pager.c compares)
%define TRAP         0x100                      ; in the flags, of a thread that is stepped: not its own
%define H_EIP        4                          ; bytes below H
%define H_OFFSET     8
%define H_CLASS      12
%define H_FRAME      16
%define H_ESP        20                         ; pager_home only
%define H_GIVEN_UP   24                         ; an EIP: what faults there is none of ours
%define H_BYTES      32
%define SAVED        36                         ; pushf, pusha

section .text.pager_entry
; EAX class, ECX address, EDX where; all else is the faulting code's. A frame is taken by one
; instruction, so that no two threads get the same. What is no page fault has an ECX below any range.
	align 16
pager_entry:
	sub	ecx, [pager_base]
	cmp	ecx, [pager_bytes]
	jae	fault_entry
	cmp	edx, [esp - H_GIVEN_UP]
	je	.given_up
	push	edx
	push	ecx
	push	eax
	mov	edx, PAGE_BYTES
	xadd	[pager_next], edx               ; as word b of memory_map: one page
	cmp	edx, [pager_end_frame]
	jae	.none
.frame:	push	edx
	mov	eax, RESUME_AT
	mov	edx, pager_home
	cmp	esp, DATA_STACK - H_FRAME
	jne	.page
.leave:	sysenter
.page:	mov	edx, pager_page
	jmp	.leave

.none:	sub	dword [pager_next], PAGE_BYTES
	pusha                                   ; C keeps nothing but EBP
	call	pager_spare_take
	mov	[esp + 20], eax                 ; EDX
	popa
	test	edx, edx
	jnz	.frame
	pop	eax
	pop	ecx
	pop	edx
	jmp	fault_entry
.given_up:
	mov	dword [esp - H_GIVEN_UP], 0
	jmp	fault_entry

; Behind pushf and pusha, with H; [esp] the registers.
%macro MAP 1
	mov	edi, [%1 - H_OFFSET]
	mov	ebx, [%1 - H_FRAME]
	shr	edi, 12
	mov	ecx, [pager_table]
	lea	edi, [ecx + edi * 4]            ; word a: the tables lie in a row
	xor	esi, esi                        ; MEMORY_MAP
	mov	eax, [pager_door]
	mov	ecx, esp
	mov	edx, %%back
	sysenter
%%back:	cmp	eax, RETURN
%endmacro

; ESP was not in the data page: its top is free. H is DATA_STACK.
	align 16
pager_home:
	mov	[DATA_STACK - H_ESP], esp
	mov	esp, DATA_STACK - H_BYTES
	pushf
	and	dword [esp], ~TRAP
	pusha
	MAP	DATA_STACK
	jne	.failed
.back:	popa
	popf
	mov	esp, [DATA_STACK - H_ESP]
	jmp	[DATA_STACK - H_EIP]
.failed:
	mov	ebp, DATA_STACK
	call	failed
	jmp	.back

; ESP is in the data page, 0 to 15 bytes above H.
pager_page:
	lea	esp, [esp - 16 - H_BYTES]
	pushf
	and	dword [esp], ~TRAP
	pusha
	lea	ebp, [esp + SAVED + 16 + H_BYTES]
	and	ebp, -16
	MAP	ebp
	lea	ebp, [esp + SAVED + 16 + H_BYTES]
	je	.back
	and	ebp, -16
	call	failed
	lea	ebp, [esp + SAVED + 16 + H_BYTES]
.back:	mov	eax, ebp
	and	eax, -16
	mov	eax, [eax - H_EIP]
	mov	[ebp - 4], eax
	popa
	popf
	lea	esp, [esp + 16 + H_BYTES - 4]
	ret

; EBP is H, EAX what the service said. Nothing was mapped: the frame is left over. If another thread
; of ours was first, and the page was not there before, all is well. Else the instruction faults once
; more, so that it is its fault that is reported.
failed:	mov	ecx, [ebp - H_FRAME]
	sub	ecx, [pager_first]
	shr	ecx, 12
	mov	edx, [pager_spares]
	bts	[edx], ecx
	cmp	eax, RETURN + OCCUPIED
	jne	.give_up
	test	dword [ebp - H_CLASS], PROTECTION
	jz	.out
.give_up:
	mov	eax, [ebp - H_EIP]
	mov	[ebp - H_GIVEN_UP], eax
.out:	ret

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
