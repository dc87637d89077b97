/* SPDX-License-Identifier: MIT */
/*
 * CPU time: the chain of dispatchers, deadlines, events, accounts. The kernel has no queue and no
 * priority; a thread runs because the one below it in the chain lends it time.
 * After B. Ford, S. Susarla, "CPU Inheritance Scheduling", OSDI 1996.
 */
#include "x86/x86.h"

void stamp(void)
{
	cpu.stamp = cycles() - cpu.lost;
}

/* What has passed since the last stamp was nobody's work: an interrupt's, or idle. */
static void account_lost(void)
{
	cpu.lost = cycles() - cpu.stamp;
}

static void dispatch_answer(struct call_frame *frame, uint32_t reason, uint64_t consumed,
			    uint32_t bits)
{
	frame->status = 0;
	frame->word0 = reason;
	frame->word1 = consumed;
	frame->word2 = consumed >> 32;
	frame->word3 = bits;
}

typedef uint32_t __attribute__((may_alias)) both_t;
static uint32_t events_take(struct thread *thread, uint32_t mask)
{
	uint32_t bits = thread->events & mask;
	thread->events ^= bits;
	return bits;
}

/*
 * Ends the dispatch at `level` (not 0) for a reason, and with it all above, whose dispatchers are
 * marked as cut: at most 31, so as little as possible for each. The running thread must have been
 * saved. thread_run() comes next.
 */
void chain_cut(uint32_t level, uint32_t reason)
{
	uint64_t now = cpu.stamp;
	struct level *at = &cpu.level[cpu.depth - 1], *end = &cpu.level[level];
	struct thread *thread = level_thread(at);
	cpu.depth = level;
	if (thread->state == THREAD_IN_CHAIN)
		thread->state = THREAD_READY;
	while (at-- > end) {
		thread = level_thread(at);
		/* state and by_call in one: ready, cut */
		*(both_t *)&thread->state ^= (THREAD_IN_CHAIN ^ THREAD_READY) | BY_CALL_CUT << 16;
		thread->dispatch_end = now;
	}
	thread = level_thread(at);
	uint32_t bits = reason == DISPATCH_EVENT ? events_take(thread, at[1].mask) : 0;
	dispatch_answer(call_frame_of(thread), reason, now - thread->dispatch_start, bits);
}

/* What was left for later, when the thread runs again. */
void answer_finish(struct thread *thread)
{
	struct call_frame *frame = call_frame_of(thread);
	if (thread->by_call & BY_CALL_CUT)
		dispatch_answer(frame, DISPATCH_CUT, thread->dispatch_end - thread->dispatch_start,
				0);
	if (thread->by_call & BY_CALL_WOKEN) {
		frame->status = 0;
		frame->word0 = events_take(thread, thread->wait_mask);
	}
	if (thread->by_call & BY_CALL_LENT)
		thread->consumed += thread->dispatch_start;
	thread->by_call &= ~(BY_CALL_CUT | BY_CALL_WOKEN | BY_CALL_LENT);
}

/* The uppermost thread of the chain, off the CPU already, won't go on. */
void thread_stop_running(struct thread *thread, uint32_t reason)
{
	if (thread->level == 0)
		panic("the root program ended or faulted",
		      thread->by_call ? NULL : trap_frame_of(thread));
	thread->state = THREAD_STOPPED;
	if (cpu.stepping) /* dispatched for a step that its dead home can't make */
		step_set(false);
	/* Dispatchers whose home is dead end with it: one after the other would be one long stay.
	 */
	struct level *at = &cpu.level[thread->level];
	for (; !activation_lives(at[-1].home); at--)
		level_thread(at - 1)->state = THREAD_STOPPED;
	uint32_t level = at - cpu.level;
	if (level != thread->level)
		reason = DISPATCH_ENDED;
	cpu.depth = level + 1;
	chain_cut(level, reason);
	thread_run();
}

/*
 * Sets event bits. A waiting thread that asked for one becomes ready, and whoever dispatched it is
 * told in the same way: at most 32 steps. Returns the level whose dispatch this ends, or 0.
 */
uint32_t signal(struct thread *thread, uint32_t bits)
{
	for (uint32_t steps = CHAIN_MAX; steps; steps--) {
		memory_or(&thread->events, bits);
		if (thread->state != THREAD_WAITING)
			break;
		if (!(thread->events & thread->wait_mask))
			return 0;
		/* state and by_call in one: ready, woken */
		*(both_t *)&thread->state ^= (THREAD_WAITING ^ THREAD_READY) | BY_CALL_WOKEN << 16;
		bits = thread->notify_bits;
		const struct object *object = object_at_word(thread->notify.word);
		if (object->generation != thread->notify.generation)
			return 0;
		thread = (struct thread *)(uintptr_t)(object->page - OBJECT_THREAD);
	}
	/* (read with its neighbour, so that the loop keeps no register for it) */
	uint32_t level = thread->level + 1;
	if (*(both_t *)&thread->state << 16 != (uint32_t)THREAD_IN_CHAIN << 16 ||
	    level >= cpu.depth)
		return 0;
	return cpu.level[level].mask & thread->events ? level : 0;
}

uint32_t thread_signal(struct capability *capability, struct call_frame *frame)
{
	uint32_t level = signal(capability_page(capability), frame->word1 & capability->badge_low);
	if (!level)
		return 0;
	thread_leave(BY_CALL_INSIDE);
	chain_cut(level, DISPATCH_EVENT);
	thread_run();
}

