; SPDX-License-Identifier: MIT
; The two system calls: invoke and return. Everything starts at entry_sysenter.
;
; In:  EAX slot and options, or RETURN + status; ECX the user's ESP, EDX where to go on;
;      ESI, EDI, EBX, EBP words 0 to 3. Interrupts are off, DS and ES may be null: ss: everywhere.
;
; SYSENTER_ESP is the address of TSS.esp0, which points to the running activation in the thread's
; control page (kernel.h): so the kernel's stack is the activation stack. Nothing is published
; before the last check: an error reloads ESP from TSS.esp0 and goes back. Exactly four SYSEXITs,
; because single stepping puts the four debug registers there (x86/trap.asm).
bits 32
%include "offsets.inc"

global entry_sysenter, leave_by_call, sysexits, call_method, exit_call, probe, error_stale
extern leave_iret, flat, kind_thread, kind_thread_narrow, self_wait_fast
extern cpu, tss, cpu_stack_top, object_table, operations, operation_refused
extern call_options_rare, lend_mixed, return_capabilities, slot_named, data_page_back, return_unwind

%define ESP0            tss + 4
%define CPU(field)      ss:cpu + CPU_ %+ field
%define A(field)        ss:esp + ACTIVATION_ %+ field
; object table entries by the word of a door capability, whose kind bits are folded in here
%define DOOR            (CAPABILITY_DOOR << CAPABILITY_KIND_SHIFT)
%define DOOR_GENERATION ss:object_table - DOOR
%define DOOR_PAGE       ss:object_table - DOOR + 4
%define DOOR_BYTE       (CAPABILITY_DOOR << 4)


; before C: flags known, the user's flat data segment (nothing to restore later)
%macro FOR_C 0
	push	2
	popf
	push	USER_DATA
	pop	ds
	push	USER_DATA
	pop	es
%endmacro

; a C function on this stack: the page has 900 bytes below the deepest activation. eax in and out;
; C keeps nothing but ebp here (Makefile), so the words are put aside.
%macro C_HERE 1
	push	ebx
	push	esi
	push	edi
	FOR_C
	call	%1
	pop	edi
	pop	esi
	pop	ebx
%endmacro

%macro PUSH_CAPABILITY 1
	push	dword [%1 + 12]
	push	dword [%1 + 8]
	push	dword [%1 + 4]
	push	dword [%1]
%endmacro
%macro POP_CAPABILITY 1
	pop	dword [%1]
	pop	dword [%1 + 4]
	pop	dword [%1 + 8]
	pop	dword [%1 + 12]
%endmacro

section .text

; ---- a call that lends nothing but the thread: 30 instructions, 36 nested ------------------------
%macro DOOR_CALL 2      ; 1: the callee's stack goes on below the caller's; where no door goes
	push	ecx
	push	edx
	shl	eax, 4
	add	eax, [CPU(RUNNING_DOMAIN)]
	cmp	byte [ss:eax + 3], DOOR_BYTE
	jne	%2
	mov	edx, [ss:eax]
	mov	ebp, [ss:eax + 4]
	cmp	ebp, [DOOR_GENERATION + edx]
	jne	error_stale
	test	esp, 0x800                      ; room for one more activation
	jz	error_depth
	mov	[ss:esp + 8 - ACTIVATION_BYTES], edx
	mov	[ss:esp + 12 - ACTIVATION_BYTES], ebp
	mov	edx, [DOOR_PAGE + edx]
	sub	esp, ACTIVATION_BYTES - 8
	mov	[ss:ESP0], esp
	mov	[CPU(RUNNING_DOMAIN)], edx
	mov	ebp, [ss:edx + DOMAIN_DIRECTORY]
	mov	cr3, ebp
	mov	edx, [ss:edx + DOMAIN_SET]
	mov	ebp, [ss:eax + 12]
	mov	eax, [ss:eax + 8]
