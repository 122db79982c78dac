/* SPDX-License-Identifier: BSD-2-Clause */
/* The software's half of a private key's proof. Nothing here is secret but the ephemeral key of an
 * agreement, which ends with it. No lock, no state. */
#include "core/identity_sign.h"

#include <string.h>

#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include "core/identity_soft.h"

/* Two numbers below the order of a curve of 571 bits, as DER. */
#define DER_ROOM 160

/* r and s of the order's length each, as DER. False when they are not. */
static bool der_of(const uint8_t *sig, size_t half, uint8_t *der, size_t *der_len)
{
	BIGNUM *r = BN_bin2bn(sig, (int)half, NULL), *s = BN_bin2bn(sig + half, (int)half, NULL);
	ECDSA_SIG *both = ECDSA_SIG_new();
	unsigned char *p = der;
	int len = -1;

	if (r && s && both && ECDSA_SIG_set0(both, r, s) == 1) {
		r = s = NULL; /* `both` has them now */
		if (i2d_ECDSA_SIG(both, NULL) <= DER_ROOM)
			len = i2d_ECDSA_SIG(both, &p);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(both);
	*der_len = len > 0 ? (size_t)len : 0;
	return len > 0;
}

static bool set_padding(EVP_PKEY_CTX *ctx, int padding)
{
	if (padding == 0)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
	       (padding != RSA_PKCS1_PSS_PADDING ||
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static bool verifies(EVP_PKEY *key, int padding, const uint8_t *hash, const uint8_t *sig,
		     size_t len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(identity_lib(), key, NULL);
	bool ok = ctx && EVP_PKEY_verify_init(ctx) == 1 && set_padding(ctx, padding) &&
		  EVP_PKEY_verify(ctx, sig, len, hash, 32) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

bool identity_checks_hash(EVP_PKEY *key, int padding, const uint8_t hash[static 32],
			  const uint8_t *sig, size_t len)
{
	size_t half = padding == 0 ? ((size_t)EVP_PKEY_get_bits(key) + 7) / 8 : 0;
	uint8_t der[DER_ROOM];

	if (half == 0 || len != 2 * half)
		return verifies(key, padding, hash, sig, len);
	return der_of(sig, half, der, &len) && verifies(key, padding, hash, der, len);
}

bool identity_checks_data(EVP_PKEY *key, const uint8_t *data, size_t data_len, const uint8_t *sig,
			  size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx &&
		  EVP_DigestVerifyInit_ex(ctx, NULL, NULL, identity_lib(), NULL, key, NULL) == 1 &&
		  EVP_DigestVerify(ctx, sig, len, data, data_len) == 1;

	EVP_MD_CTX_free(ctx);
	return ok;
}

bool identity_encrypts(EVP_PKEY *key, int padding, const char *hash, const uint8_t *data,
		       size_t data_len, uint8_t *out, size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(identity_lib(), key, NULL);
	size_t need = 0;
	bool ok = ctx && EVP_PKEY_encrypt_init(ctx) == 1 &&
		  EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1 &&
		  (padding != RSA_PKCS1_OAEP_PADDING ||
		   (EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, hash, NULL) == 1 &&
		    EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, hash, NULL) == 1)) &&
		  EVP_PKEY_encrypt(ctx, NULL, &need, data, data_len) == 1 && need <= *len &&
		  EVP_PKEY_encrypt(ctx, out, len, data, data_len) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static EVP_PKEY *ephemeral(EVP_PKEY *like)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(identity_lib(), like, NULL);
	EVP_PKEY *key = NULL;

	if (ctx && EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_keygen(ctx, &key) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static bool derives(EVP_PKEY *own, EVP_PKEY *peer, uint8_t *secret, size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(identity_lib(), own, NULL);
	bool ok = ctx && EVP_PKEY_derive_init(ctx) == 1 &&
		  EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
		  EVP_PKEY_derive(ctx, secret, len) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

bool identity_agrees(EVP_PKEY *key, uint8_t *point, size_t *point_len, uint8_t *secret,
		     size_t *secret_len)
{
	EVP_PKEY *own = ephemeral(key);
	unsigned char *encoded = NULL;
	size_t len = own ? EVP_PKEY_get1_encoded_public_key(own, &encoded) : 0;
	bool ok = len > 0 && len <= 160;

	*secret_len = 80;
	if (ok) {
		memcpy(point, encoded, len);
		*point_len = len;
		ok = derives(own, key, secret, secret_len);
	}
	OPENSSL_free(encoded);
	EVP_PKEY_free(own);
	return ok;
}
