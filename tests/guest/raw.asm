; SPDX-License-Identifier: MIT
; What C can't say: system calls with every register chosen, services that are nothing but their
; entry, and flags that a program may try. See raw.h.
bits 32
%include "offsets.inc"

global raw_invoke, raw_invoke_at, raw_back, snapshot_entry, echo_entry, handler_entry
global fault_with, fault_ud2, fault_store, fault_int, fault_end, step_null
global snapshot, snapshot_count, handler_seen, handler_count, handler_plan, handler_hook
global odd_flags, odd_flags_held, odd_flags_interrupt, odd_flags_iret, spin
global interrupts

%define FAULT_TARGET 0x08001000              ; as in raw.h

struc R                                         ; struct registers
.eax	resd 1
.ecx	resd 1
.edx	resd 1
.ebx	resd 1
.esp	resd 1
.ebp	resd 1
.esi	resd 1
.edi	resd 1
.eflags	resd 1
.null	resd 1
.ds	resd 1
.es	resd 1
endstruc

%macro SEEN 1                                   ; all registers but flags into a struct registers
	mov	[ss:%1 + R.eax], eax
	mov	[ss:%1 + R.ecx], ecx
	mov	[ss:%1 + R.edx], edx
	mov	[ss:%1 + R.ebx], ebx
	mov	[ss:%1 + R.esp], esp
	mov	[ss:%1 + R.ebp], ebp
	mov	[ss:%1 + R.esi], esi
	mov	[ss:%1 + R.edi], edi
%endmacro

section .text.raw
; void raw_invoke(struct registers *), raw_invoke_at: cdecl; ESI, EDI, EBX are the callee's to lose
raw_invoke:
	push	ebp
	mov	ebp, [esp + 8]
	push	ebp
	mov	ecx, esp
	mov	edx, raw_back
	jmp	raw_go
raw_invoke_at:
	push	ebp
	mov	ebp, [esp + 8]
	push	ebp
	mov	[raw_own_esp], esp
	mov	ecx, [ebp + R.esp]
	mov	edx, raw_back_at
raw_go:	mov	eax, [ebp + R.eax]
	mov	ebx, [ebp + R.ebx]
	mov	esi, [ebp + R.esi]
	mov	edi, [ebp + R.edi]
	push	dword [ebp + R.eflags]
	cmp	dword [ebp + R.null], 0
	mov	ebp, [ebp + R.ebp]
	je	.flags
	push	0
	push	0
	push	0
	push	0
	pop	ds
	pop	es
	pop	fs
	pop	gs
.flags:	popfd                                   ; directly before: TF traps one instruction later
	sysenter
raw_back_at:
	mov	[ss:raw_esp], esp
	mov	esp, [ss:raw_own_esp]
	jmp	raw_store
raw_back:
	mov	[ss:raw_esp], esp
raw_store:                                      ; [esp] the struct registers
	pushfd
	push	eax
	mov	eax, [esp + 8]
	pop	dword [ss:eax + R.eax]
	pop	dword [ss:eax + R.eflags]
	mov	[ss:eax + R.ecx], ecx
	mov	[ss:eax + R.edx], edx
	mov	[ss:eax + R.ebx], ebx
	mov	[ss:eax + R.ebp], ebp
	mov	[ss:eax + R.esi], esi
	mov	[ss:eax + R.edi], edi
	mov	ecx, [ss:raw_esp]
	mov	[ss:eax + R.esp], ecx
	mov	[ss:eax + R.ds], ds
	mov	[ss:eax + R.es], es
	mov	ecx, ss
	mov	ds, ecx
	mov	es, ecx
	push	2
	popfd
	add	esp, 4
	pop	ebp
	ret

; A service that writes down what it was entered with.
snapshot_entry:
	SEEN	snapshot
	mov	esp, snapshot_stack
	pushfd
	pop	dword [ss:snapshot + R.eflags]
	mov	[ss:snapshot + R.ds], ds
	mov	[ss:snapshot + R.es], es
	inc	dword [ss:snapshot_count]
	mov	eax, RETURN
	sysenter

; A service that leaves by whatever its client wants: EAX = ESI. Refused: status 1, ESI the error.
echo_entry:
	mov	ecx, esp
	mov	edx, .refused
	mov	eax, esi
	sysenter
.refused:
	mov	esi, eax
	mov	eax, RETURN + 1
	sysenter

; A fault entry that writes down what it got, calls a C function and leaves as planned.
handler_entry:
	SEEN	handler_seen
	pushfd
	pop	dword [ss:handler_seen + R.eflags]
	inc	dword [ss:handler_count]
	push	ebx
	push	esi
	push	edi
	push	ebp
	mov	eax, [ss:handler_hook]
	test	eax, eax
	jz	.leave
	call	eax
.leave:	pop	ebp
	pop	edi
	pop	esi
	pop	ebx
	mov	eax, [ss:handler_plan]
	mov	ecx, [ss:handler_plan + 4]
	mov	edx, [ss:handler_plan + 8]
	push	dword [ss:handler_plan + 12]
	popfd
	sysenter

; void fault_with(struct registers *, code): loads the registers, runs the code to fault_end
fault_with:
	push	ebp
	mov	ebp, [esp + 8]
	mov	eax, [esp + 12]
	push	ebp
	mov	[raw_own_esp], esp
	push	eax
	mov	eax, [ebp + R.eax]
	mov	ecx, [ebp + R.ecx]
	mov	edx, [ebp + R.edx]
	mov	ebx, [ebp + R.ebx]
	mov	esi, [ebp + R.esi]
	mov	edi, [ebp + R.edi]
	push	dword [ebp + R.eflags]
	mov	ebp, [ebp + R.ebp]
	popfd
	ret
fault_end:
	jmp	raw_back_at
fault_ud2:
	ud2
	jmp	fault_end
fault_store:
	mov	[ss:FAULT_TARGET], esi
	jmp	fault_end
fault_int:
	int	0x80
	jmp	fault_end

; `int n` for every n, 2 bytes each
	align 16
interrupts:
%assign number 0
%rep 256
	db	0xCD, number
  %assign number number + 1
%endrep

; Flags that a program may try; whatever comes of it, the call after them is a return from home.
odd_flags:                                      ; EBX the flags
	mov	eax, RETURN
	push	ebx
	popfd
	sysenter
odd_flags_held:                                 ; after a load of SS traps and interrupts wait
	mov	eax, RETURN
	mov	ecx, ss
	push	ebx
	popfd
	mov	ss, ecx
	sysenter
odd_flags_interrupt:
	mov	eax, RETURN
	mov	ecx, ss
	push	ebx
	popfd
	mov	ss, ecx
	int	0x80
	sysenter

odd_flags_iret:                                 ; a task return after TF was met in the kernel
	xor	eax, eax
	xor	esi, esi
	mov	ecx, esp
	mov	edx, .back
	push	ebx
	popfd
	sysenter
.back:	push	0x4002
	popfd
	iret

; void spin(uint32_t): for ever
spin:	jmp	spin

; A service that is nothing but its return: for counting steps.
step_null:
	mov	eax, RETURN
	sysenter

section .bss align=16
snapshot:	resb R_size
handler_seen:	resb R_size
handler_plan:	resd 4
handler_hook:	resd 1
handler_count:	resd 1
snapshot_count:	resd 1
raw_esp:	resd 1
raw_own_esp:	resd 1
	resb	64
snapshot_stack:
