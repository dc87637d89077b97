/* SPDX-License-Identifier: MIT */
/*
 * Page frames as a resource. A capability names an extent of frames, aligned to its size, with
 * rights and a generation; its holder maps them, makes page tables, directories and kernel objects
 * of them, cleans them, and splits parts off to hand on. The service edits all page tables, is the
 * only holder of the kernel's frame authority, keeps no memory per client, and has no opinion: who
 * gets which frame is the business of allocators. What it guarantees, and why: docs/memory.md.
 *
 * A frame is of one type at a time:
 *
 *     DIRTY -clean-> CLEAN -become-> DATA -clean (no mapping left)-> ... CLEAN
 *                    CLEAN -become-> BECOMING -> TABLE, DIRECTORY, OBJECT
 *     TABLE -drop-> DROPPING_TABLE -> CLEAN      DIRECTORY -drop-> DROPPING_DIRECTORY -> CLEAN
 *     OBJECT -drop-> DIRTY              LOCK_PAGE -drop (no mapping left)-> OBJECT, DIRTY
 *
 * The arrows through a half-way state take several steps; a call that is cut off leaves the frame
 * there, and the same operation, by anyone who has the frame, goes on. A frame changes hands by
 * `revoke`, which raises its generation: all capabilities of the old one are dead.
 *
 * An operation names frames by their offset in the extent, in frames. Where it names several, or
 * several entries, the word of its answer is how many were done. All stubs return RETURN + a
 * status, or an error of the kernel (DOOR_STATUS, DOOR_ERROR of kernel.h). Those with parameters in
 * the data page (memory_batch, memory_read) must not be called by code that stands on it.
 */
#ifndef NOUS_MEMORY_H
#define NOUS_MEMORY_H

#include "service.h"
#include "text.h"

/* ---- the badge of an extent ------------------------------------------------------------------ */
/* Low word: first frame 31..12, log2 of its bytes 11..7, rights 6..0. High word: the generation
 * that its frames must have; of device memory its number 27..22 and its own generation 21..0.
 * Extents of memory lie wholly in the managed frames: whoever starts the service makes the first
 * ones so. */
#define MEMORY_BADGE(first, order, rights) \
	((uint32_t)(first) << 12 | ((uint32_t)(order) + 12) << 7 | (uint32_t)(rights))
#define MEMORY_ORDER_MAX 19u /* 2^19 frames, 2 GiB */
enum memory_right {
	MEMORY_READ = 1,   /* map readable */
	MEMORY_WRITE = 2,  /* map writable, too */
	MEMORY_MANAGE = 4, /* all else; never of device memory */
	MEMORY_ANY = 8,    /* frames of any generation, and revoke: allocators */
	MEMORY_DEVICE =
		16, /* with ANY: define parts as device memory; else a mark of such a part */
};
#define MEMORY_RIGHTS        (MEMORY_READ | MEMORY_WRITE | MEMORY_MANAGE)
#define MEMORY_RIGHTS_ALL    (MEMORY_RIGHTS | MEMORY_ANY)
#define MEMORY_DEVICE_MASTER (MEMORY_DEVICE | MEMORY_ANY | MEMORY_READ | MEMORY_WRITE)

/* ---- descriptors ----------------------------------------------------------------------------- */
enum memory_type {
	MEMORY_RESERVED, /* no memory, or not the service's: nothing can be done with it */
	MEMORY_DIRTY,    /* nobody's mapping leads here; count: quarters zeroed so far */
	MEMORY_CLEAN,    /* all zero, nobody's mapping leads here */
	MEMORY_DATA,     /* count: page table entries that map it */
	MEMORY_TABLE,    /* count: directory entries that name it */
	MEMORY_DIRECTORY,
	MEMORY_OBJECT,             /* another kernel object, or one that was destroyed elsewhere */
	MEMORY_BECOMING,           /* count: enum memory_content */
	MEMORY_DROPPING_TABLE,     /* count: entries emptied so far */
	MEMORY_DROPPING_DIRECTORY, /* likewise */
	MEMORY_LOCK_PAGE           /* the one kernel object that can be mapped; count: as of DATA */
};
enum memory_content { CONTENT_ZERO, CONTENT_DIRECTORY, CONTENT_ONES };
#define MEMORY_KEY(type, generation) ((uint32_t)(type) << 28 | (generation))
#define MEMORY_TYPE_OF(key)          ((key) >> 28)
#define MEMORY_GENERATION_OF(key)    ((key)&0x0FFFFFFFu)
#define MEMORY_TOP                   0x0FFFFFFEu /* generations stop here */
struct memory_frame {
	uint32_t key;    /* type, and the generation that is raised when the frame changes hands */
	uint32_t count;  /* can't overflow: there are fewer entries in all the memory */
	uint32_t serial; /* the kernel's generation + 1 when it last began to become an object */
	uint32_t unused;
};

