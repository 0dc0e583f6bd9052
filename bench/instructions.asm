; SPDX-License-Identifier: GPL-2.0-or-later
; A boot sector that does MILLIONS million of each kind (instructions, bytes) or MILLIONS * 1000
; (system calls, page faults and the like) in 64-bit mode with paging on, and writes a byte to COM1
; before the first and behind each: 'B' and 'E'. With WAITS it waits for a byte before each, so
; that nothing happens while somebody reads a clock. Then it halts for ever.
        bits 16
        org 0x7c00
%define COM1 0x3f8
%define PML4 0x10000
%define SECTORS 8                       ; behind the first
%define TABLE 0x100000                  ; 64 KiB to read and write
%define COPY 0x120000                   ; 64 KiB more
%define FRESH 0x140000                  ; code that is made
%define FRESH_BYTES 0x20000
%define IDT 0x180000
%define LEAF 0x14000                    ; page table of the last 2 MiB
%define MAPPED 0x600000                 ; what it maps
%define SPACE 0x15000                   ; a second PML4
%define USER_STACK 0x190000
%define CODE64 8
%define DATA 16
%define USER_BASE 24                    ; of SYSRET: 32-bit code, then data, then 64-bit code

; So many rounds of a loop whose body and loop end are %1 instructions.
%macro rounds 1
        mov ecx, MILLIONS * 1000000 / %1
%endmacro
; Likewise of what is a thousand times dearer.
%macro times_in_thousands 0
        mov ecx, MILLIONS * 1000
%endmacro

start:  cli
        cld
        xor ax, ax
        mov ds, ax
        mov ss, ax
        mov sp, 0x7000
        mov ax, 0x200 + SECTORS         ; read the rest
        mov bx, 0x7e00
        mov cx, 2
        mov dh, 0
        int 0x13
        in al, 0x92                     ; A20
        or al, 2
        out 0x92, al
        mov ax, PML4 >> 4               ; 6 MiB of pages, one to one, and 2 MiB of 4 KiB
        mov es, ax
        xor di, di
        xor eax, eax
        mov cx, 0x1800
        rep stosd
        mov dword [es:0], PML4 + 0x1007
        mov dword [es:SPACE - PML4], PML4 + 0x1007
        mov dword [es:0x1000], PML4 + 0x2007
        mov dword [es:0x2000], 0x87
        mov dword [es:0x2008], 0x200087
        mov dword [es:0x2010], 0x400087
        mov dword [es:0x2018], LEAF + 7
        lgdt [gdt_pointer]
        mov eax, 0x620                  ; CR4.PAE, OSFXSR, OSXMMEXCPT
        mov cr4, eax
        mov eax, PML4
        mov cr3, eax
        mov ecx, 0xc0000080             ; EFER.LME
        rdmsr
        or ax, 0x101                    ; LME, SCE
        wrmsr
        mov eax, cr0
        and al, 0xf3                    ; no EM, no TS
        or eax, 0x80000003
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
        call scalar
        call packed
        call x87
        call copies
        call scans
        call system_calls
        call page_faults
        call spaces
        call patched
        call fresh
.end:   hlt
        jmp .end

say:    mov dx, COM1
        out dx, al
%ifdef WAITS
        add edx, 5                      ; line status
.wait:  pause
        in al, dx
        test al, 1
        jz .wait
        mov edx, COM1
        in al, dx
%endif
        ret

        align 8
gdt:    dq 0
        dq 0x00209b0000000000
        dq 0x00cf93000000ffff
        dq 0x00cffb000000ffff
        dq 0x00cff3000000ffff
        dq 0x0020fb0000000000
gdt_pointer:
        dw $ - gdt - 1
        dd gdt

        times 510 - ($ - $$) db 0
        dw 0xaa55

; ---- The rest is read by the first sector.

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
        jmp done

; Doubles one by one.
scalar:
        rounds 6
        mov eax, 1
        cvtsi2sd xmm0, eax
        movapd xmm1, xmm0
        movapd xmm2, xmm0
.loop:  mulsd xmm0, xmm1
        addsd xmm2, xmm0
        movsd [TABLE], xmm2
        subsd xmm2, [TABLE]
        dec ecx
        jnz .loop
        jmp done

; Whole vectors.
packed:
        rounds 7
        mov esi, TABLE
        pxor xmm1, xmm1
