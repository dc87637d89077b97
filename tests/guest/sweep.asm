; SPDX-License-Identifier: MIT
; Calls and faults of which every instruction is counted: see sweep_test.c.
bits 32
%include "offsets.inc"
global nowhere_is_there, short_fault_entry
global counted_call, counted_entry, counted_target, counted_lend, counted_windows, counted_result

section .text.counted
counted_call:                                   ; a thread begins here; nothing but one call
	mov	eax, [counted_target]
	mov	ebx, [counted_lend]
	mov	ebp, [counted_windows]
	mov	ecx, esp
	mov	edx, .back
	sysenter                                ; the sixth step ends in the callee
.back:	mov	[counted_result], eax
	mov	eax, RETURN
	sysenter                                ; the last one ends the thread

counted_entry:
	nop
	mov	eax, RETURN + 7
	sysenter

; uint32_t nowhere_is_there(void): 0, since the load faults
nowhere_is_there:
	mov	eax, 1
.load:	mov	ecx, [0x0BAD0000]
	ret
.caught:
	xor	eax, eax
	ret

short_fault_entry:
	cmp	edx, nowhere_is_there.load
	jne	.none
	mov	edx, nowhere_is_there.caught
	mov	eax, RESUME_AT
	sysenter
.none:	ud2

section .bss align=4
counted_target:	resd 1
counted_lend:	resd 1
counted_windows: resd 1
counted_result:	resd 1
