#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the benchmark programs side by side, and prints what they cost as ratios.

    bench.py BUILD [--users 1000,10000,100000] [--rounds N] [--turns N] [--engines a,b] [--dir DIR]
             [--life USERS]

The engines take turns, each on the same processor, so that what the machine does meanwhile meets
all of them. A figure is the median of the turns; an import is one, by the processor's time that it
took. BUILD/bench/results.json gets them all, and BUILD/bench/*.svg the charts of cost against the
number of users, where gnuplot is installed. With --life, concurrent logins and the file after a
year of use follow.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

ENGINES = ["latchkey", "floor", "naive", "sqlite", "redis", "slapd"]
NAMES = {"naive": "lmdb-naive"}
WORKLOADS = ["session_check", "session_check_permission", "user_by_email", "user_page",
             "audit_range", "login_durable", "login_charge", "import", "open", "decode",
             "bytes_per_user"]
# A server takes its own way to open, and its bytes and barriers are not this program's.
SERVICES = ["redis", "slapd"]
# What a ratio may be at most, and against what; None: only shown.
GOALS = {
    "session_check": [("floor", 1.15, None), ("sqlite", 0.25, 100000)],
    "session_check_permission": [("session_check", 1.6, None)],
    "user_by_email": [("floor", 1.2, None), ("sqlite", 1 / 3, None)],
    "user_page": [("floor", 1.2, None), ("sqlite", 1 / 1.8, None)],
    "audit_range": [("sqlite", 0.25, None)],
    "login_durable": [("floor", 1.1, None), ("naive", 1.0, None)],
    "import": [("floor", 1 / 0.55, None), ("sqlite", 1.0, None)],
    "open": [("floor", 2.0, None)],
}
# Bytes written by one commit at most, by the number of users.
BYTES = {"login_durable": {100000: 32768, 1000000: 43008}, "login_charge": {100000: 24576}}


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("bench: %s: exit status %d" % (" ".join(command), done.returncode))
    found = {}
    for line in done.stdout.splitlines():
        name, *figures = line.split()
        found[name] = [int(figure) for figure in figures]
    return found


def pinned(command):
    """On the last processor that this process may use: the first has the machine's own work."""
    cpu = max(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cpu)] + command if shutil.which("taskset") else command


class Town:
    """The directories of all engines with one number of users."""

    def __init__(self, build, engines, users, place):
        self.build, self.users, self.found = build, users, {}
        self.places = {engine: os.path.join(place, "%s-%d" % (engine, users)) for engine in engines}

    def program(self, engine):
        return os.path.join(self.build, "bench", "bench_" + engine)

    def note(self, engine, figures):
        for name, row in figures.items():
            self.found.setdefault((engine, name), []).append(row)

    def load(self):
        for engine, place in self.places.items():
            os.mkdir(place)
            print("  %s: loading %d users" % (engine, self.users), file=sys.stderr)
            self.note(engine, run(pinned([self.program(engine), "load", place, str(self.users)])))

    def turn(self, rounds):
        for engine, place in self.places.items():
            wanted = [work for work in WORKLOADS if work != "open"] if engine in SERVICES else []
            self.note(engine, run(pinned([self.program(engine), "run", place, str(self.users),
                                          str(rounds)] + wanted)))

    def remove(self):
        for place in self.places.values():
            shutil.rmtree(place)

    def figure(self, engine, workload, column=0):
        rows = self.found.get((engine, workload))
        return statistics.median(row[column] for row in rows) if rows else None


def results_of(town):
    rows = []
    for workload in WORKLOADS:
        for engine in town.places:
            if town.figure(engine, workload) is None:
                continue
            row = {"workload": workload, "engine": NAMES.get(engine, engine), "users": town.users}
            if workload == "bytes_per_user":
                row["bytes"] = town.figure(engine, workload, 0)
                content = town.figure(engine, workload, 1)
                if content:
                    row["content_bytes"] = content
            else:
                row["median_ns"] = town.figure(engine, workload, 0)
                row["p99_ns"] = town.figure(engine, workload, 1)
            if workload.startswith("login_") and engine not in SERVICES:
                row["bytes"] = town.figure(engine, workload, 2)
                row["barriers"] = town.figure(engine, workload, 3)
            rows.append(row)
    return rows


def shown(nanoseconds):
    if nanoseconds is None:
        return "-"
    return "%.2f us" % (nanoseconds / 1000) if nanoseconds < 1e6 else "%.2f ms" % (nanoseconds / 1e6)


def table(town):
    print("\n%d users, two sessions each" % town.users)
    others = [engine for engine in town.places if engine != "latchkey"]
    print("%-26s %11s %11s" % ("", "latchkey", "p99") +
          "".join(" %11s %6s" % (NAMES.get(engine, engine), "ratio") for engine in others))
    for workload in WORKLOADS:
        own = town.figure("latchkey", workload)
        if own is None:
            continue
        line = "%-26s %11s %11s" % (
            workload, "%d" % own if workload == "bytes_per_user" else shown(own),
            "" if workload in ("import", "bytes_per_user") else shown(town.figure("latchkey", workload, 1)))
        for engine in others:
            other = town.figure(engine, workload)
            text = "-" if other is None else (
                "%d" % other if workload == "bytes_per_user" else shown(other))
            line += " %11s %6s" % (text, "%.2f" % (own / other) if other else "-")
        print(line)
    for workload in ("login_durable", "login_charge"):
        parts = ["%s %d bytes, %d barriers" % (
            NAMES.get(engine, engine), town.figure(engine, workload, 2), town.figure(engine, workload, 3))
            for engine in town.places
            if engine not in SERVICES and town.figure(engine, workload) is not None]
        print("%s: %s" % (workload, "; ".join(parts)))
    content = town.figure("latchkey", "bytes_per_user", 1)
    if content:
        print("bytes_per_user: %.2f times the bytes of keys and values (%d)" % (
            town.figure("latchkey", "bytes_per_user") / content, content))


def goals(town):
    for workload, list_of in GOALS.items():
        for against, most, users in list_of:
            own = town.figure("latchkey", workload)
            other = town.figure("latchkey", against) if against in WORKLOADS else \
                town.figure(against, workload)
            if not own or not other or (users and users != town.users):
                continue
            ratio = own / other
            print("%-26s %5.2f of %-14s goal %5.2f  %s" % (
                workload, ratio, against, most, "met" if ratio <= most else "MISSED"))


    for workload, most_of in BYTES.items():
        own, most = town.figure("latchkey", workload, 2), most_of.get(town.users)
        if own and most:
            print("%-26s %5d bytes            goal %5d  %s" % (
                workload, own, most, "met" if own <= most else "MISSED"))
        if own and town.figure("latchkey", workload, 3) != 2:
            print("%-26s %d barriers, goal 2  MISSED" % (
                workload, town.figure("latchkey", workload, 3)))


def growth(rows):
    """How costs rise from the fewest users to the most, beside the floor's own."""
    for workload in ("session_check", "session_check_permission", "user_by_email", "login_durable"):
        rise = {}
        for engine in ("latchkey", "floor"):
            points = sorted((row["users"], row["median_ns"]) for row in rows
                            if row["workload"] == workload and row["engine"] == engine)
            if len(points) > 1 and points[0][1]:
                rise[engine] = points[-1][1] / points[0][1]
        if len(rise) == 2:
            print("%-26s %5.2f times from %d to %d users; the floor %5.2f  %s" % (
                workload, rise["latchkey"], points[0][0], points[-1][0], rise["floor"],
                "met" if rise["latchkey"] <= rise["floor"] else "MISSED"))


def life(build, users, place):
    """Of the processors, all: two threads log in."""
    where, program = os.path.join(place, "life"), os.path.join(build, "bench", "bench_latchkey")
    os.mkdir(where)
    run([program, "load", where, str(users)])
    print("\n%d users in use" % users)
    found = run([program, "logins", where, "2"])
    hashes, logins = found["hashes"][0] / 1000, found["logins"][0] / 1000
    print("two threads: %.1f logins a second of %.1f hashes: %.0f %%, goal 95 %%  %s" % (
        logins, hashes, 100 * logins / hashes, "met" if logins >= 0.95 * hashes else "MISSED"))
    found = run([program, "churn", where, str(users)])
    for name, most in (("before", 1.1), ("after", 1.5), ("compacted", 1.1)):
        size, content = found[name]
        print("%-10s a year of use: %4d bytes a user, %.2f of keys and values, goal %.1f  %s" % (
            name, size, size / content, most, "met" if size <= most * content else "MISSED"))
    shutil.rmtree(where)


def charts(build, rows):
    if not shutil.which("gnuplot"):
        return
    folder = os.path.join(build, "bench")
    for workload in WORKLOADS:
        key = "bytes" if workload == "bytes_per_user" else "median_ns"
        series = {}
        for row in rows:
            if row["workload"] == workload and row.get(key):
                series.setdefault(row["engine"], []).append((row["users"], row[key]))
        if not any(len(points) > 1 for points in series.values()):
            continue
        script = ["set terminal svg size 640,400 background rgb 'white'",
                  "set output '%s/%s.svg'" % (folder, workload), "set logscale xy",
                  "set title '%s' noenhanced" % workload, "set xlabel 'users'",
                  "set ylabel '%s'" % ("bytes a user" if key == "bytes" else "ns, median"),
                  "set key outside right", "set grid"]
        for engine, points in series.items():
            script.append("$%s << EOD" % engine.replace("-", "_"))
            script += ["%d %f" % point for point in sorted(points)] + ["EOD"]
        script.append("plot " + ", ".join(
            "$%s with linespoints title '%s' noenhanced" % (engine.replace("-", "_"), engine)
            for engine in series))
        subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True, check=True)


def main():
    parser = argparse.ArgumentParser(prog="bench.py")
    parser.add_argument("build")
    parser.add_argument("--users", default="1000,10000,100000")
    parser.add_argument("--rounds", type=int, default=20000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--engines", default="latchkey,floor,naive,sqlite")
    parser.add_argument("--dir")
    parser.add_argument("--life", type=int)
    options = parser.parse_args()
    os.environ["PATH"] += ":/usr/sbin"  # where Debian has slapd
    engines = [engine for engine in ENGINES if engine in options.engines.split(",")]
    rows = []
    parent = options.dir or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    place = tempfile.mkdtemp(prefix="latchkey-bench-", dir=parent)
    try:
        for users in (int(number) for number in options.users.split(",")):
            town = Town(options.build, engines, users, place)
            town.load()
            for _ in range(options.turns):
                town.turn(options.rounds)
            town.remove()
            table(town)
            goals(town)
            rows += results_of(town)
        growth(rows)
        if options.life:
            life(options.build, options.life, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    with open(os.path.join(options.build, "bench", "results.json"), "w") as out:
        json.dump(rows, out, indent=1)
    charts(options.build, rows)
    print("\nstores in %s; all figures in %s/bench/results.json" % (parent or tempfile.gettempdir(),
                                                                   options.build))


main()
