; SPDX-License-Identifier: GPL-2.0-or-later
; The local APIC: its timer, interrupts to itself, priorities.

%include "common.inc"
%include "protected.inc"
%include "apic.inc"

%define TICK 0x41
%define LOW 0x52
%define HIGH 0xa3

main:
    ENTER_PROTECTED
    ENABLE_APIC
    GATE TICK, tick
    GATE LOW, low
    GATE HIGH, high
    mov eax, [APIC + APIC_VERSION]
    and eax, 0xf0
    EXPECT eax, 0x10, "an integrated APIC"

    ; One shot.
    mov dword [APIC + APIC_TIMER_DIVIDE], 0x0b
    mov dword [APIC + APIC_TIMER], TICK
    mov dword [APIC + APIC_TIMER_INITIAL], 1000000
    mov eax, [APIC + APIC_TIMER_CURRENT]
    cmp eax, 1000000
    FAIL_UNLESS be, "the count runs down"
    SLEEP_UNTIL ticks, 1
    mov eax, [APIC + APIC_TIMER_CURRENT]
    EXPECT eax, 0, "the count at its end"

    ; Periodic, until its initial count is 0.
    mov dword [APIC + APIC_TIMER], TICK | TIMER_PERIODIC
    mov dword [APIC + APIC_TIMER_INITIAL], 2000000
    SLEEP_UNTIL ticks, 6
    mov dword [APIC + APIC_TIMER_INITIAL], 0
    sti
    nop
    mov ecx, 100
    loop $
    cli
    mov byte [ticks], 0
    sti
    mov ecx, 20000
    loop $
    cli
    mov al, [ticks]
    EXPECT al, 0, "ticks of a stopped timer"

    ; Masked, it ends without an interrupt.
    mov dword [APIC + APIC_TIMER], TICK | LVT_MASKED
    mov dword [APIC + APIC_TIMER_INITIAL], 1000
    mov ecx, 1000000
.masked:
    mov eax, [APIC + APIC_TIMER_CURRENT]
    test eax, eax
    loopnz .masked
    FAIL_UNLESS z, "a masked timer ends"
    sti
    mov ecx, 1000
    loop $
    cli
    mov al, [ticks]
    EXPECT al, 0, "ticks of a masked timer"

    ; To itself; two that wait come in the order of their priorities.
    mov dword [APIC + APIC_ICR], ICR_SELF | LOW
    mov dword [APIC + APIC_ICR], ICR_SELF | HIGH
    mov eax, [APIC + APIC_IRR + (LOW / 32) * 16]
    bt eax, LOW % 32
    FAIL_UNLESS c, "the low vector waits"
    mov eax, [APIC + APIC_IRR + (HIGH / 32) * 16]
    bt eax, HIGH % 32
    FAIL_UNLESS c, "the high vector waits"
    SLEEP_UNTIL lows, 1
    mov ax, [order]
    EXPECT ax, 'HL', "order of the interrupts"

    ; The task's priority holds back what is not above it.
    mov byte [lows], 0
    mov byte [highs], 0
    mov dword [APIC + APIC_TPR], 0x50
    mov dword [APIC + APIC_ICR], ICR_SELF | LOW
    mov dword [APIC + APIC_ICR], ICR_SELF | HIGH
    SLEEP_UNTIL highs, 1
    sti
    mov ecx, 1000
    loop $
    cli
    mov al, [lows]
    EXPECT al, 0, "a vector below the task's priority"
    mov dword [APIC + APIC_TPR], 0
    SLEEP_UNTIL lows, 1

    ; The timer's own vector changes while it runs.
    mov dword [APIC + APIC_TIMER], LOW
    mov byte [lows], 0
    mov dword [APIC + APIC_TIMER_INITIAL], 500000
    SLEEP_UNTIL lows, 1
    PASS

tick:
    inc byte [ticks]
    APIC_ACK
    RETURN_FROM_INTERRUPT

low:
    push eax
    mov al, 'L'
    call note
    inc byte [lows]
    APIC_ACK
    pop eax
    RETURN_FROM_INTERRUPT

high:
    push eax
    mov al, 'H'
    call note
    inc byte [highs]
    APIC_ACK
    pop eax
    RETURN_FROM_INTERRUPT

note:
    xchg [order + 1], al
    mov [order], al
    ret

ticks:
    db 0
lows:
    db 0
highs:
    db 0
order:
    dw 0

%include "end.inc"
