/* SPDX-License-Identifier: BSD-2-Clause */
/* The fault token: another module's token, with faults on demand while it is in use.
 *
 * FAULT_TOKEN_LIBRARY names the real module, FAULT_TOKEN_CONTROL the plan: a text file that is read
 * again whenever it changes (write a new one and rename it over the old one). No file or an empty
 * one: no faults. Lines, in words; the first that fits a call wins; # begins a comment:
 *
 *   FUNCTION WHEN ACTION
 *     FUNCTION  a name such as C_Sign, or * for any function
 *     WHEN      all | nth N | from N | every N    counted from the moment the plan was read, per
 * function ACTION    CODE         answer this and do not call the token (CKR_DEVICE_ERROR, 0x30,
 * ...) after CODE   do the work, then answer this: the reply is lost delay MS     take this much
 * longer hang         wait until the plan changes state gone CODE          every call answers this:
 * CKR_DEVICE_REMOVED, CKR_CRYPTOKI_NOT_INITIALIZED state polite CODE        dead but polite: what
 * costs nothing works, searches find nothing, work answers this state lose-sessions      once, when
 * the plan is read: all sessions of the real token are closed state logged-out         once: the
 * real token's user is logged out
 *
 * Delays and states hold for the calls that begin after the plan was read. plan.lock guards the
 * plan; it is never held while the real module works or a call waits. Must never answer what the
 * plan does not say. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/base/names.h"
#include "tests/token/fault.h"

#define RULES_MAX 64
/* How often a hanging call looks whether the plan changed. */
#define HANG_MS 10

CK_FUNCTION_LIST *fault_real;

enum when { WHEN_ALL, WHEN_NTH, WHEN_FROM, WHEN_EVERY };
enum action { ACTION_ANSWER, ACTION_AFTER, ACTION_DELAY, ACTION_HANG };

struct rule {
	int call; /* -1: any */
	enum when when;
	unsigned long n;
	enum action action;
	unsigned long value; /* code or milliseconds */
};

/* The plan as read last, and what happened since. */
static struct {
	pthread_mutex_t lock;
	struct stat seen; /* of the file, to notice a change */
	struct rule rules[RULES_MAX];
	unsigned rule_count;
	unsigned long calls[CALL_COUNT];
	CK_RV gone;   /* CKR_OK: not gone */
	CK_RV polite; /* CKR_OK: not polite */
	bool loses_sessions;
	bool logs_out;
	unsigned long version;
} plan = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* What fault_before told fault_after about this thread's call. */
static _Thread_local CK_RV pending;
static _Thread_local bool is_refused;

static const char *const call_names[CALL_COUNT] = {TOKEN_CALLS(TOKEN_CALL_NAME)};

static bool code_parse(const char *text, unsigned long *code)
{
	return text && name_value(NAME_RV, text, code);
}

static int call_parse(const char *name)
{
	for (int i = 0; i < CALL_COUNT; i++)
		if (strcmp(call_names[i], name) == 0)
			return i;
	return strcmp(name, "*") == 0 ? -1 : -2;
}

static bool when_parse(char **rest, struct rule *r)
{
	static const char *const words[] = {"all", "nth", "from", "every"};
	const char *word = strsep(rest, " \t");
	const char *number;
	unsigned i = 0;

	while (word && i < 4 && strcmp(word, words[i]) != 0)
		i++;
	if (!word || i == 4)
		return false;
	r->when = (enum when)i;
	if (r->when == WHEN_ALL)
		return true;
	number = strsep(rest, " \t");
	r->n = number ? strtoul(number, NULL, 10) : 0;
	return r->n > 0;
}

static bool action_parse(char **rest, struct rule *r)
{
	const char *word = strsep(rest, " \t");

	if (!word)
		return false;
	if (strcmp(word, "hang") == 0) {
		r->action = ACTION_HANG;
		return true;
	}
	if (strcmp(word, "delay") == 0) {
		word = strsep(rest, " \t");
		r->action = ACTION_DELAY;
		r->value = word ? strtoul(word, NULL, 10) : 0;
		return word != NULL;
	}
	r->action = ACTION_ANSWER;
	if (strcmp(word, "after") == 0) {
		r->action = ACTION_AFTER;
		word = strsep(rest, " \t");
	}
	return code_parse(word, &r->value);
}

static bool state_parse(char **rest)
{
	const char *word = strsep(rest, " \t");

	if (word && strcmp(word, "gone") == 0)
		return code_parse(strsep(rest, " \t"), &plan.gone);
	if (word && strcmp(word, "polite") == 0)
		return code_parse(strsep(rest, " \t"), &plan.polite);
	if (word && strcmp(word, "lose-sessions") == 0)
		return plan.loses_sessions = true;
	if (word && strcmp(word, "logged-out") == 0)
		return plan.logs_out = true;
	return false;
}

/* A plan that cannot be understood must not pass for one without faults. */
static void line_parse(char *line)
{
	char *rest = line;
	const char *word;
	struct rule r = {0};

	line[strcspn(line, "#\n")] = '\0';
	word = strsep(&rest, " \t");
	if (!*word)
		return;
	if (strcmp(word, "state") == 0) {
		if (state_parse(&rest))
			return;
	} else {
		r.call = call_parse(word);
		if (r.call > -2 && when_parse(&rest, &r) && action_parse(&rest, &r) &&
		    plan.rule_count < RULES_MAX) {
			plan.rules[plan.rule_count++] = r;
			return;
		}
	}
	fprintf(stderr, "fault token: plan not understood at '%s'\n", line);
	abort();
}

