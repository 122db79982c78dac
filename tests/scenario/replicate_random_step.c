/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps of an application: calls that make, change and destroy token objects, and looks at what
 * should be there. Before each call the model says that it may have been done, after it what the
 * application was told: a process that is killed in between leaves the doubt. */
#include <stdio.h>
#include <string.h>

#include "tests/scenario/replicate_random.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define GET(type, where)                                                                           \
	{                                                                                          \
		type, &(where), sizeof(where)                                                      \
	}
#define TEXT(type, where)                                                                          \
	{                                                                                          \
		type, where, strlen(where)                                                         \
	}

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_ULONG key_len = 32;
static CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};

static bool is_key(const struct thing *t)
{
	return t->kind == KIND_AES || t->kind == KIND_SECRET || t->kind == KIND_PRIVATE;
}

/* A change was answered. Where nothing is wrong, nothing may fail. */
static void answered(const struct actor *a, const char *what, struct thing *t, bool was_calm,
		     CK_RV rv)
{
	const struct looks *p = &t->perhaps;

	atomic_fetch_add(&a->world->acted, 1);
	fprintf(stderr, "= step %u: %s of %s \"%s\" (\"%s\" id %02x%s%s) gave 0x%lx\n",
		atomic_load(&a->world->step), what, kind_name(t->kind), t->now.label, p->label,
		p->id, p->encrypt ? " encrypt" : "", p->extractable ? " extractable" : "", rv);
	if (rv == CKR_OK)
		atomic_fetch_add(&a->world->done, 1);
	else if (was_calm && atomic_load(&a->world->was_calm))
		wrong(a->world, "%s of %s \"%s\" gave 0x%lx, and nothing is wrong with any member",
		      what, kind_name(t->kind), t->now.label, rv);
}

/* A new one, in doubt until it is made. NULL: there is no room. */
static struct thing *begin(struct actor *a, enum kind kind)
{
	struct lane *l = a->lane;
	struct thing *t = l->count < THINGS ? &l->things[l->count] : NULL;

	if (!t)
		return NULL;
	memset(t, 0, sizeof(*t));
	t->kind = kind;
	t->half = -1;
	(void)snprintf(t->now.label, sizeof(t->now.label), "%c%u", l == a->world->lane ? 'p' : 'q',
		       l->count);
	t->now.id = kind == KIND_DATA ? 0 : (CK_BYTE)(1 + any(l, 250));
	t->now.value = kind == KIND_DATA || kind == KIND_CERTIFICATE ? (CK_BYTE)any(l, 256) : 0;
	t->now.encrypt = kind == KIND_AES && any(l, 4) > 0;
	t->now.extractable = is_key(t) && any(l, 3) == 0;
	t->perhaps = t->now;
	t->being = BEING_DOUBT;
	l->count++;
	return t;
}

/* What was refused because the rule could not be kept was not begun. */
static void made(const struct actor *a, struct thing *t, bool was_calm, CK_RV rv)
{
	if (rv == CKR_OK)
		t->being = BEING_THERE;
	else if (rv == CKR_TOKEN_WRITE_PROTECTED)
		t->being = BEING_GONE;
	t->was_made = rv == CKR_OK;
	answered(a, "making", t, was_calm, rv);
}

static void make_aes(struct actor *a)
{
	const bool was_calm = atomic_load(&a->world->was_calm);
	struct thing *t = begin(a, KIND_AES);
	CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
	CK_OBJECT_HANDLE key;

	if (!t)
		return;
	CK_ATTRIBUTE tmpl[] = {GET(CKA_TOKEN, yes),
			       GET(CKA_PRIVATE, yes),
			       GET(CKA_SENSITIVE, yes),
			       GET(CKA_DECRYPT, yes),
			       GET(CKA_SIGN, no),
			       GET(CKA_VERIFY, no),
			       GET(CKA_VALUE_LEN, key_len),
			       GET(CKA_ENCRYPT, t->now.encrypt),
			       GET(CKA_EXTRACTABLE, t->now.extractable),
			       GET(CKA_ID, t->now.id),
			       TEXT(CKA_LABEL, t->now.label)};
	made(a, t, was_calm,
	     a->app.f->C_GenerateKey(a->session, &mechanism, tmpl, COUNT(tmpl), &key));
}

