# SPDX-License-Identifier: MIT
"""Holds every #include against the layers: boards > cli > core > the storage and port interfaces.

    check_includes.py [--root DIR] --public=HEADER... [--host-public=HEADER...]

--public names the headers that the command line may see of what lies below it, --host-public those
that cli/host may see besides.
"""
import argparse
import pathlib
import re
import sys

FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "limits.h", "string.h"}
INTERFACES = {"lk_base.h", "lk_storage.h", "lk_port.h"}
# These keep to memory they are given and run on any machine; the other backends and ports may
# use the system and the library they adapt.
FRUGAL = {"storage/ram", "storage/fault", "storage/flash", "port/fake", "port/template"}
# Crypto comes as a table of its own, which other ports hand on.
CRYPTO = {"lk_sodium.h", "lk_foreign.h", "lk_mbedtls.h", "lk_small.h"}
LAYERS = ("core", "storage", "port", "cli")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def headers(root, folder):
    return {path.name for path in (root / folder).rglob("*.h")}


def rule_for(root, path, public, host_public):
    """(own headers allowed, system headers allowed or None for any, the rule in words)"""
    parts = path.parts
    folder = "/".join(parts[:-1])
    if parts[0] == "core":
        allowed = headers(root, "core") | {"lk_storage.h", "lk_port.h"}
        if path.name == "lk_limits.h":
            allowed.add("lk_board_limits.h")
        if path.name == "lk_blocklist.c":
            allowed.add("lk_blocklist_data.h")  # made by the build
        return allowed, FREESTANDING, "core includes core, the two interfaces and freestanding headers"
    if parts[0] in ("storage", "port"):
        if len(parts) == 2:
            return {"lk_base.h"}, FREESTANDING, "an interface includes lk_base.h"
        home = "/".join(parts[:2])
        allowed = headers(root, home) | INTERFACES
        if parts[0] == "port":
            allowed |= CRYPTO
        system = FREESTANDING if home in FRUGAL else None
        return allowed, system, f"{home} includes its own headers and the interfaces" + (
            ", and the crypto tables" if parts[0] == "port" else "") + (
            ", and freestanding headers" if system else "")
    if folder == "cli":
        own = {p.name for p in (root / "cli").glob("*.h")}
        return (own | public, FREESTANDING,
                "cli includes its own headers, the public ones and freestanding headers")
    if parts[0] == "cli":
        return headers(root, "cli") | public | host_public, None, "cli/host includes cli and the public headers"
    return None, None, ""


def check(root, public, host_public):
    faults = 0
    count = 0
    for layer in LAYERS:
        for path in sorted((root / layer).rglob("*.[ch]")):
            relative = path.relative_to(root)
            allowed, system, words = rule_for(root, relative, public, host_public)
            if allowed is None:
                continue
            count += 1
            for number, line in enumerate(path.read_text().splitlines(), 1):
                found = INCLUDE.match(line)
                if found is None:
                    continue
                quoted, name = found.group(1) == '"', found.group(2)
                if (name not in allowed) if quoted else (system is not None and name not in system):
                    print(f"{relative}:{number}: {name}: not allowed here: {words}",
                          file=sys.stderr)
                    faults += 1
    if count == 0:
        print("no sources found", file=sys.stderr)
        return 1
    print(f"includes: {count} files, {faults} against the layers")
    return 1 if faults else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=".", type=pathlib.Path)
    parser.add_argument("--public", action="append", default=[])
    parser.add_argument("--host-public", action="append", default=[])
    arguments = parser.parse_args()
    sys.exit(check(arguments.root, set(arguments.public), set(arguments.host_public)))


main()
