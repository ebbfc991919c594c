# SPDX-License-Identifier: MIT
"""Takes a board's flash to a host and back, and puts a store that a host made on a board.

    board_image.py PROGRAM MACHINE...     (machines.py has the words; SEED=n in the environment)

PROGRAM is the program of the host. Prints "ok NAME" or "not ok NAME: why" for each case, and ends
with 1 when one failed.
"""
import json
import os
import random
import re
import sys
import tempfile
import time

import hosts
import machines

PASSWORD = "a battery of horses"
BOB = "correct horse staple"
HOSTS = "a stable full of horses"
CUTS = 4  # while a store is taken over
SLOWEST = 0.3  # seconds that this takes, about
LISTS = ("user list --all", "role list --all", "permission list --all", "tenant show",
         "audit list --limit 100")
COMPUTED = ("activity_status", "last_login", "session_count", "login_rate")
bad = 0


def case(name, good, why=""):
    global bad
    bad += not good
    print("ok %s" % name if good else "not ok %s: %r" % (name, why), flush=True)


def objects(said):
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def stored(said):
    """Of what was listed, all but what is worked out for the moment, or is the build's own default."""
    found = objects(said)
    for one in found:
        for key in COMPUTED:
            one.pop(key, None)
    return found


def lists_of_board(board):
    return {line: stored(board.command(line + " --json")) for line in LISTS}


def lists_of_host(host):
    return {line: stored(host.run(*line.split(), "--json")[1]) for line in LISTS}


def differ(ours, theirs):
    """The fields of the first objects that differ."""
    for pair in zip(ours, theirs):
        if pair[0] != pair[1]:
            return {key: (pair[0].get(key), pair[1].get(key)) for key in {**pair[0], **pair[1]}
                    if pair[0].get(key) != pair[1].get(key)}
    return len(ours), len(theirs)


def alike(name, ours, theirs):
    for line in LISTS:
        case("%s: %s (%d objects)" % (name, line, len(ours[line])),
             ours[line] and ours[line] == theirs[line], differ(ours[line], theirs[line]))


def log_in(board, password, name="admin"):
    board.wait("login: ")
    inside, said = board.try_login(password, name)
    case("%s logs in on the board" % name, inside, said)


def to_the_host(machine, host):
    """What a board wrote is the same on a host; with its secret only."""
    machine.blank()
    board = machine.start()
    board.claim(PASSWORD)
    for line in ("user add bob email=bob@example.org", "user add carol phone=+15550100",
                 "role add porter", "permission add door:open", "role set porter permissions=door:open",
                 "role grant bob porter", "user suspend carol", "user show nobody"):
        board.command(line)
    board.send("user passwd bob")
    board.wait("new password: ")
    board.send(BOB)
    board.wait("again: ")
    board.send(BOB)
    board.wait("admin@main> ")
    theirs = lists_of_board(board)
    board.cut()
    host.take()
    alike("board and host tell the same", theirs, lists_of_host(host))
    status, said = host.bare("flash", "verify", host.image, "--secret", host.secret)
    case("the host finds it in order", status == 0 and "index entries: all in order" in said, said)
    status, said = host.run("export")
    case("and exports it", status == 0 and '"bob@example.org"' in said, said)
    return said


def without_the_secret(host):
    """Structure and health, and nothing else."""
    for words in (("flash", "verify"), ("flash", "dump")):
        status, said = host.bare(*words, host.image)
        case("without the secret %s shows structure and health" % " ".join(words),
             status == 0 and "sector" in said, said)
        case("and nothing of what is stored",
             not any(word in said for word in ("bob", b"bob".hex(), "porter", b"porter".hex())), said)
    wrong = host.secret + ".wrong"
    host.put(wrong, bytes(32))
    before = open(host.image, "rb").read()
    status, said = host.run("user", "list", secret=wrong)
    case("another secret opens nothing", status == 5 and "bob" not in said, (status, said))
    status, said = host.bare("flash", "verify", host.image, "--secret", wrong)
    case("nor does it verify", status not in (0, 2), (status, said))
    case("and the image stays as it was", before == open(host.image, "rb").read())