static void plan_read(const char *file)
{
	char line[256];
	FILE *f = fopen(file, "r");

	plan.rule_count = 0;
	plan.gone = plan.polite = CKR_OK;
	plan.loses_sessions = plan.logs_out = false;
	memset(plan.calls, 0, sizeof(plan.calls));
	plan.version++;
	while (f && fgets(line, sizeof(line), f))
		line_parse(line);
	if (f)
		fclose(f);
}

/* With plan.lock held. */
static void plan_refresh(void)
{
	const char *file = getenv("FAULT_TOKEN_CONTROL");
	struct stat now = {0};

	if (!file)
		return;
	(void)stat(file, &now); /* no file reads as zeros: no faults */
	if (now.st_ino == plan.seen.st_ino && now.st_size == plan.seen.st_size &&
	    now.st_mtim.tv_sec == plan.seen.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == plan.seen.st_mtim.tv_nsec)
		return;
	plan.seen = now;
	plan_read(file);
}

static bool fits(const struct rule *r, enum token_call call, unsigned long count)
{
	if (r->call >= 0 && r->call != (int)call)
		return false;
	switch (r->when) {
	case WHEN_ALL:
		return true;
	case WHEN_NTH:
		return count == r->n;
	case WHEN_FROM:
		return count >= r->n;
	case WHEN_EVERY:
		return count % r->n == 0;
	}
	return false;
}

/* Calls that a dead token answers from memory. */
static bool is_cheap(enum token_call call)
{
	return call <= CALL_GetMechanismInfo ||
	       (call >= CALL_OpenSession && call <= CALL_GetSessionInfo) || call == CALL_Login ||
	       call == CALL_Logout ||
	       (call >= CALL_FindObjectsInit && call <= CALL_FindObjectsFinal);
}

static void pause_ms(unsigned long ms)
{
	struct timespec left = {.tv_sec = (time_t)(ms / 1000),
				.tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

/* The plan's version, read anew. */
static unsigned long plan_version(void)
{
	unsigned long version;

	pthread_mutex_lock(&plan.lock);
	plan_refresh();
	version = plan.version;
	pthread_mutex_unlock(&plan.lock);
	return version;
}

static void hang(unsigned long version)
{
	while (plan_version() == version)
		pause_ms(HANG_MS);
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

/* What one call must suffer, taken from the plan under its lock. */
struct verdict {
	CK_RV answer; /* CKR_OK: call the token */
	CK_RV after;
	unsigned long delay_ms;
	unsigned long version;
	bool hangs;
	bool loses_sessions;
	bool logs_out;
};

static void judge(enum token_call call, struct verdict *v)
{
	unsigned long count = ++plan.calls[call];

	v->version = plan.version;
	v->loses_sessions = plan.loses_sessions;
	v->logs_out = plan.logs_out;
	plan.loses_sessions = plan.logs_out = false;
	v->answer = plan.gone;
	if (v->answer == CKR_OK && plan.polite != CKR_OK && !is_cheap(call))
		v->answer = plan.polite;
	for (unsigned i = 0; i < plan.rule_count && v->answer == CKR_OK; i++) {
		const struct rule *r = &plan.rules[i];

		if (!fits(r, call, count))
			continue;
		if (r->action == ACTION_ANSWER)
			v->answer = r->value;
		else if (r->action == ACTION_AFTER)
			v->after = r->value;
		else if (r->action == ACTION_DELAY)
			v->delay_ms = r->value;
		else
			v->hangs = true;
		return;
	}
}

CK_RV fault_before(enum token_call call)
{
	struct verdict v = {0};

	pthread_mutex_lock(&plan.lock);
	plan_refresh();
	judge(call, &v);
	pthread_mutex_unlock(&plan.lock);
	lose(v.loses_sessions, v.logs_out);
	if (v.hangs)
		hang(v.version);
	if (v.delay_ms)
		pause_ms(v.delay_ms);
	pending = v.after;
	is_refused = v.answer != CKR_OK;
	return v.answer;
}

CK_RV fault_after(enum token_call call, CK_RV rv)
{
	(void)call;
	return is_refused || pending == CKR_OK ? rv : pending;
}

bool fault_finds_nothing(void)
{
	bool nothing;

	pthread_mutex_lock(&plan.lock);
	nothing = plan.polite != CKR_OK;
	pthread_mutex_unlock(&plan.lock);
	return nothing;
}

/* A member opened as hsmux opens members; the address sanitizer refuses RTLD_DEEPBIND. */
#ifdef HSMUX_SANITIZED
#define OPEN_FLAGS (RTLD_NOW | RTLD_LOCAL)
#else
#define OPEN_FLAGS (RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND)
#endif

static void real_load(void)
{
	const char *file = getenv("FAULT_TOKEN_LIBRARY");
	void *library = file ? dlopen(file, OPEN_FLAGS) : NULL;
	void *symbol = library ? dlsym(library, "C_GetFunctionList") : NULL;
	CK_C_GetFunctionList get_list;

	memcpy(&get_list, &symbol, sizeof(get_list));
	if (!symbol || get_list(&fault_real) != CKR_OK)
		fault_real = NULL;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (!list)
		return CKR_ARGUMENTS_BAD;
	pthread_once(&once, real_load);
	if (!fault_real)
		return CKR_LIBRARY_LOAD_FAILED;
	*list = &fault_list;
	return CKR_OK;
}
