/* SPDX-License-Identifier: MIT */
/*
 * The PCI service: see pci.h. Ports CF8 and CFC are used in one section, and with them the check of
 * the generation (R2). Everything else is constant, or is checked again by whoever uses it.
 */
#include "lock/lock.h"
#include "table.h"

#define CONFIG_ADDRESS_PORT 0xCF8u
#define CONFIG_DATA_PORT    0xCFCu

static inline __attribute__((always_inline)) uint32_t ports_read(uint32_t address)
{
	uint32_t value;
	asm volatile("outl %0, %1" : : "a"(address), "d"((uint16_t)CONFIG_ADDRESS_PORT) : "memory");
	asm volatile("inl %1, %0" : "=a"(value) : "d"((uint16_t)CONFIG_DATA_PORT) : "memory");
	return value;
}
static inline __attribute__((always_inline)) void ports_write(uint32_t address, uint32_t value)
{
	asm volatile("outl %0, %1" : : "a"(address), "d"((uint16_t)CONFIG_ADDRESS_PORT) : "memory");
	asm volatile("outl %0, %1" : : "a"(value), "d"((uint16_t)CONFIG_DATA_PORT) : "memory");
}

/* For enumeration, which is alone. */
uint32_t config_read(uint32_t address)
{
	return ports_read(address);
}
void config_write(uint32_t address, uint32_t value)
{
	ports_write(address, value);
}

/* ---- sections ----------------------------------------------------------------------------------
 */

/* One access to a register: arguments, and results, which are written again if it is repeated. */
struct access {
	struct function *function;
	uint32_t badge, generation; /* of the door */
	uint32_t address;
	uint32_t keep, set; /* bits: these stay, those are set, all others become 0 */
	uint32_t decode;    /* of those that are set: decoding, for which BARs must be right */
	uint32_t value;     /* what it holds */
	uint32_t status;    /* 0, set before */
};

static inline __attribute__((always_inline)) _Bool access_is_stale(struct access *access)
{
	if (*(volatile uint32_t *)&access->function->generation == access->generation ||
	    access->badge & PCI_ANY)
		return 0;
	access->value = 0;
	access->status = SERVICE_REVOKED;
	return 1;
}

SECTION void read_prepare(void)
{
	struct access *access = section_context();
	if (!access_is_stale(access))
		access->value = ports_read(access->address);
	return section_commit(0);
}

SECTION void write_prepare(void)
{
	struct access *access = section_context();
	if (access_is_stale(access))
		return section_commit(0);
	access->value = ports_read(access->address);
	if (access->decode & ~access->value)
		for (uint32_t bar = 0; bar < PCI_BARS_MAX; bar++)
			ports_write(access->function->address | (CONFIG_BAR + 4 * bar),
				    access->function->information.bar[bar]);
	ports_write(access->address, (access->value & access->keep) | access->set);
	access->value = ports_read(access->address);
	return section_commit(0);
}

/* Bus mastering off and the next generation in one: no old holder can switch it on in between. */
SECTION void revoke_prepare(void)
{
	struct access *access = section_context();
	volatile uint32_t *generation = &access->function->generation;
	if (!access->function->is_bridge) {
		ports_write(access->address,
			    ports_read(access->address) & COMMAND_BITS & ~COMMAND_MASTER);
		access->value = ports_read(access->address);
	}
	access->generation = *generation == GENERATION_END ? GENERATION_END : *generation + 1;
	return section_commit_word(generation, access->generation);
}

/* ---- whom and what a call means
 * ------------------------------------------------------------------------ */

/* The function that door and place name; its generation is not looked at. Status. */
static inline uint32_t function_named(struct function **function, uint32_t badge, uint32_t place,
				      uint32_t right)
{
	uint32_t number = badge >> 8;
	if (number >= pci_function_count || place >> 16) {
		_Bool is_all = number == PCI_ALL;
		number = place >> 16;
		if (!is_all || number >= pci_function_count)
			return PCI_NO_FUNCTION;
	}
	*function = &pci_functions[number];
	return badge & right ? 0 : PCI_NOT_ALLOWED;
}

static uint32_t generation_of(const struct function *function)
{
	return *(const volatile uint32_t *)&function->generation;
}

/* The same, with its generation as it is now. */
static uint32_t function_held(struct function **function, uint32_t badge, uint32_t place,
			      uint32_t right, uint32_t badge_high)
{
	uint32_t status = function_named(function, badge, place, right);
	if (status || badge & PCI_ANY || generation_of(*function) == badge_high)
		return status;
	return SERVICE_REVOKED;
}

