/* SPDX-License-Identifier: BSD-2-Clause */
/* OpenSSL as identity uses it, and this process's challenge. */
#ifndef HSMUX_CORE_IDENTITY_SOFT_H
#define HSMUX_CORE_IDENTITY_SOFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#define IDENTITY_CHALLENGE 32

/* A library context of hsmux's own, made once; NULL when memory was out. */
OSSL_LIB_CTX *identity_lib(void);

/* What this process's secret keys answer to: IDENTITY_CHALLENGE random bytes, made once. NULL when
 * there was no randomness. */
const uint8_t *identity_challenge(void);

/* Fills with random bytes. False when OpenSSL fails. */
bool identity_random(uint8_t *out, size_t len);

/* False when OpenSSL fails. */
bool identity_sha256(const void *data, size_t len, uint8_t out[static 32]);

#endif
