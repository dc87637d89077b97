; SPDX-License-Identifier: MIT
; The CPU changes hands between two threads that both stand at home: dispatch, wait and signal in
; their ordinary form. Whatever is not ordinary (inside a service, special activations, stepping, a
; processor without FXSAVE, the timer to be set, more than one level cut) goes to dispatch.c, which
; does the same from the same state; nothing is changed before the last check.
bits 32
%include "offsets.inc"

global kind_thread, self_wait_fast
extern cpu, tss, object_table, window_table, tag_page
extern cpu_stack_top, call_method, probe, error_stale, leave_by_call, thread_run

%define CPU(field)      ss:cpu + CPU_ %+ field
%define LEVEL(field)    ss:cpu + CPU_LEVEL + LEVEL_ %+ field
%define NEXT(field)     ss:cpu + CPU_LEVEL + LEVEL_BYTES + LEVEL_ %+ field
%define T(field)        OBJECT_THREAD + THREAD_ %+ field        ; from an object table word
%define DOOR_TABLE      ss:object_table - (CAPABILITY_DOOR << CAPABILITY_KIND_SHIFT)
%define IN_CHAIN        (THREAD_IN_CHAIN | BY_CALL_HOME << 16)
%define READY           (THREAD_READY | BY_CALL_HOME << 16)
%define WAITING         (THREAD_WAITING | BY_CALL_HOME << 16)

section .text

