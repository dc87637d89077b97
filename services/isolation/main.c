/* SPDX-License-Identifier: MIT */
/*
 * The experiment `isolation`: three periodic tasks under a static cyclic plan, alone and with
 * hostile neighbours in the other slots, in two designs of the service that they call. What is
 * printed at the end is for tools/isolation, which judges and draws it; docs/scheduling.md says
 * what it shows.
 *
 * This program is the cyclic scheduler. All is made before the machine is handed over, because what
 * is made of frames needs no account; then the neighbours get theirs.
 */
#include "driver/driver.h"
#include "hostile/hostile_program.h"
#include "ledger/ledger.h"
#include "periodic/periodic.h"
#include "quota/quota.h"
#include "root.h"
#include "scheduler/program.h"
#include "vga/vga.h"
#include "wish.server.h"

/*
 * The plan, in thousandths of a millisecond. Of a task's slot `served` in the middle are the
 * ledger's thread's own, in the design where that has slots of its own: so each design has the same
 * time for tasks and service together. TASK_D has two slots, and somebody else's between them.
 */
enum place { TASK_A, TASK_B, TASK_C, TASK_D, SERVER, WARDEN, GROUP, INTERRUPTER, DRIVER, CHILDREN };
#define TASKS 4u
static const struct {
	enum place child;
	uint32_t length, served;
} plan[] = {
	{TASK_A, 100, 20}, {WARDEN, 100, 0},  {INTERRUPTER, 20, 0}, {TASK_B, 130, 24},
	{TASK_D, 25, 0},   {GROUP, 35, 0},    {TASK_D, 25, 0},      {WARDEN, 45, 0},
	{DRIVER, 20, 0},   {TASK_A, 100, 20}, {GROUP, 60, 0},       {INTERRUPTER, 20, 0},
	{TASK_C, 170, 30}, {WARDEN, 130, 0},  {DRIVER, 20, 0},
};
#define PLAN_SLOTS (sizeof(plan) / sizeof(plan[0]))
#define CYCLE      1000u
static const struct {
	uint32_t phase, period; /* as in the plan */
	uint32_t rounds, more, calls, units;
} tasks[TASKS] = {{0, 500, 11700, 0, 4, LEDGER_UNITS},
		  {220, 1000, 15700, 0, 4, LEDGER_UNITS},
		  {680, 1000, 20700, 0, 4, LEDGER_UNITS},
		  {350, 1000, 1000, 1, 150, 0}}; /* preempted in a section, or just not */

/* Runs: with neighbours there are some that differ in what the neighbours do and where in the
 * cycle. Of the other designs half as many cycles are enough. */
static const struct kind {
	const char *name;
	enum periodic_design design;
	_Bool has_neighbours;
	_Bool is_at_once; /* the driver runs when its interrupt comes, and not in its slot */
	uint32_t cycles;
} kinds[] = {{"lending", PERIODIC_LENDING, 0, 0, 100}, {"lending", PERIODIC_LENDING, 1, 0, 100},
	     {"lent", PERIODIC_LENT, 0, 0, 50},        {"lent", PERIODIC_LENT, 1, 0, 50},
	     {"slot", PERIODIC_SLOT, 0, 0, 50},        {"slot", PERIODIC_SLOT, 1, 0, 50},
	     {"lending", PERIODIC_LENDING, 1, 1, 50}};
#define KINDS       (sizeof(kinds) / sizeof(kinds[0]))
#define REPEATED    1u /* this one, with different seeds: `runs=` on the command line */
#define REPETITIONS 5u
/* The cycles of which is noted what the server's thread does. */
#define NOTED_FROM 10u
#define NOTED      4u

#define ROW         (SLOTS_MAX - POLICY_CHILDREN)  /* far from slots that slot_take gives */
#define HOSTILES    (WARDENS * HOSTILE_WARDED + 1) /* the last one under no warden */
#define WARDENS     2u
#define QUOTA       32u /* frames that a hostile program may have: fewer than it asks for */
#define WISH_BADGE  0u  /* lower word; doors for fault reports have a domain's number there */
#define GROUP_SLICE 20u

static struct scheduler scheduler;
static struct cyclic cyclic;
struct program {
	struct domain domain;
	struct thread thread;
};
static struct program task[TASKS], hostile[HOSTILES], warden[WARDENS], group, interrupter, driver,
	ledger;
