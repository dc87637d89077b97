/* SPDX-License-Identifier: MIT */
/*
 * Operations of the PCI service, stopped after each instruction in turn: there the client is
 * preempted, killed, or its capability is revoked while it is frozen. What happens to a function's
 * registers happens wholly or not at all, never after a revoke, and nobody else notices.
 */
#include "pci_machine.h"

#define STEPS_MAX    600u
#define NOT_ANSWERED 0xDEADu
#define PAINT        0xA5u
#define LINE         5u /* of nobody here */

static struct client clients[2];
static volatile struct {
	uint32_t result, value;
} answer[2];
static uint32_t other, door_of_other, to, fresh, command; /* as the victim's is before each round */
static uint32_t at_first;                                 /* generation, likewise */
static uint32_t deepest;                                  /* bytes of stack, over all rounds */
static enum pci_operation operation;

static void calls(uint32_t unused)
{
	(void)unused;
	uint32_t value = NOT_ANSWERED, result = 0;
	struct pci_information information = {0};
	switch (operation) {
	case pci_information_op:
		result = pci_information(slot(held), 0, &information);
		value = information.vendor;
		break;
	case pci_read_op:
		result = pci_read(slot(held), CONFIG_IDENTITY, &value);
		break;
	case pci_write_op:
		result = pci_write(slot(held), CONFIG_COMMAND, command ^ COMMAND_PORTS, &value);
		break;
	case pci_master_op:
		result = pci_master(slot(held), 0, 1, &value);
		break;
	case pci_ports_op:
		result = pci_ports(slot(held), 4, slot(to), &value);
		break;
	case pci_line_op:
		result = pci_line(slot(held), 0, slot(to), &value);
		break;
	case pci_split_op:
		result = pci_split(slot(held), PCI_MAY_READ, slot(to));
		break;
	case pci_revoke_op:
		result = pci_revoke(slot(everything), PCI_PLACE(victim, PCI_MAY_READ), slot(to));
		break;
	default:
		break;
	}
	answer[0].value = value;
	answer[0].result = result;
}
static const enum pci_operation swept[] = {pci_information_op, pci_read_op,  pci_write_op,
					   pci_master_op,      pci_ports_op, pci_line_op,
					   pci_split_op,       pci_revoke_op};
#define SWEPT (sizeof(swept) / sizeof(swept[0]))

static uint32_t command_now(void)
{
	return peek(victim, CONFIG_COMMAND) & COMMAND_BITS;
}
static uint32_t generation(void)
{
	return TABLE(victim, generation, uint32_t);
}
/* What the victim's command register is when the operation has happened. */
static uint32_t command_after(void)
{
	if (operation == pci_write_op) {
		uint32_t may = TABLE(victim, command_bits, uint32_t);
		return command ^ (COMMAND_PORTS & may);
	}
	return operation == pci_master_op ? command | COMMAND_MASTER : command;
}

/* The other client reads a register of another function: it takes the lock, and CF8. */
static void other_reads(uint32_t unused)
{
	(void)unused;
	uint32_t value = NOT_ANSWERED;
	answer[1].result = pci_read(slot(door_of_other), CONFIG_IDENTITY, &value);
	answer[1].value = value;
}
static void other_works(void)
{
	answer[1].result = answer[1].value = NOT_ANSWERED;
	client_restart(&clients[1], other_reads, 0);
	client_run(&clients[1]);
	CHECK_EQUAL(answer[1].result, RETURN);
	CHECK_EQUAL(answer[1].value, peek(other, CONFIG_IDENTITY));
}

/* Something came into the slot for results. */
static _Bool is_given(void)
{
	struct words words;
	MUST(kernel_domain_read(slot(ROOT_DOMAIN), slot(to), &words));
	return words.w[0] >> 4 != CAPABILITY_EMPTY;
}

static uint8_t *stack_page(void)
{
	return frame_pointer(clients[0].thread.data[0].frame);
}
static void stack_measure(void)
{
	uint32_t at = PARAMETER_BYTES;
	while (at < PAGE_BYTES && stack_page()[at] == PAINT)
		at++;
	if (PAGE_BYTES - at > deepest)
		deepest = PAGE_BYTES - at;
}

static void world_make(void)
{
	machine_begin();
	other = victim ? 0 : 1;
	door_of_other = function_door(other, PCI_MAY_READ, TABLE(other, generation, uint32_t));
	to = slot_take();
	fresh = slot_take();
	command = command_now();
	TABLE(victim, information.line, uint8_t) = LINE;
	TABLE(victim, information.line_users, uint8_t) = 1;
	client_make(&clients[0], &root_domain, calls, 0);
	client_make(&clients[1], &root_domain, other_reads, 0);
	hand_out(victim, PCI_RIGHTS & ~PCI_ANY, held);
}
static void world_end(void)
{
	CHECK(registers_are_as_noted());
	client_end(&clients[0]);
	client_end(&clients[1]);
	slot_give(to);
	slot_give(fresh);
	slot_give(door_of_other);
	machine_finish();
}
static void round_begin(void)
{
	answer[0].result = answer[0].value = NOT_ANSWERED;
	poke(victim, CONFIG_COMMAND, command);
	hand_out(victim, PCI_RIGHTS & ~PCI_ANY, held);
	MUST(kernel_delete(slot(to)));
	at_first = generation();
	memset(stack_page(), PAINT, PAGE_BYTES);
	client_restart(&clients[0], calls, 0);
}

