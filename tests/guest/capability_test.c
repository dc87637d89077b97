/* SPDX-License-Identifier: MIT */
/* kernel/capability.c: slots, and every way in which an operation can be named wrongly. */
#include "test.h"

static const struct {
	uint32_t kind, number, rights;
} operations[] = {
#define OPERATION_ROW(kind, number, name, rights, arguments, answers, cost) \
	{CAPABILITY_##kind, number, rights},
	OPERATIONS(OPERATION_ROW)
#undef OPERATION_ROW
};
#define OPERATION_COUNT (sizeof(operations) / sizeof(operations[0]))

/* Encoded slots that name nothing: reserved bits, bits of lent ones, banks that can't be. */
static const uint32_t no_slots[] = {0x80,      0x83,       0x84,      0x100,      0x200,
				    0x4000,    0x8000,     0x8001,    0x80080,    9u << 16,
				    16u << 16, 31u << 16,  0x200000u, 0x1000000u, 1u << 30,
				    1u << 31,  0xFFFFFFFFu};
#define NO_SLOTS (sizeof(no_slots) / sizeof(no_slots[0]))

static uint32_t kind_in(uint32_t domain, uint32_t number)
{
	struct words answer;
	MUST(kernel_domain_read(slot(domain), slot(number), &answer));
	return answer.w[0] >> 4;
}
static uint32_t rights_in(uint32_t domain, uint32_t number)
{
	struct words answer;
	MUST(kernel_domain_read(slot(domain), slot(number), &answer));
	return answer.w[0] & RIGHTS_ALL;
}
static _Bool slots_are_equal(uint32_t a, uint32_t b)
{
	struct words first, second;
	MUST(kernel_domain_read(slot(ROOT_DOMAIN), slot(a), &first));
	MUST(kernel_domain_read(slot(ROOT_DOMAIN), slot(b), &second));
	return !memcmp(&first, &second, 3 * sizeof(uint32_t));
}
static uint32_t slot_high_take(void) /* above 127, in a capability page */
{
	static uint32_t next = SLOTS_MAX - 1;
	return next = next > SLOTS_MAX - 64 ? next - 1 : SLOTS_MAX - 1;
}

TEST(operations_that_do_not_exist_are_refused_for_every_kind)
{
	struct zoo zoo;
	zoo_make(&zoo);
	for (uint32_t kind = CAPABILITY_SELF; kind < CAPABILITY_KINDS; kind++)
		for (uint32_t number = 1; number < 256;
		     number = number < 18 ? number + 1 : number + 79) {
			_Bool known = 0;
			for (uint32_t i = 0; i < OPERATION_COUNT; i++)
				known |= operations[i].kind == kind &&
					 operations[i].number == number;
			if (!known)
				REFUSED(ERROR_OPERATION, slot(zoo.slot[kind]).encoded, number, 1, 1,
					1);
		}
	zoo_end(&zoo);
}

TEST(reserved_bits_of_word_0_are_refused_by_every_operation)
{
	struct zoo zoo;
	zoo_make(&zoo);
	for (uint32_t i = 0; i < OPERATION_COUNT; i++) {
		_Bool has_more = (operations[i].kind == CAPABILITY_THREAD &&
				  operations[i].number == thread_dispatch_op) ||
				 (operations[i].kind == CAPABILITY_AUTHORITY &&
				  operations[i].number == authority_create_op);
		for (uint32_t bit = 8; bit < 32 && !has_more; bit += bit == 8 ? 1 : 11)
			REFUSED(ERROR_ARGUMENT, slot(zoo.slot[operations[i].kind]).encoded,
				operations[i].number | 1u << bit, 0, 0, 0);
	}
	for (uint32_t kind = CAPABILITY_SELF; kind < CAPABILITY_KINDS; kind++)
		REFUSED(ERROR_OPERATION, slot(zoo.slot[kind]).encoded, 0x100, 0, 0, 0); /* probe */
	zoo_end(&zoo);
}

TEST(every_operation_needs_its_right_and_no_other)
{
	struct zoo zoo;
	zoo_make(&zoo);
	uint32_t narrow = slot_take(), reserved = 1u << 31;
	for (uint32_t i = 0; i < OPERATION_COUNT; i++) {
		uint32_t rights = operations[i].rights, whole = zoo.slot[operations[i].kind];
		if (!rights)
			continue;
		CHECK_EQUAL(
			kernel_narrow(slot(narrow), slot(whole), RIGHTS_ALL & ~rights, 0xFFFFFFFF),
			0);
		REFUSED(ERROR_RIGHT, slot(narrow).encoded, operations[i].number, 0, 0, 0);
		REFUSED(ERROR_RIGHT, slot(narrow).encoded, operations[i].number | reserved, 0, 0,
			0);
		CHECK_EQUAL(kernel_narrow(slot(narrow), slot(whole), rights, 0xFFFFFFFF), 0);
		struct words words = {{operations[i].number | reserved, 0, 0, 0}};
		uint32_t error =
			invoke(slot(narrow).encoded, &words); /* it gets as far as the next check */
		CHECK(error == ERROR_ARGUMENT || error == ERROR_FRAME);
	}
	slot_give(narrow);
	zoo_end(&zoo);
}

TEST(probe_tells_of_every_kind_whether_it_lives)
{
	struct zoo zoo;
	zoo_make(&zoo);
	uint32_t copy[CAPABILITY_KINDS] = {0};
	for (uint32_t kind = CAPABILITY_SELF; kind < CAPABILITY_KINDS; kind++) {
		copy[kind] = slot_take();
		CHECK_EQUAL(kernel_copy(slot(copy[kind]), slot(zoo.slot[kind])), 0);
		CHECK_EQUAL(kernel_probe(slot(copy[kind])), 0);
	}
	REFUSED(ERROR_EMPTY, slot(zoo.slot[CAPABILITY_EMPTY]).encoded, 0, 0, 0, 0);
	zoo_end(&zoo);
	for (uint32_t kind = CAPABILITY_SELF; kind < CAPABILITY_KINDS; kind++) {
		_Bool lives = kind == CAPABILITY_SELF || kind == CAPABILITY_AUTHORITY ||
			      kind == CAPABILITY_IRQ || kind == CAPABILITY_PORTS;
		CHECK_EQUAL(kernel_probe(slot(copy[kind])), lives ? 0 : ERROR_STALE);
		slot_give(copy[kind]);
	}
}

TEST(operations_on_destroyed_objects_are_stale_whatever_their_number)
{
	struct zoo zoo;
	zoo_make(&zoo);
	uint32_t copy[CAPABILITY_KINDS] = {0};
	for (uint32_t kind = CAPABILITY_DOOR; kind < CAPABILITY_KINDS; kind++)
		MUST(kernel_copy(slot(copy[kind] = slot_take()), slot(zoo.slot[kind])));
	zoo_end(&zoo);
	for (uint32_t i = 0; i < OPERATION_COUNT; i++)
		if (kernel_probe(slot(copy[operations[i].kind])) == ERROR_STALE)
			REFUSED(ERROR_STALE, slot(copy[operations[i].kind]).encoded,
				operations[i].number, 1, 2, 3);
	CHECK_EQUAL(door_call(slot(copy[CAPABILITY_DOOR]).encoded, 1, 2, 3, NULL), ERROR_STALE);
	CHECK_EQUAL(door_call(slot(copy[CAPABILITY_DOOR]).encoded | OPTION_NESTED, 1, 2, 3, NULL),
		    ERROR_STALE);
	REFUSED(ERROR_STALE, slot(copy[CAPABILITY_DOOR]).encoded | OPTION_CAPABILITIES, 1, 2, 3, 4);
	REFUSED(ERROR_STALE, SLOT_SELF, self_badge_op, copy[CAPABILITY_DOOR], 0, 0);
	for (uint32_t kind = CAPABILITY_DOOR; kind < CAPABILITY_KINDS; kind++)
		slot_give(copy[kind]);
}

TEST(invocations_with_slots_that_are_none_are_refused)
{
	struct zoo zoo;
	zoo_make(&zoo);
	uint32_t empty = zoo.slot[CAPABILITY_EMPTY], authority = SLOT_ENCODE(ROOT_AUTHORITY);
	REFUSED(ERROR_EMPTY, SLOT_ENCODE(empty), 1, 2, 3, 4);
	REFUSED(ERROR_EMPTY, SLOT_ENCODE(empty) | OPTION_NESTED, 1, 2, 3, 4);
	REFUSED(ERROR_EMPTY, SLOT_ENCODE(empty) | OPTION_CAPABILITIES, 1, 2, 0, 4);
	REFUSED(ERROR_EMPTY, SLOT_ENCODE(SLOTS_MAX - 1), 1, 2, 3, 4);
	REFUSED(ERROR_EMPTY, SLOT_LENT, 1, 2, 3, 4); /* nothing is lent here */
	REFUSED(ERROR_EMPTY, SLOT_LENT | 3, 1, 2, 3, 4);
	REFUSED(ERROR_EMPTY, SLOT_LENT | 4, 1, 2, 3, 4);
	REFUSED(ERROR_EMPTY, SLOT_LENT | authority, 1, 2, 3, 4);
	REFUSED(ERROR_EMPTY, SLOT_LENT | 1u << SLOT_BANK_SHIFT, 1, 2, 3, 4);
	for (uint32_t bank = SLOT_BANKS; bank < 32; bank++)
		REFUSED(ERROR_EMPTY, bank << SLOT_BANK_SHIFT | authority, 1, 2, 3, 4);
	for (uint32_t bit = SLOT_BANK_SHIFT + 5; bit < 31; bit++)
		REFUSED(ERROR_ARGUMENT, 1u << bit | authority, OPERATION_PROBE, 0, 0, 0);
	for (uint32_t option = OPTION_NESTED; option < OPTION_RESUME; option <<= 1) {
		REFUSED(ERROR_ARGUMENT, option | authority, OPERATION_PROBE, 0, 0, 0);
		REFUSED(ERROR_ARGUMENT, option | SLOT_SELF, self_copy_op, ROOT_FREE, ROOT_AUTHORITY,
			0);
	}
	zoo_end(&zoo);
}

TEST(copy_takes_everything_and_the_original_stays)
{
	struct zoo zoo;
	zoo_make(&zoo);
	uint32_t low = slot_take(), high = slot_high_take();
	for (uint32_t kind = CAPABILITY_EMPTY; kind < CAPABILITY_KINDS; kind++) {
		CHECK_EQUAL(kernel_copy(slot(low), slot(zoo.slot[kind])), 0);
		CHECK(slots_are_equal(low, zoo.slot[kind]) && kind_in(ROOT_DOMAIN, low) == kind);
		CHECK_EQUAL(kernel_copy(slot(high), slot(low)), 0);
		CHECK(slots_are_equal(high, zoo.slot[kind]));
	}
	uint64_t badge = 0;
	MUST(kernel_door(slot(ROOT_DOMAIN), slot(low), 0x1122334455667788ull));
	MUST(kernel_copy(slot(high), slot(low)));
	MUST(kernel_copy(slot(low), slot(high)));
	CHECK_EQUAL(kernel_badge(slot(low), &badge), 0);
	CHECK_EQUAL(badge, 0x1122334455667788ull);
	MUST(kernel_delete(slot(high)));
	slot_give(low);
	zoo_end(&zoo);
}

TEST(copy_move_and_narrow_refuse_slots_that_are_none)
{
	uint32_t to = slot_take(), rights = RIGHTS_ALL << CAPABILITY_RIGHTS_SHIFT;
	for (uint32_t i = 0; i < NO_SLOTS; i++) {
		REFUSED(ERROR_ARGUMENT, SLOT_SELF, self_copy_op, no_slots[i], ROOT_AUTHORITY, 0);
		REFUSED(ERROR_ARGUMENT, SLOT_SELF, self_move_op, no_slots[i], ROOT_AUTHORITY, 0);
		REFUSED(ERROR_ARGUMENT, SLOT_SELF, self_delete_op, no_slots[i], 0, 0);
		if (!(no_slots[i] & rights)) /* with them it is another slot and other rights */
			REFUSED(ERROR_ARGUMENT, SLOT_SELF, self_narrow_op, no_slots[i] | rights,
				ROOT_AUTHORITY, 0);
		REFUSED(ERROR_EMPTY, SLOT_SELF, self_copy_op, to, no_slots[i], 0);
		REFUSED(ERROR_EMPTY, SLOT_SELF, self_move_op, to, no_slots[i], 0);
		REFUSED(ERROR_EMPTY, SLOT_SELF, self_narrow_op, to | rights, no_slots[i], 0);
		REFUSED(ERROR_EMPTY, SLOT_SELF, self_badge_op, no_slots[i], 0, 0);
	}
	slot_give(to);
}

TEST(slot_0_stays_what_it_is)
{
	uint32_t another = slot_take(), to = slot_take();
	MUST(kernel_copy(slot(another), slot(SLOT_SELF)));
	uint32_t selves[] = {SLOT_SELF, SLOT_ENCODE(another)};
	for (uint32_t i = 0; i < 2; i++) {
		REFUSED(ERROR_ARGUMENT, selves[i], self_copy_op, SLOT_SELF, ROOT_AUTHORITY, 0);
		REFUSED(ERROR_ARGUMENT, selves[i], self_move_op, SLOT_SELF, ROOT_AUTHORITY, 0);
		REFUSED(ERROR_ARGUMENT, selves[i], self_move_op, to, SLOT_SELF, 0);
		REFUSED(ERROR_ARGUMENT, selves[i], self_move_op, SLOT_SELF, SLOT_SELF, 0);
		REFUSED(ERROR_ARGUMENT, selves[i], self_delete_op, SLOT_SELF, 0, 0);
		REFUSED(ERROR_ARGUMENT, selves[i], self_narrow_op,
			RIGHTS_ALL << CAPABILITY_RIGHTS_SHIFT, ROOT_AUTHORITY, 0);
	}
	REFUSED(ERROR_ARGUMENT, ROOT_DOMAIN, domain_grant_op, SLOT_SELF, ROOT_AUTHORITY, 0);
	REFUSED(ERROR_ARGUMENT, ROOT_DOMAIN, domain_delete_op, SLOT_SELF, 0, 0);
	REFUSED(ERROR_ARGUMENT, ROOT_DOMAIN, domain_door_op, SLOT_SELF, 0, 0);
	REFUSED(ERROR_ARGUMENT, ROOT_AUTHORITY, authority_fetch_op, boot_record->root_domain,
		SLOT_SELF, 0);
	CHECK_EQUAL(kernel_move(slot(to), slot(another)), 0); /* a copy of it is an ordinary one */
	CHECK_EQUAL(kind_in(ROOT_DOMAIN, to), CAPABILITY_SELF);
	slot_give(to);
	slot_give(another);
}

TEST(move_empties_where_it_came_from)
{
	uint32_t from = slot_take(), to = slot_take(), high = slot_high_take();
	MUST(kernel_copy(slot(from), slot(ROOT_THREAD)));
	CHECK_EQUAL(kernel_move(slot(to), slot(from)), 0);
	CHECK(slots_are_equal(to, ROOT_THREAD));
	CHECK_EQUAL(kind_in(ROOT_DOMAIN, from), CAPABILITY_EMPTY);
	CHECK_EQUAL(kernel_move(slot(high), slot(to)), 0);
	CHECK(slots_are_equal(high, ROOT_THREAD));
	CHECK_EQUAL(kind_in(ROOT_DOMAIN, to), CAPABILITY_EMPTY);
	CHECK_EQUAL(kernel_move(slot(high), slot(high)), 0); /* onto itself: nothing is lost */
	CHECK(slots_are_equal(high, ROOT_THREAD));
	CHECK_EQUAL(kernel_delete(slot(high)), 0);
	CHECK_EQUAL(kind_in(ROOT_DOMAIN, high), CAPABILITY_EMPTY);
	CHECK_EQUAL(kernel_delete(slot(high)), 0); /* repeatable */
	slot_give(from);
	slot_give(to);
}

TEST(narrow_never_widens)
{
	uint32_t narrow = slot_take();
	MUST(kernel_narrow(slot(narrow), slot(ROOT_DOMAIN), RIGHT_DOOR | RIGHT_READ, 0));
	CHECK_EQUAL(rights_in(ROOT_DOMAIN, narrow), RIGHT_DOOR | RIGHT_READ);
	MUST(kernel_narrow(slot(narrow), slot(narrow), RIGHTS_ALL & ~RIGHT_DOOR, 0));
	CHECK_EQUAL(rights_in(ROOT_DOMAIN, narrow), RIGHT_READ);
	MUST(kernel_narrow(slot(narrow), slot(narrow), RIGHTS_ALL, 0));
	CHECK_EQUAL(rights_in(ROOT_DOMAIN, narrow), RIGHT_READ);
	MUST(kernel_narrow(slot(narrow), slot(ROOT_AUTHORITY), RIGHT_CREATE, 0));
	MUST(kernel_narrow(slot(narrow), slot(narrow), RIGHTS_ALL, 0));
	CHECK_EQUAL(rights_in(ROOT_DOMAIN, narrow), RIGHT_CREATE);
	for (uint32_t rights = RIGHTS_ALL + 1; rights; rights <<= 1)
		if (rights << CAPABILITY_RIGHTS_SHIFT >> CAPABILITY_RIGHTS_SHIFT == rights &&
		    rights < 256)
			REFUSED(ERROR_ARGUMENT, SLOT_SELF, self_narrow_op,
				narrow | rights << CAPABILITY_RIGHTS_SHIFT, ROOT_THREAD, 0);
	slot_give(narrow);
}

TEST(narrow_refuses_kinds_that_have_nothing_to_narrow)
{
	struct zoo zoo;
	zoo_make(&zoo);
	static const uint8_t kinds[] = {CAPABILITY_DOOR, CAPABILITY_SELF, CAPABILITY_IRQ,
					CAPABILITY_BITMAP, CAPABILITY_PAGE};
	uint32_t to = slot_take() | RIGHTS_ALL << CAPABILITY_RIGHTS_SHIFT;
	for (uint32_t i = 0; i < sizeof(kinds); i++)
		REFUSED(ERROR_KIND, SLOT_SELF, self_narrow_op, to, zoo.slot[kinds[i]], 0);
	REFUSED(ERROR_EMPTY, SLOT_SELF, self_narrow_op, to, zoo.slot[CAPABILITY_EMPTY], 0);
	slot_give(to & 127);
	zoo_end(&zoo);
}

static uint32_t events_of(uint32_t thread)
{
	struct words answer;
	MUST(kernel_thread_read(slot(thread), THREAD_FIELD_STATE, &answer));
	return answer.w[3];
}

TEST(narrow_thread_signals_only_the_bits_of_its_mask)
{
	struct zoo zoo;
	zoo_make(&zoo);
	uint32_t thread = zoo.slot[CAPABILITY_THREAD], narrow = slot_take();
	MUST(kernel_narrow(slot(narrow), slot(thread), RIGHT_SIGNAL, 0x80000005));
	CHECK_EQUAL(kernel_signal(slot(narrow), 0xFFFFFFF6), 0);
	CHECK_EQUAL(events_of(thread), 0x80000004);
	MUST(kernel_narrow(slot(narrow), slot(narrow), RIGHTS_ALL, 0xFFFFFF0F)); /* no wider */
	CHECK_EQUAL(kernel_signal(slot(narrow), 0xFFFFFFFF), 0);
	CHECK_EQUAL(events_of(thread), 0x80000005);
	CHECK_EQUAL(rights_in(ROOT_DOMAIN, narrow), RIGHT_SIGNAL);
	slot_give(narrow);
	zoo_end(&zoo);
}

TEST(narrow_ports_can_not_be_widened)
{
	uint32_t to = slot_take(), narrow = slot_take(),
		 all = RIGHTS_ALL << CAPABILITY_RIGHTS_SHIFT;
	MUST(kernel_narrow(slot(narrow), slot(ROOT_PORTS), 0, 0x100 | 0x11F << 16));
	REFUSED(ERROR_ARGUMENT, SLOT_SELF, self_narrow_op, to | all, narrow, 0x0FF | 0x11F << 16);
	REFUSED(ERROR_ARGUMENT, SLOT_SELF, self_narrow_op, to | all, narrow, 0x100 | 0x120 << 16);
	REFUSED(ERROR_ARGUMENT, SLOT_SELF, self_narrow_op, to | all, narrow, 0x000 | 0xFFFFu << 16);
	REFUSED(ERROR_ARGUMENT, SLOT_SELF, self_narrow_op, to | all, narrow, 0x111 | 0x110 << 16);
	REFUSED(ERROR_ARGUMENT, SLOT_SELF, self_narrow_op, to | all, narrow, 0x120 | 0x120 << 16);
	CHECK_EQUAL(kernel_narrow(slot(narrow), slot(narrow), 0, 0x100 | 0x100 << 16),
		    0); /* in place */
	REFUSED(ERROR_ARGUMENT, SLOT_SELF, self_narrow_op, to | all, narrow, 0x100 | 0x101 << 16);
	slot_give(narrow);
	slot_give(to);
}

TEST(badge_is_read_by_the_doors_own_domain_only)
{
	struct zoo zoo;
	zoo_make(&zoo);
	struct attempt_door at = {zoo.slot[CAPABILITY_DOOR], OPTION_CAPABILITIES,
				  LEND_SLOTS(ROOT_AUTHORITY, 0, 0, 0)};
	uint32_t home = slot_take(), foreign = slot_take();
	MUST(kernel_door(slot(ROOT_DOMAIN), slot(home), 0xAABBCCDD00112233ull));
	MUST(kernel_door(slot(zoo.slot[CAPABILITY_DOMAIN]), slot(foreign), 0x0123456789ABCDEFull));
	domain_give(&zoo.peer, 1, home);
	domain_give(&zoo.peer, 2, foreign);
	uint64_t badge = 0;
	CHECK_EQUAL(kernel_badge(slot(home), &badge), 0);
	CHECK_EQUAL(badge, 0xAABBCCDD00112233ull);
	REFUSED(ERROR_BADGE, SLOT_SELF, self_badge_op, foreign, 0, 0);
	REFUSED_THERE(at, ERROR_BADGE, SLOT_SELF, self_badge_op, 1, 0, 0);
	REFUSED_THERE(at, ERROR_KIND, SLOT_SELF, self_badge_op, SLOT_LENT, 0, 0);
	struct words words = {{self_badge_op, 2, 0, 0}};
	CHECK_EQUAL(peer_invoke(at, SLOT_SELF, &words), 0);
	CHECK(words.w[0] == 0x89ABCDEF && words.w[1] == 0x01234567);
	for (uint32_t kind = CAPABILITY_SELF; kind < CAPABILITY_KINDS; kind++)
		REFUSED(ERROR_KIND, SLOT_SELF, self_badge_op, zoo.slot[kind], 0, 0);
	REFUSED(ERROR_EMPTY, SLOT_SELF, self_badge_op, zoo.slot[CAPABILITY_EMPTY], 0, 0);
	slot_give(home);
	slot_give(foreign);
	zoo_end(&zoo);
}

TEST(identify_names_thread_depth_and_domain)
{
	struct zoo zoo;
	zoo_make(&zoo);
	uint32_t thread, depth, domain;
	CHECK_EQUAL(kernel_identify(&thread, &depth, &domain), 0);
	CHECK(thread == boot_record->root_thread && depth == 0 &&
	      domain == boot_record->root_domain);
	struct words words = {{self_identify_op, 0, 0, 0}};
	CHECK_EQUAL(peer_invoke((struct attempt_door){zoo.slot[CAPABILITY_DOOR], 0, 0}, SLOT_SELF,
				&words),
		    0);
	CHECK(words.w[0] == thread && words.w[1] == 1 && words.w[2] == zoo.peer.object.frame);
	zoo_end(&zoo);
}

/* ---- what is lent
 * -------------------------------------------------------------------------------- */

/* The peer holds in its own list what it needs to keep something: 1 its domain, 2 a thread, 3 a
 * line, 4 a bitmap. It is lent a copy of what it would like to keep. */
static void keeper_make(struct zoo *zoo)
{
	static const uint8_t kinds[] = {CAPABILITY_DOMAIN, CAPABILITY_THREAD, CAPABILITY_IRQ,
					CAPABILITY_BITMAP};
	zoo_make(zoo);
	for (uint32_t i = 0; i < sizeof(kinds); i++)
		domain_give(&zoo->peer, i + 1, zoo->slot[kinds[i]]);
}

TEST(lent_slots_work_as_ones_own)
{
	struct zoo zoo;
	zoo_make(&zoo);
	struct attempt_door at = {zoo.slot[CAPABILITY_DOOR], OPTION_CAPABILITIES,
				  LEND_SLOTS(ROOT_AUTHORITY, zoo.slot[CAPABILITY_THREAD], 0, 0)};
	struct words words = {{authority_inspect_op, zoo.peer.object.frame, 0, 0}};
	CHECK_EQUAL(peer_invoke(at, SLOT_LENT | 0, &words), 0);
	CHECK_EQUAL(words.w[0], OBJECT_DOMAIN);
	words = (struct words){{thread_signal_op, 0x40, 0, 0}};
	CHECK_EQUAL(peer_invoke(at, SLOT_LENT | 1, &words), 0);
	CHECK_EQUAL(events_of(zoo.slot[CAPABILITY_THREAD]), 0x40);
	REFUSED_THERE(at, ERROR_EMPTY, SLOT_LENT | 4, 1, 0, 0, 0);
	REFUSED_THERE(at, ERROR_EMPTY, SLOT_LENT | 0x7F, 1, 0, 0, 0);
	REFUSED_THERE(at, ERROR_EMPTY, SLOT_LENT | 1u << SLOT_BANK_SHIFT, 1, 0, 0, 0);
	REFUSED_THERE(at, ERROR_ARGUMENT, SLOT_LENT | OPTION_NESTED, authority_inspect_op, 0, 0, 0);
	REFUSED_THERE(at, ERROR_ARGUMENT, SLOT_LENT | 1u << 21, authority_inspect_op, 0, 0, 0);
	at = (struct attempt_door){zoo.slot[CAPABILITY_DOOR], 0,
				   0}; /* those of the call before are gone */
	REFUSED_THERE(at, ERROR_EMPTY, SLOT_LENT | 0, authority_inspect_op, 0, 0, 0);
	at.options = OPTION_WINDOWS;
	REFUSED_THERE(at, ERROR_EMPTY, SLOT_LENT | 0, authority_inspect_op, 0, 0, 0);
	zoo_end(&zoo);
}

TEST(lent_slots_are_no_place_to_put_something)
{
	struct zoo zoo;
	keeper_make(&zoo);
	struct attempt_door at = {zoo.slot[CAPABILITY_DOOR], OPTION_CAPABILITIES | OPTION_KEEP,
				  LEND_SLOTS(ROOT_AUTHORITY, ROOT_THREAD, ROOT_PORTS, 0)};
	REFUSED_THERE(at, ERROR_ARGUMENT, SLOT_SELF, self_copy_op, SLOT_LENT | 3, 1, 0);
	REFUSED_THERE(at, ERROR_ARGUMENT, SLOT_SELF, self_move_op, SLOT_LENT | 3, 1, 0);
	REFUSED_THERE(at, ERROR_ARGUMENT, SLOT_SELF, self_delete_op, SLOT_LENT, 0, 0);
	REFUSED_THERE(at, ERROR_ARGUMENT, SLOT_SELF, self_narrow_op, SLOT_LENT | 15u << 24, 1, 0);
	REFUSED_THERE(at, ERROR_ARGUMENT, 1, domain_grant_op, SLOT_LENT, 1, 0);
	REFUSED_THERE(at, ERROR_ARGUMENT, 1, domain_delete_op, SLOT_LENT, 0, 0);
	REFUSED_THERE(at, ERROR_ARGUMENT, 1, domain_door_op, SLOT_LENT, 0, 0);
	REFUSED_THERE(at, ERROR_ARGUMENT, 1, domain_read_op, SLOT_LENT, 0, 0);
	REFUSED_THERE(at, ERROR_ARGUMENT, SLOT_LENT, authority_fetch_op, zoo.page.frame, SLOT_LENT,
		      0);
	zoo_end(&zoo);
}

TEST(lent_without_keep_can_not_be_kept_in_any_way)
{
	struct zoo zoo;
	keeper_make(&zoo);
	struct object table = bitmap_make();
	struct attempt_door at = {
		zoo.slot[CAPABILITY_DOOR], OPTION_CAPABILITIES,
		LEND_SLOTS(zoo.slot[CAPABILITY_THREAD], zoo.page.slot, ROOT_PORTS, table.slot)};
	REFUSED_THERE(at, ERROR_TRANSIENT, SLOT_SELF, self_copy_op, 9, SLOT_LENT, 0);
	REFUSED_THERE(at, ERROR_TRANSIENT, SLOT_SELF, self_move_op, 9, SLOT_LENT, 0);
	REFUSED_THERE(at, ERROR_TRANSIENT, SLOT_SELF, self_narrow_op, 9 | 15u << 24, SLOT_LENT,
		      0xFFFFFFFF);
	REFUSED_THERE(at, ERROR_TRANSIENT, 1, domain_grant_op, 9, SLOT_LENT, 0);
	REFUSED_THERE(at, ERROR_TRANSIENT, 1, domain_attach_op, 0, SLOT_LENT | 1, 0);
	REFUSED_THERE(at, ERROR_TRANSIENT, 1, domain_attach_op, 0, SLOT_LENT | 3, 0);
	REFUSED_THERE(at, ERROR_TRANSIENT, 2, thread_attach_op, 1, SLOT_LENT | 1, 0);
	REFUSED_THERE(at, ERROR_TRANSIENT, 3, irq_bind_op, SLOT_LENT, 0, 0);
	REFUSED_THERE(at, ERROR_TRANSIENT, 4, bitmap_allow_op, SLOT_LENT | 2, 0, 0);
	bitmap_end(table);
	zoo_end(&zoo);
}

TEST(lent_to_keep_can_be_kept_but_not_moved)
{
	struct zoo zoo;
	keeper_make(&zoo);
	struct attempt_door at = {
		zoo.slot[CAPABILITY_DOOR], OPTION_CAPABILITIES | OPTION_KEEP,
		LEND_SLOTS(zoo.slot[CAPABILITY_THREAD], zoo.page.slot, ROOT_PORTS, 0)};
	struct words words = {{self_copy_op, 9, SLOT_LENT, 0}};
	CHECK_EQUAL(peer_invoke(at, SLOT_SELF, &words), 0);
	CHECK_EQUAL(kind_in(zoo.peer.object.slot, 9), CAPABILITY_THREAD);
	words = (struct words){{self_narrow_op, 10, SLOT_LENT, 1}};
	CHECK_EQUAL(peer_invoke(at, SLOT_SELF, &words), 0);
	CHECK_EQUAL(rights_in(zoo.peer.object.slot, 10), 0);
	words = (struct words){{domain_grant_op, 11, SLOT_LENT | 2, 0}};
	CHECK_EQUAL(peer_invoke(at, 1, &words), 0);
	CHECK_EQUAL(kind_in(zoo.peer.object.slot, 11), CAPABILITY_PORTS);
	REFUSED_THERE(at, ERROR_ARGUMENT, SLOT_SELF, self_move_op, 12, SLOT_LENT, 0);
	words = (struct words){{domain_attach_op, 0, SLOT_LENT | 1, 0}};
	CHECK_EQUAL(peer_invoke(at, 1, &words), 0); /* the lock page */
	zoo_end(&zoo);
}

/* A second peer in the middle, which lends on what it was lent. */
static struct words onward;
PEER lend_on(uint32_t options, uint32_t a, uint32_t lend, uint32_t badge_high)
{
	(void)a;
	(void)lend;
	(void)badge_high;
	onward.w[2] = LEND_SLOTS(SLOT_LENT, 0, 0, 0);
	uint32_t result = invoke(1 | options | OPTION_CAPABILITIES | OPTION_NESTED, &onward);
	return ANSWER(0, result);
}
static uint32_t keep_through_the_middle(uint32_t door, uint32_t first_option,
					uint32_t second_option)
{
	struct words words = {{second_option, 0, LEND_SLOTS(ROOT_PORTS, 0, 0, 0), 0}};
	invoke(slot(door).encoded | OPTION_CAPABILITIES | first_option, &words);
	return onward.w[0];
}
PEER keep_it(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation;
	(void)a;
	(void)b;
	(void)badge_high;
	return ANSWER(0, kernel_copy(slot(5), lent_slot(0)));
}

TEST(lent_on_is_kept_only_if_every_lender_says_so)
{
	struct domain outer, inner;
	peer_make(&outer, "outer");
	peer_make(&inner, "inner");
	uint32_t inside = peer_door(&inner, keep_it), door = peer_door(&outer, lend_on);
	domain_give(&outer, 1, inside);
	CHECK_EQUAL(keep_through_the_middle(door, 0, 0), ERROR_TRANSIENT);
	CHECK_EQUAL(keep_through_the_middle(door, OPTION_KEEP, 0), ERROR_TRANSIENT);
	CHECK_EQUAL(keep_through_the_middle(door, 0, OPTION_KEEP), ERROR_TRANSIENT);
	CHECK_EQUAL(kind_in(inner.object.slot, 5), CAPABILITY_EMPTY);
	CHECK_EQUAL(keep_through_the_middle(door, OPTION_KEEP, OPTION_KEEP), 0);
	CHECK_EQUAL(kind_in(inner.object.slot, 5), CAPABILITY_PORTS);
	slot_give(inside);
	slot_give(door);
	domain_end(&outer);
	domain_end(&inner);
}

/* Doors through lent slots and slots above 127, with each option. */
static uint32_t through_target;
PEER call_through(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation;
	(void)a;
	(void)badge_high;
	struct words words = {{7, 0, 0, 0}};
	(void)b;
	return ANSWER(0, invoke(through_target, &words));
}
PEER answers_9(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)a;
	(void)b;
	(void)badge_high;
	return ANSWER(9, operation);
}

