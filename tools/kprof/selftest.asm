; SPDX-License-Identifier: MIT
; Test kernel for kprof: runs known instruction sequences between markers and
; prints, for each region, the number of instructions by the time stamp counter
; (one tick an instruction under -icount shift=0).
;
;   0x00100000  start, unpaged           0xc0110000  kernel (ring 0)
;   0x00200000  user (ring 3)            0x00800000  4K pages mapped by the
;                                                    page-fault handler
bits 32

%define KB 0xc0000000
%define START(id) test eax, 0x5eed0001 + ((id) << 8)
%define STOP(id)  test eax, 0x5eed0002 + ((id) << 8)

; ticks between the two rdtsc: mov, START, body, STOP, rdtsc = body + 4
%macro BEGIN 1
	rdtsc
	mov	[tsc0], eax
	START(%1)
%endmacro
%macro END 1
	STOP(%1)
	rdtsc
	sub	eax, [tsc0]
	sub	eax, 4
	mov	[results + (%1) * 4], eax
%endmacro
%macro HANDLER 3        ; vector, address, type
	mov	eax, %2
	mov	word [idt + (%1) * 8], ax
	mov	word [idt + (%1) * 8 + 2], 8
	mov	word [idt + (%1) * 8 + 4], %3
	shr	eax, 16
	mov	word [idt + (%1) * 8 + 6], ax
%endmacro

; ---------------------------------------------------------------- start
section .boot progbits alloc exec write align=4096
	align 4
	dd	0x1badb002, 0, -0x1badb002
global boot
boot:
	cli
	mov	esp, 0x00180000
	; page directory at 0x190000, one page table at 0x191000
	mov	edi, 0x190000
	xor	eax, eax
	mov	ecx, 2048
	cld
	rep stosd
	mov	dword [0x190000], 0x00000087          ; low 4M, user
	mov	dword [0x190000 + 0x300 * 4], 0x83    ; the same, kernel only
	mov	dword [0x190000 + 2 * 4], 0x191007    ; 8M.. by 4K pages
	mov	dword [0x190000 + 0x3fb * 4], 0xfec00093 ; local APIC
	mov	dword [0x191000 + 1 * 4], 0x301005    ; 0x801000 read-only
	mov	eax, cr4
	or	eax, 0x210                            ; PSE, OSFXSR
	mov	cr4, eax
	mov	eax, 0x190000
	mov	cr3, eax
	mov	eax, cr0
	and	eax, ~0xe
	or	eax, 0x80010022                       ; PG, WP, NE, MP
	mov	cr0, eax
	mov	eax, kmain
	jmp	eax

; ---------------------------------------------------------------- kernel
section .ktext progbits alloc exec write align=4096
kmain:
	lgdt	[gdtr]
	jmp	8:.cs
.cs:	mov	eax, 16
	mov	ds, eax
	mov	es, eax
	mov	fs, eax
	mov	gs, eax
	mov	ss, eax
	mov	esp, kstack
	mov	dword [tss + 4], kstack
	mov	dword [tss + 8], 16
	mov	eax, tss
	mov	word [gdt + 40], 103
	mov	word [gdt + 42], ax
	shr	eax, 16
	mov	byte [gdt + 44], al
	mov	byte [gdt + 45], 0x89
	mov	byte [gdt + 46], 0
	mov	byte [gdt + 47], ah
	mov	eax, 40
	ltr	ax
	HANDLER 0x00, de_handler, 0x8e00
	HANDLER 0x06, ud_handler, 0x8e00
	HANDLER 0x07, nm_handler, 0x8e00
	HANDLER 0x0e, pf_handler, 0x8e00
	HANDLER 0x20, irq_handler, 0x8e00
	HANDLER 0x30, int30_handler, 0xee00
	lidt	[idtr]
	mov	ecx, 0x174
	mov	eax, 8
	xor	edx, edx
	wrmsr
	inc	ecx
	mov	eax, kstack
	wrmsr
	inc	ecx
	mov	eax, sysenter_handler
	wrmsr
	; interrupt controller: vectors 0x20.., all masked
	mov	al, 0x11
	out	0x20, al
	out	0xa0, al
	mov	al, 0x20
	out	0x21, al
	mov	al, 0x28
	out	0xa1, al
	mov	al, 4
	out	0x21, al
	mov	al, 2
	out	0xa1, al
	mov	al, 1
	out	0x21, al
	out	0xa1, al
	mov	al, 0xff
	out	0x21, al
	out	0xa1, al
	fninit

