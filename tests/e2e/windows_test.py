#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Four painters that drew at once (tests/windows): every cell of the screen and its colours."""

import os
import tempfile

from tap import ROOT, check, close, run

COLUMNS, ROWS, WIDTH, HEIGHT, ROUNDS = 80, 25, 40, 12, 60
SHADES = " .:-=+*#"
PLAIN, BRIGHT = 7, 8


def cell_wanted(x, y):
    """Character and attribute, as services/painter draws its last round."""
    if y == ROWS - 1:
        text = f"all have drawn {ROUNDS} rounds"
        return text[x] if x < len(text) else " ", PLAIN
    number = x // WIDTH + y // HEIGHT * 2
    x, y, colour = x % WIDTH, y % HEIGHT, number % 7 + 1
    if y == 0:
        title = f"painter {number}, round {ROUNDS}, outside: refused"
        return title[x] if x < len(title) else " ", colour << 4
    return SHADES[(x + 2 * y + ROUNDS * (number + 1)) % len(SHADES)], colour + BRIGHT


os.chdir(ROOT)
with tempfile.TemporaryDirectory() as folder:
    file = os.path.join(folder, "cells")
    status, screen, _ = run("tools/screenshot", "--entry", "windows", "--cells", file,
                            "--wait-for", f"all have drawn {ROUNDS} rounds")
    check("four programs draw at once and come to an end", status == 0, screen)
    with open(file, "rb") as cells:
        cells = cells.read()
places = [(x, y) for y in range(ROWS) for x in range(COLUMNS)]
got = {(x, y): (chr(cells[(y * COLUMNS + x) * 2]), cells[(y * COLUMNS + x) * 2 + 1])
       for x, y in places}
wrong = [(place, got[place], cell_wanted(*place)) for place in places
         if got[place] != cell_wanted(*place)]
check("every cell of the screen is its owner's", not wrong, *wrong[:5])
check("in colours of their own", len({colours for _, colours in got.values()}) == 9)
close()
