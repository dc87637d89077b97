/* SPDX-License-Identifier: MIT */
/*
 * The PCI service on whatever machine this is: what it found, every operation, every error. Which
 * functions there must be is said on the command line, `pci=bus.device.function:vendor:device,...`
 * (two, two, one, four and four hexadecimal digits), where the machine was made for these tests.
 */
#include "pci_machine.h"
#include "lspci.h"

static uint32_t command_now(uint32_t function)
{
	return peek(function, CONFIG_COMMAND) & COMMAND_BITS;
}
static void command_set(uint32_t function, uint32_t command)
{
	poke(function, CONFIG_COMMAND, command);
}
static struct pci_information known(uint32_t function)
{
	struct pci_information information;
	CHECK_EQUAL(pci_information(slot(everything), PCI_PLACE(function, 0), &information),
		    RETURN);
	return information;
}

/* ---- what there is
 * ----------------------------------------------------------------------------------- */

static _Bool is_there(uint32_t address)
{
	return (peek_at(address) & 0xFFFF) != 0xFFFF;
}
TEST(pci_functions_are_those_that_answer)
{
	uint32_t found = 0;
	uint16_t count, missed;
	machine_begin();
	CHECK_EQUAL(pci_count(slot(everything), &count, &missed), RETURN);
	CHECK_EQUAL(count, table_count());
	for (uint32_t bus = 0; bus < 256; bus++)
		for (uint32_t device = 0; device < 32; device++) {
			uint32_t at = CONFIG_ADDRESS(bus, device << 3), functions = 8;
			if (!(peek_at(at | CONFIG_CACHE) & 0x800000))
				functions = 1;
			for (uint32_t i = 0; i < functions; i++, at += 0x100) {
				if (!is_there(at))
					continue;
				if (found < count) {
					struct pci_information information = known(found);
					CHECK_EQUAL(information.bus, bus);
					CHECK_EQUAL(information.device_function, device << 3 | i);
					CHECK_EQUAL(information.vendor |
							    (uint32_t)information.device << 16,
						    peek_at(at));
					CHECK_EQUAL(information.class, peek_at(at | CONFIG_CLASS));
				}
				found++;
			}
		}
	CHECK_EQUAL(found, count + missed);
	CHECK(found > 2);
	machine_finish();
}

static uint32_t hexadecimal(const char **text)
{
	uint32_t value = 0;
	for (; (**text >= '0' && **text <= '9') || (**text >= 'a' && **text <= 'f'); ++*text)
		value = value << 4 | (uint32_t)(**text <= '9' ? **text - '0' : **text - 'a' + 10);
	return value;
}
static _Bool is_known(uint32_t address, uint32_t identity)
{
	for (uint32_t i = 0; i < table_count(); i++)
		if (TABLE(i, address, uint32_t) == address && peek(i, 0) == identity)
			return 1;
	return 0;
}
TEST(pci_functions_that_the_machine_was_given_are_found)
{
	const char *text = boot_record->command_line;
	machine_begin();
	while (*text && memcmp(text, "pci=", 4) != 0)
		text++;
	for (text += *text ? 4 : 0; *text && *text != ' '; text += *text == ',') {
		uint32_t part[5];
		for (uint32_t i = 0; i < 5; i++) {
			part[i] = hexadecimal(&text);
			text += i < 4 && *text != 0;
		}
		_Bool found = is_known(CONFIG_ADDRESS(part[0], part[1] << 3 | part[2]),
				       part[3] | part[4] << 16);
		if (!found)
			test_note("no %04x:%04x at %x:%x.%x", part[3], part[4], part[0], part[1],
				  part[2]);
		CHECK(found);
	}
	machine_finish();
}

/* BARs of devices whose sizes are known. */
static const struct {
	uint32_t identity;
	uint8_t bar, flags, log2;
} bars[] = {{0x11111234, 0, 0, 24},
	    {0x11111234, 2, 0, 12},
	    {0x70108086, 4, PCI_BAR_PORTS, 4},
	    {0x29228086, 4, PCI_BAR_PORTS, 5},
	    {0x29228086, 5, 0, 12},
	    {0x11E81234, 0, 0, 20},
	    {0x100E8086, 0, 0, 17},
	    {0x100E8086, 1, PCI_BAR_PORTS, 6},
	    {0x000D1B36, 0, PCI_BAR_WIDE, 14}};
