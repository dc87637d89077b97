#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The numbers in docs/address-space.svg and docs/call-path.svg are those of the sources; the
drawings in docs/ are well-formed, on a ground of their own. TAP on stdout.

Use: tests/host/drawings_test.py [ROOT]   (another ROOT shows that the tests can fail)
"""

import re
import sys
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2])
SVG = "{http://www.w3.org/2000/svg}"
PAGE, SLOT = 0x1000, 0x400000


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def shown(path, pattern):
    """What a drawing says in its numbers' font."""
    return re.findall(pattern, "\n".join(re.findall(r'<g [^>]*"monospace"[^>]*>(.*?)</g>',
                                                    text(path), re.S)))


def constants(*paths):
    """Plain numbers that headers define."""
    return {name: int(number.rstrip("u"), 0) for path in paths for name, number in
            re.findall(r"^#define (\w+) +(0x[0-9A-F]+u?|\d+u?)\b", text(path), re.M)}


def addresses_are_the_headers():
    its = constants("libs/abi/abi.h", "kernel/x86/x86.h")
    tss = its["TSS_SLOT"] * SLOT
    known = {0, its["IMAGE_BASE"], its["WINDOW_TABLE"], its["WINDOW_0"], its["WINDOW_1"],
             its["WINDOW_1"] + its["WINDOW_BYTES"], its["KERNEL_BASE"],
             tss - SLOT, tss, tss + PAGE, tss + 3 * PAGE, tss + SLOT}
    for page in ("APIC_PAGE", "TAG_PAGE", "DATA_PAGE_NEXT", "DATA_PAGE"):
        known |= {its[page], its[page] + PAGE}
    drawn = {int(number, 16) for number in shown("docs/address-space.svg", r">([0-9A-F]{8})<")}
    return [f"drawn, in no header: {number:08X}" for number in sorted(drawn - known)] + \
        [f"not drawn: {number:08X}" for number in sorted(known - drawn)]


def offsets_are_the_compilers():
    its = {name: int(number) for name, number in
           re.findall(r"%define (\w+) (\d+)", text("build/generated/offsets.inc"))}
    home, bytes_ = its["ACTIVATION_HOME"], its["ACTIVATION_BYTES"]
    page = {0, its["THREAD_FPU"], its["THREAD_FPU"] + 512, home - bytes_, home, home + bytes_, PAGE}
    inside = {0, 8, its["ACTIVATION_WINDOW"], its["ACTIVATION_LENT"], its["ACTIVATION_RECORD"],
              its["ACTIVATION_CALLER_ESP"] - 4}
    drawn = {int(number, 16) for number in shown("docs/call-path.svg", r">([0-9A-F]{3,4})<")}
    # Offsets in the page are hexadecimal, those in the activation decimal: two or three digits.
    drawn_inside = {int(number) for number in shown("docs/call-path.svg", r">(\d{1,3})<")}
    return [f"offset {number:X} is not drawn" for number in sorted(page - drawn)] + \
        [f"offset {number} in the activation is not drawn" for number in
         sorted(inside - drawn_inside)]


def errors_are_as_many():
    numbers = [int(n) for n in re.findall(r"^\tE\((\d+), ", text("libs/abi/abi.h"), re.M)]
    wanted = f"EAX  1 to {max(numbers)}: the kernel's error"
    return [] if wanted in text("docs/call-path.svg") else [f"no line {wanted!r}"]


def drawings_have_a_ground():
    """A rectangle as large as the drawing comes first: it is legible on dark pages, too."""
    wrong = []
    for path in sorted((ROOT / "docs").glob("*.svg")):
        root = xml.etree.ElementTree.parse(path).getroot()
        ground = root.find(f"{SVG}rect")
        size = [float(number) for number in root.get("viewBox", "0 0 0 0").split()[2:]]
        if ground is None or ground.get("fill") not in ("#ffffff", "white") or \
                [float(ground.get(side)) for side in ("width", "height")] != size:
            wrong.append(f"{path.name}: its first rectangle is not its ground")
    return wrong


TESTS = [addresses_are_the_headers, offsets_are_the_compilers, errors_are_as_many,
         drawings_have_a_ground]


def main():
    failed = 0
    for number, test in enumerate(TESTS, 1):
        wrong = test()
        failed += bool(wrong)
        print(*(f"# {line}" for line in wrong), sep="\n", end="\n" if wrong else "")
        print(f"{'not ok' if wrong else 'ok'} {number} - {test.__name__}")
    print(f"1..{len(TESTS)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
