/* SPDX-License-Identifier: MIT */
/*
 * The PCI service: see pci.h. Ports CF8 and CFC are used in one section, and with them the check of
 * the generation (R2). Everything else is constant, or is checked again by whoever uses it.
 */
#include "lock/lock.h"
#include "table.h"
#include "pci.server.h"

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
	/* what it holds; 0, set before: volatile, or else GCC keeps both in other registers */
	volatile uint32_t value, status;
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

/* A register of a function that door and place name; else the status says why not. */
static inline _Bool access_begin(struct access *access, struct badge badge, uint32_t place,
				 uint32_t right)
{
	uint32_t offset = place & 0xFFFF, status;
	if (offset & ~(CONFIG_END - 4u)) /* too large, or no multiple of 4 */
		status = SERVICE_BAD_ARGUMENT;
	else
		status = function_named(&access->function, badge.low, place, right);
	access->status = status;
	access->badge = badge.low;
	access->generation = badge.high;
	if (!status)
		access->address = access->function->address | offset;
	else
		access->value = 0;
	return !status;
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

uint32_t pci_do_count(struct badge badge, uint16_t *count, uint16_t *missed)
{
	*count = pci_function_count;
	*missed = pci_missed_count;
	return 0;
}

uint32_t pci_do_information(struct badge badge, uint32_t place, struct pci_information *information)
{
	struct function *function;
	uint32_t status = function_held(&function, badge.low, place, PCI_MAY_READ, badge.high);
	if (!status && place & 0xFFFF)
		status = SERVICE_BAD_ARGUMENT;
	if (status)
		return status;
	*information = function->information;
	return 0;
}

uint32_t pci_do_read(struct badge badge, uint32_t place, uint32_t *value)
{
	struct access access;
	if (access_begin(&access, badge, place, PCI_MAY_READ))
		section_run(read_prepare, &access);
	*value = access.value;
	return access.status;
}

static uint32_t change(struct access *access, uint32_t keep, uint32_t set, uint32_t decode,
		       uint32_t *now)
{
	access->keep = keep;
	access->set = set;
	access->decode = decode;
	section_run(write_prepare, access);
	*now = access->value;
	return access->status;
}

uint32_t pci_do_write(struct badge badge, uint32_t place, uint32_t value, uint32_t *now)
{
	struct access access;
	if (!access_begin(&access, badge, place, PCI_MAY_WRITE))
		return access.status;
	uint32_t offset = place & 0xFFFF, writable = config_writable(access.function, offset);
	if (!writable)
		return PCI_FIXED;
	uint32_t set = value & writable;
	return change(&access, ~(writable | config_masks[offset / 4].zero), set,
		      offset == CONFIG_COMMAND ? set & (COMMAND_PORTS | COMMAND_MEMORY) : 0, now);
}

uint32_t pci_do_master(struct badge badge, uint32_t place, uint32_t on, uint32_t *now)
{
	struct access access;
	if (on > 1 || place & 0xFFFF)
		return SERVICE_BAD_ARGUMENT;
	if (!access_begin(&access, badge, place | CONFIG_COMMAND, PCI_MAY_MASTER))
		return access.status;
	if (access.function->is_bridge)
		return PCI_FIXED;
	return change(&access, COMMAND_BITS & ~COMMAND_MASTER, on ? COMMAND_MASTER : 0, 0, now);
}

uint32_t pci_do_memory(struct badge badge, uint32_t place, uint32_t *extent)
{
	struct function *function;
	uint32_t status = bar_held(&function, badge.low, place, badge.high, 0);
	uint32_t bar = place & 0xFFFF;
	if (status)
		return status;
	uint64_t base = pci_bar_base(&function->information, bar);
	uint32_t bytes_log2 = function->information.bar_log2[bar];
	if ((base + (1ull << bytes_log2) - 1) >> 32)
		return PCI_TOO_HIGH;
	*extent = PCI_EXTENT(base / PAGE_BYTES, bytes_log2 > 12 ? bytes_log2 - 12 : 0);
	return 0;
}

/* What answers with a capability: it lies in the activation's own slot, where nobody can swap it.
 */
uint32_t pci_do_ports(struct badge badge, uint32_t place, place_t to, uint32_t *range)
{
	struct function *function;
	uint32_t status = bar_held(&function, badge.low, place, badge.high, PCI_BAR_PORTS);
	if (status)
		return status;
	uint32_t bar = place & 0xFFFF, first = pci_bar_base(&function->information, bar);
	uint32_t last = first + (1u << function->information.bar_log2[bar]) - 1;
	*range = (first & 0xFFFF) | last << 16;
	return kernel_narrow(to, slot(PCI_SLOT_PORTS), RIGHTS_ALL, *range) ? SERVICE_NO_RESULT : 0;
}

uint32_t pci_do_line(struct badge badge, uint32_t place, place_t to, uint32_t *line)
{
	struct function *function;
	uint32_t status = function_held(&function, badge.low, place, PCI_MAY_IRQ, badge.high);
	if (!status && place & 0xFFFF)
		status = SERVICE_BAD_ARGUMENT;
	if (status)
		return status;
	uint32_t number = function->information.line;
	if (!number || kernel_probe(slot(PCI_SLOT_LINE_0 + number)))
		return PCI_NO_LINE;
	if (function->information.line_users > 1 && !(badge.low & PCI_ANY))
		return PCI_SHARED;
	*line = number;
	return kernel_copy(to, slot(PCI_SLOT_LINE_0 + number)) ? SERVICE_NO_RESULT : 0;
}

static uint32_t door_make(const struct function *function, uint32_t rights, uint32_t generation,
			  place_t to)
{
	uint64_t badge = PCI_BADGE(function - pci_functions, rights, generation);
	if (generation == GENERATION_END)
		return PCI_WORN_OUT;
	return kernel_door(slot(PCI_SLOT_DOMAIN), to, badge) ? SERVICE_NO_RESULT : 0;
}

uint32_t pci_do_split(struct badge badge, uint32_t place, place_t to)
{
	uint32_t rights = place & 0xFFFF;
	struct function *function;
	uint32_t status = function_held(&function, badge.low, place, PCI_RIGHTS, badge.high);
	if (!status && rights & ~(badge.low & PCI_RIGHTS))
		status = PCI_NOT_ALLOWED;
	if (status)
		return status;
	return door_make(function, rights,
			 badge.low & PCI_ANY ? generation_of(function) : badge.high, to);
}

static _Bool is_pending(struct access *access)
{
	section_run(read_prepare, access);
	return access->value & EXPRESS_PENDING && access->value != ~0u; /* ~0: it was taken out */
}

uint32_t pci_do_revoke(struct badge badge, uint32_t place, place_t to)
{
	uint32_t rights = place & 0xFFFF, polls = 0;
	struct access access;
	if (!access_begin(&access, badge, (place & ~0xFFFFu) | CONFIG_COMMAND, PCI_ANY))
		return access.status;
	if (rights & ~(badge.low & PCI_RIGHTS))
		return PCI_NOT_ALLOWED;
	section_run(revoke_prepare, &access);
	uint32_t generation = access.generation;
	if (access.function->express) {
		access.address =
			access.function->address | (access.function->express + EXPRESS_STATUS);
		while (is_pending(&access))
			if (++polls == PCI_POLLS)
				return PCI_PENDING;
	}
	return door_make(access.function, rights, generation, to);
}

/* Run once, by the root program's leave, before it makes a door. */
int main(void)
{
	pci_enumerate();
	return 0;
}
