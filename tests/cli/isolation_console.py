# SPDX-License-Identifier: MIT
"""Types at a console, and reads what it says.

    isolation_console.py PROGRAM DIRECTORY NAME PASSWORD LINES FORBIDDEN...

Logs in as NAME. A line of LINES is what is expected, a space, and what to type: E3 is an error
with that number, O none. Nothing FORBIDDEN may be in an answer but what was typed. Prints "ok LINE"
or "not ok LINE: why".
"""
import os
import pty
import re
import select
import sys
import time

LIMIT = 20  # seconds for one answer
PROMPT = re.compile(rb"(?:^|[\r\n]|\x1b\[[0-9;]*[A-Za-z])[^\r\n]*> $")


class Console:
    def __init__(self, command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "dumb"
            os.execv(command[0], command)

    def read_until(self, found):
        text = b""
        end = time.monotonic() + LIMIT
        while not found(text):
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise SystemExit(f"no answer in {LIMIT} s after: {text[-400:]!r}")
            try:
                part = os.read(self.fd, 4096)
            except OSError:
                part = b""
            if not part:
                raise SystemExit(f"the console ended: {text[-400:]!r}")
            text += part
        return text

    def say(self, line):
        os.write(self.fd, line.encode() + b"\r")


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", text.decode("utf-8", "replace"))


def main():
    program, directory, name, password, lines, *forbidden = sys.argv[1:]
    console = Console([program, "--db", directory, "console"])
    said = console.read_until(lambda text: text.endswith(b"login: "))
    console.say(name)
    said += console.read_until(lambda text: text.endswith(b"password: "))
    console.say(password)
    said += console.read_until(PROMPT.search)
    bad = 0
    if password.encode() in said:
        print("not ok the password is not echoed")
        bad += 1
    with open(lines, encoding="utf-8") as rows:
        for row in rows:
            expected, line = row.rstrip("\n").split(" ", 1)
            console.say(line)
            answer = plain(console.read_until(PROMPT.search))
            rest = answer
            for word in sorted(line.split() + line.split("="), key=len, reverse=True):
                rest = rest.replace(word.split("=")[-1], "").replace(word, "")
            error = re.search(r"^error (\d)", answer, re.M)
            got = f"E{error.group(1)}" if error else "O"
            leaks = [word for word in forbidden if word.lower() in rest.lower()]
            if got != expected or leaks:
                bad += 1
                print(f"not ok {line}: {got}, not {expected}; leaks {leaks}: "
                      f"{' | '.join(answer.splitlines())[:300]}")
            else:
                print(f"ok {line}")
            sys.stdout.flush()
    console.say("exit")
    sys.exit(1 if bad else 0)


main()
