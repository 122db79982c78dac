/* SPDX-License-Identifier: BSD-2-Clause */
/* Cuts a virtual token that replicates at every single call that one of its members gets while a
 * token object is made, changed or destroyed:
 *
 *   replicate MODULE TOKEN LIBRARY NEED WAY KIND WHICH MEMBER...
 *
 * LIBRARY is the members' own, SoftHSM2; NEED says on how many members an object is when the
 * application hears of it; WAY is one of replicate_way.c; KIND is
 *   error      the call fails            lost     it is done, and the answer is lost
 *   sessions   the token's sessions are  logout   its user is logged out before it
 *              lost before it            gone     the member is gone from this call on
 *   kill       the process is killed     killed   the process is killed when it is done
 *              before it
 * WHICH is the name of the member that is struck. A MEMBER is the folder of a fault token over
 * SoftHSM2, named as its token.
 *
 * The first call is cut, then the second, and so on until none is struck any more. After each a new
 * process logs in and looks; then each member is read by its own library. All members have the
 * object, or none, or all as it was before; nothing half, nothing of hsmux's own, nothing that
 * could be wrapped away. Where the application was told that it is done, NEED members have it, or a
 * record of what is to be done, at once.
 *
 * REPLICATE_ONLY=N in the environment cuts at call N only, and says what is there.
 * REPLICATE_AGAIN=N strikes the next application, too, which finishes or undoes what was left: at
 * one of its first N calls, another one for each cut. The one after it is judged. */
#include "tests/scenario/replicate.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "tests/scenario/faulty.h"

#define MEMBERS 4U
/* No process takes so long, unless it hangs. */
#define PATIENCE_S 60U
/* As often the members are read, with a pause, until they are as they should be. */
#define RETURNS 100U
/* More calls than any way has. */
#define CALLS 2000U

/* Kinds, and their plans: which call, and what becomes of it. */
static const struct kind {
	const char *name;
	const char *when;
	const char *action;
} kinds[] = {
	{"error", "nth", "CKR_DEVICE_ERROR"}, {"lost", "nth", "after CKR_DEVICE_ERROR"},
	{"sessions", "nth", "lose-sessions"}, {"gone", "from", "CKR_DEVICE_REMOVED"},
	{"logout", "nth", "log-out"},         {"kill", "nth", "kill"},
	{"killed", "nth", "after kill"},
};

/* What the processes tell each other. */
struct told {
	bool has_acted;       /* the call came back */
	CK_RV rv;             /* with this */
	unsigned long calls;  /* that the struck member had got then, of this call */
	_Atomic int is_in;    /* the next process has logged in */
	_Atomic int may_look; /* the members were read */
	bool has_looked;
	unsigned made, old; /* that the next process found */
	bool is_usable;     /* what it found works */
	bool is_extractable;
	struct stock stock[MEMBERS];
};

struct run {
	const char *module, *token, *library;
	const struct way *way;
	unsigned need;
	const struct kind *kind;
	unsigned struck; /* index of the member that is */
	unsigned count;
	struct store store[MEMBERS];
	char said[300]; /* file of what hsmux logged */
	unsigned again; /* the next application is struck within so many calls; 0: it is not */
	struct told *told;
};

/* Runs a part in a process of its own. */
static pid_t begin(struct run *r, void (*part)(struct run *r, unsigned n), unsigned n)
{
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		CHECK(freopen(r->said, "a", stderr) != NULL);
		(void)alarm(PATIENCE_S);
		part(r, n);
		_exit(0);
	}
	CHECK(pid > 0);
	return pid;
}

/* True when it ended as it should, or was killed as planned. */
static bool end(pid_t pid, bool may_be_killed)
{
	int status = 0;

	CHECK(waitpid(pid, &status, 0) == pid);
	if (WIFSIGNALED(status) && !(may_be_killed && WTERMSIG(status) == SIGKILL))
		printf("  a process ended by signal %d%s\n", WTERMSIG(status),
		       WTERMSIG(status) == SIGALRM ? ": it hung" : "");
	return WIFSIGNALED(status) ? may_be_killed && WTERMSIG(status) == SIGKILL
				   : WEXITSTATUS(status) == 0;
}

