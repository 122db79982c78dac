/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks by calls that are odd: templates within templates, wrapped keys that are unwrapped as
 * something else, handles that nobody gave inside of mechanisms, several interfaces, and two
 * threads. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scenario/attack.h"

/* More than these tests make. */
#define GUESSES    64
#define INTERFACES 8
#define BLOB_MAX   4096

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static unsigned char iv[16];

static CK_ATTRIBUTE loose[] = {{CKA_EXTRACTABLE, &yes, 1},
			       {CKA_SENSITIVE, &no, 1},
			       {CKA_WRAP_WITH_TRUSTED, &no, 1},
			       {CKA_TOKEN, &yes, 1}};

static const CK_ATTRIBUTE_TYPE outer[] = {CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE,
					  CKA_DERIVE_TEMPLATE};

/* It is taken only if it is shown as one that may leave. */
static void as_shown(const struct app *app, CK_SESSION_HANDLE s, CK_RV rv, CK_OBJECT_HANDLE key,
		     const char *how)
{
	CK_BBOOL leaves = CK_TRUE;
	CK_ATTRIBUTE a = {CKA_EXTRACTABLE, &leaves, sizeof leaves};

	if (rv != CKR_OK)
		return;
	OK(app->f->C_GetAttributeValue(s, key, &a, 1));
	if (!leaves)
		attack_fails(app, s, key, how);
	OK(app->f->C_DestroyObject(s, key));
}

/* A key of the attacker that says what others become, and the victim unwrapped or derived by it. */
static void nested_own(const struct app *app, CK_SESSION_HANDLE s, const CK_ATTRIBUTE *inner,
		       CK_OBJECT_HANDLE victim, CK_BBOOL *token)
{
	CK_MECHANISM by = {CKM_AES_KEY_GEN, NULL, 0}, wrap = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_MECHANISM join = {CKM_CONCATENATE_BASE_AND_KEY, &victim, sizeof victim};
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_ULONG len = 32, blob_len = BLOB_MAX;
	static unsigned char blob[BLOB_MAX];
	CK_ATTRIBUTE tmpl[] = {{CKA_TOKEN, token, 1},
			       {CKA_WRAP, &yes, 1},
			       {CKA_UNWRAP, &yes, 1},
			       {CKA_DERIVE, &yes, 1},
			       {CKA_EXTRACTABLE, &yes, 1},
			       {CKA_VALUE_LEN, &len, sizeof len},
			       {CKA_CLASS, &class, 8},
			       {CKA_KEY_TYPE, &type, 8},
			       *inner};
	CK_ATTRIBUTE silent[] = {{CKA_CLASS, &class, 8}, {CKA_KEY_TYPE, &type, 8}};
	CK_OBJECT_HANDLE own = 0, made = 0;
	CK_RV rv = app->f->C_GenerateKey(s, &by, tmpl, 9, &own);

	fprintf(stderr, "a key with template 0x%lx: 0x%lx\n", inner->type, rv);
	if (rv != CKR_OK)
		return;
	CHECK(app->f->C_WrapKey(s, &wrap, own, victim, blob, &blob_len) != CKR_OK);
	rv = app->f->C_DeriveKey(s, &join, own, silent, 2, &made);
	attack_gave(app, s, rv, made, "derived beside a template");
	blob_len = sizeof blob;
	if (app->f->C_WrapKey(s, &wrap, own, own, blob, &blob_len) == CKR_OK) {
		rv = app->f->C_UnwrapKey(s, &wrap, own, blob, blob_len, silent, 2, &made);
		as_shown(app, s, rv, made, "unwrapped beside a template");
	}
	attack_fails(app, s, victim, "beside a key that has a template");
	OK(app->f->C_DestroyObject(s, own));
}

