#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that this board is built and tested with: the cross compiler and
# QEMU's user mode. The libraries are fetched while building, by sysroot.sh.
set -eu
# shellcheck source=boards/linux/packages.sh
. boards/linux/packages.sh
packages_of() {
    echo make gcc libc6-dev binutils gzip python3 python3-django ca-certificates \
        gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user-static
}
packages_reason() {
    echo 'for big-endian Linux'
}
packages_install board
