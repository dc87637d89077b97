/* SPDX-License-Identifier: MIT */
/* The root program's own start and end, threads, and what runs them. */
#include "maker.h"
#include "ports.h"
#include "scheduler.h"
#include "serial/serial.h"
#include "vga/vga.h"

struct domain serial_domain, vga_domain;
uint32_t vga_slot;
struct object root_bitmap;
static struct thread root_thread = {.name = "root", .home = &root_domain};
static _Bool serial_lives;

#define SERIAL_PORT  0x3F8u
#define SERIAL_PORTS 8u
#define STATUS_EMPTY 0x20u
#define STATUS_IDLE  0x40u

/* As print; while there is no serial service, on the port that it will have. */
static void say(const char *text)
{
	if (serial_lives)
		print("%s", text);
	for (; !serial_lives && *text; text++) {
		while (!(port_read(SERIAL_PORT + 5) & STATUS_EMPTY))
			;
		port_write(SERIAL_PORT, *text);
	}
}

void machine_end(_Bool success)
{
	say(success ? "END success\n" : "END failure\n");
	if (serial_lives) /* the last byte must be out: a Bochs ends at once */
		serial_flush(slot(console_slot));
	while (!serial_lives && !(port_read(SERIAL_PORT + 5) & STATUS_IDLE))
		;
	port_write(0xF4, success ? 0x10 : 0x11);
	for (const char *s = "Shutdown"; *s; s++)
		port_write(0x8900, *s);
	for (;;) {
		uint32_t bits;
		kernel_wait(0, DEADLINE_NEVER, &bits);
	}
}

void root_fail(const char *what, uint32_t error)
{
	char sentence[160];
	if (!root_bitmap.frame) /* no port to say it: the kernel reports where */
		__builtin_trap();
	format(sentence, sizeof(sentence), "root program: %s%s%s\n", what, error ? ": " : "",
	       error ? error_name(error) : "");
	say(sentence);
	machine_end(0);
}

struct object vga_make(struct domain *domain, uint32_t frame)
{
	domain_make(domain, "vga", 0);
	domain_load(domain, "vga");
	domain_map(domain, VGA_ADDRESS, frame, PAGE_USER | PAGE_WRITE);
	uint32_t doors = slot_take();
	MUST(kernel_narrow(slot(doors), slot(domain->object.slot), RIGHT_DOOR, 0));
	domain_give(domain, VGA_SLOT_DOMAIN, doors);
	slot_give(doors);
	return domain_ports(domain, (struct object){0}, VGA_CRTC, VGA_CRTC + 1);
}

/* The text screen, if the entry brings its service. What is printed goes to the whole of it. */
static void vga_begin(void)
{
	if (!module_find("vga"))
		return;
	vga_make(&vga_domain, VGA_FRAME);
	vga_slot = domain_door(&vga_domain, VGA_SCREEN | VGA_RIGHTS_ALL);
	screen_slot = domain_door(&vga_domain, VGA_SCREEN | VGA_RIGHTS_CLIENT);
}

const char *line_behind(const char *word)
{
	const char *line = boot_record->command_line;
	while (*line && memcmp(line, word, strlen(word)) != 0)
		line++; /* some loaders put the kernel's name before it */
	return *line ? line + strlen(word) : NULL;
}

void root_begin(void)
{
	if (boot_record->magic != BOOT_MAGIC)
		__builtin_trap();
	root_domain.object = (struct object){boot_record->root_domain, ROOT_DOMAIN};
	root_thread.object = (struct object){boot_record->root_thread, ROOT_THREAD};
	root_domain.directory_frame = boot_record->root_directory_frame;
	root_domain.file = module_file(&boot_record->modules[0]);
	root_domain.file_bytes = boot_record->modules[0].bytes;
	domain_entries(&root_domain, (uint32_t)fault_door_entry, (uint32_t)fault_entry);
	for (uint32_t page = 0; page < BANK_PAGES; page++) {
		uint32_t frame = frame_take();
		MUST(kernel_create(AUTHORITY, OBJECT_CAPABILITY_PAGE, 0, frame,
				   object_generation(frame), 0));
		object_fetch(frame, ROOT_FREE);
		MUST(kernel_domain_attach(slot(ROOT_DOMAIN), page, slot(ROOT_FREE)));
	}
	MUST(kernel_delete(slot(ROOT_FREE)));
	root_bitmap = domain_ports(&root_domain, (struct object){0}, SERIAL_PORT,
				   SERIAL_PORT + SERIAL_PORTS - 1);
	domain_ports(&root_domain, root_bitmap, 0xF4, 0xF4);
	domain_ports(&root_domain, root_bitmap, 0x8900, 0x8900);
	domain_make(&serial_domain, "serial", 0);
	domain_load(&serial_domain, "serial");
	domain_ports(&serial_domain, (struct object){0}, SERIAL_PORT,
		     SERIAL_PORT + SERIAL_PORTS - 1);
	domain_give(&serial_domain, SERIAL_SLOT_LINE, ROOT_IRQ_FIRST + SERIAL_LINE);
	console_slot = domain_door(&serial_domain, SERIAL_MAY_WRITE | SERIAL_MAY_READ);
	serial_lives = 1;
	MUST(kernel_bitmap_deny(slot(root_bitmap.slot), SERIAL_PORT, SERIAL_PORTS));
	fault_door_give(&root_domain);
	vga_begin();
	pci_begin();
	keyboard_begin();
}

