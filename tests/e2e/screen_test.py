#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What stands on the text screen: the demonstration, as on the serial line."""

import os
import tempfile

from tap import ROOT, check, close, run


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


os.chdir(ROOT)
demonstration()
refusal()
close()
