/* SPDX-License-Identifier: MIT */
/* kprof - a QEMU TCG plugin that counts exactly what an IA-32 guest executes
 * between two marker instructions, and how long it stays in its kernel.
 * See README.md. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "profile.h"
#include "qplug.h"
#include "trace.h"
#include "x86dec.h"

QP_EXPORT int qemu_plugin_version = QP_VERSION;

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

static void die(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("kprof: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	_exit(2);
}

static void *xcalloc(size_t n, size_t s)
{
	void *p = calloc(n, s);
	if (!p) die("out of memory");
	return p;
}

/* Zeroed memory that costs only what is touched. */
static void *lazy(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) die("mmap: %s", strerror(errno));
	return p;
}

/* ---- what a sample holds ---- */

#define FIELDS(X) \
	X(insns) X(insns_kernel) X(insns_user) \
	X(rep_insns) X(rep_iters) X(taken) X(kernel_entries) X(faults) X(irqs) \
	X(loads) X(stores) X(loads_kernel) X(stores_kernel) \
	X(load_bytes) X(store_bytes) \
	X(code_lines) X(code_lines_kernel) X(code_lines_user) \
	X(data_lines) X(data_lines_kernel) X(data_lines_user) \
	X(code_pages) X(code_pages_kernel) X(code_pages_user) \
	X(data_pages) X(data_pages_kernel) X(data_pages_user) \
	X(code_lines_phys) X(data_lines_phys) \
	X(code_pages_phys) X(data_pages_phys)

enum field {
#define X(n) V_##n,
	FIELDS(X)
#undef X
	V_N
};

static const char *const field_name[] = {
#define X(n) #n,
	FIELDS(X)
#undef X
};
static const char *const kind_name[] = {
	"plain",
#define X(n) #n,
	KINDS(X)
#undef X
};

struct rec {
	uint64_t v[V_N];
	uint32_t op[K_N];
};

/* ---- guest instructions, one descriptor per (address, bytes, place) ---- */

#define M_START 1
#define M_STOP  2

struct insn {
	uint32_t va, next, target;
	uint32_t pline;           /* physical code line, NOPHYS if unknown */
	uint8_t kind, flags, need, kern;
	uint8_t most;             /* no more data accesses than this */
	uint8_t last;             /* may be the last of its translation block */
	uint8_t marker, region;
	uint8_t special;          /* not plain sequential: the slow path */
	uint8_t noted;            /* the trace is told of it */
	uint8_t mark;             /* what it is to the profile */
	uint8_t len, bytes[15];
	uintptr_t haddr;
	struct insn *hnext;
};

#define NOPHYS 0xffffffffu

#define IHASH (1u << 18)
static struct insn **itab;

/* ---- physical pages get small numbers, so that lines can be stamped ---- */

#define PG_CAP (1u << 20)
#define PG_HASH (1u << 21)
struct pgmap { uint64_t *key; uint32_t *idx; uint32_t n; };

static uint32_t pg_index(struct pgmap *m, uint64_t page)
{
	if (!m->key) {
		m->key = lazy(PG_HASH * sizeof *m->key);
		m->idx = lazy(PG_HASH * sizeof *m->idx);
	}
	uint64_t k = page + 1;
	uint32_t h = (uint32_t)((k * 0x9e3779b97f4a7c15ull) >> 43);
	while (m->key[h]) {
		if (m->key[h] == k) return m->idx[h];
		h = (h + 1) & (PG_HASH - 1);
	}
	if (m->n == PG_CAP) return NOPHYS;
	m->key[h] = k;
	return m->idx[h] = m->n++;
}

static struct pgmap code_pg, data_pg;

/* ---- regions ---- */

#define NREG 256
#define NSLOT 8
#define NLINE (1u << 26)
#define NPAGE (1u << 20)

struct total {                   /* all samples with this many instructions */
	uint64_t insns, count;
	struct rec first;            /* the first of them */
};

struct region {
	uint64_t samples, restarts, stray_stops, overflows;
	struct total **tab;          /* open hash by insns */
	uint32_t tab_n, tab_cap;
	int slot;                    /* + 1; 0: not open */
};
static struct region reg[NREG];

struct slot {
	uint32_t epoch;
	uint32_t last_line;          /* code line of the last instruction */
	int id;
	const struct insn *rep;      /* repeated instruction under way */
	struct rec r;
	uint32_t *cl, *dl, *cp, *dp; /* stamps: code/data lines/pages */
	uint32_t *pcl, *pdl, *pcp, *pdp;
};
static struct slot slots[NSLOT];
static int active[NSLOT], nactive;

/* ---- options ---- */

