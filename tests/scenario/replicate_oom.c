/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory runs out at every single allocation of hsmux while a token object is made, changed or
 * destroyed on a virtual token that replicates:
 *
 *   replicate_oom MODULE key|pair|data|destroy|label|retired TOKEN
 *
 * The call may fail, and then nothing was done, or all: what is seen afterwards is one or the
 * other, and the same call works again. This program's malloc() takes the place of the C library's
 * for the module; what the tokens behind it and libcrypto ask for is given to them. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scenario/app.h"

/* More than any call has. */
#define ALLOCATIONS 20000U

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

#define SHOWN __attribute__((visibility("default")))

static const void *module_base;
static _Thread_local unsigned countdown; /* 0: nothing fails */
static _Thread_local bool has_failed;

static bool fails(const void *caller)
{
	Dl_info info;

	if (countdown == 0 || !dladdr(caller, &info) || info.dli_fbase != module_base)
		return false;
	has_failed = --countdown == 0;
	return has_failed;
}

SHOWN void *malloc(size_t size);
void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

SHOWN void *calloc(size_t count, size_t size);
void *calloc(size_t count, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

SHOWN void *realloc(void *old, size_t size);
void *realloc(void *old, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

SHOWN void *reallocarray(void *old, size_t count, size_t size);
void *reallocarray(void *old, size_t count, size_t size)
{
	size_t all;

	if (fails(__builtin_return_address(0)) || __builtin_mul_overflow(count, size, &all))
		return NULL;
	return __libc_realloc(old, all);
}

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static char first[] = "first", second[] = "second";

struct place {
	struct app app;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE object; /* the first one of the first name, before anything fails */
};

static unsigned find(const struct place *p, char *label, CK_OBJECT_HANDLE found[4])
{
	CK_ATTRIBUTE like = {CKA_LABEL, label, strlen(label)};
	CK_ULONG n = 0;

	OK(p->app.f->C_FindObjectsInit(p->session, &like, 1));
	OK(p->app.f->C_FindObjects(p->session, found, 4, &n));
	OK(p->app.f->C_FindObjectsFinal(p->session));
	return (unsigned)n;
}

static CK_RV make_key(struct place *p)
{
	CK_ULONG len = 32;
	CK_MECHANISM by = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE tmpl[] = {{CKA_TOKEN, &yes, sizeof yes},
			       {CKA_SENSITIVE, &yes, sizeof yes},
			       {CKA_LABEL, first, sizeof first - 1},
			       {CKA_VALUE_LEN, &len, sizeof len}};
	CK_OBJECT_HANDLE key;

	return p->app.f->C_GenerateKey(p->session, &by, tmpl, 4, &key);
}

static CK_RV make_pair(struct place *p)
{
	static CK_BYTE curve[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	CK_MECHANISM by = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_ATTRIBUTE public[] = {{CKA_TOKEN, &yes, sizeof yes},
				 {CKA_LABEL, first, sizeof first - 1},
				 {CKA_EC_PARAMS, curve, sizeof curve}};
	CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, sizeof yes},
				  {CKA_LABEL, first, sizeof first - 1},
				  {CKA_SIGN, &yes, sizeof yes}};
	CK_OBJECT_HANDLE key[2];

	return p->app.f->C_GenerateKeyPair(p->session, &by, public, 3, private, 3, &key[0],
					   &key[1]);
}

static CK_RV make_data(struct place *p)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
			       {CKA_TOKEN, &yes, sizeof yes},
			       {CKA_PRIVATE, &no, sizeof no},
			       {CKA_LABEL, first, sizeof first - 1},
			       {CKA_VALUE, second, sizeof second}};
	CK_OBJECT_HANDLE object;

	return p->app.f->C_CreateObject(p->session, tmpl, 5, &object);
}

static CK_RV destroy(struct place *p)
{
	return p->app.f->C_DestroyObject(p->session, p->object);
}

static CK_RV change(struct place *p)
{
	CK_ATTRIBUTE name = {CKA_LABEL, second, sizeof second - 1};

	return p->app.f->C_SetAttributeValue(p->session, p->object, &name, 1);
}

static void change_back(struct place *p)
{
	CK_ATTRIBUTE name = {CKA_LABEL, first, sizeof first - 1};
	CK_OBJECT_HANDLE found[4];

	if (find(p, second, found) > 0)
		OK(p->app.f->C_SetAttributeValue(p->session, found[0], &name, 1));
}

static void gone(struct place *p)
{
	CK_OBJECT_HANDLE found[4];

	for (unsigned n = find(p, first, found); n > 0; n--)
		OK(p->app.f->C_DestroyObject(p->session, found[n - 1]));
}

