/* SPDX-License-Identifier: MIT */
/*
 * Benchmarks: a root program. Every sample is the difference of two readings of the time stamp
 * counter less that of an empty pair, user stubs included. What a tick is only the machine's owner
 * knows: under QEMU's icount an instruction, exactly. What each name measures: docs/benchmarks.md.
 */
#include "../paged/paged.h"
#include "bench.h"
#include "idle.h"
#include "keyboard/keyboard.h"
#include "pci/pci.h"
#include "quota/quota.h"
#include "memory_space.h"
#include "ports.h"
#include "root.h"
#include "scheduler.h"
#include "serial/serial.h"
#include "vga/vga.h"

static void must_return(uint32_t result)
{
	if (result != RETURN)
		root_fail("a call", result);
}

/* ---- services: domains that share this program's image
 * ----------------------------------------------- */
enum { OP_NOTHING, OP_FORWARD, OP_CATCH };

OPERATION static uint64_t do_nothing(uint32_t badge, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)a;
	(void)b;
	(void)badge_high;
	return ANSWER(0, badge);
}

OPERATION static uint64_t do_forward(uint32_t badge, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)badge;
	(void)badge_high;
	return ANSWER(DOOR_STATUS(door_call(1 | OPTION_NESTED, OP_NOTHING, a, b, NULL)), 0);
}

/* The lent window has no page at 0: fault, delivery, catch, resumed. */
OPERATION static uint64_t do_catch(uint32_t badge, uint32_t a, uint32_t b, uint32_t badge_high)
{
	uint32_t value;
	(void)badge;
	(void)a;
	(void)b;
	(void)badge_high;
	BEGIN();
	_Bool ok = try_load((const uint32_t *)WINDOW_0, &value);
	END();
	return ANSWER(ok, 0);
}

SERVICE_OPERATIONS([OP_NOTHING] = do_nothing, [OP_FORWARD] = do_forward, [OP_CATCH] = do_catch)

static void service_make(struct domain *domain, const char *name)
{
	domain_make(domain, name, 0);
	domain_share_image(domain);
	domain_entries(domain, (uint32_t)service_entry, (uint32_t)fault_entry);
}

static struct domain service_a, service_b;

static void bench_calls(void)
{
	service_make(&service_a, "A");
	service_make(&service_b, "B");
	uint32_t door_a = slot(domain_door(&service_a, 7)).encoded;
	uint32_t to_b = domain_door(&service_b, 8);
	domain_give(&service_a, 1, to_b);
	uint32_t result, value;
	MEASURE("call_return", , result = door_call(door_a, OP_NOTHING, 1, 2, &value),
		must_return(result));
	MEASURE("call_return_nested", , result = door_call(door_a, OP_FORWARD, 1, 2, &value),
		must_return(result));

	/* the first source document's measure: two windows, four capabilities, port rights of both
	 */
	domain_ports(&service_b, (struct object){0}, 0x80, 0x80);
	uint32_t door_b = slot(to_b).encoded | OPTION_CAPABILITIES | OPTION_WINDOWS;
	MEASURE("call_return_lend_8mib", ,
		result = door_call_lend(
			door_b, OP_NOTHING, 1,
			LEND_SLOTS(ROOT_DOMAIN, ROOT_THREAD, ROOT_PORTS, ROOT_AUTHORITY),
			LEND_WINDOWS(IMAGE_BASE >> 22, BOOT_RECORD >> 22), &value),
		must_return(result));

	uint32_t window = slot(domain_door(&service_b, 9)).encoded | OPTION_WINDOWS;
	uint32_t empty = frame_take(); /* a table without a page */
	MUST(kernel_create(AUTHORITY, OBJECT_TABLE, 0, empty, object_generation(empty), 0));
	uint32_t *directory = frame_pointer(boot_record->root_directory_frame);
	directory[2] = empty << 12 | PAGE_USER | PAGE_WRITE;
	for (ROUNDS) {
		round_begin();
		must_return(door_call_lend(window, OP_CATCH, 0, 0, LEND_WINDOWS(2, 0), NULL));
		round_end();
	}
	report("fault_catch");
}

