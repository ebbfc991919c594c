#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that these tests are built and run with.
set -eu
# shellcheck source=boards/linux/packages.sh
. boards/linux/packages.sh
packages_of() {
    echo make gcc libc6-dev pkg-config gzip python3 python3-django dpkg-dev ca-certificates \
        gcc-arm-none-eabi picolibc-arm-none-eabi qemu-system-arm
}
packages_reason() {
    echo 'for tests on an emulated core'
}
packages_install board