%if %1
	and	ecx, PAGE_BYTES - 16            ; whatever it says, the stack is in the data page
	or	ecx, DATA_PAGE
%else
	mov	ecx, DATA_STACK
%endif
	sti
%endmacro

	align 64
entry_sysenter:
	pop	esp
	cmp	eax, [CPU(FAST_LIMIT)]      ; 128, or 0 while the activation is special
	jae	not_fast
	DOOR_CALL 0, not_door
sysexit_call:
	sysexit

	align 32
not_fast:
	jo	return_fast                     ; RETURN + 0..127, nothing lent
	js	return_slow
	xor	eax, OPTION_NESTED
	cmp	eax, [CPU(FAST_LIMIT)]
	jae	slow
	DOOR_CALL 1, not_door_nested
sysexit_nested:
	sysexit

	align 32
return_fast:
	mov	edx, [ss:esp + ACTIVATION_BYTES]
	mov	ecx, [ss:esp + ACTIVATION_BYTES + 4]
	cmp	ecx, [DOOR_GENERATION + edx]
	jne	caller_dead
	mov	edx, [DOOR_PAGE + edx]
	mov	[CPU(RUNNING_DOMAIN)], edx
	mov	ecx, [ss:edx + DOMAIN_DIRECTORY]
	mov	cr3, ecx
	add	esp, ACTIVATION_BYTES - 8
return_tail:
	pop	edx
	pop	ecx
	mov	[ss:ESP0], esp
	sti
sysexit_return:
	sysexit

; ---- kernel objects ------------------------------------------------------------------------------
; [esp] the user's EIP and ESP, eax the capability. By kind and rights: one jump.
	align 32
not_door:
	movzx	edx, byte [ss:eax + 3]
	jmp	[ss:kinds + edx * 4]

	align 16
kind_self:
	cmp	esi, SELF_WAIT
	je	self_wait_fast
	cmp	esi, SELF_COPY
	jne	kind_self.other
	lea	edx, [edi - 1]                  ; slot 0 can't be overwritten
	cmp	edx, LIST_SLOTS - 2
	ja	call_method
	cmp	ebx, LIST_SLOTS
	jae	call_method                     ; lent slots, other pages: capability.c
	mov	ecx, [CPU(RUNNING_DOMAIN)]
	add	edi, edi
	add	ebx, ebx
	PUSH_CAPABILITY ss:ecx + ebx * 8
	POP_CAPABILITY ss:ecx + edi * 8
probe:	xor	eax, eax
exit_call:                                      ; every method and error leaves here
	pop	edx
	pop	ecx
exit_words:
	sti
sysexit_method:
	sysexit

kind_self.other:
	test	esi, esi
	jz	probe
	jmp	call_method

	align 16
kind_object:
	mov	edx, [ss:eax]
	mov	ecx, [ss:eax + 4]
	and	edx, CAPABILITY_INDEX_MASK
	cmp	ecx, [ss:object_table + edx]
	jne	error_stale
	test	esi, esi
	jz	probe

; C methods: uint32_t method(struct capability *, struct call_frame *), on the CPU's stack. The
; frame stays below the activation, so a method that does not come back has nothing left to save.
; The table (capability.c) gives for kind and operation the function, the rights that it needs, and
; the bits of word 0 that must be zero.
call_method:
	pushad
	mov	dword [ss:esp + CALL_FRAME_STATUS], 0   ; if it comes back later
	movzx	ecx, byte [ss:eax + 3]          ; kind << 4 | rights
	mov	edx, esi
	and	edx, OPERATIONS_PER_KIND - 1
	mov	ebx, ecx
	and	ebx, 0xF0
	not	ecx
	or	ebx, edx
	and	ecx, RIGHTS_ALL                 ; the rights that it lacks
	xor	edx, esi
	or	ecx, edx                        ; and the rest of word 0
	mov	edx, esp
	mov	esp, cpu_stack_top
	test	[ss:operations + ebx * 8 + 4], ecx
	lds	ecx, [ss:flat]                  ; the user's flat segment: nothing to restore later
	les	ecx, [ss:flat]
	cld
	jnz	leave_words.refused
	call	[operations + ebx * 8]
