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

static bool session_open(void)
{
	return is_code(
		f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
		CKR_OK);
}

/* The number that stands in the file of counters behind this text, in which zeros are any digits.
 */
static unsigned long counter(const char *text)
{
	char line[128];
	unsigned long n = CK_UNAVAILABLE_INFORMATION;
	FILE *in = fopen(getenv("FAULT_TOKEN_STATS"), "r");

	while (in && fgets(line, sizeof(line), in)) {
		size_t i = 0;

		while (text[i] &&
		       (text[i] == line[i] || (text[i] == '0' && line[i] >= '0' && line[i] <= '9')))
			i++;
		if (!text[i])
			n = strtoul(line + i, NULL, 10);
	}
	if (in)
		fclose(in);
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
	       session_open() && is_code(info_once(), CKR_OK);
}

/* Sixteen calls under the plan as bits, the first the highest: which of them failed. */
static unsigned pattern(const char *text)
{
	unsigned bits = 0;

	if (!plan(text))
		return 0;
	for (unsigned i = 0; i < 16; i++)
		bits = bits << 1 | (random_once() != CKR_OK);
	return bits;
}

static bool at_random(void)
{
	unsigned first = pattern("C_GenerateRandom random 50 7 CKR_DEVICE_ERROR\n");
	unsigned again = pattern("C_GenerateRandom random 50 7 CKR_DEVICE_ERROR\n");
	unsigned other = pattern("C_GenerateRandom random 50 8 CKR_DEVICE_ERROR\n");

	printf("#   %04x %04x %04x\n", first, again, other);
	return first == again && first != other && first != 0 && first != 0xffff &&
	       pattern("C_GenerateRandom random 0 7 CKR_DEVICE_ERROR\n") == 0 &&
	       pattern("C_GenerateRandom random 100 7 CKR_DEVICE_ERROR\n") == 0xffff;
}

static CK_RV digest_once(void)
{
	CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
	CK_BYTE data[] = "digest";
	CK_BYTE out[32];
	CK_ULONG len = sizeof(out);
	CK_RV rv = f->C_DigestInit(session, &sha256);

	return rv == CKR_OK ? f->C_Digest(session, data, sizeof(data), out, &len) : rv;
}

/* The calls of a group are counted together. */
static bool groups(void)
{
	return plan("crypto nth 3 CKR_DEVICE_ERROR\n") && is_code(digest_once(), CKR_OK) &&
	       is_code(random_once(), CKR_OK) && is_code(digest_once(), CKR_DEVICE_ERROR) &&
	       is_code(digest_once(), CKR_OK) && plan("session all 0x80000001\n") &&
	       is_code(info_once(), 0x80000001) && is_code(digest_once(), CKR_OK) &&
	       plan("find all CKR_GENERAL_ERROR\n") && found() == CK_UNAVAILABLE_INFORMATION &&
	       plan("") && is_code(info_once(), CKR_OK);
}

/* The operation stays active on the real token when the call never got there. */
static bool stays_busy(void)
{
	return plan("C_Digest nth 1 CKR_DEVICE_ERROR\n") &&
	       is_code(digest_once(), CKR_DEVICE_ERROR) &&
	       is_code(digest_once(), CKR_OPERATION_ACTIVE) &&
	       is_code(f->C_CloseSession(session), CKR_OK) && session_open();
}

static bool removed(void)
{
	CK_ULONG with = 0;
	CK_ULONG all = 0;

	return plan("state removed\n") && is_code(f->C_GetSlotList(CK_TRUE, NULL, &with), CKR_OK) &&
	       is_code(f->C_GetSlotList(CK_FALSE, NULL, &all), CKR_OK) && with == 0 && all > 0 &&
	       is_code(random_once(), CKR_DEVICE_REMOVED) &&
	       is_code(f->C_CloseAllSessions(slot), CKR_TOKEN_NOT_PRESENT) && plan("") &&
	       is_code(info_once(), CKR_SESSION_HANDLE_INVALID) && session_open();
}

static bool session_limit(void)
{
	CK_SESSION_HANDLE more = CK_INVALID_HANDLE;

	return plan("state sessions 1\n") &&
	       is_code(f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &more),
		       CKR_SESSION_COUNT) &&
	       plan("state sessions 2\n") &&
	       is_code(f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &more), CKR_OK) &&
	       is_code(f->C_CloseSession(more), CKR_OK) && is_code(info_once(), CKR_OK);
}

/* While one call hangs a second is one too many. */
static bool throttled(void)
{
	CK_RV rv = CKR_GENERAL_ERROR;
	CK_RV seen = CKR_OK;
	pthread_t thread;

	if (!plan("state busy 1 CKR_FUNCTION_FAILED\n") || !is_code(info_once(), CKR_OK) ||
	    !plan("state busy 1 CKR_FUNCTION_FAILED\nC_GenerateRandom all hang\n") ||
	    pthread_create(&thread, NULL, hanging_call, &rv) != 0)
		return false;
	for (unsigned i = 0; i < 10000 && seen == CKR_OK; i++) {
		struct timespec ms = {.tv_nsec = 1000000};

		seen = info_once();
		nanosleep(&ms, NULL);
	}
	return plan("") && pthread_join(thread, NULL) == 0 && is_code(rv, CKR_OK) &&
	       is_code(seen, CKR_FUNCTION_FAILED);
}

