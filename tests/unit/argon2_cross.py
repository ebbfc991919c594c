# SPDX-License-Identifier: MIT
"""Holds the port's Argon2id against the reference library (libargon2), which is first held against
the vector of RFC 9106, section 5.3, and against the command `argon2`. The port cannot be given that
vector: it has four lanes, a secret and associated data, and crypto_pwhash() of libsodium, which the
port calls, takes a password, a salt and two costs, and always one lane. So the chain is RFC,
reference library, port.

    argon2_cross.py TOOL [SEED [COUNT]]
"""
import ctypes
import random
import string
import subprocess
import sys


class Context(ctypes.Structure):
    """argon2_context of argon2.h."""
    _fields_ = [("out", ctypes.c_char_p), ("outlen", ctypes.c_uint32),
                ("pwd", ctypes.c_char_p), ("pwdlen", ctypes.c_uint32),
                ("salt", ctypes.c_char_p), ("saltlen", ctypes.c_uint32),
                ("secret", ctypes.c_char_p), ("secretlen", ctypes.c_uint32),
                ("ad", ctypes.c_char_p), ("adlen", ctypes.c_uint32),
                ("t_cost", ctypes.c_uint32), ("m_cost", ctypes.c_uint32),
                ("lanes", ctypes.c_uint32), ("threads", ctypes.c_uint32),
                ("version", ctypes.c_uint32), ("allocate", ctypes.c_void_p),
                ("release", ctypes.c_void_p), ("flags", ctypes.c_uint32)]


def argon2id(library, password, salt, kib, passes, lanes=1, secret=b"", ad=b""):
    out = ctypes.create_string_buffer(32)
    context = Context(out=ctypes.cast(out, ctypes.c_char_p), outlen=32, pwd=password,
                      pwdlen=len(password), salt=salt, saltlen=len(salt), secret=secret,
                      secretlen=len(secret), ad=ad, adlen=len(ad), t_cost=passes, m_cost=kib,
                      lanes=lanes, threads=lanes, version=0x13)
    error = library.argon2id_ctx(ctypes.byref(context))
    if error:
        sys.exit(f"argon2_cross: libargon2 answers {error}")
    return out.raw


def by_command(password, salt, kib, passes):
    """In hex, by the command; both texts are arguments and lines, so letters."""
    return subprocess.run(["argon2", salt.decode(), "-id", "-t", str(passes), "-k", str(kib), "-p",
                           "1", "-l", "32", "-r"], input=password, capture_output=True, timeout=60,
                          check=True).stdout.decode().strip()


def main():
    tool = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    library = ctypes.CDLL("libargon2.so.1")
    rfc = argon2id(library, b"\1" * 32, b"\2" * 16, 32, 3, 4, b"\3" * 8, b"\4" * 12)
    if rfc != bytes.fromhex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"):
        sys.exit("argon2_cross: libargon2 does not give the tag of RFC 9106")
    rand = random.Random(seed)
    asked = [(8, 1, bytes(16), b""), (19456, 2, bytes(range(16)), b"password"),
             (65536, 3, b"\xff" * 16, b"\0" * 128)]
    for _ in range(count):
        asked.append((rand.randint(8, 2048), rand.randint(1, 6), rand.randbytes(16),
                      rand.randbytes(rand.randint(0, 300))))
    letters = string.ascii_letters + string.digits
    commanded = [(kib, passes, *("".join(rand.choices(letters, k=size)).encode()
                                 for size in (16, rand.randint(1, 120))))
                 for kib, passes in ((8, 1), (64, 1), (256, 3), (1024, 10), (4096, 2), (19456, 2),
                                     (65536, 3), (65536, 1))]
    asked += commanded
    lines = "".join(f"{kib} {passes} {salt.hex()} {password.hex() or '-'}\n"
                    for kib, passes, salt, password in asked)
    done = subprocess.run([tool], input=lines, capture_output=True, text=True, timeout=250,
                          check=True)
    answers = done.stdout.split()
    wrong = sum(answer != argon2id(library, password, salt, kib, passes).hex()
                for answer, (kib, passes, salt, password) in zip(answers, asked))
    wrong += sum(answer != by_command(password, salt, kib, passes) for answer,
                 (kib, passes, salt, password) in zip(answers[-len(commanded):], commanded))
    print(f"argon2_cross: RFC 9106 section 5.3 holds for the reference library; the port agrees "
          f"with it on {len(answers) - wrong} of {len(asked)} sets of parameters, and with the "
          f"command argon2 on {len(commanded)} of those")
    sys.exit(1 if wrong or len(answers) != len(asked) else 0)


if __name__ == "__main__":
    main()
