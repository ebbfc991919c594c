# SPDX-License-Identifier: MIT
"""What a new board is made of: starts boards/template, which has no drivers, must say so, and start
again when a key is typed; and compiles what new_board.sh makes of it.

    board_template.py MACHINE...     (machines.py has the words)
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import machines


def starts():
    board = machines.machine(sys.argv[1:]).start()
    for turn in ("a board without drivers starts, says what is missing and stops",
                 "and starts again when a key is typed"):
        board.wait(r"Latchkey [0-9.]+\S* on the template of a board\r\n")
        said = board.wait(r"stopped: type a key\r\n")[0]
        if "The store cannot be opened: " not in said or "trap" in said:
            raise SystemExit("not ok %s: %r" % (turn, said))
        print("ok", turn, flush=True)
        board.give(b"x")
    board.cut()


def is_copied():
    """In a tree of its own, whose sources are these."""
    with tempfile.TemporaryDirectory(prefix="new_board") as folder:
        tree = pathlib.Path(folder)
        for name in ("boards", "port"):
            shutil.copytree(name, tree / name)
        for name in ("Makefile", "core", "cli", "storage", "tests"):
            os.symlink(pathlib.Path(name).resolve(), tree / name)
        (tree / "build").mkdir()
        os.symlink(pathlib.Path("build/sources").resolve(), tree / "build/sources")
        run = {"cwd": tree, "check": False, "capture_output": True, "text": True,
               "env": {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}}
        done = subprocess.run(["sh", "boards/firmware/new_board.sh", "a-board", "chip"], **run)
        left = [str(path) for part in ("boards/a-board", "port/baremetal/chip")
                for path in (tree / part).iterdir() if "emplate" in path.name + path.read_text()
                .replace("boards/template", "")]
        if done.returncode or left:
            raise SystemExit("not ok new_board.sh copies all of it: %s %s" % (left, done.stderr))
        print("ok new_board.sh copies all of it", flush=True)
        objects = ["build/a-board/obj/boards/a-board/board.o",
                   "build/a-board/obj/port/baremetal/chip/lk_chip.o"]
        done = subprocess.run(["make", "BOARD=a-board", "WERROR=1", *objects], **run)
        if done.returncode:
            raise SystemExit("not ok and it compiles: %s" % (done.stdout + done.stderr))
        print("ok and it compiles", flush=True)
        for words in (["a-board", "chip"], ["A", "chip"], ["b", "c-d"], ["b", "9"], ["b"],
                      ["b", "c", "d"], ["../b", "c"]):
            done = subprocess.run(["sh", "boards/firmware/new_board.sh", *words], **run)
            if not done.returncode or "new_board.sh:" not in done.stderr:
                raise SystemExit("not ok it refuses %s" % words)
        print("ok it refuses what is there, or no name", flush=True)


starts()
is_copied()
