#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds the codec against python3-cbor2, in both directions.

    cbor_cross.py PATH/TO/cbor_tool [SEED [COUNT]]

1. Random items, encoded by cbor2: the tool must read them and write the same bytes.
2. The same items damaged, and items outside the subset: the tool must accept those, and only those,
   that cbor2 reads and that come out as the same bytes when encoded deterministically.
3. Random items of the tool's own: cbor2 must read them and encode them to the same bytes.

cbor2's canonical form is that of RFC 7049, section 3.9, which sorts map keys by length first. The
store follows RFC 8949, section 4.2.1, which sorts by the bytes alone. They differ as soon as a map
has keys such as 100 (18 64) and -1 (20). Numbers, strings and arrays are the same in both, so maps
alone are put together here, from what cbor2 made of their keys and values; and where the two
orders differ, cbor2's own is one more thing for the tool to refuse.
"""

import datetime
import io
import random
import resource
import subprocess
import sys
from collections.abc import Mapping

import cbor2

DEPTH = 8
CODE_POINTS = "aZ0 \x00\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"
EDGES = [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1]
OUTSIDE = [
    0.0, 1.5, float("inf"), float("nan"), cbor2.undefined, 2**64, -(2**64) - 1,
    cbor2.CBORSimpleValue(16), cbor2.CBORSimpleValue(255), cbor2.CBORTag(0, "x"),
    datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc), {1, 2},
]


def plain(item):
    return cbor2.dumps(item, canonical=True)


def head(major, count):
    encoded = bytearray(plain(count))
    encoded[0] |= major << 5
    return bytes(encoded)


def deterministic(item):
    """RFC 8949, section 4.2.1."""
    if isinstance(item, (list, tuple)):
        return head(4, len(item)) + b"".join(deterministic(child) for child in item)
    if isinstance(item, Mapping):
        pairs = sorted((deterministic(key), deterministic(value)) for key, value in item.items())
        return head(5, len(pairs)) + b"".join(key + value for key, value in pairs)
    return plain(item)


def inside(item, depth=DEPTH):
    """Whether the item is of the subset, whatever its bytes were."""
    if isinstance(item, (list, tuple)):
        return depth > 0 and all(inside(child, depth - 1) for child in item)
    if isinstance(item, Mapping):
        return depth > 0 and all(
            inside(key, depth - 1) and inside(value, depth - 1) for key, value in item.items()
        )
    if isinstance(item, int) and not isinstance(item, bool):
        return -(2**64) <= item < 2**64
    return item is None or isinstance(item, (bool, bytes, str))


def random_number(rng):
    number = rng.choice(EDGES) if rng.randrange(3) == 0 else rng.getrandbits(rng.randrange(1, 65))
    return number if rng.randrange(2) else -1 - number


def random_scalar(rng, length):
    pick = rng.randrange(6)
    if pick < 2:
        return random_number(rng)
    if pick == 2:
        return rng.randbytes(rng.randrange(length + 1))
    if pick == 3:
        return "".join(rng.choice(CODE_POINTS) for _ in range(rng.randrange(length + 1)))
    return None if pick == 4 else rng.randrange(2) == 1


def random_key(rng):
    """Python takes False for 0 and True for 1 as a key, so neither of them is one here."""
    while True:
        key = random_scalar(rng, 9)
        if not isinstance(key, bool):
            return key if rng.randrange(8) else (random_number(rng), random_number(rng))


def random_item(rng, depth=DEPTH):
    pick = rng.randrange(3 if depth == DEPTH else 8)
    if depth == 0 or pick > 1:
        return random_scalar(rng, 300 if pick == 2 else 12)
    count = rng.randrange(32 if depth == DEPTH else 5)
    if pick == 1:
        return [random_item(rng, depth - 1) for _ in range(count)]
    # A key may be an array, which is one level of its own.
    keys = [random_key(rng) for _ in range(count)] if depth > 1 else list(range(count))
    return {key: random_item(rng, depth - 1) for key in keys}


def damage(rng, encoded):
    broken = bytearray(encoded)
    for _ in range(rng.randrange(1, 3)):
        pick = rng.randrange(4)
        at = rng.randrange(len(broken) + 1)
        if pick == 0:
            del broken[at:]
        elif pick == 1:
            broken.insert(at, rng.choice(b"\x00\x17\x18\x20\x40\x5f\x60\x80\x9f\xa0\xa1\xc0\xf4\xf7\xff"))
        elif at < len(broken):
            broken[at] = rng.randrange(256) if pick == 2 else broken[at] ^ 1 << rng.randrange(8)
    return bytes(broken)


def acceptable(encoded):
    """What the store ought to say to these bytes, by cbor2's reading of them."""
    stream = io.BytesIO(encoded)
    # cbor2 reserves memory by counts before it looks whether they can be true. Only the soft limit,
    # and only here: the tool would inherit it, and sanitizers need room.
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2**30, limits[1]))
    try:
        item = cbor2.load(stream)
        if stream.read(1) or not inside(item):
            return False
        return deterministic(item) == encoded
    except Exception:  # cbor2 lets errors of many kinds through
        return False
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


