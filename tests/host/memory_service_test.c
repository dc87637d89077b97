// sources: tests/host/machine/tap.c
/* SPDX-License-Identifier: MIT */
/*
 * The memory service's own files on memory and a kernel that are simulated, asked by chance:
 * - one operation after another, by holders of different extents, beside a plain model:
 * descriptors, pages and kernel objects are compared after each one;
 * - operations cut into each other at each section and each call of the kernel: sections are lost
 * and begun anew, threads are frozen while others do what they like, and killed. Nobody writes what
 * is not his, counts agree with entries, data stay as they are, and no frame is lost for ever.
 */
#include <setjmp.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "lock/lock.h"

#include "service.h"

#include "machine/tap.h"

/* What the service calls that is no C: answers with a capability do not come back. */
static _Bool answered(uint32_t word);
static uint32_t stack_room = PARAMETER_BYTES;
#define answer_capability answered
#define parameter_room()  stack_room
#define main              service_main
#include "memory/main.c"    /* NOLINT: the service's own files, whole */
#include "memory/objects.c" /* NOLINT: the service's own files, whole */
#include "memory/tables.c"  /* NOLINT: the service's own files, whole */
#undef main

#define DESCRIPTORS   64u /* the simulated memory: frames [DESCRIPTORS, END) */
#define TEMPLATE      65u
#define FIRST         96u  /* managed */
#define HOLE          110u /* two frames that are no memory */
#define MODULE        120u /* two frames */
#define LOW_END       124u /* the kernel reaches no further */
#define BROKEN        127u /* memory ends in the middle of it */
#define END           128u
#define DEVICE        0x300u
#define DEVICE_FRAMES 16u
#define WORDS         1024u
#define HELD          12u

struct object {
	uint32_t kind, generation, part[2];
	bool attached;
};
struct world {
	struct memory_frame frame[END];
	struct object object[END];
	uint32_t words[END][WORDS], device[MEMORY_DEVICES];
};
static struct object kernel[END]; /* of the service; and the model, with all that is its own */
static struct world model;
static uint32_t shadow[END][WORDS]; /* what DATA must hold */
static uint64_t held[HELD];         /* badges: 0 all memory, 1 all devices, others what was split */

/* ---- the kernel: kernel/authority.c in few words ------------------------------------------------
 */
static bool is_part(const struct object *objects, uint32_t frame, uint32_t kind)
{
	return frame < LOW_END && objects[frame].kind == kind && !objects[frame].attached;
}
static uint32_t generation_in(const struct object *objects, uint32_t frame)
{
	return frame < LOW_END ? objects[frame].generation : 0;
}
static uint32_t create(struct object *objects, uint32_t kind, uint32_t second, uint32_t frame,
		       uint32_t generations, uint32_t parameter)
{
	struct object *object = &objects[frame];
	uint32_t sum = generation_in(objects, frame);
	if (frame >= LOW_END || object->kind != OBJECT_NONE ||
	    (kind == OBJECT_THREAD && (parameter >= LOW_END || parameter == frame ||
				       objects[parameter].kind != OBJECT_NONE)))
		return ERROR_FRAME;
	if (kind == OBJECT_THREAD || kind == OBJECT_DOMAIN || kind == OBJECT_BITMAP)
		sum += generation_in(objects, parameter);
	if (kind == OBJECT_THREAD)
		sum += generation_in(objects, second);
	if (kind == OBJECT_BITMAP)
		sum += generation_in(objects, parameter + 1);
	if (sum != generations)
		return ERROR_GENERATION;
	if (object->generation == GENERATION_TOP ||
	    (kind == OBJECT_THREAD && objects[parameter].generation == GENERATION_TOP))
		return ERROR_WORN_OUT;
	if ((kind == OBJECT_THREAD &&
	     (second >= LOW_END || objects[second].kind != OBJECT_DOMAIN)) ||
	    (kind == OBJECT_DOMAIN && !is_part(objects, parameter, OBJECT_DIRECTORY)) ||
	    (kind == OBJECT_BITMAP && (!is_part(objects, parameter, OBJECT_BITMAP_PAGE) ||
				       !is_part(objects, parameter + 1, OBJECT_BITMAP_PAGE))))
		return ERROR_ARGUMENT;
	object->kind = kind;
	object->part[0] = kind == OBJECT_THREAD || kind == OBJECT_DOMAIN || kind == OBJECT_BITMAP
				  ? parameter
				  : 0;
	object->part[1] = kind == OBJECT_BITMAP ? parameter + 1 : 0;
	if (kind == OBJECT_THREAD)
		objects[parameter].kind = OBJECT_DATA_PAGE;
	for (uint32_t i = 0; i < 2; i++)
		if (object->part[i])
			objects[object->part[i]].attached = true;
	return 0;
}
static void retire(struct object *objects, uint32_t frame)
{
	objects[frame] =
		(struct object){.kind = OBJECT_NONE, .generation = objects[frame].generation + 1};
}
static uint32_t destroy(struct object *objects, uint32_t frame, uint32_t generation)
{
	if (frame >= LOW_END || objects[frame].kind == OBJECT_NONE)
		return ERROR_FRAME;
	if (objects[frame].generation != generation)
		return ERROR_GENERATION;
	if ((objects[frame].kind == OBJECT_DIRECTORY ||
	     objects[frame].kind == OBJECT_BITMAP_PAGE) &&
	    objects[frame].attached)
		return ERROR_STATE;
	if (objects[frame].kind == OBJECT_DATA_PAGE && objects[frame].attached)
		for (uint32_t i = FIRST; i < END; i++)
			if (objects[i].kind == OBJECT_THREAD && objects[i].part[0] == frame)
				objects[i].part[0] = 0;
	for (uint32_t i = 0; i < 2; i++)
		if (objects[frame].part[i])
			retire(objects, objects[frame].part[i]);
	retire(objects, frame);
	return 0;
}
static bool is_fetched(const struct object *objects, uint32_t frame)
{
	uint32_t kind = frame < LOW_END ? objects[frame].kind : OBJECT_NONE;
	return kind <= OBJECT_BITMAP && kind != OBJECT_DIRECTORY;
}

/* ---- a call, and how it is disturbed
 * ------------------------------------------------------------- */
/* Operations as the model names and packs them: see words_send. */
enum {
	MEMORY_MAP,
	MEMORY_MAP_LENT,
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
	OPERATIONS
};
#define MEMORY_FROM_LENT 1u /* in word b: its frame is in the extent that is lent */
#define MEMORY_AT(offset, index, low) \
	((uint32_t)(offset) << 12 | (uint32_t)(index) << 2 | (uint32_t)(low))

struct call {
	uint32_t operation, a, b;
	uint64_t badge, lent;
	bool has_lent, has_result;
	bool is_result;  /* a capability came back */
	uint64_t result; /* its badge; 0: a kernel object's */
	jmp_buf *end;
};
static struct call *now;
static bool disturbing, losing;
static uint32_t deep, lost_count, killed_count, nested_count;

static void disturb(void);

struct section_record *section_record;

static bool is_live(uint64_t badge, uint32_t frame)
{
	uint32_t first = (uint32_t)badge >> 12, size = 1u << ((badge >> 7 & 31) - 12);
	return frame - first < size &&
	       (badge & MEMORY_ANY ||
		MEMORY_GENERATION_OF(frames[frame].key) == (uint32_t)(badge >> 32));
}

/* A change of this frame by this call: is it the call's to make? */
static bool is_its(uint32_t frame)
{
	return is_live(now->badge, frame) || (now->has_lent && is_live(now->lent, frame));
}

static void pair_check(uint32_t address, uint32_t value)
{
	uint32_t at = address - (uint32_t)frames, old = *(uint32_t *)address;
	if (at < sizeof(struct memory_frame) * END) {
		uint32_t number = at / sizeof(struct memory_frame), key = frames[number].key;
		uint32_t field = at % sizeof(struct memory_frame);
		bool counts = field == offsetof(struct memory_frame, count) && value == old - 1 &&
			      (MEMORY_TYPE_OF(key) == MEMORY_DATA ||
			       MEMORY_TYPE_OF(key) == MEMORY_TABLE ||
			       MEMORY_TYPE_OF(key) == MEMORY_LOCK_PAGE);
		CHECK(counts || is_its(number));
		CHECK(number >= FIRST && number < END && MEMORY_TYPE_OF(key) != MEMORY_RESERVED);
		if (field == offsetof(struct memory_frame, key) &&
		    MEMORY_TYPE_OF(value) == MEMORY_DATA && MEMORY_TYPE_OF(key) != MEMORY_DATA) {
			memset(shadow[number], 0, PAGE_BYTES);
			CHECK(!memcmp(frame_words(number), shadow[number], PAGE_BYTES));
		}
	} else if (address - LINEAR_BASE < END << 12) {
		uint32_t number = (address - LINEAR_BASE) >> 12;
		CHECK(number >= FIRST);
		CHECK(is_its(number) || (now->operation == MEMORY_SWEEP && !value));
	} else {
		CHECK(address - (uint32_t)device_generation < sizeof(device_generation));
	}
}