TEST(pci_bars_have_the_sizes_that_are_known)
{
	uint32_t found = 0;
	machine_begin();
	for (uint32_t i = 0; i < table_count(); i++)
		for (uint32_t j = 0; j < sizeof(bars) / sizeof(bars[0]); j++) {
			struct pci_information information = known(i);
			if ((information.vendor | (uint32_t)information.device << 16) !=
			    bars[j].identity)
				continue;
			CHECK_EQUAL(information.bar_log2[bars[j].bar], bars[j].log2);
			CHECK_EQUAL(information.bar_flags[bars[j].bar], bars[j].flags);
			CHECK_EQUAL(pci_bar_base(&information, bars[j].bar) &
					    ((1u << bars[j].log2) - 1),
				    0);
			found++;
		}
	CHECK(found);
	machine_finish();
}

TEST(pci_enumeration_leaves_all_registers_as_they_were)
{
	machine_begin();
	uint32_t first = registers_are_as_noted();
	struct object bitmap;
	struct domain another;
	bitmap = pci_make(&another);
	CHECK(first && registers_are_as_noted());
	domain_end(&another);
	bitmap_end(bitmap);
	machine_finish();
}

TEST(pci_bus_mastering_is_off_at_the_start_and_bridges_pass_on)
{
	machine_begin();
	for (uint32_t i = 0; i < table_count(); i++) {
		struct pci_information information = known(i);
		if (information.header == 1)
			CHECK(command_now(i) & COMMAND_MASTER);
		else if (!TABLE(i, is_bridge, _Bool) && information.class >> 24 != 0x03 &&
			 information.class >> 16 != 0x0C03)
			CHECK(!(command_now(i) & COMMAND_MASTER));
	}
	machine_finish();
}

TEST(pci_print_shows_every_function)
{
	CHECK_EQUAL(pci_print(slot(pci_slot)), RETURN);
	CHECK(!strcmp(pci_class_name(0x06040000), "PCI bridge"));
	CHECK(!strcmp(pci_class_name(0x06990000), "bridge"));
	CHECK(!strcmp(pci_class_name(0xFF000000), "device"));
}

/* ---- who may
 * ----------------------------------------------------------------------------------------- */

/* Every operation that names a function, with what it needs. */
struct
try {
	uint32_t operation, right, what;
};
static const struct try tries[] = {
	{pci_information_op, PCI_MAY_READ, 0},
	{pci_read_op, PCI_MAY_READ, CONFIG_COMMAND},
	{pci_write_op, PCI_MAY_WRITE, CONFIG_COMMAND},
	{pci_master_op, PCI_MAY_MASTER, 0},
	{pci_memory_op, PCI_MAY_BARS, 0},
	{pci_ports_op, PCI_MAY_BARS, 0},
	{pci_line_op, PCI_MAY_IRQ, 0},
	{pci_split_op, PCI_RIGHTS, 0},
	{pci_revoke_op, PCI_ANY, 0},
};
#define TRIES (sizeof(tries) / sizeof(tries[0]))

/* The status of one; the place is in EDI, or behind the slot, which is none: nothing can be handed
 * over. */
static uint32_t try_it(uint32_t door, const struct try *try, uint32_t function)
{
	uint32_t place = PCI_PLACE(function, try->what);
	_Bool answers_a_capability = try->operation >= pci_ports_op;
	uint32_t result =
		door_call(slot(door).encoded, try->operation, answers_a_capability ? 0 : place,
			  answers_a_capability ? place : 0, NULL);
	CHECK(!DOOR_ERROR(result));
	return DOOR_STATUS(result);
}

TEST(pci_operations_need_their_right_and_no_other)
{
	machine_begin();
	uint32_t command = command_now(victim);
	for (uint32_t i = 0; i < TRIES; i++)
		for (uint32_t rights = 0; rights <= PCI_RIGHTS; rights++) {
			uint32_t generation = TABLE(victim, generation, uint32_t);
			uint32_t door = function_door(victim, rights, generation);
			CHECK_EQUAL(try_it(door, &tries[i], 0) == PCI_NOT_ALLOWED,
				    !(rights & tries[i].right));
			slot_give(door);
		}
	command_set(victim, command);
	CHECK(registers_are_as_noted());
	machine_finish();
}

