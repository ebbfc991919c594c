# SPDX-License-Identifier: MIT
# What is made of the board: the firmware, and how it is started.

include port/baremetal/sodium.mk

FIRMWARE := $(BUILD)/firmware.elf
all: $(FIRMWARE) ## the firmware

$(FIRMWARE): $(BOARD_OBJ) \
		$(BUILD)/fronts.a $(BUILD)/liblatchkey.a $(SODIUM) boards/$(BOARD)/link.ld
	$(say) LD $@
	$(Q)$(LINK) -Wl,-Map=$(BUILD)/firmware.map $(filter %.o,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group -o $@
	$(Q)$(SIZE) $@

ifeq ($(VARIANT),size)
size: size-firmware
size-firmware: size-parts $(SODIUM) $(FIRMWARE)
	@$(SIZE) -t $(SODIUM) | awk 'END { printf "%-10s %8d %8d %8d   all of it, linked or not\n", "libsodium", $$1, $$2, $$3 }'
	@$(PYTHON) -B tests/house/firmware_size.py $(SIZE) $(FIRMWARE) boards/$(BOARD)/budget.txt
.PHONY: size-firmware
endif

FLASH ?= $(BUILD)/flash.img
run: $(FIRMWARE) ## start the board in QEMU; the flash is kept between runs; ^A x ends it
	@$(PYTHON) -B boards/$(BOARD)/emulator.py $(FIRMWARE) $(FLASH)

board-test: $(FIRMWARE)
	@timeout 600 $(PYTHON) -B tests/board/board_console.py microbit $(FIRMWARE)
	@timeout 600 $(PYTHON) -B tests/board/board_power.py $(CUTS) microbit $(FIRMWARE)

CUTS ?= 20
cuts: $(FIRMWARE) ## cut the power at CUTS random moments while the board writes
	@$(PYTHON) -B tests/board/board_power.py $(CUTS) microbit $(FIRMWARE)
.PHONY: run board-test cuts
