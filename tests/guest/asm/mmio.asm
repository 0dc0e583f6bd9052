; SPDX-License-Identifier: GPL-2.0-or-later
; Memory accesses that leave the guest: planar video memory and a PCI device's registers, in all
; sizes, by moves, by string instructions and by instructions that read and write back.

%include "common.inc"
%include "protected.inc"
%include "edu.inc"

%define VIDEO 0xa0000

main:
    mov ax, 0x0012              ; 640x480, four planes
    int 0x10
    ENTER_PROTECTED
    cld

    ; Write mode 0, all planes: what is written is what is read.
    mov byte [VIDEO], 0x5a
    mov al, [VIDEO]
    EXPECT al, 0x5a, "video memory, 8 bits"
    mov word [VIDEO + 2], 0x1234
    mov ax, [VIDEO + 2]
    EXPECT ax, 0x1234, "video memory, 16 bits"
    mov dword [VIDEO + 4], 0x89abcdef
    mov eax, [VIDEO + 4]
    EXPECT eax, 0x89abcdef, "video memory, 32 bits"
    mov al, [VIDEO + 6]
    EXPECT al, 0xab, "video memory, a byte out of 32 bits"
    mov dword [VIDEO + 9], 0x01020304
    mov eax, [VIDEO + 9]
    EXPECT eax, 0x01020304, "video memory, 32 bits unaligned"
    movzx eax, word [VIDEO + 11]
    EXPECT eax, 0x0102, "video memory, zero extended"
    movsx eax, byte [VIDEO + 7]
    EXPECT eax, 0xffffff89, "video memory, sign extended"

    ; Instructions that read and write back.
    or byte [VIDEO], 0x81
    mov al, [VIDEO]
    EXPECT al, 0xdb, "or to video memory"
    add dword [VIDEO + 4], 0x11111111
    mov eax, [VIDEO + 4]
    EXPECT eax, 0x9abcdf00, "add to video memory"
    mov al, 0x77
    xchg al, [VIDEO]
    EXPECT al, 0xdb, "old value by xchg"
    mov al, [VIDEO]
    EXPECT al, 0x77, "new value by xchg"
    test byte [VIDEO], 0x70
    FAIL_UNLESS nz, "test of video memory"
    cmp dword [VIDEO + 4], 0x9abcdf00
    FAIL_UNLESS e, "comparison with video memory"
    not word [VIDEO + 2]
    mov ax, [VIDEO + 2]
    EXPECT ax, 0xedcb, "not of video memory"
    push dword [VIDEO + 4]
    pop eax
    EXPECT eax, 0x9abcdf00, "push of video memory"

    ; Strings: fill, copy out, copy within, compare.
    mov edi, VIDEO + 0x100
    mov ecx, 300
    mov eax, 0xc0ffee11
    rep stosd
    mov eax, [VIDEO + 0x100 + 299 * 4]
    EXPECT eax, 0xc0ffee11, "last of the words filled"
    mov eax, [VIDEO + 0x100 + 300 * 4]
    EXPECT eax, 0, "the word after those filled"
    mov esi, VIDEO + 0x100
    mov edi, 0x30000
    mov ecx, 300
    rep movsd
    mov eax, [0x30000 + 299 * 4]
    EXPECT eax, 0xc0ffee11, "copy from video memory"
    mov esi, VIDEO + 0x100
    mov edi, VIDEO + 0x2000
    mov ecx, 257
    rep movsb
    mov eax, [VIDEO + 0x2000 + 252]
    EXPECT eax, 0xc0ffee11, "copy within video memory"
    mov al, [VIDEO + 0x2000 + 256]
    EXPECT al, 0x11, "last byte of a copy within video memory"
    mov esi, VIDEO + 0x100
    mov edi, 0x30000
    mov ecx, 1200
    repe cmpsb
    FAIL_UNLESS e, "comparison of strings"

    ; One plane at a time.
    mov dx, 0x3c4
    mov ax, 0x0402              ; write plane 2 only
    out dx, ax
    mov byte [VIDEO + 0x3000], 0xff
    mov dx, 0x3ce
    mov ax, 0x0204              ; read plane 2
    out dx, ax
    mov al, [VIDEO + 0x3000]
    EXPECT al, 0xff, "plane 2"
    mov ax, 0x0104              ; read plane 1
    out dx, ax
    mov al, [VIDEO + 0x3000]
    EXPECT al, 0, "plane 1"

    ; Registers of 32 bits in a PCI device.
    call find_edu
    mov eax, [ebp]
    EXPECT eax, 0x010000ed, "the edu device's identification"
    mov dword [ebp + EDU_LIVENESS], 0x12345678
    mov eax, [ebp + EDU_LIVENESS]
    EXPECT eax, ~0x12345678, "the edu device is alive"
    mov ecx, 1000
    mov ebx, 1
.alive:
    mov [ebp + EDU_LIVENESS], ebx
    mov eax, [ebp + EDU_LIVENESS]
    not eax
    cmp eax, ebx
    jne .dead
    rol ebx, 1
    loop .alive
.dead:
    cmp ecx, 0
    FAIL_UNLESS e, "the edu device is alive a thousand times"

    ; Its BAR moves while memory decoding is off, and answers at its new place only.
    mov eax, [edu_function]
    mov ebx, eax
    PCI_WRITE 0x04, 0
    lea edi, [ebp + 0x800000]
    PCI_WRITE 0x10, edi
    PCI_WRITE 0x04, 6
    mov eax, [edi]
    EXPECT eax, 0x010000ed, "the edu device at its new address"
    mov eax, [ebp]
    cmp eax, 0x010000ed
    FAIL_UNLESS ne, "the edu device has left its old address"
    PASS

%include "end.inc"