/* ---- operations ------------------------------------------------------------------------------ */
/* Those before MEMORY_FETCH can stand in a batch. Costs: docs/memory.md. */
enum memory_operation {
	MEMORY_MAP,
	MEMORY_MAP_LENT, /* in a batch: the frames are of the extent that is lent */
	MEMORY_UNMAP,
	MEMORY_INSTALL,
	MEMORY_REMOVE,
	MEMORY_BECOME,
	MEMORY_CLEAN_UP,
	MEMORY_DROP,
	MEMORY_CREATE_DOMAIN,
	MEMORY_CREATE_THREAD,
	MEMORY_CREATE_BITMAP,
	MEMORY_SWEEP,
	MEMORY_REVOKE,
	MEMORY_FLUSH,
	MEMORY_FETCH,
	MEMORY_SPLIT,
	MEMORY_DEFINE_DEVICE,
	MEMORY_FORGET_DEVICE,
	MEMORY_READ_FRAME,
	MEMORY_NEXT_TABLE,
	MEMORY_BATCH
};

/* Statuses besides those of status.h. */
enum memory_status {
	MEMORY_OK,
	MEMORY_STALE,       /* the extent was revoked, wholly or this frame of it */
	MEMORY_NOT_ALLOWED, /* the capability lacks a right */
	MEMORY_OUTSIDE,     /* beyond the extent, the table or the machine's memory */
	MEMORY_WRONG_TYPE,  /* a frame of another type than the operation needs */
	MEMORY_IN_USE,      /* still mapped, installed, attached */
	MEMORY_OCCUPIED,    /* the entry leads elsewhere already */
	MEMORY_REFUSED,     /* the kernel refused; the word is its error */
	MEMORY_AGAIN,       /* another thread changed the frame meanwhile */
	MEMORY_WORN_OUT    /* a generation is at its top */
};

/* Flags of an entry. */
#define MEMORY_ENTRY_WRITE    2u
#define MEMORY_ENTRY_UNCACHED 1u     /* device memory only */
#define MEMORY_ENTRY_COUNTED  0x200u /* in an entry: it maps memory, not a device */
/* In word b of install and create: the frame is in the extent lent as the first capability, not in
 * the invoked one. Only in a batch, for slots to lend take the place of word b in a call. */
#define MEMORY_FROM_LENT 1u
#define MEMORY_AT(offset, index, low) \
	((uint32_t)(offset) << 12 | (uint32_t)(index) << 2 | (uint32_t)(low))

/*
 * Maps `count` frames from `frame` on into `count` entries of a page table, from `first` on. An
 * entry that maps this very frame already only gets other flags. Needs MANAGE for the table, READ
 * and for MEMORY_ENTRY_WRITE also WRITE for the frames, which are DATA, LOCK_PAGE or device memory.
 * What comes before a refused one stays mapped: *done of them. MEMORY_STALE, NOT_ALLOWED, OUTSIDE,
 * WRONG_TYPE, OCCUPIED.
 */
static inline uint32_t memory_map(slot_t extent, uint32_t table, uint32_t first, uint32_t flags,
				  uint32_t frame, uint32_t count, uint32_t *done)
{
	uint32_t at = MEMORY_AT(table, first, flags), reached;
	uint32_t result =
		door_call(extent.encoded, MEMORY_MAP, at, MEMORY_AT(frame, count - 1, 0), &reached);
	if (done)
		*done = result == RETURN ? count : reached;
	return result;
}
/* Empties `count` entries of a page table; empty ones are none the worse. MANAGE for the table.
 * MEMORY_STALE, NOT_ALLOWED, OUTSIDE, WRONG_TYPE. No entry of the TLB outlives the call. */
static inline uint32_t memory_unmap(slot_t extent, uint32_t table, uint32_t first, uint32_t count)
{
	return door_call(extent.encoded, MEMORY_UNMAP, MEMORY_AT(table, first, 0), count - 1, NULL);
}
/* The page table becomes entry `index` of the directory, for readers and writers; entries below
 * IMAGE_BASE >> 22 and from LENDABLE_ENTRIES on are not to be had. MANAGE for both. Errors as map.
 */
