/* SPDX-License-Identifier: BSD-2-Clause */
/* The fault token does what its plan says, and nothing without one.
 *
 *   fault-test MODULE LABEL
 *
 * FAULT_TOKEN_CONTROL and FAULT_TEST_PIN in the environment; the token is used directly. Writes
 * TAP. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/names.h"
#include "tests/token/load.h"

static CK_FUNCTION_LIST *f;
static CK_SLOT_ID slot;
static CK_SESSION_HANDLE session;
static unsigned count;

static void result(bool is_good, const char *sentence)
{
	printf("%sok %u - %s\n", is_good ? "" : "not ", ++count, sentence);
}

static bool is_code(CK_RV rv, CK_RV expected)
{
	char spare[2][NAME_MAX_LEN];

	if (rv != expected)
		printf("#   %s, expected %s\n", name_of(NAME_RV, rv, spare[0]),
		       name_of(NAME_RV, expected, spare[1]));
	return rv == expected;
}

/* A new plan, seen whole or not at all. */
static bool plan(const char *text)
{
	const char *file = getenv("FAULT_TOKEN_CONTROL");
	char next[512];
	FILE *out;

	snprintf(next, sizeof(next), "%s.new", file);
	out = fopen(next, "w");
	if (!out)
		return false;
	fputs(text, out);
	return fclose(out) == 0 && rename(next, file) == 0;
}

static CK_RV random_once(void)
{
	CK_BYTE out[8];

	return f->C_GenerateRandom(session, out, sizeof(out));
}

static CK_RV info_once(void)
{
	CK_SESSION_INFO info;

	return f->C_GetSessionInfo(session, &info);
}

static CK_ULONG found(void)
{
	CK_OBJECT_HANDLE list[8];
	CK_ULONG n = 0;

	if (f->C_FindObjectsInit(session, NULL, 0) != CKR_OK ||
	    f->C_FindObjects(session, list, 8, &n) != CKR_OK)
		return CK_UNAVAILABLE_INFORMATION;
	(void)f->C_FindObjectsFinal(session);
	return n;
}

static bool nth_and_every(void)
{
	return plan("C_GenerateRandom nth 2 CKR_DEVICE_ERROR\n") &&
	       is_code(random_once(), CKR_OK) && is_code(random_once(), CKR_DEVICE_ERROR) &&
	       is_code(random_once(), CKR_OK) && plan("C_GenerateRandom every 2 0x30\n") &&
	       is_code(random_once(), CKR_OK) && is_code(random_once(), CKR_DEVICE_ERROR) &&
	       is_code(random_once(), CKR_OK) && is_code(random_once(), CKR_DEVICE_ERROR);
}

static bool one_function_only(void)
{
	return plan("C_GenerateRandom all CKR_DEVICE_MEMORY\n") &&
	       is_code(random_once(), CKR_DEVICE_MEMORY) && is_code(info_once(), CKR_OK);
}

/* The work is done although the answer says no. */
static bool reply_lost(void)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof(class)}};
	CK_OBJECT_HANDLE object;
	CK_ULONG before = plan("") ? found() : CK_UNAVAILABLE_INFORMATION;

	return plan("C_CreateObject all after CKR_DEVICE_ERROR\n") &&
	       is_code(f->C_CreateObject(session, tmpl, 1, &object), CKR_DEVICE_ERROR) &&
	       plan("") && found() == before + 1;
}

static bool delays(void)
{
	struct timespec begin;
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (!plan("* all delay 50\n") || !is_code(random_once(), CKR_OK))
		return false;
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000 >= 50;
}

static _Atomic bool is_back;

static void *hanging_call(void *arg)
{
	CK_RV *rv = arg;

	*rv = random_once();
	is_back = true;
	return NULL;
}

/* No call is made to see whether it hangs: only that it goes on when the plan changes, and not
 * before the changing thread has looked. */
static bool hangs(void)
{
	CK_RV rv = CKR_GENERAL_ERROR;
	bool was_back;
	pthread_t thread;

	is_back = false;
	if (!plan("C_GenerateRandom all hang\n") ||
	    pthread_create(&thread, NULL, hanging_call, &rv) != 0)
		return false;
	was_back = is_back;
	if (!plan("") || pthread_join(thread, NULL) != 0)
		return false;
	return !was_back && is_code(rv, CKR_OK);
}

static bool gone(void)
{
	return plan("state gone CKR_DEVICE_REMOVED\n") &&
	       is_code(info_once(), CKR_DEVICE_REMOVED) &&
	       is_code(random_once(), CKR_DEVICE_REMOVED) && plan("") &&
	       is_code(info_once(), CKR_OK);
}

static bool polite(void)
{
	return plan("state polite CKR_GENERAL_ERROR\n") && is_code(info_once(), CKR_OK) &&
	       is_code(random_once(), CKR_GENERAL_ERROR) && found() == 0 && plan("") && found() > 0;
}

static bool sessions_lost(void)
{
	return plan("state lose-sessions\n") && is_code(info_once(), CKR_SESSION_HANDLE_INVALID) &&
	       is_code(f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
					&session),
		       CKR_OK) &&
	       is_code(info_once(), CKR_OK);
}

static bool set_up(const char *module, const char *label)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	char *pin = getenv("FAULT_TEST_PIN");
	struct loaded m;

	if (!pin || !load_module(module, &m))
		return false;
	f = m.f;
	return f->C_Initialize(&args) == CKR_OK && load_find_slot(f, label, &slot) &&
	       f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session) ==
		       CKR_OK &&
	       f->C_Login(session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)) == CKR_OK;
}

int main(int argc, char **argv)
{
	if (argc != 3 || !set_up(argv[1], argv[2])) {
		fprintf(stderr, "fault-test: the token cannot be used\n");
		return 1;
	}
	result(is_code(random_once(), CKR_OK), "without a plan nothing is wrong");
	result(nth_and_every(), "the nth call and every nth call can fail");
	result(one_function_only(), "a fault of one function leaves the others alone");
	result(reply_lost(), "a reply can be lost after the work was done");
	result(delays(), "calls can be slow");
	result(hangs(), "a call can hang until the plan changes");
	result(gone(), "the token can be gone and come back");
	result(polite(), "the token can be dead but polite");
	result(sessions_lost(), "sessions can be lost");
	result(is_code(f->C_Finalize(NULL), CKR_OK), "the token can be finalised");
	printf("1..%u\n", count);
	return 0;
}
