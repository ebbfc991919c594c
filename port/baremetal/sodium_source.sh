#!/bin/sh
# SPDX-License-Identifier: MIT
# Fetches libsodium's source as Debian packages it, checked by apt's signatures, and unpacks it.
#
#   sh port/baremetal/sodium_source.sh DIRECTORY
#
# A list of sources of its own is used, so that nothing of the machine's apt is changed.
set -eu
out=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/source"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb-src [signed-by=$keys] http://deb.debian.org/debian bookworm main" >"$work/sources.list"
apt_source() {
    apt-get -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o APT::Sandbox::User=root "$@"
}
echo 'Fetching the source package libsodium with apt-get source'
cd "$work/source"
if ! { apt_source update && apt_source --download-only source libsodium; } >"$work/log" 2>&1; then
    tail -n 20 "$work/log" >&2
    exit 1
fi
tar -xzf libsodium_*.orig.tar.gz
cd - >/dev/null
rm -rf "$out"
mkdir -p "$(dirname "$out")"
mv "$work"/source/libsodium-* "$out"
