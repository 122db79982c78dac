/* SPDX-License-Identifier: BSD-2-Clause */
/* Signatures that hash first, taken apart: CKM_SHA256_RSA_PKCS over a message is CKM_RSA_PKCS over
 * the DigestInfo of its SHA-256. A signature of any length can so be made again on another member
 * from a running digest, in constant memory. */
#ifndef HSMUX_CORE_HASHED_H
#define HSMUX_CORE_HASHED_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/pkcs11.h"

/* A running digest of what was fed to a signature or a verification. Not shared between threads. */
struct hashed;

/* Begins for a mechanism: CKM_SHAn_RSA_PKCS, CKM_SHAn_RSA_PKCS_PSS, CKM_ECDSA_SHAn (SHA-1, SHA-2,
 * and SHA-3 where OpenSSL has it). NULL for every other mechanism, or when memory is out. The
 * caller owns the result. */
struct hashed *hashed_new(const CK_MECHANISM *mech);

/* Adds bytes. False when OpenSSL fails. `data` may be NULL when `len` is 0. */
bool hashed_add(struct hashed *h, const void *data, size_t len);

/* The mechanism and the data that give the same signature: `raw` with the parameter of the
 * mechanism that hashed_new() saw (PSS; borrowed from that one), and in `data` the digest or
 * DigestInfo. May be called again, and more may be added after it. False when OpenSSL or memory
 * fails. */
bool hashed_result(const struct hashed *h, const CK_MECHANISM *mech, CK_MECHANISM *raw,
		   struct buf *data);

/* Wipes and frees *h and sets it to NULL. NULL and *h == NULL are allowed. */
void hashed_free(struct hashed **h);

#endif
