#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make gdb`: it stops in kernel and programs; what it prints of Nous is what the guest knows."""

import collections
import json
import os
import re
import subprocess
import tempfile

from tap import ROOT, check, close, run

# What the root program knows, as its own variables have it: it must be the one that runs.
GUEST = """
import gdb, json
def value(text): return gdb.parse_and_eval(text)
def string(at): return at.string()
def known(array, count):
    every = (value(f"{array}[{i}]") for i in range(count))
    return [at.dereference() for at in every if int(at)]
domains = [(string(d["name"]), int(d["object"]["frame"]), int(d["directory_frame"]),
            int(d["object"]["slot"])) for d in known("'libs/root/domains.c'::known", 64)]
threads = [(string(t["name"]), int(t["object"]["frame"]), int(t["home"]["object"]["frame"]))
           for t in known("'libs/root/root.c'::threads", 64)]
record = value("*(struct boot_record *)0x0f000000")
json.dump({"domains": domains, "threads": threads,
           "root": [int(record[n]) for n in ("root_domain", "root_thread",
                                             "root_directory_frame")],
           "memory_order": int(value("(int)memory_order")),
           "slots": {n: int(value(n)) for n in ("console_slot", "vga_slot", "memory_slot",
                                                "quota_slot")}}, open("OUT", "w"))
"""


def gdb(*commands, mode="demo", append=""):
    """What gdb prints, by command; where one comes again, with a number behind it."""
    flags = "-batch " + " ".join(f"-ex 'echo @@{c}\\n' -ex '{c}'" for c in commands)
    status, text, _ = run("make", "gdb", f"MODE={mode}", f"APPEND={append}", GDB_FLAGS=flags)
    check(f"gdb ends in order ({mode})", status == 0 and "Python Exception" not in text, text)
    parts = re.split(r"^@@(.*)\n", text, flags=re.M)
    said, times = {}, collections.Counter()
    for command, output in zip(parts[1::2], parts[2::2]):
        times[command] += 1
        said[command if times[command] == 1 else f"{command} {times[command]}"] = output
    return said


def address_of(symbol, file):
    listed = subprocess.run(["nm", f"{ROOT}/{file}"], capture_output=True, text=True, check=True)
    return int(re.search(rf"^(\w+) \w {symbol}$", listed.stdout, re.M)[1], 16)


def lines(text, pattern):
    return re.findall(pattern, text, re.M)


