; SPDX-License-Identifier: GPL-2.0-or-later
; A reset by the way that RESET names; a byte of the CMOS memory remembers that it happened.

%define WAY_CF9 1
%define WAY_KEYBOARD 2
%define WAY_PORT92 3
%define WAY_TRIPLE_FAULT 4

%include "common.inc"
%if RESET == WAY_TRIPLE_FAULT
%include "protected.inc"
%endif

%define CMOS_BYTE 0x60
%define MAGIC 0x3a

main:
    cli
    mov al, CMOS_BYTE
    out 0x70, al
    in al, 0x71
    cmp al, MAGIC
    je .again

    SAY "first time", 10
    mov al, CMOS_BYTE
    out 0x70, al
    mov al, MAGIC
    out 0x71, al
    ; These must not outlive the reset.
    mov dx, 0x3ff
    mov al, 0x99
    out dx, al
    mov dx, 0xcf8
    mov eax, 0x80000000
    out dx, eax

%if RESET == WAY_CF9
    mov dx, 0xcf9
    mov al, 0x02
    out dx, al
    mov al, 0x06
    out dx, al
%elif RESET == WAY_KEYBOARD
.busy:
    in al, 0x64
    test al, 2
    jnz .busy
    mov al, 0xfe
    out 0x64, al
%elif RESET == WAY_PORT92
    in al, 0x92
    and al, 0xfe
    out 0x92, al
    or al, 1
    out 0x92, al
%elif RESET == WAY_TRIPLE_FAULT
    ; No gate for the fault of a bad selector, none for the fault that follows.
    ENTER_PROTECTED
    lidt [no_table]
    mov ax, 0xfff8
    mov ds, ax
%else
    %error "which reset?"
%endif
    mov ecx, 0xffff
    loop $
    FAIL_NOW "the guest goes on after the reset"
    MODE 16

.again:
    SAY "second time", 10
    mov dx, 0x3ff
    in al, dx
    EXPECT al, 0, "serial port's scratch register after the reset"
    PASS

no_table:
    dw 0
    dd 0

%include "end.inc"
