/* SPDX-License-Identifier: MIT */
/* See hostile_program.h. Whatever it does, it does with the public ABI and user instructions. */
#include "hostile.h"
#include "neighbour.h"
#include "service.h"
#include <stddef.h>

static uint32_t random_state;
uint32_t chance(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}
static uint32_t chance_word(void)
{
	uint32_t value = chance();
	switch (chance() % 4) {
	case 0:
		return value;
	case 1:
		return DATA_PAGE + value % 0x2000;
	default:
		return value % 20;
	}
}

/* Mostly slots that there are, with options; never the return that would be its end. */
static void invoke_by_chance(void)
{
	for (uint32_t i = 0; i < HOSTILE_INVOCATIONS; i++) {
		struct words words = {{chance() % 8 ? chance() % 10 : chance(), chance_word(),
				       chance_word(), chance_word()}};
		uint32_t target = chance() % 16 | (chance() % 4 ? 0 : chance() & 0x7F00);
		_Bool waits = target % 128 == SLOT_SELF && words.w[0] == self_wait_op;
		if (!waits)
			invoke(chance() % 16 ? target : chance() & ~RETURN, &words);
	}
}

OPERATION static uint64_t go_deeper(uint32_t badge, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)badge, (void)a, (void)b, (void)badge_high;
	return ANSWER(0, door_call(HOSTILE_SELF | OPTION_NESTED, 0, 0, 0, NULL));
}
SERVICE_OPERATIONS(go_deeper)

static void wipe(void)
{
	for (volatile uint32_t *at = &random_state;; at++)
		*at = ~0u;
}

static _Noreturn void case_go(const struct hostile_case *which)
{
	asm volatile("jmp *%0" : : "r"(which->code), "b"(which->argument));
	__builtin_unreachable();
}

int main(uint32_t argument)
{
	uint32_t number = argument >> 8;
	random_state = number * 2654435761u + 1;
	neighbour_begin();
	switch ((enum hostile_task)(argument & 0xFF)) {
	case HOSTILE_CASE:
		case_go(&hostile_cases[number % hostile_case_count]);
	case HOSTILE_CHANCE:
		invoke_by_chance();
		break;
	case HOSTILE_SPIN:
		for (;;)
			;
	case HOSTILE_DEEP:
		door_call(HOSTILE_SELF, 0, 0, 0, NULL);
		break;
	case HOSTILE_WIPE:
		wipe();
		break;
	default:
		neighbour_run(argument & 0xFF);
	}
	return 0;
}
