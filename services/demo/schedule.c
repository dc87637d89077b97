/* SPDX-License-Identifier: MIT */
/*
 * Schedulers one upon the other: this thread follows a cyclic plan. In one of its slots EDF runs
 * two periodic threads and one that never yields, in the other one stride runs two that never
 * yield.
 */
#include "demo.h"
#include "hostile/hostile_program.h"
#include "meter/meter.h"
#include "root.h"
#include "scheduler/program.h"

#define ROW      (SLOTS_MAX - 2) /* far from slots that slot_take gives */
#define PERIODIC 2u
#define THREADS  5u /* the periodic ones, EDF's other one, stride's two */
#define PERIODS  22u
#define CYCLE    20u /* tenths of a millisecond */
#define SLOT     10u
#define SLICE    2u /* of stride */
#define LONGEST  80u

/* tenths of a millisecond: of EDF's children */
static const struct {
	uint32_t work, budget, period;
} plan[] = {{2, 4, 20}, {6, 10, LONGEST}, {0, 2, 40}};
static const uint32_t tickets[] = {1, 3};

struct program {
	struct domain domain;
	struct thread thread;
};
static struct program edf, stride;
static struct domain homes[THREADS];
static struct thread threads[THREADS];
static struct scheduler top;

static uint32_t cycles_of(uint32_t tenths)
{
	return tenths * (boot_record->cycles_per_ms / 10);
}

static uint64_t consumed(const struct thread *thread)
{
	struct words time;
	MUST(kernel_thread_read(slot(thread->object.slot), THREAD_FIELD_TIME, &time));
	return (uint64_t)time.w[1] << 32 | time.w[0];
}

/* As child `number` of this thread's. */
static void scheduler_make(struct program *program, const char *name, uint32_t number)
{
	program_make(&program->domain, name, "scheduler");
	domain_give(&program->domain, SCHEDULER_CONSOLE, console_slot);
	give_door(&program->domain, SCHEDULER_PARENT, &root_domain, SCHEDULER_BADGE(number));
	thread_make(&program->thread, name, &program->domain);
	MUST(kernel_copy(slot(ROW + number), slot(program->thread.object.slot)));
}

static void scheduler_start(struct program *program, enum scheduler_policy policy,
			    const struct scheduler_plan *numbers, const struct thread *first,
			    uint32_t count)
{
	uint32_t spare = slot_take();
	domain_fill(&program->domain, SCHEDULER_PLAN, numbers, sizeof(*numbers));
	for (uint32_t i = 0; i < count; i++) {
		MUST(kernel_narrow(slot(spare), slot(first[i].object.slot),
				   RIGHT_DISPATCH | RIGHT_SIGNAL, SCHEDULER_TIME));
		domain_give(&program->domain, SCHEDULER_THREADS + i, spare);
	}
	slot_give(spare);
	thread_go(&program->thread, program->domain.entry, 0, SCHEDULER_ARGUMENT(policy, count));
}

/* Each in a domain of its own, for a program's beginning has one stack. */
static void thread_begin(uint32_t number)
{
	struct domain *home = &homes[number];
	uint32_t argument = HOSTILE_ARGUMENT(HOSTILE_SPIN, 0);
	const char *name = number < PERIODIC ? "periodic" : "hog";
	program_make(home, name, number < PERIODIC ? "meter" : "hostile");
	if (number < PERIODIC) {
		domain_give(home, METER_SERIAL, console_slot);
		if (screen_slot)
			domain_give(home, METER_SCREEN, screen_slot);
		give_door(home, METER_PARENT, &edf.domain, SCHEDULER_BADGE(number));
		argument = METER_PERIODIC_ARGUMENT(
			number, cycles_of(plan[number].work) >> METER_UNIT_SHIFT,
			cycles_of(plan[number].period) >> METER_UNIT_SHIFT);
	}
	thread_make(&threads[number], name, home);
	thread_go(&threads[number], home->entry, 0, argument);
}

static void row_print(const char *what, uint64_t cycles, uint64_t of)
{
	uint32_t tenths = of ? cycles * 1000 / of : 0;
	print("  %-40s %5u.%u %%\n", what, tenths / 10, tenths % 10);
}

static void table_print(uint64_t elapsed)
{
	uint64_t best = consumed(&threads[3]) + consumed(&threads[4]);
	print("  of all time:\n");
	row_print("the slot of EDF (planned: at most 50 %)", top.consumed[0], elapsed);
	row_print("  its thread that never yields (5 %)", consumed(&threads[2]), elapsed);
	row_print("the slot of stride (planned: 50 %)", top.consumed[1], elapsed);
	print("  of that, by tickets:\n");
	row_print("one of four (25 %)", consumed(&threads[3]), best);
	row_print("three of four (75 %)", consumed(&threads[4]), best);
}

void schedule_run(void)
{
	static struct cyclic cyclic;
	static struct scheduler_plan for_edf, for_stride;
	if (!jobs_begin())
		return;
	const struct cyclic_slot slots[] = {{0, cycles_of(SLOT)}, {1, cycles_of(CYCLE - SLOT)}};
	print("A cyclic plan: %u ms for EDF with budgets, %u ms for stride, again and again\n",
	      SLOT / 10, (CYCLE - SLOT) / 10);
	scheduler_make(&edf, "EDF", 0);
	scheduler_make(&stride, "stride", 1);
	for (uint32_t i = 0; i < THREADS; i++)
		thread_begin(i);
	for_edf.length = cycles_of(1) / 20;
	for (uint32_t i = 0; i < 3; i++) {
		for_edf.servers[i].budget = cycles_of(plan[i].budget);
		for_edf.servers[i].period = cycles_of(plan[i].period);
		for_edf.servers[i].is_hard = 1;
	}
	for_stride.length = cycles_of(SLICE);
	for (uint32_t i = 0; i < 2; i++)
		for_stride.tickets[i] = tickets[i];
	scheduler_start(&edf, SCHEDULER_EDF, &for_edf, &threads[0], 3);
	scheduler_start(&stride, SCHEDULER_STRIDE, &for_stride, &threads[3], 2);

	uint64_t begin = cycles(), length = (uint64_t)PERIODS * cycles_of(LONGEST);
	cyclic_begin(&cyclic, slots, 2, begin);
	scheduler_begin(&top, &cyclic.policy, SCHEDULER_IS_ROOT, ROW, 2);
	uint32_t error = root_schedule(&top, begin + length);
	if (error || top.living != 3)
		print("  it went wrong: %s\n", error ? error_name(error) : "a scheduler has ended");
	table_print(cycles() - begin);

	for (uint32_t i = 0; i < 2; i++)
		MUST(kernel_delete(slot(ROW + i)));
	for (uint32_t i = 0; i < THREADS; i++) {
		thread_end(&threads[i]);
		domain_end(&homes[i]);
	}
	thread_end(&edf.thread);
	thread_end(&stride.thread);
	domain_end(&edf.domain);
	domain_end(&stride.domain);
	jobs_end();
}
