/* SPDX-License-Identifier: MIT */
#include <sanitizer/asan_interface.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "boot.h"
#include "machine/machine.h"

#define TABLE_ENTRY (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER)
#define GARBAGE     0xFF /* all options, if anybody looked */

extern const struct operation_entry {
	operation_function *function;
	uint32_t refuse;
} operations[CAPABILITY_KINDS][OPERATIONS_PER_KIND];
uint32_t operation_refused(struct capability *capability, struct call_frame *frame);
uint32_t call_options_rare(uint32_t options);
uint32_t lend_mixed(uint32_t options, uint32_t slots, struct capability *lent);
uint32_t return_capabilities(uint32_t slots);
_Noreturn void return_unwind(void);
void data_page_back(void);

struct machine machine;
enum timer_kind machine_timer;
struct domain *root_domain;
struct thread *root_thread;
static jmp_buf stay;
static bool was_object[FRAMES_MANAGED], is_open[FRAMES_MANAGED];
static uint32_t generation_seen[FRAMES_MANAGED];

/* ---- the processor and its devices, as kernel/x86/x86.h names them --------------------------- */
struct tss tss;
uint32_t window_table[1024] __attribute__((aligned(4096)));
uint32_t tag_page[1024] __attribute__((aligned(4096)));
uint32_t bitmap_none_table[1024] __attribute__((aligned(4096)));

uint64_t cycles(void)
{
	return machine.clock += machine.clock_step;
}

void directory_load(uint32_t address)
{
	machine.directory = address;
}

void debug_control(uint32_t value)
{
	machine.debug = value;
}

uint32_t page_fault_address(void)
{
	return machine.fault_address;
}

/* Which thread's registers are in the processor shows in the state itself. */
void fpu_save(struct thread *thread)
{
	thread->fpu[100]++;
}
void fpu_load(struct thread *thread)
{
	thread->fpu[101]++;
}

/* A local APIC, unless the machine has none (machine.has_apic); a tick is a cycle. */
uint32_t boot_directory[1024];
bool cpu_has_tsc_deadline(void)
{
	return machine.has_tsc_deadline;
}
uint64_t msr_read(uint32_t number)
{
	test_equal(number, 0x1B, __FILE__, __LINE__, "IA32_APIC_BASE");
	return 0xFEE00900;
}
void msr_write(uint32_t number, uint64_t value)
{
	test_equal(number, MSR_TSC_DEADLINE, __FILE__, __LINE__, "IA32_TSC_DEADLINE");
	machine.timer_fires = value > machine.clock ? value : machine.clock;
}
uint32_t apic_read(uint32_t at)
{
	return 0xF0000000 - (uint32_t)machine.clock;
}
void apic_write(uint32_t at, uint32_t value)
{
	if (at == APIC_END)
		machine.apic_ends++;
	if (at == APIC_TIMER_INITIAL)
		machine.timer_fires = value ? machine.clock + value : UINT64_MAX;
}

static void timer_port(uint8_t value)
{
	if (machine.timer_writes++ % 2 == 0) {
		machine.timer_ticks = value;
		return;
	}
	machine.timer_ticks |= (uint32_t)value << 8;
	uint64_t cycles = (uint64_t)machine.timer_ticks * CYCLES_PER_MS * 1000;
	machine.timer_fires = machine.clock + (cycles + PIT_HZ - 1) / PIT_HZ;
}

void port_write(uint16_t port, uint8_t value)
{
	if (port == 0x40)
		timer_port(value);
	if (port == 0x21 || port == 0xA1)
		machine.pic_mask[port == 0xA1] = value;
	if ((port == 0x20 || port == 0xA0) && value == 0x20)
		machine.pic_ends[port == 0xA0]++;
}

uint8_t port_read(uint16_t port)
{
	return port == 0x20 || port == 0xA0 ? machine.pic_in_service[port == 0xA0] : 0xFF;
}

static _Noreturn void leave(enum left how)
{
	machine.left = how;
	longjmp(stay, 1);
}

