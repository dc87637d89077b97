/* SPDX-License-Identifier: MIT */
/* Refused operations: the exact error, the registers as they were, and nothing else is different.
 */
#include "test.h"

#define WATCHED_MAX    16u
#define LIST_WATCHED   384u /* slots of each watched list: the control page and a bank */
#define FRAMES_WATCHED 512u /* from the first that tests can take */

static uint32_t watched[WATCHED_MAX], watched_count;
static struct attempt {
	uint32_t target, status;
	struct words words;
} there;

void world_watch(uint32_t slot_number)
{
	if (watched_count < WATCHED_MAX)
		watched[watched_count++] = slot_number;
}

void world_forget(void)
{
	watched_count = 0;
}

static uint32_t mix(uint32_t hash, uint32_t error, const struct words *words, uint32_t count)
{
	hash = (hash ^ error) * 16777619u;
	for (uint32_t i = 0; i < count && !error; i++)
		hash = (hash ^ words->w[i]) * 16777619u + 1;
	return hash;
}

static uint32_t list_hash(uint32_t hash, uint32_t domain)
{
	for (uint32_t i = 0; i < LIST_WATCHED; i++) {
		struct words answer;
		uint32_t error = kernel_domain_read(slot(domain), slot(i), &answer);
		hash = mix(hash, error, &answer, 3);
		if (error == ERROR_STALE)
			break;
	}
	return hash;
}

static uint32_t thread_hash(uint32_t hash, uint32_t thread)
{
	struct words answer;
	uint32_t error = kernel_thread_read(slot(thread), THREAD_FIELD_STATE, &answer);
	return mix(hash, error, &answer, 4);
}

static uint32_t watched_hash(uint32_t hash, uint32_t number)
{
	struct words answer;
	MUST(kernel_domain_read(slot(ROOT_DOMAIN), slot(number), &answer));
	if (answer.w[0] >> 4 == CAPABILITY_DOMAIN)
		return list_hash(hash, number);
	return answer.w[0] >> 4 == CAPABILITY_THREAD ? thread_hash(hash, number) : hash;
}

static uint32_t world(void)
{
	uint32_t hash = list_hash(1, ROOT_DOMAIN), first = boot_record->first_free_frame;
	hash = thread_hash(hash, ROOT_THREAD);
	for (uint32_t i = 0; i < watched_count; i++)
		hash = watched_hash(hash, watched[i]);
	for (uint32_t frame = first; frame < first + FRAMES_WATCHED; frame++) {
		struct words object = {{0}};
		uint32_t error = kernel_inspect(AUTHORITY, frame, &object.w[0], &object.w[1]);
		hash = mix(hash, error, &object, 2);
	}
	return hash;
}

void test_refused(const char *file, uint32_t line, uint32_t error, uint32_t target,
		  struct words words)
{
	uint32_t before = world();
	struct words after = words;
	uint32_t status = invoke(target, &after);
	test_check(status == error, file, line, "it is refused with this error", status, error);
	test_check(!memcmp(&words, &after, sizeof(words)), file, line,
		   "a refusal leaves the registers alone", 0, 0);
	test_check(world() == before, file, line, "a refusal changes nothing", 0, 0);
}

uint64_t OPERATION peer_attempt(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation;
	(void)a;
	(void)b;
	(void)badge_high;
	there.status = invoke(there.target, &there.words);
	return ANSWER(0, 0);
}

uint32_t peer_invoke(struct attempt_door at, uint32_t target, struct words *words)
{
	struct words call = {{0, 0, at.lend, 0}};
	there = (struct attempt){target, ATTEMPT_NEVER_MADE, *words};
	invoke(slot(at.door).encoded | at.options, &call);
	*words = there.words;
	return there.status;
}

void test_refused_there(const char *file, uint32_t line, struct attempt_door at, uint32_t error,
			uint32_t target, struct words words)
{
	uint32_t before = world();
	struct words after = words;
	uint32_t status = peer_invoke(at, target, &after);
	test_check(status == error, file, line, "it is refused there with this error", status,
		   error);
	test_check(!memcmp(&words, &after, sizeof(words)), file, line,
		   "a refusal leaves the registers alone", 0, 0);
	test_check(world() == before, file, line, "a refusal changes nothing", 0, 0);
}

static struct client zoo_client;
static void zoo_client_never_runs(uint32_t argument)
{
	(void)argument;
}

void zoo_make(struct zoo *zoo)
{
	peer_make(&zoo->peer, "zoo");
	client_make(&zoo_client, &root_domain, zoo_client_never_runs, 0);
	zoo->page = object_make(OBJECT_LOCK_PAGE, 0, 0);
	zoo->bitmap = bitmap_make();
	zoo->slot[CAPABILITY_EMPTY] = slot_take();
	zoo->slot[CAPABILITY_DOOR] = peer_door(&zoo->peer, peer_attempt);
	zoo->slot[CAPABILITY_SELF] = SLOT_SELF;
	zoo->slot[CAPABILITY_THREAD] = zoo_client.thread.object.slot;
	zoo->slot[CAPABILITY_DOMAIN] = zoo->peer.object.slot;
	zoo->slot[CAPABILITY_AUTHORITY] = ROOT_AUTHORITY;
	zoo->slot[CAPABILITY_IRQ] = ROOT_IRQ_FIRST + 5;
	zoo->slot[CAPABILITY_PORTS] = ROOT_PORTS;
	zoo->slot[CAPABILITY_BITMAP] = zoo->bitmap.slot;
	zoo->slot[CAPABILITY_PAGE] = zoo->page.slot;
}

void zoo_end(struct zoo *zoo)
{
	slot_give(zoo->slot[CAPABILITY_EMPTY]);
	slot_give(zoo->slot[CAPABILITY_DOOR]);
	bitmap_end(zoo->bitmap);
	object_end(zoo->page);
	client_end(&zoo_client);
	domain_end(&zoo->peer);
}
