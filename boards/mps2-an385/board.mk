# SPDX-License-Identifier: MIT
# Arm's MPS2 with a Cortex-M3 (AN385), in QEMU: its PSRAM, a file, is the flash.
#   make BOARD=mps2-an385         builds the firmware
#   make BOARD=mps2-an385 run     starts it in QEMU, its console on the terminal; ^A x ends it

BOARD_CC      := arm-none-eabi-gcc
BOARD_AR      := arm-none-eabi-ar
BOARD_SIZE    := arm-none-eabi-size

BOARD_STORAGES := flash
BOARD_PORTS    := sodium baremetal baremetal/cortexm baremetal/mps2
BOARD_FRONTS   := cli

BOARD_CPPFLAGS := -isystem build/sources/libsodium/src/libsodium/include
BOARD_CFLAGS   := --specs=picolibc.specs -mcpu=cortex-m3 -mthumb
BOARD_LDFLAGS  := $(BOARD_CFLAGS)

BOARD_QEMU      = qemu-system-arm -M mps2-an385,memory-backend=flash -display none -kernel $(FIRMWARE) \
	-object memory-backend-file,id=flash,size=16M,mem-path=$(1),share=on -serial chardev:line
BOARD_FLASH_NEW = /usr/bin/python3 -B boards/mps2-an385/new_flash.py $(1)
BOARD_FACTS    := sector=16384 sectors=64 provision_at=1064960 secret_at=1048576
BOARD_CHECKS   := port-test board-console board-device cuts board-image no-seed
CUTS           ?= 10
