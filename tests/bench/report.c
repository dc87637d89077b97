/* SPDX-License-Identifier: MIT */
/*
 * Samples, warm and cold, and what is told of them: minimum, median, 99th percentile, maximum and a
 * histogram, each benchmark on a line that tools/bench-report reads; at the end all medians on one
 * screen.
 */
#include "bench.h"
#include "root.h"

#define BINS        16u
#define LINE_BYTES  64u
#define JUMP        0x3EEBu /* to the next line: 2 + 62 bytes on */
#define RETURN_NEAR 0xC3u
#define EVICT_KIB   4096u /* more than second-level caches have */
#define MEDIANS_MAX 128u
#define COLUMN      40

struct series {
	uint32_t count, ticks[SAMPLES];
};
static struct series warm, cold, *series = &warm;
static uint32_t overhead, walk_bytes;
static uint8_t *walk;
volatile uint32_t begun, ended;
uint32_t round_number, rounds = SAMPLES + 1;

static struct {
	const char *name;
	uint32_t warm, cold;
} medians[MEDIANS_MAX];
static uint32_t medians_count;

/* ---- cold caches
 * -------------------------------------------------------------------------------------------- */
/* A buffer that is code, too: one jump in each line to the next one, and a return in the last. */
static void walk_make(uint32_t kib)
{
	uint32_t frames = kib / 4 < frames_free() / 4 ? kib / 4 : frames_free() / 4;
	if (!frames)
		return;
	walk = frame_pointer(frames_take(frames, 1));
	walk_bytes = frames * PAGE_BYTES;
	for (uint32_t at = 0; at < walk_bytes; at += LINE_BYTES)
		*(uint16_t *)(walk + at) = at + LINE_BYTES < walk_bytes ? JUMP : RETURN_NEAR;
	rounds = 1 + SAMPLES + COLD_SAMPLES;
}

/* User mode can't flush caches; it can fill them with something else: read, then executed. */
void caches_evict(void)
{
	for (uint32_t at = 0; at < walk_bytes; at += LINE_BYTES)
		(void)*(volatile uint32_t *)(walk + at);
	((void (*)(void))walk)();
}

void round_end(void)
{
	series = round_number > SAMPLES ? &cold : &warm;
	if (round_number)
		sample_add();
	series = &warm;
}

/* Cold rounds of a long walk take minutes in an emulator. (Where instructions are counted, the walk
 * is short; and a deadline beyond 32 bits would cost some.) */
uint64_t far_ticks(void)
{
	return (1000 + (walk_bytes >> 20) * 60000ull) * boot_record->cycles_per_ms;
}

/* ---- samples
 * ------------------------------------------------------------------------------------------------
 */
__attribute__((noinline)) void sample_add(void) /* (the profiler knows this and `report`) */
{
	uint32_t ticks = ended - begun; /* less than the overhead only where time is not exact */
	if (series->count < SAMPLES)
		series->ticks[series->count++] = ticks > overhead ? ticks - overhead : 0;
}

void sample_set(uint32_t ticks)
{
	begun = 0;
	ended = ticks + overhead;
	sample_add();
}

static void sort(struct series *s)
{
	for (uint32_t gap = SAMPLES / 2; gap; gap /= 2)
		for (uint32_t i = gap; i < s->count; i++) {
			uint32_t value = s->ticks[i], at = i;
			for (; at >= gap && s->ticks[at - gap] > value; at -= gap)
				s->ticks[at] = s->ticks[at - gap];
			s->ticks[at] = value;
		}
}

static uint32_t percentile(const struct series *s, uint32_t percent)
{
	return s->ticks[(s->count * percent + 99) / 100 - 1];
}

/* Bins of equal width from the minimum up to the 99th percentile, and one for all above. */
static void histogram_print(const struct series *s)
{
	uint32_t bins[BINS] = {0}, last = 0;
	uint32_t first = s->ticks[0], width = (percentile(s, 99) - first) / (BINS - 1) + 1;
	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t bin = (s->ticks[i] - first) / width;
		last = bin < BINS ? bin : BINS - 1;
		bins[last]++;
	}
	print(" bins %u %u %u", first, width, bins[0]);
	for (uint32_t i = 1; i <= last; i++)
		print(",%u", bins[i]);
	print("\n");
}

