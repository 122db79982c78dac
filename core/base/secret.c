/* SPDX-License-Identifier: BSD-2-Clause */
/* PINs and other secrets.
 *
 * The bytes lie in anonymous pages of their own: locked (not swapped), left out of core dumps and
 * zeroed by the kernel in forked children. The small struct around them is ordinary memory, so that
 * a child can still free what it inherited. Immutable after secret_new; no lock. Never formatted:
 * nothing here may reach a log, an error text or an argument list. */
#include "core/base/secret.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "core/base/locked.h"

/* Longer than the PIN of any token; see secret.h. */
#define SECRET_MAX 4096

struct secret {
	unsigned char *pages; /* of locked_new */
	size_t len;
};

struct secret *secret_new(const void *bytes, size_t len)
{
	struct secret *s;

	if (len > SECRET_MAX)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->pages = locked_new(len);
	if (!s->pages) {
		free(s);
		return NULL;
	}
	s->len = len;
	if (len)
		memcpy(s->pages, bytes, len);
	return s;
}

const unsigned char *secret_bytes(const struct secret *s)
{
	return s->pages;
}

size_t secret_len(const struct secret *s)
{
	return s->len;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && CRYPTO_memcmp(a->pages, b->pages, a->len) == 0;
}

void secret_free(struct secret **s)
{
	if (!s || !*s)
		return;
	locked_free((*s)->pages, (*s)->len);
	free(*s);
	*s = NULL;
}

void secret_free_text(char *text)
{
	if (text)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
}
