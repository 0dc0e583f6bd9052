; SPDX-License-Identifier: GPL-2.0-or-later
; The option ROM behind -kernel for kernels that start in protected mode: Multiboot (specification
; 0.6.96) or, with PVH defined, Xen's PVH entry. The boot information comes from fw_cfg, too; what
; only firmware knows, the memory map and where ACPI's tables are, is filled in here.
%ifdef PVH
    %define PRODUCT "PVH kernel"
    %define ENTRY_OFFSET 0
%else
    %define PRODUCT "Multiboot kernel"
    %define ENTRY_OFFSET 4      ; an entry of the map begins with its size
%endif
%include "option_rom.inc"

; What hw/i386/boot_info.h says of the information's form. In real mode fs is its segment.
%define MAP 0x80
%define MAP_STRIDE 24
%define MAP_ENTRIES 128

boot:
    LOAD INITRD
    NUMBER INITRD_ADDR
    shr eax, 4
    mov fs, ax
    call read_map
%ifdef PVH
    call find_rsdp
%endif
    LOAD KERNEL
    NUMBER INITRD_ADDR
    mov esi, eax
    NUMBER KERNEL_ENTRY
    mov edx, eax
    xor ebx, ebx
    mov bx, cs
    shl ebx, 4
    add ebx, protected
    cli
    call load_gdt
    mov eax, cr0
    or al, 1
    mov cr0, eax
    push dword CODE32
    push ebx
    o32 retf

; The firmware's map, entry by entry; ebp counts them.
read_map:
    xor ebx, ebx
    xor ebp, ebp
    mov di, MAP
    push es
.next:
    push fs
    pop es
    push di
    add di, ENTRY_OFFSET
    mov eax, 0xe820
    mov ecx, 20
    mov edx, 0x534d4150         ; "SMAP"
    int 0x15
    pop di
    jc .end
%ifdef PVH
    mov dword [es:di + 20], 0
%else
    mov dword [es:di], 20
    cmp dword [es:di + 4], 0x100000
    jne .counted
    mov eax, [es:di + 12]
    shr eax, 10
    mov [fs:8], eax             ; mem_upper: KiB from 1 MiB on
.counted:
%endif
    inc ebp
    add di, MAP_STRIDE
    test ebx, ebx
    jz .end
    cmp ebp, MAP_ENTRIES
    jb .next
.end:
    pop es
%ifdef PVH
    mov [fs:48], ebp
%else
    imul ebp, MAP_STRIDE
    mov [fs:44], ebp
    int 0x12
    movzx eax, ax
    mov [fs:4], eax             ; mem_lower
%endif
    ret

%ifdef PVH
; ACPI's root pointer stands on a multiple of 16 between 0xe0000 and 0xfffff.
find_rsdp:
    mov bx, 0xe000
.next:
    mov es, bx
    cmp dword [es:0], "RSD "
    jne .other
    cmp dword [es:4], "PTR "
    je .found
.other:
    inc bx
    jnz .next
    jmp .end
.found:
    movzx ebx, bx
    shl ebx, 4
    mov [fs:32], ebx
.end:
    xor bx, bx
    mov es, bx
    ret
%endif

    bits 32
protected:
    mov eax, DATA32
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    mov ss, eax
%ifdef PVH
    mov eax, TASK
    ltr ax
    xor eax, eax
%else
    mov eax, 0x2badb002
%endif
    mov ebx, esi
    jmp edx

%include "option_rom_end.inc"
