; SPDX-License-Identifier: GPL-2.0-or-later
; A Linux image in small: what the boot protocol promises to the real-mode part. VERSION is the
; protocol's (0x20c by default); LOW makes it one that is loaded below 1 MiB,
; NETBOOT one for another loader, iPXE.

%ifndef VERSION
    %define VERSION 0x20c
%endif
%ifdef LOW
    %define LOAD_FLAGS 0
    %define PROTECTED 0x10000
%else
    %define LOAD_FLAGS 1
    %define PROTECTED 0x100000
%endif
%assign mode_bits 16
%include "kernel.inc"

    section .text vstart=-0x200 ; labels count from the code segment, 0x200 into the image
    bits 16
    times 0x1f1 - ($ - $$) db 0
    db SETUP_SECTORS
    dw 0
    dd (IMAGE_END - SETUP_END) / 16
    dw 0, 0xffff, 0
    dw 0xaa55
entry:
    jmp short setup
    db "HdrS"
    dw VERSION
    dd 0
    dw 0, 0
    db 0, LOAD_FLAGS
    dw 0
    dd PROTECTED
    dd 0, 0                     ; initial RAM disk
    dd 0
    dw 0
    db 0, 0
    dd 0                        ; command line
    dd 0x7fffffff               ; the RAM disk's last possible byte
    dd 0x1000
    db 0, 0
    dw 0
    dd 255
    times 0x268 - ($ - $$) db 0

setup:
    cld
    mov ax, ds
    mov bx, cs
    sub bx, 0x20
    cmp ax, bx
    FAIL_UNLESS e, "cs is not 0x20 beyond ds"
    mov bx, ss
    cmp ax, bx
    FAIL_UNLESS e, "ss and ds differ"
    mov bx, es
    cmp ax, bx
    FAIL_UNLESS e, "es and ds differ"
%ifndef NETBOOT
    cmp byte [0x210], 0xb0
    FAIL_UNLESS e, "type of loader"
%endif
    test byte [0x211], 0x80
    FAIL_UNLESS nz, "the heap may not be used"
    movzx eax, word [0x224]
    add eax, 0x200
    cmp esp, eax
    FAIL_UNLESS be, "the stack is beyond the heap's end"

%if VERSION >= 0x202
    mov eax, [0x228]
    shr eax, 4
    mov es, ax
    mov di, [0x228]
    and di, 15
%else
    cmp word [0x20], 0xa33f
    FAIL_UNLESS e, "no command line"
    mov di, [0x22]
%endif
    mov si, wanted
    mov cx, wanted_end - wanted
    cs repe cmpsb
    FAIL_UNLESS e, "command line"

    mov eax, [0x218]
    cmp eax, 0x100000
    FAIL_UNLESS a, "where the RAM disk is"
    cmp dword [0x21c], RAM_DISK_BYTES
    FAIL_UNLESS e, "the RAM disk's size"
    mov esi, eax
    call high_dword
    cmp eax, "rama"
    FAIL_UNLESS e, "the RAM disk's beginning"
    add esi, RAM_DISK_BYTES - 4
    call high_dword
    cmp eax, "disk"
    FAIL_UNLESS e, "the RAM disk's end"
    mov esi, PROTECTED
    call high_dword
    cmp eax, "prot"
    FAIL_UNLESS e, "the protected-mode part's beginning"
    mov esi, PROTECTED + IMAGE_END - SETUP_END - 4
    call high_dword
    cmp eax, "tail"
    FAIL_UNLESS e, "the protected-mode part's end"
    PASS

; eax becomes the dword at physical address esi, by way of protected mode.
high_dword:
    push ds
    xor eax, eax
    mov ax, cs
    shl eax, 4
    add eax, gdt
    mov [cs:gdt_pointer + 2], eax
    cli
    o32 lgdt [cs:gdt_pointer]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    jmp short .protected
.protected:
    mov dx, 8
    mov ds, dx
    and al, 0xfe
    mov cr0, eax
    jmp short .real
.real:
    mov eax, [esi]
    pop ds
    ret

    FAILED

gdt_pointer:
    dw 15
    dd 0
    align 8, db 0
gdt:
    dq 0, 0x00cf92000000ffff
wanted:
    db "console=ttyS0 one two", 0
wanted_end:

    times (512 - ($ - $$) % 512) % 512 db 0
SETUP_END equ $ - $$
SETUP_SECTORS equ SETUP_END / 512 - 1
RAM_DISK_BYTES equ 5000
    db "prot"
    times 3000 db 0x5a
    db "tail"
IMAGE_END equ $ - $$
