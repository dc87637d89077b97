#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What stands on the text screen: the demonstration, as on the serial line."""

import importlib.machinery
import importlib.util
import os
import tempfile

from tap import ROOT, check, close, run

LOADER = importlib.machinery.SourceFileLoader("screenshots", f"{ROOT}/tools/screenshots")
screenshots = importlib.util.module_from_spec(importlib.util.spec_from_loader("screenshots",
                                                                              LOADER))
LOADER.exec_module(screenshots)


def demonstration():
    with tempfile.TemporaryDirectory() as folder:
        picture = os.path.join(folder, "screen.png")
        status, screen, _ = run("tools/screenshot", "--out", picture,
                                "--serial", f"{folder}/serial")
        check("the demonstration comes to its end on the screen", status == 0, screen)
        with open(f"{folder}/serial", encoding="latin-1") as file:
            lines = [line.rstrip() for line in file.read().splitlines()]
        rows = screen.splitlines()
        check("the screen shows the last lines of the serial line",
              len(rows) == 25 and lines[-25:] == rows, "\n".join(set(rows) ^ set(lines[-25:])))
        with open(picture, "rb") as file:
            check("the picture is a PNG", file.read(8) == b"\x89PNG\r\n\x1a\n")


def refusal():
    for what, append, sentence in (
            ("a text that does not come is an error", "", "did not appear on the screen"),
            ("so is a machine that ends before", "unattended", "the machine has ended")):
        status, text, _ = run("tools/screenshot", "--append", append,
                              "--wait-for", "nothing says this", "--seconds", "3")
        check(what, status != 0 and sentence in text and "Traceback" not in text, text)


def pictures():
    """Those in docs/: that they can be made, and what would not be taken for one."""
    with tempfile.TemporaryDirectory() as folder:
        status, text, _ = run("tools/screenshots", folder)
        check("the pages' pictures hold what they must", status == 0 and not text, text)
        check("all of them", sorted(os.listdir(folder)) == sorted(screenshots.PICTURES))
    check("and are in docs/", all(os.path.exists(f"docs/{name}") for name in screenshots.PICTURES))

    cells = bytearray(b" \7" * 2000)
    title = "painter 3, round 8, outside: refused"
    for y in range(6):
        for x in range(40):
            shade = screenshots.SHADES[(x + 2 * y + 8 * 4) % 8]
            at = 2 * ((6 + y) * 80 + 40 + x)
            cells[at:at + 2] = (ord(shade if y else title.ljust(40)[x]), 12 if y else 0x40)
    check("a window as its painter draws it", not list(screenshots.wrong_in_window(cells, 3)))
    for what, at, value in (("another letter in it", 2 * (9 * 80 + 50), ord("x")),
                            ("another colour in it", 2 * (9 * 80 + 50) + 1, 7),
                            ("a drawing beside it that was not refused",
                             2 * (6 * 80 + 40 + title.index("refused")), ord("R"))):
        spoiled = bytes(cells[:at]) + bytes([value]) + bytes(cells[at + 1:])
        check(f"{what} is found", list(screenshots.wrong_in_window(spoiled, 3)))
    check("and windows that are not there", list(screenshots.wrong_with_windows("", cells)))


os.chdir(ROOT)
demonstration()
refusal()
pictures()
close()
