/* SPDX-License-Identifier: MIT */
/* How an ordinary C program begins and ends, and what time it is. */
#include "calls.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/times.h>

/*
 * Results are rounded to a double's 53 bits, not to the register's 64, as they are in memory: so a
 * number does not change when the compiler stores it. Otherwise as after FNINIT.
 */
#define FPU_CONTROL 0x027Fu

/* The same as fenv.h's FE_DFL_ENV, which newlib leaves to the system: an image of FSTENV with empty
 * registers, and MXCSR as after a reset. */
const uint32_t __fe_dfl_env[8] = {FPU_CONTROL, 0, 0xFFFF, 0, 0, 0, 0, 0x1F80};
const uint32_t *const _fe_dfl_env = __fe_dfl_env;

#define ARGUMENTS_MAX 32u

typedef void initialiser(void);
extern initialiser *const __init_array_start[], *const __init_array_end[];
int main(int argc, char **argv);

_Noreturn void process_main(void);
_Noreturn void process_main(void)
{
	static char arguments[sizeof(board->arguments)], *argument[ARGUMENTS_MAX + 1];
	uint16_t control = FPU_CONTROL;
	int count = 0;
	asm volatile("fldcw %0" : : "m"(control));
	memcpy(arguments, board->arguments, sizeof(arguments));
	for (char *at = arguments; count < (int)ARGUMENTS_MAX && count < (int)board->argument_count;
	     at += strlen(at) + 1)
		argument[count++] = at;
	for (initialiser *const *each = __init_array_start; each < __init_array_end; each++)
		(*each)();
	exit(main(count, argument));
}

/* A signal to the starter, which is the dispatcher: it does not lend this thread time again. */
void _exit(int status)
{
	for (;;) {
		uint32_t bits;
		kernel_signal(slot(PROCESS_STARTER), PROCESS_ENDED((uint32_t)status));
		kernel_wait(0, DEADLINE_NEVER, &bits);
	}
}

int _getpid(void)
{
	return 1;
}

/* A signal that nobody handles ends the process; there is no other to send one to. */
int _kill(int process, int signal)
{
	if (process == _getpid())
		_exit(128 + signal);
	errno = ESRCH;
	return -1;
}

/* There is no clock of the day for programs: since the counter began, with the machine. */
int _gettimeofday(struct timeval *now, void *zone)
{
	(void)zone;
	uint64_t microseconds = cycles() * 1000 / board->cycles_per_ms;
	now->tv_sec = (time_t)(microseconds / 1000000);
	now->tv_usec = (suseconds_t)(microseconds % 1000000);
	return 0;
}

/* Processor time: this thread's account, calls of services included. */
clock_t clock(void)
{
	struct words time;
	if (kernel_thread_read(slot(PROCESS_SELF), THREAD_FIELD_TIME, &time))
		return (clock_t)-1;
	return (clock_t)(((uint64_t)time.w[1] << 32 | time.w[0]) * 1000 / board->cycles_per_ms);
}

clock_t _times(struct tms *times)
{
	*times = (struct tms){.tms_utime = clock()};
	return (clock_t)(cycles() * 1000 / board->cycles_per_ms);
}