static void bench_operations(void)
{
	uint32_t error, spare = slot_take();
	MUST(kernel_probe(slot(ROOT_DOMAIN)));
	MEASURE("null_invoke", ,
		asm volatile("mov %0, %%eax\n\txor %%esi, %%esi\n\t" SYSENTER
			     :
			     : "i"(ROOT_DOMAIN)
			     : "eax", "ecx", "edx", "esi", "memory"), );
	MEASURE("capability_copy", , error = kernel_copy(slot(100), slot(ROOT_DOMAIN)),
		MUST(error));
	slot_give(spare);
}

static void bench_objects(void)
{
	uint32_t data = frame_take(), control = frame_take(), generation, errors;
	uint32_t home = object_generation(service_a.object.frame);
	slot_t spare = slot(101);
	MEASURE("create_destroy_thread", generation = object_generation(control);
		memset(frame_pointer(control), 0, PAGE_BYTES),
		errors = kernel_create(AUTHORITY, OBJECT_THREAD, service_a.object.frame, control,
				       2 * generation + home, data);
		errors |= kernel_destroy(AUTHORITY, control, generation), MUST(errors));
	MEASURE("create_fetch_destroy_thread", generation = object_generation(control);
		memset(frame_pointer(control), 0, PAGE_BYTES),
		errors = kernel_create(AUTHORITY, OBJECT_THREAD, service_a.object.frame, control,
				       2 * generation + home, data);
		errors |= kernel_fetch(AUTHORITY, control, spare, generation);
		errors |= kernel_destroy(AUTHORITY, control, generation), MUST(errors));
	MEASURE("create_destroy_domain", generation = object_generation(control);
		memset(frame_pointer(control), 0, PAGE_BYTES);
		memcpy(frame_pointer(data), frame_pointer(boot_record->template_frame), PAGE_BYTES),
		errors = kernel_create(AUTHORITY, OBJECT_DIRECTORY, 0, data, generation, 0);
		errors |= kernel_create(AUTHORITY, OBJECT_DOMAIN, 0, control, 2 * generation, data);
		errors |= kernel_destroy(AUTHORITY, control, generation), MUST(errors));
}

/* ---- threads
 * --------------------------------------------------------------------------------------------- */
static struct thread worker;
static uint8_t worker_stack[4096] __attribute__((aligned(16)));
void thread_begin(void);

static void worker_start(void (*function)(void))
{
	if (!worker.object.frame)
		thread_make(&worker, "worker", &service_a);
	MUST(kernel_thread_stop(slot(worker.object.slot)));
	thread_go(&worker, (uint32_t)thread_begin,
		  (uint32_t)worker_stack + sizeof(worker_stack) - 16, (uint32_t)function);
}

static void worker_waits(void)
{
	uint32_t bits;
	for (;;)
		kernel_wait(1, DEADLINE_NEVER, &bits);
}

static void worker_signals(void)
{
	for (;;) {
		BEGIN();
		kernel_signal(slot(2), 1);
	}
}

/* Looks at the clock all the time: its longest gap is how long it did not run. */
static volatile uint32_t longest;
static void worker_watches(void)
{
	uint32_t before, now;
	for (before = cycles();; before = now) {
		now = cycles();
		if (now - before > longest)
			longest = now - before;
	}
}

/* How long the timer is set to: enough for the worker to run before it is preempted. Where ticks
 * are instructions the first value is; elsewhere it is found by trying. */
static uint64_t slice = 6000;

static _Bool slice_is_enough(void)
{
	if (longest)
		return 1;
	slice *= 2;
	if (slice > 1000ull * boot_record->cycles_per_ms)
		root_fail("nobody runs before a deadline a second from now", 0);
	return 0;
}

