#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make gdb`: the debugger stops in the kernel, and knows kernel and root program."""

import re
import subprocess

from tap import ROOT, check, close, run

SCRIPT = '-batch -ex "hbreak boot_main" -ex continue -ex bt -ex "info symbol {main}"'


def address_of(symbol, file):
    listed = subprocess.run(["nm", f"{ROOT}/{file}"], capture_output=True, text=True, check=True)
    return "0x" + re.search(rf"^(\w+) T {symbol}$", listed.stdout, re.M)[1]


main = address_of("main", "build/programs/demo.elf")
status, text, _ = run("make", "gdb", GDB_FLAGS=SCRIPT.format(main=main))
check("gdb ends in order", status == 0, text)
check("the machine stops in the kernel",
      re.search(r"^#0 +boot_main .* at (boot|kernel)/", text, re.M), text)
check("gdb knows the root program", re.search(r"^main in section \.text", text, re.M), text)
status, text, _ = run("make", "gdb", "MODE=nonesuch")
check("an unknown mode is one sentence", status != 0 and
      "build/programs/nonesuch.elf is missing" in text and "Traceback" not in text, text)
close()
