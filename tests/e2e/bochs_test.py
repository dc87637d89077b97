#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make run-bochs` and `make debug-bochs`: what they refuse, the debugger and its symbols."""

import re
import subprocess

from tap import DEBUG_LOG, ROOT, Session, check, close, run


def functions(file):
    listed = subprocess.run(["nm", f"{ROOT}/build/{file}"], capture_output=True, text=True,
                            check=True).stdout
    return set(re.findall(r" [Tt] (\w+)$", listed, re.M))


status, text, _ = run("make", "run-bochs", "ENTRY=nonesuch")
check("an unknown entry is one sentence",
      status != 0 and "no such entry: nonesuch" in text and "Traceback" not in text, text)
status, text, _ = run("make", "debug-bochs", "BREAK=nonesuch")
check("an unknown function is one sentence",
      status != 0 and "neither the kernel nor demo has a function nonesuch" in text
      and "Traceback" not in text, text)

session = Session("make", "debug-bochs", "BREAK=main")
check("it stops at a function of the root program",
      session.wait_for("<bochs:1>") and "(main+0): " in session.text, session.text)
session.say('lb "entry_sysenter"\nc\n', "<bochs:3>")
check("it stops at a function of the kernel, and names it", "(entry_sysenter+0)" in session.text,
      session.text)
session.send("q\n")
check("q ends it", session.wait(20) == 0, session.text)
with open(DEBUG_LOG, encoding="latin-1") as file:
    check("the serial line is in its file", "Nous: demo" in file.read())
with open(f"{ROOT}/docs/bochs.md", encoding="utf-8") as file:
    named = set(re.findall(r'BREAK=([a-z]\w+)|"([a-z]\w+)"', file.read()))
missing = {one or other for one, other in named} - functions("nous.elf") - \
    functions("programs/selftest.elf")
check("the functions that docs/bochs.md names are there", named and not missing, missing)
close()
