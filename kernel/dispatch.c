/* SPDX-License-Identifier: MIT */
/*
 * CPU time: the chain of dispatchers, deadlines, events, accounts. The kernel has no queue and no
 * priority; a thread runs because the one below it in the chain lends it time.
 * After B. Ford, S. Susarla, "CPU Inheritance Scheduling", OSDI 1996.
 */
#include "x86/x86.h"

/* Everything since the last stamp goes to one account, so the accounts add up to the counter. */
void account(uint64_t *to)
{
	uint64_t now = cycles();
	*to += now - cpu.last;
	cpu.last = now;
}

/* The same for time that is nobody's work: interrupts and idle. */
void account_lost(uint64_t *to)
{
	account(&cpu.lost);
	*to = cpu.lost - (to == &cpu.idle ? cpu.interrupts : cpu.idle);
}

/* Time that was anybody's work, as of the last account(). */
static uint64_t work_time(void)
{
	return cpu.last - cpu.lost;
}

static void dispatch_answer(struct call_frame *frame, uint32_t reason, uint64_t consumed,
			    uint32_t bits)
{
	frame->status = 0;
	frame->word[0] = reason;
	frame->word[1] = consumed;
	frame->word[2] = consumed >> 32;
	frame->word[3] = bits;
}

static uint32_t events_take(struct thread *thread, uint32_t mask)
{
	uint32_t bits = thread->events & mask;
	thread->events &= ~bits;
	return bits;
}

/*
 * Ends the dispatch at `level` (not 0) for a reason, and with it all above, whose dispatchers are
 * marked as cut: at most 31, so as little as possible for each. The running thread must have been
 * saved. thread_run() comes next.
 */
void chain_cut(uint32_t level, uint32_t reason)
{
	uint64_t now = work_time();
	struct level *at = &cpu.level[cpu.depth - 1], *end = &cpu.level[level];
	if (at->thread->state == THREAD_IN_CHAIN)
		at->thread->state = THREAD_READY;
	while (at-- > end) {
		at->thread->state = THREAD_READY;
		at->thread->by_call |= BY_CALL_CUT;
		at->thread->dispatch_end = now;
	}
	struct thread *dispatcher = at->thread;
	uint32_t bits = reason == DISPATCH_EVENT ? events_take(dispatcher, end->mask) : 0;
	dispatch_answer(call_frame_of(dispatcher), reason, now - dispatcher->dispatch_start, bits);
	cpu.depth = level;
}

/* What chain_cut and signal left for later, when the thread runs again. */
void answer_finish(struct thread *thread)
{
	struct call_frame *frame = call_frame_of(thread);
	if (thread->by_call & BY_CALL_CUT)
		dispatch_answer(frame, DISPATCH_CUT, thread->dispatch_end - thread->dispatch_start,
				0);
	if (thread->by_call & BY_CALL_WOKEN)
		frame->word[0] = events_take(thread, thread->wait_mask);
	thread->by_call &= ~(BY_CALL_CUT | BY_CALL_WOKEN);
}

/* The running thread, saved already, won't go on. */
void thread_stop_running(uint32_t reason)
{
	struct thread *thread = cpu.thread;
	if (thread->level == 0)
		panic("the root program ended or faulted",
		      thread->by_call ? NULL : trap_frame_of(thread));
	thread->state = THREAD_STOPPED;
	step_set(false); /* it may have been dispatched for a step that its dead home can't make */
	/* Dispatchers whose home is dead end with it: one after the other would be one long stay.
	 */
	struct level *at = &cpu.level[thread->level];
	for (;; at--) {
		struct thread *below = at[-1].thread;
		if (activation_lives(activation_at(below, ACTIVATION_HOME)))
			break;
		below->state = THREAD_STOPPED;
	}
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
typedef uint32_t __attribute__((may_alias)) both_t;
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
	uint32_t level = signal(object_page(object_at(capability->word)),
				frame->word[1] & capability->badge_low);
	if (!level)
		return 0;
	account(&cpu.thread->consumed);
	thread_save(true);
	chain_cut(level, DISPATCH_EVENT);
	thread_run();
}

