/* SPDX-License-Identifier: BSD-2-Clause */
/* Cryptographic operations.
 *
 * None -> active by Init; active -> active by a length query, CKR_BUFFER_TOO_SMALL and Update;
 * active -> none by everything else, errors included (PKCS#11, "Conventions for functions returning
 * output in a variable-length buffer"). An operation holds one session of the member from Init to
 * its end.
 *
 * Members disagree about short buffers: some want more room than the result takes, NSS ends the
 * operation, some report nonsense lengths. So a result that may not fit is made in a buffer of ours
 * and, if it really does not fit, kept (`stash`) until the application comes with a larger one.
 *
 * Guarded by the session's lock. */
#include "core/operation.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/names.h"
#include "core/codes.h"
#include "core/library.h"
#include "core/member.h"
#include "core/object.h"
#include "core/op_output.h"
#include "core/vendor.h"

/* No part of an input is longer than this; a length beyond it is a mistake, ~0 above all. */
#define MAX_INPUT 0x7fffffffUL

static unsigned hint_of(const struct session *s)
{
	return (unsigned)(atomic_load_explicit(&s->handle, memory_order_relaxed) % POOL_IDLE);
}

static struct operation *operation_new(struct session *s)
{
	struct operation *op = s->spare;

	s->spare = NULL;
	if (!op)
		op = calloc(1, sizeof *op);
	if (op)
		op->ms = NULL;
	return op;
}

static void operation_recycle(struct session *s, struct operation *op)
{
	mech_free(&op->mech);
	op_stash_clear(op);
	journal_free(&op->journal);
	op->is_fed = op->is_doubtful = op->in_message = op->is_over = op->is_fixed = false;
	op->held = 0;
	if (s->spare)
		free(op);
	else
		s->spare = op;
}

void op_free_spare(struct session *s)
{
	free(s->spare);
	s->spare = NULL;
}

void op_end(struct session *s, enum op_kind kind, bool is_over_there)
{
	struct operation *op = s->op[kind];

	if (!op)
		return;
	s->op[kind] = NULL;
	if (op->ms)
		session_return(s, op->ms, hint_of(s), is_over_there);
	operation_recycle(s, op);
}

void op_forget(struct session *s, enum op_kind kind)
{
	struct operation *op = s->op[kind];

	s->op[kind] = NULL;
	if (op)
		operation_recycle(s, op);
}

bool *op_in_message(struct session *s, enum op_kind kind)
{
	return s->op[kind] ? &s->op[kind]->in_message : NULL;
}

struct member_session *op_waiting_for_login(struct session *s)
{
	/* Keys that ask for a login at each use are private keys: these first. */
	static const enum op_kind order[] = {OP_SIGN,
					     OP_DECRYPT,
					     OP_SIGN_RECOVER,
					     OP_MESSAGE_SIGN,
					     OP_MESSAGE_DECRYPT,
					     OP_ENCRYPT,
					     OP_MESSAGE_ENCRYPT,
					     OP_VERIFY};

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		struct operation *op = s->op[order[i]];

		if (!op)
			continue;
		op->is_fixed = true; /* the login holds for this use of the key on this member */
		return op->ms;
	}
	return NULL;
}

static CK_RV copy_mechanism(struct session *s, enum call_id id, struct mech *out,
			    const CK_MECHANISM *in)
{
	static struct log_limit limit;
	char name[NAME_MAX_LEN];
	const char *why = NULL;
	CK_RV rv = mech_copy(out, in, object_is_handle, s->group, &why);

	if (rv != CKR_OK && why)
		log_limited(&limit, LOG_LEVEL_WARN, "token %s: %s with %s refused: %s",
			    s->group->conf->label, call_name(id),
			    name_of(NAME_MECHANISM, in->mechanism, name), why);
	return rv;
}

/* Sends the Init call; on success the operation has a session of the member. */
static CK_RV send_init(struct session *s, struct operation *op)
{
	struct call call = {
		.id = op->init_id,
		.place = CALL_KEEP,
		.group = s->group,
		.session = s,
		.mech = &op->mech,
		.object = {{op->key,
			    op->init_id == CALL_C_DigestInit ? 0 : CKR_KEY_HANDLE_INVALID}},
	};
	CK_RV rv = call_run(&call);

	if (rv == CKR_OK)
		op->ms = call.ms;
	return rv;
}

