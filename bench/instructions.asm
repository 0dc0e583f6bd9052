; SPDX-License-Identifier: GPL-2.0-or-later
; A boot sector that executes MILLIONS million instructions of each kind in 64-bit mode, at CPL 0
; with paging on, and writes a byte to COM1 before the first and behind each: 'B' and 'E'. Then it
; halts for ever.
        bits 16
        org 0x7c00
%define COM1 0x3f8
%define PML4 0x10000
%define TABLE 0x100000                  ; 64 KiB to read and write
%define CODE64 8
%define DATA 16

; So many rounds of a loop whose body and loop end are %1 instructions.
%macro rounds 1
        mov ecx, MILLIONS * 1000000 / %1
%endmacro

start:  cli
        cld
        xor ax, ax
        mov ds, ax
        mov ss, ax
        mov sp, 0x7000
        in al, 0x92                     ; A20
        or al, 2
        out 0x92, al
        mov ax, PML4 >> 4               ; 2 MiB of pages, one to one
        mov es, ax
        xor di, di
        xor eax, eax
        mov cx, 0x1000
        rep stosd
        mov dword [es:0], PML4 + 0x1003
        mov dword [es:0x1000], PML4 + 0x2003
        mov dword [es:0x2000], 0x83
        lgdt [gdt_pointer]
        mov eax, 0x20                   ; CR4.PAE
        mov cr4, eax
        mov eax, PML4
        mov cr3, eax
        mov ecx, 0xc0000080             ; EFER.LME
        rdmsr
        or ah, 1
        wrmsr
        mov eax, cr0
        or eax, 0x80000001
        mov cr0, eax
        jmp CODE64:long_mode

        bits 64
long_mode:
        mov eax, DATA
        mov ds, eax
        mov es, eax
        mov ss, eax
        mov esp, 0x7000
        mov al, 'B'
        call say
        xor eax, eax
        mov ebx, 1
        mov edx, 0x9e3779b1
        call registers
        call memory
        call calls
        call branches
.end:   hlt
        jmp .end

say:    mov dx, COM1
        out dx, al
        ret

registers:
        rounds 9
.loop:  imul rax, rdx
        xor rax, rbx
        rol rax, 13
        add rbx, rax
        mov r8, rax
        shr r8, 7
        lea rbx, [rbx + r8 * 2 + 5]
        dec ecx
        jnz .loop
        jmp done

memory:
        rounds 9
        mov esi, TABLE
        xor edi, edi
.loop:  mov eax, [rsi + rdi * 4]
        add eax, ecx
        mov [rsi + rdi * 4], eax
        movzx r8d, al
        add [rsi + r8 * 4], ecx
        add edi, 7
        and edi, 0x3fff
        dec ecx
        jnz .loop
        jmp done

calls:
        rounds 10
.loop:  call .function
        dec ecx
        jnz .loop
        jmp done
.function:
        push rbx
        push rbp
        mov rbp, rsp
        add rax, rbx
        pop rbp
        pop rbx
        ret

; Which way the branch goes is hard to foretell; both are two instructions.
branches:
        rounds 13
        mov eax, 1
.loop:  mov r8d, eax
        shl r8d, 13
        xor eax, r8d
        mov r8d, eax
        shr r8d, 17
        xor eax, r8d
        test al, 0x10
        jz .even
        add ebx, 3
        jmp .next
.even:  sub ebx, 1
        nop
.next:  cmp ebx, ecx
        dec ecx
        jnz .loop
done:   mov al, 'E'
        jmp say

        align 8
gdt:    dq 0
        dq 0x00209b0000000000
        dq 0x00cf93000000ffff
gdt_pointer:
        dw $ - gdt - 1
        dd gdt

        times 510 - ($ - $$) db 0
        dw 0xaa55