TEST(pci_operations_name_functions_that_are_there_and_the_doors_own)
{
	machine_begin();
	uint32_t count = table_count(), own = function_door(victim, PCI_RIGHTS, 0),
		 nobodys = function_door(count, PCI_RIGHTS, 0),
		 beyond = function_door(PCI_FUNCTIONS_MAX, PCI_RIGHTS, 0);
	for (uint32_t i = 0; i < TRIES; i++) {
		CHECK_EQUAL(try_it(everything, &tries[i], count), PCI_NO_FUNCTION);
		CHECK_EQUAL(try_it(everything, &tries[i], PCI_FUNCTIONS_MAX), PCI_NO_FUNCTION);
		CHECK_EQUAL(try_it(everything, &tries[i], 0xFFFF), PCI_NO_FUNCTION);
		CHECK_EQUAL(try_it(own, &tries[i], 1), PCI_NO_FUNCTION);
		CHECK_EQUAL(try_it(own, &tries[i], victim), PCI_NO_FUNCTION);
		CHECK_EQUAL(try_it(nobodys, &tries[i], 0), PCI_NO_FUNCTION);
		CHECK_EQUAL(try_it(beyond, &tries[i], 0), PCI_NO_FUNCTION);
	}
	CHECK(registers_are_as_noted());
	slot_give(own);
	slot_give(nobodys);
	slot_give(beyond);
	machine_finish();
}

TEST(pci_badges_are_for_one_generation)
{
	machine_begin();
	uint32_t rights = PCI_RIGHTS & ~PCI_ANY;
	TABLE(victim, generation, uint32_t) = 7;
	for (uint32_t i = 0; i < TRIES; i++) {
		if (tries[i].right == PCI_ANY)
			continue;
		for (uint32_t generation = 0; generation < 10; generation++) {
			uint32_t door = function_door(victim, rights, generation);
			CHECK_EQUAL(try_it(door, &tries[i], 0) == SERVICE_REVOKED, generation != 7);
			slot_give(door);
			door = function_door(victim, rights | PCI_ANY, generation);
			CHECK(try_it(door, &tries[i], 0) != SERVICE_REVOKED);
			slot_give(door);
		}
	}
	machine_finish();
}

/* ---- registers
 * --------------------------------------------------------------------------------------- */

TEST(pci_read_tells_every_register)
{
	uint32_t value;
	machine_begin();
	for (uint32_t i = 0; i < table_count(); i++) {
		hand_out(i, PCI_MAY_READ, held);
		for (uint32_t at = 0; at < CONFIG_END; at += 4) {
			CHECK_EQUAL(pci_read(slot(held), at, &value), RETURN);
			CHECK_EQUAL(value, peek(i, at));
			CHECK_EQUAL(pci_read(slot(everything), PCI_PLACE(i, at), &value), RETURN);
			CHECK_EQUAL(value, peek(i, at));
		}
	}
	static const uint32_t none[] = {1, 2, 3, 0xFD, 0x100, 0x104, 0xFFFC, 0x8000};
	for (uint32_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		CHECK_EQUAL(pci_read(slot(everything), none[i], &value),
			    RETURN + SERVICE_BAD_ARGUMENT);
		CHECK_EQUAL(pci_write(slot(everything), none[i], 0, &value),
			    RETURN + SERVICE_BAD_ARGUMENT);
	}
	machine_finish();
}