void leave_by_call(struct call_frame *frame)
{
	test_check(frame == (struct call_frame *)activation_running() - 1, __FILE__, __LINE__,
		   "another's frame");
	leave(LEFT_BY_CALL);
}
void leave_by_trap(struct trap_frame *frame)
{
	test_check(frame == (struct trap_frame *)activation_running() - 1, __FILE__, __LINE__,
		   "another's frame");
	leave(LEFT_BY_TRAP);
}
void idle(void)
{
	leave(LEFT_IDLE);
}
void panic(const char *what, const struct trap_frame *frame)
{
	(void)frame;
	machine.panic = what;
	leave(LEFT_PANIC);
}

/* ---- memory ---------------------------------------------------------------------------------- */
void *page_of(uint32_t frame)
{
	return direct(frame << 12);
}

uint32_t frame_of(const void *page)
{
	return physical(page) >> 12;
}

static void arena_make(void)
{
	void *at = page_of(0);
	void *got = mmap(at, FRAMES_END << 12, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (got != at) {
		printf("Bail out! no memory at %p\n", at);
		exit(1);
	}
}

void frame_open(uint32_t frame)
{
	ASAN_UNPOISON_MEMORY_REGION(page_of(frame), PAGE_BYTES);
	is_open[frame - FRAMES_FIRST] = true;
}

static uint64_t consumed_by(const struct thread *thread)
{
	return thread->consumed + (thread == running()              ? cpu.stamp
				   : thread->by_call & BY_CALL_LENT ? thread->dispatch_start
								    : 0);
}

/* Frames that are no object any more: their cycles are counted, then they are cleared. */
static void frames_reap(void)
{
	for (uint32_t i = 0; i < FRAMES_MANAGED; i++) {
		uint32_t frame = FRAMES_FIRST + i;
		bool is_object = object_table[frame].page != 0;
		if (!is_object && (was_object[i] || is_open[i])) {
			frame_open(frame);
			struct thread *page = page_of(frame);
			if (was_object[i] && page->self.word == frame << CAPABILITY_INDEX_SHIFT)
				machine.gone += consumed_by(page);
			memset(page, 0, PAGE_BYTES);
			ASAN_POISON_MEMORY_REGION(page, PAGE_BYTES);
			is_open[i] = false;
		}
		was_object[i] = is_object;
	}
}

uint32_t frame_free_from(uint32_t first)
{
	for (uint32_t frame = first; frame < FRAMES_END; frame++)
		if (!object_table[frame].page && object_table[frame].generation != GENERATION_TOP)
			return frame;
	test_check(false, __FILE__, __LINE__, "a frame is left");
	return 0;
}

uint32_t frame_free(void)
{
	return frame_free_from(FRAMES_FIRST);
}

static uint32_t create(uint32_t kind, uint32_t second, uint32_t frame, uint32_t generation,
		       uint32_t parameter)
{
	struct call_frame call = {.word0 = authority_create_op | kind << CREATE_KIND_SHIFT |
					   second << CREATE_SECOND_SHIFT,
				  .word1 = frame,
				  .word2 = generation,
				  .word3 = parameter};
	frame_open(frame);
	test_equal(authority_create(NULL, &call), 0, __FILE__, __LINE__, "created");
	was_object[frame - FRAMES_FIRST] = true;
	return frame;
}

uint32_t object_new(uint32_t kind, uint32_t second, uint32_t parameter)
{
	uint32_t frame = frame_free();
	uint32_t generations = object_table[frame].generation;
	if (kind == OBJECT_DOMAIN || kind == OBJECT_BITMAP)
		generations += object_table[parameter].generation;
	if (kind == OBJECT_BITMAP)
		generations += object_table[parameter + 1].generation;
	return create(kind, second, frame, generations, parameter);
}

struct domain *domain_new(uint32_t confidential)
{
	uint32_t directory = object_new(OBJECT_DIRECTORY, 0, 0);
	uint32_t *entries = page_of(directory);
	entries[TSS_SLOT] = physical(bitmap_none_table) | ENTRY_PRESENT | ENTRY_WRITE;
	struct domain *domain = page_of(object_new(OBJECT_DOMAIN, confidential, directory));
	domain->set[DOMAIN_ENTRY] = IMAGE_BASE;
	return domain;
}

struct thread *thread_new(struct domain *home)
{
	uint32_t frame = frame_free(), data = frame_free_from(frame + 1);
	frame_open(data);
	was_object[data - FRAMES_FIRST] = true;
	return page_of(create(OBJECT_THREAD, frame_of(home), frame,
			      object_table[frame].generation + object_table[data].generation +
				      home->self.generation,
			      data));
}

struct capability capability_to(uint32_t kind, uint32_t frame)
{
	struct capability capability;
	capability_make(&capability, kind, RIGHTS_ALL, frame << CAPABILITY_INDEX_SHIFT);
	if (kind == CAPABILITY_THREAD)
		capability.badge_low = 0xFFFFFFFF;
	return capability;
}

struct capability door_to(const struct domain *domain, uint64_t badge)
{
	struct capability door;
	capability_make(&door, CAPABILITY_DOOR, domain->confidential ? RIGHT_CONFIDENTIAL : 0,
			domain->self.word);
	door.badge_low = badge;
	door.badge_high = badge >> 32;
	return door;
}

void slot_set(uint32_t slot, struct capability capability)
{
	cpu.running_domain->list[slot] = capability;
}

/* ---- what must always hold ------------------------------------------------------------------- */
#define HOLDS(condition) test_check(!!(condition), __FILE__, __LINE__, #condition)

uint32_t depth_of(const struct thread *thread)
{
	uint32_t top = thread == running() ? tss.esp0 & (PAGE_BYTES - 1) : thread->top;
	return (ACTIVATION_HOME - top) / ACTIVATION_BYTES;
}

/* ESP of a thread in an activation: so it shows when registers get mixed up. */
uint32_t stack_mark(const struct thread *thread)
{
	return 0xE0000000 | thread->self.word << 4 | depth_of(thread);
}

static bool is_kind(uint32_t frame, uint32_t kind)
{
	uint32_t page = object_table[frame].page;
	return page && (page & OBJECT_KIND_MASK) == kind;
}

uint64_t cycles_of_all_threads(void)
{
	uint64_t sum = machine.gone;
	for (uint32_t frame = FRAMES_FIRST; frame < FRAMES_END; frame++)
		if (is_kind(frame, OBJECT_THREAD))
			sum += consumed_by(page_of(frame));
	return sum;
}

/* A data page is an object, and no other thread's. */
static void check_data_page(const struct thread *thread, uint32_t entry)
{
	if (!entry)
		return;
	HOLDS((entry & (PAGE_BYTES - 1)) == TABLE_ENTRY);
	HOLDS(is_kind(entry >> 12, OBJECT_DATA_PAGE));
	HOLDS(object_table[entry >> 12].page >> 12 == frame_of(thread));
}

static void check_thread(struct thread *thread)
{
	bool chained =
		thread->level < cpu.depth && level_thread(&cpu.level[thread->level]) == thread;
	HOLDS((thread->state == THREAD_IN_CHAIN) == chained);
	HOLDS(thread->top % ACTIVATION_BYTES == ACTIVATION_HOME % ACTIVATION_BYTES);
	HOLDS(thread->top <= ACTIVATION_HOME &&
	      thread->top > ACTIVATION_HOME - DEPTH_MAX * ACTIVATION_BYTES);
	HOLDS(thread->data_number < DATA_PAGES_MAX);
	HOLDS(thread->data[DATA_PAGES_MAX] == 0);
	for (uint32_t i = 0; i < DATA_PAGES_MAX; i++)
		check_data_page(thread, thread->data[i]);
	HOLDS(!(thread->by_call & BY_CALL_HOME) ||
	      (thread->top == ACTIVATION_HOME && thread->fast_limit));
	if (thread == running())
		HOLDS(thread->top == ACTIVATION_HOME && thread->fast_limit == FAST_LIMIT &&
		      thread->by_call == BY_CALL_RUNNING);
	HOLDS(thread->fast_limit == 0 || thread->fast_limit == FAST_LIMIT);
	HOLDS((uint8_t)(thread->fpu[101] - thread->fpu[100]) == (thread == running()));
	if (thread == running())
		return;
	if (thread->state == THREAD_WAITING || (chained && thread->level + 1 < cpu.depth))
		HOLDS(thread->by_call);
}

static void check_frames(void)
{
	for (uint32_t frame = FRAMES_FIRST; frame < FRAMES_END; frame++) {
		HOLDS(object_table[frame].generation >= generation_seen[frame - FRAMES_FIRST]);
		generation_seen[frame - FRAMES_FIRST] = object_table[frame].generation;
		if (is_kind(frame, OBJECT_THREAD))
			check_thread(page_of(frame));
		if (is_kind(frame, OBJECT_DIRECTORY)) {
			const uint32_t *entries = page_of(frame);
			uint32_t windows = entries[WINDOW_0 >> 22] | entries[WINDOW_1 >> 22];
			HOLDS(!windows || machine.directory == frame << 12);
		}
	}
}

static void check_chain(void)
{
	HOLDS(cpu.depth <= CHAIN_MAX);
	for (uint32_t i = 0; i < cpu.depth; i++) {
		const struct thread *thread = level_thread(&cpu.level[i]);
		HOLDS(is_kind(frame_of(thread), OBJECT_THREAD));
		HOLDS(thread->state == THREAD_IN_CHAIN && thread->level == i);
		HOLDS(i == 0 || cpu.deadline[i] <= cpu.deadline[i - 1]);
	}
	if (cpu.depth)
		HOLDS(cpu.armed <= cpu.deadline[cpu.depth - 1]);
}

static void check_window(uint32_t entry)
{
	if (entry)
		HOLDS(entry >> 12 >= FRAMES_FIRST && entry >> 12 < FRAMES_END &&
		      is_kind(entry >> 12, OBJECT_TABLE));
}

/* The thread that now runs, and what this CPU has loaded for it. */
static void check_running(void)
{
	struct thread *thread = running();
	HOLDS(thread == level_thread(&cpu.level[cpu.depth - 1]));
	HOLDS(tss.esp0 >> 12 == (uint32_t)thread >> 12);
	const struct activation *activation = activation_running();
	struct reference domain = {activation->domain, activation->generation};
	HOLDS(reference_page(domain) == cpu.running_domain);
	HOLDS(machine.directory == cpu.running_domain->directory);
	HOLDS(is_kind(machine.directory >> 12, OBJECT_DIRECTORY));
	HOLDS(tag_page[0] == thread->self.word);
	HOLDS(window_table[DATA_PAGE >> 12 & 1023] == thread->data[thread->data_number]);
	HOLDS(window_table[DATA_PAGE_NEXT >> 12 & 1023] == thread->data[thread->data_number + 1]);
	check_window(directory_of(cpu.running_domain)[WINDOW_0 >> 22]);
	check_window(directory_of(cpu.running_domain)[WINDOW_1 >> 22]);
	HOLDS(machine.debug == (cpu.stepping ? DR7_SYSEXITS : DR7_OFF));
}

void machine_check(void)
{
	check_frames();
	check_chain();
	if (cpu.depth)
		check_running();
	else
		HOLDS(!cpu.stepping);
	HOLDS(cycles_of_all_threads() + cpu.lost == now() - cpu.start);
}

/* ---- stays in the kernel --------------------------------------------------------------------- */
/* What the thread that now goes on finds in its registers. */
static void registers_read(void)
{
	frames_reap();
	if (machine.left == LEFT_PANIC || machine.left == LEFT_IDLE) {
		if (machine.left == LEFT_IDLE)
			machine_check();
		return;
	}
	if (machine.left == LEFT_BY_TRAP) {
		machine.trap = ((struct trap_frame *)activation_running())[-1];
	} else {
		const struct call_frame *frame = (struct call_frame *)activation_running() - 1;
		machine.status = frame->status;
		machine.word[0] = frame->word0;
		machine.word[1] = frame->word1;
		machine.word[2] = frame->word2;
		machine.word[3] = frame->word3;
		if (machine.left == LEFT_BY_CALL)
			test_equal(frame->esp, stack_mark(running()), __FILE__, __LINE__,
				   "its own stack");
	}
	machine_check();
}

/* The breakpoint on every SYSEXIT: a step of the thread that goes on is done (trap.asm). */
static uint32_t step_end(void)
{
	if (!cpu.stepping || machine.left == LEFT_BY_TRAP)
		return machine.status;
	struct trap_frame *frame = (struct trap_frame *)activation_running() - 1;
	*frame = (struct trap_frame){.eax = machine.status,
				     .eip = IMAGE_BASE,
				     .cs = USER_CODE,
				     .eflags = FLAGS_START,
				     .esp = stack_mark(running()),
				     .ss = USER_DATA};
	if (!setjmp(stay))
		step_done();
	registers_read();
	return machine.status;
}

static struct call_frame *call_push(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	struct call_frame *frame = (struct call_frame *)activation_running() - 1;
	*frame = (struct call_frame){.word0 = a,
				     .word1 = b,
				     .word2 = c,
				     .word3 = d,
				     .eip = IMAGE_BASE,
				     .esp = stack_mark(running())};
	return frame;
}

/* call.asm: what comes before a method. */
static uint32_t method_call(struct capability *capability, struct call_frame *frame)
{
	uint32_t kind = capability_kind(capability);
	if (kind == CAPABILITY_EMPTY)
		return ERROR_EMPTY;
	if (kind == CAPABILITY_DOOR || kind >= CAPABILITY_KINDS)
		return ERROR_KIND;
	if (kind != CAPABILITY_SELF &&
	    object_at(capability->word)->generation != capability->generation)
		return ERROR_STALE;
	if (!frame->word0)
		return 0;
	uint32_t number = frame->word0 % OPERATIONS_PER_KIND;
	uint32_t lacking = ~(capability->word >> CAPABILITY_RIGHTS_SHIFT) & RIGHTS_ALL;
	const struct operation_entry *entry = &operations[kind][number];
	if (entry->refuse & (lacking | (frame->word0 - number)))
		return operation_refused(capability, frame);
	return entry->function(capability, frame);
}

uint32_t machine_invoke(struct capability *capability, uint32_t operation, uint32_t a, uint32_t b,
			uint32_t c)
{
	struct call_frame *frame = call_push(operation, a, b, c);
	if ((operation & 0xFF) == authority_create_op && a >= FRAMES_FIRST && a < FRAMES_END)
		frame_open(a);
	machine.left = LEFT_BACK;
	if (!setjmp(stay))
		frame->status = method_call(capability, frame);
	registers_read();
	return step_end();
}

uint32_t machine_self(uint32_t operation, uint32_t a, uint32_t b, uint32_t c)
{
	return machine_invoke(&cpu.running_domain->list[SLOT_SELF], operation, a, b, c);
}

static uint32_t window_lend(struct activation *callee, uint32_t number, uint32_t index)
{
	if (index >= LENDABLE_ENTRIES)
		return ERROR_WINDOW;
	uint32_t entry = index ? directory_of(cpu.running_domain)[index] : 0;
	if (index &&
	    (entry & 0xC0000080 || (object_table[entry >> 12].page & 0xFF) != OBJECT_TABLE))
		return ERROR_WINDOW;
	callee->window[1 - number].entry = entry;
	callee->window[1 - number].generation = entry ? object_table[entry >> 12].generation : 0;
	return 0;
}

static void windows_enter(struct domain *domain, const struct activation *activation)
{
	uint32_t *directory = directory_of(domain);
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t entry = activation->window[1 - i].entry;
		bool alive = object_table[entry >> 12].generation ==
			     activation->window[1 - i].generation;
		directory[(WINDOW_0 >> 22) + i] = alive ? entry : 0;
	}
}

