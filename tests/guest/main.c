/* SPDX-License-Identifier: MIT */
/* Runs every TEST, in order of the files' names. Command line `only=TEXT`: those whose name has it.
 */
#include "memory_world.h"
#include "test.h"

extern const struct test tests_begin[], tests_end[];
static _Bool failed;
static const char *skipped;
static uint32_t passed_count, failed_count;
_Bool time_is_exact;
uint64_t soon;

void test_note(const char *how, ...)
{
	char line[240];
	va_list list;
	va_start(list, how);
	format_list(line, sizeof(line), how, list);
	va_end(list);
	print("# %s\n", line);
}

void test_skip(const char *why)
{
	skipped = why;
}

static void time_measure(void)
{
	time_is_exact = 1;
	for (uint32_t i = 0; i < 20; i++) {
		uint32_t begun, some, ended, word = 0;
		asm volatile("rdtsc\n\tmov %%eax, %0\n\t.rept 64\n\txchg %%eax, %3\n\t.endr\n\t"
			     "rdtsc\n\tmov %%eax, %1\n\t.rept 320\n\txchg %%eax, %3\n\t.endr\n\t"
			     "rdtsc\n\tmov %%eax, %2"
			     : "=m"(begun), "=m"(some), "=m"(ended), "+m"(word)
			     :
			     : "eax", "edx");
		time_is_exact &= ended - some - (some - begun) == 320 - 64;
	}
}

_Bool try_longer(_Bool overtaken)
{
	if (!overtaken || time_is_exact || soon > 100ull * boot_record->cycles_per_ms)
		return 0;
	soon *= 2;
	return 1;
}

void test_check(_Bool ok, const char *file, uint32_t line, const char *what, uint64_t got,
		uint64_t wanted)
{
	if (ok || failed)
		return;
	failed = 1;
	print("# %s:%u: %s\n", file, line, what);
	print("#   got %llu, wanted %llu\n", got, wanted);
}

void peer_make(struct domain *domain, const char *name)
{
	domain_make(domain, name, 0);
	domain_share_image(domain);
	domain_entries(domain, (uint32_t)peer_entry, (uint32_t)fault_entry);
	world_watch(domain->object.slot);
}

uint32_t peer_door(struct domain *domain, peer_function *function)
{
	return domain_door(domain, (uint32_t)function);
}

static void client_begin(struct client *client, client_function *function, uint32_t argument)
{
	extern void thread_begin(void);
	uint32_t *top = (uint32_t *)(client->stack + CLIENT_STACK_BYTES) - 4;
	top[0] = argument;
	thread_go(&client->thread, (uint32_t)thread_begin, (uint32_t)top, (uint32_t)function);
}

void client_make(struct client *client, struct domain *home, client_function *function,
		 uint32_t argument)
{
	thread_make(&client->thread, "client", home);
	world_watch(client->thread.object.slot);
	client_begin(client, function, argument);
}

void client_restart(struct client *client, client_function *function, uint32_t argument)
{
	MUST(kernel_thread_stop(slot(client->thread.object.slot)));
	client_begin(client, function, argument);
}

void client_end(struct client *client)
{
	thread_end(&client->thread);
}

struct dispatch_result client_dispatch(struct client *client, uint32_t mask,
				       uint64_t cycles_from_now, uint32_t options)
{
	struct dispatch_result result = {0};
	uint64_t deadline = cycles_from_now ? cycles() + cycles_from_now : DEADLINE_NEVER;
	uint32_t error =
		kernel_dispatch(slot(client->thread.object.slot), mask, deadline, options, &result);
	CHECK_EQUAL(error, 0);
	return result;
}

struct dispatch_result client_step(struct client *client)
{
	return client_dispatch(client, 0, 0, DISPATCH_STEP);
}

void client_run(struct client *client)
{
	struct dispatch_result result = client_dispatch(client, 0, 0, 0);
	if (result.reason == DISPATCH_FAULTED)
		fault_report(&client->thread);
	CHECK_EQUAL(result.reason, DISPATCH_ENDED);
}

_Bool sweeps_all(void)
{
	return line_behind("sweep=all");
}

/* Each of these words is the last of the line, if it is there. */
static _Bool is_wanted(const char *name)
{
	const char *only = line_behind("only="), *without = line_behind("without=");
	const char *looked_for = only ? only : without;
	if (!looked_for)
		return 1;
	for (size_t length = strlen(looked_for); *name; name++)
		if (!memcmp(name, looked_for, length < strlen(name) ? length : strlen(name) + 1))
			return !!only;
	return !only;
}

int main(void)
{
	root_begin();
	time_measure();
	memory_row_take();
	print("TAP version 14\n# the counter counts %s\n",
	      time_is_exact ? "instructions" : "something else than instructions");
	for (const struct test *test = tests_begin; test < tests_end; test++) {
		if (!is_wanted(test->name))
			continue;
		uint32_t frames = frames_free(), slots = slots_free();
		failed = 0;
		skipped = NULL;
		soon = SOON_AT_FIRST;
		world_forget();
		test->run();
		CHECK_EQUAL(frames_free(), frames);
		CHECK_EQUAL(slots_free(), slots);
		passed_count += !failed;
		failed_count += failed;
		print("%sok %u - %s%s%s\n", failed ? "not " : "", passed_count + failed_count,
		      test->name, skipped ? " # SKIP " : "", skipped ? skipped : "");
	}
	print("1..%u\n", passed_count + failed_count);
	print("# %u passed, %u failed\n", passed_count, failed_count);
	machine_end(!failed_count && passed_count);
}
