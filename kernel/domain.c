/* SPDX-License-Identifier: MIT */
/* Operations on a domain capability: its list, its entries, its doors, its pages. */
#include "x86/x86.h"

uint32_t domain_grant(struct capability *capability, struct call_frame *frame)
{
	return slot_copy(slot_to(capability_page(capability), frame->word1), frame->word2);
}

uint32_t domain_delete(struct capability *capability, struct call_frame *frame)
{
	return slot_delete(capability_page(capability), frame->word1);
}

uint32_t domain_set(struct capability *capability, struct call_frame *frame)
{
	uint32_t field = frame->word1, value = frame->word2;
	if (field >= DOMAIN_FIELDS || value >= KERNEL_BASE)
		return ERROR_ARGUMENT;
	((struct domain *)capability_page(capability))->set[field] = value;
	return 0;
}

/* Minting: a door to this domain. The badge is whatever its services understand by it. */
uint32_t domain_door(struct capability *capability, struct call_frame *frame)
{
	struct capability *to = slot_result(frame->word1);
	struct domain *domain = capability_page(capability);
	if (!to)
		return ERROR_ARGUMENT;
	capability_make(to, CAPABILITY_DOOR, domain->confidential ? RIGHT_CONFIDENTIAL : 0,
			domain->self.word);
	to->badge_low = frame->word2;
	to->badge_high = frame->word3;
	return 0;
}

/* The directory entry at TSS_SLOT of a domain: its own bitmap or everybody's. */
void bitmap_enter(struct domain *domain, const void *table)
{
	directory_of(domain)[TSS_SLOT] = physical(table) | ENTRY_PRESENT | ENTRY_WRITE;
	if (domain == cpu.running_domain)
		directory_load(domain->directory);
}

/* A capability page under its number, the lock page, or the port bitmap: by the page's kind. */
uint32_t domain_attach(struct capability *capability, struct call_frame *frame)
{
	struct domain *domain = capability_page(capability);
	struct capability *found;
	uint32_t number = frame->word1;
	uint32_t error = slot_object(frame->word2, CAPABILITY_BITMAP, &found);
	if (error == ERROR_KIND)
		error = slot_object(frame->word2, CAPABILITY_PAGE, &found);
	if (error)
		return error;
	struct object *page = object_at(found->word);
	uint32_t kind = page->page & OBJECT_KIND_MASK;
	if (kind != OBJECT_CAPABILITY_PAGE && kind != OBJECT_LOCK_PAGE && kind != OBJECT_BITMAP)
		return ERROR_KIND;
	if (number >= (kind == OBJECT_CAPABILITY_PAGE ? BANK_PAGES : 1))
		return ERROR_ARGUMENT;
	struct reference *at = kind == OBJECT_BITMAP      ? &domain->bitmap
			       : kind == OBJECT_LOCK_PAGE ? &domain->lock
							  : &domain->bank[number];
	if (page->page & OBJECT_ATTACHED || reference_page(*at))
		return ERROR_STATE;
	page->page |= OBJECT_ATTACHED;
	*at = reference_of(found);
	if (kind == OBJECT_BITMAP) {
		const uint32_t *table = object_page(page);
		/* the second bitmap page's entry remembers the domain for authority_destroy */
		object_table[table[2] >> 12].page =
			domain->self.word << (12 - CAPABILITY_INDEX_SHIFT) | OBJECT_ATTACHED |
			OBJECT_BITMAP_PAGE;
		bitmap_enter(domain, table);
	}
	return 0;
}

/* What a slot names, without the badge: that is for the code of the door's own domain. */
uint32_t domain_read(struct capability *capability, struct call_frame *frame)
{
	struct capability *at = slot_find(capability_page(capability), frame->word1);
	if (!at)
		return ERROR_ARGUMENT;
	frame->word0 = at->word >> CAPABILITY_RIGHTS_SHIFT;
	frame->word1 = index_of(at->word);
	frame->word2 = at->generation;
	return 0;
}
