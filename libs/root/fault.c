/* SPDX-License-Identifier: MIT */
/*
 * Fault reports. Of a thread that has stopped its dispatcher tells (fault_report); of a call that
 * ends the service does, on the client's thread, through a door of ours. What is said is what the
 * kernel saw, but for the badge; the service can only have it said again. Nothing is written but
 * the thread's own data page; and if the root thread changes its tables meanwhile, this report is
 * wrong or faults itself, and is over.
 */
#include "elf/elf.h"
#include "root.h"
#include "serial/serial.h"

OPERATION void fault_told(uint32_t index, uint32_t place, uint32_t class);

#define REPORT_BYTES 320u /* four lines of 79 at the most */

struct report {
	char *text;
	uint32_t bytes;
};

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

void fault_report(struct thread *thread)
{
	char text[REPORT_BYTES];
	struct report report = {text, 0};
	struct words fault;
	MUST(kernel_thread_read(slot(thread->object.slot), THREAD_FIELD_FAULT, &fault));
	add_fault(&report, fault, thread);
	add(&report, ", %s\n",
	    fault.w[3] == thread->home->object.frame ? "at home" : "its callers are dead");
	print("%s", text);
}

/*
 * The badge of the door through which a call came: service_entry left it where its stack begins,
 * which the caller's ESP tells. Null if it is not there. A client that lies about its ESP and has
 * prepared the page can have another badge said, of its own call.
 */
static const uint32_t *badge_find(const struct domain *service, uint32_t caller_esp)
{
	uint32_t begins[2] = {(caller_esp & (PAGE_BYTES - 16)) | DATA_PAGE, DATA_STACK};
	for (uint32_t i = (caller_esp & ~(PAGE_BYTES - 1)) != DATA_PAGE; i < 2; i++) {
		const uint32_t *begin = (const uint32_t *)begins[i];
		if (begins[i] > DATA_PAGE && service->answer && begin[-3] == service->answer)
			return begin - 2;
	}
	return NULL;
}

/* Called by the domain that the badge names, in the middle of anything; at home its dispatcher will
 * tell. The stack is on the data page, so the serial service is called from below it. */
OPERATION void fault_told(uint32_t index, uint32_t place, uint32_t class)
{
	uint32_t number, depth, here;
	if (kernel_identify(&number, &depth, &here) || depth < 2)
		return;
	struct report report = {parameters(), 0};
	struct words fault = {{class, 0, place, index}}, call;
	const struct thread *thread = thread_by_index(number);
	if (!thread) {
		add_fault(&report, fault, thread);
		add(&report, "\n");
	} else {
		slot_t thread_slot = slot(thread->object.slot);
		if (kernel_thread_read(thread_slot, THREAD_FIELD_FAULT, &fault) ||
		    kernel_thread_call(thread_slot, depth - 1, &call) || fault.w[3] != index)
			return;
		const struct domain *service = domain_by_index(index);
		const uint32_t *badge = service ? badge_find(service, call.w[2]) : NULL;
		uint64_t value = badge ? (uint64_t)badge[0] << 32 | badge[1] : 0;
		add_fault(&report, fault, thread);
		add(&report, badge ? ", door badge %llx\n" : ", door badge ?\n",
		    (unsigned long long)value);
		add_place(&report, "  called from", call.w[0], call.w[1]);
	}
	serial_write(nested(slot(console_slot)), report.bytes, report.text);
}

void fault_door_give(struct domain *domain)
{
	uint32_t door = domain_door(&root_domain, domain->object.frame);
	domain_give(domain, SLOT_FAULT_DOOR, door);
	slot_give(door);
}
