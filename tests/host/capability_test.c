// sources: tests/host/machine/tap.c tests/host/machine/machine.c kernel/authority.c kernel/call.c
// sources: kernel/capability.c kernel/dispatch.c kernel/domain.c kernel/fault.c kernel/irq.c
// sources: kernel/thread.c kernel/x86/pic.c kernel/x86/timer.c boot/devices.c
/* SPDX-License-Identifier: MIT */
/* Capability lists: slots, banks, lent slots; copying, narrowing, badges; rights, generations. */
#include <string.h>

#include "machine/machine.h"

static const struct lending nothing;

static bool slot_is(uint32_t encoded, const struct capability *wanted)
{
	const struct capability *found = slot_find(cpu.running_domain, encoded);
	return found && !memcmp(found, wanted, sizeof(*wanted));
}

static struct capability *bank_attach(uint32_t number)
{
	uint32_t frame = object_new(OBJECT_CAPABILITY_PAGE, 0, 0);
	slot_set(40, capability_to(CAPABILITY_PAGE, frame));
	CHECK_EQUAL(
		machine_invoke(&root_domain->list[ROOT_DOMAIN], domain_attach_op, number, 40, 0),
		0);
	return page_of(frame);
}

TEST(slots_are_found_by_bank)
{
	machine_start();
	struct capability *pages[BANK_PAGES];
	for (uint32_t i = 0; i < BANK_PAGES; i++)
		pages[i] = bank_attach(i);
	for (uint32_t slot = 0; slot < SLOTS_MAX; slot++) {
		struct capability *wanted =
			slot < LIST_SLOTS
				? &root_domain->list[slot]
				: &pages[(slot - LIST_SLOTS) / 256][(slot - LIST_SLOTS) % 256];
		CHECK(slot_find(root_domain, SLOT_ENCODE(slot)) == wanted);
	}
}

TEST(slot_numbers_without_a_slot_are_refused)
{
	machine_start();
	bank_attach(1);
	for (uint32_t bank = 0; bank < 64; bank++)
		for (uint32_t low = 0; low < 0x10000; low += 61) {
			bool there = low < LIST_SLOTS && (bank == 0 || bank == 3 || bank == 4);
			CHECK(!!slot_find(root_domain, bank << SLOT_BANK_SHIFT | low) == there);
		}
	CHECK(!slot_find(root_domain, 0xFFFFFFFF));
	CHECK(!slot_find(root_domain, 0x80000001));
	CHECK(!slot_find(root_domain, SLOT_LENT));
}

TEST(bank_goes_with_its_page)
{
	machine_start();
	struct capability *page = bank_attach(2);
	CHECK(slot_find(root_domain, SLOT_ENCODE(LIST_SLOTS + 512)) == page);
	object_end(frame_of(page));
	CHECK(!slot_find(root_domain, SLOT_ENCODE(LIST_SLOTS + 512)));
	CHECK(bank_attach(2) != NULL);
}