/* The victim itself says it, or its copy. */
static void nested_victim(const struct app *app, CK_SESSION_HANDLE s, CK_ATTRIBUTE *inner,
			  CK_OBJECT_HANDLE victim)
{
	CK_KEY_DERIVATION_STRING_DATA data = {iv, sizeof iv};
	CK_MECHANISM whole = {CKM_CONCATENATE_BASE_AND_DATA, &data, sizeof data};
	CK_ATTRIBUTE strict[] = {
		{CKA_EXTRACTABLE, &no, 1}, {CKA_SENSITIVE, &yes, 1}, {CKA_TOKEN, &no, 1}};
	CK_ATTRIBUTE copies[] = {*inner, {CKA_TOKEN, &no, 1}, {CKA_DERIVE, &yes, 1}};
	CK_OBJECT_HANDLE made = 0;
	CK_RV rv = app->f->C_CopyObject(s, victim, copies, 3, &made);

	fprintf(stderr, "a copy with template 0x%lx: 0x%lx\n", inner->type, rv);
	attack_gave(app, s, rv, made, "a copy with a template");
	copies[1].pValue = &yes;
	rv = app->f->C_CopyObject(s, victim, copies, 2, &made);
	attack_gave(app, s, rv, made, "a token copy with a template");
	rv = app->f->C_SetAttributeValue(s, victim, inner, 1);
	fprintf(stderr, "template 0x%lx set: 0x%lx\n", inner->type, rv);
	for (CK_ULONG n = 0; n <= 3; n++) {
		rv = app->f->C_DeriveKey(s, &whole, victim, strict, n, &made);
		attack_gave(app, s, rv, made, "derived by its own template");
	}
	attack_fails(app, s, victim, "with a template");
}

void attack_nested(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_enter(app, label);
	for (size_t i = 0; i < sizeof outer / sizeof *outer; i++)
		for (CK_ULONG n = 1; n <= sizeof loose / sizeof *loose; n += 3) {
			CK_ATTRIBUTE inner = {outer[i], loose, n * sizeof *loose};
			CK_OBJECT_HANDLE victim = attack_make(app, s, ATTACK_AES, false, 'N');

			nested_own(app, s, &inner, victim, &no);
			nested_own(app, s, &inner, victim, &yes);
			nested_victim(app, s, &inner, victim);
			OK(app->f->C_DestroyObject(s, victim));
		}
	OK(app->f->C_Finalize(NULL));
}

/* What a wrapped key is unwrapped as. */
static const struct {
	CK_OBJECT_CLASS class;
	CK_KEY_TYPE type;
	CK_ULONG len; /* 0: not said */
} shapes[] = {
	{CKO_SECRET_KEY, CKK_AES, 0},  {CKO_SECRET_KEY, CKK_AES, 16},
	{CKO_SECRET_KEY, CKK_AES, 64}, {CKO_SECRET_KEY, CKK_GENERIC_SECRET, 0},
	{CKO_SECRET_KEY, CKK_DES3, 0}, {CKO_SECRET_KEY, CKK_GENERIC_SECRET, 1},
	{CKO_PRIVATE_KEY, CKK_RSA, 0}, {CKO_PRIVATE_KEY, CKK_EC, 0},
	{CKO_PUBLIC_KEY, CKK_RSA, 0},  {CKO_DATA, CKK_AES, 0},
};

static void unwrap_one(const struct app *app, CK_SESSION_HANDLE s, CK_MECHANISM *by,
		       CK_OBJECT_HANDLE own, const unsigned char *blob, CK_ULONG blob_len)
{
	unsigned char id[8];

	for (size_t i = 0; i < 2 * sizeof shapes / sizeof *shapes; i++) {
		CK_OBJECT_CLASS class = shapes[i / 2].class;
		CK_KEY_TYPE type = shapes[i / 2].type;
		CK_ULONG len = shapes[i / 2].len;
		CK_ATTRIBUTE tmpl[] = {
			{CKA_CLASS, &class, sizeof class},  {CKA_KEY_TYPE, &type, sizeof type},
			{CKA_TOKEN, i % 2 ? &yes : &no, 1}, {CKA_EXTRACTABLE, &no, 1},
			{CKA_SENSITIVE, &yes, 1},           {CKA_ID, id, sizeof id},
			{CKA_VALUE_LEN, &len, sizeof len}};
		CK_OBJECT_HANDLE key = 0;
		CK_RV rv;

		OK(app->f->C_GenerateRandom(s, id, sizeof id));
		fprintf(stderr, "mechanism 0x%lx, class %lu, type 0x%lx, %lu bytes%s\n",
			by->mechanism, class, type, len, i % 2 ? ", on the token" : "");
		rv = app->f->C_UnwrapKey(s, by, own, (CK_BYTE *)(size_t)blob, blob_len, tmpl,
					 len ? 7 : 6, &key);
		attack_gave(app, s, rv, key, "unwrapped as something else");
	}
}