TEST(doors_in_lent_slots_and_banks_are_called_with_any_option)
{
	static const uint32_t options[] = {0, OPTION_CAPABILITIES,
					   OPTION_NESTED | OPTION_CAPABILITIES | OPTION_KEEP,
					   OPTION_RESULTS, OPTION_MAY_WAIT};
	struct domain outer, inner;
	peer_make(&outer, "outer");
	peer_make(&inner, "inner");
	uint32_t inside = peer_door(&inner, answers_9), door = peer_door(&outer, call_through),
		 high = slot_high_take();
	for (uint32_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct words words = {{0, 0, LEND_SLOTS(0, inside, 0, 0), 0}};
		through_target = SLOT_LENT | 1 | OPTION_NESTED | options[i];
		CHECK_EQUAL(invoke(slot(door).encoded | OPTION_CAPABILITIES, &words), RETURN);
		CHECK_EQUAL(words.w[0], RETURN + 9);
		words = (struct words){{7, 0, 0, 0}};
		MUST(kernel_copy(slot(high), slot(inside)));
		CHECK_EQUAL(invoke(slot(high).encoded | options[i], &words), RETURN + 9);
		CHECK_EQUAL(words.w[0], 7);
	}
	MUST(kernel_delete(slot(high)));
	slot_give(inside);
	slot_give(door);
	domain_end(&outer);
	domain_end(&inner);
}

