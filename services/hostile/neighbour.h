/* SPDX-License-Identifier: MIT */
#ifndef NOUS_NEIGHBOUR_H
#define NOUS_NEIGHBOUR_H

#include "hostile_program.h"
#include <stdint.h>

uint32_t chance(void);
/* Doors that were deleted come back, if this program is one that has a store of them. */
void neighbour_begin(void);
void neighbour_run(enum hostile_task task);

#endif
