# SPDX-License-Identifier: MIT
"""Makes the file that has a new board's flash: as large as its PSRAM, erased, with the seed that a
factory draws for each device (lk_seed_flash.c). Two boards must never have the same.

    new_flash.py FILE [--without-seed]
"""
import hashlib
import os
import sys

SIZE = 16 * 1024 * 1024
SEED_AT = 66 * 16384  # LK_MPS2_SEED_SECTOR


def main(path, *options):
    seed = os.urandom(32)
    flash = bytearray(b"\xff" * SIZE)
    if "--without-seed" not in options:
        mark = hashlib.blake2b(b"Latchkey seed" + seed, digest_size=32).digest()[:16]
        flash[SEED_AT:SEED_AT + 48] = seed + mark
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(flash)


main(*sys.argv[1:])
