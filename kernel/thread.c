/* SPDX-License-Identifier: MIT */
/* Threads: the CPU changes hands, and the operations on a thread capability. */
#include "x86/x86.h"

struct cpu cpu;
struct object object_table[OBJECTS_MAX];
uint32_t fpu_has_fxsr; /* else FNSAVE and FRSTOR: before the Pentium III */

/* The thread's current and next data page appear; the caller loads CR3 afterwards. */
void data_pages_load(struct thread *thread)
{
	window_table[DATA_PAGE >> 12 & 1023] = thread->data[thread->data_number];
	window_table[DATA_PAGE_NEXT >> 12 & 1023] = thread->data[thread->data_number + 1];
}

static void windows_load(const struct activation *activation)
{
	uint32_t *directory = directory_of(cpu.running_domain);
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t entry = activation->window[i].entry;
		bool alive =
			object_table[entry >> 12].generation == activation->window[i].generation;
		directory[(WINDOW_1 >> 22) - i] = alive ? entry : 0;
	}
}

void step_set(bool stepping)
{
	cpu.stepping = stepping;
	cpu.depth_limit = stepping ? 0 : CHAIN_MAX;
}

/* The running thread leaves the CPU, at the last stamp; by_call: 0, INSIDE (or home), LENT. */
void thread_save(uint32_t by_call)
{
	struct thread *thread = thread_running();
	if (by_call & BY_CALL_LENT)
		thread->dispatch_start = cpu.stamp;
	else
		thread->consumed += cpu.stamp;
	thread->top = (uintptr_t)activation_running() & (PAGE_BYTES - 1);
	thread->fast_limit = cpu.fast_limit;
	if (by_call && thread->top == ACTIVATION_HOME && cpu.fast_limit && fpu_has_fxsr)
		by_call ^= BY_CALL_INSIDE ^ BY_CALL_HOME;
	thread->by_call = by_call;
	fpu_save(thread);
	if (!cpu.fast_limit) {
		uint32_t *directory = directory_of(cpu.running_domain);
		directory[WINDOW_0 >> 22] = directory[WINDOW_1 >> 22] = 0;
	}
	if (cpu.stepping) {
		cpu.stepping = STEP_OVER;
		cpu.stepped = thread;
		debug_control(DR7_OFF);
		if (!by_call)
			trap_frame_of(thread)->eflags &= ~FLAG_TRAP;
	}
}

/* The same, now. */
void thread_leave(uint32_t by_call)
{
	stamp();
	thread_save(by_call);
}

/* In a rollforward section that another thread has entered since: LOST (docs/architecture.md). */
static void section_redirect(struct thread *thread, struct trap_frame *frame)
{
	struct domain *domain = cpu.running_domain;
	if (frame->eip - domain->set[DOMAIN_SECTION_START] >= domain->set[DOMAIN_SECTION_BYTES])
		return;
	const struct lock_page *lock = reference_page(domain->lock);
	if (lock && lock->owner == thread->self.word)
		return;
	frame->eax = frame->eip;
	frame->eip = domain->set[DOMAIN_SECTION_START] + domain->set[DOMAIN_SECTION_BYTES];
}

/* For one instruction: leave by IRET with TF, and stop at every SYSEXIT. */
static void step_start(struct thread *thread)
{
	if (thread->by_call) {
		/* both begin in PUSHA's order */
		struct call_frame call = *call_frame_of(thread);
		*trap_frame_of(thread) = (struct trap_frame){
			call.word1, call.word0, call.word3,  0,        call.word2,
			0,          0,          call.status, 0,        0,
			call.eip,   USER_CODE,  FLAGS_START, call.esp, USER_DATA};
		thread->by_call = false;
	}
	trap_frame_of(thread)->eflags |= FLAG_TRAP;
	debug_control(DR7_SYSEXITS);
}

/*
 * The uppermost thread of the chain goes on. Everything that it refers to is compared here (R1):
 * its domain, its data pages, its windows, its lock page.
 */