/* What a holder of all rights but bus mastering does his worst with. */
TEST(pci_write_changes_nothing_that_others_could_feel)
{
	static const uint32_t values[] = {~0u, 0, 0xAAAAAAAA, 0x55555555};
	uint32_t value, written = 0;
	machine_begin();
	for (uint32_t i = 0; i < table_count(); i++) {
		uint32_t allowed = COMMAND_NO_INTERRUPT, command = command_now(i),
			 cache = peek(i, CONFIG_CACHE);
		if (known(i).class >> 16 != 0x0300)
			allowed |= COMMAND_PORTS | COMMAND_MEMORY;
		hand_out(i, PCI_MAY_WRITE | PCI_MAY_BARS | PCI_MAY_IRQ, held);
		for (uint32_t at = 0; at < CONFIG_END; at += 4)
			for (uint32_t j = 0; j < 4; j++) {
				uint32_t before = peek(i, at), may = 0;
				if (!TABLE(i, is_bridge, _Bool))
					may = at == CONFIG_COMMAND ? allowed | STATUS_ERRORS
					      : at == CONFIG_CACHE ? 0xFF
								   : 0;
				uint32_t result = pci_write(slot(held), at, values[j], &value);
				CHECK_EQUAL(result, RETURN + (may ? 0 : PCI_FIXED));
				CHECK_EQUAL((peek(i, at) ^ before) & ~may, 0);
				if (may)
					CHECK_EQUAL(value, peek(i, at));
				written += peek(i, at) != before;
			}
		command_set(i, command);
		poke(i, CONFIG_CACHE, cache);
	}
	CHECK(written > 4);
	CHECK(registers_are_as_noted());
	machine_finish();
}

/* The kind of BAR that the victim decodes, as a bit of its command register. */
static uint32_t victim_decodes(void)
{
	struct pci_information information = known(victim);
	for (uint32_t bar = 0; bar < PCI_BARS_MAX; bar++)
		if (information.bar_log2[bar])
			return information.bar_flags[bar] & PCI_BAR_PORTS ? COMMAND_PORTS
									  : COMMAND_MEMORY;
	return 0;
}

TEST(pci_write_switches_decoding_on_only_where_it_was_found)
{
	uint32_t bit, value, lost = 0;
	machine_begin();
	hand_out(victim, PCI_MAY_WRITE, held);
	uint32_t command = command_now(victim);
	bit = victim_decodes();
	CHECK(bit);
	CHECK_EQUAL(pci_write(slot(held), CONFIG_COMMAND, 0, &value), RETURN);
	CHECK_EQUAL(value & 7, 0);
	for (uint32_t bar = 0; bar < PCI_BARS_MAX; bar++) { /* as a reset would leave them */
		poke(victim, CONFIG_BAR + bar * 4, 0);
		lost += peek(victim, CONFIG_BAR + bar * 4) != known(victim).bar[bar];
	}
	CHECK(lost);
	CHECK_EQUAL(pci_write(slot(held), CONFIG_COMMAND, bit, &value), RETURN);
	CHECK_EQUAL(value & 7, bit);
	command_set(victim, command);
	CHECK(registers_are_as_noted());
	machine_finish();
}

TEST(pci_write_keeps_errors_that_nobody_cleared)
{
	uint32_t value;
	machine_begin();
	hand_out(victim, PCI_MAY_WRITE, held);
	/* a status bit can't be set from here; but that 0 is written to them all is seen by the
	 * host's tests, and that a bit which is 1 stays, wherever a machine has one */
	for (uint32_t i = 0; i < table_count(); i++) {
		uint32_t errors = peek(i, CONFIG_COMMAND) & STATUS_ERRORS;
		if (TABLE(i, is_bridge, _Bool))
			continue;
		CHECK_EQUAL(pci_write(slot(everything), PCI_PLACE(i, CONFIG_COMMAND),
				      command_now(i), &value),
			    RETURN);
		CHECK_EQUAL(value & STATUS_ERRORS, errors);
	}
	machine_finish();
}

