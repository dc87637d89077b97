# SPDX-License-Identifier: MIT
"""Commands of gdb for Nous: `help nous` lists them, docs/debugging.md shows them at work.

All is read from the machine's memory with the kernel's own types, where the machine stopped; nothing
is written. Programs are linked at the same addresses, so gdb has the symbols of one at a time: of the
program in whose domain the machine has stopped. A domain is called like the program whose beginning is
mapped at the image's place.
"""

import collections
import itertools
import os
import subprocess
import sys

import gdb

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TOOLS)
from program import HASHED_BYTES, IMAGE_BASE, Program, hash_of  # noqa: E402

BUILD = os.path.join(os.path.dirname(TOOLS), "build")
KERNEL_BASE, DIRECT_END = 0xC0000000, 0xFF400000        # the direct map of memory
PAGE_BYTES, LARGE_BYTES = 4096, 4 << 20
INDEX_MASK, INDEX_SHIFT = 0x1FFFF8, 3
STAY_INSTRUCTIONS = 5000                # in the kernel, before `nous step` gives up


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


def began():
    """An error while there is nothing to see."""
    if not is_paging():
        fail("the kernel has not begun yet: `break boot_main` and `continue` lead there")


kernel = Kernel()                       # no program's symbols are loaded yet: `struct thread` is its


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
        self.files = {}
        for name in sorted(os.listdir(f"{BUILD}/programs")):
            if name.endswith(".elf"):
                self.files[name[:-4]] = Program(f"{BUILD}/programs/{name}")
        self.by_hash = {file.hash(): name for name, file in self.files.items()}
        self.loaded = None

    def of(self, directory):
        begin = user_memory(directory, IMAGE_BASE, HASHED_BYTES)
        return begin and self.by_hash.get(hash_of(begin))

    def load(self, name):
        if name == self.loaded:
            return
        if self.loaded:
            gdb.execute(f"remove-symbol-file {self.path(self.loaded)}", to_string=True)
        self.loaded = None
        if name:
            gdb.execute(f"add-symbol-file {self.path(name)}", to_string=True)
            self.loaded = name

    def known(self, name):
        if name not in self.files:
            fail(f"there is no program {name}; there are: {', '.join(self.files)}")
        return name

    @staticmethod
    def path(name):
        return f"{BUILD}/programs/{name}.elf"

    def place(self, name, address):
        """Symbol and line, of whatever program."""
        if address >= KERNEL_BASE:
            return f"{address:08x} {kernel.file.place(address)}{line_of('nous.elf', address)}"
        if name not in self.files:
            return f"{address:08x}"
        return (f"{address:08x} {self.files[name].place(address)}"
                f"{line_of(f'programs/{name}.elf', address)}")


def line_of(file, address):
    tool = os.environ.get("CROSS", "i686-linux-gnu-") + "addr2line"
    found = subprocess.run([tool, "-e", f"{BUILD}/{file}", f"{address:#x}"], capture_output=True,
                           text=True, check=False).stdout.split(" ")[0].strip()
    return f" ({found.removeprefix('./')})" if found and not found.startswith("?") and \
        not found.endswith(":?") else ""


programs = Programs()


# ---- domains


class Domain:
    def __init__(self, index, page):
        self.index, self.page = index, page
        self.value = kernel.at("domain", page)
        self.directory = int(self.value["directory"])
        self.program = programs.of(self.directory)

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


def calls_print(thread):
    """The activation stack, the running one first."""
    self_kind = {text: number for number, text in kernel.enums["capability_kind"].items()}["self"]
    for depth in range(thread.depth, -1, -1):
        domain, place = thread.domain(depth), thread.place(depth)
        where = f"in the kernel, at {programs.place(None, register('eip'))}" if not place else \
            domain.place(place[0]) if isinstance(domain, Domain) else f"{place[0]:08x}"
        print(f"  {depth:2}  {str(domain):18} {where}")
        if thread.is_fast(depth):
            continue
        activation = thread.activation(depth)
        flags = int(activation["flags"])
        if flags & 0x200:
            for number in range(4):
                capability = activation["lent"][3 - number]
                if int(capability["word"]) >> 28 not in (0, self_kind):  # slot 0: none was named
                    print(f"        lent {number}: " + capability_text(
                        [int(capability[name]) for name in
                         ("word", "generation", "badge_low", "badge_high")]))
        if flags & 0x400:
            for number in range(2):
                entry = int(activation["window"][1 - number]["entry"])
                if entry:
                    print(f"        window {number}: the page table in frame {entry >> 12}")
        if flags & 2:
            print(f"        handles a fault at "
                  f"{int(activation['record'][3]):08x}")


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