static char *out_path;
static bool opt_quiet, opt_each, opt_phys = true;
static int opt_top = 16;
static uint8_t *kmap;            /* bit per 64-byte line: kernel address */
static FILE *out;

static inline bool is_kern(uint32_t a)
{
	return kmap[a >> 9] >> ((a >> 6) & 7) & 1;
}

static void kmap_set(uint32_t lo, uint32_t hi, bool on)
{
	if ((lo & 63) || (hi & 63) != 63)
		die("address ranges must be made of whole 64-byte lines");
	for (uint64_t l = lo >> 6; l <= hi >> 6; l++) {
		if (on) kmap[l >> 3] |= 1u << (l & 7);
		else    kmap[l >> 3] &= ~(1u << (l & 7));
	}
}

/* ---- whole-run state ---- */

static uint64_t n_total, n_kernel, n_faults, n_irqs, n_replays, n_stale;
static uint64_t first_user_at;
static uint32_t first_user_addr;
static bool booted, armed;
static uint64_t phys_missed;
static uint64_t markers_seen;

static struct insn *pend;        /* executed last, not yet known as retired */
static uint32_t pend_mem;        /* data accesses it has completed */
static bool pend_again;          /* it was run again in a block of its own */

struct entry {
	uint32_t addr, used;
	uint64_t n, max, sum, halts;
	uint64_t max_at;
	uint32_t max_from, max_exit, max_hlt;
};
#define NENTRY 4096
static struct entry entries[NENTRY];
static uint32_t n_entries;
static uint64_t entries_lost;
#define STAY_LENGTHS 4096                      /* longer ones are in the last */
static uint64_t stays_of_length[STAY_LENGTHS];

static struct { bool on; uint64_t n, at; uint32_t entry, from; } stay;
static uint32_t last_va;
static bool last_kern;

/* ---- kernel stays ---- */

static void stay_end(uint32_t exit, bool hlt)
{
	if (!stay.on) return;
	stay.on = false;
	stays_of_length[stay.n < STAY_LENGTHS ? stay.n : STAY_LENGTHS - 1]++;
	uint32_t h = (stay.entry * 2654435761u) >> 20;
	for (uint32_t i = 0; i < NENTRY; i++, h = (h + 1) & (NENTRY - 1)) {
		struct entry *e = &entries[h];
		if (e->used && e->addr != stay.entry) continue;
		if (!e->used) {
			e->used = 1;
			e->addr = stay.entry;
			n_entries++;
		}
		e->n++;
		e->sum += stay.n;
		e->halts += hlt;
		if (stay.n > e->max) {
			e->max = stay.n;
			e->max_at = stay.at;
			e->max_from = stay.from;
			e->max_exit = exit;
			e->max_hlt = hlt;
		}
		return;
	}
	entries_lost++;
}

/* ---- samples ---- */

static void json_rec(FILE *f, const struct rec *r)
{
	for (int i = 0; i < V_N; i++)
		fprintf(f, "%s\"%s\":%llu", i ? "," : "", field_name[i],
		        (unsigned long long)r->v[i]);
	fputs(",\"ops\":{", f);
	for (int i = 1; i < K_N; i++)
		fprintf(f, "%s\"%s\":%u", i > 1 ? "," : "", kind_name[i], r->op[i]);
	fputc('}', f);
}

static struct total *total_get(struct region *g, uint64_t insns)
{
	if (g->tab_n * 2 >= g->tab_cap) {
		uint32_t cap = g->tab_cap ? g->tab_cap * 2 : 64;
		struct total **t = xcalloc(cap, sizeof *t);
		for (uint32_t i = 0; i < g->tab_cap; i++) {
			if (!g->tab[i]) continue;
			uint32_t h = (uint32_t)(g->tab[i]->insns * 2654435761u) & (cap - 1);
			while (t[h]) h = (h + 1) & (cap - 1);
			t[h] = g->tab[i];
		}
		free(g->tab);
		g->tab = t;
		g->tab_cap = cap;
	}
	uint32_t h = (uint32_t)(insns * 2654435761u) & (g->tab_cap - 1);
	for (; g->tab[h]; h = (h + 1) & (g->tab_cap - 1))
		if (g->tab[h]->insns == insns) return g->tab[h];
	g->tab_n++;
	g->tab[h] = xcalloc(1, sizeof **g->tab);
	g->tab[h]->insns = insns;
	return g->tab[h];
}

