/* SPDX-License-Identifier: BSD-2-Clause */
/* "Cryptography" of the null token: signatures and digests are a checksum of the data spread over
 * their length, encryption is one XOR per byte. The same input gives the same output, other input
 * gives other output, and it costs next to nothing.
 *
 * The rules around it are the standard's: one operation of a kind in a session, size queries and
 * short buffers leave it active, everything else ends it, single-part after an Update is refused.
 */
#include <string.h>

#include "tests/token/null_state.h"

uint64_t null_sum(uint64_t sum, const CK_BYTE *data, CK_ULONG len)
{
	/* FNV-1a's multiplier, by word: quick, and no word can be exchanged for another unnoticed.
	 */
	const uint64_t prime = 0x100000001b3ULL;
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), data += sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		sum = (sum ^ word) * prime;
		sum ^= sum >> 29;
	}
	for (CK_ULONG i = 0; i < len; i++)
		sum = (sum ^ data[i]) * prime;
	return sum;
}

void null_spread(uint64_t sum, unsigned char key, CK_BYTE *out, CK_ULONG len)
{
	sum ^= key * 0x0101010101010101ULL;
	for (CK_ULONG at = 0; at < len; at += sizeof(sum)) {
		sum = sum * 0x9e3779b97f4a7c15ULL + 1;
		memcpy(out + at, &sum, len - at < sizeof(sum) ? len - at : sizeof(sum));
	}
}

CK_RV null_op_begin(struct null_session *s, enum null_kind kind, const CK_MECHANISM *m,
		    CK_OBJECT_HANDLE key)
{
	struct null_op *op = &s->op[kind];
	struct null_object o = {.key = 0};
	CK_RV rv;

	if (!m)
		return CKR_ARGUMENTS_BAD;
	if (op->is_active)
		return CKR_OPERATION_ACTIVE;
	rv = null_mech_check(m);
	if (rv != CKR_OK)
		return rv;
	if (kind != NULL_DIGESTING && !null_object_get(key, "key of an operation", &o))
		return CKR_KEY_HANDLE_INVALID;
	*op = (struct null_op){.is_active = true, .key = o.key, .sum = m->mechanism};
	return CKR_OK;
}

static CK_RV begin(enum token_call index, CK_SESSION_HANDLE session, enum null_kind kind,
		   const CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	struct null_session *s;
	CK_RV rv = null_enter(index, session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = null_op_begin(s, kind, m, key);
	null_leave(s);
	return rv;
}

CK_RV C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	return begin(CALL_EncryptInit, session, NULL_ENCRYPT, m, key);
}

CK_RV C_DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	return begin(CALL_DecryptInit, session, NULL_DECRYPT, m, key);
}

CK_RV C_DigestInit(CK_SESSION_HANDLE session, CK_MECHANISM *m)
{
	return begin(CALL_DigestInit, session, NULL_DIGESTING, m, 0);
}

CK_RV C_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	return begin(CALL_SignInit, session, NULL_SIGN, m, key);
}

CK_RV C_SignRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	return begin(CALL_SignRecoverInit, session, NULL_SIGN_RECOVER, m, key);
}

CK_RV C_VerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	return begin(CALL_VerifyInit, session, NULL_VERIFY, m, key);
}

CK_RV C_VerifyRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	return begin(CALL_VerifyRecoverInit, session, NULL_VERIFY_RECOVER, m, key);
}

/* What a step does with its data and its output. */
enum shape {
	CIPHER, /* as many bytes out as in */
	DIGEST, /* NULL_DIGEST bytes of the data */
	SIGNED  /* NULL_SIGNATURE bytes of the data */
};

/* One call of one kind; in and out as the entry got them. */
struct step {
	enum null_kind kind;
	enum shape shape;
	bool is_final;  /* a Final: no data */
	bool is_single; /* may not follow an Update */
	const CK_BYTE *in;
	CK_ULONG in_len;
	CK_BYTE *out;
	CK_ULONG *out_len;
};

static CK_ULONG output_size(const struct step *c)
{
	if (c->shape == DIGEST)
		return NULL_DIGEST;
	return c->shape == SIGNED ? NULL_SIGNATURE : c->in_len;
}

static void produce(struct null_op *op, const struct step *c, CK_ULONG size)
{
	if (c->shape == CIPHER) {
		for (CK_ULONG i = 0; i < size; i++)
			c->out[i] = (CK_BYTE)(c->in[i] ^ op->key ^ 0x5a);
		return;
	}
	null_spread(null_sum(op->sum, c->in, c->in_len), op->key, c->out, size);
}

/* Sets *keeps when the operation stays active. */
static CK_RV step_run(struct null_op *op, const struct step *c, bool *keeps)
{
	CK_ULONG size = output_size(c);

	if (c->is_single && op->has_parts)
		return CKR_OPERATION_NOT_INITIALIZED;
	if (!c->out_len || (!c->in && c->in_len))
		return CKR_ARGUMENTS_BAD;
	if (!c->out || *c->out_len < size) {
		*keeps = true;
		*c->out_len = size;
		return c->out ? CKR_BUFFER_TOO_SMALL : CKR_OK;
	}
	produce(op, c, size);
	*c->out_len = size;
	if (!c->is_single && !c->is_final) {
		*keeps = true;
		op->has_parts = true;
	} else {
		null_work();
	}
	return CKR_OK;
}

