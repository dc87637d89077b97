/* SPDX-License-Identifier: MIT */
/* kernel/domain.c: a domain's list, entries, doors and pages, by whoever has its capability. */
#include "test.h"

static uint32_t kind_in(uint32_t domain, uint32_t number)
{
	struct words answer;
	MUST(kernel_domain_read(slot(domain), slot(number), &answer));
	return answer.w[0] >> 4;
}

static const uint32_t no_slots[] = {
	0x80,        0x84,
	0x100,       0x8000,
	9u << 16,    31u << 16,
	1u << 21,    1u << 31,
	0xFFFFFFFFu, 1u << SLOT_BANK_SHIFT}; /* the last: a page that is not attached */
#define NO_SLOTS (sizeof(no_slots) / sizeof(no_slots[0]))

TEST(domain_operations_refuse_slots_that_are_none)
{
	struct zoo zoo;
	zoo_make(&zoo);
	uint32_t domain = SLOT_ENCODE(zoo.peer.object.slot);
	for (uint32_t i = 0; i < NO_SLOTS; i++) {
		REFUSED(ERROR_ARGUMENT, domain, domain_grant_op, no_slots[i], ROOT_AUTHORITY, 0);
		REFUSED(ERROR_ARGUMENT, domain, domain_delete_op, no_slots[i], 0, 0);
		REFUSED(ERROR_ARGUMENT, domain, domain_read_op, no_slots[i], 0, 0);
		if (no_slots[i] == 1u << SLOT_BANK_SHIFT)
			continue; /* root has that one: the next two name slots of the caller's list
				   */
		REFUSED(ERROR_EMPTY, domain, domain_grant_op, 1, no_slots[i], 0);
		REFUSED(ERROR_ARGUMENT, domain, domain_door_op, no_slots[i], 1, 2);
	}
	REFUSED(ERROR_ARGUMENT, domain, domain_grant_op, SLOT_SELF, ROOT_AUTHORITY, 0);
	REFUSED(ERROR_ARGUMENT, domain, domain_delete_op, SLOT_SELF, 0, 0);
	zoo_end(&zoo);
}

TEST(grant_and_delete_change_the_other_list_only)
{
	struct zoo zoo;
	zoo_make(&zoo);
	uint32_t there = zoo.peer.object.slot;
	for (uint32_t kind = CAPABILITY_DOOR; kind < CAPABILITY_KINDS; kind++) {
		struct words here, other;
		CHECK_EQUAL(kernel_grant(slot(there), slot(127), slot(zoo.slot[kind])), 0);
		MUST(kernel_domain_read(slot(ROOT_DOMAIN), slot(zoo.slot[kind]), &here));
		MUST(kernel_domain_read(slot(there), slot(127), &other));
		CHECK(here.w[0] == other.w[0] && here.w[1] == other.w[1] &&
		      here.w[2] == other.w[2]);
	}
	CHECK_EQUAL(kernel_delete_there(slot(there), slot(127)), 0);
	CHECK_EQUAL(kind_in(there, 127), CAPABILITY_EMPTY);
	CHECK_EQUAL(kernel_delete_there(slot(there), slot(127)), 0); /* repeatable */
	CHECK_EQUAL(kernel_probe(slot(zoo.slot[CAPABILITY_PAGE])), 0);
	MUST(kernel_grant(slot(there), slot(1), slot(ROOT_AUTHORITY)));
	CHECK_EQUAL(kernel_grant(slot(there), slot(1), slot(zoo.slot[CAPABILITY_EMPTY])),
		    0); /* empties it */
	CHECK_EQUAL(kind_in(there, 1), CAPABILITY_EMPTY);
	zoo_end(&zoo);
}

TEST(what_is_granted_works_there_and_what_is_deleted_does_not)
{
	struct zoo zoo;
	zoo_make(&zoo);
	struct attempt_door at = {zoo.slot[CAPABILITY_DOOR], 0, 0};
	domain_give(&zoo.peer, 3, ROOT_AUTHORITY);
	struct words words = {{authority_inspect_op, boot_record->root_domain, 0, 0}};
	CHECK_EQUAL(peer_invoke(at, 3, &words), 0);
	MUST(kernel_delete_there(slot(zoo.peer.object.slot), slot(3)));
	REFUSED_THERE(at, ERROR_EMPTY, 3, authority_inspect_op, boot_record->root_domain, 0, 0);
	zoo_end(&zoo);
}

