/* SPDX-License-Identifier: MIT */
/*
 * Fault reports. Of a thread that has stopped its dispatcher tells (fault_report); of a call that
 * ends the service does, on the client's thread, through a door of ours; and so does the root
 * thread, whom nobody dispatches. What is said is what the kernel saw, but for the badge and for
 * what begins with `likely` or `perhaps`; the program can only have it said again. Nothing is
 * written but the thread's own data page and what is known of that thread; and if the root thread
 * changes its tables meanwhile, this report is wrong or faults itself, and is over.
 */
#include "elf/elf.h"
#include "root.h"
#include "serial/serial.h"

OPERATION void fault_told(uint32_t index, uint32_t place, uint32_t class, uint32_t esp);

#define LINE_BYTES   80u
#define REPORT_BYTES (5 * LINE_BYTES) /* what is said at once */
#define PRINT_BYTES  200u             /* ... by print */
#define PIECE_BYTES  64u

struct report {
	char *text;
	uint32_t bytes;
	_Bool is_told; /* on the stack of another program: not by print */
};

static void report_say(struct report *report)
{
	/* (the stack may be close: then there is room for little) */
	uint32_t once = !report->is_told                      ? PRINT_BYTES
			: parameter_room() < 2 * REPORT_BYTES ? PIECE_BYTES
							      : REPORT_BYTES;
	for (uint32_t at = 0; at < report->bytes; at += once) {
		uint32_t left = report->bytes - at;
		if (report->is_told)
			serial_write(nested(slot(console_slot)), left < once ? left : once,
				     report->text + at);
		else
			print("%.200s", report->text + at);
	}
	report->bytes = 0;
}

static void add(struct report *report, const char *how, ...)
{
	va_list list;
	va_start(list, how);
	report->bytes +=
		format_list(report->text + report->bytes, REPORT_BYTES - report->bytes, how, list);
	va_end(list);
}

static void add_place(struct report *report, const char *what, uint32_t index, uint32_t place)
{
	const struct domain *domain = domain_by_index(index);
	uint32_t offset = 0;
	const char *symbol =
		domain && domain->file
			? elf_symbol_at(domain->file, domain->file_bytes, place, &offset)
			: NULL;
	if (report->bytes + LINE_BYTES > REPORT_BYTES)
		report_say(report);
	add(report, "%s %.20s at %08x", what, domain ? domain->name : "?", place);
	if (symbol)
		add(report, " (%.24s+%u)", symbol, offset);
	add(report, "\n");
}

/* fault: class, address, place, domain, as thread_read says. thread null: we did not make it. */
static void add_fault(struct report *report, struct words fault, const struct thread *thread)
{
	static const char *const classes[] = {"?", "page fault", "program error",
					      "software interrupt"};
	uint32_t class = fault.w[0] & 0xFF;
	add_place(report, "FAULT in", fault.w[3], fault.w[2]);
	add(report, "  %s, vector %u", classes[class < 4 ? class : 0], fault.w[0] >> 8 & 0xFF);
	if (class == FAULT_PAGING)
		add(report, ", %s %08x", fault.w[0] >> 16 & 2 ? "writing" : "reading", fault.w[1]);
	add(report, "\n  thread %.16s of %.16s", thread ? thread->name : "?",
	    thread ? thread->home->name : "?");
}

/* ---- within a program: there are no frame pointers, so what could be a return address ---------
 */

static void add_trace(struct report *report, uint32_t index, const struct backtrace *trace)
{
	for (uint32_t i = 0; i < trace->count; i++)
		add_place(report, trace->likely >> i & 1 ? "  likely from" : "  perhaps from",
			  index, trace->from[i]);
}

/* A stack where this domain sees it. */
struct stack {
	uint32_t at, end;
};

/* Takes the next word that stands behind a call of this function. If there is none, the next one
 * behind any call: it may be left from earlier, or the function was jumped to. */
static uint32_t return_next(struct stack *stack, const void *file, uint32_t function, _Bool *likely)
{
	uint32_t word, target, found = 0, behind = stack->end;
	*likely = 0;
	for (uint32_t at = stack->at; at < stack->end && !*likely; at += 4) {
		if (!try_load((const uint32_t *)at, &word))
			break;
		if (!elf_follows_call(file, word, &target))
			continue;
		*likely = target && target == function;
		if (*likely || !found) {
			found = word;
			behind = at + 4;
		}
	}
	stack->at = behind;
	return found;
}

static void scan(struct backtrace *trace, const struct domain *domain, uint32_t place,
		 struct stack stack)
{
	const struct elf_header *header = domain->file;
	while (trace->count < BACKTRACE_MAX && place - header->entry >= 32) { /* program_start */
		uint32_t offset;
		_Bool likely,
			named = elf_symbol_at(header, domain->file_bytes, place, &offset) != NULL;
		place = return_next(&stack, header, named ? place - offset : 0, &likely);
		if (!place)
			return;
		trace->likely |= (uint32_t)likely << trace->count;
		trace->from[trace->count++] = place;
	}
}

static _Bool is_on_data_page(uint32_t esp)
{
	return (esp & ~(PAGE_BYTES - 1)) == DATA_PAGE;
}

/* Of a program that stands at `place`, from `esp` on: on the data page until `end`, 0: what is
 * there can't be known; or in the program's own data, which came with the fault as a window.
 * (Anything else may be nowhere, and the kernel would remember our fault in place of the
 * program's.) */
