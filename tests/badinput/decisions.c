/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux's decisions: cancelling with a missing mechanism, functions of the past, short buffers, odd
 * C_Initialize arguments, handles that outlive C_Finalize, parameters of unknown mechanisms. Each
 * promise is one function; it gets a fresh session and answers whether the promise held. */
#include <stdio.h>
#include <string.h>

#include "core/base/names.h"
#include "tests/badinput/decisions.h"

/* Says what was wrong, so that a failed promise explains itself. */
static bool is_code(const char *what, CK_RV rv, CK_RV expected)
{
	char spare[NAME_MAX_LEN];
	char spare2[NAME_MAX_LEN];

	if (rv == expected)
		return true;
	printf("#   %s: %s, expected %s\n", what, name_of(NAME_RV, rv, spare),
	       name_of(NAME_RV, expected, spare2));
	return false;
}

static bool cancels(struct world *w, enum token_call init, enum token_call step)
{
	union argument a[INVOKE_MAX];
	bool is_good;

	world_arguments(w, init, a);
	is_good = is_code("Init", invoke(&w->m, init, a), CKR_OK);
	a[1].p = NULL;
	is_good &= is_code("Init without mechanism", invoke(&w->m, init, a), CKR_OK);
	world_arguments(w, step, a);
	return is_good &&
	       is_code("step after it", invoke(&w->m, step, a), CKR_OPERATION_NOT_INITIALIZED);
}

static bool missing_mechanism_cancels(struct world *w)
{
	return cancels(w, CALL_EncryptInit, CALL_Encrypt) &&
	       cancels(w, CALL_DecryptInit, CALL_Decrypt) &&
	       cancels(w, CALL_DigestInit, CALL_Digest) && cancels(w, CALL_SignInit, CALL_Sign) &&
	       cancels(w, CALL_SignRecoverInit, CALL_SignRecover) &&
	       cancels(w, CALL_VerifyInit, CALL_Verify) &&
	       cancels(w, CALL_VerifyRecoverInit, CALL_VerifyRecover);
}

static bool session_cancel_cancels(struct world *w)
{
	union argument a[INVOKE_MAX];

	world_arguments(w, CALL_SignInit, a);
	return is_code("C_SignInit", invoke(&w->m, CALL_SignInit, a), CKR_OK) &&
	       is_code("C_SessionCancel", w->m.f3->C_SessionCancel(w->session, CKF_SIGN), CKR_OK) &&
	       is_code("C_SignUpdate", w->m.f->C_SignUpdate(w->session, w->in, 1),
		       CKR_OPERATION_NOT_INITIALIZED) &&
	       is_code("again", w->m.f3->C_SessionCancel(w->session, CKF_SIGN), CKR_OK);
}

static bool operation_state_is_not_supported(struct world *w)
{
	CK_ULONG len = sizeof(w->out);
	CK_FUNCTION_LIST *f = w->m.f;

	return is_code("get", f->C_GetOperationState(w->session, w->out, &len),
		       CKR_FUNCTION_NOT_SUPPORTED) &&
	       is_code("set", f->C_SetOperationState(w->session, w->out, 4, 0, 0),
		       CKR_FUNCTION_NOT_SUPPORTED);
}

static bool parallel_functions_are_gone(struct world *w)
{
	CK_SESSION_HANDLE s;

	return is_code("status", w->m.f->C_GetFunctionStatus(w->session),
		       CKR_FUNCTION_NOT_PARALLEL) &&
	       is_code("cancel", w->m.f->C_CancelFunction(w->session), CKR_FUNCTION_NOT_PARALLEL) &&
	       is_code("open", w->m.f->C_OpenSession(w->slot, 0, NULL, NULL, &s),
		       CKR_SESSION_PARALLEL_NOT_SUPPORTED);
}

static bool init_token_refuses_open_sessions(struct world *w)
{
	return is_code("C_InitToken", w->m.f->C_InitToken(w->slot, w->pin, w->pin_len, w->label),
		       CKR_SESSION_EXISTS);
}

static bool short_buffer_keeps_the_operation(struct world *w)
{
	CK_MECHANISM m = {CKM_SHA256, NULL, 0};
	CK_ULONG len = 1;
	CK_FUNCTION_LIST *f = w->m.f;
	bool is_good = is_code("C_DigestInit", f->C_DigestInit(w->session, &m), CKR_OK);

	is_good &= is_code("short", f->C_Digest(w->session, w->in, 4, w->out, &len),
			   CKR_BUFFER_TOO_SMALL);
	is_good &= len == 32;
	return is_good &&
	       is_code("enough", f->C_Digest(w->session, w->in, 4, w->out, &len), CKR_OK);
}

