# SPDX-License-Identifier: GPL-2.0-or-later
# The debugged guest's way into 64-bit mode, of both its processors. The rest of it lies in the upper
# half of linear addresses, as Linux does: nothing is mapped there until paging is on.

    .set CODE64, 0x10
    .set DATA, 0x18
    .set AP_AT, 0x8000

    .section .note.pvh, "a", @note
    .long 4, 4, 18              # XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long start

    .section .boot, "awx", @progbits
    .code32
    .globl start
start:
    cli
    lgdt gdt_pointer
    call to_long
    ljmp $CODE64, $start64

# Paging and long mode on, in 32-bit code.
to_long:
    mov $0x6a0, %eax            # PAE, PGE, SSE
    mov %eax, %cr4
    mov $pml4, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x100, %eax
    wrmsr
    mov $0x80010033, %eax
    mov %eax, %cr0
    ret

    .code64
start64:
    mov $DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $first_stack_top, %rsp
    xor %ebp, %ebp
    call first_main
    ud2

# Copied to AP_AT, where SIPI starts it in real mode.
    .code16
    .globl ap_start, ap_start_end
ap_start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    lgdtl AP_AT + ap_gdt_pointer - ap_start
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $8, $ap_start32
ap_gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt
ap_start_end:

    .code32
ap_start32:
    mov $DATA, %eax
    mov %eax, %ds
    mov %eax, %ss
    mov $ap_boot_stack_top, %esp
    call to_long
    ljmp $CODE64, $ap_start64

    .code64
ap_start64:
    mov $second_stack_top, %rsp
    xor %ebp, %ebp
    call second_main
    ud2

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff    # 32-bit code
    .quad 0x00af9b000000ffff    # 64-bit code
    .quad 0x00cf93000000ffff    # data
gdt_end:
gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt

    .fill 16
ap_boot_stack_top:

# The first gigabyte at 0 and at the upper end, the last one at its own place for the local APIC.
    .balign 4096
pml4:
    .quad pdpt_low + 3
    .fill 510, 8, 0
    .quad pdpt_high + 3
pdpt_low:
    .quad directory + 3
    .fill 2, 8, 0
    .quad apic_directory + 3
    .fill 508, 8, 0
pdpt_high:
    .fill 510, 8, 0
    .quad directory + 3
    .quad 0
directory:
    .set page, 0
    .rept 512
    .quad page + 0x83
    .set page, page + 0x200000
    .endr
apic_directory:
    .fill 503, 8, 0
    .quad 0xfee00093            # not cached
    .fill 8, 8, 0

    .bss
    .balign 16
    .fill 8192
first_stack_top:
    .fill 8192
second_stack_top:

    .section .note.GNU-stack, "", @progbits