static struct thread *const children[CHILDREN] = {
	&task[TASK_A].thread, &task[TASK_B].thread, &task[TASK_C].thread,
	&task[TASK_D].thread, &ledger.thread,       &warden[0].thread,
	&group.thread,        &interrupter.thread,  &driver.thread};
static uint32_t ledger_door, unit; /* the owner's; cycles in a thousandth of a millisecond */

uint32_t wish_do_until(struct badge badge, uint64_t time)
{
	if (badge.low != WISH_BADGE)
		return SERVICE_NO_OPERATION;
	scheduler_wish(&scheduler, badge.high, time);
	return 0;
}

/* ---- what takes part ------------------------------------------------------------------------- */
static void program_make(struct program *program, const char *name, const char *module)
{
	domain_make(&program->domain, name, 0);
	domain_load(&program->domain, module);
	thread_make(&program->thread, name, &program->domain);
}

static void give_door(struct program *program, uint32_t there, struct domain *service,
		      uint64_t badge)
{
	uint32_t door = domain_door(service, badge);
	domain_give(&program->domain, there, door);
	slot_give(door);
}

static void give_thread(struct program *program, uint32_t there, const struct thread *thread,
			uint32_t rights)
{
	uint32_t narrow = slot_take();
	MUST(kernel_narrow(slot(narrow), slot(thread->object.slot), rights, ~0u));
	domain_give(&program->domain, there, narrow);
	slot_give(narrow);
}

static void ledger_make(void)
{
	program_make(&ledger, "ledger", "ledger");
	ledger_door = domain_door(&ledger.domain, LEDGER_OWNER);
	give_thread(&ledger, LEDGER_SERVER, &ledger.thread, RIGHT_SIGNAL);
}

static void task_make(uint32_t i)
{
	static const char *const names[TASKS] = {"task A", "task B", "task C", "task D"};
	struct periodic_plan its = {.number = i,
				    .period = tasks[i].period * unit,
				    .phase = tasks[i].phase * unit,
				    .rounds = tasks[i].rounds,
				    .more = tasks[i].more,
				    .calls = tasks[i].calls,
				    .units = tasks[i].units};
	program_make(&task[i], names[i], "periodic");
	domain_fill(&task[i].domain, PERIODIC_PLAN, &its, sizeof(its));
	domain_give(&task[i].domain, PERIODIC_CONSOLE, console_slot);
	give_door(&task[i], PERIODIC_PARENT, &root_domain, SCHEDULER_BADGE(i) | WISH_BADGE);
	give_door(&task[i], PERIODIC_LEDGER, &ledger.domain, i);
	give_thread(&task[i], PERIODIC_SERVER_THREAD, &ledger.thread, RIGHT_DISPATCH);
	give_thread(&ledger, LEDGER_WAITERS + i, &task[i].thread, RIGHT_SIGNAL);
}

static void give_twice(struct program *program, uint32_t there, struct domain *service,
		       uint64_t badge)
{
	give_door(program, there, service, badge);
	give_door(program, HOSTILE_STORE + there, service, badge);
}

static void hostile_make(uint32_t i)
{
	struct program *program = &hostile[i];
	program_make(program, "hostile", "hostile");
	give_twice(program, HOSTILE_SELF, &program->domain, 0);
	give_twice(program, HOSTILE_OTHERS, &serial_domain, 0);
	give_twice(program, HOSTILE_OTHERS + 1, &ledger.domain, TASKS + i);
	if (vga_slot)
		give_twice(program, HOSTILE_OTHERS + 2, &vga_domain, VGA_AREA(0, 0, 1, 1));
	if (pci_slot)
		give_twice(program, HOSTILE_OTHERS + 3, &pci_domain, 0);
	give_twice(program, HOSTILE_OTHERS + 6, &root_domain, SCHEDULER_BADGE(GROUP) | WISH_BADGE);
	give_door(program, HOSTILE_LEDGER_DOOR, &ledger.domain, TASKS + i);
}

static void warden_make(uint32_t i)
{
	program_make(&warden[i], "warden", "hostile");
	domain_give(&warden[i].domain, HOSTILE_CONSOLE, console_slot);
	for (uint32_t h = 0; h < HOSTILE_WARDED; h++)
		give_thread(&warden[i], HOSTILE_THREADS + h,
			    &hostile[i * HOSTILE_WARDED + h].thread, RIGHTS_ALL);
}