void __attribute__((regparm(3))) section_commit(uint32_t pairs)
{
	CHECK(pairs <= SECTION_PAIRS);
	for (uint32_t i = 0; i < pairs && !losing; i++)
		for (uint32_t k = 0; k < i; k++)
			CHECK(LOCK->log[i].address != LOCK->log[k].address);
	for (uint32_t i = 0; i < pairs && !losing; i++)
		pair_check(LOCK->log[i].address, LOCK->log[i].value);
	for (uint32_t i = 0; i < pairs && !losing; i++)
		*(uint32_t *)LOCK->log[i].address = LOCK->log[i].value;
}
void __attribute__((regparm(3))) section_commit_word(volatile void *address, uint32_t value)
{
	section_log(0, address, value);
	section_commit(1);
}
void __attribute__((regparm(3)))
section_commit_two(volatile void *address_0, uint32_t value_0, volatile void *address_1)
{
	CHECK(LOCK->log[0].address == (uint32_t)address_0 && LOCK->log[0].value == value_0);
	CHECK(LOCK->log[1].address == (uint32_t)address_1);
	section_commit(2);
}
/* A section of clean that is lost has zeroed some of its frame: which is its owner's, and unmapped.
 */
static void cleaned(void)
{
	uint32_t first = (uint32_t)now->badge >> 12, offset = at_frame(now->a);
	for (uint32_t i = first + offset; i <= first + offset + at_index(now->a) && i < END; i++)
		if (now->operation == MEMORY_CLEAN_UP && is_its(i) &&
		    MEMORY_TYPE_OF(frames[i].key) == MEMORY_DIRTY)
			memcpy(shadow[i], frame_words(i), PAGE_BYTES);
}

void section_run(section_prepare *prepare, void *context)
{
	struct section_record record = {.context = context};
	disturb();
	while (disturbing &&
	       random_below(6) == 0) { /* all but its commit, and then another one runs */
		losing = true;
		section_record = &record;
		prepare();
		losing = false;
		cleaned();
		lost_count++;
		disturb();
	}
	section_record = &record;
	prepare();
	disturb();
}

uint32_t object_inspect(uint32_t frame, uint32_t *generation)
{
	disturb();
	*generation = generation_in(kernel, frame);
	return frame < LOW_END ? kernel[frame].kind : OBJECT_RESERVED;
}
uint32_t object_create(uint32_t kind, uint32_t second, uint32_t frame, uint32_t generations,
		       uint32_t parameter)
{
	disturb();
	uint32_t error = create(kernel, kind, second, frame, generations, parameter);
	if (!error) { /* nobody maps it, nobody zeroes it, and it holds what the kernel expects */
		CHECK_EQUAL(MEMORY_TYPE_OF(frames[frame].key), MEMORY_BECOMING);
		if (kind == OBJECT_THREAD)
			CHECK_EQUAL(MEMORY_TYPE_OF(frames[parameter].key), MEMORY_BECOMING);
		for (uint32_t i = 0; i < WORDS; i++)
			CHECK_EQUAL(frame_words(frame)[i], kind == OBJECT_DIRECTORY
								   ? frame_words(TEMPLATE)[i]
							   : kind == OBJECT_BITMAP_PAGE ? ~0u
											: 0);
	}
	disturb();
	return error;
}
uint32_t object_destroy(uint32_t frame, uint32_t generation)
{
	disturb();
	uint32_t error = destroy(kernel, frame, generation);
	uint32_t type = MEMORY_TYPE_OF(frames[frame].key);
	if (!error)
		CHECK(type == MEMORY_DROPPING_TABLE || type == MEMORY_DIRECTORY ||
		      type == MEMORY_OBJECT);
	disturb();
	return error;
}
uint32_t object_fetch(uint32_t frame, uint32_t generation)
{
	disturb();
	if (!now->has_result)
		return ERROR_ARGUMENT;
	if (frame >= LOW_END || kernel[frame].kind == OBJECT_NONE)
		return ERROR_FRAME;
	if (kernel[frame].generation != generation)
		return ERROR_GENERATION;
	now->result = 0;
	return is_fetched(kernel, frame) ? 0 : ERROR_KIND;
}
uint32_t door_make(uint64_t badge)
{
	now->result = badge;
	return now->has_result ? 0 : ERROR_ARGUMENT;
}
uint32_t lent_badge(uint64_t *badge)
{
	*badge = now->lent;
	return now->has_lent ? 0 : ERROR_EMPTY;
}

#define ENDED  1
#define KILLED 2
static _Bool answered(uint32_t word)
{
	CHECK_EQUAL(word, 0);
	now->is_result = true;
	longjmp(*now->end, ENDED);
}

struct answer {
	uint32_t status, word;
	bool killed;
};
/* The model's words, as the service has them. */
static void words_send(const struct call *call, uint32_t *operation, uint32_t *a, uint32_t *b)
{
	static const uint8_t numbers[] = {[MEMORY_MAP] = memory_map_pages_op,
					  [MEMORY_MAP_LENT] = memory_map_lent_op,
					  [MEMORY_UNMAP] = memory_unmap_op,
					  [MEMORY_INSTALL] = memory_install_op,
					  [MEMORY_REMOVE] = memory_remove_op,
					  [MEMORY_BECOME] = memory_become_op,
					  [MEMORY_CLEAN_UP] = memory_clean_range_op,
					  [MEMORY_DROP] = memory_drop_op,
					  [MEMORY_CREATE_DOMAIN] = memory_create_domain_op,
					  [MEMORY_CREATE_THREAD] = memory_create_thread_op,
					  [MEMORY_CREATE_BITMAP] = memory_create_bitmap_op,
					  [MEMORY_SWEEP] = memory_sweep_op,
					  [MEMORY_REVOKE] = memory_revoke_range_op,
					  [MEMORY_FLUSH] = memory_flush_op,
					  [MEMORY_FETCH] = memory_fetch_op,
					  [MEMORY_SPLIT] = memory_split_bytes_op,
					  [MEMORY_DEFINE_DEVICE] = memory_define_bytes_op,
					  [MEMORY_FORGET_DEVICE] = memory_forget_device_op};
	_Bool lent = call->operation == MEMORY_MAP_LENT;
	*operation = numbers[call->operation];
	*a = call->a;
	*b = call->b;
	switch (call->operation) {
	case MEMORY_UNMAP:
		*b = call->b << 22;
		break;
	case MEMORY_SWEEP:
		*b = call->b << 26;
		break;
	case MEMORY_CREATE_DOMAIN:
		*a &= ~1u;
		*b |= (call->a & 1) << 11;
		break;
	default:
		break;
	}
	if (call->b & MEMORY_FROM_LENT &&
	    (call->operation == MEMORY_INSTALL || call->operation == MEMORY_CREATE_DOMAIN ||
	     call->operation == MEMORY_CREATE_THREAD)) {
		*operation += 1;
		*b &= ~MEMORY_FROM_LENT;
		lent = 1;
	}
	if (call->operation == MEMORY_CREATE_BITMAP)
		*b = 0;
	if (lent) /* EBX has the slots */
		*(uint32_t *)parameters() = *b;
}

static struct answer invoke_service(struct call *call)
{
	struct call *before = now;
	jmp_buf end;
	struct answer answer = {0, 0, false};
	call->end = &end;
	now = call;
	switch (setjmp(end)) {
	case 0: {
		uint32_t operation, a, b;
		words_send(call, &operation, &a, &b);
		uint64_t both = service_operations[operation](call->badge, a, b, call->badge >> 32);
		answer.status = both;
		answer.word = both >> 32;
		break;
	}
	case KILLED:
		answer.killed = true;
	}
	now = before;  /* what it pointed to is the caller's own */
	return answer; /* NOLINT */
}

