/* SPDX-License-Identifier: MIT */
/*
 * The kernel's objects and who does what. Read in this order: this file, call.asm (the two system
 * calls), call.c (activations), dispatch.c, fault.c, then the operations: capability.c, thread.c,
 * domain.c, authority.c, irq.c. What Intel defines is in x86/.
 *
 * Rule R1: whatever is kept longer than one stay in the kernel is (object index, generation) and
 * compared at each use. Pointers live in struct cpu only, and whoever destroys what they lead to
 * clears them (authority_destroy).
 */
#ifndef NOUS_KERNEL_H
#define NOUS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "operations.h"

/* ---- object table ---------------------------------------------------------------------------- */
/*
 * One entry per low frame. page: the object's page as a kernel address (4 KiB aligned), its
 * enum object_kind in bits 3..0; 0: no object. A domain's kind is 0, so its word is its address.
 * Generations only grow, and stop at GENERATION_TOP: such a frame never holds an object again.
 */
struct object {
	uint32_t generation;
	uint32_t page;
};
#define OBJECT_ATTACHED  0x10u /* in page: the page belongs to a thread or a domain already */
#define OBJECT_KIND_MASK 0xFu
#define GENERATION_NONE  0xFFFFFFFFu
extern struct object object_table[OBJECTS_MAX];

/* A reference that outlives a stay in the kernel: word is index * 8. All zero: none, for frame 0 is
 * the kernel's own and its entry has no page. */
struct reference {
	uint32_t word, generation;
};

struct capability {
	uint32_t word; /* kind, rights, object index: see abi.h */
	uint32_t generation;
	uint32_t badge_low, badge_high;
};
_Static_assert(sizeof(struct capability) == 16, "lists are indexed by shifting (call.asm)");

/* ---- domain: control page -------------------------------------------------------------------- */
struct domain {
	struct capability list[LIST_SLOTS];
	uint32_t directory; /* physical: CR3. Window entries are 0 unless it runs with them */
	uint32_t set[DOMAIN_FIELDS]; /* entry, fault entry, rollforward section: user addresses */
	struct reference self;
	struct reference bank[BANK_PAGES]; /* capability pages */
	struct reference lock;             /* lock page of the rollforward section */
	struct reference bitmap;
	uint32_t confidential;
};
_Static_assert(sizeof(struct domain) <= PAGE_BYTES, "a domain's control page is one page");

/* ---- thread: control page -------------------------------------------------------------------- */
/*
 * An activation: one call that the thread is lent to. The kernel's stack pointer stands on the
 * running one (TSS.esp0); what a fast call writes is domain, generation, eip and esp, all else is
 * valid only while fast_limit is 0 ("special"). A callee of a special activation is special, so a
 * fast one never has windows, lent slots or a fault record to care for.
 */
struct activation {
	uint32_t domain, generation; /* word as in a door capability */
	uint32_t results;            /* four designated slots of the caller, a byte each */
	uint32_t flags;
	struct {
		uint32_t generation, entry; /* of the page table; directory entry or 0 */
	} window[2]; /* [0] is window 1, [1] window 0: the order of the pushes */
	struct capability lent[LENT_SLOTS]; /* slot 3 first */
	uint32_t record[RECORD_FIELDS];     /* registers at the fault that is being handled */
	uint32_t caller_eip, caller_esp;
};
#define ACTIVATION_BYTES 128u
_Static_assert(sizeof(struct activation) == ACTIVATION_BYTES, "call.asm steps by this");
/* flags: the call's options in bits 15..8, and these */
#define ACTIVATION_CALLER_SPECIAL 1u
#define ACTIVATION_HANDLING       2u    /* its fault handler runs; record is valid */
#define ACTIVATION_CONFIDENTIAL   4u    /* on a forced return the data page goes */
#define ACTIVATION_PLAIN          8u    /* special only because of HANDLING */
#define ACTIVATION_SCRATCH        0x10u /* its lent slots are the callee's: slot_result() */
#define ACTIVATION_RARE           0x80u /* call_options_rare() answers 0 for an error only */
/*
 * The home activation ends 8 bytes below the page's end; above it stands a pair that no domain
 * matches, so a return from home finds no caller without a test of its own. The sixteenth
 * activation begins at 0x7F8: bit 11 of the stack pointer tells whether there is room.
 */
#define ACTIVATION_HOME (PAGE_BYTES - 8u - ACTIVATION_BYTES)
#define HOME_ORDINARY   0xFFFFFFFFu /* the generation of that pair ... */
#define HOME_DISPATCHES 0xFFFFFFFEu /* ... while its dispatcher is not at home, or it has none */
#define FAST_LIMIT      LIST_SLOTS

