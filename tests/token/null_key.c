/* SPDX-License-Identifier: BSD-2-Clause */
/* Key management of the null token: generate, wrap, unwrap, derive; and the functions for two
 * operations at once, which it does not have.
 *
 * A wrapped key is the checksum of mechanism and key, 24 bytes; unwrapping accepts any bytes. */
#include <string.h>

#include "tests/token/null_state.h"

#define WRAPPED 24

static CK_RV generate(CK_SESSION_HANDLE session, const CK_MECHANISM *m, const CK_ATTRIBUTE *tmpl,
		      CK_ULONG count, CK_OBJECT_HANDLE *key)
{
	CK_RV rv;

	if (!m || !key)
		return CKR_ARGUMENTS_BAD;
	rv = null_mech_check(m);
	if (rv != CKR_OK)
		return rv;
	null_work();
	return null_make(session, tmpl, count, CKO_SECRET_KEY, CKK_AES, key);
}

CK_RV C_GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		    CK_OBJECT_HANDLE *key)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_GenerateKey, session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = generate(session, m, tmpl, count, key);
	null_leave(s);
	return rv;
}

CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_ATTRIBUTE *public_tmpl,
			CK_ULONG public_count, CK_ATTRIBUTE *private_tmpl, CK_ULONG private_count,
			CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_GenerateKeyPair, session, &s);

	if (rv != CKR_OK)
		return rv;
	if (!m || !public_key || !private_key)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = null_mech_check(m);
	if (rv == CKR_OK)
		rv = null_make(session, private_tmpl, private_count, CKO_PRIVATE_KEY, CKK_EC,
			       private_key);
	if (rv == CKR_OK)
		rv = null_make(session, public_tmpl, public_count, CKO_PUBLIC_KEY, CKK_EC,
			       public_key);
	null_work();
	null_leave(s);
	return rv;
}

static CK_RV wrap(const CK_MECHANISM *m, CK_OBJECT_HANDLE wrapping, CK_OBJECT_HANDLE key,
		  CK_BYTE *out, CK_ULONG *out_len)
{
	struct null_object wrapper;
	struct null_object o;
	CK_ULONG room;
	CK_RV rv;

	if (!m || !out_len)
		return CKR_ARGUMENTS_BAD;
	rv = null_mech_check(m);
	if (rv != CKR_OK)
		return rv;
	if (!null_object_get(wrapping, "wrapping key", &wrapper))
		return CKR_WRAPPING_KEY_HANDLE_INVALID;
	if (!null_object_get(key, "key to wrap", &o))
		return CKR_KEY_HANDLE_INVALID;
	room = *out_len;
	*out_len = WRAPPED;
	if (!out)
		return CKR_OK;
	if (room < WRAPPED)
		return CKR_BUFFER_TOO_SMALL;
	null_spread(null_sum(m->mechanism, o.value, o.value_len), wrapper.key, out, WRAPPED);
	null_work();
	return CKR_OK;
}

CK_RV C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE wrapping,
		CK_OBJECT_HANDLE key, CK_BYTE *out, CK_ULONG *out_len)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_WrapKey, session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = wrap(m, wrapping, key, out, out_len);
	null_leave(s);
	return rv;
}

static CK_RV unwrap(CK_SESSION_HANDLE session, const CK_MECHANISM *m, CK_OBJECT_HANDLE wrapping,
		    const CK_BYTE *in, const CK_ATTRIBUTE *tmpl, CK_ULONG count,
		    CK_OBJECT_HANDLE *key)
{
	struct null_object o;
	CK_RV rv;

	if (!m || !in || !key)
		return CKR_ARGUMENTS_BAD;
	rv = null_mech_check(m);
	if (rv != CKR_OK)
		return rv;
	if (!null_object_get(wrapping, "unwrapping key", &o))
		return CKR_UNWRAPPING_KEY_HANDLE_INVALID;
	null_work();
	return null_make(session, tmpl, count, CKO_SECRET_KEY, CKK_AES, key);
}

CK_RV C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE wrapping,
		  CK_BYTE *in, CK_ULONG in_len, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		  CK_OBJECT_HANDLE *key)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_UnwrapKey, session, &s);

	if (rv != CKR_OK)
		return rv;
	if (in_len == 0)
		rv = CKR_WRAPPED_KEY_LEN_RANGE;
	else
		rv = unwrap(session, m, wrapping, in, tmpl, count, key);
	null_leave(s);
	return rv;
}

static CK_RV derive(CK_SESSION_HANDLE session, const CK_MECHANISM *m, CK_OBJECT_HANDLE base,
		    const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *key)
{
	struct null_object o;
	CK_RV rv;

	if (!m)
		return CKR_ARGUMENTS_BAD;
	rv = null_mech_check(m);
	if (rv != CKR_OK)
		return rv;
	if (!null_object_get(base, "base key", &o))
		return CKR_KEY_HANDLE_INVALID;
	null_work();
	rv = null_mech_make(session, m);
	if (rv != CKR_OK || !key) /* the mechanisms for TLS keys return nothing else */
		return rv;
	return null_make(session, tmpl, count, CKO_SECRET_KEY, CKK_GENERIC_SECRET, key);
}

CK_RV C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE base,
		  CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *key)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_DeriveKey, session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = derive(session, m, base, tmpl, count, key);
	null_leave(s);
	return rv;
}

static CK_RV no_dual(enum token_call index, CK_SESSION_HANDLE session)
{
	struct null_session *s;
	CK_RV rv = null_enter(index, session, &s);

	if (rv != CKR_OK)
		return rv;
	null_leave(s);
	return CKR_FUNCTION_NOT_SUPPORTED;
}

#define NO_DUAL(name)                                                                              \
	CK_RV C_##name(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,      \
		       CK_ULONG *out_len)                                                          \
	{                                                                                          \
		(void)in;                                                                          \
		(void)in_len;                                                                      \
		(void)out;                                                                         \
		(void)out_len;                                                                     \
		return no_dual(CALL_##name, session);                                              \
	}

NO_DUAL(DigestEncryptUpdate)
NO_DUAL(DecryptDigestUpdate)
NO_DUAL(SignEncryptUpdate)
NO_DUAL(DecryptVerifyUpdate)
