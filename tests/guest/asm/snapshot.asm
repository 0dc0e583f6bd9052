; SPDX-License-Identifier: GPL-2.0-or-later
; Works for ever: fills memory and checks it, while the 8254 ticks through the 8259s and the local
; APIC's timer by itself. Each round waits for three ticks of both and says its number. Whoever
; loads it from a snapshot sees the rounds go on.

%include "common.inc"
%include "protected.inc"
%include "apic.inc"

%define TICK 0x41
%define MEMORY 0x100000
%define WORDS 0x10000
%define EXTINT 0x700
%define NEW_TICKS 3

main:
    SAY "begin", 10
    ENTER_PROTECTED
    ENABLE_APIC
    mov dword [APIC + APIC_LINT0], EXTINT
    GATE TICK, apic_tick
    GATE IRQ_VECTOR, pit_tick
    mov dword [APIC + APIC_TIMER_DIVIDE], 0x0b
    mov dword [APIC + APIC_TIMER], TICK | TIMER_PERIODIC
    mov dword [APIC + APIC_TIMER_INITIAL], 10000000
    mov al, 0x34
    out 0x43, al
    mov ax, 11932
    out 0x40, al
    mov al, ah
    out 0x40, al
    UNMASK_ONLY 0

round:
    inc dword [rounds]
    ; Each word holds a number that follows from its address and the round's.
    mov edi, MEMORY
    mov ecx, WORDS
.fill:
    mov eax, edi
    imul eax, [rounds]
    mov [edi], eax
    add edi, 4
    dec ecx
    jnz .fill
    mov dword [pit_ticks], 0
    mov dword [apic_ticks], 0
    SLEEP_UNTIL pit_ticks, NEW_TICKS
    SLEEP_UNTIL apic_ticks, NEW_TICKS
    mov edi, MEMORY
    mov ecx, WORDS
.check:
    mov eax, edi
    imul eax, [rounds]
    mov ebx, [edi]
    cmp eax, ebx
    FAIL_UNLESS e, "memory of the round"
    add edi, 4
    dec ecx
    jnz .check
    SAY "round "
    mov ebx, [rounds]
    call put_hex32
    SAY 10
    jmp round

pit_tick:
    push eax
    inc dword [pit_ticks]
    EOI 0
    pop eax
    RETURN_FROM_INTERRUPT

apic_tick:
    inc dword [apic_ticks]
    APIC_ACK
    RETURN_FROM_INTERRUPT

    align 4
rounds:
    dd 0
pit_ticks:
    dd 0
apic_ticks:
    dd 0

%include "end.inc"