static CK_RV step(enum token_call index, CK_SESSION_HANDLE session, const struct step *c)
{
	struct null_session *s;
	bool keeps = false;
	CK_RV rv = null_enter(index, session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = CKR_OPERATION_NOT_INITIALIZED;
	if (s->op[c->kind].is_active)
		rv = step_run(&s->op[c->kind], c, &keeps);
	if (!keeps)
		s->op[c->kind].is_active = false;
	null_leave(s);
	return rv;
}

/* Updates without output: digest, sign, verify. */
static CK_RV feed(enum token_call index, CK_SESSION_HANDLE session, enum null_kind kind,
		  const CK_BYTE *data, CK_ULONG len)
{
	struct null_session *s;
	CK_RV rv = null_enter(index, session, &s);

	if (rv != CKR_OK)
		return rv;
	if (!s->op[kind].is_active) {
		rv = CKR_OPERATION_NOT_INITIALIZED;
	} else if (!data && len) {
		s->op[kind].is_active = false;
		rv = CKR_ARGUMENTS_BAD;
	} else {
		s->op[kind].sum = null_sum(s->op[kind].sum, data, len);
		s->op[kind].has_parts = true;
	}
	null_leave(s);
	return rv;
}

CK_RV C_Encrypt(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		CK_ULONG *out_len)
{
	return step(CALL_Encrypt, session,
		    &(struct step){NULL_ENCRYPT, CIPHER, false, true, in, in_len, out, out_len});
}

CK_RV C_EncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		      CK_ULONG *out_len)
{
	return step(CALL_EncryptUpdate, session,
		    &(struct step){NULL_ENCRYPT, CIPHER, false, false, in, in_len, out, out_len});
}

CK_RV C_EncryptFinal(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *out_len)
{
	return step(CALL_EncryptFinal, session,
		    &(struct step){NULL_ENCRYPT, CIPHER, true, false, NULL, 0, out, out_len});
}

CK_RV C_Decrypt(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		CK_ULONG *out_len)
{
	return step(CALL_Decrypt, session,
		    &(struct step){NULL_DECRYPT, CIPHER, false, true, in, in_len, out, out_len});
}

CK_RV C_DecryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		      CK_ULONG *out_len)
{
	return step(CALL_DecryptUpdate, session,
		    &(struct step){NULL_DECRYPT, CIPHER, false, false, in, in_len, out, out_len});
}

CK_RV C_DecryptFinal(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *out_len)
{
	return step(CALL_DecryptFinal, session,
		    &(struct step){NULL_DECRYPT, CIPHER, true, false, NULL, 0, out, out_len});
}

CK_RV C_Digest(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
	       CK_ULONG *out_len)
{
	return step(CALL_Digest, session,
		    &(struct step){NULL_DIGESTING, DIGEST, false, true, in, in_len, out, out_len});
}

CK_RV C_DigestUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len)
{
	return feed(CALL_DigestUpdate, session, NULL_DIGESTING, in, in_len);
}

CK_RV C_DigestKey(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	struct null_object o;

	if (!null_object_get(key, "C_DigestKey", &o))
		return CKR_KEY_HANDLE_INVALID;
	return feed(CALL_DigestKey, session, NULL_DIGESTING, o.value, o.value_len);
}

CK_RV C_DigestFinal(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *out_len)
{
	return step(CALL_DigestFinal, session,
		    &(struct step){NULL_DIGESTING, DIGEST, true, false, NULL, 0, out, out_len});
}

CK_RV C_Sign(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
	     CK_ULONG *out_len)
{
	return step(CALL_Sign, session,
		    &(struct step){NULL_SIGN, SIGNED, false, true, in, in_len, out, out_len});
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len)
{
	return feed(CALL_SignUpdate, session, NULL_SIGN, in, in_len);
}

CK_RV C_SignFinal(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *out_len)
{
	return step(CALL_SignFinal, session,
		    &(struct step){NULL_SIGN, SIGNED, true, false, NULL, 0, out, out_len});
}

CK_RV C_SignRecover(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		    CK_ULONG *out_len)
{
	return step(
		CALL_SignRecover, session,
		&(struct step){NULL_SIGN_RECOVER, CIPHER, false, true, in, in_len, out, out_len});
}

CK_RV C_VerifyRecover(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		      CK_ULONG *out_len)
{
	return step(
		CALL_VerifyRecover, session,
		&(struct step){NULL_VERIFY_RECOVER, CIPHER, false, true, in, in_len, out, out_len});
}

/* Makes the signature again and compares. */
static CK_RV verify(enum token_call index, CK_SESSION_HANDLE session, bool is_single,
		    const CK_BYTE *in, CK_ULONG in_len, const CK_BYTE *signature,
		    CK_ULONG signature_len)
{
	CK_BYTE right[NULL_SIGNATURE];
	CK_ULONG right_len = sizeof(right);
	CK_RV rv = step(index, session,
			&(struct step){NULL_VERIFY, SIGNED, !is_single, is_single, in, in_len,
				       right, signature ? &right_len : NULL});

	if (rv != CKR_OK)
		return rv;
	if (signature_len != right_len)
		return CKR_SIGNATURE_LEN_RANGE;
	return memcmp(signature, right, right_len) == 0 ? CKR_OK : CKR_SIGNATURE_INVALID;
}

CK_RV C_Verify(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *signature,
	       CK_ULONG signature_len)
{
	return verify(CALL_Verify, session, true, in, in_len, signature, signature_len);
}

CK_RV C_VerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len)
{
	return feed(CALL_VerifyUpdate, session, NULL_VERIFY, in, in_len);
}

CK_RV C_VerifyFinal(CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG signature_len)
{
	return verify(CALL_VerifyFinal, session, false, NULL, 0, signature, signature_len);
}
