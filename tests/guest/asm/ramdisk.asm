; SPDX-License-Identifier: GPL-2.0-or-later
; What the kernels of -kernel's tests get as -initrd.
    db "rama"
    times 5000 - 8 db 0x11
    db "disk"