static void trace_make(struct backtrace *trace, const struct domain *domain, uint32_t place,
		       uint32_t esp, uint32_t end)
{
	const struct elf_segment *data;
	*trace = (struct backtrace){.place = place};
	if (!domain || !domain->file)
		return;
	esp &= ~3u;
	if (is_on_data_page(esp)) {
		scan(trace, domain, place, (struct stack){esp, end});
		return;
	}
	data = elf_segment_at(domain->file, esp);
	if (!data || !(data->flags & ELF_WRITE))
		return;
	uint32_t at = WINDOW_0 + (esp & (WINDOW_BYTES - 1));
	uint32_t bytes = data->address + data->memory_bytes - esp;
	if (bytes > PAGE_BYTES)
		bytes = PAGE_BYTES;
	if (bytes <= WINDOW_0 + WINDOW_BYTES - at)
		scan(trace, domain, place, (struct stack){at, at + bytes});
}

/* ---- across programs --------------------------------------------------------------------------
 */

/*
 * The badge of the door through which a call came: service_entry left it where its stack begins,
 * which the caller's ESP tells. Null if it is not there. A client that lies about its ESP and has
 * prepared the page can have another badge said, of its own call.
 */
static const uint32_t *badge_find(const struct domain *service, uint32_t caller_esp,
				  _Bool *is_nested)
{
	uint32_t begins[2] = {(caller_esp & (PAGE_BYTES - 16)) | DATA_PAGE, DATA_STACK};
	for (uint32_t i = !is_on_data_page(caller_esp); i < 2; i++) {
		const uint32_t *begin = (const uint32_t *)begins[i];
		*is_nested = i == 0;
		if (begins[i] > DATA_PAGE && service->answer && begin[-3] == service->answer)
			return begin - 2;
	}
	return NULL;
}

/* The calls from number `depth` down, from a fault in domain `index`, which said where it stands
 * and where its stack is. Of a caller's stack only what lies on this same page can be seen. */
static void add_calls(struct report *report, slot_t thread, uint32_t depth, uint32_t index,
		      uint32_t place, uint32_t esp)
{
	struct words call = {{0, 0, 0, 0}};
	for (_Bool is_seen = 1;; depth--) {
		const struct domain *domain = domain_by_index(index);
		uint32_t end = depth ? 0 : DATA_TOP;
		_Bool is_nested = 0;
		if (depth && kernel_thread_call(thread, depth, &call))
			return;
		if (depth && domain) {
			const uint32_t *badge = badge_find(domain, call.w[2], &is_nested);
			end = badge ? (uint32_t)(badge - 1) : 0;
		}
		if (is_seen) {
			struct backtrace trace;
			trace_make(&trace, domain, place, esp, end);
			add_trace(report, index, &trace);
		}
		if (!depth)
			return;
		add_place(report, "  called from", call.w[0], call.w[1]);
		index = call.w[0];
		place = call.w[1];
		esp = call.w[2];
		is_seen = is_seen && is_nested && is_on_data_page(esp);
	}
}

static void add_badge(struct report *report, slot_t thread, uint32_t depth, uint32_t index)
{
	const struct domain *service = domain_by_index(index);
	_Bool is_nested;
	struct words call;
	const uint32_t *badge = !service || kernel_thread_call(thread, depth, &call)
					? NULL
					: badge_find(service, call.w[2], &is_nested);
	uint64_t value = badge ? (uint64_t)badge[0] << 32 | badge[1] : 0;
	add(report, badge ? ", door badge %llx\n" : ", door badge ?\n", (unsigned long long)value);
}

/* Called by the domain that the badge names, in the middle of anything. The stack is on the data
 * page, so the serial service is called from below it. */
OPERATION void fault_told(uint32_t index, uint32_t place, uint32_t class, uint32_t esp)
{
	uint32_t number, depth, here;
	if (kernel_identify(&number, &depth, &here) || !depth--)
		return;
	struct report report = {parameters(), 0, 1};
	struct words fault = {{class, 0, place, index}};
	struct thread *thread = thread_by_index(number);
	_Bool is_root = number == boot_record->root_thread && !depth;
	if (index == here && !is_root)
		return; /* in a door of ours, this one included */
	if (!thread) {
		if (!depth)
			return;
		add_fault(&report, fault, thread);
		add(&report, "\n");
	} else {
		slot_t thread_slot = slot(thread->object.slot);
		if (kernel_thread_read(thread_slot, THREAD_FIELD_FAULT, &fault) ||
		    fault.w[3] != index)
			return;
		if (!depth && !is_root) { /* its dispatcher will tell */
			trace_make(&thread->trace, domain_by_index(index), fault.w[2], esp,
				   DATA_TOP);
			return;
		}
		add_fault(&report, fault, thread);
		if (depth)
			add_badge(&report, thread_slot, depth, index);
		else
			add(&report, ", at home\n");
		add_calls(&report, thread_slot, depth, index, fault.w[2], esp);
	}
	report_say(&report);
}

void fault_report(struct thread *thread)
{
	char text[REPORT_BYTES];
	struct report report = {text, 0, 0};
	struct words fault;
	MUST(kernel_thread_read(slot(thread->object.slot), THREAD_FIELD_FAULT, &fault));
	add_fault(&report, fault, thread);
	add(&report, ", %s\n",
	    fault.w[3] == thread->home->object.frame ? "at home" : "its callers are dead");
	if (thread->trace.place == fault.w[2])
		add_trace(&report, fault.w[3], &thread->trace);
	report_say(&report);
}

void fault_door_give(struct domain *domain)
{
	uint32_t door = domain_door(&root_domain, domain->object.frame);
	domain_give(domain, SLOT_FAULT_DOOR, door);
	slot_give(door);
}
