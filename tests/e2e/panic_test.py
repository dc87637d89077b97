#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a bug of the kernel's own would show: the debugger breaks the kernel, the kernel reports.

No user can do this; so the instruction pointer or the stack is bent from outside, in a system call.
"""

import os
import re
import tempfile

from tap import DEBUG_LOG, check, close, run

COLUMNS, ROWS, SCREEN = 80, 25, 0xC00B8000      # where the kernel sees the text screen


def broken(*commands):
    """The serial line and the screen's rows of a machine whose kernel was bent at its 20th system
    call; the screen as it is when the report is complete."""
    with tempfile.TemporaryDirectory() as folder:
        cells = os.path.join(folder, "cells")
        script = ["set pagination off", "hbreak entry_sysenter", "ignore 1 20", "continue",
                  *commands, "delete", "hbreak machine_end", "continue",
                  f"dump binary memory {cells} {SCREEN} {SCREEN + COLUMNS * ROWS * 2}",
                  "delete", "continue"]
        flags = "-batch " + " ".join(f"-ex '{command}'" for command in script)
        run("make", "gdb", GDB_FLAGS=flags)
        with open(DEBUG_LOG, encoding="latin-1") as file:
            serial = file.read()
        if not os.path.exists(cells):
            return serial, []
        with open(cells, "rb") as file:
            characters = file.read()[::2].decode("latin-1")
    return serial, [characters[at:at + COLUMNS].rstrip()
                    for at in range(0, len(characters), COLUMNS)]


def says(text, what, pattern):
    check(what, re.search(pattern, text, re.M), text[-1500:])


def shows(rows, text):
    """Whether the screen has the report as the serial line does, cut into rows."""
    report = text[text.find("KERNEL STOPPED"):text.find("END failure")].splitlines()
    wanted = [line[at:at + COLUMNS].rstrip() for line in report
              for at in range(0, len(line), COLUMNS)]
    first = rows.index(wanted[0]) if wanted and wanted[0] in rows else 0
    check("the screen shows the same", len(wanted) > 4 and
          rows[first:first + len(wanted)] == wanted, "\n".join(rows), "\n".join(wanted))


text, screen = broken("set $eip = data_pages_load", "set $eax = 0x40000000")
says(text, "a page fault of the kernel's stops the machine", r"^KERNEL STOPPED: exception")
says(text, "vector and error code are named", r"vector 0*e error 0*[02]\b")
says(text, "so are domain and thread", r"thread [0-9a-f]+ domain [0-9a-f]+")
says(text, "the place has its symbol", r"at c01[0-9a-f]+ data_pages_load\+")
says(text, "the machine ends with failure", r"^END failure")
shows(screen, text)
text, screen = broken("set $esp = 0x1000", "set $eip = trap_common")
says(text, "a double fault is reported through its task gate", r"^KERNEL STOPPED: double fault")
says(text, "with the symbol of the place", r"at c01[0-9a-f]+ trap_common")
says(text, "and the machine ends with failure", r"^END failure")
shows(screen, text)
run("make", "gdb", GDB_FLAGS="-batch -ex 'nous break demo:visitor_go' -ex continue "
    "-ex 'set {unsigned short}$pc = 0x0b0f' -ex continue")     # ud2
with open(DEBUG_LOG, encoding="latin-1") as log:
    text = log.read()
says(text, "a fault of the root thread is told with all its functions before the kernel stops",
     r"^FAULT in root at (\w{8}) \(demonstration\+\d+\)\n  program error, vector 6\n"
     r"  thread root of root, at home\n  likely from root at \w{8} \(main\+\d+\)\n"
     r"  likely from root at \w{8} \(program_start\+\d+\)\n\nKERNEL STOPPED: the root "
     r"program ended or faulted\n.*\n +last fault: class 0*602 address 0+ at \1\n")
close()
