/* SPDX-License-Identifier: MIT */
/* kernel/authority.c: frames become objects and cease to be; who holds it can't confuse the kernel.
 */
#include "test.h"

static uint32_t generation_or_0(uint32_t frame)
{
	return frame < boot_record->low_end_frame ? object_generation(frame) : 0;
}
/* What create expects, also when it names what is no frame. */
static uint32_t expected(uint32_t kind, uint32_t second, uint32_t frame, uint32_t parameter)
{
	uint32_t sum = object_generation(frame);
	if (kind == OBJECT_THREAD || kind == OBJECT_DOMAIN || kind == OBJECT_BITMAP)
		sum += generation_or_0(parameter);
	if (kind == OBJECT_THREAD)
		sum += generation_or_0(second);
	if (kind == OBJECT_BITMAP)
		sum += generation_or_0(parameter + 1);
	return sum;
}
static uint32_t create(uint32_t kind, uint32_t second, uint32_t frame, uint32_t parameter)
{
	return kernel_create(AUTHORITY, kind, second, frame,
			     expected(kind, second, frame, parameter), parameter);
}
static uint32_t kind_of(uint32_t frame)
{
	uint32_t kind, generation;
	MUST(kernel_inspect(AUTHORITY, frame, &kind, &generation));
	return kind;
}
#define CREATE(kind, second) \
	(authority_create_op | (kind) << CREATE_KIND_SHIFT | (second) << CREATE_SECOND_SHIFT)
/* A create that must fail, with the frame's generation. */
#define CREATE_REFUSED(error, kind, second, frame, parameter)                               \
	REFUSED(error, ROOT_AUTHORITY, CREATE((uint32_t)(kind), (uint32_t)(second)), frame, \
		expected((uint32_t)(kind), (uint32_t)(second), frame, parameter), parameter)

