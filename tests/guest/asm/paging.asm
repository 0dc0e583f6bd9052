; SPDX-License-Identifier: GPL-2.0-or-later
; Paging as 64-bit kernels have it: four levels of tables.

%include "common.inc"
%include "protected.inc"
%include "long.inc"

%define ENTRY 8
%define TABLES 5
%define PML4 0x20000
%define PDPT 0x21000
%define DIRECTORY 0x22000       ; of the first GiB
%define TABLE 0x23000           ; of the first 2 MiB, one to one
%define FAR_TABLE 0x24000
%define FAR_ENTRY (DIRECTORY + (FAR >> 21) * 8)

%include "paging.inc"

main:
    ENTER_PROTECTED
    CLEAR_TABLES TABLE
    mov dword [PML4], PDPT | WRITABLE
    mov dword [PDPT], DIRECTORY | WRITABLE
    mov dword [DIRECTORY], TABLE | WRITABLE
    mov dword [FAR_ENTRY], FAR_TABLE | WRITABLE
    mov dword [DIRECTORY + (LARGE >> 21) * 8], LARGE_PAGE   ; 2 MiB at 0
    ENTER_LONG PML4
    GATE64 14, page_fault
    CHECK_PAGING

    ; An address that is not canonical faults without any page.
    GATE64 13, not_canonical
    mov rax, 0x0000800000000000
    mov ecx, [rax]
    FAIL_NOW "an address that is not canonical does not fault"

not_canonical:
    mov rax, [rsp]
    EXPECT eax, 0, "error code: an address that is not canonical"
    PASS

page_fault:
    push rax
    push rdx
    mov eax, [rsp + 16]
    mov [error], eax
    cmp dword [skip], 0
    jne .skip
    MEND_PAGE
    pop rdx
    pop rax
    add rsp, 8
    iretq
.skip:
    inc byte [faults]
    add rsp, 64                 ; two registers, the error code, and the frame
    jmp [skip]

%include "end.inc"