static bool short_lists_say_how_long(struct world *w)
{
	CK_FUNCTION_LIST *f = w->m.f;
	CK_ULONG slots = 0;
	CK_ULONG mechanisms = 0;
	bool is_good = is_code("slots", f->C_GetSlotList(CK_TRUE, w->result, &slots),
			       CKR_BUFFER_TOO_SMALL);

	is_good &= is_code("mechanisms", f->C_GetMechanismList(w->slot, w->result, &mechanisms),
			   CKR_BUFFER_TOO_SMALL);
	return is_good && slots > 0 && mechanisms > 0;
}

static bool logins_are_refused(struct world *w)
{
	CK_FUNCTION_LIST *f = w->m.f;
	CK_SESSION_HANDLE s = w->session;

	return is_code("type", f->C_Login(s, 77, w->pin, w->pin_len), CKR_USER_TYPE_INVALID) &&
	       is_code("twice", f->C_Login(s, CKU_USER, w->pin, w->pin_len),
		       CKR_USER_ALREADY_LOGGED_IN) &&
	       is_code("wrong and twice", f->C_Login(s, CKU_USER, w->pin, 1),
		       CKR_USER_ALREADY_LOGGED_IN) &&
	       is_code("other", f->C_Login(s, CKU_SO, w->pin, w->pin_len),
		       CKR_USER_ANOTHER_ALREADY_LOGGED_IN) &&
	       is_code("context", f->C_Login(s, CKU_CONTEXT_SPECIFIC, w->pin, w->pin_len),
		       CKR_OPERATION_NOT_INITIALIZED);
}

static bool slot_events_do_not_hang(struct world *w)
{
	CK_SLOT_ID slot;

	return is_code("poll", w->m.f->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL),
		       CKR_NO_EVENT) &&
	       is_code("reserved", w->m.f->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, w->in),
		       CKR_ARGUMENTS_BAD);
}

static bool interfaces_are_exact(struct world *w)
{
	CK_UTF8CHAR ours[] = "PKCS 11";
	CK_UTF8CHAR other[] = "Vendor NSS Module Interface";
	CK_VERSION odd = {2, 11};
	CK_INTERFACE *i = NULL;
	CK_ULONG count = 0;
	CK_C_GetInterface get;
	CK_C_GetInterfaceList list;

	if (!load_symbol(w->m.library, "C_GetInterface", &get) ||
	    !load_symbol(w->m.library, "C_GetInterfaceList", &list))
		return false;
	return is_code("default", get(NULL, NULL, &i, 0), CKR_OK) &&
	       is_code("name", get(ours, NULL, &i, 0), CKR_OK) &&
	       is_code("vendor's", get(other, NULL, &i, 0), CKR_ARGUMENTS_BAD) &&
	       is_code("version", get(ours, &odd, &i, 0), CKR_ARGUMENTS_BAD) &&
	       is_code("fork safe", get(ours, NULL, &i, CKF_INTERFACE_FORK_SAFE),
		       CKR_ARGUMENTS_BAD) &&
	       is_code("short", list((CK_INTERFACE *)w->result, &count), CKR_BUFFER_TOO_SMALL) &&
	       (count == 2);
}

static bool dual_functions_need_two_operations(struct world *w)
{
	bool is_good = true;

	for (unsigned call = CALL_DigestEncryptUpdate; call <= CALL_DecryptVerifyUpdate; call++) {
		union argument a[INVOKE_MAX];
		CK_RV rv;

		world_arguments(w, call, a);
		rv = invoke(&w->m, call, a);
		if (rv != CKR_FUNCTION_NOT_SUPPORTED)
			is_good &= is_code(invoke_names[call], rv, CKR_OPERATION_NOT_INITIALIZED);
	}
	return is_good;
}

/* A mechanism that only the null token has, with a parameter that nobody describes. */
static CK_RV vendor_sign(struct world *w, void *param, CK_ULONG len)
{
	CK_MECHANISM m = {CKM_VENDOR_DEFINED + 1, param, len};
	CK_RV rv = w->m.f->C_SignInit(w->session, &m, w->key);

	if (rv == CKR_OK)
		(void)w->m.f->C_SignInit(w->session, NULL, 0);
	return rv;
}

static bool unknown_parameters_pass_only_when_flat(struct world *w)
{
	CK_BYTE flat[24] = "twenty-four plain bytes";
	void *pointer[2] = {w->out, NULL};
	CK_ULONG handle[2] = {w->key, 0};

	return is_code("flat", vendor_sign(w, flat, sizeof(flat)), CKR_OK) &&
	       is_code("none", vendor_sign(w, NULL, 0), CKR_OK) &&
	       is_code("pointer", vendor_sign(w, pointer, sizeof(pointer)),
		       CKR_MECHANISM_PARAM_INVALID) &&
	       is_code("handle", vendor_sign(w, handle, sizeof(handle)),
		       CKR_MECHANISM_PARAM_INVALID);
}

