// SPDX-License-Identifier: MIT
// lk_start.S: vectors of a Cortex-M, and the first instructions: stack, memory that has a value at
// the start, memory that must be zero, and what happens at a fault. No interrupt is ever enabled.
    .syntax unified
    .cpu cortex-m0
    .thumb

    .section .vectors, "a"
    .word __stack_top
    .word lk_board_start
    .rept 14
    .word fault
    .endr

    .text
    .globl lk_board_start
    .type lk_board_start, %function
lk_board_start:
    // The stack is painted, so that its deepest use can be told.
    ldr r0, =__stack_low
    ldr r1, =__stack_top
    ldr r2, =0x5AA55AA5
1:  str r2, [r0]
    adds r0, #4
    cmp r0, r1
    blo 1b
    ldr r0, =__data_start
    ldr r1, =__data_end
    ldr r2, =__data_load
2:  cmp r0, r1
    bhs 3f
    ldr r3, [r2]
    str r3, [r0]
    adds r0, #4
    adds r2, #4
    b 2b
3:  ldr r0, =__bss_start
    ldr r1, =__bss_end
    movs r2, #0
4:  cmp r0, r1
    bhs 5f
    str r2, [r0]
    adds r0, #4
    b 4b
5:  bl main

    // What it was about: the exception's number, and the program counter and the link register that
    // were stacked.
    .type fault, %function
fault:
    mrs r0, ipsr
    mov r3, sp
    ldr r1, [r3, #24]
    ldr r2, [r3, #20]
    ldr r3, =__stack_top
    mov sp, r3
    bl lk_board_trap