TEST(pci_master_is_one_bit_and_not_of_bridges)
{
	uint32_t value;
	machine_begin();
	uint32_t command = command_now(victim), bridge = 0;
	hand_out(victim, PCI_MAY_MASTER, held);
	CHECK_EQUAL(pci_master(slot(held), 0, 1, &value), RETURN);
	CHECK_EQUAL(value & COMMAND_BITS, command | COMMAND_MASTER);
	CHECK_EQUAL(command_now(victim), command | COMMAND_MASTER);
	CHECK_EQUAL(pci_master(slot(held), 0, 2, &value), RETURN + SERVICE_BAD_ARGUMENT);
	CHECK_EQUAL(pci_master(slot(held), 4, 0, &value), RETURN + SERVICE_BAD_ARGUMENT);
	CHECK_EQUAL(command_now(victim), command | COMMAND_MASTER);
	CHECK_EQUAL(pci_master(slot(held), 0, 0, &value), RETURN);
	CHECK_EQUAL(command_now(victim), command);
	for (uint32_t i = 0; i < table_count(); i++)
		if (TABLE(i, is_bridge, _Bool)) {
			uint32_t before = command_now(i);
			for (uint32_t on = 0; on < 2; on++)
				CHECK_EQUAL(
					pci_master(slot(everything), PCI_PLACE(i, 0), on, &value),
					RETURN + PCI_FIXED);
			CHECK_EQUAL(command_now(i), before);
			bridge++;
		}
	CHECK(bridge); /* the host's */
	CHECK(registers_are_as_noted());
	machine_finish();
}

/* ---- BARs and lines
 * ---------------------------------------------------------------------------------- */

/* A function and a BAR of it made up in the service's table. */
static void bar_set(uint32_t bar, uint32_t low, uint32_t log2, uint32_t flags)
{
	*(volatile uint32_t *)table_byte(victim, offsetof(struct function, information.bar) +
							 bar * 4) = low;
	*table_byte(victim, offsetof(struct function, information.bar_log2) + bar) = log2;
	*table_byte(victim, offsetof(struct function, information.bar_flags) + bar) = flags;
}

TEST(pci_memory_names_frames_or_says_why_not)
{
	static const struct {
		uint32_t low, high, log2, flags, status, extent;
	} cases[] = {
		{0xFD000008, 0, 24, 0, 0, PCI_EXTENT(0xFD000, 12)},
		{0xFEBF0000, 0, 12, 0, 0, PCI_EXTENT(0xFEBF0, 0)},
		{0xFEBF0100, 0, 8, 0, 0, PCI_EXTENT(0xFEBF0, 0)},
		{0xFEBF0100, 0, 8, PCI_BAR_SHARED, PCI_SHARED, 0},
		{0xFEBF0000, 0, 12, PCI_BAR_UNSET, PCI_NO_BAR, 0},
		{0xFEBF0000, 0, 0, 0, PCI_NO_BAR, 0},
		{0xC001, 0, 5, PCI_BAR_PORTS, PCI_NO_BAR, 0},
		{0xC0000004, 0, 30, PCI_BAR_WIDE, 0, PCI_EXTENT(0xC0000, 18)},
		{0xC0000004, 1, 30, PCI_BAR_WIDE, PCI_TOO_HIGH, 0},
		{0x80000004, 0, 32, PCI_BAR_WIDE, PCI_TOO_HIGH, 0},
		{0x00000004, 0x40, 34, PCI_BAR_WIDE, PCI_TOO_HIGH, 0},
	};
	uint32_t extent;
	machine_begin();
	hand_out(victim, PCI_MAY_BARS, held);
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bar_set(3, cases[i].low, cases[i].log2, cases[i].flags);
		bar_set(4, cases[i].high, 0, 0);
		CHECK_EQUAL(pci_memory(slot(held), 3, &extent), RETURN + cases[i].status);
		CHECK_EQUAL(extent, cases[i].extent);
	}
	for (uint32_t bar = PCI_BARS_MAX; bar < 0x10000; bar = bar * 2 + 1)
		CHECK_EQUAL(pci_memory(slot(held), bar, &extent), RETURN + PCI_NO_BAR);
	machine_finish();
}