TEST(bank_is_attached_once)
{
	machine_start();
	bank_attach(0);
	struct capability *self = &root_domain->list[ROOT_DOMAIN];
	CHECK_EQUAL(machine_invoke(self, domain_attach_op, 1, 40, 0), ERROR_STATE);
	slot_set(41, capability_to(CAPABILITY_PAGE, object_new(OBJECT_CAPABILITY_PAGE, 0, 0)));
	CHECK_EQUAL(machine_invoke(self, domain_attach_op, 0, 41, 0), ERROR_STATE);
	CHECK_EQUAL(machine_invoke(self, domain_attach_op, BANK_PAGES, 41, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_invoke(self, domain_attach_op, 1, 42, 0), ERROR_EMPTY);
	CHECK_EQUAL(machine_invoke(self, domain_attach_op, 1, ROOT_THREAD, 0), ERROR_KIND);
	slot_set(42, capability_to(CAPABILITY_PAGE, object_new(OBJECT_DATA_PAGE, 0, 0)));
	CHECK_EQUAL(machine_invoke(self, domain_attach_op, 1, 42, 0), ERROR_KIND);
}

TEST(copy_move_delete)
{
	machine_start();
	bank_attach(0);
	struct capability door = door_to(root_domain, 0x1122334455667788);
	uint32_t far = SLOT_ENCODE(LIST_SLOTS + 255);
	slot_set(50, door);
	CHECK_EQUAL(machine_self(self_copy_op, far, 50, 0), 0);
	CHECK(slot_is(far, &door) && slot_is(50, &door));
	CHECK_EQUAL(machine_self(self_move_op, 51, far, 0), 0);
	CHECK(slot_is(51, &door) && slot_is(far, &(struct capability){0}));
	CHECK_EQUAL(machine_self(self_move_op, 51, 51, 0), 0);
	CHECK(slot_is(51, &door));
	CHECK_EQUAL(machine_self(self_delete_op, 51, 0, 0), 0);
	CHECK(slot_is(51, &(struct capability){0}));
	CHECK_EQUAL(machine_self(self_copy_op, 51, SLOT_ENCODE(LIST_SLOTS + 256), 0), ERROR_EMPTY);
	CHECK_EQUAL(machine_self(self_copy_op, SLOT_ENCODE(LIST_SLOTS + 256), 51, 0),
		    ERROR_ARGUMENT);
}

TEST(slot_0_stays)
{
	machine_start();
	const struct capability self = root_domain->list[SLOT_SELF];
	CHECK_EQUAL(machine_self(self_copy_op, SLOT_SELF, ROOT_THREAD, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_self(self_move_op, SLOT_SELF, ROOT_THREAD, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_self(self_move_op, 60, SLOT_SELF, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_self(self_delete_op, SLOT_SELF, 0, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_self(self_narrow_op, SLOT_SELF, ROOT_THREAD, 0), ERROR_ARGUMENT);
	struct capability *domain = &root_domain->list[ROOT_DOMAIN];
	CHECK_EQUAL(machine_invoke(domain, domain_grant_op, SLOT_SELF, 3, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_invoke(domain, domain_delete_op, SLOT_SELF, 0, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_invoke(domain, domain_door_op, SLOT_SELF, 0, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_invoke(&root_domain->list[ROOT_AUTHORITY], authority_fetch_op,
				   frame_of(root_domain), SLOT_SELF, 0),
		    ERROR_ARGUMENT);
	CHECK(slot_is(SLOT_SELF, &self));
}

TEST(slot_0_stays_when_moved_by_a_copy_of_itself)
{
	machine_start();
	const struct capability self = root_domain->list[SLOT_SELF];
	CHECK_EQUAL(machine_self(self_copy_op, 70, SLOT_SELF, 0), 0);
	CHECK_EQUAL(machine_invoke(&root_domain->list[70], self_move_op, 71, SLOT_SELF, 0),
		    ERROR_ARGUMENT);
	CHECK(slot_is(SLOT_SELF, &self));
}

/* A service that was lent one thing, with or without leave to keep it. */
static struct domain *service_enter(uint32_t options)
{
	machine_start();
	struct domain *service = domain_new(0);
	slot_set(50, door_to(service, 0));
	slot_set(51, door_to(service, 77));
	slot_set(52, capability_to(CAPABILITY_DOMAIN, frame_of(service)));
	struct lending lending = {.capabilities = 51 | 52 << 8};
	CHECK_EQUAL(machine_call(50 | OPTION_CAPABILITIES | options, lending), 0);
	return service;
}

TEST(lent_slots_are_those_of_this_call)
{
	struct domain *service = service_enter(0);
	CHECK_EQUAL(slot_named(SLOT_LENT)->badge_low, 77);
	CHECK_EQUAL(capability_kind(slot_named(SLOT_LENT | 1)), CAPABILITY_DOMAIN);
	CHECK(!slot_named(SLOT_LENT | 2)); /* none: slot 0 */
	for (uint32_t slot = SLOT_LENT + LENT_SLOTS; slot < 0x1000; slot += 0x11)
		if (slot & SLOT_LENT)
			CHECK(!slot_named(slot));
	CHECK(!slot_named(SLOT_LENT | 1u << SLOT_BANK_SHIFT));
	slot_set(9, door_to(service, 5));
	CHECK_EQUAL(machine_call(9, nothing),
		    0); /* a call that lends nothing: none of the one before */
	for (uint32_t slot = 0; slot < LENT_SLOTS; slot++)
		CHECK(!slot_named(SLOT_LENT | slot));
	machine_return(0, 0);
	CHECK_EQUAL(slot_named(SLOT_LENT)->badge_low, 77);
	machine_return(0, 0);
	CHECK(!slot_named(SLOT_LENT));
}

TEST(call_that_lends_nothing_has_no_lent_slots)
{
	machine_start();
	slot_set(50, door_to(domain_new(0), 0));
	CHECK_EQUAL(machine_call(50, nothing), 0);
	for (uint32_t slot = 0; slot < LENT_SLOTS; slot++)
		CHECK(!slot_named(SLOT_LENT | slot));
}

TEST(lent_can_be_used_but_not_kept)
{
	struct domain *service = service_enter(0);
	CHECK_EQUAL(machine_self(self_copy_op, 5, SLOT_LENT, 0), ERROR_TRANSIENT);
	CHECK_EQUAL(machine_self(self_move_op, 5, SLOT_LENT, 0), ERROR_TRANSIENT);
	CHECK_EQUAL(machine_self(self_narrow_op, 5, SLOT_LENT | 1, 0), ERROR_TRANSIENT);
	struct capability *lent = slot_named(SLOT_LENT | 1);
	CHECK_EQUAL(machine_invoke(lent, domain_grant_op, 5, SLOT_LENT, 0), ERROR_TRANSIENT);
	CHECK_EQUAL(machine_invoke(lent, domain_attach_op, 0, SLOT_LENT, 0), ERROR_TRANSIENT);
	CHECK_EQUAL(machine_invoke(lent, domain_set_op, DOMAIN_FAULT_ENTRY, IMAGE_BASE, 0), 0);
	CHECK_EQUAL(machine_invoke(lent, domain_door_op, 6, 1, 2), 0);
	CHECK(slot_find(service, 6)->badge_high == 2);
	CHECK(slot_is(5, &(struct capability){0}));
	CHECK_EQUAL(machine_self(self_copy_op, SLOT_LENT, 6, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_self(self_delete_op, SLOT_LENT, 0, 0), ERROR_ARGUMENT);
}

TEST(lent_to_keep_can_be_kept)
{
	service_enter(OPTION_KEEP);
	CHECK_EQUAL(machine_self(self_copy_op, 5, SLOT_LENT, 0), 0);
	CHECK_EQUAL(slot_find(cpu.running_domain, 5)->badge_low, 77);
	CHECK_EQUAL(machine_self(self_move_op, 6, SLOT_LENT, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_self(self_narrow_op, 7, SLOT_LENT | 1, 0), 0);
	CHECK_EQUAL(slot_find(cpu.running_domain, 7)->word >> CAPABILITY_RIGHTS_SHIFT & RIGHTS_ALL,
		    0);
}

TEST(lent_on_is_kept_only_if_it_was_to_keep)
{
	struct domain *service = service_enter(0);
	slot_set(9, door_to(service, 5));
	struct lending on = {.capabilities = SLOT_LENT};
	CHECK_EQUAL(machine_call(9 | OPTION_CAPABILITIES | OPTION_KEEP, on), 0);
	CHECK_EQUAL(slot_named(SLOT_LENT)->badge_low, 77);
	CHECK_EQUAL(machine_self(self_copy_op, 5, SLOT_LENT, 0), ERROR_TRANSIENT);
}

TEST(narrow_takes_rights_away)
{
	machine_start();
	struct capability *authority = &root_domain->list[ROOT_AUTHORITY];
	for (uint32_t rights = 0; rights <= RIGHTS_ALL; rights++) {
		CHECK_EQUAL(machine_self(self_narrow_op, 60 | rights << CAPABILITY_RIGHTS_SHIFT,
					 ROOT_AUTHORITY, 0),
			    0);
		CHECK_EQUAL(machine_self(self_narrow_op, 61 | RIGHTS_ALL << CAPABILITY_RIGHTS_SHIFT,
					 60, 0),
			    0);
		CHECK_EQUAL(root_domain->list[61].word,
			    authority->word & ~(~rights << CAPABILITY_RIGHTS_SHIFT & 0x0F000000));
	}
	CHECK_EQUAL(machine_self(self_narrow_op, 60 | 16u << CAPABILITY_RIGHTS_SHIFT, 1, 0),
		    ERROR_ARGUMENT);
	slot_set(62, door_to(root_domain, 1));
	CHECK_EQUAL(machine_self(self_narrow_op, 60, 62, 0), ERROR_KIND);
	CHECK_EQUAL(machine_self(self_narrow_op, 60, 63, 0), ERROR_EMPTY);
	CHECK_EQUAL(machine_self(self_narrow_op, 60, ROOT_IRQ_FIRST + 1, 0), ERROR_KIND);
}

TEST(narrow_takes_signals_and_ports_away)
{
	machine_start();
	CHECK_EQUAL(machine_self(self_narrow_op, 60, ROOT_THREAD, 0xF0F0), 0);
	CHECK_EQUAL(machine_self(self_narrow_op, 61, 60, 0xFF00), 0);
	CHECK_EQUAL(root_domain->list[61].badge_low, 0xF000);
	CHECK_EQUAL(machine_self(self_narrow_op, 60, ROOT_PORTS, 0x03FF03F8), 0);
	CHECK_EQUAL(machine_self(self_narrow_op, 61, 60, 0x03FE03F9), 0);
	CHECK_EQUAL(root_domain->list[61].badge_low, 0x03FE03F9);
	static const uint32_t wider[] = {0x03FF03F7, 0x040003F8, 0xFFFF0000, 0x03F803F9, 0};
	for (uint32_t i = 0; i < sizeof(wider) / sizeof(wider[0]); i++)
		CHECK_EQUAL(machine_self(self_narrow_op, 62, 60, wider[i]), ERROR_ARGUMENT);
}

TEST(rights_are_asked_for)
{
	static const struct {
		uint32_t kind, number, rights;
	} table[] = {
#define ROW(kind, number, name, rights, arguments, answers, cost) \
	{CAPABILITY_##kind, number, rights},
		OPERATIONS(ROW)
#undef ROW
	};
	for (uint32_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!table[i].rights)
			continue;
		machine_start();
		uint32_t frame = frame_of(table[i].kind == CAPABILITY_THREAD
						  ? (void *)thread_new(root_domain)
						  : (void *)domain_new(0));
		if (table[i].kind == CAPABILITY_AUTHORITY)
			frame = OBJECT_AUTHORITY;
		struct capability weak = capability_to(table[i].kind, frame);
		weak.word &= ~(table[i].rights << CAPABILITY_RIGHTS_SHIFT);
		CHECK_EQUAL(machine_invoke(&weak, table[i].number, 0xFFFF, 0xFFFF, 0xFFFF),
			    ERROR_RIGHT);
		capability_make(&weak, table[i].kind, table[i].rights, weak.word);
		CHECK(machine_invoke(&weak, table[i].number, 0xFFFF, 0xFFFF, 0xFFFF) !=
		      ERROR_RIGHT);
	}
}

TEST(operations_that_do_not_exist_are_refused)
{
	machine_start();
	for (uint32_t kind = CAPABILITY_SELF; kind < CAPABILITY_KINDS; kind++) {
		struct capability any = capability_to(kind, frame_of(root_domain));
		for (uint32_t number = 0; number < 256; number++) {
			bool known = false;
#define KNOWN(kind_, number_, name, rights, arguments, answers, cost) \
	known |= kind == CAPABILITY_##kind_ && number == (number_);
			OPERATIONS(KNOWN)
#undef KNOWN
			if (number && !known)
				CHECK_EQUAL(machine_invoke(&any, number, 0, 0, 0), ERROR_OPERATION);
		}
	}
	CHECK_EQUAL(machine_self(self_copy_op | 0x100, 5, 3, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_self(self_copy_op | 0x80000000, 5, 3, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_self(0x100, 5, 3, 0), ERROR_OPERATION);
}

TEST(badge_is_for_the_code_of_its_domain)
{
	machine_start();
	struct domain *other = domain_new(0);
	slot_set(50, door_to(root_domain, 0xAAAABBBBCCCCDDDD));
	slot_set(51, door_to(other, 1));
	CHECK_EQUAL(machine_self(self_badge_op, 50, 0, 0), 0);
	CHECK_EQUAL(machine.word[0], 0xCCCCDDDD);
	CHECK_EQUAL(machine.word[1], 0xAAAABBBB);
	CHECK_EQUAL(machine_self(self_badge_op, 51, 0, 0), ERROR_BADGE);
	CHECK_EQUAL(machine_self(self_badge_op, 52, 0, 0), ERROR_EMPTY);
	CHECK_EQUAL(machine_self(self_badge_op, ROOT_THREAD, 0, 0), ERROR_KIND);
	object_end(frame_of(other));
	CHECK_EQUAL(machine_self(self_badge_op, 51, 0, 0), ERROR_STALE);
}

TEST(badge_of_a_lent_door_tells_a_service_what_it_was_lent)
{
	service_enter(0);
	CHECK_EQUAL(machine_self(self_badge_op, SLOT_LENT, 0, 0), 0);
	CHECK_EQUAL(machine.word[0], 77);
}

TEST(grant_delete_read_in_another_list)
{
	machine_start();
	struct domain *other = domain_new(0);
	slot_set(50, capability_to(CAPABILITY_DOMAIN, frame_of(other)));
	struct capability *domain = &root_domain->list[50];
	CHECK_EQUAL(machine_invoke(domain, domain_grant_op, 7, ROOT_THREAD, 0), 0);
	CHECK(!memcmp(&other->list[7], &root_domain->list[ROOT_THREAD], 16));
	CHECK_EQUAL(machine_invoke(domain, domain_read_op, 7, 0, 0), 0);
	CHECK_EQUAL(machine.word[0], CAPABILITY_THREAD << 4 | RIGHTS_ALL);
	CHECK_EQUAL(machine.word[1], frame_of(root_thread));
	CHECK_EQUAL(machine.word[2], object_table[frame_of(root_thread)].generation);
	CHECK_EQUAL(machine_invoke(domain, domain_delete_op, 7, 0, 0), 0);
	CHECK_EQUAL(other->list[7].word, 0);
	CHECK_EQUAL(machine_invoke(domain, domain_read_op, LIST_SLOTS, 0, 0), ERROR_ARGUMENT);
	CHECK_EQUAL(machine_invoke(domain, domain_grant_op, 7, LIST_SLOTS, 0), ERROR_EMPTY);
	CHECK_EQUAL(machine_invoke(domain, domain_grant_op, SLOT_LENT, 3, 0), ERROR_ARGUMENT);
}

TEST(domain_fields_are_user_addresses)
{
	machine_start();
	struct capability *domain = &root_domain->list[ROOT_DOMAIN];
	for (uint32_t field = 0; field < DOMAIN_FIELDS; field++) {
		CHECK_EQUAL(machine_invoke(domain, domain_set_op, field, KERNEL_BASE - 1, 0), 0);
		CHECK_EQUAL(root_domain->set[field], KERNEL_BASE - 1);
		CHECK_EQUAL(machine_invoke(domain, domain_set_op, field, KERNEL_BASE, 0),
			    ERROR_ARGUMENT);
	}
	CHECK_EQUAL(machine_invoke(domain, domain_set_op, DOMAIN_FIELDS, 0, 0), ERROR_ARGUMENT);
}

TEST(destroyed_means_stale_in_every_copy)
{
	machine_start();
	struct domain *other = domain_new(0);
	for (uint32_t slot = 50; slot < 60; slot++)
		slot_set(slot, capability_to(CAPABILITY_DOMAIN, frame_of(other)));
	object_end(frame_of(other));
	for (uint32_t slot = 50; slot < 60; slot++)
		CHECK_EQUAL(machine_invoke(&root_domain->list[slot], OPERATION_PROBE, 0, 0, 0),
			    ERROR_STALE);
}
