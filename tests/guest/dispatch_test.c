/* SPDX-License-Identifier: MIT */
/* CPU time: every way a dispatch ends, deadlines of chains, events and wake-ups. */
#include "test.h"

#define BIT_0 1u
#define BIT_1 2u
#define BIT_2 4u
#define NEVER DEADLINE_NEVER
/* Long enough for whatever ends by itself, so that a lost wake-up is no hang. */
#define GUARD (1000ull * boot_record->cycles_per_ms)

static struct client crowd[CHAIN_MAX + 8];
static volatile uint32_t ran, answer;

static uint32_t thread_slot(uint32_t number)
{
	return crowd[number].thread.object.slot;
}

static struct words state_words(uint32_t number)
{
	struct words words;
	MUST(kernel_thread_read(slot(thread_slot(number)), THREAD_FIELD_STATE, &words));
	return words;
}
static uint32_t state_of(uint32_t number)
{
	return state_words(number).w[0];
}
static uint32_t events_of(uint32_t number)
{
	return state_words(number).w[3];
}
static uint32_t signal_to(uint32_t number, uint32_t bits)
{
	return kernel_signal(slot(thread_slot(number)), bits);
}
static uint32_t root_events(void)
{
	struct words words;
	MUST(kernel_thread_read(slot(ROOT_THREAD), THREAD_FIELD_STATE, &words));
	return words.w[3];
}
static uint32_t root_events_take(void)
{
	uint32_t bits;
	MUST(kernel_wait(~0u, 0, &bits));
	return bits;
}

static void runs(uint32_t argument)
{
	ran += argument;
}
static void spins(uint32_t argument)
{
	ran += argument;
	for (;;)
		ran = ran; /* a store each time round */
}
static void waits(uint32_t mask)
{
	uint32_t bits;
	ran++;
	answer = kernel_wait(mask, NEVER, &bits);
	answer = answer << 16 | bits;
}
static void waits_for_ever(uint32_t mask)
{
	uint32_t bits;
	for (;;) {
		ran++;
		kernel_wait(mask, NEVER, &bits);
		answer |= bits;
	}
}
static void crowd_make(uint32_t number, client_function *function, uint32_t argument)
{
	client_make(&crowd[number], &root_domain, function, argument);
}
static void crowd_end(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		client_end(&crowd[i]);
}
static struct dispatch_result go(uint32_t number)
{
	return client_dispatch(&crowd[number], 0, 0, 0);
}

/* ---- how a dispatch ends
 * -------------------------------------------------------------------------- */
TEST(dispatch_ends_at_its_deadline_and_not_before)
{
	crowd_make(0, spins, 1);
	ran = 0;
	for (uint32_t i = 1; i <= 20; i++) {
		struct dispatch_result result;
		uint64_t begin, deadline, end;
		do {
			begin = cycles();
			deadline = begin + i * soon;
			MUST(kernel_dispatch(slot(thread_slot(0)), 0, deadline, 0, &result));
			end = cycles();
		} while (try_longer(!result.cycles));
		CHECK_EQUAL(result.reason, DISPATCH_DEADLINE);
		CHECK_EQUAL(result.bits, 0);
		CHECK(end >= deadline);
		CHECK(result.cycles > 0 && result.cycles <= end - begin);
		CHECK_EQUAL(state_of(0), THREAD_READY);
	}
	CHECK_EQUAL(ran, 1);
	crowd_end(1);
}

TEST(dispatch_with_a_deadline_that_has_passed_runs_nothing)
{
	struct dispatch_result result = {.reason = 99, .cycles = 99};
	crowd_make(0, runs, 1);
	ran = 0;
	uint64_t now = cycles(), past[] = {0, 1, now - 1, now};
	for (uint32_t i = 0; i < 4; i++) {
		CHECK_EQUAL(kernel_dispatch(slot(thread_slot(0)), 0, past[i], 0, &result), 0);
		CHECK(result.reason == DISPATCH_DEADLINE && !result.cycles && !result.bits);
		CHECK_EQUAL(state_of(0), THREAD_READY);
	}
	CHECK_EQUAL(ran, 0);
	crowd_end(1);
}

/* The timer has ticks, so it may be set for a deadline that has passed and not have fired yet. */
TEST(dispatch_runs_nothing_while_the_timer_is_late)
{
	crowd_make(0, waits, BIT_0);
	crowd_make(1, spins, 1);
	ran = 0;
	for (uint32_t i = 0; i < 100; i++) {
		struct dispatch_result result = {0};
		uint64_t deadline;
		do {
			client_restart(&crowd[0], waits, BIT_0);
			deadline = cycles() + soon;
			MUST(kernel_dispatch(slot(thread_slot(0)), 0, deadline, 0, &result));
		} while (try_longer(result.reason == DISPATCH_DEADLINE));
		CHECK_EQUAL(result.reason, DISPATCH_WAITING);
		uint32_t before = ran;
		while (cycles() < deadline + 7ull * i)
			;
		MUST(kernel_dispatch(slot(thread_slot(1)), 0, deadline, 0, &result));
		CHECK_EQUAL(result.reason, DISPATCH_DEADLINE);
		CHECK_EQUAL(result.cycles, 0);
		CHECK_EQUAL(ran, before);
	}
	crowd_end(2);
}

TEST(dispatch_tells_that_its_thread_waits_and_it_goes_on_after_a_signal)
{
	crowd_make(0, waits, BIT_1);
	ran = answer = 0;
	CHECK_EQUAL(go(0).reason, DISPATCH_WAITING);
	CHECK_EQUAL(state_of(0), THREAD_WAITING);
	MUST(signal_to(0, BIT_0)); /* not one that it waits for */
	CHECK_EQUAL(state_of(0), THREAD_WAITING);
	MUST(signal_to(0, BIT_1 | BIT_2));
	CHECK_EQUAL(state_of(0), THREAD_READY);
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(answer, BIT_1);
	CHECK_EQUAL(events_of(0), BIT_0 | BIT_2); /* bits go only by being returned */
	CHECK_EQUAL(state_of(0), THREAD_STOPPED);
	root_events_take();
	crowd_end(1);
}

static void touches(uint32_t address)
{
	*(volatile uint32_t *)address = 0;
}

