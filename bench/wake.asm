; SPDX-License-Identifier: GPL-2.0-or-later
; A boot sector that is woken from HLT ROUNDS times, as the byte on COM1 says that it is sent: '1' by
; the 8254, MICROSECONDS after it was armed; '2' by an IPI of the second processor, which was woken by
; one of the first. Then it writes to COM1, in binary, how many ticks of the time stamp counter all of
; it took (8 bytes) and each round (4 bytes each). 'B' says that it is ready. It halts while it waits.
        bits 16
        org 0x7c00
%define COM1 0x3f8
%define IDT 0x6000
%define TIMES 0x10000
%define SECOND 0x7000                   ; where the second processor starts
%define APIC 0xfee00000
%define PIT_TICKS (MICROSECONDS * 1193182 / 1000000)

start:  cli
        cld
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov byte [SECOND], 0xea         ; jmp 0:protect
        mov word [SECOND + 1], protect
        mov [SECOND + 3], ax
protect:
        cli
        xor ax, ax
        mov ds, ax
        lgdt [gdt_pointer]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp 8:flat

        bits 32
flat:   mov eax, 16
        mov ds, eax
        mov es, eax
        mov ss, eax
        lidt [idt_pointer]
        mov ebp, APIC
        mov dword [ebp + 0xf0], 0x1ff   ; on
        cmp byte [ready], 0
        jne second
        mov byte [ready], 1
        mov esp, 0x5000
        mov edi, IDT                    ; all gates: on_other
        mov ecx, 256
.gate:  mov dword [edi], 8 << 16 | (on_other - $$ + 0x7c00)
        mov dword [edi + 4], 0x8e00
        add edi, 8
        loop .gate
        mov word [IDT + 8 * 0x40], on_ipi
        mov word [IDT + 8 * 0x41], on_second
        mov al, ~0x11                   ; of the 8259s' interrupts the timer's and COM1's
        out 0x21, al
        mov al, 0x30                    ; once
        out 0x43, al
        mov dx, COM1 + 4                ; DTR, RTS, OUT2
        mov al, 0x0b
        out dx, al
        mov dword [ebp + 0x310], 1 << 24        ; its IPIs go to the second, whose go to the first
        mov dword [ebp + 0x300], 0x4500 ; INIT
        mov dword [ebp + 0x300], 0x4600 | SECOND >> 12
.wait_second:
        pause
        cmp byte [ready], 2
        jne .wait_second
        mov al, 'B'
        call say
next:   mov dx, COM1 + 1                ; received data interrupts
        mov al, 1
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
        mov esi, by_timer
        cmp al, '1'
        je .go
        mov esi, by_ipi
.go:    mov dx, COM1 + 1
        xor eax, eax
        out dx, al
        mov edi, TIMES + 8
        mov ecx, ROUNDS
        rdtsc
        mov [TIMES], eax
        mov [TIMES + 4], edx
.round: rdtsc
        mov ebx, eax
        mov byte [woken], 0
        call esi
.sleep: sti
        hlt
        cli
        cmp byte [woken], 0
        je .sleep
        rdtsc
        sub eax, ebx
        stosd
        loop .round
        rdtsc
        sub eax, [TIMES]
        sbb edx, [TIMES + 4]
        mov [TIMES], eax
        mov [TIMES + 4], edx
        mov esi, TIMES
        mov ecx, 8 + ROUNDS * 4
.byte:  lodsb
        call say
        loop .byte
        jmp next

by_timer:
        mov al, PIT_TICKS & 0xff
        out 0x40, al
        mov al, PIT_TICKS >> 8
        out 0x40, al
        ret
by_ipi: mov dword [ebp + 0x300], 0x4041
        ret

say:    push eax
        mov dx, COM1 + 5
.full:  in al, dx
        test al, 0x20
        jz .full
        pop eax
        mov dx, COM1
        out dx, al
        ret

second: mov esp, 0x4000
        mov byte [ready], 2
.sleep: sti
        hlt
        jmp .sleep

on_second:
        mov dword [ebp + 0xb0], 0
        mov dword [ebp + 0x300], 0x4040
        iret
on_ipi: mov dword [ebp + 0xb0], 0
        mov byte [woken], 1
        iret
on_other:
        push eax
        mov al, 0x20
        out 0x20, al
        mov byte [woken], 1
        pop eax
        iret

ready:  db 0
woken:  db 0
gdt:    dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
        dw gdt_pointer - gdt - 1
        dd gdt
idt_pointer:
        dw 0x7ff
        dd IDT
        times 510 - ($ - $$) db 0
        dw 0xaa55