/* ---- the model: what memory.h says, one frame and one entry after the other --------------------
 */
#define BIT(status) (1u << ((status) < 31 ? (status) : 31))
#define OK          BIT(MEMORY_OK)
static uint32_t done; /* frames or entries before the refused one */

struct extent {
	uint32_t first, size, rights, generation;
};
static struct extent extent_of(uint64_t badge)
{
	return (struct extent){(uint32_t)badge >> 12, 1u << ((badge >> 7 & 31) - 12), badge & 127,
			       badge >> 32};
}
static bool has(struct extent e, uint32_t offset, uint32_t count)
{
	return offset < e.size && count <= e.size - offset;
}
static uint32_t type_of(uint32_t frame)
{
	return MEMORY_TYPE_OF(model.frame[frame].key);
}
static void type_set(uint32_t frame, uint32_t type, uint32_t count)
{
	model.frame[frame].key = MEMORY_KEY(type, MEMORY_GENERATION_OF(model.frame[frame].key));
	model.frame[frame].count = count;
}
static uint32_t why_stale(struct extent e, uint32_t frame)
{
	return e.rights & MEMORY_ANY || MEMORY_GENERATION_OF(model.frame[frame].key) == e.generation
		       ? 0
		       : BIT(MEMORY_STALE);
}
static uint32_t why_not(struct extent e, uint32_t frame, uint32_t type)
{
	return why_stale(e, frame) | (type_of(frame) == type ? 0 : BIT(MEMORY_WRONG_TYPE));
}
static uint32_t why_right(struct extent e, uint32_t needed)
{
	return (e.rights & needed) == needed ? 0 : BIT(MEMORY_NOT_ALLOWED);
}
static uint32_t why_outside(struct extent e, uint32_t offset, uint32_t count)
{
	return has(e, offset, count) ? 0 : BIT(MEMORY_OUTSIDE);
}

static uint32_t model_map(struct extent e, uint32_t a, uint32_t b, struct extent pages)
{
	uint32_t count = at_index(b) + 1, index = at_index(a);
	uint32_t why = why_right(e, MEMORY_MANAGE) |
		       why_right(pages, MEMORY_READ | (a & MEMORY_ENTRY_WRITE)) |
		       why_outside(e, at_frame(a), 1) | why_outside(pages, at_frame(b), count);
	bool device = pages.rights & MEMORY_DEVICE;
	if (device && pages.rights & MEMORY_ANY)
		why |= BIT(MEMORY_NOT_ALLOWED);
	if (index + count > WORDS)
		why |= BIT(MEMORY_OUTSIDE);
	for (; !why && done < count; done++) {
		uint32_t table = e.first + at_frame(a), page = pages.first + at_frame(b) + done;
		uint32_t *entry = &model.words[table][index + done];
		why = why_not(e, table, MEMORY_TABLE);
		if (*entry && *entry >> 12 != page)
			why |= BIT(MEMORY_OCCUPIED);
		if (!device)
			why |= why_not(pages, page,
				       type_of(page) == MEMORY_LOCK_PAGE ? MEMORY_LOCK_PAGE
									 : MEMORY_DATA);
		else if (model.device[pages.generation >> 22] != (pages.generation & 0x3FFFFF))
			why |= BIT(MEMORY_STALE);
		if (why)
			break;
		if (!device && !*entry)
			model.frame[page].count++;
		*entry = page << 12 | 5 | (a & 2) |
			 (device ? (a & MEMORY_ENTRY_UNCACHED ? 0x18 : 0) : MEMORY_ENTRY_COUNTED);
	}
	return why ? why : OK;
}

static void entry_empty(uint32_t *entry, bool counted)
{
	if (*entry && counted)
		model.frame[*entry >> 12].count--;
	*entry = 0;
}
static uint32_t model_unmap(struct extent e, uint32_t a, uint32_t b)
{
	uint32_t table = e.first + at_frame(a);
	uint32_t why = why_right(e, MEMORY_MANAGE) | why_outside(e, at_frame(a), 1);
	if (b >= WORDS - at_index(a))
		why |= BIT(MEMORY_OUTSIDE);
	if (has(e, at_frame(a), 1) && !(e.rights & MEMORY_DEVICE))
		why |= why_not(e, table, MEMORY_TABLE);
	for (uint32_t i = 0; !why && i <= b; i++) {
		uint32_t *entry = &model.words[table][at_index(a) + i];
		entry_empty(entry, *entry & MEMORY_ENTRY_COUNTED);
	}
	return why ? why : OK;
}

static uint32_t model_sweep(struct extent e, uint32_t a, uint32_t b)
{
	uint32_t table = at_frame(a), type = table < END ? type_of(table) : 0;
	bool device = e.rights & MEMORY_DEVICE,
	     directory = type == MEMORY_DIRECTORY || type == MEMORY_DROPPING_DIRECTORY;
	uint32_t why = why_right(e, device ? MEMORY_ANY : MEMORY_MANAGE);
	if (table >= END || b >= MEMORY_SWEEP_MAX || b >= WORDS - at_index(a))
		why |= BIT(MEMORY_OUTSIDE);
	else if (!directory && type != MEMORY_TABLE && type != MEMORY_DROPPING_TABLE)
		why |= BIT(MEMORY_WRONG_TYPE);
	for (uint32_t i = at_index(a); !why && i <= at_index(a) + b; i++) {
		uint32_t *entry = &model.words[table][i], page = *entry >> 12;
		if (!*entry || page - e.first >= e.size || (directory && i >= LENDABLE_ENTRIES))
			continue;
		if (device == (directory || *entry & MEMORY_ENTRY_COUNTED))
			continue;
		if (!device)
			why = why_stale(e, page);
		if (!why)
			entry_empty(entry, !device);
	}
	return why ? why : OK;
}

static uint32_t why_directory(struct extent e, uint32_t a)
{
	uint32_t why = why_right(e, MEMORY_MANAGE) | why_outside(e, at_frame(a), 1);
	if (at_index(a) < IMAGE_BASE >> 22 || at_index(a) >= LENDABLE_ENTRIES)
		why |= BIT(MEMORY_OUTSIDE);
	if (has(e, at_frame(a), 1) && !(e.rights & MEMORY_DEVICE))
		why |= why_not(e, e.first + at_frame(a), MEMORY_DIRECTORY);
	return why;
}
static uint32_t model_install(struct extent e, uint32_t a, uint32_t b, const uint64_t *lent)
{
	struct extent tables = lent ? extent_of(*lent) : e;
	uint32_t why = why_directory(e, a) | why_right(tables, MEMORY_MANAGE) |
		       why_outside(tables, at_frame(b), 1),
		 table = tables.first + at_frame(b);
	if (has(tables, at_frame(b), 1) && !(tables.rights & MEMORY_DEVICE))
		why |= why_not(tables, table, MEMORY_TABLE);
	if (!(why & ~BIT(MEMORY_STALE) & ~BIT(MEMORY_WRONG_TYPE))) {
		uint32_t *entry = &model.words[e.first + at_frame(a)][at_index(a)];
		if (*entry)
			why |= BIT(MEMORY_OCCUPIED);
		if (!why) {
			*entry = table << 12 | 7 | MEMORY_ENTRY_COUNTED;
			model.frame[table].count++;
		}
	}
	return why ? why : OK;
}
static uint32_t model_remove(struct extent e, uint32_t a)
{
	uint32_t why = why_directory(e, a);
	if (!why)
		entry_empty(&model.words[e.first + at_frame(a)][at_index(a)], true);
	return why ? why : OK;
}