method_answer:
	mov	esp, [ss:ESP0]
	sub	esp, CALL_FRAME_BYTES
	mov	[ss:esp + CALL_FRAME_STATUS], eax
leave_words:
	popad
	pop	edx
	pop	ecx
	jmp	exit_words
.refused:
	call	operation_refused
	jmp	method_answer

; void leave_by_call(struct call_frame *): resume a thread that left by a system call
leave_by_call:
	mov	esp, eax
	jmp	leave_words

; ---- a call with options, or from a special activation -------------------------------------------
; The new activation is pushed from its top: see struct activation.
not_door_nested:
	mov	edx, eax
	mov	eax, OPTION_NESTED
	jmp	slow_not_door
door_confidential:
	mov	edx, eax
	xor	eax, eax
	jmp	slow_not_door.confidential

	align 32
slow:	xor	eax, OPTION_NESTED
	push	ecx
	push	edx
	movzx	edx, al
	test	eax, ~(OPTIONS_CALL | (LIST_SLOTS - 1))
	jnz	call_rare                       ; lent slot, other banks, resume, unknown bits
	shl	edx, 4
	add	edx, [CPU(RUNNING_DOMAIN)]
call_found:
	cmp	byte [ss:edx + 3], DOOR_BYTE
	jne	slow_not_door
	xor	al, al
	mov	ecx, [ss:edx]
	mov	ecx, [DOOR_GENERATION + ecx]
call_door:                              ; edx the door, ecx its object's generation, eax options
	cmp	ecx, [ss:edx + 4]               ; and flags so far
	jne	error_stale
	test	esp, 0x800
	jz	error_depth
	mov	[CPU(CALLEE)], edx
	sub	esp, RECORD_FIELDS * 4
	test	ah, OPTION_CAPABILITIES >> 8
	jz	.no_capabilities
	test	ebx, 0x80808080
	jnz	.mixed
	mov	edx, [CPU(RUNNING_DOMAIN)]
%macro LEND 1
	movzx	ecx, %1
	shl	ecx, 4
	PUSH_CAPABILITY ss:edx + ecx
%endmacro
	LEND	bl
	LEND	bh
	shr	ebx, 16
	LEND	bl
	LEND	bh
.capabilities_done:
	test	ah, OPTION_WINDOWS >> 8
	jz	.no_windows
	mov	edx, [CPU(RUNNING_DOMAIN)]
	mov	edx, [ss:edx + DOMAIN_DIRECTORY]
; A window is a directory entry below WINDOW_TABLE that points to a page table: not of 4 MiB size,
; in low memory, its frame registered as a table. Its generation goes along. Entry 0: none.
%macro WINDOW 1                                 ; ecx its number, less 1
	cmp	ecx, LENDABLE_ENTRIES - 1
	jae	.none_%1
	mov	ecx, [ss:edx + KERNEL_BASE + 4 + ecx * 4]
	push	ecx
	test	ecx, 0xC0000080
	jnz	error_window
	shr	ecx, 12
	cmp	byte [ss:object_table + ecx * 8 + 4], OBJECT_TABLE
	jne	error_window
	push	dword [ss:object_table + ecx * 8]
.window_%1_done:
%endmacro
	lea	ecx, [ebp - 1]
	movzx	ecx, cx
	WINDOW	0
	shr	ebp, 16
	lea	ecx, [ebp - 1]
	WINDOW	1
.windows_done:
	cmp	dword [CPU(FAST_LIMIT)], 1      ; carry: the caller is special
	adc	al, 0
	test	ah, OPTIONS_RARE >> 8
	jnz	.rare
