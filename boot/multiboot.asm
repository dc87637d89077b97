; SPDX-License-Identifier: MIT
; From the boot loader to boot_main in C: multiboot 1 (0.6.96) and 2 (2.0) headers, the check of the
; processor, paging on. Runs at physical addresses, interrupts off, and is unreachable afterwards.
bits 32
%include "offsets.inc"

global boot_start, boot_directory
extern boot_main

%define PHYSICAL(x) (x - KERNEL_BASE)
%define MULTIBOOT_1_MAGIC 0x1BADB002
%define MULTIBOOT_1_FLAGS 3                     ; modules page-aligned, memory map wanted
%define MULTIBOOT_2_MAGIC 0xE85250D6
%define FEATURES_NEEDED (1 << 3 | 1 << 4 | 1 << 5 | 1 << 11 | 1 << 13)  ; PSE TSC MSR SEP PGE

section .multiboot
	align 8
	dd	MULTIBOOT_1_MAGIC, MULTIBOOT_1_FLAGS, -(MULTIBOOT_1_MAGIC + MULTIBOOT_1_FLAGS)
	align 8
header_2:
	dd	MULTIBOOT_2_MAGIC, 0, header_2_end - header_2
	dd	0x100000000 - (MULTIBOOT_2_MAGIC + header_2_end - header_2)
	dw	6, 0                            ; modules page-aligned
	dd	8
	dw	0, 0
	dd	8
header_2_end:

boot_start:
	test	eax, 0x5EED0101                 ; kprof: region 1 starts, boot_to_user
	mov	esp, boot_stack_top
	cld
	mov	[loader_magic], eax
	mov	[loader_information], ebx
	call	check_processor
	rdtsc
	mov	[first_cycles], eax
	mov	[first_cycles + 4], edx
	; one directory: 4 MiB pages from 0 (until boot is over: the loader's records may be
	; anywhere) and, global, from KERNEL_BASE on
	mov	edi, PHYSICAL(boot_directory)
	mov	eax, 0x83
	mov	ecx, 253                        ; all but the last three slots
.map:	lea	edx, [eax + 0x100]
	mov	[edi + (KERNEL_BASE >> 22) * 4], edx
	stosd
	add	eax, 0x400000
	loop	.map
	mov	eax, cr4
	or	eax, 0x90                       ; PSE, PGE
	mov	cr4, eax
	mov	eax, PHYSICAL(boot_directory)
	mov	cr3, eax
	mov	eax, cr0
	and	eax, ~0x6004000E                ; cache on; no alignment checks, TS, EM
	or	eax, 0x80010022                 ; PG, WP, NE, MP
	mov	cr0, eax
	add	esp, KERNEL_BASE                ; the identity map ends with boot
	mov	eax, first_cycles               ; struct boot_entry *
	call	boot_main                       ; does not come back

check_processor:
	pushfd
	pop	eax
	mov	ecx, eax
	xor	eax, 1 << 21                    ; ID can be changed: there is CPUID
	push	eax
	popfd
	pushfd
	pop	eax
	push	ecx
	popfd
	xor	eax, ecx
	test	eax, 1 << 21
	mov	esi, no_cpuid
	jz	refuse
	mov	eax, 1
	cpuid
	mov	[first_features], edx
	mov	ecx, eax
	mov	esi, no_sysenter
	and	ah, 15                          ; the first Pentium Pro says SEP and has none:
	cmp	ah, 6                           ; family 6, model and stepping below 3
	jne	.sep                            ; (SDM volume 2, "SYSENTER")
	cmp	al, 0x30
	jae	.sep
	and	al, 15
	cmp	al, 3
	jb	refuse
.sep:	test	edx, 1 << 11
	jz	refuse
	mov	esi, no_large_pages
	test	edx, 1 << 3
	jz	refuse
	mov	esi, no_global_pages
	test	edx, 1 << 13
	jz	refuse
	mov	esi, no_counter
	test	edx, 1 << 4
	jz	refuse
	ret

refuse:	mov	edi, 0xB8000
	mov	edx, 0x3FB                      ; 8N1; 115200 baud
	mov	al, 0x80
	out	dx, al
	mov	dl, 0xF8
	mov	al, 1
	out	dx, al
	inc	edx
	xor	eax, eax
	out	dx, al
	mov	dl, 0xFB
	mov	al, 3
	out	dx, al
.next:	lodsb
	test	al, al
	jz	.stop
	mov	ah, 7
	stosw
	mov	dl, 0xF8
	out	dx, al
	mov	ecx, 20000                      ; time enough for a byte on any PC
.wait:	loop	.wait
	jmp	.next
.stop:	mov	dl, 0xFD
.busy:	in	al, dx
	test	al, 0x40                        ; the last byte is on its way
	loopz	.busy
	mov	al, 0x11                        ; QEMU's isa-debug-exit; a PC ignores it
	out	0xF4, al
	mov	esi, shutdown
	mov	edx, 0x8900
	mov	ecx, 8
	rep	outsb
.halt:	cli
	hlt
	jmp	.halt

section .data
%define END 13, 10, "END failure", 13, 10, 0
%define CAN_NOT "Nous can't run here: this processor has no "
no_cpuid:	db CAN_NOT, "CPUID instruction.", END
no_sysenter:	db CAN_NOT, "SYSENTER (SEP).", END
no_large_pages:	db CAN_NOT, "4 MiB pages (PSE).", END
no_global_pages: db CAN_NOT, "global pages (PGE).", END
no_counter:	db CAN_NOT, "time stamp counter (TSC).", END
shutdown:	db "Shutdown"
	align 8
first_cycles:	dq 0                            ; struct boot_entry
loader_magic:	dd 0
loader_information: dd 0
first_features:	dd 0

section .boot_stack nobits alloc write align=16
	resb	8192
boot_stack_top:

section .bss.kernel nobits alloc write align=4096
boot_directory:
	resb	4096