/* Stride over a warden and a program that never gives the processor back: dispatchers on
 * dispatchers, all of whom are cut at the slot's end. */
static void group_make(void)
{
	struct scheduler_plan its = {.length = GROUP_SLICE * unit, .tickets = {3, 1}};
	program_make(&group, "group", "scheduler");
	domain_fill(&group.domain, SCHEDULER_PLAN, &its, sizeof(its));
	domain_give(&group.domain, SCHEDULER_CONSOLE, console_slot);
	give_door(&group, SCHEDULER_PARENT, &root_domain, SCHEDULER_BADGE(GROUP) | WISH_BADGE);
	give_thread(&group, SCHEDULER_THREADS, &warden[1].thread, RIGHT_DISPATCH | RIGHT_SIGNAL);
	give_thread(&group, SCHEDULER_THREADS + 1, &hostile[HOSTILES - 1].thread,
		    RIGHT_DISPATCH | RIGHT_SIGNAL);
}

static const uint32_t lines[] = {1, 12}; /* keyboard, mouse */
#define HIS_LINES (sizeof(lines) / sizeof(lines[0]))
#define LINES     (HIS_LINES + 1) /* and the driver's */

static void interrupter_make(void)
{
	program_make(&interrupter, "interrupter", "hostile");
	struct object ports = domain_ports(&interrupter.domain, (struct object){0}, 0x60, 0x60);
	domain_ports(&interrupter.domain, ports, 0x64, 0x64);
	for (uint32_t i = 0; i < HIS_LINES; i++) {
		slot_t line = slot(ROOT_IRQ_FIRST + lines[i]);
		MUST(kernel_irq_bind(line, slot(interrupter.thread.object.slot), i));
		domain_give(&interrupter.domain, HOSTILE_LINES + i, ROOT_IRQ_FIRST + lines[i]);
	}
}

static void driver_make(void)
{
	slot_t line = slot(ROOT_IRQ_FIRST + DRIVER_LINE);
	program_make(&driver, "driver", "driver");
	domain_ports(&driver.domain, (struct object){0}, DRIVER_PORT, DRIVER_PORT_LAST);
	domain_give(&driver.domain, DRIVER_CONSOLE, console_slot);
	domain_give(&driver.domain, DRIVER_SLOT_LINE, ROOT_IRQ_FIRST + DRIVER_LINE);
	MUST(kernel_irq_bind(line, slot(driver.thread.object.slot), DRIVER_BIT));
}

static void all_make(void)
{
	ledger_make();
	for (uint32_t i = 0; i < TASKS; i++)
		task_make(i);
	for (uint32_t i = 0; i < HOSTILES; i++)
		hostile_make(i);
	for (uint32_t i = 0; i < HOSTILES; i++)
		for (uint32_t other = 0; other < HOSTILES; other++)
			if (other != i)
				give_thread(&hostile[i], HOSTILE_THREADS + other,
					    &hostile[other].thread, RIGHT_MANAGE);
	for (uint32_t i = 0; i < WARDENS; i++)
		warden_make(i);
	group_make();
	interrupter_make();
	driver_make();
	for (uint32_t i = 0; i < CHILDREN; i++)
		MUST(kernel_copy(slot(ROW + i), slot(children[i]->object.slot)));
}

/* Once there is somebody who has some. */
static void memory_give(void)
{
	if (!quota_slot)
		root_fail("there is no memory to give to neighbours", 0);
	for (uint32_t i = 0; i < HOSTILES; i++) {
		uint32_t account, door = slot_take();
		if (quota_create(slot(quota_slot), QUOTA, &account) != RETURN ||
		    quota_door(slot(quota_slot), account, slot(door)) != RETURN)
			root_fail("no account for a neighbour", 0);
		for (uint32_t to = 0; to < 3; to++) {
			static const uint32_t places[] = {HOSTILE_MEMORY, HOSTILE_OTHERS + 4,
							  HOSTILE_STORE + HOSTILE_OTHERS + 4};
			domain_give(&hostile[i].domain, places[to], door);
		}
		MUST(kernel_delete(slot(door)));
		slot_give(door);
		domain_give(&hostile[i].domain, HOSTILE_OTHERS + 5, memory_look_slot);
		domain_give(&hostile[i].domain, HOSTILE_STORE + HOSTILE_OTHERS + 5,
			    memory_look_slot);
	}
}

