; SPDX-License-Identifier: MIT
; Calls of which every instruction is counted: see sweep_test.c.
bits 32
%include "offsets.inc"
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

section .bss align=4
counted_target:	resd 1
counted_lend:	resd 1
counted_windows: resd 1
counted_result:	resd 1
