/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal of an operation: lists of pieces in locked memory.
 *
 * Pieces are of one size and kept for the next operation when they are free, because mapping and
 * locking pages costs more than what is written into them. spare.lock guards that store; it is held
 * for a pop or a push and never while anything else happens. A journal itself belongs to one
 * session. */
#include "core/journal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "core/base/locked.h"
#include "core/hashed.h"

#define PIECE     (64UL * 1024)
#define SPARE_MAX 32U
/* All journals of the process together. */
#define TOTAL_MAX (64UL * 1024 * 1024 / PIECE)

/* Free pieces. */
static struct {
	pthread_mutex_t lock;
	unsigned char *bytes[SPARE_MAX];
	unsigned count;
	unsigned long in_use;
} spare = {.lock = PTHREAD_MUTEX_INITIALIZER};

static unsigned char *bytes_take(void)
{
	unsigned char *bytes = NULL;
	bool is_full;

	pthread_mutex_lock(&spare.lock);
	is_full = spare.in_use >= TOTAL_MAX;
	if (!is_full) {
		spare.in_use++;
		if (spare.count > 0)
			bytes = spare.bytes[--spare.count];
	}
	pthread_mutex_unlock(&spare.lock);
	if (bytes || is_full)
		return bytes;
	bytes = locked_new(PIECE);
	if (!bytes) {
		pthread_mutex_lock(&spare.lock);
		spare.in_use--;
		pthread_mutex_unlock(&spare.lock);
	}
	return bytes;
}

/* `used`: how many of them hold something. */
static void bytes_give(unsigned char *bytes, size_t used)
{
	if (!bytes)
		return;
	explicit_bzero(bytes, used); /* several times as fast as OPENSSL_cleanse on long pieces */
	pthread_mutex_lock(&spare.lock);
	spare.in_use -=
		spare.in_use > 0; /* in a forked child: what the parent took is not counted */
	if (spare.count < SPARE_MAX) {
		spare.bytes[spare.count++] = bytes;
		bytes = NULL;
	}
	pthread_mutex_unlock(&spare.lock);
	locked_free(bytes, PIECE);
}

/* Ciphertext is no secret: what `sealed` took, or gave, is not wiped. */
static void pieces_free(struct journal_piece **first, struct journal_piece **last,
			enum call_id sealed)
{
	while (*first) {
		struct journal_piece *p = *first;

		*first = p->next;
		bytes_give(p->bytes, p->id == sealed ? 0 : p->len);
		free(p);
	}
	*last = NULL;
}

static struct journal_piece *piece_add(struct journal_piece **first, struct journal_piece **last,
				       bool has_bytes)
{
	struct journal_piece *p = calloc(1, sizeof *p);

	if (p && has_bytes && !(p->bytes = bytes_take())) {
		free(p);
		p = NULL;
	}
	if (!p)
		return NULL;
	if (*last)
		(*last)->next = p;
	else
		*first = p;
	*last = p;
	return p;
}

/* Appends bytes to a list; those of one function lie together. */
static bool pieces_add(struct journal_piece **first, struct journal_piece **last, enum call_id id,
		       const unsigned char *bytes, size_t len)
{
	while (len > 0) {
		struct journal_piece *p = *last;
		size_t n;

		if (!p || p->id != id || p->object || p->len == PIECE) {
			p = piece_add(first, last, true);
			if (!p)
				return false;
			p->id = id;
		}
		n = PIECE - p->len < len ? PIECE - p->len : len;
		memcpy(p->bytes + p->len, bytes, n);
		p->len += n;
		bytes += n;
		len -= n;
	}
	return true;
}

/* It cannot be replayed any more. What came out stays as long as the present member has not given
 * all of it. */
static void lose(struct journal *j)
{
	pieces_free(&j->first, &j->last, CALL_C_DecryptUpdate);
	hashed_free(&j->hashed);
	j->in_len = 0;
	j->is_lost = true;
	if (j->missing > 0)
		return;
	pieces_free(&j->out, &j->out_last, CALL_C_EncryptUpdate);
	j->out_len = 0;
}

/* The input is too long to be kept: its digest is, where that is enough. */
static void to_digest(struct journal *j, const CK_MECHANISM *mech)
{
	struct hashed *h = hashed_new(mech);
	bool ok = h != NULL && j->out_len == 0;

	for (struct journal_piece *p = j->first; ok && p; p = p->next)
		ok = hashed_add(h, p->bytes, p->len);
	lose(j);
	if (!ok) {
		hashed_free(&h);
		return;
	}
	j->is_lost = false;
	j->hashed = h;
}

void journal_feed(struct journal *j, enum call_id id, const CK_MECHANISM *mech, const void *in,
		  size_t len)
{
	if (j->is_lost)
		return;
	if (!j->hashed && len > JOURNAL_MAX - j->in_len)
		to_digest(j, mech);
	if (j->is_lost)
		return;
	if (j->hashed) {
		if (!hashed_add(j->hashed, in, len))
			lose(j);
		return;
	}
	if (!pieces_add(&j->first, &j->last, id, in, len))
		lose(j);
	else
		j->in_len += len;
}

void journal_feed_key(struct journal *j, CK_OBJECT_HANDLE key)
{
	struct journal_piece *p;

	if (j->is_lost)
		return;
	p = piece_add(&j->first, &j->last, false);
	if (!p) {
		lose(j);
		return;
	}
	p->id = CALL_C_DigestKey;
	p->object = key;
}

void journal_gave(struct journal *j, const void *out, size_t len)
{
	enum call_id id = j->first ? j->first->id : CALL_COUNT;

	if (j->is_lost)
		return;
	if (len > JOURNAL_MAX - j->out_len || !pieces_add(&j->out, &j->out_last, id, out, len))
		lose(j);
	else
		j->out_len += len;
}

void journal_rewind(struct journal *j)
{
	j->missing = j->out_len;
	buf_free(&j->owed);
}

/* Compares with what lies `at` bytes from the beginning of what came out. */
static bool is_same(const struct journal *j, size_t at, const unsigned char *bytes, size_t len)
{
	for (const struct journal_piece *p = j->out; p && len > 0; p = p->next) {
		size_t n;

		if (at >= p->len) {
			at -= p->len;
			continue;
		}
		n = p->len - at < len ? p->len - at : len;
		if (CRYPTO_memcmp(p->bytes + at, bytes, n) != 0)
			return false;
		bytes += n;
		len -= n;
		at = 0;
	}
	return len == 0;
}

bool journal_compare(struct journal *j, const void *out, size_t len, struct buf *rest)
{
	size_t known = len < j->missing ? len : j->missing;

	if (!is_same(j, j->out_len - j->missing, out, known))
		return false;
	j->missing -= known;
	return buf_add(rest, (const unsigned char *)out + known, len - known);
}

bool journal_is_whole(const struct journal *j)
{
	return !j->is_lost;
}

/* Nothing was fed or given: most operations have one step. */
static bool is_untouched(const struct journal *j)
{
	return !j->first && !j->out && !j->owed.data && !j->hashed && !j->is_lost;
}

void journal_free(struct journal *j)
{
	if (is_untouched(j))
		return;
	pieces_free(&j->first, &j->last, CALL_C_DecryptUpdate);
	pieces_free(&j->out, &j->out_last, CALL_C_EncryptUpdate);
	buf_free(&j->owed);
	hashed_free(&j->hashed);
	*j = (struct journal){0};
}

void journal_forget_parent(void)
{
	pthread_mutex_init(&spare.lock, NULL);
	spare.count = 0;
	spare.in_use = 0;
}
