# SPDX-License-Identifier: MIT
"""A person at a terminal who must have a second factor and has none.

    second_factor_pty.py PROGRAM STORE USER PASSWORD

Logs in, takes the seed from what is shown, types its code, and prints what came to the terminal,
then a line with the token from standard output.
"""
import os
import pty
import re
import select
import subprocess
import sys
import time

program, store, user, password = sys.argv[1:]
reader, writer = os.pipe()
child, terminal = pty.fork()
if child == 0:
    os.dup2(writer, 1)
    os.environ["COLUMNS"] = "80"
    os.execv(program, [program, "--db", store, "login", user])
os.close(writer)
shown = b""


def until(what):
    global shown
    end = time.monotonic() + 20
    while re.search(what, shown) is None:
        if not select.select([terminal], [], [], end - time.monotonic())[0]:
            sys.exit(f"nothing like {what} came:\n{shown.decode(errors='replace')}")
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # the other end is closed
            sys.exit(f"it ended before {what}:\n{shown.decode(errors='replace')}")


until(b"password: ")
os.write(terminal, password.encode() + b"\n")
until(b"code: ")
seed = re.search(rb"[?]secret=([A-Z2-7]+)&", shown)[1].decode()
code = subprocess.run(["oathtool", "--totp", "-b", seed], capture_output=True, check=True).stdout
os.write(terminal, code)
token = os.read(reader, 4096)
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(shown.replace(b"\r\n", b"\n") + b"\n" + token)
sys.exit(os.waitstatus_to_exitcode(status))
