#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Is docs/abi.md up to date, and does tools/abi-doc notice when it is not? TAP on stdout.

Use: tests/host/abi_doc_test.py [TOOL]   (another TOOL shows that the tests can fail)
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "tools/abi-doc").resolve()
FILES = ["docs/abi.md", "libs/abi/abi.h", "libs/abi/operations.h", "libs/runtime/status.h",
         "boot/record.h"]


def copy_of_project(folder):
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def run(root, *options):
    done = subprocess.run([sys.executable, TOOL, "--root", root, *options], capture_output=True,
                          text=True)
    return done.returncode, done.stdout + done.stderr


def change(root, name, old, new):
    text = (root / name).read_text()
    assert text.count(old), f"{old!r} is not in {name}"
    (root / name).write_text(text.replace(old, new, 1))


def up_to_date(_folder):
    code, output = run(ROOT, "--check")
    assert code == 0, output


def every_operation_is_in_a_table(folder):
    operations = re.findall(r"O\((\w+), (\d+), (\w+),", (ROOT / FILES[2]).read_text())
    page = (folder / "docs/abi.md").read_text()
    assert len(operations) > 30, "operations.h was not understood"
    for _kind, number, name in operations:
        assert f"| {number} | `{name}` |" in page, f"{name} is in no table"


def every_error_and_number_is_in_a_table(folder):
    page = (folder / "docs/abi.md").read_text()
    header = (ROOT / FILES[1]).read_text()
    for name in re.findall(r"\tE\(\d+, (\w+),", header):
        assert re.search(rf"^\| \d+ \| `{name}` \|", page, re.M), f"{name} is in no table"
    for name in re.findall(r"^#define ((?:OPTION|RESUME|SLOT|RIGHT|WINDOW|DATA|BOOT)_\w+)", header,
                           re.M):
        assert re.search(rf"^\| `{name}\b", page, re.M), f"{name} is in no table"


def noticed(name, old, new, expected):
    def test(folder):
        change(folder, name, old, new)
        code, output = run(folder, "--check")
        assert code == 1 and expected in output, f"status {code}: {output}"
    return test


def mended(folder):
    before = (folder / "docs/abi.md").read_text()
    change(folder, "libs/abi/abi.h", "CHAIN_MAX        32u", "CHAIN_MAX        33u")
    assert run(folder)[0] == 0 and run(folder, "--check")[0] == 0
    change(folder, "libs/abi/abi.h", "CHAIN_MAX        33u", "CHAIN_MAX        32u")
    assert run(folder, "--check")[0] == 1
    assert run(folder)[0] == 0 and (folder / "docs/abi.md").read_text() == before


def check_changes_nothing(folder):
    change(folder, "libs/abi/abi.h", '"no such operation"', '"none"')
    before = (folder / "docs/abi.md").read_text()
    run(folder, "--check")
    assert (folder / "docs/abi.md").read_text() == before


TESTS = {
    "docs/abi.md is up to date": up_to_date,
    "every operation is in a table": every_operation_is_in_a_table,
    "every error, option, right and address is in a table": every_error_and_number_is_in_a_table,
    "a changed value is noticed": noticed(
        "libs/abi/abi.h", "0xB0400000u      /*", "0xB0C00000u      /*", "WINDOW_0"),
    "a changed remark is noticed": noticed(
        "libs/abi/abi.h", "no room in the dispatch chain", "full", "+| 13 | `CHAIN` | full |"),
    "a new operation is noticed": noticed(
        "libs/abi/operations.h", "\tO(IRQ, 1,",
        '\tO(IRQ, 3, irq_new, 0, "", "", "x") \\\n\tO(IRQ, 1,',
        "does not describe irq_new"),
    "a changed right is noticed": noticed(
        "libs/abi/operations.h", "thread_stop, RIGHT_MANAGE", "thread_stop, RIGHT_READ",
        "`thread_stop` | READ"),
    "a changed record is noticed": noticed(
        "boot/record.h", "char command_line[256]", "char command_line[128]", "command_line"),
    "an edited table is noticed": noticed(
        "docs/abi.md", "| 1 | `EMPTY` |", "| 2 | `EMPTY` |", "out of date"),
    "an unknown table is noticed": noticed(
        "docs/abi.md", "<!-- generated: errors -->", "<!-- generated: nonsense -->", "unknown"),
    "writing mends it, and only that": mended,
    "checking changes nothing": check_changes_nothing,
}


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, (name, test) in enumerate(TESTS.items(), 1):
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(copy_of_project(Path(folder)))
                verdict = "ok"
            except AssertionError as error:
                failed += 1
                verdict = "not ok"
                print("".join(f"# {line}\n" for line in str(error).splitlines()), end="")
        print(f"{verdict} {number} - {name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
