; SPDX-License-Identifier: GPL-2.0-or-later
; Initialises both 8259s (vectors 0x20 and 0x28), says so at 0x5f4, and sleeps; each interrupt writes its
; vector to 0x5f8 and ends.
bits 16
org 0x1000
    mov word [0x21 * 4], handler21
    mov word [0x21 * 4 + 2], 0
    mov word [0x2b * 4], handler2b
    mov word [0x2b * 4 + 2], 0
    mov al, 0x11
    out 0x20, al
    out 0xa0, al
    mov al, 0x20
    out 0x21, al
    mov al, 0x28
    out 0xa1, al
    mov al, 4
    out 0x21, al
    mov al, 2
    out 0xa1, al
    mov al, 1
    out 0x21, al
    out 0xa1, al
    mov al, 0
    out 0x21, al
    out 0xa1, al
    mov dx, 0x4d1           ; interrupt 11 is level-triggered
    mov al, 8
    out dx, al
    mov dx, 0x5f4
    out dx, al
sleep:
    sti
    hlt
    jmp sleep
handler21:
    push ax
    push dx
    mov dx, 0x5f8
    mov al, 0x21
    out dx, al
    mov al, 0x20
    out 0x20, al
    pop dx
    pop ax
    iret
handler2b:
    push ax
    push dx
    mov dx, 0x5f8
    mov al, 0x2b
    out dx, al
    mov al, 0x20
    out 0xa0, al
    out 0x20, al
    pop dx
    pop ax
    iret
