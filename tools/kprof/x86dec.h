/* SPDX-License-Identifier: MIT */
/* Tells an IA-32 instruction's kind from its bytes.  The length is known from
 * the emulator, so only prefixes, opcode and ModRM are looked at. */
#ifndef X86DEC_H
#define X86DEC_H

#include <stdint.h>
#include <stddef.h>
#include <stdbool.h>

#define KINDS(X) \
	X(wr_cr3) X(wr_cr) X(rd_cr) X(wr_dr) X(rd_dr) X(clts) X(invlpg) \
	X(wbinvd) X(sysenter) X(sysexit) X(syscall) X(sysret) X(int) X(iret) \
	X(far_call) X(far_jmp) X(far_ret) \
	X(seg_es) X(seg_ss) X(seg_ds) X(seg_fs) X(seg_gs) \
	X(in) X(out) X(rdmsr) X(wrmsr) X(rdtsc) X(rdpmc) X(lgdt) X(lidt) \
	X(lldt) X(ltr) X(desc_other) X(cpuid) X(lock) X(xchg_mem) X(hlt) \
	X(cli) X(sti) X(pushf) X(popf) X(fxsave) X(fxrstor) X(xsave) \
	X(xrstor) X(fnsave) X(frstor) X(mxcsr) X(x87) X(fence) X(clflush) \
	X(pause) X(mwait) X(rsm) X(ud) X(div) X(call) X(call_ind) X(jmp) \
	X(jmp_ind) X(jcc) X(ret)

enum kind {
	K_plain,
#define X(n) K_##n,
	KINDS(X)
#undef X
	K_N
};

enum {
	F_BRANCH = 1,     /* may go elsewhere than to the next instruction */
	F_DIRECT = 2,     /* branch whose target stands in the instruction */
	F_REP    = 4,     /* string instruction with a repeat prefix */
};

struct dec {
	uint8_t kind, flags;
	uint8_t need;     /* it makes at least so many data accesses (as QEMU
	                     reports them), or it has not completed */
	uint8_t most;     /* and at most so many; ANY: not known */
	int32_t rel;
};

#define ANY 255