static void region_stop(int id)
{
	struct region *g = &reg[id];
	markers_seen++;
	if (!g->slot) { g->stray_stops++; return; }
	struct slot *s = &slots[g->slot - 1];
	struct total *t = total_get(g, s->r.v[V_insns]);
	if (!t->count++) t->first = s->r;
	g->samples++;
	if (opt_each && out) {
		fprintf(out, "{\"type\":\"sample\",\"id\":%d,\"n\":%llu,", id,
		        (unsigned long long)g->samples);
		json_rec(out, &s->r);
		fputs("}\n", out);
	}
	for (int i = 0; i < nactive; i++) {
		if (active[i] != g->slot - 1) continue;
		active[i] = active[--nactive];
		break;
	}
	s->id = -1;
	g->slot = 0;
}

static void slot_alloc(struct slot *s)
{
	s->cl = lazy((size_t)NLINE * 4);
	s->dl = lazy((size_t)NLINE * 4);
	s->cp = lazy((size_t)NPAGE * 4);
	s->dp = lazy((size_t)NPAGE * 4);
	if (opt_phys) {
		s->pcl = lazy((size_t)NLINE * 4);
		s->pdl = lazy((size_t)NLINE * 4);
		s->pcp = lazy((size_t)NPAGE * 4);
		s->pdp = lazy((size_t)NPAGE * 4);
	}
}

static void region_start(int id)
{
	struct region *g = &reg[id];
	struct slot *s = NULL;
	markers_seen++;
	if (g->slot) {               /* begin the sample anew */
		g->restarts++;
		s = &slots[g->slot - 1];
	} else {
		for (int i = 0; i < NSLOT && !s; i++) {
			bool busy = false;
			for (int j = 0; j < nactive; j++) busy |= active[j] == i;
			if (!busy) s = &slots[i];
		}
		if (!s) { g->overflows++; return; }
		if (!s->cl) slot_alloc(s);
		g->slot = (int)(s - slots) + 1;
		active[nactive++] = g->slot - 1;
	}
	if (++s->epoch == 0) die("too many samples");
	s->id = id;
	s->last_line = NOPHYS;
	s->rep = NULL;
	memset(&s->r, 0, sizeof s->r);
}

/* ---- counting into the open regions ---- */

static inline bool stamp(uint32_t *t, uint32_t i, uint32_t e)
{
	if (t[i] == e) return false;
	t[i] = e;
	return true;
}

static void code_line(struct slot *s, uint32_t line)
{
	if (!stamp(s->cl, line, s->epoch)) return;
	bool k = is_kern(line << 6);
	s->r.v[V_code_lines]++;
	s->r.v[k ? V_code_lines_kernel : V_code_lines_user]++;
	if (!stamp(s->cp, line >> 6, s->epoch)) return;
	s->r.v[V_code_pages]++;
	s->r.v[k ? V_code_pages_kernel : V_code_pages_user]++;
}

static void data_line(struct slot *s, uint32_t line)
{
	if (!stamp(s->dl, line, s->epoch)) return;
	bool k = is_kern(line << 6);
	s->r.v[V_data_lines]++;
	s->r.v[k ? V_data_lines_kernel : V_data_lines_user]++;
	if (!stamp(s->dp, line >> 6, s->epoch)) return;
	s->r.v[V_data_pages]++;
	s->r.v[k ? V_data_pages_kernel : V_data_pages_user]++;
}

static void phys_code(struct slot *s, uint32_t pl)
{
	if (stamp(s->pcl, pl, s->epoch)) s->r.v[V_code_lines_phys]++;
	if (stamp(s->pcp, pl >> 6, s->epoch)) s->r.v[V_code_pages_phys]++;
}

static void account(struct slot *s, const struct insn *p, bool entered,
                    bool taken, bool irq)
{
	uint64_t *v = s->r.v;
	v[V_insns]++;
	v[p->kern ? V_insns_kernel : V_insns_user]++;
	s->r.op[p->kind]++;
	v[V_kernel_entries] += entered;
	v[V_taken] += taken && !(p->flags & F_REP);
	v[V_irqs] += irq;
	if (UNLIKELY(p->flags & F_REP)) {
		if (s->rep == p) v[V_rep_iters]++; else v[V_rep_insns]++;
		s->rep = taken ? p : NULL;
	}
	uint32_t l = p->va >> 6, m = (p->next - 1) >> 6;
	if (l != s->last_line || p->special) {
		code_line(s, l);
		if (opt_phys && p->pline != NOPHYS) phys_code(s, p->pline);
	}
	if (m != l) {
		code_line(s, m);
		if (opt_phys && p->pline != NOPHYS && ((p->pline + 1) & 63))
			phys_code(s, p->pline + 1);
	}
	s->last_line = p->special || m != l ? NOPHYS : l;
}

