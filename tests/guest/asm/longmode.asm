; SPDX-License-Identifier: GPL-2.0-or-later
; A 64-bit kernel in small: four levels of tables, exceptions and interrupts through 64-bit gates,
; SSE registers, 64-bit accesses to a device.

%include "common.inc"
%include "protected.inc"
%include "long.inc"
%include "tables.inc"
%include "edu.inc"
%include "apic.inc"

%define PAGE 0x30000
%define TICK 0x41

main:
    ENTER_PROTECTED
    call find_edu
    MAKE_TABLES
    ENTER_LONG PML4
    mov ecx, 0xc0000080
    rdmsr
    and eax, 0x500
    EXPECT eax, 0x500, "long mode is on"

    ; 64-bit arithmetic and registers.
    mov r8, 0x123456789abcdef0
    mov r15, 3
    imul r8, r15
    mov rax, r8
    shr rax, 32
    EXPECT eax, 0x369d0369, "high half of a product"
    xor edx, edx
    mov rax, r8
    div r15
    mov r9, 0x123456789abcdef0
    cmp rax, r9
    FAIL_UNLESS e, "quotient"

    ; A page high up appears when it is written.
    GATE64 14, page_fault
    mov rbx, HIGH
    mov rax, 0x0102030405060708
    mov [rbx + 0x10], rax
    cmp byte [faults], 1
    FAIL_UNLESS e, "one fault for a new page"
    mov rax, [address]
    lea rcx, [rbx + 0x10]
    cmp rax, rcx
    FAIL_UNLESS e, "address of the fault"
    mov eax, [error]
    EXPECT eax, 2, "error code of the fault"
    mov eax, [PAGE + 0x10]
    EXPECT eax, 0x05060708, "what was written, where the page is"

    ; SSE registers; arithmetic on them is beyond KVM's emulator.
    movdqu xmm0, [numbers]
    movdqu [rbx + 0x20], xmm0
    mov eax, [PAGE + 0x2c]
    EXPECT eax, 4, "a vector's last number"

    ; The device's 64-bit registers.
    mov ebp, ebp
    mov eax, [rbp]
    EXPECT eax, 0x010000ed, "the edu device's identification"
    mov rax, 0x0000000012345678
    mov [rbp + EDU_DMA_SOURCE], rax
    mov rcx, [rbp + EDU_DMA_SOURCE]
    cmp rax, rcx
    FAIL_UNLESS e, "a 64-bit register"

    ; The local APIC's timer.
    GATE64 TICK, tick
    mov r12d, APIC
    mov dword [r12 + APIC_SPURIOUS], 0x1ff
    mov dword [r12 + APIC_LINT0], LVT_MASKED
    mov dword [r12 + APIC_TPR], 0
    mov dword [r12 + APIC_TIMER_DIVIDE], 0x0b
    mov dword [r12 + APIC_TIMER], TICK | TIMER_PERIODIC
    mov dword [r12 + APIC_TIMER_INITIAL], 1000000
    SLEEP_UNTIL ticks, 5
    mov dword [r12 + APIC_TIMER_INITIAL], 0

    ; Ports.
    mov dx, 0xcf8
    mov eax, 0x80000000
    out dx, eax
    mov dx, 0xcfc
    in eax, dx
    EXPECT eax, 0x12378086, "host bridge"
    mov rsi, said
    mov ecx, said_length
    mov dx, DEBUG_PORT
    rep outsb
    mov eax, esi
    EXPECT eax, said + said_length, "rsi after rep outsb"
    PASS

page_fault:
    push rax
    inc byte [faults]
    mov rax, cr2
    mov [address], rax
    mov rax, [rsp + 8]
    mov [error], rax
    mov dword [HIGH_TABLE], PAGE | 3
    mov rax, cr2
    invlpg [rax]
    pop rax
    add rsp, 8
    iretq

tick:
    inc byte [ticks]
    mov dword [r12 + APIC_EOI], 0
    iretq

    align 8
numbers:
    dd 1, 2, 3, 4
address:
    dq 0
error:
    dq 0
faults:
    db 0
ticks:
    db 0
said:
    db "64 bits were here", 10
said_length equ $ - said

%include "end.inc"
