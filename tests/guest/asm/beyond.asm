; SPDX-License-Identifier: GPL-2.0-or-later
; Instructions that a kernel's emulator may lack, on memory and on devices' registers: MOVBE, vector
; instructions with a device as operand, strings over the edge between memory and a device, IRET in
; protected mode; and their faults. Whoever executes them, the guest sees no difference.

%include "common.inc"
%include "protected.inc"
%include "long.inc"
%include "tables.inc"
%include "edu.inc"

%define PAGE 0x30000
%define BUFFER 0x31000
%define SCREEN 0xa0000          ; video memory in planes: a device

main:
    mov ax, 0x12
    int 0x10
    ENTER_PROTECTED

    ; Out of an interrupt by IRET itself.
    GATE 0x30, interrupt32
    mov esi, 0x1234
    int 0x30
    EXPECT eax, 0x1235, "IRET in protected mode"

    call find_edu
    MAKE_TABLES
    ENTER_LONG PML4
    mov ebp, ebp

    ; Vectors and a device's registers: the edu device's DMA source and destination.
    mov rax, 0x1122334455667788
    mov [rbp + EDU_DMA_SOURCE], rax
    mov rax, 0x0102030405060708
    mov [rbp + EDU_DMA_SOURCE + 8], rax
    movdqu xmm1, [rbp + EDU_DMA_SOURCE]
    movdqu [BUFFER], xmm1
    mov eax, [BUFFER + 4]
    EXPECT eax, 0x11223344, "low half of a vector from a device"
    mov eax, [BUFFER + 8]
    EXPECT eax, 0x05060708, "high half of a vector from a device"
    paddb xmm1, [rbp + EDU_DMA_SOURCE]
    movdqu [rbp + EDU_DMA_SOURCE], xmm1
    mov eax, [rbp + EDU_DMA_SOURCE]
    EXPECT eax, 0xaaccee10, "a sum of vectors, in the device"
    mov eax, [rbp + EDU_DMA_SOURCE + 8]
    EXPECT eax, 0x0a0c0e10, "its high half"
    movd xmm2, [rbp]
    movd eax, xmm2
    EXPECT eax, 0x010000ed, "the device's identification in a vector"
    mov rax, 5
    mov [rbp + EDU_DMA_SOURCE], rax
    cvtsi2sd xmm3, qword [rbp + EDU_DMA_SOURCE]
    cvtsd2si eax, xmm3
    EXPECT eax, 5, "a number in a device, converted"
    call check_avx

    ; Strings from memory into the device behind it and back, elements over the edge. What lies
    ; there belongs to the BIOS.
    mov r8, [SCREEN - 8]
    mov esi, pattern
    mov edi, SCREEN - 6
    mov ecx, 4
    rep movsd
    mov esi, SCREEN - 6
    mov edi, BUFFER
    mov ecx, 4
    rep movsd
    mov [SCREEN - 8], r8
    mov rax, [BUFFER]
    cmp rax, [pattern]
    FAIL_UNLESS e, "a string over the edge"
    mov rax, [BUFFER + 8]
    cmp rax, [pattern + 8]
    FAIL_UNLESS e, "its second half"

    call check_faults
    call check_movbe
    PASS

interrupt32:
    MODE 32
    lea eax, [esi + 1]
    iretd
    MODE 64

; 256 bits at once, where the processor has them.
check_avx:
    mov eax, 1
    cpuid
    and ecx, 0x14000000         ; AVX, XSAVE
    cmp ecx, 0x14000000
    jne .end
    mov rax, cr4
    or eax, 0x40000
    mov cr4, rax
    xor ecx, ecx
    xor edx, edx
    mov eax, 7
    xsetbv
    vmovdqu ymm4, [numbers]
    vmovdqu [SCREEN], ymm4
    vpxor xmm4, xmm4, xmm4
    vmovdqu ymm5, [SCREEN]
    vmovdqu [BUFFER], ymm5
    mov eax, [BUFFER]
    EXPECT eax, 1, "first number of 256 bits over video memory"
    mov eax, [BUFFER + 28]
    EXPECT eax, 8, "last number of 256 bits over video memory"
    vextractf128 xmm6, ymm5, 1
    movd eax, xmm6
    EXPECT eax, 5, "upper half of a register"
.end:
    ret

; MOVBE, where the processor has it. (A KVM without VT-x and AMD-V lets the guest see that the
; host's has it, and raises #UD all the same.)
check_movbe:
    mov eax, 1
    cpuid
    test ecx, 1 << 22
    jz .end
    GATE64 6, undefined
    mov rax, 0x1122334455667788
    mov dword [skip], .end
    movbe [BUFFER], rax
    GATE64 6, unexpected64
    mov eax, [BUFFER]
    EXPECT eax, 0x44332211, "bytes swapped into memory"
    movbe ecx, [BUFFER + 4]
    mov eax, ecx
    EXPECT eax, 0x55667788, "and out of it"
    movbe eax, [rbp]
    EXPECT eax, 0xed000001, "a device's register, swapped"
    mov eax, 0x0df0adba
    movbe [rbp + EDU_LIVENESS], eax
    mov eax, [rbp + EDU_LIVENESS]
    EXPECT eax, ~0xbaadf00d, "a device's register written swapped"
.end:
    ret

; A page that appears, one that is read-only, and an address that is none.
check_faults:
    GATE64 14, page_fault
    GATE64 13, protection_fault
    mov rbx, HIGH
    mov eax, 0x01020304
    movd xmm0, eax
    movd [rbx + 0x10], xmm0
    mov al, [faults]
    EXPECT al, 1, "faults of a write to an absent page"
    mov rax, [address]
    lea rcx, [rbx + 0x10]
    cmp rax, rcx
    FAIL_UNLESS e, "address of the fault"
    mov eax, [error]
    EXPECT eax, 2, "error code of the fault"
    mov eax, [PAGE + 0x10]
    EXPECT eax, 0x01020304, "what was written, where the page is"
    mov dword [HIGH_TABLE], PAGE | 1
    invlpg [rbx]
    mov eax, 0x11121314
    movd xmm0, eax
    movd [rbx + 0x10], xmm0
    mov eax, [error]
    EXPECT eax, 3, "error code of a write to a read-only page"
    mov eax, [PAGE + 0x10]
    EXPECT eax, 0x11121314, "what was written after it"
    mov al, [faults]
    EXPECT al, 2, "page faults in all"
    mov dword [skip], .aligned
.unaligned:
    paddb xmm0, [rbx + 0x18]
    FAIL_NOW "an operand that is not aligned does not fault"
.aligned:
    mov rax, [address]
    EXPECT eax, .unaligned, "where the protection fault was"
    mov eax, [error]
    EXPECT eax, 0, "error code of the protection fault"
    movd eax, xmm0
    EXPECT eax, 0x11121314, "what the faulting instruction should have changed"
    mov rbx, 0x8000000000000000
    mov dword [skip], .canonical
.nowhere:
    movd xmm0, [rbx]
    FAIL_NOW "an address that is none does not fault"
.canonical:
    mov rax, [address]
    EXPECT eax, .nowhere, "where the second protection fault was"
    ret

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

; Goes on where `skip` says.
protection_fault:
    pop qword [error]
undefined:
    push rax
    mov rax, [rsp + 8]
    mov [address], rax
    mov rax, [skip]
    mov [rsp + 8], rax
    pop rax
    iretq

    align 8
numbers:
    dd 1, 2, 3, 4, 5, 6, 7, 8
pattern:
    db "0123456789abcdef"
address:
    dq 0
error:
    dq 0
skip:
    dq 0
faults:
    db 0

%include "end.inc"
