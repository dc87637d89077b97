/* SPDX-License-Identifier: MIT */
#ifndef NOUS_IDLE_H
#define NOUS_IDLE_H

#include <stdint.h>

/* Makes the console; what its thread executes in a second without a key. */
uint32_t console_idle(void);

#endif
