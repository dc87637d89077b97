/* SPDX-License-Identifier: MIT */
/*
 * The rollforward lock on one CPU (libs/lock/lock.asm, and what the kernel does for it): threads
 * that are preempted before any instruction and dispatched in any order, or never again, which is
 * what being killed, aborted or frozen is to the others. Two operations share a word: A adds one
 * to words 0 and 1 by section_commit, or in thread 0, if TWO, by section_commit_two; B to word 1 by
 * section_commit_word. A thread may fault anywhere inside; its handler may run a section (B) of its
 * own on the same thread, and resumes.
 *
 * Checked: whoever prepares finds every committed section's effect, wholly; whoever leaves has
 * committed exactly once. BREAK_... break the protocol: each must be found (tests/models/run).
 */
#define THREADS 3
#ifndef FAULTS
#define FAULTS 0 /* of thread 0; then there are two threads: three would be too much to search */
#endif
#ifndef TWO
#define TWO 1
#endif
#define FRAME   (t * 2 + level[t]) /* of the thread itself, and of its fault handler */

/* Instructions, in the order of their addresses. */
#define TAKE        1
#define START       2 /* from here on in the range */
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
#define COMMITTED   14 /* B stores its word */
#define B_CLEAR     15
#define FINISH      16
#define TWO_COMMIT  17 /* the first value is in a register */
#define TWO_STORE_0 18
#define TWO_LOAD_1  19
#define TWO_STORE_1 20
#define TWO_CLEAR   21
#define A_COMMIT    22
#define A_LOAD_1    23
#define A_STORE_1   24
#define A_LOAD_0    25
#define A_STORE_0   26
#define A_CLEAR     27
#define END         28
#define LOST        28 /* the end of the range */
#define HANDLER     29 /* its section is over, or it has none */
#define OVER        30

byte word[2], wanted[2];       /* wanted: with all that has been committed */
byte owner, count, at[2], value[2]; /* the lock page */
byte running;
byte level[THREADS], faults[THREADS], rounds[THREADS];
byte pc[THREADS * 2], then[THREADS * 2], where[THREADS * 2], number[THREADS * 2];
byte happened[THREADS * 2];
byte first[THREADS];           /* the prepare of each thread's operation */

#ifdef BREAK_GAP_AFTER_TAKE
#define RANGE ROLL             /* START is one instruction too late */
#else
#define RANGE START
#endif
#define IN_RANGE(p) ((p) >= RANGE && (p) < END)

#ifdef BREAK_SAME_TAG
#define TAG(t) 1
#else
#define TAG(t) ((t) + 1)
#endif

/* Has it happened, by where it stood? */
#if defined(BREAK_RESTART_ALL)
#define HAS_COMMITTED(p) false
#elif defined(BREAK_FINISH_ALL)
#define HAS_COMMITTED(p) true
#elif defined(BREAK_SECOND_COMMIT_FORGOTTEN)
#define HAS_COMMITTED(p) ((p) >= COMMITTED)
#elif defined(BREAK_COMMIT_OF_TWO_FORGOTTEN)
#define HAS_COMMITTED(p) ((p) >= COMMITTED && (p) != A_COMMIT)
#elif defined(BREAK_GAP_AFTER_COMMIT)
#define HAS_COMMITTED(p) ((p) > COMMITTED && (p) != TWO_COMMIT && (p) != A_COMMIT)
#else
#define HAS_COMMITTED(p) ((p) >= COMMITTED && (p) != TWO_COMMIT && (p) != A_COMMIT)
#endif

inline lose(f)
{
	where[f] = pc[f]; /* EAX */
	pc[f] = LOST
}

/* The kernel, when a preempted thread goes on. */
inline dispatch(t)
{
	running = t;
#ifndef BREAK_NO_REDIRECT
	if
	:: IN_RANGE(pc[FRAME]) && owner != TAG(t) -> lose(FRAME)
	:: else
	fi
#endif
}

inline commit(f)
{
	happened[f]++;
	assert(happened[f] == 1)
}

/* Nobody else's section is half done while this one looks. */
inline look()
{
	assert(word[0] == wanted[0] && word[1] == wanted[1])
}

inline again(t, f, prepare)
{
	pc[f] = TAKE;
	then[f] = prepare;
	happened[f] = 0;
	where[f] = 0;
	number[f] = 0
}

