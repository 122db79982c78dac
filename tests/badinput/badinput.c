/* SPDX-License-Identifier: BSD-2-Clause */
/* Bad input, function by function: before C_Initialize, after C_Finalize, in a forked child, with
 * every handle wrong in every way, every pointer missing, every length absurd. What is expected is
 * in expect.c; decisions.c has what is hsmux's own.
 *
 *   badinput MODULE LABEL [--loose] [--messages]
 *
 * BADINPUT_PIN in the environment. Writes TAP. --loose is for tokens that cannot do everything: a
 * function whose good call fails is then left alone. --messages: the token has the message
 * functions, otherwise they must answer CKR_FUNCTION_NOT_SUPPORTED. The process must survive all of
 * it; run under ASan it also shows that nothing leaks. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/names.h"
#include "tests/badinput/decisions.h"
#include "tests/badinput/expect.h"

static unsigned test_count;
static bool is_loose;
static bool has_messages;

static void result(bool is_good, const char *what, const char *call)
{
	printf("%sok %u - %s%s%s\n", is_good ? "" : "not ", ++test_count, call, *call ? " " : "",
	       what);
}

static bool is_among(CK_RV rv, const CK_RV *codes)
{
	if (codes[0] == CKR_OK)
		return rv == CKR_OK;
	for (unsigned i = 0; i < EXPECT_MAX && codes[i] != CKR_OK; i++)
		if (codes[i] == rv)
			return true;
	return false;
}

static void say_wrong(enum token_call call, unsigned i, const char *how, CK_RV rv,
		      const CK_RV *codes)
{
	char spare[NAME_MAX_LEN];

	printf("#   %s, argument %u, %s: %s, expected", invoke_names[call], i + 1, how,
	       name_of(NAME_RV, rv, spare));
	for (unsigned n = 0; n < EXPECT_MAX && (codes[n] != CKR_OK || n == 0); n++)
		printf(" %s", name_of(NAME_RV, codes[n], spare));
	printf("\n");
}

/* True for what must work without C_Initialize. */
static bool is_free(enum token_call call)
{
	return call == CALL_Initialize || call == CALL_GetFunctionList ||
	       call == CALL_GetInterfaceList || call == CALL_GetInterface;
}

/* Every function, with arguments that were good or with zeros, where Cryptoki is not initialised.
 */
static bool refuses_uninitialised(struct world *w, bool is_child)
{
	static const CK_RV codes[EXPECT_MAX] = {CKR_CRYPTOKI_NOT_INITIALIZED};
	union argument good[INVOKE_MAX];
	union argument zero[INVOKE_MAX];
	bool is_good = true;

	memset(zero, 0, sizeof(zero));
	for (unsigned call = 0; call < CALL_COUNT; call++) {
		CK_RV rv;

		if (is_free(call) || (call >= CALL_COUNT_2_40 && !w->m.f3))
			continue;
		if (is_child &&
		    call == CALL_Finalize) /* many programs finalise what they inherited */
			continue;
		world_arguments(w, call, good);
		rv = invoke(&w->m, call, good);
		if (rv == CKR_CRYPTOKI_NOT_INITIALIZED)
			rv = invoke(&w->m, call, zero);
		if (rv != CKR_CRYPTOKI_NOT_INITIALIZED) {
			say_wrong(call, 0, "not initialised", rv, codes);
			is_good = false;
		}
	}
	return is_good;
}

