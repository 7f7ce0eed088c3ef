/* Where a program without a C library begins: hands the kernel's stack to start(), with CALL_GAP words free below. */
#ifndef WRAP_START_H
#define WRAP_START_H

#include "wrap/call.h"

#define START_TEXT_(words) #words
#define START_TEXT(words) START_TEXT_(words)

#if defined(__x86_64__)
__asm__(".globl _start\n"
        "_start:\n"
        "    xor %ebp, %ebp\n"
        "    mov %rsp, %rdi\n"
        "    sub $8 * " START_TEXT(CALL_GAP) ", %rsp\n"
                                             "    and $-16, %rsp\n"
                                             "    call start\n"
                                             "    hlt\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n"
        "_start:\n"
        "    mov x29, #0\n"
        "    mov x30, #0\n"
        "    mov x0, sp\n"
        "    sub sp, sp, #8 * " START_TEXT(CALL_GAP) "\n"
                                                     "    b start\n");
#endif

_Noreturn void start(char **stack);

#endif
