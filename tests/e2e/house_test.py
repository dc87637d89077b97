#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/house.svg is what a running machine says of itself; `make drawings` makes it anew."""

import os
import tempfile

from tap import ROOT, check, close, run

os.chdir(ROOT)
with tempfile.TemporaryDirectory() as folder:
    drawn = os.path.join(folder, "house.svg")
    status, text, _ = run("tools/house", drawn)
    if check("the house can be drawn", status == 0, text):
        with open(drawn, encoding="utf-8") as new, open("docs/house.svg", encoding="utf-8") as old:
            new, old = new.read().splitlines(), old.read().splitlines()
        check("as it stands in docs/ (else: make drawings)", new == old,
              *(f"- {line}" for line in old if line not in new),
              *(f"+ {line}" for line in new if line not in old))
        shown = "\n".join(new)
        check("with who may dispatch, make objects, and walk in", all(
            words in shown for words in ("frame authority: create, destroy", "manages ", "#door",
                                         "#time")), shown)
close()
