# SPDX-License-Identifier: MIT
"""Makes what a gateway is given to import: 997 users in three tenants, in five forms.

    day_make.py DIRECTORY

Writes mosquitto.txt, htpasswd.txt, crypt.txt, people.csv, machines.ndjson, and logins.txt, whose
lines say who logs in with which password: TENANT USER KIND PASSWORD; later.txt has one more, for
another day. Password files are made by the real tools where these are installed
(mosquitto_passwd, htpasswd, mkpasswd), else from hashes that they once made.
"""
import json
import pathlib
import shutil
import subprocess
import sys

COUNTS = {"mosquitto": 200, "htpasswd": 100, "sha512": 40, "yescrypt": 7, "csv": 300,
          "ndjson": 350}
# Who of each kind logs in (twice each: 200 logins with the six by other means).
LOGINS = {"mosquitto": 45, "htpasswd": 25, "sha512": 20, "yescrypt": 7}

# Of "what was always used".
KNOWN = "what was always used"
HASHES = {
    "mosquitto": "$7$101$a249Hb6aszIVc/wH$A4HSMiRxiFcihXM5YBLgowNi5bLZJwYUhbh1jy+hF1FNL34k"
                 "IreNtCdQ/JfSaVExYdFZ4b4NKUXu1z6h1SXBYg==",
    "htpasswd": "$2y$05$sj0ABThDeRispsm4grZsoO5LNK8iMMpiS7Ez6Z.NaFxdhm9gB8c2O",
    "sha512": "$6$9azeCnuBm2EAcon8$dY65AzkKHNQ8a5ie4kWgRLLsLODvFH5rw3XTqtZT/fedkKPelhgSX"
              "rBXgqxZsxUWBWIxNM8Skl5fIGA9qCbdo1",
    "yescrypt": "$y$j9T$IXf1hBjv2at3rpy4W7lIA/$ZYXf4i9Ld3xdB26BQlwBgVdqJG4Wl9SF8A1ORvsmuW5",
}


def user(kind, number):
    return f"{kind}-{number:03}"


def password(kind, number):
    return f"{kind} password {number * 7919 % 10007}"


def tool(name):
    return shutil.which(name)


def mosquitto(path, count):
    """mosquitto_passwd -U hashes the passwords of a whole file at once."""
    path.write_text("".join(f"{user('mosquitto', n)}:{password('mosquitto', n)}\n"
                            for n in range(count)))
    path.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    if path.read_text().count(":$7$") != count:
        raise SystemExit("mosquitto_passwd did not make $7$ hashes of all")


def htpasswd(path, count):
    for n in range(count):
        subprocess.run(["htpasswd", "-i", "-B", "-C", "5"] + (["-c"] if n == 0 else []) +
                       [str(path), user("htpasswd", n)],
                       input=password("htpasswd", n), text=True, check=True, capture_output=True)


def mkpasswd(kind, number):
    form = {"sha512": "sha512crypt", "yescrypt": "yescrypt"}[kind]
    made = subprocess.run(["mkpasswd", "-m", form, "-s"], input=password(kind, number), text=True,
                          check=True, capture_output=True)
    return made.stdout.strip()


def main():
    area = pathlib.Path(sys.argv[1])
    real = {"mosquitto": tool("mosquitto_passwd"), "htpasswd": tool("htpasswd"),
            "sha512": tool("mkpasswd"), "yescrypt": tool("mkpasswd")}

    def constant(kind):
        return "".join(f"{user(kind, n)}:{HASHES[kind]}\n" for n in range(COUNTS[kind]))

    for kind, make in (("mosquitto", mosquitto), ("htpasswd", htpasswd)):
        path = area / f"{kind}.txt"
        if real[kind]:
            make(path, COUNTS[kind])
        else:
            path.write_text(constant(kind))
    (area / "crypt.txt").write_text("".join(
        f"{user(kind, n)}:{mkpasswd(kind, n)}\n" for kind in ("sha512", "yescrypt")
        for n in range(COUNTS[kind])) if real["sha512"]
        else constant("sha512") + constant("yescrypt"))

    with (area / "people.csv").open("w", encoding="utf-8") as out:
        out.write("username,E-mail,display_name,roles,status\r\n")
        for n in range(COUNTS["csv"]):
            name = ["Zoë Ångström", "O'Neill, \"Paddy\"", "李 小龍", "Ann Lee"][n % 4]
            quoted = name.replace('"', '""')
            out.write(f'{user("csv", n)},csv.{n}@example.org,"{quoted} {n}",'
                      f'{["viewer", "operator", ""][n % 3]},'
                      f'{["active", "active", "invited", "suspended"][n % 4]}\r\n')
    with (area / "machines.ndjson").open("w", encoding="utf-8") as out:
        for n in range(COUNTS["ndjson"]):
            record = {"kind": "user", "username": user("ndjson", n),
                      "display_name": f"Pump {n}", "identity_provider": "plant",
                      "identity_provider_id": f"p-{n}",
                      "metadata": {"line": n % 9, "tags": ["a", "b"], "deep": {"x": n}}}
            if n % 2:
                record["email"] = f"pump-{n}@plant.example"
            out.write(json.dumps(record, ensure_ascii=False) + "\n")

    tenants = {"mosquitto": "north", "htpasswd": "south", "sha512": "east", "yescrypt": "east"}

    def login(kind, n):
        secret = password(kind, n) if real[kind] else KNOWN
        return f"{tenants[kind]} {user(kind, n)} {kind} {secret}\n"

    (area / "logins.txt").write_text("".join(login(kind, n) for kind, count in LOGINS.items()
                                             for n in range(count)))
    (area / "later.txt").write_text(login("mosquitto", 199))
    print("made by " + (", ".join(sorted({name for name in real.values() if name})) or "no tool"))


main()
