#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a bug of the kernel's own would show: the debugger breaks the kernel, the kernel reports.

No user can do this; so the instruction pointer or the stack is bent from outside, in a system call.
"""

import os
import re

from tap import ROOT, check, close, run

LOG = "build/debug/serial.log"


def broken(*commands):
    """The serial line of a machine whose kernel was bent at its 20th system call."""
    script = ["set pagination off", "hbreak entry_sysenter", "ignore 1 20", "continue", *commands,
              "delete", "continue"]
    flags = "-batch " + " ".join(f"-ex '{command}'" for command in script)
    run("make", "gdb", GDB_FLAGS=flags)
    with open(os.path.join(ROOT, LOG), encoding="latin-1") as file:
        return file.read()


def says(text, what, pattern):
    check(what, re.search(pattern, text, re.M), text[-1500:])


text = broken("set $eip = account", "set $eax = 0x40000000")
says(text, "a page fault of the kernel's stops the machine", r"^KERNEL STOPPED: exception")
says(text, "vector and error code are named", r"vector 0*e error 0*[02]\b")
says(text, "so are domain and thread", r"thread [0-9a-f]+ domain [0-9a-f]+")
says(text, "the place has its symbol", r"at c01[0-9a-f]+ account\+")
says(text, "the machine ends with failure", r"^END failure")
text = broken("set $esp = 0x1000", "set $eip = trap_common")
says(text, "a double fault is reported through its task gate", r"^KERNEL STOPPED: double fault")
says(text, "with the symbol of the place", r"at c01[0-9a-f]+ trap_common")
says(text, "and the machine ends with failure", r"^END failure")
close()