TEST(dispatch_tells_of_a_fault_and_thread_read_where)
{
	struct words fault;
	crowd_make(0, touches, 0x0BAD0000);
	CHECK_EQUAL(go(0).reason, DISPATCH_FAULTED);
	CHECK_EQUAL(state_of(0), THREAD_STOPPED);
	MUST(kernel_thread_read(slot(thread_slot(0)), THREAD_FIELD_FAULT, &fault));
	CHECK_EQUAL(fault.w[0] & 0xFFFF, FAULT_PAGING | 14 << 8);
	CHECK_EQUAL(fault.w[1], 0x0BAD0000);
	CHECK_EQUAL(fault.w[3], boot_record->root_domain);
	client_restart(&crowd[0], runs, 1); /* and it can begin anew */
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	crowd_end(1);
}

TEST(dispatch_returns_at_once_with_an_event_that_is_there_already)
{
	crowd_make(0, runs, 1);
	ran = 0;
	MUST(kernel_signal(slot(ROOT_THREAD), BIT_0 | BIT_1));
	struct dispatch_result result = client_dispatch(&crowd[0], BIT_1 | BIT_2, 0, 0);
	CHECK_EQUAL(result.reason, DISPATCH_EVENT);
	CHECK(result.bits == BIT_1 && !result.cycles && !ran);
	CHECK_EQUAL(root_events(), BIT_0);
	CHECK_EQUAL(client_dispatch(&crowd[0], BIT_2, 0, 0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(ran, 1);
	CHECK_EQUAL(root_events_take(), BIT_0);
	crowd_end(1);
}

static void signals_root(uint32_t bits)
{
	kernel_signal(slot(ROOT_THREAD), bits);
	ran++;
}

TEST(dispatch_within_a_timer_that_is_set_already_looks_at_events_too)
{
	struct dispatch_result result = {0};
	crowd_make(0, waits, BIT_0);
	crowd_make(1, runs, 1);
	uint64_t deadline = cycles() + GUARD;
	MUST(kernel_dispatch(slot(thread_slot(0)), 0, deadline, 0, &result));
	CHECK_EQUAL(result.reason, DISPATCH_WAITING);
	MUST(kernel_signal(slot(ROOT_THREAD), BIT_0 | BIT_1));
	ran = 0;
	MUST(kernel_dispatch(slot(thread_slot(1)), BIT_1 | BIT_2, deadline + 1, 0, &result));
	CHECK_EQUAL(result.reason, DISPATCH_EVENT);
	CHECK(result.bits == BIT_1 && !result.cycles && !ran);
	result = client_dispatch(&crowd[1], BIT_1 | BIT_2, 2 * GUARD, 0);
	CHECK_EQUAL(result.reason, DISPATCH_ENDED);
	CHECK_EQUAL(ran, 1);
	CHECK_EQUAL(root_events_take(), BIT_0);
	crowd_end(2);
}

TEST(dispatch_ends_by_an_event_of_its_mask_only)
{
	crowd_make(0, signals_root, BIT_0 | BIT_1);
	ran = 0;
	struct dispatch_result result = client_dispatch(&crowd[0], BIT_1, 0, 0);
	CHECK(result.reason == DISPATCH_EVENT && result.bits == BIT_1 && result.cycles);
	CHECK_EQUAL(state_of(0), THREAD_READY);
	CHECK_EQUAL(ran, 0);
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(ran, 1);
	client_restart(&crowd[0], signals_root, BIT_1);
	result = client_dispatch(&crowd[0], BIT_2, 0, 0);
	CHECK(result.reason == DISPATCH_ENDED && result.bits == 0);
	CHECK_EQUAL(root_events_take(), BIT_0 | BIT_1);
	crowd_end(1);
}

/* Each dispatches the next one as often as it comes back, and notes how that ended. */
static struct dispatch_result noted[CHAIN_MAX + 1];
static uint32_t noted_error[CHAIN_MAX + 1];
static uint64_t deadline_at[CHAIN_MAX + 1];
static uint32_t mask_at[CHAIN_MAX + 1];
static void dispatches_next(uint32_t self)
{
	noted_error[self] = kernel_dispatch(slot(thread_slot(self + 1)), mask_at[self],
					    deadline_at[self], 0, &noted[self]);
}
static void chain_make(uint32_t count, client_function *last, uint32_t argument)
{
	ran = 0;
	for (uint32_t i = 0; i < count; i++) {
		noted[i] = (struct dispatch_result){.reason = 99};
		noted_error[i] = 99;
		deadline_at[i] = NEVER;
		mask_at[i] = 0;
		crowd_make(i, i + 1 < count ? dispatches_next : last, i + 1 < count ? i : argument);
	}
}

/* A chain whose last thread spins, until the outermost deadline, which it lives to see. */
static struct dispatch_result chain_run(uint32_t count)
{
	struct dispatch_result result;
	chain_make(count, spins, 1);
	while (result = client_dispatch(&crowd[0], 0, count * soon, 0), try_longer(!ran)) {
		crowd_end(count);
		chain_make(count, spins, 1);
	}
	return result;
}

TEST(deadline_of_the_outermost_cuts_all_within_and_each_learns_its_cycles)
{
	struct dispatch_result result = chain_run(4);
	CHECK_EQUAL(result.reason, DISPATCH_DEADLINE);
	for (uint32_t i = 0; i < 4; i++)
		CHECK_EQUAL(state_of(i), THREAD_READY);
	CHECK_EQUAL(noted_error[0], 99); /* none has run since */
	uint64_t outer = result.cycles;
	for (uint32_t i = 0; i < 3; i++) {
		CHECK_EQUAL(go(i).reason, DISPATCH_ENDED);
		CHECK_EQUAL(noted[i].reason, DISPATCH_CUT);
		CHECK(noted[i].cycles && noted[i].cycles < outer);
		outer = noted[i].cycles;
	}
	crowd_end(4);
}

TEST(deadline_that_comes_first_ends_the_dispatch_whose_it_is)
{
	for (uint32_t earliest = 0; earliest < 3; earliest++) {
		uint32_t reason;
		uint64_t now, end;
		chain_make(4, spins, 1);
		for (;;) {
			now = cycles();
			for (uint32_t i = 0; i < 3; i++)
				deadline_at[i] = now + (i == earliest ? 3 : 30) * soon;
			reason = client_dispatch(&crowd[0], 0, 1000 * soon, 0).reason;
			end = cycles();
			if (!try_longer(!ran || end >= now + 30 * soon))
				break;
			crowd_end(4);
			chain_make(4, spins, 1);
		}
		CHECK_EQUAL(reason, DISPATCH_ENDED);
		CHECK(end < now + 30 * soon);
		for (uint32_t i = 0; i < 3; i++) {
			if (i > earliest)
				go(i);
			CHECK_EQUAL(noted[i].reason, i < earliest    ? DISPATCH_ENDED
						     : i == earliest ? DISPATCH_DEADLINE
								     : DISPATCH_CUT);
		}
		crowd_end(4);
	}
}

TEST(deadline_within_an_earlier_one_of_the_chain_has_no_say)
{
	chain_make(2, spins, 1);
	deadline_at[0] = cycles() + 100 * GUARD;
	CHECK_EQUAL(client_dispatch(&crowd[0], 0, soon, 0).reason, DISPATCH_DEADLINE);
	while (try_longer(!ran)) {
		client_restart(&crowd[0], dispatches_next, 0);
		CHECK_EQUAL(client_dispatch(&crowd[0], 0, soon, 0).reason, DISPATCH_DEADLINE);
	}
	CHECK(cycles() < deadline_at[0]);
	go(0);
	CHECK_EQUAL(noted[0].reason, DISPATCH_CUT);
	crowd_end(2);
}

TEST(chain_is_32_deep_and_one_more_is_an_error)
{
	chain_make(CHAIN_MAX, runs, 1);
	ran = 0;
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	for (uint32_t i = 0; i + 2 < CHAIN_MAX; i++)
		CHECK(!noted_error[i] && noted[i].reason == DISPATCH_ENDED);
	CHECK_EQUAL(noted_error[CHAIN_MAX - 2], ERROR_CHAIN);
	CHECK_EQUAL(ran, 0);
	CHECK_EQUAL(state_of(CHAIN_MAX - 1), THREAD_READY);
	crowd_end(CHAIN_MAX);
}

TEST(chain_of_32_is_cut_at_once_by_the_outermost_deadline)
{
	CHECK_EQUAL(chain_run(CHAIN_MAX - 1).reason, DISPATCH_DEADLINE);
	CHECK_EQUAL(ran, 1); /* the last one was reached */
	for (uint32_t i = 0; i < CHAIN_MAX - 2; i++) {
		CHECK_EQUAL(go(i).reason, DISPATCH_ENDED);
		CHECK_EQUAL(noted[i].reason, DISPATCH_CUT);
	}
	crowd_end(CHAIN_MAX - 1);
}

static void dispatches(uint32_t thread)
{
	struct dispatch_result result;
	answer = kernel_dispatch(slot(thread), 0, NEVER, 0, &result);
}

TEST(chain_has_no_cycles)
{
	crowd_make(0, NULL, 0);
	crowd_make(1, dispatches, thread_slot(0));
	client_restart(&crowd[0], dispatches, thread_slot(1)); /* A, B, A */
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(answer, 0); /* A wrote it last */
	client_restart(&crowd[1], dispatches, thread_slot(0));
	client_restart(&crowd[0], dispatches_next, 0);
	deadline_at[0] = NEVER;
	go(0);
	CHECK_EQUAL(answer, ERROR_STATE); /* B's */
	client_restart(&crowd[0], dispatches, thread_slot(0));
	go(0);
	CHECK_EQUAL(answer, ERROR_STATE); /* itself */
	client_restart(&crowd[0], dispatches, ROOT_THREAD);
	go(0);
	CHECK_EQUAL(answer, ERROR_STATE); /* who dispatched it */
	REFUSED(ERROR_STATE, ROOT_THREAD, thread_dispatch_op, 0, ~0u, ~0u);
	crowd_end(2);
}

/* ---- errors
 * ------------------------------------------------------------------------------------------ */
TEST(dispatch_takes_ready_threads_only)
{
	uint32_t target;
	crowd_make(0, waits, BIT_0);
	target = SLOT_ENCODE(thread_slot(0));
	go(0);
	REFUSED(ERROR_STATE, target, thread_dispatch_op, 0, ~0u, ~0u); /* waits */
	MUST(signal_to(0, BIT_0));
	go(0);
	REFUSED(ERROR_STATE, target, thread_dispatch_op, 0, ~0u, ~0u); /* has ended */
	REFUSED(ERROR_ARGUMENT, target, thread_dispatch_op | 0x20000, 0, ~0u, ~0u);
	REFUSED(ERROR_ARGUMENT, target, thread_dispatch_op | 0x2000, 0, ~0u, ~0u);
	REFUSED(ERROR_ARGUMENT, target, thread_dispatch_op | 0x80000000, 0, ~0u, ~0u);
	crowd_end(1);
	root_events_take();
}

static void waits_until(uint32_t deadline)
{
	uint32_t bits;
	answer = kernel_wait(1, deadline, &bits);
}

TEST(wait_has_a_deadline_in_the_root_thread_only)
{
	crowd_make(0, waits_until, 0xFFFFFFFF);
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(answer, ERROR_ARGUMENT);
	client_restart(&crowd[0], waits_until, 0);
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(answer, ERROR_ARGUMENT);
	crowd_end(1);
}

TEST(thread_start_needs_a_stopped_thread_and_stop_is_repeatable)
{
	uint32_t target;
	crowd_make(0, waits, BIT_0);
	target = SLOT_ENCODE(thread_slot(0));
	REFUSED(ERROR_STATE, target, thread_start_op, 0, 0, 0); /* ready */
	go(0);
	REFUSED(ERROR_STATE, target, thread_start_op, 0, 0, 0); /* waiting */
	REFUSED(ERROR_STATE, ROOT_THREAD, thread_start_op, 0, 0, 0);
	REFUSED(ERROR_STATE, ROOT_THREAD, thread_stop_op, 0, 0, 0); /* nobody else is left */
	MUST(kernel_thread_stop(slot(thread_slot(0))));
	MUST(kernel_thread_stop(slot(thread_slot(0))));
	MUST(signal_to(0, BIT_0)); /* its wait is gone, the bit stays */
	CHECK_EQUAL(state_of(0), THREAD_STOPPED);
	client_restart(&crowd[0], waits, BIT_0);
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(answer, BIT_0);
	crowd_end(1);
}

TEST(thread_read_and_abort_refuse_what_is_not_there)
{
	uint32_t target;
	crowd_make(0, waits, BIT_0);
	target = SLOT_ENCODE(thread_slot(0));
	REFUSED(ERROR_ARGUMENT, target, thread_read_op, THREAD_FIELDS, 0, 0);
	REFUSED(ERROR_ARGUMENT, target, thread_read_op, ~0u, 0, 0);
	REFUSED(ERROR_ARGUMENT, target, thread_read_op, THREAD_FIELD_CALL, 0, 0); /* nobody */
	REFUSED(ERROR_ARGUMENT, target, thread_read_op, THREAD_FIELD_CALL, 1, 0); /* at home */
	REFUSED(ERROR_ARGUMENT, target, thread_abort_op, 0, boot_record->root_domain, 0); /* home */
	REFUSED(ERROR_ARGUMENT, target, thread_abort_op, 1, boot_record->root_domain, 0);
	REFUSED(ERROR_ARGUMENT, target, thread_abort_op, DEPTH_MAX, boot_record->root_domain, 0);
	REFUSED(ERROR_ARGUMENT, target, thread_abort_op, ~0u, boot_record->root_domain, 0);
	MUST(kernel_thread_stop(slot(thread_slot(0))));
	REFUSED(ERROR_STATE, target, thread_abort_op, 1, boot_record->root_domain, 0);
	crowd_end(1);
}

PEER stays(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)a, (void)b, (void)badge_high;
	while (ran != 0xFFFFFFFF)
		ran = ran;
	return ANSWER(0, 0);
}
static void calls(uint32_t door)
{
	answer = door_call(slot(door).encoded, 0, 0, 0, NULL);
}

TEST(abort_names_depth_and_callee_and_hits_no_other_call)
{
	struct domain peer, other;
	peer_make(&peer, "peer");
	peer_make(&other, "other");
	uint32_t door = peer_door(&peer, stays), target;
	crowd_make(0, calls, door);
	target = SLOT_ENCODE(thread_slot(0));
	do
		CHECK_EQUAL(client_dispatch(&crowd[0], 0, soon, 0).reason, DISPATCH_DEADLINE);
	while (try_longer(state_words(0).w[1] == 0)); /* at home still */
	REFUSED(ERROR_ARGUMENT, target, thread_abort_op, 1, other.object.frame, 0);
	REFUSED(ERROR_ARGUMENT, target, thread_abort_op, 2, peer.object.frame, 0);
	REFUSED(ERROR_ARGUMENT, target, thread_abort_op, 1, peer.object.frame | 0x80000000, 0);
	MUST(kernel_abort(slot(thread_slot(0)), 1, peer.object.frame));
	answer = 0;
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(answer, ERROR_ABORTED);
	slot_give(door);
	crowd_end(1);
	domain_end(&peer);
	domain_end(&other);
}

TEST(attach_takes_free_data_pages_in_free_places)
{
	crowd_make(0, waits, BIT_0);
	uint32_t target = SLOT_ENCODE(thread_slot(0)), empty = slot_take();
	struct object page = object_make(OBJECT_DATA_PAGE, 0, 0),
		      lock = object_make(OBJECT_LOCK_PAGE, 0, 0);
	uint32_t at = SLOT_ENCODE(page.slot);
	REFUSED(ERROR_ARGUMENT, target, thread_attach_op, DATA_PAGES_MAX, at, 0);
	REFUSED(ERROR_STATE, target, thread_attach_op, 0, at, 0); /* it has one there */
	REFUSED(ERROR_KIND, target, thread_attach_op, 1, SLOT_ENCODE(lock.slot), 0);
	REFUSED(ERROR_KIND, target, thread_attach_op, 1, ROOT_DOMAIN, 0);
	REFUSED(ERROR_EMPTY, target, thread_attach_op, 1, SLOT_ENCODE(empty), 0);
	MUST(kernel_thread_attach(slot(thread_slot(0)), 1, slot(page.slot)));
	REFUSED(ERROR_STATE, target, thread_attach_op, 2, at, 0); /* it is attached */
	MUST(kernel_destroy(AUTHORITY, page.frame, object_generation(page.frame)));
	REFUSED(ERROR_STALE, target, thread_attach_op, 1, at, 0);
	object_end(page);
	object_end(lock);
	slot_give(empty);
	crowd_end(1);
}

/* ---- events
 * --------------------------------------------------------------------------------------------- */
TEST(signal_sets_the_bits_of_the_badge_whatever_state_the_thread_is_in)
{
	uint32_t few = slot_take();
	crowd_make(0, waits, BIT_0);
	MUST(kernel_narrow(slot(few), slot(thread_slot(0)), RIGHT_SIGNAL, BIT_1 | BIT_2));
	MUST(kernel_signal(slot(few), ~0u));
	CHECK_EQUAL(events_of(0), BIT_1 | BIT_2); /* ready */
	MUST(kernel_signal(slot(few), BIT_0));
	CHECK_EQUAL(events_of(0), BIT_1 | BIT_2);
	go(0);
	MUST(kernel_signal(slot(few), ~0u));
	CHECK_EQUAL(state_of(0), THREAD_WAITING); /* for another bit */
	MUST(signal_to(0, BIT_0));
	go(0);
	MUST(signal_to(0, 0x80000000)); /* stopped */
	CHECK_EQUAL(events_of(0), BIT_1 | BIT_2 | 0x80000000);
	MUST(kernel_signal(slot(ROOT_THREAD), BIT_2)); /* running */
	CHECK(root_events() & BIT_2);
	root_events_take();
	CHECK_EQUAL(root_events(), 0);
	slot_give(few);
	crowd_end(1);
}

static void looks_then_waits(uint32_t mask)
{
	struct words words;
	uint32_t bits;
	kernel_thread_read(slot(thread_slot(0)), THREAD_FIELD_STATE, &words);
	for (volatile uint32_t i = 0; i < 20; i++)
		;
	kernel_wait(mask, NEVER, &bits);
	answer = words.w[3] << 16 | bits;
}

TEST(signal_between_the_last_look_and_the_wait_is_not_lost)
{
	uint32_t waited = 0, before = 0, after = 0;
	for (uint32_t steps = 0;; steps++) {
		crowd_make(0, looks_then_waits, BIT_0);
		uint32_t reason = DISPATCH_STEPPED;
		for (uint32_t i = 0; i < steps && reason == DISPATCH_STEPPED; i++)
			reason = client_step(&crowd[0]).reason;
		waited = reason == DISPATCH_WAITING;
		MUST(signal_to(0, BIT_0));
		answer = 99;
		CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
		CHECK_EQUAL(answer & 0xFFFF, BIT_0);
		before += answer >> 16;
		after += !(answer >> 16);
		root_events_take();
		crowd_end(1);
		if (waited)
			break;
	}
	CHECK(before > 5 && after > 20); /* both sides of the look were tried */
}

static void masks_and_dispatches(uint32_t mask)
{
	for (volatile uint32_t i = 0; i < 10; i++)
		;
	noted_error[0] = kernel_dispatch(slot(thread_slot(1)), mask, NEVER, 0, &noted[0]);
}

TEST(signal_before_the_dispatch_is_not_lost_either)
{
	for (uint32_t steps = 0; steps < 40; steps++) {
		crowd_make(0, masks_and_dispatches, BIT_1);
		crowd_make(1, spins, 0);
		for (uint32_t i = 0; i < steps; i++)
			CHECK_EQUAL(client_step(&crowd[0]).reason, DISPATCH_STEPPED);
		MUST(signal_to(0, BIT_1));
		CHECK_EQUAL(client_dispatch(&crowd[0], 0, GUARD, 0).reason, DISPATCH_ENDED);
		CHECK(noted[0].reason == DISPATCH_EVENT && noted[0].bits == BIT_1);
		crowd_end(2);
	}
}

static void signals(uint32_t number)
{
	answer = signal_to(number, BIT_1);
	ran++;
}

TEST(signal_cuts_to_the_dispatcher_that_asked_for_it)
{
	for (uint32_t to = 0; to < 3; to++) {
		chain_make(4, signals, to);
		mask_at[0] = mask_at[1] = mask_at[2] = BIT_1;
		ran = 0;
		CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
		CHECK_EQUAL(ran, 0);
		for (uint32_t i = 0; i < 3; i++) {
			if (i > to)
				go(i); /* those above were cut and learn it now */
			CHECK_EQUAL(noted[i].reason, i < to    ? DISPATCH_ENDED
						     : i == to ? DISPATCH_EVENT
							       : DISPATCH_CUT);
			CHECK_EQUAL(noted[i].bits, i == to ? BIT_1 : 0);
		}
		answer = 99;
		go(3);
		CHECK_EQUAL(answer, 0); /* the signaller's own answer */
		crowd_end(4);
	}
}

TEST(signal_to_a_dispatcher_that_did_not_ask_stays_for_later)
{
	chain_make(3, signals, 0);
	mask_at[0] = BIT_0 | BIT_2;
	ran = 0;
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(ran, 1); /* it went on */
	CHECK_EQUAL(noted[0].reason, DISPATCH_ENDED);
	CHECK_EQUAL(events_of(0), BIT_1);
	crowd_end(3);
}

/* Dispatches the next one with a wake-up bit of its own; waits for that bit when that one waits. */
static void waits_with_the_next(uint32_t self)
{
	uint32_t bits, bit = self & 31;
	ran++;
	do {
		kernel_dispatch(slot(thread_slot(self + 1)), 0, NEVER, bit << DISPATCH_BIT_SHIFT,
				&noted[self]);
		if (noted[self].reason == DISPATCH_WAITING)
			kernel_wait(1u << bit, NEVER, &bits);
	} while (noted[self].reason == DISPATCH_WAITING);
}
static void waiting_chain_make(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		crowd_make(i, i + 1 < count ? waits_with_the_next : waits,
			   i + 1 < count ? i : BIT_0);
	ran = 0;
	struct dispatch_result result = client_dispatch(&crowd[0], 0, 0, 7 << DISPATCH_BIT_SHIFT);
	CHECK_EQUAL(result.reason, DISPATCH_WAITING);
	CHECK_EQUAL(ran, count);
}

TEST(wake_up_goes_up_the_chain_by_the_bits_that_were_given)
{
	waiting_chain_make(3); /* X is 2, D2 is 1, D1 is 0, all wait */
	MUST(signal_to(2, BIT_0));
	for (uint32_t i = 0; i < 3; i++)
		CHECK_EQUAL(state_of(i), THREAD_READY);
	CHECK_EQUAL(root_events_take(), 1u << 7);
	answer = 0;
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED); /* D1 runs D2 runs X to the end */
	CHECK_EQUAL(answer, BIT_0);
	CHECK(noted[0].reason == DISPATCH_ENDED && noted[1].reason == DISPATCH_ENDED);
	crowd_end(3);
}

