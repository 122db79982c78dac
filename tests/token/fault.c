/* SPDX-License-Identifier: BSD-2-Clause */
/* The fault token: another module's token, with faults on demand while it is in use. How to use it,
 * and the words of a plan, are in hsmux-fault(7).
 *
 * This file applies the plan: it reads the file again whenever it changed, decides what becomes of
 * a call, and notes what the calls did. One instance is one copy of this library; its settings are
 * those of the environment when its function list was first asked for.
 *
 * instance.lock guards all of `instance`; it is never held while the real module works or a call
 * waits. Must never answer what the plan does not say. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/token/fault.h"
#include "tests/token/fault_load.h"
#include "tests/token/fault_plan.h"

/* How often a hanging call looks whether the plan changed. */
#define HANG_MS 10

/* The plan as read last, and what happened since. */
static struct {
	pthread_mutex_t lock;
	struct stat seen; /* of the plan's file, to notice a change */
	struct fault_plan plan;
	unsigned long version;
	unsigned long working;    /* calls inside now */
	unsigned long sessions;   /* open now */
	unsigned long wrong_pins; /* in a row */
	bool is_uninitialised;    /* the real module still is, but nobody may use it */
} instance = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The process that uses the instance: a forked child begins with a lock of its own. */
static _Atomic pid_t owner;

/* What a call must suffer, taken from the plan under the lock; for fault_after of the thread. */
struct verdict {
	CK_RV answer; /* CKR_OK: call the token */
	CK_RV after;  /* CKR_OK: the token's answer stands */
	unsigned long delay_us;
	unsigned long version;
	bool hangs;
	bool kills;       /* before the token is called */
	bool kills_after; /* when its work is done */
	bool loses_sessions;
	bool logs_out;
};

static _Thread_local struct verdict current;

/* Held for reading while the real module works. Sessions and logins are lost between two calls,
 * never under one: SoftHSM2 2.6 uses freed memory when C_CloseAllSessions overtakes C_Sign. */
static pthread_rwlock_t inside = PTHREAD_RWLOCK_INITIALIZER;
static _Thread_local bool is_inside;

static void plan_read(const char *file)
{
	char line[512];
	char wanted[160];
	FILE *f = fopen(file, "re");

	memset(&instance.plan, 0, sizeof(instance.plan));
	instance.version++;
	while (f && fgets(line, sizeof(line), f)) {
		if (fault_plan_add(&instance.plan, line, wanted, sizeof(wanted)))
			continue;
		fprintf(stderr, "fault token: %s: not understood: %sexpected: %s\n", file, line,
			wanted);
		abort();
	}
	if (f)
		fclose(f);
	instance.plan.loses_sessions |= instance.plan.is_removed;
}

/* With the lock held. */
static void plan_refresh(void)
{
	const char *file = fault_control();
	struct stat now = {0};

	if (!file)
		return;
	if (stat(file, &now) != 0)
		memset(&now, 0, sizeof(now)); /* no file: no faults */
	if (now.st_ino == instance.seen.st_ino && now.st_size == instance.seen.st_size &&
	    now.st_mtim.tv_sec == instance.seen.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == instance.seen.st_mtim.tv_nsec)
		return;
	instance.seen = now;
	plan_read(file);
}

/* Nobody else runs in a child that was just forked, so the lock can be made anew. */
static void lock_instance(void)
{
	pid_t self = getpid();

	if (atomic_exchange(&owner, self) != self) {
		pthread_mutex_init(&instance.lock, NULL);
		pthread_rwlock_init(&inside, NULL);
		instance.working = 0;
	}
	pthread_mutex_lock(&instance.lock);
}

static void unlock_instance(void)
{
	pthread_mutex_unlock(&instance.lock);
}

/* Calls that a dead token answers from memory. */
static bool is_cheap(enum token_call call)
{
	return call <= CALL_GetMechanismInfo ||
	       (call >= CALL_OpenSession && call <= CALL_GetSessionInfo) || call == CALL_Login ||
	       call == CALL_Logout || call == CALL_LoginUser ||
	       (call >= CALL_FindObjectsInit && call <= CALL_FindObjectsFinal);
}

