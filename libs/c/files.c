/* SPDX-License-Identifier: MIT */
/* Files: the terminal as 0, 1 and 2, and those that the starter has laid into memory, to be read.
 */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define FIRST    3 /* below are the terminal's */
#define OPEN_MAX 16

/* file: a number on the board, and 1; 0: not open. */
static struct {
	uint32_t file, at;
} opened[OPEN_MAX];

static int fail(int error)
{
	errno = error;
	return -1;
}

static _Bool is_terminal(int file)
{
	return file >= 0 && file < FIRST;
}

static const struct process_file *file_of(int file)
{
	if (file < FIRST || file >= FIRST + OPEN_MAX || !opened[file - FIRST].file)
		return NULL;
	return &board->file[opened[file - FIRST].file - 1];
}

static const struct process_file *file_named(const char *name)
{
	if (name[0] == '.' && name[1] == '/')
		name += 2;
	for (uint32_t i = 0; i < board->file_count; i++)
		if (!strcmp(board->file[i].name, name))
			return &board->file[i];
	return NULL;
}

int _open(const char *name, int flags, ...)
{
	const struct process_file *file = file_named(name);
	if (!file)
		return fail(flags & O_CREAT ? EROFS : ENOENT);
	if ((flags & O_ACCMODE) != O_RDONLY)
		return fail(EROFS);
	for (int i = 0; i < OPEN_MAX; i++)
		if (!opened[i].file) {
			opened[i].file = (uint32_t)(file - board->file) + 1;
			opened[i].at = 0;
			return FIRST + i;
		}
	return fail(EMFILE);
}

int _close(int file)
{
	if (file_of(file))
		opened[file - FIRST].file = 0;
	else if (!is_terminal(file))
		return fail(EBADF);
	return 0;
}

int _read(int file, void *to, size_t bytes)
{
	const struct process_file *from = file_of(file);
	if (is_terminal(file))
		return terminal_read(to, bytes);
	if (!from)
		return fail(EBADF);
	uint32_t *at = &opened[file - FIRST].at, left = *at < from->bytes ? from->bytes - *at : 0;
	if (bytes > left)
		bytes = left;
	memcpy(to, (const char *)(uintptr_t)from->address + *at, bytes);
	*at += bytes;
	return (int)bytes;
}

int _write(int file, const void *from, size_t bytes)
{
	if (!is_terminal(file))
		return fail(file_of(file) ? EROFS : EBADF);
	terminal_write(from, bytes);
	return (int)bytes;
}

off_t _lseek(int file, off_t offset, int from)
{
	const struct process_file *of = file_of(file);
	if (!of)
		return fail(is_terminal(file) ? ESPIPE : EBADF);
	uint32_t *at = &opened[file - FIRST].at;
	off_t begin = from == SEEK_SET ? 0 : from == SEEK_CUR ? (off_t)*at : (off_t)of->bytes;
	if (begin + offset < 0)
		return fail(EINVAL);
	*at = (uint32_t)(begin + offset);
	return begin + offset;
}

static void describe(const struct process_file *file, struct stat *status)
{
	memset(status, 0, sizeof(*status));
	status->st_mode = file ? S_IFREG | S_IRUSR : S_IFCHR | S_IRUSR | S_IWUSR;
	status->st_size = file ? (off_t)file->bytes : 0;
	status->st_blksize = 1024;
}

int _fstat(int file, struct stat *status)
{
	const struct process_file *of = file_of(file);
	if (!of && !is_terminal(file))
		return fail(EBADF);
	describe(of, status);
	return 0;
}

int _stat(const char *name, struct stat *status)
{
	const struct process_file *file = file_named(name);
	if (!file)
		return fail(ENOENT);
	describe(file, status);
	return 0;
}

int _isatty(int file)
{
	return is_terminal(file) || fail(ENOTTY) == 0;
}

int _link(const char *from, const char *to)
{
	(void)to;
	return fail(file_named(from) ? EROFS : ENOENT);
}

int _unlink(const char *name)
{
	return fail(file_named(name) ? EROFS : ENOENT);
}
