#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/version in clones, copies and repositories of others; TAP on stdout."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SETTINGS = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@b", "GIT_AUTHOR_DATE": "1000000000 +0000",
            "GIT_COMMITTER_DATE": "1000000000 +0000"}
results = []


def check(name, good, *details):
    results.append(bool(good))
    if not good:
        print(*(f"# {detail}" for detail in details), sep="\n")
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}")


def run(folder, *command, **more):
    plain = {name: value for name, value in os.environ.items()
             if not name.startswith("GIT_") and name != "SOURCE_DATE_EPOCH"}
    return subprocess.run(command, cwd=folder, env={**plain, **SETTINGS, **more}, text=True,
                          capture_output=True, check=False).stdout.strip()


def told(name, folder, pattern):
    version = run("/", f"{folder}/tools/version")
    check(f"{name}: {pattern}", re.fullmatch(pattern, version), version)


def main():
    if not shutil.which("git"):
        print("1..0 # SKIP no git here")
        return 0
    with tempfile.TemporaryDirectory() as top:
        copy = f"{top}/copy"
        os.makedirs(f"{copy}/tools")
        shutil.copy(f"{ROOT}/tools/version", f"{copy}/tools")
        for name, text in (("VERSION", "7.8.9\n"), ("CHANGELOG.md", "## [7.8.9] - 2001-02-03\n")):
            with open(f"{copy}/{name}", "w", encoding="ascii") as file:
                file.write(text)
        told("no repository", copy, r"7\.8\.9")
        check("its date is the changelog's", run(copy, "tools/version", "--date") == "981158400")
        check("or the one that is asked for",
              run(copy, "tools/version", "--date", SOURCE_DATE_EPOCH="5") == "5")
        run(top, "git", "init", "-q")
        run(top, "git", "commit", "-q", "--allow-empty", "-m", "another project")
        told("in a repository of others", copy, r"7\.8\.9")
        for command in ("init -q", "add .", "commit -q -m one"):
            run(copy, "git", *command.split())
        told("no tag", copy, r"7\.8\.9-g[0-9a-f]{7,}")
        check("the date is the commit's", run(copy, "tools/version", "--date") == "1000000000")
        run(copy, "git", "tag", "v7.8.8")
        told("another version's tag", copy, r"7\.8\.9-g[0-9a-f]{7,}")
        run(copy, "git", "tag", "v7.8.9")
        told("at the tag", copy, r"7\.8\.9")
        with open(f"{copy}/VERSION", "a", encoding="ascii") as file:
            file.write("\n")
        told("changed since", copy, r"7\.8\.9-dirty")
        run(copy, "git", "commit", "-q", "-a", "-m", "two")
        told("one commit later", copy, r"7\.8\.9-1-g[0-9a-f]{7,}")
        hidden = f"{top}/commands"
        os.mkdir(hidden)
        for name in ("sh", "cat", "dirname"):
            os.symlink(shutil.which(name), f"{hidden}/{name}")
        version = run(copy, "tools/version", PATH=hidden)
        check("no git", version == "7.8.9", version)
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