# ---- the commands


class Nous(gdb.Command):
    """Look at Nous: domains, threads, capabilities, page tables, frames, the dispatch chain."""

    def __init__(self):
        super().__init__("nous", gdb.COMMAND_DATA, prefix=True)

    def invoke(self, argument, from_tty):
        gdb.execute("help nous")


Nous()


def command(function):
    """A subcommand of `nous`: named like the function behind nous_, and documented by it."""
    def invoke(_self, argument, _from_tty):
        if function not in (nous_symbols, nous_break):
            began()
        try:
            function(*gdb.string_to_argv(argument))
        except TypeError as error:
            if "positional argument" not in str(error):
                raise
            fail(function.__doc__)
    kind = type(function.__name__, (gdb.Command,), {"__doc__": function.__doc__, "invoke": invoke})
    kind(function.__name__.replace("_", " ", 1), gdb.COMMAND_DATA)
    return function


@command
def nous_domains():
    """Print all domains: nous domains.
The running one has a star. Entry: where doors to it lead."""
    running = running_domain()
    homes = collections.Counter(str(thread.domain(0)) for thread in all_threads())
    for domain in all_domains():
        print(f"{'*' if domain.index == running.index else ' '} {str(domain):18} "
              f"directory {domain.directory:08x}, entry "
              f"{domain.place(int(domain.value['set'][0])).split(' (')[0]}, "
              f"capabilities: {sum(1 for _ in domain.slots())}, "
              f"threads at home: {homes[str(domain)]}")


@command
def nous_threads():
    """Print all threads with their activation stacks: nous threads."""
    for thread in all_threads():
        time = "" if thread.runs else f", consumed {thread.consumed()} ticks"
        events = f", events {int(thread.value['events']):x}" if int(thread.value["events"]) else ""
        print(f"{'*' if thread.runs else ' '} thread {thread}: {thread.state()}{time}{events}")
        calls_print(thread)


@command
def nous_calls(thread=""):
    """Print the activation stack of a thread: nous calls [THREAD].
The running activation comes first, with what was lent to it; 0 is the thread's home. THREAD is
its number or, where that is one thread only, its program; without it, the thread that runs."""
    found = thread_named(thread)
    print(f"thread {found}: {found.state()}")
    calls_print(found)


@command
def nous_capabilities(domain=""):
    """Print a capability list: nous capabilities [DOMAIN].
DOMAIN is its number or, where that is one domain only, its program; without it, the running one."""
    for number, capability in domain_named(domain).slots():
        print(f"  {number:4}  {capability_text(capability)}")


@command
def nous_pages(domain="", address=""):
    """Print a domain's page tables: nous pages [DOMAIN [ADDRESS]].
Neighbours that are mapped alike are one line: addresses, frames, and flags (writable, user, accessed,
dirty, global). With an ADDRESS (an expression), the entries that lead there."""
    found = domain_named(domain)
    if not address:
        for start, size, physical, flags in mappings(found.directory):
            print(f"  {start:08x}-{start + size - 1:08x}  frames {physical >> 12:x}-"
                  f"{(physical + size - 1) >> 12:x}  {flags}")
        return
    at = int(gdb.parse_and_eval(address)) & 0xFFFFFFFF
    table, = words(KERNEL_BASE + found.directory + (at >> 22) * 4, 1)
    print(f"  directory entry {at >> 22:x}: {table:08x} {flags_of(table) if table & 1 else 'absent'}")
    if table & 0x81 == 1:
        entry, = words(KERNEL_BASE + (table & -PAGE_BYTES) + (at >> 12 & 1023) * 4, 1)
        print(f"  table entry {at >> 12 & 1023:x}: {entry:08x} "
              f"{flags_of(entry) if entry & 1 else 'absent'}")
    physical = translate(found.directory, at)
    print(f"  {at:08x} is physical {physical:08x}" if physical is not None else
          f"  {at:08x} is not mapped")


