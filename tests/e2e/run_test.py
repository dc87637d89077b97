#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots the ISO as a user does: `make run` and its variants, the boot menu, the shipped image."""

import os
import signal
import tempfile
import time

from tap import Session, check, close, run

DOWN = "\x1b[B"


def ends_by_itself():
    status, text, seconds = run("make", "run")
    check("make run without a terminal ends by itself, with status 0", status == 0, text)
    check("make run shows the demonstration to its end",
          "Booting `Demonstration'" in text and text.strip().endswith("END success"), text)
    check("and says why that is all", "console: nobody is there to type" in text, text)
    return seconds


def ends_in_the_console():
    session = Session("make", "run", terminal=True)
    check("make run on a terminal ends in the console", session.wait_for("nous> "), session.text)
    check("which answers", "the address spaces" in session.say("help\r", "nous> "), session.text)
    session.send("poweroff\r")
    check("until it is told to end, with status 0", session.wait() == 0 and
          session.text.strip().endswith("END success"), session.text)


def stays(seconds):
    session = Session("make", "run", "KEEP=1")
    session.wait_for("nous> ")
    time.sleep(seconds + 3)
    check("make run KEEP=1 stays", session.running() and "END " not in session.text, session.text)
    session.signal(signal.SIGINT)
    check("Ctrl-C ends it", session.wait(10) is not None, session.text)
    check("and leaves no complaint of Python's", "Traceback" not in session.text, session.text)


def menu():
    session = Session("make", "run", "MENU=1")
    if not check("the boot menu is on the serial line",
                 session.wait_for("Experiment: isolation"), session.text):
        session.signal(signal.SIGKILL)
        return
    check("it names all entries", all(name in session.text for name in
                                      ("Demonstration", "Self-test", "Benchmarks",
                                       "Experiment: isolation")), session.text)
    for key in (DOWN, DOWN, DOWN, "\r"):
        session.send(key)
        time.sleep(0.3)
    check("keys on the serial line choose an entry",
          session.wait_for("*Demonstration (multiboot 1)", 20), session.text)
    check("which runs to its end", session.wait(60) == 0 and "END success" in session.text,
          session.text)


def shipped_image():
    run("make", "iso")
    begin = time.monotonic()
    session = Session("tools/run", "--iso", "build/nous.iso", "--realtime")
    check("build/nous.iso starts the demonstration by itself",
          session.wait_for("\nnous> "), session.text)
    seconds = time.monotonic() - begin
    check("after five seconds", 4.5 < seconds < 60, f"{seconds:.1f} seconds")
    session.send("poweroff\r")
    check("and its console ends it", session.wait() == 0, session.text)


def time_is_limited():
    with tempfile.TemporaryDirectory() as folder:
        status, text, _ = run("tools/run", "--direct", "--keep", "--timeout", "3",
                              "--log", os.path.join(folder, "serial.log"))
    check("tools/run --timeout ends a machine that stays", status == 2 and "no end after" in text,
          status, text)


stays(ends_by_itself())
ends_in_the_console()
menu()
shipped_image()
time_is_limited()
close()