TEST(wake_up_goes_on_only_while_the_next_one_waits)
{
	waiting_chain_make(3);
	MUST(signal_to(1, 1u << 1)); /* D2 is woken by somebody else, D1 and root with it */
	CHECK_EQUAL(root_events_take(), 1u << 7);
	MUST(signal_to(2, BIT_0)); /* D2 is ready already: it is told, and that is all */
	CHECK_EQUAL(state_of(2), THREAD_READY);
	CHECK(events_of(1) & 1u << 1);
	CHECK_EQUAL(root_events(), 0);
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	crowd_end(3);
}

TEST(wake_up_goes_thirty_two_deep)
{
	waiting_chain_make(CHAIN_MAX - 1);
	MUST(signal_to(CHAIN_MAX - 2, BIT_0));
	for (uint32_t i = 0; i < CHAIN_MAX - 1; i++)
		CHECK_EQUAL(state_of(i), THREAD_READY);
	CHECK_EQUAL(root_events_take(), 1u << 7);
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(answer, BIT_0);
	crowd_end(CHAIN_MAX - 1);
}

static void signals_slot(uint32_t slot_and_bits)
{
	kernel_signal(slot(slot_and_bits & 0xFFFF), slot_and_bits >> 16);
	ran++;
}

static void wakes_beside(uint32_t argument)
{
	(void)argument; /* D1: D2 and X wait; then it runs Y, which signals X */
	kernel_dispatch(slot(thread_slot(1)), 0, NEVER, 5 << DISPATCH_BIT_SHIFT, &noted[3]);
	kernel_dispatch(slot(thread_slot(3)), 1u << 5, NEVER, 0, &noted[4]);
}