static void make_pair(struct actor *a)
{
	const bool was_calm = atomic_load(&a->world->was_calm);
	CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	struct thing *public, *private;
	CK_OBJECT_HANDLE keys[2];
	CK_RV rv;

	if (a->lane->count + 2 > THINGS)
		return;
	public = begin(a, KIND_PUBLIC);
	private = begin(a, KIND_PRIVATE);
	private->half = (int)a->lane->count - 2;
	private->now.id = private->perhaps.id = public->now.id;
	CK_ATTRIBUTE out[] = {GET(CKA_TOKEN, yes), GET(CKA_VERIFY, yes), GET(CKA_EC_PARAMS, p256),
			      GET(CKA_ID, public->now.id), TEXT(CKA_LABEL, public->now.label)};
	CK_ATTRIBUTE in[] = {GET(CKA_TOKEN, yes),
			     GET(CKA_PRIVATE, yes),
			     GET(CKA_SENSITIVE, yes),
			     GET(CKA_SIGN, yes),
			     GET(CKA_EXTRACTABLE, private->now.extractable),
			     GET(CKA_ID, private->now.id),
			     TEXT(CKA_LABEL, private->now.label)};
	rv = a->app.f->C_GenerateKeyPair(a->session, &mechanism, out, COUNT(out), in, COUNT(in),
					 &keys[0], &keys[1]);
	made(a, public, was_calm, rv);
	made(a, private, was_calm, rv);
	if (rv == CKR_OK) /* from now on each half is an object of its own */
		thing_check(a, a->lane, public);
}

/* SoftHSM2 keeps whatever is said to be a certificate. */
static void create(struct actor *a)
{
	static const enum kind kinds[] = {KIND_SECRET, KIND_DATA, KIND_CERTIFICATE};
	static CK_OBJECT_CLASS classes[] = {CKO_SECRET_KEY, CKO_DATA, CKO_CERTIFICATE};
	static CK_KEY_TYPE generic = CKK_GENERIC_SECRET;
	static CK_CERTIFICATE_TYPE x509 = CKC_X_509;
	const bool was_calm = atomic_load(&a->world->was_calm);
	struct thing *t = begin(a, kinds[any(a->lane, 3)]);
	CK_BYTE value[32];
	CK_OBJECT_HANDLE object;
	CK_ULONG n = 4;

	if (!t)
		return;
	memset(value, t->now.value, sizeof(value));
	for (unsigned i = 0; t->kind == KIND_SECRET && i < sizeof(value); i++)
		value[i] = (CK_BYTE)any(a->lane, 256);
	CK_ATTRIBUTE all[12] = {GET(CKA_CLASS, classes[t->kind - KIND_SECRET]), GET(CKA_TOKEN, yes),
				TEXT(CKA_LABEL, t->now.label), GET(CKA_VALUE, value)};
	CK_ATTRIBUTE secret[] = {
		GET(CKA_KEY_TYPE, generic), GET(CKA_SENSITIVE, yes),
		GET(CKA_PRIVATE, yes),      GET(CKA_SIGN, yes),
		GET(CKA_VERIFY, yes),       GET(CKA_EXTRACTABLE, t->now.extractable),
		GET(CKA_ID, t->now.id)};
	CK_ATTRIBUTE certificate[] = {GET(CKA_CERTIFICATE_TYPE, x509), GET(CKA_SUBJECT, t->now.id),
				      GET(CKA_ID, t->now.id)};

	if (t->kind != KIND_SECRET)
		all[3].ulValueLen = 16;
	for (size_t i = 0; t->kind == KIND_SECRET && i < COUNT(secret); i++)
		all[n++] = secret[i];
	for (size_t i = 0; t->kind == KIND_CERTIFICATE && i < COUNT(certificate); i++)
		all[n++] = certificate[i];
	made(a, t, was_calm, a->app.f->C_CreateObject(a->session, all, n, &object));
}

/* A key of 32 bytes, wrapped under another one; both are the session's, and may be lost with a
 * member. */
