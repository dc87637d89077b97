; SPDX-License-Identifier: MIT
; The service's entry, and the short path of its two most frequent operations: one page is mapped,
; one is unmapped, in the ordinary way. Whatever is not ordinary (another right, type or generation,
; an entry that is in use, more than one page) goes on in tables.c, as if this were not here.
;
; As at service_entry: EAX badge, EBP its high word, ESI operation, EDI a, EBX b. The sections keep
; EDI and EBX, and ESI, which is the badge in them: so a section that is begun anew finds them.
bits 32
%include "offsets.inc"
global service_entry_own
extern service_entry, service_entry_checked, section_run, section_commit, section_commit_two

%define ADDRESS(i) LOCK_PAGE + LOCK_LOG + (i) * 8
%define VALUE(i)   LOCK_PAGE + LOCK_LOG + (i) * 8 + 4
; The record of a section is the call frame of section_run; behind it we keep:
%define KEY	   ebp + 8			; that the frame, or the table, must have
%define NOT_SINGLE ebp + 11			; the sign of it: there is none like that

section .text.service_entry.own progbits alloc exec nowrite align=16
service_entry_own:
	lds	ecx, [ss:.flat]
	test	esp, 0xC00			; as service_entry asks
	jz	.no_stack
	cmp	esi, MEMORY_UNMAP
	je	.unmap
	test	esi, esi			; memory_map_pages_op
	jnz	.ordinary
	test	ebx, 0xFFF			; one page
	jnz	.ordinary
	mov	esi, eax
	lea	ecx, [ebp + (MEMORY_DATA << 28)]
	push	ecx
	push	map_single
	call	section_run
	cmp	byte [esp + 7], 0
	js	.map_otherwise
	mov	eax, RETURN
	sysenter
.unmap:	test	ebx, ebx
	jnz	.ordinary
	mov	esi, eax
	lea	ecx, [ebp + (MEMORY_TABLE << 28)]
	push	ecx
	push	unmap_single
	call	section_run
	cmp	byte [esp + 7], 0
	js	.unmap_otherwise
	mov	eax, RETURN
	sysenter
.map_otherwise:
	mov	eax, esi
	mov	esi, MEMORY_MAP_PAGES
	jmp	.otherwise
.unmap_otherwise:
	mov	eax, esi
	mov	esi, MEMORY_UNMAP
.otherwise:
	pop	ecx
	and	dword [esp], 0x0FFFFFFF		; without the type
	pop	ebp
.ordinary:
	jmp	service_entry_checked
.no_stack:
	jmp	service_entry
	align 4
.flat:	dd	0, USER_DATA

section .section progbits alloc exec nowrite align=16
map_single:
	mov	eax, edi			; both inside
	or	eax, ebx
	mov	ecx, esi
	shr	ecx, 7
	shr	eax, cl
	jnz	.otherwise
	mov	eax, edi			; rights: they are its flags, too
	and	eax, MEMORY_ENTRY_WRITE
	or	eax, MEMORY_MANAGE | MEMORY_READ
	mov	edx, esi
	not	edx
	test	edx, eax
	jnz	.otherwise
	mov	ecx, esi
	and	ecx, 0xFFFFF000			; the extent's start
	lea	edx, [ebx + ecx]		; the page
	lea	eax, [eax + edx + MEMORY_ENTRY_COUNTED]
	mov	[VALUE(0)], eax
	shr	edx, 8				; its descriptor
	mov	eax, [KEY]
	cmp	[MEMORY_DESCRIPTORS + edx], eax
	jne	.otherwise
	add	edx, MEMORY_DESCRIPTORS + MEMORY_COUNT	; the count
	mov	[ADDRESS(1)], edx
	lea	edx, [edi + ecx]		; the table's
	shr	edx, 8
	and	edx, ~15
	add	eax, (MEMORY_TABLE - MEMORY_DATA) << 28
	cmp	[MEMORY_DESCRIPTORS + edx], eax
	jne	.otherwise
	mov	eax, edi
	and	eax, ~3
	lea	eax, [eax + ecx + LINEAR_BASE]	; the entry: empty
	cmp	dword [eax], 0
	jne	.otherwise
	mov	[ADDRESS(0)], eax
	mov	ecx, [ADDRESS(1)]
	mov	edx, [ecx]
	inc	edx
	mov	[VALUE(1)], edx
	mov	edx, [VALUE(0)]
	jmp	section_commit_two
.otherwise:
	mov	byte [NOT_SINGLE], 0x80		; also when this is begun anew: no key is like that
	xor	eax, eax
	jmp	section_commit

unmap_single:
	mov	eax, edi
	mov	ecx, esi
	shr	ecx, 7
	shr	eax, cl
	jnz	.otherwise
	test	esi, MEMORY_MANAGE
	jz	.otherwise
	mov	ecx, esi
	and	ecx, 0xFFFFF000
	lea	edx, [edi + ecx]
	shr	edx, 8
	and	edx, ~15
	mov	eax, [KEY]
	cmp	[MEMORY_DESCRIPTORS + edx], eax
	jne	.otherwise
	mov	eax, edi
	and	eax, ~3
	lea	eax, [eax + ecx + LINEAR_BASE]
	mov	ecx, [eax]			; what it leads to
	test	ecx, MEMORY_ENTRY_COUNTED
	jz	.otherwise
	shr	ecx, 8
	and	ecx, ~15
	add	ecx, MEMORY_DESCRIPTORS + MEMORY_COUNT
	mov	[ADDRESS(0)], eax
	mov	dword [VALUE(0)], 0
	mov	[ADDRESS(1)], ecx
	mov	edx, [ecx]
	dec	edx
	mov	[VALUE(1)], edx
	xor	edx, edx
	jmp	section_commit_two
.otherwise:
	mov	byte [NOT_SINGLE], 0x80
	xor	eax, eax
	jmp	section_commit