TEST(create_refuses_frames_that_are_not_its_to_use)
{
	uint32_t frame = frame_take();
	const uint32_t frames[] = {0,
				   OBJECT_IRQ_FIRST,
				   OBJECT_IRQ_FIRST + 15,
				   OBJECT_PORTS,
				   OBJECT_AUTHORITY,
				   0x100,
				   boot_record->kernel_end_frame - 1,
				   boot_record->root_domain,
				   boot_record->root_thread,
				   boot_record->root_directory_frame};
	const uint32_t beyond[] = {boot_record->low_end_frame,
				   OBJECTS_MAX - 1,
				   OBJECTS_MAX,
				   OBJECTS_MAX + frame,
				   0x100000,
				   1u << 31,
				   0xFFFFFFFF,
				   1u << 20 | frame};
	for (uint32_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		CREATE_REFUSED(ERROR_FRAME, OBJECT_DATA_PAGE, 0, frames[i], 0);
	for (uint32_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		REFUSED(ERROR_FRAME, ROOT_AUTHORITY, CREATE(OBJECT_DATA_PAGE, 0), beyond[i], 0, 0);
	MUST(create(OBJECT_LOCK_PAGE, 0, frame, 0));
	CREATE_REFUSED(ERROR_FRAME, OBJECT_LOCK_PAGE, 0, frame, 0); /* in use */
	object_end((struct object){frame, 0});
}

TEST(create_refuses_another_generation_than_the_frames)
{
	uint32_t frame = frame_take();
	for (uint32_t round = 0; round < 2; round++) {
		uint32_t generation = object_generation(frame);
		REFUSED(ERROR_GENERATION, ROOT_AUTHORITY, CREATE(OBJECT_DATA_PAGE, 0), frame,
			generation + 1, 0);
		REFUSED(ERROR_GENERATION, ROOT_AUTHORITY, CREATE(OBJECT_DATA_PAGE, 0), frame,
			generation - 1, 0);
		REFUSED(ERROR_GENERATION, ROOT_AUTHORITY, CREATE(OBJECT_DATA_PAGE, 0), frame,
			generation ^ 1u << 31, 0);
		MUST(create(OBJECT_DATA_PAGE, 0, frame, 0));
		MUST(kernel_destroy(AUTHORITY, frame, generation));
		CHECK_EQUAL(object_generation(frame), generation + 1);
	}
	frame_give(frame);
}

TEST(create_refuses_kinds_that_nobody_can_make)
{
	uint32_t frame = frame_take();
	for (uint32_t kind = OBJECT_STATIC; kind < 16; kind++)
		CREATE_REFUSED(ERROR_ARGUMENT, kind, 0, frame, 0);
	for (uint32_t kind = OBJECT_DATA_PAGE; kind < OBJECT_STATIC; kind++) {
		if (kind == OBJECT_BITMAP)
			continue;
		CREATE_REFUSED(ERROR_ARGUMENT, kind, 1, frame, 0);
		CREATE_REFUSED(ERROR_ARGUMENT, kind, 1u << 19, frame, 0);
		CREATE_REFUSED(ERROR_ARGUMENT, kind, 0, frame, 1);
		CREATE_REFUSED(ERROR_ARGUMENT, kind, 0, frame, 1u << 31);
	}
	for (uint32_t bit = 4; bit < 8; bit++)
		REFUSED(ERROR_OPERATION, ROOT_AUTHORITY, CREATE(OBJECT_DATA_PAGE, 0) | 1u << bit,
			frame, object_generation(frame), 0);
	frame_give(frame);
}

TEST(create_domain_refuses_what_is_no_free_directory)
{
	uint32_t frame = frame_take(), directory = frame_take();
	struct object page = object_make(OBJECT_LOCK_PAGE, 0, 0);
	const uint32_t bad[] = {directory /* not one yet */,
				page.frame,
				frame,
				0,
				boot_record->root_directory_frame,
				boot_record->low_end_frame,
				OBJECTS_MAX,
				1u << 31 | directory,
				0xFFFFFFFF};
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CREATE_REFUSED(ERROR_ARGUMENT, OBJECT_DOMAIN, 0, frame, bad[i]);
	MUST(create(OBJECT_DIRECTORY, 0, directory, 0));
	CREATE_REFUSED(ERROR_ARGUMENT, OBJECT_DOMAIN, 2, frame, directory);
	CREATE_REFUSED(ERROR_ARGUMENT, OBJECT_DOMAIN, 1u << 19, frame, directory);
	CHECK_EQUAL(create(OBJECT_DOMAIN, 1, frame, directory), 0); /* the refusals left it free */
	uint32_t second = frame_take();
	CREATE_REFUSED(ERROR_ARGUMENT, OBJECT_DOMAIN, 0, second,
		       directory); /* one directory, one domain */
	frame_give(second);
	object_end(page);
	object_end((struct object){frame, 0});
	frame_give(directory);
}

TEST(create_thread_refuses_bad_data_pages_and_homes)
{
	struct domain peer;
	peer_make(&peer, "peer");
	uint32_t frame = frame_take(), data = frame_take(), home = peer.object.frame;
	struct object page = object_make(OBJECT_LOCK_PAGE, 0, 0),
		      other = object_make(OBJECT_DATA_PAGE, 0, 0);
	const uint32_t bad_data[] = {
		frame,       page.frame,      other.frame, home, 0, boot_record->low_end_frame,
		OBJECTS_MAX, 1u << 20 | data, 0xFFFFFFFF};
	const uint32_t bad_home[] = {0,
				     frame,
				     page.frame,
				     data,
				     boot_record->root_thread,
				     peer.directory_frame,
				     boot_record->low_end_frame,
				     OBJECTS_MAX,
				     0xFFFFF};
	for (uint32_t i = 0; i < sizeof(bad_data) / sizeof(bad_data[0]); i++)
		CREATE_REFUSED(ERROR_FRAME, OBJECT_THREAD, home, frame, bad_data[i]);
	for (uint32_t i = 0; i < sizeof(bad_home) / sizeof(bad_home[0]); i++)
		CREATE_REFUSED(ERROR_ARGUMENT, OBJECT_THREAD, bad_home[i], frame, data);
	CHECK_EQUAL(create(OBJECT_THREAD, home, frame, data), 0); /* the refusals left it free */
	CHECK_EQUAL(kind_of(data), OBJECT_DATA_PAGE);
	uint32_t second = frame_take(), fresh = frame_take();
	CREATE_REFUSED(ERROR_FRAME, OBJECT_THREAD, home, second, data); /* one page, one thread */
	domain_end(&peer);
	CREATE_REFUSED(ERROR_ARGUMENT, OBJECT_THREAD, home, second, fresh); /* its home is gone */
	object_end((struct object){frame, 0});
	CHECK_EQUAL(kind_of(data), OBJECT_NONE); /* it went with its thread */
	frame_give(second);
	frame_give(fresh);
	frame_give(data);
	object_end(other);
	object_end(page);
}

TEST(create_expects_the_sum_of_all_generations)
{
	uint32_t frame = frame_take(), data = frame_take(), home = boot_record->root_domain;
	uint32_t sum = object_generations(OBJECT_THREAD, home, frame, data);
	MUST(create(OBJECT_LOCK_PAGE, 0, data, 0)); /* meanwhile it was something else */
	MUST(kernel_destroy(AUTHORITY, data, object_generation(data)));
	REFUSED(ERROR_GENERATION, ROOT_AUTHORITY, CREATE(OBJECT_THREAD, home), frame, sum, data);
	REFUSED(ERROR_GENERATION, ROOT_AUTHORITY, CREATE(OBJECT_THREAD, home), frame, sum + 2,
		data);
	CHECK_EQUAL(kernel_create(AUTHORITY, OBJECT_THREAD, home, frame, sum + 1, data), 0);
	uint32_t control = frame_take(), directory = frame_take();
	MUST(create(OBJECT_DIRECTORY, 0, directory, 0));
	sum = object_generation(control) + object_generation(directory);
	REFUSED(ERROR_GENERATION, ROOT_AUTHORITY, CREATE(OBJECT_DOMAIN, 0), control, sum - 1,
		directory);
	object_end((struct object){directory, 0});
	frame_give(control);
	object_end((struct object){frame, 0});
	frame_give(data);
}

TEST(create_bitmap_needs_two_free_bitmap_pages_in_a_row)
{
	struct object bitmap = bitmap_make();
	uint32_t attached = ((uint32_t *)frame_pointer(bitmap.frame))[1] >> 12,
		 frame = frame_take();
	const uint32_t bad[] = {frame,
				attached,
				attached + 1,
				attached - 1,
				0,
				boot_record->low_end_frame - 1,
				boot_record->low_end_frame,
				OBJECTS_MAX,
				0xFFFFFFFF};
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CREATE_REFUSED(ERROR_ARGUMENT, OBJECT_BITMAP, 0, frame, bad[i]);
	bitmap_end(bitmap);
	MUST(create(OBJECT_BITMAP_PAGE, 0, attached, 0));
	CREATE_REFUSED(ERROR_ARGUMENT, OBJECT_BITMAP, 0, frame,
		       attached); /* only the first of two */
	MUST(create(OBJECT_BITMAP_PAGE, 0, attached + 1, 0));
	CREATE_REFUSED(ERROR_ARGUMENT, OBJECT_BITMAP, 1, frame, attached);
	CHECK_EQUAL(create(OBJECT_BITMAP, 0, frame, attached), 0);
	MUST(kernel_destroy(AUTHORITY, frame, object_generation(frame)));
	CHECK_EQUAL(kind_of(attached), OBJECT_NONE);
	CHECK_EQUAL(kind_of(attached + 1), OBJECT_NONE);
	frame_give(frame);
}

TEST(destroy_refuses_what_is_no_object_or_another_generation)
{
	uint32_t frame = frame_take();
	const uint32_t frames[] = {frame,
				   0,
				   OBJECT_IRQ_FIRST,
				   OBJECT_PORTS,
				   OBJECT_AUTHORITY,
				   0x100,
				   boot_record->kernel_end_frame - 1};
	for (uint32_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		REFUSED(ERROR_FRAME, ROOT_AUTHORITY, authority_destroy_op, frames[i],
			object_generation(frames[i]), 0);
	REFUSED(ERROR_FRAME, ROOT_AUTHORITY, authority_destroy_op, boot_record->low_end_frame, 0,
		0);
	REFUSED(ERROR_FRAME, ROOT_AUTHORITY, authority_destroy_op, OBJECTS_MAX, 0, 0);
	REFUSED(ERROR_FRAME, ROOT_AUTHORITY, authority_destroy_op, 0xFFFFFFFF, 0, 0);
	MUST(create(OBJECT_DATA_PAGE, 0, frame, 0));
	uint32_t generation = object_generation(frame);
	REFUSED(ERROR_GENERATION, ROOT_AUTHORITY, authority_destroy_op, frame, generation + 1, 0);
	REFUSED(ERROR_GENERATION, ROOT_AUTHORITY, authority_destroy_op, frame, generation - 1, 0);
	MUST(kernel_destroy(AUTHORITY, frame, generation));
	REFUSED(ERROR_FRAME, ROOT_AUTHORITY, authority_destroy_op, frame, generation,
		0); /* not twice */
	REFUSED(ERROR_FRAME, ROOT_AUTHORITY, authority_destroy_op, frame, generation + 1, 0);
	frame_give(frame);
}

#define DESTROY_REFUSED(error, frame) \
	REFUSED(error, ROOT_AUTHORITY, authority_destroy_op, frame, object_generation(frame), 0)

TEST(destroy_refuses_parts_of_a_living_whole)
{
	struct domain peer;
	peer_make(&peer, "peer");
	struct object bitmap = bitmap_make();
	uint32_t pages = ((uint32_t *)frame_pointer(bitmap.frame))[1] >> 12;
	for (uint32_t attached = 0; attached < 2; attached++) {
		DESTROY_REFUSED(ERROR_STATE, peer.directory_frame);
		DESTROY_REFUSED(ERROR_STATE, pages);
		DESTROY_REFUSED(ERROR_STATE, pages + 1);
		if (!attached)
			MUST(kernel_domain_attach(slot(peer.object.slot), 0, slot(bitmap.slot)));
	}
	bitmap_end(bitmap);
	domain_end(&peer);
}

TEST(roots_own_thread_and_domain_can_not_be_destroyed)
{
	DESTROY_REFUSED(ERROR_STATE, boot_record->root_thread);
	DESTROY_REFUSED(ERROR_STATE, boot_record->root_domain);
	DESTROY_REFUSED(ERROR_STATE, boot_record->root_directory_frame);
	struct zoo zoo;
	zoo_make(&zoo); /* nor by somebody else, while it is lent */
	struct attempt_door at = {zoo.slot[CAPABILITY_DOOR], OPTION_CAPABILITIES,
				  LEND_SLOTS(ROOT_AUTHORITY, 0, 0, 0)};
	REFUSED_THERE(at, ERROR_STATE, SLOT_LENT, authority_destroy_op, boot_record->root_thread,
		      object_generation(boot_record->root_thread), 0);
	REFUSED_THERE(at, ERROR_STATE, SLOT_LENT, authority_destroy_op, boot_record->root_domain,
		      object_generation(boot_record->root_domain), 0);
	zoo_end(&zoo);
}

TEST(directory_of_a_destroyed_domain_is_free)
{
	struct domain peer;
	peer_make(&peer, "peer");
	uint32_t directory = peer.directory_frame, generation = object_generation(directory);
	CHECK_EQUAL(kind_of(directory), OBJECT_DIRECTORY);
	MUST(kernel_destroy(AUTHORITY, peer.object.frame, object_generation(peer.object.frame)));
	CHECK_EQUAL(kind_of(directory), OBJECT_NONE);
	CHECK_EQUAL(object_generation(directory), generation + 1);
	slot_give(peer.object.slot);
	frame_give(peer.object.frame);
	memset(frame_pointer(directory), 0, PAGE_BYTES);
	CHECK_EQUAL(create(OBJECT_DATA_PAGE, 0, directory, 0), 0);
	object_end((struct object){directory, 0});
}

TEST(data_pages_belong_to_one_thread_until_they_are_destroyed)
{
	static struct client first, second;
	client_make(&first, &root_domain, NULL, 0);
	client_make(&second, &root_domain, NULL, 0);
	struct object page = object_make(OBJECT_DATA_PAGE, 0, 0);
	uint32_t one = SLOT_ENCODE(first.thread.object.slot),
		 two = SLOT_ENCODE(second.thread.object.slot), data = SLOT_ENCODE(page.slot);
	REFUSED(ERROR_STATE, two, thread_attach_op, 1, SLOT_ENCODE(first.thread.data[0].slot), 0);
	REFUSED(ERROR_STATE, one, thread_attach_op, 0, data, 0); /* it has one */
	CHECK_EQUAL(invoke_2(one, thread_attach_op, 1, data), 0);
	REFUSED(ERROR_STATE, one, thread_attach_op, 2, data, 0);
	REFUSED(ERROR_STATE, two, thread_attach_op, 1, data, 0);
	client_end(&first);
	REFUSED(ERROR_STATE, two, thread_attach_op, 1, data, 0);
	MUST(kernel_destroy(AUTHORITY, page.frame, object_generation(page.frame)));
	REFUSED(ERROR_STALE, two, thread_attach_op, 1, data, 0);
	MUST(create(OBJECT_DATA_PAGE, 0, page.frame, 0));
	object_fetch(page.frame, page.slot);
	CHECK_EQUAL(invoke_2(two, thread_attach_op, 1, data), 0);
	object_end(page);
	client_end(&second);
}

TEST(fetch_is_repeatable_and_refuses_what_has_no_capability)
{
	struct zoo zoo;
	zoo_make(&zoo);
	uint32_t to = slot_take(), directory = frame_take(), free = frame_take();
	uint32_t pages = ((uint32_t *)frame_pointer(zoo.bitmap.frame))[1] >> 12;
	MUST(create(OBJECT_DIRECTORY, 0, directory, 0));
	const uint32_t none[] = {
		directory,        pages,           pages + 1, zoo.peer.directory_frame, 0,
		OBJECT_IRQ_FIRST, OBJECT_AUTHORITY};
	for (uint32_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		REFUSED(ERROR_KIND, ROOT_AUTHORITY, authority_fetch_op, none[i], to,
			object_generation(none[i]));
	REFUSED(ERROR_GENERATION, ROOT_AUTHORITY, authority_fetch_op, zoo.page.frame, to,
		object_generation(zoo.page.frame) + 1);
	const uint32_t absent[] = {free, boot_record->low_end_frame, OBJECTS_MAX, 0xFFFFFFFF};
	for (uint32_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		REFUSED(ERROR_FRAME, ROOT_AUTHORITY, authority_fetch_op, absent[i], to, 0);
	const uint32_t no_slots[] = {SLOT_SELF, 0x80,     0x100,    0x8000,
				     9u << 16,  1u << 21, 1u << 31, 0xFFFFFFFF};
	for (uint32_t i = 0; i < sizeof(no_slots) / sizeof(no_slots[0]); i++)
		REFUSED(ERROR_ARGUMENT, ROOT_AUTHORITY, authority_fetch_op, zoo.page.frame,
			no_slots[i], 0);
	for (uint32_t i = 0; i < 2; i++) {
		CHECK_EQUAL(kernel_fetch(AUTHORITY, zoo.page.frame, slot(to),
					 object_generation(zoo.page.frame)),
			    0);
		CHECK_EQUAL(kernel_probe(slot(to)), 0);
	}
	slot_give(to);
	frame_give(free);
	object_end((struct object){directory, 0});
	zoo_end(&zoo);
}

TEST(inspect_tells_every_index_and_refuses_what_is_none)
{
	uint32_t frame = frame_take();
	CHECK_EQUAL(kind_of(0), OBJECT_RESERVED);
	CHECK_EQUAL(kind_of(boot_record->kernel_end_frame - 1), OBJECT_RESERVED);
	CHECK_EQUAL(kind_of(OBJECT_PORTS), OBJECT_STATIC);
	CHECK_EQUAL(kind_of(boot_record->root_domain), OBJECT_DOMAIN);
	CHECK_EQUAL(kind_of(boot_record->root_thread), OBJECT_THREAD);
	CHECK_EQUAL(kind_of(boot_record->low_end_frame), OBJECT_RESERVED);
	CHECK_EQUAL(kind_of(OBJECTS_MAX - 1), OBJECT_RESERVED);
	CHECK_EQUAL(kind_of(frame), OBJECT_NONE);
	for (uint32_t index = OBJECTS_MAX; index; index <<= 1)
		REFUSED(ERROR_ARGUMENT, ROOT_AUTHORITY, authority_inspect_op, index, 0, 0);
	REFUSED(ERROR_ARGUMENT, ROOT_AUTHORITY, authority_inspect_op, 0xFFFFFFFF, 0, 0);
	frame_give(frame);
}

TEST(account_refuses_accounts_that_are_none)
{
	uint64_t elapsed, later, interrupts, idle;
	CHECK_EQUAL(kernel_account(AUTHORITY, ACCOUNT_ELAPSED, &elapsed), 0);
	CHECK_EQUAL(kernel_account(AUTHORITY, ACCOUNT_INTERRUPTS, &interrupts), 0);
	CHECK_EQUAL(kernel_account(AUTHORITY, ACCOUNT_IDLE, &idle), 0);
	CHECK_EQUAL(kernel_account(AUTHORITY, ACCOUNT_ELAPSED, &later), 0);
	CHECK(later > elapsed && interrupts + idle < later);
	for (uint32_t account = ACCOUNTS; account;
	     account = account < 8 ? account + 1 : account << 1)
		REFUSED(ERROR_ARGUMENT, ROOT_AUTHORITY, authority_account_op, account, 0, 0);
}

/* ---- destroying what runs
 * ------------------------------------------------------------------------ */

static uint32_t victim, victim_generation, after_destroy;
PEER destroy_victim(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation;
	(void)a;
	(void)b;
	(void)badge_high;
	uint32_t error = kernel_destroy(lent_slot(0), victim, victim_generation);
	after_destroy = 1;
	return ANSWER(error, 0);
}
static uint32_t call_and_destroy(uint32_t door, uint32_t frame)
{
	struct words words = {{0, 0, LEND_SLOTS(ROOT_AUTHORITY, 0, 0, 0), 0}};
	victim = frame;
	victim_generation = object_generation(frame);
	after_destroy = 0;
	return invoke(slot(door).encoded | OPTION_CAPABILITIES, &words);
}

TEST(domain_destroys_itself_and_its_caller_is_told)
{
	struct domain peer;
	peer_make(&peer, "peer");
	uint32_t door = peer_door(&peer, destroy_victim);
	CHECK_EQUAL(call_and_destroy(door, peer.object.frame), ERROR_CALLEE_DESTROYED);
	CHECK_EQUAL(after_destroy, 0);
	CHECK_EQUAL(kernel_probe(slot(peer.object.slot)), ERROR_STALE);
	CHECK_EQUAL(door_call(slot(door).encoded, 0, 0, 0, NULL), ERROR_STALE);
	slot_give(door);
	slot_give(peer.object.slot);
	frame_give(peer.object.frame);
	frame_give(peer.directory_frame);
}

static void client_destroys(uint32_t frame)
{
	victim_generation = object_generation(frame);
	kernel_destroy(AUTHORITY, frame, victim_generation);
	after_destroy = 1;
}

TEST(thread_destroys_itself_and_its_dispatcher_is_told)
{
	static struct client client;
	client_make(&client, &root_domain, NULL, 0);
	client_restart(&client, client_destroys, client.thread.object.frame);
	after_destroy = 0;
	CHECK_EQUAL(client_dispatch(&client, 0, 0, 0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(after_destroy, 0);
	uint32_t thread = SLOT_ENCODE(client.thread.object.slot);
	REFUSED(ERROR_STALE, thread, thread_dispatch_op, 0, 0xFFFFFFFF, 0xFFFFFFFF);
	MUST(create(OBJECT_LOCK_PAGE, 0, client.thread.object.frame,
		    0)); /* so that client_end has something to end */
	client_end(&client);
}

/* Root dispatches the lower one, which dispatches the upper one, which ends the lower one. */
static struct client lower, upper;
static volatile uint32_t lower_went_on, upper_went_on;
static void lower_dispatches(uint32_t argument)
{
	(void)argument;
	struct dispatch_result result;
	kernel_dispatch(slot(upper.thread.object.slot), 0, DEADLINE_NEVER, 0, &result);
	lower_went_on = 1;
}
static void upper_ends_lower(uint32_t destroy)
{
	uint32_t frame = lower.thread.object.frame, error;
	if (destroy)
		error = kernel_destroy(AUTHORITY, frame, victim_generation);
	else
		error = kernel_thread_stop(slot(lower.thread.object.slot));
	upper_went_on = 1 + error;
}
static uint32_t state_of(const struct client *client)
{
	struct words answer;
	uint32_t error =
		kernel_thread_read(slot(client->thread.object.slot), THREAD_FIELD_STATE, &answer);
	return error ? error << 8 : answer.w[0];
}

TEST(dispatcher_stopped_or_destroyed_by_what_it_dispatched_leaves_that_ready)
{
	for (uint32_t destroy = 0; destroy < 2; destroy++) {
		client_make(&lower, &root_domain, lower_dispatches, 0);
		client_make(&upper, &root_domain, upper_ends_lower, destroy);
		victim_generation = object_generation(lower.thread.object.frame);
		lower_went_on = upper_went_on = 0;
		CHECK_EQUAL(client_dispatch(&lower, 0, 0, 0).reason, DISPATCH_ENDED);
		CHECK_EQUAL(state_of(&lower), destroy ? ERROR_STALE << 8 : THREAD_STOPPED);
		CHECK_EQUAL(state_of(&upper), THREAD_READY);
		CHECK_EQUAL(upper_went_on, 0);
		client_run(&upper);
		CHECK(upper_went_on == 1 && !lower_went_on);
		if (destroy)
			MUST(create(OBJECT_LOCK_PAGE, 0, lower.thread.object.frame,
				    0)); /* for client_end */
		client_end(&upper);
		client_end(&lower);
	}
}

static _Bool page_seen_before, page_seen_after;
static void client_destroys_its_data_page(uint32_t frame)
{
	uint32_t value;
	page_seen_before = try_load((const uint32_t *)DATA_PAGE, &value);
	client_destroys(frame);
	page_seen_after = try_load((const uint32_t *)DATA_PAGE, &value);
}

TEST(data_page_destroyed_by_the_thread_that_stands_beside_it_is_gone_at_once)
{
	static struct client client;
	client_make(&client, &root_domain, NULL, 0);
	client_restart(&client, client_destroys_its_data_page, client.thread.data[0].frame);
	after_destroy = page_seen_after = 0;
	client_run(&client);
	CHECK(page_seen_before && after_destroy && !page_seen_after);
	MUST(create(OBJECT_DATA_PAGE, 0, client.thread.data[0].frame,
		    0)); /* and another one in its place */
	object_fetch(client.thread.data[0].frame, client.thread.data[0].slot);
	CHECK_EQUAL(kernel_thread_attach(slot(client.thread.object.slot), 0,
					 slot(client.thread.data[0].slot)),
		    0);
	client_restart(&client, client_destroys_its_data_page, client.thread.data[0].frame);
	client_run(&client);
	CHECK(page_seen_before && !page_seen_after);
	MUST(create(OBJECT_DATA_PAGE, 0, client.thread.data[0].frame, 0));
	client_end(&client);
}

/* ---- P1: objects are in their owner's frames, and nowhere else
 * ------------------------------------- */

#define QUOTA 600u
static uint32_t quota[QUOTA];
static _Bool in_quota[OBJECTS_MAX];

static uint32_t others_hash(void) /* of every frame that is not in the quota */
{
	uint32_t hash = 1;
	for (uint32_t frame = 0; frame < boot_record->low_end_frame; frame++)
		if (!in_quota[frame])
			hash = (hash ^ kind_of(frame) ^ object_generation(frame) << 4) * 16777619u;
	return hash;
}

TEST(objects_are_created_until_the_frames_end_and_nobody_else_notices)
{
	static const uint8_t kinds[] = {OBJECT_NONE,   OBJECT_THREAD,          OBJECT_DIRECTORY,
					OBJECT_DOMAIN, OBJECT_CAPABILITY_PAGE, OBJECT_LOCK_PAGE,
					OBJECT_TABLE};
	struct domain bystander;
	peer_make(&bystander, "bystander");
	uint32_t door = peer_door(&bystander, peer_attempt), others, created = 0;
	for (uint32_t i = 0; i < QUOTA; i++)
		in_quota[quota[i] = frame_take()] = 1;
	uint32_t frames = frames_free();
	others = others_hash();
	for (uint32_t i = 0; i < QUOTA; i++) {
		uint32_t kind = kinds[i % sizeof(kinds)], before = i ? quota[i - 1] : 0;
		if (kind == OBJECT_DOMAIN)
			memcpy(frame_pointer(before), frame_pointer(boot_record->template_frame),
			       PAGE_BYTES);
		created += /* every thread takes two */
			kind == OBJECT_NONE && i + 1 < QUOTA
				? 1
				: !create(kind == OBJECT_NONE ? OBJECT_DATA_PAGE : kind,
					  kind == OBJECT_THREAD ? bystander.object.frame : 0,
					  quota[i],
					  kind == OBJECT_THREAD || kind == OBJECT_DOMAIN ? before
											 : 0);
	}
	CHECK_EQUAL(created, QUOTA);
	for (uint32_t i = 0; i < QUOTA; i += 37)
		CREATE_REFUSED(ERROR_FRAME, OBJECT_DATA_PAGE, 0, quota[i],
			       0); /* no frame is left */
	CHECK_EQUAL(others_hash(), others);
	CHECK_EQUAL(frames_free(), frames);
	CHECK_EQUAL(peer_invoke((struct attempt_door){door, 0, 0}, SLOT_SELF,
				&(struct words){{self_identify_op}}),
		    0);
	for (uint32_t i = 0; i < QUOTA; i++)
		if (kinds[i % sizeof(kinds)] != OBJECT_DIRECTORY &&
		    (kinds[i % sizeof(kinds)] != OBJECT_NONE || i + 1 == QUOTA))
			MUST(kernel_destroy(AUTHORITY, quota[i], object_generation(quota[i])));
	if (kinds[(QUOTA - 1) % sizeof(kinds)] == OBJECT_DIRECTORY)
		MUST(kernel_destroy(AUTHORITY, quota[QUOTA - 1],
				    object_generation(quota[QUOTA - 1])));
	for (uint32_t i = 0; i < QUOTA; i++) {
		CHECK_EQUAL(kind_of(quota[i]), OBJECT_NONE);
		in_quota[quota[i]] = 0;
		frame_give(quota[i]);
	}
	slot_give(door);
	domain_end(&bystander);
}