/* ---- slots above 127
 * --------------------------------------------------------------------------------- */

TEST(slots_of_a_capability_page_live_and_die_with_it)
{
	struct zoo zoo;
	zoo_make(&zoo);
	struct attempt_door at = {zoo.slot[CAPABILITY_DOOR], 0, 0};
	uint32_t domain = slot(zoo.peer.object.slot).encoded, first = SLOT_ENCODE(LIST_SLOTS + 256),
		 last = SLOT_ENCODE(LIST_SLOTS + 511), after = SLOT_ENCODE(LIST_SLOTS + 512);
	REFUSED(ERROR_ARGUMENT, domain, domain_grant_op, first, ROOT_AUTHORITY, 0);
	struct object page = object_make(OBJECT_CAPABILITY_PAGE, 0, 0);
	CHECK_EQUAL(kernel_domain_attach(slot(zoo.peer.object.slot), 1, slot(page.slot)), 0);
	CHECK_EQUAL(invoke_2(domain, domain_grant_op, first, ROOT_AUTHORITY), 0);
	CHECK_EQUAL(invoke_2(domain, domain_grant_op, last, ROOT_AUTHORITY), 0);
	REFUSED(ERROR_ARGUMENT, domain, domain_grant_op, after, ROOT_AUTHORITY, 0);
	REFUSED(ERROR_ARGUMENT, domain, domain_grant_op, SLOT_ENCODE(LIST_SLOTS), ROOT_AUTHORITY,
		0);
	struct words words = {{authority_inspect_op, 0, 0, 0}};
	CHECK_EQUAL(peer_invoke(at, first, &words), 0);
	words = (struct words){{self_move_op, last, first, 0}};
	CHECK_EQUAL(peer_invoke(at, SLOT_SELF, &words), 0);
	REFUSED_THERE(at, ERROR_EMPTY, first, authority_inspect_op, 0, 0, 0);
	words = (struct words){
		{authority_destroy_op, page.frame, object_generation(page.frame), 0}};
	CHECK_EQUAL(peer_invoke(at, last, &words),
		    0); /* the page of the very capability that is invoked */
	REFUSED_THERE(at, ERROR_EMPTY, last, authority_inspect_op, 0, 0, 0);
	REFUSED_THERE(at, ERROR_ARGUMENT, SLOT_SELF, self_delete_op, last, 0, 0);
	REFUSED_THERE(at, ERROR_EMPTY, SLOT_SELF, self_copy_op, 1, last, 0);
	slot_give(page.slot);
	frame_give(page.frame);
	zoo_end(&zoo);
}