static void windows_leave(void)
{
	uint32_t *directory = directory_of(cpu.running_domain);
	directory[WINDOW_0 >> 22] = directory[WINDOW_1 >> 22] = 0;
}

static uint32_t special_fill(struct activation *callee, const struct capability *door,
			     uint32_t options, struct lending lending)
{
	uint32_t error = 0, flags = door->word >> CAPABILITY_RIGHTS_SHIFT & RIGHT_CONFIDENTIAL
					    ? ACTIVATION_CONFIDENTIAL
					    : 0;
	if (options & OPTION_CAPABILITIES) {
		options = lend_mixed(options, lending.capabilities, callee->lent);
		if (!options)
			return ERROR_EMPTY;
	}
	callee->window[0].entry = callee->window[0].generation = 0;
	callee->window[1].entry = callee->window[1].generation = 0;
	if (options & OPTION_WINDOWS && !error)
		error = window_lend(callee, 0, lending.windows & 0xFFFF);
	if (options & OPTION_WINDOWS && !error)
		error = window_lend(callee, 1, lending.windows >> 16);
	if (error)
		return error;
	callee->flags = options | flags | (cpu.fast_limit ? 0 : ACTIVATION_CALLER_SPECIAL);
	callee->results = lending.results;
	if (options & (OPTION_NEXT_PAGE | OPTION_MAY_WAIT)) {
		callee->flags = call_options_rare(callee->flags);
		if (!callee->flags)
			return ERROR_DATA_PAGE;
	}
	return 0;
}

