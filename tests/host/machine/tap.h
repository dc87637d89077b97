/* SPDX-License-Identifier: MIT */
/* Tests that register themselves, run in the order of the file and print TAP. */
#ifndef NOUS_HOST_TAP_H
#define NOUS_HOST_TAP_H

#include <stdbool.h>
#include <stdint.h>

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
};
void test_register(struct test *test);
#define TEST(name)                                                     \
	static void name(void);                                        \
	static struct test name##_entry = {#name, name, 0};            \
	__attribute__((constructor)) static void name##_register(void) \
	{                                                              \
		test_register(&name##_entry);                          \
	}                                                              \
	static void name(void)

/* The first failure of a test is shown, and ends it. */
void test_check(bool good, const char *file, int line, const char *what);
void test_equal(uint64_t got, uint64_t wanted, const char *file, int line, const char *what);
#define CHECK(condition) test_check(!!(condition), __FILE__, __LINE__, #condition)
#define CHECK_EQUAL(got, wanted) \
	test_equal((uint64_t)(got), (uint64_t)(wanted), __FILE__, __LINE__, #got " == " #wanted)
void test_note(const char *how, ...) __attribute__((format(printf, 1, 2)));

/* Numbers that are the same in every run (xorshift; G. Marsaglia, "Xorshift RNGs", 2003). */
extern uint64_t random_state;
static inline uint32_t random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state >> 16;
}
static inline uint32_t random_below(uint32_t end)
{
	return random_number() % end;
}

#endif
