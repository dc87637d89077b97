/* SPDX-License-Identifier: MIT */
/*
 * A driver, in the experiment `isolation`: it waits for the interrupts of the PC's clock, 8,192 in
 * a second, and does some work for each. When it runs is its scheduler's business. The start
 * argument is DRIVER_RUN, or DRIVER_PRINT: how many interrupts it has handled since the last one.
 */
#ifndef NOUS_DRIVER_H
#define NOUS_DRIVER_H

#define DRIVER_RUN        0u
#define DRIVER_PRINT(run) ((run) + 1)
#define DRIVER_LINE       8u /* the clock's; bound to the driver's thread, DRIVER_BIT */
#define DRIVER_BIT        0u
#define DRIVER_ROUNDS     500u /* of a loop, for each interrupt */
#define DRIVER_PORT       0x70u
#define DRIVER_PORT_LAST  0x71u

enum driver_slot { DRIVER_CONSOLE = 1, DRIVER_SLOT_LINE };

#endif
