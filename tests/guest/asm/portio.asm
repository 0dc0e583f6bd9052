; SPDX-License-Identifier: GPL-2.0-or-later
; Port accesses of 8, 16 and 32 bits, by immediate and by DX.

%include "common.inc"

main:
    ; A page register of the DMA controller holds what it is given.
    mov al, 0x5a
    out 0x81, al
    xor al, al
    in al, 0x81
    EXPECT al, 0x5a, "page register, written by out 0x81"
    mov dx, 0x81
    mov al, 0xa5
    out dx, al
    xor al, al
    in al, dx
    EXPECT al, 0xa5, "page register, written by out dx"

    ; The index and data registers of the CMOS memory.
    mov al, 0x60
    out 0x70, al
    mov al, 0x3c
    out 0x71, al
    mov al, 0x60
    out 0x70, al
    in al, 0x71
    EXPECT al, 0x3c, "CMOS byte"

    ; A word reaches the VGA's index register and the data register above it.
    mov dx, 0x3d4
    mov ax, 0x340f
    out dx, ax
    inc dx
    in al, dx
    EXPECT al, 0x34, "cursor location, written by a word"

    ; The registers of Bochs' VBE are words.
    mov dx, 0x1ce
    mov ax, 0
    out dx, ax
    inc dx
    in ax, dx
    and ax, 0xfff0
    EXPECT ax, 0xb0c0, "VBE identification"

    ; The host bridge's identification in every size.
    mov dx, 0xcf8
    mov eax, 0x80000000
    out dx, eax
    xor eax, eax
    in eax, dx
    EXPECT eax, 0x80000000, "PCI address register"
    mov dx, 0xcfc
    in eax, dx
    EXPECT eax, 0x12378086, "host bridge, 32 bits"
    in ax, dx
    EXPECT ax, 0x8086, "host bridge, low 16 bits"
    in al, dx
    EXPECT al, 0x86, "host bridge, first byte"
    mov dx, 0xcfd
    in al, dx
    EXPECT al, 0x80, "host bridge, second byte"
    mov dx, 0xcfe
    in ax, dx
    EXPECT ax, 0x1237, "host bridge, high 16 bits"
    mov dx, 0xcff
    in al, dx
    EXPECT al, 0x12, "host bridge, last byte"

    ; A byte written to the middle of the address register is not for PCI.
    mov dx, 0xcf8
    mov eax, 0x80000000
    out dx, eax
    mov dx, 0xcfa
    mov al, 0x12
    out dx, al
    mov dx, 0xcf8
    in eax, dx
    EXPECT eax, 0x80000000, "PCI address register after a byte's write"

    ; Nobody answers: all ones, and writes do nothing.
    mov dx, 0x300
    mov eax, 0x12345678
    out dx, eax
    out dx, ax
    out dx, al
    in eax, dx
    EXPECT eax, 0xffffffff, "nothing, 32 bits"
    in ax, dx
    EXPECT ax, 0xffff, "nothing, 16 bits"
    in al, dx
    EXPECT al, 0xff, "nothing, 8 bits"

    ; Many exits in a row, none lost: PIC mask registers toggle 2000 times.
    cli
    in al, 0x21
    mov bl, al
    mov cx, 2000
.toggle:
    in al, 0x21
    not al
    out 0x21, al
    loop .toggle
    in al, 0x21
    cmp al, bl
    FAIL_UNLESS e, "interrupt mask after 2000 changes"
    sti
    PASS

%include "end.inc"
