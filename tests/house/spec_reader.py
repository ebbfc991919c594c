# SPDX-License-Identifier: MIT
"""Reads a store by SPEC.md alone, sharing no code with the program, and checks all of it.

    spec_reader.py [--spec SPEC.md] DIRECTORY|IMAGE [--secret FILE | --passphrase TEXT]
                   [--token TOKEN]... [--claim USER=CODE]... [--password USER=PASSWORD]...
                   [--totp USER=SEED]... [--recovery USER=CODE]... [--bucket TENANT=NAME]...
                   [--export FILE] [--secrets]

The kinds, indexes, keys and fields are read out of SPEC.md's own tables and CDDL, so that the
document is what is tested. Checked: the examples of SPEC.md; every checksum; every record's form;
every index entry, recomputed, both ways; what follows from other records; the audit rings, their chain
and what is sealed in them; that each verifier and seed opens; the tokens, codes, seeds and passwords given; with --export, that FILE is byte for byte
the export of this store.

An image of flash is read by flash_reader.py; a directory needs mdb_dump (lmdb-utils). Needs
python3-cbor2, and libsodium, by ctypes, for Argon2id only: SipHash and XChaCha20-Poly1305 are
written out here, BLAKE2b is Python's.
"""
import argparse
import base64
import ctypes
import ctypes.util
import datetime
import hashlib
import io
import ipaddress
import json
import pathlib
import re
import struct
import subprocess
import sys
import uuid

import cbor2

import flash_reader

WORD = 0xFFFFFFFF
LONG = 0xFFFFFFFFFFFFFFFF


class Fault(Exception):
    """Something is not as SPEC.md says."""


def must(condition, *what):
    if not condition:
        raise Fault(" ".join(w.hex() if isinstance(w, bytes) else str(w) for w in what))


# ---- Cryptography ------------------------------------------------------------------------------


def siphash(key, data):
    """SipHash-2-4, 8 bytes, the lowest first."""
    k0, k1 = struct.unpack("<2Q", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D,
         k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def turn(x, n):
        return (x << n | x >> (64 - n)) & LONG

    def rounds(count):
        a, b, c, d = v
        for _ in range(count):
            a = (a + b) & LONG
            b = turn(b, 13) ^ a
            a = turn(a, 32)
            c = (c + d) & LONG
            d = turn(d, 16) ^ c
            a = (a + d) & LONG
            d = turn(d, 21) ^ a
            c = (c + b) & LONG
            b = turn(b, 17) ^ c
            c = turn(c, 32)
        v[:] = a, b, c, d

    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    for (m,) in struct.iter_unpack("<Q", padded):
        v[3] ^= m
        rounds(2)
        v[0] ^= m
    v[2] ^= 0xFF
    rounds(4)
    return struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])


def blake2b(data, key=b""):
    return hashlib.blake2b(data, key=key, digest_size=32).digest()


def chacha_rounds(words):
    def quarter(a, b, c, d):
        for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            words[x] = (words[x] + words[y]) & WORD
            t = words[z] ^ words[x]
            words[z] = (t << n | t >> (32 - n)) & WORD

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return words


def chacha_words(key, tail):
    return list(struct.unpack("<16I", b"expand 32-byte k" + key + tail))


def chacha_block(key, count, nonce):
    start = chacha_words(key, struct.pack("<I", count) + nonce)
    end = chacha_rounds(list(start))
    return struct.pack("<16I", *((a + b) & WORD for a, b in zip(start, end)))


