/* SPDX-License-Identifier: MIT */
/* The service's own calls of the kernel: apart, for they need EBP, which sections keep. */
#include "authority.h"

#include "memory.h"

#define AUTHORITY slot(MEMORY_SLOT_AUTHORITY)

uint32_t object_inspect(uint32_t frame, uint32_t *generation)
{
	uint32_t kind;
	if (kernel_inspect(AUTHORITY, frame, &kind, generation)) /* beyond the object table */
		return OBJECT_RESERVED;
	return kind;
}

uint32_t object_create(uint32_t kind, uint32_t second, uint32_t frame, uint32_t generations,
		       uint32_t parameter)
{
	return kernel_create(AUTHORITY, kind, second, frame, generations, parameter);
}

uint32_t object_destroy(uint32_t frame, uint32_t generation)
{
	return kernel_destroy(AUTHORITY, frame, generation);
}

uint32_t object_fetch(uint32_t frame, uint32_t generation)
{
	return kernel_fetch(AUTHORITY, frame, lent_slot(0), generation);
}

uint32_t lent_badge(uint64_t *badge)
{
	return kernel_badge(lent_slot(0), badge);
}

uint32_t door_make(uint64_t badge)
{
	return kernel_door(slot(MEMORY_SLOT_DOMAIN), lent_slot(0), badge);
}