/* A register of a function that door and place name. */
static inline uint32_t access_begin(struct access *access, uint32_t badge, uint32_t place,
				    uint32_t right, uint32_t badge_high)
{
	uint32_t offset = place & 0xFFFF;
	if (offset & 3 || offset >= CONFIG_END)
		return SERVICE_BAD_ARGUMENT;
	uint32_t status = function_named(&access->function, badge, place, right);
	if (status)
		return status;
	access->address = access->function->address | offset;
	access->badge = badge;
	access->generation = badge_high;
	access->status = 0;
	return 0;
}

/* A BAR of that kind which is its function's alone. */
static uint32_t bar_held(struct function **function, uint32_t badge, uint32_t place,
			 uint32_t badge_high, uint32_t kind)
{
	uint32_t bar = place & 0xFFFF;
	uint32_t status = function_held(function, badge, place, PCI_MAY_BARS, badge_high);
	if (status)
		return status;
	const struct pci_information *information = &(*function)->information;
	uint32_t flags = bar < PCI_BARS_MAX ? information->bar_flags[bar] : PCI_BAR_UNSET;
	if (flags & PCI_BAR_UNSET || !information->bar_log2[bar] || (flags & PCI_BAR_PORTS) != kind)
		return PCI_NO_BAR;
	return flags & PCI_BAR_SHARED ? PCI_SHARED : 0;
}

/* ---- operations
 * ---------------------------------------------------------------------------------- */

OPERATION static uint64_t do_count(uint32_t badge, uint32_t a, uint32_t b, uint32_t badge_high)
{
	(void)badge, (void)a, (void)b, (void)badge_high;
	return ANSWER(0, pci_function_count | pci_missed_count << 16);
}

/* (It is shorter than the room that the entry has seen to less what this service's stack takes.) */
_Static_assert(sizeof(struct pci_information) <= 128, "with the stack above it in 1 KiB");
OPERATION static uint64_t do_information(uint32_t badge, uint32_t a, uint32_t place,
					 uint32_t badge_high)
{
	(void)a;
	struct function *function;
	uint32_t status = function_held(&function, badge, place, PCI_MAY_READ, badge_high);
	if (!status && place & 0xFFFF)
		status = SERVICE_BAD_ARGUMENT;
	if (status)
		return ANSWER(status, 0);
	memcpy(parameters(), &function->information, sizeof(function->information));
	return ANSWER(0, 0);
}

OPERATION static uint64_t do_read(uint32_t badge, uint32_t a, uint32_t place, uint32_t badge_high)
{
	(void)a;
	struct access access;
	uint32_t status = access_begin(&access, badge, place, PCI_MAY_READ, badge_high);
	if (status)
		return ANSWER(status, 0);
	section_run(read_prepare, &access);
	return ANSWER(access.status, access.value);
}

static uint64_t change(struct access *access, uint32_t keep, uint32_t set, uint32_t decode)
{
	access->keep = keep;
	access->set = set;
	access->decode = decode;
	section_run(write_prepare, access);
	return ANSWER(access->status, access->value);
}

OPERATION static uint64_t do_write(uint32_t badge, uint32_t value, uint32_t place,
				   uint32_t badge_high)
{
	struct access access;
	uint32_t status = access_begin(&access, badge, place, PCI_MAY_WRITE, badge_high);
	if (status)
		return ANSWER(status, 0);
	uint32_t offset = place & 0xFFFF, writable = config_writable(access.function, offset);
	if (!writable)
		return ANSWER(PCI_FIXED, 0);
	uint32_t set = value & writable;
	return change(&access, ~(writable | config_masks[offset / 4].zero), set,
		      offset == CONFIG_COMMAND ? set & (COMMAND_PORTS | COMMAND_MEMORY) : 0);
}

OPERATION static uint64_t do_master(uint32_t badge, uint32_t on, uint32_t place,
				    uint32_t badge_high)
{
	struct access access;
	if (on > 1 || place & 0xFFFF)
		return ANSWER(SERVICE_BAD_ARGUMENT, 0);
	uint32_t status =
		access_begin(&access, badge, place | CONFIG_COMMAND, PCI_MAY_MASTER, badge_high);
	if (status)
		return ANSWER(status, 0);
	if (access.function->is_bridge)
		return ANSWER(PCI_FIXED, 0);
	return change(&access, COMMAND_BITS & ~COMMAND_MASTER, on ? COMMAND_MASTER : 0, 0);
}

OPERATION static uint64_t do_memory(uint32_t badge, uint32_t a, uint32_t place, uint32_t badge_high)
{
	(void)a;
	struct function *function;
	uint32_t status = bar_held(&function, badge, place, badge_high, 0), bar = place & 0xFFFF;
	if (status)
		return ANSWER(status, 0);
	uint64_t base = pci_bar_base(&function->information, bar);
	uint32_t bytes_log2 = function->information.bar_log2[bar];
	if ((base + (1ull << bytes_log2) - 1) >> 32)
		return ANSWER(PCI_TOO_HIGH, 0);
	return ANSWER(0, PCI_EXTENT(base / PAGE_BYTES, bytes_log2 > 12 ? bytes_log2 - 12 : 0));
}

