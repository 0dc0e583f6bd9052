; SPDX-License-Identifier: GPL-2.0-or-later
; The real-time clock's three interrupts: periodic, update ended, alarm.

%include "common.inc"
%include "pic.inc"

%macro CMOS_READ 1
    mov al, %1
    out 0x70, al
    in al, 0x71
%endmacro

%macro CMOS_WRITE 2
    mov al, %1
    out 0x70, al
    mov al, %2
    out 0x71, al
%endmacro

main:
    cli
    VECTOR 0x70, clock
    CMOS_READ 0x0d
    EXPECT al, 0x80, "the battery is good"
    CMOS_READ 0x0c
    UNMASK_ONLY 8

    ; Periodic, 64 Hz.
    CMOS_WRITE 0x0a, 0x2a
    CMOS_WRITE 0x0b, 0x42
    SLEEP_UNTIL count, 5
    CMOS_WRITE 0x0b, 0x02
    mov al, [causes]
    and al, 0xc0
    EXPECT al, 0xc0, "periodic interrupt in register C"

    ; Update ended: the seconds have moved on.
    CMOS_WRITE 0x0a, 0x26
    CMOS_READ 0x0c
    CMOS_READ 0x00
    mov bl, al
    mov byte [count], 0
    CMOS_WRITE 0x0b, 0x12
    SLEEP_UNTIL count, 1
    CMOS_WRITE 0x0b, 0x02
    mov al, [causes]
    and al, 0x90
    EXPECT al, 0x90, "update ended in register C"
    CMOS_READ 0x00
    cmp al, bl
    FAIL_UNLESS ne, "another second after the update"

    ; Alarm at any time: every second.
    CMOS_READ 0x0c
    CMOS_WRITE 0x01, 0xff
    CMOS_WRITE 0x03, 0xff
    CMOS_WRITE 0x05, 0xff
    mov byte [count], 0
    CMOS_WRITE 0x0b, 0x22
    SLEEP_UNTIL count, 1
    CMOS_WRITE 0x0b, 0x02
    mov al, [causes]
    and al, 0xa0
    EXPECT al, 0xa0, "alarm in register C"

    ; Reading register C took the requests away.
    CMOS_READ 0x0c
    and al, 0x80
    EXPECT al, 0, "no request left"
    PASS

clock:
    push ax
    push dx
    CMOS_READ 0x0c
    mov [cs:causes], al
    inc byte [cs:count]
    EOI 8
    pop dx
    pop ax
    iret

count:
    db 0
causes:
    db 0

%include "end.inc"
