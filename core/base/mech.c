/* SPDX-License-Identifier: BSD-2-Clause */
/* Mechanisms: one walker over the tables of mech_layout.h copies a parameter and finds its handles.
 *
 * The copy lies in one arena: the bytes inside struct mech when it fits, else one block of malloc.
 * The walk runs against what is inside; when that overflows it goes on measuring, and is run again
 * with a block of the measured size. Another thread of the application may change the parameter
 * meanwhile, so every structure is first copied and only the copy is looked at, and the second run
 * fails rather than write beyond its block. Nothing in the copy points to the application, except
 * outputs and inputs whose length nobody can know.
 *
 * A mechanism without a row is passed on only when nothing in its parameter looks like a handle or
 * an address: a virtual handle that reached a member would select a wrong key there. Rows for
 * numbers of makers are a guess, as two makers may use one number: when such a parameter does not
 * fit its row, it is treated as if there were no row. No state but which rows were found lately, no
 * locks. */
#include "core/base/mech.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "core/base/mech_walk.h"

/* Parameters without a structure: the longest are public values of Diffie-Hellman, about 2 KiB. */
#define PLAIN_MAX (64UL * 1024)
/* Rows that are remembered. */
#define RECENT 64U

struct mech_row {
	CK_MECHANISM_TYPE type;
	enum mech_form form;
};

#define MECH(type, form) {type, MECH_##form},
static const struct mech_row rows[] = {
#include "core/base/mech.def"
};
#undef MECH

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static const struct mech_row *row_find(CK_MECHANISM_TYPE type)
{
	/* Found before: a process uses few mechanisms. */
	static _Atomic(const struct mech_row *) recent[RECENT];
	_Atomic(const struct mech_row *) *slot = &recent[type % RECENT];
	const struct mech_row *row = atomic_load_explicit(slot, memory_order_relaxed);

	if (row && row->type == type)
		return row;
	row = rows;
	/* Halving without a branch that depends on data: mechanisms vary from call to call. */
	for (size_t n = ROW_COUNT; n > 1; n -= n / 2)
		row = row[n / 2].type <= type ? row + n / 2 : row;
	if (row->type != type)
		return NULL;
	atomic_store_explicit(slot, row, memory_order_relaxed);
	return row;
}

/* A parameter about which nothing is known. Where there is no copy yet, this run only measures. */
static CK_RV walk_unknown(struct walk *w, CK_MECHANISM *m)
{
	const unsigned char *copy;
	CK_RV rv;

	w->out->is_known = false;
	if (m->ulParameterLen > PLAIN_MAX)
		return walk_bad(w, "unknown mechanism with a parameter above 64 KiB");
	rv = walk_bytes(w, &m->pParameter, m->ulParameterLen);
	copy = m->pParameter;
	if (rv != CKR_OK || !copy)
		return rv;
	for (CK_ULONG i = 0; i + sizeof(CK_ULONG) <= m->ulParameterLen; i += sizeof(CK_ULONG)) {
		CK_ULONG word;

		memcpy(&word, copy + i, sizeof(word));
		if (w->is_handle && w->is_handle(word, w->context))
			return walk_bad(w, "unknown mechanism with what may be a handle");
		if (address_mapped(word))
			return walk_bad(w, "unknown mechanism with what may be an address");
	}
	return CKR_OK;
}

/* Which structure the parameter is, or NULL. */
static const struct mech_layout *param_layout(enum mech_form form, const CK_MECHANISM *m)
{
	union {
		unsigned char bytes[MECH_LAYOUT_MAX];
		CK_ULONG align;
	} now;
	const struct mech_layout *layout;

	for (unsigned i = 0; (layout = mech_form_layout(form, i)) != NULL; i++) {
		if (layout->size != m->ulParameterLen)
			continue;
		if (!layout->is_this)
			return layout;
		memcpy(now.bytes, m->pParameter, layout->size);
		if (layout->is_this(now.bytes))
			return layout;
	}
	return NULL;
}

static CK_RV walk_known(struct walk *w, enum mech_form form, CK_MECHANISM *m, unsigned depth)
{
	const struct mech_layout *layout = form == MECH_PLAIN ? NULL : param_layout(form, m);
	void *from = m->pParameter;
	unsigned char *at;
	CK_RV rv;

	if (layout) {
		rv = walk_take(w, layout->size, &at);
		m->pParameter = at;
		return rv != CKR_OK ? rv : walk_struct(w, layout, from, at, depth);
	}
	if (!mech_form_plain(form))
		return walk_bad(w, "the parameter's length fits no form of its structure");
	if (m->ulParameterLen > PLAIN_MAX)
		return walk_bad(w, "the parameter is longer than 64 KiB");
	return walk_bytes(w, &m->pParameter, m->ulParameterLen);
}

