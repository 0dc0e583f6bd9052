; SPDX-License-Identifier: GPL-2.0-or-later
; Four processors at once: locked instructions, page tables that change under everybody's eyes,
; interrupts between processors, code that another one rewrites. Every sum must come out exactly.
;
; Each round takes every processor through six steps, each one beginning with another step. The
; file opt/rhea/rounds of the firmware configuration says how many rounds there are.

%include "common.inc"
%include "protected.inc"
%include "long.inc"
%include "tables.inc"
%include "apic.inc"

%define PROCESSORS 4
%define ALL_ROUNDS 1000         ; unless told otherwise
%define SPINS 400000000         ; a wait that takes this long is a failure
%define START 0x6000            ; where the other processors start: page 6

; Memory.
%define FAR_TABLE 0x29000       ; of the pages at FAR
%define OTHER_TABLES 0x2a000    ; two of the page at FAR + 2 MiB
%define DATA 0x30000
%define VARIABLES 0x32000
%define FRAMES 0x40000
%define STACKS 0x50000          ; a page for each processor
%define CODE 0x60000
%define CLEARED_END 0x61000

; Vectors.
%define REMAP 0x60              ; and up to 0x63, one for each page that moves
%define FLUSH_MARKED 0x64
%define FLUSH_GUARDED 0x65
%define POKE 0x66
%define WAKE 0x67
%define FLURRY 0x68
%define PING 0x70               ; and up to 0x73, one for each sender

%define ICR_INIT 0x4500
%define ICR_START 0x4600
%define ICR_NMI 0x4400
%define ICR_FIXED 0x4000
%define ICR_LOGICAL 0x0800
%define TO_ALL 0x80000
%define TO_OTHERS 0xc0000
%define APIC_LDR 0xd0

; In 64-bit code: r15 is the processor's number, r14 the round, r13 the local APIC, r12 how many
; rounds there are. Handlers use r13 and r15, and save what else they change.

; AWAIT "what", instruction: waits until the instruction, a comparison, says equal; changes r10.
%macro AWAIT 2+
    mov r10d, SPINS
%%again:
    %2
    je %%done
    pause
    dec r10d
    jnz %%again
    mov eax, r14d
    mov ebx, r15d
    FAIL_NOW "in vain (round, processor) ", %1
%%done:
%endmacro

; FAIL64_UNLESS condition, "what": like FAIL_UNLESS, and names rax and rbx as got and expected.
%macro FAIL64_UNLESS 2+
    j%1 %%good
    FAIL_NOW %2
%%good:
%endmacro

; An interrupt command; its destination is in the high half already, or a shorthand.
%macro SEND 1
    mov dword [r13 + APIC_ICR], %1
%%busy:
    test dword [r13 + APIC_ICR], ICR_PENDING
    jnz %%busy
%endmacro

main:
    mov si, ap_start
    mov di, START
    mov cx, ap_start_end - ap_start
    rep movsb
    ENTER_PROTECTED
    MAKE_TABLES
    mov edi, FAR_TABLE
    mov ecx, (DATA - FAR_TABLE) / 4
    xor eax, eax
    rep stosd
    mov edi, DATA
    mov ecx, (CLEARED_END - DATA) / 4
    rep stosd
    call make_far_tables
    ENTER_LONG PML4
    mov rsp, STACKS + 0x1000
    xor r15d, r15d
    call read_rounds
    mov [rounds], r12d
    call set_gates
    call fill_code
    call start_processor
    mov dword [r13 + APIC_LINT0], LVT_MASKED

    SEND ICR_INIT | TO_OTHERS
    call delay
    SEND ICR_START | TO_OTHERS | (START >> 12)
    call delay
    cmp dword [started], PROCESSORS - 1
    je .there
    SEND ICR_START | TO_OTHERS | (START >> 12)
.there:
    AWAIT "for the other processors to start", cmp dword [started], PROCESSORS - 1
    mov dword [go], 1
    call storm

    ; All have passed the last barrier.
    call check_sums
    call check_signals
    call tell
    PASS

; Where the others come to in 64-bit mode.
ap_long:
    MODE 64
    call start_processor
    lock inc dword [started]
    AWAIT "for the first processor", cmp dword [go], 1
    mov r12d, [rounds]
    call storm
.end:
    cli
    hlt
    jmp .end

; The processor's registers and local APIC.
start_processor:
    mov rax, cr4
    or eax, 0x80                ; global pages
    mov cr4, rax
    mov r13d, APIC
    mov dword [r13 + APIC_SPURIOUS], 0x1ff
    mov dword [r13 + APIC_TPR], 0
    mov ecx, r15d
    mov eax, 1 << 24
    shl eax, cl
    mov [r13 + APIC_LDR], eax
    mov eax, 1
    shl eax, cl
    mov [tokens + r15 * 8], rax
    ret

; The rounds.
storm:
    sti
    xor r14d, r14d
.round:
    lea eax, [r14 + r15]
    xor edx, edx
    mov ecx, STEPS
    div ecx
    mov ebp, edx
    mov dword [left + r15 * 8], STEPS
.step:
    call [steps + rbp * 8]
    call look
    inc ebp
    cmp ebp, STEPS
    jb .next
    xor ebp, ebp
.next:
    dec dword [left + r15 * 8]
    jnz .step
    call barrier
    inc r14d
    cmp r14d, r12d
    jb .round
    call barrier
    ret

    align 8