@command
def nous_frames(first="", count=""):
    """Print the memory service's frame descriptors: nous frames [FIRST [COUNT]].
Neighbours of one type are one line; with FIRST (a frame's number), each is one, with count and
generation. The kernel's own word on the frame stands behind."""
    home, before = domain_named("memory"), programs.loaded
    programs.load("memory")
    names, size = kernel.enum("memory_type"), gdb.lookup_type("struct memory_frame").sizeof
    programs.load(before)
    end, = words_of(home, programs.files["memory"].address["frame_count"], 1)
    begin = int(gdb.parse_and_eval(first)) if first else 0
    stop = min(end, begin + int(gdb.parse_and_eval(count)) if count else 16) if first else end
    table = words_of(home, OFFSETS["MEMORY_DESCRIPTORS"] + size * begin,
                     size // 4 * max(0, stop - begin))
    found = [(begin + at, *table[size // 4 * at:][:3]) for at in range(stop - begin)]
    if first:
        for number, key, mapped, _ in found:
            _, page, kind = object_entry(number)
            print(f"  {number:6x}  {names[key >> 28]:18} count {mapped:4}  generation "
                  f"{key & 0x0FFFFFFF:x}"
                  f"{'  kernel: ' + kernel.enums['object_kind'][kind] if page else ''}")
        return
    for names_, run in itertools.groupby(found, lambda frame: names[frame[1] >> 28]):
        run = list(run)
        print(f"  {run[0][0]:6x}-{run[-1][0]:<6x} {len(run):6} {names_}")
    total = collections.Counter(names[frame[1] >> 28] for frame in found)
    print("  in all: " + ", ".join(f"{count} {name}" for name, count in sorted(total.items())))


@command
def nous_chain():
    """Print the dispatch chain: nous chain.
Each thread was dispatched by the one above it, until that deadline or an event of its mask."""
    cpu = kernel.cpu()
    depth = int(cpu["depth"])
    if not depth:
        print("  nobody: the machine idles, the root thread waits")
    for level in range(depth):
        page = int(cpu["level"][level]["home"]) & -PAGE_BYTES
        thread = Thread(int(kernel.at("thread", page)["self"]["word"]) >> INDEX_SHIFT, page)
        deadline = int(cpu["deadline"][level])
        until = "no deadline" if deadline == (1 << 64) - 1 else f"deadline {deadline}"
        events = f", events {int(cpu['level'][level]['mask']):x} end the dispatch above it" \
            if level + 1 < depth and int(cpu["level"][level]["mask"]) else ""
        print(f"  {level:2}  {str(thread):18} {until}{events}")


@command
def nous_symbols(program=""):
    """Take the symbols of a program, until the next stop: nous symbols [PROGRAM].
At each stop gdb gets those of the program in whose domain the machine is. Without PROGRAM, its name."""
    if program:
        programs.load(programs.known(program))
    print(f"symbols of nous and {programs.loaded or 'no program'}")


class ProgramBreak(gdb.Breakpoint):
    """Where one program has a function; others have something else at that address."""

    def __init__(self, program, function):
        self.program = program
        super().__init__(f"*{programs.files[program].address[function]:#x}",
                         gdb.BP_HARDWARE_BREAKPOINT)

    def stop(self):
        stops = is_paging() and running_domain().program == self.program
        if stops:
            programs.load(self.program)
        return stops


@command
def nous_break(place):
    """Stop at a function of a program: nous break PROGRAM:FUNCTION.
It stops there in every domain that runs this program, and in no other."""
    program, _, function = place.partition(":")
    if function not in programs.files[programs.known(program)].address:
        fail(f"{program} has no function {function or 'without a name'}")
    before = programs.loaded
    programs.load(program)              # so that gdb says of what file it is
    ProgramBreak(program, function)
    programs.load(before)


@command
def nous_step():
    """One instruction of user mode: nous step.
Steps through the kernel as one with the instruction that leads there: a `sysenter` that calls a service
leads to the service's first instruction."""
    gdb.execute("set logging file /dev/null", to_string=True)
    gdb.execute("set logging redirect on", to_string=True)
    gdb.execute("set logging enabled on", to_string=True)
    try:
        for _ in range(STAY_INSTRUCTIONS):
            gdb.execute("stepi")
            if is_user():
                break
    finally:
        gdb.execute("set logging enabled off", to_string=True)
    place_print()
    gdb.execute("x/i $pc")


def place_print():
    domain = running_domain()
    print(f"{domain}: {domain.place(register('eip'))}")


def symbols_follow(*_):
    """At each stop: those of the running domain's program, if it is known. What gdb says of the
    place when they change is by those that it had."""
    try:
        before = programs.loaded
        if is_paging():
            programs.load(running_domain().program or before)
        if programs.loaded != before and is_user():
            place_print()
    except (gdb.error, gdb.GdbError):
        pass                            # no machine yet, or no kernel


gdb.events.stop.connect(symbols_follow)
