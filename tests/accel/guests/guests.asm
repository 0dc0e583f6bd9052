; SPDX-License-Identifier: GPL-2.0-or-later
; The assembled guests as data of the test program: guest_NAME to guest_NAME_end.
%macro guest 1
%defstr guest_name %1
%strcat guest_file guest_name, ".bin"
global guest_%1, guest_%1_end
guest_%1:
    incbin guest_file
guest_%1_end:
%endmacro

section .rodata
    guest exits
    guest loop
    guest mmio
    guest mmio64
    guest pic
    guest ports
    guest puppet
    guest triple_fault
section .note.GNU-stack noalloc noexec nowrite progbits
