/* SPDX-License-Identifier: MIT */
/*
 * The rollforward lock on two CPUs with store buffers (x86's total store order): a protocol for a
 * kernel that does not exist yet, so that today's is known not to be a dead end. What is other than
 * in section.pml: TAKE is a locked compare-and-exchange from 0 or from a mark; FINISH stores 0; the
 * kernel marks the owner that it stops inside (bit 0), and unmarks it when it goes on, unless the
 * lock was taken meanwhile: then it is LOST. Threads, operations, faults, checks as there.
 */
#define THREADS 3

#ifndef FAULTS
#define FAULTS 0 /* of thread 0; then there are two threads */

#endif
#define BUFFER 3 /* stores of a CPU that others don't see yet */

/* Memory. */
#define WORD_0      0
#define WORD_1      1
#define OWNER       2
#define COUNT       3
#define LOG_AT      4
#define LOG_VALUE   6
#define MEMORY      8

#define TAKE        1
#define START       2
#define ROLL        3
#define ROLL_LOAD   4
#define ROLL_STORE  5
#define ROLL_CLEAR  6
#define A_READ_0    7
#define A_READ_1    8
#define A_LOG_0     9
#define A_LOG_1     10
#define B_READ      11
#define B_LOG       12
#define B_COMMIT    13
#define COMMITTED   14
#define B_CLEAR     15
#define FINISH      16
#define A_COMMIT    17
#define A_LOAD_1    18
#define A_STORE_1   19
#define A_LOAD_0    20
#define A_STORE_0   21
#define A_CLEAR     22
#define END         23
#define LOST        23
#define HANDLER     24
#define OVER        25
#define TAKE_STORE  26 /* of BREAK_TAKE_UNLOCKED */

byte memory[MEMORY], wanted[2];
byte stores[2], store_at[2 * BUFFER], store_value[2 * BUFFER];
byte on[2]; /* thread + 1, or 0 */
byte level[THREADS], faults[THREADS];
byte pc[THREADS * 2], then[THREADS * 2], where[THREADS * 2], number[THREADS * 2];
bit happened[THREADS * 2];
byte loaded, i;

#define TAG(t)           (((t) + 1) * 2)
#define IN_RANGE(p)      ((p) >= START && (p) < END)
#define HAS_COMMITTED(p) ((p) >= COMMITTED && (p) != A_COMMIT)
#define HAS_ROOM(c)      (stores[c] < BUFFER - 1)

inline load(c, a)
{
	loaded = memory[a];
	i = 0;
	do
	:: i < stores[c] ->
		if
		:: store_at[c * BUFFER + i] == a -> loaded = store_value[c * BUFFER + i]
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 0
}
inline store(c, a, v)
{
	store_at[c * BUFFER + stores[c]] = a;
	store_value[c * BUFFER + stores[c]] = v;
	stores[c]++
}
/* The store number n of a buffer becomes visible. */
inline flush(c, n)
{
	memory[store_at[c * BUFFER + n]] = store_value[c * BUFFER + n];
	stores[c]--;
	i = n;
	do
	:: i < stores[c] ->
		store_at[c * BUFFER + i] = store_at[c * BUFFER + i + 1];
		store_value[c * BUFFER + i] = store_value[c * BUFFER + i + 1];
		i++
	:: else -> break
	od;
	store_at[c * BUFFER + i] = 0;
	store_value[c * BUFFER + i] = 0;
	i = 0
}

inline lose(f)
{
	where[f] = pc[f];
	pc[f] = LOST
}
inline commit(f)
{
	assert(!happened[f]);
	happened[f] = 1
}
inline again(f, prepare)
{
	pc[f] = TAKE;
	then[f] = prepare;
	happened[f] = 0;
	where[f] = 0;
	number[f] = 0
}

/* The kernel marks the owner that leaves the CPU, or goes into a handler; it is entered with an
 * empty store buffer, for its own locked instruction waits for that. */
inline mark(t, f)
{
#ifndef BREAK_NO_MARK
	if
	:: IN_RANGE(pc[f]) && memory[OWNER] == TAG(t) -> memory[OWNER] = TAG(t) + 1
	:: else
	fi;
#endif
	assert(memory[OWNER] != TAG(t)) /* else nobody could take it */
}
inline stop(c, t, f)
{
	mark(t, f);
	on[c] = 0
}
inline dispatch(c, t, f)
{
	on[c] = t + 1;
#ifndef BREAK_NO_REDIRECT
	if
	:: IN_RANGE(pc[f]) ->
		if
		:: memory[OWNER] == TAG(t) + 1 -> memory[OWNER] = TAG(t)
		:: else -> lose(f)
		fi
	:: else
	fi
#endif
}

