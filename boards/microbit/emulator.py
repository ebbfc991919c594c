# SPDX-License-Identifier: MIT
"""Starts the firmware in QEMU's micro:bit, with the flash above the program kept in a file.

    emulator.py FIRMWARE FLASH

puts the board's serial line on the terminal; ^A x ends it. The emulator keeps its flash in memory
only: it is read from there, and written there before the processor starts.
"""
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import tty

ALL = 256 * 1024           # bytes of the chip's flash
STORE = 190 * 1024         # what is kept begins here (LK_NRF51_FIRST_PAGE)
RAM = ()                   # more arguments, for those who measure


class Emulator:
    """A board, running. `flash`: what it holds from STORE on, or None for a new chip."""

    def __init__(self, firmware, flash=None, arguments=RAM):
        self.folder = tempfile.TemporaryDirectory(prefix="microbit")
        line, control = (os.path.join(self.folder.name, name) for name in ("line", "control"))
        servers = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for server, path in zip(servers, (line, control)):
            server.bind(path)
            server.listen(1)
            server.settimeout(60)
        self.process = subprocess.Popen(
            ["qemu-system-arm", "-M", "microbit", "-kernel", firmware, "-display", "none",
             "-monitor", "none", "-S", "-serial", "unix:" + line, "-qmp", "unix:" + control,
             *arguments], stdin=subprocess.DEVNULL)
        try:
            self.line, self.control = (server.accept()[0] for server in servers)
            self.control.settimeout(60)
            self.replies = self.control.makefile()
            self.replies.readline()
            self.ask("qmp_capabilities")
            self.place = self.find()
            if flash is not None:
                self.put(flash)
            self.ask("cont")
        except BaseException:
            self.kill()
            raise
        finally:
            for server in servers:
                server.close()

    def ask(self, command, **arguments):
        self.control.sendall(
            json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            reply = json.loads(self.replies.readline())
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                raise RuntimeError(reply["error"])

    def find(self):
        """Where the emulator has the chip's flash: its size, and a vector table that points into
        RAM and into the program."""
        with open("/proc/%d/maps" % self.process.pid) as maps:
            for entry in maps:
                begin, end = (int(x, 16) for x in entry.split()[0].split("-"))
                if end - begin == ALL and "rw" in entry.split()[1]:
                    with open("/proc/%d/mem" % self.process.pid, "rb", 0) as memory:
                        memory.seek(begin)
                        vectors = memory.read(8)
                    stack, start = (int.from_bytes(vectors[i:i + 4], "little") for i in (0, 4))
                    if stack >> 28 == 2 and 0 < start < STORE:
                        return begin
        raise RuntimeError("the emulator's flash is not found")

    def flash(self):
        with open("/proc/%d/mem" % self.process.pid, "rb", 0) as memory:
            memory.seek(self.place + STORE)
            return memory.read(ALL - STORE)

    def put(self, flash):
        with open("/proc/%d/mem" % self.process.pid, "r+b", 0) as memory:
            memory.seek(self.place + STORE)
            memory.write(flash[:ALL - STORE])

    def cut(self):
        """The power goes, wherever the processor is. What the flash holds then."""
        os.kill(self.process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)
        flash = self.flash()
        self.kill()
        return flash

    def kill(self):
        self.process.kill()
        self.process.wait()
        for name in ("line", "control", "replies"):
            if hasattr(self, name):
                getattr(self, name).close()
        self.folder.cleanup()


def save(path, flash):
    with open(path + ".new", "wb") as file:
        file.write(flash)
    os.replace(path + ".new", path)


def relay(board, path):
    """The terminal to the line and back, until ^A x; the flash into the file whenever it rests."""
    kept, escape = None, False
    while True:
        ready = select.select([0, board.line], [], [], 0.5)[0]
        if not ready:
            flash = board.flash()
            if flash != kept:
                save(path, flash)
                kept = flash
        if board.line in ready:
            said = board.line.recv(4096)
            if not said:
                return
            os.write(1, said)
        if 0 in ready:
            typed = os.read(0, 256)
            if not typed:
                return
            for byte in typed:
                if escape and byte in b"xX":
                    return
                if not escape and byte == 1:
                    escape = True
                    continue
                escape = False
                board.line.sendall(bytes([byte]))


def main(firmware, path):
    flash = None
    if os.path.exists(path):
        with open(path, "rb") as file:
            flash = file.read()
    board = Emulator(firmware, flash)
    before = termios.tcgetattr(0) if os.isatty(0) else None
    try:
        if before:
            tty.setraw(0)
        relay(board, path)
    finally:
        if before:
            termios.tcsetattr(0, termios.TCSADRAIN, before)
        if board.process.poll() is None:
            save(path, board.cut())


if __name__ == "__main__":
    main(*sys.argv[1:])
