/* SPDX-License-Identifier: BSD-2-Clause */
/* The fault token ends the process that calls it, or loses its sessions, at the call that its plan
 * says.
 *
 *   fault-kill-test MODULE LABEL
 *
 * FAULT_TOKEN_CONTROL and FAULT_TEST_PIN in the environment. Each part runs in a process of its
 * own, which begins anew with the module. Writes TAP. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/token/load.h"

/* How a part that was not killed ends. */
enum { AS_EXPECTED = 0, OTHERWISE = 1 };

static const char *module, *label;
static CK_FUNCTION_LIST *f;
static CK_SESSION_HANDLE session;
static unsigned count;

static void result(bool is_good, const char *sentence)
{
	printf("%sok %u - %s\n", is_good ? "" : "not ", ++count, sentence);
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

static bool log_in(void)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	char *pin = getenv("FAULT_TEST_PIN");
	struct loaded m;
	CK_SLOT_ID slot;

	if (!pin || !load_module(module, &m))
		return false;
	f = m.f;
	return f->C_Initialize(&args) == CKR_OK && load_find_slot(f, label, &slot) &&
	       f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session) ==
		       CKR_OK &&
	       f->C_Login(session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)) == CKR_OK;
}

/* The signal that ended the part, or minus what it returned. */
static int run(bool (*part)(void))
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(log_in() && part() ? AS_EXPECTED : OTHERWISE);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -OTHERWISE;
	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
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

static CK_RV make_once(void)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_TOKEN, &yes, sizeof(yes)}};
	CK_OBJECT_HANDLE object;

	return f->C_CreateObject(session, tmpl, 2, &object);
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

/* The third call of any function: two pass. */
static bool third_kills(void)
{
	return plan("* nth 3 kill\n") && random_once() == CKR_OK && info_once() == CKR_OK &&
	       make_once() == CKR_OK;
}

static bool second_passes(void)
{
	return plan("* nth 3 kill\n") && random_once() == CKR_OK && info_once() == CKR_OK;
}

static bool kills_after(void)
{
	return plan("C_CreateObject all after kill\n") && make_once() == CKR_OK;
}

static bool none_there(void)
{
	return found() == 0;
}

static bool one_there(void)
{
	return found() == 1;
}

static bool loses_sessions(void)
{
	return plan("* nth 2 lose-sessions\n") && random_once() == CKR_OK &&
	       random_once() == CKR_SESSION_HANDLE_INVALID &&
	       random_once() == CKR_SESSION_HANDLE_INVALID;
}

static bool logs_out(void)
{
	CK_SESSION_INFO info;

	return plan("C_GenerateRandom nth 2 log-out\n") && random_once() == CKR_OK &&
	       f->C_GetSessionInfo(session, &info) == CKR_OK &&
	       info.state == CKS_RW_USER_FUNCTIONS && random_once() == CKR_OK &&
	       f->C_GetSessionInfo(session, &info) == CKR_OK && info.state == CKS_RW_PUBLIC_SESSION;
}

/* With no plan that would strike who looks. */
static bool sees(bool (*part)(void))
{
	return plan("") && run(part) == AS_EXPECTED;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 1;
	module = argv[1];
	label = argv[2];
	result(sees(none_there), "the token is empty");
	result(run(second_passes) == AS_EXPECTED, "calls before the nth are not struck");
	result(sees(none_there) && run(third_kills) == SIGKILL,
	       "the nth call of all functions kills the process");
	result(sees(none_there), "and is not done");
	result(run(kills_after) == SIGKILL, "the process can be killed after a call");
	result(sees(one_there), "which was done");
	result(sees(one_there) && run(loses_sessions) == AS_EXPECTED,
	       "sessions can be lost at the nth call");
	result(sees(one_there) && run(logs_out) == AS_EXPECTED,
	       "the login can be lost at the nth call");
	printf("1..%u\n", count);
	return 0;
}
