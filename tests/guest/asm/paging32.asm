; SPDX-License-Identifier: GPL-2.0-or-later
; Paging as 32-bit kernels have it: two levels of tables. A KVM without hardware virtualization
; knows no paging but long mode's: it refuses, and so the guest reports.

%include "common.inc"
%include "protected.inc"

%define ENTRY 4
%define TABLES 3
%define DIRECTORY 0x20000
%define TABLE 0x21000           ; of the first 4 MiB, one to one
%define FAR_TABLE 0x22000
%define FAR_ENTRY (DIRECTORY + (FAR >> 22) * 4)

%include "paging.inc"

main:
    ENTER_PROTECTED
    CLEAR_TABLES TABLE
    mov dword [DIRECTORY], TABLE | WRITABLE
    mov dword [FAR_ENTRY], FAR_TABLE | WRITABLE
    mov dword [DIRECTORY + (LARGE >> 22) * 4], LARGE_PAGE   ; 4 MiB at 0
    mov eax, cr4
    or eax, 0x10                ; large pages
    mov cr4, eax
    mov eax, DIRECTORY
    mov cr3, eax
    GATE 14, page_fault
    GATE 13, no_paging
    mov eax, cr0
    or eax, 0x80010000          ; paging, and read-only for the kernel, too
    mov cr0, eax
    jmp CODE32:.paging
.paging:
    GATE 13, unexpected32
    CHECK_PAGING

    ; Paging off again.
    mov eax, cr0
    and eax, 0x7fffffff
    mov cr0, eax
    jmp CODE32:.flat
.flat:
    mov eax, [PAGE_B + 0x123]
    EXPECT eax, 0x0b0b0b0c, "contents without paging"
    PASS

no_paging:
    REFUSED "the host's processor does not page for a 32-bit guest"

page_fault:
    pop dword [error]
    push eax
    push edx
    cmp dword [skip], 0
    jne .skip
    MEND_PAGE
    pop edx
    pop eax
    RETURN_FROM_INTERRUPT
.skip:
    inc byte [faults]
    add esp, 20                 ; two registers, and the frame
    jmp [skip]

%include "end.inc"
