/* SPDX-License-Identifier: MIT */
/*
 * A root program that runs ordinary C programs (libs/c/process.h), each in an extent of its own,
 * several at once in turn. The command line says which:
 *
 *     [unattended] [limit=MILLISECONDS] run PROGRAM [ARGUMENT...] [and PROGRAM...] [then
 * PROGRAM...]
 *
 * Programs joined by `and` run at once, `then` begins when those before have ended. A program that
 * has had the limit of processor time is killed. Modules that are no programs are files, which all
 * of them can read. The machine ends with success if the last ones did, and if every frame came
 * back.
 */
#include "elf/elf.h"
#include "keyboard/keyboard.h"
#include "memory/memory_space.h"
#include "process.h"
#include "root.h"
#include "serial/serial.h"

#define PROCESSES_MAX 4u
#define WOKEN         0u  /* event bit: somebody who waited can go on */
#define FAULTED       139 /* exit statuses, as a shell would say them */
#define KILLED        137

struct process {
	struct domain domain;
	struct thread thread;
	struct process_board board;
	uint64_t consumed;
	uint32_t slices, status;
	_Bool has_ended;
};
static struct process processes[PROCESSES_MAX];
static uint32_t count;
static _Bool are_lost;                  /* frames */
static uint64_t limit = DEADLINE_NEVER; /* cycles */

/* ---- the command line ------------------------------------------------------------------------ */
/* The next word; NULL: there is none. */
static const char *word_next(const char **line, char *word, size_t bytes)
{
	size_t length = 0;
	while (**line == ' ')
		(*line)++;
	for (; **line && **line != ' '; (*line)++)
		if (length + 1 < bytes)
			word[length++] = **line;
	word[length] = 0;
	return length ? word : NULL;
}

/* What stands behind `name` in the word, a number; 0: the word does not begin so. */
static uint32_t number_behind(const char *name, const char *text)
{
	uint32_t value = 0;
	while (*name && *name == *text)
		name++, text++;
	if (*name)
		return 0;
	while (*text >= '0' && *text <= '9')
		value = value * 10 + (uint32_t)(*text++ - '0');
	return value;
}

/* ---- a process ------------------------------------------------------------------------------- */
static void give_narrowed(struct domain *domain, uint32_t there, uint32_t from, uint32_t rights,
			  uint32_t badge)
{
	uint32_t narrow = slot_take();
	MUST(kernel_narrow(slot(narrow), slot(from), rights, badge));
	domain_give(domain, there, narrow);
	slot_give(narrow);
}

static void give_door(struct domain *domain, uint32_t there, struct domain *service, uint64_t badge)
{
	uint32_t door = domain_door(service, badge);
	domain_give(domain, there, door);
	slot_give(door);
}

/* All modules that no program is made of. */
static void files_give(struct domain *domain, struct process_board *board)
{
	uint32_t address = PROCESS_FILES;
	for (uint32_t i = 1; i < boot_record->module_count; i++) {
		const struct boot_module *module = &boot_record->modules[i];
		const uint8_t *content = module_file(module);
		struct process_file *file = &board->file[board->file_count];
		if (!elf_check(content, module->bytes, IMAGE_BASE, WINDOW_TABLE))
			continue;
		if (board->file_count++ == PROCESS_FILES_MAX)
			root_fail("there are too many files", 0);
		*file = (struct process_file){.address = address, .bytes = module->bytes};
		memcpy(file->name, module->name, sizeof(file->name));
		for (uint32_t at = 0; at < module->bytes; at += PAGE_BYTES, address += PAGE_BYTES)
			domain_fill(domain, address, content + at,
				    module->bytes - at < PAGE_BYTES ? module->bytes - at
								    : PAGE_BYTES);
	}
}

static void doors_give(struct process *process)
{
	struct domain *domain = &process->domain;
	give_door(domain, PROCESS_SERIAL, &serial_domain, SERIAL_MAY_WRITE | SERIAL_MAY_READ);
	if (screen_slot)
		domain_give(domain, PROCESS_SCREEN, screen_slot);
	if (keyboard_slot)
		give_door(domain, PROCESS_KEYBOARD, &keyboard_domain, KEYBOARD_MAY_READ);
	give_narrowed(domain, PROCESS_SELF, process->thread.object.slot, RIGHT_SIGNAL | RIGHT_READ,
		      1u << PROCESS_KEY | 1u << PROCESS_LINE);
	give_narrowed(domain, PROCESS_STARTER, ROOT_THREAD, RIGHT_SIGNAL, PROCESS_END_BITS);
}

/* A quarter of what is free, so that several find room. */
static uint32_t order_choose(void)
{
	uint32_t order = CHILD_ORDER_MAX;
	while (order && 4u << order > frames_free())
		order--;
	return order;
}

