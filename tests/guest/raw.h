/* SPDX-License-Identifier: MIT */
/* raw.asm: what C can't say. One at a time: their notes lie in this program's memory. */
#ifndef NOUS_RAW_H
#define NOUS_RAW_H

#include "hostile.h"
#include "test.h"

struct registers {
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi, eflags;
	uint32_t null_segments; /* 1: DS, ES, FS, GS are null in the call */
	uint32_t ds, es;        /* noted afterwards */
};
#define FLAGS_PLAIN         0x202u
#define FLAG_CARRY          1u
#define FLAG_TRAP           0x100u
#define FLAG_INTERRUPT      0x200u
#define FLAG_DIRECTION      0x400u
#define FLAGS_IOPL          0x3000u
#define FLAG_NESTED_TASK    0x4000u
#define FLAG_VIRTUAL_8086   0x20000u
#define FLAG_ALIGNMENT      0x40000u
#define FLAG_IDENTIFICATION 0x200000u

/* A system call with these registers; afterwards they are what came back. On one's own stack, or
 * (not nested in another) with ESP as given, as deceivers do. */
void raw_invoke(struct registers *registers);
void raw_invoke_at(struct registers *registers);
extern const uint8_t raw_back[]; /* where raw_invoke has its system call go on */

/* A door's entry that notes its registers and returns 0; flags are noted, too. */
void snapshot_entry(void);
extern struct registers snapshot;
extern uint32_t snapshot_count;
/* A door's entry that leaves with EAX = ESI; if that fails, with status 1 and the error in ESI. */
void echo_entry(void);
/* A door's entry that returns at once. */
void step_null(void);

/* A fault entry that notes its registers, calls the hook and leaves with registers as planned. */
void handler_entry(void);
extern struct registers handler_seen;
extern uint32_t handler_count;
extern struct {
	uint32_t eax, ecx, edx, eflags;
} handler_plan;
extern void (*handler_hook)(void);

/* Loads all registers but ESP, runs code that ends at fault_end, and stores what they are then. */
void fault_with(struct registers *registers, const void *code);
extern const uint8_t fault_end[], fault_ud2[], fault_store[], fault_int[];
/* fault_store writes ESI there: an address where a test has or has no page. */
#define FAULT_TARGET 0x08001000u

/* `int n` at interrupts[n]. */
extern const uint8_t interrupts[256][2];
/* Threads start there with flags in EBX: they are tried, and the thread ends or faults. */
void odd_flags(void), odd_flags_held(void), odd_flags_interrupt(void), odd_flags_iret(void);
void spin(uint32_t argument);

/* ---- what several files of tests need --------------------------------------------------- */
/* A domain of the program's image with entries of its own. */
void raw_peer_make(struct domain *domain, const char *name, const void *entry, const void *fault);
/* Destroys the kernel's side only; `domain_end`, `client_end`, `object_end` clean up later. */
void object_destroy(struct object object);
/* Steps until the client is so deep in calls, or no more; true if it is there. */
_Bool client_step_to_depth(struct client *client, uint32_t depth);
uint32_t client_depth(struct client *client);

/* How much stack the services take that a client calls from now on, on its data page. */
void stack_paint(struct client *client);
uint32_t stack_used(const struct client *client);

/* A page table of the root program's own with one page: to be lent. */
struct lendable {
	uint32_t address, table, frame;
	uint32_t *page; /* its first page, in the linear map */
};
#define LENDABLE_FIRST  0x08000000u
#define LENDABLE_SECOND 0x08400000u
void lendable_make(struct lendable *lendable, uint32_t address);
void lendable_end(struct lendable *lendable);
#define ENTRY_OF(address) ((address) >> 22)

#endif
