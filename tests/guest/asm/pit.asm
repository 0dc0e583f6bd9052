; SPDX-License-Identifier: GPL-2.0-or-later
; The 8254's interrupt wakes HLT; an interrupt that comes with interrupts off waits for STI.

%include "common.inc"
%include "pic.inc"

main:
    cli
    VECTOR 8, tick
    UNMASK_ONLY 0

    ; Mode 2 at 200 Hz: ten ticks, each out of HLT.
    mov al, 0x34
    out 0x43, al
    mov ax, 5966
    out 0x40, al
    mov al, ah
    out 0x40, al
    mov byte [ticks], 0
    SLEEP_UNTIL ticks, 10

    ; The counter runs within its period.
    mov cx, 50
.latch:
    mov al, 0
    out 0x43, al
    in al, 0x40
    mov bl, al
    in al, 0x40
    mov bh, al
    cmp bx, 5966
    FAIL_UNLESS be, "counter within its period"
    cmp bx, 0
    FAIL_UNLESS ne, "counter of mode 2 never 0"
    loop .latch

    ; One shot in mode 0, with interrupts off: it shows in the request register, and comes at STI, once.
    ; A KVM brings the last tick of mode 2 from a thread of its own, however late: then once more.
    mov byte [attempts], 5
.one_shot:
    call one_shot
    call wait_for_request
    mov al, [ticks]
    EXPECT al, 0, "no interrupt while interrupts are off"
    call spin
    call spin
    mov al, [ticks]
    cmp al, 1
    je .once
    dec byte [attempts]
    jnz .one_shot
    EXPECT al, 1, "one shot is one interrupt after STI"
.once:

    ; STI takes effect after the next instruction: STI and HLT miss nothing.
    call one_shot
    call wait_for_request
    sti
    hlt
    cli
    mov al, [ticks]
    EXPECT al, 1, "a waiting interrupt ends HLT"

    ; A masked line waits in the request register.
    call one_shot
    mov al, 0xff
    out 0x21, al
    call wait_for_request
    call spin
    mov al, [ticks]
    EXPECT al, 0, "no interrupt while the line is masked"
    mov al, 0xfe
    out 0x21, al
    call spin
    mov al, [ticks]
    EXPECT al, 1, "the interrupt after the mask went"

    ; Counter 2 through port 0x61: its gate, and its output in bit 5.
    in al, 0x61
    and al, 0xfc
    or al, 1
    out 0x61, al
    mov al, 0xb0
    out 0x43, al
    mov al, 100
    out 0x42, al
    mov al, 0
    out 0x42, al
    mov ecx, 1000000
.output:
    in al, 0x61
    test al, 0x20
    jnz .high
    dec ecx
    jnz .output
    FAIL_NOW "counter 2 ends"
.high:
    PASS

; Interrupts on for a while; a KVM that emulates its guests may be a little late with them.
spin:
    mov cx, 20000
    sti
.again:
    loop .again
    cli
    ret

; Counter 0 in mode 0, about 1 ms; no ticks so far. The control word alone stops the counter: what
; had been requested until then is taken first.
one_shot:
    mov al, 0x30
    out 0x43, al
    call spin
    mov ax, 1193
    out 0x40, al
    mov al, ah
    out 0x40, al
    mov byte [ticks], 0
    ret

wait_for_request:
    mov ecx, 1000000
.again:
    mov al, 0x0a
    out 0x20, al
    in al, 0x20
    test al, 1
    jnz .there
    dec ecx
    jnz .again
    FAIL_NOW "the request register never shows the timer"
.there:
    ret

tick:
    push ax
    inc byte [cs:ticks]
    EOI 0
    pop ax
    iret

ticks:
    db 0
attempts:
    db 0

%include "end.inc"