/* p has been executed; what follows it is known by now. */
static void retire(const struct insn *p, bool taken, bool irq)
{
	bool entered = p->kern && !last_kern;
	/* what comes at once, before any user instruction, is a stay of its own */
	bool back = p->kind == K_sysexit || (p->kind == K_iret && irq);

	n_total++;
	if (p->kern) {
		n_kernel++;
		if (booted) {
			if (entered) stay_end(p->va, false);
			if (!stay.on) {
				stay.on = true;
				stay.n = 0;
				stay.entry = p->va;
				stay.from = last_va;
				stay.at = n_total;
			}
			stay.n++;
			if (UNLIKELY(p->kind == K_hlt)) stay_end(p->va, true);
		} else {
			armed = p->kind == K_iret || p->kind == K_sysexit ||
			        p->kind == K_far_ret;
		}
	} else {
		if (UNLIKELY(!booted)) {
			if (armed) {
				booted = true;
				first_user_at = n_total;
				first_user_addr = p->va;
			}
			armed = false;
		}
		if (stay.on) stay_end(p->va, false);
	}
	n_irqs += irq;
	last_va = p->va;
	last_kern = p->kern && !back;

	for (int i = 0; i < nactive; i++)
		account(&slots[active[i]], p, entered, taken, irq);
	if (UNLIKELY(profile_on)) {
		struct profile_step step = {p->va, p->pline, p->kind, p->len, p->mark, p->kern};
		profile_retired(&step);
	}
}

static void faulted(void)
{
	n_faults++;
	if (profile_on) profile_fault();
	for (int i = 0; i < nactive; i++) {
		slots[active[i]].r.v[V_faults]++;
		slots[active[i]].rep = NULL;
	}
}

/* Addresses at which interrupts and faults were seen to arrive, for the cases
 * where the instruction before does not tell. */
static uint32_t irq_at[4096], fault_at[4096];
#define SLOT_OF(a) (((a) * 2654435761u) >> 20)

static bool known_irq(uint32_t a)
{
	return a && irq_at[SLOT_OF(a)] == a;
}

static bool known_fault(uint32_t a)
{
	return a && fault_at[SLOT_OF(a)] == a;
}

static void irq_after(const struct insn *p, uint32_t to)
{
	irq_at[SLOT_OF(to)] = to;
	retire(p, false, true);
}

static void fault_in(uint32_t to)
{
	fault_at[SLOT_OF(to)] = to;
	faulted();
}

/* Anything but a plain instruction followed by the next one. */
static void retire_slow(const struct insn *p, uint32_t to)
{
	if (UNLIKELY(p->marker)) {
		/* neither marker belongs to its region */
		if (p->marker == M_STOP) region_stop(p->region);
		retire(p, false, to != p->next);
		if (p->marker == M_START) region_start(p->region);
		return;
	}
	if (p->flags & F_REP) {
		if (to == p->va) retire(p, true, false);
		else if (to == p->next) retire(p, false, false);
		else if (pend_mem >= p->need) irq_after(p, to);
		/* a fault before its first access, or an interrupt after the
		 * pass that found nothing left to do */
		else if (!pend_mem && known_irq(to) && !known_fault(to))
			retire(p, false, true);
		else faulted();
		return;
	}
	if (p->flags & F_BRANCH) {
		if (pend_mem < p->need) {
			if (to == p->va) n_replays++; else fault_in(to);
		} else if (p->flags & F_DIRECT) {
			if (to == p->next) retire(p, false, false);
			else if (to == p->target) retire(p, true, false);
			else irq_after(p, to);
		} else if (p->kind == K_hlt) {
			if (to == p->next) retire(p, false, false);
			else irq_after(p, to);
		} else {
			bool soft = p->kind == K_int || p->kind == K_sysenter ||
			            p->kind == K_syscall;
			retire(p, true, !soft && (known_irq(to) || known_fault(to)));
		}
		return;
	}
	if (to == p->next) { retire(p, false, false); return; }
	/* Control left a plain instruction: a fault in it, or an interrupt
	 * after it, or the emulator starts it over. */
	if (pend_again || (p->last && pend_mem >= p->need &&
	                   !(to == p->va && p->need)))
		irq_after(p, to);
	else if (to == p->va)
		n_replays++;
	else
		fault_in(to);
}

/* ---- callbacks ---- */

static struct trace_point trace_point(const struct insn *x)
{
	return (struct trace_point){x->va, x->kern, x->noted, x->kind == K_rdtsc,
	                            x->kind == K_iret, x->kind == K_sysexit};
}

