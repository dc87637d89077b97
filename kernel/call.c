/* SPDX-License-Identifier: MIT */
/* Activations beyond what call.asm does itself: rare options, results, forced returns. */
#include "x86/x86.h"

/* The last check of a call with rare options; nothing fails after it. 0: no further data page. */
uint32_t call_options_rare(uint32_t options)
{
	struct thread *thread = thread_running();
	if (options & OPTION_MAY_WAIT && !activation_may_wait())
		options &= ~OPTION_MAY_WAIT;
	if (options & OPTION_NEXT_PAGE) {
		if (!thread->data[thread->data_number + 1])
			return 0;
		thread->data_number++;
		data_pages_load(thread);
	}
	return options | ACTIVATION_RARE;
}

void data_page_back(void)
{
	thread_running()->data_number--;
	data_pages_load(thread_running());
}

/*
 * Hands capabilities of the running domain to slots that its caller designated: byte i of `slots`
 * goes to designated slot i. All is checked before anything is written.
 */
uint32_t return_capabilities(uint32_t slots)
{
	struct activation *activation = activation_running(), *caller = activation + 1;
	struct domain *to = activation_domain(caller);
	if (!(activation->flags & OPTION_RESULTS))
		return ERROR_ARGUMENT;
	struct capability given[LENT_SLOTS];
	for (uint32_t i = 0; i < LENT_SLOTS; i++) {
		struct capability *from;
		uint32_t error = slot_from(slots >> i * 8 & 0xFF, &from);
		if (error)
			return error;
		given[i] = *from;
	}
	for (uint32_t i = 0; i < LENT_SLOTS && to; i++) {
		uint32_t slot = activation->results >> i * 8 & 0xFF;
		if (slots >> i * 8 & 0xFF && slot != SLOT_SELF && slot < LIST_SLOTS)
			to->list[slot] = given[i];
	}
	return 0;
}

/*
 * Forced return of a thread that does not run: its uppermost activation goes, all above `to`, and
 * every one below whose domain is dead (at most 16). The caller gets the error, and zeros in all
 * other registers. False: nothing is left, not even its home.
 */
bool thread_pop(struct thread *thread, uint32_t to, uint32_t error)
{
	while (thread->top != ACTIVATION_HOME) {
		struct activation *activation = activation_of(thread);
		if (!thread->fast_limit) {
			if (activation->flags & ACTIVATION_CONFIDENTIAL) /* it wrote to both */
				thread->data[thread->data_number] =
					thread->data[thread->data_number + 1] = 0;
			if (activation->flags & OPTION_NEXT_PAGE)
				thread->data_number--;
			if (!(activation->flags & ACTIVATION_CALLER_SPECIAL))
				thread->fast_limit = FAST_LIMIT;
		}
		thread->top += ACTIVATION_BYTES;
		if (thread->top < to)
			continue;
		if (activation_lives(activation_of(thread))) {
			struct call_frame *frame = call_frame_of(thread);
			frame->status = error; /* eip and esp are what its call left there */
			frame->word0 = frame->word1 = frame->word2 = frame->word3 = 0;
			thread->by_call = BY_CALL_INSIDE | (thread->by_call & BY_CALL_LENT);
			return true;
		}
		error = ERROR_CALLEE_DESTROYED;
	}
	return false;
}

/* A return whose caller's domain is dead, or from home. */
_Noreturn void return_unwind(void)
{
	thread_leave(BY_CALL_INSIDE);
	if (thread_pop(thread_running(), 0, ERROR_CALLEE_DESTROYED))
		thread_run();
	thread_stop_running(thread_running(), DISPATCH_ENDED);
}
