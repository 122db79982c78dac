/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects made of the same material on any member, and the material itself. */
#ifndef HSMUX_TESTS_SCENARIO_IDENTITY_MAKE_H
#define HSMUX_TESTS_SCENARIO_IDENTITY_MAKE_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "core/base/pkcs11.h"
#include "core/pool.h"

/* What objects are made of. */
struct material {
	EVP_PKEY *key;              /* RSA, EC or Ed25519; NULL for others */
	unsigned char bytes[32];    /* of secret keys and data */
	unsigned char *certificate; /* over `key`, DER */
	int certificate_len;
};

/* "rsa" "rsa2048" "ec256" "ec384" "ec521" "ed25519", or "bytes". Kept until the process ends. */
struct material *material_new(const char *what);

/* How an object is made. */
struct recipe {
	CK_OBJECT_CLASS class;
	CK_KEY_TYPE type;
	CK_ATTRIBUTE_TYPE
	may[4]; /* usage attributes that are CK_TRUE; 0 ends; the rest is CK_FALSE */
	const char *id;
	const char *label;
	bool is_wrappable; /* keys: sensitive and extractable; else as the member likes */
};

/* Creates a token object; 0 when the member refuses (the code is printed). */
CK_OBJECT_HANDLE object_make(struct member_session *ms, const struct recipe *recipe,
			     const struct material *m);

#endif
