# SPDX-License-Identifier: MIT
"""Provisions a board over its serial line by `latchkey device` alone, as a factory would.

    board_device.py PROGRAM FLASH NEW SOCKET COMMAND...

COMMAND starts the board in its emulator with its serial line at SOCKET, and waits until somebody is
there; FLASH is the image that outlives a run, which the shell command NEW makes. Prints "ok NAME" or "not ok NAME: why" for
each case, and ends with 1 when one failed.
"""
import atexit
import json
import os
import re
import socket
import subprocess
import sys
import time

PROGRAM, FLASH, NEW, SOCKET, *COMMAND = sys.argv[1:]
PASSWORD = "a battery of horses"
WAIT = 120  # seconds, for a machine that has much else to do
bad = 0


def case(name, good, why=""):
    global bad
    bad += not good
    print("ok %s" % name if good else "not ok %s: %r" % (name, why), flush=True)


def start():
    """The board, and the first connection to its line."""
    if os.path.exists(SOCKET):
        os.remove(SOCKET)
    board = subprocess.Popen(COMMAND, stdin=subprocess.DEVNULL)
    atexit.register(board.kill)
    end = time.monotonic() + WAIT
    while True:
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(SOCKET)
            line.settimeout(WAIT)
            return board, line
        except OSError:
            line.close()
            if time.monotonic() > end or board.poll() is not None:
                raise SystemExit("not ok the board starts")
            time.sleep(0.05)


def until(line, pattern):
    said = b""
    while True:
        found = re.search(pattern, said)
        if found:
            return found
        part = line.recv(4096)
        if not part:
            raise SystemExit("not ok %r is not said: %r" % (pattern, said[-400:]))
        said += part


def device(*arguments, given=""):
    told = subprocess.run([PROGRAM, "device", "unix:" + SOCKET, *arguments], input=given.encode(),
                          capture_output=True, timeout=2 * WAIT, check=False)
    return told.returncode, told.stdout.decode(), told.stderr.decode()


def admin(*arguments, given=""):
    return device("--password-stdin", *arguments, given=PASSWORD + "\n" + given)


def first_start():
    board, line = start()
    code = until(line, rb"once: (\S+)\r?\n")[1].decode()
    line.close()
    got = device("--claim", "AAAA-AAAA-AAAA-AAAA", "stats")
    case("a wrong claim code is refused", got[0] == 1 and "login refused" in got[2], got)
    got = device("--claim", code, "--password-stdin", "-", given=PASSWORD + """
tenant set main display_name='Hall 7, "west"'
user add bob email=bob@example.org
user passwd bob
the secret of bob
role grant bob viewer
session list bob
user show bob
logout
""")
    said = json.loads(got[1].splitlines()[-1]) if got[1] else {}
    case("the board is provisioned in one session", got[0] == 0 and not got[2] and
         said.get("email") == "bob@example.org" and said.get("roles") == ["viewer"], got)
    got = admin("user", "add", "bob")
    case("a command's own exit status comes back",
         got[0] == 4 and json.loads(got[2])["error"]["code"] == "conflict", got)
    got = device("--user", "bob", "--password-stdin", "user", "add", "eve",
                 given="the secret of bob\n")
    case("a user may do what the roles say", got[0] == 1 and '"refused"' in got[2], got)
    got = admin("user", "set", "bob", "display_name=" + "x" * 1100)
    case("a line that is too long is refused by the board",
         got[0] == 2 and "too long" in got[2], got)
    board.kill()
    board.wait()


def after_a_cut():
    board, line = start()
    line.close()
    got = admin("verify")
    case("after a cut the store is in order", got[0] == 0, got)
    got = admin("--text", "tenant", "show")
    case("and has what it was given", got[0] == 0 and 'Hall 7, "west"' in got[1], got)
    got = admin("audit", "list", "--action", "user.add")
    entries = [json.loads(entry) for entry in got[1].splitlines() if '"seq"' in entry]
    case("and who did it", got[0] == 0 and entries and entries[0]["actor"] == "admin" and
         entries[0]["channel"] == "console", got)
    noise = socket.socket(socket.AF_UNIX)
    noise.connect(SOCKET)
    noise.sendall(bytes(range(256)) * 8)
    noise.close()
    got = admin("-", given="user show bob\nuser show nobody\nuser add never\n")
    case("after noise a script goes up to its first failure",
         got[0] == 3 and "bob@example.org" in got[1] and "never" not in got[1], got)
    got = device("stats")
    case("and leaves nobody logged in", got[0] == 2 and "--password-stdin" in got[2], got)
    board.kill()
    board.wait()


def main():
    subprocess.run(["sh", "-c", NEW], check=True)
    first_start()
    after_a_cut()
    os.remove(FLASH)
    sys.exit(1 if bad else 0)


main()
