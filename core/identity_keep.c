/* SPDX-License-Identifier: BSD-2-Clause */
/* Private keys that show which public key is theirs.
 *
 * Most makes show nothing of an elliptic curve's private key that would tell it from others: what
 * it is follows from the public key beside it, which has to have the same CKA_ID. A pair without
 * CKA_ID, or with one that other pairs have, an application that changes the ids of the halves one
 * after the other, or destroys the public half first, would leave a key that nobody can tell, on
 * each member for itself. SoftHSM 2.6.1 has room for the public key on the private one, and leaves
 * it empty. What is written there is a claim as any other: it is proven by use before it counts. */
#include "core/identity_keep.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "core/base/attr.h"
#include "core/identity_attr.h"
#include "core/identity_key.h"
#include "core/identity_prove.h"
#include "core/identity_use.h"
#include "core/member.h"
#include "core/member_op.h"

static CK_RV write_once(struct member_session *ms, CK_OBJECT_HANDLE real, unsigned char *der,
			CK_ULONG len)
{
	CK_ATTRIBUTE info = {CKA_PUBLIC_KEY_INFO, der, len};
	struct call call = {.id = CALL_C_SetAttributeValue,
			    .group = ms->member->group,
			    .tmpl = {&info},
			    .tmpl_count = {1}};

	return member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){real, 0});
}

static CK_RV write_info(struct member_session *ms, CK_OBJECT_HANDLE real, const EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	CK_RV rv = CKR_HOST_MEMORY;

	if (len > 0)
		rv = write_once(ms, real, der, (CK_ULONG)len);
	for (unsigned i = 1; i < IDENTITY_TRIES && identity_is_doubtful(rv); i++)
		rv = write_once(ms, real, der, (CK_ULONG)len);
	OPENSSL_free(der);
	return rv != CKR_OK && rv != CKR_HOST_MEMORY && identity_refuses(ms, rv) ? CKR_OK : rv;
}

/* Whether the private key shows its public key by itself. */
static CK_RV shows_own(struct member_session *ms, CK_OBJECT_HANDLE real, CK_KEY_TYPE type,
		       bool *shows)
{
	static const CK_ATTRIBUTE_TYPE types[] = {IDENTITY_PRIVATE_ATTRS};
	struct identity_attrs own;
	EVP_PKEY *key;
	CK_RV rv = identity_attrs_read(ms, real, types, sizeof types / sizeof types[0], &own);

	*shows = false;
	if (rv != CKR_OK)
		return rv;
	key = identity_key_shown(type, &own);
	if (!key)
		key = identity_key_of_info(type, identity_attr(&own, CKA_PUBLIC_KEY_INFO));
	*shows = key != NULL;
	EVP_PKEY_free(key);
	identity_attrs_free(&own);
	return CKR_OK;
}

static CK_RV keep_key(struct member_session *ms, CK_OBJECT_HANDLE real, CK_KEY_TYPE type,
		      const EVP_PKEY *key)
{
	bool shows;
	CK_RV rv = shows_own(ms, real, type, &shows);

	return rv == CKR_OK && !shows ? write_info(ms, real, key) : rv;
}

static CK_RV keep_pair(struct member_session *ms, CK_OBJECT_HANDLE real, CK_OBJECT_HANDLE public)
{
	static const CK_ATTRIBUTE_TYPE types[] = {CKA_KEY_TYPE,  CKA_MODULUS,
						  CKA_EC_PARAMS, CKA_PUBLIC_EXPONENT,
						  CKA_EC_POINT,  CKA_PUBLIC_KEY_INFO};
	struct identity_attrs attrs;
	EVP_PKEY *key;
	CK_KEY_TYPE type;
	CK_RV rv = identity_attrs_read(ms, public, types, sizeof types / sizeof types[0], &attrs);

	if (rv != CKR_OK)
		return rv;
	type = attr_ulong(attrs.a, attrs.count, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION);
	key = identity_key_shown(type, &attrs);
	if (!key)
		key = identity_key_of_info(type, identity_attr(&attrs, CKA_PUBLIC_KEY_INFO));
	if (key)
		rv = keep_key(ms, real, type, key);
	EVP_PKEY_free(key);
	identity_attrs_free(&attrs);
	return rv;
}

CK_RV identity_keep_pair(struct member_session *ms, CK_OBJECT_HANDLE real, CK_OBJECT_HANDLE public)
{
	CK_RV rv;

	ERR_set_mark(); /* the application's thread has an error queue of its own */
	rv = keep_pair(ms, real, public);
	ERR_pop_to_mark();
	return rv;
}

/* On a session of its own, if there is one: a proof may leave an operation on it. */
static CK_RV prove(struct member_session *ms, CK_OBJECT_HANDLE real, const struct identity *id,
		   bool *is_own)
{
	enum identity_match is = IDENTITY_UNKNOWN;
	struct member_session *other = NULL;
	CK_RV rv;

	*is_own = false;
	if (pool_take(ms->member, 0, 0, &other) != CKR_OK)
		return CKR_OK;
	rv = identity_prove(other, real, id, &is);
	*is_own = rv == CKR_OK && is == IDENTITY_SAME;
	if (*is_own)
		pool_give(other, 0);
	else
		pool_drop(other);
	return rv;
}

static CK_RV keep_known(struct member_session *ms, CK_OBJECT_HANDLE real, const struct identity *id)
{
	bool shows, is_own = false;
	CK_RV rv = shows_own(ms, real, id->key_type, &shows);

	if (rv == CKR_OK && !shows)
		rv = prove(ms, real, id, &is_own);
	return rv == CKR_OK && is_own ? write_info(ms, real, id->public_key) : rv;
}

CK_RV identity_keep(struct member_session *ms, CK_OBJECT_HANDLE real, const struct identity *id)
{
	CK_RV rv;

	if (id->kind != IDENTITY_PUBLIC || !id->public_key)
		return CKR_OK;
	ERR_set_mark();
	rv = keep_known(ms, real, id);
	ERR_pop_to_mark();
	return rv;
}