TEST(read_tells_kind_rights_index_and_generation_but_no_badge)
{
	struct domain peer;
	peer_make(&peer, "peer");
	uint32_t door = domain_door(&peer, 0x5555666677778888ull);
	struct words answer;
	CHECK_EQUAL(kernel_domain_read(slot(ROOT_DOMAIN), slot(door), &answer), 0);
	CHECK_EQUAL(answer.w[0], CAPABILITY_DOOR << 4);
	CHECK_EQUAL(answer.w[1], peer.object.frame);
	CHECK_EQUAL(answer.w[2], object_generation(peer.object.frame));
	CHECK_EQUAL(answer.w[3], 0); /* as it was */
	CHECK_EQUAL(kernel_domain_read(slot(peer.object.slot), slot(SLOT_SELF), &answer), 0);
	CHECK_EQUAL(answer.w[0], CAPABILITY_SELF << 4);
	CHECK_EQUAL(kernel_domain_read(slot(peer.object.slot), slot(7), &answer), 0);
	CHECK(answer.w[0] == 0 && answer.w[1] == 0 && answer.w[2] == 0);
	slot_give(door);
	domain_end(&peer);
}

TEST(set_refuses_fields_and_addresses_out_of_range)
{
	struct zoo zoo;
	zoo_make(&zoo);
	uint32_t domain = SLOT_ENCODE(zoo.peer.object.slot);
	for (uint32_t field = 0; field < DOMAIN_FIELDS; field++) {
		REFUSED(ERROR_ARGUMENT, domain, domain_set_op, field, KERNEL_BASE, 0);
		REFUSED(ERROR_ARGUMENT, domain, domain_set_op, field, 0xFFFFFFFF, 0);
	}
	for (uint32_t field = DOMAIN_FIELDS; field; field <<= 1)
		REFUSED(ERROR_ARGUMENT, domain, domain_set_op, field, IMAGE_BASE, 0);
	CHECK_EQUAL(peer_invoke((struct attempt_door){zoo.slot[CAPABILITY_DOOR], 0, 0}, SLOT_SELF,
				&(struct words){{self_identify_op, 0, 0, 0}}),
		    0); /* its entry is what it was */
	zoo_end(&zoo);
}

static __attribute__((naked)) void other_entry(void)
{
	asm("mov %0, %%eax\n\tsysenter" : : "i"(RETURN + 33));
}
static uint32_t change_error;
PEER entry_change(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation;
	(void)a;
	(void)b;
	(void)badge_high;
	change_error = kernel_domain_set(slot(1), DOMAIN_ENTRY, (uint32_t)other_entry);
	return ANSWER(11, 0);
}

TEST(entry_changed_while_a_thread_is_inside_holds_for_the_next_call)
{
	struct domain peer;
	peer_make(&peer, "peer");
	domain_give(&peer, 1, peer.object.slot);
	uint32_t door = peer_door(&peer, entry_change);
	CHECK_EQUAL(door_call(slot(door).encoded, 0, 0, 0, NULL), RETURN + 11);
	CHECK_EQUAL(change_error, 0);
	CHECK_EQUAL(door_call(slot(door).encoded, 0, 0, 0, NULL), RETURN + 33);
	domain_entries(&peer, KERNEL_BASE - 1,
		       (uint32_t)fault_entry); /* nothing is there: its client's error */
	CHECK_EQUAL(door_call(slot(door).encoded, 0, 0, 0, NULL), ERROR_CALLEE_FAULTED);
	domain_entries(&peer, (uint32_t)other_entry, 0);
	CHECK_EQUAL(door_call(slot(door).encoded, 0, 0, 0, NULL), RETURN + 33);
	slot_give(door);
	domain_end(&peer);
}

TEST(doors_carry_their_badge_and_the_mark_of_a_confidential_domain)
{
	struct domain plain, secret;
	domain_make(&plain, "plain", 0);
	domain_make(&secret, "secret", 1);
	uint32_t door = slot_take();
	struct words answer;
	CHECK_EQUAL(kernel_door(slot(plain.object.slot), slot(door), 1), 0);
	MUST(kernel_domain_read(slot(ROOT_DOMAIN), slot(door), &answer));
	CHECK_EQUAL(answer.w[0], CAPABILITY_DOOR << 4);
	CHECK_EQUAL(kernel_door(slot(secret.object.slot), slot(door), 1), 0);
	MUST(kernel_domain_read(slot(ROOT_DOMAIN), slot(door), &answer));
	CHECK_EQUAL(answer.w[0], CAPABILITY_DOOR << 4 | RIGHT_CONFIDENTIAL);
	slot_give(door);
	domain_end(&secret);
	domain_end(&plain);
}