/* Whether a domain that has these ports can read there. */
PEER port_in(uint32_t operation, uint32_t port, uint32_t b, uint32_t badge_high)
{
	(void)operation, (void)b, (void)badge_high;
	uint32_t value = 0, ok = 0;
	asm volatile("1: inb %w2, %b0\n\tmov $1, %1\n2:\n\t" CATCH(1b, 2b)
		     : "+a"(value), "+r"(ok)
		     : "d"(port));
	return ANSWER(ok, value);
}
static void check_ports(slot_t ports, uint32_t first, uint32_t last)
{
	struct domain reader;
	struct object bitmap = bitmap_make();
	peer_make(&reader, "reader");
	MUST(kernel_domain_attach(slot(reader.object.slot), 0, slot(bitmap.slot)));
	uint32_t door = peer_door(&reader, port_in), value;
	CHECK_EQUAL(kernel_bitmap_allow(slot(bitmap.slot), ports), 0);
	for (uint32_t port = first - 2; port <= last + 2; port++)
		CHECK_EQUAL(door_call(slot(door).encoded, 0, port, 0, &value),
			    RETURN + (port >= first && port <= last));
	slot_give(door);
	domain_end(&reader);
	bitmap_end(bitmap);
}
TEST(pci_ports_are_a_capability_for_exactly_those_of_a_bar)
{
	uint32_t range;
	machine_begin();
	struct pci_information information = known(victim);
	hand_out(victim, PCI_MAY_BARS, held);
	uint32_t ports = slot_take(), bar = 4; /* bus mastering of disk controllers, everywhere */
	CHECK_EQUAL(information.bar_flags[bar], PCI_BAR_PORTS);
	uint32_t first = information.bar[bar] & ~3u,
		 last = first + (1u << information.bar_log2[bar]) - 1;
	CHECK_EQUAL(pci_ports(slot(held), bar, slot(ports), &range), RETURN);
	CHECK_EQUAL(range, first | last << 16);
	check_ports(slot(ports), first, last);
	CHECK_EQUAL(pci_ports(slot(held), 0, slot(ports), &range), RETURN + PCI_NO_BAR);
	CHECK_EQUAL(pci_ports(slot(held), 6, slot(ports), &range), RETURN + PCI_NO_BAR);
	bar_set(3, 0xFEBF0000, 12, 0);
	CHECK_EQUAL(pci_ports(slot(held), 3, slot(ports), &range), RETURN + PCI_NO_BAR);
	bar_set(4, first | 1, information.bar_log2[bar], PCI_BAR_PORTS | PCI_BAR_SHARED);
	CHECK_EQUAL(pci_ports(slot(held), 4, slot(ports), &range), RETURN + PCI_SHARED);
	slot_give(ports);
	machine_finish();
}

/* Kind and index of what is in a slot of the root program's. */
static uint32_t kind_and_index(uint32_t slot_number)
{
	struct words words;
	MUST(kernel_domain_read(slot(ROOT_DOMAIN), slot(slot_number), &words));
	return words.w[0] >> 4 << 16 | words.w[1];
}
TEST(pci_line_is_the_functions_unless_others_have_it)
{
	uint32_t line;
	machine_begin();
	uint32_t to = slot_take(), irq = CAPABILITY_IRQ << 16;
	hand_out(victim, PCI_MAY_IRQ, held);
	for (uint32_t number = 0; number < IRQ_LINES; number++)
		for (uint32_t users = 1; users < 3; users++) {
			_Bool has = number == 5 || number == 7 || (number >= 9 && number <= 11);
			TABLE(victim, information.line, uint8_t) = number;
			TABLE(victim, information.line_users, uint8_t) = users;
			CHECK_EQUAL(pci_line(slot(held), 0, slot(to), &line),
				    RETURN + (!has        ? PCI_NO_LINE
					      : users > 1 ? PCI_SHARED
							  : 0));
			CHECK_EQUAL(
				pci_line(slot(everything), PCI_PLACE(victim, 0), slot(to), &line),
				RETURN + (has ? 0 : PCI_NO_LINE));
			if (has) {
				CHECK_EQUAL(line, number);
				CHECK_EQUAL(kind_and_index(to), irq | (OBJECT_IRQ_FIRST + number));
			}
		}
	CHECK_EQUAL(pci_line(slot(held), 1, slot(to), &line), RETURN + SERVICE_BAD_ARGUMENT);
	slot_give(to);
	machine_finish();
}

/* ---- capabilities
 * ------------------------------------------------------------------------------------ */

static uint32_t reads(uint32_t door)
{
	uint32_t value, result = pci_read(slot(door), 0, &value);
	if (result == RETURN)
		CHECK_EQUAL(value, peek(victim, 0));
	return result;
}

