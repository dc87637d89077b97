#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make profile`: its sums are the guest's own figures, and what is known otherwise is found."""

import json
import re
import subprocess

from tap import ROOT, check, close, run

PROFILED = {"kernel_longest_stay", "boot_to_user"}      # benchmarks that are no menu entry's


def straight(program, function):
    """How many instructions a function without a branch has, up to its return."""
    listed = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"--disassemble={function}",
                             f"{ROOT}/build/programs/{program}.elf"],
                            capture_output=True, text=True, check=True).stdout
    code = re.findall(r"^ +\w+:\t(\w+)", listed, re.M)
    end = next(i for i, name in enumerate(code) if name in ("ret", "jmp"))
    assert not any(name.startswith(("j", "call")) for name in code[:end]), code
    return end + 1


def sums(numbers, key="instructions"):
    return sum(f[key] for f in numbers["functions"])


def of(name, function, who=None):
    found = [f for f in benchmarks[name]["functions"]
             if f["function"] == function and who in (None, f["who"].split(" ")[0])]
    return found[0] if len(found) == 1 else {"instructions": 0, "stores": 0, "data_lines": 0}


status, text, _ = run("make", "profile", "BENCH=call_return page_map_unmap")
check("it ends with success", status == 0, text)
check("each benchmark that is asked for has its table",
      re.findall(r"^(\w+): [\d,]+ instructions \(", text, re.M) ==
      ["call_return", "page_map_unmap"], text)
with open(f"{ROOT}/build/profile/profile.json", encoding="ascii") as file:
    benchmarks = {r["name"]: r for r in json.load(file)["benchmarks"]}
with open(f"{ROOT}/tests/bench/limits.json", encoding="utf-8") as file:
    known = {b["name"] for b in json.load(file)["benchmarks"]} - PROFILED
check("every benchmark is there", known <= benchmarks.keys(), known - benchmarks.keys())

with open(f"{ROOT}/build/profile/bench.log", encoding="latin-1") as file:
    said = {name: int(median) for name, median in
            re.findall(r"^bench (\w+) min \d+ median (\d+)", file.read(), re.M)}
profiles = {name: r for name, r in benchmarks.items() if "functions" in r}
check("all but those that are computed from others have a profile",
      {name for name in benchmarks if name not in profiles and said[name]} ==
      {"vga_write_row", "page_map_batch32"}, benchmarks.keys() - profiles.keys())
different = {name: (sums(r), said[name]) for name, r in profiles.items() if sums(r) != said[name]}
check("the functions' sums are the guest's figures, exactly", not different, different)
different = [name for name, r in profiles.items() if r["instructions"] !=
             r["kernel"]["instructions"] + r["user"]["instructions"] or
             r["kernel"]["instructions"] != sum(f["instructions"] for f in r["functions"]
                                                if f["who"] == "kernel")]
check("kernel and user are all of it", not different, different)

call = benchmarks["call_return"]
check("a call and its return: twice into the kernel, two address spaces",
      (call["into_kernel"], call["out_of_kernel"], call["cr3_writes"]) == (2, 2, 2), call)
expected = straight("bench", "do_nothing")
check("the operation is executed once, by the service and not by the client",
      of("call_return", "do_nothing", "bench")["instructions"] == expected and
      of("call_return", "do_nothing")["who"] != "bench", call["functions"], expected)
check("two calls, one in the other: the operation once, four times into the kernel",
      of("call_return_nested", "do_nothing")["instructions"] == expected and
      benchmarks["call_return_nested"]["into_kernel"] == 4, benchmarks["call_return_nested"])
check("the cheapest kernel operation stays in its address space",
      (benchmarks["null_invoke"]["into_kernel"], benchmarks["null_invoke"]["cr3_writes"]) == (1, 0))
check("a fault is one", benchmarks["page_fault_self"]["faults"] == 1 and call["faults"] == 0)
for name, who in (("page_map_unmap", "bench memory"), ("pci_read", "bench pci"),
                  ("vga_write_row_call", "bench vga"), ("page_fault_self", "memory paged"),
                  ("keyboard_read", "bench keyboard"), ("quota_take_give", "bench memory quota")):
    users = {f["who"].split(" ")[0] for f in benchmarks[name]["functions"]} - {"kernel"}
    check(f"{name} is in these programs: {who}", users == set(who.split()), users)
cleaning = of("retype_clean", "clean_prepare", "memory")
check("to clean a page stores 1,024 words to its 64 lines",
      1024 <= cleaning["stores"] < 1100 and 64 <= cleaning["data_lines"] < 72, cleaning)

status, text, _ = run("tools/profile", "nonesuch")
check("an unknown benchmark is one sentence", status != 0 and "Traceback" not in text and
      "no such benchmark: nonesuch; without BENCH all are listed" in text, text)
status, text, _ = run("tools/profile", "boot_to_user")
check("a benchmark that has none is another", status != 0 and "Traceback" not in text and
      "boot_to_user is measured by kprof" in text, text)
close()
