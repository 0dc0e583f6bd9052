; SPDX-License-Identifier: GPL-2.0-or-later
; Memory-mapped accesses of 1, 2 and 4 bytes at 0xd0000.., by MOV, string moves, read-modify-write, across a page.
bits 16
org 0x1000
    mov ax, 0xd000
    mov es, ax
    mov eax, 0x44332211
    mov [es:0x10], al
    mov [es:0x20], ax
    mov [es:0x30], eax
    mov al, [es:0x10]
    mov [0x3000], al
    mov ax, [es:0x20]
    mov [0x3002], ax
    mov eax, [es:0x30]
    mov [0x3004], eax
    cld
    mov si, source
    mov di, 0x40
    mov cx, 4
    rep movsb
    mov di, 0x50
    mov cx, 2
    mov eax, 0x0badcafe
    rep stosd
    or byte [es:0x60], 0x80
    mov dword [es:0xffe], 0xaabbccdd
    mov dx, 0x600
    out dx, al
hang:
    jmp hang
source:
    db 1, 2, 3, 4