/* What an interrupt or a trap leaves below the running activation. */
struct trap_frame {
	uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
	uint32_t vector, error;
	uint32_t eip, cs, eflags, esp, ss;
};
/* What a system call leaves there, and what a thread behind one goes on with: PUSHA's order. */
struct call_frame {
	uint32_t word1, word0, word3, unused, word2, unused_2[2];
	uint32_t status;
	uint32_t eip, esp;
};

/*
 * Invariants: state IN_CHAIN if and only if cpu.level[level].thread is this one. A thread that does
 * not run has its frame below top: a call_frame if `by_call`, else a trap_frame.
 */
#define BY_CALL_INSIDE 1u  /* somewhere in a service, or special */
#define BY_CALL_HOME   2u  /* at home, not special: the switch's fast path */
#define BY_CALL_WOKEN  4u  /* and: its wait is over, the bits are still to be fetched */
#define BY_CALL_CUT    8u  /* and: its dispatch was cut at dispatch_end */
#define BY_CALL_LENT   16u /* and: `consumed` is still as when it ran, until dispatch_start */
#define BY_CALL_RUNNING \
	(BY_CALL_HOME | BY_CALL_LENT) /* while it runs: if it dispatches, it is so */
struct thread {
	struct reference self; /* word is the tag in TAG_PAGE */
	/* The next three tell where it goes on. While it runs, they are HOME's, BY_CALL_RUNNING. */
	uint32_t top;        /* offset of the running activation */
	uint32_t fast_limit; /* FAST_LIMIT, or 0 when the activation is special */
	uint16_t state;      /* enum thread_state */
	uint16_t by_call;    /* 0, or BY_CALL_...; beside state for one comparison (switch.asm) */
	uint32_t level;
	uint32_t events, wait_mask;
	struct reference notify; /* who is told of a wake-up, set when it waits ... */
	uint32_t notify_bits;    /* ... and by which bit, set when it is dispatched: ... */
	uint32_t dispatch_word;  /* ... as word 0 of that said */
	uint32_t data_number;    /* of the current data page */
	uint64_t dispatch_start, dispatch_end; /* working time (struct cpu) of what it dispatched */
	/* Cycles, kernel included, interrupts excluded; while it runs, less the working time. */
	uint64_t consumed;
	uint32_t fault[4]; /* why it stopped: class, address, EIP, domain word */
	/*
	 * Entries of window_table for the data pages, 0: none (the last one stays so). A data page
	 * belongs to one thread, and its object table entry names it; destroying the page clears
	 * the entry here, so this is the one reference that is not compared at each use (R1).
	 */
	uint32_t data[DATA_PAGES_MAX + 1];
	uint32_t fpu[128] __attribute__((aligned(512)));
};
_Static_assert(offsetof(struct thread, fpu) == 512, "FXSAVE needs 16; the stack needs the rest");

/* ---- per CPU --------------------------------------------------------------------------------- */
/* One dispatch: of a thread, by the thread of the level below. Level 0 is the root thread. */
struct level {
	struct activation *home; /* the thread's: switch.asm has more use for it */
	uint32_t mask;           /* events of the dispatcher that end it */
};
struct cpu {
	uint32_t fast_limit; /* of the running activation; call.asm compares slots with it */
	struct domain *running_domain; /* whose directory is loaded */
	struct capability *callee;     /* call.asm: the door being entered */
	struct capability plain_door;  /* call.asm: a confidential door without its mark */
	uint32_t depth;                /* levels in use; 0: idle */
	uint32_t data_segment;         /* USER_DATA; LDS takes both */
	uint32_t depth_limit;          /* CHAIN_MAX, or 0: switch.asm must not dispatch */
	uint32_t stepping;      /* the running thread was dispatched for one instruction; ... */
	struct thread *stepped; /* ... STEP_OVER: this one left the CPU in the present stay */
	uint64_t start, idle;
	uint64_t lost;      /* interrupts and idle; the counter less this is working time */
	uint64_t stamp;     /* working time when C last looked; it stands still when lost grows */
	uint64_t armed;     /* the timer fires no later than this, nor any deadline earlier */
	struct level below; /* of level 0: what reads as a stopped thread */
	struct level level[CHAIN_MAX];
	uint64_t deadline[CHAIN_MAX]; /* the earliest of each level and all below */
};
_Static_assert(sizeof(struct level) == 8, "switch.asm multiplies");
#define STEP_OVER 2u /* in stepping */
extern struct cpu cpu;

