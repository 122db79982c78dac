/* SPDX-License-Identifier: BSD-2-Clause */
/* What a member has, by its own library: every token object but the KEK and the canary, with what
 * it may do and what tells it from others. Answers of secret keys to one block stand for their
 * values. */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "tests/scenario/replicate.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* What has to be the same on all members: what a key may do, not how it came there. */
static const struct {
	CK_ATTRIBUTE_TYPE type;
	char letter;
} flags[] = {
	{CKA_PRIVATE, 'p'},     {CKA_SENSITIVE, 's'},
	{CKA_EXTRACTABLE, 'x'}, {CKA_MODIFIABLE, 'm'},
	{CKA_SIGN, 'S'},        {CKA_VERIFY, 'V'},
	{CKA_ENCRYPT, 'E'},     {CKA_DECRYPT, 'D'},
	{CKA_WRAP, 'W'},        {CKA_UNWRAP, 'U'},
	{CKA_DERIVE, 'K'},      {CKA_WRAP_WITH_TRUSTED, 't'},
	{CKA_TRUSTED, 'T'},     {CKA_COPYABLE, 'c'},
	{CKA_DESTROYABLE, 'd'}, {CKA_ALWAYS_AUTHENTICATE, 'a'},
};

static bool has(const struct item *i, char letter)
{
	for (size_t k = 0; k < COUNT(flags); k++)
		if (flags[k].letter == letter)
			return (i->is >> k & 1) != 0;
	return false;
}

/* The bytes of an attribute, and how many; 0 when it has none. */
static CK_ULONG read_bytes(const struct place *p, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
			   void *out, CK_ULONG room)
{
	CK_ATTRIBUTE a = {type, out, room};

	if (p->app.f->C_GetAttributeValue(p->session, object, &a, 1) != CKR_OK ||
	    a.ulValueLen > room)
		return 0;
	return a.ulValueLen;
}

static CK_ULONG read_number(const struct place *p, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
	CK_ULONG number = CK_UNAVAILABLE_INFORMATION;

	(void)read_bytes(p, object, type, &number, sizeof(number));
	return number;
}

static bool read_flag(const struct place *p, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL flag = CK_FALSE;

	return read_bytes(p, object, type, &flag, sizeof(flag)) == sizeof(flag) && flag;
}

/* What a secret key makes of a block. */
static CK_ULONG answer(const struct place *p, CK_OBJECT_HANDLE key, const struct item *i,
		       CK_BYTE out[static 64])
{
	CK_FUNCTION_LIST *f = p->app.f;
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0}, hmac = {CKM_SHA256_HMAC, NULL, 0};
	CK_BYTE block[16] = "sixteen bytes..";
	CK_ULONG len = 64;

	if (has(i, 'E'))
		CHECK(f->C_EncryptInit(p->session, &ecb, key) == CKR_OK &&
		      f->C_Encrypt(p->session, block, sizeof(block), out, &len) == CKR_OK);
	else if (has(i, 'D'))
		CHECK(f->C_DecryptInit(p->session, &ecb, key) == CKR_OK &&
		      f->C_Decrypt(p->session, block, sizeof(block), out, &len) == CKR_OK);
	else if (has(i, 'S'))
		CHECK(f->C_SignInit(p->session, &hmac, key) == CKR_OK &&
		      f->C_Sign(p->session, block, sizeof(block), out, &len) == CKR_OK);
	else
		len = 0;
	return len;
}

/* The public key of that id that verifies what the private key signs. */
static bool is_pair(const struct place *p, CK_OBJECT_HANDLE key, const struct item *i)
{
	CK_FUNCTION_LIST *f = p->app.f;
	CK_MECHANISM mechanism = {i->key_type == CKK_EC ? CKM_ECDSA : CKM_SHA256_RSA_PKCS, NULL, 0};
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	char label[40];
	CK_ATTRIBUTE like[] = {{CKA_CLASS, &class, sizeof(class)},
			       {CKA_LABEL, label, strlen(i->label)}};
	CK_BYTE hash[32] = {7}, signature[512];
	CK_ULONG len = sizeof(signature), count = 0;
	CK_OBJECT_HANDLE public;

	memcpy(label, i->label, sizeof(label));
	OK(f->C_FindObjectsInit(p->session, like, 2));
	OK(f->C_FindObjects(p->session, &public, 1, &count));
	OK(f->C_FindObjectsFinal(p->session));
	return count == 1 && f->C_SignInit(p->session, &mechanism, key) == CKR_OK &&
	       f->C_Sign(p->session, hash, sizeof(hash), signature, &len) == CKR_OK &&
	       f->C_VerifyInit(p->session, &mechanism, public) == CKR_OK &&
	       f->C_Verify(p->session, hash, sizeof(hash), signature, len) == CKR_OK;
}

