# SPDX-License-Identifier: MIT
"""Boards in their emulators, driven over the serial line.

A machine is described by words of a command line, which boards/firmware/firmware.mk makes of what a
board.mk says: which of MACHINES it is, two words of its own, facts about the board as NAME=VALUE, and
after "--" the words of a command. Its flash outlives a start, until it is made blank.
"""
import atexit
import importlib.util
import os
import re
import subprocess
import sys
import threading
import time

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


class Board:
    """What a machine's flash holds: the store's sectors, somewhere a secret of provisioning, and the
    device's own. The facts: sector, sectors (the store's, from 0 on), provision_at, secret_at; limits,
    the board's header."""

    MARK = b"Latchkey secret\0"  # follows a secret that is there
    SECRET = 32

    def __init__(self, facts):
        for name in ("sector", "sectors", "provision_at", "secret_at"):
            setattr(self, name, int(facts[name]))
        with open(facts["limits"]) as header:
            said = dict(re.findall(r"(?m)^#define +(LK_\w+) +(\d+)", header.read()))
        self.limits = "value=%s,memory=%sK,passes=%s" % tuple(
            said["LK_" + name] for name in ("VALUE_MAX", "PWHASH_KIB", "PWHASH_PASSES"))

    def flash_storage(self, image, *more):
        """Words with which the program of a host works on an image of the store."""
        return ["--storage", ",".join(["flash:" + image, "sector=%d" % self.sector,
                                       "count=%d" % self.sectors, "unit=4", self.limits, *more])]

    def store(self):
        return self.read(0, self.sector * self.sectors)

    def own_secret(self):
        kept = self.read(self.secret_at, self.SECRET + len(self.MARK))
        return kept[:self.SECRET] if kept[self.SECRET:] == self.MARK else None

    def provision(self, store, secret):
        """A new chip that a factory has put a store on, and (unless None) the secret that opens it."""
        self.blank()
        self.write(0, store)
        if secret is not None:
            self.write(self.provision_at, secret + self.MARK)


class FileLine(Line):
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


class File(Board):
    """file IMAGE NEW: the flash is the file IMAGE, which the shell command NEW makes for a new board;
    the command starts it with its line at standard input and output."""

    def __init__(self, image, new, facts, command):
        super().__init__(facts)
        self.file, self.new, self.command = image, new, command
        self.blank()
        atexit.register(lambda: os.path.exists(image) and os.remove(image))

    def blank(self):
        subprocess.run(["sh", "-c", self.new], check=True)

    def read(self, at, size):
        with open(self.file, "rb") as image:
            image.seek(at)
            return image.read(size)

    def write(self, at, data):
        with open(self.file, "r+b") as image:
            image.seek(at)
            image.write(data)

    def start(self, *more):
        """`more`: words for the emulator, this once."""
        return FileLine([*self.command, *more])


class EmulatorLine(Line):
    def __init__(self, machine):
        self.machine = machine
        self.board = machine.emulator.Emulator(machine.firmware, machine.flash, machine.arguments)
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


class Emulated(Board):
    """emulator PROGRAM FIRMWARE: the flash is in the memory of an emulator, that PROGRAM drives."""

    def __init__(self, program, firmware, facts, arguments):
        super().__init__(facts)
        spec = importlib.util.spec_from_file_location("emulator", program)
        self.emulator = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.emulator)
        self.firmware, self.arguments = firmware, arguments
        self.blank()

    def blank(self):
        self.flash = None

    def read(self, at, size):
        return self.flash[at:at + size]

    def write(self, at, data):
        flash = bytearray(self.flash or b"\xff" * (self.secret_at + self.sector))
        flash[at:at + len(data)] = data
        self.flash = bytes(flash)

    def start(self):
        return EmulatorLine(self)


MACHINES = {"file": File, "emulator": Emulated}


def machine(words):
    end = words.index("--") if "--" in words else len(words)
    facts = dict(word.split("=", 1) for word in words[3:end])
    return MACHINES[words[0]](words[1], words[2], facts, words[end + 1:])