; 1: nothing
	BEGIN 1
	END 1

; 2: a loop, in one line
	align 64
	BEGIN 2
	mov	ecx, 1000
.l2:	dec	ecx
	jnz	.l2
	END 2

; 3: loads and stores, a line each
	align 64
	BEGIN 3
	mov	ecx, 100
	mov	edi, kbuf
.l3:	mov	eax, [edi]
	mov	[edi + 8192], eax
	add	edi, 64
	dec	ecx
	jnz	.l3
	END 3

; 4: loads across a line and across a page
	BEGIN 4
	mov	eax, [kbuf + 62]
	mov	eax, [kbuf + 4094]
	END 4

; 5: control registers, invlpg
	BEGIN 5
%rep 5
	mov	eax, cr3
	mov	cr3, eax
%endrep
%rep 3
	invlpg	[kbuf]
%endrep
	mov	eax, cr4
	mov	cr4, eax
	END 5

; 6: int and iret within the kernel
	BEGIN 6
	xor	eax, eax
%rep 7
	int	0x30
%endrep
	END 6

; 9: repeated string instructions
	BEGIN 9
	cld
	mov	esi, kbuf
	mov	edi, kbuf + 4096
	mov	ecx, 50
	rep movsd
	xor	ecx, ecx
	rep stosb
	mov	ecx, 10
	mov	edi, scanme
	mov	al, 'x'
	repne scasb
	END 9

; 34: one physical line by two addresses
	BEGIN 34
	mov	ebx, [kbuf]
	mov	ebx, [kbuf - KB + 4]
	END 34

; 17: memory-mapped device registers amid a block
	BEGIN 17
	nop
	mov	eax, [0xfee00020]
	nop
	mov	ebx, [0xfee00030]
	nop
	END 17

; 18: one of each
	BEGIN 18
	mov	eax, 16
	mov	ds, eax
	mov	es, eax
	mov	fs, eax
	mov	gs, eax
	mov	ss, eax
	push	ds
	pop	ds
	push	es
	pop	es
	push	fs
	pop	fs
	push	gs
	pop	gs
	lgdt	[gdtr]
	lidt	[idtr]
	xor	eax, eax
	lldt	ax
	cpuid
	mov	ecx, 0x174
	rdmsr
	wrmsr
	lock inc dword [kbuf]
	xchg	[kbuf], eax
	xchg	ecx, ebx
	rdtsc
	fxsave	[fxarea]
	fxrstor	[fxarea]
	in	al, 0x61
	out	0x80, al
	in	al, dx
	pushfd
	popfd
	sti
	cli
	call	8:.far
	jmp	8:.near
.far:	retf
.near:	clts
	mov	eax, cr0
	mov	cr0, eax
	wbinvd
	str	ax
	mov	eax, 100
	xor	edx, edx
	mov	ecx, 7
	div	ecx
	pause
	mfence
	mov	eax, .ind
	jmp	eax
.ind:	mov	eax, .fn
	call	eax
	call	.fn
	jmp	.done
.fn:	ret
.done:
	END 18

; 19 with 20 inside
	BEGIN 19
	nop
	nop
	nop
	START(20)
	nop
	nop
	nop
	nop
	STOP(20)
	nop
	nop
	END 19

; 21: changes an instruction that stands next in its own block
	BEGIN 21
	mov	byte [.patch], 0x43     ; inc ebx
	nop
.patch:	inc	ecx
	nop
	END 21

; 23: a hundred samples
	mov	esi, 1
.l23:	START(23)
	mov	ecx, esi
.m23:	dec	ecx
	jnz	.m23
	STOP(23)
	inc	esi
	cmp	esi, 101
	jb	.l23

; 25: an instruction across a page boundary
	jmp	cross
	align 4096
	times 4096 - 16 - 5 - 5 - 2 db 0x90
cross:	BEGIN 25
	times 14 nop
	mov	ebx, 0x12345678
	times 4 nop
	END 25

; timer on: every 100 ticks of 1193182 Hz
	mov	al, 0x34
	out	0x43, al
	mov	al, 100
	out	0x40, al
	xor	al, al
	out	0x40, al
	mov	al, 0xfe
	out	0x21, al

; 15: interrupts in a loop
	mov	dword [ticks], 0
	BEGIN 15
	sti
.l15:	cmp	dword [ticks], 20
	jb	.l15
	cli
	END 15

; 26: interrupts in a loop that runs across a page boundary
	mov	dword [ticks], 0
	BEGIN 26
	sti
	jmp	.l26
	align 4096
	times 4096 - 16 nop
