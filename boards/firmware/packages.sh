# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The Debian packages that firmware is built and run with: a board's packages.sh names what it needs
# besides, the compiler, a C library for machines without an operating system, an emulator.
# shellcheck source=boards/linux/packages.sh
. boards/linux/packages.sh

# firmware_packages NAME PACKAGE...
firmware_packages() {
    firmware_name=$1
    shift
    firmware_list=$*
    packages_of() {
        echo make gcc libc6-dev pkg-config gzip python3 python3-django dpkg-dev ca-certificates \
            "$firmware_list"
    }
    packages_reason() {
        echo "for $firmware_name"
    }
    packages_install board
}
