; SPDX-License-Identifier: MIT
; Holds a pattern in every register while it is preempted: see preempt_test.c.
bits 32
%include "offsets.inc"
global hold, hold_progress, fpu_look

%define HOLD_OFFSETS 64                         ; as in preempt_test.c

struc H                                         ; struct hold
.delay	resd 1
.sse	resd 1
.eflags	resd 1
.eax	resd 1
.ecx	resd 1
.edx	resd 1
.ebx	resd 1
.ebp	resd 1
.esi	resd 1
.edi	resd 1
.fcw	resd 1
.mxcsr	resd 1
.x87	resd 8
.xmm	resb 128
.seen_eflags	resd 1
.seen_eax	resd 1
.seen_ecx	resd 1
.seen_edx	resd 1
.seen_ebx	resd 1
.seen_ebp	resd 1
.seen_esi	resd 1
.seen_edi	resd 1
.seen_mxcsr	resd 1
.seen_xmm	resb 128
.seen_fpu	resb 108
endstruc

section .text.hold
; void hold(struct hold *): cdecl
hold:	push	ebp
	mov	ebp, [esp + 8]
	push	ebp
	mov	ecx, [ebp + H.delay]
	shr	ecx, 1
	jnc	.even
	nop
.even:	inc	ecx
.delay:	dec	ecx
	jnz	.delay
	fninit
	fldcw	[ebp + H.fcw]
%assign number 0
%rep 8
	fild	dword [ebp + H.x87 + number * 4]
  %assign number number + 1
%endrep
	cmp	dword [ebp + H.sse], 0
	je	.no_sse
	ldmxcsr	[ebp + H.mxcsr]
%assign number 0
%rep 8
	movups	xmm %+ number, [ebp + H.xmm + number * 16]
  %assign number number + 1
%endrep
.no_sse:
	push	dword [ebp + H.eflags]
	mov	eax, [ebp + H.eax]
	mov	ecx, [ebp + H.ecx]
	mov	edx, [ebp + H.edx]
	mov	ebx, [ebp + H.ebx]
	mov	esi, [ebp + H.esi]
	mov	edi, [ebp + H.edi]
	mov	ebp, [ebp + H.ebp]
	popfd
%assign number 0
%rep HOLD_OFFSETS       ; each instruction tells where it is, and changes nothing
	mov	dword [hold_progress], number
  %assign number number + 1
%endrep
	pushfd
	push	eax
	mov	eax, [esp + 8]
	pop	dword [eax + H.seen_eax]
	pop	dword [eax + H.seen_eflags]
	push	2
	popfd
	mov	[eax + H.seen_ecx], ecx
	mov	[eax + H.seen_edx], edx
	mov	[eax + H.seen_ebx], ebx
	mov	[eax + H.seen_ebp], ebp
	mov	[eax + H.seen_esi], esi
	mov	[eax + H.seen_edi], edi
	call	fpu_seen
	add	esp, 4
	pop	ebp
	ret

; void fpu_look(struct hold *): what the processor's units hold, as it is
fpu_look:
	mov	eax, [esp + 4]
fpu_seen:
	cmp	dword [eax + H.sse], 0
	je	.no_sse
	stmxcsr	[eax + H.seen_mxcsr]
%assign number 0
%rep 8
	movups	[eax + H.seen_xmm + number * 16], xmm %+ number
  %assign number number + 1
%endrep
.no_sse:
	fnsave	[eax + H.seen_fpu]
	ret

section .bss align=4
hold_progress:	resd 1