static void bench_dispatch(void)
{
	struct dispatch_result result;
	slot_t thread;
	uint32_t error;
	uint64_t far = cycles() + far_ticks();
	worker_start(worker_waits);
	thread = slot(worker.object.slot);
	MUST(kernel_dispatch(thread, 0, far, 0, &result));
	MEASURE("dispatch_round_trip", MUST(kernel_signal(thread, 1)),
		error = kernel_dispatch(thread, 0, far, 0, &result), MUST(error));

	domain_give(&service_a, 2, ROOT_THREAD);
	worker_start(worker_signals);
	for (ROUNDS) {
		round_begin();
		MUST(kernel_dispatch(thread, 1, far, 0, &result));
		END();
		round_end();
	}
	report("signal_to_dispatch");

	/* preempted by the timer, the dispatcher told, dispatched again: the gap in the thread's
	 * time; none is seen if the thread did not run at all */
	worker_start(worker_watches);
	for (uint32_t round = 0; round <= SAMPLES; round++) {
		do {
			MUST(kernel_dispatch(thread, 0, cycles() + slice + round % 7, 0, &result));
			longest = 0;
			far = cycles() + slice;
			MUST(kernel_dispatch(thread, 0, far, 0, &result));
			MUST(kernel_dispatch(thread, 0, far + slice, 0, &result));
		} while (!slice_is_enough());
		if (round)
			sample_set(longest);
	}
	report("preempt_resume");
}

/* The same dispatch by the kernel's long way (another wake-up bit than the last time) with the
 * timer to be set, and with a timer that is set for something earlier: the difference is what it
 * costs. */
static uint32_t dispatch_ticks(slot_t thread, uint64_t deadline, uint32_t bit)
{
	struct dispatch_result result;
	MUST(kernel_signal(thread, 1));
	BEGIN();
	uint32_t error = kernel_dispatch(thread, 0, deadline, bit << DISPATCH_BIT_SHIFT, &result);
	END();
	MUST(error);
	return ended - begun;
}

static __attribute__((noinline)) void bench_timer(void)
{
	slot_t thread = slot(worker.object.slot);
	uint64_t far = cycles() + 40ull * boot_record->cycles_per_ms;
	worker_start(worker_waits);
	dispatch_ticks(thread, far, 1);
	for (uint32_t round = 0; round <= SAMPLES; round++) {
		far -= 1000;
		uint32_t set = dispatch_ticks(thread, far, round & 1);
		uint32_t not_set = dispatch_ticks(thread, far, ~round & 1);
		if (round) /* (where time is not exact, the shorter one may take longer) */
			sample_set(set > not_set ? set - not_set : 0);
	}
	report("timer_program");
}

/* A handler waits; another thread signals it, its dispatcher is told and dispatches it: from the
 * signal to what the handler does first. */
#define HANDLER_BIT 3u
static struct thread handler;
static uint8_t handler_stack[4096] __attribute__((aligned(16)));

static void handler_handles(void)
{
	uint32_t bits;
	for (;;) {
		kernel_wait(1, DEADLINE_NEVER, &bits);
		END();
	}
}

static __attribute__((noinline)) void bench_wake(void)
{
	struct dispatch_result result;
	uint64_t far = cycles() + 2 * far_ticks();
	const uint32_t told = HANDLER_BIT << DISPATCH_BIT_SHIFT;
	slot_t thread;
	thread_make(&handler, "handler", &service_b);
	thread = slot(handler.object.slot);
	thread_go(&handler, (uint32_t)thread_begin,
		  (uint32_t)handler_stack + sizeof(handler_stack) - 16, (uint32_t)handler_handles);
	MUST(kernel_dispatch(thread, 0, far, told, &result));
	domain_give(&service_a, 2, handler.object.slot);
	worker_start(worker_signals);
	for (ROUNDS) {
		round_begin();
		MUST(kernel_dispatch(slot(worker.object.slot), 1 << HANDLER_BIT, far, 0, &result));
		MUST(kernel_dispatch(thread, 0, far, told, &result));
		round_end();
	}
	report("wake_to_run");
	domain_give(&service_a, 2, ROOT_THREAD);
}

