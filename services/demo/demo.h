/* SPDX-License-Identifier: MIT */
/* The parts of the root program of the menu's first entry. */
#ifndef NOUS_DEMO_H
#define NOUS_DEMO_H

#include <stdint.h>

/* Six steps in plain words. True: all frames came back. */
_Bool demonstration(void);

/* What the console asks for: each a few programs that are loaded, run and ended. */
void bench_run(void);
void attack_run(void);

#endif
