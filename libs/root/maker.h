/* SPDX-License-Identifier: MIT */
/* Of what domains and threads are made: at first of frames, with the authority and the linear map
 * (domains.c, root.c); after the hand-over of an extent (handover.c), which sets root_maker. */
#ifndef NOUS_MAKER_H
#define NOUS_MAKER_H

#include "root.h"

struct maker {
	void (*domain_make)(struct domain *domain, uint32_t confidential);
	void (*domain_load)(struct domain *domain);
	uint32_t (*domain_page)(struct domain *domain, uint32_t address, const void *content,
				uint32_t bytes);
	void *(*domain_share)(struct domain *domain, uint32_t address);
	void (*domain_end)(struct domain *domain);
	void (*thread_make)(struct thread *thread), (*thread_end)(struct thread *thread);
	uint32_t (*frames_free)(void);
};
extern const struct maker *root_maker; /* null: not handed over */

/* The same as memory_begin with all frames that are left, up to `end`: nobody else is to have the
 * linear map from then on, or to take a frame. The first frame that the service manages. */
uint32_t memory_take_over(struct domain *memory, uint32_t end);

/* allocator_make in two steps: the second needs no frame. */
void allocator_load(struct domain *allocator, const char *name, struct thread *starter);
void allocator_start(struct thread *starter, uint32_t extent, uint32_t argument);

/* What the capability in a slot allows from now on is to read. */
void only_look(uint32_t number);

#endif