.loop:  movdqu xmm0, [rsi]
        paddd xmm1, xmm0
        pshufd xmm2, xmm1, 0x1b
        pxor xmm0, xmm2
        movdqu [rsi], xmm0
        dec ecx
        jnz .loop
        jmp done

x87:
        rounds 6
        fninit
        fld1
.loop:  fld st0
        fmul st0, st1
        fadd dword [one]
        fstp qword [TABLE]
        dec ecx
        jnz .loop
        fstp st0
        jmp done

; Bytes, 16 KiB at a time.
copies:
        mov ebx, MILLIONS * 1000000 / 0x4000
.loop:  mov esi, TABLE
        mov edi, COPY
        mov ecx, 0x4000
        rep movsb
        dec ebx
        jnz .loop
        jmp done

scans:
        mov edi, TABLE
        xor eax, eax
        mov ecx, 0x4000
        rep stosb
        mov ebx, MILLIONS * 1000000 / 0x4000
.loop:  mov edi, TABLE
        mov ecx, 0x4000
        repe scasb
        dec ebx
        jnz .loop
        jmp done

; To CPL 0 and back, from code at CPL 3.
system_calls:
        mov ecx, 0xc0000081             ; STAR
        xor eax, eax
        mov edx, (USER_BASE | 3) << 16 | CODE64
        wrmsr
        inc ecx                         ; LSTAR
        mov eax, .kernel
        xor edx, edx
        wrmsr
        mov ecx, 0xc0000084             ; SFMASK
        mov eax, 0x200
        wrmsr
        mov [TABLE], rsp
        mov ecx, .user
        mov r11d, 2
        mov ebx, MILLIONS * 1000
        mov esp, USER_STACK
        o64 sysret
.user:  xor eax, eax
        syscall
        dec ebx
        jnz .user
        inc eax
        syscall
.kernel:
        test eax, eax
        jnz .back
        swapgs
        swapgs
        o64 sysret
.back:  mov rsp, [TABLE]
        mov eax, DATA
        mov ss, eax
        jmp done

; Each is met by mapping the page, which is gone again behind the access.
page_faults:
        mov edi, IDT + 14 * 16
        mov eax, .handler
        mov [rdi], ax
        mov word [rdi + 2], CODE64
        mov word [rdi + 4], 0x8e00
        shr eax, 16
        mov [rdi + 6], eax
        mov dword [rdi + 10], 0
        mov word [rdi + 14], 0
        lidt [idt_pointer]
        times_in_thousands
.loop:  mov [MAPPED], ecx
        mov qword [LEAF], 0
        invlpg [MAPPED]
        dec ecx
        jnz .loop
        jmp done
.handler:
        mov qword [LEAF], 0x500000 | 3
        add rsp, 8
        iretq

; One address space and another, and eight pages in each.
spaces:
        mov esi, PML4
        mov edi, SPACE
        times_in_thousands
.loop:  mov cr3, rdi
%assign page 0
%rep 8
        mov eax, [TABLE + page]
%assign page page + 0x1000
%endrep
        xchg rsi, rdi
        dec ecx
        jnz .loop
        mov eax, PML4
        mov cr3, rax
        jmp done

; Code that is changed before each call.
patched:
        mov byte [FRESH], 0xb8          ; mov eax, imm32
        mov byte [FRESH + 5], 0xc3      ; ret
        mov edi, FRESH
        times_in_thousands
.loop:  mov [rdi + 1], ecx
        call rdi
        dec ecx
        jnz .loop
        jmp done

; Instructions that are executed once, and written before that.
fresh:
        mov ebx, MILLIONS * 1000000 / 50 / (FRESH_BYTES / 8 * 3) + 1
.again: mov edi, FRESH
        mov ecx, FRESH_BYTES / 8
        mov rax, 0x9006348d4800c083     ; add eax, imm8; lea rsi, [rsi + rax]; nop
        mov edx, ebx
        and edx, 0x7f
        shl edx, 16
        or rax, rdx
        rep stosq
        mov byte [rdi], 0xc3            ; ret
        mov edi, FRESH
        call rdi
        dec ebx
        jnz .again
done:   mov al, 'E'
        jmp say


        align 8
one:    dd 1.0
idt_pointer:
        dw 0xfff
        dq IDT

        times (SECTORS + 1) * 512 - ($ - $$) db 0
