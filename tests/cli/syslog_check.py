# SPDX-License-Identifier: MIT
"""Reads messages of syslog by the grammar of RFC 5424, section 6, and nothing else.

    syslog_check.py FILE NDJSON

Each line must be a message by that grammar. Facility and severity, time quality and structured data
must say what the line of NDJSON with the same place says. Prints "N messages".
"""
import json
import re
import sys

FULL_DATE = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
FULL_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
HEADER = re.compile(
    rb"<(0|[1-9]\d{0,2})>([1-9]\d{0,2}) (-|" + f"{FULL_DATE}T{FULL_TIME}".encode() + rb") "
    rb"(-|[!-~]{1,255}) (-|[!-~]{1,48}) (-|[!-~]{1,128}) (-|[!-~]{1,32}) ")
NAME = re.compile(rb"[!#-<>-\\^-~]{1,32}")  # PRINTUSASCII but '=', SP, ']' and '"'
REGISTERED = {b"timeQuality": {b"tzKnown", b"isSynced", b"syncAccuracy"}}


class Fault(Exception):
    pass


def must(condition, *what):
    if not condition:
        raise Fault(" ".join(map(str, what)))


def param_value(data, at):
    value = bytearray()
    while True:
        must(at < len(data), "a value without an end")
        byte = data[at:at + 1]
        if byte == b'"':
            return bytes(value), at + 1
        must(byte != b"]", "a bracket that is not escaped")
        if byte == b"\\" and data[at + 1:at + 2] in (b'"', b"\\", b"]"):
            at, byte = at + 1, data[at + 1:at + 2]
        value += byte
        at += 1


def structured(data, at):
    elements = {}
    if data[at:at + 1] == b"-":
        return elements, at + 1
    while data[at:at + 1] == b"[":
        name = NAME.match(data, at + 1)
        must(name, "an SD-ID")
        id_, at, params = name[0], name.end(), {}
        must(b"@" in id_ or id_ in REGISTERED, "an SD-ID that is not registered:", id_)
        must(b"@" not in id_ or re.fullmatch(rb"[^@]+@\d+(\.\d+)*", id_), "an SD-ID:", id_)
        must(id_ not in elements, "an SD-ID twice")
        while data[at:at + 1] == b" ":
            name = NAME.match(data, at + 1)
            must(name and data[name.end():name.end() + 2] == b'="', "a parameter")
            must(id_ not in REGISTERED or name[0] in REGISTERED[id_], "an unknown parameter")
            must(name[0] not in params, "a parameter twice")
            value, at = param_value(data, name.end() + 2)
            value.decode()
            params[name[0].decode()] = value.decode()
        must(data[at:at + 1] == b"]", "an element without an end")
        elements[id_.decode()] = params
        at += 1
    must(elements, "no structured data")
    return elements, at


def message(data):
    header = HEADER.match(data)
    must(header, "a header")
    must(int(header[1]) <= 191 and header[2] == b"1", "priority or version")
    elements, at = structured(data, header.end())
    text = None
    if at < len(data):
        must(data[at:at + 1] == b" ", "what follows structured data")
        text = data[at + 1:]
        if not text.isascii():
            must(text.startswith(b"\xEF\xBB\xBF"), "UTF-8 without its mark")
            text = text[3:]
        text = text.decode()
    return header, elements, text


def compare(header, elements, text, entry):
    priority = int(header[1])
    severity = 4 if entry["outcome"] == "failure" or "dropped" in entry else (
        5 if entry["ring"] == "admin" else 6)
    must(priority == 13 * 8 + severity, "priority", priority)
    must(header[3].decode() == entry["at"], "time")
    must(header[5] == b"latchkey", "program")
    must(header[7].decode() == re.sub(r"[^!-~]", "_", entry["action"])[:32], "MSGID", header[7])
    must(elements["timeQuality"] == {
        "tzKnown": "1", "isSynced": "1" if entry["clock"] == "synchronised" else "0"}, "quality")
    must(text == entry.get("description"), "message", text)
    want = {name: value for name, value in entry.items()
            if name not in ("at", "description") and value is not None}
    got = elements["latchkey@32473"]
    must(got.keys() == want.keys(), "parameters", got.keys() ^ want.keys())
    for name, value in want.items():
        if isinstance(value, dict):
            must(json.loads(got[name]) == value, name)
        elif isinstance(value, bool):
            must(got[name] == ("true" if value else "false"), name)
        else:
            must(got[name] == str(value), name, got[name], value)


def main():
    with open(sys.argv[1], "rb") as file:
        lines = file.read().split(b"\n")
    with open(sys.argv[2], encoding="utf-8") as file:
        entries = [json.loads(line) for line in file]
    try:
        must(lines.pop() == b"" and len(lines) == len(entries), "another number of messages")
        for line, entry in zip(lines, entries):
            compare(*message(line), entry)
    except Fault as fault:
        sys.exit(f"syslog_check: {fault}")
    print(f"{len(lines)} messages")


main()
