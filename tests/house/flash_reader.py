# SPDX-License-Identifier: MIT
"""Reads a store in NOR flash by SPEC.md, section 12, alone, sharing no code with the program.

    flash_reader.py [--spec SPEC.md] IMAGE [--map FILE] [--types]

The places in a sector's header and the types of frames are read out of SPEC.md's own tables, so
that the document is what is tested. IMAGE is an image, or the text of one as tests/golden has it.
With --map, that FILE tells what the log stands for, as the golden test writes it; --types tells how
many frames of each type were met. spec_reader.py reads stores of a program by this.
"""
import argparse
import pathlib
import re
import struct
import sys
import zlib


class Fault(Exception):
    """Something is not as SPEC.md says."""


def must(condition, *what):
    if not condition:
        raise Fault(" ".join(str(w) for w in what))


def rows(text, *header):
    """The rows of the table that begins with these cells, after the heading of section 12."""
    found, inside = [], False
    for line in text[text.index("## 12 NOR flash"):].splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[:len(header)] == list(header):
            inside = True
        elif inside and set(line) - set("|-"):
            found.append(cells)
    must(found, "SPEC.md has no table", *header)
    return found


class Layout:
    """What SPEC.md's tables say."""

    NAMES = ["magic", "layout", "unit", "size", "count", "generation", "begin", "before", "erases",
             "erased", "programmed", "from", "last", "crc"]
    SIZES = {1: "B", 2: "<H", 4: "<I"}

    def __init__(self, spec):
        text = pathlib.Path(spec).read_text()
        table = rows(text, "offset", "size", "what")
        must(len(table) == len(self.NAMES), "the header has other fields")
        self.places = {name: (int(at), int(size)) for name, (at, size, _) in
                       zip(self.NAMES, table)}
        self.magic = bytes.fromhex(re.search(r"`([^`]+)`", table[0][2])[1])
        self.number = int(re.search(r"layout: (\d+)", table[1][2])[1])
        self.head = self.places["crc"][0] + 4
        self.types = {int(number): name for number, name, _ in rows(text, "type", "name", "what")}
        self.mark = int(re.search(r"first 4 bytes are ([0-9A-F]{8}) \(u32\)", text)[1], 16)
        self.mark_off = int(re.search(r"differ\s+from it in at most (\d+) bits", text)[1])

    def header(self, data, at, sector):
        """The fields of a header, or None where none holds."""
        raw = data[at:at + self.head]
        if len(raw) < self.head or raw[:2] != self.magic:
            return None
        field = {name: struct.unpack(self.SIZES[size], raw[place:place + size])[0]
                 for name, (place, size) in self.places.items()}
        if field["crc"] != zlib.crc32(raw[:self.places["crc"][0]] + struct.pack("<I", sector)):
            return None
        must(field["layout"] == self.number, "a layout of another number")
        field["scrubbing"], field["count"] = field["count"] >> 15, field["count"] & 0x7FFF
        return field


class Frame:
    def __init__(self, sector, at, type_, size):
        self.sector, self.at, self.type, self.size = sector, at, type_, size
        self.argument, self.key, self.value, self.tally, self.sound = 0, b"", b"", 0, True


