/* SPDX-License-Identifier: MIT */
/* What several files of tests need: see raw.h. */
#include "raw.h"

void raw_peer_make(struct domain *domain, const char *name, const void *entry, const void *fault)
{
	peer_make(domain, name);
	domain_entries(domain, (uint32_t)entry, (uint32_t)fault);
}

void object_destroy(struct object object)
{
	MUST(kernel_destroy(AUTHORITY, object.frame, object_generation(object.frame)));
}

uint32_t client_depth(struct client *client)
{
	struct words words;
	MUST(kernel_thread_read(slot(client->thread.object.slot), THREAD_FIELD_STATE, &words));
	return words.w[1];
}

_Bool client_step_to_depth(struct client *client, uint32_t depth)
{
	while (client_step(client).reason == DISPATCH_STEPPED)
		if (client_depth(client) == depth)
			return 1;
	return 0;
}

static uint32_t *root_entry(uint32_t address)
{
	return (uint32_t *)frame_pointer(root_domain.directory_frame) + ENTRY_OF(address);
}

void lendable_make(struct lendable *lendable, uint32_t address)
{
	lendable->address = address;
	lendable->table = domain_table(&root_domain, address);
	lendable->frame = domain_page(&root_domain, address);
	lendable->page = frame_pointer(lendable->frame);
}

void lendable_end(struct lendable *lendable)
{
	*root_entry(lendable->address) = 0;
	object_end((struct object){lendable->table, 0});
	frame_give(lendable->frame);
}

#define PAINT 0xA5A5A5A5u
static uint32_t *data_page(const struct client *client)
{
	return frame_pointer(client->thread.data[0].frame);
}
void stack_paint(struct client *client)
{
	for (uint32_t i = 0; i < PAGE_BYTES / 4; i++)
		data_page(client)[i] = PAINT;
}
uint32_t stack_used(const struct client *client)
{
	uint32_t at = PARAMETER_BYTES / 4;
	while (at < PAGE_BYTES / 4 && data_page(client)[at] == PAINT)
		at++;
	return (DATA_STACK & (PAGE_BYTES - 1)) - at * 4;
}