static inline uint32_t memory_install(slot_t extent, uint32_t directory, uint32_t index,
				      uint32_t table)
{
	return door_call(extent.encoded, MEMORY_INSTALL, MEMORY_AT(directory, index, 0),
			 MEMORY_AT(table, 0, 0), NULL);
}
static inline uint32_t memory_remove(slot_t extent, uint32_t directory, uint32_t index)
{
	return door_call(extent.encoded, MEMORY_REMOVE, MEMORY_AT(directory, index, 0), 0, NULL);
}
/*
 * `count` CLEAN frames become DATA (kind OBJECT_NONE); or one becomes a kernel object of a kind
 * that needs no others: OBJECT_TABLE, _DIRECTORY (filled from the kernel's template), _DATA_PAGE,
 * _CAPABILITY_PAGE, _LOCK_PAGE, _BITMAP_PAGE (filled with ones). Finishes what is BECOMING. MANAGE.
 * MEMORY_STALE, NOT_ALLOWED, OUTSIDE, WRONG_TYPE, AGAIN, REFUSED, WORN_OUT.
 */
static inline uint32_t memory_become(slot_t extent, uint32_t frame, uint32_t count, uint32_t kind)
{
	return door_call(extent.encoded, MEMORY_BECOME, MEMORY_AT(frame, count - 1, 0), kind, NULL);
}
/* DATA that nobody maps, or what is DIRTY, becomes CLEAN: 1,024 stores a frame.
 * MANAGE. MEMORY_STALE, NOT_ALLOWED, OUTSIDE, WRONG_TYPE, IN_USE. */
static inline uint32_t memory_clean(slot_t extent, uint32_t frame, uint32_t count)
{
	return door_call(extent.encoded, MEMORY_CLEAN_UP, MEMORY_AT(frame, count - 1, 0), 0, NULL);
}
/* A table, directory or kernel object ceases to be: destroyed in the kernel, all that it maps is
 * unmapped. Some 14,000 instructions for a full table. MANAGE. MEMORY_STALE, NOT_ALLOWED, OUTSIDE,
 * WRONG_TYPE, IN_USE (a table that is installed, a directory or page that belongs to something that
 * lives), AGAIN. */
static inline uint32_t memory_drop(slot_t extent, uint32_t frame)
{
	return door_call(extent.encoded, MEMORY_DROP, MEMORY_AT(frame, 0, 0), 0, NULL);
}
/* A domain: its control page of a CLEAN frame, its directory one of type DIRECTORY that no domain
 * has yet. confidential: 0 or 1. A bitmap: of a CLEAN frame and the two behind it, which are
 * bitmap pages. A thread: of two CLEAN frames in a row; `home` is its domain's control page. MANAGE
 * for all of them. Errors as become. */
static inline uint32_t memory_create_domain(slot_t extent, uint32_t control, uint32_t directory,
					    uint32_t confidential)
{
	return door_call(extent.encoded, MEMORY_CREATE_DOMAIN, MEMORY_AT(control, 0, confidential),
			 MEMORY_AT(directory, 0, 0), NULL);
}
static inline uint32_t memory_create_thread(slot_t extent, uint32_t control, uint32_t home)
{
	return door_call(extent.encoded, MEMORY_CREATE_THREAD, MEMORY_AT(control, 0, 0),
			 MEMORY_AT(home, 0, 0), NULL);
}
static inline uint32_t memory_create_bitmap(slot_t extent, uint32_t frame)
{
	return door_call(extent.encoded, MEMORY_CREATE_BITMAP, MEMORY_AT(frame, 0, 0), 0, NULL);
}
/* Unmaps what `count` entries (at most 64) of any page table, named by its absolute frame number,
 * map of this extent: for an owner who has revoked his frames and wants them back. MANAGE for the
 * extent, nothing for the table. MEMORY_STALE, NOT_ALLOWED, OUTSIDE, WRONG_TYPE. */
#define MEMORY_SWEEP_MAX 64u
static inline uint32_t memory_sweep(slot_t extent, uint32_t table, uint32_t first, uint32_t count)
{
	return door_call(extent.encoded, MEMORY_SWEEP, MEMORY_AT(table, first, 0), count - 1, NULL);
}
/* On one processor every entry into the service has emptied the TLB: nothing is left to be done. */
static inline uint32_t memory_flush(slot_t extent)
{
	return door_call(extent.encoded, MEMORY_FLUSH, 0, 0, NULL);
}
/* The capability to the kernel object in a frame, with all rights, into slot `to` (1..127).
 * Repeatable. MANAGE. MEMORY_STALE, NOT_ALLOWED, OUTSIDE, WRONG_TYPE, REFUSED, NO_RESULT. */
static inline uint32_t memory_fetch(slot_t extent, uint32_t frame, uint32_t to)
{
	return door_call(extent.encoded | OPTION_RESULTS, MEMORY_FETCH, LEND_SLOTS(to, 0, 0, 0),
			 MEMORY_AT(frame, 0, 0), NULL);
}
/* The 2^order frames from `frame` on, aligned to their number, as a capability of their own with
 * these rights at most, in slot `to`. Without MEMORY_ANY among the rights it carries the present
 * generation of its first frame. MEMORY_OUTSIDE, NOT_ALLOWED, NO_RESULT. */
