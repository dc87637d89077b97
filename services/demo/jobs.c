/* SPDX-License-Identifier: MIT */
/* What the console asks for and only a root program can do: programs are loaded, run and ended. */
#include "demo.h"
#include "hostile.h"
#include "hostile/hostile_program.h"
#include "keyboard/keyboard.h"
#include "memory/memory.h"
#include "meter/meter.h"
#include "pci/pci.h"
#include "root.h"
#include "vga/vga.h"

void give_door(struct domain *domain, uint32_t there, struct domain *service, uint64_t badge)
{
	uint32_t door = domain_door(service, badge);
	domain_give(domain, there, door);
	slot_give(door);
}

void program_make(struct domain *domain, const char *name, const char *program)
{
	domain_make(domain, name, 0);
	domain_load(domain, program);
}

/* ---- the meter and what it calls ----------------------------------------------------------------
 */
struct meter {
	struct domain client, service, next;
	struct thread worker, thread;
};

static void meter_begin(struct meter *meter)
{
	program_make(&meter->client, "meter", "meter");
	program_make(&meter->service, "metered", "meter");
	program_make(&meter->next, "metered too", "meter");
	domain_page(&meter->client, METER_PAGE);
	domain_give(&meter->client, METER_SERIAL, console_slot);
	if (screen_slot)
		domain_give(&meter->client, METER_SCREEN, screen_slot);
	give_door(&meter->client, METER_SERVICE, &meter->service, 0);
	give_door(&meter->service, METER_SERVICE, &meter->next, 0);
	thread_make(&meter->worker, "metered", &meter->service);
	domain_give(&meter->client, METER_THREAD, meter->worker.object.slot);
	thread_make(&meter->thread, "meter", &meter->client);
}

static void meter_end(struct meter *meter)
{
	thread_end(&meter->thread);
	thread_end(&meter->worker);
	domain_end(&meter->next);
	domain_end(&meter->service);
	domain_end(&meter->client);
}

static uint32_t meter_run(struct meter *meter, enum meter_task task)
{
	MUST(kernel_thread_stop(slot(meter->thread.object.slot)));
	thread_go(&meter->thread, meter->client.entry, 0, task);
	return thread_run(&meter->thread);
}

static uint32_t jobs; /* the account of whose frames they are made */

_Bool jobs_begin(void)
{
	if (!jobs)
		jobs = holder_make("jobs");
	_Bool may = holder_use(jobs);
	if (!may)
		print("too little memory is left\n");
	return may;
}
void jobs_end(void)
{
	holder_use_own();
	holder_leave(jobs);
}

void bench_run(void)
{
	static struct meter meter;
	if (!jobs_begin())
		return;
	meter_begin(&meter);
	thread_go(&meter.worker, meter.service.entry, 0, METER_WORKER);
	thread_run(&meter.worker); /* until it waits */
	if (vga_slot) {
		slot_t row = slot(LIST_SLOTS - 1); /* results come into slots below 128 */
		if (vga_split(slot(vga_slot),
			      VGA_AREA(0, VGA_ROWS - 1, VGA_COLUMNS, 1) | VGA_RIGHT_READ |
				      VGA_RIGHT_WRITE,
			      row) == RETURN)
			domain_give(&meter.client, METER_ROW, LIST_SLOTS - 1);
		MUST(kernel_delete(row));
	}
	if (pci_slot)
		give_door(&meter.client, METER_PCI, &pci_domain,
			  PCI_BADGE(0, PCI_MAY_READ, PCI_GENERATION_FIRST));
	if (meter_run(&meter, METER_TABLE) != DISPATCH_ENDED)
		fault_report(&meter.thread);
	meter_end(&meter);
	jobs_end();
}

/* ---- hostile programs, and a neighbour that must not notice
 * -------------------------------------- */
#define SLICES 20u /* that something gets which does not end by itself */
#define SEEDS  20u

static struct meter neighbour;
static uint32_t neighbour_calls, neighbour_troubles;

static void neighbour_works(void)
{
	neighbour_calls++;
	neighbour_troubles += meter_run(&neighbour, METER_CHECK) != DISPATCH_ENDED;
}

/* A hostile thread in a domain of its own, until it ends or has had its time. Why it stopped, and
 * the last fault. */
static uint32_t hostile_run(enum hostile_task task, uint32_t number, struct words *fault)
{
	static struct domain hostile;
	static struct thread thread;
	struct dispatch_result result;
	uint32_t slices = 0;
	program_make(&hostile, "hostile", "hostile");
	give_door(&hostile, HOSTILE_SELF, &hostile, 0);
	give_door(&hostile, HOSTILE_OTHERS, &serial_domain, 0);
	give_door(&hostile, HOSTILE_OTHERS + 1, &neighbour.service, 0);
	if (vga_slot)
		give_door(&hostile, HOSTILE_OTHERS + 2, &vga_domain, VGA_AREA(0, 0, 1, 1));
	if (keyboard_slot)
		give_door(&hostile, HOSTILE_OTHERS + 3, &keyboard_domain, 0);
	if (pci_slot)
		give_door(&hostile, HOSTILE_OTHERS + 4, &pci_domain, 0);
	thread_make(&thread, "hostile", &hostile);
	thread_go(&thread, hostile.entry, 0, HOSTILE_ARGUMENT(task, number));
	do
		MUST(kernel_dispatch(slot(thread.object.slot), 0,
				     cycles() + (uint64_t)SLICE_MS * boot_record->cycles_per_ms, 0,
				     &result));
	while (result.reason == DISPATCH_DEADLINE && ++slices < SLICES);
	MUST(kernel_thread_read(slot(thread.object.slot), THREAD_FIELD_FAULT, fault));
	thread_end(&thread);
	domain_end(&hostile);
	neighbour_works();
	return result.reason;
}

