/* SPDX-License-Identifier: MIT */
/*
 * The record for tools/profile: every instruction and every access of each benchmark's samples.
 * The guest does not know of it: where a sample begins and ends, where it is kept and where a
 * benchmark is reported are addresses in the benchmark programs (samples=PATH), whose code there
 * must be as the file says, since programs share addresses. Of samples with the same number of
 * instructions the first one is kept, the others are counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "profile.h"
#include "trace.h"

#define MARKS      4096u
#define CODE_BYTES 16u
#define DOMAINS    256u
#define DISTINCT   4096u     /* of a benchmark, by number of instructions */
#define LAP_EVENTS (1u << 20) /* a longer lap is none */

/* What marked instructions are; the values stand in the file of marks. */
enum {
	MARK_START = 1, /* behind this one a sample begins */
	MARK_STOP,      /* before this one it ends */
	MARK_STOP_KEEP, /* likewise, and it is kept at once */
	MARK_LAP,       /* behind this one a lap ends and the next one begins */
	MARK_RESET,     /* from the lap in which this is on, the longest one is the sample */
	MARK_RESET_LAP, /* from the lap that begins behind this one on */
	MARK_KEEP,      /* the last sample is kept */
	MARK_REPORT     /* all that was kept was one benchmark */
};

/* little endian, as tools/profile reads it */
enum { INSTRUCTION, LOAD, STORE, FAULT };
struct event {
	uint32_t va, line;
	uint16_t domain; /* of a user instruction: its place in the table of domains */
	uint8_t what, kind, size, kern, unused[2];
};

struct stretch {
	struct event *events;
	uint32_t count, room, instructions;
};

struct kept {
	uint32_t samples;
	struct stretch last, before; /* before: the one that ended before the last one began */
};

bool profile_on;
static FILE *out;
static struct {
	uint32_t va, size;
	uint8_t kind, code[CODE_BYTES];
} marks[MARKS];
static uint32_t mark_count;
static struct {
	uint32_t self[2];
	uint64_t hash;
} domains[DOMAINS];
static uint32_t domain_count, domain;
static bool was_kern = true;

static struct stretch sample, before, lap, longest;
static bool sampling, sampled, lapping, armed;
static struct kept kept[DISTINCT];
static uint32_t kept_count;

static void add(struct stretch *stretch, const struct event *event)
{
	if (stretch->count == stretch->room) {
		stretch->room = stretch->room ? 2 * stretch->room : 1024;
		stretch->events = realloc(stretch->events, stretch->room * sizeof *event);
		if (!stretch->events) {
			fprintf(stderr, "kprof: out of memory\n");
			_Exit(2);
		}
	}
	stretch->events[stretch->count++] = *event;
	stretch->instructions += event->what == INSTRUCTION;
}

static void clear(struct stretch *stretch)
{
	stretch->count = stretch->instructions = 0;
}

static void swap(struct stretch *a, struct stretch *b)
{
	struct stretch old = *a;
	*a = *b;
	*b = old;
}

static void copy(struct stretch *to, const struct stretch *from)
{
	for (uint32_t i = 0; i < from->count; i++) add(to, &from->events[i]);
}

/* ---- what is kept ---- */

static void keep(const struct stretch *last, const struct stretch *previous)
{
	struct kept *k = kept;
	while (k < kept + kept_count && (k->last.instructions != last->instructions ||
	                                 k->before.instructions != previous->instructions))
		k++;
	if (k == kept + DISTINCT) {
		fprintf(stderr, "kprof: no two samples of a benchmark are alike\n");
		_Exit(2);
	}
	if (!k->samples++) {
		kept_count++;
		copy(&k->last, last);
		copy(&k->before, previous);
	}
}

static void put_stretch(struct stretch *stretch)
{
	if (fwrite(stretch->events, sizeof *stretch->events, stretch->count, out) !=
	    stretch->count)
		fprintf(stderr, "kprof: the profile could not be written\n");
	free(stretch->events);
	*stretch = (struct stretch){0};
}

static void put(uint32_t word)
{
	fwrite(&word, sizeof word, 1, out);
}

/* A benchmark: the number of its different samples; each with how often it was and its events. */
static void report(void)
{
	put('B');
	put(kept_count);
	for (struct kept *k = kept; k < kept + kept_count; k++) {
		put(k->samples);
		put(k->last.count);
		put(k->before.count);
		put_stretch(&k->last);
		put_stretch(&k->before);
		k->samples = 0;
	}
	kept_count = 0;
	sampling = sampled = lapping = armed = false;
	clear(&sample);
	clear(&before);
}

/* ---- what happens ---- */

