/* SPDX-License-Identifier: BSD-2-Clause */
/* What objects are: an index by handle, by name and by content. `lock` guards all of it; vendor
 * code is never called under it. */
#include "core/object_trait.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/locked.h"
#include "core/object_table.h"

#define BUCKETS 4096U

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	struct trait *by_handle[BUCKETS];
	struct trait *by_name[BUCKETS];
	struct trait *by_digest[BUCKETS];
	struct trait *all;
} traits;
static _Atomic unsigned hidden;

void trait_lock(void)
{
	pthread_mutex_lock(&lock);
}

void trait_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

/* FNV-1a, enough to spread names over buckets. */
static uint64_t hash_more(uint64_t h, const void *bytes, size_t len)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * 0x100000001b3UL;
	return h;
}

static unsigned name_bucket(const struct group *g, const struct identity *id)
{
	uint64_t h = hash_more(0xcbf29ce484222325UL, &g, sizeof g);

	h = hash_more(h, &id->class, sizeof id->class);
	h = hash_more(h, id->id.data, id->id.len);
	h = hash_more(h, id->label.data, id->label.len);
	return (unsigned)(h >> 20) % BUCKETS;
}

static unsigned digest_bucket(const struct group *g, const struct identity *id)
{
	uint64_t h = hash_more(0xcbf29ce484222325UL, &g, sizeof g);

	return (unsigned)(hash_more(h, id->digest, sizeof id->digest) >> 20) % BUCKETS;
}

static bool has_digest(const struct identity *id)
{
	return id->kind != IDENTITY_NONE;
}