static uint32_t door_enter(uint32_t eax, struct lending lending)
{
	uint32_t options = eax & OPTIONS_KNOWN;
	const struct capability *door = slot_named(eax & ~OPTIONS_KNOWN);
	if (!door || capability_kind(door) == CAPABILITY_EMPTY)
		return ERROR_EMPTY;
	if (capability_kind(door) != CAPABILITY_DOOR)
		return ERROR_KIND;
	if (object_at(door->word)->generation != door->generation)
		return ERROR_STALE;
	if (!(tss.esp0 & 0x800))
		return ERROR_DEPTH;
	struct activation *callee = activation_running() - 1;
	bool special = !cpu.fast_limit || options & ~OPTION_NESTED ||
		       door->word >> CAPABILITY_RIGHTS_SHIFT & RIGHT_CONFIDENTIAL;
	/* whatever was there before; a fast call does not clean up */
	memset(callee, GARBAGE, offsetof(struct activation, caller_eip));
	if (special) {
		uint32_t error = special_fill(callee, door, options, lending);
		if (error)
			return error;
		if (!cpu.fast_limit)
			windows_leave();
		cpu.fast_limit = 0;
	}
	callee->domain = (door->word & CAPABILITY_INDEX_MASK) | (uint32_t)CAPABILITY_DOOR
									<< CAPABILITY_KIND_SHIFT;
	callee->generation = door->generation;
	tss.esp0 = (uint32_t)callee;
	cpu.running_domain = object_page(object_at(door->word));
	if (special)
		windows_enter(cpu.running_domain, callee);
	directory_load(cpu.running_domain->directory);
	return 0;
}