static uint32_t series_print(const char *kind, const char *name, struct series *s)
{
	sort(s);
	print("%s %s min %u median %u p99 %u max %u samples %u", kind, name, s->ticks[0],
	      percentile(s, 50), percentile(s, 99), s->ticks[s->count - 1], s->count);
	histogram_print(s);
	return percentile(s, 50);
}

/* The timer may still be set for a deadline of what was measured, and would interrupt what comes.
 */
static void timer_quiet(void)
{
	uint32_t bits;
	MUST(kernel_wait(1u << 31, cycles() + boot_record->cycles_per_ms, &bits));
}

static uint32_t told_warm, told_cold; /* samples of the last report */

__attribute__((noinline)) void report(const char *name)
{
	if (medians_count == MEDIANS_MAX)
		root_fail("more benchmarks than MEDIANS_MAX", 0);
	medians[medians_count].name = name;
	medians[medians_count].warm = series_print("bench", name, &warm);
	if (cold.count)
		medians[medians_count].cold = series_print("cold", name, &cold);
	medians_count++;
	told_warm = warm.count;
	told_cold = cold.count;
	warm.count = cold.count = 0;
	timer_quiet();
}

void report_parts(const char *name, uint32_t parts)
{
	warm.count = told_warm;
	cold.count = told_cold;
	for (uint32_t i = 0; i < warm.count; i++)
		warm.ticks[i] = (warm.ticks[i] + parts - 1) / parts;
	for (uint32_t i = 0; i < cold.count; i++)
		cold.ticks[i] = (cold.ticks[i] + parts - 1) / parts;
	report(name);
}

/* ---- the whole
 * ------------------------------------------------------------------------------------------------
 */
static void processor_print(void)
{
	uint32_t name[13] = {0}, highest, b, c, d;
	asm("cpuid" : "=a"(highest), "=b"(b), "=c"(c), "=d"(d) : "a"(0x80000000u));
	for (uint32_t i = 0; i < 3 && highest >= 0x80000004u; i++)
		asm("cpuid"
		    : "=a"(name[4 * i]), "=b"(name[4 * i + 1]), "=c"(name[4 * i + 2]),
		      "=d"(name[4 * i + 3])
		    : "a"(0x80000002u + i));
	print("processor %s\n", name[0] ? (const char *)name : "without a name");
}

static uint32_t number_behind(const char *word, uint32_t otherwise)
{
	const char *digits = line_behind(word);
	uint32_t number = 0;
	if (!digits)
		return otherwise;
	for (; *digits >= '0' && *digits <= '9'; digits++)
		number = number * 10 + *digits - '0';
	return number;
}

void report_begin(void)
{
	processor_print();
	print("ticks of the time stamp counter, %u to the millisecond\n",
	      boot_record->cycles_per_ms);
	walk_make(number_behind("evict=", EVICT_KIB));
	print("cold: after a walk over %u KiB, read and executed\n", walk_bytes / 1024);
	overhead = UINT32_MAX;
	for (uint32_t i = 0; i < 10; i++) {
		BEGIN();
		END();
		overhead = ended - begun < overhead ? ended - begun : overhead;
	}
}

/* Two to a line, where both fit: 48 of them and what says so are a screen of 80 columns. */
void report_end(void)
{
	char line[COLUMN];
	size_t length = 0;
	print("medians%s:\n", walk_bytes ? ", warm/cold" : "");
	for (uint32_t i = 0; i < medians_count; i++) {
		char one[COLUMN];
		size_t size = format(one, sizeof(one), "%s %u", medians[i].name, medians[i].warm);
		if (medians[i].cold)
			size += format(one + size, sizeof(one) - size, "/%u", medians[i].cold);
		if (length) {
			print("%-40s%s\n", line, one);
			length = 0;
		} else {
			memcpy(line, one, size + 1);
			length = size;
		}
	}
	if (length)
		print("%s\n", line);
}
