# SPDX-License-Identifier: MIT
"""Commands on an attached device, done right and wrong: two pseudo-terminals joined by this program,
the console of a store at one of them, and what is run by `latchkey device` at the other.

    device_pty.py PROGRAM DIRECTORY CLAIM

DIRECTORY holds a store "store" that was just made, whose claim code is CLAIM. Prints "ok NAME" or
"not ok NAME: why" for each case, and ends with 1 when one failed.
"""
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import tty

PROGRAM, DIRECTORY, CLAIM = sys.argv[1:]
PASSWORD = "a battery of horses"
WAIT = 60
MARK = b"\x1e"
bad = 0


def case(name, good, why=""):
    global bad
    bad += not good
    print(f"ok {name}" if good else f"not ok {name}: {why!r}", flush=True)


class Line:
    """Two terminals, what is written to one read at the other; `up` and `down` may change it."""

    def __init__(self):
        self.up = self.down = lambda part: part
        self.device, self.device_far = pty.openpty()
        self.host, self.host_far = pty.openpty()
        for terminal in (self.device_far, self.host_far):
            tty.setraw(terminal)
        self.name, self.device_name = os.ttyname(self.host_far), os.ttyname(self.device_far)
        self.open = True
        self.said = b""
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()

    def carry(self):
        while self.open:
            for ready in select.select([self.device, self.host], [], [], 0.1)[0]:
                try:
                    part = os.read(ready, 4096)
                except OSError:
                    return
                if ready == self.device:
                    self.said += part
                    os.write(self.host, self.up(part))
                else:
                    os.write(self.device, self.down(part))

    def cut(self):
        self.open = False
        self.thread.join()
        for end in (self.device, self.device_far, self.host, self.host_far):
            os.close(end)


class Swapped:
    """Changes what goes by, also where it comes in pieces. What is changed begins as no answer ends."""

    def __init__(self, old, new):
        self.old, self.new, self.kept = old, new, b""

    def __call__(self, part):
        data = (self.kept + part).replace(self.old, self.new)
        self.kept = b""
        for size in range(min(len(self.old) - 1, len(data)), 0, -1):
            if data.endswith(self.old[:size]):
                data, self.kept = data[:-size], data[-size:]
                break
        return data


class Board(Line):
    """The console of the store at the far end."""

    def __init__(self):
        super().__init__()
        self.console = subprocess.Popen(
            [PROGRAM, "--db", DIRECTORY + "/store", "console", "--tty", self.device_name],
            stdin=subprocess.DEVNULL)

    def cut(self):
        self.console.kill()
        self.console.wait()
        super().cut()


class Puppet(Line):
    """Something else at the far end: `answers` is called with each line of a program that came,
    its mark, id and text, and returns what is said."""

    def __init__(self, answers):
        super().__init__()
        self.answers = answers
        self.down = self.hear
        self.heard = b""

    def hear(self, part):
        self.heard += part
        while b"\r" in self.heard:
            line, self.heard = self.heard.split(b"\r", 1)
            if MARK in line:
                line = line[line.index(MARK) + 1:]
                said = self.answers(line[:1].lower(), line[1:5], line[5:-4])
                if said:
                    os.write(self.host, said)
        return b""


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return b"%04x" % value


def framed(ident, *parts):
    """An answer of these parts: b"oTEXT", b"x0", b"cPROMPT"."""
    body = ident + b"".join(MARK + part for part in parts)
    return b"noise" + MARK + b"!" + body + MARK + b"." + crc(body) + b"\r\n"


def device(line, *arguments, given=None, timeout=20, name=None):
    """What `latchkey device` says on this line: exit status, output, errors."""
    told = subprocess.run(
        [PROGRAM, "device", name or line.name, "--timeout", str(timeout), *arguments],
        input=(given or "").encode(), capture_output=True, timeout=WAIT, check=False)
    return told.returncode, told.stdout.decode(), told.stderr.decode()


def is_(name, got, status, out="", err=""):
    """A case by exit status and patterns of output and errors."""
    case(name, got[0] == status and re.fullmatch(out, got[1], re.S) is not None
         and re.search(err, got[2], re.S) is not None and (err or not got[2]), got)


