#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What stands on the text screen: the demonstration, as on the serial line."""

import os
import tempfile

from tap import ROOT, check, close, run


def demonstration():
    with tempfile.TemporaryDirectory() as folder:
        picture = os.path.join(folder, "screen.png")
        status, screen, _ = run("tools/screenshot", "--out", picture)
        check("the demonstration comes to its end on the screen", status == 0, screen)
        _, serial, _ = run("tools/run", "--direct")
        rows = [row for row in screen.splitlines() if row.strip()]
        lines = [line.rstrip() for line in serial.splitlines() if line.strip()]
        shown = [row for row in rows if any(row in line for line in lines)]
        check("every row of the screen stands on the serial line too, but for figures",
              len(shown) >= len(rows) - 3 and len(rows) > 15, "\n".join(set(rows) - set(shown)))
        with open(picture, "rb") as file:
            check("the picture is a PNG", file.read(8) == b"\x89PNG\r\n\x1a\n")


def refusal():
    for what, append, sentence in (
            ("a text that does not come is an error", "keep", "did not appear on the screen"),
            ("so is a machine that ends before", "x", "the machine has ended")):
        status, text, _ = run("tools/screenshot", "--append", append,
                              "--wait-for", "nothing says this", "--seconds", "3")
        check(what, status != 0 and sentence in text and "Traceback" not in text, text)


os.chdir(ROOT)
demonstration()
refusal()
close()
