; SPDX-License-Identifier: GPL-2.0-or-later
; The floppy controller's interrupt, a sector read and one written by ISA DMA. The same image is in
; the floppy drive and on the disk that is booted from.

%include "common.inc"
%include "pic.inc"

%define FDC 0x3f0
%define BUFFER 0x1000
%define LOADED 0x7e00
%define count 0x6000
%define results 0x6010

read_command:
    db 9, 0xe6, 0x00, 0, 0, 2, 2, 2, 0x1b, 0xff     ; length, then READ of sector 2 of track 0
write_command:
    db 9, 0xc5, 0x00, 5, 0, 7, 2, 7, 0x1b, 0xff     ; WRITE of sector 7 of track 5
read_back:
    db 9, 0xe6, 0x00, 5, 0, 7, 2, 7, 0x1b, 0xff
read_nothing:
    db 9, 0xe6, 0x00, 5, 0, 40, 2, 40, 0x1b, 0xff
specify:
    db 3, 0x03, 0xaf, 0x02
recalibrate:
    db 2, 0x07, 0x00
seek:
    db 3, 0x0f, 0x00, 5
sense:
    db 1, 0x08

main:
    mov byte [count], 0
    cli
    VECTOR 0x0e, interrupt
    UNMASK_ONLY 6

    ; Reset, and its interrupt; the four drives' status changes.
    mov dx, FDC + 2
    xor al, al
    out dx, al
    mov cx, 100
    loop $
    mov al, 0x1c
    out dx, al
    SLEEP_UNTIL count, 1
    mov cx, 4
.sense:
    push cx
    mov si, sense
    call command
    mov cx, 2
    call take
    pop cx
    loop .sense
    mov al, [results]
    and al, 0xc0
    EXPECT al, 0xc0, "status 0 after a reset"

    mov si, specify
    call command
    mov si, recalibrate
    mov bx, 0
    call move
    mov al, 0x46                ; to memory, channel 2, single
    mov si, read_command
    call transfer
    mov si, BUFFER
    mov di, LOADED
    mov cx, 512
    repe cmpsb
    FAIL_UNLESS e, "sector 2 of track 0"
    mov al, [results + 5]
    EXPECT al, 1, "sector after the last of the track"

    mov si, seek
    mov bx, 5
    call move
    mov di, BUFFER
    mov cx, 256
    mov ax, 0x600d
    rep stosw
    mov al, 0x4a                ; from memory
    mov si, write_command
    call transfer
    mov di, BUFFER
    mov cx, 256
    xor ax, ax
    rep stosw
    mov al, 0x46
    mov si, read_back
    call transfer
    mov di, BUFFER
    mov cx, 256
    mov ax, 0x600d
    repe scasw
    FAIL_UNLESS e, "sector 7 of track 5, written and read"

    ; The DMA controller has counted to its end.
    in al, 0x08
    and al, 4
    EXPECT al, 4, "terminal count of DMA channel 2"

    ; No such sector: an abnormal end.
    mov al, 0x46
    mov si, read_nothing
    call set_up_dma
    call command
    SLEEP_UNTIL count, 1
    mov cx, 7
    call take
    mov al, [results]
    and al, 0xc0
    EXPECT al, 0x40, "status 0 of a sector that is not there"
    PASS

; Starts the head's move of the command at si and waits; it must come to track bx.
move:
    mov byte [count], 0
    call command
    SLEEP_UNTIL count, 1
    mov si, sense
    call command
    mov cx, 2
    call take
    mov al, [results]
    and al, 0xf8
    EXPECT al, 0x20, "status 0 after the head's move"
    mov al, [results + 1]
    cmp al, bl
    FAIL_UNLESS e, "track after the head's move"
    ret

; DMA mode al, command at si: one sector between the drive and the buffer.
transfer:
    call set_up_dma
    call command
    SLEEP_UNTIL count, 1
    mov cx, 7
    call take
    mov al, [results]
    and al, 0xc0
    EXPECT al, 0, "status 0 of a transfer"
    ret

set_up_dma:
    mov byte [count], 0
    mov ah, al
    mov al, 0x06                ; mask channel 2
    out 0x0a, al
    out 0x0c, al
    mov al, ah
    out 0x0b, al
    mov al, BUFFER & 0xff
    out 0x04, al
    mov al, BUFFER >> 8
    out 0x04, al
    xor al, al
    out 0x81, al
    mov al, 511 & 0xff
    out 0x05, al
    mov al, 511 >> 8
    out 0x05, al
    mov al, 0x02
    out 0x0a, al
    ret

; Sends the command at si, its length first; changes al, cx, dx, si.
command:
    lodsb
    movzx cx, al
.next:
    mov ah, 0x80
    call controller
    lodsb
    out dx, al
    loop .next
    ret

; Takes cx result bytes.
take:
    mov di, results
.next:
    mov ah, 0xc0
    call controller
    in al, dx
    stosb
    loop .next
    ret

; Waits for the controller's request in direction ah; dx = its data port.
controller:
    push ecx
    mov ecx, 1000000
    mov dx, FDC + 4
.again:
    in al, dx
    and al, 0xc0
    cmp al, ah
    je .ready
    dec ecx
    jnz .again
    FAIL_NOW "the floppy controller does not answer"
.ready:
    inc dx
    pop ecx
    ret

interrupt:
    push ax
    inc byte [cs:count]
    EOI 6
    pop ax
    iret

%include "end.inc"