TEST(attach_refuses_what_is_no_page_for_a_domain)
{
	struct zoo zoo;
	zoo_make(&zoo);
	uint32_t domain = SLOT_ENCODE(zoo.peer.object.slot);
	struct object data = object_make(OBJECT_DATA_PAGE, 0, 0),
		      table = object_make(OBJECT_TABLE, 0, 0),
		      capabilities = object_make(OBJECT_CAPABILITY_PAGE, 0, 0);
	for (uint32_t kind = CAPABILITY_DOOR; kind < CAPABILITY_BITMAP; kind++)
		REFUSED(ERROR_KIND, domain, domain_attach_op, 0, zoo.slot[kind], 0);
	REFUSED(ERROR_EMPTY, domain, domain_attach_op, 0, zoo.slot[CAPABILITY_EMPTY], 0);
	for (uint32_t i = 0; i < NO_SLOTS; i++)
		REFUSED(ERROR_EMPTY, domain, domain_attach_op, 0, no_slots[i], 0);
	REFUSED(ERROR_KIND, domain, domain_attach_op, 0, SLOT_ENCODE(data.slot), 0);
	REFUSED(ERROR_KIND, domain, domain_attach_op, 0, SLOT_ENCODE(table.slot), 0);
	for (uint32_t number = BANK_PAGES; number; number <<= 1)
		REFUSED(ERROR_ARGUMENT, domain, domain_attach_op, number,
			SLOT_ENCODE(capabilities.slot), 0);
	REFUSED(ERROR_ARGUMENT, domain, domain_attach_op, 1, SLOT_ENCODE(zoo.page.slot),
		0); /* a lock page has none */
	REFUSED(ERROR_ARGUMENT, domain, domain_attach_op, 1, SLOT_ENCODE(zoo.bitmap.slot), 0);
	object_end(data);
	object_end(table);
	object_end(capabilities);
	zoo_end(&zoo);
}

TEST(attach_refuses_pages_that_were_destroyed)
{
	static const uint8_t kinds[] = {OBJECT_CAPABILITY_PAGE, OBJECT_LOCK_PAGE, OBJECT_DATA_PAGE};
	struct zoo zoo;
	zoo_make(&zoo);
	uint32_t domain = SLOT_ENCODE(zoo.peer.object.slot), stale = slot_take();
	for (uint32_t i = 0; i < sizeof(kinds); i++) {
		struct object page = object_make(kinds[i], 0, 0);
		MUST(kernel_copy(slot(stale), slot(page.slot)));
		object_end(page);
		REFUSED(ERROR_STALE, domain, domain_attach_op, 0, stale, 0);
	}
	struct object bitmap = bitmap_make();
	MUST(kernel_copy(slot(stale), slot(bitmap.slot)));
	bitmap_end(bitmap);
	REFUSED(ERROR_STALE, domain, domain_attach_op, 0, stale, 0);
	slot_give(stale);
	zoo_end(&zoo);
}

TEST(attached_pages_are_not_attached_twice)
{
	struct domain first, second;
	peer_make(&first, "first");
	peer_make(&second, "second");
	uint32_t one = SLOT_ENCODE(first.object.slot), two = SLOT_ENCODE(second.object.slot);
	struct object page[3] = {object_make(OBJECT_CAPABILITY_PAGE, 0, 0),
				 object_make(OBJECT_LOCK_PAGE, 0, 0), bitmap_make()},
		      other[3] = {object_make(OBJECT_CAPABILITY_PAGE, 0, 0),
				  object_make(OBJECT_LOCK_PAGE, 0, 0), bitmap_make()};
	for (uint32_t i = 0; i < 3; i++) {
		CHECK_EQUAL(invoke_2(one, domain_attach_op, 0, SLOT_ENCODE(page[i].slot)), 0);
		REFUSED(ERROR_STATE, two, domain_attach_op, 0, SLOT_ENCODE(page[i].slot), 0);
		REFUSED(ERROR_STATE, one, domain_attach_op, 0, SLOT_ENCODE(page[i].slot), 0);
		REFUSED(ERROR_STATE, one, domain_attach_op, 0, SLOT_ENCODE(other[i].slot), 0);
		CHECK_EQUAL(invoke_2(two, domain_attach_op, 0, SLOT_ENCODE(other[i].slot)),
			    0); /* it was still free */
	}
	REFUSED(ERROR_STATE, one, domain_attach_op, 3, SLOT_ENCODE(page[0].slot), 0);
	domain_end(&first);
	REFUSED(ERROR_STATE, two, domain_attach_op, 3, SLOT_ENCODE(page[0].slot),
		0); /* not even then */
	for (uint32_t i = 0; i < 2; i++) {
		object_end(page[i]);
		object_end(other[i]);
	}
	bitmap_end(page[2]);
	bitmap_end(other[2]);
	domain_end(&second);
}

