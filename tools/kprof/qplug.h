/* SPDX-License-Identifier: MIT */
/* The few declarations of QEMU's plugin interface (version 1, QEMU 4.2 .. 8.x)
 * that this plugin needs, written out by hand so that no QEMU header has to be
 * installed.  The functions are resolved from the emulator that loads us. */
#ifndef QPLUG_H
#define QPLUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QP_EXPORT __attribute__((visibility("default")))
#define QP_VERSION 1

typedef uint64_t qp_id;
typedef uint32_t qp_meminfo;          /* opaque, query with qemu_plugin_mem_* */

struct qp_info {
	const char *target_name;
	struct { int min, cur; } version;
	bool system_emulation;
	struct { int smp_vcpus, max_vcpus; } system;
};

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;

enum { QP_CB_NO_REGS = 0 };
enum { QP_MEM_R = 1, QP_MEM_W = 2, QP_MEM_RW = 3 };

typedef void (*qp_udata_cb)(qp_id, void *);
typedef void (*qp_trans_cb)(qp_id, struct qemu_plugin_tb *);
typedef void (*qp_exec_cb)(unsigned vcpu, void *);
typedef void (*qp_mem_cb)(unsigned vcpu, qp_meminfo, uint64_t vaddr, void *);

/* what the plugin gives */
extern QP_EXPORT int qemu_plugin_version;
QP_EXPORT int qemu_plugin_install(qp_id, const struct qp_info *, int, char **);

/* what the emulator gives */
#pragma GCC visibility push(default)
void qemu_plugin_register_vcpu_tb_trans_cb(qp_id, qp_trans_cb);
void qemu_plugin_register_atexit_cb(qp_id, qp_udata_cb, void *);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *,
	qp_exec_cb, int flags, void *);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *,
	qp_mem_cb, int flags, int rw, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *,
	size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *);
unsigned qemu_plugin_mem_size_shift(qp_meminfo);
bool qemu_plugin_mem_is_store(qp_meminfo);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qp_meminfo, uint64_t);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *);
#pragma GCC visibility pop

#endif
