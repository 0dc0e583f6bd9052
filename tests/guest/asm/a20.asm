; SPDX-License-Identifier: GPL-2.0-or-later
; The gate of address line 20: by port 0x92, by the keyboard controller and by the BIOS. With the
; gate open the second megabyte is its own; closed, it is the first.

%include "common.inc"
%include "pic.inc"

main:
    ; Port 0x92.
    in al, 0x92
    and al, 0xfe
    or al, 2
    out 0x92, al
    in al, 0x92
    and al, 3
    EXPECT al, 2, "port 0x92 with the gate open"
    call second_megabyte
    in al, 0x92
    and al, 0xfc
    out 0x92, al
    in al, 0x92
    and al, 3
    EXPECT al, 0, "port 0x92 with the gate closed"
    call first_megabyte

    ; The keyboard controller's output port.
    cli
    mov al, 0xdf
    call write_output
    call read_output
    and al, 3
    EXPECT al, 3, "output port with the gate open"
    call second_megabyte
    mov al, 0xdd
    call write_output
    call read_output
    and al, 3
    EXPECT al, 1, "output port with the gate closed"
    call first_megabyte
    sti

    ; The processor sees it at once, with the instruction before and behind.
    mov ax, 0xffff
    mov ds, ax
    mov al, 2
    out 0x92, al
    mov byte [0x510], 0x11
    mov al, 0
    out 0x92, al
    mov byte [0x510], 0x22
    mov al, 2
    out 0x92, al
    mov bl, [0x510]
    xor ax, ax
    mov ds, ax
    mov al, bl
    EXPECT al, 0x11, "the store before the gate closed"
    mov al, [0x500]
    EXPECT al, 0x22, "the store after the gate closed"

    ; The BIOS.
    mov ax, 0x2401
    int 0x15
    FAIL_UNLESS nc, "the BIOS opens the gate"
    mov ax, 0x2402
    int 0x15
    FAIL_UNLESS nc, "the BIOS knows the gate"
    EXPECT al, 1, "the gate is open, says the BIOS"
    call second_megabyte
    PASS

; 0x100500 is not 0x500.
second_megabyte:
    push ds
    mov ax, 0xffff
    mov ds, ax
    mov dword [0x510], 0x600d600d
    xor ax, ax
    mov ds, ax
    mov dword [0x500], 0x0badbad0
    mov ax, 0xffff
    mov ds, ax
    mov ebx, [0x510]
    pop ds
    mov eax, ebx
    EXPECT eax, 0x600d600d, "memory beyond the first megabyte"
    ret

; 0x100500 is 0x500.
first_megabyte:
    mov dword [0x500], 0x0badbad0
    mov ax, 0xffff
    mov ds, ax
    mov ebx, [0x510]
    mov dword [0x510], 0x600d600d
    xor ax, ax
    mov ds, ax
    mov eax, ebx
    EXPECT eax, 0x0badbad0, "a load behind the first megabyte"
    mov eax, [0x500]
    EXPECT eax, 0x600d600d, "a store behind the first megabyte"
    ret

write_output:
    push ax
    mov al, 0xd1
    call command
    pop ax
    call ready
    out 0x60, al
    jmp ready
read_output:
    mov al, 0xd0
    call command
.again:
    in al, 0x64
    test al, 1
    jz .again
    in al, 0x60
    ret
command:
    call ready
    out 0x64, al
    ret
ready:
    push ax
.again:
    in al, 0x64
    test al, 2
    jnz .again
    pop ax
    ret

%include "end.inc"