static CK_RV wrap(const struct actor *a, CK_OBJECT_HANDLE *by, CK_BYTE out[static 64],
		  CK_ULONG *len)
{
	CK_MECHANISM make = {CKM_AES_KEY_GEN, NULL, 0}, aes_wrap = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_FUNCTION_LIST *f = a->app.f;
	CK_OBJECT_HANDLE key = 0;
	CK_ATTRIBUTE tmpl[] = {GET(CKA_TOKEN, no),    GET(CKA_VALUE_LEN, key_len),
			       GET(CKA_WRAP, yes),    GET(CKA_UNWRAP, yes),
			       GET(CKA_ENCRYPT, yes), GET(CKA_EXTRACTABLE, yes)};
	CK_RV rv = f->C_GenerateKey(a->session, &make, tmpl, COUNT(tmpl), by);

	if (rv == CKR_OK)
		rv = f->C_GenerateKey(a->session, &make, tmpl, COUNT(tmpl), &key);
	*len = 64;
	if (rv == CKR_OK)
		rv = f->C_WrapKey(a->session, &aes_wrap, *by, key, out, len);
	if (key != 0)
		(void)f->C_DestroyObject(a->session, key);
	return rv;
}

static void unwrap(struct actor *a)
{
	static CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	static CK_KEY_TYPE type = CKK_AES;
	const bool was_calm = atomic_load(&a->world->was_calm);
	CK_MECHANISM aes_wrap = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_OBJECT_HANDLE by = 0, key;
	CK_BYTE wrapped[64];
	CK_ULONG len;
	struct thing *t = wrap(a, &by, wrapped, &len) == CKR_OK ? begin(a, KIND_AES) : NULL;

	if (t) {
		CK_ATTRIBUTE tmpl[] = {GET(CKA_CLASS, class),
				       GET(CKA_KEY_TYPE, type),
				       GET(CKA_TOKEN, yes),
				       GET(CKA_PRIVATE, yes),
				       GET(CKA_SENSITIVE, yes),
				       GET(CKA_DECRYPT, yes),
				       GET(CKA_ENCRYPT, t->now.encrypt),
				       GET(CKA_EXTRACTABLE, t->now.extractable),
				       GET(CKA_ID, t->now.id),
				       TEXT(CKA_LABEL, t->now.label)};

		made(a, t, was_calm,
		     a->app.f->C_UnwrapKey(a->session, &aes_wrap, by, wrapped, len, tmpl,
					   COUNT(tmpl), &key));
	}
	if (by != 0)
		(void)a->app.f->C_DestroyObject(a->session, by);
}

/* One of those that are there, and not in doubt; NULL when there is none. */
static struct thing *pick(const struct actor *a)
{
	struct lane *l = a->lane;

	for (unsigned i = 0; l->count > 0 && i < 20; i++) {
		struct thing *t = &l->things[any(l, l->count)];

		if (t->being == BEING_THERE && !thing_is_doubtful(t))
			return t;
	}
	return NULL;
}

/* Its handle; 0 when it cannot be found, which is wrong where that is promised. */
static CK_OBJECT_HANDLE handle_of(const struct actor *a, const struct thing *t)
{
	const unsigned before = atomic_load(&a->world->changes);
	const bool is_promised = promises_sight(a->world);
	CK_OBJECT_HANDLE object = 0;
	unsigned count;
	CK_RV rv = thing_find(a, t->kind, t->now.label, &count, &object);

	if ((rv != CKR_OK || count != 1) && is_promised && promises_sight(a->world) &&
	    before == atomic_load(&a->world->changes))
		wrong(a->world, "%s \"%s\" is found %u times (0x%lx)", kind_name(t->kind),
		      t->now.label, count, rv);
	return object;
}

/* The copy is another key: it may be used for something else. */
static void copy(struct actor *a)
{
	const bool was_calm = atomic_load(&a->world->was_calm);
	const struct thing *from = pick(a);
	CK_OBJECT_HANDLE object = from && from->kind == KIND_AES ? handle_of(a, from) : 0, key;
	struct thing *t = object ? begin(a, KIND_AES) : NULL;

	if (!t)
		return;
	t->now.encrypt = !from->now.encrypt;
	t->now.extractable = from->now.extractable;
	memcpy(t->proof, from->proof, sizeof(t->proof));
	t->proof_len = from->proof_len;
	t->perhaps = t->now;
	fprintf(stderr, "= step %u: \"%s\" is to be a copy of \"%s\"\n",
		atomic_load(&a->world->step), t->now.label, from->now.label);
	CK_ATTRIBUTE tmpl[] = {GET(CKA_TOKEN, yes), GET(CKA_ENCRYPT, t->now.encrypt),
			       GET(CKA_ID, t->now.id), TEXT(CKA_LABEL, t->now.label)};
	made(a, t, was_calm, a->app.f->C_CopyObject(a->session, object, tmpl, COUNT(tmpl), &key));
}

