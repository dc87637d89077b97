; SPDX-License-Identifier: MIT
; A function of ordinary C, called with known values in what it must keep.
bits 32

global call_kept
section .text

; int call_kept(int (*function)(int, int, int), int a, int b, int c, uint32_t kept[5]):
; the function's result; kept: EBX, ESI, EDI, EBP as they were afterwards, and how far ESP is off.
call_kept:
	push	ebx
	push	esi
	push	edi
	push	ebp
	mov	eax, [esp + 20]
	push	dword [esp + 32]                ; c, b, a
	push	dword [esp + 32]
	push	dword [esp + 32]
	mov	ebx, 0xB1B2B3B4
	mov	esi, 0x51525354
	mov	edi, 0xD1D2D3D4
	mov	ebp, esp
	call	eax
	sub	ebp, esp                        ; 0, if neither has changed
	mov	ecx, [esp + 48]                 ; kept
	mov	[ecx], ebx
	mov	[ecx + 4], esi
	mov	[ecx + 8], edi
	mov	[ecx + 12], ebp
	add	esp, 12
	pop	ebp
	pop	edi
	pop	esi
	pop	ebx
	ret