/* Wrapped keys of the attacker's own, as something else: what is then shown to stay does. */
void attack_unwrap(struct app *app, const char *label)
{
	CK_MECHANISM ways[] = {{CKM_AES_KEY_WRAP, NULL, 0},
			       {CKM_AES_KEY_WRAP_PAD, NULL, 0},
			       {CKM_AES_CBC_PAD, iv, sizeof iv}};
	static unsigned char blob[BLOB_MAX];
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_enter(app, label);
	for (unsigned kind = 0; kind < ATTACK_KINDS; kind += 2) {
		CK_OBJECT_HANDLE key = attack_make(app, s, kind, true, 'W');
		CK_OBJECT_HANDLE own = attack_wrapper(app, s);

		for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
			CK_ULONG len = sizeof blob;

			if (app->f->C_WrapKey(s, &ways[i], own, key, blob, &len) == CKR_OK)
				unwrap_one(app, s, &ways[i], own, blob, len);
		}
		OK(app->f->C_DestroyObject(s, key));
	}
	OK(app->f->C_Finalize(NULL));
}

/* Mechanisms that name a further key by a handle, which nobody gave. */
static void name_further(const struct app *app, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE own,
			 CK_OBJECT_HANDLE h)
{
	CK_HKDF_PARAMS hkdf = {.bExtract = CK_TRUE,
			       .prfHashMechanism = CKM_SHA256,
			       .ulSaltType = CKF_HKDF_SALT_KEY,
			       .hSaltKey = h};
	CK_IKE_PRF_DERIVE_PARAMS prf = {
		.prfMechanism = CKM_SHA256_HMAC, .bRekey = CK_TRUE, .hNewKey = h};
	CK_IKE1_EXTENDED_DERIVE_PARAMS ike = {
		.prfMechanism = CKM_SHA256_HMAC, .bHasKeygxy = CK_TRUE, .hKeygxy = h};
	unsigned char odd[2 * sizeof h];
	CK_MECHANISM by[] = {{CKM_CONCATENATE_BASE_AND_KEY, &h, sizeof h},
			     {CKM_CONCATENATE_BASE_AND_KEY, odd, sizeof odd},
			     {CKM_HKDF_DERIVE, &hkdf, sizeof hkdf},
			     {CKM_IKE_PRF_DERIVE, &prf, sizeof prf},
			     {CKM_NSS_IKE_PRF_DERIVE, &prf, sizeof prf},
			     {CKM_IKE1_EXTENDED_DERIVE, &ike, sizeof ike},
			     {CKM_NSS_IKE1_APP_B_PRF_DERIVE, &ike, sizeof ike}};
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ULONG len = 32;
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
			       {CKA_KEY_TYPE, &type, sizeof type},
			       {CKA_VALUE_LEN, &len, sizeof len},
			       {CKA_EXTRACTABLE, &yes, 1},
			       {CKA_SENSITIVE, &no, 1}};
	CK_OBJECT_HANDLE made = 0;

	memcpy(odd, &h, sizeof h);
	memcpy(odd + sizeof h, &h, sizeof h);
	for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
		if (app->f->C_DeriveKey(s, &by[i], own, tmpl, 5, &made) != CKR_OK)
			continue;
		fprintf(stderr, "mechanism 0x%lx takes the handle 0x%lx\n", by[i].mechanism, h);
		exit(1);
	}
}

