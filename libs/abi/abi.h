/* SPDX-License-Identifier: MIT */
/*
 * Every number that crosses the boundary between the kernel and its users. C, NASM (through
 * tools/offsets.c) and docs/abi.md take them from here and from operations.h, nowhere else.
 */
#ifndef NOUS_ABI_H
#define NOUS_ABI_H

#include <stdint.h>

/* ---- address space of every domain (docs/architecture.md, "Address space") ------------------- */
#define PAGE_BYTES     4096u
#define IMAGE_BASE     0x00400000u /* programs are linked here */
#define LOCK_PAGE      0x0FFFF000u /* a program's rollforward lock, if it has one: libs/lock */
#define LINEAR_BASE    0x10000000u /* root: linear map of managed memory, LINEAR_BASE + physical */
#define WINDOW_TABLE   0xB0000000u /* 4 MiB of which only the pages below are ever mapped */
#define TAG_PAGE       0xB03FA000u /* user-readable; word 0: the running thread's tag */
#define DATA_PAGE_NEXT 0xB03FD000u /* the thread's next data page, if it has one */
#define DATA_PAGE      0xB03FF000u /* the current data page: parameters below, stack from the top */
#define DATA_TOP       0xB0400000u
#define DATA_STACK     (DATA_TOP - 16u) /* a callee's stack: its low 12 bits tell the room */
#define WINDOW_0       0xB0400000u      /* the two lent windows */
#define WINDOW_1       0xB0800000u
#define WINDOW_BYTES   0x00400000u
#define KERNEL_BASE    0xC0000000u

#define USER_CODE 0x1Bu /* selectors: flat, execute-only */
#define USER_DATA 0x23u

/* ---- limits ---------------------------------------------------------------------------------- */
#define DEPTH_MAX        16u  /* activations of a thread */
#define CHAIN_MAX        32u  /* dispatchers of dispatchers */
#define DATA_PAGES_MAX   8u   /* of a thread */
#define LENT_SLOTS       4u   /* capabilities lent by one call */
#define LIST_SLOTS       128u /* capabilities in a domain's control page */
#define BANK_PAGES       4u   /* further capability pages of a domain, 256 slots each */
#define SLOTS_MAX        (LIST_SLOTS + BANK_PAGES * 256u)
#define LENDABLE_ENTRIES 0x2C0u /* directory entries below WINDOW_TABLE */

/* ---- EAX of an invocation: slot and options -------------------------------------------------- */
#define SLOT_SELF           0u      /* slot 0 of every list: the running thread itself */
#define SLOT_LENT           0x80u   /* bits 0-1 then number a slot lent to this activation */
#define OPTION_NESTED       0x100u  /* the callee's stack goes on below the caller's */
#define OPTION_CAPABILITIES 0x200u  /* EBX: four bytes, each a slot to lend (0: none) */
#define OPTION_WINDOWS      0x400u  /* EBP: two 16-bit directory entry numbers to lend (0: none) */
#define OPTION_NEXT_PAGE    0x800u  /* the callee runs on the thread's next data page */
#define OPTION_RESULTS      0x1000u /* EDI: four bytes, slots that may receive some (0: none) */
#define OPTION_KEEP         0x2000u /* what is lent may be copied into the callee's list */
#define OPTION_MAY_WAIT     0x4000u /* the callee may wait and dispatch on this thread */
#define OPTION_RESUME       0x8000u /* slot 0 only, alone or as below: leave the fault handler */
#define RESUME_SAME         OPTION_RESUME                    /* all from the record */
#define RESUME_AT           (OPTION_RESUME | OPTION_RESULTS) /* but EIP = EDX */
#define RESUME_JUMP         (OPTION_RESUME | OPTION_NESTED)  /* EIP = EDX, ESP = ECX, EAX = 0 */
#define OPTIONS_KNOWN       0xFF00u
#define SLOT_BANK_SHIFT     16u /* bits 16-20: slot number / 128 */
#define SLOT_BANKS          9u
#define SLOT_ENCODE(slot)   ((slot) % 128u | (slot) / 128u << SLOT_BANK_SHIFT)

/* ---- EAX of a return ------------------------------------------------------------------------- */
#define RETURN              0x80000000u /* plus a status of 0..127, the service's own business */
#define RETURN_CAPABILITIES 0x00010000u /* EBX: four bytes, each a slot to hand over (0: none) */
#define STATUS_MAX          127u
/* The caller sees EAX with the sign set: no kernel error can be forged by a service. */

