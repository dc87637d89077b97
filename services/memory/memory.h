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
 * several entries, *done is how many were done before one that failed. _lent: what the entry leads
 * to, or the object's companion, is in the extent that is lent, not in the invoked one.
 */
#ifndef NOUS_MEMORY_H
#define NOUS_MEMORY_H

#include "interface.h"

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
	MEMORY_WORN_OUT     /* a generation is at its top */
};

/* Flags of an entry. */
#define MEMORY_ENTRY_WRITE    2u
#define MEMORY_ENTRY_UNCACHED 1u     /* device memory only */
#define MEMORY_ENTRY_COUNTED  0x200u /* in an entry: it maps memory, not a device */

/*
 * Maps `count` frames from `frame` on into `count` entries of a page table, from `first` on. An
 * entry that maps this very frame already only gets other flags. Needs MANAGE for the table, READ
 * and for MEMORY_ENTRY_WRITE also WRITE for the frames, which are DATA, LOCK_PAGE or device memory.
 * What comes before a refused one stays mapped: *done of them (undefined if all are: memory_map).
 * MEMORY_STALE, MEMORY_NOT_ALLOWED, MEMORY_OUTSIDE, MEMORY_WRONG_TYPE, MEMORY_OCCUPIED. Cost: 130
 * for a page, page_map_32 of docs/benchmarks.md for 32.
 */
uint32_t memory_map_pages(slot_t extent, uint20_t table, uint10_t first, uint2_t flags,
			  uint20_t frame, count10_t count, uint32_t *done);

/* The same with frames of the extent that is lent. Also SERVICE_BAD_ARGUMENT: that is no extent.
 * Cost: 573 for a page. */
uint32_t memory_map_lent(slot_t extent, lend_t leaves, uint20_t table, uint10_t first,
			 uint2_t flags, uint20_t frame, count10_t count, uint32_t *done);

/* Empties `count` entries of a page table; empty ones are none the worse. MANAGE for the table.
 * MEMORY_STALE, MEMORY_NOT_ALLOWED, MEMORY_OUTSIDE, MEMORY_WRONG_TYPE. No entry of the TLB outlives
 * the call. Cost: 118 for a page, 1,817 for 32. */
uint32_t memory_unmap(slot_t extent, uint20_t table, uint10_t first, count10_t count);

/* The page table becomes entry `index` of the directory, for readers and writers; entries below
 * IMAGE_BASE >> 22 and from LENDABLE_ENTRIES on are not to be had. MANAGE for both. MEMORY_STALE,
 * MEMORY_NOT_ALLOWED, MEMORY_OUTSIDE, MEMORY_WRONG_TYPE, MEMORY_OCCUPIED. Cost: 250. */
uint32_t memory_install(slot_t extent, uint20_t directory, uint10_t index, uint20_t table);

/* The same with a page table of the extent that is lent. Also SERVICE_BAD_ARGUMENT. Cost: 485. */
uint32_t memory_install_lent(slot_t extent, lend_t tables, uint20_t directory, uint10_t index,
			     uint20_t table);

/* The directory's entry is empty again. MANAGE. MEMORY_STALE, MEMORY_NOT_ALLOWED, MEMORY_OUTSIDE,
 * MEMORY_WRONG_TYPE. Cost: 267. */
uint32_t memory_remove(slot_t extent, uint20_t directory, uint10_t index);

/*
 * `count` CLEAN frames become DATA (kind OBJECT_NONE); or one becomes a kernel object of a kind
 * that needs no others: OBJECT_TABLE, _DIRECTORY (filled from the kernel's template), _DATA_PAGE,
 * _CAPABILITY_PAGE, _LOCK_PAGE, _BITMAP_PAGE (filled with ones); else SERVICE_BAD_ARGUMENT.
 * Finishes what is BECOMING. MANAGE. MEMORY_STALE, MEMORY_NOT_ALLOWED, MEMORY_OUTSIDE,
 * MEMORY_WRONG_TYPE, MEMORY_AGAIN, MEMORY_REFUSED, MEMORY_WORN_OUT. Cost: 174 for a frame of data,
 * 292 for eight; 659 for a table, 1,865 for a directory.
 */
uint32_t memory_become(slot_t extent, uint20_t frame, count10_t count, uint32_t kind);

