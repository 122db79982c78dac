/* SPDX-License-Identifier: BSD-2-Clause */
/* Hashed: a signature that hashes first, taken apart into its hash and the rest.
 *
 * What was fed to such a signature is kept as a running digest instead of as bytes; another member
 * then signs the digest (RFC 8017, 9.2: the DigestInfo; PSS and ECDSA: the digest itself). A struct
 * hashed belongs to one operation, whose lock guards it. OpenSSL computes; no token is called, and
 * a mechanism that is not in the table is never guessed at. */
#include "core/hashed.h"

#include <stdlib.h>

#include <openssl/evp.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A hash, and what it is called in a DigestInfo. */
struct hash {
	const EVP_MD *(*md)(void);
	const CK_BYTE *prefix; /* of the DigestInfo: all before the digest */
	size_t prefix_len;
};

/* SEQUENCE { SEQUENCE { OID, NULL }, OCTET STRING } up to the digest, as in RFC 8017, 9.2, note 1.
 * The hashes of NIST differ in the last number of their OID (2.16.840.1.101.3.4.2.N) and in their
 * length. */
#define NIST_PREFIX(n, len)                                                                        \
	{                                                                                          \
		0x30, 0x11 + (len), 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,    \
			0x04, 0x02, (n), 0x05, 0x00, 0x04, (len)                                   \
	}
static const CK_BYTE sha1_prefix[] = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
				      0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};
static const CK_BYTE sha256_prefix[] = NIST_PREFIX(1, 32);
static const CK_BYTE sha384_prefix[] = NIST_PREFIX(2, 48);
static const CK_BYTE sha512_prefix[] = NIST_PREFIX(3, 64);
static const CK_BYTE sha224_prefix[] = NIST_PREFIX(4, 28);
static const CK_BYTE sha3_224_prefix[] = NIST_PREFIX(7, 28);
static const CK_BYTE sha3_256_prefix[] = NIST_PREFIX(8, 32);
static const CK_BYTE sha3_384_prefix[] = NIST_PREFIX(9, 48);
static const CK_BYTE sha3_512_prefix[] = NIST_PREFIX(10, 64);