/* ---- kernel errors --------------------------------------------------------------------------- */
/* EAX is positive, the other registers are as they were (zero on a forced return; EBP is lost in
 * every call of a door, and EBX where it names slots to lend). */
#define ERRORS(E)                                                                       \
	E(1, EMPTY, "the slot is empty, or there is no such slot")                      \
	E(2, KIND, "the capability is of another kind than the operation needs")        \
	E(3, STALE, "the capability's object was destroyed")                            \
	E(4, RIGHT, "the capability lacks the right")                                   \
	E(5, OPERATION, "no such operation")                                            \
	E(6, ARGUMENT, "an argument is out of range, or a reserved bit is set")         \
	E(7, DEPTH, "no room for one more activation")                                  \
	E(8, WINDOW, "the directory entry is no page table that can be lent")           \
	E(9, DATA_PAGE, "the thread has no such data page")                             \
	E(10, TRANSIENT, "lent without OPTION_KEEP: it can't be copied into a list")    \
	E(11, NOT_ALLOWED, "wait and dispatch need the caller's OPTION_MAY_WAIT here")  \
	E(12, STATE, "the object is in another state than the operation needs")         \
	E(13, CHAIN, "no room in the dispatch chain")                                   \
	E(14, GENERATION, "the frame's generation isn't the expected one")              \
	E(15, FRAME, "the frame isn't the kernel's to use: absent, reserved or in use") \
	E(16, WORN_OUT, "the frame's generation is at its top: never an object again")  \
	E(17, BADGE, "the badge of another domain's door can't be read")                \
	E(18, NO_RECORD, "no fault is being handled here")                              \
	E(19, CALLEE_DESTROYED, "forced return: the callee's domain was destroyed")     \
	E(20, CALLEE_FAULTED, "forced return: the callee faulted and did not catch it") \
	E(21, ABORTED, "forced return: the call was aborted")

#define ERROR_ENUM(number, name, text) ERROR_##name = (number),
enum error { ERRORS(ERROR_ENUM) ERRORS_END };
#undef ERROR_ENUM

/* ---- capabilities: what they name ------------------------------------------------------------ */
enum capability_kind {
	CAPABILITY_EMPTY,
	CAPABILITY_DOOR,      /* enter a domain at its entry; the badge is the creator's */
	CAPABILITY_SELF,      /* slot 0 */
	CAPABILITY_THREAD,    /* badge low word: the bits that may be signalled */
	CAPABILITY_DOMAIN,    /* control of a domain */
	CAPABILITY_AUTHORITY, /* turn frames into objects */
	CAPABILITY_IRQ,       /* one interrupt line; the index is its number */
	CAPABILITY_PORTS,     /* badge low word: first port, last port << 16 */
	CAPABILITY_BITMAP,    /* the port bitmap of a domain */
	CAPABILITY_PAGE,      /* a data, capability, lock or page table frame: a name, no methods */
	CAPABILITY_KINDS
};

/* Word 0 of a capability: kind 31..28, rights 27..24, object index 20..3. Word 1: generation. */
#define CAPABILITY_KIND_SHIFT   28u
#define CAPABILITY_RIGHTS_SHIFT 24u
#define CAPABILITY_INDEX_SHIFT  3u
#define CAPABILITY_INDEX_MASK   0x001FFFF8u
#define OBJECTS_MAX             0x40000u /* object indices: frames of the first GiB */

/* An object's generation stops there, and its frame never holds an object again: the sum of three
 * generations, which `create` may expect, does not wrap. */
#define GENERATION_TOP 0x55555555u

#define RIGHT_SIGNAL       1u /* thread */
#define RIGHT_DISPATCH     2u /* thread */
#define RIGHT_MANAGE       4u /* thread: start, abort, attach; domain: list, entries, pages */
#define RIGHT_READ         8u /* thread, domain: read methods; authority: inspect */
#define RIGHT_DOOR         2u /* domain: make doors to it */
#define RIGHT_CREATE       1u /* authority */
#define RIGHT_DESTROY      2u /* authority */
#define RIGHT_CONFIDENTIAL 1u /* door: not a right but a mark, see docs/architecture.md */
#define RIGHTS_ALL         15u