TEST(pci_split_gives_no_more_than_it_has)
{
	machine_begin();
	uint32_t to = slot_take(), all = PCI_RIGHTS & ~PCI_ANY;
	for (uint32_t has = 1; has <= all; has += 2) {
		hand_out(victim, has, held);
		for (uint32_t rights = 0; rights <= PCI_RIGHTS; rights++) {
			_Bool may = !(rights & ~has);
			CHECK_EQUAL(pci_split(slot(held), rights, slot(to)),
				    RETURN + (may ? 0 : PCI_NOT_ALLOWED));
			if (!may)
				continue;
			CHECK_EQUAL(reads(to), RETURN + (rights & 1 ? 0 : PCI_NOT_ALLOWED));
			CHECK_EQUAL(pci_split(slot(to), PCI_MAY_WRITE, slot(to)),
				    RETURN + (rights & PCI_MAY_WRITE ? 0 : PCI_NOT_ALLOWED));
		}
		CHECK_EQUAL(pci_split(slot(held), 0x100, slot(to)), RETURN + PCI_NOT_ALLOWED);
	}
	hand_out(victim, PCI_RIGHTS, held); /* to one function, but of any generation */
	TABLE(victim, generation, uint32_t) += 1;
	CHECK_EQUAL(reads(held), RETURN);
	CHECK_EQUAL(pci_split(slot(held), PCI_MAY_READ, slot(to)), RETURN);
	CHECK_EQUAL(reads(to), RETURN);
	slot_give(to);
	machine_finish();
}

TEST(pci_capabilities_need_a_slot_to_go_into)
{
	machine_begin();
	uint32_t place = PCI_PLACE(victim, PCI_MAY_READ), lent = LEND_SLOTS(1, 0, 0, 0);
	CHECK_EQUAL(door_call(slot(everything).encoded, pci_split_op, held, place, NULL),
		    RETURN + SERVICE_NO_RESULT);
	CHECK_EQUAL(door_call(slot(everything).encoded, pci_revoke_op, held, place, NULL),
		    RETURN + SERVICE_NO_RESULT);
	CHECK_EQUAL(
		door_call(slot(everything).encoded, pci_ports_op, held, PCI_PLACE(victim, 4), NULL),
		RETURN + SERVICE_NO_RESULT);
	/* words are in registers, so something lent can only be the place */
	CHECK_EQUAL(door_call_lend(slot(everything).encoded | OPTION_CAPABILITIES | OPTION_RESULTS,
				   pci_split_op, held, lent, 0, NULL),
		    RETURN + SERVICE_NO_RESULT);
	CHECK_EQUAL(kernel_probe(slot(held)), ERROR_EMPTY);
	CHECK_EQUAL(pci_split(slot(everything), place, slot(0)), ERROR_ARGUMENT);
	CHECK_EQUAL(pci_split(slot(everything), place, slot(LIST_SLOTS)), ERROR_ARGUMENT);
	machine_finish();
}

TEST(pci_revoke_ends_all_others_and_bus_mastering)
{
	uint32_t value;
	machine_begin();
	uint32_t other = table_count() - 1, fresh = slot_take(), second = slot_take();
	hand_out(victim, PCI_MAY_READ | PCI_MAY_MASTER, held);
	CHECK_EQUAL(pci_split(slot(held), PCI_MAY_READ, slot(second)), RETURN);
	CHECK_EQUAL(pci_master(slot(held), 0, 1, &value), RETURN);
	CHECK(command_now(victim) & COMMAND_MASTER);
	uint32_t before = TABLE(other, generation, uint32_t);
	CHECK_EQUAL(pci_revoke(slot(held), PCI_MAY_READ, slot(fresh)), RETURN + PCI_NOT_ALLOWED);
	CHECK_EQUAL(reads(second), RETURN);
	CHECK_EQUAL(pci_revoke(slot(everything), PCI_PLACE(victim, PCI_MAY_READ), slot(fresh)),
		    RETURN);
	CHECK(!(command_now(victim) & COMMAND_MASTER));
	CHECK_EQUAL(reads(held), RETURN + SERVICE_REVOKED);
	CHECK_EQUAL(reads(second), RETURN + SERVICE_REVOKED);
	CHECK_EQUAL(reads(fresh), RETURN);
	CHECK_EQUAL(pci_master(slot(held), 0, 1, &value), RETURN + SERVICE_REVOKED);
	CHECK_EQUAL(pci_split(slot(held), PCI_MAY_READ, slot(second)), RETURN + SERVICE_REVOKED);
	CHECK_EQUAL(pci_read(slot(everything), PCI_PLACE(victim, 0), &value), RETURN);
	CHECK_EQUAL(TABLE(other, generation, uint32_t), before + (other == victim));
	CHECK(registers_are_as_noted());
	/* of a bridge: its bus mastering stays */
	CHECK_EQUAL(pci_revoke(slot(everything), PCI_PLACE(0, PCI_MAY_READ), slot(fresh)), RETURN);
	CHECK(registers_are_as_noted());
	slot_give(fresh);
	slot_give(second);
	machine_finish();
}

