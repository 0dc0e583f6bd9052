; SPDX-License-Identifier: GPL-2.0-or-later
; A guest that runs into what neither KVM nor the software CPU can execute: KVM does not fetch code
; from a device, and nobody knows GETSEC, which lies there. The test resets it; a byte of the CMOS
; memory remembers.

%include "common.inc"
%include "protected.inc"

%define CMOS_BYTE 0x60
%define MAGIC 0x3a
%define SCREEN 0xb8000          ; video memory in a text mode is a device's

main:
    mov al, CMOS_BYTE
    out 0x70, al
    in al, 0x71
    cmp al, MAGIC
    je .again
    mov al, CMOS_BYTE
    out 0x70, al
    mov al, MAGIC
    out 0x71, al
    ENTER_PROTECTED
    mov ebx, 0x600dcafe
    SAY 10, "GOING", 10
    mov word [SCREEN], 0x370f
    mov eax, SCREEN
    jmp eax
    MODE 16
.again:
    SAY 10, "second time", 10
    PASS

%include "end.inc"
