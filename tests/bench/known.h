/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that these programs know: the same ones are put on every member, and every answer of a token
 * is compared with what OpenSSL does with them. */
#ifndef HSMUX_TESTS_BENCH_KNOWN_H
#define HSMUX_TESTS_BENCH_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/pkcs11.h"

#define KNOWN_PIN "1234"

/* Which key. */
enum known_key {
	KNOWN_RSA,
	KNOWN_RSA_PUBLIC,
	KNOWN_EC,
	KNOWN_EC_PUBLIC,
	KNOWN_AES,
	KNOWN_HMAC,
	KNOWN_COUNT
};

/* Handles of the keys, as one application got them. */
struct known {
	CK_OBJECT_HANDLE handle[KNOWN_COUNT];
};

/* What each key is called and is, for searches. */
const char *known_label(enum known_key which);
CK_OBJECT_CLASS known_class(enum known_key which);

/* The modulus of the RSA key. */
const CK_BYTE *known_modulus(size_t *len);

/* Makes token objects of all keys. False with a message when the token refuses. */
bool known_import(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session);

/* Finds them all; each must be there exactly once. False with a message otherwise. */
bool known_find(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, struct known *out);

/* Reads the public keys for checking; before any check, by one thread. */
bool known_prepare(void);

/* CKM_SHA256_RSA_PKCS over data; CKM_ECDSA over 32 bytes. */
bool known_check_rsa(const CK_BYTE *data, size_t len, const CK_BYTE *sig, size_t sig_len);
bool known_check_ec(const CK_BYTE hash[32], const CK_BYTE *sig, size_t sig_len);

/* What the token must answer, computed by OpenSSL. `out` has room for len + 32 bytes; the result is
 * the length, or 0 when OpenSSL fails. The GCM tag of 16 bytes is at the end. */
size_t known_gcm(const CK_BYTE iv[12], const CK_BYTE *data, size_t len, CK_BYTE *out);
size_t known_cbc_pad(const CK_BYTE iv[16], const CK_BYTE *data, size_t len, CK_BYTE *out);
size_t known_hmac(const CK_BYTE *data, size_t len, CK_BYTE out[32]);
size_t known_sha256(const CK_BYTE *data, size_t len, CK_BYTE out[32]);

/* HMAC with another key: that of a session object. */
size_t known_hmac_with(const CK_BYTE *key, size_t key_len, const CK_BYTE *data, size_t len,
		       CK_BYTE out[32]);

#endif