#define HASH(name, function)                                                                       \
	static const struct hash name = {function, name##_prefix, sizeof(name##_prefix)}
HASH(sha1, EVP_sha1);
HASH(sha224, EVP_sha224);
HASH(sha256, EVP_sha256);
HASH(sha384, EVP_sha384);
HASH(sha512, EVP_sha512);
HASH(sha3_224, EVP_sha3_224);
HASH(sha3_256, EVP_sha3_256);
HASH(sha3_384, EVP_sha3_384);
HASH(sha3_512, EVP_sha3_512);

/* A mechanism that hashes, its hash, and the mechanism for the rest. */
struct split {
	CK_MECHANISM_TYPE type;
	CK_MECHANISM_TYPE raw;
	const struct hash *hash;
};

static const struct split splits[] = {
	{CKM_SHA1_RSA_PKCS, CKM_RSA_PKCS, &sha1},
	{CKM_SHA224_RSA_PKCS, CKM_RSA_PKCS, &sha224},
	{CKM_SHA256_RSA_PKCS, CKM_RSA_PKCS, &sha256},
	{CKM_SHA384_RSA_PKCS, CKM_RSA_PKCS, &sha384},
	{CKM_SHA512_RSA_PKCS, CKM_RSA_PKCS, &sha512},
	{CKM_SHA3_224_RSA_PKCS, CKM_RSA_PKCS, &sha3_224},
	{CKM_SHA3_256_RSA_PKCS, CKM_RSA_PKCS, &sha3_256},
	{CKM_SHA3_384_RSA_PKCS, CKM_RSA_PKCS, &sha3_384},
	{CKM_SHA3_512_RSA_PKCS, CKM_RSA_PKCS, &sha3_512},
	{CKM_SHA1_RSA_PKCS_PSS, CKM_RSA_PKCS_PSS, &sha1},
	{CKM_SHA224_RSA_PKCS_PSS, CKM_RSA_PKCS_PSS, &sha224},
	{CKM_SHA256_RSA_PKCS_PSS, CKM_RSA_PKCS_PSS, &sha256},
	{CKM_SHA384_RSA_PKCS_PSS, CKM_RSA_PKCS_PSS, &sha384},
	{CKM_SHA512_RSA_PKCS_PSS, CKM_RSA_PKCS_PSS, &sha512},
	{CKM_SHA3_224_RSA_PKCS_PSS, CKM_RSA_PKCS_PSS, &sha3_224},
	{CKM_SHA3_256_RSA_PKCS_PSS, CKM_RSA_PKCS_PSS, &sha3_256},
	{CKM_SHA3_384_RSA_PKCS_PSS, CKM_RSA_PKCS_PSS, &sha3_384},
	{CKM_SHA3_512_RSA_PKCS_PSS, CKM_RSA_PKCS_PSS, &sha3_512},
	{CKM_ECDSA_SHA1, CKM_ECDSA, &sha1},
	{CKM_ECDSA_SHA224, CKM_ECDSA, &sha224},
	{CKM_ECDSA_SHA256, CKM_ECDSA, &sha256},
	{CKM_ECDSA_SHA384, CKM_ECDSA, &sha384},
	{CKM_ECDSA_SHA512, CKM_ECDSA, &sha512},
	{CKM_ECDSA_SHA3_224, CKM_ECDSA, &sha3_224},
	{CKM_ECDSA_SHA3_256, CKM_ECDSA, &sha3_256},
	{CKM_ECDSA_SHA3_384, CKM_ECDSA, &sha3_384},
	{CKM_ECDSA_SHA3_512, CKM_ECDSA, &sha3_512},
};

struct hashed {
	const struct split *split;
	EVP_MD_CTX *running;
};

static const struct split *find_split(CK_MECHANISM_TYPE type)
{
	for (size_t i = 0; i < COUNT(splits); i++) {
		if (splits[i].type == type)
			return &splits[i];
	}
	return NULL;
}

struct hashed *hashed_new(const CK_MECHANISM *mech)
{
	const struct split *split = find_split(mech->mechanism);
	struct hashed *h = split != NULL ? calloc(1, sizeof(*h)) : NULL;

	if (h == NULL)
		return NULL;
	h->split = split;
	h->running = EVP_MD_CTX_new();
	if (h->running == NULL || EVP_DigestInit_ex(h->running, split->hash->md(), NULL) != 1)
		hashed_free(&h);
	return h;
}

bool hashed_add(struct hashed *h, const void *data, size_t len)
{
	return len == 0 || EVP_DigestUpdate(h->running, data, len) == 1;
}

/* The digest of all so far; what is running is not changed. */
static bool digest_now(const struct hashed *h, CK_BYTE digest[static EVP_MAX_MD_SIZE],
		       unsigned *len)
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	bool ok = copy != NULL && EVP_MD_CTX_copy_ex(copy, h->running) == 1 &&
		  EVP_DigestFinal_ex(copy, digest, len) == 1;

	EVP_MD_CTX_free(copy);
	return ok;
}

bool hashed_result(const struct hashed *h, const CK_MECHANISM *mech, CK_MECHANISM *raw,
		   struct buf *data)
{
	const struct split *split = h->split;
	const struct hash *hash = split->hash;
	size_t prefix_len = split->raw == CKM_RSA_PKCS ? hash->prefix_len : 0;
	bool is_pss = split->raw == CKM_RSA_PKCS_PSS;
	CK_BYTE digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!digest_now(h, digest, &len) || !buf_reserve(data, prefix_len + len))
		return false;
	data->len = 0;
	(void)buf_add(data, hash->prefix, prefix_len); /* there is room */
	(void)buf_add(data, digest, len);
	raw->mechanism = split->raw;
	raw->pParameter = is_pss ? mech->pParameter : NULL;
	raw->ulParameterLen = is_pss ? mech->ulParameterLen : 0;
	return true;
}

void hashed_free(struct hashed **h)
{
	if (h == NULL || *h == NULL)
		return;
	EVP_MD_CTX_free((*h)->running); /* wipes its state */
	free(*h);
	*h = NULL;
}