static void on_insn(unsigned vcpu, void *ud)
{
	struct insn *n = ud;
	struct insn *p = pend;

	if (UNLIKELY(vcpu)) return;
	if (LIKELY(p)) {
		if (LIKELY(!p->special && n->va == p->next)) retire(p, false, false);
		else retire_slow(p, n->va);
		if (UNLIKELY(trace_on) && (n->noted || n->kern || p->kern)) {
			struct trace_point from = trace_point(p), to = trace_point(n);
			trace_insn(&from, &to, n_total);
		}
	}
	pend = n;
	pend_mem = 0;
	pend_again = false;
}

static void on_mem(unsigned vcpu, qp_meminfo info, uint64_t va64, void *ud)
{
	const struct insn *p = ud;
	if (UNLIKELY(vcpu)) return;
	/* QEMU 7.2 goes on to report accesses to the last instruction that used
	 * a helper when it then delivers an interrupt.  Those are not wanted. */
	if (UNLIKELY(p != pend)) {
		if (!pend || p->va != pend->va || p->len != pend->len ||
		    memcmp(p->bytes, pend->bytes, p->len)) { n_stale++; return; }
		pend_again = true;   /* run again in a block of its own */
	}
	if (UNLIKELY(pend_mem >= p->most && p->most != ANY)) { n_stale++; return; }
	bool st = qemu_plugin_mem_is_store(info);
	if (UNLIKELY(p->kind == K_iret && st)) { n_stale++; return; }
	pend_mem++;
	if (LIKELY(!nactive && !profile_on)) return;

	uint32_t size = 1u << qemu_plugin_mem_size_shift(info);
	uint32_t va = (uint32_t)va64;
	uint32_t l = va >> 6, m = (va + size - 1) >> 6;
	uint64_t pa = 0;
	bool have_pa = false;
	if (opt_phys) {
		struct qemu_plugin_hwaddr *h = qemu_plugin_get_hwaddr(info, va64);
		if (h) { pa = qemu_plugin_hwaddr_phys_addr(h); have_pa = true; }
		else phys_missed++;
	}
	uint32_t pi = NOPHYS;
	if (have_pa) {
		static uint64_t mp = ~0ull; static uint32_t mi;
		if (pa >> 12 != mp) { mi = pg_index(&data_pg, pa >> 12); mp = pa >> 12; }
		pi = mi;
	}
	if (UNLIKELY(profile_on))
		profile_access(va, pi == NOPHYS ? NOPHYS : pi << 6 | ((pa >> 6) & 63), size, st);
	for (int i = 0; i < nactive; i++) {
		struct slot *s = &slots[active[i]];
		uint64_t *v = s->r.v;
		if (st) {
			v[V_stores]++; v[V_store_bytes] += size;
			v[V_stores_kernel] += p->kern;
		} else {
			v[V_loads]++; v[V_load_bytes] += size;
			v[V_loads_kernel] += p->kern;
		}
		data_line(s, l);
		if (m != l) data_line(s, m);
		if (pi != NOPHYS) {
			uint32_t pl = pi << 6 | ((pa >> 6) & 63);
			if (stamp(s->pdl, pl, s->epoch)) v[V_data_lines_phys]++;
			if (m != l && ((pl + 1) & 63) &&
			    stamp(s->pdl, pl + 1, s->epoch)) v[V_data_lines_phys]++;
			if (stamp(s->pdp, pi, s->epoch)) v[V_data_pages_phys]++;
		}
	}
}

static struct insn *intern(struct qemu_plugin_insn *qi, bool last)
{
	uint8_t len = (uint8_t)qemu_plugin_insn_size(qi);
	const uint8_t *b = qemu_plugin_insn_data(qi);
	uint32_t va = (uint32_t)qemu_plugin_insn_vaddr(qi);
	uintptr_t ha = opt_phys ? (uintptr_t)qemu_plugin_insn_haddr(qi) : 0;

	if (len > 15) len = 15;
	uint64_t h = va * 0x9e3779b97f4a7c15ull ^ (ha >> 6) * 0xc2b2ae3d27d4eb4full;
	for (int i = 0; i < len; i++) h = (h ^ b[i]) * 0x100000001b3ull;
	struct insn **bp = &itab[(h ^ h >> 29) & (IHASH - 1)];
	for (struct insn *x = *bp; x; x = x->hnext)
		if (x->va == va && x->len == len && x->last == last &&
		    x->haddr == ha && !memcmp(x->bytes, b, len))
			return x;

