#!/bin/sh
# SPDX-License-Identifier: MIT
# Sets up and passes the tests, on a Debian 12 with nothing but git: installs what is missing
# (saying what, and why), builds, runs every test. The last line is "N passed, N failed".
set -eu

cd "$(dirname "$0")/.."
. boards/linux/packages.sh
packages_install test

jobs=$(nproc)
echo "Building and testing with $jobs jobs; the programs and the tests' logs go to build/linux/."
exec make -j"$jobs" test
