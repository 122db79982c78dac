/* SPDX-License-Identifier: BSD-2-Clause */
/* The software's half of a private key's proof: checks signatures, encrypts, agrees on secrets. */
#ifndef HSMUX_CORE_IDENTITY_SIGN_H
#define HSMUX_CORE_IDENTITY_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

/* Whether `sig` is the RSA (`padding`: RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING with a salt of 32
 * bytes) or ECDSA (`padding` 0; r and s, or DER) signature over this SHA-256. */
bool identity_checks_hash(EVP_PKEY *key, int padding, const uint8_t hash[static 32],
			  const uint8_t *sig, size_t len);

/* Whether it is the Edwards signature over `data`. */
bool identity_checks_data(EVP_PKEY *key, const uint8_t *data, size_t data_len, const uint8_t *sig,
			  size_t len);

/* Encrypts with RSA: RSA_PKCS1_PADDING, or RSA_PKCS1_OAEP_PADDING with that hash ("SHA1"). *len is
 * the room, then the length. False when it does not fit, or OpenSSL fails. */
bool identity_encrypts(EVP_PKEY *key, int padding, const char *hash, const uint8_t *data,
		       size_t data_len, uint8_t *out, size_t *len);

/* Agrees with `key` on a secret: a new key's public half (a plain point, room for 160 bytes) and
 * the secret (room for 80). False when OpenSSL fails. */
bool identity_agrees(EVP_PKEY *key, uint8_t *point, size_t *point_len, uint8_t *secret,
		     size_t *secret_len);

#endif
