# SPDX-License-Identifier: MIT
#
# The whole build of Nous. Every target works as the first command after a clone:
# what the machine lacks is installed by tools/setup. Output goes to build/, nowhere else.
# `make help` shows the lines that begin with `#:` (tests/host/help_test.py: none is missing).
#
#: NAME
#:     make - build, run, test and measure Nous
#:
#: SYNOPSIS
#:     make [TARGET] [SETTING=VALUE ...]
#:
#: TARGETS
#:   to see it
#:     run               build it and boot it in QEMU on this terminal: the demonstration, then a
#:                       console (without a terminal: the end); Ctrl-C ends it, too.
#:                       KEEP=1 the console also without a terminal; MENU=1 wait in the boot menu;
#:                       WINDOW=1 show the screen (always, where there is a DISPLAY);
#:                       KVM=1 on the real processor;
#:                       DEMO=NAME another demonstration, that of services/NAME, or the C
#:                       program in programs/NAME; RUN="NAME ARGUMENT..." its arguments
#:     run-bochs         the same in Bochs; DEMO=NAME as well, ENTRY=selftest or bench: that entry
#:                       of the boot menu
#:     bochs             run-bochs
#:   to change it
#:     new-service       NAME=counter: a new service, with a client, demonstration, tests, benchmark
#:                       and page (docs/tutorial.md)
#:     test              build and test everything; the last line says `N passed, N failed`.
#:                       GROUPS="host selftest ..." only these groups (tests/run --help)
#:     selftest          the tests in the machine, in QEMU on this terminal; ONLY=NAME those whose
#:                       names have it
#:     test-bochs        only what of it runs in Bochs: self-test, demonstration, benchmarks
#:     c-tests           of that, the C library and its programs (docs/c-programs.md)
#:     lint              format and static checks
#:     format            mend the format
#:     gdb               the debugger, with commands for Nous (`help nous`; docs/debugging.md).
#:                       DEMO=NAME as for run; MODE=selftest: that entry; APPEND=only=NAME those
#:                       tests;
#:                       GDB_FLAGS="-ex 'break boot_main' ..." more arguments for it
#:     debug-bochs       Bochs' own debugger, where the root program begins (docs/bochs.md).
#:                       ENTRY, DEMO as for run-bochs; BREAK=NAME where that function is called
#:     compile_commands  build/compile_commands.json for clangd (every build makes it, too)
#:     screenshots       docs/*.png anew: the screen, and whether it holds what it must
#:     reference         the tables of docs/abi.md and all of docs/interfaces.md, from the headers
#:     drawings          docs/house.svg anew: who holds which capability in a running machine
#:     loc               count the lines of code
#:   to measure it
#:     bench             in instructions, compared with the record; KVM=1: cycles.
#:                       ONLY=NAME those of tests/bench/NAME.c, not compared
#:     bench-record      measure, and make that the record
#:     bench-native      the rollforward lock on this machine's processor, in cycles
#:     profile           where a benchmark's instructions go: functions, cache lines, pages.
#:                       BENCH="call_return ..." these in detail; else a line for each
#:     isolation         periodic tasks beside hostile neighbours: judged, and drawn in build/.
#:                       RUNS=200 with so many different seeds of the neighbours
#:     isolation-record  ... and drawing and figures become those of docs/scheduling.md
#:     trace             a timeline of the demonstration for ui.perfetto.dev (docs/tracing.md).
#:                       ENTRY=selftest APPEND=only=NAME those tests; FORMAT=text a log instead
#:   to pass it on
#:     iso               build/nous.iso, for a CD or a USB stick
#:     all               everything that is booted, with its symbols
#:     release           build/release/: image, symbols, checksums, notes, and what in the image is
#:                       others' (SPDX); the same image wherever and whenever it is made
#:     clean             remove build/
#:     help              this text
#:
#: SETTINGS
#:     CROSS=PREFIX      the cross compiler's prefix (i686-linux-gnu-)
#:     HOSTCC=NAME       the compiler for what runs on the host (gcc)
#:     HOST_M32=FLAGS    how that one compiles for 32 bits
#:     WERROR=           warnings are no errors
#:     DEMO_MODULES="NAME ..."
#:                       what is loaded beside the root program of a menu entry; SELFTEST_MODULES,
#:                       BENCH_MODULES and ISOLATION_MODULES likewise
#:     -jN               so many jobs at once (as many as there are processors)
#:
#: FILES
#:     VERSION           this version's number; tools/version adds the commit
#:     build/nous.iso    what `make iso` makes
#:     build/nous.elf, build/programs/
#:                       kernel and programs with symbols
#:     build/test/       a log of each test
#:
#: EXAMPLES
#:     make run                         the demonstration
#:     make test GROUPS="host tools"    only the tests on the host, and lint
#:     make run MENU=1 WINDOW=1         choose in the boot menu, in a window

