; SPDX-License-Identifier: GPL-2.0-or-later
; The primary IDE channel's interrupt: a sector read by the CPU, sectors read and written by the
; bus master.

%include "common.inc"
%include "pic.inc"
%include "ata.inc"
%include "pci.inc"
    PCI_LIBRARY 16

%define PIIX3_IDE 0x70108086
%define TABLE 0x1000
%define BUFFER 0x2000
%define LOADED 0x7e00           ; where sector 1 went
%define count 0x6000
%define master 0x6002

main:
    mov byte [count], 0
    PCI_FIND PIIX3_IDE, "the IDE controller"
    PCI_READ 0x04
    or eax, 5
    mov edi, eax
    PCI_WRITE 0x04, edi
    PCI_READ 0x20
    and eax, ~3
    FAIL_UNLESS nz, "the bus master's registers have an address"
    mov [master], ax

    cli
    VECTOR 0x76, interrupt
    UNMASK_ONLY 14
    mov al, 0
    call ata_interrupts

    ; By the CPU.
    mov al, 0x20
    mov bl, 1
    mov cx, 1
    call ata_command
    SLEEP_UNTIL count, 1
    call ata_data
    mov di, BUFFER
    mov dx, ATA
    mov cx, 256
    rep insw
    mov cx, 512
    call compare
    FAIL_UNLESS e, "sector read by the CPU"
    mov al, [count]
    EXPECT al, 1, "interrupts of one sector"

    ; By the bus master: four sectors into two pieces of memory.
    mov dword [TABLE], BUFFER
    mov dword [TABLE + 4], 512
    mov dword [TABLE + 8], BUFFER + 512
    mov dword [TABLE + 12], 0x80000000 | 1536
    call clear_buffer
    mov al, 0xc8
    mov bh, 8
    mov bl, 4
    mov cx, 1
    call transfer
    mov cx, 2048
    call compare
    FAIL_UNLESS e, "sectors read by the bus master"

    ; Written and read again.
    mov word [BUFFER], 0xbeef
    mov word [BUFFER + 2046], 0xcafe
    mov al, 0xca
    mov bh, 0
    mov bl, 4
    mov cx, 100
    call transfer
    call clear_buffer
    mov al, 0xc8
    mov bh, 8
    mov bl, 4
    mov cx, 100
    call transfer
    mov ax, [BUFFER]
    EXPECT ax, 0xbeef, "first word written by the bus master"
    mov ax, [BUFFER + 2046]
    EXPECT ax, 0xcafe, "last word written by the bus master"

    ; A sector that is not there: error and identification not found, with an interrupt.
    mov byte [count], 0
    mov al, 0x20
    mov bl, 1
    mov cx, 0xffff
    call ata_command
    SLEEP_UNTIL count, 1
    call ata_idle
    and al, 0x09
    EXPECT al, 0x01, "error without data beyond the end"
    mov dx, ATA + 1
    in al, dx
    and al, 0x14
    FAIL_UNLESS nz, "error register beyond the end"

    ; With interrupts off in the drive, none comes.
    mov byte [count], 0
    mov al, 2
    call ata_interrupts
    mov al, 0x20
    mov bl, 1
    mov cx, 1
    call ata_command
    call ata_data
    sti
    mov cx, 2000
.wait:
    loop .wait
    cli
    mov al, [count]
    EXPECT al, 0, "interrupts with nIEN set"
    PASS

; Bus master transfer with command al of bl sectors from cx; bh = 8 to memory, 0 from memory.
transfer:
    push ax
    mov byte [count], 0
    mov dx, [master]
    mov al, bh
    out dx, al
    add dx, 4
    mov eax, TABLE
    out dx, eax
    sub dx, 2
    mov al, 6
    out dx, al
    pop ax
    call ata_command
    mov dx, [master]
    mov al, bh
    or al, 1
    out dx, al
    SLEEP_UNTIL count, 1
    mov dx, [master]
    add dx, 2
    in al, dx
    and al, 7
    EXPECT al, 4, "the bus master's status: interrupt, not active, no error"
    mov al, 4
    out dx, al
    in al, dx
    and al, 4
    EXPECT al, 0, "the bus master's interrupt taken away"
    sub dx, 2
    xor al, al
    out dx, al
    call ata_idle
    and al, 0xa9
    EXPECT al, 0, "the drive's status after a transfer"
    ret

clear_buffer:
    mov di, BUFFER
    mov cx, 1024
    xor ax, ax
    rep stosw
    ret

; Are the first cx bytes of the buffer those that the boot sector loaded?
compare:
    mov si, BUFFER
    mov di, LOADED
    repe cmpsb
    ret

interrupt:
    push ax
    push dx
    mov dx, ATA + 7
    in al, dx
    inc byte [cs:count]
    EOI 14
    pop dx
    pop ax
    iret

    ; The first sectors must stay in memory as they are on the disk: no variables in them.
    times 2048 + 512 - ($ - $$) db 0x77

%include "end.inc"
