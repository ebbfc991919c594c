# SPDX-License-Identifier: MIT
include boards/firmware/firmware.mk
