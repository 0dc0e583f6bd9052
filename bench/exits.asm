; SPDX-License-Identifier: GPL-2.0-or-later
; A boot sector that leaves the guest COUNT times in the way that a byte on COM1 asks for, and says
; 'E' there when it is done; again and again. 'B' says that it is ready. It halts while it waits.
        bits 16
        org 0x7c00
%define COM1 0x3f8
start:  cli
        cld
        xor ax, ax
        mov ss, ax
        mov sp, 0x7000
        mov ds, ax
        mov ax, 0x12                    ; planar graphics: 0xa0000 is registers, not memory
        sti
        int 0x10
        cli
        mov word [4 * 0x0c], on_irq4
        mov word [4 * 0x0c + 2], 0
        mov al, ~0x10                   ; of all interrupts only COM1's
        out 0x21, al
        mov al, 0xff
        out 0xa1, al
        mov dx, COM1 + 4                ; DTR, RTS, OUT2
        mov al, 0x0b
        out dx, al
        mov dx, COM1 + 1                ; received data interrupts
        mov al, 1
        out dx, al
        mov al, 'B'
next:   mov dx, COM1
        out dx, al
.wait:  sti
        hlt
        cli
        mov dx, COM1 + 5
        in al, dx
        test al, 1
        jz .wait
        mov dx, COM1
        in al, dx
        movzx bx, al
        sub bx, '1'
        cmp bx, (loops.end - loops) / 2
        jae .wait
        shl bx, 1
        mov ecx, COUNT
        call [loops + bx]
        xor ax, ax
        mov ds, ax
        mov al, 'E'
        jmp next

on_irq4:
        push ax
        mov al, 0x20
        out 0x20, al
        pop ax
        iret

loops:  dw out80, in80, debugcon, debugfile, pciread, mmioread, mmiowrite
.end:

%macro repeat 1+
%%loop: %1
        dec ecx
        jnz %%loop
        ret
%endmacro

out80:  mov al, 0
        repeat out 0x80, al
in80:   repeat in al, 0x80
debugcon:
        mov dx, 0x402
        mov al, 'x'
        repeat out dx, al
debugfile:
        mov dx, 0xe9
        mov al, 'x'
        repeat out dx, al
pciread:
        mov eax, 0x80000000
        mov dx, 0xcf8
        out dx, eax
        mov dx, 0xcfc
        repeat in eax, dx
mmioread:
        mov ax, 0xa000
        mov ds, ax
        xor si, si
        repeat mov al, [si]
mmiowrite:
        mov ax, 0xa000
        mov ds, ax
        xor si, si
        repeat mov [si], al

        times 510 - ($ - $$) db 0
        dw 0xaa55
