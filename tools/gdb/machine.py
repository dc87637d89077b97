# SPDX-License-Identifier: MIT
"""Nous where the machine has stopped, read from its memory with the kernel's own types.

A domain is called like the program whose beginning is mapped at the image's place.
"""

import glob
import os
import sys

import gdb

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.append(TOOLS)
from program import HASHED_BYTES, Program, hash_of, lines_of  # noqa: E402

BUILD = os.path.join(os.path.dirname(TOOLS), "build")
KERNEL_BASE, DIRECT_END = 0xC0000000, 0xFF400000        # the direct map of memory
PAGE_BYTES, LARGE_BYTES = 4096, 4 << 20
INDEX_MASK, INDEX_SHIFT = 0x1FFFF8, 3


with open(f"{BUILD}/generated/offsets.inc", encoding="ascii") as offsets:
    OFFSETS = {name: int(value) for name, value in
               (line.split()[1:] for line in offsets if line.startswith("%define"))}


def fail(sentence):
    raise gdb.GdbError(sentence)


class Kernel:
    """The kernel's structures, by its own types."""

    def __init__(self):
        self.file = Program(f"{BUILD}/nous.elf")
        self.types = {name: gdb.lookup_type(f"struct {name}") for name in
                      ("cpu", "thread", "domain", "object", "activation", "capability",
                       "call_frame", "trap_frame")}
        self.enums = {name: self.enum(name) for name in
                      ("object_kind", "capability_kind", "thread_state")}
        self.home = PAGE_BYTES - 8 - self.types["activation"].sizeof

    @staticmethod
    def enum(name):
        fields = gdb.lookup_type(f"enum {name}").fields()
        prefix = os.path.commonprefix([field.name for field in fields])
        prefix = prefix[:prefix.rindex("_") + 1]
        return {field.enumval: field.name[len(prefix):].lower().replace("_", " ")
                for field in fields}

    def at(self, name, address):
        return gdb.Value(address).cast(self.types[name].pointer()).dereference()

    def cpu(self):
        return self.at("cpu", self.file.address["cpu"])

    def word(self, symbol):
        return words(self.file.address[symbol], 1)[0]


def memory(address, count):
    try:
        return bytes(gdb.selected_inferior().read_memory(address, count))
    except gdb.MemoryError:
        fail(f"nothing is mapped at {address:08x}; before the kernel has begun there is no paging")


def words(address, count):
    data = memory(address, 4 * count)
    return [int.from_bytes(data[at:at + 4], "little") for at in range(0, len(data), 4)]


def register(name):
    try:
        return int(gdb.parse_and_eval(f"${name}")) & 0xFFFFFFFF
    except gdb.error:
        fail("there is no machine (any more)")


def is_paging():
    return bool(register("cr0") >> 31)


def is_user():
    return register("cs") & 3 == 3


kernel = Kernel()       # no program's symbols are loaded yet, which have a `struct thread`, too


# ---- objects


def object_entry(index):
    """Generation, page and kind; page 0: no object."""
    generation, page = words(kernel.file.address["object_table"] + 8 * index, 2)
    return generation, page & -PAGE_BYTES, page & 15


def objects(kind):
    """Index and page of each living object of this kind, in order."""
    end = kernel.word("low_end_frame")
    table = words(kernel.file.address["object_table"], 2 * end)
    wanted = {text: number for number, text in kernel.enums["object_kind"].items()}[kind]
    return [(index, table[2 * index + 1] & -PAGE_BYTES) for index in range(end)
            if table[2 * index + 1] >= KERNEL_BASE and table[2 * index + 1] & 31 == wanted]


def lives(word, generation):
    return object_entry((word & INDEX_MASK) >> INDEX_SHIFT)[0] == generation


# ---- page tables


def entries_of(physical):
    return words(KERNEL_BASE + physical, 1024)


def translate(directory, address):
    """The physical address, or nothing."""
    table, = words(KERNEL_BASE + directory + (address >> 22) * 4, 1)
    if not table & 1:
        return None
    if table & 0x80:
        return (table & -LARGE_BYTES) + (address & LARGE_BYTES - 1)
    entry, = words(KERNEL_BASE + (table & -PAGE_BYTES) + (address >> 12 & 1023) * 4, 1)
    return (entry & -PAGE_BYTES) + (address & PAGE_BYTES - 1) if entry & 1 else None


def user_memory(directory, address, count):
    """Of a domain, wherever gdb stands; nothing if it is not all there."""
    data = b""
    while len(data) < count:
        at = translate(directory, address + len(data))
        if at is None or at >= DIRECT_END - KERNEL_BASE:
            return None
        data += memory(KERNEL_BASE + at, min(count - len(data), PAGE_BYTES - at % PAGE_BYTES))
    return data


def words_of(domain, address, count):
    data = user_memory(domain.directory, address, 4 * count)
    if data is None:
        fail(f"{domain} has nothing at {address:08x}")
    return [int.from_bytes(data[at:at + 4], "little") for at in range(0, len(data), 4)]


