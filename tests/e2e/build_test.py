#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The build itself, in a copy of the project: what is rebuilt when, and nothing outside build/."""

import filecmp
import glob
import json
import os
import re
import shutil
import tempfile
import time

from tap import ROOT, check, close, run, version_keep

EMPTY = "// SPDX-License-Identifier: MIT\nint extra(void);\nint extra(void)\n{\n%s\treturn 1;\n}\n"


class Copy:
    """A copy of the project's sources, as a clone would have them."""

    def __init__(self, folder):
        self.folder = f"{folder}/copy"
        shutil.copytree(ROOT, self.folder, ignore=shutil.ignore_patterns("build", ".git"))
        version_keep(self.folder)
        self.before = self.files()

    def files(self):
        return sorted(os.path.join(place, name) for place, _, names in os.walk(self.folder)
                      for name in names if not place.startswith(f"{self.folder}/build")
                      and "__pycache__" not in place)

    def make(self, *arguments):
        """Status, output, and what was done: lines such as `CC kernel/main.c`."""
        strict = [] if "WERROR=" in arguments else ["WERROR=-Werror"]
        status, text, _ = run("make", *arguments, *strict, cwd=self.folder, seconds=250,
                              SOURCE_DATE_EPOCH=run("tools/version", "--date")[1].strip())
        return status, text, [" ".join(m) for m in re.findall(r"^  ([A-Z]+) +(\S+)$", text, re.M)]

    def first(self, pattern):
        return sorted(glob.glob(pattern, root_dir=self.folder))[0]

    def insert(self, path, before, text):
        """Put a text into a file, before the last place where it says this."""
        with open(f"{self.folder}/{path}", encoding="utf-8") as file:
            head, found, tail = file.read().rpartition(before)
        with open(f"{self.folder}/{path}", "w", encoding="utf-8") as file:
            file.write(head + text + found + tail)

    def after_touching(self, path):
        time.sleep(0.01)
        os.utime(f"{self.folder}/{path}")
        return self.make("all")[2]


def first_build(copy):
    status, text, _ = copy.make()
    check("make alone is help", status == 0 and "make run" in text and "make test" in text, text)
    status, text, done = copy.make("all")
    check("make all builds everything", status == 0 and "ISO build/nous.iso" in done, text)
    check("the same again does nothing", copy.make("all")[2] == [], copy.make("all")[1])
    booted = os.listdir(f"{copy.folder}/build/modules")
    same, *others = filecmp.cmpfiles(f"{copy.folder}/build/modules", f"{ROOT}/build/modules",
                                     booted, shallow=False)
    check("what is booted is the same wherever it is built", same and not any(others), others)
    with open(f"{copy.folder}/build/compile_commands.json", encoding="utf-8") as file:
        known = {entry["file"] for entry in json.load(file)}
    sources = {path for folder in ("kernel", "boot", "libs", "services", "tests")
               for path in glob.glob(f"{folder}/**/*.c", root_dir=copy.folder, recursive=True)}
    check("editors are told how each source is compiled", sources <= known, sources - known)


