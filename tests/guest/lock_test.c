/* SPDX-License-Identifier: MIT */
/* libs/lock where nobody disturbs it. */
#include "lock.h"
#include "test.h"

extern const uint8_t section_start[], section_end[];

static volatile uint32_t words[SECTION_PAIRS];
struct addition {
	uint32_t amount, pairs, tries;
};

SECTION void add_prepare(void)
{
	struct addition *addition = section_context();
	addition->tries++;
	for (uint32_t i = 0; i < addition->pairs; i++)
		section_log(i, &words[i], words[i] + addition->amount + i);
	return section_commit(addition->pairs);
}

SECTION void add_word_prepare(void)
{
	const struct addition *addition = section_context();
	return section_commit_word(&words[0], words[0] + addition->amount);
}

static void adds(uint32_t pairs)
{
	struct addition addition = {.amount = 100, .pairs = pairs};
	section_run(add_prepare, &addition);
	CHECK_EQUAL(addition.tries, 1);
	section_run(add_word_prepare, &addition);
}

TEST(lock_section_changes_what_it_logged_and_nothing_else)
{
	struct domain keeper;
	static struct client client;
	peer_make(&keeper, "keeper");
	domain_section(&keeper, (uint32_t)section_start, (uint32_t)section_end);
	client_make(&client, &keeper, adds, 0);
	for (uint32_t pairs = 0; pairs <= SECTION_PAIRS; pairs++) {
		memset((void *)words, 0, sizeof(words));
		client_restart(&client, adds, pairs);
		client_run(&client);
		for (uint32_t i = 0; i < SECTION_PAIRS; i++)
			CHECK_EQUAL(words[i], (i < pairs ? 100 + i : 0) + (i ? 0 : 100));
		CHECK_EQUAL(domain_lock(&keeper)->count, 0);
	}
	client_end(&client);
	domain_end(&keeper);
}