uint32_t machine_call(uint32_t slot_and_options, struct lending lending)
{
	call_push(0, lending.results, lending.capabilities, lending.windows);
	machine.left = LEFT_BACK;
	uint32_t error = door_enter(slot_and_options, lending);
	machine_check();
	machine.status = error;
	return step_end();
}

/* What the caller now sees in its registers: only the status matters. */
static void return_go(uint32_t status)
{
	struct activation *activation = activation_running(), *caller = activation + 1;
	struct domain *domain = NULL;
	if ((tss.esp0 & (PAGE_BYTES - 1)) != ACTIVATION_HOME)
		domain = reference_page((struct reference){caller->domain, caller->generation});
	if (!domain)
		return_unwind();
	uint32_t flags = activation->flags;
	if (!cpu.fast_limit) {
		windows_leave();
		if (flags & OPTION_NEXT_PAGE)
			data_page_back();
		if (flags & ACTIVATION_CALLER_SPECIAL)
			windows_enter(domain, caller);
		else
			cpu.fast_limit = FAST_LIMIT;
	}
	tss.esp0 = (uint32_t)caller;
	cpu.running_domain = domain;
	directory_load(domain->directory);
	((struct call_frame *)caller - 1)->status = RETURN | status;
	leave(LEFT_BY_CALL);
}

