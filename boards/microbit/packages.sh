#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that this board is built and run with: the compiler, a C library for
# machines without an operating system, QEMU, and what fetches libsodium's source.
set -eu
# shellcheck source=boards/linux/packages.sh
. boards/linux/packages.sh
packages_of() {
    echo make gcc libc6-dev pkg-config gzip python3 python3-django dpkg-dev ca-certificates \
        gcc-arm-none-eabi picolibc-arm-none-eabi qemu-system-arm
}
packages_reason() {
    echo 'for the micro:bit'
}
packages_install board