/* DATA that nobody maps, or what is DIRTY, becomes CLEAN. MANAGE. MEMORY_STALE, MEMORY_NOT_ALLOWED,
 * MEMORY_OUTSIDE, MEMORY_WRONG_TYPE, MEMORY_IN_USE. Cost: 1,237 for a frame, 166 if it is clean. */
uint32_t memory_clean_range(slot_t extent, uint20_t frame, count10_t count, uint32_t *done);

/* A table, directory or kernel object ceases to be: destroyed in the kernel, all that it maps is
 * unmapped. MANAGE. MEMORY_STALE, MEMORY_NOT_ALLOWED, MEMORY_OUTSIDE, MEMORY_WRONG_TYPE,
 * MEMORY_IN_USE (a table that is installed, a directory or page that belongs to something that
 * lives), MEMORY_AGAIN. Cost: 415 for a thread, 10,907 for an empty table, some 14,000 for a full
 * one. */
uint32_t memory_drop(slot_t extent, uint20_t frame);

/* A domain: its control page of a CLEAN frame, its directory one of type DIRECTORY that no domain
 * has yet. MANAGE for both. MEMORY_STALE, MEMORY_NOT_ALLOWED, MEMORY_OUTSIDE, MEMORY_WRONG_TYPE,
 * MEMORY_AGAIN, MEMORY_REFUSED, MEMORY_WORN_OUT; the answer is the kernel's error. Cost: 839. */
uint32_t memory_create_domain(slot_t extent, uint20_t control, uint20_t directory,
			      uint1_t confidential, uint32_t *error);

/* The same with a directory of the extent that is lent. Also SERVICE_BAD_ARGUMENT. Cost: 1,133. */
uint32_t memory_create_domain_lent(slot_t extent, lend_t directories, uint20_t control,
				   uint20_t directory, uint1_t confidential, uint32_t *error);

/* A thread: of two CLEAN frames in a row; `home` is its domain's control page. MANAGE for all.
 * Statuses as of memory_create_domain. Cost: 1,125. */
uint32_t memory_create_thread(slot_t extent, uint20_t control, uint20_t home, uint32_t *error);

/* The same with a home of the extent that is lent. Also SERVICE_BAD_ARGUMENT. Cost: 1,437. */
uint32_t memory_create_thread_lent(slot_t extent, lend_t homes, uint20_t control, uint20_t home,
				   uint32_t *error);

/* A bitmap: of a CLEAN frame and the two behind it, which are bitmap pages. MANAGE. Statuses as of
 * memory_create_domain. Cost: 1,014. */
uint32_t memory_create_bitmap(slot_t extent, uint20_t frame, uint32_t *error);

/* Unmaps what `count` entries of any page table, named by its absolute frame number, map of this
 * extent: for an owner who has revoked his frames and wants them back. MANAGE for the extent,
 * nothing for the table. MEMORY_STALE, MEMORY_NOT_ALLOWED, MEMORY_OUTSIDE, MEMORY_WRONG_TYPE.
 * Cost: 223 for an entry, 3,148 for 32. */
#define MEMORY_SWEEP_MAX 64u
uint32_t memory_sweep(slot_t extent, uint20_t table, uint10_t first, count6_t count);

/* Raises the generation of `count` frames to `generation`, which must be above theirs: every
 * capability of the old one is dead. ANY and MANAGE. MEMORY_STALE (it is not above),
 * MEMORY_NOT_ALLOWED, MEMORY_OUTSIDE, MEMORY_WORN_OUT. Cost: 183 for a frame, 337 for eight. */
uint32_t memory_revoke_range(slot_t extent, uint20_t frame, count10_t count, uint32_t generation,
			     uint32_t *done);

/* On one processor every entry into the service has emptied the TLB: nothing is left to be done.
 * Cost: 80. */
uint32_t memory_flush(slot_t extent);

/* Several of those above. Cost: 135 with one step that does nothing, 34 for each further one. */
uint32_t memory_batch(slot_t extent, struct batch *batch, lend_t other, uint32_t *done);

