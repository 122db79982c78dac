/* SPDX-License-Identifier: BSD-2-Clause */
/* Sides and work. Every piece of work is what an application does for one result; nothing else is
 * done between two of them, so that a difference between sides is the difference between the
 * modules. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/bench.h"

static const char *const names[WORK_COUNT] = {"sign", "info",  "attribute", "find",
					      "open", "gcm1k", "gcm64k"};

static CK_OBJECT_CLASS private_class = CKO_PRIVATE_KEY;
static CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY;
static CK_BYTE key_label[] = "key-00000001";
static CK_BYTE data[65536];

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
		 char *label, CK_OBJECT_HANDLE *out)
{
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, class, sizeof(*class)},
			       {CKA_LABEL, label, strlen(label)}};
	CK_ULONG count = 0;

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

bool side_open(struct side *s, char *description, const char *label)
{
	char *module = strchr(description, '=');
	char *token = module ? strrchr(module, ',') : NULL;
	char *pin = getenv("BENCH_PIN");
	char copy[64];
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	CK_RV rv;

	if (!token || !pin)
		return false;
	*module++ = '\0';
	*token++ = '\0';
	*s = (struct side){.name = description, .sign = CKM_ECDSA};
	if (!load_module(module, &s->m))
		return false;
	rv = s->m.f->C_Initialize(&args);
	if ((rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) ||
	    !load_find_slot(s->m.f, token, &s->slot)) {
		fprintf(stderr, "%s: no token %s\n", description, token);
		return false;
	}
	s->session = side_session(s);
	rv = s->m.f->C_Login(s->session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
	snprintf(copy, sizeof(copy), "%s", label ? label : (const char *)key_label);
	if ((rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN) ||
	    !find(s, s->session, &private_class, copy, &s->key)) {
		fprintf(stderr, "%s: no key %s\n", description, copy);
		return false;
	}
	(void)find(s, s->session, &secret_class, copy, &s->aes);
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
		return find(s, session, &private_class, (char *)key_label, &key)
			       ? CKR_OK
			       : CKR_GENERAL_ERROR;
	case WORK_OPEN:
		return open_once(s);
	case WORK_GCM_1K:
		return gcm_once(s, session, 1024);
	case WORK_GCM_64K:
		return gcm_once(s, session, 65536);
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