TEST(destroying_kills_all_copies_at_once)
{
	struct zoo zoo;
	zoo_make(&zoo);
	struct object page = object_make(OBJECT_DATA_PAGE, 0, 0);
	uint32_t low = slot_take(), high = slot_high_take(),
		 generation = object_generation(page.frame);
	struct attempt_door at = {zoo.slot[CAPABILITY_DOOR], OPTION_CAPABILITIES,
				  LEND_SLOTS(low, 0, 0, 0)};
	MUST(kernel_copy(slot(low), slot(page.slot)));
	MUST(kernel_copy(slot(high), slot(page.slot)));
	domain_give(&zoo.peer, 5, page.slot);
	MUST(kernel_destroy(AUTHORITY, page.frame, generation));
	CHECK_EQUAL(object_generation(page.frame), generation + 1);
	for (uint32_t again = 0; again < 2; again++) { /* then with another object in the frame */
		REFUSED(ERROR_STALE, slot(page.slot).encoded, OPERATION_PROBE, 0, 0, 0);
		REFUSED(ERROR_STALE, slot(low).encoded, OPERATION_PROBE, 0, 0, 0);
		REFUSED(ERROR_STALE, slot(high).encoded, OPERATION_PROBE, 0, 0, 0);
		REFUSED_THERE(at, ERROR_STALE, 5, OPERATION_PROBE, 0, 0, 0);
		REFUSED_THERE(at, ERROR_STALE, SLOT_LENT, OPERATION_PROBE, 0, 0, 0);
		if (!again)
			MUST(kernel_create(AUTHORITY, OBJECT_DATA_PAGE, 0, page.frame,
					   generation + 1, 0));
	}
	object_fetch(page.frame, low);
	CHECK_EQUAL(kernel_probe(slot(low)), 0);
	MUST(kernel_delete(slot(high)));
	slot_give(low);
	object_end(page);
	zoo_end(&zoo);
}