static uint32_t why_range(struct extent e, uint32_t a)
{
	return why_right(e, MEMORY_MANAGE) | why_outside(e, at_frame(a), at_index(a) + 1);
}
static uint32_t model_clean(struct extent e, uint32_t a)
{
	uint32_t why = why_range(e, a);
	for (uint32_t i = 0; !why && i <= at_index(a); i++) {
		uint32_t frame = e.first + at_frame(a) + i, type = type_of(frame);
		why = why_stale(e, frame);
		if (type == MEMORY_DATA && model.frame[frame].count)
			why |= BIT(MEMORY_IN_USE);
		if (type != MEMORY_DATA && type != MEMORY_DIRTY && type != MEMORY_CLEAN)
			why |= BIT(MEMORY_WRONG_TYPE);
		if (why)
			break;
		type_set(frame, MEMORY_CLEAN, 0);
		memset(model.words[frame], 0, PAGE_BYTES);
	}
	return why ? why : OK;
}
static uint32_t model_data(struct extent e, uint32_t a)
{
	uint32_t why = why_range(e, a);
	for (uint32_t i = 0; !why && i <= at_index(a); i++) {
		why = why_not(e, e.first + at_frame(a) + i, MEMORY_CLEAN);
		if (!why)
			type_set(e.first + at_frame(a) + i, MEMORY_DATA, 0);
	}
	return why ? why : OK;
}
static uint32_t model_revoke(struct extent e, uint32_t a, uint32_t generation)
{
	uint32_t why = why_range(e, a) | why_right(e, MEMORY_ANY);
	if (generation > MEMORY_TOP)
		why |= BIT(MEMORY_WORN_OUT);
	for (uint32_t i = 0; !why && i <= at_index(a); i++) {
		uint32_t frame = e.first + at_frame(a) + i, type = type_of(frame);
		if (generation <= MEMORY_GENERATION_OF(model.frame[frame].key) ||
		    type == MEMORY_RESERVED)
			why |= BIT(MEMORY_STALE);
		else
			model.frame[frame].key = MEMORY_KEY(type, generation);
	}
	return why ? why : OK;
}

/* The frame holds what it must, and is BECOMING; or why not. */
static uint32_t model_begin(struct extent e, uint32_t frame, uint32_t content)
{
	uint32_t why = why_stale(e, frame), type = type_of(frame);
	if (type == MEMORY_BECOMING && model.frame[frame].count == content)
		return why;
	if (type != MEMORY_CLEAN)
		return why | BIT(MEMORY_WRONG_TYPE);
	if (frame >= LOW_END)
		return why | BIT(MEMORY_REFUSED);
	if (model.object[frame].generation >= GENERATION_TOP)
		return why | BIT(MEMORY_WORN_OUT);
	if (why)
		return why;
	type_set(frame, MEMORY_BECOMING, content);
	model.frame[frame].serial = model.object[frame].generation + 1;
	for (uint32_t i = 0; i < WORDS && content; i++)
		model.words[frame][i] = content == CONTENT_ONES ? ~0u : frame_words(TEMPLATE)[i];
	return 0;
}
static uint32_t model_finish(uint32_t frame)
{
	const struct object *object = &model.object[frame];
	if (object->kind == OBJECT_NONE || object->generation + 1 != model.frame[frame].serial)
		return BIT(MEMORY_AGAIN);
	type_set(frame,
		 object->kind == OBJECT_TABLE       ? MEMORY_TABLE
		 : object->kind == OBJECT_LOCK_PAGE ? MEMORY_LOCK_PAGE
		 : object->kind == OBJECT_DIRECTORY ? MEMORY_DIRECTORY
						    : MEMORY_OBJECT,
		 0);
	return OK;
}
static uint32_t model_create(uint32_t kind, uint32_t second, uint32_t frame, uint32_t others,
			     uint32_t parameter)
{
	uint32_t error = create(model.object, kind, second, frame,
				model.frame[frame].serial - 1 + others, parameter);
	if (error == ERROR_GENERATION)
		return BIT(MEMORY_AGAIN);
	return error && error != ERROR_FRAME ? BIT(MEMORY_REFUSED) : model_finish(frame);
}
static uint32_t content_of(uint32_t kind)
{
	return kind == OBJECT_DIRECTORY     ? CONTENT_DIRECTORY
	       : kind == OBJECT_BITMAP_PAGE ? CONTENT_ONES
					    : CONTENT_ZERO;
}
static uint32_t model_become(struct extent e, uint32_t a, uint32_t kind)
{
	uint32_t why = why_right(e, MEMORY_MANAGE) | why_outside(e, at_frame(a), 1);
	if (kind == OBJECT_NONE)
		return model_data(e, a);
	if (kind > OBJECT_BITMAP_PAGE || kind == OBJECT_DOMAIN || kind == OBJECT_THREAD ||
	    kind == OBJECT_BITMAP || at_index(a))
		why |= BIT(SERVICE_BAD_ARGUMENT);
	if (!why)
		why = model_begin(e, e.first + at_frame(a), content_of(kind));
	return why ? why : model_create(kind, 0, e.first + at_frame(a), 0, 0);
}
static uint32_t why_companion(struct extent e, uint32_t offset, uint32_t kind, uint32_t type)
{
	uint32_t why = why_right(e, MEMORY_MANAGE) | why_outside(e, offset, 1);
	if (why)
		return why;
	if (e.first + offset < LOW_END && model.object[e.first + offset].kind != kind)
		why = BIT(MEMORY_WRONG_TYPE);
	return why | why_not(e, e.first + offset, type);
}
static uint32_t model_create_with(struct extent e, uint32_t operation, uint32_t a, uint32_t b,
				  const uint64_t *lent)
{
	struct extent other = lent ? extent_of(*lent) : e;
	uint32_t frame = e.first + at_frame(a), second = other.first + at_frame(b);
	uint32_t why = why_right(e, MEMORY_MANAGE);
	uint32_t needs = operation == MEMORY_CREATE_THREAD   ? 2
			 : operation == MEMORY_CREATE_BITMAP ? 3
							     : 1;
	why |= why_outside(e, at_frame(a), needs);
	if (why)
		return why | (operation == MEMORY_CREATE_BITMAP ? BIT(MEMORY_WRONG_TYPE) : 0) |
		       (has(e, at_frame(a), 1) ? BIT(MEMORY_STALE) : 0);
	why = why_stale(e, frame);
	if (operation == MEMORY_CREATE_THREAD)
		why |= why_stale(e, frame + 1);
	if (operation == MEMORY_CREATE_BITMAP)
		why |= why_companion(e, at_frame(a) + 1, OBJECT_BITMAP_PAGE, MEMORY_OBJECT) |
		       why_companion(e, at_frame(a) + 2, OBJECT_BITMAP_PAGE, MEMORY_OBJECT);
	else
		why |= operation == MEMORY_CREATE_THREAD
			       ? why_companion(other, at_frame(b), OBJECT_DOMAIN, MEMORY_OBJECT)
			       : why_companion(other, at_frame(b), OBJECT_DIRECTORY,
					       MEMORY_DIRECTORY);
	if (why)
		return why;
	why = model_begin(e, frame, CONTENT_ZERO);
	if (why)
		return why;
	if (operation == MEMORY_CREATE_DOMAIN)
		return model_create(OBJECT_DOMAIN, a & 1, frame,
				    generation_in(model.object, second), second);
	if (operation == MEMORY_CREATE_BITMAP)
		return model_create(OBJECT_BITMAP, 0, frame,
				    generation_in(model.object, frame + 1) +
					    generation_in(model.object, frame + 2),
				    frame + 1);
	why = model_begin(e, frame + 1, CONTENT_ZERO);
	if (why)
		return why;
	why = model_create(OBJECT_THREAD, second, frame,
			   model.frame[frame + 1].serial - 1 + generation_in(model.object, second),
			   frame + 1);
	if (why == OK)
		model_finish(frame + 1);
	return why;
}

static uint32_t model_drop(struct extent e, uint32_t a)
{
	uint32_t frame = e.first + at_frame(a), type;
	uint32_t why = why_right(e, MEMORY_MANAGE) | why_outside(e, at_frame(a), 1);
	if (why)
		return why;
	why = why_stale(e, frame);
	type = type_of(frame);
	const struct object *object = &model.object[frame];
	if (type < MEMORY_TABLE || /* what is BECOMING is finished first, if it can be */
	    (type == MEMORY_BECOMING && object->generation + 1 == model.frame[frame].serial))
		return why | BIT(MEMORY_WRONG_TYPE);
	if ((type == MEMORY_TABLE || type == MEMORY_LOCK_PAGE) && model.frame[frame].count)
		why |= BIT(MEMORY_IN_USE);
	if (!why && object->kind != OBJECT_NONE &&
	    destroy(model.object, frame, object->generation) == ERROR_STATE)
		why = BIT(MEMORY_IN_USE);
	if (why)
		return why;
	if (type == MEMORY_OBJECT || type == MEMORY_LOCK_PAGE || type == MEMORY_BECOMING) {
		type_set(frame, MEMORY_DIRTY, 0);
		return OK;
	}
	for (uint32_t i = 0; i < WORDS; i++)
		entry_empty(&model.words[frame][i],
			    type == MEMORY_TABLE ? model.words[frame][i] & MEMORY_ENTRY_COUNTED
						 : i < LENDABLE_ENTRIES);
	type_set(frame, MEMORY_CLEAN, 0);
	return OK;
}