class Region:
    def __init__(self, layout, data):
        self.layout, self.data = layout, data
        self.find_form()
        self.sectors = {}
        for n in range(self.count):
            header = layout.header(data, n * self.size, n)
            if header:
                must((header["unit"], header["size"], header["count"]) == self.form,
                     "sectors of more than one form")
                self.sectors[n] = header
        self.met = dict.fromkeys(layout.types.values(), 0)

    def find_form(self):
        """Where a header holds as that of the sector it must be, its form is the region's."""
        for at in range(0, len(self.data), 1024):
            size = struct.unpack("<H", self.data[at + 4:at + 6].ljust(2, b"\0"))[0] * 1024
            header = self.layout.header(self.data, at, at // size) if size and at % size == 0 else None
            if header:
                self.form = header["unit"], header["size"], header["count"]
                self.size, self.count = size, header["count"]
                self.step = max(4, 1 << header["unit"])
                self.begin = -(-self.layout.head // self.step) * self.step + self.step
                must(self.size * self.count <= len(self.data), "the image is shorter than its part")
                return
        raise Fault("no sector's header holds: no store in flash")

    def word(self, at):
        return struct.unpack("<I", self.data[at:at + 4])[0]

    def crc(self, generation, at, data):
        return zlib.crc32(struct.pack("<2I", generation, at) + data)

    def frame(self, sector, offset, end):
        """The frame there, None where there is none; `sound` tells whether its CRC holds."""
        at, generation = sector * self.size + offset, self.sectors[sector]["generation"]
        if offset + self.step > end:
            return None
        word = self.word(at)
        name = self.layout.types.get(word >> 28)
        if name is None:
            return None
        if word >> 28 >= 8:
            if self.crc(generation, at, struct.pack("<I", word & ~0xFFF)) & 0xFFF != word & 0xFFF:
                return None
            frame = Frame(sector, at, name, self.step)
            frame.argument = word >> 12 & 0xFFFF
            return frame
        if zlib.crc32(struct.pack("<I", word & ~0x7F)) & 0x7F != word & 0x7F:
            return None
        key, value = (word >> 21 & 0x7F) + 1, word >> 7 & 0x3FFF
        extra = 4 if name == "COUNTED" else 0
        if name == "TALLY WIDE":
            key, value, extra = 0, 0, 8
        body = at + 8 + extra
        size = -(-(8 + extra + key + value) // self.step) * self.step
        if name.startswith("REMOVE") and value or offset + size > end:
            return None
        frame = Frame(sector, at, name, size)
        frame.key = self.data[body:body + key]
        frame.value = self.data[body + key:body + key + value]
        frame.sound = self.word(at + 4) == self.crc(
            generation, at, self.data[at:at + 4] + self.data[at + 8:body + key + value])
        if extra:
            frame.tally = self.word(at + 8)
        if name == "TALLY WIDE":
            frame.argument, frame.tally = self.word(at + 8), self.word(at + 12)
        return frame

    def frames(self, sector, end, sealed):
        """The frames up to `end`; one that is damaged among others counts as a frame (rule 7)."""
        offset = self.begin
        while True:
            frame = self.frame(sector, offset, end)
            if frame and not frame.sound:
                behind = offset + frame.size
                after = self.frame(sector, behind, end)
                if not (sealed if behind == end else after and after.sound):
                    frame = None
            if frame is None:
                return
            yield frame
            offset += frame.size

    def log(self):
        """The sectors of the log, oldest first (rules 1 to 3)."""
        order = sorted((h["generation"], n) for n, h in self.sectors.items() if h["generation"])
        while order:
            first = self.frame(order[-1][1], self.begin, self.size)
            if first and first.sound:
                break
            order.pop()
        must(order, "headers, and no log")
        newest, active = order[-1]
        begin = newest - self.sectors[active]["begin"]
        for frame in self.frames(active, self.size, False):
            if frame.type == "TAIL":
                tail = newest & ~0xFFFF | frame.argument
                begin = max(begin, tail - 0x10000 if tail > newest else tail)
        order = [(generation, n) for generation, n in order if generation >= begin]
        chain = []
        for generation, n in order:
            before = generation - self.sectors[n]["before"]
            if chain and generation - self.sectors[n]["before"] < chain[-1][0]:
                # Two name the same one before them: the first is left out.
                must(len(chain) > 1 and chain[-2][0] == before, "a gap in the log")
                chain.pop()
            chain.append((generation, n))
        return [n for _, n in chain]

    def read(self):
        """{key: (value, tally)}, as the log stands for it."""
        self.map, self.batch, self.headless = {}, [], True
        order = self.log()
        for n, after in zip(order, order[1:] + [None]):
            next_ = self.sectors[after] if after is not None else None
            end = min(next_["from"], self.size) if next_ else self.size
            for frame in self.frames(n, end, next_ is not None):
                self.apply(frame)
            if next_ and next_["last"] != 0xFFFFFFFF:
                word = next_["last"]
                told = Frame(n, n * self.size + end - 1, self.layout.types[word >> 28], 0)
                told.argument = word >> 12 & 0xFFFF
                self.apply(told)
        return {key: (value, base + since)
                for key, (_, value, base, since) in sorted(self.map.items())}

    def apply(self, frame):
        self.met[frame.type] += 1
        must(frame.sound, "a damaged frame at", frame.at)
        if frame.type in ("PUT FIRST", "REMOVE FIRST"):
            self.batch, self.headless = [], False
        if frame.type in ("PUT", "PUT FIRST", "REMOVE", "REMOVE FIRST"):
            self.batch.append(frame)
        elif frame.type in ("COPY", "COUNTED"):
            self.map[frame.key] = (frame.at, frame.value, frame.tally, 0)
        elif frame.type == "COMMIT":
            if self.batch and (self.headless or len(self.batch) & 0xFFF == frame.argument):
                for one in self.batch:
                    if one.type.startswith("REMOVE"):
                        self.map.pop(one.key, None)
                    else:
                        self.map[one.key] = (one.at, one.value, 0, 0)
            self.batch, self.headless = [], False
        elif frame.type in ("TALLY", "TALLY WIDE"):
            at = frame.argument * self.step if frame.type == "TALLY" else frame.argument
            for key, (place, value, base, since) in self.map.items():
                if place == at:
                    since = since + 1 if frame.type == "TALLY" else frame.tally
                    self.map[key] = (place, value, base, since)
                    break

    def retired(self):
        """Sectors with the mark."""
        place = self.begin - self.step
        return [n for n in range(self.count)
                if bin(self.word(n * self.size + place) ^ self.layout.mark).count("1")
                <= self.layout.mark_off]


def image(path):
    """The bytes of an image, or of its text: the size, then lines that are not erased."""
    raw = pathlib.Path(path).read_bytes()
    if not raw.startswith(b"size "):
        return raw
    lines = raw.decode().splitlines()
    data = bytearray(b"\xFF" * int(lines[0].split()[1]))
    for at, line in zip(lines[1::2], lines[2::2]):
        at, piece = int(at.split()[1]), bytes.fromhex(line)
        data[at:at + len(piece)] = piece
    return bytes(data)


def load(path, spec, at=0):
    """Every key and value of a store's image, for spec_reader.py."""
    pairs = Region(Layout(spec), image(path)[at:]).read()
    return {key: value for key, (value, _) in pairs.items()}


def text_of(pairs):
    lines = []
    for key, (value, tally) in pairs.items():
        for name, data in (("key", key), ("value", value)):
            lines.append(name)
            lines += ["    " + data[i:i + 32].hex() for i in range(0, len(data), 32)]
        lines.append(f"tally {tally}")
    return "".join(line + "\n" for line in lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("image", type=pathlib.Path)
    parser.add_argument("--spec", default="SPEC.md")
    parser.add_argument("--map", type=pathlib.Path)
    parser.add_argument("--types", action="store_true")
    parser.add_argument("--binary", type=pathlib.Path, help="write the image there")
    arguments = parser.parse_args()
    try:
        data = image(arguments.image)
        region = Region(Layout(arguments.spec), data)
        pairs = region.read()
        if arguments.map:
            must(text_of(pairs) == arguments.map.read_text(), "the log stands for something else")
    except (Fault, struct.error) as fault:
        print(f"flash_reader: {fault}", file=sys.stderr)
        sys.exit(1)
    if arguments.binary:
        arguments.binary.write_bytes(data)
    print(f"{region.count} sectors of {region.size} bytes, units of {1 << region.form[0]}; "
          f"{len(pairs)} keys, {sum(t for _, t in pairs.values())} tallied; "
          f"retired: {region.retired()}")
    if arguments.types:
        for name, count in region.met.items():
            print(f"{name}: {count}")


if __name__ == "__main__":
    main()
