# SPDX-License-Identifier: MIT
"""Cuts a board's power at random moments while it writes, and looks at what is there afterwards.

    board_power.py ROUNDS MACHINE...     (machines.py has the words; SEED=n in the environment)

After each cut the board must start, let in, find its store in order, and have every change that it
acknowledged; the one that was cut may be there or not. Failed logins that were told stay counted.
"""
import os
import random
import re
import sys
import time

import machines

PASSWORD = "a battery of horses"
FAILURES = 5
ROUND_CHANGES = 6
SLOWEST = 0.08  # seconds that a change takes, about
USERS = 20


def fail(what, why):
    print("not ok %s: %r (SEED=%d)" % (what, why, SEED), flush=True)
    sys.exit(1)


def let_in(board):
    board.wait("login: ")
    for _ in range(100000):
        inside, said = board.try_login(PASSWORD)
        if inside:
            return
        if "error 6" not in said:
            fail("the right password lets in", said)
    fail("a delay ends", said)


class World:
    """What the board has acknowledged: for each user the e-mail address, None when there is none."""

    def __init__(self):
        self.users, self.next = {}, 0

    def change(self):
        """A command, the user that it is about, and what that user then has."""
        name = "u%02d" % random.randrange(USERS)
        self.next += 1
        email = "n%d@example.org" % self.next
        if self.users.get(name) is None:
            return "user add %s email=%s" % (name, email), name, email
        if random.random() < 0.3:
            return "user purge %s --yes" % name, name, None
        return "user set %s email=%s" % (name, email), name, email

    def look(self, board):
        said = board.command("user list --limit 100")
        return dict(re.findall(r"(?m)^\d+ +(u\d+) +(\S+)", said))


def changes(board, world):
    """Some changes, the last of them cut: what it was about."""
    for i in range(random.randrange(ROUND_CHANGES)):
        command, name, email = world.change()
        said = board.command(command)
        if "error" in said:
            fail(command, said)
        world.users[name] = email
    command, name, email = world.change()
    board.send(command)
    time.sleep(random.random() * SLOWEST)
    return name, email


def check(board, world, cut):
    """Everything acknowledged is there, and of what was cut all or nothing."""
    there = world.look(board)
    name, email = cut
    if there.get(name) == email:
        world.users[name] = email
    expected = {user: address for user, address in world.users.items() if address}
    if there != expected:
        fail("what was acknowledged is there", {"there": there, "expected": expected, "cut": cut})
    said = board.command("verify")
    if "all in order" not in said:
        fail("the store is in order", said)


def failures(machine):
    """Four wrong passwords told, the fifth cut: with one more, a delay must run."""
    board = machine.start()
    board.wait("login: ")
    for i in range(FAILURES - 1):
        inside, said = board.try_login("wrong %d" % i)
        if inside or "refused" not in said:
            fail("a wrong password is refused", said)
    board.send("admin")
    board.wait("password: ")
    board.send("wrong again")
    time.sleep(random.random() * SLOWEST)
    board.cut()
    board = machine.start()
    board.wait("login: ")
    board.try_login("and once more")
    inside, said = board.try_login(PASSWORD)
    if inside:
        # On a busy machine the second that the delay takes may be over: the login then tells of it.
        said = board.command("audit list --limit 4 --json")
        board.send("logout")
    if "many-refusals" not in said if inside else "error 6" not in said:
        fail("failures stay counted", said)
    return board


def main():
    rounds, machine = int(sys.argv[1]), machines.machine(sys.argv[2:])
    world = World()
    board = machine.start()
    board.claim(PASSWORD)
    cuts = 0
    while cuts < rounds:
        if cuts % 10 == 9:
            board.cut()
            board = failures(machine)
            board.send("")
            let_in(board)
            cuts += 2
            continue
        cut = changes(board, world)
        board.cut()
        cuts += 1
        board = machine.start()
        let_in(board)
        check(board, world, cut)
    board.cut()
    print("ok %d cuts: all that was acknowledged is there, all in order, failures counted" % cuts)


SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
random.seed(SEED)
main()
