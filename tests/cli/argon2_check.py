# SPDX-License-Identifier: MIT
"""Holds each verifier of an export with hashes against what the command `argon2` makes of the
password, the salt and the costs in it.

    argon2_check.py EXPORT PASSWORD      how many verifiers are of this password; exit status 1: none
"""
import base64
import json
import re
import subprocess
import sys

FORM = re.compile(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$([A-Za-z0-9+/]+)\$[A-Za-z0-9+/]+")


def main():
    found = 0
    for line in open(sys.argv[1], encoding="utf-8"):
        verifier = json.loads(line).get("verifier")
        if verifier is None:
            continue
        match = FORM.fullmatch(verifier)
        if match is None:
            sys.exit(f"argon2_check: not in PHC form: {verifier}")
        salt = base64.b64decode(match[3] + "==")
        if b"\0" in salt:
            print("argon2_check: a salt with a NUL byte cannot be an argument; passed over")
            continue
        made = subprocess.run([b"argon2", salt, b"-id", b"-t", match[2].encode(), b"-k",
                               match[1].encode(), b"-p", b"1", b"-l", b"32", b"-e"],
                              input=sys.argv[2].encode(), capture_output=True, check=True).stdout
        found += made.decode().strip() == verifier
    print(f"{found} verifiers are of this password")
    sys.exit(0 if found else 1)


main()
