; SPDX-License-Identifier: GPL-2.0-or-later
; Real-mode code whose data segments reach 4 GiB, which does what the test tells it through ports: a command from
; 0x5f0, its operands after it. (Not protected mode: a KVM that emulates cannot return from interrupts there.)
;   0: the end. 1: load a dword from [operand], result to 0x5f4. 2: store operand 2 to [operand 1].
;   3: write 'x' to each of (operand 2) pages from operand 1. 4: HLT with interrupts on. 5: CPUID leaf operand,
;   EAX EBX ECX EDX to 0x5f4. 6: write MSR operand 1 = operand 2. 7: read MSR operand, result to 0x5f4.
;   8: VMCALL operand, result to 0x5f4. 9: jump to operand (a multiple of 16 below 1 MiB).
; Interrupt handlers report their vector to 0x5f8; those from 0x40 on end with an EOI to the local APIC.
bits 16
org 0x1000
start:
    mov dx, 0x5f0
    in eax, dx
    cmp eax, 9
    ja start
    jmp [table + eax * 2]
table:
    dw finish, load, store, dirty, sleep, cpuid_leaf, write_msr, read_msr, hyper, leap
finish:
    mov dx, 0x600
    out dx, al
    jmp start
load:
    in eax, dx
    mov eax, [eax]
    mov dx, 0x5f4
    out dx, eax
    jmp start
store:
    in eax, dx
    mov ebx, eax
    in eax, dx
    mov [ebx], eax
    jmp start
dirty:
    in eax, dx
    mov ebx, eax
    in eax, dx
    mov ecx, eax
.next:
    mov byte [ebx], 'x'
    add ebx, 0x1000
    dec ecx
    jnz .next
    jmp start
sleep:
    sti
    hlt
    cli
    jmp start
cpuid_leaf:
    in eax, dx
    xor ecx, ecx
    cpuid
    push edx
    mov dx, 0x5f4
    out dx, eax
    mov eax, ebx
    out dx, eax
    mov eax, ecx
    out dx, eax
    pop eax
    out dx, eax
    jmp start
write_msr:
    in eax, dx
    mov ecx, eax
    in eax, dx
    xor edx, edx
    wrmsr
    jmp start
read_msr:
    in eax, dx
    mov ecx, eax
    rdmsr
    mov dx, 0x5f4
    out dx, eax
    jmp start
hyper:
    in eax, dx
    xor ebx, ebx
    xor ecx, ecx
    vmcall
    mov dx, 0x5f4
    out dx, eax
    jmp start
leap:
    in eax, dx
    shr eax, 4
    push ax
    push word 0
    retf

; What the interrupt vectors point to: 16 bytes for each, from 0x1200 on.
    times 0x1200 - 0x1000 - ($ - $$) db 0x90
handlers:
%assign vector 0
%rep 128
    push dword vector
    jmp near any_vector
    align 16
%assign vector vector + 1
%endrep
any_vector:
    push eax
    push edx
    mov eax, [esp + 8]
    mov dx, 0x5f8
    out dx, eax
    cmp eax, 13
    je .fault
    cmp eax, 0x40
    jb .out
    mov edx, 0xfee000b0
    mov dword [edx], 0
.out:
    pop edx
    pop eax
    add sp, 4
    iret
.fault:                     ; #GP: skip the two bytes of RDMSR or WRMSR
    pop edx
    pop eax
    add sp, 4
    push bp
    mov bp, sp
    add word [bp + 2], 2
    pop bp
    iret
