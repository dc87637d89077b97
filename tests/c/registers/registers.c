/* SPDX-License-Identifier: MIT */
/*
 * The system calls as the C library calls them: each keeps EBX, ESI, EDI, EBP and ESP, as the
 * ordinary convention wants it and Nous' own programs do not, and the FPU.
 */
#include <fcntl.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

typedef int function(int a, int b, int c);
int call_kept(function *called, int a, int b, int c, uint32_t kept[4]);

int _write(int file, const void *from, size_t bytes), _read(int file, void *to, size_t bytes);
int _open(const char *name, int flags, ...), _close(int file), _isatty(int file);
off_t _lseek(int file, off_t offset, int from);
int _fstat(int file, struct stat *status), _stat(const char *name, struct stat *status);
void *_sbrk(ptrdiff_t bytes);
clock_t _times(struct tms *times);
int _gettimeofday(struct timeval *now, void *zone), _getpid(void), _kill(int process, int signal);
int _link(const char *from, const char *to), _unlink(const char *name);

static unsigned wrong, calls;

static int check(const char *name, function *called, int a, int b, int c)
{
	uint32_t kept[4];
	uint16_t before = 0, after = 0;
	volatile double x = 2;
	asm volatile("fnstcw %0" : "=m"(before));
	double root = sqrt(x);
	int result = call_kept(called, a, b, c, kept);
	asm volatile("fnstcw %0" : "=m"(after));
	calls++;
	if (kept[0] == 0xB1B2B3B4 && kept[1] == 0x51525354 && kept[2] == 0xD1D2D3D4 && !kept[3] &&
	    before == after && root == sqrt(x))
		return result;
	wrong++;
	printf("%s: EBX %lx, ESI %lx, EDI %lx, ESP or EBP by %lx, FPU %x %x\n", name,
	       (unsigned long)kept[0], (unsigned long)kept[1], (unsigned long)kept[2],
	       (unsigned long)kept[3], before, after);
	return result;
}
#define CHECK(called, a, b, c) \
	check(#called, (function *)(uintptr_t)(called), (int)(a), (int)(b), (int)(c))

int main(void)
{
	static char text[4] = "-\b \b";
	static struct stat status;
	static struct timeval now;
	static struct tms times;
	CHECK(_write, 1, text, 4);
	CHECK(_sbrk, 100000, 0, 0);
	CHECK(_sbrk, -100000, 0, 0);
	CHECK(_sbrk, 0x7FFFFFFF, 0, 0);
	int file = CHECK(_open, "demo.lua", O_RDONLY, 0);
	CHECK(_read, file, text, 4);
	CHECK(_lseek, file, 10, SEEK_SET);
	CHECK(_fstat, file, &status, 0);
	CHECK(_close, file, 0, 0);
	CHECK(_close, file, 0, 0);
	CHECK(_stat, "demo.lua", &status, 0);
	CHECK(_isatty, 0, 0, 0);
	CHECK(_read, 0, text, 4); /* nobody types: its end */
	CHECK(clock, 0, 0, 0);
	CHECK(_times, &times, 0, 0);
	CHECK(_gettimeofday, &now, 0, 0);
	CHECK(_getpid, 0, 0, 0);
	CHECK(_kill, 2, 0, 0);
	CHECK(_link, "demo.lua", "b", 0);
	CHECK(_unlink, "demo.lua", 0, 0);
	printf("registers: %u calls, %u of them wrong\n", calls, wrong);
	return wrong != 0;
}
