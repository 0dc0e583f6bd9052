; SPDX-License-Identifier: GPL-2.0-or-later
; String port instructions of all sizes, forwards and backwards, short and across pages.

%include "common.inc"
%include "ata.inc"

%define FIRST 0x1000
%define SECOND 0x2000
%define FW_CFG 0x510

hello:
    db "rep outsb was here", 10
hello_length equ $ - hello
cursor:
    dw 0x210e, 0x430f           ; index and value pairs for the VGA
addresses:
    dd 0x80000000, 0x80000004, 0x80000808

main:
    ; rep outsb: the text shows in the debug console's output.
    mov si, hello
    mov cx, hello_length
    mov dx, DEBUG_PORT
    rep outsb
    mov ax, si
    EXPECT ax, hello + hello_length, "si after rep outsb"
    mov ax, cx
    EXPECT ax, 0, "cx after rep outsb"

    ; Nothing happens with a count of 0.
    mov si, hello
    xor cx, cx
    rep outsb
    mov ax, si
    EXPECT ax, hello, "si after rep outsb of nothing"

    ; rep outsw: two registers of the VGA.
    mov si, cursor
    mov cx, 2
    mov dx, 0x3d4
    rep outsw
    mov al, 0x0e
    out dx, al
    inc dx
    in al, dx
    EXPECT al, 0x21, "first word of rep outsw"
    dec dx
    mov al, 0x0f
    out dx, al
    inc dx
    in al, dx
    EXPECT al, 0x43, "second word of rep outsw"

    ; rep outsd: the last address stays.
    mov si, addresses
    mov cx, 3
    mov dx, 0xcf8
    rep outsd
    in eax, dx
    EXPECT eax, 0x80000808, "last of rep outsd"
    mov si, addresses + 8
    std
    mov cx, 2
    rep outsd
    cld
    in eax, dx
    EXPECT eax, 0x80000004, "last of rep outsd backwards"
    mov ax, si
    EXPECT ax, addresses, "si after rep outsd backwards"

    ; rep insb: the signature of the configuration device, then a read that crosses pages,
    ; compared with the same read by single bytes.
    call select_signature
    mov di, FIRST
    mov cx, 4
    rep insb
    mov eax, [FIRST]
    EXPECT eax, 'QEMU', "signature by rep insb"
    call select_signature
    mov di, FIRST + 7
    std
    mov cx, 4
    rep insb
    cld
    mov eax, [FIRST + 4]
    EXPECT eax, 'UMEQ', "signature by rep insb backwards"
    call select_signature
    mov di, FIRST
    insb
    insb
    mov ax, [FIRST]
    EXPECT ax, 'QE', "signature by single insb"

    call select_directory
    mov di, 0x3ffd              ; crosses two page boundaries
    mov cx, 4200
    rep insb
    call select_directory
    mov di, 0x3ffd
    mov cx, 4200
    mov dx, FW_CFG + 1
.directory:
    in al, dx
    scasb
    jne .different
    loop .directory
.different:
    FAIL_UNLESS e, "4200 bytes of rep insb are those of in"

    ; IDENTIFY: rep insw, rep insd and single words agree.
    mov al, 2
    call ata_interrupts
    mov di, FIRST
    call identify
    mov cx, 256
    rep insw
    mov di, SECOND
    call identify
    mov cx, 128
    rep insd
    call compare_sectors
    FAIL_UNLESS e, "a sector by rep insd is that by rep insw"
    mov di, SECOND
    call identify
    mov cx, 256
.word:
    in ax, dx
    stosw
    loop .word
    call compare_sectors
    FAIL_UNLESS e, "a sector by in ax is that by rep insw"
    mov di, SECOND
    call identify
    mov cx, 256
.insw:
    insw
    loop .insw
    call compare_sectors
    FAIL_UNLESS e, "a sector by single insw is that by rep insw"

    ; Written by rep outsw and by rep outsd, read by rep insd with 32-bit addresses.
    mov al, 0x30
    mov bl, 2
    mov cx, 100
    call ata_command
    call ata_data
    mov si, FIRST
    mov dx, ATA
    mov cx, 256
    rep outsw
    call ata_data
    mov si, FIRST
    mov dx, ATA
    mov cx, 128
    rep outsd
    call ata_idle
    mov al, 0x20
    mov bl, 2
    mov cx, 100
    call ata_command
    mov edi, SECOND
    mov ebx, 2
.sector:
    call ata_data
    mov dx, ATA
    mov ecx, 128
    a32 rep insd
    dec ebx
    jnz .sector
    mov eax, edi
    EXPECT eax, SECOND + 1024, "edi after rep insd with 32-bit addresses"
    call compare_sectors
    FAIL_UNLESS e, "sector written by rep outsw"
    mov si, SECOND
    mov di, SECOND + 512
    mov cx, 512
    repe cmpsb
    FAIL_UNLESS e, "sector written by rep outsd"

    ; From another segment, and from read-only memory.
    push ds
    mov ax, 0xf000
    mov ds, ax
    mov si, 0xfff0
    mov dx, 0x80
    mov cx, 16
    rep outsb
    mov ax, si
    pop ds
    EXPECT ax, 0, "si after rep outsb from the firmware"
    PASS

select_signature:
    xor ax, ax
    jmp select
select_directory:
    mov ax, 0x19
select:
    mov dx, FW_CFG
    out dx, ax
    inc dx
    ret

; Starts IDENTIFY DEVICE; dx = data port when the data wait.
identify:
    mov al, 0xec
    mov bl, 0
    xor cx, cx
    push di
    call ata_command
    call ata_data
    pop di
    mov dx, ATA
    ret

compare_sectors:
    mov si, FIRST
    mov di, SECOND
    mov cx, 512
    repe cmpsb
    ret

%include "end.inc"
