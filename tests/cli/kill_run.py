# SPDX-License-Identifier: MIT
"""Several processes on one store, some of which are killed.

    kill_run.py PROGRAM STORE TOKEN SEED

Prints "ok NAME" or "not ok NAME: why" for each of its cases.
"""
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

PROGRAM, STORE, TOKEN, SEED = sys.argv[1:]
PASSWORD = "correct horse battery"
KILLS = 200
BATCH = 100  # users of one import
CHECK_EACH = 20

chance = random.Random(SEED)
bad = 0


def case(name, wrong):
    global bad
    if wrong:
        bad += 1
    wrong = " ".join(wrong.split())
    print(f"not ok {name}: {wrong}" if wrong else f"ok {name}", flush=True)


def start(*words, given=None, store=STORE):
    process = subprocess.Popen([PROGRAM, "--db", store, *words], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE,
                               stdin=subprocess.DEVNULL if given is None else subprocess.PIPE)
    if given is not None:
        try:
            process.stdin.write(given)
            process.stdin.close()
        except BrokenPipeError:
            pass
        process.stdin = None
    return process


def run(*words, given=None, store=STORE):
    process = start(*words, given=given, store=store)
    out, err = process.communicate()
    return process.returncode, out.decode(), err.decode()


def must(*words, **more):
    status, out, err = run(*words, **more)
    if status != 0:
        raise SystemExit(f"{words} answers {status}: {err}")
    return out


def names(store=STORE):
    out = must("user", "list", "--all", "--json", store=store)
    found = [json.loads(line) for line in out.splitlines()]
    return {user["username"]: user for user in found if "username" in user}


# ---- Readers -------------------------------------------------------------------------------------

class Readers:
    """Three that read all the while: nothing that writers do may make one fail."""

    COMMANDS = (("user", "list", "--json", "--limit", "20"), ("session", "check", TOKEN, "--quiet"),
                ("verify",))

    def __init__(self):
        self.over = threading.Event()
        self.counts = [0] * len(self.COMMANDS)
        self.failures = []
        self.threads = [threading.Thread(target=self.read, args=(i,), daemon=True)
                        for i in range(len(self.COMMANDS))]
        for thread in self.threads:
            thread.start()

    def read(self, i):
        while not self.over.is_set():
            status, out, err = run(*self.COMMANDS[i])
            self.counts[i] += 1
            if status != 0:
                self.failures.append(f"{self.COMMANDS[i]} answers {status}: {out[-200:]} {err}")

    def end(self, name):
        self.over.set()
        for thread in self.threads:
            thread.join()
        case(f"{name}: {self.counts} reads by {len(self.counts)} processes, none failed",
             "; ".join(self.failures[:3]) if self.failures or min(self.counts) < 10 else "")


def backups():
    """Made beside the writers: each is a moment of the store, imports whole."""
    wrong = []
    for n in range(5):
        store = f"{STORE}-restored{n}"
        must("--secret", f"{STORE}/secret", "import", "--backup", f"{STORE}-backup{n}", store=store)
        status, out, _ = run("--secret", f"{STORE}/secret", "verify", store=store)
        if status != 0:
            wrong.append(f"backup {n}: {out}")
        out = must("--secret", f"{STORE}/secret", "user", "list", "--all", "--json", store=store)
        for earlier in range(n + 1):
            count = out.count(f'"username":"beside{earlier}-')
            if count != BATCH:
                wrong.append(f"backup {n} has {count} users of import {earlier}")
    case("five backups beside the writers: each whole", "; ".join(wrong[:3]))


def beside_writers():
    readers = Readers()
    failed = []

    def write(writer):
        for n in range(60):
            status, _, err = run("user", "add", f"w{writer}-{n}", f"email=w{writer}-{n}@x.example")
            if status != 0:
                failed.append(err)

    writers = [threading.Thread(target=write, args=(w,)) for w in range(2)]
    for thread in writers:
        thread.start()
    for n in range(5):
        status, _, err = run("import", "--format", "ndjson", "-", given=batch(f"beside{n}"))
        if status != 0:
            failed.append(err)
        status, _, err = run("backup", f"{STORE}-backup{n}")
        if status != 0:
            failed.append(err)
    for thread in writers:
        thread.join()
    readers.end("during writes")
    backups()
    there = names()
    missing = [f"w{w}-{n}" for w in range(2) for n in range(60) if f"w{w}-{n}" not in there]
    case("two writers and an import at once: all is there",
         f"{failed[:3]} missing {missing[:5]}" if failed or missing else "")


# ---- Writers that are killed ---------------------------------------------------------------------

def batch(name):
    return "".join(json.dumps({"kind": "user", "username": f"{name}-{n:03}",
                               "email": f"{name}-{n}@batch.example",
                               "metadata": {"n": n, "text": name * 20}}) + "\n"
                   for n in range(BATCH)).encode()