def back_to_the_board(machine, host):
    """A host's changes are the board's."""
    status, said = host.run("user", "add", "dora", "--password-stdin", password=BOB)
    case("the host adds a user", status == 0, said)
    status, said = host.run("user", "passwd", "admin", "--password-stdin", password=HOSTS)
    case("and sets a password that the board can hash", status == 0, said)
    machine.write(0, open(host.image, "rb").read())
    board = machine.start()
    log_in(board, HOSTS)
    said = board.command("verify")
    case("the board finds it in order", "all in order" in said, said)
    board.send("logout")
    log_in(board, BOB, "dora")
    board.send("logout")
    log_in(board, HOSTS)
    theirs = lists_of_board(board)
    board.cut()
    host.take()
    alike("then board and host tell the same", theirs, lists_of_host(host))


def make_on_the_host(host):
    """A store for a board, keyed with a secret of provisioning."""
    for file in (host.image, host.secret):
        os.path.exists(file) and os.remove(file)
    status, said = host.run("init", "--tenant", "main", "--password-stdin", "--admin", "admin",
                            password=PASSWORD)
    case("a host makes a store for the board", status == 0, said)
    for words, password in ((("user", "add", "bob", "email=bob@example.org", "--password-stdin"), BOB),
                            (("role", "grant", "bob", "viewer"), None)):
        status, said = host.run(*words, password=password)
        case("and puts something in: " + " ".join(words), status == 0, said)
    store, secret = (open(file, "rb").read() for file in (host.image, host.secret))
    return store, secret, lists_of_host(host)


def to_the_board(machine, host):
    """The board takes it over at its first start, and is the only one that can open it then."""
    store, secret, ours = make_on_the_host(host)
    machine.provision(store, None)
    board = machine.start()
    said = board.wait("type a key")[0]
    case("without the provisioning secret the board opens nothing", "cannot be opened" in said, said)
    board.cut()
    host.put(host.image, machine.store())
    alike("and changes nothing", ours, lists_of_host(host))
    machine.provision(store, bytes(32))
    board = machine.start()
    said = board.wait("type a key")[0]
    case("nor with another", "cannot be opened" in said, said)
    board.cut()
    machine.provision(store, secret)
    board = machine.start()
    said = board.wait("login: ")[0]
    case("with it, the store is the board's", "code" not in said and "cannot" not in said, said)
    board.cut()
    host.take()
    alike("the board's is what the host made", ours, lists_of_host(host))
    taken_over(machine, host, store, secret)
    board = machine.start()
    log_in(board, PASSWORD)
    said = board.command("verify")
    case("the board finds it in order", "all in order" in said, said)
    theirs = lists_of_board(board)
    board.send("logout")
    log_in(board, BOB, "bob")
    board.cut()
    names = [[user.get("username") for user in lists[LISTS[0]]] for lists in (ours, theirs)]
    case("and lists the host's users: %s" % names[0], names[0] == names[1], names)
    return store, secret


def wrapped(store):
    """The store key as the boot record has it, sealed by the device secret (SPEC.md, 6)."""
    return re.search(rb"\x04\x58\x18.{24}\x05\x58\x30(.{48})", store, re.DOTALL).group(1)


def taken_over(machine, host, store, secret):
    own = machine.own_secret()
    case("it has a secret of its own", own is not None and own != secret)
    case("and not the provisioning one any more",
         secret not in machine.read(0, machine.secret_at + machine.sector))
    case("nor what it could open", wrapped(store) not in machine.store())
    factory = host.secret + ".factory"
    host.put(factory, secret)
    status, said = host.run("user", "list", secret=factory)
    case("which opens the store no more", status == 5 and "bob" not in said, (status, said))


def cut_on_the_way(machine, host, store, secret):
    """The power goes while the store is taken over."""
    print("SEED=%d" % SEED)
    for i in range(CUTS):
        machine.provision(store, secret)
        for _ in range(2):
            board = machine.start()
            time.sleep(random.random() * SLOWEST)
            board.cut()
        board = machine.start()
        board.wait("login: ")
        board.cut()
        host.take()
        taken_over(machine, host, store, secret)
    status, said = host.bare("flash", "verify", host.image, "--secret", host.secret)
    case("cut %d times on the way, it is whole" % (2 * CUTS),
         status == 0 and "index entries: all in order" in said, said)


def main():
    machine = machines.machine(sys.argv[2:])
    with tempfile.TemporaryDirectory() as folder:
        host = hosts.Host(sys.argv[1], machine, folder)
        to_the_host(machine, host)
        without_the_secret(host)
        back_to_the_board(machine, host)
        store, secret = to_the_board(machine, host)
        cut_on_the_way(machine, host, store, secret)
    sys.exit(1 if bad else 0)


SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
random.seed(SEED)
main()
