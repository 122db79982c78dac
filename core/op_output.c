/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of an operation on the member, and what becomes of their output.
 *
 * Signatures and digests are short: they are made in a buffer of ours unless the application's is
 * surely long enough. Ciphers write to the application's buffer when it is at least as long as the
 * input; else the member is asked for its bound first, and a buffer of ours takes what may not fit.
 */
#include "core/op_output.h"

#include <string.h>

#include <openssl/evp.h>

#include "core/library.h"
#include "core/member.h"
#include "core/vendor.h"

/* No signature but those of hash-based schemes is longer (RSA-8192); digests are far shorter. */
#define SHORT_OUTPUT 1024UL
/* What an Update or Final may give beyond its input: a held-back block and a tag. */
#define CIPHER_SLACK 64UL

static bool is_cipher(enum op_kind kind)
{
	return kind == OP_ENCRYPT || kind == OP_DECRYPT;
}

void op_stash_clear(struct operation *op)
{
	if (op->stash.is_set)
		buf_free(&op->stash.bytes);
	op->stash.is_set = false;
}

static bool digest_input(const struct op_io *io, uint8_t out[static 32])
{
	return EVP_Digest(io->in ? io->in : (const CK_BYTE *)"", io->in_len, out, NULL,
			  EVP_sha256(), NULL) == 1;
}

static CK_RV stash_set(struct operation *op, enum call_id id, const struct op_io *io,
		       const CK_BYTE *data, CK_ULONG len)
{
	op_stash_clear(op);
	if (!digest_input(io, op->stash.in_digest) || !buf_add(&op->stash.bytes, data, len))
		return CKR_HOST_MEMORY;
	op->stash.id = id;
	op->stash.is_set = true;
	return CKR_OK;
}

static bool stash_is_for(const struct operation *op, enum call_id id, const struct op_io *io)
{
	uint8_t digest[32];

	return op->stash.id == id && digest_input(io, digest) &&
	       memcmp(digest, op->stash.in_digest, sizeof digest) == 0;
}

/* Hands a result to the application, or keeps it when it does not fit or only its length is wanted.
 */
static CK_RV deliver(struct operation *op, enum call_id id, const struct op_io *io,
		     const CK_BYTE *data, CK_ULONG len)
{
	CK_RV rv;

	if (io->out && *io->out_len >= len) {
		if (len > 0)
			memcpy(io->out, data, len);
		*io->out_len = len;
		return CKR_OK;
	}
	rv = stash_set(op, id, io, data, len);
	if (rv != CKR_OK)
		return rv;
	*io->out_len = len;
	return io->out ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

/* The kept result for a repeated call. */
static CK_RV deliver_stash(struct operation *op, const struct op_io *io)
{
	const struct buf *b = &op->stash.bytes;
	CK_ULONG room = *io->out_len;

	*io->out_len = b->len;
	if (!io->out)
		return CKR_OK;
	if (room < b->len)
		return CKR_BUFFER_TOO_SMALL;
	if (b->len > 0)
		memcpy(io->out, b->data, b->len);
	op_stash_clear(op);
	return CKR_OK;
}

/* Steps whose input the next member has to be fed. */
static bool is_update(enum call_id id)
{
	switch ((int)id) {
	case CALL_C_EncryptUpdate:
	case CALL_C_DecryptUpdate:
	case CALL_C_DigestUpdate:
	case CALL_C_SignUpdate:
	case CALL_C_VerifyUpdate:
		return true;
	default:
		return false;
	}
}

/* After the operation went to another member, which divides its output in another way: what the
 * application has already is left out, what is owed to it comes first. A result that has become
 * longer than the room is kept. */
static CK_RV adjust(enum call_id id, struct operation *op, const struct op_io *io, CK_BYTE *out,
		    CK_ULONG *out_len, CK_ULONG room)
{
	struct journal *j = &op->journal;
	struct buf all = j->owed;
	CK_RV rv = CKR_OK;

	j->owed = (struct buf){0};
	/* At the end everything that the application has must have come again. */
	if (!journal_compare(j, out, *out_len, &all) || (!is_update(id) && j->missing > 0)) {
		rv = CKR_DEVICE_ERROR;
	} else if (all.len <= room) {
		if (all.len > 0)
			memcpy(out, all.data, all.len);
		*out_len = all.len;
	} else {
		rv = stash_set(op, id, io, all.data, all.len);
		*out_len = all.len;
		if (rv == CKR_OK)
			rv = CKR_BUFFER_TOO_SMALL;
	}
	buf_free(&all);
	return rv;
}

/* One call to the member. An operation that the member ended by answering a length query or a short
 * buffer is begun again when nothing was fed to it. */
static CK_RV ask(enum call_id id, enum op_kind kind, struct session *s, const struct op_io *io,
		 const CK_BYTE *in, CK_BYTE *out, CK_ULONG *out_len)
{
	struct operation *op = s->op[kind];
	CK_ULONG room = out_len ? *out_len : 0;
	struct call call = {
		.id = id,
		.in = in,
		.in_len = io->in_len,
		.in2 = io->in2,
		.in2_len = io->in2_len,
		.out = out,
		.out_len = out_len,
	};
	CK_RV rv = op_run(s, kind, &call);

	if (rv == CKR_OPERATION_NOT_INITIALIZED && op->is_doubtful && !op->is_fed) {
		rv = op_restart(s, kind);
		if (rv != CKR_OK)
			return rv;
		if (out_len)
			*out_len = room;
		call.sends = 0;
		rv = op_run(s, kind, &call);
	}
	op->is_doubtful = rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && out_len && !out);
	return rv;
}