.l26:	times 14 nop
	mov	ebx, 0x12345678
	mov	[kbuf], ebx
	nop                             ; 19 in all, to meet every phase
	cmp	dword [ticks], 200
	jb	.l26
	cli
	END 26

; 32: interrupts among memory instructions, device reads and repeats
	mov	dword [ticks], 0
	BEGIN 32
	sti
.l32:	mov	esi, kbuf
	mov	edi, kbuf + 4096
	mov	ecx, 300
	rep movsd
	mov	eax, [0xfee00020]
	push	eax
	inc	dword [kbuf]
	pop	eax
	call	.f32
	cmp	dword [ticks], 300
	jb	.l32
	cli
	jmp	.e32
.f32:	ret
.e32:
	END 32

; 37: interrupts next to device reads
	mov	dword [ticks], 0
	BEGIN 37
	sti
.l37:	nop
	mov	eax, [0xfee00020]
	nop
	nop
	nop
	cmp	dword [ticks], 200
	jb	.l37
	cli
	END 37

; 22: halt until the timer
	START(22)
	sti
	hlt
	cli
	STOP(22)
	mov	al, 0xff
	out	0x21, al

	; to ring 3, with IOPL 3
	push	dword 32 + 3
	push	dword ustack
	push	dword 0x3002
	push	dword 24 + 3
	push	dword umain
	mov	eax, 32 + 3
	mov	ds, eax
	mov	es, eax
	iret

	align 16
global int30_handler
int30_handler:                  ; eax: 1 stay long, 2/3 interrupts on/off,
	cmp	eax, 1          ; 4 set CR0.TS, else nothing
	jae	.more
	iret
.more:	je	.long
	cmp	eax, 3
	jb	.ion
	je	.ioff
	push	eax
	mov	eax, cr0
	or	eax, 8
	mov	cr0, eax
	pop	eax
	iret
.ion:	or	dword [esp + 8], 0x200
	mov	al, 0xfe
	out	0x21, al
	iret
.ioff:	and	dword [esp + 8], ~0x200
	mov	al, 0xff
	out	0x21, al
	iret
.long:	push	ecx
	mov	ecx, 50000
.l:	dec	ecx
	jnz	.l
	pop	ecx
	iret

	align 16
global pf_handler
pf_handler:                     ; 15 instructions
	push	eax
	push	ebx
	mov	eax, cr2
	mov	ebx, eax
	shr	eax, 12
	and	eax, 0x3ff
	and	ebx, 0x000ff000
	or	ebx, 0x00300007
	mov	[KB + 0x191000 + eax * 4], ebx
	mov	eax, cr2
	invlpg	[eax]
	pop	ebx
	pop	eax
	add	esp, 4
	iret

	align 16
global irq_handler
irq_handler:                    ; 6 instructions
	push	eax
	inc	dword [ticks]
	mov	al, 0x20
	out	0x20, al
	pop	eax
	iret

	align 16
global sysenter_handler
sysenter_handler:               ; 2 instructions
	sti
	sysexit

	align 16
nm_handler:                     ; 2 instructions
	clts
	iret

	align 16
de_handler:                     ; 2 instructions
	add	dword [esp], 2
	iret

	align 16
ud_handler:                     ; 2 instructions
	add	dword [esp], 2
	iret

section .kdata progbits alloc write align=4096
kbuf:	times 6 * 4096 db 0
	align 64
fxarea:	times 512 db 0
scanme:	db	"abcxyz", 0, 0
	align 16
gdt:	dq	0
	dq	0x00cf9b000000ffff
	dq	0x00cf93000000ffff
	dq	0x00cffb000000ffff
	dq	0x00cff3000000ffff
	dq	0
gdtr:	dw	47
	dd	gdt
	align 16
idtr:	dw	0x31 * 8 - 1
	dd	idt
	align 16
idt:	times 0x31 * 2 dd 0
	align 16
tss:	times 25 dd 0
	dd	104 << 16
	times 4096 db 0
kstack:

; ---------------------------------------------------------------- user
section .utext progbits alloc exec write align=4096
global umain
umain:
; 7: int and iret
	BEGIN 7
	mov	ecx, 10
.l7:	xor	eax, eax
	int	0x30
	dec	ecx
	jnz	.l7
	END 7

; 8: sysenter and sysexit
	BEGIN 8
	mov	esi, 10
.l8:	mov	ecx, esp
	mov	edx, .r8
	sysenter
