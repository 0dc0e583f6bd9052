; SPDX-License-Identifier: GPL-2.0-or-later
; A 32-bit kernel in small: paging, page faults that its handler mends, pages that move, large
; pages, and the bits that the processor sets in the tables.

%include "common.inc"
%include "protected.inc"

%define DIRECTORY 0x20000
%define TABLE 0x21000           ; of the first 4 MiB, one to one
%define FAR_TABLE 0x22000       ; of 4 MiB at FAR
%define FAR 0xc0000000
%define LARGE 0x40000000
%define PAGE_A 0x30000
%define PAGE_B 0x31000
%define PRESENT 1
%define WRITABLE 3

main:
    ENTER_PROTECTED
    GATE 14, page_fault
    mov edi, DIRECTORY
    mov ecx, 3 * 1024
    xor eax, eax
    cld
    rep stosd
    mov edi, TABLE
    mov eax, WRITABLE
    mov ecx, 1024
.table:
    stosd
    add eax, 0x1000
    loop .table
    mov dword [DIRECTORY], TABLE | WRITABLE
    mov dword [DIRECTORY + (FAR >> 22) * 4], FAR_TABLE | WRITABLE
    mov dword [DIRECTORY + (LARGE >> 22) * 4], 0x83         ; 4 MiB at 0
    mov eax, cr4
    or eax, 0x10                ; large pages
    mov cr4, eax
    mov eax, DIRECTORY
    mov cr3, eax
    GATE 13, no_paging
    mov eax, cr0
    or eax, 0x80010000          ; paging, and read-only for the kernel, too
    mov cr0, eax
    jmp CODE32:.paging
.paging:
    GATE 13, unexpected32

    ; A page appears when it is first written.
    mov dword [PAGE_A], 0
    mov dword [mend], PAGE_A | WRITABLE
    mov dword [FAR + 0x123], 0x600d600d
    mov al, [faults]
    EXPECT al, 1, "faults of the first write"
    mov eax, [error]
    EXPECT eax, 2, "error code: a write to an absent page"
    mov eax, [address]
    EXPECT eax, FAR + 0x123, "address of the fault"
    mov eax, [PAGE_A + 0x123]
    EXPECT eax, 0x600d600d, "what was written, where the page is"
    mov eax, [FAR_TABLE]
    and eax, 0x60
    EXPECT eax, 0x60, "accessed and dirty bits"

    ; It moves.
    mov dword [PAGE_B + 0x123], 0x0b0b0b0b
    mov dword [FAR_TABLE], PAGE_B | PRESENT
    invlpg [FAR]
    mov eax, [FAR + 0x123]
    EXPECT eax, 0x0b0b0b0b, "contents after the page moved"
    mov eax, [FAR_TABLE]
    and eax, 0x60
    EXPECT eax, 0x20, "accessed but not dirty"

    ; Read-only: the handler makes it writable.
    mov dword [mend], PAGE_B | WRITABLE
    inc dword [FAR + 0x123]
    mov al, [faults]
    EXPECT al, 2, "faults of the write to a read-only page"
    mov eax, [error]
    EXPECT eax, 3, "error code: a write to a read-only page"
    mov eax, [PAGE_B + 0x123]
    EXPECT eax, 0x0b0b0b0c, "contents after the write"

    ; Across a page's end, the second half missing: nothing is written before it is mended.
    mov dword [PAGE_A], 0
    mov dword [PAGE_B + 0xffc], 0
    mov dword [mend_entry], FAR_TABLE + 4
    mov dword [mend], PAGE_A | WRITABLE
    mov dword [FAR + 0xffe], 0x44332211
    mov eax, [address]
    EXPECT eax, FAR + 0x1000, "address of the fault across a page's end"
    mov ax, [PAGE_B + 0xffe]
    EXPECT ax, 0x2211, "first half"
    mov ax, [PAGE_A]
    EXPECT ax, 0x4433, "second half"

    ; Fetching: the routine at FAR + 0x2000 comes when it is called.
    mov byte [PAGE_A + 0x10], 0xc3
    mov dword [mend_entry], FAR_TABLE + 8
    mov dword [mend], PAGE_A | WRITABLE
    mov eax, FAR + 0x2010
    call eax
    mov eax, [address]
    EXPECT eax, FAR + 0x2010, "address of the fault by a call"
    mov eax, [error]
    and eax, 3
    EXPECT eax, 0, "error code: a fetch from an absent page"

    ; A large page over the same memory, and video memory behind another page.
    mov dword [LARGE + PAGE_A + 0x20], 0x1a26e
    mov eax, [PAGE_A + 0x20]
    EXPECT eax, 0x1a26e, "memory through a large page"
    mov dword [FAR_TABLE + 12], 0xb8000 | WRITABLE
    mov word [FAR + 0x3000], 0x0741
    mov ax, [0xb8000]
    EXPECT ax, 0x0741, "video memory through another page"

    ; A whole table goes: reloading CR3 forgets it.
    mov dword [DIRECTORY + (FAR >> 22) * 4], 0
    mov eax, cr3
    mov cr3, eax
    mov dword [skip], .gone
    mov eax, [FAR + 0x123]
    FAIL_NOW "a page without a table does not fault"
.gone:
    mov al, [faults]
    EXPECT al, 5, "faults in all"

    ; Paging off again.
    mov eax, cr0
    and eax, 0x7fffffff
    mov cr0, eax
    jmp CODE32:.flat
.flat:
    mov eax, [PAGE_B + 0x123]
    EXPECT eax, 0x0b0b0b0c, "contents without paging"
    PASS

; A KVM without hardware virtualization refuses paging without long mode.
no_paging:
    SKIP "the host's processor does not page for a 32-bit guest"

; Notes error and address; puts `mend` where `mend_entry` points, or goes to `skip`.
page_fault:
    pop dword [error]
    push eax
    push edx
    inc byte [faults]
    mov eax, cr2
    mov [address], eax
    cmp dword [skip], 0
    jne .skip
    mov eax, [mend]
    mov edx, [mend_entry]
    mov [edx], eax
    mov eax, cr2
    invlpg [eax]
    pop edx
    pop eax
    RETURN_FROM_INTERRUPT
.skip:
    pop edx
    pop eax
    add esp, 12
    jmp [skip]

faults:
    db 0
    align 4
error:
    dd 0
address:
    dd 0
mend:
    dd 0
mend_entry:
    dd FAR_TABLE
skip:
    dd 0

%include "end.inc"
