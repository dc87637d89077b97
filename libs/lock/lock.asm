; SPDX-License-Identifier: MIT
; The rollforward lock, for one CPU: lock.h, and docs/architecture.md, "Rollforward".
; The prepares are linked between .section.begin and .section.end (libs/runtime/program.ld); the
; kernel redirects whoever lost the lock between START and LOST to LOST, with EAX where it stood.
bits 32
%include "offsets.inc"
global section_run, section_again, section_take, section_start, section_commit_word
global section_committed, section_finish, section_commit_two, section_commit, section_end

%define OWNER      LOCK_PAGE + LOCK_OWNER
%define COUNT      LOCK_PAGE + LOCK_COUNT
%define ADDRESS(i) LOCK_PAGE + LOCK_LOG + (i) * 8
%define VALUE(i)   LOCK_PAGE + LOCK_LOG + (i) * 8 + 4

struc RECORD                                    ; struct section_record, at EBP
.return		resd 1
.continuation	resd 1
.context	resd 1
endstruc

section .section.begin progbits alloc exec nowrite align=16
; void section_run(section_prepare *prepare, void *context); only ESP is kept
section_run:
	mov	ebp, esp
section_again:
	mov	ecx, [TAG_PAGE]
section_take:                                   ; nothing between this and START
	mov	[OWNER], ecx
section_start:
	cmp	dword [COUNT], 0
	jne	.roll
.continue:
	jmp	[ebp + RECORD.continuation]
.roll:	mov	eax, [COUNT]                    ; somebody's section has happened: its effect first
.next:	mov	ecx, [ADDRESS(eax - 1)]
	mov	edx, [VALUE(eax - 1)]
	mov	[ecx], edx
	dec	eax
	jnz	.next
	mov	[COUNT], eax
	jmp	.continue

section .section.end progbits alloc exec nowrite align=1
; EAX address, EDX value
section_commit_word:
	mov	[ADDRESS(0)], eax
	mov	[VALUE(0)], edx
	mov	dword [COUNT], 1                ; nothing between this and COMMITTED
section_committed:
	mov	[eax], edx
	mov	dword [COUNT], 0
section_finish:
	ret

; Both pairs are in the log; EAX address and EDX value of the first, ECX address of the second. Here
; and at section_commit alone nothing has happened yet behind COMMITTED: see LOST.
section_commit_two:
	mov	dword [COUNT], 2
	mov	[eax], edx
	mov	edx, [VALUE(1)]
	mov	[ecx], edx
	mov	dword [COUNT], 0
	ret

; EAX pairs.
section_commit:
	mov	[COUNT], eax
	jmp	[section_apply + eax * 4]
%assign i 8
%rep 8
.apply_%[i]:
%assign i i - 1
	mov	ecx, [ADDRESS(i)]
	mov	edx, [VALUE(i)]
	mov	[ecx], edx
%endrep
	mov	dword [COUNT], 0
	ret

section_end:                                    ; LOST
	cmp	eax, section_committed
	jb	.again
	cmp	eax, section_commit
	je	.again
	cmp	eax, section_commit_two
	je	.again
	mov	dword [ebp + RECORD.continuation], section_finish
.again:	mov	esp, ebp
	jmp	section_again

section .rodata
section_apply:
	dd	section_finish
%assign i 1
%rep 8
	dd	section_commit.apply_%[i]
%assign i i + 1
%endrep