static bool apart(struct run *r, void (*part)(struct run *r, unsigned n), unsigned n,
		  bool may_be_killed)
{
	return end(begin(r, part, n), may_be_killed);
}

static void enter(const struct run *r, struct place *p)
{
	memset(p, 0, sizeof(*p));
	app_load(&p->app, r->module);
	app_init(&p->app);
	p->session = app_enter(&p->app, r->token);
}

/* The application that is cut. */
static void act(struct run *r, unsigned n)
{
	const struct store *s = &r->store[r->struck];
	unsigned long before;
	struct place p;
	char line[80];

	enter(r, &p);
	if (r->way->prepare)
		r->way->prepare(&p);
	(void)snprintf(line, sizeof(line), "* %s %u %s", r->kind->when, n, r->kind->action);
	before = tally_read(s->stats, NULL).calls;
	plan_write(s->plan, line);
	r->told->rv = r->way->act(&p);
	r->told->calls = tally_read(s->stats, NULL).calls - before;
	r->told->has_acted = true;
	if (strcmp(r->kind->name, "gone") != 0)
		plan_write(s->plan, "");
	(void)p.app.f->C_Finalize(NULL); /* the application ends in any case */
}

static unsigned find(const struct place *p, char *label, CK_OBJECT_HANDLE found[static 8])
{
	CK_ATTRIBUTE like = {CKA_LABEL, label, strlen(label)};
	CK_ULONG count = 0;

	OK(p->app.f->C_FindObjectsInit(p->session, &like, 1));
	OK(p->app.f->C_FindObjects(p->session, found, 8, &count));
	OK(p->app.f->C_FindObjectsFinal(p->session));
	return (unsigned)count;
}

static bool is_extractable(const struct place *p, CK_OBJECT_HANDLE object)
{
	CK_BBOOL extractable = CK_FALSE;
	CK_ATTRIBUTE a = {CKA_EXTRACTABLE, &extractable, sizeof(extractable)};

	return p->app.f->C_GetAttributeValue(p->session, object, &a, 1) == CKR_OK && extractable;
}

static void look_once(struct told *t, const struct place *p)
{
	char made[] = MADE, old[] = OLD;
	CK_OBJECT_HANDLE found[8];

	t->old = find(p, old, found);
	t->made = find(p, made, found);
	t->is_usable = true;
	for (unsigned i = 0; i < t->made && i < 8; i++) {
		t->is_usable = t->is_usable && way_works(p, found[i]);
		t->is_extractable = is_extractable(p, found[i]);
	}
}

/* The next application: it logs in, lives until the members were read, and sees what is there. */
static void look(struct run *r, unsigned n)
{
	struct place p;

	(void)n;
	enter(r, &p);
	atomic_store(&r->told->is_in, 1);
	while (!atomic_load(&r->told->may_look))
		(void)usleep(1000);
	look_once(r->told, &p);
	OK(p.app.f->C_Finalize(NULL));
	r->told->has_looked = true;
}

static void take(struct run *r, unsigned cleans)
{
	for (unsigned i = 0; i < r->count; i++)
		stock_take(r->library, &r->store[i], &r->told->stock[i], cleans);
}

/* What the members have, by their own library. */
static bool take_all(struct run *r)
{
	return apart(r, take, false, false);
}

/* The way without a cut, so that what hsmux makes for itself, the canary, is there before the first
 * cut. Then nothing but that is left. */
static void warm_up(struct run *r, unsigned n)
{
	struct place p;

	(void)n;
	enter(r, &p);
	if (r->way->prepare)
		r->way->prepare(&p);
	OK(r->way->act(&p));
	OK(p.app.f->C_Finalize(NULL));
}

/* A change or destruction may also stand in a record there: the member does not serve before it is
 * carried out. A new object may have no name yet on a member that is gone. */
static unsigned done_on(const struct run *r)
{
	bool is_gone = strcmp(r->kind->name, "gone") == 0;
	bool is_new = r->way->made[0] + r->way->old[0] == 0 || r->way->old[1] > 0;
	unsigned n = 0;

	for (unsigned i = 0; i < r->count; i++)
		n += stock_is(&r->told->stock[i], r->way, true) ||
		     (!is_new && stock_owes(&r->told->stock[i])) ||
		     (is_gone && i == r->struck &&
		      stock_count(&r->told->stock[i], MADE) + stock_pending(&r->told->stock[i]) ==
			      r->way->made[1]);
	return n;
}