CROSS    ?= i686-linux-gnu-
WERROR   ?= -Werror
HOSTCC   ?= gcc
# Tests on the host are 32-bit, like the target; on another system: the flags that make it so.
HOST_M32 ?= -m32 -idirafter /usr/include/x86_64-linux-gnu

# What is loaded beside the root program, by menu entry: names of programs, in this order.
DEMO_MODULES     ?= serial vga pci keyboard memory quota scribe visitor console meter hostile \
                    painter scheduler
SELFTEST_MODULES ?= serial vga pci memory quota partition keyboard paged scheduler
BENCH_MODULES    ?= serial vga pci memory quota keyboard console paged
ISOLATION_MODULES ?= serial vga pci memory quota scheduler ledger periodic hostile driver
# No menu entry: tests/e2e boots it.
WINDOWS_MODULES  := serial vga painter

# ------------------------------------------------------------------ tools and flags

CC       := $(CROSS)gcc
LD       := $(CROSS)ld
AR       := $(CROSS)ar
NM       := $(CROSS)nm
OBJDUMP  := $(CROSS)objdump
STRIP    := $(CROSS)strip
NASM     := nasm
VERSION  := $(shell tools/version)
DEFINE   := \#define

CFLAGS   := -m32 -march=pentiumpro -O2 -g -std=gnu11 -ffreestanding \
            -fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables \
            -fomit-frame-pointer -mpreferred-stack-boundary=2 \
            -mno-sse -mno-mmx -mgeneral-regs-only \
            -Wall -Wextra $(WERROR) -ffile-prefix-map=$(CURDIR)=.
KERNEL_CFLAGS  := $(CFLAGS) -Wno-unused-parameter -mregparm=3 \
                  -fcall-used-esi -fcall-used-edi -fcall-used-ebx \
                  -Ikernel -Iboot -Ilibs -Ilibs/abi -Ibuild/generated
# A system call keeps no register but ESP, so functions need not either (libs/runtime/kernel.h).
# Operations of a service have all the same four parameters, which not all of them use.
# A stack that is said to be aligned to 8 is never aligned for a 64-bit answer, which takes EBP.
PROGRAM_CFLAGS := $(CFLAGS) -fcall-used-esi -fcall-used-edi -fcall-used-ebx \
                  -mincoming-stack-boundary=3 -Wno-unused-parameter \
                  -ffunction-sections -fdata-sections \
                  $(patsubst %/,-I%,$(wildcard libs/*/)) -Ilibs -Iservices -Ibuild/generated \
                  -Ibuild/generated/interfaces
HOST_CFLAGS := $(HOST_M32) -O1 -g -std=gnu11 -Wall -Wextra -Wno-unused-parameter \
            $(WERROR) -fsanitize=address,undefined -fno-sanitize-recover=all \
            -fno-omit-frame-pointer \
            -Itests/host -Ikernel -Iboot $(patsubst %/,-I%,$(wildcard libs/*/)) -Ilibs -Iservices \
            -Ibuild/generated -Ibuild/generated/interfaces
