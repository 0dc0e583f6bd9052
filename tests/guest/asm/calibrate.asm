; SPDX-License-Identifier: GPL-2.0-or-later
; The time stamp counter's rate, measured by the 8254's counter 2 as Linux measures it, ROUNDS times:
; each measurement is within one per cent of the 1 GHz of -cpu …,tsc-frequency=1000000000, or the
; measurement's own checks say that it was disturbed.

%include "common.inc"
%include "protected.inc"

%define LATCH 11931             ; 10 ms
%define LEAST_LOOPS 1000
%define LEAST_KHZ 990000
%define MOST_KHZ 1010000

main:
    ENTER_PROTECTED
    mov dword [left], ROUNDS
.round:
    call calibrate
    jc .disturbed
    inc dword [good]
    cmp eax, LEAST_KHZ
    jb .wrong
    cmp eax, MOST_KHZ
    ja .wrong
    jmp .next
.disturbed:
    inc dword [disturbed]
.next:
    dec dword [left]
    jnz .round
    SAY "good "
    mov ebx, [good]
    call put_hex32
    SAY " disturbed "
    mov ebx, [disturbed]
    call put_hex32
    SAY 10
    PASS
.wrong:
    mov ebx, 1000000
    FAIL_NOW "kilohertz of an undisturbed measurement"

; eax: kilohertz; carry: disturbed.
calibrate:
    in al, 0x61
    and al, 0xfd
    or al, 1
    out 0x61, al
    mov al, 0xb0
    out 0x43, al
    mov al, LATCH & 0xff
    out 0x42, al
    mov al, LATCH >> 8
    out 0x42, al
    rdtsc
    mov [first], eax
    mov edi, eax                ; the latest
    mov dword [shortest], 0xffffffff
    xor ebp, ebp                ; the longest step
    xor ecx, ecx                ; steps
.wait:
    in al, 0x61
    test al, 0x20
    jnz .over
    rdtsc
    mov ebx, eax
    sub ebx, edi
    mov edi, eax
    cmp ebx, [shortest]
    jae .not_shorter
    mov [shortest], ebx
.not_shorter:
    cmp ebx, ebp
    jbe .not_longer
    mov ebp, ebx
.not_longer:
    inc ecx
    jmp .wait
.over:
    cmp ecx, LEAST_LOOPS
    jb .bad
    mov eax, [shortest]
    mov ebx, 10
    mul ebx
    test edx, edx
    jnz .steady
    cmp ebp, eax
    ja .bad
.steady:
    mov eax, edi
    sub eax, [first]
    xor edx, edx
    mov ebx, 10
    div ebx
    clc
    ret
.bad:
    stc
    ret

    align 4
left: dd 0
good: dd 0
disturbed: dd 0
first: dd 0
shortest: dd 0

    MODE 16
%include "end.inc"