/* Line 4: the serial port says "transmitter empty" as soon as it is asked to. The interrupt's path
 * with a signal to a thread that does not wait for it, and back. */
#define STAMPS 256u
#define LINE_4 slot(ROOT_IRQ_FIRST + 4)
static uint32_t stamps[STAMPS], quiet[STAMPS];

/* Sets the port's interrupts and looks at the clock, as it goes on if an interrupt comes or not. */
static __attribute__((noinline)) void stamps_take(uint8_t interrupts)
{
	stamps[0] = cycles();
	port_write(0x3F9, interrupts);
	for (uint32_t i = 1; i < STAMPS; i++)
		stamps[i] = cycles();
}

/* Between which two stamps it came only the machine knows: where it took more than when nothing
 * comes. */
static uint32_t stamps_excess(void)
{
	int32_t most = 0;
	for (uint32_t i = 1; i < STAMPS; i++) {
		int32_t excess = stamps[i] - stamps[i - 1] - quiet[i];
		most = excess > most ? excess : most;
	}
	return most;
}

/* Did the line's bit come until then? A machine takes a while to bring it. */
static _Bool line_came(uint64_t until)
{
	uint32_t bits;
	MUST(kernel_wait(1 << 5, until, &bits));
	return bits;
}

static void bench_interrupt(struct object bitmap)
{
	uint32_t late = 0;
	domain_ports(&root_domain, bitmap, 0x3F8, 0x3FF);
	port_write(0x3FC, 0x0B);
	MUST(kernel_irq_bind(LINE_4, slot(ROOT_THREAD), 5));
	MUST(kernel_irq_acknowledge(LINE_4));
	for (uint32_t round = 0; round < 16; round++) {
		stamps_take(0);
		for (uint32_t i = 1; i < STAMPS; i++) {
			uint32_t gap = stamps[i] - stamps[i - 1];
			quiet[i] = round && quiet[i] < gap ? quiet[i] : gap;
		}
	}
	for (uint32_t round = 0; round <= SAMPLES; round++) {
		stamps_take(2);
		_Bool in_time = line_came(0);
		if (!in_time && !line_came(cycles() + 1000ull * boot_record->cycles_per_ms))
			root_fail("the line did not interrupt", 0);
		port_write(0x3F9, 0);
		port_read(0x3FA);
		MUST(kernel_irq_acknowledge(LINE_4));
		late += !in_time;
		if (round && in_time)
			sample_set(stamps_excess());
	}
	if (late == SAMPLES + 1) /* no one came between the stamps */
		root_fail("the line interrupted too late to be measured", 0);
	report("irq_kernel_path");
}

/* Of the first function, the host bridge: its vendor and device. */
static void bench_pci(void)
{
	uint32_t result, value;
	slot_t door = slot(102);
	must_return(pci_split(slot(pci_slot), PCI_PLACE(0, PCI_MAY_READ), door));
	MEASURE("pci_read", , result = pci_read(door, 0, &value), must_return(result));
	MUST(kernel_delete(door));
}

/* ---- the rollforward lock: lock.c
 * --------------------------------------------------------------------------------------------- */
static struct thread enterer, worker_inside;

/* A section of one word. With pairs: it finds one of so many words that was committed, and whose
 * thread then was stopped. */