/* ---- kernel objects, as `create` makes them and `inspect` reports them ----------------------- */
enum object_kind {
	OBJECT_DOMAIN, /* 0, so that a domain's page word is its plain address (kernel/call.asm) */
	OBJECT_THREAD,
	OBJECT_DATA_PAGE,
	OBJECT_CAPABILITY_PAGE,
	OBJECT_LOCK_PAGE,
	OBJECT_TABLE,
	OBJECT_DIRECTORY, /* made and destroyed with its domain */
	OBJECT_BITMAP,
	OBJECT_BITMAP_PAGE, /* made and destroyed with its bitmap */
	OBJECT_STATIC,      /* interrupt lines, ports, authority: no frame */
	OBJECT_RESERVED,    /* the kernel's own memory and what is no memory */
	OBJECT_NONE,        /* reported for a frame that is no object */
	OBJECT_KINDS
};
/* authority_create, word 0: the kind from bit 8 on, and from bit 12 on a second parameter. */
#define CREATE_KIND_SHIFT   8u
#define CREATE_SECOND_SHIFT 12u /* thread: home domain's index; domain: 1 if confidential */

/* ---- domain_set: what can be set ------------------------------------------------------------- */
enum domain_field {
	DOMAIN_ENTRY,
	DOMAIN_FAULT_ENTRY,
	DOMAIN_SECTION_START,
	DOMAIN_SECTION_BYTES,
	DOMAIN_FIELDS
};

/* ---- dispatch: why it came back (word 0 of the answer, low byte) ----------------------------- */
enum dispatch_reason {
	DISPATCH_DEADLINE, /* the deadline passed */
	DISPATCH_WAITING,  /* the thread waits */
	DISPATCH_ENDED,    /* it returned from its home, was stopped or destroyed */
	DISPATCH_FAULTED,  /* it faulted at home and did not catch it; thread_read tells where */
	DISPATCH_EVENT,    /* an event bit of the mask; also at once, with no time lent */
	DISPATCH_CUT,      /* a dispatcher further down took its time back */
	DISPATCH_STEPPED   /* one instruction or one kernel entry was executed */
};
#define DISPATCH_BIT_SHIFT 8u       /* word 0: the dispatcher's event bit that tells a wake-up */
#define DISPATCH_STEP      0x10000u /* word 0: for one instruction only */
#define DEADLINE_NEVER     UINT64_MAX
enum timer_kind { TIMER_PIT, TIMER_APIC, TIMER_TSC }; /* what deadlines are met by: boot record */

/* ---- thread states, as thread_read tells them ------------------------------------------------ */
enum thread_state { THREAD_STOPPED, THREAD_READY, THREAD_WAITING, THREAD_IN_CHAIN };
enum thread_field {
	THREAD_FIELD_STATE,
	THREAD_FIELD_TIME,
	THREAD_FIELD_FAULT,
	THREAD_FIELD_CALL,
	THREAD_FIELDS
};
enum account { ACCOUNT_ELAPSED, ACCOUNT_INTERRUPTS, ACCOUNT_IDLE, ACCOUNTS };

/* ---- faults: EAX on entry to the handler: class, vector << 8, error code << 16 --------------- */
enum fault_class {
	FAULT_PAGING = 1, /* ECX: the address */
	FAULT_PROGRAM,    /* a program error: ECX 0 */
	FAULT_SOFTWARE    /* a software interrupt: ECX its number */
};
#define SOFTWARE_INTERRUPT_FIRST 0x30u /* int 0x30..0xFF are delivered as FAULT_SOFTWARE */

/* The saved registers of a fault, numbered for self_record and self_record_set. */
enum { RECORD_EAX, RECORD_ECX, RECORD_EDX, RECORD_EIP, RECORD_EFLAGS, RECORD_ESP, RECORD_FIELDS };

/* ---- static objects -------------------------------------------------------------------------- */
#define OBJECT_IRQ_FIRST 16u /* 16 lines */
#define OBJECT_PORTS     32u
#define OBJECT_AUTHORITY 33u
#define IRQ_LINES        16u
#define PORTS_PER_CALL   32u

/* ---- lock page: the kernel reads its owner (docs/architecture.md, "Rollforward") ------------- */
struct lock_page {
	uint32_t owner; /* tag of the thread that entered the section last */
	uint32_t count; /* of committed pairs */
	struct {
		uint32_t address, value;
	} log[8];
};

#endif
