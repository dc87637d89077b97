#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does tools/check-sections refuse sections that break a rule, and only those? TAP on stdout.

Each case is a program that is compiled and linked as the Makefile does it: prepares in C, or
libs/lock/lock.asm with a change.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CROSS = os.environ.get("CROSS", "i686-linux-gnu-")
CFLAGS = """-m32 -march=pentiumpro -O2 -std=gnu11 -ffreestanding -fno-pic -fno-pie
            -fno-stack-protector -fno-asynchronous-unwind-tables -fomit-frame-pointer
            -mpreferred-stack-boundary=2 -mgeneral-regs-only -fcall-used-esi -fcall-used-edi
            -fcall-used-ebx -ffunction-sections -Ilibs/abi -Ilibs/lock -Ilibs/runtime""".split()

PROGRAM = """
#include "lock.h"
#include "kernel.h"
struct context { uint32_t number, result; };
extern volatile uint32_t words[8];
volatile uint32_t words[8];
uint32_t outside(uint32_t);
__attribute__((noinline)) uint32_t outside(uint32_t a) { return words[a] * 3; }
SECTION void prepare(void)
{
	struct context *context = section_context();
	(void)context;
	%s
}
void program_start(void);
void program_start(void)
{
	struct context context = {3, 0};
	section_run(prepare, &context);
	words[1] = context.result;
	door_call_lend(1, 2, 3, 4, 5, (void *)0);
}
"""
GOOD = """
	for (uint32_t i = 0; i < context->number; i++)
		section_log(i, &words[i], words[i] + 1);
	if (words[7] == 9)
		return section_commit_word(&words[2], 1);
	context->result = words[3];
	return section_commit(context->number);"""

# What the prepare is, and what the complaint says; none: it is right.
PREPARES = {
    "loops_branches_results_and_both_commits_are_right": (GOOD, None),
    "zeroing_and_ports_are_right": ("""
	void *at = (void *)words;
	uint32_t count = 8;
	asm volatile("rep stosl" : "+D"(at), "+c"(count) : "a"(0) : "memory");
	asm volatile("outl %0, %1" : : "a"(context->number), "Nd"((uint16_t)0xCF8));
	return section_commit(0);""", None),
    "a_call_is_refused": ("""
	context->result = outside(1);
	return section_commit(0);""", "calls nothing"),
    "a_call_by_a_pointer_is_refused": ("""
	((void (*)(void))context->number)();
	return section_commit(0);""", "calls nothing"),
    "a_tail_call_elsewhere_is_refused": ("outside(1);", "jumps out"),
    "a_system_call_is_refused": ("""
	context->result = kernel_probe(slot(1));
	return section_commit(0);""", "calls nothing"),
    "a_software_interrupt_is_refused": ("""
	asm volatile("int $0x30");
	return section_commit(0);""", "calls nothing"),
    "a_plain_return_is_refused": ("""
	if (context->number)
		return;
	return section_commit(0);""", "calls nothing"),
    "a_commit_that_is_no_tail_jump_is_refused": ("""
	section_commit(0);
	words[1] = 1;""", "calls nothing"),
    "a_table_of_jumps_is_refused": ("""
	static const void *const to[] = {&&one, &&two};
	goto *to[context->number];
one:	words[1] = 1;
two:	return section_commit(0);""", "indirect jump"),
    "ebp_for_something_else_is_refused": ("""
	asm volatile("mov $5, %%ebp" : : : "memory");
	return section_commit(0);""", "EBP must lead"),
    "ebp_exchanged_is_refused": ("""
	asm volatile("xchg %%ebp, %%eax" : : : "memory");
	return section_commit(0);""", "EBP must lead"),
    "a_change_of_the_record_is_refused": ("""
	section_record->context = 0;
	return section_commit(0);""", "the record"),
    "a_store_to_the_owner_is_refused": ("""
	LOCK->owner = 0;
	return section_commit(0);""", "TAKE alone"),
    "a_commit_of_ones_own_is_refused": ("""
	LOCK->count = 1;
	return section_commit(0);""", "commits elsewhere"),
    "a_prepare_that_falls_through_is_refused": (
        'section_log(0, &words[0], 1);\n\t__builtin_unreachable();', "goes on into"),
    "a_jump_into_an_instruction_is_refused": ("""
	asm volatile("jmp . + 3; mov $0x90909090, %%eax" : : : "eax");
	return section_commit(0);""", "middle of"),
    "a_second_take_in_a_section_is_refused": ("""
	asm volatile("jmp section_start");
	return section_commit(0);""", "jumps out"),
}
# What stands in lock.asm, and what instead.
LOCKS = {
    "something_between_take_and_start_is_refused": (
        "section_start:\n", "\tnop\nsection_start:\n", "TAKE must be"),
    "take_behind_start_is_refused": (
        "\tmov\t[OWNER], ecx\nsection_start:\n", "section_start:\n\tmov\t[OWNER], ecx\n",
        "not in order"),
    "something_between_commit_and_committed_is_refused": (
        "section_committed:\n", "\tnop\nsection_committed:\n", "the commit must be"),
    "an_effect_before_the_commit_is_refused": (
        "section_committed:\n\tmov\t[eax], edx", "\tmov\t[eax], edx\nsection_committed:",
        "the commit must be"),
    "a_lock_without_an_end_is_refused": (
        "section_end: ", "lost: ", "not in order"),
    "something_before_the_second_commit_is_refused": (
        "section_commit:\n", "section_commit:\n\tnop\n", "must begin with the commit"),
    "an_owner_that_is_cleared_is_refused": (
        "section_finish:\n", "section_finish:\n\tmov\tdword [OWNER], 0\n", "TAKE alone"),
}


