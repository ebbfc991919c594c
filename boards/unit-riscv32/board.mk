# SPDX-License-Identifier: MIT
# No board to use: the tests of core and storage on an emulated RISC-V core of 32 bits, without an
# operating system.
#   make BOARD=unit-riscv32 test

BOARD_CC      := riscv64-unknown-elf-gcc
BOARD_AR      := riscv64-unknown-elf-ar
BOARD_SIZE    := riscv64-unknown-elf-size
BOARD_CFLAGS  := --specs=picolibc.specs -march=rv32imac -mabi=ilp32 -mcmodel=medany
BOARD_RUNNER  := sh tests/board/semihost.sh qemu-system-riscv32 -M virt -m 32M -bios none -kernel
BOARD_MEMORY  := __flash=0x80000000 __flash_size=4M __ram=0x80400000 __ram_size=28M
include tests/board/semihost_board.mk