static inline struct dec x86_decode(const uint8_t *b, size_t n)
{
	struct dec d = { K_plain, 0, 0, ANY, 0 };
	size_t i = 0;
	int lock = 0, rep = 0, op66 = 0;

	for (; i < n; i++) {
		uint8_t c = b[i];
		if (c == 0xf0) lock = 1;
		else if (c == 0xf2 || c == 0xf3) rep = c;
		else if (c == 0x66) op66 = 1;
		else if (c != 0x67 && c != 0x2e && c != 0x36 && c != 0x3e &&
		         c != 0x26 && c != 0x64 && c != 0x65) break;
	}
	if (i >= n) return d;
	uint8_t op = b[i];
	uint8_t mrm = i + 1 < n ? b[i + 1] : 0;

	if (op != 0x0f) {
		bool any = false;
		int mem = (mrm >> 6) != 3, reg = (mrm >> 3) & 7;
#define RMW (mem ? 2 : 0)
#define ONE (mem ? 1 : 0)
		switch (op) {
		case 0x00 ... 0x05: case 0x08 ... 0x0d: case 0x10 ... 0x15:
		case 0x18 ... 0x1d: case 0x20 ... 0x25: case 0x28 ... 0x2d:
		case 0x30 ... 0x35: case 0x38 ... 0x3d:
			if ((op & 7) < 2) d.need = (op >= 0x38) ? ONE : RMW;
			else if ((op & 7) < 4) d.need = ONE;
			break;
		case 0x06: case 0x0e: case 0x16: case 0x1e: d.need = 1; break;
		case 0x07: d.kind = K_seg_es; d.need = 1; any = true; break;
		case 0x17: d.kind = K_seg_ss; d.need = 1; any = true; break;
		case 0x1f: d.kind = K_seg_ds; d.need = 1; any = true; break;
		case 0x50 ... 0x5f: d.need = 1; break;
		case 0x60: d.need = 8; break;
		case 0x61: d.need = 7; break;
		case 0x62: case 0x63: any = true; break;
		case 0x68: case 0x6a: d.need = 1; break;
		case 0x69: case 0x6b: d.need = ONE; break;
		case 0x6c: case 0x6d: d.kind = K_in; d.need = 2; goto str;
		case 0x6e: case 0x6f: d.kind = K_out; d.need = 1; goto str;
		case 0x70 ... 0x7f:
			d.kind = K_jcc; d.flags = F_BRANCH | F_DIRECT;
			d.rel = (int8_t)mrm; break;
		case 0x80 ... 0x83: d.need = reg == 7 ? ONE : RMW; break;
		case 0x84: case 0x85: d.need = ONE; break;
		case 0x86: case 0x87:
			d.need = RMW; if (mem) d.kind = K_xchg_mem; break;
		case 0x88 ... 0x8c: d.need = ONE; break;
		case 0x8e:
			d.need = ONE; any = true;
			if (reg == 0) d.kind = K_seg_es;
			else if (reg == 2) d.kind = K_seg_ss;
			else if (reg == 3) d.kind = K_seg_ds;
			else if (reg == 4) d.kind = K_seg_fs;
			else if (reg == 5) d.kind = K_seg_gs;
			break;
		case 0x8f: d.need = mem ? 2 : 1; break;
		case 0x90: if (rep == 0xf3) d.kind = K_pause; break;
		case 0x9a: d.kind = K_far_call; d.flags = F_BRANCH; d.need = 2;
			any = true; break;
		case 0x9b: d.kind = K_x87; break;
		case 0x9c: d.kind = K_pushf; d.need = 1; break;
		case 0x9d: d.kind = K_popf; d.need = 1; break;
		case 0xa0 ... 0xa3: d.need = 1; break;
		case 0xa4: case 0xa5: case 0xa6: case 0xa7: d.need = 2; goto str;
		case 0xaa ... 0xaf: d.need = 1;
		str:	if (rep) d.flags = F_REP;
			break;
		case 0xc0: case 0xc1: case 0xd0 ... 0xd3: d.need = RMW; break;
		case 0xc2: case 0xc3:
			d.kind = K_ret; d.flags = F_BRANCH; d.need = 1; break;
		case 0xc4: any = true;
			if (mem) { d.kind = K_seg_es; d.need = 2; } break;
		case 0xc5: any = true;
			if (mem) { d.kind = K_seg_ds; d.need = 2; } break;
		case 0xc6: case 0xc7: d.need = ONE; break;
		case 0xc8: d.need = 1; any = true; break;
		case 0xc9: d.need = 1; break;
		case 0xca: case 0xcb:
			d.kind = K_far_ret; d.flags = F_BRANCH; d.need = 2;
			any = true; break;
		case 0xcc: case 0xcd: case 0xce: case 0xf1:
			d.kind = K_int; d.flags = F_BRANCH; break;
		case 0xcf: d.kind = K_iret; d.flags = F_BRANCH; d.need = 3; break;
		case 0xd7: d.need = 1; break;
		case 0xd8 ... 0xdf:
			d.kind = K_x87; any = true;
			if (op == 0xdd && mem && reg == 6) d.kind = K_fnsave;
			if (op == 0xdd && mem && reg == 4) d.kind = K_frstor;
			break;
		case 0xe0 ... 0xe3:
			d.kind = K_jcc; d.flags = F_BRANCH | F_DIRECT;
			d.rel = (int8_t)mrm; break;
		case 0xe4: case 0xe5: case 0xec: case 0xed: d.kind = K_in; break;
		case 0xe6: case 0xe7: case 0xee: case 0xef: d.kind = K_out; break;
		case 0xe8: case 0xe9:
			d.kind = op == 0xe8 ? K_call : K_jmp;
			d.need = op == 0xe8;
			d.flags = F_BRANCH;
			if (n >= i + 5) {
				d.rel = (int32_t)(b[i+1] | b[i+2] << 8 | b[i+3] << 16 |
				                  (uint32_t)b[i+4] << 24);
				d.flags |= F_DIRECT;
			}
			break;
		case 0xea: d.kind = K_far_jmp; d.flags = F_BRANCH; any = true; break;
		case 0xeb:
			d.kind = K_jmp; d.flags = F_BRANCH | F_DIRECT;
			d.rel = (int8_t)mrm; break;
		case 0xf4: d.kind = K_hlt; d.flags = F_BRANCH; break;
		case 0xf6: case 0xf7:
			if (reg == 2 || reg == 3) d.need = RMW; else d.need = ONE;
			if (reg >= 6) d.kind = K_div;
			break;
		case 0xfa: d.kind = K_cli; break;
		case 0xfb: d.kind = K_sti; break;
		case 0xfe: d.need = RMW; break;
		case 0xff:
			switch (reg) {
			case 0: case 1: d.need = RMW; break;
			case 2: d.kind = K_call_ind; d.flags = F_BRANCH;
				d.need = 1 + ONE; break;
			case 3: d.kind = K_far_call; d.flags = F_BRANCH;
				d.need = 4; any = true; break;
			case 4: d.kind = K_jmp_ind; d.flags = F_BRANCH;
				d.need = ONE; break;
			case 5: d.kind = K_far_jmp; d.flags = F_BRANCH;
				d.need = 2; any = true; break;
			case 6: d.need = 1 + ONE; break;
			}
			break;
		}
		if (!any) d.most = d.need;
		if (op == 0xcf) d.most = 9;   /* to another ring; only loads */
	} else {
		uint8_t op2 = mrm;
		uint8_t m2 = i + 2 < n ? b[i + 2] : 0;
		int mem = (m2 >> 6) != 3, reg = (m2 >> 3) & 7;
		switch (op2) {
		case 0x00:
			d.need = ONE;
			d.kind = reg == 2 ? K_lldt : reg == 3 ? K_ltr : K_desc_other;
			break;
		case 0x01:
			if (mem) {
				if (reg == 2) { d.kind = K_lgdt; d.need = 2; }
				else if (reg == 3) { d.kind = K_lidt; d.need = 2; }
				else if (reg == 6) { d.kind = K_wr_cr; d.need = 1; }
				else if (reg == 7) d.kind = K_invlpg;
				else d.kind = K_desc_other;
			} else if (m2 == 0xc8 || m2 == 0xc9) d.kind = K_mwait;
			else if (m2 == 0xf9) d.kind = K_rdtsc;
			else if (m2 == 0xd1) d.kind = K_wr_cr;
			else if (reg == 6) d.kind = K_wr_cr;
			else d.kind = K_desc_other;
			break;
		case 0x02: case 0x03: d.kind = K_desc_other; break;
		case 0x05: d.kind = K_syscall; d.flags = F_BRANCH; break;
		case 0x06: d.kind = K_clts; break;
		case 0x07: d.kind = K_sysret; d.flags = F_BRANCH; break;
		case 0x08: case 0x09: d.kind = K_wbinvd; break;
		case 0x0b: case 0xb9: case 0xff: d.kind = K_ud; break;
		case 0x20: d.kind = K_rd_cr; break;
		case 0x21: d.kind = K_rd_dr; break;
		case 0x22: d.kind = reg == 3 ? K_wr_cr3 : K_wr_cr; break;
		case 0x23: d.kind = K_wr_dr; break;
		case 0x30: d.kind = K_wrmsr; break;
		case 0x31: d.kind = K_rdtsc; break;
		case 0x32: d.kind = K_rdmsr; break;
		case 0x33: d.kind = K_rdpmc; break;
		case 0x34: d.kind = K_sysenter; d.flags = F_BRANCH; break;
		case 0x35: d.kind = K_sysexit; d.flags = F_BRANCH; break;
		case 0x38: if (op66 && m2 == 0x82) d.kind = K_invlpg; break;
		case 0x40 ... 0x4f: d.need = ONE; break;
		case 0x80 ... 0x8f:
			d.kind = K_jcc; d.flags = F_BRANCH;
			if (n >= i + 6) {
				d.rel = (int32_t)(b[i+2] | b[i+3] << 8 | b[i+4] << 16 |
				                  (uint32_t)b[i+5] << 24);
				d.flags |= F_DIRECT;
			}
			break;
		case 0x90 ... 0x9f: d.need = ONE; break;
		case 0xa0: case 0xa8: d.need = 1; break;
		case 0xa1: d.kind = K_seg_fs; d.need = 1; break;
		case 0xa9: d.kind = K_seg_gs; d.need = 1; break;
		case 0xa2: d.kind = K_cpuid; break;
		case 0xa3: d.need = ONE; break;
		case 0xa4: case 0xa5: case 0xac: case 0xad:
		case 0xab: case 0xb3: case 0xbb: d.need = RMW; break;
		case 0xaa: d.kind = K_rsm; d.flags = F_BRANCH; break;
		case 0xae:
			if (!mem) d.kind = K_fence;
			else d.kind = reg == 0 ? K_fxsave : reg == 1 ? K_fxrstor :
				reg < 4 ? K_mxcsr : reg == 4 || reg == 6 ? K_xsave :
				reg == 5 ? K_xrstor : K_clflush;
			break;
		case 0xaf: case 0xb6: case 0xb7: case 0xbc: case 0xbd:
		case 0xbe: case 0xbf: d.need = ONE; break;
		case 0xb0: case 0xb1: case 0xc0: case 0xc1: d.need = RMW; break;
		case 0xb2: d.kind = K_seg_ss; d.need = 2; break;
		case 0xb4: d.kind = K_seg_fs; d.need = 2; break;
		case 0xb5: d.kind = K_seg_gs; d.need = 2; break;
		case 0xba: d.need = reg == 4 ? ONE : RMW; break;
		case 0xc3: d.need = ONE; break;
		case 0xc7: if (mem && reg == 1) d.need = 2; break;
		}
	}
	if (op == 0x0f) switch (mrm) {
	case 0x05 ... 0x09: case 0x0b: case 0x20 ... 0x23: case 0x30 ... 0x35:
	case 0x40 ... 0x4f: case 0x80 ... 0xa0: case 0xa2 ... 0xa5: case 0xa8:
	case 0xab ... 0xad: case 0xaf ... 0xb1: case 0xb3: case 0xb6: case 0xb7:
	case 0xba ... 0xc1: case 0xc3:
		d.most = d.need;
		break;
	case 0x01:
		if (d.kind == K_invlpg || d.kind == K_rdtsc) d.most = 0;
		break;
	case 0xae:
		if (d.kind == K_fence) d.most = 0;
		break;
	}
	if (lock) d.kind = K_lock;
	return d;
#undef RMW
#undef ONE
}

#endif
