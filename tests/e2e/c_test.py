#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ordinary C programs (docs/c-programs.md) in the machine: the C library says the same as the
host's; system calls keep what C wants kept; two programs at once; programs that go wrong; Lua; and
what is said where the sources can't be had. Without the sources only the last."""

import os
import re
import shutil
import tempfile

from tap import ROOT, Session, check, close, run

MODULES = "build/c/modules/all-c-programs"
BOOT = ("tools/run", "--direct", "--modules", MODULES, "--entry", "all-c-programs")
HOST_CC = [os.environ.get("HOSTCC", "gcc"), "-m32", "-idirafter",
           "/usr/include/x86_64-linux-gnu", "-msse2", "-mfpmath=sse", "-std=gnu11"]
EXIT = re.compile(r"^loader: (\S+): exit status (\d+), after (\d+) slices", re.MULTILINE)


def programs(what):
    """Status, what the programs printed, and the ends that the loader tells: (name, status,
    slices)."""
    status, text, _ = run(*BOOT, "--append", what)
    lines = text.split("\n")
    ends = [(name, int(number), int(slices)) for name, number, slices in EXIT.findall(text)]
    if not lines[0].startswith("Nous "):
        return status, text, ends
    return status, "\n".join(line for line in lines[1:] if not line.startswith(
        ("END ", "loader: ", "run: "))), ends


def statuses(ends):
    return [status for _, status, _ in ends]


def library():
    with open("tests/c/library/library.expected", encoding="ascii") as file:
        expected = file.read()
    status, text, _ = programs("run library")
    difference = [f"{got!r} where {want!r}" for got, want in
                  zip(text.splitlines(), expected.splitlines()) if got != want]
    check("printf, strtod, sscanf, mathematics, qsort, strings, malloc, setjmp, signals, time: "
          "as expected", status == 0 and text == expected, *difference, text)
    with tempfile.TemporaryDirectory() as folder:
        status, said, _ = run(*HOST_CC, "-O2", "-o", f"{folder}/library",
                              "tests/c/library/library.c", "-lm")
        if check("the same program is compiled for the host", status == 0, said):
            status, text, _ = run(f"{folder}/library", TZ="UTC")
            check("where its own library says the same", status == 0 and text == expected, text)


def registers():
    status, text, _ = programs("run registers")
    check("system calls keep the registers of ordinary C", status == 0 and
          "20 calls, 0 of them wrong" in text, text)


def two_at_once():
    one, two = "floating 0.5", "floating 0.3"
    status, text, ends = programs(f"run {one} then {two} then {one} and {two}")
    alone, together = text.splitlines()[:2], text.splitlines()[2:]
    check("two programs at once calculate as each does alone", status == 0 and
          len(together) == 2 and sorted(alone) == sorted(together) and alone[0] != alone[1], text)
    check("though each was interrupted in its work", len(ends) == 2 and
          all(slices > 5 for *_, slices in ends), ends)


def going_wrong():
    status, text, ends = programs(
        "run exhaust memory then exhaust files then exhaust exit 7 then exhaust abort "
        "then exhaust fault then exhaust stack then hello")
    check("malloc without memory gives NULL; what was freed is there again",
          "memory: 1 MB and more, then none; freed, it is there again: yes; sbrk: refused\n"
          in text, text)
    check("files can be read, and not written", "files: -- SPDX-License-Identifier: MIT\n"
          "files: none can be written\n" in text and 7 == ends[0][1], text)
    check("exit, abort, a fault and a stack that is too deep are told by statuses",
          statuses(ends) == [7, 134, 139, 139], text)
    check("the stack's end is no memory", re.search(
        r"FAULT in exhaust at \w+ \(recurse\+\d+\)\n.*writing 003ff", text), text)
    check("and the next program runs as if nothing had happened", status == 0 and
          "hello, world; this is hello.\n" in text, text)


def killed():
    groups = [f"exhaust spin {seed} and exhaust spin {seed + 100}" for seed in range(4)]
    status, text, ends = programs(f"limit=9 run {' then '.join(groups)} then hello")
    check("programs are killed at any place, and all frames come back", status == 0 and
          statuses(ends) == [137] * 8 and "came back" not in text, status, text, ends)