uint32_t machine_return(uint32_t status, uint32_t capabilities)
{
	struct call_frame *frame = call_push(0, 0, capabilities, 0);
	machine.left = LEFT_BACK;
	if (!setjmp(stay)) {
		frame->status = 0;
		if (capabilities)
			frame->status =
				cpu.fast_limit ? ERROR_ARGUMENT : return_capabilities(capabilities);
		if (!frame->status)
			return_go(status);
	}
	registers_read();
	return step_end();
}

uint32_t machine_resume(void)
{
	struct activation *activation = activation_running();
	if (cpu.fast_limit || !(activation->flags & ACTIVATION_HANDLING))
		return ERROR_NO_RECORD;
	activation->flags &= ~ACTIVATION_HANDLING;
	if (activation->flags & ACTIVATION_PLAIN)
		cpu.fast_limit = FAST_LIMIT;
	machine_check();
	return 0;
}

/* ---- traps and time -------------------------------------------------------------------------- */
static void trap_enter(struct trap_frame *frame)
{
	machine.left = LEFT_BY_TRAP;
	if (!setjmp(stay)) {
		trap(frame);
		machine.left = LEFT_BACK;
		machine.trap = *frame;
		frames_reap();
		machine_check();
		return;
	}
	registers_read();
}

void machine_trap(uint32_t vector, uint32_t error, uint32_t eip)
{
	struct trap_frame *frame = (struct trap_frame *)activation_running() - 1;
	*frame = (struct trap_frame){.vector = vector,
				     .error = error,
				     .eip = eip,
				     .cs = USER_CODE,
				     .eflags = FLAGS_START | (cpu.stepping ? FLAG_TRAP : 0),
				     .esp = stack_mark(running()),
				     .ss = USER_DATA};
	trap_enter(frame);
}

