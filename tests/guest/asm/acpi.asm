; SPDX-License-Identifier: GPL-2.0-or-later
; ACPI's fixed hardware: the power management timer and its interrupt, then power-off by S5.

%include "common.inc"
%include "pic.inc"
%include "pci.inc"
    PCI_LIBRARY 16

%define PIIX4_PM 0x71138086
%define PM1_STATUS 0
%define PM1_ENABLE 2
%define PM1_CONTROL 4
%define PM_TIMER 8
%define SLEEP_ENABLE 0x2000
%define SCI 9

main:
    PCI_FIND PIIX4_PM, "the power management function"
    PCI_READ 0x40
    and eax, 0xffc0
    FAIL_UNLESS nz, "the power management ports have an address"
    mov bp, ax

    ; Three ticks of the timer for each of the 8254's counter: both ran alike over some 20 ms. A
    ; busy host may hold the guest between the two reads, so it may try again.
    cli
    mov al, 0x34
    out 0x43, al
    xor al, al
    out 0x40, al
    out 0x40, al
    mov cx, 50
.try:
    push cx
    call read_both
    mov [timer], eax
    mov [counter], bx
.run:
    call read_both
    mov dx, [counter]
    sub dx, bx                  ; counts down, wraps
    cmp dx, 24000
    jb .run
    movzx edx, dx
    sub eax, [timer]
    and eax, 0x00ffffff
    lea ecx, [edx + edx * 2]
    mov [ran], eax
    mov [wanted], ecx
    sub eax, ecx
    jns .positive
    neg eax
.positive:
    shr ecx, 6
    cmp eax, ecx
    pop cx
    jbe .alike
    loop .try
    mov eax, [ran]
    mov ebx, [wanted]
    FAIL_NOW "ticks of the power management timer"
.alike:

    ; ACPI mode, and the interrupt when the timer's highest bit changes: every 2.3 s.
    lea dx, [bp + PM1_CONTROL]
    in ax, dx
    test al, 1
    jnz .acpi
    mov al, 0xf1
    out 0xb2, al
.acpi:
    in ax, dx
    and ax, 1
    EXPECT ax, 1, "ACPI mode"
    VECTOR 0x71, interrupt
    UNMASK_ONLY SCI
    lea dx, [bp + PM1_STATUS]
    mov ax, 0xffff
    out dx, ax
    in ax, dx
    and ax, 1
    EXPECT ax, 0, "timer status after it was cleared"
    lea dx, [bp + PM1_ENABLE]
    mov ax, 1
    out dx, ax
    SLEEP_UNTIL count, 1
    mov ax, [status]
    and ax, 1
    EXPECT ax, 1, "timer status in its interrupt"

    ; Off. Nothing after the second write is run.
    SAY "power off", 10
    lea dx, [bp + PM1_CONTROL]
    in ax, dx
    and ax, 0x03ff
    out dx, ax
    or ax, SLEEP_ENABLE
    out dx, ax
    mov cx, 0xffff
    loop $
    FAIL_NOW "the machine is still on"

; eax = power management timer, bx = counter 0
read_both:
    lea dx, [bp + PM_TIMER]
    in eax, dx
    push ax
    mov al, 0
    out 0x43, al
    in al, 0x40
    mov bl, al
    in al, 0x40
    mov bh, al
    pop ax
    ret

interrupt:
    push ax
    push dx
    lea dx, [bp + PM1_STATUS]
    in ax, dx
    mov [cs:status], ax
    mov ax, 1
    out dx, ax
    inc byte [cs:count]
    EOI SCI
    pop dx
    pop ax
    iret

count:
    db 0
status:
    dw 0
counter:
    dw 0
    align 4
timer:
    dd 0
ran:
    dd 0
wanted:
    dd 0

%include "end.inc"
