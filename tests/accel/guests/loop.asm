; SPDX-License-Identifier: GPL-2.0-or-later
; Counts in memory for ever, without an exit.
bits 16
org 0x1000
next:
    inc dword [0x3000]
    jmp next