void thread_run(void)
{
	if (cpu.depth == 0)
		idle();
	struct thread *thread = level_thread(&cpu.level[cpu.depth - 1]);
	if (cpu.stepping == STEP_OVER) {
		step_set(false);
		if (thread == cpu.stepped) { /* it would go on in this stay: a forced return, say */
			chain_cut(cpu.depth - 1, DISPATCH_STEPPED);
			thread = level_thread(&cpu.level[cpu.depth - 1]);
		}
	}
	struct activation *activation = activation_of(thread);
	struct domain *domain = activation_domain(activation);
	if (!domain) {
		if (!thread_pop(thread, 0, ERROR_CALLEE_DESTROYED))
			thread_stop_running(thread, DISPATCH_ENDED);
		activation = activation_of(thread);
		domain = activation_domain(activation);
	}
	if (thread->by_call & (BY_CALL_WOKEN | BY_CALL_CUT | BY_CALL_LENT))
		answer_finish(thread);
	thread->consumed -= cpu.stamp;
	tss.esp0 = (uintptr_t)activation;
	cpu.fast_limit = thread->fast_limit;
	cpu.running_domain = domain;
	tag_page[0] = thread->self.word;
	data_pages_load(thread);
	if (!thread->fast_limit)
		windows_load(activation);
	fpu_load(thread);
	directory_load(domain->directory);
	if (cpu.stepping)
		step_start(thread);
	uint32_t by_call = thread->by_call;
	thread->top = ACTIVATION_HOME;
	thread->fast_limit = FAST_LIMIT;
	thread->by_call = BY_CALL_RUNNING;
	if (by_call)
		leave_by_call((struct call_frame *)activation - 1);
	section_redirect(thread, (struct trap_frame *)activation - 1);
	leave_by_trap((struct trap_frame *)activation - 1);
}

/* Calls that it is in, whether it runs or not. */
uint32_t thread_depth(const struct thread *thread)
{
	uint32_t top = thread == thread_running() ? (uintptr_t)activation_running() : thread->top;
	return (ACTIVATION_HOME - top % PAGE_BYTES) / ACTIVATION_BYTES;
}

/* A stopped thread begins, at home, in the domain that it was created for. */
uint32_t thread_start(struct capability *capability, struct call_frame *frame)
{
	struct thread *thread = capability_page(capability);
	if (thread->state != THREAD_STOPPED)
		return ERROR_STATE;
	/* what a confidential callee left must not show */
	thread_pop(thread, ACTIVATION_HOME, ERROR_ABORTED);
	thread->fast_limit = FAST_LIMIT;
	thread->data_number = 0;
	thread->fpu[0] = 0x037F; /* FCW as after FNINIT, all exceptions masked */
	thread->fpu[1] = 0;      /* all registers empty */
	if (fpu_has_fxsr)
		thread->fpu[6] = 0x1F80; /* MXCSR likewise */
	else
		thread->fpu[2] = 0xFFFF; /* FNSAVE's image: all registers empty */
	thread->by_call =
		(fpu_has_fxsr ? BY_CALL_HOME : BY_CALL_INSIDE) | (thread->by_call & BY_CALL_LENT);
	thread->dispatch_word = thread_dispatch_op;
	thread->notify_bits = 1;
	*call_frame_of(thread) = (struct call_frame){
		.eip = frame->word1, .esp = frame->word2, .word2 = frame->word3};
	thread->fault[0] = 0;
	thread->state = THREAD_READY;
	return 0;
}

/* Uppermost in the chain and off the CPU; the caller may be one that it dispatched. */
static void thread_leave_chain(struct thread *thread)
{
	thread_leave(BY_CALL_INSIDE);
	if (thread->level + 1 < cpu.depth)
		chain_cut(thread->level + 1, DISPATCH_CUT);
}

/*
 * Pops the activation at `depth` and all above it, if its domain is the one meant: the call may
 * have returned meanwhile, and the next one must not be hit.
 */