/* The capability to the kernel object in a frame, with all rights. Repeatable. MANAGE.
 * MEMORY_STALE, MEMORY_NOT_ALLOWED, MEMORY_OUTSIDE, MEMORY_WRONG_TYPE, MEMORY_REFUSED (the answer
 * is the kernel's error), SERVICE_NO_RESULT. Cost: 807. */
uint32_t memory_fetch(slot_t extent, uint20_t frame, place_t to, uint32_t *error);

/* The 2^(log2 - 12) frames from `frame` on, aligned to their number, as a capability of their own
 * with these rights at most (memory_split). Without MEMORY_ANY among the rights it carries the
 * present generation of its first frame. MEMORY_OUTSIDE, MEMORY_NOT_ALLOWED, SERVICE_NO_RESULT.
 * Cost: 682. */
uint32_t memory_split_bytes(slot_t extent, uint20_t frame, uint5_t log2, uint7_t rights,
			    place_t to);

/* Device memory: that part of the extent becomes number `index` of 64 that can be revoked one by
 * one, and comes as a capability. It must be free. ANY and DEVICE. MEMORY_NOT_ALLOWED (also:
 * interrupt controllers), MEMORY_OUTSIDE, MEMORY_IN_USE, MEMORY_WRONG_TYPE (there is memory),
 * MEMORY_WORN_OUT, MEMORY_AGAIN, SERVICE_NO_RESULT. Cost: 825. */
#define MEMORY_DEVICES 64u
uint32_t memory_define_bytes(slot_t extent, uint20_t frame, uint5_t log2, uint7_t rights,
			     uint32_t index, place_t to);

/* That number's capabilities are dead. ANY and DEVICE. MEMORY_NOT_ALLOWED, MEMORY_OUTSIDE,
 * MEMORY_AGAIN. Cost: 122. */
uint32_t memory_forget_device(slot_t extent, uint32_t index);

/* A frame's descriptor, and what the extent is: first frame, order and rights as MEMORY_BADGE. So
 * whoever took a capability from a slot where others could have put another one learns whether it
 * is his (libs/allocator). Any right. MEMORY_OUTSIDE, MEMORY_STALE. Cost: 143. */
uint32_t memory_read_frame(slot_t extent, uint20_t frame, uint32_t *badge,
			   struct memory_frame *descriptor);

/* For sweeping: the first page table (TABLE or DROPPING_TABLE) among the 64 frames from absolute
 * number `from` on, else 0 in *found. MANAGE. MEMORY_NOT_ALLOWED, MEMORY_OUTSIDE at memory's end.
 * Cost: 856 if there is none among 64. */
uint32_t memory_next_table(slot_t extent, uint32_t from, uint32_t *found);

#include "memory.stubs.h"

/* ---- shorter forms --------------------------------------------------------------------------- */
static inline uint32_t memory_map(slot_t extent, uint32_t table, uint32_t first, uint32_t flags,
				  uint32_t frame, uint32_t count, uint32_t *done)
{
	uint32_t reached;
	uint32_t result = memory_map_pages(extent, table, first, flags, frame, count, &reached);
	if (done)
		*done = result == RETURN ? count : reached;
	return result;
}
static inline uint32_t memory_clean(slot_t extent, uint32_t frame, uint32_t count)
{
	return memory_clean_range(extent, frame, count, NULL);
}
static inline uint32_t memory_revoke(slot_t extent, uint32_t frame, uint32_t count,
				     uint32_t generation)
{
	return memory_revoke_range(extent, frame, count, generation, NULL);
}
static inline uint32_t memory_split(slot_t extent, uint32_t frame, uint32_t order, uint32_t rights,
				    place_t to)
{
	return memory_split_bytes(extent, frame, order + 12, rights, to);
}
static inline uint32_t memory_define_device(slot_t extent, uint32_t frame, uint32_t order,
					    uint32_t rights, uint32_t index, place_t to)
{
	return memory_define_bytes(extent, frame, order + 12, rights, index, to);
}
static inline uint32_t memory_read(slot_t extent, uint32_t frame, struct memory_frame *descriptor)
{
	return memory_read_frame(extent, frame, NULL, descriptor);
}
static inline uint32_t memory_extent(slot_t extent, uint32_t *badge, struct memory_frame *first)
{
	return memory_read_frame(extent, 0, badge, first);
}

/* ---- for the program that starts it ---------------------------------------------------------- */
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