CK_RV walk_param(struct walk *w, CK_MECHANISM *m, unsigned depth)
{
	const struct mech_row *row = w->is_blind ? NULL : row_find(m->mechanism);
	bool was_guess = w->is_guess;
	CK_RV rv;

	if (!m->pParameter || !m->ulParameterLen) {
		w->out->is_known = w->out->is_known && row;
		if (m->ulParameterLen)
			return walk_bad(w, "a NULL parameter with a length");
		m->pParameter = NULL;
		return CKR_OK;
	}
	if (!row)
		return walk_unknown(w, m);
	w->is_guess = was_guess || (m->mechanism & CKM_VENDOR_DEFINED);
	rv = walk_known(w, row->form, m, depth);
	w->is_guess = was_guess;
	return rv;
}

/* One run into the arena that `w` has. */
static CK_RV walk_run(struct walk *w, const CK_MECHANISM *in)
{
	struct mech *out = w->out;

	w->used = 0;
	out->handle_count = 0;
	out->made_count = 0;
	out->length_where = NULL;
	out->length_app = NULL;
	out->is_known = true;
	out->m = *in;
	return walk_param(w, &out->m, 0);
}

/* Runs once, and when the arena was too small again with a block. */
static CK_RV walk_twice(struct walk *w, const CK_MECHANISM *in)
{
	struct mech *out = w->out;
	CK_RV rv;

	out->block = NULL;
	out->block_len = 0;
	w->base = out->local.bytes;
	w->size = sizeof(out->local.bytes);
	rv = walk_run(w, in);
	if (rv != CKR_OK || w->used <= w->size)
		return rv;
	OPENSSL_cleanse(out->local.bytes, sizeof(out->local.bytes));
	out->block = malloc(w->used);
	if (!out->block) {
		w->why = "out of memory";
		return CKR_HOST_MEMORY;
	}
	out->block_len = w->used;
	w->base = out->block;
	w->size = w->used;
	rv = walk_run(w, in);
	if (rv == CKR_OK && w->used > w->size)
		rv = walk_bad(w, "the parameter changed while it was read");
	return rv;
}

CK_RV mech_copy(struct mech *out, const CK_MECHANISM *in, mech_is_handle *is_handle, void *context,
		const char **why)
{
	struct walk w = {.out = out, .is_handle = is_handle, .context = context};
	CK_RV rv;

	if (!in) {
		*why = "no mechanism";
		return CKR_ARGUMENTS_BAD;
	}
	rv = walk_twice(&w, in);
	if (rv == CKR_MECHANISM_PARAM_INVALID && out->is_known &&
	    (in->mechanism & CKM_VENDOR_DEFINED)) {
		mech_free(out);
		w.is_blind = true;
		rv = walk_twice(&w, in);
	}
	if (rv != CKR_OK) {
		*why = w.why;
		mech_free(out);
	}
	return rv;
}

void mech_free(struct mech *m)
{
	if (!m)
		return;
	if (m->block)
		OPENSSL_cleanse(m->block, m->block_len);
	else if (m->m.ulParameterLen)
		OPENSSL_cleanse(m->local.bytes, sizeof(m->local.bytes));
	free(m->block);
	m->block = NULL;
	m->block_len = 0;
	m->m.pParameter = NULL;
	m->m.ulParameterLen = 0;
	m->handle_count = 0;
	m->made_count = 0;
	m->length_where = NULL;
}

void mech_give_back(const struct mech *m)
{
	if (m->length_where)
		*m->length_app = *m->length_where;
}

bool mech_known(CK_MECHANISM_TYPE type)
{
	return row_find(type) != NULL;
}

bool mech_is_stateful(CK_MECHANISM_TYPE type)
{
	switch (type) {
	case CKM_HSS:
	case CKM_XMSS:
	case CKM_XMSSMT:
	case CKM_SECURID:
	case CKM_HOTP:
	case CKM_ACTI:
	case CKM_CMS_SIG:
	case CKM_X2RATCHET_ENCRYPT:
	case CKM_X2RATCHET_DECRYPT:
		return true;
	default:
		return false;
	}
}
