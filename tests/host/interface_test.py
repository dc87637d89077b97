#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does tools/interface make what it made, does it say what is wrong with a header, and is
docs/interfaces.md what the headers say? TAP.

What is made of tests/host/example.h stands in tests/host/example.golden, for people to read. After
a change that is meant: tests/host/interface_test.py --record
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools/interface"
GOLDEN = ROOT / "tests/host/example.golden"
HEAD = '/* A test. */\n#include "interface.h"\n'

# A header, the line where something is wrong, and what the sentence must say of it.
WRONG = {
    "no operation": ("int x;", 1, "no operation"),
    "unknown type": ("/* c */\nuint32_t t_a(slot_t door,\n\t      word_t x);", 5, "type.*`word_t`|"
                     "`word_t`|`x`"),
    "no comment": ("\nuint32_t t_a(slot_t door);", 4, "`t_a` has no comment above it: say what"),
    "other name": ("/* c */\nuint32_t a(slot_t door);", 4, "`a` must begin with `t_`"),
    "twice": ("/* c */\nuint32_t t_a(slot_t door);\n/* c */\nuint32_t t_a(slot_t door);", 6,
              "`t_a` is there twice"),
    "returns nothing": ("/* c */\nvoid t_a(slot_t door);", 4, "`t_a` must return uint32_t"),
    "no name": ("/* c */\nuint32_t t_a(slot_t door, uint32_t);", 4, "has no name"),
    "structure": ("/* c */\nuint32_t t_a(slot_t door, struct s x);", 4,
                  "`x` is a structure: write `const struct s \\*x`"),
    "char": ("/* c */\nuint32_t t_a(slot_t door, char x);", 4, "`x` is of type char"),
    "pointer to const": ("/* c */\nuint32_t t_a(slot_t door, const char *x);", 4,
                         "write `const char x\\[n\\]`"),
    "pointer to char": ("/* c */\nuint32_t t_a(slot_t door, char *x);", 4, "`x` is a pointer"),
    "pointer to pointer": ("/* c */\nuint32_t t_a(slot_t door, char **x);", 4, "`x` is neither"),
    "no size": ("/* c */\nuint32_t t_a(slot_t door, const char x[]);", 4,
                "`x` is an array without a size"),
    "two answers": ("/* c */\nuint32_t t_a(slot_t door, uint32_t *x, uint16_t *y);", 4,
                    "more than one word"),
    "five lent": ("/* c */\nuint32_t t_a(slot_t door, lend_t a, lend_t b, lend_t c, lend_t d,\n"
                  "\tlend_t e);", 4, "more than four capabilities"),
    "lent and kept": ("/* c */\nuint32_t t_a(slot_t door, lend_t a, keep_t b);", 4,
                      "may be kept, or not"),
    "lent and placed": ("/* c */\nuint32_t t_a(slot_t door, lend_t a, place_t b);", 4,
                        "wants the lent slots for itself"),
    "step that lends": ("/* c */\nuint32_t t_a(slot_t door, lend_t a);\n/* c */\n"
                        "uint32_t t_batch(slot_t door, struct batch *batch, uint32_t *done);", 4,
                        "lends what `t_batch` does not"),
    "step of three words": ("/* c */\nuint32_t t_a(slot_t door, uint32_t a, uint32_t b, uint32_t c)"
                            ";\n/* c */\nuint32_t t_batch(slot_t door, struct batch *batch, "
                            "uint32_t *done);", 4, "which has two words"),
    "step with a place": ("/* c */\nuint32_t t_a(slot_t door, place_t a);\n/* c */\n"
                          "uint32_t t_batch(slot_t door, struct batch *batch, uint32_t *done);", 4,
                          "for its capabilities or windows"),
}
number = 0


def test(name, complaints):
    global number
    number += 1
    print(*(f"# {line}" for line in complaints), sep="\n", end="\n" if complaints else "")
    print(f"{'not ok' if complaints else 'ok'} {number} - {name}", flush=True)
    return bool(complaints)


def made(header):
    """Status, what it says, and the files that it makes, as one text."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([TOOL, "--out", folder, header], cwd=ROOT, capture_output=True,
                              text=True, check=False)
        files = "".join(path.read_text() for path in sorted(Path(folder).iterdir()))
    return done.returncode, done.stdout + done.stderr, files


def golden():
    status, said, files = made("tests/host/example.h")
    files = re.sub(r'^#include ".*/(tests/host/example\.h)"$', r'#include "\1"', files, flags=re.M)
    if "--record" in sys.argv:
        GOLDEN.write_text(files)
    if status or said:
        return [f"status {status}: {said}"]
    have = GOLDEN.read_text()
    if files == have:
        return []
    line = next((i for i, (a, b) in enumerate(zip(files.split("\n"), have.split("\n")))
                 if a != b), 0)
    return [f"another text from line {line + 1} of {GOLDEN.relative_to(ROOT)} on:",
            files.split("\n")[line], "if that is meant: tests/host/interface_test.py --record"]


def wrong(text, line, sentence):
    with tempfile.TemporaryDirectory() as folder:
        header = Path(folder) / "t.h"
        header.write_text(HEAD + text + "\n")
        status, said, files = made(str(header))
    if status != 1 or files or said.count("\n") != 1:
        return [f"status {status}, and it says: {said}", *files.split("\n")[:3]]
    if not re.match(rf"{re.escape(str(header))}:{line}: .*({sentence})", said):
        return [f"it does not say /{sentence}/ of line {line}: {said}"]
    return []


def page_is_right():
    done = subprocess.run([TOOL, "--page", "docs/interfaces.md", "--check"], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    return [done.stderr.strip()] if done.returncode else []


def page_is_compared():
    """A page that is another one in a word is noticed, and the place is said."""
    text = (ROOT / "docs/interfaces.md").read_text()
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.md"
        page.write_text(text.replace("Writes the text.", "Writes no text."))
        done = subprocess.run([TOOL, "--page", str(page), "--check"], cwd=ROOT,
                              capture_output=True, text=True, check=False)
    line = text[:text.index("Writes the text.")].count("\n") + 1
    return [] if done.returncode == 1 and f":{line}: not what" in done.stderr else [done.stderr]


def cost_is_missing():
    status, said, _ = 0, "", ""
    with tempfile.TemporaryDirectory() as folder:
        header = Path(folder) / "t.h"
        header.write_text(HEAD + "/* Free. */\nuint32_t t_a(slot_t door);\n")
        done = subprocess.run([TOOL, "--page", f"{folder}/page.md", str(header)], cwd=ROOT,
                              capture_output=True, text=True, check=False)
        status, said = done.returncode, done.stderr
    return [] if status == 1 and "`t_a` does not say what it costs" in said else [said]


print(f"TAP version 14\n1..{len(WRONG) + 4}")
failed = test("of the example comes what came before", golden())
failed |= test("docs/interfaces.md is what the headers say", page_is_right())
failed |= test("a page that is not is noticed", page_is_compared())
failed |= test("no operation without its cost on the page", cost_is_missing())
for title, case in WRONG.items():
    failed |= test(f"wrong: {title}", wrong(*case))
sys.exit(failed)