inline read(c, f, a, next)
{
	load(c, a);
	assert(loaded == wanted[a]);
	number[f] = loaded;
	pc[f] = next
}
inline write(c, f, a, v, next)
{
	store(c, a, v);
	pc[f] = next
}
/* (Two stores at once: the log is nobody else's, and there are enough states as it is.) */
inline log(c, f, a, v, next)
{
	store(c, LOG_AT + a, a);
	write(c, f, LOG_VALUE + a, v, next)
}

inline step(c, t, f)
{
	if
	:: pc[f] == TAKE ->
#if defined(BREAK_PLAIN_TAKE) /* as on one CPU */
		write(c, f, OWNER, TAG(t), START)
#elif defined(BREAK_TAKE_UNLOCKED)
		load(c, OWNER);
		pc[f] = (!loaded || loaded & 1 -> TAKE_STORE : TAKE)
	:: pc[f] == TAKE_STORE -> write(c, f, OWNER, TAG(t), START)
#else
		if
		:: !stores[c] && (!memory[OWNER] || memory[OWNER] & 1) ->
			memory[OWNER] = TAG(t);
			pc[f] = START
		:: else
		fi
#endif
	:: pc[f] == START ->
		load(c, COUNT);
		pc[f] = (loaded -> ROLL : then[f])
	:: pc[f] == ROLL -> load(c, COUNT); where[f] = loaded; pc[f] = ROLL_LOAD
	:: pc[f] == ROLL_LOAD ->
		load(c, LOG_VALUE + where[f] - 1);
		number[f] = loaded;
		pc[f] = ROLL_STORE
	:: pc[f] == ROLL_STORE ->
		load(c, LOG_AT + where[f] - 1);
		store(c, loaded, number[f]);
		where[f]--;
		pc[f] = (where[f] -> ROLL_LOAD : ROLL_CLEAR)
	:: pc[f] == ROLL_CLEAR -> number[f] = 0; write(c, f, COUNT, 0, then[f])

	:: pc[f] == A_READ_0 -> read(c, f, WORD_0, A_READ_1); where[f] = number[f]
	:: pc[f] == A_READ_1 -> read(c, f, WORD_1, A_LOG_0)
	:: pc[f] == A_LOG_0 -> log(c, f, 0, where[f] + 1, A_LOG_1); where[f] = 0
	:: pc[f] == A_LOG_1 -> log(c, f, 1, number[f] + 1, A_COMMIT); number[f] = 0
	:: pc[f] == A_COMMIT ->
		commit(f);
		wanted[0]++;
		wanted[1]++;
		write(c, f, COUNT, 2, A_LOAD_1)
	:: pc[f] == A_LOAD_1 ->
		load(c, LOG_VALUE + 1);
		number[f] = loaded;
		pc[f] = A_STORE_1
	:: pc[f] == A_STORE_1 -> load(c, LOG_AT + 1); write(c, f, loaded, number[f], A_LOAD_0)
	:: pc[f] == A_LOAD_0 ->
		load(c, LOG_VALUE);
		number[f] = loaded;
		pc[f] = A_STORE_0
	:: pc[f] == A_STORE_0 ->
		load(c, LOG_AT);
		write(c, f, loaded, number[f], A_CLEAR);
		number[f] = 0
	:: pc[f] == A_CLEAR -> write(c, f, COUNT, 0, FINISH)

	:: pc[f] == B_READ -> read(c, f, WORD_1, B_LOG); number[f]++
	:: pc[f] == B_LOG ->
		store(c, LOG_AT, WORD_1);
		write(c, f, LOG_VALUE, number[f], B_COMMIT)
	:: pc[f] == B_COMMIT -> commit(f); wanted[1]++; write(c, f, COUNT, 1, COMMITTED)
	:: pc[f] == COMMITTED -> write(c, f, WORD_1, number[f], B_CLEAR); number[f] = 0
#ifdef BREAK_RELEASED_BEFORE_CLEARED
	:: pc[f] == B_CLEAR -> write(c, f, OWNER, 0, FINISH)
	:: pc[f] == FINISH ->
		assert(happened[f]);
		write(c, f, COUNT, 0, OVER);
#else
	:: pc[f] == B_CLEAR -> write(c, f, COUNT, 0, FINISH)
	:: pc[f] == FINISH ->
		assert(happened[f]);
#ifdef BREAK_OWNER_NOT_CLEARED /* as on one CPU */
		pc[f] = OVER;
#else
		write(c, f, OWNER, 0, OVER);
#endif
#endif
		where[f] = 0;
		if
		:: level[t] -> pc[f] = HANDLER
		:: else
		fi
	:: pc[f] == LOST ->
		then[f] = (HAS_COMMITTED(where[f]) -> FINISH : then[f]);
		where[f] = 0;
		number[f] = 0;
		pc[f] = TAKE
	:: pc[f] == HANDLER ->
		pc[f] = 0;
		then[f] = 0;
		happened[f] = 0;
		level[t] = 0;
#ifndef BREAK_RESUME_WHERE_IT_WAS
		lose(t * 2)
#endif
	fi;
	loaded = 0
}
inline fault(t, prepare)
{
	faults[t]--;
	mark(t, t * 2);
	level[t] = 1;
	again(t * 2 + 1, prepare);
	pc[t * 2 + 1] = (prepare -> TAKE : HANDLER)
}

