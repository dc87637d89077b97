; SPDX-License-Identifier: MIT
; Exceptions and interrupts: into C on the CPU's stack and back. Interrupts are off throughout.
; A frame from user mode lies below the running activation in the thread's control page (TSS.esp0).
bits 32
%include "offsets.inc"

global trap_stubs, page_fault_entry, debug_entry, nmi_entry, double_fault_entry
global flat, leave_by_trap, leave_iret, idle, page_fault_address
global tss, tss_page, window_table, tag_page, bitmap_none_table, bitmap_ones
global cpu_stack, cpu_stack_top, double_fault_stack_top, nmi_count
extern trap, trap_kernel, step_done, double_fault_report, entry_sysenter, cpu

%define FRAME_EIP 40                            ; offsets in struct trap_frame
%define FRAME_CS  44

section .text

; One stub of 16 bytes for each vector; those without an error code push 0.
	align 16
trap_stubs:
%assign vector 0
%rep 256
	align 16
  %if vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21
	push	0
  %endif
	push	vector
	jmp	trap_common
  %assign vector vector + 1
%endrep

	align 16
trap_common:
	pushad
	cld
	lds	edx, [ss:flat]                  ; the kernel's and the user's alike
	les	edx, [ss:flat]
	mov	eax, esp                        ; struct trap_frame *
	test	byte [esp + FRAME_CS], 3
	jz	trap_in_kernel
	mov	esp, cpu_stack_top
	call	trap
	mov	esp, [tss + 4]
	sub	esp, 60
leave_iret_frame:
	popad
	add	esp, 8
	iret
trap_in_kernel:
	call	trap_kernel
	jmp	leave_iret_frame

; void leave_by_trap(struct trap_frame *)
leave_by_trap:
	mov	esp, eax
	push	2                               ; NT, if who called us had set it, would make it a
	popf                                    ; task switch
	jmp	leave_iret_frame

; The end of `resume` (call.asm): registers loaded, an IRET frame on the stack. A step ends here, as
; it does at a SYSEXIT.
leave_iret:
	cmp	dword [ss:cpu + CPU_STEPPING], 0
	jne	step_here
	iret
step_here:
	push	0
	push	1
	pushad
	lds	edx, [ss:flat]
	les	edx, [ss:flat]
	mov	esp, cpu_stack_top
	call	step_done                       ; does not come back

; #PF in user mode with a handler that is not at work: what fault_deliver (fault.c) does, in short.
; [esp] error code, EIP, CS, EFLAGS, ESP, SS; the activation begins above.
%define A(field)        ss:esp + 24 + ACTIVATION_ %+ field
%define R(field)        ss:esp + 24 + ACTIVATION_RECORD + RECORD_ %+ field * 4
%define CPU(field)      ss:cpu + CPU_ %+ field
	align 16
page_fault_entry:
	test	byte [ss:esp + 8], 3
	jz	.slow
	cmp	dword [CPU(STEPPING)], 0
	jne	.slow
	mov	[R(EAX)], eax
	mov	eax, [CPU(RUNNING_DOMAIN)]
	cmp	dword [ss:eax + DOMAIN_FAULT], 0
	je	.slow_eax
	cmp	dword [CPU(FAST_LIMIT)], 0
	je	.special
	mov	dword [CPU(FAST_LIMIT)], 0
	mov	dword [A(FLAGS)], ACTIVATION_PLAIN | ACTIVATION_HANDLING
	mov	dword [A(WINDOW) + 4], 0
	mov	dword [A(WINDOW) + 12], 0
.note:	mov	[R(ECX)], ecx
	mov	[R(EDX)], edx
	mov	edx, [ss:esp + 16]
	mov	[R(ESP)], edx
	and	edx, ~15
	lea	ecx, [edx - DATA_PAGE]
	cmp	ecx, PAGE_BYTES
	jae	.top
.stack:	mov	[ss:esp + 16], edx
	mov	ecx, esp
	and	ecx, -PAGE_BYTES
	mov	edx, [ss:eax + DOMAIN_SELF]
	mov	[ss:ecx + THREAD_FAULT + 12], edx
	mov	edx, [ss:eax + DOMAIN_FAULT]
	xchg	edx, [ss:esp + 4]
	mov	[R(EIP)], edx
	mov	[ss:ecx + THREAD_FAULT + 8], edx
	mov	eax, FLAGS_START
	xchg	eax, [ss:esp + 12]
	and	eax, FLAGS_USER
	or	eax, FLAGS_START
	mov	[R(EFLAGS)], eax
	mov	eax, cr2
	mov	[ss:ecx + THREAD_FAULT + 4], eax
	pop	eax
	shl	eax, 16
	or	eax, VECTOR_PAGE_FAULT << 8 | FAULT_PAGING
	mov	[ss:ecx + THREAD_FAULT], eax
	lds	ecx, [ss:flat]
	les	ecx, [ss:flat]
	mov	ecx, cr2
	iret
.top:	mov	edx, DATA_STACK
	jmp	.stack
.special:
	test	byte [A(FLAGS)], ACTIVATION_HANDLING
	jnz	.slow_eax
	or	byte [A(FLAGS)], ACTIVATION_HANDLING
	jmp	.note
.slow_eax:
	mov	eax, [R(EAX)]
.slow:	push	VECTOR_PAGE_FAULT
	jmp	trap_common

; #DB. In the kernel it is either SYSENTER with TF set (the flag survives it: run the path at full
; speed, clear TF) or, while stepping, the breakpoint on a SYSEXIT: the step is done, and we make
; the frame that a trap in user mode would have made.
	align 16
debug_entry:
	test	byte [ss:esp + 4], 3
	jnz	.user
	cmp	dword [ss:esp], entry_sysenter
	jne	.exit
	and	dword [ss:esp + 8], ~0x100
	iret
.exit:	cmp	dword [ss:cpu + CPU_STEPPING], 0
	je	.bug
	mov	esp, [ss:tss + 4]
	push	USER_DATA
	push	ecx
	push	0x202
	push	USER_CODE
	push	edx
	jmp	step_here
.user:
.bug:	push	0
	push	1
	jmp	trap_common

	align 16
nmi_entry:                                      ; only counted: ESP is always valid
	inc	dword [ss:nmi_count]
	iret

double_fault_entry:                             ; by task gate: own stack, whatever happened
	call	double_fault_report

page_fault_address:
	mov	eax, cr2
	ret

; Nobody is to run: the CPU halts until an interrupt wakes the root thread (dispatch.c).
idle:
	mov	esp, cpu_stack_top
.halt:	sti
	hlt
	cli
	jmp	.halt

section .rodata
	align 8
; LDS and LES load the flat segment, and a zero, by this null pointer.
flat:	dd	0, USER_DATA

section .bss align=4096
; The TSS ends its page, so that the I/O bitmap behind it begins a page that differs by directory;
; below it there is room for the frame of a #DB at entry_sysenter.
tss_page:
	resb	0xF00
tss:	resb	0x100
bitmap_ones:                                    ; for domains without ports
	resb	4096
bitmap_none_table:
	resb	4096
window_table:
	resb	4096
tag_page:
	resb	4096
cpu_stack:
	resb	4096
cpu_stack_top:
	resb	2048
double_fault_stack_top:
nmi_count:
	resd	1