static void lock_measure(const char *name, const struct domain *keeper, uint32_t pairs)
{
	struct dispatch_result result;
	lock_pairs = pairs;
	lock_count = 0;
	memset((void *)lock_worked, 0, sizeof(lock_worked));
	for (ROUNDS) {
		while (pairs && !domain_lock(keeper)->count)
			MUST(kernel_dispatch(slot(worker_inside.object.slot), 0, DEADLINE_NEVER,
					     DISPATCH_STEP, &result));
		MUST(kernel_signal(slot(enterer.object.slot), 1));
		round_begin();
		MUST(kernel_dispatch(slot(enterer.object.slot), 0, DEADLINE_NEVER, 0, &result));
		round_end();
	}
	if (lock_count != rounds || (pairs && lock_worked[pairs - 1] != rounds))
		root_fail("a section did not happen once", 0);
	report(name);
}

static void bench_lock(void)
{
	extern const uint8_t section_start[], section_end[];
	static struct domain keeper;
	struct dispatch_result result;
	service_make(&keeper, "keeper");
	domain_section(&keeper, (uint32_t)section_start, (uint32_t)section_end);
	thread_make(&enterer, "enterer", &keeper);
	thread_make(&worker_inside, "worker", &keeper);
	thread_go(&enterer, (uint32_t)lock_enters, 0, 0);
	thread_go(&worker_inside, (uint32_t)lock_works, 0, 0);
	MUST(kernel_dispatch(slot(enterer.object.slot), 0, DEADLINE_NEVER, 0, &result));
	lock_measure("rollforward_lock", &keeper, 0);
	lock_measure("rollforward_help", &keeper, 1);
	lock_measure("rollforward_help_8", &keeper, 8);
}

/* ---- the VGA service
 * --------------------------------------------------------------------------------------------- */
static void bench_vga(void)
{
	static uint16_t cells[VGA_COLUMNS];
	uint32_t result, screen = domain_door(&vga_domain, VGA_SCREEN | VGA_RIGHTS_CLIENT);
	for (uint32_t i = 0; i < VGA_COLUMNS; i++)
		cells[i] = VGA_CELL('=', VGA_PLAIN);
	MEASURE("vga_write_row_call", ,
		result = vga_write(slot(screen), VGA_AREA(0, VGA_ROWS - 1, VGA_COLUMNS, 1), cells),
		must_return(result));
	report_parts("vga_write_row", VGA_COLUMNS);
	MEASURE("vga_scroll_screen", , result = vga_scroll(slot(screen), VGA_SCREEN, 1, cells[0]),
		must_return(result));
}

/* ---- keyboard and console
 * ------------------------------------------------------------------------------------------------
 */
/* As if a key had sent it: the controller's command for that. */
static void byte_type(uint8_t byte)
{
	while (port_read(KEYBOARD_STATUS) & 2)
		;
	port_write(KEYBOARD_STATUS, 0xD2);
	while (port_read(KEYBOARD_STATUS) & 2)
		;
	port_write(KEYBOARD_DATA, byte);
	while (!(port_read(KEYBOARD_STATUS) & 1))
		;
}
/* (Within main it would change what the compiler makes of bench_dispatch, by an instruction.) */
static __attribute__((noinline)) void bench_keyboard(struct object bitmap)
{
	uint32_t result, key;
	domain_ports(&root_domain, bitmap, KEYBOARD_DATA, KEYBOARD_STATUS);
	MEASURE("keyboard_read", byte_type(0x1E),
		result = keyboard_read_byte(slot(keyboard_slot), &key),
		must_return(result ^ (key ^ 'a')));
}

static void bench_console(void)
{
	sample_set(console_idle());
	report("console_idle");
}

static struct domain memory;
#define PAGER_ORDER 9u

