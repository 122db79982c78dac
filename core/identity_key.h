/* SPDX-License-Identifier: BSD-2-Clause */
/* Public keys of members as OpenSSL keys, in one canonical form. */
#ifndef HSMUX_CORE_IDENTITY_KEY_H
#define HSMUX_CORE_IDENTITY_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "core/base/pkcs11.h"
#include "core/identity_attr.h"

/* The public key that these attributes of a key of that type show (modulus and exponent, or
 * parameters and point), owned by the caller; NULL when they do not, or OpenSSL does not know it.
 */
EVP_PKEY *identity_key_shown(CK_KEY_TYPE type, const struct identity_attrs *attrs);

/* The public key of that type in a DER SubjectPublicKeyInfo, or in a DER certificate, in the same
 * form. NULL as above, and for a NULL attribute. */
EVP_PKEY *identity_key_of_info(CK_KEY_TYPE type, const CK_ATTRIBUTE *info);
EVP_PKEY *identity_key_of_certificate(CK_KEY_TYPE type, const CK_ATTRIBUTE *certificate);

/* SHA-256 of the key's DER SubjectPublicKeyInfo. False when OpenSSL fails. */
bool identity_key_digest(const EVP_PKEY *key, uint8_t out[static 32]);

/* Whether a modulus is that of the RSA key `key`. */
bool identity_key_has_modulus(const EVP_PKEY *key, const CK_ATTRIBUTE *modulus);

#endif
