; SPDX-License-Identifier: GPL-2.0-or-later
; The assembled option ROMs as data: rom_NAME to rom_NAME_end.
%macro rom 1
%defstr rom_name %1
%strcat rom_file rom_name, ".bin"
global rom_%1, rom_%1_end
rom_%1:
    incbin rom_file
rom_%1_end:
%endmacro

section .rodata
    rom linuxboot
    rom multiboot
    rom pvh
section .note.GNU-stack noalloc noexec nowrite progbits
