/* SPDX-License-Identifier: MIT */
/* The console's commands. What they show, the kernel says; names are those of the board. */
#include "commands.h"
#include "console.h"
#include "keyboard/keyboard.h"
#include "line.h"
#include "lspci.h"
#include "memory/memory.h"
#include "text.h"
#include "version.h"

static const struct console_board *const board = (const struct console_board *)CONSOLE_BOARD;

static const char *name_of(const struct console_object *objects, uint32_t count, uint32_t index)
{
	for (uint32_t i = 0; i < count; i++)
		if (objects[i].name[0] && objects[i].index == index)
			return objects[i].name;
	return "?";
}
static const char *domain_name(uint32_t index)
{
	return name_of(board->domain, CONSOLE_DOMAINS_MAX, index);
}
static const char *thread_name(uint32_t index)
{
	return name_of(board->thread, CONSOLE_THREADS_MAX, index);
}

/* ---- domains ------------------------------------------------------------------------------------
 */
static _Bool slot_read(uint32_t domain, uint32_t number, struct words *what)
{
	return !kernel_domain_read(slot(CONSOLE_DOMAINS + domain), slot(number), what);
}

static void domains_show(const char *argument)
{
	(void)argument;
	print("  domain        index  capabilities\n");
	for (uint32_t i = 0; i < CONSOLE_DOMAINS_MAX; i++) {
		struct words what;
		uint32_t count = 0;
		if (!board->domain[i].name[0])
			continue;
		for (uint32_t number = 0; number < SLOTS_MAX && slot_read(i, number, &what);
		     number++)
			count += what.w[0] != 0;
		print("  %-12s %6u  %12u\n", board->domain[i].name, board->domain[i].index, count);
	}
}

static const char *const kinds[CAPABILITY_KINDS] = {[CAPABILITY_DOOR] = "door",
						    [CAPABILITY_SELF] = "self",
						    [CAPABILITY_THREAD] = "thread",
						    [CAPABILITY_DOMAIN] = "domain",
						    [CAPABILITY_AUTHORITY] = "authority",
						    [CAPABILITY_IRQ] = "line",
						    [CAPABILITY_PORTS] = "ports",
						    [CAPABILITY_BITMAP] = "bitmap",
						    [CAPABILITY_PAGE] = "page"};

static void rights_print(uint32_t kind, uint32_t rights)
{
	static const char *const names[CAPABILITY_KINDS][4] = {
		[CAPABILITY_DOOR] = {"confidential"},
		[CAPABILITY_THREAD] = {"signal", "dispatch", "manage", "read"},
		[CAPABILITY_DOMAIN] = {"", "door", "manage", "read"},
		[CAPABILITY_AUTHORITY] = {"create", "destroy", "", "read"}};
	for (uint32_t i = 0; i < 4; i++)
		if (rights & 1u << i && names[kind][i] && names[kind][i][0])
			print(" %s", names[kind][i]);
	print("\n");
}

/* One slot: kind, what it leads to, rights. */
static void capability_show(uint32_t number, const struct words *what)
{
	uint32_t kind = what->w[0] >> 4, index = what->w[1];
	print("  %4u  %-9s ", number, kind < CAPABILITY_KINDS ? kinds[kind] : "?");
	if (kind == CAPABILITY_DOOR || kind == CAPABILITY_DOMAIN)
		print("%-12s", domain_name(index));
	else if (kind == CAPABILITY_THREAD)
		print("%-12s", thread_name(index));
	else if (kind == CAPABILITY_IRQ)
		print("%-12u", index - OBJECT_IRQ_FIRST);
	else if (kind == CAPABILITY_SELF)
		print("whoever runs");
	else
		print("%-12s", "");
	print(" index %6u, generation %3u ", index, what->w[2]);
	rights_print(kind, what->w[0] & RIGHTS_ALL);
}

static void capabilities_show(const char *argument)
{
	for (uint32_t i = 0; i < CONSOLE_DOMAINS_MAX; i++) {
		struct words what;
		if (!*argument || strcmp(board->domain[i].name, argument) != 0)
			continue;
		print("  slot  kind      what\n");
		for (uint32_t number = 0; number < SLOTS_MAX && slot_read(i, number, &what);
		     number++)
			if (what.w[0])
				capability_show(number, &what);
		return;
	}
	print("caps DOMAIN, with a name that domains shows\n");
}

/* ---- threads ------------------------------------------------------------------------------------
 */
static void threads_show(const char *argument)
{
	static const char *const states[] = {"stopped", "ready", "waiting", "in chain"};
	(void)argument;
	print("  thread        index  state    now in       deep CPU time, ticks     ms  share\n");
	uint64_t elapsed = account_time(ACCOUNT_ELAPSED);
	for (uint32_t i = 0; i < CONSOLE_THREADS_MAX; i++) {
		struct words state;
		uint64_t ticks;
		if (!thread_time(i, &ticks) ||
		    kernel_thread_read(slot(CONSOLE_THREADS + i), THREAD_FIELD_STATE, &state))
			continue;
		uint32_t share = share_of(ticks, elapsed);
		print("  %-12s %6u  %-8s %-12s %4u %14llu %7llu %3u.%u%%\n", board->thread[i].name,
		      board->thread[i].index, state.w[0] < 4 ? states[state.w[0]] : "?",
		      domain_name(state.w[2]), state.w[1], ticks, ticks / board->cycles_per_ms,
		      share / 10, share % 10);
	}
}

