#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The models of the rollforward lock, searched completely by SPIN; TAP on stdout.

A protocol is right if no state breaks an assertion and every line of it was reached. Broken on
purpose in one place (BREAK_...), each must be found to be wrong: so the assertions can fail.
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
HOSTCC = os.environ.get("HOSTCC", "gcc")
# Three threads, or two of which one faults; on one CPU that one commits in both ways.
WAYS = {"section.pml": [["-DFAULTS=0"], ["-DFAULTS=2", "-DTWO=0"], ["-DFAULTS=2"]],
        "section_smp.pml": [["-DFAULTS=0"], ["-DFAULTS=2"]]}
DEEPEST = 100000
MEGABYTES = 1500


def search(model, options):
    """Errors found, states, and the lines that were not reached."""
    with tempfile.TemporaryDirectory() as folder:
        def step(*command):
            done = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
            return done.stdout
        step("spin", "-a", *options, FOLDER / model)
        step(HOSTCC, "-O1", "-DSAFETY", "-DNOREDUCE", f"-DMEMLIM={MEGABYTES}", "-o", "pan", "pan.c")
        text = step("./pan", f"-m{DEEPEST}")
    errors = re.search(r"errors: (\d+)", text)
    if not errors or "Search not completed" in text and errors[1] == "0" or "too small" in text:
        return None, text, set()
    unreached = set(re.findall(rf"{re.escape(model)}:(\d+), state", text))
    return int(errors[1]), re.search(r"(\d+) states, stored", text)[1], unreached


def right(model):
    """Is the protocol right, in all ways?"""
    found = [search(model, way) for way in WAYS[model]]
    never = set.intersection(*(unreached for _, _, unreached in found))
    notes = [f"{' '.join(way)}: errors {errors}, states {states}"
             for way, (errors, states, _) in zip(WAYS[model], found)]
    if never:
        notes.append(f"never reached: lines {', '.join(sorted(never, key=int))}")
    return all(errors == 0 for errors, _, _ in found) and not never, notes


def caught(model, name):
    """Is this break found, in one of the ways?"""
    notes = []
    for way in reversed(WAYS[model]):           # with faults there are fewer states to search
        errors, states, _ = search(model, [f"-D{name}", *way])
        if errors:
            return True, []
        notes.append(f"{' '.join(way)}: errors {errors}, states {states}")
    return False, notes


def main():
    cases = []
    for model in WAYS:
        stem = model.removesuffix(".pml")
        cases.append((f"{stem}_is_right", right, (model,)))
        names = set(re.findall(r"\bBREAK_\w+[A-Z]\b", (FOLDER / model).read_text()))
        cases += [(f"{stem}_{name.lower()}_is_caught", caught, (model, name))
                  for name in sorted(names)]
    failed = 0
    print(f"TAP version 14\n1..{len(cases)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        futures = [pool.submit(what, *arguments) for _, what, arguments in cases]
        for number, ((name, _, _), future) in enumerate(zip(cases, futures), 1):
            good, notes = future.result()
            failed += not good
            print(*(f"# {line}" for note in notes for line in note.splitlines()), sep="\n",
                  end="\n" if notes else "")
            print(f"{'ok' if good else 'not ok'} {number} - {name}", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