static CK_RV no_mutex(void **mutex)
{
	*mutex = NULL;
	return CKR_OK;
}

static CK_RV no_lock(void *mutex)
{
	(void)mutex;
	return CKR_OK;
}

static bool initialize_arguments(struct world *w)
{
	CK_FUNCTION_LIST *f = w->m.f;
	char nonsense[] = "nonsense";
	CK_C_INITIALIZE_ARGS half = {.CreateMutex = no_mutex, .LockMutex = no_lock};
	CK_C_INITIALIZE_ARGS own = {.CreateMutex = no_mutex,
				    .DestroyMutex = no_lock,
				    .LockMutex = no_lock,
				    .UnlockMutex = no_lock};
	CK_C_INITIALIZE_ARGS reserved = {.flags = CKF_OS_LOCKING_OK, .pReserved = nonsense};
	bool is_good =
		is_code("twice", f->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED) &&
		is_code("reserved", f->C_Finalize(nonsense), CKR_ARGUMENTS_BAD) &&
		is_code("finalize", f->C_Finalize(NULL), CKR_OK) &&
		is_code("again", f->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED) &&
		is_code("half of the callbacks", f->C_Initialize(&half), CKR_ARGUMENTS_BAD) &&
		is_code("only callbacks", f->C_Initialize(&own), CKR_CANT_LOCK) &&
		is_code("pReserved", f->C_Initialize(&reserved), CKR_ARGUMENTS_BAD);

	own.flags = CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS;
	is_good &= is_code("callbacks and no threads", f->C_Initialize(&own), CKR_OK);
	return is_good && is_code("finalize", f->C_Finalize(NULL), CKR_OK);
}

/* The module was finalised and initialised: nothing of before may mean anything. */
static bool old_handles_are_dead(struct world *w, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	CK_SESSION_INFO info;
	CK_MECHANISM m = {CKM_SHA256_HMAC, NULL, 0};

	return is_code("session", w->m.f->C_GetSessionInfo(session, &info),
		       CKR_SESSION_HANDLE_INVALID) &&
	       is_code("key", w->m.f->C_SignInit(w->keeper, &m, key), CKR_KEY_HANDLE_INVALID);
}

struct promise {
	const char *sentence;
	bool (*holds)(struct world *w);
	bool needs_null; /* cannot be shown with every token */
	bool needs_3_0;
};

static const struct promise promises[] = {
	{"a missing mechanism cancels the active operation", missing_mechanism_cancels, true,
	 false},
	{"C_SessionCancel cancels and is content with nothing", session_cancel_cancels, true, true},
	{"operation states are not supported", operation_state_is_not_supported, false, false},
	{"parallel functions answer as the standard says", parallel_functions_are_gone, false,
	 false},
	{"C_InitToken is refused while a session is open", init_token_refuses_open_sessions, false,
	 false},
	{"a short buffer keeps the operation", short_buffer_keeps_the_operation, false, false},
	{"short lists say how long they are", short_lists_say_how_long, false, false},
	{"logins out of order are refused without asking the token", logins_are_refused, false,
	 false},
	{"C_WaitForSlotEvent does not hang when told not to", slot_events_do_not_hang, false,
	 false},
	{"interfaces are found by exact name and version", interfaces_are_exact, false, true},
	{"dual functions need two operations", dual_functions_need_two_operations, false, false},
	{"parameters of unknown mechanisms pass only when flat",
	 unknown_parameters_pass_only_when_flat, true, false},
};

static void say(unsigned count, bool is_good, const char *sentence)
{
	printf("%sok %u - %s\n", is_good ? "" : "not ", count, sentence);
}

unsigned decisions(struct world *w, const char *label, unsigned count, bool is_loose)
{
	CK_OBJECT_HANDLE key;
	CK_SESSION_HANDLE session;
	bool is_open;

	for (size_t i = 0; i < sizeof(promises) / sizeof(promises[0]); i++) {
		const struct promise *p = &promises[i];

		if ((p->needs_null && is_loose) || (p->needs_3_0 && !w->m.f3))
			continue;
		say(++count, world_prepare(w, CALL_GetInfo) && p->holds(w), p->sentence);
		world_drop(w);
	}
	key = w->key;
	session = w->keeper;
	say(++count, initialize_arguments(w),
	    "C_Initialize takes the arguments that the standard knows");
	is_open = world_open(w, label);
	say(++count, is_open && old_handles_are_dead(w, session, key),
	    "handles do not outlive C_Finalize");
	return count;
}
