/* SPDX-License-Identifier: MIT */
/* What the console's two files share. */
#ifndef NOUS_COMMANDS_H
#define NOUS_COMMANDS_H

/* Runs a line: a command and its argument, apart by spaces. */
void command_run(const char *line);

/* Asks the dispatcher for something (enum console_request) and waits until it is done. */
void request(unsigned bit);

#endif
