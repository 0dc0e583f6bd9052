; SPDX-License-Identifier: GPL-2.0-or-later
; Counts for ever, with a port read, a port write and a memory-mapped write each time.
bits 16
org 0x1000
    mov ax, 0xd000
    mov es, ax
    mov dx, 0x500
next:
    in al, dx
    out dx, al
    mov [es:0], al
    inc dword [0x3000]
    jmp next
