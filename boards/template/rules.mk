# SPDX-License-Identifier: MIT
include boards/firmware/firmware.mk

# Of the template alone: take it out of a copy.
template-test: $(FIRMWARE)
	@timeout 60 $(PYTHON) -B tests/board/board_template.py $(MACHINE)
.PHONY: template-test