static void trap_idle(struct trap_frame *frame)
{
	if (!setjmp(stay)) {
		trap_kernel(frame);
		machine.left = LEFT_IDLE;
	}
	registers_read();
}

void machine_interrupt(uint32_t line)
{
	if (cpu.depth) {
		machine_trap(VECTOR_IRQ + line, 0, IMAGE_BASE);
		return;
	}
	struct trap_frame frame = {.vector = VECTOR_IRQ + line, .cs = KERNEL_CODE};
	trap_idle(&frame);
}

void machine_run(uint64_t cycles)
{
	uint64_t until = machine.clock + cycles;
	while (machine.timer_fires <= until) {
		if (machine.clock < machine.timer_fires)
			machine.clock = machine.timer_fires;
		machine.timer_fires = UINT64_MAX;
		machine_interrupt(0);
	}
	if (machine.clock < until)
		machine.clock = until;
}

void thread_go(struct thread *thread)
{
	struct capability capability = capability_to(CAPABILITY_THREAD, frame_of(thread));
	uint32_t error =
		machine_invoke(&capability, thread_start_op, IMAGE_BASE, stack_mark(thread), 0);
	test_equal(error, 0, __FILE__, __LINE__, "started");
}

void machine_dispatch(struct thread *thread, uint32_t mask, uint64_t deadline, uint32_t options)
{
	struct capability capability = capability_to(CAPABILITY_THREAD, frame_of(thread));
	machine_invoke(&capability, thread_dispatch_op | options, mask, deadline, deadline >> 32);
}

