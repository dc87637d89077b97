#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/debugging.md: each command in it is run, and says what stands there, but for the numbers."""

import os
import re

from tap import ROOT, check, close, run

PAGE = "docs/debugging.md"


def masked(line):
    """Numbers and places change with the code; so does the white space before them."""
    line = re.sub(r"\b(?:0x)?[0-9a-f]*\d[0-9a-f]*\b", "N", line)
    return re.sub(r"\s+", " ", line).strip()


def blocks():
    """(Number of the line, [(command, lines that it must say)]) of each transcript."""
    with open(PAGE, encoding="utf-8") as page:
        lines = page.read().splitlines()
    block = None
    for number, line in enumerate(lines, 1):
        if line == "```console":
            block = number, []
        elif line == "```" and block:
            yield block
            block = None
        elif block and line.startswith(("$ ", "(gdb) ")):
            block[1].append((line, []))
        elif block:
            block[1][-1][1].append(line)


def session(commands):
    """What gdb says to each command."""
    flags = "-batch " + " ".join(f"-ex 'echo @@\\n' -ex '{c}'" for c in commands)
    _, text, _ = run("make", "gdb", GDB_FLAGS=flags)
    return re.split(r"^@@\n", text, flags=re.M)[1:]


def matches(pattern, line):
    parts = masked(pattern).split("...")
    return re.fullmatch(".*".join(map(re.escape, parts)), masked(line))


def missing(wanted, said):
    """The first line that is not there, behind those before; nothing if all are. What is said
    besides must be left out in the page, too."""
    lines, at, may_skip = [line for line in said.splitlines() if line.strip()], 0, False
    for pattern in wanted:
        if pattern == "...":
            may_skip = True
            continue
        while at < len(lines) and may_skip and not matches(pattern, lines[at]):
            at += 1
        if at == len(lines) or not matches(pattern, lines[at]):
            return pattern
        at, may_skip = at + 1, False
    return None if at == len(lines) or may_skip else lines[at]


os.chdir(ROOT)
for begin, steps in blocks():
    if steps[0][0].startswith("$ make gdb"):
        answers = session([command.removeprefix("(gdb) ") for command, _ in steps[1:]])
        answers[-1:] = [re.sub(r"\[Inferior.*", "", part) for part in answers[-1:]]
        steps = steps[1:]
    else:
        answers = [run("bash", "-c", command.removeprefix("$ "))[1] for command, _ in steps]
    wrong = [(command, line, answer) for (command, want), answer in zip(steps, answers)
             if (line := missing(want, answer)) is not None]
    check(f"line {begin}: {steps[0][0]}, and what follows",
          len(answers) == len(steps) and not wrong,
          *(wrong[0] if wrong else ["gdb ended before", *answers[-1:]]))
close()
