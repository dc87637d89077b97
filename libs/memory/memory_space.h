/* SPDX-License-Identifier: MIT */
/*
 * Memory for programs that hold an extent of the memory service with MEMORY_RIGHTS and nothing
 * else: no frame authority, no linear map. In four layers, each on top of those before:
 *
 *     pool     which frames of an extent are free
 *     space    an address space: its directory and page tables, pages in and out; a heap in it
 *     child    another domain, built of a part of a pool, and ended
 *     pager    this program's own fault entry maps the missing page and goes on
 *
 * All functions answer as memory.h does: RETURN + a status, or an error of the kernel. None of them
 * leaves anything half-way that the same call, made again, would not finish, or that `give`,
 * `unmap` and `end` would not undo. They keep what they know in structures of their caller's, which
 * one thread uses at a time. Frames are named by their offset in the extent.
 */
#ifndef NOUS_MEMORY_SPACE_H
#define NOUS_MEMORY_SPACE_H

#include "memory/memory.h"

enum memory_space_status { /* besides those of memory.h */
			   SPACE_NO_FRAMES =
				   64,        /* the pool has none left, or not so many in a row */
			   SPACE_NO_TABLES,   /* a space has SPACE_TABLES page tables at the most */
			   SPACE_BAD_ADDRESS, /* not a page's, or beyond what programs have, or
						 beyond the heap */
			   SPACE_BAD_PROGRAM  /* child_load: elf_check says what is wrong with it */
};

/* ---- pools ----------------------------------------------------------------------------------- */
/* Frames [first, end) of an extent; bit i of `taken` is that of frame first + i. Whose stack is the
 * data page (a service, on its clients' threads) adds OPTION_NESTED to extent.encoded. */
#define POOL_WORDS(frames) (((frames) + 31) / 32)
struct pool {
	slot_t extent;
	uint32_t first, end, *taken;
	uint32_t lowest; /* none below it is free */
};
/* All of them free; taken has POOL_WORDS(frames) words. */
void pool_begin(struct pool *pool, slot_t extent, uint32_t first, uint32_t frames, uint32_t *taken);
/* `count` free frames in a row from a multiple of `align` on, and what they become: OBJECT_NONE for
 * data, or (one by one) an OBJECT_ that memory_become knows; POOL_CLEAN: nothing, but zero they
 * are. Looks at each frame once at the most. SPACE_NO_FRAMES, and what memory.h says. */
#define POOL_CLEAN OBJECT_KINDS
uint32_t pool_take(struct pool *pool, uint32_t count, uint32_t align, uint32_t kind,
		   uint32_t *first);
/* The same without any call: whatever they are. */
uint32_t pool_reserve(struct pool *pool, uint32_t count, uint32_t align, uint32_t *first);
/* Whatever they are, they are cleaned or dropped, and free again. MEMORY_IN_USE: one is still
 * mapped, installed, or part of what lives; then none of them is free, and it may be called again.
 */
uint32_t pool_give(struct pool *pool, uint32_t first, uint32_t count);
uint32_t pool_free(const struct pool *pool); /* how many */
_Bool pool_is_taken(const struct pool *pool, uint32_t frame);

/* ---- spaces ---------------------------------------------------------------------------------- */
#define SPACE_TABLES                16u
#define SPACE_FOUND(table, address) ((table) << 12 | (address) >> 22)
struct space {
	struct pool *pool;
	uint32_t directory;
	uint32_t tables[SPACE_TABLES], count; /* SPACE_FOUND */
};
/* The page table for an address; made and installed when there is none. */
uint32_t space_table(struct space *space, uint32_t address, uint32_t *table);
/* Maps frames in a row, which are DATA; makes page tables. flags: 0 or MEMORY_ENTRY_WRITE. */
uint32_t space_map(struct space *space, uint32_t address, uint32_t frame, uint32_t count,
		   uint32_t flags);
/* The first `count` pages of device memory (memory_define_device), in one page table, to be read
 * and written, uncached. `device`: a slot below 128. MEMORY_STALE: it has been revoked. */
uint32_t space_map_device(struct space *space, uint32_t address, uint32_t device, uint32_t count);
/* What is not mapped is none the worse. The frames stay taken. */
uint32_t space_unmap(struct space *space, uint32_t address, uint32_t count);
/* A fresh page, zero; its frame. */
uint32_t space_page(struct space *space, uint32_t address, uint32_t flags, uint32_t *frame);
/* The page tables without a page are not looked for: this takes the one of an address away, with
 * all that it maps, and gives its frame back. */
uint32_t space_drop_table(struct space *space, uint32_t address);

/*
 * A heap: pages [base, base + pages) of a space. frames[] tells where each page lies. Grows and
 * shrinks at its end; after an error it has as many pages as heap->pages says.
 */
struct heap {
	struct space *space;
	uint32_t base, pages, pages_max;
	uint32_t *frames; /* pages_max words */
};
void heap_begin(struct heap *heap, struct space *space, uint32_t base, uint32_t *frames,
		uint32_t pages_max);
/* To `pages` in all. Smaller: unmapped, cleaned, free. SPACE_BAD_ADDRESS: more than pages_max. */
uint32_t heap_resize(struct heap *heap, uint32_t pages);

/* ---- the program's own space ----------------------------------------------------------------- */
/*
 * What a program is told of the extent that it stands in. child_own writes it where the program has
 * a variable `memory_self`; all frames below `next` are in use.
 */
struct memory_self {
	uint32_t extent; /* slot number; 0: nobody has told */
	uint32_t frames, next;
	uint32_t control, directory;
	uint32_t tables[SPACE_TABLES], count; /* SPACE_FOUND */
};
extern struct memory_self memory_self;
/* Pool and space of what memory_self says; taken: POOL_WORDS(memory_self.frames) words. */
void space_own(struct space *space, struct pool *pool, uint32_t *taken);

/* ---- children -------------------------------------------------------------------------------- */
/*
 * What a builder needs: a page of its own space, through which it fills the frames of others, so a
 * page table of the pool's that stands in its directory (space_table, or whoever has its directory
 * puts it there); and a slot below 128, empty between calls, where capabilities come first.
 */
struct builder {
	struct pool *pool;
	uint32_t window_table, window; /* the table's frame; the address */
	uint32_t scratch;
};

/* A domain in 2^order frames of the builder's pool: nothing of it lies elsewhere. */
#define CHILD_ORDER_MAX 12u
struct child {
	const struct builder *builder;
	struct pool pool;
	struct space space;
	uint32_t control;               /* frame */
	uint32_t slot;                  /* of the builder: CAPABILITY_DOMAIN with all rights */
	uint32_t entry, service_answer; /* what child_load found; 0: no such symbol */
	uint32_t self, self_frame;      /* its memory_self: address, and the frame of that page */
	uint32_t taken[POOL_WORDS(1u << CHILD_ORDER_MAX)];
};
/* An empty address space and its control page; its capability in `slot` (any that is empty).
 * confidential: 0 or 1. After an error: child_end. */
uint32_t child_make(struct child *child, const struct builder *builder, uint32_t order,
		    uint32_t slot, uint32_t confidential);
/* A fresh page of the child's with `bytes` of content at its beginning; its frame. */
uint32_t child_page(struct child *child, uint32_t address, uint32_t flags, const void *content,
		    uint32_t bytes, uint32_t *frame);
/* Overwrites what lies in a DATA frame of the child's. Not across its end. */
uint32_t child_write(struct child *child, uint32_t frame, uint32_t at, const void *content,
		     uint32_t bytes);
/* The program of an ELF file, all its pages, and the domain's entries: service_entry, and
 * pager_entry or, without one, fault_entry. */
uint32_t child_load(struct child *child, const void *file, uint32_t bytes);
uint32_t child_entries(struct child *child, uint32_t entry, uint32_t fault);
/* A kernel object in a frame of the child's, its capability in `slot` of the builder:
 * OBJECT_DATA_PAGE (for kernel_thread_attach), _CAPABILITY_PAGE (for kernel_domain_attach). */
uint32_t child_object(struct child *child, uint32_t kind, uint32_t slot, uint32_t *frame);
/* A thread at home in the child with its first data page, which is frame *frame + 1; stopped. */
uint32_t child_thread(struct child *child, uint32_t slot, uint32_t *frame);
/* Ends an object or (two frames) a thread, and gives slot and frames back; what died before is no
 * error. The slot is emptied first, and may be 0: none. */
uint32_t child_object_end(struct child *child, uint32_t slot, uint32_t frame, uint32_t frames);
/* Gives the child its own extent in slot `there`, and tells the program, if it has a variable
 * memory_self. With it, the child can do with its frames what its builder can, itself included. The
 * builder takes no more frames of the child's from then on: child_page and others say
 * SPACE_NO_FRAMES. */
uint32_t child_own(struct child *child, uint32_t there);
/* The domain, its threads and pages end; all frames are clean and in the builder's pool again. By
 * what the frames are, not by what this library noted, so also after any error, and again. */
uint32_t child_end(struct child *child);

/* ---- the pager ------------------------------------------------------------------------------- */
/*
 * From pager_begin on, a page fault of this program in [base, base + bytes) maps the next frame of
 * the program's own extent there, writable, and the instruction is executed again: by the fault
 * entry pager_entry, on the faulting thread. It needs the upper half of the thread's data page, or,
 * if the faulting code stands there, a KiB below its stack. Any other fault goes to fault_entry as
 * ever; so does one in the range if no frame is left or the service refuses. base and bytes:
 * multiples of 4 MiB. The frames are taken and made DATA beforehand, as are the page tables: bytes
 * may well be more than there are frames. spares: POOL_WORDS(frames) words of the pager's. A thread
 * that is killed between taking its frame and mapping it loses that frame for its program, until
 * pager_end. SPACE_BAD_ADDRESS (also: there is a range already), NO_TABLES, NO_FRAMES.
 */
uint32_t pager_begin(struct space *space, uint32_t base, uint32_t bytes, uint32_t frames,
		     uint32_t *spares);
uint32_t pager_left(void); /* frames */
/* All that the pager mapped goes, with its page tables; frames are clean and in the pool again. */
uint32_t pager_end(void);
void pager_entry(void);

#endif