	struct insn *x = xcalloc(1, sizeof *x);
	struct dec d = x86_decode(b, len);
	x->va = va;
	x->next = va + len;
	x->target = x->next + (uint32_t)d.rel;
	x->kind = d.kind;
	x->flags = d.flags;
	x->need = d.need;
	x->most = d.most;
	x->kern = is_kern(va);
	x->last = last;
	x->len = len;
	memcpy(x->bytes, b, len);
	x->haddr = ha;
	x->pline = NOPHYS;
	if (ha) {
		uint32_t pi = pg_index(&code_pg, ha >> 12);
		if (pi != NOPHYS) x->pline = pi << 6 | ((ha >> 6) & 63);
	}
	if (len == 5 && b[0] == 0xa9 && b[3] == 0xed && b[4] == 0x5e &&
	    (b[1] == M_START || b[1] == M_STOP)) {
		x->marker = b[1];
		x->region = b[2];
	}
	if (trace_on)
		x->noted = trace_translated(va, x->kern,
		                            (uintptr_t)qemu_plugin_insn_haddr(qi));
	if (profile_on) {
		trace_memory(va, x->kern, (uintptr_t)qemu_plugin_insn_haddr(qi));
		x->mark = profile_translated(va, x->kern, (uintptr_t)qemu_plugin_insn_haddr(qi));
	}
	x->special = x->marker || (x->flags & (F_BRANCH | F_REP));
	x->hnext = *bp;
	*bp = x;
	return x;
}

static void on_trans(qp_id id, struct qemu_plugin_tb *tb)
{
	(void)id;
	size_t n = qemu_plugin_tb_n_insns(tb);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *qi = qemu_plugin_tb_get_insn(tb, i);
		/* The translator takes back a last instruction that would run into
		 * the next page, but leaves it in this list: then the one before
		 * is the last one. */
		bool last = i + 1 == n;
		if (i + 2 == n)
			last = ((qemu_plugin_insn_vaddr(qi) +
			         qemu_plugin_insn_size(qi)) & 0xfff) > 0xff0;
		struct insn *x = intern(qi, last);
		qemu_plugin_register_vcpu_insn_exec_cb(qi, on_insn,
			QP_CB_NO_REGS, x);
		qemu_plugin_register_vcpu_mem_cb(qi, on_mem, QP_CB_NO_REGS,
			QP_MEM_RW, x);
	}
}

/* ---- reports ---- */

static int by_insns(const void *a, const void *b)
{
	uint64_t x = (*(struct total *const *)a)->insns;
	uint64_t y = (*(struct total *const *)b)->insns;
	return x < y ? -1 : x > y;
}