#define THREADS_MAX 64u
static struct thread *threads[THREADS_MAX]; /* whose names are known */

struct thread *thread_by_index(uint32_t index)
{
	for (uint32_t i = 0; i < THREADS_MAX; i++)
		if (threads[i] && threads[i]->object.frame == index)
			return threads[i];
	return index == boot_record->root_thread ? &root_thread : NULL;
}

struct thread *thread_known(uint32_t number)
{
	if (number)
		return number <= THREADS_MAX ? threads[number - 1] : NULL;
	return &root_thread;
}

static void thread_put(const struct thread *old, struct thread *new)
{
	for (uint32_t i = 0; i < THREADS_MAX; i++)
		if (threads[i] == old) {
			threads[i] = new;
			return;
		}
}

static void own_make(struct thread *thread)
{
	const struct domain *home = thread->home;
	uint32_t control = frame_take(), data = frame_take();
	thread->object = (struct object){control, slot_take()};
	thread->data[0] = (struct object){data, slot_take()};
	MUST(kernel_create(AUTHORITY, OBJECT_THREAD, home->object.frame, control,
			   object_generations(OBJECT_THREAD, home->object.frame, control, data),
			   data));
	object_fetch(control, thread->object.slot);
	object_fetch(data, thread->data[0].slot);
}

void thread_make(struct thread *thread, const char *name, struct domain *home)
{
	*thread = (struct thread){.name = name, .home = home, .data_pages = 1};
	(root_maker ? root_maker->thread_make : own_make)(thread);
	thread_put(NULL, thread);
}

void thread_data_page(struct thread *thread)
{
	struct object page = object_make(OBJECT_DATA_PAGE, 0, 0);
	MUST(kernel_thread_attach(slot(thread->object.slot), thread->data_pages, slot(page.slot)));
	thread->data[thread->data_pages++] = page;
}

static void object_forget(struct object object)
{
	uint32_t kind, generation;
	MUST(kernel_inspect(AUTHORITY, object.frame, &kind, &generation));
	if (kind != OBJECT_NONE)
		MUST(kernel_destroy(AUTHORITY, object.frame, generation));
	slot_give(object.slot);
	frame_give(object.frame);
}

static void own_end(struct thread *thread)
{
	object_forget(thread->object); /* and the first data page */
	for (uint32_t i = 0; i < thread->data_pages; i++)
		object_forget(thread->data[i]);
}

void thread_end(struct thread *thread)
{
	thread_put(thread, NULL);
	(root_maker ? root_maker->thread_end : own_end)(thread);
}

void thread_go(struct thread *thread, uint32_t address, uint32_t stack, uint32_t argument)
{
	MUST(kernel_thread_start(slot(thread->object.slot), address, stack ? stack : DATA_STACK,
				 argument));
}

uint32_t thread_run(struct thread *thread)
{
	struct dispatch_result result;
	do
		MUST(kernel_dispatch(slot(thread->object.slot), 0, DEADLINE_NEVER, 0, &result));
	while (result.reason == DISPATCH_DEADLINE);
	return result.reason;
}

void domain_run(struct domain *domain)
{
	struct thread thread;
	thread_make(&thread, domain->name, domain);
	thread_go(&thread, domain->entry, 0, 0);
	if (thread_run(&thread) != DISPATCH_ENDED) {
		char sentence[80];
		format(sentence, sizeof(sentence), "%s: its beginning did not come to an end",
		       domain->name);
		fault_report(&thread);
		root_fail(sentence, 0);
	}
	thread_end(&thread);
}

_Bool thread_run_into(struct thread *thread, const struct domain *domain, uint32_t instructions)
{
	for (uint32_t inside = 0; inside < instructions;) {
		struct dispatch_result result;
		struct words state;
		MUST(kernel_dispatch(slot(thread->object.slot), 0, DEADLINE_NEVER, DISPATCH_STEP,
				     &result));
		if (result.reason != DISPATCH_STEPPED)
			return 0;
		MUST(kernel_thread_read(slot(thread->object.slot), THREAD_FIELD_STATE, &state));
		inside += state.w[2] == domain->object.frame;
	}
	return 1;
}

static struct scheduler *scheduler_running;

/* Which thread a child is, this program's list tells. */
static void faults_report(const struct scheduler *scheduler, uint32_t ended)
{
	for (; ended; ended &= ended - 1) {
		uint32_t child = __builtin_ctz(ended);
		struct words capability;
		if (scheduler->reason[child] != DISPATCH_FAULTED ||
		    kernel_domain_read(slot(ROOT_DOMAIN), slot(scheduler->threads + child),
				       &capability))
			continue;
		struct thread *thread = thread_by_index(capability.w[1]);
		if (thread)
			fault_report(thread);
	}
}

uint32_t root_schedule(struct scheduler *scheduler, uint64_t end)
{
	uint32_t living = scheduler->living;
	scheduler_running = scheduler;
	uint32_t error = scheduler_run(scheduler, end);
	scheduler_running = NULL;
	faults_report(scheduler, living & ~scheduler->living);
	return error;
}

/* On a child's thread, at any time (fault.asm). */
OPERATION void root_wish(uint32_t child, uint32_t low, uint32_t high);
OPERATION void root_wish(uint32_t child, uint32_t low, uint32_t high)
{
	struct scheduler *scheduler = scheduler_running;
	if (scheduler)
		scheduler_wish(scheduler, child, (uint64_t)high << 32 | low);
}
