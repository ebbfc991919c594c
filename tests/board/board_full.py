# SPDX-License-Identifier: MIT
"""How many users a board has room for, each with e-mail, password, role and two sessions.

    board_full.py PROGRAM LEAST MACHINE...     (machines.py has the words)

A host fills a store of the board's form until there is no room, both audit rings included: a board
has one console, and a session of it each. The board takes over the store with LEAST users and is used;
then the fullest store that it can hold. Ends with 1 when something does not hold.
"""
import re
import sys
import tempfile

import hosts
import machines

PASSWORD = "a battery of horses"
SESSIONS = 2
RING = 32  # entries of each of the two audit rings
bad = 0


def case(name, good, why=""):
    global bad
    bad += not good
    print("ok %s" % name if good else "not ok %s: %r" % (name, why), flush=True)


def secret_of(name):
    return "the secret of " + name


def add(host, name):
    """None, or what was said when there was no more room."""
    for words, password in (
            (("user", "add", name, "email=%s@example.org" % name, "--password-stdin"),
             secret_of(name)),
            (("role", "grant", name, "viewer"), None),
            *[(("login", name, "--password-stdin"), secret_of(name))] * SESSIONS):
        status, said = host.run(*words, password=password)
        if status:
            return said
    return None


def fill(host):
    """The store after each user, and what was said when no other got in."""
    status, said = host.run("init", "--tenant", "main", "--admin", "admin", "--password-stdin",
                            password=PASSWORD)
    case("a host makes a store for the board", status == 0, said)
    status, said = host.run("tenant", "set", "main", "audit_capacity=%d" % RING)
    case("with the board's audit rings", status == 0, said)
    stores, stopped = [], None
    while not stopped:
        stopped = add(host, "user%03d" % (len(stores) + 1))
        if not stopped:
            stores.append(open(host.image, "rb").read())
    return stores, stopped


def figures(board):
    said = board.command("stats")
    return dict(re.findall(r"(?m)^(\w+): +(\d+)", said))


def start(machine, store, secret):
    """The board with that store, or None when it cannot hold it."""
    machine.provision(store, secret)
    board = machine.start()
    said = board.wait("login: |cannot be opened: [^\r]*")[1].group(0).decode()
    if "login" not in said:
        print("    %s" % said)
        board.cut()
        return None
    return board


def look(board, count):
    kept = figures(board)
    print("    %d users: %s" % (count, ", ".join("%s %s" % item for item in kept.items())))
    said = board.command("verify")
    print("    " + said.strip().splitlines()[-1])
    case("%d users: the board finds all in order" % count, "all in order" in said, said)
    entries, seen = set(), []
    while True:
        said = board.command("audit list --limit 16 --json" +
                             (" --after %d" % seen[-1] if seen else ""))
        seen = [int(seq) for seq in re.findall(r'"seq": ?(\d+)', said)]
        if not set(seen) - entries:
            break
        entries |= set(seen)
    case("both audit rings are full: %d entries" % len(entries), len(entries) == 2 * RING, said)
    for name in ("user001", "user%03d" % count):
        said = board.command("session list " + name)
        case("%s has %d sessions" % (name, SESSIONS),
             len(re.findall(r"(?m)^\d+\.\d+ ", said)) == SESSIONS, said)


def main():
    least, machine = int(sys.argv[2]), machines.machine(sys.argv[3:])
    with tempfile.TemporaryDirectory() as folder:
        host = hosts.Host(sys.argv[1], machine, folder, "lean=1")
        stores, stopped = fill(host)
        secret = open(host.secret, "rb").read()
        print("    %d users on a host; then: %s" % (len(stores), stopped.strip()))
        case("at least %d users fit" % least, len(stores) >= least)
        board = start(machine, stores[least - 1], secret)
        case("the board takes over %d users" % least, board)
        inside, said = board.try_login(PASSWORD)
        case("the administrator logs in", inside, said)
        look(board, least)
        board.send("logout")
        for name in ("user001", "user%03d" % least):
            board.wait("login: ")
            inside, said = board.try_login(secret_of(name), name)
            case("%s logs in" % name, inside, said)
            said = board.command("user list --limit 3", name + "@main")
            case("whose session and role permit what they should", "user001" in said, said)
            said = board.command("user add eve", name + "@main")
            case("and nothing else", "error 1" in said, said)
            board.send("logout")
        board.wait("login: ")
        board.cut()
        fullest, board = len(stores) + 1, None
        while not board and fullest > least:
            fullest -= 1
            board = start(machine, stores[fullest - 1], secret)
        case("the board holds %d users at most" % fullest, board)
        inside, said = board.try_login(PASSWORD)
        case("the administrator logs in", inside, said)
        look(board, fullest)
        board.cut()
    sys.exit(1 if bad else 0)


main()