/* What the next application saw, in words; NULL: what it should. */
static const char *seen_fault(const struct run *r, bool is_done)
{
	const struct told *t = r->told;
	const struct way *w = r->way;

	if (!t->has_looked)
		return "the next application cannot log in, or search";
	if (t->made != w->made[is_done] || t->old != w->old[is_done])
		return "the next application sees something else than the members have";
	if (!t->is_usable)
		return "the next application cannot use it";
	if (w->loses_export && t->rv == CKR_OK && t->has_acted && t->is_extractable)
		return "the next application can export what was locked";
	return !w->loses_export && t->made > 0 && t->is_extractable
		       ? "the next application sees a key that can be exported"
		       : NULL;
}

/* What is wrong with the members; NULL: nothing. */
static const char *members_fault(const struct run *r, bool *is_done)
{
	const struct told *t = r->told;
	bool is_undone = stock_is(&t->stock[0], r->way, false);

	*is_done = stock_is(&t->stock[0], r->way, true);
	for (unsigned i = 0; i < r->count; i++) {
		const char *words = stock_fault(&t->stock[i], r->way);

		if (words)
			return words;
	}
	for (unsigned i = 1; i < r->count; i++)
		if (!stock_same(&t->stock[0], &t->stock[i]))
			return "the members differ";
	if (!*is_done && !is_undone)
		return "it is half done";
	return !*is_done && t->has_acted && t->rv == CKR_OK
		       ? "the application was told that it is done, and it is not"
		       : NULL;
}

static void show(const struct run *r, unsigned n, const char *words)
{
	char line[300];
	FILE *said;

	printf("%s %s %s call %u: %s\n", r->way->name, r->kind->name, r->store[r->struck].name, n,
	       words);
	if (r->told->has_acted)
		printf("  the call gave 0x%lx\n", r->told->rv);
	for (unsigned i = 0; i < r->count; i++)
		stock_show(&r->store[i], &r->told->stock[i]);
	said = fopen(r->said, "re");
	while (said && fgets(line, sizeof(line), said))
		printf("  | %s", line);
	if (said)
		(void)fclose(said);
}

/* Still there, and not where it is waited for. */
static bool is_coming(const struct run *r, pid_t pid)
{
	siginfo_t info = {.si_pid = 0};

	return !atomic_load(&r->told->is_in) &&
	       waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0;
}

/* The next application begins. A member that the one before has found down is not asked at once: it
 * is waited for. */
static const char *recover(struct run *r, bool *is_done)
{
	pid_t pid = begin(r, look, 0);
	const char *words = NULL;

	while (is_coming(r, pid))
		(void)usleep(1000);
	for (unsigned i = 0; i < RETURNS; i++) {
		CHECK(take_all(r));
		words = members_fault(r, is_done);
		if (!words)
			break;
		(void)usleep(20000);
	}
	atomic_store(&r->told->may_look, 1);
	(void)end(pid, false); /* what it told is judged */
	return words;
}

static void stumble(struct run *r, unsigned n)
{
	struct place p;

	(void)n;
	enter(r, &p);
	(void)p.app.f->C_Finalize(NULL);
}

/* Strikes that as well; whatever becomes of it. */
static void strike_again(struct run *r, unsigned n)
{
	const struct store *s = &r->store[r->struck];
	char line[80];

	if (!r->again)
		return;
	/* 37: neighbours are struck far from each other. */
	(void)snprintf(line, sizeof(line), "* %s %u %s", r->kind->when, 1 + n * 37 % r->again,
		       r->kind->action);
	plan_write(s->plan, line);
	(void)apart(r, stumble, n, true);
	plan_write(s->plan, "");
}

