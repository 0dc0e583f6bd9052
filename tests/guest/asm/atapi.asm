; SPDX-License-Identifier: GPL-2.0-or-later
; The CD drive on the secondary IDE channel: packets and their interrupts, by the CPU and by the
; bus master. The disc is GRUB's rescue disc: any with an ISO 9660 descriptor would do.

%include "common.inc"
%include "pic.inc"
%include "pci.inc"
    PCI_LIBRARY 16

%define PIIX3_IDE 0x70108086
%define CHANNEL 0x170
%define TABLE 0x1000
%define BUFFER 0x2000

read_16:
    db 0x28, 0, 0, 0, 0, 16, 0, 0, 1, 0, 0, 0       ; READ(10) of sector 16
test_ready:
    times 12 db 0
bad_command:
    db 0xc7
    times 11 db 0
request_sense:
    db 3, 0, 0, 0, 18, 0, 0, 0, 0, 0, 0, 0

main:
    PCI_FIND PIIX3_IDE, "the IDE controller"
    PCI_READ 0x04
    or eax, 5
    mov edi, eax
    PCI_WRITE 0x04, edi
    PCI_READ 0x20
    and eax, ~3
    add eax, 8                  ; the secondary channel's registers
    mov [master], ax
    cli
    VECTOR 0x77, interrupt
    UNMASK_ONLY 15
    mov dx, 0x376
    xor al, al
    out dx, al

    ; A reset in the drive leaves the packet devices' signature.
    mov dx, CHANNEL + 6
    mov al, 0xa0
    out dx, al
    inc dx
    mov al, 0x08
    out dx, al
    call idle
    mov dx, CHANNEL + 4
    in al, dx
    EXPECT al, 0x14, "low byte of the signature"
    inc dx
    in al, dx
    EXPECT al, 0xeb, "high byte of the signature"

    ; The unit attention after power-on goes with the first packets.
    mov cx, 4
.ready:
    push cx
    mov si, test_ready
    xor bl, bl
    call packet
    pop cx
    in al, dx
    test al, 1
    loopnz .ready
    FAIL_UNLESS z, "the drive is ready"

    ; By the CPU: one interrupt with the data, one at the end.
    mov si, read_16
    xor bl, bl
    call packet
    and al, 0x89
    EXPECT al, 0x08, "data of a packet"
    mov dx, CHANNEL + 2
    in al, dx
    and al, 3
    EXPECT al, 2, "interrupt reason: data for the host"
    mov dx, CHANNEL + 5
    in al, dx
    mov ah, al
    dec dx
    in al, dx
    EXPECT ax, 2048, "byte count"
    mov byte [count], 0
    mov dx, CHANNEL
    mov di, BUFFER
    mov cx, 1024
    rep insw
    SLEEP_UNTIL count, 1
    mov dx, CHANNEL + 2
    in al, dx
    and al, 3
    EXPECT al, 3, "interrupt reason: done"
    mov eax, [BUFFER + 1]
    EXPECT eax, 'CD00', "descriptor read by the CPU"

    ; By the bus master.
    mov di, BUFFER
    mov cx, 1024
    xor ax, ax
    rep stosw
    mov dword [TABLE], BUFFER
    mov dword [TABLE + 4], 0x80000000 | 2048
    mov dx, [master]
    mov al, 8
    out dx, al
    add dx, 2
    mov al, 6
    out dx, al
    add dx, 2
    mov eax, TABLE
    out dx, eax
    mov si, read_16
    mov bl, 1
    mov bp, start_master
    call packet_then
    and al, 0x89
    EXPECT al, 0, "status after the bus master"
    mov dx, [master]
    add dx, 2
    in al, dx
    and al, 7
    EXPECT al, 4, "the bus master's status"
    mov eax, [BUFFER + 1]
    EXPECT eax, 'CD00', "descriptor read by the bus master"

    ; A packet that means nothing: check condition, illegal request.
    mov si, bad_command
    xor bl, bl
    call packet
    and al, 0x89
    EXPECT al, 1, "error after a bad packet"
    mov si, request_sense
    xor bl, bl
    call packet
    mov dx, CHANNEL
    mov di, BUFFER
    mov cx, 9
    rep insw
    mov al, [BUFFER + 2]
    and al, 15
    EXPECT al, 5, "sense key of a bad packet"
    PASS

idle:
    mov ecx, 1000000
    mov dx, CHANNEL + 7
.again:
    in al, dx
    test al, 0x80
    jz .idle
    dec ecx
    jnz .again
    FAIL_NOW "the CD drive stays busy"
.idle:
    ret

; Sends the packet at si, bl = 1 for the bus master, and sleeps until its interrupt; al = status.
packet:
    mov bp, do_nothing
packet_then:
    call idle
    mov dx, CHANNEL + 1
    mov al, bl
    out dx, al
    mov dx, CHANNEL + 4
    mov al, 0xfe
    out dx, al
    inc dx
    mov al, 0xff
    out dx, al
    mov dx, CHANNEL + 7
    mov al, 0xa0
    out dx, al
    call idle
    mov byte [count], 0
    mov dx, CHANNEL
    mov cx, 6
    rep outsw
    call bp
    SLEEP_UNTIL count, 1
    mov al, [status]
    mov dx, CHANNEL + 7
    ret

start_master:
    mov dx, [master]
    mov al, 9
    out dx, al
do_nothing:
    ret

interrupt:
    push ax
    push dx
    mov dx, CHANNEL + 7
    in al, dx
    mov [cs:status], al
    inc byte [cs:count]
    EOI 15
    pop dx
    pop ax
    iret

master:
    dw 0
count:
    db 0
status:
    db 0

%include "end.inc"