/* No queue, no list: however many wait, and whichever of them is meant. */
TEST(wake_up_takes_as_long_among_thirty_two_that_wait_as_alone)
{
	enum { CROWD = 32 };
	static struct client crowd[CROWD];
	struct dispatch_result result;
	uint32_t bits, alone = 0;
	if (!time_is_exact) {
		test_skip(COUNTER_IS_NOT_EXACT);
		return;
	}
	for (uint32_t made = 0; made < CROWD; made++) {
		client_make(&crowd[made], &root_domain, waits_for_ever, 1);
		slot_t last = slot(crowd[made].thread.object.slot);
		MUST(kernel_dispatch(last, 0, DEADLINE_NEVER, made << DISPATCH_BIT_SHIFT, &result));
		for (uint32_t i = 0; i <= made; i++) {
			slot_t thread = slot(crowd[i].thread.object.slot);
			uint64_t before = cycles();
			uint32_t error = kernel_signal(thread, 1);
			uint32_t ticks = cycles() - before;
			MUST(error);
			MUST(kernel_wait(~0u, 0, &bits));
			CHECK_EQUAL(bits, 1u << i);
			alone = made ? alone : ticks;
			CHECK_EQUAL(ticks, alone);
			MUST(kernel_dispatch(thread, 0, DEADLINE_NEVER, i << DISPATCH_BIT_SHIFT,
					     &result));
			CHECK_EQUAL(result.reason, DISPATCH_WAITING);
		}
	}
	test_note("%u instructions each", alone);
	for (uint32_t i = 0; i < CROWD; i++)
		client_end(&crowd[i]);
}

