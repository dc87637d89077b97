#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of tools/bench-report on made-up runs; TAP on stdout, exit 1 when one fails.

Use: tests/host/bench_report_test.py [TOOL]   (another TOOL shows that the tests can fail)
"""
import json
import re
import subprocess
import sys
import tempfile
import traceback
import xml.etree.ElementTree as xml
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "tools/bench-report").resolve()
HEAD = "unit instructions\nmachine QEMU <made up> & co\n"
CALL = "bench call_return min 70 median 72 p99 74 max 75 samples 100\n"
STAY = "bench kernel_longest_stay min 9 median 40 p99 90 max 400 samples 1000\n"
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def result(name, low, median, high, samples=100):
    return {"name": name, "min": low, "median": median, "p99": high - 1 if high > median else high,
            "max": high, "samples": samples}


class Run:
    """One run of the tool in a folder of its own, with the shipped limits and peers' figures."""

    def __init__(self, raw, recorded=(), recorded_unit="instructions", record=False, stale=False):
        self.folder = Path(tempfile.mkdtemp(dir=SCRATCH))
        self.recorded_path = self.folder / "recorded.json"
        self.recorded_path.write_text(json.dumps(
            {"unit": recorded_unit, "machine": "old", "results": list(recorded)}))
        (self.folder / "docs").mkdir()
        peers = self.folder / "docs/peers.json"
        peers.write_text((ROOT / "docs/peers.json").read_text())
        raw_path = self.folder / "raw.txt"
        if raw is not None:
            raw_path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
        if stale:
            (self.folder / "out").mkdir()
            (self.folder / "out/results.json").write_text("{}")
        done = subprocess.run(
            [sys.executable, TOOL, "--raw", raw_path, "--recorded", self.recorded_path,
             "--limits", ROOT / "tests/bench/limits.json", "--peers", peers,
             "--out", self.folder / "out", *(["--record"] if record else [])],
            capture_output=True, text=True)
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def sentences(self):
        return self.err.splitlines()

    def json(self, name="out/results.json"):
        return json.loads((self.folder / name).read_text())

    def row(self, name):
        lines = (line for line in self.out.splitlines() if line.startswith(name + " "))
        return re.split(r" {2,}", next(lines))

    def texts(self):
        tree = xml.parse(self.folder / "out/bench.svg")
        return ["".join(t.itertext()) for t in tree.iter("{http://www.w3.org/2000/svg}text")]


def equal(found, expected):
    assert found == expected, f"found {found!r}, expected {expected!r}"


def fails_with(run, *patterns):
    """Exit 1 and exactly one sentence for each pattern, in this order."""
    equal(run.code, 1)
    equal(len(run.sentences()), len(patterns))
    for sentence, pattern in zip(run.sentences(), patterns):
        assert re.search(pattern, sentence), f"{pattern!r} is not in {sentence!r}"


def says(run, pattern):
    """Exit 0, and the pattern in what it printed."""
    equal(run.code, 0)
    assert re.search(pattern, run.out), f"{pattern!r} is not in {run.out!r}"


@test
def results_have_exactly_the_agreed_form():
    run = Run("boot noise\n" + HEAD + CALL.strip() + " note two  words\r\nbenchmarks\n# bench x\n")
    equal((run.code, run.err), (0, ""))
    equal(run.json(), {"unit": "instructions", "machine": "QEMU <made up> & co",
                       "results": [{**result("call_return", 70, 72, 75), "note": "two words"}]})


@test
def table_shows_record_ratio_limit_and_best_peer():
    run = Run(HEAD + CALL, [result("call_return", 70, 80, 80)])
    equal(run.row("call_return")[1:10],
          ["70", "72", "74", "75", "100", "-", "80", "0.900", "80"])
    assert run.row("call_return")[10].startswith("Pistachio 167"), run.out
    assert "17,232" in run.out and "264 KiB" in run.out, "the table of sizes is missing"


