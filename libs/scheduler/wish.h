/* SPDX-License-Identifier: MIT */
/* What a scheduler is asked for by the threads that it dispatches. */
#ifndef NOUS_WISH_H
#define NOUS_WISH_H

#include "interface.h"

/*
 * The thread whose door this is shall be told when that time has come (scheduler_wait_until). It
 * runs on the child's thread and writes nothing but this child's wish. (Only the child is hurt if
 * it is stopped between the two halves.) Cost: that of a call.
 */
uint32_t wish_until(slot_t door, uint64_t time);

#include "wish.stubs.h"

#endif
