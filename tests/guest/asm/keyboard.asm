; SPDX-License-Identifier: GPL-2.0-or-later
; The keyboard's interrupt: keys from the controller's own loop, then keys pressed from outside
; (the test sends `a` and the right arrow when it reads READY), then the mouse's interrupt.

%include "common.inc"
%include "pic.inc"

main:
    cli
    VECTOR 9, key
    VECTOR 0x74, mouse
    UNMASK_ONLY 1

    ; Command 0xd2 puts a byte where the keyboard's would be.
    mov al, 0xd2
    call command
    mov al, 0x3b
    call data
    SLEEP_UNTIL count, 1
    mov al, [keys]
    EXPECT al, 0x3b, "byte through the controller"

    mov byte [count], 0
    SAY "READY", 10
    SLEEP_UNTIL count, 6
    mov eax, [keys]
    EXPECT eax, 0x4de09e1e, "a down, a up, right arrow down"
    mov ax, [keys + 4]
    EXPECT ax, 0xcde0, "right arrow up"

    ; Command 0xd3 does the same for the mouse: IRQ12 once the second port is on.
    mov al, 0xa8
    call command
    mov al, 0x20
    call command
    call read
    or al, 2
    and al, ~0x20
    mov bl, al
    mov al, 0x60
    call command
    mov al, bl
    call data
    UNMASK_ONLY 12
    mov byte [count], 0
    mov al, 0xd3
    call command
    mov al, 0x77
    call data
    SLEEP_UNTIL count, 1
    mov al, [keys]
    EXPECT al, 0x77, "byte through the mouse's side"
    PASS

; Waits until the controller takes a byte.
ready:
    push ax
.again:
    in al, 0x64
    test al, 2
    jnz .again
    pop ax
    ret
command:
    call ready
    out 0x64, al
    ret
data:
    call ready
    out 0x60, al
    ret
read:
    in al, 0x64
    test al, 1
    jz read
    in al, 0x60
    ret

key:
    push ax
    call store
    EOI 1
    pop ax
    iret

mouse:
    push ax
    call store
    EOI 12
    pop ax
    iret

store:
    push bx
    in al, 0x60
    movzx bx, byte [cs:count]
    and bx, 7
    mov [cs:keys + bx], al
    inc byte [cs:count]
    pop bx
    ret

count:
    db 0
keys:
    times 8 db 0

%include "end.inc"
