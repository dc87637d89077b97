#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The timeline of a run: complete, nested, and what the guest itself says of it."""

import collections
import json
import os
import re
import tempfile

from tap import ROOT, check, close, run

DEPTHS = "call_nests_to_sixteen"         # three times, to the deepest there is
DEADLINES = "dispatch_ends_at_its_deadline_and_not_before"      # 20 dispatches, each longer


class Trace:
    """A run's timeline, in instructions."""

    def __init__(self, folder, *options):
        self.path = f"{folder}/trace"
        self.status, self.said, _ = run("tools/trace", "--out", self.path, *options)
        with open(self.path, encoding="ascii") as file:
            whole = json.load(file)
        self.metadata, self.events = whole["otherData"], whole["traceEvents"]
        self.totals = self.events[-1]["args"]
        self.process = {e["pid"]: e["args"]["name"] for e in self.events
                        if e["name"] == "process_name"}
        self.tracks = collections.defaultdict(list)
        for event in self.events:
            if event["ph"] == "X":
                begin = round(event["ts"] * 1000)
                self.tracks[event["pid"], event["tid"]].append(
                    (begin, begin + round(event["dur"] * 1000), event))
        for track in self.tracks.values():
            track.sort(key=lambda slice_: (slice_[0], -slice_[1]))
        self.faults = [e for e in self.events if e["ph"] == "i" and e["name"] != "single step"]

    def dispatches(self, name):
        """Of the thread with this name, but for its index."""
        return [(slice_, event.get("args")) for pid, full in self.process.items()
                if re.fullmatch(re.escape(name) + r" #\d+", full)
                for *slice_, event in self.tracks[pid, 0]]

    def interrupts(self):
        return sorted((slice_ for (pid, tid), track in self.tracks.items() if pid == 1 and tid > 0
                       for slice_ in track), key=lambda slice_: slice_[:2])

    def names(self, pattern):
        return [event["name"] for track in self.tracks.values() for *_, event in track
                if re.search(pattern, event["name"])]


def overlaps(track):
    """Those that neither follow what came before nor lie in it."""
    wrong, around = [], []
    for begin, end, event in track:
        while around and around[-1] <= begin:
            around.pop()
        if around and end > around[-1]:
            wrong.append((begin, end, event["name"]))
        around.append(end)
    return wrong


def outside(inner, outer):
    """Those that lie in none of the others; both are sorted, the others apart."""
    wrong, at = [], 0
    for begin, end, event in inner:
        while at < len(outer) and outer[at][1] < end:
            at += 1
        if at == len(outer) or outer[at][0] > begin:
            wrong.append((begin, end, event["name"]))
    return wrong


def whole(name, trace):
    """What holds for every complete timeline."""
    check(f"{name}: the run ends with success", trace.status == 0, trace.said)
    cpu = trace.tracks[1, 0]
    gaps = [(a[1], b[0]) for a, b in zip(cpu, cpu[1:]) if a[1] != b[0]]
    check(f"{name}: each instruction is somebody's, and one's alone", not gaps, gaps[:5])
    check(f"{name}: all that ran is all that passed",
          sum(end - begin for begin, end, _ in cpu) == trace.totals["elapsed"] ==
          sum(trace.totals["ran"].values()), trace.totals)
    with open(f"{ROOT}/build/trace/{trace.metadata['entry']}.kprof.json",
              encoding="ascii") as file:
        counted = next(r for r in map(json.loads, file) if r["type"] == "run")
    check(f"{name}: as many instructions as kprof counts", trace.totals["instructions"] ==
          counted["insns"] - trace.totals["first"] ==
          trace.totals["elapsed"] - trace.totals["asleep"], trace.totals, counted)
    check(f"{name}: the guest's counter goes as fast", trace.totals["clock_drift"] == 0,
          trace.totals)
    wrong = [(key, bad) for key, track in trace.tracks.items() if (bad := overlaps(track))]
    check(f"{name}: intervals nest", not wrong, wrong[:3])
    check(f"{name}: interrupts are on the tracks of their lines, and account for their time",
          sum(end - begin for begin, end, _ in trace.interrupts()) ==
          trace.totals["ran"].get("interrupts", 0), trace.totals)
    wrong = []
    for pid, thread in trace.process.items():
        runs = [slice_ for slice_ in cpu if slice_[2]["name"] == thread]
        same = sum(name == thread for name in trace.process.values())
        if pid != 1 and same == 1:
            wrong += outside(runs, trace.tracks[pid, 0])
    check(f"{name}: nobody runs who is not dispatched", not wrong, wrong[:5])


def deadlines(folder):
    trace = Trace(folder, "--entry", "selftest", "--append", f"only={DEADLINES}")
    whole("deadlines", trace)
    found = trace.dispatches("selftest spins")
    root = trace.dispatches("selftest")
    lengths = [end - begin for (begin, end), _ in found]
    check("each of the test's 20 dispatches is there, on its thread", len(found) == 20, found)
    check("by the root thread, ended by the timer", len(root) == 1 and all(
        args == {"by": args["by"], "ended by": "interrupt 0 (timer)"} and
        args["by"] in trace.process.values() for _, args in found), found)
    ends = [end for (_, end), _ in found]
    taken = [any(begin <= end <= until and event["name"] == "interrupt 0 (timer)"
                 for begin, until, event in trace.interrupts()) for end in ends]
    check("whose interrupt is on its line's track then", all(taken), ends, trace.interrupts())
    check("and each is as much longer as its deadline",
          all(0 < b - a < 2 * lengths[0] for a, b in zip(lengths, lengths[1:])), lengths)


