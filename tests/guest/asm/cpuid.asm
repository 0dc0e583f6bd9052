; SPDX-License-Identifier: GPL-2.0-or-later
; What CPUID says, and model-specific registers: read, written, and refused with a fault.

%include "common.inc"
%include "pic.inc"

%define IA32_TSC 0x10
%define IA32_APIC_BASE 0x1b
%define IA32_SYSENTER_CS 0x174
%define IA32_SYSENTER_EIP 0x176
%define IA32_MTRR_CAP 0xfe
%define IA32_PAT 0x277
%define IA32_EFER 0xc0000080
%define IA32_STAR 0xc0000081

main:
    xor eax, eax
    cpuid
    cmp eax, 1
    FAIL_UNLESS ae, "CPUID has leaf 1"
    or ebx, ecx
    or ebx, edx
    FAIL_UNLESS nz, "CPUID names its vendor"

    mov eax, 1
    cpuid
    mov [features], edx
    mov [more_features], ecx
    shr ebx, 24
    mov eax, ebx
    EXPECT eax, 0, "APIC ID of the first processor"
    mov eax, [features]
    and eax, 0x00000231         ; FPU, TSC, MSR, APIC
    EXPECT eax, 0x00000231, "FPU, TSC, MSR and APIC in leaf 1"
    mov eax, [features]
    and eax, 0x07800000         ; MMX, FXSR, SSE, SSE2
    EXPECT eax, 0x07800000, "MMX, FXSR, SSE and SSE2 in leaf 1"
    bt dword [more_features], 31
    FAIL_UNLESS c, "a hypervisor in leaf 1"
    mov eax, 0x40000000
    cpuid
    mov eax, ebx
    EXPECT eax, HYPERVISOR, "the hypervisor's name"
    mov eax, 0x80000000
    cpuid
    cmp eax, 0x80000008
    FAIL_UNLESS ae, "CPUID has leaf 0x80000008"
    mov eax, 0x80000001
    cpuid
    bt edx, 29
    FAIL_UNLESS c, "long mode in leaf 0x80000001"
    mov eax, 0x80000008
    cpuid
    cmp al, 36
    FAIL_UNLESS ae, "36 bits of physical addresses"

    ; The time-stamp counter runs.
    rdtsc
    mov esi, eax
    mov edi, edx
    rdtsc
    sub eax, esi
    sbb edx, edi
    FAIL_UNLESS nc, "the time-stamp counter runs forwards"
    mov ecx, IA32_TSC
    rdmsr
    sub eax, esi
    sbb edx, edi
    FAIL_UNLESS nc, "the time-stamp counter read as a register"

    mov ecx, IA32_APIC_BASE
    rdmsr
    EXPECT eax, 0xfee00900, "APIC base of the first processor"
    mov ecx, IA32_PAT
    rdmsr
    EXPECT eax, 0x00070406, "page attributes, low"
    mov eax, edx
    EXPECT eax, 0x00070406, "page attributes, high"
    mov ecx, IA32_MTRR_CAP
    rdmsr
    EXPECT al, 8, "number of variable MTRRs"

    mov ecx, IA32_SYSENTER_CS
    mov eax, 0x1238
    xor edx, edx
    wrmsr
    mov ecx, IA32_SYSENTER_EIP
    mov eax, 0x89abcdef
    xor edx, edx
    wrmsr
    mov ecx, IA32_SYSENTER_CS
    rdmsr
    EXPECT ax, 0x1238, "SYSENTER_CS"
    mov ecx, IA32_SYSENTER_EIP
    rdmsr
    EXPECT eax, 0x89abcdef, "SYSENTER_EIP"
    mov ecx, IA32_STAR
    mov eax, 0x11223344
    mov edx, 0x00230010
    wrmsr
    rdmsr
    EXPECT eax, 0x11223344, "STAR, low"
    mov eax, edx
    EXPECT eax, 0x00230010, "STAR, high"
    mov ecx, IA32_EFER
    rdmsr
    or eax, 0x801               ; NXE, SCE
    wrmsr
    rdmsr
    EXPECT eax, 0x801, "EFER"

    ; There is no such register.
    cli
    VECTOR 13, protection_fault
    mov ecx, 0x0badbad0
    mov word [skip], after_read
    rdmsr
    FAIL_NOW "reading no register does not fault"
after_read:
    mov ecx, 0x0badbad0
    mov word [skip], after_write
    wrmsr
    FAIL_NOW "writing no register does not fault"
after_write:
    mov al, [faults]
    EXPECT al, 2, "faults"
    PASS

protection_fault:
    inc byte [faults]
    add sp, 6
    jmp [skip]

features:
    dd 0
more_features:
    dd 0
skip:
    dw 0
faults:
    db 0

%include "end.inc"
