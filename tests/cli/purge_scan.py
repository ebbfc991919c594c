# SPDX-License-Identifier: MIT
"""Looks for bytes in the files of a directory.

    purge_scan.py DIRECTORY MARKS

A line of MARKS is a text, looked for without regard to ASCII case; or "hex:", "uuid:" or
"base64:" and bytes in that form; or "token:" and a token, of which the random bytes are meant. Prints each one found, with its file and where; exit status 1
when there was one.
"""
import base64
import pathlib
import sys


def fold(data):
    return bytes(c + 32 if 65 <= c <= 90 else c for c in data)


def main():
    directory, marks = sys.argv[1:]
    files = [path for path in pathlib.Path(directory).rglob("*") if path.is_file()]
    images = {path: path.read_bytes() for path in files}
    folded = {path: fold(image) for path, image in images.items()}
    found = 0
    if not any(images.values()):
        raise SystemExit(f"{directory} holds nothing")
    for line in pathlib.Path(marks).read_text(encoding="utf-8").splitlines():
        form, _, value = line.partition(":")
        if form in ("hex", "uuid"):
            needle, hay = bytes.fromhex(value.replace("-", "")), images
        elif form == "base64":
            needle, hay = base64.b64decode(value + "=" * (-len(value) % 4), validate=True), images
        elif form == "token":
            needle, hay = base64.urlsafe_b64decode(value[4:] + "=")[12:], images
        else:
            needle, hay = fold(line.encode()), folded
        if len(needle) < 4:
            raise SystemExit(f"{line!r} is too short to look for")
        for path, image in hay.items():
            count = image.count(needle)
            if count:
                found += 1
                print(f"{line}: {count} times in {path.name}, first at {image.index(needle)}")
    sys.exit(1 if found else 0)


main()
