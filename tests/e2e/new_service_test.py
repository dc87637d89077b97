#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make new-service, in a copy of the project: what it writes builds, runs and passes; and what it
refuses, with which words. (docs/tutorial.md, which is tested as well, has the name `counter`.)
"""

import os
import tempfile

from tap import check, close, copy_of_project, run

NAME = "tally_of_two"
REFUSED = {
    "": "it needs a name", "Counter": "small letters", "2nd": "small letters",
    "a-b": "small letters",
    "a__b": "small letters", "../x": "small letters", "a b": "small letters",
    "x" * 21: "too long", "while": "C compiler", "linux": "C compiler", "selftest": "boot menu",
    "serial": "services/serial is there already", "sample": "uses the name sample_add",
    "lock": "libs/lock is there already", "text": "header of this name",
    "hostile": "is there already", NAME: f"services/{NAME} is there already",
    "quota": "services/quota is there already",
}


def files(folder):
    return {os.path.relpath(os.path.join(place, name), folder)
            for place, _, names in os.walk(folder) for name in names
            if not place.startswith(f"{folder}/build")}


def written(copy):
    before = files(copy)
    status, text, _ = run("make", "new-service", f"NAME={NAME}", cwd=copy)
    new = sorted(files(copy) - before)
    check("a service is written", status == 0 and f"make run DEMO={NAME}" in text, text)
    check("... and each of its files is named", new and all(path in text for path in new), text,
          new)
    check("... all of them under the new name",
          not any("counter" in open(f"{copy}/{path}", encoding="utf-8").read().lower()
                  for path in new), new)
    sources = [path for path in new if path.endswith((".c", ".h"))]
    status, text, _ = run("clang-format", "--dry-run", "-Werror", *sources, cwd=copy)
    check("... in the form that lint wants", status == 0, text)


def runs(copy):
    status, text, _ = run("make", "run", f"DEMO={NAME}", cwd=copy)
    check("make run DEMO= shows it", status == 0 and text.rstrip().endswith("END success")
          and "root: the sum was 524812, and is 524812" in text, text)
    status, text, _ = run("make", "selftest", f"ONLY={NAME}", cwd=copy)
    check("its tests in the machine pass", status == 0 and "# 4 passed, 0 failed" in text, text)
    status, text, _ = run("make", "bench", f"ONLY={NAME}", cwd=copy)
    check("its benchmarks are measured",
          status == 0 and text.count(f"bench {NAME}_") == 3 and "samples 1000" in text, text)
    status, text, _ = run("make", "all", cwd=copy)
    check("and everything is built", status == 0, text)


def tests_can_fail(copy):
    """Its tests see a service that adds word by word, and one that trusts what is lent."""
    path = f"{copy}/services/{NAME}/main.c"
    with open(path, encoding="utf-8") as file:
        good = file.read()
    for what, old, new in (
            ("adds word by word", "if (__builtin_add_overflow(total, word, &total))",
             "if (add(its, word, sum))"),
            ("answers a sum that it did not add", "return add(its, total, sum);", "return 0;"),
            ("asks for no right", "badge.low & right &&", "")):
        with open(path, "w", encoding="utf-8") as file:
            file.write(good.replace(old, new))
        status, text, _ = run("make", "selftest", f"ONLY={NAME}", cwd=copy)
        check(f"its tests notice when it {what}", good.count(old) == 1 and status != 0
              and "not ok" in text, text)


def refusals(copy):
    before = files(copy)
    for name, words in REFUSED.items():
        status, text, _ = run("make", "new-service", f"NAME={name}", cwd=copy)
        lines = [line for line in text.splitlines() if not line.startswith("make:")]
        check(f"refused, in a sentence: `{name}`",
              status != 0 and len(lines) == 1 and words in lines[0], text)
    check("what is refused writes nothing", files(copy) == before)
    status, text, _ = run("make", "run", "DEMO=nobody", cwd=copy)
    check("a demonstration that is none is refused, and those that are there are named",
          status != 0 and "no demonstration nobody" in text and NAME in text, text)


with tempfile.TemporaryDirectory() as scratch:
    clone = copy_of_project(scratch)
    written(clone)
    runs(clone)
    refusals(clone)
    tests_can_fail(clone)
close()