static bool refuses_in_child(struct world *w)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		bool is_good = refuses_uninitialised(w, true);

		fflush(stdout);
		_exit(is_good ? 0 : 1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* One spoiled argument; a failed step must have ended its operation. */
static bool try_spoiled(struct world *w, enum token_call call, unsigned i, enum spoil how,
			const CK_RV *codes)
{
	static const CK_RV ended[EXPECT_MAX] = {CKR_OPERATION_NOT_INITIALIZED};
	union argument a[INVOKE_MAX];
	uint64_t foreign = world_foreign(w);
	bool is_good;
	CK_RV rv;

	if (!world_prepare(w, call)) {
		printf("#   %s: could not be prepared\n", invoke_names[call]);
		return false;
	}
	world_arguments(w, call, a);
	expect_spoil(w, call, a, i, how);
	rv = invoke(&w->m, call, a);
	is_good = is_among(rv, codes);
	if (!is_good)
		say_wrong(call, i, expect_names[how], rv, codes);
	if (is_good && world_is_step(call) && invoke_arguments[call][i] != 's') {
		world_arguments(w, call, a);
		rv = invoke(&w->m, call, a);
		is_good = is_among(rv, ended);
		if (!is_good)
			say_wrong(call, i, "operation after the failure", rv, ended);
	}
	world_drop(w);
	if (world_foreign(w) != foreign) {
		printf("#   %s, argument %u, %s: reached the token\n", invoke_names[call], i + 1,
		       expect_names[how]);
		return false;
	}
	return is_good;
}

static bool is_handle_kind(char kind)
{
	return kind == 's' || kind == 'S';
}

static bool refuses_spoiled(struct world *w, enum token_call call, bool is_only_handles)
{
	const char *kinds = invoke_arguments[call];
	bool is_good = true;

	for (unsigned i = 0; kinds[i]; i++) {
		if (is_only_handles && !is_handle_kind(kinds[i]))
			continue;
		for (unsigned how = 0; how < SPOIL_COUNT; how++) {
			const CK_RV *codes =
				expect_codes(call, kinds[i], i ? kinds[i - 1] : 0, how);

			if (codes && !try_spoiled(w, call, i, how, codes))
				is_good = false;
		}
	}
	return is_good;
}

/* Functions that change what all other cases stand on, or whose good call is another test's
 * subject. */
static bool is_apart(enum token_call call)
{
	return call == CALL_Initialize || call == CALL_Finalize || call == CALL_InitToken ||
	       call == CALL_InitPIN || call == CALL_SetPIN || call == CALL_Login ||
	       call == CALL_LoginUser || call == CALL_Logout || call == CALL_CloseAllSessions ||
	       call == CALL_WaitForSlotEvent || call == CALL_GetOperationState ||
	       call == CALL_SetOperationState || call == CALL_GetFunctionStatus ||
	       call == CALL_CancelFunction ||
	       (call >= CALL_DigestEncryptUpdate && call <= CALL_DecryptVerifyUpdate);
}

static bool good_call_works(struct world *w, enum token_call call)
{
	union argument a[INVOKE_MAX];
	char spare[NAME_MAX_LEN];
	bool is_ready = world_prepare(w, call);
	CK_RV rv = CKR_GENERAL_ERROR;

	if (is_ready) {
		world_arguments(w, call, a);
		rv = invoke(&w->m, call, a);
	}
	world_drop(w);
	if (rv != CKR_OK && !is_loose)
		printf("#   %s with good arguments: %s\n", invoke_names[call],
		       is_ready ? name_of(NAME_RV, rv, spare) : "could not be prepared");
	return rv == CKR_OK;
}

static bool is_message(enum token_call call)
{
	return call >= CALL_MessageEncryptInit && call <= CALL_MessageVerifyFinal;
}

/* A token of 2.40 behind the 3.0 interface. */
static bool has_no_messages(struct world *w)
{
	static const enum token_call inits[] = {CALL_MessageEncryptInit, CALL_MessageDecryptInit,
						CALL_MessageSignInit, CALL_MessageVerifyInit};
	static const CK_RV codes[EXPECT_MAX] = {CKR_FUNCTION_NOT_SUPPORTED};
	bool is_good = world_prepare(w, CALL_GetInfo);

	for (size_t i = 0; i < sizeof(inits) / sizeof(inits[0]); i++) {
		union argument a[INVOKE_MAX];
		CK_RV rv;

		world_arguments(w, inits[i], a);
		rv = invoke(&w->m, inits[i], a);
		if (!is_among(rv, codes)) {
			say_wrong(inits[i], 0, "token without messages", rv, codes);
			is_good = false;
		}
	}
	world_drop(w);
	return is_good;
}

static void every_function(struct world *w)
{
	if (!has_messages && w->m.f3)
		result(has_no_messages(w), "message functions answer that the token has none", "");
	for (unsigned call = 0; call < CALL_COUNT; call++) {
		bool works;

		if ((call >= CALL_COUNT_2_40 && !w->m.f3) || (is_message(call) && !has_messages))
			break;
		if (is_apart(call)) {
			result(refuses_spoiled(w, call, true), "refuses wrong handles",
			       invoke_names[call]);
			continue;
		}
		works = good_call_works(w, call);
		if (!is_loose)
			result(works, "works with good arguments", invoke_names[call]);
		if (works)
			result(refuses_spoiled(w, call, false), "refuses bad arguments",
			       invoke_names[call]);
	}
}

int main(int argc, char **argv)
{
	static struct world w;

	if (argc < 3) {
		fprintf(stderr, "usage: badinput MODULE LABEL [--loose] [--messages]\n");
		return 2;
	}
	for (int i = 3; i < argc; i++) {
		is_loose |= strcmp(argv[i], "--loose") == 0;
		has_messages |= strcmp(argv[i], "--messages") == 0;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (!world_load(&w, argv[1]))
		return 1;
	result(refuses_uninitialised(&w, false), "all functions refuse to work before C_Initialize",
	       "");
	if (!world_open(&w, argv[2]))
		return 1;
	world_close(&w);
	result(refuses_uninitialised(&w, false), "all functions refuse to work after C_Finalize",
	       "");
	if (!world_open(&w, argv[2]))
		return 1;
	result(refuses_in_child(&w), "all functions refuse to work in a forked child", "");
	every_function(&w);
	test_count = decisions(&w, argv[2], test_count, is_loose);
	world_close(&w);
	printf("1..%u\n", test_count);
	return 0;
}
