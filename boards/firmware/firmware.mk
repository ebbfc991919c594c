# SPDX-License-Identifier: MIT
# What is made of a board without an operating system: the firmware, how it is started, its tests.
# Included by the board's rules.mk. Its board.mk says how an emulator is started:
#   BOARD_QEMU       with the program $(FIRMWARE), its flash in the file $(1), and its serial line at
#                    the character device "line"
#   BOARD_FLASH_NEW  what makes that file for a new board
# or, where the emulator keeps no file:
#   BOARD_EMULATOR   a program as boards/microbit/emulator.py, with the class Emulator
# and for the tests:
#   BOARD_FACTS      sector=N sectors=N: the store's; provision_at=N secret_at=N: where in the flash a
#                    secret of provisioning and the device's own are (tests/board/machines.py)
#   BOARD_CHECKS     what `make test` does: targets
#   BOARD_STRAP      words that make the emulator hold the strap of a lost administrator
#   BOARD_COUNTED    as BOARD_QEMU, where instructions are counted (tests/board/counted.py)

include port/baremetal/sodium.mk

FIRMWARE := $(BUILD)/firmware.elf
all: $(FIRMWARE) ## the firmware

BOARD_OBJ += $(call objects,$(call sources,boards/firmware))
$(BUILD)/obj/boards/%.o: EXTRA_CPPFLAGS = -Iboards/firmware

# What a board's port supplies is tried by a firmware with another main.
PORT_TEST := $(BUILD)/port_test.elf
$(FIRMWARE): $(BOARD_OBJ)
$(PORT_TEST): $(filter-out %/firmware/main.o,$(BOARD_OBJ)) $(call objects,tests/board/board_port.c)
$(BUILD)/obj/tests/board/board_port.o: EXTRA_CPPFLAGS = -Iboards/firmware

$(FIRMWARE) $(PORT_TEST): $(FRONTS) $(LIBRARY) $(SODIUM) boards/$(BOARD)/link.ld
	$(say) LD $@
	$(Q)$(LINK) -nostartfiles -T boards/$(BOARD)/link.ld -Wl,-Map=$(@:.elf=.map) $(filter %.o,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group -o $@
	$(Q)$(SIZE) $@

size: size-firmware
size-firmware: size-parts $(SODIUM) $(FIRMWARE)
	@$(SIZE) -t $(SODIUM) | awk 'END { printf "%-10s %8d %8d %8d   all of it, linked or not\n", "libsodium", $$1, $$2, $$3 }'
	@$(PYTHON) -B tests/house/firmware_size.py $(SIZE) $(FIRMWARE) boards/$(BOARD)/budget.txt
.PHONY: size-firmware

FLASH ?= $(BUILD)/flash.img
CUTS  ?= 20
FACTS := $(BOARD_FACTS) limits=boards/$(BOARD)/lk_board_limits.h
ifdef BOARD_EMULATOR
MACHINE = emulator $(BOARD_EMULATOR) $(FIRMWARE) $(FACTS)
run: $(FIRMWARE) ## start the board in QEMU; the flash is kept between runs; ^A x ends it
	@$(PYTHON) -B $(BOARD_EMULATOR) $(FIRMWARE) $(FLASH)
else
# A file for each target, which may run side by side.
MACHINE = file $(BUILD)/$@.img '$(call BOARD_FLASH_NEW,$(BUILD)/$@.img)' $(FACTS) -- \
	$(call BOARD_QEMU,$(BUILD)/$@.img) -chardev stdio,id=line -monitor none
run: $(FIRMWARE) $(FLASH)
	$(call BOARD_QEMU,$(FLASH)) -chardev stdio,id=line,mux=on,signal=off -mon chardev=line
$(FLASH):
	@mkdir -p $(@D)
	@$(call BOARD_FLASH_NEW,$@)
endif

# ---- Tests: those of BOARD_CHECKS ----------------------------------------------------------------

board-test: $(BOARD_CHECKS)

port-test: FIRMWARE := $(PORT_TEST)
port-test: $(PORT_TEST) ## what a board's port supplies, service by service
	@timeout 600 $(PYTHON) -B tests/board/board_port.py $(MACHINE)

board-console: $(FIRMWARE) host-program
	@timeout 600 $(PYTHON) -B tests/board/board_console.py $(MACHINE)

# By a program at the other end of the line, where the flash is a file.
DEVICE := $(BUILD)/device
board-device: $(FIRMWARE) host-program
	@timeout 600 $(PYTHON) -B tests/board/board_device.py build/linux/latchkey $(DEVICE).img \
		'$(call BOARD_FLASH_NEW,$(DEVICE).img)' $(DEVICE).sock $(call BOARD_QEMU,$(DEVICE).img) \
		-chardev socket,path=$(DEVICE).sock,server=on,wait=on,id=line -monitor none

cuts: $(FIRMWARE) ## cut the power at CUTS random moments while the board writes
	@timeout 3600 $(PYTHON) -B tests/board/board_power.py $(CUTS) $(MACHINE)

board-image: $(FIRMWARE) host-program ## a board's flash on a host and back; a store that a host made, on a board
	@timeout 600 $(PYTHON) -B tests/board/board_image.py build/linux/latchkey $(MACHINE)

board-recover: $(FIRMWARE) host-program ## an empty store for whoever holds the board's strap (BOARD_STRAP)
	@timeout 600 $(PYTHON) -B tests/board/board_recover.py build/linux/latchkey '$(BOARD_STRAP)' $(MACHINE)

LEAST ?= 60
board-full: $(FIRMWARE) host-program ## how many users with two sessions each a board holds: LEAST at least
	@timeout 1200 $(PYTHON) -B tests/board/board_full.py build/linux/latchkey $(LEAST) $(MACHINE)

BOARD_COST = timeout 600 $(PYTHON) -B tests/board/board_cost.py $(1) $(BOARD) $(BOARD_CC:gcc=nm) $(FIRMWARE) \
	'$(or $(call BOARD_FLASH_NEW,$(BUILD)/cost.img),:)' $(BOARD_COUNTED)
instructions: $(FIRMWARE)
	@$(call BOARD_COST,--brief)
board-cost: $(FIRMWARE) ## instructions and flash that commands at a board's console cost
	@mkdir -p build/bench
	@$(call BOARD_COST,--json build/bench/cost_$(BOARD).json)

# What drives the board from the other end of its line, and reads its flash.
host-program:
	@$(MAKE) BOARD=linux VARIANT= build/linux/latchkey
.PHONY: run board-test port-test board-console board-device board-image board-recover board-full board-cost cuts \
	host-program
