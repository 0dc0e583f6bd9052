; SPDX-License-Identifier: GPL-2.0-or-later
; All processors do, for ever, what takes the emulator long: ATTACK says what. The monitors have to
; answer all the same.
;   1: fw_cfg fills most of memory by DMA     2: 16 MiB of video memory are cleared
;   3: characters for a debug console         4: characters for COM1
;   5: PAM registers change the memory map    6: a timer that is due again at once
;   7: what -d guest_errors tells of

%include "common.inc"
%include "protected.inc"
%include "apic.inc"

%define START 0x6000            ; where the others start: page 6
%define DESCRIPTOR 0x5000
%define TO_OTHERS 0xc0000
%define APIC_LVT_TIMER 0x320
%define APIC_INITIAL_COUNT 0x380
%define APIC_DIVIDE 0x3e0

%macro VBE 2
    mov dx, 0x1ce
    mov ax, %1
    out dx, ax
    inc dx
    mov ax, %2
    out dx, ax
%endmacro

%macro ROUND 0
  %if ATTACK == 1
    ; Select file 0 and read 112 MiB to 1 MiB: the device has swapped the descriptor each time.
    mov dword [DESCRIPTOR], 0x0a000000
    mov dword [DESCRIPTOR + 4], 0x00000007
    mov dword [DESCRIPTOR + 8], 0
    mov dword [DESCRIPTOR + 12], 0x00001000
    mov dx, 0x518
    mov eax, (DESCRIPTOR & 0xff00) << 8
    out dx, eax
  %elif ATTACK == 2
    VBE 4, 0
    VBE 1, 2048
    VBE 2, 2048
    VBE 3, 32
    VBE 4, 0x41
  %elif ATTACK == 3
    mov dx, 0xe9
    mov al, 'x'
    out dx, al
  %elif ATTACK == 4
    mov dx, 0x3f8
    mov al, 'x'
    out dx, al
  %elif ATTACK == 5
    mov dx, 0xcf8
    mov eax, 0x80000058
    out dx, eax
    mov dx, 0xcfe
    mov al, 0x33
    out dx, al
    xor al, al
    out dx, al
  %elif ATTACK == 7
    mov dx, 0x3f5  ; the diskette controller has nothing to say
    in al, dx
    out 0x99, al   ; nobody is there
  %endif
%endmacro

main:
    mov si, ap_start
    mov di, START
    mov cx, ap_start_end - ap_start
    rep movsb
    ENTER_PROTECTED
    ENABLE_APIC
    mov eax, 0x4500 | TO_OTHERS
    call send
    mov ecx, 2000
.delay:
    in al, 0x61
    loop .delay
    mov eax, 0x4600 | TO_OTHERS | (START >> 12)
    call send
    SAY "attack", 10
  %if ATTACK == 6
    mov dword [APIC + APIC_DIVIDE], 0xb
    mov dword [APIC + APIC_LVT_TIMER], 0x20050  ; periodic, vector 50h, which nobody takes
    mov dword [APIC + APIC_INITIAL_COUNT], 1
  %endif
.again:
    ROUND
    jmp .again

send:
    mov [APIC + APIC_ICR], eax
.busy:
    test dword [APIC + APIC_ICR], ICR_PENDING
    jnz .busy
    ret

    MODE 16
ap_start:
    cli
    xor ax, ax
    mov ds, ax
    jmp 0:others
ap_start_end:
others:
    ROUND
    jmp others

%include "end.inc"
