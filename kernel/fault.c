/* SPDX-License-Identifier: MIT */
/* Exceptions: the kernel's own stop the machine, a program's are delivered to it on its thread. */
#include "x86/x86.h"

/* Nobody handles it: forced return to the caller; at home, the thread stops. */
static _Noreturn void fault_forced(void)
{
	struct thread *thread = thread_running();
	thread_leave(0);
	if (!thread_pop(thread, 0, ERROR_CALLEE_FAULTED))
		thread_stop_running(thread, DISPATCH_FAULTED);
	thread_run();
}

/*
 * The record stays in the activation, so that the handler may call services; the handler gets
 * class, address and old EIP in registers and leaves by OPTION_RESUME. Until then a further fault
 * is a forced return.
 */
static void fault_deliver(struct trap_frame *frame)
{
	struct activation *activation = activation_running();
	uint32_t entry = cpu.running_domain->set[DOMAIN_FAULT_ENTRY];
	uint32_t class = FAULT_PROGRAM, address = 0;
	if (frame->vector == VECTOR_PAGE_FAULT) {
		class = FAULT_PAGING;
		address = page_fault_address();
	} else if (frame->vector >= SOFTWARE_INTERRUPT_FIRST) {
		class = FAULT_SOFTWARE;
		address = frame->vector;
	}
	class |= frame->vector << 8 | frame->error << 16;
	bool handling = !cpu.fast_limit && activation->flags & ACTIVATION_HANDLING;
	if (!handling) { /* what is reported is the first fault, not that of its handler */
		uint32_t *report = thread_running()->fault;
		report[0] = class;
		report[1] = address;
		report[2] = frame->eip;
		report[3] = cpu.running_domain->self.word;
	}
	if (handling || !entry)
		fault_forced();
	if (cpu.fast_limit) { /* a plain activation gets the fields of a special one */
		activation->flags = ACTIVATION_PLAIN;
		activation->window[0].entry = activation->window[1].entry = 0;
		cpu.fast_limit = 0;
	}
	activation->flags |= ACTIVATION_HANDLING;
	activation->record[RECORD_EAX] = frame->eax;
	activation->record[RECORD_ECX] = frame->ecx;
	activation->record[RECORD_EDX] = frame->edx;
	activation->record[RECORD_EIP] = frame->eip;
	activation->record[RECORD_EFLAGS] = (frame->eflags & FLAGS_USER) | FLAGS_START;
	activation->record[RECORD_ESP] = frame->esp;
	frame->eax = class;
	frame->ecx = address;
	frame->edx = frame->eip;
	frame->eip = entry;
	frame->eflags = FLAGS_START;
	frame->esp = (frame->esp & ~(PAGE_BYTES - 1)) == DATA_PAGE ? frame->esp & ~15u : DATA_STACK;
}

/* From user mode. Returning goes back to it with the frame as it then is. */
void trap(struct trap_frame *frame)
{
	uint32_t line = frame->vector - VECTOR_IRQ;
	if (line < IRQ_LINES)
		return interrupt(line);
	if (frame->vector != VECTOR_DEBUG || !cpu.stepping)
		fault_deliver(frame);
	if (cpu.stepping) /* also after a fault: gates clear TF, so the step ends here */
		step_done();
}

/* From the kernel: an interrupt while idle, or our own mistake. */
void trap_kernel(struct trap_frame *frame)
{
	if (cpu.depth || frame->vector - VECTOR_IRQ >= IRQ_LINES)
		panic("exception in the kernel", frame);
	interrupt(frame->vector - VECTOR_IRQ);
}

static struct activation *activation_handling(void)
{
	struct activation *activation = activation_running();
	return !cpu.fast_limit && activation->flags & ACTIVATION_HANDLING ? activation : NULL;
}

uint32_t self_record(struct capability *self, struct call_frame *frame)
{
	struct activation *activation = activation_handling();
	if (!activation)
		return ERROR_NO_RECORD;
	if (frame->word1 >= RECORD_FIELDS)
		return ERROR_ARGUMENT;
	frame->word0 = activation->record[frame->word1];
	return 0;
}

uint32_t self_record_set(struct capability *self, struct call_frame *frame)
{
	struct activation *activation = activation_handling();
	uint32_t field = frame->word1, value = frame->word2;
	if (!activation)
		return ERROR_NO_RECORD;
	if (field >= RECORD_FIELDS)
		return ERROR_ARGUMENT;
	activation->record[field] =
		field == RECORD_EFLAGS ? (value & FLAGS_USER) | FLAGS_START : value;
	return 0;
}