TEST(wake_up_ends_the_dispatch_of_a_dispatcher_that_runs_something_else)
{
	crowd_make(0, wakes_beside, 0);
	crowd_make(1, waits_with_the_next, 1);
	crowd_make(2, waits, BIT_1);
	crowd_make(3, signals, 2);
	ran = 0;
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(noted[3].reason, DISPATCH_WAITING);
	CHECK(noted[4].reason == DISPATCH_EVENT && noted[4].bits == 1u << 5);
	CHECK_EQUAL(ran, 2); /* D2 and X began; Y did not go on */
	for (uint32_t i = 1; i < 4; i++)
		CHECK_EQUAL(state_of(i), THREAD_READY);
	crowd_end(4);
}

/* Root dispatches who waits, then who signals it, asking for that wake-up or for another bit. */
TEST(wake_up_by_a_thread_beside_tells_their_dispatcher_what_it_asked_for)
{
	crowd_make(0, waits_for_ever, BIT_0);
	crowd_make(1, runs, 1);
	uint32_t few = slot_take();
	for (uint32_t i = 0; i < 16; i++) {
		uint32_t bits = i & 3, asked = i & 4 ? ~0u : 1u << 6, may = i & 8 ? ~0u : ~1u;
		_Bool woken = bits & may & BIT_0, told = woken && i & 4;
		MUST(kernel_narrow(slot(few), slot(thread_slot(0)), RIGHT_SIGNAL, may));
		client_restart(&crowd[1], signals_slot, few | bits << 16);
		CHECK_EQUAL(client_dispatch(&crowd[0], 0, 0, 5u << DISPATCH_BIT_SHIFT).reason,
			    DISPATCH_WAITING);
		uint32_t before = events_of(0);
		answer = 0;
		struct dispatch_result result = client_dispatch(&crowd[1], asked, 0, 0);
		CHECK_EQUAL(result.reason, told ? DISPATCH_EVENT : DISPATCH_ENDED);
		CHECK_EQUAL(result.bits, told ? 1u << 5 : 0);
		CHECK_EQUAL(state_of(0), woken ? THREAD_READY : THREAD_WAITING);
		CHECK_EQUAL(events_of(0), before | (bits & may));
		CHECK_EQUAL(state_of(1), told ? THREAD_READY : THREAD_STOPPED);
		CHECK_EQUAL(root_events_take(), woken && !told ? 1u << 5 : 0);
		client_restart(&crowd[1], signals_slot, thread_slot(0) | bits << 16);
		if (woken) /* no longer: nobody is told twice */
			CHECK_EQUAL(client_dispatch(&crowd[1], asked, 0, 0).reason, DISPATCH_ENDED);
		if (!woken)
			MUST(signal_to(0, BIT_0));
		go(0); /* it goes on, and waits again */
		root_events_take();
		CHECK_EQUAL(answer, BIT_0);
		CHECK_EQUAL(state_of(0), THREAD_WAITING);
		MUST(signal_to(0, BIT_0));
		root_events_take();
	}
	slot_give(few);
	crowd_end(2);
}

