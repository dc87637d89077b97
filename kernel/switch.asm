; SPDX-License-Identifier: MIT
; The CPU changes hands between two threads that both stand at home: dispatch, wait and signal in
; their ordinary form. Whatever is not ordinary (inside a service, special activations, stepping, a
; processor without FXSAVE, the timer to be set, more than one level cut) goes to dispatch.c, which
; does the same from the same state; nothing is changed before the last check.
bits 32
%include "offsets.inc"

global kind_thread, kind_thread_narrow, self_wait_fast
extern cpu, tss, object_table, window_table, tag_page
extern call_method, exit_call, probe, error_stale, flat

%define CPU(field)      ss:cpu + CPU_ %+ field
%define DOOR_TABLE      ss:object_table - (CAPABILITY_DOOR << CAPABILITY_KIND_SHIFT)
%define LENDING         (THREAD_IN_CHAIN | BY_CALL_RUNNING << 16) ; ... or running
%define READY           (THREAD_READY | BY_CALL_HOME << 16)
%define WAITING         (THREAD_WAITING | BY_CALL_HOME << 16)
%define WOKEN           (READY | BY_CALL_WOKEN << 16)
; Fields of a thread: by the word that stands for it in the object table; by its home activation;
; of the running one, by the stack pointer behind so many more pushed bytes.
%define BY_WORD(r, field)  ss:r - OBJECT_THREAD + THREAD_ %+ field
%define BY_HOME(r, field)  ss:r - ACTIVATION_HOME + THREAD_ %+ field
%define SELF(pushed, field) ss:esp + 8 + pushed - ACTIVATION_HOME + THREAD_ %+ field
%define THREAD_HOME        ACTIVATION_HOME
%define FRAME(r, field)    ss:r - CALL_FRAME_BYTES + CALL_FRAME_ %+ field
%define PUSHAD_BYTES       32

%define ALL_RIGHTS         ((CAPABILITY_THREAD * 16 + RIGHTS_ALL) << CAPABILITY_RIGHTS_SHIFT)

section .text

; The running thread is at home, where above the activation stands HOME_ORDINARY or, if it may not
; wait by the fast path, HOME_DISPATCHES: generations of no domain, and the highest.
%macro AT_HOME_OR 2
	cmp	dword [ss:esp + 8 + ACTIVATION_BYTES + 4], %1
	jb	%2
%endmacro

; The thread at home at %1 is on the CPU. Its domain, loaded and in %2, is gone from there.
%macro SWITCH 2
	mov	[CPU(RUNNING_DOMAIN)], %2
	mov	[ss:tss + 4], %1
	mov	%2, [ss:%2 + DOMAIN_DIRECTORY]
	mov	cr3, %2
	mov	%2, [BY_HOME(%1, DATA)]
	mov	[ss:window_table + DATA_PAGE_ENTRY], %2
	mov	%2, [BY_HOME(%1, DATA) + 4]
	mov	[ss:window_table + DATA_PAGE_NEXT_ENTRY], %2
	fxrstor	[BY_HOME(%1, FPU)]
	cld
%endmacro

; The running thread, having pushed all registers and being in state %2 from now on, gives the CPU
; back to its dispatcher, at home at esi, domain ecx, which is told reason %1 and the bits ebp.
; (While a step is made, none of these SYSEXITs is reached: x86/trap.asm.)
%macro GIVE_BACK 2
	rdtsc
	sub	eax, [CPU(LOST)]
	sbb	edx, [CPU(LOST) + 4]
	add	[SELF(PUSHAD_BYTES, CONSUMED)], eax
	adc	[SELF(PUSHAD_BYTES, CONSUMED) + 4], edx
	mov	dword [SELF(PUSHAD_BYTES, STATE)], %2
	fxsave	[SELF(PUSHAD_BYTES, FPU)]
	dec	dword [CPU(DEPTH)]
	sub	eax, [BY_HOME(esi, DISPATCH_START)]
	sbb	edx, [BY_HOME(esi, DISPATCH_START) + 4]
	sub	[BY_HOME(esi, CONSUMED)], eax
	sbb	[BY_HOME(esi, CONSUMED) + 4], edx
	mov	edi, eax
	mov	ebx, edx
	SWITCH	esi, ecx
	mov	edx, [FRAME(esi, EIP)]
	mov	ecx, [FRAME(esi, ESP)]
	mov	esi, %1
	lds	eax, [ss:flat]
	sti
	sysexit
%endmacro

; edx the object table's word of the thread that capability eax names; %1 what its word holds
; besides the index
%macro KIND_THREAD 1
	mov	ecx, [ss:eax]
	mov	edx, [ss:eax + 4]
