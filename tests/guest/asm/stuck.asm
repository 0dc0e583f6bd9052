; SPDX-License-Identifier: GPL-2.0-or-later
; A guest that runs into nowhere: KVM cannot fetch code where there is no memory. The test resets
; it; a byte of the CMOS memory remembers.

%include "common.inc"
%include "protected.inc"

%define CMOS_BYTE 0x60
%define MAGIC 0x3a
%define NOWHERE 0xd0000000

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
    mov eax, NOWHERE
    jmp eax
    MODE 16
.again:
    SAY 10, "second time", 10
    PASS

%include "end.inc"