TEST(wake_up_does_not_tell_who_dispatches_now_from_the_frame_of_who_did)
{
	waiting_chain_make(3);
	object_end(crowd[1].thread.data[0]); /* who dispatched 2 */
	object_end(crowd[1].thread.object);
	crowd_make(3, dispatches_next, 3); /* in the same frame */
	crowd_make(4, signals, 2);
	CHECK_EQUAL(crowd[3].thread.object.frame, crowd[1].thread.object.frame);
	mask_at[3] = ~0u;
	deadline_at[3] = NEVER;
	MUST(signal_to(2, BIT_1)); /* (not what it waits for) */
	client_restart(&crowd[4], signals_slot, thread_slot(2) | BIT_0 << 16);
	CHECK_EQUAL(go(3).reason, DISPATCH_ENDED);
	CHECK_EQUAL(noted[3].reason, DISPATCH_ENDED);
	CHECK_EQUAL(state_of(2), THREAD_READY);
	CHECK_EQUAL(events_of(3), 0);
	CHECK_EQUAL(root_events(), 0);
	client_end(&crowd[0]);
	for (uint32_t i = 2; i < 5; i++)
		client_end(&crowd[i]);
}

TEST(wake_up_of_a_thread_whose_dispatcher_was_destroyed_hurts_nobody)
{
	waiting_chain_make(3);
	object_end(crowd[1].thread.data[0]); /* D2 */
	object_end(crowd[1].thread.object);
	crowd_make(3, waits, BIT_0 | BIT_1); /* in the same frame */
	CHECK_EQUAL(crowd[3].thread.object.frame, crowd[1].thread.object.frame);
	go(3);
	root_events_take();
	MUST(signal_to(2, BIT_0));
	CHECK_EQUAL(state_of(2), THREAD_READY);
	CHECK_EQUAL(state_of(3), THREAD_WAITING);
	CHECK(events_of(3) == 0 && root_events() == 0);
	client_end(&crowd[0]);
	client_end(&crowd[2]);
	client_end(&crowd[3]);
}

