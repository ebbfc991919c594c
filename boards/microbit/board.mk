# SPDX-License-Identifier: MIT
# The micro:bit: nRF51822, Cortex-M0, 16 KiB of RAM, 256 KiB of flash, 64 of them the store.
#   make BOARD=microbit         builds the firmware
#   make BOARD=microbit run     starts it in QEMU, its console on the terminal; ^A x ends it

BOARD_CC      := arm-none-eabi-gcc
BOARD_AR      := arm-none-eabi-ar
BOARD_SIZE    := arm-none-eabi-size
BOARD_OBJCOPY := arm-none-eabi-objcopy

BOARD_STORAGES := flash
BOARD_PORTS    := sodium small baremetal baremetal/lent baremetal/cortexm baremetal/nrf51
BOARD_FRONTS   := cli
BOARD_WITHOUT  := lk_approve lk_audit_keep lk_condition lk_counter lk_device lk_login_factor lk_password_history \
	lk_recovery lk_text_net lk_throttle lk_totp \
	lk_cli_approve lk_cli_complete lk_cli_describe lk_cli_diff lk_cli_factor lk_cli_help lk_cli_note lk_cli_table
SODIUM_SMALL   := 1
SODIUM_NOT     := -fno-tree-loop-optimize

BOARD_CPPFLAGS := -isystem build/sources/libsodium/src/libsodium/include -DLK_SODIUM_HASH_STACK=512 \
	-include boards/$(BOARD)/board_assert.h
# Optimised as a whole. Functions are not merged into their callers, whose frames would stay under
# all that they call: it is the stack that is short.
BOARD_TARGET   := --specs=picolibc.specs -mcpu=cortex-m0 -mthumb \
	$(if $(filter stack,$(VARIANT)),,-flto -ffat-lto-objects) \
	-fconserve-stack -fno-inline-functions-called-once -fno-tree-loop-optimize
BOARD_CFLAGS   := $(BOARD_TARGET)
BOARD_LDFLAGS  := $(BOARD_TARGET) -Os -g -flto-partition=one
BOARD_EMULATOR := boards/microbit/emulator.py
BOARD_FACTS    := sector=1024 sectors=64 provision_at=65536 secret_at=66560
BOARD_CHECKS   := port-test board-console cuts board-image instructions
BOARD_COUNTED   = qemu-system-arm -M microbit -kernel $(FIRMWARE) -serial chardev:line