/* AWS CloudHSM makes the IV itself and writes it during C_Encrypt to where C_EncryptInit's
 * parameter pointed: its copy of the parameter keeps the application's pointer. */
static void keep_late_iv(const struct session *s, struct mech *copy, const CK_MECHANISM *mech)
{
	const CK_GCM_PARAMS *from = mech->pParameter;
	CK_GCM_PARAMS *to = copy->m.pParameter;

	for (size_t i = 0; i < s->group->member_count; i++)
		if (atomic_load(&s->group->members[i].lib->vendor)->writes_iv_late &&
		    mech->mechanism == CKM_AES_GCM && to)
			to->pIv = from->pIv;
}

CK_RV op_begin(enum call_id id, enum op_kind kind, struct session *s, const CK_MECHANISM *mech,
	       CK_OBJECT_HANDLE key)
{
	struct operation *op;
	CK_RV rv;

	if (!mech) {
		rv = s->op[kind] ? CKR_OK : CKR_ARGUMENTS_BAD;
		op_end(s, kind, false);
		return rv;
	}
	if (s->op[kind])
		return CKR_OPERATION_ACTIVE;
	op = operation_new(s);
	if (!op)
		return CKR_HOST_MEMORY;
	rv = copy_mechanism(s, id, &op->mech, mech);
	if (rv != CKR_OK) {
		free(op);
		return rv;
	}
	if (kind == OP_ENCRYPT)
		keep_late_iv(s, &op->mech, mech);
	op->init_id = id;
	op->key = key;
	op->is_fixed = mech_is_stateful(mech->mechanism);
	rv = send_init(s, op);
	if (rv == CKR_OK)
		s->op[kind] = op;
	else
		operation_recycle(s, op);
	return rv;
}

CK_RV op_init(enum call_id id, enum op_kind kind, CK_SESSION_HANDLE session,
	      const CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = op_begin(id, kind, s, mech, key);
	session_give(s);
	return rv;
}

CK_RV op_run(struct session *s, enum op_kind kind, struct call *call)
{
	if (!s->op[kind])
		return CKR_OPERATION_NOT_INITIALIZED;
	call->place = CALL_BOUND;
	call->group = s->group;
	call->session = s;
	call->ms = s->op[kind]->ms;
	if (s->group->is_multi)
		call->op = s->op[kind];
	return call_run(call);
}

CK_RV op_restart(struct session *s, enum op_kind kind)
{
	struct operation *op = s->op[kind];

	CK_RV rv;

	if (op->ms)
		session_return(s, op->ms, hint_of(s), false);
	op->ms = NULL;
	op->is_doubtful = false;
	rv = send_init(s, op);
	op->is_over = rv != CKR_OK;
	return rv;
}

static bool is_bad_input(const CK_BYTE *data, CK_ULONG len)
{
	return len > MAX_INPUT || (!data && len > 0);
}

static CK_RV check_step(const struct operation *op, enum op_step step, const struct op_io *io)
{
	if (io->has_in && is_bad_input(io->in, io->in_len))
		return CKR_ARGUMENTS_BAD;
	if (io->has_in2 && is_bad_input(io->in2, io->in2_len))
		return CKR_ARGUMENTS_BAD;
	if (io->has_out && !io->out_len)
		return CKR_ARGUMENTS_BAD;
	/* After an Update only Update and Final may follow. */
	return step == OP_SINGLE && op->is_fed ? CKR_OPERATION_NOT_INITIALIZED : CKR_OK;
}

/* Codes after which the operation is over on the member, and its session as good as new. */
static bool is_verdict(CK_RV rv)
{
	return rv == CKR_SIGNATURE_INVALID || rv == CKR_SIGNATURE_LEN_RANGE ||
	       rv == CKR_DATA_LEN_RANGE || rv == CKR_ENCRYPTED_DATA_INVALID ||
	       rv == CKR_ENCRYPTED_DATA_LEN_RANGE;
}