/* Calls that say something about the library or an empty slot. */
static bool needs_no_token(enum token_call call)
{
	return call <= CALL_GetSlotInfo || call == CALL_GetInterfaceList ||
	       call == CALL_GetInterface || call == CALL_WaitForSlotEvent;
}

static bool is_login(enum token_call call)
{
	return call == CALL_Login || call == CALL_LoginUser;
}

/* What a token that is not there answers. */
static CK_RV absence(enum token_call call)
{
	if (needs_no_token(call))
		return CKR_OK;
	return call <= CALL_InitToken || call == CALL_OpenSession || call == CALL_CloseAllSessions
		       ? CKR_TOKEN_NOT_PRESENT
		       : CKR_DEVICE_REMOVED;
}

/* What the states of the plan say about a call; CKR_OK: nothing. */
static CK_RV state_answer(enum token_call call)
{
	const struct fault_plan *p = &instance.plan;

	if (instance.is_uninitialised && call != CALL_Initialize)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (p->gone != CKR_OK)
		return p->gone;
	if (p->is_removed && absence(call) != CKR_OK)
		return absence(call);
	if (p->polite != CKR_OK && !is_cheap(call))
		return p->polite;
	if (p->busy_code != CKR_OK && !needs_no_token(call) && instance.working >= p->busy_calls)
		return p->busy_code;
	if (call == CALL_OpenSession && p->has_session_limit && instance.sessions >= p->sessions)
		return CKR_SESSION_COUNT;
	if (is_login(call) && p->pin_tries && instance.wrong_pins >= p->pin_tries)
		return CKR_PIN_LOCKED;
	return CKR_OK;
}

static void strike(const struct fault_rule *r, struct verdict *v)
{
	switch (r->action) {
	case FAULT_ANSWER:
		v->answer = r->value;
		break;
	case FAULT_AFTER:
		v->after = r->value;
		break;
	case FAULT_DELAY:
		break; /* was added up */
	case FAULT_HANG:
		v->hangs = true;
		break;
	case FAULT_KILL:
		v->kills = true;
		break;
	case FAULT_AFTER_KILL:
		v->kills_after = true;
		break;
	case FAULT_LOSE_SESSIONS:
		v->loses_sessions = true;
		break;
	case FAULT_LOG_OUT:
		v->logs_out = true;
		break;
	}
}

/* Delays add up; of the other actions the first that fits is taken. All rules count the call. */
static void rules_apply(enum token_call call, struct verdict *v)
{
	bool is_decided = v->answer != CKR_OK;

	for (unsigned i = 0; i < instance.plan.rule_count; i++) {
		struct fault_rule *r = &instance.plan.rules[i];

		if (!fault_rule_fits(r, call))
			continue;
		if (r->action == FAULT_DELAY)
			v->delay_us += r->value;
		if (is_decided || r->action == FAULT_DELAY)
			continue;
		is_decided = true;
		strike(r, v);
	}
}

static void judge(enum token_call call, struct verdict *v)
{
	instance.is_uninitialised |= instance.plan.uninitialises;
	instance.plan.uninitialises = false;
	*v = (struct verdict){.version = instance.version,
			      .answer = state_answer(call),
			      .loses_sessions = instance.plan.loses_sessions,
			      .logs_out = instance.plan.logs_out};
	instance.plan.loses_sessions = instance.plan.logs_out = false;
	rules_apply(call, v);
	instance.working++;
	/* A place is taken before the session exists, so that the limit holds for many threads. */
	if (call == CALL_OpenSession && v->answer == CKR_OK)
		instance.sessions++;
	if (v->loses_sessions)
		instance.sessions = 0;
}

