; SPDX-License-Identifier: GPL-2.0-or-later
; The I/O APIC: the timer's edges, and a PCI device's level, which comes again after the end of
; interrupt as long as the device asks.

%include "common.inc"
%include "protected.inc"
%include "edu.inc"
%include "apic.inc"

%define TIMER_VECTOR 0x61
%define EDU_VECTOR 0x52
%define TIMER_PIN 2

main:
    ENTER_PROTECTED
    ENABLE_APIC
    GATE TIMER_VECTOR, timer
    GATE EDU_VECTOR, interrupt
    IOAPIC_READ 1
    shr eax, 16
    EXPECT al, 23, "the last pin"

    ; Edges of counter 0 at 100 Hz.
    mov al, 0x34
    out 0x43, al
    mov ax, 11932
    out 0x40, al
    mov al, ah
    out 0x40, al
    mov eax, [APIC + APIC_ID]
    and eax, 0xff000000
    mov [apic_id], eax
    IOAPIC_WRITE 0x10 + TIMER_PIN * 2 + 1, eax
    IOAPIC_WRITE 0x10 + TIMER_PIN * 2, TIMER_VECTOR
    SLEEP_UNTIL ticks, 5
    IOAPIC_WRITE 0x10 + TIMER_PIN * 2, TIMER_VECTOR | LVT_MASKED
    sti
    mov ecx, 100
    loop $
    cli
    mov byte [ticks], 0
    sti
    mov ecx, 40000
    loop $
    cli
    mov al, [ticks]
    EXPECT al, 0, "ticks of a masked pin"

    ; The PCI device's level.
    call find_edu
    mov ebx, [edu_function]
    PCI_READ 0x3c
    movzx eax, al
    lea eax, [0x10 + eax * 2]
    mov [entry], eax
    inc eax
    mov ecx, [apic_id]
    mov [IOAPIC], eax
    mov [IOAPIC + 0x10], ecx
    mov eax, EDU_VECTOR | IOAPIC_LEVEL
    call write_entry
    mov byte [left], 3
    mov dword [ebp + EDU_IRQ_RAISE], 0x11
    SLEEP_UNTIL count, 4
    mov eax, [ebp + EDU_IRQ_STATUS]
    EXPECT eax, 0, "the device is acknowledged"
    sti
    mov ecx, 20000
    loop $
    cli
    mov al, [count]
    EXPECT al, 4, "interrupts until the acknowledgement"
    call read_entry
    and eax, IOAPIC_REMOTE_IRR
    EXPECT eax, 0, "remote IRR after the end of interrupt"

    ; Masked while the level is there: it comes when the mask goes.
    mov byte [count], 0
    mov eax, EDU_VECTOR | IOAPIC_LEVEL | LVT_MASKED
    call write_entry
    mov dword [ebp + EDU_IRQ_RAISE], 0x22
    sti
    mov ecx, 20000
    loop $
    cli
    mov al, [count]
    EXPECT al, 0, "interrupts of a masked level"
    mov eax, EDU_VECTOR | IOAPIC_LEVEL
    call write_entry
    SLEEP_UNTIL count, 1

    ; Many rounds, each with its end of interrupt.
    mov byte [count], 0
    mov ecx, 100
.round:
    push ecx
    mov al, [count]
    inc al
    mov [target], al
    mov dword [ebp + EDU_IRQ_RAISE], 1
.sleep:
    cli
    mov al, [count]
    cmp al, [target]
    jae .came
    sti
    hlt
    jmp .sleep
.came:
    pop ecx
    dec ecx
    jnz .round
    mov al, [count]
    EXPECT al, 100, "interrupts of a hundred rounds"
    PASS

write_entry:
    mov edx, [entry]
    mov [IOAPIC], edx
    mov [IOAPIC + 0x10], eax
    ret
read_entry:
    mov edx, [entry]
    mov [IOAPIC], edx
    mov eax, [IOAPIC + 0x10]
    ret

timer:
    inc byte [ticks]
    APIC_ACK
    RETURN_FROM_INTERRUPT

interrupt:
    push eax
    push edx
    ; A KVM without hardware virtualization may end an interrupt when it delivers it: then one that
    ; nobody asked for comes after the acknowledgement.
    mov eax, [ebp + EDU_IRQ_STATUS]
    test eax, eax
    jz .out
    inc byte [count]
    cmp byte [left], 0
    je .acknowledge
    dec byte [left]
    jmp .out
.acknowledge:
    mov eax, [ebp + EDU_IRQ_STATUS]
    mov [ebp + EDU_IRQ_ACK], eax
.out:
    APIC_ACK
    pop edx
    pop eax
    RETURN_FROM_INTERRUPT

ticks:
    db 0
count:
    db 0
left:
    db 0
target:
    db 0
apic_id:
    dd 0
entry:
    dd 0

%include "end.inc"