/* ---- the other policy for interrupts ----------------------------------------------------------
 */
/* The plan, but that one child has the CPU whenever it is ready. */
struct at_once {
	struct policy policy;
	struct policy *plan;
	uint32_t child;
	_Bool is_ready;
};

static void POLICY_CALL at_once_ready(struct policy *policy, uint64_t now, uint32_t child)
{
	struct at_once *at_once = (struct at_once *)policy;
	at_once->is_ready |= child == at_once->child;
	at_once->plan->ready(at_once->plan, now, child);
}

static void POLICY_CALL at_once_blocked(struct policy *policy, uint32_t child)
{
	struct at_once *at_once = (struct at_once *)policy;
	at_once->is_ready &= child != at_once->child;
	at_once->plan->blocked(at_once->plan, child);
}

static uint32_t POLICY_CALL at_once_decide(struct policy *policy, uint64_t now)
{
	struct at_once *at_once = (struct at_once *)policy;
	uint32_t child = at_once->plan->decide(at_once->plan, now);
	policy->until = at_once->plan->until;
	policy->mask = at_once->plan->mask | CHILD_BIT(at_once->child);
	return at_once->is_ready ? at_once->child : child;
}

/* ---- a run ----------------------------------------------------------------------------------- */
static void stop(const struct program *program)
{
	MUST(kernel_thread_stop(slot(program->thread.object.slot)));
}
static void go(struct program *program, uint32_t argument)
{
	stop(program);
	thread_go(&program->thread, program->domain.entry, 0, argument);
}

/* Neighbours differ in nothing but whether they are there, and their seed. */
static void neighbours_go(_Bool are_there, uint32_t seed)
{
	struct program *const all[] = {
		&warden[0], &warden[1], &group, &interrupter, &hostile[HOSTILES - 1], &driver};
	const uint32_t arguments[] = {
		HOSTILE_ARGUMENT(HOSTILE_WARDEN, 2 * seed + 1),
		HOSTILE_ARGUMENT(HOSTILE_WARDEN, 2 * seed + 2),
		SCHEDULER_ARGUMENT(SCHEDULER_STRIDE, 2),
		HOSTILE_ARGUMENT(HOSTILE_INTERRUPT, 0),
		HOSTILE_ARGUMENT(HOSTILE_SPIN, 0),
		DRIVER_RUN,
	};
	for (uint32_t i = 0; i < HOSTILES; i++)
		stop(&hostile[i]);
	for (uint32_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (are_there)
			go(all[i], arguments[i]);
		else
			stop(all[i]);
	}
}

/* The plan's i-th slot from there on that is a neighbour's: whose it is. */
static uint32_t neighbour_behind(uint32_t from, uint32_t i)
{
	for (uint32_t at = from;; at = (at + 1) % PLAN_SLOTS)
		if (plan[at].child > SERVER && !i--)
			return plan[at].child;
}

/* Each seed puts the neighbours elsewhere in the cycle, into slots as long as before. */
static uint32_t slots_make(struct cyclic_slot *slots, enum periodic_design design, uint32_t seed)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < PLAN_SLOTS; i++) {
		uint32_t child = plan[i].child, length = plan[i].length * unit;
		uint32_t served = design == PERIODIC_SLOT ? plan[i].served * unit : 0;
		if (child > SERVER)
			child = neighbour_behind(i, seed);
		if (served) {
			length = (length - served) / 2;
			slots[count++] = (struct cyclic_slot){child, length};
			slots[count++] = (struct cyclic_slot){SERVER, served};
		}
		slots[count++] = (struct cyclic_slot){child, length};
	}
	return count;
}

static void records_print(uint32_t number, uint32_t tasks_of_it);

