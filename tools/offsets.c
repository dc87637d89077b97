/* SPDX-License-Identifier: MIT */
/* Not linked: the compiler's word on every constant that assembly needs (Makefile: offsets.inc). */
#define cycles kernel_cycles /* programs have one of their own */
#include "../kernel/x86/x86.h"
#undef cycles
#include "../libs/runtime/status.h"
#include "../services/memory/memory.h"

#define EMIT(name, value) asm volatile("\n->" #name " %0" : : "i"((uint64_t)(uint32_t)(value)))
#define EMIT_SAME(name)   asm volatile("\n->" #name " %0" : : "i"((uint64_t)(uint32_t)(name)))

void offsets(void);
void offsets(void)
{
	EMIT(CPU_FAST_LIMIT, offsetof(struct cpu, fast_limit));
	EMIT(CPU_RUNNING_DOMAIN, offsetof(struct cpu, running_domain));
	EMIT(CPU_CALLEE, offsetof(struct cpu, callee));
	EMIT(CPU_PLAIN_DOOR, offsetof(struct cpu, plain_door));
	EMIT(CPU_STEPPING, offsetof(struct cpu, stepping));
	EMIT(CPU_DEPTH, offsetof(struct cpu, depth));
	EMIT(CPU_DEPTH_LIMIT, offsetof(struct cpu, depth_limit));
	EMIT(CPU_LOST, offsetof(struct cpu, lost));
	EMIT(CPU_STAMP, offsetof(struct cpu, stamp));
	EMIT(CPU_ARMED, offsetof(struct cpu, armed));
	EMIT(CPU_LEVEL_HOME, offsetof(struct cpu, level[0].home));
	EMIT(CPU_LEVEL_MASK, offsetof(struct cpu, level[0].mask));
	EMIT(CPU_DEADLINE, offsetof(struct cpu, deadline));
	EMIT(THREAD_DISPATCH_START, offsetof(struct thread, dispatch_start));
	EMIT_SAME(BY_CALL_WOKEN);
	EMIT(THREAD_SELF, offsetof(struct thread, self));
	EMIT(THREAD_STATE, offsetof(struct thread, state));
	EMIT(THREAD_LEVEL, offsetof(struct thread, level));
	EMIT(THREAD_EVENTS, offsetof(struct thread, events));
	EMIT(THREAD_WAIT_MASK, offsetof(struct thread, wait_mask));
	EMIT(THREAD_NOTIFY, offsetof(struct thread, notify));
	EMIT(THREAD_NOTIFY_BITS, offsetof(struct thread, notify_bits));
	EMIT(THREAD_DISPATCH_WORD, offsetof(struct thread, dispatch_word));
	EMIT(THREAD_CONSUMED, offsetof(struct thread, consumed));
	EMIT(THREAD_FAULT, offsetof(struct thread, fault));
	EMIT(THREAD_DATA, offsetof(struct thread, data));
	EMIT(THREAD_FPU, offsetof(struct thread, fpu));
	EMIT(CALL_FRAME_BYTES, sizeof(struct call_frame));
	EMIT(TRAP_FRAME_BYTES, sizeof(struct trap_frame));
	EMIT(TRAP_FRAME_EBX, offsetof(struct trap_frame, ebx));
	EMIT(CALL_FRAME_WORD2, offsetof(struct call_frame, word2));
	EMIT(CALL_FRAME_STATUS, offsetof(struct call_frame, status));
	EMIT(CALL_FRAME_EIP, offsetof(struct call_frame, eip));
	EMIT(CALL_FRAME_ESP, offsetof(struct call_frame, esp));
	EMIT(CAPABILITY_BADGE, offsetof(struct capability, badge_low));
	EMIT(DATA_PAGE_ENTRY, (DATA_PAGE >> 12 & 1023) * 4);
	EMIT(DATA_PAGE_NEXT_ENTRY, (DATA_PAGE_NEXT >> 12 & 1023) * 4);
	EMIT(DOMAIN_FAULT, offsetof(struct domain, set[DOMAIN_FAULT_ENTRY]));
	EMIT(DOMAIN_SELF, offsetof(struct domain, self));
	EMIT_SAME(ACTIVATION_HOME);
	EMIT_SAME(HOME_ORDINARY);
	EMIT_SAME(HOME_DISPATCHES);
	EMIT_SAME(BY_CALL_HOME);
	EMIT_SAME(BY_CALL_RUNNING);
	EMIT_SAME(THREAD_READY);
	EMIT_SAME(THREAD_WAITING);
	EMIT_SAME(THREAD_IN_CHAIN);
	EMIT_SAME(OBJECT_THREAD);
	EMIT_SAME(RIGHT_SIGNAL);
	EMIT_SAME(RIGHT_DISPATCH);
	EMIT_SAME(DISPATCH_EVENT);
	EMIT_SAME(DISPATCH_WAITING);
	EMIT(THREAD_SIGNAL, thread_signal_op);
	EMIT(SELF_WAIT, self_wait_op);
	EMIT_SAME(FLAGS_USER);
	EMIT_SAME(FAULT_PAGING);
	EMIT_SAME(VECTOR_PAGE_FAULT);
	EMIT(DOMAIN_DIRECTORY, offsetof(struct domain, directory));
	EMIT(DOMAIN_SET, offsetof(struct domain, set));
	EMIT(DOMAIN_SECTION_START, offsetof(struct domain, set[DOMAIN_SECTION_START]));
	EMIT(DOMAIN_SECTION_BYTES, offsetof(struct domain, set[DOMAIN_SECTION_BYTES]));
	EMIT(ACTIVATION_WINDOW, offsetof(struct activation, window));
	EMIT(ACTIVATION_LENT, offsetof(struct activation, lent));
	EMIT(ACTIVATION_FLAGS, offsetof(struct activation, flags));
	EMIT(ACTIVATION_RECORD, offsetof(struct activation, record));
	EMIT(ACTIVATION_CALLER_ESP, offsetof(struct activation, caller_esp));
	EMIT_SAME(ACTIVATION_BYTES);
	EMIT_SAME(ACTIVATION_CALLER_SPECIAL);
	EMIT_SAME(ACTIVATION_HANDLING);
	EMIT_SAME(ACTIVATION_CONFIDENTIAL);
	EMIT_SAME(ACTIVATION_PLAIN);
	EMIT_SAME(RECORD_EAX);
	EMIT_SAME(RECORD_ECX);
	EMIT_SAME(RECORD_EDX);
	EMIT_SAME(RECORD_EIP);
	EMIT_SAME(RECORD_EFLAGS);
	EMIT_SAME(RECORD_ESP);
	EMIT_SAME(MEMORY_DESCRIPTORS); /* tools/gdb */
	EMIT_SAME(BY_CALL_LENT);       /* the same */
	EMIT_SAME(RECORD_FIELDS);
	EMIT_SAME(CAPABILITY_KIND_SHIFT);
	EMIT_SAME(CAPABILITY_DOOR);
	EMIT_SAME(CAPABILITY_SELF);
	EMIT_SAME(CAPABILITY_THREAD);
	EMIT_SAME(CAPABILITY_KINDS);
	EMIT_SAME(CAPABILITY_INDEX_MASK);
	EMIT_SAME(RIGHT_CONFIDENTIAL);
	EMIT_SAME(RIGHTS_ALL);
	EMIT_SAME(OPERATIONS_PER_KIND);
	EMIT_SAME(CAPABILITY_RIGHTS_SHIFT);
	EMIT_SAME(OBJECT_TABLE);
	EMIT_SAME(LENT_SLOTS);
	EMIT_SAME(LIST_SLOTS);
	EMIT_SAME(LENDABLE_ENTRIES);
	EMIT(WINDOW_0_ENTRY, (WINDOW_0 >> 22) * 4);
	EMIT(WINDOW_1_ENTRY, (WINDOW_1 >> 22) * 4);
	EMIT_SAME(TAG_PAGE);
	EMIT_SAME(LOCK_PAGE);
	EMIT(LOCK_OWNER, offsetof(struct lock_page, owner));
	EMIT(LOCK_COUNT, offsetof(struct lock_page, count));
	EMIT(LOCK_LOG, offsetof(struct lock_page, log));
	EMIT_SAME(DATA_PAGE);
	EMIT_SAME(DATA_STACK);
	EMIT_SAME(PAGE_BYTES);
	EMIT_SAME(KERNEL_BASE);
	EMIT_SAME(USER_CODE);
	EMIT_SAME(USER_DATA);
	EMIT_SAME(OPTION_NESTED);
	EMIT_SAME(OPTION_CAPABILITIES);
	EMIT_SAME(OPTION_WINDOWS);
	EMIT_SAME(OPTION_NEXT_PAGE);
	EMIT_SAME(OPTION_KEEP);
	EMIT_SAME(OPTION_RESUME);
	EMIT_SAME(OPTION_RESULTS);
	EMIT_SAME(RESUME_SAME);
	EMIT_SAME(RESUME_AT);
	EMIT_SAME(RESUME_JUMP);
	EMIT_SAME(SERVICE_NO_OPERATION);
	EMIT_SAME(SERVICE_NO_STACK);
	EMIT_SAME(SLOT_FAULT_DOOR);
	EMIT(OPTIONS_CALL, OPTIONS_KNOWN & ~OPTION_RESUME);
	EMIT(OPTIONS_RARE, OPTION_NEXT_PAGE | OPTION_MAY_WAIT);
	EMIT(SLOT_BANK_MASK, 31u << SLOT_BANK_SHIFT);
	EMIT_SAME(FLAGS_START);
	EMIT_SAME(RETURN);
	EMIT_SAME(RETURN_CAPABILITIES);
	EMIT_SAME(STATUS_MAX);
	EMIT(SELF_COPY, self_copy_op);
	EMIT(SELF_RECORD, self_record_op);
	EMIT_SAME(RECORD_ESP);
	EMIT_SAME(MEMORY_DESCRIPTORS); /* tools/gdb */
	EMIT_SAME(BY_CALL_LENT);       /* the same */
	EMIT(SELF_RECORD, self_record_op);
	EMIT_SAME(ERROR_EMPTY);
	EMIT_SAME(ERROR_KIND);
	EMIT_SAME(ERROR_STALE);
	EMIT_SAME(ERROR_ARGUMENT);
	EMIT_SAME(ERROR_DEPTH);
	EMIT_SAME(ERROR_WINDOW);
	EMIT_SAME(ERROR_DATA_PAGE);
	EMIT_SAME(ERROR_NO_RECORD);
	EMIT_SAME(LINEAR_BASE);
	EMIT(MEMORY_MAP_PAGES, memory_map_pages_op);
	EMIT(MEMORY_UNMAP, memory_unmap_op);
	EMIT_SAME(MEMORY_DATA);
	EMIT_SAME(MEMORY_TABLE);
	EMIT_SAME(MEMORY_READ);
	EMIT_SAME(MEMORY_MANAGE);
	EMIT_SAME(MEMORY_ENTRY_WRITE);
	EMIT_SAME(MEMORY_ENTRY_COUNTED);
	EMIT_SAME(MEMORY_DESCRIPTORS);
	EMIT(MEMORY_COUNT, offsetof(struct memory_frame, count));
}