static void there(struct place *p)
{
	CK_OBJECT_HANDLE found[4];

	if (find(p, first, found) == 0)
		OK(make_key(p));
	CHECK(find(p, first, found) == 1);
	p->object = found[0];
}

/* What is done, and how it is made undone for the next time. */
static const struct way {
	const char *name;
	CK_RV (*act)(struct place *p);
	void (*before)(struct place *p);
	unsigned first[2]; /* objects of that name before, and after */
	unsigned second[2];
} ways[] = {
	{"key", make_key, gone, {0, 1}, {0, 0}},   {"pair", make_pair, gone, {0, 2}, {0, 0}},
	{"data", make_data, gone, {0, 1}, {0, 0}}, {"destroy", destroy, there, {1, 0}, {0, 0}},
	{"label", change, there, {1, 0}, {0, 1}},
};

/* Before it, or after. */
static bool is_at(const struct place *p, const struct way *w, bool is_done)
{
	CK_OBJECT_HANDLE found[4];

	return find(p, first, found) == w->first[is_done] &&
	       find(p, second, found) == w->second[is_done];
}

/* Fails at allocation n; false when there are not so many. */
static bool try_at(struct place *p, const struct way *w, unsigned n)
{
	CK_RV rv;

	change_back(p);
	w->before(p);
	has_failed = false;
	countdown = n;
	rv = w->act(p);
	countdown = 0;
	if (rv != CKR_OK && !has_failed) {
		fprintf(stderr, "%s: 0x%lx, and nothing failed\n", w->name, rv);
		exit(1);
	}
	if (!is_at(p, w, true) && (rv == CKR_OK || !is_at(p, w, false))) {
		CK_OBJECT_HANDLE found[4];

		fprintf(stderr,
			"%s: allocation %u failed: 0x%lx, and neither done nor undone: %u and %u\n",
			w->name, n, rv, find(p, first, found), find(p, second, found));
		exit(1);
	}
	return has_failed;
}

/* A retired key signs nothing, whatever cannot be read of its record; one that was never asked is
 * asked each time, in a process that has just begun. */
static bool sign_retired(struct place *p, char *token, unsigned n)
{
	char retired[] = "retired";
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE like[] = {{CKA_LABEL, retired, sizeof retired - 1},
			       {CKA_CLASS, &class, sizeof class}};
	CK_MECHANISM by = {CKM_ECDSA, NULL, 0};
	CK_OBJECT_HANDLE key;
	CK_ULONG found = 0;
	CK_RV rv;

	app_init(&p->app);
	p->session = app_enter(&p->app, token);
	OK(p->app.f->C_FindObjectsInit(p->session, like, 2));
	OK(p->app.f->C_FindObjects(p->session, &key, 1, &found));
	OK(p->app.f->C_FindObjectsFinal(p->session));
	CHECK(found == 1);
	has_failed = false;
	countdown = n;
	rv = p->app.f->C_SignInit(p->session, &by, key);
	countdown = 0;
	CHECK(rv != CKR_OK);
	CHECK(has_failed || rv == CKR_KEY_FUNCTION_NOT_PERMITTED);
	OK(p->app.f->C_Finalize(NULL));
	return has_failed;
}

static int retired(struct place *p, char *token)
{
	unsigned n = 1;

	while (sign_retired(p, token, n))
		n++;
	printf("retired: %u allocations\n", n - 1);
	CHECK(n > 3);
	return 0;
}

int main(int argc, char **argv)
{
	const struct way *w = ways;
	Dl_info info;
	struct place p;
	unsigned n = 1, step = getenv("OOM_STEP") ? (unsigned)atoi(getenv("OOM_STEP")) : 1;

	CHECK(argc == 4 && step > 0);
	app_load(&p.app, argv[1]);
	CHECK(dladdr(*(void **)&p.app.f->C_Initialize, &info) != 0);
	module_base = info.dli_fbase;
	if (strcmp(argv[2], "retired") == 0)
		return retired(&p, argv[3]);
	while (strcmp(w->name, argv[2]) != 0)
		CHECK(++w < ways + sizeof ways / sizeof *ways);
	app_init(&p.app);
	p.session = app_enter(&p.app, argv[3]);
	while (try_at(&p, w, n)) {
		n += step;
		CHECK(n < ALLOCATIONS);
	}
	change_back(&p);
	gone(&p);
	CHECK(n > 10);
	printf("%s: %u allocations\n", w->name, n - 1);
	OK(p.app.f->C_Finalize(NULL));
	return 0;
}