TEST(destroyed_thread_that_waited_is_nobody)
{
	waiting_chain_make(2);
	uint32_t copy = slot_take();
	MUST(kernel_copy(slot(copy), slot(thread_slot(1))));
	client_end(&crowd[1]);
	REFUSED(ERROR_STALE, SLOT_ENCODE(copy), thread_signal_op, BIT_0, 0, 0);
	CHECK_EQUAL(state_of(0), THREAD_WAITING);
	CHECK_EQUAL(root_events(), 0);
	slot_give(copy);
	client_end(&crowd[0]);
}

/* ---- stopped and destroyed in the chain
 * ---------------------------------------------------------------- */
static uint32_t victim_generation;
static void ends_another(uint32_t number)
{
	if (victim_generation)
		answer = kernel_destroy(AUTHORITY, crowd[number].thread.object.frame,
					victim_generation);
	else
		answer = kernel_thread_stop(slot(thread_slot(number)));
	ran++;
}

TEST(thread_that_is_ended_in_the_chain_gives_the_cpu_to_its_dispatcher)
{
	for (uint32_t round = 0; round < 6; round++) { /* 0, 1, or the running one itself */
		uint32_t number = round / 2, destroy = round & 1;
		chain_make(3, ends_another, number);
		victim_generation =
			destroy ? object_generation(crowd[number].thread.object.frame) : 0;
		ran = 0;
		struct dispatch_result result = go(0);
		CHECK_EQUAL(result.reason, DISPATCH_ENDED);
		CHECK_EQUAL(ran, 0);
		for (uint32_t i = 0; i < 3; i++) {
			struct words words;
			uint32_t error = kernel_thread_read(slot(thread_slot(i)),
							    THREAD_FIELD_STATE, &words);
			CHECK_EQUAL(error, i == number && destroy ? ERROR_STALE : 0);
			if (!error) /* those below went on to their end */
				CHECK_EQUAL(words.w[0],
					    i <= number ? THREAD_STOPPED : THREAD_READY);
		}
		for (uint32_t i = number + 1; i < 3; i++)
			CHECK_EQUAL(go(i).reason, DISPATCH_ENDED);
		if (number == 0)
			CHECK_EQUAL(noted[1].reason, DISPATCH_CUT);
		if (number > 0)
			CHECK_EQUAL(noted[number - 1].reason, DISPATCH_ENDED);
		if (number < 2)
			CHECK(ran == 1 && answer == 0);
		crowd_end(3);
	}
}

static void aborts_below(uint32_t number)
{
	struct words words;
	kernel_thread_read(slot(thread_slot(number)), THREAD_FIELD_STATE, &words);
	answer = kernel_abort(slot(thread_slot(number)), words.w[1], words.w[2]);
	ran++;
}
static uint32_t aborted_result;
PEER dispatches_here(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)a, (void)b, (void)badge_high;
	struct dispatch_result result;
	kernel_dispatch(slot(3), 0, NEVER, 0, &result);
	return ANSWER(5, 0);
}
static void lets_dispatch(uint32_t door)
{
	aborted_result = door_call(slot(door).encoded | OPTION_MAY_WAIT, 0, 0, 0, NULL);
}

TEST(abort_of_a_call_that_dispatches_cuts_to_it)
{
	struct domain peer;
	peer_make(&peer, "peer");
	uint32_t door = peer_door(&peer, dispatches_here);
	crowd_make(0, lets_dispatch, door);
	crowd_make(1, aborts_below, 0);
	domain_give(&peer, 3, thread_slot(1));
	ran = 0;
	CHECK_EQUAL(go(0).reason, DISPATCH_ENDED);
	CHECK_EQUAL(aborted_result, ERROR_ABORTED);
	CHECK(ran == 0 && state_of(1) == THREAD_READY);
	CHECK_EQUAL(go(1).reason, DISPATCH_ENDED);
	CHECK(ran == 1 && answer == 0);
	slot_give(door);
	crowd_end(2);
	domain_end(&peer);
}

TEST(thread_without_a_home_ends_at_once)
{
	for (uint32_t step = 0; step < 2; step++) {
		struct domain home;
		peer_make(&home, "home");
		client_make(&crowd[0], &home, runs, 1);
		ran = 0;
		domain_end(&home);
		for (uint32_t i = 0; i < 2; i++) { /* stepped, too, and root is not */
			struct dispatch_result result =
				client_dispatch(&crowd[0], 0, 0, step ? DISPATCH_STEP : 0);
			CHECK(result.reason == DISPATCH_ENDED && !ran);
			MUST(kernel_thread_start(slot(thread_slot(0)), 0, 0, 0));
		}
		crowd_end(1);
	}
}

/* ---- single steps
 * ---------------------------------------------------------------------------------------- */
static void dispatches_and_waits(uint32_t number)
{
	struct dispatch_result result = {.reason = 99};
	answer = kernel_dispatch(slot(thread_slot(number)), 0, NEVER, 0, &result);
	answer = answer << 16 | result.reason;
}

TEST(stepped_thread_that_dispatches_comes_back_at_once)
{
	crowd_make(0, dispatches_and_waits, 1);
	crowd_make(1, runs, 1);
	ran = 0;
	while (client_step(&crowd[0]).reason == DISPATCH_STEPPED)
		;
	CHECK_EQUAL(answer, DISPATCH_CUT);
	CHECK_EQUAL(ran, 0);
	CHECK_EQUAL(state_of(1), THREAD_READY);
	crowd_end(2);
}