static uint32_t model_fetch(struct extent e, uint32_t b)
{
	uint32_t why = why_right(e, MEMORY_MANAGE) | why_outside(e, at_frame(b), 1),
		 frame = e.first + at_frame(b);
	if (why)
		return why;
	why = why_stale(e, frame);
	if (type_of(frame) != MEMORY_OBJECT && type_of(frame) != MEMORY_TABLE &&
	    type_of(frame) != MEMORY_LOCK_PAGE)
		why |= BIT(MEMORY_WRONG_TYPE);
	else if (!is_fetched(model.object, frame))
		why |= BIT(MEMORY_REFUSED);
	return why ? why : OK;
}

static uint32_t model_split(struct extent e, uint32_t place, uint64_t *result)
{
	uint32_t order = (place >> 7 & 31) - 12, offset = at_frame(place), rights = place & 127;
	uint32_t why = rights & ~e.rights ? BIT(MEMORY_NOT_ALLOWED) : 0;
	if (order > 19 || !has(e, offset, 1u << order) || (e.first + offset) & ((1u << order) - 1))
		why |= BIT(MEMORY_OUTSIDE);
	if (e.rights & MEMORY_DEVICE && (e.rights & MEMORY_ANY || !(rights & MEMORY_DEVICE)))
		why |= BIT(MEMORY_NOT_ALLOWED);
	if (why)
		return why;
	uint32_t generation = e.generation;
	if (e.rights & MEMORY_ANY && !(rights & MEMORY_ANY))
		generation = MEMORY_GENERATION_OF(model.frame[e.first + offset].key);
	*result = (uint64_t)generation << 32 | MEMORY_BADGE(e.first + offset, order, rights);
	return OK;
}
static uint32_t model_define(struct extent e, uint32_t place, uint32_t index, uint64_t *result)
{
	uint32_t order = (place >> 7 & 31) - 12, offset = at_frame(place), rights = place & 127;
	uint32_t why = why_right(e, MEMORY_DEVICE_MASTER);
	if (rights & ~e.rights)
		why |= BIT(MEMORY_NOT_ALLOWED);
	if (order > 19 || !has(e, offset, 1u << order) ||
	    (e.first + offset) & ((1u << order) - 1) || index >= MEMORY_DEVICES)
		return why | BIT(MEMORY_OUTSIDE);
	if (e.first + offset < END)
		why |= BIT(MEMORY_WRONG_TYPE);
	if (model.device[index] & 1)
		why |= BIT(MEMORY_IN_USE);
	if (why)
		return why;
	model.device[index]++;
	*result = (uint64_t)(index << 22 | model.device[index]) << 32 |
		  MEMORY_BADGE(e.first + offset, order,
			       (rights & ~(MEMORY_ANY | MEMORY_MANAGE)) | MEMORY_DEVICE);
	return OK;
}
static uint32_t model_forget(struct extent e, uint32_t index)
{
	uint32_t why = why_right(e, MEMORY_DEVICE_MASTER);
	if (index >= MEMORY_DEVICES)
		why |= BIT(MEMORY_OUTSIDE);
	if (!why && model.device[index] & 1)
		model.device[index]++;
	return why ? why : OK;
}

/* Statuses that the call may answer; the model is then as if it had answered one of them. */
static uint32_t model_call(const struct call *call, uint64_t *result)
{
	struct extent e = extent_of(call->badge);
	const uint64_t *lent = call->b & MEMORY_FROM_LENT ? &call->lent : NULL;
	uint32_t a = call->a, b = call->b;
	done = 0;
	if (lent && !call->has_lent &&
	    (call->operation == MEMORY_INSTALL || call->operation == MEMORY_CREATE_DOMAIN ||
	     call->operation == MEMORY_CREATE_THREAD))
		return BIT(SERVICE_BAD_ARGUMENT) |
		       (call->operation == MEMORY_INSTALL
				? 0
				: BIT(MEMORY_STALE) | why_right(e, MEMORY_MANAGE) |
					  why_outside(e, at_frame(a),
						      call->operation == MEMORY_CREATE_THREAD ? 2
											      : 1));
	switch (call->operation) {
	case MEMORY_MAP:
		return model_map(e, a, b, e);
	case MEMORY_MAP_LENT:
		return call->has_lent ? model_map(e, a, b, extent_of(call->lent))
				      : BIT(SERVICE_BAD_ARGUMENT);
	case MEMORY_UNMAP:
		return model_unmap(e, a, b);
	case MEMORY_SWEEP:
		return model_sweep(e, a, b);
	case MEMORY_INSTALL:
		return model_install(e, a, b, lent);
	case MEMORY_REMOVE:
		return model_remove(e, a);
	case MEMORY_BECOME:
		return model_become(e, a, b);
	case MEMORY_CLEAN_UP:
		return model_clean(e, a);
	case MEMORY_DROP:
		return model_drop(e, a);
	case MEMORY_CREATE_DOMAIN:
	case MEMORY_CREATE_THREAD:
	case MEMORY_CREATE_BITMAP:
		return model_create_with(e, call->operation, a, b, lent);
	case MEMORY_REVOKE:
		return model_revoke(e, a, b);
	case MEMORY_FETCH:
		return model_fetch(e, b);
	case MEMORY_SPLIT:
		return model_split(e, b, result);
	case MEMORY_DEFINE_DEVICE:
		return model_define(e, b, *(uint32_t *)parameters(), result);
	case MEMORY_FORGET_DEVICE:
		return model_forget(e, a);
	default:
		return OK;
	}
}

/* ---- the world
 * ----------------------------------------------------------------------------------- */
static void map_at(uint32_t address, uint32_t bytes)
{
	void *at = (void *)address;
	CHECK(mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		   0) == at);
}
static void region(uint64_t start, uint64_t bytes, uint32_t type)
{
	struct boot_record *record = (struct boot_record *)BOOT_RECORD;
	record->regions[record->region_count++] =
		(struct boot_region){.start = start, .bytes = bytes, .type = type};
}
#define ADDRESS_OF(frame) ((uint64_t)(frame) << 12)

static void memory_make(void)
{
	static bool made;
	if (!made) {
		map_at(LINEAR_BASE + (DESCRIPTORS << 12), (END - DESCRIPTORS) << 12);
		map_at(LOCK_PAGE, PAGE_BYTES);
		map_at(MEMORY_DESCRIPTORS, sizeof(struct memory_frame) * END);
		map_at(DATA_PAGE, PAGE_BYTES);
		map_at(BOOT_RECORD, PAGE_BYTES);
	}
	made = true;
	memset((void *)BOOT_RECORD, 0, PAGE_BYTES);
	memset(device_generation, 0, sizeof(device_generation));
	memset(frames, 0, sizeof(struct memory_frame) * END);
	for (uint32_t i = DESCRIPTORS; i < END; i++)
		memset(frame_words(i), 0, PAGE_BYTES);
}

static void begin(void)
{
	struct boot_record *record = (struct boot_record *)BOOT_RECORD;
	memory_make();
	region(ADDRESS_OF(DESCRIPTORS), ADDRESS_OF(BROKEN - DESCRIPTORS) + 0x800, 1);
	region(ADDRESS_OF(HOLE) + 0x800, ADDRESS_OF(1), 2); /* in two frames */
	record->modules[0] = (struct boot_module){ADDRESS_OF(MODULE) + 4, PAGE_BYTES, "module"};
	record->modules[1] = (struct boot_module){ADDRESS_OF(MODULE) + 12, 0, "empty"};
	record->module_count = 2;
	for (uint32_t i = 0; i < WORDS; i++)
		frame_words(TEMPLATE)[i] = i < LENDABLE_ENTRIES ? 0 : i << 22 | 0x83;
	*(struct memory_start *)frames = (struct memory_start){FIRST, END, TEMPLATE, 0};
	CHECK_EQUAL(service_main(), 0);
	memset(&model, 0, sizeof(model));
	memset(kernel, 0, sizeof(kernel));
	memset(shadow, 0, sizeof(shadow));
	for (uint32_t i = 0; i < END; i++) {
		bool memory = i >= FIRST && i != HOLE && i != HOLE + 1 && i != BROKEN;
		model.object[i].kind = kernel[i].kind = OBJECT_NONE;
		model.object[i].generation = kernel[i].generation = i % 3;
		if (memory)
			type_set(i, i - MODULE < 2 ? MEMORY_DATA : MEMORY_DIRTY, 0);
		CHECK_EQUAL(frames[i].key, model.frame[i].key);
	}
	model.object[FIRST + 1].generation = kernel[FIRST + 1].generation = GENERATION_TOP - 1;
	memset(held, 0, sizeof(held));
	held[0] = MEMORY_BADGE(FIRST, 5, MEMORY_RIGHTS_ALL);
	held[1] = MEMORY_BADGE(DEVICE, 4, MEMORY_DEVICE_MASTER);
	for (uint32_t i = 2; i < HELD; i++)
		held[i] = MEMORY_BADGE(FIRST + i % 4 * 8, 3, MEMORY_RIGHTS);
}