%if (%1) == 0
	and	ecx, CAPABILITY_INDEX_MASK
%endif
	cmp	edx, [ss:object_table - (%1) + ecx]
	jne	error_stale
	mov	edx, [ss:object_table - (%1) + 4 + ecx]
%endmacro
	align 32
kind_thread_narrow:                             ; not all rights
	KIND_THREAD 0
	test	byte [ss:eax + 3], RIGHT_DISPATCH
	jnz	kind_thread.found
	jmp	not_dispatch
	align 32
kind_thread:                                    ; all rights
	KIND_THREAD ALL_RIGHTS

; eax capability, esi the bit for wake-ups, edi mask, ebp:ebx deadline. The same word 0 as the last
; time: so it is a dispatch, and notify_bits is right.
.found:	cmp	esi, [BY_WORD(edx, DISPATCH_WORD)]
	jne	not_dispatch
	AT_HOME_OR HOME_DISPATCHES, call_method
	test	[SELF(0, EVENTS)], edi
	jnz	call_method
	cmp	ebx, [CPU(ARMED)]               ; the timer fires before, as it must for others
	mov	ecx, ebp
	sbb	ecx, [CPU(ARMED) + 4]
	jb	call_method
	mov	ecx, [BY_WORD(edx, HOME)]
	mov	esi, [BY_WORD(edx, HOME) + 4]
	cmp	esi, [DOOR_TABLE + ecx]
	jne	dispatch_slow
	mov	esi, [DOOR_TABLE + ecx + 4]
	lds	ecx, [CPU(DEPTH)]               ; and DS, which lies behind it
	cmp	ecx, [CPU(DEPTH_LIMIT)]
	jae	dispatch_slow
	cmp	dword [BY_WORD(edx, STATE)], WOKEN
	jne	.not_woken
%macro DISPATCH 1                               ; 1: its wait is over, it gets the bits
	cmp	ebp, [CPU(DEADLINE) + ecx * 8 - 4]
	jae	%%later
%%first:
	mov	[CPU(LEVEL_MASK) + ecx * 8], edi
	lea	edi, [edx - OBJECT_THREAD + ACTIVATION_HOME]
	rdtsc
	cmp	eax, ebx                        ; is the deadline past, and the timer late?
	jns	%%late
%%time:	sub	eax, [CPU(LOST)]
	sbb	edx, [CPU(LOST) + 4]
	mov	[CPU(DEADLINE) + ecx * 8], ebx
	mov	[CPU(DEADLINE) + ecx * 8 + 4], ebp
	mov	[CPU(LEVEL_HOME) + ecx * 8], edi
	mov	[BY_HOME(edi, LEVEL)], ecx
	inc	dword [CPU(DEPTH)]
	mov	[SELF(0, DISPATCH_START)], eax
	mov	[SELF(0, DISPATCH_START) + 4], edx
	fxsave	[SELF(0, FPU)]
	sub	[BY_HOME(edi, CONSUMED)], eax
	sbb	[BY_HOME(edi, CONSUMED) + 4], edx
	mov	dword [BY_HOME(edi, STATE)], LENDING
	SWITCH	edi, esi
	mov	eax, [BY_HOME(edi, SELF)]
	mov	[ss:tag_page], eax
	lea	esp, [edi - CALL_FRAME_BYTES]
	popad
%if %1
	mov	esi, [SELF(0, WAIT_MASK)]
	and	esi, [SELF(0, EVENTS)]
	xor	[SELF(0, EVENTS)], esi
	les	eax, [ss:flat]                  ; and status 0
%else
	les	edx, [ss:flat]
%endif
	pop	edx
	pop	ecx
	sti
	sysexit
%%later:                                        ; unless the low words differ, a dispatcher's below
	mov	eax, ebp                        ; comes first
	cmp	ebx, [CPU(DEADLINE) + ecx * 8 - 8]
	sbb	eax, [CPU(DEADLINE) + ecx * 8 - 4]
	jb	%%first
	mov	ebx, [CPU(DEADLINE) + ecx * 8 - 8]
	mov	ebp, [CPU(DEADLINE) + ecx * 8 - 4]
	jmp	%%first
%%late:	cmp	eax, ebx                        ; not if it is far
	sbb	edx, ebp
	jae	dispatch_past
	rdtsc
	jmp	%%time
%endmacro
	DISPATCH 1
.not_woken:
	cmp	dword [BY_WORD(edx, STATE)], READY
	jne	dispatch_slow
	DISPATCH 0
dispatch_past:
	xor	eax, eax
	xor	esi, esi                        ; DISPATCH_DEADLINE, no cycles, no bits
	xor	edi, edi
	xor	ebx, ebx
	xor	ebp, ebp
	jmp	exit_call
