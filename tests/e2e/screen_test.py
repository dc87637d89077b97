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
    status, screen, _ = run("tools/screenshot", "--entry", "demo", "--append", "x", "--wait-for",
                            "nothing says this", "--seconds", "3")
    check("a text that does not come is an error", status != 0, screen)


os.chdir(ROOT)
demonstration()
refusal()
close()
