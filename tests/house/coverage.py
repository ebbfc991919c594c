# SPDX-License-Identifier: MIT
"""Prints lines and branches reached, by file and by part, from gcovr's JSON summary.

    coverage.py SUMMARY.json MINIMUM

Exit status 1 when the lines reached, all parts together, are under MINIMUM per cent.
"""
import json
import sys


def row(name, counts):
    def share(done, total):
        return f"{done:6} of {total:6} {100 * done / total if total else 100:6.1f} %"
    return f"{name:44} {share(*counts[:2])}   {share(*counts[2:])}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        summary = json.load(file)
    minimum = float(sys.argv[2])
    parts = {}
    print(f"{'':44} {'lines':>25}   {'branches':>25}")
    for entry in sorted(summary["files"], key=lambda entry: entry["filename"]):
        counts = [entry["line_covered"], entry["line_total"],
                  entry["branch_covered"], entry["branch_total"]]
        print(row(entry["filename"], counts))
        for part in (entry["filename"].split("/")[0] + "/", "together"):
            parts[part] = [a + b for a, b in zip(parts.get(part, [0, 0, 0, 0]), counts)]
    together = parts.pop("together", [0, 0, 0, 0])
    print()
    for part, counts in sorted(parts.items()):
        print(row(part, counts))
    print(row("together", together))
    reached = 100 * together[0] / together[1] if together[1] else 0
    if reached < minimum:
        print(f"coverage: {reached:.2f} % of lines, at least {minimum:g} % asked", file=sys.stderr)
        sys.exit(1)


main()