def release(copy):
    """Made here and in the copy, at another place and another time."""
    for where, (status, text, *_) in (("here", run("make", "release")),
                                      ("there", copy.make("release"))):
        check(f"a release is made {where}", status == 0 and "SHA256SUMS" in text, text)
    folders = [f"{top}/build/release" for top in (ROOT, copy.folder)]
    files = sorted(os.listdir(folders[0]))
    same, *others = filecmp.cmpfiles(*folders, files, shallow=False)
    version = run("tools/version")[1].strip()
    check("five files; image, bill of materials and notes are the same bytes", len(files) == 5 and
          {f"nous-{version}.iso", f"nous-{version}.spdx.json", "RELEASE-NOTES.md"} <= set(same),
          files, same, *others)
    status, text, _ = run("sha256sum", "--strict", "-c", "SHA256SUMS", cwd=folders[1])
    check("with their checksums", status == 0 and text.count(": OK") == 4, text)
    with open(glob.glob(f"{folders[1]}/*.spdx.json")[0], encoding="utf-8") as file:
        bill = json.load(file)
    with open(f"{folders[1]}/SHA256SUMS", encoding="ascii") as file:
        sums = file.read()
    packages = {its["name"]: its for its in bill["packages"]}
    check("the bill of materials names GRUB and libgcc, version and licence",
          all(re.match(r"\d+\.\d+", packages[name]["versionInfo"]) and
              "GPL-3.0-or-later" in packages[name]["licenseConcluded"]
              for name in ("GRUB", "libgcc")), bill)
    check("and what it is of by its checksum", packages["Nous"]["checksums"][0]["checksumValue"]
          in sums, bill)
    names = {entry["relatedSpdxElement"] for entry in bill["relationships"]}
    check("all its parts are in a relation", names == {its["SPDXID"] for its in packages.values()},
          bill)
    os.rename(f"{copy.folder}/CHANGELOG.md", f"{copy.folder}/CHANGELOG")
    status, text, _ = copy.make("release")
    check("no changelog: one sentence", status != 0 and "release: CHANGELOG.md" in text and
          "Traceback" not in text, text)
    os.rename(f"{copy.folder}/CHANGELOG", f"{copy.folder}/CHANGELOG.md")


def rebuilding(copy):
    done = copy.after_touching("kernel/thread.c")
    check("a source of the kernel: itself, link, image",
          done == ["CC kernel/thread.c", "LD build/nous.elf", "ISO build/nous.iso"], done)
    done = copy.after_touching(copy.first("kernel/*.h"))
    check("a header of the kernel: the kernel, no program", "LD build/nous.elf" in done and
          not any(".elf" in line and "programs" in line for line in done), done)
    done = copy.after_touching(copy.first("services/demo/*.c"))
    check("a source of a program: that program, not the kernel",
          "LD build/programs/demo.elf" in done and "LD build/nous.elf" not in done
          and len([line for line in done if line.startswith("CC")]) == 1, done)
    done = copy.after_touching("libs/abi/abi.h")
    check("the ABI: kernel and programs",
          {"LD build/nous.elf", "LD build/programs/demo.elf"} <= set(done), done)
    copy.insert("tools/offsets.c", "EMIT(", "EMIT(PROBE_OF_THE_TEST, 5);\n\t")
    done = copy.make("all")[2]
    check("an offset: the assembler files that may use it",
          any(line.startswith("NASM kernel/") for line in done), done)
    done = copy.after_touching("boot/grub.cfg")
    check("the boot menu: only the image", done == ["ISO build/nous.iso"], done)


def settings(copy):
    done = copy.make("all", "WERROR=")[2]
    check("other settings: everything anew", "CC kernel/thread.c" in done and
          "LD build/programs/demo.elf" in done, done)
    copy.make("all")
    extra = f"{copy.folder}/services/demo/extra.c"
    with open(extra, "w", encoding="ascii") as file:
        file.write(EMPTY % "")
    done = copy.make("all")[2]
    check("a new source is built", {"CC services/demo/extra.c", "LD build/programs/demo.elf"}
          <= set(done), done)
    with open(extra, "w", encoding="ascii") as file:
        file.write(EMPTY % "\tint unused;\n")
    status, text, _ = copy.make("all")
    check("a warning is an error", status != 0 and "unused" in text, text)
    check("but not with WERROR=", copy.make("all", "WERROR=")[0] == 0)
    os.remove(extra)
    status, text, done = copy.make("all")
    check("a source that has gone is no longer linked",
          status == 0 and "LD build/programs/demo.elf" in done, text)


def tidiness(copy):
    check("nothing is written outside build/", copy.files() == copy.before,
          set(copy.files()) ^ set(copy.before))
    copy.make("clean")
    check("make clean leaves nothing", not os.path.exists(f"{copy.folder}/build"))


with tempfile.TemporaryDirectory() as scratch:
    project = Copy(scratch)
    first_build(project)
    release(project)
    rebuilding(project)
    settings(project)
    tidiness(project)
close()