@test
def every_shipped_benchmark_without_figure_is_still_a_row():
    equal(Run(HEAD + CALL).row("boot_to_user")[1:], ["-"] * 8 + ["1,000,000", "-"])


@test
def unknown_benchmark_is_shown_without_limit():
    run = Run(HEAD + "bench new_thing min 5 median 5 p99 5 max 5 samples 1\n")
    equal((run.code, run.row("new_thing")[1:]), (0, ["5"] * 4 + ["1"] + ["-"] * 5))


@test
def equal_or_smaller_figures_pass():
    equal(Run(HEAD + CALL, [result("call_return", 1, 72, 75)]).code, 0)


@test
def grown_median_fails():
    fails_with(Run(HEAD + CALL, [result("call_return", 70, 71, 75)]),
               r"call_return: median grew from 71 to 72 instructions\.")


@test
def grown_max_fails():
    fails_with(Run(HEAD + CALL, [result("call_return", 70, 72, 74)]),
               r"call_return: max grew from 74 to 75 instructions\.")


@test
def longest_stay_is_guarded_by_its_max_only():
    equal(Run(HEAD + STAY, [result("kernel_longest_stay", 9, 30, 400)]).code, 0)
    run = Run(HEAD + STAY, [result("kernel_longest_stay", 9, 50, 399)])
    fails_with(run, r"kernel_longest_stay: max grew from 399 to 400")
    equal(run.row("kernel_longest_stay")[7:10], ["399 (max)", "1.003", "600 (aim 300)"])


@test
def longest_stay_is_limited_by_its_max():
    says(Run(HEAD + STAY.replace("400", "601")), r"Missed: .*max 601 is above its limit of 600 ")


@test
def limit_is_met_at_the_limit_and_missed_above():
    equal(Run(HEAD + CALL.replace("72 p99 74 max 75", "80 p99 80 max 99")).code, 0)
    run = Run(HEAD + CALL.replace("72 p99 74 max 75", "81 p99 81 max 99"))
    says(run, r"Missed: call_return: median 81 is above its limit of 80 instructions\.")
    equal(run.row("call_return")[9], "80 MISSED")
    equal(run.json()["results"][0]["median"], 81)


@test
def recorded_benchmark_missing_fails():
    fails_with(Run(HEAD + CALL, [result("null_invoke", 1, 1, 1), result("gone", 1, 1, 1)]),
               r"null_invoke is recorded but missing", r"gone is recorded but missing")


@test
def every_case_gets_its_sentence():
    fails_with(Run(HEAD + CALL.replace("72 p99 74 max 75", "99 p99 99 max 99"),
                   [result("call_return", 70, 72, 75), result("null_invoke", 1, 1, 1)]),
               "null_invoke is recorded", "median grew", "max grew")


@test
def empty_or_absent_run_fails_and_leaves_no_old_results():
    nothing = "measured nothing"
    for raw, pattern in ((HEAD, nothing), ("", nothing), (None, "can't be read")):
        run = Run(raw, stale=True)
        fails_with(run, pattern)
        assert not (run.folder / "out/results.json").exists(), "old results are still there"


@test
def run_without_unit_fails():
    fails_with(Run(CALL), "does not say its unit")


@test
def malformed_lines_are_named_by_number():
    for line in ("bench call_return min 70 med",
                 "bench call_return min 70 median x p99 75 max 75 samples 1",
                 "bench call_return min 70 median 60 p99 75 max 75 samples 1", "unit cycle",
                 "unit cycles",
                 "bench call_return min 70 median 76 p99 76 max 75 samples 1", "bench", "machine",
                 "bench call_return min 70 median 72 p99 75 max 75 samples 0",
                 "bench call_return min 70 median 72 max 75 samples 1",
                 CALL.strip() + " bins 70 1 99", CALL.strip() + " bins 70 0 100",
                 CALL.strip() + " bins 71 1 100", CALL.strip() + " bins 70 1 " + "1," * 16 + "84",
                 "cold call_return min 1 median 1 p99 1 max 1 samples 1",
                 "bench Call min 1 median 1",
                 CALL.strip() + " extra", CALL.strip() + " note",
                 CALL.strip() + "\n" + CALL.strip()):
        number = 3 + line.count("\n")
        fails_with(Run(HEAD + line + "\n"),
                   rf"raw\.txt line {number}: (expected|.* is there twice)")
    fails_with(Run("bench\n" + HEAD + CALL + "unit\n"), "line 1:", "line 5:")