/* ---- looking things up ----------------------------------------------------------------------- */
static inline struct object *object_at(uint32_t word)
{
	return (struct object *)((uintptr_t)object_table + (word & CAPABILITY_INDEX_MASK));
}
/* The same for a reference's word, which is nothing but the index. */
static inline struct object *object_at_word(uint32_t word)
{
	return (struct object *)((uintptr_t)object_table + word);
}
static inline void *object_page(const struct object *object)
{
	return (void *)(uintptr_t)(object->page & ~(PAGE_BYTES - 1));
}
/* The page of what a reference names, or null if that was destroyed. */
static inline void *reference_page(struct reference reference)
{
	const struct object *object = object_at(reference.word);
	return object->generation == reference.generation ? object_page(object) : NULL;
}
/* The page of a capability's object, which lives: an operation was invoked by it. */
static inline void *capability_page(const struct capability *capability)
{
	return object_page(object_at(capability->word));
}
static inline struct reference reference_of(const struct capability *capability)
{
	return (struct reference){capability->word & CAPABILITY_INDEX_MASK, capability->generation};
}
static inline uint32_t index_of(uint32_t word)
{
	return (word & CAPABILITY_INDEX_MASK) >> CAPABILITY_INDEX_SHIFT;
}
static inline uint32_t capability_kind(const struct capability *capability)
{
	return capability->word >> CAPABILITY_KIND_SHIFT;
}
static inline struct activation *activation_at(struct thread *thread, uint32_t top)
{
	return (struct activation *)((uintptr_t)thread + top);
}
static inline struct activation *activation_of(struct thread *thread)
{
	return activation_at(thread, thread->top);
}
static inline struct domain *activation_domain(const struct activation *activation)
{
	return reference_page((struct reference){activation->domain, activation->generation});
}
static inline bool activation_lives(const struct activation *activation)
{
	return object_at(activation->domain)->generation == activation->generation;
}
static inline struct thread *level_thread(const struct level *level)
{
	return (struct thread *)((uintptr_t)level->home - ACTIVATION_HOME);
}
/* The counter when C last looked. */
static inline uint64_t now(void)
{
	return cpu.stamp + cpu.lost;
}
static inline struct call_frame *call_frame_of(struct thread *thread)
{
	return (struct call_frame *)activation_of(thread) - 1;
}
static inline struct trap_frame *trap_frame_of(struct thread *thread)
{
	return (struct trap_frame *)activation_of(thread) - 1;
}

/* ---- operations: one function each, named in operations.h ------------------------------------ */
typedef uint32_t operation_function(struct capability *capability, struct call_frame *frame);
#define OPERATION_PROTOTYPE(kind, number, name, rights, arguments, answers, cost) \
	operation_function name;
OPERATIONS(OPERATION_PROTOTYPE)
#undef OPERATION_PROTOTYPE

/* capability.c */
struct capability *slot_find(struct domain *domain, uint32_t slot);
struct capability *slot_to(struct domain *domain, uint32_t slot);
struct capability *slot_named(uint32_t slot);
uint32_t slot_from(uint32_t slot, struct capability **found);
struct capability *slot_result(uint32_t slot);
uint32_t slot_copy(struct capability *to, uint32_t from_slot);
uint32_t slot_delete(struct domain *domain, uint32_t slot);
uint32_t slot_object(uint32_t slot, uint32_t kind, struct capability **found);
void capability_make(struct capability *at, uint32_t kind, uint32_t rights, uint32_t word);
/* call.c */
bool thread_pop(struct thread *thread, uint32_t to, uint32_t error);
/* thread.c: the CPU changes hands */
void thread_save(uint32_t by_call);
void thread_leave(uint32_t by_call);
_Noreturn void thread_run(void);
void data_pages_load(struct thread *thread);
uint32_t thread_depth(const struct thread *thread);
void data_page_unbind(uint32_t page);
/* dispatch.c */
void stamp(void);
uint32_t signal(struct thread *thread, uint32_t bits);
void chain_cut(uint32_t level, uint32_t reason);
void answer_finish(struct thread *thread);
_Noreturn void thread_stop_running(struct thread *thread, uint32_t reason);
void interrupt(uint32_t line);
void step_set(bool stepping);
void step_done(void);
/* fault.c */
void trap(struct trap_frame *frame);
void trap_kernel(struct trap_frame *frame);
/* irq.c */
uint32_t irq_signal(uint32_t line);
/* domain.c, authority.c */
void bitmap_enter(struct domain *domain, const void *table);
extern uint32_t low_end_frame;
/* panic.c */
_Noreturn void panic(const char *what, const struct trap_frame *frame);
_Noreturn void machine_end(void);
void console_print(const char *format, ...);

#endif
