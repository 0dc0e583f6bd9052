; SPDX-License-Identifier: GPL-2.0-or-later
; The option ROM behind -kernel for Linux images: everything comes from fw_cfg, then the kernel's
; real-mode part starts as the Linux/x86 boot protocol says.
%define PRODUCT "Linux kernel"
%include "option_rom.inc"

boot:
    LOAD INITRD
    LOAD KERNEL
    LOAD CMDLINE
    LOAD SETUP
    NUMBER SETUP_ADDR
    mov ebx, eax
    NUMBER CMDLINE_ADDR
    sub eax, ebx
    sub eax, 16
    cli
    shr ebx, 4
    mov ds, bx
    mov es, bx
    mov fs, bx
    mov gs, bx
    mov ss, bx
    mov esp, eax                ; the stack lies below the command line
    add bx, 0x20                ; behind the boot sector
    push bx
    push word 0
    retf

%include "option_rom_end.inc"
