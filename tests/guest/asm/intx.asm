; SPDX-License-Identifier: GPL-2.0-or-later
; A PCI device's INTA#, through the PIRQ router and the 8259s: level-triggered, again and again
; until the device is acknowledged.

%include "common.inc"
%include "protected.inc"
%include "edu.inc"

main:
    ENTER_PROTECTED
    call find_edu
    mov ebx, [edu_function]
    PCI_READ 0x3c
    mov [line], al
    movzx eax, ah
    EXPECT al, 1, "interrupt pin"

    ; The firmware has routed the pin to a line and made it level-triggered.
    movzx ecx, byte [line]
    cmp ecx, 3
    FAIL_UNLESS ae, "interrupt line is one for PCI"
    cmp ecx, 16
    FAIL_UNLESS b, "interrupt line is one of 16"
    mov dx, 0x4d1
    in al, dx
    mov ah, al
    dec dx
    in al, dx
    bt eax, ecx
    FAIL_UNLESS c, "interrupt line is level-triggered"

    lea ebx, [ecx + IRQ_VECTOR]
    mov edx, interrupt
    call set_gate32
    mov edx, 1
    mov cl, [line]
    shl edx, cl
    or edx, 4
    not edx
    mov al, dl
    out 0x21, al
    mov al, dh
    out 0xa1, al

    ; 5! with an interrupt at its end; the first three interrupts do not acknowledge.
    mov byte [left], 3
    mov dword [ebp + EDU_STATUS], EDU_IRQ_ON_FACTORIAL
    mov dword [ebp + EDU_FACTORIAL], 5
    SLEEP_UNTIL count, 4
    mov eax, [causes]
    EXPECT eax, 1, "cause of the interrupt"
    mov eax, [ebp + EDU_FACTORIAL]
    EXPECT eax, 120, "5!"
    mov eax, [ebp + EDU_STATUS]
    EXPECT eax, EDU_IRQ_ON_FACTORIAL, "status after the factorial"

    ; Acknowledged: no more of them.
    sti
    mov ecx, 20000
    loop $
    cli
    mov al, [count]
    EXPECT al, 4, "interrupts until the acknowledgement"

    ; Raised by hand.
    mov byte [count], 0
    mov dword [ebp + EDU_IRQ_RAISE], 0x40
    SLEEP_UNTIL count, 1
    mov eax, [causes]
    EXPECT eax, 0x40, "cause of the interrupt by hand"

    ; DMA into memory and back, with its interrupt.
    mov dword [0x30000], 0xdeadbeef
    mov dword [0x307fc], 0x01020304
    mov esi, 0x30000
    mov edi, EDU_BUFFER
    mov eax, 5
    call transfer
    mov esi, EDU_BUFFER
    mov edi, 0x40000
    mov eax, 7
    call transfer
    mov eax, [0x40000]
    EXPECT eax, 0xdeadbeef, "first word by DMA"
    mov eax, [0x407fc]
    EXPECT eax, 0x01020304, "last word by DMA"
    PASS

; 2048 bytes from esi to edi by command eax.
transfer:
    mov byte [count], 0
    mov [ebp + EDU_DMA_SOURCE], esi
    mov [ebp + EDU_DMA_TARGET], edi
    mov dword [ebp + EDU_DMA_COUNT], 2048
    mov [ebp + EDU_DMA_COMMAND], eax
    SLEEP_UNTIL count, 1
    mov eax, [causes]
    EXPECT eax, 0x100, "cause of DMA's interrupt"
    mov eax, [ebp + EDU_DMA_COMMAND]
    and eax, 1
    EXPECT eax, 0, "DMA is over"
    ret

interrupt:
    push eax
    mov eax, [ebp + EDU_IRQ_STATUS]
    mov [causes], eax
    inc byte [count]
    dec byte [left]
    jns .again
    mov [ebp + EDU_IRQ_ACK], eax
.again:
    EOI 15
    pop eax
    RETURN_FROM_INTERRUPT

line:
    db 0
count:
    db 0
left:
    db 0
causes:
    dd 0

%include "end.inc"
