/* SPDX-License-Identifier: MIT */
/* Inside the memory service: what it asks the kernel for. Results are errors of the kernel. */
#ifndef NOUS_MEMORY_AUTHORITY_H
#define NOUS_MEMORY_AUTHORITY_H

#include <stdint.h>

/* Kind (OBJECT_NONE, OBJECT_RESERVED) and generation. */
uint32_t object_inspect(uint32_t frame, uint32_t *generation);
uint32_t object_create(uint32_t kind, uint32_t second, uint32_t frame, uint32_t generations,
		       uint32_t parameter);
uint32_t object_destroy(uint32_t frame, uint32_t generation);
/* The capability to it, or a door to the service, comes into lent_slot(0) of this call. */
uint32_t object_fetch(uint32_t frame, uint32_t generation);
uint32_t door_make(uint64_t badge);
/* Of the first capability that was lent: the badge, if it is a door to the service. */
uint32_t lent_badge(uint64_t *badge);

#endif
