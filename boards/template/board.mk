# SPDX-License-Identifier: MIT
# A board to copy: DESIGN.md, "A new board". As it stands it is some Cortex-M3 that has no driver yet:
# it starts, says so by the debugger, and stops.
#   make BOARD=template         builds the firmware
#   make BOARD=template run     starts it in QEMU; ^A x ends it

# Supply: the compiler. packages.sh installs it.
BOARD_CC      := arm-none-eabi-gcc
BOARD_AR      := arm-none-eabi-ar
BOARD_SIZE    := arm-none-eabi-size

# Supply: the folders of port/ that make up the port: the processor's, the chip's. `sodium` is its
# crypto; `small` and `baremetal/lent` hash passwords where there are less than 64 KiB of RAM.
BOARD_STORAGES := flash
BOARD_PORTS    := sodium baremetal baremetal/cortexm template
BOARD_FRONTS   := cli
# What is too large: files of core/ and cli/ that have a stand-in in core/without/, cli/without/
# (see boards/microbit/board.mk).
BOARD_WITHOUT  :=

# Supply: the processor.
BOARD_CPPFLAGS := -isystem build/sources/libsodium/src/libsodium/include
BOARD_CFLAGS   := --specs=picolibc.specs -mcpu=cortex-m3 -mthumb
BOARD_LDFLAGS  := $(BOARD_CFLAGS)

# Supply: how an emulator starts it, or take these out. What they mean is in firmware.mk.
BOARD_QEMU      = qemu-system-arm -M mps2-an385 -display none -kernel $(FIRMWARE) \
	-semihosting-config enable=on,target=native,chardev=line
BOARD_FLASH_NEW = : >$(1)
BOARD_FACTS    := sector=4096 sectors=32 provision_at=0 secret_at=0

# Once there are drivers: port-test board-console board-device board-image cuts.
BOARD_CHECKS   := template-test