def demonstration(folder):
    """In a call of the scribe; and when all is known to the root program, which has handed over."""
    with open(f"{folder}/guest.py", "w", encoding="ascii") as file:
        file.write(GUEST.replace("OUT", f"{folder}/guest"))
    main = f"{address_of('main', 'build/programs/demo.elf'):#x}"
    said = gdb("nous threads", "hbreak boot_main", "continue", "bt", f"info symbol {main}",
               "nous break demo:visitor_go", "continue", "delete",
               "nous break scribe:scribe_do_sum", "continue", "bt", "nous calls", "nous chain",
               "nous step", "nous into", "nous into", "delete",
               "nous break demo:fault_report", "continue", "info symbol thread_run",
               f"source {folder}/guest.py", "nous domains", "nous threads", "nous chain",
               "nous capabilities", "nous pages", "nous pages demo 0x0f000000",
               "nous frames", "nous capabilities nonesuch", "nous calls 1 2 3", "help nous")
    check("before there is paging, that is said", "the kernel has not begun yet" in
          said["nous threads"], said["nous threads"])
    check("the machine stops in the kernel",
          re.search(r"^#0 +boot_main .* at (boot|kernel)/", said["bt"], re.M), said["bt"])
    check("gdb knows the root program", "main in section .text" in said[f"info symbol {main}"],
          said)
    with open(f"{folder}/guest", encoding="ascii") as file:
        guest = json.load(file)
    root_domain, root_thread, root_directory = guest["root"]
    guest_domains = guest["domains"] + [("demo", root_domain, root_directory, 0)]
    names = {index: name for name, index, *_ in guest_domains}

    check("at a stop in a program it has that one's symbols", re.search(
        r"^#0 +scribe_do_sum .* at .*\n(?:#1 .* scribe_sum_entry .*\n)?#\d .* in service_",
        said["bt 2"], re.M), said["bt 2"])
    check("a call's activations, with what is lent", re.search(
        r"^thread visitor #(\d+): runs\n +1 +scribe #\d+ +\w+ scribe_\w+\S* \(.*\)\n"
        r" +lent 0: door to serial #\d+, badge \d+\n +window 0: .*\n +window 1: .*\n"
        r" +0 +visitor #\d+ +\w+ lend\+\d+ \(", said["nous calls"]), said["nous calls"])
    visitor = {name: (index, home) for name, index, home in guest["threads"]}["visitor"]
    check("the chain: root dispatches the visitor", lines(
        said["nous chain"], r"^ +(\d+)  (\w+) #(\d+) ")[0] == ("0", "demo", str(root_thread)) and
        lines(said["nous chain"], r"^ +1  (visitor) #\d+ +no deadline$"), said["nous chain"])
    check("a step is one of the user's", re.search(
        r"^scribe #\d+: \w+ scribe_\w+\+\d+ .*\n=> 0x\w+ <scribe_\w+\+", said["nous step"],
        re.M), said["nous step"])
    check("the next call leads into the serial service, the one after back", re.search(
        r"^serial #\d+: \w+ service_entry.*\n=> ", said["nous into"], re.M) and re.search(
        r"^(scribe|serial) #\d+: \w+ ", said["nous into 2"], re.M), said)
    check("in the root program its symbols are back", "thread_run in section .text" in
          said["info symbol thread_run"], said["info symbol thread_run"])

    found = {(int(index), name, int(directory, 16) >> 12) for name, index, directory in
             lines(said["nous domains"], r"^[ *] (\w+) #(\d+) +directory (\w+),")}
    check("domains are those that the root program knows, with their programs and directories",
          found == {(index, name, directory) for name, index, directory, _ in guest_domains},
          found, guest_domains)
    check("the running one is marked", lines(said["nous domains"], r"^\* (\w+) #(\d+)") ==
          [("demo", str(root_domain))], said["nous domains"])
    homes = set(lines(said["nous threads 2"], r"^[ *] thread \w+ #(\d+): .*\n(?:.*\n)*?"
                      r" +0  \w+ #(\d+) "))
    check("threads and their homes, too", homes == {
        (str(index), str(home)) for _, index, home in guest["threads"]} |
        {(str(root_thread), str(root_domain))}, homes, guest["threads"])
    check("the root thread runs, and nobody else", lines(
        said["nous chain 2"], r"^ +\d+  \w+ #(\d+)") == [str(root_thread)] and lines(
        said["nous threads 2"], r"^\* thread \w+ #(\d+): runs") == [str(root_thread)],
        said["nous chain 2"], said["nous threads 2"])
    held = dict(lines(said["nous capabilities"], r"^ +(\d+)  (.*)$"))
    wanted = {str(slot): f"domain of {name} #{index}" for name, index, _, slot in
              guest["domains"]}
    wanted |= {str(guest["slots"][f"{slot}_slot"]): f"door to {names[index]} #{index}, badge "
               for slot, name in (("console", "serial"), ("vga", "vga"), ("memory", "memory"),
                                  ("quota", "quota"))
               for index in [next(i for i, n in names.items() if n == name)]}
    check("its list holds what it knows that it holds", len(wanted) > 8 and all(
        held.get(slot, "").startswith(text) for slot, text in wanted.items()), held, wanted)
    check("after the hand-over only the right to look at the frame authority",
          held["1"] == "frame authority (read)", held)
    record = lines(said["nous pages"], r"^  0f000000-0f000fff  frames (\w+)-\1  -u")
    check("the boot record is mapped, for reading only", record, said["nous pages"])
    check("and looked up alone it leads to the same frame", record and
          f"0f000000 is physical {int(record[0], 16) << 12:08x}" in
          said["nous pages demo 0x0f000000"], said["nous pages demo 0x0f000000"])
    types = {int(index, 16): text for index, text in
             lines(said["nous frames"], r"^ +(\w+)-\1 +1 (.*)$")}
    made = [(index, directory) for name, index, directory, _ in guest_domains
            if name == "visitor"]
    check("frames: a domain's and a directory's are the memory service's own word",
          len(made) == 1 and types.get(made[0][0]) == "object" and
          types.get(made[0][1]) == "directory", types, made)
    counted = sum(int(n) for n in re.findall(r"(\d+) [a-z]", said["nous frames"].rsplit(
        "in all:", maxsplit=1)[-1]))
    check("and all are there", 0 < counted <= 1 << guest["memory_order"] and counted == sum(
        int(n) for n in lines(said["nous frames"], r"^ +\w+-\w+ +(\d+) ")), counted, guest)
    check("what there is not is a sentence", "there is no domain nonesuch here" in
          said["nous capabilities nonesuch"] and "nous calls [THREAD]" in
          said["nous calls 1 2 3"], said)
    check("help lists the commands", set(lines(said["help nous"], r"^nous (\w+) -- ")) == {
        "break", "calls", "capabilities", "chain", "domains", "frames", "into", "pages", "step",
        "symbols", "threads"}, said["help nous"])


def activations():
    """What thread_read told the guest of its calls is what gdb makes of the kernel's stack."""
    said = gdb("nous break selftest:look_at_calls", "continue", "nous calls", "finish",
               "p/x calls[1].w[1]", "p/x calls[2].w[1]", "p calls[1].w[0]",
               "p calls[2].w[0]", mode="selftest",
               append="only=thread_read_names_the_caller")
    calls = lines(said["nous calls"], r"^ +(\d+)  selftest #(\d+) +(\w+) (\w+)")
    told = [said[f"p/x calls[{n}].w[1]"].split("0x")[1].split()[0].rjust(8, "0") for n in (1, 2)]
    domains = [said[f"p calls[{n}].w[0]"].split("= ")[1].split()[0] for n in (1, 2)]
    check("three activations, with the callers that the kernel told the guest of",
          [(c[0], c[2]) for c in calls[1:]] == [("1", told[1]), ("0", told[0])] and
          [c[1] for c in calls[1:]] == domains[::-1] and calls[0][0] == "2" and
          [c[3] for c in calls] == ["look_at_calls", "onward", "raw_back"], said)


os.chdir(ROOT)
with tempfile.TemporaryDirectory() as scratch:
    demonstration(scratch)
activations()
status, text, _ = run("make", "gdb", "MODE=nonesuch")
check("an unknown mode is one sentence", status != 0 and
      "there is no entry nonesuch; there are: demo, selftest, " in text and
      "Traceback" not in text, text)
close()