/* An object of a session that is closed, and a key that was destroyed, are gone. */
static void ended(const struct app *app, const char *label, CK_SESSION_HANDLE s,
		  CK_OBJECT_HANDLE victim)
{
	CK_SESSION_HANDLE other = app_open(app, label);
	CK_OBJECT_HANDLE own = attack_wrapper(app, other), copy = 0;
	CK_MECHANISM wrap = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_ATTRIBUTE tmpl[] = {{CKA_TOKEN, &no, 1}, {CKA_ENCRYPT, &yes, 1}};
	unsigned char blob[64];
	CK_ULONG len = sizeof blob;
	CK_RV rv = app->f->C_CopyObject(other, victim, tmpl, 2, &copy);

	CHECK(app->f->C_WrapKey(s, &wrap, own, victim, blob, &len) != CKR_OK);
	OK(app->f->C_CloseSession(other));
	CHECK(app->f->C_WrapKey(s, &wrap, own, victim, blob, &len) != CKR_OK);
	CHECK(app->f->C_GetAttributeValue(s, own, tmpl, 1) != CKR_OK);
	if (rv == CKR_OK)
		CHECK(app->f->C_CopyObject(s, copy, tmpl, 2, &copy) != CKR_OK);
	OK(app->f->C_DestroyObject(s, victim));
	CHECK(app->f->C_CopyObject(s, victim, tmpl, 2, &copy) != CKR_OK);
	attack_fails(app, s, victim, "destroyed");
}

void attack_handles(struct app *app, const char *label)
{
	static CK_OBJECT_HANDLE all[GUESSES * 4];
	CK_OBJECT_HANDLE own, victim;
	CK_SESSION_HANDLE s;
	CK_ULONG n = 0;

	app_init(app);
	s = app_enter(app, label);
	victim = attack_make(app, s, ATTACK_AES, false, 'H');
	own = attack_wrapper(app, s);
	OK(app->f->C_FindObjectsInit(s, NULL, 0));
	OK(app->f->C_FindObjects(s, all, GUESSES * 4, &n));
	OK(app->f->C_FindObjectsFinal(s));
	for (CK_OBJECT_HANDLE h = 0; h < GUESSES; h++)
		for (CK_OBJECT_HANDLE life = 0; life < 2; life++) {
			bool is_given = false;

			for (CK_ULONG k = 0; k < n; k++)
				is_given = is_given || all[k] == (life << 20 | h);
			if (!is_given)
				name_further(app, s, own, life << 20 | h);
		}
	name_further(app, s, own, victim);
	ended(app, label, s, victim);
	OK(app->f->C_Finalize(NULL));
}

/* Lists of functions of all versions refuse alike, and no state of an operation leaves. */
void attack_lists(struct app *app, const char *label)
{
	CK_RV (*lists)(CK_INTERFACE *, CK_ULONG *);
	CK_MECHANISM wrap = {CKM_AES_KEY_WRAP, NULL, 0}, cbc = {CKM_AES_CBC, iv, sizeof iv};
	CK_MECHANISM gcm = {CKM_AES_GCM, NULL, 0};
	CK_INTERFACE all[INTERFACES];
	CK_ULONG n = INTERFACES, len = BLOB_MAX;
	static unsigned char out[BLOB_MAX];
	CK_OBJECT_HANDLE victim, own;
	CK_SESSION_HANDLE s;

	*(void **)&lists = dlsym(app->library, "C_GetInterfaceList");
	CHECK(lists != NULL);
	OK(lists(all, &n));
	app_init(app);
	s = app_enter(app, label);
	victim = attack_make(app, s, ATTACK_AES, false, 'I');
	own = attack_wrapper(app, s);
	for (CK_ULONG i = 0; i < n; i++) {
		const CK_FUNCTION_LIST_3_0 *f = all[i].pFunctionList;
		struct app other = {app->library, all[i].pFunctionList};

		fprintf(stderr, "%s %u.%u\n", (const char *)all[i].pInterfaceName, f->version.major,
			f->version.minor);
		CHECK(f->version.major < 3 || (f->version.major == 3 && f->version.minor < 2));
		CHECK(f->C_WrapKey(s, &wrap, own, victim, out, &len) != CKR_OK);
		attack_fails(&other, s, victim, "by another interface");
		if (f->version.major == 3 && f->C_MessageEncryptInit(s, &gcm, victim) == CKR_OK)
			OK(f->C_MessageEncryptFinal(s));
	}
	OK(app->f->C_EncryptInit(s, &cbc, victim));
	CHECK(app->f->C_GetOperationState(s, out, &len) != CKR_OK);
	CHECK(app->f->C_SetOperationState(s, out, 16, victim, victim) != CKR_OK);
	OK(app->f->C_DestroyObject(s, victim));
	OK(app->f->C_Finalize(NULL));
}

