# SPDX-License-Identifier: MIT
include boards/firmware/firmware.mk

# The board has no generator: without a factory's seed it must refuse.
no-seed: $(FIRMWARE)
	@timeout 120 $(PYTHON) -B boards/mps2-an385/no_seed.py $(MACHINE)
.PHONY: no-seed