.flags_done:
	push	eax
	push	edi
	mov	edx, [CPU(CALLEE)]
	mov	ecx, [ss:edx]
	push	dword [ss:edx + 4]
	push	ecx
	mov	[ss:ESP0], esp                  ; nothing can fail from here on
	mov	ebp, [ss:edx + 12]
	mov	eax, [ss:edx + 8]
	mov	edx, [DOOR_PAGE + ecx]
	test	byte [A(FLAGS)], ACTIVATION_CALLER_SPECIAL
	jnz	.caller_special
	mov	dword [CPU(FAST_LIMIT)], 0
.caller_clean:
	mov	[CPU(RUNNING_DOMAIN)], edx
	mov	ecx, [ss:edx + DOMAIN_DIRECTORY]
	push	dword [A(WINDOW) + 12]          ; 0 if not lent, as it is already
	pop	dword [ss:ecx + KERNEL_BASE + WINDOW_0_ENTRY]
	push	dword [A(WINDOW) + 4]
	pop	dword [ss:ecx + KERNEL_BASE + WINDOW_1_ENTRY]
	mov	cr3, ecx
	mov	ecx, DATA_STACK
	test	byte [A(FLAGS) + 1], OPTION_NESTED >> 8
	jnz	.nested
.stack:	mov	edx, [ss:edx + DOMAIN_SET]
	jmp	exit_words

.nested:
	test	byte [A(FLAGS) + 1], OPTION_NEXT_PAGE >> 8 ; another page: from its top
	jnz	.stack
	mov	ecx, [A(CALLER_ESP)]
	and	ecx, PAGE_BYTES - 16
	or	ecx, DATA_PAGE
	jmp	.stack
.no_capabilities:
	sub	esp, LENT_SLOTS * 16
	jmp	.capabilities_done
.mixed:	sub	esp, LENT_SLOTS * 16            ; slots that are themselves lent are lent on
	mov	edx, ebx
	mov	ecx, esp
	C_HERE	lend_mixed
	test	eax, eax
	jnz	.capabilities_done
	jmp	error_empty
.no_windows:
	xor	ecx, ecx
	push	ecx
	push	ecx
	push	ecx
	push	ecx
	jmp	.windows_done
.none_0:
	test	bp, bp
	jnz	error_window
	push	0
	push	0
	jmp	.window_0_done
.none_1:
	test	ebp, ebp
	jnz	error_window
	push	0
	push	0
	jmp	.window_1_done
.caller_special:                                ; its windows leave its directory
	mov	ecx, [CPU(RUNNING_DOMAIN)]
	mov	ecx, [ss:ecx + DOMAIN_DIRECTORY]
	mov	dword [ss:ecx + KERNEL_BASE + WINDOW_0_ENTRY], 0
	mov	dword [ss:ecx + KERNEL_BASE + WINDOW_1_ENTRY], 0
	jmp	.caller_clean
.rare:	C_HERE call_options_rare               ; 900 bytes below the deepest activation
	test	eax, eax
	jnz	.flags_done
	mov	eax, ERROR_DATA_PAGE
	jmp	error

call_rare:
	test	ah, OPTION_RESUME >> 8
	jnz	resume
	test	eax, ~(OPTIONS_CALL | 0xFF | SLOT_BANK_MASK)
	jnz	error_argument
	push	eax
	and	eax, 0xFF | SLOT_BANK_MASK
	C_HERE slot_named
	mov	edx, eax
	pop	eax
	and	eax, OPTIONS_CALL
	test	edx, edx
	jnz	call_found
	jmp	error_empty

slow_not_door:
	cmp	byte [ss:edx + 3], DOOR_BYTE | RIGHT_CONFIDENTIAL
	je	.confidential
	cmp	byte [ss:edx + 3], 0
	je	error_empty
	test	ah, ah                          ; a kernel operation takes no options
	jnz	error_argument
	mov	eax, edx
	cmp	byte [ss:eax + 3], CAPABILITY_SELF << CAPABILITY_KIND_SHIFT - 24
	jae	kind_object                     ; kind_self and kind_thread are for fast activations
	jmp	error_kind