def flags_of(entry):
    return "".join(letter if entry & bit else "-" for letter, bit in
                   (("w", 2), ("u", 4), ("a", 0x20), ("d", 0x40), ("g", 0x100)))


def mappings(directory):
    """(address, bytes, physical, flags) of what is present, neighbours as one."""
    found = []
    for number, table in enumerate(entries_of(directory)):
        if not table & 1:
            continue
        if table & 0x80:
            pages = [(number << 22, LARGE_BYTES, table & -LARGE_BYTES, flags_of(table))]
        else:
            pages = [(number << 22 | at << 12, PAGE_BYTES, entry & -PAGE_BYTES,
                      flags_of(entry & (table | ~6)))
                     for at, entry in enumerate(entries_of(table & -PAGE_BYTES)) if entry & 1]
        for page in pages:
            address, size, physical, flags = page
            if found and found[-1][0] + found[-1][1] == address and \
                    found[-1][2] + found[-1][1] == physical and found[-1][3] == flags:
                found[-1] = found[-1][0], found[-1][1] + size, found[-1][2], flags
            else:
                found.append(page)
    return found


# ---- programs


class Programs:
    """Those that were built, and which of them gdb has the symbols of."""

    def __init__(self):
        self.paths = {os.path.basename(path)[:-4]: path for path in sorted(
            glob.glob(f"{BUILD}/programs/*.elf") + glob.glob(f"{BUILD}/c/programs/*.elf"))}
        self.files = {name: Program(path) for name, path in self.paths.items()}
        self.by_hash = {(file.begin, file.hash()): name for name, file in self.files.items()}
        self.begins = {file.begin for file in self.files.values()}
        self.loaded, self.found = None, {}

    def of(self, domain, directory):
        """Of a domain, (word, generation), and its directory."""
        if domain not in self.found:
            for begin in self.begins:
                code = user_memory(directory, begin, HASHED_BYTES)
                if code and (begin, hash_of(code)) in self.by_hash:
                    self.found[domain] = self.by_hash[begin, hash_of(code)]
        return self.found.get(domain)   # none: it may be loaded later

    def load(self, name):
        if name == self.loaded:
            return
        if self.loaded:
            gdb.execute(f"remove-symbol-file {self.paths[self.loaded]}", to_string=True)
        self.loaded = None
        if name:
            gdb.execute(f"add-symbol-file {self.paths[name]}", to_string=True)
            self.loaded = name

    def known(self, name):
        if name not in self.files:
            fail(f"there is no program {name}; there are: {', '.join(self.files)}")
        return name

    def place(self, name, address):
        """Symbol and line, of whatever program."""
        if address >= KERNEL_BASE:
            return (f"{address:08x} {kernel.file.place(address)}"
                    f"{line_of(f'{BUILD}/nous.elf', address)}")
        if name not in self.files:
            return f"{address:08x}"
        return (f"{address:08x} {self.files[name].place(address)}"
                f"{line_of(self.paths[name], address)}")


def line_of(path, address):
    lines = lines_of(path, address)
    return f" ({lines[0]})" if lines else ""


programs = Programs()


# ---- domains


