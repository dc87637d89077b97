# SPDX-License-Identifier: MIT
#
# build/c/libc.a: the C library newlib, from Debian's source package, as libs/c/newlib/ sets it up.
# c.mk calls this once the source is there, with CC, AR and C_FLAGS: only then the wildcards find
# it. (Its own configure and Makefiles take minutes for what is said in these lines.)

SOURCE  := build/debian/newlib/newlib
TO      := build/c/newlib
MACHINE := libc/machine/i386
FOLDERS := $(addprefix libc/,ctype errno locale misc reent search signal stdio stdlib string \
                             syscalls time) libm/common libm/math
found    = $(patsubst $(SOURCE)/%,%,$(wildcard $(1:%=$(SOURCE)/%)))

# Left out: a small second printf, what others include or compile below, what is in assembler.
ASSEMBLER := $(call found,$(MACHINE)/*.S)
C_FILES   := $(filter-out libc/stdio/nano-% libc/stdlib/nano-% libc/stdlib/mallocr.c \
                          $(ASSEMBLER:$(MACHINE)/%.S=libc/string/%.c),\
               $(call found,$(FOLDERS:%=%/*.c) libm/machine/i386/fe*.c))
OBJECTS   := $(C_FILES:%=$(TO)/%.o) $(ASSEMBLER:%=$(TO)/%.o)

FLAGS     := $(C_FLAGS) -w -I$(SOURCE)/libm/common -I$(SOURCE)/$(MACHINE)
SETTINGS  := libs/c/newlib.mk build/c-flags $(wildcard libs/c/newlib/*)
COMPILE    = $(CC) -pipe -I$(<D) $(FLAGS)
$(shell mkdir -p $(sort $(dir $(OBJECTS))))

build/c/libc.a:

# Where one source makes several objects: name, source, flags.
define variant
OBJECTS += $(TO)/$(1).o
$(TO)/$(1).o: $(SOURCE)/$(2) $(SETTINGS)
	@$$(COMPILE) -fno-builtin $(3) -c -o $$@ $$<
endef
$(foreach f,printf scanf wprintf wscanf,\
  $(eval $(call variant,libc/stdio/vfi$(f),libc/stdio/vf$(f).c,-DINTEGER_ONLY))\
  $(eval $(call variant,libc/stdio/svf$(f),libc/stdio/vf$(f).c,-DSTRING_ONLY))\
  $(eval $(call variant,libc/stdio/svfi$(f),libc/stdio/vf$(f).c,-DSTRING_ONLY -DINTEGER_ONLY)))
$(foreach f,MALLOC FREE REALLOC CALLOC CFREE MEMALIGN VALLOC PVALLOC MALLINFO MALLOC_STATS \
            MALLOC_USABLE_SIZE MALLOPT,\
  $(eval $(call variant,libc/stdlib/mallocr-$(f),libc/stdlib/mallocr.c,\
                        -DINTERNAL_NEWLIB -DDEFINE_$(f))))

$(TO)/libc/%.o: $(SOURCE)/libc/% $(SETTINGS)
	@$(COMPILE) -fno-builtin -c -o $@ $<

$(TO)/libm/%.o: $(SOURCE)/libm/% $(SETTINGS)
	@$(COMPILE) -fno-math-errno -c -o $@ $<

# (`q`: two members may have the same name.)
build/c/libc.a: $(OBJECTS)
	@rm -f $@
	@$(AR) qcs $@ $^
