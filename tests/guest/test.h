/* SPDX-License-Identifier: MIT */
/*
 * In-guest tests: the selftest program is a root program, each TEST registers itself and runs on
 * the real kernel; the result is TAP on the serial line. A test gives back all that it takes:
 * frames and slots are counted before and after.
 *
 * Other domains share the program's image, so a test's "service" is a C function of the same file:
 * the badge of the door is its address (peer.asm). Globals are shared between all such domains.
 */
#ifndef NOUS_TEST_H
#define NOUS_TEST_H

#include "root.h"
#include "serial/serial.h"

struct test {
	const char *name;
	void (*run)(void);
};
#define TEST(name)                                                        \
	static void name(void);                                           \
	static const struct test name##_entry                             \
		__attribute__((section(".tests"), used)) = {#name, name}; \
	static void name(void)

/* Ends nothing: the first failure of a test is printed, the test goes on. */
#define CHECK(condition) test_check(!!(condition), __FILE__, __LINE__, #condition, 0, 0)
#define CHECK_EQUAL(got, wanted)                                                           \
	do {                                                                               \
		uint64_t got_ = (got), wanted_ = (wanted);                                 \
		test_check(got_ == wanted_, __FILE__, __LINE__, #got " == " #wanted, got_, \
			   wanted_);                                                       \
	} while (0)
void test_check(_Bool ok, const char *file, uint32_t line, const char *what, uint64_t got,
		uint64_t wanted);
void test_note(const char *how, ...) __attribute__((format(printf, 1, 2))); /* a `# ` line */
void test_skip(const char *why); /* what was checked holds, but it can't be all on this machine */
/* The command line says sweep=all: long sweeps stop at every instruction, else at some. */
_Bool sweeps_all(void);
#define COUNTER_IS_NOT_EXACT "the counter does not count instructions here"

/* ---- time
 * -------------------------------------------------------------------------------------------- */
/* A tick of the counter is an instruction: measured by instructions that take many cycles. */
extern _Bool time_is_exact;
/*
 * Cycles, more than any client needs to begin: so it is where time is exact. In real time nobody
 * can say how many those are, and a machine may stand still for a while. So a test that finds its
 * clients overtaken by their deadline tries again, with twice as many, up to 0.2 s:
 *	do {...} while (try_longer(overtaken));
 * The checks that come after that hold on every machine. Each test begins with SOON_AT_FIRST.
 */
#define SOON_AT_FIRST 20000u
extern uint64_t soon;
_Bool try_longer(_Bool overtaken);

/* ---- peers: domains with the program's own image
 * -------------------------------------------------- */
/* operation, a, b: ESI, EDI, EBX of the call; the answer as in service.h */
typedef uint64_t __attribute__((regparm(3)))
peer_function(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high);
#define PEER OPERATION static uint64_t
void peer_entry(void);
void peer_make(struct domain *domain, const char *name);
/* A door slot of the root's list that enters `domain` in `function`. */
uint32_t peer_door(struct domain *domain, peer_function *function);

/* ---- clients: threads
 * ---------------------------------------------------------------------------------- */
typedef void client_function(uint32_t argument);
#define CLIENT_STACK_BYTES 8192u
struct client {
	struct thread thread;
	uint8_t stack[CLIENT_STACK_BYTES] __attribute__((aligned(16)));
};
/* A thread in `home` (a peer or &root_domain) that will run function(argument), ready but not run.
 */
void client_make(struct client *client, struct domain *home, client_function *function,
		 uint32_t argument);
void client_restart(struct client *client, client_function *function, uint32_t argument);
void client_end(struct client *client);
/* Dispatches once: until the deadline in cycles from now (0: none). */
struct dispatch_result client_dispatch(struct client *client, uint32_t mask,
				       uint64_t cycles_from_now, uint32_t options);
/* Exactly one instruction (or one kernel entry). */
struct dispatch_result client_step(struct client *client);
/* As long as it wants; checks that it ended by itself. */
void client_run(struct client *client);

/* ---- accounts
 * ------------------------------------------------------------------------------------------- */
uint64_t account_of(uint32_t account);
uint64_t time_of(uint32_t slot_number); /* what a thread has consumed */
/*
 * What the accounts lack to the time elapsed: a constant, namely what threads that are no more had
 * consumed. The root thread's account grows while it reads, so the constant is only known to lie in
 * a range; but where time is exact, that is the same each time (is_exact).
 */
struct gap {
	uint64_t least, most;
	_Bool is_exact;
};
struct gap gap_begin(uint64_t of_clients); /* all threads but the root's */
void gap_check(struct gap begin, uint64_t of_clients);

/* ---- the clock, a device that interrupts 1,024 times a second: irq_test.c
 * ---------------------------------------------------------------- */
void clock_begin(void);
void clock_again(void); /* what it has to say is heard, and it may interrupt again */
void clock_end(void);

/* ---- attempts: operations that are refused
 * --------------------------------------------------------------- */
/* REFUSED(error, target, word 0, 1, 2, 3): that error, the four words as before, and root's list,
 * the lists and states of all peers and clients, and the object table exactly as before. */
#define REFUSED(error, target, ...) \
	test_refused(__FILE__, __LINE__, error, target, (struct words){{__VA_ARGS__}})
void test_refused(const char *file, uint32_t line, uint32_t error, uint32_t target,
		  struct words words);
void world_watch(uint32_t slot_number); /* a peer or a client: done by peer_make and client_make */
void world_forget(void);

/* The same invoked by a peer, through a door to peer_attempt, with what the call lends. */
struct attempt_door {
	uint32_t door, options, lend;
};
#define ATTEMPT_NEVER_MADE 0xDEADu
#define REFUSED_THERE(at, error, target, ...) \
	test_refused_there(__FILE__, __LINE__, at, error, target, (struct words){{__VA_ARGS__}})
void test_refused_there(const char *file, uint32_t line, struct attempt_door at, uint32_t error,
			uint32_t target, struct words words);
uint64_t OPERATION peer_attempt(uint32_t operation, uint32_t a, uint32_t b, uint32_t badge_high);
uint32_t peer_invoke(struct attempt_door at, uint32_t target, struct words *words);

/* One living capability of each kind, by enum capability_kind; [CAPABILITY_EMPTY] is an empty slot.
 */
struct zoo {
	struct domain peer;
	struct object page, bitmap;
	uint32_t slot[CAPABILITY_KINDS];
};
void zoo_make(struct zoo *zoo);
void zoo_end(struct zoo *zoo);

#endif
