# SPDX-License-Identifier: MIT
"""Drives a board's serial line: first start, claim, commands, wrong logins, restarts.

    board_console.py FLASH COMMAND...

COMMAND starts the board in its emulator with its serial line on standard input and output; FLASH is
the image that outlives a run, made anew. Prints "ok NAME" or "not ok NAME: why" for each case, and
ends with 1 when one failed.
"""
import atexit
import os
import re
import subprocess
import sys
import threading
import time

FLASH, COMMAND = sys.argv[1], sys.argv[2:]
SECRET = FLASH + ".secret"
SECTOR = 262144  # the last one has the device secret
LATCHKEY = os.environ.get("LATCHKEY", "build/linux/latchkey")
PASSWORD = "a battery of horses"
HOSTS = "a stable full of horses"
WAIT = 120  # seconds, for a machine that has much else to do
bad = 0


class Board:
    def __init__(self):
        self.process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        atexit.register(self.process.kill)
        self.seen, self.lock = b"", threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            part = os.read(self.process.stdout.fileno(), 4096)
            with self.lock:
                self.seen += part
                self.lock.notify()
            if not part:
                return

    def wait(self, pattern):
        """What the line says until the pattern, which is taken off."""
        end = time.monotonic() + WAIT
        with self.lock:
            while True:
                found = re.search(pattern.encode(), self.seen)
                if found:
                    before = self.seen[:found.start()].decode(errors="replace")
                    self.seen = self.seen[found.end():]
                    return before, found
                if time.monotonic() > end or self.process.poll() is not None:
                    raise SystemExit("not ok %r is not said: %r" % (pattern, self.seen[-400:]))
                self.lock.wait(1)

    def send(self, text):
        self.process.stdin.write(text.encode() + b"\r")
        self.process.stdin.flush()

    def command(self, line):
        self.send(line)
        return self.wait(r"\nadmin@main> ")[0]

    def login(self, password):
        self.wait("login: ")
        self.send("admin")
        self.wait("password: ")
        self.send(password)

    def cut(self):
        """The power goes."""
        self.process.kill()
        self.process.wait()


def case(name, good, why=""):
    global bad
    bad += not good
    print("ok %s" % name if good else "not ok %s: %r" % (name, why), flush=True)


def first_start():
    board = Board()
    code = board.wait(r"once: (\S+)\r?\n")[1].group(1).decode()
    board.login(code)
    board.wait("new password: ")
    board.send(PASSWORD)
    board.wait("again: ")
    board.send(PASSWORD)
    board.wait("admin@main> ")
    case("the claim code lets in, and a password is set", True)
    said = board.command("user add bob email=bob@example.org")
    case("a user is added", "user bob is #2" in said, said)
    said = board.command("role grant bob viewer")
    case("and granted a role", "error" not in said, said)
    said = board.command("permission check bob user:write")
    case("which does not permit everything", "error 1" in said, said)
    said = board.command("user add bob")
    case("a name is taken once", "error 4" in said, said)
    said = board.command("nonsense")
    case("an unknown word is a usage error", "error 2" in said, said)
    board.cut()


def after_a_cut():
    board = Board()
    said = board.wait("login: ")[0]
    case("after a cut there is a store", "code" not in said, said)
    board.send("admin")
    board.wait("password: ")
    board.send("not the password")
    said = board.wait("login: ")[0]
    case("a wrong password is refused", "login refused" in said, said)
    board.send("admin")
    board.wait("password: ")
    board.send(PASSWORD)
    board.wait("admin@main> ")
    said = board.command("user show bob")
    case("what was added is there", "bob@example.org" in said, said)
    said = board.command("verify")
    case("and in order", "all in order" in said, said)
    said = board.command("audit list")
    case("the audit has the refusal", "login" in said and "fail" in said, said)
    board.send("logout")
    board.wait("login: ")
    board.cut()


def host(*words, password=None):
    """The program of a host, on the board's flash: status and what it says."""
    storage = ["--storage", "flash:%s,value=4K,memory=1M,passes=3" % FLASH, "--secret", SECRET]
    done = subprocess.run([LATCHKEY, *([] if words[0] == "flash" else storage), *words], text=True,
                          input=password, capture_output=True, check=False)
    return done.returncode, done.stdout + done.stderr


def on_the_host():
    """What the board wrote is read and changed on a host, and read by the board again."""
    os.chmod(FLASH, 0o600)
    with open(FLASH, "rb") as image, open(SECRET, "wb") as secret:
        os.chmod(SECRET, 0o600)
        image.seek(-SECTOR, os.SEEK_END)
        secret.write(image.read(32))
    status, said = host("flash", "verify", FLASH, "--secret", SECRET)
    case("its flash is verified on a host", status == 0 and "index entries: all in order" in said,
         said)
    status, said = host("user", "list")
    case("which reads what the board wrote", status == 0 and "bob@example.org" in said, said)
    status, said = host("user", "add", "carol", "--password-stdin", password=PASSWORD + "\n")
    case("and adds to it", status == 0, said)
    status, said = host("user", "passwd", "admin", "--password-stdin", password=HOSTS + "\n")
    case("and sets a password that the board can hash", status == 0, said)
    board = Board()
    board.login(HOSTS)
    board.wait("admin@main> ")
    said = board.command("user list")
    case("the board reads what the host wrote", "carol" in said and "bob@" in said, said)
    said = board.command("verify")
    case("and finds it in order", "all in order" in said, said)
    board.cut()
    os.remove(SECRET)


def garbage():
    """Nothing that is typed before a login gets anywhere."""
    board = Board()
    board.wait("login: ")
    state = 1
    for _ in range(10000):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        byte = state >> 16 & 0xFF
        board.process.stdin.write(bytes([byte]))
    board.process.stdin.flush()
    board.send("")
    board.send("x" * 5000)
    time.sleep(0.1)
    with board.lock:
        said = board.seen
    case("10,000 bytes of anything open nothing", b"admin@main>" not in said, said[-200:])
    case("and stop nothing", board.process.poll() is None)
    board.cut()


def main():
    if os.path.exists(FLASH):
        os.remove(FLASH)
    with open(FLASH, "wb") as image:
        for _ in range(32):
            image.write(b"\xff" * 1048576)
    first_start()
    after_a_cut()
    on_the_host()
    garbage()
    board = Board()
    board.wait("login: ")
    case("the board starts again after that", True)
    board.cut()
    os.remove(FLASH)
    sys.exit(1 if bad else 0)


main()
