; SPDX-License-Identifier: GPL-2.0-or-later
; One picture after the other: text, 256 colours, 16 colours, and a linear frame buffer of 32 bits
; by the VBE BIOS. The test looks at each when it reads its name, then presses a key.

%include "common.inc"
%include "protected.inc"

%define MODE_INFO 0x1000
%define VBE_MODE 0x142          ; 640x480
%define WIDTH 640
%define HEIGHT 480

main:
    ; Row 0 of full blocks in red, row 1 of blanks on blue, the rest empty.
    mov ax, 3
    int 0x10
    mov ax, 0xb800
    mov es, ax
    xor di, di
    mov ax, 0x04db
    mov cx, 80
    rep stosw
    mov ax, 0x1f20
    mov cx, 80
    rep stosw
    mov ah, 1                   ; no cursor
    mov cx, 0x2000
    int 0x10
    SAY 10, "TEXT", 10
    call key

    ; 320x200: colour 5 is yellow; the upper half is full of it, and its lower left corner.
    mov ax, 0x13
    int 0x10
    mov dx, 0x3c8
    mov al, 5
    out dx, al
    inc dx
    mov al, 63
    out dx, al
    out dx, al
    xor al, al
    out dx, al
    mov ax, 0xa000
    mov es, ax
    xor di, di
    mov ax, 0x0505
    mov cx, 160 * 100
    rep stosw
    mov di, 320 * 150
    mov bx, 50
.line:
    mov cx, 80
    rep stosw
    add di, 160
    dec bx
    jnz .line
    SAY 10, "COLOURS", 10
    call key

    ; 640x480 in four planes: colour 12 by writing planes 2 and 3 of the left half.
    mov ax, 0x12
    int 0x10
    mov ax, 0xa000
    mov es, ax
    mov dx, 0x3c4
    mov ax, 0x0c02
    out dx, ax
    xor di, di
    mov ax, 0xffff
    mov bx, 480
.planes:
    mov cx, 20
    rep stosw
    add di, 40
    dec bx
    jnz .planes
    SAY 10, "PLANES", 10
    call key

    ; The linear frame buffer, in four quarters.
    mov ax, 0x4f01
    mov cx, VBE_MODE
    push ds
    pop es
    mov di, MODE_INFO
    int 0x10
    EXPECT ax, 0x004f, "VBE mode information"
    mov al, [MODE_INFO + 0x19]
    EXPECT al, 32, "bits per pixel"
    mov ax, [MODE_INFO + 0x10]
    EXPECT ax, WIDTH * 4, "bytes per line"
    mov ax, 0x4f02
    mov bx, 0x4000 | VBE_MODE
    int 0x10
    EXPECT ax, 0x004f, "VBE mode set"
    ENTER_PROTECTED
    mov edi, [MODE_INFO + 0x28]
    mov ebx, HEIGHT
    mov esi, quarters
.row:
    mov eax, [esi]
    mov ecx, WIDTH / 2
    rep stosd
    mov eax, [esi + 4]
    mov ecx, WIDTH / 2
    rep stosd
    dec ebx
    jz .drawn
    cmp ebx, HEIGHT / 2
    jne .row
    add esi, 8
    jmp .row
.drawn:
    mov edi, [MODE_INFO + 0x28]
    mov eax, [edi + (100 * WIDTH + 100) * 4]
    EXPECT eax, 0x123456, "a pixel read back"
    SAY 10, "FRAMEBUFFER", 10
.wait:
    in al, 0x64
    test al, 1
    jz .wait
    in al, 0x60
    cmp al, 0x39                ; the space bar goes down
    jne .wait
    PASS

    MODE 16
; Waits for a key by the BIOS, goes back to segment 0.
key:
    xor ax, ax
    int 0x16
    ret

    align 4
quarters:
    dd 0x123456, 0xff0000
    dd 0x00ff00, 0xfedcba

%include "end.inc"