def lua():
    status, text, ends = programs("run lua uncaught.lua then lua deep.lua then lua -i demo.lua")
    check("Lua: recursion without an end comes to its own limits", re.search(
        r"^deep: C stack overflow\ndeep: .*(memory|stack overflow).*\ndeep: .*C stack overflow\n"
        r"deep: C stack overflow", text, re.MULTILINE), text)
    check("Lua: an error that nobody catches ends it with status 1 and says where",
          "lua: uncaught.lua:4: nobody catches this\nstack traceback:" in text and
          statuses(ends) == [1], text)
    for name, line in (
            ("floating point", r"Jupiter +4332\.7 days, by Kepler's law +4332\.7; energy .* \de-1"),
            ("sorted strings", "verse: a 6, for 6, of 6, the 6, want 6, lost 5, was 5, battle 2,"),
            ("closures", "The 1,000th prime is 7919\n"),
            ("a caught error", "Caught: true, demo.lua:.*attempt to index a nil value"),
            ("memory that is not there", "Caught: true, not enough memory")):
        check(f"Lua: {name}", status == 0 and re.search(line, text), text)


def interactive():
    session = Session(*BOOT, "--keep", "--append", "run lua -i")
    if not check("Lua's prompt comes", session.wait_for("> "), session.text):
        return
    check("it calculates", "42.5" in session.say("print(40 + 2.5)\r", "\n> "), session.text)
    check("tells errors, and goes on", "stdin:1: on purpose" in
          session.say("error 'on purpose'\r", "\n> "), session.text)
    check("and has the earlier lines", session.say("\x1b[A\x1b[A\r", "\n> ").count("42.5") == 1,
          session.text)
    session.send("\x04")
    check("Control D ends it", session.wait() == 0, session.text)


def keyboard_and_screen():
    with tempfile.TemporaryDirectory() as folder:
        status, screen, _ = run(
            "tools/screenshot", "--modules", MODULES, "--entry", "all-c-programs", "--append",
            "run lua -i", "--wait-for", "Lua.org", "--serial", f"{folder}/serial",
            "--type", "6 shift-8 8 left backspace spc shift-8 left right right backspace 7 ret",
            "\n42\n", "--type", "x dot y ret", "'x')")
        with open(f"{folder}/serial", encoding="latin-1") as file:
            serial = file.read()
    check("the machine's keyboard types, the screen and the serial line show it", status == 0 and
          "\n42\n" in serial and "attempt to index a nil value (global 'x')" in serial, screen,
          serial)


def by_make():
    status, text, _ = run("make", "run", "DEMO=hello", "RUN=hello you there")
    check("make run DEMO=hello, with arguments", status == 0 and
          "hello, world; this is hello you there.\nThe square root of 2 is 1.414213562373095, and "
          "100 factorial is 9.332622e+157.\nEND success" in text, text)


def sources_refused():
    """Where apt-get is not there, or can't get anything."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("sh", "mkdir", "rm", "tail", "grep", "flock", "sort"):
            os.symlink(shutil.which(name), f"{folder}/{name}")
        status, text, _ = run(f"{ROOT}/tools/source", "newlib", cwd=folder, PATH=folder)
        check("no apt-get: one sentence", status == 1 and text.count("\n") == 1 and
              "newlib" in text and "no apt-get" in text, text)
        with open(f"{folder}/apt-get", "w", encoding="ascii") as file:
            file.write("#!/bin/sh\n[ $1 = indextargets ] && echo deb-src http://x/ y z\n"
                       "[ $1 = indextargets ] || { echo E: no network; exit 100; }\n")
        os.chmod(f"{folder}/apt-get", 0o755)
        status, text, _ = run(f"{ROOT}/tools/source", "newlib", cwd=folder, PATH=folder)
        check("no network: apt-get's reason, and one sentence", status == 1 and
              "E: no network\n" in text and text.splitlines()[-1].startswith("source: ") and
              "is there a network?" in text and not os.path.exists(
                  f"{folder}/build/debian/newlib"), text)
    for target in ("all", "run", "iso"):
        status, text, _ = run("make", "-n", target)
        check(f"make {target} does not ask for them", status == 0 and "tools/source" not in text and
              "setup c" not in text, text)


os.chdir(ROOT)
if os.path.exists("build/c/missing"):
    print("# Debian's sources could not be had: the C library was not tested")
else:
    library()
    registers()
    two_at_once()
    going_wrong()
    killed()
    lua()
    interactive()
    keyboard_and_screen()
    by_make()
sources_refused()
close()
