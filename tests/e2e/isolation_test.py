#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The experiment `isolation` in the machine, judged by tools/isolation; and that the judge sees
what is wrong with a log that was tampered with."""

import json
import os
import re
import shutil
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
    check("neighbours move no job of any task by more than the bound", status == 0, output)
    with open(chart, encoding="utf-8") as file:
        drawn = xml.fromstring(file.read())
    dots = [e for e in drawn.iter() if e.tag.endswith("circle")]
    check("the chart has a dot for each job that was compared", len(dots) > 2500, len(dots))

    page = os.path.join(folder, "page.md")
    shutil.copy("docs/scheduling.md", page)
    judged(text, "--document", page)
    with open(page, encoding="utf-8") as file:
        new = file.read()
    with open("docs/scheduling.md", encoding="utf-8") as file:
        old = file.read()
    row = re.search(r"^calls on the caller's thread +C +(\d+) +(-?\d+) +(-?\d+) +(-?\d+) +(-?\d+)",
                    output, re.M)
    jobs, *moved_by = (f"{int(word):,}".replace("-", "−") for word in row.groups())
    moves = [low if low == high else f"{low} to {high}"
             for low, high in (moved_by[:2], moved_by[2:])]
    check("the page's figures become those of this run, and nothing else there is changed",
          f"\n| C | {jobs} | {moves[0]} | {moves[1]} | " in new and
          re.sub(r"\d[\d,]*", "", re.sub(r"(?m)^\|.*\n", "", new)) ==
          re.sub(r"\d[\d,]*", "", re.sub(r"(?m)^\|.*\n", "", old)) and
          new.count("\n|") == old.count("\n|"), new)

    # the bound is what was measured
    figures = {}
    with open("tests/bench/recorded.json", encoding="utf-8") as file:
        record = json.load(file)
    for result in record["results"]:
        figures[result["name"]] = result
    told = [int(n) for n in re.search(r"stay (\d+), (\d+) interrupt lines of (\d+), and (\d+) .*?"
                                      r"; (\d+) where", output)[0].replace(",", "").split()
            if n.isdigit()]
    lines, section = re.search(r"^isolation .* lines (\d+) section (\d+)$", text, re.M).groups()
    check("the bound's parts are those that the benchmarks and the run itself have measured",
          told == [figures["kernel_longest_stay"]["max"], int(lines),
                   figures["irq_kernel_path"]["max"], figures["rollforward_help_8"]["max"] -
                   figures["rollforward_lock"]["min"], int(section)], told, output)
    figures["kernel_longest_stay"]["max"] = 1
    figures["irq_kernel_path"]["max"] = 1
    other = os.path.join(folder, "recorded.json")
    with open(other, "w", encoding="utf-8") as file:
        json.dump(record, file)
    status, output = judged(text, "--recorded", other)
    check("with a shorter stay and interrupt the same run is judged wrong",
          status == 1 and "at most 4 may be" in output, output)

    START, END, TRIES = 4, 7, 8
    finds("a job that begins late", r"^job 1 0 7 .*", moved(START, 5000), "start of job 7 of.* A")
    finds("a job that begins early", r"^job 1 1 7 .*", moved(START, -5000), "start of job 7 of.* B")
    finds("a job that ends late", r"^job 1 2 99 .*", moved(END, 5000), "end of job 99 of task C")
    finds("also with the last seed", r"^job 5 2 99 .*", moved(END, 5000), "Run 5: the end of job")
    finds("a section that was begun anew", r"^job 1 0 3 .*", moved(TRIES, 1), "began 5 sections")
    finds("more than one for a preemption", r"^job 1 3 3 .*", moved(TRIES, 2),
          "at most 1 may be begun anew")
    finds("a job that is missing", r"^job 1 0 42 .*\n", "", "did 199 jobs where 200")
    finds("a job outside its slot, alone", r"^job 0 1 5 .*", moved(END, 100000), "not in its slots")
    finds("neighbours that did nothing", r"^neighbour hoard .*\n", "", "No neighbour.*hoard", 0)
    finds("no lock that was held", r"^(job [1-5] .*) \d+$", r"\1 0", "No task found a log", 0)
    finds("nobody preempted in a section", r"^(job [1-5] 3 .*) \d+ (\d+)$", r"\1 150 \2",
          "No task was preempted in a section", 0)
    finds("one seed for all", r"^(run [1-5] .*) \d+ (\d+)$", r"\1 0 \2", "the same seed", 0)
    finds("no interrupts", r"^consumed 1 interrupts .*", "consumed 1 interrupts 1",
          "Interrupts took")
    finds("a lent server that nobody disturbs", r"^job 7 .*\n", "", "lent.*nothing is shown", 0)
    finds("a server with slots that nobody disturbs", r"^job 9 .*\n", "", "own: nothing is", 0)
    finds("a handler that runs in its slot", r"^driver 10 .*", "driver 10 200", "3.9 at once")
    finds("another timer", "timer 1", "timer 0", "PIT")
    finds("a run without an end", "^END success", "", "not come to its end")
close()