static bool overlaps(const CK_BYTE *a, CK_ULONG a_len, const CK_BYTE *b, CK_ULONG b_len)
{
	return a && b && a < b + b_len && b < a + a_len;
}

/* The same where the operation may go to another member: what it is fed is kept, and an input that
 * the output overwrites is copied before a member can spoil it. */
static CK_RV ask_kept(enum call_id id, enum op_kind kind, struct session *s, const struct op_io *io,
		      CK_BYTE *out, CK_ULONG *out_len)
{
	struct operation *op = s->op[kind];
	struct journal *j = &op->journal;
	CK_ULONG room = out_len ? *out_len : 0;
	bool keeps = is_update(id) && (!out_len || out);
	const CK_BYTE *in = io->in;
	struct buf aside = {0};
	bool is_taken;
	CK_RV rv;

	if (out && overlaps(io->in, io->in_len, out, room)) {
		if (!buf_add(&aside, io->in, io->in_len))
			return CKR_HOST_MEMORY;
		in = aside.data;
	}
	rv = ask(id, kind, s, io, in, out, out_len);
	is_taken = rv == CKR_OK;
	if (is_taken && out && (j->missing > 0 || j->owed.len > 0))
		rv = adjust(id, op, io, out, out_len, room);
	if (is_taken && keeps)
		journal_feed(j, id, &op->mech.m, in, io->in_len);
	if (aside.data)
		buf_free(&aside);
	if (!is_taken || !out)
		return rv;
	if (keeps && op->stash.is_set)
		journal_gave(j, op->stash.bytes.data, op->stash.bytes.len);
	else if (keeps && rv == CKR_OK)
		journal_gave(j, out, *out_len);
	return rv;
}

static CK_RV send(enum call_id id, enum op_kind kind, struct session *s, const struct op_io *io,
		  CK_BYTE *out, CK_ULONG *out_len)
{
	if (s->group->is_multi)
		return ask_kept(id, kind, s, io, out, out_len);
	return ask(id, kind, s, io, io->in, out, out_len);
}

CK_RV op_plain(enum call_id id, enum op_kind kind, struct session *s, const struct op_io *io)
{
	return send(id, kind, s, io, NULL, NULL);
}

/* The member's bound for the output of this step. */
static CK_RV ask_length(enum call_id id, enum op_kind kind, struct session *s,
			const struct op_io *io, CK_ULONG *len)
{
	CK_RV rv;

	*len = 0;
	rv = send(id, kind, s, io, NULL, len);
	return rv == CKR_BUFFER_TOO_SMALL ? CKR_OK : rv; /* no buffer can be too small */
}

/* Runs the step in a buffer of `room` bytes of ours. */
static CK_RV in_own_buffer(enum call_id id, enum op_kind kind, struct session *s,
			   const struct op_io *io, CK_ULONG room)
{
	struct operation *op = s->op[kind];
	struct buf own = {0};
	CK_ULONG len = room;
	CK_RV rv;

	if (!buf_reserve(&own, room + 1))
		return CKR_HOST_MEMORY;
	rv = send(id, kind, s, io, own.data, &len);
	if (rv == CKR_OK) {
		rv = deliver(op, id, io, own.data, len);
	} else if (rv == CKR_BUFFER_TOO_SMALL && op->stash.is_set) {
		rv = deliver_stash(op, io); /* it grew on the way to another member */
	} else if (rv == CKR_BUFFER_TOO_SMALL) {
		*io->out_len = len > room ? len : room + 1;
		rv = io->out ? CKR_BUFFER_TOO_SMALL : CKR_OK;
	}
	own.len = own.cap; /* all of it is wiped */
	buf_free(&own);
	return rv;
}

static CK_RV short_output(enum call_id id, enum op_kind kind, struct session *s,
			  const struct op_io *io)
{
	CK_BYTE own[SHORT_OUTPUT];
	CK_ULONG len = sizeof own;
	CK_RV rv;

	if (*io->out_len >= sizeof own)
		return send(id, kind, s, io, io->out, io->out_len);
	rv = send(id, kind, s, io, own, &len);
	if (rv == CKR_OK) {
		rv = deliver(s->op[kind], id, io, own, len);
		explicit_bzero(own, len);
	} else if (rv == CKR_BUFFER_TOO_SMALL) {
		*io->out_len = len > sizeof own ? len : sizeof own + 1;
	}
	return rv;
}