static void pause_us(unsigned long us)
{
	struct timespec left = {.tv_sec = (time_t)(us / 1000000),
				.tv_nsec = (long)(us % 1000000) * 1000};

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

/* Until the plan is another one than the call began with. */
static void hang(unsigned long version)
{
	bool is_same;

	do {
		pause_us(HANG_MS * 1000);
		lock_instance();
		plan_refresh();
		is_same = instance.version == version;
		unlock_instance();
	} while (is_same);
}

/* Sessions and logins that the token loses are lost behind the back of whoever uses it. */
static void lose(bool sessions, bool login)
{
	CK_SLOT_ID slots[16];
	CK_ULONG count = 16;

	if ((!sessions && !login) || fault_real->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
		return;
	for (CK_ULONG i = 0; i < count; i++) {
		CK_SESSION_HANDLE s;

		if (sessions)
			(void)fault_real->C_CloseAllSessions(slots[i]);
		else if (fault_real->C_OpenSession(slots[i], CKF_SERIAL_SESSION, NULL, NULL, &s) ==
			 CKR_OK) {
			(void)fault_real->C_Logout(s);
			(void)fault_real->C_CloseSession(s);
		}
	}
}

/* The process ends, and nothing in it can do anything about that. */
static _Noreturn void end_process(void)
{
	(void)kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

CK_RV fault_before(enum token_call call)
{
	struct verdict *v = &current;

	lock_instance();
	plan_refresh();
	judge(call, v);
	unlock_instance();
	if (v->loses_sessions || v->logs_out) {
		pthread_rwlock_wrlock(&inside);
		lose(v->loses_sessions, v->logs_out);
		pthread_rwlock_unlock(&inside);
	}
	if (v->hangs)
		hang(v->version);
	if (v->delay_us)
		pause_us(v->delay_us);
	if (v->kills)
		end_process();
	/* What waits for an event may wait for ever. */
	is_inside = v->answer == CKR_OK && call != CALL_WaitForSlotEvent;
	if (is_inside)
		pthread_rwlock_rdlock(&inside);
	return v->answer;
}

/* Sessions as the real module has them; `rv` is its answer, CKR_OK or not. With the lock held. */
static void follow_sessions(enum token_call call, CK_RV rv)
{
	if (call == CALL_OpenSession && rv != CKR_OK && instance.sessions > 0)
		instance.sessions--;
	if (rv != CKR_OK)
		return;
	if (call == CALL_CloseSession && instance.sessions > 0)
		instance.sessions--;
	if (call == CALL_CloseAllSessions || call == CALL_Initialize || call == CALL_Finalize)
		instance.sessions = 0;
	if (call != CALL_Initialize)
		return;
	instance.is_uninitialised = false;
	fault_handles_anew(instance.plan.renumbers);
}

static void follow_pins(enum token_call call, CK_RV rv)
{
	if (!is_login(call))
		return;
	if (rv == CKR_OK)
		instance.wrong_pins = 0;
	if (rv != CKR_PIN_INCORRECT)
		return;
	instance.wrong_pins++;
	fault_stats_pin();
}

CK_RV fault_after(enum token_call call, CK_RV rv)
{
	bool is_called = current.answer == CKR_OK;

	if (current.kills_after)
		end_process();
	if (is_inside)
		pthread_rwlock_unlock(&inside);
	is_inside = false;
	lock_instance();
	if (is_called)
		follow_sessions(call, rv);
	if (is_called && current.after != CKR_OK)
		rv = current.after;
	follow_pins(call, rv);
	if (instance.working > 0)
		instance.working--;
	fault_stats_call(call, rv == CKR_OK);
	unlock_instance();
	return rv;
}

void fault_begin_anew(void)
{
	bool is_old;

	lock_instance();
	is_old = instance.is_uninitialised;
	unlock_instance();
	if (is_old)
		(void)fault_real->C_Finalize(NULL); /* as if it had happened before */
}

bool fault_finds_nothing(void)
{
	bool nothing;

	lock_instance();
	nothing = instance.plan.polite != CKR_OK;
	unlock_instance();
	return nothing;
}

bool fault_is_removed(void)
{
	bool is_removed;

	lock_instance();
	is_removed = instance.plan.is_removed;
	unlock_instance();
	return is_removed;
}

void fault_pin_flags(CK_FLAGS *flags)
{
	unsigned long limit;
	unsigned long wrong;

	lock_instance();
	limit = instance.plan.pin_tries;
	wrong = instance.wrong_pins;
	unlock_instance();
	if (!limit)
		return;
	*flags &=
		~(CK_FLAGS)(CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED);
	if (wrong > 0 && wrong < limit)
		*flags |= CKF_USER_PIN_COUNT_LOW;
	if (wrong + 1 == limit)
		*flags |= CKF_USER_PIN_FINAL_TRY;
	if (wrong >= limit)
		*flags |= CKF_USER_PIN_LOCKED;
}