static inline uint32_t memory_split(slot_t extent, uint32_t frame, uint32_t order, uint32_t rights,
				    uint32_t to)
{
	return door_call(extent.encoded | OPTION_RESULTS, MEMORY_SPLIT, LEND_SLOTS(to, 0, 0, 0),
			 MEMORY_BADGE(frame, order, rights), NULL);
}
/* Raises the generation of `count` frames to `generation`, which must be above theirs: every
 * capability of the old one is dead. ANY and MANAGE. MEMORY_STALE (it is not above), NOT_ALLOWED,
 * OUTSIDE, WORN_OUT. */
static inline uint32_t memory_revoke(slot_t extent, uint32_t frame, uint32_t count,
				     uint32_t generation)
{
	return door_call(extent.encoded, MEMORY_REVOKE, MEMORY_AT(frame, count - 1, 0), generation,
			 NULL);
}
/* Device memory: the extent becomes number `index` of 64 that can be revoked one by one, and comes
 * as a capability into slot `to`. It must be free. ANY and DEVICE. MEMORY_NOT_ALLOWED (also:
 * interrupt controllers), OUTSIDE, IN_USE, WRONG_TYPE (there is memory), NO_RESULT. Forgetting
 * kills its capabilities. */
#define MEMORY_DEVICES 64u
static inline uint32_t memory_define_device(slot_t extent, uint32_t frame, uint32_t order,
					    uint32_t rights, uint32_t index, uint32_t to)
{
	*(uint32_t *)parameters() = index;
	return door_call(extent.encoded | OPTION_RESULTS, MEMORY_DEFINE_DEVICE,
			 LEND_SLOTS(to, 0, 0, 0), MEMORY_BADGE(frame, order, rights), NULL);
}
static inline uint32_t memory_forget_device(slot_t extent, uint32_t index)
{
	return door_call(extent.encoded, MEMORY_FORGET_DEVICE, index, 0, NULL);
}
/* A frame's descriptor. Any right. MEMORY_OUTSIDE, STALE. */
static inline uint32_t memory_read_and_badge(slot_t extent, uint32_t frame, uint32_t *badge,
					     struct memory_frame *descriptor)
{
	uint32_t result =
		door_call(extent.encoded, MEMORY_READ_FRAME, MEMORY_AT(frame, 0, 0), 0, badge);
	if (result == RETURN)
		memcpy(descriptor, parameters(), sizeof(*descriptor));
	return result;
}
static inline uint32_t memory_read(slot_t extent, uint32_t frame, struct memory_frame *descriptor)
{
	return memory_read_and_badge(extent, frame, NULL, descriptor);
}
/* What the extent is: first frame, order and rights as MEMORY_BADGE, and its first frame. So
 * whoever took a capability from a slot where others could have put another one learns whether it
 * is his (libs/allocator). MEMORY_STALE. */
static inline uint32_t memory_extent(slot_t extent, uint32_t *badge, struct memory_frame *first)
{
	return memory_read_and_badge(extent, 0, badge, first);
}
/* For sweeping: the first page table (TABLE or DROPPING_TABLE) among the 64 frames from absolute
 * number `from` on, or from + 64: 0 in *found then. MANAGE. MEMORY_OUTSIDE at memory's end. */
static inline uint32_t memory_next_table(slot_t extent, uint32_t from, uint32_t *found)
{
	return door_call(extent.encoded, MEMORY_NEXT_TABLE, from, 0, found);
}

/*
 * Several operations in one call: `count` of them stand at parameters(), each is done in turn and
 * its status and word replace a and b. It ends with the first that fails; *done is how many were
 * done. `lent`: slot of the second extent for MEMORY_FROM_LENT, 0: none.
 */
struct memory_batch {
	uint32_t operation, a, b;
};
#define MEMORY_BATCH_MAX (PARAMETER_BYTES / sizeof(struct memory_batch))
static inline uint32_t memory_batch(slot_t extent, uint32_t count, uint32_t lent, uint32_t *done)
{
	if (!lent)
		return door_call(extent.encoded, MEMORY_BATCH, count, 0, done);
	return door_call_lend(extent.encoded | OPTION_CAPABILITIES, MEMORY_BATCH, count,
			      LEND_SLOTS(lent, 0, 0, 0), 0, done);
}

/* What the program that starts the service tells it, where the first descriptors will be. */
#define MEMORY_DESCRIPTORS 0x0E000000u /* in the service's domain: up to 16 MiB */
struct memory_start {
	uint32_t first, end; /* managed frames; all others are reserved */
	uint32_t template_frame;
	uint32_t directory; /* the starter's own, which hands the machine over; 0: it does not */
};
#define MEMORY_SLOT_AUTHORITY 1u /* of its list */
#define MEMORY_SLOT_DOMAIN    2u

#endif
