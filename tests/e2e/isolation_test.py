#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The experiment `isolation` in the machine, judged by tools/isolation; and that the judge sees
what is wrong with a log that was tampered with."""

import os
import re
import tempfile
import xml.etree.ElementTree as xml

from tap import ROOT, check, close, run


def judged(text, *options):
    file = os.path.join(folder, "log")
    with open(file, "w", encoding="utf-8") as log:
        log.write(text)
    status, output, _ = run("tools/isolation", file, *options)
    return status, output


def finds(name, pattern, replacement, sentence, count=1):
    """The log with this change is refused, for this reason."""
    changed = re.sub(pattern, replacement, text, count=count, flags=re.MULTILINE)
    status, output = judged(changed)
    check(f"judged wrong: {name}", changed != text and status == 1 and
          re.search(sentence, output), output)


def moved(column, by):
    """Adds to a column of a job's line."""
    def change(match):
        words = match[0].split()
        words[column] = str(int(words[column]) + by)
        return " ".join(words)
    return change


os.chdir(ROOT)
with tempfile.TemporaryDirectory() as folder:
    status, text, _ = run("tools/run", "--direct", "--entry", "isolation", seconds=200)
    check("the experiment comes to its end", status == 0, text)
    chart = os.path.join(folder, "chart.svg")
    status, output = judged(text, "--draw", chart)
    check("neighbours move no job of the three tasks by more than the bound", status == 0, output)
    with open(chart, encoding="utf-8") as file:
        drawn = xml.fromstring(file.read())
    dots = [e for e in drawn.iter() if e.tag.endswith("circle")]
    check("the chart has a dot for each job that was compared", len(dots) > 400, len(dots))

    START, END, TRIES = 4, 5, 6
    finds("a job that begins late", r"^job 1 0 7 .*", moved(START, 5000), "start of job 7 of.* A")
    finds("a job that begins early", r"^job 1 1 7 .*", moved(START, -5000), "start of job 7 of.* B")
    finds("a job that ends late", r"^job 1 2 99 .*", moved(END, 5000), "end of job 99 of task C")
    finds("a section that was begun anew", r"^job 1 0 3 .*", moved(TRIES, 1), "began 5 sections")
    finds("a job that is missing", r"^job 1 0 42 .*\n", "", "did 199 jobs where 200")
    finds("a job outside its slot, alone", r"^job 0 1 5 .*", moved(END, 100000), "not in its slot")
    finds("neighbours that did nothing", r"^neighbour hoard .*\n", "", "No neighbour.*hoard", 0)
    finds("no lock that was held", r"^(job 1 .*) \d+$", r"\1 0", "No task found a log", 0)
    finds("no interrupts", r"^consumed 1 interrupts .*", "consumed 1 interrupts 1",
          "Interrupts took")
    finds("servers that nobody disturbs", r"^job 3 .*\n", "", "nothing is shown", 0)
    finds("a handler that runs in its slot", r"^driver 4 .*", "driver 4 300", "300 at once")
    finds("another timer", "timer 1", "timer 0", "PIT")
    finds("a run without an end", "^END success", "", "not come to its end")
close()
