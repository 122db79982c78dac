/* SPDX-License-Identifier: BSD-2-Clause */
/* An operation taken to another member: begun again with the same mechanism and key, fed what the
 * first member accepted, byte for byte, and believed only when what comes out begins with what the
 * application has already. A ciphertext continued with other bytes under the same IV would be a
 * catastrophe.
 *
 * These calls belong to the one that the application made: they passed the gate with it. Guarded by
 * the session's lock. */
#include "core/replay.h"

#include <string.h>

#include "core/hashed.h"
#include "core/member.h"
#include "core/member_op.h"
#include "core/op_output.h"
#include "core/translate.h"

/* What an Update may give beyond its input. */
#define SLACK 4096UL

static const CK_OBJECT_HANDLE none[2] = {0, 0};

bool replay_is_possible(const struct call *c)
{
	return c->op && !c->op->is_fixed && journal_is_whole(&c->op->journal);
}

bool replay_floats(const struct call *c)
{
	return c->op && c->op->journal.hashed && !c->op->ms;
}

static CK_RV begin(struct call *c, struct member_session *ms, bool *is_lack)
{
	struct operation *op = c->op;
	struct call init = {
		.id = op->init_id,
		.place = CALL_KEEP,
		.group = c->group,
		.session = c->session,
		.mech = &op->mech,
		.object = {{op->key,
			    op->init_id == CALL_C_DigestInit ? 0 : CKR_KEY_HANDLE_INVALID}},
	};
	CK_OBJECT_HANDLE object[2] = {0, 0};
	CK_RV rv = translate(&init, ms, object, is_lack);

	return rv == CKR_OK ? member_call(ms, &init, object) : rv;
}

static bool has_output(enum call_id id)
{
	return id == CALL_C_EncryptUpdate || id == CALL_C_DecryptUpdate ||
	       id == CALL_C_EncryptMessageNext || id == CALL_C_DecryptMessageNext;
}

/* One piece; what it gives beyond what the application has is owed to it. */
static CK_RV feed(struct call *c, struct member_session *ms, const struct journal_piece *p)
{
	struct journal *j = &c->op->journal;
	struct buf out = {0};
	CK_ULONG len = p->len + SLACK;
	struct call call = {.id = p->id,
			    .in = p->bytes,
			    .in_len = p->len,
			    .param = c->param,
			    .param_len = c->param_len};
	CK_RV rv;

	if (!has_output(p->id))
		return member_call(ms, &call, none);
	if (!buf_reserve(&out, len))
		return CKR_HOST_MEMORY;
	call.out = out.data;
	call.out_len = &len;
	rv = member_call(ms, &call, none);
	if (rv == CKR_OK && (len > p->len + SLACK || !journal_compare(j, out.data, len, &j->owed)))
		rv = CKR_DEVICE_ERROR;
	out.len = out.cap; /* all of it is wiped */
	buf_free(&out);
	return rv;
}

static CK_RV feed_key(struct call *c, struct member_session *ms, CK_OBJECT_HANDLE key,
		      bool *is_lack)
{
	struct call call = {.id = CALL_C_DigestKey,
			    .place = CALL_BOUND,
			    .group = c->group,
			    .session = c->session,
			    .object = {{key, CKR_KEY_HANDLE_INVALID}}};
	CK_OBJECT_HANDLE object[2] = {0, 0};
	CK_RV rv = translate(&call, ms, object, is_lack);

	return rv == CKR_OK ? member_call(ms, &call, object) : rv;
}

static bool is_message_begin(enum call_id id)
{
	return id == CALL_C_EncryptMessageBegin || id == CALL_C_DecryptMessageBegin ||
	       id == CALL_C_SignMessageBegin || id == CALL_C_VerifyMessageBegin;
}

/* The function that opens a message of the operation. */
static enum call_id message_begin_of(enum call_id init)
{
	switch ((int)init) {
	case CALL_C_MessageEncryptInit:
		return CALL_C_EncryptMessageBegin;
	case CALL_C_MessageDecryptInit:
		return CALL_C_DecryptMessageBegin;
	case CALL_C_MessageSignInit:
		return CALL_C_SignMessageBegin;
	default:
		return CALL_C_VerifyMessageBegin;
	}
}

/* An open message is opened again, with its associated data, which is the first piece. Its IV is
 * the one that the first member used: it stands in the application's parameter, and none is made.
 */
static CK_RV open_message(struct call *c, struct member_session *ms)
{
	const struct journal_piece *first = c->op->journal.first;
	CK_GCM_MESSAGE_PARAMS gcm;
	struct call call = {.id = message_begin_of(c->op->init_id),
			    .param = c->param,
			    .param_len = c->param_len};

	if (first && is_message_begin(first->id)) {
		call.in2 = first->bytes;
		call.in2_len = first->len;
		if (first->next && is_message_begin(first->next->id))
			return CKR_DEVICE_ERROR; /* longer than a piece: only one call can pass it
						  */
	}
	if (c->op->mech.m.mechanism == CKM_AES_GCM && c->param_len == sizeof gcm) {
		memcpy(&gcm, c->param, sizeof gcm);
		gcm.ivGenerator = CKG_NO_GENERATE;
		call.param = &gcm;
	}
	return member_call(ms, &call, none);
}

CK_RV replay(struct call *c, struct member_session *ms, bool *is_lack)
{
	struct journal *j = &c->op->journal;
	CK_RV rv;

	*is_lack = false;
	if (j->hashed)
		return CKR_OK; /* replay_final() does it all */
	journal_rewind(j);
	rv = begin(c, ms, is_lack);
	if (rv == CKR_OK && c->op->in_message)
		rv = open_message(c, ms);
	for (const struct journal_piece *p = j->first; rv == CKR_OK && p; p = p->next) {
		if (is_message_begin(p->id))
			continue;
		rv = p->object ? feed_key(c, ms, p->object, is_lack) : feed(c, ms, p);
	}
	/* A message is not put together anew from parts of other lengths. */
	if (rv == CKR_OK && c->op->in_message && (j->missing > 0 || j->owed.len > 0))
		rv = CKR_DEVICE_ERROR;
	return rv;
}

CK_RV replay_final(struct call *c, struct member_session *ms, bool *is_lack)
{
	struct operation *op = c->op;
	bool is_verify = op->init_id == CALL_C_VerifyInit;
	CK_OBJECT_HANDLE object[2] = {0, 0};
	struct mech raw = {0};
	struct call init = {.id = op->init_id,
			    .place = CALL_KEEP,
			    .group = c->group,
			    .session = c->session,
			    .mech = &raw,
			    .object = {{op->key, CKR_KEY_HANDLE_INVALID}}};
	struct call step = *c;
	struct buf data = {0};
	CK_RV rv = CKR_OK;

	*is_lack = false;
	if (!ms)
		return CKR_OK; /* an Update: the caller adds to the digest */
	if (!hashed_result(op->journal.hashed, &op->mech.m, &raw.m, &data))
		rv = CKR_HOST_MEMORY;
	if (rv == CKR_OK)
		rv = translate(&init, ms, object, is_lack);
	if (rv == CKR_OK)
		rv = member_call(ms, &init, object);
	step.id = is_verify ? CALL_C_Verify : CALL_C_Sign;
	step.in = data.data;
	step.in_len = data.len;
	if (rv == CKR_OK)
		rv = member_call(ms, &step, none);
	buf_free(&data);
	return rv;
}