TEST(attached_pages_are_replaced_after_they_were_destroyed)
{
	static const uint8_t kinds[] = {OBJECT_CAPABILITY_PAGE, OBJECT_LOCK_PAGE, OBJECT_BITMAP};
	struct domain peer;
	peer_make(&peer, "peer");
	for (uint32_t i = 0; i < 6; i++) { /* each twice */
		_Bool bitmap = kinds[i / 2] == OBJECT_BITMAP;
		struct object page = bitmap ? bitmap_make() : object_make(kinds[i / 2], 0, 0);
		CHECK_EQUAL(kernel_domain_attach(slot(peer.object.slot), 0, slot(page.slot)), 0);
		if (kinds[i / 2] == OBJECT_CAPABILITY_PAGE) { /* what was in the old one is gone */
			CHECK_EQUAL(kind_in(peer.object.slot, LIST_SLOTS), CAPABILITY_EMPTY);
			domain_give(&peer, LIST_SLOTS, ROOT_AUTHORITY);
		}
		if (bitmap)
			bitmap_end(page);
		else
			object_end(page);
	}
	domain_end(&peer);
}

TEST(banks_that_are_none_do_not_reach_the_lock_page_or_the_bitmap)
{
	struct zoo zoo;
	zoo_make(&zoo);
	uint32_t domain = SLOT_ENCODE(zoo.peer.object.slot);
	MUST(kernel_domain_attach(slot(zoo.peer.object.slot), 0, slot(zoo.page.slot)));
	MUST(kernel_domain_attach(slot(zoo.peer.object.slot), 0, slot(zoo.bitmap.slot)));
	uint32_t lock_page = *(uint32_t *)frame_pointer(zoo.page.frame);
	for (uint32_t bank = SLOT_BANKS; bank < SLOT_BANKS + 16; bank++) {
		REFUSED(ERROR_ARGUMENT, domain, domain_grant_op, bank << SLOT_BANK_SHIFT,
			ROOT_AUTHORITY, 0);
		REFUSED(ERROR_ARGUMENT, domain, domain_read_op, bank << SLOT_BANK_SHIFT, 0, 0);
	}
	CHECK_EQUAL(*(uint32_t *)frame_pointer(zoo.page.frame), lock_page);
	zoo_end(&zoo);
}

TEST(all_banks_of_a_domain_are_separate)
{
	struct domain peer;
	struct object page[BANK_PAGES];
	peer_make(&peer, "peer");
	for (uint32_t i = 0; i < BANK_PAGES; i++) {
		page[i] = object_make(OBJECT_CAPABILITY_PAGE, 0, 0);
		MUST(kernel_domain_attach(slot(peer.object.slot), i, slot(page[i].slot)));
	}
	for (uint32_t number = LIST_SLOTS - 1; number < SLOTS_MAX; number += 128)
		domain_give(&peer, number, ROOT_AUTHORITY);
	for (uint32_t number = 1; number < SLOTS_MAX; number++)
		CHECK_EQUAL(kind_in(peer.object.slot, number),
			    number % 128 == 127 ? CAPABILITY_AUTHORITY : CAPABILITY_EMPTY);
	object_end(page[1]); /* the middle one only */
	for (uint32_t number = LIST_SLOTS; number < SLOTS_MAX; number += 128) {
		struct words answer;
		CHECK_EQUAL(kernel_domain_read(slot(peer.object.slot), slot(number), &answer),
			    (number - LIST_SLOTS) / 256 == 1 ? ERROR_ARGUMENT : 0);
	}
	object_end(page[0]);
	object_end(page[2]);
	object_end(page[3]);
	domain_end(&peer);
}