/* Lends the caller's time to a ready thread until a deadline or an event: enum dispatch_reason. */
uint32_t thread_dispatch(struct capability *capability, struct call_frame *frame)
{
	struct thread *thread = object_page(object_at(capability->word)), *self = cpu.thread;
	uint32_t options = frame->word[0] & ~0xFFu, mask = frame->word[1];
	uint64_t deadline = (uint64_t)frame->word[3] << 32 | frame->word[2];
	if (thread->state != THREAD_READY)
		return ERROR_STATE;
	if (!activation_may_wait())
		return ERROR_NOT_ALLOWED;
	if (cpu.depth == CHAIN_MAX)
		return ERROR_CHAIN;
	account(&self->consumed);
	uint32_t bits = events_take(self, mask);
	if (bits || deadline <= cpu.last || cpu.stepping) {
		uint32_t reason = bits           ? DISPATCH_EVENT
				  : cpu.stepping ? DISPATCH_CUT
						 : DISPATCH_DEADLINE;
		dispatch_answer(frame, reason, 0, bits);
		return 0;
	}
	thread_save(true);
	struct level *below = &cpu.level[cpu.depth - 1], *level = below + 1;
	bool first = deadline < below->deadline;
	level->thread = thread;
	level->mask = mask;
	level->options = options;
	level->deadline = first ? deadline : below->deadline;
	level->deadline_level = first ? cpu.depth : below->deadline_level;
	self->dispatch_start = work_time();
	thread->level = cpu.depth++;
	thread->state = THREAD_IN_CHAIN;
	step_set(options & DISPATCH_STEP);
	timer_arm(level->deadline);
	thread_run();
}

/* Until an event of the mask. Only the root thread has a deadline of its own: others ask whoever
 * dispatches them. Bits are cleared by returning them and in no other way. */
uint32_t self_wait(struct capability *self, struct call_frame *frame)
{
	struct thread *thread = cpu.thread;
	uint32_t mask = frame->word[1];
	uint64_t deadline = (uint64_t)frame->word[3] << 32 | frame->word[2];
	if (!activation_may_wait())
		return ERROR_NOT_ALLOWED;
	if (thread->level && deadline != DEADLINE_NEVER)
		return ERROR_ARGUMENT;
	account(&thread->consumed);
	uint32_t bits = events_take(thread, mask);
	frame->word[0] = bits;
	if (bits || deadline <= cpu.last)
		return 0;
	thread->wait_mask = mask;
	thread_save(true);
	thread->state = THREAD_WAITING;
	if (thread->level) {
		thread->notify = cpu.level[thread->level - 1].thread->self;
		thread->notify_bits =
			1u << (cpu.level[thread->level].options >> DISPATCH_BIT_SHIFT & 31);
		chain_cut(thread->level, DISPATCH_WAITING);
	} else {
		thread->notify.generation = GENERATION_NONE;
		cpu.level[0].deadline = deadline;
		timer_arm(deadline);
		cpu.depth = 0;
	}
	thread_run();
}

/* Idle, after an interrupt: the root thread goes on if it was woken. */
static void root_wake(bool deadline)
{
	struct thread *root = cpu.level[0].thread;
	if (deadline && root->state == THREAD_WAITING)
		root->state = THREAD_READY; /* its answer is 0 already */
	if (root->state != THREAD_READY)
		return;
	root->state = THREAD_IN_CHAIN;
	cpu.level[0].deadline = DEADLINE_NEVER;
	cpu.depth = 1;
	account_lost(&cpu.interrupts);
	thread_run();
}

static void interrupt_end(uint32_t level, uint32_t reason)
{
	if (level) {
		thread_save(false);
		chain_cut(level, reason);
		account_lost(&cpu.interrupts);
		thread_run();
	}
	account_lost(&cpu.interrupts);
}

static void interrupt_timer(void)
{
	struct level *running = &cpu.level[cpu.depth ? cpu.depth - 1 : 0];
	bool passed = running->deadline <= cpu.last;
	uint32_t level = running->deadline_level;
	cpu.armed = DEADLINE_NEVER;
	if (!cpu.depth && passed)
		root_wake(true);
	if (!passed)
		level = 0;
	timer_arm(level ? cpu.level[level - 1].deadline : running->deadline);
	interrupt_end(level, DISPATCH_DEADLINE);
}

/*
 * An interrupt line: masked until its handler acknowledges, so it costs everybody else at most one
 * such path until then. Line 0 is the timer.
 */
void interrupt(uint32_t line)
{
	if (cpu.depth)
		account(&cpu.thread->consumed);
	else
		account_lost(&cpu.idle);
	if (line == 0) {
		pic_end(line);
		interrupt_timer();
		return;
	}
	if (pic_is_spurious(line)) {
		interrupt_end(0, 0);
		return;
	}
	pic_mask(line);
	pic_end(line);
	uint32_t level = irq_signal(line);
	if (!cpu.depth)
		root_wake(false);
	interrupt_end(level, DISPATCH_EVENT);
}

/* The stepped thread has executed its instruction; its frame is a trap_frame. */
void step_done(void)
{
	account(&cpu.thread->consumed);
	thread_save(false);
	chain_cut(cpu.depth - 1, DISPATCH_STEPPED);
	thread_run();
}
