; SPDX-License-Identifier: MIT
; Where programs begin, and where calls and faults enter a service.
bits 32
%include "offsets.inc"

global program_start, thread_begin, service_entry, service_entry_checked, service_answer
global fault_entry, program_stack_top
extern main, service_operations, service_operation_count, catch_begin, catch_end

section .text.program_start
program_start:
	test	eax, 0x5EED0102                 ; kprof: region 1 ends, boot_to_user
	mov	esp, program_stack_top
	push	ebx                             ; thread_start's argument
	call	main
	mov	eax, RETURN                     ; a thread that returns from home has ended
	sysenter

section .text.thread_begin
; A further thread (thread_start): EBX its function, ESP its stack with the argument on top.
thread_begin:
	call	ebx
	mov	eax, RETURN
	sysenter

section .text.service_entry
; Every door of a service leads here. EAX, EBP badge; ESI operation; EDI, EBX arguments; ESP in the
; thread's data page. Flags, DS, ES are whatever the client liked, and so is the room on the stack.
; uint64_t operation(badge low, a, b, badge high): status low, a word for the client high.
	align 16
service_entry:
	lds	ecx, [ss:.flat]
	test	esp, 0xC00                      ; 1 KiB at least
	jz	.no_stack
.checked:                                       ; from here on for a service_entry_own
	cld
	les	ecx, [ss:.flat]
	cmp	esi, [service_operation_count]
	jae	.no_operation
	mov	edx, edi
	mov	ecx, ebx
	push	eax                             ; for fault reports: badge, and .answer below
	push	ebp
	call	[service_operations + esi * 4]
.answer:
	mov	esi, edx
	or	eax, RETURN
	sysenter
.no_operation:
	mov	eax, RETURN + SERVICE_NO_OPERATION
	sysenter
.no_stack:
	mov	eax, RETURN + SERVICE_NO_STACK
	sysenter
	align 4
.flat:	dd	0, USER_DATA
service_answer equ service_entry.answer
service_entry_checked equ service_entry.checked

section .text.fault_entry
; EAX class, EDX where. An instruction that has a place in the table of catches goes on
; there with all its registers; any other is told to who loaded the program (ESI class, EDI where,
; EBX its ESP, and lent the 4 MiB in which that lies), if that gave us a door for it, and ends the
; call.
	align 16
fault_entry:
	mov	ecx, catch_begin
.next:	cmp	ecx, catch_end
	jae	.none
	cmp	edx, [ecx]
	je	.found
	add	ecx, 8
	jmp	.next
.found:	mov	edx, [ecx + 4]
	mov	eax, RESUME_AT
	sysenter
.none:	mov	ebx, eax                        ; (there may be no stack any more)
	mov	ebp, edx
	xor	eax, eax                        ; SLOT_SELF
	mov	esi, SELF_RECORD
	mov	edi, RECORD_ESP
	mov	ecx, esp
	mov	edx, .esp
	sysenter
.esp:	mov	edi, ebp
	xchg	ebx, esi
	mov	ebp, ebx
	shr	ebp, 22
	mov	eax, SLOT_FAULT_DOOR | OPTION_NESTED | OPTION_WINDOWS
	mov	ecx, esp
	mov	edx, .told
	sysenter
.told:	cmp	eax, ERROR_WINDOW               ; the data page, or an ESP gone astray
	jne	.over
	mov	eax, SLOT_FAULT_DOOR | OPTION_NESTED
	mov	ecx, esp
	mov	edx, .over
	sysenter
.over:	ud2                                     ; a fault of the handler

section .bss align=4096                 ; nested calls from main have the same room everywhere
	resb	16384
program_stack_top:
