/* SPDX-License-Identifier: BSD-2-Clause */
/* PINs and other secrets: locked memory that is never dumped, wiped on fork and on free. */
#ifndef HSMUX_CORE_BASE_SECRET_H
#define HSMUX_CORE_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* No PIN of any token comes near this many bytes. */
#define SECRET_MAX_LEN 4096

/* A secret of fixed length in pages of its own (mlock, MADV_DONTDUMP, MADV_WIPEONFORK). */
struct secret;

/* Copies `len` bytes into a new secret; NULL when memory is out or `len` exceeds
 * SECRET_MAX_LEN. `bytes` may be NULL when `len` is 0. Where the process may not lock memory the
 * secret is still kept out of dumps and forks. The caller owns the result. */
struct secret *secret_new(const void *bytes, size_t len);

/* The bytes, borrowed until secret_free. In a forked child they read as zeros. */
const unsigned char *secret_bytes(const struct secret *s);

/* Length in bytes. */
size_t secret_len(const struct secret *s);

/* True when both hold the same bytes; takes the same time for all secrets of one length. */
bool secret_equal(const struct secret *a, const struct secret *b);

/* Wipes and frees a string of malloc that may be a secret. NULL is allowed. */
void secret_free_text(char *text);

/* Wipes and frees *s and sets it to NULL. NULL and *s == NULL are allowed. */
void secret_free(struct secret **s);

#endif
