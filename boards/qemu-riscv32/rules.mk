# SPDX-License-Identifier: MIT
# What is made of the board: the firmware, and how it is started.

include port/baremetal/sodium.mk

FIRMWARE := $(BUILD)/firmware.elf
all: $(FIRMWARE) ## the firmware

$(FIRMWARE): $(BUILD)/obj/boards/$(BOARD)/main.o $(BUILD)/obj/boards/$(BOARD)/start.o \
		$(BUILD)/fronts.a $(BUILD)/liblatchkey.a $(SODIUM) boards/$(BOARD)/link.ld
	$(say) LD $@
	$(Q)$(LINK) $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group -o $@
	$(Q)$(SIZE) $@

ifeq ($(VARIANT),size)
size: size-firmware
size-firmware: size-parts $(SODIUM) $(FIRMWARE)
	@$(SIZE) -t $(SODIUM) | awk 'END { printf "%-10s %8d %8d %8d   all of it, linked or not\n", "libsodium", $$1, $$2, $$3 }'
	@$(PYTHON) -B tests/house/firmware_size.py $(SIZE) $(FIRMWARE) boards/$(BOARD)/budget.txt
.PHONY: size-firmware
endif

FLASH ?= $(BUILD)/flash.img
QEMU   = qemu-system-riscv32 -M virt -m 4M -cpu rv32,zkr=true -display none -bios $(FIRMWARE) \
	-drive if=pflash,unit=1,format=raw,file=$(1)

# The image is what the two chips hold: as large as they are, all ones when they are new.
$(FLASH):
	@head -c 33554432 /dev/zero | tr '\0' '\377' >$@

run: $(FIRMWARE) $(FLASH) ## start the board in QEMU; the flash is kept between runs; ^A x ends it
	$(call QEMU,$(FLASH)) -serial mon:stdio

board-test: $(FIRMWARE) host-program
	@timeout 600 $(PYTHON) -B tests/board/board_console.py virt $(BUILD)/test.img \
		$(call QEMU,$(BUILD)/test.img) -serial stdio -monitor none
	@timeout 600 $(PYTHON) -B tests/board/board_device.py build/linux/latchkey $(BUILD)/device.img \
		$(BUILD)/device.sock $(call QEMU,$(BUILD)/device.img) \
		-serial unix:$(BUILD)/device.sock,server=on,wait=on -monitor none

# What drives the board from the other end of its line.
host-program:
	@$(MAKE) BOARD=linux VARIANT= build/linux/latchkey
.PHONY: run board-test host-program
