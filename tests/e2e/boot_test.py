#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A tick of the loader's timer that waits while boot starts the controllers does not disturb boot.

How long loaders take differs. So the debugger has the machine spin, just before boot starts the
controllers, for more than a period of the BIOS's timer, and sees to it that the tick is there.
"""

import re

from tap import DEBUG_LOG, check, close, run

SPIN = 0x7E00           # ordinary memory below 1 MiB, mapped there during boot
TURNS = 60_000_000      # nanoseconds, for an instruction takes one; the period is 54.9 ms

script = ["set pagination off", "hbreak cycles_measure", "continue", "delete",
          "set $place = $eip", "set $count = $ecx",
          f"set {{unsigned short}} {SPIN} = 0xFEE2",                    # loop $
          f"set $ecx = {TURNS}", f"set $eip = {SPIN}", f"hbreak *{SPIN + 2}", "continue",
          "monitor info pic", "delete", "set $ecx = $count", "set $eip = $place", "continue"]
status, text, _ = run("make", "gdb", DEBUG_SLEEP="off",      # so that time is exact
                      GDB_FLAGS="-batch " + " ".join(f"-ex '{command}'" for command in script))
pending = re.search(r"pic0: irr=(\w+)", text)
check("a tick waits before boot measures time", pending and int(pending[1], 16) & 1, text)
with open(DEBUG_LOG, encoding="latin-1") as file:
    serial = file.read()
speed = re.search(r"(\d+) kHz", serial)
check("the time stamp counter is measured all the same: 1 GHz",
      speed and abs(int(speed[1]) - 1_000_000) < 10_000, serial[-1500:])
check("and the demonstration comes to its end", "END success" in serial, serial[-1500:])
close()
