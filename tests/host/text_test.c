// sources: tests/host/machine/tap.c
/* SPDX-License-Identifier: MIT */
/* libs/runtime/text.c, with other names for what the host's library has, too. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine/tap.h"

/* In place of the services' stubs: what print() has printed. */
#define NOUS_SERIAL_H
#define NOUS_TELETYPE_H
static char printed[512];
static uint32_t printed_bytes, printed_to;
typedef struct {
	uint32_t encoded;
} slot_t;
static void serial_write(slot_t door, uint32_t bytes, const char *text)
{
	printed_to |= door.encoded;
	for (printed_bytes = 0; printed_bytes < bytes; printed_bytes++)
		printed[printed_bytes] = text[printed_bytes];
}
struct teletype {
	slot_t door;
	_Bool is_shared;
};
static slot_t slot(uint32_t number)
{
	return (slot_t){number};
}
static uint32_t teletypes_begun;
static void teletype_begin(struct teletype *teletype, slot_t door)
{
	*teletype = (struct teletype){.door = door};
	teletypes_begun++;
}
static void teletype_write(struct teletype *teletype, const char *text, size_t bytes)
{
	if (teletype->is_shared)
		serial_write(teletype->door, bytes, text);
}

#define memcpy  our_memcpy
#define memmove our_memmove
#define memset  our_memset
#define memcmp  our_memcmp
#define strlen  our_strlen
#define strcmp  our_strcmp
#include "text.c" /* NOLINT(bugprone-suspicious-include) */
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strcmp
#include <string.h>

static char ours[128], theirs[128];

/* The same arguments for both, and the same room. */
#define SAME(...)                                                        \
	do {                                                             \
		size_t length = format(ours, sizeof(ours), __VA_ARGS__); \
		snprintf(theirs, sizeof(theirs), __VA_ARGS__);           \
		CHECK(!strcmp(ours, theirs));                            \
		CHECK_EQUAL(length, strlen(theirs));                     \
	} while (0)

TEST(numbers_as_everywhere)
{
	static const int values[] = {0, 1, -1, 9, 10, -10, 123456, INT_MAX, INT_MIN, INT_MIN + 1};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		SAME("%d|%5d|%-5d|%05d|%12d|%-12d|%012d", values[i], values[i], values[i],
		     values[i], values[i], values[i], values[i]);
		SAME("%u %x %08x %ld %lu %lx", values[i], values[i], values[i], (long)values[i],
		     (unsigned long)values[i], (unsigned long)values[i]);
		SAME("%3x|%-3x|%1d|%01d", values[i], values[i], values[i], values[i]);
	}
}

TEST(long_numbers)
{
	static const unsigned long long values[] = {0,           1,          10,   0xFFFFFFFF,
						    0x100000000, 1ull << 63, ~0ull};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		SAME("%llu|%llx|%24llu|%-24llu|%024llx", values[i], values[i], values[i], values[i],
		     values[i]);
		SAME("%lld|%24lld|%024lld", (long long)values[i], (long long)values[i],
		     (long long)values[i]);
	}
}

TEST(text_and_characters)
{
	SAME("%s|%5s|%-5s|%2s|%c%c|%%|%zu", "abc", "abc", "abc", "abc", 'x', 'y', sizeof(int));
	SAME("%s%d%s", "", 7, "");
	SAME("%.2s|%.0s|%.3s|%.9s|%5.2s|%-5.2s|", "abc", "abc", "abc", "abc", "abc", "abc");
	SAME("nothing");
	SAME("%s", "");
}

TEST(what_does_not_fit_is_cut)
{
	for (size_t room = 0; room < 24; room++) {
		char *to = malloc(room + 1);
		to[room] = 'x';
		size_t length = format(to, room, "%5d and %s", 42, "something");
		snprintf(theirs, room, "%5d and %s", 42, "something");
		if (room)
			CHECK(!strcmp(to, theirs) && length == strlen(theirs));
		CHECK(to[room] == 'x');
		free(to);
	}
	CHECK_EQUAL(format(NULL, 0, "%s", "something"), 0);
}

TEST(a_percent_sign_at_the_end_ends_it)
{
	char *how = malloc(3);
	strcpy(how, "a%");
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	CHECK(format(ours, sizeof(ours), how) < sizeof(ours));
	free(how);
}

TEST(printing_goes_to_the_services_that_there_are)
{
	print("nowhere");
	CHECK(!printed_bytes);
	screen_slot = 4;
	print("%s-%d\n", "abc", 5);
	CHECK(printed_bytes == 6 && !memcmp(printed, "abc-5\n", 6));
	console_slot = 8;
	print("%300d", 5);
	CHECK_EQUAL(printed_bytes, 255);
	CHECK_EQUAL(printed_to, 12);
	CHECK_EQUAL(teletypes_begun, 1);
}

TEST(memory)
{
	char a[32], b[32];
	for (size_t from = 0; from < 8; from++)
		for (size_t to = 0; to < 8; to++)
			for (size_t bytes = 0; bytes < 16; bytes++) {
				for (size_t i = 0; i < 32; i++)
					a[i] = b[i] = i;
				our_memmove(a + to, a + from, bytes);
				memmove(b + to, b + from, bytes);
				CHECK(!memcmp(a, b, 32));
				our_memset(a + to, 0x80 + bytes, bytes);
				memset(b + to, 0x80 + bytes, bytes);
				CHECK(!memcmp(a, b, 32));
			}
	CHECK(our_memcmp("a\x80", "a\x7F", 2) > 0 && our_memcmp("ab", "ac", 2) < 0);
	CHECK(our_memcmp("ab", "ac", 1) == 0 && our_strlen("") == 0 && our_strlen("abc") == 3);
	CHECK(our_strcmp("a", "b") < 0 && our_strcmp("a\x80", "a") > 0 && !our_strcmp("ab", "ab"));
	CHECK(our_strcmp("\x80", "\x7F") > 0);
}
