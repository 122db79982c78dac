/* SPDX-License-Identifier: BSD-2-Clause */
/* Handles: small, never used twice, and dead for good once what they named is gone. */
#include "tests/scenario/app.h"

#include <stdlib.h>

/* Sessions opened one after the other; every older handle is tried at the end. */
#define SESSIONS 200000
#define OBJECTS  5000

/* The contract: below 2^31. */
#define LIMIT 0x80000000ul

static unsigned char value[16];
static CK_BBOOL no = CK_FALSE;

static int compare(const void *a, const void *b)
{
	CK_ULONG x = *(const CK_ULONG *)a;
	CK_ULONG y = *(const CK_ULONG *)b;

	return x < y ? -1 : x > y;
}

static void check_distinct(CK_ULONG *handles, size_t count)
{
	qsort(handles, count, sizeof(*handles), compare);
	for (size_t i = 0; i < count; i++) {
		CHECK(handles[i] != CK_INVALID_HANDLE && handles[i] < LIMIT);
		CHECK(i == 0 || handles[i] != handles[i - 1]);
	}
}

static void sessions(struct app *app, const char *label)
{
	size_t count = app_rounds(SESSIONS);
	CK_SESSION_HANDLE *old = calloc(count, sizeof(*old));
	CK_SESSION_HANDLE kept;
	CK_SESSION_INFO info;
	CK_SLOT_ID slot;

	CHECK(old != NULL);
	app_init(app);
	slot = app_slot(app, label);
	OK(app->f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &kept));
	for (size_t i = 0; i < count; i++) {
		OK(app->f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &old[i]));
		OK(app->f->C_CloseSession(old[i]));
		EXPECT(CKR_SESSION_HANDLE_INVALID, app->f->C_CloseSession(old[i]));
	}
	for (size_t i = 0; i < count; i++)
		EXPECT(CKR_SESSION_HANDLE_INVALID, app->f->C_GetSessionInfo(old[i], &info));
	OK(app->f->C_GetSessionInfo(kept, &info));
	check_distinct(old, count);
	OK(app->f->C_Finalize(NULL));
	free(old);
}

static CK_OBJECT_HANDLE make_secret(const struct app *app, CK_SESSION_HANDLE session)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &class, sizeof(class)}, {CKA_KEY_TYPE, &type, sizeof(type)},
		{CKA_TOKEN, &no, sizeof(no)},       {CKA_PRIVATE, &no, sizeof(no)},
		{CKA_VALUE, value, sizeof(value)},
	};

	OK(app->f->C_CreateObject(session, template, 5, &object));
	return object;
}

static CK_RV read_class(const struct app *app, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	CK_OBJECT_CLASS class;
	CK_ATTRIBUTE attribute = {CKA_CLASS, &class, sizeof(class)};

	return app->f->C_GetAttributeValue(session, object, &attribute, 1);
}

static void objects(struct app *app, const char *label)
{
	size_t count = app_rounds(OBJECTS);
	CK_OBJECT_HANDLE *old = calloc(count, sizeof(*old));
	CK_SESSION_HANDLE session;

	CHECK(old != NULL);
	app_init(app);
	session = app_enter(app, label);
	for (size_t i = 0; i < count; i++) {
		old[i] = make_secret(app, session);
		OK(read_class(app, session, old[i]));
		OK(app->f->C_DestroyObject(session, old[i]));
		EXPECT(CKR_OBJECT_HANDLE_INVALID, read_class(app, session, old[i]));
	}
	for (size_t i = 0; i < count; i++)
		EXPECT(CKR_OBJECT_HANDLE_INVALID, app->f->C_DestroyObject(session, old[i]));
	check_distinct(old, count);
	OK(app->f->C_Finalize(NULL));
	free(old);
}

/* Session objects belong to every session of the application and end with the one that made them.
 */
static void session_objects(struct app *app, const char *label)
{
	CK_SESSION_HANDLE maker;
	CK_SESSION_HANDLE other;
	CK_OBJECT_HANDLE object;

	app_init(app);
	maker = app_enter(app, label);
	other = app_open(app, label);
	object = make_secret(app, maker);
	OK(read_class(app, other, object));
	OK(app->f->C_CloseSession(maker));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, read_class(app, other, object));
	object = make_secret(app, other);
	OK(app->f->C_CloseAllSessions(app_slot(app, label)));
	other = app_open(app, label);
	EXPECT(CKR_OBJECT_HANDLE_INVALID, read_class(app, other, object));
	OK(app->f->C_Finalize(NULL));
}

/* A private key's handle is dead after the logout, also when the same user comes back. */
static void after_logout(struct app *app, const char *label)
{
	struct app_key key;
	CK_SESSION_HANDLE session;
	unsigned char pin[] = APP_PIN;

	app_init(app);
	session = app_enter(app, label);
	app_make_key(app, session, &key);
	app_sign(app, session, &key);
	OK(app->f->C_Logout(session));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, read_class(app, session, key.private_key));
	OK(app->f->C_Login(session, CKU_USER, pin, sizeof(pin) - 1));
	EXPECT(CKR_OBJECT_HANDLE_INVALID, read_class(app, session, key.private_key));
	app_have_key(app, session, &key);
	app_sign(app, session, &key);
	OK(app->f->C_Finalize(NULL));
}

/* Handles from before C_Finalize name nothing afterwards. */
static void after_finalize(struct app *app, const char *label)
{
	CK_SESSION_HANDLE session;
	CK_SESSION_HANDLE later;
	CK_SESSION_INFO info;
	CK_OBJECT_HANDLE object;

	for (size_t round = 0; round < app_rounds(20); round++) {
		app_init(app);
		session = app_enter(app, label);
		object = make_secret(app, session);
		OK(app->f->C_Finalize(NULL));
		app_init(app);
		later = app_enter(app, label);
		CHECK(later != session);
		EXPECT(CKR_SESSION_HANDLE_INVALID, app->f->C_GetSessionInfo(session, &info));
		EXPECT(CKR_OBJECT_HANDLE_INVALID, read_class(app, later, object));
		OK(app->f->C_Finalize(NULL));
	}
}

/* A number that was never given out for a kind of thing names none. */
static void wrong_kind(struct app *app, const char *label)
{
	static const CK_ULONG strange[] = {0, 1, LIMIT - 1, LIMIT, ~0ul, ~0ul - 1, 1ul << 63};
	CK_SESSION_HANDLE session;
	CK_SESSION_INFO info;
	CK_OBJECT_HANDLE object;

	app_init(app);
	session = app_enter(app, label);
	object = make_secret(app, session);
	if (object != session) { /* the two kinds may use the same numbers */
		EXPECT(CKR_OBJECT_HANDLE_INVALID, read_class(app, session, session));
		EXPECT(CKR_SESSION_HANDLE_INVALID, app->f->C_GetSessionInfo(object, &info));
	}
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		if (strange[i] != session)
			EXPECT(CKR_SESSION_HANDLE_INVALID,
			       app->f->C_GetSessionInfo(strange[i], &info));
		if (strange[i] != object)
			EXPECT(CKR_OBJECT_HANDLE_INVALID, read_class(app, session, strange[i]));
	}
	OK(app->f->C_Finalize(NULL));
}

int main(int argc, char **argv)
{
	static const struct app_case cases[] = {
		{"sessions", sessions},
		{"objects", objects},
		{"session_objects", session_objects},
		{"after_logout", after_logout},
		{"after_finalize", after_finalize},
		{"wrong_kind", wrong_kind},
	};

	return app_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
