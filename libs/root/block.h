/* SPDX-License-Identifier: MIT */
/* What domains are made of after the hand-over: frames of this program's own extent, or of a block
 * that an account has taken. */
#ifndef NOUS_BLOCK_H
#define NOUS_BLOCK_H

#include "memory/memory_space.h"
#include "root.h"

struct block {
	struct builder builder; /* first: children name it */
	struct pool pool;
	uint32_t base;   /* the frame with which its extent begins */
	uint32_t frames; /* so many were free at first */
};
extern struct block own_block;
extern struct block *block_now; /* of which domains are made */

static inline uint32_t child_base(const struct child *child)
{
	return ((const struct block *)child->builder)->base;
}

/* Of calls of services; else root_fail with what was called. */
void must_return(uint32_t result, const char *what);
#define MUST_RETURN(call) must_return(call, #call)

/* A slot that can be lent and designated: not above 127. */
uint32_t low_slot(void);

/* The quota allocator: loaded while frames are root's, begun when it has got an extent: frames from
 * `first` on. quota_load: false: the menu's entry does not bring it. */
_Bool quota_load(void);
void quota_begin(uint32_t extent, uint32_t first);
uint32_t quota_free(void); /* frames */

#endif