static int by_max(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a;
	const struct entry *y = *(struct entry *const *)b;
	if (x->max != y->max) return x->max < y->max ? 1 : -1;
	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static struct total *rank(struct total **t, uint32_t n, uint64_t r)
{
	for (uint32_t i = 0; i < n; i++) {
		if (r < t[i]->count) return t[i];
		r -= t[i]->count;
	}
	return t[n - 1];
}

static void say(const char *fmt, ...)
{
	if (opt_quiet) return;
	va_list ap;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
}

static void report_region(int id)
{
	struct region *g = &reg[id];
	if (!g->samples && !g->restarts && !g->stray_stops && !g->slot &&
	    !g->overflows) return;

	uint32_t n = 0;
	struct total **t = xcalloc(g->tab_n + 1, sizeof *t);
	for (uint32_t i = 0; i < g->tab_cap; i++)
		if (g->tab[i]) t[n++] = g->tab[i];
	qsort(t, n, sizeof *t, by_insns);

	if (out)
		fprintf(out, "{\"type\":\"region\",\"id\":%d,\"samples\":%llu,"
			"\"restarts\":%llu,\"stray_stops\":%llu,\"overflows\":%llu,"
			"\"open\":%d,\"distinct\":%u", id,
			(unsigned long long)g->samples, (unsigned long long)g->restarts,
			(unsigned long long)g->stray_stops,
			(unsigned long long)g->overflows, g->slot ? 1 : 0, n);
	if (n) {
		uint64_t s = g->samples;
		struct total *md = rank(t, n, (s - 1) / 2);
		struct total *p9 = rank(t, n, (s * 99 + 99) / 100 - 1);
		if (out) {
			fprintf(out, ",\"insns\":{\"min\":%llu,\"median\":%llu,"
				"\"p99\":%llu,\"max\":%llu},\"median_sample\":{",
				(unsigned long long)t[0]->insns,
				(unsigned long long)md->insns,
				(unsigned long long)p9->insns,
				(unsigned long long)t[n - 1]->insns);
			json_rec(out, &md->first);
			fputs("},\"max_sample\":{", out);
			json_rec(out, &t[n - 1]->first);
			fputc('}', out);
		}
		const uint64_t *v = md->first.v;
		say("%4d %8llu %8llu %8llu %8llu %8llu | %7llu %7llu %6llu %6llu "
		    "%4llu/%-4llu %4llu/%-4llu |",
		    id, (unsigned long long)s, (unsigned long long)t[0]->insns,
		    (unsigned long long)md->insns, (unsigned long long)p9->insns,
		    (unsigned long long)t[n - 1]->insns,
		    (unsigned long long)v[V_insns_kernel],
		    (unsigned long long)v[V_insns_user],
		    (unsigned long long)v[V_loads], (unsigned long long)v[V_stores],
		    (unsigned long long)v[V_code_lines],
		    (unsigned long long)v[V_code_lines_kernel],
		    (unsigned long long)v[V_data_lines],
		    (unsigned long long)v[V_data_lines_kernel]);
		if (v[V_faults]) say(" faults=%llu", (unsigned long long)v[V_faults]);
		if (v[V_irqs]) say(" irqs=%llu", (unsigned long long)v[V_irqs]);
		for (int i = 1; i < K_N; i++) {
			if (i == K_call || i == K_jmp || i == K_jcc || i == K_ret) continue;
			if (md->first.op[i]) say(" %s=%u", kind_name[i], md->first.op[i]);
		}
		say("\n");
	} else {
		say("%4d        0\n", id);
	}
	if (out) fputs("}\n", out);
	free(t);
}

static void json_entry(const char *type, const struct entry *e)
{
	if (!out) return;
	fprintf(out, "{\"type\":\"%s\",\"entry\":\"0x%08x\",\"stays\":%llu,"
		"\"max\":%llu,\"sum\":%llu,\"halts\":%llu,\"max_from\":\"0x%08x\","
		"\"max_exit\":\"0x%08x\",\"max_hlt\":%u,\"max_at\":%llu}\n",
		type, e->addr, (unsigned long long)e->n, (unsigned long long)e->max,
		(unsigned long long)e->sum, (unsigned long long)e->halts,
		e->max_from, e->max_exit, e->max_hlt, (unsigned long long)e->max_at);
}

/* Nearest rank, of all stays but those that are too long to be told apart. */
static uint32_t stay_percentile(uint64_t all, uint32_t percent)
{
	uint64_t before = 0;
	uint32_t length = 0;
	while ((before += stays_of_length[length]) < (all * percent + 99) / 100) length++;
	return length;
}

/* The shortest stay, the longest (of those with an entry kept) and the lower median of all. */
static void json_stays(uint64_t longest)
{
	uint64_t all = 0;
	uint32_t shortest = 0;
	for (uint32_t i = 0; i < STAY_LENGTHS; i++) all += stays_of_length[i];
	while (!stays_of_length[shortest]) shortest++;
	if (out)
		fprintf(out, "{\"type\":\"stays\",\"samples\":%llu,\"min\":%u,\"median\":%u,"
			"\"p99\":%u,\"max\":%llu}\n", (unsigned long long)all, shortest,
			stay_percentile(all, 50), stay_percentile(all, 99),
			(unsigned long long)longest);
}

static void on_exit_cb(qp_id id, void *ud)
{
	(void)id; (void)ud;
	static bool done;
	if (done) return;
	done = true;
	/* the last instruction (that which ended the machine) ran, too */
	if (pend && !pend->marker) retire(pend, false, false);
	pend = NULL;
	stay_end(last_va, false);
	trace_end(n_total);
	profile_end(kind_name, K_N);

	if (out)
		fprintf(out, "{\"type\":\"run\",\"insns\":%llu,\"insns_kernel\":%llu,"
			"\"insns_user\":%llu,\"faults\":%llu,\"irqs\":%llu,"
			"\"replays\":%llu,\"stale\":%llu,\"markers\":%llu,\"first_user_at\":%llu,"
			"\"first_user\":\"0x%08x\",\"entries\":%u,\"entries_lost\":%llu,"
			"\"phys_missed\":%llu}\n",
			(unsigned long long)n_total, (unsigned long long)n_kernel,
			(unsigned long long)(n_total - n_kernel),
			(unsigned long long)n_faults, (unsigned long long)n_irqs,
			(unsigned long long)n_replays, (unsigned long long)n_stale,
			(unsigned long long)markers_seen,
			(unsigned long long)first_user_at, first_user_addr, n_entries,
			(unsigned long long)entries_lost,
			(unsigned long long)phys_missed);
	say("kprof: %llu instructions, %llu at kernel addresses, %llu faults, "
	    "%llu interrupts seen; first user instruction is no. %llu\n",
	    (unsigned long long)n_total, (unsigned long long)n_kernel,
	    (unsigned long long)n_faults, (unsigned long long)n_irqs,
	    (unsigned long long)first_user_at);

	bool any = false;
	for (int i = 0; i < NREG; i++) any |= reg[i].samples != 0;
	if (any)
		say("  id  samples      min   median      p99      max |  kernel    "
		    "user  loads stores code/k    data/k    | (median sample; cache "
		    "lines: all/kernel)\n");
	for (int i = 0; i < NREG; i++) report_region(i);

	struct entry **e = xcalloc(n_entries + 1, sizeof *e);
	uint32_t n = 0;
	for (uint32_t i = 0; i < NENTRY; i++)
		if (entries[i].used) e[n++] = &entries[i];
	qsort(e, n, sizeof *e, by_max);
	if (n) {
		json_stays(e[0]->max);
		json_entry("longest_stay", e[0]);
		say("kprof: longest stay in the kernel: %llu instructions, entered at "
		    "0x%08x from 0x%08x%s\n", (unsigned long long)e[0]->max,
		    e[0]->addr, e[0]->max_from,
		    e[0]->max_hlt ? ", ended by hlt" : "");
		for (uint32_t i = 0; i < n; i++) {
			json_entry("entry", e[i]);
			if ((int)i < opt_top)
				say("kprof:   entry 0x%08x: %llu stays, longest %llu, "
				    "mean %llu\n", e[i]->addr,
				    (unsigned long long)e[i]->n,
				    (unsigned long long)e[i]->max,
				    (unsigned long long)(e[i]->sum / e[i]->n));
		}
	}
	free(e);
	if (out && (ferror(out) | fclose(out)))
		fprintf(stderr, "kprof: could not write %s\n", out_path);
	out = NULL;
}

/* ---- start ---- */

static void parse_ranges(const char *s, bool on)
{
	do {
		char *end;
		unsigned long long lo = strtoull(s, &end, 0), hi = 0xffffffffull;
		if (end == s) die("bad address in '%s'", s);
		if (*end == '-') {
			s = end + 1;
			hi = strtoull(s, &end, 0);
			if (end == s) die("bad address in '%s'", s);
		}
		if (lo > hi || hi > 0xffffffffull) die("bad range");
		kmap_set((uint32_t)lo, (uint32_t)hi, on);
		s = end;
	} while (*s++ == ':');
	if (s[-1]) die("bad range list at '%s'", s - 1);
}

static bool parse_bool(const char *s)
{
	if (!strcmp(s, "on") || !strcmp(s, "yes") || !strcmp(s, "true") ||
	    !strcmp(s, "1")) return true;
	if (!strcmp(s, "off") || !strcmp(s, "no") || !strcmp(s, "false") ||
	    !strcmp(s, "0")) return false;
	die("bad boolean '%s'", s);
	return false;
}

QP_EXPORT int qemu_plugin_install(qp_id id, const struct qp_info *info,
                                  int argc, char **argv)
{
	bool have_kernel = false;

	if (!info->system_emulation || (strcmp(info->target_name, "i386") &&
	                                strcmp(info->target_name, "x86_64"))) {
		fprintf(stderr, "kprof: needs qemu-system-i386\n");
		return -1;
	}
	if (info->system.smp_vcpus > 1)
		fprintf(stderr, "kprof: only the first processor is counted\n");
	kmap = lazy(1u << 23);
	itab = xcalloc(IHASH, sizeof *itab);
	/* kernel ranges first, user ranges cut out of them */
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "kernel=", 7)) continue;
		parse_ranges(argv[i] + 7, true);
		have_kernel = true;
	}
	if (!have_kernel) kmap_set(0xc0000000u, 0xffffffffu, true);
	for (int i = 0; i < argc; i++) {
		char *a = argv[i], *v = strchr(a, '=');
		v = v ? v + 1 : (char *)"on";
		if (!strncmp(a, "kernel=", 7)) ;
		else if (!strncmp(a, "user=", 5)) parse_ranges(v, false);
		else if (!strncmp(a, "out=", 4)) out_path = strdup(v);
		else if (!strncmp(a, "quiet", 5)) opt_quiet = parse_bool(v);
		else if (!strncmp(a, "each", 4)) opt_each = parse_bool(v);
		else if (!strncmp(a, "phys", 4)) opt_phys = parse_bool(v);
		else if (!strncmp(a, "top=", 4)) opt_top = atoi(v);
		else if (trace_argument(a) || profile_argument(a)) ;
		else {
			fprintf(stderr, "kprof: unknown argument '%s'\n", a);
			return -1;
		}
	}
	if (out_path && !(out = fopen(out_path, "w"))) {
		fprintf(stderr, "kprof: %s: %s\n", out_path, strerror(errno));
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_trans);
	qemu_plugin_register_atexit_cb(id, on_exit_cb, NULL);
	return 0;
}