static bool says(const CK_BYTE *text, CK_ULONG len, const char *word)
{
	return memmem(text, len, word, strlen(word)) != NULL;
}

static void take_print(const struct place *p, CK_OBJECT_HANDLE object, struct item *i)
{
	static CK_BYTE bytes[8192];
	CK_ULONG len = 0;

	switch (i->class) {
	case CKO_SECRET_KEY:
		len = answer(p, object, i, bytes);
		break;
	case CKO_PRIVATE_KEY:
		i->is_wrong = !is_pair(p, object, i);
		break;
	case CKO_PUBLIC_KEY:
		len = read_bytes(p, object, i->key_type == CKK_EC ? CKA_EC_POINT : CKA_MODULUS,
				 bytes, sizeof(bytes));
		break;
	default:
		len = read_bytes(p, object, CKA_VALUE, bytes, sizeof(bytes));
		break;
	}
	i->is_ours = strncmp(i->label, "hsmux-k-", 8) == 0;
	i->is_owing = i->is_ours &&
		      (says(bytes, len, "\nstate destroyed\n") || says(bytes, len, "\nowed "));
	if (!i->is_ours) /* records have versions */
		(void)SHA256(bytes, len, i->print);
}

static void take_item(const struct place *p, CK_OBJECT_HANDLE object, struct item *i)
{
	memset(i, 0, sizeof(*i));
	i->class = read_number(p, object, CKA_CLASS);
	i->key_type = read_number(p, object, CKA_KEY_TYPE);
	(void)read_bytes(p, object, CKA_LABEL, i->label, sizeof(i->label) - 1);
	(void)read_bytes(p, object, CKA_ID, i->id, sizeof(i->id));
	for (size_t k = 0; k < COUNT(flags); k++)
		i->is |= read_flag(p, object, flags[k].type) ? 1UL << k : 0;
}

/* What hsmux has on every member. */
static bool stays(const struct item *i)
{
	return strncmp(i->label, "hsmux-kek", 9) == 0 || strcmp(i->label, "hsmux-canary") == 0;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct item));
}

static void take_all(const struct place *p, struct stock *out, bool cleans)
{
	CK_OBJECT_HANDLE found[64];
	CK_ULONG count = 0;

	OK(p->app.f->C_FindObjectsInit(p->session, NULL, 0));
	OK(p->app.f->C_FindObjects(p->session, found, COUNT(found), &count));
	OK(p->app.f->C_FindObjectsFinal(p->session));
	memset(out, 0, sizeof(*out));
	for (CK_ULONG k = 0; k < count; k++) {
		struct item i;

		take_item(p, found[k], &i);
		if (stays(&i))
			continue;
		take_print(p, found[k], &i);
		if (out->count < ITEMS)
			out->items[out->count] = i;
		out->count += out->count <= ITEMS;
	}
	qsort(out->items, out->count < ITEMS ? out->count : ITEMS, sizeof(struct item), compare);
	for (CK_ULONG k = 0; cleans && k < count; k++) {
		struct item i;

		take_item(p, found[k], &i);
		if (!stays(&i))
			OK(p->app.f->C_DestroyObject(p->session, found[k]));
	}
}

void stock_take(const char *library, const struct store *store, struct stock *out, bool cleans)
{
	struct place p = {0};

	CHECK(setenv("SOFTHSM2_CONF", store->conf, 1) == 0);
	app_load(&p.app, library);
	app_init(&p.app);
	p.session = app_enter(&p.app, store->name);
	take_all(&p, out, cleans);
	OK(p.app.f->C_Finalize(NULL));
}

