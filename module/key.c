/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys and random bytes: PKCS#11, "Key management functions" and "Random number generation
 * functions". */
#include "core/key.h"

#include "module/entry.h"

CK_RV C_GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_ATTRIBUTE *tmpl,
		    CK_ULONG count, CK_OBJECT_HANDLE *key)
{
	if (!mech || !key)
		return bad_arguments(session);
	return key_generate(session, mech, tmpl, count, key);
}

CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_ATTRIBUTE *public_tmpl,
			CK_ULONG public_count, CK_ATTRIBUTE *private_tmpl, CK_ULONG private_count,
			CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
	if (!mech || !public_key || !private_key)
		return bad_arguments(session);
	return key_generate_pair(session, mech, public_tmpl, public_count, private_tmpl,
				 private_count, public_key, private_key);
}

CK_RV C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_OBJECT_HANDLE wrapping_key,
		CK_OBJECT_HANDLE key, CK_BYTE *out, CK_ULONG *out_len)
{
	if (!mech || !out_len)
		return bad_arguments(session);
	return key_wrap(session, mech, wrapping_key, key, out, out_len);
}

CK_RV C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_OBJECT_HANDLE unwrapping_key,
		  CK_BYTE *in, CK_ULONG in_len, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		  CK_OBJECT_HANDLE *key)
{
	if (!mech || !in || !key)
		return bad_arguments(session);
	return key_unwrap(session, mech, unwrapping_key, in, in_len, tmpl, count, key);
}

CK_RV C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_OBJECT_HANDLE base,
		  CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *key)
{
	return mech ? key_derive(session, mech, base, tmpl, count, key) : bad_arguments(session);
}

CK_RV C_SeedRandom(CK_SESSION_HANDLE session, CK_BYTE *seed, CK_ULONG len)
{
	return seed || len == 0 ? key_seed_random(session, seed, len) : bad_arguments(session);
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG len)
{
	return out || len == 0 ? key_random(session, out, len) : bad_arguments(session);
}
