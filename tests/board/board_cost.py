# SPDX-License-Identifier: MIT
"""What commands at a board's console cost: instructions, and flash that is programmed and erased.

    board_cost.py [--brief] [--json FILE] BOARD NM FIRMWARE NEW COMMAND...

NEW is a shell command that makes the flash of a new board.

All of it is done twice, on a new board each time, and the spread of the two is printed: entropy is
all that differs. --brief: starting and logging in only. Instructions are those from the last key of a
command until the board waits for the next, so they include the answer over the serial line; and those
that pass while the board waits for a device, at 16 million a second (counted.py).
"""
import json
import subprocess
import sys

import counted

PASSWORD = "a battery of horses"
BOB = "correct horse staple"
SPREAD = 0.02  # of two runs, at most


class Run:
    """One new board, from its first start to the end of its work."""

    def __init__(self, make, brief):
        self.costs, self.board = {}, make()
        try:
            self.start()
            self.log_in()
            if not brief:
                self.work()
        finally:
            self.board.end()

    def note(self, name, cost, wanted, unwanted="error"):
        """A command that did something else than it should has no cost to tell."""
        said = self.board.hear(wanted)
        if wanted not in said or (unwanted and unwanted in said):
            raise SystemExit("not ok %s: %r" % (name, said))
        self.costs[name] = cost
        return said

    def start(self):
        board = self.board
        cost = board.start()
        said = self.note("first start", cost, "login: ")
        code = said.split("once: ")[1].split()[0]
        for line in ("admin", code, PASSWORD, PASSWORD):
            board.enter(line)
        board.hear()
        board.reset()
        self.note("start", board.start(), "login: ")

    def log_in(self):
        self.board.enter("admin")
        self.note("failed login", self.board.enter("not the password"), "refused", None)
        self.board.enter("admin")
        self.note("login", self.board.enter(PASSWORD), "admin@main> ")

    def command(self, name, line, wanted="admin@main> "):
        return self.note(name, self.board.enter(line), wanted)

    def password(self, name):
        self.board.enter("user passwd bob")
        self.board.enter(BOB)
        self.note(name, self.board.enter(BOB), "admin@main> ")

    def work(self):
        board = self.board
        self.command("user add", "user add bob email=bob@example.org", "bob is #2")
        self.password("password set")
        self.command("role grant", "role grant bob viewer")
        self.password("password change")
        self.command("user show", "user show bob", "bob@example.org")
        self.command("user list", "user list", "bob@example.org")
        self.command("user set", "user set bob display_name=Bob")
        token = board.find(rb"lks_[A-Za-z0-9_-]{43}")
        if not token:
            raise SystemExit("not ok no token is found")
        self.command("session check", "session check " + token, "session:")
        self.command("session check with a permission",
                     "session check %s --permission user:write" % token, "session:")
        self.command("session list", "session list", "1.")
        self.command("audit list", "audit list", "user.add")
        self.command("role revoke", "role revoke bob viewer")
        self.command("user suspend", "user suspend bob")
        self.command("user purge", "user purge bob --yes", "purged")
        self.command("verify", "verify", "all in order")
        self.command("logout", "logout", "login: ")


CORES = {"arm": counted.Arm, "riscv64": counted.RiscV}


def maker(nm, firmware, new, *command):
    names = counted.symbols(nm, firmware)

    def make():
        subprocess.run(["sh", "-c", new], check=True)
        return counted.Counted(command, names, CORES[nm.split("-")[0]])
    return make


def main():
    words, brief, out = sys.argv[1:], False, None
    while words[0].startswith("--"):
        option = words.pop(0)
        brief = brief or option == "--brief"
        out = words.pop(0) if option == "--json" else out
    name_of_board, make = words[0], maker(*words[1:])
    runs = [Run(make, brief).costs for _ in range(2)]
    print("%-32s %14s %8s %9s %7s %7s" % (name_of_board, "instructions", "spread", "programs", "bytes",
                                          "erases"))
    rows, bad = [], []
    for name in runs[0]:
        one, other = (run[name] for run in runs)
        spread = abs(one[0] - other[0]) / max(one[0], 1)
        print("%-32s %14s %7.2f%% %9d %7d %7d" % (name, "{:,}".format(one[0]), 100 * spread, *one[1:]))
        bad += [name] if spread > SPREAD else []
        rows.append({"board": name_of_board, "operation": name, "instructions": one[0],
                     "instructions_again": other[0], "programs": one[1],
                     "programmed_bytes": one[2], "erases": one[3]})
    if out:
        with open(out, "w") as file:
            json.dump(rows, file, indent=1)
    if bad:
        sys.exit("not ok the two runs differ by more than %d %%: %s" % (100 * SPREAD, ", ".join(bad)))


main()
