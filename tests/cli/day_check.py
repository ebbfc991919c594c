# SPDX-License-Identifier: MIT
"""Looks into an export.

    day_check.py count EXPORT              what there is of each kind, one line a kind
    day_check.py hashes EXPORT LOGINS FORM everybody of LOGINS has a verifier of this form:
                                           "old" is the one of the kind they came with
"""
import collections
import json
import sys

OLD = {"mosquitto": "$7$", "htpasswd": "$2y$", "sha512": "$6$", "yescrypt": "$y$"}


def records(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def count(path):
    seen = collections.Counter()
    for record in records(path):
        kind = record["kind"]
        if "deleted_at" in record:
            kind += " removed"
        seen[kind] += 1
    for kind in sorted(seen):
        if kind != "sequence":
            print(kind, seen[kind])


def hashes(path, logins, form):
    tenants, users, verifiers = {}, {}, {}
    for record in records(path):
        place = record["id"]
        if record["kind"] == "tenant":
            tenants[place["tenant"]] = record["name"]
        elif record["kind"] == "user":
            users[place["tenant"], record["username"]] = place["user"]
        elif record["kind"] == "credential" and record["type"] == "password":
            verifiers[place["tenant"], place["user"]] = record["verifier"]
    numbers = {name: number for number, name in tenants.items()}
    bad = 0
    with open(logins, encoding="utf-8") as lines:
        for line in lines:
            tenant, name, kind, _ = line.rstrip("\n").split(" ", 3)
            number = numbers[tenant]
            got = verifiers.get((number, users[number, name]), "none")
            wanted = OLD[kind] if form == "old" else form
            if not got.startswith(wanted):
                bad += 1
                print(f"{tenant} {name}: {got[:12]}..., not {wanted}")
    sys.exit(1 if bad else 0)


if sys.argv[1] == "count":
    count(sys.argv[2])
else:
    hashes(*sys.argv[2:])
