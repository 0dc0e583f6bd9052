; SPDX-License-Identifier: GPL-2.0-or-later
; A boot sector to be debugged in real mode: it counts, in a segment whose base is not 0.

    org 0
    bits 16
    jmp 0x7c0:start

start:
    mov ax, cs
    mov ds, ax
    mov ss, ax
    mov sp, 0x1000
    mov si, 0x1234
again:
    call count
    cmp byte [wanted_exit], 0
    je again
    mov al, [wanted_exit]
    out 0xf4, al
    jmp $

    times 0x40 - ($ - $$) nop
count:                          ; 7c40
    inc word [counter]
    mov bx, [counter]
    ret

    times 0x60 - ($ - $$) nop
counter:                        ; 7c60
    dw 0
wanted_exit:                    ; 7c62
    db 0

    times 510 - ($ - $$) db 0
    dw 0xaa55
