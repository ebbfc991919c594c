#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that this board is built and run with.
set -eu
# shellcheck source=boards/firmware/packages.sh
. boards/firmware/packages.sh
firmware_packages 'the RISC-V board' gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf \
    qemu-system-misc