PEER faults(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)b, (void)badge_high;
	if (a) /* what it stands on goes away */
		kernel_destroy(AUTHORITY, a, object_generation(a));
	*(volatile uint32_t *)0x0BAD0000 = 0;
	return ANSWER(0, 0);
}
static void calls_to_fault(uint32_t frame)
{
	uint32_t door = ran;
	ran = 0;
	answer = door_call(slot(door).encoded, 0, frame, 0, NULL);
	for (uint32_t i = 0; i < 50; i++)
		ran++;
}

/* A handler that begins on the stack: a second fault if that is gone, and the longest stay of all
 * forced returns in a step. */
void pushes(void);
asm("pushes: push %eax\n\tmov $0x80000000, %eax\n\tsysenter");

TEST(step_through_a_forced_return_is_still_one_step)
{
	struct domain peer;
	peer_make(&peer, "peer");
	uint32_t door = peer_door(&peer, faults);
	domain_give(&peer, ROOT_AUTHORITY, ROOT_AUTHORITY);
	for (uint32_t destroy = 0; destroy < 3; destroy++) {
		uint32_t seen = 0, last = door;
		if (destroy == 2)
			MUST(kernel_domain_set(slot(peer.object.slot), DOMAIN_FAULT_ENTRY,
					       (uintptr_t)pushes));
		crowd_make(0, calls_to_fault, 0);
		if (destroy)
			client_restart(&crowd[0], calls_to_fault, crowd[0].thread.data[0].frame);
		ran = door;
		while (client_step(&crowd[0]).reason == DISPATCH_STEPPED) {
			seen += ran == last + 1;
			last = ran;
		}
		CHECK_EQUAL(answer, ERROR_CALLEE_FAULTED);
		CHECK_EQUAL(seen,
			    50); /* every turn of the loop was seen, so nothing ran unstepped */
		crowd_end(1);
	}
	slot_give(door);
	domain_end(&peer);
}

/* ---- the root thread's time
 * --------------------------------------------------------------------------------- */
TEST(wait_of_the_root_thread_idles_until_its_deadline)
{
	static const uint32_t ms[] = {1, 20, 120}; /* the timer can be set to 54 ms */
	for (uint32_t i = 0; i < 3; i++) {
		uint64_t idle, begin, end, length = (uint64_t)ms[i] * boot_record->cycles_per_ms;
		uint32_t bits;
		do {
			bits = 99;
			idle = account_of(ACCOUNT_IDLE);
			begin = cycles();
			MUST(kernel_wait(BIT_0, begin + length, &bits));
			end = cycles();
			idle = account_of(ACCOUNT_IDLE) - idle;
		} while (try_longer(idle <= length / 2)); /* it stood still before */
		CHECK_EQUAL(bits, 0);
		CHECK(end >= begin + length);
		CHECK(idle > length / 2 && idle < end - begin);
	}
}

TEST(wait_of_the_root_thread_with_a_bit_that_is_there_does_not_idle)
{
	uint32_t bits;
	MUST(kernel_signal(slot(ROOT_THREAD), BIT_0 | BIT_2));
	MUST(kernel_wait(BIT_2, NEVER, &bits));
	CHECK_EQUAL(bits, BIT_2);
	MUST(kernel_wait(BIT_0, NEVER, &bits));
	CHECK_EQUAL(bits, BIT_0);
	MUST(kernel_wait(BIT_0, cycles() - 1, &bits)); /* past */
	CHECK_EQUAL(bits, 0);
}

TEST(dispatch_has_a_deadline_beyond_what_the_timer_can_count)
{
	crowd_make(0, waits_for_ever, BIT_0);
	client_restart(&crowd[0], spins, 0);
	uint64_t begin = cycles(), length = (uint64_t)60 * boot_record->cycles_per_ms;
	CHECK_EQUAL(client_dispatch(&crowd[0], 0, length, 0).reason, DISPATCH_DEADLINE);
	CHECK(cycles() - begin >= length);
	crowd_end(1);
}

/* ---- budgets
 * --------------------------------------------------------------------------------------------- */
#define LONGEST_STAY 600u /* tests/bench/limits.json: kernel_longest_stay */

static void signals_for_ever(uint32_t number)
{
	for (;;)
		signal_to(number, BIT_0);
}

/* The worst that can be: the deadline comes in the middle of a wake-up through 31 dispatchers. */
TEST(budget_is_kept_to_within_the_longest_stay)
{
	uint64_t late = boot_record->timer == TIMER_PIT ? boot_record->cycles_per_ms / 500 : 0;
	uint64_t most = 0;
	waiting_chain_make(CHAIN_MAX - 1);
	client_restart(&crowd[CHAIN_MAX - 2], waits_for_ever, BIT_0);
	MUST(signal_to(CHAIN_MAX - 3, 1u << (CHAIN_MAX - 3))); /* its dispatcher runs it */
	crowd_make(CHAIN_MAX, signals_for_ever, CHAIN_MAX - 2);
	for (uint32_t budget = 100; budget < 2000; budget += 3) {
		struct dispatch_result result;
		client_restart(&crowd[CHAIN_MAX], signals_for_ever, CHAIN_MAX - 2);
		if (state_of(0) == THREAD_READY)
			client_dispatch(&crowd[0], 0, 0, 7 << DISPATCH_BIT_SHIFT);
		CHECK_EQUAL(state_of(CHAIN_MAX - 2), THREAD_WAITING);
		root_events_take();
		MUST(kernel_dispatch(slot(thread_slot(CHAIN_MAX)), 0, cycles() + budget, 0,
				     &result));
		CHECK_EQUAL(result.reason, DISPATCH_DEADLINE);
		uint64_t over = result.cycles > budget ? result.cycles - budget : 0;
		most = over > most ? over : most;
	}
	test_note("over the budget by %llu ticks at most", most);
	if (time_is_exact) /* and it was not cut short either */
		CHECK(most > LONGEST_STAY / 2 && most <= LONGEST_STAY + late);
	else
		test_skip(COUNTER_IS_NOT_EXACT);
	crowd_end(CHAIN_MAX - 1);
	client_end(&crowd[CHAIN_MAX]);
	root_events_take();
}
