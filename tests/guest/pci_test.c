/* SPDX-License-Identifier: MIT */
#include "lspci.h"
#include "pci/pci.h"
#include "test.h"

TEST(pci_lists)
{
	CHECK_EQUAL(pci_print(slot(pci_slot)), RETURN);
}
