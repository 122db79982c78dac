/* SPDX-License-Identifier: BSD-2-Clause */
/* Message-based operations of PKCS#11 3.0.
 *
 * One Init, then any number of messages, then a Final. A message is one call, or Begin and Next
 * until the last part; from Begin to the last part it is open, which op_in_message() remembers.
 * While one is open neither another message nor the Final is allowed. An error ends the message,
 * never the operation, unless the member or its session is in trouble. What is refused here for its
 * arguments or its order never reaches the member, so it changes nothing.
 *
 * The session is locked throughout. A per-message parameter is the application's own structure: its
 * IVs and tags are written by the member, and it holds no handles. */
#include "core/message.h"

#include <string.h>

#include "core/op_output.h"
#include "policy/policy.h"

/* No message comes near; what is above is a mistake of the caller. */
#define MAX_LEN 0x7fffffffUL

/* What an output may have beyond its input when the member does not say: more than any tag or
 * block. */
#define SLACK 64UL

CK_RV msg_init(enum call_id id, enum op_kind kind, CK_SESSION_HANDLE session,
	       const CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	struct session *s;
	bool *is_open;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = op_begin(id, kind, s, mech, key);
	is_open = op_in_message(s, kind);
	if (rv == CKR_OK && is_open)
		*is_open = false;
	session_give(s);
	return rv;
}

/* The order of the steps. */
static CK_RV check_order(const bool *is_open, enum msg_step step)
{
	if (!is_open)
		return CKR_OPERATION_NOT_INITIALIZED;
	if (step == MSG_NEXT)
		return *is_open ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
	return *is_open ? CKR_OPERATION_ACTIVE : CKR_OK;
}

static bool is_bytes(const void *p, CK_ULONG len)
{
	return len <= MAX_LEN && (p || len == 0);
}

/* True when this step, if it goes well, is the last of its message. */
static bool is_last(enum op_kind kind, enum msg_step step, const struct msg_io *io)
{
	if (step != MSG_NEXT)
		return step == MSG_WHOLE;
	if (kind == OP_MESSAGE_SIGN)
		return io->out_len != NULL;
	if (kind == OP_MESSAGE_VERIFY)
		return io->aad != NULL;
	return io->flags & CKF_END_OF_MESSAGE;
}

static CK_RV check_arguments(enum op_kind kind, enum msg_step step, const struct msg_io *io)
{
	bool is_verify = kind == OP_MESSAGE_VERIFY;
	bool has_out = step != MSG_BEGIN && !is_verify;

	if (!is_bytes(io->param, io->param_len) || !is_bytes(io->aad, io->aad_len) ||
	    !is_bytes(io->in, io->in_len))
		return CKR_ARGUMENTS_BAD;
	if (is_verify && step == MSG_WHOLE && !io->aad)
		return CKR_ARGUMENTS_BAD;
	if (!has_out)
		return CKR_OK;
	if (!io->out_len)
		return kind == OP_MESSAGE_SIGN && step == MSG_NEXT ? CKR_OK : CKR_ARGUMENTS_BAD;
	return io->out && *io->out_len > MAX_LEN ? CKR_ARGUMENTS_BAD : CKR_OK;
}

/* Codes that speak of the session or the device, not of the message. */
static bool is_trouble(CK_RV rv)
{
	static const CK_RV codes[] = {
		CKR_SESSION_HANDLE_INVALID,   CKR_SESSION_CLOSED,    CKR_DEVICE_ERROR,
		CKR_DEVICE_REMOVED,           CKR_TOKEN_NOT_PRESENT, CKR_TOKEN_NOT_RECOGNIZED,
		CKR_CRYPTOKI_NOT_INITIALIZED,
	};

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		if (codes[i] == rv)
			return true;
	}
	return false;
}

/* Runs the step. NSS (3.87) answers CKR_BUFFER_TOO_SMALL without the length that is needed: it is
 * asked for then. */
static CK_RV run(struct session *session, enum op_kind kind, struct call *call)
{
	CK_ULONG room = call->out_len ? *call->out_len : 0, needed = 0;
	CK_RV rv = op_run(session, kind, call);
	struct call query = *call;

	if (rv == CKR_OK && call->out && call->out_len && *call->out_len > room)
		return CKR_DEVICE_ERROR; /* it wrote, or says it wrote, beyond the buffer */
	if (rv != CKR_BUFFER_TOO_SMALL || !call->out_len || *call->out_len > room)
		return rv;
	query.out = NULL;
	query.out_len = &needed;
	if (op_run(session, kind, &query) != CKR_OK || needed <= room)
		needed = (call->in_len > room ? call->in_len : room) + SLACK;
	*call->out_len = needed;
	return rv;
}

