/* SPDX-License-Identifier: BSD-2-Clause */
/* Sides and work. Every piece of work is what an application does for one result; nothing else is
 * done between two of them, so that a difference between sides is the difference between the
 * modules. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/bench.h"

static const char *const names[WORK_COUNT] = {
	"sign",    "info",  "attribute", "find",     "open",    "gcm1k",   "gcm64k",    "sign-1",
	"sign-65", "cbc-1", "cbc-65",    "mib-sign", "mib-cbc", "mib-gcm", "mib-digest"};

static CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY;
static CK_BYTE data[65536];

/* Keys to work with. Those of the null token sign with a secret key: two null tokens give the same
 * answers with it, which shows that it is one key, while their private keys can prove nothing. */
struct sort {
	const char *name;
	const char *label;
	const char *aes_label;
	CK_OBJECT_CLASS class;
	CK_MECHANISM_TYPE sign;
};

static const struct sort sorts[] = {
	{"null", "key-00000001", "key-00000001", CKO_SECRET_KEY, CKM_AES_CMAC},
	{"ec", "known-ec", "known-aes", CKO_PRIVATE_KEY, CKM_ECDSA},
	{"rsa", "known-rsa", "known-aes", CKO_PRIVATE_KEY, CKM_RSA_PKCS},
};

double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x > *y) - (*x < *y);
}

double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

enum work work_find(const char *name)
{
	unsigned i = 0;

	while (i < WORK_COUNT && strcmp(names[i], name) != 0)
		i++;
	return (enum work)i;
}

static bool find(const struct side *s, CK_SESSION_HANDLE session, CK_OBJECT_CLASS *class,
		 const char *name, CK_OBJECT_HANDLE *out)
{
	char label[32];
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, class, sizeof(*class)},
			       {CKA_LABEL, label, strlen(name)}};
	CK_ULONG count = 0;

	memcpy(label, name, strlen(name)); /* all of ours are shorter */

	return s->m.f->C_FindObjectsInit(session, tmpl, 2) == CKR_OK &&
	       s->m.f->C_FindObjects(session, out, 1, &count) == CKR_OK &&
	       s->m.f->C_FindObjectsFinal(session) == CKR_OK && count == 1;
}

CK_SESSION_HANDLE side_session(const struct side *s)
{
	CK_SESSION_HANDLE session = 0;

	(void)s->m.f->C_OpenSession(s->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
				    &session);
	return session;
}

/* The sort called so; else that of the null token. */
static const struct sort *sort_find(const char *name)
{
	for (unsigned i = 0; name && i < sizeof(sorts) / sizeof(sorts[0]); i++)
		if (strcmp(sorts[i].name, name) == 0)
			return &sorts[i];
	return &sorts[0];
}

static bool enter(struct side *s, const char *module, const char *token, char *pin)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	CK_RV rv;

	if (!load_module(module, &s->m))
		return false;
	rv = s->m.f->C_Initialize(&args);
	if ((rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) ||
	    !load_find_slot(s->m.f, token, &s->slot)) {
		fprintf(stderr, "%s: no token %s\n", s->name, token);
		return false;
	}
	s->session = side_session(s);
	rv = s->m.f->C_Login(s->session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
	if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN) {
		fprintf(stderr, "%s: login: 0x%lx\n", s->name, rv);
		return false;
	}
	return true;
}

bool side_enter(struct side *s, char *description)
{
	char *module = strchr(description, '=');
	char *token = module ? strrchr(module, ',') : NULL;
	char *pin = getenv("BENCH_PIN");

	if (!token || !pin)
		return false;
	*module++ = '\0';
	*token++ = '\0';
	*s = (struct side){.name = description};
	return enter(s, module, token, pin);
}

bool side_open(struct side *s, char *description, const char *keys)
{
	const struct sort *sort = sort_find(keys ? keys : getenv("BENCH_KEYS"));

	if (!side_enter(s, description))
		return false;
	s->sign = sort->sign;
	s->class = sort->class;
	s->label = sort->label;
	if (!find(s, s->session, &s->class, sort->label, &s->key) ||
	    !find(s, s->session, &secret_class, sort->aes_label, &s->aes)) {
		fprintf(stderr, "%s: no key %s\n", description, sort->label);
		return false;
	}
	return true;
}

static CK_RV sign_once(const struct side *s, CK_SESSION_HANDLE session)
{
	CK_MECHANISM m = {s->sign, NULL, 0};
	CK_BYTE out[512];
	CK_ULONG len = sizeof(out);
	CK_RV rv = s->m.f->C_SignInit(session, &m, s->key);

	return rv == CKR_OK ? s->m.f->C_Sign(session, data, 32, out, &len) : rv;
}

static CK_RV gcm_once(const struct side *s, CK_SESSION_HANDLE session, CK_ULONG size)
{
	static _Thread_local CK_BYTE out[sizeof(data) + 16];
	CK_GCM_PARAMS p = {data, 12, 96, NULL, 0, 128};
	CK_MECHANISM m = {CKM_AES_GCM, &p, sizeof(p)};
	CK_ULONG len = sizeof(out);
	CK_RV rv = s->m.f->C_EncryptInit(session, &m, s->aes);

	return rv == CKR_OK ? s->m.f->C_Encrypt(session, data, size, out, &len) : rv;
}

static CK_RV open_once(const struct side *s)
{
	CK_SESSION_HANDLE session = side_session(s);

	return session ? s->m.f->C_CloseSession(session) : CKR_GENERAL_ERROR;
}

static CK_RV attribute_once(const struct side *s, CK_SESSION_HANDLE session)
{
	CK_OBJECT_CLASS class;
	CK_ATTRIBUTE a = {CKA_CLASS, &class, sizeof(class)};

	return s->m.f->C_GetAttributeValue(session, s->key, &a, 1);
}

static CK_RV once(const struct side *s, CK_SESSION_HANDLE session, enum work what)
{
	CK_OBJECT_CLASS class = s->class;
	CK_SESSION_INFO info;
	CK_OBJECT_HANDLE key;

	switch (what) {
	case WORK_SIGN:
		return sign_once(s, session);
	case WORK_INFO:
		return s->m.f->C_GetSessionInfo(session, &info);
	case WORK_ATTRIBUTE:
		return attribute_once(s, session);
	case WORK_FIND:
		return find(s, session, &class, s->label, &key) ? CKR_OK : CKR_GENERAL_ERROR;
	case WORK_OPEN:
		return open_once(s);
	case WORK_GCM_1K:
		return gcm_once(s, session, 1024);
	case WORK_GCM_64K:
		return gcm_once(s, session, 65536);
	case WORK_SIGN_1:
	case WORK_SIGN_65:
	case WORK_CBC_1:
	case WORK_CBC_65:
	case WORK_MIB_SIGN:
	case WORK_MIB_CBC:
	case WORK_MIB_GCM:
	case WORK_MIB_DIGEST:
		return parts_run(s, session, what);
	case WORK_COUNT:
		break;
	}
	return CKR_GENERAL_ERROR;
}

__attribute__((noinline)) bool work_run(const struct side *s, CK_SESSION_HANDLE session,
					enum work what, unsigned long n)
{
	CK_RV rv = CKR_OK;

	for (unsigned long i = 0; i < n && rv == CKR_OK; i++)
		rv = once(s, session, what);
	if (rv != CKR_OK)
		fprintf(stderr, "%s: %s: 0x%lx\n", s->name, names[what], rv);
	return rv == CKR_OK;
}
