/* SPDX-License-Identifier: MIT */
/* The demonstration's client: what the root program starts it with, and what it finds. */
#ifndef NOUS_VISITOR_H
#define NOUS_VISITOR_H

enum visitor_task { VISITOR_CALL, VISITOR_LEND, VISITOR_LONG, VISITOR_HOSTILE };
enum visitor_slot { VISITOR_SERIAL = 1, VISITOR_SCRIBE = 2, VISITOR_SCREEN = 3, VISITOR_SPARE = 4 };
#define VISITOR_INPUT      0x00800000u /* numbers */
#define VISITOR_OUTPUT     0x00C00000u
#define VISITOR_WORDS      1000u
#define VISITOR_LONG_WORDS 4000u
#define VISITOR_PAGES      4u

#endif
