#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tutorials, followed word by word in a copy of the project; TAP.

A block of commands (```sh) is executed; the block behind it (```text) is what they answer, where
`...` alone stands for any lines, `…` for any characters, and a figure with `~` for one that is not
a quarter off. What the reader is to do to a file is said in the words before a block (```c):

    Write `PATH`:                          the file is this
    `PATH` has:                            this stands in it
    In `PATH`, before|after the line `LINE`, put:
    At the end of `PATH`, put:
    In `PATH`, replace                     ... and the block behind the word "by"

Use: tests/e2e/tutorial_test.py [PAGE...]
"""

import glob
import os
import re
import sys
import tempfile

from tap import ROOT, check, close, copy_of_project, run

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
WRITE = re.compile(r"Write\s`([^`]+)`:$")
HAS = re.compile(r"`([^`]+)`\shas:$")
BESIDE = re.compile(r"In\s`([^`]+)`,\s(before|after)\sthe\sline\s`([^`]+)`,\sput:$")
END = re.compile(r"At\sthe\send\sof\s`([^`]+)`,\sput:$")
REPLACE = re.compile(r"In\s`([^`]+)`,\sreplace$")
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Stumble(Exception):
    """What a reader could not do, or saw otherwise."""


def same_line(wanted, got):
    """Does a line of the page describe this one?"""
    parts = re.split(r"(~[\d,.]+|…)", wanted)
    pattern = "".join(r"([\d,.]+)" if part.startswith("~") else ".*" if part == "…" else
                      re.escape(part) for part in parts)
    match = re.fullmatch(pattern, got)
    figures = [float(part[1:].replace(",", "")) for part in parts if part.startswith("~")]
    return match and all(abs(float(got_one.replace(",", "")) - figure) <= figure / 4
                         for figure, got_one in zip(figures, match.groups()))


def compare(wanted, got):
    """Every line of the page in its place; Stumble names the first that is not."""
    at, anywhere = 0, False
    for number, line in enumerate(wanted):
        if line == "...":
            anywhere = True
            continue
        last = len(got) if anywhere else min(at + 1, len(got))
        found = next((i for i in range(at, last) if same_line(line, got[i])), None)
        if found is None:
            raise Stumble(f"line {number + 1} of the output should be: {line}",
                          f"but it is: {got[at] if at < len(got) else 'missing'}" if not anywhere
                          else "but it is nowhere", *got[-25:])
        at, anywhere = found + 1, False
    if at < len(got) and not anywhere:
        raise Stumble(f"more is said than the page shows: {got[at]}")


class Reader:
    """Follows one page."""

    def __init__(self, folder):
        self.folder, self.output, self.replaced, self.written = folder, None, None, set()

    def read(self, path):
        try:
            with open(f"{self.folder}/{path}", encoding="utf-8") as file:
                return file.read()
        except OSError as error:
            raise Stumble(f"{path}: {error.strerror}") from error

    def write(self, path, text):
        self.written.add(path)
        os.makedirs(os.path.dirname(f"{self.folder}/{path}"), exist_ok=True)
        with open(f"{self.folder}/{path}", "w", encoding="utf-8") as file:
            file.write(text)

    def put(self, path, old, new):
        text = self.read(path)
        if text.count(old) != 1:
            raise Stumble(f"{path} has this {text.count(old)} times:", old)
        self.write(path, text.replace(old, new))

    def execute(self, commands):
        status, text, _ = run("bash", "-e", "-c", commands, cwd=self.folder)
        text = COLOURS.sub("", text)
        self.output = [line.rstrip() for line in text.splitlines()]
        if status != 0:
            raise Stumble(f"it ended with status {status}", *self.output[-25:])

    def edit(self, words, block):
        """What the words before the block say that one does with it."""
        if self.replaced and words == "by":
            path, old = self.replaced
            self.replaced = None
            return self.put(path, old, block)
        for form, act in ((WRITE, lambda path: self.write(path, block)),
                          (HAS, lambda path: self.put(path, block, block)),
                          (END, lambda path: self.write(path, self.read(path) + block))):
            if match := form.search(words):
                return act(match[1])
        if match := BESIDE.search(words):
            path, side, line = match.groups()
            line += "\n"
            return self.put(path, line, block + line if side == "before" else line + block)
        if match := REPLACE.search(words):
            self.replaced = match[1], block
            return None
        raise Stumble("nobody knows what to do with this block:", words[-200:], block)

    def follow(self, kind, words, block):
        if kind == "sh":
            self.execute(block)
        elif kind == "text" and self.output is not None:
            compare([line.rstrip() for line in block.splitlines()], self.output)
            self.output = None
        elif kind in ("c", "json"):
            self.edit(words, block)
        else:
            raise Stumble(f"a block ```{kind} is neither done nor compared:", block)


def blocks(page):
    """Kind, the words before it, text and line of each block."""
    with open(page, encoding="utf-8") as file:
        text = file.read()
    end = 0
    for match in BLOCK.finditer(text):
        words = text[end:match.start()].strip()
        yield match[1], words, match[2], text[:match.start()].count("\n") + 1
        end = match.end()


def follow(page):
    name = os.path.basename(page)
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(copy_of_project(folder))
        for kind, words, block, line in blocks(page):
            what = block.splitlines()[0].strip() if kind == "sh" else "as it says"
            try:
                reader.follow(kind, words, block)
                if kind in ("sh", "text"):
                    check(f"{name}:{line}: {what}", True)
            except Stumble as stumble:
                check(f"{name}:{line}: {what}", False, "\n".join(stumble.args))
                return
        status, text, _ = run("clang-format", "--dry-run", "-Werror", *sorted(reader.written),
                              cwd=reader.folder)
        check(f"{name}: what was written has the form that lint wants", status == 0, text)


for each in sys.argv[1:] or sorted(glob.glob(f"{ROOT}/docs/tutorial*.md")):
    follow(each)
close()