static uint32_t domain_now(void)
{
	uint32_t at = trace_running_domain(), self[2];
	trace_identity(at, self);
	for (uint32_t i = 0; i < domain_count; i++)
		if (!memcmp(domains[i].self, self, sizeof self)) return i;
	if (domain_count == DOMAINS) return DOMAINS - 1;
	memcpy(domains[domain_count].self, self, sizeof self);
	domains[domain_count].hash = trace_program_of(at);
	return domain_count++;
}

static void event_add(const struct event *event)
{
	if (sampling) add(&sample, event);
	if (lapping) add(&lap, event);
	if (lap.count > LAP_EVENTS) {
		lapping = false;
		clear(&lap);
	}
}

static void lap_end(void)
{
	if (lapping && armed && lap.instructions > longest.instructions) swap(&lap, &longest);
	clear(&lap);
	lapping = true;
}

static void before_mark(uint8_t mark)
{
	if ((mark == MARK_STOP || mark == MARK_STOP_KEEP) && sampling) {
		sampling = false;
		sampled = true;
	}
	if ((mark == MARK_KEEP && sampled && !armed) || mark == MARK_STOP_KEEP) {
		keep(&sample, &before);
		clear(&before);
		sampled = false;
	} else if (mark == MARK_KEEP && armed) {
		static const struct stretch nothing;
		keep(&longest, &nothing);
		clear(&longest);
		armed = false;
	} else if (mark == MARK_REPORT) {
		report();
	}
}

static void behind_mark(uint8_t mark)
{
	if (mark == MARK_START) {
		swap(&sample, &before);
		clear(&sample);
		sampling = true;
	} else if (mark == MARK_LAP || mark == MARK_RESET_LAP) {
		lap_end();
	}
	if (mark == MARK_RESET || mark == MARK_RESET_LAP) {
		clear(&longest);
		armed = true;
	}
}

void profile_retired(const struct profile_step *step)
{
	if (step->mark) before_mark(step->mark);
	if (!step->kern && was_kern) domain = domain_now();
	was_kern = step->kern;
	if (sampling || lapping) {
		struct event event = {step->va, step->line, step->kern ? 0 : domain, INSTRUCTION,
		                      step->kind, step->size, step->kern, {0}};
		event_add(&event);
	}
	if (step->mark) behind_mark(step->mark);
}

void profile_access(uint32_t va, uint32_t line, uint8_t size, bool is_store)
{
	struct event event = {va, line, 0, is_store ? STORE : LOAD, 0, size, 0, {0}};
	if (sampling || lapping) event_add(&event);
}

void profile_fault(void)
{
	struct event event = {.what = FAULT};
	if (sampling || lapping) event_add(&event);
}

/* The names of the kinds of instructions, and the domains. */
void profile_end(const char *const *kinds, uint32_t count)
{
	if (!profile_on) return;
	put('D');
	put(domain_count);
	fwrite(domains, sizeof *domains, domain_count, out);
	put('K');
	for (uint32_t i = 0; i < count; i++) fprintf(out, "%s ", kinds[i]);
	if (ferror(out) | fclose(out))
		fprintf(stderr, "kprof: the profile could not be written\n");
	profile_on = false;
}

/* ---- marks and arguments ---- */

uint8_t profile_translated(uint32_t va, bool kern, uintptr_t host)
{
	for (uint32_t i = 0; i < mark_count && !kern && host; i++)
		if (marks[i].va == va && !memcmp(marks[i].code, (const void *)host, marks[i].size))
			return marks[i].kind;
	return 0;
}

/* Each is a line: kind, address, its code from there on (not beyond its page). */
static void marks_read(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned kind, va;
	char code[2 * CODE_BYTES + 1];
	while (file && mark_count < MARKS && fscanf(file, "%u %x %32s", &kind, &va, code) == 3) {
		marks[mark_count].kind = kind;
		marks[mark_count].va = va;
		marks[mark_count].size = strlen(code) / 2;
		for (uint32_t i = 0; i < marks[mark_count].size; i++) {
			char digits[3] = {code[2 * i], code[2 * i + 1], 0};
			marks[mark_count].code[i] = strtoul(digits, NULL, 16);
		}
		mark_count++;
	}
	if (!file || fclose(file)) {
		fprintf(stderr, "kprof: %s can't be read\n", path);
		_Exit(2);
	}
}

bool profile_argument(const char *argument)
{
	if (!strncmp(argument, "profile=", 8)) {
		out = fopen(argument + 8, "wb");
		if (!out) {
			fprintf(stderr, "kprof: %s can't be written\n", argument + 8);
			_Exit(2);
		}
		profile_on = true;
		return true;
	}
	if (!strncmp(argument, "samples=", 8)) {
		marks_read(argument + 8);
		return true;
	}
	return false;
}
