; SPDX-License-Identifier: GPL-2.0-or-later
; Kernels that start in protected mode: Multiboot by its header's addresses, by ELF (with ELF
; defined), or by Xen's PVH entry (PVH). Each checks what the specification promises.

%assign mode_bits 32
%include "kernel.inc"
%define BASE 0x200000
%define BSS_BYTES 0x3000
%ifdef PVH
    %define ELF
%endif

    org BASE
    bits 32
%ifdef ELF
    db 0x7f, "ELF", 1, 1, 1, 0
    dq 0
    dw 2, 3
    dd 1
    dd entry - 0x40000000       ; a virtual address
    dd headers - BASE, 0, 0
    dw 52, 32, 2, 40, 0, 0
headers:
    dd 1, 0, BASE - 0x40000000, BASE, IMAGE_BYTES, IMAGE_BYTES + BSS_BYTES, 7, 4096
    dd 4, note - BASE, note - 0x40000000, note, note_end - note, note_end - note, 4, 4
note:
%ifdef PVH
    dd 4, 4, 18
    db "Xen", 0
    dd entry
%endif
note_end:
%endif

%ifndef PVH
    align 4
multiboot:
%ifdef ELF
%define FLAGS 3
%else
%define FLAGS 0x10003
%endif
    dd 0x1badb002, FLAGS, -(0x1badb002 + FLAGS)
%ifndef ELF
    dd multiboot, BASE, BASE + IMAGE_BYTES, BASE + IMAGE_BYTES + BSS_BYTES, entry
%endif
%endif

entry:
    mov ebp, ebx                ; the boot information
%ifdef PVH
    cmp dword [ebp], 0x336ec578
    FAIL_UNLESS e, "magic number"
    cmp dword [ebp + 4], 1
    FAIL_UNLESS e, "version"
    cmp dword [ebp + 12], 1
    FAIL_UNLESS e, "number of modules"
    str ax
    test ax, ax
    FAIL_UNLESS nz, "no task register"
%else
    cmp eax, 0x2badb002
    FAIL_UNLESS e, "magic number"
    mov eax, [ebp]
    and eax, 0x4f
    cmp eax, 0x4f
    FAIL_UNLESS e, "flags"
    cmp dword [ebp + 20], 2
    FAIL_UNLESS e, "number of modules"
%endif
    mov esp, stack
    cld
    mov eax, cr0
    and eax, 0x80000001
    cmp eax, 1
    FAIL_UNLESS e, "protection is off or paging is on"
    pushfd
    pop eax
    test eax, 0x200
    FAIL_UNLESS z, "interrupts are on"

    ; What is behind the file's end is zero.
    mov edi, BASE + IMAGE_BYTES
    mov ecx, BSS_BYTES
    xor eax, eax
    repe scasb
    FAIL_UNLESS e, "memory behind the image"

    ; The command line ends with -append.
%ifdef PVH
    mov edi, [ebp + 24]
%else
    mov edi, [ebp + 16]
    mov ecx, 4096
    mov al, ' '
    repne scasb
    FAIL_UNLESS e, "no arguments"
%endif
    mov esi, wanted
    mov ecx, wanted_end - wanted
    repe cmpsb
    FAIL_UNLESS e, "command line"

    ; Modules: the test's file, and for Multiboot the same again with arguments.
%ifdef PVH
    mov eax, [ebp + 16]
    mov edi, [eax]
    mov ecx, [eax + 8]
%else
    mov eax, [ebp + 24]
    mov edi, [eax]
    mov ecx, [eax + 4]
    sub ecx, edi
%endif
    cmp ecx, 5000
    FAIL_UNLESS e, "the module's size"
    cmp dword [edi], "rama"
    FAIL_UNLESS e, "the module's beginning"
    cmp dword [edi + 4996], "disk"
    FAIL_UNLESS e, "the module's end"
%ifndef PVH
    mov edx, [eax + 16]
    test edx, 0xfff
    FAIL_UNLESS z, "the second module is not on a page of its own"
    cmp dword [edx], "rama"
    FAIL_UNLESS e, "the second module's beginning"
    mov edi, [eax + 24]
    mov ecx, 4096
    mov al, ' '
    repne scasb
    FAIL_UNLESS e, "no arguments of the second module"
    cmp dword [edi], "a,b"
    FAIL_UNLESS e, "arguments of the second module"
    cmp dword [ebp + 4], 600
    FAIL_UNLESS a, "memory below 1 MiB"
    cmp dword [ebp + 8], 16 * 1024
    FAIL_UNLESS a, "memory above 1 MiB"
%endif

    ; One entry of the map is the memory above 1 MiB.
%ifdef PVH
    mov edi, [ebp + 40]
    mov ecx, [ebp + 48]
%else
    mov edi, [ebp + 48]
    mov ecx, [ebp + 44]
%endif
.map:
%ifdef PVH
    cmp dword [edi], 0x100000
    je .found
    add edi, 24
    dec ecx
%else
    cmp dword [edi + 4], 0x100000
    je .found
    mov eax, [edi]
    add eax, 4
    add edi, eax
    sub ecx, eax
%endif
    FAIL_UNLESS a, "no memory above 1 MiB in the map"
    jmp .map
.found:
%ifdef PVH
    cmp dword [edi + 16], 1
    FAIL_UNLESS e, "type of memory"
    mov eax, [ebp + 32]
    test eax, eax
    FAIL_UNLESS nz, "no ACPI root pointer"
    cmp dword [eax], "RSD "
    FAIL_UNLESS e, "ACPI root pointer"
%else
    cmp dword [edi + 20], 1
    FAIL_UNLESS e, "type of memory"
%endif
    PASS

    FAILED

wanted:
    db "console=ttyS0 one two", 0
wanted_end:
    align 16
    times 256 db 0xcc
stack:
IMAGE_BYTES equ $ - $$
