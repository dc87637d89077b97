/* SPDX-License-Identifier: MIT */
/*
 * The C library, in the machine and, compiled for the host with its own library, there: both must
 * print library.expected (tests/e2e/c_test.py).
 */
#include <ctype.h>
#include <errno.h>
#include <fenv.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void formats(void)
{
	char text[40];
	volatile double one = 1;
	printf("[%5d] [%-5d] [%05d] [%+d] [%x] [%#o] [%c] [%.3s] [%%]\n", 42, 42, 42, 42, 0xBEEFu,
	       8u, 'x', "abcdef");
	printf("[%lld] [%llu] [%" PRIx64 "] [%hhd] [%zu] [%*d]\n", LLONG_MIN, ULLONG_MAX,
	       UINT64_C(0x123456789ABCDEF), (signed char)200, sizeof(text), 6, -7);
	printf("[%f] [%.0f] [%.10f] [%e] [%.3E] [%g] [%G] [%10.2f] [%-10.2f]\n", 3.25, 2.5, one / 3,
	       12345.678, 6.02214076e23, 1e-5, 1e20, -0.005, 9.995);
	printf("[%.17g] [%.17g] [%.17g] [%g] [%g] [%f]\n", 0.1, 1e23, 5e-324, INFINITY, -INFINITY,
	       -0.0);
	printf("[%.30f] [%.15g]\n", ldexp(one, -30), 1.7976931348623157e308);
	volatile size_t room = 8;
	int length = snprintf(text, room, "%s-%d", "abcdef", 123);
	printf("%d of [%s]\n", length, text);
}

static void numbers(void)
{
	static const char *const texts[] = {"0.1",
					    "1e23",
					    "9007199254740993",
					    "2.2250738585072011e-308",
					    "5e-324",
					    "1e400",
					    "-1e-400",
					    "0x1.8p3",
					    "  +12.5xyz",
					    "inf",
					    ".5e+1_",
					    "1.00000000000000011102230246251565404",
					    "123456789012345678901234567890"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *end;
		errno = 0;
		double value = strtod(texts[i], &end);
		printf("strtod %s: %.17g, rest [%s]%s\n", texts[i], value, end,
		       errno == ERANGE && (value == 0 || isinf(value)) ? ", out of range" : "");
	}
	errno = 0;
	long top = strtol("99999999999", NULL, 10);
	printf("strtol %ld%s, %ld, %ld, %llu, %d\n", top, errno == ERANGE ? " out of range" : "",
	       strtol("-0x7f", NULL, 0), strtol("z", NULL, 36),
	       strtoull("18446744073709551615", NULL, 10), atoi(" 17 "));
	int a, b;
	float c;
	char word[8];
	int got = sscanf("12 0x1F 2.5 hello", "%d %i %f %7s", &a, &b, &c, word);
	printf("sscanf %d: %d %d %g %s\n", got, a, b, c, word);
}

static void mathematics(void)
{
	volatile double x = 0.7; /* or the compiler would have it all done */
	printf("sin %.14g cos %.14g tan %.14g asin %.14g acos %.14g atan2 %.14g\n", sin(x), cos(x),
	       tan(x), asin(x), acos(x), atan2(-1, -x));
	printf("exp %.14g log %.14g log2 %.14g log10 %.14g pow %.14g sqrt %.17g cbrt %.14g\n",
	       exp(x), log(x), log2(x), log10(x), pow(x, 12.5), sqrt(x), cbrt(x));
	printf("sinh %.14g cosh %.14g tanh %.14g erf %.14g tgamma %.12g lgamma %.12g\n", sinh(x),
	       cosh(x), tanh(x), erf(x), tgamma(5.5), lgamma(100.5));
	int exponent;
	double whole, part = frexp(-1234.5, &exponent), fraction = modf(-7.25, &whole);
	printf("frexp %g %d modf %g %g fmod %g floor %g ceil %g round %g trunc %g rint %g\n", part,
	       exponent, whole, fraction, fmod(-7.5, 2), floor(-1.5), ceil(-1.5), round(-2.5),
	       trunc(-1.5), rint(2.5));
	printf("sin of a large number %.12g, hypot %.14g, nan %d, inf %d\n", sin(1e22 * x / x),
	       hypot(3e200 * x / x, 4e200), isnan(fmod(HUGE_VAL, x)), isinf(exp(1000)));
	volatile double tenth = 0.1, sum = 0;
	for (int i = 0; i < 10; i++)
		sum += tenth;
	printf("a double is one: %d %.17g\n", sum != 1, (double)sum);
	printf("to integers: %d %d %lld %u\n", (int)-2.9, (int)2.9, (long long)-1e15,
	       (unsigned)4e9);
}