def provision(board):
    is_("a wrong claim code is refused",
        device(board, "--claim", "AAAA-AAAA-AAAA-AAAA", "stats"), 1, "",
        r'\{"error":\{"code":"refused","message":"login refused"\}\}\n')
    is_("a password that the rules refuse is not asked for again from the script",
        device(board, "--claim", CLAIM, "--password-stdin", "-", given="short\nuser add eve\n"),
        4, "", "did not take what was given: the new password")
    script = f"""{PASSWORD}
# what every device of the line gets
tenant set main display_name='The "first" floor' --quiet

user add bob email=bob@example.org
user passwd bob
bobs own secret
role grant bob viewer
user show bob
logout
"""
    got = device(board, "--claim", CLAIM, "--password-stdin", "-", given=script)
    lines = [json.loads(line) for line in got[1].splitlines()]
    case("a device is provisioned in one session",
         got[0] == 0 and not got[2] and lines and lines[-1].get("username") == "bob"
         and lines[-1]["roles"] == ["viewer"], got)
    case("and nothing of a secret is echoed",
         PASSWORD.encode() not in board.said and b"bobs own secret" not in board.said
         and CLAIM.encode() not in board.said)
    is_("the claim code is good once", device(board, "--claim", CLAIM, "stats"), 1, "", "refused")


def admin(board, *arguments, given="", **more):
    return device(board, "--password-stdin", *arguments, given=PASSWORD + "\n" + given, **more)


def commands(board):
    is_("a wrong password is refused",
        device(board, "--password-stdin", "stats", given="wrong password\n"), 1, "", "login refused")
    is_("there is nobody to ask for one", device(board, "stats"), 2, "", "give --password-stdin")
    is_("another user logs in by name",
        device(board, "--user", "main/bob", "--password-stdin", "user", "add", "x",
               given="bobs own secret\n"), 1, "", r'"code":"refused"')
    is_("a command's own exit status and error come back",
        admin(board, "user", "show", "nobody"), 3, "",
        r'\{"error":\{"code":"not_found","field":"user","message":"[^\n]*nobody[^\n]*"\}\}\n')
    is_("a conflict, too", admin(board, "user", "add", "bob"), 4, "", '"code":"conflict"')
    is_("and an answer that is an exit status",
        admin(board, "permission", "check", "bob", "user:write"), 1, ".*")
    is_("as a person reads it", admin(board, "--text", "user", "show", "nobody"), 3, "",
        r'^error 3: user show: user: "nobody" does not exist\n$')
    is_("output and what goes with it are apart",
        admin(board, "--text", "user", "list"), 0, "ID +USERNAME.*bob.*\n", "^2 shown\n$")
    name = "it's \"quoted\"  twice"
    got = admin(board, "user", "set", "bob", "display_name=" + name)
    case("words arrive as they are, blanks and quotes and all", got[0] == 0, got)
    got = admin(board, "user", "show", "bob")
    case("and are kept so", json.loads(got[1])["display_name"] == name, got)
    for trap in ("admin@main> ", "latchkey login: ", "error 5: gone", "\\x1e.0000"):
        got = admin(board, "user", "set", "bob", "display_name=" + trap)
        got = admin(board, "user", "show", "bob")
        case(f"what looks like {trap!r} is text", got[0] == 0
             and json.loads(got[1])["display_name"] == trap, got)
    got = admin(board, "audit", "list", "--all")
    case("a long answer comes whole", got[0] == 0 and len(got[1].splitlines()) > 40
         and all(json.loads(line) for line in got[1].splitlines()), got[2])
    got = admin(board, "audit", "export", "--format", "csv")
    case("the lines of a CSV end as they should",
         got[0] == 0 and got[1].count("\n") > 40 and "\\x" not in got[1], got[2])
    is_("a line too long for the console is refused by it",
        admin(board, "user", "set", "bob", "display_name=" + "x" * 1500), 2, "",
        "the line is too long")
    is_("and one that is too long for any, here",
        admin(board, "user", "set", "bob", "display_name=" + "x" * 5000), 2, "", "longer than any")
    is_("a control character is not sent",
        admin(board, "user", "set", "bob", "display_name=a\rb"), 2, "", "control characters")
    is_("a script stops at its first failure",
        admin(board, "--text", "-", given="user add carol --quiet\nuser add carol\nuser add dora\n"),
        4, ".*", "^error 4: user add: username: ")
    is_("and what stood after it is not done", admin(board, "user", "show", "dora"), 3, "", "dora")
    is_("nothing follows a logout",
        admin(board, "-", given="logout\nuser list\n"), 1, "", "is logged out")
    is_("a question without an answer ends the script, and is dropped",
        admin(board, "-", given="user passwd bob\n"), 2, "",
        r'asks for \\"new password: \\", and standard input has ended')
    is_("a purge asks nobody", admin(board, "--text", "user", "purge", "carol"), 0, "purged.*\n")
    before = len(json_lines(admin(board, "session", "list", "admin")))
    case("no session is left behind", before == 1, before)


