; SPDX-License-Identifier: GPL-2.0-or-later
; Long mode: 8-byte accesses at 0xd0000.., and 3 + 5 bytes of one that crosses a page.
bits 64
org 0x1000
    mov rbx, 0xd0000
    mov rax, 0x8877665544332211
    mov [rbx + 0x10], rax
    mov rax, [rbx + 0x18]
    mov [0x3000], rax
    mov rax, 0x8877665544332211
    mov [rbx + 0xffd], rax
    mov dx, 0x600
    out dx, al
hang:
    jmp hang
