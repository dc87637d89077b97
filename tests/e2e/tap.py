# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: TAP output, and running commands as a user would."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Of make gdb and make debug-bochs: another one for each test, for two of them run at a time.
DEBUG_LOG = f"{ROOT}/build/debug/{os.path.basename(sys.argv[0])}.log"
os.environ["DEBUG_LOG"] = DEBUG_LOG
results = []
sessions = []


@atexit.register
def end_sessions():
    """Nothing that we started outlives us, whatever ends us."""
    for session in sessions:
        session.signal(signal.SIGKILL)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def check(name, good, *details):
    """One test; what is known about it is shown when it fails."""
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}", flush=True)
    if not good:
        for detail in details:
            print(*(f"# {line}" for line in str(detail).splitlines()[-30:]), sep="\n", flush=True)
    return good


def close():
    """The plan, and the exit status."""
    print(f"1..{len(results)}")
    sys.exit(0 if all(results) else 1)


def environment(**more):
    """Ours, without what the make above us left in it, as a user starts from a plain shell; but
    settings given to that make hold for those below, too, or they would build anew."""
    plain = {name: value for name, value in os.environ.items()
             if not name.startswith(("MAKE", "MFLAGS", "CFLAGS_OF_", "DISPLAY"))}
    _, _, settings = os.environ.get("MAKEFLAGS", "").partition(" -- ")
    return {**plain, "MAKEFLAGS": f"-- {settings}" if settings else "", **more}


def run(*command, cwd=ROOT, seconds=120, **more):
    """Exit status, all output, seconds taken."""
    begin = time.monotonic()
    done = subprocess.run(command, cwd=cwd, env=environment(**more), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
                          check=False)
    text = done.stdout.decode("utf-8", errors="replace").replace("\r\n", "\n")
    return done.returncode, text, time.monotonic() - begin


def copy_of_project(folder):
    """As a clone of it would be, but with what is built already: only what is new will be."""
    def unwanted(place, names):
        of_build = {"test", "trace", "release"} if place == f"{ROOT}/build" else set()
        return ({".git", "__pycache__"} | of_build) & set(names)
    copy = f"{folder}/nous"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=unwanted)
    version_keep(copy)
    return copy


def version_keep(copy):
    """A copy without git is of the version that its file says: it shall be ours."""
    with open(f"{copy}/VERSION", "w", encoding="ascii") as file:
        file.write(run("tools/version")[1])


class Session:
    """A command that is talked to while it runs, through a pipe or, as by a person, a terminal."""

    def __init__(self, *command, cwd=ROOT, terminal=False, **more):
        self.input, end = os.openpty() if terminal else os.pipe()[::-1]
        self.process = subprocess.Popen(command, cwd=cwd, env=environment(**more),
                                        stdin=end, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        os.close(end)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = ""
        sessions.append(self)

    def read(self):
        """Take in what it said until now; False when it will say nothing more."""
        part = self.process.stdout.read()
        if part:
            self.text += part.decode("latin-1")
        return part != b""

    def wait_for(self, words, seconds=60):
        """Whether it says this within so long."""
        end = time.monotonic() + seconds
        while words not in self.text and self.read() and time.monotonic() < end:
            time.sleep(0.05)
        return words in self.text

    def send(self, text):
        os.write(self.input, text.encode("latin-1"))

    def say(self, text, words, seconds=60):
        """What it answers, until these words."""
        self.read()
        begin = len(self.text)
        self.send(text)
        end = time.monotonic() + seconds
        while words not in self.text[begin:] and self.read() and time.monotonic() < end:
            time.sleep(0.05)
        return self.text[begin:]

    def running(self):
        self.read()
        return self.process.poll() is None

    def signal(self, number):
        """To all its processes, as Ctrl-C is."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def wait(self, seconds=60):
        """The exit status, or nothing when it does not end."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.process.wait()
            status = None
        self.read()
        return status