def ask(tool, items):
    text = "".join(item.hex() + "\n" for item in items)
    done = subprocess.run([tool], input=text, capture_output=True, text=True, timeout=300)
    answers = done.stdout.splitlines()
    if done.returncode != 0 or len(answers) != len(items):
        sys.exit(f"cbor_cross: {tool} failed ({done.returncode}): {done.stderr.strip()}")
    return answers


def main():
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(f"usage: {sys.argv[0]} PATH/TO/cbor_tool [SEED [COUNT]]")
    tool = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20261121
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
    rng = random.Random(seed)
    differences = 0

    def expect(encoded, wanted, answer, what):
        nonlocal differences
        if answer != wanted:
            differences += 1
            print(f"cbor_cross: {what}: wanted {wanted[:80]}, got {answer[:80]}", file=sys.stderr)
            print(f"  rerun: echo {encoded.hex()} | {tool}", file=sys.stderr)

    good = []
    length_first = []
    for _ in range(count):
        item = random_item(rng)
        encoded = deterministic(item)
        good.append(encoded)
        if plain(item) != encoded:
            length_first.append(plain(item))
    for encoded, answer in zip(good, ask(tool, good)):
        expect(encoded, "ok " + encoded.hex(), answer, "cbor2's item")
    for encoded, answer in zip(length_first, ask(tool, length_first)):
        expect(encoded, "bad", answer, "keys sorted by length first")

    bad = [damage(rng, encoded) for encoded in good for _ in range(4)]
    for item in OUTSIDE:
        bad += [cbor2.dumps(item), cbor2.dumps([item]), cbor2.dumps({1: item})]
    accepted = 0
    for encoded, answer in zip(bad, ask(tool, bad)):
        wanted = acceptable(encoded)
        accepted += wanted
        # Damage can make a key false or true, which Python then takes for 0 or 1: cbor2 loses a
        # pair and cannot be asked.
        if not wanted and answer != "bad" and (b"\xf4" in encoded or b"\xf5" in encoded):
            continue
        expect(encoded, "ok " + encoded.hex() if wanted else "bad", answer, "damaged item")

    done = subprocess.run(
        [tool, "--generate", str(seed), str(count)], capture_output=True, text=True, timeout=300
    )
    ours = [bytes.fromhex(line) for line in done.stdout.splitlines()]
    if done.returncode != 0 or len(ours) != count:
        sys.exit(f"cbor_cross: {tool} --generate failed: {done.stderr.strip()}")
    for encoded in ours:
        expect(encoded, "True", str(acceptable(encoded)), "the tool's item, read by cbor2")

    print(
        f"cbor_cross: seed {seed}: {len(good)} items read, {len(length_first)} refused for their "
        f"order, {len(bad)} damaged ({accepted} still good), {len(ours)} items written; "
        f"{differences} differences"
    )
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
