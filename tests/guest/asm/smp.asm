; SPDX-License-Identifier: GPL-2.0-or-later
; A second processor: started by INIT and SIPI, woken from HLT by interrupts, counting together
; with the first, started again.

%include "common.inc"
%include "protected.inc"
%include "apic.inc"

%define START 0x6000            ; where the second processor starts: page 6
%define AP_STACK 0x5000
%define FIXED 0x51
%define ROUNDS 3000

%define ICR_INIT 0x4500
%define ICR_START 0x4600
%define ICR_NMI 0x4400
%define TO_OTHERS 0xc0000

main:
    mov si, ap_start
    mov di, START
    mov cx, ap_start_end - ap_start
    rep movsb
    ENTER_PROTECTED
    ENABLE_APIC
    GATE FIXED, fixed
    GATE 2, nmi
    mov eax, [APIC + APIC_ID]
    shr eax, 24
    EXPECT eax, 0, "the first processor's APIC ID"

    ; It runs in real mode from the page of the vector.
    call start_other
    mov esi, started
    mov al, 1
    call wait_for
    mov eax, [ap_id]
    EXPECT eax, 1, "the second processor's APIC ID"
    mov eax, [ap_cpuid]
    EXPECT eax, 1, "the second processor's ID by CPUID"
    mov ax, [ap_segment]
    EXPECT ax, START >> 4, "the second processor's first code segment"

    ; Interrupts for it alone.
    mov ebx, 10
    mov byte [wanted], 0
.interrupt:
    inc byte [wanted]
    mov dword [APIC + APIC_ICR_HIGH], 1 << 24
    mov eax, FIXED | 0x4000
    call send
    mov esi, fixed_count
    mov al, [wanted]
    call wait_for
    dec ebx
    jnz .interrupt

    ; An NMI.
    mov dword [APIC + APIC_ICR_HIGH], 1 << 24
    mov eax, ICR_NMI
    call send
    mov esi, nmi_count
    mov al, 1
    call wait_for

    ; CLI does not hold an NMI off: it may have come between the other's look at nmi_count and its
    ; HLT, and an interrupt after it, too. So more of them until it has looked again.
    mov ebx, 1000
.wake:
    mov dword [APIC + APIC_ICR_HIGH], 1 << 24
    mov eax, FIXED | 0x4000
    call send
    call delay
    dec ebx
    jz .asleep
    cmp byte [awake], 1
    jne .wake
.asleep:
    mov esi, awake
    mov al, 1
    call wait_for

    ; Both add to one number.
    mov byte [go], 1
    mov ecx, ROUNDS
.add:
    lock inc dword [sum]
    mov eax, 1
    lock xadd [tickets], eax
    loop .add
    mov esi, added
    mov al, 1
    call wait_for
    mov eax, [sum]
    EXPECT eax, 2 * ROUNDS, "the sum of both processors"
    mov eax, [tickets]
    EXPECT eax, 2 * ROUNDS, "the tickets of both processors"

    ; It interrupts the first one out of HLT.
    mov byte [first_count], 0
    GATE FIXED, fixed_on_first
    mov byte [go], 2
    SLEEP_UNTIL first_count, 1

    ; INIT stops it, SIPI starts it again.
    mov byte [started], 0
    mov byte [fixed_count], 0
    call start_other
    mov esi, started
    mov al, 1
    call wait_for
    PASS

start_other:
    mov eax, ICR_INIT | TO_OTHERS
    call send
    call delay
    mov eax, ICR_START | TO_OTHERS | (START >> 12)
    call send
    call delay
    cmp byte [started], 0
    jne .there
    mov eax, ICR_START | TO_OTHERS | (START >> 12)
    call send
.there:
    ret

send:
    mov [APIC + APIC_ICR], eax
.busy:
    test dword [APIC + APIC_ICR], ICR_PENDING
    jnz .busy
    ret

; A fraction of a second at most.
delay:
    mov ecx, 2000
.again:
    in al, 0x61
    loop .again
    ret

; Waits until the byte at esi is al.
wait_for:
    mov ecx, 3000000
.again:
    pause
    cmp [esi], al
    je .done
    dec ecx
    jnz .again
    movzx ebx, al
    movzx eax, byte [esi]
    FAIL_NOW "the second processor does not answer"
.done:
    ret

fixed_on_first:
    inc byte [first_count]
    APIC_ACK
    RETURN_FROM_INTERRUPT

; The second processor.
    MODE 16
ap_start:
    cli
    mov bx, cs
    xor ax, ax
    mov ds, ax
    mov [ap_segment], bx
    lgdt [gdt_pointer]
    mov eax, cr0
    or eax, 1
    mov cr0, eax
    jmp dword CODE32:ap_flat
ap_start_end:

    MODE 32
ap_flat:
    mov ax, DATA32
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov esp, AP_STACK
    lidt [idt_pointer]
    mov dword [APIC + APIC_SPURIOUS], 0x1ff
    mov dword [APIC + APIC_TPR], 0
    mov eax, [APIC + APIC_ID]
    shr eax, 24
    mov [ap_id], eax
    mov eax, 1
    cpuid
    shr ebx, 24
    mov [ap_cpuid], ebx
    mov byte [started], 1
    sti
.sleep:
    hlt
    cli
    cmp byte [nmi_count], 1
    sti
    jb .sleep
    mov byte [awake], 1
.wait:
    pause
    cmp byte [go], 1
    jb .wait
    cmp byte [added], 1
    je .added
    mov ecx, ROUNDS
.add:
    lock inc dword [sum]
    mov eax, 1
    lock xadd [tickets], eax
    loop .add
    mov byte [added], 1
.added:
    pause
    cmp byte [go], 2
    jb .added
    mov dword [APIC + APIC_ICR_HIGH], 0
    mov dword [APIC + APIC_ICR], FIXED | 0x4000
.end:
    hlt
    jmp .end

fixed:
    inc byte [fixed_count]
    APIC_ACK
    RETURN_FROM_INTERRUPT

nmi:
    inc byte [nmi_count]
    RETURN_FROM_INTERRUPT

started:
    db 0
go:
    db 0
added:
    db 0
wanted:
    db 0
fixed_count:
    db 0
first_count:
    db 0
nmi_count:
    db 0
awake:
    db 0
ap_segment:
    dw 0
    align 4
ap_id:
    dd 0
ap_cpuid:
    dd 0
sum:
    dd 0
tickets:
    dd 0

%include "end.inc"
