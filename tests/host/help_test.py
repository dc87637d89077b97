#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make help` names every target and setting that a person uses, and no other; TAP on stdout.

Use: tests/host/help_test.py [ROOT]   (another ROOT shows that the tests can fail)
"""

import os
import re
import subprocess
import sys

ROOT = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
# Targets that only other targets and the tests use.
INNER = re.compile(r"setup-\w+|kprof-selftest")
SECTIONS = ["NAME", "SYNOPSIS", "TARGETS", "SETTINGS", "FILES", "EXAMPLES"]


def make(*arguments):
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    # Other settings than those of the make above us would build everything anew.
    _, _, settings = os.environ.get("MAKEFLAGS", "").partition(" -- ")
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True,
                          env={**plain, "MAKEFLAGS": f"-- {settings}" if settings else ""},
                          check=False).stdout


def sections(text):
    """The text of each section, by its name."""
    parts = re.split(r"^([A-Z]+)\n", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def columns_are_few(shown, _database):
    return [line for line in shown.splitlines() if len(line) > 100]


def sections_are_those_of_a_manual(shown, _database):
    names = list(sections(shown))
    return [] if names == SECTIONS else names


def targets(shown):
    return set(re.findall(r"^    ([a-z][\w-]*)(?: |$)", sections(shown).get("TARGETS", ""), re.M))


def every_target_is_there(shown, database):
    phony = set(re.search(r"^\.PHONY:(.*)", database, re.M)[1].split())
    wanted = {target for target in phony if not INNER.fullmatch(target)}
    return [f"not in help: {target}" for target in sorted(wanted - targets(shown))] + \
        [f"no such target: {target}" for target in sorted(targets(shown) - wanted)]


def every_setting_is_there(shown, _database):
    with open(f"{ROOT}/Makefile", encoding="utf-8") as file:
        readers = re.sub(r"^#.*\n", "", file.read(), flags=re.M)
    settable = re.findall(r"^([A-Z0-9_]+) *\?=", readers, re.M)
    with open(f"{ROOT}/tools/debug", encoding="utf-8") as file:      # reads one by itself
        readers += file.read()
    return [f"not in help: {name}" for name in settable if not re.search(rf"\b{name}\b", shown)] + \
        [f"nobody reads {name}" for name in set(re.findall(r"\b([A-Z][A-Z0-9_]+)=", shown))
         if name != "SETTING" and not re.search(rf"\b{name}\b", readers)]


def files_have_a_rule(shown, database):
    """What FILES and TARGETS name in build/ is made by something."""
    return [path for path in re.findall(r"\b(build/[\w./]+\.\w+)", shown)
            if f"\n{path}:" not in database]


TESTS = [columns_are_few, sections_are_those_of_a_manual, every_target_is_there,
         every_setting_is_there, files_have_a_rule]


def main():
    shown, database = make("help"), make("-pn", "help")
    failed = 0
    for number, test in enumerate(TESTS, 1):
        wrong = test(shown, database)
        failed += bool(wrong)
        print(*(f"# {line}" for line in wrong), sep="\n", end="\n" if wrong else "")
        print(f"{'not ok' if wrong else 'ok'} {number} - {test.__name__}")
    print(f"1..{len(TESTS)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
