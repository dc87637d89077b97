# SPDX-License-Identifier: MIT
#
# Ordinary C programs (docs/c-programs.md): the C library, what connects it to Nous, and programs: a
# folder in programs/ or tests/c/ is one. Its program.mk, if it has one, says more about it:
#
#     SOURCE    := a Debian source package that its C files are in, too
#     SOURCES   := those files, in that package
#     DEFINES   := flags for the compiler, as -DNAME
#     STACK     := bytes of its stack, a multiple of 4096; 262144 unless this says otherwise
#     ARGUMENTS := what `make run DEMO=NAME` runs, NAME and its arguments; else NAME alone
#
# Nothing of this is in what `all` builds, and nothing is fetched before it is asked for.

OBJCOPY  := $(CROSS)objcopy
NEWLIB   := build/debian/newlib/newlib/libc
# Floating point is the x87's; `long double` is `double`, so that newlib has all functions for it.
# The system is not Linux, whatever the compiler was made for.
C_FLAGS  := -m32 -march=pentiumpro -O2 -mlong-double-64 -mno-sse -mno-mmx \
            -fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables \
            -fomit-frame-pointer -ffunction-sections -fdata-sections -U_FORTIFY_SOURCE \
            -U__linux__ -U__linux -Ulinux -U__gnu_linux__ -U__unix__ -U__unix -Uunix -D__nous__ \
            -nostdinc -isystem $(shell $(CC) -print-file-name=include 2>/dev/null) \
            -isystem libs/c/newlib -isystem $(NEWLIB)/machine/i386 -isystem $(NEWLIB)/include
C_OUR_FLAGS := -g -Wall -Wextra $(WERROR) -ffile-prefix-map=$(CURDIR)=.
C_GLUE_FLAGS := -std=gnu11 -fvisibility=hidden -Wno-unused-parameter \
            -Ilibs/c -Ilibs/abi -Ilibs/runtime -Ilibs/memory -Ilibs/line -Ilibs/teletype \
            -Ilibs -Iservices -Ibuild/generated -I$(MADE)
