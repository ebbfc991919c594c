# SPDX-License-Identifier: MIT
"""A board in its emulator, where each instruction takes the same time and can be counted (-icount).

The processor is stopped whenever it waits for input, by a breakpoint on the console's read; what it
did since is told by the emulator's own count. Programs and erases of the flash are counted likewise.
"""
import atexit
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time

WAIT = 300  # seconds, for a machine that has much else to do
# Nanoseconds that an instruction takes, as a power of two: 64, as on a core of 16 MHz.
SHIFT = 6


class Debugger:
    """What is needed of GDB's remote protocol."""

    def __init__(self, line):
        self.line = line

    def ask(self, text):
        self.line.sendall(b"$%s#%02x" % (text.encode(), sum(text.encode()) & 255))
        return self.answer()

    def answer(self):
        said = b""
        while not re.search(rb"\$[^#]*#[0-9a-f]{2}$", said):
            part = self.line.recv(65536)
            if not part:
                raise SystemExit("not ok the emulator ended: %r" % said)
            said += part
        self.line.sendall(b"+")
        return said[said.index(b"$") + 1:-3].decode()

    def memory(self, at, size):
        return bytes.fromhex(self.ask("m%x,%x" % (at, size)))

    def words(self, at, count):
        memory = self.memory(at, 4 * count)
        return [int.from_bytes(memory[4 * i:4 * i + 4], "little") for i in range(count)]

    def registers(self):
        memory = bytes.fromhex(self.ask("g"))
        return [int.from_bytes(memory[i:i + 4], "little") for i in range(0, len(memory), 4)]


class Arm:
    """Where arguments and the program counter are among the registers that the debugger tells."""
    argument, stack, counter, kind = 0, 13, 15, 2


class RiscV:
    argument, stack, counter, kind = 10, 2, 32, 2


def symbols(nm, firmware):
    found = subprocess.run([nm, firmware], capture_output=True, text=True, check=True).stdout
    return {words[2]: int(words[0], 16) for words in map(str.split, found.splitlines())
            if len(words) == 3}


class Counted:
    """`command` starts the emulator, its serial line at the character device "line"."""

    def __init__(self, command, names, core):
        self.core, self.folder = core, tempfile.TemporaryDirectory(prefix="counted")
        paths = [os.path.join(self.folder.name, name) for name in ("control", "debug")]
        # The line by TCP, which takes many single bytes without waiting for whoever reads them.
        servers = [socket.socket(), socket.socket(socket.AF_UNIX)]
        for server, place in zip(servers, (("127.0.0.1", 0), paths[0])):
            server.bind(place)
            server.listen(1)
            server.settimeout(WAIT)
        self.process = subprocess.Popen(
            [*command, "-display", "none", "-monitor", "none", "-S", "-icount",
             "shift=%d" % SHIFT, "-chardev", "socket,id=line,host=127.0.0.1,port=%d,nodelay=on"
             % servers[0].getsockname()[1], "-qmp",
             "unix:" + paths[0], "-gdb", "unix:%s,server=on,wait=off" % paths[1]],
            stdin=subprocess.DEVNULL)
        atexit.register(self.process.kill)
        self.line, self.control = (server.accept()[0] for server in servers)
        self.control.settimeout(WAIT)
        self.replies = self.control.makefile()
        self.replies.readline()
        self.ask("qmp_capabilities")
        debug = socket.socket(socket.AF_UNIX)
        debug.connect(paths[1])
        debug.settimeout(WAIT)
        self.debug = Debugger(debug)
        self.said, self.arrived = b"", threading.Condition()
        threading.Thread(target=self.listen, daemon=True).start()
        self.data, self.top = (names["__bss_start"], names["__bss_end"]), names["__stack_top"]
        port = self.debug.words(names[[name for name in names
                                       if re.fullmatch(r"lk_\w+_port", name)][0]], 7)
        self.read = self.debug.words(port[5], 1)[0] & ~1
        _, _, self.program, self.erase = (at & ~1 for at in self.debug.words(port[6], 4))
        for at in (self.read, self.program, self.erase):
            self.breakpoint("Z", at)
        self.clear()

    def ask(self, command):
        self.control.sendall(json.dumps({"execute": command}).encode() + b"\n")
        while True:
            reply = json.loads(self.replies.readline())
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                raise RuntimeError(reply["error"])

    def breakpoint(self, what, at):
        self.debug.ask("%s0,%x,%x" % (what, at, self.core.kind))

    def clear(self):
        self.programs = self.programmed = self.erases = 0

    def count(self):
        return self.ask("query-replay")["icount"]

    def step(self):
        """Over the breakpoint that it stopped at."""
        at = self.debug.registers()[self.core.counter]
        if at in (self.read, self.program, self.erase):
            self.breakpoint("z", at)
            self.debug.ask("s")
            self.breakpoint("Z", at)

    def go(self):
        """Until it waits for input."""
        while True:
            self.step()
            self.debug.ask("c")
            registers = self.debug.registers()
            at = registers[self.core.counter]
            if at == self.program:
                self.programs += 1
                self.programmed += registers[self.core.argument + 3]
            elif at == self.erase:
                self.erases += 1
            else:
                return

    def listen(self):
        part = b"."
        while part:
            try:
                part = self.line.recv(65536)
            except OSError:
                part = b""
            with self.arrived:
                self.said += part
                self.arrived.notify()

    def hear(self, wanted=""):
        """What was said up to now; all of it is under way, and what is wanted is waited for."""
        end = time.monotonic() + (10 if wanted else 0.1)
        with self.arrived:
            while wanted.encode() not in self.said or not wanted:
                left = end - time.monotonic()
                if left <= 0:
                    break
                self.arrived.wait(left)
            said, self.said = self.said, b""
        return said.decode(errors="replace")

    def give(self, byte):
        """To a board that waits for it. It lies in the receiver when the processor goes on."""
        self.line.sendall(byte)
        for _ in range(3):
            self.ask("query-status")

    def enter(self, text):
        """Types a line; what the board did from the last key on until it waits again: instructions,
        calls that programmed flash, bytes that they programmed, erases."""
        for byte in text.encode():
            self.give(bytes([byte]))
            self.go()
        self.hear()
        self.give(b"\r")
        self.clear()
        before = self.count()
        self.go()
        return self.count() - before, self.programs, self.programmed, self.erases

    def start(self):
        """From reset to the first prompt."""
        self.clear()
        before = self.count()
        self.go()
        return self.count() - before, self.programs, self.programmed, self.erases

    def reset(self):
        """The power of the processor, not of the flash."""
        self.ask("system_reset")

    def find(self, pattern):
        """In what the program keeps in RAM, the stack first."""
        for begin, end in (self.debug.registers()[self.core.stack], self.top), self.data:
            found = re.search(pattern, b"".join(self.debug.memory(at, min(1024, end - at))
                                                for at in range(begin, end, 1024)))
            if found:
                return found.group(0).decode()
        return None

    def end(self):
        self.process.kill()
        self.process.wait()
        for line in (self.control, self.debug.line):
            line.close()
        self.folder.cleanup()
