; SPDX-License-Identifier: GPL-2.0-or-later
; An exception with no room for its handler, nor for the double fault's.
bits 16
org 0x1000
    lidt [none]
    ud2
none:
    dw 0
    dd 0
