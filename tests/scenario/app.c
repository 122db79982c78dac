/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading a module, slots and sessions, as an application does it: dlopen, C_GetFunctionList,
 * tokens by label. Nothing here is static state, so that drivers may load the module twice. */
#include "tests/scenario/app.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More slots than any test configures. */
#define MAX_SLOTS 64

void app_expect(CK_RV got, CK_RV wanted, const char *what, const char *file, int line)
{
	if (got == wanted)
		return;
	fprintf(stderr, "%s:%d: %s: got 0x%lx, expected 0x%lx\n", file, line, what, got, wanted);
	exit(1);
}

void app_check(bool holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	exit(1);
}

size_t app_rounds(size_t wanted)
{
	const char *divide = getenv("HSMUX_TEST_FEWER");
	size_t fewer = divide == NULL ? wanted : wanted / (size_t)strtoul(divide, NULL, 10);

	return fewer < 3 ? 3 : fewer;
}

void app_load(struct app *app, const char *path)
{
	CK_C_GetFunctionList get_list;

	app->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (app->library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	*(void **)&get_list = dlsym(app->library, "C_GetFunctionList");
	CHECK(get_list != NULL);
	OK(get_list(&app->f));
}

void app_init(const struct app *app)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

	OK(app->f->C_Initialize(&args));
}

static bool label_is(const CK_TOKEN_INFO *info, const char *label)
{
	size_t len = strlen(label);

	if (len > sizeof(info->label) || memcmp(info->label, label, len) != 0)
		return false;
	while (len < sizeof(info->label) && info->label[len] == ' ')
		len++;
	return len == sizeof(info->label);
}

static bool find_slot(const struct app *app, const char *label, CK_BBOOL present, CK_SLOT_ID *slot)
{
	CK_SLOT_ID slots[MAX_SLOTS];
	CK_ULONG count = MAX_SLOTS;
	CK_TOKEN_INFO info;

	OK(app->f->C_GetSlotList(present, slots, &count));
	for (CK_ULONG i = 0; i < count; i++) {
		if (app->f->C_GetTokenInfo(slots[i], &info) == CKR_OK && label_is(&info, label)) {
			*slot = slots[i];
			return true;
		}
	}
	return false;
}

bool app_sees(const struct app *app, const char *label, bool present)
{
	CK_SLOT_ID slot;

	return find_slot(app, label, present ? CK_TRUE : CK_FALSE, &slot);
}

CK_SLOT_ID app_slot(const struct app *app, const char *label)
{
	CK_SLOT_ID slot = 0;

	if (!find_slot(app, label, CK_TRUE, &slot)) {
		fprintf(stderr, "no token %s\n", label);
		exit(1);
	}
	return slot;
}

CK_SESSION_HANDLE app_open(const struct app *app, const char *label)
{
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

	OK(app->f->C_OpenSession(app_slot(app, label), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
				 NULL, &session));
	CHECK(session != CK_INVALID_HANDLE);
	return session;
}

CK_SESSION_HANDLE app_enter(const struct app *app, const char *label)
{
	CK_SESSION_HANDLE session = app_open(app, label);
	unsigned char pin[] = APP_PIN;
	CK_RV rv = app->f->C_Login(session, CKU_USER, pin, sizeof(pin) - 1);

	if (rv != CKR_USER_ALREADY_LOGGED_IN)
		OK(rv);
	return session;
}

int app_main(int argc, char **argv, const struct app_case *cases, size_t count)
{
	struct app app;

	if (argc != 4) {
		fprintf(stderr, "usage: %s MODULE CASE LABEL\n", argv[0]);
		return 2;
	}
	for (size_t i = 0; i < count; i++) {
		if (strcmp(argv[2], cases[i].name) != 0)
			continue;
		app_load(&app, argv[1]);
		cases[i].run(&app, argv[3]);
		return 0;
	}
	fprintf(stderr, "no case %s\n", argv[2]);
	return 2;
}
