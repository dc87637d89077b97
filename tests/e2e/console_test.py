#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The console: what is typed on the keyboard and on the serial line, and what both then show."""

import importlib.machinery
import importlib.util
import os
import re
import tempfile
import time

from tap import ROOT, Session, check, close, run

UP, DOWN, RIGHT, LEFT, DELETE, HOME, END = (f"\x1b[{c}" for c in ("A", "B", "C", "D", "3~", "H",
                                                                 "F"))
PROMPT = "\nnous> "
LOADER = importlib.machinery.SourceFileLoader("screenshot", f"{ROOT}/tools/screenshot")
screenshot = importlib.util.module_from_spec(importlib.util.spec_from_loader("screenshot", LOADER))
LOADER.exec_module(screenshot)


def displayed(text):
    """The lines that a terminal shows of this: backspaces go back, what follows overwrites."""
    lines = [[]]
    at = 0
    for c in text.replace("\r", ""):
        if c == "\n":
            lines.append([])
            at = 0
        elif c == "\b":
            at -= 1
        else:
            lines[-1][at:at + 1] = c
            at += 1
    return ["".join(line).rstrip() for line in lines]


def answers(session, line, *patterns, seconds=60):
    """A command's answer up to the next prompt has all these."""
    text = session.say(line + "\r", PROMPT, seconds)
    for pattern in patterns:
        if not check(f"{line}: {pattern}", re.search(pattern, text, re.M), text):
            return


def commands(session):
    answers(session, "help", r"^  poweroff +the end")
    answers(session, "domains", r"^  root +\d+ +\d+", r"^  vga ", r"^  console ")
    answers(session, "threads", r"^  root +\d+  in chain +root +0 +[1-9]\d*",
            r"^  console +\d+  in chain +console +0 +[1-9]\d*")
    answers(session, "caps keyboard", r"^ +0  self ", r"^ +1  line +1 ")
    answers(session, "caps", r"^caps DOMAIN")
    answers(session, "caps nobody", r"^caps DOMAIN")
    answers(session, "lspci", r"00:00\.0 .*host bridge", r"1234:1111  VGA")
    answers(session, "bench", r"^  call of another domain, and return +\d+ +7\d$",
            r"^  a row of 80 cells written to the screen +\d+ +\d+$",
            r"^  a configuration word of a PCI function read +\d+ +\d+$")
    version = run("tools/version")[1].strip()
    answers(session, "about", rf"^Nous {re.escape(version)}, a microkernel")
    check("boot's first line says the version, too",
          f"\nNous {version}, a microkernel" in f"\n{session.text}", session.text[:300])
    answers(session, "nonesuch  of this", r"^nonesuch: no such command")
    answers(session, "   ", r"^nous> $")
    text = session.say("caps console\r", PROMPT)
    rights = re.findall(r"^ +\d+  (?:domain|thread) .*generation +\d+ *(.*?)\s*$", text, re.M)
    check("the console may read domains and threads, and signal its own and its starter's",
          sorted(set(rights)) == ["read", "signal"] and rights.count("signal") == 2, text)


def frames(session):
    """All types that there are, and the sum; a program's end is seen in them."""
    def counted():
        text = session.say("frames\r", PROMPT)
        return {name: int(count) for name, count in
                re.findall(r"^  (\w+(?: \w+)?) +(\d+) +\d+\.\d(?: +\d+)?$", text, re.M)}, text
    before, text = counted()
    types = ["reserved", "dirty", "clean", "data", "table", "directory", "object", "becoming",
             "dropping table", "dropping directory", "lock page"]
    check("frames: all types, and how many there are of each",
          list(before)[:13] == types + ["all", "root"] and
          sum(before[name] for name in types) == before["all"] == 16384, text)
    session.say("windows\r", PROMPT)
    during, text = counted()
    new = {name: during[name] - before[name] for name in types}
    check("four more programs: each a directory, a domain and a thread", new["directory"] == 4 and
          new["object"] == 12 and new["table"] >= 4 and new["data"] >= 4 * 5, text)
    check("and of the allocator a block", during["windows"] == 256 and
          during["nobody"] == before["nobody"] - 256, text)
    session.say("windows\r", PROMPT)
    after, text = counted()
    check("which it has back", after["windows"] == 0 and after["nobody"] == before["nobody"] and
          after["root"] == before["root"], text)
    kept = ["reserved", "data", "table", "directory", "object"]
    check("which go again", [after[name] for name in kept] == [before[name] for name in kept] and
          after["clean"] + after["dirty"] == before["clean"] + before["dirty"], text)
    answers(session, "caps root", r"^ +1  authority .* 1  read$", r" domain +memory .* read$")
    answers(session, "caps memory", r"^ +1  authority .* create destroy read$")


