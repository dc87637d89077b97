/* SPDX-License-Identifier: MIT */
/*
 * Every operation of the kernel: O(kind, number, name, rights, arguments, answers, cost).
 * Word 0 (ESI) is the operation's number; words 1, 2, 3 are EDI, EBX, EBP. The answer's words
 * 0 to 3 come back in the same registers. `rights` is what the invoked capability must carry.
 * Expanded by the kernel (prototypes, table), by libs/runtime/kernel.h (numbers) and by the
 * check of docs/abi.md. Operation 0 of every kind is probe: is the object alive?
 */
#ifndef NOUS_OPERATIONS_H
#define NOUS_OPERATIONS_H

#define OPERATIONS(O)                                                                             \
	O(SELF, 1, self_copy, 0, "to slot, from slot", "", "constant")                            \
	O(SELF, 2, self_wait, 0, "event mask", "event bits", "constant; cut 32")                  \
	O(SELF, 3, self_move, 0, "to slot, from slot", "", "constant")                            \
	O(SELF, 4, self_delete, 0, "slot", "", "constant")                                        \
	O(SELF, 5, self_narrow, 0, "to slot | rights << 24, from slot, badge", "", "constant")    \
	O(SELF, 6, self_badge, 0, "slot", "badge low, high", "constant")                          \
	O(SELF, 7, self_record, 0, "field", "value", "constant")                                  \
	O(SELF, 8, self_record_set, 0, "field, value", "", "constant")                            \
	O(SELF, 9, self_identify, 0, "", "thread index, depth, domain index", "constant")         \
	O(SELF, 10, self_wait_until, 0, "event mask, deadline low, high", "event bits",           \
	  "constant; cut 32")                                                                     \
	O(THREAD, 1, thread_dispatch, RIGHT_DISPATCH,                                             \
	  "event mask, deadline low, high; word 0: wake-up bit << 8, step",                       \
	  "reason, cycles low, high, event bits", "constant; cut 32")                             \
	O(THREAD, 2, thread_signal, RIGHT_SIGNAL, "bits", "", "wake-ups 32, cut 32")              \
	O(THREAD, 3, thread_start, RIGHT_MANAGE, "address, stack, EBX at the start", "",          \
	  "constant")                                                                             \
	O(THREAD, 4, thread_abort, RIGHT_MANAGE, "depth, callee's domain index", "",              \
	  "depth 16, cut 32")                                                                     \
	O(THREAD, 5, thread_attach, RIGHT_MANAGE, "number, data page slot", "", "constant")       \
	O(THREAD, 6, thread_read, RIGHT_READ, "field, depth", "see thread_field", "constant")     \
	O(THREAD, 7, thread_stop, RIGHT_MANAGE, "", "", "cut 32")                                 \
	O(DOMAIN, 1, domain_grant, RIGHT_MANAGE, "to slot there, from slot here", "", "constant") \
	O(DOMAIN, 2, domain_delete, RIGHT_MANAGE, "slot there", "", "constant")                   \
	O(DOMAIN, 3, domain_set, RIGHT_MANAGE, "field, value", "", "constant")                    \
	O(DOMAIN, 4, domain_door, RIGHT_DOOR, "to slot here, badge low, high", "", "constant")    \
	O(DOMAIN, 5, domain_attach, RIGHT_MANAGE, "number, page slot", "", "constant")            \
	O(DOMAIN, 6, domain_read, RIGHT_READ, "slot there", "kind and rights, index, generation", \
	  "constant")                                                                             \
	O(AUTHORITY, 1, authority_create, RIGHT_CREATE,                                           \
	  "frame, expected generations, parameter; word 0: object kind << 8", "", "constant")     \
	O(AUTHORITY, 2, authority_destroy, RIGHT_DESTROY, "frame, expected generation", "",       \
	  "depth 16, cut 32")                                                                     \
	O(AUTHORITY, 3, authority_fetch, RIGHT_CREATE, "frame, to slot, expected generation", "", \
	  "constant")                                                                             \
	O(AUTHORITY, 4, authority_inspect, RIGHT_READ, "index", "object kind, generation",        \
	  "constant")                                                                             \
	O(AUTHORITY, 5, authority_account, RIGHT_READ, "account", "cycles low, high", "constant") \
	O(IRQ, 1, irq_bind, 0, "thread slot (right signal), bit", "", "constant")                 \
	O(IRQ, 2, irq_acknowledge, 0, "", "", "constant")                                         \
	O(BITMAP, 1, bitmap_allow, 0, "ports slot", "", "constant")                               \
	O(BITMAP, 2, bitmap_deny, 0, "first port, number (at most 32)", "", "constant")

#define OPERATION_ENUM(kind, number, name, rights, arguments, answers, cost) name##_op = (number),
enum operation { OPERATIONS(OPERATION_ENUM) };
#undef OPERATION_ENUM

#define OPERATION_PROBE     0u
#define OPERATIONS_PER_KIND 16u

#endif
