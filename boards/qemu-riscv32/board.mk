# SPDX-License-Identifier: MIT
# QEMU's RISC-V "virt" machine: a roomy board with NOR flash in a file.
#   make BOARD=qemu-riscv32         builds the firmware
#   make BOARD=qemu-riscv32 run     starts it in QEMU, its console on the terminal; ^A x ends it

BOARD_CC      := riscv64-unknown-elf-gcc
BOARD_AR      := riscv64-unknown-elf-ar
BOARD_SIZE    := riscv64-unknown-elf-size
BOARD_OBJCOPY := riscv64-unknown-elf-objcopy

BOARD_STORAGES := flash
BOARD_PORTS    := sodium baremetal baremetal/riscv baremetal/riscv_virt
BOARD_FRONTS   := cli

BOARD_CPPFLAGS := -isystem build/sources/libsodium/src/libsodium/include
BOARD_CFLAGS   := --specs=picolibc.specs -march=rv32imac -mabi=ilp32 -mcmodel=medany
BOARD_LDFLAGS  := $(BOARD_CFLAGS) -Wl,--no-warn-rwx-segments

# The image is what the two chips hold: as large as they are, all ones when they are new.
BOARD_QEMU      = qemu-system-riscv32 -M virt -m 4M -cpu rv32,zkr=true -display none -bios $(FIRMWARE) \
	-drive if=pflash,unit=1,format=raw,file=$(1) -serial chardev:line
BOARD_FLASH_NEW = head -c 33554432 /dev/zero | tr "\0" "\377" >$(1)
BOARD_FACTS    := sector=262144 sectors=16 provision_at=33030144 secret_at=33292288
BOARD_CHECKS   := port-test board-console board-device cuts board-image board-recover instructions
BOARD_STRAP    := -device virtio-rng-device
BOARD_COUNTED   = $(call BOARD_QEMU,$(BUILD)/cost.img)
CUTS           ?= 10
