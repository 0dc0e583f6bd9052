; SPDX-License-Identifier: GPL-2.0-or-later
; Every size and form of port access, at ports 0x500.., then the end.
bits 16
org 0x1000
    mov dx, 0x500
    mov eax, 0x44332211
    out dx, al
    out dx, ax
    out dx, eax
    in al, dx
    mov [0x3000], al
    in ax, dx
    mov [0x3002], ax
    in eax, dx
    mov [0x3004], eax
    mov al, 0x5a
    out 0x80, al
    cld
    mov si, source
    outsb
    outsw
    outsd
    mov si, source
    mov cx, 5
    rep outsb
    mov si, source
    mov cx, 3
    rep outsw
    mov si, source
    mov cx, 2
    rep outsd
    mov di, 0x3100
    insb
    insw
    insd
    mov di, 0x3110
    mov cx, 5
    rep insb
    mov di, 0x3120
    mov cx, 3
    rep insw
    mov di, 0x3130
    mov cx, 2
    rep insd
    std
    mov di, 0x3147
    mov cx, 3
    rep insb
    cld
    mov dx, 0x600
    out dx, al
hang:
    jmp hang
source:
    db 1, 2, 3, 4, 5, 6, 7, 8
