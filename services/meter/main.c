/* SPDX-License-Identifier: MIT */
/*
 * The meter: see meter.h. Every sample is the difference of two readings of the time stamp counter,
 * less that of an empty pair; the stubs of libs/runtime are part of what is measured.
 */
#include "meter.server.h"
#include "pci/pci.h"
#include "scheduler.h"
#include "text.h"
#include "vga/vga.h"

#define SAMPLES 101u
#define CHECKS  20u

static uint32_t samples[SAMPLES], overhead;
static volatile uint32_t begun, ended;

/* ---- the service ------------------------------------------------------------------------------
 */
uint32_t meter_do_add(struct badge badge, uint32_t a, uint32_t b, uint32_t *sum)
{
	*sum = a + b;
	return 0;
}
uint32_t meter_do_forward(struct badge badge, uint32_t a, uint32_t b, uint32_t *sum)
{
	return DOOR_STATUS(meter_add(nested(slot(METER_SERVICE)), a, b, sum));
}
uint32_t meter_do_lent(struct badge badge, lend_t one, lend_t two, lend_t three, lend_t four,
		       window_t first, window_t second, uint32_t a, uint32_t *sum)
{
	*sum = a;
	return 0;
}

/* ---- what is measured -------------------------------------------------------------------------
 */
/* Stamps to memory, so that a pair costs the same wherever it stands. */
#define BEGIN() asm volatile("rdtsc\n\tmov %%eax, %0" : "=m"(begun) : : "eax", "edx", "memory")
#define END()   asm volatile("rdtsc\n\tmov %%eax, %0" : "=m"(ended) : : "eax", "edx", "memory")

static void sample_put(uint32_t number)
{
	uint32_t ticks = ended - begun, at = number;
	ticks = ticks > overhead ? ticks - overhead : 0;
	for (; at && samples[at - 1] > ticks; at--)
		samples[at] = samples[at - 1];
	samples[at] = ticks;
}

static void row_print(const char *name, uint32_t result)
{
	if (result)
		print("  %-48s not measured\n", name);
	else
		print("  %-48s %8u %8u\n", name, samples[0], samples[SAMPLES / 2]);
}

/* `before` and `work` are a call each, which gives 0 or an error. The first round only warms up. */
#define MEASURE(name, before, work)                                             \
	do {                                                                    \
		uint32_t wrong = 0, result = 0;                                 \
		for (uint32_t round = 0; round <= SAMPLES && !wrong; round++) { \
			before;                                                 \
			BEGIN();                                                \
			result = work;                                          \
			END();                                                  \
			wrong |= result;                                        \
			if (round)                                              \
				sample_put(round - 1);                          \
		}                                                               \
		row_print(name, wrong);                                         \
	} while (0)
#define CALL(call) ((call) ^ RETURN)

static uint32_t lend_call(uint32_t *sum)
{
	return meter_lent(slot(METER_SERVICE), slot(METER_SERIAL), slot(METER_SERVICE),
			  slot(METER_THREAD), slot(METER_SERIAL), window(IMAGE_BASE),
			  window(METER_PAGE), 1, sum);
}

static void table_print(void)
{
	static uint16_t cells[VGA_COLUMNS];
	uint32_t value, row;
	struct dispatch_result dispatched;
	const slot_t worker = {METER_THREAD}, screen_row = {METER_ROW};
	overhead = UINT32_MAX;
	for (uint32_t i = 0; i < 10; i++) {
		BEGIN();
		END();
		overhead = ended - begun < overhead ? ended - begun : overhead;
	}
	print("  ticks of the time stamp counter (%u samples)         least   median\n", SAMPLES);
	MEASURE("call of another domain, and return", ,
		CALL(meter_add(slot(METER_SERVICE), 1, 2, &value)));
	MEASURE("a call inside a call, on one stack page", ,
		CALL(meter_forward(slot(METER_SERVICE), 1, 2, &value)));
	MEASURE("a call that lends 8 MiB and four capabilities", , CALL(lend_call(&value)));
	MEASURE("the cheapest kernel operation", , kernel_probe(worker));
	MEASURE("a capability copied", , kernel_copy(slot(METER_SPARE), slot(METER_SERVICE)));
	MEASURE("a thread that waited dispatched until it waits", kernel_signal(worker, 1),
		kernel_dispatch(worker, 0, DEADLINE_NEVER, 0, &dispatched));
	value = vga_size(screen_row, &row);
	row &= VGA_AREA_BITS;
	if (value == RETURN)
		value = vga_read(screen_row, row, cells);
	MEASURE("a row of 80 cells written to the screen", ,
		CALL(value == RETURN ? vga_write(screen_row, row, cells) : value));
	MEASURE("a configuration word of a PCI function read", ,
		CALL(pci_read((slot_t){METER_PCI}, 0, &value)));
}

static void check(void)
{
	for (uint32_t i = 0; i < CHECKS; i++) {
		uint32_t sum = 0;
		uint32_t result = i % 2 ? meter_forward(slot(METER_SERVICE), i, 1000, &sum)
					: meter_add(slot(METER_SERVICE), i, 1000, &sum);
		if (result != RETURN || sum != i + 1000)
			__builtin_trap();
	}
}

/* Works for so many cycles of its own: a gap is somebody else's time. */
static void work(uint32_t cycles_wanted)
{
	uint64_t before = cycles();
	for (uint32_t done = 0; done < cycles_wanted;) {
		uint64_t now = cycles();
		done += now - before < 1000 ? now - before : 0;
		before = now;
	}
}

static void jobs_do(uint32_t number, uint32_t work_units, uint32_t period_units)
{
	uint64_t period = (uint64_t)period_units << METER_UNIT_SHIFT, next = cycles();
	uint32_t late = 0, bits;
	for (uint32_t job = 0; job < METER_JOBS; job++) {
		work(work_units << METER_UNIT_SHIFT);
		next += period;
		late += cycles() > next;
		if (scheduler_wait_until(METER_PARENT, 0, next, &bits))
			__builtin_trap();
	}
	print("  periodic thread %u: %u jobs, %u late\n", number, METER_JOBS, late);
}

int main(uint32_t argument)
{
	uint32_t task = argument & 0xFF;
	uint32_t bits;
	console_slot = METER_SERIAL;
	screen_slot = METER_SCREEN;
	if (task == METER_TABLE)
		table_print();
	if (task == METER_CHECK)
		check();
	if (task == METER_PERIODIC)
		jobs_do(argument >> 8 & 15, argument >> 12 & 0xFF, argument >> 20);
	while (task == METER_WORKER)
		kernel_wait(1, DEADLINE_NEVER, &bits);
	return 0;
}
