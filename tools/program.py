# SPDX-License-Identifier: MIT
"""A program's ELF file, as tools/trace, tools/profile and tools/gdb need it."""

import bisect
import os
import struct
import subprocess

HASHED_BYTES = 512                              # as in tools/kprof/trace.c


class Program:
    """An ELF file: symbols by name and by address, words of its memory."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        entry, header = struct.unpack_from("<2I", self.data, 24)
        self.begin = entry & -4096              # an ordinary C program has a stack before it
        count, = struct.unpack_from("<H", self.data, 44)
        self.parts = [struct.unpack_from("<5I", self.data, header + 32 * i) for i in range(count)]
        self.address, self.places, functions = {}, [], set()
        self.symbols_read(functions)
        # Of those at one address a C function is last, which is the one that `place` names.
        self.places.sort(key=lambda place: (place[0], place[1] in functions))

    def symbols_read(self, functions):
        sections, = struct.unpack_from("<I", self.data, 32)
        count, = struct.unpack_from("<H", self.data, 48)
        table = [struct.unpack_from("<10I", self.data, sections + 40 * i) for i in range(count)]
        for _, kind, _, _, begin, size, link, *_ in table:
            for at in range(begin, begin + size if kind == 2 else begin, 16):
                name, value, _, info, _, section = struct.unpack_from("<IIIBBH", self.data, at)
                if 0 < section < 0xff00 and info & 15 < 3:     # not absolute, section or file
                    start = table[link][4] + name
                    text = self.data[start:self.data.index(0, start)].decode("ascii")
                    self.address[text] = value
                    if "." not in text:
                        self.places.append((value, text))
                        if info & 15 == 2:
                            functions.add(text)

    def bytes_at(self, address, count):
        for kind, begin, start, _, size in self.parts:
            if kind == 1 and start <= address < start + size:
                at = begin + address - start
                return self.data[at:min(at + count, begin + size)].ljust(count, b"\0")
        return bytes(count)

    def words(self, address, count):
        return struct.unpack(f"<{count}I", self.bytes_at(address, 4 * count))

    def place(self, address):
        at = bisect.bisect_right(self.places, (address, "\xff")) - 1
        if at < 0 or address >= 0xC0000000 > self.places[at][0]:
            return f"{address:08x}"
        start, name = self.places[at]
        return f"{name}+{address - start}" if address > start else name

    def operations(self):
        """The operations of a service by address of their function, named as clients call them."""
        if "service_operations" not in self.address:
            return {}
        count, = self.words(self.address["service_operation_count"], 1)
        return {a: self.place(a).removesuffix("_entry").replace("_do_", "_")
                for a in self.words(self.address["service_operations"], count)}

    def hash(self):
        """FNV-1a of how it begins: no two begin alike."""
        return hash_of(self.bytes_at(self.begin, HASHED_BYTES))


def lines_of(path, address):
    """File and line of an address, and where the compiler has put that, the innermost first."""
    said = subprocess.run([os.environ.get("CROSS", "i686-linux-gnu-") + "addr2line", "-i", "-e",
                           path, f"{address:#x}"], capture_output=True, text=True,
                          check=False).stdout
    # GCC's are relative to the project, as ./x; NASM's are behind the folder's own name and //
    lines = [line.split(" ")[0].split("//")[-1].removeprefix("./") for line in said.splitlines()]
    return [line for line in lines if "?" not in line]


def hash_of(data):
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return value
