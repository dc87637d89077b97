; SPDX-License-Identifier: MIT
; The fault entry of a program that pages itself: memory_space.h.
;
; A call from within a fault handler takes the kernel's longer way. So the handler only takes a
; frame and goes on, as RESUME_AT does it, at a stub that has every register of the faulting code:
; it saves them, calls the memory service as anybody does, restores them and jumps back. What they
; tell each other lies on the data page, which only this thread sees, below H: the handler's ESP if
; the faulting code stands on that page, else HOME.
bits 32
%include "offsets.inc"

global pager_entry, pager_base, pager_bytes, pager_range, pager_table, pager_next
global pager_end_frame, pager_door, pager_first, pager_spares
extern fault_entry, pager_spare_take

%define PROTECTION   1 << 16                    ; in the class: the page was there
%define OCCUPIED     6                          ; MEMORY_OCCUPIED (pager.c compares)
%define TRAP         0x100                      ; a stepped thread sees it in its flags
%define H_EIP        4                          ; bytes below H
%define H_OFFSET     8
%define H_CLASS      12
%define H_FRAME      16
%define H_GIVEN_UP   20                         ; MARK + EIP: what faults there is none of ours
%define H_ESP        24
%define H_BYTES      32
%define MARK         0x6E6F7573                 ; that it is no word that a stack has left there
%define SAVED        36                         ; pushf, pusha
; Below it are at most 2048 bytes of parameters, above it more than the KiB that a call needs.
%define HOME         (DATA_PAGE + 2560)

section .text.pager_entry
; ECX the offset in the range: a frame is taken by one instruction, so that no two threads get the
; same, and the stub goes on.
%macro TAKE 1
	push	edx
	push	ecx
	push	eax
	mov	edx, PAGE_BYTES
	xadd	[pager_next], edx               ; as word b of memory_map: one page
	cmp	edx, [pager_end_frame]
	jae	%%none
%%frame:
	push	edx
	mov	eax, RESUME_AT
	mov	edx, %1
	sysenter
%%none:	call	look_for_spare
	jnz	%%frame
	jmp	no_frame
%endmacro

; EAX class, ECX address, EDX where; all else is the faulting code's. What is no page fault has an
; ECX below any range.
	align 16
pager_entry:
	sub	ecx, [pager_base]
	cmp	ecx, [pager_bytes]
	jae	outside
.inside:
	cmp	esp, DATA_STACK
	jne	.page
	mov	esp, HOME
	TAKE	pager_home
.page:	TAKE	pager_page

; From when a thread of ours gives up until its instruction has faulted again pager_bytes is 0, and
; others' faults in the range come here, too.
outside:
	cmp	ecx, [pager_range]
	jae	fault_entry
	push	ecx
	lea	ecx, [esp + 4]
	cmp	ecx, DATA_STACK
	jne	.mark
	mov	ecx, HOME
.mark:	lea	edx, [edx + MARK]
	cmp	[ecx - H_GIVEN_UP], edx
	lea	edx, [edx - MARK]
	je	.own
	pop	ecx
	jmp	pager_entry.inside
.own:	mov	dword [ecx - H_GIVEN_UP], 0
	mov	ecx, [pager_range]
	mov	[pager_bytes], ecx
	pop	ecx
	jmp	fault_entry

look_for_spare:
	sub	dword [pager_next], PAGE_BYTES
	pusha                                   ; C keeps nothing but EBP
	call	pager_spare_take
	mov	[esp + 20], eax                 ; EDX
	popa
	test	edx, edx
	ret
no_frame:
	pop	eax
	pop	ecx
	pop	edx
	jmp	fault_entry

; Behind pushf and pusha: H, and options of the call.
%macro MAP 2
	mov	edi, [%1 - H_OFFSET]
	mov	ebx, [%1 - H_FRAME]
	shr	edi, 12
	mov	ecx, [pager_table]
	lea	edi, [ecx + edi * 4]            ; word a: the tables lie in a row
	xor	esi, esi                        ; memory_map_pages_op
	mov	eax, [pager_door]
%if %2
	or	eax, %2
%endif
	mov	ecx, esp
	mov	edx, %%back
	sysenter
%%back:	cmp	eax, RETURN
%endmacro

	align 16
pager_home:
	mov	[HOME - H_ESP], esp
	mov	esp, HOME - H_BYTES
	pushf
	and	dword [esp], ~TRAP
	pusha
	MAP	HOME, 0
	jne	.failed
.back:	popa
	popf
	mov	esp, [HOME - H_ESP]
	jmp	[HOME - H_EIP]
.failed:
	mov	ebp, HOME
	call	failed
	jmp	.back

; ESP is in the data page, 0 to 15 bytes above H.
%define ABOVE        (16 + H_BYTES)
pager_page:
	lea	esp, [esp - ABOVE]
	pushf
	and	dword [esp], ~TRAP
	pusha
	lea	ebp, [esp + SAVED + ABOVE]
	and	ebp, -16
	MAP	ebp, OPTION_NESTED
	lea	ebp, [esp + SAVED + ABOVE]
	je	.back
	and	ebp, -16
	call	failed
	lea	ebp, [esp + SAVED + ABOVE]
.back:	mov	eax, ebp
	and	eax, -16
	mov	eax, [eax - H_EIP]
	mov	[ebp - 4], eax
	popa
	popf
	lea	esp, [esp + ABOVE - 4]
	ret

; EBP is H, EAX what the service said. Nothing was mapped: the frame is left over. If another
; thread of ours was first, and the page was not there before, all is well. Else the instruction
; faults once more, so that it is its fault that is reported.
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
	add	eax, MARK
	mov	[ebp - H_GIVEN_UP], eax
	mov	dword [pager_bytes], 0
.out:	ret

section .data
	align 32
pager_base:	dd 0
pager_bytes:	dd 0                            ; pager_range, or 0
pager_range:	dd 0                            ; 0: none
pager_table:	dd 0
pager_next:	dd 0
pager_end_frame: dd 0
pager_door:	dd 0
pager_first:	dd 0
pager_spares:	dd 0                            ; a bit for each frame: taken, but not used