def hostility(session):
    text = session.say("schedule\r", PROMPT, 60)
    check("schedulers one upon the other: both periodic threads have done their jobs",
          text.count(": 20 jobs, ") == 2 and "it went wrong" not in text, text)
    text = session.say("attack\r", PROMPT, 120)
    check("attack: the system survives", "The system has survived." in text, text)
    check("every forbidden instruction stops its thread, and no neighbour is in trouble",
          "WENT ON" not in text and re.search(r" 77 times, 0 with trouble", text), text)
    before, after = re.search(r"before: (\d+), after: (\d+)\.", text).groups()
    check("and no frame is lost", before == after, text)
    tries = re.search(r"of (\d+) pages (\d+) can be read, its modules; 0 others; 0 written", text)
    check("root has lost the linear map, but for its modules",
          tries and 16 < int(tries[2]) < 200 < int(tries[1]), text)
    check("and the authority, but to look",
          re.findall(r"^  (?:a frame|the memory|a capability|a door|a slot) .*: (\w+)$", text,
                     re.M) == ["RIGHT"] * 5, text)
    check("and what the allocator gave away", "block: revoke is not allowed, this program's "
          "extent is stale there" in text, text)
    answers(session, "domains", r"^  console ")


SHARE = r"^  (\S+|\(\w+\)) +(\d+\.\d)%  +(\d+)$"


def tables(text):
    """What `top` has shown: for each time, name -> percent."""
    return [{name: float(percent) for name, percent, _ in re.findall(SHARE, part, re.M)}
            for part in text.replace("\r", "").split("a key ends this")[1:]]


def top(session):
    """Each second a table of shares that add up, until a key comes, which does nothing else."""
    shown = session.say("top\r", "nobody says that", 4.5)
    shares = [table for table in tables(shown) if "(others)" in table]
    check("top: refreshed again and again", len(shares) >= 2, shown)
    check("top: an idle machine idles", shares and shares[-1].get("(idle)", 0) > 90, shown)
    check("top: shares add up to all", shares and all(
        99 < sum(table.values()) < 100.5 for table in shares), shown)
    milliseconds = [int(ms) for ms in re.findall(r"of (\d+) ms", shown)]
    check("top: each interval is about a second", milliseconds and
          all(950 <= ms < 1200 for ms in milliseconds), shown)
    text = session.say("x", PROMPT)
    check("top: a key ends it and is gone", displayed(text)[-1] == "nous>", text)
    quiet = session.say("", "a key ends this", 2.5)
    check("top: and no table comes any more", quiet == "", quiet)
    answers(session, "top\ry", r"^nous> $")
    answers(session, "threads", r"^  root +\d+  in chain root +0 .* +\d+\.\d%$")


def editing(session):
    def shows(what, keys, wanted):
        text = session.say(keys + "\r", PROMPT)
        lines = displayed("nous> " + text)
        check(what, lines[0] == f"nous> {wanted}", text)
    shows("characters are inserted where the cursor is", "xlp" + LEFT * 2 + "y", "xylp")
    shows("and deleted, to the left and to the right", "xabcy" + LEFT * 2 + "\x7f" + DELETE, "xay")
    shows("Home, End, and keys of other editors", "bc" + HOME + "xa" + END + "d\x01\x06\x0b", "x")
    shows("Up brings the last line back", UP, "x")
    shows("Up and Down go to and fro", "now" + UP * 3 + DOWN * 2, "x")
    shows("a line ends before the row does", "y" * 100, "y" * 71)
    session.say("gone\x03", PROMPT)
    shows("Control C cancels a line", UP, "y" * 71)


