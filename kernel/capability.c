/* SPDX-License-Identifier: MIT */
/* Capability lists: finding slots, and the operations on the caller's own list. */
#include "kernel.h"
#include "x86/x86.h"

static uint32_t no_operation(struct capability *capability, struct call_frame *frame)
{
	return ERROR_OPERATION;
}

/*
 * By kind and number: the function, and what makes call.asm refuse it: the rights that it needs in
 * bits 3..0, the bits of word 0 that must be zero above.
 */
#define RESERVED        ~(OPERATIONS_PER_KIND - 1)
#define REFUSE_DISPATCH (RIGHT_DISPATCH | (RESERVED & ~(31u << DISPATCH_BIT_SHIFT | DISPATCH_STEP)))
#define REFUSE_CREATE   (RIGHT_CREATE | (RESERVED & 0xFF))
#pragma GCC diagnostic ignored "-Woverride-init" /* the first line stands for all that follow */
const struct operation_entry {
	operation_function *function;
	uint32_t refuse;
} operations[CAPABILITY_KINDS][OPERATIONS_PER_KIND] = {
	[0 ... CAPABILITY_KINDS - 1] = {[0 ... OPERATIONS_PER_KIND - 1] = {no_operation, RESERVED}},
#define OPERATION_ENTRY(kind, number, name, rights, arguments, answers, cost) \
	[CAPABILITY_##kind][number] = {name, (rights) | RESERVED},
	OPERATIONS(OPERATION_ENTRY)
#undef OPERATION_ENTRY
		[CAPABILITY_THREAD][thread_dispatch_op] = {thread_dispatch, REFUSE_DISPATCH},
	[CAPABILITY_AUTHORITY][authority_create_op] = {authority_create, REFUSE_CREATE},
};

/* call.asm found a right missing or a bit set: which? */
uint32_t operation_refused(struct capability *capability, struct call_frame *frame)
{
	uint32_t number = frame->word0 & 0xFF, kind = capability_kind(capability);
	if (number >= OPERATIONS_PER_KIND || operations[kind][number].function == no_operation)
		return ERROR_OPERATION;
	uint32_t missing = ~(capability->word >> CAPABILITY_RIGHTS_SHIFT) & RIGHTS_ALL;
	return operations[kind][number].refuse & missing ? ERROR_RIGHT : ERROR_ARGUMENT;
}

void capability_make(struct capability *at, uint32_t kind, uint32_t rights, uint32_t word)
{
	at->word = kind << CAPABILITY_KIND_SHIFT | rights << CAPABILITY_RIGHTS_SHIFT |
		   (word & CAPABILITY_INDEX_MASK);
	at->generation = object_at(word)->generation;
	at->badge_low = at->badge_high = 0;
}

/* A slot of a domain's own list by its encoded number, or null. */
struct capability *slot_find(struct domain *domain, uint32_t slot)
{
	uint32_t bank = slot >> SLOT_BANK_SHIFT;
	if (slot & (0xFFFF & ~(LIST_SLOTS - 1)) || bank >= SLOT_BANKS)
		return NULL;
	if (bank == 0)
		return &domain->list[slot];
	struct capability *page = reference_page(domain->bank[(bank - 1) / 2]);
	if (!page)
		return NULL;
	return &page[(bank - 1) % 2 * LIST_SLOTS + (slot & (LIST_SLOTS - 1))];
}

/* A slot that was lent to the running activation, or null. */
static struct capability *slot_lent(uint32_t slot)
{
	struct activation *activation = activation_running();
	slot &= ~SLOT_LENT;
	if (cpu.fast_limit || !(activation->flags & OPTION_CAPABILITIES) || slot >= LENT_SLOTS)
		return NULL;
	return &activation->lent[LENT_SLOTS - 1 - slot];
}

/*
 * A slot as an operation's argument or a call names it: own or lent. A lent copy of slot 0 is none:
 * it is what a call lends that names no slot, and would act on the callee's list, not its owner's.
 */
struct capability *slot_named(uint32_t slot)
{
	if (!(slot & SLOT_LENT))
		return slot_find(cpu.running_domain, slot);
	struct capability *lent = slot_lent(slot);
	return lent && capability_kind(lent) == CAPABILITY_SELF ? NULL : lent;
}

/*
 * What call.asm lends when some of the four slots are lent ones: those may be empty, and if they
 * can't be kept, nothing of this call can. The options are then others; 0: no such slot.
 */
uint32_t lend_mixed(uint32_t options, uint32_t slots, struct capability *lent)
{
	for (uint32_t i = 0; i < LENT_SLOTS; i++) {
		uint32_t slot = slots >> i * 8 & 0xFF;
		struct capability *from =
			slot & SLOT_LENT ? slot_lent(slot) : slot_find(cpu.running_domain, slot);
		if (!from)
			return 0;
		if (slot & SLOT_LENT && !(activation_running()->flags & OPTION_KEEP))
			options &= ~OPTION_KEEP;
		lent[LENT_SLOTS - 1 - i] = *from;
	}
	return options;
}

/* A slot to be copied from: what is lent can't be kept unless the caller said so. */
uint32_t slot_from(uint32_t slot, struct capability **found)
{
	bool transient = slot & SLOT_LENT && !(activation_running()->flags & OPTION_KEEP);
	*found = slot_named(slot);
	return !*found ? ERROR_EMPTY : transient ? ERROR_TRANSIENT : 0;
}

/* A slot of a domain's own list to be written. Slot 0 names the running thread and stays so. */
struct capability *slot_to(struct domain *domain, uint32_t slot)
{
	return slot == SLOT_SELF ? NULL : slot_find(domain, slot);
}

/* Of that kind, and its object alive? */
static uint32_t capability_check(const struct capability *capability, uint32_t kind)
{
	if (capability_kind(capability) != kind)
		return capability_kind(capability) == CAPABILITY_EMPTY ? ERROR_EMPTY : ERROR_KIND;
	return object_at(capability->word)->generation == capability->generation ? 0 : ERROR_STALE;
}

/* A slot that names a living object of a kind, to be remembered beyond the call. */
uint32_t slot_object(uint32_t slot, uint32_t kind, struct capability **found)
{
	uint32_t error = slot_from(slot, found);
	return error ? error : capability_check(*found, kind);
}

/*
 * A slot where an operation leaves a capability for the running code: of its own list or, in a call
 * whose client designated results and lent nothing, one of the activation's four. Those no other
 * thread of the domain can swap before `return` hands them over (R2).
 */
struct capability *slot_result(uint32_t slot)
{
	struct activation *activation = activation_running();
	if (!(slot & SLOT_LENT))
		return slot_to(cpu.running_domain, slot);
	if (cpu.fast_limit || !(activation->flags & OPTION_RESULTS))
		return NULL;
	if (!(activation->flags & OPTION_CAPABILITIES)) {
		for (uint32_t i = 0; i < LENT_SLOTS; i++)
			activation->lent[i] = (struct capability){0};
		activation->flags |= OPTION_CAPABILITIES | OPTION_KEEP | ACTIVATION_SCRATCH;
	}
	return activation->flags & ACTIVATION_SCRATCH ? slot_lent(slot) : NULL;
}

uint32_t slot_copy(struct capability *to, uint32_t from_slot)
{
	struct capability *from;
	uint32_t error = to ? slot_from(from_slot, &from) : ERROR_ARGUMENT;
	if (!error)
		*to = *from;
	return error;
}

uint32_t slot_delete(struct domain *domain, uint32_t slot)
{
	struct capability *at = slot_to(domain, slot);
	if (!at)
		return ERROR_ARGUMENT;
	*at = (struct capability){0};
	return 0;
}

uint32_t self_copy(struct capability *self, struct call_frame *frame)
{
	return slot_copy(slot_result(frame->word1), frame->word2);
}

uint32_t self_delete(struct capability *self, struct call_frame *frame)
{
	return slot_delete(cpu.running_domain, frame->word1);
}

uint32_t self_move(struct capability *self, struct call_frame *frame)
{
	struct capability *to = slot_to(cpu.running_domain, frame->word1), *from;
	uint32_t error = to ? slot_from(frame->word2, &from) : ERROR_ARGUMENT;
	if (error)
		return error;
	if (frame->word2 & SLOT_LENT || frame->word2 == SLOT_SELF)
		return ERROR_ARGUMENT;
	struct capability moved = *from;
	*from = (struct capability){0};
	*to = moved;
	return 0;
}

/* A copy that may do less. Doors keep their badge: only domain_door makes new ones. Bits above the
 * rights stay with the slot's number, which is none then. */
uint32_t self_narrow(struct capability *self, struct call_frame *frame)
{
	uint32_t others = ~(RIGHTS_ALL << CAPABILITY_RIGHTS_SHIFT), badge = frame->word3;
	struct capability *to = slot_result(frame->word1 & others), *from;
	uint32_t error = to ? slot_from(frame->word2, &from) : ERROR_ARGUMENT;
	if (error)
		return error;
	struct capability narrow = *from;
	uint32_t kind = capability_kind(from), first = badge & 0xFFFF, last = badge >> 16;
	if (kind == CAPABILITY_EMPTY)
		return ERROR_EMPTY;
	if (kind == CAPABILITY_THREAD)
		narrow.badge_low &= badge;
	else if (kind == CAPABILITY_PORTS)
		narrow.badge_low = badge;
	else if (kind != CAPABILITY_DOMAIN && kind != CAPABILITY_AUTHORITY)
		return ERROR_KIND;
	if (kind == CAPABILITY_PORTS &&
	    (first < (from->badge_low & 0xFFFF) || last > from->badge_low >> 16 || first > last))
		return ERROR_ARGUMENT;
	narrow.word &= frame->word1 | others;
	*to = narrow;
	return 0;
}

/* The badge belongs to the code of the domain that the door leads to, and to nobody else. */
uint32_t self_badge(struct capability *self, struct call_frame *frame)
{
	struct capability *door = slot_named(frame->word1);
	uint32_t error = door ? capability_check(door, CAPABILITY_DOOR) : ERROR_EMPTY;
	if (error)
		return error;
	if (capability_page(door) != cpu.running_domain)
		return ERROR_BADGE;
	frame->word0 = door->badge_low;
	frame->word1 = door->badge_high;
	return 0;
}

uint32_t self_identify(struct capability *self, struct call_frame *frame)
{
	frame->word0 = thread_running()->self.word >> CAPABILITY_INDEX_SHIFT;
	frame->word1 = thread_depth(thread_running());
	frame->word2 = cpu.running_domain->self.word >> CAPABILITY_INDEX_SHIFT;
	return 0;
}
