#!/bin/sh
# SPDX-License-Identifier: MIT
# Fetches the s390x libraries of Debian 12, checked by apt's signatures, and unpacks them into a
# folder that the cross compiler and the emulator look into.
#
#   sh boards/linux-s390x/sysroot.sh DIRECTORY
#
# The machine's own apt and dpkg are not told of the other architecture: once they are, each library
# must have the same version for both, and an update of one of them alone can no longer be installed.
set -eu
out=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [arch=s390x signed-by=$keys] http://deb.debian.org/debian bookworm main" \
    >"$work/sources.list"
: >"$work/status"
apt_s390x() {
    apt-get -q -o APT::Architecture=s390x -o APT::Architectures::=s390x \
        -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o Dir::State::status="$work/status" \
        -o Dir::Cache::archives="$work/archives" -o Dir::Cache::pkgcache= \
        -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root "$@"
}
echo 'Fetching the s390x libraries with apt-get download'
cd "$work/archives"
if ! { apt_s390x update && apt_s390x download libc6 libcmocka0 libcmocka-dev libcrypt1 libcrypt-dev \
    libgcc-s1 libjansson4 libjansson-dev liblmdb0 liblmdb-dev libmbedcrypto7 libmbedtls-dev \
    libqrencode4 libqrencode-dev libsodium23 libsodium-dev; } >"$work/log" 2>&1; then
    tail -n 20 "$work/log" >&2
    exit 1
fi
for package in *.deb; do
    dpkg -x "$package" "$work/root"
done
cd - >/dev/null
# The one link that is absolute.
ln -sf ../../../lib/s390x-linux-gnu/libcrypt.so.1 "$work/root/usr/lib/s390x-linux-gnu/libcrypt.so"
rm -rf "$out"
mkdir -p "$(dirname "$out")"
mv "$work/root" "$out"