static CK_RV run_step(enum call_id id, enum op_kind kind, enum op_step step, struct session *s,
		      const struct op_io *io)
{
	struct operation *op = s->op[kind];
	CK_RV rv;

	if (!op)
		return CKR_OPERATION_NOT_INITIALIZED;
	rv = check_step(op, step, io);
	if (rv == CKR_OK)
		rv = io->has_out ? op_output(id, kind, step, s, io) : op_plain(id, kind, s, io);
	if (op->is_over) { /* could not begin again */
		op_end(s, kind, false);
		return rv;
	}
	if (rv == CKR_BUFFER_TOO_SMALL && io->has_out)
		return rv;
	if (rv != CKR_OK)
		op_end(s, kind, is_verdict(rv));
	else if (step == OP_UPDATE)
		op->is_fed = op->is_fed || !io->has_out || io->out;
	else if (!io->has_out || io->out)
		op_end(s, kind, true);
	return rv;
}

CK_RV op_step(enum call_id id, enum op_kind kind, enum op_step step, CK_SESSION_HANDLE session,
	      const struct op_io *io)
{
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = run_step(id, kind, step, s, io);
	session_give(s);
	/* Beginning again on the way may have failed with a code of the Init function. */
	return rv == CKR_OK ? CKR_OK : code_map(id, rv);
}

/* Which function feeds an operation in a dual function. */
static enum call_id update_of(enum op_kind kind)
{
	static const enum call_id update[OP_KINDS] = {
		[OP_ENCRYPT] = CALL_C_EncryptUpdate, [OP_DECRYPT] = CALL_C_DecryptUpdate,
		[OP_DIGEST] = CALL_C_DigestUpdate,   [OP_SIGN] = CALL_C_SignUpdate,
		[OP_VERIFY] = CALL_C_VerifyUpdate,
	};

	return update[kind];
}

static CK_RV dual_in(struct session *s, enum op_kind cipher, enum op_kind other, bool takes_output,
		     const struct op_io *io)
{
	struct op_io feed = {.has_in = true};
	struct buf plain = {0};
	CK_RV rv;

	if (!s->op[cipher] || !s->op[other])
		return CKR_OPERATION_NOT_INITIALIZED;
	/* The output may overwrite the input that the second operation still needs. */
	if (!takes_output && io->out && !is_bad_input(io->in, io->in_len) &&
	    !buf_add(&plain, io->in, io->in_len))
		return CKR_HOST_MEMORY;
	rv = run_step(update_of(cipher), cipher, OP_UPDATE, s, io);
	if (rv == CKR_OK && io->out) {
		feed.in = takes_output ? io->out : plain.data;
		feed.in_len = takes_output ? *io->out_len : plain.len;
		rv = run_step(update_of(other), other, OP_UPDATE, s, &feed);
	}
	if (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL) {
		op_end(s, cipher, false);
		op_end(s, other, false);
	}
	buf_free(&plain);
	return rv;
}

CK_RV op_dual(enum call_id id, CK_SESSION_HANDLE session, enum op_kind cipher, enum op_kind other,
	      bool other_takes_output, const struct op_io *io)
{
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = dual_in(s, cipher, other, other_takes_output, io);
	session_give(s);
	/* The two halves passed the gate under their own names. */
	return rv == CKR_OK ? CKR_OK : code_map(id, rv);
}

static CK_RV digest_key_in(struct session *s, CK_OBJECT_HANDLE key)
{
	struct call call = {.id = CALL_C_DigestKey, .object = {{key, CKR_KEY_HANDLE_INVALID}}};
	CK_RV rv;

	if (!s->op[OP_DIGEST])
		return CKR_OPERATION_NOT_INITIALIZED;
	rv = op_run(s, OP_DIGEST, &call);
	if (rv == CKR_OK) {
		s->op[OP_DIGEST]->is_fed = true;
		if (s->group->is_multi)
			journal_feed_key(&s->op[OP_DIGEST]->journal, key);
	} else {
		op_end(s, OP_DIGEST, false);
	}
	return rv;
}

CK_RV op_digest_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = digest_key_in(s, key);
	session_give(s);
	return rv;
}
