#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/setup: quick and silent when all is there, one sentence when it cannot help, and what it
asks of apt (of one that only pretends)."""

import os
import shutil
import tempfile

from tap import ROOT, check, close, run

SETUP = f"{ROOT}/tools/setup"
BASICS = ["sh", "uname", "id", "mkdir", "tail", "cut", "sleep", "rm", "env", "flock", "python3"]
PRETENDED_APT = """#!/bin/sh
echo "$@" >>{folder}/asked
for word in "$@"; do
	[ "$word" = nasm ] && [ -e {folder}/updated ] && ln -s /bin/true {folder}/nasm
	[ "$word" = update ] && touch {folder}/updated
done
[ -e {folder}/updated ]
"""


def everything_there():
    status, text, seconds = run(SETUP, "build", "iso", "run", "bochs", "host", "kprof", "lint",
                                "gdb")
    check("silent when nothing is missing", status == 0 and not text, text)
    check("and takes less than a second", seconds < 1, f"{seconds:.2f} seconds")


def poor_machine(folder):
    """A folder of commands for PATH: the basics and a cross compiler, but not NASM."""
    for name in BASICS:
        os.symlink(shutil.which(name), f"{folder}/{name}")
    for name in ("gcc", "ld"):
        os.symlink("/bin/true", f"{folder}/i686-linux-gnu-{name}")


def without_apt(folder):
    status, text, _ = run(SETUP, "build", cwd=folder, PATH=folder, CROSS="")
    check("without apt: status 1", status == 1, status)
    check("and one line that names what is missing",
          text.count("\n") == 1 and "missing: nasm;" in text, text)


def other_compiler(folder):
    status, text, _ = run(SETUP, "build", cwd=folder, CROSS="nonesuch-")
    check("another cross compiler that is not there: one sentence",
          status == 1 and text.count("\n") == 1 and "nonesuch-gcc" in text, text)


def with_apt(folder):
    for name, script in (("apt-get", PRETENDED_APT.format(folder=folder)),
                         ("sudo", '#!/bin/sh\n[ "$1" = -n ] && shift\nexec "$@"\n'),
                         ("touch", '#!/bin/sh\n: >"$1"\n')):
        with open(f"{folder}/{name}", "w", encoding="ascii") as file:
            file.write(script)
        os.chmod(f"{folder}/{name}", 0o755)
    os.symlink(shutil.which("ln"), f"{folder}/ln")
    status, text, _ = run(SETUP, "build", cwd=folder, PATH=folder, CROSS="")
    with open(f"{folder}/asked", encoding="ascii") as file:
        asked = [line.split() for line in file]
    check("with apt: installed, one line for each step", status == 0 and text.splitlines() == [
        "setup: installing nasm", "setup: fetching the list of packages",
        "setup: installing nasm"], text)
    check("only what is missing", [line[-1] for line in asked] == ["nasm", "update", "nasm"], asked)
    status, text, _ = run(SETUP, "build", cwd=folder, PATH=folder, CROSS="")
    check("then all is there", status == 0 and not text, text)


everything_there()
with tempfile.TemporaryDirectory() as scratch:
    poor_machine(scratch)
    without_apt(scratch)
    other_compiler(scratch)
    with_apt(scratch)
close()