class Case:
    """A program, built in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.generated = ROOT / "build/generated"

    def step(self, *command):
        subprocess.run([str(word) for word in command], cwd=ROOT, check=True)

    def link(self, prepare, lock, more=""):
        (self.folder / "case.c").write_text(PROGRAM % prepare + more)
        (self.folder / "lock.asm").write_text(lock)
        self.step(f"{CROSS}gcc", *CFLAGS, "-c", self.folder / "case.c", "-o",
                  self.folder / "case.o")
        self.step("nasm", "-felf32", f"-I{self.generated}/", self.folder / "lock.asm", "-o",
                  self.folder / "lock.o")
        self.step(f"{CROSS}ld", "-melf_i386", "-nostdlib", "--no-warn-rwx-segments",
                  "-znoexecstack", "-T", "libs/runtime/program.ld", "-o", self.folder / "case",
                  self.folder / "case.o", self.folder / "lock.o")

    def check(self):
        done = subprocess.run([sys.executable, ROOT / "tools/check-sections", self.folder / "case"],
                              env={**os.environ, "OBJDUMP": f"{CROSS}objdump"},
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def main():
    lock = (ROOT / "libs/lock/lock.asm").read_text()
    cases = [(name, prepare, lock, "", complaint)
             for name, (prepare, complaint) in PREPARES.items()]
    for name, (old, new, complaint) in LOCKS.items():
        assert lock.count(old) == 1, old
        cases.append((name, GOOD, lock.replace(old, new), "", complaint))
    cases.append(("a_way_in_past_take_is_refused", GOOD, lock,
                  'void in(void);\nvoid in(void)\n{\n\tasm("jmp section_start");\n}\n',
                  "past TAKE"))
    cases.append(("ebp_in_a_caller_is_refused", GOOD, lock, """
void caller(void);
void caller(void)
{
	program_start();
	asm volatile("mov %0, %%ebp" : : "r"(words[0]) : "memory");
	program_start();
}
""", "include lock.h first"))
    failed = 0
    for number, (name, prepare, text, more, complaint) in enumerate(cases, 1):
        with tempfile.TemporaryDirectory() as folder:
            case = Case(Path(folder))
            case.link(prepare, text, more)
            status, said = case.check()
        good = status == (complaint is not None) and (complaint or "") in said
        failed += not good
        if not good:
            print(*(f"# {line}" for line in [f"wanted: {complaint}", *said.splitlines()]),
                  sep="\n")
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
    print(f"1..{len(cases)}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