class Domain:
    def __init__(self, index, page):
        self.index, self.page = index, page
        self.value = kernel.at("domain", page)
        self.directory = int(self.value["directory"])
        own = self.value["self"]
        self.program = programs.of((int(own["word"]), int(own["generation"])), self.directory)

    def __str__(self):
        return f"{self.program or 'domain'} #{self.index}"

    def place(self, address):
        return programs.place(self.program, address)

    def slots(self):
        """(number, capability) of those that are not empty."""
        size = kernel.types["capability"].sizeof
        pages = [(0, self.page, int(self.value["list"].type.range()[1]) + 1)]
        for bank in range(4):
            reference = self.value["bank"][bank]
            index = int(reference["word"]) >> INDEX_SHIFT
            if index and lives(int(reference["word"]), int(reference["generation"])):
                pages.append((pages[0][2] + 256 * bank, object_entry(index)[1], 256))
        for first, page, count in pages:
            data = words(page, count * size // 4)
            yield from ((first + at, data[4 * at:4 * at + 4]) for at in range(count)
                        if data[4 * at])


def all_domains():
    return [Domain(index, page) for index, page in objects("domain")]


def domain_of(word):
    """A living domain by its word, or its index in words."""
    index = (word & INDEX_MASK) >> INDEX_SHIFT
    _, page, kind = object_entry(index)
    return Domain(index, page) if page and kind == 0 else f"#{index}"


def running_domain():
    page = int(kernel.cpu()["running_domain"])
    return Domain(int(kernel.at("domain", page)["self"]["word"]) >> INDEX_SHIFT, page)


def domain_named(text):
    """By index (#12 or 12), by program, or the running one."""
    if not text:
        return running_domain()
    if text.lstrip("#").isdigit():
        found = [d for d in all_domains() if d.index == int(text.lstrip("#"))]
    else:
        found = [d for d in all_domains() if d.program == text]
    if not found:
        fail(f"there is no domain {text} here; `nous domains` lists them")
    if len(found) > 1:
        fail(f"{text} is not one domain: {', '.join(map(str, found))}; say it by its number")
    return found[0]


# ---- threads


class Thread:
    def __init__(self, index, page):
        self.index, self.page = index, page
        self.value = kernel.at("thread", page)
        tss_esp0, = words(kernel.file.address["tss"] + 4, 1)
        self.runs = tss_esp0 & -PAGE_BYTES == page and int(kernel.cpu()["depth"]) > 0
        self.top = tss_esp0 - page if self.runs else int(self.value["top"])
        self.depth = (kernel.home - self.top) // kernel.types["activation"].sizeof

    def __str__(self):
        home = self.domain(0)
        return f"{home.program or 'thread' if isinstance(home, Domain) else 'thread'} #{self.index}"

    def activation(self, depth):
        return kernel.at("activation", self.page + kernel.home -
                         depth * kernel.types["activation"].sizeof)

    def domain(self, depth):
        activation = self.activation(depth)
        word, generation = int(activation["domain"]), int(activation["generation"])
        return domain_of(word) if lives(word, generation) else \
            f"a domain that was destroyed, #{(word & INDEX_MASK) >> INDEX_SHIFT}"

    def is_fast(self, depth):
        """Whether only the four words of a fast call count."""
        if depth == self.depth:
            return int((kernel.cpu() if self.runs else self.value)["fast_limit"]) > 0
        above = self.activation(depth + 1)
        return self.is_fast(depth + 1) or not int(above["flags"]) & 1

    def place(self, depth):
        """(address, stack pointer) where it goes on in that activation; nothing: in the kernel."""
        if depth < self.depth:
            above = self.activation(depth + 1)
            return int(above["caller_eip"]), int(above["caller_esp"])
        if self.runs:
            return (register("eip"), register("esp")) if is_user() else None
        kind = "call_frame" if int(self.value["by_call"]) else "trap_frame"
        frame = kernel.at(kind, self.page + self.top - kernel.types[kind].sizeof)
        return int(frame["eip"]), int(frame["esp"])

    def consumed(self):
        """Ticks, as thread_read has it, of one that does not run."""
        lent = int(self.value["by_call"]) & OFFSETS["BY_CALL_LENT"]
        return int(self.value["consumed"]) + \
            (int(self.value["dispatch_start"]) if lent else 0) & (1 << 64) - 1

    def state(self):
        text = kernel.enums["thread_state"][int(self.value["state"])]
        return "runs" if self.runs else \
            f"{text}, level {int(self.value['level'])}" if text == "in chain" else text


def all_threads():
    return [Thread(index, page) for index, page in objects("thread")]


def thread_named(text):
    everyone = all_threads()
    found = [t for t in everyone if (t.runs if not text else str(t.index) == text.lstrip("#"))]
    found = found or [t for t in everyone if str(t).split(" ", maxsplit=1)[0] == text]
    if not found:
        fail(f"there is no thread {text}; `nous threads` lists them" if text else
             "no thread runs: the machine idles")
    if len(found) > 1:
        fail(f"{text} is not one thread: {', '.join(map(str, found))}; say it by its number")
    return found[0]


# ---- capabilities


def rights_text(kind, rights):
    names = {"thread": ("signal", "dispatch", "manage", "read"),
             "domain": (None, "door", "manage", "read"),
             "authority": ("create", "destroy", None, "read"),
             "door": ("confidential", None, None, None)}.get(kind, (None,) * 4)
    return " ".join(name for bit, name in enumerate(names) if name and rights >> bit & 1)


def capability_text(capability):
    word, generation, low, high = capability
    kind = kernel.enums["capability_kind"].get(word >> 28, "?")
    index = (word & INDEX_MASK) >> INDEX_SHIFT
    what = f"{kind} #{index}"
    if kind == "self":
        return "self"
    if not lives(word, generation):
        return f"{kind} #{index}, which was destroyed"
    if kind in ("door", "domain"):
        what = f"{kind} {'to' if kind == 'door' else 'of'} {domain_of(word)}"
    elif kind == "thread":
        what = f"thread {Thread(index, object_entry(index)[1])}"
    elif kind == "irq":
        what = f"interrupt line {index - 16}"
    elif kind == "ports":
        what = f"ports {low & 0xFFFF:x} to {low >> 16:x}"
    elif kind == "authority":
        what = "frame authority"
    rights = rights_text(kind, word >> 24 & 15)
    badge = f", badge {high << 32 | low:x}" if kind == "door" else \
        f", signals {low:x}" if kind == "thread" and word >> 24 & 1 else ""
    return what + (f" ({rights})" if rights else "") + badge
