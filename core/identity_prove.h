/* SPDX-License-Identifier: BSD-2-Clause */
/* Proof by use that a private key belongs to a public one. */
#ifndef HSMUX_CORE_IDENTITY_PROVE_H
#define HSMUX_CORE_IDENTITY_PROVE_H

#include "core/identity.h"
#include "core/identity_attr.h"

/* What is read of a private key before it is used, and again before it is trusted. */
#define IDENTITY_PRIVATE_ATTRS                                                                     \
	CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_EC_PARAMS, CKA_EC_POINT, CKA_PUBLIC_KEY_INFO,        \
		CKA_SIGN, CKA_DECRYPT, CKA_DERIVE, CKA_ALWAYS_AUTHENTICATE

/* Lets private key `real` of that type, with these attributes, answer a fresh challenge that `key`
 * checks in software. See identity_prove(). */
CK_RV identity_prove_private(struct member_session *ms, CK_OBJECT_HANDLE real, CK_KEY_TYPE type,
			     const struct identity_attrs *attrs, EVP_PKEY *key,
			     enum identity_match *match);

#endif