TEST(pci_generations_end_at_their_top)
{
	machine_begin();
	uint32_t place = PCI_PLACE(victim, PCI_MAY_READ), door, value;
	TABLE(victim, generation, uint32_t) = GENERATION_END - 2;
	CHECK_EQUAL(pci_revoke(slot(everything), place, slot(held)), RETURN);
	CHECK_EQUAL(reads(held), RETURN);
	poke(victim, CONFIG_COMMAND, command_now(victim) | COMMAND_MASTER);
	for (uint32_t i = 0; i < 3; i++)
		CHECK_EQUAL(pci_revoke(slot(everything), place, slot(held)), RETURN + PCI_WORN_OUT);
	CHECK_EQUAL(TABLE(victim, generation, uint32_t), GENERATION_END);
	CHECK(!(command_now(victim) & COMMAND_MASTER));
	CHECK_EQUAL(reads(held), RETURN + SERVICE_REVOKED);
	CHECK_EQUAL(pci_split(slot(everything), place, slot(held)), RETURN + PCI_WORN_OUT);
	CHECK_EQUAL(pci_read(slot(everything), place & ~0xFFFFu, &value), RETURN);
	door = function_door(victim, PCI_MAY_READ, 0);
	CHECK_EQUAL(reads(door), RETURN + SERVICE_REVOKED);
	slot_give(door);
	machine_finish();
}

/* A register of the victim's own in which that bit stays when it is set, so that it can stand in
 * for the status of a device that never ends its transactions. */
static uint32_t pending_register(void)
{
	for (uint32_t at = CONFIG_SPECIFIC; at < CONFIG_END; at += 4) {
		uint32_t before = peek(victim, at);
		poke(victim, at, before | EXPRESS_PENDING);
		uint32_t value = peek(victim, at);
		if (value & EXPRESS_PENDING && value != ~0u && !(before & EXPRESS_PENDING))
			return at;
		poke(victim, at, before);
	}
	return 0;
}
TEST(pci_revoke_waits_for_the_device_but_not_for_ever)
{
	machine_begin();
	uint32_t at = pending_register(), place = PCI_PLACE(victim, PCI_MAY_READ),
		 door = slot_take();
	CHECK(at);
	TABLE(victim, express, uint8_t) = at - EXPRESS_STATUS;
	for (uint32_t i = 0; i < 2; i++) {
		hand_out(victim, PCI_MAY_READ, held);
		uint32_t generation = TABLE(victim, generation, uint32_t);
		uint64_t before = cycles();
		CHECK_EQUAL(pci_revoke(slot(everything), place, slot(door)), RETURN + PCI_PENDING);
		CHECK(cycles() - before > 10 * PCI_POLLS);
		CHECK_EQUAL(kernel_probe(slot(door)), ERROR_EMPTY);
		CHECK_EQUAL(TABLE(victim, generation, uint32_t), generation + 1);
		CHECK_EQUAL(reads(held), RETURN + SERVICE_REVOKED);
	}
	poke(victim, at, peek(victim, at) & ~EXPRESS_PENDING);
	CHECK_EQUAL(pci_revoke(slot(everything), place, slot(door)), RETURN);
	CHECK_EQUAL(reads(door), RETURN);
	CHECK(registers_are_as_noted());
	slot_give(door);
	machine_finish();
}