/* True when the application's buffer may be handed to the member as it is. */
static bool fits_surely(const struct session *s, enum op_kind kind, const struct op_io *io)
{
	const struct operation *op = s->op[kind];
	/* Where a short buffer ends the operation it must not happen once something was fed. */
	bool is_careful = op->is_fed && op->ms &&
			  atomic_load(&op->ms->member->lib->vendor)->short_buffer_ends;

	return *io->out_len >= io->in_len + (is_careful ? CIPHER_SLACK : 0);
}

/* The last part. The member is not asked for its length: NSS ends an operation that has nothing
 * left to give when it is asked. What can come is what was fed and not given yet, and a block or a
 * tag. */
static CK_RV cipher_final(enum call_id id, enum op_kind kind, struct session *s,
			  const struct op_io *io)
{
	CK_ULONG bound = s->op[kind]->held + CIPHER_SLACK;

	if (io->out && *io->out_len >= bound)
		return send(id, kind, s, io, io->out, io->out_len);
	return in_own_buffer(id, kind, s, io, bound);
}

static CK_RV cipher_output(enum call_id id, enum op_kind kind, struct session *s,
			   const struct op_io *io)
{
	CK_ULONG room = *io->out_len, bound;
	CK_RV rv;

	if (!fits_surely(s, kind, io)) {
		rv = ask_length(id, kind, s, io, &bound);
		if (rv != CKR_OK)
			return rv;
		if (room < bound)
			return in_own_buffer(id, kind, s, io, bound);
	}
	return send(id, kind, s, io, io->out, io->out_len);
}

/* Keeps count of what the member holds back. */
static void count_held(struct operation *op, const struct op_io *io)
{
	CK_ULONG in = op->held + io->in_len;

	op->held = in > *io->out_len ? in - *io->out_len : 0;
}

/* Mechanisms whose ciphertext ends with a tag of at most 16 bytes. */
static bool adds_tag(const struct operation *op)
{
	CK_MECHANISM_TYPE type = op->mech.m.mechanism;

	return type == CKM_AES_GCM || type == CKM_AES_CCM || type == CKM_CHACHA20_POLY1305;
}

/* The length of an output. NSS forgets the tag of an encryption in one part. */
static CK_RV cipher_length(enum call_id id, enum op_kind kind, enum op_step step, struct session *s,
			   const struct op_io *io)
{
	const CK_ULONG tag = 16;
	CK_RV rv = ask_length(id, kind, s, io, io->out_len);

	if (rv == CKR_OK && kind == OP_ENCRYPT && step == OP_SINGLE && adds_tag(s->op[kind]) &&
	    *io->out_len < io->in_len + tag)
		*io->out_len = io->in_len + tag;
	return rv;
}

static CK_RV cipher(enum call_id id, enum op_kind kind, enum op_step step, struct session *s,
		    const struct op_io *io)
{
	CK_RV rv;

	if (step == OP_FINAL)
		return cipher_final(id, kind, s, io);
	if (!io->out)
		return cipher_length(id, kind, step, s, io);
	rv = cipher_output(id, kind, s, io);
	if (rv == CKR_OK && step == OP_UPDATE)
		count_held(s->op[kind], io);
	return rv;
}

static CK_RV output(enum call_id id, enum op_kind kind, enum op_step step, struct session *s,
		    const struct op_io *io)
{
	struct operation *op = s->op[kind];
	CK_RV rv;

	if (op->stash.is_set) {
		if (stash_is_for(op, id, io)) {
			rv = deliver_stash(op, io);
			if (rv == CKR_OK && io->out && step == OP_UPDATE)
				count_held(op, io);
			return rv;
		}
		op_stash_clear(op);
		/* Another input, or another function: the member's operation is over already. */
		if (op->is_fed)
			return CKR_OPERATION_NOT_INITIALIZED;
		rv = op_restart(s, kind);
		if (rv != CKR_OK)
			return rv;
	}
	if (is_cipher(kind))
		return cipher(id, kind, step, s, io);
	if (!io->out)
		return ask_length(id, kind, s, io, io->out_len);
	return short_output(id, kind, s, io);
}

CK_RV op_output(enum call_id id, enum op_kind kind, enum op_step step, struct session *s,
		const struct op_io *io)
{
	CK_ULONG room = *io->out_len;
	CK_RV rv = output(id, kind, step, s, io);

	/* More than was offered is needed, whatever length the member says. */
	if (rv == CKR_BUFFER_TOO_SMALL && *io->out_len <= room)
		*io->out_len = room + CIPHER_SLACK;
	return rv;
}