/* A program in an extent of its own: libs/memory, from the store that faults until it is done. */
static __attribute__((noinline)) void bench_pager(uint32_t first)
{
	static uint32_t taken[POOL_WORDS(1u << PAGER_ORDER)];
	static struct child child;
	struct pool pool;
	struct builder builder = {.pool = &pool, .window = 0x0C000000, .scratch = 104};
	slot_t extent = slot(103), control = slot(105), door = slot(106), thread = slot(107);
	const struct boot_module *program = module_find("paged");
	struct dispatch_result ran;
	uint32_t ticks, frame;
	MUST(kernel_door(slot(memory.object.slot), extent,
			 MEMORY_BADGE(first, PAGER_ORDER, MEMORY_RIGHTS)));
	pool_begin(&pool, extent, 0, 1u << PAGER_ORDER, taken);
	must_return(pool_take(&pool, 1, 1, OBJECT_TABLE, &builder.window_table));
	((uint32_t *)frame_pointer(root_domain.directory_frame))[builder.window >> 22] =
		(first + builder.window_table) << 12 | PAGE_USER | PAGE_WRITE;
	must_return(child_make(&child, &builder, PAGER_ORDER - 1, 105, 0));
	must_return(child_load(&child, module_file(program), program->bytes));
	must_return(child_thread(&child, 107, &frame));
	must_return(child_own(&child, PAGED_EXTENT));
	MUST(kernel_door(control, door, 0));
	MUST(kernel_thread_start(thread, child.entry, DATA_STACK, PAGED_BENCH));
	MUST(kernel_dispatch(thread, 0, DEADLINE_NEVER, 0, &ran));
	if (ran.reason != DISPATCH_ENDED)
		root_fail("the program that pages itself", 0);
	for (uint32_t i = 0; i < PAGED_SAMPLES; i++) {
		must_return(paged_sample(door, i, &ticks));
		begun = 0;
		ended = ticks;
		sample_add();
	}
	report("page_fault_self");
	must_return(child_end(&child));
	MUST(kernel_delete(thread));
	MUST(kernel_delete(door));
	MUST(kernel_delete(extent));
}

/* (What is measured costs an instruction more where EBP is free to hold `all`.) */
static __attribute__((noipa, optimize("no-omit-frame-pointer"))) void pages_measure(slot_t all)
{
	uint32_t result, done;
	MEASURE("page_map_32", , result = memory_map(all, 0, 8, MEMORY_ENTRY_WRITE, 1, 32, NULL),
		must_return(result);
		must_return(memory_unmap(all, 0, 8, 32)));
	report_parts("page_map_batch32", 32);
	struct batch batch = {0};
	MEASURE("retype_clean", memory_become_step(&batch, 40, 1, OBJECT_NONE);
		memory_clean_range_step(&batch, 40, 1),
		result = memory_batch(all, &batch, slot(0), &done), must_return(result));
}

/* The client's extent holds the page table and the frames. */
static __attribute__((noinline)) void bench_memory(void)
{
	slot_t all = slot(103);
	uint32_t most = memory_descriptor_frames(boot_record->low_end_frame);
	const uint32_t pager = 2u << PAGER_ORDER; /* an aligned extent lies within */
	uint32_t row = frames_take(most + 128 + pager, 1), errors;
	memory_begin(&memory, row, row + most + 128 + pager);
	uint32_t first = (row + most + 63) & ~63u;
	MUST(kernel_door(slot(memory.object.slot), all, MEMORY_BADGE(first, 6, MEMORY_RIGHTS_ALL)));
	must_return(memory_clean(all, 0, 64));
	must_return(memory_become(all, 0, 1, OBJECT_TABLE));
	must_return(memory_become(all, 1, 33, OBJECT_NONE));
	MEASURE("page_map_unmap", , errors = memory_map(all, 0, 5, MEMORY_ENTRY_WRITE, 1, 1, NULL);
		errors |= memory_unmap(all, 0, 5, 1), must_return(errors));
	pages_measure(all);
	MUST(kernel_delete(all));
	bench_pager((first + 64 + pager / 2 - 1) & ~(pager / 2 - 1));
}

/* An allocator over 64 frames of a memory service of its own; frames are clean when they come back.
 */
