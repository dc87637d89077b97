# SPDX-License-Identifier: MIT
# Lua's interpreter, unchanged: all files of its library, and lua.c.
SOURCE    := lua5.4
SOURCES   := $(addprefix src/,lapi.c lauxlib.c lbaselib.c lcode.c lcorolib.c lctype.c ldblib.c \
               ldebug.c ldo.c ldump.c lfunc.c lgc.c linit.c liolib.c llex.c lmathlib.c lmem.c \
               loadlib.c lobject.c lopcodes.c loslib.c lparser.c lstate.c lstring.c lstrlib.c \
               ltable.c ltablib.c ltm.c lua.c lundump.c lutf8lib.c lvm.c lzio.c)
ARGUMENTS := lua uncaught.lua then lua -i demo.lua