static bool is_buf(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool is_name(const struct identity *a, const struct identity *b)
{
	return a->class == b->class && a->key_type == b->key_type && is_buf(&a->id, &b->id) &&
	       is_buf(&a->label, &b->label);
}

/* Session objects that are made again from their template are never looked for. */
static bool is_indexed(const struct identity *id)
{
	return has_digest(id) || id->id.len > 0 || id->label.len > 0;
}

static void index_add(struct trait *t)
{
	struct trait **bucket = &traits.by_name[name_bucket(t->group, &t->id)];

	if (!is_indexed(&t->id))
		return;
	t->name_next = *bucket;
	*bucket = t;
	if (!has_digest(&t->id))
		return;
	bucket = &traits.by_digest[digest_bucket(t->group, &t->id)];
	t->digest_next = *bucket;
	*bucket = t;
}

static void index_remove(struct trait *t)
{
	struct trait **at = &traits.by_name[name_bucket(t->group, &t->id)];

	if (!is_indexed(&t->id))
		return;
	while (*at && *at != t)
		at = &(*at)->name_next;
	if (*at)
		*at = t->name_next;
	at = &traits.by_digest[digest_bucket(t->group, &t->id)];
	while (*at && *at != t)
		at = &(*at)->digest_next;
	if (*at)
		*at = t->digest_next;
}

void trait_free_template(struct trait *t)
{
	if (t->is_tmpl_locked)
		locked_free(t->tmpl, t->tmpl_size);
	else
		free(t->tmpl);
	t->tmpl = NULL;
	t->tmpl_count = 0;
}

static void trait_free(struct trait *t)
{
	identity_free(&t->id);
	trait_free_template(t);
	free(t);
}

bool trait_add(uint32_t handle, struct group *group, struct identity *id)
{
	struct trait **bucket = &traits.by_handle[handle % BUCKETS];
	struct trait *t = calloc(1, sizeof *t);

	if (!t)
		return false;
	t->handle = handle;
	t->group = group;
	t->id = *id;
	*id = (struct identity){0};
	t->handle_next = *bucket;
	*bucket = t;
	t->next = traits.all;
	if (t->next)
		t->next->prev = t;
	traits.all = t;
	index_add(t);
	return true;
}

struct trait *trait_of(uint32_t handle)
{
	struct trait *t = traits.by_handle[handle % BUCKETS];

	while (t && t->handle != handle)
		t = t->handle_next;
	return t;
}

struct trait *trait_by_name(const struct group *g, const struct identity *id,
			    const struct trait *after)
{
	struct trait *t = after ? after->name_next : traits.by_name[name_bucket(g, id)];

	while (t && (t->group != g || !is_name(&t->id, id)))
		t = t->name_next;
	return t;
}

struct trait *trait_by_digest(const struct group *g, const struct identity *id,
			      const struct trait *after)
{
	struct trait *t;

	if (!has_digest(id))
		return NULL;
	t = after ? after->digest_next : traits.by_digest[digest_bucket(g, id)];
	while (t && (t->group != g || t->id.class != id->class || t->id.kind != id->kind ||
		     memcmp(t->id.digest, id->digest, sizeof id->digest) != 0))
		t = t->digest_next;
	return t;
}

void trait_hide(struct trait *t, bool hide)
{
	if (hide && !t->is_hidden)
		atomic_fetch_add(&hidden, 1);
	else if (!hide && t->is_hidden)
		atomic_fetch_sub(&hidden, 1);
	t->is_hidden = hide;
}

/* What stood behind this one is shown now, unless another one of the name is shown already: of
 * several the one whose member comes first. `gone` is out of the index. */
static void show_next(const struct trait *gone)
{
	struct trait *best = NULL, *t = NULL;

	if (gone->is_hidden || atomic_load(&hidden) == 0)
		return;
	while ((t = trait_by_name(gone->group, &gone->id, t)) != NULL) {
		if (!t->is_hidden)
			return;
		if (!best ||
		    object_rank(t->group, t->handle) < object_rank(best->group, best->handle))
			best = t;
	}
	if (best)
		trait_hide(best, false);
}

void trait_change(struct trait *t, struct identity *id)
{
	bool is_renamed = !is_name(&t->id, id);

	index_remove(t);
	if (is_renamed)
		show_next(t);
	identity_free(&t->id);
	t->id = *id;
	*id = (struct identity){0};
	index_add(t);
}

void trait_drop(uint32_t handle)
{
	struct trait **at, *t;

	pthread_mutex_lock(&lock);
	at = &traits.by_handle[handle % BUCKETS];
	while (*at && (*at)->handle != handle)
		at = &(*at)->handle_next;
	t = *at;
	if (t) {
		*at = t->handle_next;
		if (t->prev)
			t->prev->next = t->next;
		else
			traits.all = t->next;
		if (t->next)
			t->next->prev = t->prev;
		index_remove(t);
		show_next(t);
		trait_hide(t, false);
	}
	pthread_mutex_unlock(&lock);
	if (t)
		trait_free(t);
}

void trait_each(const struct group *group, bool (*look)(struct trait *t, void *context),
		void *context)
{
	for (struct trait *t = traits.all; t; t = t->next)
		if (t->group == group && !look(t, context))
			return;
}

bool trait_any_hidden(void)
{
	return atomic_load(&hidden) != 0;
}

bool trait_copy_identity(const struct identity *from, struct identity *to)
{
	*to = *from;
	to->id = to->label = (struct buf){0};
	if (to->public_key && EVP_PKEY_up_ref(to->public_key) != 1)
		to->public_key = NULL;
	if (buf_add(&to->id, from->id.data, from->id.len) &&
	    buf_add(&to->label, from->label.data, from->label.len) &&
	    (to->public_key || !from->public_key))
		return true;
	identity_free(to);
	return false;
}

void trait_forget_everything(bool is_forked)
{
	if (is_forked) {
		pthread_mutex_init(&lock, NULL);
	} else {
		while (traits.all) {
			struct trait *t = traits.all;

			traits.all = t->next;
			trait_free(t);
		}
	}
	memset(&traits, 0, sizeof traits);
	atomic_store(&hidden, 0);
}
