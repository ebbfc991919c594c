# SPDX-License-Identifier: MIT
"""Boards in their emulators, driven over the serial line.

A machine is described by the words of a command line: `virt FLASH COMMAND...` (a board whose flash
is a file, and whose line is standard input and output) or `microbit FIRMWARE`. Its flash outlives a
start, until it is made blank.
"""
import atexit
import os
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, "boards/microbit")
import emulator  # noqa: E402

WAIT = 120  # seconds, for a machine that has much else to do


class Line:
    """A running board's serial line. Who inherits says how bytes come and go (take, give), whether
    it still runs (alive), and how its power is cut (cut)."""

    def __init__(self):
        self.seen, self.lock = b"", threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        part = b"."
        while part:
            try:
                part = self.take()
            except OSError:
                part = b""
            with self.lock:
                self.seen += part
                self.lock.notify()

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
                if time.monotonic() > end or not self.alive():
                    raise SystemExit("not ok %r is not said: %r" % (pattern, self.seen[-400:]))
                self.lock.wait(1)

    def said(self):
        with self.lock:
            return self.seen

    def send(self, text):
        self.give(text.encode() + b"\r")

    def command(self, line, who="admin@main"):
        self.send(line)
        return self.wait(r"\n" + who + "> ")[0]

    def try_login(self, password, name="admin"):
        """A name and a password at the login's prompt: is somebody in, and what was said."""
        self.send(name)
        self.wait("password: ")
        self.send(password)
        before, found = self.wait(r"latchkey login: |\w+@main> |new password: ")
        return b"login:" not in found.group(0), before

    def claim(self, password):
        """The first login of all, from the start on."""
        code = self.wait(r"once: (\S+)\r?\n")[1].group(1).decode()
        self.wait("login: ")
        self.try_login(code)
        self.send(password)
        self.wait("again: ")
        self.send(password)
        self.wait("admin@main> ")
        return code


class VirtLine(Line):
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        atexit.register(self.process.kill)
        super().__init__()

    def take(self):
        return os.read(self.process.stdout.fileno(), 4096)

    def give(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def alive(self):
        return self.process.poll() is None

    def cut(self):
        self.process.kill()
        self.process.wait()


class Virt:
    reboots, answers_checks = False, True  # the commands reboot and permission check

    def __init__(self, flash, *command):
        self.file, self.command = flash, list(command)
        self.blank()
        atexit.register(lambda: os.path.exists(flash) and os.remove(flash))

    def blank(self):
        with open(self.file, "wb") as image:
            for _ in range(32):
                image.write(b"\xff" * 1048576)

    def start(self):
        return VirtLine(self.command)


class MicrobitLine(Line):
    def __init__(self, machine):
        self.machine = machine
        self.board = emulator.Emulator(machine.firmware, machine.flash, machine.arguments)
        atexit.register(self.board.kill)
        super().__init__()

    def take(self):
        return self.board.line.recv(4096)

    def give(self, data):
        self.board.line.sendall(data)

    def alive(self):
        return self.board.process.poll() is None

    def cut(self):
        atexit.unregister(self.board.kill)
        self.machine.flash = self.board.cut()


class Microbit:
    file = None  # the flash is in memory
    reboots, answers_checks = True, False

    def __init__(self, firmware, *arguments):
        self.firmware, self.arguments = firmware, arguments
        self.blank()

    def blank(self):
        self.flash = None

    def start(self):
        return MicrobitLine(self)


def machine(words):
    return {"virt": Virt, "microbit": Microbit}[words[0]](*words[1:])