def names(folder):
    trace = Trace(folder, "--entry", "selftest", "--append", "only=client_is_stepped_to_its_end")
    check("a thread that is stepped from its first instruction on has its function's name, too",
          6 <= len(trace.dispatches("selftest client_counts")) <= 12, trace.process)


def depths(folder):
    trace = Trace(folder, "--entry", "selftest", "--append", f"only={DEPTHS}")
    whole("depths", trace)
    deepest = next((event["name"] for (pid, tid), track in trace.tracks.items()
                    if pid != 1 and tid == 16 for *_, event in track), None)
    found = {tid - 1: [s for s in track if s[2]["name"] == deepest]
             for (pid, tid), track in trace.tracks.items()
             if pid != 1 and any(s[2]["name"] == deepest for s in track)}
    if not check("the test's three calls fifteen deep are there, all in one domain",
                 sorted(found) == list(range(1, 16)) and all(len(t) == 3 for t in found.values()),
                 {depth: len(track) for depth, track in found.items()}):
        return
    # all but the first come from a caller that was called itself: so they do the same
    lengths = [[end - begin for begin, end, _ in found[depth]] for depth in range(2, 16)]
    steps = [{a[i] - b[i] for a, b in zip(lengths, lengths[1:])} for i in range(3)]
    check("each level takes as long as the others", all(len(step) == 1 for step in steps), steps)
    wrong = [bad for depth in range(1, 15) if (bad := outside(found[depth + 1], found[depth]))]
    check("each inside the one that made it", not wrong, wrong[:5])


def demonstration(folder):
    trace = Trace(folder, "--entry", "demo")
    whole("demonstration", trace)
    with open(f"{ROOT}/build/trace/demo.log", encoding="latin-1") as file:
        log = file.read()
    run("tools/run", "--direct", "--entry", "demo", "--log", f"{folder}/plain")
    with open(f"{folder}/plain", encoding="latin-1") as file:
        check("the guest does not notice: not one of its figures is another", file.read() == log)
    told = re.findall(r"^FAULT in (\w+) at (\w+) \((\S+)\)", log, re.M)
    known = {(e["args"]["at"], e["args"]["place"]) for e in trace.faults}
    check("every fault that the guest tells of is there, with its place",
          told and {(at, place) for _, at, place in told} <= known, told, known)
    asleep = int(re.search(r"A millisecond asleep: .* idling (\d+)\.", log)[1])
    check("it idles as long as it says", abs(trace.totals["ran"]["idle"] - asleep) < 500,
          asleep, trace.totals)
    check("calls are named by operation and domain",
          trace.names(r"^scribe_sum \(scribe #\d+\)$") and
          trace.names(r"^serial_write \(serial #\d+\)$"))
    check("and kernel operations by theirs", trace.names(r"^kernel: thread_start$"))
    nested = [pid for pid in trace.process if pid != 1 and trace.tracks.get((pid, 3))]
    wrong = [bad for pid in nested
             if (bad := outside(trace.tracks[pid, 3], [
                 s for s in trace.tracks[pid, 2] if not s[2]["name"].startswith("kernel")]))]
    check("a call inside a call lies inside it", nested and not wrong, wrong[:5])


def cut(folder):
    trace = Trace(folder, "--entry", "demo", "--limit", "5000")
    check("what is too long is cut, and says so",
          trace.metadata["complete"] is False and "left out" in trace.said and
          sum(trace.totals["ran"].values()) == trace.totals["elapsed"] > 10000, trace.said)


def text(folder):
    run("tools/trace", "--entry", "demo", "--format", "text", "--out", f"{folder}/text")
    with open(f"{folder}/text", encoding="ascii") as file:
        lines = file.read()
    calls = re.search(r"^ +(\d+) visitor #\d+( +)calls scribe #\d+: scribe_sum, at lend\+\d+\n"
                      r" +(\d+) visitor #\d+\2  calls serial #\d+: serial_write, at scribe_\S+\n"
                      r" +(\d+) visitor #\d+\2  back from serial_write after (\d+)\n"
                      r" +(\d+) visitor #\d+\2back from scribe_sum after (\d+)$", lines, re.M)
    check("the text form: calls by operation and place, and returns, each in its depth", calls,
          lines[:2000])
    check("with the time that they took", calls and
          int(calls[4]) - int(calls[3]) == int(calls[5]) and
          int(calls[6]) - int(calls[1]) == int(calls[7]), calls and calls[0])
    run("tools/trace", "--entry", "selftest", "--format", "text", "--out", f"{folder}/text",
        "--append", "only=service_that_faults_is_told_with_all")
    with open(f"{folder}/text", encoding="ascii") as file:
        lines = file.read()
    check("a call that a fault ends says so, its caller's does not", re.search(
        r"^.* selftest call_forward\S+ #\d+( +)back from do_poke after \d+, forced: exception 6\n"
        r".* selftest call_forward\S+ #\d+ +back from do_forward after \d+$", lines, re.M), lines)


os.chdir(ROOT)
with tempfile.TemporaryDirectory() as scratch:
    deadlines(scratch)
    names(scratch)
    depths(scratch)
    demonstration(scratch)
    cut(scratch)
    text(scratch)
close()
