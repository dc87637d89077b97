/* SPDX-License-Identifier: MIT */
/* Numbers of the common entries: conventions of this library, not of the kernel. */
#ifndef NOUS_STATUS_H
#define NOUS_STATUS_H

#define SERVICE_NO_OPERATION 127u
#define SERVICE_NO_STACK     126u /* less than 1 KiB of the data page is left */
#define SERVICE_BAD_ARGUMENT 125u
#define SERVICE_REVOKED      124u /* something lent went away during the call */
#define SERVICE_NO_RESULT    123u /* the call designates no slot for the capability */

#define SLOT_FAULT_DOOR 15u /* a program calls it when it faults and does not catch that */

#endif