; The caller stands at home (the generation above is nobody's), not special, nothing unusual is on.
%macro ORDINARY_OR 1
	cmp	dword [ss:esp + 8 + ACTIVATION_BYTES + 4], -1
	jne	%1
	cmp	dword [CPU(FAST_LIMIT)], 0
	je	%1
	cmp	dword [CPU(CAREFUL)], 0
	jne	%1
%endmacro

; Time since the last stamp is the running thread's (ecx); ebx, ebp: working time. eax, edx go.
%macro ACCOUNT 0
	rdtsc
	mov	ebx, eax
	mov	ebp, edx
	sub	eax, [CPU(LAST)]
	sbb	edx, [CPU(LAST) + 4]
	mov	[CPU(LAST)], ebx
	mov	[CPU(LAST) + 4], ebp
	add	[ss:ecx + THREAD_CONSUMED], eax
	adc	[ss:ecx + THREAD_CONSUMED + 4], edx
	sub	ebx, [CPU(LOST)]
	sbb	ebp, [CPU(LOST) + 4]
%endmacro

%macro SAVE 1                                   ; the running thread ecx; its new state
	mov	dword [ss:ecx + THREAD_STATE], %1
	mov	dword [ss:ecx + THREAD_TOP], ACTIVATION_HOME
	mov	dword [ss:ecx + THREAD_FAST_LIMIT], LIST_SLOTS
	fxsave	[ss:ecx + THREAD_FPU]
%endmacro

; The dispatcher's answer: reason %1, cycles ebx, ebp, bits %2, in the frame at ecx
%macro ANSWER 2
	mov	dword [ss:ecx], 0
	mov	dword [ss:ecx + 4], %1
	mov	[ss:ecx + 8], ebx
	mov	[ss:ecx + 12], ebp
	mov	dword [ss:ecx + 16], %2
%endmacro

	align 32
kind_thread:
	mov	edx, [ss:eax]
	mov	ecx, [ss:eax + 4]
	and	edx, CAPABILITY_INDEX_MASK
	cmp	ecx, [ss:object_table + edx]
	jne	error_stale
	mov	edx, [ss:object_table + edx + 4]
	cmp	esi, THREAD_SIGNAL
	je	signal_fast
	mov	ecx, esi
	and	ecx, ~(31 << DISPATCH_BIT_SHIFT)
	cmp	ecx, THREAD_DISPATCH
	je	dispatch_fast
	test	esi, esi
	jz	probe
	jmp	call_method

; eax capability, edx thread, esi the bit for wake-ups, edi mask, ebp:ebx deadline
dispatch_fast:
	test	byte [ss:eax + 3], RIGHT_DISPATCH
	jz	call_method
	mov	ecx, [ss:edx - OBJECT_THREAD + THREAD_STATE]
	and	ecx, ~(BY_CALL_WOKEN << 16)
	cmp	ecx, READY
	jne	call_method
	ORDINARY_OR call_method
	mov	ecx, [CPU(THREAD)]
	test	[ss:ecx + THREAD_EVENTS], edi
	jnz	call_method
	mov	ecx, [CPU(DEPTH)]
	cmp	ecx, CHAIN_MAX
	jae	call_method
	shl	ecx, LEVEL_SHIFT
	mov	[LEVEL(THREAD) + ecx], edx
	mov	edx, ebx                        ; not before the timer fires anyway
	sub	edx, [CPU(ARMED)]
	mov	edx, ebp
	sbb	edx, [CPU(ARMED) + 4]
	jb	call_method
	mov	edx, ebx
	sub	edx, [LEVEL(DEADLINE) - LEVEL_BYTES + ecx]
	mov	edx, ebp
	sbb	edx, [LEVEL(DEADLINE) - LEVEL_BYTES + 4 + ecx]
	jae	call_method                     ; a dispatcher below has the earlier deadline
	push	eax
	rdtsc
	cmp	eax, ebx
	sbb	edx, ebp
	pop	eax
	jae	call_method                     ; past
	mov	edx, [CPU(DEPTH)]
	mov	[LEVEL(DEADLINE) + ecx], ebx
	mov	[LEVEL(DEADLINE) + 4 + ecx], ebp
	mov	[LEVEL(DEADLINE_LEVEL) + ecx], edx
	mov	[LEVEL(MASK) + ecx], edi
	mov	[LEVEL(OPTIONS) + ecx], esi
	mov	edi, [LEVEL(THREAD) + ecx]
	sub	edi, OBJECT_THREAD
	mov	[LEVEL(THREAD) + ecx], edi
	mov	[ss:edi + THREAD_LEVEL], edx
	inc	dword [CPU(DEPTH)]
	mov	ecx, [CPU(THREAD)]
	ACCOUNT
	mov	[ss:ecx + THREAD_DISPATCH_START], ebx
	mov	[ss:ecx + THREAD_DISPATCH_START + 4], ebp
	SAVE	IN_CHAIN
	mov	ebx, edi
	test	byte [ss:ebx + THREAD_BY_CALL], BY_CALL_WOKEN
	mov	dword [ss:ebx + THREAD_STATE], IN_CHAIN
	jz	switch_home
	mov	eax, [ss:ebx + THREAD_EVENTS]
	mov	edx, eax
	and	eax, [ss:ebx + THREAD_WAIT_MASK]
	mov	[ss:ebx + ACTIVATION_HOME - CALL_FRAME_BYTES + 4], eax
	xor	edx, eax
	mov	[ss:ebx + THREAD_EVENTS], edx
	jmp	switch_home

; edx thread: it dispatched the running one, and asked for one of the bits edi
signal_fast:
	test	byte [ss:eax + 3], RIGHT_SIGNAL
	jz	call_method
	cmp	dword [ss:edx - OBJECT_THREAD + THREAD_STATE], IN_CHAIN
	jne	call_method
	mov	ecx, [CPU(DEPTH)]
	sub	ecx, 2
	cmp	ecx, [ss:edx - OBJECT_THREAD + THREAD_LEVEL]
	jne	call_method
	shl	ecx, LEVEL_SHIFT
	ORDINARY_OR call_method
	push	ebx
	mov	ebx, [ss:eax + CAPABILITY_BADGE]
	and	ebx, edi
	or	ebx, [ss:edx - OBJECT_THREAD + THREAD_EVENTS]
	test	ebx, [NEXT(MASK) + ecx]
	jnz	.wakes
	pop	ebx
	jmp	call_method
.wakes:	mov	eax, [ss:esp]                   ; the signaller's call_frame: status 0, its words
	mov	[ss:esp], ebp
	push	eax
	push	edi
	push	esi
	push	0
	mov	esi, [NEXT(MASK) + ecx]
	mov	eax, esi
	and	esi, ebx                        ; bits to return
	not	eax
	and	ebx, eax
	mov	[ss:edx - OBJECT_THREAD + THREAD_EVENTS], ebx
	lea	edi, [edx - OBJECT_THREAD]
	mov	ecx, [CPU(THREAD)]
	ACCOUNT
	SAVE	READY
	dec	dword [CPU(DEPTH)]
	sub	ebx, [ss:edi + THREAD_DISPATCH_START]
	sbb	ebp, [ss:edi + THREAD_DISPATCH_START + 4]
	lea	ecx, [edi + ACTIVATION_HOME - CALL_FRAME_BYTES]
	ANSWER	DISPATCH_EVENT, esi
	mov	ebx, edi
	jmp	switch_home

self_wait_slow:
	mov	esi, SELF_WAIT
	mov	eax, [CPU(RUNNING_DOMAIN)]      ; its slot 0
	jmp	call_method

; edi mask, ebp:ebx deadline: never
	align 16
self_wait_fast:
	mov	edx, ebx
	and	edx, ebp
	cmp	edx, -1
	jne	call_method
	ORDINARY_OR call_method
	mov	ecx, [CPU(THREAD)]
	test	[ss:ecx + THREAD_EVENTS], edi
	jnz	call_method
	mov	edx, [CPU(DEPTH)]
	sub	edx, 1
	jz	call_method                     ; the root thread: idle
	mov	eax, edx
	shl	edx, LEVEL_SHIFT
	mov	esi, [LEVEL(THREAD) - LEVEL_BYTES + edx]
	cmp	word [ss:esi + THREAD_BY_CALL], BY_CALL_HOME
	jne	self_wait_slow
	mov	[CPU(DEPTH)], eax
	mov	[ss:ecx + THREAD_WAIT_MASK], edi
	push	ebp
	push	ebx
	push	edi
	push	0                               ; the bits, if it is asked before it is woken
	push	0
	mov	edi, esi
	mov	esi, edx
	ACCOUNT
	sub	ebx, [ss:edi + THREAD_DISPATCH_START]
	sbb	ebp, [ss:edi + THREAD_DISPATCH_START + 4]
	SAVE	WAITING
	mov	eax, [ss:edi + THREAD_SELF]     ; whom a wake-up tells, by which bit
	mov	edx, [ss:edi + THREAD_SELF + 4]
	mov	[ss:ecx + THREAD_NOTIFY], eax
	mov	[ss:ecx + THREAD_NOTIFY + 4], edx
	mov	edx, [LEVEL(OPTIONS) + esi]
	shr	edx, DISPATCH_BIT_SHIFT
	xor	eax, eax
	bts	eax, edx                        ; (by its lowest five bits)
	mov	[ss:ecx + THREAD_NOTIFY_BITS], eax
	lea	ecx, [edi + ACTIVATION_HOME - CALL_FRAME_BYTES]
	ANSWER	DISPATCH_WAITING, 0
	mov	ebx, edi

; The thread ebx goes on, at home, after its system call: what thread_run does, in short.
switch_home:
	lea	ecx, [ebx + ACTIVATION_HOME]
	mov	edx, [ss:ecx]
	mov	eax, [ss:ecx + 4]
	cmp	eax, [DOOR_TABLE + edx]
	jne	.dead
	mov	edx, [DOOR_TABLE + edx + 4]
	mov	[CPU(THREAD)], ebx
	mov	[ss:tss + 4], ecx
	mov	[CPU(RUNNING_DOMAIN)], edx
	mov	eax, [ss:ebx + THREAD_DATA]
	mov	[ss:window_table + DATA_PAGE_ENTRY], eax
	mov	eax, [ss:ebx + THREAD_DATA + 4]
	mov	[ss:window_table + DATA_PAGE_NEXT_ENTRY], eax
	mov	eax, [ss:ebx + THREAD_SELF]
	mov	[ss:tag_page], eax
	fxrstor	[ss:ebx + THREAD_FPU]
	mov	edx, [ss:edx + DOMAIN_DIRECTORY]
	mov	cr3, edx
	mov	eax, USER_DATA                  ; what the other thread left is not this one's
	mov	ds, eax
	mov	es, eax
	cld
	lea	eax, [ecx - CALL_FRAME_BYTES]
	jmp	leave_by_call
.dead:	mov	esp, cpu_stack_top              ; its domain is: unwound in C
	mov	eax, USER_DATA
	mov	ds, eax
	mov	es, eax
	cld
	call	thread_run
