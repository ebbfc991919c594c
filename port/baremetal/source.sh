#!/bin/sh
# SPDX-License-Identifier: MIT
# Fetches a package's source as Debian packages it, checked by apt's signatures, and unpacks it.
#
#   sh port/baremetal/source.sh PACKAGE DIRECTORY
#
# A list of sources of its own is used, so that nothing of the machine's apt is changed.
set -eu
package=$1 out=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/source"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb-src [signed-by=$keys] http://deb.debian.org/debian bookworm main" >"$work/sources.list"
apt_source() {
    apt-get -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o APT::Sandbox::User=root "$@"
}
echo "Fetching the source package $package with apt-get source"
cd "$work/source"
if ! { apt_source update && apt_source --download-only source "$package"; } >"$work/log" 2>&1; then
    tail -n 20 "$work/log" >&2
    exit 1
fi
mkdir unpacked
tar -xzf "$package"_*.orig.tar.gz --strip-components=1 -C unpacked
cd - >/dev/null
rm -rf "$out"
mkdir -p "$(dirname "$out")"
mv "$work/source/unpacked" "$out"