dispatch_slow:
	mov	esi, [BY_WORD(edx, DISPATCH_WORD)]
	jmp	call_method

; The dispatcher edx goes on if it dispatched the running thread and asked for one of the bits edi;
; with it, if %1, the thread esi need not wait any more.
%macro TELL 1
	mov	ebx, [CPU(DEPTH)]
	lea	ecx, [ebx - 2]
	cmp	ecx, [BY_WORD(edx, LEVEL)]
	jne	not_dispatch.slow
	or	edi, [BY_WORD(edx, EVENTS)]
	mov	ebp, edi
	and	ebp, [CPU(LEVEL_MASK) + ebx * 8 - 8]    ; bits to return
	jz	not_dispatch.slow
	mov	eax, [BY_WORD(edx, HOME)]
	mov	ecx, [BY_WORD(edx, HOME) + 4]
	cmp	ecx, [DOOR_TABLE + eax]
	jne	not_dispatch.slow
%if %1
	mov	dword [BY_WORD(esi, STATE)], WOKEN
%endif
	lea	esi, [edx - OBJECT_THREAD + ACTIVATION_HOME]
	xor	edi, ebp
	mov	[BY_HOME(esi, EVENTS)], edi
	mov	ecx, [DOOR_TABLE + eax + 4]
	mov	dword [ss:esp + CALL_FRAME_STATUS], 0
	mov	eax, [BY_HOME(esi, SELF)]
	mov	[ss:tag_page], eax
	les	eax, [ss:flat]
	GIVE_BACK DISPATCH_EVENT, READY
%endmacro

; Not a dispatch as before: a signal, for a dispatcher or for a thread that waits and has one.
not_dispatch:
	test	esi, esi
	jz	probe
	cmp	esi, THREAD_SIGNAL
	jne	call_method
	test	byte [ss:eax + 3], RIGHT_SIGNAL
	jz	call_method
	AT_HOME_OR HOME_ORDINARY, call_method
	cmp	dword [BY_WORD(edx, STATE)], LENDING
	jne	.waits
	pushad
	and	edi, [ss:eax + CAPABILITY_BADGE]
	TELL	0
.waits:	mov	ecx, [CPU(DEPTH)]               ; dispatched as high up as the running one?
	dec	ecx
	cmp	ecx, [BY_WORD(edx, LEVEL)]
	jne	call_method
	cmp	dword [BY_WORD(edx, STATE)], WAITING
	jne	call_method
	pushad
	and	edi, [ss:eax + CAPABILITY_BADGE]
	or	[BY_WORD(edx, EVENTS)], edi     ; as C would, and will if this is no use
	mov	edi, [BY_WORD(edx, EVENTS)]
	test	edi, [BY_WORD(edx, WAIT_MASK)]
	jz	.slow
	mov	esi, edx
	mov	ecx, [BY_WORD(esi, NOTIFY)]
	mov	eax, [BY_WORD(esi, NOTIFY) + 4]
	cmp	eax, [ss:object_table + ecx]
	jne	.slow
	mov	edx, [ss:object_table + 4 + ecx]
	mov	edi, [BY_WORD(esi, NOTIFY_BITS)]
	cmp	dword [BY_WORD(edx, STATE)], LENDING
	jne	.slow
	TELL	1
.slow:	popad
	jmp	call_method

; eax the capability, edi mask
	align 32
self_wait_fast:
	AT_HOME_OR HOME_ORDINARY, call_method
	test	[SELF(0, EVENTS)], edi
	jnz	call_method
	mov	edx, [CPU(DEPTH)]
	mov	esi, [CPU(LEVEL_HOME) + edx * 8 - 16]   ; its dispatcher, as ordinary as itself
	mov	ecx, [ss:esi]
	mov	edx, [ss:esi + 4]
	cmp	edx, [DOOR_TABLE + ecx]
	jne	.slow
	mov	ecx, [DOOR_TABLE + ecx + 4]
	pushad
	les	ebp, [ss:flat]                  ; no bits
	mov	[SELF(PUSHAD_BYTES, WAIT_MASK)], edi
	mov	eax, [BY_HOME(esi, SELF)]       ; whom a wake-up tells
	mov	edx, [BY_HOME(esi, SELF) + 4]
	mov	[ss:tag_page], eax
	mov	[SELF(PUSHAD_BYTES, NOTIFY)], eax
	mov	[SELF(PUSHAD_BYTES, NOTIFY) + 4], edx
	GIVE_BACK DISPATCH_WAITING, WAITING
.slow:	mov	esi, SELF_WAIT
	jmp	call_method
