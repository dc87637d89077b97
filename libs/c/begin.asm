; SPDX-License-Identifier: MIT
; Where an ordinary C program begins: on its own stack, aligned as its compiler expects.
bits 32

global process_begin
extern process_main, process_stack_top

section .text.process_begin
process_begin:
	mov	esp, process_stack_top
	xor	ebp, ebp                        ; where a debugger's backtrace ends
	call	process_main
	ud2                                     ; it does not return
