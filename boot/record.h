/* SPDX-License-Identifier: MIT */
/* How the root program finds the machine: boot leaves it, the kernel never looks at it. */
#ifndef NOUS_RECORD_H
#define NOUS_RECORD_H

#include "abi.h"

#define BOOT_MAGIC       0x73756F4Eu /* "Nous" */
#define BOOT_REGIONS_MAX 64u
#define BOOT_MODULES_MAX 32u

struct boot_region {
	uint64_t start, bytes;
	uint32_t type; /* 1: memory */
	uint32_t reserved;
};
struct boot_module {
	uint32_t start; /* physical; the first module is the root program itself */
	uint32_t bytes;
	char name[24];
};
/* One page at BOOT_RECORD in the root program, readable only. Frames are numbers, not addresses. */
#define BOOT_RECORD 0x0F000000u
struct boot_record {
	uint32_t magic, bytes;
	uint64_t boot_cycles;      /* time stamp counter at the kernel's first instruction */
	uint32_t cycles_per_ms;    /* measured */
	uint32_t cpu_features;     /* CPUID leaf 1, EDX */
	uint32_t timer;            /* enum timer_kind */
	uint32_t kernel_end_frame; /* frames below are the kernel's own */
	uint32_t low_end_frame;    /* objects and page tables below this */
	uint32_t first_free_frame; /* managed frames from here on were not used by boot */
	uint32_t template_frame;   /* a directory to copy for a new domain */
	uint32_t root_thread, root_domain; /* object indices */
	uint32_t root_directory_frame;
	uint32_t linear_end; /* physical end of the linear map */
	uint32_t region_count, module_count;
	struct boot_region regions[BOOT_REGIONS_MAX];
	struct boot_module modules[BOOT_MODULES_MAX];
	char command_line[256];
};
_Static_assert(sizeof(struct boot_record) <= PAGE_BYTES, "the boot record is one page");

/* Slots of the root program's list when it starts. */
enum root_slot {
	ROOT_AUTHORITY = 1,
	ROOT_DOMAIN,
	ROOT_THREAD,
	ROOT_PORTS,
	ROOT_IRQ_FIRST = 16,
	ROOT_FREE = 32
};

#endif
