#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What docs/threats.md and the other pages name must exist; TAP on stdout, exit 1 when one fails.

Threats are numbered without a gap. The last column of a threat's row names tests (TEST in tests/,
benchmarks in tests/bench/limits.json) or says in bold why there is none. A repair names a file and,
after a colon, functions or labels, each of which stands in that file.

Use: tests/host/threats_test.py [ROOT]   (another ROOT shows that the tests can fail)
"""
import json
import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2])
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md",
         "docs/c-programs.md", "docs/decisions.md", "docs/scheduling.md", "docs/threats.md"]
FOLDERS = "kernel|boot|libs|services|tests|tools|docs"
BUILT = ("build/",)
PLACE = re.compile(rf"`((?:{FOLDERS})/[\w./-]*|Makefile|linker\.ld|LICENSE)`"
                   r"((?:: `\w+`(?:, `\w+`)*)?)")
NAME = re.compile(r"`(\w+)`")


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def rows():
    """Number, repair and tests of each threat."""
    for line in text("docs/threats.md").splitlines():
        cells = [cell.strip() for cell in line.split("|")][1:-1]
        if cells and re.fullmatch(r"T\d+", cells[0]):
            yield cells[0], cells[3] if len(cells) == 5 else "", cells[-1], len(cells)


def known_tests():
    sources = [*ROOT.glob("tests/guest/*.c"), *ROOT.glob("tests/host/*.c")]
    names = {name for path in sources
             for name in re.findall(r"^TEST\((\w+)\)", path.read_text(encoding="utf-8"), re.M)}
    benchmarks = json.loads(text("tests/bench/limits.json"))["benchmarks"]
    return names | {benchmark["name"] for benchmark in benchmarks}


def numbers_have_no_gap():
    numbers = [row[0] for row in rows()]
    return [] if numbers == [f"T{i}" for i in range(1, len(numbers) + 1)] and numbers else numbers


def rows_have_five_cells():
    return [number for number, _, _, cells in rows() if cells != 5]


def tests_exist():
    known = known_tests()
    return [f"{number}: no test {name}" for number, _, tests, _ in rows()
            for name in NAME.findall(tests) if name not in known]


def threats_have_a_test_or_say_why():
    reason = re.compile(r"\*\*|^–$|every test")
    return [number for number, _, tests, _ in rows()
            if not NAME.search(tests) and not reason.search(tests)]


def files_exist():
    return [f"{page}: no file {match[1]}" for page in PAGES
            for match in PLACE.finditer(text(page))
            if not match[1].startswith(BUILT) and not (ROOT / match[1]).exists()]


def functions_exist():
    wrong = []
    for page in PAGES:
        for match in PLACE.finditer(text(page)):
            path = ROOT / match[1]
            if path.is_file():
                source = path.read_text(encoding="utf-8", errors="replace")
                wrong += [f"{page}: no {name} in {match[1]}" for name in NAME.findall(match[2])
                          if not re.search(rf"\b{name}\b", source)]
    return wrong


def places_in_prose_exist():
    """`file: label` within one pair of backticks, as the architecture has it."""
    wrong = []
    for page in PAGES:
        for path, names in re.findall(rf"`((?:{FOLDERS})/[\w./-]+): ([\w., ]+)`", text(page)):
            if not (ROOT / path).is_file():
                wrong.append(f"{page}: no file {path}")
                continue
            source = (ROOT / path).read_text(encoding="utf-8", errors="replace")
            wrong += [f"{page}: no {name} in {path}" for name in re.findall(r"\w+", names)
                      if not re.search(rf"\b{name}\b", source)]
    return wrong


def names_stand_in_some_source():
    """Names with an underscore, such as `thread_run`, wherever a page mentions them."""
    words = set()
    paths = [ROOT / "Makefile", ROOT / "linker.ld"]
    for folder in FOLDERS.split("|"):
        paths += (ROOT / folder).rglob("*")
    for path in paths:
        if path.suffix in ("", ".c", ".h", ".asm", ".ld", ".py", ".json") and path.is_file():
            words |= set(re.findall(r"\w+", path.read_text(encoding="utf-8", errors="replace")))
    return [f"{page}: no {name} anywhere" for page in PAGES
            for name in re.findall(r"`(\w+_\w+)(?:\(\))?`", text(page))
            if name not in words and name.lower() not in words]


def anchors(page):
    """What a link may name in a page: its headings, as they are shown on the web."""
    headings = re.findall(r"^#+ +(.*?) *$", re.sub(r"```.*?```", "", text(page), flags=re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links_lead_somewhere():
    """In all pages, to files and to headings in them."""
    wrong = []
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        name = page.relative_to(ROOT)
        for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", text(name)):
            there = page.parent / target if target else page
            if target.startswith("http"):
                continue
            if not there.exists():
                wrong.append(f"{name}: {target}")
            elif anchor and there.suffix == ".md" and anchor not in anchors(there):
                wrong.append(f"{name}: no heading #{anchor} in {target or name}")
    return wrong


def figures_are_near_the_record():
    """The README's column for us: within 5 % of the record, in the statistic that is shown."""
    limits = {b["name"]: b for b in json.loads(text("tests/bench/limits.json"))["benchmarks"]}
    recorded = {r["name"]: r for r in json.loads(text("tests/bench/recorded.json"))["results"]}
    wrong = []
    for name, figure in re.findall(r"^\|[^|]*\(`(\w+)`\) \| ([\d,]+) \|", text("README.md"), re.M):
        want = recorded[name][limits[name]["headline"]] if name in recorded else 0
        if abs(int(figure.replace(",", "")) - want) > want / 20:
            wrong.append(f"README.md: {name} is {figure}, recorded {want}")
    longest = recorded["kernel_longest_stay"]["max"]
    if f"is {longest} (aim" not in re.sub(r"\s+", " ", text("README.md")):
        wrong.append(f"README.md: the longest stay is not said to be {longest}, as recorded")
    return wrong


TESTS = [numbers_have_no_gap, rows_have_five_cells, tests_exist, threats_have_a_test_or_say_why,
         files_exist, functions_exist, places_in_prose_exist, names_stand_in_some_source,
         links_lead_somewhere, figures_are_near_the_record]


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
