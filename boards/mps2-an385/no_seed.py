# SPDX-License-Identifier: MIT
"""Starts a board whose flash has no seed: it must make no store, at no start, until one is put there.

    no_seed.py MACHINE...     (tests/board/machines.py has the words)
"""
import subprocess
import sys

sys.path.insert(0, "tests/board")
import machines  # noqa: E402

SEED_AT, SEED_SIZE = 66 * 16384, 48


def main():
    machine = machines.machine(sys.argv[1:])
    with open(machine.file, "rb") as image:
        image.seek(SEED_AT)
        seed = image.read(SEED_SIZE)
    subprocess.run(["sh", "-c", machine.new + " --without-seed"], check=True)
    board = machine.start()
    for name in ("without a seed no store is made", "nor at the next start"):
        said = board.wait(r"stopped: type a key\r\n")[0]
        if "cannot be opened: no random bytes" not in said or "once:" in said:
            raise SystemExit("not ok %s: %r" % (name, said))
        print("ok", name, flush=True)
        board.give(b"k")
    board.cut()
    with open(machine.file, "r+b") as image:
        image.seek(SEED_AT)
        image.write(seed)
    machine.start().claim("a battery of horses")
    print("ok with one it is", flush=True)


main()