#define RUNS(c)      (on[c] && pc[(on[c] - 1) * 2] != OVER)
#define RUNNING(c)   (on[c] - 1)
#define OF(t)        ((t) * 2 + level[t])
#define CAN_RUN(c, t) (!on[c] && on[1 - c] != (t) + 1 && pc[(t) * 2] != OVER)
#define CAN_FAULT(c) (on[c] == 1 && !level[0] && faults[0] && IN_RANGE(pc[0]) && !stores[c])
#ifdef BREAK_STOP_BEFORE_STORED
#define CAN_STOP(c) (on[c])
#else
#define CAN_STOP(c) (on[c] && !stores[c])
#endif
#ifdef BREAK_STORES_UNORDERED
#define CAN_PASS(c) (stores[c] > 1 && store_at[c * BUFFER] != store_at[c * BUFFER + 1])
#else
#define CAN_PASS(c) false
#endif

active proctype machine()
{
	d_step {
		faults[0] = FAULTS;
		again(0, A_READ_0);
		again(2, B_READ);
		again(4, B_READ);
		pc[4] = (FAULTS -> OVER : TAKE)
	}
	do
	:: d_step { RUNS(0) && HAS_ROOM(0) -> step(0, RUNNING(0), OF(RUNNING(0))) }
	:: d_step { RUNS(1) && HAS_ROOM(1) -> step(1, RUNNING(1), OF(RUNNING(1))) }
	:: d_step { stores[0] -> flush(0, 0) }
	:: d_step { stores[1] -> flush(1, 0) }
	:: d_step { CAN_PASS(0) -> flush(0, 1) }
	:: d_step { CAN_PASS(1) -> flush(1, 1) }
	:: d_step { CAN_STOP(0) -> stop(0, RUNNING(0), OF(RUNNING(0))) }
	:: d_step { CAN_STOP(1) -> stop(1, RUNNING(1), OF(RUNNING(1))) }
	:: d_step { CAN_RUN(0, 0) -> dispatch(0, 0, OF(0)) }
	:: d_step { CAN_RUN(0, 1) -> dispatch(0, 1, OF(1)) }
	:: d_step { CAN_RUN(0, 2) -> dispatch(0, 2, OF(2)) }
	:: d_step { CAN_RUN(1, 0) -> dispatch(1, 0, OF(0)) }
	:: d_step { CAN_RUN(1, 1) -> dispatch(1, 1, OF(1)) }
	:: d_step { CAN_RUN(1, 2) -> dispatch(1, 2, OF(2)) }
	:: d_step { CAN_FAULT(0) -> fault(0, B_READ) }
	:: d_step { CAN_FAULT(1) -> fault(0, B_READ) }
	:: d_step { CAN_FAULT(0) -> fault(0, 0) }
	:: d_step { CAN_FAULT(1) -> fault(0, 0) }
	:: pc[0] == OVER && pc[2] == OVER && pc[4] == OVER && !stores[0] && !stores[1] -> break
	od;
	assert(memory[WORD_0] == wanted[0] && memory[WORD_1] == wanted[1] && !memory[OWNER])
}
