/* SPDX-License-Identifier: MIT */
/* What the console's two files share. */
#ifndef NOUS_COMMANDS_H
#define NOUS_COMMANDS_H

#include <stdint.h>

/* Runs a line: a command and its argument, apart by spaces. */
void command_run(const char *line);

/* Asks the dispatcher for something (enum console_request) and waits until it is done. */
void request(unsigned bit);

/* Waits for an event of the mask, or a key: then true, and all that was typed is gone. */
_Bool wait_for_key(uint32_t mask);

/* The command `top`. */
void top_show(const char *argument);

/* How many tenths of a percent the part is of the whole; more than all is all. */
uint32_t share_of(uint64_t part, uint64_t whole);

/* What a domain or thread consumed until now; what the machine did, by enum account. */
_Bool thread_time(uint32_t number, uint64_t *ticks);
uint64_t account_time(uint32_t account);

#endif