/* An attribute that is to be another one; 0: this object has it not. SoftHSM2 lets nobody change
 * the value of a data object, whose label is content, too. */
static CK_ULONG change_one(struct actor *a, struct thing *t, CK_ATTRIBUTE *out)
{
	struct looks *p = &t->perhaps;

	switch (any(a->lane, 3)) {
	case 0:
		p->encrypt = t->kind == KIND_AES ? !p->encrypt : p->encrypt;
		*out = (CK_ATTRIBUTE)GET(CKA_ENCRYPT, p->encrypt);
		return t->kind == KIND_AES;
	case 1:
		p->extractable = CK_FALSE;
		*out = (CK_ATTRIBUTE)GET(CKA_EXTRACTABLE, p->extractable);
		return t->now.extractable;
	default:
		p->id = t->kind == KIND_DATA ? 0 : (CK_BYTE)(1 + any(a->lane, 250));
		*out = (CK_ATTRIBUTE)GET(CKA_ID, p->id);
		return t->kind != KIND_DATA;
	}
}

static void change(struct actor *a)
{
	const bool was_calm = atomic_load(&a->world->was_calm);
	struct thing *t = pick(a);
	CK_OBJECT_HANDLE object = t ? handle_of(a, t) : 0;
	CK_ATTRIBUTE tmpl[2];
	CK_ULONG n;
	CK_RV rv;

	if (!object)
		return;
	n = change_one(a, t, tmpl);
	if (n == 0 || any(a->lane, 4) == 0) {
		(void)snprintf(t->perhaps.label, sizeof(t->perhaps.label), "%.*s-%u",
			       (int)strcspn(t->now.label, "-"), t->now.label,
			       any(a->lane, 1000000));
		tmpl[n++] = (CK_ATTRIBUTE)TEXT(CKA_LABEL, t->perhaps.label);
	}
	rv = a->app.f->C_SetAttributeValue(a->session, object, tmpl, n);
	if (rv == CKR_OK)
		t->now = t->perhaps;
	else if (rv == CKR_TOKEN_WRITE_PROTECTED)
		t->perhaps = t->now;
	answered(a, "a change", t, was_calm, rv);
}

static void destroy(struct actor *a)
{
	const bool was_calm = atomic_load(&a->world->was_calm);
	struct thing *t = pick(a);
	CK_OBJECT_HANDLE object = t ? handle_of(a, t) : 0;
	CK_RV rv;

	if (!object)
		return;
	t->being = BEING_DOUBT;
	rv = a->app.f->C_DestroyObject(a->session, object);
	if (rv == CKR_OK)
		t->being = BEING_GONE;
	else if (rv == CKR_TOKEN_WRITE_PROTECTED)
		t->being = BEING_THERE;
	answered(a, "the end", t, was_calm, rv);
}

static void check_some(struct actor *a)
{
	struct lane *l = a->lane;

	for (unsigned i = 0; l->count > 0 && i < 3; i++)
		thing_check(a, l, &l->things[any(l, l->count)]);
}

void step_take(struct actor *a)
{
	static const struct {
		unsigned weight;
		void (*take)(struct actor *a);
	} steps[] = {
		{16, make_aes}, {10, make_pair}, {12, create},  {6, unwrap},
		{6, copy},      {24, change},    {12, destroy}, {14, check_some},
	};
	unsigned n = any(a->lane, 100);

	atomic_fetch_add(&a->world->step, 1);
	for (size_t i = 0; i < COUNT(steps); i++) {
		if (n < steps[i].weight) {
			steps[i].take(a);
			return;
		}
		n -= steps[i].weight;
	}
}
