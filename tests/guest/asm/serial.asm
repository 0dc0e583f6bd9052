; SPDX-License-Identifier: GPL-2.0-or-later
; The first serial port: its interrupts in loopback, its transmitter's interrupt, and bytes from
; outside (the test sends `rhea` when it reads READY), which go back as capitals.

%include "common.inc"
%include "pic.inc"

%define UART 0x3f8

%macro UART_WRITE 2
    mov dx, UART + %1
    mov al, %2
    out dx, al
%endmacro

%macro UART_READ 1
    mov dx, UART + %1
    in al, dx
%endmacro

main:
    cli
    VECTOR 0x0c, interrupt
    UNMASK_ONLY 4
    UART_WRITE 3, 0x83
    UART_WRITE 0, 1             ; 115200
    UART_WRITE 1, 0
    UART_READ 0
    EXPECT al, 1, "divisor"
    UART_WRITE 3, 0x03
    UART_WRITE 7, 0x5c
    UART_READ 7
    EXPECT al, 0x5c, "scratch register"

    ; Loopback: the modem's inputs show its outputs, what is sent comes back by interrupt.
    UART_WRITE 2, 0x00
    UART_WRITE 4, 0x1a
    UART_READ 6
    and al, 0xf0
    EXPECT al, 0x90, "modem status in loopback"
    UART_READ 6
    UART_WRITE 1, 0x01
    mov byte [count], 0
    UART_WRITE 0, 'x'
    SLEEP_UNTIL count, 1
    mov al, [cause]
    and al, 0x0f
    EXPECT al, 0x04, "received data in the interrupt's identification"
    mov al, [values]
    EXPECT al, 'x', "byte that came back"

    ; Four bytes through the FIFO fill it to its trigger level.
    UART_WRITE 1, 0x00
    UART_WRITE 2, 0x47
    mov cx, 4
    mov bl, 'a'
.send:
    UART_WRITE 0, bl
    inc bl
    push cx
    mov cx, 0
.shifted:
    UART_READ 5
    test al, 0x40
    loopz .shifted
    pop cx
    loop .send
    mov byte [count], 0
    UART_WRITE 1, 0x01
    SLEEP_UNTIL count, 1
    mov al, [cause]
    and al, 0xcf
    EXPECT al, 0xc4, "FIFO at its trigger level"
    mov eax, [values]
    EXPECT eax, 'abcd', "bytes out of the FIFO"

    ; Out of loopback the transmitter's interrupt comes as soon as it is allowed.
    UART_WRITE 1, 0x00
    UART_WRITE 4, 0x0b
    UART_WRITE 2, 0x07
    mov byte [count], 0
    UART_WRITE 1, 0x02
    SLEEP_UNTIL count, 1
    mov al, [cause]
    and al, 0x0f
    EXPECT al, 0x02, "transmitter empty in the interrupt's identification"

    UART_WRITE 2, 0x00
    UART_WRITE 1, 0x01
    mov byte [count], 0
    SAY "READY", 10
    SLEEP_UNTIL count, 4
    mov eax, [values]
    EXPECT eax, 'rhea', "bytes from outside"
    and dword [values], ~0x20202020
    mov si, values
    mov cx, 4
    mov dx, UART
    rep outsb
.drain:
    UART_READ 5
    test al, 0x40
    jz .drain
    PASS

; Notes the cause, takes all bytes there are.
interrupt:
    push ax
    push bx
    push dx
    UART_READ 2
    mov [cs:cause], al
.next:
    UART_READ 5
    test al, 1
    jz .end
    UART_READ 0
    movzx bx, byte [cs:count]
    and bx, 7
    mov [cs:values + bx], al
    inc byte [cs:count]
    jmp .next
.end:
    mov al, [cs:cause]
    and al, 0x0f
    cmp al, 2
    jne .out
    UART_WRITE 1, 0
    inc byte [cs:count]
.out:
    EOI 4
    pop dx
    pop bx
    pop ax
    iret

count:
    db 0
cause:
    db 0
values:
    times 8 db 0

%include "end.inc"