def serial_line():
    session = Session("tools/run", "--direct", "--keep")
    check("the console comes", session.wait_for(PROMPT), session.text)
    commands(session)
    frames(session)
    top(session)
    editing(session)
    hostility(session)
    check("reboot starts the machine anew", session.say("reboot\r", PROMPT).count(
        "This is the console") == 1, session.text)
    session.send("poweroff\r")
    check("poweroff ends it with success", session.wait() == 0 and
          session.text.strip().endswith("END success"), session.text)


def keyboard():
    with tempfile.TemporaryDirectory() as folder:
        status, screen, _ = run(
            "tools/screenshot", "--serial", f"{folder}/serial",
            "--type", "h shift-e l p z left backspace delete left left delete e right right p ret",
            "the end", "--type", "caps_lock c a p s caps_lock spc shift-1 ret", "CAPS: no such",
            "--type", "up up x ret", "helpx: no such",
            "--type", "t h r e a d s ret", "CPU time")
        check("the keyboard types, with Shift, Caps Lock and arrows", status == 0, screen)
        with open(f"{folder}/serial", encoding="latin-1") as file:
            lines = displayed(file.read())
        rows = screen.splitlines()
        check("the serial line shows what the screen shows", lines[-len(rows):] == rows,
              "\n".join(lines[-25:]), screen)


def windows():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/qmp"
        session = Session("tools/run", "--direct", "--keep", "--", "-qmp",
                          f"unix:{path},server=on,wait=off")
        session.wait_for(PROMPT)
        machine = screenshot.Machine(path, 20)

        def screen(wanted):
            return screenshot.screen_wait(machine, folder, wanted,
                                          time.monotonic() + 20).split("\n")

        def painted(rows):
            return [(int(number), int(rounds)) for row in rows[:12] for number, rounds in
                    re.findall(r"painter (\d), round (\d+), outside: refused", row)]

        session.say("windows\r", PROMPT)
        rows = screen("painter 3, round")
        check("windows: four programs draw, each in its rectangle and not beside it",
              [number for number, _ in painted(rows)] == [0, 1, 2, 3], rows)
        check("and the console has the rows below", rows[12] == "nous>", rows)
        answers(session, "threads", r"^  painter +\d+  ready +")
        end = time.monotonic() + 20
        later = screen("in chain console")
        while not all(new > old for new, old in zip(painted(later), painted(rows))) and \
                time.monotonic() < end:
            later = screen("in chain console")
        check("they go on while it waits", time.monotonic() < end, later)
        check("what it says stays in its half", len(painted(later)) == 4 and
              sum("painter" in row for row in later[12:]) == 4 and
              [row for row in later if row][-1] == "nous>", later)
        session.say("top\r", "a key ends this")
        top_rows = screen("(others)")
        shares = [float(percent) for row in top_rows for name, percent, _ in
                  re.findall(SHARE, row) if name == "painter"]
        check("top, on the screen, too: the painters share the CPU", "a key ends" in top_rows[12]
              and len(shares) == 4 and all(20 < share < 26 for share in shares), top_rows)
        screenshot.keys_type(machine, "q")
        later = screen("nous>")
        check("a key of the keyboard ends it, too", [row for row in later if row][-1] == "nous>",
              later)
        session.say("windows\r", PROMPT)
        later = screen("nous>")
        check("once more: the whole screen is the console's", later == ["nous>"] + [""] * 24, later)
        answers(session, "domains", r"^  console ")
        check("and they are gone", "painter" not in session.say("threads\r", PROMPT), session.text)
        session.send("poweroff\r")
        check("poweroff is a success then, too", session.wait() == 0, session.text)


def both_at_once():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/qmp"
        session = Session("tools/run", "--direct", "--keep", "--", "-qmp",
                          f"unix:{path},server=on,wait=off")
        session.wait_for(PROMPT)
        machine = screenshot.Machine(path, 20)
        screenshot.keys_type(machine, "h e")
        session.say("l", "l")
        screenshot.keys_type(machine, "p ret")
        check("one line can come from both", session.wait_for("poweroff  the end"), session.text)
        session.wait_for("Control A E B F P N D U K W C.\nnous> ")
        session.send("poweroff\r")
        check("and the machine ends", session.wait() == 0, session.text)


os.chdir(ROOT)
serial_line()
keyboard()
windows()
both_at_once()
close()
