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
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/crypto.h>

/* Longer than the PIN of any token; see secret.h. */
#define SECRET_MAX 4096

struct secret {
	unsigned char *pages; /* mmap'ed, map_len bytes */
	size_t map_len;
	size_t len;
};

/* Pages that stay where they are. NULL when memory is out. */
static unsigned char *secret_map(size_t map_len)
{
	void *pages =
		mmap(NULL, map_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		return NULL;
	/* Each of these may be forbidden to this process; the secret is then still usable. */
	(void)mlock(pages, map_len);
	(void)madvise(pages, map_len, MADV_DONTDUMP);
	(void)madvise(pages, map_len, MADV_WIPEONFORK);
	return pages;
}

struct secret *secret_new(const void *bytes, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct secret *s;

	if (len > SECRET_MAX)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->map_len = len > page ? (len + page - 1) / page * page : page;
	s->pages = secret_map(s->map_len);
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
	OPENSSL_cleanse((*s)->pages, (*s)->map_len);
	(void)munmap((*s)->pages, (*s)->map_len);
	free(*s);
	*s = NULL;
}

void secret_free_text(char *text)
{
	if (text)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
}
