/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that come to be or travel: generate, wrap, unwrap, derive; and random bytes. */
#ifndef HSMUX_CORE_KEY_H
#define HSMUX_CORE_KEY_H

#include "core/base/pkcs11.h"

/* C_GenerateKey. */
CK_RV key_generate(CK_SESSION_HANDLE session, const CK_MECHANISM *mech, const CK_ATTRIBUTE *tmpl,
		   CK_ULONG count, CK_OBJECT_HANDLE *key);

/* C_GenerateKeyPair. */
CK_RV key_generate_pair(CK_SESSION_HANDLE session, const CK_MECHANISM *mech,
			const CK_ATTRIBUTE *public_tmpl, CK_ULONG public_count,
			const CK_ATTRIBUTE *private_tmpl, CK_ULONG private_count,
			CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key);

/* C_WrapKey. */
CK_RV key_wrap(CK_SESSION_HANDLE session, const CK_MECHANISM *mech, CK_OBJECT_HANDLE wrapping_key,
	       CK_OBJECT_HANDLE key, CK_BYTE *out, CK_ULONG *out_len);

/* C_UnwrapKey. */
CK_RV key_unwrap(CK_SESSION_HANDLE session, const CK_MECHANISM *mech,
		 CK_OBJECT_HANDLE unwrapping_key, const CK_BYTE *in, CK_ULONG in_len,
		 const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *key);

/* C_DeriveKey. `key` may be NULL for mechanisms that return their keys in the parameter. */
CK_RV key_derive(CK_SESSION_HANDLE session, const CK_MECHANISM *mech, CK_OBJECT_HANDLE base,
		 const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *key);

/* C_SeedRandom, C_GenerateRandom. */
CK_RV key_seed_random(CK_SESSION_HANDLE session, const CK_BYTE *seed, CK_ULONG len);
CK_RV key_random(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG len);

#endif