steps:
    dq atomics, remap, guard, mark, interrupt, rewrite
STEPS equ ($ - steps) / 8

; Waits for all processors, asleep; the last one wakes the others.
barrier:
    mov edx, [generation]
    mov eax, 1
    lock xadd [arrived], eax
    cmp eax, PROCESSORS - 1
    je .last
.wait:
    cli
    cmp [generation], edx
    jne .done
    sti
    hlt
    jmp .wait
.last:
    mov dword [arrived], 0
    inc dword [generation]
    SEND ICR_FIXED | WAKE | TO_OTHERS
.done:
    sti
    ret

; Takes the lock at rdi; changes eax, r10.
acquire:
    mov r10d, SPINS
.again:
    mov eax, 1
    xchg [rdi], eax
    test eax, eax
    jz .done
.wait:
    pause
    dec r10d
    jz .fail
    cmp dword [rdi], 0
    jne .wait
    jmp .again
.fail:
    mov eax, edi
    mov ebx, r15d
    FAIL_NOW "a lock stays taken (lock, processor)"
.done:
    ret

%include "storm_pages.inc"
%include "storm_atomics.inc"
%include "storm_signals.inc"

; A fraction of a second at most.
delay:
    mov ecx, 2000
.again:
    in al, 0x61
    loop .again
    ret

; The number in the firmware configuration's file, to r12d.
read_rounds:
    mov r12d, ALL_ROUNDS
    mov dx, 0x510
    mov ax, 0x19                ; the directory
    out dx, ax
    inc dx
    call read_be32
    mov ebp, eax
.file:
    sub ebp, 1
    jc .done
    call read_be32
    mov ebx, eax                ; its size
    call read_be32
    shr eax, 16
    mov esi, eax                ; what selects it
    mov edi, file_name
    mov ecx, 56
    rep insb
    push rsi
    mov esi, rounds_name
    mov edi, file_name
    mov ecx, rounds_name_length
    repe cmpsb
    pop rsi
    jne .file
    dec dx
    mov eax, esi
    out dx, ax
    inc dx
    xor r12d, r12d
.digit:
    in al, dx
    sub al, '0'
    cmp al, 9
    ja .done
    movzx eax, al
    imul r12d, 10
    add r12d, eax
    dec ebx
    jnz .digit
.done:
    ret

read_be32:
    mov ecx, 4
.byte:
    shl eax, 8
    in al, dx
    loop .byte
    ret

rounds_name:
    db "opt/rhea/rounds", 0
rounds_name_length equ $ - rounds_name

; What happened, in hexadecimal numbers.
tell:
    SAY 10, "rounds "
    mov ebx, r12d
    call put_hex64
    SAY ", pages moved "
    mov ebx, [completed]
    add ebx, [completed + 8]
    add ebx, [completed + 16]
    add ebx, [completed + 24]
    call put_hex64
    SAY ", page faults "
    mov ebx, [faults]
    add ebx, [faults + 8]
    add ebx, [faults + 16]
    add ebx, [faults + 24]
    call put_hex64
    SAY ", flurries "
    mov ebx, [flurries]
    call put_hex64
    SAY ", NMIs "
    mov ebx, [nmis]
    call put_hex64
    SAY 10
    ret

; The other processors' way from real mode.
    MODE 16
ap_start:
    cli
    xor ax, ax
    mov ds, ax
    lgdt [gdt_pointer]
    mov eax, cr0
    or eax, 1
    mov cr0, eax
    jmp dword CODE32:ap_flat
ap_start_end:

    MODE 32
ap_flat:
    mov ax, DATA32
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov ss, ax
    mov eax, cr4
    or eax, 0x620
    mov cr4, eax
    mov eax, PML4
    mov cr3, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x100
    wrmsr
    mov eax, cr0
    and eax, ~4
    or eax, 0x80010002
    mov cr0, eax
    jmp CODE64:.long
    MODE 64
.long:
    lidt [idt_pointer64]
    mov eax, APIC
    mov eax, [rax + APIC_ID]
    shr eax, 24
    mov r15d, eax
    inc eax
    shl eax, 12
    lea rsp, [STACKS + rax]
    jmp ap_long

; Zero at the start.
    absolute VARIABLES
rounds:
    resd 1
started:
    resd 1
go:
    resd 1
arrived:
    resd 1
generation:
    resd 1
has_invpcid:
    resd 1
    resd 10                     ; the rest of a line
left:
    resq PROCESSORS
tokens:
    resq PROCESSORS
file_name:
    resb 64
; Pages that move: all words of a kind in one line.
page_locks:
    resq 8
asked:
    resq 8                      ; the number of the move that has begun
completed:
    resq 8                      ; the number of the last one that is over
acknowledged:
    resq 8
; The guarded page.
faults:
    resq PROCESSORS
fault_error:
    resq 1
poke_value:
    resq 1
poke_reads:
    resd 1
poked:
    resd 1
marks:
    resq PROCESSORS             ; how often each has counted in the table
; Interrupts.
sent:
    resd PROCESSORS * PROCESSORS
got:
    resd PROCESSORS * PROCESSORS
flurries:
    resq PROCESSORS
wakes:
    resq PROCESSORS
nmis:
    resq PROCESSORS
nmis_sent:
    resq PROCESSORS
; Code: the number that each one's routine returns now.
ready:
    resq PROCESSORS
    section .text

%include "end.inc"
