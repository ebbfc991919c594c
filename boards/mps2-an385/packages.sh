#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that this board is built and run with.
set -eu
# shellcheck source=boards/firmware/packages.sh
. boards/firmware/packages.sh
firmware_packages 'MPS2' gcc-arm-none-eabi picolibc-arm-none-eabi qemu-system-arm
