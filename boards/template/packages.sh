#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that this board is built and run with.
set -eu
# shellcheck source=boards/firmware/packages.sh
. boards/firmware/packages.sh
# Supply: its name, the compiler, its C library, the emulator.
firmware_packages 'the template of a board' gcc-arm-none-eabi picolibc-arm-none-eabi qemu-system-arm
