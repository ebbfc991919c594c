# SPDX-License-Identifier: MIT
"""Drives a board's serial line: first start, claim, commands, wrong logins, noise, restarts.

    board_console.py MACHINE...     (machines.py has the words)

Prints "ok NAME" or "not ok NAME: why" for each case, and ends with 1 when one failed.
"""
import re
import sys

import machines

PASSWORD = "a battery of horses"
BOB = "correct horse staple"
FAILURES = 5  # that start a delay
STACK_SPARE = 256
bad = 0


def case(name, good, why=""):
    global bad
    bad += not good
    print("ok %s" % name if good else "not ok %s: %r" % (name, why), flush=True)


def figures(board):
    """What the board tells of itself; where it tells of its stack, there must be some left."""
    said = board.command("stats")
    case("figures are told", "free_bytes" in said, said)
    print(re.sub(r"(?m)^", "    ", said.strip().replace("\r", "")), flush=True)
    spare = re.search(r"stack_spare: +(\d+)", said)
    if spare:
        case("%d bytes of stack were never used since the start" % STACK_SPARE,
             int(spare.group(1)) >= STACK_SPARE, spare.group(0))


def first_start(machine):
    board = machine.start()
    code = board.claim(PASSWORD)
    case("the claim code lets in, and a password is set", True)
    said = board.command("user add bob email=bob@example.org")
    case("a user is added", "user bob is #2" in said, said)
    said = board.command("role grant bob viewer")
    case("and granted a role", "error" not in said, said)
    if "check" in board.command("help permission"):
        said = board.command("permission check bob user:write")
        case("which does not permit everything", "error 1" in said, said)
        said = board.command("permission check bob user:read")
        case("but something", "error" not in said, said)
    said = board.command("user add bob")
    case("a name is taken once", "error 4" in said, said)
    said = board.command("user set nobody email=x@example.org")
    case("who is not there is not found", "error 3" in said, said)
    said = board.command("nonsense")
    case("an unknown word is a usage error", "error 2" in said, said)
    said = board.command("user list --json")
    case("lists as JSON", '"username":"bob"' in said.replace(" ", ""), said)
    board.send("user passwd bob")
    board.wait("new password: ")
    board.send(BOB)
    board.wait("again: ")
    board.send(BOB)
    said = board.wait("admin@main> ")[0]
    case("a password is set, and not shown", "error" not in said and BOB not in said, said)
    said = board.command("session check " + "lks_" + "a" * 40)
    case("a token that is none is refused", "error 1" in said, said)
    said = board.command("session list")
    case("sessions are listed", "1.1" in said and "console" in said, said)
    figures(board)
    board.cut()
    return code


def after_a_cut(machine, code):
    board = machine.start()
    said = board.wait("login: ")[0]
    case("after a cut there is a store", "code" not in said, said)
    inside, said = board.try_login("not the password")
    case("a wrong password is refused", not inside and "login refused" in said, said)
    inside, said = board.try_login(code)
    case("so is the claim code, the second time", not inside and "login refused" in said, said)
    case("the right one lets in", board.try_login(PASSWORD)[0])
    said = board.command("user show bob")
    case("what was added is there", "bob@example.org" in said, said)
    said = board.command("verify")
    case("and in order", "all in order" in said, said)
    said = board.command("audit list")
    case("the audit has the refusal", "login" in said and "fail" in said, said)
    board.send("logout")
    board.wait("login: ")
    case("another user logs in", board.try_login(BOB, "bob")[0])
    said = board.command("user add eve", "bob@main")
    case("and may not do what the role does not permit", "error 1" in said, said)
    said = board.command("user list", "bob@main")
    case("but what it permits", "admin" in said, said)
    board.send("logout")
    board.wait("login: ")
    board.cut()


def lockout(machine):
    board = machine.start()
    board.wait("login: ")
    refused = [board.try_login("wrong %d" % i)[1] for i in range(FAILURES)]
    case("wrong passwords are refused alike", len(set(refused)) == 1, refused)
    inside, said = board.try_login(PASSWORD)
    case("then a delay runs, for the right one too", not inside and "error 6" in said, said)
    tries = 0
    while not board.try_login("still wrong")[1].count("refused"):
        tries += 1
        if tries > 100000:
            break
    board.cut()
    board = machine.start()
    board.wait("login: ")
    inside, said = board.try_login(PASSWORD)
    case("a delay goes on after a cut", not inside and "error 6" in said, said)
    for _ in range(100000):
        inside, said = board.try_login(PASSWORD)
        if inside:
            break
    case("and ends", inside, said)
    board.send("reboot")
    said = board.wait("login: ")[0]
    case("reboot starts again, with nobody in", "Latchkey" in said and "code" not in said, said)
    case("and what was there is there", board.try_login(PASSWORD)[0] and
         "bob@example.org" in board.command("user list"))
    board.cut()


# What a board says that came up, or down; none of it may be said while nobody restarts it.
ALARMS = ("trap", "stopped", "line 0x", "Latchkey 0", "@main>", "new password: ")


def settle(board):
    """Types a name that nobody has until the line asks for its password: what came before is done
    with, whatever it was. All that was said up to then."""
    board.give(b"\x03\r\x03\r")
    board.send("")
    board.send("settled")
    said = board.wait("latchkey login: settled")[0]
    said += board.wait("password: ")[0]
    board.send("none")
    return said + board.wait("latchkey login: ")[0]


def nothing(board, name, noise):
    """Types something: it opens nothing, and stops or restarts nothing."""
    board.give(noise)
    said = settle(board)
    heard = [alarm for alarm in ALARMS if alarm in said]
    case(name + " open nothing", not heard, (heard, said[-300:]))
    case(name + " stop nothing", board.alive())


def garbage(machine):
    """Nothing that is typed before a login gets anywhere."""
    board = machine.start()
    board.wait("login: ")
    state, noise = 1, bytearray()
    for _ in range(10000):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        noise.append(state >> 16 & 0xFF)
    nothing(board, "10,000 bytes of anything", bytes(noise))
    nothing(board, "overlong lines", b"x" * 5000 + b"\r")
    nothing(board, "overlong passwords", b"admin\r" + b"y" * 5000 + b"\r")
    nothing(board, "control characters",
            bytes(range(32)) * 8 + b"\x1b[A\x1b[B\x1b[1;5C\x1bOP\x7f\x08\x7f\xc3\x28\r")
    nothing(board, "commands before a login", b"admin\x00\rpassword\r" + b"user add eve\r" * 20)
    case("the right password still lets in", wait_in(board))
    said = board.command("user list")
    case("and nobody was added", "eve" not in said and "bob" in said, said)
    said = board.command("z" * 3000)
    case("an overlong command is refused", "error 2" in said, said)
    said = board.command("verify")
    case("the store is in order", "all in order" in said, said)
    figures(board)
    board.cut()


def wait_in(board):
    for _ in range(100000):
        if board.try_login(PASSWORD)[0]:
            return True
    return False


def main():
    machine = machines.machine(sys.argv[1:])
    code = first_start(machine)
    after_a_cut(machine, code)
    lockout(machine)
    garbage(machine)
    sys.exit(1 if bad else 0)


main()
