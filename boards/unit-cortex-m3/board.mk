# SPDX-License-Identifier: MIT
# No board to use: the tests of core and storage on an emulated Cortex-M3, 32 bits without an
# operating system.
#   make BOARD=unit-cortex-m3 test

BOARD_CC      := arm-none-eabi-gcc
BOARD_AR      := arm-none-eabi-ar
BOARD_SIZE    := arm-none-eabi-size
BOARD_CFLAGS  := --specs=picolibc.specs -mcpu=cortex-m3 -mthumb
BOARD_RUNNER  := sh tests/board/semihost.sh qemu-system-arm -M mps2-an385 -kernel
BOARD_MEMORY  := __flash=0 __flash_size=4M __ram=0x21000000 __ram_size=16M
include tests/board/semihost_board.mk
# They keep a copy of the 8 MiB of a store, for which 16 MiB are too little.
BOARD_TEST_SKIP += tests/fault/test_fault_open.c tests/fault/test_s_login.c