def unseal(key, nonce, sealed, data):
    """XChaCha20-Poly1305: the plain text, or a Fault."""
    words = chacha_rounds(chacha_words(key, nonce[:16]))
    key = struct.pack("<8I", *words[:4], *words[12:])
    nonce = bytes(4) + nonce[16:]
    text, tag = sealed[:-16], sealed[-16:]
    block = chacha_block(key, 0, nonce)
    r = int.from_bytes(block[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    sums = b"".join(part + bytes(-len(part) % 16) for part in (data, text))
    sums += struct.pack("<2Q", len(data), len(text))
    total = 0
    for i in range(0, len(sums), 16):
        total = (total + int.from_bytes(sums[i:i + 16] + b"\1", "little")) * r % (2**130 - 5)
    total = (total + int.from_bytes(block[16:32], "little")) % 2**128
    must(total.to_bytes(16, "little") == tag, "a sealed text does not open")
    stream = b"".join(chacha_block(key, 1 + i, nonce) for i in range((len(text) + 63) // 64))
    return bytes(a ^ b for a, b in zip(text, stream))


def argon2id(password, salt, kib, passes):
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
    must(sodium.sodium_init() >= 0, "libsodium does not start")
    out = ctypes.create_string_buffer(32)
    failed = sodium.crypto_pwhash(
        out, ctypes.c_ulonglong(32), password, ctypes.c_ulonglong(len(password)), salt,
        ctypes.c_ulonglong(passes), ctypes.c_size_t(kib * 1024), ctypes.c_int(2))
    must(failed == 0, "Argon2id fails")
    return out.raw


# ---- SPEC.md -----------------------------------------------------------------------------------


def tables(text, first, second):
    """The rows of the one table whose header begins with these two cells."""
    rows, inside = [], False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[:2] == [first, second]:
            inside = True
        elif inside and set(line) - set("|-"):
            rows.append(cells)
    must(rows, "SPEC.md has no table", first, second)
    return rows


class Field:
    def __init__(self, optional, type_, comment):
        self.optional, self.type = bool(optional), type_
        parts = [part.strip() for part in comment.split(";")]
        self.name, _, rest = parts[0].partition(":")
        words = [word.strip() for word in rest.split(",")]
        self.implied, self.beyond, self.time = None, [], type_ == "ms"
        for mark, _, what in (part.partition(" ") for part in parts):
            if mark == "else":
                self.implied = what
            elif mark in ("beyond", "beyond,"):
                self.implied = None if mark == "beyond," else "0"
                self.beyond = re.findall(r"([+-]?) ?([a-z_]+)(?= [+-]|$)",
                                         what.removeprefix("where stored, "))
        bound = re.fullmatch(r"0\.\.(\d+)", type_)
        self.choices = words if bound and len(words) == int(bound[1]) + 1 > 1 else None


class Spec:
    def __init__(self, path):
        text = path.read_text()
        self.rules, self.groups = {}, {}
        cddl = re.search(r"```cddl\n(.*?)```", text, re.S)[1]
        for name, body, single in re.findall(
                r"^([a-z-]+) = (?:[{(]\n([^$]*?)^[})]|(.+(?<!/)$))", cddl, re.M):
            if body:
                self.groups[name] = body
            else:
                self.rules[name] = re.sub(r"\s*;.*", "", single)
        self.kinds = {}
        for number, name, class_, shape, soft, rule in tables(text, "kind", "name"):
            fields, more = self.fields(rule)
            self.kinds[int(number)] = dict(name=name, number=int(number), class_=int(class_),
                                           shape=shape, soft=soft == "yes", fields=fields,
                                           more=more)
        self.by_name = {kind["name"]: kind for kind in self.kinds.values()}
        self.indexes = []
        for number, kind, name, fields, unique, over, when in tables(text, "index", "kind"):
            self.indexes.append(dict(
                number=int(number), kind=kind, name=name, unique=unique == "yes",
                fields=[field.split() for field in fields.split(",")], store=over == "store",
                user=over == "user",
                when=when.split(" = ") if when else None))
        self.defaults = {"is_active": True, "identity_provider": "local"}
        self.subkeys = [row[0].strip("`") for row in tables(text, "label", "bytes 0 to 15")]
        self.numbers = [row[:2] for row in tables(text, "number", "bytes")]
        self.examples = dict((row[0], row[1].strip("`")) for row in tables(text, "what", "bytes"))
        self.left_out = {kind: [name.strip() for name in names.split(",")]
                         for kind, names in tables(text, "kind", "left out")}

    def fields(self, rule):
        fields, more = {}, False
        for line in self.groups[rule].splitlines():
            member = re.fullmatch(r"\s*(\? )?(\d+): (.*?),?\s+; (.*)", line)
            if member:
                fields[int(member[2])] = Field(*member.group(1, 3, 4))
            elif line.strip() == "* uint => value":
                more = True
            else:
                fields.update(self.fields(line.strip().rstrip(","))[0])
        named = {field.name: field for field in fields.values()}
        for field in fields.values():
            field.time = field.time or bool(field.beyond) and named[field.beyond[0][1]].time
        return fields, more

    def fits(self, type_, value):
        """CDDL, as much as SPEC.md uses."""
        type_ = type_.strip()
        if " / " in type_ and type_[0] not in "[{":
            return any(self.fits(part, value) for part in type_.split(" / "))
        if type_[0] == "(":
            return self.fits(type_[1:-1], value)
        if type_ in self.rules:
            return self.fits(self.rules[type_], value)
        if type_[0] == "[":
            return isinstance(value, list) and all(self.fits(type_[3:-1], v) for v in value)
        if type_[0] == "{":
            left, right = type_[4:-2].split(" => ")
            return isinstance(value, dict) and all(
                self.fits(left, k) and self.fits(right, v) for k, v in value.items())
        size = re.fullmatch(r"([bt]str) \.size (?:(\d+)|\((\d+)\.\.(\d+)\))", type_)
        if size:
            low, high = size[3] or size[2], size[4] or size[2]
            return self.fits(size[1], value) and int(low) <= len(
                value.encode() if isinstance(value, str) else value) <= int(high)
        bounds = re.fullmatch(r"(\d+)(?:\.\.(\d+))?", type_)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if bounds:
            return whole and int(bounds[1]) <= value <= int(bounds[2] or bounds[1])
        plain = {"uint": whole and value >= 0, "int": whole, "bool": isinstance(value, bool),
                 "tstr": isinstance(value, str), "bstr": isinstance(value, bytes),
                 "null": value is None}
        must(type_ in plain, "CDDL that this reader does not know:", type_)
        return plain[type_]


# ---- Bytes -------------------------------------------------------------------------------------


def number(value):
    if value < 240:
        return bytes([value])
    size = (value.bit_length() + 7) // 8
    return bytes([0xEF + size]) + value.to_bytes(size, "big")


class Key:
    """Takes a key apart."""

    def __init__(self, data):
        self.data = data

    def byte(self):
        must(self.data, "a key ends too early")
        first, self.data = self.data[0], self.data[1:]
        return first

    def number(self):
        first = self.byte()
        if first < 240:
            return first
        size = first - 0xEF
        must(size <= 8 and len(self.data) >= size, "no number in a key")
        value, self.data = int.from_bytes(self.data[:size], "big"), self.data[size:]
        must(number(value) == bytes([first]) + value.to_bytes(size, "big"), "a longer form in a key")
        return value


def head(major, value):
    for extra, size, pack in ((24, 0, ">B"), (1 << 8, 24, ">BB"), (1 << 16, 25, ">BH"),
                              (1 << 32, 26, ">BI"), (1 << 64, 27, ">BQ")):
        if value < extra:
            break
    return struct.pack(pack, major << 5 | (size or value), *([value] if size else []))


def encode(value, depth=8):
    """Deterministic CBOR out of the subset."""
    if value is None or isinstance(value, bool):
        return {False: b"\xF4", True: b"\xF5", None: b"\xF6"}[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    must(depth and isinstance(value, (list, dict)), "CBOR outside the subset")
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(encode(v, depth - 1) for v in value)
    pairs = sorted((encode(k, depth - 1), encode(v, depth - 1)) for k, v in value.items())
    return head(5, len(value)) + b"".join(k + v for k, v in pairs)


def decode(data):
    stream = io.BytesIO(data)
    value = cbor2.CBORDecoder(stream).decode()
    must(isinstance(value, dict) and encode(value) == data, "not deterministic CBOR")
    return value


# ---- The store ---------------------------------------------------------------------------------


def load(directory, spec):
    """Every key and value: of an image, or as LMDB's own tool gives them."""
    if directory.is_file():
        return flash_reader.load(directory, spec)
    text = subprocess.run(["mdb_dump", str(directory)], check=True, capture_output=True,
                          text=True).stdout
    lines = text.splitlines()
    at = lines.index("HEADER=END") + 1
    data = [bytes.fromhex(line.strip()) for line in lines[at:lines.index("DATA=END")]]
    pairs = list(zip(data[::2], data[1::2]))
    must(all(a[0] < b[0] for a, b in zip(pairs, pairs[1:])), "keys out of order")
    must(all(1 <= len(k) <= 128 and len(v) <= 8192 for k, v in pairs), "a key or value too long")
    return dict(pairs)


class Store:
    def __init__(self, spec, pairs, secret=None, passphrase=None):
        self.spec, self.pairs = spec, pairs
        self.records, self.entries, self.cbor = {}, {}, {}
        boot = self.check("boot", decode(pairs[bytes([0, 0, 0, 1])]))
        self.id = boot["store_id"]
        kib, passes = boot.get("memory_kib", 0), boot.get("passes", 0)
        salt = boot.get("salt", bytes(16))
        if boot["wrap"] == 0:
            must(secret is not None, "wrapped by a device secret, and none was given")
            wrapping = blake2b(b"latchkey wrap" + self.id, secret)
        else:
            must(passphrase is not None, "wrapped by a passphrase, and none was given")
            wrapping = argon2id(passphrase.encode(), salt, kib, passes)
        ad = self.id + bytes([boot["wrap"]]) + salt + struct.pack(
            ">3I", kib, passes, boot.get("generation", 0))
        try:
            store_key = unseal(wrapping, boot["nonce"], boot["key"], ad)
        except Fault:
            must("next_key" in boot, "the device secret, or the passphrase, is not this store's")
            store_key = unseal(wrapping, boot["next_nonce"], boot["next_key"], ad)
        self.derive(store_key)
        if "carried" in boot:
            plain = self.inner(store_key, b"latchkey carried", boot["carried"])
            self.take_carried(plain)
        if "old" in boot:
            old = self.own_keys(self.inner(store_key, b"latchkey old", boot["old"]))
            self.keys.append(old)
        must(("place" not in boot or "old" in boot) and ("generation" in boot) == ("carried" in boot),
             "fields of the boot record that do not belong together")

    def inner(self, store_key, label, sealed):
        return unseal(blake2b(label + self.id, store_key), sealed[:24], sealed[24:], b"")

    def own_keys(self, store_key):
        keys = [blake2b(label.encode(), store_key) for label in self.spec.subkeys]
        return keys[0][:16], keys[0][16:], keys[2]

    def derive(self, store_key):
        keys = [blake2b(label.encode(), store_key) for label in self.spec.subkeys]
        self.keys = [self.own_keys(store_key)]
        self.k0, self.k1, self.seal_key = self.keys[0]
        self.take_carried(keys[1] + b"".join(keys[3:]))

    def take_carried(self, plain):
        must(len(plain) == 160, "carried keys")
        self.index_key, self.bucket_key = plain[:16], plain[16:32]
        self.token_key, self.chain_key, self.trace_key = plain[32:64], plain[64:96], plain[96:128]
        self.source_key, self.fold_key = plain[128:144], plain[144:]

    def checksum(self, key, cbor):
        return siphash(self.k1, siphash(self.k0, cbor) + key)

    def checksums(self, key, cbor):
        """By the store key, and by the one before while it is in use."""
        return [siphash(k1, siphash(k0, cbor) + key) for k0, k1, _ in self.keys]

    def unseal_either(self, sealed, ad):
        for _, _, seal_key in self.keys[:-1]:
            try:
                return unseal(seal_key, sealed[:24], sealed[24:], ad)
            except Fault:
                pass
        return unseal(self.keys[-1][2], sealed[:24], sealed[24:], ad)

    def check(self, name, values):
        """Field numbers to names; a Fault where a value is not as the CDDL has it."""
        kind = self.spec.by_name[name]
        for at, field in kind["fields"].items():
            must(field.optional or at in values, name, "without", field.name)
            must(at not in values or self.spec.fits(field.type, values[at]),
                 name, field.name, "is", values.get(at))
            if field.type == "ids" and at in values:
                must(values[at] == sorted(set(values[at])), name, field.name, "does not rise")
        must(kind["more"] or values.keys() <= kind["fields"].keys(), name, "has unknown fields")
        return {kind["fields"][at].name if at in kind["fields"] else at: value
                for at, value in values.items()}

    @staticmethod
    def resolve(kind, record):
        """What is implied, and what is stored as a difference."""
        for _, field in sorted(kind["fields"].items()):
            implied, value = field.implied, record.get(field.name)
            if value is None and implied is not None:
                value = (implied.strip('"') if implied[0] == '"' else int(implied)
                         if implied.isdigit() else record.get(implied, 0))
            if value is not None and field.beyond:
                value += sum(-record.get(name, 0) if sign == "-" else record.get(name, 0)
                             for sign, name in field.beyond)
                value %= 2**64
            linked = field.beyond or implied and implied[0].isalpha()
            if value is None or implied and value == "" or linked and value == 0:
                record.pop(field.name, None)
            else:
                record[field.name] = value
        return record

    def take_key(self, key):
        """Kind and id (tenant, user or ring, number or slot) of a record key."""
        at = Key(key)
        tenant, class_, user = at.number(), at.byte(), at.number()
        kind = self.spec.kinds.get(at.byte())
        must(kind and kind["class_"] == class_, "a key of no kind:", key)
        ring = kind["shape"] == "ring"
        user = at.number() if ring else user
        number_ = at.number() if kind["shape"] in ("in-tenant", "of-user", "ring") else 0
        must(not at.data, "a key too long:", key)
        return kind, (tenant, user, number_)

    def read(self):
        for key, value in self.pairs.items():
            at = Key(key)
            at.number()
            if at.byte() == 0xFF:
                self.entries[key] = value
                continue
            kind, id_ = self.take_key(key)
            if kind["name"] == "boot":
                continue
            must(value[-8:] in self.checksums(key, value[:-8]), "checksum of", key)
            record = self.resolve(kind, self.check(kind["name"], decode(value[:-8])))
            if kind["name"] == "audit":
                self.cbor[id_] = value[:-8]
            self.records.setdefault(kind["name"], {})[id_] = record
        must(self.records["meta"][(0, 0, 0)]["schema"] == 1, "another schema")

    # ---- Indexes

    def index_text(self, text, fold):
        data = text.encode()
        if fold:
            data = bytes(b + 32 if 65 <= b <= 90 else b for b in data)
        if len(data) <= 40:
            return data + b"\0"
        return data[:40] + b"\1" + siphash(self.index_key, data[:256])

    def index_field(self, words, kind, record):
        """Bytes of one field: a list, empty where there is no entry."""
        name, marks = words[-1], words[:-1]
        field = next(f for f in kind["fields"].values() if f.name == name)
        value = record.get(name, self.spec.defaults.get(name))
        if "each" in marks:
            return [number(v) for v in value or []]
        if value is None and (field.choices or field.type == "bool"):
            value = 0
        if value is None:
            return []
        if isinstance(value, str):
            return [self.index_text(value, "fold" in marks)]
        if isinstance(value, bytes):
            return [value]
        return [number(int(value) // 86400000 if "day" in marks else int(value))]

    @staticmethod
    def index_id(kind, id_):
        tenant, user, number_ = id_
        return b"".join(number(n) for n in {
            "tenant": (tenant,), "in-tenant": (number_,), "user": (user,),
            "one-a-user": (user,), "of-user": (user, number_)}[kind["shape"]])

    def index_entries(self, kind, id_, record):
        """The entries that a record should have, as (key, value)."""
        own = self.index_id(kind, id_) if kind["shape"] != "ring" else b""
        if "deleted_at" in record:
            tenant = 0 if kind["shape"] == "tenant" else id_[0]
            yield (number(tenant) + bytes([0xFF, 1, kind["number"]]) +
                   number(record["deleted_at"]) + own), b""
            return
        for index in self.spec.indexes:
            if index["kind"] != kind["name"]:
                continue
            if index["when"] and record.get(index["when"][0], 0) != int(index["when"][1]):
                continue
            keys = [number(0 if index["store"] else id_[0]) + bytes([0xFF, index["number"]]) +
                    (number(id_[1]) if index["user"] else b"")]
            for words in index["fields"]:
                keys = [key + more for key in keys
                        for more in self.index_field(words, kind, record)]
            for key in keys:
                if not index["unique"]:
                    yield key + own, b""
                elif index["store"] and kind["shape"] != "tenant":
                    yield key, number(id_[0]) + own
                else:
                    yield key, own

    def check_indexes(self):
        want = {}
        for name, records in self.records.items():
            for id_, record in records.items():
                for key, value in self.index_entries(self.spec.by_name[name], id_, record):
                    must(key not in want, "two records with the index key", key)
                    want[key] = value
        for key in want.keys() | self.entries.keys():
            must(key in self.entries, "index entry missing:", key)
            must(key in want, "index entry of no record:", key)
            must(want[key] == self.entries[key], "index entry of another record:", key)

    # ---- What follows from other records

    def check_owners(self):
        for name, records in self.records.items():
            shape = self.spec.by_name[name]["shape"]
            for tenant, user, _ in records:
                if shape in ("of-user", "one-a-user"):
                    must((tenant, user, 0) in self.records["user"], name, "of no user")
                elif shape != "tenant" and tenant:
                    must((tenant, 0, 0) in self.records["tenant"], name, "of no tenant")

    def check_sequences(self):
        for name in ("tenant", "permission", "role", "user", "device", "credential"):
            kind = self.spec.by_name[name]
            for tenant, user, own in self.records.get(name, {}):
                last = self.records["sequence"].get(
                    (0 if name == "tenant" else tenant, 0, kind["number"]), {"last": 0})["last"]
                must((tenant if name == "tenant" else user if name == "user" else own) <= last,
                     "sequence of", name, "is behind")
        for tenant, user, own in self.records.get("session", {}):
            must(own <= self.records["activity"][(tenant, user, 0)]["session_number"],
                 "session number is behind")

    def check_roles(self):
        roles = self.records.get("role", {})
        for (tenant, _, own), role in roles.items():
            bits, at = 0, own
            while at and "deleted_at" not in role:
                one = roles.get((tenant, 0, at), {"deleted_at": 0})
                if "deleted_at" in one or not one.get("is_active", True):
                    break
                for permission in one.get("permissions", []):
                    bits |= 1 << permission
                at = one.get("parent", 0)
            want = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
            must("deleted_at" in role or role.get("compiled", b"") == want, "compiled role", own)
        for (tenant, user, _), record in self.records.get("user", {}).items():
            granted = [n for t, u, n in sorted(self.records.get("grant", {}))
                       if (t, u) == (tenant, user)]
            must(record.get("roles", []) == granted, "roles of user", user)
        for (_, _, own), grant in self.records.get("grant", {}).items():
            must(grant["role"] == own, "a grant of another role")

    def check_rings(self):
        """Order, shape and chain of every ring; answers how many sealed fields were opened."""
        entries = self.records.get("audit", {})
        opened = 0
        for tenant in sorted({id_[0] for id_ in entries}):
            owner = (self.records["tenant"][(tenant, 0, 0)] if tenant else
                     self.records["meta"][(0, 0, 0)])
            rings = [self.ring(tenant, ring, owner) for ring in (0, 1)]
            audit = sorted((e for ring in rings for e in ring), key=lambda e: e[1]["seq"])
            must(all(a[1]["seq"] < b[1]["seq"] and (a[1]["at"] <= b[1]["at"] or b[1]["action"] == "clock.epoch")
                     for a, b in zip(audit, audit[1:])), "order of the audit")
            newest = [None, None]
            for id_, entry in audit:
                self.check_links(id_, entry, newest, rings)
                newest[id_[1]] = entry["chain"][:8]
                opened += "sealed" in entry and self.open_entry(id_, entry, owner)
        return opened

    def ring(self, tenant, ring, owner):
        """The entries of a ring, oldest first, as (id, entry); the first link of the oldest."""
        slots = {s: e for (t, r, s), e in self.records["audit"].items() if (t, r) == (tenant, ring)}
        capacity = owner["audit_capacity"]
        must(all(slot < capacity for slot in slots), "slots of ring", ring)
        if not slots:
            return []
        low, high = 0, capacity
        while 0 in slots and high - low > 1:
            middle = (low + high) // 2
            if middle in slots and slots[middle]["seq"] >= slots[0]["seq"]:
                low = middle
            else:
                high = middle
        newest = low if 0 in slots else max(slots)
        order = [(newest + 1 + i) % capacity for i in range(capacity)]
        order = [slot for slot in order if slot in slots]
        must([(order[0] + i) % capacity for i in range(len(order))] == order and
             order[-1] == newest, "empty slots of ring", ring)
        must(slots[newest]["seq"] == max(e["seq"] for e in slots.values()), "newest entry")
        if len(order) < capacity:
            gone = owner.get("audit_gone", bytes(16))[8 * ring:8 * ring + 8]
            must(slots[order[0]]["links"][:8] == gone, "what ring", ring, "begins with")
        return [((tenant, ring, slot), slots[slot]) for slot in order]

    def check_links(self, id_, entry, newest, rings):
        cbor = self.cbor[id_]
        must(cbor[-19:-16] == bytes([0x18, 63, 0x50]), "chain is not the last")
        must(entry["chain"] == blake2b(struct.pack(">IB", id_[0], id_[1]) + cbor[:-16],
                                       self.chain_key)[:16], "chain of entry", entry["seq"])
        own, other = newest[id_[1]], newest[1 - id_[1]]
        must(own in (None, entry["links"][:8]), "link of entry", entry["seq"])
        must(other in (None, entry["links"][8:]), "link to the other ring of entry", entry["seq"])
        must(rings[1 - id_[1]] or entry["links"][8:] == bytes(8), "the other ring is empty")

    def open_entry(self, id_, entry, owner):
        """1 when the personal data open, 0 when the key is gone with the user."""
        tenant, ring, _ = id_
        user = entry.get("actor", 0)
        key = owner.get("audit_key", bytes(16))
        if user:
            key = self.records.get("activity", {}).get((tenant, user, 0), {}).get("audit_key")
            if key is None:
                must((tenant, user, 0) not in self.records["user"], "a user without audit_key")
                return 0
        key = blake2b(struct.pack(">2I", tenant, user) + key, self.trace_key)
        sealed = entry["sealed"]
        nonce = sealed[:8] + struct.pack(">2IQ", tenant, ring, entry["seq"])
        trace = self.check_trace(decode(unseal(key, nonce, sealed[8:], b"")))
        if "ip" in trace:
            tag = siphash(self.source_key, struct.pack(">I", tenant) + trace["ip"])
            must(entry["source_tag"] == tag, "source_tag of entry", entry["seq"])
        return 1

    def check_trace(self, values):
        fields, _ = self.spec.fields("trace")
        must(values and values.keys() <= fields.keys(), "fields of personal data")
        must(all(self.spec.fits(fields[at].type, value) for at, value in values.items()),
             "personal data")
        return {fields[at].name: value for at, value in values.items()}

    def check_folds(self):
        for id_, fold in self.records.get("fold", {}).items():
            tag = fold.get("source_tag", b"") if fold.get("actor") else b""
            if "description" in fold:
                same = [fold.get("ring", 0), fold.get("actor", 0), fold.get("channel", 0),
                        fold["action"], fold["resource_type"], fold.get("resource_id", ""),
                        fold["description"], tag]
                must(fold["key"] == siphash(self.fold_key, encode(same)), "key of fold", id_[2])

    # ---- Secrets

    def verifier(self, id_, secret):
        return self.unseal_either(secret, self.id + struct.pack(">3I", *id_))

    def credentials(self, name, wanted=None):
        """Credentials of a type (as the CDDL names it), of one user where `wanted` is a username."""
        types = next(f for f in self.spec.by_name["credential"]["fields"].values()
                     if f.name == "type").choices
        for id_, record in sorted(self.records.get("credential", {}).items()):
            user = self.records["user"][(id_[0], id_[1], 0)]
            if types[record["type"]] == name and wanted in (None, user["username"]):
                yield id_, record

    def check_verifiers(self):
        count = 0
        for id_, record in self.credentials("password"):
            if "secret" in record:
                plain = self.verifier(id_, record["secret"])
                must(plain[0] == 1 and len(plain) == 54 or
                     plain[0] == 2 and re.fullmatch(rb"\$[!-~]{1,254}", plain[1:]), "a verifier")
                count += 1
            count += len(self.history(id_, record))
        return count

    def seed(self, id_, secret):
        plain = self.verifier(id_, secret)
        must(plain[0] == 3 and 17 <= len(plain) <= 65, "a seed")
        return base64.b32encode(plain[1:]).decode().rstrip("=")

    def check_seeds(self):
        for id_, record in self.credentials("totp"):
            must(record.get("digits", 6) != 7, "digits of a code")
            if "secret" in record:
                self.seed(id_, record["secret"])
        for _, record in self.credentials("recovery"):
            must(len(record.get("secret", b"")) in range(0, 161, 16), "recovery codes")

    def check_totp(self, user, seed):
        must(any(self.seed(id_, record["secret"]) == seed
                 for id_, record in self.credentials("totp", user)), "seed of", user)

    def credential_key(self, id_, record):
        """What the hashes of an API key or of recovery codes are made with."""
        place = struct.pack(">3I", *id_)
        if "hash_key" in record:
            return self.unseal_either(record["hash_key"], self.id + place + b"\2")
        return blake2b(b"credential" + place, self.token_key)

    def recovery_hash(self, id_, record, code):
        plain = b"recovery" + code.replace("-", "").encode()
        return blake2b(plain, self.credential_key(id_, record))[:16]

    def check_recovery(self, user, code):
        must(any(self.recovery_hash(id_, record, code) in
                 [record["secret"][at:at + 16] for at in range(0, len(record["secret"]), 16)]
                 for id_, record in self.credentials("recovery", user)), "recovery code of", user)

    def history(self, id_, record):
        """Verifiers of earlier passwords."""
        sealed, found = record.get("history"), []
        if sealed is None:
            return found
        plain = self.unseal_either(sealed, self.id + struct.pack(">3I", *id_) + b"\1")
        while plain:
            size = struct.unpack(">H", plain[:2])[0]
            found.append(plain[2:2 + size])
            must(len(found[-1]) == size and found[-1][0] in (1, 2), "an earlier verifier")
            plain = plain[2 + size:]
        must(1 <= len(found) <= 9, "earlier verifiers:", len(found))
        return found

    def check_password(self, user, password):
        for id_, record in self.credentials("password", user):
            plain = self.verifier(id_, record["secret"])
            must(plain[0] == 1, "the verifier of", user, "is another program's")
            kib, passes, salt, hash_ = struct.unpack(">IB16s32s", plain[1:])
            must(argon2id(password.encode(), salt, kib, passes) == hash_, "password of", user)
            return
        raise Fault(f"{user} has no password")

    def check_earlier(self, user, password):
        for id_, record in self.credentials("password", user):
            for plain in self.history(id_, record):
                kib, passes, salt, hash_ = struct.unpack(">IB16s32s", plain[1:])
                if argon2id(password.encode(), salt, kib, passes) == hash_:
                    return
        raise Fault(f"{user} never had this password")

    def check_claim(self, user, code):
        plain = b"claim" + code.replace("-", "").lower().encode()
        must(any(record["secret"] == blake2b(plain, self.token_key)[:16]
                 for _, record in self.credentials("claim", user)), "claim code of", user)

    def token_hash(self, token, key=None):
        return blake2b((key or self.token_key) + token.encode())[:16]

    def check_token(self, token):
        must(re.fullmatch(r"lk[sad]_[A-Za-z0-9_-]{43}", token), "no token:", token)
        id_ = struct.unpack(">3I", base64.urlsafe_b64decode(token[4:] + "=")[:12])
        name, field = {"s": ("session", "token_hash"), "a": ("credential", "secret"),
                       "d": ("device", "cookie_hash")}[token[2]]
        record = self.records.get(name, {}).get(id_)
        must(record, "token of no record")
        key = self.credential_key(id_, record) if name == "credential" else None
        must(record[field] == self.token_hash(token, key), "token's hash")
        must(name != "credential" or record["prefix"] == token[:24], "prefix of an API key")

    def check_bucket(self, tenant, name):
        tag = int.from_bytes(siphash(self.bucket_key,
                                     struct.pack(">I", int(tenant)) + name.lower().encode()), "big")
        slots = [self.records.get("bucket", {}).get((int(tenant), 0, 1 + 8 * (tag % 256) + slot), {})
                 for slot in range(8)]
        must(any(slot.get("name_tag") == tag for slot in slots), "bucket of", name)

    # ---- Export

    def export_value(self, field, value):
        if field.choices:
            return field.choices[value]
        if field.time:
            time = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=value)
            return time.isoformat(timespec="milliseconds" if value % 1000 else "seconds") + "Z"
        if field.type == "uuid":
            return str(uuid.UUID(bytes=value))
        if field.type == "address":
            return str(ipaddress.ip_address(value))
        return base64.b64encode(value).decode() if isinstance(value, bytes) else value

    def export_line(self, kind, id_, record, secrets):
        names = zip(("tenant", "user", "sub"), id_)
        line = {"kind": kind["name"], "id": {n: v for n, v in names if v or n == "tenant"}}
        for _, field in sorted(kind["fields"].items()):
            if field.name in record and field.name not in self.spec.left_out.get(kind["name"], []):
                line[field.name] = self.export_value(field, record[field.name])
        if secrets and kind["name"] == "credential" and (
                id_ in [i for i, _ in self.credentials("password")]) and "secret" in record:
            plain = self.verifier(id_, record["secret"])
            line["verifier"] = plain[1:].decode() if plain[0] == 2 else (
                "$argon2id$v=19$m=%d,t=%d,p=1$%s$%s" % (
                    *struct.unpack(">IB", plain[1:6]),
                    *(base64.b64encode(part).decode().rstrip("=")
                      for part in (plain[6:22], plain[22:]))))
        if secrets and kind["name"] == "credential" and (
                id_ in [i for i, _ in self.credentials("totp")]) and "secret" in record:
            line["seed"] = self.seed(id_, record["secret"])
        if secrets and kind["name"] == "credential" and "secret" in record and (
                id_ in [i for name in ("recovery", "api_key") for i, _ in self.credentials(name)]):
            line["keyed"] = (self.credential_key(id_, record).hex() + ":" +
                             record["secret"].hex())
        return json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n"

    def export(self, secrets):
        rank = {"tenant": 0, "in-tenant": 2, "user": 3, "of-user": 4, "one-a-user": 4}
        lines = []
        for name in ("tenant", "sequence", "permission", "role", "user", "activity", "grant",
                     "device", "credential"):
            kind = self.spec.by_name[name]
            for id_, record in self.records.get(name, {}).items():
                order = 1 if name == "sequence" else rank[kind["shape"]]
                gone = record.get("deleted_at", -1) if kind["shape"] != "tenant" else -1
                lines.append(((id_[0], order, kind["number"], gone, id_),
                              self.export_line(kind, id_, record, secrets)))
        return "".join(line for _, line in sorted(lines))


def check_examples(spec):
    """Section 2's numbers, and section 11."""
    for value, bytes_ in spec.numbers:
        must(number(int(value)) == bytes.fromhex(bytes_), "number", value)
    store = Store.__new__(Store)
    store.spec, store.id = spec, bytes([0xA5]) * 16
    store.derive(bytes(range(32)))
    got = {
        "record key k0": store.k0, "record key k1": store.k1, "index key": store.index_key,
        "bucket key": store.bucket_key, "seal key": store.seal_key, "token key": store.token_key,
        "chain key": store.chain_key, "trace key": store.trace_key,
        "source key": store.source_key, "fold key": store.fold_key,
    }
    example = {what: text for what, text in spec.examples.items()}
    key, cbor = (bytes.fromhex(example[what]) for what in ("a key", "its CBOR"))
    kind, id_ = store.take_key(key)
    record = store.check(kind["name"], decode(cbor))
    got["its checksum"] = store.checksum(key, cbor)
    for i, (entry, value) in enumerate(store.index_entries(kind, id_, record), 1):
        got[f"its index entry {i}"] = entry
        if value:
            got[f"its index entry {i}, value"] = value
    token = example["a token"]
    got["its hash"] = store.token_hash(token)
    got["hash of claim code ABCD-EFGH-JKLM-NPQR"] = blake2b(
        b"claimabcdefghjklmnpqr", store.token_key)[:16]
    got["key of credential 7"] = store.credential_key((1, 300, 7), {})
    got["hash of recovery code 01234-VWXYZ of credential 7"] = store.recovery_hash(
        (1, 300, 7), {}, "01234-VWXYZ")
    got["wrapping key for a device secret of 32 bytes 5A"] = blake2b(
        b"latchkey wrap" + store.id, b"\x5A" * 32)
    got["sealed password hash, associated data"] = store.id + struct.pack(">3I", 1, 300, 7)
    for what, bytes_ in got.items():
        must(bytes.fromhex(example.get(what, "")) == bytes_, "example:", what, "|", bytes_)
    must(len(example) == len(got) + 3, "examples that nothing checks")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--spec", type=pathlib.Path, default="SPEC.md")
    parser.add_argument("--secret", type=pathlib.Path)
    parser.add_argument("--passphrase")
    for name in ("--token", "--claim", "--password", "--earlier", "--bucket", "--totp", "--recovery"):
        parser.add_argument(name, action="append", default=[])
    parser.add_argument("--export", type=pathlib.Path)
    parser.add_argument("--secrets", action="store_true")
    arguments = parser.parse_args()
    try:
        spec = Spec(arguments.spec)
        check_examples(spec)
        secret = None
        if arguments.passphrase is None:
            beside = pathlib.Path(f"{arguments.directory}.secret") if (
                arguments.directory.is_file()) else arguments.directory / "secret"
            secret = (arguments.secret or beside).read_bytes()
            must(len(secret) == 32, "the device secret is not 32 bytes")
        store = Store(spec, load(arguments.directory, arguments.spec), secret, arguments.passphrase)
        store.read()
        store.check_indexes()
        store.check_owners()
        store.check_sequences()
        store.check_roles()
        opened = store.check_rings()
        store.check_folds()
        verifiers = store.check_verifiers()
        store.check_seeds()
        for token in arguments.token:
            store.check_token(token)
        for given in arguments.claim:
            store.check_claim(*given.split("=", 1))
        for given in arguments.password:
            store.check_password(*given.split("=", 1))
        for given in arguments.totp:
            store.check_totp(*given.split("=", 1))
        for given in arguments.recovery:
            store.check_recovery(*given.split("=", 1))
        for given in arguments.earlier:
            store.check_earlier(*given.split("=", 1))
        for given in arguments.bucket:
            store.check_bucket(*given.split("=", 1))
        if arguments.export:
            must(store.export(arguments.secrets) == arguments.export.read_text(),
                 "the export is not the store's")
    except (Fault, flash_reader.Fault, cbor2.CBORDecodeError) as fault:
        print(f"spec_reader: {fault}", file=sys.stderr)
        sys.exit(1)
    counts = ", ".join(f"{name} {len(records)}" for name, records in sorted(store.records.items()))
    print(f"{len(store.entries)} index entries, {verifiers} verifiers, {len(store.cbor)} entries "
          f"chained, {opened} of them opened; {counts}")


if __name__ == "__main__":
    main()
