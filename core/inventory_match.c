/* SPDX-License-Identifier: BSD-2-Clause */
/* Which objects of the members are one and the same.
 *
 * First sets of instances with the same content: by digest, and for secret keys that answered in
 * different ways by asking each in the others' ways. Then each set falls into logical objects, with
 * one instance on each member at the most: those of the same name first, the rest as they come (an
 * object that was renamed on one member is not two). Sorting throughout, so that tokens with many
 * objects take no longer than reading them. */
#include <stdlib.h>
#include <string.h>

#include "core/identity_attr.h"
#include "core/identity_secret.h"
#include "core/inventory_part.h"

/* Ways in which secret keys answered, for which others are asked, at the most. */
#define WAYS_MAX 16

/* An answer of a secret key by one way; an instance may have several. */
struct answer {
	CK_KEY_TYPE type;
	CK_MECHANISM_TYPE mechanism;
	CK_FLAGS use;
	uint8_t digest[32];
	struct instance *in;
};

static int order_bytes(const struct buf *a, const struct buf *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = len > 0 ? memcmp(a->data, b->data, len) : 0;

	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/* The set's first instance, whose own number the set has. */
static size_t root(struct inventory *inv, size_t i)
{
	while (inv->instances[i].set != i)
		i = inv->instances[i].set = inv->instances[inv->instances[i].set].set;
	return i;
}

static void join(struct inventory *inv, const struct instance *a, const struct instance *b)
{
	size_t x = root(inv, (size_t)(a - inv->instances));
	size_t y = root(inv, (size_t)(b - inv->instances));

	if (x < y)
		inv->instances[y].set = x;
	else
		inv->instances[x].set = y;
}

/* Instances whose content, or public key, says what they are. */
static int order_content(const void *a, const void *b)
{
	const struct instance *x = *(struct instance *const *)a;
	const struct instance *y = *(struct instance *const *)b;
	int order = ORDER(x->id.class, y->id.class);

	if (order == 0)
		order = ORDER(x->id.key_type, y->id.key_type);
	if (order == 0)
		order = ORDER(x->id.kind, y->id.kind);
	if (order == 0)
		order = memcmp(x->id.digest, y->id.digest, sizeof x->id.digest);
	return order;
}

static bool is_plain(const struct instance *in)
{
	return (in->id.kind == IDENTITY_VALUE || in->id.kind == IDENTITY_PUBLIC) &&
	       !in->is_unproven;
}

static CK_RV join_contents(struct inventory *inv)
{
	struct instance **list = calloc(inv->instance_count + 1, sizeof *list);
	size_t n = 0;

	if (!list)
		return CKR_HOST_MEMORY;
	for (size_t i = 0; i < inv->instance_count; i++)
		if (is_plain(&inv->instances[i]))
			list[n++] = &inv->instances[i];
	qsort(list, n, sizeof *list, order_content);
	for (size_t i = 1; i < n; i++)
		if (order_content(&list[i - 1], &list[i]) == 0)
			join(inv, list[i - 1], list[i]);
	free(list);
	return CKR_OK;
}

static int order_answer(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;
	int order = ORDER(x->type, y->type);

	if (order == 0)
		order = ORDER(x->mechanism, y->mechanism);
	if (order == 0)
		order = ORDER(x->use, y->use);
	if (order == 0)
		order = memcmp(x->digest, y->digest, sizeof x->digest);
	return order;
}

static struct answer own_answer(struct instance *in)
{
	struct answer a = {in->id.key_type, in->id.mechanism, in->id.use, {0}, in};

	memcpy(a.digest, in->id.digest, sizeof a.digest);
	return a;
}

/* The ways that occur; more than WAYS_MAX are left out. */
static size_t find_ways(struct inventory *inv, struct answer ways[static WAYS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < inv->instance_count; i++) {
		struct answer a = own_answer(&inv->instances[i]);
		size_t k = 0;

		if (a.in->id.kind != IDENTITY_ANSWER)
			continue;
		while (k < n && (ways[k].type != a.type || ways[k].mechanism != a.mechanism ||
				 ways[k].use != a.use))
			k++;
		if (k == n && n < WAYS_MAX)
			ways[n++] = a;
	}
	return n;
}

/* Lets a secret key answer in this way. A key that does not, or a member that fails, says nothing.
 */
static CK_RV ask(struct inventory *inv, struct instance *in, const struct answer *way,
		 struct answer *out, bool *answered)
{
	static const CK_ATTRIBUTE_TYPE types[] = {IDENTITY_SECRET_USES};
	struct identity_answer as = {.mechanism = way->mechanism, .use = way->use}, now = {0};
	struct member_session *ms = NULL;
	struct identity_attrs attrs = {0};
	CK_RV rv = inventory_take(&inv->group->members[in->member], &ms);

	*answered = false;
	if (rv == CKR_OK)
		rv = identity_attrs_read(ms, in->real, types, sizeof types / sizeof types[0],
					 &attrs);
	if (rv == CKR_OK)
		rv = identity_secret_ask(ms, in->real, in->id.key_type, &attrs, &as, &now,
					 answered);
	identity_attrs_free(&attrs);
	if (ms && rv == CKR_OK && *answered)
		pool_give(ms, 0);
	else if (ms)
		pool_drop(ms);
	*out = (struct answer){way->type, way->mechanism, way->use, {0}, in};
	memcpy(out->digest, now.digest, sizeof out->digest);
	return rv == CKR_HOST_MEMORY ? rv : CKR_OK;
}

/* Appends the answers of one key: its own, and those in the ways of others of its type. */
static CK_RV add_answers(struct inventory *inv, struct instance *in, const struct answer *ways,
			 size_t way_count, struct buf *answers)
{
	struct answer a = own_answer(in);
	bool answered;
	CK_RV rv = buf_add(answers, &a, sizeof a) ? CKR_OK : CKR_HOST_MEMORY;

	for (size_t i = 0; rv == CKR_OK && i < way_count; i++) {
		if (ways[i].type != in->id.key_type ||
		    (ways[i].mechanism == in->id.mechanism && ways[i].use == in->id.use))
			continue;
		rv = ask(inv, in, &ways[i], &a, &answered);
		if (rv == CKR_OK && answered && !buf_add(answers, &a, sizeof a))
			rv = CKR_HOST_MEMORY;
	}
	return rv;
}

static CK_RV join_answers(struct inventory *inv)
{
	struct answer ways[WAYS_MAX], *list;
	size_t way_count = find_ways(inv, ways), n;
	struct buf answers = {0};
	CK_RV rv = CKR_OK;

	for (size_t i = 0; rv == CKR_OK && i < inv->instance_count; i++)
		if (inv->instances[i].id.kind == IDENTITY_ANSWER)
			rv = add_answers(inv, &inv->instances[i], ways, way_count, &answers);
	list = (struct answer *)(void *)answers.data;
	n = answers.len / sizeof *list;
	if (rv == CKR_OK && n > 1) {
		qsort(list, n, sizeof *list, order_answer);
		for (size_t i = 1; i < n; i++)
			if (order_answer(&list[i - 1], &list[i]) == 0)
				join(inv, list[i - 1].in, list[i].in);
	}
	buf_free(&answers);
	return rv;
}

static int order_name(const struct instance *x, const struct instance *y)
{
	int order = order_bytes(&x->id.label, &y->id.label);

	return order != 0 ? order : order_bytes(&x->id.id, &y->id.id);
}

/* By set, name, member. */
static int order_set(const void *a, const void *b)
{
	const struct instance *x = *(struct instance *const *)a;
	const struct instance *y = *(struct instance *const *)b;
	int order = ORDER(x->set, y->set);

	if (order == 0)
		order = order_name(x, y);
	if (order == 0)
		order = ORDER(x->member, y->member);
	return order != 0 ? order : ORDER(x->real, y->real);
}

/* Instances of one set and one name: the n-th of each member belong together. */
static void add_named(struct inventory *inv, struct instance **list, size_t n)
{
	size_t base = inv->logical_count;
	unsigned nth[CONFIG_MAX_MEMBERS] = {0};

	for (size_t i = 0; i < n; i++) {
		unsigned m = list[i]->member;
		struct logical *l = &inv->logicals[base + nth[m]];

		if (base + nth[m] == inv->logical_count) {
			inv->logical_count++;
			l->ordinal = nth[m];
		}
		l->at[m] = list[i];
		l->holders |= 1U << m;
		nth[m]++;
	}
}

/* Objects of a set with different names that are nowhere together are one that was renamed. `open`
 * says for each mask of holders which logical object, counted from 1, has these, and may get more.
 */
static void merge_renamed(struct inventory *inv, size_t base)
{
	unsigned open[1U << CONFIG_MAX_MEMBERS] = {0};
	size_t kept = base;

	for (size_t i = base; i < inv->logical_count; i++) {
		struct logical *l = &inv->logicals[i], *to = NULL;
		unsigned mask = 0;

		while (mask < 1U << CONFIG_MAX_MEMBERS && (open[mask] == 0 || mask & l->holders))
			mask++;
		if (l->ordinal > 0 || mask == 1U << CONFIG_MAX_MEMBERS) {
			inv->logicals[kept] = *l;
			if (l->ordinal == 0)
				open[l->holders] = (unsigned)kept + 1;
			kept++;
			continue;
		}
		to = &inv->logicals[open[mask] - 1];
		for (unsigned m = 0; m < CONFIG_MAX_MEMBERS; m++)
			if (l->at[m])
				to->at[m] = l->at[m];
		to->holders |= l->holders;
		open[to->holders] = open[mask];
		open[mask] = 0;
	}
	inv->logical_count = kept;
}

static void split_set(struct inventory *inv, struct instance **list, size_t n)
{
	size_t base = inv->logical_count, from = 0;

	for (size_t i = 1; i <= n; i++) {
		if (i < n && order_name(list[i - 1], list[i]) == 0)
			continue;
		add_named(inv, list + from, i - from);
		from = i;
	}
	merge_renamed(inv, base);
	/* What was merged away may have left something behind. */
	memset(inv->logicals + inv->logical_count, 0,
	       (base + n - inv->logical_count) * sizeof *inv->logicals);
}

static CK_RV make_logicals(struct inventory *inv)
{
	struct instance **list = calloc(inv->instance_count + 1, sizeof *list);
	size_t n = inv->instance_count, from = 0;

	inv->logicals = calloc(n + 1, sizeof *inv->logicals);
	if (!list || !inv->logicals) {
		free(list);
		return CKR_HOST_MEMORY;
	}
	for (size_t i = 0; i < n; i++) {
		inv->instances[i].set = root(inv, i);
		list[i] = &inv->instances[i];
	}
	qsort(list, n, sizeof *list, order_set);
	for (size_t i = 1; i <= n && n > 0; i++) {
		if (i < n && list[i]->set == list[from]->set)
			continue;
		split_set(inv, list + from, i - from);
		from = i;
	}
	free(list);
	return CKR_OK;
}

CK_RV inventory_match(struct inventory *inv)
{
	CK_RV rv;

	for (size_t i = 0; i < inv->instance_count; i++)
		inv->instances[i].set = i;
	rv = join_contents(inv);
	if (rv == CKR_OK)
		rv = join_answers(inv);
	return rv == CKR_OK ? make_logicals(inv) : rv;
}