.r8:	dec	esi
	jnz	.l8
	END 8
	cli

; 10: a page fault amid a block
	BEGIN 10
	mov	ebx, 0x00800000
	mov	eax, 1
	mov	[ebx], eax
	add	eax, 1
	add	eax, 1
	END 10

; 11: read, then fault on the write
	BEGIN 11
	mov	ebx, 0x00801000
	inc	dword [ebx]
	nop
	END 11

; 12: a call that faults on its stack
	BEGIN 12
	mov	edi, esp
	mov	esp, 0x00803000
	call	.f12
	mov	esp, edi
	jmp	.e12
.f12:	ret
.e12:	END 12

; 13: a return that faults on its stack
	mov	dword [0x00304000], .r13
	BEGIN 13
	mov	edi, esp
	mov	esp, 0x00804000
	ret
.r13:	mov	esp, edi
	END 13

; 14: a repeated move with faults
	BEGIN 14
	cld
	mov	esi, results
	mov	edi, 0x00805ff8
	mov	ecx, 16
	rep movsb
	END 14

; 16: interrupts in user mode
	mov	dword [ticks], 0
	BEGIN 16
	mov	eax, 2
	int	0x30
.l16:	cmp	dword [ticks], 50
	jb	.l16
	mov	eax, 3
	int	0x30
	END 16

; 28, 29: coprocessor not available
	mov	eax, 4
	int	0x30
	BEGIN 28
	fldz
	nop
	END 28
	mov	eax, 4
	int	0x30
	BEGIN 29
	nop
	fld	dword [fone]
	nop
	END 29
	fninit

; 30: division by zero
	BEGIN 30
	mov	eax, 1
	xor	edx, edx
	xor	ecx, ecx
	div	ecx
	nop
	END 30

; 31: undefined instruction
	BEGIN 31
	nop
	ud2
	nop
	END 31

; 35: a call into a page that is not there
	mov	byte [0x00307000], 0xc3
	mov	ebx, 0x00807000
	BEGIN 35
	nop
	call	ebx
	nop
	END 35

; 36: an instruction across two pages that are not there
	mov	word [0x00308ffe], 0x78b8
	mov	dword [0x00309000], 0xc3123456
	mov	ebx, 0x00808ffe
	BEGIN 36
	call	ebx
	nop
	END 36

; 33: twenty million and one, a load in every fourth: for the speed, too
	align 64
	BEGIN 33
	mov	ecx, 5000000
.l33:	mov	eax, [fone]
	add	eax, ecx
	dec	ecx
	jnz	.l33
	END 33

; 38: a fault in the last instruction of a block
	jmp	.b38
	align	4096
	times 4096 - 10 - 5 - 5 - 2 nop
.b38:	BEGIN 38
	mov	dword [0x0080a000], 1
	nop
	END 38

; 39, 40: a tick that waits (since region 33, the loop) comes between sysexit or iret and the next
; instruction
	BEGIN 39
	mov	al, 0xfe
	out	0x21, al
	mov	ecx, esp
	mov	edx, .r39
	sysenter
.r39:	mov	al, 0xff
	out	0x21, al
	END 39
	mov	ecx, 100000
.wait:	loop	.wait
	BEGIN 40
	mov	eax, 2
	int	0x30
	mov	eax, 3
	int	0x30
	END 40

; 27: a long stay in the kernel
	BEGIN 27
	mov	eax, 1
global long_call
long_call:
	int	0x30
	END 27

; print what the time stamp counter gave
	xor	esi, esi
.p:	mov	eax, [results + esi * 4]
	cmp	eax, -1
	je	.skip
	push	eax
	mov	eax, esi
	call	num
	mov	al, ' '
	call	putc
	pop	eax
	call	num
	mov	al, 10
	call	putc
.skip:	inc	esi
	cmp	esi, 64
	jb	.p
	mov	al, 0x10
	out	0xf4, al
.stop:	jmp	.stop

num:	xor	ecx, ecx
	mov	ebx, 10
.d:	xor	edx, edx
	div	ebx
	push	edx
	inc	ecx
	test	eax, eax
	jnz	.d
.o:	pop	eax
	add	al, '0'
	call	putc
	dec	ecx
	jnz	.o
	ret
putc:	mov	edx, 0x3f8
	out	dx, al
	ret

section .udata progbits alloc write align=4096
tsc0:	dd	0
ticks:	dd	0
fone:	dd	1.0
	align 64
results: times 64 dd -1
	times 4096 db 0
ustack:
