/* SPDX-License-Identifier: MIT */
/*
 * For root programs: the machine as boot left it, until it is handed over to the memory service.
 * Frames are cleared here, page tables are written here, programs are loaded here; afterwards
 * (root_hand_over) all of that is done by the service. Nothing of it is policy that others must
 * live with: it is one program's way to set up a system.
 *
 * What can't go wrong in a correct root program ends the machine with a sentence (root_fail).
 */
#ifndef NOUS_ROOT_H
#define NOUS_ROOT_H

#include "../../boot/record.h"
#include "kernel.h"
#include "service.h"
#include "text.h"

#define PAGE_WRITE 2u
#define PAGE_USER  5u /* present, user */

/* First call of every root program: frames, slots, ports for the machine's end, serial service. */
void root_begin(void);
/* Ends the machine: QEMU's exit device, Bochs' port, on a PC it halts. Prints `END
 * success|failure`. */
_Noreturn void machine_end(_Bool success);
void pci_begin(void), keyboard_begin(void); /* done by root_begin */
/* What stands behind this word on the kernel's command line, or NULL: it does not stand there. */
const char *line_behind(const char *word);
_Noreturn void root_fail(const char *what, uint32_t error);
#define MUST(call)                                    \
	do {                                          \
		uint32_t must_error = (call);         \
		if (must_error)                       \
			root_fail(#call, must_error); \
	} while (0)

/* ---- frames: numbers; cleared when taken
 * --------------------------------------------------------- */
uint32_t frame_take(void);
void frame_give(uint32_t frame);
/* `count` in a row, from a multiple of `align` on; not cleared. frame_give takes them one by one.
 */
uint32_t frames_take(uint32_t count, uint32_t align);
void *frame_pointer(uint32_t frame); /* in the linear map */
uint32_t frames_free(void);

/* ---- slots of the root program's list: numbers
 * ------------------------------------------------------ */
uint32_t slot_take(void);
void slot_give(uint32_t number);
uint32_t slots_free(void);

/* ---- kernel objects: the frame that holds one is its index
 * ------------------------------------------- */
/* Creates in a fresh frame and fetches the capability into a fresh slot (directories have none). */
struct object {
	uint32_t frame, slot;
};
struct object object_make(uint32_t kind, uint32_t second, uint32_t parameter);
uint32_t object_generation(uint32_t frame);
/* What `create` expects: the sum over all frames that it names. */
uint32_t object_generations(uint32_t kind, uint32_t second, uint32_t frame, uint32_t parameter);
void object_fetch(uint32_t frame, uint32_t slot_number);
/* Destroys what still lives, gives slot and frame back. */
void object_end(struct object object);

/* ---- domains
 * -------------------------------------------------------------------------------------------- */
struct child;
struct domain {
	const char *name;
	struct object object; /* control page; its slot holds a CAPABILITY_DOMAIN with all rights */
	uint32_t directory_frame;
	struct object lock; /* lock page, if it has one */
	const void *file;   /* ELF, for symbols; may be null */
	uint32_t file_bytes, entry;
	uint32_t answer;     /* where service_entry's operations return to; 0: another entry */
	struct child *child; /* made of an extent, after the hand-over: libs/memory */
};
/* An empty address space from the template. confidential: 0 or 1. */
void domain_make(struct domain *domain, const char *name, uint32_t confidential);
/* Destroys the domain, its page tables and every frame that domain_page mapped into it. */
void domain_end(struct domain *domain);
/* The page table for `address` (registered as one), made when missing; returns its frame. */
uint32_t domain_table(struct domain *domain, uint32_t address);
void domain_map(struct domain *domain, uint32_t address, uint32_t frame, uint32_t flags);
void domain_unmap(struct domain *domain, uint32_t address);
uint32_t domain_page(struct domain *domain, uint32_t address); /* fresh page, mapped writable */
void domain_fill(struct domain *domain, uint32_t address, const void *content, uint32_t bytes);
/* A fresh page that the domain can only read; where this program writes it. */
void *domain_share(struct domain *domain, uint32_t address);
/* Loads a module's program and sets its entries by symbol (service_entry_own, if it has that, or
 * service_entry; fault_entry);
 * and if it uses libs/lock, its section with a lock page. */
void domain_load(struct domain *domain, const char *name);
/* The same code and data as the root program's own, in another domain: for tests. */
void domain_share_image(struct domain *domain);
void domain_entries(struct domain *domain, uint32_t entry, uint32_t fault);
/* Tells the kernel of a rollforward section [start, end), and maps a lock page at LOCK_PAGE. */
void domain_section(struct domain *domain, uint32_t start, uint32_t end);
/* The lock page in the linear map. */
volatile struct lock_page *domain_lock(const struct domain *domain);
/* Attaches a port bitmap and allows [first, last]; several calls add up. Returns the bitmap. */
struct object domain_ports(struct domain *domain, struct object bitmap, uint32_t first,
			   uint32_t last);
struct object bitmap_make(void);
void bitmap_end(struct object bitmap);
/* The VGA service (module `vga`) before a frame of text memory. Returns its bitmap. */
struct object vga_make(struct domain *domain, uint32_t frame);
/* The PCI service (module `pci`): its ports, what it hands out, and its beginning, in which it
 * finds the functions. Returns its bitmap. */
struct object pci_make(struct domain *domain);
/* The keyboard service (module `keyboard`) with its ports and line. Returns its bitmap. */
struct object keyboard_make(struct domain *domain);
/* Runs what domain_load loaded from its beginning to its end, once: a service that has something to
 * do before there are clients. */
void domain_run(struct domain *domain);
/* A door to the domain in a fresh slot of the root program's list. */
uint32_t domain_door(struct domain *domain, uint64_t badge);
void domain_give(struct domain *domain, uint32_t there, uint32_t from_slot);
const struct boot_module *module_find(const char *name);
const void *module_file(const struct boot_module *module);
_Bool module_has(uint32_t frame); /* some module */

/*
 * Loads the memory service (services/memory) and gives it the frames from `first` on to `end`, of
 * which the first memory_descriptor_frames(end) hold its descriptors. It gets the linear map and a
 * copy of the authority: from then on the frames are its, and nobody else's.
 */
void memory_begin(struct domain *memory, uint32_t first, uint32_t end);
/* Ends it; all its frames stay whose they are. `end` as at the beginning. */
void memory_end(struct domain *memory, uint32_t end);
uint32_t memory_descriptor_frames(uint32_t end);
/* Loads an allocator (services/quota, services/partition) over the extent in a slot of ours, which
 * has MEMORY_RIGHTS_ALL. The argument: quota's is the upper word of the badge of its master's
 * doors, odd; partition's is the logarithm of how many partitions there are. */
void allocator_make(struct domain *allocator, const char *name, uint32_t extent, uint32_t argument);
/* What lies behind a BAR (pci_memory of pci/pci.h says where) becomes device memory number `index`
 * of the memory service, as a capability in slot `to`. `masters`: slots of two extents to define
 * devices in, the lower 2 GiB and the upper. Result as of memory_define_device. */
#define DEVICE_MASTER_BADGE(half) MEMORY_BADGE((half) << 19, 19, MEMORY_DEVICE_MASTER)
uint32_t device_define(const uint32_t masters[2], uint32_t pci_extent, uint32_t index,
		       uint32_t rights, uint32_t to);
/* After the hand-over: the registers behind a BAR become device memory number `index`, and their
 * first `pages` are mapped in a domain that was made then. Result as of memory_define_device and
 * space_map_device. memory_forget_device of device_masters revokes it. */
uint32_t domain_device(struct domain *domain, uint32_t address, uint32_t pci_extent, uint32_t index,
		       uint32_t pages);

/* ---- the hand-over ----------------------------------------------------------------------------
 */
/*
 * Starts the memory service with all frames that are left. It alone has the right to create and
 * destroy from then on, and the linear map; this program keeps the right to look (RIGHT_READ), and
 * of memory has what an application has: extents. What was made before stays as it is. Domains and
 * threads are then made of extents, by the same functions: domain_make, _load, _page, _fill,
 * _share, _end, thread_make, _end, frames_free. The others that name frames or make objects are
 * not to be called any more. The boot menu's entry must bring the module `memory`.
 */
void root_hand_over(void);
extern struct domain memory_domain, quota_domain;
extern uint32_t memory_slot;       /* an extent: all frames that are nobody else's; 0: not yet */
extern uint32_t quota_slot;        /* the allocator's master door; 0: there is none */
extern uint32_t memory_look_slot;  /* the same with ANY alone: who has it may look */
extern uint32_t memory_order;      /* 2^order frames, from 0 on */
extern uint32_t device_masters[2]; /* extents as device_define takes them */
#define CHILD_ORDER 5u             /* a domain that is made then has 2^5 frames */
/* A domain of 2^order frames (at most CHILD_ORDER_MAX of libs/memory); and its extent for itself,
 * in that slot of its list, once all that this program makes in it is there. */
void domain_make_large(struct domain *domain, const char *name, uint32_t order);
void domain_own(struct domain *domain, uint32_t there);
/*
 * If there is memory enough, and the module `quota`, it gets the largest part, and is the only one
 * who has ANY over it. Accounts 1, 2, ... have a limit of one block each of 2^ACCOUNT_ORDER frames,
 * and 0 stands for what is left to this program. Where there is no allocator all is taken from
 * that.
 */
#define ACCOUNT_ORDER 8u
uint32_t holder_make(const char *name);
/* From now on domain_make takes frames of its; false: too few are left for a job. */
_Bool holder_use(uint32_t id);
void holder_use_own(void);      /* ... of what is left to this program */
void holder_leave(uint32_t id); /* its domains have ended: its block goes back */
_Bool holder_known(uint32_t id, const char **name, uint32_t *limit, uint32_t *used);

/* ---- threads
 * ------------------------------------------------------------------------------------------------
 */
/* Who may have called whom inside one program, as a stack tells: return addresses, the latest
 * first. */
#define BACKTRACE_MAX 8u
struct backtrace {
	uint32_t place, count, from[BACKTRACE_MAX];
	uint32_t likely; /* bits: a call of what comes before stands there */
};
struct thread {
	struct object object, data[DATA_PAGES_MAX];
	uint32_t data_pages;
	const char *name;
	struct domain *home;
	struct backtrace trace; /* of its latest fault at home */
};
/* With one data page; stopped. */
void thread_make(struct thread *thread, const char *name, struct domain *home);
void thread_data_page(struct thread *thread); /* one more */
/* Gives all back; what has been destroyed already is no error. */
void thread_end(struct thread *thread);
/* Starts at an address with a stack (0: on the data page) and a value in EBX. */
void thread_go(struct thread *thread, uint32_t address, uint32_t stack, uint32_t argument);

/* ---- running ------------------------------------------------------------------------------------
 */
#define SLICE_MS 2u
/* Runs a scheduler of this program's own (scheduler.h). Its children ask for times through doors to
 * root_domain with SCHEDULER_BADGE. Of children that faulted meanwhile it tells at the end. */
struct scheduler;
uint32_t root_schedule(struct scheduler *scheduler, uint64_t end);
/* Runs one until it waits or ends; the last reason. */
uint32_t thread_run(struct thread *thread);
/* One instruction after the other, until it has done so many in that domain: the same on every
 * machine. False: it stopped before. */
_Bool thread_run_into(struct thread *thread, const struct domain *domain, uint32_t instructions);
/* What stopped it, in words: domain, place with symbol, why, address, thread, and who called whom.
 * Faults in services that domain_load loaded are told at once, with the door and all callers, on
 * the thread that they happen to; so is one of the root thread itself. */
void fault_report(struct thread *thread);
void fault_door_entry(void);                 /* the root domain's entry: where programs tell it */
void fault_door_give(struct domain *domain); /* ... and the door; domain_load does so */
/* Known are the first 64 at a time. */
struct thread *thread_by_index(uint32_t index);
/* Tells fault_report and others about a domain; domain_make does so itself. */
struct domain *domain_by_index(uint32_t index);
/* The first 64 of each at a time, by a number that stays with one while it lives: 0 is the root
 * program's own. NULL: none has this number. */
struct domain *domain_known(uint32_t number);
struct thread *thread_known(uint32_t number);

/* ---- the console (services/console), a client of whatever base services there are
 * ------------------------------------------ */
/* Makes it, ready to be dispatched; its thread. is_alone: nobody will type. What it asks for comes
 * as events of ours (CONSOLE_REQUESTS), and it waits for CONSOLE_DONE. Once. */
slot_t console_begin(_Bool is_alone);
/* It may read the domains and threads that there are now. Not while it could be reading. */
void console_tell(void);
/* From its next request on it uses this rectangle of the screen. */
void console_screen(uint32_t screen);

/* ---- the screen, if there is a VGA service: areas as in vga.h
 * ------------------------------------------ */
/* A slot with that part of it, to write and with these rights: whoever had it has it no more, and
 * what was in it is gone. */
uint32_t rectangle_take(uint32_t manager, uint32_t area, uint32_t rights);
/* What this program prints goes to that part of it from now on, and nobody else's. */
void screen_use(uint32_t area);
/* Painters (services/painter), ready to run: the area in columns x rows of equal windows, each with
 * a rectangle of its own, that others had no more. rounds: how often each draws, 0: until its
 * rectangle is revoked. */
struct window {
	struct domain domain;
	struct thread thread;
};
void windows_open(struct window *windows, uint32_t columns, uint32_t rows, uint32_t area,
		  uint32_t rounds);
void windows_close(struct window *windows, uint32_t count); /* what they drew stays */

extern const struct boot_record *const boot_record;
extern struct domain root_domain; /* name, file; no directory of its own to change */
extern struct domain serial_domain, vga_domain, pci_domain, keyboard_domain;
extern uint32_t vga_slot;         /* the whole screen with all rights; 0: no VGA service */
extern uint32_t pci_slot;         /* all PCI functions with all rights; 0: no PCI service */
extern uint32_t keyboard_slot;    /* with all rights; 0: no keyboard service */
extern struct object root_bitmap; /* the root program's own ports */
#define AUTHORITY slot(ROOT_AUTHORITY)

#endif