/* Lends the caller's time to a ready thread until a deadline or an event: enum dispatch_reason. */
uint32_t thread_dispatch(struct capability *capability, struct call_frame *frame)
{
	struct thread *thread = capability_page(capability), *self = thread_running();
	uint32_t word = frame->word0, mask = frame->word1;
	uint64_t deadline = (uint64_t)frame->word3 << 32 | frame->word2;
	if (thread->state != THREAD_READY)
		return ERROR_STATE;
	if (!activation_may_wait())
		return ERROR_NOT_ALLOWED;
	if (cpu.depth == CHAIN_MAX)
		return ERROR_CHAIN;
	stamp();
	uint32_t bits = events_take(self, mask);
	if (bits || deadline <= now() || cpu.stepping) {
		uint32_t reason = bits           ? DISPATCH_EVENT
				  : cpu.stepping ? DISPATCH_CUT
						 : DISPATCH_DEADLINE;
		dispatch_answer(frame, reason, 0, bits);
		return 0;
	}
	thread_save(BY_CALL_INSIDE | BY_CALL_LENT);
	cpu.level[cpu.depth] = (struct level){activation_at(thread, ACTIVATION_HOME), mask};
	if (deadline > cpu.deadline[cpu.depth - 1])
		deadline = cpu.deadline[cpu.depth - 1];
	cpu.deadline[cpu.depth] = deadline;
	cpu.level[cpu.depth].home[1].generation =
		self->by_call & BY_CALL_HOME ? HOME_ORDINARY : HOME_DISPATCHES;
	thread->dispatch_word = word & ~DISPATCH_STEP;
	thread->notify_bits = 1u << (word >> DISPATCH_BIT_SHIFT & 31);
	thread->level = cpu.depth++;
	thread->state = THREAD_IN_CHAIN;
	if (word & DISPATCH_STEP) {
		step_set(true);
		cpu.level[thread->level].home[1].generation = HOME_DISPATCHES;
	}
	timer_arm(deadline);
	thread_run();
}

/* Until an event of the mask. Only the root thread has a deadline of its own: others ask whoever
 * dispatches them. Bits are cleared by returning them and in no other way. */
static uint32_t wait(struct call_frame *frame, uint64_t deadline)
{
	struct thread *thread = thread_running();
	uint32_t mask = frame->word1;
	if (!activation_may_wait())
		return ERROR_NOT_ALLOWED;
	if (thread->level && deadline != DEADLINE_NEVER)
		return ERROR_ARGUMENT;
	stamp();
	uint32_t bits = events_take(thread, mask);
	frame->word0 = bits;
	if (bits || deadline <= now())
		return 0;
	thread->wait_mask = mask;
	thread_save(BY_CALL_INSIDE);
	thread->state = THREAD_WAITING;
	if (thread->level) {
		activation_at(thread, ACTIVATION_HOME)[1].generation = HOME_ORDINARY;
		thread->notify = level_thread(&cpu.level[thread->level - 1])->self;
		chain_cut(thread->level, DISPATCH_WAITING);
	} else {
		thread->notify.generation = GENERATION_NONE;
		cpu.deadline[0] = deadline;
		timer_arm(deadline);
		cpu.depth = 0;
	}
	thread_run();
}

uint32_t self_wait(struct capability *self, struct call_frame *frame)
{
	return wait(frame, DEADLINE_NEVER);
}

uint32_t self_wait_until(struct capability *self, struct call_frame *frame)
{
	return wait(frame, (uint64_t)frame->word3 << 32 | frame->word2);
}

/* The timer: the lowest level whose deadline has passed, or 0. Deadlines fall from level to level:
 * five looks find it. */
static uint32_t deadline_passed(void)
{
	uint64_t present = now();
	uint32_t ahead = 0, level = cpu.depth;
	timer_end();
	cpu.armed = DEADLINE_NEVER;
	if (!cpu.depth && cpu.deadline[0] <= present) {
		level_thread(&cpu.level[0])->state = THREAD_READY; /* its answer is 0 already */
		return 0;
	}
	while (ahead + 1 < level) {
		uint32_t middle = (ahead + level) / 2;
		if (cpu.deadline[middle] <= present)
			level = middle;
		else
			ahead = middle;
	}
	timer_arm(cpu.deadline[ahead]);
	return level < cpu.depth ? level : 0;
}

/* Idle, after an interrupt: the root thread goes on if it was woken. */
static uint32_t root_wake(void)
{
	struct thread *root = level_thread(&cpu.level[0]);
	if (root->state != THREAD_READY)
		return 0;
	root->state = THREAD_IN_CHAIN;
	cpu.deadline[0] = DEADLINE_NEVER;
	return cpu.depth = 1;
}

/*
 * An interrupt line: masked until its handler acknowledges, so it costs everybody else at most one
 * such path until then. Line 0 is the timer.
 */
void interrupt(uint32_t line)
{
	uint64_t lost = cpu.lost;
	uint32_t level = 0;
	if (cpu.depth)
		stamp();
	else {
		account_lost();
		cpu.idle += cpu.lost - lost;
	}
	if (line == 0)
		level = deadline_passed();
	else if (!pic_is_spurious(line)) {
		pic_mask(line, 1);
		pic_end(line);
		level = irq_signal(line);
	}
	if (level) {
		thread_save(0);
		chain_cut(level, line ? DISPATCH_EVENT : DISPATCH_DEADLINE);
	} else if (!cpu.depth)
		level = root_wake();
	account_lost();
	if (level)
		thread_run();
}

/* The stepped thread has executed its instruction; its frame is a trap_frame. */
void step_done(void)
{
	thread_leave(0);
	chain_cut(cpu.depth - 1, DISPATCH_STEPPED);
	thread_run();
}