static bool is_entry_counted(uint32_t table, uint32_t index)
{
	uint32_t type = MEMORY_TYPE_OF(frames[table].key);
	if (type == MEMORY_TABLE || type == MEMORY_DROPPING_TABLE)
		return frame_words(table)[index] & MEMORY_ENTRY_COUNTED;
	return (type == MEMORY_DIRECTORY || type == MEMORY_DROPPING_DIRECTORY) &&
	       index < LENDABLE_ENTRIES && frame_words(table)[index];
}

/* What holds whenever no section is at work. */
static void world_check(void)
{
	static uint32_t count[END];
	memset(count, 0, sizeof(count));
	for (uint32_t i = FIRST; i < END; i++) {
		uint32_t type = MEMORY_TYPE_OF(frames[i].key);
		for (uint32_t k = 0;
		     type >= MEMORY_TABLE && type <= MEMORY_DROPPING_DIRECTORY && k < WORDS; k++)
			if (is_entry_counted(i, k)) {
				uint32_t entry = frame_words(i)[k], page = entry >> 12;
				bool table = type == MEMORY_TABLE || type == MEMORY_DROPPING_TABLE;
				CHECK(page >= FIRST && page < END);
				uint32_t leads = MEMORY_TYPE_OF(frames[page].key);
				CHECK(table ? leads == MEMORY_DATA || leads == MEMORY_LOCK_PAGE
					    : leads == MEMORY_TABLE);
				count[page]++;
			} else if (type == MEMORY_TABLE && frame_words(i)[k]) {
				CHECK((frame_words(i)[k] >> 12) - DEVICE < DEVICE_FRAMES);
			}
	}
	for (uint32_t i = FIRST; i < END; i++) {
		const struct memory_frame *frame = &frames[i];
		const struct object *object = &kernel[i];
		switch (MEMORY_TYPE_OF(frame->key)) {
		case MEMORY_DATA:
			CHECK_EQUAL(frame->count, count[i]);
			CHECK(!memcmp(frame_words(i), shadow[i], PAGE_BYTES));
			CHECK_EQUAL(object->kind, OBJECT_NONE);
			break;
		case MEMORY_CLEAN:
			CHECK_EQUAL(frame->count, 0);
			for (uint32_t k = 0; k < WORDS; k += 1)
				CHECK_EQUAL(frame_words(i)[k], 0);
			CHECK_EQUAL(object->kind, OBJECT_NONE);
			break;
		case MEMORY_DIRTY:
			CHECK(frame->count <= 4);
			CHECK_EQUAL(object->kind, OBJECT_NONE);
			break;
		case MEMORY_TABLE:
			CHECK_EQUAL(frame->count, count[i]);
			CHECK_EQUAL(object->kind, OBJECT_TABLE);
			break;
		case MEMORY_DIRECTORY:
			CHECK(object->kind == OBJECT_DIRECTORY || object->kind == OBJECT_NONE);
			break;
		case MEMORY_BECOMING: /* an episode's object can come once */
			CHECK(object->generation + 1 == frame->serial ||
			      object->kind == OBJECT_NONE);
			CHECK(object->generation + 1 >= frame->serial);
			break;
		case MEMORY_DROPPING_TABLE:
			CHECK(object->kind == OBJECT_TABLE || object->kind == OBJECT_NONE);
			CHECK(frame->count < WORDS);
			break;
		case MEMORY_DROPPING_DIRECTORY:
			CHECK_EQUAL(object->kind, OBJECT_NONE);
			break;
		case MEMORY_LOCK_PAGE:
			CHECK_EQUAL(frame->count, count[i]);
			CHECK(object->kind == OBJECT_LOCK_PAGE || object->kind == OBJECT_NONE);
			break;
		case MEMORY_OBJECT:
			break;
		default:
			CHECK(i == HOLE || i == HOLE + 1 || i == BROKEN);
		}
	}
}

/* ---- clients
 * ------------------------------------------------------------------------------------- */
static uint32_t any_place(uint64_t badge)
{
	uint32_t size = 1u << ((badge >> 7 & 31) - 12);
	return random_below(20)   ? random_below(size)
	       : random_below(40) ? size + random_below(3)
				  : 0xFFFFFu;
}
static uint32_t any_index(void)
{
	static const uint32_t odd[] = {0, 1, 63, 64, 700, 703, 704, 1022, 1023};
	return random_below(6) ? 1 + random_below(8) : odd[random_below(9)];
}
static uint32_t any_count(void)
{
	return random_below(30) ? random_below(4) ? 1 : 1 + random_below(9)
				: 1 + random_below(WORDS);
}
static uint32_t frame_of_type(uint64_t badge, uint32_t type)
{
	uint32_t size = 1u << ((badge >> 7 & 31) - 12), at = any_place(badge);
	uint32_t first = (uint32_t)badge >> 12;
	for (uint32_t i = 0; i < size && at < size; i++, at = (at + 1) % size)
		if (first + at < END && MEMORY_TYPE_OF(frames[first + at].key) == type)
			return at;
	return at;
}
static uint32_t any_generation(uint64_t badge, uint32_t offset, uint32_t count)
{
	uint32_t first = (uint32_t)badge >> 12, most = 0;
	for (uint32_t i = first + offset; i < first + offset + count && i < END; i++)
		if (MEMORY_GENERATION_OF(frames[i].key) > most)
			most = MEMORY_GENERATION_OF(frames[i].key);
	return random_below(50) ? most + random_below(12) / 4 : MEMORY_TOP + random_below(3);
}

/* Is there behind the first frame what the operation needs? Is the home a domain? */
static bool is_followed(const struct call *call)
{
	uint32_t frame = ((uint32_t)call->badge >> 12) + at_frame(call->a);
	if (frame + 2 >= END || call->operation == MEMORY_CREATE_BITMAP)
		return frame + 2 < LOW_END && kernel[frame + 1].kind == OBJECT_BITMAP_PAGE &&
		       kernel[frame + 2].kind == OBJECT_BITMAP_PAGE;
	return MEMORY_TYPE_OF(frames[frame + 1].key) == MEMORY_CLEAN;
}
static bool is_home(uint64_t badge, uint32_t b)
{
	uint32_t frame = ((uint32_t)badge >> 12) + at_frame(b);
	return frame < END && kernel[frame].kind == OBJECT_DOMAIN;
}