def json_lines(got):
    return [json.loads(line) for line in got[1].splitlines() if '"id"' in line]


def typed(board):
    """A password typed at a terminal of this machine."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(PROGRAM, [PROGRAM, "device", board.name, "--text", "user", "show", "bob"])
    shown = b""
    while True:
        try:
            part = os.read(terminal, 4096) if select.select([terminal], [], [], WAIT)[0] else b""
        except OSError:  # the other end is closed
            part = b""
        if not part:
            break
        shown += part
        if shown == b"password: ":
            os.write(terminal, PASSWORD.encode() + b"\n")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    case("a person is asked, without echo", status == 0 and b"bob@example.org" in shown
         and PASSWORD.encode() not in shown, (status, shown))


def people(board):
    """A person at the same console, before and after."""
    os.write(board.device, b"admin\r")
    time_out = time.monotonic() + WAIT
    while not board.said.endswith(b"password: ") and time.monotonic() < time_out:
        time.sleep(0.01)
    os.write(board.device, PASSWORD.encode() + b"\r")
    while not board.said.endswith(b"admin@main> ") and time.monotonic() < time_out:
        time.sleep(0.01)
    os.write(board.device, b"user add half-typ")
    is_("a session that is open is used",
        device(board, "--text", "user", "show", "half-typ"), 3, "", "^error 3")
    os.write(board.device, b"user show bob\r")
    while b"bob@example.org\r\n" not in board.said and time.monotonic() < time_out:
        time.sleep(0.01)
    case("and left as it was", b"bob@example.org\r\n" in board.said, board.said[-300:])
    is_("but not by who says who they are",
        device(board, "--password-stdin", "--user", "bob", "user", "add", "y",
               given="bobs own secret\n"), 1, "", "refused")
    is_("after which it is closed", device(board, "stats"), 2, "", "give --password-stdin")


def damage(board):
    """Bytes lost and changed on the way."""
    board.down = Swapped(b"display_name", b"display_namf")
    is_("a line that was damaged on its way is not done",
        admin(board, "user", "set", "bob", "display_name=changed"), 5, "", "damaged on its way")
    board.down = lambda part: part
    is_("nor is anything left of it", admin(board, "user", "show", "bob"), 0, '.*x1e.*')
    board.up = Swapped(b"@example", b"@examp1e")
    is_("an answer that was damaged is not believed", admin(board, "user", "show", "bob"), 5, "",
        'damaged on its way; waited for the answer to .*may have been done or not')
    board.up = Swapped(b"@example", b"@")
    is_("nor one with a hole in it", admin(board, "user", "show", "bob"), 5, "", "damaged")
    board.up = lambda part: part
    os.write(board.device, os.urandom(3000).replace(b"\x1e", b"") + b"\r" + MARK + b"c12")
    is_("a console that was sent garbage is of use",
        admin(board, "--text", "user", "show", "bob"), 0, ".*bob@example.org.*")


def signalled(board):
    """Whoever is interrupted leaves no session."""
    process = subprocess.Popen([PROGRAM, "device", board.name, "--password-stdin", "-"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdin.write(PASSWORD.encode() + b"\nuser list\n")
    process.stdin.flush()
    process.stdout.read(1)
    board.up = lambda part: b""
    process.stdin.write(b"user list\n")
    process.stdin.flush()
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=WAIT)
    board.up = lambda part: part
    case("a signal ends it", process.returncode == 5 and b"signal" in said[1], said)
    is_("and its session", device(board, "stats"), 2, "", "give --password-stdin")


def no_device():
    nothing = os.path.join(DIRECTORY, "none")
    is_("a device that is not there is told", device(None, "stats", name=nothing), 3, "",
        "none.*does not exist")
    with open(os.path.join(DIRECTORY, "file"), "w", encoding="utf-8") as file:
        file.write("nothing")
    is_("a file is none", device(None, "stats", name=file.name), 2, "", "is not a terminal")
    is_("a socket that is not there is told", device(None, "stats", name="unix:" + nothing), 3,
        "", "does not exist")
    line = Line()
    got = device(line, "stats", timeout=1)
    is_("silence is told, with the device and what was waited for", got, 5, "",
        re.escape(line.name) + '.*said nothing in time; waited for its console')
    is_("a speed that there is not is refused", device(line, "--baud", "12345", "stats"), 2, "",
        "no such speed")
    is_("as is no time at all", device(line, "stats", timeout=0), 2, "", "timeout")
    line.up = line.down = lambda part: b"login: " * 20
    os.write(line.device_far, b"hello")
    is_("and what is no console of a store", device(line, "stats", timeout=2), 5, "",
        "says what no console of a store says")
    line.cut()
    path = os.path.join(DIRECTORY, "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        threading.Thread(target=lambda: listener.accept()[0].close(), daemon=True).start()
        is_("a device that goes away is told", device(None, "stats", name="unix:" + path), 5, "",
            "(is gone|cannot be)")


def hostile():
    """What says anything it likes."""
    def puppet(name, command, status, out="", err="", **more):
        def answers(kind, ident, text):
            if not text or text == b"logout":
                return framed(ident, b"x0", b"cadmin@main> ")
            return command(ident)

        line = Puppet(answers)
        is_(name, device(line, "--text", "stats", timeout=2, **more), status, out, err)
        line.cut()

    def whole(*parts):
        return lambda ident: framed(ident, *parts)

    puppet("an answer of nobody's own is taken", whole(b"ohello" + MARK + b"J", b"x0", b"c> "), 0,
           "hello\n")
    puppet("what drives a terminal is made visible",
           whole(b"oa" + MARK + b"[[2J\xc2\x9b\xff" + MARK + b"M" + MARK + b"J", b"x0", b"c> "), 0,
           re.escape("a\\x1b[2J\\xc2\\x9b\\xff\r\n"))
    puppet("an exit status that is none is refused", whole(b"x77", b"c> "), 5, "", "is none")
    puppet("as is a mark that is none", whole(b"zhm", b"x0", b"c> "), 5, "", "is none")
    puppet("an answer without its end", lambda ident: MARK + b"!" + ident + MARK + b"ohalf", 5, "",
           "no whole answer in time; waited for the answer to")
    puppet("an answer to another line", lambda ident: framed(b"zzzz", b"ono", b"x0", b"c> "), 5, "",
           "in time")
    puppet("which may stand before the right one",
           lambda ident: framed(b"zzzz", b"ono", b"x0", b"c> ") +
           framed(ident, b"oyes", b"x0", b"c> "), 0, "yes")
    puppet("an answer without an exit status", whole(b"oyes", b"c> "), 5, "", "gave no exit status")
    puppet("a question of nobody's own", whole(b"sgive me " + MARK + b"[c your PIN: "), 2, "",
           r"asks for .*give me \?c your PIN: .*standard input has ended")
    line = Puppet(lambda kind, ident, text: framed(ident, b"x0", b"cx> ") if not text else
                  MARK + b"!" + ident + MARK + b"o" + b"x" * 65536)
    flood = threading.Event()

    def pour():
        while not flood.is_set():
            try:
                os.write(line.host, b"x" * 4096)
            except OSError:
                return

    line_hear = line.hear

    def hear(part):
        said = line_hear(part)
        if b"stats" in part and not pouring.is_alive():
            pouring.start()
        return said

    pouring = threading.Thread(target=pour, daemon=True)
    line.down = hear
    is_("an answer without end", device(line, "--text", "stats", timeout=20), 5, "",
        "gave an answer without end")
    flood.set()


def main():
    no_device()
    hostile()
    board = Board()
    for part in (provision, commands, typed, people, damage, signalled):
        part(board)
    board.cut()
    sys.exit(1 if bad else 0)


main()
