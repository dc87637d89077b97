/* SPDX-License-Identifier: MIT */
/*
 * The system calls that newlib wants, by the names that it gives them. They, and what they use of
 * other libraries, are compiled as ordinary C is: so every function saves what its caller expects
 * it to save, and the stubs of kernel.h, whose `asm` names all registers that a system call
 * changes, save EBX, ESI, EDI and EBP where they are inlined.
 *
 * Everything else of these files has hidden visibility, and is made local when they are linked to
 * one object (c.mk): so no name of theirs can be taken for a program's own.
 */
#ifndef NOUS_CALLS_H
#define NOUS_CALLS_H

#include "process.h"

#include "text.h"

#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>

static const struct process_board *const board = (const struct process_board *)PROCESS_BOARD;

/* The terminal: serial line, screen, keyboard, whichever are there. terminal_read waits for a
 * line; 0: nobody will type. */
void terminal_write(const char *text, size_t bytes);
int terminal_read(char *text, size_t bytes);

#pragma GCC visibility push(default)
#include <time.h> /* clock */
_Noreturn void _exit(int status);
int _getpid(void), _kill(int process, int signal);
int _gettimeofday(struct timeval *now, void *zone);
clock_t _times(struct tms *times);
void *_sbrk(ptrdiff_t bytes);
int _open(const char *name, int flags, ...), _close(int file);
int _read(int file, void *to, size_t bytes), _write(int file, const void *from, size_t bytes);
off_t _lseek(int file, off_t offset, int from);
int _fstat(int file, struct stat *status), _stat(const char *name, struct stat *status);
extern const uint32_t __fe_dfl_env[8], *const _fe_dfl_env;
int _isatty(int file), _link(const char *from, const char *to), _unlink(const char *name);
#pragma GCC visibility pop

#endif