C_SOURCES := $(wildcard libs/c/*.c) $(addprefix libs/,memory/pool.c memory/space.c memory/self.c \
               line/line.c teletype/teletype.c)

ifneq ($(MAKECMDGOALS),clean)
$(call settled,c-flags,$(CC) $(C_FLAGS) $(C_OUR_FLAGS) $(C_GLUE_FLAGS))
endif

build/debian/%/.unpacked: | setup-c
	@tools/source $*
.PRECIOUS: build/debian/%/.unpacked

build/c/libc.a: build/debian/newlib/.unpacked libs/c/newlib.mk $(wildcard libs/c/newlib/*) \
    build/c-flags | setup-build
	@echo '  CC    newlib'
	@$(MAKE) -f libs/c/newlib.mk CC='$(CC)' AR='$(AR)' C_FLAGS='$(C_FLAGS)' $@

# ------------------------------------------------------------------ what connects it to Nous

C_GLUE := $(C_SOURCES:%=build/c/glue/%.o)

$(C_GLUE): build/c/glue/%.o: % build/c-flags build/debian/newlib/.unpacked \
    | setup-build $(MADE)/made
	@mkdir -p $(@D)
	@echo '  CC    $< (ordinary)'
	@$(CC) $(C_FLAGS) $(C_OUR_FLAGS) $(C_GLUE_FLAGS) -MMD -MP -c -o $@ $<

build/c/glue/begin.o: libs/c/begin.asm | setup-build
	@mkdir -p $(@D)
	@$(NASM) $(NASMFLAGS) -o $@ $<

# One object, whose own names nobody sees.
build/c/process.o: $(C_GLUE) build/c/glue/begin.o build/libs/runtime/start.asm.o
	@$(LD) -m elf_i386 -z noexecstack -r -o $@.all $^
	@$(OBJCOPY) -w --localize-hidden -L 'service_*' -L 'program_st*' -L thread_begin \
	   -L fault_entry $@.all $@

-include $(C_GLUE:.o=.d)

# ------------------------------------------------------------------ programs

PROCESSES := $(patsubst %/,%,$(wildcard programs/*/ tests/c/*/))
PROCESS_SERVICES := loader serial vga keyboard memory

# $(1): folder, $(2): name
define process
SOURCE :=
SOURCES :=
DEFINES :=
STACK := 262144
ARGUMENTS := $(2)
-include $(1)/program.mk
build/c/$(2)/%.o: DEFINES := $$(DEFINES)
build/c/programs/$(2): STACK := $$(STACK)
$(2)_ARGUMENTS := $$(ARGUMENTS)
$(2)_FILES := $$(filter-out %.c %.h %.asm %.mk %.md %.expected,$$(wildcard $(1)/*.*))
$(2)_OBJECTS := $$(patsubst $(1)/%,build/c/$(2)/%.o,$$(wildcard $(1)/*.c $(1)/*.asm)) \
                $$(SOURCES:%=build/c/$(2)/source/%.o)

build/c/$(2)/%.c.o: $(1)/%.c build/c-flags $(wildcard $(1)/program.mk) \
    build/debian/newlib/.unpacked | setup-build
	@mkdir -p $$(@D)
	@echo '  CC    $$< (ordinary)'
	@$$(CC) $$(C_FLAGS) $$(C_OUR_FLAGS) $$(DEFINES) -MMD -MP -c -o $$@ $$<

build/c/$(2)/%.asm.o: $(1)/%.asm | setup-build
	@mkdir -p $$(@D)
	@$$(NASM) $$(NASMFLAGS) -o $$@ $$<

$$(SOURCES:%=build/c/$(2)/source/%.o): build/c/$(2)/source/%.o: build/debian/$$(SOURCE)/.unpacked \
    build/c-flags build/debian/newlib/.unpacked $(wildcard $(1)/program.mk) | setup-build
	@mkdir -p $$(@D)
	@echo '  CC    $$*'
	@$$(CC) $$(C_FLAGS) -g -w -fcommon -I$(1) $$(DEFINES) -c -o $$@ $$(<D)/$$*

build/c/programs/$(2): $$($(2)_OBJECTS) build/c/process.o build/c/libc.a libs/c/process.ld \
    $(wildcard $(1)/program.mk) build/c-flags
	@mkdir -p $$(@D)
	@echo '  LD    $$@'
	@$$(LD) $$(LDFLAGS) --gc-sections --defsym process_stack_bytes=$$(STACK) \
	   -T libs/c/process.ld -o $$@.elf $$($(2)_OBJECTS) \
	   build/c/process.o build/c/libc.a $$(LIBGCC)
	@$$(STRIP) -g -o $$@ $$@.elf

-include $$(patsubst %.o,%.d,$$($(2)_OBJECTS))
endef
$(foreach d,$(PROCESSES),$(eval $(call process,$(d),$(notdir $(d)))))

# What is booted: the menu's first entry with these services, programs, and files for them.
booted_files = $(foreach n,nous $(PROCESS_SERVICES),build/modules/$(n)) \
               $(foreach n,$(1),build/c/programs/$(n) $($(n)_FILES))
define process_modules
build/c/modules/$(1)/entries: $$(call booted_files,$(2)) libs/c/c.mk
	@rm -rf $$(@D) && mkdir -p $$(@D)
	@cp $$(call booted_files,$(2)) $$(@D)
	@echo $(1) $$(notdir $$(filter-out build/modules/nous,$$(call booted_files,$(2)))) >$$@
endef
$(foreach n,$(notdir $(PROCESSES)),$(eval $(call process_modules,$(n),$(n))))
$(eval $(call process_modules,all-c-programs,$(notdir $(PROCESSES))))

# What the tests run. A machine that can't get the sources is told so, and does the other tests.
c-tests: $(BOOTED)
	$(LIVE)@mkdir -p build/c
	$(LIVE)@if tools/setup c && tools/source newlib && tools/source lua5.4; then \
		rm -f build/c/missing; $(MAKE) build/c/modules/all-c-programs/entries; \
	else touch build/c/missing; fi
.PHONY: c-tests
