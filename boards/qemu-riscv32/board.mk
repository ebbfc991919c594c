# SPDX-License-Identifier: MIT
# QEMU's RISC-V "virt" machine: a roomy board with NOR flash in a file.
#   make BOARD=qemu-riscv32         builds the firmware
#   make BOARD=qemu-riscv32 run     starts it in QEMU, its console on the terminal; ^A x ends it

BOARD_CC      := riscv64-unknown-elf-gcc
BOARD_AR      := riscv64-unknown-elf-ar
BOARD_SIZE    := riscv64-unknown-elf-size
BOARD_OBJCOPY := riscv64-unknown-elf-objcopy

BOARD_STORAGES := flash
BOARD_PORTS    := sodium baremetal baremetal/riscv_virt
BOARD_FRONTS   := cli

BOARD_CPPFLAGS := -isystem build/sources/libsodium/src/libsodium/include
BOARD_CFLAGS   := --specs=picolibc.specs -march=rv32imac -mabi=ilp32 -mcmodel=medany
BOARD_LDFLAGS  := --specs=picolibc.specs -march=rv32imac -mabi=ilp32 -mcmodel=medany \
	-nostartfiles -Wl,--no-warn-rwx-segments -T boards/$(BOARD)/link.ld