static _Bool is_right(void)
{
	if (answer[0].result != RETURN)
		return 0;
	switch (operation) {
	case pci_information_op:
		return answer[0].value == (peek(victim, CONFIG_IDENTITY) & 0xFFFF);
	case pci_read_op:
		return answer[0].value == peek(victim, CONFIG_IDENTITY);
	case pci_write_op:
	case pci_master_op:
		return (answer[0].value & COMMAND_BITS) == command_after() &&
		       command_now() == command_after();
	case pci_line_op:
		return answer[0].value == LINE && is_given();
	default:
		return is_given();
	}
}

#define SPARSE 3u

/* `happens` brings the round to its end, and says whether the operation did what it was to do. At
 * each instruction, or at each third, beginning with another one each time. */
static void sweep(_Bool (*happens)(void), _Bool must_fail)
{
	static uint32_t turn;
	uint32_t stride = sweeps_all() ? 1 : SPARSE;
	world_make();
	for (uint32_t i = 0; i < SWEPT; i++) {
		uint32_t done = 0, not_done = 0, reason = DISPATCH_STEPPED;
		operation = swept[i];
		for (uint32_t steps = turn++ % stride; reason == DISPATCH_STEPPED;
		     steps += stride) {
			CHECK(steps < STEPS_MAX);
			round_begin();
			for (uint32_t j = 0; j < steps && reason == DISPATCH_STEPPED; j++)
				reason = client_step(&clients[0]).reason;
			if (reason == DISPATCH_STEPPED) {
				_Bool did = happens();
				done += did;
				not_done += !did;
			}
			stack_measure();
		}
		CHECK_EQUAL(reason, DISPATCH_ENDED);
		CHECK(is_right());
		CHECK(done * stride > 10);
		CHECK_EQUAL(not_done * stride > 10, must_fail);
	}
	poke(victim, CONFIG_COMMAND, command);
	world_end();
}

static _Bool is_preempted(void)
{
	other_works();
	client_run(&clients[0]);
	CHECK(is_right());
	return 1;
}
TEST(pci_sweep_preempted_at_every_instruction_it_happens_and_others_notice_nothing)
{
	deepest = 0;
	sweep(is_preempted, 0);
	test_note("deepest stack use of the PCI service: %u bytes", deepest);
	CHECK(deepest > 64 && deepest < 1024);
}

/* Revoking is done once, however often its section is begun anew. */
TEST(pci_sweep_revoke_raises_the_generation_once)
{
	world_make();
	operation = pci_revoke_op;
	for (uint32_t steps = 0, reason = DISPATCH_STEPPED; reason == DISPATCH_STEPPED; steps++) {
		round_begin();
		for (uint32_t j = 0; j < steps && reason == DISPATCH_STEPPED; j++) {
			reason = client_step(&clients[0]).reason;
			if (j == steps / 3 || j == steps * 2 / 3)
				other_works(); /* so that it is lost, twice */
		}
		if (reason == DISPATCH_STEPPED)
			client_run(&clients[0]);
		CHECK(is_right());
		CHECK_EQUAL(generation(), at_first + 1);
	}
	world_end();
}

static _Bool is_killed(void)
{
	_Bool had_answered = answer[0].result != NOT_ANSWERED;
	client_end(&clients[0]);
	other_works();
	uint32_t now = command_now();
	CHECK(now == command || now == command_after());
	CHECK(!had_answered || now == command_after());
	client_make(&clients[0], &root_domain, calls, 0);
	round_begin();
	client_run(&clients[0]); /* its successor is served as if nothing had been */
	CHECK(is_right());
	return 1;
}
TEST(pci_sweep_killed_at_every_instruction_it_happened_wholly_or_not_at_all)
{
	sweep(is_killed, 0);
}

/* Frozen, revoked, thawed: whatever it was about to do to the function does not happen any more. */
static _Bool is_revoked(void)
{
	uint32_t value, revoke = operation == pci_revoke_op; /* then there are two of them */
	CHECK_EQUAL(pci_revoke(slot(everything), PCI_PLACE(victim, PCI_MAY_READ), slot(fresh)),
		    RETURN);
	uint32_t then = command_now(), raised = generation();
	CHECK(!(then & COMMAND_MASTER));
	client_run(&clients[0]);
	_Bool was_last = generation() == raised;
	CHECK(was_last || revoke);
	CHECK_EQUAL(command_now(), then);
	CHECK_EQUAL(generation(), at_first + 1 + revoke);
	CHECK_EQUAL(pci_read(slot(fresh), 0, &value), RETURN + (was_last ? 0 : SERVICE_REVOKED));
	if (answer[0].result != RETURN) {
		CHECK(!revoke);
		CHECK_EQUAL(answer[0].result, RETURN + SERVICE_REVOKED);
		return 0;
	}
	/* what it was given is for nothing, unless its revoke was the last */
	if (revoke || operation == pci_split_op)
		CHECK_EQUAL(pci_read(slot(to), 0, &value),
			    RETURN + (was_last ? SERVICE_REVOKED : 0));
	return !revoke || !was_last;
}
TEST(pci_sweep_revoked_while_frozen_at_every_instruction_nothing_happens_afterwards)
{
	sweep(is_revoked, 1);
}