/* Each instruction that must not work: how many did not end in the fault that they must. */
static uint32_t cases_run(void)
{
	uint32_t wrong = 0, column = 0;
	for (uint32_t i = 0; i < hostile_case_count; i++) {
		const struct hostile_case *c = &hostile_cases[i];
		struct words fault;
		uint32_t reason = hostile_run(HOSTILE_CASE, i, &fault);
		_Bool right = reason == DISPATCH_FAULTED && (fault.w[0] >> 8 & 0xFF) == c->vector;
		uint32_t width = strlen(c->name) + 2;
		print("%s%s%s",
		      column + width > 76 ? "\n  "
		      : column            ? ", "
					  : "  ",
		      c->name, right ? "" : " WENT ON");
		column = column + width > 76 ? width : column + width;
		wrong += !right;
	}
	print("\n");
	return wrong;
}

/* ---- and this program, which once had it all --------------------------------------------------
 */
/* Each page of what was the linear map: modules can be read there, nothing written. */
static uint32_t pages_try(void)
{
	uint32_t read = 0, written = 0, wrong = 0, value;
	for (uint32_t at = 0; at < boot_record->linear_end; at += PAGE_BYTES) {
		volatile uint32_t *page = (volatile uint32_t *)(LINEAR_BASE + at);
		_Bool is_read = try_load(page, &value);
		read += is_read;
		wrong += is_read && !module_has(at >> 12);
		written += is_read && try_store(page, value);
	}
	print("  memory where root had it mapped: of %u pages %u can be read, its modules; %u "
	      "others; %u written\n",
	      boot_record->linear_end >> 12, read, wrong, written);
	return wrong + written;
}

static uint32_t refusal_print(const char *what, uint32_t error)
{
	print("  %s: %s\n", what, error ? error_name(error) : "IT WORKED");
	return error != ERROR_RIGHT;
}

/* Its extent is good for what nobody else has: not for a frame of the account of the jobs. */
static uint32_t extent_try(uint32_t frame)
{
	struct memory_frame seen;
	uint32_t revoked = memory_revoke(slot(memory_slot), frame, 1, MEMORY_TOP);
	uint32_t looked = memory_read(slot(memory_slot), frame, &seen);
	_Bool is_refused = revoked == RETURN + MEMORY_NOT_ALLOWED &&
			   (looked == RETURN + MEMORY_STALE || !quota_slot);
	print("  a frame of an account's block: revoke %s, %s\n",
	      revoked == RETURN ? "WORKED" : "is not allowed",
	      looked == RETURN + MEMORY_STALE ? "this program's extent is stale there"
	      : quota_slot                    ? "IT CAN BE USED"
					      : "but there is no allocator: it is root's own");
	return !is_refused;
}

static uint32_t powers_try(void)
{
	uint32_t spare = slot_take(), frame = memory_domain.object.frame, wrong = pages_try();
	slot_t to = slot(spare), memory = slot(memory_domain.object.slot);
	wrong += refusal_print("a frame made a page table",
			       kernel_create(AUTHORITY, OBJECT_TABLE, 0, frame, 0, 0));
	wrong += refusal_print("the memory service destroyed",
			       kernel_destroy(AUTHORITY, frame, object_generation(frame)));
	wrong += refusal_print("a capability to it fetched",
			       kernel_fetch(AUTHORITY, frame, to, object_generation(frame)));
	wrong += refusal_print("a door to it with any badge", kernel_door(memory, to, ~0ull));
	wrong += refusal_print("a slot of its list emptied",
			       kernel_delete_there(memory, slot(MEMORY_SLOT_AUTHORITY)));
	slot_give(spare);
	return wrong + extent_try(neighbour.client.object.frame);
}

void attack_run(void)
{
	struct words fault;
	uint32_t frames = frames_free(), ended = 0, wrong;
	if (!jobs_begin())
		return;
	meter_begin(&neighbour);
	neighbour_calls = neighbour_troubles = 0;
	print("Instructions and addresses that are not a program's; each thread must stop:\n");
	wrong = cases_run();
	print("Invocations by chance, %u programs with %u each:", SEEDS, HOSTILE_INVOCATIONS);
	for (uint32_t seed = 0; seed < SEEDS; seed++)
		ended += hostile_run(HOSTILE_CHANCE, seed, &fault) == DISPATCH_ENDED;
	print(" %u came to their end\n", ended);
	print("A program that does not give the processor back: it is %s\n",
	      hostile_run(HOSTILE_SPIN, 0, &fault) == DISPATCH_DEADLINE ? "taken at each deadline"
									: (wrong++, "GONE"));
	print("A program that calls itself again and again: it is %s\n",
	      hostile_run(HOSTILE_DEEP, 0, &fault) == DISPATCH_ENDED ? "refused, and ends"
								     : (wrong++, "STOPPED"));
	print("A program that overwrites all its memory: it is %s\n",
	      hostile_run(HOSTILE_WIPE, 0, &fault) == DISPATCH_FAULTED ? "stopped where that ends"
								       : (wrong++, "STILL THERE"));
	print("A neighbour that calls its services after each: %u times, %u with trouble\n",
	      neighbour_calls, neighbour_troubles);
	print("This program itself, which has handed the machine over:\n");
	wrong += powers_try();
	meter_end(&neighbour);
	jobs_end();
	print("Frames free before: %u, after: %u. %s\n", frames, frames_free(),
	      wrong || neighbour_troubles || frames != frames_free() ? "THE SYSTEM WAS HURT"
								     : "The system has survived.");
}
