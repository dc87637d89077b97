#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of tools/bench-page on made-up runs; TAP on stdout, exit 1 when one fails.

Use: tests/host/bench_page_test.py [TOOL]   (another TOOL shows that the tests can fail)
"""

import json
import re
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "tools/bench-page").resolve()
VOID = {"meta"}
FIGURES = {"min": 300, "median": 312, "p99": 420, "max": 9000, "samples": 1000,
           "bins": {"first": 300, "width": 9, "counts": [400, 580, 10] + [0] * 12 + [10]}}
COLD = {**FIGURES, "min": 900, "median": 1234, "p99": 2000, "samples": 100,
        "bins": {"first": 900, "width": 80, "counts": [0, 0, 10, 80, 10]}}
ALIKE = {"min": 75, "median": 75, "p99": 75, "max": 75, "samples": 1000,
         "bins": {"first": 75, "width": 1, "counts": [1000]}}


class Page(HTMLParser):
    """Tags, attributes, texts; `wrong` if tags do not close in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.wrong, self.texts, self.attributes, self.tags = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.attributes += attrs

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.texts.append(data)

    def count(self, tag, **attributes):
        return sum(t == tag and attributes.items() <= a.items() for t, a in self.tags)


def page_of(results, unit):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "results.json").write_text(json.dumps(
            {"unit": unit, "machine": "made <up> & co", "results": results}))
        done = subprocess.run([sys.executable, TOOL, "--results", f"{folder}/results.json",
                               "--out", f"{folder}/report.html"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        text = (Path(folder) / "report.html").read_text()
    return text, Page(text)


def stands_alone(text, page):
    names = {name for name, _ in page.attributes}
    return not page.wrong and not page.open and not {"src", "href"} & names and \
        not re.search(r"<script|@import|url\(|<link", text)


def tests():
    text, page = page_of([{"name": "call_return", **ALIKE}, {"name": "new_thing", **FIGURES}],
                         "instructions")
    said = " ".join(page.texts)
    yield "it needs nothing else, and its tags close", stands_alone(text, page)
    yield "what was measured is text, not markup", "made <up> & co" in said and "new_thing" in said
    yield "figures are those of the run", all(words in said for words in ("75", "312", "9,000"))
    yield "instructions are never called cycles", "cycles of the" not in said
    yield "peers are beside it, with what differs", all(
        words in said for words in ("Pistachio", "167", "1-byte pipe ping-pong", "27,230"))
    bars = [float(a["width"]) for t, a in page.tags
            if t == "rect" and a.get("rx") and a["fill"] in ("#1f5fbf", "#b48a2c", "#3d9970",
                                                               "#8a8f98")]
    yield "a longer bar is a larger figure", len(bars) == 4 and bars == sorted(set(bars))
    yield "samples that are alike have no histogram", "all 1,000 alike" in said
    yield "the others have one bar a bin", page.count("rect", **{"fill-opacity": "0.8"}) == 3

    text, page = page_of([{"name": "call_return", **FIGURES, "cold": COLD}], "cycles")
    said = " ".join(page.texts)
    yield "cycles have no peers and no limits", stands_alone(text, page) and not (
        "seL4" in said or "our limit" in said or "guest instructions" in said)
    yield "warm and cold are beside each other", all(
        words in said for words in ("Warm and cold", "1,234", "4.0 times as many"))
    yield "cold samples are in the histogram", page.count(
        "rect", fill="#d9772b", **{"fill-opacity": "0.8"}) == 3
    yield "medians alone make a page", stands_alone(*page_of(
        [{"name": "call_return", "median": 5, "cold": {"median": 9}}], "cycles"))


def main():
    failed = number = 0
    for number, (name, good) in enumerate(tests(), 1):
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