/* What is wrong after a cut at call n; NULL: nothing. */
static const char *cut(struct run *r, unsigned n)
{
	bool may_be_killed = strncmp(r->kind->name, "kill", 4) == 0, is_done = false;
	const char *words;
	bool is_good;

	memset(r->told, 0, sizeof(*r->told));
	CHECK(truncate(r->said, 0) == 0);
	is_good = apart(r, act, n, may_be_killed);
	plan_write(r->store[r->struck].plan, "");
	if (!is_good)
		return "the application broke";
	if (r->told->has_acted && r->told->rv == CKR_OK) {
		CHECK(take_all(r));
		if (done_on(r) < r->need)
			return "the application was told that it is done, and too few members "
			       "have it";
	}
	strike_again(r, n);
	words = recover(r, &is_done);
	return words ? words : seen_fault(r, is_done);
}

/* A number from the environment; 0: there is none. */
static unsigned number(const char *name)
{
	return getenv(name) ? (unsigned)strtoul(getenv(name), NULL, 10) : 0;
}

static void read_arguments(struct run *r, char **argv, int argc)
{
	*r = (struct run){.module = argv[1],
			  .token = argv[2],
			  .library = argv[3],
			  .need = (unsigned)strtoul(argv[4], NULL, 10),
			  .way = way_named(argv[5]),
			  .struck = MEMBERS};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, argv[6]) == 0)
			r->kind = &kinds[i];
	for (int i = 8; i < argc; i++) {
		struct store *s = &r->store[r->count];
		const char *name = strrchr(argv[i], '/');

		CHECK(r->count < MEMBERS && name);
		(void)snprintf(s->name, sizeof(s->name), "%s", name + 1);
		(void)snprintf(s->plan, sizeof(s->plan), "%s/plan", argv[i]);
		(void)snprintf(s->stats, sizeof(s->stats), "%s/stats", argv[i]);
		(void)snprintf(s->conf, sizeof(s->conf), "%s/real/softhsm2.conf", argv[i]);
		(void)snprintf(s->objects, sizeof(s->objects), "%s/real/tokens/*/*.object",
			       argv[i]);
		if (strcmp(s->name, argv[7]) == 0)
			r->struck = r->count;
		r->count++;
	}
	CHECK(r->way && r->kind && r->struck < r->count);
	r->again = number("REPLICATE_AGAIN");
	(void)snprintf(r->said, sizeof(r->said), "%s/said", getenv("TMPDIR"));
	r->told = mmap(NULL, sizeof(*r->told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	CHECK(r->told != MAP_FAILED);
}

/* All cuts; how many were wrong. */
static unsigned cut_all(struct run *r)
{
	const unsigned only = number("REPLICATE_ONLY");
	unsigned first = only ? only : 1, wrong = 0, n;
	bool is_struck = true;

	for (n = first; is_struck && n < CALLS; n++) {
		const char *words = cut(r, n);

		is_struck = (!r->told->has_acted || r->told->calls >= n) && !only;
		if (words || only)
			show(r, n, words ? words : "as it should be");
		wrong += words != NULL;
		for (unsigned i = 0; i < r->count; i++)
			stock_clean(&r->store[i]);
	}
	CHECK(n < CALLS);
	printf("%s %s %s: %u cuts, %u wrong\n", r->way->name, r->kind->name,
	       r->store[r->struck].name, n - first, wrong);
	return wrong;
}

/* Every part is a process that was forked here. What all of them load is loaded once, because that
 * costs much; nothing of it is initialized before but libcrypto, which is made for that. */
static void load_once(const struct run *r)
{
	CHECK(dlopen(r->library, RTLD_NOW | RTLD_LOCAL) &&
	      dlopen(r->module, RTLD_NOW | RTLD_LOCAL));
	CHECK(OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_ADD_ALL_CIPHERS |
					  OPENSSL_INIT_ADD_ALL_DIGESTS | OPENSSL_INIT_LOAD_CONFIG,
				  NULL) == 1);
}

int main(int argc, char **argv)
{
	static struct run r;

	if (argc < 9) {
		fprintf(stderr, "usage: %s MODULE TOKEN LIBRARY NEED WAY KIND WHICH MEMBER...\n",
			argv[0]);
		return 2;
	}
	read_arguments(&r, argv, argc);
	CHECK(close(open(r.said, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600)) == 0);
	load_once(&r);
	CHECK(apart(&r, warm_up, 0, false) && apart(&r, take, true, false));
	for (unsigned i = 0; i < r.count; i++)
		stock_keep(&r.store[i]);
	return cut_all(&r) == 0 ? 0 : 1;
}