.confidential:                                  ; a copy without the mark, else like any door
	mov	al, ACTIVATION_CONFIDENTIAL
	PUSH_CAPABILITY ss:edx
	mov	edx, cpu + CPU_PLAIN_DOOR
	POP_CAPABILITY ss:edx
	and	dword [ss:edx], DOOR | CAPABILITY_INDEX_MASK
	mov	ecx, [ss:edx]
	mov	ecx, [DOOR_GENERATION + ecx]
	jmp	call_door

; ---- a return from a special activation, with capabilities, or without a living caller -----------
	align 32
return_slow:
	test	eax, ~(RETURN | STATUS_MAX)
	jnz	return_rare
return_go:
	mov	edx, [A(BYTES)]
	mov	ecx, [A(BYTES) + 4]
	cmp	ecx, [DOOR_GENERATION + edx]
	jne	caller_dead
	mov	edx, [DOOR_PAGE + edx]
	mov	ecx, [CPU(RUNNING_DOMAIN)]
	mov	[CPU(RUNNING_DOMAIN)], edx
	mov	ecx, [ss:ecx + DOMAIN_DIRECTORY]
	mov	dword [ss:ecx + KERNEL_BASE + WINDOW_0_ENTRY], 0
	mov	dword [ss:ecx + KERNEL_BASE + WINDOW_1_ENTRY], 0
.again:	mov	ecx, [ss:edx + DOMAIN_DIRECTORY]
	test	dword [A(FLAGS)], OPTION_NEXT_PAGE | ACTIVATION_CALLER_SPECIAL
	jnz	.rare
	mov	dword [CPU(FAST_LIMIT)], LIST_SLOTS
.leave:	mov	cr3, ecx
	add	esp, ACTIVATION_BYTES - 8
	jmp	return_tail
.rare:	test	byte [A(FLAGS) + 1], OPTION_NEXT_PAGE >> 8
	jz	.windows
	and	byte [A(FLAGS) + 1], ~(OPTION_NEXT_PAGE >> 8)
	push	eax
	C_HERE	data_page_back
	pop	eax
	mov	edx, [CPU(RUNNING_DOMAIN)]
	jmp	.again
%macro BACK 2                                   ; a window of the caller, if its table still lives
	mov	edx, [A(BYTES) + ACTIVATION_WINDOW + %1 + 4]
	mov	[ss:ecx + KERNEL_BASE + %2], edx
	shr	edx, 12
	mov	edx, [ss:object_table + edx * 8]
	cmp	edx, [A(BYTES) + ACTIVATION_WINDOW + %1]
	je	%%alive
	mov	dword [ss:ecx + KERNEL_BASE + %2], 0
%%alive:
%endmacro
.windows:
	BACK	8, WINDOW_0_ENTRY
	BACK	0, WINDOW_1_ENTRY
	jmp	.leave

return_rare:                                    ; capabilities to hand over, or nonsense
	push	ecx
	push	edx
	test	eax, ~(RETURN | STATUS_MAX | RETURN_CAPABILITIES)
	jnz	error_argument
	cmp	dword [CPU(FAST_LIMIT)], 0
	jne	error_argument                  ; nobody designated slots
	push	eax
	mov	eax, ebx
	C_HERE return_capabilities
	pop	ecx
	test	eax, eax
	jnz	error
	lea	eax, [ecx - RETURN_CAPABILITIES]
	add	esp, 8
	jmp	return_go

caller_dead:
	mov	esp, cpu_stack_top
	FOR_C
	call	return_unwind                   ; does not come back