static CK_RV login(const char *pin)
{
	CK_UTF8CHAR copy[64];
	size_t len = strlen(pin);

	memcpy(copy, pin, len);
	return f->C_Login(session, CKU_USER, copy, len);
}

static bool has_flag(CK_FLAGS flag)
{
	CK_TOKEN_INFO info;

	return f->C_GetTokenInfo(slot, &info) == CKR_OK && info.flags & flag;
}

static bool logged_out(void)
{
	CK_SESSION_INFO info;

	return plan("state logged-out\n") && is_code(f->C_GetSessionInfo(session, &info), CKR_OK) &&
	       info.state == CKS_RW_PUBLIC_SESSION &&
	       is_code(login(getenv("FAULT_TEST_PIN")), CKR_OK);
}

static bool pin_tries(void)
{
	const char *pin = getenv("FAULT_TEST_PIN");
	unsigned long before = counter("pin-tries=");

	return plan("state pin-tries 2\n") && is_code(f->C_Logout(session), CKR_OK) &&
	       is_code(login("wrong"), CKR_PIN_INCORRECT) && has_flag(CKF_USER_PIN_FINAL_TRY) &&
	       is_code(login("wrong"), CKR_PIN_INCORRECT) && has_flag(CKF_USER_PIN_LOCKED) &&
	       is_code(login(pin), CKR_PIN_LOCKED) && counter("pin-tries=") == before + 2 &&
	       plan("C_Login nth 1 CKR_PIN_INCORRECT\n") &&
	       is_code(login(pin), CKR_PIN_INCORRECT) && is_code(login(pin), CKR_OK) &&
	       counter("pin-tries=") == before + 3;
}

static bool counted(void)
{
	unsigned long calls = counter("C_GenerateRandom calls=");
	unsigned long good = counter("C_GenerateRandom calls=0000000000 ok=");

	return plan("C_GenerateRandom nth 2 CKR_DEVICE_ERROR\n") &&
	       is_code(random_once(), CKR_OK) && is_code(random_once(), CKR_DEVICE_ERROR) &&
	       counter("C_GenerateRandom calls=") == calls + 2 &&
	       counter("C_GenerateRandom calls=0000000000 ok=") == good + 1;
}

/* The names of four objects by handle, found (and so numbered) in the token's order. */
static bool names_of(const CK_OBJECT_HANDLE *handles, char names[static 4])
{
	for (unsigned i = 0; i < 4; i++) {
		CK_ATTRIBUTE name = {CKA_LABEL, &names[i], 1};

		if (!is_code(f->C_GetAttributeValue(session, handles[i], &name, 1), CKR_OK))
			return false;
	}
	return true;
}

static bool four_found(CK_OBJECT_HANDLE *handles)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BYTE mark[] = "renumber";
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof(class)},
			       {CKA_APPLICATION, mark, sizeof(mark) - 1}};
	CK_ULONG n = 0;

	return is_code(f->C_FindObjectsInit(session, tmpl, 2), CKR_OK) &&
	       is_code(f->C_FindObjects(session, handles, 4, &n), CKR_OK) &&
	       is_code(f->C_FindObjectsFinal(session), CKR_OK) && n == 4;
}

static bool four_made(void)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE;
	CK_BBOOL no = CK_FALSE;
	CK_BYTE mark[] = "renumber";
	CK_OBJECT_HANDLE object;

	for (CK_BYTE name = 'a'; name <= 'd'; name++) {
		CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof(class)},
				       {CKA_TOKEN, &yes, sizeof(yes)},
				       {CKA_PRIVATE, &no, sizeof(no)},
				       {CKA_APPLICATION, mark, sizeof(mark) - 1},
				       {CKA_LABEL, &name, 1}};

		if (!is_code(f->C_CreateObject(session, tmpl, 5, &object), CKR_OK))
			return false;
	}
	return true;
}

static bool begin_anew(void)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

	return is_code(f->C_Finalize(NULL), CKR_OK) && is_code(f->C_Initialize(&args), CKR_OK) &&
	       session_open();
}

/* An old handle denotes another of the objects, and all of them are still found. */
static bool renumbered(void)
{
	CK_OBJECT_HANDLE before[4];
	CK_OBJECT_HANDLE after[4];
	char was[5] = "";
	char is[5] = "";

	if (!plan("state renumber\n") || !four_made() || !begin_anew() || !four_found(before) ||
	    !names_of(before, was) || !begin_anew() || !four_found(after) || !names_of(before, is))
		return false;
	printf("#   %s is now %s\n", was, is);
	for (unsigned i = 0; i < 4; i++)
		if (was[i] == is[i] || !strchr("abcd", is[i]))
			return false;
	return plan("") && begin_anew();
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
	result(is_code(login(getenv("FAULT_TEST_PIN")), CKR_OK), "the user can log in again");
	result(logged_out(), "the login can be lost");
	result(pin_tries(), "wrong PINs are counted and lock the user out");
	result(at_random(), "calls fail at random, the same ones for the same seed");
	result(groups(), "functions can be named together");
	result(stays_busy(), "an error can leave the operation active");
	result(removed(), "the token can be taken out of its slot and put back");
	result(session_limit(), "sessions can be limited");
	result(throttled(), "too many calls at once are turned away");
	result(counted(), "calls and successes are counted");
	result(renumbered(), "old handles denote other objects after a new initialisation");
	result(is_code(f->C_Finalize(NULL), CKR_OK), "the token can be finalised");
	printf("1..%u\n", count);
	return 0;
}