/* One thread takes a right away, or takes handles, while the other one uses them. */
struct race {
	const struct app *app;
	const char *label;
	CK_OBJECT_HANDLE key, own;
	_Atomic int is_taken_away, is_over, went_out;
};

static void *wrap_always(void *context)
{
	struct race *r = context;
	const struct app *app = r->app;
	CK_SESSION_HANDLE s = app_open(app, r->label);
	CK_MECHANISM wrap = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_ATTRIBUTE tmpl[] = {{CKA_TOKEN, &no, 1}, {CKA_ENCRYPT, &yes, 1}};
	unsigned char blob[64];

	while (!atomic_load(&r->is_over)) {
		const int was_taken_away = atomic_load(&r->is_taken_away);
		CK_OBJECT_HANDLE copy = 0;
		CK_ULONG len = sizeof blob;

		if (app->f->C_WrapKey(s, &wrap, r->own, r->key, blob, &len) == CKR_OK &&
		    was_taken_away)
			atomic_store(&r->went_out, 1);
		len = sizeof blob;
		if (!was_taken_away || app->f->C_CopyObject(s, r->key, tmpl, 2, &copy) != CKR_OK)
			continue;
		if (app->f->C_WrapKey(s, &wrap, r->own, copy, blob, &len) == CKR_OK)
			atomic_store(&r->went_out, 1);
	}
	return NULL;
}

static void take_away(const struct app *app, struct race *r, CK_SESSION_HANDLE s)
{
	CK_ATTRIBUTE stay = {CKA_EXTRACTABLE, &no, 1};
	CK_MECHANISM wrap = {CKM_AES_KEY_WRAP, NULL, 0};
	unsigned char blob[64];
	pthread_t thread;

	r->key = attack_make(app, s, ATTACK_AES, true, 'R');
	r->own = attack_wrapper(app, s);
	CHECK(pthread_create(&thread, NULL, wrap_always, r) == 0);
	OK(app->f->C_SetAttributeValue(s, r->key, &stay, 1));
	atomic_store(&r->is_taken_away, 1);
	for (unsigned i = 0; i < 50; i++) {
		CK_ULONG len = sizeof blob;

		CHECK(app->f->C_WrapKey(s, &wrap, r->own, r->key, blob, &len) != CKR_OK);
	}
	atomic_store(&r->is_over, 1);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(!atomic_load(&r->went_out));
	OK(app->f->C_DestroyObject(s, r->key));
}

/* Wraps under handles that the other thread is about to be given. */
static void *wrap_ahead(void *context)
{
	struct race *r = context;
	const struct app *app = r->app;
	CK_SESSION_HANDLE s = app_open(app, r->label);
	CK_MECHANISM wrap = {CKM_AES_KEY_WRAP, NULL, 0};
	unsigned char blob[64];

	while (!atomic_load(&r->is_over))
		for (CK_OBJECT_HANDLE h = r->own; h < r->own + 40; h++) {
			CK_ULONG len = sizeof blob;

			if (app->f->C_WrapKey(s, &wrap, h, r->key, blob, &len) == CKR_OK)
				atomic_store(&r->went_out, 1);
		}
	return NULL;
}

static void run_ahead(const struct app *app, struct race *r, CK_SESSION_HANDLE s)
{
	pthread_t thread;

	r->key = attack_make(app, s, ATTACK_AES, false, 'R');
	r->own = attack_wrapper(app, s);
	CHECK(pthread_create(&thread, NULL, wrap_ahead, r) == 0);
	for (unsigned i = 0; i < 40; i++)
		(void)attack_wrapper(app, s);
	atomic_store(&r->is_over, 1);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(!atomic_load(&r->went_out));
	OK(app->f->C_DestroyObject(s, r->key));
}

void attack_race(struct app *app, const char *label)
{
	CK_SESSION_HANDLE s;

	app_init(app);
	s = app_enter(app, label);
	for (unsigned i = 0; i < 3; i++)
		take_away(app, &(struct race){.app = app, .label = label}, s);
	run_ahead(app, &(struct race){.app = app, .label = label}, s);
	OK(app->f->C_Finalize(NULL));
}
