# SPDX-License-Identifier: MIT
"""Commands of gdb for Nous: `help nous` lists them, docs/debugging.md shows them at work.

They look and write nothing. Programs are linked at the same addresses, so gdb has the symbols of
one at a time: of the program in whose domain the machine has stopped.
"""

import collections
import itertools
import os
import subprocess
import sys

import gdb

sys.path.append(os.path.dirname(os.path.abspath(__file__)))
from machine import (BUILD, INDEX_SHIFT, KERNEL_BASE, OFFSETS, PAGE_BYTES, Domain, Thread,
                     all_domains, all_threads, capability_text, domain_named, fail, flags_of,
                     is_paging, is_user, kernel, mappings, memory, object_entry, programs,
                     register, running_domain, thread_named, translate, words,
                     words_of)  # noqa: E402

SYSENTER = b"\x0f\x34"


def began():
    """An error while there is nothing to see."""
    if not is_paging():
        fail("the kernel has not begun yet: `break boot_main` and `continue` lead there")


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
Neighbours that are mapped alike are one line: addresses, frames, and flags (writable, user,
accessed, dirty, global). With an ADDRESS (an expression), the entries that lead there."""
    found = domain_named(domain)
    if not address:
        for start, size, physical, flags in mappings(found.directory):
            print(f"  {start:08x}-{start + size - 1:08x}  frames {physical >> 12:x}-"
                  f"{(physical + size - 1) >> 12:x}  {flags}")
        return
    at = int(gdb.parse_and_eval(address)) & 0xFFFFFFFF
    table, = words(KERNEL_BASE + found.directory + (at >> 22) * 4, 1)
    print(f"  directory entry {at >> 22:x}: {table:08x} "
          f"{flags_of(table) if table & 1 else 'absent'}")
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
At each stop gdb gets those of the program in whose domain the machine is. Without PROGRAM, its
name."""
    if program:
        programs.load(programs.known(program))
    print(f"symbols of nous and {programs.loaded or 'no program'}")


class ProgramBreak(gdb.Breakpoint):
    """Where one program has a function; others have something else at that address."""

    def __init__(self, program, address):
        self.program = program
        super().__init__(f"*{address:#x}", gdb.BP_HARDWARE_BREAKPOINT)

    def stop(self):
        stops = is_paging() and running_domain().program == self.program
        if stops:
            programs.load(self.program)
        return stops


@command
def nous_break(place):
    """Stop at a place of a program: nous break PROGRAM:FUNCTION, or PROGRAM:FILE:LINE.
It stops there in every domain that runs this program, and in no other. What the compiler has put
into several places becomes several breakpoints. Other programs are stopped at that address,
too, and go on by themselves: that takes a millisecond each time."""
    program, _, where = place.partition(":")
    before = programs.loaded
    programs.load(programs.known(program))
    try:
        found = gdb.decode_line(where or "main")[1] or ()
        for address in {line.pc for line in found if 0 < line.pc < KERNEL_BASE}:
            ProgramBreak(program, address)
    except gdb.error as error:
        fail(f"{program}: {error}")
    finally:
        programs.load(before)


def kernel_exits():
    """Addresses of the instructions with which the kernel goes back to user mode."""
    listed = subprocess.run([os.environ.get("CROSS", "i686-linux-gnu-") + "objdump", "-d",
                             f"{BUILD}/nous.elf"], capture_output=True, text=True, check=False)
    return [int(line.split(":")[0], 16) for line in listed.stdout.splitlines()
            if line.split("\t")[-1].split(" ")[0].strip() in ("sysexit", "iret")]


def run_to(addresses):
    """Goes on to one of these, without a word."""
    stops = [gdb.Breakpoint(f"*{address:#x}", gdb.BP_HARDWARE_BREAKPOINT, internal=True)
             for address in addresses]
    for stop in stops:
        stop.silent = True
    try:
        gdb.execute("continue", to_string=True)
    finally:
        for stop in stops:
            stop.delete()


def kernel_leave():
    """Through the kernel, to the first instruction of whoever goes on."""
    while not is_user():                # an interrupt of the idle machine goes back into the kernel
        run_to(kernel_exits())
        programs.load(running_domain().program or programs.loaded)
        gdb.execute("stepi")
    place_print()
    gdb.execute("x/i $pc")


@command
def nous_step():
    """One instruction of user mode: nous step.
What the kernel does for it is part of it: from a `sysenter` that calls a service it leads to the
service's first instruction. Other breakpoints hold meanwhile."""
    if is_user() and memory(register("eip"), 2) == SYSENTER:
        run_to([kernel.file.address["entry_sysenter"]])
    elif is_user():
        gdb.execute("stepi")
    kernel_leave()


@command
def nous_into():
    """Run to the next system call, and through it: nous into.
That is the first instruction of the service that was called, or that behind the call."""
    run_to([kernel.file.address["entry_sysenter"]])
    kernel_leave()


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