@test
def bins_and_cold_samples_are_kept():
    run = Run(HEAD + CALL.strip() + " bins 70 1 1,0,99\n" + CALL.replace("bench", "cold"))
    equal((run.code, run.row("call_return")[6]), (0, "72"))
    call = run.json()["results"][0]
    equal(call["bins"], {"first": 70, "width": 1, "counts": [1, 0, 99]})
    equal(call["cold"], {key: value for key, value in result("call_return", 70, 72, 75).items()
                         if key != "name"})


@test
def instructions_that_depend_on_caches_fail():
    alike = "bench call_return min 72 median 72 p99 72 max 72 samples 100\n"
    cold = alike.replace("bench", "cold").replace("72", "73")
    fails_with(Run(HEAD + alike + cold), "73 instructions with cold caches and 72 with warm ones")
    equal(Run(HEAD + CALL + cold).code, 0)


@test
def medians_copied_from_a_screen_are_read_where_there_is_nothing_better():
    screen = "medians, warm/cold:\ncall_return 300/900       null_invoke 80\nEND success\n"
    run = Run("unit cycles\n" + screen)
    equal((run.code, run.json()["results"]), (0, [
        {"name": "call_return", "median": 300, "cold": {"median": 900}},
        {"name": "null_invoke", "median": 80}]))
    equal(run.row("call_return")[1:7], ["-", "300", "-", "-", "-", "900"])
    equal(len(Run("unit cycles\n" + CALL + screen).json()["results"]), 1)


@test
def noise_that_is_not_text_is_ignored():
    equal(Run(b"\xff\xfe\x00\x1b[2J\n" + (HEAD + CALL).encode()).code, 0)


@test
def cycles_are_shown_but_neither_limited_nor_compared_with_instructions():
    raw = "unit cycles\n" + CALL.replace("72 p99 74 max 75", "900 p99 900 max 999")
    run = Run(raw, [result("call_return", 70, 72, 75)])
    equal((run.code, run.row("call_return")[6:]), (0, ["-"] * 5))
    assert "nothing here is compared" in run.out, run.out
    drawn = " ".join(run.texts())
    assert "seL4" not in drawn and "instructions" not in drawn, "peers are drawn beside cycles"


@test
def growth_in_cycles_only_shows():
    raw = "unit cycles\n" + CALL.replace("72 p99 74 max 75", "900 p99 900 max 999")
    run = Run(raw, [result("call_return", 70, 450, 500)], recorded_unit="cycles")
    equal((run.code, run.row("call_return")[6:9]), (0, ["-", "450", "2.000"]))


@test
def instructions_are_never_called_cycles():
    run = Run(HEAD + CALL)
    assert "cycles" not in run.out + " ".join(run.texts()), "an instruction count is called cycles"


@test
def the_profilers_benchmarks_are_not_missed_in_cycles():
    equal(Run("unit cycles\n" + CALL, [result("kernel_longest_stay", 1, 1, 1)]).code, 0)


@test
def the_record_holds_no_histogram():
    raw = HEAD + CALL.strip() + " bins 70 1 100\n" + CALL.replace("bench", "cold")
    run = Run(raw, record=True)
    equal(run.code, 0)
    equal(run.json("recorded.json")["results"], [result("call_return", 70, 72, 75)])


@test
def record_rewrites_the_record_and_accepts_growth():
    run = Run(HEAD + CALL, [result("call_return", 1, 1, 1), result("gone", 1, 1, 1)], record=True)
    equal((run.code, run.err), (0, ""))
    equal(run.json("recorded.json"), run.json())
    equal((run.folder / "docs/bench.svg").read_text(), (run.folder / "out/bench.svg").read_text())
    assert "Accepted: gone is recorded" in run.out and "Accepted: call_return" in run.out, run.out