NASMFLAGS := -f elf32 -g -F dwarf -w+all $(if $(WERROR),-w+error) \
             -Ikernel/ -Ikernel/x86/ $(patsubst %,-I%,$(wildcard libs/*/)) -Ibuild/generated/
LDFLAGS  := -m elf_i386 -nostdlib --build-id=none -z noexecstack -z max-page-size=4096 \
            --no-warn-rwx-segments
LIBGCC    = $(shell $(CC) -m32 -print-libgcc-file-name)

# As many jobs as processors, unless asked otherwise; a job's lines stay together.
ifeq ($(filter -j%,$(MAKEFLAGS))$(filter-out 0,$(MAKELEVEL)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
MAKEFLAGS += --output-sync=target --no-builtin-rules --no-print-directory
# ... but for commands that show something while they run, which begin with this (not in a dry run).
LIVE = $(if $(findstring n,$(firstword -$(MAKEFLAGS))),,+)
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := help

# ------------------------------------------------------------------ what there is

objects = $(patsubst %,build/%.o,$(wildcard $(foreach d,$(1),$(d)/*.c $(d)/*.asm)))
has     = $(wildcard $(1)/*.c $(1)/*.asm)

KERNEL_OBJECTS  := $(call objects,kernel kernel/x86 boot)
RUNTIME_OBJECTS := $(call objects,\
                     $(filter-out libs/abi libs/c,$(patsubst %/,%,$(wildcard libs/*/))))

# A program is a folder; its name is the folder's, but for the self-test. A program in a service's
# folder has both names: services/counter/client is `counter-client`.
PROGRAM_FOLDERS := $(foreach d,$(patsubst %/,%,$(wildcard services/*/ services/*/*/)) tests/guest \
                     tests/bench tests/windows tests/paged,$(if $(call has,$(d)),$(d)))
name_of          = $(patsubst guest,selftest,$(subst /,-,$(patsubst services/%,%,$(1:tests/%=%))))
PROGRAMS        := $(foreach d,$(PROGRAM_FOLDERS),$(call name_of,$(d)))
PROGRAM_OBJECTS := $(call objects,$(PROGRAM_FOLDERS)) $(RUNTIME_OBJECTS)

