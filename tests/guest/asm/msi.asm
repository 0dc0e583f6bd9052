; SPDX-License-Identifier: GPL-2.0-or-later
; A PCI device's message-signalled interrupts to the local APIC.

%include "common.inc"
%include "protected.inc"
%include "edu.inc"
%include "apic.inc"

%define VECTOR_ONE 0x45
%define VECTOR_TWO 0x93

main:
    ENTER_PROTECTED
    ENABLE_APIC
    GATE VECTOR_ONE, first
    GATE VECTOR_TWO, second
    call find_edu
    mov ebx, [edu_function]

    ; The capability in the list.
    PCI_READ 0x34
    movzx edi, al
.next:
    test edi, edi
    FAIL_UNLESS nz, "an MSI capability"
    PCI_READ edi
    cmp al, 5
    je .found
    movzx edi, ah
    jmp .next
.found:
    mov [capability], edi
    mov ecx, eax

    ; Address, data behind it (8 or 12 bytes in), enable.
    lea edx, [edi + 8]
    test ecx, 0x00800000
    jz .narrow
    add edx, 4
.narrow:
    mov [data], edx
    lea eax, [edi + 4]
    PCI_WRITE eax, APIC
    mov eax, [data]
    PCI_WRITE eax, VECTOR_ONE
    mov esi, ecx
    or esi, 0x00010000
    mov eax, [capability]
    PCI_WRITE eax, esi
    mov eax, [capability]
    PCI_READ eax
    bt eax, 16
    FAIL_UNLESS c, "MSI is on"

    mov dword [ebp + EDU_IRQ_RAISE], 1
    SLEEP_UNTIL ones, 1
    mov dword [ebp + EDU_IRQ_ACK], 1

    ; A message is an edge: nothing comes again by itself, a second one is a second interrupt.
    sti
    mov ecx, 20000
    loop $
    cli
    mov al, [ones]
    EXPECT al, 1, "interrupts of one message"
    mov dword [ebp + EDU_IRQ_RAISE], 1
    SLEEP_UNTIL ones, 2
    mov dword [ebp + EDU_IRQ_ACK], 1

    ; Another vector.
    mov ebx, [edu_function]
    mov eax, [data]
    PCI_WRITE eax, VECTOR_TWO
    mov dword [ebp + EDU_STATUS], EDU_IRQ_ON_FACTORIAL
    mov dword [ebp + EDU_FACTORIAL], 6
    SLEEP_UNTIL twos, 1
    mov eax, [ebp + EDU_FACTORIAL]
    EXPECT eax, 720, "6!"
    mov dword [ebp + EDU_IRQ_ACK], 1
    mov al, [ones]
    EXPECT al, 2, "interrupts of the first vector"

    ; With interrupts off it waits in the request register.
    mov dword [ebp + EDU_IRQ_RAISE], 1
    mov ecx, 1000000
.pending:
    mov eax, [APIC + APIC_IRR + (VECTOR_TWO / 32) * 16]
    bt eax, VECTOR_TWO % 32
    jc .there
    loop .pending
    FAIL_NOW "the message shows in the request register"
.there:
    mov dword [ebp + EDU_IRQ_ACK], 1
    mov byte [twos], 0
    SLEEP_UNTIL twos, 1
    PASS

first:
    inc byte [ones]
    APIC_ACK
    RETURN_FROM_INTERRUPT
second:
    inc byte [twos]
    APIC_ACK
    RETURN_FROM_INTERRUPT

ones:
    db 0
twos:
    db 0
capability:
    dd 0
data:
    dd 0

%include "end.inc"
