/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include "machine/tap.h"

uint64_t random_state = 1;
static struct test *first, **end = &first;
static jmp_buf ended;

void test_register(struct test *test)
{
	*end = test;
	end = &test->next;
}

void test_note(const char *how, ...)
{
	va_list list;
	va_start(list, how);
	printf("# ");
	vprintf(how, list);
	printf("\n");
	va_end(list);
}

void test_check(bool good, const char *file, int line, const char *what)
{
	if (good)
		return;
	test_note("%s:%d: %s", file, line, what);
	longjmp(ended, 1);
}

void test_equal(uint64_t got, uint64_t wanted, const char *file, int line, const char *what)
{
	if (got != wanted)
		test_note("got %#" PRIx64 ", wanted %#" PRIx64, got, wanted);
	test_check(got == wanted, file, line, what);
}

int main(void)
{
	unsigned count = 0;
	static unsigned number, failed;
	static struct test *test;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (test = first; test; test = test->next)
		count++;
	printf("1..%u\n", count);
	for (test = first; test; test = test->next) {
		number++;
		random_state = 0x9E3779B97F4A7C15;
		if (!setjmp(ended)) {
			test->run();
			printf("ok %u - %s\n", number, test->name);
		} else {
			failed++;
			printf("not ok %u - %s\n", number, test->name);
		}
	}
	return failed != 0;
}