class Killed:
    """What was acknowledged, and what may be or not."""

    def __init__(self):
        self.there = set()     # users acknowledged
        self.gone = set()      # users whose purge was acknowledged
        self.batches = {}      # name: acknowledged?
        self.big = {}          # user: values, of which the last acknowledged, or a later one, stands
        self.granted = set()
        self.spent = {}        # seconds that each sort of command takes
        self.killed = self.finished = 0
        self.number = 0

    def commands(self):
        self.number += 1
        n = self.number
        return {
            "add": (("user", "add", f"u{n}", f"email=u{n}@x.example"), None),
            "import": (("import", "--format", "ndjson", "-"), batch(f"b{n}")),
            "set": (("user", "set", "target", "metadata=" + json.dumps({"v": n, "x": "y" * 3500})),
                    None),
            "purge": (("user", "purge", self.victim(), "--yes"), None),
            "grant": (("role", "grant", self.holder(), "viewer"), None),
            "login": (("login", "clerk", "--password-stdin"), PASSWORD.encode() + b"\n"),
            "compact": (("compact",), None),
        }

    def victim(self):
        return next((name for name in sorted(self.there) if name.startswith("u")), "none")

    def holder(self):
        return next((name for name in sorted(self.there) if name not in self.granted), "admin")

    def done(self, sort, words, acknowledged):
        n = self.number
        if sort == "add" and acknowledged:
            self.there.add(words[2])
        elif sort == "import":
            self.batches[f"b{n}"] = acknowledged
        elif sort == "set":
            self.big.setdefault("values", [])
            if acknowledged:
                self.big["values"] = []
            self.big["values"].append(n)
        elif sort == "purge":
            self.there.discard(words[2])
            if acknowledged:
                self.gone.add(words[2])
        elif sort == "grant":
            if acknowledged:
                self.granted.add(words[2])
            else:
                self.there.discard(words[2])  # may or may not hold the role: not asked again

    def one(self, sort, kill):
        words, given = self.commands()[sort]
        if words[2:3] in (("none",), ("admin",)):
            return
        begun = time.monotonic()
        process = start(*words, given=given)
        if kill:
            moment = begun + chance.random() * 1.1 * self.spent[sort]
            while time.monotonic() < moment and process.poll() is None:
                pass
            process.send_signal(signal.SIGKILL)
        out, err = process.communicate()
        if not kill:
            self.spent[sort] = max(self.spent.get(sort, 0), time.monotonic() - begun)
        if process.returncode == -signal.SIGKILL:
            self.killed += 1
        elif process.returncode == 0 or (process.returncode == 5 and sort in ("purge", "compact")
                                         and re.search(b"run compact|in use", err)):
            # Bytes cannot be overwritten under a reader: that is told, and not a failure.
            self.finished += 1
        else:
            case(f"{sort} is done or killed", f"{words[:3]}: {process.returncode} {err.decode()}")
        self.done(sort, words, process.returncode == 0 or b"purged, but" in err)

    def check(self, at):
        wrong = []
        status, out, err = run("verify")
        if status != 0:
            wrong.append(f"verify answers {status}: {out[:300]} {err}")
        there = names()
        wrong += [f"{name} is lost" for name in self.there if name not in there]
        wrong += [f"{name} is there again" for name in self.gone if name in there]
        for name, acknowledged in self.batches.items():
            count = sum(f"{name}-{n:03}" in there for n in range(BATCH))
            if count not in ((BATCH,) if acknowledged else (0, BATCH)):
                wrong.append(f"{count} of {BATCH} users of import {name}")
        value = (there["target"]["metadata"] or {"v": 0})["v"]
        if self.big.get("values") and value not in self.big["values"] and not (
                value == 0 and len(self.big["values"]) < 2):
            # Any of those begun since the last acknowledged one, that one included.
            wrong.append(f"metadata {value} is none of {self.big['values']}")
        wrong += [f"{name} has lost its role" for name in self.granted
                  if name in there and "viewer" not in there[name]["roles"]]
        case(f"after {at} kills: whole, {len(self.there)} users, "
             f"{sum(self.batches.values())} imports of {len(self.batches)}", "; ".join(wrong[:5]))


def killed_writers():
    state = Killed()
    sorts = ["add"] * 8 + ["import"] * 2 + ["set"] * 3 + ["purge", "grant", "login", "compact"]
    readers = Readers()
    must("user", "add", "target")
    # Not the one whose session is checked: the oldest ends where there are too many.
    must("user", "add", "clerk", "--password-stdin", given=PASSWORD.encode() + b"\n")
    for sort in ["add"] * 3 + sorted(set(sorts)):
        state.one(sort, kill=False)
    last = 0
    while state.killed < KILLS:
        for _ in range(chance.randrange(3)):
            state.one("add", kill=False)
        state.one(chance.choice(sorts), kill=True)
        if state.killed % CHECK_EACH == 0 and state.killed != last:
            last = state.killed
            state.check(last)
    readers.end("during kills")
    state.check(state.killed)
    case(f"{state.killed} killed, {state.finished} finished", "")


# ---- The making of a store, killed ---------------------------------------------------------------

def killed_makings():
    made = none = 0
    wrong = []
    directory = STORE + "-made"
    spent = 0.2
    for n in range(60):
        begun = time.monotonic()
        process = start("init", "--password-stdin", given=PASSWORD.encode() + b"\n",
                        store=directory)
        if n:
            moment = begun + chance.random() * 1.6 * spent
            while time.monotonic() < moment and process.poll() is None:
                pass
            process.send_signal(signal.SIGKILL)
        process.communicate()
        if not n:
            spent = time.monotonic() - begun
        if os.path.exists(directory):
            made += 1
            for words, given in ((("verify",), None),
                                 (("login", "admin", "--password-stdin"), PASSWORD.encode() + b"\n")):
                status, out, err = run(*words, given=given, store=directory)
                if status != 0:
                    wrong.append(f"{words[0]} answers {status}: {out} {err}")
            subprocess.run(["rm", "-r", directory], check=True)
        else:
            none += 1
            if process.returncode == 0:
                wrong.append("made, and not there")
    must("init", "--password-stdin", given=PASSWORD.encode() + b"\n", store=directory)
    parent, name = os.path.split(directory)
    litter = [entry for entry in os.listdir(parent) if entry.startswith(f".{name}")]
    if litter:
        wrong.append(f"left: {litter}")
    case(f"60 makings of a store, killed: {none} left none, {made} a whole one",
         "; ".join(wrong[:3]))


beside_writers()
killed_writers()
killed_makings()
sys.exit(1 if bad else 0)