# services/NAME/demo is the root program of a demonstration: `make run DEMO=NAME`. What a root
# program's sources need is said in them, in lines such as `/* modules: serial NAME NAME-client */`
# (also in tests/guest and tests/bench) and `/* machine: -device edu */`.
DEMONSTRATIONS  := $(patsubst services/%/demo,%,$(filter services/%/demo,$(PROGRAM_FOLDERS)))
says             = $(shell sed -n 's|^/\* $(1): *\(.*\) \*/$$|\1|p' $(wildcard $(2)) /dev/null)
DEMO_ENTRY      := $(or $(DEMO),demo)
# programs/NAME is an ordinary C program (libs/c/c.mk, docs/c-programs.md), which `make run
# DEMO=NAME` runs, too; the modules that it is booted with have a folder of their own.
C_PROGRAMS      := $(patsubst programs/%/,%,$(wildcard programs/*/))
C_DEMO          := $(filter $(C_PROGRAMS),$(DEMO))
ifneq ($(filter-out demo $(DEMONSTRATIONS) $(C_PROGRAMS),$(DEMO_ENTRY)),)
$(error There is no demonstration $(DEMO) (services/$(DEMO)/demo or programs/$(DEMO)); there are: \
  $(DEMONSTRATIONS) $(C_PROGRAMS))
endif
with             = $(1) $(filter-out $(1),$(sort $(call says,modules,$(2))))
# A menu entry is its name, its root program, and what is loaded beside that.
ENTRIES         := demo demo $(DEMO_MODULES) ; \
  selftest selftest $(call with,$(SELFTEST_MODULES),tests/guest/*.c) ; \
  bench bench $(call with,$(BENCH_MODULES),tests/bench/*.c) ; \
  isolation isolation $(ISOLATION_MODULES) ; \
  windows windows $(WINDOWS_MODULES) ; \
  $(foreach d,$(DEMONSTRATIONS),$(d) $(d)-demo $(call says,modules,services/$(d)/demo/*.c) ;)

HOST_TESTS   := $(patsubst tests/host/%.c,build/host/%,$(wildcard tests/host/*.c))
HOST_SOURCES := $(wildcard tests/host/*.c tests/host/machine/*.c)

ELVES   := build/nous.elf $(PROGRAMS:%=build/programs/%.elf)
# Headers with operations, and what tools/interface makes of them.
INTERFACES := $(shell grep -l '^.include "[a-z0-9_]*[.]stubs[.]h"' \
                services/*/*.h services/*/*/*.h libs/*/*.h tests/*/*.h 2>/dev/null)
MADE       := build/generated/interfaces
STUBS      := $(foreach h,$(basename $(notdir $(INTERFACES))),$(MADE)/$(h).stubs.h \
                $(MADE)/$(h).server.h $(MADE)/$(h).entries.h)

BOOTED  := build/modules/nous $(PROGRAMS:%=build/modules/%) build/modules/entries

COMMANDS := build/compile_commands.json

all: $(ELVES) build/nous.iso $(COMMANDS)
iso: build/nous.iso

# ------------------------------------------------------------------ bookkeeping

# setup-GROUP sees to it that a group of tools is there (milliseconds when it is).
SETUPS := $(addprefix setup-,build iso run bochs host kprof lint gdb window models c)
$(SETUPS): setup-%:
	$(LIVE)@CROSS='$(CROSS)' HOSTCC='$(HOSTCC)' tools/setup $*
.PHONY: $(SETUPS)

# Changed settings rebuild, and a source file that has come or gone links anew: each of these
# files holds a text and is touched only when that text is another one.
define settled
$(shell mkdir -p build/generated; echo '$(2)' | cmp -s - build/$(1) || echo '$(2)' >build/$(1))
endef
ifneq ($(MAKECMDGOALS),clean)
$(call settled,generated/version.h,$(DEFINE) NOUS_VERSION "$(VERSION)")
$(call settled,flags,$(subst $(CURDIR),.,$(CC) $(KERNEL_CFLAGS) $(PROGRAM_CFLAGS) $(NASMFLAGS) \
                     $(HOSTCC) $(HOST_CFLAGS)))
$(call settled,sources,-Map $(LDFLAGS) $(KERNEL_OBJECTS) $(PROGRAM_OBJECTS) $(ENTRIES) \
                       $(HOST_SOURCES) $(INTERFACES))
endif

-include $(patsubst %.o,%.d,$(KERNEL_OBJECTS) $(PROGRAM_OBJECTS)) build/generated/offsets.d \
         $(HOST_TESTS:%=%.d)

# ------------------------------------------------------------------ compiling

OFFSETS := build/generated/offsets.inc

define compile
@mkdir -p $(@D)
@echo '  CC    $<'
@$(CC) $(1) -MMD -MP -c -o $@ $<
endef

$(filter %.c.o,$(KERNEL_OBJECTS)): build/%.c.o: %.c build/flags | setup-build
	$(call compile,$(KERNEL_CFLAGS))

$(filter %.c.o,$(PROGRAM_OBJECTS)): build/%.c.o: %.c build/flags | setup-build $(MADE)/made
	$(call compile,$(PROGRAM_CFLAGS))

# (NASM 2.16 forgets included files when it is asked for dependencies and code at once.)
$(filter %.asm.o,$(KERNEL_OBJECTS) $(PROGRAM_OBJECTS)): build/%.asm.o: %.asm build/flags \
    | setup-build $(OFFSETS)
	@mkdir -p $(@D)
	@echo '  NASM  $<'
	@$(NASM) $(NASMFLAGS) -I$(<D)/ -M -MP -MT $@ -MF $(@:.o=.d) $<
	@$(NASM) $(NASMFLAGS) -I$(<D)/ -o $@ $<

# Structure offsets for the assembler come from the compiler. The file is touched only when one
# has changed: programs' assembler files include it, too, for the ABI's numbers.
build/generated/offsets.s: tools/offsets.c build/flags | setup-build $(MADE)/made
	@mkdir -p $(@D)
	@echo '  GEN   $(@:.s=.inc)'
	@$(CC) $(KERNEL_CFLAGS) -Ilibs/runtime -I$(MADE) -MMD -MP -MF $(@:.s=.d) -MT $@ -S -o $@ $<

build/generated/offsets.inc: build/generated/offsets.s
	@sed -n 's/^->\([A-Za-z0-9_]*\) \$$*\([-0-9]*\).*/%define \1 \2/p' $< >$@.new
	@cmp -s $@.new $@ || cp $@.new $@

# All at once; a file that would be the same as before is not touched.
$(MADE)/made: $(INTERFACES) tools/interface build/sources | setup-build
	@mkdir -p $(@D)
	@echo '  GEN   $(@D)'
	@tools/interface --out $(@D) $(INTERFACES)
	@touch $@

$(STUBS): $(MADE)/made
	@:

# ------------------------------------------------------------------ the kernel, in two passes

# The first has an empty symbol table, the second the real one: it stands behind everything else,
# so that no address in it changes; which the last line checks.
build/generated/nosymbols.asm: tools/symbols
	@mkdir -p $(@D)
	@tools/symbols </dev/null >$@

build/generated/symbols.asm: build/nous.pass1.elf tools/symbols
	@$(NM) -n $< | tools/symbols >$@

build/generated/%.asm.o: build/generated/%.asm | setup-build
	@$(NASM) -f elf32 -o $@ $<

build/nous.pass1.elf: linker.ld $(KERNEL_OBJECTS) build/generated/nosymbols.asm.o build/sources
	@$(LD) $(LDFLAGS) -T linker.ld -o $@ $(filter %.o,$^)

build/nous.elf: linker.ld $(KERNEL_OBJECTS) build/generated/symbols.asm.o build/sources
	@echo '  LD    $@'
	@$(LD) $(LDFLAGS) -T linker.ld -Map $(@:.elf=.map) -o $@ $(filter %.o,$^)
	@$(NM) -n $@ | tools/symbols | cmp - build/generated/symbols.asm

# ------------------------------------------------------------------ programs

build/libruntime.a: $(RUNTIME_OBJECTS) build/sources | setup-build
	@rm -f $@
	@$(AR) rcs $@ $(filter %.o,$^)

define program
build/programs/$(call name_of,$(1)).elf: $(call objects,$(1)) build/libruntime.a \
    libs/runtime/program.ld build/sources tools/check-sections
	@mkdir -p $$(@D)
	@echo '  LD    $$@'
	@$$(LD) $$(LDFLAGS) --gc-sections -T libs/runtime/program.ld \
	   -Map $$(@:.elf=.map) -o $$@ \
	   $$(filter %.o,$$^) build/libruntime.a $$(LIBGCC)
	@OBJDUMP=$$(OBJDUMP) tools/check-sections $$@
endef
$(foreach d,$(PROGRAM_FOLDERS),$(eval $(call program,$(d))))

# ------------------------------------------------------------------ what is booted

build/modules/nous: build/nous.elf
	@mkdir -p $(@D)
	@$(STRIP) -g -o $@ $<

build/modules/%: build/programs/%.elf
	@mkdir -p $(@D)
	@$(STRIP) -g -o $@ $<

UNKNOWN := $(filter-out ; $(PROGRAMS) $(DEMONSTRATIONS),$(ENTRIES))
build/modules/entries: build/sources Makefile
	@mkdir -p $(@D)
	@[ -z "$(UNKNOWN)" ] || { echo "make: no program of this name (a folder in services/ with" \
	   "sources): $(UNKNOWN)" >&2; exit 1; }
	@echo '$(ENTRIES)' | tr ';' '\n' | sed 's/^ *//; s/ *$$//; /^$$/d' >$@

build/nous.iso: $(BOOTED) boot/grub.cfg tools/iso | setup-iso
	@echo '  ISO   $@'
	@tools/iso $@

release: $(ELVES) build/nous.iso | setup-iso
	@CC='$(CC)' tools/release

include libs/c/c.mk

# ------------------------------------------------------------------ tests on the host, profiler

# A test is one file; its line `// sources: kernel/x.c ...` names what is compiled with it.
define host_test
build/host/$(basename $(notdir $(1))): $(1) $(2) build/flags | setup-host $(OFFSETS) $(MADE)/made
	@mkdir -p $$(@D)
	@echo '  HOST  $(1)'
	@$$(HOSTCC) $$(HOST_CFLAGS) -MM -MP -MT $$@ $(1) $(2) >$$@.d
	@$$(HOSTCC) $$(HOST_CFLAGS) -o $$@ $(1) $(2)
endef
sources_of = $(shell sed -n 's|^// sources: *||p' $(1))
$(foreach t,$(wildcard tests/host/*.c),$(eval $(call host_test,$(t),$(call sources_of,$(t)))))

# The rollforward lock on the host's own processor: the very object file that programs are linked
# with; its section, compiled as theirs; and a main program.
NATIVE_CFLAGS := $(HOST_M32) -O2 -std=gnu11 -fno-pic -fno-pie -Wall -Wextra $(WERROR) \
                 -Ilibs/abi -Ilibs/lock
build/native/lock: $(wildcard tests/native/*.[ch]) build/libs/lock/lock.asm.o libs/lock/lock.h \
    build/flags | setup-host
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) $(NATIVE_CFLAGS) -ffreestanding -fomit-frame-pointer -fno-stack-protector \
	   -fno-asynchronous-unwind-tables -c -o $@.o tests/native/section.c
	@$(HOSTCC) $(NATIVE_CFLAGS) -no-pie -z noexecstack -o $@ tests/native/native.c $@.o \
	   build/libs/lock/lock.asm.o

build/kprof/kprof.so: $(wildcard tools/kprof/*.[ch]) | setup-kprof
	@mkdir -p $(@D)
	@echo '  HOST  $@'
	@$(HOSTCC) -O2 -g -std=gnu11 -Wall -Wextra $(WERROR) -fPIC -fvisibility=hidden -shared \
	   -o $@ $(filter %.c,$^)

build/kprof/selftest.elf: tools/kprof/selftest.asm tools/kprof/selftest.ld | setup-build
	@mkdir -p $(@D)
	@$(NASM) -f elf32 -o $@.o $<
	@$(LD) -m elf_i386 -nostdlib --no-warn-rwx-segments -T tools/kprof/selftest.ld -o $@ $@.o
	@$(NM) $@ >$@.symbols

# ------------------------------------------------------------------ editors and analysers

c_sources = $(patsubst build/%.o,%,$(filter %.c.o,$(1)))
$(COMMANDS): build/flags build/sources tools/compile-commands
	@tools/compile-commands $@ \
	   '$(CC) $(KERNEL_CFLAGS)' $(call c_sources,$(KERNEL_OBJECTS)) -- \
	   '$(CC) $(PROGRAM_CFLAGS)' $(call c_sources,$(PROGRAM_OBJECTS)) -- \
	   '$(CC) $(PROGRAM_CFLAGS)' tests/native/section.c -- \
	   '$(HOSTCC) $(HOST_CFLAGS)' $(HOST_SOURCES) tests/native/native.c -- \
	   '$(HOSTCC) $(HOST_M32) $(C_OUR_FLAGS) $(C_GLUE_FLAGS)' \
	   $(wildcard libs/c/*.c programs/*/*.c tests/c/*/*.c) -- \
	   '$(CC) $(KERNEL_CFLAGS) -Ilibs/runtime' tools/offsets.c

compile_commands: $(COMMANDS)

# ------------------------------------------------------------------ using it

BOOTABLE := $(if $(C_DEMO),build/c/modules/$(C_DEMO)/entries,$(BOOTED)) boot/grub.cfg tools/iso
C_RUN    := $(if $(C_DEMO),--modules build/c/modules/$(C_DEMO) \
              --append 'run $(or $(RUN),$($(C_DEMO)_ARGUMENTS))')

run: $(BOOTABLE) | setup-iso setup-run $(if $(WINDOW)$(DISPLAY),setup-window)
	$(LIVE)@tools/run --entry $(DEMO_ENTRY) $(if $(KEEP),--keep) $(if $(MENU),--menu) \
	   $(if $(WINDOW)$(DISPLAY),--window) $(if $(KVM),--kvm) $(C_RUN) \
	   -- $(call says,machine,services/$(DEMO)/demo/*.c)

bochs run-bochs: $(BOOTABLE) | setup-iso setup-bochs
	$(LIVE)@tools/bochs --entry $(or $(ENTRY),$(DEMO_ENTRY)) --timeout 600 $(C_RUN)

debug-bochs: $(BOOTABLE) $(ELVES) | setup-iso setup-bochs
	$(LIVE)@tools/bochs --entry $(or $(ENTRY),$(DEMO_ENTRY)) --debug $(BREAK)

test-bochs: $(BOOTABLE) $(ELVES) | setup-iso setup-bochs
	$(LIVE)@tests/run --bochs

test: $(ELVES) $(COMMANDS) build/nous.iso $(BOOTABLE) $(HOST_TESTS) \
      build/kprof/kprof.so build/kprof/selftest.elf build/native/lock c-tests \
      | $(addprefix setup-,iso run bochs host kprof lint gdb models)
	$(LIVE)@tests/run $(GROUPS)

selftest: $(BOOTED) | setup-run
	$(LIVE)@tools/run --direct --entry selftest $(ONLY:%=--append only=%)

ifdef ONLY
bench: $(BOOTED) | setup-run
	$(LIVE)@tools/run --direct --entry bench --append only=$(ONLY)
else
bench bench-record: $(BOOTABLE) build/kprof/kprof.so | setup-iso setup-run
	$(LIVE)@tools/bench $(if $(KVM),--kvm) $(if $(filter bench-record,$@),--record)
endif

new-service: | setup-build
	@tools/new-service '$(NAME)'

profile: $(BOOTED) build/kprof/kprof.so | setup-run
	$(LIVE)@tools/profile $(BENCH)

trace: $(BOOTED) build/kprof/kprof.so | setup-run
	$(LIVE)@tools/trace --entry $(or $(ENTRY),demo) --append '$(APPEND)' \
	   --format $(or $(FORMAT),json)

isolation isolation-record: $(BOOTABLE) | setup-iso setup-run
	$(LIVE)@tools/run --direct --entry isolation --log build/isolation.log \
	   $(if $(RUNS),--append runs=$(RUNS) --timeout 3600)
	$(LIVE)@tools/isolation build/isolation.log --draw \
	   $(if $(filter isolation-record,$@),docs/isolation.svg --document docs/scheduling.md, \
	     build/isolation.svg)

screenshots: $(BOOTED) | setup-run
	$(LIVE)@tools/screenshots

drawings: $(BOOTED) | setup-run
	$(LIVE)@tools/house

reference: | setup-build
	@tools/abi-doc
	@tools/interface --page docs/interfaces.md

bench-native: build/native/lock
	@build/native/lock

lint: $(OFFSETS) $(COMMANDS) $(MADE)/made | setup-lint setup-build
	$(LIVE)@tools/lint

format: | setup-lint
	@clang-format -i $(shell find kernel boot libs services programs tests -name '*.[ch]')

kprof-selftest: build/kprof/kprof.so build/kprof/selftest.elf | setup-run
	$(LIVE)@tools/kprof/selftest build/kprof

gdb: $(ELVES) $(BOOTABLE) $(BOOTED) | setup-run setup-gdb
	$(LIVE)@tools/debug --entry $(or $(MODE),$(DEMO_ENTRY)) \
	   $(or $(C_RUN),--append '$(APPEND)') -- $(call says,machine,services/$(DEMO)/demo/*.c)

loc: | setup-build
	@tools/loc

clean:
	rm -rf build

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

.PHONY: all iso release run bochs run-bochs debug-bochs test-bochs test selftest new-service bench \
        bench-record isolation isolation-record bench-native profile trace lint format \
        kprof-selftest gdb loc compile_commands screenshots reference drawings clean help
