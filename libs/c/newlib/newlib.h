/* SPDX-License-Identifier: MIT */
/*
 * How newlib is set up for Nous: what its configure would write. One thread in a program, locale
 * "C" alone; `long double` is `double` (libs/c/c.mk), so that all its functions are there.
 */
#ifndef NOUS_NEWLIB_H
#define NOUS_NEWLIB_H

#define _WANT_IO_C99_FORMATS 1
#define _WANT_IO_LONG_LONG   1
#define _WANT_IO_POS_ARGS    1
#define _HAVE_LONG_DOUBLE    1
#define _LDBL_EQ_DBL         1
#define _MB_LEN_MAX          1

/* Streams: by blocks, also when they have no buffer; more than 32 functions for atexit. */
#define _FVWRITE_IN_STREAMIO  1
#define _FSEEK_OPTIMIZATION   1
#define _UNBUF_STREAM_OPT     1
#define _ATEXIT_DYNAMIC_ALLOC 1

#define _CLOCKS_PER_SEC_ 1000000

/* memset is not to be compiled into a call of memset. */
#define _HAVE_CC_INHIBIT_LOOP_TO_LIBCALL 1

#endif