/* ---- the beginning --------------------------------------------------------------------------- */
static void root_make(void)
{
	root_domain = domain_new(0);
	root_thread = thread_new(root_domain);
	struct capability thread = capability_to(CAPABILITY_THREAD, frame_of(root_thread));
	struct call_frame start = {.word1 = IMAGE_BASE, .word2 = stack_mark(root_thread)};
	test_equal(thread_start(&thread, &start), 0, __FILE__, __LINE__, "started");
	root_thread->state = THREAD_IN_CHAIN;
	cpu.level[0].home = activation_at(root_thread, ACTIVATION_HOME);
	cpu.deadline[0] = DEADLINE_NEVER;
	cpu.depth = 1;
	root_domain->list[ROOT_AUTHORITY] = capability_to(CAPABILITY_AUTHORITY, OBJECT_AUTHORITY);
	root_domain->list[ROOT_DOMAIN] = capability_to(CAPABILITY_DOMAIN, frame_of(root_domain));
	root_domain->list[ROOT_THREAD] = thread;
	root_domain->list[ROOT_PORTS] = capability_to(CAPABILITY_PORTS, OBJECT_PORTS);
	root_domain->list[ROOT_PORTS].badge_low = 0xFFFF0000;
	for (uint32_t line = 1; line < IRQ_LINES; line++)
		root_domain->list[ROOT_IRQ_FIRST + line] =
			capability_to(CAPABILITY_IRQ, OBJECT_IRQ_FIRST + line);
}

void machine_start(void)
{
	static bool made;
	static uint32_t generation = 1;
	if (!made)
		arena_make();
	made = true;
	generation += 0x1000; /* what the kernel kept of the machine before is stale */
	memset(&cpu, 0, sizeof(cpu));
	memset(&machine, 0, sizeof(machine));
	memset(window_table, 0, sizeof(window_table));
	memset(was_object, true, sizeof(was_object)); /* to be cleared */
	for (uint32_t i = 0; i < FRAMES_END; i++)
		object_table[i] = (struct object){0, i < FRAMES_FIRST ? OBJECT_RESERVED : 0};
	for (uint32_t i = OBJECT_IRQ_FIRST; i <= OBJECT_AUTHORITY; i++)
		object_table[i] = (struct object){1, OBJECT_STATIC};
	for (uint32_t i = 0; i < FRAMES_MANAGED; i++)
		generation_seen[i] = object_table[FRAMES_FIRST + i].generation = generation;
	frames_reap();
	low_end_frame = FRAMES_END;
	fpu_has_fxsr = 1;
	machine.gone = 0;
	machine.clock = 1000000;
	machine.clock_step = 1;
	machine.timer_fires = UINT64_MAX;
	machine.debug = DR7_OFF;
	timer_start(CYCLES_PER_MS);
	if (machine_timer != TIMER_PIT) {
		apic_start(1u << 9);
		struct look begin = apic_look();
		machine.has_tsc_deadline = machine_timer == TIMER_TSC;
		machine.clock += CYCLES_PER_MS;
		apic_timer_start(begin, apic_look());
	}
	test_equal(timer.kind, machine_timer, __FILE__, __LINE__, "the timer");
	root_make();
	cpu.start = cpu.stamp = cycles();
	if (!setjmp(stay))
		thread_run();
	registers_read();
}

void object_end(uint32_t frame)
{
	struct capability authority = capability_to(CAPABILITY_AUTHORITY, OBJECT_AUTHORITY);
	uint32_t error = machine_invoke(&authority, authority_destroy_op, frame,
					object_table[frame].generation, 0);
	test_equal(error, 0, __FILE__, __LINE__, "destroyed");
}