static struct call any_call(void)
{
	static const uint8_t often[] = {
		MEMORY_MAP,           MEMORY_MAP,           MEMORY_MAP_LENT,
		MEMORY_UNMAP,         MEMORY_INSTALL,       MEMORY_REMOVE,
		MEMORY_BECOME,        MEMORY_BECOME,        MEMORY_BECOME,
		MEMORY_CLEAN_UP,      MEMORY_CLEAN_UP,      MEMORY_CLEAN_UP,
		MEMORY_DROP,          MEMORY_CREATE_DOMAIN, MEMORY_CREATE_THREAD,
		MEMORY_CREATE_BITMAP, MEMORY_SWEEP,         MEMORY_FLUSH,
		MEMORY_FETCH,         MEMORY_SPLIT,         MEMORY_DEFINE_DEVICE,
		MEMORY_FORGET_DEVICE, MEMORY_REVOKE,        MEMORY_CREATE_THREAD,
		MEMORY_CREATE_THREAD, MEMORY_CREATE_DOMAIN};
	static const uint8_t kinds[] = {OBJECT_NONE,       OBJECT_NONE,      OBJECT_NONE,
					OBJECT_TABLE,      OBJECT_TABLE,     OBJECT_DIRECTORY,
					OBJECT_DATA_PAGE,  OBJECT_LOCK_PAGE, OBJECT_BITMAP_PAGE,
					OBJECT_BITMAP_PAGE};
	struct call call = {.operation = often[random_below(sizeof(often))]};
	uint32_t holder = random_below(3) ? 0 : random_below(HELD);
	if (call.operation == MEMORY_DEFINE_DEVICE || call.operation == MEMORY_FORGET_DEVICE)
		holder = random_below(8) ? 1 : holder;
	call.badge = held[holder];
	call.has_lent = random_below(4);
	call.lent = held[random_below(3) ? random_below(HELD) : 0];
	call.has_result = true;
	uint32_t lent = call.has_lent && random_below(2) ? MEMORY_FROM_LENT : 0;
	uint64_t other = lent || call.operation == MEMORY_MAP_LENT ? call.lent : call.badge;
	uint32_t count = any_count();
	switch (call.operation) {
	case MEMORY_MAP:
	case MEMORY_MAP_LENT:
		call.a = MEMORY_AT(frame_of_type(call.badge, MEMORY_TABLE), any_index(),
				   random_below(4));
		call.b = MEMORY_AT(frame_of_type(other, MEMORY_DATA), count - 1, 0);
		break;
	case MEMORY_UNMAP:
		call.a = MEMORY_AT(frame_of_type(call.badge, MEMORY_TABLE), any_index(), 0);
		call.b = count - 1;
		break;
	case MEMORY_SWEEP: {
		uint32_t type = random_below(2) ? MEMORY_TABLE : MEMORY_DIRECTORY;
		if (random_below(4) == 0)
			type += MEMORY_DROPPING_TABLE - MEMORY_TABLE;
		call.a = MEMORY_AT(FIRST + frame_of_type(held[0], type), any_index(), 0);
		call.b = (count - 1) % MEMORY_SWEEP_MAX;
		break;
	}
	case MEMORY_INSTALL:
		call.a = MEMORY_AT(frame_of_type(call.badge, MEMORY_DIRECTORY), any_index(), 0);
		call.b = MEMORY_AT(frame_of_type(other, MEMORY_TABLE), 0, lent);
		break;
	case MEMORY_REMOVE:
		call.a = MEMORY_AT(frame_of_type(call.badge, MEMORY_DIRECTORY), any_index(), 0);
		break;
	case MEMORY_BECOME:
		call.b = random_below(12) ? kinds[random_below(sizeof(kinds))] : random_below(20);
		call.a = MEMORY_AT(
			frame_of_type(call.badge, random_below(6) ? MEMORY_CLEAN : MEMORY_BECOMING),
			call.b == OBJECT_NONE ? count - 1 : 0, 0);
		break;
	case MEMORY_CLEAN_UP:
		call.a = MEMORY_AT(any_place(call.badge), count - 1, 0);
		break;
	case MEMORY_DROP:
		call.a = MEMORY_AT(random_below(3) ? any_place(call.badge)
						   : frame_of_type(call.badge, MEMORY_BECOMING),
				   0, 0);
		break;
	case MEMORY_CREATE_DOMAIN:
		call.a = MEMORY_AT(frame_of_type(call.badge, MEMORY_CLEAN), 0, random_below(2));
		call.b = MEMORY_AT(frame_of_type(other, MEMORY_DIRECTORY), 0, lent);
		break;
	case MEMORY_CREATE_THREAD:
	case MEMORY_CREATE_BITMAP:
		call.a = MEMORY_AT(frame_of_type(call.badge, MEMORY_CLEAN), 0, 0);
		for (uint32_t i = 0; i < 8 && !is_followed(&call); i++)
			call.a = MEMORY_AT(frame_of_type(call.badge, MEMORY_CLEAN), 0, 0);
		if (call.operation == MEMORY_CREATE_BITMAP && !is_followed(&call)) {
			uint32_t frame = ((uint32_t)call.badge >> 12) + at_frame(call.a);
			call.operation = MEMORY_BECOME; /* so that two will be in a row */
			call.b =
				frame % 4 == 1 || frame % 4 == 2 ? OBJECT_BITMAP_PAGE : OBJECT_NONE;
			break;
		}
		call.b = MEMORY_AT(frame_of_type(other, MEMORY_OBJECT), 0, lent);
		for (uint32_t i = 0; i < 8 && !is_home(other, call.b); i++)
			call.b = MEMORY_AT(frame_of_type(other, MEMORY_OBJECT), 0, lent);
		if (call.operation == MEMORY_CREATE_THREAD && !is_home(other, call.b)) {
			call.operation = MEMORY_CREATE_DOMAIN; /* so that there will be one */
			call.b = MEMORY_AT(frame_of_type(other, MEMORY_DIRECTORY), 0, lent);
		}
		break;
	case MEMORY_REVOKE:
		call.a = MEMORY_AT(any_place(call.badge), count % 16, 0);
		call.b = any_generation(call.badge, at_frame(call.a), count % 16 + 1);
		break;
	case MEMORY_FETCH:
		call.b = MEMORY_AT(random_below(2) ? any_place(call.badge)
						   : frame_of_type(call.badge, MEMORY_OBJECT),
				   0, 0);
		break;
	case MEMORY_SPLIT:
	case MEMORY_DEFINE_DEVICE:
		call.b = MEMORY_BADGE(any_place(call.badge), random_below(4), random_below(32));
		if (random_below(3)) /* with rights that are of use, and aligned */
			call.b = MEMORY_BADGE(any_place(call.badge) & ~3u, random_below(3),
					      call.badge & (MEMORY_RIGHTS | MEMORY_DEVICE |
							    (random_below(4) ? 0 : MEMORY_ANY)));
		if (random_below(50) == 0)
			call.b = random_number();
		break;
	case MEMORY_FORGET_DEVICE:
		call.a = random_below(6);
		break;
	}
	return call;
}
static uint32_t any_device(void)
{
	return random_below(20) ? random_below(6) : MEMORY_DEVICES - 1 + random_below(2);
}
static void keep(const struct call *call)
{
	if (call->operation == MEMORY_SPLIT || call->operation == MEMORY_DEFINE_DEVICE)
		held[2 + random_below(HELD - 2)] = call->result;
}

/* A client writes into a page that it has mapped, or uses a kernel object: only what is there. */
static uint32_t *any_word(uint32_t *frame, uint32_t *word)
{
	*frame = FIRST + random_below(END - FIRST);
	*word = random_below(WORDS);
	uint32_t type = MEMORY_TYPE_OF(frames[*frame].key);
	bool is_used =
		type == MEMORY_DATA || ((type == MEMORY_OBJECT || type == MEMORY_LOCK_PAGE) &&
					kernel[*frame].kind != OBJECT_NONE);
	return is_used ? &frame_words(*frame)[*word] : NULL;
}

static uint32_t answered_ok[OPERATIONS], answered_at_all[16];

static void every_operation_was_done(void)
{
	for (uint32_t i = 0; i < OPERATIONS; i++) {
		if (answered_ok[i] <= 10)
			test_note("operation %u: %u times", i, answered_ok[i]);
		CHECK(answered_ok[i] > 5);
	}
}

TEST(memory_operations_by_chance_do_what_the_model_does)
{
	begin();
	memset(answered_ok, 0, sizeof(answered_ok));
	for (uint32_t i = 0; i < 500000; i++) {
		struct call call = any_call();
		uint64_t result = 0;
		uint32_t frame, word, *at = any_word(&frame, &word);
		if (at)
			*at = model.words[frame][word] = shadow[frame][word] = random_number();
		*(uint32_t *)parameters() = any_device();
		uint32_t may = model_call(&call, &result);
		struct answer answer = invoke_service(&call);
		if (!(may & BIT(answer.status)))
			test_note("call %u: operation %u, badge %llx, a %x, b %x, lent %d %llx: "
				  "status %u of %x",
				  i, call.operation, (unsigned long long)call.badge, call.a, call.b,
				  call.has_lent, (unsigned long long)call.lent, answer.status, may);
		CHECK(may & BIT(answer.status));
		if (call.operation == MEMORY_MAP && answer.status)
			CHECK_EQUAL(answer.word, done);
		if (call.is_result) {
			CHECK_EQUAL(call.result, result);
			keep(&call);
		}
		if (!answer.status)
			answered_ok[call.operation]++;
		answered_at_all[answer.status < 16 ? answer.status : 15]++;
		for (uint32_t f = FIRST; f < END; f++)
			if (memcmp(&frames[f], &model.frame[f], sizeof(frames[f])) != 0 ||
			    memcmp(frame_words(f), model.words[f], PAGE_BYTES) != 0 ||
			    kernel[f].kind != model.object[f].kind ||
			    kernel[f].generation != model.object[f].generation) {
				test_note("call %u: operation %u, status %u, a %x, b %x: frame %u",
					  i, call.operation, answer.status, call.a, call.b, f);
				CHECK_EQUAL(frames[f].key, model.frame[f].key);
				CHECK_EQUAL(frames[f].count, model.frame[f].count);
				CHECK_EQUAL(frames[f].serial, model.frame[f].serial);
				CHECK_EQUAL(kernel[f].kind, model.object[f].kind);
				CHECK(!"page");
			}
		CHECK(!memcmp(device_generation, model.device, sizeof(model.device)));
	}
	world_check();
	every_operation_was_done();
	for (uint32_t i = MEMORY_STALE; i <= MEMORY_WORN_OUT; i++)
		CHECK(i == MEMORY_AGAIN || answered_at_all[i] > 10);
}