static void run(const struct kind *kind, uint32_t seed)
{
	static struct at_once at_once;
	static uint32_t number;
	struct cyclic_slot slots[CYCLIC_SLOTS];
	uint64_t interrupts, after;
	uint32_t count = slots_make(slots, kind->design, seed);
	neighbours_go(kind->has_neighbours, seed);
	go(&ledger, 0);
	uint64_t origin = (cycles() + CYCLE * unit) & ~3ull;
	ledger_reset(slot(ledger_door), origin + (NOTED_FROM - 1) * CYCLE * unit,
		     NOTED * CYCLE * unit);
	uint32_t tasks_of_it = kind->design == PERIODIC_LENDING ? TASKS : TASK_D;
	stop(&task[TASK_D]);
	for (uint32_t i = 0; i < tasks_of_it; i++)
		go(&task[i], PERIODIC_ARGUMENT(origin, kind->design));
	cyclic_begin(&cyclic, slots, count, origin - CYCLE * unit);
	at_once = (struct at_once){.policy = {.ready = at_once_ready,
					      .blocked = at_once_blocked,
					      .decide = at_once_decide},
				   .plan = &cyclic.policy,
				   .child = DRIVER};
	scheduler_begin(&scheduler, kind->is_at_once ? &at_once.policy : &cyclic.policy,
			SCHEDULER_IS_ROOT, ROW, CHILDREN);
	MUST(kernel_account(AUTHORITY, ACCOUNT_INTERRUPTS, &interrupts));
	MUST(scheduler_run(&scheduler, origin + (uint64_t)(kind->cycles + 1) * CYCLE * unit));
	MUST(kernel_account(AUTHORITY, ACCOUNT_INTERRUPTS, &after));
	print("run %u %s %u %u %u %u\n", number, kind->name, kind->has_neighbours, kind->is_at_once,
	      seed, kind->cycles);
	for (uint32_t i = 0; i < CHILDREN; i++)
		print("consumed %u %s %llu\n", number, children[i]->name, scheduler.consumed[i]);
	print("consumed %u interrupts %llu\n", number, after - interrupts);
	records_print(number++, tasks_of_it);
}

/* ---- and what is printed --------------------------------------------------------------------- */
static void plan_print(void)
{
	struct cyclic_slot slots[CYCLIC_SLOTS];
	uint32_t section = 0, cost;
	for (uint32_t i = 0; i < 8; i++) {
		ledger_cost(slot(ledger_door), &cost);
		section = cost > section ? cost : section;
	}
	print("isolation timer %u unit %u cycle %u lines %u section %u\n", boot_record->timer, unit,
	      CYCLE * unit, (uint32_t)LINES, section);
	for (uint32_t design = 0; design < PERIODIC_DESIGNS; design++) {
		uint32_t count = slots_make(slots, design, 0);
		for (uint32_t i = 0; i < count; i++)
			print("slot %u %u %u\n", design, slots[i].child, slots[i].cycles);
	}
	for (uint32_t i = 0; i < TASKS; i++)
		print("task %u %u %u %u\n", i, tasks[i].phase * unit, tasks[i].period * unit,
		      tasks[i].calls);
}

static void notes_print(uint32_t number)
{
	struct ledger_note note;
	for (uint32_t i = 0; ledger_noted(slot(ledger_door), i, &note) == RETURN; i++)
		print("served %u %u %u %u\n", number, note.client,
		      (NOTED_FROM - 1) * CYCLE * unit + note.begin,
		      (NOTED_FROM - 1) * CYCLE * unit + note.end);
}

static void records_print(uint32_t number, uint32_t tasks_of_it)
{
	neighbours_go(0, 0);
	stop(&ledger);
	notes_print(number);
	go(&driver, DRIVER_PRINT(number));
	thread_run(&driver.thread);
	for (uint32_t i = 0; i < tasks_of_it; i++) {
		go(&task[i], PERIODIC_PRINT(number));
		if (thread_run(&task[i].thread) != DISPATCH_ENDED)
			root_fail("a task can't tell what it noted", 0);
	}
}

static void neighbours_print(void)
{
	for (uint32_t i = 0; i < WARDENS; i++) {
		go(&warden[i], HOSTILE_ARGUMENT(HOSTILE_WARDEN_REPORT, 0));
		thread_run(&warden[i].thread);
	}
}

static uint32_t repetitions(void)
{
	uint32_t number = 0;
	const char *at = line_behind("runs=");
	for (; at && *at >= '0' && *at <= '9'; at++)
		number = number * 10 + *at - '0';
	return number ? number : REPETITIONS;
}

int main(void)
{
	root_begin();
	unit = boot_record->cycles_per_ms / 1000;
	all_make();
	root_hand_over();
	domain_entries(&root_domain, (uint32_t)service_entry, (uint32_t)fault_entry);
	memory_give();
	plan_print();
	for (uint32_t i = 0; i < KINDS; i++)
		for (uint32_t seed = 0; seed < (i == REPEATED ? repetitions() : 1); seed++)
			run(&kinds[i], seed);
	neighbours_print();
	machine_end(1);
}