; ---- leaving a fault handler: the registers that a fault leaves alone must survive, so the
; operation stands in EAX: RESUME_SAME, RESUME_AT (at EDX), RESUME_JUMP (at EDX, stack ECX).
; Into the rollforward section it is always LOST: the handler may have used the log.
resume:	cmp	eax, RESUME_AT
	je	.known
	cmp	eax, RESUME_SAME
	je	.known
	cmp	eax, RESUME_JUMP
	jne	error_argument
.known:	cmp	dword [CPU(FAST_LIMIT)], 0
	jne	error_no_record
	mov	ecx, [A(FLAGS) + 8]             ; two words stand below the activation
	test	cl, ACTIVATION_HANDLING
	jz	error_no_record
	and	byte [A(FLAGS) + 8], ~ACTIVATION_HANDLING
	test	cl, ACTIVATION_PLAIN
	jz	.special
	mov	dword [CPU(FAST_LIMIT)], LIST_SLOTS
.special:
	lea	ecx, [esp + 8]                  ; the activation
	test	ah, OPTION_NESTED >> 8
	jnz	.jump
	mov	edx, [ss:esp]
	test	ah, OPTION_RESULTS >> 8
	jnz	.at
	mov	edx, [ss:ecx + ACTIVATION_RECORD + RECORD_EIP * 4]
.at:	mov	esp, ecx
	push	USER_DATA
	push	dword [ss:ecx + ACTIVATION_RECORD + RECORD_ESP * 4]
	push	dword [ss:ecx + ACTIVATION_RECORD + RECORD_EFLAGS * 4]
.frame:	push	USER_CODE
	push	edx
	mov	eax, [CPU(RUNNING_DOMAIN)]
	sub	edx, [ss:eax + DOMAIN_SECTION_START]
	cmp	edx, [ss:eax + DOMAIN_SECTION_BYTES]
	jb	.lost
	mov	eax, [ss:ecx + ACTIVATION_RECORD + RECORD_EAX * 4]
.registers:
	mov	edx, [ss:ecx + ACTIVATION_RECORD + RECORD_EDX * 4]
	mov	ecx, [ss:ecx + ACTIVATION_RECORD + RECORD_ECX * 4]
	push	2                               ; NT would make the IRET a task switch
	popf
	jmp	leave_iret
.lost:	mov	edx, [ss:eax + DOMAIN_SECTION_START]
	add	edx, [ss:eax + DOMAIN_SECTION_BYTES]
	mov	eax, [ss:esp]
	mov	[ss:esp], edx
	jmp	.registers
.jump:	pop	edx
	pop	eax
	push	USER_DATA
	push	eax
	push	FLAGS_START
	mov	dword [ss:ecx + ACTIVATION_RECORD + RECORD_EAX * 4], 0
	jmp	.frame

; ---- errors: nothing was published, the user's EIP and ESP lie below the running activation ------
%macro ERROR 2
%1:	mov	eax, %2
	jmp	error
%endmacro
	ERROR error_empty, ERROR_EMPTY
	ERROR error_kind, ERROR_KIND
	ERROR error_stale, ERROR_STALE
	ERROR error_argument, ERROR_ARGUMENT
	ERROR error_depth, ERROR_DEPTH
	ERROR error_window, ERROR_WINDOW
	ERROR error_no_record, ERROR_NO_RECORD
error:	mov	esp, [ss:ESP0]
	sub	esp, 8
	jmp	exit_call

section .rodata
	align 4
%macro KIND 1
	times 16 dd %1
%endmacro
kinds:	KIND	error_empty
	dd	error_kind, door_confidential
	times 14 dd error_kind
	KIND	kind_self
	times 15 dd kind_thread_narrow
	dd	kind_thread
	times 16 * (CAPABILITY_KINDS - CAPABILITY_THREAD - 1) dd kind_object
	times 16 * (16 - CAPABILITY_KINDS) dd error_kind
sysexits:
	dd	sysexit_call, sysexit_nested, sysexit_return, sysexit_method
