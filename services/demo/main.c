/* SPDX-License-Identifier: MIT */
#include "root.h"

int main(void)
{
	root_begin();
	print("hello from the root program, %u frames free\n", frames_free());
	machine_end(1);
}
