# SPDX-License-Identifier: MIT
"""Holds the tree against its own rules: the top level, a licence line in every source, no
unfinished business, no path of one person's machine.

    check_tree.py [--root DIR]
"""
import argparse
import pathlib
import re
import subprocess
import sys

TOP = {"Makefile", "core", "port", "storage", "cli", "tests", "boards", "README.md", "DESIGN.md",
       "SPEC.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md"}
LICENSED = re.compile(r"(\.([chS]|ld|mk|map|py|sh)|/run|^Makefile)$")
TEXT = re.compile(r"(\.([chS]|ld|mk|map|py|sh|md|in|txt|yml|cddl)|/run|^Makefile|^\.[^/]+)$")
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b")
# Directories that exist on the machine of whoever wrote the line, and nowhere else.
ELSEWHERE = re.compile(r"(?<![\w.}])/(wor[k]|far[m]|hom[e]|roo[t]|User[s])/|\.librar[y]/|befor[e]-stop")


def files(root):
    """What is committed or about to be; every file where there is no git."""
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"],
                            capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return sorted({line for line in listed.stdout.splitlines() if (root / line).is_file()})
    return sorted(str(path.relative_to(root)) for path in root.rglob("*")
                  if path.is_file() and not {"build", ".git"} & set(path.relative_to(root).parts))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=".", type=pathlib.Path)
    root = parser.parse_args().root
    faults = []
    names = files(root)
    for name in names:
        top = name.split("/")[0]
        if top not in TOP and not top.startswith("."):
            faults.append(f"{name}: {top} is not of the top level")
        if not TEXT.search(name) or name.startswith("tests/golden/"):
            continue
        try:
            lines = (root / name).read_text().splitlines()
        except UnicodeDecodeError:
            faults.append(f"{name}: not UTF-8")
            continue
        if LICENSED.search(name) and not any("SPDX-License-Identifier: MIT" in line
                                             for line in lines[:3]):
            faults.append(f"{name}:1: no SPDX-License-Identifier in the first lines")
        for number, line in enumerate(lines, 1):
            if UNFINISHED.search(line):
                faults.append(f"{name}:{number}: unfinished: {line.strip()[:60]}")
            if ELSEWHERE.search(line):
                faults.append(f"{name}:{number}: a path outside the project: {line.strip()[:60]}")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"tree: {len(names)} files, {len(faults)} faults")
    sys.exit(1 if faults or not names else 0)


main()