void stock_keep(struct store *store)
{
	glob_t found;

	CHECK(glob(store->objects, 0, NULL, &found) == 0 && found.gl_pathc <= KEPT);
	for (size_t i = 0; i < found.gl_pathc; i++)
		store->kept[store->kept_count++] = strdup(found.gl_pathv[i]);
	globfree(&found);
}

void stock_clean(const struct store *store)
{
	glob_t found;

	CHECK(glob(store->objects, 0, NULL, &found) == 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		bool stays = false;

		for (unsigned k = 0; k < store->kept_count; k++)
			stays = stays || strcmp(store->kept[k], found.gl_pathv[i]) == 0;
		CHECK(stays || unlink(found.gl_pathv[i]) == 0);
	}
	globfree(&found);
}

unsigned stock_count(const struct stock *stock, const char *label)
{
	unsigned n = 0;

	for (unsigned k = 0; k < stock->count && k < ITEMS; k++)
		n += strcmp(stock->items[k].label, label) == 0;
	return n;
}

unsigned stock_pending(const struct stock *stock)
{
	unsigned n = 0;

	for (unsigned k = 0; k < stock->count && k < ITEMS; k++)
		n += strncmp(stock->items[k].label, "hsmux-pending-", 14) == 0;
	return n;
}

static bool can_encrypt(const struct item *i)
{
	return has(i, 'E');
}

static bool is_loose(const struct item *i)
{
	return has(i, 'x') && !has(i, 't');
}

/* Whether one that is labelled MADE does. */
static bool any(const struct stock *stock, bool (*does)(const struct item *i))
{
	for (unsigned k = 0; k < stock->count && k < ITEMS; k++)
		if (strcmp(stock->items[k].label, MADE) == 0 && does(&stock->items[k]))
			return true;
	return false;
}

bool stock_is(const struct stock *stock, const struct way *way, bool is_done)
{
	return stock_count(stock, MADE) == way->made[is_done] &&
	       stock_count(stock, OLD) == way->old[is_done] &&
	       (!way->loses_use || any(stock, can_encrypt) != is_done) &&
	       (!way->loses_export || any(stock, is_loose) != is_done);
}

static const char *item_fault(const struct item *i, const struct way *way)
{
	if (strncmp(i->label, "hsmux-", 6) == 0 && !i->is_ours)
		return "something of hsmux's own was left";
	if (i->is_owing)
		return "something is still to be done";
	if (i->is_wrong)
		return "a private key without its public key";
	if (i->class != CKO_SECRET_KEY && i->class != CKO_PRIVATE_KEY)
		return NULL;
	if (!has(i, 's'))
		return "a key whose value can be read";
	return is_loose(i) && !way->loses_export ? "a key that anybody can wrap" : NULL;
}

const char *stock_fault(const struct stock *stock, const struct way *way)
{
	const char *words = stock->count > ITEMS ? "too many objects" : NULL;

	for (unsigned k = 0; !words && k < stock->count; k++)
		words = item_fault(&stock->items[k], way);
	return words;
}

bool stock_owes(const struct stock *stock)
{
	for (unsigned k = 0; k < stock->count && k < ITEMS; k++)
		if (stock->items[k].is_owing)
			return true;
	return false;
}

bool stock_same(const struct stock *a, const struct stock *b)
{
	return a->count == b->count && memcmp(a->items, b->items, sizeof(a->items)) == 0;
}

void stock_show(const struct store *store, const struct stock *stock)
{
	printf("  %s:\n", store->name);
	for (unsigned k = 0; k < stock->count && k < ITEMS; k++) {
		const struct item *i = &stock->items[k];

		printf("    \"%s\" class %lu type %lu id %02x%02x ", i->label, i->class,
		       i->key_type == CK_UNAVAILABLE_INFORMATION ? 999UL : i->key_type, i->id[0],
		       i->id[1]);
		for (size_t n = 0; n < COUNT(flags); n++)
			if (i->is >> n & 1)
				putchar(flags[n].letter);
		printf(" print %02x%02x%s%s\n", i->print[0], i->print[1],
		       i->is_owing ? " owing" : "", i->is_wrong ? " wrong" : "");
	}
}
