// SPDX-License-Identifier: MIT
// lk_start.S: the first instructions of a RISC-V core whose program is loaded into RAM: stack, memory
// that must be zero, and what happens at a trap. No interrupt is ever enabled.
    .option arch, +zicsr
    .section .text.start, "ax"
    .globl lk_board_start
lk_board_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    csrw mie, zero
    la t0, trap
    csrw mtvec, t0
    la sp, __stack_top
    // The stack is painted, so that its deepest use can be told.
    la t0, __stack_low
    la t1, __stack_top
    li t2, 0x5AA55AA5
1:  bgeu t0, t1, 2f
    sw t2, 0(t0)
    addi t0, t0, 4
    j 1b
2:  la t0, __bss_start
    la t1, __bss_end
3:  bgeu t0, t1, 4f
    sw zero, 0(t0)
    addi t0, t0, 4
    j 3b
4:  call main

    .align 2
trap:
    csrr a0, mcause
    csrr a1, mepc
    csrr a2, mtval
    la sp, __stack_top
    call lk_board_trap
