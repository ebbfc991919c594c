#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that a task needs, those only that are missing, and says so.
#
#   sh boards/linux/packages.sh build|demo|test|bench|bench-services|ci...
#
# Run as root, or as a user with sudo. Other scripts source it and call packages_install.

packages_of() {
    case $1 in
    build) # compiler, make, and the libraries that Latchkey stands on; python3-django has the list
        # of common passwords, which becomes the filter of those that are refused
        echo make gcc libc6-dev binutils pkg-config gzip python3-django \
            liblmdb-dev libsodium-dev libmbedtls-dev libcrypt-dev libjansson-dev libqrencode-dev ;;
    demo) # mosquitto_passwd, the tool of the Mosquitto broker, comes in its package
        echo mosquitto ;;
    test) # the test library, and the programs that answers are compared with
        packages_of build
        echo libcmocka-dev python3 python3-cbor2 mosquitto apache2-utils whois argon2 \
            libargon2-1 jq strace bash-completion lmdb-utils oathtool zbar-tools git ;;
    bench) # what the benchmarks compare with, and what draws their charts
        packages_of build
        echo python3 libsqlite3-dev gnuplot-nox ;;
    bench-services) # servers that the benchmarks compare with, where they are wanted
        packages_of bench
        echo redis-server libhiredis-dev slapd libldap-dev ;;
    ci) # analysers, the second compiler, coverage
        packages_of test
        packages_of bench
        echo clang clang-tidy clang-format cppcheck shellcheck valgrind gcovr libclang-rt-14-dev ;;
    *)
        echo "packages.sh: $1: build, demo, test, bench, bench-services or ci" >&2
        return 2 ;;
    esac
}

packages_reason() {
    case $1 in
    build) echo 'to compile Latchkey (python3-django for its list of common passwords)' ;;
    demo) echo 'for mosquitto_passwd, which makes the file to import; its broker comes along' ;;
    test) echo 'to compile Latchkey, and for its tests' ;;
    bench) echo 'to compile Latchkey, and for its benchmarks' ;;
    bench-services) echo 'for the servers that the benchmarks compare with' ;;
    ci) echo 'for the tests and the analysers' ;;
    esac
}

# packages_root COMMAND...: runs it as root.
packages_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -- "$@"
    fi
}

# packages_install SET...
packages_install() {
    for packages_set in "$@"; do
        packages_names=$(packages_of "$packages_set") || return 2
        packages_missing=
        for packages_name in $packages_names; do
            case $(dpkg-query -W -f '${Status}' "$packages_name" 2>/dev/null) in
            'install ok installed') ;;
            *) packages_missing="$packages_missing $packages_name" ;;
            esac
        done
        [ -n "$packages_missing" ] || continue
        echo "Installing with apt-get, $(packages_reason "$packages_set"):"
        echo " $packages_missing"
        if ! command -v apt-get >/dev/null; then
            echo 'This script knows Debian packages only. Install what they are called here, then' >&2
            echo 'run make yourself.' >&2
            return 1
        fi
        if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
            echo 'That needs root: run this as root, or install sudo, or have somebody run' >&2
            echo "  apt-get install --no-install-recommends$packages_missing" >&2
            return 1
        fi
        packages_log=$(mktemp) || return 1
        # The lists of a machine that never fetched them, or long ago, name packages that are gone.
        # shellcheck disable=SC2086 # a list of names
        if ! { packages_root apt-get -q update &&
            packages_root env DEBIAN_FRONTEND=noninteractive \
                apt-get -q -y install --no-install-recommends $packages_missing; } \
            >"$packages_log" 2>&1 </dev/null; then
            tail -n 30 "$packages_log" >&2
            echo "apt-get failed; all it said is in $packages_log" >&2
            return 1
        fi
        rm -f "$packages_log"
    done
}

case $0 in
*packages.sh)
    set -eu
    [ $# -ne 0 ] || set -- build
    packages_install "$@"
    ;;
esac
