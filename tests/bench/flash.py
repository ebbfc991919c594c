#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Puts together what operations cost on boards, and prints it: flash.py FOLDER BOARD...

FOLDER/flash_BOARD.jsonl is what bench_flash counted on a host's flash of the board's form;
FOLDER/cost_BOARD.json what board_cost.py counted on the board in its emulator. The table goes to
FOLDER/flash.json, an array of objects with "board", "operation" and what was counted of it; names that
begin with board_ are the board's own, of a command at its console.
"""
import json
import os
import sys

MODEL = ("reads", "read_bytes", "programs", "programmed_bytes", "erases")


def rows(folder, board):
    with open(os.path.join(folder, "flash_%s.jsonl" % board)) as lines:
        model = {row["operation"]: row for row in map(json.loads, lines)}
    with open(os.path.join(folder, "cost_%s.json" % board)) as file:
        own = {row["operation"]: row for row in json.load(file)}
    for name in list(model) + [name for name in own if name not in model]:
        row = {"board": board, "operation": name}
        row.update({key: model[name][key] for key in MODEL if name in model})
        if name in own:
            row["instructions"] = own[name]["instructions"]
            row.update({"board_" + key: own[name][key]
                        for key in ("programs", "programmed_bytes", "erases")})
        yield row


def cell(row, key, form):
    return form.format(row[key]) if key in row else "-"


def main():
    folder, found = sys.argv[1], []
    for board in sys.argv[2:]:
        here = list(rows(folder, board))
        if not here or not any("instructions" in row for row in here):
            sys.exit("flash.py: nothing was counted of %s" % board)
        found += here
        print("%s: a flash of its form on a host, the mean of many | at the board's console, once"
              % board)
        print("%-32s %7s %8s %8s %7s %6s | %12s %8s %7s %6s" % (
            "", "reads", "bytes", "programs", "bytes", "erases", "instructions", "programs", "bytes",
            "erases"))
        for row in here:
            print("%-32s %7s %8s %8s %7s %6s | %12s %8s %7s %6s" % (
                row["operation"], cell(row, "reads", "{:.0f}"), cell(row, "read_bytes", "{:.0f}"),
                cell(row, "programs", "{:.1f}"), cell(row, "programmed_bytes", "{:.0f}"),
                cell(row, "erases", "{:.2f}"), cell(row, "instructions", "{:,}"),
                cell(row, "board_programs", "{}"), cell(row, "board_programmed_bytes", "{}"),
                cell(row, "board_erases", "{}")))
        print()
    with open(os.path.join(folder, "flash.json"), "w") as out:
        json.dump(found, out, indent=1)


main()
