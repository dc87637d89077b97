/* SPDX-License-Identifier: MIT */
/*
 * The record for tools/trace: at each way into Nous' kernel and out of it, a copy of the few words
 * of kernel memory that say who runs in which domain. Nothing in the guest knows of it. What the
 * words mean, and where they are, tools/trace knows; see README.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "trace.h"

#define KERNEL_BASE  0xC0000000u
#define PAGE         4096u
#define IMAGE_BASE   0x00400000u
#define HASHED_BYTES 512u /* of a program, from IMAGE_BASE on: no two begin alike */
#define OBJECTS      0x40000u
#define MARKS        4096u
#define VECTORS      256u
#define STUB_BYTES   16u

/* little endian, as tools/trace reads it */
enum { ENTRY, EXIT, IDLE, MARK, DOMAIN, THREAD, END };
struct record {
	uint64_t time;              /* instructions completed */
	uint64_t counter, looked;   /* the kernel's last time stamp, the time when it was taken */
	uint32_t kind, va, from;    /* where it goes on, and where it was before */
	uint32_t top;               /* TSS.esp0 */
	uint32_t thread[2], domain[2], depth;
	uint32_t looks;             /* time stamps taken in this stay */
	uint32_t more[4];           /* EXIT: fault; DOMAIN: hash, THREAD: EBX at the start */
};

bool trace_on;
static FILE *out;
static uint64_t limit = 2000000, written;
static uint32_t esp0, cpu_domain, cpu_depth, cpu_stamp, cpu_lost, idle_at, stubs_at, page_fault_at,
	debug_at, nmi_at, thread_fault, start_call, start_trap, domain_self, domain_directory;
static uint64_t memory_bytes;
static uint8_t *memory; /* the guest's, from its physical address 0 on */

static const struct {
	const char *name;
	uint32_t *value;
} numbers[] = {{"esp0", &esp0},
               {"cpu_domain", &cpu_domain},
               {"cpu_depth", &cpu_depth},
               {"cpu_stamp", &cpu_stamp},
               {"cpu_lost", &cpu_lost},
               {"idle", &idle_at},
               {"stubs", &stubs_at},
               {"page_fault", &page_fault_at},
               {"debug", &debug_at},
               {"nmi", &nmi_at},
               {"thread_fault", &thread_fault},
               {"start_call", &start_call},
               {"start_trap", &start_trap},
               {"domain_self", &domain_self},
               {"domain_directory", &domain_directory}};

static uint32_t marks[MARKS], mark_count;
static uint32_t seen[OBJECTS]; /* generation + 1 of the objects that were told of */

static uint32_t physical(uint64_t address)
{
	uint32_t value = 0;
	if (memory && address + 4 <= memory_bytes) memcpy(&value, memory + address, 4);
	return value;
}

/* In the direct map, as the kernel is; the firmware lies above it. */
static bool is_ours(uint32_t address)
{
	return address >= KERNEL_BASE && address - KERNEL_BASE < memory_bytes;
}

static uint32_t word(uint32_t address)
{
	return address >= KERNEL_BASE ? physical(address - KERNEL_BASE) : 0;
}

static uint64_t two_words(uint32_t address)
{
	return (uint64_t)word(address + 4) << 32 | word(address);
}

/* FNV-1a of how the program begins that is mapped there; 0: nothing is. */
static uint64_t image_hash(uint32_t directory)
{
	uint32_t at = physical(directory + (IMAGE_BASE >> 22) * 4);
	uint64_t hash = 0xcbf29ce484222325ull;
	if (!(at & 1) || at & 0x80) return 0;
	at = physical((at & -PAGE) + (IMAGE_BASE >> 12 & 1023) * 4);
	if (!(at & 1)) return 0;
	at &= -PAGE;
	if ((uint64_t)at + HASHED_BYTES > memory_bytes) return 0;
	for (uint32_t i = 0; i < HASHED_BYTES; i++)
		hash = (hash ^ memory[at + i]) * 0x100000001b3ull;
	return hash;
}

static void put(const struct record *record)
{
	if (written++ == limit) { /* the last one says when */
		struct record end = *record;
		end.kind = END;
		fwrite(&end, sizeof end, 1, out);
	}
	if (written <= limit) fwrite(record, sizeof *record, 1, out);
}

/* Where the processor itself goes: the stub of a vector (kernel/x86/trap.asm), or another. */
static bool is_gate(uint32_t address)
{
	uint32_t offset = address - stubs_at;
	return (offset < VECTORS * STUB_BYTES && offset % STUB_BYTES == 0) ||
	       address == page_fault_at || address == debug_at || address == nmi_at;
}

/* Once for each object of a generation, if there is something to tell. */
static bool is_new(const uint32_t self[2])
{
	return seen[(self[0] >> 3) % OBJECTS] != self[1] + 1;
}

static void note_told(const uint32_t self[2])
{
	seen[(self[0] >> 3) % OBJECTS] = self[1] + 1;
}

static uint64_t looked;
static uint32_t looks, entered; /* in this stay; the page of the thread that came in */
static bool running, mark_wanted;