/* ---- frames -------------------------------------------------------------------------------------
 */
static void frames_row(const char *name, uint32_t frames, uint32_t limit)
{
	uint32_t tenths = frames * 10 / 256;
	print("  %-18s %8u %7u.%u", name, frames, tenths / 10, tenths % 10);
	if (limit)
		print("  %11u", limit);
	print("\n");
}

static void frames_show(const char *argument)
{
	static const char *const types[] = {[MEMORY_RESERVED] = "reserved",
					    [MEMORY_DIRTY] = "dirty",
					    [MEMORY_CLEAN] = "clean",
					    [MEMORY_DATA] = "data",
					    [MEMORY_TABLE] = "table",
					    [MEMORY_DIRECTORY] = "directory",
					    [MEMORY_OBJECT] = "object",
					    [MEMORY_BECOMING] = "becoming",
					    [MEMORY_DROPPING_TABLE] = "dropping table",
					    [MEMORY_DROPPING_DIRECTORY] = "dropping directory",
					    [MEMORY_LOCK_PAGE] = "lock page"};
	enum { TYPES = sizeof(types) / sizeof(types[0]) };
	uint32_t counts[TYPES] = {0}, all = 0;
	(void)argument;
	for (uint32_t i = 0; i < board->frames; i++) {
		struct memory_frame frame;
		if (memory_read(slot(CONSOLE_MEMORY), i, &frame) != RETURN)
			break;
		uint32_t type = MEMORY_TYPE_OF(frame.key);
		if (type < TYPES)
			counts[type]++;
		all++;
	}
	if (!all) {
		print("no memory service\n");
		return;
	}
	print("  type                 frames       MiB\n");
	for (uint32_t i = 0; i < TYPES; i++)
		frames_row(types[i], counts[i], 0);
	frames_row("all", all, 0);
	print("  holder               frames       MiB   of at most\n");
	for (uint32_t i = 0; i < CONSOLE_HOLDERS_MAX; i++)
		if (board->holder[i].name[0])
			frames_row(board->holder[i].name, board->holder[i].used,
				   board->holder[i].limit);
	frames_row("nobody", board->frames_free, 0);
}

/* ---- the rest -----------------------------------------------------------------------------------
 */
static void pci_show(const char *argument)
{
	(void)argument;
	if (pci_print(slot(CONSOLE_PCI)) != RETURN)
		print("no PCI service\n");
}
static void windows_switch(const char *argument)
{
	(void)argument;
	request(CONSOLE_WINDOWS);
}
static void bench_run(const char *argument)
{
	(void)argument;
	request(CONSOLE_BENCH);
}
static void schedule_run(const char *argument)
{
	(void)argument;
	request(CONSOLE_SCHEDULE);
}
static void attack_run(const char *argument)
{
	(void)argument;
	request(CONSOLE_ATTACK);
}
static void about_show(const char *argument)
{
	(void)argument;
	print("Nous " NOUS_VERSION ", a microkernel that lends threads\n"
	      "compiled by GCC " __VERSION__ "; MIT licence, no warranty\n");
}
static void machine_reset(const char *argument)
{
	(void)argument;
	keyboard_reset_machine(slot(CONSOLE_KEYBOARD));
	print("the keyboard's controller does not reset this machine\n");
}
static void machine_off(const char *argument)
{
	(void)argument;
	request(CONSOLE_POWEROFF);
}

static void help_show(const char *argument);
static const struct {
	const char *name, *what;
	void (*run)(const char *argument);
} commands[] = {
	{"help", "this list", help_show},
	{"domains", "the address spaces", domains_show},
	{"threads", "the threads, and the CPU time that each has consumed", threads_show},
	{"top", "who has the CPU, by share of each second, until a key is pressed", top_show},
	{"caps", "DOMAIN: what is in its list of capabilities", capabilities_show},
	{"frames", "the memory: how many frames are of which type", frames_show},
	{"lspci", "the PCI functions", pci_show},
	{"windows", "programs that draw, each in its rectangle; once more: they go",
	 windows_switch},
	{"bench", "what calls and other operations cost, in ticks", bench_run},
	{"schedule", "threads by a plan, by deadlines and by shares, one upon the other",
	 schedule_run},
	{"attack", "hostile programs, one after the other", attack_run},
	{"about", "which version this is", about_show},
	{"reboot", "the machine begins anew", machine_reset},
	{"poweroff", "the end", machine_off},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help_show(const char *argument)
{
	(void)argument;
	for (uint32_t i = 0; i < COMMANDS; i++)
		print("  %-9s %s\n", commands[i].name, commands[i].what);
	print("Keys: arrows, Home, End, Delete; Control A E B F P N D U K W C.\n");
}

/* The next word, which ends where *at then goes on. */
static const char *word_take(char **at)
{
	while (**at == ' ')
		++*at;
	const char *word = *at;
	while (**at && **at != ' ')
		++*at;
	if (**at)
		*(*at)++ = 0;
	return word;
}

void command_run(const char *line)
{
	char words[LINE_BYTES];
	char *at = memcpy(words, line, strlen(line) + 1);
	const char *word = word_take(&at);
	if (!*word)
		return;
	for (uint32_t i = 0; i < COMMANDS; i++)
		if (!strcmp(word, commands[i].name)) {
			commands[i].run(word_take(&at));
			return;
		}
	print("%s: no such command; help lists them\n", word);
}