static void process_make(struct process *process)
{
	const char *name = process->board.arguments;
	domain_make_large(&process->domain, name, order_choose());
	domain_load(&process->domain, name);
	files_give(&process->domain, &process->board);
	domain_fill(&process->domain, PROCESS_BOARD, &process->board, sizeof(process->board));
	thread_make(&process->thread, name, &process->domain);
	doors_give(process);
	domain_own(&process->domain, PROCESS_EXTENT);
	thread_go(&process->thread, process->domain.entry, 0, 0);
}

static void process_end(struct process *process, uint32_t status)
{
	process->status = status;
	process->has_ended = 1;
	thread_end(&process->thread);
	domain_end(&process->domain);
}

/* ---- running them ---------------------------------------------------------------------------- */
/* A slice; false: it can't go on now. */
static _Bool process_run(struct process *process)
{
	struct dispatch_result result;
	uint64_t slice = (uint64_t)SLICE_MS * boot_record->cycles_per_ms;
	MUST(kernel_dispatch(slot(process->thread.object.slot), PROCESS_END_BITS | 1u << WOKEN,
			     cycles() + slice, WOKEN << DISPATCH_BIT_SHIFT, &result));
	process->consumed += result.cycles;
	process->slices++;
	if (result.reason == DISPATCH_EVENT && result.bits & PROCESS_END_BITS)
		process_end(process, PROCESS_STATUS(result.bits));
	else if (result.reason == DISPATCH_FAULTED || result.reason == DISPATCH_ENDED) {
		fault_report(&process->thread);
		process_end(process, FAULTED);
	} else if (process->consumed >= limit)
		process_end(process, KILLED);
	return result.reason != DISPATCH_WAITING;
}

/* In turn, until all have ended. While all of them wait, so does this thread. */
static void processes_run(void)
{
	uint32_t left = count, waiting = 0, bits;
	for (uint32_t i = 0; left; i = (i + 1) % count) {
		struct process *process = &processes[i];
		if (process->has_ended)
			continue;
		waiting = process_run(process) ? 0 : waiting + 1;
		left -= process->has_ended;
		if (left && waiting >= left) {
			MUST(kernel_wait(1u << WOKEN, DEADLINE_NEVER, &bits));
			waiting = 0;
		}
	}
}

/* True: all of them ended with 0. */
static _Bool group_run(void)
{
	uint32_t frames = frames_free();
	_Bool success = 1;
	for (uint32_t i = 0; i < count; i++)
		process_make(&processes[i]);
	processes_run();
	for (uint32_t i = 0; i < count; i++) {
		struct process *process = &processes[i];
		if (process->status || count > 1)
			print("loader: %s: exit status %u, after %u slices of %u ms\n",
			      process->board.arguments, process->status, process->slices, SLICE_MS);
		success &= !process->status;
	}
	if (frames != frames_free())
		print("loader: of %u free frames %u came back\n", frames, frames_free());
	are_lost |= frames != frames_free();
	count = 0;
	return success;
}

static void argument_add(struct process_board *board, const char *word)
{
	size_t used = 0;
	for (uint32_t i = 0; i < board->argument_count; i++)
		used += strlen(board->arguments + used) + 1;
	if (used + strlen(word) >= sizeof(board->arguments))
		root_fail("the arguments are too long", 0);
	memcpy(board->arguments + used, word, strlen(word) + 1);
	board->argument_count++;
}

static void process_begin(_Bool is_attended)
{
	if (count == PROCESSES_MAX)
		root_fail("there are too many programs at once", 0);
	processes[count++] = (struct process){
		.board = {.cycles_per_ms = boot_record->cycles_per_ms, .is_attended = is_attended}};
}

int main(void)
{
	const char *line = boot_record->command_line;
	char word[64];
	_Bool is_attended = 1, in_run = 0;
	root_begin();
	root_hand_over();
	while (word_next(&line, word, sizeof(word))) {
		_Bool is_then = in_run && !strcmp(word, "then");
		if (!strcmp(word, "unattended"))
			is_attended = 0;
		else if (!in_run && number_behind("limit=", word))
			limit = (uint64_t)number_behind("limit=", word) *
				boot_record->cycles_per_ms;
		else if (is_then || (!in_run && !strcmp(word, "run")) ||
			 (in_run && !strcmp(word, "and"))) {
			if (is_then)
				group_run();
			in_run = 1;
			process_begin(is_attended);
		} else if (in_run)
			argument_add(&processes[count - 1].board, word);
	}
	if (!count)
		root_fail("its command line has no `run PROGRAM`", 0);
	_Bool success = group_run();
	machine_end(success && !are_lost);
}