static void rounding(void)
{
	volatile double one = 1, three = 3, zero = 0;
	double near = one / three;
	fesetround(FE_UPWARD);
	double above = one / three;
	feclearexcept(FE_ALL_EXCEPT);
	volatile double infinite = one / zero;
	int raised = fetestexcept(FE_DIVBYZERO | FE_OVERFLOW) == FE_DIVBYZERO && isinf(infinite);
	fesetenv(FE_DFL_ENV);
	printf("rounding: %.17g %.17g, division by zero is told %d, as at first %d %d\n", near,
	       above, raised, fegetround() == FE_TONEAREST, one / three == near);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}
static int compare_numbers(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return (x > y) - (x < y);
}

static void sorting(void)
{
	const char *words[] = {"pear", "apple", "fig", "banana", "cherry", "date", "apple"};
	const char *key = "fig";
	qsort(words, 7, sizeof(words[0]), compare);
	for (int i = 0; i < 7; i++)
		printf("%s%s", i ? " " : "sorted: ", words[i]);
	printf(", fig is number %d\n",
	       (int)((const char **)bsearch(&key, words, 7, sizeof(words[0]), compare) - words));
	static int numbers[5000];
	unsigned value = 1, wrong = 0;
	for (int i = 0; i < 5000; i++) {
		value = value * 1103515245 + 12345;
		numbers[i] = (int)(value >> 8) - 8000000;
	}
	qsort(numbers, 5000, sizeof(int), compare_numbers);
	for (int i = 1; i < 5000; i++)
		wrong += numbers[i - 1] > numbers[i];
	printf("5000 numbers, %u in the wrong order, from %d to %d\n", wrong, numbers[0],
	       numbers[4999]);
}

static void strings(void)
{
	char text[64] = "one,two;;three", *at = text, *part;
	printf("tokens:");
	for (; (part = strtok(at, ",;")); at = NULL)
		printf(" %s", part);
	memmove(text + 2, strcpy(text, "overlapping"), 12);
	printf("; %s %d %s %d %d\n", text, (int)strcspn("hello, world", ","), strrchr("a/b/c", '/'),
	       strncmp(text, "ovzz", 2), strstr("needle in hay", "in") != NULL);
	printf("%d %d %c %c\n", !!isalpha('q'), !!isdigit('x'), toupper('a'), tolower('Z'));
}

/* Blocks of all sizes, each filled with its own number, resized, and looked at again. */
static void memory(void)
{
	enum { BLOCKS = 300 };
	static unsigned char *block[BLOCKS];
	static size_t bytes[BLOCKS];
	unsigned wrong = 0, value = 7;
	for (int round = 0; round < 20; round++)
		for (int i = round % 3; i < BLOCKS; i += 3) {
			for (size_t b = 0; b < bytes[i]; b++)
				wrong += block[i][b] != (unsigned char)i;
			value = value * 1664525 + 1013904223;
			bytes[i] = (value >> 16) % 2000;
			block[i] = realloc(block[i], bytes[i] + 1);
			wrong += !block[i] || (uintptr_t)block[i] % 8;
			if (block[i])
				memset(block[i], i, bytes[i]);
		}
	for (int i = 0; i < BLOCKS; i++)
		free(block[i]);
	int *zeros = calloc(1000, sizeof(int));
	for (int i = 0; i < 1000; i++)
		wrong += zeros[i] != 0;
	free(zeros);
	printf("memory: %u wrong\n", wrong);
}

static jmp_buf place;
static double thrown;

static volatile int depth = 5;

__attribute__((noinline)) static void throw(double value)
{
	if (depth-- > 0) {
		throw(value * 2);
		thrown = -1; /* never: it is jumped over */
	}
	if (depth < 0) {
		thrown = value;
		longjmp(place, 42);
	}
}

static void jumps(void)
{
	volatile int kept = 1;
	int code = setjmp(place);
	if (!code) {
		kept = 2;
		throw(1.5);
	}
	printf("longjmp: %d, kept %d, thrown %g\n", code, kept, thrown);
}

static volatile sig_atomic_t handled;
static void handle(int number)
{
	handled = number;
}

static void last(void)
{
	printf("the first that was registered runs last\n");
}
static void last_but_one(void)
{
	printf("atexit: the last one first\n");
}

int main(void)
{
	formats();
	numbers();
	mathematics();
	rounding();
	sorting();
	strings();
	memory();
	jumps();
	signal(SIGUSR1, handle);
	raise(SIGUSR1);
	printf("a signal of its own was handled: %d\n", handled == SIGUSR1);
	struct tm date = {.tm_year = 124, .tm_mon = 1, .tm_mday = 30, .tm_hour = 12};
	char text[40];
	time_t moment = mktime(&date);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %a", gmtime(&moment));
	printf("30 February 2024 is %s\n", text);
	atexit(last);
	atexit(last_but_one);
	return 0;
}