uint32_t thread_abort(struct capability *capability, struct call_frame *frame)
{
	struct thread *thread = capability_page(capability);
	uint32_t depth = frame->word1, callee = frame->word2;
	bool in_chain = thread->state == THREAD_IN_CHAIN;
	uint32_t top = ACTIVATION_HOME - depth * ACTIVATION_BYTES;
	if (thread->state == THREAD_STOPPED)
		return ERROR_STATE;
	if (depth == 0 || depth > thread_depth(thread) ||
	    index_of(activation_at(thread, top)->domain) != callee)
		return ERROR_ARGUMENT;
	if (in_chain)
		thread_leave_chain(thread);
	bool alive = thread_pop(thread, top + ACTIVATION_BYTES, ERROR_ABORTED);
	if (!in_chain) {
		thread->state = alive ? THREAD_READY : THREAD_STOPPED;
		return 0;
	}
	if (!alive)
		thread_stop_running(thread, DISPATCH_ENDED);
	thread_run();
}

uint32_t thread_stop(struct capability *capability, struct call_frame *frame)
{
	struct thread *thread = capability_page(capability);
	if (thread->state == THREAD_IN_CHAIN) {
		if (thread->level == 0)
			return ERROR_STATE;
		thread_leave_chain(thread);
		thread_stop_running(thread, DISPATCH_ENDED);
	}
	thread->state = THREAD_STOPPED;
	return 0;
}

/* A data page ceases to be: its thread, if that still is one, has it no more. */
void data_page_unbind(uint32_t page)
{
	const struct object *owner = &object_table[object_table[page].page >> 12];
	if ((owner->page & OBJECT_KIND_MASK) != OBJECT_THREAD)
		return;
	struct thread *thread = object_page(owner);
	for (uint32_t i = 0; i < DATA_PAGES_MAX; i++)
		if (thread->data[i] >> 12 == page)
			thread->data[i] = 0;
}

/* A data page belongs to one thread, in order: the services that it calls stand on it. */
uint32_t thread_attach(struct capability *capability, struct call_frame *frame)
{
	struct thread *thread = capability_page(capability);
	struct capability *found;
	uint32_t number = frame->word1;
	uint32_t error = slot_object(frame->word2, CAPABILITY_PAGE, &found);
	if (error)
		return error;
	struct object *page = object_at(found->word);
	if (number >= DATA_PAGES_MAX)
		return ERROR_ARGUMENT;
	if ((page->page & OBJECT_KIND_MASK) != OBJECT_DATA_PAGE)
		return ERROR_KIND;
	if (page->page & OBJECT_ATTACHED || thread->data[number])
		return ERROR_STATE;
	data_page_bind(thread, number, index_of(found->word));
	if (thread == thread_running()) {
		data_pages_load(thread);
		directory_load(cpu.running_domain->directory);
	}
	return 0;
}

uint32_t thread_read(struct capability *capability, struct call_frame *frame)
{
	struct thread *thread = capability_page(capability);
	uint32_t depth = thread_depth(thread);
	uint64_t consumed;
	const struct activation *activation =
		activation_at(thread, ACTIVATION_HOME - depth * ACTIVATION_BYTES);
	switch (frame->word1) {
	case THREAD_FIELD_STATE:
		frame->word0 = thread->state;
		frame->word1 = depth;
		frame->word2 = index_of(activation->domain);
		frame->word3 = thread->events;
		return 0;
	case THREAD_FIELD_TIME:
		consumed = thread->consumed + (thread == thread_running() ? cycles() - cpu.lost
					       : thread->by_call & BY_CALL_LENT
						       ? thread->dispatch_start
						       : 0);
		frame->word0 = consumed;
		frame->word1 = consumed >> 32;
		return 0;
	case THREAD_FIELD_FAULT:
		frame->word0 = thread->fault[0];
		frame->word1 = thread->fault[1];
		frame->word2 = thread->fault[2];
		frame->word3 = thread->fault[3] >> CAPABILITY_INDEX_SHIFT;
		return 0;
	case THREAD_FIELD_CALL:
		if (frame->word2 - 1 >= depth)
			return ERROR_ARGUMENT;
		activation += depth - frame->word2;
		frame->word0 = index_of(activation[1].domain);
		frame->word1 = activation->caller_eip;
		frame->word2 = activation->caller_esp;
		return 0;
	default:
		return ERROR_ARGUMENT;
	}
}
