/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong in programs: memory runs out, the stack does, they do not end, they fault.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Twice, so that the first time is seen to have come back. */
static int memory(void)
{
	enum { BLOCK = 50000, BLOCKS_MAX = 2000 };
	static char *blocks[BLOCKS_MAX];
	int counts[2];
	for (int round = 0; round < 2; round++) {
		int count = 0;
		errno = 0;
		while (count < BLOCKS_MAX - 1 && (blocks[count] = malloc(BLOCK)))
			memset(blocks[count++], round + 1, BLOCK);
		if (errno != ENOMEM || (blocks[count] = malloc(10 * BLOCK)))
			return 1;
		for (int i = 0; i < count; i++)
			if (blocks[i][0] != round + 1 || blocks[i][BLOCK - 1] != round + 1)
				return 2;
		for (int i = 0; i < count; i++)
			free(blocks[i]);
		counts[round] = count;
	}
	void *end = sbrk(0);
	int refused = sbrk(0x7FFFFFFF) == (void *)-1 && sbrk(-0x70000000) == (void *)-1;
	printf("memory: %s MB and more, then none; freed, it is there again: %s; sbrk: %s\n",
	       counts[0] * (long)BLOCK >= 1000000 ? "1" : "NOT 1",
	       counts[0] == counts[1] ? "yes" : "NO",
	       refused && sbrk(0) == end ? "refused" : "NOT REFUSED");
	return counts[0] != counts[1] || !refused;
}

/* Takes and gives memory, and writes, for ever. */
static void spin(unsigned value)
{
	static char *blocks[64];
	for (unsigned i = 0;; i++) {
		value = value * 1664525 + 1013904223;
		unsigned which = value >> 26, bytes = (value >> 8) % 40000;
		free(blocks[which]);
		blocks[which] = malloc(bytes);
		if (blocks[which])
			memset(blocks[which], 1, bytes);
		if (i % 100 == 0)
			printf(".");
	}
}

static volatile unsigned depth;
static unsigned recurse(unsigned value)
{
	volatile char frame[1000];
	memset((char *)frame, (int)value, sizeof(frame));
	if (++depth == 0)
		return 0;
	return recurse(value + frame[value % 1000]) + frame[1];
}

/* Reading works, also from its middle; writing does not; and nobody types. */
static int files(void)
{
	char line[80] = "";
	struct stat status;
	FILE *file = fopen("./demo.lua", "r");
	if (!file)
		return 1;
	int is_right = stat("nothing.here", &status) && errno == ENOENT &&
		       !fseek(file, -1, SEEK_END) && fgetc(file) == '\n' && fgetc(file) == EOF;
	rewind(file);
	printf("files: %s", fgets(line, sizeof(line), file));
	fclose(file);
	file = fopen("new", "w");
	printf("files: %s\n", !file && errno == EROFS ? "none can be written" : "WRITTEN");
	if (file)
		fclose(file);
	return !is_right || getchar() != EOF;
}

static int *volatile nowhere;

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	if (!strcmp(what, "memory"))
		return memory();
	if (!strcmp(what, "spin"))
		spin(argc > 2 ? (unsigned)atoi(argv[2]) : 0);
	if (!strcmp(what, "stack"))
		return (int)recurse(1);
	if (!strcmp(what, "fault"))
		*nowhere = 1;
	if (!strcmp(what, "abort"))
		abort();
	if (!strcmp(what, "exit"))
		exit(argc > 2 ? atoi(argv[2]) : 0);
	if (!strcmp(what, "files"))
		return files();
	return 1;
}