/* One instruction of thread t, in its frame f. */
inline step(t, f)
{
	if
	:: pc[f] == TAKE -> owner = TAG(t); pc[f] = START
	:: pc[f] == START ->
#ifdef BREAK_NO_ROLL
		pc[f] = then[f]
#else
		if
		:: count -> pc[f] = ROLL
		:: else -> pc[f] = then[f]
		fi
#endif
	:: pc[f] == ROLL -> where[f] = count; pc[f] = ROLL_LOAD
	:: pc[f] == ROLL_LOAD -> number[f] = value[where[f] - 1]; pc[f] = ROLL_STORE
	:: pc[f] == ROLL_STORE ->
		word[at[where[f] - 1]] = number[f];
		where[f]--;
#ifdef BREAK_ROLL_ONE_SHORT
		pc[f] = (where[f] > 1 -> ROLL_LOAD : ROLL_CLEAR)
#else
		pc[f] = (where[f] -> ROLL_LOAD : ROLL_CLEAR)
#endif
	:: pc[f] == ROLL_CLEAR ->
		where[f] = 0;
		number[f] = 0;
#ifndef BREAK_ROLL_NOT_CLEARED
		count = 0;
#endif
		pc[f] = then[f]

	:: pc[f] == A_READ_0 -> look(); where[f] = word[0]; pc[f] = A_READ_1
	:: pc[f] == A_READ_1 -> look(); number[f] = word[1]; pc[f] = A_LOG_0
	:: pc[f] == A_LOG_0 -> at[0] = 0; value[0] = where[f] + 1; pc[f] = A_LOG_1
	:: pc[f] == A_LOG_1 ->
#ifndef BREAK_LOG_AFTER_COMMIT
		at[1] = 1; value[1] = number[f] + 1;
#endif
#ifndef BREAK_LOG_AFTER_COMMIT
		number[f] = 0;
#endif
		if
		:: TWO && t == 0 -> number[f] = where[f] + 1; pc[f] = TWO_COMMIT
		:: else -> pc[f] = A_COMMIT
		fi;
		where[f] = 0
	:: pc[f] == TWO_COMMIT ->
		commit(f);
		wanted[0]++;
		wanted[1]++;
#ifdef BREAK_TWO_COUNTS_ONE
		count = 1;
#else
		count = 2;
#endif
		pc[f] = TWO_STORE_0
	:: pc[f] == TWO_STORE_0 -> word[0] = number[f]; pc[f] = TWO_LOAD_1
	:: pc[f] == TWO_LOAD_1 -> number[f] = value[1]; pc[f] = TWO_STORE_1
	:: pc[f] == TWO_STORE_1 ->
#ifndef BREAK_TWO_STORES_ONE
		word[1] = number[f];
#endif
		number[f] = 0;
		pc[f] = TWO_CLEAR
	:: pc[f] == TWO_CLEAR -> count = 0; pc[f] = FINISH

	:: pc[f] == A_COMMIT ->
		commit(f);
		wanted[0]++;
		wanted[1]++;
		count = 2;
		pc[f] = A_LOAD_1
	:: pc[f] == A_LOAD_1 ->
#ifdef BREAK_LOG_AFTER_COMMIT
		at[1] = 1; value[1] = number[f] + 1;
#endif
		number[f] = value[1]; pc[f] = A_STORE_1
	:: pc[f] == A_STORE_1 -> word[at[1]] = number[f]; pc[f] = A_LOAD_0
	:: pc[f] == A_LOAD_0 -> number[f] = value[0]; pc[f] = A_STORE_0
	:: pc[f] == A_STORE_0 -> word[at[0]] = number[f]; number[f] = 0; pc[f] = A_CLEAR
	:: pc[f] == A_CLEAR -> count = 0; pc[f] = FINISH

	:: pc[f] == B_READ -> look(); number[f] = word[1] + 1; pc[f] = B_LOG
	:: pc[f] == B_LOG -> at[0] = 1; value[0] = number[f]; pc[f] = B_COMMIT
	:: pc[f] == B_COMMIT -> commit(f); wanted[1]++; count = 1; pc[f] = COMMITTED
	:: pc[f] == COMMITTED -> word[1] = number[f]; number[f] = 0; pc[f] = B_CLEAR
	:: pc[f] == B_CLEAR -> count = 0; pc[f] = FINISH

	:: pc[f] == FINISH ->
		assert(happened[f] == 1);
		where[f] = 0;
		if
		:: level[t] -> pc[f] = HANDLER
		:: else ->
			rounds[t]--;
			if
			:: rounds[t] -> again(t, f, first[t])
			:: else -> pc[f] = OVER
			fi
		fi
	:: pc[f] == LOST ->
		if
		:: HAS_COMMITTED(where[f]) -> then[f] = FINISH
		:: else
		fi;
		where[f] = 0;
		number[f] = 0;
		pc[f] = TAKE
	:: pc[f] == HANDLER -> /* resume: where the fault was, or LOST */
		pc[f] = 0;
		then[f] = 0;
		happened[f] = 0;
		level[t] = 0;
#ifdef BREAK_RESUME_WHERE_IT_WAS
		if
		:: IN_RANGE(pc[t * 2]) && owner != TAG(t) -> lose(t * 2)
		:: else
		fi
#else
		lose(t * 2)
#endif
	fi
}

/* The fault's handler runs a section of its own, or none. */
inline fault(t, prepare)
{
	faults[t]--;
	level[t] = 1;
	again(t, t * 2 + 1, prepare);
	pc[t * 2 + 1] = (prepare -> TAKE : HANDLER)
}
#define CAN_FAULT(t) (running == t && !level[t] && faults[t] && pc[t * 2] >= START && \
		      pc[t * 2] < END)
#define IS_OVER(t)   (pc[t * 2] == OVER)
#define CAN_STEP(t)  (running == t && !IS_OVER(t))
#define CAN_RUN(t)   (running != t && !IS_OVER(t))

active proctype machine()
{
	d_step {
		first[0] = A_READ_0; rounds[0] = 1; faults[0] = FAULTS;
		first[1] = B_READ; rounds[1] = 2;
		first[2] = A_READ_0; rounds[2] = 1;
		again(0, 0, first[0]);
		again(1, 2, first[1]);
		again(2, 4, first[2]);
		pc[4] = (FAULTS -> OVER : TAKE)
	}
	do
	:: d_step { CAN_STEP(0) -> step(0, level[0]) }
	:: d_step { CAN_STEP(1) -> step(1, 2 + level[1]) }
	:: d_step { CAN_STEP(2) -> step(2, 4 + level[2]) }
	:: d_step { CAN_RUN(0) -> dispatch(0) }
	:: d_step { CAN_RUN(1) -> dispatch(1) }
	:: d_step { CAN_RUN(2) -> dispatch(2) }
	:: d_step { CAN_FAULT(0) -> fault(0, B_READ) }
	:: d_step { CAN_FAULT(0) -> fault(0, 0) }
	:: IS_OVER(0) && IS_OVER(1) && IS_OVER(2) -> break
	od;
	look()
}