static __attribute__((noinline)) void bench_quota(void)
{
	static struct domain memory, quota;
	const uint32_t all = 103, door = 104, block = 105;
	uint32_t most = memory_descriptor_frames(boot_record->low_end_frame);
	uint32_t row = frames_take(most + 128, 1), result, taken, order = 0;
	memory_begin(&memory, row, row + most + 128);
	MUST(kernel_door(slot(memory.object.slot), slot(all),
			 MEMORY_BADGE((row + most + 63) & ~63u, 6, MEMORY_RIGHTS_ALL)));
	must_return(memory_clean(slot(all), 0, 64));
	allocator_make(&quota, "quota", all, 1);
	MUST(kernel_door(slot(quota.object.slot), slot(door),
			 1ull << 32 | QUOTA_MASTER | QUOTA_USE));
	MEASURE("quota_take_give", , result = quota_take(slot(door), order, slot(block), &taken);
		result |= quota_give(slot(door), QUOTA_FRAME(taken), NULL), must_return(result));
	order = 4;
	MEASURE("quota_take_give_16", , result = quota_take(slot(door), order, slot(block), &taken);
		result |= quota_give(slot(door), QUOTA_FRAME(taken), NULL), must_return(result));
	MUST(kernel_delete(slot(all)));
	MUST(kernel_delete(slot(door)));
	MUST(kernel_delete(slot(block)));
}

/* ---- schedulers in user mode
 * ------------------------------------------------------------------------------------------------
 */
/* Dispatchers one upon the other, each of which dispatches the next one and then waits until that
 * can go on; the last one only waits. */
#define NESTED 5u
static struct thread nest[NESTED];
static void nested_dispatches(uint32_t thread)
{
	struct dispatch_result result;
	uint32_t bits;
	for (;;) {
		if (thread)
			kernel_dispatch(slot(thread), 0, DEADLINE_NEVER, 0, &result);
		kernel_wait(1, DEADLINE_NEVER, &bits);
	}
}

static __attribute__((noinline)) void bench_nested(void)
{
	static uint32_t stacks[NESTED][256];
	struct dispatch_result result;
	uint32_t error;
	for (uint32_t i = NESTED; i--;) {
		uint32_t *top = &stacks[i][252];
		top[0] = 0;
		thread_make(&nest[i], "nested", i % 2 ? &service_a : &service_b);
		if (i + 1 < NESTED) {
			domain_give(nest[i].home, 3 + i, nest[i + 1].object.slot);
			top[0] = 3 + i;
		}
		thread_go(&nest[i], (uint32_t)thread_begin, (uint32_t)top,
			  (uint32_t)nested_dispatches);
	}
	slot_t first = slot(nest[0].object.slot), last = slot(nest[NESTED - 1].object.slot);
	uint64_t far = cycles() + far_ticks();
	MUST(kernel_dispatch(first, 0, far, 0, &result));
	MEASURE("dispatch_nested4", MUST(kernel_signal(last, 1)),
		error = kernel_dispatch(first, 0, far, 0, &result), MUST(error));
}

/* Those of other files, in the order of the files' names; `only`: that one. */
static __attribute__((noinline)) void bench_registered(const char *only)
{
	for (const struct benchmark *b = benchmarks_begin; b < benchmarks_end; b++)
		if (!only || !strcmp(b->name, only))
			b->run();
}

int main(void)
{
	root_begin();
	report_begin();
	if (line_behind("only=")) {
		bench_registered(line_behind("only="));
		report_end();
		machine_end(1);
	}
	bench_calls();
	bench_operations();
	bench_objects();
	bench_lock();
	bench_vga();
	bench_dispatch();
	bench_nested();
	bench_timer();
	bench_wake();
	bench_interrupt(root_bitmap);
	bench_pci();
	bench_registered(NULL);
	bench_memory();
	bench_quota();
	bench_keyboard(root_bitmap);
	bench_console();
	report_end();
	machine_end(1);
}