/* What answers with a capability: it lies in the activation's own slot, where nobody can swap it.
 */
static uint64_t answer_or_say(uint32_t error, uint32_t word)
{
	if (!error)
		answer_capability(word);
	return ANSWER(SERVICE_NO_RESULT, 0);
}

OPERATION static uint64_t do_ports(uint32_t badge, uint32_t a, uint32_t place, uint32_t badge_high)
{
	(void)a;
	struct function *function;
	uint32_t status = bar_held(&function, badge, place, badge_high, PCI_BAR_PORTS);
	if (status)
		return ANSWER(status, 0);
	uint32_t bar = place & 0xFFFF, first = pci_bar_base(&function->information, bar);
	uint32_t last = first + (1u << function->information.bar_log2[bar]) - 1;
	uint32_t range = (first & 0xFFFF) | last << 16;
	return answer_or_say(kernel_narrow(lent_slot(0), slot(PCI_SLOT_PORTS), RIGHTS_ALL, range),
			     range);
}

OPERATION static uint64_t do_line(uint32_t badge, uint32_t a, uint32_t place, uint32_t badge_high)
{
	(void)a;
	struct function *function;
	uint32_t status = function_held(&function, badge, place, PCI_MAY_IRQ, badge_high);
	if (!status && place & 0xFFFF)
		status = SERVICE_BAD_ARGUMENT;
	if (status)
		return ANSWER(status, 0);
	uint32_t line = function->information.line;
	if (!line || kernel_probe(slot(PCI_SLOT_LINE_0 + line)))
		return ANSWER(PCI_NO_LINE, 0);
	if (function->information.line_users > 1 && !(badge & PCI_ANY))
		return ANSWER(PCI_SHARED, 0);
	return answer_or_say(kernel_copy(lent_slot(0), slot(PCI_SLOT_LINE_0 + line)), line);
}

static uint64_t answer_door(const struct function *function, uint32_t rights, uint32_t generation)
{
	uint64_t badge = PCI_BADGE(function - pci_functions, rights, generation);
	if (generation == GENERATION_END)
		return ANSWER(PCI_WORN_OUT, 0);
	return answer_or_say(kernel_door(slot(PCI_SLOT_DOMAIN), lent_slot(0), badge), 0);
}

OPERATION static uint64_t do_split(uint32_t badge, uint32_t a, uint32_t place, uint32_t badge_high)
{
	(void)a;
	uint32_t rights = place & 0xFFFF;
	struct function *function;
	uint32_t status = function_held(&function, badge, place, PCI_RIGHTS, badge_high);
	if (!status && rights & ~(badge & PCI_RIGHTS))
		status = PCI_NOT_ALLOWED;
	if (status)
		return ANSWER(status, 0);
	return answer_door(function, rights,
			   badge & PCI_ANY ? generation_of(function) : badge_high);
}

static _Bool is_pending(struct access *access)
{
	section_run(read_prepare, access);
	return access->value & EXPRESS_PENDING && access->value != ~0u; /* ~0: it was taken out */
}

OPERATION static uint64_t do_revoke(uint32_t badge, uint32_t a, uint32_t place, uint32_t badge_high)
{
	(void)a;
	uint32_t rights = place & 0xFFFF, polls = 0;
	struct access access;
	uint32_t status = access_begin(&access, badge, (place & ~0xFFFFu) | CONFIG_COMMAND, PCI_ANY,
				       badge_high);
	if (!status && rights & ~(badge & PCI_RIGHTS))
		status = PCI_NOT_ALLOWED;
	if (status)
		return ANSWER(status, 0);
	section_run(revoke_prepare, &access);
	uint32_t generation = access.generation;
	if (access.function->express) {
		access.address =
			access.function->address | (access.function->express + EXPRESS_STATUS);
		while (is_pending(&access))
			if (++polls == PCI_POLLS)
				return ANSWER(PCI_PENDING, 0);
	}
	return answer_door(access.function, rights, generation);
}

SERVICE_OPERATIONS([PCI_COUNT] = do_count, [PCI_INFORMATION] = do_information, [PCI_READ] = do_read,
		   [PCI_WRITE] = do_write, [PCI_MASTER] = do_master, [PCI_MEMORY] = do_memory,
		   [PCI_PORTS] = do_ports, [PCI_LINE] = do_line, [PCI_SPLIT] = do_split,
		   [PCI_REVOKE] = do_revoke)

/* Run once, by the root program's leave, before it makes a door. */
int main(void)
{
	pci_enumerate();
	return 0;
}
