/* SPDX-License-Identifier: MIT */
/* What a program knows of the extent that it stands in. */
#include "memory_space.h"

/* A whole page never ends in it: child_own writes it through one window. */
struct memory_self memory_self __attribute__((aligned(128)));
_Static_assert(sizeof(memory_self) <= 128, "memory_self lies within a page");

void space_own(struct space *space, struct pool *pool, uint32_t *taken)
{
	pool_begin(pool, slot(memory_self.extent), 0, memory_self.frames, taken);
	for (uint32_t frame = 0; frame < memory_self.next; frame++)
		taken[frame / 32] |= 1u << frame % 32;
	*space = (struct space){pool, memory_self.directory, {0}, memory_self.count};
	memcpy(space->tables, memory_self.tables, sizeof(space->tables));
}
