/* SPDX-License-Identifier: MIT */
/* Preemption at any instruction leaves nothing behind and takes nothing away: registers, FPU, SSE.
 */
#include "test.h"

#define OFFSETS     64u /* as in preempt.asm */
#define FEATURE_SSE (1u << 25)

struct hold {
	uint32_t delay, sse, eflags, registers[7];
	uint32_t fcw, mxcsr, x87[8], xmm[32];
	struct {
		uint32_t eflags, registers[7], mxcsr, xmm[32];
		struct {
			uint32_t control, status, tags, instruction[4];
			uint8_t stack[80];
		} fpu;
	} seen;
};
void hold(struct hold *holding);
void fpu_look(struct hold *holding);
extern volatile uint32_t hold_progress;

static struct client holders[2];
static struct hold holding[2], wanted[2];

static void hold_fill(struct hold *h, uint32_t seed)
{
	*h = (struct hold){.sse = boot_record->cpu_features & FEATURE_SSE};
	h->eflags = seed ? 0x200E93 : 0x202 | 0x44; /* ID OF DF SF AF CF; ZF PF */
	h->fcw = seed ? 0x0B7F : 0x067F;            /* rounding and precision, exceptions masked */
	h->mxcsr = seed ? 0x5F80 : 0x3F80;
	uint32_t value = seed * 0x12345677 + 0x0BADF00D;
	for (uint32_t i = 0; i < 7; i++)
		h->registers[i] = value += 0x01234567;
	for (uint32_t i = 0; i < 8; i++)
		h->x87[i] = value += 0x01234567;
	for (uint32_t i = 0; i < 32; i++)
		h->xmm[i] = value += 0x01234567;
}

/* The client's own view of what it held: the same as when nobody disturbs it. */
static void check_held(uint32_t number)
{
	struct hold *h = &holding[number], *w = &wanted[number];
	CHECK(!memcmp(h->seen.registers, h->registers, sizeof(h->registers)));
	CHECK_EQUAL(h->seen.eflags & 0x240CD5, h->eflags & 0x240CD5);
	if (h->sse) {
		CHECK(!memcmp(h->seen.xmm, h->xmm, sizeof(h->xmm)));
		CHECK_EQUAL(h->seen.mxcsr, h->mxcsr);
	}
	CHECK_EQUAL(h->seen.fpu.control & 0xFFFF, h->fcw);
	CHECK_EQUAL(h->seen.fpu.status & 0xFFFF, w->seen.fpu.status & 0xFFFF);
	CHECK_EQUAL(h->seen.fpu.tags & 0xFFFF, 0);
	CHECK(!memcmp(h->seen.fpu.stack, w->seen.fpu.stack, sizeof(h->seen.fpu.stack)));
}

static void holds(uint32_t number)
{
	hold(&holding[number]);
}

static void holders_make(void)
{
	for (uint32_t i = 0; i < 2; i++) {
		hold_fill(&holding[i], i);
		hold(&holding[i]); /* undisturbed */
		wanted[i] = holding[i];
		check_held(i);
		CHECK(wanted[i].seen.fpu.stack[7]); /* eight numbers, normal ones */
		client_make(&holders[i], &root_domain, holds, i);
	}
}
static void holders_begin(uint32_t delay)
{
	for (uint32_t i = 0; i < 2; i++) {
		memset(&holding[i].seen, 0, sizeof(holding[i].seen));
		holding[i].delay = delay;
		client_restart(&holders[i], holds, i);
	}
}
static void holders_end(void)
{
	for (uint32_t i = 0; i < 2; i++)
		client_end(&holders[i]);
}

TEST(preempted_at_any_offset_threads_keep_all_registers)
{
	static uint8_t hit[OFFSETS];
	uint32_t hits = 0;
	holders_make();
	memset(hit, 0, sizeof(hit));
	/* several times, until all were hit: how delays and the timer's ticks meet is chance */
	for (uint32_t run = 0; run < (time_is_exact ? 40000 : 2000) && hits < OFFSETS; run++) {
		uint32_t delay = 900 + run % 2000;
		_Bool over[2] = {0};
		uint32_t length = time_is_exact ? 2000 : 2000u << delay % 8;
		holders_begin(delay);
		for (uint32_t i = 0; i < 2; i++) { /* both stand somewhere in the middle */
			hold_progress = OFFSETS;
			over[i] =
				client_dispatch(&holders[i], 0, length, 0).reason == DISPATCH_ENDED;
			uint32_t at = hold_progress;
			if (!over[i] && at < OFFSETS && !hit[at])
				hit[at] = ++hits != 0;
		}
		for (uint32_t i = 0; i < 2; i++) {
			if (!over[i])
				client_run(&holders[i]);
			check_held(i);
		}
	}
	holders_end();
	test_note("preempted by the timer at %u of %u offsets", hits, OFFSETS);
	if (time_is_exact)
		CHECK_EQUAL(hits, OFFSETS);
	else
		test_skip(COUNTER_IS_NOT_EXACT); /* so not all offsets are hit */
}

TEST(stopped_after_each_step_threads_keep_all_registers)
{
	holders_make();
	for (uint32_t steps = 0;; steps++) {
		uint32_t reason = DISPATCH_STEPPED;
		holders_begin(0);
		for (uint32_t i = 0; i < steps && reason == DISPATCH_STEPPED; i++)
			reason = client_step(&holders[0]).reason;
		client_run(&holders[1]);
		if (reason == DISPATCH_STEPPED)
			client_run(&holders[0]);
		check_held(0);
		check_held(1);
		if (reason == DISPATCH_ENDED)
			break;
		CHECK(steps < 1000);
	}
	holders_end();
}

TEST(stepping_changes_no_register)
{
	holders_make();
	holders_begin(3);
	for (_Bool more = 1; more;) { /* in turn, each step with the other's state in between */
		more = 0;
		for (uint32_t i = 0; i < 2; i++) {
			struct words words;
			MUST(kernel_thread_read(slot(holders[i].thread.object.slot),
						THREAD_FIELD_STATE, &words));
			if (words.w[0] == THREAD_READY)
				more |= client_step(&holders[i]).reason == DISPATCH_STEPPED;
		}
	}
	check_held(0);
	check_held(1);
	holders_end();
}

static void looks(uint32_t number)
{
	fpu_look(&holding[number]);
}

TEST(new_thread_begins_with_a_clean_fpu)
{
	holders_make();
	client_end(&holders[1]);
	hold_fill(&holding[1], 1);
	memset(&holding[1].seen, 0x55, sizeof(holding[1].seen));
	client_step(&holders[0]);
	for (uint32_t i = 0; i < 60; i++) /* the other one has loaded all by now */
		client_step(&holders[0]);
	client_make(&holders[1], &root_domain, looks, 1);
	client_run(&holders[1]);
	CHECK_EQUAL(holding[1].seen.fpu.control & 0xFFFF, 0x037F);
	CHECK_EQUAL(holding[1].seen.fpu.status & 0xFFFF, 0);
	CHECK_EQUAL(holding[1].seen.fpu.tags & 0xFFFF, 0xFFFF);
	for (uint32_t i = 0; i < 80; i++)
		CHECK_EQUAL(holding[1].seen.fpu.stack[i], 0);
	for (uint32_t i = 0; holding[1].sse && i < 32; i++)
		CHECK_EQUAL(holding[1].seen.xmm[i], 0);
	if (holding[1].sse)
		CHECK_EQUAL(holding[1].seen.mxcsr, 0x1F80);
	client_run(&holders[0]);
	check_held(0);
	holders_end();
}