@test
def without_record_nothing_is_rewritten():
    run = Run(HEAD + CALL, [result("call_return", 70, 90, 90)])
    equal(run.json("recorded.json")["machine"], "old")
    assert not (run.folder / "docs/bench.svg").exists(), "docs/bench.svg was written"


@test
def missed_limit_is_said_but_only_growth_fails():
    run = Run(HEAD + CALL.replace("72 p99 74 max 75", "81 p99 81 max 99"), record=True)
    says(run, "above its limit")
    equal(run.json("recorded.json")["results"][0]["median"], 81)


@test
def record_keeps_units_apart():
    run = Run("unit cycles\n" + CALL, [result("call_return", 1, 1, 1)], record=True)
    fails_with(run, "is in instructions and is not rewritten in cycles")
    equal(run.json("recorded.json")["unit"], "instructions")


@test
def chart_names_unit_figures_limits_and_peers():
    texts = Run(HEAD + CALL + STAY).texts()
    assert "guest instructions" in texts[0], texts[0]
    for words in ("72 (at most 80)", "400 max (at most 600)", "Pistachio", "our limit",
                  "27,230 (1-byte pipe ping-pong)", "10,000"):
        assert words in texts, f"{words!r} is not drawn"
    assert any("<made up> & co" in t for t in texts), "the machine is not named"


@test
def chart_can_draw_extremes():
    for low, high in ((0, 0), (1, 1), (10, 10), (4294967295, 18446744073709551615)):
        run = Run(HEAD + f"bench new_thing min {low} median {high} p99 {high} max {high} "
                  "samples 1\n")
        equal(run.code, 0)
        svg = (run.folder / "out/bench.svg").read_text()
        bars = re.findall(r'<rect x="(\S+)" y="\S+" width="(\S+)"', svg)
        ends = [float(x) + float(width) for x, width in bars]
        assert max(ends) <= 1000.5, "a bar leaves the chart"


@test
def shipped_limits_are_those_of_the_design():
    limits = {b["name"]: b["limit"] for b in json.loads(
        (ROOT / "tests/bench/limits.json").read_text())["benchmarks"] if "limit" in b}
    equal(limits, {
        "call_return": 80, "call_return_lend_8mib": 175, "call_return_nested": 155,
        "null_invoke": 28, "capability_copy": 45, "signal_to_dispatch": 130, "wake_to_run": 250,
        "dispatch_round_trip": 160, "policy_decision_cyclic": 120,
        "policy_decision_priority": 120, "policy_decision_edf": 120,
        "policy_decision_stride": 120, "fault_catch": 130, "create_destroy_thread": 250,
        "page_map_unmap": 280, "page_map_batch32": 40, "page_map_32": 1280,
        "retype_clean": 1224, "page_fault_self": 300, "pci_read": 140,
        "vga_write_row": 6, "vga_write_row_call": 480,
        "rollforward_lock": 20,
        "console_idle": 0, "kernel_longest_stay": 600, "boot_to_user": 1000000})


@test
def shipped_peers_are_named_and_their_sums_are_right():
    peers = json.loads((ROOT / "docs/peers.json").read_text())
    for kernel in peers["kernels"].values():
        equal(sorted(kernel), ["configuration", "source", "version"])
    for figure in (f for w in peers["works"] for f in w["figures"]):
        assert figure["kernel"] in peers["kernels"], f"{figure} is of an unnamed kernel"
        parts = figure.get("remark", "").replace(",", "")
        if "+" in parts:
            equal(sum(map(int, re.findall("[0-9]+", parts))), figure["instructions"])


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, function in enumerate(TESTS, 1):
        try:
            function()
            verdict = "ok"
        except Exception:
            failed += 1
            verdict = "not ok"
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="")
        print(f"{verdict} {number} - {function.__name__}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as SCRATCH:
        sys.exit(main())