static void tell(int kind, const struct trace_point *from, const struct trace_point *to,
                 uint64_t time)
{
	uint32_t top = word(esp0), thread = top & -PAGE, domain = word(cpu_domain);
	struct record r = {.time = time, .counter = two_words(cpu_stamp) + two_words(cpu_lost),
	                   .looked = looked, .kind = kind, .va = to->va, .from = from->va,
	                   .top = top, .thread = {word(thread), word(thread + 4)},
	                   .domain = {word(domain + domain_self), word(domain + domain_self + 4)},
	                   .depth = word(cpu_depth), .looks = looks};
	if (kind == EXIT) {
		struct record object = r;
		uint64_t hash = is_new(r.domain) ? image_hash(word(domain + domain_directory)) : 0;
		if (hash) {
			object.kind = DOMAIN;
			memcpy(object.more, &hash, sizeof hash);
			put(&object);
			note_told(r.domain);
		}
		if (is_new(r.thread)) {
			object.kind = THREAD;
			object.more[0] = word(thread + (from->is_iret ? start_trap : start_call));
			put(&object);
			note_told(r.thread);
		}
		for (int i = 0; i < 4; i++) r.more[i] = word(entered + thread_fault + 4 * i);
	}
	put(&r);
}

static void enter(const struct trace_point *from, const struct trace_point *to, uint64_t time)
{
	looks = 0;
	entered = word(esp0) & -PAGE;
	tell(ENTRY, from, to, time);
}

static void leave(const struct trace_point *from, const struct trace_point *to, uint64_t time)
{
	tell(EXIT, from, to, time);
	mark_wanted = true;
}

void trace_insn(const struct trace_point *from, const struct trace_point *to, uint64_t time)
{
	if (!running) { /* until the root program's first instruction */
		if (to->va != IMAGE_BASE || !is_ours(from->va)) return;
		running = true;
	}
	if (from->is_rdtsc && from->kern && to->va != from->va) {
		looks++;
		looked = time;
	}
	if (!from->kern && to->kern) {
		enter(from, to, time);
	} else if (from->kern && !to->kern) {
		leave(from, to, time);
	} else if (to->kern && is_gate(to->va)) {
		/* an interrupt or a fault before the first instruction outside, or while idle */
		if (word(cpu_depth) && (from->is_iret || from->is_sysexit)) leave(from, to, time);
		enter(from, to, time);
	}
	if (!to->noted) return;
	if (to->va == idle_at) {
		tell(IDLE, from, to, time);
	} else if (to->kern || mark_wanted) { /* in a service only the first one is its operation */
		tell(MARK, from, to, time);
		mark_wanted = false;
	}
}

void trace_end(uint64_t time)
{
	struct record end = {.time = time, .kind = END};
	if (!trace_on) return;
	if (written < limit) fwrite(&end, sizeof end, 1, out);
	if (ferror(out) | fclose(out)) fprintf(stderr, "kprof: the trace could not be written\n");
	trace_on = false;
}

void trace_memory(uint32_t va, bool kern, uintptr_t host)
{
	if (kern && is_ours(va) && host) memory = (uint8_t *)host - (va - KERNEL_BASE);
}

uint32_t trace_running_domain(void)
{
	return word(cpu_domain);
}

void trace_identity(uint32_t domain, uint32_t self[2])
{
	self[0] = word(domain + domain_self);
	self[1] = word(domain + domain_self + 4);
}

uint64_t trace_program_of(uint32_t domain)
{
	return image_hash(word(domain + domain_directory));
}

bool trace_translated(uint32_t va, bool kern, uintptr_t host)
{
	trace_memory(va, kern, host);
	if (va == idle_at) return true;
	for (uint32_t i = 0; i < mark_count; i++)
		if (marks[i] == va) return true;
	return false;
}

/* The addresses are too many for an argument: each a line of a file. */
static void marks_read(const char *path)
{
	FILE *file = fopen(path, "r");
	while (file && mark_count < MARKS && fscanf(file, "%x", &marks[mark_count]) == 1)
		mark_count++;
	if (!file || fclose(file)) {
		fprintf(stderr, "kprof: %s can't be read\n", path);
		_Exit(2);
	}
}

bool trace_argument(const char *argument)
{
	const char *value = strchr(argument, '=');
	size_t length = value ? (size_t)(value++ - argument) : 0;
	if (length == 5 && !strncmp(argument, "trace", 5)) {
		trace_on = (out = fopen(value, "wb"));
		if (!out) {
			fprintf(stderr, "kprof: %s can't be written\n", value);
			_Exit(2);
		}
		return true;
	}
	if (length == 5 && !strncmp(argument, "marks", 5)) {
		marks_read(value);
		return true;
	}
	if (length == 6 && !strncmp(argument, "memory", 6)) {
		memory_bytes = strtoull(value, NULL, 0) << 20;
		return true;
	}
	if (length == 5 && !strncmp(argument, "limit", 5)) {
		limit = strtoull(value, NULL, 0);
		return true;
	}
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (strlen(numbers[i].name) == length &&
		    !strncmp(argument, numbers[i].name, length)) {
			*numbers[i].value = strtoul(value, NULL, 0);
			return true;
		}
	return false;
}
