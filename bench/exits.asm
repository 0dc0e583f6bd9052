; SPDX-License-Identifier: GPL-2.0-or-later
; A boot sector that leaves the guest COUNT times in one way (-DMODE=…) between 'B' and 'E' on COM1.
%define OUT80 1
%define IN80 2
%define DEBUGCON 3
%define PCIREAD 4
%define MMIOREAD 5
%define MMIOWRITE 6
        bits 16
        org 0x7c00
start:  cli
        xor ax, ax
        mov ss, ax
        mov sp, 0x7000
        mov ds, ax
%if MODE == MMIOREAD || MODE == MMIOWRITE
        mov ax, 0x12                    ; planar graphics: 0xa0000 is registers, not memory
        sti
        int 0x10
        cli
        mov ax, 0xa000
        mov ds, ax
        xor si, si
%endif
%if MODE == PCIREAD
        mov eax, 0x80000000
        mov dx, 0xcf8
        out dx, eax
%endif
        mov al, 'B'
        call put
        mov ecx, COUNT
%if MODE == OUT80
        mov al, 0
.loop:  out 0x80, al
%elif MODE == IN80
.loop:  in al, 0x80
%elif MODE == DEBUGCON
        mov dx, 0x402
        mov al, 'x'
.loop:  out dx, al
%elif MODE == PCIREAD
        mov dx, 0xcfc
.loop:  in eax, dx
%elif MODE == MMIOREAD
.loop:  mov al, [si]
%elif MODE == MMIOWRITE
.loop:  mov [si], al
%endif
        dec ecx
        jnz .loop
        mov al, 'E'
        call put
.stop:  hlt
        jmp .stop
put:    mov dx, 0x3f8
        out dx, al
        ret
        times 510 - ($ - $$) db 0
        dw 0xaa55