/* A counter inside the token makes the IVs: it must not begin anew elsewhere. */
static bool counts_in_token(const struct operation *op, const void *param, CK_ULONG len)
{
	CK_ULONG generator = CKG_NO_GENERATE;
	CK_GCM_MESSAGE_PARAMS gcm;
	CK_CCM_MESSAGE_PARAMS ccm;

	if (op->mech.m.mechanism == CKM_AES_GCM && len == sizeof gcm) {
		memcpy(&gcm, param, sizeof gcm);
		generator = gcm.ivGenerator;
	} else if (op->mech.m.mechanism == CKM_AES_CCM && len == sizeof ccm) {
		memcpy(&ccm, param, sizeof ccm);
		generator = ccm.nonceGenerator;
	}
	return generator == CKG_GENERATE_COUNTER || generator == CKG_GENERATE_COUNTER_XOR;
}

/* Keeps an open message for another member, and forgets one that is over. */
static void keep(struct session *s, enum op_kind kind, const struct call *call, bool is_open)
{
	struct operation *op = s->op[kind];

	if (!s->group->is_multi)
		return;
	if (!is_open) {
		journal_free(&op->journal);
		return;
	}
	journal_feed(&op->journal, call->id, &op->mech.m, call->in2_len > 0 ? call->in2 : call->in,
		     call->in2_len > 0 ? call->in2_len : call->in_len);
	if (call->out && call->out_len)
		journal_gave(&op->journal, call->out, *call->out_len);
}

static bool overlaps(const struct call *c)
{
	return c->out && c->out_len && c->in && c->in < c->out + *c->out_len &&
	       c->out < c->in + c->in_len;
}

/* The policy is asked about the IV of each message that is encrypted: with the operation's
 * mechanism and key. */
static CK_RV decide(struct session *session, enum call_id id, struct operation *op,
		    const struct msg_io *io)
{
	struct call call = {
		.id = id,
		.group = session->group,
		.session = session,
		.mech = &op->mech,
		.object = {{op->key, CKR_KEY_HANDLE_INVALID}},
	};
	CK_GCM_MESSAGE_PARAMS param;

	if (op->mech.m.mechanism == CKM_AES_GCM && io->param && io->param_len >= sizeof param) {
		memcpy(&param, io->param, sizeof param);
		call.is_caller_iv = param.ivGenerator == CKG_NO_GENERATE;
	}
	return call_decide(&call);
}

/* Sends a step whose call is made up, and notes what became of the message. */
static CK_RV take_step(enum op_kind kind, enum msg_step step, struct session *session,
		       const struct msg_io *io, struct call *call)
{
	bool *is_open = op_in_message(session, kind);
	CK_RV rv;

	if (counts_in_token(session->op[kind], io->param, io->param_len))
		session->op[kind]->is_fixed = true;
	rv = run(session, kind, call);
	if (is_trouble(rv) || is_trouble(call->member_rv)) {
		op_end(session, kind, false);
		return rv;
	}
	/* The length was asked for, or the room was too short: the step was not taken. */
	if (rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && io->out_len && !io->out))
		return rv;
	*is_open = rv == CKR_OK && !is_last(kind, step, io);
	keep(session, kind, call, *is_open);
	return rv;
}

static CK_RV step_message(enum call_id id, enum op_kind kind, enum msg_step step,
			  struct session *session, const struct msg_io *io)
{
	struct call call = {
		.id = id,
		.in = io->in,
		.in_len = io->in_len,
		.in2 = io->aad,
		.in2_len = io->aad_len,
		.out = io->out,
		.out_len = io->out_len,
		.param = io->param,
		.param_len = io->param_len,
		.flags = io->flags,
	};
	CK_RV rv = check_order(op_in_message(session, kind), step);
	struct buf aside = {0};

	if (rv == CKR_OK)
		rv = check_arguments(kind, step, io);
	/* An input that the output overwrites is copied before a member can spoil it: another one
	 * may need it. */
	if (rv == CKR_OK && session->group->is_multi && overlaps(&call)) {
		if (buf_add(&aside, io->in, io->in_len))
			call.in = aside.data;
		else
			rv = CKR_HOST_MEMORY;
	}
	if (rv == CKR_OK && kind == OP_MESSAGE_ENCRYPT && step != MSG_NEXT &&
	    policy_speaks(session->group->conf->policy, ACT_ENCRYPT))
		rv = decide(session, id, session->op[kind], io);
	if (rv == CKR_OK)
		rv = take_step(kind, step, session, io, &call);
	buf_free(&aside);
	return rv;
}

CK_RV msg_step(enum call_id id, enum op_kind kind, enum msg_step step, CK_SESSION_HANDLE session,
	       const struct msg_io *io)
{
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = step_message(id, kind, step, s, io);
	session_give(s);
	return rv;
}

static CK_RV finish(enum call_id id, enum op_kind kind, struct session *session)
{
	struct call call = {.id = id};
	const bool *is_open = op_in_message(session, kind);
	CK_RV rv;

	if (!is_open)
		return CKR_OPERATION_NOT_INITIALIZED;
	if (*is_open)
		return CKR_OPERATION_ACTIVE;
	rv = op_run(session, kind, &call);
	op_end(session, kind, rv == CKR_OK);
	return rv;
}

CK_RV msg_final(enum call_id id, enum op_kind kind, CK_SESSION_HANDLE session)
{
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = finish(id, kind, s);
	session_give(s);
	return rv;
}