/* ---- cut into each other
 * ------------------------------------------------------------------------- */
static void one_call(void)
{
	struct call call = any_call();
	uint32_t frame, word, *at = any_word(&frame, &word);
	if (at)
		*at = shadow[frame][word] = random_number();
	*(uint32_t *)parameters() = any_device();
	struct answer answer = invoke_service(&call);
	if (call.is_result && !answer.killed)
		keep(&call);
	if (!answer.killed && !answer.status)
		answered_ok[call.operation]++;
	answered_at_all[answer.status < 16 ? answer.status : 15]++;
}

/* Where a thread can be stopped: others run, and it goes on, or not. */
static void disturb(void)
{
	uint32_t parameter = *(uint32_t *)parameters();
	if (!disturbing || losing)
		return;
	if (random_below(8) == 0)
		world_check();
	for (deep++; deep < 4 && random_below(4) == 0; nested_count++)
		one_call();
	deep--;
	*(uint32_t *)parameters() = parameter;
	if (random_below(100) == 0) {
		killed_count++;
		longjmp(*now->end, KILLED);
	}
}

/* Whoever may do anything gets every frame back, whatever was left half done. */
static uint32_t recover(uint32_t frame)
{
	struct call call = {
		.badge = held[0], .a = MEMORY_AT(frame - FIRST, 0, 0), .operation = MEMORY_DROP};
	uint32_t type = MEMORY_TYPE_OF(frames[frame].key);
	if (type == MEMORY_CLEAN || type == MEMORY_RESERVED)
		return 0;
	if (type == MEMORY_DATA || type == MEMORY_DIRTY)
		call.operation = MEMORY_CLEAN_UP;
	struct answer answer = invoke_service(&call);
	if (type == MEMORY_BECOMING && answer.status == MEMORY_WRONG_TYPE) {
		static const uint32_t kinds[] = {OBJECT_LOCK_PAGE, OBJECT_DIRECTORY,
						 OBJECT_BITMAP_PAGE};
		struct call become = call;
		become.operation = MEMORY_BECOME;
		become.b = kinds[frames[frame].count];
		CHECK_EQUAL(invoke_service(&become).status, 0);
	}
	return 1;
}

TEST(memory_operations_cut_into_each_other_leave_a_world_that_holds)
{
	begin();
	memset(answered_ok, 0, sizeof(answered_ok));
	lost_count = killed_count = nested_count = 0;
	disturbing = true;
	for (uint32_t i = 0; i < 150000; i++) {
		one_call();
		world_check();
	}
	disturbing = false;
	every_operation_was_done();
	CHECK(answered_at_all[MEMORY_AGAIN] > 10);
	test_note("%u nested, %u sections lost, %u killed", nested_count, lost_count, killed_count);
	CHECK(lost_count > 1000 && killed_count > 1000 && nested_count > 1000);
	uint32_t left = 1;
	for (uint32_t pass = 0; pass < 6 && left; pass++) {
		left = 0;
		for (uint32_t i = FIRST; i < END; i++)
			left += recover(i);
		world_check();
	}
	CHECK_EQUAL(left, 0);
}

/* ---- the start: memory as the machine's record tells it
 * ------------------------------------------ */
static void start(uint32_t first, uint32_t end)
{
	*(struct memory_start *)frames = (struct memory_start){first, end, TEMPLATE, 0};
	CHECK_EQUAL(service_main(), 0);
}
static void types_are(uint32_t from, uint32_t to, uint32_t type)
{
	for (uint32_t i = from; i < to; i++)
		CHECK_EQUAL(frames[i].key, MEMORY_KEY(type, 0));
}

TEST(memory_starts_with_whole_frames_of_memory_and_nothing_else)
{
	struct boot_record *record = (struct boot_record *)BOOT_RECORD;
	memory_make();
	region(ADDRESS_OF(80), ADDRESS_OF(10), 2); /* overlaps, and comes before what it overlaps */
	region(ADDRESS_OF(70) + 1, ADDRESS_OF(9), 1); /* neither of its ends is a frame's */
	region(ADDRESS_OF(80), ADDRESS_OF(20), 1);
	region(ADDRESS_OF(99) + 0xFFF, 2, 3);     /* two bytes in two frames */
	region(ADDRESS_OF(104) + 0x10, 0xFE0, 1); /* less than a frame */
	region(ADDRESS_OF(106), ADDRESS_OF(4), 1);
	region(ADDRESS_OF(108), 0, 2); /* nothing */
	region(0, 0, 2);
	region(0, 0x800, 1);
	record->modules[0] = (struct boot_module){ADDRESS_OF(106) + 0xFFF, 2, "in two"};
	record->modules[1] = (struct boot_module){ADDRESS_OF(109) + 8, 0, "empty"};
	record->module_count = 2;
	start(72, 112);
	types_are(0, 72, MEMORY_RESERVED); /* not managed */
	types_are(72, 79, MEMORY_DIRTY);
	types_are(79, 90, MEMORY_RESERVED);
	types_are(90, 99, MEMORY_DIRTY);
	types_are(99, 106, MEMORY_RESERVED);
	types_are(106, 108, MEMORY_DATA);
	types_are(108, 110, MEMORY_DIRTY);
	types_are(110, 112, MEMORY_RESERVED);
}

TEST(memory_starts_with_regions_that_go_on_beyond_what_is_managed)
{
	memory_make();
	region(ADDRESS_OF(100), 1ull << 60, 1);
	region((1ull << 44) + ADDRESS_OF(100), ADDRESS_OF(4), 2); /* not frame 100 once more */
	region((1ull << 52) + ADDRESS_OF(72), ADDRESS_OF(10), 1);
	start(72, 112);
	types_are(72, 100, MEMORY_RESERVED);
	types_are(100, 112, MEMORY_DIRTY);
	region(ADDRESS_OF(90), ~0ull - ADDRESS_OF(90), 2);
	start(72, 112);
	types_are(72, 112, MEMORY_RESERVED);
}

/* Who hands the machine over. Its tables are below the managed frames. */
TEST(memory_starts_in_the_directory_of_its_starter_without_pages_of_4_mib)
{
	const uint32_t image = ADDRESS_OF(80) | 7, linear = ADDRESS_OF(1024) | 0x87,
		       kernel_part = 0x83;
	uint32_t *entries;
	memory_make();
	region(ADDRESS_OF(72), ADDRESS_OF(40), 1);
	entries = frame_words(82);
	entries[IMAGE_BASE >> 22] = image;
	entries[LINEAR_BASE >> 22] = linear;
	entries[LENDABLE_ENTRIES - 1] = linear;
	entries[LENDABLE_ENTRIES] = kernel_part;
	*(struct memory_start *)frames = (struct memory_start){84, 112, TEMPLATE, 82};
	CHECK_EQUAL(service_main(), 0);
	CHECK_EQUAL(entries[IMAGE_BASE >> 22], image);
	CHECK_EQUAL(entries[LINEAR_BASE >> 22], 0);
	CHECK_EQUAL(entries[LENDABLE_ENTRIES - 1], 0);
	CHECK_EQUAL(entries[LENDABLE_ENTRIES], kernel_part);
	types_are(80, 82, MEMORY_RESERVED); /* its table stays */
	types_are(82, 83, MEMORY_DIRECTORY);
	types_are(83, 84, MEMORY_RESERVED);
}
